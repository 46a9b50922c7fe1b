"""Each type of block is either played or refused by name: a table over all types of the flow language."""

import contextlib
import re
from pathlib import Path
from typing import Any

import pytest
from connect_flows import ACTIONS
from connect_flows.examples import BLOCK, example_flow, example_place
from connect_sandbox.rehearsal import (
    BoundExceededError,
    CannotPlayError,
    Conditions,
    HungUpByVendor,
    Presses,
    PublishedFlow,
    Queue,
)
from connect_sandbox.rehearsal.blocks import PLAYED, UNPLAYABLE
from connect_sandbox.rehearsal.conditions import (
    Agent,
    Caller,
    ChatBot,
    Chooses,
    Move,
    Outcome,
    Says,
    Understanding,
)
from connect_sandbox.rehearsal.coverage import Coverage
from connect_sandbox.rehearsal.flow_files import FLOW_TYPES
from hypothesis import given
from hypothesis import strategies as st

from tests.support.rehearsal import INSTANCE, block, hang_up, say

CHANNEL = {
    kind: "VOICE" if spec.channels is None or "VOICE" in spec.channels else "CHAT"
    for kind, spec in ACTIONS.items()
}
CHANNEL["Wait"] = "CHAT"  # its example waits for events of a chat
# What a scenario has to set up so that the example of a type can be played. The rest needs nothing.
SETUPS: dict[str, dict[str, Any]] = {
    "Wait": {"bot": ChatBot(joins=0), "customer_returns_after": 60},
    "CheckHoursOfOperation": {"hours": {"${OpeningHours}": True}},
    "CheckOutboundCallStatus": {"outbound_call_status": "CallAnswered"},
    "ConnectParticipantWithLexBot": {"lex": {"hi": Understanding(intent="Book")}},
    "AuthenticateParticipant": {"authentication": "signs in"},
    "DistributeByPercentage": {"dice": (1,)},
    "GetCase": {"cases": ({"customer_id": "p", "status": "open"},)},
    "GetCustomerProfile": {"customer_profiles": ({"PhoneNumber": "+12065550142", "FirstName": "Ada"},)},
    "UpdateContactMediaStreamingBehavior": {
        "media_stream": "arn:aws:kinesisvideo:us-east-1:123456789012:stream/s"
    },
}
MOVES: dict[str, Move] = {
    "ConnectParticipantWithLexBot": Says("hi"),
    "ShowView": Chooses("Next"),
    "GetParticipantInput": Presses("1"),
}


class Everything(dict[str, PublishedFlow]):
    """Published flows: whatever is asked for exists, and ends at once."""

    def __contains__(self, _arn: object) -> bool:
        return True

    def __missing__(self, arn: str) -> PublishedFlow:
        end = "EndFlowModuleExecution" if "Module" in arn else "EndFlowExecution"
        content = {"Version": "2019-10-30", "StartAction": "end", "Actions": [block("end", end)]}
        kind = "MODULE" if "Module" in arn else "CONTACT_FLOW"
        return PublishedFlow.parse(content, arn=arn, name=arn, type=kind)


def rehearse(world: Any, kind: str, **more: Any) -> Any:
    world.published = Everything()
    world.answers = [{}] * 5
    world.third_party = lambda _invite, _line: HungUpByVendor()
    _, flow_type = example_place(kind)
    content = more.pop("flow", None) or example_flow(kind)
    flow = PublishedFlow.parse(content, arn="main", name="main", type=flow_type or "MODULE")
    world.published["main"] = flow
    asked = [Queue(arn=name, name="Sales") for name in ("${SalesQueue}", "${Queue}", "${SupportQueue}")]
    contact = world.contact(
        channel=more.pop("channel", CHANNEL[kind]),
        caller=Caller(moves=[MOVES[kind]] if kind in MOVES else []),
        conditions=Conditions(queues=asked, agents=frozenset({"a"}), **{**SETUPS.get(kind, {}), **more}),
    )
    contact.state.queue = asked[0]
    return contact.calls("main")


