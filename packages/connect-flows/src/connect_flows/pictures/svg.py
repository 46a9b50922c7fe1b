"""A flow as SVG."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from math import hypot

from connect_flows.model import Block, EdgeKind, Flow
from connect_flows.naming import names
from connect_flows.pictures.branches import Line, lines
from connect_flows.pictures.layout import Plan, Point, Rectangle, Route, Wire, lay_out
from connect_flows.pictures.style import css
from connect_flows.pictures.telling import KINDS, Said, kind_of, said_of
from connect_flows.pictures.text import shortened, width, wrapped

CARD = 236.0
HEADLINE, SECOND, DETAIL, LABEL = 13.0, 10.5, 11.0, 10.5
_LEFT, _RIGHT = 16, 10  # of the text in a card
_LABEL_HEIGHT, _LABEL_WIDEST = 18.0, 150.0
_LABELS_WIDEST = 640.0
"""The labels below one block are together no wider than this, unless there are too many to be told at all."""
_LABEL_NARROWEST = 30.0
_CORNER = 7.0
_DETAILS = 2

CLASSES = {EdgeKind.NEXT: "success", EdgeKind.CONDITION: "condition", EdgeKind.ERROR: "error"}
"""Kind of branch -> the class of its group."""


class DiagramError(RuntimeError):
    """The diagram cannot be drawn; the message says why."""


@dataclass(frozen=True)
class _Row:
    text: str
    css: str
    size: float
    below: float  # from the row above, or the card's top


def svg(flow: Flow, *, prefix: str = "") -> str:
    """Return the flow as SVG.

    Each block is a group with the class "block" (the first one "start", too), an id (``prefix`` and "block-N", N by the
    flow's order) and data-block, its identifier. Each branch is a group with the class "branch" and "success",
    "condition" or "error", and "return" where it leads back; data-from and data-to name its blocks, data-branch is
    "next", "condition:N" or "error:TYPE". Branches from one block to another share a line: the second and later ones
    carry the class "also" and show when they get a state. prefix: for pages that hold several pictures. Raises
    DiagramError when there is no block.
    """
    if not flow.blocks:
        raise DiagramError(f"{flow.name} has no block to draw")
    return _Picture(flow, prefix).text()


class _Picture:
    def __init__(self, flow: Flow, prefix: str) -> None:
        self.flow, self.prefix = flow, prefix
        known = names(flow)
        self.said = [said_of(block, known) for block in flow.blocks]
        self.lines = lines(flow)
        self.place: dict[str, int] = {}  # the first box is where the flow starts
        for i, block in enumerate(flow.blocks):
            self.place.setdefault(block.identifier, i + 1)
        targets = [*(line.target for line in self.lines), flow.start]
        self.missing = list(dict.fromkeys(target for target in targets if target not in self.place))
        for i, name in enumerate(self.missing):
            self.place[name] = len(flow.blocks) + 1 + i
        self.led_to = {line.target for line in self.lines if line.target != line.source} | {flow.start}
        self.labels = self._labels()
        self.plan = self._plan()

    def _labels(self) -> list[str]:
        """Return the text of each line's label; "" for none. Many labels of a block get less room each."""
        leaving: dict[str, list[int]] = {}
        for i, line in enumerate(self.lines):
            leaving.setdefault(line.source, []).append(i)
        room = [0.0] * len(self.lines)
        for all_ in leaving.values():
            left = _LABELS_WIDEST
            wanted = {i: min(width(self.lines[i].label, LABEL) + 14, _LABEL_WIDEST) + 6 for i in all_}
            for done, i in enumerate(
                sorted(all_, key=lambda i: wanted[i])
            ):  # short ones leave room to others
                room[i] = max(_LABEL_NARROWEST, min(wanted[i], left / (len(all_) - done)) - 6)
                left -= room[i] + 6
        return [summed(line.label, room[i] - 13.5) for i, line in enumerate(self.lines)]

    def _plan(self) -> Plan:
        sizes = [(64.0, 26.0)]
        for block, said in zip(self.flow.blocks, self.said, strict=True):
            rows = _rows(said, CARD, reached=block.identifier in self.led_to)
            sizes.append((CARD, 12 + sum(row.below for row in rows)))
        sizes += [(CARD, 34.0) for _ in self.missing]
        wires = [Wire(0, self.place[self.flow.start], None, weak=False)]
        for line, text in zip(self.lines, self.labels, strict=True):
            size = (round(width(text, LABEL) + 14), _LABEL_HEIGHT) if text else None
            weak = line.kind is EdgeKind.ERROR
            wires.append(Wire(self.place[line.source], self.place[line.target], size, weak=weak))
        return lay_out(sizes, wires)

    def text(self) -> str:
        plan = self.plan
        drawn = sorted(
            zip(self.lines, self.labels, plan.routes[1:], strict=True),
            key=lambda each: list(CLASSES).index(each[0].kind),
            reverse=True,
        )
        legend, wide, tall = self._legend(plan.height)
        whole, height = max(plan.width, wide), plan.height + tall
        title = xml(self.flow.name)
        description = (
            f"A flow of {_count(len(self.flow.blocks), 'block')} and"
            f" {_count(sum(len(line.branches) for line in self.lines), 'branch', 'es')}, from top to bottom."
        )
        description += f" It starts with: {self._headline(self.flow.start)}."
        return "\n".join(
            [
                (
                    f'<svg xmlns="http://www.w3.org/2000/svg" class="flow" viewBox="0 0 {whole:.0f} {height:.0f}"'
                    f' width="{whole:.0f}" height="{height:.0f}" role="group" aria-label="{title}">'
                ),
                f"<title>{title}</title>",
                f"<desc>{xml(description)}</desc>",
                f"<style>{css()}</style>",
                "<defs>",
                *(
                    f'<marker id="{self.prefix}arrow-{kind}" class="arrow {kind}" viewBox="0 0 10 10" refX="9" refY="5"'
                    f' markerWidth="8" markerHeight="8" markerUnits="userSpaceOnUse" orient="auto-start-reverse">'
                    f'<path d="M0 1L10 5L0 9z"/></marker>'
                    for kind in CLASSES.values()
                ),
                "</defs>",
                '<rect class="canvas" width="100%" height="100%"/>',
                *self._start(),
                *(self._line(*each) for each in drawn),
                *(self._block(i, block) for i, block in enumerate(self.flow.blocks)),
                *self._nowhere(),
                legend,
                "</svg>",
                "",
            ]
        )

    def _headline(self, name: str) -> str:
        i = self.place[name] - 1
        return self.said[i].headline if i < len(self.said) else f"no block {name}"

    def _start(self) -> Iterator[str]:
        box, route = self.plan.boxes[0], self.plan.routes[0]
        yield (
            f'<g class="entry"><path class="line" d="{path(route.points)}"'
            f' marker-start="url(#{self.prefix}arrow-success)"/>{_rectangle(box, "pill", 13)}'
            f"{_text(box.x + box.width / 2, box.y + 17, 'Start', 'name', middle=True)}</g>"
        )

    def _line(self, line: Line, label: str, route: Route) -> str:
        """Draw a line: a group for each of its branches, of which the first is seen."""
        groups = []
        drawn = path(route.points)
        source, target = self._headline(line.source), self._headline(line.target)
        for i, branch in enumerate(line.branches):
            kind = CLASSES[branch.kind]
            classes = ["branch", kind, *(["return"] if route.back else []), *(["also"] if i else [])]
            what = branch.key.partition(":")[2] if branch.kind is EdgeKind.ERROR else branch.label
            said = f"{source}: {kind}{f' {what}' if branch.kind is not EdgeKind.NEXT else ''} → {target}"
            inner = f'<title>{xml(said)}</title><path class="line" d="{drawn}"'
            inner += f' marker-start="url(#{self.prefix}arrow-{kind})"/>'
            if not i:
                if route.back and line.source != line.target:
                    inner += _upward(route.points)
                if label and route.label:
                    at = route.label
                    inner += _rectangle(at, "pill", 4 if kind == "condition" else 9)
                    middle = at.x + at.width / 2
                    inner += _text(middle, at.y + 12.7, label, "label", middle=True)
            groups.append(
                f'<g class="{" ".join(classes)}" data-from="{xml(branch.source)}" data-branch="{xml(branch.key)}"'
                f' data-to="{xml(branch.target)}" role="img" aria-label="{xml(said)}">{inner}</g>'
            )
        return "\n".join(groups)

    def _block(self, number: int, block: Block) -> str:
        box = self.plan.boxes[number + 1]
        texts = []
        y = box.y
        for row in _rows(self.said[number], box.width, reached=block.identifier in self.led_to):
            y += row.below
            texts.append(_text(box.x + _LEFT, y, row.text, row.css))
        full = xml(f"{self.said[number].full} ({block.type})")
        band = f"M{box.x + 6:.0f} {box.y:.0f}a6 6 0 0 0 -6 6v{box.height - 12:.0f}a6 6 0 0 0 6 6z"
        start = " start" if block.identifier == self.flow.start else ""
        return (
            f'<g class="block {kind_of(block)}{start}" id="{self.prefix}block-{number}"'
            f' data-block="{xml(block.identifier)}" role="img" aria-label="{full}"><title>{full}</title>'
            f'{_rectangle(box, "card", 6)}<path class="band" d="{band}"/>{"".join(texts)}</g>'
        )

    def _nowhere(self) -> Iterator[str]:
        for name in self.missing:
            box = self.plan.boxes[self.place[name]]
            told = shortened(f"No block {name}", SECOND, CARD - _LEFT - _RIGHT)
            yield (
                f'<g class="nowhere"><title>{xml(f"No block {name}")}</title>'
                f"{_rectangle(box, 'card', 6)}{_text(box.x + _LEFT, box.y + 21, told, 'second')}</g>"
            )

    def _legend(self, top: float) -> tuple[str, float, float]:
        """Return the legend, how far it reaches to the right, and how high it is; it tells what the picture holds."""
        kinds = {kind_of(block) for block in self.flow.blocks}
        shown = [(name, _KINDS[name]) for name in KINDS if name in kinds]
        drawn = {CLASSES[line.kind] for line in self.lines}
        x, y = 24.0, top + 4
        parts = []
        for name, words in shown:
            swatch = _rectangle(Rectangle(x, y, 16, 14), "card", 3)
            parts.append(
                f'<g class="{name}">{swatch}<path class="band" d="M{x:.0f} {y:.0f}h5v14h-5z"/></g>'
                + _text(x + 22, y + 11, words, "legend-text")
            )
            x += 22 + width(words, SECOND) + 16
        wide = x
        x = 24.0
        y += 24
        marks = [(kind, words) for kind, words in _LINES.items() if kind in drawn]
        if any(route.back for route in self.plan.routes):
            marks.append(("back", "leads back"))
        for kind, words in marks:
            ends: tuple[Point, ...] = ((x + 34, y + 7), (x, y + 7))
            marker = f'<path class="line" d="{path(ends)}" marker-start="url(#{self.prefix}arrow-{kind})"/>'
            if kind == "back":
                marker = f'<path class="line" d="M{x + 17:.0f} {y:.0f}v16"/>'
                marker += f'<path class="up" d="{_chevron(x + 17, y + 4)}"/>'
            parts.append(f'<g class="mark {kind}">{marker}</g>' + _text(x + 42, y + 11, words, "legend-text"))
            x += 42 + width(words, SECOND) + 16
        return f'<g class="legend">{"".join(parts)}</g>', max(wide, x) + 8, 24.0 * 2 + 12


_KINDS = {
    "voice": "speaks to the customer, or asks",
    "lambda": "calls a function",
    "transfer": "hands over",
    "end": "ends",
    "other": "decides or sets",
}
_LINES = {"success": "success", "condition": "condition is met", "error": "error"}


def summed(label: str, room: float) -> str:
    """Return a label of several parts in so much room: the first ones, and how many more there are."""
    if width(label, LABEL) <= room:
        return label
    parts = label.split(", ")
    for kept in range(len(parts) - 1, 0, -1):
        told = f"{', '.join(parts[:kept])} +{len(parts) - kept}"
        if width(told, LABEL) <= room:
            return told
    rest = f" +{len(parts) - 1}" if len(parts) > 1 else ""
    return shortened(parts[0], LABEL, max(room - width(rest, LABEL), 8)) + rest


def path(points: Sequence[Point]) -> str:
    """Return the points as the data of a path with round corners."""
    x, y = points[0]
    out = f"M{x:.0f} {y:.0f}"
    for i in range(1, len(points) - 1):
        (ax, ay), (bx, by), (cx, cy) = points[i - 1 : i + 2]
        before, after = hypot(bx - ax, by - ay), hypot(cx - bx, cy - by)
        radius = min(_CORNER, before / 2, after / 2)
        px, py = bx - (bx - ax) / before * radius, by - (by - ay) / before * radius
        qx, qy = bx + (cx - bx) / after * radius, by + (cy - by) / after * radius
        out += f"L{px:.1f} {py:.1f}Q{bx:.1f} {by:.1f} {qx:.1f} {qy:.1f}"
    x, y = points[-1]
    return f"{out}L{x:.0f} {y:.0f}"


def xml(text: str) -> str:
    """Return the text for XML, which has no control characters and no surrogates."""
    return escape("".join(c if c.isprintable() else " " for c in text))


def _rows(said: Said, card: float, *, reached: bool) -> Iterator[_Row]:
    """Yield the lines of text in a card. reached: whether anything leads to the block."""
    room = card - _LEFT - _RIGHT
    for i, text in enumerate(wrapped(said.headline, HEADLINE, room, 2, bold=True)):
        yield _Row(text, "headline", HEADLINE, 16 if i else 21)
    second = [said.second]
    if width(said.second, SECOND) > room and said.type != said.headline:
        second = [said.type, said.name]
    for i, text in enumerate(text for text in second if text):
        yield _Row(shortened(text, SECOND, room), "second", SECOND, 14 if i else 16)
    for detail in said.details[:_DETAILS]:
        yield _Row(shortened(detail, DETAIL, room), "detail", DETAIL, 15)
    if not reached:
        yield _Row("nothing leads here", "second warns", SECOND, 15)


def _upward(points: Sequence[Point]) -> str:
    """Return a mark on the longest upright part of a line that leads back."""
    ((x, y), (_, end)) = max(
        ((a, b) for a, b in pairwise(points) if a[0] == b[0]), key=lambda pair: abs(pair[0][1] - pair[1][1])
    )
    return f'<path class="up" d="{_chevron(x, (y + end) / 2)}"/>'


def _chevron(x: float, y: float) -> str:
    return f"M{x - 4:.1f} {y + 6:.1f}L{x:.1f} {y:.1f}L{x + 4:.1f} {y + 6:.1f}"


def _rectangle(at: Rectangle, name: str, radius: float) -> str:
    return (
        f'<rect class="{name}" x="{at.x:.1f}" y="{at.y:.1f}" width="{at.width:.1f}" height="{at.height:.1f}"'
        f' rx="{radius:g}"/>'
    )


def _text(x: float, y: float, text: str, name: str, *, middle: bool = False) -> str:
    anchor = ' text-anchor="middle"' if middle else ""
    return f'<text class="{name}" x="{x:.1f}" y="{y:.1f}"{anchor}>{xml(text)}</text>'


def _count(number: int, one: str, ending: str = "s") -> str:
    return f"{number} {one}{'' if number == 1 else ending}"
