"""Where the boxes, lines and labels of a picture go: rows from top to bottom, lines at right angles between them.

A label stands on its line right below its box (for lines back: right beside it), and its room is part of the box's, so
that none can touch another box. Lines of a kind to the same target join; lines back leave and arrive at the right side.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, inf

from connect_flows.pictures.layers import arranged, closing, rows_of
from connect_flows.pictures.places import Link, placed
from connect_flows.pictures.routing import Net, tracks

ROW_WIDTH = 1600
"""The boxes of a row are no wider than this, unless one alone is."""
MARGIN = 24
LABEL_GAP = 8  # between a box and its label
_BETWEEN = 18  # half of what is between two boxes
_LANE = 7  # half of what is between two lines
_PITCH = 9  # between two tracks
_ABOVE, _BELOW = 14, 22  # from a row to the first track below it, from the last track to the next row
_SIDE_TOP, _SIDE_ROW = 16, 24  # of labels beside a box: the first one's middle, and from one to the next
_SLIDE = 60  # the end of a line is moved that far along a box's edge to make it straight
_NEAR = 40  # a line is moved that far for the same
_NEAR_BOX = 32  # a box is moved that far to stand right below another
_GIVE = 5  # lines may come so much nearer to one another if that makes them straight
_TOP = 13  # the lines that arrive on a box's top are that far from its middle

Point = tuple[float, float]


@dataclass(frozen=True)
class Rectangle:
    """A part of the picture; x and y are its upper left corner."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Wire:
    """A line to be drawn: from box to box (indexes), with a label of this width and height; weak ones give way."""

    source: int
    target: int
    label: tuple[float, float] | None
    weak: bool


@dataclass(frozen=True)
class Route:
    """How a line goes. points: from the target to the source. back: against the rows' direction."""

    points: tuple[Point, ...]
    label: Rectangle | None
    back: bool


@dataclass(frozen=True)
class Plan:
    """The picture: its boxes, its lines in the order of the wires, and its size."""

    boxes: tuple[Rectangle, ...]
    routes: tuple[Route, ...]
    width: float
    height: float


def lay_out(sizes: Sequence[tuple[float, float]], wires: Sequence[Wire]) -> Plan:
    """Return the places for boxes of these widths and heights; the first one is where the flow starts.

    Boxes grow where their labels need it.
    """
    return _Layout(sizes, wires).plan()


