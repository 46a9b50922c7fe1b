"""The REST API that every bridge opens to a vendor: regional, throttled, with an access log that holds no secret."""

from __future__ import annotations

from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_logs as logs

from constructs import Construct


def logged_rest_api(
    scope: Construct,
    *,
    name: str,
    description: str,
    stage_name: str,
    throttling_rate_limit: float,
    throttling_burst_limit: int,
    access_log: logs.LogGroup,
    access_log_format: str,
    cloud_watch_role: bool,
) -> apigateway.RestApi:
    """Return a REST API without methods, as the child ``Rest`` of ``scope``.

    access_log_format: one JSON line a request, of $context variables.
    """
    return apigateway.RestApi(
        scope,
        "Rest",
        rest_api_name=name,
        description=description,
        endpoint_types=[apigateway.EndpointType.REGIONAL],
        cloud_watch_role=cloud_watch_role,
        deploy_options=apigateway.StageOptions(
            stage_name=stage_name,
            throttling_rate_limit=throttling_rate_limit,
            throttling_burst_limit=throttling_burst_limit,
            access_log_destination=apigateway.LogGroupLogDestination(access_log),
            access_log_format=apigateway.AccessLogFormat.custom(access_log_format),
            # Never INFO or data trace: those write headers and bodies, and so tokens and telephone numbers.
            logging_level=apigateway.MethodLoggingLevel.ERROR,
            data_trace_enabled=False,
            metrics_enabled=True,
        ),
    )
