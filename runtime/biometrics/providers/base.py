"""What a voice biometrics provider must be able to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from runtime.biometrics.judgement import Judgement
from runtime.shared.errors import BridgeError


class ProviderUnavailableError(BridgeError):
    """The provider did not answer, not in time, or not in a way that can be understood."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A recording of the phrase: its bytes (a WAV file), or the URL to fetch it from if ``audio`` is None."""

    url: str
    audio: bytes | None
    phrase: str
    language: str


class VoiceBiometricsProvider(Protocol):
    """Knows voices by ids of its own; never learns telephone numbers.

    Every method answers within the time limit that the implementation was made with. ``enrol`` and ``verify`` never
    raise: a provider that cannot answer is a Judgement of UNAVAILABLE.
    """

    name: str
    """Goes into the contact attribute biometricProvider."""

    def create_user(self) -> str:
        """Create a user without voice and return its id. Raises ProviderUnavailableError."""
        ...

    def enrol(self, user_id: str, sample: Sample) -> Judgement:
        """Add a recording to the user's voice print."""
        ...

    def verify(self, user_id: str, sample: Sample) -> Judgement:
        """Compare a recording with the user's voice print."""
        ...

    def delete_user(self, user_id: str) -> None:
        """Delete the user and everything that is known of the voice; one that is gone already is no error.

        Raises ProviderUnavailableError.
        """
