"""What a block tells the engine to do next."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from connect_sandbox.rehearsal.published import PublishedFlow
from connect_sandbox.rehearsal.values import Json

How = Literal[
    "queued",
    "disconnected",
    "caller hung up",
    "transferred",
    "transferred to agent",
    "flow ended",
    "module ended",
    "failed",
]
"""How a contact's flow ended. `failed`: a block failed and had no branch for it, so Amazon Connect disconnects;
`module ended`: a flow module that was rehearsed on its own has ended."""


@dataclass(frozen=True)
class Ending:
    """How the rehearsed part of a contact ended. `queue` is the queue's ARN, `reason` says more."""

    how: How
    queue: str | None = None
    reason: str = ""


@dataclass(frozen=True)
class Next:
    """Take NextAction."""


@dataclass(frozen=True)
class Decides:
    """Take the first condition that `value` (None: missing) meets, else NoMatchingCondition, else NextAction."""

    value: str | None


@dataclass(frozen=True)
class Fails:
    """Take the branch of that ErrorType, else NoMatchingError."""

    error: str
    reason: str


@dataclass(frozen=True)
class Enters:
    """Go on in another flow; a module comes back after the block and has an input, which is JSON."""

    flow: PublishedFlow
    input: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True)
class Returns:
    """The module has ended: go on after the block that invoked it, by the condition that `result` meets."""

    result: str | None = None
    data: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True)
class Ends:
    """The flow has ended for this contact."""

    ending: Ending


Step = Next | Decides | Fails | Enters | Returns | Ends
"""Any of them."""
