"""No secret, telephone number or one-time code of the deployed stacks appears in a log, and no secret in a transcript.

Transcripts are what a rehearsal shows to people: they name who calls, and the code that a flow is handed.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import permutations

import pytest
from connect_sandbox.rehearsal.values import Json

from rehearsals.scenarios import SCENARIOS, Deployment, play
from rehearsals.scenarios.voice import METADATA
from tests.rehearsals.played import Played

pytestmark = pytest.mark.sandbox

PUBLIC_FIELDS = {"accountSid"}
"""Fields of secrets that are not secret. Twilio's account SID names the account, as a user name does: it is in the
address of every recording and in every message from Twilio, and gives no access without the auth token."""
NUMBER = re.compile(r"\+(1206555\d{4})")
CODE = re.compile(r",,(\d{8})(?!\d)")


@pytest.fixture(scope="module")
def transcripts(deployment: Deployment, played: Played) -> str:
    """Let every scenario have been played; return what their transcripts hold, as JSON.

    One destroys examples/own_app with its logs, so its call is played again.
    """
    results = [played(name) for name in SCENARIOS]
    results.append(play(SCENARIOS["voice/module-in-own-flow"], deployment))
    assert [result.failure for result in results if result.outcome != "passed"] == []
    return json.dumps([result.to_json() for result in results], ensure_ascii=False)


def test_no_secret_stands_in_any_log_of_any_scenario(deployment: Deployment, transcripts: str) -> None:
    secrets, logged = _secrets(deployment), _logged(deployment)
    assert {"authToken", "apiKey", "apiToken"} <= {name.split()[-1] for name in secrets}
    assert len(secrets) >= 6, "the stacks should have secrets to look for"
    assert logged.count("chat streaming") >= 5, "the functions should have logged the chats"
    assert logged.count("message answered") >= 50, "the webhook should have logged its messages"
    assert found_in(logged, secrets) == set()


def test_no_secret_stands_in_any_transcript(deployment: Deployment, transcripts: str) -> None:
    assert found_in(transcripts, _secrets(deployment)) == set()


def test_no_telephone_number_stands_in_any_log(deployment: Deployment, transcripts: str) -> None:
    numbers = numbers_of(transcripts)
    assert len(numbers) >= 14, "the callers of the voice biometrics should be among them"
    assert shown_digits(_logged(deployment), numbers) == set()


def test_no_one_time_code_stands_in_any_log(deployment: Deployment, transcripts: str) -> None:
    codes = codes_of(transcripts)
    assert len(codes) >= 14, "the gate should have handed out codes"
    assert shown_digits(_logged(deployment), codes) == set()


def test_what_customers_say_stands_in_no_log_either(deployment: Deployment, transcripts: str) -> None:
    logged = _logged(deployment)
    said = [str(METADATA["x_metadata"]), "I want my money back", "Where is my order 4711?", "message 3"]
    assert [text for text in said if text in logged] == []
    assert "Where is my order 4711?" in transcripts


# --- what is looked for, and how


def texts_of(secret: str, name: str) -> dict[str, str]:
    """Return what must not be seen of a secret's value, by the secret's name and the field's.

    That is the value itself, or each text of a JSON object, and its fields in pairs as basic authentication sends them.
    """
    try:
        document = json.loads(secret)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        return {name: secret}
    fields = {field: text for field, text in _fields(document) if text}
    found = {
        f"{name} {field}": text
        for field, text in fields.items()
        if field.rpartition(".")[2] not in PUBLIC_FIELDS
    }
    for user, password in permutations(fields, 2):
        pair = f"{fields[user]}:{fields[password]}"
        found[f"{name} basic {user}:{password}"] = base64.b64encode(pair.encode()).decode()
    return found


def _fields(value: Json, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield each text in a JSON value with its path."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _fields(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _fields(inner, f"{path}.{index}")
    elif isinstance(value, str):
        yield path, value


def found_in(text: str, secrets: Mapping[str, str]) -> set[str]:
    """Return the names of the secrets that appear in a text."""
    return {name for name, secret in secrets.items() if secret in text}


def numbers_of(transcripts: str) -> set[str]:
    """Return the digits of the telephone numbers in transcripts; a log may show them without +, or with %2B."""
    return set(NUMBER.findall(transcripts))


def codes_of(transcripts: str) -> set[str]:
    """Return the one-time codes that the gate handed out: Digits begin with two pauses."""
    return set(CODE.findall(transcripts))


def shown_digits(text: str, digits: Iterable[str]) -> set[str]:
    """Return those digits that appear in a text by themselves: a part of a longer number or time is none of them."""
    return {one for one in digits if re.search(rf"(?<!\d){one}(?!\d)", text)}


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


def _secrets(deployment: Deployment) -> dict[str, str]:
    """Return what must not be seen of every version of every secret, by secret, version and field."""
    client = deployment.sandbox.boto3_client("secretsmanager")
    found: dict[str, str] = {}
    for secret in client.list_secrets()["SecretList"]:
        versions = client.list_secret_version_ids(SecretId=secret["ARN"])["Versions"]
        for version in versions:
            value = client.get_secret_value(SecretId=secret["ARN"], VersionId=version["VersionId"])
            found |= texts_of(value["SecretString"], f"{secret['Name']} {version['VersionId']}")
    return found


def _logged(deployment: Deployment) -> str:
    client = deployment.sandbox.boto3_client("logs")
    groups = [group["logGroupName"] for group in client.describe_log_groups()["logGroups"]]
    events = [event for name in groups for event in client.filter_log_events(logGroupName=name)["events"]]
    return "\n".join(event["message"] for event in events)
