"""The REST API that every bridge opens to a vendor: regional, throttled, with an access log that holds no secret."""

from __future__ import annotations

import json

import aws_cdk as cdk
from aws_cdk import aws_apigateway as apigateway
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
) -> apigateway.RestApi:
    """Return a REST API without methods, as the child ``Rest`` of ``scope``.

    not_logged: fields of the access log that say nothing here, as authorizerStatus where there is no authorizer.
    """
    fields = {field: value for field, value in _ACCESS_LOG_FIELDS.items() if field not in not_logged}
    api = apigateway.RestApi(
        scope,
        "Rest",
        rest_api_name=name,
        description=description,
        endpoint_types=[apigateway.EndpointType.REGIONAL],
        cloud_watch_role=False,  # one a stack, below
        deploy_options=apigateway.StageOptions(
            stage_name=options.stage_name,
            throttling_rate_limit=options.throttling_rate_limit,
            throttling_burst_limit=options.throttling_burst_limit,
            access_log_destination=apigateway.LogGroupLogDestination(access_log),
            access_log_format=apigateway.AccessLogFormat.custom(json.dumps(fields)),
            # Never INFO or data trace: those write headers and bodies, and so tokens and telephone numbers.
            logging_level=apigateway.MethodLoggingLevel.ERROR,
            data_trace_enabled=False,
            metrics_enabled=True,
            tracing_enabled=options.tracing or None,  # evidence: api-tracing-role
        ),
    )
    if not options.tracing:
        explain_stage(api.deployment_stage)
    # An output that names the API's root, where nothing answers.
    api.node.try_remove_child("Endpoint")
    if options.cloud_watch_role:
        # evidence: api-gateway-log-role
        api.deployment_stage.node.add_dependency(api_log_account(scope))
    return api