@pytest.mark.parametrize("kind", sorted(ACTIONS))
def test_the_example_of_a_type_is_played_or_refused_by_name(world: Any, kind: str) -> None:
    if kind in UNPLAYABLE:
        with pytest.raises(
            CannotPlayError, match=rf"^the sandbox cannot play {BLOCK} \({kind}\): \w.*setup\.blocks"
        ):
            rehearse(world, kind)
        return
    assert kind in PLAYED
    contact = rehearse(world, kind)
    contact.reaches(BLOCK)
    # It took a branch that the block has, and did not fall through one that it lacks.
    labels = {edge.label or "next" for edge in PublishedFlow.parse(
        example_flow(kind), arn="", name="", type="").block(BLOCK).edges()}  # fmt: skip
    [taken] = [one.branch for one in contact.taken if one.block == BLOCK]
    assert taken in labels | {"end"}
    assert contact.ending.how != "failed"
    assert any(entry.block == BLOCK for entry in contact.transcript) or taken == "end"


def test_no_type_is_both_played_and_refused_and_none_is_missing() -> None:
    assert sorted([*PLAYED, *UNPLAYABLE]) == sorted(ACTIONS)
    assert len(ACTIONS) == 68


@pytest.mark.parametrize(
    "kind",
    sorted(k for k, spec in ACTIONS.items() if spec.channels is not None and "CHAT" not in spec.channels),
)
def test_a_type_that_a_chat_does_not_have_takes_an_error_branch_there(world: Any, kind: str) -> None:
    contact = rehearse(world, kind, channel="CHAT")
    errors = {e["ErrorType"] for e in example_flow(kind)["Actions"][0]["Transitions"].get("Errors", [])}
    assert [one.branch for one in contact.taken if one.block == BLOCK] == ["NoMatchingError"] * (
        "NoMatchingError" in errors
    )
    if not errors:
        contact.ends("failed")


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("GetCustomerProfile", "NoneFoundError"),
        ("GetCase", "NoMatchingError"),
        ("LoadContactContent", "NoMatchingError"),
    ],
)
def test_a_type_without_what_it_reads_takes_its_branch(world: Any, kind: str, error: str) -> None:
    contact = rehearse(world, kind, customer_profiles=(), cases=())
    assert [one.branch for one in contact.taken if one.block == BLOCK] == [error]


@pytest.mark.parametrize("kind", sorted(PLAYED))
def test_a_type_plays_with_every_parameter_that_the_linter_knows(kind: str) -> None:
    behaviour = PLAYED.get(kind)
    assert behaviour is not None
    spec = ACTIONS[kind]
    known = set(spec.parameters).union(*(variant.parameters for variant in spec.variants.values()))
    assert behaviour.parameters == known


def test_the_page_lists_what_cannot_be_played() -> None:
    page = (Path(__file__).parents[3] / "docs/flows.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \| (.+?) \|$", page, re.MULTILINE)
    told = {
        kind: reason for kinds, reason in rows for kind in re.findall(r"`(\w+)`", kinds) if kind in ACTIONS
    }
    assert told == UNPLAYABLE
    assert f"Of the {len(ACTIONS)} action types {len([*PLAYED])} are played" in " ".join(page.split())


@pytest.mark.parametrize("kind", sorted(UNPLAYABLE))
def test_a_scenario_can_say_what_a_refused_block_does(world: Any, kind: str) -> None:
    sets = {"Customer": {"FirstName": "Ada"}, "Attributes": {"known": "yes"}}
    told = rehearse(world, kind, outcomes={BLOCK: Outcome(sets=sets)})
    told.reaches(BLOCK).has_attributes(known="yes")
    assert told.state.namespaces()["Customer"] == {"FirstName": "Ada"}


def test_what_a_scenario_says_of_a_block_can_be_heard_and_compared(world: Any) -> None:
    flow = [
        block(
            "find",
            "GetCustomerProfile",
            "greet",
            errors={"NoneFoundError": "sorry", "NoMatchingError": "sorry"},
        ),
        say("greet", "Hello $.Customer.FirstName.", "bye"),
        say("sorry", "Who are you?", "bye"),
        hang_up(),
    ]
    found = Conditions(outcomes={"find": Outcome(sets={"Customer": {"FirstName": "Ada"}})})
    world.plays(*flow, conditions=found).hears("Hello Ada.")
    nobody = Conditions(outcomes={"f*": Outcome(fails="NoneFoundError")})
    world.plays(*flow, conditions=nobody).hears("Who are you?")
    with pytest.raises(
        CannotPlayError, match=r"find .*makes it fail with CallFailed, for which it has no branch"
    ):
        world.plays(*flow, conditions=Conditions(outcomes={"find": Outcome(fails="CallFailed")}))


