"""No secret, telephone number or one-time code of the deployed stacks appears in a log, and no secret in a transcript.

Transcripts are what a rehearsal shows to people: they name who calls, and the code that a flow is handed.
"""

from __future__ import annotations

import base64
import json

import pytest

from rehearsals.report import scenario_json
from rehearsals.scenarios import SCENARIOS, Deployment, play
from rehearsals.scenarios.voice import METADATA
from tests.rehearsals.played import Played
from tests.support.logs import (
    codes_of,
    found_in,
    logged,
    numbers_of,
    secrets_of,
    shown_digits,
    texts_of,
)

pytestmark = pytest.mark.sandbox


@pytest.fixture(scope="module")
def transcripts(deployment: Deployment, played: Played) -> str:
    """Let every scenario have been played; return what their transcripts hold, as JSON.

    One destroys examples/own_app with its logs, so its call is played again.
    """
    results = [played(name) for name in SCENARIOS]
    results.append(play(SCENARIOS["voice/module-in-own-flow"], deployment))
    assert [result.failure for result in results if result.outcome != "passed"] == []
    return json.dumps([scenario_json(result.told, {}) for result in results], ensure_ascii=False)


def test_no_secret_stands_in_any_log_of_any_scenario(deployment: Deployment, transcripts: str) -> None:
    secrets, lines = secrets_of(deployment.sandbox), logged(deployment.sandbox)
    assert {"authToken", "apiKey", "apiToken"} <= {name.split()[-1] for name in secrets}
    assert len(secrets) >= 6, "the stacks should have secrets to look for"
    assert lines.count("chat streaming") >= 5, "the functions should have logged the chats"
    assert lines.count("message answered") >= 50, "the webhook should have logged its messages"
    assert found_in(lines, secrets) == set()


def test_no_secret_stands_in_any_transcript(deployment: Deployment, transcripts: str) -> None:
    assert found_in(transcripts, secrets_of(deployment.sandbox)) == set()


VENDORS_NUMBER = "12065550100"
"""The DID of cdk.json, under which the vendor is called: a setting, and no caller's number."""


def test_no_telephone_number_stands_in_any_log(deployment: Deployment, transcripts: str) -> None:
    numbers = numbers_of(transcripts)
    assert len(numbers) >= 14, "the callers of the voice biometrics should be among them"
    assert shown_digits(logged(deployment.sandbox), numbers - {VENDORS_NUMBER}) == set()


def test_no_one_time_code_stands_in_any_log(deployment: Deployment, transcripts: str) -> None:
    codes = codes_of(transcripts)
    assert len(codes) >= 14, "the gate should have handed out codes"
    assert shown_digits(logged(deployment.sandbox), codes) == set()


def test_what_customers_say_stands_in_no_log_either(deployment: Deployment, transcripts: str) -> None:
    lines = logged(deployment.sandbox)
    said = [str(METADATA["x_metadata"]), "I want my money back", "Where is my order 4711?", "message 3"]
    assert [text for text in said if text in lines] == []
    assert "Where is my order 4711?" in transcripts


# --- how it is looked for

TWILIO = json.dumps({"accountSid": "AC0123", "authToken": "5ec2e7", "more": {"old": ["0lder"], "none": ""}})
BASIC = base64.b64encode(b"AC0123:5ec2e7").decode()


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ('{"message": "fetching", "token": "5ec2e7"}', {"twilio authToken"}),
        ("retry with 0lder", {"twilio more.old.0"}),
        (f"Authorization: Basic {BASIC}", {"twilio basic accountSid:authToken"}),
        ("GET /2010-04-01/Accounts/AC0123/Recordings/RE1.wav", set()),
        ('{"message": "message answered", "caller": "a1b2c3"}', set()),
    ],
)
def test_a_line_that_shows_a_field_of_a_secret_is_found(line: str, found: set[str]) -> None:
    assert found_in(f"before\n{line}\nafter", texts_of(TWILIO, "twilio")) == found


@pytest.mark.parametrize("secret", ["plainToken", "4711", '["not an object"]'])
def test_a_secret_that_is_no_json_object_is_looked_for_as_a_whole(secret: str) -> None:
    assert found_in(f"x-token: {secret}", texts_of(secret, "token")) == {"token"}


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("called by +12065550101", {"12065550101"}),
        ("From=%2B12065550101&To=", {"12065550101"}),
        ("From=12065550101&Digits=00421234", {"12065550101", "00421234"}),
        ('{"Digits": ",,00421234"}', {"00421234"}),
        ('{"timestamp": 1700421234, "at": "2026-11-21T10:55:59"}', set()),
    ],
)
def test_a_line_that_shows_a_number_or_a_code_is_found(line: str, shown: set[str]) -> None:
    assert shown_digits(line, {"12065550101", "00421234"}) == shown


def test_numbers_and_codes_are_taken_from_what_a_rehearsal_shows() -> None:
    told = json.dumps(
        [
            {"kind": "dials", "text": "dials +12065550188, from +12065550101, for at most 30 s"},
            {"kind": "invokes", "data": {"answer": {"Branch": "verify", "Digits": ",,00421234"}}},
            {"kind": "invokes", "data": {"answer": {"Branch": "verified", "Digits": "none"}}},
        ]
    )
    assert numbers_of(told) == {"12065550188", "12065550101"}
    assert codes_of(told) == {"00421234"}
