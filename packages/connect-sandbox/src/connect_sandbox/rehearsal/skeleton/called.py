"""The files of the flows and modules that a flow calls, and that these call; and the values of their placeholders."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from connect_flows import Flow
from connect_flows.naming import names
from connect_flows.template import substitute

from connect_sandbox.rehearsal.flow_files import placeholders_of, text_of
from connect_sandbox.rehearsal.skeleton.given import example_value, file_named
from connect_sandbox.rehearsal.skeleton.uses import Uses


@dataclass(frozen=True)
class Called:
    """The files that a flow calls, directly or not, and the values of all placeholders."""

    files: tuple[Path, ...]
    values: Mapping[str, str]


def called_by(path: Path, folder: Path | None, values: Mapping[str, str]) -> Called:
    """Return what a flow calls of the files in a folder, by names in its Metadata, ids or placeholders.

    Placeholders that `values` lacks get examples.
    """
    files = [path]
    told: dict[str, str] = {}
    for file in files:  # grows
        flow = Flow.parse(text_of(file), name=str(file))
        uses, shown = Uses(flow), names(flow)
        for name in sorted(placeholders_of(file)):
            told.setdefault(name, values[name] if name in values else example_value(name, uses))
        for use in uses.all:
            if use.resource in {"flow", "module"}:
                found = file_named(folder, substitute(use.text, told), use.text, shown.name(use.text))
                if found is not None and found not in files:
                    files.append(found)
    return Called(tuple(files[1:]), dict(sorted(told.items())))
