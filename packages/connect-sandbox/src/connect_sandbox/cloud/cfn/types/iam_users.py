"""AWS::IAM::User and AccessKey, on moto's IAM: people and programs that sign with their own keys.

Return values and which change replaces: CloudFormation Template Reference, "AWS::IAM::User", "AWS::IAM::AccessKey".
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any, ClassVar

from connect_sandbox.cloud.cfn.resource import (
    Context,
    Created,
    ResourceType,
    as_list_of_tags,
    merged_tags,
)
from connect_sandbox.cloud.cfn.support import SUPPORTED, TAGS, Only, PropertyTable
from connect_sandbox.cloud.cfn.types.iam_support import INLINE, NO_GROUPS, Holder, check_policies
from connect_sandbox.cloud.errors import NotEmulatedError


class User(ResourceType):
    """A user with inline and managed policies and permissions boundary; Ref gives the name."""

    type_name = "AWS::IAM::User"
    properties: ClassVar[PropertyTable] = {
        "UserName": SUPPORTED,
        "Path": SUPPORTED,
        "ManagedPolicyArns": SUPPORTED,
        "Policies": INLINE,
        "PermissionsBoundary": SUPPORTED,
        "Groups": NO_GROUPS,
        "LoginProfile": Only((), "there is no console to sign in to"),
        "Tags": TAGS,
    }
    name_property = "UserName"
    replaced_by = frozenset({"UserName"})
    attributes = ("Arn",)

    def create(self, context: Context, properties: dict[str, Any]) -> Created:
        """Create the user and attach its policies."""
        client = context.client("iam")
        name = properties.get("UserName") or context.physical_name(limit=64)
        check_policies(context, properties)
        user = client.create_user(
            UserName=name,
            Path=properties.get("Path", "/"),
            Tags=as_list_of_tags(merged_tags(context, properties.get("Tags"))),
        )["User"]
        Holder(client, "user", name).set_policies({}, properties)
        _set_boundary(context, name, properties)
        return Created(name, {"Arn": user["Arn"]})

    def update(
        self, context: Context, existing: Created, old: dict[str, Any], new: dict[str, Any]
    ) -> Created:
        """Change the path, and with it the ARN, the policies and the boundary."""
        client = context.client("iam")
        name = existing.physical_id
        check_policies(context, new)
        if old.get("Path") != new.get("Path"):
            client.update_user(UserName=name, NewPath=new.get("Path", "/"))
        Holder(client, "user", name).set_policies(old, new)
        _set_boundary(context, name, new)
        return Created(name, {"Arn": client.get_user(UserName=name)["User"]["Arn"]})

    def delete(self, context: Context, existing: Created, _properties: dict[str, Any]) -> None:
        """Delete the user with its policies and with keys made by hand, as CloudFormation does."""
        client = context.client("iam")
        name = existing.physical_id
        with suppress(client.exceptions.NoSuchEntityException):
            for key in client.list_access_keys(UserName=name)["AccessKeyMetadata"]:
                client.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
            Holder(client, "user", name).clear()
            client.delete_user(UserName=name)
        _set_boundary(context, name, {})


class AccessKey(ResourceType):
    """A user's access key; Ref gives its id. A greater Serial replaces it. IAM allows two a user."""

    type_name = "AWS::IAM::AccessKey"
    properties: ClassVar[PropertyTable] = {
        "UserName": SUPPORTED,
        "Serial": SUPPORTED,
        "Status": Only(("Active", "Inactive"), "IAM sets a key to these only on request"),
    }
    required = ("UserName",)
    replaced_by = frozenset({"UserName", "Serial"})
    attributes = ("SecretAccessKey",)

    def create(self, context: Context, properties: dict[str, Any]) -> Created:
        """Create the key. Its secret is only readable now, so the stack keeps it."""
        client = context.client("iam")
        key = client.create_access_key(UserName=properties["UserName"])["AccessKey"]
        created = Created(key["AccessKeyId"], {"SecretAccessKey": key["SecretAccessKey"]})
        if properties.get("Status", "Active") != "Active":
            _set_status(context, created, properties)
        return created

    def update(
        self, context: Context, existing: Created, _old: dict[str, Any], new: dict[str, Any]
    ) -> Created:
        """Switch the key on or off."""
        _set_status(context, existing, new)
        return existing

    def delete(self, context: Context, existing: Created, properties: dict[str, Any]) -> None:
        """Delete the key."""
        client = context.client("iam")
        try:
            client.delete_access_key(UserName=properties["UserName"], AccessKeyId=existing.physical_id)
        except client.exceptions.NoSuchEntityException:
            return

    def needs_replacement(self, old: dict[str, Any], new: dict[str, Any]) -> bool:
        """Return whether user or serial changed; refuse a smaller serial, which AWS does not document."""
        smaller = int(new.get("Serial", 0)) < int(old.get("Serial", 0))
        if smaller and old["UserName"] == new["UserName"]:
            change = f"AWS::IAM::AccessKey Serial going from {old['Serial']} to {new.get('Serial', 'none')}"
            raise NotEmulatedError(change, "CloudFormation's reference says that it can only be incremented")
        return super().needs_replacement(old, new)


def _set_status(context: Context, key: Created, properties: dict[str, Any]) -> None:
    context.client("iam").update_access_key(
        UserName=properties["UserName"],
        AccessKeyId=key.physical_id,
        Status=properties.get("Status", "Active"),
    )


def _set_boundary(context: Context, name: str, properties: dict[str, Any]) -> None:
    """Keep the boundary beside moto, which has none for users."""
    boundaries: dict[str, str] = context.services.authorization.user_boundaries
    boundary = properties.get("PermissionsBoundary")
    if boundary:
        boundaries[name] = boundary
    else:
        boundaries.pop(name, None)


TYPES = (User(), AccessKey())
