"""Looks for facts under which a flow takes its branches: plays, sees where the contact left the way, changes that.

The search counts blocks played, not seconds, and draws no lots: the same flow gives the same scenarios everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from connect_sandbox.rehearsal.coverage import REACHED, Branch
from connect_sandbox.rehearsal.errors import BoundExceededError, CannotPlayError, RehearsalError
from connect_sandbox.rehearsal.setup_reader import STAND_IN
from connect_sandbox.rehearsal.skeleton.demands import Demand, label_of
from connect_sandbox.rehearsal.skeleton.facts import Facts
from connect_sandbox.rehearsal.skeleton.forcing import Forcing, Ways, hanging_up
from connect_sandbox.rehearsal.skeleton.given import Given
from connect_sandbox.rehearsal.skeleton.origins import Origins
from connect_sandbox.rehearsal.skeleton.routes import END, Goal, Routes
from connect_sandbox.rehearsal.skeleton.trace import Player, Trace, function_key
from connect_sandbox.rehearsal.skeleton.uses import writes_of

WORK = 300_000
"""Blocks that may be played for a flow, and 20 for each contact: a few seconds."""
WORK_FOR_ONE = 30_000
"""The same for one branch."""
_MENDS = 60
_REPLAYS = 150
_DETOURS = 6
_DEEP = 3
_HANG_UPS = 6


@dataclass
class Attempt:
    """What came of a search for one branch: a trace that takes it and ends, or the reason why there is none."""

    trace: Trace | None = None
    reason: str = ""
    detours: list[tuple[Goal, ...]] = field(default_factory=list)


@dataclass
class Search:
    """Searches in one flow."""

    given: Given
    player: Player
    routes: Routes
    stops: dict[str, str] = field(default_factory=dict)
    """Blocks that the sandbox does not play, with the reason."""

    def __post_init__(self) -> None:
        self.forcing = Forcing(self.given, Origins(self.given))

    def settled(self, facts: Facts) -> Trace:
        """Play the facts, and add what the contact stopped for, until it stops for something that cannot be added."""
        trace = self.player.play(facts)
        for _ in range(_MENDS):
            mended = self._mended(trace)
            if mended is None:
                break
            trace = self.player.play(mended)
        return trace

    def plain(self, facts: Facts) -> Attempt:
        """Return how the contact goes by the shortest way without errors."""
        return self._way(facts, (END,), strict=True)

    def reaching(self, facts: Facts, branch: Branch) -> Attempt:
        """Look for facts under which the flow takes the branch and ends."""
        until = self.player.work + WORK_FOR_ONE
        goal = Goal(branch.block) if branch.name == REACHED else Goal(branch.block, branch.name)
        tried: set[tuple[Goal, ...]] = set()
        waiting: list[tuple[Goal, ...]] = [(goal, END)]
        reason = ""
        while waiting and len(tried) < _DETOURS * _DEEP:
            goals = waiting.pop(0)
            if goals in tried:
                continue
            tried.add(goals)
            for strict in (False, True):
                attempt = self._way(facts, goals, strict=strict)
                if attempt.trace is not None:
                    return attempt
                reason = reason or attempt.reason
                waiting += [way for way in attempt.detours if len(way) <= _DEEP + 2][:_DETOURS]
                if self.player.work > min(until, WORK):
                    return Attempt(reason=f"not found within the search's limit; {reason}".rstrip("; "))
        return Attempt(reason=reason)

    def also(self, trace: Trace, at: int, branch: str, keep: frozenset[tuple[str, str]]) -> Trace | None:
        """Return how the contact goes if that step takes the branch, too; None if then others are not taken or it does
        not end."""
        for facts in self.forcing.ways(trace, at, branch).facts:
            new = self.settled(facts)
            step = trace.steps[at].block.identifier
            if new.ending is not None and keep | {(step, branch)} <= self.covered(new):
                return new
        return None

    def covered(self, trace: Trace) -> frozenset[tuple[str, str]]:
        """Return the branches that the contact took, as coverage calls them."""
        taken = {(block, self.routes.label(block, branch) or "") for block, branch in trace.taken}
        return frozenset((b.block, b.name) for b in self.routes.branches if (b.block, b.name) in taken)

    def _way(self, facts: Facts, goals: tuple[Goal, ...], *, strict: bool) -> Attempt:
        blocked: dict[tuple[int, str], str] = {}
        attempt = Attempt()
        trace = self.settled(facts)
        for _ in range(_REPLAYS):
            if self.player.work > WORK:
                break
            found = self._follow(trace, goals, blocked, attempt, strict=strict)
            if found is None:
                return attempt
            if found is trace:
                return Attempt(found)
            trace = found
        return attempt

    def _follow(
        self,
        trace: Trace,
        goals: tuple[Goal, ...],
        blocked: dict[tuple[int, str], str],
        attempt: Attempt,
        *,
        strict: bool,
    ) -> Trace | None:
        """Return the trace itself if it meets the goals and ends, another that gets further, None if none does."""
        met, seen = 0, set[str]()
        for at, step in enumerate(trace.steps):
            block = step.block.identifier
            if step.flow != trace.flow:
                continue
            taken = self.routes.label(block, step.branch)
            while met < len(goals) and goals[met].branch is None and goals[met].block == block:
                met += 1
            goal = goals[met] if met < len(goals) else END
            if goal is END and not strict and trace.ending is not None:
                return trace
            options = self.routes.options(block, goal)
            costs = {name: cost for cost, name in options}
            natural = (
                taken in costs and not strict and block not in seen and costs[taken] <= options[0][0] + 3
            )
            if natural and goal.block != block:
                met += goal.is_met(block, taken)
                seen.add(block)
                continue
            seen.add(block)
            for _, name in options:
                if name == taken:
                    break
                if (at, name) in blocked:
                    continue
                new = self._forced(trace, at, name, goals[met:], attempt, blocked)
                if new is not None:
                    return new
            else:
                return self._ended_otherwise(trace, goal, attempt)
            met += taken is not None and goal.is_met(block, taken)
        if trace.ending is not None and met >= len(goals) - 1 and goals[-1] is END:
            return trace
        if met >= len(goals) - 1:
            return self._ended_otherwise(trace, END, attempt)
        attempt.reason = attempt.reason or self._why(trace)
        return None

    def _forced(
        self,
        trace: Trace,
        at: int,
        name: str,
        goals: tuple[Goal, ...],
        attempt: Attempt,
        blocked: dict[tuple[int, str], str],
    ) -> Trace | None:
        step = trace.steps[at]
        ways = self.forcing.ways(trace, at, name)
        before = [(s.flow, s.block.identifier, s.branch) for s in trace.steps[:at]]
        reason = ways.fixed or "what decides it has decided something before"
        for facts in ways.facts:
            new = self.settled(facts)
            same = [(s.flow, s.block.identifier, s.branch) for s in new.steps[:at]] == before
            if same and len(new.steps) > at:
                there = new.steps[at]
                if (
                    there.block is step.block
                    and self.routes.label(step.block.identifier, there.branch) == name
                ):
                    return new
        blocked[(at, name)] = reason
        attempt.reason = f"{step.block.identifier}: {name}: {reason}"
        attempt.detours += self._detours(step.block.identifier, name, ways, goals)
        return None

    def _detours(
        self, block: str, name: str, ways: Ways, goals: tuple[Goal, ...]
    ) -> Iterator[tuple[Goal, ...]]:
        """Yield ways over a block that sets the attribute so that the branch can be taken."""
        if ways.written is None:
            return
        demand = Demand.of(self.player.flow.content.by_identifier[block].transitions.conditions, name)
        setters: list[tuple[str, str]] = [
            (setter.identifier, text)
            for setter in self.player.flow.content.blocks
            for root, attribute, text in writes_of(setter)
            if (root, attribute) == ways.written
        ]
        for setter, text in setters:
            if text.startswith("$.") or demand.accepts(text):
                others = frozenset(other for other, _ in setters if other != setter)
                rest = goals if goals and goals[0] == Goal(block, name) else (Goal(block, name), *goals)
                first = Goal(rest[0].block, rest[0].branch, others - {rest[0].block or ""})
                yield (Goal(setter, "next"), first, *rest[1:])
        if ways.written[0] == "Attributes":
            avoid = frozenset(setter for setter, _ in setters)
            rest = goals[1:] if goals and goals[0].block == block else goals
            yield (Goal(block, name, avoid), *rest)

    def _ended_otherwise(self, trace: Trace, goal: Goal, attempt: Attempt) -> Trace | None:
        """Return how the contact goes if the caller hangs up on what never ends."""
        if goal is END and trace.ending is not None:
            return trace
        if goal is END and isinstance(trace.stop, BoundExceededError):
            covered = self.covered(trace)
            for number, facts in enumerate(hanging_up(trace)):
                if number >= _HANG_UPS:
                    break
                new = self.settled(facts)
                if new.ending is not None and covered <= self.covered(new):
                    return new
        attempt.reason = attempt.reason or self._why(trace)
        return None

    def _why(self, trace: Trace) -> str:
        if isinstance(trace.stop, CannotPlayError):
            return f"{trace.stop.block}: {trace.stop.reason}"
        return str(trace.stop) if trace.stop is not None else "no other branch leads there"

    def _mended(self, trace: Trace) -> Facts | None:
        stop = trace.stop
        if stop is None or isinstance(stop, BoundExceededError):
            return None
        found = self._added(trace, stop)
        return found if found is not None and found.key != trace.facts.key else None

    def _added(self, trace: Trace, stop: RehearsalError) -> Facts | None:
        facts, missing = trace.facts, stop.missing
        match missing:
            case ("lambdas", name):
                return facts.having([{"answers": {}}], "lambdas", function_key(name))
            case ("flows" | "modules" as place, name):
                kind = "flow" if place == "flows" else "module"
                return facts.having(STAND_IN, place, self.given.key(kind, name))
            case ("lex", utterance):
                return facts.having(stop.example, "lex", utterance)
            case ("blocks", _) | ():
                return self._instead(facts, stop)
            case ("security_keys", *_):
                return self._instead(facts, stop)
            case ("vendor",):
                return facts.having([{"answers_after": 2}], "vendor")
            case _ if stop.example is not None:
                return facts.having(stop.example, *missing)
        return None

    def _instead(self, facts: Facts, stop: RehearsalError) -> Facts | None:
        """Say what a block does that the sandbox does not play."""
        if not isinstance(stop, CannotPlayError):
            return None
        block = self.player.flow.content.by_identifier.get(stop.block)
        if block is None or facts.at("blocks", stop.block) is not None:
            return None
        told: dict[str, Any] = {}
        if sets := self.given.told(block):
            told["sets"] = sets
        conditions = block.transitions.conditions
        if conditions:
            values = Demand.of(conditions, label_of(conditions[0])).values()
            told |= {"decides": values[0]} if values else {}
        self.stops.setdefault(stop.block, stop.reason)
        return facts.having(told, "blocks", stop.block)
