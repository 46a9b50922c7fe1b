"""Say why a cdk-nag finding is meant, on the exact resource; without cdk-nag in the app this has no effect."""

from __future__ import annotations

import json
from functools import cache
from importlib.metadata import version
from typing import Any

import aws_cdk as cdk

from connect_bridges.shared.tokens import is_token
from constructs import IConstruct

_RULES_SINCE = (2, 257)
"""The aws-cdk-lib that cdk-nag 3 asks for, and the first to have acknowledgements."""
_FINDINGS_SINCE = (2, 269)
"""The first that takes "::" within the finding; before it, findings of IAM4 and IAM5 are cdk-nag's to report."""


def acknowledge(construct: IConstruct, rule: str, reason: str, *, pack: str = "AwsSolutions") -> None:
    """Acknowledge one rule of a pack, such as ``AwsSolutions-COG4``, for one construct.

    rule: with what was found in square brackets where the pack reports it so, as in ``AwsSolutions-IAM5[Resource::*]``;
    deploy-time values in it become references, as the pack writes them.
    """
    if not _can_acknowledge(rule):
        return
    if is_token(rule):  # the CDK makes a key of it, which has to be plain text
        rule = _as_found(cdk.Stack.of(construct).resolve(rule))
    cdk.Validations.of(construct).acknowledge(cdk.Acknowledgment(id=f"{pack}::{rule}", reason=reason))


@cache
def _cdk_version() -> tuple[int, ...]:
    return tuple(int(part) for part in version("aws-cdk-lib").split(".")[:2])


def _can_acknowledge(rule: str) -> bool:
    """Tell whether this CDK knows acknowledgements, and, if the rule names what was found, such ids."""
    return _cdk_version() >= (_FINDINGS_SINCE if "[" in rule else _RULES_SINCE)


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
