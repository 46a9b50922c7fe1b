"""What a scenario gives: who calls and what they do, queues, hours, prompts."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Says:
    """The caller speaks, when somebody asks."""

    text: str


@dataclass(frozen=True)
class Presses:
    """The caller presses keys (0-9 * #), when somebody asks."""

    digits: str


@dataclass(frozen=True)
class StaysSilent:
    """The caller lets one question pass."""


@dataclass(frozen=True)
class HangsUp:
    """The caller hangs up: at the next question, or as soon as they hear `on_hearing`."""

    on_hearing: str | None = None


Move = Says | Presses | StaysSilent | HangsUp
"""What a caller does, in the order in which a scenario lists it."""


class Caller:
    """A person on the telephone. `number` is E.164; `moves` are used up one question at a time, then silence."""

    def __init__(self, number: str = "+12065550142", moves: Iterable[Move] = ()) -> None:
        self.number = number
        self._moves = list(moves)

    @property
    def moves_left(self) -> tuple[Move, ...]:
        """The moves that nothing has asked for yet."""
        return tuple(self._moves)

    def reacts(self) -> Move:
        """Return what the caller does when asked."""
        return self._moves.pop(0) if self._moves else StaysSilent()

    def leaves_on(self, text: str) -> bool:
        """Tell whether hearing `text` makes the caller hang up."""
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
class Circumstances:
    """What holds around a contact.

    `queues`: every queue that exists; any other is unknown, as on AWS. `hours`: by id or ARN, open or not.
    `prompts`: by id or ARN, the words that a recorded prompt speaks. `agents`: ids or ARNs that can be reached.
    `outbound_call_status`: what CheckOutboundCallStatus reports. `dice`: the numbers 1-100 that successive
    DistributeByPercentage blocks draw.
    """

    queues: Iterable[Queue] = ()
    hours: Mapping[str, bool] = field(default_factory=dict)
    prompts: Mapping[str, str] = field(default_factory=dict)
    agents: frozenset[str] = frozenset()
    outbound_call_status: str | None = None
    dice: tuple[int, ...] = ()

    def queue(self, arn_or_id: str) -> Queue | None:
        """Return the queue of that ARN or id, if it exists."""
        return next((q for q in self.queues if arn_or_id in (q.arn, q.id)), None)
