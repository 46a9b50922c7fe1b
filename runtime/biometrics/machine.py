"""The state machine of a caller: pure functions from what is known and what happened to what is known next.

No clock, no table, no network: ``now`` is given (Unix time in seconds), and ``Transition.after`` is what a store must
write *on the condition that nothing has changed since it was read* (see ``table``). Of two writers that decided on the
same knowledge exactly one wins; the other decides anew on what it finds then.

Three rules carry the security of the gate; the model test (test_model.py) holds them against an attacker:

1. Only the gate opens a session, and only for a contact that Amazon Connect named.
2. Only a call that shows the session's one-time code joins it, and only that call's webhooks, each turn once, move it.
3. A proof is removed by the very write that uses it; it counts for its contact only (RESUME), or once within its
   seconds for its number (REDIAL); never before its own time.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Generic, TypeVar

from runtime.biometrics.caller import (
    Caller,
    Consent,
    Outcome,
    Purpose,
    Result,
    Session,
    Stage,
)
from runtime.biometrics.judgement import Decision, Judgement
from runtime.biometrics.policy import Policy, ReturnMode

T = TypeVar("T")

MOST_LATE_PROOFS = 2
"""After so many proofs in a row that came back too late (REDIAL) the caller goes on unverified."""


class Branch(StrEnum):
    """What the flow compares $.External.Branch with.

    The words are those of VoiceIt and Twilio's demo guide (docs/guides.md#biometrics-1-1), and two more.
    """

    ENROL_FROM_SCRATCH = "enrollfromscratch"
    ENROL = "enroll"
    VERIFY = "verify"
    VERIFIED = "verified"
    FAILED = "failedverified"
    LOCKED = "locked"
    UNAVAILABLE = "unavailable"


class Phase(StrEnum):
    """Which of the flow's two questions it is: the first one, or the one after the call came back."""

    START = "start"
    RETURN = "return"


class Next(StrEnum):
    """What the caller hears next on the telephony side."""

    ASK_CODE = "askCode"
    ASK_CONSENT = "askConsent"
    ASK_PHRASE = "askPhrase"
    ASK_PHRASE_AGAIN = "askPhraseAgain"
    CREATE_USER = "createUser"
    JUDGE = "judge"
    ENROLLED = "enrolled"
    PASSED = "passed"
    FAILED = "failed"
    UNAVAILABLE = "unavailable"
    CONSENT_REFUSED = "consentRefused"
    NOT_EXPECTED = "notExpected"
    """No session waits for this call."""
    OUT_OF_TURN = "outOfTurn"
    """A message that was answered already, or that belongs to another call: refused."""


