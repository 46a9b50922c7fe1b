"""What a test of Amazon Connect can see of a contact: prompts, and the start and success of a few block types.

The service merges a call's prompts: those that follow one another up to the next input, or up to a block that does not
speak, are one event. In a chat each message is one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from connect_flows import Block

from connect_sandbox.rehearsal.bounds import Work
from connect_sandbox.rehearsal.clock import VirtualClock
from connect_sandbox.rehearsal.contact import Contact
from connect_sandbox.rehearsal.contact_events import EventType
from connect_sandbox.rehearsal.ports import ContactRecords, Played
from connect_sandbox.rehearsal.published import PublishedFlow
from connect_sandbox.rehearsal.references import UnknownNamespaceError, fill_in
from connect_sandbox.rehearsal.state import ContactState
from connect_sandbox.testcase.document import (
    ACTION_COMPLETED,
    ACTION_STARTED,
    COMPLETED_TYPES,
    INVOKE,
    LEX,
    MESSAGE_RECEIVED,
    STARTED_TYPES,
    TO_QUEUE,
    resource_of,
)

NUMERALS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
"""Digits as speech recognition gives them back."""
_ASKS = "GetParticipantInput"
_SPEAKS = ("MessageParticipant", _ASKS)


@dataclass(frozen=True)
class Visit:
    """A block that the contact reached; `number` counts from 0."""

    number: int
    flow: PublishedFlow
    block: Block
    at: float

    @property
    def is_input(self) -> bool:
        """Return whether the block listens to the customer."""
        return self.block.type in (_ASKS, LEX)


@dataclass(frozen=True)
class Event:
    """Something that an observation can match. `visits` are the blocks that it comes from, by number.

    Of a message, `parts` are the prompts in it, and `entries` the numbers of their entries in the transcript.
    """

    type: str
    at: float
    visits: tuple[int, ...]
    text: str = ""
    parts: tuple[str, ...] = ()
    entries: tuple[int, ...] = ()
    action_type: str = ""
    resource: str = ""


class Follower(Protocol):
    """Whoever follows a contact: hears of blocks before they are played and after, and of events between them."""

    def visits(self, visit: Visit) -> None:
        """Learn of a block that is about to be played."""
        ...

    def left(self, visit: Visit, error: str | None) -> None:
        """Learn that it has been played; `error` is the ErrorType if it failed."""
        ...

    def happens(self, event: Event) -> None:
        """Learn of an event."""
        ...


class Watcher:
    """Turns what a contact does into events. A ContactRecords, which hands on to `records` what it is for."""

    def __init__(self, follower: Follower, records: ContactRecords | None = None) -> None:
        self._follower = follower
        self._records = records
        self._contact: Contact | None = None
        self._read = self._taken = 0
        self._parts: list[tuple[str, int, int]] = []
        self._visit: Visit | None = None
        self._again = False
        self._number = 0

    def watch(self, contact: Contact) -> None:
        """Begin; the contact must not have called yet."""
        self._contact = contact

    @property
    def contact(self) -> Contact:
        """The contact that is watched."""
        if self._contact is None:
            raise RuntimeError("watch(contact) comes before the call")
        return self._contact

    @property
    def visit(self) -> Visit | None:
        """The block that is being played."""
        return self._visit

    def happens(self, event: EventType, state: ContactState, clock: VirtualClock) -> None:
        """Take note of a step of the contact."""
        if self._records is not None:
            self._records.happens(event, state, clock)

    def visits(self, flow: PublishedFlow, block: Block, clock: VirtualClock) -> None:
        """Take note of a block, just before it is played."""
        if self._records is not None:
            self._records.visits(flow, block, clock)
        self._gather()
        before = self._visit
        self._left(clock.elapsed)
        self._visit = Visit(self._number, flow, block, clock.elapsed)
        self._number += 1
        self._again = (
            before is not None
            and block.type == _ASKS
            and (before.flow.arn, before.block.identifier) == (flow.arn, block.identifier)
        )
        if block.type not in _SPEAKS:
            self._flush(clock.elapsed)
        self._follower.visits(self._visit)
        if block.type in STARTED_TYPES:
            self._happens(ACTION_STARTED, clock.elapsed)

    def asked(self) -> None:
        """Take note that the flow waits for the customer."""
        self._gather()
        self._flush(self._now())

    def ended(self, played: Played) -> None:
        """Take note of the contact's end."""
        if self._records is not None:
            self._records.ended(played)
        self._gather()
        self._left(self._now())
        self._visit = None
        self._flush(self._now())

    def media_stream(self, contact_id: str) -> str | None:
        """Return the ARN of the video stream for the contact's audio."""
        return None if self._records is None else self._records.media_stream(contact_id)

    def security_key(self, key_id: str) -> str | None:
        """Return the instance's security key of this id."""
        return None if self._records is None else self._records.security_key(key_id)

    def _now(self) -> float:
        transcript = self.contact.transcript
        return transcript[len(transcript) - 1].at if len(transcript) else 0.0

    def _gather(self) -> None:
        transcript = self.contact.transcript
        chat = self.contact.state.channel == "CHAT"
        while self._read < len(transcript):
            entry = transcript[self._read]
            self._read += 1
            if entry.kind != "says" or entry.who != "connect" or self._visit is None:
                continue
            # evidence: test-case-events
            if not chat and (self._again or self._visit.block.type == LEX):
                continue
            self._parts.append((entry.text, self._visit.number, self._read - 1))
            if chat:
                self._flush(entry.at)

    def _flush(self, at: float) -> None:
        if not self._parts:
            return
        texts = tuple(text for text, _, _ in self._parts)
        visits = tuple(dict.fromkeys(number for _, number, _ in self._parts))
        entries = tuple(entry for _, _, entry in self._parts)
        self._parts = []
        joined = " ".join(text.strip() for text in texts)
        self._follower.happens(Event(MESSAGE_RECEIVED, at, visits, joined, texts, entries))

    def _left(self, at: float) -> None:
        taken = self.contact.taken[self._taken :]
        self._taken = len(self.contact.taken)
        visit = self._visit
        if visit is None:
            return
        block = visit.block
        errors = {error.error_type for error in block.transitions.errors}
        branch = next((each.branch for each in taken if each.block == block.identifier), None)
        error = branch if branch in errors else None
        self._follower.left(visit, error)
        if block.type in COMPLETED_TYPES and branch is not None and error is None:
            self._happens(ACTION_COMPLETED, at)

    def _happens(self, kind: str, at: float) -> None:
        visit = self._visit
        if visit is None:
            return
        block_type = visit.block.type
        self._follower.happens(
            Event(
                kind,
                at,
                (visit.number,),
                action_type=block_type,
                resource=resource_used(self.contact, visit.block),
            )
        )


def resource_used(contact: Contact, block: Block) -> str:
    """Return the function, hours, bot alias or queue that a block is about to use; empty if it names none."""
    if block.type in (TO_QUEUE, "DequeueContactAndTransferToQueue") and "QueueId" not in block.parameters:
        state = contact.state
        return state.queue.arn if state.queue is not None else state.agent or ""
    filled = _filled(contact, block.parameters)
    kind = TO_QUEUE if block.type == "DequeueContactAndTransferToQueue" else block.type
    return resource_of(kind, filled) or ""


def same_resource(action_type: str, one: str, other: str) -> bool:
    """Return whether two names, ids or ARNs, are one resource."""
    if one == other:
        return True
    if action_type in (INVOKE, LEX):
        return False
    return bool(one) and one.rsplit("/", 1)[-1] == other.rsplit("/", 1)[-1]


def _filled(contact: Contact, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    try:
        filled: Mapping[str, Any] = fill_in(dict(parameters), contact.state.namespaces(), Work())
    except UnknownNamespaceError:
        return parameters
    return filled
