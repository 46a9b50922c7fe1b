from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runtime.chat.contact import InvalidEventError
from runtime.chat.failures import Reason
from runtime.chat.start import handler
from runtime.shared import http_client
from runtime.shared.errors import ConfigurationError

CONTACT_ID = "5f1e2d3c-4b5a-4978-8697-a5b4c3d2e1f0"
INITIAL_CONTACT_ID = "00112233-4455-4677-8899-aabbccddeeff"
INSTANCE_ID = "11111111-2222-3333-4444-555555555555"
TOPIC_ARN = "arn:aws:sns:us-east-1:123456789012:ChatStream"
TOKEN = "17ceed4151e38bae8d16cd547e0144203"
STARTED = {"streaming": "started", "reason": "none", "streamingId": "0b6c7a1e-streaming"}
CONNECTS_LIMIT_SECONDS = 8


def failed(reason: str) -> dict[str, str]:
    return {"streaming": "failed", "reason": reason}


# --- a chat that a bot takes -------------------------------------------------------------------------------------


def test_the_chat_is_streamed_to_the_topic_and_the_vendor_told_as_the_guide_says(
    secret: Any, connect: Any, webhook: Any, event: dict[str, Any], context: Any
) -> None:
    assert handler(event, context) == STARTED

    (start,) = connect.starts
    assert start.pop("ClientToken")
    assert start == {
        "InstanceId": INSTANCE_ID,
        "ContactId": INITIAL_CONTACT_ID,
        "ChatStreamingConfiguration": {"StreamingEndpointArn": TOPIC_ARN},
    }
    (post,) = webhook.seen
    assert (post.method, post.path) == ("POST", "/adapter/hooks/amazonconnect/st-1")
    assert post.json() == {"ContactId": CONTACT_ID, "InstanceId": INSTANCE_ID, "Type": "InitializeConnection"}
    assert post.headers["Verification-Token"] == TOKEN
    assert post.headers["Content-Type"] == "application/json"
    assert connect.stops == []


def test_a_vendor_may_want_the_token_in_another_header(
    secret: Any,
    connect: Any,
    webhook: Any,
    event: dict[str, Any],
    context: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TOKEN_HEADER", "X-Bot-Token")
    assert handler(event, context) == STARTED
    assert webhook.seen[0].headers["X-Bot-Token"] == TOKEN
    assert "Verification-Token" not in webhook.seen[0].headers


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_any_2xx_answer_is_success(
    secret: Any, connect: Any, webhook: Any, event: dict[str, Any], context: Any, status: int
) -> None:
    webhook.respond = lambda _: (status, {}, b"" if status == 204 else b"not even JSON")
    assert handler(event, context) == STARTED


def test_nothing_but_contact_and_instance_is_relied_upon(
    secret: Any, connect: Any, webhook: Any, event: dict[str, Any], context: Any
) -> None:
    data = event["Details"]["ContactData"]
    event = {"Details": {"ContactData": {key: data[key] for key in ("ContactId", "InstanceARN")}}}
    assert handler(event, context) == STARTED
    assert connect.starts[0]["ContactId"] == CONTACT_ID


def test_connects_retry_of_the_invocation_is_the_same_request_to_connect(
    secret: Any, connect: Any, webhook: Any, event: dict[str, Any], context: Any
) -> None:
    handler(event, context)
    handler(event, context)
    first, second = connect.starts
    assert first == second


def test_another_contact_and_another_attempt_are_other_requests(
    secret: Any, connect: Any, webhook: Any, event: dict[str, Any], context: Any
) -> None:
    handler(event, context)
    event["Details"]["Parameters"]["attempt"] = "2"
    handler(event, context)
    event["Details"]["ContactData"]["ContactId"] = INITIAL_CONTACT_ID
    handler(event, context)
    assert len({start["ClientToken"] for start in connect.starts}) == 3


# --- Amazon Connect says no --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "InvalidRequestException"),
        (400, "InvalidParameterException"),
        (404, "ResourceNotFoundException"),
        (403, "AccessDeniedException"),
    ],
)
def test_a_refusal_is_not_repeated_and_the_vendor_hears_nothing(
    secret: Any,
    connect: Any,
    webhook: Any,
    event: dict[str, Any],
    context: Any,
    logs: Callable[[], str],
    status: int,
    code: str,
) -> None:
    connect.refusals = [(status, code)]
    assert handler(event, context) == failed("streamingRefused")
    assert len(connect.starts) == 1
    assert webhook.seen == []
    assert code in logs()


