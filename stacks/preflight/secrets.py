"""Checks of secrets: is it there, and does it hold what the functions need? A value is never printed.

Source: the API reference of Secrets Manager. Storing a value over another one moves the old one to the stage
AWSPREVIOUS, so a stack's secret without that stage still holds what the deployment generated.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from botocore.exceptions import ClientError

from stacks.settings import Settings

from .findings import Aws, Check, Finding

_PLACEHOLDER = "put-yours-here"  # what VoiceBiometricGate puts into the secrets that it creates
_TOKEN = re.compile(r"[\x21-\x7e]+", re.ASCII)  # as runtime/chat/verification_token.py requires
_AWS_KEY = "alias/aws/secretsmanager"


def named(name: str, key: str, arn: str, fields: Sequence[str] = ()) -> Check:
    """Return the check of a secret that settings name.

    key: its key path in the settings. fields: the texts that its JSON object needs; without any the secret is a text.
    """

    def look(settings: Settings, aws: Aws) -> Finding:  # noqa: ARG001 (a check takes both)
        described = _described(aws, arn)
        if described is None:
            return Finding(
                name,
                f"{arn} does not exist",
                f"create it, or leave {key} out: then the deployment creates one to be filled",
            )
        if described.get("DeletedDate"):
            return Finding(
                name, f"{arn} is being deleted", f"aws secretsmanager restore-secret --secret-id {arn}"
            )
        finding = _content(name, arn, fields, aws)
        own_key = described.get("KmsKeyId")
        if finding.ok and own_key and not own_key.endswith(_AWS_KEY):
            return Finding(
                name,
                f"{finding.found}; encrypted with {own_key}",
                "let that key's policy allow kms:Decrypt to the functions of the stack, which grants it for keys of "
                "its own only",
                blocking=False,
            )
        return finding

    return Check(name, look)


def own(name: str, stack: str, output: str, fields: Sequence[str] = ()) -> Check:
    """Return the check of a secret that a stack creates and people fill; output: the one that has its ARN."""

    def look(settings: Settings, aws: Aws) -> Finding:
        arn = (aws.outputs(stack) or {}).get(output)
        if arn is None:
            return Finding(name, "comes with the deployment, to be filled afterwards")
        described = _described(aws, arn)
        if described is None:
            fix = f"npx cdk deploy {stack} -c env={settings.name} --revert-drift"
            return Finding(name, f"{arn} is gone", fix, blocking=False)
        if described.get("DeletedDate"):
            fix = f"aws secretsmanager restore-secret --secret-id {arn}"
            return Finding(name, f"{arn} is being deleted", fix, blocking=False)
        stages = described.get("VersionIdsToStages", {}).values()
        if not any("AWSPREVIOUS" in labels for labels in stages):
            return Finding(
                name, "still holds what the deployment generated", put(arn, fields), blocking=False
            )
        finding = _content(name, arn, fields, aws)
        return Finding(name, finding.found, finding.fix, blocking=False)

    return Check(name, look, blocking=False)


def put(arn: str, fields: Sequence[str]) -> str:
    """Return the command that stores a value without leaving it in the shell's history."""
    value = dict.fromkeys(fields, "…")
    form = json.dumps(value, ensure_ascii=False) if fields else "the token alone"
    return f"aws secretsmanager put-secret-value --secret-id {arn} --secret-string file://FILE, the file holding {form}"


def _described(aws: Aws, arn: str) -> Any | None:  # noqa: ANN401 (boto3's answer)
    try:
        return aws.client("secretsmanager").describe_secret(SecretId=arn)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        return None


def _content(name: str, arn: str, fields: Sequence[str], aws: Aws) -> Finding:
    needed = " and ".join(fields) or "a token"
    try:
        text = aws.client("secretsmanager").get_secret_value(SecretId=arn).get("SecretString") or ""
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code == "ResourceNotFoundException":
            return Finding(name, "has no value", put(arn, fields))
        if code != "AccessDeniedException":
            raise
        return Finding(name, f"exists; you may not read it, so whether it holds {needed} was not checked")
    if not fields:
        return Finding(name, "holds a token") if text.strip() else Finding(name, "is empty", put(arn, fields))
    document = _json(text)
    missing = [field for field in fields if not isinstance(document.get(field), str) or not document[field]]
    if missing:
        return Finding(name, f"does not hold {' and '.join(missing)}", put(arn, fields))
    if _PLACEHOLDER in document.values():
        return Finding(name, "still holds what the deployment generated", put(arn, fields))
    return Finding(name, f"holds {needed}")


def _json(text: str) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
