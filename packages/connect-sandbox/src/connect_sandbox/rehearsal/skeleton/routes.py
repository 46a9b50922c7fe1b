"""Ways through a flow's graph: how far each branch is from a goal, errors being long ways round."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from connect_sandbox.rehearsal.coverage import REACHED, Branch, Coverage
from connect_sandbox.rehearsal.published import PublishedFlow
from connect_sandbox.rehearsal.skeleton.trace import Trace

_NEXT, _DEFAULT, _ERROR = 1, 2, 50
_ENTERS_FOR_GOOD = frozenset({"TransferToFlow"})


@dataclass(frozen=True)
class Goal:
    """Somewhere to get to: a block, a branch of it, or (block None) the end.

    Never through the blocks to `avoid`, nor by the branches that `cannot` be taken.
    """

    block: str | None = None
    branch: str | None = None
    avoid: frozenset[str] = frozenset()
    cannot: frozenset[tuple[str, str]] = frozenset()

    def is_met(self, block: str, branch: str | None) -> bool:
        """Return whether a step meets the goal."""
        return block == self.block and self.branch in (None, branch)


END = Goal()


@dataclass
class Routes:
    """The graph of a flow's branches."""

    flow: PublishedFlow
    _known: dict[Goal, Mapping[str, int]] = field(default_factory=dict)
    _options: dict[tuple[str, Goal], list[tuple[int, str]]] = field(default_factory=dict)

    @cached_property
    def branches(self) -> list[Branch]:
        """Every branch that coverage counts, in the order of the blocks' distance from the start."""
        order = self._order
        found = [b for b in Coverage(self.flow).branches() if b.block in order]
        return sorted(found, key=lambda b: order[b.block])

    @cached_property
    def unreachable(self) -> list[Branch]:
        """The branches of blocks to which none leads."""
        return [b for b in Coverage(self.flow).branches() if b.block not in self._order]

    @cached_property
    def ways_out(self) -> Mapping[str, tuple[Branch, ...]]:
        """The branches of each block; `target` is None where the contact leaves the flow."""
        found: defaultdict[str, list[Branch]] = defaultdict(list)
        blocks = self.flow.content.by_identifier
        for branch in Coverage(self.flow).branches():
            leaves = branch.name == "next" and blocks[branch.block].type in _ENTERS_FOR_GOOD
            found[branch.block].append(Branch(branch.block, branch.name, None) if leaves else branch)
        return {block: tuple(branches) for block, branches in found.items()}

    def label(self, block: str, taken: str | None) -> str | None:
        """Return a taken branch as coverage calls it."""
        if taken is None:
            return None
        names = [branch.name for branch in self.ways_out.get(block, ())]
        if taken in names:
            return taken
        return next(
            (name for name in ("leaves", REACHED) if name in names and taken in ("end", "next")), taken
        )

    def covered(self, trace: Trace) -> frozenset[tuple[str, str]]:
        """Return the branches that a contact took, as coverage calls them."""
        taken = {(block, self.label(block, branch) or "") for block, branch in trace.taken}
        return frozenset((b.block, b.name) for b in self.branches if (b.block, b.name) in taken)

    def options(self, block: str, goal: Goal) -> list[tuple[int, str]]:
        """Return the branches of the block that lead to the goal, the shortest way first."""
        if (block, goal) not in self._options:
            self._options[(block, goal)] = self._sorted(block, goal)
        return self._options[(block, goal)]

    def _sorted(self, block: str, goal: Goal) -> list[tuple[int, str]]:
        ways = self.ways_out.get(block, ())
        far = self.distances(goal)
        found = []
        for place, way in enumerate(ways):
            if (block, way.name) in goal.cannot:
                continue
            if goal.is_met(block, way.name) and goal.branch is not None:
                found.append((0, place, way.name))
            elif way.target is None:
                if goal.block is None:
                    found.append((_cost(way.name), place, way.name))
            elif way.target not in goal.avoid and way.target in far:
                found.append((_cost(way.name) + far[way.target], place, way.name))
        return [(cost, name) for cost, _, name in sorted(found)]

    def distances(self, goal: Goal) -> Mapping[str, int]:
        """Return how far each block is from the goal; blocks from which nothing leads there are left out."""
        if goal not in self._known:
            self._known[goal] = self._distances(goal)
        return self._known[goal]

    def _distances(self, goal: Goal) -> Mapping[str, int]:
        into: defaultdict[str, list[tuple[str, int]]] = defaultdict(list)
        leaving: list[tuple[int, str]] = []
        for way in (way for ways in self.ways_out.values() for way in ways):
            if (way.block, way.name) in goal.cannot:
                continue
            if way.target is None:
                leaving.append((_cost(way.name), way.block))
            else:
                into[way.target].append((way.block, _cost(way.name)))
        waiting = leaving if goal.block is None else [(0, goal.block)]
        heapq.heapify(waiting)
        found: dict[str, int] = {}
        while waiting:
            cost, block = heapq.heappop(waiting)
            if block in found or (block in goal.avoid and block != goal.block):
                continue
            found[block] = cost
            for source, step in into[block]:
                if source not in found:
                    heapq.heappush(waiting, (cost + step, source))
        return found

    @cached_property
    def _order(self) -> dict[str, int]:
        blocks = self.flow.content.by_identifier
        start = self.flow.content.start
        order = {start: 0} if start in blocks else {}
        waiting = list(order)
        for block in waiting:
            for way in self.ways_out.get(block, ()):
                if way.target is not None and way.target in blocks and way.target not in order:
                    order[way.target] = len(order)
                    waiting.append(way.target)
        return order


def _cost(name: str) -> int:
    if name == "NoMatchingCondition":
        return _DEFAULT
    conditional = " " in name or name in ("next", "leaves", REACHED)
    return _NEXT if conditional else _ERROR
