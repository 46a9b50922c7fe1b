"""Runs: one file of documented events, written while it plays and read by everything that shows it (docs/run-file.md).

recorder = Recorder(Path("run.jsonl"), title="make demo")
recorder.emit(BlockPlays(flow=arn, block="welcome", type="MessageParticipant"))
recorder.close()
run = Run.load(Path("run.jsonl"))
"""

from connect_sandbox.runs.cause import Cause, because, cause
from connect_sandbox.runs.events import VERSION
from connect_sandbox.runs.playing import scenario
from connect_sandbox.runs.reader import Contact, FunctionCall, Happened, Run, Scenario
from connect_sandbox.runs.recorder import Recorder
from connect_sandbox.runs.versions import RunFileError, load_events

__all__ = [
    "VERSION",
    "Cause",
    "Contact",
    "FunctionCall",
    "Happened",
    "Recorder",
    "Run",
    "RunFileError",
    "Scenario",
    "because",
    "cause",
    "load_events",
    "scenario",
]
