"""The files of the flows and modules that a flow calls, and that these call."""

from __future__ import annotations

import re
from pathlib import Path

from connect_flows import Flow
from connect_flows.naming import names

from connect_sandbox.rehearsal.flow_files import placeholders_of, text_of
from connect_sandbox.rehearsal.skeleton.uses import Uses


def file_named(folder: Path | None, *called: str | None) -> Path | None:
    """Return the file of a folder that is named like a flow, by its name in the console or its id."""
    wanted = {_plain(name) for name in called if name}
    files = sorted(folder.glob("*.json")) if folder is not None else []
    return next((file for file in files if _plain(file.stem) in wanted), None)


def called_files(path: Path, folder: Path | None) -> list[Path]:
    """Return the files of a folder that a flow calls, by the names in its Metadata, and those that they call."""
    found: list[Path] = []
    waiting = [path]
    while waiting and folder is not None:
        flow = Flow.parse(text_of(waiting.pop()), name=str(path))
        shown = names(flow)
        for use in Uses(flow).all:
            if use.resource in {"flow", "module"}:
                file = file_named(folder, use.text, shown.name(use.text))
                if file is not None and file not in {path, *found}:
                    found.append(file)
                    waiting.append(file)
    return found


def needed_values(path: Path, folder: Path | None) -> dict[str, Path]:
    """Return the placeholders of a flow and of the files that it calls, each with a file that has it."""
    files = [path, *called_files(path, folder)]
    return {name: file for file in reversed(files) for name in sorted(placeholders_of(file))}


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "", text.rsplit("/", 1)[-1].lower())
