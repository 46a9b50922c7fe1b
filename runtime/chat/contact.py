"""What a flow says about the chat: the part of the event that the bridge needs.

Source: Amazon Connect administrator guide, "Invoke AWS Lambda functions". Amazon Connect sends null or nothing for
what a contact does not have, so nothing but the contact id and the instance's ARN is relied upon.
"""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from typing import Literal

from runtime.shared.contact_flow import contact_flow_event
from runtime.shared.errors import BridgeError, shown

_UUID_TEXT = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_UUID = re.compile(_UUID_TEXT, re.IGNORECASE | re.ASCII)
_INSTANCE_ARN = re.compile(
    rf"arn:aws[a-z-]*:connect:[a-z0-9-]+:[0-9]{{12}}:instance/({_UUID_TEXT})", re.IGNORECASE | re.ASCII
)
_STREAMING_ID = re.compile(r"[A-Za-z0-9_-]{1,100}", re.ASCII)
_ATTEMPT = re.compile(r"[A-Za-z0-9_-]{1,50}", re.ASCII)
_TOKEN_NAMESPACE = uuid.UUID("8a4d3b8e-6a5b-5d63-9d0e-2f5f4f1c7a10")  # ours alone, never to change


class InvalidEventError(BridgeError):
    """The function was not invoked by a flow, or its block's parameters are wrong."""


@dataclass(frozen=True, slots=True)
class ChatContact:
    """The contact that runs the flow.

    ``contact_id`` is this contact's; ``initial_contact_id`` that of the first one in its chain, which is what the
    streaming API takes. They differ after a transfer.
    """

    contact_id: str
    initial_contact_id: str
    instance_id: str
    channel: str

    def client_token(self, topic_arn: str, attempt: str) -> str:
        """Return the idempotency token of StartContactStreaming: the same one for the same request.

        Amazon Connect invokes a function again when it could not be reached; the second request then is the first
        one again. A flow that deliberately tries once more says so with the parameter `attempt`.
        """
        # evidence: flow-function-retries, streaming-client-token
        return str(
            uuid.uuid5(_TOKEN_NAMESPACE, f"{self.initial_contact_id}/{self.contact_id}/{topic_arn}/{attempt}")
        )


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """What is asked for. ``streaming_id`` is given for stop only, ``vendor_check`` for check only."""

    action: Literal["start", "stop", "check"]
    contact: ChatContact
    attempt: str = "1"
    streaming_id: str = ""
    vendor_check: bool = False


def parse_request(event: object) -> ChatRequest:
    """Read the event of a Lambda block; raise InvalidEventError naming what is missing or wrong.

    The block's parameters, all optional: action (start, stop; check for a dry run), streamingId (for stop), attempt
    (for start), vendorCheck (for check: true).
    """
    flow = contact_flow_event(event)
    data, parameters = flow.contact_data, flow.parameters
    channel = data.get("Channel")
    contact = ChatContact(
        contact_id=_contact_id("ContactId", data.get("ContactId")),
        initial_contact_id=_contact_id(
            "InitialContactId", data.get("InitialContactId") or data.get("ContactId")
        ),
        instance_id=_instance_id(data.get("InstanceARN")),
        channel=channel if isinstance(channel, str) else "",
    )
    action = parameters.get("action") or "start"
    if action == "start":
        attempt = parameters.get("attempt") or "1"
        return ChatRequest("start", contact, attempt=_matching("attempt", attempt, _ATTEMPT))
    if action == "stop":
        streaming_id = _matching("streamingId", parameters.get("streamingId"), _STREAMING_ID)
        return ChatRequest("stop", contact, streaming_id=streaming_id)
    if action == "check":
        return ChatRequest("check", contact, vendor_check=parameters.get("vendorCheck") == "true")
    raise InvalidEventError(
        f"the block's parameter action is {shown(action)}; write start or stop, or leave it out for start"
    )


def _contact_id(name: str, value: object) -> str:
    if not isinstance(value, str) or _UUID.fullmatch(value) is None:
        raise InvalidEventError(
            f"Details.ContactData.{name} is {shown(value)}; it must be a contact's UUID. This function is for the "
            "Lambda block of an Amazon Connect flow; to try it by hand, send an event of that shape"
        )
    return value.lower()


def _instance_id(value: object) -> str:
    matched = _INSTANCE_ARN.fullmatch(value) if isinstance(value, str) else None
    if matched is None:
        raise InvalidEventError(
            f"Details.ContactData.InstanceARN is {shown(value)}; it must be the ARN of an Amazon Connect instance"
        )
    return matched[1].lower()


def _matching(name: str, value: object, shape: re.Pattern[str]) -> str:
    if not isinstance(value, str) or shape.fullmatch(value) is None:
        raise InvalidEventError(
            f"the block's parameter {name} is {shown(value)}; it must consist of letters, digits, - and _"
        )
    return value
