"""Scenarios become test cases: input, silence, hours, bots, retries, merged prompts, and what cannot be said."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from connect_sandbox.rehearsal.scenario import ScenarioFile
from connect_sandbox.testcase import cli
from connect_sandbox.testcase.check import play_test_case
from connect_sandbox.testcase.convert import convert_file
from connect_sandbox.testcase.converted import Converted
from connect_sandbox.testcase.document import Document, InvalidDocumentError
from connect_sandbox.testcase.player import recognized

from tests.support.rehearsal import FUNCTION, block, hang_up, say

LIMITS = {"InputTimeLimitExceeded": "late", "NoMatchingCondition": "wrong", "NoMatchingError": "bye"}


def menu(**errors: str) -> dict[str, Any]:
    return block(
        "menu",
        "GetParticipantInput",
        "wrong",
        errors={**LIMITS, **errors},
        when=[("Equals", "1", "support")],
        Text="For support press 1.",
        StoreInput="False",
        InputTimeLimitSeconds="5",
    )


def to_queue() -> list[dict[str, Any]]:
    full = {"QueueAtCapacity": "full", "NoMatchingError": "full"}
    return [
        block(
            "support",
            "UpdateContactTargetQueue",
            "transfer",
            errors={"NoMatchingError": "bye"},
            QueueId="${Queue}",
        ),
        block("transfer", "TransferContactToQueue", "bye", errors=full),
        say("full", "All agents are busy.", "bye"),
    ]


LINE = [
    say("welcome", "Welcome to Example Corp.", "menu"),
    menu(),
    say("wrong", "That is not on our list.", "menu"),
    say("late", "We did not hear a key.", "bye"),
    *to_queue(),
    hang_up(),
]
SETUP = {"values": {"Queue": "support"}, "queues": {"support": {"name": "Support"}}}


class Files:
    """Writes flows and scenarios, and converts them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.flow, self.scenarios = folder / "line.json", folder / "line.yaml"

    def write(self, blocks: list[dict[str, Any]], *scenarios: Mapping[str, Any]) -> None:
        start = blocks[0]["Identifier"]
        document = {"Version": "2019-10-30", "StartAction": start, "Metadata": {}, "Actions": blocks}
        self.flow.write_text(json.dumps(document), encoding="utf-8")
        self.scenarios.write_text(yaml.safe_dump({"scenarios": list(scenarios)}), encoding="utf-8")

    def converted(
        self, blocks: list[dict[str, Any]], *, setup: Mapping[str, Any] | None = None, **scenario: Any
    ) -> Converted:
        """Convert one scenario; it must go as expected on both runners."""
        self.write(blocks, {"name": "one", "setup": {**SETUP, **(setup or {})}, **scenario})
        (made,) = convert_file(ScenarioFile.load(self.scenarios), self.flow)
        assert made.problem is None
        if made.test_case is not None:
            result = play_test_case(made.test_case, made.scenario, self.flow)
            assert (result.status, result.problem) == ("PASSED", "")
        return made


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def marks(converted: Converted) -> dict[str, str]:
    return {statement.what: statement.mark for statement in converted.statements}


def observed(converted: Converted) -> list[tuple[str, str]]:
    """Return (event, what it is recognised by) of each observation."""
    assert converted.test_case is not None
    found = []
    for each in converted.test_case.content["Observations"]:
        event = each["Event"]
        parameters = event["Properties"].get("ActionParameters", {})
        by = event["Properties"].get("Text") or "".join(map(str, parameters.values()))
        found.append((event["Type"], by))
    return found


def actions(converted: Converted) -> list[dict[str, Any]]:
    assert converted.test_case is not None
    return [
        action["Parameters"]
        for each in converted.test_case.content["Observations"]
        for action in each["Actions"]
    ]


