"""The command line: connect-flows scenarios …"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from connect_sandbox.cli import main as sandbox
from connect_sandbox.rehearsal.cli import main as rehearse
from connect_sandbox.rehearsal.skeleton.cli import main

from tests.support.rehearsal import block, hang_up, say

FLOW = {
    "Version": "2019-10-30",
    "StartAction": "greet",
    "Actions": [
        say("greet", "Welcome.", "queue"),
        block(
            "queue",
            "UpdateContactTargetQueue",
            "join",
            errors={"NoMatchingError": "bye"},
            QueueId="${QueueArn}",
        ),
        block(
            "join",
            "TransferContactToQueue",
            "bye",
            errors={"QueueAtCapacity": "bye", "NoMatchingError": "bye"},
        ),
        hang_up(),
        block("alone", "DisconnectParticipant"),
    ],
}


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "flow.json").write_text(json.dumps(FLOW), encoding="utf-8")
    return tmp_path


def test_the_written_file_is_what_rehearse_plays(room: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["flow.json", "-o", "flow.yaml"]) == 0
    written = capsys.readouterr()
    assert written.out == ""
    assert written.err == (
        "not taken   alone: reached: cannot be taken: no branch leads to the block\n"
        "4 scenarios, coverage 88.9 % (8 of 9 branches)\n"
    )
    assert rehearse(["flow.json", "--scenario", "flow.yaml", "--quiet", "--fail-under", "88"]) == 0
    told = capsys.readouterr().out
    assert "4 scenarios, none failed" in told
    assert "coverage   88.9 % (8 of 9 branches)" in told


def test_scenarios_go_to_standard_output_and_coverage_beside(
    room: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sandbox(["scenarios", "flow.json"]) == 0
    told = capsys.readouterr()
    assert told.out.startswith(
        "# Scenarios for flow.json, by connect-flows scenarios: they take 8 of its 9 branches.\n"
    )
    assert "4 scenarios" in told.err


def test_what_people_have_written_is_not_overwritten(room: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (room / "flow.yaml").write_text("mine", encoding="utf-8")
    assert main(["flow.json", "-o", "flow.yaml"]) == 2
    assert (room / "flow.yaml").read_text(encoding="utf-8") == "mine"
    assert "flow.yaml exists, and people may have written in it: use --force" in capsys.readouterr().err
    assert main(["flow.json", "-o", "flow.yaml", "--force"]) == 0
    assert (room / "flow.yaml").read_text(encoding="utf-8").startswith("# Scenarios for flow.json")


def test_values_are_taken_from_a_file_or_from_the_map_that_import_wrote(
    room: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (room / "own.json").write_text('{"QueueArn": "support"}', encoding="utf-8")
    both = {"environments": {"dev": {"QueueArn": "dev-queue"}, "prod": {"QueueArn": "prod-queue"}}}
    (room / "map.json").write_text(json.dumps(both), encoding="utf-8")
    assert main(["flow.json", "--values", "own.json"]) == 0
    assert "  values: {QueueArn: support}\n" in capsys.readouterr().out
    assert main(["flow.json", "--values", "map.json", "--environment", "prod"]) == 0
    assert "  values: {QueueArn: prod-queue}\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["none.json"], "none.json cannot be read"),
        (["bad.json"], "bad.json"),
        (["flow.json", "--flows", "nowhere"], "--flows nowhere is no folder"),
        (["flow.json", "--values", "bad.json"], "bad.json cannot be read as JSON"),
        (["flow.json", "-o", "nowhere/flow.yaml"], "nowhere/flow.yaml cannot be written"),
        ([], "the following arguments are required: FLOW"),
    ],
)
def test_what_cannot_be_done_is_told(
    arguments: list[str], told: str, room: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (room / "bad.json").write_text("{", encoding="utf-8")
    assert main(arguments) == 2
    assert told in capsys.readouterr().err


def test_a_flow_that_gets_to_no_end_is_an_exit_status(room: Path, capsys: pytest.CaptureFixture[str]) -> None:
    endless = {
        "Version": "2019-10-30",
        "StartAction": "a",
        "Actions": [block("a", "UpdateFlowLoggingBehavior", "a", FlowLoggingBehavior="Enabled")],
    }
    (room / "endless.json").write_text(json.dumps(endless), encoding="utf-8")
    assert main(["endless.json"]) == 1
    assert "no contact gets to an end: a (UpdateFlowLoggingBehavior) would take" in capsys.readouterr().err


def test_the_same_flow_gives_the_same_scenarios_in_every_process(room: Path) -> None:
    command = [sys.executable, "-m", "connect_sandbox", "scenarios", "flow.json", "--expect"]
    texts = [
        subprocess.run(
            command, check=True, text=True, capture_output=True, env={**os.environ, "PYTHONHASHSEED": seed}
        ).stdout
        for seed in ("1", "2")
    ]
    assert texts[0] == texts[1] != ""
