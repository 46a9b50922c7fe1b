"""The conditions of a scenario: who calls and what they do, queues, hours, prompts."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Literal


@dataclass(frozen=True)
class Says:
    """The caller speaks when asked."""

    text: str


@dataclass(frozen=True)
class Presses:
    """The caller presses keys (0-9 * #) when asked."""

    digits: str


@dataclass(frozen=True)
class StaysSilent:
    """The caller ignores one question."""


@dataclass(frozen=True)
class HangsUp:
    """The caller hangs up: at the next question, or as soon as they hear `on_hearing`."""

    on_hearing: str | None = None


@dataclass(frozen=True)
class Chooses:
    """A chat's customer fills in `data` and presses a button of the view shown to them."""

    action: str
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class PressesAhead:
    """The caller presses keys while something else is going on; lost unless the flow buffers them."""

    digits: str


Move = Says | Presses | PressesAhead | Chooses | StaysSilent | HangsUp
"""One thing that a caller does."""


class Caller:
    """A person on the telephone.

    `number` is E.164; each question uses up one of the `moves`, then they stay silent.
    """

    def __init__(self, number: str = "+12065550142", moves: Iterable[Move] = ()) -> None:
        self.number = number
        self._moves = list(moves)

    @property
    def moves_left(self) -> tuple[Move, ...]:
        """The moves that nobody has asked for yet."""
        return tuple(self._moves)

    def reacts(self) -> Move:
        """Return what the caller does when asked. Keys that they pressed ahead are gone by then."""
        self.presses_ahead()
        return self._moves.pop(0) if self._moves else StaysSilent()

    def presses_ahead(self) -> str:
        """Return the keys that the caller presses now, without being asked."""
        pressed = ""
        while self._moves and isinstance(self._moves[0], PressesAhead):
            pressed += self._moves[0].digits
            del self._moves[0]
        return pressed

    def leaves_on(self, text: str) -> bool:
        """Return whether hearing `text` makes the caller hang up."""
        if self._moves and isinstance(self._moves[0], HangsUp):
            trigger = self._moves[0].on_hearing
            return trigger is not None and trigger in text
        return False


@dataclass(frozen=True, kw_only=True)
class Queue:
    """A queue's state during the rehearsal. Ages are in seconds, counts in contacts or agents."""

    arn: str
    name: str
    at_capacity: bool = False
    open: bool = True
    agents_available: int = 1
    agents_staffed: int = 1
    agents_online: int = 1
    contacts_in_queue: int = 0
    oldest_contact_age: float = 0.0
    outbound_caller_id: str | None = None

    @property
    def id(self) -> str:
        """The last part of the ARN."""
        return self.arn.rsplit("/", 1)[-1]


@dataclass(frozen=True, kw_only=True)
class Understanding:
    """How Amazon Lex understands an utterance. `intent` None: not at all, so the block takes NoMatchingCondition.

    `sentiment` is a label of Amazon Comprehend, e.g. NEGATIVE; `intent_confidence` is from 0 to 1.
    """

    intent: str | None
    slots: Mapping[str, str] = field(default_factory=dict)
    session_attributes: Mapping[str, str] = field(default_factory=dict)
    sentiment: str | None = None
    intent_confidence: float | None = None
    dialog_state: str = "Fulfilled"

    def namespace(self, own: Mapping[str, str]) -> dict[str, Any]:
        """Return what $.Lex holds; `own` are the session attributes that the block passed to the bot."""
        return {
            "IntentName": self.intent,
            "Slots": dict(self.slots),
            "SessionAttributes": {**own, **self.session_attributes},
            "DialogState": self.dialog_state,
            "IntentConfidence": {"Score": self.intent_confidence},
            "SentimentResponse": {"Label": self.sentiment},
        }


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a block does in this scenario instead of being played: fail, decide, or put values into namespaces.

    `fails` is an ErrorType, `decides` the result that conditions compare, `sets` JSON by namespace
    ({"Customer": {"FirstName": "Ada"}}); Attributes are the contact's own.
    """

    fails: str | None = None
    decides: str | None = None
    sets: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Agent:
    """An agent who takes the contact out of the queue; times are in seconds.

    They may put the caller on hold once, for `holds_for`, and talk for `talks_for`; then `hangs_up_first` does. The
    names are what $.Agent holds.
    """

    answers_after: float = 10.0
    holds_for: float = 0.0
    talks_for: float = 60.0
    hangs_up_first: Literal["agent", "caller"] = "agent"
    user_name: str = "agent"
    first_name: str = ""
    last_name: str = ""

    def namespace(self) -> dict[str, str]:
        """Return what $.Agent holds while the contact is with them."""
        return {"UserName": self.user_name, "FirstName": self.first_name, "LastName": self.last_name}


@dataclass(frozen=True, kw_only=True)
class ChatBot:
    """A bot that streaming brings into the chat, in seconds since the contact began.

    It is there from `joins` until `leaves` (None: to the end). It has its `conversation`, ("says", text) and ("asks",
    text) turns, during the first Wait block for it.
    """

    joins: float = 1.0
    leaves: float | None = None
    conversation: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Conditions:
    """The conditions under which a contact is played.

    `queues`: every queue that exists; any other is unknown, as on AWS. `hours`: by id or ARN, open or not. `prompts`:
    by id or ARN, the words that a recorded prompt speaks. `agents`: ids or ARNs that can be reached.
    `outbound_call_status`: what CheckOutboundCallStatus reports. `dice`: the numbers 1-100 that successive
    DistributeByPercentage blocks draw. `agent`: who takes the contact out of the queue (None: nobody). `bot`: the
    chat's bot. `lex`: how Lex understands what the caller says. `outcomes`: by block identifier (with wildcards, the
    first match counts), what a block does instead of being played. `customer_returns_after`: seconds into a Wait
    after which a chat's customer is back. `media_stream`: the ARN of the Kinesis stream that the instance writes to.
    `security_keys`: the instance's public keys in PEM, by id, for input that is encrypted. `customer_profiles` and
    `cases`: those that exist (None: the scenario does not say), see customer_data. `authentication`: how a customer
    answers AuthenticateParticipant. `email_message`: the plain text of an e-mail contact. `queue_of_contact`:
    the queue that a contact is in when its flow begins, by ARN or id.
    `related_contact`: the attributes of the contact that this one is related to (None: there is none).
    """

    queues: Iterable[Queue] = ()
    hours: Mapping[str, bool] = field(default_factory=dict)
    prompts: Mapping[str, str] = field(default_factory=dict)
    agents: frozenset[str] = frozenset()
    outbound_call_status: str | None = None
    dice: tuple[int, ...] = ()
    agent: Agent | None = None
    bot: ChatBot | None = None
    lex: Mapping[str, Understanding] = field(default_factory=dict)
    outcomes: Mapping[str, Outcome] = field(default_factory=dict)
    customer_returns_after: float | None = None
    media_stream: str | None = None
    security_keys: Mapping[str, str] = field(default_factory=dict)
    customer_profiles: tuple[Mapping[str, Any], ...] | None = None
    cases: tuple[Mapping[str, str], ...] | None = None
    authentication: str | None = None
    email_message: str | None = None
    queue_of_contact: str | None = None
    related_contact: Mapping[str, str] | None = None

    def outcome(self, block: str) -> Outcome | None:
        """Return what the block does according to the scenario; None if it is played."""
        if block in self.outcomes:
            return self.outcomes[block]
        return next((told for name, told in self.outcomes.items() if fnmatchcase(block, name)), None)

    def first_queue(self) -> Queue | None:
        """Return the queue that the contact is in at the start; a name is enough here."""
        wanted = self.queue_of_contact
        if wanted is None:
            return None
        return self.queue(wanted) or next((queue for queue in self.queues if queue.name == wanted), None)

    def queue(self, arn_or_id: str) -> Queue | None:
        """Return the queue of that ARN or id, if it exists."""
        names = {arn_or_id, arn_or_id.rsplit("/", 1)[-1]}
        return next((q for q in self.queues if q.arn == arn_or_id or q.id in names), None)
