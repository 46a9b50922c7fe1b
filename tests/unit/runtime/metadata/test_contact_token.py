"""A contact's own token opens its own contact, for its time, and nothing else."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.metadata import sign, store
from runtime.metadata.contact_token import contact_token, is_valid, signing_key
from runtime.metadata.models import InvalidContactIdError
from runtime.shared.clients import client
from runtime.shared.rotated_secret import RotatedSecret, SecretUnavailableError, UnfitSecretError
from runtime.shared.service_models import secretsmanager

CONTACT, OTHER = "9b2c7f3a-0d41-4c8e-9f57-3a1d5e6b7c80", "9b2c7f3a-0d41-4c8e-9f57-3a1d5e6b7c81"
NOW = 1_800_000_000
KEY = "a-key-of-the-tests-nobody-may-log"
ErrorOf = Callable[[dict[str, Any]], tuple[int, str, str]]


class Clock:
    """The time as time.time() gives it, moved on by hand."""

    now = float(NOW)

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("runtime.metadata.sign.time.time", clock)
    return clock


@pytest.fixture
def secrets(dynamodb: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Secrets Manager with the key; both functions are told its ARN."""
    found = boto3.client("secretsmanager")
    monkeypatch.setenv("CONTACT_KEY_ARN", found.create_secret(Name="contact-key", SecretString=KEY)["ARN"])
    return found


def keys(secrets: Any) -> RotatedSecret[bytes]:
    arn = secrets.describe_secret(SecretId="contact-key")["ARN"]
    reader = client(secretsmanager, connect_timeout=1, read_timeout=1, attempts=1)
    return RotatedSecret(reader, arn, signing_key)


@pytest.fixture
def post(store_event: Callable[..., dict[str, Any]], context: Any) -> Callable[..., dict[str, Any]]:
    def send(*tokens: str, contact: str = CONTACT, header: str = "contactToken") -> dict[str, Any]:
        headers = {"content-type": ["application/json"], **({header: list(tokens)} if tokens else {})}
        event = store_event(contact_ids=[contact], multiValueHeaders=headers)
        answer: dict[str, Any] = store.handler(event, context)
        return answer

    return send


def signed(connect_event: dict[str, Any], context: Any) -> str:
    return str(sign.handler(connect_event, context)["contactToken"])


def items(dynamodb: Any) -> int:
    return int(dynamodb.scan(TableName="ConnectBridgeMetadata")["Count"])


def test_what_the_flow_is_given_lets_the_vendor_write_for_this_contact(
    secrets: Any, post: Any, connect_event: dict[str, Any], context: Any, dynamodb: Any
) -> None:
    token = signed(connect_event, context)
    assert len(token) == 40, "40 hexadecimal digits: 20 bytes of the header User-to-User"
    assert bytes.fromhex(token)
    assert post(token)["statusCode"] == 200
    assert items(dynamodb) == 1


def test_the_form_in_which_sip_carries_it_is_taken_too(
    secrets: Any, post: Any, connect_event: dict[str, Any], context: Any
) -> None:
    token = signed(connect_event, context)
    for shown in (token.upper(), f"{token};encoding=hex", f" {token} ; encoding=hex; purpose=isdn-uui"):
        assert post(shown)["statusCode"] == 200


def test_the_vendors_token_alone_writes_for_nobody(
    secrets: Any, post: Any, dynamodb: Any, error_of: ErrorOf
) -> None:
    assert error_of(post())[:2] == (401, "MISSING_CONTACT_TOKEN")
    assert error_of(post(""))[:2] == (401, "MISSING_CONTACT_TOKEN")
    assert items(dynamodb) == 0


def test_a_contacts_token_writes_for_no_other_contact(
    secrets: Any, post: Any, connect_event: dict[str, Any], context: Any, dynamodb: Any, error_of: ErrorOf
) -> None:
    token = signed(connect_event, context)
    assert error_of(post(token, contact=OTHER))[:2] == (403, "WRONG_CONTACT_TOKEN")
    assert items(dynamodb) == 0


