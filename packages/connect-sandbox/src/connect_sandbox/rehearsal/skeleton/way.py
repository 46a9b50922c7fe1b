"""One way to a branch: plays, sees where the contact left the way, and changes the fact that decided there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from connect_sandbox.rehearsal.errors import BoundExceededError, CannotPlayError
from connect_sandbox.rehearsal.skeleton.demands import Demand
from connect_sandbox.rehearsal.skeleton.facts import Facts
from connect_sandbox.rehearsal.skeleton.forcing import ROUNDS, Forcing, Ways, hanging_up
from connect_sandbox.rehearsal.skeleton.mending import Mending
from connect_sandbox.rehearsal.skeleton.routes import END, Goal, Routes
from connect_sandbox.rehearsal.skeleton.trace import Step, Trace
from connect_sandbox.rehearsal.skeleton.uses import writes_of
from connect_sandbox.rehearsal.skeleton.words import called

Goals = tuple[Goal, ...]
_REPLAYS = 150
_HANG_UPS = 6
_SLACK = 3
"""How much longer the way may be on which a contact goes by itself."""


@dataclass
class Way:
    """Leads a contact over goals, the last of which is the end.

    `strict`: on the shortest way; else where it goes by itself, as long as that leads there, too. Afterwards `reason`
    says why it did not get there, and `detours` what may help: other goals.
    """

    mending: Mending
    routes: Routes
    forcing: Forcing
    goals: Goals
    strict: bool
    reason: str = ""
    detours: list[Goals] = field(default_factory=list)
    _blocked: set[tuple[int, str]] = field(default_factory=set)
    _failures: Counter[tuple[str, str, str]] = field(default_factory=Counter)

    def lead(self, facts: Facts, work: int) -> Trace | None:
        """Return a trace that meets the goals and ends; None if there is none, or after that much work."""
        trace = self.mending.play(facts)
        for _ in range(_REPLAYS):
            if self.mending.player.work > work:
                return None
            better = self._better(trace)
            if better is None or better is trace:
                return better
            trace = better
        return None

    def _better(self, trace: Trace) -> Trace | None:
        """Return the trace itself if it meets the goals and ends, another that gets further, None if none does."""
        never = self._never()
        if any((goal.block, goal.branch) in never for goal in self.goals):
            return None
        met, seen = 0, set[str]()
        for at, step in enumerate(trace.steps):
            if step.flow != trace.flow:
                continue
            block = step.block.identifier
            while met < len(self.goals) and self.goals[met].branch is None and self.goals[met].block == block:
                met += 1
            goal = replace(self.goals[met] if met < len(self.goals) else END, cannot=never)
            if goal.block is None and not self.strict and trace.ending is not None:
                return trace
            taken = self.routes.label(block, step.branch)
            if not self._goes_by_itself(step, taken, goal, seen):
                turned = self._turned(trace, at, taken, goal, self.goals[met:])
                if turned is not trace:
                    return turned
            seen.add(block)
            met += taken is not None and goal.is_met(block, taken)
        if met >= len(self.goals) - 1:
            return self._ended(trace, END)
        return self._ended(trace, self.goals[met])

    def _turned(self, trace: Trace, at: int, taken: str | None, goal: Goal, goals: Goals) -> Trace | None:
        """Return the trace itself if the step takes the right branch, else one in which it does; None if none does."""
        block = trace.steps[at].block.identifier
        for _, name in self.routes.options(block, goal):
            if name == taken:
                return trace
            if (at, name) not in self._blocked and (block, name) not in self._never():
                forced = self._forced(trace, at, name, goals)
                if forced is not None:
                    return forced
        return self._ended(trace, goal)

    def _goes_by_itself(self, step: Step, taken: str | None, goal: Goal, seen: set[str]) -> bool:
        """Return whether the contact takes a branch that leads to the goal, without going round."""
        block = step.block.identifier
        if self.strict or block in seen or goal.block == block:
            return False
        options = self.routes.options(block, goal)
        return any(name == taken and cost <= options[0][0] + _SLACK for cost, name in options)

    def _forced(self, trace: Trace, at: int, name: str, goals: Goals) -> Trace | None:
        """Return a trace that has the same steps before and takes the branch at this one."""
        step = trace.steps[at]
        ways = self.forcing.ways(trace, at, name)
        before = _own(trace, trace.steps[:at])
        for facts in ways.facts:
            new = self.mending.play(facts)
            steps = [s for s in new.steps if s.flow == new.flow]
            if _own(new, steps[: len(before)]) != before or len(steps) <= len(before):
                continue
            there = steps[len(before)]
            if there.block is step.block and self.routes.label(step.block.identifier, there.branch) == name:
                return new
        reason = ways.fixed or "what decides it has decided something before"
        self._blocked.add((at, name))
        self._failures[(step.block.identifier, name, reason)] += 1
        self.reason = f"{called(self.routes.flow, step.block.identifier)}: {name}: {reason}"
        self.detours += self._detours(step.block.identifier, name, ways, goals)
        return None

    def _never(self) -> frozenset[tuple[str, str]]:
        """Return the branches that could not be forced twice, for the same reason: going round does not help."""
        return frozenset(
            (block, name)
            for (block, name, reason), times in self._failures.items()
            if times > 1 and reason != ROUNDS
        )

    def _detours(self, block: str, name: str, ways: Ways, goals: Goals) -> Iterator[Goals]:
        """Yield ways over a block that sets the attribute so that the branch can be taken."""
        if ways.written is None:
            return
        content = self.mending.player.flow.content
        demand = Demand.of(content.by_identifier[block].transitions.conditions, name)
        setters = [
            (setter.identifier, text)
            for setter in content.blocks
            for root, attribute, text in writes_of(setter)
            if (root, attribute) == ways.written
        ]
        wanted = Goal(block, name)
        rest = goals[1:] if goals and goals[0] == wanted else goals
        for setter, text in setters:
            if text.startswith("$.") or demand.accepts(text):
                others = frozenset(other for other, _ in setters if other not in (setter, block))
                yield (Goal(setter, "next"), replace(wanted, avoid=others), *rest)
        if ways.written[0] == "Attributes":
            yield (replace(wanted, avoid=frozenset(setter for setter, _ in setters)), *rest)

    def _ended(self, trace: Trace, goal: Goal) -> Trace | None:
        """Return the trace if it has met the goals and ended, or one whose caller hangs up on what never ends."""
        if goal.block is None and trace.ending is not None:
            return trace
        if goal.block is None and isinstance(trace.stop, BoundExceededError):
            wanted = {(goal.block, goal.branch) for goal in self.goals if goal.branch is not None}
            for number, facts in enumerate(hanging_up(trace)):
                if number >= _HANG_UPS:
                    break
                new = self.mending.play(facts)
                if new.ending is not None and wanted <= self.routes.covered(new):
                    return new
        if not self.reason:
            stop = trace.stop
            why = f"{stop.block}: {stop.reason}" if isinstance(stop, CannotPlayError) else str(stop)
            self.reason = "no other branch leads there" if stop is None else why
        return None


def _own(trace: Trace, steps: Sequence[Step]) -> list[tuple[str, str | None]]:
    """Return the branches that the steps take in the flow itself, not in what it calls."""
    return [(s.block.identifier, s.branch) for s in steps if s.flow == trace.flow]
