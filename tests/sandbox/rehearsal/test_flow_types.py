"""Flows of every type on their own: in a queue, on hold, whispered, outbound; and where a contact is with an agent."""

from typing import Any

import pytest
from connect_sandbox.rehearsal import (
    Agent,
    BoundExceededError,
    CannotPlayError,
    Conditions,
    HangsUp,
    Presses,
    Queue,
)
from connect_sandbox.rehearsal.conditions import Caller

from tests.support.rehearsal import INSTANCE, block, hang_up, say

SUPPORT = Queue(arn=f"{INSTANCE}/queue/s", name="Support", contacts_in_queue=7)
SALES = Queue(arn=f"{INSTANCE}/queue/t", name="Sales")
END = block("end", "EndFlowExecution")
MUSIC = block("music", "MessageParticipantIteratively", Messages=[{"Text": "la la"}, {"Text": "please hold"}])


def starts(world: Any, kind: str, *blocks: dict[str, Any], **contact: Any) -> Any:
    """Play a flow of a type on its own."""
    more = contact.pop("conditions", Conditions(queues=[SUPPORT, SALES], queue_of_contact="Support"))
    return world.contact(conditions=more, **contact).calls(world.publishes("alone", *blocks, kind=kind))


def in_support(**more: Any) -> Conditions:
    return Conditions(queues=[SUPPORT, SALES], queue_of_contact="Support", **more)


def at(contact: Any, text: str) -> float:
    [found] = [entry.at for entry in contact.transcript if entry.text == text]
    return float(found)


# --- queue flows


def test_a_queue_flow_plays_until_the_agent_answers_and_goes_on_with_them(world: Any) -> None:
    contact = starts(world, "CUSTOMER_QUEUE", MUSIC, conditions=in_support(agent=Agent(answers_after=90)))
    contact.hears("la la", "please hold").meets_agent().ends("disconnected")
    assert at(contact, "takes the contact") == 90
    assert len(contact.transcript) < 20  # it is not sung for all of 90 s


def test_a_queue_flow_without_an_agent_ends_in_the_queue(world: Any) -> None:
    contact = starts(world, "CUSTOMER_QUEUE", MUSIC).ends(queued="Support")
    assert at(contact, "waits in the queue until an agent answers; none has within 3,600 s") == 3600


def test_a_queue_flow_that_ends_leaves_the_contact_in_the_queue(world: Any) -> None:
    hello = [say("hello", "You are in $.Queue.Name.", "end"), END]
    starts(world, "CUSTOMER_QUEUE", *hello).hears("You are in Support.").ends(queued="Support")
    met = starts(world, "CUSTOMER_QUEUE", *hello, conditions=in_support(agent=Agent(answers_after=20)))
    assert at(met.meets_agent(), "takes the contact") == pytest.approx(20)


def test_a_queue_flow_can_hang_up_or_lose_the_caller(world: Any) -> None:
    starts(world, "CUSTOMER_QUEUE", say("sorry", "Sorry.", "bye"), hang_up()).ends("disconnected")
    impatient = Caller(moves=[HangsUp("please hold")])
    starts(world, "CUSTOMER_QUEUE", MUSIC, caller=impatient).ends("caller hung up")


def test_a_queue_flow_knows_its_queue_and_can_leave_it(world: Any) -> None:
    errors = {"NoMatchingError": "end", "NoMatchingCondition": "end"}
    check = block("check", "CheckMetricData", "end", errors=errors, when=[("NumberGreaterThan", "5", "move")],
                  MetricType="NumberOfContactsInQueue")  # fmt: skip
    move = block("move", "DequeueContactAndTransferToQueue", "end", errors={"NoMatchingError": "end"},
                 QueueId=SALES.arn)  # fmt: skip
    world.publishes("alone", check, move, END, kind="CUSTOMER_QUEUE")
    contact = starts(world, "CUSTOMER_QUEUE", check, {**move, "Identifier": "move"}, END,
                     conditions=in_support(agent=None))  # fmt: skip
    contact.reaches("check", "move").ends(queued="Sales")


