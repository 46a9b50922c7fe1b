"""What `contact`, the fixture, does with functions, third parties and the caller's moves."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from connect_sandbox.rehearsal import (
    CannotPlayError,
    FunctionFailedError,
    InvocationThrottledError,
    LambdaAnswer,
    Presses,
    Queue,
)
from connect_sandbox.rehearsal.canned_functions import Calls, CannedFunctions
from connect_sandbox.rehearsal.contact_maker import ContactMaker
from connect_sandbox.rehearsal.reading import ScenarioError

from tests.support.rehearsal import FUNCTION, block, hang_up, say


@pytest.fixture
def contact(tmp_path: Path) -> ContactMaker:
    return ContactMaker(tmp_path)


def write(folder: Path, *blocks: dict[str, Any]) -> str:
    content = {"Version": "2019-10-30", "StartAction": blocks[0]["Identifier"], "Actions": list(blocks)}
    (folder / "flow.json").write_text(json.dumps(content))
    return "flow.json"


def ask(**parameters: Any) -> list[dict[str, Any]]:
    settings = {
        "LambdaFunctionARN": FUNCTION,
        "InvocationTimeLimitSeconds": "1",
        "ResponseValidation": {"ResponseType": "JSON"},
    }
    return [
        block(
            "ask",
            "InvokeLambdaFunction",
            "tell",
            errors={"NoMatchingError": "sorry"},
            **settings | parameters,
        ),
        say("tell", "Hello $.External.name.", "bye"),
        say("sorry", "Sorry.", "bye"),
        hang_up(),
    ]


class Deployed:
    """Whatever can invoke a function, e.g. one that runs elsewhere."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def invoke(self, function_arn: str, event: Mapping[str, Any], *, time_limit: float) -> LambdaAnswer:
        self.asked.append(f"{function_arn} {event['Name']} {time_limit:g}")
        return LambdaAnswer({"name": "Deployed"}, 20, 0.1)

    def invoke_without_waiting(self, function_arn: str, event: Mapping[str, Any]) -> str:
        self.asked.append(f"{function_arn} {event['Name']}")
        return "request-7"


def test_a_deployed_function_is_invoked_as_the_flow_says(contact: ContactMaker, tmp_path: Path) -> None:
    deployed = Deployed()
    contact.calls(write(tmp_path, *ask()), lambdas={"lookup": deployed}).hears("Hello Deployed.")
    asynchronous = ask(InvocationType="ASYNCHRONOUS")
    asynchronous[1] = say("tell", "Started $.LambdaInvocation.InvocationId.", "bye")
    contact.calls(write(tmp_path, *asynchronous), lambdas={FUNCTION: deployed}).hears("Started request-7.")
    assert deployed.asked == [f"{FUNCTION} ContactFlowEvent 1", f"{FUNCTION} ContactFlowEvent"]


def too_large(_event: Any, _context: Any) -> dict[str, str]:
    return {"name": "x" * 32 * 1024}


def test_a_handler_has_the_blocks_time_and_the_answers_size(contact: ContactMaker, tmp_path: Path) -> None:
    flow = write(tmp_path, *ask())
    seconds = 100.0
    left: list[int] = []

    def slow(_event: Any, context: Any) -> dict[str, str]:
        nonlocal seconds
        left.append(context.get_remaining_time_in_millis())
        seconds += 1.05
        left.append(context.get_remaining_time_in_millis())
        return {"name": "too late"}

    functions = CannedFunctions({"lookup": [Calls(slow)]}, now=lambda: seconds)
    late = contact.calls(flow, lambdas={"lookup": functions})
    late.hears("Sorry.")
    assert "no answer within 1 s" in str(late.transcript)
    assert left == [1000, 0]
    large = contact.calls(flow, lambdas={"lookup": too_large})
    large.hears("Sorry.")
    assert "Amazon Connect takes 32,768" in str(large.transcript)


def test_each_attempt_can_go_its_own_way(contact: ContactMaker, tmp_path: Path) -> None:
    flow = write(tmp_path, *ask())
    throttled = [InvocationThrottledError("429"), {"answers": {"name": "Ada"}}]
    contact.calls(flow, lambdas={"lookup": throttled}).hears("Hello Ada.").invokes("lookup", times=2)
    failed = [FunctionFailedError("KeyError"), {"answers": {"name": "Ada"}}]
    contact.calls(flow, lambdas={"lookup": failed}).hears("Sorry.").invokes("lookup", times=1)


