# ruff: noqa: ARG002, C901, N801, N803, N818, PLR0911 (fakes have the signatures of what they replace)
"""Rule 1 of the gate, held against an attacker: no contact is verified whose caller did not pass in that contact.

The model drives the real signature check, the real dialogue and the real state machine over a table that obeys the
same condition as DynamoDB's. Between any read and its write, and while a voice is judged, something else may happen.
The attacker shows the victim's number, hears the codes of his own contacts, sees every message ever posted and posts it
again, and posts what he likes without a signature.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import HealthCheck, seed, settings
from hypothesis import Phase as HypothesisPhase
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from twilio.request_validator import RequestValidator

from runtime.biometrics import machine
from runtime.biometrics.caller import Caller, Outcome, Result, Session, Stage
from runtime.biometrics.caller_tag import CallerTag
from runtime.biometrics.dialogue import CallMessage, Dialogue
from runtime.biometrics.judgement import Decision, Judgement
from runtime.biometrics.machine import Branch, Next, Phase, Question
from runtime.biometrics.policy import Policy, ReturnMode
from runtime.biometrics.prompts import Prompts, Speech
from runtime.biometrics.recordings import CREDENTIALS, Call, Recording
from runtime.biometrics.removal import CallerRemoval, RemovalIncompleteError
from runtime.biometrics.signature import ForgedError, verified_form
from runtime.biometrics.table import Callers, Stored
from runtime.shared.errors import TemporarilyUnavailableError
from runtime.shared.logging import LOGGER
from runtime.shared.rotated_secret import RotatedSecret

NUMBER = "+12065550100"
ACCOUNT, TOKEN = "AC" + "0" * 32, "the-auth-token"
URL = "https://abc.execute-api.us-east-1.amazonaws.com/prod/voice"


@dataclass
class Count:
    steps: int = 0
    examples: int = 0
    verified: int = 0
    refused: int = 0
    races: int = 0
    lost: int = 0
    failed: int = 0
    erased: int = 0
    discarded: int = 0


class MemoryCallers(Callers):
    """The condition of the real table; `between` runs what happens before a write reaches it."""

    def __init__(self) -> None:
        self.item: tuple[Caller, str] = (Caller(), "")
        self.between: Callable[[], None] = lambda: None
        self.failing = 0

    def read(self, number: str) -> Stored:
        return Stored(*self.item)

    def write(self, number: str, expected: str, caller: Caller, revision: str) -> bool:
        self.between()
        if self.failing:
            self.failing -= 1
            raise TemporarilyUnavailableError("throttled")
        if self.item[1] != expected:
            return False
        self.item = (caller, revision)
        return True

    def delete(self, number: str, expected: str) -> bool:
        if self.item[1] != expected:
            return False
        self.item = (Caller(), "")
        return True

    def overdue(self, now: int, keep: int = 0, needed: int = 0) -> Iterator[str]:
        raise NotImplementedError

    def reconciled(self) -> str:
        raise NotImplementedError

    def set_reconciled(self, day: str) -> None:
        raise NotImplementedError


@dataclass
class Contact:
    id: str
    person: str


@dataclass
class Leg:
    """A call to the telephony number: who speaks on it, and the contact whose code it shows."""

    sid: str
    person: str
    code: str
    contact: Contact | None
    step: str = ""
    turn: int = 0
    over: bool = False
    ended: bool = False


@dataclass
class Pass:
    """A voice that the provider accepted in a verification: of whom, in which contact, when by the webhook's clock."""

    contact: Contact | None
    person: str
    at: int
    used: bool = False


class SecretsManager:
    class exceptions:
        class ResourceNotFoundException(Exception):
            pass

    def get_secret_value(self, SecretId: str, VersionStage: str) -> dict[str, str]:
        if VersionStage == "AWSPREVIOUS":
            raise self.exceptions.ResourceNotFoundException
        return {"SecretString": json.dumps({"accountSid": ACCOUNT, "authToken": TOKEN})}