@pytest.mark.parametrize(
    "refusal",
    [
        (429, "LimitExceededException"),
        (429, "ThrottlingException"),
        (500, "InternalServiceException"),
        (0, ""),
    ],
    ids=["limit", "throttled", "fails", "hangs up"],
)
def test_what_passes_is_tried_again_with_the_same_client_token(
    secret: Any, connect: Any, webhook: Any, event: dict[str, Any], context: Any, refusal: tuple[int, str]
) -> None:
    connect.refusals = [refusal, refusal]
    assert handler(event, context) == STARTED
    assert len(connect.starts) == 3
    assert len({start["ClientToken"] for start in connect.starts}) == 1


def test_connect_that_throttles_to_the_end_is_given_up_in_time(
    secret: Any,
    connect: Any,
    webhook: Any,
    event: dict[str, Any],
    context: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    connect.refusals = [(429, "LimitExceededException")] * 1000
    monkeypatch.setenv("DEADLINE_MILLISECONDS", "4000")
    started = time.monotonic()
    assert handler(event, context) == failed("streamingUnavailable")
    assert time.monotonic() - started < 4.1
    assert webhook.seen == []


def test_an_answer_that_was_lost_is_asked_for_again(
    secret: Any, connect: Any, webhook: Any, event: dict[str, Any], context: Any
) -> None:
    connect.slow_answers = 1
    assert handler(event, context) == STARTED
    first, second = connect.starts
    assert first["ClientToken"] == second["ClientToken"]


@pytest.mark.parametrize(
    "body", [b"", b"{}", b'{"StreamingId": null}', b'{"StreamingId": 7}', b"<html>", b"[]"]
)
def test_an_answer_without_a_streaming_id_is_asked_for_again(
    secret: Any, connect: Any, webhook: Any, event: dict[str, Any], context: Any, body: bytes
) -> None:
    """The streaming may be on by then: the same client token gets its id."""
    connect.garbled_answers = [body]
    assert handler(event, context) == STARTED
    first, second = connect.starts
    assert first["ClientToken"] == second["ClientToken"]
    assert len(webhook.seen) == 1


def test_connect_that_never_says_a_streaming_id_is_given_up_and_the_log_says_so(
    secret: Any,
    connect: Any,
    webhook: Any,
    event: dict[str, Any],
    context: Any,
    logs: Callable[[], str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    connect.garbled_answers = [b"{}"] * 1000
    monkeypatch.setenv("DEADLINE_MILLISECONDS", "4000")
    assert handler(event, context) == failed("streamingUnavailable")
    assert webhook.seen == []
    assert "no StreamingId" in logs()


# --- the vendor cannot be reached --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "reason", "posts"),
    [
        (301, "webhookRedirected", 1),
        (307, "webhookRedirected", 1),
        (308, "webhookRedirected", 1),
        (400, "webhookRefused", 1),
        (404, "webhookRefused", 1),
        (410, "webhookRefused", 1),
    ],
)
def test_a_final_answer_ends_it_and_the_streaming_with_it(
    secret: Any,
    connect: Any,
    webhook: Any,
    event: dict[str, Any],
    context: Any,
    status: int,
    reason: str,
    posts: int,
) -> None:
    webhook.respond = lambda _: (status, {"Location": "/elsewhere"}, b"")
    assert handler(event, context) == failed(reason)
    assert len(webhook.seen) == posts
    assert connect.stops == [
        {"InstanceId": INSTANCE_ID, "ContactId": INITIAL_CONTACT_ID, "StreamingId": "0b6c7a1e-streaming"}
    ]
    assert connect.streaming == set()


def test_a_redirect_does_not_carry_the_token_elsewhere(
    secret: Any,
    connect: Any,
    webhook: Any,
    new_fake: Callable[[], Any],
    event: dict[str, Any],
    context: Any,
) -> None:
    elsewhere = new_fake()
    webhook.respond = lambda _: (302, {"Location": f"{elsewhere.url}/steal"}, b"")
    assert handler(event, context) == failed("webhookRedirected")
    assert elsewhere.seen == []


@pytest.mark.parametrize("status", [408, 425, 429, 503])
def test_what_was_not_begun_is_tried_again(
    secret: Any, connect: Any, webhook: Any, event: dict[str, Any], context: Any, status: int
) -> None:
    webhook.respond = lambda _: (status if len(webhook.seen) < 3 else 200, {}, b"")
    assert handler(event, context) == STARTED
    assert len(webhook.seen) == 3


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (0, "webhookUnreachable"),
        (500, "webhookFailed"),
        (501, "webhookFailed"),
        (502, "webhookFailed"),
        (504, "webhookFailed"),
    ],
    ids=["cut", "500", "501", "502", "504"],
)
def test_what_may_have_begun_a_conversation_is_not_repeated(
    secret: Any,
    connect: Any,
    webhook: Any,
    event: dict[str, Any],
    context: Any,
    status: int,
    reason: str,
) -> None:
    webhook.respond = lambda _: (status if len(webhook.seen) < 2 else 200, {}, b"")
    assert handler(event, context) == failed(reason)
    assert len(webhook.seen) == 1
    assert connect.streaming == set()


