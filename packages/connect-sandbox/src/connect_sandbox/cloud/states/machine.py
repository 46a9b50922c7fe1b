"""Plays a state machine: states, choices, retries, catchers, maps and parallel branches; waits take no time.

Source: Amazon States Language (states-language.net), AWS Step Functions developer guide. Query language JSONPath.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from connect_sandbox.cloud.errors import AwsError, NotEmulatedError
from connect_sandbox.cloud.states.paths import StatesError, exists, fill, read, write

Task = Callable[[str, Any, float], Any]
"""Runs a task: resource, parameters, seconds it may take; StatesError if it fails."""
TYPES = frozenset({"Task", "Pass", "Choice", "Wait", "Succeed", "Fail", "Parallel", "Map"})
_NOT_HERE = ("QueryLanguage", "Assign", "Output", "Arguments", "ItemReader", "ResultWriter", "ItemBatcher")
_MOST_STATES = 10_000
_NOT_CAUGHT = frozenset({"States.DataLimitExceeded", "States.Runtime"})


@dataclass
class Visit:
    """One state that was entered: its input, and its output or error."""

    name: str
    input: Any
    output: Any = None
    error: str = ""


@dataclass
class Play:
    """One execution on its way."""

    task: Task
    context: dict[str, Any]
    visits: list[Visit] = field(default_factory=list)
    waited: float = 0.0


def check(definition: Any) -> None:  # noqa: ANN401  (what the template holds)
    """Raise InvalidDefinition for a definition that Step Functions refuses; refuse by name what is not reproduced."""
    if not isinstance(definition, dict) or not isinstance(definition.get("States"), dict):
        raise _invalid("SCHEMA_VALIDATION_FAILED: it must have States")
    if definition.get("QueryLanguage", "JSONPath") != "JSONPath":
        raise NotEmulatedError("state machines in JSONata", "it plays those in JSONPath")
    states = definition["States"]
    if definition.get("StartAt") not in states:
        raise _invalid(f"MISSING_TRANSITION_TARGET: StartAt {definition.get('StartAt')!r} is no state")
    for name, state in states.items():
        if state.get("Type") not in TYPES:
            raise _invalid(f"SCHEMA_VALIDATION_FAILED: the Type of {name} is {state.get('Type')!r}")
        foreign = [one for one in _NOT_HERE if one in state]
        if foreign:
            raise NotEmulatedError(f"{foreign[0]} of the state {name}", "it plays state machines in JSONPath")
        for target in _targets(state):
            if target not in states:
                raise _invalid(f"MISSING_TRANSITION_TARGET: {name} leads to {target!r}, which is no state")
        for inner in _inner(state):
            check(inner)


def _invalid(why: str) -> AwsError:
    return AwsError("InvalidDefinition", f"Invalid State Machine Definition: '{why}'")


def _targets(state: Mapping[str, Any]) -> list[str]:
    ways = [state, *state.get("Choices", []), *state.get("Catch", [])]
    return [
        *(way["Next"] for way in ways if "Next" in way),
        *([state["Default"]] if "Default" in state else []),
    ]


def _inner(state: Mapping[str, Any]) -> list[Any]:
    mapped = state.get("ItemProcessor") or state.get("Iterator")
    return [*state.get("Branches", []), *([mapped] if mapped else [])]


def run(definition: Mapping[str, Any], data: Any, play: Play) -> Any:  # noqa: ANN401
    """Play from StartAt to the end and return the output; StatesError if the execution fails."""
    name: str | None = definition["StartAt"]
    while name is not None:
        if len(play.visits) >= _MOST_STATES:
            raise StatesError("States.Runtime", f"it has entered {_MOST_STATES} states")
        state, visit = definition["States"][name], Visit(name, data)
        play.visits.append(visit)
        play.context["State"] = {"Name": name, "EnteredTime": _now(), "RetryCount": 0}
        try:
            data, name = _enter(state, data, play)
        except StatesError as error:
            visit.error = str(error)
            raise
        visit.output = data
    return data


def _enter(state: Mapping[str, Any], data: Any, play: Play) -> tuple[Any, str | None]:  # noqa: ANN401
    kind = state["Type"]
    given = _selected(state.get("InputPath", "$"), data, play)
    following = None if state.get("End") else state.get("Next")
    if kind == "Choice":
        return _selected(state.get("OutputPath", "$"), given, play), _choose(state, given, play)
    if kind == "Fail":
        raise StatesError(*(_told(state, given, play, name) for name in ("Error", "Cause")))
    if kind in {"Succeed", "Wait"}:
        play.waited += _seconds(state, given, play) if kind == "Wait" else 0.0
        return _selected(state.get("OutputPath", "$"), given, play), following
    attempts: dict[int, int] = {}
    while True:
        try:
            result = _result(kind, state, given, play)
            break
        except StatesError as error:
            if _tries_again(state, error, attempts, play):
                continue
            catcher = _catcher(state, error)
            if catcher is None:
                raise
            told = {"Error": error.error, "Cause": error.cause}
            return write(catcher.get("ResultPath", "$"), data, told), catcher["Next"]
    if "ResultSelector" in state:
        result = fill(state["ResultSelector"], result, play.context)
    path = state.get("ResultPath", "$")
    merged = given if path is None else write(path, given, result)
    return _selected(state.get("OutputPath", "$"), merged, play), following


def _result(kind: str, state: Mapping[str, Any], given: Any, play: Play) -> Any:  # noqa: ANN401
    if kind == "Map":
        return _map(state, given, play)
    parameters = fill(state["Parameters"], given, play.context) if "Parameters" in state else given
    if kind == "Pass":
        return state.get("Result", parameters)
    if kind == "Parallel":
        return [run(branch, parameters, play) for branch in state["Branches"]]
    limit = state.get("TimeoutSeconds", 99_999_999)
    return play.task(state["Resource"], parameters, float(limit))


def _map(state: Mapping[str, Any], given: Any, play: Play) -> list[Any]:  # noqa: ANN401
    items = read(state.get("ItemsPath", "$"), given, play.context)
    if not isinstance(items, list):
        raise StatesError("States.Runtime", "Reference path must point to array")
    processor = state.get("ItemProcessor") or state["Iterator"]
    template = state.get("ItemSelector", state.get("Parameters"))
    results = []
    for index, value in enumerate(items):
        play.context["Map"] = {"Item": {"Index": index, "Value": value}}
        item = value if template is None else fill(template, given, play.context)
        results.append(run(processor, item, play))
    play.context.pop("Map", None)
    return results


def _tries_again(state: Mapping[str, Any], error: StatesError, attempts: dict[int, int], play: Play) -> bool:
    """Return whether a retrier takes the error; its pause takes no time, but counts as waited."""
    for index, retrier in enumerate(state.get("Retry", [])):
        if not _matches(retrier, error):
            continue
        done = attempts.get(index, 0)
        if done >= int(retrier.get("MaxAttempts", 3)):
            return False
        attempts[index] = done + 1
        pause = float(retrier.get("IntervalSeconds", 1)) * float(retrier.get("BackoffRate", 2.0)) ** done
        play.waited += min(pause, float(retrier.get("MaxDelaySeconds", pause)))
        play.context["State"]["RetryCount"] = done + 1
        return True
    return False


def _catcher(state: Mapping[str, Any], error: StatesError) -> Mapping[str, Any] | None:
    return next((one for one in state.get("Catch", []) if _matches(one, error)), None)


def _matches(rule: Mapping[str, Any], error: StatesError) -> bool:
    names = set(rule["ErrorEquals"])
    if error.error in names:
        return True
    failed = (
        "States.TaskFailed" in names
        and error.error != "States.Timeout"
        and not error.error.startswith("States.")
    )
    return failed or ("States.ALL" in names and error.error not in _NOT_CAUGHT)


def _selected(path: str | None, data: Any, play: Play) -> Any:  # noqa: ANN401
    return {} if path is None else read(path, data, play.context)


def _told(state: Mapping[str, Any], given: Any, play: Play, name: str) -> str:  # noqa: ANN401
    path = state.get(f"{name}Path")
    return str(read(path, given, play.context)) if path else str(state.get(name, ""))


def _seconds(state: Mapping[str, Any], given: Any, play: Play) -> float:  # noqa: ANN401
    if "Seconds" in state:
        return float(state["Seconds"])
    if "SecondsPath" in state:
        return float(read(state["SecondsPath"], given, play.context))
    until = state.get("Timestamp") or read(state["TimestampPath"], given, play.context)
    left = dt.datetime.fromisoformat(until) - dt.datetime.now(dt.UTC)
    return max(left.total_seconds(), 0.0)


def _now() -> str:
    return dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


# -- choices


def _choose(state: Mapping[str, Any], data: Any, play: Play) -> str:  # noqa: ANN401
    for rule in state["Choices"]:
        if _holds(rule, data, play):
            return str(rule["Next"])
    if "Default" not in state:
        raise StatesError(
            "States.NoChoiceMatched", "Failed to transition out of the state: no choice matched"
        )
    return str(state["Default"])


def _holds(rule: Mapping[str, Any], data: Any, play: Play) -> bool:  # noqa: ANN401
    if "And" in rule:
        return all(_holds(one, data, play) for one in rule["And"])
    if "Or" in rule:
        return any(_holds(one, data, play) for one in rule["Or"])
    if "Not" in rule:
        return not _holds(rule["Not"], data, play)
    (test,) = (name for name in rule if name not in {"Variable", "Next", "Comment"})
    if test == "IsPresent":
        return exists(rule["Variable"], data, play.context) is rule[test]
    value = read(rule["Variable"], data, play.context)
    wanted = rule[test]
    if test.endswith("Path"):
        test, wanted = test.removesuffix("Path"), read(wanted, data, play.context)
    return _compare(test, value, wanted)


_KINDS: dict[str, Callable[[Any], bool]] = {
    "String": lambda value: isinstance(value, str),
    "Numeric": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "Boolean": lambda value: isinstance(value, bool),
    "Timestamp": lambda value: isinstance(value, str) and re.match(r"\d{4}-\d\d-\d\dT", value) is not None,
    "Null": lambda value: value is None,
}


def _compare(test: str, value: Any, wanted: Any) -> bool:  # noqa: ANN401
    if test.startswith("Is"):
        return _KINDS[test.removeprefix("Is")](value) is wanted
    if test == "StringMatches":
        expression = "".join(
            ".*" if part == "*" else re.escape(part.replace("\\*", "*"))
            for part in re.split(r"((?<!\\)\*)", wanted)
        )
        return isinstance(value, str) and re.fullmatch(expression, value, re.DOTALL) is not None
    kind = next((one for one in _KINDS if test.startswith(one)), "")
    if not kind or not (_KINDS[kind](value) and _KINDS[kind](wanted)):
        return False
    how = test.removeprefix(kind)
    comparisons: dict[str, Callable[[], bool]] = {
        "Equals": lambda: value == wanted,
        "LessThan": lambda: value < wanted,
        "LessThanEquals": lambda: value <= wanted,
        "GreaterThan": lambda: value > wanted,
        "GreaterThanEquals": lambda: value >= wanted,
    }
    return comparisons[how]()


def as_text(value: Any) -> str:  # noqa: ANN401
    """Return JSON as Step Functions writes it."""
    return json.dumps(value, separators=(",", ":"))
