"""Filter policies of SNS subscriptions, on message attributes.

Source: Amazon SNS developer guide, "Amazon SNS subscription filter policies". Reproduced are lists of exact strings,
`prefix`, `suffix`, `anything-but` (strings) and `exists`; anything else is refused by name when it is set,
not when a message arrives.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from connect_sandbox.cloud.errors import AwsError, NotEmulatedError

Rule = Callable[[str | None], bool]


class FilterPolicy:
    """A filter policy: every attribute that it names must match one of its rules."""

    def __init__(self, policy: Mapping[str, Any], *, scope: str = "MessageAttributes") -> None:
        """Read a policy; InvalidParameter if it is malformed, NotEmulatedError for what is not emulated."""
        if scope != "MessageAttributes":
            raise NotEmulatedError(f"the filter policy scope {scope}", "the sandbox filters on attributes")
        self._rules: dict[str, list[Rule]] = {}
        for name, allowed in policy.items():
            if isinstance(allowed, Mapping):
                raise NotEmulatedError(
                    f"nested filter policies ({name})", "attributes are flat, nesting is for message bodies"
                )
            if not isinstance(allowed, list) or not allowed:
                raise _invalid(f'"{name}" must be an object or an array')
            self._rules[name] = [_rule(name, item) for item in allowed]

    def lets_pass(self, attributes: Mapping[str, str]) -> bool:
        """Return whether the subscription gets a message with these String attributes."""
        return all(any(rule(attributes.get(name)) for rule in rules) for name, rules in self._rules.items())


def _rule(name: str, item: Any) -> Rule:  # noqa: ANN401  (JSON)
    if isinstance(item, str):
        return lambda value: value == item
    if not isinstance(item, Mapping) or len(item) != 1:
        raise NotEmulatedError(
            f"the filter {item!r} on {name}", "the sandbox compares strings, with one operator each"
        )
    ((operator, operand),) = item.items()
    match operator, operand:
        case "prefix", str():
            return lambda value: value is not None and value.startswith(operand)
        case "suffix", str():
            return lambda value: value is not None and value.endswith(operand)
        case "exists", bool():
            return lambda value: (value is not None) == operand
        case "anything-but", str() | list():
            excluded = [operand] if isinstance(operand, str) else operand
            if all(isinstance(word, str) for word in excluded):
                return lambda value: value is not None and value not in excluded
    raise NotEmulatedError(f"the filter operator {operator} on {name}", f"not with {operand!r}")


def _invalid(problem: str) -> AwsError:
    return AwsError("InvalidParameter", f"Invalid parameter: FilterPolicy: {problem}")
