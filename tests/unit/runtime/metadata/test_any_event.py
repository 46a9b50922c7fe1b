"""Any event: the metadata functions answer in their documented form or raise what they document; nothing is logged."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.metadata import authorize, retrieve, sign, store
from runtime.metadata.authorize import InvalidMethodArnError, UnauthorizedError
from runtime.metadata.models import InvalidContactIdError
from tests.support.events import ANYTHING, ODD, damaged, fuzzed
from tests.unit.runtime.metadata.conftest import CONNECT_EVENT

SECRET = "a-secret-of-the-tests-nobody-may-log"
CONTACT = "9b2c7f3a-0d41-4c8e-9f57-3a1d5e6b7c80"
METHOD_ARN = "arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/prod/POST/metadata"
TOKEN_EVENT = {"type": "TOKEN", "authorizationToken": SECRET, "methodArn": METHOD_ARN}
POSTED: dict[str, Any] = {
    "httpMethod": "POST",
    "headers": {"content-type": "application/json", "contactToken": SECRET, "authorizationToken": SECRET},
    "multiValueHeaders": {"content-type": ["application/json"], "contactToken": [SECRET]},
    "queryStringParameters": {"contactId": CONTACT},
    "multiValueQueryStringParameters": {"contactId": [CONTACT]},
    "requestContext": {"requestId": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"},
    "body": json.dumps({"said": SECRET}),
    "isBase64Encoded": False,
}
# What may be logged of an event is its correlation id: API Gateway's request, Amazon Connect's contact.
STATUSES = {200, 400, 401, 403, 413, 415, 500, 503}


@pytest.fixture
def secrets(dynamodb: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Secrets Manager with a token and a key, which the functions are told of."""
    found = boto3.client("secretsmanager")
    for variable, name in (("TOKEN_SECRET_ARN", "token"), ("CONTACT_KEY_ARN", "contact-key")):
        monkeypatch.setenv(variable, found.create_secret(Name=name, SecretString=SECRET)["ARN"])
    return found


@fuzzed
@given(event=ANYTHING | damaged(TOKEN_EVENT))
def test_the_authorizer_answers_a_policy_or_raises_what_it_documents(
    secrets: Any, context: Any, logs: Callable[[], str], event: Any
) -> None:
    try:
        answer = authorize.handler(event, context)
    except (UnauthorizedError, InvalidMethodArnError):
        return
    [statement] = answer["policyDocument"]["Statement"]
    shown = event["authorizationToken"]
    assert statement["Effect"] == ("Allow" if shown == SECRET else "Deny"), shown
    assert SECRET not in logs()


@fuzzed
@given(token=st.text() | ODD | st.sampled_from([SECRET + "\n", " " + SECRET, SECRET.upper(), SECRET[:-1]]))
def test_no_text_but_the_token_is_let_in(secrets: Any, context: Any, token: str) -> None:
    try:
        answer = authorize.handler(TOKEN_EVENT | {"authorizationToken": token}, context)
    except UnauthorizedError:
        assert not token
        return
    assert answer["policyDocument"]["Statement"][0]["Effect"] == "Deny"


@fuzzed
@given(event=ANYTHING | damaged(POSTED, keep=("requestContext",)))
def test_store_answers_json_of_a_documented_status_and_logs_nothing_of_the_event(
    secrets: Any, context: Any, logs: Callable[[], str], event: Any
) -> None:
    answer = store.handler(event, context)
    assert answer["statusCode"] in STATUSES - {503}
    assert answer["headers"]["Content-Type"] == "application/json"
    if answer["statusCode"] != 200:
        error = json.loads(answer["body"])["error"]
        assert set(error) == {"code", "message", "requestId"}
        assert SECRET not in answer["body"]
    assert SECRET not in logs()


@fuzzed
@given(event=damaged(POSTED | {"isBase64Encoded": False}, keep=("requestContext", "contactToken")))
def test_store_without_a_contacts_own_token_is_as_strict(
    dynamodb: Any, context: Any, logs: Callable[[], str], event: Any
) -> None:
    answer = store.handler(event, context)
    assert answer["statusCode"] in STATUSES - {401, 403, 503}
    assert SECRET not in logs()


@fuzzed
@given(event=ANYTHING | damaged(CONNECT_EVENT))
def test_retrieve_and_sign_answer_strings_or_refuse_the_contact(
    secrets: Any, context: Any, logs: Callable[[], str], event: Any
) -> None:
    for function in (retrieve, sign):
        try:
            answer = function.handler(event, context)
        except InvalidContactIdError:
            continue
        assert answer
        assert all(isinstance(value, str) and value for value in answer.values())
    assert SECRET not in logs()
