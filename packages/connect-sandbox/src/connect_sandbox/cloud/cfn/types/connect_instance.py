"""AWS::Connect::Instance, and what is associated with one: storage, origins, security keys."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any, ClassVar

from connect_sandbox.cloud.cfn.resource import Context, Created, ResourceType, merged_tags
from connect_sandbox.cloud.cfn.support import SUPPORTED, TAGS, Nested, Only, PropertyTable, Recorded
from connect_sandbox.cloud.cfn.types.connect_support import center, is_true, unless_gone
from connect_sandbox.cloud.connect_state import Instance as HeldInstance
from connect_sandbox.cloud.connect_state import SecurityKey as KeptKey
from connect_sandbox.cloud.contact_center.instances import ATTRIBUTES
from connect_sandbox.cloud.contact_center.storage import CONFIG_OF, STORAGE_OF
from connect_sandbox.cloud.errors import AwsError

MOST_ORIGINS = 100
MOST_KEYS = 2
_LONGEST_ORIGIN = 267
_LONGEST_KEY = 1024
_NOT_PLAYED = Recorded("kept and shown; a rehearsed call does not differ by it")
_ENCRYPTION = Nested({"EncryptionType": Only(("KMS",), "Connect knows no other"), "KeyId": SUPPORTED})


class Instance(ResourceType):
    """An instance, with what a new one holds. Created attributes are as given, updated ones false where left out."""

    type_name = "AWS::Connect::Instance"
    properties: ClassVar[PropertyTable] = {
        "IdentityManagementType": Only(
            ("CONNECT_MANAGED", "SAML", "EXISTING_DIRECTORY"), "Connect knows no other"
        ),
        "InstanceAlias": SUPPORTED,
        "DirectoryId": Recorded("the directory itself is not looked up"),
        "Attributes": Nested(
            {
                **dict.fromkeys(ATTRIBUTES, _NOT_PLAYED),
                "ContactflowLogs": SUPPORTED,
                "UseCustomTTSVoices": Only((False, "false"), "AWS allows it to listed customers only"),
            }
        ),
        "Tags": TAGS,
    }
    required = ("IdentityManagementType", "Attributes")
    replaced_by = frozenset({"IdentityManagementType", "InstanceAlias", "DirectoryId"})
    attributes = ("Arn", "Id", "ServiceRole", "InstanceStatus", "CreatedTime")

    def create(self, context: Context, properties: dict[str, Any]) -> Created:
        """Create the instance, then switch on and off what is given."""
        given = properties["Attributes"]
        for name in ("InboundCalls", "OutboundCalls"):
            if name not in given:
                raise AwsError("InvalidRequest", f"#/Attributes: required key [{name}] not found")
        instances = center(context).instances
        instance = instances.create(
            properties["IdentityManagementType"],
            alias=properties.get("InstanceAlias"),
            directory_id=properties.get("DirectoryId"),
            tags=merged_tags(context, properties.get("Tags")),
        )
        values = {ATTRIBUTES[name]: is_true(value) for name, value in given.items()}
        instances.set_attributes(instance, values)
        return Created(
            instance.arn,
            {
                "Arn": instance.arn,
                "Id": instance.id,
                "ServiceRole": instances.service_role(instance),
                "InstanceStatus": instance.status,
                "CreatedTime": instance.created_at.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            },
        )

    def update(
        self, context: Context, existing: Created, _old: dict[str, Any], new: dict[str, Any]
    ) -> Created:
        """Write every attribute: false for what the template leaves out, whatever it was before."""
        instance = context.services.connect.instance(existing.physical_id)
        given = new["Attributes"]
        values = {api: is_true(given.get(name, False)) for name, api in ATTRIBUTES.items()}
        center(context).instances.set_attributes(instance, values)
        instance.tags = merged_tags(context, new.get("Tags"))
        return existing

    def delete(self, context: Context, existing: Created, _properties: dict[str, Any]) -> None:
        """Delete the instance and what it holds; its numbers are lost."""
        unless_gone(lambda: center(context).instances.delete(existing.physical_id))


class InstanceStorageConfig(ResourceType):
    """Where an instance keeps one type of data."""

    type_name = "AWS::Connect::InstanceStorageConfig"
    properties: ClassVar[PropertyTable] = {
        "InstanceArn": SUPPORTED,
        "ResourceType": Only(tuple(STORAGE_OF), "Connect knows no other"),
        "StorageType": Only(tuple(CONFIG_OF), "Connect knows no other"),
        "S3Config": Nested(
            {"BucketName": SUPPORTED, "BucketPrefix": SUPPORTED, "EncryptionConfig": _ENCRYPTION}
        ),
        "KinesisStreamConfig": Nested({"StreamArn": SUPPORTED}),
        "KinesisFirehoseConfig": Nested({"FirehoseArn": SUPPORTED}),
        "KinesisVideoStreamConfig": Nested(
            {
                "Prefix": Recorded("video streams are not emulated"),
                "RetentionPeriodHours": Recorded("video streams are not emulated"),
                "EncryptionConfig": _ENCRYPTION,
            }
        ),
    }
    required = ("InstanceArn", "ResourceType", "StorageType")
    replaced_by = frozenset({"InstanceArn", "ResourceType"})
    attributes = ("AssociationId",)

    def create(self, context: Context, properties: dict[str, Any]) -> Created:
        """Associate the storage; a second association of a type is refused."""
        held = center(context).storage.associate(
            properties["InstanceArn"],
            properties["ResourceType"],
            properties["StorageType"],
            _storage(properties),
        )
        physical_id = f"{properties['InstanceArn']}|{held.id}|{held.resource_type}"
        return Created(physical_id, {"AssociationId": held.id})

    def update(
        self, context: Context, existing: Created, _old: dict[str, Any], new: dict[str, Any]
    ) -> Created:
        """Use another bucket, stream or key."""
        association_id = existing.attributes["AssociationId"]
        center(context).storage.update(new["InstanceArn"], association_id, new["StorageType"], _storage(new))
        return existing

    def delete(self, context: Context, existing: Created, properties: dict[str, Any]) -> None:
        """Remove the association; what was stored stays."""
        association_id = existing.attributes["AssociationId"]
        unless_gone(lambda: center(context).storage.disassociate(properties["InstanceArn"], association_id))


class ApprovedOrigin(ResourceType):
    """A site that may embed the instance's pages."""

    type_name = "AWS::Connect::ApprovedOrigin"
    properties: ClassVar[PropertyTable] = {"InstanceId": SUPPORTED, "Origin": SUPPORTED}
    required = ("InstanceId", "Origin")

    def create(self, context: Context, properties: dict[str, Any]) -> Created:
        """Approve the origin."""
        instance = _instance(context, properties)
        origin = properties["Origin"]
        if len(origin) > _LONGEST_ORIGIN:
            raise AwsError(
                "InvalidRequestException", f"The origin has more than {_LONGEST_ORIGIN} characters"
            )
        if origin in instance.origins:
            raise AwsError("ResourceConflictException", f"The origin {origin} is approved already", 409)
        if len(instance.origins) >= MOST_ORIGINS:
            message = f"{instance.arn} has its {MOST_ORIGINS} approved origins already"
            raise AwsError("ServiceQuotaExceededException", message, 402)
        instance.origins.append(origin)
        return Created(f"{instance.arn}|{origin}")

    def delete(self, context: Context, _existing: Created, properties: dict[str, Any]) -> None:
        """Approve it no longer."""

        def remove() -> None:
            origins = _instance(context, properties).origins
            if properties["Origin"] in origins:
                origins.remove(properties["Origin"])

        unless_gone(remove)