@dataclass(frozen=True, slots=True)
class Transition(Generic[T]):
    """What to write, and what to answer once it is written. ``after`` is the caller unchanged if there is nothing."""

    after: Caller
    answer: T


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """The flow's question: for which contact, which of the two, and when.

    ``new_code``: fresh random digits, used if a session is opened.
    """

    contact_id: str
    phase: Phase
    new_code: str
    now: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The gate's answer. ``code``: digits to send on the transfer, empty if the flow must not transfer.

    ``state``: the caller's state afterwards, for the log. ``locked``: this question locked the number.
    """

    branch: Branch
    reason: str
    code: str = ""
    confidence: str = ""
    at: int = 0
    state: str = ""
    locked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """The dialogue's next step; ``turn`` is the number that the next webhook has to carry.

    ``refused``: the voice did not match. ``locked``: this message locked the number.
    """

    next: Next
    turn: int = 0
    purpose: Purpose = Purpose.VERIFY
    user_id: str = ""
    enrolments: int = 0
    refused: bool = False
    locked: bool = False


# --- the flow's side -----------------------------------------------------------------------------------------------


def ask(caller: Caller, question: Question, policy: Policy) -> Transition[Answer]:
    """Answer the flow: use up what waits for this contact, or open a session, or say why not.

    Asking again before the call arrived gives the same answer, since Amazon Connect repeats invocations.
    """
    transition = _ask(caller, question, policy)
    state = transition.after.state(policy.enrolments_needed, question.now)
    locked = _locks(caller, transition.after)
    return Transition(transition.after, replace(transition.answer, state=state, locked=locked))


def _ask(caller: Caller, question: Question, policy: Policy) -> Transition[Answer]:
    if caller.erasing:
        return Transition(caller, Answer(branch=Branch.UNAVAILABLE, reason="erasing"))
    outcome, session = caller.outcome, caller.session
    by_number = policy.return_mode is ReturnMode.REDIAL
    if outcome is not None and (by_number or outcome.contact_id == question.contact_id):
        return _use(caller, outcome, question, policy)
    if session is not None and session.contact_id == question.contact_id:
        return _ask_again(caller, session, question, policy)
    if question.phase is Phase.RETURN:
        # Used already (Amazon Connect repeats invocations), or erased meanwhile: nobody's voice is at fault.
        return Transition(caller, Answer(branch=Branch.UNAVAILABLE, reason="noProof"))
    return _open(caller, question, policy)


def _use(caller: Caller, outcome: Outcome, question: Question, policy: Policy) -> Transition[Answer]:
    """Remove the outcome and answer by it; one that is too old, or from the future, proves nothing."""
    used = replace(caller, outcome=None, late_proofs=0)
    fresh = outcome.at <= question.now < outcome.expires_at
    if fresh and outcome.result is not Result.ENROLLED:
        branch, reason = _ENDED[outcome.result]
        return Transition(
            used, Answer(branch=branch, reason=reason, confidence=outcome.confidence, at=outcome.at)
        )
    if not fresh and question.phase is Phase.RETURN:
        return Transition(used, Answer(branch=Branch.FAILED, reason="proofExpired"))
    if fresh or outcome.result is not Result.PASSED:
        return _open(used, question, policy)
    if caller.late_proofs + 1 >= MOST_LATE_PROOFS:
        # The return mode is too slow for the window. Once more would be for nothing, and each round costs two calls.
        return Transition(used, Answer(branch=Branch.FAILED, reason="proofExpired"))
    opened = _open(replace(used, late_proofs=caller.late_proofs + 1), question, policy)
    if opened.answer.branch is Branch.VERIFY:
        # As in VoiceIt and Twilio's demo guide (docs/guides.md#biometrics-call-4): too old, so back to verifying.
        return Transition(opened.after, replace(opened.answer, branch=Branch.FAILED, reason="proofExpired"))
    return opened


_ENDED = {
    Result.PASSED: (Branch.VERIFIED, "voiceMatched"),
    Result.FAILED: (Branch.FAILED, "voiceNotMatched"),
    Result.NOT_UNDERSTOOD: (Branch.FAILED, "notUnderstood"),
    Result.UNAVAILABLE: (Branch.UNAVAILABLE, "providerUnavailable"),
    Result.INCOMPLETE: (Branch.UNAVAILABLE, "dialogueIncomplete"),
    Result.REFUSED: (Branch.UNAVAILABLE, "consentRefused"),
}


def _ask_again(caller: Caller, session: Session, question: Question, policy: Policy) -> Transition[Answer]:
    if question.phase is Phase.RETURN:
        # The telephony side has hung up, yet the dialogue did not end: whatever still comes for it is too late.
        branch, reason = _ENDED[_broken_off(session)]
        return Transition(_abandon(caller, policy, question.now), Answer(branch=branch, reason=reason))
    if question.now >= session.expires_at:
        return _open(caller, question, policy)
    if session.stage is Stage.DIALLED:
        answer = Answer(branch=_branch(caller, policy), reason="transfer", code=session.code)
        return Transition(caller, answer)
    return Transition(caller, Answer(branch=Branch.UNAVAILABLE, reason="busy"))


def _open(caller: Caller, question: Question, policy: Policy) -> Transition[Answer]:
    now = question.now
    if caller.session is not None and now < caller.session.expires_at:
        # Another contact of the same number is at it. It must not be disturbed, whoever this one is.
        return Transition(caller, Answer(branch=Branch.UNAVAILABLE, reason="busy"))
    caller = _abandon(caller, policy, now)
    if caller.outcome is not None and now >= caller.outcome.expires_at:
        caller = replace(caller, outcome=None)
    if now < caller.locked_until:
        return Transition(caller, Answer(branch=Branch.LOCKED, reason="tooManyFailures"))
    if caller.locked_until:
        caller = replace(caller, locked_until=0, failures=0)
    if caller.consent is Consent.REFUSED:
        return Transition(caller, Answer(branch=Branch.UNAVAILABLE, reason="consentRefused"))
    branch = _branch(caller, policy)
    if branch is not Branch.VERIFY and not policy.self_enrolment:
        return Transition(caller, Answer(branch=Branch.UNAVAILABLE, reason="notEnrolled"))
    session = Session(
        contact_id=question.contact_id,
        purpose=Purpose.VERIFY if branch is Branch.VERIFY else Purpose.ENROL,
        stage=Stage.DIALLED,
        code=question.new_code,
        expires_at=now + policy.claim_seconds,
    )
    retain_until = caller.retain_until or now + policy.retention_seconds
    after = replace(caller, session=session, retain_until=retain_until)
    return Transition(after, Answer(branch=branch, reason="transfer", code=question.new_code))


def _branch(caller: Caller, policy: Policy) -> Branch:
    if not caller.user_id:
        return Branch.ENROL_FROM_SCRATCH
    return Branch.VERIFY if caller.enrolments >= policy.enrolments_needed else Branch.ENROL


# --- the telephony side --------------------------------------------------------------------------------------------


def arrive(caller: Caller, *, now: int) -> Transition[Move]:
    """Answer a new call: only if a session waits, and nothing is granted yet, since caller id can be forged."""
    session = caller.session
    waiting = session is not None and session.stage is Stage.DIALLED and now < session.expires_at
    return Transition(caller, Move(next=Next.ASK_CODE if waiting else Next.NOT_EXPECTED))


def claim(caller: Caller, *, call_sid: str, code: str, policy: Policy, now: int) -> Transition[Move]:
    """Let the call that shows the code have the session. A wrong code changes nothing: the right call may yet come.

    With REDIAL the flow is over by then, and tones can get lost: a call of a number that is waited for is passed back.
    """
    session = caller.session
    if session is None or session.stage is not Stage.DIALLED or now >= session.expires_at:
        return Transition(caller, Move(next=Next.NOT_EXPECTED))
    if not session.code or not hmac.compare_digest(session.code.encode(), code.encode()):
        redial = policy.return_mode is ReturnMode.REDIAL
        return Transition(caller, Move(next=Next.UNAVAILABLE if redial else Next.NOT_EXPECTED))
    needs_consent = session.purpose is Purpose.ENROL and not caller.user_id
    claimed = replace(
        session,
        stage=Stage.CONSENT if needs_consent else Stage.LISTENING,
        code="",
        call_sid=call_sid,
        turn=1,
        expires_at=now + policy.session_seconds,
    )
    step = Next.ASK_CONSENT if needs_consent else Next.ASK_PHRASE
    return Transition(replace(caller, session=claimed), _move(caller, claimed, step))


def answer_consent(
    caller: Caller, *, call_sid: str, turn: int, digits: str, policy: Policy, now: int
) -> Transition[Move]:
    """Take the caller's word on being recognised by voice: 1 is yes, 2 is no, anything else is asked again."""
    session = _session_of(caller, call_sid, turn, Stage.CONSENT, now)
    if session is None:
        return Transition(caller, _out_of_turn(caller, call_sid, now))
    if digits == "1":
        after = replace(caller, consent=Consent.GIVEN, session=replace(session, stage=Stage.JUDGING))
        return Transition(after, _move(after, session, Next.CREATE_USER))
    if digits == "2":
        after = replace(caller, consent=Consent.REFUSED, retain_until=now + policy.retention_seconds)
        return Transition(
            _end(after, session, Result.REFUSED, policy=policy, now=now), Move(next=Next.CONSENT_REFUSED)
        )
    return _again(caller, session, policy, now, step=Next.ASK_CONSENT)


