import uuid
from typing import Any

import pytest
from connect_sandbox.rehearsal import (
    Conditions,
    FunctionFailedError,
    InvocationDeniedError,
    InvocationThrottledError,
    InvocationTimedOutError,
    Queue,
    ServiceFailureError,
)

from tests.support.rehearsal import FUNCTION, INSTANCE, block, hang_up, say


def invoke(identifier: str = "ask", then: str = "tell", **parameters: Any) -> dict[str, Any]:
    settings = {
        "LambdaFunctionARN": FUNCTION,
        "InvocationTimeLimitSeconds": "3",
        "ResponseValidation": {"ResponseType": "STRING_MAP"},
    }
    return block(
        identifier, "InvokeLambdaFunction", then, errors={"NoMatchingError": "sorry"}, **settings | parameters
    )


TELL = [
    say("tell", "Answer: $.External.name $.External.deep.er.", "bye"),
    say("sorry", "Sorry. $.External.name", "bye"),
]
JSON = {"ResponseType": "JSON"}


def test_a_flat_answer_is_in_external(world: Any) -> None:
    world.answers = [{"name": "Ada"}]
    world.plays(invoke(), *TELL, hang_up()).hears("Answer: Ada .")


def test_json_answers_may_be_nested_and_hold_anything(world: Any) -> None:
    world.answers = [{"name": True, "deep": {"er": 1.5}, "list": [1]}]
    world.plays(invoke(ResponseValidation=JSON), *TELL, hang_up()).hears("Answer: true 1.5.")


@pytest.mark.parametrize("answer", [{"name": 1}, {"name": None}, {"name": {"x": "y"}}, ["a"], "text", None])
def test_string_map_refuses_what_is_no_flat_object_of_texts(world: Any, answer: Any) -> None:
    world.answers = [answer]
    world.plays(invoke(), *TELL, hang_up()).hears("Sorry.").does_not_hear("Answer")


@pytest.mark.parametrize(("length", "heard"), [(32 * 1024 - 12, "Answer:"), (32 * 1024 - 11, "Sorry.")])
def test_an_answer_has_at_most_32_kilobytes(world: Any, length: int, heard: str) -> None:
    world.answers = [{"data": "x" * length}]
    world.plays(invoke(ResponseValidation=JSON), *TELL, hang_up()).hears(heard)


def test_each_answer_replaces_the_one_before(world: Any) -> None:
    world.answers = [{"name": "Ada"}, {"other": "x"}]
    world.plays(invoke(then="again"), invoke("again"), *TELL, hang_up()).hears("Answer:  .")


@pytest.mark.parametrize("error", [InvocationThrottledError("429"), ServiceFailureError("500")])
def test_throttling_and_service_failures_are_retried_up_to_three_times(world: Any, error: Exception) -> None:
    world.answers = [error, error, error, {"name": "Ada"}]
    world.plays(invoke(), *TELL, hang_up()).hears("Answer: Ada").invokes("lookup", times=4)
    world.answers = [error] * 5
    world.plays(invoke(), *TELL, hang_up()).hears("Sorry.").invokes("lookup", times=4)


def test_retries_end_after_eight_seconds(world: Any) -> None:
    world.answers = [ServiceFailureError("500", seconds=3.9) for _ in range(4)]
    world.plays(invoke(InvocationTimeLimitSeconds="8"), *TELL, hang_up()).hears("Sorry.").invokes(
        "lookup", times=2
    )


@pytest.mark.parametrize(
    "error",
    [FunctionFailedError("KeyError"), InvocationTimedOutError("3 s", seconds=3), InvocationDeniedError("no")],
)
def test_other_failures_take_the_error_branch_at_once(world: Any, error: Exception) -> None:
    world.answers = [error]
    world.plays(invoke(), *TELL, hang_up()).hears("Sorry. ").invokes("lookup", times=1)


def test_functions_in_a_row_have_twenty_seconds_unless_the_caller_hears_something(world: Any) -> None:
    world.seconds, world.answers = 7, [{"name": "Ada"}] * 6
    chain = [
        invoke("a", "b", InvocationTimeLimitSeconds="8"),
        invoke("b", "c", InvocationTimeLimitSeconds="8"),
    ]
    last = invoke("c", InvocationTimeLimitSeconds="8")
    world.plays(*chain, last, *TELL, hang_up()).hears("Sorry.").reaches("a", "b", "c")

    with_prompt = [
        chain[0],
        invoke("b", "hold", InvocationTimeLimitSeconds="8"),
        say("hold", "One moment.", "c"),
        last,
    ]
    world.plays(*with_prompt, *TELL, hang_up()).hears("One moment.", "Answer: Ada")


def test_the_event_is_amazon_connects(world: Any) -> None:
    world.answers = [{"name": "Ada"}]
    queue = Queue(arn=f"{INSTANCE}/queue/q-1", name="Support", outbound_caller_id="+18005550100")
    contact = world.plays(
        block("choose", "UpdateContactTargetQueue", "ask", errors={"NoMatchingError": "bye"}, QueueId="q-1"),
        invoke(
            LambdaInvocationAttributes={
                "contactId": "$.ContactId",
                "nested": {"tier": "$.Attributes.tier", "n": "7"},
            }
        ),
        *TELL,
        hang_up(),
        attributes={"tier": "gold"},
        conditions=Conditions(queues=[queue]),
    )
    [event] = world.events
    data = event["Details"]["ContactData"]
    assert event["Name"] == "ContactFlowEvent"
    assert event["Details"]["Parameters"] == {
        "contactId": contact.contact_id,
        "nested": {"tier": "gold", "n": "7"},
    }
    assert str(uuid.UUID(data["ContactId"])) == contact.contact_id == data["InitialContactId"]
    assert data["InstanceARN"] == INSTANCE
    assert data["Channel"] == "VOICE"
    assert data["Attributes"] == {"tier": "gold"}
    assert data["CustomerEndpoint"] == {"Address": "+12065550142", "Type": "TELEPHONE_NUMBER"}
    assert data["SystemEndpoint"] == {"Address": "+18005550199", "Type": "TELEPHONE_NUMBER"}
    assert data["Queue"] == {
        "ARN": queue.arn,
        "Name": "Support",
        "OutboundCallerId": {"Address": "+18005550100", "Type": "TELEPHONE_NUMBER"},
    }
    assert {
        "MediaStreams",
        "References",
        "PreviousContactId",
        "LanguageCode",
        "InitiationMethod",
    } <= data.keys()


def test_an_asynchronous_function_is_not_waited_for(world: Any) -> None:
    contact = world.plays(
        invoke(InvocationType="ASYNCHRONOUS"),
        say("tell", "Started $.LambdaInvocation.InvocationId.", "bye"),
        say("sorry", "Sorry", "bye"),
        hang_up(),
    )
    contact.hears("Started request-1.")


def test_a_function_that_stands_for_nothing_takes_the_error_branch(world: Any) -> None:
    world.plays(invoke(LambdaFunctionARN="$.Attributes.function"), *TELL, hang_up()).hears("Sorry.")
    assert not world.events
