from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.metadata import authorize, secret
from runtime.metadata.authorize import handler
from runtime.metadata.logic.authorize import InvalidMethodArnError
from runtime.metadata.secret import (
    RECHECK_SECONDS,
    STALE_SECONDS,
    AcceptedTokens,
    TokenUnavailableError,
)

METHOD_ARN = "arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/prod/POST/kore-metadata"
TOKEN = "kZ3-current-token-nobody-may-log"


def event(token: object = TOKEN, method_arn: str = METHOD_ARN) -> dict[str, Any]:
    return {"type": "TOKEN", "authorizationToken": token, "methodArn": method_arn}


@pytest.fixture
def secrets_manager(aws: None, monkeypatch: pytest.MonkeyPatch) -> Any:
    client = boto3.client("secretsmanager")
    arn = client.create_secret(Name="metadata-token", SecretString=TOKEN)["ARN"]
    monkeypatch.setenv("TOKEN_SECRET_ARN", arn)
    return client


def effect_of(answer: dict[str, Any]) -> tuple[str, list[str]]:
    (statement,) = answer["policyDocument"]["Statement"]
    assert statement["Action"] == "execute-api:Invoke"
    return statement["Effect"], statement["Resource"]


def test_the_token_opens_every_method_of_this_stage_of_this_api_and_nothing_else(
    secrets_manager: Any, context: Any
) -> None:
    answer = handler(event(), context)
    assert answer["principalId"]
    assert TOKEN not in json.dumps(answer)
    assert effect_of(answer) == ("Allow", ["arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/prod/*/*"])


@pytest.mark.parametrize("partition", ["aws-cn", "aws-us-gov"])
def test_other_partitions_keep_their_name(secrets_manager: Any, context: Any, partition: str) -> None:
    _, resources = effect_of(
        handler(event(method_arn=METHOD_ARN.replace("arn:aws:", f"arn:{partition}:")), context)
    )
    assert resources == [f"arn:{partition}:execute-api:us-east-1:123456789012:a1b2c3d4e5/prod/*/*"]


@pytest.mark.parametrize("token", [TOKEN + " ", TOKEN[:-1], TOKEN.upper(), "*", "é", "\ud800", "x" * 10_000])
def test_a_wrong_token_is_denied(secrets_manager: Any, context: Any, token: str) -> None:
    answer = handler(event(token), context)
    assert answer["principalId"]
    assert effect_of(answer)[0] == "Deny"


@pytest.mark.parametrize("token", ["", None, 1, ["x"]])
def test_no_token_is_unauthorized(secrets_manager: Any, context: Any, token: object) -> None:
    with pytest.raises(Exception, match=r"\AUnauthorized\Z"):
        handler(event(token), context)


def test_no_header_at_all_is_unauthorized(secrets_manager: Any, context: Any) -> None:
    with pytest.raises(Exception, match=r"\AUnauthorized\Z"):
        handler({"type": "TOKEN", "methodArn": METHOD_ARN}, context)


@pytest.mark.parametrize("arn", ["", "*", "arn:aws:execute-api:us-east-1:123456789012:*/prod/POST/x", None])
def test_no_policy_is_made_for_something_that_is_no_rest_api(
    secrets_manager: Any, context: Any, arn: Any
) -> None:
    with pytest.raises(InvalidMethodArnError, match="methodArn"):
        handler(event(method_arn=arn), context)


@given(token=st.text(min_size=1))
def test_no_text_but_the_token_is_accepted(token: str) -> None:
    tokens = AcceptedTokens(_Secret(TOKEN), "arn", 300, lambda: 0.0)
    assert tokens.accepts(token) is (token == TOKEN)


def test_rotation_drops_no_request(secrets_manager: Any, context: Any) -> None:
    assert effect_of(handler(event(), context))[0] == "Allow"
    secrets_manager.put_secret_value(SecretId="metadata-token", SecretString="second-token")
    authorize._tokens.cache_clear()
    assert effect_of(handler(event(TOKEN), context))[0] == "Allow"
    assert effect_of(handler(event("second-token"), context))[0] == "Allow"
    secrets_manager.put_secret_value(SecretId="metadata-token", SecretString="third-token")
    authorize._tokens.cache_clear()
    assert effect_of(handler(event(TOKEN), context))[0] == "Deny"
    assert effect_of(handler(event("second-token"), context))[0] == "Allow"


class _Secret:
    """Secrets Manager's client as AcceptedTokens uses it, with a switch to break it and a count of calls."""

    class exceptions:  # noqa: N801 (boto3's name)
        class ResourceNotFoundException(Exception):  # noqa: N818 (boto3's name)
            pass

    def __init__(self, current: str, previous: str | None = None) -> None:
        self.versions = {"AWSCURRENT": current, "AWSPREVIOUS": previous}
        self.calls = 0
        self.broken = False

    def get_secret_value(self, *, SecretId: str, VersionStage: str) -> dict[str, str]:  # noqa: N803
        assert SecretId == "arn"
        self.calls += 1
        if self.broken:
            raise ConnectionError("no route")
        value = self.versions[VersionStage]
        if value is None:
            raise self.exceptions.ResourceNotFoundException
        return {"SecretString": value}


class _Clock:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> _Clock:
    return _Clock()


def test_the_secret_is_read_once_in_the_cache_time(clock: _Clock) -> None:
    stored = _Secret("a")
    tokens = AcceptedTokens(stored, "arn", 300, clock)
    for _ in range(10):
        assert tokens.accepts("a")
        clock.now += 29
    assert stored.calls == 2
    clock.now += 29
    assert tokens.accepts("a")
    assert stored.calls == 4


