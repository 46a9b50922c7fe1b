"""The fewest scenarios that take every branch: one search for each branch, then a greedy choice."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Any

from connect_sandbox.rehearsal.coverage import Branch
from connect_sandbox.rehearsal.skeleton.facts import SILENT, Facts
from connect_sandbox.rehearsal.skeleton.search import Search
from connect_sandbox.rehearsal.skeleton.trace import Step, Trace

Key = tuple[str, str]
_TOGETHER = 8
"""Errors that one scenario may bring about beside its own: a name has to tell them."""


@dataclass(frozen=True)
class Found:
    """The traces that cover, the plainest first, and the branches that none takes, each with the reason."""

    traces: tuple[Trace, ...]
    missing: tuple[tuple[Branch, str], ...]


def covering(search: Search, facts: Facts) -> Found:
    """Return traces that take every branch for which the search finds facts."""
    kept: list[tuple[int, Trace]] = []
    covered: set[Key] = set()
    reasons: dict[Key, str] = {}

    def keep(trace: Trace, goal: int) -> None:
        kept.append((goal, trace))
        covered.update(search.routes.covered(trace))

    plain, _ = search.plain(facts)
    if plain is not None:
        keep(plain, -1)
    branches = search.routes.branches
    numbered = list(enumerate(branches))
    errors = [(i, b) for i, b in numbered if _is_error(b)]
    # What lies deep first: its scenarios take much of what lies before it.
    for goal, branch in [*reversed([(i, b) for i, b in numbered if not _is_error(b)]), *errors]:
        key = (branch.block, branch.name)
        if key in covered:
            continue
        if search.is_over:
            reasons[key] = "not looked for: the flow is too large for the search's limit"
            continue
        trace, reasons[key] = search.reaching(facts, branch)
        if trace is not None:
            keep(_with_other_errors(search, trace, covered, key) if _is_error(branch) else trace, goal)
    missing = [(b, reasons.get((b.block, b.name), "")) for b in branches if (b.block, b.name) not in covered]
    missing += [(b, "no branch leads to the block") for b in search.routes.unreachable]
    chosen = _fewest(search, [trace for _, trace in kept])
    order = sorted(chosen, key=lambda i: (kept[i][0] >= 0, _is_technical(kept[i][1]), kept[i][0]))
    return Found(tuple(_entering(search, kept[i][1]) for i in order), tuple(missing))


def _entering(search: Search, trace: Trace) -> Trace:
    """Let the caller enter digits where they are kept, if the contact goes the same way then as in silence.

    At every question, as somebody who enters the same twice, else where it changes nothing.
    """
    asking = [at for at, step in enumerate(trace.steps) if _is_unanswered(trace, step)]
    every = trace
    for at in asking:
        every = replace(every, facts=_entered(search, every, at))
    for facts in (every.facts, *(_entered(search, trace, at) for at in asking)):
        merged = facts if facts is every.facts else replace(trace.facts, moves=_both(trace.facts, facts))
        new = search.mending.play(merged)
        if new.ending is not None and _way_of(new) == _way_of(trace):
            trace = new
            if facts is every.facts:
                break
    return trace


def _entered(search: Search, trace: Trace, at: int) -> Facts:
    return next(iter(search.forcing.ways(trace, at, "next").facts), trace.facts)


def _both(first: Facts, second: Facts) -> tuple[Any, ...]:
    """Return the moves of both; where the first is silent, those of the second."""
    pairs = zip_longest(first.moves, second.moves, fillvalue=SILENT)
    return tuple(two if one == SILENT else one for one, two in pairs)


def _is_unanswered(trace: Trace, step: Step) -> bool:
    if step.block.type != "GetParticipantInput" or step.block.parameters.get("StoreInput") != "True":
        return False
    moves = trace.facts.moves
    return bool(step.asked) and (step.asked[0] >= len(moves) or moves[step.asked[0]] == SILENT)


def _way_of(trace: Trace) -> list[tuple[str, str | None]]:
    return [(step.block.identifier, step.branch) for step in trace.steps]


def _with_other_errors(search: Search, trace: Trace, covered: set[Key], own: Key) -> Trace:
    """Let other blocks on the same way fail, too, as long as the contact still goes that way."""
    wanted = {(b.block, b.name) for b in search.routes.branches if _is_error(b)} - covered
    keep = frozenset({own} | (search.routes.covered(trace) & wanted))
    tried = set(keep)
    at = added = 0
    while at < len(trace.steps) and added < _TOGETHER and not search.is_over:
        step = trace.steps[at]
        at += 1
        if step.flow != trace.flow:
            continue
        for key in sorted(k for k in wanted - tried if k[0] == step.block.identifier):
            tried.add(key)
            new = search.also(trace, at - 1, key[1], keep)
            if new is not None:
                trace, keep, added = new, frozenset(keep | {key}), added + 1
                break
    return trace


def _fewest(search: Search, traces: list[Trace]) -> list[int]:
    """Choose greedily; the first, plainest trace always stays."""
    takes = [search.routes.covered(trace) for trace in traces]
    chosen: list[int] = [0] if traces else []
    covered = set(takes[0]) if traces else set()
    while True:
        best = max(range(len(traces)), key=lambda i: (len(takes[i] - covered), -i), default=0)
        if not traces or not takes[best] - covered:
            break
        chosen.append(best)
        covered |= takes[best]
    for index in sorted(chosen[1:], reverse=True):
        others = set().union(*(takes[i] for i in chosen if i != index))
        if takes[index] <= others:
            chosen.remove(index)
    return chosen


def _is_technical(trace: Trace) -> bool:
    """Return whether something fails in it that has nothing to do with callers."""
    told = (trace.facts.at("blocks") or {}).values()
    functions = (trace.facts.at("lambdas") or {}).values()
    return any("fails" in outcome for outcome in told) or any(
        "answers" not in behaviour for behaviours in functions for behaviour in behaviours
    )


def _is_error(branch: Branch) -> bool:
    return " " not in branch.name and branch.name not in ("next", "leaves", "reached", "NoMatchingCondition")
