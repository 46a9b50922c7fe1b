"""Test cases as the service plays them: order, overrides that are used once, ends, what is logged."""

from __future__ import annotations

import json
from typing import Any

import pytest
from connect_sandbox.rehearsal.canned_functions import Answers, CannedFunctions
from connect_sandbox.rehearsal.canned_vendor import CannedVendor
from connect_sandbox.rehearsal.conditions import Conditions, Queue
from connect_sandbox.rehearsal.contact import Channel
from connect_sandbox.rehearsal.errors import RehearsalError
from connect_sandbox.rehearsal.flow_files import FlowFiles
from connect_sandbox.rehearsal.ports import Ports
from connect_sandbox.rehearsal.published import PublishedFlow
from connect_sandbox.testcase.document import Document
from connect_sandbox.testcase.player import TestPlayer, TestResult

from tests.support.rehearsal import FUNCTION, block, hang_up, say

SUPPORT, SALES = "support", "sales"
END = {"Type": "TestControl", "Parameters": {"ActionType": "TestControl", "Command": {"Type": "EndTest"}}}


def look(identifier: str, then: str) -> dict[str, Any]:
    return block(
        identifier,
        "InvokeLambdaFunction",
        then,
        errors={"NoMatchingError": "sorry"},
        LambdaFunctionARN=FUNCTION,
        InvocationTimeLimitSeconds="3",
    )


TWICE = [
    look("first", "tell first"),
    say("tell first", "First we found $.External.found", "second"),
    look("second", "tell second"),
    say("tell second", "Then we found $.External.found", "queue"),
    say("sorry", "Sorry about that", "queue"),
    block(
        "queue", "UpdateContactTargetQueue", "transfer", errors={"NoMatchingError": "bye"}, QueueId=SUPPORT
    ),
    block(
        "transfer",
        "TransferContactToQueue",
        "bye",
        errors={"QueueAtCapacity": "full", "NoMatchingError": "bye"},
    ),
    say("full", "All agents are busy", "bye"),
    hang_up(),
]


def observation(
    name: str, kind: str, *actions: dict[str, Any], then: str | None = None, **of: Any
) -> dict[str, Any]:
    """Return an observation whose actions follow one another."""
    names = [f"{name}-{number}" for number in range(len(actions))]
    chain = [
        {"Identifier": one, **each, "Transitions": {"NextAction": names[i + 1]} if i + 1 < len(names) else {}}
        for i, (one, each) in enumerate(zip(names, actions, strict=True))
    ]
    event = {"Identifier": f"e-{name}", "Type": kind, "Actor": "System", "Properties": of}
    follows = [then] if then else []
    return {
        "Identifier": name,
        "Event": event,
        "Actions": chain,
        "Transitions": {"NextObservations": follows},
    }


def hears(name: str, text: str, *actions: dict[str, Any], then: str | None = None) -> dict[str, Any]:
    matching = {"Type": "Inclusion"}
    return observation(name, "MessageReceived", *actions, then=then, Text=text, MatchingCriteria=matching)


def override(kind: str, parameters: dict[str, Any], **strategy: Any) -> dict[str, Any]:
    properties = {"ActionType": kind, "ActionParameters": parameters, "Strategy": strategy}
    behavior = {"Type": "FlowAction", "Properties": properties}
    return {
        "Type": "OverrideSystemBehavior",
        "Parameters": {"ActionType": "OverrideSystemBehavior", "Behavior": behavior},
    }


def answers(**found: str) -> dict[str, Any]:
    result = {"DelaySeconds": 1, "LoadedData": json.dumps(found)}
    response = {"Type": "ExecutionResult", "ExecutionResult": result}
    return override(
        "InvokeLambdaFunction", {"LambdaFunctionARN": FUNCTION}, Type="MockResponse", Response=response
    )


