"""What boto3 really sends, and what the sandbox makes of it."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import pytest
from connect_sandbox.iam import AwsCall, NoLookup, UnsupportedCall, describe_call

HERE = "us-east-1:123456789012"
INSTANCE = f"arn:aws:connect:{HERE}:instance/11111111"
SECRET = f"arn:aws:secretsmanager:{HERE}:secret:token-AbCdEf"

BOT = "arn:aws:iam::123456789012:user/vendors/bot"
STORES = "arn:aws:iam::123456789012:role/functions/stores"
BOUNDARY = "arn:aws:iam::123456789012:policy/limit"
SIGNER = "arn:aws:iam::123456789012:user/who-signed"


class Known(NoLookup):
    def secret_arn(self, name: str) -> str | None:
        return SECRET if name.rsplit(":secret:", maxsplit=1)[-1] == "token" else None

    def key_arn(self, alias: str) -> str | None:
        return f"arn:aws:kms:{HERE}:key/k1" if alias.endswith("alias/app") else None

    def user_arn(self, name: str) -> str | None:
        return BOT if name == "bot" else None

    def role_arn(self, name: str) -> str | None:
        return STORES if name == "stores" else None

    def boundary_arn(self, arn: str) -> str | None:
        return BOUNDARY if arn == STORES else None

    def key_owner(self, access_key: str) -> str | None:
        return {"ASIAEXAMPLE": SIGNER, "AKIABOT": BOT}[access_key]

    def partition_key(self, table_arn: str) -> str | None:
        return "contactId" if ":table/" in table_arn else None

    def resource_tags(self, arn: str) -> Mapping[str, str] | None:
        return {"app": "bridges"} if ":sns:" in arn else None


CALLS: list[tuple[str, str, dict[str, Any], list[tuple[str, str]]]] = [
    (
        "dynamodb",
        "put_item",
        {"TableName": "T", "Item": {"contactId": {"S": "c"}}},
        [("dynamodb:PutItem", f"arn:aws:dynamodb:{HERE}:table/T")],
    ),
    (
        "dynamodb",
        "get_item",
        {"TableName": f"arn:aws:dynamodb:{HERE}:table/T", "Key": {"contactId": {"S": "c"}}},
        [("dynamodb:GetItem", f"arn:aws:dynamodb:{HERE}:table/T")],
    ),
    (
        "dynamodb",
        "query",
        {"TableName": "T", "IndexName": "ByAgent", "KeyConditionExpression": "a = b"},
        [("dynamodb:Query", f"arn:aws:dynamodb:{HERE}:table/T/index/ByAgent")],
    ),
    (
        "dynamodb",
        "batch_write_item",
        {"RequestItems": {"A": [{"DeleteRequest": {"Key": {"k": {"S": "1"}}}}]}},
        [("dynamodb:BatchWriteItem", f"arn:aws:dynamodb:{HERE}:table/A")],
    ),
    (
        "dynamodb",
        "transact_write_items",
        {
            "TransactItems": [
                {"Put": {"TableName": "A", "Item": {"k": {"S": "1"}}}},
                {"ConditionCheck": {"TableName": "B", "Key": {"k": {"S": "1"}}, "ConditionExpression": "x"}},
            ]
        },
        [
            ("dynamodb:PutItem", f"arn:aws:dynamodb:{HERE}:table/A"),
            ("dynamodb:ConditionCheckItem", f"arn:aws:dynamodb:{HERE}:table/B"),
        ],
    ),
    ("dynamodb", "list_tables", {}, [("dynamodb:ListTables", "*")]),
    ("secretsmanager", "get_secret_value", {"SecretId": SECRET}, [("secretsmanager:GetSecretValue", SECRET)]),
    (
        "secretsmanager",
        "get_secret_value",
        {"SecretId": "token"},
        [("secretsmanager:GetSecretValue", SECRET)],
    ),
    (
        "secretsmanager",
        "get_secret_value",
        {"SecretId": SECRET.removesuffix("-AbCdEf")},
        [("secretsmanager:GetSecretValue", SECRET)],
    ),
    (
        "secretsmanager",
        "get_secret_value",
        {"SecretId": "absent"},
        [("secretsmanager:GetSecretValue", f"arn:aws:secretsmanager:{HERE}:secret:absent")],
    ),
    (
        "logs",
        "put_log_events",
        {"logGroupName": "/aws/l", "logStreamName": "s", "logEvents": [{"timestamp": 1, "message": "m"}]},
        [("logs:PutLogEvents", f"arn:aws:logs:{HERE}:log-group:/aws/l:log-stream:s")],
    ),
    (
        "logs",
        "create_log_stream",
        {"logGroupName": "/aws/l", "logStreamName": "2026/x/[1]"},
        [("logs:CreateLogStream", f"arn:aws:logs:{HERE}:log-group:/aws/l:log-stream:2026/x/[1]")],
    ),
    (
        "logs",
        "create_log_group",
        {"logGroupName": "/aws/l"},
        [("logs:CreateLogGroup", f"arn:aws:logs:{HERE}:log-group:/aws/l:log-stream:")],
    ),
    (
        "logs",
        "describe_log_streams",
        {"logGroupIdentifier": f"arn:aws:logs:{HERE}:log-group:/aws/l"},
        [("logs:DescribeLogStreams", f"arn:aws:logs:{HERE}:log-group:/aws/l:log-stream:")],
    ),
    ("logs", "describe_log_groups", {}, [("logs:DescribeLogGroups", "*")]),
    (
        "connect",
        "start_contact_streaming",
        {
            "InstanceId": "11111111",
            "ContactId": "c1",
            "ChatStreamingConfiguration": {"StreamingEndpointArn": f"arn:aws:sns:{HERE}:t"},
        },
        # Which of the two AWS checks is disputed: both.
        [
            ("connect:StartContactStreaming", INSTANCE),
            ("connect:StartContactStreaming", f"{INSTANCE}/contact/c1"),
        ],
    ),
    (
        "connect",
        "stop_contact_streaming",
        {"InstanceId": "11111111", "ContactId": "c1", "StreamingId": "s1"},
        [
            ("connect:StopContactStreaming", INSTANCE),
            ("connect:StopContactStreaming", f"{INSTANCE}/contact/c1"),
        ],
    ),
    (
        "connect",
        "describe_contact_flow",
        {"InstanceId": "11111111", "ContactFlowId": f"{INSTANCE}/contact-flow/f1"},
        [
            (
                "connect:DescribeContactFlow",
                f"{INSTANCE}/contact-flow/" + quote(f"{INSTANCE}/contact-flow/f1", safe=""),
            )
        ],
    ),
    (
        "chime-sdk-voice",
        "delete_voice_connector",
        {"VoiceConnectorId": "v1"},
        [
            ("chime:DeleteVoiceConnector", f"arn:aws:chime:{HERE}:vc/v1"),
            ("logs:CreateLogDelivery", "*"),
            ("logs:DeleteLogDelivery", "*"),
            ("logs:GetLogDelivery", "*"),
            ("logs:ListLogDeliveries", "*"),
        ],
    ),
    (
        "connect",
        "create_participant",
        {
            "InstanceId": "11111111",
            "ContactId": "c1",
            "ParticipantDetails": {"ParticipantRole": "CUSTOM_BOT"},
        },
        [("connect:CreateParticipant", f"{INSTANCE}/contact/c1"), ("connect:CreateParticipant", INSTANCE)],
    ),
    (
        "connect",
        "update_contact_attributes",
        {"InstanceId": "11111111", "InitialContactId": "c1", "Attributes": {"a": "b"}},
        [("connect:UpdateContactAttributes", f"{INSTANCE}/contact/c1")],
    ),
    (
        "connect",
        "create_integration_association",
        {
            "InstanceId": "11111111",
            "IntegrationType": "CALL_TRANSFER_CONNECTOR",
            "IntegrationArn": f"arn:aws:chime:{HERE}:vc/v1",
        },
        [
            ("connect:CreateIntegrationAssociation", INSTANCE),
            ("connect:CreateIntegrationAssociation", f"{INSTANCE}/integration-association/*"),
            ("connect:DescribeInstance", INSTANCE),
            ("ds:DescribeDirectories", "*"),
            ("chime:AssociateVoiceConnectorConnect", "*"),
            ("chime:DisassociateVoiceConnectorConnect", "*"),
            ("chime:TagResource", f"arn:aws:chime:{HERE}:vc/v1"),
            ("chime:UntagResource", f"arn:aws:chime:{HERE}:vc/v1"),
            # The reference lacks it; the console's permissions have it.
            ("chime:GetVoiceConnector", f"arn:aws:chime:{HERE}:vc/v1"),
        ],
    ),
    (
        "connect",
        "untag_resource",
        {"resourceArn": f"{INSTANCE}/integration-association/a1", "tagKeys": ["app"]},
        [("connect:UntagResource", f"{INSTANCE}/integration-association/a1")],
    ),
    (
        "connect",
        "delete_integration_association",
        {"InstanceId": "11111111", "IntegrationAssociationId": "a1"},
        [
            ("connect:DeleteIntegrationAssociation", INSTANCE),
            ("connect:DeleteIntegrationAssociation", f"{INSTANCE}/integration-association/a1"),
            ("connect:DescribeInstance", INSTANCE),
            ("ds:DescribeDirectories", "*"),
        ],
    ),
    (
        "connect",
        "list_integration_associations",
        {"InstanceId": "11111111"},
        [
            ("connect:ListIntegrationAssociations", INSTANCE),
            ("connect:DescribeInstance", INSTANCE),
            ("ds:DescribeDirectories", "*"),
        ],
    ),
    (
        "chime-sdk-voice",
        "create_voice_connector",
        {"Name": "n", "RequireEncryption": True, "IntegrationType": "CONNECT_CALL_TRANSFER_CONNECTOR"},
        [("chime:CreateVoiceConnector", "*"), ("chime:CreateConnectCallTransferConnector", "*")],
    ),
    (
        "chime-sdk-voice",
        "put_voice_connector_origination",
        {"VoiceConnectorId": "v1", "Origination": {}},
        [("chime:PutVoiceConnectorOrigination", f"arn:aws:chime:{HERE}:vc/v1")],
    ),
    (
        "chime-sdk-voice",
        "put_voice_connector_logging_configuration",
        {"VoiceConnectorId": "v1", "LoggingConfiguration": {"EnableSIPLogs": False}},
        [("chime:PutVoiceConnectorLoggingConfiguration", f"arn:aws:chime:{HERE}:vc/v1")],
    ),
    (
        "chime-sdk-voice",
        "put_voice_connector_logging_configuration",
        {"VoiceConnectorId": "v1", "LoggingConfiguration": {"EnableSIPLogs": True}},
        [
            ("chime:PutVoiceConnectorLoggingConfiguration", f"arn:aws:chime:{HERE}:vc/v1"),
            ("logs:CreateLogDelivery", "*"),
            (
                "logs:CreateLogGroup",
                f"arn:aws:logs:{HERE}:log-group:/aws/ChimeVoiceConnectorSipMessages/v1:log-stream:",
            ),
            ("logs:DeleteLogDelivery", "*"),
            ("logs:DescribeLogGroups", "*"),
            ("logs:GetLogDelivery", "*"),
            ("logs:ListLogDeliveries", "*"),
            # The reference lacks these two; deployments without them were refused.
            ("logs:PutResourcePolicy", "*"),
            ("logs:DescribeResourcePolicies", "*"),
        ],
    ),
    ("chime-sdk-voice", "list_voice_connectors", {}, [("chime:ListVoiceConnectors", "*")]),
    (
        "lambda",
        "invoke",
        {"FunctionName": "f", "Payload": b"{}"},
        [("lambda:InvokeFunction", f"arn:aws:lambda:{HERE}:function:f")],
    ),
    (
        "lambda",
        "invoke",
        {"FunctionName": f"arn:aws:lambda:{HERE}:function:f", "Qualifier": "live"},
        [("lambda:InvokeFunction", f"arn:aws:lambda:{HERE}:function:f:live")],
    ),
    (
        "lambda",
        "get_function",
        {"FunctionName": "123456789012:function:f"},
        [("lambda:GetFunction", f"arn:aws:lambda:{HERE}:function:f")],
    ),
    (
        "sns",
        "publish",
        {"TopicArn": f"arn:aws:sns:{HERE}:t", "Message": "m"},
        [("sns:Publish", f"arn:aws:sns:{HERE}:t")],
    ),
    ("sns", "create_topic", {"Name": "t"}, [("sns:CreateTopic", f"arn:aws:sns:{HERE}:t")]),
    (
        "sns",
        "subscribe",
        {"TopicArn": f"arn:aws:sns:{HERE}:t", "Protocol": "https", "Endpoint": "https://example.com"},
        [("sns:Subscribe", f"arn:aws:sns:{HERE}:t")],
    ),
    (
        "sqs",
        "send_message",
        {"QueueUrl": "http://localhost:1/123456789012/q", "MessageBody": "m"},
        [("sqs:SendMessage", f"arn:aws:sqs:{HERE}:q")],
    ),
    (
        "sqs",
        "delete_message_batch",
        {"QueueUrl": "http://localhost:1/123456789012/q", "Entries": [{"Id": "1", "ReceiptHandle": "r"}]},
        [("sqs:DeleteMessage", f"arn:aws:sqs:{HERE}:q")],
    ),
    ("sqs", "get_queue_url", {"QueueName": "q"}, [("sqs:GetQueueUrl", f"arn:aws:sqs:{HERE}:q")]),
    (
        "kms",
        "generate_data_key",
        {"KeyId": "alias/app", "KeySpec": "AES_256"},
        [("kms:GenerateDataKey", f"arn:aws:kms:{HERE}:key/k1")],
    ),
    (
        "kms",
        "re_encrypt",
        {"CiphertextBlob": b"x", "SourceKeyId": "k1", "DestinationKeyId": f"arn:aws:kms:{HERE}:key/k2"},
        [
            ("kms:ReEncryptFrom", f"arn:aws:kms:{HERE}:key/k1"),
            ("kms:ReEncryptTo", f"arn:aws:kms:{HERE}:key/k2"),
        ],
    ),
    (
        "s3",
        "get_object",
        {"Bucket": "my-bucket", "Key": "a/b c"},
        [("s3:GetObject", "arn:aws:s3:::my-bucket/a/b c")],
    ),
    (
        "s3",
        "get_object",
        {"Bucket": "my-bucket", "Key": "k", "VersionId": "v"},
        [("s3:GetObjectVersion", "arn:aws:s3:::my-bucket/k")],
    ),
    ("s3", "list_objects_v2", {"Bucket": "my-bucket"}, [("s3:ListBucket", "arn:aws:s3:::my-bucket")]),
    ("s3", "list_buckets", {}, [("s3:ListAllMyBuckets", "*")]),
    (
        "s3",
        "put_object",
        {"Bucket": "my-bucket", "Key": "k", "Body": b"x"},
        [("s3:PutObject", "arn:aws:s3:::my-bucket/k")],
    ),
    (
        "s3",
        "upload_part",
        {"Bucket": "my-bucket", "Key": "k", "PartNumber": 1, "UploadId": "u", "Body": b""},
        [("s3:PutObject", "arn:aws:s3:::my-bucket/k")],
    ),
    (
        "s3",
        "abort_multipart_upload",
        {"Bucket": "my-bucket", "Key": "k", "UploadId": "u"},
        [("s3:AbortMultipartUpload", "arn:aws:s3:::my-bucket/k")],
    ),
    (
        "s3",
        "copy_object",
        {"Bucket": "my-bucket", "Key": "k", "CopySource": "other/a b"},
        [("s3:GetObject", "arn:aws:s3:::other/a b"), ("s3:PutObject", "arn:aws:s3:::my-bucket/k")],
    ),
    (
        "s3",
        "delete_objects",
        {"Bucket": "my-bucket", "Delete": {"Objects": [{"Key": "a"}, {"Key": "b", "VersionId": "1"}]}},
        [
            ("s3:DeleteObject", "arn:aws:s3:::my-bucket/a"),
            ("s3:DeleteObjectVersion", "arn:aws:s3:::my-bucket/b"),
        ],
    ),
    ("s3", "get_bucket_policy", {"Bucket": "my-bucket"}, [("s3:GetBucketPolicy", "arn:aws:s3:::my-bucket")]),
    (
        "s3",
        "get_object_acl",
        {"Bucket": "my-bucket", "Key": "k"},
        [("s3:GetObjectAcl", "arn:aws:s3:::my-bucket/k")],
    ),
    (
        "s3",
        "list_parts",
        {"Bucket": "my-bucket", "Key": "k", "UploadId": "u"},
        [("s3:ListMultipartUploadParts", "arn:aws:s3:::my-bucket/k")],
    ),
    ("iam", "list_access_keys", {"UserName": "bot"}, [("iam:ListAccessKeys", BOT)]),
    ("iam", "list_access_keys", {}, [("iam:ListAccessKeys", SIGNER)]),
    (
        "iam",
        "delete_access_key",
        {"AccessKeyId": "AKIAOFNOBODYKNOWN"},
        [("iam:DeleteAccessKey", SIGNER)],
    ),
    (
        "iam",
        "create_user",
        {"UserName": "new", "Path": "/vendors/"},
        [("iam:CreateUser", "arn:aws:iam::123456789012:user/vendors/new")],
    ),
    ("iam", "list_users", {}, [("iam:ListUsers", "*")]),
    (
        "iam",
        "create_role",
        {"RoleName": "new", "AssumeRolePolicyDocument": "{}"},
        [("iam:CreateRole", "arn:aws:iam::123456789012:role/new")],
    ),
    ("iam", "delete_role", {"RoleName": "stores"}, [("iam:DeleteRole", STORES)]),
    ("sts", "get_caller_identity", {}, []),
    (
        "cloudformation",
        "describe_stacks",
        {"StackName": "app"},
        [("cloudformation:DescribeStacks", f"arn:aws:cloudformation:{HERE}:stack/app/*")],
    ),
    (
        "cloudformation",
        "describe_stacks",
        {},
        [("cloudformation:DescribeStacks", f"arn:aws:cloudformation:{HERE}:stack/*/*")],
    ),
    (
        "cloudformation",
        "describe_stack_resource",
        {"StackName": f"arn:aws:cloudformation:{HERE}:stack/app/1", "LogicalResourceId": "Table"},
        [("cloudformation:DescribeStackResource", f"arn:aws:cloudformation:{HERE}:stack/app/1")],
    ),
    (
        "sts",
        "assume_role",
        {"RoleArn": "arn:aws:iam::123456789012:role/r", "RoleSessionName": "session"},
        [("sts:AssumeRole", "arn:aws:iam::123456789012:role/r")],
    ),
    (
        "cloudwatch",
        "describe_alarms",
        {"AlarmTypes": ["MetricAlarm"]},
        [("cloudwatch:DescribeAlarms", f"arn:aws:cloudwatch:{HERE}:alarm:*")],
    ),
    (
        "cloudwatch",
        "put_metric_data",
        {"Namespace": "N", "MetricData": [{"MetricName": "m", "Value": 1}]},
        [("cloudwatch:PutMetricData", "*")],
    ),
    (
        "apigateway",
        "get_authorizers",
        {"restApiId": "abc"},
        [("apigateway:GET", "arn:aws:apigateway:us-east-1::/restapis/abc/authorizers")],
    ),
    (
        "scheduler",
        "create_schedule",
        {
            "Name": "s",
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "ScheduleExpression": "rate(1 hour)",
            "Target": {"Arn": "arn", "RoleArn": "arn:aws:iam::123456789012:role/r"},
        },
        [
            ("scheduler:CreateSchedule", f"arn:aws:scheduler:{HERE}:schedule/default/s"),
            ("iam:PassRole", "arn:aws:iam::123456789012:role/r"),
        ],
    ),
    (
        "ssm",
        "get_parameters",
        {"Names": ["/a/b", "c"]},
        [
            ("ssm:GetParameters", f"arn:aws:ssm:{HERE}:parameter/a/b"),
            ("ssm:GetParameters", f"arn:aws:ssm:{HERE}:parameter/c"),
        ],
    ),
    (
        "ssm",
        "add_tags_to_resource",
        {"ResourceType": "Parameter", "ResourceId": "/a/b", "Tags": [{"Key": "k", "Value": "v"}]},
        [("ssm:AddTagsToResource", f"arn:aws:ssm:{HERE}:parameter/a/b")],
    ),
    (
        "connectparticipant",
        "send_message",
        {"ContentType": "text/plain", "Content": "c", "ConnectionToken": "t"},
        [],
    ),
]


@pytest.mark.parametrize(
    ("service", "operation", "params", "expected"), CALLS, ids=lambda v: v if isinstance(v, str) else ""
)
def test_a_boto3_call_asks_for_the_permissions_that_aws_asks_for(
    loopback: Any, service: str, operation: str, params: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    loopback.lookup = Known()
    call = loopback.describe(service, operation, **params)
    assert sorted((r.action, r.resource) for r in call.requests) == sorted(expected)
    assert call.service == service
    assert call.access_key == "ASIAEXAMPLE"
    if expected:
        assert call.action == expected[0][0]


REFUSED: list[tuple[str, str, dict[str, Any], str]] = [
    ("dynamodb", "execute_statement", {"Statement": "SELECT * FROM T"}, "PartiQL"),
    ("sns", "publish", {"PhoneNumber": "+12065550100", "Message": "m"}, "telephone"),
    ("kms", "decrypt", {"CiphertextBlob": b"x"}, "kms:Decrypt"),
    (
        "connect",
        "get_metric_data_v2",
        {
            "ResourceArn": INSTANCE,
            "StartTime": 1,
            "EndTime": 2,
            "Filters": [{"FilterKey": "QUEUE", "FilterValues": ["q"]}],
            "Metrics": [{"Name": "X"}],
        },
        "cannot be determined from its parameters",
    ),
    ("secretsmanager", "get_secret_value", {"SecretId": "token"}, "lookup"),
    ("iam", "list_access_keys", {"UserName": "bot"}, "its path is needed"),
    ("iam", "get_role", {"RoleName": "stores"}, "its path is needed"),
    ("iam", "list_access_keys", {}, "cannot be determined from its parameters"),
    (
        "connect",
        "create_integration_association",
        {
            "InstanceId": "i",
            "IntegrationType": "PINPOINT_APP",
            "IntegrationArn": "arn:aws:x",
        },
        "PINPOINT_APP",
    ),
    (
        "lambda",
        "get_layer_version_by_arn",
        {"Arn": f"arn:aws:lambda:{HERE}:layer:l:1"},
        "no action of this name",
    ),
    ("s3", "create_session", {"Bucket": "my-bucket"}, "does not know which S3 action"),
]


@pytest.mark.parametrize(
    ("service", "operation", "params", "reason"), REFUSED, ids=lambda v: v if isinstance(v, str) else ""
)
def test_a_call_whose_resources_cannot_be_told_is_refused_by_name(
    loopback: Any, service: str, operation: str, params: dict[str, Any], reason: str
) -> None:
    with pytest.raises(UnsupportedCall, match=reason):
        loopback.describe(service, operation, **params)


def raw(
    headers: dict[str, str], body: bytes = b"", *, method: str = "POST", path: str = "/", query: str = ""
) -> AwsCall:
    return describe_call(
        method,
        path,
        query,
        headers,
        body,
        region="us-east-1",
        account="123456789012",
        now=datetime(2026, 11, 21, tzinfo=UTC),
    )


def signed(service: str, region: str = "us-east-1") -> str:
    scope = f"20261121/{region}/{service}/aws4_request"
    return f"AWS4-HMAC-SHA256 Credential=AKIA/{scope}, SignedHeaders=host, Signature=0"


def test_a_cbor_request_is_read_as_the_same_call() -> None:
    def text(value: str) -> bytes:
        return struct.pack("B", 0x60 | len(value)) + value.encode()

    body = b"\xa1" + text("Namespace") + text("Bridges")
    call = raw(
        {
            "authorization": signed("monitoring"),
            "smithy-protocol": "rpc-v2-cbor",
            "content-type": "application/cbor",
        },
        body,
        path="/service/GraniteServiceVersion20100801/operation/PutMetricData",
    )
    assert call.action == "cloudwatch:PutMetricData"
    assert call.request.protocol == "smithy-rpc-v2-cbor"
    assert call.context.get("cloudwatch:namespace") == "Bridges"


def test_a_presigned_url_tells_its_service_in_the_query() -> None:
    query = (
        "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIA%2F20261121%2Fus-east-1%2Fs3%2Faws4_request"
    )
    call = raw({"host": "localhost:1"}, method="GET", path="/my-bucket/k", query=query)
    assert (call.action, call.resources) == ("s3:GetObject", ("arn:aws:s3:::my-bucket/k",))


@pytest.mark.parametrize("host", ["my-bucket.s3.us-east-1.amazonaws.com", "my-bucket.localhost:5000"])
def test_a_bucket_in_the_host_name_is_the_bucket(host: str) -> None:
    call = raw({"host": host, "authorization": signed("s3")}, method="GET", path="/a/b")
    assert call.resources == ("arn:aws:s3:::my-bucket/a/b",)


def test_an_instance_arn_given_as_instance_id_ends_up_inside_an_arn_as_on_aws() -> None:
    body = f'{{"InstanceId": "{INSTANCE}", "ContactId": "c"}}'.encode()
    call = raw({"authorization": signed("connect")}, body, path="/contact/start-streaming")
    nested = f"arn:aws:connect:{HERE}:instance/{INSTANCE}"
    assert call.resources == (nested, f"{nested}/contact/c")


@pytest.mark.parametrize(
    ("headers", "method", "path", "reason"),
    [
        ({}, "POST", "/", "no SigV4 credential scope"),
        ({"authorization": "Bearer x"}, "POST", "/", "no SigV4 credential scope"),
        ({"authorization": signed("quicksight")}, "POST", "/", "quicksight"),
        (
            {"authorization": signed("dynamodb"), "x-amz-target": "DynamoDB_20120810.Vacuum"},
            "POST",
            "/",
            "Vacuum",
        ),
        (
            {"authorization": signed("dynamodb"), "x-amz-target": "Other.PutItem"},
            "POST",
            "/",
            "Other.PutItem",
        ),
        ({"authorization": signed("connect")}, "GET", "/nowhere", "GET /nowhere"),
        ({"authorization": signed("execute-api")}, "POST", "/prod/kore-metadata", "no operation"),
        (
            {
                "authorization": signed("dynamodb", "eu-west-1"),
                "x-amz-target": "DynamoDB_20120810.ListTables",
            },
            "POST",
            "/",
            "eu-west-1",
        ),
        (
            {"authorization": signed("dynamodb"), "x-amz-target": "DynamoDB_20120810.PutItem"},
            "POST",
            "/",
            "TableName",
        ),
    ],
)
def test_a_request_that_cannot_be_understood_is_refused_by_name(
    headers: dict[str, str], method: str, path: str, reason: str
) -> None:
    with pytest.raises(UnsupportedCall, match=reason):
        raw(headers, method=method, path=path)


@pytest.mark.parametrize(
    ("operation", "body"),
    [
        ("BatchGetItem", b'{"RequestItems": {}}'),
        ("TransactWriteItems", b'{"TransactItems": []}'),
        ("TransactWriteItems", b'{"TransactItems": [{"Put": {"Item": {}}}]}'),
        ("TransactWriteItems", b"{}"),
        ("PutItem", b"[1]"),
        ("PutItem", b"not json"),
    ],
)
def test_a_call_that_names_nothing_is_refused_rather_than_allowed(operation: str, body: bytes) -> None:
    headers = {"authorization": signed("dynamodb"), "x-amz-target": f"DynamoDB_20120810.{operation}"}
    with pytest.raises(UnsupportedCall, match=operation):
        raw(headers, body)


def test_the_condition_keys_of_a_call_are_those_of_its_request_and_resource(loopback: Any) -> None:
    loopback.lookup = Known()
    tagged = loopback.describe("sns", "create_topic", Name="t", Tags=[{"Key": "env", "Value": "dev"}])
    assert tagged.context.get("aws:requesttag/ENV") == "dev"
    assert tagged.context.get("aws:TagKeys") == ("env",)
    assert tagged.context.get("aws:RequestTag/other") is None
    assert tagged.context.get("aws:SecureTransport") == "true"
    assert tagged.context.get("aws:SourceArn") is None
    assert tagged.requests[0].context.get("aws:ResourceTag/app") == "bridges"
    with pytest.raises(LookupError):
        tagged.context.get("aws:SourceIp")

    written = loopback.describe(
        "dynamodb",
        "batch_write_item",
        RequestItems={"A": [{"PutRequest": {"Item": {"contactId": {"S": "c1"}}}}]},
    )
    assert written.requests[0].context.get("dynamodb:LeadingKeys") == ("c1",)
    queried = loopback.describe("dynamodb", "query", TableName="A", KeyConditionExpression="contactId = :c")
    with pytest.raises(LookupError):
        queried.requests[0].context.get("dynamodb:LeadingKeys")

    secret = loopback.describe(
        "secretsmanager", "get_secret_value", SecretId="token", VersionStage="AWSPREVIOUS"
    )
    assert secret.context.get("secretsmanager:VersionStage") == "AWSPREVIOUS"
    assert secret.context.get("secretsmanager:VersionId") is None


@pytest.mark.parametrize(
    ("operation", "params", "boundary"),
    [
        ("create_role", {"AssumeRolePolicyDocument": "{}", "RoleName": "new"}, None),
        (
            "create_role",
            {"AssumeRolePolicyDocument": "{}", "RoleName": "new", "PermissionsBoundary": "b" * 20},
            "b" * 20,
        ),
        ("get_role", {"RoleName": "stores"}, BOUNDARY),
    ],
)
def test_a_call_about_a_role_carries_its_boundary(
    loopback: Any, operation: str, params: dict[str, str], boundary: str | None
) -> None:
    loopback.lookup = Known()
    (asked,) = loopback.describe("iam", operation, **params).requests
    assert asked.context.get("iam:PermissionsBoundary") == boundary


def test_reading_a_secret_that_a_customers_key_encrypts_asks_for_that_key_as_well(loopback: Any) -> None:
    class WithKey(Known):
        def encryption_key_arn(self, arn: str) -> str | None:
            return f"arn:aws:kms:{HERE}:key/k1" if arn == SECRET else None

    loopback.lookup = WithKey()
    call = loopback.describe("secretsmanager", "get_secret_value", SecretId="token")
    assert [(request.action, request.resource) for request in call.requests] == [
        ("secretsmanager:GetSecretValue", SECRET),
        ("kms:Decrypt", f"arn:aws:kms:{HERE}:key/k1"),
    ]
    assert call.requests[1].context.get("kms:ViaService") == "secretsmanager.us-east-1.amazonaws.com"
