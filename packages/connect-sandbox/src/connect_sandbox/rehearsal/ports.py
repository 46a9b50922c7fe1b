"""What a contact needs from the world around it, as protocols: the cloud implements them, and so do tests."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from connect_flows import Block

from connect_sandbox.rehearsal.published import PublishedFlow

if TYPE_CHECKING:
    from connect_sandbox.rehearsal.clock import VirtualClock
    from connect_sandbox.rehearsal.contact_events import EventType
    from connect_sandbox.rehearsal.desk import Desk
    from connect_sandbox.rehearsal.engine import Taken
    from connect_sandbox.rehearsal.stage import Stage
    from connect_sandbox.rehearsal.state import ContactState
    from connect_sandbox.rehearsal.steps import Ending, Step
    from connect_sandbox.rehearsal.transcript import Transcript
    from connect_sandbox.runs import Recorder


class FlowSource(Protocol):
    """The flows that the Connect instance has published."""

    def flow(self, arn_or_id: str) -> PublishedFlow:
        """Return the flow, or raise NoSuchFlowError."""
        ...

    def module(self, arn_or_id: str) -> PublishedFlow:
        """Return the flow module, or raise NoSuchFlowError."""
        ...


@dataclass(frozen=True)
class LambdaAnswer:
    """What a function returned: its JSON `payload`, the size of that in bytes, and the seconds it took."""

    payload: Any
    size: int
    seconds: float
    request_id: str = ""


class LambdaInvoker(Protocol):
    """Lambda, as Amazon Connect reaches it."""

    def invoke(self, function_arn: str, event: Mapping[str, Any], *, time_limit: float) -> LambdaAnswer:
        """Invoke the function as Amazon Connect and wait `time_limit` seconds; raise a LambdaInvocationError."""
        ...

    def invoke_without_waiting(self, function_arn: str, event: Mapping[str, Any]) -> str:
        """Invoke the function as an event and return the request id; raise a LambdaInvocationError."""
        ...


@dataclass(frozen=True, kw_only=True)
class Invite:
    """A call that Amazon Connect places to a third party.

    `to` and `from_` are users of a SIP address (E.164 numbers, mostly). `voice_connector_arn` is None on a transfer
    over the public telephone network, which carries neither SIP headers nor user-to-user information.
    """

    to: str
    from_: str
    voice_connector_arn: str | None = None
    sip_headers: Mapping[str, str] = field(default_factory=dict)
    user_to_user: str | None = None
    dtmf: str | None = None


@dataclass(frozen=True)
class HungUpByVendor:
    """The third party took the call and ended it (BYE): the flow resumes, if its block says so."""


@dataclass(frozen=True)
class HungUpByCaller:
    """The caller hung up during the call to the third party: the contact ends."""


@dataclass(frozen=True)
class CallFailed:
    """The call was refused or broke off, e.g. SIP 486 or 503."""

    reason: str


@dataclass(frozen=True)
class NotAnswered:
    """Nobody answered within the block's time limit."""


@dataclass(frozen=True)
class NotDialled:
    """Amazon Connect could not place the call at all, e.g. the voice connector is not associated."""

    reason: str


DialOutcome = HungUpByVendor | HungUpByCaller | CallFailed | NotAnswered | NotDialled
"""How a call to a third party ended."""


class Line(Protocol):
    """The caller's end of a call with a third party: hears it, records what it says, and replies."""

    def vendor_says(self, text: str) -> None:
        """Let the caller hear it."""
        ...

    def vendor_asks(self, text: str) -> str | None:
        """Let the caller hear it and return the reply; None if the caller hangs up."""
        ...

    def vendor_does(self, text: str, seconds: float = 0.0, data: Mapping[str, Any] | None = None) -> None:
        """Record what the third party did, and let it take that long."""
        ...

    def caller_stays(self) -> bool:
        """Return whether the caller is still there."""
        ...


class ExternalVoice(Protocol):
    """Whatever Amazon Connect can dial."""

    def dial(self, invite: Invite, *, time_limit: float, line: Line) -> DialOutcome:
        """Place the call, ring at most `time_limit` virtual seconds, converse on `line`, return how it ended."""
        ...


class ChatLine(Protocol):
    """The chat behind a contact of channel CHAT."""

    def flow_says(self, text: str) -> None:
        """Let the flow write a message into the chat."""
        ...

    def waits(self, stage: "Stage", seconds: int, events: Sequence[str]) -> "Step":
        """Play a Wait block while customer and bot converse; return what it decides, or how it fails."""
        ...


@dataclass(frozen=True)
class Played:
    """A contact that has been played to its end."""

    state: "ContactState"
    ending: "Ending"
    transcript: "Transcript"
    clock: "VirtualClock"
    taken: "Sequence[Taken]"
    visited: Sequence[tuple[str, str]]


class ContactRecords(Protocol):
    """Where a contact leaves its recording, record, log and metrics."""

    def happens(self, event: "EventType", state: "ContactState", clock: "VirtualClock") -> None:
        """Take note of a step of the contact, as it happens."""
        ...

    def visits(self, flow: PublishedFlow, block: Block, clock: "VirtualClock") -> None:
        """Take note of a block, just before it is played."""
        ...

    def media_stream(self, contact_id: str) -> str | None:
        """Return the ARN of the video stream for the contact's audio, None if the instance has none."""
        ...

    def security_key(self, key_id: str) -> str | None:
        """Return the instance's security key of this id, in PEM, None if it has none; its use is counted."""
        ...

    def ended(self, played: Played) -> None:
        """Keep what the contact leaves behind."""
        ...


@dataclass(frozen=True, kw_only=True)
class Ports:
    """The world in which a contact is played. Without `chat`, the scenario says what a chat's bot does.

    Without `records`, the contact leaves nothing behind. `run` is told what happens on it; without one, the run of
    whatever plays the contact is. `desk` is where agents take the contact out of a queue, if the conditions have no
    agent. `gate` is passed before each block, and may wait.
    """

    flows: FlowSource
    functions: LambdaInvoker
    external_voice: ExternalVoice
    chat: ChatLine | None = None
    records: ContactRecords | None = None
    run: "Recorder | None" = None
    desk: "Desk | None" = None
    gate: Callable[[], None] | None = None
