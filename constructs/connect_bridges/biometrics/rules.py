"""How strict a voice check is, how callers get there and back, what they hear, and what the functions are told."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Literal

import aws_cdk as cdk

from connect_bridges.shared.checks import (
    E164,
    Problems,
    check,
    check_choice,
    check_duration,
    check_flag,
    check_whole,
)
from connect_bridges.shared.runtime_modules import runtime_module

if TYPE_CHECKING:
    from runtime.biometrics import limits
else:
    limits = runtime_module("biometrics.limits")

TELEPHONY_PROMPTS = (
    *("consent", "enrol", "verify", "again", "enrolled"),
    *("passed", "failed", "unavailable", "consent_refused", "not_expected"),
)
"""Names of what the caller hears on the telephony side."""
_PROMPTS_LIMIT = 2_400  # bytes: a function's environment variables share 4 KB
_AROUND_A_RECORDING = 25  # seconds: the words before it, the judgement after it
_CHARACTERS_A_SECOND = 12


class ReturnMode(Enum):
    """How the caller comes back from the telephony number.

    RESUME: the telephony side hangs up and the flow goes on; the proof is bound to the contact. REDIAL: the telephony
    side dials the Connect number, as VoiceIt and Twilio's demo guide has it
    (docs/guides.md#biometrics-2-9-4); that is a new contact, so the proof can only be bound to the phone number and to
    some seconds. Choose RESUME unless the flow cannot wait.
    """

    RESUME = "RESUME"
    REDIAL = "REDIAL"


@dataclass(frozen=True, kw_only=True)
class CallerTransfer:
    """How callers get to the telephony number, and how they come back.

    redial_number: the Connect number that the telephony side dials; needed with REDIAL, refused with RESUME.
    connection_time_limit: how long the telephony side may take to answer; 1 to 600 seconds, default 30. The one-time
    code that the call has to bring is valid a minute longer.
    Raises ``ValueError`` naming everything that is wrong.
    """

    return_mode: ReturnMode = ReturnMode.RESUME
    redial_number: str | None = None
    connection_time_limit: cdk.Duration | None = None

    def __post_init__(self) -> None:
        problems = Problems("CallerTransfer")
        problems.collect(check_choice, "return_mode", self.return_mode, tuple(ReturnMode))
        if self.return_mode is ReturnMode.REDIAL:
            if self.redial_number is None:
                problems.add(
                    "return_mode REDIAL needs redial_number, the Connect number that is dialled afterwards."
                )
            else:
                problems.collect(check, "redial_number", self.redial_number, E164)
        elif self.redial_number is not None:
            problems.add(
                f"redial_number is {self.redial_number!r}, yet with return_mode RESUME nothing is dialled; leave it "
                "out."
            )
        if self.connection_time_limit is not None:
            problems.collect(
                check_duration,
                "connection_time_limit",
                self.connection_time_limit,
                limits.CONNECTION_SECONDS_RANGE,
            )
        problems.raise_all()

    @property
    def connection_seconds(self) -> int:
        """The connection time limit in seconds."""
        limit = self.connection_time_limit
        return limits.CONNECTION_SECONDS if limit is None else int(limit.to_seconds())


@dataclass(frozen=True, kw_only=True)
class VoiceCheckRules:
    """How strict the check is.

    enrolments: recordings of each phrase that make a voice print, 1 to 10; raising it has enrolled callers begin again.
    tries: per call, 1 to 10. lock_after: failed tries in a row, over all calls of a number, until it is locked for
    lock_time (1 second to 30 days; None is 15 minutes). day_tries, month_tries: failed tries of a number within 24
    hours and within 30 days, whatever came between, until it is locked for as long (1 to 1,000); see
    ``unlock_function``.
    proof_lifetime: from the proof to its use, 1 to 600 seconds; None is 60 with RESUME, 10 with REDIAL. retention:
    after which an unused voice print is deleted, 1 to 3,650 days; None is 365. min_confidence: percent that a match
    needs on top of the provider's own threshold; 0 leaves it to the provider. self_enrolment: whether a caller without
    a voice print may make one; the first voice on a number is trusted, see docs/voice-biometrics.md.
    Raises ``ValueError`` naming every wrong rule.
    """

    enrolments: int = limits.ENROLMENTS
    tries: int = limits.TRIES
    lock_after: int = limits.LOCK_AFTER
    lock_time: cdk.Duration | None = None
    day_tries: int = limits.DAY_TRIES
    month_tries: int = limits.MONTH_TRIES
    proof_lifetime: cdk.Duration | None = None
    retention: cdk.Duration | None = None
    min_confidence: int = limits.MIN_CONFIDENCE
    self_enrolment: bool = True

    def __post_init__(self) -> None:
        problems = Problems("VoiceCheckRules")
        for name, number, limit, unit in (
            ("enrolments", self.enrolments, limits.ENROLMENTS_RANGE, "recordings"),
            ("tries", self.tries, limits.TRIES_RANGE, "tries"),
            ("lock_after", self.lock_after, limits.LOCK_AFTER_RANGE, "failed tries"),
            ("day_tries", self.day_tries, limits.DAY_TRIES_RANGE, "failed tries"),
            ("month_tries", self.month_tries, limits.MONTH_TRIES_RANGE, "failed tries"),
            ("min_confidence", self.min_confidence, limits.MIN_CONFIDENCE_RANGE, "percent"),
        ):
            problems.collect(check_whole, f"rules.{name}", number, limit, unit)
        for name, duration, limit, unit in (
            ("lock_time", self.lock_time, limits.LOCK_SECONDS_RANGE, "seconds"),
            ("proof_lifetime", self.proof_lifetime, limits.PROOF_SECONDS_RANGE, "seconds"),
            ("retention", self.retention, limits.RETENTION_DAYS_RANGE, "days"),
        ):
            if duration is not None:
                problems.collect(check_duration, f"rules.{name}", duration, limit, unit)
        problems.collect(check_flag, "rules.self_enrolment", self.self_enrolment)
        problems.raise_all()

    @property
    def lock_seconds(self) -> int:
        """How long a number stays locked, in seconds."""
        return limits.LOCK_SECONDS if self.lock_time is None else int(self.lock_time.to_seconds())

    @property
    def retention_days(self) -> int:
        """How long an unused voice print is kept, in days."""
        return limits.RETENTION_DAYS if self.retention is None else int(self.retention.to_days())

    def proof_seconds(self, return_mode: ReturnMode) -> int:
        """Return how long a proof is good for, in seconds."""
        if self.proof_lifetime is not None:
            return int(self.proof_lifetime.to_seconds())
        return limits.REDIAL_PROOF_SECONDS if return_mode is ReturnMode.REDIAL else limits.PROOF_SECONDS


@dataclass(frozen=True, kw_only=True)
class VoiceDialogue:
    """How the telephony side speaks with callers and what becomes of recordings; the phrase belongs to the preset.

    voice: who speaks (a voice of Twilio's <Say>); None is the provider's own. prompts: texts by name (consent, enrol,
    verify, again, enrolled, passed, failed, unavailable, consent_refused, not_expected) that differ from the defaults;
    2,400 bytes in all.
    recording_transfer: "fetch" hands the recording itself to the provider, and works with Twilio's media
    authentication switched on; "url" hands over its address, which needs that switched off (newer accounts cannot), or
    a provider with credentials. Whoever has the address can listen until it is deleted.
    recording_limit: how long a recording may get, 2 to 30 whole seconds; default is long enough for the phrase (12
    characters a second and 2 s), at least 5 s.
    delete_recordings: have the telephony provider delete recordings once they are judged.
    Raises ``ValueError`` naming everything that is wrong.
    """

    voice: str | None = None
    prompts: Mapping[str, str] = field(default_factory=dict)
    recording_transfer: Literal["fetch", "url"] = "fetch"
    recording_limit: cdk.Duration | None = None
    delete_recordings: bool = True

    def __post_init__(self) -> None:
        problems = Problems("VoiceDialogue")
        if self.voice is not None:
            problems.collect(
                check,
                "voice",
                self.voice,
                limits.VOICE_NAME,
                "a voice's name; write one such as Polly.Joanna",
            )
        problems.collect(prompts_environment, self.prompts)
        if self.recording_transfer not in limits.RECORDING_TRANSFERS:
            problems.add(f"recording_transfer is {self.recording_transfer!r}; choose 'fetch' or 'url'.")
        problems.collect(self.record_seconds, limits.PHRASE)
        problems.collect(check_flag, "delete_recordings", self.delete_recordings)
        problems.raise_all()

    def record_seconds(self, phrase: str) -> int:
        """Return how long a recording may get; without a limit, long enough for the phrase.

        That is 12 characters a second and 2 s to begin with, at least 5 s and at most 30 s. Raises ``ValueError`` for
        a limit that is not 2 to 30 whole seconds.
        """
        if self.recording_limit is None:
            needed = math.ceil(len(phrase) / _CHARACTERS_A_SECOND) + 2
            return min(max(needed, limits.RECORD_SECONDS), limits.RECORD_SECONDS_RANGE[1])
        check_duration("recording_limit", self.recording_limit, limits.RECORD_SECONDS_RANGE)
        return int(self.recording_limit.to_seconds())


def check_phrases(phrases: object, phrase: str, enrolments: int) -> None:
    """Raise ``ValueError`` unless these are no phrases, or several that a gate can ask for.

    phrase: the one that they replace, which has to be its default or one of them. enrolments: recordings of each.
    """
    if isinstance(phrases, str) or not isinstance(phrases, Sequence):
        raise ValueError(f'phrases is {phrases!r}; write a list of them, such as ["…", "…"].')
    if not phrases:
        return
    least, most = limits.PHRASES_RANGE
    if not least <= len(phrases) <= most:
        raise ValueError(f"phrases holds {len(phrases)}; write {least} to {most}, or phrase for one.")
    _check_texts(phrases)
    if phrase not in (limits.PHRASE, *phrases):
        raise ValueError(f"phrase is {phrase!r}, and phrases are given, which do without it; leave one out.")
    recordings = enrolments * len(phrases)
    if recordings > limits.ENROLMENT_RECORDINGS:
        raise ValueError(
            f"{len(phrases)} phrases and {enrolments} enrolments of each make {recordings} recordings in one call; "
            f"give fewer phrases or enrolments: {limits.ENROLMENT_RECORDINGS} are the most."
        )


def _check_texts(phrases: Sequence[object]) -> None:
    known: dict[str, str] = {}
    for one in phrases:
        if not isinstance(one, str) or limits.PHRASE_TEXT.fullmatch(one) is None:
            raise ValueError(f"phrases holds {one!r}; write 3 to 200 characters on one line.")
        words = " ".join(one.casefold().split())
        if words in known:
            raise ValueError(
                f"phrases holds {known[words]!r} and {one!r}, which sound the same; choose others."
            )
        known[words] = one
    size = sum(len(one.encode()) for one in known.values())
    if size > limits.PHRASES_BYTES:
        raise ValueError(
            f"phrases take {size} bytes; shorten them to {limits.PHRASES_BYTES}: all environment variables of a "
            "function share 4 KB."
        )


def phrases_environment(phrases: Sequence[str]) -> dict[str, str]:
    """Return the environment variable of several phrases, nothing if there are none."""
    return {"PHRASES": json.dumps(list(phrases), ensure_ascii=False)} if phrases else {}


def policy_environment(
    transfer: CallerTransfer, rules: VoiceCheckRules, record_seconds: int, phrases: Sequence[str] = ()
) -> dict[str, str]:
    """Return the state machine's environment variables.

    The one-time code is valid a minute longer than the telephony side may take to answer, so that it is never too old
    for a connected call. A dialogue may take as long as every recording that it can ask for, and five minutes at
    least.
    """
    recordings = rules.enrolments * max(1, len(phrases))
    longest = 60 + (recordings + rules.tries) * (record_seconds + _AROUND_A_RECORDING)
    return {
        "RETURN_MODE": transfer.return_mode.value,
        "ENROLMENTS_NEEDED": str(rules.enrolments),
        "MAX_TRIES": str(rules.tries),
        "LOCK_AFTER": str(rules.lock_after),
        "LOCK_SECONDS": str(rules.lock_seconds),
        "DAY_TRIES": str(rules.day_tries),
        "MONTH_TRIES": str(rules.month_tries),
        "PROOF_SECONDS": str(rules.proof_seconds(transfer.return_mode)),
        "CLAIM_SECONDS": str(transfer.connection_seconds + limits.CLAIM_MARGIN_SECONDS),
        "SESSION_SECONDS": str(max(limits.SESSION_SECONDS, longest)),
        "RETENTION_DAYS": str(rules.retention_days),
        "SELF_ENROLMENT": "true" if rules.self_enrolment else "false",
        **phrases_environment(phrases),
    }


def prompts_environment(prompts: Mapping[str, str]) -> str:
    """Return the dialogue's texts as one environment variable; raises ``ValueError`` naming the text."""
    if not isinstance(prompts, Mapping):
        raise ValueError(f'prompts is {prompts!r}; write texts by name, such as {{"failed": "Sorry."}}.')
    for name, text in prompts.items():
        if name not in TELEPHONY_PROMPTS or not text or not isinstance(text, str):
            raise ValueError(
                f"prompts holds {name!r}: {text!r}; write texts by these names: {', '.join(TELEPHONY_PROMPTS)}."
            )
    written = json.dumps(dict(prompts), ensure_ascii=False)
    if len(written.encode()) > _PROMPTS_LIMIT:
        raise ValueError(
            f"prompts take {len(written.encode())} bytes; shorten them to {_PROMPTS_LIMIT}: all environment "
            "variables of a function share 4 KB."
        )
    return written
