"""Every parameter that names a resource: ARNs by form and kind, references by namespace."""

import copy
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from connect_flows import ACTIONS, Diagnostic, Severity, lint
from connect_flows.examples import example_flow, example_place
from connect_flows.knowledge import ParameterSpec, knowledge

Json = dict[str, Any]
Place = tuple[str, tuple[str | int, ...], str]
ID = "11111111-2222-3333-4444-555555555555"
BOT = "ABCDEFGHIJ"
RULES = {"CF133", "CF134", "CF135", "CF136"}


def arn_of(kind: str) -> str:
    arn = knowledge().resources[kind].arn
    for word, value in (
        ("REGION", "us-east-1"),
        ("ACCOUNT", "123456789012"),
        ("BOTID", BOT),
        ("ALIASID", BOT),
    ):
        arn = arn.replace(word, value)
    return arn.replace("NAME", "find").replace("ID", ID).replace("session/ID", f"session/{ID}")


def places(action_type: str) -> Iterator[Place]:
    def walk(parameters: Any, at: tuple[str | int, ...]) -> Iterator[Place]:
        for name, spec in parameters.items():
            yield from within(spec, (*at, name))

    def within(spec: ParameterSpec, at: tuple[str | int, ...]) -> Iterator[Place]:
        if spec.resource is not None:
            yield action_type, at, spec.resource
        if spec.properties:
            yield from walk(spec.properties, at)
        if spec.items is not None:
            yield from within(spec.items, (*at, 0))
        if spec.values is not None:
            yield from within(spec.values, (*at, (spec.keys or ("key",))[0]))

    yield from walk(ACTIONS[action_type].parameters, ())


PLACES = [
    place for action_type in ACTIONS if ACTIONS[action_type].documented for place in places(action_type)
]
NAMES = [f"{kind}.{'.'.join(map(str, at))}" for kind, at, _ in PLACES]
every_place = pytest.mark.parametrize("place", PLACES, ids=NAMES)


def found(place: Place, value: str, **metadata: str) -> list[Diagnostic]:
    action_type, at, _ = place
    flow = copy.deepcopy(example_flow(action_type)) | ({"Metadata": metadata} if metadata else {})
    target: Any = flow["Actions"][0]["Parameters"]
    for step, following in pairwise(at):
        empty: Any = [{}] if following == 0 else {}
        target = target.setdefault(step, empty) if isinstance(step, str) else target[step]
    target[at[-1]] = value
    kind, flow_type = example_place(action_type)
    path = "Actions[0].Parameters" + "".join(f"[{s}]" if isinstance(s, int) else f".{s}" for s in at)
    return [d for d in lint(flow, kind=kind, flow_type=flow_type) if d.rule in RULES and d.path == path]


def rules(place: Place, value: str) -> list[str]:
    return [d.rule for d in found(place, value)]


def test_the_knowledge_names_the_resource_of_every_parameter_that_takes_one() -> None:
    assert len(PLACES) >= 30
    assert {kind for _, _, kind in PLACES} == set(knowledge().resources) - {"voice connector"}


@every_place
def test_the_right_arn_id_reference_and_placeholder_are_taken(place: Place) -> None:
    spec = knowledge().resources[place[2]]
    good = [arn_of(place[2]), arn_of(place[2]).replace("us-east-1", "ca-west-1"), "$.Attributes.x", "${Name}",
            "{{name}}", "%Name%", "arn:aws:x:${AWS::Region}:y", *spec.references]  # fmt: skip
    good += [ID] if spec.id else []
    assert {value: rules(place, value) for value in good if rules(place, value)} == {}


def damaged(arn: str, accounts: tuple[str, ...] = ()) -> list[str]:
    service = arn.split(":")[2]
    return [
        arn.replace("123456789012", "12345678901"),
        arn.replace("123456789012", "1234567890123"),
        arn.replace("123456789012", ""),
        arn.replace("us-east-1", "us-esat-1"),
        arn.replace("us-east-1", ""),
        arn.replace("arn:aws:", "arn:awz:"),
        arn.replace("arn:aws:", "arn::"),
        arn.replace(f":{service}:", f":{service[:-2]}{service[-1]}:"),
        arn.replace(":123456789012:", "/123456789012/"),
        arn[:-3] + " ",
        arn + "/",
        arn.replace("arn:", "ARN:"),
    ]


@every_place
def test_a_damaged_arn_is_an_error(place: Place) -> None:
    for value in damaged(arn_of(place[2])):
        (problem,) = found(place, value)
        assert problem.rule == "CF134", (value, str(problem))
        assert problem.severity is Severity.ERROR or "export" in problem.evidence


@every_place
def test_an_arn_of_another_kind_is_an_error(place: Place) -> None:
    for kind in set(knowledge().resources) - {place[2]}:
        assert rules(place, arn_of(kind)) == ["CF135"], arn_of(kind)
    for arn in ("arn:aws:states:us-east-1:123456789012:stateMachine:x", "arn:aws:s3:::bucket"):
        assert rules(place, arn) == ["CF135"], arn


@every_place
def test_text_that_is_no_resource_is_found_and_a_forgotten_dollar_named(place: Place) -> None:
    for value in ("to do", "$Attributes.x", "Attributes.x", "$.", "$"):
        (problem,) = found(place, value)
        assert problem.rule == "CF133", value
        if "Attributes" in value:
            assert problem.fix == "write $.Attributes.x"


@every_place
def test_a_reference_that_never_holds_a_resource_is_found(place: Place) -> None:
    for value in ("$.Channel", "$.CustomerEndpoint.Address", "$.Queue.Name"):
        assert rules(place, value) == ["CF136"], value


def test_a_region_that_is_not_known_is_a_warning() -> None:
    (queue,) = [p for p in PLACES if p[:2] == ("UpdateContactTargetQueue", ("QueueId",))]
    (problem,) = found(queue, arn_of("queue").replace("us-east-1", "us-east-9"))
    assert (problem.rule, problem.severity) == ("CF134", Severity.WARNING)


def test_exports_that_were_published_with_a_note_get_a_warning() -> None:
    (following,) = [p for p in PLACES if p[:2] == ("TransferToFlow", ("ContactFlowId",))]
    assert [d.severity for d in found(following, "ENTER FLOW")] == [Severity.ERROR]
    assert [d.severity for d in found(following, "ENTER FLOW", status="published")] == [Severity.WARNING]


def test_a_damaged_account_does_not_hide_that_the_arn_is_fixed() -> None:
    flow = example_flow("UpdateContactTargetQueue")
    flow["Actions"][0]["Parameters"] = {"QueueId": arn_of("queue").replace("123456789012", "12345678901")}
    assert {"CF134", "CF501"} <= {d.rule for d in lint(flow)}
