# ruff: noqa: ARG002, C901, N801, N803, N818, PLR0911 (fakes have the signatures of what they replace)
"""A stateful model of the voice biometric gate's attackers, their victim, and everything that can go wrong around it.

It drives the real signature check, the real dialogue, the real state machine, the real erasure and the real daily sweep
over a table that obeys the same condition as DynamoDB's. Between any read and its write, while a voice is judged and
while a caller is erased, something else may happen.

The attacker shows the victim's number or his own, hears the codes of his own contacts, sees every message ever posted
and posts it again, cuts what was signed into other forms, and posts what he likes without a signature. Messages get
lost or are turned away, writes fail before or after they took effect, clocks differ, Twilio answers nothing for a
while, and the biometrics provider fails, is slow or says the opposite of what was said.

What must hold whatever happens, and raises ``Broken`` if it does not:

- verified is only a contact for whose call the provider matched a recording with the print of the contact's number;
- a number is locked, and its failed tries are counted, by nothing but the provider's "no match" in its calls;
- nothing recorded is left at the telephony provider once the sweep or the erasure said so, or could never be found.
"""

from __future__ import annotations

import contextlib
import itertools
import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode

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

from runtime.biometrics import limits, machine, retention
from runtime.biometrics.caller import Caller
from runtime.biometrics.caller_tag import CallerTag
from runtime.biometrics.dialogue import CallMessage, Dialogue
from runtime.biometrics.judgement import Decision, Judgement
from runtime.biometrics.machine import Branch, Next, Phase, Question
from runtime.biometrics.policy import Policy, ReturnMode
from runtime.biometrics.prompts import Prompts, Speech
from runtime.biometrics.providers.base import ProviderUnavailableError
from runtime.biometrics.reconciliation import YOUNG_SECONDS
from runtime.biometrics.recordings import (
    CREDENTIALS,
    Call,
    Recording,
    RecordingUnavailableError,
)
from runtime.biometrics.removal import CallerRemoval, RemovalIncompleteError
from runtime.biometrics.retention import SweepIncompleteError
from runtime.biometrics.signature import LONGER, READ, ForgedError, verified_form
from runtime.biometrics.table import Callers, Stored
from runtime.shared.errors import TemporarilyUnavailableError
from runtime.shared.metrics import METRICS
from runtime.shared.rotated_secret import RotatedSecret

VICTIMS, OWN = "+12065550100", "+12065550111"
GATE = "+12065550188"
ACCOUNT, TOKEN = "AC" + "0" * 32, "the-auth-token"
URL = "https://abc.execute-api.us-east-1.amazonaws.com/prod/voice"
WHO = {"victim": ("victim", VICTIMS), "attacker": ("attacker", VICTIMS), "own": ("attacker", OWN)}
"""Who calls, and which number is shown: `attacker` shows the victim's, `own` his own."""
MOODS = ("honest", "down", "slow", "match", "mismatch", "unclear", "unanswered")
"""What the biometrics provider does; from `match` on it lies. `unanswered`: done, and the answer is lost."""
MIDNIGHT = 1_700_006_400
SKEW = 15
"""Seconds by which the clocks of gate, webhook and sweep may each be wrong."""
LONGEST_CALL = 4 * 3_600
"""Seconds after which the telephony provider ends a call by itself."""
SLACK = 700
"""By how many seconds the model's own reckoning of locks may differ from the function's, which was slow or late."""


class Broken(AssertionError):
    """Something happened that must not happen, whatever an attacker does and whatever fails."""


@dataclass
class Figures:
    """How often what happened, over all examples."""

    steps: int = 0
    examples: int = 0
    verified: int = 0
    refused: int = 0
    recut: int = 0
    races: int = 0
    lost: int = 0
    failed: int = 0
    lies: int = 0
    locked: int = 0
    unlocked: int = 0
    erased: int = 0
    discarded: int = 0
    swept: int = 0
    found: int = 0
    broken: Counter[str] = field(default_factory=Counter)


class MemoryCallers(Callers):
    """The condition of the real table; `between` runs what happens before a write reaches it.

    Of the next calls `failing` change nothing and raise; `unsure` of the next writes take effect and raise.
    """

    def __init__(self) -> None:
        self.items: dict[str, tuple[Caller, str]] = {}
        self.between: Callable[[], None] = lambda: None
        self.written: Callable[[str, Caller, Caller], None] = lambda _number, _before, _after: None
        self.failing = 0
        self.unreadable = 0
        self.unsure = 0
        self.day = ""

    def of(self, number: str) -> Caller:
        return self.items.get(number, (Caller(), ""))[0]

    def read(self, number: str) -> Stored:
        if self.unreadable:
            self.unreadable -= 1
            raise TemporarilyUnavailableError("throttled")
        return Stored(*self.items.get(number, (Caller(), "")))

    def write(self, number: str, expected: str, caller: Caller, revision: str) -> bool:
        self.between()
        if self.failing:
            self.failing -= 1
            raise TemporarilyUnavailableError("throttled")
        before, found = self.items.get(number, (Caller(), ""))
        if not self.fits(found, expected):
            return False
        self.items[number] = (caller, revision)
        self.written(number, before, caller)
        self._answer()
        return True

    def delete(self, number: str, expected: str) -> bool:
        before, found = self.items.get(number, (Caller(), ""))
        if not found or not self.fits(found, expected):
            return False
        del self.items[number]
        self.written(number, before, Caller())
        self._answer()
        return True

    def fits(self, found: str, expected: str) -> bool:
        return found == expected

    def _answer(self) -> None:
        if self.unsure:
            self.unsure -= 1
            raise TemporarilyUnavailableError("timed out")

    def overdue(self, now: int, keep: int = 0, needed: int = 0) -> Iterator[str]:
        for number, (caller, _) in list(self.items.items()):
            left = len(caller.recordings) > keep or caller.discarded
            half = caller.user_id and caller.enrolments < needed
            if caller.retain_until <= now or caller.erasing or left or half:
                yield number

    def reconciled(self) -> str:
        return self.day

    def set_reconciled(self, day: str) -> None:
        self.day = day


