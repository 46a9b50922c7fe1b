"""How strict a voice biometric gate is, how callers come back, and what the functions are told of both."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

import aws_cdk as cdk

from connect_bridges.shared.checks import E164, check, check_range

TELEPHONY_PROMPTS = (
    *("consent", "enrol", "verify", "again", "enrolled"),
    *("passed", "failed", "unavailable", "consent_refused", "not_expected"),
)
"""Names of what the caller hears on the telephony side."""
_PROMPTS_LIMIT = 2_400  # bytes: a function's environment variables share 4 KB
_SHORTEST_DIALOGUE = 300  # seconds
_AROUND_A_RECORDING = 25  # seconds: the words before it, the judgement after it
_CLAIM_MARGIN = 60  # seconds: for the prompt before the transfer, and for the digits after it
_SHORTEST_RECORDING, _LONGEST_RECORDING = 2, 30  # seconds
_USUAL_RECORDING = 5  # seconds
_CHARACTERS_A_SECOND = 12


class ReturnMode(Enum):
    """How the caller comes back from the telephony number.

    RESUME: the telephony side hangs up and the flow goes on; the proof is bound to the contact. REDIAL: the telephony
    side dials the Connect number (guide 004); that is a new contact, so the proof can only be bound to the phone number
    and to some seconds. Choose RESUME unless the flow cannot wait.
    """

    RESUME = "RESUME"
    REDIAL = "REDIAL"


@dataclass(frozen=True, kw_only=True)
class VoiceCheckRules:
    """How strict the check is.

    enrolments: recordings that make a voice print. tries: per call. lock_after: failed tries in a row, over all calls
    of a number, until it is locked for lock_time. proof_lifetime: from the proof to its use; None is 60 seconds with
    RESUME, 10 with REDIAL. retention: after which an unused voice print is deleted. min_confidence: percent that a
    match needs on top of the provider's own threshold; 0 leaves it to the provider. self_enrolment: whether a caller
    without a voice print may make one; the first voice on a number is believed, see docs/voice-biometrics.md.
    """

    enrolments: int = 3
    tries: int = 3
    lock_after: int = 3
    lock_time: cdk.Duration | None = None
    proof_lifetime: cdk.Duration | None = None
    retention: cdk.Duration | None = None
    min_confidence: int = 0
    self_enrolment: bool = True


def check_return_mode(return_mode: ReturnMode, redial_number: str | None) -> None:
    """Refuse a return mode without its number, and a number without its return mode; raises ``ValueError``."""
    if return_mode is ReturnMode.REDIAL:
        if redial_number is None:
            raise ValueError(
                "return_mode REDIAL needs redial_number, the Connect number that is dialled afterwards."
            )
        check("redial_number", redial_number, E164)
    elif redial_number is not None:
        raise ValueError(
            f"redial_number is {redial_number!r}, yet with return_mode RESUME nothing is dialled; leave it out."
        )


def policy_environment(
    return_mode: ReturnMode, rules: VoiceCheckRules, connection_time_limit: cdk.Duration, record_seconds: int
) -> dict[str, str]:
    """Return the state machine's environment variables; raises ``ValueError`` naming the rule.

    The one-time code lives a minute longer than the telephony side may take to answer, so that it is never too old
    for a call that came about. A dialogue may take as long as every recording that it can ask for, and five minutes at
    least.
    """
    lock_time = rules.lock_time or cdk.Duration.minutes(15)
    default_lifetime = cdk.Duration.seconds(60 if return_mode is ReturnMode.RESUME else 10)
    lifetime = rules.proof_lifetime or default_lifetime
    retention = rules.retention or cdk.Duration.days(365)
    check_range("rules.enrolments", rules.enrolments, 1, 10, "recordings")
    check_range("rules.tries", rules.tries, 1, 10, "tries")
    check_range("rules.lock_after", rules.lock_after, 1, 100, "failed tries")
    check_range("rules.lock_time", lock_time.to_seconds(), 1, 2_592_000, "seconds")
    check_range("rules.proof_lifetime", lifetime.to_seconds(), 1, 600, "seconds")
    check_range("rules.retention", retention.to_days(), 1, 3650, "days")
    check_range("rules.min_confidence", rules.min_confidence, 0, 100, "percent")
    longest = 60 + (rules.enrolments + rules.tries) * (record_seconds + _AROUND_A_RECORDING)
    return {
        "RETURN_MODE": return_mode.value,
        "ENROLMENTS_NEEDED": str(rules.enrolments),
        "MAX_TRIES": str(rules.tries),
        "LOCK_AFTER": str(rules.lock_after),
        "LOCK_SECONDS": str(int(lock_time.to_seconds())),
        "PROOF_SECONDS": str(int(lifetime.to_seconds())),
        "CLAIM_SECONDS": str(int(connection_time_limit.to_seconds()) + _CLAIM_MARGIN),
        "SESSION_SECONDS": str(max(_SHORTEST_DIALOGUE, longest)),
        "RETENTION_DAYS": str(int(retention.to_days())),
        "SELF_ENROLMENT": "true" if rules.self_enrolment else "false",
    }


def recording_seconds(limit: cdk.Duration | None, phrase: str) -> int:
    """Return how long a recording may get; without a limit, long enough for the phrase.

    That is 12 characters a second and 2 s to begin with, at least 5 s and at most 30 s. Raises ``ValueError`` for a
    limit that is not 2 to 30 whole seconds.
    """
    if limit is None:
        needed = math.ceil(len(phrase) / _CHARACTERS_A_SECOND) + 2
        return min(max(needed, _USUAL_RECORDING), _LONGEST_RECORDING)
    seconds = limit.to_milliseconds() / 1000
    check_range("recording_limit", seconds, _SHORTEST_RECORDING, _LONGEST_RECORDING, "seconds")
    if seconds != int(seconds):
        raise ValueError(f"recording_limit is {seconds:g} seconds; choose whole seconds.")
    return int(seconds)


def prompts_environment(prompts: Mapping[str, str] | None) -> str:
    """Return the dialogue's texts as one environment variable; raises ``ValueError`` naming the text."""
    for name, text in (prompts or {}).items():
        if name not in TELEPHONY_PROMPTS or not text:
            raise ValueError(
                f"telephony_prompts holds {name!r}: {text!r}; write texts by these names: "
                f"{', '.join(TELEPHONY_PROMPTS)}."
            )
    written = json.dumps(dict(prompts or {}), ensure_ascii=False)
    if len(written.encode()) > _PROMPTS_LIMIT:
        raise ValueError(
            f"telephony_prompts take {len(written.encode())} bytes; shorten them to {_PROMPTS_LIMIT}: all environment "
            "variables of a function share 4 KB."
        )
    return written
