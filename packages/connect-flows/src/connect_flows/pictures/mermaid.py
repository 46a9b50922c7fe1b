"""A flow as Mermaid text."""

from __future__ import annotations

from connect_flows.diagnostics import one_line
from connect_flows.model import Flow
from connect_flows.naming import names
from connect_flows.pictures.branches import lines
from connect_flows.pictures.telling import KINDS, headline, kind_of, summary

_CLASS = "kind_"
"""Begins the names of Mermaid's classes: some words, such as end, mean something else to Mermaid."""


def mermaid(flow: Flow) -> str:
    """Return the flow as a Mermaid flowchart."""
    number = {block.identifier: f"b{i}" for i, block in enumerate(flow.blocks)}
    known = names(flow)
    out = ["flowchart TD", '  start(("start"))']
    for block in flow.blocks:
        parts = [
            one_line(block.type, 60),
            one_line(headline(block, known), 60),
            one_line(summary(block, known), 60),
        ]
        text = "<br/>".join(_mermaid_text(part) for part in dict.fromkeys(parts) if part)
        out.append(f'  {number[block.identifier]}["{text}"]:::{_CLASS}{kind_of(block)}')
    drawn = [f"  start --> {number[flow.start]}"] if flow.start in number else []
    grey = []
    for line in lines(flow):
        arrow = "-.->" if line.error else "-->"
        label = f'|"{_mermaid_text(one_line(line.label, 60))}"|' if line.label else ""
        if line.error:
            grey.append(str(len(drawn)))
        drawn.append(f"  {number[line.source]} {arrow}{label} {number[line.target]}")
    out += drawn
    if grey:
        out.append(f"  linkStyle {','.join(grey)} stroke:#b8bcc4,color:#8a8f98")
    out += [
        f"  classDef {_CLASS}{kind} fill:{fill},stroke:{stroke}" for kind, (fill, stroke) in KINDS.items()
    ]
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