@dataclass
class Contact:
    id: str
    who: str

    @property
    def person(self) -> str:
        return WHO[self.who][0]

    @property
    def number(self) -> str:
        return WHO[self.who][1]


@dataclass
class Leg:
    """A call to the telephony number: who speaks, which number is shown, and the contact whose code it shows."""

    sid: str
    person: str
    number: str
    code: str
    contact: Contact | None
    began: float
    step: str = ""
    turn: int = 0
    agreed: bool = False
    over: bool = False
    ended: bool = False


@dataclass
class Pass:
    """A recording that the provider matched: of which call, with which print, between when and when it was told."""

    leg: Leg
    user_id: str
    at: int
    told: int | None = None
    used: bool = False


@dataclass
class Held:
    """A recording that lies at the telephony provider."""

    leg: Leg
    made_at: int


class SecretsManager:
    class exceptions:
        class ResourceNotFoundException(Exception):
            pass

    def get_secret_value(self, SecretId: str, VersionStage: str) -> dict[str, str]:
        if VersionStage == "AWSPREVIOUS":
            raise self.exceptions.ResourceNotFoundException
        return {"SecretString": json.dumps({"accountSid": ACCOUNT, "authToken": TOKEN})}


def day_of(seconds: float) -> str:
    return datetime.fromtimestamp(int(seconds), UTC).date().isoformat()


UNAVAILABLE = (
    TemporarilyUnavailableError,
    RemovalIncompleteError,
    ProviderUnavailableError,
    RecordingUnavailableError,
)


