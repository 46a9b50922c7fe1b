"""Forget a caller on request: invoked by people and by systems, never by a flow or over HTTP.

    aws lambda invoke --function-name <EraseFunctionName> --payload '{"phoneNumber": "+12065550100"}' \
        --cli-binary-format raw-in-base64-out /dev/stdout

Environment: that of ``removal``. IAM: dynamodb:GetItem, PutItem and DeleteItem on the table; the secrets, or the
provider function. Answers ``{"erased": true}`` once neither table nor biometrics provider nor Twilio holds anything of
the caller, or false if none of them did. Raises if anything is left: the caller stays marked, nothing starts for them
any more, and this function and the daily sweep take it up again. RemovalUnderWayError means that a run's time was too
short for so much: invoke the function again until it answers.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from runtime.biometrics.limits import PHONE_NUMBER
from runtime.biometrics.removal import CallerRemoval, RemovalUnderWayError
from runtime.shared.clients import error_code
from runtime.shared.errors import BridgeError
from runtime.shared.initialization import built_at_init
from runtime.shared.logging import LOGGER, event_logger
from runtime.shared.metrics import count, metered


class InvalidRequestError(BridgeError):
    """The event does not say whom to forget."""


@metered()
@event_logger()
def handler(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Forget one caller."""
    number = event.get("phoneNumber") if isinstance(event, Mapping) else None
    if not isinstance(number, str) or not PHONE_NUMBER.fullmatch(number):
        count("EraseRequestInvalid")
        # The value is not quoted: it may be somebody's number, mistyped.
        raise InvalidRequestError('phoneNumber is missing or not E.164; send {"phoneNumber": "+12065550100"}')
    removal = _removal()
    tag = removal.tag.of(number)
    try:
        erased = removal.erase(number, lambda: context.get_remaining_time_in_millis() / 1000)
    except RemovalUnderWayError:
        LOGGER.info("caller not erased yet, the rest is for the next time", caller=tag)
        raise
    except Exception as error:
        LOGGER.warning("caller not erased", caller=tag, cause=error_code(error))
        count("CallerEraseFailed")
        raise
    LOGGER.info("caller erased", caller=tag, erased=erased)
    count("CallerErased")
    return {"erased": erased}


@built_at_init
def _removal() -> CallerRemoval:
    return CallerRemoval.read(os.environ)
