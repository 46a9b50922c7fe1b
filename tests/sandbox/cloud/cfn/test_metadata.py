"""A resource's Metadata attribute: evaluated when it is asked for, and part of what the resource depends on."""

from __future__ import annotations

import json
from typing import Any

from connect_sandbox.cloud import Sandbox

HANDLE = "AWS::CloudFormation::WaitConditionHandle"


def _handle(**metadata: Any) -> dict[str, Any]:
    return {"Type": HANDLE, "Metadata": metadata}


def _metadata(sandbox: Sandbox, stack: str, logical_id: str) -> Any:
    client = sandbox.boto3_client("cloudformation")
    answer = client.describe_stack_resource(StackName=stack, LogicalResourceId=logical_id)
    return json.loads(answer["StackResourceDetail"]["Metadata"])


def test_metadata_is_evaluated_for_whoever_describes_the_resource(sandbox: Sandbox, deploy: Any) -> None:
    told = {
        "queue": {"Fn::GetAtt": ["Queue", "Arn"]},
        "where": {"Ref": "AWS::Region"},
        "who": {"Ref": "Owner"},
    }
    stack = deploy(
        {
            "Parameters": {"Owner": {"Type": "String"}},
            "Resources": {
                "Told": _handle(facts=told),
                "Queue": {"Type": "AWS::SQS::Queue"},
                "Plain": {"Type": HANDLE},
            },
        },
        Owner="support",
    )
    assert stack.status == "CREATE_COMPLETE"
    arn = f"arn:aws:sqs:us-east-1:123456789012:{stack.resources['Queue'].rsplit('/', 1)[-1]}"
    assert _metadata(sandbox, stack.name, "Told") == {
        "facts": {"queue": arn, "where": "us-east-1", "who": "support"}
    }
    assert _metadata(sandbox, stack.name, "Plain") == {}


def test_metadata_alone_can_change(sandbox: Sandbox, deploy: Any) -> None:
    stack = deploy({"Resources": {"Told": _handle(version="1")}})
    before = stack.resources["Told"]
    stack = deploy({"Resources": {"Told": _handle(version="2")}}, name=stack.name)
    assert (stack.status, stack.resources["Told"]) == ("UPDATE_COMPLETE", before)
    assert _metadata(sandbox, stack.name, "Told") == {"version": "2"}
