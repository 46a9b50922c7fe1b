"""Diff goes by what values mean: legacy exports, templates with their values, resources by name."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from connect_flows import Flow
from connect_flows.cli import main
from connect_flows.diff import Change, diff

Json = dict[str, Any]
DEV, PROD = "11111111-2222-3333-4444-555555555555", "22222222-2222-3333-4444-555555555555"
SALES, HELP = "66666666-7777-8888-9999-000000000000", "66666666-7777-8888-9999-000000000001"


def queue(ident: str, instance: str = DEV) -> str:
    return f"arn:aws:connect:us-east-1:123456789012:instance/{instance}/queue/{ident}"


def function(name: str, region: str = "us-east-1") -> str:
    return f"arn:aws:lambda:{region}:123456789012:function:{name}"


def legacy_export(
    number: str = "+12065550100", queue_arn: str = queue(SALES), called: str = function("find")
) -> Json:
    def module(ident: str, kind: str, following: str, **parameters: str) -> Json:
        kind, _, target = kind.partition(" ")
        return {
            "id": ident, "type": kind, "target": target, "metadata": {"position": {"x": 1, "y": 2}},
            "branches": [{"condition": c, "transition": t} for c, t in (("Success", following), ("Error", "bye"))],
            "parameters": [{"name": name, "value": value} for name, value in parameters.items()],
        }  # fmt: skip

    modules = [
        module("find", "InvokeExternalResource Lambda", "queue", FunctionArn=called, TimeLimit="3"),
        module("queue", "SetQueue", "number", Queue=queue_arn),
        module("number", "Transfer PhoneNumber", "bye", PhoneNumber=number, BlindTransfer="True"),
        {"id": "bye", "type": "Disconnect", "branches": [], "parameters": []},
    ]
    return {
        "modules": modules,
        "version": "1",
        "type": "contactFlow",
        "start": "find",
        "metadata": {"name": "Old"},
    }


def export(queues: dict[str, tuple[str, str | None]], called: str | None = None) -> Json:
    """Return an export: for each block the queue that it chooses and the console's name for it."""
    order = [*queues, "bye"]
    actions: list[Json] = [
        {"Identifier": block, "Type": "UpdateContactTargetQueue", "Parameters": {"QueueId": arn},
         "Transitions": {"NextAction": order[i + 1], "Errors": [{"ErrorType": "NoMatchingError", "NextAction": "bye"}]}}
        for i, (block, (arn, _)) in enumerate(queues.items())
    ]  # fmt: skip
    if called is not None:
        parameters = {"LambdaFunctionARN": called, "InvocationTimeLimitSeconds": "3"}
        actions.append({"Identifier": "call", "Type": "InvokeLambdaFunction", "Parameters": parameters,
                        "Transitions": {"NextAction": "bye"}})  # fmt: skip
    actions.append(
        {"Identifier": "bye", "Type": "DisconnectParticipant", "Parameters": {}, "Transitions": {}}
    )
    shown = {b: {"parameters": {"QueueId": {"displayName": name}}} for b, (_, name) in queues.items() if name}
    return {
        "Version": "2019-10-30",
        "StartAction": order[0],
        "Metadata": {"ActionMetadata": shown},
        "Actions": actions,
    }


def changes(old: Json, new: Json) -> list[Change]:
    return diff(Flow.parse(old), Flow.parse(new))


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(path: Path, document: Json) -> None:
    path.write_text(json.dumps(document), encoding="utf-8")


def run(*arguments: str) -> int:
    return main(arguments)


@pytest.mark.parametrize(
    ("new", "said"),
    [
        (legacy_export(number="+12065550199"), "ThirdPartyPhoneNumber: +12065550100 -> +12065550199"),
        (legacy_export(queue_arn=queue(HELP)), f"QueueId: {queue(SALES)} -> {queue(HELP)}"),
        (legacy_export(called=function("lose")), "LambdaFunctionARN: find -> lose"),
    ],
)
def test_a_change_between_two_legacy_exports_is_found(
    room: Path, capsys: pytest.CaptureFixture[str], new: Json, said: str
) -> None:
    write(room / "old.json", legacy_export())
    write(room / "new.json", new)
    assert run("diff", "old.json", "new.json") == 1
    first, last = capsys.readouterr().out.splitlines()
    assert first.endswith(said)
    assert last == "old.json -> new.json: 1 change"


