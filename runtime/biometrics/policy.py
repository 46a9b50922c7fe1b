"""The settings of the state machine, read from the environment."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum

from runtime.biometrics import limits
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
    the end of the dialogue. ``proof_seconds``: from the proof to its use. ``day_tries``, ``month_tries``: voices that
    may be refused within 24 hours and within 30 days. ``phrases``: those of which verification asks for one at random;
    empty if there is one phrase only. ``enrolments_needed``: recordings that make a voice print, of all phrases.
    """

    return_mode: ReturnMode = ReturnMode.RESUME
    enrolments_needed: int = limits.ENROLMENTS
    max_tries: int = limits.TRIES
    lock_after: int = limits.LOCK_AFTER
    lock_seconds: int = limits.LOCK_SECONDS
    day_tries: int = limits.DAY_TRIES
    month_tries: int = limits.MONTH_TRIES
    proof_seconds: int = limits.PROOF_SECONDS
    claim_seconds: int = limits.CLAIM_SECONDS
    session_seconds: int = limits.SESSION_SECONDS
    retention_seconds: int = limits.RETENTION_DAYS * 86_400
    self_enrolment: bool = True
    phrases: tuple[str, ...] = ()

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

        def number(name: str, default: int, bounds: tuple[int, int]) -> int:
            return environment.whole_number(name, default=default, within=bounds)

        phrases = _phrases(environment)
        enrolments = number("ENROLMENTS_NEEDED", limits.ENROLMENTS, limits.ENROLMENTS_RANGE)
        return cls(
            return_mode=ReturnMode.REDIAL if redial else ReturnMode.RESUME,
            enrolments_needed=enrolments * max(1, len(phrases)),
            max_tries=number("MAX_TRIES", limits.TRIES, limits.TRIES_RANGE),
            lock_after=number("LOCK_AFTER", limits.LOCK_AFTER, limits.LOCK_AFTER_RANGE),
            lock_seconds=number("LOCK_SECONDS", limits.LOCK_SECONDS, limits.LOCK_SECONDS_RANGE),
            day_tries=number("DAY_TRIES", limits.DAY_TRIES, limits.DAY_TRIES_RANGE),
            month_tries=number("MONTH_TRIES", limits.MONTH_TRIES, limits.MONTH_TRIES_RANGE),
            proof_seconds=number(
                "PROOF_SECONDS",
                limits.REDIAL_PROOF_SECONDS if redial else limits.PROOF_SECONDS,
                limits.PROOF_SECONDS_RANGE,
            ),
            claim_seconds=number("CLAIM_SECONDS", limits.CLAIM_SECONDS, limits.CLAIM_SECONDS_RANGE),
            session_seconds=number("SESSION_SECONDS", limits.SESSION_SECONDS, limits.SESSION_SECONDS_RANGE),
            retention_seconds=86_400
            * number("RETENTION_DAYS", limits.RETENTION_DAYS, limits.RETENTION_DAYS_RANGE),
            self_enrolment=self_enrolment == "true",
            phrases=phrases,
        )


def _phrases(environment: Environment) -> tuple[str, ...]:
    """Read PHRASES, a JSON array; none if it is not set. ENROLMENTS_NEEDED is for each of them."""
    try:
        given = json.loads(environment.text("PHRASES", default="[]"))
    except ValueError:
        given = None
    least, most = limits.PHRASES_RANGE
    if (
        not isinstance(given, list)
        or not all(isinstance(one, str) and limits.PHRASE_TEXT.fullmatch(one) for one in given)
        or (given and (not least <= len(given) <= most or len(set(given)) < len(given)))
    ):
        environment.refuse(f"PHRASES must be a JSON array of {least} to {most} different phrases")
        return ()
    return tuple(given)
