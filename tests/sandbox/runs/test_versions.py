"""Runs of every version are read. The samples are what each version wrote; they are never made anew."""

import json
from pathlib import Path
from typing import Any

import pytest
from connect_sandbox.runs import VERSION, Recorder, Run, RunFileError
from connect_sandbox.runs.versions import UPGRADES, read_events

from tests.support.runs import Schema

SAMPLES = Path(__file__).parent / "versions"


def test_there_is_a_way_from_every_older_version() -> None:
    assert sorted(UPGRADES) == list(range(VERSION))


def test_a_report_of_version_0_is_read() -> None:
    run = Run.load(SAMPLES / "0.json")
    assert {name: scenario.failed for name, scenario in run.scenarios.items()} == {
        "voice/metadata-returns": False,
        "voice/call-failed": True,
        "chat/bot-converses": False,
    }
    [failed] = run.failed_scenarios
    assert failed.ended is not None
    assert failed.ended.what.failure is not None
    assert failed.ended.what.failure.startswith("the contact should have ended in the queue Sales")
    assert run.ended is not None
    assert (run.ended.what.passed, run.ended.what.failed) == (2, 1)

    [contact] = run.scenarios["voice/metadata-returns"].contacts
    assert contact.began is not None
    assert (contact.began.what.customer, contact.began.what.system) == ("+12065550142", "+18005550199")
    assert [block.what.block for block in contact.blocks][:2] == [
        "Turn on flow logging",
        "Welcome the caller",
    ]
    assert contact.words[0].what.text.startswith("Welcome.")
    assert contact.attributes()["customData"].startswith("{")
    [call] = contact.functions
    assert call.name.startswith("connect-bridges-dev-voice-MetadataRetrieve")
    assert contact.ended is not None
    assert contact.ended.what.how == "queued"
    [chat] = run.scenarios["chat/bot-converses"].contacts
    assert chat.began is not None
    assert chat.began.what.channel == "CHAT"


def test_what_version_0_becomes_is_a_run_of_today(schema: Schema) -> None:
    events = read_events((SAMPLES / "0.json").read_text(encoding="utf-8"), "0.json")
    assert [problem for event in events for problem in schema.problems(event)] == []
    assert [event["n"] for event in events] == list(range(len(events)))


def test_a_newer_version_is_refused_with_its_number(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    path.write_text('{"event": "run", "n": 0, "time": 0, "format": "connect-sandbox-run", "version": 7}\n')
    with pytest.raises(
        RunFileError, match=r"run.jsonl is a run of version 7, .* reads versions 0 to 1.*upgrade"
    ):
        Run.load(path)
    with pytest.raises(RunFileError, match="version 7"):
        Run.of([json.loads(path.read_text())])


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "run.jsonl is no run"),
        ("{}", "run.jsonl is no run"),
        ('{"event": "run", "version": "1"}', "says version '1'; a run file has a whole number"),
        ('{"event": "run", "version": 1}\n{"event"\n{"event": "run"}\n', "line 2: it is no JSON"),
        ('{"event": "run", "version": 1}\n[]\n', "line 2: it is no event"),
        (
            '{"event": "run", "version": 1, "format": "mine"}\n',
            "has the format 'mine', not 'connect-sandbox-run'",
        ),
    ],
)
def test_what_is_no_run_is_said(tmp_path: Path, text: str, problem: str) -> None:
    path = tmp_path / "run.jsonl"
    path.write_text(text)
    with pytest.raises(RunFileError, match=problem):
        Run.load(path)


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(RunFileError, match=r"none.jsonl cannot be read: No such file"):
        Run.load(tmp_path / "none.jsonl")


def test_later_events_and_fields_are_skipped() -> None:
    events: list[dict[str, Any]] = Recorder(title="it").events()
    events[0]["weather"] = "fine"
    events.append({"event": "hologram", "n": 1, "time": 0.1, "contact": "ann", "at": 0.0})
    run = Run.of(events)
    assert run.began is not None
    assert run.began.what.title == "it"
    assert run.contacts == {}


def test_an_event_without_what_it_must_have_is_said() -> None:
    events = [*Recorder().events(), {"event": "block", "n": 1, "time": 0.1, "contact": "ann", "at": 0.0}]
    with pytest.raises(RunFileError, match=r"event 1 \(block\) lacks 'flow'"):
        Run.of(events)


def test_a_run_of_version_1_is_read() -> None:
    run = Run.load(SAMPLES / "1.jsonl")
    [failed] = run.failed_scenarios
    assert failed.name == "line/is-silent"
    [contact] = run.scenarios["line/reaches-an-agent"].contacts
    assert [block.what.block for block in contact.blocks] == ["lookup", "welcome", "ask", "queue", "transfer"]
    assert [branch.what.branch for branch in contact.branches][:3] == ["next", "next", "condition:0"]
    [refused] = contact.functions[0].refused
    assert refused.what.action == "ssm:GetParameter"
    assert {message.what.service for message in contact.messages} == {
        "connect", "events", "sns", "sqs",
    }  # fmt: skip
    assert contact.items[0].what.new == {
        "number": "+12065550142",
        "calls": 1,
        "tags": ["a", "b"],
    }
    assert {stack.what.stack for stack in run.stacks.values()} == {"line"}
