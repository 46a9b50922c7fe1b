"""The Testing language: a test case's document, as CreateTestCase takes it, and the problems that it reports.

Sources: developer guide, "Testing language", and what people report of the service. Where the two disagree, this
refuses what was seen to be refused: a document that is accepted here was accepted there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

VERSION = "2019-10-30"
LONGEST = 256_000
"""Characters that Content and InitializationData may have each (CloudFormation's schema)."""

TEST_INITIATED, TEST_COMPLETED = "TestInitiated", "TestCompleted"
MESSAGE_RECEIVED = "MessageReceived"
ACTION_STARTED, ACTION_COMPLETED = "FlowActionStarted", "FlowActionCompleted"
EVENT_TYPES = (TEST_INITIATED, TEST_COMPLETED, MESSAGE_RECEIVED, ACTION_STARTED, ACTION_COMPLETED)

INVOKE, LEX = "InvokeLambdaFunction", "ConnectParticipantWithLexBot"
HOURS, TO_QUEUE = "CheckHoursOfOperation", "TransferContactToQueue"
DEQUEUE = "DequeueAndTransferToQueue"
STARTED_TYPES = (INVOKE, HOURS, TO_QUEUE, LEX)
COMPLETED_TYPES = (INVOKE, LEX, "ConnectParticipantWithAgenticCX")
OVERRIDDEN_TYPES = (INVOKE, HOURS, LEX, TO_QUEUE, DEQUEUE)
MOCK_ERRORS: Mapping[str, tuple[str, ...]] = {
    INVOKE: ("TimeLimitExceeded", "NoMatchingError"),
    LEX: ("TimeLimitExceeded", "NoMatchingError"),
    HOURS: ("NoMatchingError",),
    TO_QUEUE: ("QueueAtCapacity", "NoMatchingError"),
    DEQUEUE: ("QueueAtCapacity", "NoMatchingError"),
}
"""The errors with which a block can be told to fail, by its ActionType."""
CRITERIA = ("Similarity", "Inclusion")
SOURCES = ("Text", "SSML", "PromptId", "Media")
OPERATORS = (
    "Equals", "TextStartsWith", "TextEndsWith", "TextContains", "NumberGreaterThan", "NumberGreaterOrEqualTo",
    "NumberLessThan", "NumberLessOrEqualTo",
)  # fmt: skip
_IDENTIFIER = re.compile(r"[\w -]{1,256}")
_KEYS = re.compile(r"[0-9*#]+")
_RESOURCES: Mapping[str, str] = {
    INVOKE: "LambdaFunctionARN",
    HOURS: "HoursOfOperationId",
    TO_QUEUE: "QueueId",
    DEQUEUE: "QueueId",
}
_DEEPEST = 200

EntryPointType = Literal["VOICE_CALL", "CHAT"]


class InvalidDocumentError(ValueError):
    """CreateTestCase answers InvalidTestCaseException with these problems."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems[:50]


@dataclass(frozen=True)
class Action:
    """One action of an observation."""

    identifier: str
    type: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True)
class Observation:
    """An event that is waited for, what is done when it happens, and which observations become active then."""

    identifier: str
    event: str
    properties: Mapping[str, Any]
    actions: tuple[Action, ...]
    next: tuple[str, ...]
    never_matches: bool = False
    """Its MatchingCriteria is text beside Properties: published, but such an observation was never seen to match."""


@dataclass(frozen=True)
class Document:
    """A test case that can be run. `breaks_at_start`: it is published, and each run fails to initialize."""

    observations: tuple[Observation, ...]
    breaks_at_start: bool = False

    @classmethod
    def parse(cls, content: str, entry_point: EntryPointType = "VOICE_CALL") -> Document:
        """Return the document in a test case's Content; InvalidDocumentError with every problem."""
        return _Reader(entry_point).document(content)

    @property
    def open_at_start(self) -> tuple[Observation, ...]:
        """The observations that no other one leads to: they are active from the start."""
        led_to = {name for each in self.observations for name in each.next}
        return tuple(each for each in self.observations if each.identifier not in led_to)

    def observation(self, identifier: str) -> Observation:
        """Return the observation of that identifier."""
        return next(each for each in self.observations if each.identifier == identifier)


def resource_of(action_type: str, parameters: Mapping[str, Any]) -> str | None:
    """Return the resource that ActionParameters name, None if they do not."""
    found = (
        (parameters.get("LexV2Bot") or {}).get("AliasArn")
        if action_type == LEX
        else parameters.get(_RESOURCES.get(action_type, ""))
    )
    return found if isinstance(found, str) and found else None


def parameters_of(action_type: str, resource: str) -> dict[str, Any]:
    """Return the ActionParameters that name a resource."""
    if action_type == LEX:
        return {"LexV2Bot": {"AliasArn": resource}}
    return {_RESOURCES[action_type]: resource}


class _Reader:
    def __init__(self, entry_point: EntryPointType) -> None:
        self._entry_point = entry_point
        self._problems: list[str] = []
        self._breaks = False

    def document(self, content: str) -> Document:
        try:
            written = json.loads(content)
        except (ValueError, RecursionError):
            raise InvalidDocumentError(["Invalid test case content"]) from None
        listed = written.get("Observations") if isinstance(written, dict) else None
        # evidence: test-case-version
        if not isinstance(listed, list) or not listed or written.get("Version") != VERSION:
            raise InvalidDocumentError(["Invalid test case content"])
        observations = tuple(found for each in listed if (found := self._observation(each)) is not None)
        names = [each.identifier for each in observations]
        for name in sorted({name for name in names if names.count(name) > 1}):
            self._of_observation(f"duplicate identifier {name}")
        for each in observations:
            for name in each.next:
                if name not in names:
                    self._of_observation(f"{each.identifier} leads to {name}, which does not exist")
        if observations and not self._problems:
            led_to = {name for each in observations for name in each.next}
            if led_to >= set(names):
                self._of_observation("no observation is active at the start")
        if self._problems:
            raise InvalidDocumentError(self._problems)
        return Document(observations, self._breaks)

    def _observation(self, written: object) -> Observation | None:
        if not isinstance(written, Mapping) or not isinstance(written.get("Event"), Mapping):
            self._of_observation("an observation needs an Identifier and an Event")
            return None
        name, event = written.get("Identifier"), written["Event"]
        if not isinstance(name, str) or not _IDENTIFIER.fullmatch(name):
            self._of_observation(f"Invalid identifier {name!r}")
            return None
        usage = written.get("Usage", event.get("Usage"))
        # evidence: test-case-usage
        if usage is not None and (not isinstance(usage, Mapping) or usage != {"Type": "Exactly", "Times": 1}):
            self._of_observation("Invalid usage type")
        kind, properties = event.get("Type"), event.get("Properties", {})
        if kind not in EVENT_TYPES or not isinstance(properties, Mapping):
            self._of_observation(f"Invalid event type {kind}")
            return None
        if event.get("Actor", "System") != "System":
            self._of_observation(f"Invalid actor {event.get('Actor')}")
        never = False
        if kind == MESSAGE_RECEIVED:
            never = self._message(event, properties)
        elif kind == ACTION_STARTED and properties.get("ActionType") not in STARTED_TYPES:
            self._of_observation("Invalid action type for FlowActionStarted event")
        elif kind == ACTION_COMPLETED and properties.get("ActionType") not in COMPLETED_TYPES:
            self._of_observation("Invalid action type for FlowActionCompleted event")
        elif kind in (ACTION_STARTED, ACTION_COMPLETED):
            self._names_resource(str(properties["ActionType"]), properties.get("ActionParameters"))
        next_ones = (written.get("Transitions") or {}).get("NextObservations") or []
        actions = self._chain(written.get("Actions") or [])
        return Observation(name, kind, properties, actions, tuple(map(str, next_ones)), never)

    def _message(self, event: Mapping[str, Any], properties: Mapping[str, Any]) -> bool:
        """Check a MessageReceived; return whether it can never match."""
        given = [source for source in SOURCES if properties.get(source) is not None]
        if len(given) != 1 or not properties[given[0]]:
            self._of_observation(
                "MessageReceived needs one of Text, SSML, PromptId, and it must not be empty"
            )
        beside = event.get("MatchingCriteria")
        # evidence: test-case-matching-criteria
        if isinstance(beside, Mapping):
            self._breaks = True
            return False
        if beside is not None:
            return True
        criteria = properties.get("MatchingCriteria")
        kind = criteria.get("Type") if isinstance(criteria, Mapping) else None
        if kind not in CRITERIA:
            self._of_observation("Invalid matching criteria")
        return False

    def _names_resource(self, action_type: str, parameters: object) -> None:
        named = isinstance(parameters, Mapping) and resource_of(action_type, parameters)
        if not named and action_type in (*STARTED_TYPES, DEQUEUE):
            self._problems.append(
                f"InvalidFlowActionParametersProblem: {action_type} needs "
                f"{_RESOURCES.get(action_type, 'LexV2Bot.AliasArn')}"
            )

    def _chain(self, listed: list[Any]) -> tuple[Action, ...]:
        """Return the actions in the order in which NextAction leads from one to the next."""
        found: dict[str, tuple[Action, str | None]] = {}
        for each in listed:
            if not isinstance(each, Mapping) or not isinstance(each.get("Identifier"), str):
                self._of_action("an action needs an Identifier")
                continue
            parameters = each.get("Parameters")
            action = Action(each["Identifier"], str(each.get("Type")), dict(parameters or {}))
            if action.identifier in found:
                self._of_action(f"duplicate identifier {action.identifier}")
            self._action(action)
            leads_to = (each.get("Transitions") or {}).get("NextAction")
            found[action.identifier] = (action, leads_to)
        for _, leads_to in found.values():
            if leads_to is not None and leads_to not in found:
                self._of_action("Invalid next action identifier")
                return ()
        led_to = {leads_to for _, leads_to in found.values()}
        ordered: list[Action] = []
        # Chains one after another: the order of actions that nothing joins is not documented.
        for start in (name for name in found if name not in led_to):
            name: str | None = start
            while name is not None and len(ordered) < _DEEPEST:
                action, name = found[name]
                ordered.append(action)
        if len(ordered) != len(found):
            self._of_action("the actions lead in a circle")
        return tuple(ordered)

    def _action(self, action: Action) -> None:
        check = {
            "SendInstruction": self._instruction,
            "Assert": self._assertion,
            "OverrideSystemBehavior": self._override,
            "TestControl": self._control,
        }.get(action.type)
        if check is None:
            self._of_action(f"Invalid action type {action.type}")
            return
        if action.type != "Assert" and action.parameters.get("ActionType") != action.type:
            self._of_action(f"Parameters.ActionType must be {action.type}")
        for problem in check(action.parameters):
            self._of_action(problem)

    def _instruction(self, parameters: Mapping[str, Any]) -> Iterator[str]:
        if parameters.get("Actor") != "Customer":
            yield f"Invalid actor {parameters.get('Actor')}"
        instruction = parameters.get("Instruction") or {}
        kind, properties = instruction.get("Type"), instruction.get("Properties") or {}
        value = properties.get("Value")
        if kind == "DtmfInput":
            if self._entry_point == "CHAT":
                yield "DTMF input is not supported for Chat entry point"
            if value is None or not _KEYS.fullmatch(str(value)):
                yield f"Invalid DTMF value {value!r}"
        elif kind == "Utterance":
            # evidence: test-case-utterance
            if not isinstance(value, str) or not value:
                yield "Invalid utterance: Value is needed"
        elif kind != "Disconnect":
            yield f"Invalid instruction type {kind}"

    def _assertion(self, parameters: Mapping[str, Any]) -> Iterator[str]:
        operator, operand = parameters.get("Operator"), parameters.get("Operand")
        if operator not in OPERATORS:
            yield f"Invalid operator {operator}"
        if operand is None or operand == "":
            yield "an assertion needs an Operand"
        if not str(parameters.get("Namespace", "")).startswith("$."):
            yield f"Invalid namespace {parameters.get('Namespace')}"

    def _override(self, parameters: Mapping[str, Any]) -> Iterator[str]:
        behavior = parameters.get("Behavior") or {}
        properties = behavior.get("Properties") or {}
        kind, strategy = properties.get("ActionType"), properties.get("Strategy") or {}
        if behavior.get("Type") != "FlowAction" or kind not in OVERRIDDEN_TYPES:
            yield f"Invalid behavior {kind}"
            return
        self._names_resource(kind, properties.get("ActionParameters"))
        if strategy.get("Type") == "SubstituteResource":
            if not strategy.get("SubstituteArn"):
                yield "Invalid substitute"
        elif strategy.get("Type") == "MockResponse":
            yield from _mock(kind, strategy.get("Response") or {})
        else:
            yield f"Invalid strategy {strategy.get('Type')}"

    def _control(self, parameters: Mapping[str, Any]) -> Iterator[str]:
        command = parameters.get("Command") or {}
        if command.get("Type") == "LogData":
            if not (command.get("Properties") or {}).get("Expressions"):
                yield "LogData needs Expressions"
        elif command.get("Type") != "EndTest":
            yield f"Invalid command {command.get('Type')}"

    def _of_observation(self, what: str) -> None:
        self._problems.append(f"InvalidObservationProblem: {what}")

    def _of_action(self, what: str) -> None:
        self._problems.append(f"InvalidActionProblem: {what}")


def _mock(kind: str, response: Mapping[str, Any]) -> Iterator[str]:
    if response.get("Type") == "Error":
        value = (response.get("Error") or {}).get("Value")
        if value not in MOCK_ERRORS[kind]:
            yield f"Invalid error {value} for {kind}; known: {', '.join(MOCK_ERRORS[kind])}"
        return
    if response.get("Type") != "ExecutionResult":
        yield f"Invalid response {response.get('Type')}"
    # evidence: test-case-hours-mock
    elif kind not in (INVOKE, LEX):
        yield f"Invalid execution result for {kind}"
    # evidence: test-case-lambda-mock
    elif not isinstance((response.get("ExecutionResult") or {}).get("LoadedData"), str):
        yield "Invalid execution result: LoadedData is JSON as text"


def entry_point_problem(entry_point: Mapping[str, Any]) -> str | None:
    """Return what is wrong with an EntryPoint, None if nothing is.

    A voice call comes in by a flow, by a flow and the caller's number, or by the caller's and the dialled number.
    """
    if entry_point.get("Type") == "CHAT":
        flow = (entry_point.get("ChatEntryPointParameters") or {}).get("FlowId")
        return None if flow else "Must specify FlowId for a chat"
    given = entry_point.get("VoiceCallEntryPointParameters") or {}
    by = {name for name in ("FlowId", "SourcePhoneNumber", "DestinationPhoneNumber") if given.get(name)}
    # evidence: test-case-entry-point
    allowed: tuple[set[str], ...] = (
        {"FlowId"}, {"FlowId", "SourcePhoneNumber"}, {"SourcePhoneNumber", "DestinationPhoneNumber"},
    )  # fmt: skip
    return None if by in allowed else "Must specify either FlowId or phone numbers"


def initial_attributes(initialization_data: str | None) -> dict[str, str]:
    """Return the contact attributes in InitializationData; a flat map is accepted, and comes to nothing.

    InvalidDocumentError if it is no JSON object.
    """
    # evidence: test-case-initialization-data
    if not initialization_data:
        return {}
    try:
        written = json.loads(initialization_data)
    except (ValueError, RecursionError):
        written = None
    if not isinstance(written, dict):
        raise InvalidDocumentError(["Invalid initialization data"])
    attributes = written.get("Attributes", {})
    if not isinstance(attributes, dict):
        raise InvalidDocumentError(["Invalid initialization data"])
    return {str(name): str(value) for name, value in attributes.items()}
