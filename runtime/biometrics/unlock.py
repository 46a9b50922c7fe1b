"""Unlock a number whose caller somebody knows by other means: an agent, or a second factor.

    aws lambda invoke --function-name <UnlockFunctionName> --payload '{"phoneNumber": "+12065550100"}' \
        --cli-binary-format raw-in-base64-out /dev/stdout

A flow may invoke it, too, once the caller has shown a second factor: then the number is the contact's own, taken from
what Amazon Connect says of it. Answers ``{"unlocked": "true"}``, or ``"false"`` if no failed try was counted. Failed
tries are forgotten, and nothing else: nobody is verified by it, and the voice print stays.

Environment: TABLE_NAME, KEY_ATTRIBUTE, CALLER_KEY_SECRET_ARN. IAM: dynamodb:GetItem and PutItem on the table,
secretsmanager:GetSecretValue on the key of caller tags. Raises InvalidRequestError if no number is named, and what the
table raises; a flow takes the block's error branch then.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from runtime.biometrics import machine
from runtime.biometrics.caller_tag import CallerTag
from runtime.biometrics.limits import PHONE_NUMBER
from runtime.biometrics.table import (
    Callers,
    CallersSettings,
    DynamoDbCallers,
    client_while_a_call_waits,
)
from runtime.shared.contact_flow import contact_flow_event
from runtime.shared.environment import Environment
from runtime.shared.errors import BridgeError
from runtime.shared.initialization import built_at_init
from runtime.shared.logging import LOGGER, event_logger
from runtime.shared.metrics import count, metered
from runtime.shared.rotated_secret import secret_at

ANEW_SECONDS = 2.4
"""After which nobody decides anew, because somebody else wrote first: a flow waits 8 s at most."""


class InvalidRequestError(BridgeError):
    """The event does not say whom to unlock."""


@metered()
@event_logger()
def handler(event: Mapping[str, Any], context: LambdaContext) -> dict[str, str]:  # noqa: ARG001 (Lambda's signature)
    """Unlock one number."""
    number = _number(event)
    if not isinstance(number, str) or not PHONE_NUMBER.fullmatch(number):
        count("UnlockRequestInvalid")
        # The value is not quoted: it may be somebody's number, mistyped.
        raise InvalidRequestError('phoneNumber is missing or not E.164; send {"phoneNumber": "+12065550100"}')
    unlocker = _unlocker()
    unlocked = unlocker.callers.change(number, machine.unlock, patience=ANEW_SECONDS)
    LOGGER.info("caller unlocked", caller=unlocker.tag.of(number), unlocked=unlocked)
    count("CallerUnlocked")
    return {"unlocked": "true" if unlocked else "false"}


def _number(event: object) -> object:
    if not isinstance(event, Mapping):
        return None
    if "Details" not in event:
        return event.get("phoneNumber")
    endpoint = contact_flow_event(event).contact_data.customer_endpoint
    return endpoint.get("Address") if endpoint else None


@dataclass(frozen=True, slots=True)
class _Unlocker:
    callers: Callers
    tag: CallerTag


@built_at_init
def _unlocker() -> _Unlocker:
    environment = Environment(os.environ)
    table = CallersSettings.read(environment)
    key = environment.secret_arn("CALLER_KEY_SECRET_ARN")
    environment.check()
    return _Unlocker(
        DynamoDbCallers(client_while_a_call_waits(), table), CallerTag(secret_at(key, str, attempts=1))
    )
