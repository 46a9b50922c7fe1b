"""Any event: the functions of the voice biometrics answer as documented or raise what they document.

And no telephone number, secret or code of an event gets into a log or into an error's text.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.biometrics import erase, gate, retention, unlock, webhook
from runtime.biometrics.machine import Branch
from tests.support.events import ANYTHING, ODD, damaged, fuzzed

NUMBER = "+12065550142"
FLOW_EVENT: dict[str, Any] = {
    "Name": "ContactFlowEvent",
    "Details": {
        "ContactData": {
            "Attributes": {"number": NUMBER},
            "ContactId": "9b2c7f3a-0d41-4c8e-9f57-3a1d5e6b7c80",
            "CustomerEndpoint": {"Address": NUMBER, "Type": "TELEPHONE_NUMBER"},
        },
        "Parameters": {"phase": "start", "number": NUMBER},
    },
}
ANSWERED = {
    "Branch", "Transfer", "Digits", "Reason", "biometricResult", "biometricConfidence", "biometricProvider",
    "biometricTime",
}  # fmt: skip
NEARLY_NUMBERS = st.sampled_from(
    [
        NUMBER,
        NUMBER[1:],
        f"{NUMBER}1234567",
        f"tel:{NUMBER}",
        f" {NUMBER}",
        f"{NUMBER}\n",
        "+1206555014\u0662",
    ]
)
POSTED = {
    "httpMethod": "POST",
    "headers": {"X-Twilio-Signature": "c2lnbmF0dXJlIHRoYXQgbm9ib2R5IG1heSBsb2c="},
    "multiValueHeaders": {"x-twilio-signature": ["c2lnbmF0dXJlIHRoYXQgbm9ib2R5IG1heSBsb2c="]},
    "requestContext": {
        "path": "/prod/voice",
        "domainName": "x.example.com",
        "stage": "prod",
        "requestId": "r",
    },
    "pathParameters": {"step": "verify", "turn": "1"},
    "body": urlencode({"From": NUMBER, "RecordingSid": "RE" + "a" * 32, "Digits": "11223344"}),
    "isBase64Encoded": False,
}


def leaks(logged: str) -> set[str]:
    return {one for one in (NUMBER[1:], "11223344", "nobody-may-log", "c2lnbmF0dXJl") if one in logged}


@fuzzed
@given(event=ANYTHING | damaged(FLOW_EVENT, keep=("ContactId",)))
def test_the_gate_answers_in_flat_strings_whatever_it_is_asked(
    functions: Any, context: Any, logs: Callable[[], str], event: Any
) -> None:
    answer = gate.handler(event, context)
    assert set(answer) == ANSWERED
    assert all(isinstance(value, str) and value for value in answer.values())
    assert answer["Branch"] in set(Branch)
    assert (answer["Transfer"] == "true") == (answer["Digits"] != "none")
    assert leaks(logs()) == set()


@fuzzed
@given(event=ANYTHING | damaged(POSTED))
def test_the_webhook_refuses_in_twiml_whatever_it_is_sent(
    functions: Any, context: Any, logs: Callable[[], str], event: Any
) -> None:
    answer = webhook.handler(event, context)
    assert answer["statusCode"] in {200, 403}
    assert answer["headers"]["Content-Type"] == "text/xml; charset=utf-8"
    twiml = ET.fromstring(answer["body"])  # noqa: S314 (our own answer)
    assert {one.tag for one in twiml} <= {"Say", "Hangup", "Reject"}, "nothing but words and an end"
    assert leaks(logs()) == set()
    assert functions.voiceit.seen == functions.twilio.seen == []


FIELDS = st.sampled_from(["From", "CallSid", "CallStatus", "Digits", "RecordingSid", "Caller", "\u0661", ""])
STEPS = st.sampled_from(["", "code", "consent", "enrol", "verify", "status", "code/../status", "x"])


@fuzzed
@given(
    step=STEPS,
    turn=st.integers(-1, 10**21),
    form=st.dictionaries(FIELDS, NEARLY_NUMBERS | ODD | st.text(max_size=20)),
)
def test_the_webhook_answers_a_signed_form_in_twiml_whatever_it_says(
    functions: Any, logs: Callable[[], str], step: str, turn: int, form: dict[str, str]
) -> None:
    form = {name: value.replace("\ud800", "\ufffd") for name, value in form.items()}
    status, _ = functions.deliver(functions.event(step, turn, **form))
    assert status in {200, 403, 409}
    assert leaks(logs()) == set()
    assert "Traceback" not in logs()


@fuzzed
@given(event=ANYTHING | st.builds(lambda number: {"phoneNumber": number}, NEARLY_NUMBERS | ODD | ANYTHING))
def test_erase_and_unlock_take_a_number_or_refuse_without_quoting_it(
    functions: Any, context: Any, logs: Callable[[], str], event: Any
) -> None:
    refused = ""
    for function, answers in (
        (erase, [{"erased": True}, {"erased": False}]),
        (unlock, [{"unlocked": "false"}]),
    ):
        try:
            assert function.handler(event, context) in answers
        except function.InvalidRequestError as error:
            refused += str(error)
    assert leaks(logs() + refused) == set()


@fuzzed
@given(event=damaged(FLOW_EVENT, keep=("ContactId",)))
def test_unlock_takes_the_number_of_a_flow_or_refuses(
    functions: Any, context: Any, logs: Callable[[], str], event: Any
) -> None:
    refused = ""
    try:
        assert unlock.handler(event, context) == {"unlocked": "false"}
    except unlock.InvalidRequestError as error:
        refused = str(error)
    assert leaks(logs() + refused) == set()


@pytest.mark.parametrize("event", [None, [], {}, "x", {"detail": NUMBER}])
def test_the_sweep_looks_at_no_event(
    functions: Any, context: Any, logs: Callable[[], str], event: Any
) -> None:
    assert retention.handler(event, context) == {"done": 0}
    assert leaks(logs()) == set()
