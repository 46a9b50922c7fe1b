"""Custom::ExternalVoiceConnector: an external voice transfer connector as a CloudFormation resource.

CloudFormation has no type for it: AWS::Chime::VoiceConnector lacks the integration type, the origination and
the external systems, and AWS::Connect::IntegrationAssociation the type CALL_TRANSFER_CONNECTOR.

ResourceProperties: see `properties`. PhysicalResourceId: the connector's ARN. Fn::GetAtt: VoiceConnectorArn,
VoiceConnectorId, OutboundHostName, IntegrationAssociationId. Another InstanceId or AwsRegion replaces the
connector, everything else changes in place. The function's time limit should be 300 s: 60 % of it is for
going forward, the rest for undoing and answering.

IAM, with the resource forms of the service authorization reference:

- on ``*``, for want of a resource type: chime:CreateVoiceConnector with
  chime:CreateConnectCallTransferConnector on which it depends, and chime:ListVoiceConnectors;
- on ``arn:<partition>:chime:<region>:<account>:vc/*``: chime:UpdateVoiceConnector,
  chime:DeleteVoiceConnector, chime:PutVoiceConnectorOrigination,
  chime:PutVoiceConnectorExternalSystemsConfiguration, chime:PutVoiceConnectorLoggingConfiguration,
  chime:ListTagsForResource, chime:TagResource, chime:UntagResource;
- on ``<instance ARN>`` and ``<instance ARN>/integration-association/*``:
  connect:CreateIntegrationAssociation, connect:DeleteIntegrationAssociation,
  connect:ListIntegrationAssociations; on the latter alone: connect:TagResource, connect:UntagResource;
- on ``arn:<partition>:logs:<region>:<account>:log-group:/aws/ChimeVoiceConnector*``: logs:CreateLogGroup,
  logs:PutRetentionPolicy, logs:DeleteLogGroup, logs:AssociateKmsKey, logs:DisassociateKmsKey;
- what these calls do in the caller's name: chime:AssociateVoiceConnectorConnect and
  chime:DisassociateVoiceConnectorConnect on the connectors, connect:DescribeInstance on the instance,
  chime:GetVoiceConnector on the connectors, ds:DescribeDirectories on ``*``; for logging and for the deletion,
  logs:CreateLogDelivery, logs:DeleteLogDelivery, logs:GetLogDelivery, logs:ListLogDeliveries on ``*``; for logging also
  logs:DescribeLogGroups, logs:DescribeResourcePolicies and logs:PutResourcePolicy on ``*``.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from runtime.shared.clients import error_code
from runtime.shared.logging import LOGGER, event_logger
from runtime.voice.apis import ConnectorApis
from runtime.voice.cloudformation import Request, Responder
from runtime.voice.lifecycle import ConnectorLifecycle


@event_logger(correlation_id_path="RequestId")
def handler(event: Mapping[str, Any], context: LambdaContext) -> None:
    """Carry out the request and answer CloudFormation, whatever happens.

    Raises only if there is nobody to answer or the answer cannot be delivered; Lambda then repeats the
    event, which finds what the first delivery created.
    """
    request = Request.from_event(event)
    responder = Responder(request)
    lifecycle = ConnectorLifecycle(
        request,
        apis_in_region=ConnectorApis.in_region,
        seconds_left=lambda: context.get_remaining_time_in_millis() / 1000,
    )
    watchdog = _watchdog(responder, lifecycle, context.get_remaining_time_in_millis() / 1000)
    watchdog.start()
    try:
        answer = _carry_out(lifecycle, responder)
    finally:
        watchdog.cancel()
    answer()


def _carry_out(lifecycle: ConnectorLifecycle, responder: Responder) -> Callable[[], None]:
    try:
        outcome = lifecycle.run()
    except Exception as error:  # noqa: BLE001 (CloudFormation would wait an hour for an answer)
        LOGGER.exception("request failed", step=lifecycle.step, cause=error_code(error))
        reason = " ".join([f"While {lifecycle.step}: {error}", *getattr(error, "__notes__", [])])
        return lambda: responder.fail(lifecycle.physical_id, reason)
    return lambda: responder.succeed(outcome.physical_id, outcome.data)


def _watchdog(responder: Responder, lifecycle: ConnectorLifecycle, seconds: float) -> threading.Timer:
    """Return a timer that answers shortly before Lambda would end the function without an answer."""

    def bark() -> None:
        stray = lifecycle.unreported
        remains = (
            f"{stray}, made as the replacement, remains: delete it by hand, after its association."
            if stray
            else "CloudFormation's clean-up removes what is there."
        )
        responder.fail(
            lifecycle.physical_id,
            f"The function ran out of time while {lifecycle.step}. {remains} The APIs are slow or throttling: "
            "deploy again later.",
        )

    timer = threading.Timer(max(seconds - max(2.0, min(15.0, seconds * 0.15)), 0.0), bark)
    timer.daemon = True
    return timer
