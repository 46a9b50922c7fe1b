"""What a voice biometrics provider's answer means to us, whatever the provider."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Decision(StrEnum):
    """What to do with a recording that was judged."""

    ACCEPTED = "accepted"
    """It was enrolled, or the voice is the enrolled one."""
    MISMATCH = "mismatch"
    """Another voice, or a recording played back: counts towards the lock."""
    RETRY = "retry"
    """The recording cannot be judged (too quiet, another phrase): the caller says it again."""
    UNAVAILABLE = "unavailable"
    """The provider cannot answer now, or was asked something that it cannot answer: nobody's voice is at fault."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """A decision, the provider's own code for it, and its confidence in percent if it gave one."""

    decision: Decision
    code: str
    confidence: float | None = None
