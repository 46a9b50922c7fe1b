"""Filter policies of SNS subscriptions, on message attributes or on the message's body.

Sources: Amazon SNS developer guide, "Amazon SNS subscription filter policies" and "Filter policy constraints"; what SNS
says of a policy that it refuses, and how it reads bodies, was recorded from AWS (tests/sandbox/fidelity in this
project's repository).
"""

from __future__ import annotations

import ipaddress
import json
import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from connect_sandbox.cloud.errors import AwsError

#: A policy may have so many names, and so many combinations of its values.
MOST_KEYS = 5
MOST_COMBINATIONS = 150
SCOPES = ("MessageAttributes", "MessageBody")
_ABSENT = object()
_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "=": operator.eq, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
Rule = Callable[[Any], bool]


@dataclass(frozen=True)
class Attribute:
    """A message attribute: its type (String, String.Array, Number, Binary, each with a label or without) and value.

    A binary value is in base64.
    """

    type: str
    value: str

    @property
    def compared(self) -> Any:  # noqa: ANN401  (any JSON)
        """The value as filter policies see it; nothing for a binary one, and for an array that is no JSON."""
        kind = self.type.partition(".")[0]
        try:
            if kind == "Binary":
                return _ABSENT
            if kind == "Number":
                return float(self.value)
            return json.loads(self.value) if self.type == "String.Array" else self.value
        except ValueError:
            return _ABSENT


@dataclass(frozen=True)
class _Choice:
    """One way to satisfy a policy: each name (with dots, for what is nested) satisfies one of its rules."""

    rules: tuple[tuple[str, tuple[Rule, ...]], ...]


