"""Looks for facts under which a flow takes its branches.

The search counts blocks played, not seconds, and draws no lots: the same flow gives the same scenarios everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass

from connect_sandbox.rehearsal.coverage import REACHED, Branch
from connect_sandbox.rehearsal.skeleton.facts import Facts
from connect_sandbox.rehearsal.skeleton.forcing import Forcing
from connect_sandbox.rehearsal.skeleton.mending import Mending
from connect_sandbox.rehearsal.skeleton.routes import END, Goal, Routes
from connect_sandbox.rehearsal.skeleton.trace import Trace
from connect_sandbox.rehearsal.skeleton.way import Goals, Way

WORK = 60_000
"""Blocks that may be played for a flow, and 20 for each contact: a few seconds."""
WORK_FOR_ONE = 8_000
"""The same for one branch."""
_WAYS = 18
"""Ways that are tried to one branch."""
_DETOURS = 6
_GOALS = 5


@dataclass
class Search:
    """Searches in one flow."""

    mending: Mending
    routes: Routes
    forcing: Forcing

    @property
    def is_over(self) -> bool:
        """Return whether all the work that a flow may take has been done."""
        return self.mending.player.work > WORK

    def plain(self, facts: Facts) -> tuple[Trace | None, str]:
        """Return how the contact goes by the shortest way without errors, or None and the reason."""
        way = Way(self.mending, self.routes, self.forcing, (END,), strict=True)
        return way.lead(facts, WORK), way.reason

    def reaching(self, facts: Facts, branch: Branch) -> tuple[Trace | None, str]:
        """Return a trace that takes the branch and ends, or None and the reason.

        A contact of another channel comes first where the block works for that alone.
        """
        block = self.routes.flow.content.by_identifier[branch.block]
        channels = block.spec.channels if block.spec is not None else None
        if channels and (facts.at("channel") or "VOICE") not in channels:
            trace, _ = self._reaching(facts.having(min(channels), "channel"), branch)
            if trace is not None:
                return trace, ""
        return self._reaching(facts, branch)

    def _reaching(self, facts: Facts, branch: Branch) -> tuple[Trace | None, str]:
        until = min(self.mending.player.work + WORK_FOR_ONE, WORK)
        goal = Goal(branch.block) if branch.name == REACHED else Goal(branch.block, branch.name)
        waiting: list[Goals] = [(goal, END)]
        tried: list[Goals] = []
        reason = ""
        while waiting and len(tried) < _WAYS:
            goals = waiting.pop(0)
            if goals in tried:
                continue
            tried.append(goals)
            for strict in (False, True):
                way = Way(self.mending, self.routes, self.forcing, goals, strict=strict)
                trace = way.lead(facts, until)
                if trace is not None:
                    return trace, ""
                reason = reason or way.reason
                waiting += [detour for detour in way.detours if len(detour) <= _GOALS][:_DETOURS]
            if self.mending.player.work > until:
                return None, f"not found within the search's limit; {reason}".rstrip("; ")
        return None, reason

    def also(self, trace: Trace, at: int, branch: str, keep: frozenset[tuple[str, str]]) -> Trace | None:
        """Return how the contact goes if that step takes the branch, too.

        None if it does not end then, or does not take the branches to `keep`.
        """
        for facts in self.forcing.ways(trace, at, branch).facts:
            new = self.mending.play(facts)
            step = trace.steps[at].block.identifier
            if new.ending is not None and keep | {(step, branch)} <= self.routes.covered(new):
                return new
        return None
