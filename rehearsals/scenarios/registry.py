"""The scenarios by name, and how one is played."""

import json
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal

from connect_sandbox.runs import Recorder, Run
from connect_sandbox.runs import Scenario as Told
from connect_sandbox.runs import scenario as told_scenario
from connect_sandbox.runs.telling import transcript

from rehearsals.scenarios.deployment import PARTS, Deployment, Part
from rehearsals.scenarios.rehearsal import Rehearsal

Play = Callable[[Rehearsal], None]


@dataclass(frozen=True)
class Scenario:
    """A scenario: its name (`path/what-happens`), what it shows in a sentence, the function that plays it.

    `part` is what has to be deployed for it. `demo`: it is one of those that `make demo` plays. `alone`: it is played
    when all paths have ended, since it looks at more than one of them, or takes away what they need.
    """

    name: str
    shows: str
    play: Play
    part: Part = "voice"
    demo: bool = False
    alone: bool = False

    @property
    def path(self) -> str:
        """The path that it plays on. Scenarios of one path share its vendor, and are played one after another."""
        return self.name.split("/")[0]


@dataclass(frozen=True)
class Result:
    """What became of a scenario. `seconds` are real ones; `told` is what the run has of it."""

    name: str
    outcome: Literal["passed", "failed"]
    seconds: float
    told: Told = field(repr=False)
    failure: str = ""
    error: BaseException | None = field(default=None, repr=False)

    @property
    def rendered(self) -> str:
        """The transcript for people."""
        return transcript(self.told)


SCENARIOS: dict[str, Scenario] = {}
"""Every scenario, in the order in which they are played."""


def scenario(
    name: str, *, part: Part | None = None, demo: bool = False, alone: bool = False
) -> Callable[[Play], Play]:
    """Enter the decorated function as the scenario of that name; its docstring says what it shows.

    `part` is what it plays on, if that is not the part named like its path. `demo`: `make demo` plays it. `alone`:
    see `Scenario`.
    """

    def enter(play: Play) -> Play:
        if name in SCENARIOS:
            raise ValueError(f"there are two scenarios {name}")
        path = name.partition("/")[0]
        on: Part | None = part or next((known for known in PARTS if known == path), None)
        if on is None:
            raise ValueError(f"scenario {name} plays on {path!r}; give it a part: {', '.join(PARTS)}")
        shows = (play.__doc__ or "").strip().splitlines()[0]
        SCENARIOS[name] = Scenario(name, shows, play, on, demo, alone)
        return play

    return enter


def play(scenario: Scenario, deployment: Deployment) -> Result:
    """Play one scenario. Whatever goes wrong in it is its result; only an interrupt is raised."""
    run = deployment.sandbox.run
    first = run.count
    rehearsal = Rehearsal(deployment)
    started = time.monotonic()
    error: Exception | None = None
    try:
        with told_scenario(scenario.name, scenario.shows, run):
            scenario.play(rehearsal)
    except Exception as problem:  # noqa: BLE001  (the next scenario is to be played all the same)
        error = problem
    finally:
        rehearsal.end()
    return _result(scenario.name, run, first, time.monotonic() - started, error)


def failed(scenario: Scenario, error: BaseException, run: Recorder) -> Result:
    """Return the result of a scenario that could not be played, and tell the run of it."""
    first = run.count
    with suppress(type(error)), told_scenario(scenario.name, scenario.shows, run):
        raise error
    return _result(scenario.name, run, first, 0.0, error)


def _result(name: str, run: Recorder, first: int, seconds: float, error: BaseException | None) -> Result:
    told = _told(name, run, first)
    if error is None:
        return Result(name, "passed", seconds, told)
    why = str(error) if isinstance(error, AssertionError) else f"{type(error).__name__}: {error}"
    return Result(name, "failed", seconds, told, why, error)


def _told(name: str, run: Recorder, first: int) -> Told:
    """Return what the run has of a scenario from event number `first` on."""
    mine = f'"scenario": {json.dumps(name, ensure_ascii=False)}'
    events = (json.loads(line) for line in run.lines(after=first) if mine in line)
    return Run.of(events).scenarios[name]
