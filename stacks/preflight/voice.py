"""The voice path: where calls go, and what the vendor has to be told (Kore's guide to external voice)."""

from __future__ import annotations

from collections.abc import Mapping

from stacks.settings import Settings, VoiceSettings

from . import instance_parts
from .findings import Aws, Check, Finding, end, stack_name, value

CONNECTOR_QUOTA = "L-2BE4D75F"  # External voice transfer connectors per account; 0 until AWS grants it
# The Regions of CreateVoiceConnector: an upper bound of where an external voice transfer connector can be.
CONNECTOR_REGIONS = {
    *("us-east-1", "us-west-2", "ca-central-1", "eu-central-1", "eu-west-1", "eu-west-2"),
    *("ap-northeast-1", "ap-northeast-2", "ap-southeast-1", "ap-southeast-2"),
}


def checks(voice: VoiceSettings) -> list[Check]:
    """Return the checks of the voice path."""
    found = [instance_parts.queue("queue", voice.queue_arn), Check("connector", _connector)]
    if voice.next_flow_arn:
        found.append(instance_parts.flow("next flow", voice.next_flow_arn))
    return found


def next_steps(settings: Settings, outputs: Mapping[str, str]) -> list[str]:
    """Return what people do at the vendor and in the Amazon Connect console."""
    instance_id = settings.instance_arn.rpartition("/")[2]
    steps = [
        (
            f"Hand the outputs of {stack_name(settings.name, 'voice')} to the vendor; the token itself with: "
            "aws secretsmanager get-secret-value "
            f"--secret-id {value(outputs, 'MetadataTokenSecretArn')} --query SecretString --output text"
        ),
        (
            "Attach a telephone number to the flow: aws connect associate-phone-number-contact-flow "
            f"--phone-number-id <id> --instance-id {instance_id} --contact-flow-id {end(outputs, 'VoiceFlowArn')}"
        ),
    ]
    if settings.voice.destination.phone_number is None:
        steps.insert(
            0,
            "Let the vendor's session border controller accept SIP and RTP from Amazon's addresses: the ranges of "
            "service CHIME_VOICECONNECTOR in https://ip-ranges.amazonaws.com/ip-ranges.json for "
            f"{settings.region}; with encryption it must also trust Amazon's certificate bundle.",
        )
        steps.insert(
            1, f"Have the vendor route the number {settings.voice.destination.did} to the assistant."
        )
    return steps


def _connector(settings: Settings, aws: Aws) -> Finding:
    destination = settings.voice.destination
    if destination.phone_number:
        return Finding("connector", "none needed: calls go to a telephone number")
    if settings.region not in CONNECTOR_REGIONS:
        return Finding(
            "connector",
            f"{settings.region} has no voice connectors",
            f"choose one of {sorted(CONNECTOR_REGIONS)}",
        )
    if destination.connector_arn is None:
        return _connector_quota(aws)
    associations = aws.pages(
        "connect",
        "list_integration_associations",
        "IntegrationAssociationSummaryList",
        InstanceId=settings.instance_arn,
        IntegrationType="CALL_TRANSFER_CONNECTOR",
    )
    if destination.connector_arn in {association["IntegrationArn"] for association in associations}:
        return Finding("connector", "associated with the instance")
    return Finding(
        "connector",
        f"{destination.connector_arn} is not associated with the instance",
        "associate it in the Amazon Connect console under External voice systems, or use createConnector",
    )


def _connector_quota(aws: Aws) -> Finding:
    quota = aws.client("service-quotas").get_service_quota(ServiceCode="connect", QuotaCode=CONNECTOR_QUOTA)
    granted = quota["Quota"]["Value"]
    fix = (
        "request External voice transfer connectors per account: aws service-quotas request-service-quota-increase "
        f"--service-code connect --quota-code {CONNECTOR_QUOTA} --desired-value 1"
    )
    return Finding("connector", f"quota {CONNECTOR_QUOTA} is {granted:g}", "" if granted >= 1 else fix)
