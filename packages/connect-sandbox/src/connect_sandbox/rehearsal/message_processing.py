"""A chat's custom message processor: a function that sees each message before anybody else does.

Source: administrator guide, "Enable in-flight sensitive data redaction and message processing" (event, answer, what
happens to a message that is not processed). Messages sent before UpdateContactMediaProcessing stay as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from uuid import uuid4

from connect_sandbox.rehearsal.errors import LambdaInvocationError
from connect_sandbox.rehearsal.transcript import shown
from connect_sandbox.rehearsal.values import Json

if TYPE_CHECKING:
    from connect_sandbox.rehearsal.stage import Stage

LONGEST = 180.0
"""Seconds; Amazon Connect honours the function's own time limit up to that."""

Role = Literal["CUSTOMER", "SYSTEM", "CUSTOM_BOT"]


@dataclass(frozen=True)
class Processor:
    """The function's ARN, and whether a message is delivered as it was if processing fails."""

    function_arn: str
    delivers_unprocessed: bool


class _FailedError(Exception):
    """The function gave no valid answer."""


def processed(stage: Stage, text: str, role: Role) -> str | None:
    """Return what the others see of a message; None if nothing. The text itself where no processor is at work."""
    processor = stage.state.message_processor
    if processor is None or stage.state.channel != "CHAT":
        return text
    name = processor.function_arn.split(":function:", 1)[-1]
    try:
        answer = stage.ports.functions.invoke(
            processor.function_arn, _event(stage, text, role), time_limit=LONGEST
        )
        stage.clock.passes(answer.seconds)
        result = _result(text, answer.payload)
    except (LambdaInvocationError, _FailedError) as failure:
        kept = processor.delivers_unprocessed
        stage.note(
            f"{name} does not process the message ({failure}), which is {'' if kept else 'not '}delivered"
        )
        return text if kept else None
    stage.note(
        f"{name} rejects “{text}”" if result is None else f"{name} makes “{text}” into “{result}”",
        who="lambda",
        kind="invokes",
        function=processor.function_arn,
    )
    return result


def _event(stage: Stage, text: str, role: Role) -> Mapping[str, Json]:
    state = stage.state
    return {
        "version": "1.0",
        "instanceId": state.instance_arn.rsplit("/", 1)[-1],
        "associatedResourceArn": f"{state.instance_arn}/contact/{state.contact_id}",
        "chatContent": {
            "absoluteTime": stage.clock.now.isoformat(),
            "content": text,
            "contentType": "text/plain",
            "id": str(uuid4()),
            "participantId": str(uuid4()),
            "displayName": role.title(),
            "participantRole": role,
            "initialContactId": state.initial_contact_id,
            "contactId": state.contact_id,
        },
    }


def _result(text: str, answer: Json) -> str | None:
    status = answer.get("status") if isinstance(answer, Mapping) else None
    match status:
        case "APPROVED":
            return text
        case "REJECTED":
            return None
        case "PROCESSED":
            content = answer
            for key in ("result", "processedChatContent", "content"):
                content = content.get(key) if isinstance(content, Mapping) else None
            if isinstance(content, str):
                return content
    raise _FailedError(f"it answered {shown(answer, 60)}")
