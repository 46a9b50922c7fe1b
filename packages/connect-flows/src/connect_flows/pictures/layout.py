"""Where blocks and lines of a picture go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from connect_flows.model import Flow
from connect_flows.pictures.branches import Line

WIDTH, HEIGHT = 210, 62
COLUMN, ROW = 2.35, 1.35  # picture units for one unit of the layout
SPACING = 100
MARGIN = 40
BULGE = 46  # how far a line that leads back swings out at the side


class DiagramError(RuntimeError):
    """The diagram cannot be drawn here; the message says what to install."""


Point = tuple[float, float]


def layout(
    flow: Flow, all_lines: Sequence[Line]
) -> tuple[dict[str, Point], dict[tuple[str, str], list[Point]]]:
    """Return the middle of each block, and for lines over several layers the points between."""
    order = [block.identifier for block in flow.blocks]
    number = {name: i for i, name in enumerate(order)}
    # The library only takes acyclic graphs: edges that close a cycle are laid out in reverse.
    backward = _closing(flow, all_lines)
    forward = {
        (line.target, line.source) if (line.source, line.target) in backward else (line.source, line.target)
        for line in all_lines
        if line.source != line.target
    }
    edges = sorted({(number[a], number[b]) for a, b in forward})
    places: dict[int, Point] = {}
    successors: dict[int, list[int]] = {}
    left = 0.0
    for positions, breadth, _, drawn in _layers(edges):
        top = max(y for _, (_, y) in positions)
        for node, (x, y) in positions:
            places[node] = ((left + x) * COLUMN + WIDTH / 2 + MARGIN, (top - y) * ROW + HEIGHT / 2 + MARGIN)
        for source, target in drawn or ():
            successors.setdefault(source, []).append(target)
        left += breadth + SPACING
    for node in range(len(order)):
        if node not in places:  # a block without branches to others
            places[node] = (left * COLUMN + WIDTH / 2 + MARGIN, HEIGHT / 2 + MARGIN)
            left += SPACING
    routes = {}
    for a, b in edges:
        between = _between(a, b, successors, len(order))
        points = [places[node] for node in between]
        routes[order[a], order[b]] = points
        routes[order[b], order[a]] = points[::-1]
    return {name: places[i] for i, name in enumerate(order)}, routes


def _layers(edges: list[tuple[int, int]]) -> Any:  # noqa: ANN401 - the library's own nested tuples
    if not edges:
        return []
    try:
        from fast_sugiyama import from_edges  # noqa: PLC0415 - only SVG needs the extra
    except ImportError as problem:
        raise DiagramError("SVG needs a layout library: pip install 'connect-flows[svg]'") from problem
    return from_edges(edges, dummy_vertices=True, vertex_spacing=SPACING)


def _between(source: int, target: int, successors: Mapping[int, list[int]], blocks: int) -> list[int]:
    """Return the bend points (nodes that are not blocks) between source and target."""
    for first in successors.get(source, []):
        path, node = [], first
        while node >= blocks:
            path.append(node)
            node = successors[node][0]
        if node == target:
            return path
    return []


def _closing(flow: Flow, all_lines: Sequence[Line]) -> set[tuple[str, str]]:
    """Return the edges that lead back to a block on the path from the start."""
    following: dict[str, list[str]] = {block.identifier: [] for block in flow.blocks}
    for line in all_lines:
        following[line.source].append(line.target)
    state: dict[str, int] = {}  # 1 in progress, 2 done
    found = set()
    for root in [flow.start, *following]:
        if root in state or root not in following:
            continue
        work = [(root, iter(following[root]))]
        state[root] = 1
        while work:
            name, rest = work[-1]
            target = next(rest, None)
            if target is None:
                state[name] = 2
                work.pop()
            elif target not in state:
                state[target] = 1
                work.append((target, iter(following[target])))
            elif state[target] == 1:
                found.add((name, target))
    return found
