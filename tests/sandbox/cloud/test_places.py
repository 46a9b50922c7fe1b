"""Several accounts and Regions in one sandbox: what reaches across them, and what does not."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from connect_sandbox.cloud import Sandbox
from connect_sandbox.cloud.environment import session
from connect_sandbox.cloud.principals import Admin

from tests.sandbox.cloud.conftest import Deployer

OTHER, FAR = "999999999999", "ap-southeast-2"
CODE = """
import boto3
def handler(event, context):
    ssm = boto3.client("ssm", region_name="ap-southeast-2")
    return ssm.get_parameter(Name=event["name"])["Parameter"]["Value"]
"""
ACROSS = """
import boto3
def handler(event, context):
    got = boto3.client("sts").assume_role(RoleArn=event["role"], RoleSessionName="across")["Credentials"]
    there = boto3.client("sqs", aws_access_key_id=got["AccessKeyId"], aws_session_token=got["SessionToken"],
                         aws_secret_access_key=got["SecretAccessKey"])
    return there.send_message(QueueUrl=event["queue"], MessageBody="from the first account")["MessageId"]
"""


@pytest.fixture
def far(sandbox: Sandbox) -> Iterator[Any]:
    """The parameters of another Region."""
    ssm = sandbox.boto3_client("ssm", region=FAR)
    names = ["/line/open", "/line/secret"]
    for name in names:
        ssm.put_parameter(Name=name, Value=f"{name} far", Type="String")
    yield ssm
    ssm.delete_parameters(Names=names)


def invoke(sandbox: Sandbox, arn: str, event: dict[str, Any]) -> Any:
    return sandbox.functions.invoke(arn, event, invoked_by=Admin(sandbox.account)).json()


def outputs(name: str) -> dict[str, Any]:
    return {"Outputs": {name: {"Value": {"Fn::GetAtt": [name, "Arn"]}}}}


def test_a_function_asks_another_region_with_its_role(
    sandbox: Sandbox, deploy: Deployer, function: Callable[..., dict[str, Any]], far: object
) -> None:
    allowed = {"Effect": "Allow", "Action": "ssm:GetParameter",
               "Resource": {"Fn::Sub": f"arn:aws:ssm:{FAR}:${{AWS::AccountId}}:parameter/line/open"}}  # fmt: skip
    got = deploy({"Resources": function(CODE, allowed), **outputs("Function")})
    assert invoke(sandbox, got.outputs["Function"], {"name": "/line/open"}) == "/line/open far"
    refused = invoke(sandbox, got.outputs["Function"], {"name": "/line/secret"})
    assert f"arn:aws:ssm:{FAR}:123456789012:parameter/line/secret" in refused["errorMessage"]
    with pytest.raises(ClientError, match="ParameterNotFound"):  # nothing of the kind is here
        sandbox.boto3_client("ssm").get_parameter(Name="/line/open")


def test_a_role_of_another_account_takes_trust_there_and_permission_here(
    sandbox: Sandbox, deploy: Deployer, function: Callable[..., dict[str, Any]]
) -> None:
    there = sandbox.at(account=OTHER)
    url = there.boto3_client("sqs").create_queue(QueueName="inbox")["QueueUrl"]
    may = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": f"arn:aws:iam::{OTHER}:role/*"}
    got = deploy({"Resources": function(ACROSS, may), **outputs("Function")})
    own = sandbox.lambda_state.get(got.outputs["Function"]).role

    def role(name: str, trusted: str) -> str:
        trust = {"Effect": "Allow", "Principal": {"AWS": trusted}, "Action": "sts:AssumeRole"}
        iam = there.boto3_client("iam")
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]
        write = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [write]})
        iam.put_role_policy(RoleName=name, PolicyName="write", PolicyDocument=policy)
        return str(made["Arn"])

    trusting, closed = role("trusting", own), role("closed", f"arn:aws:iam::{OTHER}:root")
    event = {"role": trusting, "queue": url}
    assert "errorMessage" not in str(invoke(sandbox, got.outputs["Function"], event))
    (message,) = there.boto3_client("sqs").receive_message(QueueUrl=url)["Messages"]
    assert message["Body"] == "from the first account"
    refused = invoke(sandbox, got.outputs["Function"], {"role": closed, "queue": url})
    assert refused["errorType"] == "ClientError"
    assert closed in refused["errorMessage"]


def test_events_cross_over_to_a_bus_of_another_account_that_lets_them(
    sandbox: Sandbox, deploy: Deployer
) -> None:
    bus = f"arn:aws:events:{FAR}:{OTHER}:event-bus/default"
    trust = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sts:AssumeRole"}
    may = {"Effect": "Allow", "Action": "events:PutEvents", "Resource": bus}
    resources = {
        "Role": {"Type": "AWS::IAM::Role", "Properties": {
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]},
            "Policies": [{"PolicyName": "put", "PolicyDocument": {"Version": "2012-10-17", "Statement": [may]}}]}},
        "Rule": {"Type": "AWS::Events::Rule", "Properties": {
            "EventPattern": {"source": ["acme.line"]},
            "Targets": [{"Id": "bus", "Arn": bus, "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]}}]}},
    }  # fmt: skip
    deploy({"Resources": resources})
    there = sandbox.at(account=OTHER, region=FAR)
    entry = {"Source": "acme.line", "DetailType": "rang", "Detail": "{}"}
    sandbox.boto3_client("events").put_events(Entries=[entry])
    seen = [event for event in there.buses.events if event["source"] == "acme.line"]
    refused = [one.refused for one in sandbox.targets.history if one.target_arn == bus]
    assert (seen, len(refused)) == ([], 1), "the bus has no policy that lets the first account in"
    assert "events:PutEvents" in refused[0]

    policy = {"Action": "events:PutEvents", "Principal": sandbox.account, "StatementId": "in"}
    there.boto3_client("events").put_permission(EventBusName="default", **policy)
    sandbox.boto3_client("events").put_events(Entries=[entry])
    (event,) = [event for event in there.buses.events if event["source"] == "acme.line"]
    assert (event["account"], event["region"]) == (sandbox.account, sandbox.region)  # where it comes from


def test_an_output_of_another_region_is_read(sandbox: Sandbox, deploy: Deployer) -> None:
    far = sandbox.boto3_client("cloudformation", region=FAR)
    queue = {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "far-calls"}}
    template = {
        "Resources": {"Calls": queue},
        "Outputs": {"Arn": {"Value": {"Fn::GetAtt": ["Calls", "Arn"]}}},
    }
    far.create_stack(StackName="far-away", TemplateBody=json.dumps(template))
    sandbox.at(region=FAR).deployments.wait()
    read = {"Fn::GetStackOutput": {"StackName": "far-away", "OutputName": "Arn", "Region": FAR}}
    parameter = {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": read}}
    got = deploy({"Resources": {"Known": parameter}, "Outputs": {"Arn": {"Value": read}}})
    assert got.outputs == {"Arn": f"arn:aws:sqs:{FAR}:123456789012:far-calls"}
    far.delete_stack(StackName="far-away")
    sandbox.at(region=FAR).deployments.wait()


NEEDS_THE_SDK = """
const ssm = require("@aws-sdk/client-ssm");
exports.handler = async () => { throw new Error("never run: there is no SDK"); };
"""


def reference_stacks(function: Callable[..., dict[str, Any]]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the stacks that the CDK makes of a queue here whose ARN a stack of another Region refers to."""
    name = "/cdk/exports/consumer/producerQueueArn"
    may = {
        "Effect": "Allow",
        "Resource": {"Fn::Sub": f"arn:aws:ssm:{FAR}:${{AWS::AccountId}}:parameter/cdk/exports/*"},
    }
    node = {"Runtime": "nodejs22.x"}
    writer = function(NEEDS_THE_SDK, {**may, "Action": ["ssm:PutParameter", "ssm:DeleteParameters"]}, **node)
    reader = function(NEEDS_THE_SDK, {**may, "Action": "ssm:*Tags*Resource"}, **node)
    token = {"ServiceToken": {"Fn::GetAtt": ["Function", "Arn"]}}
    exports = {"region": FAR, "exports": {name: {"Fn::GetAtt": ["Calls", "Arn"]}}}
    imports = {"region": FAR, "prefix": "consumer", "imports": {name: f"{{{{resolve:ssm:{name}}}}}"}}
    producer = {
        **writer,
        "Calls": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "calls-here"}},
        "Writer": {
            "Type": "Custom::CrossRegionExportWriter",
            "Properties": {**token, "WriterProps": exports},
        },
    }
    consumer = {**reader, "Reader": {
        "Type": "Custom::CrossRegionExportReader", "Properties": {**token, "ReaderProps": imports}}}  # fmt: skip
    read = {"Outputs": {"Arn": {"Value": {"Fn::GetAtt": ["Reader", name]}}}}
    return {"Resources": producer}, {"Resources": consumer, **read}


