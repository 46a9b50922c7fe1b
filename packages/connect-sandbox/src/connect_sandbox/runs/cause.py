"""Why something happens: the contact, the call of a function or the scenario behind it.

Whatever runs in another thread than its cause (a queue, a delivery) takes `cause()` along and runs `because` of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from connect_sandbox.runs.recorder import Recorder


@dataclass(frozen=True)
class Cause:
    """What is behind an event. `invocation` is that of the function in which it happens.

    elapsed: returns the contact's own seconds since it began. block: returns the block that plays, while it does.
    recorder: where a contact tells what happens on it.
    """

    contact: str | None = None
    elapsed: Callable[[], float] | None = None
    scenario: str | None = None
    invocation: str | None = None
    block: Callable[[], str | None] | None = None
    recorder: Recorder | None = None

    def within(self, invocation: str) -> Cause:
        """Return the cause of what happens in a function that was invoked because of this."""
        return replace(self, invocation=invocation, block=None)

    def later(self) -> Cause:
        """Return the cause of what happens when the block may be over."""
        return self if self.block is None else replace(self, block=None)


_UNKNOWN = Cause()
_cause: ContextVar[Cause] = ContextVar("cause", default=_UNKNOWN)


def cause() -> Cause:
    """Return the cause of what happens here and now; an empty one if it is not known."""
    return _cause.get()


@contextmanager
def because(of: Cause) -> Iterator[None]:
    """Let everything that happens meanwhile in this thread happen because of it."""
    before = _cause.set(of)
    try:
        yield
    finally:
        _cause.reset(before)
