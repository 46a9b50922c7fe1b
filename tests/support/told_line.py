"""A line whose function does all that a run tells of: it reads, writes, publishes, and is denied something."""

from __future__ import annotations

import json
from typing import Any

from tests.support.own_line import template as own_line

SECRET = "correct-horse-battery-staple"
_LOOKUP = """\
import json, os
import boto3
from botocore.exceptions import ClientError

clients = {name: boto3.client(name) for name in ("dynamodb", "events", "secretsmanager", "sns", "sqs", "ssm")}

def handler(event, context):
    contact = event["Details"]["ContactData"]
    number = contact["CustomerEndpoint"]["Address"]
    secret = clients["secretsmanager"].get_secret_value(SecretId=os.environ["SECRET"])["SecretString"]
    print("looking up", number, "with", json.loads(secret)["token"])
    calls = clients["dynamodb"]
    table = os.environ["TABLE"]
    item = {"number": {"S": number}, "calls": {"N": "1"}, "tags": {"SS": ["b", "a"]}}
    calls.put_item(TableName=table, Item=item)
    calls.update_item(
        TableName=table, Key={"number": {"S": number}}, UpdateExpression="SET calls = calls + :one",
        ExpressionAttributeValues={":one": {"N": "1"}})
    calls.batch_write_item(RequestItems={table: [
        {"PutRequest": {"Item": {"number": {"S": "batch " + number}}}},
        {"PutRequest": {"Item": {"number": {"S": "gone " + number}}}}]})
    calls.delete_item(TableName=table, Key={"number": {"S": "gone " + number}})
    calls.transact_write_items(TransactItems=[
        {"Put": {"TableName": table, "Item": {"number": {"S": "transacted " + number}}}}])
    clients["sns"].publish(
        TopicArn=os.environ["TOPIC"], Message=json.dumps({"number": number}),
        MessageAttributes={"kind": {"DataType": "String", "StringValue": "call"}})
    clients["sqs"].send_message(QueueUrl=os.environ["QUEUE"], MessageBody="from " + number)
    clients["events"].put_events(Entries=[
        {"Source": "own.line", "DetailType": "Called", "Detail": json.dumps({"number": number})}])
    try:
        clients["ssm"].get_parameter(Name="/own/line")
    except ClientError as denied:
        print(denied.response["Error"]["Code"])
    return {"name": "Ada"}
"""
_LATER = """\
import os
import boto3

def handler(event, context):
    print(event)
    first = event.get("Records", [event])[0]
    by = first.get("EventSource") or first.get("eventSource") or event.get("source")
    print("because of", by)
    return {}
"""


def template() -> dict[str, Any]:
    """Return the template: Lookup tells Topic, Queue and the bus, each of which invokes a function of its own."""
    made = own_line()
    resources = made["Resources"]
    resources["Lookup"]["Properties"]["Code"]["ZipFile"] = _LOOKUP
    resources["Lookup"]["Properties"]["Environment"]["Variables"] |= {
        "SECRET": {"Ref": "Secret"}, "TOPIC": {"Ref": "Topic"}, "QUEUE": {"Ref": "Jobs"},
    }  # fmt: skip
    resources["Callers"]["Properties"]["StreamSpecification"] = {"StreamViewType": "NEW_AND_OLD_IMAGES"}
    allowed = [
        ("dynamodb:*", {"Fn::GetAtt": ["Callers", "Arn"]}),
        ("dynamodb:*", {"Fn::Sub": "${Callers.Arn}/stream/*"}),
        ("secretsmanager:GetSecretValue", {"Ref": "Secret"}),
        ("sns:Publish", {"Ref": "Topic"}),
        ("sqs:*", {"Fn::GetAtt": ["Jobs", "Arn"]}),
        ("events:PutEvents", "*"),
    ]
    policy = resources["Role"]["Properties"]["Policies"][0]["PolicyDocument"]
    policy["Statement"] += [
        {"Effect": "Allow", "Action": action, "Resource": where} for action, where in allowed
    ]
    resources["Secret"] = {
        "Type": "AWS::SecretsManager::Secret",
        "Properties": {"SecretString": json.dumps({"token": SECRET})},
    }
    resources["Topic"] = {"Type": "AWS::SNS::Topic"}
    resources["Jobs"] = {"Type": "AWS::SQS::Queue"}
    for name in ("ByTopic", "ByQueue", "ByBus", "ByStream"):
        resources[name] = {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "Code": {"ZipFile": _LATER}, "Handler": "index.handler", "Runtime": "python3.13",
                "Role": {"Fn::GetAtt": ["Role", "Arn"]},
            },
        }  # fmt: skip
    resources["Subscription"] = _of(
        "AWS::SNS::Subscription", TopicArn={"Ref": "Topic"}, Protocol="lambda", Endpoint=_arn("ByTopic")
    )
    resources["Rule"] = _of(
        "AWS::Events::Rule",
        EventPattern={"source": ["own.line"]},
        Targets=[{"Arn": _arn("ByBus"), "Id": "one"}],
    )
    resources["FromQueue"] = _of(
        "AWS::Lambda::EventSourceMapping", EventSourceArn={"Fn::GetAtt": ["Jobs", "Arn"]},
        FunctionName={"Ref": "ByQueue"}, BatchSize=1,
    )  # fmt: skip
    resources["FromStream"] = _of(
        "AWS::Lambda::EventSourceMapping", EventSourceArn={"Fn::GetAtt": ["Callers", "StreamArn"]},
        FunctionName={"Ref": "ByStream"}, StartingPosition="TRIM_HORIZON",
    )  # fmt: skip
    for name, who, where in (
        ("TopicMay", "sns", {"Ref": "Topic"}),
        ("BusMay", "events", {"Fn::GetAtt": ["Rule", "Arn"]}),
    ):
        resources[name] = _of(
            "AWS::Lambda::Permission", FunctionName={"Ref": f"By{name.removesuffix('May')}"},
            Action="lambda:InvokeFunction", Principal=f"{who}.amazonaws.com", SourceArn=where,
        )  # fmt: skip
    return made


def _of(kind: str, **properties: Any) -> dict[str, Any]:
    return {"Type": kind, "Properties": properties}


def _arn(function: str) -> dict[str, Any]:
    return {"Fn::GetAtt": [function, "Arn"]}