def test_a_queue_flow_hooks_what_follows(world: Any) -> None:
    whisper = world.publishes(
        "whisper", say("w", "Hello from the queue.", "end"), END, kind="CUSTOMER_WHISPER"
    )
    hook = block("hook", "UpdateContactEventHooks", "music", errors={"NoMatchingError": "music"},
                 EventHooks={"CustomerWhisper": whisper})  # fmt: skip
    contact = starts(world, "CUSTOMER_QUEUE", hook, MUSIC, conditions=in_support(agent=Agent()))
    contact.hears("please hold", "Hello from the queue.").meets_agent()


def test_a_queue_flow_in_which_no_time_passes_is_named(world: Any) -> None:
    circle = block("a", "UpdateFlowAttributes", "a", FlowAttributes={"x": {"Value": "1"}})
    with pytest.raises(BoundExceededError, match=r"^a \(UpdateFlowAttributes\) .*no time passes"):
        starts(world, "CUSTOMER_QUEUE", circle)


# --- hold flows and whispers


@pytest.mark.parametrize(("kind", "heard"), [("CUSTOMER_HOLD", True), ("AGENT_HOLD", False)])
@pytest.mark.parametrize(("agent", "seconds"), [(None, 60), (Agent(holds_for=25), 25)])
def test_a_hold_flow_plays_until_the_agent_is_back(
    world: Any, kind: str, heard: bool, agent: Agent | None, seconds: int
) -> None:
    contact = starts(world, kind, MUSIC, conditions=in_support(agent=agent)).ends("flow ended")
    (contact.hears if heard else contact.agent_hears)("la la", "please hold")
    assert at(contact, "is back") == seconds
    assert contact.ending.reason == "the agent is back"


def test_a_hold_flow_that_ends_ends_earlier(world: Any) -> None:
    contact = starts(world, "CUSTOMER_HOLD", say("s", "One moment.", "end"), END).ends("flow ended")
    assert contact.transcript[-1].at < 5


@pytest.mark.parametrize("kind", ["CUSTOMER_WHISPER", "AGENT_WHISPER", "OUTBOUND_WHISPER"])
def test_a_whisper_knows_agent_and_queue(world: Any, kind: str) -> None:
    whisper = [say("w", "$.Agent.UserName of $.Queue.Name.", "end"), END]
    contact = starts(world, kind, *whisper, conditions=in_support(agent=Agent(user_name="ada"))).ends(
        "flow ended"
    )
    heard = contact.agent_hears if kind == "AGENT_WHISPER" else contact.hears
    heard("ada of Support.")


@pytest.mark.parametrize("kind", ["AGENT_TRANSFER", "QUEUE_TRANSFER"])
def test_a_transfer_flow_is_the_agents(world: Any, kind: str) -> None:
    ask = block("ask", "GetParticipantInput", "end", errors={"NoMatchingError": "end", "NoMatchingCondition": "end",
                "InputTimeLimitExceeded": "end"}, when=[("Equals", "1", "go")], Text="Press 1 to transfer.",
                StoreInput="False", InputTimeLimitSeconds="5")  # fmt: skip
    go = block(
        "go", "TransferContactToQueue", "end", errors={"NoMatchingError": "end", "QueueAtCapacity": "end"}
    )
    contact = starts(world, kind, ask, go, END, caller=Caller(moves=[Presses("1")]))
    contact.agent_hears("Press 1 to transfer.").does_not_hear("Press 1 to transfer.").ends(queued="Support")
    assert [entry.who for entry in contact.transcript if entry.text == "presses 1"] == ["agent"]
    assert contact.state.initiation_method == "TRANSFER"


def test_the_agents_whisper_ends_before_the_customers_begins(world: Any) -> None:
    agents = world.publishes(
        "agents", say("w", "A gold member from the north.", "end"), END, kind="AGENT_WHISPER"
    )
    theirs = world.publishes("theirs", say("w", "Recorded.", "end"), END, kind="CUSTOMER_WHISPER")
    hooks = [
        block(
            name, "UpdateContactEventHooks", then, errors={"NoMatchingError": "end"}, EventHooks={name: arn}
        )
        for name, arn, then in (
            ("AgentWhisper", agents, "CustomerWhisper"),
            ("CustomerWhisper", theirs, "end"),
        )
    ]
    contact = starts(
        world, "CUSTOMER_QUEUE", *hooks, END, conditions=in_support(agent=Agent(answers_after=5))
    )
    [told] = [entry.at for entry in contact.transcript if entry.kind == "tells agent"]
    [heard] = [entry.at for entry in contact.transcript if entry.text == "Recorded."]
    assert heard - told == pytest.approx(len("A gold member from the north.") / 14)


