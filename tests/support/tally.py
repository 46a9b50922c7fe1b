"""What a soak counts: what was played, and what must not happen."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

NEVER: Mapping[str, str] = {
    "ownError": "own 5xx",
    "hang": "hangs",
    "tracebacks": "tracebacks",
    "secrets": "secrets in logs",
    "digits": "numbers or codes in logs",
    "unaccounted": "messages unaccounted for",
    "undocumented": "undocumented answers",
    "letIn": "let in without the right credentials",
}
"""What must not happen, and how the summary calls it. Other findings are counted by their own names."""


@dataclass
class Tally:
    """Adds up what the parts of a soak report."""

    played: list[str] = field(default_factory=list)
    counted: Counter[str] = field(default_factory=Counter)
    shown: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(
        self, what: str, seconds: float, number: int, found: Mapping[str, int], shown: list[str] | None = None
    ) -> None:
        """Take what was played (`what`, so many of them in so many seconds), and what was found."""
        with self._lock:
            self.played.append(
                f"{number:,} {what} in {seconds:.0f} s: {number / max(seconds, 0.001):,.0f} a second"
            )
            self.counted.update(found)
            self.shown += shown or []

    def wrong(self, *kinds: str) -> int:
        """Return how often these kinds of findings came; all kinds without an argument."""
        return sum(number for kind, number in self.counted.items() if not kinds or kind in kinds)

    def lines(self) -> list[str]:
        """Return the summary: what was played, each count that should be 0, and what was found."""
        others = sorted(set(self.counted) - set(NEVER))
        counts = {words: self.counted[kind] for kind, words in NEVER.items()}
        counts |= {kind: self.counted[kind] for kind in others if self.counted[kind]}
        return [
            *self.played,
            ", ".join(f"{words}: {number}" for words, number in counts.items()),
            *self.shown,
        ]