@dataclass
class World:
    """Everything outside the code under test. It is provider and recordings too."""

    policy: Policy
    count: Count
    name: str = "model"
    time: float = 1_000_000.0
    gate_skew: int = 0
    webhook_skew: int = 0
    callers: MemoryCallers = field(default_factory=MemoryCallers)
    contacts: list[Contact] = field(default_factory=list)
    legs: list[Leg] = field(default_factory=list)
    codes: dict[str, Contact] = field(default_factory=dict)
    posted: list[dict[str, Any]] = field(default_factory=list)
    passes: list[Pass] = field(default_factory=list)
    voices: dict[str, set[str]] = field(default_factory=dict)
    speaking: dict[str, Leg] = field(default_factory=dict)
    held: dict[str, str] = field(default_factory=dict)
    inner: list[Callable[[], None]] = field(default_factory=list)
    provider_down: bool = False
    losing: int = 0
    mismatches: int = 0
    names: Iterator[int] = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        self.callers.between = self.interrupt
        self.secret = RotatedSecret(SecretsManager(), "arn", CREDENTIALS, clock=lambda: self.time)
        self.dialogue = Dialogue(
            callers=self.callers,
            provider=self,
            recordings=self,
            speech=Speech(prompts=Prompts(), phrase="say it", language="en-US", voice="default"),
            policy=self.policy,
            clock=lambda: self.time + self.webhook_skew,
            fetch=False,
        )
        self.removal = CallerRemoval(
            callers=self.callers,
            provider=self,
            recordings=self,
            tag=CallerTag(RotatedSecret(SecretsManager(), "arn", str)),
            telephony_number="+12065550188",
            keep=0,
            policy=self.policy,
        )

    def interrupt(self) -> None:
        if self.inner:
            self.count.races += 1
            self.inner.pop()()

    # --- provider and recordings ---

    def create_user(self) -> str:
        self.interrupt()
        user = f"usr_{len(self.voices)}"
        self.voices[user] = set()
        return user

    def enrol(self, user_id: str, sample: Any) -> Judgement:
        self.interrupt()
        if self.provider_down:
            return Judgement(Decision.UNAVAILABLE, "GERR")
        self.voices[user_id].add(self.speaking[sample.url].person)
        return Judgement(Decision.ACCEPTED, "SUCC")

    def verify(self, user_id: str, sample: Any) -> Judgement:
        self.interrupt()
        leg = self.speaking[sample.url]
        if self.provider_down:
            return Judgement(Decision.UNAVAILABLE, "GERR")
        if leg.person not in self.voices[user_id]:
            self.mismatches += 1
            return Judgement(Decision.MISMATCH, "FAIL")
        self.passes.append(Pass(leg.contact, leg.person, int(self.time + self.webhook_skew)))
        return Judgement(Decision.ACCEPTED, "SUCC", 95.0)

    def delete_user(self, user_id: str) -> None:
        self.interrupt()
        self.count.discarded += user_id in self.voices
        self.voices.pop(user_id, None)

    def url(self, sid: str) -> str:
        return sid

    def fetch(self, sid: str) -> bytes:
        raise NotImplementedError

    def delete(self, sid: str) -> bool:
        self.held.pop(sid, None)
        return True

    def of_call(self, call_sid: str) -> list[Recording]:
        return [Recording(sid, call, 0) for sid, call in self.held.items() if call == call_sid]

    def calls_from(self, number: str, to: str) -> Iterator[Call]:
        return iter([Call(leg.sid, number, leg.ended) for leg in self.legs])

    def is_over(self, call_sid: str) -> bool:
        return all(leg.ended for leg in self.legs if leg.sid == call_sid)

    def of_day(self, day: str) -> Iterator[Recording]:
        raise NotImplementedError

    def calls_of_day(self, day: str, to: str) -> Iterator[Call]:
        raise NotImplementedError

    # --- what happens ---

    def ask(self, contact: Contact, phase: Phase) -> None:
        now = int(self.time + self.gate_skew)
        question = Question(
            contact_id=contact.id,
            phase=phase,
            new_code=f"{next(self.names) * 48_271 % 99_999_989:08d}",
            now=now,
        )
        try:
            answer = self.callers.change(NUMBER, lambda caller: machine.ask(caller, question, self.policy))
        except TemporarilyUnavailableError:
            self.count.failed += 1
            return
        if answer.branch is Branch.VERIFIED:
            self.check_verified(contact, now)
        if answer.code:
            self.codes[answer.code] = contact
            self.legs.append(Leg(f"CA{len(self.legs):032x}", contact.person, answer.code, contact))

    def new_contact(self, person: str) -> Contact:
        return Contact(f"contact-{next(self.names)}", person)

    def pass_time(self, seconds: float) -> None:
        self.time += seconds

    def play(self, contact: Contact, steps: int) -> None:
        """Let the contact's calls go on, step by step."""
        for _ in range(steps):
            legs = [leg for leg in self.legs if leg.contact is contact and not leg.over]
            self.count.steps += 1
            if legs:
                self.speak(legs[-1], "1" if legs[-1].step == "consent" else "")

    def check_verified(self, contact: Contact, now: int) -> None:
        redial = self.policy.return_mode is ReturnMode.REDIAL
        fitting = [
            one
            for one in self.passes
            if not one.used
            and 0 <= now - one.at < self.policy.proof_seconds
            and (redial or (one.contact is contact and one.person == contact.person))
        ]
        assert fitting, f"{contact} was verified without having passed"
        fitting[0].used = True
        self.count.verified += 1

    def speak(self, leg: Leg, digits: str = "") -> None:
        """Let the telephony provider post the leg's next message, signed, and follow the answer."""
        form = {"AccountSid": ACCOUNT, "CallSid": leg.sid, "From": NUMBER, "CallStatus": "in-progress"}
        if leg.step in {"code", "consent"}:
            form["Digits"] = digits or leg.code
        if leg.step in {"enrol", "verify"}:
            form["RecordingSid"] = f"RE{len(self.posted):032x}"
            self.speaking[form["RecordingSid"]] = leg
            self.held[form["RecordingSid"]] = leg.sid
        leg.over = True
        self.follow(leg, self.post(leg.step, leg.turn, form))

    def follow(self, leg: Leg, move: machine.Move | None) -> None:
        steps = {
            Next.ASK_CODE: "code",
            Next.ASK_CONSENT: "consent",
            Next.ASK_PHRASE: move.purpose.value if move else "",
            Next.ASK_PHRASE_AGAIN: move.purpose.value if move else "",
        }
        if move is not None and move.next in steps:
            leg.step, leg.turn, leg.over = steps[move.next], move.turn, False

    def hang_up(self, leg: Leg) -> None:
        leg.over = leg.ended = True
        form = {"AccountSid": ACCOUNT, "CallSid": leg.sid, "From": NUMBER, "CallStatus": "completed"}
        self.post("status", 0, form)

    def post(self, step: str, turn: int, form: dict[str, str]) -> machine.Move | None:
        path = f"/{step}/{turn}" if step else ""
        signature = RequestValidator(TOKEN).compute_signature(URL + path, form)
        event = {
            "requestContext": {"path": f"/prod/voice{path}", "domainName": URL.split("/")[2]},
            "headers": {"X-Twilio-Signature": signature},
            "body": urlencode(form),
            "pathParameters": {"step": step, "turn": str(turn)},
        }
        self.posted.append(event)
        if self.losing:
            self.losing -= 1
            self.count.lost += 1
            return None
        return self.deliver(event)

    def deliver(self, event: dict[str, Any]) -> machine.Move | None:
        try:
            form = verified_form(event, secret=self.secret, public_url="", path="voice")
        except ForgedError:
            self.count.refused += 1
            return None
        step = event["pathParameters"]
        try:
            return self.dialogue.answer(CallMessage.of(step["step"], step["turn"], form))
        except TemporarilyUnavailableError:
            self.count.failed += 1
            return None

    def forget(self, begin: Callable[[], Any]) -> None:
        """Erase the caller; as long as a call goes on it is refused, and repeated after the end of all calls."""
        with contextlib.suppress(TemporarilyUnavailableError, RemovalIncompleteError):
            begin()
        self.inner, self.callers.failing, self.losing = [], 0, 0
        if self.callers.item[0].erasing:
            for leg in self.legs:
                leg.over = leg.ended = True
            self.removal.erase(NUMBER)
            assert self.callers.item == (Caller(), "")
            assert not self.held, "a recording is left, and the caller was called erased"
            self.count.erased += 1

    def check(self) -> None:
        """Hold what must be true whatever has happened."""
        caller = self.callers.item[0]
        assert len(caller.refusals) <= self.mismatches, "a voice was counted that nobody refused"
        if caller.locked_until or caller.failures:
            assert self.mismatches >= min(
                self.policy.lock_after, caller.failures or self.policy.lock_after
            ), "a number was locked without voices that did not match"
        for user, voices in self.voices.items():
            assert len(voices) <= 1, f"{user} is a mixed voice print"

    def forge(self, i: int, what: int) -> None:
        """Post a message that was seen, with something changed, under a signature that was seen."""
        event = json.loads(json.dumps(self.posted[i % len(self.posted)]))
        changes: list[Callable[[], None]] = [
            event["headers"].clear,
            lambda: event.update(body=event["body"].replace("CA", "CB")),
            lambda: event.update(body=event["body"] + "&Digits=1"),
            lambda: event["requestContext"].update(path="/prod/voice/verify/1"),
            lambda: event["headers"].update({"X-Twilio-Signature": "x" * 28}),
            lambda: event.update(queryStringParameters={"turn": "1"}),
        ]
        changes[what % len(changes)]()
        if event != self.posted[i % len(self.posted)]:
            assert self.deliver(event) is None, "a forged message was answered"