def test_a_legacy_export_and_its_own_render_do_not_differ(
    room: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(room / "old.json", legacy_export())
    assert run("import", "old.json", "-o", "template.json") == 0
    capsys.readouterr()
    assert run("render", "template.json", "--values", "template.values.json") == 0
    (room / "new.json").write_text(capsys.readouterr().out, encoding="utf-8")
    assert run("diff", "old.json", "new.json") == 0
    assert run("diff", "old.json", "old.json") == 0
    assert run("diff", "old.json", "template.json", "--values", "template.values.json") == 0


def test_an_export_is_compared_with_a_template_under_its_values(
    room: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(room / "export.json", export({"one": (queue(SALES), "Sales")}))
    environments = ("--environment", "dev", "--environment", "prod")
    assert run("import", "export.json", "-o", "template.json", *environments) == 0
    values = ("--values", "template.values.json", "--environment", "dev")
    assert run("diff", "export.json", "template.json", *values) == 0
    assert run("diff", "template.json", "export.json", *values) == 0
    assert run("diff", "export.json", "template.json") == 1
    filled = json.loads((room / "template.values.json").read_text(encoding="utf-8"))
    filled["environments"]["dev"]["SalesQueue"] = queue(HELP)
    write(room / "template.values.json", filled)
    capsys.readouterr()
    assert run("diff", "export.json", "template.json", *values) == 1
    assert f"QueueId: {queue(SALES)} -> {queue(HELP)}" in capsys.readouterr().out


def test_resources_are_told_by_their_names() -> None:
    (change,) = changes(export({"one": (queue(SALES), "Sales")}), export({"one": (queue(HELP), "Help")}))
    assert (change.old, change.new) == ("Sales", "Help")


def test_one_resource_for_another_in_several_blocks_is_one_change() -> None:
    old = export({"a": (queue(SALES), "Sales"), "b": (queue(SALES), "Sales"), "c": (queue(SALES), "Sales")})
    new = export({"a": (queue(HELP), "Help"), "b": (queue(HELP), "Help"), "c": (queue(HELP), "Help")})
    (change,) = changes(old, new)
    assert (change.block, change.what, change.also) == ("a", "QueueId", ("b", "c"))
    assert "QueueId (also in b, c)" in str(change)


def test_a_telephone_number_or_an_id_for_another_in_several_blocks_is_one_change() -> None:
    for before, after in ((SALES, HELP), ("+12065550100", "+12065550199")):
        old, new = (
            export({"a": (before, None), "b": (before, None)}),
            export({"a": (after, None), "b": (after, None)}),
        )
        (change,) = changes(old, new)
        assert (change.old, change.new, change.also) == (before, after, ("b",))


def test_a_name_is_shown_even_if_the_other_side_has_none() -> None:
    (change,) = changes(export({"one": (queue(SALES), "Sales")}), export({"one": (queue(HELP), None)}))
    assert (change.old, change.new) == ("Sales", queue(HELP))


def test_an_added_or_removed_block_is_told_by_the_names_of_its_resources() -> None:
    short = export({"one": (queue(SALES), "Sales")})
    long = export({"one": (queue(SALES), "Sales"), "two": (queue(HELP), "Help")})
    assert next((c.kind, c.what) for c in changes(short, long)) == ("added", "Help")
    assert next((c.kind, c.what) for c in changes(long, short)) == ("removed", "Help")


def test_names_from_outside_the_flows_are_shown() -> None:
    old, new = (
        Flow.parse(export({"one": (queue(SALES), None)})),
        Flow.parse(export({"one": (queue(HELP), None)})),
    )
    (change,) = diff(old, new, shown={queue(SALES): "Sales", queue(HELP): "Help"})
    assert (change.old, change.new) == ("Sales", "Help")


def test_the_same_names_in_another_instance_make_no_difference() -> None:
    old = export({"a": (queue(SALES), "Sales")}, function("find"))
    new = export({"renamed": (queue(HELP, PROD), "Sales")}, function("find", "eu-west-1"))
    assert changes(old, new) == []
    beside = export({"renamed": (queue(HELP, PROD), "Sales")}, function("find"))
    assert changes(old, beside) == []
    other = export({"a": (queue(HELP, PROD), "Help")}, function("find", "eu-west-1"))
    assert [(c.old, c.new) for c in changes(old, other)] == [("Sales", "Help")]


def test_the_same_name_in_the_same_instance_is_another_queue() -> None:
    (change,) = changes(export({"a": (queue(SALES), "Sales")}), export({"a": (queue(HELP), "Sales")}))
    assert (change.old, change.new) == (queue(SALES), queue(HELP))


def test_without_names_another_instance_is_a_difference() -> None:
    old, new = export({"a": (queue(SALES), None)}), export({"a": (queue(SALES, PROD), None)})
    assert len(changes(old, new)) == 1
    assert changes(old, copy.deepcopy(old)) == []
