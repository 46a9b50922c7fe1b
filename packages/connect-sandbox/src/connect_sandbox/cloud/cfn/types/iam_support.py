"""What the AWS::IAM::* types share: who holds policies, and which documents and AWS-managed policies exist."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal

from connect_sandbox.cloud.cfn.resource import Context
from connect_sandbox.cloud.cfn.support import SUPPORTED, Nested, Only
from connect_sandbox.cloud.errors import AwsError
from connect_sandbox.iam.policies import Policy as PolicyDocument
from connect_sandbox.iam.policies import PolicyKind
from connect_sandbox.moto_internals import aws_managed_policies, aws_managed_policy, iam

INLINE = Nested({"PolicyName": SUPPORTED, "PolicyDocument": SUPPORTED})
NO_GROUPS = Only((), "there are users and roles here, no groups")


@dataclass(frozen=True)
class Holder:
    """A holder of policies: a role or a user, by name. Each method calls IAM's operation for its kind."""

    client: Any
    kind: Literal["role", "user"]
    name: str

    def require(self) -> None:
        """Raise NoSuchEntity (ClientError) unless the role or user exists."""
        self._call("get_{}")

    def put(self, policy: str, document: dict[str, Any]) -> None:
        """Embed an inline policy, or change it."""
        self._call("put_{}_policy", PolicyName=policy, PolicyDocument=json.dumps(document))

    def remove(self, policy: str) -> None:
        """Remove an inline policy."""
        self._call("delete_{}_policy", PolicyName=policy)

    def attach(self, arn: str) -> None:
        """Attach a managed policy."""
        self._call("attach_{}_policy", PolicyArn=arn)

    def detach(self, arn: str) -> None:
        """Detach a managed policy."""
        self._call("detach_{}_policy", PolicyArn=arn)

    def set_policies(self, old: dict[str, Any], new: dict[str, Any]) -> None:
        """Change the properties ManagedPolicyArns and Policies from `old` to `new`."""
        before, after = set(old.get("ManagedPolicyArns", [])), set(new.get("ManagedPolicyArns", []))
        for arn in sorted(before - after):
            self.detach(arn)
        for arn in sorted(after - before):
            self.attach(arn)
        wanted = {policy["PolicyName"]: policy["PolicyDocument"] for policy in new.get("Policies", [])}
        for policy in old.get("Policies", []):
            if policy["PolicyName"] not in wanted:
                self.remove(policy["PolicyName"])
        for name, document in wanted.items():
            self.put(name, document)

    def clear(self) -> None:
        """Detach and remove every policy, which must happen before the holder is deleted."""
        for policy in self._call("list_attached_{}_policies")["AttachedPolicies"]:
            self.detach(policy["PolicyArn"])
        for name in self._call("list_{}_policies")["PolicyNames"]:
            self.remove(name)

    def _call(self, operation: str, **request: str) -> dict[str, Any]:
        call = getattr(self.client, operation.format(self.kind))
        answer: dict[str, Any] = call(**{f"{self.kind.title()}Name": self.name}, **request)
        return answer


def holders(client: Any, properties: dict[str, Any]) -> list[Holder]:  # noqa: ANN401  (a boto3 client)
    """Return the holders that a policy's properties Roles and Users name."""
    roles, users = properties.get("Roles", []), properties.get("Users", [])
    return [Holder(client, "role", name) for name in roles] + [Holder(client, "user", name) for name in users]


def check_document(document: dict[str, Any], name: str, kind: PolicyKind) -> None:
    """Refuse, immediately and by name, a policy that IAM refuses or that the evaluator cannot evaluate."""
    PolicyDocument.parse(document, name=name, kind=kind)


def check_policies(context: Context, properties: dict[str, Any]) -> None:
    """Refuse, before anything is created, policies of a role or user that are malformed or do not exist."""
    for policy in properties.get("Policies", []):
        name = f"{policy['PolicyName']} of {context.logical_id}"
        check_document(policy["PolicyDocument"], name, PolicyKind.IDENTITY)
    for arn in [*properties.get("ManagedPolicyArns", []), properties.get("PermissionsBoundary")]:
        if arn:
            _require_managed(context.account, arn)


def _require_managed(account: str, arn: str) -> None:
    """Raise NoSuchEntity unless the managed policy exists, in the account or at AWS.

    A policy of AWS is put into moto's IAM on first use: loading all of them takes seconds.
    """
    policies = iam(account).managed_policies
    if arn in policies:
        return
    name = arn.rsplit("/", 1)[-1]
    if ":iam::aws:policy/" not in arn or name not in aws_managed_policies():
        raise AwsError("NoSuchEntity", f"Policy {arn} does not exist or is not attachable.", 404)
    policies[arn] = aws_managed_policy(name, account)
