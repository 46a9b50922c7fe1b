"""AWS::IAM::Role, Policy and ManagedPolicy, on moto's IAM; what they grant is evaluated at every call."""

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
from connect_sandbox.cloud.cfn.support import SUPPORTED, TAGS, PropertyTable, Recorded
from connect_sandbox.cloud.cfn.types.iam_support import (
    INLINE,
    NO_GROUPS,
    Holder,
    check_document,
    check_policies,
    holders,
)
from connect_sandbox.iam.policies import PolicyKind


class Role(ResourceType):
    """A role with its trust policy, inline and managed policies and permissions boundary."""

    type_name = "AWS::IAM::Role"
    properties: ClassVar[PropertyTable] = {
        "AssumeRolePolicyDocument": SUPPORTED,
        "RoleName": SUPPORTED,
        "Path": SUPPORTED,
        "Description": Recorded("a description is kept"),
        "ManagedPolicyArns": SUPPORTED,
        "Policies": INLINE,
        "PermissionsBoundary": SUPPORTED,
        "MaxSessionDuration": Recorded("sessions last as long as the sandbox"),
        "Tags": TAGS,
    }
    required = ("AssumeRolePolicyDocument",)
    name_property = "RoleName"
    replaced_by = frozenset({"RoleName", "Path"})
    attributes = ("Arn", "RoleId")

    def create(self, context: Context, properties: dict[str, Any]) -> Created:
        """Create the role and attach its policies."""
        client = context.client("iam")
        name = properties.get("RoleName") or context.physical_name(limit=64)
        _check_trust(context, properties)
        check_policies(context, properties)
        request = {
            "RoleName": name,
            "Path": properties.get("Path", "/"),
            "AssumeRolePolicyDocument": json.dumps(properties["AssumeRolePolicyDocument"]),
            "Description": properties.get("Description", ""),
            "Tags": as_list_of_tags(merged_tags(context, properties.get("Tags"))),
        }
        if properties.get("PermissionsBoundary"):
            request["PermissionsBoundary"] = properties["PermissionsBoundary"]
        role = client.create_role(**request)["Role"]
        Holder(client, "role", name).set_policies({}, properties)
        return Created(name, {"Arn": role["Arn"], "RoleId": role["RoleId"]})

    def update(
        self, context: Context, existing: Created, old: dict[str, Any], new: dict[str, Any]
    ) -> Created:
        """Change the trust policy, the policies and the boundary."""
        client = context.client("iam")
        name = existing.physical_id
        _check_trust(context, new)
        check_policies(context, new)
        document = json.dumps(new["AssumeRolePolicyDocument"])
        client.update_assume_role_policy(RoleName=name, PolicyDocument=document)
        Holder(client, "role", name).set_policies(old, new)
        if new.get("PermissionsBoundary"):
            client.put_role_permissions_boundary(
                RoleName=name, PermissionsBoundary=new["PermissionsBoundary"]
            )
        elif old.get("PermissionsBoundary"):
            client.delete_role_permissions_boundary(RoleName=name)
        return existing

    def delete(self, context: Context, existing: Created, _properties: dict[str, Any]) -> None:
        """Detach everything and delete the role."""
        client = context.client("iam")
        name = existing.physical_id
        try:
            Holder(client, "role", name).clear()
            client.delete_role(RoleName=name)
        except client.exceptions.NoSuchEntityException:
            return


class Policy(ResourceType):
    """An inline policy of one or more roles and users."""

    type_name = "AWS::IAM::Policy"
    properties: ClassVar[PropertyTable] = {
        "PolicyName": SUPPORTED,
        "PolicyDocument": SUPPORTED,
        "Roles": SUPPORTED,
        "Users": SUPPORTED,
        "Groups": NO_GROUPS,
    }
    required = ("PolicyName", "PolicyDocument")
    attributes = ("Id",)

    def create(self, context: Context, properties: dict[str, Any]) -> Created:
        """Put the policy on each role and user."""
        name = properties["PolicyName"]
        check_document(properties["PolicyDocument"], name, PolicyKind.IDENTITY)
        named = _existing_holders(context, properties)
        for holder in named:
            holder.put(name, properties["PolicyDocument"])
        return Created(f"{context.logical_id}-{name}"[:64], {"Id": context.logical_id})

    def update(
        self, context: Context, existing: Created, old: dict[str, Any], new: dict[str, Any]
    ) -> Created:
        """Put the policy on its current roles and users; remove it from the former ones, and under its former name."""
        renamed = old["PolicyName"] != new["PolicyName"]
        gone = {
            kind: [name for name in old.get(kind, []) if renamed or name not in new.get(kind, [])]
            for kind in ("Roles", "Users")
        }
        self.create(context, new)
        self.delete(context, existing, {**old, **gone})
        return existing

    def delete(self, context: Context, _existing: Created, properties: dict[str, Any]) -> None:
        """Remove the policy from each role and user."""
        client = context.client("iam")
        for holder in holders(client, properties):
            try:
                holder.remove(properties["PolicyName"])
            except client.exceptions.NoSuchEntityException:
                continue


