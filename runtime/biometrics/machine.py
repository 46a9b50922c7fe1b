"""The state machine of a caller: pure functions from what is known and what happened to what is known next.

No clock, no table, no network: ``now`` is given (Unix time in seconds), and ``Transition.after`` is what a store must
write *on the condition that nothing has changed since it was read* (see ``table``). Of two writers that decided on the
same knowledge exactly one wins; the other decides anew on what it finds then.

These rules carry the security of the gate; the model test (test_model.py) holds them against an attacker:

1. Only the gate opens a session, and only for a contact that Amazon Connect named.
2. Only a call that shows the session's one-time code joins it, and only that call's webhooks, each turn once, move it.
3. A proof is removed by the very write that uses it; it counts for its contact only (RESUME), or once within its
   seconds for its number (REDIAL); never before its own time.
4. A voice is enrolled only in a call in which somebody agreed to it, and wholly in that call. What was not finished is
   discarded, at the provider too.
5. A number is locked by voices that the provider says are others', and by nothing else.
6. Where there are several phrases, a call is asked for the one that was drawn, and none of its doing draws another: no
   wrong phrase, no silence, no voice that does not match, no hanging up. Only a voice that matched does, or else
   whoever has one phrase on tape would call until it is asked for.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Generic, TypeVar

from runtime.biometrics import limits
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

    ``state``: the caller's state afterwards, for the log.
    """

    branch: Branch
    reason: str
    code: str = ""
    confidence: str = ""
    at: int = 0
    state: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """The dialogue's next step; ``turn`` is the number that the next webhook has to carry.

    ``refused``: the voice did not match. ``locked``: this message locked the number, ``locked_long``: for a day or
    more. ``guessed``: the code was wrong. ``discarded``: users to delete at the provider, since nobody uses them.
    ``phrase``: what to say, and what the recording of this turn is compared with; empty if there is one phrase only.
    """

    next: Next
    turn: int = 0
    purpose: Purpose = Purpose.VERIFY
    user_id: str = ""
    enrolments: int = 0
    refused: bool = False
    locked: bool = False
    locked_long: bool = False
    guessed: bool = False
    discarded: tuple[str, ...] = ()
    phrase: str = ""


# --- the flow's side -----------------------------------------------------------------------------------------------


def ask(caller: Caller, question: Question, policy: Policy) -> Transition[Answer]:
    """Answer the flow: use up what waits for this contact, or open a session, or say why not.

    Asking again before the call arrived gives the same answer, since Amazon Connect repeats invocations.
    """
    transition = _ask(caller, question, policy)
    state = transition.after.state(policy.enrolments_needed, question.now)
    return Transition(transition.after, replace(transition.answer, state=state))


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
        return Transition(_abandon(caller, policy), Answer(branch=branch, reason=reason))
    if question.now >= session.expires_at:
        return _open(caller, question, policy)
    if session.stage is Stage.DIALLED and session.code:
        answer = Answer(branch=_branch(caller, policy), reason="transfer", code=session.code)
        return Transition(caller, answer)
    return Transition(caller, Answer(branch=Branch.UNAVAILABLE, reason="busy"))


def _open(caller: Caller, question: Question, policy: Policy) -> Transition[Answer]:
    now = question.now
    if caller.session is not None and now < caller.session.expires_at:
        # Another contact of the same number is at it. It must not be disturbed, whoever this one is.
        return Transition(caller, Answer(branch=Branch.UNAVAILABLE, reason="busy"))
    caller = _without_half(_abandon(caller, policy), policy)
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
    if branch is not Branch.VERIFY:
        retain_until = now + limits.UNENROLLED_SECONDS
    after = replace(caller, session=session, retain_until=retain_until)
    return Transition(after, Answer(branch=branch, reason="transfer", code=question.new_code))


def _branch(caller: Caller, policy: Policy) -> Branch:
    """Say where the caller is sent. Who agreed once, and did not finish, begins again, and is told so (ENROL)."""
    if _has_print(caller, policy):
        return Branch.VERIFY
    return Branch.ENROL if caller.consent is Consent.GIVEN else Branch.ENROL_FROM_SCRATCH


