"""Amazon Connect's API about what a contact centre consists of: instances, storage, queues, people, numbers."""

from __future__ import annotations

from typing import Any, Final

from connect_sandbox.cloud.connect_instance_api import ConnectInstanceApi, page
from connect_sandbox.cloud.connect_state import ConnectState, Instance, Number, Part
from connect_sandbox.cloud.contact_center import ContactCenter
from connect_sandbox.cloud.contact_center.instances import ATTRIBUTES
from connect_sandbox.cloud.errors import AwsError, NotEmulatedError
from connect_sandbox.cloud.faults import Faults
from connect_sandbox.cloud.values import Member

_NOT_SHOWN: Final = frozenset({"InstanceArn", "Tags", "Password"})
#: CloudFormation's properties that the API calls otherwise, and takes ids for.
_IDS: Final = {
    "HoursOfOperationArn": "HoursOfOperationId",
    "DefaultOutboundQueueArn": "DefaultOutboundQueueId",
    "RoutingProfileArn": "RoutingProfileId",
    "SecurityProfileArns": "SecurityProfileIds",
    "HierarchyGroupArn": "HierarchyGroupId",
    "OutboundCallerIdNumberArn": "OutboundCallerIdNumberId",
    "OutboundFlowArn": "OutboundFlowId",
    "ContactFlowArn": "ContactFlowId",
    "QueueArn": "QueueId",
    "UserArn": "UserId",
}


