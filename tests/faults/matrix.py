"""Runs the plays: once without a fault, to see what is called, and then once for each call and each fault."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from tests.faults.plays import Cell, Play, State, World
from tests.faults.process import Ended, run
from tests.faults.proxy import FAULTS, ONCE, Call, Fault, Proxy

SECRETS = ("nobody-may-log", "+1206555")
"""What no log line may hold: the plays' tokens end so, and callers' numbers begin so."""

_AT_ONCE = 32
"""Runs at a time: what they mostly do is wait."""


@dataclass(frozen=True)
class Result:
    """A cell of the matrix: the branch that it ended in, or what is wrong with it."""

    play: str
    fault: Fault
    branch: str
    seconds: float
    problem: str = ""


@dataclass
class Matrix:
    """All results of a play. `calls`: what it calls when nothing fails, in order."""

    play: Play
    calls: list[Call]
    results: list[Result] = field(default_factory=list)

    @property
    def problems(self) -> list[str]:
        """What is wrong, by cell."""
        return [f"{one.play}: {one.fault}: {one.problem}" for one in self.results if one.problem]


@dataclass(frozen=True)
class _Run:
    world: World
    event: Mapping[str, Any]
    ended: Ended
    before: State
    after: State
    calls: list[Call]


def play_all(plays: tuple[Play, ...], moto_url: str) -> list[Matrix]:
    """Return the matrix of each play, all cells of all plays side by side."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        whole = list(pool.map(lambda play: _run(play, moto_url), plays))
        jobs = [
            (play, pool.submit(_cell, play, moto_url, clean, fault), fault)
            for play, clean in zip(plays, whole, strict=True)
            for fault in faults(clean.calls)
        ]
        matrices = {play.name: Matrix(play, clean.calls) for play, clean in zip(plays, whole, strict=True)}
        for play, clean in zip(plays, whole, strict=True):
            branch, problem = _judged(play, clean, clean)
            if problem or branch != play.branches[0].name:
                raise AssertionError(f"{play.name}, without a fault: {branch} {problem} {clean.ended}")
        for play, job, fault in jobs:
            done, branch, problem = job.result()
            matrices[play.name].results.append(Result(play.name, fault, branch, done.ended.seconds, problem))
    return list(matrices.values())


def faults(calls: list[Call]) -> Iterator[Fault]:
    """Return every fault of every call; two in a row of the same name are one call and its repetition no more."""
    for call in dict.fromkeys(calls):
        yield from (Fault(call, kind) for kind in FAULTS)
        yield from (Fault(call, kind, once=True) for kind in ONCE)


def _cell(play: Play, moto_url: str, clean: _Run, fault: Fault) -> tuple[_Run, str, str]:
    """Return a run with its branch, and what is wrong with it or with what follows upon it."""
    done = _run(play, moto_url, fault)
    branch, problem = _judged(play, done, clean)
    event = play.then(done.event, Cell(done.ended, done.before, done.after, clean.after))
    if problem or event is None:
        return done, branch, problem
    ended, _ = _invoke(play, done.world, event, ())
    cell = Cell(ended, done.before, done.world.state(), clean.after)
    if play.settled(event, cell):
        return done, branch, ""
    return (
        done,
        branch,
        f"{branch}; what follows ends with {ended.answer or ended.error}, and leaves {cell.after}",
    )


def _run(play: Play, moto_url: str, *failing: Fault) -> _Run:
    world = World(moto_url)
    event = play.prepare(world)
    before = world.state()
    ended, calls = _invoke(play, world, event, failing)
    return _Run(world, event, ended, before, world.state(), calls)


def _invoke(
    play: Play, world: World, event: Mapping[str, Any], failing: tuple[Fault, ...]
) -> tuple[Ended, list[Call]]:
    with Proxy(world.backends, failing) as proxy:

        def started(pid: int) -> None:
            proxy.pid = pid

        environment = {"AWS_ENDPOINT_URL": proxy.url} | world.environment
        ended = run(
            play.module,
            json.loads(json.dumps(event).replace("PROXY", proxy.url)),
            environment={name: value.replace("PROXY", proxy.url) for name, value in environment.items()},
            seconds=play.seconds,
            started=started,
            settings=play.settings,
        )
        return ended, list(proxy.calls)


def _judged(play: Play, done: _Run, clean: _Run) -> tuple[str, str]:
    """Return the branch and what is wrong, if anything."""
    ended = done.ended
    cell = Cell(ended, done.before, done.after, clean.after)
    branch = next((one for one in play.branches if one.ends(cell)), None)
    if branch is None:
        if ended.timed_out:
            return "none", f"it has not ended within {play.seconds} s"
        return "none", f"no documented branch: {ended.answer or f'{ended.error}: {ended.message}'}"
    if not branch.leaves(cell):
        return branch.name, f"{branch.name} must not leave {cell.after}; before: {cell.before}"
    leaked = [one for one in SECRETS if one in ended.log or one in ended.message]
    if leaked:
        return branch.name, f"the log has {leaked}"
    return branch.name, ""


def table(matrices: list[Matrix]) -> str:
    """Return the matrix as a table in Markdown: by play and call, how often each branch is taken."""
    lines = ["| function | call | ends |", "| --- | --- | --- |"]
    for matrix in matrices:
        for call in dict.fromkeys(matrix.calls):
            ends = Counter(one.branch for one in matrix.results if one.fault.call == call)
            written = "; ".join(f"{name} ({n})" for name, n in ends.most_common())
            lines.append(f"| {matrix.play.function}: {matrix.play.name} | {call} | {written} |")
    return "\n".join(lines)
