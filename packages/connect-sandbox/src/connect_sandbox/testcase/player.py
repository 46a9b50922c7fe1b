"""Plays a test case on a flow, as the service does: events, observations, instructions, assertions, overrides.

Time is the contact's virtual one. What the service adds after the contact (up to a minute, on a call, until an open
observation fails) is added to the length of the test.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from difflib import SequenceMatcher
from typing import Any, Literal

from connect_sandbox.rehearsal.bounds import Bounds, Work
from connect_sandbox.rehearsal.clock import VirtualClock
from connect_sandbox.rehearsal.conditions import (
    Caller,
    Conditions,
    Move,
    Outcome,
    Presses,
    Queue,
    Says,
    StaysSilent,
)
from connect_sandbox.rehearsal.contact import EXAMPLE_INSTANCE, EXAMPLE_NUMBER, Channel, Contact
from connect_sandbox.rehearsal.errors import (
    BoundExceededError,
    FunctionFailedError,
    InvocationTimedOutError,
    RehearsalError,
)
from connect_sandbox.rehearsal.ports import LambdaAnswer, LambdaInvoker, Played, Ports
from connect_sandbox.rehearsal.references import UnknownNamespaceError, fill_in, is_reference, look_up
from connect_sandbox.rehearsal.stage import CallerHungUpError
from connect_sandbox.rehearsal.steps import Ending
from connect_sandbox.testcase.document import (
    ACTION_COMPLETED,
    DEQUEUE,
    HOURS,
    INVOKE,
    MESSAGE_RECEIVED,
    OVERRIDDEN_TYPES,
    TEST_COMPLETED,
    TEST_INITIATED,
    TO_QUEUE,
    Action,
    Document,
    Observation,
    resource_of,
)
from connect_sandbox.testcase.events import NUMERALS, Event, Visit, Watcher, resource_used, same_resource

LIMIT_SECONDS = 300.0
"""How long a test may take (administrator guide, "Execute test cases")."""
OPEN_AFTER_CALL = 45.0
"""Seconds after the end of a call in which an open observation still waits; in a chat it fails at once."""
COMPLETES_AFTER = 40.0
"""Seconds after the contact's end until TestCompleted."""
SIMILAR = 0.7
"""How alike two texts are to be Similar here; the service's threshold is not documented."""
_DEQUEUE_BLOCK = "DequeueContactAndTransferToQueue"

_DIGITS = dict(zip("0123456789", NUMERALS, strict=True))

Status = Literal["PASSED", "FAILED"]


@dataclass(frozen=True)
class Record:
    """One entry of a test's records, as ListTestCaseExecutionRecords shows it. `at` is in seconds since the start."""

    at: float
    observation: str
    status: str
    content: Mapping[str, Any]


@dataclass
class TestResult:
    """How a test went. `reasons` are the service's words for why it failed, `problem` says it in a sentence."""

    status: Status
    seconds: float
    records: list[Record]
    total: int
    passed: int
    reasons: tuple[str, ...] = ()
    problem: str = ""
    contact: Contact | None = None
    logged: dict[str, str] = field(default_factory=dict)
    landed_in: str | None = None
    """The queue in which an override has let the contact land."""

    __test__ = False

    @property
    def failed(self) -> int:
        """How many observations failed."""
        return self.total - self.passed


class _TestOverError(Exception):
    """The test has ended, and with it the contact."""

    def __init__(self, status: Status, reason: str = "", problem: str = "") -> None:
        self.status: Status = status
        self.reason, self.problem = reason, problem
        super().__init__(problem or status)


@dataclass
class _Override:
    action_type: str
    resource: str
    strategy: Mapping[str, Any]


