"""Properties are checked against CloudFormation's schemas, and as generously as CloudFormation reads them."""

from __future__ import annotations

from typing import Any

import pytest
from connect_sandbox.cloud.cfn.schemas import schema_of, schema_problems
from connect_sandbox.cloud.cfn.types import all_types

INSTANCE = "arn:aws:connect:us-east-1:123456789012:instance/11111111-2222-3333-4444-555555555555"


def test_every_type_of_the_sandbox_has_a_schema_and_only_properties_of_it() -> None:
    for name, kind in all_types().items():
        schema = schema_of(name)
        assert schema is not None, name
        assert set(kind.properties) <= set(schema["properties"]), name


def test_an_unknown_type_is_not_checked() -> None:
    assert schema_problems("Custom::Anything", {"Colour": "red"}) == []


@pytest.mark.parametrize(
    ("type_name", "properties", "problem"),
    [
        ("AWS::SQS::Queue", {"Colour": "red"}, "#: extraneous key [Colour] is not permitted"),
        ("AWS::Kinesis::Stream", {"ShardCount": "three"}, "#/ShardCount: expected type: Integer, found: String"),
        ("AWS::Kinesis::Stream", {"ShardCount": 0}, "#/ShardCount: 0 is not greater or equal to 1"),
        ("AWS::Lambda::Function", {"Code": {}}, "#: required key [Role] not found"),
        (
            "AWS::Lambda::Function",
            {"Code": {}, "Role": "arn:aws:iam::123456789012:role/x", "Timeout": True},
            "#/Timeout: expected type: Integer, found: Boolean",
        ),
        (
            "AWS::DynamoDB::Table",
            {"KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}], "BillingMode": "FREE"},
            "#/BillingMode: FREE is not a valid enum value",
        ),
        (
            "AWS::Connect::Queue",
            {"InstanceArn": INSTANCE, "Name": "", "HoursOfOperationArn": f"{INSTANCE}/operating-hours/x"},
            "#/Name: expected minLength: 1, actual: 0",
        ),
        (
            "AWS::Connect::Queue",
            {"InstanceArn": "11111111", "Name": "Q", "HoursOfOperationArn": f"{INSTANCE}/operating-hours/x"},
            "#/InstanceArn: string [11111111] does not match pattern",
        ),
        (
            "AWS::Connect::EvaluationForm",
            {"InstanceArn": INSTANCE, "Title": "Quality", "Items": [], "Status": "DRAFT"},
            "#/Items: expected minimum item count: 1, found: 0",
        ),
    ],
    ids=["key", "type", "size", "required", "boolean", "enum", "length", "pattern", "items"],
)  # fmt: skip
def test_what_the_schema_forbids_is_told_with_its_place(
    type_name: str, properties: dict[str, Any], problem: str
) -> None:
    assert [told for told in schema_problems(type_name, properties) if told.startswith(problem)]


@pytest.mark.parametrize(
    ("type_name", "properties"),
    [
        ("AWS::Kinesis::Stream", {"ShardCount": "3"}),
        ("AWS::SQS::Queue", {"FifoQueue": "true", "VisibilityTimeout": "30"}),
        ("AWS::SNS::Topic", {"DisplayName": 7}),
        ("AWS::IAM::Role", {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": []}}),
        ("AWS::IAM::Role", {"AssumeRolePolicyDocument": "{}"}),
        (
            "AWS::Connect::User",
            {
                "InstanceArn": INSTANCE,
                "Username": "ana",
                "Password": "{{resolve:secretsmanager:ana:SecretString:::}}",
                "PhoneConfig": {"PhoneType": "SOFT_PHONE"},
                "RoutingProfileArn": f"{INSTANCE}/routing-profile/11111111-2222-3333-4444-555555555555",
                "SecurityProfileArns": [f"{INSTANCE}/security-profile/11111111-2222-3333-4444-555555555555"],
            },
        ),
    ],
    ids=["number as text", "boolean as text", "text as number", "object", "object as text", "secret"],
)
def test_what_cloudformation_reads_as_meant_is_no_problem(type_name: str, properties: dict[str, Any]) -> None:
    assert schema_problems(type_name, properties) == []
