"""Whatever comes in, the linter answers with diagnostics and nothing else."""

import copy
import json
import time
from typing import Any

import pytest
from connect_flows import ACTIONS, Diagnostic, FlowKind, LintContext, Severity, lint
from connect_flows.examples import example_flow
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
words = st.sampled_from(
    [
        *(
            "Version",
            "StartAction",
            "Actions",
            "Identifier",
            "Type",
            "Parameters",
            "Transitions",
            "NextAction",
        ),
        *(
            "Errors",
            "ErrorType",
            "Conditions",
            "Condition",
            "Operator",
            "Operands",
            "Metadata",
            "modules",
            "a",
            "",
        ),
        *("Equals", "NoMatchingError", "MessageParticipant", "Compare", "GetParticipantInput", "Loop"),
        *("${Name}", "$.External.x"),
    ]
)
values = st.recursive(
    scalars | words,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(words | st.text(max_size=5), inner, max_size=5)
    ),
    max_leaves=25,
)


def checked(found: list[Diagnostic]) -> None:
    assert all(isinstance(d, Diagnostic) and "\n" not in str(d) and str(d) for d in found)
    assert all(isinstance(d.severity, Severity) for d in found)
    json.dumps([d.as_dict() for d in found]).encode()


@given(st.binary(max_size=200))
def test_any_bytes(source: bytes) -> None:
    found = lint(source)
    checked(found)
    assert found


@given(st.text(max_size=200))
def test_any_text(source: str) -> None:
    found = lint(source)
    checked(found)
    assert found


@given(values)
@settings(max_examples=150)
def test_any_json(value: object) -> None:
    found = lint(json.dumps(value))
    checked(found)
    assert found


@given(st.dictionaries(words | st.text(max_size=5), values, max_size=6))
@settings(max_examples=100)
def test_any_mapping(value: dict[str, Any]) -> None:
    checked(lint(value))


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(p for key, item in inner for p in places(item, (*path, key)))]


@given(st.data())
@settings(max_examples=250, suppress_health_check=[HealthCheck.too_slow])
def test_a_valid_flow_with_any_value_anywhere(data: st.DataObject) -> None:
    flow = example_flow(data.draw(st.sampled_from(sorted(ACTIONS))))
    path = data.draw(st.sampled_from(places(flow)[1:]))
    holder: Any = flow
    for step in path[:-1]:
        holder = holder[step]
    holder[path[-1]] = data.draw(values)
    kind = data.draw(st.sampled_from([None, *FlowKind]))
    context = data.draw(
        st.sampled_from([None, LintContext(account="1", region="x", channels=frozenset({"CHAT"}))])
    )
    checked(lint(flow, kind=kind, context=context))
    checked(lint(json.dumps(flow)))


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=10))
@settings(max_examples=100)
def test_blocks_wired_in_any_way(wires: list[tuple[int, int, int]]) -> None:
    actions = []
    for number, (following, error, kind) in enumerate(wires):
        name = ["InvokeLambdaFunction", "UpdateContactAttributes", "MessageParticipant", "Compare"][kind % 4]
        block = copy.deepcopy(example_flow(name)["Actions"][0])
        block["Identifier"] = str(number)
        block["Parameters"].setdefault("Attributes", {})[f"a{following}"] = (
            f"$.External.k{error} $.Attributes.a{kind}"
        )
        block["Transitions"] = {
            "NextAction": str(following),
            "Errors": [{"ErrorType": "NoMatchingError", "NextAction": str(error)}],
        }
        actions.append(block)
    checked(lint({"Version": "2019-10-30", "StartAction": "0", "Actions": actions}))


@pytest.mark.parametrize(
    "source",
    [
        "x" * 10_000_000,
        '{"a": "' + "x" * 10_000_000 + '"}',
        "[" * 1_000_000,
        '{"Actions":' * 50_000,
        '{"Version": ' + "9" * 100_000 + "}",
        "\ud800",
        b"\xff\xfe{}",
        "",
    ],
    ids=[
        "10 MB of x",
        "10 MB string",
        "list bomb",
        "object bomb",
        "huge number",
        "surrogate",
        "UTF-16",
        "nothing",
    ],
)
def test_hostile_documents_are_answered_within_a_second(source: str | bytes) -> None:
    begin = time.perf_counter()
    found = lint(source)
    assert time.perf_counter() - begin < 1
    checked(found)
    assert any(d.severity is Severity.ERROR for d in found)


def test_a_mapping_that_holds_itself_is_answered() -> None:
    loop: dict[str, Any] = {}
    loop["Actions"] = [loop, loop]
    assert {d.rule for d in lint(loop)} == {"CF007"}


def test_a_mapping_that_doubles_at_every_level_is_answered() -> None:
    bomb: Any = "x"
    for _ in range(30):
        bomb = [bomb, bomb]
    assert {d.rule for d in lint({"Actions": bomb})} == {"CF006"}


def test_a_byte_order_mark_is_no_problem() -> None:
    assert lint("\ufeff" + json.dumps(example_flow("Loop"))) == []
    assert lint(json.dumps(example_flow("Loop")).encode("utf-8-sig")) == []


def test_ten_thousand_faults_are_listed_and_not_cut() -> None:
    actions = [{"Identifier": f"{i}", "Type": "Nope", "Transitions": {}} for i in range(10_000)]
    found = lint({"Version": "2019-10-30", "StartAction": "0", "Actions": actions})
    assert len([d for d in found if d.rule == "CF107"]) == 10_000


def test_an_unknown_flow_type_is_the_callers_mistake() -> None:
    with pytest.raises(ValueError, match=r"flow_type 'INBOUND' is none of CONTACT_FLOW"):
        lint("{}", flow_type="INBOUND")
