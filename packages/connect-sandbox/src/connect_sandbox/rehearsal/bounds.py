"""How far a rehearsal may go: an error stops a flow that never ends, before it fills the memory."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Literal

Bound = Literal["seconds", "blocks", "entries", "characters"]
"""What is bounded, by the name of its field in Bounds."""

REFERENCE_COST = 40
"""Characters that looking up a reference counts as: about what it costs in time."""
NODE_COST = 40
"""Characters that each value in JSON counts as, whatever it is."""
_DAY = 86_400


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """The bounds of one contact; a BoundExceededError stops a contact that would go past one.

    `seconds` of virtual time are 8 days by default, since Amazon Connect keeps a chat for 7 days at most. `blocks`
    counts the blocks played, `entries` those of the transcript, `characters` all the text that blocks put together
    and the transcript keeps; a reference that is looked up counts as 40 characters, and so does each value in JSON.
    ValueError for a bound that is not a positive, finite number.
    """

    seconds: float = 8.0 * _DAY
    blocks: int = 10_000
    entries: int = 50_000
    characters: int = 20_000_000

    def __post_init__(self) -> None:
        for bound in fields(self):
            value = getattr(self, bound.name)
            if not (math.isfinite(value) and value > 0):
                raise ValueError(f"{bound.name} must be a positive, finite number, is {value}")


DEFAULT_BOUNDS = Bounds()
"""The bounds unless a scenario or a test sets others."""


class BoundReachedError(Exception):
    """Something ran into a bound. The engine catches it and raises a BoundExceededError that names the block."""

    def __init__(self, bound: Bound, limit: float) -> None:
        super().__init__(f"{limit:,g} {bound}")
        self.bound: Bound = bound
        self.limit = limit


class Work:
    """Counts the characters that a contact's blocks and its transcript have processed, up to a bound."""

    def __init__(self, limit: int = DEFAULT_BOUNDS.characters) -> None:
        self.limit = limit
        self.done = 0

    def add(self, characters: int) -> None:
        """Count some more; BoundReachedError past the limit."""
        self.done += characters
        if self.done > self.limit:
            raise BoundReachedError("characters", self.limit)
