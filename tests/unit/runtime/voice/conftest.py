"""The fake of the APIs on loopback, and CloudFormation's answer URL."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest

from runtime.voice import lifecycle
from runtime.voice.handler import handler
from tests.support.voice_cloud import INSTANCE_ARN, ApiError, Cloud

STACK_ID = "arn:aws:cloudformation:us-east-1:123456789012:stack/connect-bridges-dev-voice/0a1b2c3d"


class CloudFormation:
    """Sends requests to the handler and keeps what was PUT to the answer URL, as CloudFormation does."""

    def __init__(self, receiver: Any, context: type[Any]) -> None:
        self.receiver = receiver
        self._context = context

    def send(
        self,
        kind: str,
        properties: dict[str, Any],
        *,
        physical_id: str = "",
        old: dict[str, Any] | None = None,
        request_id: str | None = None,
        seconds: float = 300.0,
    ) -> dict[str, Any]:
        before = len(self.receiver.seen)
        event: dict[str, Any] = {
            "RequestType": kind,
            "RequestId": request_id or str(uuid.uuid4()),
            "StackId": STACK_ID,
            "LogicalResourceId": "Connector",
            "ResourceType": "Custom::ExternalVoiceConnector",
            "ResponseURL": f"{self.receiver.url}/answers/one?X-Amz-Signature=signature-nobody-may-log",
            "ResourceProperties": {"ServiceToken": "arn:aws:lambda:…", **properties},
        }
        if physical_id:
            event["PhysicalResourceId"] = physical_id
        if old is not None:
            event["OldResourceProperties"] = {"ServiceToken": "arn:aws:lambda:…", **old}
        handler(event, self._context(seconds))
        answers = self.receiver.seen[before:]
        assert len({answer.body for answer in answers}) == 1, "one answer, however often it was tried"
        answer = answers[-1]
        assert answer.method == "PUT"
        assert "Content-Type" not in answer.headers
        assert len(answer.body) < 4096
        document: dict[str, Any] = answer.json()
        assert document["RequestId"] == event["RequestId"]
        assert document["StackId"] == STACK_ID
        assert document["LogicalResourceId"] == "Connector"
        assert document["PhysicalResourceId"]
        return document


@pytest.fixture
def properties() -> dict[str, Any]:
    return {
        "InstanceId": INSTANCE_ARN,
        "Name": "connect-bridges-dev",
        "Host": "sbc.example.com",
        "Port": "5061",
        "Protocol": "TCP",
        "RequireEncryption": "true",
        "SessionBorderControllerTypes": ["AUDIOCODES_MEDIANT_SBC"],
        "SipLogs": "true",
        "MediaMetricLogs": "false",
        "AwsRegion": "us-east-1",
        "Tags": [{"Key": "app", "Value": "connect-bridges"}, {"Key": "environment", "Value": "dev"}],
    }


@pytest.fixture
def cloud(new_fake: Callable[[], Any], monkeypatch: pytest.MonkeyPatch) -> Cloud:
    cloud, fake = Cloud(), new_fake()
    fake.respond = lambda seen: cloud.serve(
        seen.method, seen.path, target=seen.headers.get("X-Amz-Target", ""), body=seen.body
    )
    monkeypatch.setenv("AWS_ENDPOINT_URL_CHIME_SDK_VOICE", fake.url)
    monkeypatch.setenv("AWS_ENDPOINT_URL_CONNECT", fake.url)
    monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDWATCH_LOGS", fake.url)
    monkeypatch.setattr(lifecycle, "PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(lifecycle, "PERMISSION_PAUSES", (0.0,) * len(lifecycle.PERMISSION_PAUSES))
    # botocore pauses a random part of 1 s, 2 s, 4 s between attempts
    monkeypatch.setattr("botocore.retryhandler.random.random", lambda: 0.001)
    return cloud


@pytest.fixture
def cloudformation(new_fake: Callable[[], Any], new_context: type[Any]) -> CloudFormation:
    return CloudFormation(new_fake(), new_context)


@pytest.fixture
def api_error() -> type[ApiError]:
    return ApiError
