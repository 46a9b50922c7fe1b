"""`connect-sandbox show`: opens on what failed."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from connect_sandbox.cli import main
from connect_sandbox.runs import Cause, Recorder, because, scenario
from connect_sandbox.runs.events import (
    ContactBegins,
    ContactEnded,
    Decision,
    EntryWritten,
    FunctionEnded,
    FunctionInvoked,
    Item,
    Message,
)

from tests.support.runs import FLOW

LOOKUP = "arn:aws:lambda:us-east-1:123456789012:function:lookup"
SAMPLES = Path(__file__).parent / "versions"


def play(recorder: Recorder, contact: str, *, fails: bool) -> None:
    with because(Cause(contact=contact, elapsed=lambda: 61.25, scenario=f"voice/{contact}")):
        recorder.emit(
            ContactBegins(channel="VOICE", customer="+12065550142", system="+18005550199", flow=FLOW)
        )
        recorder.emit(EntryWritten(who="connect", kind="says", text="Welcome", flow=FLOW, block="Greet"))
        recorder.emit(FunctionInvoked(function=LOOKUP, invocation=contact, block="Look up"))
        decision = Decision(
            action="dynamodb:GetItem", resource="table/x", principal="role", allowed=not fails, reason="no policy",
            invocation=contact,
        )  # fmt: skip
        recorder.emit(decision)
        recorder.emit(Message(service="sns", to="topic", body={"a": 1}, invocation=contact))
        recorder.emit(Item(table="callers", key={"id": 1}, new={"id": 1, "name": "Ada"}, invocation=contact))
        recorder.emit(
            FunctionEnded(
                function=LOOKUP, invocation=contact, answer={}, milliseconds=12.3, cold=True,
                logs=["START\n", "looking up"],
            )
        )  # fmt: skip
        recorder.emit(
            EntryWritten(who="lambda", kind="invokes", text="lookup answers {}", flow=FLOW, block="Look up")
        )
        recorder.emit(ContactEnded(how="disconnected"))


@pytest.fixture
def run(tmp_path: Path) -> Path:
    recorder = Recorder(tmp_path / "run.jsonl", title="make demo")
    with scenario("voice/ann", "Ann calls.", recorder):
        play(recorder, "ann", fails=False)
    with pytest.raises(AssertionError), scenario("voice/ben", "Ben calls.", recorder):  # noqa: PT012
        play(recorder, "ben", fails=True)
        recorder.emit(
            EntryWritten(who="rehearsal", kind="does", text="looks at the table"),
            of=Cause(scenario="voice/ben"),
        )
        raise AssertionError("Ben should have heard it\n\n  transcript")
    recorder.close()
    return tmp_path / "run.jsonl"


def show(capsys: pytest.CaptureFixture[str], *arguments: str | Path, status: int = 0) -> str:
    assert main(["show", *map(str, arguments)]) == status
    printed = capsys.readouterr()
    return printed.out if status == 0 else printed.err


def test_it_opens_on_what_failed(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shown = show(capsys, run)
    assert [line.rstrip() for line in shown.splitlines()[1:]] == [
        "FAILED  voice/ben  Ben calls.",
        "    Ben should have heard it",
        "",
        "contact ben  VOICE +12065550142 → +18005550199",
        "   1:01.2  connect  Greet    “Welcome”",
        "           function lookup answered in 12 ms after a cold start",
        "             refused  dynamodb:GetItem on table/x: no policy",
        "             sends    sns topic: {'a': 1}",
        "             writes   callers {'id': 1}: {'id': 1, 'name': 'Ada'}",
        "             | START",
        "             | looking up",
        "   1:01.2  lambda   Look up  lookup answers {}",
        "  ended: disconnected",
        "  → looks at the table",
        "",
        "FAILED  voice/ben: Ben should have heard it",
        "2 scenarios, 1 failed",
    ]


def test_a_scenario_that_passed_is_its_transcript(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert show(capsys, run, "--scenario", "voice/ann") == (
        "passed  voice/ann  Ann calls.\n"
        "   1:01.2  connect  Greet    “Welcome”\n"
        "   1:01.2  lambda   Look up  lookup answers {}\n"
    )


def test_a_contact_is_found_by_the_beginning_of_its_id(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert show(capsys, run, "--contact", "an").startswith("contact ann  VOICE")


def test_without_failures_it_lists_scenarios(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recorder = Recorder(tmp_path / "run.jsonl")
    with scenario("voice/ann", "", recorder):
        play(recorder, "ann", fails=False)
    recorder.close()
    shown = show(capsys, tmp_path / "run.jsonl")
    assert re.search(r"^passed    \d\.\d s  voice/ann$", shown, re.MULTILINE)
    assert shown.endswith("1 scenario, none failed\n")


def test_a_run_without_scenarios_opens_on_the_contact_that_went_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recorder = Recorder(tmp_path / "run.jsonl")
    for name, fails in (("ann", False), ("ben", True)):
        with because(Cause(contact=name, elapsed=lambda: 0.0)):
            recorder.emit(ContactBegins(channel="CHAT", flow=FLOW))
            recorder.emit(FunctionInvoked(function=LOOKUP, invocation=name))
            recorder.emit(
                FunctionEnded(function=LOOKUP, invocation=name, refused="no permission" if fails else None)
            )
    recorder.close()
    shown = show(capsys, tmp_path / "run.jsonl")
    assert shown.index("contact ben  CHAT somebody → ") < shown.index("function lookup refused")
    assert "no permission" in shown
    assert "contact ann" in shown
    assert shown.endswith("2 contacts, 1 went wrong\n")


def test_older_versions_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    shown = show(capsys, SAMPLES / "0.json")
    assert "FAILED  voice/call-failed" in shown
    assert "“Welcome. One moment please, we are connecting you.”" in shown
    assert "3 scenarios, 1 failed" in shown


def test_what_is_not_there_is_said(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "none.jsonl cannot be read: No such file" in show(capsys, tmp_path / "none.jsonl", status=2)
    told = show(capsys, run, "--scenario", "voice/zoe", status=2)
    assert "the run has no scenario 'voice/zoe'; there are:\n  voice/ann\n  voice/ben" in told
    assert "not one contact's id begins with 'zoe'" in show(capsys, run, "--contact", "zoe", status=2)


def test_the_commands_of_the_page_run(run: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    page = Path("docs/run-file.md").read_text(encoding="utf-8")
    commands = re.findall(
        r"^\$ connect-sandbox (show build/demo/run.jsonl.*?)(?: *#.*)?$", page, re.MULTILINE
    )
    assert len(commands) == 3
    for command in commands:
        words = (
            command.replace("build/demo/run.jsonl", str(run))
            .replace("voice/lookup-denied", "voice/ben")
            .split()
        )
        words = [str(tmp_path / word) if word.endswith(".html") else word for word in words]
        assert main(words) == 0, command
    assert (tmp_path / "report.html").exists()
    assert capsys.readouterr().out


def test_the_page_names_every_event_and_field() -> None:
    page = Path("docs/run-file.md").read_text(encoding="utf-8")
    schema = json.loads(
        (Path("packages/connect-sandbox/src/connect_sandbox/runs/schema.json")).read_text(encoding="utf-8")
    )
    rows = {row[1]: row[2] for row in re.finditer(r"^\| `([\w-]+)` \| (.*) \|$", page, re.MULTILINE)}
    for event, own in schema["$defs"].items():
        for name in own["properties"]:
            assert f"`{name}`" in rows[event], f"{event}.{name}"
