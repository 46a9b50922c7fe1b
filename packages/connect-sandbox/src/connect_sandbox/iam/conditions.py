"""IAM's condition operators.

Every condition of a statement must hold (AND); of several values of one key one must match (OR), and for a
negated operator none may (NOR). A key that is absent fails a positive operator and satisfies a negated or
…IfExists one. ``ForAllValues`` holds for an absent key, ``ForAnyValue`` does not. Source: AWS IAM User Guide,
"Condition operators" and "Set operators for multivalued context keys".
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Final

from connect_sandbox.iam.errors import MalformedPolicy, UnsupportedPolicy
from connect_sandbox.iam.patterns import Pattern, parse_pattern
from connect_sandbox.iam.request_context import ContextValue, RequestContext, UnknownConditionKey

_Lookup = Callable[[str], str | None]
#: (request's value, policy's value, variables' values) -> whether they match
_Test = Callable[[str, Pattern, _Lookup], bool]

_NAME: Final = re.compile(r"(?:(ForAllValues|ForAnyValue):)?([A-Za-z]+?)(IfExists)?")


@dataclass(frozen=True)
class Condition:
    """One operator, key and its values: ``{"StringEquals": {"aws:SourceAccount": ["123456789012"]}}``."""

    policy: str
    operator: str
    key: str
    values: tuple[Pattern, ...]

    def holds(self, context: RequestContext) -> bool:
        """Whether the condition holds; UnsupportedPolicy for a key that the sandbox does not know."""
        prefix, base, if_exists = _split(self.operator)
        actual = self._value(context, self.key)
        if base == "Null":
            return any((actual is None) == (value.text.lower() == "true") for value in self.values)
        test, negated = _OPERATORS[base]
        if actual is None:
            return if_exists or prefix == "ForAllValues" or (negated and prefix is None)
        return self._compare(actual, test, negated, prefix, context)

    def _compare(
        self, actual: ContextValue, test: _Test, negated: bool, prefix: str | None, context: RequestContext
    ) -> bool:
        def one(value: str) -> bool:
            hit = any(test(value, wanted, lambda key: self._variable(context, key)) for wanted in self.values)
            return hit is not negated

        if prefix is None:
            if isinstance(actual, tuple):
                raise UnsupportedPolicy(
                    self.policy,
                    f"operator {self.operator} on the multivalued key {self.key}",
                    "IAM leaves it undefined; write ForAnyValue: or ForAllValues: before the operator",
                )
            return one(actual)
        many = actual if isinstance(actual, tuple) else (actual,)
        return all(map(one, many)) if prefix == "ForAllValues" else any(map(one, many))

    def _value(self, context: RequestContext, key: str) -> ContextValue | None:
        try:
            return context.get(key)
        except UnknownConditionKey:
            raise UnsupportedPolicy(
                self.policy,
                f"condition key {key} ({self.operator})",
                "the sandbox neither has its value for this call nor knows that AWS leaves it out",
            ) from None

    def _variable(self, context: RequestContext, key: str) -> str | None:
        value = self._value(context, key)
        if isinstance(value, tuple):
            raise UnsupportedPolicy(
                self.policy, f"variable ${{{key}}}", "a multivalued key cannot be a variable"
            )
        return value


def parse_conditions(policy: str, document: object, *, variables: bool) -> tuple[Condition, ...]:
    """Read a Condition element, refusing by name what cannot be evaluated."""
    if not isinstance(document, dict):
        raise MalformedPolicy(policy, f"Condition is {document!r}", 'Write {"Operator": {"key": value}}.')
    conditions: list[Condition] = []
    for operator, keys in document.items():
        _check_operator(policy, operator)
        if not isinstance(keys, dict) or not keys:
            raise MalformedPolicy(policy, f"{operator} is {keys!r}", 'Write {"key": value or [values]}.')
        for key, value in keys.items():
            texts = _texts(policy, operator, key, value)
            _check_values(policy, operator, key, texts)
            patterns = tuple(parse_pattern(text, variables=variables) for text in texts)
            conditions.append(Condition(policy, operator, key, patterns))
    return tuple(conditions)


def _check_operator(policy: str, operator: str) -> None:
    prefix, base, if_exists = _split(operator)
    if base == "Null" and not if_exists and prefix is None:
        return
    if base not in _OPERATORS:
        raise UnsupportedPolicy(
            policy, f"condition operator {operator}", f"known are {', '.join(sorted(_OPERATORS))} and Null"
        )


def _texts(policy: str, operator: str, key: str, value: object) -> list[str]:
    items = value if isinstance(value, list) else [value]
    if not items:
        raise MalformedPolicy(policy, f"{operator} {key} has no value", "Give at least one.")
    texts: list[str] = []
    for item in items:
        if isinstance(item, bool):
            texts.append("true" if item else "false")
        elif isinstance(item, str | int | float):
            texts.append(str(item))
        else:
            raise MalformedPolicy(
                policy, f"{operator} {key} has the value {item!r}", "Write text or a number."
            )
    return texts


def _check_values(policy: str, operator: str, key: str, texts: list[str]) -> None:
    """Refuse what IAM refuses: a malformed number, date, boolean or network."""
    _, base, _ = _split(operator)
    check = next((reader for name, reader in _READERS.items() if base.startswith(name)), None)
    for text in texts:
        if check is not None and "${" not in text and check(text) is None:
            raise MalformedPolicy(
                policy, f"{operator} {key} has the value {text!r}", f"It is no {base} value."
            )


def _split(operator: str) -> tuple[str | None, str, bool]:
    found = _NAME.fullmatch(operator)
    return (found.group(1), found.group(2), found.group(3) is not None) if found else (None, operator, False)


def _equal(value: str, wanted: Pattern, lookup: _Lookup) -> bool:
    return wanted.literal(lookup) == value


def _equal_ignoring_case(value: str, wanted: Pattern, lookup: _Lookup) -> bool:
    text = wanted.literal(lookup)
    return text is not None and text.casefold() == value.casefold()


def _like(value: str, wanted: Pattern, lookup: _Lookup) -> bool:
    return wanted.matches(value, lookup)


def _arn_like(value: str, wanted: Pattern, lookup: _Lookup) -> bool:
    """Compare the six parts of an ARN separately: a star never matches across the first five colons."""
    actual = value.split(":", 5)
    parts = _arn_parts(wanted)
    if len(actual) != 6 or parts is None:
        return False
    return all(part.matches(piece, lookup) for part, piece in zip(parts, actual, strict=True))


def _arn_parts(wanted: Pattern) -> tuple[Pattern, ...] | None:
    """Split a pattern at its first five colons, leaving the colons inside ``${aws:…}`` alone."""
    parts: list[list[object]] = [[]]
    for part in wanted.parts:
        if not isinstance(part, str):
            parts[-1].append(part)
            continue
        head, *rest = part.split(":", 6 - len(parts))
        parts[-1].append(head)
        for piece in rest:
            parts.append([piece])  # noqa: PERF401  (a list of lists of object, which a comprehension is not)
    return (
        tuple(Pattern(wanted.text, tuple(p for p in part if p != "")) for part in parts)
        if len(parts) == 6
        else None
    )


def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _date(text: str) -> Decimal | None:
    """Return the seconds since 1970 of an ISO 8601 date or a number of seconds."""
    if (seconds := _number(text)) is not None:
        return seconds
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return Decimal(str((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()))


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def _boolean(text: str) -> str | None:
    return text.lower() if text.lower() in {"true", "false"} else None


def _ordered(read: Callable[[str], Decimal | None], compare: Callable[[Decimal, Decimal], bool]) -> _Test:
    def test(value: str, wanted: Pattern, lookup: _Lookup) -> bool:
        text = wanted.literal(lookup)
        left, right = read(value), read(text) if text is not None else None
        return left is not None and right is not None and compare(left, right)

    return test


def _in_network(value: str, wanted: Pattern, lookup: _Lookup) -> bool:
    text = wanted.literal(lookup)
    network = _network(text) if text is not None else None
    address = _network(value)
    if network is None or address is None or network.version != address.version:
        return False
    return address.network_address in network


def _same_boolean(value: str, wanted: Pattern, lookup: _Lookup) -> bool:
    text = wanted.literal(lookup)
    return text is not None and _boolean(value) is not None and _boolean(value) == _boolean(text)


_READERS: Final[dict[str, Callable[[str], object]]] = {
    "Numeric": _number,
    "Date": _date,
    "IpAddress": _network,
    "NotIpAddress": _network,
    "Bool": _boolean,
    "Null": _boolean,
}

_COMPARISONS: Final[dict[str, Callable[[Decimal, Decimal], bool]]] = {
    "LessThan": lambda a, b: a < b,
    "LessThanEquals": lambda a, b: a <= b,
    "GreaterThan": lambda a, b: a > b,
    "GreaterThanEquals": lambda a, b: a >= b,
}

#: Operator without prefix and suffix -> (test, whether it is negated)
_OPERATORS: Final[dict[str, tuple[_Test, bool]]] = {
    "StringEquals": (_equal, False),
    "StringNotEquals": (_equal, True),
    "StringEqualsIgnoreCase": (_equal_ignoring_case, False),
    "StringNotEqualsIgnoreCase": (_equal_ignoring_case, True),
    "StringLike": (_like, False),
    "StringNotLike": (_like, True),
    "ArnEquals": (_arn_like, False),
    "ArnLike": (_arn_like, False),
    "ArnNotEquals": (_arn_like, True),
    "ArnNotLike": (_arn_like, True),
    "Bool": (_same_boolean, False),
    "IpAddress": (_in_network, False),
    "NotIpAddress": (_in_network, True),
    **{
        f"{kind}{name}": (_ordered(read, compare), False)
        for kind, read in (("Numeric", _number), ("Date", _date))
        for name, compare in _COMPARISONS.items()
    },
    **{
        f"{kind}{name}": (_ordered(read, lambda a, b: a == b), name == "NotEquals")
        for kind, read in (("Numeric", _number), ("Date", _date))
        for name in ("Equals", "NotEquals")
    },
}