def test_prompts_up_to_the_input_are_one_event_and_the_key_hangs_on_it(files: Files) -> None:
    made = files.converted(
        LINE,
        caller=[{"presses": "1"}],
        expect={"hears": ["Welcome to Example Corp.", "For support press"], "ends": {"queued": "Support"}},
    )
    assert observed(made) == [
        ("MessageReceived", "Welcome to Example Corp. For support press 1."),
        ("FlowActionStarted", "${Queue}"),
    ]
    pressed, ends = actions(made)
    assert pressed["Instruction"] == {"Type": "DtmfInput", "Properties": {"Value": "1"}}
    assert ends["Command"] == {"Type": "EndTest"}
    assert marks(made)["caller presses 1"] == "said"
    assert made.verdict == "approximate"  # two texts of one event are compared by likeness


def test_plain_words_are_recognised_exactly(files: Files) -> None:
    made = files.converted(
        LINE,
        caller=[{"presses": "1"}],
        expect={"hears": ["Welcome to Example Corp"], "ends": {"queued": "Support"}},
    )
    assert observed(made)[0] == ("MessageReceived", "Welcome to Example Corp")
    assert made.verdict == "said"
    digits = files.converted(LINE, caller=[{"presses": "1"}], expect={"hears": ["For support press 1."]})
    assert observed(digits)[0] == ("MessageReceived", "For support press")  # speech recognition hears "one"
    assert digits.verdict == "approximate"


def test_a_wrong_key_and_the_prompt_that_comes_with_the_next_question(files: Files) -> None:
    made = files.converted(
        LINE,
        caller=[{"presses": "9"}, {"presses": "1"}],
        expect={"hears": ["That is not on our list."], "ends": {"queued": "Support"}},
    )
    assert observed(made) == [
        ("MessageReceived", "For support press"),
        ("MessageReceived", "That is not on our list"),
        ("FlowActionStarted", "${Queue}"),
    ]


def test_silence_is_no_action_and_what_the_flow_says_then(files: Files) -> None:
    made = files.converted(LINE, caller=["stays silent"], expect={"hears": ["We did not hear a key."]})
    assert [action.get("ActionType") for action in actions(made)] == ["TestControl"]
    assert marks(made)["caller stays silent"] == "approximate"
    assert (
        marks(made)["expect.hears 'We did not hear a key.'"] == "approximate"
    )  # right before the disconnect


def test_a_question_that_repeats_itself_gives_no_event_for_the_next_key(files: Files) -> None:
    again = [say("welcome", "Welcome to Example Corp.", "menu"), menu(NoMatchingCondition="menu"), *LINE[2:]]
    made = files.converted(
        again,
        caller=[{"presses": "9"}, {"presses": "1"}],
        expect={"hears": ["Welcome to Example Corp."], "ends": {"queued": "Support"}},
    )
    assert marks(made)["caller presses 9"] == "said"
    assert marks(made)["caller presses 1"] == "cannot"
    assert marks(made)["expect.ends queued: Support"] == "cannot"
    assert made.verdict == "in part"


def test_hanging_up_is_the_end_of_the_test(files: Files) -> None:
    made = files.converted(
        LINE,
        caller=[{"hangs_up_on": "Example Corp"}],
        expect={"hears": ["Welcome to Example Corp."], "ends": "caller hung up"},
    )
    told, ends = actions(made)
    assert (told["Instruction"]["Type"], ends["Command"]["Type"]) == ("Disconnect", "EndTest")
    assert marks(made)["expect.ends caller hung up"] == "said"


def test_a_full_queue_is_mocked(files: Files) -> None:
    made = files.converted(
        LINE,
        setup={"queues": {"support": {"name": "Support", "at_capacity": True}}},
        caller=[{"presses": "1"}],
        expect={"hears": ["All agents are busy."], "ends": "disconnected"},
    )
    behavior = actions(made)[0]["Behavior"]["Properties"]
    assert behavior["ActionParameters"] == {"QueueId": "${Queue}"}
    assert behavior["Strategy"]["Response"] == {"Type": "Error", "Error": {"Value": "QueueAtCapacity"}}


HOURS = [
    block(
        "hours",
        "CheckHoursOfOperation",
        "closed",
        errors={"NoMatchingError": "bye"},
        when=[("Equals", "True", "welcome"), ("Equals", "False", "closed")],
        HoursOfOperationId="${Office}",
    ),
    say("welcome", "Welcome to Example Corp.", "bye"),
    say("closed", "We are closed now.", "bye"),
    hang_up(),
]


