"""A JSON object that goes in at the API comes out in the flow, to the byte; whatever else does not crash."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from runtime.metadata import retrieve, store
from runtime.metadata.models import ATTRIBUTE_BODY_LIMIT, CONNECT_RESPONSE_LIMIT, answer_size
from runtime.shared.errors import BridgeError

CONTACT_ID = "9b2c7f3a-0d41-4c8e-9f57-3a1d5e6b7c80"

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=10**30, max_value=10**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=30
)
objects = st.dictionaries(st.text(), values)
texts = st.builds(
    lambda document, ascii_only, separators, indent: json.dumps(
        document, ensure_ascii=ascii_only, separators=separators, indent=indent
    ),
    objects,
    st.booleans(),
    st.sampled_from([None, (",", ":"), (" , ", " :\n")]),
    st.sampled_from([None, 0, 3]),
)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda x: st.lists(x) | st.dictionaries(st.text(), x),
)
DAMAGED = [
    "headers",
    "multiValueHeaders",
    "queryStringParameters",
    "multiValueQueryStringParameters",
    "requestContext",
    "isBase64Encoded",
    "body",
]
reuses_fixtures = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@reuses_fixtures
@given(text=texts)
def test_a_json_object_comes_back_byte_for_byte(
    dynamodb: Any, context: Any, store_event: Callable[..., dict[str, Any]], text: str
) -> None:
    assume(answer_size(text) < CONNECT_RESPONSE_LIMIT and len(text.encode()) <= ATTRIBUTE_BODY_LIMIT)
    assert store.handler(store_event(text), context)["statusCode"] == 200
    answer = retrieve.handler({"Details": {"Parameters": {"contactId": CONTACT_ID}}}, context)
    assert answer["body"].encode() == text.encode()
    assert all(isinstance(value, str) for value in answer.values())
    for escaped in (True, False):
        assert len(json.dumps(answer, ensure_ascii=escaped).encode()) < CONNECT_RESPONSE_LIMIT


@reuses_fixtures
@given(text=st.text() | st.text(alphabet='{}[]":,\\0aeE.- \t\n') | values.map(json.dumps))
def test_any_text_gets_an_answer_and_only_objects_are_stored(
    dynamodb: Any, context: Any, store_event: Callable[..., dict[str, Any]], text: str
) -> None:
    answer = store.handler(store_event(text), context)
    assert answer["statusCode"] in {200, 400, 413}
    if answer["statusCode"] == 200:
        assert isinstance(json.loads(text), dict)
    else:
        assert json.loads(answer["body"])["error"]["code"]


@reuses_fixtures
@given(event=anything)
def test_store_answers_json_to_any_event(dynamodb: Any, context: Any, event: Any) -> None:
    answer = store.handler(event, context)
    assert answer["statusCode"] in {400, 415, 500}
    assert json.loads(answer["body"])["error"]["requestId"]


@reuses_fixtures
@given(replaced=st.dictionaries(st.sampled_from(DAMAGED), anything, min_size=1))
def test_store_answers_json_to_any_damage_of_an_event(
    dynamodb: Any, context: Any, store_event: Callable[..., dict[str, Any]], replaced: dict[str, Any]
) -> None:
    answer = store.handler(store_event(**replaced), context)
    assert answer["statusCode"] in {200, 400, 413, 415, 500}
    assert json.loads(answer["body"])


@reuses_fixtures
@given(details=anything)
def test_retrieve_refuses_any_damaged_event_by_name(dynamodb: Any, context: Any, details: Any) -> None:
    with pytest.raises(BridgeError, match="contactId is"):
        retrieve.handler({"Details": details}, context)
