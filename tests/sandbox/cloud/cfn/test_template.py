"""Templates are read and evaluated as CloudFormation does, in JSON and in YAML with its short forms."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from connect_sandbox.cloud import AwsError, NotEmulatedError
from connect_sandbox.cloud.cfn.intrinsics import Resolver, resolve_parameters
from connect_sandbox.cloud.cfn.template import Template, creation_order, load_template

YAML = """
Parameters:
  Stage: {Type: String, Default: dev}
Mappings:
  Sizes: {dev: {memory: 128}}
Conditions:
  IsDev: !Equals [!Ref Stage, dev]
Resources:
  Topic:
    Type: AWS::SNS::Topic
    Properties:
      TopicName: !Sub "${Stage}-${AWS::Region}-${!literal}"
      DisplayName: !If [IsDev, !Ref AWS::NoValue, never]
  Policy:
    Type: AWS::SNS::TopicPolicy
    Properties:
      Topics: [!Ref Topic]
      PolicyDocument: {Version: 2012-10-17, Statement: [], Id: !GetAtt Topic.TopicName}
"""


def resolver(template: Template, **parameters: Any) -> Resolver:
    return Resolver(
        template,
        parameters=parameters,
        pseudo={"AWS::Region": "us-east-1"},
        imports=lambda name: f"imported {name}",
        outputs=lambda stack, output, region: f"{output} of {stack} in {region}",
        reference=lambda name: f"ref of {name}",
        attribute=lambda name, attribute: f"{attribute} of {name}",
        dynamic=str,
    )


def evaluate(value: Any, **sections: Any) -> Any:
    body = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}, **sections}
    return resolver(load_template(json.dumps(body)), Stage="dev").resolve(value)


def test_yaml_short_forms_and_dates_are_read_as_cloudformation_reads_them() -> None:
    template = load_template(YAML)
    evaluated = resolver(template, Stage="dev")

    topic = evaluated.resolve(template.resources["Topic"].properties)
    policy = evaluated.resolve(template.resources["Policy"].properties)

    assert topic == {"TopicName": "dev-us-east-1-${literal}"}
    assert policy["Topics"] == ["ref of Topic"]
    assert policy["PolicyDocument"] == {"Version": "2012-10-17", "Statement": [], "Id": "TopicName of Topic"}
    assert creation_order(template) == ["Topic", "Policy"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"Fn::Join": ["-", ["a", {"Ref": "Stage"}, 1, True]]}, "a-dev-1-true"),
        ({"Fn::Select": ["1", {"Fn::Split": [",", "a,b,c"]}]}, "b"),
        (
            {"Fn::Sub": ["${Name} ${Topic.Arn} ${Topic}", {"Name": {"Ref": "Stage"}}]},
            "dev Arn of Topic ref of Topic",
        ),
        ({"Fn::Base64": "hi"}, "aGk="),
        ({"Fn::ImportValue": {"Fn::Sub": "${Stage}-x"}}, "imported dev-x"),
        ({"Fn::GetStackOutput": {"StackName": {"Ref": "Stage"}, "OutputName": "X"}}, "X of dev in us-east-1"),
        (
            {
                "Fn::Split": [
                    " ",
                    {"Fn::GetStackOutput": {"StackName": "s", "OutputName": "X", "Region": "eu-west-2"}},
                ]
            },
            ["X", "of", "s", "in", "eu-west-2"],
        ),
        ({"Fn::And": [{"Fn::Equals": ["a", "a"]}, {"Fn::Not": [{"Fn::Equals": ["a", "b"]}]}]}, True),
        ({"Fn::Or": [{"Fn::Equals": ["a", "b"]}, {"Fn::Contains": [["x"], "x"]}]}, True),
        ([1, {"Ref": "AWS::NoValue"}, 2], [1, 2]),
        ({"Condition": {"StringEquals": {"a": "b"}}}, {"Condition": {"StringEquals": {"a": "b"}}}),
    ],
)
def test_intrinsic_functions(value: Any, expected: Any) -> None:
    assert evaluate(value) == expected


@pytest.mark.parametrize(
    ("value", "named"),
    [
        ({"Fn::Transform": {"Name": "x"}}, "Fn::Transform"),
        (
            {"Fn::GetStackOutput": {"StackName": "s", "OutputName": "X", "RoleArn": "arn:aws:iam::…"}},
            "RoleArn of Fn::GetStackOutput",
        ),
        ({"Fn::GetStackOutput": {"StackName": {"Ref": "Topic"}, "OutputName": "X"}}, "Topic"),
    ],
)
def test_what_is_not_evaluated_is_refused_by_name(value: Any, named: str) -> None:
    with pytest.raises(NotEmulatedError) as refused:
        evaluate(value)
    assert named in str(refused.value)


def test_parameters_are_checked_and_read() -> None:
    template = load_template(
        json.dumps(
            {
                "Parameters": {
                    "Version": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/cdk/version"},
                    "Names": {"Type": "CommaDelimitedList", "Default": "a, b"},
                    "Size": {"Type": "String", "AllowedValues": ["s", "m"]},
                },
                "Resources": {"T": {"Type": "AWS::SNS::Topic"}},
            }
        )
    )

    values = resolve_parameters(template, {"Size": "m"}, {}, lambda name: f"value of {name}")

    assert values == {"Version": "value of /cdk/version", "Names": ["a", "b"], "Size": "m"}
    with pytest.raises(AwsError, match="'Size' must be one of AllowedValues"):
        resolve_parameters(template, {"Size": "xl"}, {}, str)
    with pytest.raises(AwsError, match=r"\[Colour\] do not exist in the template"):
        resolve_parameters(template, {"Size": "s", "Colour": "x"}, {}, str)


def test_a_rule_whose_assertion_fails_is_told() -> None:
    assertion = {
        "Assert": {"Fn::Not": [{"Fn::Contains": [["1"], {"Ref": "Stage"}]}]},
        "AssertDescription": "too old",
    }
    body = {"Rules": {"Check": {"Assertions": [assertion]}}, "Resources": {"T": {"Type": "AWS::SNS::Topic"}}}

    with pytest.raises(AwsError, match="too old"):
        resolver(load_template(json.dumps(body)), Stage="1").check_rules()
    resolver(load_template(json.dumps(body)), Stage="2").check_rules()


def test_aliases_in_yaml_are_refused_as_cloudformation_refuses_them() -> None:
    text = "Resources:\n  A: &a {Type: 'AWS::SNS::Topic'}\n  B: *a\n"
    with pytest.raises(AwsError, match="YAML aliases are not allowed in CloudFormation templates"):
        load_template(text)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"Resources": {f"Queue{n}": {"Type": "AWS::SQS::Queue"} for n in range(501)}},
         "Number of resources, 501, is greater than maximum allowed, 500"),
        ({"Outputs": {f"Out{n}": {"Value": "x"} for n in range(201)}},
         "Number of outputs, 201, is greater than maximum allowed, 200"),
        ({"Description": "d" * 1025}, "'Description' length is greater than 1024."),
        ({"AWSTemplateFormatVersion": "2020-01-01"}, "2020-01-01 is not a supported value"),
        ({"Resources": {"Queue": {"Type": "AWS::SQS::Queue", "DeletionPolicy": "Keep"}}},
         "Unrecognized DeletionPolicy Keep for resource Queue"),
        ({"Outputs": {name: {"Value": "x", "Export": {"Name": "calls"}} for name in ("One", "Two")}},
         "Duplicate Export names: [calls]"),
        ({"Conditions": {"Is": {"Fn::Equals": [{"Fn::ImportValue": "calls"}, "x"]}}},
         "Cannot use Fn::ImportValue in Conditions."),
        ({"Conditions": {"Is": {"Fn::Equals": [{"Ref": "Queue"}, "x"]}}},
         "Unresolved dependencies [Queue]. Cannot reference resources in the Conditions block"),
    ],
    ids=["resources", "outputs", "description", "version", "policy", "exports", "import", "reference"],
)  # fmt: skip
def test_what_cloudformation_limits_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(AwsError, match=re.escape(said)):
        load_template(json.dumps({"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}, **changes}))
