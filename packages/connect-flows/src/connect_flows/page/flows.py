"""The page of one or several flows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from html import escape

from connect_flows.diagnostics import Diagnostic, one_line
from connect_flows.diff import branch_name
from connect_flows.model import Block, Flow
from connect_flows.naming import Names, names
from connect_flows.page.document import Pictures, document, keys, zoom_buttons
from connect_flows.page.links import links
from connect_flows.page.shown import Json, Shown, branches, leaves, printable
from connect_flows.pictures import DiagramError, svg
from connect_flows.pictures.telling import said_of


def flows_page(shown: Sequence[Shown]) -> str:
    """Return the HTML page of the flows: pictures that can be searched, with each block's details and findings.

    A block that names another flow of the page leads to it. Raises DiagramError when there is nothing to draw.
    """
    if not shown:
        raise DiagramError("there is no flow to draw")
    pictures = Pictures()
    drawn = [
        pictures.markup(svg(each.flow, prefix=f"f{number}-"), label=f"Picture of {each.name}")
        for number, each in enumerate(shown)
    ]
    title = shown[0].name if len(shown) == 1 else f"{len(shown)} flows"
    unique = _keys(shown)
    return document(
        title,
        _body(title, shown, unique, drawn),
        {"flows": _flows(shown, unique)},
        styles=pictures.styles,
        scripts=("viewer.js", "flows.js"),
    )


def _body(title: str, shown: Sequence[Shown], unique: Sequence[str], drawn: Sequence[str]) -> Iterator[str]:
    yield "<header>"
    yield f"<h1>{escape(title)}</h1>"
    yield from zoom_buttons()
    yield '<form role="search" id="search">'
    yield '<label for="query">Search</label>'
    yield '<input type="search" id="query" placeholder="text, type or identifier" autocomplete="off">'
    yield '<button type="button" id="previous">Previous</button>'
    yield '<button type="submit">Next</button>'
    yield '<output id="count" for="query"></output>'
    yield "</form>"
    yield "</header>"
    yield '<noscript><p class="noscript">Search, zoom and details need JavaScript.</p></noscript>'
    yield "<main>"
    yield '<nav class="side" aria-label="Flows and blocks">'
    if len(shown) > 1:
        yield "<h2>Flows</h2>"
        yield '<ul id="flows">'
        for each, key in zip(shown, unique, strict=True):
            yield f'<li><a href="#{key}">{escape(each.name)}{_counted(each.findings)}</a></li>'
        yield "</ul>"
    yield '<h2 id="listed">Blocks</h2>'
    yield '<ol id="list"></ol>'
    yield from keys(
        ("chosen", "chosen block"),
        ("lit", "branches from and to it"),
        ("match", "found by the search"),
        ("error", "Amazon Connect rejects it (number of findings)"),
        ("warning", "accepted, but hurts callers (number of findings)"),
        ("", "underlined headline: leads to another flow of this page (double click)"),
    )
    yield "</nav>"
    yield '<div class="stage">'
    for number, (each, picture) in enumerate(zip(shown, drawn, strict=True)):
        label = escape(f"{each.name}: arrow keys move the picture, Tab goes to its blocks")
        hidden = " hidden" if number else ""
        yield f'<div class="pane" id="f{number}-pane" role="group" aria-label="{label}" tabindex="0"{hidden}>'
        yield picture
        yield "</div>"
    yield "</div>"
    yield '<aside class="side" id="details" aria-label="Details" tabindex="0"></aside>'
    yield "</main>"


def _counted(findings: Sequence[Diagnostic]) -> str:
    errors = sum(found.severity == "error" for found in findings)
    counts = (("error", errors), ("warning", len(findings) - errors))
    return "".join(
        f' <span class="count {kind}">{count} {kind}{"s" * (count != 1)}</span>'
        for kind, count in counts
        if count
    )


def _keys(shown: Sequence[Shown]) -> list[str]:
    """Return what stands for each flow in addresses, as in page.html#main-menu."""
    found: list[str] = []
    for each in shown:
        key = base = re.sub(r"[^a-z0-9]+", "-", each.name.lower()).strip("-") or "flow"
        number = 2
        while key in found:
            key, number = f"{base}-{number}", number + 1
        found.append(key)
    return found


def _flows(shown: Sequence[Shown], unique: Sequence[str]) -> list[Json]:
    leading = links(shown)
    found = []
    for number, (each, key) in enumerate(zip(shown, unique, strict=True)):
        flow, known = each.flow, names(each.flow)
        order = {block.identifier: i for i, block in enumerate(flow.blocks)}
        of_block: dict[str | None, list[Json]] = {}
        for diagnostic in each.findings:
            where = diagnostic.block if diagnostic.block in order else None
            of_block.setdefault(where, []).append(_finding(diagnostic))
        kind, description = flow.metadata.get("type"), flow.metadata.get("description")
        found.append(
            {
                "key": key,
                "name": each.name,
                "file": one_line(each.file, 400),
                "description": printable(description) if isinstance(description, str) else "",
                "facts": [["Type", one_line(kind)]] if isinstance(kind, str) else [],
                "start": order.get(flow.start),
                "order": _walk(flow, order),
                "findings": of_block.get(None, []),
                "notes": [printable(note) for note in each.notes],
                "blocks": [
                    block_data(block, known, order)
                    | {
                        "findings": of_block.get(block.identifier, [])
                        if order[block.identifier] == i
                        else [],
                        "links": list(leading.get((number, block.identifier), {}).values()),
                    }
                    for i, block in enumerate(flow.blocks)
                ],
            }
        )
    return found


def _walk(flow: Flow, order: Mapping[str, int]) -> list[int]:
    """Return the blocks as a contact may meet them, branch after branch; last those that none reaches."""
    met: dict[int, None] = {}
    work = list(reversed(range(len(flow.blocks))))
    work += [order[flow.start]] if flow.start in order else []
    while work:
        number = work.pop()
        if number not in met:
            met[number] = None
            targets = [order[edge.target] for edge in flow.blocks[number].edges() if edge.target in order]
            work += reversed(targets)
    return list(met)


def block_data(block: Block, known: Names, order: Mapping[str, int]) -> Json:
    """Return what the page tells of a block. ``mark`` stands for it in the picture's data attributes."""
    said = said_of(block, known)
    return {
        "id": printable(block.identifier),
        "mark": mark(block.identifier),
        "type": printable(block.type if said.type == block.type else f"{said.type} ({block.type})"),
        "headline": one_line(said.headline, 200) or "(no name)",
        "second": one_line(said.second, 200),
        "parameters": [[path, value, known.name(value)] for path, value in leaves(block.parameters)],
        "branches": [
            {
                "key": mark(key),
                "kind": str(edge.kind),
                "words": printable(branch_name(edge.kind, edge.label)),
                "to": order.get(edge.target),
                "target": printable(edge.target),
            }
            for key, edge in branches(block)
        ],
    }


def mark(text: str) -> str:
    """Return the text as the picture's attributes hold it."""
    return "".join(c if c.isprintable() else " " for c in text)


def _finding(found: Diagnostic) -> Json:
    basis = "" if "official" in found.evidence else f" (evidence: {found.evidence}, not documented by AWS)"
    return {
        "rule": found.rule,
        "severity": str(found.severity),
        "path": printable(found.path),
        "message": printable(found.message) + basis,
        "fix": printable(found.fix),
    }
