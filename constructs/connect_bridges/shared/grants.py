"""Grant a function the calls that it makes on a secret or a table, and the use of the key behind it; nothing more.

The L2's own ``grant_read`` and ``grant_write`` give ten actions on a table where a function makes one call. A key is
granted for use through the service that holds the data (``kms:ViaService``): a role that may read one secret cannot
decrypt with its key on its own.
"""

from __future__ import annotations

import json

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_secretsmanager as secretsmanager

from connect_bridges.shared.checks import ConstructArgumentError
from constructs import IConstruct

_READS = frozenset({"BatchGetItem", "GetItem", "Query", "Scan"})


def grant_secret_read(
    secret: secretsmanager.ISecret, function: lambda_.Function, *, key: kms.IKey | None = None
) -> None:
    """Let a function read every version of a secret's value.

    key: what the secret is encrypted with, if it was imported without its key; the secret's own wins.
    """
    function.add_to_role_policy(
        iam.PolicyStatement(actions=["secretsmanager:GetSecretValue"], resources=[secret.secret_arn])
    )
    # evidence: secret-key-permissions
    _grant_key(secret.encryption_key or key, function, "secretsmanager", ("kms:Decrypt",))


def grant_table(
    table: dynamodb.ITableV2, function: lambda_.Function, *operations: str, key: kms.IKey | None = None
) -> None:
    """Let a function make some of DynamoDB's calls on a table.

    operations: API names, such as ``GetItem``. key: what the table is encrypted with, if it was imported without its
    key; the table's own wins. Writing takes kms:GenerateDataKey besides kms:Decrypt.
    """
    table.grant(function, *(f"dynamodb:{operation}" for operation in operations))
    # evidence: dynamodb-key-permissions
    actions = ("kms:Decrypt",) if _READS.issuperset(operations) else ("kms:Decrypt", "kms:GenerateDataKey")
    _grant_key(table.encryption_key or key, function, "dynamodb", actions)


def role_of(function: lambda_.Function) -> iam.IRole:
    """Return the role of a function that was made in this app."""
    role = function.role
    if role is None:
        raise ConstructArgumentError(
            function.node.path,
            ["it was imported without its role, so nothing can be granted to it; import it with role=…"],
        )
    return role


def open_key(key: kms.IKey, scope: IConstruct, statement: iam.PolicyStatement) -> None:
    """Add a statement to a key's policy; for an imported key, warn on ``scope`` with the statement to be added."""
    if key.add_to_resource_policy(statement).statement_added:
        return
    stack = cdk.Stack.of(scope)
    cdk.Annotations.of(scope).add_warning_v2(
        f"connect-bridges:key-policy:{statement.sid}",
        f"The policy of the imported key cannot be changed from here; add this statement to it: "
        f"{json.dumps(stack.resolve(statement.to_statement_json()))}",
    )


def let_logs_use(key: kms.IKey, scope: IConstruct) -> None:
    """Let CloudWatch Logs encrypt with a key, for log groups of this account and Region.

    Not for one group alone: it refers to its key, so the key cannot refer to the group. Source: Amazon CloudWatch Logs
    user guide, "Encrypt log data in CloudWatch Logs using AWS Key Management Service".
    """
    # evidence: logs-key-policy
    stack = cdk.Stack.of(scope)
    groups = stack.format_arn(
        service="logs",
        resource="log-group",
        resource_name="*",
        arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
    )
    # evidence: logs-key-policy
    open_key(
        key,
        scope,
        iam.PolicyStatement(
            sid="LogsEncrypts",
            principals=[iam.ServicePrincipal(f"logs.{stack.region}.amazonaws.com")],
            actions=[
                "kms:Decrypt",
                "kms:DescribeKey",
                "kms:Encrypt",
                "kms:GenerateDataKey*",
                "kms:ReEncrypt*",
            ],
            resources=["*"],
            conditions={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": groups}},
        ),
    )


def _grant_key(
    key: kms.IKey | None, function: lambda_.Function, service: str, actions: tuple[str, ...]
) -> None:
    if key is None:  # a key that AWS manages, which whoever may read the data may use
        return
    host = f"{service}.{cdk.Stack.of(function).region}.amazonaws.com"
    # In the role's own policy: a key's default policy leaves it to IAM, and a key that named the role could not live in
    # another stack than the function.
    function.add_to_role_policy(
        iam.PolicyStatement(
            actions=list(actions),
            resources=[key.key_arn],
            conditions={"StringEquals": {"kms:ViaService": host}},
        )
    )