def ignore(_: object) -> None:
    """Whatever was answered to a replay: what counts is what the gate says later."""


def model(policy: Policy, count: Count) -> type[RuleBasedStateMachine]:
    """Return the state machine class; `count` collects over all its runs."""

    class Model(RuleBasedStateMachine):
        @initialize(victim_known=st.booleans())
        def begin(self, victim_known: bool) -> None:
            count.examples += 1
            self.world = World(policy, count)
            if victim_known:
                self.world.voices["usr_0"] = {"victim"}
                self.world.callers.item = (
                    Caller(user_id="usr_0", enrolments=policy.enrolments_needed),
                    "first",
                )

        @invariant()
        def holds(self) -> None:
            if hasattr(self, "world"):
                self.world.check()

        @rule(messages=st.integers(1, 2), writes=st.integers(0, 3))
        def trouble(self, messages: int, writes: int) -> None:
            """Lose the next messages on their way, or let the next writes fail."""
            count.steps += 1
            if writes:
                self.world.callers.failing = writes
            else:
                self.world.losing = messages

        @rule(posts=st.integers(2, 6), who=st.sampled_from(["victim", "attacker"]), ends=st.booleans())
        def half_an_enrolment(self, posts: int, who: str, ends: bool) -> None:
            """Begin a call, and leave it somewhere; its end may not be told."""
            contact = self.world.new_contact(who)
            self.world.contacts.append(contact)
            self.world.ask(contact, Phase.START)
            self.world.play(contact, posts)
            legs = [leg for leg in self.world.legs if leg.contact is contact]
            if legs and ends:
                self.world.hang_up(legs[-1])

        def op(self, kind: int, i: int, j: int) -> Callable[[], None]:
            world = self.world

            def nothing() -> None:
                return

            open_legs = [leg for leg in world.legs if not leg.over]
            match kind % 10:
                case 0:
                    person = "attacker" if i % 2 else "victim"
                    world.contacts.append(world.new_contact(person))
                    contact = world.contacts[-1]
                    return lambda: world.ask(contact, Phase.START)
                case 1 | 2 if world.contacts:
                    contact = world.contacts[-1 - i % min(3, len(world.contacts))]
                    return lambda: world.ask(contact, Phase.RETURN if j % 4 else Phase.START)
                case 3 | 4 if open_legs:
                    leg = open_legs[-1 - i % min(3, len(open_legs))]
                    return lambda: world.speak(leg, "1" if leg.step == "consent" else "")
                case 5 if world.posted:
                    event = world.posted[-1 - i % min(12, len(world.posted))]
                    return lambda: ignore(world.deliver(event))
                case 6 if world.posted:
                    return lambda: world.forge(i, j)
                case 7:
                    # The attacker calls the telephony number himself, with a code of his own contacts, or a guess.
                    own = [code for code, contact in world.codes.items() if contact.person == "attacker"]
                    code = own[i % len(own)] if own and j % 2 else f"{i * 7919 % 10**8:08d}"
                    leg = Leg(f"CA{len(world.legs):032x}", "attacker", code, world.codes.get(code), step="")
                    world.legs.append(leg)
                    return lambda: world.speak(leg)
                case 8 if world.legs:
                    leg = world.legs[-1 - i % min(3, len(world.legs))]
                    return lambda: world.hang_up(leg)
                case 9:
                    return lambda: world.pass_time([1, 11, 61, 301][i % 4])
            return nothing

        @rule(kind=st.integers(0, 9), i=st.integers(0, 50), j=st.integers(0, 7))
        def happen(self, kind: int, i: int, j: int) -> None:
            count.steps += 1
            self.op(kind, i, j)()

        @rule(
            kinds=st.tuples(st.integers(0, 9), st.integers(0, 9)), i=st.integers(0, 50), j=st.integers(0, 7)
        )
        def race(self, kinds: tuple[int, int], i: int, j: int) -> None:
            """Let one thing happen between another's read and write, or while a voice is judged."""
            count.steps += 2
            outer = self.op(kinds[0], i, j)
            self.world.inner = [self.op(kinds[1], j, i)]
            outer()
            self.world.inner = []

        @rule(who=st.sampled_from(["victim", "attacker"]), finish=st.integers(0, 8))
        def call(self, who: str, finish: int) -> None:
            """Let a whole call happen, or the beginning of one; elsewhere things may be in progress."""
            contact = self.world.new_contact(who)
            self.world.contacts.append(contact)
            self.world.ask(contact, Phase.START)
            for _ in range(finish):
                legs = [leg for leg in self.world.legs if leg.contact is contact and not leg.over]
                count.steps += 1
                if legs:
                    self.world.speak(legs[-1], "1" if legs[-1].step == "consent" else "")
                else:
                    self.world.ask(contact, Phase.RETURN)

        @rule(seconds=st.sampled_from([1, 91, 100]), finish=st.integers(1, 5))
        def late_leg(self, seconds: int, finish: int) -> None:
            """Let the victim's call reach the telephony side only when the attacker's contact waits for its own."""
            world = self.world
            victim, attacker = world.new_contact("victim"), world.new_contact("attacker")
            world.contacts += [victim, attacker]
            world.ask(victim, Phase.START)
            world.time += seconds
            world.ask(attacker, Phase.START)
            for _ in range(finish):
                count.steps += 1
                for leg in world.legs:
                    if leg.contact is victim and not leg.over:
                        world.speak(leg, "1" if leg.step == "consent" else "")
            world.ask(attacker, Phase.RETURN)
            world.ask(victim, Phase.RETURN)

        @rule(opens=st.integers(2, 3), replays=st.integers(1, 6), hangs_up=st.booleans())
        def replay_into_own_call(self, opens: int, replays: int, hangs_up: bool) -> None:
            """Let the victim pass; the attacker then opens and claims a session, and sends the victim's messages."""
            world = self.world
            victim, attacker = world.new_contact("victim"), world.new_contact("attacker")
            world.contacts += [victim, attacker]
            first = len(world.posted)
            world.ask(victim, Phase.START)
            world.play(victim, 6)
            said = world.posted[first:]
            world.ask(victim, Phase.RETURN)
            world.ask(attacker, Phase.START)
            world.play(attacker, opens)
            for event in said[-replays:]:
                world.count.steps += 1
                ignore(world.deliver(event))
            if hangs_up and world.legs:
                world.hang_up(world.legs[-1])
            world.ask(attacker, Phase.RETURN)

        @rule(seconds=st.integers(0, 70), twice=st.booleans())
        def come_back(self, seconds: int, twice: bool) -> None:
            """Let the victim pass, and the flow ask after some time, or twice at once."""
            world = self.world
            victim = world.new_contact("victim")
            world.contacts.append(victim)
            world.ask(victim, Phase.START)
            world.play(victim, 6)
            world.pass_time(seconds)
            world.inner = [lambda: world.ask(victim, Phase.RETURN)] if twice else []
            world.ask(victim, Phase.RETURN)
            world.inner = []

        @rule(days=st.integers(360, 370), k=st.integers(0, 9), i=st.integers(0, 50))
        def sweep(self, days: int, k: int, i: int) -> None:
            """Let the retention look at the caller while something else happens."""
            count.steps += 1
            self.world.inner = [self.op(k, i, k)]
            now = int(self.world.time) + days * 86_400
            self.world.forget(lambda: self.world.removal.forget_unused(NUMBER, now))

        @rule(phase=st.sampled_from(list(Phase)))
        def ask_at_once(self, phase: Phase) -> None:
            """Let the flow ask twice at the same time for the contact that waits for its outcome."""
            waiting = [one for one in self.world.passes if not one.used and one.contact]
            if waiting and (contact := waiting[-1].contact):
                count.steps += 2
                self.world.inner = [lambda: self.world.ask(contact, phase)]
                self.world.ask(contact, phase)
                self.world.inner = []

        @rule(seconds=st.sampled_from([0.4, 1, 5, 11, 60, 100, 400, 1000]))
        def wait(self, seconds: float) -> None:
            count.steps += 1
            self.world.time += seconds

        @rule(gate=st.integers(-15, 15), webhook=st.integers(-15, 15), down=st.integers(0, 5))
        def drift(self, gate: int, webhook: int, down: int) -> None:
            count.steps += 1
            self.world.gate_skew, self.world.webhook_skew = gate, webhook
            self.world.provider_down = down == 0

        @rule(k=st.integers(0, 9), i=st.integers(0, 50))
        def erase(self, k: int, i: int) -> None:
            """Erase the caller while something else happens, which may make it fail."""
            count.steps += 1
            self.world.inner = [self.op(k, i, k)]
            self.world.forget(lambda: self.world.removal.erase(NUMBER))

    return Model


