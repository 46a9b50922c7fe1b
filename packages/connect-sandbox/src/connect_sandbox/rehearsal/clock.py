"""A clock that a rehearsal moves on itself, so that a 15-minute wait takes no time."""

from datetime import UTC, datetime, timedelta


class TimeIsUpError(Exception):
    """The clock has come to its alarm: what was going on is interrupted. The engine catches it."""


class VirtualClock:
    """Seconds since the contact began. It only moves when something that takes time on a live call happens.

    `starts` is the wall-clock time of second 0 (default: now, UTC), `elapsed` the second to begin with.
    """

    def __init__(self, starts: datetime | None = None, elapsed: float = 0.0) -> None:
        self._starts = starts or datetime.now(UTC)
        self._elapsed = elapsed
        self._alarm: float | None = None

    @property
    def elapsed(self) -> float:
        """Seconds since the contact began."""
        return self._elapsed

    @property
    def now(self) -> datetime:
        """The wall-clock time that the contact sees."""
        return self._starts + timedelta(seconds=self._elapsed)

    def passes(self, seconds: float) -> None:
        """Move on by `seconds`, which cannot be negative."""
        if seconds < 0:
            raise ValueError(f"time does not run backwards: passes({seconds})")
        until = self._elapsed + seconds
        if self._alarm is not None and until >= self._alarm:
            self._elapsed, self._alarm = max(self._elapsed, self._alarm), None
            raise TimeIsUpError
        self._elapsed = until

    @property
    def has_alarm(self) -> bool:
        """Tell whether the clock will interrupt what is going on."""
        return self._alarm is not None

    def set_alarm(self, at: float | None) -> None:
        """Raise TimeIsUpError once when the clock comes to second `at`; None takes the alarm back."""
        self._alarm = at

    def fork(self) -> "VirtualClock":
        """Return a clock at the same time that runs on its own, for what happens at once."""
        return VirtualClock(self._starts, self._elapsed)
