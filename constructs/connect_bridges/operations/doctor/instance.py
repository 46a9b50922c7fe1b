"""Checks of the Amazon Connect instance, and of what settings name in it. Its APIs take ids, not ARNs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from connect_bridges.operations.doctor import quotas
from connect_bridges.operations.doctor.aws import Refused, Region
from connect_bridges.operations.doctor.findings import About, Finding
from connect_bridges.operations.doctor.limits import Limit
from connect_bridges.operations.doctor.subjects import Part, Subject


def instance(about: About, where: Region, arn: str) -> Finding:
    """See that the instance is there, in this Region and account, and ACTIVE."""
    region, instance_id = arn.split(":")[3], id_of(arn)
    if region != where.name:
        return about.failure(
            f"the instance is in {region}, the stack in {where.name}",
            f"deploy the stack to {region}, or name an instance of {where.name}",
            f"aws connect list-instances --region {where.name}",
        )
    try:
        found = _described(where, arn)
    except Refused as refusal:
        if not refusal.missing:
            raise
        return about.failure(
            f"there is no instance {instance_id} in {where.name}",
            "copy the ARN of one that there is",
            f"aws connect list-instances --region {where.name} --query 'InstanceSummaryList[].[InstanceAlias,Arn]'",
        )
    status = found["InstanceStatus"]
    if status == "ACTIVE":
        return about.ok(f"{found.get('InstanceAlias', instance_id)} is ACTIVE")
    reason = (found.get("StatusReason") or {}).get("Message", "")
    return about.failure(
        f"{status} {reason}".strip(),
        "wait until it is ACTIVE" if status == "CREATION_IN_PROGRESS" else "use an instance that is ACTIVE",
        f"aws connect describe-instance --region {where.name} --instance-id {instance_id}",
    )


def calls(about: About, where: Region, arn: str, *, inbound: bool) -> Finding:
    """See that calls in one direction are switched on."""
    member, attribute = (
        ("InboundCallsEnabled", "INBOUND_CALLS") if inbound else ("OutboundCallsEnabled", "OUTBOUND_CALLS")
    )
    if _described(where, arn).get(member):
        return about.ok("on")
    return about.failure(
        "off: no call reaches the instance"
        if inbound
        else "off: a transfer to a telephone number is an outbound call",
        "switch them on",
        _switch_on(where, arn, attribute),
    )


def flow_logs(about: About, where: Region, arn: str) -> Finding:
    """See that the instance logs what flows do."""
    attribute = where.ask(
        "connect", "describe_instance_attribute", InstanceId=id_of(arn), AttributeType="CONTACTFLOW_LOGS"
    )["Attribute"]
    if str(attribute["Value"]).lower() == "true":
        return about.ok("on")
    return about.warning(
        "off: nothing tells which branch a contact took",
        "switch them on",
        _switch_on(where, arn, "CONTACTFLOW_LOGS"),
    )


def quota(about: About, where: Region, limit: Limit, arn: str, subjects: Sequence[Subject]) -> Finding:
    """Compare a limit of the instance with what it holds and what the next deployment adds."""
    return quotas.compare(
        about,
        where,
        limit,
        used=quotas.used(where, limit, arn),
        needed=quotas.needed(limit, subjects, arn),
        context=arn,
    )


def quota_to_come(
    about: About, where: Region, limit: Limit, place: str, subjects: Sequence[Subject]
) -> Finding:
    """Compare a limit with what a new instance holds and what is put into it. place: its STACK/LOGICAL_ID."""
    return quotas.compare(
        about, where, limit, used=limit.initial, needed=quotas.needed(limit, subjects, place)
    )


def connector(about: About, where: Region, arn: str, connector_arn: str) -> Finding:
    """See that a connector that settings name exists and that the instance is associated with it."""
    # A connector's id has 21 or 22 characters, or is a UUID; neither has a slash.
    connector_id = connector_arn.rpartition("/")[2]
    try:
        where.ask("chime-sdk-voice", "get_voice_connector", VoiceConnectorId=connector_id)
    except Refused as refusal:
        if not refusal.missing:
            raise
        return about.failure(
            f"there is no voice connector {connector_id} in {where.name}",
            "name one that there is, or let the construct create it (ExternalVoiceConnector, setting createConnector)",
            f"aws chime-sdk-voice list-voice-connectors --region {where.name} "
            "--query 'VoiceConnectors[].[Name,IntegrationType,VoiceConnectorArn]'",
        )
    associations = where.pages(
        "connect",
        "list_integration_associations",
        "IntegrationAssociationSummaryList",
        InstanceId=id_of(arn),
        IntegrationType="CALL_TRANSFER_CONNECTOR",
    )
    if connector_id in {each["IntegrationArn"].rpartition("/")[2] for each in associations}:
        return about.ok(f"{connector_id} is associated with the instance")
    return about.failure(
        f"{connector_arn} is not associated with the instance",
        "associate it",
        f"aws connect create-integration-association --region {where.name} --instance-id {id_of(arn)} "
        f"--integration-type CALL_TRANSFER_CONNECTOR --integration-arn {connector_arn}",
    )


def queue(about: About, where: Region, arn: str) -> Finding:
    """See that a queue exists and is enabled."""
    instance_id, queue_id = _ids_in(arn)
    place = f"--region {where.name} --instance-id {instance_id}"
    try:
        found = where.ask("connect", "describe_queue", InstanceId=instance_id, QueueId=queue_id)["Queue"]
    except Refused as refusal:
        if not refusal.missing:
            raise
        return about.failure(
            f"there is no queue {queue_id} in the instance",
            "name one that there is",
            f"aws connect list-queues {place} --queue-types STANDARD --query 'QueueSummaryList[].[Name,Arn]'",
        )
    if found.get("Status", "ENABLED") == "ENABLED":
        return about.ok(f"{found['Name']} is enabled")
    return about.failure(
        f"{found['Name']} is {found['Status']}: contacts take the flow's error branch",
        "enable it",
        f"aws connect update-queue-status {place} --queue-id {queue_id} --status ENABLED",
    )


def flow(about: About, where: Region, arn: str) -> Finding:
    """See that a flow exists and is active."""
    instance_id, flow_id = _ids_in(arn)
    place = f"--region {where.name} --instance-id {instance_id}"
    try:
        found = where.ask("connect", "describe_contact_flow", InstanceId=instance_id, ContactFlowId=flow_id)
    except Refused as refusal:
        if not refusal.missing:
            raise
        return about.failure(
            f"there is no flow {flow_id} in the instance",
            "name one that there is",
            f"aws connect list-contact-flows {place} --query 'ContactFlowSummaryList[].[Name,Arn]'",
        )
    told = found["ContactFlow"]
    if told.get("State", "ACTIVE") == "ACTIVE":
        return about.ok(f"{told['Name']} is active")
    return about.failure(
        f"{told['Name']} is {told['State']}",
        "activate it",
        f"aws connect update-contact-flow-metadata {place} --contact-flow-id {flow_id} --contact-flow-state ACTIVE",
    )


def phone_number(about: About, where: Region, part: Part) -> Finding:
    """See that a telephone number leads to the construct's flow."""
    flow_arn = _flow_of(part)
    if flow_arn is None:
        return about.skipped("a number is attached to the flow after the deployment")
    if _numbers_of(where, flow_arn):
        return about.ok("leads to the flow")
    return about.warning(
        "no number leads to the flow",
        "attach one, unless a flow of yours invokes the module",
        *_attach(where, flow_arn, None),
    )


