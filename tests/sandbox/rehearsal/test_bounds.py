"""A rehearsal always ends: by the flow, or by an error that names the block, the bound and what to do about it."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from connect_sandbox.rehearsal import (
    Agent,
    BoundExceededError,
    Bounds,
    CannotPlayError,
    Conditions,
    HungUpByVendor,
    Invite,
    Line,
    Queue,
    VirtualClock,
)
from connect_sandbox.rehearsal.conditions import Caller, Chooses, Presses

from tests.support.rehearsal import FUNCTION, INSTANCE, block, hang_up, say

pytestmark = pytest.mark.timeout(10)  # the point of these tests is that nothing here goes on for ever

HUGE = "999999999999"
OVERFLOWS = "1" + "0" * 400  # no float holds it
SUPPORT = Queue(arn=f"{INSTANCE}/queue/q", name="Support")
OVERFLOW = Queue(arn=f"{INSTANCE}/queue/o", name="Overflow")
END = block("end", "EndFlowExecution")


def messages(seconds: str | None, then: str = "bye") -> dict[str, Any]:
    how_often = {} if seconds is None else {"InterruptFrequencySeconds": seconds}
    return block(
        "music",
        "MessageParticipantIteratively",
        then,
        errors={"NoMatchingError": "bye"},
        when=[("Equals", "MessagesInterrupted", then)] if seconds is not None else [],
        Messages=[{"Text": "la la la"}],
        **how_often,
    )


def queued(world: Any, *blocks: dict[str, Any]) -> list[dict[str, Any]]:
    """Return a flow that sends the caller to a queue, where `blocks` play."""
    hook = world.publishes("waiting", *blocks, kind="CUSTOMER_QUEUE")
    return [
        block("hook", "UpdateContactEventHooks", "choose", errors={"NoMatchingError": "bye"},
              EventHooks={"CustomerQueue": hook}),
        block("choose", "UpdateContactTargetQueue", "go", errors={"NoMatchingError": "bye"}, QueueId=SUPPORT.arn),
        block("go", "TransferContactToQueue", "bye", errors={"NoMatchingError": "bye", "QueueAtCapacity": "bye"}),
        hang_up(),
    ]  # fmt: skip


def at_the_queue(**more: Any) -> Conditions:
    return Conditions(queues=[SUPPORT, OVERFLOW], **more)


# --- virtual time


@pytest.mark.parametrize("seconds", [HUGE, OVERFLOWS])
@pytest.mark.parametrize("channel", ["VOICE", "CHAT"])
def test_messages_in_turn_do_not_play_for_ever(world: Any, seconds: str, channel: str) -> None:
    with pytest.raises(BoundExceededError) as stopped:
        world.plays(messages(seconds), hang_up(), channel=channel)
    assert stopped.value.block == "music"
    assert stopped.value.bound in {"seconds", "entries"}
    assert "music (MessageParticipantIteratively)" in str(stopped.value)
    assert f"bounds.{stopped.value.bound}" in str(stopped.value)


ASK = block("ask", "GetParticipantInput", "bye", errors={"InputTimeLimitExceeded": "bye", "NoMatchingError": "bye"},
            Text="Well?", StoreInput="False", InputTimeLimitSeconds=HUGE)  # fmt: skip
KEEP = block("ask", "GetParticipantInput", "bye", errors={"NoMatchingError": "bye"},
             Text="Well?", StoreInput="True", InputTimeLimitSeconds=HUGE)  # fmt: skip
VIEW = block("ask", "ShowView", "bye", errors={"TimeLimitExceeded": "bye", "NoMatchingError": "bye"},
             ViewResource={"Id": "form"}, InvocationTimeLimitSeconds=HUGE)  # fmt: skip
LEX = block("ask", "ConnectParticipantWithLexBot", "bye",
            errors={"InputTimeLimitExceeded": "bye", "NoMatchingError": "bye", "NoMatchingCondition": "bye"},
            Text="Well?", LexV2Bot={"AliasArn": "a"}, LexTimeoutSeconds={"Text": HUGE})  # fmt: skip

ASKING = pytest.mark.parametrize(
    ("channel", "ask"),
    [("VOICE", ASK), ("VOICE", KEEP), ("CHAT", VIEW), ("CHAT", LEX)],
    ids=["menu", "store", "view", "lex"],
)


@ASKING
def test_a_time_limit_past_the_bound_names_the_block(world: Any, channel: str, ask: dict[str, Any]) -> None:
    with pytest.raises(BoundExceededError, match=r"^ask \(\w+\) .* 691,200 s .*bounds\.seconds"):
        world.plays(ask, hang_up(), channel=channel)


@pytest.mark.parametrize("seconds", ["-1", "-999999999999"])
@ASKING
def test_a_negative_time_limit_stops_the_contact_by_name(
    world: Any, channel: str, ask: dict[str, Any], seconds: str
) -> None:
    changed = {
        name: {"Text": seconds} if name == "LexTimeoutSeconds" else seconds if value == HUGE else value
        for name, value in ask["Parameters"].items()
    }
    with pytest.raises(
        CannotPlayError, match=rf"cannot play ask \(\w+\): .*TimeLimit.* is {seconds}|LexTimeout"
    ):
        world.plays({**ask, "Parameters": changed}, hang_up(), channel=channel)


@pytest.mark.parametrize("seconds", ["-1", "0", "nan", "1e12", "inf", "", " "])
def test_an_interrupt_frequency_is_at_least_a_second(world: Any, seconds: str) -> None:
    with pytest.raises(CannotPlayError, match=r"cannot play music .*InterruptFrequencySeconds is"):
        world.plays(messages(seconds), hang_up())


def test_many_allowed_waits_end_at_the_bound_which_can_be_raised(world: Any) -> None:
    week = str(7 * 24 * 3600)
    wait = block("wait", "Wait", "more", errors={"NoMatchingError": "bye"},
                 when=[("Equals", "WaitCompleted", "more")], TimeLimitSeconds=week)  # fmt: skip
    more = {**wait, "Identifier": "more", "Transitions": {**wait["Transitions"], "NextAction": "bye", "Conditions": [
        {"NextAction": "bye", "Condition": {"Operator": "Equals", "Operands": ["WaitCompleted"]}}]}}  # fmt: skip
    with pytest.raises(BoundExceededError, match=r"^more \(Wait\) would take the contact past 691,200 s"):
        world.plays(wait, more, hang_up())
    world.plays(wait, more, hang_up(), bounds=Bounds(seconds=15 * 86_400)).ends("disconnected")


def test_a_third_party_cannot_talk_for_ever(world: Any) -> None:
    def talks(_invite: Invite, line: Line) -> HungUpByVendor:
        while line.caller_stays():
            line.vendor_says("And another thing.")
        return HungUpByVendor()

    world.third_party = talks
    dial = block("dial", "TransferParticipantToThirdParty", "bye", errors={"NoMatchingError": "bye"},
                 ThirdPartyPhoneNumber="+18005550100", ThirdPartyConnectionTimeLimitSeconds="30",
                 ContinueFlowExecution="True")  # fmt: skip
    with pytest.raises(BoundExceededError, match=r"^dial \(TransferParticipantToThirdParty\)"):
        world.plays(dial, hang_up())


@pytest.mark.parametrize("seconds", [math.nan, math.inf, -1.0])
def test_a_clock_takes_only_time_that_can_pass(seconds: float) -> None:
    with pytest.raises(ValueError, match=r"seconds must be finite and not negative"):
        VirtualClock().passes(seconds)


@pytest.mark.parametrize("field", ["answers_after", "talks_for", "holds_for"])
def test_what_happens_after_the_queue_is_bounded_too(world: Any, field: str) -> None:
    long: dict[str, Any] = {field: 1e9}
    agent = replace(Agent(answers_after=0.0), **long)
    with pytest.raises(BoundExceededError, match=r"691,200 s"):
        world.plays(*queued(world, END), conditions=at_the_queue(agent=agent))


# --- blocks


def test_a_circle_of_blocks_names_it_and_the_way_out(world: Any) -> None:
    with pytest.raises(BoundExceededError) as stopped:
        world.plays(say("a", "A.", "b"), say("b", "B.", "a"), hang_up())
    assert stopped.value.bound == "blocks"
    assert stopped.value.block in {"a", "b"}
    told = str(stopped.value)
    assert "10,000 blocks" in told
    assert "a → b" in told or "b → a" in told
    assert "lead out" in told
    assert "bounds.blocks" in told


def test_the_number_of_blocks_can_be_lowered_and_raised(world: Any) -> None:
    loop = [
        block("loop", "Loop", "bye", when=[("Equals", "ContinueLooping", "a"), ("Equals", "DoneLooping", "bye")],
              LoopCount="100"),
        say("a", "Again.", "loop"),
        hang_up(),
    ]  # fmt: skip
    world.plays(*loop).ends("disconnected")
    with pytest.raises(BoundExceededError, match=r"100 blocks"):
        world.plays(*loop, bounds=Bounds(blocks=100))
    world.plays(*loop, bounds=Bounds(blocks=202)).ends("disconnected")


CHECK = block("check", "CheckMetricData", "check", errors={"NoMatchingError": "check", "NoMatchingCondition": "check"},
              when=[("NumberGreaterThan", "5", "end")], MetricType="NumberOfContactsInQueue")  # fmt: skip


def test_a_queue_loop_in_which_no_time_passes_says_so(world: Any) -> None:
    flow = queued(world, CHECK, END)
    with pytest.raises(BoundExceededError) as stopped:
        world.plays(*flow, conditions=at_the_queue(agent=Agent(answers_after=90)))
    told = str(stopped.value)
    assert "check (CheckMetricData)" in told
    assert "no time passes" in told
    assert "Wait" in told
    assert "the agent, who answers after 90 s, never does" in told
    documented = (Path(__file__).parents[3] / "docs/flows.md").read_text(encoding="utf-8")
    assert " ".join(told.split()) in " ".join(documented.split())


def test_an_endless_queue_loop_ends_with_the_wait_in_the_queue(world: Any) -> None:
    flow = queued(world, say("hi", "Hi.", "again"), say("again", "Hold on.", "hi"), END)
    contact = world.plays(*flow, conditions=at_the_queue())
    contact.hears("Hi.", "Hold on.").ends(queued="Support")
    told = str(contact.transcript)
    assert "goes round hi → again → hi until something else happens" in told
    assert "waits in the queue until an agent answers; none has within 3,600 s" in told
    assert len(contact.transcript) < 20
    assert contact.transcript[-1].at == pytest.approx(3600, abs=10)

    met = world.plays(*flow, conditions=at_the_queue(agent=Agent(answers_after=90)))
    [taken] = [entry.at for entry in met.meets_agent().transcript if entry.text == "takes the contact"]
    assert taken == pytest.approx(90 + met.transcript[0].at)


def test_a_queue_loop_that_counts_is_played_round_by_round(world: Any) -> None:
    loop = block("loop", "Loop", "end", when=[("Equals", "ContinueLooping", "hi"), ("Equals", "DoneLooping", "bye")],
                 LoopCount="30")  # fmt: skip
    flow = queued(world, loop, say("hi", "Hi.", "loop"), hang_up(), END)
    contact = world.plays(*flow, conditions=at_the_queue(agent=Agent(answers_after=1000)))
    assert contact.ends("disconnected").visited.count("hi") == 30


def test_a_queue_loop_whose_function_answers_otherwise_is_played_round_by_round(world: Any) -> None:
    world.answers = [{"next": "no"}, {"next": "no"}, {"next": "yes"}]
    ask = block("ask", "InvokeLambdaFunction", "look", errors={"NoMatchingError": "end"},
                LambdaFunctionARN=FUNCTION, InvocationTimeLimitSeconds="3")  # fmt: skip
    look = block("look", "Compare", "hi", errors={"NoMatchingCondition": "hi"}, when=[("Equals", "yes", "bye")],
                 ComparisonValue="$.External.next")  # fmt: skip
    flow = queued(world, ask, look, say("hi", "Hi.", "ask"), hang_up(), END)
    contact = world.plays(*flow, conditions=at_the_queue())
    assert contact.ends("disconnected").visited.count("hi") == 2


def test_moving_between_queues_for_ever_is_bounded(world: Any) -> None:
    move = block("move", "DequeueContactAndTransferToQueue", "end", errors={"NoMatchingError": "end"},
                 QueueId=OVERFLOW.arn)  # fmt: skip
    with pytest.raises(
        BoundExceededError, match=r"^move \(DequeueContactAndTransferToQueue\) .*10,000 blocks"
    ):
        world.plays(*queued(world, move, END), conditions=at_the_queue())


def test_a_hold_flow_in_which_no_time_passes_is_bounded(world: Any) -> None:
    circle = block("a", "UpdateFlowAttributes", "a", FlowAttributes={"x": {"Value": "1"}})
    hold = world.publishes("hold", circle, kind="CUSTOMER_HOLD")
    flow = queued(world, END)
    flow[0]["Parameters"]["EventHooks"]["CustomerHold"] = hold
    with pytest.raises(BoundExceededError, match=r"^a \(UpdateFlowAttributes\)"):
        world.plays(*flow, conditions=at_the_queue(agent=Agent(answers_after=1, holds_for=30)))


# --- transcript


def test_the_transcript_has_a_last_entry(world: Any) -> None:
    with pytest.raises(BoundExceededError, match=r"^music .*50,000 entries") as stopped:
        world.plays(messages("600000"), hang_up(), channel="CHAT")
    assert stopped.value.bound == "entries"
    # The transcript that goes with the error can be read: its beginning and its end.
    assert len("".join(stopped.value.__notes__).splitlines()) < 200
    assert "entries left out" in stopped.value.__notes__[0]


def test_the_number_of_entries_can_be_raised(world: Any) -> None:
    flow = [messages("600"), hang_up()]
    with pytest.raises(BoundExceededError, match=r"100 entries"):
        world.plays(*flow, bounds=Bounds(entries=100))
    world.plays(*flow, bounds=Bounds(entries=1000)).ends("disconnected")


def test_text_that_doubles_is_bounded(world: Any) -> None:
    double = block("double", "UpdateFlowAttributes", "double",
                   FlowAttributes={"x": {"Value": "$.FlowAttributes.x$.FlowAttributes.x"}})  # fmt: skip
    first = block("first", "UpdateFlowAttributes", "double", FlowAttributes={"x": {"Value": "12345678"}})
    with pytest.raises(
        BoundExceededError, match=r"^double \(UpdateFlowAttributes\) .* characters"
    ) as stopped:
        world.plays(first, double)
    assert stopped.value.bound == "characters"


def test_many_references_in_one_text_are_bounded(world: Any) -> None:
    hello = say("hello", "$.Attributes.x" * 20_000, "bye")
    with pytest.raises(BoundExceededError, match=r"^hello \(MessageParticipant\) .* characters"):
        world.plays(hello, hang_up(), attributes={"x": "y" * 30_000})


# --- what can be pressed, chosen and counted


@pytest.mark.parametrize("length", ["-1", "0", HUGE, OVERFLOWS])
def test_a_maximum_length_of_input_ends(world: Any, length: str) -> None:
    keep = block("ask", "GetParticipantInput", "bye", errors={"NoMatchingError": "bye"}, Text="Well?",
                 StoreInput="True", InputTimeLimitSeconds="5",
                 InputValidation={"CustomValidation": {"MaximumLength": length}})  # fmt: skip
    caller = Caller(moves=[Presses("1" * 100_000)])
    if length.startswith(("-", "0")):
        with pytest.raises(CannotPlayError, match=r"MaximumLength is (-1|0); "):
            world.plays(keep, hang_up(), caller=caller)
    else:
        assert world.plays(keep, hang_up(), caller=caller).state.stored_input == "1" * 100_000


def test_bounds_must_be_positive_numbers() -> None:
    for wrong in (0, -1, math.nan, math.inf):
        with pytest.raises(ValueError, match=r"seconds"):
            Bounds(seconds=wrong)
    with pytest.raises(ValueError, match=r"blocks must be"):
        Bounds(blocks=0)


def test_a_choice_does_not_need_a_time_limit_in_bounds(world: Any) -> None:
    world.plays(VIEW, hang_up(), channel="CHAT", caller=Caller(moves=[Chooses("Next")])).reaches("bye")
