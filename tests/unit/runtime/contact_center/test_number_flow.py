"""Custom::PhoneNumberFlow against Amazon Connect's API on loopback, which keeps state and fails on order."""

from __future__ import annotations

import json
import urllib.parse
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from runtime.contact_center import number_flow

INSTANCE, NUMBER, FLOW, OTHER_FLOW = (
    f"{one * 8}-2222-3333-4444-555555555555" for one in ("1", "2", "3", "4")
)
PROPERTIES = {"InstanceId": INSTANCE, "PhoneNumberId": NUMBER, "ContactFlowId": FLOW}
PHYSICAL_ID = f"number-flow/{INSTANCE}/{NUMBER}"


@dataclass
class Connect:
    """The numbers of an instance, each with its flow, and how the next calls fail."""

    numbers: dict[str, str | None] = field(default_factory=lambda: {NUMBER: None})
    failures: list[str] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)

    def serve(self, seen: Any) -> tuple[int, dict[str, str], bytes]:
        url = urllib.parse.urlsplit(seen.path)
        *_, prefix, number, kind = url.path.split("/")
        assert (prefix, kind) == ("phone-number", "contact-flow")
        self.calls.append(seen.method)
        if self.failures:
            return self._error(self.failures.pop(0))
        if number not in self.numbers:
            return self._error("ResourceNotFoundException")
        if seen.method == "PUT":
            body = seen.json()
            assert body["InstanceId"] == INSTANCE
            self.numbers[number] = body["ContactFlowId"]
        else:
            assert urllib.parse.parse_qs(url.query) == {"instanceId": [INSTANCE]}
            self.numbers[number] = None
        return 200, {"Content-Type": "application/json"}, b"{}"

    @staticmethod
    def _error(code: str) -> tuple[int, dict[str, str], bytes]:
        status = {"AccessDeniedException": 403, "ResourceNotFoundException": 404}.get(code, 400)
        headers = {"x-amzn-ErrorType": code, "Content-Type": "application/json"}
        return status, headers, json.dumps({"Message": f"said the fake: {code}"}).encode()


@pytest.fixture
def cloud(new_fake: Callable[[], Any], monkeypatch: pytest.MonkeyPatch) -> Connect:
    cloud, fake = Connect(), new_fake()
    fake.respond = cloud.serve
    monkeypatch.setenv("AWS_ENDPOINT_URL_CONNECT", fake.url)
    monkeypatch.setattr(number_flow, "PERMISSION_PAUSES", (0.0,) * len(number_flow.PERMISSION_PAUSES))
    return cloud


Send = Callable[..., dict[str, Any]]


@pytest.fixture
def send(new_fake: Callable[[], Any], new_context: type[Any]) -> Send:
    receiver = new_fake()

    def to_the_handler(
        kind: str, *, physical_id: str = "", seconds: float = 180.0, **properties: str
    ) -> dict[str, Any]:
        event: dict[str, Any] = {
            "RequestType": kind,
            "RequestId": str(uuid.uuid4()),
            "StackId": "arn:aws:cloudformation:us-east-1:123456789012:stack/center/0a1b2c3d",
            "LogicalResourceId": "Line",
            "ResponseURL": f"{receiver.url}/answers/one?X-Amz-Signature=nobody-may-log",
            "ResourceProperties": {**PROPERTIES, **properties},
        }
        if physical_id:
            event["PhysicalResourceId"] = physical_id
        before = len(receiver.seen)
        number_flow.handler(event, new_context(seconds))
        (answer,) = receiver.seen[before:]
        document: dict[str, Any] = answer.json()
        return document

    return to_the_handler


def test_a_number_gets_its_flow_another_one_and_none(cloud: Connect, send: Send) -> None:
    made = send("Create")
    assert (made["Status"], made["PhysicalResourceId"]) == ("SUCCESS", PHYSICAL_ID)
    assert cloud.numbers == {NUMBER: FLOW}
    moved = send("Update", physical_id=PHYSICAL_ID, ContactFlowId=OTHER_FLOW)
    assert (moved["Status"], moved["PhysicalResourceId"]) == ("SUCCESS", PHYSICAL_ID)
    assert cloud.numbers == {NUMBER: OTHER_FLOW}
    for _ in range(2):
        assert send("Delete", physical_id=PHYSICAL_ID)["Status"] == "SUCCESS"
        assert cloud.numbers == {NUMBER: None}


