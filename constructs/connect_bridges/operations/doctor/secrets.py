"""Checks of secrets: are they there, and do they hold what the functions need? No value is ever printed.

Source: the API reference of Secrets Manager. Storing a value over another one moves the old one to the stage
AWSPREVIOUS, so a secret without that stage still holds what the deployment generated.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from connect_bridges.operations.doctor.aws import Refused, Region
from connect_bridges.operations.doctor.findings import About, Finding
from connect_bridges.operations.doctor.subjects import Subject

PLACEHOLDER = "put-yours-here"  # what VoiceBiometricGate puts into the secrets that it creates
_AWS_KEY = "alias/aws/secretsmanager"


def secret(
    about: About, *, subject: Subject, where: Region, name: str, fact: Mapping[str, Any]
) -> Iterator[Finding]:
    """Look at a secret that a construct reads. fact: a SecretFact of shared/description.py; name: its key there."""
    arn = fact.get("arn")
    if not isinstance(arn, str):
        yield about.skipped(f"{name}: comes with the deployment")
        return
    described = _described(where, arn)
    if described is None:
        yield _gone(about, subject, name, arn, fact)
        return
    place = f"--region {where.name} --secret-id {arn}"
    if described.get("DeletedDate"):
        yield about.failure(
            f"{name}: {arn} is being deleted", "restore it", f"aws secretsmanager restore-secret {place}"
        )
        return
    key = described.get("KmsKeyId")
    if key and not key.endswith(_AWS_KEY):
        yield _key(About("secret-key", about.subject), where, name, key)
    stages = described.get("VersionIdsToStages", {}).values()
    if fact.get("filledBy") == "people" and not any("AWSPREVIOUS" in labels for labels in stages):
        yield _fill(about, f"{name}: still holds what the deployment generated", place, fact)
        return
    yield _content(about, where, name, arn, fact)


def _gone(about: About, subject: Subject, name: str, arn: str, fact: Mapping[str, Any]) -> Finding:
    if fact.get("filledBy") == "owner":
        return about.failure(
            f"{name}: {arn} does not exist",
            "create it, correct the ARN, or leave it out: then the deployment creates one",
        )
    return about.failure(
        f"{name}: {arn} is gone, deleted by hand?",
        "deploy it again",
        f"npx cdk deploy {subject.name} --revert-drift",
    )


def _key(about: About, where: Region, name: str, key: str) -> Finding:
    """Look at the key of a secret's own."""
    try:
        found = where.ask("kms", "describe_key", KeyId=key)["KeyMetadata"]
    except Refused as refusal:
        if not refusal.missing:
            raise
        return about.failure(
            f"{name}: its key {key} does not exist",
            "nobody can read the secret any more: store its value in a new one",
        )
    if found["KeyState"] == "Enabled":
        return about.ok(f"{name}: {found['Arn']} is enabled")
    if found["KeyState"] == "PendingDeletion":
        commands = [f"aws kms cancel-key-deletion --region {where.name} --key-id {found['KeyId']}"]
    else:
        commands = []
    return about.failure(
        f"{name}: its key {found['Arn']} is {found['KeyState']}: nobody can read the secret",
        "enable the key",
        *commands,
        f"aws kms enable-key --region {where.name} --key-id {found['KeyId']}",
    )


def _content(about: About, where: Region, name: str, arn: str, fact: Mapping[str, Any]) -> Finding:
    place = f"--region {where.name} --secret-id {arn}"
    fields: Sequence[str] = fact.get("fields") or ()
    needed = " and ".join(fields) or "a text"
    try:
        text = where.ask("secretsmanager", "get_secret_value", SecretId=arn).get("SecretString") or ""
    except Refused as refusal:
        if refusal.missing:
            return _fill(about, f"{name}: has no value", place, fact)
        if not refusal.denied:
            raise
        return about.skipped(
            f"{name}: is there; whether it holds {needed} was not looked at, for want of {refusal.action}"
        )
    if not fields:
        return (
            about.ok(f"{name}: holds a text")
            if text.strip()
            else _fill(about, f"{name}: is empty", place, fact)
        )
    document = _json(text)
    missing = [field for field in fields if not isinstance(document.get(field), str) or not document[field]]
    if missing:
        return _fill(about, f"{name}: does not hold {' and '.join(missing)}", place, fact)
    if PLACEHOLDER in document.values():
        return _fill(about, f"{name}: still holds what the deployment generated", place, fact)
    return about.ok(f"{name}: holds {needed}")


def _fill(about: About, found: str, place: str, fact: Mapping[str, Any]) -> Finding:
    """Return the command that stores a value without leaving it in the shell's history."""
    fields: Sequence[str] = fact.get("fields") or ()
    form = json.dumps(dict.fromkeys(fields, "…"), ensure_ascii=False) if fields else "the text alone"
    return about.failure(
        found,
        f"store the value; the file secret.txt holds {form}",
        f"aws secretsmanager put-secret-value {place} --secret-string file://secret.txt",
    )


def _described(where: Region, arn: str) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = where.ask("secretsmanager", "describe_secret", SecretId=arn)
    except Refused as refusal:
        if not refusal.missing:
            raise
        return None
    return found


def _json(text: str) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