@pytest.mark.parametrize(
    ("lookup", "heard"),
    [
        ({"answers": {}}, "Hello ."),
        ({"raises": "KeyError"}, "Hello ."),
        ({"times_out": True}, "Hello ."),
        (lambda _event, _context: 1 / 0, "Hello ."),
        ({"throttled": True}, "Sorry."),
        ({"denied": True}, "Sorry."),
    ],
)
def test_a_flow_that_does_not_wait_learns_of_a_refusal_only(
    contact: ContactMaker, tmp_path: Path, lookup: Any, heard: str
) -> None:
    flow = write(tmp_path, *ask(InvocationType="ASYNCHRONOUS"))
    contact.calls(flow, lambdas={"lookup": lookup}).hears(heard)


def test_contacts_do_not_share_what_has_happened(contact: ContactMaker, tmp_path: Path) -> None:
    flow, answers = (
        write(tmp_path, *ask()),
        {"lookup": [{"answers": {"name": "Ada"}}, {"answers": {"name": "Bea"}}]},
    )
    contact.calls(flow, lambdas=answers).hears("Hello Ada.")
    contact.calls(flow, lambdas=answers).hears("Hello Ada.")


def dial(resume: str = "True") -> list[dict[str, Any]]:
    errors = {"CallFailed": "failed", "ConnectionTimeLimitExceeded": "slow", "NoMatchingError": "wrong"}
    return [
        block(
            "dial",
            "TransferParticipantToThirdParty",
            "back",
            errors=errors,
            ThirdPartyPhoneNumber="+12065550111",
            ThirdPartyConnectionTimeLimitSeconds="20",
            ContinueFlowExecution=resume,
        ),
        *(say(name, f"It is {name}.", "bye") for name in ("back", "failed", "slow", "wrong")),
        hang_up(),
    ]


@pytest.mark.parametrize(
    ("vendor", "heard"),
    [
        ({}, "It is back."),
        ({"answers_after": 20}, "It is back."),
        ({"answers_after": 21}, "It is slow."),
        ("never answers", "It is slow."),
        ({"drops": "RTP timeout"}, "It is failed."),
        ({"refuses": "486 Busy Here"}, "It is failed."),
        ({"cannot_be_dialled": "no route"}, "It is wrong."),
    ],
)
def test_the_third_party_does_what_is_given(
    contact: ContactMaker, tmp_path: Path, vendor: Any, heard: str
) -> None:
    contact.calls(write(tmp_path, *dial()), vendor=vendor).hears(heard)


def test_a_third_party_that_is_not_set_up_stops_the_contact_by_name(
    contact: ContactMaker, tmp_path: Path
) -> None:
    with pytest.raises(
        CannotPlayError, match=r"cannot play dial .*who answers '\+12065550111': set it up in vendor"
    ):
        contact.calls(write(tmp_path, *dial()))


def test_caller_and_third_party_converse_and_without_resume_the_contact_ends(
    contact: ContactMaker, tmp_path: Path
) -> None:
    flow = write(tmp_path, *dial(resume="False"))
    talk = {"conversation": [{"asks": "Your number?"}, {"says": "Thanks."}]}
    contact.calls(flow, [Presses("42")], vendor=talk).hears("Your number?", "Thanks.").ends("transferred")
    contact.calls(flow, ["hangs up"], vendor=talk).does_not_hear("Thanks.").ends("caller hung up")


def test_typed_values_stand_beside_written_ones(contact: ContactMaker, tmp_path: Path) -> None:
    go = [
        block("choose", "UpdateContactTargetQueue", "go", errors={"NoMatchingError": "bye"}, QueueId="q"),
        block("go", "TransferContactToQueue", "bye", errors={"NoMatchingError": "bye"}),
        hang_up(),
    ]
    queue = Queue(arn="q", name="Support")
    contact.calls(write(tmp_path, *go), queues={"q": queue}).ends(queued="Support")
    with pytest.raises(ScenarioError, match=r"contact: queues.q is 'Support': it must be an object"):
        contact.calls(write(tmp_path, *go), queues={"q": "Support"})
