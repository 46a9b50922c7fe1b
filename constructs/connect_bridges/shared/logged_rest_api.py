"""The REST API that every bridge opens to a vendor: regional, throttled, with an access log that holds no secret."""

from __future__ import annotations

import json
from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs

from connect_bridges.shared.api_log_role import api_log_account
from connect_bridges.shared.api_options import ApiOptions
from connect_bridges.shared.grants import let_logs_use
from connect_bridges.shared.serverless_rules import explain_stage
from constructs import Construct

_ACCESS_LOG_FIELDS = {
    "requestId": "$context.requestId",
    "extendedRequestId": "$context.extendedRequestId",
    "ip": "$context.identity.sourceIp",
    "requestTime": "$context.requestTime",
    "httpMethod": "$context.httpMethod",
    "resourcePath": "$context.resourcePath",
    "status": "$context.status",
    "responseLength": "$context.responseLength",
    "responseLatency": "$context.responseLatency",
    "integrationStatus": "$context.integration.status",
    "authorizerStatus": "$context.authorizer.status",
    "responseType": "$context.error.responseType",
}
"""No header and no body, so that neither token, metadata nor telephone number can be in the log."""


def access_log_of(scope: Construct, options: ApiOptions) -> logs.LogGroup:
    """Return the log group of a bridge's API, as the child ``AccessLog`` of ``scope``; it goes with the stack."""
    log_group = logs.LogGroup(
        scope,
        "AccessLog",
        retention=options.log_retention,
        encryption_key=options.log_encryption_key,
        removal_policy=cdk.RemovalPolicy.DESTROY,
    )
    if options.log_encryption_key:
        let_logs_use(options.log_encryption_key, log_group)
    return log_group


def logged_rest_api(
    scope: Construct,
    *,
    name: str,
    description: str,
    options: ApiOptions,
    access_log: logs.LogGroup,
    not_logged: frozenset[str] = frozenset(),
    knows_the_vendor: bool = False,
) -> apigateway.RestApi:
    """Return a REST API without methods, as the child ``Rest`` of ``scope``.

    not_logged: fields of the access log that say nothing here, as authorizerStatus where there is no authorizer.
    knows_the_vendor: whether an authorizer names the API key of who calls, to be limited by a usage plan
    (``limit_the_vendor``); then the stage only has the ceiling for everybody.
    """
    fields = {field: value for field, value in _ACCESS_LOG_FIELDS.items() if field not in not_logged}
    api = apigateway.RestApi(
        scope,
        "Rest",
        rest_api_name=name,
        description=description,
        endpoint_types=[apigateway.EndpointType.REGIONAL],
        cloud_watch_role=False,  # one a stack, below
        disable_execute_api_endpoint=True if options.execute_api == "closed" else None,
        # evidence: usage-plan-after-authorizer
        api_key_source_type=apigateway.ApiKeySourceType.AUTHORIZER if knows_the_vendor else None,
        policy=_only_from(options.allowed_addresses),
        deploy_options=apigateway.StageOptions(
            stage_name=options.stage_name,
            throttling_rate_limit=(
                max(options.ceiling_rate_limit, options.throttling_rate_limit)
                if knows_the_vendor
                else options.throttling_rate_limit
            ),
            throttling_burst_limit=(
                max(options.ceiling_burst_limit, options.throttling_burst_limit)
                if knows_the_vendor
                else options.throttling_burst_limit
            ),
            access_log_destination=apigateway.LogGroupLogDestination(access_log),
            access_log_format=apigateway.AccessLogFormat.custom(json.dumps(fields)),
            # Never INFO or data trace: those write headers and bodies, and so tokens and telephone numbers.
            logging_level=apigateway.MethodLoggingLevel.ERROR,
            data_trace_enabled=False,
            metrics_enabled=True,
            tracing_enabled=options.tracing or None,  # evidence: api-tracing-role
        ),
    )
    if options.allowed_addresses and api.latest_deployment:
        # A resource policy counts from the next deployment on.
        api.latest_deployment.add_to_logical_id({"allowedAddresses": list(options.allowed_addresses)})
    if not options.tracing:
        explain_stage(api.deployment_stage)
    # An output that names the API's root, where nothing answers.
    api.node.try_remove_child("Endpoint")
    if options.cloud_watch_role:
        # evidence: api-gateway-log-role
        api.deployment_stage.node.add_dependency(api_log_account(scope))
    return api


def limit_the_vendor(scope: Construct, api: apigateway.RestApi, options: ApiOptions, *, key: str) -> None:
    """Limit the requests for which the authorizer names this API key, as the children ``Plan`` and ``PlanKey``.

    key: 20 to 128 letters and digits. It opens nothing and is no secret: API Gateway takes it from the authorizer's
    answer alone, so that the plan counts no request without a valid token.
    """
    plan = apigateway.CfnUsagePlan(
        scope,
        "Plan",
        description="What the vendor may ask for; requests without a valid token do not count.",
        api_stages=[
            apigateway.CfnUsagePlan.ApiStageProperty(
                api_id=api.rest_api_id, stage=api.deployment_stage.stage_name
            )
        ],
        throttle=apigateway.CfnUsagePlan.ThrottleSettingsProperty(
            rate_limit=options.throttling_rate_limit, burst_limit=options.throttling_burst_limit
        ),
    )
    vendor = apigateway.CfnApiKey(
        scope,
        "PlanKey",
        description="The vendor, as the authorizer names it to the usage plan; it opens nothing.",
        enabled=True,
        value=key,
    )
    apigateway.CfnUsagePlanKey(
        scope, "PlanMember", key_id=vendor.ref, key_type="API_KEY", usage_plan_id=plan.ref
    )


def _only_from(networks: Sequence[str]) -> iam.PolicyDocument | None:
    """Return the resource policy that refuses every other address, before the authorizer is asked."""
    if not networks:
        return None
    # evidence: resource-policy-before-authorizer
    everybody = [iam.AnyPrincipal()]
    return iam.PolicyDocument(
        statements=[
            iam.PolicyStatement(
                principals=everybody, actions=["execute-api:Invoke"], resources=["execute-api:/*"]
            ),
            iam.PolicyStatement(
                effect=iam.Effect.DENY,
                principals=everybody,
                actions=["execute-api:Invoke"],
                resources=["execute-api:/*"],
                conditions={"NotIpAddress": {"aws:SourceIp": list(networks)}},
            ),
        ]
    )