def test_an_id_that_no_contact_has_costs_no_write_and_no_read_of_the_table(
    secrets: Any, post: Any, fake: Any, monkeypatch: pytest.MonkeyPatch, error_of: ErrorOf
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", fake.url)
    store._store.cache_clear()
    assert error_of(post("00" * 20, contact=OTHER))[0] == 403
    assert fake.seen == []


@pytest.mark.parametrize("shown", ["x", "00" * 20, "0" * 39, "0" * 41, "zz" * 20, "é", "\ud800", "0" * 9_000])
def test_what_was_not_signed_is_refused(
    secrets: Any, post: Any, dynamodb: Any, error_of: ErrorOf, shown: str
) -> None:
    assert error_of(post(shown))[:2] == (403, "WRONG_CONTACT_TOKEN")
    assert items(dynamodb) == 0


def test_two_tokens_in_one_request_are_refused(
    secrets: Any, post: Any, connect_event: dict[str, Any], context: Any, error_of: ErrorOf
) -> None:
    token = signed(connect_event, context)
    assert error_of(post(token, token))[0] == 403


def test_a_token_ends_when_its_time_is_over(
    secrets: Any, post: Any, connect_event: dict[str, Any], context: Any, clock: Clock, monkeypatch: Any
) -> None:
    monkeypatch.setenv("CONTACT_TOKEN_SECONDS", "600")
    token = signed(connect_event, context)
    clock.now += 599
    assert post(token)["statusCode"] == 200
    clock.now += 1
    assert post(token)["statusCode"] == 403


def test_a_later_expiry_cannot_be_written_into_a_token(secrets: Any) -> None:
    token = contact_token(KEY.encode(), CONTACT, expires_at=NOW)
    later = (NOW + 1).to_bytes(4, "big").hex() + token[8:]
    assert not is_valid(later, CONTACT, keys=keys(secrets), now=NOW)


def test_a_call_that_is_under_way_survives_one_rotation_and_a_leaked_key_no_two(secrets: Any) -> None:
    token = contact_token(KEY.encode(), CONTACT, expires_at=NOW * 2)
    secrets.put_secret_value(SecretId="contact-key", SecretString="the-second-key-of-the-tests")
    assert is_valid(token, CONTACT, keys=keys(secrets), now=NOW)
    secrets.put_secret_value(SecretId="contact-key", SecretString="the-third-key-of-the-tests")
    assert not is_valid(token, CONTACT, keys=keys(secrets), now=NOW)


@given(contact=st.uuids().map(str), other=st.uuids().map(str), flips=st.integers(0, 159))
def test_one_changed_bit_or_another_contact_breaks_the_signature(
    contact: str, other: str, flips: int
) -> None:
    class Known(RotatedSecret[bytes]):
        def __init__(self) -> None:
            self._reads = 0

        def any_version(self, fits: Callable[[bytes], bool]) -> bool:
            return fits(KEY.encode())

    token = contact_token(KEY.encode(), contact, expires_at=2**32 - 1)
    assert is_valid(token, contact, keys=Known(), now=NOW)
    changed = f"{int(token, 16) ^ (1 << flips):040x}"
    assert not is_valid(changed, contact, keys=Known(), now=NOW)
    assert is_valid(token, other, keys=Known(), now=NOW) == (other == contact)


@pytest.mark.parametrize("key", ["", "short", " " * 40])
def test_a_key_that_could_be_guessed_signs_nothing(key: str) -> None:
    with pytest.raises(UnfitSecretError, match="no key to sign with"):
        signing_key(key)


def test_a_flow_without_a_contact_takes_the_error_branch(secrets: Any, context: Any) -> None:
    with pytest.raises(InvalidContactIdError):
        sign.handler({"Details": {"Parameters": {"contactId": "x"}}}, context)


def test_an_unreadable_key_is_the_flows_error_branch_and_the_vendors_503(
    secrets: Any,
    post: Any,
    connect_event: dict[str, Any],
    context: Any,
    error_of: ErrorOf,
    fake: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", fake.url)
    fake.respond = lambda _: (500, {}, b'{"__type":"InternalServiceError"}')
    with pytest.raises(SecretUnavailableError):
        sign.handler(connect_event, context)
    answer = post(contact_token(KEY.encode(), CONTACT, expires_at=2**32 - 1))
    assert error_of(answer)[:2] == (503, "CONTACT_TOKEN_UNCHECKED")
    assert answer["headers"]["Retry-After"]


def test_a_silent_secrets_manager_costs_the_flow_three_seconds_at_most(
    secrets: Any, connect_event: dict[str, Any], context: Any, fake: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", fake.url)
    fake.respond = fake.silent
    began = time.monotonic()
    with pytest.raises(SecretUnavailableError):
        sign.handler(connect_event, context)
    assert time.monotonic() - began < 3.0
    assert len(fake.seen) <= 2


def test_neither_key_nor_token_is_logged(
    secrets: Any,
    post: Any,
    connect_event: dict[str, Any],
    context: Any,
    logs: Callable[[], str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    token = signed(connect_event, context)
    answers = [post(token), post(token, contact=OTHER), post()]
    everything = logs() + "".join(capsys.readouterr()) + json.dumps(answers)
    assert token not in everything
    assert "nobody-may-log" not in everything
