from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest

from runtime.metadata import authorize
from runtime.metadata.authorize import InvalidMethodArnError, handler
from runtime.shared.rotated_secret import SecretUnavailableError

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


@pytest.mark.parametrize("answer", [(500, "InternalServiceError"), (400, "AccessDeniedException")])
def test_an_unreadable_secret_is_a_failure_of_ours_not_a_refusal(
    fake: Any, monkeypatch: pytest.MonkeyPatch, context: Any, answer: tuple[int, str]
) -> None:
    arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:token-AbCdEf"
    monkeypatch.setenv("TOKEN_SECRET_ARN", arn)
    monkeypatch.setenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", fake.url)
    fake.respond = lambda _: (answer[0], {}, json.dumps({"__type": answer[1]}).encode())
    with pytest.raises(SecretUnavailableError, match="token-AbCdEf"):
        handler(event(), context)
    fake.respond = lambda seen: (
        (200, {}, json.dumps({"SecretString": TOKEN}).encode())
        if seen.json()["VersionStage"] == "AWSCURRENT"
        else (400, {}, b'{"__type":"ResourceNotFoundException"}')
    )
    assert effect_of(handler(event(), context))[0] == "Allow"


def test_a_secret_without_text_is_a_failure_of_ours(secrets_manager: Any, context: Any) -> None:
    for _ in range(2):  # the one before would serve
        secrets_manager.put_secret_value(SecretId="metadata-token", SecretBinary=b"x")
    with pytest.raises(SecretUnavailableError):
        handler(event("x"), context)


@pytest.mark.parametrize("around", ["{}\n", "{}\r\n", " {}\t"])
def test_a_token_stored_with_a_line_end_is_accepted_without_it(
    secrets_manager: Any, context: Any, around: str
) -> None:
    secrets_manager.put_secret_value(SecretId="metadata-token", SecretString=around.format("from-a-file"))
    assert effect_of(handler(event("from-a-file"), context))[0] == "Allow"


@pytest.mark.parametrize("token", [" ", "\n", "two\nlines", "bell\x07"])
def test_a_token_that_no_header_can_carry_is_a_failure_of_ours_that_the_log_explains(
    secrets_manager: Any, context: Any, token: str, logs: Callable[[], str]
) -> None:
    for _ in range(2):
        secrets_manager.put_secret_value(SecretId="metadata-token", SecretString=token)
    with pytest.raises(SecretUnavailableError, match="no HTTP header carries"):
        handler(event(token), context)
    assert "no HTTP header carries" in logs()


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
