"""connect-sandbox rehearse, as its users see it."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from connect_flows.cli import main as connect_flows_main
from connect_sandbox.cli import main

from tests.support.rehearsal import block, hang_up, say

ROOT = Path(__file__).resolve().parents[3]
MENU = block(
    "menu",
    "GetParticipantInput",
    "none",
    errors={"InputTimeLimitExceeded": "none", "NoMatchingCondition": "none", "NoMatchingError": "none"},
    when=[("Equals", "1", "sales")],
    Text="${Greeting} Press 1 for sales.",
    StoreInput="False",
    InputTimeLimitSeconds="5",
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    actions = [MENU, say("sales", "Sales.", "bye"), say("none", "No such key.", "bye"), hang_up()]
    content = {"Version": "2019-10-30", "StartAction": "menu", "Actions": actions}
    Path("menu.json").write_text(json.dumps(content))
    Path("values.json").write_text('{"Greeting": "Hello.", "OfAnotherFlow": "x"}')
    Path("one.yaml").write_text(
        "{caller: [{presses: '1'}], expect: {hears: [Hello., Sales.], ends: disconnected}}"
    )
    Path("bad.yaml").write_text("{caller: [{presses: '1'}], expect: {hears: Service.}}")
    return tmp_path


def run(arguments: str) -> int:
    return main(["rehearse", *shlex.split(arguments)])


def test_it_prints_the_transcript_and_succeeds(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("menu.json --scenario one.yaml --values values.json") == 0
    out = capsys.readouterr().out
    assert re.search(
        r"passed  one\n.*“Hello. Press 1 for sales.”.*presses 1.*“Sales.”.*hangs up", out, re.DOTALL
    )
    assert out.endswith("1 scenario, none failed\n")
    assert run("menu.json --scenario one.yaml --values values.json --quiet") == 0
    assert "Press 1" not in capsys.readouterr().out


def test_a_failure_is_printed_with_the_transcript_and_fails(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("menu.json --scenario one.yaml bad.yaml --values values.json --quiet") == 1
    out = capsys.readouterr().out
    assert re.search(
        r"passed  one\nFAILED  bad\nthe caller should have heard “Service.”.*“Sales.”", out, re.DOTALL
    )
    assert "2 scenarios, 1 failed" in out


def test_a_contact_that_cannot_be_played_fails_with_the_transcript_so_far(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chat = [say("hi", "Hi.", "case"), block("case", "CheckVoiceId", "bye"), hang_up()]
    Path("case.json").write_text(json.dumps({"Version": "2019-10-30", "StartAction": "hi", "Actions": chat}))
    Path("case.yaml").write_text("{expect: {hears: Hi.}}")
    assert run("case.json --scenario case.yaml") == 1
    assert re.search(
        r"the sandbox cannot play case \(CheckVoiceId\): .*“Hi.”", capsys.readouterr().out, re.DOTALL
    )


def test_the_values_that_import_wrote_are_taken_by_environment(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    environments = {"dev": {"Greeting": "Hello."}, "prod": {"Greeting": None}}
    Path("map.json").write_text(
        json.dumps({"placeholders": {"Greeting": ["Text", "x"]}, "environments": environments})
    )
    assert run("menu.json --scenario one.yaml --values map.json --environment dev") == 0
    assert "Hello. Press 1" in capsys.readouterr().out
    assert run("menu.json --scenario one.yaml --values map.json") == 2
    assert "--environment must name one of dev, prod in map.json" in capsys.readouterr().err
    assert run("menu.json --scenario one.yaml --values map.json --environment prod") == 2
    assert "map.json has no value yet in environment prod for Greeting" in capsys.readouterr().err
    assert run("menu.json --scenario one.yaml --values one.yaml") == 2


def test_an_export_is_imported_and_rehearsed_with_the_values_that_import_wrote(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    queue = "arn:aws:connect:us-east-1:123456789012:instance/11111111-2222-3333-4444-555555555555/queue/q-1"
    choose = block(
        "choose", "UpdateContactTargetQueue", "go", errors={"NoMatchingError": "bye"}, QueueId=queue
    )
    go = block(
        "go", "TransferContactToQueue", "bye", errors={"NoMatchingError": "bye", "QueueAtCapacity": "bye"}
    )
    names = {"choose": {"parameters": {"QueueId": {"displayName": "Sales"}}}}
    export = {
        "Version": "2019-10-30",
        "StartAction": "choose",
        "Metadata": {"ActionMetadata": names, "type": "contactFlow"},
        "Actions": [choose, go, hang_up()],
    }
    Path("export.json").write_text(json.dumps(export))
    assert connect_flows_main(["import", "export.json", "-o", "sales.json"]) == 0
    assert "${" in Path("sales.json").read_text()
    Path("sales.yaml").write_text(
        f"{{setup: {{queues: {{{queue!r}: {{name: Sales}}}}}}, expect: {{ends: {{queued: Sales}}}}}}"
    )
    capsys.readouterr()
    assert run("sales.json --scenario sales.yaml --values sales.values.json") == 0, capsys.readouterr().err


def test_coverage_lists_what_was_not_taken_and_fails_under_the_threshold(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("menu.json --scenario one.yaml --values values.json --quiet --coverage") == 1
    out = capsys.readouterr().out
    missing = [
        "menu: InputTimeLimitExceeded → none",
        "menu: NoMatchingCondition → none",
        "menu: NoMatchingError → none",
        "sales: NoMatchingError → bye",
        "none: next → bye",
        "none: NoMatchingError → bye",
    ]
    assert [line.removeprefix("not taken  ") for line in out.splitlines() if "not taken" in line] == missing
    assert "coverage   33.3 % (3 of 9 branches)" in out
    assert run("menu.json --scenario one.yaml --values values.json --quiet --fail-under 33") == 0
    assert run("menu.json --scenario one.yaml --values values.json --quiet --fail-under 34") == 1


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("menu.json", "--scenario"),
        ("menu.json --scenario one.yaml", "no value for the placeholder Greeting"),
        ("gone.json --scenario one.yaml", "gone.json cannot be read"),
        ("menu.json --scenario gone.yaml", "gone.yaml cannot be read"),
        ("menu.json --scenario values.json", "Greeting is not known"),
        ("one.yaml --scenario one.yaml", "one.yaml"),
        ("menu.json --scenario one.yaml --values one.yaml", "one.yaml cannot be read as JSON"),
        ("menu.json --scenario one.yaml --fail-under 101", "give 0 to 100"),
        ("menu.json --scenario empty", "empty holds no *.yaml file"),
        ("menu.json --scenario one.yaml --loud", "unrecognized arguments: --loud"),
    ],
)
def test_what_cannot_be_carried_out_says_why(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: str, told: str
) -> None:
    Path("empty").mkdir()
    assert run(arguments) == 2
    assert told in capsys.readouterr().err


def test_help_reads_well(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    assert re.search(r"rehearse +play the scenarios of files through a flow", capsys.readouterr().out)
    assert run("--help") == 0
    assert "ends: {queued: Support}" in capsys.readouterr().out


def test_a_command_that_does_not_exist_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == main(["fly"]) == 2
    assert "there is no command 'fly'" in capsys.readouterr().err


def test_rehearsing_loads_neither_the_cloud_nor_the_cdk() -> None:
    flow = ROOT / "flows/chat_stream_module.json"
    scenarios = ROOT / "tests/flows/scenarios/chat_stream_module.yaml"
    arguments: list[Any] = ["rehearse", str(flow), "--quiet", "--scenario", str(scenarios)]
    code = (
        f"import sys; from connect_sandbox.cli import main; status = main({arguments!r});"
        "bad = [m for m in sys.modules if m.startswith(('boto', 'aws_cdk', 'moto', 'connect_sandbox.cloud'))];"
        "sys.exit(str(bad) if bad else status)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