@pytest.mark.parametrize(
    ("state", "text", "stands_in"),
    [
        ("open", "Welcome to Example Corp.", "OpenHoursArn"),
        ("closed", "We are closed now.", "ClosedHoursArn"),
    ],
)
def test_other_hours_stand_in(files: Files, state: str, text: str, stands_in: str) -> None:
    setup = {"values": {"Office": "office"}, "queues": {}, "hours": {"office": state}}
    made = files.converted(HOURS, setup=setup, expect={"hears": [text]})
    properties = actions(made)[0]["Behavior"]["Properties"]
    assert properties["ActionParameters"] == {"HoursOfOperationId": "${Office}"}
    assert properties["Strategy"] == {"Type": "SubstituteResource", "SubstituteArn": f"${{{stands_in}}}"}
    assert made.test_case is not None
    assert made.test_case.placeholders == {"FlowArn", "Office", stands_in}


def lookup() -> list[dict[str, Any]]:
    return [
        block(
            "look",
            "InvokeLambdaFunction",
            "tell",
            errors={"NoMatchingError": "sorry"},
            LambdaFunctionARN="${Function}",
            InvocationTimeLimitSeconds="3",
        ),
        say("tell", "Your order is on its way.", "keep"),
        block(
            "keep",
            "UpdateContactAttributes",
            "support",
            errors={"NoMatchingError": "bye"},
            Attributes={"status": "$.External.status"},
            TargetContact="Current",
        ),
        say("sorry", "We could not look it up.", "support"),
        *to_queue(),
        hang_up(),
    ]


FETCH = {"values": {"Queue": "support", "Function": FUNCTION}}


def test_a_function_is_mocked_with_what_the_scenario_says(files: Files) -> None:
    made = files.converted(
        lookup(),
        setup={**FETCH, "lambdas": {"lookup": {"answers": {"status": "shipped ${x}"}, "seconds": 2}}},
        expect={
            "hears": ["Your order is on its way."],
            "attributes": {"status": "shipped ${x}"},
            "invokes": ["lookup"],
            "ends": {"queued": "Support"},
        },
    )
    response = actions(made)[0]["Behavior"]["Properties"]["Strategy"]["Response"]
    assert response["ExecutionResult"]["DelaySeconds"] == 2
    assert made.test_case is not None
    filled = made.test_case.filled({"Function": FUNCTION, "Queue": "q", "FlowArn": "f"})
    loaded = filled["Content"]["Observations"][0]["Actions"][0]["Parameters"]["Behavior"]["Properties"]
    data = loaded["Strategy"]["Response"]["ExecutionResult"]["LoadedData"]
    assert json.loads(data) == {"status": "shipped ${x}"}  # a text that looks like a placeholder is none
    assert ("FlowActionStarted", "${Function}") in observed(made)
    assert made.verdict == "said"


@pytest.mark.parametrize(
    ("behaviour", "value", "mark"),
    [
        ({"times_out": True}, "TimeLimitExceeded", "said"),
        ({"raises": "KeyError: order"}, "NoMatchingError", "approximate"),
        ({"denied": True}, "NoMatchingError", "approximate"),
    ],
)
def test_a_function_that_fails_is_mocked_to_fail(
    files: Files, behaviour: dict[str, Any], value: str, mark: str
) -> None:
    made = files.converted(
        lookup(),
        setup={**FETCH, "lambdas": {"lookup": behaviour}},
        expect={"hears": ["We could not look it up."], "ends": {"queued": "Support"}},
    )
    response = actions(made)[0]["Behavior"]["Properties"]["Strategy"]["Response"]
    assert response == {"Type": "Error", "Error": {"Value": value}}
    assert marks(made)["setup.lambdas.Function"] == mark


