"""A sandbox in the background, and the commands that use it. One for the file, in a Region far from the default."""

from __future__ import annotations

import io
import json
import os
import pty
import stat
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import requests
from connect_sandbox.cli import main
from connect_sandbox.workbench.client import RemoteSandbox
from connect_sandbox.workbench.place import Place

from tests.support import ROOT
from tests.support.own_line import Command, write, write_assembly

pytestmark = pytest.mark.sandbox
REGION = "eu-central-1"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home that is empty, and must stay so."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(home))
        patch.setenv("AWS_PROFILE", "production")
        # Where the CDK command line is, for apps outside of a Node.js project.
        patch.setenv("PATH", f"{ROOT / 'node_modules/.bin'}{os.pathsep}{os.environ['PATH']}")
        yield home


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory, home: Path) -> Iterator[Path]:
    """The folder of an app whose template is deployed."""
    assert home.exists()
    folder = tmp_path_factory.mktemp("app")
    assert main(["deploy", str(write(folder)), "--region", REGION, "--at", str(folder)]) == 0
    yield folder
    main(["destroy", "--at", str(folder)])


def test_a_template_is_deployed_and_there_to_be_called(run: Command) -> None:
    printed = run("status")
    assert f"account 123456789012 in {REGION} at http://localhost:" in printed
    assert "stack  support-line  CREATE_COMPLETE" in printed
    assert f"Line = arn:aws:connect:{REGION}:123456789012:instance/" in printed
    assert "flow   Support line" in printed


def test_the_same_template_again_is_no_change(run: Command, app: Path) -> None:
    assert "support-line  no changes" in run("deploy", str(app / "support-line.json"))


