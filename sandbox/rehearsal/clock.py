"""A clock that a rehearsal moves on itself, so that a 15-minute wait takes no time."""

from datetime import UTC, datetime, timedelta


class VirtualClock:
    """Seconds since the contact began. It only moves when something that takes time on a live call happens.

    `starts` is the wall-clock time of second 0 (default: now, UTC).
    """

    def __init__(self, starts: datetime | None = None) -> None:
        self._starts = starts or datetime.now(UTC)
        self._elapsed = 0.0

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
        self._elapsed += seconds
