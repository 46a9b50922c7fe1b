"""Called by a flow before the transfer: sign the contact id, so that the external voice system may write for it.

Environment: CONTACT_KEY_ARN, CONTACT_TOKEN_SECONDS (3600).
IAM: secretsmanager:GetSecretValue on the secret (plus kms:Decrypt on a customer-managed key).
Source: Amazon Connect administrator guide, "Invoke AWS Lambda functions"; RFC 7433 for what carries the token.

Answers ``{"contactToken": "<40 hexadecimal digits>"}``, to be read as $.External.contactToken. Any failure raises,
within about 3 s, so that the block takes its Error branch: the call goes out without a token, and its metadata is
refused. The secret is read at most every 5 minutes.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from runtime.metadata import limits
from runtime.metadata.contact_token import contact_token, signing_key
from runtime.metadata.flow_contact import contact_of
from runtime.shared.clients import error_code
from runtime.shared.environment import Environment
from runtime.shared.initialization import built_at_init
from runtime.shared.logging import LOGGER, event_logger
from runtime.shared.metrics import count, metered
from runtime.shared.rotated_secret import RotatedSecret, secret_at


@metered()
@event_logger(correlation_id_path="Details.ContactData.ContactId")
def handler(event: Mapping[str, Any], context: LambdaContext) -> dict[str, str]:  # noqa: ARG001 (Lambda's signature)
    """Answer the flow, or raise so that it takes its Error branch."""
    try:
        signer = _signer()
        key, *_ = signer.keys.versions()
        expires_at = int(time.time()) + signer.seconds
        token = contact_token(key, contact_of(event), expires_at=expires_at)
    except Exception as error:
        LOGGER.warning("contact not signed", cause=error_code(error))
        count("ContactTokenFailed")
        raise
    LOGGER.info("contact signed", expires_at=expires_at)
    count("ContactTokenSigned")
    return {"contactToken": token}


@dataclass(frozen=True, slots=True)
class _Signer:
    keys: RotatedSecret[bytes]
    seconds: int


@built_at_init
def _signer() -> _Signer:
    environment = Environment(os.environ)
    secret_arn = environment.secret_arn("CONTACT_KEY_ARN")
    seconds = environment.whole_number(
        "CONTACT_TOKEN_SECONDS",
        default=limits.CONTACT_TOKEN_SECONDS,
        within=limits.CONTACT_TOKEN_SECONDS_RANGE,
    )
    environment.check()
    # Two versions at most are read, once each: 2 x (0.5 s + 1 s) = 3 s, less than the block's limit.
    return _Signer(secret_at(secret_arn, signing_key, attempts=1), seconds)