def test_boto3_in_the_printed_environment_reaches_it(run: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    for line in run("env").splitlines():
        verb, *words = line.split()
        for word in words:
            if verb == "unset":
                monkeypatch.delenv(word, raising=False)
            else:
                name, _, value = word.partition("=")
                monkeypatch.setenv(name, value)
    stacks = boto3.Session().client("cloudformation").describe_stacks()["Stacks"]
    assert f":{REGION}:123456789012:stack/support-line/" in stacks[0]["StackId"]


def test_a_call_is_answered_at_the_terminal(app: Path) -> None:
    command = [sys.executable, "-m", "connect_sandbox.cli", "call", "Support line", "--at", str(app)]
    master, slave = pty.openpty()
    with subprocess.Popen([*command, "--number", "+12065550123"], stdin=slave, stdout=slave, stderr=slave):
        os.close(slave)
        shown = _until(master, "> ")
        assert "“Welcome, Ada.”" in shown
        assert "[ask] “Press 1 for an agent.”" in shown
        os.write(master, b"1\n")
        shown = _until(master, None)
    os.close(master)
    assert "caller   [ask] presses 1" in shown
    assert "the caller waits in the queue: Support" in shown


def test_keys_words_silence_and_hanging_up(run: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    for typed, expected in {
        "1\n": "the caller waits in the queue: Support",
        "agent\n": "“agent”",
        "\n": "presses no key for 5 s",
        "bye\n": "[ask] hangs up",
        "": "[ask] hangs up",
    }.items():
        monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        assert expected in run("call", "Support line")


def test_a_chat_is_written(run: Command, app: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (app / "setup.yaml").write_text("lex: {somebody please: Agent}")
    monkeypatch.setattr("sys.stdin", io.StringIO("somebody please\n"))
    shown = run("chat", "Chat line", "--setup", str(app / "setup.yaml"))
    assert "“How can we help?”\n> somebody please\n" in shown
    assert "“Somebody will be with you.”" in shown

    monkeypatch.setattr("sys.stdin", io.StringIO("12\n"))
    shown = run("chat", "Chat line", status=2)
    assert "the scenario does not say what Lex understands of '12'" in shown


def test_a_number_that_leads_to_a_flow_can_be_called(run: Command, app: Path) -> None:
    sandbox = RemoteSandbox.require(Place.of(app))
    (stack,) = (one for one in overview_of(sandbox)["stacks"] if one["name"] == "support-line")
    number = stack["outputs"]["Address"]
    assert (
        "nobody has claimed the number +12065559999; there are the flows Chat line, Support line and"
        in run("call", "+12065559999", status=2)
    )
    sandbox.boto3_client("connect").associate_phone_number_contact_flow(
        InstanceId=stack["outputs"]["Instance"].rpartition("/")[2],
        PhoneNumberId=stack["outputs"]["Number"].rpartition("/")[2],
        ContactFlowId=stack["outputs"]["Line"].rpartition("/")[2],
    )
    assert f"number {number}  Support line" in run("status")
    assert "1 scenario, none failed" in run("call", number, "--scenario", str(scenario(app, "Welcome, Ada.")))


def test_scenarios_that_go_differently_fail(run: Command, app: Path) -> None:
    printed = run("call", "Support line", "--scenario", str(scenario(app, "Welcome, Bob.")), status=1)
    assert "FAILED  a member" in printed
    assert "the caller should have heard “Welcome, Bob.”" in printed
    assert "1 scenario, 1 failed" in printed
    printed = run("chat", "Support line", "--scenario", str(scenario(app, "Welcome, Ada.")), status=1)
    assert "starts a chat" in printed


def scenario(folder: Path, hears: str) -> Path:
    path = folder / "scenario.yaml"
    moves = {"caller": [{"presses": "1"}], "expect": {"hears": [hears], "ends": {"queued": "Support"}}}
    path.write_text(json.dumps({"name": "a member", **moves}))  # JSON is YAML
    return path


def overview_of(sandbox: RemoteSandbox) -> dict[str, Any]:
    return sandbox.ask("GET", "/status")


def _until(terminal: int, wanted: str | None) -> str:
    """Read what a terminal shows, up to `wanted` or to the end of the command."""
    shown = ""
    while wanted is None or not shown.endswith(wanted):
        try:
            shown += os.read(terminal, 4096).decode()
        except OSError:  # Linux's way to say that nobody writes any more
            assert wanted is None, shown
            break
    return shown


def test_a_cloud_assembly_is_deployed_and_nothing_is_left_at_home(
    run: Command, app: Path, home: Path
) -> None:
    assembly = write_assembly(app / "cdk.out", "123456789012", REGION)
    printed = run("deploy", str(assembly))
    assert f"bootstrapping aws://123456789012/{REGION} with " in printed
    assert "CDKToolkit  CREATE_COMPLETE" in printed
    assert "stack  bucket-and-queue  CREATE_COMPLETE" in printed
    assert [str(path.relative_to(home)) for path in home.rglob("*")] == []
    assert list((app / ".connect-sandbox/files/cdk-home").rglob("accounts_partitions.json")) != []

    # The command line finds the stack as it would have made it.
    cdk = [str(ROOT / "node_modules/.bin/cdk"), "bootstrap", f"aws://123456789012/{REGION}"]
    environment = RemoteSandbox.require(Place.of(app)).environment()
    again = subprocess.run(cdk, cwd=app, env=environment, capture_output=True, text=True, check=True)
    assert "bootstrapped (no changes)" in again.stdout + again.stderr

    assert "bucket-and-queue  DELETE_COMPLETE" in run("destroy", "bucket-and-queue")
    assert "bucket-and-queue" not in run("status")


def test_a_cdk_app_is_synthesized_and_deployed_by_its_own_command_line(run: Command, app: Path) -> None:
    # Any command that writes a cloud assembly is a CDK app; this one takes no second to do so.
    folder = app / "cdk-app"
    folder.mkdir()
    (folder / "cdk.json").write_text(json.dumps({"app": f"{sys.executable} app.py"}))
    (folder / "app.py").write_text(
        textwrap.dedent("""
        import json, os, pathlib
        out = pathlib.Path(os.environ["CDK_OUTDIR"])
        told = {**json.loads(os.environ["CDK_CONTEXT_JSON"]), "own": os.environ["OWN_SETTING"]}
        place = f"aws://{os.environ['CDK_DEFAULT_ACCOUNT']}/{os.environ['CDK_DEFAULT_REGION']}"
        queue = {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": told["queue"] + told["own"]}}
        template = {"Resources": {"Calls": queue}, "Outputs": {"Url": {"Value": {"Ref": "Calls"}}}}
        (out / "calls.template.json").write_text(json.dumps(template))
        stack = {"type": "aws:cloudformation:stack", "environment": place,
                 "properties": {"templateFile": "calls.template.json", "validateOnSynth": False}}
        (out / "manifest.json").write_text(json.dumps({"version": "48.0.0", "artifacts": {"calls": stack}}))
    """)
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OWN_SETTING", "-today")
        printed = run("deploy", str(folder), "-c", "queue=waiting")
    assert f"Url = https://sqs.{REGION}.amazonaws.com/123456789012/waiting-today" in printed
    assert "CDKToolkit" not in printed
    assert sorted(path.name for path in folder.iterdir()) == ["app.py", "cdk.json"]  # no cdk.out


def test_a_stack_that_the_app_has_not_is_named(run: Command, app: Path) -> None:
    assembly = write_assembly(app / "elsewhere", "999999999999", "us-west-2")
    printed = run("deploy", str(assembly), "--stack", "other", status=2)
    assert "elsewhere has no stack other; it has bucket-and-queue" in printed


def test_a_deployment_that_fails_says_why(run: Command, app: Path) -> None:
    broken = app / "broken.json"
    bucket = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "x"}}
    broken.write_text(json.dumps({"Resources": {"Calls": bucket}}))
    printed = run("deploy", str(broken), status=1)
    assert "broken ended in ROLLBACK_COMPLETE:\n  Calls: " in printed

    broken.write_text(json.dumps({"Resources": {"Calls": {"Type": "AWS::SQS::Queue"}}}))
    assert "broken  CREATE_COMPLETE" in run(
        "deploy", str(broken)
    )  # what is left of the first attempt is in no way
    run("destroy", "broken")


def test_what_is_tolerated_is_listed(run: Command, app: Path) -> None:
    game = app / "game.json"
    fleet = {"Type": "AWS::GameLift::Fleet", "Properties": {"Name": "one"}}
    game.write_text(json.dumps({"Resources": {"Calls": {"Type": "AWS::SQS::Queue"}, "Fleet": fleet}}))
    assert "AWS::GameLift::Fleet" in run("deploy", str(game), status=1)
    (app / "tolerated.txt").write_text("# not needed for calls\nAWS::GameLift::*  # games\n")
    printed = run("deploy", str(game), "--tolerate", f"@{app / 'tolerated.txt'}")
    assert "stack  game  CREATE_COMPLETE" in printed
    assert "not rehearsed  game/Fleet  AWS::GameLift::Fleet: " in printed
    assert "'GameLift' is no resource type" in run("deploy", str(game), "--tolerate", "GameLift", status=2)
    run("destroy", "game")


def test_what_cannot_be_deployed_is_named(run: Command, app: Path) -> None:
    assert "it holds cdk.json" in run("deploy", str(app / "nothing"), status=2)
    assert "the sandbox has no stack nothing; it has support-line" in run("destroy", "nothing", status=2)
    assert "--account and --region say where a stack is" in run("destroy", "--region", REGION, status=2)


def test_only_who_has_the_token_may_command_it(app: Path) -> None:
    place = Place.of(app)
    running = place.remembered()
    assert running is not None
    for headers in ({}, {"Authorization": "Bearer guessed"}):
        answer = requests.post(f"{running.control_url}/stop", headers=headers, timeout=5)
        assert (answer.status_code, answer.json()) == (401, {"error": "the token is missing or wrong"})
    assert stat.S_IMODE(place.state.stat().st_mode) == 0o600
    assert (place.folder / ".gitignore").read_text() == "*\n"


def test_a_sandbox_that_was_killed_is_forgotten(
    tmp_path: Path, app: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = Place(tmp_path / ".connect-sandbox")
    place.make()
    state = json.loads(Place.of(app).state.read_text())
    place.state.write_text(json.dumps({**state, "control_url": "http://127.0.0.1:1"}))
    assert main(["status", "--at", str(tmp_path)]) == 2
    assert f"no sandbox runs for {tmp_path}" in capsys.readouterr().err
    assert not place.state.exists()
