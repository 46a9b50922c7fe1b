"""Data behind a key of one's own: who reads or writes it needs the key too, through the service that holds it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from connect_sandbox.cloud import Sandbox

ACCOUNT = "123456789012"
TO_IAM = {
    "Effect": "Allow",
    "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
    "Action": "kms:*",
    "Resource": "*",
}
#: Does what it is told, and returns the error's code and message, or "done".
CODE = """
    import boto3
    from botocore.config import Config
    from botocore.exceptions import ClientError

    def handler(event, context):
        client = boto3.client(event["service"], config=Config(retries={"total_max_attempts": 1}))
        try:
            getattr(client, event["operation"])(**event["parameters"])
        except ClientError as error:
            return error.response["Error"]["Code"] + ": " + error.response["Error"]["Message"]
        return "done"
"""
DATA_ACTIONS = ["dynamodb:*", "secretsmanager:*", "sns:Publish", "sqs:*"]


def key(*statements: dict[str, Any]) -> dict[str, Any]:
    policy = {"Version": "2012-10-17", "Statement": [TO_IAM, *statements]}
    return {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": policy}}


def arn(logical_id: str) -> dict[str, Any]:
    return {"Fn::GetAtt": [logical_id, "Arn"]}


def template(function: Any, *grants: dict[str, Any], key_statements: Any = ()) -> dict[str, Any]:
    """Return a function, and a table, a secret, a topic and a queue behind one key."""
    data = {"Effect": "Allow", "Action": DATA_ACTIONS, "Resource": "*"}
    table = {
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "BillingMode": "PAY_PER_REQUEST",
        "SSESpecification": {"SSEEnabled": True, "SSEType": "KMS"},
        "Replicas": [{"Region": "us-east-1", "SSESpecification": {"KMSMasterKeyId": arn("Key")}}],
    }
    resources = {
        "Key": key(*key_statements),
        "Table": {"Type": "AWS::DynamoDB::GlobalTable", "Properties": table},
        "Secret": {
            "Type": "AWS::SecretsManager::Secret",
            "Properties": {"SecretString": "s", "KmsKeyId": arn("Key")},
        },
        "Topic": {"Type": "AWS::SNS::Topic", "Properties": {"KmsMasterKeyId": {"Ref": "Key"}}},
        "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"KmsMasterKeyId": {"Ref": "Key"}}},
        **function(CODE, data, *grants, Timeout=30),
    }
    return {"Resources": resources}


def calls(stack: Any) -> dict[str, dict[str, Any]]:
    made = stack.resources
    named = {"TableName": made["Table"]}
    return {
        "dynamodb get_item": {**named, "Key": {"id": {"S": "1"}}},
        "dynamodb put_item": {**named, "Item": {"id": {"S": "1"}}},
        "secretsmanager get_secret_value": {"SecretId": made["Secret"]},
        "secretsmanager put_secret_value": {"SecretId": made["Secret"], "SecretString": "t"},
        "sns publish": {"TopicArn": made["Topic"], "Message": "m"},
        "sqs send_message": {"QueueUrl": made["Queue"], "MessageBody": "m"},
        "sqs receive_message": {"QueueUrl": made["Queue"]},
    }


def answers(sandbox: Sandbox, stack: Any) -> dict[str, str]:
    client = sandbox.boto3_client("lambda")
    found = {}
    for call, parameters in calls(stack).items():
        service, operation = call.split()
        event = {"service": service, "operation": operation, "parameters": parameters}
        answer = client.invoke(FunctionName=stack.resources["Function"], Payload=json.dumps(event))
        found[call] = json.loads(answer["Payload"].read())
    return found


def may_use_key(*actions: str, **conditions: Any) -> dict[str, Any]:
    statement: dict[str, Any] = {"Effect": "Allow", "Action": list(actions), "Resource": arn("Key")}
    return {**statement, "Condition": conditions} if conditions else statement


def test_without_the_key_nothing_is_read_or_written(sandbox: Sandbox, deploy: Any, function: Any) -> None:
    found = answers(sandbox, deploy(template(function)))

    codes = {call: answer.split(":")[0] for call, answer in found.items()}
    assert codes == {
        "dynamodb get_item": "AccessDeniedException",
        "dynamodb put_item": "AccessDeniedException",
        "secretsmanager get_secret_value": "AccessDeniedException",
        "secretsmanager put_secret_value": "AccessDeniedException",
        "sns publish": "KMSAccessDenied",
        "sqs send_message": "KMS.AccessDeniedException",
        "sqs receive_message": "KMS.AccessDeniedException",
    }
    assert "Access to KMS is not allowed" in found["secretsmanager get_secret_value"]
    assert "kms:Decrypt" in found["dynamodb get_item"]


def test_with_the_key_everything_is(sandbox: Sandbox, deploy: Any, function: Any) -> None:
    stack = deploy(template(function, may_use_key("kms:Decrypt", "kms:GenerateDataKey")))

    assert set(answers(sandbox, stack).values()) == {"done"}


def test_decrypting_reads_and_does_not_write(sandbox: Sandbox, deploy: Any, function: Any) -> None:
    found = answers(sandbox, deploy(template(function, may_use_key("kms:Decrypt"))))

    done = {call for call, answer in found.items() if answer == "done"}
    assert done == {"dynamodb get_item", "secretsmanager get_secret_value", "sqs receive_message"}
    refused = found["dynamodb put_item"]
    assert "kms:GenerateDataKey" in refused


def test_a_grant_can_be_narrowed_to_a_service_and_to_what_it_encrypts(
    sandbox: Sandbox, deploy: Any, function: Any
) -> None:
    stack = deploy(
        template(
            function,
            may_use_key(
                "kms:Decrypt",
                "kms:GenerateDataKey",
                StringEquals={
                    "kms:ViaService": "dynamodb.us-east-1.amazonaws.com",
                    "kms:CallerAccount": ACCOUNT,
                    "kms:EncryptionContext:aws:dynamodb:subscriberId": ACCOUNT,
                },
            ),
        )
    )

    done = {call for call, answer in answers(sandbox, stack).items() if answer == "done"}
    assert done == {"dynamodb get_item", "dynamodb put_item"}


def test_the_keys_policy_alone_can_allow_it(sandbox: Sandbox, deploy: Any, function: Any) -> None:
    anybody_by_sqs = {
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
        "Resource": "*",
        "Condition": {"StringEquals": {"kms:ViaService": "sqs.us-east-1.amazonaws.com"}},
    }
    stack = deploy(template(function, key_statements=[anybody_by_sqs]))

    done = {call for call, answer in answers(sandbox, stack).items() if answer == "done"}
    assert done == {"sqs send_message", "sqs receive_message"}


def log_group(*statements: dict[str, Any]) -> dict[str, Any]:
    group = {"LogGroupName": "/mine/encrypted", "KmsKeyId": arn("Key")}
    return {
        "Resources": {
            "Key": key(*statements),
            "Group": {"Type": "AWS::Logs::LogGroup", "Properties": group},
        }
    }


def logs_may(groups: str) -> dict[str, Any]:
    return {
        "Effect": "Allow",
        "Principal": {"Service": "logs.us-east-1.amazonaws.com"},
        "Action": ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"],
        "Resource": "*",
        "Condition": {
            "ArnLike": {
                "kms:EncryptionContext:aws:logs:arn": f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:{groups}"
            }
        },
    }


def test_a_log_group_takes_a_key_whose_policy_lets_logs_use_it(deploy: Any) -> None:
    assert deploy(log_group(logs_may("*"))).status == "CREATE_COMPLETE"


@pytest.mark.parametrize("statements", [(), (logs_may("/other/*"),)])
def test_a_log_group_is_refused_a_key_that_logs_may_not_use_for_it(deploy: Any, statements: Any) -> None:
    refused = deploy(log_group(*statements))

    assert refused.status == "ROLLBACK_COMPLETE"
    assert "is not allowed to be used with Arn" in refused.reasons


def test_the_api_gives_log_groups_keys_on_the_same_condition(sandbox: Sandbox, deploy: Any) -> None:
    good = deploy({"Resources": {"Key": key(logs_may("/mine/*"))}}).resources["Key"]
    bad = deploy({"Resources": {"Key": key()}}).resources["Key"]
    good, bad = (f"arn:aws:kms:us-east-1:{ACCOUNT}:key/{one}" for one in (good, bad))
    logs = sandbox.boto3_client("logs")
    with pytest.raises(logs.exceptions.InvalidParameterException):
        logs.create_log_group(logGroupName="/mine/a", kmsKeyId=bad)

    logs.create_log_group(logGroupName="/mine/a", kmsKeyId=good)
    with pytest.raises(logs.exceptions.InvalidParameterException):
        logs.associate_kms_key(logGroupName="/mine/a", kmsKeyId=bad)
    logs.disassociate_kms_key(logGroupName="/mine/a")
    logs.associate_kms_key(logGroupName="/mine/a", kmsKeyId=good)

    (group,) = logs.describe_log_groups(logGroupNamePrefix="/mine/a")["logGroups"]
    assert group["kmsKeyId"] == good
    logs.delete_log_group(logGroupName="/mine/a")
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        logs.disassociate_kms_key(logGroupName="/mine/a")
