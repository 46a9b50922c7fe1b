"""AWS::IAM::Role, Policy and ManagedPolicy, on moto's IAM; what they grant is evaluated at every call."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any, ClassVar

from connect_bridges.sandbox.cloud.cfn.resource import (
    Context,
    Created,
    ResourceType,
    as_list_of_tags,
    merged_tags,
)
from connect_bridges.sandbox.cloud.cfn.support import SUPPORTED, TAGS, Nested, Only, PropertyTable, Recorded
from connect_bridges.sandbox.cloud.errors import AwsError
from connect_bridges.sandbox.iam.policies import Policy as PolicyDocument
from connect_bridges.sandbox.iam.policies import PolicyKind
from moto.iam.aws_managed_policies import aws_managed_policies_data
from moto.iam.models import AWSManagedPolicy, iam_backends

_INLINE = Nested({"PolicyName": SUPPORTED, "PolicyDocument": SUPPORTED})
_NO_USERS = Only((), "there are roles here, no users and no groups")


class Role(ResourceType):
    """A role with its trust policy, inline and managed policies and permissions boundary."""

    type_name = "AWS::IAM::Role"
    properties: ClassVar[PropertyTable] = {
        "AssumeRolePolicyDocument": SUPPORTED,
        "RoleName": SUPPORTED,
        "Path": SUPPORTED,
        "Description": Recorded("a description is kept"),
        "ManagedPolicyArns": SUPPORTED,
        "Policies": SUPPORTED,
        "PermissionsBoundary": SUPPORTED,
        "MaxSessionDuration": Recorded("sessions last as long as the sandbox"),
        "Tags": TAGS,
    }
    required = ("AssumeRolePolicyDocument",)
    replaced_by = frozenset({"RoleName", "Path"})
    attributes = ("Arn", "RoleId")

    def create(self, context: Context, properties: dict[str, Any]) -> Created:
        """Create the role and attach its policies."""
        client = context.client("iam")
        name = properties.get("RoleName") or context.physical_name(limit=64)
        _check(
            properties["AssumeRolePolicyDocument"], f"trust policy of {context.logical_id}", PolicyKind.TRUST
        )
        for arn in [*properties.get("ManagedPolicyArns", []), properties.get("PermissionsBoundary")]:
            _load_aws_managed(context.account, arn)
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
        self._set_policies(context, name, {}, properties)
        return Created(name, {"Arn": role["Arn"], "RoleId": role["RoleId"]})

    def update(
        self, context: Context, existing: Created, old: dict[str, Any], new: dict[str, Any]
    ) -> Created:
        """Change the trust policy, the policies and the boundary."""
        client = context.client("iam")
        name = existing.physical_id
        _check(new["AssumeRolePolicyDocument"], f"trust policy of {context.logical_id}", PolicyKind.TRUST)
        document = json.dumps(new["AssumeRolePolicyDocument"])
        client.update_assume_role_policy(RoleName=name, PolicyDocument=document)
        self._set_policies(context, name, old, new)
        if new.get("PermissionsBoundary"):
            _load_aws_managed(context.account, new["PermissionsBoundary"])
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
            for policy in client.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
                client.detach_role_policy(RoleName=name, PolicyArn=policy["PolicyArn"])
            for policy_name in client.list_role_policies(RoleName=name)["PolicyNames"]:
                client.delete_role_policy(RoleName=name, PolicyName=policy_name)
            client.delete_role(RoleName=name)
        except client.exceptions.NoSuchEntityException:
            return

    def _set_policies(self, context: Context, name: str, old: dict[str, Any], new: dict[str, Any]) -> None:
        client = context.client("iam")
        before, after = set(old.get("ManagedPolicyArns", [])), set(new.get("ManagedPolicyArns", []))
        for arn in sorted(before - after):
            client.detach_role_policy(RoleName=name, PolicyArn=arn)
        for arn in sorted(after - before):
            _load_aws_managed(context.account, arn)
            client.attach_role_policy(RoleName=name, PolicyArn=arn)
        wanted = {policy["PolicyName"]: policy["PolicyDocument"] for policy in new.get("Policies", [])}
        for policy in old.get("Policies", []):
            if policy["PolicyName"] not in wanted:
                client.delete_role_policy(RoleName=name, PolicyName=policy["PolicyName"])
        for policy_name, document in wanted.items():
            _check(document, f"{policy_name} of {context.logical_id}", PolicyKind.IDENTITY)
            client.put_role_policy(RoleName=name, PolicyName=policy_name, PolicyDocument=json.dumps(document))


class Policy(ResourceType):
    """An inline policy of one or more roles."""

    type_name = "AWS::IAM::Policy"
    properties: ClassVar[PropertyTable] = {
        "PolicyName": SUPPORTED,
        "PolicyDocument": SUPPORTED,
        "Roles": SUPPORTED,
        "Users": _NO_USERS,
        "Groups": _NO_USERS,
    }
    required = ("PolicyName", "PolicyDocument")
    replaced_by = frozenset({"PolicyName"})
    attributes = ("Id",)

    def create(self, context: Context, properties: dict[str, Any]) -> Created:
        """Put the policy on each role."""
        name = properties["PolicyName"]
        _check(properties["PolicyDocument"], name, PolicyKind.IDENTITY)
        for role in properties.get("Roles", []):
            context.client("iam").put_role_policy(
                RoleName=role, PolicyName=name, PolicyDocument=json.dumps(properties["PolicyDocument"])
            )
        return Created(f"{context.logical_id}-{name}"[:64], {"Id": context.logical_id})

    def update(
        self, context: Context, existing: Created, old: dict[str, Any], new: dict[str, Any]
    ) -> Created:
        """Put the policy on the roles that have it now; take it from those that had it."""
        gone = [role for role in old.get("Roles", []) if role not in new.get("Roles", [])]
        self.create(context, new)
        self.delete(context, existing, {**old, "Roles": gone})
        return existing

    def delete(self, context: Context, _existing: Created, properties: dict[str, Any]) -> None:
        """Take the policy from each role."""
        client = context.client("iam")
        for role in properties.get("Roles", []):
            try:
                client.delete_role_policy(RoleName=role, PolicyName=properties["PolicyName"])
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
        "Users": _NO_USERS,
        "Groups": _NO_USERS,
    }
    required = ("PolicyDocument",)
    attributes = ("PolicyArn",)

    def create(self, context: Context, properties: dict[str, Any]) -> Created:
        """Create the policy and attach it to its roles."""
        client = context.client("iam")
        name = properties.get("ManagedPolicyName") or context.physical_name(limit=128)
        _check(properties["PolicyDocument"], name, PolicyKind.IDENTITY)
        policy = client.create_policy(
            PolicyName=name,
            Path=properties.get("Path", "/"),
            PolicyDocument=json.dumps(properties["PolicyDocument"]),
        )["Policy"]
        for role in properties.get("Roles", []):
            client.attach_role_policy(RoleName=role, PolicyArn=policy["Arn"])
        return Created(policy["Arn"], {"PolicyArn": policy["Arn"]})

    def delete(self, context: Context, existing: Created, _properties: dict[str, Any]) -> None:
        """Detach the policy from every role and delete it."""
        client = context.client("iam")
        try:
            entities = client.list_entities_for_policy(PolicyArn=existing.physical_id)
            for role in entities["PolicyRoles"]:
                client.detach_role_policy(RoleName=role["RoleName"], PolicyArn=existing.physical_id)
            client.delete_policy(PolicyArn=existing.physical_id)
        except client.exceptions.NoSuchEntityException:
            return


def _check(document: dict[str, Any], name: str, kind: PolicyKind) -> None:
    """Refuse a policy that IAM refuses, or that the evaluator could not evaluate, at once and by name."""
    PolicyDocument.parse(document, name=name, kind=kind)


def _load_aws_managed(account: str, arn: str | None) -> None:
    """Put an AWS-managed policy into moto's IAM on first use; all of them would take seconds."""
    if not arn or ":iam::aws:policy/" not in arn:
        return
    backend: Any = iam_backends[account]["aws"]
    if arn in backend.managed_policies:
        return
    name = arn.rsplit("/", 1)[-1]
    data = _aws_managed()
    if name not in data:
        raise AwsError("NoSuchEntity", f"Policy {arn} does not exist or is not attachable.", 404)
    backend.managed_policies[arn] = AWSManagedPolicy.from_data(name, account, "aws", data[name])


@lru_cache
def _aws_managed() -> dict[str, Any]:
    policies: dict[str, Any] = json.loads(aws_managed_policies_data)
    return policies


TYPES = (Role(), Policy(), ManagedPolicy())