def user_created(
    caller: Caller, *, call_sid: str, turn: int, user_id: str, policy: Policy, now: int
) -> Transition[Move]:
    """Remember the provider's id of the caller. OUT_OF_TURN: the session is gone, and nobody will use that id."""
    session = _session_of(caller, call_sid, turn, Stage.JUDGING, now)
    if session is None or caller.user_id:
        return Transition(caller, Move(next=Next.OUT_OF_TURN))
    listening = replace(session, stage=Stage.LISTENING, turn=session.turn + 1, tries=0)
    after = replace(
        caller,
        user_id=user_id,
        enrolments=0,
        session=listening,
        retain_until=now + policy.retention_seconds,
    )
    return Transition(after, _move(after, listening, Next.ASK_PHRASE))


def take(
    caller: Caller, *, call_sid: str, turn: int, purpose: Purpose, recording: str, now: int
) -> Transition[Move]:
    """Take a turn, before the provider is asked: a duplicate of the same message finds it taken.

    recording: its id, remembered until it is deleted; may be empty if nothing was recorded.
    """
    session = _session_of(caller, call_sid, turn, Stage.LISTENING, now)
    if session is None or session.purpose is not purpose:
        return Transition(caller, _out_of_turn(caller, call_sid, now))
    after = replace(
        caller,
        session=replace(session, stage=Stage.JUDGING),
        recordings=(*caller.recordings, recording) if recording else caller.recordings,
    )
    return Transition(after, _move(after, session, Next.JUDGE))


