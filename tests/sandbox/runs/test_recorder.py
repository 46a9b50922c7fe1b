"""The recorder: what is in memory, in the file, and in neither."""

import json
import os
import threading
import time
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from connect_sandbox.runs import Cause, Recorder, Run, because
from connect_sandbox.runs.events import (
    EVENTS,
    BlockPlays,
    Decision,
    EntryWritten,
    FunctionEnded,
    FunctionInvoked,
    ScenarioBegins,
)

from tests.support.runs import FLOW, Schema


def says(text: str, **more: Any) -> EntryWritten:
    return EntryWritten(who="connect", kind="says", text=text, **more)


def test_file_and_memory_have_the_same_lines(tmp_path: Path, ann: Cause, schema: Schema) -> None:
    recorder = Recorder(tmp_path / "new" / "run.jsonl", title="a test")
    with because(ann):
        recorder.emit(BlockPlays(flow=FLOW, block="welcome", type="MessageParticipant"))
        recorder.emit(says("Good morning, Zoë\n", data={"n": 1}))
    recorder.emit(says("nobody's"))
    recorder.close()

    text = (tmp_path / "new" / "run.jsonl").read_text(encoding="utf-8")
    assert text == "".join(recorder.lines())
    events = recorder.events()
    assert [event["n"] for event in events] == [0, 1, 2, 3, 4]
    assert {key: events[1][key] for key in ("event", "contact", "at", "scenario", "block")} == {
        "event": "block", "contact": "ann", "at": 1.5, "scenario": "voice/ann", "block": "welcome",
    }  # fmt: skip
    assert "contact" not in events[3]
    assert [schema.problems(event) for event in events] == [[]] * 5


def test_a_file_that_is_there_is_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    path.write_text("what was there before\n" * 100)
    Recorder(path).close()
    assert [event["event"] for event in map(json.loads, path.read_text().splitlines())] == [
        "run",
        "run-ended",
    ]


def test_a_folder_that_cannot_be_made_is_said_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match=r"the run cannot be written: .*file/run.jsonl"):
        Recorder(tmp_path / "file" / "run.jsonl")


def test_events_come_while_it_plays() -> None:
    recorder = Recorder()
    seen: list[dict[str, Any]] = []
    first = threading.Event()

    def watch() -> None:
        while not recorder.closed or len(seen) < recorder.count:
            news = recorder.events(after=len(seen), wait_seconds=30)
            seen.extend(news)
            first.set()

    watcher = threading.Thread(target=watch)
    watcher.start()
    assert first.wait(30)
    before = time.monotonic()
    for number in range(20):
        recorder.emit(says(str(number)))
    recorder.close()
    watcher.join(30)
    assert time.monotonic() - before < 10
    assert [event["text"] for event in seen[1:-1]] == [str(number) for number in range(20)]


def test_waiting_for_news_ends() -> None:
    recorder = Recorder()
    assert recorder.events(after=1, wait_seconds=0.01) == []