# --- the telephony side --------------------------------------------------------------------------------------------


def arrive(caller: Caller, *, now: int) -> Transition[Move]:
    """Answer a new call: only if a session waits, and nothing is granted yet, since caller id can be forged."""
    session = caller.session
    waiting = session is not None and session.stage is Stage.DIALLED and now < session.expires_at
    return Transition(caller, Move(next=Next.ASK_CODE if waiting else Next.NOT_EXPECTED))


def claim(
    caller: Caller, *, call_sid: str, code: str, policy: Policy, now: int, drawn: str = ""
) -> Transition[Move]:
    """Let the call that shows the code have the session.

    drawn: one of the policy's phrases, drawn at random, asked for if none that was drawn before waits for an answer.
    A wrong code is counted, and changes nothing else: the right call may yet come. After MOST_GUESSES of them the code
    is worth nothing, and the flow goes on unverified.
    With REDIAL the flow is over by then, and tones can get lost: a call of a number that is waited for is passed back.
    """
    session = caller.session
    if session is None or session.stage is not Stage.DIALLED or now >= session.expires_at:
        return Transition(caller, Move(next=Next.NOT_EXPECTED))
    if not session.code or not hmac.compare_digest(session.code.encode(), code.encode()):
        redial = policy.return_mode is ReturnMode.REDIAL
        refusal = Move(next=Next.UNAVAILABLE if redial else Next.NOT_EXPECTED, guessed=bool(code))
        return Transition(_guessed(caller, session) if code else caller, refusal)
    caller = _without_half(caller, policy)
    needs_consent = session.purpose is Purpose.ENROL
    if not needs_consent:
        caller = replace(caller, asked=caller.asked if caller.asked in policy.phrases else drawn)
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


def _guessed(caller: Caller, session: Session) -> Caller:
    guesses = session.guesses + 1
    code = session.code if guesses < limits.MOST_GUESSES else ""
    return replace(caller, session=replace(session, guesses=guesses, code=code)) if session.code else caller


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
    caller: Caller, *, call_sid: str, turn: int, user_id: str, now: int, phrases: tuple[str, ...] = ()
) -> Transition[Move]:
    """Remember the provider's id of the caller. OUT_OF_TURN: the session is gone, and nobody will use that id.

    phrases: what the voice print is made with, each in turn; empty if there is one phrase only.
    """
    session = _session_of(caller, call_sid, turn, Stage.JUDGING, now)
    if session is None or caller.user_id:
        return Transition(caller, Move(next=Next.OUT_OF_TURN))
    listening = replace(session, stage=Stage.LISTENING, turn=session.turn + 1, tries=0)
    after = replace(
        caller,
        user_id=user_id,
        enrolments=0,
        phrases=phrases,
        asked="",
        session=listening,
        retain_until=now + limits.UNENROLLED_SECONDS,
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
    caller: Caller,
    *,
    call_sid: str,
    turn: int,
    purpose: Purpose,
    judgement: Judgement,
    policy: Policy,
    now: int,
    again: bool = False,
) -> Transition[Move]:
    """Go by the provider's judgement of the turn that was taken, by the one who took it and no other.

    Hanging up while the voice is judged is no way to try voices without being counted: a judgement that finds its
    session gone leads to nothing, yet a voice that did not match counts. What is not known counts for nobody.
    again: the same judgement, with the same ``now``, may have been written before, and then has been counted.
    """
    session = _session_of(caller, call_sid, turn, Stage.JUDGING, now)
    if session is None:
        move = _out_of_turn(caller, call_sid, now)
        counted = again and now in caller.refusals
        said = purpose is Purpose.VERIFY and judgement.decision is Decision.ACCEPTED
        if said and caller.session is None and not caller.erasing:
            caller = replace(caller, asked="")
        mismatch = purpose is Purpose.VERIFY and judgement.decision is Decision.MISMATCH
        if not mismatch or counted or caller.erasing:
            return Transition(caller, move)
        return _refused(caller, Transition(_failed(caller, policy, now), move), now)
    if judgement.decision is Decision.UNAVAILABLE:
        return Transition(
            _end(caller, session, Result.UNAVAILABLE, policy=policy, now=now), Move(next=Next.UNAVAILABLE)
        )
    if judgement.decision is not Decision.ACCEPTED:
        return _not_accepted(caller, session, judgement, policy, now)
    if session.purpose is Purpose.ENROL:
        return _enrolled(caller, session, policy, now)
    after = replace(
        caller,
        asked="",
        failures=0,
        locked_until=_locked_long_until(caller.refusals, policy, now),
        retain_until=now + policy.retention_seconds,
    )
    confidence = "" if judgement.confidence is None else f"{judgement.confidence:.2f}"
    return Transition(
        _end(after, session, Result.PASSED, policy=policy, now=now, confidence=confidence),
        Move(next=Next.PASSED),
    )