class FilterPolicy:
    """A filter policy: every name in it must have a value that one of the name's rules takes."""

    def __init__(
        self, policy: Mapping[str, Any], *, scope: str = "MessageAttributes", prefix: str = ""
    ) -> None:
        """Read a policy; InvalidParameter in SNS's words if it refuses it.

        `prefix` comes before the reason: "Attributes Reason: " for Subscribe.
        """
        self._prefix = prefix
        self._scope = scope
        choices = list(self._choices(policy, ""))
        if scope == "MessageAttributes" and _nested(policy):
            raise AwsError(
                "InvalidParameter",
                f"Invalid parameter: {prefix}Filter policy scope {scope} does not support nested filter policy",
            )
        if len(set(_names(policy))) > MOST_KEYS:
            raise self._invalid(f"Filter policy can not have more than {MOST_KEYS} keys")
        if _combinations(policy) > MOST_COMBINATIONS:
            raise self._invalid("Filter policy is too complex")
        self._accepted = [_Choice(tuple(rules)) for rules in choices]

    def lets_pass(self, attributes: Mapping[str, Attribute], message: str = "") -> bool:
        """Return whether the subscription gets a message with these attributes and this body."""
        if self._scope == "MessageBody":
            try:
                document = json.loads(message)
            except (ValueError, RecursionError):
                return False
            if not isinstance(document, dict):
                return False
            return any(_satisfied(document, choice.rules) for choice in self._accepted)
        given = {name: attribute.compared for name, attribute in attributes.items()}
        return any(
            all(_field(rules, given.get(name, _ABSENT)) for name, rules in choice.rules)
            for choice in self._accepted
        )

    # -- reading

    def _choices(self, policy: Mapping[str, Any], path: str) -> Iterator[list[tuple[str, tuple[Rule, ...]]]]:
        """Yield every way to satisfy a policy: as many as its $or make, multiplied."""
        found: list[list[tuple[str, tuple[Rule, ...]]]] = [[]]
        for name, wanted in policy.items():
            if name == "$or" and isinstance(wanted, list) and all(isinstance(one, dict) for one in wanted):
                ways = [way for one in wanted for way in self._choices(one, path)]
            elif isinstance(wanted, Mapping):
                ways = list(self._choices(wanted, f"{path}{name}."))
            elif isinstance(wanted, list):
                if not wanted:
                    raise self._invalid("Empty arrays are not allowed")
                ways = [[(path + name, tuple(map(self._rule, wanted)))]]
            else:
                raise self._invalid(f'"{name}" must be an object or an array')
            found = [[*before, *way] for before in found for way in ways]
        yield from found

    def _rule(self, item: Any) -> Rule:  # noqa: ANN401  (JSON)
        if isinstance(item, list):
            raise self._invalid("Match value must be String, number, true, false, or null")
        if not isinstance(item, Mapping):
            return lambda value: _same(item, value)
        for name in item:
            if name not in {"numeric", "exists", "anything-but", "cidr", *_TEXTS}:
                raise self._invalid(f"Unrecognized match type {name}")
        if len(item) != 1:
            raise self._invalid("Only one key allowed in match expression")
        ((name, operand),) = item.items()
        if name in _TEXTS:
            return self._text(name, operand)
        return {
            "numeric": self._numeric,
            "exists": self._exists,
            "anything-but": self._anything_but,
            "cidr": self._cidr,
        }[name](operand)

    def _text(self, name: str, operand: Any) -> Rule:  # noqa: ANN401
        if not isinstance(operand, str):
            raise self._invalid(f"{name} match pattern must be a string")
        test = _TEXTS[name]
        return lambda value: isinstance(value, str) and test(value, operand)

    def _exists(self, operand: Any) -> Rule:  # noqa: ANN401
        if not isinstance(operand, bool):
            raise self._invalid("exists match pattern must be either true or false.")
        return lambda value: (value is not _ABSENT) is operand

    def _anything_but(self, operand: Any) -> Rule:  # noqa: ANN401
        if isinstance(operand, Mapping):
            for name in operand:
                if name != "prefix":
                    raise self._invalid(f"Unsupported anything-but pattern: {name}")
            begins = self._text("prefix", operand.get("prefix"))
            return lambda value: value is not _ABSENT and not begins(value)
        excluded = operand if isinstance(operand, list) else [operand]
        if not excluded or not all(isinstance(one, str | int | float) for one in excluded):
            raise self._invalid("Inside anything but list, only strings or numbers are allowed")
        return lambda value: value is not _ABSENT and not any(_same(one, value) for one in excluded)

    def _cidr(self, operand: Any) -> Rule:  # noqa: ANN401
        if not isinstance(operand, str):
            raise self._invalid("prefix match pattern must be a string")
        address, slash, bits = operand.partition("/")
        if not slash or "/" in bits:
            raise self._invalid("Malformed CIDR, one '/' required")
        if not bits.isdigit():
            raise self._invalid("Malformed CIDR, mask bits must be an integer")
        try:
            ipaddress.ip_address(address)
        except ValueError:
            raise self._invalid(f"Nonstandard IP address: {address}") from None
        try:
            network = ipaddress.ip_network(operand, strict=False)
        except ValueError:
            raise self._invalid(f"Malformed CIDR, mask bits of {operand} are too many") from None
        return lambda value: _within(value, network)

    def _numeric(self, operand: Any) -> Rule:  # noqa: ANN401
        """Read ["=", n], [sign, n] or a range of two signs, of which the first is > or >=."""
        if not isinstance(operand, list):
            raise self._invalid("Value of numeric must be an array.")
        first = self._sign(operand[0] if operand else "]")
        bottom = self._number(operand[1:2], first)
        if len(operand) == 2:
            return lambda value: _number(value) and _COMPARISONS[first](value, bottom)
        if first not in {">", ">="}:
            raise self._invalid("Too many elements in numeric expression")
        second = operand[2]
        if not isinstance(second, str):
            raise self._invalid(f"Bad value in numeric range: {json.dumps(second)}")
        if second not in {"<", "<="}:
            raise self._invalid(f"Bad numeric range operator: {second}")
        top = self._number(operand[3:4], second)
        if bottom >= top:
            raise self._invalid("Bottom must be less than top")
        if len(operand) > 4:
            raise self._invalid("Too many terms in numeric range expression")
        return lambda value: (
            _number(value) and _COMPARISONS[first](value, bottom) and _COMPARISONS[second](value, top)
        )

    def _sign(self, sign: Any) -> str:  # noqa: ANN401
        if not isinstance(sign, str) or sign == "]":
            shown = sign if isinstance(sign, str) else json.dumps(sign)
            raise self._invalid(f"Invalid member in numeric match: {shown}")
        if sign not in _COMPARISONS:
            raise self._invalid(f"Unrecognized numeric range operator: {sign}")
        return sign

    def _number(self, given: list[Any], sign: str) -> float:
        if not given or not _number(given[0]):
            raise self._invalid(f"Value of {'equals' if sign == '=' else sign} must be numeric")
        return float(given[0])

    def _invalid(self, problem: str) -> AwsError:
        return AwsError("InvalidParameter", f"Invalid parameter: {self._prefix}FilterPolicy: {problem}")


