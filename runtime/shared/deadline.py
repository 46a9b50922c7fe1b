"""One deadline for everything that has to be done within a time, however many calls and retries that is.

A flow's Lambda block waits 8 s at most, Twilio 15 s. Time limits of single calls do not add up to a limit of the whole
once there are retries, so every call asks the deadline how long it may take.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable

_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 1.0


class Deadline:
    """A point in time, `seconds` from now. Not for longer than an invocation: Lambda freezes clocks in between."""

    def __init__(
        self,
        seconds: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._end = clock() + seconds

    def remaining(self) -> float:
        """Return the seconds that are left, 0 if none are."""
        return max(0.0, self._end - self._clock())

    def earlier(self, seconds: float) -> Deadline:
        """Return a deadline that keeps `seconds` back, for what has to be done afterwards."""
        return Deadline(self.remaining() - seconds, clock=self._clock, sleep=self._sleep)

    def wait(self, seconds: float) -> bool:
        """Sleep; at once False if no time would be left afterwards."""
        if seconds >= self.remaining():
            return False
        self._sleep(seconds)
        return True

    def pause(self, attempt: int) -> bool:
        """Sleep a random time before the retry number `attempt` (1, 2, …); False if no time would be left for it.

        The pause is drawn evenly from 0 to 0.1 s, 0.2 s, 0.4 s and so on up to 1 s: chats that failed together
        do not come back together.
        """
        longest = min(_LONGEST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2.0 ** (attempt - 1))
        return self.wait(random.uniform(0, longest))  # noqa: S311 (spreads load, guards nothing)
