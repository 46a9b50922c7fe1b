"""What the deployed functions and APIs have logged, and what of it must not be there."""

from __future__ import annotations

import base64
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import permutations

from connect_sandbox.cloud import Sandbox
from connect_sandbox.rehearsal.values import Json

PUBLIC_FIELDS = {"accountSid"}
"""Fields of secrets that are not secret. Twilio's account SID names the account, as a user name does: it is in the
address of every recording and in every message from Twilio, and gives no access without the auth token."""
NUMBER = re.compile(r"\+(1206555\d{4})")
CODE = re.compile(r",,(\d{8})(?!\d)")


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
    return set(digits) & set(re.findall(r"\d+", text))


def secrets_of(sandbox: Sandbox) -> dict[str, str]:
    """Return what must not be seen of every version of every secret, by secret, version and field."""
    client = sandbox.boto3_client("secretsmanager")
    found: dict[str, str] = {}
    for secret in client.list_secrets()["SecretList"]:
        versions = client.list_secret_version_ids(SecretId=secret["ARN"])["Versions"]
        for version in versions:
            value = client.get_secret_value(SecretId=secret["ARN"], VersionId=version["VersionId"])
            found |= texts_of(value["SecretString"], f"{secret['Name']} {version['VersionId']}")
    return found


def logged(sandbox: Sandbox, *, since: float = 0.0) -> str:
    """Return every line of every log group from this Unix time on."""
    client = sandbox.boto3_client("logs")
    lines: list[str] = []
    for group in client.describe_log_groups()["logGroups"]:
        for page in client.get_paginator("filter_log_events").paginate(
            logGroupName=group["logGroupName"], startTime=int(since * 1000)
        ):
            lines += [event["message"] for event in page["events"]]
    return "\n".join(lines)


def audited(lines: str, secrets: Mapping[str, str], digits: Iterable[str]) -> Counter[str]:
    """Count what must not be in these lines: tracebacks, secrets, numbers and codes; and the lines themselves."""
    return Counter(
        lines=lines.count("\n") + 1 if lines else 0,
        tracebacks=lines.count("Traceback (most recent call last)"),
        secrets=len(found_in(lines, secrets)),
        digits=len(shown_digits(lines, digits)),
    )