def redial_number(about: About, where: Region, part: Part, instance_arn: str) -> Finding:
    """See that what the telephony side dials when a check is over comes back to the instance and to the flow."""
    number = str(part.bridge.text("redialNumber"))
    # All numbers of the instance: PhoneNumberPrefix takes 11 digits at most, fewer than many numbers have.
    claimed = {
        each["PhoneNumber"]: each["PhoneNumberId"]
        for each in where.pages(
            "connect", "list_phone_numbers_v2", "ListPhoneNumbersSummaryList", TargetArn=instance_arn
        )
    }
    if number not in claimed:
        return about.failure(
            f"{number} is not a number of the instance: calls are lost when a check is over",
            "claim it, or name a number of the instance as redial_number (setting redialNumber)",
            f"aws connect list-phone-numbers-v2 --region {where.name} --target-arn {instance_arn}",
        )
    flow_arn = _flow_of(part)
    if flow_arn is None:
        return about.ok("claimed; it is attached to the flow after the deployment")
    if claimed[number] in _numbers_of(where, flow_arn):
        return about.ok("leads to the flow")
    return about.warning(
        "claimed, and does not lead to the flow",
        "attach it, unless a flow of yours invokes the module",
        *_attach(where, flow_arn, claimed[number])[-1:],
    )


def id_of(arn: str) -> str:
    """Return the id at the end of an ARN: what Amazon Connect's APIs take."""
    return arn.rpartition("/")[2]


def _described(where: Region, arn: str) -> dict[str, Any]:
    found: dict[str, Any] = where.ask("connect", "describe_instance", InstanceId=id_of(arn))["Instance"]
    return found


def _switch_on(where: Region, arn: str, attribute: str) -> str:
    return (
        f"aws connect update-instance-attribute --region {where.name} --instance-id {id_of(arn)} "
        f"--attribute-type {attribute} --value true"
    )


def _ids_in(arn: str) -> tuple[str, str]:
    """Return the instance's id and the last id of arn:…:instance/ID/queue/ID."""
    parts = arn.split("/")
    return parts[1], parts[-1]


def _flow_of(part: Part) -> str | None:
    found = (part.deployed.facts.get("flows") or {}).get("Flow") if part.deployed else None
    return found if isinstance(found, str) else None


def _numbers_of(where: Region, flow_arn: str) -> set[str]:
    instance_id, flow_id = _ids_in(flow_arn)
    return {
        each["ResourceId"].rpartition("/")[2]
        for each in where.pages(
            "connect",
            "list_flow_associations",
            "FlowAssociationSummaryList",
            InstanceId=instance_id,
            ResourceType="VOICE_PHONE_NUMBER",
        )
        if each["FlowId"].rpartition("/")[2] == flow_id
    }


def _attach(where: Region, flow_arn: str, number_id: str | None) -> tuple[str, str]:
    instance_id, flow_id = _ids_in(flow_arn)
    attach = (
        f"aws connect associate-phone-number-contact-flow --region {where.name} "
        f"--phone-number-id {number_id or 'PHONE_NUMBER_ID'} --instance-id {instance_id} --contact-flow-id {flow_id}"
    )
    target = flow_arn.partition("/contact-flow/")[0]
    return (f"aws connect list-phone-numbers-v2 --region {where.name} --target-arn {target}", attach)
