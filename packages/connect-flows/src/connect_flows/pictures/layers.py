"""Which row a box of a layered picture stands in, and the order of each row, so that few lines cross.

The method of Sugiyama, Tagawa and Toda: lines that close a cycle are set aside, each box comes a row below all that
lead to it, lines over several rows get a place in each of them, and rows are sorted by the middle of their neighbours.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Mapping, Sequence

SWEEPS = 16

Edges = Sequence[tuple[int, int]]


def closing(count: int, edges: Edges) -> set[int]:
    """Return the indexes of the edges that lead back to a box on the path from the first one."""
    following: list[list[int]] = [[] for _ in range(count)]
    for index, (source, _) in enumerate(edges):
        following[source].append(index)
    state = [0] * count  # 1 in progress, 2 done
    found = set()
    for root in range(count):
        if state[root]:
            continue
        state[root] = 1
        work = [(root, iter(following[root]))]
        while work:
            box, rest = work[-1]
            edge = next(rest, None)
            if edge is None:
                state[box] = 2
                work.pop()
                continue
            target = edges[edge][1]
            if state[target] == 1:
                found.add(edge)
            elif state[target] == 0:
                state[target] = 1
                work.append((target, iter(following[target])))
    return found


def rows_of(widths: Sequence[float], edges: Edges, widest: float, gap: float) -> list[int]:
    """Return the row of each box; the edges have no cycle. A row wider than ``widest`` becomes several."""
    count = len(widths)
    above: list[list[int]] = [[] for _ in range(count)]
    below: list[list[int]] = [[] for _ in range(count)]
    for source, target in edges:
        below[source].append(target)
        above[target].append(source)
    order = _sorted(count, above, below)
    row = [0] * count
    for box in order:
        row[box] = max((row[a] + 1 for a in above[box]), default=0)
    for box in reversed(order):  # what nothing leads to stands right above what it leads to
        if not above[box] and below[box]:
            row[box] = max(0, min(row[b] for b in below[box]) - 1)
    return _narrow(row, widths, widest, gap)


def _sorted(count: int, above: Sequence[Sequence[int]], below: Sequence[Sequence[int]]) -> list[int]:
    waiting = [len(a) for a in above]
    order = [box for box in range(count) if not waiting[box]]
    for box in order:  # grows
        for target in below[box]:
            waiting[target] -= 1
            if not waiting[target]:
                order.append(target)
    return order


def _narrow(row: Sequence[int], widths: Sequence[float], widest: float, gap: float) -> list[int]:
    """Split rows that are too wide; neighbours go to different rows, so that lines to the lower ones pass between."""
    members: dict[int, list[int]] = {}
    for box, at in enumerate(row):
        members.setdefault(at, []).append(box)
    out = [0] * len(row)
    first = 0
    for at in sorted(members):
        total = sum(widths[box] + gap for box in members[at])
        parts = max(1, -int(-total // widest))
        for i, box in enumerate(members[at]):
            out[box] = first + i % parts
        first += min(parts, len(members[at]))
    return out


def arranged(
    rows: list[list[int]], links: Sequence[tuple[int, int, float, float]], extent: Sequence[float]
) -> None:
    """Sort each row in place for few crossings.

    links: upper item, lower item, and where on each (from its middle) the line begins and ends. extent: the items'
    widths.
    """
    up: dict[int, list[tuple[int, float]]] = {}
    down: dict[int, list[tuple[int, float]]] = {}
    for upper, lower, out, into in links:
        down.setdefault(upper, []).append((lower, into))
        up.setdefault(lower, []).append((upper, out))
    by_row = _by_row(rows, links)
    place = _places(rows, extent)
    best, fewest = [list(row) for row in rows], _crossings(rows, by_row, place)
    for sweep in range(SWEEPS):
        neighbours = up if sweep % 2 == 0 else down
        for row in rows[1:] if sweep % 2 == 0 else rows[-2::-1]:
            _sort(row, neighbours, place)
            _place(row, extent, place)
        crossings = _crossings(rows, by_row, place)
        if crossings < fewest:
            best, fewest = [list(row) for row in rows], crossings
        if not fewest:
            break
    for row, kept in zip(rows, best, strict=True):
        row[:] = kept


def _sort(
    row: list[int], neighbours: Mapping[int, list[tuple[int, float]]], place: Mapping[int, float]
) -> None:
    middle = {}
    for item in row:
        ends = [place[n] + offset for n, offset in neighbours.get(item, ())]
        middle[item] = sum(ends) / len(ends) if ends else place[item]
    row.sort(key=lambda item: middle[item])


def _places(rows: Sequence[Sequence[int]], extent: Sequence[float]) -> dict[int, float]:
    place: dict[int, float] = {}
    for row in rows:
        _place(row, extent, place)
    return place


def _place(row: Sequence[int], extent: Sequence[float], place: dict[int, float]) -> None:
    x = -sum(extent[item] for item in row) / 2
    for item in row:
        place[item] = x + extent[item] / 2
        x += extent[item]


def _by_row(
    rows: Sequence[Sequence[int]], links: Sequence[tuple[int, int, float, float]]
) -> list[list[tuple[int, int, float, float]]]:
    row_of = {item: i for i, row in enumerate(rows) for item in row}
    out: list[list[tuple[int, int, float, float]]] = [[] for _ in rows]
    for link in links:
        out[row_of[link[0]]].append(link)
    return out


def _crossings(
    rows: Sequence[Sequence[int]],
    by_row: Sequence[Sequence[tuple[int, int, float, float]]],
    place: Mapping[int, float],
) -> int:
    total = 0
    for i, _ in enumerate(rows):
        # Lines of one box leave it in the order of their targets, so they do not cross one another.
        ends = sorted((place[u], place[low] + into) for u, low, _, into in by_row[i])
        seen: list[float] = []
        for _, at in ends:
            total += len(seen) - bisect_right(seen, at)
            insort(seen, at)
    return total