class TestPlayer:
    """Plays one test case. `ports` and `conditions` are what the contact finds, overrides apart."""

    __test__ = False

    def __init__(
        self,
        document: Document,
        *,
        ports: Ports,
        conditions: Conditions,
        channel: Channel = "VOICE",
        number: str = "+12065550142",
        dialled: str = EXAMPLE_NUMBER,
        attributes: Mapping[str, str] | None = None,
        instance_arn: str = EXAMPLE_INSTANCE,
        limit: float = LIMIT_SECONDS,
    ) -> None:
        self._document = document
        self._clock = VirtualClock()
        self._records: list[Record] = []
        self._overrides: list[_Override] = []
        self._active: list[Observation] = list(document.open_at_start)
        self._done: list[str] = []
        self._moves: list[Move] = []
        self._results: dict[str, Any] = {}
        self._logged: dict[str, str] = {}
        self._landed_in: str | None = None
        self._leaves = False
        self._conditions = conditions
        self._told: tuple[int, Outcome | None] = (-1, None)
        self._limit = limit
        self._behind = ports.records
        self._watcher = Watcher(self, ports.records)
        self._contact = Contact(
            Ports(
                flows=ports.flows,
                functions=_Functions(ports.functions, self),
                external_voice=ports.external_voice,
                records=self._watcher,
                run=ports.run,
            ),
            instance_arn=instance_arn,
            caller=_Driven(number, self),
            dialled=dialled,
            conditions=_overridden(conditions, self),
            attributes=attributes,
            channel=channel,
            clock=self._clock,
            bounds=Bounds(seconds=limit),
        )
        self._watcher.watch(self._contact)

    def play(self, flow_arn: str) -> TestResult:
        """Run the test on a flow; RehearsalError if the sandbox cannot play what the flow does."""
        self._record("", "PASSED", {"Type": "INITIATION"})
        if self._document.breaks_at_start:
            problem = "INITIALIZATION_FAILURE: invalid execution parameters"
            return self._result(_TestOverError("FAILED", "INITIALIZATION_FAILURE", problem), 0.0)
        self._record("", "PASSED", {"Type": "EXECUTION_START", "ContactId": self._contact.contact_id})
        try:
            self.happens(Event(TEST_INITIATED, 0.0, ()))
            self._contact.calls(flow_arn)
        except _TestOverError as over:
            self._left_behind()
            return self._result(over, self._clock.elapsed)
        except BoundExceededError as bound:
            if bound.bound != "seconds":
                raise
            return self._completed(self._limit)
        waits = self._contact.ending.how == "queued"
        return self._completed(self._limit if waits else self._clock.elapsed + COMPLETES_AFTER)

    # -- what happens on the contact (a Follower)

    def visits(self, visit: Visit) -> None:
        """Begin a block: what the customer sent before it listens is lost."""
        if not visit.is_input:
            self._moves.clear()

    def left(self, visit: Visit, error: str | None) -> None:
        """Do nothing: what the test sees of a block are its events."""

    def happens(self, event: Event) -> None:
        """Let the first active observation that matches have the event; one that none matches is passed over."""
        found = next((each for each in self._active if self._matches(each, event)), None)
        if found is None:
            return
        self._active.remove(found)
        if event.type == ACTION_COMPLETED:
            state = self._contact.state
            key = "External" if event.action_type == INVOKE else "Lex"
            self._results[key] = state.external if event.action_type == INVOKE else dict(state.lex)
        told: dict[str, Any] = {
            "Type": "OBSERVATION",
            "Identifier": found.identifier,
            "Event": {"Type": event.type, "Expected": dict(found.properties), "Actual": _shown(event)},
            "Actions": [],
        }
        over: _TestOverError | None = None
        for action in found.actions:
            over = self._do(action, told["Actions"], found)
            if over is not None:
                break
        failed = over is not None and over.status == "FAILED"
        self._record(found.identifier, "FAILED" if failed else "PASSED", told)
        if not failed:
            self._done.append(found.identifier)
            self._active += [self._document.observation(name) for name in found.next]
        if over is not None:
            raise over
        if self._leaves:
            self._leaves = False
            raise CallerHungUpError

    def customer(self) -> Move:
        """Return what the customer does now that the flow listens."""
        self._watcher.asked()
        return self._moves.pop(0) if self._moves else StaysSilent()

    # -- overrides

    def override(self, action_type: str, resource: str) -> Mapping[str, Any] | None:
        """Use up the first override of a resource, and return its strategy; None if there is none left."""
        for each in self._overrides:
            if each.action_type == action_type and same_resource(action_type, each.resource, resource):
                self._overrides.remove(each)
                return each.strategy
        return None

    def told(self) -> Outcome | None:
        """Return what an override makes of the block that is about to be played; asked once for each block."""
        visit = self._watcher.visit
        if visit is None:
            return None
        if self._told[0] != visit.number:
            self._told = (visit.number, self._as_told(visit))
        return self._told[1]

    def _as_told(self, visit: Visit) -> Outcome | None:
        block = visit.block
        kind = DEQUEUE if block.type == _DEQUEUE_BLOCK else block.type
        if kind == INVOKE or kind not in OVERRIDDEN_TYPES:
            return None
        strategy = self.override(kind, resource_used(self._contact, block))
        if strategy is None:
            return None
        if strategy["Type"] == "MockResponse":
            error = str(strategy["Response"].get("Error", {}).get("Value", ""))
            if not error:
                raise RehearsalError(f"what a mocked result of {kind} holds is documented nowhere")
            has = block.transitions.error(error) is not None
            return Outcome(fails=error if has else "NoMatchingError")
        substitute = str(strategy["SubstituteArn"])
        if kind == HOURS:
            hours = self._conditions.hours
            names = (substitute, substitute.rsplit("/", 1)[-1])
            found = next((hours[name] for name in names if name in hours), None)
            if found is None:
                raise _TestOverError(
                    "FAILED", "OVERRIDE_SYSTEM_BEHAVIOR", f"there are no hours of operation {substitute}"
                )
            return Outcome(decides=str(found))
        if kind in (TO_QUEUE, DEQUEUE):
            self._landed_in = substitute
        return None

    # -- observations and actions

    def _matches(self, observation: Observation, event: Event) -> bool:
        if observation.event != event.type or observation.never_matches:
            return False
        properties = observation.properties
        if event.type == MESSAGE_RECEIVED:
            return _hears(properties, event.text, chat=self._contact.state.channel == "CHAT")
        if event.action_type:
            kind = str(properties.get("ActionType"))
            wanted = resource_of(kind, properties.get("ActionParameters") or {}) or ""
            return kind == event.action_type and same_resource(kind, wanted, event.resource)
        return True

    def _do(self, action: Action, told: list[dict[str, Any]], of: Observation) -> _TestOverError | None:
        parameters = action.parameters
        entry: dict[str, Any] = {
            "Identifier": action.identifier,
            "Type": action.type,
            "ExpectedParameters": dict(parameters),
        }
        told.append(entry)
        match action.type:
            case "SendInstruction":
                instruction = parameters["Instruction"]
                value = str((instruction.get("Properties") or {}).get("Value", ""))
                match instruction["Type"]:
                    case "DtmfInput":
                        self._moves.append(Presses(value))
                    case "Utterance":
                        self._moves.append(Says(value))
                    case _:
                        self._leaves = True
            case "Assert":
                actual = self._value(str(parameters["Namespace"]))
                entry["ActualParameters"] = {"Value": actual}
                if not _holds(str(parameters["Operator"]), actual, str(parameters["Operand"])):
                    wanted = f"{parameters['Operator']} {parameters['Operand']!r}"
                    problem = f"{of.identifier}: {parameters['Namespace']} is {actual!r}, not {wanted}"
                    return _TestOverError("FAILED", "ASSERT_DATA", problem)
            case "OverrideSystemBehavior":
                properties = parameters["Behavior"]["Properties"]
                kind = str(properties["ActionType"])
                named = TO_QUEUE if kind == DEQUEUE else kind
                resource = resource_of(named, properties["ActionParameters"]) or ""
                self._overrides.append(_Override(kind, resource, properties["Strategy"]))
            case _:
                command = parameters["Command"]
                if command["Type"] == "EndTest":
                    return _TestOverError("PASSED")
                self._log(command["Properties"]["Expressions"])
        return None

    def _value(self, namespace: str) -> str | None:
        names = {**self._contact.state.namespaces(), "External": {}, "Lex": {}, **self._results}
        names["LambdaInvocation"] = {"ResultData": names["External"]}
        try:
            return look_up(namespace, names)
        except UnknownNamespaceError:
            return None

    def _log(self, expressions: Mapping[str, str]) -> None:
        names = {**self._contact.state.namespaces(), **self._results}
        for label, expression in expressions.items():
            if is_reference(expression):
                self._logged[label] = self._value(expression) or ""
            else:
                self._logged[label] = str(fill_in(expression, names, Work()))

    # -- the end

    def _completed(self, at: float) -> TestResult:
        """End a test that no action has ended: at the limit, or some time after the contact."""
        over = _TestOverError("PASSED")
        try:
            self.happens(Event(TEST_COMPLETED, min(at, self._limit), ()))
        except _TestOverError as ended:
            over = ended
        except CallerHungUpError:
            pass
        if self._active and over.status == "PASSED":
            [*names] = [each.identifier for each in self._active]
            for name in names:
                self._record(
                    name, "FAILED", {"Type": "OBSERVATION", "Identifier": name, "Event": {}, "Actions": []}
                )
            chat = self._contact.state.channel == "CHAT"
            at = at if at >= self._limit else at - COMPLETES_AFTER + (0.0 if chat else OPEN_AFTER_CALL)
            problem = f"never observed: {', '.join(names)}"
            over = _TestOverError("FAILED", "OBSERVE_EVENT", problem)
        return self._result(over, min(at, self._limit))

    def _result(self, over: _TestOverError, seconds: float) -> TestResult:
        reached_limit = seconds >= self._limit
        kind = "SUCCESS" if over.status == "PASSED" else "FAILURE"
        completion = {
            "Type": "COMPLETION",
            "CompletionReason": {
                "Type": "TIMEOUT" if reached_limit else kind,
                "Message": over.problem,
                "FailureReasons": [over.reason] if over.reason else [],
            },
            "ExecutionSummary": {
                "ExecutionDurationMs": round(seconds * 1000),
                "FailedObservations": 0 if over.status == "PASSED" else 1,
            },
        }
        if self._logged:
            completion["LoggedData"] = dict(self._logged)
        self._records.append(Record(seconds, "", over.status, completion))
        return TestResult(
            status=over.status,
            seconds=seconds,
            records=self._records,
            total=len(self._document.observations),
            passed=len(self._done),
            reasons=(over.reason,) if over.reason else (),
            problem=over.problem,
            contact=self._contact,
            logged=self._logged,
            landed_in=self._landed_in,
        )

    def _record(self, observation: str, status: str, content: Mapping[str, Any]) -> None:
        self._records.append(Record(self._clock.elapsed, observation, status, content))

    def _left_behind(self) -> None:
        if self._behind is not None:
            contact = self._contact
            ending = Ending("disconnected", reason="the test has ended")
            self._behind.ended(
                Played(
                    contact.state, ending, contact.transcript, self._clock, contact.taken, contact.visited_in
                )
            )