def test_chance_without_a_number_stops_the_contact(world: Any) -> None:
    with pytest.raises(CannotPlayError, match="which number it draws"):
        rehearse(world, "DistributeByPercentage", dice=())


def test_coverage_counts_what_can_be_taken(world: Any) -> None:
    contact = rehearse(world, "Compare")
    coverage = Coverage(world.published["main"])
    assert coverage.percent() == 0
    coverage.add(contact)
    # Compare's NextAction is a copy of NoMatchingCondition; the last block counts once it is reached.
    assert [str(branch) for branch in coverage.branches()] == [
        f"{BLOCK}: Equals VOICE → end",
        f"{BLOCK}: TextStartsWith CH → end",
        f"{BLOCK}: NoMatchingCondition → end",
        "end: reached",
    ]
    assert coverage.percent() == 50


QUEUE = Queue(arn=f"{INSTANCE}/queue/q", name="Support")


def hooks(world: Any, **flows: tuple[str, list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """Publish the flows and return the blocks that hook them and go to the queue."""
    blocks = []
    names = [*flows]
    for index, (event, (kind, content)) in enumerate(flows.items()):
        assert kind in FLOW_TYPES
        arn = world.publishes(event, *content, kind=kind)
        then = f"hook {names[index + 1]}" if index + 1 < len(names) else "choose"
        blocks.append(
            block(f"hook {event}", "UpdateContactEventHooks", then, errors={"NoMatchingError": "bye"},
                  EventHooks={event: arn})
        )  # fmt: skip
    return [
        *blocks,
        block(
            "choose", "UpdateContactTargetQueue", "go", errors={"NoMatchingError": "bye"}, QueueId=QUEUE.arn
        ),
        block(
            "go", "TransferContactToQueue", "bye", errors={"NoMatchingError": "bye", "QueueAtCapacity": "bye"}
        ),
        hang_up(),
    ]


END = block("end", "EndFlowExecution")
MUSIC = block(
    "music",
    "MessageParticipantIteratively",
    "music",
    Messages=[{"Text": "la la la"}, {"Text": "please hold"}],
)


def test_an_agent_interrupts_the_queue_flow_whispers_holds_and_hangs_up_first(world: Any) -> None:
    flow = hooks(
        world,
        CustomerQueue=("CUSTOMER_QUEUE", [MUSIC]),
        AgentWhisper=("AGENT_WHISPER", [say("w", "A gold member.", "end"), END]),
        CustomerWhisper=("CUSTOMER_WHISPER", [say("w", "This call is recorded.", "end"), END]),
        CustomerHold=("CUSTOMER_HOLD", [MUSIC]),
        AgentHold=("AGENT_HOLD", [say("w", "They wait.", "end"), END]),
        CustomerRemaining=("CONTACT_FLOW", [say("ask", "How was it?", "bye"), hang_up()]),
    )
    agent = Agent(answers_after=90, holds_for=30, talks_for=60)
    contact = world.plays(*flow, conditions=Conditions(queues=[QUEUE], agent=agent))
    contact.hears("la la la", "please hold", "This call is recorded.", "la la la", "How was it?")
    contact.does_not_hear("A gold member.", "They wait.").agent_hears("A gold member.", "They wait.")
    contact.meets_agent().ends("disconnected")
    [answered] = [e.at for e in contact.transcript if e.who == "agent" and "takes" in e.text]
    [held] = [e.at for e in contact.transcript if e.who == "agent" and "on hold" in e.text]
    [back] = [e.at for e in contact.transcript if e.who == "agent" and e.text == "is back"]
    assert (answered, back - held) == (90, 30)


def test_a_caller_who_waits_without_an_agent_stays_in_the_queue(world: Any) -> None:
    flow = hooks(world, CustomerQueue=("CUSTOMER_QUEUE", [MUSIC]))
    contact = world.plays(*flow, conditions=Conditions(queues=[QUEUE]))
    contact.hears("please hold").meets_agent(False).ends(queued="Support")


def test_a_queue_flow_can_move_the_caller_to_another_queue(world: Any) -> None:
    overflow = Queue(arn=f"{INSTANCE}/queue/o", name="Overflow")
    busy = Queue(arn=QUEUE.arn, name="Support", contacts_in_queue=5)
    errors = {"NoMatchingError": "end"}
    check = block(
        "check",
        "CheckMetricData",
        "end",
        errors=errors,
        when=[("NumberGreaterThan", "0", "move")],
        MetricType="NumberOfContactsInQueue",
    )
    move = block("move", "DequeueContactAndTransferToQueue", "end", errors=errors, QueueId=overflow.arn)
    flow = hooks(world, CustomerQueue=("CUSTOMER_QUEUE", [check, move, END]))
    contact = world.plays(*flow, conditions=Conditions(queues=[busy, overflow]))
    contact.reaches("go", "check", "move", "check", "end").ends(queued="Overflow")


def test_a_guide_opens_in_the_agent_workspace_and_the_caller_does_not_hear_it(world: Any) -> None:
    guide = [say("step", "Ask for the order number.", "end"), END]
    flow = hooks(world, DefaultAgentUI=("CONTACT_FLOW", guide), DisconnectAgentUI=("CONTACT_FLOW", guide))
    contact = world.plays(*flow, conditions=Conditions(queues=[QUEUE], agent=Agent()))
    contact.does_not_hear("Ask for the order number.").ends("disconnected")
    opened = [entry.text for entry in contact.transcript if "opens the guide" in entry.text]
    assert [arn.split("/")[-1].split()[0] for arn in opened] == ["DefaultAgentUI", "DisconnectAgentUI"]


def test_a_hook_to_a_flow_that_does_not_exist_takes_the_error_branch(world: Any) -> None:
    hook = block("hook", "UpdateContactEventHooks", "bye", errors={"NoMatchingError": "sorry"},
                 EventHooks={"CustomerQueue": "nowhere"})  # fmt: skip
    world.plays(hook, say("sorry", "Sorry.", "bye"), hang_up()).hears("Sorry.")


NUMBERS = ["0", "-1", "1e12", "NaN", "999999999999", "1" * 400, 5, -1]
LARGE = [["x"] * 20_000, {str(number): "x" for number in range(20_000)}, "$.Attributes.x" * 5_000]
junk = st.recursive(
    st.sampled_from([*NUMBERS, *LARGE, "", "x", "\ud800", "$.A.b", "$.Attributes.x", None, True]),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["Value", "a"]), inner, max_size=2)
    ),
    max_leaves=4,
)


