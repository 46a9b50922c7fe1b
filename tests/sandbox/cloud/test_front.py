"""The door of the sandbox: who calls, whether they may, and what an unknown request gets."""

from __future__ import annotations

import http.client
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import boto3
import pytest
from botocore.exceptions import ClientError
from connect_sandbox.cloud import Sandbox, SandboxError


def client_with(sandbox: Sandbox, service: str, access_key: str, token: str | None = None) -> Any:
    return boto3.client(
        service,
        endpoint_url=sandbox.endpoint_url,
        region_name="us-east-1",
        aws_access_key_id=access_key,
        aws_secret_access_key="x",
        aws_session_token=token,
    )


def test_an_access_key_that_nobody_issued_is_refused(sandbox: Sandbox) -> None:
    with pytest.raises(ClientError, match=r"InvalidClientTokenId.*'AKIAUNKNOWN'"):
        client_with(sandbox, "sqs", "AKIAUNKNOWN").list_queues()


def test_a_request_without_a_signature_is_refused(sandbox: Sandbox) -> None:
    parsed = urlparse(sandbox.endpoint_url)
    connection = http.client.HTTPConnection("127.0.0.1", parsed.port or 0)
    connection.request("POST", "/", "Action=ListQueues&Version=2012-11-05")

    response = connection.getresponse()
    assert response.status == 403
    assert b"MissingAuthenticationToken" in response.read()


def test_an_assumed_role_may_do_what_its_policies_say(sandbox: Sandbox, deploy: Any, role: Any) -> None:
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": "arn:aws:iam::123456789012:root"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
    queue = {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "calls"}}
    send = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": {"Fn::GetAtt": ["Queue", "Arn"]}}
    stack = deploy({"Resources": {"Queue": queue, "Role": role(send, trust=trust)}})
    arn = f"arn:aws:iam::123456789012:role/{stack.resources['Role']}"
    session = sandbox.boto3_client("sts").assume_role(RoleArn=arn, RoleSessionName="me")["Credentials"]
    sqs = client_with(sandbox, "sqs", session["AccessKeyId"], session["SessionToken"])
    sts = client_with(sandbox, "sts", session["AccessKeyId"], session["SessionToken"])

    sqs.send_message(QueueUrl=stack.resources["Queue"], MessageBody="hello")
    assert sts.get_caller_identity()["Arn"].endswith(f"assumed-role/{stack.resources['Role']}/me")
    with pytest.raises(ClientError, match="not authorized to perform: sqs:ReceiveMessage"):
        sqs.receive_message(QueueUrl=stack.resources["Queue"])
    entries = sandbox.audit.calls(role=stack.resources["Role"])
    asked = [(entry.action, entry.allowed) for entry in entries if entry.action.startswith("sqs:")]
    assert asked == [("sqs:SendMessage", True), ("sqs:ReceiveMessage", False)]


def test_what_moto_does_not_implement_is_refused_by_name(sandbox: Sandbox) -> None:
    with pytest.raises(ClientError, match="the sandbox does not emulate") as refused:
        sandbox.boto3_client("sns").list_origination_numbers()

    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501


def test_large_objects_pass_unchanged_whole_and_chunked(sandbox: Sandbox, tmp_path: Path) -> None:
    s3 = sandbox.boto3_client("s3")
    s3.create_bucket(Bucket="large")
    body = bytes(range(256)) * 40_000
    file = tmp_path / "large"
    file.write_bytes(body)

    s3.put_object(Bucket="large", Key="a b/ü", Body=body)
    s3.upload_file(str(file), "large", "parts")

    assert s3.get_object(Bucket="large", Key="a b/ü")["Body"].read() == body
    assert s3.get_object(Bucket="large", Key="parts")["Body"].read() == body
    assert s3.head_object(Bucket="large", Key="parts")["ContentLength"] == len(body)


def test_a_chunked_body_is_put_together(sandbox: Sandbox, deploy: Any, function: Any) -> None:
    stack = deploy({"Resources": function("def handler(e, c): return e")})
    scope = "test/20260101/us-east-1/lambda/aws4_request"
    connection = http.client.HTTPConnection("127.0.0.1", urlparse(sandbox.endpoint_url).port or 0)
    connection.request(
        "POST",
        f"/2015-03-31/functions/{stack.resources['Function']}/invocations",
        iter([b'{"a":', b" 1}"]),
        {"Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=x"},
        encode_chunked=True,
    )

    assert json.load(connection.getresponse()) == {"a": 1}


def test_a_second_sandbox_in_the_same_process_is_refused(sandbox: Sandbox, tmp_path: Path) -> None:
    with pytest.raises(SandboxError, match="another sandbox runs in this process"), Sandbox.start(tmp_path):
        raise AssertionError("a second sandbox started")


def test_the_environment_for_commands_points_at_the_sandbox_alone(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("PIP_CERT", "ca.pem")
    environment = sandbox.environment()

    assert environment["AWS_ENDPOINT_URL"] == sandbox.endpoint_url
    assert environment["AWS_ACCESS_KEY_ID"] == "test"
    assert "AWS_PROFILE" not in environment
    assert environment["PIP_CERT"] == "ca.pem"
    assert (
        sandbox.api_base("https://abc.execute-api.us-east-1.amazonaws.com/dev/x")[2]
        == "abc.execute-api.us-east-1.amazonaws.com"
    )
    with pytest.raises(ValueError, match="no URL of a deployed API"):
        sandbox.api_base("https://example.com")
