from __future__ import annotations

import aws_cdk as cdk
import pytest
from aws_cdk import assertions
from aws_cdk import aws_ssm as ssm
from connect_bridges import ConnectInstance
from connect_bridges.shared.tokens import comes_later, is_token

from tests.support import INSTANCE_ARN


def test_parts_of_an_arn_that_is_known_are_what_the_cdk_says_they_are(stack: cdk.Stack) -> None:
    instance = ConnectInstance.from_arn(stack, "Instance", INSTANCE_ARN)
    split = stack.split_arn(INSTANCE_ARN, cdk.ArnFormat.SLASH_RESOURCE_NAME)
    assert (instance.instance_id, instance.account) == (split.resource_name, split.account)


def test_parts_of_an_arn_that_comes_at_deploy_time_are_left_to_cloudformation(stack: cdk.Stack) -> None:
    parameter = cdk.CfnParameter(stack, "InstanceArn")
    instance = ConnectInstance.from_arn(stack, "Instance", parameter.value_as_string)
    split = {"Fn::Split": [":", {"Ref": "InstanceArn"}]}
    assert stack.resolve(instance.account) == {"Fn::Select": [4, split]}
    assert stack.resolve(instance.instance_id) == {
        "Fn::Select": [1, {"Fn::Split": ["/", {"Fn::Select": [5, split]}]}]
    }


@pytest.mark.parametrize("part", ["account", "region", "partition"])
def test_an_arn_with_a_token_in_one_place_is_not_taken_for_known(stack: cdk.Stack, part: str) -> None:
    parts = {"account": "123456789012", "region": "us-east-1", "partition": "aws"}
    parts[part] = {"account": cdk.Aws.ACCOUNT_ID, "region": cdk.Aws.REGION, "partition": cdk.Aws.PARTITION}[
        part
    ]
    arn = (
        f"arn:{parts['partition']}:connect:{parts['region']}:{parts['account']}:instance/"
        "11111111-2222-3333-4444-555555555555"
    )
    instance = ConnectInstance.from_arn(stack, "Instance", arn)
    split = stack.split_arn(arn, cdk.ArnFormat.SLASH_RESOURCE_NAME)
    assert stack.resolve(instance.account) == stack.resolve(split.account)
    assert stack.resolve(instance.instance_id) == stack.resolve(split.resource_name)


def test_a_text_is_a_token_if_the_cdk_says_so() -> None:
    assert is_token(cdk.Fn.ref("AWS::Region"))
    assert is_token(f"before {cdk.Aws.REGION} after")
    assert not is_token("${Placeholder}")


def test_a_lookup_that_has_yet_to_run_comes_later(stack: cdk.Stack) -> None:
    assert comes_later(ssm.StringParameter.value_from_lookup(stack, "/connect/instance"))
    assert comes_later(cdk.CfnParameter(stack, "Number", type="Number").value_as_number)
    assert not comes_later("arn:aws:connect:us-east-1")
    assert not comes_later(-1.0)


def test_resources_are_chained_within_a_stack_and_not_beyond_it() -> None:
    app = cdk.App()
    first, other = cdk.Stack(app, "users-stack"), cdk.Stack(app, "other-stack")
    instance = ConnectInstance.from_arn(first, "Instance", INSTANCE_ARN)
    resources = [
        cdk.CfnResource(scope, name, type="AWS::CloudFormation::WaitConditionHandle")
        for scope, name in ((first, "First"), (other, "Elsewhere"), (first, "Second"))
    ]
    for resource in resources:
        instance.chain("flows", resource)
    depends = {
        name: resource.get("DependsOn")
        for each in (first, other)
        for name, resource in assertions.Template.from_stack(each).to_json()["Resources"].items()
    }
    assert depends == {"First": None, "Elsewhere": None, "Second": ["First"]}