@pytest.mark.timeout(120)
@given(kind=st.sampled_from(sorted(ACTIONS)), data=st.data())
def test_whatever_a_parameter_holds_the_contact_is_played_or_stopped_by_name(
    new_world: Any, kind: str, data: Any
) -> None:
    flow = example_flow(kind)
    parameters = flow["Actions"][0]["Parameters"]
    if not parameters:
        return
    place, name = parameters, data.draw(st.sampled_from(sorted(parameters)))
    while isinstance(place[name], dict) and place[name] and data.draw(st.booleans()):
        place = place[name]
        name = data.draw(st.sampled_from(sorted(place)))
    place[name] = data.draw(junk)
    channel = data.draw(st.sampled_from(["VOICE", "CHAT"]))
    agent = data.draw(st.sampled_from([None, Agent(), Agent(answers_after=86_400, holds_for=86_400)]))
    with contextlib.suppress(CannotPlayError, BoundExceededError):
        rehearse(new_world(), kind, flow=flow, channel=channel, agent=agent)


@pytest.mark.parametrize(("agent", "heard"), [("a-1", "We call you back."), ("nobody", "Sorry.")])
def test_a_callback_can_be_an_agents_own(world: Any, agent: str, heard: str) -> None:
    call_back = block(
        "back",
        "CreateCallbackContact",
        "done",
        errors={"NoMatchingError": "sorry"},
        AgentId=agent,
        InitialCallDelaySeconds="60",
        RetryDelaySeconds="60",
        MaximumConnectionAttempts="1",
    )
    rest = [say("done", "We call you back.", "bye"), say("sorry", "Sorry.", "bye"), hang_up()]
    contact = world.plays(call_back, *rest, conditions=Conditions(agents=frozenset({"a-1"})))
    contact.hears(heard)
