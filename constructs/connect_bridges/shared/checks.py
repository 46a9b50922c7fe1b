"""Checks of the values that users hand to the constructs: each error names the setting, the value and the fix.

A value that is only known at deploy time (a CDK token) passes: CloudFormation will judge it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from enum import Enum
from typing import ParamSpec

import aws_cdk as cdk

from connect_bridges.shared.tokens import comes_later
from constructs import Construct

_P = ParamSpec("_P")

# The shapes are those of the CloudFormation schemas (AWS::Connect::*) and of the IAM service authorization data.
_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
INSTANCE_ARN = re.compile(rf"arn:aws[-a-z]*:connect:[-a-z0-9]+:[0-9]{{12}}:instance/{_UUID}")
QUEUE_ARN = re.compile(rf"{INSTANCE_ARN.pattern}/queue/{_UUID}")
FLOW_ARN = re.compile(rf"{INSTANCE_ARN.pattern}/contact-flow/{_UUID}")
# evidence: voice-connector-arns
# The id: botocore's model of Amazon Chime SDK Voice, VoiceConnectorId.
VOICE_CONNECTOR_ARN = re.compile(
    rf"arn:aws[-a-z]*:chime:[-a-z0-9]+:[0-9]{{12}}:vc/(?:[a-z0-9]{{21,22}}|{_UUID})"
)
TOPIC_ARN = re.compile(r"arn:aws[-a-z]*:sns:[-a-z0-9]+:[0-9]{12}:[A-Za-z0-9_-]{1,256}")
E164 = re.compile(r"\+[1-9][0-9]{1,14}")

# What each shape is, where one finds it, and how it reads: the second half of every error.
EXPECTED = {
    INSTANCE_ARN: (
        "the ARN of an Amazon Connect instance; copy it from the instance's account overview, it reads "
        "arn:aws:connect:REGION:ACCOUNT:instance/UUID"
    ),
    QUEUE_ARN: (
        "the ARN of a queue; open the queue in the Connect console and choose 'Show additional queue "
        "information', it reads arn:aws:connect:REGION:ACCOUNT:instance/UUID/queue/UUID"
    ),
    FLOW_ARN: (
        "the ARN of a flow; open the flow in the designer and choose 'Show additional flow information', "
        "it reads arn:aws:connect:REGION:ACCOUNT:instance/UUID/contact-flow/UUID"
    ),
    VOICE_CONNECTOR_ARN: (
        "the ARN of a voice connector; the Connect console lists it under External voice systems, "
        "it reads arn:aws:chime:REGION:ACCOUNT:vc/ID"
    ),
    TOPIC_ARN: "the ARN of a standard SNS topic; it reads arn:aws:sns:REGION:ACCOUNT:NAME",
    E164: "an E.164 telephone number; write + and country code, digits only, as in +12065550100",
}


_SECONDS = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86_400}
_NOT_SET = (
    "If it is read from the context, its key is not set there: add it to cdk.json, or pass -c KEY=VALUE"
)
_PLAIN = (str, bytes, int, float, list, tuple, dict, set, frozenset)  # what no object of the CDK is


class ConstructArgumentError(ValueError):
    """Arguments of a construct, or of a value for one, cannot be used; the message begins with whose they are.

    That is the construct's path in its app, as in ``cdk list`` and ``cdk diff``; or the class of a value that was made
    before its construct, such as ``ApiOptions``.
    """

    owner: str
    problems: tuple[str, ...]
    """Each one a sentence or two: argument, value, fix."""

    def __init__(self, owner: str, problems: Sequence[str]) -> None:
        """Keep whose arguments they are, and write the message."""
        self.owner = owner
        self.problems = tuple(problems)
        if len(self.problems) == 1:
            super().__init__(f"{owner}: {self.problems[0]}")
            return
        listed = "".join(f"\n  {problem}" for problem in self.problems)
        super().__init__(f"{owner}: {len(self.problems)} arguments cannot be used:{listed}")


class Problems:
    """What is wrong with the arguments of a constructor, told all at once.

    problems = Problems(self)
    problems.collect(check, "queue_arn", queue_arn, QUEUE_ARN)
    problems.collect(check_duration, "wait", wait, (1, 60))
    problems.raise_all()
    """

    def __init__(self, owner: Construct | str) -> None:
        """Take the construct whose arguments are checked, or the name of a value's class."""
        self._owner = owner
        self._found: list[str] = []

    def __bool__(self) -> bool:
        """Tell whether something was found."""
        return bool(self._found)

    def collect(self, checked: Callable[_P, object], *arguments: _P.args, **keywords: _P.kwargs) -> None:
        """Call a check, and remember the ``ValueError`` that it raises."""
        try:
            checked(*arguments, **keywords)
        except ConstructArgumentError as error:
            self._found.extend(error.problems)
        except ValueError as error:
            self.add(str(error))

    def add(self, problem: str) -> None:
        """Remember a problem: setting, value and fix, as one sentence."""
        self._found.append(problem)

    def raise_all(self) -> None:
        """Raise ``ConstructArgumentError`` with everything that was found, one problem a line."""
        if self._found:
            owner = self._owner if isinstance(self._owner, str) else self._owner.node.path
            raise ConstructArgumentError(owner, self._found)


def matches(value: str, shape: re.Pattern[str]) -> str:
    """Return ``value`` if it has the shape; otherwise raise ``ValueError`` with value and fix, for a caller's list."""
    if shape.fullmatch(value):
        return value
    raise ValueError(f"{value!r} is not {EXPECTED[shape]}")


