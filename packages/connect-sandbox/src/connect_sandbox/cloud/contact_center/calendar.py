"""The date in the sandbox: today's, or a later one, so that what takes days can be tried out."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field


@dataclass
class Calendar:
    """Tells the time; `passes` lets days go by for limits that count in days."""

    _ahead: dt.timedelta = field(default_factory=dt.timedelta)

    def now(self) -> dt.datetime:
        """Return the time, in UTC."""
        return dt.datetime.now(dt.UTC) + self._ahead

    def passes(self, *, days: float) -> None:
        """Let so many days pass."""
        self._ahead += dt.timedelta(days=days)
