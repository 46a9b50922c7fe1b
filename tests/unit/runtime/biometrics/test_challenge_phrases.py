"""Several phrases, of which verification asks for one at random."""

from __future__ import annotations

import json
import secrets
from dataclasses import replace
from typing import Any

import pytest

from runtime.biometrics import gate, machine, retention, unlock, webhook
from runtime.biometrics.caller import Caller, Consent, Purpose, Session, Stage
from runtime.biometrics.judgement import Decision, Judgement
from runtime.biometrics.machine import Branch, Next, Phase, Question
from runtime.biometrics.policy import Policy
from runtime.biometrics.table import caller_of, item_of
from runtime.shared.environment import Environment
from runtime.shared.errors import ConfigurationError
from tests.unit.runtime.biometrics.conftest import CONTACT_ID

NOW = 1_000
A, B, C = "one fine day we meet", "the river runs to the sea", "nobody forgets a good song"
PHRASES = (A, B, C)
ONE = Policy()
SEVERAL = Policy(phrases=PHRASES, enrolments_needed=9)
KNOWN = Caller(user_id="u", consent=Consent.GIVEN, retain_until=9_999)
PRINT_OF_ONE = replace(KNOWN, enrolments=3)
PRINT_OF_ALL = replace(KNOWN, enrolments=9, phrases=PHRASES)
ACCEPTED, MISMATCH = Judgement(Decision.ACCEPTED, "SUCC", 91.5), Judgement(Decision.MISMATCH, "FAIL", 20.0)
WRONG_PHRASE, UNAVAILABLE = Judgement(Decision.RETRY, "PDNM"), Judgement(Decision.UNAVAILABLE, "NONE")


def asked_by_the_gate(caller: Caller, policy: Policy) -> machine.Transition[machine.Answer]:
    question = Question(contact_id="mine", phase=Phase.START, new_code="12345678", now=NOW)
    return machine.ask(caller, question, policy)


def in_call(caller: Caller, drawn: str, policy: Policy = SEVERAL) -> machine.Transition[machine.Move]:
    """Let a call come that has the code, when ``drawn`` is what is drawn."""
    opened = asked_by_the_gate(caller, policy).after
    return machine.claim(opened, call_sid="CA1", code="12345678", drawn=drawn, policy=policy, now=NOW)


def heard(caller: Caller, judgement: Judgement, *, late: bool = False) -> machine.Transition[machine.Move]:
    """Let the turn that waits be spoken and judged; late: the caller has hung up by then."""
    assert caller.session is not None
    turn = {"call_sid": "CA1", "turn": caller.session.turn, "purpose": Purpose.VERIFY, "now": NOW}
    taken = machine.take(caller, recording="", **turn)  # type: ignore[arg-type]
    assert taken.answer.next is Next.JUDGE
    assert taken.answer.phrase == caller.asked
    after = taken.after
    if late:
        after = machine.hung_up(after, call_sid="CA1", policy=SEVERAL, now=NOW).after
    return machine.judged(after, judgement=judgement, policy=SEVERAL, **turn)  # type: ignore[arg-type]


def over(caller: Caller) -> Caller:
    """Let the call be over, and nothing of it wait for the next."""
    return replace(machine.hung_up(caller, call_sid="CA1", policy=SEVERAL, now=NOW).after, outcome=None)


def test_a_call_is_asked_for_the_phrase_that_was_drawn() -> None:
    claimed = in_call(PRINT_OF_ALL, B)
    assert (claimed.answer.next, claimed.answer.phrase, claimed.after.asked) == (Next.ASK_PHRASE, B, B)


@pytest.mark.parametrize("judgement", [WRONG_PHRASE, MISMATCH, UNAVAILABLE])
@pytest.mark.parametrize("late", [False, True])
def test_nothing_but_a_match_draws_another_phrase(judgement: Judgement, late: bool) -> None:
    after = heard(in_call(PRINT_OF_ALL, B).after, judgement, late=late)
    assert after.after.asked == B
    if after.after.session is not None:
        assert (after.answer.next, after.answer.phrase) == (Next.ASK_PHRASE_AGAIN, B)
    again = in_call(over(after.after), C)
    assert again.answer.phrase == B


def test_hanging_up_draws_no_other_phrase() -> None:
    caller = in_call(PRINT_OF_ALL, B).after
    for _ in range(20):
        caller = in_call(over(caller), C).after
    assert caller.asked == B