def judged(
    caller: Caller, *, call_sid: str, turn: int, judgement: Judgement, policy: Policy, now: int
) -> Transition[Move]:
    """Go by the provider's judgement of the turn that was taken."""
    session = _session_of(caller, call_sid, turn, Stage.JUDGING, now)
    if session is None:
        return _judged_late(
            caller, f"{call_sid}/{turn}", judgement, policy, _out_of_turn(caller, call_sid, now)
        )
    if judgement.decision is Decision.UNAVAILABLE:
        return Transition(
            _end(caller, session, Result.UNAVAILABLE, policy=policy, now=now), Move(next=Next.UNAVAILABLE)
        )
    if judgement.decision is not Decision.ACCEPTED:
        return _not_accepted(caller, session, judgement, policy, now)
    if session.purpose is Purpose.ENROL:
        return _enrolled(caller, session, policy, now)
    after = replace(
        caller, failures=0, provisional="", locked_until=0, retain_until=now + policy.retention_seconds
    )
    confidence = "" if judgement.confidence is None else f"{judgement.confidence:.2f}"
    return Transition(
        _end(after, session, Result.PASSED, policy=policy, now=now, confidence=confidence),
        Move(next=Next.PASSED),
    )


def hung_up(caller: Caller, *, call_sid: str, policy: Policy, now: int) -> Transition[Move]:
    """End the session of a call that is over before its dialogue was.

    A turn that is being judged counts towards the lock: see ``_abandon``. By number (REDIAL) nothing is left behind,
    or the next call would be turned away by it.
    """
    session = caller.session
    if session is None or not session.call_sid or session.call_sid != call_sid:
        return Transition(caller, Move(next=Next.OUT_OF_TURN))
    after = _abandon(caller, policy, now)
    if policy.return_mode is ReturnMode.RESUME:
        after = _end(after, session, _broken_off(session), policy=policy, now=now)
    return Transition(after, Move(next=Next.FAILED, locked=_locks(caller, after)))


# --- forgetting ----------------------------------------------------------------------------------------------------


def begin_erasure(caller: Caller) -> Transition[None]:
    """Stop everything about the caller, so that nothing is written behind the back of the one who erases."""
    return Transition(replace(caller, erasing=True, session=None, outcome=None), None)


def begin_retention(caller: Caller, *, now: int) -> Transition[bool]:
    """Begin to forget a caller whom nobody has heard for long; answer whether the erasure is on.

    Decided anew at the write: somebody who is in a call, or has just been proven, is left alone.
    """
    if caller.erasing:
        return Transition(caller, True)
    busy = caller.session is not None and now < caller.session.expires_at
    proven = caller.outcome is not None and now < caller.outcome.expires_at
    if busy or proven or not 0 < caller.retain_until <= now:
        return Transition(caller, False)
    return Transition(begin_erasure(caller).after, True)


def recording_deleted(caller: Caller, *, recording: str) -> Transition[None]:
    """Forget a recording that the telephony provider has deleted."""
    return Transition(
        replace(caller, recordings=tuple(one for one in caller.recordings if one != recording)), None
    )


# --- what they share -----------------------------------------------------------------------------------------------


def _session_of(caller: Caller, call_sid: str, turn: int, stage: Stage, now: int) -> Session | None:
    """Return the session if this message is the one that it waits for: this call, this turn, this stage, in time."""
    session = caller.session
    if session is None or caller.erasing or not call_sid:
        return None
    expected = (session.call_sid, session.turn, session.stage) == (call_sid, turn, stage)
    return session if expected and now < session.expires_at else None


def _enrolled(caller: Caller, session: Session, policy: Policy, now: int) -> Transition[Move]:
    after = replace(caller, enrolments=caller.enrolments + 1, retain_until=now + policy.retention_seconds)
    if after.enrolments >= policy.enrolments_needed:
        return Transition(
            _end(after, session, Result.ENROLLED, policy=policy, now=now),
            _move(after, session, Next.ENROLLED),
        )
    listening = replace(session, stage=Stage.LISTENING, turn=session.turn + 1)
    return Transition(replace(after, session=listening), _move(after, listening, Next.ASK_PHRASE))