def hung_up(caller: Caller, *, call_sid: str, policy: Policy, now: int) -> Transition[Move]:
    """End the session of a call that is over before its dialogue was, and name what is to be discarded.

    By number (REDIAL) nothing is left behind, or the next call would be turned away by it.
    """
    session = caller.session
    if session is None or not session.call_sid or session.call_sid != call_sid:
        return Transition(caller, Move(next=Next.OUT_OF_TURN, discarded=caller.discarded))
    after = _abandon(caller, policy)
    if policy.return_mode is ReturnMode.RESUME:
        after = _end(after, session, _broken_off(session), policy=policy, now=now)
    return Transition(after, Move(next=Next.FAILED, discarded=after.discarded))


def user_discarded(caller: Caller, *, user_id: str) -> Transition[None]:
    """Forget a user that the provider has deleted."""
    return Transition(
        replace(caller, discarded=tuple(one for one in caller.discarded if one != user_id)), None
    )


def discard_half(caller: Caller, *, policy: Policy, now: int) -> Transition[tuple[str, ...]]:
    """Discard an enrolment whose call is over, and answer which users are to be deleted at the provider."""
    if caller.session is not None and now < caller.session.expires_at:
        return Transition(caller, ())
    after = _without_half(_abandon(caller, policy), policy)
    return Transition(after, after.discarded)


def unlock(caller: Caller) -> Transition[bool]:
    """Forget the failed tries, since somebody knows the caller by other means; answer whether there were any.

    The phrase that was drawn is forgotten, too.
    """
    freed = replace(caller, failures=0, refusals=(), locked_until=0)
    # Somebody who cannot say the phrase that was drawn gets another, but not while it is being said.
    after = freed if caller.session else replace(freed, asked="")
    return Transition(after, freed != caller)


# --- forgetting ----------------------------------------------------------------------------------------------------


def begin_erasure(caller: Caller) -> Transition[None]:
    """Stop everything about the caller, so that nothing is written behind the back of the one who erases."""
    session = caller.session
    under_way = (
        (session.call_sid,) if session is not None and session.call_sid not in ("", *caller.calls) else ()
    )
    return Transition(
        replace(caller, erasing=True, session=None, outcome=None, calls=(*caller.calls, *under_way)), None
    )


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


def inventoried(caller: Caller, *, calls: tuple[str, ...]) -> Transition[None]:
    """Remember the calls whose recordings have to be looked for before the caller is forgotten."""
    known = (*caller.calls, *(one for one in calls if one not in set(caller.calls)))
    return Transition(replace(caller, calls=known, inventoried=True), None)


def crossed_out(caller: Caller, *, recordings: frozenset[str], calls: frozenset[str]) -> Transition[None]:
    """Forget recordings that are deleted, and calls of which the telephony provider has no recording any more."""
    after = replace(
        caller,
        recordings=tuple(one for one in caller.recordings if one not in recordings),
        calls=tuple(one for one in caller.calls if one not in calls),
    )
    return Transition(after, None)


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
    after = replace(caller, enrolments=caller.enrolments + 1)
    if after.enrolments >= policy.enrolments_needed:
        after = replace(after, retain_until=now + policy.retention_seconds)
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
    return _refused(caller, again, now) if refused else again


def _refused(before: Caller, transition: Transition[Move], now: int) -> Transition[Move]:
    """Say in the move that a voice was refused, and whether that locked the number."""
    until = transition.after.locked_until
    locked = until > before.locked_until
    move = replace(
        transition.answer,
        refused=True,
        locked=locked,
        locked_long=locked and until >= now + limits.DAY_SECONDS,
    )
    return Transition(transition.after, move)


