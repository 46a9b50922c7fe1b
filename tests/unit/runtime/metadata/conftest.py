"""Events as API Gateway and Amazon Connect send them."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

INSTANCE_ARN = "arn:aws:connect:us-east-1:123456789012:instance/11111111-2222-3333-4444-555555555555"
CONTACT_ID = "9b2c7f3a-0d41-4c8e-9f57-3a1d5e6b7c80"


@pytest.fixture
def contact_id() -> str:
    return CONTACT_ID


@pytest.fixture
def store_event() -> Callable[..., dict[str, Any]]:
    """Build the event of POST /kore-metadata; keyword arguments replace parts of it."""

    def build(
        body: str | None = '{"a":1}', *, contact_ids: list[str] | None = None, **replaced: Any
    ) -> dict[str, Any]:
        ids = [CONTACT_ID] if contact_ids is None else contact_ids
        event: dict[str, Any] = {
            "resource": "/kore-metadata",
            "path": "/kore-metadata",
            "httpMethod": "POST",
            "headers": {"content-type": "application/json", "authorizationToken": "a-token-nobody-may-log"},
            "multiValueHeaders": {
                "content-type": ["application/json"],
                "authorizationToken": ["a-token-nobody-may-log"],
            },
            "queryStringParameters": {"contactId": ids[-1]} if ids else None,
            "multiValueQueryStringParameters": {"contactId": ids} if ids else None,
            "requestContext": {"requestId": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef", "stage": "prod"},
            "body": body,
            "isBase64Encoded": False,
        }
        return event | replaced

    return build


@pytest.fixture
def content_type() -> Callable[[str | None], dict[str, Any]]:
    """Headers of a request with this Content-Type, or with none."""

    def build(value: str | None) -> dict[str, Any]:
        if value is None:
            return {"headers": {}, "multiValueHeaders": {}}
        return {"headers": {"Content-Type": value}, "multiValueHeaders": {"Content-Type": [value]}}

    return build


CONNECT_EVENT: dict[str, Any] = {
    "Name": "ContactFlowEvent",
    "Details": {
        "ContactData": {
            "Attributes": {},
            "Channel": "VOICE",
            "ContactId": CONTACT_ID,
            "CustomerEndpoint": {"Address": "+12065550100", "Type": "TELEPHONE_NUMBER"},
            "InitialContactId": CONTACT_ID,
            "InitiationMethod": "INBOUND",
            "InstanceARN": INSTANCE_ARN,
            "PreviousContactId": CONTACT_ID,
            "Queue": None,
            "SystemEndpoint": {"Address": "+18005550199", "Type": "TELEPHONE_NUMBER"},
        },
        "Parameters": {"contactId": CONTACT_ID},
    },
}


@pytest.fixture
def connect_event() -> dict[str, Any]:
    return copy.deepcopy(CONNECT_EVENT)


@pytest.fixture
def error_of() -> Callable[[dict[str, Any]], tuple[int, str, str]]:
    """Take an error answer apart: status, code, message; every one must be JSON that no cache keeps."""

    def take(answer: dict[str, Any]) -> tuple[int, str, str]:
        assert answer["headers"]["Content-Type"] == "application/json"
        assert answer["headers"]["Cache-Control"] == "no-store"
        error = json.loads(answer["body"])["error"]
        assert set(error) == {"code", "message", "requestId"}
        return answer["statusCode"], error["code"], error["message"]

    return take
