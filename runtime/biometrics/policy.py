"""The settings of the state machine, read from the environment."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from runtime.shared.environment import Environment


class ReturnMode(StrEnum):
    """How the caller comes back from the telephony number to Amazon Connect.

    RESUME: the telephony side hangs up and the flow that transferred goes on, so the proof is bound to the contact.
    REDIAL: the telephony side dials the Connect number, as VoiceIt and Twilio's demo does. That is a new contact, so
    the proof can only be bound to the phone number and to a short time.
    """

    RESUME = "RESUME"
    REDIAL = "REDIAL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What the state machine goes by; times in seconds.

    ``claim_seconds``: from the gate's answer to the code on the telephony call. ``session_seconds``: from there to
    the end of the dialogue. ``proof_seconds``: from the proof to its use.
    """

    return_mode: ReturnMode = ReturnMode.RESUME
    enrolments_needed: int = 3
    max_tries: int = 3
    lock_after: int = 3
    lock_seconds: int = 900
    proof_seconds: int = 60
    claim_seconds: int = 90
    session_seconds: int = 300
    retention_seconds: int = 365 * 86_400
    self_enrolment: bool = True

    @classmethod
    def read(cls, environment: Environment) -> Policy:
        """Read the settings; ``environment.check()`` is the caller's to call."""
        return_mode = environment.text(
            "RETURN_MODE", default="RESUME", pattern="RESUME|REDIAL", form="RESUME or REDIAL"
        )
        redial = return_mode == "REDIAL"
        self_enrolment = environment.text(
            "SELF_ENROLMENT", default="true", pattern="true|false", form="true or false"
        )
        return cls(
            return_mode=ReturnMode.REDIAL if redial else ReturnMode.RESUME,
            enrolments_needed=environment.whole_number("ENROLMENTS_NEEDED", default=3, minimum=1, maximum=10),
            max_tries=environment.whole_number("MAX_TRIES", default=3, minimum=1, maximum=10),
            lock_after=environment.whole_number("LOCK_AFTER", default=3, minimum=1, maximum=100),
            lock_seconds=environment.whole_number(
                "LOCK_SECONDS", default=900, minimum=1, maximum=86_400 * 30
            ),
            proof_seconds=environment.whole_number(
                "PROOF_SECONDS", default=10 if redial else 60, minimum=1, maximum=600
            ),
            claim_seconds=environment.whole_number("CLAIM_SECONDS", default=90, minimum=10, maximum=900),
            session_seconds=environment.whole_number(
                "SESSION_SECONDS", default=300, minimum=30, maximum=3600
            ),
            retention_seconds=86_400
            * environment.whole_number("RETENTION_DAYS", default=365, minimum=1, maximum=3650),
            self_enrolment=self_enrolment == "true",
        )
