"""Any event: a custom resource answers CloudFormation, or says by a documented error that there is nobody to answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given

from runtime.contact_center import number_flow
from runtime.shared.errors import BridgeError
from runtime.voice import cloudformation, handler
from tests.support.events import ANYTHING, damaged, fuzzed

UUID = "11111111-2222-3333-4444-555555555555"
PROPERTIES: dict[str, Any] = {
    "InstanceId": UUID,
    "PhoneNumberId": UUID,
    "ContactFlowId": UUID,
    "Name": "connect-bridges-dev",
    "Host": "sbc.example.com",
    "Port": "5061",
    "Tags": [{"Key": "app", "Value": "connect-bridges"}],
}


def request_to(url: str) -> dict[str, Any]:
    return {
        "RequestType": "Delete",
        "RequestId": "request-1",
        "StackId": "arn:aws:cloudformation:us-east-1:123456789012:stack/one/0a1b2c3d",
        "LogicalResourceId": "Resource",
        "ResponseURL": url,
        "PhysicalResourceId": "not-associated/request-0",
        "ResourceProperties": PROPERTIES,
        "OldResourceProperties": PROPERTIES,
    }


@pytest.mark.parametrize("function", [handler, number_flow], ids=["connector", "number-flow"])
def test_any_event_is_answered_once_or_refused_by_a_documented_error(
    function: Any,
    new_fake: Callable[[], Any],
    new_context: type[Any],
    cloud: Any,
    logs: Callable[[], str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("runtime.voice.cloudformation.time.sleep", lambda _: None)
    receiver = new_fake()
    url = f"{receiver.url}/answers/one?X-Amz-Signature=nobody-may-log"

    @fuzzed
    @given(event=ANYTHING | damaged(request_to(url)))
    def play(event: Any) -> None:
        receiver.seen.clear()
        refused = ""
        try:
            function.handler(event, new_context(60.0))
        except (BridgeError, KeyError) as error:
            refused = repr(error)
        assert len(receiver.seen) == (0 if refused else 1), refused
        for answer in receiver.seen:
            assert len(answer.body) < cloudformation.RESPONSE_LIMIT
            assert json.loads(answer.body)["Status"] in {"SUCCESS", "FAILED"}
        assert "nobody-may-log" not in logs() + refused

    play()
