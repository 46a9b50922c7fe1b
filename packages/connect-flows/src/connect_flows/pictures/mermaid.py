"""A flow as Mermaid text."""

from __future__ import annotations

from connect_flows.diagnostics import one_line
from connect_flows.model import EdgeKind, Flow
from connect_flows.naming import names
from connect_flows.pictures.branches import lines
from connect_flows.pictures.style import COLOURS
from connect_flows.pictures.telling import KINDS, kind_of, said_of

_CLASS = "kind_"
"""Begins the names of Mermaid's classes: some words, such as end, mean something else to Mermaid."""
_ARROWS = {EdgeKind.NEXT: "==>", EdgeKind.CONDITION: "-->", EdgeKind.ERROR: "-.->"}


def mermaid(flow: Flow) -> str:
    """Return the flow as a Mermaid flowchart: headlines, types and details as in the SVG."""
    known = names(flow)
    number = {block.identifier: f"b{i}" for i, block in enumerate(flow.blocks)}
    drawn = lines(flow)
    out = ["flowchart TD", '  start(("start"))']
    for block in flow.blocks:
        said = said_of(block, known)
        parts = [one_line(part, 60) for part in (said.headline, said.second, *said.details[:2])]
        text = "<br/>".join(_mermaid_text(part) for part in parts if part)
        out.append(f'  {number[block.identifier]}["{text}"]:::{_CLASS}{kind_of(block)}')
    targets = [flow.start, *(line.target for line in drawn)] if flow.blocks else []
    for i, name in enumerate(dict.fromkeys(t for t in targets if t not in number)):
        number[name] = f"n{i}"
        out.append(f'  n{i}>"{_mermaid_text(one_line(f"No block {name}", 60))}"]')
    links = [f"  start ==> {number[flow.start]}"] if flow.start in number else []
    for line in drawn:
        label = f'|"{_mermaid_text(one_line(line.label, 60))}"|' if line.label else ""
        links.append(f"  {number[line.source]} {_ARROWS[line.kind]}{label} {number[line.target]}")
    out += links
    out += [f"  classDef {_CLASS}{kind} stroke:{COLOURS[kind][0]},stroke-width:2px" for kind in KINDS]
    return "\n".join(out) + "\n"


def _mermaid_text(text: str) -> str:
    for character, entity in (
        ("&", "&amp;"),
        ('"', "&quot;"),
        ("<", "&lt;"),
        (">", "&gt;"),
        ("#", "&num;"),
        ("`", "&grave;"),
    ):
        text = text.replace(character, entity)
    return text
