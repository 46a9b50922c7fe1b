"""What replaces a resource in the sandbox replaces it on AWS, by two sources that nobody here has written.

cfn-lint brings CloudFormation's own schemas, whose createOnlyProperties decide; the CDK CLI brings what `cdk diff`
says, made of the schemas and of the template reference's "Update requires". Where they differ, DISPUTED says who is
right.
"""

from __future__ import annotations

import gzip
import json
from functools import cache
from typing import Any

import pytest
from cfnlint.schema import PROVIDER_SCHEMA_MANAGER
from connect_sandbox.cloud.cfn.resource import ResourceType
from connect_sandbox.cloud.cfn.support import Only
from connect_sandbox.cloud.cfn.types import all_types

from tests.support import ROOT

REGIONS = ("us-east-1", "us-west-2", "eu-central-1", "eu-west-2", "ap-northeast-1", "ap-southeast-2")
NOT_OF_CLOUDFORMATION = {"AWS::CDK::Metadata"}
CONDITIONAL = {
    ("AWS::DynamoDB::GlobalTable", "KeySchema"),
    ("AWS::DynamoDB::GlobalTable", "LocalSecondaryIndexes"),
    ("AWS::DynamoDB::Table", "KeySchema"),
    ("AWS::Connect::DataTableAttribute", "Name"),
    ("AWS::EC2::Subnet", "Ipv6CidrBlock"),
    ("AWS::EC2::VPC", "InstanceTenancy"),
    ("AWS::Events::Rule", "EventBusName"),
    ("AWS::SNS::Subscription", "Region"),
}
"""Create-only "conditionally": whether they replace depends on the values. The sandbox replaces, or knows one value."""
DISPUTED = {
    # The documentation and today's schema, whose update handler calls UpdatePhoneNumberMetadata, change it in place. An
    # older schema (github.com/aws-cloudformation/aws-cloudformation-resource-providers-connect) replaced the number.
    ("AWS::Connect::PhoneNumber", "Description"): False,
    # Template reference: "Updates are not supported"; DynamoDB makes a local index with the table or never.
    ("AWS::DynamoDB::Table", "LocalSecondaryIndexes"): True,
    # Recorded types, of which only the made-up id would change: the schema decides.
    ("AWS::CertificateManager::Certificate", "ValidationMethod"): False,
    ("AWS::Connect::ViewVersion", "VersionDescription"): False,
    ("AWS::EC2::EIP", "Domain"): False,
    ("AWS::Route53::RecordSet", "Name"): False,
}
"""By type and property: whether the sandbox replaces, where schema, CDK CLI and sandbox do not agree."""


def settable(kind: ResourceType) -> set[str]:
    """Return the properties that can have two values in the sandbox."""
    return {
        name
        for name, support in kind.properties.items()
        if not (isinstance(support, Only) and len(support.values) < 2)
    }


def replacing(kind: ResourceType) -> set[str]:
    in_place = type(kind).update is not ResourceType.update
    return set(kind.replaced_by if in_place else kind.properties) & settable(kind)


def schema(region: str, name: str) -> dict[str, Any]:
    return dict(PROVIDER_SCHEMA_MANAGER.get_resource_schema(region, name).schema)


def create_only(region: str, name: str, key: str = "createOnlyProperties") -> set[str]:
    return {path.removeprefix("/properties/").split("/")[0] for path in schema(region, name).get(key, [])}


@cache
def told_by_cdk_diff() -> dict[str, set[str]]:
    with gzip.open(ROOT / "node_modules/aws-cdk/db.json.gz") as file:
        resources = json.load(file)["schema"]["resource"]["entities"]
    return {
        one["cloudFormationType"]: {
            name
            for name, declared in one["properties"].items()
            if declared.get("causesReplacement", "no") != "no"
        }
        for one in resources
    }


KINDS = {name: kind for name, kind in sorted(all_types().items()) if name not in NOT_OF_CLOUDFORMATION}


def disputed(name: str, *, replaces: bool) -> set[str]:
    return {setting for (kind, setting), said in DISPUTED.items() if kind == name and said is replaces}


@pytest.mark.parametrize("name", KINDS)
def test_the_sandbox_replaces_what_cloudformations_schema_does(name: str) -> None:
    kind = KINDS[name]
    conditional = {setting for one, setting in CONDITIONAL if one == name}
    wanted = create_only("us-east-1", name) & settable(kind)
    assert replacing(kind) - conditional - disputed(name, replaces=True) == wanted
    assert create_only("us-east-1", name, "conditionalCreateOnlyProperties") & settable(kind) <= conditional


@pytest.mark.parametrize("name", KINDS)
def test_the_sandbox_replaces_what_cdk_diff_says(name: str) -> None:
    kind = KINDS[name]
    told = told_by_cdk_diff()[name] & settable(kind)
    assert replacing(kind) - disputed(name, replaces=True) == told - disputed(name, replaces=False)


@pytest.mark.parametrize("region", REGIONS[1:])
def test_what_a_contact_centre_is_made_of_is_replaced_by_the_same_everywhere(region: str) -> None:
    there = set(PROVIDER_SCHEMA_MANAGER.get_resource_types(region))
    for name in KINDS:
        if name.startswith("AWS::Connect::") and name in there:
            assert create_only(region, name) == create_only(REGIONS[0], name), name


def test_every_dispute_is_one() -> None:
    for (name, setting), replaces in DISPUTED.items():
        said = {setting in create_only("us-east-1", name), setting in told_by_cdk_diff()[name]}
        assert said != {replaces}