def test_threads_write_whole_lines_without_gaps(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "run.jsonl")

    def contact(name: str) -> None:
        with because(Cause(contact=name, elapsed=lambda: 0.0)):
            for number in range(200):
                recorder.emit(says(f"{name} {number}"))

    threads = [threading.Thread(target=contact, args=(f"c{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    recorder.close()
    events = [json.loads(line) for line in (tmp_path / "run.jsonl").read_text().splitlines()]
    assert [event["n"] for event in events] == list(range(802))
    run = Run.of(events)
    assert {
        name: [entry.what.text for entry in contact.entries] for name, contact in run.contacts.items()
    } == {f"c{number}": [f"c{number} {line}" for line in range(200)] for number in range(4)}


def test_a_full_disk_is_told_and_nothing_else_is_lost(tmp_path: Path) -> None:
    full = tmp_path / "run.jsonl"
    full.symlink_to("/dev/full")
    told: list[str] = []
    recorder = Recorder(full, tell=told.append)
    for number in range(100):
        recorder.emit(says(str(number)))
    recorder.flush()
    recorder.emit(says("after that"))
    recorder.close()
    assert told == [f"{full} cannot be written further: No space left on device"]
    assert recorder.problem == told[0]
    assert len(recorder.events()) == 103


def test_a_slow_disk_holds_nothing_up_and_is_told(tmp_path: Path) -> None:
    pipe = tmp_path / "run.jsonl"
    os.mkfifo(pipe)
    reader = os.open(
        pipe, os.O_RDONLY | os.O_NONBLOCK
    )  # which nobody empties: the disk takes 64 KiB and stops
    told: list[str] = []
    recorder = Recorder(pipe, memory=1_000_000, tell=told.append)
    before = time.monotonic()
    for number in range(2000):
        recorder.emit(says(f"{number} {'x' * 1000}"))
    assert time.monotonic() - before < 10
    assert told == [f"the disk is too slow for {pipe}: the run is not written further"]
    assert recorder.events()[-1]["text"].startswith("1999 ")
    os.close(reader)
    recorder.close()
    assert len(told) == 1


def test_memory_is_bounded_and_keeps_what_the_rest_needs(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "run.jsonl", memory=100_000)
    recorder.flow_plays(FLOW, "Line", "CONTACT_FLOW", {"Actions": []})
    for number in range(1000):
        recorder.emit(says(f"{number} {'x' * 500}"))
        if number % 100 == 0:
            recorder.flush()
    recorder.close()
    lines = recorder.lines()
    assert sum(map(len, lines)) < 110_000
    events = recorder.events()
    assert [event["event"] for event in events[:2]] == ["run", "flow"]
    assert events[-1]["n"] == 1002
    assert [event["n"] for event in recorder.events(after=1001)] == [1001, 1002]
    assert len((tmp_path / "run.jsonl").read_text().splitlines()) == 1003


def test_a_flow_is_written_once_for_each_content() -> None:
    recorder = Recorder()
    for version in ("1", "1", "2", "2"):
        recorder.flow_plays(FLOW, "Line", "CONTACT_FLOW", f'{{"Version": "{version}"}}')
    assert [event["content"]["Version"] for event in recorder.events()[1:]] == ["1", "2"]


def test_secrets_are_in_no_line(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "run.jsonl")
    recorder.secrets.add('{"token": "k0-\\"quoted\\"-ü", "region": "us-east-1", "pin": "12"}')
    recorder.secrets.add("plain-secret")
    recorder.secrets.add("the")  # too short to be looked for
    token = 'k0-"quoted"-ü'
    recorder.emit(says(f"the token is {token}, in us-east-1", data={token: [{"deep": token}], "n": 12}))
    within = json.dumps({"body": json.dumps({"token": token})})
    recorder.emit(FunctionInvoked(function="f", invocation="1", input={"body": json.dumps({"token": token})}))
    recorder.emit(
        FunctionEnded(function="f", invocation="1", logs=["plain-secret", within], milliseconds=1.0)
    )
    recorder.close()
    text = (tmp_path / "run.jsonl").read_text(encoding="utf-8")
    assert "quoted" not in text
    assert "plain-secret" not in text
    event = recorder.events()[1]
    assert event["text"] == "the token is [secret], in us-east-1"
    assert event["data"] == {"[secret]": [{"deep": "[secret]"}], "n": 12}


def test_a_long_value_is_cut_and_says_so(schema: Schema) -> None:
    recorder = Recorder()
    recorder.emit(FunctionInvoked(function="f", invocation="1", input={"text": "x" * 70_000}))
    recorder.emit(says("y" * 70_000))
    recorder.emit(says("short"))
    recorder.flow_plays(FLOW, "Line", "CONTACT_FLOW", {"Actions": ["z" * 70_000]})
    _, function, long, short, flow = recorder.events()
    assert len(function["input"]) == 65_536
    assert function["input"].startswith('{"text": "xxx')
    assert function["cut"] is True
    assert (len(long["text"]), long["cut"]) == (65_536, True)
    assert "cut" not in short
    assert len(flow["content"]["Actions"][0]) == 70_000
    assert [schema.problems(event) for event in recorder.events()] == [[]] * 5


def test_what_json_cannot_say_is_written_all_the_same(tmp_path: Path) -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    recorder = Recorder(tmp_path / "run.jsonl")
    recorder.emit(FunctionInvoked(function="f", invocation="1", input={"bad": float("nan"), "good": 1}))
    recorder.emit(FunctionInvoked(function="f", invocation="2", input=deep))
    recorder.emit(says("\udc00 is half a character"))
    recorder.close()
    while deep:  # freed from the outside in: at once would be too deep
        deep = deep.pop()
    lines = (tmp_path / "run.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(lines[1])["input"] == {"bad": "NaN", "good": 1}
    assert json.loads(lines[2])["input"].startswith("[cannot be written: RecursionError")
    assert json.loads(lines[3])["text"] == "\udc00 is half a character"


def test_what_happens_in_a_function_names_its_invocation() -> None:
    recorder = Recorder()
    with because(Cause(contact="ann", invocation="request-1")):
        decision = Decision(
            action="s3:GetObject", resource="*", principal="p", allowed=False, reason="no policy"
        )
        recorder.emit(decision)
    assert recorder.events()[1]["invocation"] == "request-1"


def test_a_scenario_needs_a_name() -> None:
    with pytest.raises(ValueError, match="happens in no scenario"):
        Recorder().emit(ScenarioBegins(shows="it"))


def test_schema_page_and_classes_name_the_same_fields(schema: Schema) -> None:
    for name, kind in EVENTS.items():
        own = schema.content["$defs"][name]
        assert set(own["properties"]) == {field.name.rstrip("_") for field in fields(kind)}, name
    assert schema.content["properties"]["event"]["enum"] == list(EVENTS)
