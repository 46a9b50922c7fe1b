"""The events of a run, typed. docs/run-file.md says what their fields mean, schema.json how a line looks."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, ClassVar

FORMAT = "connect-sandbox-run"
VERSION = 1
"""The version that is written."""


@dataclass(kw_only=True)
class Event:
    """What happened. A field that is None is absent from the file. Not frozen, as that takes three times as long."""

    NAME: ClassVar[str]

    def to_json(self) -> dict[str, Any]:
        """Return the fields as they are written, without those that every event has."""
        return {name: value for name, value in self.__dict__.items() if value is not None}


# -- runs and scenarios


@dataclass(kw_only=True)
class RunBegins(Event):
    """The first line. started: ISO 8601, UTC."""

    NAME = "run"
    format: str = FORMAT
    version: int = VERSION
    started: str
    title: str
    program: str


@dataclass(kw_only=True)
class Deployed(Event):
    """A stack is there, has changed, or is gone; status: as CloudFormation has it."""

    NAME = "deployed"
    stack: str
    account: str
    region: str
    status: str
    outputs: dict[str, str]


@dataclass(kw_only=True)
class ScenarioBegins(Event):
    """A scenario begins; shows: what it is for, in a sentence."""

    NAME = "scenario"
    shows: str


@dataclass(kw_only=True)
class ScenarioEnded(Event):
    """outcome: passed or failed; seconds: real ones."""

    NAME = "scenario-ended"
    outcome: str
    seconds: float
    failure: str | None = None


@dataclass(kw_only=True)
class RunEnded(Event):
    """How many scenarios passed and failed."""

    NAME = "run-ended"
    passed: int
    failed: int
    seconds: float


# -- contacts


@dataclass(kw_only=True)
class ContactBegins(Event):
    """A contact reaches its first flow (ARN)."""

    NAME = "contact"
    channel: str
    customer: str | None = None
    system: str | None = None
    flow: str
    initiation: str | None = None


@dataclass(kw_only=True)
class FlowPlays(Event):
    """The flow (ARN) of which blocks follow; content: JSON."""

    NAME = "flow"
    flow: str
    name: str
    type: str
    content: Any = None


@dataclass(kw_only=True)
class BlockPlays(Event):
    """A block (Identifier) of a flow (ARN) begins to play."""

    NAME = "block"
    flow: str
    block: str
    type: str | None = None


@dataclass(kw_only=True)
class BranchTaken(Event):
    """The contact goes on. branch: as the picture names it; label: for people; to: Identifier."""

    NAME = "branch"
    flow: str
    block: str
    branch: str
    label: str
    to: str | None = None


@dataclass(kw_only=True)
class EntryWritten(Event):
    """A line of the transcript."""

    NAME = "entry"
    who: str
    kind: str
    text: str
    flow: str | None = None
    block: str | None = None
    data: Any = None


@dataclass(kw_only=True)
class AttributesChanged(Event):
    """User-defined attributes that are new or different, and names of those that are gone."""

    NAME = "attributes"
    set: dict[str, str]
    removed: list[str]


@dataclass(kw_only=True)
class Asks(Event):
    """The flow waits for somebody who answers live."""

    NAME = "asks"
    of: str
    wants: str


@dataclass(kw_only=True)
class ContactEnded(Event):
    """How the contact ended; queue: ARN."""

    NAME = "contact-ended"
    how: str
    reason: str | None = None
    queue: str | None = None


@dataclass(kw_only=True)
class ContactStopped(Event):
    """The sandbox could not play the contact to its end."""

    NAME = "contact-stopped"
    problem: str


# -- what the contact sets off


@dataclass(kw_only=True)
class FunctionInvoked(Event):
    """A function (ARN) is invoked; invocation: the request id."""

    NAME = "function"
    function: str
    invocation: str
    block: str | None = None
    input: Any = None
    by: str | None = None


@dataclass(kw_only=True)
class FunctionEnded(Event):
    """The answer, or how it failed; refused: why it was not invoked at all."""

    NAME = "function-ended"
    function: str
    invocation: str
    answer: Any = None
    error: str | None = None
    milliseconds: float | None = None
    cold: bool | None = None
    logs: list[str] | None = None
    refused: str | None = None


@dataclass(kw_only=True)
class Decision(Event):
    """What IAM decided."""

    NAME = "decision"
    action: str
    resource: str
    principal: str
    allowed: bool
    reason: str
    invocation: str | None = None


@dataclass(kw_only=True)
class Message(Event):
    """A message that was sent. service: sns, sqs, events or connect; to: ARN."""

    NAME = "message"
    service: str
    to: str
    body: Any = None
    attributes: dict[str, Any] | None = None
    invocation: str | None = None


@dataclass(kw_only=True)
class Delivery(Event):
    """What became of a message. from_: ARN; to: endpoint; outcome: delivered or failed."""

    NAME = "delivery"
    service: str
    from_: str
    to: str
    outcome: str
    status: int | None = None
    attempt: int | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the fields as they are written."""
        return {name.rstrip("_"): value for name, value in super().to_json().items()}


@dataclass(kw_only=True)
class Item(Event):
    """An item of a table, before (old) and after (new) a write, in plain JSON."""

    NAME = "item"
    table: str
    key: dict[str, Any]
    old: dict[str, Any] | None = None
    new: dict[str, Any] | None = None
    invocation: str | None = None


@dataclass(kw_only=True)
class Fault(Event):
    """A fault begins (set) or ends. kind: slow, down, denied or throttled."""

    NAME = "fault"
    target: str
    kind: str
    set: bool


EVENTS: dict[str, type[Event]] = {
    kind.NAME: kind
    for kind in (
        RunBegins, Deployed, ScenarioBegins, ScenarioEnded, RunEnded,
        ContactBegins, FlowPlays, BlockPlays, BranchTaken, EntryWritten, AttributesChanged, Asks, ContactEnded,
        ContactStopped, FunctionInvoked, FunctionEnded, Decision, Message, Delivery, Item, Fault,
    )
}  # fmt: skip
"""Every event by its name in the file."""


def field_names(kind: type[Event]) -> dict[str, str]:
    """Return the names of an event's fields in the file -> those of its class."""
    return {field.name.rstrip("_"): field.name for field in fields(kind)}
