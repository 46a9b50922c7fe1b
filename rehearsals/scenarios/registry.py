"""The scenarios by name, and how one is played."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

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
    """What became of a scenario. `seconds` are real ones; `rendered` is the transcript for people."""

    name: str
    outcome: Literal["passed", "failed"]
    seconds: float
    transcript: list[dict[str, Any]]
    rendered: str = ""
    failure: str = ""
    error: BaseException | None = field(default=None, repr=False)

    def to_json(self) -> dict[str, Any]:
        """Return what report.json says of the scenario."""
        return {
            "name": self.name,
            "outcome": self.outcome,
            "seconds": round(self.seconds, 3),
            "transcript": self.transcript,
        }


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
    rehearsal = Rehearsal(deployment)
    started = time.monotonic()
    try:
        scenario.play(rehearsal)
    except Exception as error:  # noqa: BLE001  (the next scenario is to be played all the same)
        return failed(scenario.name, error, time.monotonic() - started, rehearsal)
    finally:
        rehearsal.end()
    seconds = time.monotonic() - started
    return Result(scenario.name, "passed", seconds, rehearsal.transcript(), rehearsal.render())


def failed(
    name: str, error: BaseException, seconds: float = 0.0, rehearsal: Rehearsal | None = None
) -> Result:
    """Return the result of a scenario that failed; the last entry of its transcript says why."""
    why = f"{type(error).__name__}: {error}" if not isinstance(error, AssertionError) else str(error)
    entries = rehearsal.transcript() if rehearsal else []
    # An expectation's message holds the transcript below its first line; the report has that already.
    entries.append(
        {
            "at": round(seconds, 3),
            "who": "rehearsal",
            "kind": "ends",
            "text": f"failed: {why.split(chr(10) * 2)[0]}",
        }
    )
    return Result(name, "failed", seconds, entries, rehearsal.render() if rehearsal else "", why, error)