POLICIES = {
    "resume": Policy(enrolments_needed=2),
    "redial": Policy(enrolments_needed=2, return_mode=ReturnMode.REDIAL, proof_seconds=10),
}


def run(policy: Policy, examples: int) -> Count:
    count = Count()
    run_state_machine_as_test(
        seed(20260520)(model(policy, count)),
        settings=settings(
            max_examples=examples,
            stateful_step_count=60,
            deadline=None,
            database=None,
            derandomize=False,
            phases=[HypothesisPhase.generate],
            suppress_health_check=[
                HealthCheck.too_slow,
                HealthCheck.data_too_large,
                HealthCheck.filter_too_much,
            ],
        ),
    )
    return count


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
    count = run(POLICIES[return_mode], 120)
    with capsys.disabled():
        print(f"\n{return_mode}: {count}")
    assert count.steps >= 10_000
    assert count.verified >= 50, "a gate that verifies nobody would pass, too"
    assert count.refused >= 20
    assert count.races >= 100
    assert count.lost >= 50
    assert count.failed >= 50
    assert count.erased >= 50
    assert count.discarded >= 20


def _code_not_compared(original: Any) -> Any:
    def claim(caller: Caller, *, call_sid: str, code: str, policy: Policy, now: int) -> Any:
        code = caller.session.code if caller.session else code
        return original(caller, call_sid=call_sid, code=code, policy=policy, now=now)

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
    def write(self: MemoryCallers, number: str, expected: str, caller: Caller, revision: str) -> bool:
        self.between()
        self.item = (caller, revision)
        return True

    return write


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


