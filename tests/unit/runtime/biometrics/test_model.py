"""The gate's rules, held against attackers who do what they can while everything fails that can (tests.support).

Each rule that is given up must be noticed: by the model here, within 200 examples.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

import pytest

from runtime.biometrics import machine, reconciliation, retention, signature
from runtime.biometrics.caller import Caller, Outcome, Result, Session, Stage
from runtime.biometrics.dialogue import Dialogue
from runtime.biometrics.judgement import Decision, Judgement
from runtime.biometrics.machine import Branch, Phase, Question
from runtime.biometrics.policy import Policy
from runtime.biometrics.removal import CallerRemoval
from runtime.shared.logging import LOGGER
from tests.support import voice_attackers
from tests.support.voice_attackers import OWN, POLICIES, Broken, MemoryCallers, run


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Thousands of log lines would be kept for nothing."""
    before = LOGGER.log_level
    LOGGER.setLevel("CRITICAL")
    yield
    LOGGER.setLevel(before)


@pytest.mark.parametrize("return_mode", sorted(POLICIES))
def test_no_contact_is_verified_whose_caller_did_not_pass_in_it(
    return_mode: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nor is a number locked wrongly, nor a recording left: what must hold is in voice_attackers."""
    figures = run(POLICIES[return_mode], 80)
    with capsys.disabled():
        print(f"\n{return_mode}: {figures}")
    least = {
        "steps": 10_000,
        "verified": 50,  # a gate that verifies nobody would pass, too
        "refused": 20,
        "recut": 100,
        "races": 100,
        "lost": 50,
        "failed": 50,
        "lies": 15,
        "locked": 20,
        "unlocked": 10,
        "erased": 50,
        "discarded": 20,
        "swept": 100,
        "found": 20,
    }
    assert not {name: getattr(figures, name) for name, most in least.items() if getattr(figures, name) < most}


def _code_not_compared(original: Any) -> Any:
    def claim(caller: Caller, *, code: str, **arguments: Any) -> Any:
        code = caller.session.code if caller.session else code
        return original(caller, code=code, **arguments)

    return claim


def _proof_not_removed(original: Any) -> Any:
    def ask(caller: Caller, question: Question, policy: Policy) -> Any:
        transition = original(caller, question, policy)
        if transition.answer.branch is Branch.VERIFIED:
            return machine.Transition(caller, transition.answer)
        return transition

    return ask


def _proof_of_any_contact(original: Any) -> Any:
    def ask(caller: Caller, question: Question, policy: Policy) -> Any:
        if caller.outcome is not None and caller.outcome.result is Result.PASSED:
            question = Question(
                contact_id=caller.outcome.contact_id,
                phase=question.phase,
                new_code=question.new_code,
                now=question.now,
            )
        return original(caller, question, policy)

    return ask


def _condition_not_checked(original: Any) -> Any:
    return lambda *_: True


def _future_accepted(original: Any) -> Any:
    def ask(caller: Caller, question: Question, policy: Policy) -> Any:
        outcome = caller.outcome
        if outcome is not None and outcome.at > question.now:
            at = Outcome(
                result=outcome.result, contact_id=outcome.contact_id, at=0, expires_at=outcome.expires_at
            )
            caller = machine.replace(caller, outcome=at)
        return original(caller, question, policy)

    return ask


def _expiry_ignored(original: Any) -> Any:
    def ask(caller: Caller, question: Question, policy: Policy) -> Any:
        if caller.outcome is not None:
            caller = replace(caller, outcome=replace(caller.outcome, expires_at=10**12))
        return original(caller, question, policy)

    return ask


def _call_and_turn_not_compared(original: Any) -> Any:
    def session_of(caller: Caller, call_sid: str, turn: int, stage: Stage, now: int) -> Any:
        session = caller.session
        if session is not None:
            call_sid, turn = session.call_sid, session.turn
        return original(caller, call_sid, turn, stage, now)

    return session_of


def _signature_not_checked(original: Any) -> Any:
    def verified(event: Any, **_: Any) -> Any:
        return dict(parse_qsl(event["body"]))

    return verified


def _unfinished_enrolment_kept(original: Any) -> Any:
    return lambda caller, _: caller


def _telephony_not_asked(original: Any) -> Any:
    return lambda *_: ()


def _counted_before_it_is_known(original: Any) -> Any:
    def abandon(caller: Caller, policy: Policy) -> Caller:
        judging = caller.session is not None and caller.session.stage is Stage.JUDGING
        return original(machine._failed(caller, policy, 0) if judging else caller, policy)  # type: ignore[no-any-return]

    return abandon


def _cuts_not_checked(original: Any) -> Any:
    return lambda *_: None


def _counted_twice(original: Any) -> Any:
    def judged(self: Dialogue, *arguments: Any, again: bool = False) -> Any:
        return original(self, *arguments[:4])  # nothing is known of a write before

    return judged


def _unclear_is_refused(original: Any) -> Any:
    def not_accepted(caller: Caller, session: Session, judgement: Judgement, *rest: Any) -> Any:
        return original(caller, session, replace(judgement, decision=Decision.MISMATCH), *rest)

    return not_accepted


def _locked_too_early(original: Any) -> Any:
    return lambda caller, policy, now: original(caller, replace(policy, lock_after=1), now)


def _lock_too_long(original: Any) -> Any:
    return lambda caller, policy, now: original(caller, replace(policy, day_tries=2), now)


def _another_number_s_print(original: Any) -> Any:
    def judge(self: Dialogue, message: Any, move: Any) -> Any:
        user_id = self.callers.read(OWN).caller.user_id
        return original(self, message, replace(move, user_id=user_id or move.user_id))

    return judge


def _twilio_not_asked_daily(original: Any) -> Any:
    return lambda *_: reconciliation.Reconciled()


def _midnight_is_sharp(original: Any) -> Any:
    return 0


def _calls_under_way_not_waited_for(original: Any) -> Any:
    return lambda caller, **_: original(caller, calls=())


def _goes_on_where_another_call_ended(original: Any) -> Any:
    def claim(caller: Caller, **arguments: Any) -> Any:
        claimed = original(caller, **arguments)
        session = claimed.after.session
        if session is None or session.stage is not Stage.CONSENT or not caller.user_id:
            return claimed
        after = replace(claimed.after, session=replace(session, stage=Stage.LISTENING))
        return machine.Transition(after, machine._move(after, session, machine.Next.ASK_PHRASE))

    return claim


def run_some(policy: Policy, drawn_from: int) -> None:
    """Let the model run 200 examples, or until one notices."""
    for further in range(8):
        run(policy, 25, drawn_from=drawn_from + further)


PASSED = "was verified without having passed"
LEFT = "a recording is left"
COUNTED = "a voice was counted that nobody refused"


@pytest.mark.parametrize(
    ("target", "name", "weaken", "return_mode", "noticed", "drawn_from"),
    [
        (machine, "ask", _expiry_ignored, "resume", PASSED, 2),
        (machine, "ask", _expiry_ignored, "redial", PASSED, 1),
        (machine, "_session_of", _call_and_turn_not_compared, "resume", PASSED, 5),
        (machine, "claim", _code_not_compared, "resume", PASSED, 4),
        (machine, "ask", _proof_not_removed, "resume", PASSED, 1),
        (machine, "ask", _proof_of_any_contact, "resume", PASSED, 1),
        (machine, "ask", _proof_not_removed, "redial", PASSED, 3),
        (machine, "ask", _future_accepted, "redial", PASSED, 1),
        (MemoryCallers, "fits", _condition_not_checked, "resume", ".", 4),
        (Dialogue, "_judge", _another_number_s_print, "resume", f"{PASSED}|two voices", 2),
        (voice_attackers, "verified_form", _signature_not_checked, "resume", "forged message|cut anew", 1),
        (signature, "_check_cuts", _cuts_not_checked, "resume", "a form was cut anew", 1),
        (machine, "_abandon", _counted_before_it_is_known, "resume", COUNTED, 4),
        (Dialogue, "_judged", _counted_twice, "resume", COUNTED, 5),
        (machine, "_not_accepted", _unclear_is_refused, "resume", COUNTED, 2),
        (machine, "_failed", _locked_too_early, "resume", "a number was locked wrongly", 1),
        (machine, "_failed", _lock_too_long, "redial", "a number was locked wrongly", 2),
        (CallerRemoval, "_calls", _telephony_not_asked, "resume", LEFT, 5),
        (machine, "inventoried", _calls_under_way_not_waited_for, "redial", LEFT, 5),
        (retention, "reconcile", _twilio_not_asked_daily, "resume", LEFT, 4),
        (reconciliation, "YOUNG_SECONDS", _midnight_is_sharp, "resume", "no sweep will find", 4),
    ],
)
def test_the_model_notices_when_a_rule_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
    target: Any,
    name: str,
    weaken: Any,
    return_mode: str,
    noticed: str,
    drawn_from: int,
) -> None:
    """The first examples are drawn from a number that lets it be noticed early; from another it takes more of them."""
    monkeypatch.setattr(target, name, weaken(getattr(target, name)))
    with pytest.raises(Broken, match=noticed):
        run_some(POLICIES[return_mode], drawn_from)


def test_the_model_notices_an_enrolment_that_goes_on_in_another_call(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two rules are in the way of it: what was begun is discarded, and every call asks for consent."""
    monkeypatch.setattr(machine, "_without_half", _unfinished_enrolment_kept(machine._without_half))
    monkeypatch.setattr(machine, "claim", _goes_on_where_another_call_ended(machine.claim))
    with pytest.raises(Broken, match=r"without consent|two voices"):
        run_some(POLICIES["resume"], 1)


def test_a_session_shows_nobody_but_its_call_the_code() -> None:
    caller = Caller(user_id="usr_0", enrolments=2)
    question = Question(contact_id="c", phase=Phase.START, new_code="12345678", now=0)
    opened = machine.ask(caller, question, POLICIES["resume"]).after
    claimed = machine.claim(opened, call_sid="CA1", code="12345678", policy=POLICIES["resume"], now=1).after
    assert isinstance(claimed.session, Session)
    assert not claimed.session.code
