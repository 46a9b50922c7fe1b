"""JSONPath and intrinsic functions, as the Amazon States Language uses them."""

from __future__ import annotations

import base64
import hashlib
import json
import random
import re
import uuid
from collections.abc import Callable
from typing import Any

_STEP = re.compile(r"\.\.?([A-Za-z_][\w-]*)|\['([^']+)'\]|\[(-?\d+)\]|(\[\*\]|\.\*)|\[(-?\d*):(-?\d*)\]")
_INTRINSIC = re.compile(r"^States\.(\w+)\((.*)\)$", re.DOTALL)


class StatesError(Exception):
    """An error by name, which Retry and Catch can match."""

    def __init__(self, error: str, cause: str = "") -> None:
        """`error` is a name such as States.TaskFailed; `cause` is free text."""
        self.error = error
        self.cause = cause
        super().__init__(f"{error}: {cause}")


def read(path: str, data: Any, context: Any) -> Any:  # noqa: ANN401  (any JSON)
    """Return what a reference path selects of the state's data, or of the context object if it begins with $$."""
    if path.startswith("$$"):
        data, path = context, path[1:]
    rest, found, many = path[1:], [data], False
    while rest:
        step = _STEP.match(rest)
        if step is None:
            raise StatesError("States.Runtime", f"Invalid path '{path}': it is not reproduced here")
        found, many = _step(step, found, many, path)
        rest = rest[step.end() :]
    return found if many else found[0]


def _step(step: re.Match[str], found: list[Any], many: bool, path: str) -> tuple[list[Any], bool]:
    name, index = step[1] or step[2], step[3]
    if step[4] is not None:
        return [one for each in found for one in (each.values() if isinstance(each, dict) else each)], True
    if step[5] is not None:
        start, end = (int(one) if one else None for one in (step[5], step[6]))
        return [one for each in found for one in each[start:end]], True
    taken = []
    for each in found:
        try:
            taken.append(each[name] if name is not None else each[int(index)])
        except (KeyError, IndexError, TypeError):
            if not many:
                message = f"The JSONPath '{path}' could not be found in the input '{json.dumps(found[0])}'"
                raise StatesError("States.ParameterPathFailure", message) from None
    return taken, many


def exists(path: str, data: Any, context: Any) -> bool:  # noqa: ANN401
    """Return whether a path selects something."""
    try:
        read(path, data, context)
    except StatesError:
        return False
    return True


def write(path: str, data: Any, value: Any) -> Any:  # noqa: ANN401
    """Return the data with a value put at a reference path (ResultPath)."""
    names = [step[1] or step[2] for step in _STEP.finditer(path[1:])]
    if not names:
        return value
    made = dict(data) if isinstance(data, dict) else {}
    inner = made
    for name in names[:-1]:
        inner[name] = dict(inner.get(name) or {})
        inner = inner[name]
    inner[names[-1]] = value
    return made


def fill(template: Any, data: Any, context: Any) -> Any:  # noqa: ANN401
    """Return a payload template (Parameters, ResultSelector) with the values of its names that end in `.$`."""
    if isinstance(template, list):
        return [fill(one, data, context) for one in template]
    if not isinstance(template, dict):
        return template
    filled = {}
    for name, value in template.items():
        if name.endswith(".$"):
            filled[name[:-2]] = evaluate(str(value), data, context)
        else:
            filled[name] = fill(value, data, context)
    return filled


def evaluate(expression: str, data: Any, context: Any) -> Any:  # noqa: ANN401
    """Return the value of a path or an intrinsic function."""
    expression = expression.strip()
    if expression.startswith("$"):
        return read(expression, data, context)
    found = _INTRINSIC.match(expression)
    if found is None:
        return _literal(expression)
    if found[1] not in _FUNCTIONS:
        raise StatesError("States.Runtime", f"States.{found[1]} is not reproduced here")
    arguments = [evaluate(one, data, context) for one in _split(found[2])]
    try:
        return _FUNCTIONS[found[1]](*arguments)
    except (TypeError, ValueError, KeyError, IndexError) as error:
        raise StatesError("States.IntrinsicFailure", f"{expression}: {error}") from error


def _literal(text: str) -> Any:  # noqa: ANN401
    if text.startswith("'") and text.endswith("'"):
        return re.sub(r"\\(.)", r"\1", text[1:-1])
    try:
        return json.loads(text)
    except ValueError:
        raise StatesError("States.Runtime", f"{text!r} is no path, function or value") from None


def _split(text: str) -> list[str]:
    """Split arguments at commas that are in no quotes and no brackets."""
    parts, depth, quoted, start = [], 0, False, 0
    for index, sign in enumerate(text):
        if sign == "'" and text[index - 1 : index] != "\\":
            quoted = not quoted
        elif not quoted and sign in "([":
            depth += 1
        elif not quoted and sign in ")]":
            depth -= 1
        elif not quoted and not depth and sign == ",":
            parts.append(text[start:index])
            start = index + 1
    return [*parts, text[start:]] if text.strip() else []


def _format(template: str, *values: Any) -> str:  # noqa: ANN401
    parts = template.split("{}")
    if len(parts) != len(values) + 1:
        raise ValueError(f"{len(parts) - 1} places for {len(values)} values")
    texts = [value if isinstance(value, str) else json.dumps(value) for value in values]
    return "".join(part + text for part, text in zip(parts, [*texts, ""], strict=True))


def _merge(first: dict[str, Any], second: dict[str, Any], _deep: bool = False) -> dict[str, Any]:
    return {**first, **second}


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "Array": lambda *values: list(values),
    "ArrayContains": lambda array, value: value in array,
    "ArrayGetItem": lambda array, index: array[index],
    "ArrayLength": len,
    "ArrayPartition": lambda array, size: [array[i : i + size] for i in range(0, len(array), size)],
    "ArrayRange": lambda first, last, step: list(range(first, last + (1 if step > 0 else -1), step)),
    "ArrayUnique": lambda array: [one for index, one in enumerate(array) if one not in array[:index]],
    "Base64Decode": lambda text: base64.b64decode(text).decode(),
    "Base64Encode": lambda text: base64.b64encode(text.encode()).decode(),
    "Format": _format,
    "Hash": lambda text, name: hashlib.new(name.replace("-", "").lower(), text.encode()).hexdigest(),
    "JsonMerge": _merge,
    "JsonToString": lambda value: json.dumps(value, separators=(",", ":")),
    "MathAdd": lambda first, second: first + second,
    "MathRandom": lambda low, high, *_seed: random.randrange(low, high),  # noqa: S311
    "StringSplit": lambda text, sign: [one for one in re.split(f"[{re.escape(sign)}]", text) if one],
    "StringToJson": json.loads,
    "UUID": lambda: str(uuid.uuid4()),
}
