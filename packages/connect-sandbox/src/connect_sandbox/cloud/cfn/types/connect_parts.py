"""Hours, queues, routing profiles, quick connects, users and the like: AWS::Connect::… with a name in an instance."""

from __future__ import annotations

from typing import Any, ClassVar

from connect_sandbox.cloud.cfn.resource import Context, Created, ResourceType, merged_tags
from connect_sandbox.cloud.cfn.support import SUPPORTED, TAGS, Nested, Only, PropertyTable, Recorded
from connect_sandbox.cloud.cfn.types.connect_support import center, refuse_other_instance, unless_gone
from connect_sandbox.cloud.connect_state import Part
from connect_sandbox.cloud.errors import AwsError

_KEPT = Recorded("kept and shown; a rehearsed call does not differ by it")
_NOT_HERE = Only((), "it is not reproduced")


class PartType(ResourceType):
    """Base of the types. `kind` is what follows AWS::Connect::, `arn_attribute` what GetAtt calls the ARN."""

    kind: ClassVar[str]
    arn_attribute: ClassVar[str]
    name_property: ClassVar[str] = "Name"
    #: Properties that the update handler refuses, although the schema lets them change.
    fixed: ClassVar[tuple[str, ...]] = ()

    def create(self, context: Context, properties: dict[str, Any]) -> Created:
        """Add it to the instance."""
        part = center(context).parts.create(
            properties["InstanceArn"],
            self.kind,
            properties[self.name_property],
            properties,
            merged_tags(context, properties.get("Tags")),
        )
        return Created(part.arn, {self.arn_attribute: part.arn, **self.further(context, part)})

    def update(
        self, context: Context, existing: Created, old: dict[str, Any], new: dict[str, Any]
    ) -> Created:
        """Change it in place, but for what cannot be changed."""
        refuse_other_instance(existing, new)
        for name in self.fixed:
            if old.get(name) != new.get(name):
                raise AwsError("InvalidRequest", f"{name} cannot be updated.")
        part = center(context).parts.update(
            new["InstanceArn"], self.kind, existing.physical_id, new[self.name_property], new
        )
        part.tags = merged_tags(context, new.get("Tags"))
        return Created(part.arn, {self.arn_attribute: part.arn, **self.further(context, part)})

    def delete(self, context: Context, existing: Created, properties: dict[str, Any]) -> None:
        """Delete it."""
        parts = center(context).parts
        unless_gone(lambda: parts.delete(properties["InstanceArn"], self.kind, existing.physical_id))

    def further(self, context: Context, part: Part) -> dict[str, Any]:
        """Return the attributes besides the ARN."""
        known = {
            "Type": "STANDARD",
            "LastModifiedTime": round(part.modified.timestamp()),
            "LastModifiedRegion": context.region,
            "QuickConnectType": part.properties.get("QuickConnectConfig", {}).get("QuickConnectType"),
        }
        return {name: known[name] for name in self.attributes if name in known}


class HoursOfOperation(PartType):
    """Opening hours."""

    type_name = "AWS::Connect::HoursOfOperation"
    kind = "HoursOfOperation"
    arn_attribute = "HoursOfOperationArn"
    properties: ClassVar[PropertyTable] = {
        "InstanceArn": SUPPORTED,
        "Name": SUPPORTED,
        "TimeZone": SUPPORTED,
        "Config": SUPPORTED,
        "Description": _KEPT,
        "HoursOfOperationOverrides": _KEPT,
        "ParentHoursOfOperations": _NOT_HERE,
        "ChildHoursOfOperations": _NOT_HERE,
        "Tags": TAGS,
    }
    required = ("InstanceArn", "Name", "TimeZone", "Config")
    attributes = ("HoursOfOperationArn",)


class Queue(PartType):
    """A queue."""

    type_name = "AWS::Connect::Queue"
    kind = "Queue"
    arn_attribute = "QueueArn"
    properties: ClassVar[PropertyTable] = {
        "InstanceArn": SUPPORTED,
        "Name": SUPPORTED,
        "HoursOfOperationArn": SUPPORTED,
        "Description": _KEPT,
        "MaxContacts": _KEPT,
        "OutboundCallerConfig": Nested(
            {
                "OutboundCallerIdName": _KEPT,
                "OutboundCallerIdNumberArn": SUPPORTED,
                "OutboundFlowArn": SUPPORTED,
            }
        ),
        "OutboundEmailConfig": _NOT_HERE,
        "AdditionalEmailAddresses": _NOT_HERE,
        "QuickConnectArns": SUPPORTED,
        "Status": Only(("ENABLED", "DISABLED"), "Connect knows no other"),
        "Tags": TAGS,
    }
    required = ("InstanceArn", "Name", "HoursOfOperationArn")
    attributes = ("QueueArn", "Type", "LastModifiedTime", "LastModifiedRegion")


class RoutingProfile(PartType):
    """Which queues an agent serves, and how many contacts at a time."""

    type_name = "AWS::Connect::RoutingProfile"
    kind = "RoutingProfile"
    arn_attribute = "RoutingProfileArn"
    properties: ClassVar[PropertyTable] = {
        "InstanceArn": SUPPORTED,
        "Name": SUPPORTED,
        "Description": _KEPT,
        "DefaultOutboundQueueArn": SUPPORTED,
        "MediaConcurrencies": SUPPORTED,
        "QueueConfigs": SUPPORTED,
        "ManualAssignmentQueueConfigs": SUPPORTED,
        "AgentAvailabilityTimer": _KEPT,
        "Tags": TAGS,
    }
    required = ("InstanceArn", "Name", "Description", "MediaConcurrencies", "DefaultOutboundQueueArn")
    attributes = ("RoutingProfileArn",)