def test_a_webhook_that_fails_to_the_end_is_asked_three_times_and_undone(
    secret: Any, connect: Any, webhook: Any, event: dict[str, Any], context: Any
) -> None:
    webhook.respond = lambda _: (503, {}, b"")
    assert handler(event, context) == failed("webhookFailed")
    assert len(webhook.seen) == 3
    assert connect.streaming == set()


def test_every_try_of_a_request_carries_its_idempotency_key(
    secret: Any, connect: Any, webhook: Any, event: dict[str, Any], context: Any
) -> None:
    secret.put_secret_value(SecretId="Token", SecretString="the-new-token")
    answers = [503, 401, 503, 200, 200, 200]
    webhook.respond = lambda _: (answers.pop(0), {}, b"")
    assert handler(event, context) == STARTED, "after a try that was not begun, with either token"
    assert handler(event, context) == STARTED, "Amazon Connect's retry of the invocation"
    event["Details"]["Parameters"]["attempt"] = "2"
    assert handler(event, context) == STARTED
    keys = [seen.headers["Idempotency-Key"] for seen in webhook.seen]
    assert len(keys) == 6
    assert len(set(keys[:5])) == 1
    assert keys[5] not in keys[:5]
    assert keys[0] == connect.starts[0]["ClientToken"]


