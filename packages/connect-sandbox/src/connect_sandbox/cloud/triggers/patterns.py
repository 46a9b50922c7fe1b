"""Event patterns: whether an event matches one (EventBridge user guide, "Creating event patterns")."""

from __future__ import annotations

import ipaddress
import operator
import re
from collections.abc import Callable, Iterator
from typing import Any

from connect_sandbox.cloud.errors import AwsError

_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "=": operator.eq, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
_ABSENT = object()


def matches(pattern: dict[str, Any], event: Any) -> bool:  # noqa: ANN401  (any JSON)
    """Return whether the event has, for each field of the pattern, one of the values that the pattern lists."""
    given = event if isinstance(event, dict) else {}
    for name, wanted in pattern.items():
        if name == "$or":
            if not any(matches(choice, given) for choice in wanted):
                return False
        elif isinstance(wanted, dict):
            inner = given.get(name, {})
            if not any(matches(wanted, one) for one in (inner if isinstance(inner, list) else [inner])):
                return False
        elif not _field(wanted, given.get(name, _ABSENT)):
            return False
    return True


def check_pattern(pattern: Any, path: str = "") -> None:  # noqa: ANN401
    """Raise InvalidEventPatternException for a pattern that EventBridge refuses."""
    if not isinstance(pattern, dict) or not pattern:
        raise _invalid(f"{path or 'the pattern'} must be an object with at least one field")
    for name, wanted in pattern.items():
        where = f"{path}.{name}" if path else name
        if name == "$or":
            for choice in wanted:
                check_pattern(choice, where)
        elif isinstance(wanted, dict):
            check_pattern(wanted, where)
        elif not isinstance(wanted, list) or not wanted:
            raise _invalid(f"{where} must be an object or a list of values that is not empty")
        else:
            for rule in wanted:
                _check_rule(rule, where)


def _check_rule(rule: Any, where: str) -> None:  # noqa: ANN401
    if isinstance(rule, list):
        raise _invalid(f"{where} lists a list")
    if isinstance(rule, dict):
        unknown = [name for name in rule if name not in _RULES]
        if unknown or len(rule) != 1:
            raise _invalid(f"{where}: unrecognized match type {', '.join(unknown) or list(rule)}")


def _invalid(why: str) -> AwsError:
    return AwsError("InvalidEventPatternException", f"Event pattern is not valid. Reason: {why}")


def _field(wanted: list[Any], given: Any) -> bool:  # noqa: ANN401
    values = given if isinstance(given, list) else [given]
    return any(_rule(rule, value) for rule in wanted for value in (values or [_ABSENT]))


def _rule(rule: Any, value: Any) -> bool:  # noqa: ANN401
    if not isinstance(rule, dict):
        return (value is not _ABSENT and type(rule) is type(value) and rule == value) or _same_number(
            rule, value
        )
    ((name, argument),) = rule.items()
    return _RULES[name](argument, value)


def _same_number(rule: Any, value: Any) -> bool:  # noqa: ANN401
    numbers = [one for one in (rule, value) if isinstance(one, int | float) and not isinstance(one, bool)]
    return len(numbers) == 2 and rule == value


def _exists(argument: bool, value: Any) -> bool:  # noqa: ANN401
    return (value is not _ABSENT and not isinstance(value, dict)) is bool(argument)


def _text(test: Callable[[str, str], bool]) -> Callable[[Any, Any], bool]:
    def run(argument: Any, value: Any) -> bool:  # noqa: ANN401
        if not isinstance(value, str):
            return False
        if isinstance(argument, dict):
            return test(str(argument["equals-ignore-case"]).lower(), value.lower())
        return test(str(argument), value)

    return run


def _anything_but(argument: Any, value: Any) -> bool:  # noqa: ANN401
    if value is _ABSENT:
        return False
    if isinstance(argument, dict):
        ((name, inner),) = argument.items()
        return not any(_RULES[name](one, value) for one in (inner if isinstance(inner, list) else [inner]))
    return value not in (argument if isinstance(argument, list) else [argument])


def _numeric(argument: list[Any], value: Any) -> bool:  # noqa: ANN401
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return all(_COMPARISONS[sign](value, limit) for sign, limit in _pairs(argument))


def _pairs(items: list[Any]) -> Iterator[tuple[str, float]]:
    yield from zip(items[::2], items[1::2], strict=True)


def _wildcard(argument: Any, value: Any) -> bool:  # noqa: ANN401
    expression = "".join(
        ".*" if part == "*" else re.escape(part) for part in re.split(r"(\*)", str(argument))
    )
    return isinstance(value, str) and re.fullmatch(expression, value, re.DOTALL) is not None


def _cidr(argument: Any, value: Any) -> bool:  # noqa: ANN401
    try:
        return isinstance(value, str) and ipaddress.ip_address(value) in ipaddress.ip_network(argument)
    except ValueError:
        return False


_RULES: dict[str, Callable[[Any, Any], bool]] = {
    "exists": _exists,
    "prefix": _text(lambda start, value: value.startswith(start)),
    "suffix": _text(lambda end, value: value.endswith(end)),
    "equals-ignore-case": _text(lambda wanted, value: value.lower() == wanted.lower()),
    "anything-but": _anything_but,
    "numeric": _numeric,
    "wildcard": _wildcard,
    "cidr": _cidr,
}
