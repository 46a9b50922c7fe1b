"""What the role that deploys has to be allowed: of templates, CloudFormation's schemas, docs/deploying-role.toml."""

from __future__ import annotations

import json
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from cfnlint.schema import PROVIDER_SCHEMA_MANAGER
from connect_sandbox.iam.patterns import wildcard_match

from tests.support import ROOT

FOLDER = ROOT / "docs/deploying-role"
DATA = ROOT / "docs/deploying-role.toml"
ACCOUNT = "123456789012"
STACKS = "connect-bridges-*"
SERVICE_ROLE = (
    f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/connect.amazonaws.com/AWSServiceRoleForAmazonConnect_*"
)
BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/connect-bridges-boundary"
OUTPUTS = ("cloudformation:DescribeStacks",)
"""Beyond the types: for ``Fn::GetStackOutput``, with which a stack reads what another one tells."""
SHORTER = ("s3:GetBucket*", "s3:Get*Configuration")
"""What stands in the policies for the reads that it matches, since a managed policy has 6,144 characters at most."""
HANDLERS = ("create", "read", "update", "delete")
#: Which constructs the stacks of tests/synth/shapes.py have, by stack and the id with which logical ids begin.
CONSTRUCTS = {
    "defaults": {
        "Connector": "ExternalVoiceConnector",
        "Metadata": "MetadataBridge",
        "Transfer": "ExternalVoiceTransfer",
        "Chat": "ChatStreamBridge",
        "Gate": "VoiceBiometricGate",
    },
    "center": {"Center": "ContactCenter", "Line": "ContactFlow"},
}
CONSTRUCTS["regulated"] = CONSTRUCTS["defaults"]
_CENTER = frozenset({"ContactCenter", "ContactFlow"})


@dataclass(frozen=True)
class Said:
    """What docs/deploying-role.toml says of a type, beyond the schema."""

    name: str
    note: str = ""
    unused: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    source: str = ""


@cache
def said() -> Mapping[str, Said]:
    """Return the file's entries by type."""
    entries: list[dict[str, Any]] = tomllib.loads(DATA.read_text(encoding="utf-8"))["type"]
    return {entry["name"]: _said(**entry) for entry in entries}


def _said(
    *,
    name: str,
    note: str = "",
    unused: Sequence[str] = (),
    only: Sequence[str] = (),
    also: Sequence[str] = (),
    source: str = "",
) -> Said:
    return Said(name, note, tuple(unused), tuple(only), tuple(also), source)


@cache
def newer() -> frozenset[str]:
    """Return the actions that the repository's IAM data does not know yet."""
    return frozenset(tomllib.loads(DATA.read_text(encoding="utf-8"))["newer"]["actions"])


@cache
def of_schema(kind: str) -> frozenset[str]:
    """Return what CloudFormation's schema of a type lists; nothing for a custom resource."""
    if kind.startswith("Custom::"):
        return frozenset()
    found: Any = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", kind)
    handlers = found.schema.get("handlers") or {}
    return frozenset(
        action for handler in HANDLERS for action in handlers.get(handler, {}).get("permissions", ())
    )


@cache
def actions_of(kind: str) -> tuple[str, ...]:
    """Return what the role needs for a type, sorted."""
    entry = said().get(kind, Said(kind))
    kept = [
        action
        for action in of_schema(kind)
        if (any(wildcard_match(one, action) for one in entry.only) if entry.only else True)
        and not any(wildcard_match(one, action) for one in entry.unused)
    ]
    return tuple(sorted({*kept, *entry.also}))


def made_by(templates: Mapping[str, Mapping[str, Any]]) -> dict[str, set[str]]:
    """Return the types of the templates, each with the constructs that make it."""
    found: dict[str, set[str]] = defaultdict(set)
    for stack, template in templates.items():
        for logical, resource in template["Resources"].items():
            names = found[resource["Type"]]
            names |= {name for first, name in CONSTRUCTS.get(stack, {}).items() if logical.startswith(first)}
    found.pop("AWS::CDK::Metadata", None)
    return dict(found)


def table(types: Mapping[str, Iterable[str]]) -> str:
    """Return the page's table."""
    lines = ["| type | made by | the role needs | note |", "| --- | --- | --- | --- |"]
    for kind in sorted(types):
        entry = said().get(kind, Said(kind))
        needs = ", ".join(f"`{action}`" for action in actions_of(kind)) or "nothing"
        makers = ", ".join(sorted(types[kind])) or "an option, or your app"
        lines.append(f"| `{kind}` | {makers} | {needs} | {entry.note} |")
    return "\n".join(lines) + "\n"


