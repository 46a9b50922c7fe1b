"""What contacts tell to a run, without a cloud: `connect-sandbox rehearse --run`."""

import json
from pathlib import Path
from typing import Any

import pytest
from connect_flows import Flow
from connect_flows.pictures import svg
from connect_sandbox.cli import main
from connect_sandbox.runs import Run

from tests.support.runs import Schema

LOOKUP = "arn:aws:lambda:us-east-1:123456789012:function:lookup"


def block(name: str, kind: str, **rest: Any) -> dict[str, Any]:
    transitions = {"NextAction": rest.pop("next", None), "Errors": [], "Conditions": []}
    for branch in ("Errors", "Conditions"):
        transitions[branch] = rest.pop(branch, [])
    found = {key: value for key, value in transitions.items() if value}
    return {"Identifier": name, "Type": kind, "Parameters": rest, "Transitions": found}


FLOW: dict[str, Any] = {
    "Version": "2019-10-30",
    "StartAction": "Ask",
    "Metadata": {},
    "Actions": [
        block(
            "Ask", "GetParticipantInput", next="Bye", Text="Press 1 for an agent.", StoreInput="False",
            InputTimeLimitSeconds="5",
            Conditions=[
                {"NextAction": "Bye", "Condition": {"Operator": "Equals", "Operands": ["0"]}},
                {"NextAction": "Look up", "Condition": {"Operator": "Equals", "Operands": ["1"]}},
            ],
            Errors=[
                {"NextAction": "Bye", "ErrorType": kind}
                for kind in ("InputTimeLimitExceeded", "NoMatchingCondition", "NoMatchingError")
            ],
        ),
        block(
            "Look up", "InvokeLambdaFunction", next="Keep", LambdaFunctionARN=LOOKUP, InvocationTimeLimitSeconds="3",
            Errors=[{"NextAction": "Bye", "ErrorType": "NoMatchingError"}],
        ),
        block(
            "Keep", "UpdateContactAttributes", next="Bye", Attributes={"tier": "$.External.tier"},
            TargetContact="Current", Errors=[{"NextAction": "Bye", "ErrorType": "NoMatchingError"}],
        ),
        block("Bye", "DisconnectParticipant"),
    ],
}  # fmt: skip
SCENARIOS = """\
scenarios:
  - name: a known caller
    setup: {lambdas: {lookup: {answers: {tier: gold}}}}
    caller: [presses: "1"]
    expect: {ends: disconnected, attributes: {tier: gold}}
  - name: the lookup fails
    setup: {lambdas: {lookup: {raises: "KeyError: 'tier'"}}}
    caller: [presses: "1"]
    expect: {ends: disconnected}
  - name: silence
    expect: {hears: [Press 2]}
  - name: nobody says what the function answers
    caller: [presses: "1"]
    expect: {ends: disconnected}
"""


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("played")
    (folder / "line.json").write_text(json.dumps(FLOW))
    (folder / "line.yaml").write_text(SCENARIOS)
    status = main(
        [
            "rehearse", str(folder / "line.json"), "--scenario", str(folder / "line.yaml"), "--quiet",
            "--run", str(folder / "run.jsonl"),
        ]
    )  # fmt: skip
    assert status == 1
    return folder / "run.jsonl"


def test_every_line_is_as_the_schema_says(played: Path, schema: Schema) -> None:
    for line in played.read_text(encoding="utf-8").splitlines():
        assert schema.problems(json.loads(line)) == [], line


def test_the_way_through_a_flow(played: Path) -> None:
    run = Run.load(played)
    [contact] = run.scenarios["a known caller"].contacts
    assert [(one.what.block, one.what.type) for one in contact.blocks] == [
        ("Ask", "GetParticipantInput"),
        ("Look up", "InvokeLambdaFunction"),
        ("Keep", "UpdateContactAttributes"),
        ("Bye", "DisconnectParticipant"),
    ]
    assert [(one.what.block, one.what.branch, one.what.to) for one in contact.branches] == [
        ("Ask", "condition:1", "Look up"),
        ("Look up", "next", "Keep"),
        ("Keep", "next", "Bye"),
        ("Bye", "end", None),
    ]
    assert contact.attributes() == {"tier": "gold"}
    assert contact.attributes(until=contact.blocks[2].n) == {}
    assert contact.ended is not None
    assert contact.ended.what.how == "disconnected"
    assert contact.ended.at == contact.happened[-1].at
    [call] = contact.functions
    assert (call.name, call.began.what.block, call.failed) == ("lookup", "Look up", False)
    assert call.began.what.input["Details"]["ContactData"]["ContactId"] == contact.id
    assert call.ended is not None
    assert call.ended.what.answer == {"tier": "gold"}


def test_branches_are_named_as_in_the_picture(played: Path) -> None:
    run = Run.load(played)
    [flow] = run.flows.values()
    picture = svg(Flow.parse(flow.what.content, name=flow.what.name))
    taken = {
        (branch.what.block, branch.what.branch, branch.what.to)
        for contact in run.contacts.values()
        for branch in contact.branches
        if branch.what.to is not None
    }
    assert ("Look up", "error:NoMatchingError", "Bye") in taken
    for source, branch, target in taken:
        assert f'data-from="{source}" data-branch="{branch}" data-to="{target}"' in picture


def test_a_function_that_fails_has_no_answer(played: Path) -> None:
    [contact] = Run.load(played).scenarios["the lookup fails"].contacts
    [call] = contact.functions
    assert call.failed
    assert call.ended is not None
    assert call.ended.what.error == "KeyError: 'tier'"


def test_scenarios_that_failed_come_first(played: Path) -> None:
    run = Run.load(played)
    silence, unplayable = run.failed_scenarios
    assert silence.ended is not None
    assert (silence.name, silence.ended.what.failure) == ("silence", "the caller should have heard “Press 2”")
    [contact] = unplayable.contacts
    assert contact.stopped is not None
    assert "does not say what the function 'lookup' answers" in contact.stopped.what.problem
    assert contact in run.failed_contacts
    assert run.ended is not None
    assert (run.ended.what.passed, run.ended.what.failed) == (2, 2)


def test_a_run_that_cannot_be_written_is_said(played: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flow, scenarios = str(played.with_name("line.json")), str(played.with_name("line.yaml"))
    path = played / "run.jsonl"
    assert main(["rehearse", flow, "--scenario", scenarios, "--run", str(path)]) == 2
    assert "the run cannot be written" in capsys.readouterr().err


def test_contacts_tell_nobody_without_a_run(played: Path) -> None:
    flow, scenarios = str(played.with_name("line.json")), str(played.with_name("line.yaml"))
    before = sorted(played.parent.iterdir())
    assert main(["rehearse", flow, "--scenario", scenarios, "--quiet"]) == 1
    assert sorted(played.parent.iterdir()) == before