def play(
    blocks: list[dict[str, Any]], *observations: dict[str, Any], channel: Channel = "VOICE"
) -> TestResult:
    """Play a test case on a flow whose functions answer {"found": "nothing"}."""
    content = {"Version": "2019-10-30", "Metadata": {}, "Observations": list(observations)}
    flow = PublishedFlow.parse(
        {"Version": "2019-10-30", "StartAction": blocks[0]["Identifier"], "Actions": blocks, "Metadata": {}},
        arn="flow",
        name="flow",
        type="CONTACT_FLOW",
    )
    player = TestPlayer(
        Document.parse(json.dumps(content), "CHAT" if channel == "CHAT" else "VOICE_CALL"),
        ports=Ports(
            flows=FlowFiles({"flow": flow}, {}),
            functions=CannedFunctions({"lookup": (Answers({"found": "nothing"}),)}),
            external_voice=CannedVendor(()),
        ),
        conditions=Conditions(queues=(Queue(arn=SUPPORT, name="Support"), Queue(arn=SALES, name="Sales"))),
        channel=channel,
    )
    return player.play("flow")


def test_an_override_serves_one_use_and_several_queue_up() -> None:
    once = play(
        TWICE,
        observation("start", "TestInitiated", answers(found="gold"), then="one"),
        hears("one", "first we found gold", then="two"),
        hears("two", "then we found nothing", END),
    )
    assert (once.status, once.problem) == ("PASSED", "")
    both = play(
        TWICE,
        observation("start", "TestInitiated", answers(found="gold"), answers(found="silver"), then="one"),
        hears("one", "first we found gold", then="two"),
        hears("two", "then we found silver", END),
    )
    assert both.status == "PASSED"


def test_mocked_errors_take_the_error_branches() -> None:
    late = {"Type": "Error", "Error": {"Value": "TimeLimitExceeded"}}
    full = {"Type": "Error", "Error": {"Value": "QueueAtCapacity"}}
    went = play(
        TWICE,
        observation(
            "start",
            "TestInitiated",
            override(
                "InvokeLambdaFunction", {"LambdaFunctionARN": FUNCTION}, Type="MockResponse", Response=late
            ),
            override("TransferContactToQueue", {"QueueId": SUPPORT}, Type="MockResponse", Response=full),
            then="sorry",
        ),
        hears("sorry", "Sorry about that", then="full"),
        hears("full", "All agents are busy", END),
    )
    assert (went.status, went.problem) == ("PASSED", "")


def test_a_substitute_queue_gets_the_contact_and_events_keep_the_one_of_the_flow() -> None:
    went = play(
        TWICE,
        observation(
            "start",
            "TestInitiated",
            override(
                "TransferContactToQueue", {"QueueId": SUPPORT}, Type="SubstituteResource", SubstituteArn=SALES
            ),
            then="queued",
        ),
        observation(
            "queued",
            "FlowActionStarted",
            {
                "Type": "Assert",
                "Parameters": {"Namespace": "$.Queue.Name", "Operator": "Equals", "Operand": "Support"},
            },
            ActionType="TransferContactToQueue",
            ActionParameters={"QueueId": SUPPORT},
        ),
    )
    assert (went.status, went.landed_in) == ("PASSED", SALES)
    assert went.seconds == 300  # nothing has ended the test: the contact waits in the queue
    assert went.records[-1].content["CompletionReason"]["Type"] == "TIMEOUT"


def test_what_a_function_answered_is_there_after_its_completion_alone() -> None:
    found = {
        "Type": "Assert",
        "Parameters": {"Namespace": "$.External.found", "Operator": "Equals", "Operand": "nothing"},
    }
    used = {"ActionType": "InvokeLambdaFunction", "ActionParameters": {"LambdaFunctionARN": FUNCTION}}
    log = {
        "Type": "LogData",
        "Properties": {"Expressions": {"what": "$.External.found", "text": "on $.Channel"}},
    }
    logs = {"Type": "TestControl", "Parameters": {"ActionType": "TestControl", "Command": log}}
    without = play(TWICE, hears("one", "first we found", found, END))
    assert (without.status, without.reasons) == ("FAILED", ("ASSERT_DATA",))
    went = play(
        TWICE,
        observation("completed", "FlowActionCompleted", found, logs, then="one", **used),
        hears("one", "first we found", END),
    )
    assert went.status == "PASSED"
    assert went.logged == {"what": "nothing", "text": "on VOICE"}


