"""A flow as SVG."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from html import escape
from itertools import pairwise

from connect_flows.diagnostics import one_line
from connect_flows.model import Block, EdgeKind, Flow
from connect_flows.naming import Names, names
from connect_flows.pictures.branches import Line, lines
from connect_flows.pictures.layout import BULGE, HEIGHT, MARGIN, WIDTH, DiagramError, Point, layout
from connect_flows.pictures.style import css
from connect_flows.pictures.telling import headline, kind_of, summary


def svg(flow: Flow, *, prefix: str = "") -> str:
    """Return the flow as SVG.

    prefix: begins the ids, for pages that hold several pictures. Raises DiagramError when there is nothing to draw
    and when the layout library is not installed.
    """
    if not flow.blocks:
        raise DiagramError(f"{flow.name} has no block to draw")
    all_lines = lines(flow)
    places, routes = layout(flow, all_lines)
    width = max(x for x, _ in places.values()) + WIDTH / 2 + MARGIN + BULGE
    height = max(y for _, y in places.values()) + HEIGHT / 2 + MARGIN
    for route in routes.values():
        width = max([width, *(x + MARGIN for x, _ in route)])
    leaving = Counter(line.source for line in all_lines)
    body = [
        _line(line, places, routes, alone=leaving[line.source] == 1, prefix=prefix)
        for line in sorted(all_lines, key=lambda line: not line.error)
    ]
    known = names(flow)
    body += [
        _box(
            block,
            places[block.identifier],
            known,
            start=block.identifier == flow.start,
            ident=f"{prefix}block-{i}",
        )
        for i, block in enumerate(flow.blocks)
    ]
    title = escape(one_line(flow.name, 200))
    return "\n".join(
        [
            (
                f'<svg xmlns="http://www.w3.org/2000/svg" class="flow" viewBox="0 0 {width:.0f} {height:.0f}"'
                f' width="{width:.0f}" height="{height:.0f}" role="group" aria-label="{title}">'
            ),
            f"<title>{title}</title>",
            f"<style>{css()}</style>",
            "<defs>",
            *(
                f'<marker id="{prefix}{name}" class="{name}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7"'
                f' markerHeight="7" orient="auto-start-reverse"><path d="M0 0L10 5L0 10z"/></marker>'
                for name in ("arrow", "arrow-error")
            ),
            "</defs>",
            '<rect class="canvas" width="100%" height="100%"/>',
            *body,
            "</svg>",
            "",
        ]
    )


def _line(
    line: Line,
    places: Mapping[str, Point],
    routes: Mapping[tuple[str, str], list[Point]],
    *,
    alone: bool,
    prefix: str,
) -> str:
    """Draw a line; ``alone`` if its block has no other."""
    marker = "arrow-error" if line.error else "arrow"
    (x1, y1), (x2, y2) = places[line.source], places[line.target]
    back = y2 <= y1
    if line.source == line.target:
        side = x1 + WIDTH / 2
        far = side + 46
        path = f"M{side:.0f} {y1 - 14:.0f}C{far:.0f} {y1 - 30:.0f} {far:.0f} {y1 + 30:.0f} {side:.0f} {y1 + 14:.0f}"
        label_at = (side + 8, y1 + 34)
    elif back:  # from side to side, off the way down
        path, label_at = _back(
            (x1 + WIDTH / 2, y1), (x2 + WIDTH / 2, y2), routes.get((line.source, line.target), [])
        )
    else:
        begin, end = (x1, y1 + HEIGHT / 2), (x2, y2 - HEIGHT / 2)
        points = [begin, *routes.get((line.source, line.target), []), end]
        path = f"M{begin[0]:.0f} {begin[1]:.0f}"
        for (ax, ay), (bx, by) in pairwise(points):
            middle = (ay + by) / 2
            path += f"C{ax:.0f} {middle:.0f} {bx:.0f} {middle:.0f} {bx:.0f} {by:.0f}"
        (ax, ay), (bx, by) = points[0], points[1]
        # Near the end of the first segment the lines of one block have parted; those of several meet there.
        along, below = (0.35, 0.4) if alone else (0.92, 0.72)
        label_at = (ax + (bx - ax) * along + 4, ay + (by - ay) * below)
    text = escape(one_line(line.label, 26))
    at = f'x="{label_at[0]:.0f}" y="{label_at[1]:.0f}"'
    label = f'<text class="label" {at}>{text}</text>' if line.label else ""
    groups = []
    for i, branch in enumerate(line.branches):
        classes = ["branch", _KINDS[branch.kind], *(["return"] if back else []), *(["also"] if i else [])]
        said = f"{branch.label}: {branch.source} → {branch.target}"
        groups.append(
            f'<g class="{" ".join(classes)}" data-from="{_attribute(branch.source)}"'
            f' data-branch="{_attribute(branch.key)}" data-to="{_attribute(branch.target)}" role="img"'
            f' aria-label="{_attribute(said)}"><title>{_attribute(said)}</title>'
            f'<path class="line" d="{path}" marker-end="url(#{prefix}{marker})"/>{"" if i else label}</g>'
        )
    return "\n".join(groups)


_KINDS = {EdgeKind.NEXT: "success", EdgeKind.CONDITION: "condition", EdgeKind.ERROR: "error"}


def _attribute(text: str) -> str:
    """Return the text for XML, which has no control characters and no surrogates."""
    return escape("".join(c if c.isprintable() else " " for c in text))


def _back(begin: Point, end: Point, between: Sequence[Point]) -> tuple[str, Point]:
    """Return the path of a line that leads back, and the place of its label."""
    (x1, y1), (x2, y2) = begin, end
    if not between:
        far = max(x1, x2) + BULGE
        path = f"M{x1:.0f} {y1:.0f}C{far:.0f} {y1:.0f} {far:.0f} {y2:.0f} {x2:.0f} {y2:.0f}"
        return path, (x1 + 6, y1 - 6)
    first, last = between[0], between[-1]
    path = (
        f"M{x1:.0f} {y1:.0f}C{x1 + BULGE:.0f} {y1:.0f} {first[0]:.0f} {y1:.0f} {first[0]:.0f} {first[1]:.0f}"
    )
    for (ax, ay), (bx, by) in pairwise(between):
        middle = (ay + by) / 2
        path += f"C{ax:.0f} {middle:.0f} {bx:.0f} {middle:.0f} {bx:.0f} {by:.0f}"
    path += f"C{last[0]:.0f} {y2:.0f} {x2 + BULGE:.0f} {y2:.0f} {x2:.0f} {y2:.0f}"
    return path, (x1 + 6, y1 - 6)


def _box(block: Block, place: Point, known: Names, *, start: bool, ident: str) -> str:
    x, y = place[0] - WIDTH / 2, place[1] - HEIGHT / 2
    top, below = headline(block, known), summary(block, known)
    rows = [(top, 12, "headline"), (block.type, 9.5, "type"), ("" if below == top else below, 10, "detail")]
    texts = "".join(
        f'<text class="{name}" x="{place[0]:.0f}" y="{y + 18 + 17 * i:.0f}" font-size="{size}"'
        f' text-anchor="middle">{escape(_fitting(text, size))}</text>'
        for i, (text, size, name) in enumerate(rows)
        if text
    )
    full = _attribute(f"{top}. {block.type}. {below}")
    return (
        f'<g class="block {kind_of(block)}{" start" if start else ""}" id="{ident}"'
        f' data-block="{_attribute(block.identifier)}" role="img" aria-label="{full}"><title>{full}</title>'
        f'<rect class="card" x="{x:.0f}" y="{y:.0f}" width="{WIDTH}" height="{HEIGHT}" rx="{20 if start else 7}"/>'
        f"{texts}</g>"
    )


def _fitting(text: str, size: float) -> str:
    """Return as much of the text as a box is wide, at the usual widths of a sans-serif font."""
    line, room = one_line(text, 80), WIDTH - 16
    if sum(_width(c) for c in line) * size <= room:
        return line
    kept = ""
    for character in line:
        if sum(_width(c) for c in f"{kept}{character}…") * size > room:
            break
        kept += character
    return kept.rstrip("…") + "…"


def _width(character: str) -> float:
    """Return the width of a character in units of the font's size; on the wide side."""
    if unicodedata.east_asian_width(character) in "WF":
        return 1.0
    return (
        0.3
        if character in "ijl.,:;'|! "
        else 0.9
        if character in "mwMW@…%"
        else 0.7
        if character.isupper()
        else 0.58
    )