def test_an_arn_is_as_good_as_the_id_at_its_end(cloud: Connect, send: Send) -> None:
    instance = f"arn:aws:connect:us-east-1:123456789012:instance/{INSTANCE}"
    arns = {"InstanceId": instance, "ContactFlowId": f"{instance}/contact-flow/{FLOW}"}
    assert send("Create", **arns)["PhysicalResourceId"] == PHYSICAL_ID
    assert cloud.numbers == {NUMBER: FLOW}


def test_another_number_is_another_resource_and_the_old_one_loses_its_flow(
    cloud: Connect, send: Send
) -> None:
    other = "99999999-2222-3333-4444-555555555555"
    cloud.numbers = {NUMBER: FLOW, other: None}
    made = send("Update", physical_id=PHYSICAL_ID, PhoneNumberId=other)
    assert made["PhysicalResourceId"] == f"number-flow/{INSTANCE}/{other}"
    send("Delete", physical_id=PHYSICAL_ID)
    assert cloud.numbers == {NUMBER: None, other: FLOW}


@pytest.mark.parametrize("kind", ["Create", "Update"])
def test_a_denied_call_is_repeated_until_iam_knows_the_permission(
    cloud: Connect, send: Send, kind: str
) -> None:
    cloud.failures = ["AccessDeniedException"] * len(number_flow.PERMISSION_PAUSES)
    assert send(kind, physical_id=PHYSICAL_ID if kind == "Update" else "")["Status"] == "SUCCESS"
    assert cloud.numbers == {NUMBER: FLOW}


def test_what_stays_denied_is_told(cloud: Connect, send: Send) -> None:
    attempts = len(number_flow.PERMISSION_PAUSES) + 1
    cloud.failures = ["AccessDeniedException"] * attempts
    answer = send("Create")
    assert answer["Status"] == "FAILED"
    assert answer["Reason"].startswith("connect AssociatePhoneNumberContactFlow failed: ")
    assert "a permissions boundary or a service control policy may forbid it" in answer["Reason"]
    assert len(cloud.calls) == attempts


def test_nothing_is_repeated_when_the_functions_time_is_short(cloud: Connect, send: Send) -> None:
    cloud.failures = ["AccessDeniedException"] * 20
    assert send("Create", seconds=number_flow.RESERVE_SECONDS)["Status"] == "FAILED"
    assert len(cloud.calls) == 1


def test_the_delete_after_a_failed_create_touches_nothing(cloud: Connect, send: Send) -> None:
    cloud.numbers = {NUMBER: OTHER_FLOW}
    cloud.failures = ["InvalidParameterException"]
    failed = send("Create")
    assert failed["PhysicalResourceId"].startswith("not-associated/")
    calls = len(cloud.calls)
    assert send("Delete", physical_id=failed["PhysicalResourceId"])["Status"] == "SUCCESS"
    assert len(cloud.calls) == calls
    assert cloud.numbers == {NUMBER: OTHER_FLOW}


def test_a_number_that_is_gone_needs_no_flow_and_gets_none(cloud: Connect, send: Send) -> None:
    cloud.numbers = {}
    assert send("Delete", physical_id=PHYSICAL_ID)["Status"] == "SUCCESS"
    answer = send("Create")
    assert answer["Status"] == "FAILED"
    assert "is not of this instance, or is gone" in answer["Reason"]


def test_a_delete_that_is_refused_says_so(cloud: Connect, send: Send) -> None:
    cloud.failures = ["AccessDeniedException"]
    answer = send("Delete", physical_id=PHYSICAL_ID)
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("FAILED", PHYSICAL_ID)
    assert answer["Reason"].startswith("connect DisassociatePhoneNumberContactFlow failed: ")


def test_the_arn_of_something_else_is_refused(cloud: Connect, send: Send) -> None:
    answer = send("Create", ContactFlowId=f"arn:aws:connect:us-east-1:123456789012:instance/{INSTANCE}")
    assert answer["Status"] == "FAILED"
    assert "ContactFlowId is 'arn:aws:connect" in answer["Reason"]
    assert cloud.calls == []
