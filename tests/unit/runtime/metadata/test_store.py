from __future__ import annotations

import base64
import json
import time
import uuid
from collections.abc import Callable
from typing import Any

import boto3
import pytest

from runtime.metadata.models import ATTRIBUTE_BODY_LIMIT, CONNECT_RESPONSE_LIMIT, answer_size
from runtime.metadata.store import handler

Build = Callable[..., dict[str, Any]]
ErrorOf = Callable[[dict[str, Any]], tuple[int, str, str]]


def item(dynamodb: Any, contact_id: str) -> dict[str, Any]:
    found: dict[str, Any] = dynamodb.get_item(
        TableName="ConnectBridgeMetadata", Key={"contactId": {"S": contact_id}}
    )["Item"]
    return found


def test_metadata_is_stored_as_the_text_it_came_as(
    dynamodb: Any, store_event: Build, context: Any, contact_id: str
) -> None:
    body = ' {"b":1.10,"a":12345678901234567890,"kore-instanceSessionId":"x\\u00e9é",\n"e":1E+2} '
    before = int(time.time())
    answer = handler(store_event(body), context)
    assert answer["statusCode"] == 200
    stored = item(dynamodb, contact_id)
    assert stored["body"] == {"S": body}
    assert before <= int(stored["storedAt"]["N"]) <= time.time()
    assert int(stored["expiresAt"]["N"]) == int(stored["storedAt"]["N"]) + 86_400
    document = json.loads(answer["body"])
    assert document == {
        "stored": True,
        "contactId": contact_id,
        "replaced": False,
        "expiresAt": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(int(stored["expiresAt"]["N"]))),
    }


def test_a_second_post_replaces_the_first_and_says_so(
    dynamodb: Any, store_event: Build, context: Any, contact_id: str
) -> None:
    handler(store_event('{"a":1}', requestContext={"requestId": "one"}), context)
    answer = handler(store_event('{"a":2}', requestContext={"requestId": "two"}), context)
    assert json.loads(answer["body"])["replaced"] is True
    assert item(dynamodb, contact_id)["body"] == {"S": '{"a":2}'}


def test_the_sdk_repeating_our_own_write_is_not_called_a_replacement(
    dynamodb: Any, store_event: Build, context: Any
) -> None:
    handler(store_event(requestContext={"requestId": "same"}), context)
    answer = handler(store_event(requestContext={"requestId": "same"}), context)
    assert json.loads(answer["body"])["replaced"] is False


def test_overwriting_expired_metadata_is_not_called_a_replacement(
    dynamodb: Any, store_event: Build, context: Any, contact_id: str
) -> None:
    dynamodb.put_item(
        TableName="ConnectBridgeMetadata",
        Item={
            "contactId": {"S": contact_id},
            "body": {"S": "{}"},
            "expiresAt": {"N": str(int(time.time()) - 1)},
        },
    )
    assert json.loads(handler(store_event(), context)["body"])["replaced"] is False


