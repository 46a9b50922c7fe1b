"""Parses JSON without ever raising: what is wrong with the document becomes a list of problems."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

MAX_TEXT = 4_000_000
"""The most characters that are read; the largest flow (256,000 compact) is well below even with indentation."""
MAX_DEPTH = 40
"""The deepest nesting that is read; the deepest real block (ShowView with a form) has 12 levels."""
MAX_NODES = 500_000
"""The most values that are read."""


@dataclass(frozen=True)
class Problem:
    """A problem with the document, with the linter's rule id; ``fatal`` if nothing more can be checked."""

    rule: str
    message: str
    fix: str
    path: str = ""
    fatal: bool = True


@dataclass
class Reading:
    """The document, if there is one, and the problems found on the way."""

    document: Mapping[str, Any] | None = None
    problems: list[Problem] = field(default_factory=list)
    text_length: int | None = None


def read(source: str | bytes | Mapping[str, Any]) -> Reading:
    """Return what the source holds."""
    reading = Reading()
    value = source if isinstance(source, Mapping) else _parsed(source, reading)
    if reading.problems and any(p.fatal for p in reading.problems):
        return reading
    if not isinstance(value, Mapping):
        reading.problems.append(
            Problem(
                "CF002",
                f"the document is {_kind(value)}, not a JSON object",
                "write an object with Version, StartAction and Actions",
            )
        )
        return reading
    problem = _unreadable(value)
    if problem is not None:
        reading.problems.append(problem)
        return reading
    reading.document = value
    return reading


def _parsed(source: object, reading: Reading) -> object:
    text = _text(source, reading)
    if text is None:
        return None
    reading.text_length = len(text)
    if len(text) > MAX_TEXT:
        reading.problems.append(
            Problem(
                "CF006",
                f"the text has {len(text)} characters; more than {MAX_TEXT} are not read",
                "split the flow; Amazon Connect takes 256000 characters",
            )
        )
        return None
    duplicates: set[str] = set()

    def unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
        made: dict[str, object] = {}
        for key, value in pairs:
            if key in made:
                duplicates.add(key)
            made[key] = value
        return made

    def constant(name: str) -> object:
        raise ValueError(f"{name} is not JSON")

    try:
        value: object = json.loads(text, object_pairs_hook=unique, parse_constant=constant)
    except RecursionError:
        reading.problems.append(Problem("CF007", "the JSON is nested too deeply to be read", _FLATTEN))
        return None
    except ValueError as problem:
        reading.problems.append(
            Problem("CF001", f"the text is not JSON: {str(problem)[:150]}", "correct the JSON at that place")
        )
        return None
    for key in sorted(duplicates)[:20]:
        shown = "".join(c if c.isprintable() else "?" for c in key[:60])
        reading.problems.append(
            Problem(
                "CF010",
                f'the key "{shown}" occurs twice in one object; the first value is lost',
                "remove one of them",
                fatal=False,
            )
        )
    return value


def _text(source: object, reading: Reading) -> str | None:
    if isinstance(source, str):
        return source.removeprefix("\ufeff")
    if isinstance(source, bytes | bytearray):
        try:
            return bytes(source).decode("utf-8-sig")
        except UnicodeDecodeError as problem:
            reading.problems.append(
                Problem(
                    "CF001", f"the bytes are not UTF-8 at position {problem.start}", "save the file as UTF-8"
                )
            )
            return None
    reading.problems.append(
        Problem(
            "CF001", f"the source is {_kind(source)}, not text or a mapping", "pass the JSON text of the flow"
        )
    )
    return None


def _unreadable(document: Mapping[str, Any]) -> Problem | None:
    stack: list[tuple[object, int]] = [(document, 1)]
    seen = 0
    while stack:
        value, depth = stack.pop()
        seen += 1
        if depth > MAX_DEPTH:
            return Problem("CF007", f"the JSON is nested more than {MAX_DEPTH} levels deep", _FLATTEN)
        if seen > MAX_NODES:
            return Problem("CF006", f"the document has more than {MAX_NODES} values", "split the flow")
        if isinstance(value, Mapping):
            stack.extend((v, depth + 1) for v in value.values())
        elif isinstance(value, list | tuple):
            stack.extend((v, depth + 1) for v in value)
    return None


_FLATTEN = "take the needless levels out; Amazon Connect needs fewer than 20"


def _kind(value: object) -> str:
    return {"dict": "an object", "list": "a list", "str": "a string", "NoneType": "null"}.get(
        type(value).__name__, f"a {type(value).__name__}"
    )
