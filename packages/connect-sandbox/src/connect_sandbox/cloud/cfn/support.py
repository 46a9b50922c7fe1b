"""Which resource types and properties the sandbox emulates: the tables, and the check against them.

A property is supported (it takes effect), recorded (kept without effect, for a stated reason), or unknown:
then the deployment is refused by name before anything is created.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from connect_sandbox.cloud.values import Member


@dataclass(frozen=True)
class Supported:
    """The property has the same effect as on AWS."""


@dataclass(frozen=True)
class Recorded:
    """The property is kept and shown, without effect on a laptop."""

    reason: str


@dataclass(frozen=True)
class Only:
    """A property that is supported for some values only; without values it is always refused by name."""

    values: tuple[Any, ...]
    reason: str


@dataclass(frozen=True)
class Matching:
    """A property that is supported for values of one form, a regular expression."""

    form: str
    reason: str


@dataclass(frozen=True)
class Nested:
    """A structure, or a list of structures, whose members have a table of their own."""

    members: Mapping[str, Support]


Support = Supported | Recorded | Only | Matching | Nested
PropertyTable = Mapping[str, Support]

SUPPORTED = Supported()
TAGS = Recorded("tags are kept; nothing is billed or searched by them here")
_INTRINSIC = "Fn::"


def unsupported_properties(
    table: PropertyTable, properties: Member, path: str = ""
) -> Iterator[tuple[str, str]]:
    """Yield (property path, reason) for each property of an unresolved template that the table does not cover."""
    if isinstance(properties, list):
        for item in properties:
            yield from unsupported_properties(table, item, path)
        return
    if not isinstance(properties, dict):
        return
    branches = _branches(properties)
    if branches is not None:
        for branch in branches:
            yield from unsupported_properties(table, branch, path)
        return
    for name, value in properties.items():
        where = f"{path}.{name}" if path else name
        support = table.get(name)
        if support is None:
            yield where, f"it would have no effect here (known: {', '.join(sorted(table))})"
        else:
            yield from _unsupported_value(support, value, where)


def describe(table: PropertyTable, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield (property path, "supported" or "recorded: reason" ...) for a table, for documentation."""
    for name, support in table.items():
        where = f"{path}.{name}" if path else name
        if isinstance(support, Nested):
            yield from describe(support.members, where)
        elif isinstance(support, Recorded):
            yield where, f"recorded: {support.reason}"
        elif isinstance(support, Only):
            allowed = ", ".join(
                dict.fromkeys(
                    str(value).lower() if value in {True, False} else str(value) for value in support.values
                )
            )
            yield where, f"only {allowed}: {support.reason}" if allowed else f"refused: {support.reason}"
        elif isinstance(support, Matching):
            yield where, f"only {support.form}: {support.reason}"
        else:
            yield where, "supported"


def _unsupported_value(support: Support, value: Member, where: str) -> Iterator[tuple[str, str]]:
    if isinstance(support, Nested):
        yield from unsupported_properties(support.members, value, where)
    elif isinstance(support, Matching):
        if isinstance(value, str) and not re.fullmatch(support.form, value):
            yield f"{where}={value}", support.reason
    elif isinstance(support, Only) and not support.values:
        yield where, support.reason
    elif isinstance(support, Only):
        yield from _unsupported_values(support, value, where)


def _unsupported_values(support: Only, value: Any, where: str) -> Iterator[tuple[str, str]]:  # noqa: ANN401
    if isinstance(value, dict):
        for branch in _branches(value) or []:
            yield from _unsupported_values(support, branch, where)
        return
    for item in value if isinstance(value, list) else [value]:
        if not isinstance(item, dict) and item not in support.values:
            yield f"{where}={item}", support.reason


def _branches(value: dict[str, Any]) -> list[Any] | None:
    """Return what an intrinsic function may yield, as far as that is known, or None if `value` is not one."""
    if len(value) != 1:
        return None
    name, argument = next(iter(value.items()))
    if name == "Fn::If":
        return list(argument[1:])
    return [] if name == "Ref" or name.startswith(_INTRINSIC) else None
