"""AWS::KMS::Key and Alias, on moto's KMS; the key policy is evaluated when a key is used by name."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from connect_sandbox.cloud.cfn.resource import (
    Context,
    Created,
    ResourceType,
    as_list_of_tags,
    merged_tags,
)
from connect_sandbox.cloud.cfn.support import SUPPORTED, TAGS, Only, PropertyTable, Recorded
from connect_sandbox.iam.policies import Policy, PolicyKind


class Key(ResourceType):
    """A symmetric key for encryption."""

    type_name = "AWS::KMS::Key"
    properties: ClassVar[PropertyTable] = {
        "KeyPolicy": SUPPORTED,
        "Description": Recorded("a description is kept"),
        "Enabled": Only((True, "true"), "a disabled key is not reproduced"),
        "EnableKeyRotation": Recorded("a key is rotated once a year at most"),
        "RotationPeriodInDays": Recorded("a key is rotated every 90 days at most"),
        "KeySpec": Only(("SYMMETRIC_DEFAULT",), "asymmetric keys are not reproduced"),
        "KeyUsage": Only(("ENCRYPT_DECRYPT",), "signing keys are not reproduced"),
        "MultiRegion": Only((False, "false"), "there is one Region here"),
        "PendingWindowInDays": Recorded("the sandbox ends before the window does"),
        "Tags": TAGS,
    }
    attributes = ("Arn", "KeyId")

    def create(self, context: Context, properties: dict[str, Any]) -> Created:
        """Create the key with its policy."""
        request: dict[str, Any] = {
            "Description": properties.get("Description", ""),
            "Tags": [
                {"TagKey": tag["Key"], "TagValue": tag["Value"]}
                for tag in as_list_of_tags(merged_tags(context, properties.get("Tags")))
            ],
        }
        if "KeyPolicy" in properties:
            Policy.parse(
                properties["KeyPolicy"], name=f"key policy of {context.logical_id}", kind=PolicyKind.RESOURCE
            )
            request["Policy"] = json.dumps(properties["KeyPolicy"])
        key = context.client("kms").create_key(**request)["KeyMetadata"]
        self._rotate(context, key["KeyId"], properties)
        return Created(key["KeyId"], {"Arn": key["Arn"], "KeyId": key["KeyId"]})

    def update(
        self, context: Context, existing: Created, old: dict[str, Any], new: dict[str, Any]
    ) -> Created:
        """Change the policy and the rotation."""
        if old.get("KeyPolicy") != new.get("KeyPolicy") and "KeyPolicy" in new:
            Policy.parse(
                new["KeyPolicy"], name=f"key policy of {context.logical_id}", kind=PolicyKind.RESOURCE
            )
            context.client("kms").put_key_policy(
                KeyId=existing.physical_id, PolicyName="default", Policy=json.dumps(new["KeyPolicy"])
            )
        self._rotate(context, existing.physical_id, new)
        return existing

    def delete(self, context: Context, existing: Created, properties: dict[str, Any]) -> None:
        """Schedule the key's deletion."""
        client = context.client("kms")
        days = int(properties.get("PendingWindowInDays", 30))
        try:
            client.schedule_key_deletion(KeyId=existing.physical_id, PendingWindowInDays=days)
        except (client.exceptions.NotFoundException, client.exceptions.KMSInvalidStateException):
            return

    def _rotate(self, context: Context, key_id: str, properties: dict[str, Any]) -> None:
        if str(properties.get("EnableKeyRotation", False)).lower() == "true":
            context.client("kms").enable_key_rotation(KeyId=key_id)


class Alias(ResourceType):
    """A name for a key."""

    type_name = "AWS::KMS::Alias"
    properties: ClassVar[PropertyTable] = {"AliasName": SUPPORTED, "TargetKeyId": SUPPORTED}
    required = ("AliasName", "TargetKeyId")
    replaced_by = frozenset({"AliasName"})

    def create(self, context: Context, properties: dict[str, Any]) -> Created:
        """Create the alias."""
        name = properties["AliasName"]
        context.client("kms").create_alias(AliasName=name, TargetKeyId=properties["TargetKeyId"])
        return Created(name)

    def update(
        self, context: Context, existing: Created, _old: dict[str, Any], new: dict[str, Any]
    ) -> Created:
        """Point the alias at another key."""
        context.client("kms").update_alias(AliasName=existing.physical_id, TargetKeyId=new["TargetKeyId"])
        return existing

    def delete(self, context: Context, existing: Created, _properties: dict[str, Any]) -> None:
        """Delete the alias."""
        client = context.client("kms")
        try:
            client.delete_alias(AliasName=existing.physical_id)
        except client.exceptions.NotFoundException:
            return


TYPES = (Key(), Alias())
