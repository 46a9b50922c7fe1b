"""Checks of the values that users hand to the constructs: each error names the setting, the value and the fix.

A value that is only known at deploy time (a CDK token) passes: CloudFormation will judge it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import ParamSpec

from connect_bridges.shared.tokens import is_token

_P = ParamSpec("_P")

# The shapes are those of the CloudFormation schemas (AWS::Connect::*) and of the IAM service authorization data.
_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
INSTANCE_ARN = re.compile(rf"arn:aws[-a-z]*:connect:[-a-z0-9]+:[0-9]{{12}}:instance/{_UUID}")
QUEUE_ARN = re.compile(rf"{INSTANCE_ARN.pattern}/queue/{_UUID}")
FLOW_ARN = re.compile(rf"{INSTANCE_ARN.pattern}/contact-flow/{_UUID}")
# evidence: voice-connector-arns
VOICE_CONNECTOR_ARN = re.compile(r"arn:aws[-a-z]*:chime:[-a-z0-9]+:[0-9]{12}:vc/[a-z0-9]+")
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


def matches(value: str, shape: re.Pattern[str]) -> str:
    """Return ``value`` if it has the shape; otherwise raise ``ValueError`` with value and fix, for a caller's list."""
    if shape.fullmatch(value):
        return value
    raise ValueError(f"{value!r} is not {EXPECTED[shape]}")


def check(setting: str, value: str, shape: re.Pattern[str], expected: str = "") -> str:
    """Return ``value`` if it is a token or has the shape; otherwise raise ``ValueError`` naming what was expected."""
    if shape.fullmatch(value) or is_token(value):
        return value
    raise ValueError(f"{setting} is {value!r}, which is not {expected or EXPECTED[shape]}.")


def check_range(setting: str, value: float, bounds: tuple[float, float], unit: str) -> None:
    """Check that the value lies within the bounds, both included; the error names them."""
    low, high = bounds
    if not low <= value <= high:
        raise ValueError(f"{setting} is {value:g} {unit}; choose a value from {low:g} to {high:g} {unit}.")


class Problems:
    """What is wrong with the arguments of a constructor, told all at once.

    problems = Problems()
    problems.collect(check, "queue_arn", queue_arn, QUEUE_ARN)
    problems.collect(check_range, "wait", wait.to_seconds(), (1, 60), "seconds")
    problems.raise_all()
    """

    def __init__(self) -> None:
        self._found: list[str] = []

    def collect(self, checked: Callable[_P, object], *arguments: _P.args, **keywords: _P.kwargs) -> None:
        """Call a check, and remember the ``ValueError`` that it raises."""
        try:
            checked(*arguments, **keywords)
        except ValueError as error:
            self.add(str(error))

    def add(self, problem: str) -> None:
        """Remember a problem: setting, value and fix, as one sentence."""
        self._found.append(problem)

    def raise_all(self) -> None:
        """Raise ``ValueError`` with everything that was found, one problem a line."""
        if self._found:
            raise ValueError("\n".join(self._found))
