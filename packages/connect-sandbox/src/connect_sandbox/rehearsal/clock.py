"""A clock that the rehearsal advances, so that a 15-minute wait takes no time."""

import math
from datetime import UTC, datetime, timedelta

from connect_sandbox.rehearsal.bounds import DEFAULT_BOUNDS, BoundReachedError


class TimeIsUpError(Exception):
    """The clock has reached its alarm and interrupts what is going on. The engine catches it."""


class VirtualClock:
    """Seconds since the contact began. It only moves when something that takes time on a live call happens.

    `starts` is the wall-clock time of second 0 (default: now, UTC), `elapsed` the second at which it starts. It
    refuses to pass second `limit`, which the contact takes from its bounds.
    """

    def __init__(self, starts: datetime | None = None, elapsed: float = 0.0) -> None:
        self._starts = starts or datetime.now(UTC)
        self._elapsed = elapsed
        self._alarm: float | None = None
        self.limit = DEFAULT_BOUNDS.seconds

    @property
    def elapsed(self) -> float:
        """Seconds since the contact began."""
        return self._elapsed

    @property
    def now(self) -> datetime:
        """The wall-clock time that the contact sees."""
        return self._starts + timedelta(seconds=self._elapsed)

    def passes(self, seconds: float) -> None:
        """Advance by `seconds`.

        Raises TimeIsUpError at the alarm, BoundReachedError at the limit, ValueError for seconds that cannot pass.
        """
        if not seconds >= 0 or seconds == math.inf:  # "not >=" also refuses NaN
            raise ValueError(f"seconds must be finite and not negative, are {seconds}")
        # Compared before they are added: a whole number of seconds may be too large for a float.
        if self._alarm is not None and seconds >= self._alarm - self._elapsed and self._alarm <= self.limit:
            self._elapsed, self._alarm = max(self._elapsed, self._alarm), None
            raise TimeIsUpError
        if seconds > self.limit - self._elapsed:
            raise BoundReachedError("seconds", self.limit)
        self._elapsed += seconds

    def passes_until_alarm(self) -> None:
        """Advance to the alarm, which must be set: TimeIsUpError there, BoundReachedError if the limit is before it."""
        if self._alarm is None:
            raise ValueError("no alarm is set")
        self.passes(max(0.0, self._alarm - self._elapsed))

    @property
    def has_alarm(self) -> bool:
        """Return whether the clock will interrupt what is going on."""
        return self._alarm is not None

    def set_alarm(self, at: float | None) -> None:
        """Raise TimeIsUpError once when the clock reaches second `at`; None cancels the alarm."""
        self._alarm = at

    def fork(self) -> "VirtualClock":
        """Return an independent clock at the same time, for what happens simultaneously."""
        fork = VirtualClock(self._starts, self._elapsed)
        fork.limit = self.limit
        return fork
