"""What a contact tells to a run while it plays: the way through flows, its words, its attributes, its end."""

from __future__ import annotations

from collections.abc import Callable

from connect_flows import Block

from connect_sandbox.rehearsal.published import PublishedFlow
from connect_sandbox.rehearsal.state import ContactState
from connect_sandbox.rehearsal.steps import Ending
from connect_sandbox.rehearsal.transcript import Entry, Transcript
from connect_sandbox.runs import Cause, Recorder, cause
from connect_sandbox.runs.events import (
    Asks,
    AttributesChanged,
    BlockPlays,
    BranchTaken,
    ContactBegins,
    ContactEnded,
    ContactStopped,
    EntryWritten,
)

_WANTS = {"GetParticipantInput": "keys", "ShowView": "view"}


class Story:
    """Tells `recorder` of one contact; without one, nobody. elapsed: returns the contact's seconds since it began."""

    def __init__(self, recorder: Recorder | None, state: ContactState, elapsed: Callable[[], float]) -> None:
        before = cause()
        self._recorder = before.recorder if recorder is None else recorder
        self._state = state
        self._arns: dict[str, str] = {}
        self._attributes: dict[str, str] = {}
        self._flow: PublishedFlow | None = None
        self._block: Block | None = None
        self.cause = Cause(
            contact=state.contact_id,
            elapsed=elapsed,
            scenario=before.scenario,
            block=lambda: None if self._block is None else self._block.identifier,
            recorder=self._recorder,
        )
        """The contact as the cause of what happens while it plays."""

    @classmethod
    def of(
        cls,
        recorder: Recorder | None,
        state: ContactState,
        transcript: Transcript,
        elapsed: Callable[[], float],
    ) -> Story:
        """Return the story of a contact, which hears of the transcript from now on."""
        made = cls(recorder, state, elapsed)
        if made._recorder is not None:
            transcript.told_to = made.writes
            for secret in transcript.secrets:
                made._recorder.secrets.add(secret)
        return made

    def begins(self, flow: PublishedFlow) -> None:
        """Tell of the contact, which has come to its first flow."""
        if self._recorder is None:
            return
        state = self._state
        self._arns[flow.name] = flow.arn
        began = ContactBegins(
            channel=state.channel,
            customer=state.customer_number,
            system=state.system_number,
            flow=flow.arn,
            initiation=state.initiation_method,
        )
        self._recorder.emit(began, of=self.cause)
        self._changed()

    def visits(self, flow: PublishedFlow, block: Block) -> None:
        """Tell of a block that begins to play."""
        if self._recorder is None:
            return
        self._changed()
        self._arns[flow.name] = flow.arn
        self._block = block
        if flow is not self._flow:
            self._flow = flow
            self._recorder.flow_plays(flow.arn, flow.name, flow.type, flow.written, of=self.cause)
        self._recorder.emit(BlockPlays(flow=flow.arn, block=block.identifier, type=block.type), of=self.cause)

    def takes(
        self, flow: PublishedFlow, block: Block, branch: str, label: str, to: str | None = None
    ) -> None:
        """Tell which way the contact takes out of a block."""
        if self._recorder is None:
            return
        self._changed()
        taken = BranchTaken(flow=flow.arn, block=block.identifier, branch=branch, label=label, to=to)
        self._recorder.emit(taken, of=self.cause)

    def writes(self, entry: Entry) -> None:
        """Tell of a line of the transcript."""
        if self._recorder is None:
            return
        self._changed()
        flow = None if entry.flow is None else self._arns.get(entry.flow, entry.flow)
        written = EntryWritten(
            who=entry.who,
            kind=entry.kind,
            text=entry.text,
            flow=flow,
            block=entry.block,
            data=entry.data or None,
        )
        self._recorder.emit(written, of=self.cause, at=entry.at)

    def asks(self) -> None:
        """Tell that the flow waits for somebody who answers live."""
        if self._recorder is None or self._block is None:
            return
        kind = self._block.type
        words = "message" if self._state.channel == "CHAT" else "words"
        wants = _WANTS.get(kind, words) if self._state.channel != "CHAT" or kind == "ShowView" else words
        self._recorder.emit(Asks(of="caller", wants=wants), of=self.cause)

    def asks_agent(self, wants: str) -> None:
        """Tell that the contact waits for an agent: for an answer, or in the conversation for words."""
        if self._recorder is not None:
            self._recorder.emit(Asks(of="agent", wants=wants), of=self.cause)

    def ended(self, ending: Ending) -> None:
        """Tell how the contact ended."""
        if self._recorder is None:
            return
        self._changed()
        ended = ContactEnded(how=ending.how, reason=ending.reason or None, queue=ending.queue)
        self._recorder.emit(ended, of=self.cause)

    def stopped(self, problem: BaseException) -> None:
        """Tell why the contact could not be played to its end."""
        if self._recorder is None:
            return
        self._changed()
        self._recorder.emit(ContactStopped(problem=f"{problem}" or type(problem).__name__), of=self.cause)

    def _changed(self) -> None:
        now = self._state.attributes
        if now == self._attributes or self._recorder is None:
            return
        before, self._attributes = self._attributes, dict(now)
        changed = {name: value for name, value in now.items() if before.get(name) != value}
        removed = [name for name in before if name not in now]
        self._recorder.emit(AttributesChanged(set=changed, removed=removed), of=self.cause)
