"""Where bridges keep data: tables and secrets, encrypted, kept or deleted together with the construct as a whole.

Their removal policy is RETAIN_ON_UPDATE_OR_DELETE by default: what has held data stays when the stack is deleted or the
resource replaced, and what a first deployment created that then failed goes again, so that the next one does not meet
a table of that name. RETAIN keeps that, too. The rollback of a first deployment must not be refused, and neither must
the deletion of its stack, with which the next one begins: hence no deletion protection by default.
(evidence: retain-except-on-create, protected-table-blocks-rollback, failed-creation-is-deleted-first)
"""

from __future__ import annotations

from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from aws_cdk import aws_secretsmanager as secretsmanager

from connect_bridges.shared.acknowledgements import acknowledge
from connect_bridges.shared.checks import check_flag
from constructs import Construct


def keyed_table(
    scope: Construct,
    *,
    name: str | None,
    partition_key: str,
    encryption_key: kms.IKey | None,
    removal_policy: cdk.RemovalPolicy,
    deletion_protection: bool,
    time_to_live_attribute: str | None = None,
) -> dynamodb.ITableV2:
    """Create the construct's table: one text as key, paid per request, restorable to any second of the last 35 days.

    name: None lets CloudFormation choose it. encryption_key: None is the key that AWS manages. deletion_protection:
    whether the table refuses to be deleted, by hand as by CloudFormation, whose rollback of a failed first deployment
    it would block.
    """
    return dynamodb.TableV2(
        scope,
        "Table",
        table_name=name,
        partition_key=dynamodb.Attribute(name=partition_key, type=dynamodb.AttributeType.STRING),
        billing=dynamodb.Billing.on_demand(),
        time_to_live_attribute=time_to_live_attribute,
        encryption=(
            dynamodb.TableEncryptionV2.customer_managed_key(encryption_key)
            if encryption_key
            else dynamodb.TableEncryptionV2.aws_managed_key()
        ),
        point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
            point_in_time_recovery_enabled=True
        ),
        deletion_protection=deletion_protection,
        removal_policy=removal_policy,
    )


def check_protection(removal_policy: cdk.RemovalPolicy, *, deletion_protection: bool) -> None:
    """Raise ``ValueError`` for a table that goes with its stack and refuses to be deleted, or for what is no flag."""
    check_flag("deletion_protection", deletion_protection)
    if deletion_protection and removal_policy is cdk.RemovalPolicy.DESTROY:
        raise ValueError(
            "deletion_protection is True with removal_policy DESTROY: the stack could not be deleted. Leave "
            "removal_policy out, which keeps the data, or deletion_protection."
        )


def generated_secret(
    scope: Construct,
    id: str,  # noqa: A002
    *,
    description: str,
    value: secretsmanager.SecretStringGenerator,
    encryption_key: kms.IKey | None,
    removal_policy: cdk.RemovalPolicy,
    why_no_schedule: str,
) -> secretsmanager.ISecret:
    """Create a secret whose value nobody knows yet; why_no_schedule: why it is not rotated on a schedule."""
    secret = secretsmanager.Secret(
        scope,
        id,
        description=description,
        generate_secret_string=value,
        encryption_key=encryption_key,
        removal_policy=removal_policy,
    )
    acknowledge(secret, "AwsSolutions-SMG4", why_no_schedule)
    return cast("secretsmanager.ISecret", secret)  # for pyright, see pyproject.toml


def token_value() -> secretsmanager.SecretStringGenerator:
    """Return how a token is made up: 48 letters and digits, which fit into a header as they are."""
    return secretsmanager.SecretStringGenerator(
        password_length=48, exclude_punctuation=True, require_each_included_type=True
    )
