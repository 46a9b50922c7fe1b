"""A Lambda function of runtime/, bundled without Docker, least privileged from the start."""

from __future__ import annotations

from collections.abc import Mapping

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs

from connect_bridges.shared.bundling import runtime_code
from constructs import Construct

RUNTIME = lambda_.Runtime.PYTHON_3_14
"""The newest Python runtime that the CDK knows (aws-cdk-lib 2.275.0)."""


class RuntimeFunction(lambda_.Function):
    """A function whose handler lives in ``runtime``.

    Its zip holds the handler's own modules and the locked dependencies, nothing else: changing one handler changes
    one asset. Its role may write to its own log group and nothing more until something is granted; the AWS managed
    execution policy is not used, since it grants every log group of the account.

    Everything a user of the L2 expects is there: this *is* an ``aws_lambda.Function``, so property injectors and
    aspects of an organisation apply.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002 (the CDK's own name for it)
        *,
        module: str,
        description: str,
        timeout: cdk.Duration,
        environment: Mapping[str, str] | None = None,
        memory_size: int = 256,
        function_name: str | None = None,
        log_retention: logs.RetentionDays = logs.RetentionDays.ONE_MONTH,
        log_level: str = "INFO",
        removal_policy: cdk.RemovalPolicy = cdk.RemovalPolicy.DESTROY,
        service_name: str = "connect-bridges",
    ) -> None:
        """Create the function, its log group and its role.

        module: the handler's module below ``runtime``, as in ``metadata.store``; it holds
            a function called ``handler``.
        timeout: Lambda's own limit; keep it under what the caller waits for.
        memory_size: MB. More memory is also more CPU: below 256 MB a cold start takes over a second.
        function_name: default is CloudFormation's, so that two stacks never clash.
        removal_policy: what happens to the log group with the stack.
        """
        log_group = logs.LogGroup(
            scope,
            f"{id}Logs",
            log_group_name=f"/aws/lambda/{function_name}" if function_name else None,
            retention=log_retention,
            removal_policy=removal_policy,
        )
        role = iam.Role(
            scope,
            f"{id}Role",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            description=f"{description} May write its own log and what is granted besides.",
        )
        super().__init__(
            scope,
            id,
            description=description,
            runtime=RUNTIME,
            architecture=lambda_.Architecture.ARM_64,
            code=runtime_code(module, RUNTIME.name, scope=scope),
            handler=f"runtime.{module}.handler",
            timeout=timeout,
            memory_size=memory_size,
            function_name=function_name,
            role=role,
            log_group=log_group,
            logging_format=lambda_.LoggingFormat.TEXT,
            environment={
                "POWERTOOLS_SERVICE_NAME": service_name,
                "POWERTOOLS_LOG_LEVEL": log_level,
                "POWERTOOLS_METRICS_NAMESPACE": "ConnectBridges",
                **(environment or {}),
            },
        )
        log_group.grant_write(role)