@dataclass
class World:
    """Everything outside the code under test. It is provider and recordings too."""

    policy: Policy
    figures: Figures
    name: str = "model"
    time: float = MIDNIGHT - 43_200.0
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
    held: dict[str, Held] = field(default_factory=dict)
    inner: list[Callable[[], None]] = field(default_factory=list)
    mood: str = "honest"
    telephony_down: bool = False
    losing: int = 0
    throttled_until: float = 0.0
    swept_at: float = 0.0
    mismatches: dict[str, list[int]] = field(default_factory=lambda: {VICTIMS: [], OWN: []})
    streak: Counter[str] = field(default_factory=Counter)
    pending: list[str] = field(default_factory=list)
    names: Iterator[int] = field(default_factory=itertools.count)
    broken: list[Broken] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.swept_at = self.time
        self.callers.between = self.interrupt
        self.callers.written = self.written
        self.secret = RotatedSecret(SecretsManager(), "arn", CREDENTIALS, clock=lambda: self.time)
        self.dialogue = Dialogue(
            callers=self.callers,
            provider=self,
            recordings=self,
            speech=Speech(prompts=Prompts(), phrase="say it", language="en-US", voice="default"),
            policy=self.policy,
            clock=self.webhook_clock,
            fetch=False,
        )
        self.removal = CallerRemoval(
            callers=self.callers,
            provider=self,
            recordings=self,
            tag=CallerTag(RotatedSecret(SecretsManager(), "arn", str)),
            telephony_number=GATE,
            keep=0,
            policy=self.policy,
        )

    def webhook_clock(self) -> float:
        return self.time + self.webhook_skew

    def require(self, holds: object, message: str) -> None:
        """Note what must not happen, too: the code under test catches what is raised below it."""
        if not holds:
            self.broken.append(Broken(message))
            self.figures.broken[message.partition(":")[0]] += 1
            raise self.broken[-1]

    def interrupt(self) -> None:
        if self.inner:
            self.figures.races += 1
            self.inner.pop()()

    # --- provider ---

    def create_user(self) -> str:
        self.interrupt()
        if self.mood == "down":
            raise ProviderUnavailableError("down")
        user = f"usr_{next(self.names)}"
        self.voices[user] = set()
        if self.mood == "unanswered":
            raise ProviderUnavailableError("no answer")
        return user

    def enrol(self, user_id: str, sample: Any) -> Judgement:
        leg, answer = self.judge(sample)
        self.require(leg.agreed, f"a voice was enrolled without consent: {leg}")
        if user_id not in self.voices or (answer is Decision.UNAVAILABLE and self.mood != "unanswered"):
            return Judgement(Decision.UNAVAILABLE, "GERR")
        if answer is Decision.RETRY:
            return Judgement(Decision.RETRY, "STTF")
        self.voices[user_id].add(leg.person)
        decision = Decision.UNAVAILABLE if self.mood == "unanswered" else Decision.ACCEPTED
        return Judgement(decision, "SUCC")

    def verify(self, user_id: str, sample: Any) -> Judgement:
        leg, answer = self.judge(sample)
        if answer is None:
            fits = leg.person in self.voices.get(user_id, ())
            answer = Decision.ACCEPTED if fits else Decision.MISMATCH
        if answer is Decision.MISMATCH:
            self.mismatches[leg.number].append(int(self.webhook_clock()))
            self.streak[leg.number] += 1
            self.pending.append(leg.number)
        if answer is Decision.ACCEPTED:
            self.passes.append(Pass(leg, user_id, int(self.webhook_clock())))
        return Judgement(answer, "CODE", 95.0)

    def judge(self, sample: Any) -> tuple[Leg, Decision | None]:
        """Return whose recording it is, and what the provider answers whatever was said; None: what is true."""
        self.interrupt()
        if self.mood == "slow":
            self.time += 12
        self.figures.lies += self.mood in {"match", "mismatch", "unclear", "unanswered"}
        answers = {
            "down": Decision.UNAVAILABLE,
            "match": Decision.ACCEPTED,
            "mismatch": Decision.MISMATCH,
            "unclear": Decision.RETRY,
            "unanswered": Decision.UNAVAILABLE,
        }
        return self.speaking[sample.url], answers.get(self.mood)

    def delete_user(self, user_id: str) -> None:
        self.interrupt()
        if self.mood == "down":
            raise ProviderUnavailableError("down")
        self.figures.discarded += user_id in self.voices
        self.voices.pop(user_id, None)

    # --- recordings ---

    def url(self, sid: str) -> str:
        return sid

    def fetch(self, sid: str) -> bytes:
        raise NotImplementedError

    def delete(self, sid: str) -> bool:
        if self.telephony_down:
            return False
        self.held.pop(sid, None)
        return True

    def of_call(self, call_sid: str) -> list[Recording]:
        self.telephony()
        return [self.recording(sid) for sid, held in self.held.items() if held.leg.sid == call_sid]

    def of_day(self, day: str) -> Iterator[Recording]:
        self.telephony()
        self.interrupt()
        return iter([self.recording(sid) for sid, held in self.held.items() if day_of(held.made_at) == day])

    def calls_from(self, number: str, to: str) -> Iterator[Call]:
        self.telephony()
        return iter([self.call(leg) for leg in self.legs if leg.number == number and to == GATE])

    def calls_of_day(self, day: str, to: str) -> Iterator[Call]:
        self.telephony()
        return iter([self.call(leg) for leg in self.legs if day_of(leg.began) == day and to == GATE])

    def is_over(self, call_sid: str) -> bool:
        self.telephony()
        return all(self.is_ended(leg) for leg in self.legs if leg.sid == call_sid)

    def telephony(self) -> None:
        if self.telephony_down:
            raise RecordingUnavailableError("Twilio answered 503")

    def recording(self, sid: str) -> Recording:
        return Recording(sid, self.held[sid].leg.sid, self.held[sid].made_at)

    def call(self, leg: Leg) -> Call:
        return Call(leg.sid, leg.number, self.is_ended(leg))

    def is_ended(self, leg: Leg) -> bool:
        return leg.ended or self.time - leg.began > LONGEST_CALL

    # --- what happens ---

    def begin(self, who: str) -> Contact:
        """Let a contact begin, and its flow ask for the first time."""
        contact = Contact(f"contact-{next(self.names)}", who)
        self.contacts.append(contact)
        self.ask(contact, Phase.START)
        return contact

    def ask(self, contact: Contact, phase: Phase) -> None:
        now = int(self.time + self.gate_skew)
        code = f"{next(self.names) * 48_271 % 99_999_989:08d}"
        question = Question(contact_id=contact.id, phase=phase, new_code=code, now=now)
        known = Caller()

        def decide(caller: Caller) -> machine.Transition[machine.Answer]:
            nonlocal known
            known = caller
            return machine.ask(caller, question, self.policy)

        try:
            answer = self.callers.change(contact.number, decide)
        except TemporarilyUnavailableError:
            self.figures.failed += 1
            return
        if answer.branch is Branch.VERIFIED:
            self.check_verified(contact, known, now)
        if answer.code:
            self.codes[answer.code] = contact
            self.dial(contact.person, contact.number, answer.code, contact)

    def dial(self, person: str, number: str, code: str, contact: Contact | None) -> Leg:
        leg = Leg(f"CA{len(self.legs):032x}", person, number, code, contact, self.time)
        self.legs.append(leg)
        return leg

    def play(self, contact: Contact, steps: int) -> None:
        """Let the contact's calls go on, step by step."""
        for _ in range(steps):
            legs = [leg for leg in self.legs if leg.contact is contact and not leg.over]
            self.figures.steps += 1
            if legs:
                self.speak(legs[-1])

    def check_verified(self, contact: Contact, known: Caller, now: int) -> None:
        redial = self.policy.return_mode is ReturnMode.REDIAL
        fitting = [
            one
            for one in self.passes
            if not one.used
            and one.at
            <= now
            < (self.webhook_clock() if one.told is None else one.told) + self.policy.proof_seconds
            and one.leg.number == contact.number
            and one.user_id == known.user_id
            and (redial or (one.leg.contact is contact and one.leg.person == contact.person))
        ]
        self.require(fitting, f"a contact was verified without having passed: {contact}")
        fitting[0].used = True
        self.figures.verified += 1

    def speak(self, leg: Leg) -> None:
        """Let the telephony provider post the leg's next message, signed, and follow the answer."""
        if self.is_ended(leg):
            leg.over = True
            return
        form = self.form(leg, "in-progress")
        if leg.step in {"code", "consent"}:
            form["Digits"] = "1" if leg.step == "consent" else leg.code
            leg.agreed = leg.agreed or leg.step == "consent"
        if leg.step in {"enrol", "verify"}:
            sid = f"RE{len(self.posted):032x}"
            form["RecordingSid"] = sid
            self.speaking[sid] = leg
            self.held[sid] = Held(leg, int(self.time))
        leg.over = True
        self.follow(leg, self.post(leg.step, leg.turn, form))

    def form(self, leg: Leg, status: str) -> dict[str, str]:
        form = {
            "AccountSid": ACCOUNT,
            "CallSid": leg.sid,
            "CallStatus": status,
            "From": leg.number,
            "To": GATE,
        }
        # What a caller has a say in: a call passed on names the number that passed it on, and a name is any text.
        if leg.number == OWN:
            form["ForwardedFrom"] = VICTIMS
        elif leg.person == "attacker" and leg.contact is None:
            form["CallerName"] = f"Digits1From{OWN}"
        return form

    def follow(self, leg: Leg, move: machine.Move | None) -> None:
        steps = {
            Next.ASK_CODE: "code",
            Next.ASK_CONSENT: "consent",
            Next.ASK_PHRASE: move.purpose.value if move else "",
            Next.ASK_PHRASE_AGAIN: move.purpose.value if move else "",
        }
        if move is not None and move.next in steps:
            leg.step, leg.turn, leg.over = steps[move.next], move.turn, False
        else:
            leg.ended = True  # nothing more to say: the telephony provider hangs up

    def hang_up(self, leg: Leg) -> None:
        leg.over = leg.ended = True
        self.post("status", 0, self.form(leg, "completed"))

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
        if self.losing or self.time < self.throttled_until:
            self.losing = max(0, self.losing - 1)
            self.figures.lost += 1
            return None
        return self.deliver(event)

    def deliver(self, event: dict[str, Any]) -> machine.Move | None:
        """Let the webhook answer; None if it refuses, or fails, or says that it has no answer."""
        try:
            form = verified_form(event, secret=self.secret, public_url="", path="voice")
        except ForgedError:
            self.figures.refused += 1
            return None
        step, pending, passes = event["pathParameters"], len(self.pending), len(self.passes)
        try:
            return self.dialogue.answer(CallMessage.of(step["step"], step["turn"], form))
        except TemporarilyUnavailableError:
            self.figures.failed += 1
            return None
        finally:
            del self.pending[pending:]
            for one in self.passes[passes:]:
                one.told = one.told or int(self.webhook_clock())

    def unlock(self, number: str) -> None:
        """Let an agent say that the number's owner is known."""
        with contextlib.suppress(TemporarilyUnavailableError):
            self.figures.unlocked += self.callers.change(number, machine.unlock)

    # --- forgetting ---

    def erase(self, number: str) -> bool:
        """Erase a caller; tell whether it was said that nothing is left."""
        known = self.callers.of(number)
        try:
            self.removal.erase(number)
        except UNAVAILABLE:
            return False
        left = [sid for sid, held in self.held.items() if held.leg.number == number]
        self.require(not left, f"a recording is left, and the caller was called erased: {left}")
        users = [user for user in (known.user_id, *known.discarded) if user in self.voices]
        self.require(not users, f"a voice print is left, and the caller was called erased: {users}")
        self.figures.erased += bool(known.retain_until)
        return True

    def sweep(self) -> bool:
        """Let the daily sweep run; tell whether it was said that nothing is left."""
        old = self.time - YOUNG_SECONDS - SKEW
        due = [sid for sid, held in self.held.items() if self.is_ended(held.leg) and held.made_at <= old]
        try:
            retention.sweep(self.removal, int(self.time + self.gate_skew), lambda: 600.0)
        except SweepIncompleteError:
            return False
        except UNAVAILABLE:
            self.figures.failed += 1
            return False
        left = [sid for sid in due if sid in self.held]
        self.require(not left, f"a recording is left after the sweep: {left}")
        self.swept_at = self.time
        self.figures.swept += 1
        self.figures.found += len(due)
        return True

    def heal(self) -> None:
        """Let everything work again, and all calls be over."""
        self.inner, self.losing, self.throttled_until = [], 0, 0.0
        self.callers.failing = self.callers.unreadable = self.callers.unsure = 0
        self.mood, self.telephony_down = "honest", False
        for leg in self.legs:
            leg.over = leg.ended = True

    def come_to_rest(self) -> None:
        """Nothing fails any more, and two days go by: then nothing may be left of what was not finished."""
        self.heal()
        for _ in range(2):
            self.time += limits.DAY_SECONDS
            self.require(self.sweep(), "the sweep does not come to an end although nothing fails")
        self.require(not self.held, f"a recording is left for ever: {self.held}")
        referred = {caller.user_id for caller, _ in self.callers.items.values()}
        orphans = [user for user, voices in self.voices.items() if voices and user not in referred]
        self.require(not orphans, f"a voice print is left for ever: {orphans}")
        for number, (caller, _) in self.callers.items.items():
            half = caller.user_id and caller.enrolments < self.policy.enrolments_needed
            self.require(not half, f"an unfinished voice print is left for ever: {number}")
            self.require(not caller.erasing, f"an erasure is never finished: {number}")

    # --- what must hold ---

    def written(self, number: str, before: Caller, after: Caller) -> None:
        """Reckon, at each write, what may be counted and locked."""
        waiting = self.pending.count(number)
        if not after.failures:
            self.streak[number] = waiting
        if not after.refusals and before.refusals:
            self.mismatches[number] = self.mismatches[number][-waiting:] if waiting else []
        said = self.mismatches[number]
        self.require(
            len(after.refusals) <= len(said) and after.failures <= self.streak[number],
            f"a voice was counted that nobody refused: {after}",
        )
        if after.locked_until > before.locked_until:
            now, policy = int(self.webhook_clock()), self.policy
            limits_of = (
                (policy.lock_seconds, self.streak[number] >= policy.lock_after),
                (limits.DAY_SECONDS, self.within(said, limits.DAY_SECONDS) >= policy.day_tries),
                (limits.MONTH_SECONDS, self.within(said, limits.MONTH_SECONDS) >= policy.month_tries),
            )
            until = max((now + seconds for seconds, reached in limits_of if reached), default=0)
            self.require(after.locked_until <= until + SLACK, f"a number was locked wrongly: {after}")
            self.figures.locked += 1

    def within(self, times: list[int], seconds: int) -> int:
        return sum(self.webhook_clock() - at < seconds + SLACK for at in times)

    def check(self) -> None:
        """Hold what must be true whatever has happened."""
        if self.broken:
            raise self.broken[0]
        for user, voices in self.voices.items():
            self.require(len(voices) <= 1, f"two voices make one print: {user}")
        for sid, held in self.held.items():
            # The sweep never looks again at days up to this one.
            self.require(
                day_of(held.made_at) > self.callers.day, f"a recording is left that no sweep will find: {sid}"
            )

    # --- forms that nobody posted ---

    def forge(self, i: int, what: int) -> None:
        """Post a message that was seen, with something changed, under a signature that was seen."""
        seen = self.posted[i % len(self.posted)]
        event = json.loads(json.dumps(seen))
        changes: list[Callable[[], None]] = [
            event["headers"].clear,
            lambda: event.update(body=event["body"].replace("CA", "CB")),
            lambda: event.update(body=event["body"] + "&Digits=1"),
            lambda: event["requestContext"].update(path="/prod/voice/verify/1"),
            lambda: event["headers"].update({"X-Twilio-Signature": "x" * 28}),
            lambda: event.update(queryStringParameters={"turn": "1"}),
            lambda: event.update(body=event["body"].replace(VICTIMS[1:], OWN[1:])),
        ]
        changes[what % len(changes)]()
        if event != seen:
            self.require(self.deliver(event) is None, "a forged message was answered")

    def recut(self, event: dict[str, Any]) -> None:
        """Cut what was signed into every other form that says something else, and post each."""
        form = dict(parse_qsl(event["body"], keep_blank_values=True))
        for other in cuts(form):
            self.figures.steps += 1
            self.figures.recut += 1
            again = {**event, "body": urlencode(other)}
            refused = self.figures.refused
            ignore(self.deliver(again))
            self.require(self.figures.refused > refused, f"a form was cut anew and not refused: {other}")