def test_a_cache_time_of_zero_reads_every_time(clock: _Clock) -> None:
    stored = _Secret("a")
    tokens = AcceptedTokens(stored, "arn", 0, clock)
    assert tokens.accepts("a")
    assert tokens.accepts("a")
    assert stored.calls == 4


def test_a_token_rotated_in_a_moment_ago_is_accepted_within_the_cache_time(clock: _Clock) -> None:
    stored = _Secret("a")
    tokens = AcceptedTokens(stored, "arn", 300, clock)
    assert tokens.accepts("a")
    stored.versions = {"AWSCURRENT": "b", "AWSPREVIOUS": "a"}
    clock.now += RECHECK_SECONDS
    assert tokens.accepts("b")
    assert tokens.accepts("a")


def test_guessing_tokens_does_not_hammer_secrets_manager(clock: _Clock) -> None:
    stored = _Secret("a")
    tokens = AcceptedTokens(stored, "arn", 300, clock)
    for guess in range(1000):
        assert not tokens.accepts(f"guess {guess}")
        clock.now += 0.02
    assert stored.calls <= 2 * (1 + 20 / RECHECK_SECONDS)


def test_known_tokens_stay_accepted_for_a_while_when_secrets_manager_cannot_be_read(clock: _Clock) -> None:
    stored = _Secret("a")
    tokens = AcceptedTokens(stored, "arn", 300, clock)
    assert tokens.accepts("a")
    stored.broken = True
    clock.now += 300 + STALE_SECONDS - 1
    assert tokens.accepts("a")
    assert not tokens.accepts("b")
    clock.now += RECHECK_SECONDS
    with pytest.raises(TokenUnavailableError, match="arn"):
        tokens.accepts("a")
    stored.broken = False
    assert tokens.accepts("a")


def test_an_outage_is_not_made_worse_by_asking_at_every_request(clock: _Clock) -> None:
    stored = _Secret("a")
    tokens = AcceptedTokens(stored, "arn", 300, clock)
    assert tokens.accepts("a")
    stored.broken = True
    clock.now += 301
    for _ in range(100):
        assert tokens.accepts("a")
    assert stored.calls == 3


def test_a_clock_set_back_reads_the_secret_anew(clock: _Clock) -> None:
    stored = _Secret("a")
    tokens = AcceptedTokens(stored, "arn", 300, clock)
    assert tokens.accepts("a")
    clock.now -= 1000
    assert tokens.accepts("a")
    assert stored.calls == 4


@pytest.mark.parametrize(("token", "accepted"), [("a", True), ("b", True), ("c", False)])
def test_both_versions_are_always_compared_in_constant_time(
    clock: _Clock, monkeypatch: pytest.MonkeyPatch, token: str, accepted: bool
) -> None:
    compared: list[tuple[bytes, bytes]] = []
    genuine = hmac.compare_digest

    def spy(left: bytes, right: bytes) -> bool:
        compared.append((left, right))
        return genuine(left, right)

    monkeypatch.setattr(secret.hmac, "compare_digest", spy)
    assert AcceptedTokens(_Secret("a", "b"), "arn", 300, clock).accepts(token) is accepted
    shown = hashlib.sha256(token.encode()).digest()
    expected = [(shown, hashlib.sha256(known.encode()).digest()) for known in ("a", "b")]
    assert compared == expected


def test_without_a_previous_version_both_comparisons_still_run(
    clock: _Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[bytes] = []
    monkeypatch.setattr(secret.hmac, "compare_digest", lambda _, right: bool(compared.append(right)))
    AcceptedTokens(_Secret("a"), "arn", 300, clock).accepts("x")
    assert [len(digest) for digest in compared] == [32, 32]


@pytest.mark.parametrize("answer", [(500, "InternalServiceError"), (400, "AccessDeniedException")])
def test_an_unreadable_secret_is_a_failure_of_ours_not_a_refusal(
    stand_in: Any, monkeypatch: pytest.MonkeyPatch, context: Any, answer: tuple[int, str]
) -> None:
    arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:token-AbCdEf"
    monkeypatch.setenv("TOKEN_SECRET_ARN", arn)
    monkeypatch.setenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", stand_in.url)
    stand_in.respond = lambda _: (answer[0], {}, json.dumps({"__type": answer[1]}).encode())
    with pytest.raises(TokenUnavailableError, match="token-AbCdEf"):
        handler(event(), context)
    stand_in.respond = lambda seen: (
        (200, {}, json.dumps({"SecretString": TOKEN}).encode())
        if seen.json()["VersionStage"] == "AWSCURRENT"
        else (400, {}, b'{"__type":"ResourceNotFoundException"}')
    )
    assert effect_of(handler(event(), context))[0] == "Allow"


def test_a_secret_without_text_is_a_failure_of_ours(secrets_manager: Any, context: Any) -> None:
    secrets_manager.put_secret_value(SecretId="metadata-token", SecretBinary=b"x")
    with pytest.raises(TokenUnavailableError):
        handler(event("x"), context)


@pytest.mark.parametrize("token", [TOKEN, "wrong-token-nobody-may-log"])
def test_the_token_is_never_logged(
    secrets_manager: Any,
    context: Any,
    logs: Callable[[], str],
    capsys: pytest.CaptureFixture[str],
    token: str,
) -> None:
    handler(event(token), context)
    with pytest.raises(InvalidMethodArnError):
        handler(event(token, method_arn="x"), context)
    everything = logs() + "".join(capsys.readouterr())
    assert "function-under-test" in everything
    assert "nobody-may-log" not in everything
