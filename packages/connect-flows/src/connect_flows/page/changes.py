"""The page of two versions of a flow, side by side, with what changed."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from html import escape

from connect_flows.diagnostics import one_line
from connect_flows.diff import HEADINGS, Change, diff, match
from connect_flows.model import Block, Flow
from connect_flows.naming import names
from connect_flows.page.document import Pictures, document, keys, zoom_buttons
from connect_flows.page.flows import block_data, mark
from connect_flows.page.shown import Json, Shown, branches, printable
from connect_flows.pictures import svg
from connect_flows.pictures.telling import said_of


def diff_page(old: Shown, new: Shown) -> str:
    """Return the HTML page of both versions: their pictures, and the changes for the caller lit in them.

    Raises DiagramError when one of them has no block.
    """
    pictures = Pictures()
    sides = (("Before", old), ("After", new))
    drawn = [
        pictures.markup(svg(each.flow, prefix=f"s{number}-"), label=f"{when}: {each.name}")
        for number, (when, each) in enumerate(sides)
    ]
    title = f"Changes: {old.name}" if old.name == new.name else f"Changes: {old.name} → {new.name}"
    changes = diff(old.flow, new.flow)
    return document(
        title,
        _body(title, old, new, drawn, len(changes)),
        _data(old, new, changes),
        styles=pictures.styles,
        scripts=("viewer.js", "changes.js"),
    )


def _body(title: str, old: Shown, new: Shown, drawn: list[str], changes: int) -> Iterator[str]:
    yield "<header>"
    yield f"<h1>{escape(one_line(title, 300))}</h1>"
    yield from zoom_buttons()
    yield "</header>"
    yield '<noscript><p class="noscript">Zoom and details need JavaScript.</p></noscript>'
    yield '<main class="versions">'
    yield '<nav class="side" aria-label="Changes" id="changes">'
    count = (
        f"{changes} change{'s' * (changes != 1)} for the caller"
        if changes
        else "No difference for the caller"
    )
    yield f"<h2>{count}</h2>"
    if changes:
        yield "<p>Choose a change or a block: both pictures go to it.</p>"
    yield '<div class="changes" id="list"></div>'
    yield from keys(
        ("added", "added"), ("removed", "removed"), ("changed", "changed"), ("chosen", "chosen block")
    )
    yield "</nav>"
    yield '<div class="stage"><div class="pair">'
    for number, (when, each, picture) in enumerate(zip(("Before", "After"), (old, new), drawn, strict=True)):
        file = escape(one_line(each.file, 300))
        label = escape(f"{when}: {each.name}; arrow keys move the picture, Tab goes to its blocks")
        yield f"<figure><figcaption>{when}: {file}</figcaption>"
        yield f'<div class="pane" id="s{number}-pane" role="group" aria-label="{label}" tabindex="0">'
        yield picture
        yield "</div></figure>"
    yield "</div></div>"
    yield '<aside class="side" id="details" aria-label="Details" tabindex="0" hidden></aside>'
    yield "</main>"


@dataclass
class _Row:
    """A block of one version or of both, by its number in each."""

    old: int | None
    new: int | None
    changed: bool = False
    near: int | None = None
    """Where the block would be in the version that has it not: the nearest before it that both have."""


def _data(old: Shown, new: Shown, changes: list[Change]) -> Json:
    same = match(old.flow, new.flow)
    back = {theirs: ours for ours, theirs in same.items()}
    orders = [{block.identifier: i for i, block in enumerate(each.flow.blocks)} for each in (old, new)]
    near = [_near(old.flow, set(same)), _near(new.flow, set(back))]
    rows = []
    for i, block in enumerate(new.flow.blocks):
        name = block.identifier
        beside = None if name in back else orders[0].get(back.get(near[1].get(name, ""), ""))
        rows.append(_Row(orders[0].get(back.get(name, "")), i, near=beside))
    for i, block in enumerate(old.flow.blocks):
        if block.identifier not in same:
            beside = orders[1].get(same.get(near[0].get(block.identifier, ""), ""))
            rows.append(_Row(i, None, near=beside))
    told = _told(old.flow, new.flow, changes, rows)
    for each in told:
        for row in each["rows"]:
            rows[row].changed = rows[row].changed or each["kind"] not in {"added", "removed"}
    lit = [
        _lit_branches(old.flow, same, new.flow, "removed"),
        _lit_branches(new.flow, back, old.flow, "added"),
    ]
    return {
        "sides": [
            {
                "start": order.get(each.flow.start),
                "blocks": [
                    block_data(block, known, order) | {"states": states.get(block.identifier, {})}
                    for block in each.flow.blocks
                ],
            }
            for each, order, states in zip((old, new), orders, lit, strict=True)
            for known in [names(each.flow)]
        ],
        "rows": [asdict(row) for row in rows],
        "changes": told,
    }


def _told(old: Flow, new: Flow, changes: list[Change], rows: list[_Row]) -> list[Json]:
    place = {new.blocks[row.new].identifier: i for i, row in enumerate(rows) if row.new is not None}
    gone = {
        old.blocks[row.old].identifier: i
        for i, row in enumerate(rows)
        if row.new is None and row.old is not None
    }
    headlines = [
        {block.identifier: said_of(block, known).headline for block in flow.blocks}
        for flow in (old, new)
        for known in [names(flow)]
    ]

    def called(change: Change, value: str | None, side: int) -> str | None:
        """Return what a changed branch led to as people know the block; any other value as it is."""
        if value is not None and change.kind in {"rewired", "start"}:
            value = headlines[side].get(value) or value
        return None if value is None else printable(value)

    found = []
    for change in changes:
        where = gone if change.kind == "removed" else place
        found.append(
            {
                "heading": HEADINGS[change.kind],
                "kind": change.kind,
                "what": printable(change.what),
                "old": called(change, change.old, 0),
                "new": called(change, change.new, 1),
                "rows": [where[name] for name in (change.block, *change.also) if name in where],
                "block": printable(change.block),
            }
        )
    return found


def _lit_branches(flow: Flow, same: Mapping[str, str], other: Flow, gone: str) -> dict[str, dict[str, str]]:
    """Return for each block the state of its branches that the other version has not (``gone``), or elsewhere.

    same: which block of the other version each block is.
    """
    there = other.by_identifier
    found: dict[str, dict[str, str]] = {}
    for block in flow.blocks:
        counterpart = there.get(same.get(block.identifier, ""))
        targets = _targets(counterpart) if counterpart is not None else {}
        for key, edge in branches(block):
            target = targets.get((edge.kind, edge.label))
            if target is None:
                found.setdefault(block.identifier, {})[mark(key)] = gone
            elif same.get(edge.target, edge.target) != target:
                found.setdefault(block.identifier, {})[mark(key)] = "changed"
    return found


def _targets(block: Block) -> dict[tuple[str, str], str]:
    return {(edge.kind, edge.label): edge.target for edge in reversed(list(block.edges()))}


def _near(flow: Flow, matched: set[str]) -> dict[str, str]:
    """Return for each block the nearest before it that is matched."""
    known = flow.by_identifier
    found: dict[str, str] = {name: name for name in known if name in matched}
    queue = deque(found)
    while queue:
        name = queue.popleft()
        for edge in known[name].edges():
            if edge.target in known and edge.target not in found:
                found[edge.target] = found[name]
                queue.append(edge.target)
    return found