def cuts(form: dict[str, str]) -> Iterator[dict[str, str]]:
    """Yield other forms of the same signed text in which a field that the webhook reads has another value."""
    names = sorted(form)
    text = "".join(name + form[name] for name in names)
    starts = dict(
        zip(itertools.accumulate((len(n + form[n]) for n in names[:-1]), initial=0), names, strict=True)
    )
    for name in (*READ, *LONGER):
        at = text.find(name)
        while at >= 0:
            if starts.get(at) != name:
                cut = cut_at(text, starts, at, name)
                if cut is not None and any(cut.get(one) != form.get(one) for one in READ):
                    yield cut
            at = text.find(name, at + 1)


def cut_at(text: str, starts: dict[int, str], at: int, name: str) -> dict[str, str] | None:
    """Let a field of that name begin there, and others begin where names still follow one another, or nowhere."""
    fields = {}
    for start, other in starts.items():
        if start < at and (start + len(other) > at or other >= name):
            continue  # its name would be cut through, or stand before one that sorts before it
        if start > at and (start < at + len(name) or other <= name):
            # Its name takes in some of its value, so that it sorts behind: Twilio's names are not looked at.
            fields.update({start: text[start : start + len(other) + 2]} if other == name else {})
        else:
            fields[start] = other
    fields[at] = name
    begins = sorted(fields)
    if not begins or begins[0] != 0 or [fields[one] for one in begins] != sorted(set(fields.values())):
        return None
    ends = [*begins[1:], len(text)]
    return {fields[one]: text[one + len(fields[one]) : end] for one, end in zip(begins, ends, strict=True)}


