"""What other tools write for a new app: pictures of its flows, and scenarios."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Callable
from pathlib import Path

from connect_flows import FlowKind, cli

from connect_bridges.operations.new.exports import ExportedFlow
from connect_bridges.operations.new.project import App

INSTALL = "pip install 'connect-bridges[new]'"


class ToolError(Exception):
    """Scenarios or pictures cannot be made; the message says why and what to install."""


def draw(flow: Path, picture: Path) -> None:
    """Draw a flow as SVG."""
    _run("the picture", lambda: cli.main(["diagram", str(flow), "-o", str(picture)]))


def write_scenarios(app: App, flow: ExportedFlow, folder: Path) -> None:
    """Write the scenarios of a flow: what is around it, and one call that runs to an end."""
    own = {one.construct: one for one in app.exports.flows}
    needed, waiting = [flow], [flow]
    while waiting:
        for other in waiting.pop().flows:
            if own[other] not in needed:
                needed.append(own[other])
                waiting.append(own[other])
    references = {name: one for used in needed for name, one in used.references.items()}
    values = {name: one.flow or one.resource.title or name for name, one in references.items()}
    setup: dict[str, object] = {"values": values} if values else {}
    for name, one in references.items():
        value, kind = values[name], one.resource.kind
        if one.flow is not None:
            key = "modules" if own[one.flow].kind is FlowKind.MODULE else "flows"
            setup.setdefault(key, {})[value] = f"../flows/{own[one.flow].file}.json"
        elif kind == "Queue":
            setup.setdefault("queues", {})[value] = {"name": value}
        elif kind == "Hours":
            setup.setdefault("hours", {})[value] = "open"
        elif kind == "Function":
            setup.setdefault("lambdas", {})[value] = {"answers": {}}
        elif kind == "Prompt":
            setup.setdefault("prompts", {})[value] = value
    scenario = {"setup": setup, "scenarios": [{"name": "a caller says nothing", "expect": {}}]}
    (folder / f"scenarios/{flow.file}.yaml").write_text(json.dumps(scenario, indent=2))


def _run(what: str, command: Callable[[], int]) -> None:
    said = io.StringIO()
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
        status = command()
    if status:
        raise ToolError(f"{what} cannot be made: {said.getvalue().strip()} ({INSTALL})")
