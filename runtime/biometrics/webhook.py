"""POST /voice and /voice/{step}/{turn}: the telephony provider tells of a call and asks what to do with it.

Environment: TABLE_NAME, KEY_ATTRIBUTE, TELEPHONY_SECRET_ARN (JSON with accountSid and authToken),
CALLER_KEY_SECRET_ARN, TWILIO_API_URL, WEBHOOK_PATH (voice), PUBLIC_URL (only behind a proxy), RECORDING_TRANSFER
(fetch or url), DELETE_RECORDINGS (true), RECORD_SECONDS (5), REDIAL_NUMBER (REDIAL only), and those of ``policy``,
``prompts`` and ``providers``.
IAM: dynamodb:GetItem and PutItem on the table; secretsmanager:GetSecretValue on the three secrets, or
lambda:InvokeFunction on the provider function.
Source: VoiceIt and Twilio's demo guide (docs/guides.md#biometrics-2-6); Twilio's documentation, "Webhooks security"
and "TwiML".

========  ==========================================================================================
status    when
========  ==========================================================================================
200       TwiML: the next step, or the last words, also if provider, table or secrets do not answer
403       the signature does not fit: nothing was read or written
409       step consent, enrol or verify: a message that was answered already, or belongs to another call;
          nothing was changed
========  ==========================================================================================

Every answer is valid TwiML; Twilio speaks it with status 200 only, so whatever a caller has to hear has that status.
Twilio waits 15 s; a recording is fetched in 2.5 s and judged in ``PROVIDER_SECONDS``, and deleted only if less than
11 s have passed.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aws_lambda_powertools.logging.correlation_paths import API_GATEWAY_REST
from aws_lambda_powertools.utilities.data_classes.api_gateway_proxy_event import (
    APIGatewayProxyEvent,
)
from aws_lambda_powertools.utilities.typing import LambdaContext

from runtime.biometrics import limits
from runtime.biometrics.caller_tag import CallerTag
from runtime.biometrics.dialogue import CallMessage, Dialogue
from runtime.biometrics.machine import Move, Next
from runtime.biometrics.policy import Policy, ReturnMode
from runtime.biometrics.prompts import Speech
from runtime.biometrics.providers.selection import provider_from
from runtime.biometrics.recordings import CREDENTIALS, TwilioRecordings
from runtime.biometrics.signature import ForgedError, base_url, verified_form
from runtime.biometrics.table import (
    CallersSettings,
    DynamoDbCallers,
    client_while_a_call_waits,
)
from runtime.biometrics.twiml import Voice, nothing_but_hang_up
from runtime.shared.clients import error_code
from runtime.shared.environment import Environment
from runtime.shared.initialization import built_at_init
from runtime.shared.logging import LOGGER, event_logger
from runtime.shared.metrics import count, metered
from runtime.shared.rotated_secret import RotatedSecret, secret_at

_COUNTED = {
    Next.PASSED: "DialoguePassed",
    Next.FAILED: "DialogueFailed",
    Next.UNAVAILABLE: "ProviderUnavailable",
    Next.NOT_EXPECTED: "CallNotExpected",
    Next.OUT_OF_TURN: "WebhookReplayed",
}


@metered()
@event_logger(correlation_id_path=API_GATEWAY_REST)
def handler(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001 (Lambda's signature)
    """Answer the telephony provider in TwiML; never raises."""
    try:
        webhook = _webhook()
        form = verified_form(event, secret=webhook.secret, public_url=webhook.public_url, path=webhook.path)
    except ForgedError as error:
        LOGGER.warning("message refused", reason=str(error))
        count("WebhookForged")
        return _answer(403, nothing_but_hang_up())
    except Exception as error:  # noqa: BLE001 (the answer must be TwiML; the log gets the cause)
        LOGGER.exception("message not checked", cause=error_code(error), recording=_recording_named_in(event))
        count("WebhookFailed")
        return _answer(200, nothing_but_hang_up(say=_SORRY))
    step = event.get("pathParameters") or {}
    message = CallMessage.of(str(step.get("step") or ""), str(step.get("turn") or "0"), form)
    move = _move(webhook, message)
    LOGGER.info(
        "message answered",
        caller=webhook.tag.of(message.number) if message.number else "none",
        call=message.call_sid,
        step=message.step or "arrive",
        turn=message.turn,
        next=move.next.value,
    )
    # evidence: twilio-plays-200-only
    status = 409 if move.next is Next.OUT_OF_TURN and message.step != "status" else 200
    return _answer(status, webhook.voice(event).write(move))


_SORRY = "We cannot check your voice at the moment. Goodbye."


def _move(webhook: _Webhook, message: CallMessage) -> Move:
    try:
        move = webhook.dialogue.answer(message)
    except Exception as error:  # noqa: BLE001 (the caller must hear something; the log gets the cause)
        LOGGER.exception(
            "message not answered", cause=error_code(error), recording=message.recording or "none"
        )
        count("WebhookFailed")
        return Move(next=Next.UNAVAILABLE)
    if message.step != "status":
        count(_COUNTED.get(move.next, "DialogueContinued"))
    else:
        count("CallEnded")
    if move.refused:
        count("VoiceRefused")
    if move.locked:
        count("CallerLocked")
    if move.locked_long:
        count("CallerLockedLong")
    if move.guessed:
        count("CodeGuessed")
    return move


def _recording_named_in(event: object) -> str:
    """Return the recording of a message that could not be checked, so that a person may look for it."""
    body = event.get("body") if isinstance(event, Mapping) else None
    found = re.search(r"(?:^|&)RecordingSid=(RE[0-9a-f]{32})(?:&|$)", str(body or ""), re.ASCII)
    return found[1] if found else "none"


def _answer(status: int, twiml: str) -> dict[str, Any]:
    return {
        "statusCode": status,
        "headers": {"Content-Type": "text/xml; charset=utf-8", "Cache-Control": "no-store"},
        "body": twiml,
        "isBase64Encoded": False,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Webhook:
    dialogue: Dialogue
    secret: RotatedSecret[dict[str, str]]
    tag: CallerTag
    public_url: str
    path: str
    redial_number: str
    record_seconds: int

    def voice(self, event: Mapping[str, Any]) -> Voice:
        return Voice(
            speech=self.dialogue.speech,
            base_url=base_url(APIGatewayProxyEvent(dict(event)), self.public_url, self.path),
            enrolments_needed=self.dialogue.policy.enrolments_needed,
            record_seconds=self.record_seconds,
            redial_number=self.redial_number,
        )


@built_at_init
def _webhook() -> _Webhook:
    environment = Environment(os.environ)
    table = CallersSettings.read(environment)
    policy = Policy.read(environment)
    secret = secret_at(environment.secret_arn("TELEPHONY_SECRET_ARN"), CREDENTIALS)
    key = environment.secret_arn("CALLER_KEY_SECRET_ARN")
    recordings = TwilioRecordings.read(environment, secret)
    speech = Speech.read(environment)
    path = environment.text(
        "WEBHOOK_PATH", default="voice", pattern=r"[A-Za-z0-9._~-]+(/[A-Za-z0-9._~-]+)*", form="a path"
    )
    public_url = os.environ.get("PUBLIC_URL", "")
    if public_url:
        environment.api_url("PUBLIC_URL")
    redial_number = ""
    if policy.return_mode is ReturnMode.REDIAL:
        redial_number = environment.text(
            "REDIAL_NUMBER", pattern=limits.PHONE_NUMBER.pattern, form="an E.164 number"
        )
    transfer = environment.text(
        "RECORDING_TRANSFER",
        default="fetch",
        pattern="|".join(limits.RECORDING_TRANSFERS),
        form="fetch or url",
    )
    delete = environment.text("DELETE_RECORDINGS", default="true", pattern="true|false", form="true or false")
    record_seconds = environment.whole_number(
        "RECORD_SECONDS",
        default=limits.RECORD_SECONDS,
        within=limits.RECORD_SECONDS_RANGE,
    )
    provider = provider_from(environment)
    return _Webhook(
        dialogue=Dialogue(
            callers=DynamoDbCallers(client_while_a_call_waits(), table),
            provider=provider,
            recordings=recordings,
            speech=speech,
            policy=policy,
            clock=time.time,
            fetch=transfer == "fetch",
            delete=delete == "true",
        ),
        secret=secret,
        tag=CallerTag(secret_at(key, str)),
        public_url=public_url,
        path=path,
        redial_number=redial_number,
        record_seconds=record_seconds,
    )