class _Layout:
    def __init__(self, sizes: Sequence[tuple[float, float]], wires: Sequence[Wire]) -> None:
        self.wires = wires
        self.count = len(sizes)
        self.back = closing(self.count, [(w.source, w.target) for w in wires])
        self.down: list[list[int]] = [[] for _ in sizes]  # wires that leave below
        self.aside: list[list[int]] = [[] for _ in sizes]  # wires that leave at the side; own loops last
        self.returned = [False] * self.count  # whether a wire comes back
        for i, wire in enumerate(wires):
            (self.aside if i in self.back else self.down)[wire.source].append(i)
            self.returned[wire.target] |= i in self.back
        for leaving in self.aside:
            leaving.sort(key=lambda i: wires[i].source == wires[i].target)
        self.width = [2.0 * ceil(max(w, self._below(b) + 16) / 2) for b, (w, _) in enumerate(sizes)]
        self.height = [max(h, self._side_height(b)) for b, (_, h) in enumerate(sizes)]
        forward = [
            (w.source, w.target) if i not in self.back else (w.target, w.source)
            for i, w in enumerate(wires)
            if w.source != w.target
        ]
        self.row = rows_of(
            [self._right(b) + self.width[b] / 2 for b in range(self.count)], forward, ROW_WIDTH, 36
        )
        self.top = {(w.target, self._kind(i)) for i, w in enumerate(wires) if i not in self.back}
        self._make_items()

    def _kind(self, wire: int) -> str:
        return "back" if wire in self.back else "weak" if self.wires[wire].weak else "strong"

    def _label(self, wire: int) -> float:
        label = self.wires[wire].label
        return label[0] if label else 0.0

    def _below(self, box: int) -> float:
        """Return how wide the labels below a box are together."""
        leaving = self.down[box]
        return sum(self._label(i) for i in leaving) + 6 * (len(leaving) - 1) if leaving else 0.0

    def _side_height(self, box: int) -> float:
        rows = len(self.aside[box])
        if self.returned[box]:
            return _SIDE_TOP + rows * _SIDE_ROW + 12
        return _SIDE_TOP + (rows - 1) * _SIDE_ROW + 14 if rows else 0.0

    def _lane(self, box: int, place: int) -> float:
        """Return how far from a box's middle its line at the side turns up (place: which of its lines)."""
        widest = max((self._label(i) for i in self.aside[box]), default=0.0)
        return self.width[box] / 2 + (LABEL_GAP + widest if widest else 0.0) + 12 + _PITCH * place

    def _arrival(self, box: int) -> float:
        """Return how far from a box's middle the lines that come back go up."""
        return self.width[box] / 2 + 16

    def _right(self, box: int) -> float:
        """Return how far a box reaches to the right of its middle, with the lines at its side."""
        reach = self.width[box] / 2
        if self.aside[box]:
            reach = self._lane(box, len(self.aside[box]) - 1)
        return max(reach, self._arrival(box)) if self.returned[box] else reach

    def _make_items(self) -> None:
        """Give each line a place in every row that it passes; lines of a kind to the same target share it."""
        self.rows: list[list[int]] = [[] for _ in range(max(self.row) + 1)]
        self.item_row = list(self.row)
        passing: dict[tuple[int, str, int], int] = {}
        self.chains: list[list[int]] = []
        for i, wire in enumerate(self.wires):
            kind = self._kind(i)
            upper, lower = (wire.target, wire.source) if kind == "back" else (wire.source, wire.target)
            chain = [upper]
            if upper != lower:
                for row in range(self.row[upper] + 1, self.row[lower]):
                    item = passing.setdefault((wire.target, kind, row), len(self.item_row))
                    if item == len(self.item_row):
                        self.item_row.append(row)
                    chain.append(item)
                chain.append(lower)
            self.chains.append(chain)
        for item in self._discovered():
            self.rows[self.item_row[item]].append(item)
        size = len(self.item_row)
        self.left = [self.width[b] / 2 + _BETWEEN for b in range(self.count)] + [_LANE] * (size - self.count)
        self.right = [self._right(b) + _BETWEEN for b in range(self.count)] + [_LANE] * (size - self.count)

    def _discovered(self) -> list[int]:
        """Return all items in the order in which a walk along the lines, depth first, comes by them."""
        leading: list[list[list[int]]] = [[] for _ in range(self.count)]
        for i, chain in enumerate(self.chains):
            if i not in self.back:
                leading[chain[0]].append(chain[1:])
        seen: dict[int, None] = {}
        for root in range(self.count):
            work = [root]
            while work:
                item = work.pop()
                if item in seen:
                    continue
                seen[item] = None
                for chain in reversed(leading[item] if item < self.count else []):
                    work += chain[::-1]
        return [*seen, *(item for item in range(len(self.item_row)) if item not in seen)]

    def _ends(self, wire: int, upper: int, lower: int) -> tuple[float, float]:
        """Return where on two items of neighbouring rows the wire leaves and arrives, from their middles."""
        of = self.wires[wire]
        if wire in self.back:
            out = self._arrival(upper) if upper == of.target else 0.0
            return out, self._lane(lower, self.aside[lower].index(wire)) if lower == of.source else 0.0
        out = self.port[wire] if upper == of.source else 0.0
        return out, self.arriving[of.target, self._kind(wire)] if lower == of.target else 0.0

    def _set_ports(self, place: Sequence[float]) -> None:
        """Sort the lines below each box, and those on its top, by where they go and come from."""
        self.port: dict[int, float] = {}
        for leaving in self.down:
            leaving.sort(key=lambda i: place[self.chains[i][1]])
            x = -(sum(self._label(i) for i in leaving) + 6 * (len(leaving) - 1)) / 2
            for i in leaving:
                self.port[i] = x + self._label(i) / 2
                x += self._label(i) + 6
        coming: dict[tuple[int, str], list[float]] = {}
        for i, wire in enumerate(self.wires):
            if i not in self.back:
                coming.setdefault((wire.target, self._kind(i)), []).append(place[self.chains[i][-2]])
        self.arriving = {}
        for target, kind in self.top:
            both = (target, "strong") in coming and (target, "weak") in coming
            if not both:
                self.arriving[target, kind] = 0.0
                continue
            middle = {k: sum(coming[target, k]) / len(coming[target, k]) for k in ("strong", "weak")}
            strong_first = middle["strong"] <= middle["weak"]
            self.arriving[target, kind] = -_TOP if (kind == "strong") == strong_first else _TOP

    def _links(self) -> list[Link]:
        """Return the lines between neighbouring rows, each once."""
        found: dict[tuple[int, int, float, float], Link] = {}
        for i, chain in enumerate(self.chains):
            kind = self._kind(i)
            for upper, lower in pairwise(chain):
                out, into = self._ends(i, upper, lower)
                passing = (upper >= self.count) + (lower >= self.count)
                weight = (1.0, 2.0, 6.0)[passing] * {"strong": 2.0, "weak": 0.4, "back": 0.3}[kind]
                found.setdefault((upper, lower, out, into), Link(upper, lower, out, into, weight))
        return list(found.values())

    def plan(self) -> Plan:
        extent = [a + b for a, b in zip(self.left, self.right, strict=True)]
        self._set_ports([0.0] * len(extent))
        arranged(self.rows, [(k.upper, k.lower, k.out, k.into) for k in self._links()], extent)
        x = [0.0] * len(extent)
        for row in self.rows:
            for number, item in enumerate(row):
                x[item] = float(number)
        self._set_ports(x)
        self._set_ports(placed(self.rows, self.left, self.right, self._links(), sweeps=12))
        x = placed(self.rows, self.left, self.right, self._links())
        self._align(x)
        shift = MARGIN - min(x[i] - self.left[i] + (_BETWEEN if i < self.count else 0) for i in range(len(x)))
        self.x = [round(value + shift) for value in x]
        self._straighten()
        tops, track_at, height = self._heights()
        boxes = tuple(
            Rectangle(self.x[b] - self.width[b] / 2, tops[self.row[b]], self.width[b], self.height[b])
            for b in range(self.count)
        )
        routes = tuple(self._route(i, boxes, track_at) for i in range(len(self.wires)))
        reach = max(
            self.x[i] + self.right[i] - (_BETWEEN if i < self.count else 0) for i in range(len(self.x))
        )
        return Plan(boxes, routes, reach + MARGIN, height)

    def _heights(self) -> tuple[list[float], dict[tuple[int, int, str], float], float]:
        """Return the top of each row, the y of each net's track, and how high the picture is."""
        nets = self._nets()
        tops: list[float] = []
        track_at = {}
        y = bottom = float(MARGIN)
        for number, items in enumerate(self.rows):
            tops.append(y)
            bottom = y + max(self._tall(item) for item in items if item < self.count)
            keys = [key for key in nets if key[0] == number]
            at, count = tracks([nets[key] for key in keys])
            for key, track in zip(keys, at, strict=True):
                track_at[key] = bottom + _ABOVE + _PITCH * track
            y = bottom + _ABOVE + _PITCH * max(0, count - 1) + _BELOW
        return tops, track_at, bottom + MARGIN

    def _room(self, x: Sequence[float], item: int, give: float = 0.0) -> tuple[float, float]:
        """Return how far to the left and right an item may move."""
        row = self.rows[self.item_row[item]]
        i = self.order[item]
        low, high = -inf, inf
        if i:
            low = x[row[i - 1]] + self.right[row[i - 1]] + self.left[item] - give
        if i + 1 < len(row):
            high = x[row[i + 1]] - self.left[row[i + 1]] - self.right[item] + give
        return low, high

    def _align(self, x: list[float]) -> None:
        """Put boxes right below one another, and make lines straight over the rows that they pass."""
        self.order = {item: i for row in self.rows for i, item in enumerate(row)}
        for upper in (item for row in self.rows for item in row if item < self.count):
            for lower in (self.chains[i][1] for i in self.down[upper] if self._kind(i) == "strong"):
                low, high = self._room(x, lower)
                near = lower < self.count and abs(x[lower] - x[upper]) < _NEAR_BOX
                if near and low <= x[upper] <= high:
                    x[lower] = x[upper]
        for i, chain in sorted(enumerate(self.chains), key=lambda each: -len(each[1])) * 2:
            run = chain[1:-1]
            if run:
                first, last = self._ends(i, *chain[:2])[0], self._ends(i, *chain[-2:])[1]
                self._align_run(x, run, (x[chain[0]] + first, x[chain[-1]] + last))

    def _align_run(self, x: list[float], run: Sequence[int], ends: Sequence[float]) -> None:
        """Put the places of one line below one another, as many at a time as their neighbours allow."""
        while run:
            low, high, length = -inf, inf, 0
            for item in run:
                least, most = self._room(x, item, _GIVE)
                if max(low, least) > min(high, most):
                    break
                low, high, length = max(low, least), min(high, most), length + 1
            straight, run = run[: max(length, 1)], run[max(length, 1) :]
            middle = sorted(x[item] for item in straight)[length // 2]
            aim = next((end for end in ends if low <= end <= high and abs(end - middle) < _NEAR), middle)
            for item in straight if length else ():
                x[item] = min(max(aim, low), high)

    def _tall(self, box: int) -> float:
        labelled = max((label[1] for i in self.down[box] if (label := self.wires[i].label)), default=0.0)
        return self.height[box] + (LABEL_GAP + labelled if labelled else 0.0)

    def _straighten(self) -> None:
        """Move the ends of lines that are nearly straight along the boxes' edges."""
        coming: dict[tuple[int, str], list[float]] = {}
        for i, chain in enumerate(self.chains):
            wire = self.wires[i]
            if i not in self.back:
                above = self.x[chain[-2]] + (self.port[i] if chain[-2] == wire.source else 0.0)
                coming.setdefault((wire.target, self._kind(i)), []).append(above - self.x[wire.target])
        for (target, kind), aims in coming.items():
            reach = min(_SLIDE, self.width[target] / 2 - 24)
            other = self.arriving.get((target, "weak" if kind == "strong" else "strong"))
            now = self.arriving[target, kind]
            for aim in sorted(aims, key=lambda aim: abs(aim - now)):
                apart = other is None or (abs(aim - other) >= 2 * _TOP and (aim < other) == (now < other))
                if abs(aim) <= reach and apart:
                    self.arriving[target, kind] = aim
                    break
        for i, chain in enumerate(self.chains):
            wire = self.wires[i]
            if i in self.back or wire.label or len(self.down[wire.source]) != 1:
                continue
            into = self.arriving[wire.target, self._kind(i)] if chain[1] == wire.target else 0.0
            aim = self.x[chain[1]] + into - self.x[wire.source]
            if abs(aim) <= min(_SLIDE, self.width[wire.source] / 2 - 24):
                self.port[i] = aim

    def _nets(self) -> dict[tuple[int, int, str], Net]:
        nets: dict[tuple[int, int, str], Net] = {}
        for i, chain in enumerate(self.chains):
            for upper, lower in pairwise(chain):
                out, into = self._ends(i, upper, lower)
                net = nets.setdefault((self.item_row[upper], self.wires[i].target, self._kind(i)), Net())
                net.above.add(self.x[upper] + out)
                net.below.add(self.x[lower] + into)
        return nets

    def _route(
        self, i: int, boxes: Sequence[Rectangle], track_at: dict[tuple[int, int, str], float]
    ) -> Route:
        wire, chain, kind = self.wires[i], self.chains[i], self._kind(i)
        source, target = boxes[wire.source], boxes[wire.target]
        down: list[Point] = []  # from the first item of the chain to the last
        for upper, lower in pairwise(chain):
            out, into = self._ends(i, upper, lower)
            y = track_at[self.item_row[upper], wire.target, kind]
            down += [(self.x[upper] + out, y), (self.x[lower] + into, y)]
        size = wire.label
        if kind != "back":
            begin = self.x[wire.source] + self.port[i]
            end = self.x[wire.target] + self.arriving[wire.target, kind]
            bottom = source.y + source.height
            label = Rectangle(begin - size[0] / 2, bottom + LABEL_GAP, *size) if size else None
            return Route(_tidy([(end, target.y), *down[::-1], (begin, bottom)]), label, back=False)
        place = self.aside[wire.source].index(i)
        leave = source.y + _SIDE_TOP + _SIDE_ROW * place
        arrive = target.y + _SIDE_TOP + _SIDE_ROW * len(self.aside[wire.target])
        side, into_side = source.x + source.width, target.x + target.width
        lane = self.x[wire.source] + self._lane(wire.source, place)
        label = Rectangle(side + LABEL_GAP, leave - size[1] / 2, *size) if size else None
        turn = lane if wire.source == wire.target else self.x[wire.target] + self._arrival(wire.target)
        points = [(into_side, arrive), (turn, arrive), *down, (lane, leave), (side, leave)]
        return Route(_tidy(points), label, back=True)


def _tidy(points: Sequence[Point]) -> tuple[Point, ...]:
    """Return the corners alone."""
    out: list[Point] = []
    for point in points:
        if out and abs(out[-1][0] - point[0]) < 1 and abs(out[-1][1] - point[1]) < 1:
            continue
        while len(out) > 1 and (
            (abs(out[-1][0] - point[0]) < 1 and abs(out[-2][0] - point[0]) < 1)
            or (abs(out[-1][1] - point[1]) < 1 and abs(out[-2][1] - point[1]) < 1)
        ):
            out.pop()
        out.append(point)
    return tuple(out)
