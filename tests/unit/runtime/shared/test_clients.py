"""AWS clients made from cut down models: the models are botocore's, and what they leave out is not needed."""

from __future__ import annotations

import json
import time
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError, ReadTimeoutError
from botocore.loaders import Loader
from botocore.parsers import ResponseParserError
from botocore.regions import EndpointResolver

from runtime.shared.clients import client, is_temporary
from runtime.shared.service_models import connect, dynamodb, lambda_, secretsmanager
from runtime.shared.service_models import endpoints as cut_down
from runtime.shared.service_models.__main__ import (
    OPERATIONS,
    module_of,
    written,
    written_endpoints,
)

TIMES: dict[str, Any] = {"connect_timeout": 1, "read_timeout": 1, "attempts": 1}


@pytest.mark.parametrize("service", OPERATIONS)
def test_a_cut_down_model_is_what_botocore_says(service: str) -> None:
    """After a new botocore: python -m runtime.shared.service_models."""
    assert module_of(service).read_text(encoding="utf-8") == written(service)


def test_the_cut_down_endpoints_are_what_botocore_says() -> None:
    assert module_of("endpoints").read_text(encoding="utf-8") == written_endpoints()


@pytest.mark.parametrize("service", OPERATIONS)
def test_every_region_is_resolved_as_botocore_does(service: str) -> None:
    loader = Loader()
    prefix = loader.load_service_model(service, "service-2")["metadata"]["endpointPrefix"]
    whole = loader.load_data("endpoints")
    ours, theirs = EndpointResolver(json.loads(cut_down.MODEL)), EndpointResolver(whole)
    regions = {region for partition in whole["partitions"] for region in partition["regions"]}
    assert len(regions) > 30
    for region in {*regions, "eu-future-7", "cn-future-7", "us-gov-future-7"}:
        assert ours.construct_endpoint(prefix, region) == theirs.construct_endpoint(prefix, region)


def test_a_client_sends_what_boto3_sends(fake: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", fake.url)
    fake.respond = lambda _: (200, {}, json.dumps({"Item": {"a": {"N": "1"}}, "StreamingId": "s"}).encode())
    asked = {"TableName": "table", "Key": {"a": {"S": "é"}}, "ConsistentRead": True}
    streamed = {
        "InstanceId": "11111111-2222-3333-4444-555555555555",
        "ContactId": "5f1e2d3c-4b5a-4978-8697-a5b4c3d2e1f0",
        "ChatStreamingConfiguration": {"StreamingEndpointArn": "arn:aws:sns:us-east-1:123456789012:T"},
        "ClientToken": "token",
    }
    ours = client(dynamodb, **TIMES), client(connect, **TIMES)
    theirs = boto3.client("dynamodb"), boto3.client("connect")
    answers = [
        (table.get_item(**asked), chat.start_contact_streaming(**streamed)) for table, chat in (ours, theirs)
    ]
    for answer in answers:
        for part in answer:
            part.pop("ResponseMetadata")
    assert answers[0] == answers[1]
    sent = [(seen.method, seen.path, seen.body, seen.headers.get("X-Amz-Target")) for seen in fake.seen]
    assert sent[:2] == sent[2:]


@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("eu-west-2", "https://secretsmanager.eu-west-2.amazonaws.com"),
        ("cn-north-1", "https://secretsmanager.cn-north-1.amazonaws.com.cn"),
        ("us-gov-west-1", "https://secretsmanager.us-gov-west-1.amazonaws.com"),
    ],
)
def test_endpoints_are_botocores_in_every_partition(region: str, host: str) -> None:
    assert client(secretsmanager, region=region, **TIMES).meta.endpoint_url == host


def test_an_operation_that_was_cut_away_is_not_there() -> None:
    with pytest.raises(AttributeError, match="delete_table"):
        client(dynamodb, **TIMES).delete_table(TableName="table")


@pytest.mark.parametrize(
    ("error", "temporary"),
    [
        (ClientError({"Error": {"Code": "ThrottlingException"}}, "Op"), True),
        (ClientError({"Error": {"Code": "X"}, "ResponseMetadata": {"HTTPStatusCode": 503}}, "Op"), True),
        (ClientError({"Error": {"Code": "AccessDeniedException"}}, "Op"), False),
        (ConnectTimeoutError(endpoint_url="https://example.com"), True),
        (ValueError(), False),
    ],
)
def test_what_may_pass_by_itself_is_told_apart(error: Exception, temporary: bool) -> None:
    assert is_temporary(error) is temporary


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b"null", b'"text"', b"7", b"\xff", b'{"Attributes"'], ids=repr
)
def test_a_200_that_is_no_answer_of_the_service_is_none(
    fake: Any, monkeypatch: pytest.MonkeyPatch, body: bytes
) -> None:
    """botocore takes these for an answer without fields, which is what a write that went well gets."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", fake.url)
    fake.respond = lambda _: (200, {}, body)
    table, secrets = client(dynamodb, **TIMES), client(secretsmanager, **TIMES)
    key = {"contactId": {"S": "c"}}
    for call in (
        lambda: table.put_item(TableName="table", Item=key),
        lambda: table.delete_item(TableName="table", Key=key),
        lambda: table.get_item(TableName="table", Key=key),
        lambda: secrets.get_secret_value(SecretId="secret"),
        lambda: client(connect, **TIMES).start_contact_streaming(
            InstanceId="i",
            ContactId="c",
            ChatStreamingConfiguration={"StreamingEndpointArn": "a"},
            ClientToken="t",
        ),
    ):
        with pytest.raises(ResponseParserError, match="no JSON object") as raised:
            call()
        assert is_temporary(raised.value)
        assert "text" not in str(raised.value)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"null", b"7", b"\xff"], ids=repr)
def test_a_refusal_whose_body_is_no_answer_counts_by_its_status(
    fake: Any, monkeypatch: pytest.MonkeyPatch, body: bytes
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", fake.url)
    fake.respond = lambda _: (503, {}, body)
    with pytest.raises(ClientError) as raised:
        client(dynamodb, **TIMES).get_item(TableName="table", Key={"contactId": {"S": "c"}})
    assert is_temporary(raised.value)


def test_an_operation_that_answers_nothing_may_do_so(fake: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", fake.url)
    fake.respond = lambda _: (200, {}, b"")
    stopped = client(connect, **TIMES).stop_contact_streaming(InstanceId="i", ContactId="c", StreamingId="s")
    assert set(stopped) == {"ResponseMetadata"}
    invoked = client(lambda_, **TIMES).invoke(FunctionName="function")
    assert invoked["Payload"].read() == b""


def test_an_answer_that_drips_is_given_up_in_time(fake: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", fake.url)
    fake.drip_seconds = 0.1
    fake.respond = lambda _: (200, {}, json.dumps({"Item": {"a": {"N": "1"}}}).encode())
    asked = client(dynamodb, connect_timeout=1, read_timeout=0.5, attempts=1)
    began = time.monotonic()
    with pytest.raises(ReadTimeoutError) as raised:
        asked.get_item(TableName="table", Key={"a": {"S": "1"}})
    assert is_temporary(raised.value)
    assert 0.4 < time.monotonic() - began < 1
