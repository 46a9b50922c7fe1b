"""The calls of a background sandbox: begun, watched and answered by commands."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from connect_sandbox.cloud import Sandbox
from connect_sandbox.rehearsal.after_queue import LONGEST_WAIT
from connect_sandbox.rehearsal.contact import Channel
from connect_sandbox.rehearsal.desk import AgentEnds, AgentHolds, AgentSays
from connect_sandbox.rehearsal.errors import RehearsalError
from connect_sandbox.rehearsal.reading import Reader, checked
from connect_sandbox.rehearsal.scenario import Scenario, ScenarioFile
from connect_sandbox.rehearsal.setup_reader import read_moves, read_setup
from connect_sandbox.workbench.desk import Gate, LiveDesk
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
        """Call `to` with a `setup` as scenario files have it; return `call`, `contact`, and `after` for `watch`.

        `account` and `region`: only there. `attended`: somebody can be the agent, and hold it before each block
        (`held`: from the first).
        """
        self._calls = {
            number: call for number, call in self._calls.items() if not (call.attended and call.over)
        }
        problems: list[str] = []
        setup = read_setup(Reader(told.get("setup", {}), "setup", problems), Path(told.get("folder", ".")))
        checked(problems, "call")
        number, first = next(self._numbers), self._sandbox.run.count
        line = self._line(told)
        if told.get("attended"):
            gate = Gate(held=bool(told.get("held")))
            call = self._calls[number] = LiveCall(line, setup, desk=LiveDesk(), gate=gate)
        else:
            call = self._calls[number] = LiveCall(line, setup)
        return {"call": number, "contact": call.contact_id, "after": first}

    def attended(self, _told: dict[str, Any]) -> dict[str, Any]:
        """Return the calls that somebody attends and that go on, and whether they are held."""
        calls = [(number, call) for number, call in self._calls.items() if call.attended and not call.over]
        return {
            "calls": [
                {"call": number, "contact": call.contact_id, "held": call.gate is not None and call.gate.held}
                for number, call in calls
            ]
        }

    def agent(self, told: dict[str, Any]) -> dict[str, Any]:
        """Be the agent of a call: `does` answers (`seconds` later), nobody answers, says `text`, holds, or ends."""
        call = self._call(told)
        if call.desk is None:
            raise WorkbenchError(f"nobody can be the agent of call {told['call']}: it was not begun so")
        does, seconds = told.get("does"), _seconds(told)
        if does == "answers":
            call.desk.answers(seconds)
        elif does == "nobody answers":
            call.desk.nobody_answers()
        elif does == "says" and isinstance(told.get("text"), str) and told["text"].strip():
            call.desk.does(AgentSays(told["text"].strip()))
        elif does == "holds":
            call.desk.does(AgentHolds(seconds or 30.0))
        elif does == "ends":
            call.desk.does(AgentEnds())
        else:
            raise WorkbenchError(
                f"an agent cannot do {does!r}: they answer ('answers'), 'nobody answers', or the agent 'says' a text, "
                "'holds' or 'ends'"
            )
        return {}

    def pace(self, told: dict[str, Any]) -> dict[str, Any]:
        """Let a call `go` on, `hold` it before its next block, or let it `step` over one."""
        gate = self._call(told).gate
        if gate is None:
            raise WorkbenchError(f"call {told['call']} cannot be held: it was not begun so")
        does = {"go": gate.opens, "hold": gate.holds, "step": gate.steps}.get(str(told.get("does")))
        if does is None:
            raise WorkbenchError(f"a call cannot {told.get('does')!r}: it can go, hold or step")
        does()
        return {"held": gate.held}

    def watch(self, told: dict[str, Any]) -> dict[str, Any]:
        """Wait for news of a `call`; return its entries from event `after` on, how far it is, and how it ended.

        What it returns as `after` is for the next time.
        """
        call = self._call(told)
        stage = call.stage(PATIENCE)
        events = self._sandbox.run.events(int(told["after"]))
        entries = [one for one in events if one["event"] == "entry" and one.get("contact") == call.contact_id]
        if stage == "over":
            self._calls.pop(told["call"])
        after = events[-1]["n"] + 1 if events else told["after"]
        return {"stage": stage, "entries": entries, "after": after, "problem": _problem(call.problem)}

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


def _seconds(told: dict[str, Any]) -> float:
    seconds = told.get("seconds", 0)
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds <= LONGEST_WAIT:
        raise WorkbenchError(f"seconds is {seconds!r}; it must be a number from 0 to {LONGEST_WAIT:g}")
    return float(seconds)


def _problem(problem: BaseException | None) -> str | None:
    return None if problem is None else str(problem)