def policies(types: Mapping[str, Iterable[str]]) -> dict[str, dict[str, Any]]:
    """Return the sample policies by name: what all need, what only a contact centre or bridges need, the boundary."""
    center = {kind for kind, makers in types.items() if _CENTER & set(makers)}
    bridges = {kind for kind, makers in types.items() if set(makers) - _CENTER or not set(makers)}
    parts = {"every-stack": center & bridges, "bridges": bridges - center, "contact-center": center - bridges}
    found = {name: _document(_statements(sorted(kinds))) for name, kinds in parts.items()}
    found["every-stack"]["Statement"].append(
        _allow("StackOutputs", OUTPUTS, f"arn:aws:cloudformation:*:{ACCOUNT}:stack/{STACKS}/*")
    )
    return found | {"boundary": _boundary(types)}


def _boundary(types: Iterable[str]) -> dict[str, Any]:
    services = {f"{action.partition(':')[0]}:*" for kind in types for action in actions_of(kind)}
    return _document(
        [
            _allow("Services", (services | {"cloudformation:*"}) - {"iam:*"}, "*"),
            *(one for one in _statements(types) if one["Sid"] in _OF_IAM),
            {
                "Sid": "RolesCarryTheBoundary",
                "Effect": "Deny",
                "Action": ["iam:AttachRolePolicy", "iam:CreateRole", "iam:CreateUser", "iam:PutRolePolicy"],
                "NotResource": SERVICE_ROLE,
                "Condition": {"StringNotEquals": {"iam:PermissionsBoundary": BOUNDARY}},
            },
            {
                "Sid": "BoundaryStays",
                "Effect": "Deny",
                "Action": ["iam:DeleteRolePermissionsBoundary", "iam:DeleteUserPermissionsBoundary"],
                "Resource": "*",
            },
        ]
    )


def _document(statements: list[dict[str, Any]]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": statements}


def _statements(types: Iterable[str]) -> list[dict[str, Any]]:
    """Return the statements for some types: actions with the narrowest resources that are known beforehand."""
    groups: dict[str, set[str]] = defaultdict(set)
    for kind in types:
        for action in actions_of(kind):
            shorter = next((one for one in SHORTER if wildcard_match(one, action)), action)
            groups[group_of(kind, action)].add(shorter)
    return [
        _allow(name, groups[name], resource, condition)
        for name, resource, condition in _GROUPS
        if groups.get(name)
    ]


def group_of(kind: str, action: str) -> str:
    """Return the statement that has an action of a type."""
    service = action.partition(":")[0]
    if action == "iam:CreateServiceLinkedRole":
        return "MakeServiceRole"
    if action == "iam:PassRole":
        return "PassRole"
    if service == "iam":
        if kind.startswith("AWS::Connect::"):
            return "ServiceRole"
        return "Users" if "User" in action or "AccessKey" in action else "Roles"
    return {
        "kms:CreateGrant": "Grants",
        "lambda:InvokeFunction": "CustomResources",
        "s3:GetObject": "Assets",
        "s3:GetObjectVersion": "Assets",
    }.get(action, "Everywhere")


PASSED_TO = ["apigateway.amazonaws.com", "firehose.amazonaws.com", "lambda.amazonaws.com"]
"""To API Gateway its role for logs; to Firehose the role of a stream of contact records."""
_OF_IAM = frozenset({"Roles", "Users", "PassRole", "ServiceRole", "MakeServiceRole"})
_GROUPS: tuple[tuple[str, str, dict[str, Any] | None], ...] = (
    ("Everywhere", "*", None),
    ("Grants", f"arn:aws:kms:*:{ACCOUNT}:key/*", {"Bool": {"kms:GrantIsForAWSResource": "true"}}),
    ("Assets", f"arn:aws:s3:::cdk-hnb659fds-assets-{ACCOUNT}-*/*", None),
    ("CustomResources", f"arn:aws:lambda:*:{ACCOUNT}:function:{STACKS}", None),
    ("Roles", f"arn:aws:iam::{ACCOUNT}:role/{STACKS}", None),
    ("Users", f"arn:aws:iam::{ACCOUNT}:user/{STACKS}", None),
    (
        "PassRole",
        f"arn:aws:iam::{ACCOUNT}:role/{STACKS}",
        {"StringEquals": {"iam:PassedToService": PASSED_TO}},
    ),
    ("ServiceRole", SERVICE_ROLE, None),
    (
        "MakeServiceRole",
        f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/connect.amazonaws.com/*",
        {"StringEquals": {"iam:AWSServiceName": "connect.amazonaws.com"}},
    ),
)


def _allow(
    name: str, actions: Iterable[str], resource: str, condition: dict[str, Any] | None = None
) -> dict[str, Any]:
    one: dict[str, Any] = {"Sid": name, "Effect": "Allow", "Action": sorted(actions), "Resource": resource}
    return one | ({"Condition": condition} if condition else {})


def text(policy: Mapping[str, Any]) -> str:
    """Return a policy as its file has it."""
    return json.dumps(policy, indent=2) + "\n"


def size(policy: Mapping[str, Any]) -> int:
    """Return the characters that IAM counts: without white space."""
    return len(json.dumps(policy, separators=(",", ":")))
