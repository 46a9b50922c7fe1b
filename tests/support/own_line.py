"""A support line as its owner would write it: one plain template with a function, a queue and a table."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.support.rehearsal import block, hang_up, say

Command = Callable[..., str]
"""Runs connect-sandbox for an app and returns what it prints; `status` is what it is to exit with, 0 by default."""
FUNCTION = """\
import os
import boto3

def handler(event, context):
    endpoint = event["Details"]["ContactData"]["CustomerEndpoint"] or {}  # a chat has none
    number = endpoint.get("Address", "none")
    print("looking up", number)
    table = boto3.client("dynamodb")
    table.put_item(TableName=os.environ["TABLE"], Item={"number": {"S": number}})
    return {"name": "Ada"}
"""


def flow() -> dict[str, Any]:
    """Return the flow: a greeting by name, then 1 for an agent."""
    ask = block(
        "ask", "GetParticipantInput", "sorry", errors={
            "InputTimeLimitExceeded": "sorry", "NoMatchingCondition": "sorry", "NoMatchingError": "sorry"},
        when=[("Equals", "1", "queue")],
        Text="Press 1 for an agent.", StoreInput="False", InputTimeLimitSeconds="5",
    )  # fmt: skip
    lookup = block(
        "lookup", "InvokeLambdaFunction", "welcome", errors={"NoMatchingError": "sorry"},
        LambdaFunctionARN="${Lookup.Arn}", InvocationTimeLimitSeconds="8",
        ResponseValidation={"ResponseType": "STRING_MAP"},
    )  # fmt: skip
    failing = {"NoMatchingError": "sorry"}
    actions = [
        lookup,
        say("welcome", "Welcome, $.External.name.", "ask"),
        ask,
        block("queue", "UpdateContactTargetQueue", "transfer", errors=failing, QueueId="${Queue.QueueArn}"),
        block("transfer", "TransferContactToQueue", "bye", errors={"QueueAtCapacity": "sorry", **failing}),
        say("sorry", "Please call again.", "bye"),
        hang_up(),
    ]
    return {"Version": "2019-10-30", "StartAction": "lookup", "Actions": actions}


def chat_flow() -> dict[str, Any]:
    """Return the flow for chats: a bot understands what the customer writes."""
    alias = "arn:aws:lex:${AWS::Region}:${AWS::AccountId}:bot-alias/BOT1234567/ALIAS12345"
    ask = block(
        "ask", "ConnectParticipantWithLexBot", "sorry", errors={
            "NoMatchingCondition": "sorry", "NoMatchingError": "sorry"},
        when=[("Equals", "Agent", "hello")], Text="How can we help?", LexV2Bot={"AliasArn": alias},
    )  # fmt: skip
    actions = [
        ask,
        say("hello", "Somebody will be with you.", "bye"),
        say("sorry", "We did not get that.", "bye"),
        hang_up(),
    ]
    return {"Version": "2019-10-30", "StartAction": "ask", "Actions": actions}


def template(*, may_write: bool = True) -> dict[str, Any]:
    """Return the template. Without `may_write` the function lacks the permission for its table."""
    instance = {"Fn::GetAtt": ["Instance", "Arn"]}
    statements: list[dict[str, Any]] = [{"Effect": "Allow", "Action": "logs:*", "Resource": "*"}]
    if may_write:
        table = {"Fn::GetAtt": ["Callers", "Arn"]}
        statements.append({"Effect": "Allow", "Action": "dynamodb:PutItem", "Resource": table})
    clock = {"StartTime": {"Hours": 0, "Minutes": 0}, "EndTime": {"Hours": 23, "Minutes": 59}}
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    resources = {
        "Instance": ("AWS::Connect::Instance", {
            "IdentityManagementType": "CONNECT_MANAGED", "InstanceAlias": "acme-support",
            "Attributes": {"InboundCalls": True, "OutboundCalls": False}}),
        "Hours": ("AWS::Connect::HoursOfOperation", {
            "InstanceArn": instance, "Name": "Office", "TimeZone": "UTC", "Config": [{"Day": "MONDAY", **clock}]}),
        "Queue": ("AWS::Connect::Queue", {
            "InstanceArn": instance, "Name": "Support", "HoursOfOperationArn": {"Ref": "Hours"}}),
        "Callers": ("AWS::DynamoDB::Table", {
            "BillingMode": "PAY_PER_REQUEST", "KeySchema": [{"AttributeName": "number", "KeyType": "HASH"}],
            "AttributeDefinitions": [{"AttributeName": "number", "AttributeType": "S"}]}),
        "Role": ("AWS::IAM::Role", {
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]},
            "Policies": [{"PolicyName": "own", "PolicyDocument": {
                "Version": "2012-10-17", "Statement": statements}}]}),
        "Lookup": ("AWS::Lambda::Function", {
            "Code": {"ZipFile": FUNCTION}, "Handler": "index.handler", "Runtime": "python3.13",
            "Role": {"Fn::GetAtt": ["Role", "Arn"]}, "Environment": {"Variables": {"TABLE": {"Ref": "Callers"}}}}),
        "Association": ("AWS::Connect::IntegrationAssociation", {
            "InstanceId": instance, "IntegrationType": "LAMBDA_FUNCTION",
            "IntegrationArn": {"Fn::GetAtt": ["Lookup", "Arn"]}}),
        "Permission": ("AWS::Lambda::Permission", {
            "FunctionName": {"Ref": "Lookup"}, "Action": "lambda:InvokeFunction",
            "Principal": "connect.amazonaws.com", "SourceArn": instance,
            "SourceAccount": {"Ref": "AWS::AccountId"}}),
        "Line": ("AWS::Connect::ContactFlow", {
            "InstanceArn": instance, "Name": "Support line", "Type": "CONTACT_FLOW",
            "Content": {"Fn::Sub": json.dumps(flow())}}),
        "Chat": ("AWS::Connect::ContactFlow", {
            "InstanceArn": instance, "Name": "Chat line", "Type": "CONTACT_FLOW",
            "Content": {"Fn::Sub": json.dumps(chat_flow())}}),
        "Number": ("AWS::Connect::PhoneNumber", {"TargetArn": instance, "Type": "DID", "CountryCode": "US"}),
    }  # fmt: skip
    made: dict[str, Any] = {name: {"Type": kind, "Properties": of} for name, (kind, of) in resources.items()}
    made["Line"]["DependsOn"] = "Association"
    outputs = {"Instance": instance, "Line": {"Ref": "Line"}, "Number": {"Ref": "Number"},
               "Address": {"Fn::GetAtt": ["Number", "Address"]}}  # fmt: skip
    return {"Resources": made, "Outputs": {name: {"Value": value} for name, value in outputs.items()}}


def write(folder: Path, *, may_write: bool = True) -> Path:
    """Write the template to `support-line.json`; return the path."""
    path = folder / "support-line.json"
    path.write_text(json.dumps(template(may_write=may_write)))
    return path


def write_assembly(folder: Path, account: str, region: str) -> Path:
    """Write the cloud assembly of a stack `bucket-and-queue`, as the CDK does: its template is an asset."""
    stack = {"Resources": {
        "Waiting": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "waiting"}},
        "Recordings": {"Type": "AWS::S3::Bucket"}}}  # fmt: skip
    return assemble(folder, [("bucket-and-queue", "bucket-and-queue", account, region, stack)])


def assemble(folder: Path, stacks: list[tuple[str, str, str, str, dict[str, Any]]]) -> Path:
    """Write a cloud assembly of stacks: artifact, stack's name, account, Region and template of each."""
    folder.mkdir()
    artifacts: dict[str, Any] = {}
    for artifact, name, account, region, stack in stacks:
        bucket = f"cdk-hnb659fds-assets-{account}-{region}"
        role = f"arn:${{AWS::Partition}}:iam::{account}:role/cdk-hnb659fds-%s-role-{account}-{region}"
        (folder / f"{artifact}.template.json").write_text(json.dumps(stack))
        asset = {
            "source": {"path": f"{artifact}.template.json", "packaging": "file"},
            "destinations": {"here": {
                "bucketName": bucket, "objectKey": f"{artifact}.json", "region": region,
                "assumeRoleArn": role % "file-publishing"}},
        }  # fmt: skip
        (folder / f"{artifact}.assets.json").write_text(
            json.dumps({"version": "48.0.0", "files": {"template": asset}, "dockerImages": {}})
        )
        artifacts |= {
            f"{artifact}.assets": {"type": "cdk:asset-manifest", "properties": {
                "file": f"{artifact}.assets.json", "requiresBootstrapStackVersion": 6}},
            artifact: {
                "type": "aws:cloudformation:stack", "environment": f"aws://{account}/{region}",
                "dependencies": [f"{artifact}.assets"],
                "properties": {
                    "templateFile": f"{artifact}.template.json", "validateOnSynth": False, "stackName": name,
                    "assumeRoleArn": role % "deploy", "cloudFormationExecutionRoleArn": role % "cfn-exec",
                    "stackTemplateAssetObjectUrl": f"s3://{bucket}/{artifact}.json",
                    "requiresBootstrapStackVersion": 6}},
        }  # fmt: skip
    (folder / "manifest.json").write_text(json.dumps({"version": "48.0.0", "artifacts": artifacts}))
    return folder