def test_a_slow_webhook_is_waited_for_and_not_asked_twice(
    secret: Any,
    connect: Any,
    webhook: Any,
    event: dict[str, Any],
    context: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(http_client, "CONNECT_SECONDS", 0.3)
    webhook.respond = webhook.slow(0.6)
    assert handler(event, context) == STARTED
    assert len(webhook.seen) == 1


def test_a_webhook_that_never_answers_is_given_up_in_time_and_undone(
    secret: Any,
    connect: Any,
    webhook: Any,
    event: dict[str, Any],
    context: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    webhook.respond = webhook.silent
    monkeypatch.setenv("DEADLINE_MILLISECONDS", "2500")
    started = time.monotonic()
    assert handler(event, context) == failed("webhookTimedOut")
    assert time.monotonic() - started < 2.6
    assert len(webhook.seen) == 1
    assert connect.streaming == set()


def test_lambdas_own_limit_counts_too(
    secret: Any, connect: Any, webhook: Any, event: dict[str, Any], new_context: Any
) -> None:
    webhook.respond = webhook.silent
    started = time.monotonic()
    assert handler(event, new_context(seconds=3)) == failed("webhookTimedOut")
    assert time.monotonic() - started < 2.8
    assert connect.streaming == set()


def test_nobody_listening_is_an_unreachable_webhook(
    secret: Any,
    connect: Any,
    webhook: Any,
    event: dict[str, Any],
    context: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    webhook.close()
    monkeypatch.setenv("DEADLINE_MILLISECONDS", "2500")
    assert handler(event, context) == failed("webhookUnreachable")
    assert connect.streaming == set()


def test_streaming_that_cannot_be_stopped_does_not_hide_why(
    secret: Any, connect: Any, webhook: Any, event: dict[str, Any], context: Any, logs: Callable[[], str]
) -> None:
    webhook.respond = lambda _: (404, {}, b"")
    connect.stop_refusals = [(403, "AccessDeniedException")]
    assert handler(event, context) == failed("webhookRefused")
    assert "streaming not stopped" in logs()
    assert "0b6c7a1e-streaming" in logs()


# --- the verification token --------------------------------------------------------------------------------------


def accepting(webhook: Any, token: str) -> None:
    webhook.respond = lambda seen: (200 if seen.headers["Verification-Token"] == token else 401, {}, b"")


def test_the_token_is_read_once_for_many_chats(
    connect: Any,
    webhook: Any,
    secrets_http: Any,
    event: dict[str, Any],
    context: Any,
) -> None:
    secrets_http.respond = lambda _: (200, {}, json.dumps({"SecretString": TOKEN}).encode())
    for _ in range(3):
        assert handler(event, context) == STARTED
    assert len(secrets_http.seen) == 1


def test_a_token_that_was_rotated_in_serves_at_once(
    secret: Any, connect: Any, webhook: Any, event: dict[str, Any], context: Any
) -> None:
    assert handler(event, context) == STARTED
    secret.put_secret_value(SecretId="Token", SecretString="the-new-token")
    accepting(webhook, "the-new-token")
    assert handler(event, context) == STARTED


def test_while_the_vendor_still_wants_the_previous_token_it_gets_that(
    secret: Any, connect: Any, webhook: Any, event: dict[str, Any], context: Any
) -> None:
    secret.put_secret_value(SecretId="Token", SecretString="the-new-token")
    accepting(webhook, TOKEN)
    assert handler(event, context) == STARTED
    assert [seen.headers["Verification-Token"] for seen in webhook.seen] == ["the-new-token", TOKEN]


@pytest.mark.parametrize("status", [401, 403])
def test_a_wrong_token_is_told_apart(
    secret: Any, connect: Any, webhook: Any, event: dict[str, Any], context: Any, status: int
) -> None:
    webhook.respond = lambda _: (status, {}, b"")
    assert handler(event, context) == failed("verificationTokenRefused")
    assert len(webhook.seen) == 1, "the one version that there is, once"
    assert connect.streaming == set()


def test_a_failure_with_the_other_token_is_that_failure(
    secret: Any, connect: Any, webhook: Any, event: dict[str, Any], context: Any
) -> None:
    secret.put_secret_value(SecretId="Token", SecretString="the-new-token")
    webhook.respond = lambda seen: (404 if seen.headers["Verification-Token"] == TOKEN else 401, {}, b"")
    assert handler(event, context) == failed("webhookRefused")


@pytest.mark.parametrize("value", [" \n", "two words", "line\r\nX-Injected: yes", "schlüssel"])
def test_a_secret_that_is_no_token_starts_nothing_and_shows_nothing(
    secret: Any,
    connect: Any,
    webhook: Any,
    event: dict[str, Any],
    context: Any,
    logs: Callable[[], str],
    monkeypatch: pytest.MonkeyPatch,
    value: str,
) -> None:
    arn = secret.create_secret(Name="Unfit", SecretString=value)["ARN"]
    monkeypatch.setenv("TOKEN_SECRET_ARN", arn)
    assert handler(event, context) == failed("verificationTokenUnavailable")
    assert connect.starts == []
    assert webhook.seen == []
    assert not value.strip() or value not in logs()


def test_beside_a_new_token_that_is_none_the_previous_one_serves(
    secret: Any, connect: Any, webhook: Any, event: dict[str, Any], context: Any
) -> None:
    secret.put_secret_value(SecretId="Token", SecretString="two words")
    assert handler(event, context) == STARTED
    assert webhook.seen[0].headers["Verification-Token"] == TOKEN


def test_a_line_end_around_the_token_is_forgiven(
    secret: Any, connect: Any, webhook: Any, event: dict[str, Any], context: Any
) -> None:
    secret.put_secret_value(SecretId="Token", SecretString=f"{TOKEN}\n")
    assert handler(event, context) == STARTED
    assert webhook.seen[0].headers["Verification-Token"] == TOKEN


def test_without_secrets_manager_the_token_in_memory_serves_on(
    connect: Any,
    webhook: Any,
    secrets_http: Any,
    event: dict[str, Any],
    context: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers = [(200, {}, json.dumps({"SecretString": TOKEN}).encode())]
    secrets_http.respond = lambda _: answers.pop() if answers else (500, {}, b"{}")
    monkeypatch.setenv("CACHE_SECONDS", "0")
    assert handler(event, context) == STARTED
    assert handler(event, context) == STARTED


def test_secrets_manager_that_fails_quickly_is_asked_again(
    connect: Any, webhook: Any, secrets_http: Any, event: dict[str, Any], context: Any
) -> None:
    answers = [(500, {}, b"{}"), (400, {}, b'{"__type": "ThrottlingException"}')]
    read = (200, {}, json.dumps({"SecretString": TOKEN}).encode())
    secrets_http.respond = lambda _: answers.pop(0) if answers else read
    assert handler(event, context) == STARTED
    assert len(secrets_http.seen) == 3


def test_secrets_manager_that_fails_on_is_asked_three_times(
    connect: Any, webhook: Any, secrets_http: Any, event: dict[str, Any], context: Any
) -> None:
    secrets_http.respond = lambda _: (500, {}, b"{}")
    assert handler(event, context) == failed("verificationTokenUnavailable")
    assert len(secrets_http.seen) == 3
    assert connect.starts == []


@pytest.mark.parametrize("code", ["AccessDeniedException", "ResourceNotFoundException"])
def test_what_secrets_manager_refuses_is_not_asked_for_again(
    connect: Any, webhook: Any, secrets_http: Any, event: dict[str, Any], context: Any, code: str
) -> None:
    secrets_http.respond = lambda _: (400, {}, json.dumps({"__type": code}).encode())
    assert handler(event, context) == failed("verificationTokenUnavailable")
    assert len(secrets_http.seen) == 1


def test_without_secrets_manager_from_the_start_nothing_is_begun(
    connect: Any,
    webhook: Any,
    secrets_http: Any,
    event: dict[str, Any],
    context: Any,
) -> None:
    secrets_http.respond = lambda _: (500, {}, b"{}")
    assert handler(event, context) == failed("verificationTokenUnavailable")
    assert connect.starts == []


# --- stop --------------------------------------------------------------------------------------------------------


def stopping(event: dict[str, Any], streaming_id: Any = "0b6c7a1e-streaming") -> dict[str, Any]:
    event["Details"]["Parameters"] = {"action": "stop", "streamingId": streaming_id}
    return event


def test_the_flow_stops_what_it_started(
    secret: Any, connect: Any, webhook: Any, event: dict[str, Any], context: Any
) -> None:
    handler(event, context)
    assert handler(stopping(event), context) == {"streaming": "stopped", "reason": "none"}
    assert connect.streaming == set()
    assert len(webhook.seen) == 1, "the vendor is not asked"


def test_stopping_twice_is_stopping_once(
    secret: Any, connect: Any, webhook: Any, event: dict[str, Any], context: Any
) -> None:
    assert handler(stopping(event), context)["streaming"] == "stopped"


def test_what_cannot_be_stopped_is_told(
    secret: Any, connect: Any, webhook: Any, event: dict[str, Any], context: Any
) -> None:
    connect.stop_refusals = [(403, "AccessDeniedException")]
    assert handler(stopping(event), context) == failed("streamingRefused")


# --- events and environment --------------------------------------------------------------------------------------


def test_a_call_is_no_chat(
    secret: Any, connect: Any, webhook: Any, event: dict[str, Any], context: Any
) -> None:
    event["Details"]["ContactData"]["Channel"] = "VOICE"
    assert handler(event, context) == failed("notAChat")
    assert connect.starts == []


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"ContactId": None}, "ContactId is None"),
        ({"ContactId": "me"}, "ContactId is 'me'"),
        ({"InitialContactId": 5}, "InitialContactId is 5"),
        ({"InstanceARN": "arn:aws:connect"}, "InstanceARN is 'arn:aws:connect'"),
    ],
)
def test_an_event_that_no_flow_sends_raises(
    secret: Any,
    connect: Any,
    webhook: Any,
    event: dict[str, Any],
    context: Any,
    change: dict[str, Any],
    complaint: str,
) -> None:
    event["Details"]["ContactData"].update(change)
    with pytest.raises(InvalidEventError, match=complaint):
        handler(event, context)


