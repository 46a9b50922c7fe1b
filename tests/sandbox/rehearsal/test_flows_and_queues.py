from typing import Any

import pytest
from connect_flows import ACTIONS
from connect_sandbox.rehearsal import CannotPlayError, Conditions, Queue, VirtualClock
from connect_sandbox.rehearsal.blocks import PLAYED, UNPLAYABLE

from tests.support.rehearsal import INSTANCE, block, hang_up, say

SUPPORT = f"{INSTANCE}/queue/66666666-7777-8888-9999-000000000000"


def module(identifier: str, module_id: str, then: str) -> dict[str, Any]:
    return block(
        identifier, "InvokeFlowModule", then, errors={"NoMatchingError": "sorry"}, FlowModuleId=module_id
    )


SORRY = say("sorry", "Sorry.", "bye")


def test_a_module_comes_back_after_the_block_that_invoked_it(world: Any) -> None:
    inner = world.publishes(
        "inner", say("a", "Inner.", "end"), block("end", "EndFlowModuleExecution"), kind="MODULE"
    )
    outer = world.publishes(
        "outer", module("go", inner, "b"), say("b", "Outer.", "end"), SORRY, hang_up(),
        block("end", "EndFlowModuleExecution"), kind="MODULE",
    )  # fmt: skip
    contact = world.plays(module("go", outer, "after"), say("after", "Back.", "bye"), SORRY, hang_up())
    contact.hears("Inner.", "Outer.", "Back.").does_not_hear("Sorry.")


@pytest.mark.parametrize(("depth", "heard"), [(5, "Deepest."), (6, "Sorry.")])
def test_modules_nest_five_deep(world: Any, depth: int, heard: str) -> None:
    end = block("end", "EndFlowModuleExecution")
    below = world.publishes("m0", say("a", "Deepest.", "end"), end, kind="MODULE")
    for level in range(1, depth):
        below = world.publishes(
            f"m{level}", module("go", below, "end"), say("sorry", "Sorry.", "end"), end, kind="MODULE"
        )
    world.plays(module("go", below, "bye"), SORRY, hang_up()).hears(heard)


def test_an_unknown_module_takes_the_error_branch(world: Any) -> None:
    world.plays(module("go", "nowhere", "bye"), SORRY, hang_up()).hears("Sorry.")


def test_transfer_to_flow_goes_on_there_with_the_attributes(world: Any) -> None:
    other = world.publishes("other", say("hello", "Hello $.Attributes.name.", "bye"), hang_up())
    set_name = block(
        "set", "UpdateContactAttributes", "go", errors={"NoMatchingError": "bye"}, Attributes={"name": "Ada"}
    )
    go = block("go", "TransferToFlow", "bye", errors={"NoMatchingError": "bye"}, ContactFlowId=other)
    world.plays(set_name, go, hang_up()).hears("Hello Ada.")


def queue_up(queue_id: str = SUPPORT) -> list[dict[str, Any]]:
    return [
        block(
            "choose",
            "UpdateContactTargetQueue",
            "join",
            errors={"NoMatchingError": "unknown"},
            QueueId=queue_id,
        ),
        block(
            "join",
            "TransferContactToQueue",
            "bye",
            errors={"QueueAtCapacity": "full", "NoMatchingError": "unknown"},
        ),
        say("full", "All lines are busy.", "bye"),
        say("unknown", "No such queue.", "bye"),
        hang_up(),
    ]


def test_the_caller_joins_the_chosen_queue(world: Any) -> None:
    contact = world.plays(*queue_up(), conditions=Conditions(queues=[Queue(arn=SUPPORT, name="Support")]))
    contact.ends(queued="Support").ends(queued=SUPPORT).ends(queued="66666666-7777-8888-9999-000000000000")
    with pytest.raises(AssertionError, match="should have ended in the queue Sales"):
        contact.ends(queued="Sales")


def test_a_full_or_unknown_queue_takes_its_branch(world: Any) -> None:
    full = Queue(arn=SUPPORT, name="Support", at_capacity=True)
    world.plays(*queue_up(), conditions=Conditions(queues=[full])).hears("All lines are busy.")
    world.plays(*queue_up()).hears("No such queue.")
    join_only = [item for item in queue_up() if item["Identifier"] != "choose"]
    world.plays(*join_only).hears("No such queue.")


@pytest.mark.parametrize(("length", "kept"), [(32_768 - 4, True), (32_768 - 3, False)])
def test_attributes_have_32768_bytes_together(world: Any, length: int, kept: bool) -> None:
    data = "ü" * (length // 2) + "x" * (length % 2)
    set_data = block(
        "set",
        "UpdateContactAttributes",
        "bye",
        errors={"NoMatchingError": "sorry"},
        Attributes={"data": data},
    )
    contact = world.plays(set_data, SORRY, hang_up())
    assert ("data" in contact.attributes) is kept
    assert ("sorry" in contact.visited) is not kept


def test_flow_attributes_end_with_their_flow(world: Any) -> None:
    other = world.publishes("other", say("hello", "[$.FlowAttributes.x]", "bye"), hang_up())
    set_x = block("set", "UpdateFlowAttributes", "say", FlowAttributes={"x": {"Value": "1"}})
    go = block("go", "TransferToFlow", "bye", errors={"NoMatchingError": "bye"}, ContactFlowId=other)
    world.plays(set_x, say("say", "[$.FlowAttributes.x]", "go"), go, hang_up()).hears("[1]", "[]")


def test_a_long_wait_takes_no_time(world: Any) -> None:
    clock = VirtualClock()
    wait = block(
        "wait", "Wait", "bye", errors={"NoMatchingError": "bye"}, when=[("Equals", "WaitCompleted", "bye")],
        TimeLimitSeconds="900",
    )  # fmt: skip
    world.plays(wait, hang_up(), clock=clock)
    assert clock.elapsed >= 900


def test_a_block_without_a_branch_for_its_failure_ends_the_contact(world: Any) -> None:
    stop = block("go", "TransferToFlow", "bye", ContactFlowId="nowhere")
    contact = world.plays(stop, hang_up())
    contact.ends("failed")
    assert "go has no branch to go on: there is no flow 'nowhere'" in contact.ending.reason


def test_every_block_type_is_played_or_refused_with_a_reason() -> None:
    assert set(PLAYED) | set(UNPLAYABLE) == set(ACTIONS)
    assert not set(PLAYED) & set(UNPLAYABLE)


def channel(kind: str) -> str:
    """Return a channel that the type works for."""
    channels = ACTIONS[kind].channels
    return "VOICE" if channels is None or "VOICE" in channels else "CHAT"


@pytest.mark.parametrize("kind", sorted(UNPLAYABLE))
def test_what_cannot_be_played_stops_the_contact_by_name(world: Any, kind: str) -> None:
    with pytest.raises(CannotPlayError, match=rf"^the sandbox cannot play odd \({kind}\): \w") as stopped:
        world.plays(
            say("hello", "Hello.", "odd"), block("odd", kind, "bye"), hang_up(), channel=channel(kind)
        )
    assert "“Hello.”" in stopped.value.__notes__[0]


def test_unknown_types_and_parameters_stop_the_contact_by_name(world: Any) -> None:
    with pytest.raises(CannotPlayError, match=r"cannot play odd \(PlayPrompt\): .* has no such block type"):
        world.plays(block("odd", "PlayPrompt", "bye"), hang_up())
    with pytest.raises(CannotPlayError, match=r"cannot play odd \(MessageParticipant\): .* parameter Volume"):
        world.plays(block("odd", "MessageParticipant", "bye", Text="x", Volume="11"), hang_up())
