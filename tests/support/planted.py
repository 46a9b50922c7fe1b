"""Templates with a mistake planted, which CloudFormation refuses: deployed to the sandbox in a test, or to an emulator.

`python -m tests.support.planted --endpoint http://localhost:4566` says of each whether what answers there noticed
(docs/decisions/0022-emulators-tried-again.md).
"""

from __future__ import annotations

import argparse
import json
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import boto3
from botocore.exceptions import ClientError

_LAMBDA = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}


def _role(*statements: dict[str, Any], service: str = "lambda.amazonaws.com") -> dict[str, Any]:
    trust = {"Version": "2012-10-17", "Statement": [{**_LAMBDA, "Principal": {"Service": service}}]}
    policy = {
        "PolicyName": "own",
        "PolicyDocument": {"Version": "2012-10-17", "Statement": list(statements)},
    }
    properties = {"AssumeRolePolicyDocument": trust, **({"Policies": [policy]} if statements else {})}
    return {"Type": "AWS::IAM::Role", "Properties": properties}


def _queue(**properties: Any) -> dict[str, Any]:
    return {"Type": "AWS::SQS::Queue", "Properties": properties}


def _table(key: str = "id", **properties: Any) -> dict[str, Any]:
    return {
        "Type": "AWS::DynamoDB::Table",
        "Properties": {
            "KeySchema": [{"AttributeName": key, "KeyType": "HASH"}],
            "AttributeDefinitions": [{"AttributeName": key, "AttributeType": "S"}],
            "BillingMode": "PAY_PER_REQUEST",
            **properties,
        },
    }


def _shown(value: Any) -> dict[str, Any]:
    return {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": value}}


_FUNCTION = {
    "Type": "AWS::Lambda::Function",
    "Properties": {
        "Runtime": "python3.12",
        "Handler": "index.handler",
        "Role": {"Fn::GetAtt": ["Role", "Arn"]},
        "Code": {"ZipFile": "def handler(event, context):\n    return None\n"},
    },
}


@dataclass(frozen=True)
class Planted:
    """A mistake: what is deployed, after what, and a part of what the refusal says (the sandbox's words).

    `first` is deployed well before; then `resources` is a stack of its own, or an update of it if `updates`.
    """

    name: str
    resources: dict[str, Any]
    says: str
    first: dict[str, Any] = field(default_factory=dict)
    updates: bool = False


PLANTED = (
    Planted("an unknown property", {"Queue": _queue(Colour="red")}, "Colour"),
    Planted(
        "an unknown nested property",
        {
            "Bucket": {
                "Type": "AWS::S3::Bucket",
                "Properties": {"VersioningConfiguration": {"Stat": "Enabled"}},
            }
        },
        "Stat",
    ),
    Planted(
        "a required property is missing",
        {"May": {"Type": "AWS::Lambda::Permission", "Properties": {"Action": "lambda:InvokeFunction"}}},
        "required key [FunctionName] not found",
    ),
    Planted(
        "a value outside its enumeration",
        {"Table": _table(BillingMode="FREE")},
        "#/BillingMode: FREE is not a valid enum value",
    ),
    Planted(
        "a number that is too great",
        {"Queue": _queue(VisibilityTimeout=50_000)},
        "#/VisibilityTimeout: 50000 is not less or equal to 43200",
    ),
    Planted(
        "a name of forbidden characters",
        {"Logs": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "calls of today"}}},
        "#/LogGroupName: string [calls of today] does not match pattern",
    ),
    Planted("an unknown type", {"Kiosk": {"Type": "AWS::SQS::Kiosk"}}, "AWS::SQS::Kiosk"),
    Planted("a Ref to nothing", {"Queue": _queue(QueueName={"Ref": "Nobody"})}, "Nobody"),
    Planted(
        "an attribute that is not there",
        {"Queue": _queue(), "Topic": _shown({"Fn::GetAtt": ["Queue", "Colour"]})},
        "Colour",
    ),
    Planted(
        "a circle",
        {"A": {**_queue(), "DependsOn": "B"}, "B": {**_queue(), "DependsOn": "A"}},
        "Circular dependency between resources: [A, B]",
    ),
    Planted(
        "an import of nothing",
        {"Topic": _shown({"Fn::ImportValue": "nobody-exports-this"})},
        "No export named nobody-exports-this found",
    ),
    Planted(
        "a malformed policy",
        {"Role": _role({"Effect": "Allowed", "Action": "s3:GetObject", "Resource": "*"})},
        "malformed",
    ),
    Planted(
        "a role that Lambda cannot assume",
        {"Role": _role(service="ec2.amazonaws.com"), "Function": _FUNCTION},
        "cannot be assumed by Lambda",
    ),
    Planted(
        "a named table that would be replaced",
        {"Table": _table("other", TableName="planted-calls")},
        "cannot update a stack when a custom-named resource requires replacing. Rename planted-calls",
        first={"Table": _table("id", TableName="planted-calls")},
        updates=True,
    ),
    Planted(
        "a name that is taken",
        {"Logs": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "/planted/calls"}}},
        "already exists",
        first={"Logs": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "/planted/calls"}}},
    ),
)


