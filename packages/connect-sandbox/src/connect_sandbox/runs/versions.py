"""Every version of the run file, and how one becomes the next. A change of the format adds a version and an upgrade."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from connect_sandbox.runs.events import FORMAT, VERSION

_CALLED = re.compile(r"(?P<customer>\S+) calls (?P<system>\S+)")
_CALLS = re.compile(r"is called at (?P<customer>\S+) from (?P<system>\S+)")
_CHANNELS = {"starts a chat": "CHAT", "a task is created": "TASK", "writes an e-mail": "EMAIL"}


class RunFileError(ValueError):
    """The file is no run that can be read; the message says why and what to do."""


def load_events(path: Path) -> list[dict[str, Any]]:
    """Return the events of a file; RunFileError if it is no run, or cannot be read."""
    try:
        text = path.read_bytes().decode("utf-8", "replace")  # it may be cut off within a character
    except OSError as problem:
        raise RunFileError(f"{path} cannot be read: {problem.strerror}") from problem
    return read_events(text, str(path))


def read_events(text: str, name: str) -> list[dict[str, Any]]:
    """Return the events of a run file of any version as the present one has them. name: of the file, for errors.

    A last line that was cut off is left out. Raises RunFileError.
    """
    first, _, _ = text.partition("\n")
    try:
        begins = json.loads(first)
    except ValueError:
        begins = None
    if isinstance(begins, dict) and begins.get("event") == "run":
        found: Any = _lines(text, name)
        version = begins.get("version")
    else:
        found, version = _document(text, name), 0
    return upgraded(found, version, name)


def upgraded(found: Any, version: object, name: str) -> list[dict[str, Any]]:  # noqa: ANN401 (each version's own)
    """Return what a file of that version says as the present version says it; RunFileError if it is newer."""
    if not isinstance(version, int) or isinstance(version, bool) or version < 0:
        raise RunFileError(f"{name} says version {version!r}; a run file has a whole number there")
    if version > VERSION:
        raise RunFileError(
            f"{name} is a run of version {version}, and this connect-sandbox reads versions 0 to {VERSION}: "
            "read it with a newer one (pip install --upgrade connect-sandbox)"
        )
    for step in range(version, VERSION):
        found = UPGRADES[step](found)
    events: list[dict[str, Any]] = found
    return events


def _lines(text: str, name: str) -> list[dict[str, Any]]:
    lines = text.split("\n")
    whole = len(lines) - 1
    found = []
    for number, line in enumerate(lines, 1):
        try:
            event: Any = json.loads(line)
        except ValueError:
            if number > whole:  # nothing, or cut off while it was written
                break
            raise RunFileError(f"{name}, line {number}: it is no JSON, so the file is damaged") from None
        if not isinstance(event, dict) or not isinstance(event.get("event"), str):
            raise RunFileError(f"{name}, line {number}: it is no event, so the file is damaged")
        found.append(event)
    return found


def _document(text: str, name: str) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except ValueError:
        document = None
    if not isinstance(document, dict) or not isinstance(document.get("scenarios"), list):
        raise RunFileError(
            f"{name} is no run: it begins neither with the line of a run file nor is it a report.json of scenarios"
        )
    return document


# -- version 0: {"scenarios": [{"name", "outcome", "seconds", "transcript"}]}, one document without events


def _from_report(document: dict[str, Any]) -> list[dict[str, Any]]:
    """Return a report of scenarios as events: contacts begin where the transcript says so, flows go by their names."""
    found: list[dict[str, Any]] = []

    def tell(event: str, time: float, **fields: Any) -> None:  # noqa: ANN401 (JSON)
        told = {name: value for name, value in fields.items() if value is not None}
        found.append({"event": event, "n": len(found), "time": round(time, 3), **told})

    tell("run", 0.0, format=FORMAT, version=1, started="", title="report.json", program="")
    time = 0.0
    passed = 0
    for scenario in document["scenarios"]:
        name, seconds = scenario["name"], float(scenario["seconds"])
        tell("scenario", time, scenario=name, shows="")
        time += seconds
        failure = None
        for event, fields in _transcript(name, scenario["transcript"]):
            tell(event, time, scenario=name, **fields)
            if (fields.get("who"), fields.get("kind")) == ("rehearsal", "ends"):
                failure = str(fields["text"]).removeprefix("failed: ")
        failed = scenario["outcome"] != "passed"
        passed += not failed
        tell(
            "scenario-ended", time, scenario=name, outcome=scenario["outcome"], seconds=seconds,
            failure=(failure or "") if failed else None,
        )  # fmt: skip
    tell("run-ended", time, passed=passed, failed=len(document["scenarios"]) - passed, seconds=round(time, 3))
    return found


def _transcript(scenario: str, entries: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    numbers, calls = itertools.count(1), itertools.count(1)
    contact: str | None = None
    flows: set[str] = set()
    here: tuple[str, str] | None = None
    for entry in entries:
        flow, block, data = entry.get("flow"), entry.get("block"), entry.get("data", {})
        of_contact = {"contact": contact, "at": entry["at"]}
        if flow and (contact is None or (entry["kind"] == "flow" and _begins(entry))):
            contact, here = f"{scenario}#{next(numbers)}", None
            of_contact["contact"] = contact
            yield "contact", {**of_contact, **_contact(entry), "flow": flow}
        if flow and flow not in flows:
            flows.add(flow)
            yield "flow", {**of_contact, "flow": flow, "name": flow, "type": ""}
        if flow and block and (flow, block) != here:
            here = (flow, block)
            yield "block", {**of_contact, "flow": flow, "block": block}
        whose = of_contact if contact and entry["who"] != "rehearsal" else {}
        told: dict[str, Any] = {
            key: entry[key] for key in ("who", "kind", "text", "flow", "block", "data") if key in entry
        }
        yield "entry", {**whose, **told}
        if not whose:
            continue
        match entry["kind"]:
            case "attributes" if isinstance(data.get("attributes"), dict):
                yield "attributes", {**whose, "set": data["attributes"], "removed": []}
            case "invokes" if "function" in data:
                invoked = {"function": data["function"], "invocation": f"{contact}/{next(calls)}"}
                yield "function", {**whose, **invoked, "block": block}
                ended = {key: data[key] for key in ("answer", "error", "milliseconds") if key in data}
                yield "function-ended", {**whose, **invoked, **ended}
            case "ends" if "how" in data:
                yield "contact-ended", {**whose, "how": data["how"], "queue": data.get("queue")}


def _begins(entry: dict[str, Any]) -> bool:
    text = entry["text"]
    return bool(_CALLED.fullmatch(text) or _CALLS.fullmatch(text) or text in _CHANNELS)


def _contact(entry: dict[str, Any]) -> dict[str, Any]:
    text = entry["text"]
    if found := _CALLED.fullmatch(text):
        return {"channel": "VOICE", **found.groupdict(), "initiation": "INBOUND"}
    if found := _CALLS.fullmatch(text):
        return {"channel": "VOICE", **found.groupdict(), "initiation": "OUTBOUND"}
    return {"channel": _CHANNELS.get(text, "VOICE")}


UPGRADES: dict[int, Callable[[Any], Any]] = {0: _from_report}
"""Version -> what makes the next version of what a file of it says."""