def test_attribute_names_and_time_to_live_are_settable(
    aws: None, monkeypatch: pytest.MonkeyPatch, store_event: Build, context: Any, contact_id: str
) -> None:
    client = boto3.client("dynamodb")
    client.create_table(
        TableName="koreCcSessions",
        KeySchema=[{"AttributeName": "contact", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "contact", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    for name, value in {
        "TABLE_NAME": "koreCcSessions",
        "KEY_ATTRIBUTE": "contact",
        "TTL_ATTRIBUTE": "ttl",
        "TTL_SECONDS": "60",
    }.items():
        monkeypatch.setenv(name, value)
    assert handler(store_event(), context)["statusCode"] == 200
    (stored,) = client.scan(TableName="koreCcSessions")["Items"]
    assert stored["contact"] == {"S": contact_id}
    assert int(stored["ttl"]["N"]) == int(stored["storedAt"]["N"]) + 60


def test_an_upper_case_contact_id_is_the_same_contact(
    dynamodb: Any, store_event: Build, context: Any, contact_id: str
) -> None:
    answer = handler(store_event(contact_ids=[contact_id.upper()]), context)
    assert json.loads(answer["body"])["contactId"] == contact_id
    assert item(dynamodb, contact_id)["body"] == {"S": '{"a":1}'}


@pytest.mark.parametrize(
    ("contact_ids", "named"),
    [
        ([], "is missing"),
        (["9b2c7f3a-0d41-4c8e-9f57-3a1d5e6b7c80"] * 2, "is given 2 times"),
        (["abc"], "'abc'"),
        ([""], "''"),
        (["9b2c7f3a0d414c8e9f573a1d5e6b7c80"], "'9b2c7f3a0d414c8e9f573a1d5e6b7c80'"),
        (["9b2c7f3a-0d41-4c8e-9f57-3a1d5e6b7c80\n"], "\\n"),
        (["{9b2c7f3a-0d41-4c8e-9f57-3a1d5e6b7c80}"], "'{9b2c7f3a"),
        (["٩b2c7f3a-0d41-4c8e-9f57-3a1d5e6b7c80"], "\\u0669"),
    ],
)
def test_anything_but_one_uuid_is_refused_by_name(
    dynamodb: Any, store_event: Build, context: Any, error_of: ErrorOf, contact_ids: list[str], named: str
) -> None:
    status, code, message = error_of(handler(store_event(contact_ids=contact_ids), context))
    assert (status, code) == (400, "INVALID_CONTACT_ID")
    assert named in message
    assert dynamodb.scan(TableName="ConnectBridgeMetadata")["Count"] == 0


@pytest.mark.parametrize(
    "value",
    [
        "application/json",
        "Application/JSON; charset=UTF-8",
        'application/json;charset="utf-8"',
        "application/json; v=1",
    ],
)
def test_json_content_types_are_taken(
    dynamodb: Any, store_event: Build, content_type: Build, context: Any, value: str
) -> None:
    assert handler(store_event(**content_type(value)), context)["statusCode"] == 200


@pytest.mark.parametrize(
    "value", [None, "text/plain", "application/jsonp", "application/json; charset=latin-1", "", "*/*"]
)
def test_other_content_types_are_refused(
    dynamodb: Any, store_event: Build, content_type: Build, context: Any, error_of: ErrorOf, value: str | None
) -> None:
    status, code, message = error_of(handler(store_event(**content_type(value)), context))
    assert (status, code) == (415, "UNSUPPORTED_MEDIA_TYPE")
    assert (value or ("missing" if value is None else "''")) in message
    assert "application/json" in message


def test_two_content_types_are_refused(
    dynamodb: Any, store_event: Build, context: Any, error_of: ErrorOf
) -> None:
    headers = {"multiValueHeaders": {"Content-Type": ["application/json", "text/plain"]}}
    assert error_of(handler(store_event(**headers), context))[0] == 415


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (None, "MISSING_BODY"),
        ("", "MISSING_BODY"),
        ("  ", "INVALID_JSON"),
        ("{", "INVALID_JSON"),
        ("{'a':1}", "INVALID_JSON"),
        ('{"a":1}x', "INVALID_JSON"),
        ('{"a":01}', "INVALID_JSON"),
        ('{"a":1,}', "INVALID_JSON"),
        ('{"a":NaN}', "INVALID_JSON"),
        ('{"a":Infinity}', "INVALID_JSON"),
        ('{"a":-Infinity}', "INVALID_JSON"),
        ('{"a":"\t"}', "INVALID_JSON"),
        ("\ufeff{}", "INVALID_JSON"),
        ("\u00a0{}", "INVALID_JSON"),
        ("[]", "NOT_AN_OBJECT"),
        ("null", "NOT_AN_OBJECT"),
        ('"{}"', "NOT_AN_OBJECT"),
        ("1", "NOT_AN_OBJECT"),
        ('{"a":1,"a":1}', "DUPLICATE_KEY"),
        ('{"x":[{"a":1,"\\u0061":2}]}', "DUPLICATE_KEY"),
        ('{"a":"\ud800"}', "INVALID_ENCODING"),
        ('{"a":"\\ud800"}', "LONE_SURROGATE"),
        ('{"a":[["\\udc00\\ud800"]]}', "LONE_SURROGATE"),
        ('{"\\ud83d":1}', "LONE_SURROGATE"),
        ('["\\ud800"]', "LONE_SURROGATE"),
        ('{"a":' + "9" * 5000 + "}", "NUMBER_TOO_LONG"),
        ('{"a":[-0.' + "9" * 998 + "]}", "NUMBER_TOO_LONG"),
        ('{"a":' + "[" * 100 + "]" * 100 + "}", "TOO_DEEPLY_NESTED"),
        ('{"a":' * 3000, "TOO_DEEPLY_NESTED"),
        ("[" * 30000, "TOO_DEEPLY_NESTED"),
    ],
)
def test_anything_but_a_json_object_is_refused_with_its_own_code(
    dynamodb: Any, store_event: Build, context: Any, error_of: ErrorOf, body: str | None, code: str
) -> None:
    status, answered, message = error_of(handler(store_event(body), context))
    assert (status, answered) == (400, code)
    assert message
    assert dynamodb.scan(TableName="ConnectBridgeMetadata")["Count"] == 0


@pytest.mark.parametrize(
    "body",
    [
        "{}",
        '{"a":1e999999,"b":-0.0,"c":' + "9" * 1000 + "}",
        '{"a":' + "[" * 99 + "]" * 99 + "}",
        '{"a":"' + "[{" * 500 + '\\"[[[["}',
        '{"a":"\\ud83d\\ude00 \\\\ud800"}',
        '{"":{"":null}}',
        '{"quote":"\\"","slash":"\\\\"}',
    ],
)
def test_unusual_objects_are_kept(
    dynamodb: Any, store_event: Build, context: Any, contact_id: str, body: str
) -> None:
    assert handler(store_event(body), context)["statusCode"] == 200
    assert item(dynamodb, contact_id)["body"] == {"S": body}


def test_checking_takes_linear_time_on_hostile_quotation_marks(
    dynamodb: Any, store_event: Build, context: Any
) -> None:
    started = time.process_time()
    assert handler(store_event('"' + '\\"' * 8_000), context)["statusCode"] == 400
    assert handler(store_event('"' * 8_000), context)["statusCode"] == 400
    assert time.process_time() - started < 0.3


def test_a_base64_body_is_decoded(dynamodb: Any, store_event: Build, context: Any, contact_id: str) -> None:
    encoded = base64.b64encode('{"a":"é"}'.encode()).decode()
    assert handler(store_event(encoded, isBase64Encoded=True), context)["statusCode"] == 200
    assert item(dynamodb, contact_id)["body"] == {"S": '{"a":"é"}'}


@pytest.mark.parametrize("body", [base64.b64encode(b'{"a":"\xff"}').decode(), "not base64!", "e30"])
def test_a_body_that_is_no_utf8_is_refused(
    dynamodb: Any, store_event: Build, context: Any, error_of: ErrorOf, body: str
) -> None:
    answer = handler(store_event(body, isBase64Encoded=True), context)
    assert error_of(answer)[:2] == (400, "INVALID_ENCODING")


@pytest.mark.parametrize("unit", ["é", "€", "😀", '\\"', "\\\\"])
def test_the_largest_metadata_that_connect_takes_is_kept_and_one_more_is_refused(
    dynamodb: Any, store_event: Build, context: Any, error_of: ErrorOf, unit: str
) -> None:
    def body(units: int, padding: int = 0) -> str:
        return '{"a":"' + unit * units + "x" * padding + '"}'

    fixed, cost = answer_size(body(0)), answer_size(body(1)) - answer_size(body(0))
    units, padding = divmod(CONNECT_RESPONSE_LIMIT - 1 - fixed, cost)
    largest = body(units, padding)
    assert answer_size(largest) == CONNECT_RESPONSE_LIMIT - 1
    assert handler(store_event(largest), context)["statusCode"] == 200

    status, code, message = error_of(handler(store_event(body(units, padding + 1)), context))
    assert (status, code) == (413, "METADATA_TOO_LARGE")
    assert f"{CONNECT_RESPONSE_LIMIT} bytes" in message
    assert f"under {CONNECT_RESPONSE_LIMIT}" in message


def test_the_largest_metadata_that_the_attributes_take_is_kept_and_one_more_is_refused(
    dynamodb: Any, store_event: Build, context: Any, error_of: ErrorOf
) -> None:
    room = ATTRIBUTE_BODY_LIMIT - len('{"a":""}')
    assert handler(store_event('{"a":"' + "x" * room + '"}'), context)["statusCode"] == 200
    status, code, message = error_of(handler(store_event('{"a":"' + "x" * (room + 1) + '"}'), context))
    assert (status, code) == (413, "METADATA_TOO_LARGE")
    assert "takes 30721 bytes, and may take 30720" in message


def test_one_write_and_nothing_else_reaches_the_table(
    fake: Any, monkeypatch: pytest.MonkeyPatch, store_event: Build, context: Any
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", fake.url)
    assert handler(store_event(), context)["statusCode"] == 200
    (seen,) = fake.seen
    assert seen.headers["X-Amz-Target"].endswith(".PutItem")
    assert seen.json()["ReturnValues"] == "ALL_OLD"


def failing(error: str, status: int) -> Callable[[Any], tuple[int, dict[str, str], bytes]]:
    body = json.dumps(
        {"__type": f"com.amazonaws.dynamodb.v20120810#{error}", "message": "internal detail"}
    ).encode()
    return lambda _: (status, {"Content-Type": "application/x-amz-json-1.0"}, body)


@pytest.mark.parametrize(
    ("error", "status", "attempts"),
    [
        ("ProvisionedThroughputExceededException", 400, 3),
        ("ThrottlingException", 400, 3),
        ("RequestLimitExceeded", 400, 1),  # botocore does not repeat this one, the client may
        ("InternalServerError", 500, 3),
        ("ServiceUnavailable", 503, 3),
    ],
)
def test_a_busy_table_is_answered_with_503_and_retry_after(
    fake: Any,
    monkeypatch: pytest.MonkeyPatch,
    store_event: Build,
    context: Any,
    error_of: ErrorOf,
    error: str,
    status: int,
    attempts: int,
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", fake.url)
    fake.respond = failing(error, status)
    answer = handler(store_event(), context)
    assert error_of(answer)[:2] == (503, "TABLE_UNAVAILABLE")
    assert int(answer["headers"]["Retry-After"]) >= 1
    assert len(fake.seen) == attempts
    assert "internal detail" not in answer["body"]


def test_a_table_that_hangs_up_or_is_not_there_is_answered_with_503(
    fake: Any, monkeypatch: pytest.MonkeyPatch, store_event: Build, context: Any, error_of: ErrorOf
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", fake.url)
    fake.respond = lambda _: (0, {}, b"")
    assert error_of(handler(store_event(), context))[:2] == (503, "TABLE_UNAVAILABLE")
    fake.close()
    assert error_of(handler(store_event(), context))[:2] == (503, "TABLE_UNAVAILABLE")


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]"])
def test_a_200_that_is_not_the_tables_stores_nothing(
    fake: Any,
    monkeypatch: pytest.MonkeyPatch,
    store_event: Build,
    context: Any,
    error_of: ErrorOf,
    body: bytes,
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", fake.url)
    fake.respond = lambda _: (200, {}, body)
    assert error_of(handler(store_event(), context))[:2] == (503, "TABLE_UNAVAILABLE")


@pytest.mark.parametrize("sent", ["", None, 7])
def test_a_request_without_an_id_gets_one_of_its_own(
    store_event: Build, context: Any, error_of: ErrorOf, sent: object
) -> None:
    event = store_event(body="[]")
    event["requestContext"]["requestId"] = sent
    given = [json.loads(handler(event, context)["body"])["error"]["requestId"] for _ in range(2)]
    assert len({uuid.UUID(each) for each in given}) == 2


def test_a_silent_table_is_given_up_on_long_before_api_gateway_does(
    fake: Any, monkeypatch: pytest.MonkeyPatch, store_event: Build, context: Any, error_of: ErrorOf
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", fake.url)
    fake.respond = fake.silent
    started = time.monotonic()
    assert error_of(handler(store_event(), context))[:2] == (503, "TABLE_UNAVAILABLE")
    assert time.monotonic() - started < 8


@pytest.mark.parametrize(
    "error", ["AccessDeniedException", "ResourceNotFoundException", "ValidationException"]
)
def test_any_other_failure_is_a_500_that_tells_nothing_but_the_request_id(
    fake: Any,
    monkeypatch: pytest.MonkeyPatch,
    store_event: Build,
    context: Any,
    error_of: ErrorOf,
    logs: Callable[[], str],
    error: str,
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", fake.url)
    fake.respond = failing(error, 400)
    answer = handler(store_event(), context)
    assert error_of(answer)[:2] == (500, "INTERNAL_ERROR")
    assert error not in answer["body"]
    assert "ConnectBridgeMetadata" not in answer["body"]
    lines = [json.loads(line) for line in logs().splitlines()]
    (line,) = [line for line in lines if line["level"] == "ERROR"]
    assert line["correlation_id"] == json.loads(answer["body"])["error"]["requestId"]
    assert line["cause"] == error


def test_a_wrong_environment_is_a_500_whose_log_lists_every_problem(
    monkeypatch: pytest.MonkeyPatch,
    store_event: Build,
    context: Any,
    error_of: ErrorOf,
    logs: Callable[[], str],
) -> None:
    monkeypatch.delenv("TABLE_NAME")
    monkeypatch.setenv("TTL_SECONDS", "a day")
    monkeypatch.setenv("TTL_ATTRIBUTE", "body")
    assert error_of(handler(store_event(), context))[:2] == (500, "INTERNAL_ERROR")
    assert all(
        name in logs() for name in ("TABLE_NAME is not set", "TTL_SECONDS is 'a day'", "TTL_ATTRIBUTE 'body'")
    )


@pytest.mark.parametrize(
    "body", ['{"secret-word":1}', '{"secret-word":1,"secret-word":2}', "[secret-word", "secret-word"]
)
def test_neither_body_nor_token_is_ever_logged(
    dynamodb: Any,
    store_event: Build,
    context: Any,
    logs: Callable[[], str],
    capsys: pytest.CaptureFixture[str],
    body: str,
) -> None:
    handler(store_event(body), context)
    everything = logs() + "".join(capsys.readouterr())
    assert "function-under-test" in everything
    assert "secret-word" not in everything
    assert "nobody-may-log" not in everything


def test_only_what_is_in_the_table_counts_as_stored(
    dynamodb: Any, store_event: Build, context: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    bodies = ('{"a":1}', "no JSON", "[]", None, '{"a":2}', '{"a":1,"a":2}')
    statuses = [handler(store_event(body), context)["statusCode"] for body in bodies]
    counted = [
        metric["Name"]
        for line in capsys.readouterr().out.splitlines()
        if '"CloudWatchMetrics"' in line
        for directive in json.loads(line)["_aws"]["CloudWatchMetrics"]
        for metric in directive["Metrics"]
    ]
    assert statuses.count(200) == 2
    assert counted.count("MetadataStored") == 2
    assert len(counted) == len(bodies)