def _again(caller: Caller, session: Session, policy: Policy, now: int, *, step: Next) -> Transition[Move]:
    tries = session.tries + 1
    if tries >= policy.max_tries or now < caller.locked_until:
        result = Result.FAILED if session.refused else Result.NOT_UNDERSTOOD
        return Transition(_end(caller, session, result, policy=policy, now=now), Move(next=Next.FAILED))
    stage = Stage.CONSENT if step is Next.ASK_CONSENT else Stage.LISTENING
    waiting = replace(session, stage=stage, turn=session.turn + 1, tries=tries)
    return Transition(replace(caller, session=waiting), _move(caller, waiting, step))


def _failed(caller: Caller, policy: Policy, now: int) -> Caller:
    """Count a voice that did not match: in a row, within a day and within a month."""
    failures = caller.failures + 1
    recent = (at for at in caller.refusals if now - at < limits.MONTH_SECONDS)
    refusals = (*recent, now)[-max(policy.day_tries, policy.month_tries) :]
    short = now + policy.lock_seconds if failures >= policy.lock_after else 0
    until = max(caller.locked_until, short, _locked_long_until(refusals, policy, now))
    return replace(caller, failures=failures, refusals=refusals, locked_until=until)


def _locked_long_until(refusals: tuple[int, ...], policy: Policy, now: int) -> int:
    """Return until when so many refused voices lock the number, 0 if they are not too many."""
    for seconds, most in (
        (limits.MONTH_SECONDS, policy.month_tries),
        (limits.DAY_SECONDS, policy.day_tries),
    ):
        if sum(now - at < seconds for at in refusals) >= most:
            return refusals[-1] + seconds
    return 0


def _abandon(caller: Caller, policy: Policy) -> Caller:
    """Drop the session without an outcome, and with it an enrolment that it did not finish.

    A voice that is being judged counts when its judgement comes (``judged``), if it comes.
    """
    session = caller.session
    if session is None:
        return caller
    after = replace(caller, session=None)
    return _without_half(after, policy) if session.purpose is Purpose.ENROL else after


def _without_half(caller: Caller, policy: Policy) -> Caller:
    """Discard a voice print that was begun and not finished: the next recordings may be somebody else's."""
    if not caller.user_id or _has_print(caller, policy):
        return caller
    return replace(
        caller,
        user_id="",
        enrolments=0,
        phrases=(),
        asked="",
        discarded=(*caller.discarded, caller.user_id),
    )


def _has_print(caller: Caller, policy: Policy) -> bool:
    """Tell whether the caller is enrolled, and often enough with each phrase that may be asked for.

    A print of several phrases does where some of them are not asked for any more, but not for the one phrase: which
    one that is, only the webhook knows.
    """
    if not caller.user_id or caller.enrolments < policy.enrolments_needed:
        return False
    if not policy.phrases or not caller.phrases:
        return policy.phrases == caller.phrases
    enough = caller.enrolments * len(policy.phrases) >= policy.enrolments_needed * len(caller.phrases)
    return enough and set(policy.phrases) <= set(caller.phrases)


def _broken_off(session: Session) -> Result:
    """Say how a dialogue ended that was not finished.

    Who hangs up takes the contact along; if the contact is still there, it was us or the telephony provider who broke
    off, and the check could not be made. That does not take back a voice that was refused.
    """
    return Result.FAILED if session.refused else Result.INCOMPLETE


def _end(
    caller: Caller, session: Session, result: Result, *, policy: Policy, now: int, confidence: str = ""
) -> Caller:
    if session.purpose is Purpose.ENROL:
        caller = _without_half(caller, policy)
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
        phrase=_phrase(caller, session),
    )


def _phrase(caller: Caller, session: Session) -> str:
    """Return what is to be said: enrolling takes the phrases in turn, verifying the one that was drawn."""
    if session.purpose is Purpose.VERIFY:
        return caller.asked
    return caller.phrases[caller.enrolments % len(caller.phrases)] if caller.phrases else ""