class QuickConnect(PartType):
    """A destination to which agents transfer."""

    type_name = "AWS::Connect::QuickConnect"
    kind = "QuickConnect"
    arn_attribute = "QuickConnectArn"
    properties: ClassVar[PropertyTable] = {
        "InstanceArn": SUPPORTED,
        "Name": SUPPORTED,
        "QuickConnectConfig": SUPPORTED,
        "Description": _KEPT,
        "Tags": TAGS,
    }
    required = ("InstanceArn", "Name", "QuickConnectConfig")
    attributes = ("QuickConnectArn", "QuickConnectType")


class User(PartType):
    """An agent or administrator. The handler refuses to change what identifies them."""

    type_name = "AWS::Connect::User"
    kind = "User"
    arn_attribute = "UserArn"
    name_property = "Username"
    fixed = ("Username", "Password", "DirectoryUserId")
    properties: ClassVar[PropertyTable] = {
        "InstanceArn": SUPPORTED,
        "Username": SUPPORTED,
        "Password": SUPPORTED,
        "DirectoryUserId": SUPPORTED,
        "IdentityInfo": SUPPORTED,
        "RoutingProfileArn": SUPPORTED,
        "SecurityProfileArns": SUPPORTED,
        "HierarchyGroupArn": SUPPORTED,
        "PhoneConfig": _KEPT,
        "AfterContactWorkConfigs": _KEPT,
        "AutoAcceptConfigs": _KEPT,
        "PersistentConnectionConfigs": _KEPT,
        "PhoneNumberConfigs": _KEPT,
        "UserProficiencies": _KEPT,
        "VoiceEnhancementConfigs": _KEPT,
        "Tags": TAGS,
    }
    required = ("InstanceArn", "RoutingProfileArn", "SecurityProfileArns", "Username")
    attributes = ("UserArn",)


class SecurityProfile(PartType):
    """What users may do in Amazon Connect's pages."""

    type_name = "AWS::Connect::SecurityProfile"
    kind = "SecurityProfile"
    arn_attribute = "SecurityProfileArn"
    name_property = "SecurityProfileName"
    properties: ClassVar[PropertyTable] = {
        "InstanceArn": SUPPORTED,
        "SecurityProfileName": SUPPORTED,
        "Description": _KEPT,
        "Permissions": _KEPT,
        "Applications": _KEPT,
        "AllowedAccessControlHierarchyGroupId": _KEPT,
        "AllowedAccessControlTags": _KEPT,
        "AllowedFlowModules": _KEPT,
        "GranularAccessControlConfiguration": _KEPT,
        "HierarchyRestrictedResources": _KEPT,
        "TagRestrictedResources": _KEPT,
        "Tags": TAGS,
    }
    required = ("InstanceArn", "SecurityProfileName")
    replaced_by = frozenset({"InstanceArn", "SecurityProfileName"})
    attributes = ("SecurityProfileArn", "LastModifiedTime", "LastModifiedRegion")


class Prompt(PartType):
    """An audio file for flows. Nobody notices new audio below the same address."""

    type_name = "AWS::Connect::Prompt"
    kind = "Prompt"
    arn_attribute = "PromptArn"
    properties: ClassVar[PropertyTable] = {
        "InstanceArn": SUPPORTED,
        "Name": SUPPORTED,
        "S3Uri": SUPPORTED,
        "Description": _KEPT,
        "Tags": TAGS,
    }
    required = ("InstanceArn", "Name")
    attributes = ("PromptArn",)


class UserHierarchyGroup(PartType):
    """A group in the hierarchy of agents."""

    type_name = "AWS::Connect::UserHierarchyGroup"
    kind = "UserHierarchyGroup"
    arn_attribute = "UserHierarchyGroupArn"
    properties: ClassVar[PropertyTable] = {
        "InstanceArn": SUPPORTED,
        "Name": SUPPORTED,
        "ParentGroupArn": SUPPORTED,
        "Tags": TAGS,
    }
    required = ("InstanceArn", "Name")
    replaced_by = frozenset({"ParentGroupArn"})
    attributes = ("UserHierarchyGroupArn",)


class AgentStatus(PartType):
    """A status that agents can choose."""

    type_name = "AWS::Connect::AgentStatus"
    kind = "AgentStatus"
    arn_attribute = "AgentStatusArn"
    properties: ClassVar[PropertyTable] = {
        "InstanceArn": SUPPORTED,
        "Name": SUPPORTED,
        "State": Only(("ENABLED", "DISABLED"), "Connect knows no other"),
        "Type": _KEPT,
        "Description": _KEPT,
        "DisplayOrder": _KEPT,
        "ResetOrderNumber": _KEPT,
        "Tags": TAGS,
    }
    required = ("InstanceArn", "Name", "State")
    attributes = ("AgentStatusArn", "LastModifiedTime", "LastModifiedRegion")


TYPES = (
    HoursOfOperation(), Queue(), RoutingProfile(), QuickConnect(), User(), SecurityProfile(), Prompt(),
    UserHierarchyGroup(), AgentStatus(),
)  # fmt: skip