class _Driven(Caller):
    """The customer of a test: does what its instructions say."""

    def __init__(self, number: str, player: TestPlayer) -> None:
        super().__init__(number)
        self._player = player

    def reacts(self) -> Move:
        return self._player.customer()


@dataclass(frozen=True, kw_only=True)
class _Overridden(Conditions):
    """What the contact finds, and what the test's overrides make of it."""

    base: Conditions
    player: TestPlayer

    def outcome(self, block: str) -> Outcome | None:
        return self.player.told() or self.base.outcome(block)

    def queue(self, arn_or_id: str) -> Queue | None:
        return self.base.queue(arn_or_id)


def _overridden(base: Conditions, player: TestPlayer) -> Conditions:
    own = {each.name: getattr(base, each.name) for each in fields(Conditions)}
    return _Overridden(**own, base=base, player=player)


class _Functions:
    """Lambda as the contact reaches it: the test's mocks and substitutes first. A LambdaInvoker."""

    def __init__(self, base: LambdaInvoker, player: TestPlayer) -> None:
        self._base = base
        self._player = player

    def invoke(self, function_arn: str, event: Mapping[str, Any], *, time_limit: float) -> LambdaAnswer:
        strategy = self._player.override(INVOKE, function_arn)
        if strategy is None:
            return self._base.invoke(function_arn, event, time_limit=time_limit)
        if strategy["Type"] == "SubstituteResource":
            return self._base.invoke(str(strategy["SubstituteArn"]), event, time_limit=time_limit)
        response = strategy["Response"]
        if response["Type"] == "Error":
            if response["Error"]["Value"] == "TimeLimitExceeded":
                raise InvocationTimedOutError("the test mocks a timeout", seconds=time_limit)
            raise FunctionFailedError("the test mocks an error")
        result = response["ExecutionResult"]
        seconds = float(result.get("DelaySeconds") or 0)
        if seconds > time_limit:
            raise InvocationTimedOutError(f"no answer within {time_limit:g} s", seconds=time_limit)
        raw = str(result["LoadedData"])
        return LambdaAnswer(json.loads(raw), len(raw.encode()), seconds)

    def invoke_without_waiting(self, function_arn: str, event: Mapping[str, Any]) -> str:
        strategy = self._player.override(INVOKE, function_arn)
        if strategy is None:
            return self._base.invoke_without_waiting(function_arn, event)
        if strategy["Type"] == "SubstituteResource":
            return self._base.invoke_without_waiting(str(strategy["SubstituteArn"]), event)
        if strategy["Response"]["Type"] == "Error":
            raise FunctionFailedError("the test mocks an error")
        return "mocked"