class ManagedPolicy(ResourceType):
    """A customer-managed policy."""

    type_name = "AWS::IAM::ManagedPolicy"
    properties: ClassVar[PropertyTable] = {
        "ManagedPolicyName": SUPPORTED,
        "Description": Recorded("a description is kept"),
        "Path": SUPPORTED,
        "PolicyDocument": SUPPORTED,
        "Roles": SUPPORTED,
        "Users": SUPPORTED,
        "Groups": NO_GROUPS,
    }
    required = ("PolicyDocument",)
    name_property = "ManagedPolicyName"
    replaced_by = frozenset({"ManagedPolicyName", "Description", "Path"})
    attributes = ("PolicyArn",)

    def create(self, context: Context, properties: dict[str, Any]) -> Created:
        """Create the policy and attach it to its roles and users."""
        client = context.client("iam")
        name = properties.get("ManagedPolicyName") or context.physical_name(limit=128)
        check_document(properties["PolicyDocument"], name, PolicyKind.IDENTITY)
        named = _existing_holders(context, properties)
        policy = client.create_policy(
            PolicyName=name,
            Path=properties.get("Path", "/"),
            PolicyDocument=json.dumps(properties["PolicyDocument"]),
        )["Policy"]
        for holder in named:
            holder.attach(policy["Arn"])
        return Created(policy["Arn"], {"PolicyArn": policy["Arn"]})

    def update(
        self, context: Context, existing: Created, old: dict[str, Any], new: dict[str, Any]
    ) -> Created:
        """Make the new document the policy's one version, and attach it to its current roles and users alone."""
        client = context.client("iam")
        arn = existing.physical_id
        named = _existing_holders(context, new)
        if old["PolicyDocument"] != new["PolicyDocument"]:
            check_document(new["PolicyDocument"], arn, PolicyKind.IDENTITY)
            document = json.dumps(new["PolicyDocument"])
            client.create_policy_version(PolicyArn=arn, PolicyDocument=document, SetAsDefault=True)
            for version in client.list_policy_versions(PolicyArn=arn)["Versions"]:
                if not version["IsDefaultVersion"]:
                    client.delete_policy_version(PolicyArn=arn, VersionId=version["VersionId"])
        before = {(holder.kind, holder.name): holder for holder in holders(client, old)}
        after = {(holder.kind, holder.name): holder for holder in named}
        for gone in before.keys() - after.keys():
            before[gone].detach(arn)
        for come in after.keys() - before.keys():
            after[come].attach(arn)
        return existing

    def delete(self, context: Context, existing: Created, _properties: dict[str, Any]) -> None:
        """Detach the policy from all roles and users and delete it."""
        client = context.client("iam")
        arn = existing.physical_id
        try:
            entities = client.list_entities_for_policy(PolicyArn=arn)
            attached = {
                "Roles": [role["RoleName"] for role in entities["PolicyRoles"]],
                "Users": [user["UserName"] for user in entities["PolicyUsers"]],
            }
            for holder in holders(client, attached):
                holder.detach(arn)
            client.delete_policy(PolicyArn=arn)
        except client.exceptions.NoSuchEntityException:
            return


def _check_trust(context: Context, properties: dict[str, Any]) -> None:
    name = f"trust policy of {context.logical_id}"
    check_document(properties["AssumeRolePolicyDocument"], name, PolicyKind.TRUST)


def _existing_holders(context: Context, properties: dict[str, Any]) -> list[Holder]:
    """Return whom a policy names, before attaching it to the first: a failed create must leave nothing behind."""
    found = holders(context.client("iam"), properties)
    for holder in found:
        holder.require()
    return found


TYPES = (Role(), Policy(), ManagedPolicy())
