"""Say why a cdk-nag finding is meant, on the exact resource; without cdk-nag in the app this has no effect."""

from __future__ import annotations

import aws_cdk as cdk

from constructs import IConstruct


def acknowledge(construct: IConstruct, rule: str, reason: str) -> None:
    """Acknowledge one rule of the AwsSolutions pack, such as ``AwsSolutions-COG4``, for one construct.

    rule: with what was found in square brackets where the pack reports it so, as in ``AwsSolutions-IAM5[Resource::*]``.
    """
    cdk.Validations.of(construct).acknowledge(cdk.Acknowledgment(id=f"AwsSolutions::{rule}", reason=reason))
