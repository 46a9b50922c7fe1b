"""A scenario that has been played locally, as a test of Amazon Connect would see it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from connect_sandbox.rehearsal.conditions import Caller, Move
from connect_sandbox.rehearsal.contact import Contact
from connect_sandbox.rehearsal.published import PublishedFlow
from connect_sandbox.rehearsal.scenario import Scenario
from connect_sandbox.rehearsal.transcript import Entry
from connect_sandbox.testcase.events import Event, Visit, Watcher


@dataclass(frozen=True)
class Step:
    """A block that was played: the error that it failed with, and its part of the transcript."""

    visit: Visit
    error: str | None
    entries: tuple[Entry, ...]


@dataclass(frozen=True)
class Seen:
    """An event, and the contact's attributes at that time."""

    event: Event
    attributes: dict[str, str]


@dataclass(frozen=True)
class Reaction:
    """Something that the customer did. `visit` is the block, by number, `seen` how many events came before."""

    move: Move
    visit: int
    seen: int
    interrupts: bool = False
    """They hung up on a prompt, without being asked."""


@dataclass
class Journal:
    """What happened, in order. A Follower."""

    steps: list[Step] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)
    reactions: list[Reaction] = field(default_factory=list)
    problem: str | None = None
    """Why the scenario's expectations do not hold; None if they do."""
    _contact: Contact | None = None
    _entries: int = 0

    @classmethod
    def of(cls, scenario: Scenario, flow: PublishedFlow) -> Journal:
        """Play a scenario; RehearsalError if that cannot be done."""
        journal = cls()
        watcher = Watcher(journal)
        caller = _Watched(scenario.setup.number, scenario.caller, journal, watcher)
        contact = scenario.setup.contact(flow, caller, watcher)
        journal._contact = contact
        watcher.watch(contact)
        contact.calls(flow.arn)
        try:
            scenario.check(contact)
        except AssertionError as unexpected:
            journal.problem = str(unexpected)
        return journal

    @property
    def contact(self) -> Contact:
        """The contact."""
        if self._contact is None:
            raise RuntimeError("Journal.of(scenario, flow) makes a journal")
        return self._contact

    def visits(self, visit: Visit) -> None:  # noqa: ARG002  (a Follower's)
        """Begin a block."""
        self._entries = len(self.contact.transcript)

    def left(self, visit: Visit, error: str | None) -> None:
        """Keep a block that has been played."""
        entries = [self.contact.transcript[i] for i in range(self._entries, len(self.contact.transcript))]
        self.steps.append(Step(visit, error, tuple(entries)))

    def happens(self, event: Event) -> None:
        """Keep an event."""
        self.seen.append(Seen(event, dict(self.contact.attributes)))

    def reacts(self, move: Move, visit: Visit | None, *, interrupts: bool) -> None:
        """Keep what the customer does."""
        self.reactions.append(Reaction(move, visit.number if visit else -1, len(self.seen), interrupts))


class _Watched(Caller):
    """The scenario's caller, who is watched."""

    def __init__(self, number: str, moves: Iterable[Move], journal: Journal, watcher: Watcher) -> None:
        super().__init__(number, moves)
        self._journal, self._watcher = journal, watcher
        self._leaving = False

    def leaves_on(self, text: str) -> bool:
        self._leaving = super().leaves_on(text)
        return self._leaving

    def reacts(self) -> Move:
        self._watcher.asked()
        move = super().reacts()
        self._journal.reacts(move, self._watcher.visit, interrupts=self._leaving)
        return move