def test_retries_of_one_call_are_one_mock_and_their_number_cannot_be_said(files: Files) -> None:
    answers = [{"throttled": True}, {"unavailable": "503"}, {"answers": {"status": "shipped"}}]
    made = files.converted(
        lookup(),
        setup={**FETCH, "lambdas": {"lookup": answers}},
        expect={"hears": ["Your order is on its way."], "invokes": {"lookup": 3}},
    )
    overrides = [each for each in actions(made) if each.get("ActionType") == "OverrideSystemBehavior"]
    assert len(overrides) == 1
    assert marks(made)["setup.lambdas.Function"] == "approximate"
    assert marks(made)["expect.invokes lookup 3 times"] == "cannot"


def bot() -> list[dict[str, Any]]:
    return [
        block(
            "bot",
            "ConnectParticipantWithLexBot",
            "wrong",
            errors={"NoMatchingCondition": "wrong", "NoMatchingError": "wrong"},
            when=[("Equals", "Order", "order")],
            Text="How can we help?",
            LexV2Bot={"AliasArn": "${Bot}"},
        ),
        say("order", "Your order is on its way.", "bye"),
        say("wrong", "We did not understand.", "bye"),
        hang_up(),
    ]


@pytest.mark.parametrize(("channel", "event"), [("VOICE", "FlowActionStarted"), ("CHAT", "MessageReceived")])
def test_words_for_a_bot_hang_on_its_start_on_a_call_and_on_its_question_in_a_chat(
    files: Files, channel: str, event: str
) -> None:
    made = files.converted(
        bot(),
        setup={"values": {"Bot": "bot"}, "queues": {}, "channel": channel, "lex": {"Where is it?": "Order"}},
        caller=[{"says": "Where is it?"}],
        expect={"hears": ["Your order is on its way."]},
    )
    assert observed(made)[0][0] == event
    assert [kind for kind, _ in observed(made)][1:] == ["FlowActionCompleted", "MessageReceived"]
    told = actions(made)
    assert told[0]["Instruction"] == {"Type": "Utterance", "Properties": {"Value": "Where is it?"}}
    assert told[1] == {"Namespace": "$.Lex.IntentName", "Operator": "Equals", "Operand": "Order"}
    assert made.test_case is not None
    assert made.test_case.entry_point["Type"] == ("CHAT" if channel == "CHAT" else "VOICE_CALL")


def test_attributes_at_the_start_are_initialization_data(files: Files) -> None:
    made = files.converted(
        LINE,
        setup={"attributes": {"tier": "gold"}, "number": "+12065550199"},
        caller=[{"presses": "1"}],
        expect={"attributes": {"tier": "gold"}, "ends": {"queued": "Support"}},
    )
    assert made.test_case is not None
    assert made.test_case.initialization_data == {"Attributes": {"tier": "gold"}, "SegmentAttributes": {}}
    call = made.test_case.entry_point["VoiceCallEntryPointParameters"]
    assert call == {"FlowId": "${FlowArn}", "SourcePhoneNumber": "+12065550199"}
    assert {"Namespace": "$.Attributes.tier", "Operator": "Equals", "Operand": "gold"} in actions(made)


def test_absence_agents_and_other_numbers_cannot_be_said(files: Files) -> None:
    made = files.converted(
        LINE,
        setup={"dialled": "+18005550100", "agent": {"answers_after": 5}},
        caller=[{"presses": "1"}],
        expect={
            "hears": ["Welcome to Example Corp."],
            "does_not_hear": ["All agents are busy."],
            "does_not_reach": ["late"],
            "attributes": {"tier": None},
            "meets_agent": True,
        },
    )
    cannot = {what for what, mark in marks(made).items() if mark == "cannot"}
    assert cannot == {
        "setup.dialled",
        "expect.does_not_hear 'All agents are busy.'",
        "expect.does_not_reach 'late'",
        "expect.attributes tier",
        "expect.meets_agent",
    }
    assert made.verdict == "in part"


def test_what_comes_after_five_minutes_cannot_be_said(files: Files) -> None:
    waits = [
        say("welcome", "Welcome to Example Corp.", "wait"),
        block(
            "wait",
            "Wait",
            "late",
            errors={"NoMatchingError": "bye"},
            when=[("Equals", "WaitCompleted", "late")],
            TimeLimitSeconds="600",
        ),
        say("late", "Thank you for your patience.", "bye"),
        hang_up(),
    ]
    made = files.converted(
        waits, expect={"hears": ["Welcome to Example Corp.", "Thank you for your patience."]}
    )
    assert marks(made)["expect.hears 'Thank you for your patience.'"] == "cannot"
    assert "five minutes" in next(s.why for s in made.statements if s.mark == "cannot")


