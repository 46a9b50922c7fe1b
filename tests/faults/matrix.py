"""Runs the plays: once without a fault, to see what is called, and then once for each call and each fault."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final
from zlib import crc32

from tests.faults.plays import Cell, Play, State, World
from tests.faults.process import Ended, Step, run
from tests.faults.proxy import FAULTS, ONCE, Call, Fault, Proxy

SECRETS: Final = ("nobody-may-log", "+1206555")
"""What no log line may hold: the plays' tokens end so, and callers' numbers begin so."""

_WAITING: Final = ("timeout", "slow drip")
_WAIT_AT_ONCE, _WORK_AT_ONCE = 48, 12
"""Runs at a time: of those that mostly wait, and of others."""
_READS: Final = re.compile(r" GET |dynamodb (GetItem|Scan)|GetSecretValue|ListAccessKeys")
_FEW: Final = 6
_KNOWN_KINDS: Final = 2
REPEATED: Final = ("5xx", "lost answer", "killed")
"""How the third and any later call of a name fails: done or not done, with the function alive or not. What the answer
looks like has been tried with the first two."""
PAIRED_KINDS: Final = (("lost answer", "5xx"), ("5xx", "killed"), ("killed", "lost answer"))
"""How the first and the second call of a pair fail: each kind comes first once, and second once."""


@dataclass(frozen=True)
class Result:
    """A cell of the matrix: the branch that it ended in, or what is wrong with it."""

    play: str
    faults: tuple[Fault, ...]
    branch: str
    seconds: float
    problem: str = ""

    @property
    def fault(self) -> Fault:
        """The only fault, or the first one."""
        return self.faults[0]


@dataclass
class Matrix:
    """All results of a play. `calls`: what it calls when nothing fails, in order."""

    play: Play
    calls: list[Call]
    results: list[Result] = field(default_factory=list)
    pairs: list[Result] = field(default_factory=list)
    again: Callable[[Call], None] = lambda _: None
    """Tries the faults of a call again, one after the other."""

    @property
    def problems(self) -> list[str]:
        """What is wrong, by cell."""
        return [
            f"{one.play}: {', then '.join(map(str, one.faults))}: {one.problem}"
            for one in (*self.results, *self.pairs)
            if one.problem
        ]

    @property
    def struck(self) -> list[Call]:
        """The calls that fail in this play, each once."""
        return [call for call in dict.fromkeys(self.calls) if not self.play.is_elsewhere(call.name)]


@dataclass(frozen=True)
class _Run:
    world: World
    event: Mapping[str, Any]
    ended: Ended
    before: State
    after: State
    calls: list[Call]

    def cell(self, clean: _Run) -> Cell:
        return Cell(self.ended, self.before, self.after, clean.after)


def play_all(plays: Sequence[Play], *, share: int = 1) -> list[Matrix]:
    """Return the matrix of each play, all cells of all plays side by side; one cell of `share`, the same ones always.

    A cell that is wrong is tried once more when nothing else runs: its time limits are real, and the machine may have
    been busy.
    """
    with ThreadPoolExecutor(_WORK_AT_ONCE) as working, ThreadPoolExecutor(_WAIT_AT_ONCE) as waiting:
        cleans = list(
            map(_run, plays)
        )  # one after the other, so that nothing is late, and called again for that
        matrices = [Matrix(play, clean.calls) for play, clean in zip(plays, cleans, strict=True)]
        for play, clean in zip(plays, cleans, strict=True):
            branch, problem = _judged(play, clean, clean)
            if problem or branch != play.branches[0].name:
                raise AssertionError(f"{play.name}, without a fault: {branch} {problem} {clean.ended}")
        jobs: list[tuple[list[Result], Callable[[], Result], Future[Result]]] = []
        longest_first = sorted(
            zip(matrices, cleans, strict=True), key=lambda one: one[0].play.seconds, reverse=True
        )
        for matrix, clean in longest_first:
            for fault in faults(matrix.struck):
                if not _has_its_share(matrix, share, fault):
                    continue
                cell = partial(_cell, matrix.play, clean, (fault,))
                pool = waiting if fault.kind in _WAITING else working
                jobs.append((matrix.results, cell, pool.submit(cell)))
            for pair in pairs(matrix.struck) if matrix.play.paired else ():
                if not _has_its_share(matrix, share, *pair):
                    continue
                cell = partial(_cell, matrix.play, clean, pair)
                jobs.append((matrix.pairs, cell, working.submit(cell)))
        done = [(results, cell, job.result()) for results, cell, job in jobs]
    for results, retry, result in done:
        results.append(retry() if result.problem else result)
    for matrix, clean in zip(matrices, cleans, strict=True):
        matrix.again = partial(_again, matrix, clean)
    return matrices


def _again(matrix: Matrix, clean: _Run, call: Call) -> None:
    matrix.results = [
        _cell(matrix.play, clean, one.faults) if one.fault.call == call else one for one in matrix.results
    ]


def _has_its_share(matrix: Matrix, share: int, *failing: Fault) -> bool:
    """Return whether a cell is played. Of each call some are: the kinds take turns from call to call."""
    number = crc32(f"{matrix.play.name} {' '.join(str(fault.call) for fault in failing)}".encode())
    return (number + sum((*FAULTS, *ONCE).index(one.kind) + one.once for one in failing)) % share == 0


def faults(calls: Sequence[Call]) -> Iterator[Fault]:
    """Return every fault of every call; from the third call of a name on, those that leave different states."""
    for call in calls:
        if call.nth >= _KNOWN_KINDS:
            yield from (Fault(call, kind) for kind in REPEATED)
            continue
        yield from (Fault(call, kind) for kind in FAULTS)
        yield from (Fault(call, kind, once=True) for kind in ONCE)


def pairs(calls: Sequence[Call]) -> Iterator[tuple[Fault, Fault]]:
    """Return the faults of every ordered pair of calls that write: of the first, and then of the second.

    Where there are many calls, each pair fails in one of the ways, and its neighbours in the others.
    """
    writing = list(dict.fromkeys(Call(call.name) for call in calls if not _READS.search(call.name)))
    for i, first in enumerate(writing):
        for j, second in enumerate(writing):
            one = (i + j) % len(PAIRED_KINDS)
            kinds = PAIRED_KINDS if len(writing) <= _FEW else PAIRED_KINDS[one : one + 1]
            for kind, other in kinds:
                yield Fault(first, kind), Fault(second, other)


def _cell(play: Play, clean: _Run, failing: tuple[Fault, ...]) -> Result:
    """Return how a run ended, and what is wrong with it or with what follows upon it.

    Of a pair, the first fault meets the run, and the second one both the run and what its caller does next; unless one
    of them kills the function, which happens to one of the two.
    """
    first, *second = failing
    meets = [fault for fault in second if "killed" not in (first.kind, fault.kind)]
    done = _run(play, first, *meets)
    branch, problem = _judged(play, done, clean)
    cell = done.cell(clean)
    seconds = done.ended.seconds
    for also in (second, []) if second else ([],):
        steps = play.follows(done.event, cell)
        if problem or not steps:
            break
        known = (play.name, repr(cell.after), repr(steps))
        if play.told_by_state and not also and known in _FOLLOWED:
            break
        ended, _ = _invoke(play, done.world, steps, also)
        cell = Cell(ended[-1], done.before, done.world.state(), clean.after, tuple(ended))
        if not also and not play.settled(steps[-1].event, cell):
            said = [one.answer or f"{one.error}: {one.message}" for one in ended]
            problem = f"{branch}; what follows ends with {said}, and leaves {cell.after}"
        elif not also:
            _FOLLOWED.add(known)
    return Result(play.name, failing, branch, seconds, problem)


_FOLLOWED: Final[set[tuple[str, str, str]]] = set()
"""By play: states from which what follows has put everything right."""


def _run(play: Play, *failing: Fault) -> _Run:
    world = World()
    event = play.prepare(world)
    before = world.state()
    ended, calls = _invoke(play, world, [Step(play.module, event, play.settings)], failing)
    return _Run(world, event, ended[-1], before, world.state(), calls)


def _invoke(
    play: Play, world: World, steps: Sequence[Step], failing: Sequence[Fault]
) -> tuple[list[Ended], list[Call]]:
    with Proxy(world.backends, tuple(failing)) as proxy:

        def started(pid: int) -> None:
            proxy.pid = pid

        environment = {"AWS_ENDPOINT_URL": proxy.url} | world.environment
        ended = run(
            [
                replace(one, event=json.loads(json.dumps(one.event).replace("PROXY", proxy.url)))
                for one in steps
            ],
            environment={name: value.replace("PROXY", proxy.url) for name, value in environment.items()},
            seconds=play.seconds,
            limit=play.limit or play.seconds,
            started=started,
        )
        return ended, list(proxy.calls)


def _judged(play: Play, done: _Run, clean: _Run) -> tuple[str, str]:
    """Return the branch and what is wrong, if anything."""
    ended = done.ended
    cell = done.cell(clean)
    branch = next((one for one in play.branches if one.ends(cell)), None)
    if branch is None:
        if ended.timed_out:
            return "none", f"it has not ended within {play.limit or play.seconds} s"
        return "none", f"no documented branch: {ended.answer or f'{ended.error}: {ended.message}'}"
    if not branch.leaves(cell):
        return branch.name, f"{branch.name} must not leave {cell.after}; before: {cell.before}"
    leaked = [one for one in SECRETS if one in ended.log or one in ended.message]
    if leaked:
        return branch.name, f"the log has {leaked}"
    return branch.name, ""


Rows = dict[tuple[str, str], str]
"""How a call ends, by the play's name and the call."""