_TEXTS: dict[str, Callable[[str, str], bool]] = {
    "prefix": str.startswith,
    "suffix": str.endswith,
    "equals-ignore-case": lambda value, wanted: value.casefold() == wanted.casefold(),
}


def _nested(policy: Mapping[str, Any]) -> bool:
    choices = [one for one in policy.get("$or", []) if isinstance(one, Mapping)]
    return any(isinstance(wanted, Mapping) for wanted in policy.values()) or any(map(_nested, choices))


def _names(policy: Mapping[str, Any]) -> Iterator[str]:
    """Yield the names at the top of a policy, those of its $or too."""
    for name, wanted in policy.items():
        if name == "$or":
            for choice in wanted:
                yield from _names(choice)
        else:
            yield name


def _combinations(policy: Mapping[str, Any], depth: int = 1) -> int:
    """Return how complex SNS finds a policy: the lengths of its lists multiplied, each by its depth; $or adds up."""
    found = 1
    for name, wanted in policy.items():
        if name == "$or":
            found *= sum(_combinations(choice, depth) for choice in wanted)
        elif isinstance(wanted, Mapping):
            found *= _combinations(wanted, depth + 1)
        else:
            found *= len(wanted) * depth
    return found


def _satisfied(node: Any, rules: tuple[tuple[str, tuple[Rule, ...]], ...]) -> bool:  # noqa: ANN401
    """Return whether what is nested in a node satisfies all rules; of a list, one element must satisfy them all."""
    if isinstance(node, list):
        return any(_satisfied(element, rules) for element in node)
    given = node if isinstance(node, dict) else {}
    inner: dict[str, list[tuple[str, tuple[Rule, ...]]]] = {}
    for path, wanted in rules:
        if path in given and not _holds_an_object(given[path]):
            if not _field(wanted, given[path]):
                return False
            continue
        name = max((one for one in given if path.startswith(one + ".")), key=len, default=None)
        if name is None:
            if not _field(wanted, _ABSENT):
                return False
        else:
            inner.setdefault(name, []).append((path[len(name) + 1 :], wanted))
    return all(_satisfied(given[name], tuple(rest)) for name, rest in inner.items())


def _holds_an_object(value: Any) -> bool:  # noqa: ANN401
    if isinstance(value, list):
        return any(map(_holds_an_object, value))
    return isinstance(value, dict)


def _field(rules: tuple[Rule, ...], value: Any) -> bool:  # noqa: ANN401
    values = list(_flat(value)) or [_ABSENT]
    return any(rule(one) for rule in rules for one in values)


def _flat(value: Any) -> Iterator[Any]:  # noqa: ANN401
    if isinstance(value, list):
        for item in value:
            yield from _flat(item)
    else:
        yield value


def _same(wanted: Any, value: Any) -> bool:  # noqa: ANN401
    if _number(wanted) and _number(value):
        return bool(wanted == value)
    return type(wanted) is type(value) and bool(wanted == value)


def _number(value: Any) -> bool:  # noqa: ANN401
    return isinstance(value, int | float) and not isinstance(value, bool)


def _within(value: Any, network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> bool:  # noqa: ANN401
    try:
        return isinstance(value, str) and ipaddress.ip_address(value) in network
    except ValueError:
        return False