# --- the document and the command


def test_a_document_is_read_back_in_the_order_of_its_chains(files: Files) -> None:
    made = files.converted(
        LINE, caller=[{"presses": "1"}], expect={"hears": ["Welcome"], "ends": {"queued": "Support"}}
    )
    assert made.test_case is not None
    document = Document.parse(json.dumps(made.test_case.content))
    assert [each.event for each in document.observations] == ["MessageReceived", "FlowActionStarted"]
    assert [each.type for each in document.observations[0].actions] == ["SendInstruction"]
    circle = json.loads(json.dumps(made.test_case.content))
    circle["Observations"][0]["Actions"][0]["Transitions"]["NextAction"] = "1-1"
    with pytest.raises(InvalidDocumentError, match="lead in a circle"):
        Document.parse(json.dumps(circle))


def test_speech_recognition_gives_digits_back_as_words() -> None:
    assert recognized("Press 1, please!") == "press one please"
    assert recognized("It's 24/7.") == "its two four seven"


def test_the_command_writes_files_and_fills_values_in(
    files: Files, capsys: pytest.CaptureFixture[str]
) -> None:
    files.write(
        LINE,
        {
            "name": "A caller, queued!",
            "setup": SETUP,
            "caller": [{"presses": "1"}],
            "expect": {"hears": ["Welcome to Example Corp"], "ends": {"queued": "Support"}},
        },
    )
    values = files.folder / "values.json"
    values.write_text(json.dumps({"Queue": "arn:aws:connect:…:queue/1"}), encoding="utf-8")
    out = files.folder / "out"
    arguments = [str(files.scenarios), "--flow", str(files.flow), "-o", str(out), "--values", str(values)]
    assert cli.main(arguments) == 0
    told = capsys.readouterr().out
    assert "said        A caller, queued!" in told
    assert "1 scenario: 1 said, 0 approximate, 0 in part, 0 cannot" in told
    written = json.loads((out / "a-caller-queued.json").read_text(encoding="utf-8"))
    assert written["Name"] == "line: A caller, queued!"
    assert "arn:aws:connect:…:queue/1" in json.dumps(written["Content"], ensure_ascii=False)
    assert written["EntryPoint"]["VoiceCallEntryPointParameters"]["FlowId"] == "${FlowArn}"


def test_the_command_writes_nothing_of_scenarios_that_fail(
    files: Files, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = {"name": "wrong", "setup": SETUP, "expect": {"hears": ["Nobody says this."]}}
    files.write(LINE, wrong)
    out = files.folder / "out"
    assert cli.main([str(files.scenarios), "--flow", str(files.flow), "-o", str(out)]) == 1
    assert "the caller should have heard “Nobody says this.”" in capsys.readouterr().out
    assert not out.exists()


def test_the_command_refuses_what_it_cannot_read(files: Files, capsys: pytest.CaptureFixture[str]) -> None:
    same = {"setup": SETUP, "caller": [{"presses": "1"}], "expect": {"ends": {"queued": "Support"}}}
    files.write(LINE, {"name": "a b", **same}, {"name": "a-b", **same})
    assert cli.main([str(files.scenarios), "--flow", str(files.flow)]) == 2
    assert "a-b.json: rename one" in capsys.readouterr().err
    assert cli.main([str(files.scenarios)]) == 2
    assert cli.main([str(files.scenarios), "--flow", str(files.folder / "none.json")]) == 2
    assert cli.main(["--help"]) == 0
    assert "FlowArn" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("setup", "why"),
    [
        ({"channel": "TASK"}, "a call or a chat"),
        ({"flow_type": "CUSTOMER_QUEUE"}, "an inbound flow"),
        ({"initiation_method": "OUTBOUND"}, "comes in"),
        ({"queue": "support"}, "nothing else"),
    ],
)
def test_a_contact_that_begins_in_another_way_cannot_be_said(
    files: Files, setup: dict[str, Any], why: str
) -> None:
    made = files.converted([hang_up()], setup=setup, expect={"reaches": ["bye"]})
    assert made.verdict == "cannot"
    assert why in made.statements[0].why


