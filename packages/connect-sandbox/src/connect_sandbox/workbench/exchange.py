"""The calls of a background sandbox: begun, watched and answered by commands."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from connect_sandbox.cloud import Sandbox
from connect_sandbox.rehearsal.contact import Channel
from connect_sandbox.rehearsal.errors import RehearsalError
from connect_sandbox.rehearsal.reading import Reader, checked
from connect_sandbox.rehearsal.scenario import Scenario, ScenarioFile
from connect_sandbox.rehearsal.setup_reader import read_moves, read_setup
from connect_sandbox.workbench.errors import WorkbenchError
from connect_sandbox.workbench.lines import Line
from connect_sandbox.workbench.live import LiveCall

#: Seconds for which a question about a call waits for news.
PATIENCE = 10.0


class Exchange:
    """Every call that goes on, by its number here."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._numbers = itertools.count(1)
        self._calls: dict[int, LiveCall] = {}

    def begin(self, told: dict[str, Any]) -> dict[str, Any]:
        """Call `to` with a `setup` as scenario files have it; return the `call`. `account` and `region`: only there."""
        problems: list[str] = []
        setup = read_setup(Reader(told.get("setup", {}), "setup", problems), Path(told.get("folder", ".")))
        checked(problems, "call")
        number = next(self._numbers)
        self._calls[number] = LiveCall(self._line(told), setup)
        return {"call": number}

    def watch(self, told: dict[str, Any]) -> dict[str, Any]:
        """Wait for news of a `call`; return its entries `after` a number, how far it is, and how it ended."""
        call = self._call(told)
        stage = call.stage(PATIENCE)
        entries = [entry.to_json() for entry in call.entries(told["after"])]
        if stage == "over":
            self._calls.pop(told["call"])
        return {"stage": stage, "entries": entries, "problem": _problem(call.problem)}

    def answer(self, told: dict[str, Any]) -> dict[str, Any]:
        """Make a `move` of a call's caller, written as in scenario files."""
        problems: list[str] = []
        moves = read_moves(Reader([told["move"]], "caller", problems))
        checked(problems, "call")
        return {"asked": all(self._call(told).makes(move) for move in moves)}

    def hang_up(self, told: dict[str, Any]) -> dict[str, Any]:
        """End a call, whatever its flow does."""
        self._call(told).closed()
        return {}

    def play(self, told: dict[str, Any]) -> dict[str, Any]:
        """Play the scenarios of a file `path` to a line; return name, problem and transcript of each."""
        line = self._line(told)
        channel = cast("Channel | None", told.get("channel"))
        return {
            "played": [_played(line, one, channel) for one in ScenarioFile.load(Path(told["path"])).scenarios]
        }

    def close(self) -> None:
        """Hang up on every call."""
        for call in self._calls.values():
            call.closed()

    def _line(self, told: dict[str, Any]) -> Line:
        return Line.find(self._sandbox, told["to"], account=told.get("account"), region=told.get("region"))

    def _call(self, told: dict[str, Any]) -> LiveCall:
        try:
            return self._calls[told["call"]]
        except KeyError:
            raise WorkbenchError(f"there is no call {told.get('call')}") from None


def _played(line: Line, scenario: Scenario, channel: Channel | None) -> dict[str, Any]:
    if channel is not None:
        scenario = replace(scenario, setup=replace(scenario.setup, channel=channel))
    try:
        contact = line.play(scenario)
    except AssertionError as unexpected:
        return {"name": scenario.name, "problem": str(unexpected), "transcript": ""}
    except RehearsalError as unplayable:
        return {"name": scenario.name, "problem": _problem(unplayable), "transcript": ""}
    return {"name": scenario.name, "problem": None, "transcript": str(contact.transcript)}


def _problem(problem: BaseException | None) -> str | None:
    return None if problem is None else str(problem)
