"""What other tools write for a new app: pictures of its flows, and scenarios."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Mapping
from pathlib import Path

from connect_flows import cli

INSTALL = "pip install 'connect-bridges[new]'"


class ToolError(Exception):
    """Scenarios or pictures cannot be made; the message says why and what to install."""


def draw(folder: Path, flow: str) -> None:
    """Draw a flow of the app in that folder as SVG into docs/."""
    status, said = _run(folder, "diagram", f"flows/{flow}.json", "-o", f"docs/{flow}.svg")
    if status:
        raise ToolError(f"there is no picture of flows/{flow}.json: {said} ({INSTALL})")


def write_scenarios(folder: Path, flow: str, values: Mapping[str, str]) -> str | None:
    """Write scenarios that take every branch of a flow of the app; return why there are none, or None.

    values: what scenarios call that which placeholders stand for.
    """
    told = folder / "values.json"
    told.write_text(json.dumps(dict(values)), encoding="utf-8")
    file = f"scenarios/{flow}.yaml"
    status, said = _run(
        folder, "scenarios", f"flows/{flow}.json", "-o", file, "--flows", "flows", "--values", told.name, "--expect"
    )  # fmt: skip
    told.unlink()
    if status > 1:
        raise ToolError(f"there are no scenarios for flows/{flow}.json: {said} ({INSTALL})")
    if status:
        (folder / file).unlink()
        return said.splitlines()[-1]
    return None


def _run(folder: Path, *command: str) -> tuple[int, str]:
    """Run a command of connect-flows in a folder, so that what it writes names no path of this machine."""
    said = io.StringIO()
    with (
        contextlib.chdir(folder),
        contextlib.redirect_stderr(said),
        contextlib.redirect_stdout(io.StringIO()),
    ):
        status = cli.main(command)
    return status, said.getvalue().strip()
