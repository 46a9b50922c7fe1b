"""Checks of the values that users hand to the constructs: each error names the setting, the value and the fix.

A value that is only known at deploy time (a CDK token) passes: CloudFormation will judge it.
"""

from __future__ import annotations

import re

from aws_cdk import Token

# The shapes are those of the CloudFormation schemas (AWS::Connect::*) and of the IAM service authorization data.
INSTANCE_ARN = re.compile(r"arn:aws[-a-z]*:connect:[-a-z0-9]+:[0-9]{12}:instance/[0-9a-fA-F-]{36}")
QUEUE_ARN = re.compile(INSTANCE_ARN.pattern + r"/queue/[0-9a-fA-F-]{36}")
FLOW_ARN = re.compile(INSTANCE_ARN.pattern + r"/contact-flow/[0-9a-fA-F-]{36}")
VOICE_CONNECTOR_ARN = re.compile(r"arn:aws[-a-z]*:chime:[-a-z0-9]+:[0-9]{12}:vc/[a-z0-9]+")
E164 = re.compile(r"\+[1-9][0-9]{1,14}")


def check(setting: str, value: str, shape: re.Pattern[str], expected: str) -> str:
    """Return ``value`` if it is a token or has the shape; otherwise raise ``ValueError`` naming what was expected."""
    if Token.is_unresolved(value) or shape.fullmatch(value):
        return value
    raise ValueError(f"{setting} is {value!r}, which is not {expected}.")


def check_instance_arn(setting: str, value: str) -> str:
    """Check the ARN of an Amazon Connect instance."""
    return check(
        setting,
        value,
        INSTANCE_ARN,
        "the ARN of an Amazon Connect instance; copy it from the instance's account overview, it reads "
        "arn:aws:connect:REGION:ACCOUNT:instance/UUID",
    )


def check_queue_arn(setting: str, value: str) -> str:
    """Check the ARN of a queue."""
    return check(
        setting,
        value,
        QUEUE_ARN,
        "the ARN of a queue; open the queue in the Connect console and choose 'Show additional queue information', "
        "it reads arn:aws:connect:REGION:ACCOUNT:instance/UUID/queue/UUID",
    )


def check_flow_arn(setting: str, value: str) -> str:
    """Check the ARN of a flow."""
    return check(
        setting,
        value,
        FLOW_ARN,
        "the ARN of a flow; open the flow in the designer and choose 'Show additional flow information', "
        "it reads arn:aws:connect:REGION:ACCOUNT:instance/UUID/contact-flow/UUID",
    )


def check_voice_connector_arn(setting: str, value: str) -> str:
    """Check the ARN of an external voice transfer connector (an Amazon Chime SDK Voice Connector)."""
    return check(
        setting,
        value,
        VOICE_CONNECTOR_ARN,
        "the ARN of a voice connector; the Connect console lists it under External voice systems, "
        "it reads arn:aws:chime:REGION:ACCOUNT:vc/ID",
    )


def check_phone_number(setting: str, value: str) -> str:
    """Check an E.164 telephone number."""
    return check(
        setting,
        value,
        E164,
        "an E.164 telephone number; write + and country code, digits only, as in +12065550100",
    )


def check_range(setting: str, value: float, low: float, high: float, unit: str) -> None:
    """Check that ``low <= value <= high``; the error names the limits."""
    if not low <= value <= high:
        raise ValueError(f"{setting} is {value:g} {unit}; choose a value from {low:g} to {high:g} {unit}.")