class SecurityKey(ResourceType):
    """The public key with which flows encrypt what callers enter; an instance has two at most."""

    type_name = "AWS::Connect::SecurityKey"
    properties: ClassVar[PropertyTable] = {"InstanceId": SUPPORTED, "Key": SUPPORTED}
    required = ("InstanceId", "Key")
    attributes = ("AssociationId",)

    def create(self, context: Context, properties: dict[str, Any]) -> Created:
        """Add the key, in PEM; a third is refused."""
        instance = _instance(context, properties)
        key = properties["Key"]
        if "-----BEGIN PUBLIC KEY-----" not in key or len(key) > _LONGEST_KEY:
            message = f"Key must be a public key in PEM of at most {_LONGEST_KEY} characters"
            raise AwsError("InvalidRequestException", message)
        if any(held.key == key for held in instance.security_keys.values()):
            raise AwsError("ResourceConflictException", "The security key is there already", 409)
        if len(instance.security_keys) >= MOST_KEYS:
            message = f"{instance.arn} has its {MOST_KEYS} security keys already; remove one first"
            raise AwsError("ServiceQuotaExceededException", message, 402)
        held = KeptKey(uuid.uuid4().hex * 2, key, dt.datetime.now(dt.UTC))
        instance.security_keys[held.id] = held
        return Created(f"{instance.arn}|{held.id}", {"AssociationId": held.id})

    def delete(self, context: Context, existing: Created, properties: dict[str, Any]) -> None:
        """Remove the key."""
        keys = existing.attributes["AssociationId"]
        unless_gone(lambda: _instance(context, properties).security_keys.pop(keys, None))


def _instance(context: Context, properties: dict[str, Any]) -> HeldInstance:
    return context.services.connect.instance(properties["InstanceId"])


def _storage(properties: dict[str, Any]) -> dict[str, Any]:
    return {name: properties[name] for name in CONFIG_OF.values() if name in properties}


TYPES = (Instance(), InstanceStorageConfig(), ApprovedOrigin(), SecurityKey())
