"""Why a contact stopped, for programs: the block, the kind of stop, and the place in the setup that would help."""

import json
from pathlib import Path
from typing import Any

import pytest
from connect_sandbox.rehearsal import BoundExceededError, Bounds, CannotPlayError

from tests.support.rehearsal import FUNCTION, block, hang_up, say

ERROR = {"NoMatchingError": "bye"}


@pytest.mark.parametrize(
    ("stopped", "missing", "example"),
    [
        (
            block("b", "CheckHoursOfOperation", "bye", errors=ERROR, HoursOfOperationId="x/operating-hours/main"),
            ("hours", "main"),
            "open",
        ),
        (block("b", "CheckOutboundCallStatus", "bye", errors=ERROR), ("outbound_call",), "CallAnswered"),
        (block("b", "DistributeByPercentage", "bye", errors=ERROR), ("percentages",), [1]),
        (
            block("b", "UpdateContactMediaStreamingBehavior", "bye", errors=ERROR, MediaStreamingState="Enabled"),
            ("media_stream",),
            "arn:aws:kinesisvideo:us-east-1:123456789012:stream/example/1",
        ),
    ],
)  # fmt: skip
def test_a_stop_says_which_fact_is_missing(
    world: Any, stopped: dict[str, Any], missing: tuple[str, ...], example: object
) -> None:
    with pytest.raises(CannotPlayError) as caught:
        world.plays(stopped, hang_up())
    stop = caught.value
    assert (stop.block, stop.block_type, stop.flow) == ("b", stopped["Type"], "main")
    assert (stop.kind, stop.missing, stop.example) == ("setup", missing, example)


def test_a_flow_that_connect_would_not_publish_misses_nothing(world: Any) -> None:
    with pytest.raises(CannotPlayError) as caught:
        world.plays(block("b", "Loop", "bye", LoopCount="many"), hang_up())
    assert (caught.value.kind, caught.value.missing) == ("flow", ())


def test_a_block_without_a_fake_names_what_the_scenario_can_say(world: Any) -> None:
    with pytest.raises(CannotPlayError) as caught:
        world.plays(block("b", "StartVoiceIdStream", "bye", errors=ERROR), hang_up())
    assert (caught.value.kind, caught.value.missing) == ("sandbox", ("blocks", "b"))


@pytest.mark.parametrize(
    ("kind", "parameter", "named", "missing"),
    [
        ("TransferToFlow", "ContactFlowId", "next", ("flows", "next")),
        ("InvokeFlowModule", "FlowModuleId", "next", ("modules", "next")),
        ("InvokeLambdaFunction", "LambdaFunctionARN", FUNCTION, ("lambdas", "lookup")),
    ],
)
def test_what_a_scenario_file_has_to_add_is_named(
    contact: Any, tmp_path: Path, kind: str, parameter: str, named: str, missing: tuple[str, ...]
) -> None:
    parameters: dict[str, Any] = {parameter: named}
    first = block("b", kind, "bye", errors=ERROR, **parameters)
    flow = {"Version": "2019-10-30", "StartAction": "b", "Actions": [first, hang_up()]}
    (tmp_path / "flow.json").write_text(json.dumps(flow), encoding="utf-8")
    with pytest.raises(CannotPlayError) as caught:
        contact.calls(tmp_path / "flow.json")
    assert (caught.value.kind, caught.value.missing) == ("setup", missing)


def test_a_bound_that_was_reached_is_named(world: Any) -> None:
    with pytest.raises(BoundExceededError) as caught:
        world.plays(say("again", "Hello.", "again"), bounds=Bounds(blocks=5))
    assert caught.value.missing == ("bounds", "blocks")
