"""The REST API that every bridge opens to a vendor: regional, throttled, with an access log that holds no secret."""

from __future__ import annotations

import json

import aws_cdk as cdk
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_logs as logs

from connect_bridges.shared.acknowledgements import acknowledge
from connect_bridges.shared.api_options import ApiOptions
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


def access_log_of(scope: Construct, retention: logs.RetentionDays) -> logs.LogGroup:
    """Return the log group of a bridge's API, as the child ``AccessLog`` of ``scope``; it goes with the stack."""
    return logs.LogGroup(scope, "AccessLog", retention=retention, removal_policy=cdk.RemovalPolicy.DESTROY)


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
        # evidence: api-gateway-log-role
        cloud_watch_role=options.cloud_watch_role,
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
            tracing_enabled=options.tracing or None,
        ),
    )
    if not options.tracing:
        explain_stage(api.deployment_stage)
    # An output that names the API's root, where nothing answers.
    api.node.try_remove_child("Endpoint")
    if options.cloud_watch_role:
        acknowledge(
            api.node.find_child("CloudWatchRole"),
            "AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/"
            "AmazonAPIGatewayPushToCloudWatchLogs]",
            "API Gateway checks the account's log role against exactly this managed policy's permissions.",
        )
    return api
