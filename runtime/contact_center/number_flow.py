"""Custom::PhoneNumberFlow: which flow answers a telephone number, as a CloudFormation resource.

CloudFormation has no type for it. ResourceProperties: InstanceId, PhoneNumberId, ContactFlowId, each a UUID or an ARN
that ends in it; the UUID is sent, since Amazon Connect checks permissions against the id that is sent.
PhysicalResourceId: number-flow/INSTANCE/NUMBER, so that another flow changes in place and another number or instance is
another resource; not-associated/REQUEST until there is one, for which the Delete that follows a failed Create has
nothing to do.

The role of a new function is seconds old, and IAM spreads its policies over up to a minute. So a denied call is
repeated for about a minute, also on an update, which may have added the new flow to the policy.

IAM: connect:AssociatePhoneNumberContactFlow on number and flow, connect:DisassociatePhoneNumberContactFlow on the
number. The function's time limit should be 180 s.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from runtime.shared.clients import AwsClient, client, error_code, is_temporary
from runtime.shared.errors import BridgeError
from runtime.shared.logging import LOGGER, event_logger
from runtime.shared.service_models import connect
from runtime.voice.cloudformation import Request, Responder

NOT_ASSOCIATED = "not-associated/"
# A minute is what others found to be enough; evidence: iam-propagation
PERMISSION_PAUSES = (1.0, 2.0, 4.0, 8.0, 15.0, 15.0, 15.0)
"""Seconds between the attempts of a denied call."""
RESERVE_SECONDS = 40.0
"""Left for the last call and for the answer."""
_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_ARN = r"arn:aws[-a-z]*:connect:[-a-z0-9]+:[0-9]{12}:"
_IDS = {
    "InstanceId": re.compile(rf"(?:{_ARN}instance/)?({_UUID})"),
    "PhoneNumberId": re.compile(rf"(?:{_ARN}phone-number/)?({_UUID})"),
    "ContactFlowId": re.compile(rf"(?:{_ARN}instance/{_UUID}/contact-flow/)?({_UUID})"),
}
_DENIED = frozenset({"AccessDeniedException", "AccessDenied"})
_GONE = "ResourceNotFoundException"


class NumberFlowError(BridgeError):
    """The number cannot be given its flow; the message is for the stack's events.

    `perhaps`: it may have it all the same, since nobody knows what became of the call.
    """

    def __init__(self, message: str, *, perhaps: bool = False) -> None:
        super().__init__(message)
        self.perhaps = perhaps


@event_logger(correlation_id_path="RequestId")
def handler(event: Mapping[str, Any], context: LambdaContext) -> None:
    """Carry out the request and answer CloudFormation, whatever happens.

    Raises only if there is nobody to answer or the answer cannot be delivered; Lambda then repeats the event, which
    does no harm: both calls may be made twice.
    """
    request = Request.from_event(event)
    responder = Responder(request)
    physical_id = request.physical_id or f"{NOT_ASSOCIATED}{request.request_id}"
    try:
        made = _carry_out(request, lambda: context.get_remaining_time_in_millis() / 1000)
    except Exception as error:  # noqa: BLE001 (CloudFormation would wait an hour for an answer)
        LOGGER.exception("request failed", cause=error_code(error))
        perhaps = isinstance(error, NumberFlowError) and error.perhaps
        responder.fail(_physical_id(*_ids(request.properties)[:2]) if perhaps else physical_id, str(error))
        return
    responder.succeed(made or physical_id, {})


def _carry_out(request: Request, seconds_left: Callable[[], float]) -> str | None:
    """Do what is asked for; return the physical id of what there is now, None if there is nothing new."""
    if request.kind == "Delete":
        if request.physical_id.startswith("number-flow/"):
            _dissociate(request)
        return None
    instance, number, flow = _ids(request.properties)
    _permitted(
        lambda: _client().associate_phone_number_contact_flow(
            PhoneNumberId=number, InstanceId=instance, ContactFlowId=flow
        ),
        "connect AssociatePhoneNumberContactFlow",
        seconds_left,
    )
    return _physical_id(instance, number)


def _physical_id(instance: str, number: str) -> str:
    return f"number-flow/{instance}/{number}"


def _dissociate(request: Request) -> None:
    _, instance, number = request.physical_id.split("/")
    try:
        _client().disassociate_phone_number_contact_flow(PhoneNumberId=number, InstanceId=instance)
    except Exception as error:
        if error_code(error) == _GONE:
            LOGGER.info("nothing to delete: number or instance is gone", number=number)
            return
        raise NumberFlowError(f"connect DisassociatePhoneNumberContactFlow failed: {error}") from error


def _permitted(call: Callable[[], object], operation: str, seconds_left: Callable[[], float]) -> None:
    """Repeat a denied call: IAM may not have spread the permission yet."""
    pauses = list(PERMISSION_PAUSES)
    while True:
        try:
            call()
        except Exception as error:
            code = error_code(error)
            if code in _DENIED and pauses and seconds_left() - pauses[0] > RESERVE_SECONDS:
                LOGGER.info("denied; a new role's permissions take a moment", cause=code)
                time.sleep(pauses.pop(0))
                continue
            raise NumberFlowError(
                f"{operation} failed: {str(error).rstrip('.')}.{_hint(code)}", perhaps=is_temporary(error)
            ) from error
        else:
            return


def _hint(code: str) -> str:
    if code in _DENIED:
        return (
            " IAM denied it, also after a minute in which a new role's permissions take effect: a permissions boundary "
            "or a service control policy may forbid it."
        )
    if code == _GONE:
        return " The number, or the flow, is not of this instance, or is gone: see the instance's list of numbers."
    return ""


def _ids(properties: Mapping[str, Any]) -> tuple[str, str, str]:
    found = {name: shape.fullmatch(str(properties.get(name))) for name, shape in _IDS.items()}
    wrong = [
        f"{name} is {properties.get(name)!r}, which is not a UUID, nor the ARN of such a thing"
        for name, match in found.items()
        if match is None
    ]
    if wrong:
        raise NumberFlowError(f"{'; '.join(wrong)}.")
    instance, number, flow = (match[1] for match in found.values() if match)
    return instance, number, flow


def _client() -> AwsClient:
    return client(connect, connect_timeout=3, read_timeout=5, attempts=3)
