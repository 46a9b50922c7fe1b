"""Say why a cdk-nag finding is meant, on the exact resource; without cdk-nag in the app this has no effect."""

from __future__ import annotations

import json
from typing import Any

import aws_cdk as cdk

from connect_bridges.shared.tokens import is_token
from constructs import IConstruct


def acknowledge(construct: IConstruct, rule: str, reason: str) -> None:
    """Acknowledge one rule of the AwsSolutions pack, such as ``AwsSolutions-COG4``, for one construct.

    rule: with what was found in square brackets where the pack reports it so, as in ``AwsSolutions-IAM5[Resource::*]``;
    deploy-time values in it become references, as the pack writes them.
    """
    if is_token(rule):  # the CDK makes a key of it, which has to be plain text
        rule = _as_found(cdk.Stack.of(construct).resolve(rule))
    cdk.Validations.of(construct).acknowledge(cdk.Acknowledgment(id=f"AwsSolutions::{rule}", reason=reason))


def acknowledge_wildcard(construct: IConstruct, arn: str, reason: str) -> None:
    """Acknowledge a resource of a policy that holds a wildcard; the ARN may hold deploy-time values."""
    acknowledge(construct, f"AwsSolutions-IAM5[Resource::{arn}]", reason)


def _as_found(value: Any) -> str:  # noqa: ANN401 (a template's JSON)
    """Write a resolved value as cdk-nag reports it: references by name, in angle brackets; imports by name alone."""
    match value:
        case str():
            return value
        case {"Fn::Join": [str(separator), [*parts]]}:
            return separator.join(_as_found(part) for part in parts)
        case {"Ref": str(name)}:
            return f"<{name}>"
        case {"Fn::GetAtt": [str(name), str(attribute)]}:
            return f"<{name}.{attribute}>"
        case {"Fn::ImportValue": name}:
            return _as_found(name)
    return json.dumps(value, separators=(",", ":"))
