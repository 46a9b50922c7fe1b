"""What docs/security.md says of keys and rights is what the templates say."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from typing import Any

import pytest

from tests.support import INSTANCE_ARN, ROOT
from tests.synth.shapes import ACCOUNT, REGION, Shapes

PAGE = ROOT / "docs/security.md"
ROLES = re.compile(r"(?<=<!-- roles -->\n).*?(?=<!-- /roles -->)", re.DOTALL)
OWN_LOG = {"logs:CreateLogStream", "logs:PutLogEvents"}


def test_the_roles_on_the_page_are_those_that_were_reviewed(shapes: Shapes) -> None:
    text = PAGE.read_text()
    written = roles(shapes.templates["defaults"])
    if os.environ.get("UPDATE_CONTRACTS") == "1":
        text = ROLES.sub(lambda _: written, text)
        PAGE.write_text(text)
    found = ROLES.search(text)
    assert found
    assert found[0] == written, "If this is meant, write it with UPDATE_CONTRACTS=1 and review the diff."


def roles(template: dict[str, Any]) -> str:
    """Return the page's table: what each role or user may call, on what; a function's own log is left out."""
    grants: dict[str, dict[tuple[str, str], set[str]]] = defaultdict(lambda: defaultdict(set))
    for resource in template["Resources"].values():
        if resource["Type"] != "AWS::IAM::Policy":
            continue
        properties = resource["Properties"]
        (owner,) = [*properties.get("Roles", []), *properties.get("Users", [])]
        for statement in properties["PolicyDocument"]["Statement"]:
            actions, resources = listed(statement["Action"]), listed(statement["Resource"])
            if set(actions) == OWN_LOG:
                assert [name(one) for one in resources] == [f"{name(owner).removesuffix('Role')}Logs"]
                continue
            on = "<br>".join(sorted(f"`{name(one)}`" for one in resources))
            condition = "; ".join(
                f"`{key}` is `{value}`"
                for test in statement.get("Condition", {}).values()
                for key, value in test.items()
            )
            grants[name(owner).removesuffix("Role")][on, condition].update(actions)
    lines = ["| whose | may call | on |", "| --- | --- | --- |"]
    for owner in sorted(grants):
        for (on, condition), actions in sorted(grants[owner].items()):
            called = ", ".join(f"`{action}`" for action in sorted(actions))
            lines.append(f"| {owner} | {called} | {on}{f', if {condition}' if condition else ''} |")
    return "\n".join(lines) + "\n"


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def name(value: Any) -> str:
    """Name a resource as the table does: the construct's name without CloudFormation's suffix, or a short ARN."""
    match value:
        case {"Ref": str(logical)} | {"Fn::GetAtt": [str(logical), _]}:
            return logical[:-8]
        case str():
            short = value.replace(INSTANCE_ARN, "instance").replace(f":{REGION}:{ACCOUNT}:", ":…:")
            return short.replace("arn:aws:", "")
    raise AssertionError(f"{value} is not rendered; add its form to name()")


def keys(properties: dict[str, Any]) -> set[str]:
    """Return the keys of the account, by name, with which a resource is encrypted."""
    given = [properties.get("KmsKeyId"), properties.get("KmsMasterKeyId")]
    given += [
        replica.get("SSESpecification", {}).get("KMSMasterKeyId")
        for replica in properties.get("Replicas", [])
    ]
    return {name(one) for one in given if one is not None}


def encryption() -> dict[str, tuple[str, str]]:
    """Return the page's rows by resource type: with what it is encrypted by default, and with every option."""
    section = PAGE.read_text().split("\n## What is encrypted with what\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| [^|]+ \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", section, re.MULTILINE)
    return {
        kind: (default, own)
        for where, default, own in rows
        for kind in re.findall(r"`(AWS::\w+::\w+)`", where)
    }


@pytest.mark.parametrize(
    "kind",
    [
        "AWS::DynamoDB::GlobalTable",
        "AWS::Logs::LogGroup",
        "AWS::SNS::Topic",
        "AWS::SQS::Queue",
        "AWS::SecretsManager::Secret",
    ],
)
def test_what_is_encrypted_is_encrypted_as_the_page_says(shapes: Shapes, kind: str) -> None:
    default, own = encryption()[kind]
    for stack, expected in (("defaults", default), ("regulated", own)):
        found = {
            logical: keys(resource["Properties"])
            for logical, resource in shapes.templates[stack]["Resources"].items()
            if resource["Type"] == kind
        }
        assert found
        for logical, used in found.items():
            if stack == "regulated":
                assert used == {"Key"}, logical
                assert "encryption_key=" in expected
            elif "a key that AWS manages" in expected:
                assert used == set() or "Chat" in logical, logical
            else:
                assert used == {"ChatStreamKey"}, logical


def test_tables_are_kept_restorable_and_encrypted_with_kms(shapes: Shapes) -> None:
    tables = [
        (stack, resource)
        for stack in ("defaults", "regulated")
        for resource in shapes.templates[stack]["Resources"].values()
        if resource["Type"] == "AWS::DynamoDB::GlobalTable"
    ]
    assert len(tables) == 4
    for stack, table in tables:
        assert table["Properties"]["SSESpecification"] == {"SSEEnabled": True, "SSEType": "KMS"}
        (replica,) = table["Properties"]["Replicas"]
        assert replica["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
        assert replica["DeletionProtectionEnabled"] is (stack == "regulated")
