"""One sandbox in the background with three places: two Regions of an account, and another account."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from connect_sandbox.cli import main

from tests.support import ROOT
from tests.support.own_line import Command, assemble, template

pytestmark = pytest.mark.sandbox
HERE, OTHER = "123456789012", "999999999999"
HOME, FAR = "eu-central-1", "us-west-2"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of an app with a stack in each place: `line` in both Regions, and `archive` in the other account."""
    folder = tmp_path_factory.mktemp("app")
    far = template()
    far["Resources"]["Instance"]["Properties"]["InstanceAlias"] = "acme-far"
    archive = {"Resources": {"Kept": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "kept"}}},
               "Outputs": {"Arn": {"Value": {"Fn::GetAtt": ["Kept", "Arn"]}}}}  # fmt: skip
    assemble(folder / "cdk.out", [
        ("near", "line", HERE, HOME, template()),
        ("far", "line", HERE, FAR, far),
        ("archive", "archive", OTHER, HOME, archive),
    ])  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{ROOT / 'node_modules/.bin'}{os.pathsep}{os.environ['PATH']}")
        assert main(["deploy", str(folder / "cdk.out"), "--region", HOME, "--at", str(folder)]) == 0
    yield folder
    main(["destroy", "--at", str(folder)])


def use(run: Command, patch: pytest.MonkeyPatch, *arguments: str) -> boto3.Session:
    """Return a session in what `env` prints."""
    for line in run("env", *arguments).splitlines():
        for word in line.split()[1:]:
            name, is_set, value = word.partition("=")
            if is_set:
                patch.setenv(name, value)
            else:
                patch.delenv(name, raising=False)
    return boto3.Session()


def test_every_place_is_listed_with_what_is_in_it(run: Command) -> None:
    places = run("status").split("place  ")
    assert f"account {HERE} in {HOME} at http://localhost:" in places[0]
    assert [place.splitlines()[0] for place in places[1:]] == [
        f"account {HERE} in {HOME}", f"account {HERE} in {FAR}", f"account {OTHER} in {HOME}"]  # fmt: skip
    assert "stack  line  CREATE_COMPLETE" in places[1]
    assert f"Line = arn:aws:connect:{HOME}:{HERE}:" in places[1]
    assert f"Line = arn:aws:connect:{FAR}:{HERE}:" in places[2]
    assert "flow   Support line" in places[2]
    assert f"Arn = arn:aws:sqs:{HOME}:{OTHER}:kept" in places[3]
    told = json.loads(run("status", "--json"))
    assert {"account": OTHER, "region": HOME} in told["places"]


def test_a_flow_in_two_places_needs_a_choice(run: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    printed = run("call", "Support line", status=2)
    assert (
        "2 flows are called 'Support line': give the ARN of one, or its account or Region (--account"
        in printed
    )
    assert f"arn:aws:connect:{HOME}:{HERE}:" in printed
    assert f"arn:aws:connect:{FAR}:{HERE}:" in printed
    for region in (HOME, FAR):
        monkeypatch.setattr("sys.stdin", io.StringIO("1\n"))
        assert "the caller waits in the queue: Support" in run("call", "Support line", "--region", region)
    assert "no flow is called 'Support line'; there are the flows (none)" in run(
        "call", "Support line", "--account", OTHER, status=2
    )


def test_each_place_has_tables_and_logs_of_its_own(run: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("1\n"))
    run("call", "Support line", "--region", FAR, "--number", "+12065550177")
    held = {}
    for region in (HOME, FAR):
        session = use(run, monkeypatch, "--region", region)
        (table,) = session.client("dynamodb").list_tables()["TableNames"]
        held[region] = [
            one["number"]["S"] for one in session.client("dynamodb").scan(TableName=table)["Items"]
        ]
    assert "+12065550177" in held[FAR]
    assert "+12065550177" not in held[HOME]


def test_the_lines_for_another_account_are_that_account(
    run: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = use(run, monkeypatch, "--account", OTHER)
    assert session.client("sts").get_caller_identity()["Account"] == OTHER
    assert session.client("sqs").list_queues()["QueueUrls"][0].endswith(f"/{OTHER}/kept")
    session = use(run, monkeypatch)
    assert session.client("sts").get_caller_identity()["Account"] == HERE
    assert "QueueUrls" not in session.client("sqs").list_queues()
    assert "'1234' is no AWS account" in run("env", "--account", "1234", status=2)
    assert "did you mean eu-west-2" in run("env", "--region", "eu-wst-2", status=2)


def test_a_template_goes_where_it_is_told(run: Command, app: Path) -> None:
    (app / "calls.json").write_text(json.dumps({"Resources": {"Calls": {"Type": "AWS::SQS::Queue"}}}))
    printed = run("deploy", str(app / "calls.json"), "--account", OTHER, "--region", FAR)
    assert "calls  CREATE_COMPLETE" in printed
    run("deploy", str(app / "calls.json"))
    printed = run("destroy", "calls", status=2)
    assert (
        f"the stack calls is in account {HERE} in {HOME} and account {OTHER} in {FAR}: choose one" in printed
    )
    assert "calls  DELETE_COMPLETE" in run("destroy", "calls", "--account", OTHER, "--region", FAR)
    assert "calls  DELETE_COMPLETE" in run("destroy", "calls")  # where the other one is
    assert "the sandbox has no stack calls; it has" in run("destroy", "calls", status=2)


def test_numbers_and_aliases_are_unique_in_the_world(run: Command, app: Path) -> None:
    numbers = [
        line.split()[-1] for line in run("status").splitlines() if line.strip().startswith("Address = ")
    ]
    assert len(set(numbers)) == 2
    taken = template()
    (app / "taken.json").write_text(json.dumps({"Resources": {"Instance": taken["Resources"]["Instance"]}}))
    printed = run("deploy", str(app / "taken.json"), "--account", OTHER, status=1)
    assert "Instance alias is already used" in printed
