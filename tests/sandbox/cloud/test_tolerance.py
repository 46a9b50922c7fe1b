"""Tolerance: what cannot be made is recorded if its type may be missing, and whoever goes through it fails."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from connect_sandbox.cloud import Sandbox
from connect_sandbox.cloud.tolerance import NotRehearsedError, Tolerance
from connect_sandbox.rehearsal.deployed import DeployedFlow
from connect_sandbox.rehearsal.errors import RehearsalError
from connect_sandbox.rehearsal.scenario import ScenarioFile

INSTANCE = "arn:aws:connect:us-east-1:123456789012:instance/22222222-2222-3333-4444-555555555555"
FLEET = {"Type": "AWS::GameLift::Fleet", "Properties": {"Name": "nobody emulates this"}}
FIFO = {"Type": "AWS::SQS::Queue", "Properties": {"FifoQueue": True}}
PLAIN = {"Type": "AWS::SQS::Queue", "Properties": {}}


@pytest.fixture
def tolerant(sandbox: Sandbox) -> Iterator[Sandbox]:
    """The shared sandbox, for the time of a test as it is with tolerate=[…]."""
    before = sandbox.tolerance.patterns
    sandbox.tolerance.add(["AWS::GameLift::*", "AWS::SQS::Queue"])
    yield sandbox
    sandbox.tolerance.patterns = before
    sandbox.tolerance.uses.clear()


def test_without_tolerance_it_is_refused_by_name(sandbox: Sandbox, deploy: Any) -> None:
    stack = deploy({"Resources": {"Fleet": FLEET, "Queue": PLAIN}})
    assert stack.status == "ROLLBACK_COMPLETE"
    assert "the sandbox does not emulate the resource type AWS::GameLift::Fleet" in stack.reasons


def test_the_rest_deploys_and_what_was_not_made_is_listed_with_the_reason(
    tolerant: Sandbox, deploy: Any
) -> None:
    stack = deploy({"Resources": {"Fleet": FLEET, "Fifo": FIFO, "Queue": PLAIN}})
    assert stack.status == "CREATE_COMPLETE", stack.reasons
    told = {one.logical_id: one for one in tolerant.not_rehearsed if one.stack == stack.name}
    # The plain queue can be made, so it is, although the pattern names its type.
    assert set(told) == {"Fleet", "Fifo"}
    assert all(one.tolerated for one in told.values())
    assert "AWS::GameLift::Fleet" in told["Fleet"].why
    assert "AWS::SQS::Queue FifoQueue=True" in told["Fifo"].why
    tolerant.boto3_client("sqs").send_message(QueueUrl=stack.resources["Queue"], MessageBody="there")
    assert deploy.delete(stack.name).status == "DELETE_COMPLETE"
    assert [one for one in tolerant.not_rehearsed if one.stack == stack.name] == []


def test_a_resource_that_can_be_made_at_last_replaces_the_record(tolerant: Sandbox, deploy: Any) -> None:
    stack = deploy({"Resources": {"Queue": FIFO}})
    again = deploy({"Resources": {"Queue": PLAIN}}, name=stack.name)
    assert again.status == "UPDATE_COMPLETE", again.reasons
    assert again.resources["Queue"].startswith("https://sqs.")
    assert [one for one in tolerant.not_rehearsed if one.stack == stack.name] == []


def test_a_request_that_names_it_fails_and_says_so(tolerant: Sandbox, deploy: Any) -> None:
    stack = deploy({"Resources": {"Fifo": FIFO}, "Outputs": {"Url": {"Value": {"Ref": "Fifo"}}}})
    client = tolerant.boto3_client("sqs")
    with pytest.raises(
        client.exceptions.ClientError, match=r"Fifo of the stack .* was tolerated instead of deployed"
    ):
        client.send_message(QueueUrl=stack.outputs["Url"], MessageBody="lost")
    (use,) = tolerant.tolerance.uses
    assert (use.logical_id, use.what) == ("Fifo", "a request to sqs")


END = {"Identifier": "end", "Type": "DisconnectParticipant", "Parameters": {}, "Transitions": {}}
CALLS: dict[str, Any] = {
    "Version": "2019-10-30",
    "StartAction": "ask",
    "Metadata": {},
    "Actions": [
        {
            "Identifier": "ask",
            "Type": "InvokeLambdaFunction",
            "Parameters": {"LambdaFunctionARN": "${Function.Arn}", "InvocationTimeLimitSeconds": "8"},
            "Transitions": {
                "NextAction": "end",
                "Errors": [{"NextAction": "end", "ErrorType": "NoMatchingError"}],
            },
        },
        END,
    ],
}


def call(sandbox: Sandbox, flow_arn: str, folder: Path) -> None:
    (folder / "call.yaml").write_text("expect: {ends: disconnected}\n")
    (scenario,) = ScenarioFile.load(folder / "call.yaml").scenarios
    DeployedFlow(sandbox=sandbox, arn=flow_arn).play(scenario)


def flow(content: Any) -> dict[str, Any]:
    properties = {
        "InstanceArn": INSTANCE,
        "Name": "tolerant",
        "Type": "CONTACT_FLOW",
        "Content": {"Fn::Sub": json.dumps(content)},
    }
    return {"Type": "AWS::Connect::ContactFlow", "Properties": properties}


def test_a_call_fails_whose_function_goes_through_it_even_if_the_function_hides_that(
    tolerant: Sandbox, deploy: Any, function: Any, tmp_path: Path
) -> None:
    code = """
    import boto3, os
    def handler(event, context):
        try:
            boto3.client("sqs").send_message(QueueUrl=os.environ["QUEUE"], MessageBody="call")
        except Exception:
            pass
        return {}
    """
    allowed = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*"}
    stack = deploy(
        {
            "Resources": {
                "Fifo": FIFO,
                **function(code, allowed, Timeout=10, Environment={"Variables": {"QUEUE": {"Ref": "Fifo"}}}),
                "May": {
                    "Type": "AWS::Lambda::Permission",
                    "Properties": {
                        "Action": "lambda:InvokeFunction",
                        "FunctionName": {"Ref": "Function"},
                        "Principal": "connect.amazonaws.com",
                        "SourceArn": INSTANCE,
                    },
                },
                "InConnect": {
                    "Type": "AWS::Connect::IntegrationAssociation",
                    "Properties": {
                        "InstanceId": INSTANCE,
                        "IntegrationType": "LAMBDA_FUNCTION",
                        "IntegrationArn": {"Fn::GetAtt": ["Function", "Arn"]},
                    },
                },
                "Flow": flow(CALLS),
            }
        }
    )
    assert stack.status == "CREATE_COMPLETE", stack.reasons
    with pytest.raises(NotRehearsedError, match="a request to sqs goes through Fifo"):
        call(tolerant, stack.resources["Flow"], tmp_path)


def test_a_call_fails_at_a_block_that_names_it(tolerant: Sandbox, deploy: Any, tmp_path: Path) -> None:
    content = json.loads(json.dumps(CALLS).replace("${Function.Arn}", "${Fleet.Arn}"))
    stack = deploy({"Resources": {"Fleet": FLEET, "Flow": flow(content)}})
    assert stack.status == "CREATE_COMPLETE", stack.reasons
    with pytest.raises(RehearsalError, match="goes through Fleet of the stack"):
        call(tolerant, stack.resources["Flow"], tmp_path)


def test_an_api_whose_function_is_missing_says_so(tolerant: Sandbox, deploy: Any) -> None:
    uri = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/${Fleet.Arn}/invocations"
    api = {"Ref": "Api"}
    stack = deploy(
        {
            "Resources": {
                "Fleet": FLEET,
                "Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": "tolerant"}},
                "Get": {
                    "Type": "AWS::ApiGateway::Method",
                    "Properties": {
                        "RestApiId": api,
                        "ResourceId": {"Fn::GetAtt": ["Api", "RootResourceId"]},
                        "HttpMethod": "GET",
                        "AuthorizationType": "NONE",
                        "Integration": {
                            "Type": "AWS_PROXY",
                            "IntegrationHttpMethod": "POST",
                            "Uri": {"Fn::Sub": uri},
                        },
                    },
                },
                "Deployment": {
                    "Type": "AWS::ApiGateway::Deployment",
                    "DependsOn": "Get",
                    "Properties": {"RestApiId": api},
                },
                "Stage": {
                    "Type": "AWS::ApiGateway::Stage",
                    "Properties": {
                        "RestApiId": api,
                        "DeploymentId": {"Ref": "Deployment"},
                        "StageName": "live",
                    },
                },
            }
        }
    )
    assert stack.status == "CREATE_COMPLETE", stack.reasons
    host = f"{stack.resources['Api']}.execute-api.us-east-1.amazonaws.com"
    _, port, _ = tolerant.api_base(f"https://{host}")
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("GET", "/live/", headers={"Host": host})
    answer = connection.getresponse()
    assert answer.status == 501
    assert "goes through Fleet" in answer.read().decode()
    connection.close()


def test_a_pattern_that_is_no_type_is_refused() -> None:
    with pytest.raises(ValueError, match=r"'wafv2' is no resource type; write .*'AWS::WAFv2::\*'"):
        Tolerance(["wafv2"])
