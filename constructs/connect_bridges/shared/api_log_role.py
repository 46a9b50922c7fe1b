"""The role that API Gateway logs with, of which an account has one a Region: made once a stack, for all its bridges."""

from __future__ import annotations

from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_iam as iam

from connect_bridges.shared.acknowledgements import acknowledge
from constructs import Construct

ID = "ConnectBridgesApiLogs"
"""The stack's child that holds role and setting."""


def api_log_account(scope: Construct) -> apigateway.CfnAccount:
    """Return the account setting of the stack of ``scope``; whatever logs has to wait for it.

    AWS::ApiGateway::Account replaces what the account had, so a bridge of its own each would replace the others'. Both
    stay when the stack goes: other APIs of the account log with them.
    """
    stack = cdk.Stack.of(scope)
    known = stack.node.try_find_child(ID)
    if known is not None:
        return cast("apigateway.CfnAccount", known.node.find_child("Account"))
    home = Construct(stack, ID)
    role = iam.Role(
        home,
        "Role",
        assumed_by=iam.ServicePrincipal("apigateway.amazonaws.com"),
        description="API Gateway writes the logs of all REST APIs of the account in this Region with it.",
        managed_policies=[
            iam.ManagedPolicy.from_aws_managed_policy_name(
                "service-role/AmazonAPIGatewayPushToCloudWatchLogs"
            )
        ],
    )
    role.apply_removal_policy(cdk.RemovalPolicy.RETAIN)
    acknowledge(
        role,
        "AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/"
        "AmazonAPIGatewayPushToCloudWatchLogs]",
        "API Gateway checks the account's log role against exactly this managed policy's permissions.",
    )
    # evidence: api-gateway-log-role
    account = apigateway.CfnAccount(home, "Account", cloud_watch_role_arn=role.role_arn)
    account.apply_removal_policy(cdk.RemovalPolicy.RETAIN)
    return account