def refused(client: Any, planted: Planted, settle: Callable[[str], None]) -> str:
    """Deploy a mistake with a CloudFormation client; return what was said against it, empty if nothing was.

    `settle` waits until the operation on the stack of this name or id has ended.
    """
    stacks: list[str] = []
    try:
        if planted.first:
            stacks.append(_create(client, planted.first))
            settle(stacks[0])
        try:
            if planted.updates:
                client.update_stack(StackName=stacks[0], TemplateBody=_text(planted.resources))
            else:
                stacks.append(_create(client, planted.resources))
        except ClientError as error:
            return str(error)
        settle(stacks[-1])
        return _failures(client, stacks[-1])
    finally:
        for name in reversed(stacks):
            client.delete_stack(StackName=name)
            settle(name)


def _text(resources: dict[str, Any]) -> str:
    return json.dumps({"Resources": resources})


def _create(client: Any, resources: dict[str, Any]) -> str:
    name = f"planted-{uuid.uuid4().hex[:8]}"
    stack_id: str = client.create_stack(
        StackName=name, TemplateBody=_text(resources), Capabilities=["CAPABILITY_IAM"]
    )["StackId"]
    return stack_id


def _failures(client: Any, name: str) -> str:
    """Return a stack's status and what is said of the resources that failed; empty if the operation succeeded."""
    status = client.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]
    if status in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}:
        return ""
    events = client.describe_stack_events(StackName=name)["StackEvents"]
    failures = [e.get("ResourceStatusReason", "") for e in events if e["ResourceStatus"].endswith("_FAILED")]
    return "; ".join([status, *failures])


def _settled(client: Any, name: str) -> None:
    """Ask an emulator until the stack is no longer in progress, for 30 s at most."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            status = client.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]
        except ClientError:  # it forgets deleted stacks
            return
        if not status.endswith("_IN_PROGRESS"):
            return
        time.sleep(0.1)


def main() -> None:
    """Ask an emulator each of the questions, and print its answers."""
    parser = argparse.ArgumentParser(prog="python -m tests.support.planted", description=__doc__)
    parser.add_argument("--endpoint", required=True, metavar="URL", help="where the emulator answers")
    parser.add_argument("--key", default="123456789012", help="the access key (default: %(default)s)")
    chosen = parser.parse_args()
    client = boto3.client(
        "cloudformation",
        endpoint_url=chosen.endpoint,
        region_name="us-east-1",
        aws_access_key_id=chosen.key,
        aws_secret_access_key="test",
    )
    for planted in PLANTED:
        said = refused(client, planted, partial(_settled, client))
        print(f"{'noticed' if said else 'missed':8} {planted.name:38} {said[:200]}")


if __name__ == "__main__":
    main()