@pytest.mark.parametrize(
    ("target", "name", "weaken", "return_mode"),
    [
        (machine, "ask", _expiry_ignored, "resume"),
        (machine, "ask", _expiry_ignored, "redial"),
        (machine, "_session_of", _call_and_turn_not_compared, "resume"),
        (machine, "claim", _code_not_compared, "resume"),
        (machine, "ask", _proof_not_removed, "resume"),
        (machine, "ask", _proof_of_any_contact, "resume"),
        (machine, "ask", _proof_not_removed, "redial"),
        (machine, "ask", _future_accepted, "redial"),
        (MemoryCallers, "write", _condition_not_checked, "resume"),
        (sys.modules[__name__], "verified_form", _signature_not_checked, "resume"),
    ],
)
def test_the_model_notices_when_a_rule_is_given_up(
    monkeypatch: pytest.MonkeyPatch, target: Any, name: str, weaken: Any, return_mode: str
) -> None:
    monkeypatch.setattr(target, name, weaken(getattr(target, name)))
    with pytest.raises(
        AssertionError,
        match=r"was verified without having passed|a forged message was answered",
    ):
        run(POLICIES[return_mode], 2_000)  # it ends with the first that notices


def test_a_session_shows_nobody_but_its_call_the_code() -> None:
    caller = Caller(user_id="usr_0", enrolments=2)
    question = Question(contact_id="c", phase=Phase.START, new_code="12345678", now=0)
    opened = machine.ask(caller, question, POLICIES["resume"]).after
    claimed = machine.claim(opened, call_sid="CA1", code="12345678", policy=POLICIES["resume"], now=1).after
    assert isinstance(claimed.session, Session)
    assert not claimed.session.code
