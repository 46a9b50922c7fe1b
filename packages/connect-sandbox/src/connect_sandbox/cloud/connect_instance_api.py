"""Amazon Connect's API about instances themselves: attributes, queues, telephone numbers and where they lead."""

from __future__ import annotations

from typing import Any

from connect_sandbox.cloud.aws_service import AwsService
from connect_sandbox.cloud.connect_state import ConnectState, Instance, Number
from connect_sandbox.cloud.errors import AwsError
from connect_sandbox.cloud.faults import Faults
from connect_sandbox.cloud.values import Member


class ConnectInstanceApi(AwsService):
    """The operations that ask about an instance rather than about what apps put into it."""

    service_name = "connect"
    invalid_parameter_code = "InvalidParameterException"

    def __init__(self, faults: Faults, state: ConnectState) -> None:
        """`state` holds the instances."""
        super().__init__(faults)
        self._state = state

    def list_instances(self, **request: Member) -> dict[str, Any]:
        """List the instances that something has named so far."""
        found, token = page([_summary(instance) for instance in self._state.instances()], request)
        return {"InstanceSummaryList": found, **token}

    def describe_instance(self, instance_id: str) -> dict[str, Any]:
        """Describe an instance."""
        return {"Instance": _summary(self._state.instance(instance_id))}

    def describe_instance_attribute(self, instance_id: str, attribute_type: str) -> dict[str, Any]:
        """Return one attribute: on or off."""
        on = attribute_type in self._state.instance(instance_id).attributes
        return {"Attribute": {"AttributeType": attribute_type, "Value": str(on).lower()}}

    def update_instance_attribute(
        self, instance_id: str, attribute_type: str, value: str, **_request: Member
    ) -> None:
        """Switch an attribute on or off."""
        attributes = self._state.instance(instance_id).attributes
        if value.lower() == "true":
            attributes.add(attribute_type)
        else:
            attributes.discard(attribute_type)

    def describe_queue(self, instance_id: str, queue_id: str) -> dict[str, Any]:
        """Describe a queue: every id names one, unless the instance is said not to have it."""
        instance = self._state.instance(instance_id)
        _require_queue(instance, queue_id)
        status = "DISABLED" if queue_id in instance.disabled_queues else "ENABLED"
        arn = f"{instance.arn}/queue/{queue_id}"
        return {
            "Queue": {"Name": f"Queue {queue_id[:8]}", "QueueArn": arn, "QueueId": queue_id, "Status": status}
        }

    def update_queue_status(self, instance_id: str, queue_id: str, status: str) -> None:
        """Enable or disable a queue."""
        instance = self._state.instance(instance_id)
        _require_queue(instance, queue_id)
        if status == "ENABLED":
            instance.disabled_queues.discard(queue_id)
        else:
            instance.disabled_queues.add(queue_id)

    def list_phone_numbers_v2(self, **request: Member) -> dict[str, Any]:
        """List telephone numbers, of one instance if its ARN or id is given."""
        wanted = str(request.get("target_arn") or request.get("instance_id") or "").rpartition("/")[2]
        found = [
            {
                "PhoneNumberId": number.id,
                "PhoneNumberArn": _number_arn(instance, number),
                "PhoneNumber": number.number,
                "PhoneNumberCountryCode": number.country,
                "PhoneNumberType": number.type,
                "TargetArn": instance.arn,
                "InstanceId": instance.id,
            }
            for instance in self._state.instances()
            for number in instance.numbers.values()
            if wanted in {"", instance.id}
            and number.number.startswith(str(request.get("phone_number_prefix", "")))
        ]
        part, token = page(found, request)
        return {"ListPhoneNumbersSummaryList": part, **token}

    def list_flow_associations(self, instance_id: str, **request: Member) -> dict[str, Any]:
        """List which telephone numbers lead to which flows."""
        instance = self._state.instance(instance_id)
        found = [
            {
                "ResourceId": _number_arn(instance, number),
                "FlowId": f"{instance.arn}/contact-flow/{number.flow_id}",
                "ResourceType": "VOICE_PHONE_NUMBER",
            }
            for number in instance.numbers.values()
            if number.flow_id and request.get("resource_type") in {None, "VOICE_PHONE_NUMBER"}
        ]
        part, token = page(found, request)
        return {"FlowAssociationSummaryList": part, **token}

    def associate_phone_number_contact_flow(
        self, instance_id: str, phone_number_id: str, contact_flow_id: str
    ) -> None:
        """Let a telephone number lead to a flow."""
        instance = self._state.instance(instance_id)
        number = instance.numbers.get(phone_number_id)
        if number is None:
            raise AwsError("ResourceNotFoundException", f"Phone number {phone_number_id} not found", 404)
        number.flow_id = instance.flow(contact_flow_id).id


def page(items: list[Any], request: dict[str, Any]) -> tuple[list[Any], dict[str, str]]:
    """Return the asked-for page and, if there is more, the token of the next."""
    start, size = int(request.get("next_token", "0")), int(request.get("max_results") or 100)
    more = {"NextToken": str(start + size)} if start + size < len(items) else {}
    return items[start : start + size], more


def _summary(instance: Instance) -> dict[str, Any]:
    return {
        "Id": instance.id,
        "Arn": instance.arn,
        "IdentityManagementType": instance.identity,
        "InstanceAlias": instance.alias,
        "CreatedTime": instance.created_at,
        **({"ServiceRole": instance.service_role} if instance.service_role else {}),
        "InstanceAccessUrl": f"https://{instance.alias}.my.connect.aws",
        "InstanceStatus": instance.status,
        "InboundCallsEnabled": "INBOUND_CALLS" in instance.attributes,
        "OutboundCallsEnabled": "OUTBOUND_CALLS" in instance.attributes,
    }


def _number_arn(instance: Instance, number: Number) -> str:
    region, account = instance.arn.split(":")[3:5]
    return f"arn:aws:connect:{region}:{account}:phone-number/{number.id}"


def _require_queue(instance: Instance, queue_id: str) -> None:
    if queue_id in instance.absent_queues:
        raise AwsError("ResourceNotFoundException", f"Queue {queue_id} not found", 404)