class ContactCenterApi(ConnectInstanceApi):
    """Serves what CloudFormation's handlers, custom resources and checks call."""

    def __init__(self, faults: Faults, state: ConnectState, center: ContactCenter) -> None:
        """`center` makes what `state` holds."""
        super().__init__(faults, state)
        self._center = center

    # -- instances

    def create_instance(
        self,
        identity_management_type: str,
        inbound_calls_enabled: bool,
        outbound_calls_enabled: bool,
        **request: Member,
    ) -> dict[str, Any]:
        """Create an instance."""
        instance = self._center.instances.create(
            identity_management_type,
            alias=request.get("instance_alias"),
            directory_id=request.get("directory_id"),
            tags=request.get("tags", {}),
        )
        values = {"INBOUND_CALLS": inbound_calls_enabled, "OUTBOUND_CALLS": outbound_calls_enabled}
        self._center.instances.set_attributes(instance, values)
        return {"Id": instance.id, "Arn": instance.arn}

    def delete_instance(self, instance_id: str, **_request: Member) -> None:
        """Delete an instance and what it holds."""
        self._center.instances.delete(instance_id)

    def describe_instance(self, instance_id: str) -> dict[str, Any]:
        """Describe an instance."""
        instance = self._state.instance(instance_id)
        self._center.instances.service_role(instance)
        described = super().describe_instance(instance_id)["Instance"]
        return {"Instance": {**described, "Tags": instance.tags}}

    def list_instance_attributes(self, instance_id: str, **request: Member) -> dict[str, Any]:
        """List every attribute, with whether it is on."""
        on = self._state.instance(instance_id).attributes
        listed = [
            {"AttributeType": name, "Value": str(name in on).lower()}
            for name in sorted({*ATTRIBUTES.values(), *on})
        ]
        found, token = page(listed, request)
        return {"Attributes": found, **token}

    def update_instance_attribute(
        self, instance_id: str, attribute_type: str, value: str, **_request: Member
    ) -> None:
        """Switch an attribute on or off."""
        instance = self._state.instance(instance_id)
        self._center.instances.set_attributes(instance, {attribute_type: value.lower() == "true"})

    # -- storage, origins, keys, bots

    def associate_instance_storage_config(
        self, instance_id: str, resource_type: str, storage_config: dict[str, Any], **_request: Member
    ) -> dict[str, Any]:
        """Associate storage."""
        config = dict(storage_config)
        storage_type = config.pop("StorageType")
        held = self._center.storage.associate(instance_id, resource_type, storage_type, config)
        return {"AssociationId": held.id}

    def describe_instance_storage_config(
        self, instance_id: str, association_id: str, resource_type: str
    ) -> dict[str, Any]:
        """Describe an association."""
        held = self._center.storage.get(instance_id, association_id)
        if held.resource_type != resource_type:
            raise AwsError("ResourceNotFoundException", f"{association_id} is not of {resource_type}", 404)
        return {"StorageConfig": {"AssociationId": held.id, "StorageType": held.storage_type, **held.config}}

    def list_instance_storage_configs(
        self, instance_id: str, resource_type: str, **request: Member
    ) -> dict[str, Any]:
        """List the associations of a type: one at most."""
        held = [
            {"AssociationId": each.id, "StorageType": each.storage_type, **each.config}
            for each in self._state.instance(instance_id).storage.values()
            if each.resource_type == resource_type
        ]
        found, token = page(held, request)
        return {"StorageConfigs": found, **token}

    def update_instance_storage_config(
        self, instance_id: str, association_id: str, storage_config: dict[str, Any], **_request: Member
    ) -> None:
        """Change an association."""
        config = dict(storage_config)
        storage_type = config.pop("StorageType")
        self._center.storage.update(instance_id, association_id, storage_type, config)

    def disassociate_instance_storage_config(
        self, instance_id: str, association_id: str, **_request: Member
    ) -> None:
        """Remove an association."""
        self._center.storage.disassociate(instance_id, association_id)

    def list_approved_origins(self, instance_id: str, **request: Member) -> dict[str, Any]:
        """List the approved origins."""
        found, token = page(self._state.instance(instance_id).origins, request)
        return {"Origins": found, **token}

    def list_security_keys(self, instance_id: str, **request: Member) -> dict[str, Any]:
        """List the security keys: two at most."""
        keys = [
            {"AssociationId": key.id, "Key": key.key, "CreationTime": key.created_at}
            for key in self._state.instance(instance_id).security_keys.values()
        ]
        found, token = page(keys, request)
        return {"SecurityKeys": found, **token}

    def list_bots(self, instance_id: str, lex_version: str, **request: Member) -> dict[str, Any]:
        """List the associated Lex bots of one version."""
        arns = [
            each.integration_arn
            for each in self._state.instance(instance_id).associations.values()
            if each.type == "LEX_BOT"
        ]
        if lex_version == "V2":
            bots = [{"LexV2Bot": {"AliasArn": arn}} for arn in arns if ":bot-alias/" in arn]
        else:
            bots = [
                {"LexBot": {"Name": arn.split(":")[6], "LexRegion": arn.split(":")[3]}}
                for arn in arns
                if ":bot:" in arn
            ]
        found, token = page(bots, request)
        return {"LexBots": found, **token}

    # -- what an instance holds by name

    def list_hours_of_operations(self, instance_id: str, **request: Member) -> dict[str, Any]:
        """List the hours."""
        return self._listed(instance_id, "HoursOfOperation", "HoursOfOperationSummaryList", request)

    def describe_hours_of_operation(self, instance_id: str, hours_of_operation_id: str) -> dict[str, Any]:
        """Describe hours."""
        part = self._center.parts.get(instance_id, "HoursOfOperation", hours_of_operation_id)
        return {"HoursOfOperation": _described(part, "HoursOfOperation")}

    def list_queues(self, instance_id: str, **request: Member) -> dict[str, Any]:
        """List the queues; agents' own queues are not kept here."""
        types = request.get("queue_types")
        if types and "STANDARD" not in types:
            return {"QueueSummaryList": []}
        return self._listed(instance_id, "Queue", "QueueSummaryList", request, QueueType="STANDARD")

    def describe_queue(self, instance_id: str, queue_id: str) -> dict[str, Any]:
        """Describe a queue; of an instance made by hand, every id names one."""
        instance = self._state.instance(instance_id)
        if not instance.created and queue_id not in instance.parts:
            return super().describe_queue(instance_id, queue_id)
        part = self._center.parts.get(instance_id, "Queue", queue_id)
        return {"Queue": {"Status": "ENABLED", **_described(part, "Queue")}}

    def update_queue_status(self, instance_id: str, queue_id: str, status: str) -> None:
        """Enable or disable a queue."""
        instance = self._state.instance(instance_id)
        if not instance.created and queue_id not in instance.parts:
            super().update_queue_status(instance_id, queue_id, status)
            return
        self._center.parts.get(instance_id, "Queue", queue_id).properties["Status"] = status

    def search_queues(self, instance_id: str, **request: Member) -> dict[str, Any]:
        """Search queues by name."""
        if "search_filter" in request:
            raise NotEmulatedError("SearchQueues SearchFilter", "it searches by names")
        found = [
            {"Status": "ENABLED", **_described(part, "Queue")}
            for part in self._center.parts.all(instance_id, "Queue")
            if _matches(part, request.get("search_criteria", {}))
        ]
        total = len(found)
        part_of, token = page(found, request)
        return {"Queues": part_of, "ApproximateTotalCount": total, **token}

    def list_routing_profiles(self, instance_id: str, **request: Member) -> dict[str, Any]:
        """List the routing profiles."""
        return self._listed(instance_id, "RoutingProfile", "RoutingProfileSummaryList", request)

    def describe_routing_profile(self, instance_id: str, routing_profile_id: str) -> dict[str, Any]:
        """Describe a routing profile."""
        part = self._center.parts.get(instance_id, "RoutingProfile", routing_profile_id)
        described = _described(part, "RoutingProfile")
        queues = described.pop("QueueConfigs", [])
        return {"RoutingProfile": {**described, "NumberOfAssociatedQueues": len(queues)}}

    def list_routing_profile_queues(
        self, instance_id: str, routing_profile_id: str, **request: Member
    ) -> dict[str, Any]:
        """List the queues of a routing profile."""
        part = self._center.parts.get(instance_id, "RoutingProfile", routing_profile_id)
        found, token = page(part.properties.get("QueueConfigs", []), request)
        listed = []
        for each in found:
            reference = each["QueueReference"]
            queue = self._center.parts.get(instance_id, "Queue", reference["QueueArn"])
            listed.append(
                {
                    "QueueId": queue.id,
                    "QueueArn": queue.arn,
                    "QueueName": queue.name,
                    "Priority": int(each["Priority"]),
                    "Delay": int(each["Delay"]),
                    "Channel": reference["Channel"],
                }
            )
        return {"RoutingProfileQueueConfigSummaryList": listed, **token}

    def describe_quick_connect(self, instance_id: str, quick_connect_id: str) -> dict[str, Any]:
        """Describe a quick connect."""
        part = self._center.parts.get(instance_id, "QuickConnect", quick_connect_id)
        described = _described(part, "QuickConnect")
        described.pop("QuickConnectArn")
        return {"QuickConnect": {**described, "QuickConnectARN": part.arn}}

    def list_quick_connects(self, instance_id: str, **request: Member) -> dict[str, Any]:
        """List the quick connects."""
        wanted = request.get("quick_connect_types")
        parts = [
            part
            for part in self._center.parts.all(instance_id, "QuickConnect")
            if not wanted or part.properties["QuickConnectConfig"]["QuickConnectType"] in wanted
        ]
        found, token = page(parts, request)
        listed = [
            {
                **self._summary_of(part),
                "QuickConnectType": part.properties["QuickConnectConfig"]["QuickConnectType"],
            }
            for part in found
        ]
        return {"QuickConnectSummaryList": listed, **token}

    def list_users(self, instance_id: str, **request: Member) -> dict[str, Any]:
        """List the users."""
        found, token = page(self._center.parts.all(instance_id, "User"), request)
        listed = [{**self._summary_of(part), "Username": part.name} for part in found]
        return {"UserSummaryList": listed, **token}

    def describe_user(self, instance_id: str, user_id: str) -> dict[str, Any]:
        """Describe a user."""
        part = self._center.parts.get(instance_id, "User", user_id)
        described = _described(part, "User")
        described.pop("UserArn")
        described.pop("UserId")
        return {"User": {**described, "Id": part.id, "Arn": part.arn, "Username": part.name}}

    def list_security_profiles(self, instance_id: str, **request: Member) -> dict[str, Any]:
        """List the security profiles."""
        return self._listed(instance_id, "SecurityProfile", "SecurityProfileSummaryList", request)

    def list_prompts(self, instance_id: str, **request: Member) -> dict[str, Any]:
        """List the prompts; those that AWS puts into a new instance are not kept here."""
        return self._listed(instance_id, "Prompt", "PromptSummaryList", request)

    def list_views(self, instance_id: str, **request: Member) -> dict[str, Any]:
        """List the instance's own views; those that AWS makes are not kept here."""
        parts = self._center.parts.all(instance_id, "View") if request.get("type") != "AWS_MANAGED" else []
        found, token = page(parts, request)
        listed = [
            {
                "Id": part.id,
                "Arn": part.arn,
                "Name": part.name,
                "Type": "CUSTOMER_MANAGED",
                "Status": "PUBLISHED",
            }
            for part in found
        ]
        return {"ViewsSummaryList": listed, **token}

    def list_task_templates(self, instance_id: str, **request: Member) -> dict[str, Any]:
        """List the task templates."""
        name = request.get("name")
        parts = self._center.parts.all(instance_id, "TaskTemplate")
        found, token = page([part for part in parts if name in {None, part.name}], request)
        listed = [{"Id": part.id, "Arn": part.arn, "Name": part.name, "Status": "ACTIVE"} for part in found]
        return {"TaskTemplates": listed, **token}

    def list_user_hierarchy_groups(self, instance_id: str, **request: Member) -> dict[str, Any]:
        """List the hierarchy groups."""
        return self._listed(instance_id, "UserHierarchyGroup", "UserHierarchyGroupSummaryList", request)

    def list_agent_statuses(self, instance_id: str, **request: Member) -> dict[str, Any]:
        """List the statuses of agents."""
        wanted = request.get("agent_status_types")
        parts = [
            part
            for part in self._center.parts.all(instance_id, "AgentStatus")
            if not wanted or part.properties.get("Type", "CUSTOM") in wanted
        ]
        found, token = page(parts, request)
        listed = [{**self._summary_of(part), "Type": part.properties.get("Type", "CUSTOM")} for part in found]
        return {"AgentStatusSummaryList": listed, **token}

    def _listed(
        self, instance_id: str, kind: str, member: str, request: dict[str, Any], **further: str
    ) -> dict[str, Any]:
        found, token = page(self._center.parts.all(instance_id, kind), request)
        return {member: [{**self._summary_of(part), **further} for part in found], **token}

    def _summary_of(self, part: Part) -> dict[str, Any]:
        return {
            "Id": part.id,
            "Arn": part.arn,
            "Name": part.name,
            "LastModifiedTime": part.modified,
            "LastModifiedRegion": self._state.region,
        }

    # -- numbers

    def search_available_phone_numbers(
        self, phone_number_country_code: str, phone_number_type: str, **request: Member
    ) -> dict[str, Any]:
        """Search free numbers."""
        prefix = request.get("phone_number_prefix", "")
        numbers = self._center.numbers.available(phone_number_country_code, phone_number_type, prefix)
        found, token = page(numbers, request)
        listed = [
            {
                "PhoneNumber": number,
                "PhoneNumberCountryCode": phone_number_country_code,
                "PhoneNumberType": phone_number_type,
            }
            for number in found
        ]
        return {"AvailableNumbersList": listed, **token}

    def claim_phone_number(self, phone_number: str, **request: Member) -> dict[str, Any]:
        """Claim a free number."""
        target = request.get("target_arn") or request.get("instance_id")
        if not target:
            raise AwsError("InvalidParameterException", "TargetArn or InstanceId is needed")
        number = self._center.numbers.claim(
            target,
            phone_number,
            description=request.get("phone_number_description", ""),
            tags=request.get("tags", {}),
        )
        return self._number_ids(number)

    def describe_phone_number(self, phone_number_id: str) -> dict[str, Any]:
        """Describe a claimed number."""
        instance, number = self._center.numbers.find(phone_number_id)
        return {"ClaimedPhoneNumberSummary": self._number(instance, number)}

    def update_phone_number(self, phone_number_id: str, **request: Member) -> dict[str, Any]:
        """Move a number to another instance, where it leads to no flow."""
        target = request.get("target_arn") or request.get("instance_id")
        if not target:
            raise AwsError("InvalidParameterException", "TargetArn or InstanceId is needed")
        return self._number_ids(self._center.numbers.move(phone_number_id, target))

    def release_phone_number(self, phone_number_id: str, **_request: Member) -> None:
        """Release a number."""
        self._center.numbers.release(phone_number_id)

    def disassociate_phone_number_contact_flow(self, phone_number_id: str, instance_id: str) -> None:
        """Let a number lead to no flow."""
        number = self._state.instance(instance_id).numbers.get(phone_number_id)
        if number is None:
            raise AwsError("ResourceNotFoundException", f"Phone number {phone_number_id} not found", 404)
        number.flow_id = None

    def _number_ids(self, number: Number) -> dict[str, Any]:
        return {"PhoneNumberId": number.id, "PhoneNumberArn": self._center.numbers.arn(number)}

    def _number(self, instance: Instance, number: Number) -> dict[str, Any]:
        return {
            **self._number_ids(number),
            "PhoneNumber": number.number,
            "PhoneNumberCountryCode": number.country,
            "PhoneNumberType": number.type,
            "PhoneNumberDescription": number.description,
            "TargetArn": instance.arn,
            "InstanceId": instance.id,
            "Tags": number.tags,
            "PhoneNumberStatus": {"Status": "CLAIMED"},
        }


