"""Dynamic references: `{{resolve:ssm:NAME}}` and `{{resolve:secretsmanager:SECRET:SecretString:KEY}}`.

CloudFormation replaces them when it has evaluated a property's intrinsic functions (user guide, "Get values stored in
other services using dynamic references").
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from connect_sandbox.cloud.errors import AwsError, NotEmulatedError

_REFERENCE = re.compile(r"\{\{resolve:([a-z-]+):([^}]*)\}\}")
_ARN_PARTS = 7


class DynamicReferences:
    """Reads what they name, by boto3 clients."""

    def __init__(self, client: Callable[[str], Any]) -> None:
        """`client` takes a service's name."""
        self._client = client

    def resolve(self, text: str) -> str:
        """Return the text with every reference replaced; AwsError if one leads nowhere."""
        return _REFERENCE.sub(lambda found: self._read(found[0], found[1], found[2]), text)

    def _read(self, reference: str, service: str, named: str) -> str:
        try:
            if service == "ssm":
                return str(self._client("ssm").get_parameter(Name=named)["Parameter"]["Value"])
            if service == "secretsmanager":
                return self._secret(reference, named)
        except ClientError as error:
            problem = error.response["Error"]
            raise AwsError(problem["Code"], f"{problem['Message']} ({reference})") from error
        raise NotEmulatedError(
            f"the dynamic reference {reference}", "the sandbox resolves ssm and secretsmanager"
        )

    def _secret(self, reference: str, named: str) -> str:
        parts = named.split(":")
        length = _ARN_PARTS if named.startswith("arn:") else 1
        secret = ":".join(parts[:length])
        what, key, stage, version = [*parts[length:], "", "", "", ""][:4]
        if what not in {"", "SecretString"}:
            raise AwsError("ValidationError", f"{reference}: only SecretString can be read, not {what}")
        wanted = {"VersionStage": stage, "VersionId": version}
        given = {name: value for name, value in wanted.items() if value}
        text = str(self._client("secretsmanager").get_secret_value(SecretId=secret, **given)["SecretString"])
        if not key:
            return text
        try:
            return str(json.loads(text)[key])
        except (ValueError, KeyError, TypeError) as error:
            missing = f"Could not find a value associated with JSONKey {key} in SecretString ({reference})"
            raise AwsError("ValidationError", missing) from error