def test_observations_that_nothing_leads_to_are_active_from_the_start_and_others_wait() -> None:
    either = play(TWICE, hears("second", "then we found"), hears("first", "first we found"))
    assert either.passed == 2
    waits = play(TWICE, hears("second", "then we found", then="first"), hears("first", "first we found", END))
    assert (waits.status, waits.passed, waits.problem) == ("FAILED", 1, "never observed: first")


def test_what_is_never_observed_fails_some_time_after_a_call_and_at_once_after_a_chat() -> None:
    goodbye = [say("welcome", "Welcome to Example Corp", "bye"), hang_up()]
    call = play(goodbye, hears("one", "nobody says this"))
    chat = play(goodbye, hears("one", "nobody says this"), channel="CHAT")
    assert (call.status, chat.status) == ("FAILED", "FAILED")
    assert 46 < call.seconds < 48
    assert chat.seconds < 1
    assert call.reasons == ("OBSERVE_EVENT",)


def test_the_end_of_a_contact_completes_the_test() -> None:
    goodbye = [say("welcome", "Welcome to Example Corp", "bye"), hang_up()]
    went = play(goodbye, hears("one", "welcome", then="over"), observation("over", "TestCompleted"))
    assert (went.status, went.passed) == ("PASSED", 2)


def test_a_customer_who_leaves_ends_the_contact_where_they_are() -> None:
    leaves = {"ActionType": "SendInstruction", "Actor": "Customer", "Instruction": {"Type": "Disconnect"}}
    went = play(TWICE, hears("one", "first we found", {"Type": "SendInstruction", "Parameters": leaves}))
    assert went.contact is not None
    assert went.contact.ending.how == "caller hung up"
    assert sum(entry.kind == "invokes" for entry in went.contact.transcript) == 1


def test_keys_that_nobody_waits_for_are_lost() -> None:
    asks = [
        say("welcome", "Welcome to Example Corp", "keep"),
        block(
            "keep",
            "UpdateContactAttributes",
            "menu",
            errors={"NoMatchingError": "bye"},
            Attributes={"a": "b"},
        ),
        block(
            "menu",
            "GetParticipantInput",
            "bye",
            errors={"InputTimeLimitExceeded": "late", "NoMatchingCondition": "bye", "NoMatchingError": "bye"},
            when=[("Equals", "1", "bye")],
            Text="Press one",
            StoreInput="False",
            InputTimeLimitSeconds="5",
        ),
        say("late", "We heard nothing", "bye"),
        hang_up(),
    ]
    key = {"Type": "DtmfInput", "Properties": {"Value": "1"}}
    presses = {
        "Type": "SendInstruction",
        "Parameters": {"ActionType": "SendInstruction", "Actor": "Customer", "Instruction": key},
    }
    early = play(asks, hears("one", "welcome", presses, then="two"), hears("two", "we heard nothing", END))
    assert early.status == "PASSED"
    in_time = play(
        asks, hears("one", "press one", presses, then="two"), hears("two", "we heard nothing", END)
    )
    assert in_time.status == "FAILED"


def test_a_mocked_bot_is_refused_by_name() -> None:
    alias = "arn:aws:lex:us-east-1:123456789012:bot-alias/B/A"
    asks = [
        block(
            "bot",
            "ConnectParticipantWithLexBot",
            "bye",
            errors={"NoMatchingCondition": "bye", "NoMatchingError": "bye"},
            Text="How can we help?",
            LexV2Bot={"AliasArn": alias},
        ),
        hang_up(),
    ]
    result = {"Type": "ExecutionResult", "ExecutionResult": {"LoadedData": "{}"}}
    mocked = override(
        "ConnectParticipantWithLexBot",
        {"LexV2Bot": {"AliasArn": alias}},
        Type="MockResponse",
        Response=result,
    )
    with pytest.raises(RehearsalError, match="ConnectParticipantWithLexBot holds is documented nowhere"):
        play(asks, observation("start", "TestInitiated", mocked, then="one"), hears("one", "hello", END))
