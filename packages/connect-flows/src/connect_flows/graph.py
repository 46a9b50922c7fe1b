"""The graph of blocks: reachability, cycles, data flow along the branches. Nothing here recurses."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from connect_flows.model import Block, Edge


@dataclass(frozen=True)
class Graph:
    """Blocks by identifier and where they lead; branches to blocks that do not exist are left out."""

    blocks: Mapping[str, Block]
    start: str

    @cached_property
    def edges(self) -> dict[str, tuple[Edge, ...]]:
        """The branches of each block."""
        return {
            name: tuple(edge for edge in block.edges() if edge.target in self.blocks)
            for name, block in self.blocks.items()
        }

    @cached_property
    def reachable(self) -> dict[str, None]:
        """The blocks that a contact can reach, ordered by distance from the start."""
        return self.reach([self.start], lambda _: True)

    def reach(self, starts: Iterable[str], follow: Callable[[Edge], bool]) -> dict[str, None]:
        """Return the starts and what they reach by branches that ``follow`` allows."""
        seen = dict.fromkeys(starts)
        queue = deque(seen)
        while queue:
            for edge in self.edges[queue.popleft()]:
                if edge.target not in seen and follow(edge):
                    seen[edge.target] = None
                    queue.append(edge.target)
        return seen

    @cached_property
    def components(self) -> list[tuple[str, ...]]:
        """The strongly connected components of the reachable part, successors before predecessors."""
        return strongly_connected({n: tuple(e.target for e in self.edges[n]) for n in self.reachable})

    def is_cycle(self, component: tuple[str, ...]) -> bool:
        """Return whether a contact can loop in the component."""
        return len(component) > 1 or any(
            edge.target == name for name in component for edge in self.edges[name]
        )

    def forward(self, produced: Mapping[str, int], replaced: Mapping[str, int]) -> dict[str, int]:
        """Return what may reach each reachable block, as bits.

        A block passes on what reaches it without its ``replaced`` bits, plus its ``produced`` bits.
        """
        order = [name for component in reversed(self.components) for name in component]
        place = {name: i for i, name in enumerate(order)}
        coming = dict.fromkeys(order, 0)
        waiting, again = deque(order), set(order)
        while waiting:
            name = waiting.popleft()
            again.discard(name)
            out = (coming[name] & ~replaced.get(name, 0)) | produced.get(name, 0)
            for edge in self.edges[name]:
                if coming[edge.target] | out != coming[edge.target]:
                    coming[edge.target] |= out
                    if edge.target not in again and place[edge.target] <= place[name]:
                        waiting.append(edge.target)
                        again.add(edge.target)
                    elif edge.target not in again:
                        waiting.appendleft(edge.target)
                        again.add(edge.target)
        return coming


def strongly_connected(successors: Mapping[str, tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Return the strongly connected components, successors first (Tarjan's algorithm without recursion)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    on_stack: set[str] = set()
    components: list[tuple[str, ...]] = []
    for root in successors:
        if root in index:
            continue
        work = [(root, iter(successors[root]))]
        index[root] = low[root] = len(index)
        stack.append(root)
        on_stack.add(root)
        while work:
            name, following = work[-1]
            for target in following:
                if target not in successors:
                    continue
                if target not in index:
                    index[target] = low[target] = len(index)
                    stack.append(target)
                    on_stack.add(target)
                    work.append((target, iter(successors[target])))
                    break
                if target in on_stack:
                    low[name] = min(low[name], index[target])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[name])
                if low[name] == index[name]:
                    components.append(_pop(stack, on_stack, name))
    return components


def _pop(stack: list[str], on_stack: set[str], root: str) -> tuple[str, ...]:
    component = []
    while True:
        name = stack.pop()
        on_stack.discard(name)
        component.append(name)
        if name == root:
            return tuple(reversed(component))
