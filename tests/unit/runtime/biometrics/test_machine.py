"""The state machine as a table: a caller in a state, what happens, what is known and answered then."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from runtime.biometrics import machine
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
from runtime.biometrics.machine import Next, Phase, Question
from runtime.biometrics.policy import Policy, ReturnMode

NOW = 1_000
RESUME = Policy()
REDIAL = Policy(return_mode=ReturnMode.REDIAL, proof_seconds=10)
CODE = "12345678"
NEW = "87654321"

UNKNOWN = Caller()
CREATED = Caller(user_id="u", consent=Consent.GIVEN, retain_until=9_999)
ENROLLING = replace(CREATED, enrolments=1)
ENROLLED = replace(CREATED, enrolments=3)
REFUSED = Caller(consent=Consent.REFUSED)
LOCKED = replace(ENROLLED, failures=3, locked_until=NOW + 5)
UNLOCKED = replace(ENROLLED, failures=3, locked_until=NOW)
ERASING = replace(ENROLLED, erasing=True)


def session(stage: Stage, purpose: Purpose = Purpose.VERIFY, **replaced: Any) -> Session:
    claimed = stage is not Stage.DIALLED
    base = Session(
        contact_id="mine",
        purpose=purpose,
        stage=stage,
        expires_at=NOW + 50,
        code="" if claimed else CODE,
        call_sid="CA1" if claimed else "",
        turn=1 if claimed else 0,
    )
    return replace(base, **replaced)


def outcome(result: Result, at: int = NOW, contact: str = "mine", lives: int = 60) -> Outcome:
    return Outcome(result=result, contact_id=contact, at=at, expires_at=at + lives, confidence="90.00")


def with_session(caller: Caller, *args: Any, **replaced: Any) -> Caller:
    return replace(caller, session=session(*args, **replaced))


def with_outcome(caller: Caller, *args: Any, **kwargs: Any) -> Caller:
    return replace(caller, outcome=outcome(*args, **kwargs))


START, RETURN = Phase.START, Phase.RETURN
# caller, phase, policy -> branch, reason, code
ASKED: dict[str, tuple[Caller, Phase, Policy, str, str, str]] = {
    "unknown": (UNKNOWN, START, RESUME, "enrollfromscratch", "transfer", NEW),
    "created, not finished": (CREATED, START, RESUME, "enroll", "transfer", NEW),
    "enrolling, not finished": (ENROLLING, START, RESUME, "enroll", "transfer", NEW),
    "discarded": (replace(CREATED, user_id=""), START, RESUME, "enroll", "transfer", NEW),
    "code guessed too often": (
        with_session(ENROLLED, Stage.DIALLED, code="", guesses=10), START, RESUME, "unavailable", "busy", "",
    ),
    "enrolled": (ENROLLED, START, RESUME, "verify", "transfer", NEW),
    "closed, unknown": (UNKNOWN, START, replace(RESUME, self_enrolment=False), "unavailable", "notEnrolled", ""),
    "closed, enrolled": (ENROLLED, START, replace(RESUME, self_enrolment=False), "verify", "transfer", NEW),
    "refused": (REFUSED, START, RESUME, "unavailable", "consentRefused", ""),
    "locked": (LOCKED, START, RESUME, "locked", "tooManyFailures", ""),
    "lock over": (UNLOCKED, START, RESUME, "verify", "transfer", NEW),
    "erasing": (ERASING, START, RESUME, "unavailable", "erasing", ""),
    "nothing to return to": (ENROLLED, RETURN, RESUME, "unavailable", "noProof", ""),
    "asked twice": (with_session(ENROLLED, Stage.DIALLED), START, RESUME, "verify", "transfer", CODE),
    "in dialogue": (with_session(ENROLLED, Stage.LISTENING), START, RESUME, "unavailable", "busy", ""),
    "own, run out": (
        with_session(ENROLLED, Stage.LISTENING, expires_at=NOW), START, RESUME, "verify", "transfer", NEW,
    ),
    "somebody else's": (
        with_session(ENROLLED, Stage.LISTENING, contact_id="other"), START, RESUME, "unavailable", "busy", "",
    ),
    "somebody else's, run out": (
        with_session(ENROLLED, Stage.LISTENING, contact_id="other", expires_at=NOW),
        START, RESUME, "verify", "transfer", NEW,
    ),
    "never arrived": (
        with_session(ENROLLED, Stage.DIALLED), RETURN, RESUME, "unavailable", "dialogueIncomplete", "",
    ),
    "broken off": (
        with_session(ENROLLED, Stage.LISTENING), RETURN, RESUME, "unavailable", "dialogueIncomplete", "",
    ),
    "passed": (with_outcome(ENROLLED, Result.PASSED), RETURN, RESUME, "verified", "voiceMatched", ""),
    "passed, asked as new": (with_outcome(ENROLLED, Result.PASSED), START, RESUME, "verified", "voiceMatched", ""),
    "passed, other contact": (
        with_outcome(ENROLLED, Result.PASSED, contact="other"), RETURN, RESUME, "unavailable", "noProof", "",
    ),
    "passed, other contact, new": (
        with_outcome(ENROLLED, Result.PASSED, contact="other"), START, RESUME, "verify", "transfer", NEW,
    ),
    "passed, last second": (
        with_outcome(ENROLLED, Result.PASSED, at=NOW - 59), RETURN, RESUME, "verified", "voiceMatched", "",
    ),
    "passed, too late": (
        with_outcome(ENROLLED, Result.PASSED, at=NOW - 60), RETURN, RESUME, "failedverified", "proofExpired", "",
    ),
    "passed, in the future": (
        with_outcome(ENROLLED, Result.PASSED, at=NOW + 1), RETURN, RESUME, "failedverified", "proofExpired", "",
    ),
    "failed": (with_outcome(LOCKED, Result.FAILED), RETURN, RESUME, "failedverified", "voiceNotMatched", ""),
    "provider down": (
        with_outcome(ENROLLED, Result.UNAVAILABLE), RETURN, RESUME, "unavailable", "providerUnavailable", "",
    ),
    "broken off after silence": (
        with_session(ENROLLED, Stage.LISTENING, tries=1), RETURN, RESUME, "unavailable", "dialogueIncomplete", "",
    ),
    "not understood": (
        with_outcome(ENROLLED, Result.NOT_UNDERSTOOD), RETURN, RESUME, "failedverified", "notUnderstood", "",
    ),
    "broken off after a voice that did not match": (
        with_session(ENROLLED, Stage.LISTENING, tries=1, refused=1),
        RETURN, RESUME, "failedverified", "voiceNotMatched", "",
    ),
    "broken off, and told so": (
        with_outcome(ENROLLED, Result.INCOMPLETE), RETURN, RESUME, "unavailable", "dialogueIncomplete", "",
    ),
    "just refused": (with_outcome(REFUSED, Result.REFUSED), RETURN, RESUME, "unavailable", "consentRefused", ""),
    "just enrolled": (with_outcome(ENROLLED, Result.ENROLLED), RETURN, RESUME, "verify", "transfer", NEW),
    "redial, passed": (
        with_outcome(ENROLLED, Result.PASSED, contact="other", lives=10),
        START, REDIAL, "verified", "voiceMatched", "",
    ),
    "redial, too late": (
        with_outcome(ENROLLED, Result.PASSED, at=NOW - 10, contact="other", lives=10),
        START, REDIAL, "failedverified", "proofExpired", NEW,
    ),
    "redial, in the future": (
        with_outcome(ENROLLED, Result.PASSED, at=NOW + 1, contact="other", lives=10),
        START, REDIAL, "failedverified", "proofExpired", NEW,
    ),
    "redial, too late and locked": (
        with_outcome(LOCKED, Result.PASSED, at=NOW - 10, contact="other", lives=10),
        START, REDIAL, "locked", "tooManyFailures", "",
    ),
    "redial, an old failure": (
        with_outcome(ENROLLED, Result.FAILED, at=NOW - 10, contact="other", lives=10),
        START, REDIAL, "verify", "transfer", NEW,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", ASKED)
def test_the_gate_answers_by_what_is_known(case: str) -> None:
    caller, phase, policy, branch, reason, code = ASKED[case]
    question = Question(contact_id="mine", phase=phase, new_code=NEW, now=NOW)
    transition = machine.ask(caller, question, policy)
    answer = transition.answer
    assert (answer.branch.value, answer.reason, answer.code) == (branch, reason, code)
    if code:
        assert transition.after.session is not None
        assert (transition.after.session.contact_id, transition.after.session.code) == ("mine", code)
    if branch == "verified":
        assert transition.after.outcome is None
        assert answer.confidence == "90.00"
    assert machine.ask(transition.after, question, policy).answer.branch.value != "verified"


STATES = {
    "unknown": UNKNOWN,
    "created": CREATED,
    "enrolling": ENROLLING,
    "enrolled": ENROLLED,
    "verifying": with_session(ENROLLED, Stage.LISTENING),
    "verified": with_outcome(ENROLLED, Result.PASSED),
    "locked": LOCKED,
    "erasing": ERASING,
}


@pytest.mark.parametrize("name", STATES)
def test_states_have_names(name: str) -> None:
    assert STATES[name].state(3, NOW) == name


def test_another_contacts_fresh_proof_is_left_for_it() -> None:
    caller = with_outcome(ENROLLED, Result.PASSED, contact="other")
    question = Question(contact_id="mine", phase=START, new_code=NEW, now=NOW)
    assert machine.ask(caller, question, RESUME).after.outcome == caller.outcome
    later = replace(question, now=NOW + 60)
    assert machine.ask(caller, later, RESUME).after.outcome is None


def forgotten_guesses(caller: Caller) -> Caller:
    return replace(caller, session=replace(caller.session, guesses=0)) if caller.session else caller


def test_ten_wrong_codes_and_the_code_is_worth_nothing() -> None:
    caller = with_session(ENROLLED, Stage.DIALLED)
    for number in range(12):
        guess = machine.claim(caller, call_sid=f"CA{number}", code=f"{number:08d}", policy=RESUME, now=NOW)
        assert (guess.answer.next, guess.answer.guessed) == (Next.NOT_EXPECTED, True)
        caller = guess.after
        claimed = machine.claim(caller, call_sid="CA99", code=CODE, policy=RESUME, now=NOW).answer.next
        assert (claimed is Next.ASK_PHRASE) == (number < 9)
    nothing_pressed = machine.claim(caller, call_sid="CA1", code="", policy=RESUME, now=NOW)
    assert (nothing_pressed.after, nothing_pressed.answer.guessed) == (caller, False)
    question = Question(contact_id="mine", phase=RETURN, new_code=NEW, now=NOW)
    assert machine.ask(caller, question, RESUME).answer.reason == "dialogueIncomplete"


@pytest.mark.parametrize(
    ("code", "caller", "expected"),
    [
        (CODE, with_session(ENROLLED, Stage.DIALLED), Next.ASK_PHRASE),
        (CODE, with_session(UNKNOWN, Stage.DIALLED, Purpose.ENROL), Next.ASK_CONSENT),
        (CODE, with_session(ENROLLING, Stage.DIALLED, Purpose.ENROL), Next.ASK_CONSENT),
        ("12345679", with_session(ENROLLED, Stage.DIALLED), Next.NOT_EXPECTED),
        ("", with_session(ENROLLED, Stage.DIALLED), Next.NOT_EXPECTED),
        ("é", with_session(ENROLLED, Stage.DIALLED), Next.NOT_EXPECTED),
        ("", with_session(ENROLLED, Stage.DIALLED, code=""), Next.NOT_EXPECTED),
        (CODE, with_session(ENROLLED, Stage.DIALLED, expires_at=NOW), Next.NOT_EXPECTED),
        ("", with_session(ENROLLED, Stage.LISTENING), Next.NOT_EXPECTED),
        (CODE, ENROLLED, Next.NOT_EXPECTED),
    ],
)
def test_only_the_right_code_in_time_claims_a_session(code: str, caller: Caller, expected: Next) -> None:
    transition = machine.claim(caller, call_sid="CA2", code=code, policy=RESUME, now=NOW)
    assert transition.answer.next is expected
    if expected is Next.NOT_EXPECTED:
        assert forgotten_guesses(transition.after) == caller
    else:
        claimed = transition.after.session
        assert claimed is not None
        assert (claimed.call_sid, claimed.code, claimed.turn) == ("CA2", "", 1)
        assert claimed.expires_at == NOW + RESUME.session_seconds


JUDGING = with_session(ENROLLED, Stage.JUDGING)
ENROL_JUDGING = with_session(ENROLLING, Stage.JUDGING, Purpose.ENROL)
ACCEPTED, MISMATCH = Judgement(Decision.ACCEPTED, "SUCC", 88.0), Judgement(Decision.MISMATCH, "FAIL")
RETRY, DOWN = Judgement(Decision.RETRY, "SSTQ"), Judgement(Decision.UNAVAILABLE, "GERR")
# caller, judgement -> next, failures, result
JUDGED: dict[str, tuple[Caller, Judgement, Next, int, Result | None]] = {
    "match": (replace(JUDGING, failures=2), ACCEPTED, Next.PASSED, 0, Result.PASSED),
    "mismatch": (JUDGING, MISMATCH, Next.ASK_PHRASE_AGAIN, 1, None),
    "last try": (with_session(ENROLLED, Stage.JUDGING, tries=2), MISMATCH, Next.FAILED, 1, Result.FAILED),
    "locks": (replace(JUDGING, failures=2), MISMATCH, Next.FAILED, 3, Result.FAILED),
    "bad recording": (JUDGING, RETRY, Next.ASK_PHRASE_AGAIN, 0, None),
    "last bad one": (
        with_session(ENROLLED, Stage.JUDGING, tries=2),
        RETRY,
        Next.FAILED,
        0,
        Result.NOT_UNDERSTOOD,
    ),
    "last bad one after another voice": (
        with_session(ENROLLED, Stage.JUDGING, tries=2, refused=1),
        RETRY,
        Next.FAILED,
        0,
        Result.FAILED,
    ),
    "provider down": (JUDGING, DOWN, Next.UNAVAILABLE, 0, Result.UNAVAILABLE),
    "enrolled one": (ENROL_JUDGING, ACCEPTED, Next.ASK_PHRASE, 0, None),
    "enrolled last": (replace(ENROL_JUDGING, enrolments=2), ACCEPTED, Next.ENROLLED, 0, Result.ENROLLED),
    "not enrolled": (ENROL_JUDGING, MISMATCH, Next.ASK_PHRASE_AGAIN, 0, None),
    "enrolment down": (ENROL_JUDGING, DOWN, Next.UNAVAILABLE, 0, Result.UNAVAILABLE),
}


@pytest.mark.parametrize("case", JUDGED)
def test_a_judgement_leads_on(case: str) -> None:
    caller, judgement, expected, failures, result = JUDGED[case]
    purpose = caller.session.purpose if caller.session else Purpose.VERIFY
    transition = machine.judged(
        caller, call_sid="CA1", turn=1, purpose=purpose, judgement=judgement, policy=RESUME, now=NOW
    )
    assert transition.answer.next is expected
    assert transition.after.failures == failures
    assert (transition.after.outcome.result if transition.after.outcome else None) == result
    assert (transition.after.session is None) == (result is not None)
    if transition.after.session:
        assert transition.answer.turn == transition.after.session.turn == 2
        assert transition.after.session.stage is Stage.LISTENING
    if failures == 3:
        assert transition.after.locked_until == NOW + RESUME.lock_seconds


OUT_OF_TURN: dict[str, tuple[Caller, dict[str, Any]]] = {
    "another call": (JUDGING, {"call_sid": "CA2"}),
    "no call": (JUDGING, {"call_sid": ""}),
    "an earlier turn": (JUDGING, {"turn": 0}),
    "a later turn": (JUDGING, {"turn": 2}),
    "too late": (with_session(ENROLLED, Stage.JUDGING, expires_at=NOW), {}),
    "not taken": (with_session(ENROLLED, Stage.LISTENING), {}),
    "no session": (ENROLLED, {}),
    "erasing": (replace(JUDGING, erasing=True), {}),
}


@pytest.mark.parametrize("case", OUT_OF_TURN)
def test_a_judgement_out_of_turn_changes_nothing(case: str) -> None:
    caller, replaced = OUT_OF_TURN[case]
    arguments: dict[str, Any] = {"call_sid": "CA1", "turn": 1, "purpose": Purpose.VERIFY} | replaced
    transition = machine.judged(caller, **arguments, judgement=ACCEPTED, policy=RESUME, now=NOW)
    late = case in {"too late", "erasing"}  # somebody is on the line, and is to hear why it ends
    answer = machine.Move(next=Next.UNAVAILABLE if late else Next.OUT_OF_TURN)
    assert transition == machine.Transition(caller, answer)


def test_a_turn_is_taken_once_and_for_its_purpose_only() -> None:
    caller = with_session(ENROLLED, Stage.LISTENING)
    arguments: dict[str, Any] = {"call_sid": "CA1", "turn": 1, "recording": "RE1", "now": NOW}
    taken = machine.take(caller, purpose=Purpose.VERIFY, **arguments)
    assert taken.answer.next is Next.JUDGE
    assert taken.after.recordings == ("RE1",)
    assert machine.take(taken.after, purpose=Purpose.VERIFY, **arguments).answer.next is Next.OUT_OF_TURN
    assert machine.take(caller, purpose=Purpose.ENROL, **arguments).answer.next is Next.OUT_OF_TURN


def test_hanging_up_while_the_voice_is_judged_counts_when_the_judgement_comes() -> None:
    for stage, purpose in (
        (Stage.JUDGING, Purpose.VERIFY),
        (Stage.LISTENING, Purpose.VERIFY),
        (Stage.JUDGING, Purpose.ENROL),
    ):
        caller = with_session(ENROLLED, stage, purpose)
        ended = machine.hung_up(caller, call_sid="CA1", policy=RESUME, now=NOW).after
        assert (ended.failures, ended.session) == (0, None)
        question = Question(contact_id="mine", phase=RETURN, new_code=NEW, now=NOW)
        assert machine.ask(caller, question, RESUME).after.failures == 0
        assert machine.ask(ended, question, RESUME).answer.reason == "dialogueIncomplete"
        by_number = machine.hung_up(caller, call_sid="CA1", policy=REDIAL, now=NOW).after
        assert (by_number.failures, by_number.outcome) == (0, None), "it would turn the next call away"
    unclaimed = with_session(ENROLLED, Stage.DIALLED)
    for sid in ("", "CA2"):
        assert machine.hung_up(unclaimed, call_sid=sid, policy=RESUME, now=NOW).after == unclaimed


@pytest.mark.parametrize(
    ("judgement", "purpose", "failures"),
    [
        (ACCEPTED, Purpose.VERIFY, 2),
        (Judgement(Decision.RETRY, "SSTQ"), Purpose.VERIFY, 2),
        (Judgement(Decision.UNAVAILABLE, "NONE"), Purpose.VERIFY, 2),
        (Judgement(Decision.MISMATCH, "FAIL"), Purpose.VERIFY, 3),
        (Judgement(Decision.MISMATCH, "FAIL"), Purpose.ENROL, 2),
    ],
)
def test_a_judgement_that_comes_after_the_call_counts_only_a_voice_that_did_not_match(
    judgement: Judgement, purpose: Purpose, failures: int
) -> None:
    caller = replace(with_session(ENROLLED, Stage.JUDGING, purpose), failures=2)
    ended = machine.hung_up(caller, call_sid="CA1", policy=RESUME, now=NOW)
    assert (ended.after.failures, ended.answer.locked) == (2, False)
    late = machine.judged(
        ended.after, call_sid="CA1", turn=1, purpose=purpose, judgement=judgement, policy=RESUME, now=NOW + 9
    )
    refused = failures == 3
    assert (late.after.failures, late.answer.refused, late.answer.locked) == (failures, refused, refused)
    assert (late.after.locked_until > NOW) is refused
    assert late.after.outcome == ended.after.outcome, "the contact has gone on"


@pytest.mark.parametrize("ends", [False, True], ids=["the call goes on", "the call is over"])
def test_a_judgement_that_was_written_although_the_answer_was_lost_counts_a_voice_once(ends: bool) -> None:
    caller = with_session(ENROLLED, Stage.JUDGING)
    if ends:
        caller = machine.hung_up(caller, call_sid="CA1", policy=RESUME, now=NOW).after
    said = {
        "call_sid": "CA1", "turn": 1, "purpose": Purpose.VERIFY, "judgement": Judgement(Decision.MISMATCH, "FAIL"),
        "policy": RESUME, "now": NOW,
    }  # fmt: skip
    for written in (True, False):
        before = machine.judged(caller, **said).after if written else caller
        again = machine.judged(before, **said, again=True)
        assert (again.after.failures, again.after.refusals) == (1, (NOW,))


def refuse_voices(
    caller: Caller, times: list[int], policy: Policy = RESUME
) -> tuple[Caller, list[machine.Move]]:
    """Let voices be refused, each in a call of its own, at these times, unless the number is locked then."""
    moves = []
    for at in times:
        question = Question(contact_id=f"c{at}", phase=START, new_code=CODE, now=at)
        asked = machine.ask(replace(caller, session=None, outcome=None), question, policy)
        caller = asked.after
        if asked.answer.branch.value != "verify":
            continue
        caller = machine.claim(caller, call_sid="CA1", code=CODE, policy=policy, now=at).after
        caller = machine.take(
            caller, call_sid="CA1", turn=1, purpose=Purpose.VERIFY, recording="", now=at
        ).after
        judged = machine.judged(
            caller, call_sid="CA1", turn=1, purpose=Purpose.VERIFY, judgement=MISMATCH, policy=policy, now=at
        )
        caller = judged.after
        moves.append(judged.answer)
    return caller, moves


DAY = 86_400


def test_slow_guessing_is_locked_for_longer_and_longer() -> None:
    begin = 100 * DAY
    caller, moves = refuse_voices(ENROLLED, list(range(begin, begin + DAY, 120)))
    assert len(moves) == 10, "ten voices within a day, however slowly"
    assert [move.locked_long for move in moves] == [False] * 9 + [True]
    assert [move.locked for move in moves].count(True) == 4, "three short locks and the long one"
    caller, moves = refuse_voices(ENROLLED, list(range(begin, begin + 29 * DAY, 3_600)))
    assert len(moves) == 30, "thirty within 30 days"
    assert caller.locked_until >= begin + 30 * DAY
    assert len(caller.refusals) == 30, "what is kept is bounded"


def test_a_match_ends_the_row_but_not_what_was_counted_over_days() -> None:
    begin = 100 * DAY
    times = [begin + n * 1_000 for n in range(9)]
    caller, _ = refuse_voices(ENROLLED, times)
    matched = machine.judged(
        replace(caller, session=session(Stage.JUDGING, expires_at=begin + DAY)),
        call_sid="CA1", turn=1, purpose=Purpose.VERIFY, judgement=ACCEPTED, policy=RESUME, now=begin + 9_500,
    ).after  # fmt: skip
    assert (matched.failures, matched.locked_until, len(matched.refusals)) == (0, 0, 9)
    locked, moves = refuse_voices(matched, [begin + 10_000])
    assert [move.locked_long for move in moves] == [True]
    assert locked.locked_until == begin + 10_000 + DAY


def test_whoever_knows_the_caller_by_other_means_unlocks_the_number() -> None:
    caller, _ = refuse_voices(ENROLLED, list(range(DAY, 2 * DAY, 120)))
    unlocked = machine.unlock(caller)
    assert unlocked.answer is True
    assert unlocked.after == replace(caller, failures=0, refusals=(), locked_until=0)
    assert machine.unlock(unlocked.after) == machine.Transition(unlocked.after, False)


@pytest.mark.parametrize("ended", ["hung up", "given up", "provider down", "asked again", "found later"])
def test_an_enrolment_that_is_not_finished_in_its_call_is_discarded(ended: str) -> None:
    caller = with_session(ENROLLING, Stage.LISTENING, Purpose.ENROL)
    judging = with_session(ENROLLING, Stage.JUDGING, Purpose.ENROL, tries=2)
    question = Question(contact_id="mine", phase=RETURN, new_code=NEW, now=NOW)
    arguments: dict[str, Any] = {
        "call_sid": "CA1",
        "turn": 1,
        "purpose": Purpose.ENROL,
        "policy": RESUME,
        "now": NOW,
    }
    after = {
        "hung up": lambda: machine.hung_up(caller, call_sid="CA1", policy=RESUME, now=NOW).after,
        "given up": lambda: machine.judged(judging, judgement=MISMATCH, **arguments).after,
        "provider down": lambda: machine.judged(judging, judgement=DOWN, **arguments).after,
        "asked again": lambda: machine.ask(caller, question, RESUME).after,
        "found later": lambda: machine.discard_half(caller, policy=RESUME, now=NOW + 50).after,
    }[ended]()
    assert (after.user_id, after.enrolments, after.discarded) == ("", 0, ("u",))
    assert machine.user_discarded(after, user_id="u").after.discarded == ()
    again = machine.ask(replace(after, outcome=None), replace(question, phase=START), RESUME)
    claimed = machine.claim(again.after, call_sid="CA2", code=NEW, policy=RESUME, now=NOW)
    assert claimed.answer.next is Next.ASK_CONSENT
    assert machine.discard_half(caller, policy=RESUME, now=NOW).after == caller, "its call goes on"


def test_who_has_no_voice_print_is_kept_for_a_day() -> None:
    question = Question(contact_id="mine", phase=START, new_code=NEW, now=NOW)
    for caller in (UNKNOWN, CREATED, ENROLLING):
        assert machine.ask(caller, question, RESUME).after.retain_until == NOW + DAY
    assert machine.ask(ENROLLED, question, RESUME).after.retain_until == 9_999


def test_a_late_proof_is_made_up_for_once_and_then_the_caller_goes_on_unverified() -> None:
    caller = ENROLLED
    answers = []
    for contact in ("a", "b", "c"):
        stale = replace(caller, outcome=outcome(Result.PASSED, at=NOW - 11, contact="x", lives=10))
        question = Question(contact_id=contact, phase=START, new_code=NEW, now=NOW)
        transition = machine.ask(stale, question, REDIAL)
        caller = replace(transition.after, session=None)
        answers.append(
            (transition.answer.branch.value, transition.answer.reason, bool(transition.answer.code))
        )
    late = "failedverified", "proofExpired"
    assert answers == [(*late, True), (*late, False), (*late, True)]
    fresh = replace(caller, outcome=outcome(Result.PASSED, contact="x", lives=10))
    question = Question(contact_id="d", phase=START, new_code=NEW, now=NOW)
    assert machine.ask(fresh, question, REDIAL).after.late_proofs == 0


@pytest.mark.parametrize("decision", [Decision.UNAVAILABLE, Decision.MISMATCH])
def test_what_is_no_proof_may_be_told_after_the_window_of_a_proof(decision: Decision) -> None:
    policy = replace(REDIAL, max_tries=1)
    ended = machine.judged(
        with_session(ENROLLED, Stage.JUDGING),
        call_sid="CA1", turn=1, purpose=Purpose.VERIFY, judgement=Judgement(decision, "X"), policy=policy, now=NOW,
    ).after  # fmt: skip
    question = Question(contact_id="other", phase=START, new_code=NEW, now=NOW + policy.proof_seconds + 20)
    assert not machine.ask(ended, question, policy).answer.code, "it would go round and round"


def test_a_call_whose_tones_got_lost_is_passed_back_with_redial() -> None:
    waiting = with_session(ENROLLED, Stage.DIALLED)
    arguments: dict[str, Any] = {"call_sid": "CA1", "code": "", "now": NOW}
    assert machine.claim(waiting, policy=REDIAL, **arguments) == machine.Transition(
        waiting, machine.Move(next=Next.UNAVAILABLE)
    )
    assert machine.claim(waiting, policy=RESUME, **arguments).answer.next is Next.NOT_EXPECTED
    assert machine.claim(ENROLLED, policy=REDIAL, **arguments).answer.next is Next.NOT_EXPECTED


def test_who_is_in_a_call_or_just_proven_is_not_forgotten() -> None:
    due = replace(ENROLLED, retain_until=NOW)
    for caller, begun in (
        (due, True),
        (replace(due, retain_until=NOW + 1), False),
        (replace(due, retain_until=0), False),
        (with_session(due, Stage.DIALLED), False),
        (with_session(due, Stage.LISTENING, expires_at=NOW), True),
        (with_outcome(due, Result.PASSED), False),
        (with_outcome(due, Result.PASSED, at=NOW - 60), True),
    ):
        transition = machine.begin_retention(caller, now=NOW)
        assert (transition.answer, transition.after.erasing) == (begun, begun)
        assert begun or transition.after == caller


def test_consent_is_taken_once() -> None:
    caller = with_session(UNKNOWN, Stage.CONSENT, Purpose.ENROL)
    arguments: dict[str, Any] = {"call_sid": "CA1", "turn": 1, "policy": RESUME, "now": NOW}
    yes = machine.answer_consent(caller, digits="1", **arguments)
    assert yes.answer.next is Next.CREATE_USER
    assert machine.answer_consent(yes.after, digits="1", **arguments).answer.next is Next.OUT_OF_TURN
    del arguments["policy"]
    created = machine.user_created(yes.after, user_id="u", **arguments)
    assert created.answer.next is Next.ASK_PHRASE
    assert created.after.user_id == "u"
    assert created.after.session is not None
    assert created.after.session.tries == 0
    assert machine.user_created(created.after, user_id="v", **arguments).answer.next is Next.OUT_OF_TURN