def _described(part: Part, kind: str) -> dict[str, Any]:
    """Return a part as the API shows it: its properties, with ids where CloudFormation has ARNs."""
    shown = {name: value for name, value in _with_ids(part.properties).items() if name not in _NOT_SHOWN}
    return {
        **shown,
        f"{kind}Id": part.id,
        f"{kind}Arn": part.arn,
        "Name": part.name,
        "Tags": part.tags,
        "LastModifiedTime": part.modified,
    }


def _with_ids(value: Any) -> Any:  # noqa: ANN401  (JSON)
    if isinstance(value, list):
        return [_with_ids(item) for item in value]
    if not isinstance(value, dict):
        return value
    converted = {}
    for name, item in value.items():
        if name not in _IDS:
            converted[name] = _with_ids(item)
        elif isinstance(item, list):
            converted[_IDS[name]] = [arn.rpartition("/")[2] for arn in item]
        else:
            converted[_IDS[name]] = item.rpartition("/")[2]
    return converted


def _matches(part: Part, criteria: dict[str, Any]) -> bool:
    """Return whether a part meets search criteria, whose conditions on texts ignore case."""
    for name, condition in criteria.items():
        if name == "OrConditions":
            if not any(_matches(part, each) for each in condition):
                return False
        elif name == "AndConditions":
            if not all(_matches(part, each) for each in condition):
                return False
        elif name == "StringCondition":
            if not _meets(part, condition):
                return False
        elif name != "QueueTypeCondition":
            raise NotEmulatedError(f"the search condition {name}", "it searches by names")
    return True


def _meets(part: Part, condition: dict[str, Any]) -> bool:
    if condition.get("FieldName", "").lower() != "name":
        raise NotEmulatedError(f"a search by {condition.get('FieldName')}", "it searches by names")
    name, value = part.name.lower(), str(condition.get("Value", "")).lower()
    how = condition.get("ComparisonType", "EXACT")
    if how == "STARTS_WITH":
        return name.startswith(value)
    return value in name if how == "CONTAINS" else name == value