@pytest.mark.parametrize(
    "parameters",
    [
        {"action": "restart"},
        {"action": "stop"},
        {"action": "stop", "streamingId": "a b"},
        {"attempt": "x" * 51},
    ],
)
def test_wrong_parameters_of_the_block_raise(
    secret: Any, connect: Any, webhook: Any, event: dict[str, Any], context: Any, parameters: Any
) -> None:
    event["Details"]["Parameters"] = parameters
    with pytest.raises(InvalidEventError, match="the block's parameter"):
        handler(event, context)


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("WEBHOOK_URL", "", "WEBHOOK_URL is not set"),
        ("WEBHOOK_URL", "http://bot.example.com/hook", "write https://"),
        ("WEBHOOK_URL", "ftp://bot.example.com", "write https://HOST/PATH"),
        ("WEBHOOK_URL", "https://user:word@bot.example.com", "leave out user and password"),
        ("WEBHOOK_URL", "https://bot.example.com/a b", "percent-encode"),
        ("WEBHOOK_URL", "https://bot.example.com:port/", "it is no URL"),
        ("TOPIC_ARN", "arn:aws:sns:us-east-1:123456789012:Stream.fifo", "the ARN of a standard SNS topic"),
        ("TOKEN_SECRET_ARN", "token", "the ARN of the secret"),
        ("TOKEN_HEADER", "a:b", "the name of an HTTP header"),
        ("DEADLINE_MILLISECONDS", "9000", "a whole number from 2000 to 7500"),
    ],
)
def test_a_wrong_environment_raises_and_names_the_variable(
    secret: Any,
    connect: Any,
    webhook: Any,
    event: dict[str, Any],
    context: Any,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    value: str,
    complaint: str,
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError, match=complaint):
        handler(event, context)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
