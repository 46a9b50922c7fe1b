from __future__ import annotations

from typing import Any

import pytest

from runtime.shared.errors import BridgeError
from runtime.voice import cloudformation as module
from runtime.voice.cloudformation import AnswerNotDeliveredError, Request
from runtime.voice.handler import handler


def test_an_answer_that_is_refused_at_first_is_sent_again(
    cloud: Any, cloudformation: Any, properties: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module.time, "sleep", lambda _: None)
    receiver = cloudformation.receiver
    receiver.respond = lambda _: (503 if len(receiver.seen) < 3 else 200, {}, b"")
    assert cloudformation.send("Create", properties)["Status"] == "SUCCESS"
    assert len(receiver.seen) == 3


def test_an_answer_that_cannot_be_delivered_makes_lambda_repeat_the_event(
    cloud: Any, cloudformation: Any, properties: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module.time, "sleep", lambda _: None)
    cloudformation.receiver.respond = lambda _: (403, {}, b"")
    with pytest.raises(
        AnswerNotDeliveredError, match=r"127\.0\.0\.1 did not take the answer: HTTP status 403"
    ):
        cloudformation.send("Create", properties, request_id="same")
    cloudformation.receiver.respond = lambda _: (200, {}, b"")
    assert cloudformation.send("Create", properties, request_id="same")["Status"] == "SUCCESS"
    assert len(cloud.connectors) == len(cloud.associations) == 1


def test_the_signed_query_of_the_answer_url_is_kept(
    cloud: Any, cloudformation: Any, properties: dict[str, Any]
) -> None:
    cloudformation.send("Create", properties)
    (seen,) = cloudformation.receiver.seen
    assert seen.path == "/answers/one?X-Amz-Signature=signature-nobody-may-log"


def test_an_event_that_is_not_cloudformations_is_refused(context: Any) -> None:
    with pytest.raises(KeyError):
        handler({}, context)
    with pytest.raises(BridgeError, match="RequestType is 'Rename'"):
        Request.from_event({"RequestType": "Rename"})


@pytest.mark.parametrize(
    "url", ["ftp://example.com/x", "https:///x", "file:///etc/passwd", "http://[", "http://127.0.0.1:99999/x"]
)
def test_only_http_urls_are_answered(url: str) -> None:
    with pytest.raises(AnswerNotDeliveredError, match="http"):
        module.deliver(url, b"{}")