@pytest.mark.parametrize("late", [False, True])
def test_a_voice_that_matched_uses_its_phrase_up(late: bool) -> None:
    after = heard(in_call(PRINT_OF_ALL, B).after, ACCEPTED, late=late).after
    assert after.asked == ""
    assert in_call(replace(after, outcome=None), C).answer.phrase == C


def test_a_judgement_that_comes_late_leaves_the_phrase_of_the_next_call_alone() -> None:
    caller = in_call(PRINT_OF_ALL, B).after
    turn = {"call_sid": "CA1", "turn": 1, "purpose": Purpose.VERIFY, "now": NOW}
    taken = machine.take(caller, recording="", **turn).after  # type: ignore[arg-type]
    meanwhile = in_call(over(taken), C).after
    assert meanwhile.session is not None
    late = {**turn, "turn": 7}
    after = machine.judged(meanwhile, judgement=ACCEPTED, policy=SEVERAL, **late).after  # type: ignore[arg-type]
    assert after == meanwhile


def test_a_phrase_that_is_not_asked_for_any_more_is_drawn_anew() -> None:
    waiting = replace(PRINT_OF_ALL, asked=C)
    fewer = replace(SEVERAL, phrases=(A, B), enrolments_needed=6)
    assert in_call(waiting, A, fewer).answer.phrase == A


PRINTS: dict[str, tuple[Caller, Policy, Branch]] = {
    "of one phrase": (PRINT_OF_ONE, ONE, Branch.VERIFY),
    "of all": (PRINT_OF_ALL, SEVERAL, Branch.VERIFY),
    "in another order": (replace(PRINT_OF_ALL, phrases=(C, A, B)), SEVERAL, Branch.VERIFY),
    "of more than are asked for": (
        PRINT_OF_ALL,
        replace(SEVERAL, phrases=(A, C), enrolments_needed=6),
        Branch.VERIFY,
    ),
    "made before there were several": (PRINT_OF_ONE, SEVERAL, Branch.ENROL),
    "of one phrase, with as many recordings": (replace(KNOWN, enrolments=9), SEVERAL, Branch.ENROL),
    "of another phrase": (replace(PRINT_OF_ALL, phrases=(A, B, "la la la")), SEVERAL, Branch.ENROL),
    "of each too seldom": (
        replace(PRINT_OF_ALL, enrolments=6),
        replace(SEVERAL, phrases=(A, B), enrolments_needed=6),
        Branch.ENROL,
    ),
    "when it is one phrase again": (PRINT_OF_ALL, ONE, Branch.ENROL),
}


@pytest.mark.parametrize("case", PRINTS)
def test_only_a_print_of_every_phrase_is_verified(case: str) -> None:
    caller, policy, branch = PRINTS[case]
    opened = asked_by_the_gate(caller, policy)
    assert opened.answer.branch is branch
    if branch is Branch.ENROL:
        assert opened.after.discarded == ("u",)
        claimed = machine.claim(
            opened.after, call_sid="CA1", code="12345678", drawn=A, policy=policy, now=NOW
        )
        assert claimed.answer.next is Next.ASK_CONSENT


def test_an_enrolment_takes_every_phrase_in_turn() -> None:
    session = Session(
        contact_id="mine",
        purpose=Purpose.ENROL,
        stage=Stage.JUDGING,
        expires_at=NOW + 50,
        call_sid="CA1",
        turn=1,
    )
    caller = Caller(consent=Consent.GIVEN, session=session)
    move = machine.user_created(caller, call_sid="CA1", turn=1, user_id="u", phrases=PHRASES, now=NOW)
    said = []
    while move.answer.next is Next.ASK_PHRASE:
        said.append(move.answer.phrase)
        turn = {"call_sid": "CA1", "turn": move.answer.turn, "purpose": Purpose.ENROL, "now": NOW}
        taken = machine.take(move.after, recording="", **turn)  # type: ignore[arg-type]
        assert taken.answer.phrase == said[-1]
        move = machine.judged(taken.after, judgement=ACCEPTED, policy=SEVERAL, **turn)  # type: ignore[arg-type]
    assert said == [A, B, C] * 3
    assert move.answer.next is Next.ENROLLED
    assert (move.after.enrolments, move.after.phrases) == (9, PHRASES)


