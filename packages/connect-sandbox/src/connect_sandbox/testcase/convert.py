"""Makes a test case of a scenario, and says what of the scenario it cannot say, or only nearly.

The scenario is played locally first. So the test expects what the service will make of the flow: prompts merged as it
merges them, one mock for each call of a function, and each input on the event after which the flow listens.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connect_flows import Block
from connect_flows.template import dump, escape

from connect_sandbox.rehearsal.canned_functions import Calls
from connect_sandbox.rehearsal.conditions import Chooses, HangsUp, Presses, Says, StaysSilent
from connect_sandbox.rehearsal.contact import EXAMPLE_NUMBER
from connect_sandbox.rehearsal.flow_files import read_flow
from connect_sandbox.rehearsal.published import PublishedFlow
from connect_sandbox.rehearsal.scenario import Scenario, ScenarioFile
from connect_sandbox.rehearsal.steps import Ending
from connect_sandbox.rehearsal.transcript import Entry
from connect_sandbox.testcase.converted import (
    CLOSED_HOURS,
    FLOW,
    OPEN_HOURS,
    Converted,
    Mark,
    Statement,
    TestCase,
)
from connect_sandbox.testcase.document import (
    ACTION_COMPLETED,
    ACTION_STARTED,
    DEQUEUE,
    HOURS,
    INVOKE,
    LEX,
    MESSAGE_RECEIVED,
    MOCK_ERRORS,
    STARTED_TYPES,
    TEST_INITIATED,
    TO_QUEUE,
    VERSION,
    parameters_of,
)
from connect_sandbox.testcase.events import Event, resource_used
from connect_sandbox.testcase.journal import Journal, Reaction, Step
from connect_sandbox.testcase.player import LIMIT_SECONDS
from connect_sandbox.testcase.writing import (
    Point,
    chained,
    event_of,
    hearing,
    identifier_of,
    instruction_of,
    observable,
    overriding,
    plain,
    short,
    words_of,
)
from connect_sandbox.testcase.written import Templates

LONGEST_NAME = 127
"""Characters that the name of a test case may have (CloudFormation's schema)."""
_DEQUEUE_BLOCK = "DequeueContactAndTransferToQueue"
_INPUTS = ("GetParticipantInput", LEX)
_BY_CUSTOMER = frozenset({"InputTimeLimitExceeded", "InvalidPhoneNumber"})
_UNSAYABLE = {
    "TransferParticipantToThirdParty": "a test has no third party: the flow would dial",
    "ShowView": "a test cannot answer a view",
    "DistributeByPercentage": "a test cannot choose what the block draws",
    "CheckMetricData": "a test cannot set a queue's metrics",
    "GetMetricData": "a test cannot set a queue's metrics",
    "CheckOutboundCallStatus": "a test has no outbound calls",
    "CreateCallbackContact": "a test would queue a real callback",
    "TransferContactToAgent": "a test has no agents",
}
_PLAYED_ALIKE = frozenset(
    {
        *STARTED_TYPES, "Compare", "DequeueContactAndTransferToQueue", "DisconnectParticipant", "EndFlowExecution",
        "EndFlowModuleExecution", "GetParticipantInput", "InvokeFlowModule", "Loop", "MessageParticipant",
        "MessageParticipantIteratively", "TagContact", "TransferToFlow", "UntagContact", "UpdateContactAttributes",
        "UpdateContactCallbackNumber", "UpdateContactData", "UpdateContactEventHooks",
        "UpdateContactMediaStreamingBehavior", "UpdateContactRecordingAndAnalyticsBehavior",
        "UpdateContactRecordingBehavior", "UpdateContactRoutingBehavior", "UpdateContactRoutingCriteria",
        "UpdateContactTargetQueue", "UpdateContactTextToSpeechVoice", "UpdateFlowAttributes",
        "UpdateFlowLoggingBehavior", "Wait",
    }
)  # fmt: skip
"""Block types that do in a test what they do in a rehearsal; others find or change what a test cannot set up."""


def convert_file(
    file: ScenarioFile, flow: Path, values: Mapping[str, str] | None = None
) -> Iterator[Converted]:
    """Convert every scenario of a file that is for a flow; RehearsalError if one cannot be played locally."""
    for scenario in file.scenarios:
        yield convert(scenario, flow, values)


def convert(scenario: Scenario, flow: Path, values: Mapping[str, str] | None = None) -> Converted:
    """Convert a scenario for a flow file. `values` are for placeholders of the flow that the scenario leaves out."""
    published = read_flow(flow, {**(values or {}), **scenario.setup.values})
    journal = Journal.of(scenario, published)
    return _Conversion(scenario, published, flow, journal).convert()


@dataclass(frozen=True)
class _Cut:
    """Where the test must stop: before the block of this number."""

    visit: int
    why: str


class _Conversion:
    def __init__(self, scenario: Scenario, flow: PublishedFlow, path: Path, journal: Journal) -> None:
        self._scenario, self._setup, self._expect = scenario, scenario.setup, scenario.expect
        self._flow, self._journal = flow, journal
        self._templates = Templates(flow, path, scenario.setup)
        self._statements: list[Statement] = []
        self._overrides: list[dict[str, Any]] = []
        self._points: dict[int, Point] = {}
        self._chat = scenario.setup.channel == "CHAT"
        self._cut: _Cut | None = None

    def convert(self) -> Converted:
        no_entry = self._no_entry()
        if no_entry is not None:
            self._say(*no_entry)
            return self._converted(None)
        self._cut = self._find_cut()
        self._inputs()
        last = self._last()
        if last is None:
            self._say(
                "the contact", "cannot", self._cut.why if self._cut else "it does nothing that a test sees"
            )
            return self._converted(None)
        self._of_setup(max(self._journal.seen[last].event.visits))
        self._expectations(last)
        told = [each for each in self._statements if each.what.startswith("expect.")]
        if not any(each.mark != "cannot" for each in told):
            return self._converted(None)
        return self._converted(self._test_case())

    def _converted(self, test_case: TestCase | None) -> Converted:
        return Converted(self._scenario, test_case, tuple(self._statements), self._journal.problem)

    def _say(self, what: str, mark: Mark, why: str = "") -> None:
        statement = Statement(what, mark, why)
        if statement not in self._statements:
            self._statements.append(statement)

    def _no_entry(self) -> tuple[str, Mark, str] | None:
        """Return why no test can begin as the scenario does, None if one can."""
        setup, conditions = self._setup, self._setup.conditions
        if self._flow.is_module:
            why = "a module is no entry point: convert a scenario of a flow that invokes it"
            return "the flow is a module", "cannot", why
        if setup.channel not in ("VOICE", "CHAT"):
            return f"setup.channel {setup.channel}", "cannot", "a test comes in as a call or a chat"
        kind = setup.flow_type or self._flow.type
        if kind != "CONTACT_FLOW":
            return f"setup.flow_type {kind}", "cannot", "a test begins in an inbound flow"
        if setup.initiation_method != "INBOUND":
            return f"setup.initiation_method {setup.initiation_method}", "cannot", "a test's contact comes in"
        if setup.sets or conditions.queue_of_contact is not None or conditions.related_contact is not None:
            return "setup.sets", "cannot", "a test's contact begins with attributes, and nothing else"
        return None

    # -- where the test must stop

    def _find_cut(self) -> _Cut | None:
        for step in self._journal.steps:
            why = self._unsayable(step)
            if why is not None:
                return _Cut(step.visit.number, why)
            if step.visit.at > LIMIT_SECONDS:
                return _Cut(step.visit.number, "a test ends after five minutes")
        return None

    def _unsayable(self, step: Step) -> str | None:
        """Return why a test cannot bring about what a block does; None if it can, or if the flow does it anyway."""
        block = step.visit.block
        where = f"{block.identifier} ({block.type})"
        told = self._setup.conditions.outcome(block.identifier)
        if told is not None:
            mockable = told.fails is not None and told.fails in MOCK_ERRORS.get(kind_of(block), ())
            return None if mockable and self._written(step) else f"a test cannot tell {where} what to do"
        if block.type not in _PLAYED_ALIKE:
            return f"{where}: {_UNSAYABLE.get(block.type, 'a test cannot set up what it works with')}"
        if block.type == "Wait" and block.parameters.get("Events"):
            return f"{where}: a test has no bot, and its customer does not come back"
        if block.type == HOURS and not self._written(step):
            return f"{where} looks at the queue's own hours, which a test cannot replace"
        return None if step.error is None or self._can_fail(step) else f"a test cannot make {where} fail"

    def _can_fail(self, step: Step) -> bool:
        """Return whether a test can make a block fail as it did: by a mock, or by what the customer does."""
        block, error = step.visit.block, step.error
        if error == "NoMatchingCondition" or (block.type in _INPUTS and error in _BY_CUSTOMER):
            return True
        return error in MOCK_ERRORS.get(kind_of(block), ()) and bool(self._written(step))

    def _before_cut(self, visit: int) -> bool:
        return self._cut is None or visit < self._cut.visit

    # -- what the customer does

    def _inputs(self) -> None:
        for reaction in self._journal.reactions:
            if not self._before_cut(reaction.visit):
                break
            if isinstance(reaction.move, StaysSilent):
                continue
            at = self._heard_before(reaction)
            if at is None:
                self._cut = _Cut(reaction.visit, "no event tells the test that the flow listens (again)")
                break
            self._point(at).actions.append(instruction_of(reaction))
        for number, move in enumerate(self._scenario.caller):
            done = self._journal.reactions[number] if number < len(self._journal.reactions) else None
            self._of_move(move, done)

    def _heard_before(self, reaction: Reaction) -> int | None:
        """Return the number of the event on which the customer can do this."""
        for number in range(reaction.seen - 1, -1, -1):
            event = self._journal.seen[number].event
            asked = reaction.visit in event.visits and event.type in (MESSAGE_RECEIVED, ACTION_STARTED)
            if (asked or isinstance(reaction.move, HangsUp)) and observable(event):
                return number
        return None

    def _step(self, visit: int) -> Step | None:
        return next((step for step in self._journal.steps if step.visit.number == visit), None)

    def _of_move(self, move: object, reaction: Reaction | None) -> None:
        what = f"caller {_told(move)}"
        if reaction is None or not self._before_cut(reaction.visit):
            self._say(what, "cannot", self._cut.why if self._cut else "the flow never asks")
            return
        step = self._step(reaction.visit)
        asked_for_digits = step is not None and step.visit.block.type == "GetParticipantInput"
        match move:
            case StaysSilent():
                self._say(what, "approximate", "the test sends nothing, and sees what the flow does then")
            case Says() if asked_for_digits and not self._chat:
                self._say(what, "approximate", "the flow asks for keys")
            case Says() if not self._chat:
                self._say(what, "approximate", "the words reach the bot as text, not as speech")
            case HangsUp(trigger) if trigger is not None:
                point = self._points.get(self._heard_before(reaction) or 0)
                alone = point is not None and len(point.event.parts) == 1
                self._say(
                    what, "said" if alone else "approximate", "" if alone else "at the end of the prompts"
                )
            case Chooses():
                self._say(what, "cannot", "a test cannot answer a view")
            case _:
                self._say(what, "said")

    # -- what is set up

    def _of_setup(self, last_visit: int) -> None:
        setup = self._setup
        if setup.attributes:
            self._say("setup.attributes", "said")
        if setup.dialled != EXAMPLE_NUMBER:
            self._say("setup.dialled", "cannot", "a test calls the flow; to dial, the number must be claimed")
        for step in self._journal.steps:
            if step.visit.number <= last_visit:
                self._override(step)

    def _override(self, step: Step) -> None:
        block = step.visit.block
        kind = kind_of(block)
        written = self._written(step)
        told = self._setup.conditions.outcome(block.identifier)
        if told is not None and told.fails is not None:
            self._mock(kind, written, {"Type": "Error", "Error": {"Value": told.fails}})
            self._say(f"setup.blocks.{block.identifier}", "approximate", f"the test mocks {told.fails}")
        elif kind == INVOKE and written:
            self._mock_function(step, written)
        elif kind == HOURS and step.error is None:
            is_open = any("is open" in entry.text for entry in step.entries)
            substitute = f"${{{OPEN_HOURS if is_open else CLOSED_HOURS}}}"
            strategy = {"Type": "SubstituteResource", "SubstituteArn": substitute}
            self._overrides.append(overriding(HOURS, written, strategy))
            need = f"other hours stand in, which are {'always' if is_open else 'never'} open: {substitute}"
            self._say(f"setup.hours.{short(written)}", "approximate", need)
        elif kind in (TO_QUEUE, DEQUEUE) and step.error is not None:
            self._mock(kind, written, {"Type": "Error", "Error": {"Value": step.error}})
            self._say(f"setup.queues.{short(written)}", "said")
        elif kind == LEX:
            self._of_bot(step)

    def _mock_function(self, step: Step, written: str) -> None:
        calls = [entry for entry in step.entries if entry.kind == "invokes"]
        name = f"setup.lambdas.{short(written)}"
        answered = next((entry for entry in calls if "answer" in entry.data), None)
        if step.error is not None or not calls:
            late = any("no answer within" in entry.text for entry in calls)
            value = "TimeLimitExceeded" if late else "NoMatchingError"
            self._mock(INVOKE, written, {"Type": "Error", "Error": {"Value": value}})
            why = "" if late else "a test knows one error, without a reason"
            self._say(name, "said" if late else "approximate", why)
            return
        answer = answered.data["answer"] if answered else {}
        seconds = (answered.data["milliseconds"] if answered else 0) / 1000
        # evidence: test-case-lambda-mock
        result = {"DelaySeconds": max(1, round(seconds)), "LoadedData": escape(dump(answer))}
        self._mock(INVOKE, written, {"Type": "ExecutionResult", "ExecutionResult": result})
        if len(calls) > 1:
            self._say(name, "approximate", "the mock answers at once; Amazon Connect's retries are not made")
        elif self._runs_code(answered):
            self._say(name, "approximate", "the mock answers what the code answered here")
        elif answered is None:
            self._say(name, "approximate", "the flow does not wait for it; the mock answers {}")
        else:
            self._say(name, "said")

    def _runs_code(self, answered: Entry | None) -> bool:
        """Return whether code has given an answer, and not the scenario."""
        function = str(answered.data["function"]) if answered is not None else ""
        names = (function, short(function), short(function).split(":", 1)[0])
        behaviours = next((self._setup.lambdas[name] for name in names if name in self._setup.lambdas), ())
        return any(isinstance(behaviour, Calls) for behaviour in behaviours)

    def _of_bot(self, step: Step) -> None:
        understood = next((entry for entry in step.entries if "lex" in entry.data), None)
        if understood is None:
            return
        intent = understood.data["lex"].get("IntentName")
        seen = self._event_of(step.visit.number, ACTION_COMPLETED)
        why = "the deployed bot must understand it so"
        if intent and seen is not None:
            self._point(seen).asserts.append(("$.Lex.IntentName", str(intent)))
        self._say("setup.lex", "approximate", why)

    def _mock(self, kind: str, written: str, response: Mapping[str, Any]) -> None:
        strategy = {"Type": "MockResponse", "Response": dict(response)}
        self._overrides.append(overriding(kind, written, strategy))

    # -- what is expected

    def _last(self) -> int | None:
        """Return the number of the event that ends the test: the transfer to a queue, or the last before the cut."""
        last = None
        for number, seen in enumerate(self._journal.seen):
            if seen.event.visits and not self._before_cut(max(seen.event.visits)):
                break
            if observable(seen.event):
                last = number
            if self._queues(seen.event):
                break
        return last

    def _queues(self, event: Event) -> bool:
        """Return whether the event is a transfer to a queue that succeeds."""
        if event.type != ACTION_STARTED or event.action_type != TO_QUEUE:
            return False
        step = self._step(event.visits[0])
        return step is not None and step.error is None

    def _expectations(self, last: int) -> None:
        expect = self._expect
        self._point(last)
        self._hears(last)
        for function, times in expect.invokes.items():
            self._invokes(function, times, last)
        for block in expect.reaches:
            self._reaches(block, last)
        for name, value in expect.attributes.items():
            self._attribute(name, value, last)
        for text in expect.does_not_hear:
            self._say(f"expect.does_not_hear {text!r}", "cannot", "a test knows no absence")
        for block in expect.does_not_reach:
            self._say(f"expect.does_not_reach {block!r}", "cannot", "a test knows no absence")
        for text in expect.agent_hears:
            self._say(f"expect.agent_hears {text!r}", "cannot", "a test does not see agents")
        if expect.meets_agent is not None:
            self._say("expect.meets_agent", "cannot", "a test does not see agents")
        if expect.queued is not None:
            self._queued(expect.queued, last)
        elif expect.ends is not None:
            self._ends(expect.ends, last)

    def _hears(self, last: int) -> None:
        transcript = self._journal.contact.transcript
        by_entry = {
            entry: number for number, seen in enumerate(self._journal.seen) for entry in seen.event.entries
        }
        heard: list[tuple[str, Point]] = []
        until = 0
        for text in self._expect.hears:
            what = f"expect.hears {text!r}"
            entries = range(until, len(transcript))
            at = next(
                (i for i in entries if transcript[i].heard_by_caller() and text in transcript[i].text), None
            )
            if at is None:  # it is wrong, and the test must say so too
                self._point(last).expected.append(text)
                self._say(what, "approximate", "the contact does not hear it")
                continue
            until = at + 1
            seen = by_entry.get(at)
            if seen is None:
                other = transcript[at].who != "connect"
                self._say(what, "cannot", "a third party says it" if other else "a test does not hear it")
            elif seen > last:
                self._say(what, "cannot", self._why_not_later())
            else:
                point = self._point(seen)
                point.expected.append(text)
                heard.append((text, point))
        for text, point in heard:
            self._say(f"expect.hears {text!r}", *self._how_heard(point, text))

    def _how_heard(self, point: Point, text: str) -> tuple[Mark, str]:
        if self._chat:
            return "said", ""
        criteria, words = words_of(point, chat=False)
        if not self._goes_on_after(point):
            # evidence: test-case-last-prompt
            return "approximate", "the last prompt before the contact ends is lost in some runs"
        if not text.isascii() and any(letter.isalpha() and not letter.isascii() for letter in text):
            return "approximate", "Amazon Connect recognises English alone"
        if criteria == "Similarity":
            return "approximate", "the prompts that come together, similar"
        if words.lower() != " ".join(re.findall(r"[^\W_]+", text)).lower():
            return "approximate", f"by its words {words!r}"
        return "said", ""

    def _goes_on_after(self, point: Point) -> bool:
        if any(each["Type"] == "SendInstruction" for each in point.actions):
            return True
        return point.seen + 1 < len(self._journal.seen) or not self._hangs_up_next(point)

    def _hangs_up_next(self, point: Point) -> bool:
        after = max(point.event.visits) + 1
        step = self._step(after)
        return step is None or step.visit.block.type == "DisconnectParticipant"

    def _why_not_later(self) -> str:
        if self._cut is not None:
            return self._cut.why
        return "the test ends with the transfer to the queue"

    def _invokes(self, function: str, times: int | None, last: int) -> None:
        what = f"expect.invokes {function}" + (f" {times} times" if times is not None else "")
        calls = [
            number
            for number, seen in enumerate(self._journal.seen)
            if seen.event.type == ACTION_STARTED
            and seen.event.action_type == INVOKE
            and function in seen.event.resource
        ]
        within = [number for number in calls if number <= last]
        for number in within if times is not None else within[:1]:
            self._point(number)
        attempts = sum(
            function in str(entry.data.get("function", ""))
            for step in self._journal.steps
            for entry in step.entries
            if entry.kind == "invokes"
        )
        if not within:
            self._missing(what, calls, INVOKE, last)
        elif times is None:
            self._say(what, "said")
        elif len(within) < len(calls):
            self._say(what, "cannot", self._why_not_later())
        elif attempts != len(calls):
            self._say(what, "cannot", "a test does not see the attempts of one call")
        else:
            self._say(what, "approximate", "at least so often: a test knows no absence")

    def _missing(self, what: str, later: Sequence[int], kind: str, last: int) -> None:
        if later:
            self._say(what, "cannot", self._why_not_later())
            return
        # It is wrong: the test waits for what never happens, so that it fails too.
        nowhere = Event(ACTION_STARTED, 0.0, (), action_type=kind, resource="never")
        self._points[last + len(self._points) + 1000] = Point(10**6, nowhere)
        self._say(what, "approximate", "it does not happen")

    def _reaches(self, block: str, last: int) -> None:
        what = f"expect.reaches {block!r}"
        visits = [s.visit for s in self._journal.steps if s.visit.block.identifier == block]
        inside = [visit for visit in visits if self._before_cut(visit.number)]
        if not inside:
            self._say(what, "cannot", self._why_not_later() if visits else "the contact does not reach it")
            return
        for visit in inside:
            seen = next((n for n, s in enumerate(self._journal.seen) if visit.number in s.event.visits), None)
            if seen is not None and seen <= last and observable(self._journal.seen[seen].event):
                point = self._point(seen)
                if point.event.type == MESSAGE_RECEIVED:
                    point.expected.append(self._part_of(point.event, visit.number))
                    self._say(what, "approximate", "by its prompt")
                else:
                    self._say(what, "approximate", "by the resource that it uses")
                return
        self._say(what, "cannot", "a test does not see this block")

    def _part_of(self, event: Event, visit: int) -> str:
        index = event.visits.index(visit)
        return event.parts[min(index, len(event.parts) - 1)]

    def _attribute(self, name: str, value: str | None, last: int) -> None:
        what = f"expect.attributes {name}"
        if value is None:
            self._say(what, "cannot", "a test cannot assert that an attribute is absent")
            return
        if not value:
            self._say(what, "cannot", "an assertion needs a value")
            return
        seen = self._journal.seen[: last + 1]
        right = [
            number
            for number, each in enumerate(seen)
            if each.attributes.get(name) == value and observable(each.event)
        ]
        ends_so = self._journal.contact.attributes.get(name) == value
        if not right and ends_so:
            self._say(what, "cannot", f"no event comes after it is set; {self._why_not_later()}")
            return
        at = right[-1] if right else last
        self._point(at).asserts.append((f"$.Attributes.{name}", value))
        self._say(what, "said")

    def _queued(self, queue: str, last: int) -> None:
        what = f"expect.ends queued: {queue}"
        contact = self._journal.contact
        event = self._journal.seen[last].event
        if self._queues(event):
            names = contact.queue_names(event.resource)
            if queue not in names:
                self._point(last).asserts.append(("$.Queue.Name", queue))
            written = self._resource(event)
            deployed = written.startswith(("${", "arn:"))
            why = "" if deployed else f"the deployed queue must have the id {written}"
            self._say(what, "said" if deployed else "approximate", why)
            return
        if contact.ending.how == "queued" and self._cut is not None:
            self._say(what, "cannot", self._cut.why)
            return
        self._missing(what, (), TO_QUEUE, last)

    def _ends(self, how: str, last: int) -> None:
        what = f"expect.ends {how}"
        ending: Ending = self._journal.contact.ending
        event = self._journal.seen[last].event
        leaves = any(
            each["Parameters"]["Instruction"]["Type"] == "Disconnect"
            for each in self._point(last).actions
            if each["Type"] == "SendInstruction"
        )
        if ending.how != how:
            self._missing(what, (), TO_QUEUE, last)
        elif how == "caller hung up" and leaves:
            self._say(what, "said")
        elif self._cut is None and how in ("disconnected", "flow ended") and event.type == MESSAGE_RECEIVED:
            self._say(what, "approximate", "by the last prompt: a test does not see how a flow ends")
        else:
            self._say(what, "cannot", self._cut.why if self._cut else "a test does not see how a flow ends")

    # -- the document

    def _point(self, seen: int) -> Point:
        return self._points.setdefault(seen, Point(seen, self._journal.seen[seen].event))

    def _event_of(self, visit: int, kind: str) -> int | None:
        return next(
            (n for n, s in enumerate(self._journal.seen) if s.event.type == kind and visit in s.event.visits),
            None,
        )

    def _test_case(self) -> TestCase:
        observations: list[dict[str, Any]] = []
        if self._overrides:
            observations.append(
                {
                    "Identifier": "start",
                    "Event": event_of("start", TEST_INITIATED, {}),
                    "Actions": self._overrides,
                }
            )
        ordered = [point for _, point in sorted(self._points.items())]
        for point in ordered:
            observations += self._observations(point)
        # Without it the test, which the contact outlives, may reach an agent.
        # evidence: test-case-end-test
        observations[-1]["Actions"] = [
            *observations[-1]["Actions"],
            {
                "Type": "TestControl",
                "Parameters": {"ActionType": "TestControl", "Command": {"Type": "EndTest"}},
            },
        ]
        for number, observation in enumerate(observations):
            follows = [observations[number + 1]["Identifier"]] if number + 1 < len(observations) else []
            observation["Actions"] = chained(observation["Actions"], number)
            observation["Transitions"] = {"NextObservations": follows}
        attributes = {name: escape(value) for name, value in self._setup.attributes.items()}
        return TestCase(
            name=escape(f"{self._flow.name}: {self._scenario.name}"[:LONGEST_NAME]),
            entry_point=self._entry_point(),
            content={"Version": VERSION, "Metadata": {}, "Observations": observations},
            # evidence: test-case-initialization-data
            initialization_data={"Attributes": attributes, "SegmentAttributes": {}} if attributes else None,
        )

    def _entry_point(self) -> dict[str, Any]:
        flow = f"${{{FLOW}}}"
        if self._chat:
            return {"Type": "CHAT", "ChatEntryPointParameters": {"FlowId": flow}}
        # evidence: test-case-entry-point
        by = {"FlowId": flow, "SourcePhoneNumber": self._setup.number}
        return {"Type": "VOICE_CALL", "VoiceCallEntryPointParameters": by}

    def _observations(self, point: Point) -> list[dict[str, Any]]:
        """Return the observation of an event, and after it one for each text that the contact does not hear there."""
        event = point.event
        asserts = [
            {
                "Type": "Assert",
                "Parameters": {"Namespace": namespace, "Operator": "Equals", "Operand": escape(value)},
            }
            for namespace, value in dict.fromkeys(point.asserts)
        ]
        actions = [*asserts, *point.actions]
        if event.type == MESSAGE_RECEIVED:
            criteria, words = words_of(point, chat=self._chat)
            made = [hearing(identifier_of(point.seen, words), criteria, words, actions)]
        else:
            written = self._resource(event)
            name = identifier_of(point.seen, f"{event.type} {short(written)}")
            used = {
                "ActionType": event.action_type,
                "ActionParameters": parameters_of(event.action_type, written),
            }
            made = [{"Identifier": name, "Event": event_of(name, event.type, used), "Actions": actions}]
        foreign = [text for text in point.expected if not any(text in part for part in event.parts)]
        for number, text in enumerate(foreign):
            name = identifier_of(point.seen, f"{number} {text}")
            made.append(hearing(name, "Inclusion", plain(text) or text, []))
        return made

    def _resource(self, event: Event) -> str:
        step = self._step(event.visits[0]) if event.visits else None
        return (self._written(step) if step is not None else "") or escape(event.resource)

    def _written(self, step: Step) -> str:
        """Return the resource that a block uses, as the template writes it: a placeholder, if it is one."""
        block = step.visit.block
        if block.type in (TO_QUEUE, _DEQUEUE_BLOCK) and "QueueId" not in block.parameters:
            chooses = [
                each
                for each in self._journal.steps
                if each.visit.number < step.visit.number
                and each.visit.block.type == "UpdateContactTargetQueue"
                and each.error is None
            ]
            used = self._used(step)
            if not chooses or not used:
                return escape(used)
            return self._templates.written(chooses[-1], "QueueId") or escape(used)
        parameter = {INVOKE: "LambdaFunctionARN", HOURS: "HoursOfOperationId", _DEQUEUE_BLOCK: "QueueId"}
        name = parameter.get(block.type, "LexV2Bot.AliasArn")
        return self._templates.written(step, name) or escape(self._used(step))

    def _used(self, step: Step) -> str:
        visit = step.visit.number
        for seen in self._journal.seen:
            if seen.event.type == ACTION_STARTED and seen.event.visits == (visit,):
                return seen.event.resource
        return resource_used(self._journal.contact, step.visit.block)


def kind_of(block: Block) -> str:
    """Return a block's type as overrides call it."""
    return DEQUEUE if block.type == _DEQUEUE_BLOCK else block.type


def _told(move: object) -> str:
    match move:
        case Says(text):
            return f"says {text!r}"
        case Presses(digits):
            return f"presses {digits}"
        case HangsUp(None):
            return "hangs up"
        case HangsUp(trigger):
            return f"hangs up on {trigger!r}"
        case Chooses(action):
            return f"chooses {action}"
        case _:
            return "stays silent"