def test_an_outbound_whisper_dials_the_customer(world: Any) -> None:
    dial = block("dial", "CompleteOutboundCall", "w", CallerId={"Number": "$.Attributes.from"},
                 ConnectionTimeLimitSeconds="30")  # fmt: skip
    contact = starts(world, "OUTBOUND_WHISPER", dial, say("w", "We call as $.InitiationMethod.", "end"), END,
                     attributes={"from": "+18005550111"})  # fmt: skip
    contact.hears("We call as OUTBOUND.").ends("flow ended")
    assert "dials +12065550142, from +18005550111, for at most 30 s" in str(contact.transcript)


def test_an_outbound_call_begins_with_the_call_to_the_customer(world: Any) -> None:
    contact = world.contact(initiation_method="OUTBOUND").calls(
        world.publishes("main", say("a", "Hi.", "bye"), hang_up())
    )
    assert contact.transcript[0].text == "is called at +12065550142 from +18005550199"


def test_event_hooks_can_be_disabled(world: Any) -> None:
    whisper = world.publishes("whisper", say("w", "Secret.", "end"), END, kind="CUSTOMER_WHISPER")

    def hook(name: str, then: str, disabled: str) -> dict[str, Any]:
        return block(name, "UpdateContactEventHooks", then, errors={"NoMatchingError": "bye"},
                     EventHooks={"CustomerWhisper": whisper},
                     EventHooksConfiguration={"CustomerWhisper": {"DisableExecution": disabled}})  # fmt: skip

    rest = [block("go", "TransferContactToQueue", "bye", errors={"NoMatchingError": "bye"}), hang_up()]
    conditions = in_support(agent=Agent())
    world.plays(hook("on", "go", "false"), *rest, conditions=conditions).hears("Secret.")
    world.plays(
        hook("on", "off", "false"), hook("off", "go", "true"), *rest, conditions=conditions
    ).does_not_hear("Secret.")


def test_a_flow_reads_what_a_function_answered_before_it(contact: Any, write_flow: Any) -> None:
    flow = write_flow([say("a", "Rule $.External.rule.name, $.External.none.", "bye"), hang_up()], {})
    contact.calls(flow, sets={"External": {"rule": {"name": "VIP"}}}).hears("Rule VIP, .")


# --- the type of a flow in a file


@pytest.mark.parametrize(
    ("metadata", "blocks", "setup", "expected"),
    [
        ({"type": "customerQueue"}, [MUSIC], {}, "waits in a queue"),
        ({}, [MUSIC], {}, "waits in a queue"),  # its block plays in queue and hold flows only
        ({}, [MUSIC], {"flow_type": "CUSTOMER_HOLD"}, "puts the caller on hold for 60 s"),
        ({"type": "agentWhisper"}, [END], {}, "takes the contact"),
        ({}, [END], {}, "takes the contact"),
        ({}, [block("b", "CompleteOutboundCall", "end"), END], {}, "calls +12065550142 from +18005550199"),
        ({}, [hang_up()], {}, "+12065550142 calls +18005550199"),
    ],
)
def test_the_type_is_what_file_or_setup_say(
    contact: Any,
    write_flow: Any,
    metadata: dict[str, str],
    blocks: list[Any],
    setup: dict[str, Any],
    expected: str,
) -> None:
    played = contact.calls(write_flow(blocks, metadata), **setup)
    assert played.transcript[0].text == expected


def test_messages_that_nothing_interrupts_ask_for_the_type(contact: Any, write_flow: Any) -> None:
    with pytest.raises(CannotPlayError, match=r"give setup\.flow_type") as caught:
        contact.calls(write_flow([MUSIC], {"type": "contactFlow"}))
    assert (caught.value.missing, caught.value.example) == (("flow_type",), "CUSTOMER_QUEUE")
    contact.calls(write_flow([MUSIC], {"type": "contactFlow"}), flow_type=caught.value.example).ends("queued")


def test_a_queue_that_is_not_set_up_is_refused(contact: Any, write_flow: Any) -> None:
    with pytest.raises(
        ValueError, match=r"queue is 'support': it is none of setup\.queues\. Fix: .*set up: none"
    ):
        contact.calls(write_flow([MUSIC], {}), queue="support")