def test_unlocking_lets_another_phrase_be_drawn_but_is_told_only_of_locks() -> None:
    waiting = replace(PRINT_OF_ALL, asked=B)
    freed = machine.unlock(waiting)
    assert (freed.answer, freed.after.asked) == (False, "")
    assert machine.unlock(replace(waiting, failures=2)).answer is True
    speaking = in_call(PRINT_OF_ALL, B).after
    assert machine.unlock(speaking).after.asked == B


def test_what_was_asked_and_enrolled_is_in_the_table_only_if_there_are_several_phrases() -> None:
    caller = replace(PRINT_OF_ALL, asked=B)
    assert caller_of(item_of(caller)) == caller
    assert {"phrases", "asked"} & set(item_of(in_call(PRINT_OF_ONE, "", ONE).after)) == set()


@pytest.mark.parametrize(
    "phrases", ["nonsense", '["a phrase"]', '["x", "y"]', '["same one", "same one"]', '{"a": 1}']
)
def test_phrases_that_cannot_be_asked_for_are_said(phrases: str) -> None:
    environment = Environment({"PHRASES": phrases})
    Policy.read(environment)
    with pytest.raises(ConfigurationError, match="PHRASES must be a JSON array of 2 to 5 different phrases"):
        environment.check()


# --- the functions


@pytest.fixture
def several(functions: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return the functions with three phrases, each enrolled twice, and a VoiceIt that knows which was said."""
    monkeypatch.setenv("PHRASES", json.dumps(PHRASES))
    for cache in (gate._gate, webhook._webhook, retention._removal, unlock._unlocker):
        cache.cache_clear()
    functions.said = None
    functions.sent = []
    as_before = functions.answer_as_voiceit

    def respond(seen: Any) -> Any:
        if not seen.path.startswith("/users"):
            [phrase] = [one for one in PHRASES if f'name="phrase"\r\n\r\n{one}\r\n'.encode() in seen.body]
            functions.sent.append(phrase)
            if functions.said not in (None, phrase):
                return 400, {}, b'{"responseCode": "PDNM"}'
        return as_before(seen)

    functions.voiceit.respond = respond
    return functions


def enrol(functions: Any, words: Any) -> None:
    twiml = functions.connect(functions.ask())
    assert "we record you 6 times" in words(twiml)
    _, twiml = functions.follow(twiml, Digits="1")
    for number in range(6):
        assert f"Recording {number + 1} of 6. After the tone, please say: {PHRASES[number % 3]}." in words(
            twiml
        )
        _, twiml = functions.follow(twiml)
    assert "We will recognise your voice" in words(twiml)


def test_a_recording_of_another_phrase_never_matches_however_often_it_is_played(
    several: Any, words: Any
) -> None:
    enrol(several, words)
    assert several.sent == [A, B, C] * 2
    twiml = several.connect(several.ask("return"))
    asked = several.item()["asked"]["S"]
    several.said = next(one for one in PHRASES if one != asked)
    several.sent.clear()
    for contact, following in (CONTACT_ID, "second"), ("second", "third"):
        for _ in range(3):
            assert asked in words(twiml)
            _, twiml = several.follow(twiml)
        assert "could not recognise" in words(twiml)
        assert several.ask("return", contact_id=contact)["Reason"] == "notUnderstood"
        twiml = several.connect(several.ask(contact_id=following))
    assert several.sent == [asked] * 6
    assert several.item()["failures"]["N"] == "0"
    several.said = asked
    _, twiml = several.follow(twiml)
    assert "We have recognised your voice" in words(twiml)
    assert "asked" not in several.item()


def test_a_phrase_is_drawn_from_all_by_the_generator_for_secrets(
    several: Any, words: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    enrol(several, words)
    contact, answer = CONTACT_ID, several.ask("return")
    for drawn in (C, A, A, B):
        offered: list[tuple[str, ...]] = []

        def choose(of: tuple[str, ...], drawn: str = drawn, offered: Any = offered) -> str:
            offered.append(of)
            return drawn

        monkeypatch.setattr(secrets, "choice", choose)
        twiml = several.connect(answer)
        assert offered == [PHRASES]
        assert drawn in words(twiml)
        several.follow(twiml)
        assert several.sent[-1] == drawn
        assert several.ask("return", contact_id=contact)["Branch"] == "verified"
        contact = f"{contact}0"
        answer = several.ask(contact_id=contact)
