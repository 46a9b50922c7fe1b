"""Plays a flow under some facts and keeps what decides its branches: which step asked, invoked and dialled."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from connect_flows import Block

from connect_sandbox.rehearsal.bounds import Bounds
from connect_sandbox.rehearsal.conditions import Caller, Move
from connect_sandbox.rehearsal.contact import Contact
from connect_sandbox.rehearsal.errors import RehearsalError
from connect_sandbox.rehearsal.flow_files import read_flow
from connect_sandbox.rehearsal.published import PublishedFlow
from connect_sandbox.rehearsal.reading import Reader, checked
from connect_sandbox.rehearsal.setup_reader import Setup, read_moves, read_setup
from connect_sandbox.rehearsal.skeleton.facts import Facts
from connect_sandbox.rehearsal.steps import Ending

SEARCH_BOUNDS = Bounds(blocks=600, entries=5_000, characters=1_000_000)
"""Narrower than those of a rehearsal: what ends within them ends within those, too."""


@dataclass(frozen=True)
class Step:
    """A block that the contact reached. `branch` is None where it stopped, ended or was interrupted.

    `asked`: the numbers of the caller's moves that it used up. `function`: name of the function that it invoked and the
    number of that invocation, from 0. `dialled`: the number of its call to a third party, from 0.
    """

    flow: str
    block: Block
    branch: str | None
    asked: tuple[int, ...] = ()
    function: tuple[str, int] | None = None
    dialled: int | None = None


@dataclass(frozen=True)
class Trace:
    """How a flow went under some facts: its steps, and how it ended or why it stopped."""

    facts: Facts
    flow: str
    steps: tuple[Step, ...]
    contact: Contact | None
    ending: Ending | None
    stop: RehearsalError | None

    @cached_property
    def taken(self) -> frozenset[tuple[str, str]]:
        """The branches of the flow that were taken, "reached" for each block that was."""
        own = [step for step in self.steps if step.flow == self.flow]
        return frozenset((s.block.identifier, s.branch) for s in own if s.branch is not None) | {
            (s.block.identifier, "reached") for s in own
        }


@dataclass
class Player:
    """Plays one flow; counts the blocks played, so that a search ends after the same work everywhere."""

    flow: PublishedFlow
    base: Path
    work: int = 0
    _played: dict[str, Trace] = field(default_factory=dict)

    def play(self, facts: Facts, bounds: Bounds = SEARCH_BOUNDS) -> Trace:
        """Play the flow; an error of the rehearsal becomes the trace's `stop`."""
        known = self._played.get(facts.key)
        if known is not None:
            return known
        problems: list[str] = []
        setup = replace(read_setup(Reader(facts.setup, "setup", problems), self.base), bounds=bounds)
        moves = read_moves(Reader(list(facts.moves), "caller", problems))
        checked(problems, "the skeleton")
        trace = self._trace(facts, setup, moves)
        self.work += len(trace.steps) + 20
        self._played[facts.key] = trace
        return trace

    def _trace(self, facts: Facts, setup: Setup, moves: tuple[Move, ...]) -> Trace:
        caller = _Watched(setup.number, moves)
        contact: Contact | None = None
        stop: RehearsalError | None = None
        try:
            # As Setup.calls does, with a caller who is watched.
            flow = self.flow
            if setup.flow_type is not None and not flow.is_module:
                flow = replace(flow, type=setup.flow_type)
            contact = caller.contact = setup.contact(flow, caller)
            contact.calls(flow.arn)
        except RehearsalError as stopped:
            stop = stopped
        if contact is None:
            return Trace(facts, self.flow.name, (), None, None, stop)
        used = len(moves) - len(contact.moves_left)
        return Trace(
            facts.first(used) if stop is None else facts,
            self.flow.name,
            _steps(contact, caller, self._blocks(setup)),
            contact,
            contact.ending if stop is None else None,
            stop,
        )

    def _blocks(self, setup: Setup) -> dict[tuple[str, str], Block]:
        flows = [self.flow, *(read_flow(file, setup.values) for file in setup.files())]
        return {(flow.name, b.identifier): b for flow in flows for b in flow.content.blocks}


class _Watched(Caller):
    """A caller who keeps, for each question, the step that asked it."""

    contact: Contact | None = None

    def __init__(self, number: str, moves: tuple[Move, ...]) -> None:
        super().__init__(number, moves)
        self.asked_at: list[int] = []

    def reacts(self) -> Move:
        if self.contact is not None:
            self.asked_at.append(len(self.contact.visited_in) - 1)
        return super().reacts()


def function_key(function_arn: str) -> str:
    """Return the name of a function without version or alias: how a scenario calls it."""
    return function_arn.split(":function:", 1)[-1].split(":", 1)[0]


def _steps(contact: Contact, caller: _Watched, blocks: Mapping[tuple[str, str], Block]) -> tuple[Step, ...]:
    branches = _branches(contact)
    asked: defaultdict[int, list[int]] = defaultdict(list)
    for move, step in enumerate(caller.asked_at):
        asked[step].append(move)
    invoked, dialled = _invocations(contact), _calls(contact)
    found = []
    for index, place in enumerate(contact.visited_in):
        calls, dials = invoked[place], dialled[place]
        block = blocks.get(place)
        if block is None:  # of a stand-in
            continue
        found.append(
            Step(
                flow=place[0],
                block=block,
                branch=branches.get(index),
                asked=tuple(asked[index]),
                function=calls.popleft() if calls else None,
                dialled=dials.popleft() if dials else None,
            )
        )
    return tuple(found)


def _branches(contact: Contact) -> dict[int, str]:
    """Return the branch by the number of the visit; a block's visits take their branches in the same order."""
    waiting: defaultdict[tuple[str, str], deque[int]] = defaultdict(deque)
    for index, place in enumerate(contact.visited_in):
        waiting[place].append(index)
    found = {}
    for taken in contact.taken:
        visits = waiting[(taken.flow, taken.block)]
        if visits:
            found[visits.popleft()] = taken.branch
    return found


def _invocations(contact: Contact) -> defaultdict[tuple[str, str], deque[tuple[str, int]]]:
    """Return each block's invocations: the function and how many attempts it had seen before."""
    found: defaultdict[tuple[str, str], deque[tuple[str, int]]] = defaultdict(deque)
    attempts: Counter[str] = Counter()
    for entry in contact.transcript:
        if entry.kind == "invokes":
            key = function_key(str(entry.data.get("function", "")))
            if entry.data.get("attempt", 1) == 1:
                found[(entry.flow or "", entry.block or "")].append((key, attempts[key]))
            attempts[key] += 1
    return found


def _calls(contact: Contact) -> defaultdict[tuple[str, str], deque[int]]:
    """Return each block's calls to a third party, numbered."""
    found: defaultdict[tuple[str, str], deque[int]] = defaultdict(deque)
    for number, entry in enumerate(entry for entry in contact.transcript if entry.kind == "dials"):
        found[(entry.flow or "", entry.block or "")].append(number)
    return found
