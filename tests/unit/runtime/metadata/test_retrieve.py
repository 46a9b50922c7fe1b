from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from runtime.metadata.models import CONNECT_RESPONSE_LIMIT, InvalidContactIdError, answer_size
from runtime.metadata.retrieve import MetadataTooLargeError, handler
from runtime.metadata.table import UnreadableItemError
from runtime.shared.errors import ConfigurationError, TemporarilyUnavailableError

OTHER = "0a0a0a0a-0b0b-0c0c-0d0d-0e0e0e0e0e0e"


def put(dynamodb: Any, contact_id: str, **attributes: dict[str, str]) -> None:
    dynamodb.put_item(TableName="ConnectBridgeMetadata", Item={"contactId": {"S": contact_id}, **attributes})


def in_seconds(seconds: int) -> dict[str, str]:
    return {"N": str(int(time.time()) + seconds)}


def test_stored_metadata_comes_back_as_strings(
    dynamodb: Any, connect_event: dict[str, Any], context: Any, contact_id: str
) -> None:
    put(dynamodb, contact_id, body={"S": '{"a": 1.10}'}, expiresAt=in_seconds(60))
    assert handler(connect_event, context) == {"found": "true", "body": '{"a": 1.10}'}


def test_an_unknown_contact_is_a_miss(dynamodb: Any, connect_event: dict[str, Any], context: Any) -> None:
    assert handler(connect_event, context) == {"found": "false"}


def test_expired_metadata_that_is_not_deleted_yet_is_a_miss(
    dynamodb: Any, connect_event: dict[str, Any], context: Any, contact_id: str
) -> None:
    put(dynamodb, contact_id, body={"S": "{}"}, expiresAt=in_seconds(-1))
    assert handler(connect_event, context) == {"found": "false"}


def test_metadata_without_a_time_to_live_does_not_expire(
    dynamodb: Any, connect_event: dict[str, Any], context: Any, contact_id: str
) -> None:
    put(dynamodb, contact_id, body={"S": "{}"})
    assert handler(connect_event, context) == {"found": "true", "body": "{}"}


def test_the_blocks_parameter_names_the_contact(
    dynamodb: Any, connect_event: dict[str, Any], context: Any, contact_id: str
) -> None:
    put(dynamodb, contact_id, body={"S": '{"of":"the contact"}'})
    put(dynamodb, OTHER, body={"S": '{"of":"the parameter"}'})
    connect_event["Details"]["Parameters"]["contactId"] = OTHER.upper()
    assert handler(connect_event, context)["body"] == '{"of":"the parameter"}'


@pytest.mark.parametrize("parameters", [{}, None, {"contactId": None}, {"contactId": ""}, {"other": "x"}])
def test_without_the_parameter_the_contact_in_the_flow_is_meant(
    dynamodb: Any, connect_event: dict[str, Any], context: Any, contact_id: str, parameters: Any
) -> None:
    put(dynamodb, contact_id, body={"S": "{}"})
    connect_event["Details"]["Parameters"] = parameters
    assert handler(connect_event, context)["found"] == "true"


def test_nothing_but_the_contact_id_is_relied_upon(dynamodb: Any, context: Any, contact_id: str) -> None:
    put(dynamodb, contact_id, body={"S": "{}"})
    assert handler({"Details": {"ContactData": {"ContactId": contact_id}}}, context)["found"] == "true"
    assert handler({"Details": {"Parameters": {"contactId": contact_id}, "ContactData": None}}, context)


@pytest.mark.parametrize(
    "event", [{}, {"Details": None}, {"Details": {"ContactData": {"ContactId": "x"}}}, []]
)
def test_no_usable_contact_id_takes_the_error_branch(dynamodb: Any, context: Any, event: Any) -> None:
    with pytest.raises(InvalidContactIdError, match="contactId is"):
        handler(event, context)


def test_one_consistent_read_and_nothing_else_reaches_the_table(
    fake: Any, monkeypatch: pytest.MonkeyPatch, connect_event: dict[str, Any], context: Any
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", fake.url)
    handler(connect_event, context)
    (seen,) = fake.seen
    assert seen.headers["X-Amz-Target"].endswith(".GetItem")
    assert seen.json()["ConsistentRead"] is True


def test_the_limit_itself_is_too_much_and_one_byte_less_is_not(
    dynamodb: Any, connect_event: dict[str, Any], context: Any, contact_id: str
) -> None:
    room = CONNECT_RESPONSE_LIMIT - answer_size('{"a":""}')
    put(dynamodb, contact_id, body={"S": '{"a":"' + "x" * (room - 1) + '"}'})
    answer = handler(connect_event, context)
    assert len(json.dumps(answer).encode()) == CONNECT_RESPONSE_LIMIT - 1
    put(dynamodb, contact_id, body={"S": '{"a":"' + "x" * room + '"}'})
    with pytest.raises(MetadataTooLargeError, match=f"takes {CONNECT_RESPONSE_LIMIT} bytes"):
        handler(connect_event, context)


def test_more_than_connect_takes_is_never_answered(
    dynamodb: Any, connect_event: dict[str, Any], context: Any, contact_id: str
) -> None:
    put(dynamodb, contact_id, body={"S": '{"a":"' + "x" * 33_000 + '"}'})
    with pytest.raises(MetadataTooLargeError, match="must stay under 32768"):
        handler(connect_event, context)


def test_an_item_of_somebody_elses_making_takes_the_error_branch(
    dynamodb: Any, connect_event: dict[str, Any], context: Any, contact_id: str
) -> None:
    put(dynamodb, contact_id, body={"M": {}})  # type: ignore[dict-item]
    with pytest.raises(UnreadableItemError, match=contact_id):
        handler(connect_event, context)


@pytest.mark.parametrize(
    "respond",
    [None, lambda _: (0, {}, b""), lambda _: (500, {}, b"{}"), lambda _: (503, {}, b"<html>")],
    ids=["silent", "hangs up", "fails", "is behind a failing proxy"],
)
def test_a_failing_table_raises_before_the_block_gives_up(
    fake: Any,
    monkeypatch: pytest.MonkeyPatch,
    connect_event: dict[str, Any],
    context: Any,
    respond: Callable[[Any], tuple[int, dict[str, str], bytes]] | None,
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", fake.url)
    fake.respond = respond or fake.silent
    started = time.monotonic()
    with pytest.raises(TemporarilyUnavailableError, match="ConnectBridgeMetadata"):
        handler(connect_event, context)
    assert time.monotonic() - started < 2.5
    assert len(fake.seen) == 2


def test_one_failed_attempt_is_made_up_for(
    fake: Any, monkeypatch: pytest.MonkeyPatch, connect_event: dict[str, Any], context: Any
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", fake.url)
    fake.respond = lambda _: (500 if len(fake.seen) == 1 else 200, {}, b"{}")
    assert handler(connect_event, context) == {"found": "false"}


def test_a_wrong_environment_takes_the_error_branch(
    monkeypatch: pytest.MonkeyPatch, connect_event: dict[str, Any], context: Any
) -> None:
    monkeypatch.setenv("TABLE_NAME", "no table!")
    with pytest.raises(ConfigurationError, match="TABLE_NAME is 'no table!'"):
        handler(connect_event, context)


def test_what_is_stored_is_never_logged(
    dynamodb: Any,
    connect_event: dict[str, Any],
    context: Any,
    contact_id: str,
    logs: Callable[[], str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    put(dynamodb, contact_id, body={"S": '{"secret-word":1}'})
    handler(connect_event, context)
    everything = logs() + "".join(capsys.readouterr())
    assert contact_id in everything
    assert "secret-word" not in everything
