"""Why something happens: the contact, the call of a function or the scenario behind it.

Whatever runs in another thread than its cause (a queue, a delivery) takes `cause()` along and runs `because` of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True)
class Cause:
    """What is behind an event. elapsed: the contact's own seconds since it began. invocation: of a function."""

    contact: str | None = None
    elapsed: Callable[[], float] | None = None
    scenario: str | None = None
    invocation: str | None = None


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
