"""The errors of a rehearsal, by who has to act on them."""

from typing import Literal

from connect_sandbox.rehearsal.bounds import Bound
from connect_sandbox.rehearsal.values import Json

Stop = Literal["setup", "flow", "sandbox"]
"""What stops a contact: `setup`, the scenario lacks a fact; `flow`, Amazon Connect would not publish such a flow, or
nobody knows what it would do; `sandbox`, it has no fake for the block, so a scenario has to say what the block does."""


class RehearsalError(Exception):
    """The rehearsal itself cannot continue; it proves nothing about the flow.

    `missing` is the place in a scenario's setup that would help, from the outside in: ("hours", "main"); empty where
    none does. `example` is JSON that can stand there.
    """

    missing: tuple[str, ...] = ()
    example: Json = None


class CannotPlayError(RehearsalError):
    """The sandbox has no fake for what a block does, or the scenario does not say what the block needs.

    The contact stops here rather than skip a block that matters in a live call. `block` is the identifier, `flow` the
    name of the flow that has it.
    """

    def __init__(
        self,
        block: str,
        block_type: str,
        reason: str,
        *,
        flow: str = "",
        kind: Stop = "flow",
        missing: tuple[str, ...] = (),
        example: Json = None,
    ) -> None:
        super().__init__(f"the sandbox cannot play {block} ({block_type}): {reason}")
        self.block = block
        self.block_type = block_type
        self.reason = reason
        self.flow = flow
        self.kind: Stop = kind
        self.missing = missing
        self.example = example


class BoundExceededError(RehearsalError):
    """The contact would have gone past one of its bounds, most likely for ever.

    `block` is the identifier of the block that it had reached, `block_type` its type; `bound` is the name of the
    field of Bounds, `limit` its value.
    """

    def __init__(self, block: str, block_type: str, bound: Bound, limit: float, advice: str) -> None:
        super().__init__(
            f"{block} ({block_type}) would take the contact past {_BOUNDS[bound].format(limit)}. "
            f"{advice}, or raise setup.bounds.{bound} (in Python, bounds=Bounds({bound}=…))."
        )
        self.block = block
        self.block_type = block_type
        self.bound: Bound = bound
        self.limit = limit
        self.missing = ("bounds", bound)


_BOUNDS: dict[Bound, str] = {
    "seconds": "{:,g} s of virtual time",
    "blocks": "{:,} blocks",
    "entries": "{:,} entries in its transcript",
    "characters": "{:,} characters of text",
}


class NotSetUpError(RehearsalError):
    """The scenario does not set up something that the contact needs. In a block it becomes a CannotPlayError."""

    def __init__(self, reason: str, *missing: str, example: Json = None) -> None:
        super().__init__(reason)
        self.missing = missing
        self.example = example


class NoSuchFlowError(RehearsalError):
    """No flow or flow module is published under that ARN or id."""


class LambdaInvocationError(Exception):
    """An invocation without a response. `seconds` is how long the contact waited for it."""

    def __init__(self, reason: str, *, seconds: float = 0.0) -> None:
        super().__init__(reason)
        self.seconds = seconds


class InvocationDeniedError(LambdaInvocationError):
    """Amazon Connect may not invoke the function: not associated, or its resource policy says no. Not retried."""


class InvocationTimedOutError(LambdaInvocationError):
    """No response within the block's or the function's time limit. Not retried."""


class FunctionFailedError(LambdaInvocationError):
    """The function raised or its process died: Lambda answers 200 with FunctionError. Not retried."""


class InvocationThrottledError(LambdaInvocationError):
    """Lambda answered 429. Amazon Connect retries."""


class ServiceFailureError(LambdaInvocationError):
    """Lambda itself answered 5xx. Amazon Connect retries."""
