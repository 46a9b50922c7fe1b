"""The resource types that can be deployed, one module per service."""

from __future__ import annotations

from connect_sandbox.cloud.cfn.resource import ResourceType
from connect_sandbox.cloud.cfn.support import describe
from connect_sandbox.cloud.cfn.types import (
    apigateway,
    apigateway_parts,
    apigateway_plans,
    apigatewayv2,
    appintegrations,
    awslambda,
    awslambda_parts,
    bootstrap,
    cloudformation,
    cloudwatch,
    connect,
    connect_instance,
    connect_numbers,
    connect_parts,
    connect_test_cases,
    dynamodb,
    events,
    iam,
    iam_users,
    kms,
    logs,
    messaging,
    recorded,
    secretsmanager,
    sns_subscription,
    stepfunctions,
    streams,
)

_MODULES = (
    apigateway, apigateway_parts, apigateway_plans, apigatewayv2, appintegrations, awslambda, awslambda_parts,
    bootstrap, cloudformation, cloudwatch, connect, connect_instance, connect_numbers, connect_parts,
    connect_test_cases, dynamodb, events, iam, iam_users, kms, logs, messaging, recorded, secretsmanager,
    sns_subscription, stepfunctions, streams,
)  # fmt: skip


def all_types() -> dict[str, ResourceType]:
    """Return every resource type by its name."""
    kinds = [kind for module in _MODULES for kind in module.TYPES]
    found = {kind.type_name: kind for kind in kinds}
    if len(found) < len(kinds):
        twice = sorted(name for name in found if sum(kind.type_name == name for kind in kinds) > 1)
        raise ValueError(f"two modules have the types {', '.join(twice)}")
    return found


def support_table() -> dict[str, dict[str, str]]:
    """Return what the sandbox does with each property, by type and property path."""
    return {name: dict(describe(kind.properties)) for name, kind in sorted(all_types().items())}