def test_what_other_services_find_ends_the_test(files: Files) -> None:
    finds = [
        say("welcome", "Welcome to Example Corp.", "metric"),
        block(
            "metric",
            "CheckMetricData",
            "bye",
            errors={"NoMatchingCondition": "bye", "NoMatchingError": "bye"},
            MetricType="NumberOfContactsInQueue",
            QueueId="support",
        ),
        hang_up(),
    ]
    made = files.converted(finds, expect={"hears": ["Welcome to Example Corp."], "ends": "disconnected"})
    assert marks(made)["expect.hears 'Welcome to Example Corp.'"] == "said"
    assert marks(made)["expect.ends disconnected"] == "cannot"
    assert "metrics" in made.statements[-1].why


@pytest.mark.parametrize(
    ("prompt", "expected", "words", "mark"),
    [
        ("We don't know you, please call again.", "We don't know", "please call again", "approximate"),
        ("Welcome to the Example Corporation.", "lcome to the Example Corp", "to the Example", "approximate"),
        ("Your code is 1 2 3 4.", "code is 1", "Your code is", "approximate"),
        ("Press 1 or 2.", "Press 1", "Press one or two.", "approximate"),
        ("Grüezi mitenand, wie geht es", "Grüezi mitenand", "Grüezi mitenand", "approximate"),
        ("One moment please", "One moment please", "One moment please", "said"),
    ],
)  # fmt: skip
def test_a_prompt_is_recognised_by_words_that_speech_recognition_gives_back(
    files: Files, prompt: str, expected: str, words: str, mark: str
) -> None:
    blocks = [say("prompt", prompt, "support"), *to_queue(), hang_up()]
    made = files.converted(blocks, expect={"hears": [expected], "ends": {"queued": "Support"}})
    assert observed(made)[0] == ("MessageReceived", words)
    assert marks(made)[f"expect.hears {expected!r}"] == mark


def test_a_recording_whose_words_nobody_says_is_no_event_to_wait_for(files: Files) -> None:
    blocks = [
        block(
            "recording", "MessageParticipant", "support", errors={"NoMatchingError": "bye"}, PromptId="hello"
        ),
        *to_queue(),
        hang_up(),
    ]
    made = files.converted(blocks, expect={"ends": {"queued": "Support"}})
    assert [kind for kind, _ in observed(made)] == ["FlowActionStarted"]
    told = files.converted(
        blocks, setup={"prompts": {"hello": "Hello and welcome"}}, expect={"hears": ["Hello and welcome"]}
    )
    assert ("MessageReceived", "Hello and welcome") in observed(told)


def test_what_a_handler_answers_here_is_the_mock(files: Files) -> None:
    made = files.converted(
        lookup(),
        setup={**FETCH, "lambdas": {"lookup": {"handler": "tests.support.rehearsal:greets"}}},
        expect={"hears": ["Your order is on its way."], "ends": {"queued": "Support"}},
    )
    response = actions(made)[0]["Behavior"]["Properties"]["Strategy"]["Response"]
    assert json.loads(response["ExecutionResult"]["LoadedData"]) == {"name": "VOICE"}
    assert marks(made)["setup.lambdas.Function"] == "approximate"


def test_a_queue_that_the_flow_names_itself_must_have_that_id(files: Files) -> None:
    named = [each for each in to_queue() if each["Identifier"] != "support"]
    chosen = block(
        "support",
        "UpdateContactTargetQueue",
        "transfer",
        errors={"NoMatchingError": "bye"},
        QueueId="support",
    )
    made = files.converted([chosen, *named, hang_up()], expect={"ends": {"queued": "Support"}})
    assert observed(made) == [("FlowActionStarted", "support")]
    assert marks(made)["expect.ends queued: Support"] == "approximate"
