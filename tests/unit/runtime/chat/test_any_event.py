"""Any event: what is nearly a flow's starts, stops or is refused by name, and nothing said in the chat is logged."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from hypothesis import given

from runtime.chat import key_age, start
from runtime.chat.contact import InvalidEventError
from runtime.chat.failures import Reason
from tests.support.events import ANYTHING, damaged, fuzzed
from tests.unit.runtime.chat.conftest import CONTACT_ID, INITIAL_CONTACT_ID, INSTANCE_ID, TOKEN

CHAT: dict[str, Any] = {
    "Name": "ContactFlowEvent",
    "Details": {
        "ContactData": {
            "Attributes": {"customer": "said something private"},
            "Channel": "CHAT",
            "ContactId": CONTACT_ID,
            "CustomerEndpoint": {"Address": "+12065550142", "Type": "TELEPHONE_NUMBER"},
            "InitialContactId": INITIAL_CONTACT_ID,
            "InstanceARN": f"arn:aws:connect:us-east-1:123456789012:instance/{INSTANCE_ID}",
            "References": {"first": {"value": "said something private"}},
        },
        "Parameters": {"action": "stop", "attempt": "1", "streamingId": "st-1", "vendorCheck": "no"},
    },
}


@fuzzed
@given(event=ANYTHING | damaged(CHAT))
def test_any_event_is_answered_or_refused_by_name_and_nothing_said_is_logged(
    secret: Any, connect: Any, webhook: Any, new_context: Any, logs: Callable[[], str], event: Any
) -> None:
    with contextlib.suppress(InvalidEventError):
        answer = start.handler(event, new_context())
        assert answer["streaming"] in {"started", "stopped", "failed"}
        assert answer["reason"] in {"none", *Reason}
        assert all(isinstance(value, str) and value for value in answer.values())
    assert [text for text in (TOKEN, "something private", "2065550142") if text in logs()] == []


@pytest.mark.parametrize("event", [None, [], {}, "x", {"detail": {"user": "somebody"}}])
def test_the_keys_age_depends_on_no_event(
    secret: Any, monkeypatch: pytest.MonkeyPatch, context: Any, event: Any
) -> None:
    boto3.client("iam").create_user(UserName="chat-vendor")
    monkeypatch.setenv("USER_NAME", "chat-vendor")
    assert key_age.handler(event, context) == {"activeKeys": 0, "oldestDays": 0}