VALUES = (
    JSON
    | st.just(CONTACT_ID)
    | st.just("CHAT")
    | st.just(f"arn:aws:connect:us-east-1:123456789012:instance/{INSTANCE_ID}")
)
EVENTS = JSON | st.fixed_dictionaries(
    {},
    optional={
        "Name": JSON,
        "Details": JSON
        | st.fixed_dictionaries(
            {},
            optional={
                "ContactData": JSON
                | st.fixed_dictionaries(
                    {},
                    optional={
                        "ContactId": VALUES,
                        "InitialContactId": VALUES,
                        "InstanceARN": VALUES,
                        "Channel": VALUES,
                    },
                ),
                "Parameters": JSON
                | st.fixed_dictionaries(
                    {},
                    optional={
                        "action": JSON | st.sampled_from(["start", "stop"]),
                        "streamingId": JSON,
                        "attempt": JSON,
                    },
                ),
            },
        ),
    },
)


@settings(
    max_examples=400,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(fuzzed=EVENTS)
def test_any_event_gives_an_answer_to_branch_on_or_raises_what_is_foreseen(
    secret: Any, connect: Any, webhook: Any, new_context: Any, fuzzed: Any
) -> None:
    try:
        answer = handler(fuzzed, new_context())
    except InvalidEventError:
        return
    assert answer["streaming"] in {"started", "stopped", "failed"}
    assert answer["reason"] in {"none", *Reason}
    assert all(isinstance(value, str) and value for value in answer.values())
    assert len(json.dumps(answer)) < 32_768


# --- what is written down ----------------------------------------------------------------------------------------


def metrics(printed: str) -> list[str]:
    blobs = [json.loads(line) for line in printed.splitlines() if '"CloudWatchMetrics"' in line]
    return [
        metric["Name"]
        for blob in blobs
        for directive in blob["_aws"]["CloudWatchMetrics"]
        for metric in directive["Metrics"]
    ]


def test_each_outcome_is_counted(
    secret: Any,
    connect: Any,
    webhook: Any,
    event: dict[str, Any],
    context: Any,
    capsys: pytest.CaptureFixture[str],
) -> None:
    handler(event, context)
    webhook.respond = lambda _: (404, {}, b"")
    handler(event, context)
    with pytest.raises(InvalidEventError):
        handler({}, context)
    handler(stopping(event), context)
    counted = [name for name in metrics(capsys.readouterr().out) if name.startswith("Chat")]
    assert counted == [
        "ChatStreamingStarted",
        "ChatStreamingFailed",
        "ChatStreamingFailed",
        "ChatStreamingStopped",
    ]


@pytest.mark.parametrize("status", [200, 0, 302, 401, 404, 503])
def test_neither_token_nor_headers_nor_what_was_said_is_logged(
    secret: Any,
    connect: Any,
    webhook: Any,
    event: dict[str, Any],
    context: Any,
    logs: Callable[[], str],
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    status: int,
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setenv("DEADLINE_MILLISECONDS", "2500")
    monkeypatch.setenv("POWERTOOLS_LOGGER_LOG_EVENT", "true")
    secret.put_secret_value(SecretId="Token", SecretString="rotated-token")

    def respond(seen: Any) -> tuple[int, dict[str, str], bytes]:  # a vendor that echoes what it got
        return status, {"X-Echo": seen.headers["Verification-Token"], "Location": TOKEN}, TOKEN.encode()

    webhook.respond = respond
    handler(event, context)
    written = logs() + capsys.readouterr().out + caplog.text
    assert CONTACT_ID in written
    for secret_text in (TOKEN, "rotated-token", "Verification-Token", "said something private", "hooks/"):
        assert secret_text not in written