def test_a_reference_across_regions_as_the_cdk_makes_it(
    sandbox: Sandbox, deploy: Deployer, function: Callable[..., dict[str, Any]]
) -> None:
    producer, consumer = reference_stacks(function)
    made = deploy(producer)
    assert made.status == "CREATE_COMPLETE", made.reasons
    there, stacks = sandbox.at(region=FAR), sandbox.boto3_client("cloudformation", region=FAR)
    stacks.create_stack(StackName="consumer", TemplateBody=json.dumps(consumer))
    there.deployments.wait()
    assert there.stack_outputs("consumer") == {"Arn": f"arn:aws:sqs:us-east-1:{sandbox.account}:calls-here"}
    ssm = there.boto3_client("ssm")
    name = ssm.get_parameters_by_path(Path="/cdk/exports", Recursive=True)["Parameters"][0]["Name"]
    tags = ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId=name)["TagList"]
    assert tags == [{"Key": "aws-cdk:strong-ref:consumer", "Value": "true"}]
    stacks.delete_stack(StackName="consumer")
    there.deployments.wait()
    assert ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId=name)["TagList"] == []
    deploy.delete(made.name)
    assert ssm.get_parameters_by_path(Path="/cdk/exports", Recursive=True)["Parameters"] == []


def test_the_roles_of_a_reference_across_regions_count(
    sandbox: Sandbox, deploy: Deployer, function: Callable[..., dict[str, Any]]
) -> None:
    producer, _ = reference_stacks(function)
    statement = producer["Resources"]["Role"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"][0]
    statement["Resource"] = {
        "Fn::Sub": "arn:aws:ssm:${AWS::Region}:${AWS::AccountId}:parameter/cdk/exports/*"
    }
    refused = deploy(producer)
    assert refused.status == "ROLLBACK_FAILED"  # nor may it delete what it has not written
    assert (
        f"arn:aws:ssm:{FAR}:{sandbox.account}:parameter/cdk/exports/consumer/producerQueueArn"
        in refused.reasons
    )


def test_a_region_that_is_none_is_said(sandbox: Sandbox) -> None:
    with pytest.raises(ValueError, match="did you mean eu-west-1"):
        sandbox.boto3_client("s3", region="eu-wset-1")
    with pytest.raises(ClientError, match=r"InvalidRegion.*'mars-north-1' is no Region"):
        session("mars-north-1").client("sqs", endpoint_url=sandbox.endpoint_url).list_queues()
