import json
from typing import Any

import pytest
from connect_sandbox.rehearsal import HungUpByVendor

from tests.support.rehearsal import block, hang_up, say

PIN = "tok-9f8e7d6c"


def test_secrets_stand_in_no_entry(world: Any) -> None:
    world.answers = [{"token": f"Bearer {PIN}"}]
    ask = block(
        "ask",
        "InvokeLambdaFunction",
        "tell",
        errors={"NoMatchingError": "bye"},
        LambdaFunctionARN="arn:aws:lambda:us-east-1:123456789012:function:f",
        InvocationTimeLimitSeconds="3",
    )
    contact = world.plays(ask, say("tell", "It is $.External.token.", "bye"), hang_up(), secrets=[PIN])
    contact.hears("It is Bearer [secret].")
    assert PIN not in json.dumps(contact.transcript.to_json()) + contact.transcript.render()


def test_expectations_fail_with_the_transcript(world: Any) -> None:
    contact = world.plays(say("hello", "Hello.", "more"), say("more", "Goodbye.", "bye"), hang_up())
    with pytest.raises(AssertionError, match=r"(?s)should have heard “Welcome”.*“Hello.”.*“Goodbye.”"):
        contact.hears("Welcome")
    with pytest.raises(AssertionError, match=r"(?s)should not have heard “Hello”.*“Hello.”") as failure:
        contact.does_not_hear("Hello")
    assert "Goodbye" not in str(failure.value)
    with pytest.raises(AssertionError, match="should have reached nowhere"):
        contact.reaches("nowhere")
    with pytest.raises(AssertionError, match="should have ended: queued; it ended: disconnected"):
        contact.ends("queued")
    with pytest.raises(AssertionError, match="attribute name should be 'Ada'; it is None"):
        contact.has_attributes(name="Ada")


def test_texts_are_heard_in_order(world: Any) -> None:
    contact = world.plays(say("hello", "One.", "more"), say("more", "Two.", "bye"), hang_up())
    contact.hears("One.").hears("Two.")
    with pytest.raises(AssertionError, match=r"should have heard “One\."):
        contact.hears("One.")


def test_entries_say_who_did_what_in_which_block(world: Any) -> None:
    world.third_party = lambda _invite, line: (line.vendor_says("Hi."), HungUpByVendor())[1]
    transfer = block(
        "transfer",
        "TransferParticipantToThirdParty",
        "bye",
        errors={"CallFailed": "bye", "ConnectionTimeLimitExceeded": "bye", "NoMatchingError": "bye"},
        ThirdPartyPhoneNumber="+12065550111",
        ThirdPartyConnectionTimeLimitSeconds="30",
        ContinueFlowExecution="True",
    )
    contact = world.plays(say("hello", "Hello.", "transfer"), transfer, hang_up())
    told = [(entry["who"], entry.get("block"), entry["kind"]) for entry in contact.transcript.to_json()]
    assert told == [
        ("caller", None, "flow"),
        ("connect", None, "flow"),
        ("connect", "hello", "says"),
        ("connect", "transfer", "dials"),
        ("vendor", "transfer", "says"),
        ("vendor", "transfer", "does"),
        ("connect", "bye", "ends"),
    ]
    times = [entry["at"] for entry in contact.transcript.to_json()]
    assert times == sorted(times)
    assert "connect  hello     “Hello.”" in contact.transcript.render()