def plain(text: str) -> str:
    """Return a text without markup and punctuation, in lower case."""
    return " ".join(re.findall(r"[^\W_]+", re.sub(r"['\u2019]", "", re.sub(r"<[^>]*>", " ", text).lower())))


def recognized(text: str) -> str:
    """Return what speech recognition makes of a spoken text: besides, digits become words."""
    return " ".join(_DIGITS.get(word, word) for word in re.sub(r"(\d)", r" \1 ", plain(text)).split())


def _hears(properties: Mapping[str, Any], heard: str, *, chat: bool) -> bool:
    written = properties.get("Text") or properties.get("SSML")
    if not isinstance(written, str):
        return False  # a recording by its id: an event does not say which prompt it is from
    wanted, got = plain(written), plain(heard) if chat else recognized(heard)
    if properties["MatchingCriteria"]["Type"] == "Inclusion":
        return bool(wanted) and f" {wanted} " in f" {got} "
    # evidence: test-case-similarity
    return SequenceMatcher(None, wanted.split(), got.split(), autojunk=False).ratio() >= SIMILAR


def _holds(operator: str, actual: str | None, operand: str) -> bool:
    if actual is None:
        return False
    if operator in _OF_TEXTS:
        return _OF_TEXTS[operator](actual, operand)
    try:
        return _OF_NUMBERS[operator](float(actual), float(operand))
    except ValueError:
        return False


_OF_TEXTS: Mapping[str, Callable[[str, str], bool]] = {
    "Equals": str.__eq__,
    "TextStartsWith": str.startswith,
    "TextEndsWith": str.endswith,
    "TextContains": str.__contains__,
}
_OF_NUMBERS: Mapping[str, Callable[[float, float], bool]] = {
    "NumberGreaterThan": float.__gt__,
    "NumberGreaterOrEqualTo": float.__ge__,
    "NumberLessThan": float.__lt__,
    "NumberLessOrEqualTo": float.__le__,
}


def _shown(event: Event) -> dict[str, Any]:
    if event.type == MESSAGE_RECEIVED:
        return {"Text": event.text}
    return {"ActionType": event.action_type, "Resource": event.resource} if event.action_type else {}
