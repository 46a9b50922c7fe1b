"""A Lambda function of runtime/, bundled without Docker, least privileged from the start."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs

from connect_bridges.shared.acknowledgements import acknowledge_wildcard
from connect_bridges.shared.arguments import check_name
from connect_bridges.shared.bundling import runtime_code
from connect_bridges.shared.checks import ConstructArgumentError, Problems
from connect_bridges.shared.function_options import FunctionOptions
from connect_bridges.shared.grants import let_logs_use
from connect_bridges.shared.serverless_rules import explain_function
from constructs import Construct

# evidence: python-3-14-runtime
RUNTIME = lambda_.Runtime.PYTHON_3_14
"""The newest Python runtime that the CDK knows (aws-cdk-lib 2.275.0)."""

_WHY_NETWORK_WILDCARDS = {
    "FindsNetworkInterfaces": "EC2's Describe actions take no resource in IAM.",
    "MakesNetworkInterfaces": "EC2 makes the interface's id up; the VPC may be shared by another account.",
    "ManagesNetworkInterfaces": "Lambda's network interfaces have ids that EC2 makes up when it connects the function.",
}


class RuntimeFunction(lambda_.Function):
    """A function whose handler lives in ``runtime``.

    Its zip holds the handler's own modules and the locked dependencies, nothing else: changing one handler changes
    one asset. Its role may write to its own log group and nothing more until something is granted; no AWS managed
    policy is used, since those grant every log group and every network interface of the account.

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
        log_level: str = "INFO",
        removal_policy: cdk.RemovalPolicy = cdk.RemovalPolicy.DESTROY,
        service_name: str = "connect-bridges",
        options: FunctionOptions | None = None,
    ) -> None:
        """Create the function, its log group and its role.

        module: the handler's module below ``runtime``, as in ``metadata.store``; it holds
            a function called ``handler``.
        timeout: Lambda's own limit; keep it under what the caller waits for.
        memory_size: MB, unless the options say otherwise. More memory is also more CPU: below 256 MB a cold start
            takes over a second.
        function_name: default is CloudFormation's, so that two stacks never clash.
        removal_policy: what happens to the log group with the stack.
        options: network, tracing, size and logs; ``options.overrides[id]`` wins.
        Raises ``ValueError`` for wrong options, naming them.
        """
        place = f"{scope.node.path}/{id}"
        problems = Problems(place)
        problems.collect(check_name, "function_name", function_name, "function_name")
        problems.collect((options or FunctionOptions()).of, id)
        problems.raise_all()
        chosen = (options or FunctionOptions()).of(id)
        architecture = chosen.architecture or lambda_.Architecture.ARM_64
        log_group = logs.LogGroup(
            scope,
            f"{id}Logs",
            log_group_name=f"/aws/lambda/{function_name}" if function_name else None,
            retention=chosen.log_retention or logs.RetentionDays.ONE_MONTH,
            encryption_key=chosen.log_encryption_key,
            removal_policy=removal_policy,
        )
        if chosen.log_encryption_key:
            let_logs_use(chosen.log_encryption_key, log_group)
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
            architecture=architecture,
            code=runtime_code(module, RUNTIME.name, architecture.name, scope=scope),
            handler=f"runtime.{module}.handler",
            timeout=timeout,
            memory_size=chosen.memory_size or memory_size,
            function_name=function_name,
            role=role,
            log_group=log_group,
            logging_format=lambda_.LoggingFormat.TEXT,
            environment=_environment(
                place,
                {
                    "POWERTOOLS_SERVICE_NAME": service_name,
                    "POWERTOOLS_LOG_LEVEL": log_level,
                    "POWERTOOLS_METRICS_NAMESPACE": "ConnectBridges",
                    **(environment or {}),
                },
                chosen.environment or {},
            ),
            vpc=chosen.vpc,
            vpc_subnets=chosen.vpc_subnets,
            security_groups=chosen.security_groups,
            tracing=chosen.tracing,
            reserved_concurrent_executions=chosen.reserved_concurrent_executions,
            layers=chosen.layers,
        )
        # evidence: function-log-permissions
        log_group.grant_write(role)
        # As it became: the VPC may be that of an organisation's property injector.
        if cast("lambda_.CfnFunction", self.node.default_child).vpc_config:
            self._grant_network_interfaces(role)
        traced = chosen.tracing not in {None, lambda_.Tracing.DISABLED}
        explain_function(self, traced=traced)
        if traced:
            acknowledge_wildcard(role, "*", "X-Ray's actions take no resource in IAM.")

    def _grant_network_interfaces(self, role: iam.Role) -> None:
        """Grant what Lambda needs, with the function's role, to connect it to its VPC.

        These are the actions of AWSLambdaVPCAccessExecutionRole, each on what it can be narrowed to: Lambda developer
        guide, "Giving Lambda functions access to resources in an Amazon VPC", and the service authorization data of
        Amazon EC2. Subnets and security groups may belong to another account, which shares its VPC.
        """
        stack = cdk.Stack.of(self)

        def arn(resource: str, name: str, *, account: str = stack.account) -> str:
            return stack.format_arn(service="ec2", account=account, resource=resource, resource_name=name)

        resource = cast("lambda_.CfnFunction", self.node.default_child)
        config = cast("lambda_.CfnFunction.VpcConfigProperty", resource.vpc_config)
        subnets, groups = config.subnet_ids or [], config.security_group_ids or []
        interfaces = arn("network-interface", "*")
        grants: dict[str, tuple[list[str], list[str]]] = {
            "FindsNetworkInterfaces": (
                ["ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets"],
                ["*"],
            ),
            # evidence: vpc-network-interfaces
            "MakesNetworkInterfaces": (
                ["ec2:CreateNetworkInterface"],
                [
                    interfaces,
                    *(arn("subnet", subnet, account="*") for subnet in subnets),
                    *(arn("security-group", group, account="*") for group in groups),
                ],
            ),
            "ManagesNetworkInterfaces": (
                [
                    "ec2:AssignPrivateIpAddresses",
                    "ec2:DeleteNetworkInterface",
                    "ec2:UnassignPrivateIpAddresses",
                ],
                [interfaces],
            ),
        }
        for sid, (actions, resources) in grants.items():
            self.add_to_role_policy(iam.PolicyStatement(sid=sid, actions=actions, resources=resources))
            for resource_arn in resources:
                acknowledge_wildcard(role, resource_arn, _WHY_NETWORK_WILDCARDS[sid])


def _environment(place: str, own: Mapping[str, str], more: Mapping[str, str]) -> dict[str, str]:
    clash = sorted(set(own) & set(more))
    if clash:
        raise ConstructArgumentError(
            place,
            [
                f"environment in the function options sets {', '.join(clash)}, which the construct sets; leave it out."
            ],
        )
    return {**own, **more}
