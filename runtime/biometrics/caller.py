"""What is known about a caller: one immutable value per phone number, and nothing about how it is stored."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Purpose(StrEnum):
    """Why the caller is sent to the telephony number."""

    ENROL = "enrol"
    VERIFY = "verify"


class Stage(StrEnum):
    """How far a session has come.

    JUDGING means that a turn is taken: a webhook is at work on it, and no other may be. DIALLED means that the
    flow was told to transfer, and that no call has shown the session's code yet.
    """

    DIALLED = "dialled"
    CONSENT = "consent"
    LISTENING = "listening"
    JUDGING = "judging"


class Result(StrEnum):
    """How a session ended.

    FAILED: a voice did not match. NOT_UNDERSTOOD: nothing came that could be judged. INCOMPLETE: the call was over
    before its dialogue, and no voice had been refused.
    """

    ENROLLED = "enrolled"
    PASSED = "passed"
    FAILED = "failed"
    NOT_UNDERSTOOD = "notUnderstood"
    UNAVAILABLE = "unavailable"
    REFUSED = "refused"
    INCOMPLETE = "incomplete"


class Consent(StrEnum):
    """What the caller said to being recognised by voice."""

    GIVEN = "given"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One visit to the telephony number, opened by the gate for one contact.

    ``code`` are the digits that the flow sends on the call it places, so that this call and no other can claim the
    session; empty once claimed. ``call_sid`` is the call that claimed it. ``turn`` numbers the webhooks of the
    dialogue: each may be answered once. ``tries`` counts the turns that led nowhere, ``refused`` those of them in which
    the voice did not match. ``guesses`` counts calls that showed a wrong code. ``expires_at`` is Unix time in seconds.
    """

    contact_id: str
    purpose: Purpose
    stage: Stage
    expires_at: int
    code: str = ""
    call_sid: str = ""
    turn: int = 0
    tries: int = 0
    refused: int = 0
    guesses: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a session ended, waiting to be consumed once by the gate.

    ``contact_id`` is the contact whose session it was; ``at`` and ``expires_at`` are Unix times in seconds;
    ``confidence`` is the provider's, in percent, as text, or empty.
    """

    result: Result
    contact_id: str
    at: int
    expires_at: int
    confidence: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Everything about one phone number. ``Caller()`` is a caller that nobody has heard of.

    ``user_id`` is the provider's id, empty if there is none; ``discarded`` are ids of unfinished enrolments that have
    to be deleted there. ``failures`` counts voices that did not match since the last one that did, across calls;
    ``refusals`` are the times of all of them within the last 30 days. ``late_proofs`` counts proofs in a row that came
    back too late (REDIAL). ``recordings`` are ids of recordings that lie at the telephony provider.
    ``erasing`` means that somebody asked to forget the caller: nothing starts any more. ``calls`` are then the calls
    whose recordings have not been looked for yet, and ``inventoried`` tells that all calls are known.
    ``retain_until``: Unix time in seconds after which an unused caller is forgotten; 0 if not set yet.
    ``phrases`` are what the voice print was made with, in the order of its recordings, and ``asked`` is the one that
    verification asks for until a voice was accepted; both are empty unless there are several phrases.
    """

    user_id: str = ""
    discarded: tuple[str, ...] = ()
    consent: Consent | None = None
    enrolments: int = 0
    failures: int = 0
    refusals: tuple[int, ...] = ()
    locked_until: int = 0
    late_proofs: int = 0
    session: Session | None = None
    outcome: Outcome | None = None
    recordings: tuple[str, ...] = ()
    erasing: bool = False
    calls: tuple[str, ...] = ()
    inventoried: bool = False
    retain_until: int = 0
    phrases: tuple[str, ...] = ()
    asked: str = ""

    def state(self, needed: int, now: int) -> str:
        """Name the state, for people who read logs and tests; decisions look at the fields.

        needed: how many enrolments make a voice print.
        """
        verifying = self.session is not None and self.session.purpose is Purpose.VERIFY
        proven = self.outcome is not None and self.outcome.result is Result.PASSED
        names = {
            "erasing": self.erasing,
            "locked": now < self.locked_until,
            "verified": proven,
            "verifying": verifying,
            "enrolled": bool(self.user_id) and self.enrolments >= needed,
            "enrolling": bool(self.user_id) and self.enrolments > 0,
            "created": bool(self.user_id),
        }
        return next((name for name, holds in names.items() if holds), "unknown")