def check(setting: str, value: object, shape: re.Pattern[str], expected: str = "") -> str:
    """Return ``value`` if it has the shape or comes later; otherwise raise ``ValueError`` naming what was expected."""
    expected = expected or EXPECTED[shape]
    if value is None:
        raise ValueError(f"{setting} is None, which is not {expected}. {_NOT_SET}.")
    if not isinstance(value, str):
        raise ValueError(f"{setting} is {_typed(value)}, which is not {expected}.")
    if comes_later(value) or shape.fullmatch(value):
        return value
    raise ValueError(f"{setting} is {value!r}, which is not {expected}.")


def check_text(setting: str, value: object, such_as: str) -> str:
    """Return ``value`` if it is a text that is not empty; such_as: how one reads. Raises ``ValueError``."""
    if value is None:
        raise ValueError(f"{setting} is None; write {such_as}. {_NOT_SET}.")
    if not isinstance(value, str):
        raise ValueError(f"{setting} is {_typed(value)}; write a text, {such_as}.")
    if not value.strip():
        raise ValueError(f"{setting} is {value!r}; write {such_as}.")
    return value


def check_texts(setting: str, values: object, such_as: str) -> Sequence[str]:
    """Return ``values`` if it is a list or tuple of texts; a single text would count as its letters."""
    if not isinstance(values, (list, tuple)):
        raise ValueError(f"{setting} is {_typed(values)}; write a list, such as {such_as}.")
    wrong = [value for value in values if not isinstance(value, str)]
    if wrong:
        raise ValueError(f"{setting} holds {_typed(wrong[0])}; write texts, such as {such_as}.")
    return values


def check_flag(setting: str, value: object) -> None:
    """Check for True or False; a text, as ``-c`` passes it, would count as True. Raises ``ValueError``."""
    if not isinstance(value, bool):
        raise ValueError(f"{setting} is {_typed(value)}; write True or False.")


def check_choice(setting: str, value: object, choices: Sequence[object]) -> None:
    """Check that the value is one of the choices; raises ``ValueError`` naming them."""
    if value not in choices:
        names = " or ".join(_choice(one) for one in choices)
        raise ValueError(f"{setting} is {_typed(value)}; choose {names}.")


def check_kind(setting: str, value: object, write: str, kind: type | None = None) -> None:
    """Check that an argument is the object that it should be, and not its name, ARN or number.

    write: what to write instead. kind: its class; without one, what cannot be an object of the CDK is refused (its
    interfaces cannot be asked).
    """
    wrong = value is None or isinstance(value, _PLAIN) if kind is None else not isinstance(value, kind)
    if wrong:
        missing = f" {_NOT_SET}." if value is None else ""
        raise ValueError(f"{setting} is {_typed(value)}; write {write}.{missing}")


def check_whole(setting: str, value: object, bounds: tuple[int, int], unit: str) -> None:
    """Check for a whole number within the bounds, both included; the error names them. A token passes."""
    check_range(setting, value, bounds, unit)
    if isinstance(value, float) and not comes_later(value) and value != int(value):
        raise ValueError(f"{setting} is {amount(value, unit)}; choose a whole number.")


def check_range(setting: str, value: object, bounds: tuple[float, float], unit: str) -> None:
    """Check that the value lies within the bounds, both included; the error names them. A token passes."""
    low, high = bounds
    allowed = f"{_number(low)} to {amount(high, unit)}"
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"{setting} is {_typed(value)}; write a number from {allowed}.")
    if comes_later(value):
        return
    if not low <= value <= high:
        raise ValueError(f"{setting} is {amount(value, unit)}; choose a value from {allowed}.")


def check_duration(setting: str, value: object, bounds: tuple[float, float], unit: str = "seconds") -> None:
    """Check that a duration is whole and within the bounds, both in the unit: seconds, minutes, hours or days.

    Raises ``ValueError``, also for a number, which has no unit, and for a token, since the value goes where
    CloudFormation cannot compute it.
    """
    example = f"cdk.Duration.{unit}({bounds[1]:.0f})"
    if not isinstance(value, cdk.Duration):
        raise ValueError(f"{setting} is {_typed(value)}; write a duration, such as {example}.")
    if value.is_unresolved():
        raise ValueError(
            f"{setting} is a token, which only CloudFormation would know; write what is known now, such as {example}."
        )
    length = value.to_milliseconds() / 1000 / _SECONDS[unit]
    if length != int(length):
        allowed = f"{_number(bounds[0])} to {amount(bounds[1], unit)}"
        raise ValueError(f"{setting} is {value.to_human_string()}; choose whole {unit}, from {allowed}.")
    check_range(setting, length, bounds, unit)


def amount(value: float, unit: str) -> str:
    """Write a number with its unit as people do: ``31,536,000 seconds (365 days)``."""
    written = f"{_number(value)} {unit}".rstrip()
    if unit != "seconds" or not math.isfinite(value) or value < _SECONDS["minutes"] * 2:
        return written
    for name in ("days", "hours", "minutes"):
        if value % _SECONDS[name] == 0:
            count = value // _SECONDS[name]
            return f"{written} ({_number(count)} {name if count > 1 else name.removesuffix('s')})"
    return written


def _number(value: float) -> str:
    if not math.isfinite(value):
        return str(value)
    return f"{int(value):,}" if value == int(value) else f"{value:,.3f}".rstrip("0")


def _typed(value: object) -> str:
    """Write a value with its type: a number and a text that reads like one look the same in a message."""
    return "None" if value is None else f"{value!r} ({type(value).__name__})"


def _choice(choice: object) -> str:
    return f"{type(choice).__name__}.{choice.name}" if isinstance(choice, Enum) else repr(choice)
