"""A refused call raises in boto3 what it raises on AWS."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.parsers import RpcV2CBORParser
from connect_sandbox.iam import Policy, Principal, denied_response, describe_call, evaluate

SESSION = Principal.role_session("arn:aws:iam::123456789012:role/store", "fn")
HERE = "us-east-1:123456789012"

CALLS: list[tuple[str, str, dict[str, Any], tuple[str, int]]] = [
    ("dynamodb", "list_tables", {}, ("AccessDeniedException", 400)),
    ("secretsmanager", "list_secrets", {}, ("AccessDeniedException", 400)),
    ("logs", "describe_log_groups", {}, ("AccessDeniedException", 400)),
    (
        "sqs",
        "send_message",
        {"QueueUrl": "http://localhost/123456789012/q", "MessageBody": "m"},
        ("AccessDenied", 400),
    ),
    ("cloudwatch", "put_metric_data", {"Namespace": "N", "MetricData": []}, ("AccessDenied", 400)),
    ("connect", "stop_contact", {"InstanceId": "i", "ContactId": "c"}, ("AccessDeniedException", 403)),
    ("chime-sdk-voice", "list_voice_connectors", {}, ("AccessDeniedException", 403)),
    ("lambda", "invoke", {"FunctionName": "f"}, ("AccessDeniedException", 403)),
    ("sns", "publish", {"TopicArn": f"arn:aws:sns:{HERE}:t", "Message": "m"}, ("AuthorizationError", 403)),
    ("iam", "list_roles", {}, ("AccessDenied", 403)),
    (
        "sts",
        "assume_role",
        {"RoleArn": "arn:aws:iam::123456789012:role/r", "RoleSessionName": "session"},
        ("AccessDenied", 403),
    ),
    ("s3", "get_object", {"Bucket": "my-bucket", "Key": "k"}, ("AccessDenied", 403)),
    ("s3", "head_object", {"Bucket": "my-bucket", "Key": "k"}, ("403", 403)),
]


@pytest.mark.parametrize(
    ("service", "operation", "params", "answer"), CALLS, ids=[f"{c[0]}.{c[1]}" for c in CALLS]
)
def test_boto3_raises_access_denied_with_the_reason(
    loopback: Any, service: str, operation: str, params: dict[str, Any], answer: tuple[str, int]
) -> None:
    code, status = answer
    loopback.answer = lambda call: denied_response(call, evaluate(call, SESSION))
    with pytest.raises(ClientError) as raised:
        getattr(loopback.client(service), operation)(**params)
    error = raised.value.response
    assert error["Error"]["Code"] == code
    assert error["ResponseMetadata"]["HTTPStatusCode"] == status
    assert len(loopback.calls) == 1  # denied is final: no retries
    if operation != "head_object":
        expected = evaluate(loopback.calls[0], SESSION).message
        assert error["Error"]["Message"] == expected
        assert f"assumed-role/store/fn is not authorized to perform: {loopback.calls[0].action}" in expected


def test_a_call_is_refused_for_the_one_permission_of_several_that_is_missing(loopback: Any) -> None:
    grants: list[dict[str, Any]] = [
        {
            "Effect": "Allow",
            "Action": ["connect:DescribeInstance", "ds:DescribeDirectories"],
            "Resource": "*",
        },
        {
            "Effect": "Allow",
            "Action": "connect:CreateIntegrationAssociation",
            "Resource": [
                f"arn:aws:connect:{HERE}:instance/i",
                f"arn:aws:connect:{HERE}:instance/i/integration-association/*",
            ],
        },
    ]
    policy = Policy.parse({"Version": "2012-10-17", "Statement": grants}, name="associate")
    loopback.answer = lambda call: denied_response(call, evaluate(call, SESSION, [policy]))
    with pytest.raises(ClientError, match=r"chime:AssociateVoiceConnectorConnect on resource: \*"):
        loopback.client("connect").create_integration_association(
            InstanceId="i",
            IntegrationType="CALL_TRANSFER_CONNECTOR",
            IntegrationArn=f"arn:aws:chime:{HERE}:vc/v",
        )


def test_a_policy_with_one_of_two_disputed_resources_is_refused_and_told_of_the_dispute(
    loopback: Any,
) -> None:
    instance = f"arn:aws:connect:{HERE}:instance/i"
    for resource in (instance, f"{instance}/contact/*"):
        grant = {"Effect": "Allow", "Action": "connect:StartContactStreaming", "Resource": resource}
        policy = Policy.parse({"Version": "2012-10-17", "Statement": [grant]}, name="one form")
        loopback.answer = lambda call, policy=policy: denied_response(call, evaluate(call, SESSION, [policy]))
        with pytest.raises(ClientError, match=r"is disputed: .* allow both"):
            loopback.client("connect").start_contact_streaming(
                InstanceId="i",
                ContactId="c",
                ChatStreamingConfiguration={"StreamingEndpointArn": f"arn:aws:sns:{HERE}:t"},
                ClientToken="t",
            )


def test_a_missing_permission_of_log_delivery_is_refused_in_chimes_words(loopback: Any) -> None:
    grants = [
        {"Effect": "Allow", "Action": ["chime:*", "logs:*"], "Resource": "*"},
        {"Effect": "Deny", "Action": "logs:PutResourcePolicy", "Resource": "*"},
    ]
    policy = Policy.parse({"Version": "2012-10-17", "Statement": grants}, name="no resource policy")
    loopback.answer = lambda call: denied_response(call, evaluate(call, SESSION, [policy]))

    with pytest.raises(ClientError) as refused:
        loopback.client("chime-sdk-voice").put_voice_connector_logging_configuration(
            VoiceConnectorId="v", LoggingConfiguration={"EnableSIPLogs": True}
        )

    error = refused.value.response["Error"]
    assert error["Code"] == "ForbiddenException"
    group = "/aws/ChimeVoiceConnectorSipMessages/v"
    assert error["Message"].startswith(f"Access Denied for LogDestination: {group}.")
    assert "logs:PutResourcePolicy" in error["Message"]


def test_a_cbor_call_is_refused_in_cbor() -> None:
    call = describe_call(
        "POST",
        "/service/GraniteServiceVersion20100801/operation/PutMetricData",
        "",
        {"authorization": "AWS4-HMAC-SHA256 Credential=A/20261121/us-east-1/monitoring/aws4_request"},
        b"\xa0",
        account="123456789012",
    )
    decision = evaluate(call, SESSION)
    status, headers, body = denied_response(call, decision)
    shape = None
    parsed = RpcV2CBORParser().parse({"status_code": status, "headers": headers, "body": body}, shape)
    assert parsed["Error"] == {"Code": "AccessDeniedException", "Message": decision.message}
    assert len(decision.message) > 100


def test_an_unsigned_permission_free_call_is_allowed_without_any_policy(loopback: Any) -> None:
    call = loopback.describe("sts", "get_caller_identity")
    assert evaluate(call, SESSION).allowed