def ignore(_: object) -> None:
    """Whatever was answered to a replay: what counts is what the gate says later."""


people = st.sampled_from(["victim", "attacker", "own"])


def model(policy: Policy, figures: Figures) -> type[RuleBasedStateMachine]:
    """Return the state machine class; `figures` collects over all its runs."""

    class Model(RuleBasedStateMachine):
        @initialize(known=st.integers(0, 3), to_midnight=st.sampled_from([43_200, 43_200, 700, 20]))
        def first(self, known: int, to_midnight: int) -> None:
            figures.examples += 1
            self.world = World(policy, figures, time=MIDNIGHT - float(to_midnight))
            self.world.callers.day = day_of(MIDNIGHT - 2 * limits.DAY_SECONDS)
            enrolled = [("victim", VICTIMS)] * (known > 0) + [("attacker", OWN)] * (known > 1)
            for person, number in enrolled:
                self.world.voices[f"usr_{person}"] = {person}
                self.world.callers.items[number] = (
                    Caller(
                        user_id=f"usr_{person}",
                        enrolments=policy.enrolments_needed,
                        retain_until=int(self.world.time) + policy.retention_seconds,
                    ),
                    "first",
                )

        @invariant()
        def holds(self) -> None:
            if hasattr(self, "world"):
                self.world.check()

        def teardown(self) -> None:
            METRICS.clear_metrics()
            if hasattr(self, "world") and not self.world.broken:
                self.world.come_to_rest()
                self.world.check()

        @rule(
            what=st.sampled_from(["lose", "throttle", "write", "unsure", "read"]),
            often=st.integers(1, 3),
        )
        def trouble(self, what: str, often: int) -> None:
            """Lose the next messages, turn all away for a while, or let what is asked of the table fail."""
            figures.steps += 1
            world = self.world
            match what:
                case "lose":
                    world.losing = often
                case "throttle":
                    world.throttled_until = world.time + 20 * often
                case "write":
                    world.callers.failing = often
                case "unsure":
                    world.callers.unsure = (often + 1) // 2
                case _:
                    world.callers.unreadable = often

        @rule(posts=st.integers(2, 6), who=people, ends=st.booleans())
        def half_an_enrolment(self, posts: int, who: str, ends: bool) -> None:
            """Begin a call, and leave it somewhere; its end may not be told."""
            contact = self.world.begin(who)
            self.world.play(contact, posts)
            legs = [leg for leg in self.world.legs if leg.contact is contact]
            if legs and ends:
                self.world.hang_up(legs[-1])

        @rule(who=people, said=st.integers(0, 2), ask=st.booleans())
        def leave_while_judged(self, who: str, said: int, ask: bool) -> None:
            """Hang up, or let the flow go on, while the provider listens."""
            world = self.world
            contact = world.begin(who)
            world.play(contact, 2 + said)
            figures.steps += 1
            legs = [leg for leg in world.legs if leg.contact is contact and not leg.over]
            if legs:
                # The write that takes the turn comes first.
                leave = (
                    (lambda: world.ask(contact, Phase.RETURN)) if ask else (lambda: world.hang_up(legs[-1]))
                )
                world.inner = [leave, lambda: None]
                world.speak(legs[-1])
                world.inner = []

        def lose_message(self, who: str) -> Contact:
            """Lose the message that tells of a recording."""
            world = self.world
            contact = world.begin(who)
            for _ in range(4):
                legs = [leg for leg in world.legs if leg.contact is contact and not leg.over]
                figures.steps += 1
                if legs:
                    world.losing = max(world.losing, int(legs[-1].step in {"enrol", "verify"}))
                    world.speak(legs[-1])
            return contact

        @rule(who=people, sweeps=st.booleans())
        def message_lost(self, who: str, sweeps: bool) -> None:
            """Lose the message that tells of a recording, and forget the caller."""
            contact = self.lose_message(who)
            if sweeps:
                self.world.sweep()
            else:
                self.world.erase(contact.number)

        @rule(who=people, before=st.integers(0, 2 * SKEW), gate=st.integers(-SKEW, SKEW))
        def midnight(self, who: str, before: int, gate: int) -> None:
            """Let the sweep run, and messages get lost, while clocks do not agree on the day."""
            world = self.world
            midnight = (world.time // limits.DAY_SECONDS + 1) * limits.DAY_SECONDS
            world.time, world.gate_skew = midnight - before, gate
            figures.steps += 1
            world.sweep()
            self.lose_message(who)

        @rule(i=st.integers(0, 50))
        def cut_anew(self, i: int) -> None:
            """Let the attacker call with his own number, and cut what Twilio signed of it into other forms."""
            world = self.world
            world.play(world.begin("own"), 1 + i % 3)
            for event in world.posted[-1 - i % 3 :]:
                world.recut(event)

        def op(self, kind: int, i: int, j: int) -> Callable[[], None]:
            world = self.world

            def nothing() -> None:
                return

            open_legs = [leg for leg in world.legs if not leg.over]
            match kind % 13:
                case 0:
                    who = ("victim", "attacker", "victim", "own")[i % 4]
                    return lambda: ignore(world.begin(who))
                case 1 | 2 if world.contacts:
                    contact = world.contacts[-1 - i % min(3, len(world.contacts))]
                    return lambda: world.ask(contact, Phase.RETURN if j % 4 else Phase.START)
                case 3 | 4 if open_legs:
                    leg = open_legs[-1 - i % min(3, len(open_legs))]
                    return lambda: world.speak(leg)
                case 5 if world.posted:
                    event = world.posted[-1 - i % min(12, len(world.posted))]
                    return lambda: ignore(world.deliver(event))
                case 6 if world.posted:
                    return lambda: world.forge(i, j)
                case 7:
                    # The attacker calls the telephony number himself, with a code of his own contacts, or a guess,
                    # and shows either number.
                    own = [code for code, contact in world.codes.items() if contact.person == "attacker"]
                    code = own[i % len(own)] if own and j % 2 else f"{i * 7919 % 10**8:08d}"
                    leg = world.dial("attacker", OWN if j % 3 == 0 else VICTIMS, code, world.codes.get(code))
                    return lambda: world.speak(leg)
                case 8 if world.legs:
                    leg = world.legs[-1 - i % min(3, len(world.legs))]
                    return lambda: world.hang_up(leg)
                case 9:
                    seconds = [1, 11, 61, 301][i % 4]
                    return lambda: setattr(world, "time", world.time + seconds)
                case 10:
                    return lambda: world.unlock(VICTIMS if i % 2 else OWN)
                case 11:
                    return lambda: ignore(world.sweep())
                case 12 if world.posted:
                    event = world.posted[-1 - i % min(12, len(world.posted))]
                    return lambda: world.recut(event)
            return nothing

        @rule(kind=st.integers(0, 12), i=st.integers(0, 50), j=st.integers(0, 7))
        def happen(self, kind: int, i: int, j: int) -> None:
            figures.steps += 1
            self.op(kind, i, j)()

        @rule(
            kinds=st.tuples(st.integers(0, 12), st.integers(0, 12)), i=st.integers(0, 50), j=st.integers(0, 7)
        )
        def race(self, kinds: tuple[int, int], i: int, j: int) -> None:
            """Let one thing happen between another's read and write, or while a voice is judged."""
            figures.steps += 2
            outer = self.op(kinds[0], i, j)
            self.world.inner = [self.op(kinds[1], j, i)]
            outer()
            self.world.inner = []

        @rule(who=people, finish=st.integers(0, 8))
        def call(self, who: str, finish: int) -> None:
            """Let a whole call happen, or the beginning of one; elsewhere things may be in progress."""
            contact = self.world.begin(who)
            for _ in range(finish):
                legs = [leg for leg in self.world.legs if leg.contact is contact and not leg.over]
                figures.steps += 1
                if legs:
                    self.world.speak(legs[-1])
                else:
                    self.world.ask(contact, Phase.RETURN)

        @rule(seconds=st.sampled_from([1, 91, 100]), finish=st.integers(1, 5))
        def late_leg(self, seconds: int, finish: int) -> None:
            """Let the victim's call reach the telephony side only when the attacker's contact waits for its own."""
            world = self.world
            victim = world.begin("victim")
            world.time += seconds
            attacker = world.begin("attacker")
            for _ in range(finish):
                figures.steps += 1
                for leg in world.legs:
                    if leg.contact is victim and not leg.over:
                        world.speak(leg)
            world.ask(attacker, Phase.RETURN)
            world.ask(victim, Phase.RETURN)

        @rule(
            opens=st.integers(2, 3),
            replays=st.integers(1, 6),
            hangs_up=st.booleans(),
            who=st.sampled_from(["attacker", "own"]),
        )
        def replay_into_own_call(self, opens: int, replays: int, hangs_up: bool, who: str) -> None:
            """Let the victim pass; the attacker then opens and claims a session, and sends the victim's messages."""
            world = self.world
            first = len(world.posted)
            victim = world.begin("victim")
            world.play(victim, 6)
            said = world.posted[first:]
            world.ask(victim, Phase.RETURN)
            attacker = world.begin(who)
            world.play(attacker, opens)
            for event in said[-replays:]:
                figures.steps += 1
                ignore(world.deliver(event))
            if hangs_up and world.legs:
                world.hang_up(world.legs[-1])
            world.ask(attacker, Phase.RETURN)

        @rule(seconds=st.integers(0, 70), twice=st.booleans(), who=st.sampled_from(["victim", "own"]))
        def come_back(self, seconds: int, twice: bool, who: str) -> None:
            """Let somebody pass, and the flow ask after some time, or twice at once."""
            world = self.world
            contact = world.begin(who)
            world.play(contact, 6)
            world.time += seconds
            world.inner = [lambda: world.ask(contact, Phase.RETURN)] if twice else []
            world.ask(contact, Phase.RETURN)
            world.inner = []

        @rule(voices=st.integers(2, 4), unsure=st.integers(0, 3), unlocks=st.booleans())
        def guess_voices(self, voices: int, unsure: int, unlocks: bool) -> None:
            """Let the attacker try voices, and an agent unlock; a write may take effect although its answer is lost."""
            world = self.world
            contact = world.begin("attacker")
            world.play(contact, 2)
            for one in range(voices):
                legs = [leg for leg in world.legs if leg.contact is contact and not leg.over]
                figures.steps += 1
                if legs:
                    if one == unsure:
                        world.inner = [lambda: setattr(world.callers, "unsure", 1), lambda: None]
                    world.speak(legs[-1])
                    world.inner = []
            if unlocks:
                world.unlock(VICTIMS)

        @rule(mood=st.sampled_from(MOODS[1:]), who=people, voices=st.integers(1, 4))
        def provider_is_wrong(self, mood: str, who: str, voices: int) -> None:
            """Let the provider fail, dawdle or lie for a call."""
            world = self.world
            contact = world.begin(who)
            world.play(contact, 2)
            world.mood = mood
            world.play(contact, voices)
            world.mood = "honest"
            world.ask(contact, Phase.RETURN)

        @rule(
            seconds=st.sampled_from([0, 30, 700, limits.DAY_SECONDS, 370 * limits.DAY_SECONDS]),
            k=st.integers(0, 12),
            i=st.integers(0, 50),
        )
        def sweep(self, seconds: int, k: int, i: int) -> None:
            """Let the daily sweep run while something else happens."""
            figures.steps += 1
            world = self.world
            # Sweeps that fail for longer than Twilio lists calls are beyond what is promised.
            late = world.time + seconds - world.swept_at > 390 * limits.DAY_SECONDS
            world.time += limits.DAY_SECONDS if late else seconds
            world.inner = [self.op(k, i, k)]
            world.sweep()
            world.inner = []

        @rule(phase=st.sampled_from(list(Phase)))
        def ask_at_once(self, phase: Phase) -> None:
            """Let the flow ask twice at the same time for the contact that waits for its outcome."""
            waiting = [one.leg.contact for one in self.world.passes if not one.used]
            if waiting and (contact := waiting[-1]):
                figures.steps += 2
                self.world.inner = [lambda: self.world.ask(contact, phase)]
                self.world.ask(contact, phase)
                self.world.inner = []

        @rule(seconds=st.sampled_from([0.4, 1, 5, 11, 60, 100, 400, 1000, 90_000]))
        def wait(self, seconds: float) -> None:
            figures.steps += 1
            self.world.time += seconds

        @rule(
            gate=st.integers(-SKEW, SKEW),
            webhook=st.integers(-SKEW, SKEW),
            mood=st.sampled_from(["honest"] * 8 + [*MOODS]),
            telephony=st.integers(0, 4),
        )
        def drift(self, gate: int, webhook: int, mood: str, telephony: int) -> None:
            figures.steps += 1
            world = self.world
            world.gate_skew, world.webhook_skew = gate, webhook
            world.mood, world.telephony_down = mood, telephony == 4

        @rule(k=st.integers(0, 12), i=st.integers(0, 50), again=st.booleans())
        def erase(self, k: int, i: int, again: bool) -> None:
            """Erase a caller while something else happens, which may make it fail; then again when all is well."""
            figures.steps += 1
            world, number = self.world, OWN if i % 4 == 3 else VICTIMS
            world.inner = [self.op(k, i, k)]
            done = world.erase(number)
            world.inner = []
            if again and not done:
                world.heal()
                world.require(world.erase(number), "an erasure fails although nothing else does")

    return Model


POLICIES = {
    "resume": Policy(enrolments_needed=2),
    "redial": Policy(enrolments_needed=2, return_mode=ReturnMode.REDIAL, proof_seconds=10),
}


def run(
    policy: Policy, examples: int, *, drawn_from: int = 20260520, figures: Figures | None = None
) -> Figures:
    """Let the model run so many examples of up to 60 rules each; raises Broken at the first thing that went wrong.

    drawn_from: another number draws other examples. figures: collects over the examples, also if it raises.
    """
    figures = figures or Figures()
    run_state_machine_as_test(
        seed(drawn_from)(model(policy, figures)),
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
    return figures
