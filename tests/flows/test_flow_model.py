"""Flows as typed data."""

import json

import pytest
from connect_flows import ACTIONS, EdgeKind, Flow, FlowSyntaxError
from connect_flows.examples import BLOCK, END, example_flow


def test_blocks_and_their_branches_are_typed() -> None:
    flow = Flow.parse(json.dumps(example_flow("CheckMetricData")), name="metrics.json")
    block = flow.block(flow.start)
    assert (block.identifier, block.type) == (BLOCK, "CheckMetricData")
    assert block.parameters["MetricType"] == "NumberOfContactsInQueue"
    assert block.transitions.next_action == END
    assert block.transitions.error("NoMatchingCondition") == END
    assert block.transitions.error("QueueAtCapacity") is None
    (condition,) = block.transitions.conditions
    assert (condition.operator, condition.operands, condition.next_action) == (
        "NumberGreaterThan",
        ("5",),
        END,
    )
    assert block.spec is ACTIONS["CheckMetricData"]


def test_edges_come_in_the_order_in_which_they_are_tried() -> None:
    kinds = [edge.kind for edge in Flow.parse(example_flow("CheckMetricData")).edges()]
    assert kinds == [EdgeKind.CONDITION, EdgeKind.NEXT, EdgeKind.ERROR, EdgeKind.ERROR]


@pytest.mark.parametrize("action_type", ACTIONS)
def test_every_example_is_parsed_without_loss(action_type: str) -> None:
    document = example_flow(action_type)
    flow = Flow.parse(document)
    assert [b.identifier for b in flow.blocks] == [a["Identifier"] for a in document["Actions"]]
    transitions = document["Actions"][0]["Transitions"]
    number = (
        len(transitions.get("Errors", []))
        + len(transitions.get("Conditions", []))
        + ("NextAction" in transitions)
    )
    assert len(list(flow.block(BLOCK).edges())) == number


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("nope", "not JSON"),
        ("[]", "not a JSON object"),
        ("{}", "Actions is not a list"),
        ('{"Actions": []}', "StartAction is not a string"),
        ('{"Actions": [7], "StartAction": "a"}', r"Actions\[0\] is not an object"),
        (
            '{"Actions": [{"Identifier": "a", "Transitions": {"Errors": [{}]}}], "StartAction": "a"}',
            "NextAction",
        ),
    ],
)
def test_a_wrong_shape_is_refused_by_name(source: str, said: str) -> None:
    with pytest.raises(FlowSyntaxError, match=rf"x\.json: .*{said}"):
        Flow.parse(source, name="x.json")


def test_an_unknown_block_is_named() -> None:
    with pytest.raises(KeyError, match=r"loop\.json has no block 'x'"):
        Flow.parse(example_flow("Loop"), name="loop.json").block("x")


def test_the_table_knows_68_types_and_on_what_it_rests() -> None:
    assert len(ACTIONS) == 68
    assert all(spec.evidence and spec.source for spec in ACTIONS.values())