def _out_of_turn(caller: Caller, call_sid: str, now: int) -> Move:
    """Answer a message that no session waits for: in words if it comes late, else it is a duplicate, and refused."""
    session = caller.session
    late = session is not None and session.call_sid == call_sid and now >= session.expires_at
    return Move(next=Next.UNAVAILABLE if late or caller.erasing else Next.OUT_OF_TURN)


def _not_accepted(
    caller: Caller, session: Session, judgement: Judgement, policy: Policy, now: int
) -> Transition[Move]:
    refused = judgement.decision is Decision.MISMATCH and session.purpose is Purpose.VERIFY
    if refused:
        session = replace(session, refused=session.refused + 1)
    after = _failed(caller, policy, now) if refused else caller
    again = _again(after, session, policy, now, step=Next.ASK_PHRASE_AGAIN)
    return Transition(again.after, replace(again.answer, refused=refused, locked=_locks(caller, again.after)))


def _judged_late(
    caller: Caller, turn: str, judgement: Judgement, policy: Policy, move: Move
) -> Transition[Move]:
    """Correct the count of a voice that was counted as refused before its judgement came: see ``_abandon``."""
    if caller.provisional != turn:
        return Transition(caller, move)
    after = replace(caller, provisional="")
    if judgement.decision is Decision.MISMATCH:
        return Transition(after, replace(move, refused=True))
    failures = max(0, caller.failures - 1)
    locked_until = caller.locked_until if failures >= policy.lock_after else 0
    return Transition(replace(after, failures=failures, locked_until=locked_until), move)


def _again(caller: Caller, session: Session, policy: Policy, now: int, *, step: Next) -> Transition[Move]:
    tries = session.tries + 1
    if tries >= policy.max_tries or now < caller.locked_until:
        result = Result.FAILED if session.refused else Result.NOT_UNDERSTOOD
        return Transition(_end(caller, session, result, policy=policy, now=now), Move(next=Next.FAILED))
    stage = Stage.CONSENT if step is Next.ASK_CONSENT else Stage.LISTENING
    waiting = replace(session, stage=stage, turn=session.turn + 1, tries=tries)
    return Transition(replace(caller, session=waiting), _move(caller, waiting, step))


def _failed(caller: Caller, policy: Policy, now: int) -> Caller:
    failures = caller.failures + 1
    locked_until = now + policy.lock_seconds if failures >= policy.lock_after else caller.locked_until
    return replace(caller, failures=failures, locked_until=locked_until)


def _abandon(caller: Caller, policy: Policy, now: int) -> Caller:
    """Drop the session without an outcome.

    Hanging up while the voice is being judged must not be a way to try voices without being counted. So the turn counts
    as refused, until its judgement comes and says otherwise: it may as well be us who are slow.
    """
    session = caller.session
    if session is None:
        return caller
    if session.stage is Stage.JUDGING and session.purpose is Purpose.VERIFY:
        caller = replace(_failed(caller, policy, now), provisional=f"{session.call_sid}/{session.turn}")
    return replace(caller, session=None)


def _broken_off(session: Session) -> Result:
    """Say how a dialogue ended that was not finished.

    Who hangs up takes the contact along; if the contact is still there, it was us or the telephony provider who broke
    off, and the check could not be made. That does not take back a voice that was refused.
    """
    return Result.FAILED if session.refused else Result.INCOMPLETE


def _locks(before: Caller, after: Caller) -> bool:
    return after.locked_until > before.locked_until


def _end(
    caller: Caller, session: Session, result: Result, *, policy: Policy, now: int, confidence: str = ""
) -> Caller:
    # By number (REDIAL) a proof is short-lived, lest somebody else use it; that there is none may be known longer.
    short = policy.return_mode is ReturnMode.RESUME or result in {Result.PASSED, Result.ENROLLED}
    outcome = Outcome(
        result=result,
        contact_id=session.contact_id,
        at=now,
        expires_at=now + (policy.proof_seconds if short else policy.claim_seconds),
        confidence=confidence,
    )
    return replace(caller, session=None, outcome=outcome)


def _move(caller: Caller, session: Session, step: Next) -> Move:
    return Move(
        next=step,
        turn=session.turn,
        purpose=session.purpose,
        user_id=caller.user_id,
        enrolments=caller.enrolments,
    )