def rows(matrix: Matrix) -> Rows:
    """Return the rows of a play."""
    return {(matrix.play.name, str(call)): _ends(matrix, call) for call in matrix.struck}


def table(matrices: Sequence[Matrix]) -> str:
    """Return the matrix as tables in Markdown, one a function: by play and call, which fault ends how."""
    functions = dict.fromkeys(matrix.play.function for matrix in matrices)
    return "\n\n".join(
        f"### {function}\n\n" + _table([one for one in matrices if one.play.function == function])
        for function in functions
    )


def rows_of(table: str) -> Rows:
    """Return the rows that a table was written from."""
    found: Rows = {}
    for line in table.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if line.startswith("| ") and len(cells) == 3 and cells[0] not in {"when", "---"}:
            found |= {(cells[0], call): cells[2] for call in cells[1].split("; ")}
    return found


def branch_said(ends: str, fault: Fault) -> str:
    """Return the branch that a row of a table tells of a fault."""
    kind = f"{fault.kind}{' once' if fault.once else ''}"
    told = [part.partition(": **")[::2] for part in ends.removesuffix("**").split("**; ")]
    return next((branch for kinds, branch in told if kind in kinds.split(", ")), told[-1][1])


def _table(matrices: Sequence[Matrix]) -> str:
    lines = ["| when | call that fails | how it ends, by fault |", "| --- | --- | --- |"]
    for matrix in matrices:
        calls: dict[str, list[str]] = {}
        for (_, call), ends in rows(matrix).items():
            calls.setdefault(ends, []).append(call)
        lines += [f"| {matrix.play.name} | {'; '.join(those)} | {ends} |" for ends, those in calls.items()]
    return "\n".join(lines)


def _ends(matrix: Matrix, call: Call) -> str:
    """Return which branch each fault of a call leads to; the most frequent one last, as that of all others."""
    kinds: dict[str, list[str]] = {}
    for one in matrix.results:
        if one.fault.call == call:
            kinds.setdefault(one.branch, []).append(f"{one.fault.kind}{' once' if one.fault.once else ''}")
    *fewer, most = sorted(kinds, key=lambda branch: len(kinds[branch]))
    named = [f"{', '.join(kinds[branch])}: **{branch}**" for branch in fewer]
    return "; ".join([*named, f"{'any other' if fewer else 'any'}: **{most}**"])
