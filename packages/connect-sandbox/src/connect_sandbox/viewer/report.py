"""A run as one HTML file that opens from disk."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from connect_flows import Flow, FlowSyntaxError
from connect_flows.naming import names
from connect_flows.page.document import Pictures
from connect_flows.page.flows import block_data
from connect_flows.pictures import DiagramError, svg

from connect_sandbox.viewer.document import document

Json = dict[str, Any]


def write_report(events: Iterable[Mapping[str, Any]], path: Path, *, title: str = "") -> Path:
    """Write the page of a run to `path`, whose folder is made if need be; return the path.

    events: as the run file has them. title: by default the run's. What was there is replaced as a whole or not at all;
    OSError if it cannot be written.
    """
    shown = [for_page(event) for event in events]
    began = next((event for event in shown if event.get("event") == "run"), {})
    html = document(title or str(began.get("title") or "A run of connect-sandbox"), run=packed(shown))
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.new")
    new.write_text(html, encoding="utf-8")
    return new.replace(path)


def for_page(event: Mapping[str, Any]) -> Json:
    """Return the event as the page wants it: a flow with its picture in the place of its content."""
    told = dict(event)
    if told.get("event") == "flow":
        told |= picture(told.pop("content", None), int(told.get("n", 0)), str(told.get("name", "")))
    return told


def picture(content: object, number: int, name: str) -> Json:
    """Return what the page shows of a flow: its picture and blocks, or the problem why there is none.

    number: makes the ids in the picture unlike those of others on the page.
    """
    try:
        flow = Flow.parse(content if isinstance(content, str | bytes) else json.dumps(content), name=name)
        drawn = Pictures().markup(svg(flow, prefix=f"f{number}-"), label=f"Picture of {name}")
    except (FlowSyntaxError, DiagramError) as problem:
        return {"problem": str(problem)}
    order = {block.identifier: at for at, block in enumerate(flow.blocks)}
    known = names(flow)
    return {
        "picture": drawn,
        "start": order.get(flow.start),
        "blocks": [block_data(block, known, order) for block in flow.blocks],
    }


def packed(events: list[Json]) -> str:
    """Return the events as text that no page can mistake for markup: JSON, gzip, base64."""
    text = json.dumps(events, separators=(",", ":"))
    return base64.b64encode(gzip.compress(text.encode(), 6, mtime=0)).decode()
