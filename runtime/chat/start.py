"""Invoked by a flow's Lambda block: stream the chat to an external bot and tell the bot, or stop the streaming.

Environment: TOPIC_ARN, WEBHOOK_URL, TOKEN_SECRET_ARN, TOKEN_HEADER (Verification-Token), CACHE_SECONDS (300),
DEADLINE_MILLISECONDS (6500).
IAM: connect:StartContactStreaming and connect:StopContactStreaming on the instance, secretsmanager:GetSecretValue on
the secret (plus kms:Decrypt on its customer-managed key).
Source: Kore's guide to chat (docs/guides.md#chat-1-2-4); Amazon Connect administrator guide, "Enable real-time chat
message streaming".

The block's parameters, all optional: ``action`` (start, stop), ``attempt`` (any word; a flow that tries a second time
after a failure names another one), ``streamingId`` (for stop). No flow uses the action check, the dry run of
``connect-bridges smoke``, with ``vendorCheck`` (true): see ``check.dry_run`` for what it answers.

============================================================  =======================================================
answer (strings only, for STRING_MAP and JSON)                when
============================================================  =======================================================
``{"streaming": "started", "reason": "none", "streamingId"}``  the vendor has answered 2xx
``{"streaming": "stopped", "reason": "none"}``                 stop, also of what was stopped before
``{"streaming": "failed", "reason": …}``                       see ``failures.Reason``; nothing is streamed any more
============================================================  =======================================================

Errors of AWS and of the webhook become an answer, since the flow can act on their reason. What an operator has to
mend, an event that is not a flow's and a wrong environment, raises, and so does what nobody foresaw: the block then
takes its Error branch, and the function's error metric counts it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

from aws_lambda_powertools.utilities.typing import LambdaContext

from runtime.chat import bot, check, limits
from runtime.chat.contact import ChatRequest, parse_request
from runtime.chat.failures import BotNotReachedError
from runtime.chat.streaming import CONNECT_TIMEOUT, READ_TIMEOUT, ContactStreaming
from runtime.chat.vendor_webhook import InvalidWebhookError, VendorWebhook
from runtime.chat.verification_token import VerificationToken, header_safe
from runtime.shared.clients import client, error_code
from runtime.shared.deadline import Deadline
from runtime.shared.environment import Environment
from runtime.shared.initialization import built_at_init
from runtime.shared.logging import LOGGER, event_logger
from runtime.shared.metrics import count, metered
from runtime.shared.rotated_secret import secret_at
from runtime.shared.service_models import connect

_SECONDS_TO_ANSWER = 0.3
"""Kept back from Lambda's own time limit, so that the answer is out before it strikes."""


class _Bridge(NamedTuple):
    streaming: ContactStreaming
    webhook: VendorWebhook
    token: VerificationToken
    seconds: float


@metered()
@event_logger(correlation_id_path="Details.ContactData.ContactId")
def handler(event: Mapping[str, Any], context: LambdaContext) -> dict[str, str]:
    """Answer the flow in time, or raise so that it takes its Error branch."""
    started = time.monotonic()
    try:
        answer, outcome = _answer(parse_request(event), _bridge(), context)
    except Exception as error:
        LOGGER.exception("chat not streamed", cause=error_code(error))
        count("ChatStreamingFailed")
        raise
    LOGGER.info(
        "chat streaming",
        outcome=answer["streaming"],
        reason=answer["reason"],
        milliseconds=round((time.monotonic() - started) * 1000),
    )
    count(outcome)
    return answer


def _answer(request: ChatRequest, bridge: _Bridge, context: LambdaContext) -> tuple[dict[str, str], str]:
    left = context.get_remaining_time_in_millis() / 1000 - _SECONDS_TO_ANSWER
    deadline = Deadline(min(bridge.seconds, left))
    try:
        if request.action == "stop":
            bridge.streaming.stop(request.contact, request.streaming_id, deadline)
            return {"streaming": "stopped", "reason": "none"}, "ChatStreamingStopped"
        if request.action == "check":
            found = check.dry_run(
                request,
                streaming=bridge.streaming,
                webhook=bridge.webhook,
                token=bridge.token,
                deadline=deadline,
            )
            return found, "ChatStreamingChecked"
        streaming_id = bot.start(
            request,
            streaming=bridge.streaming,
            webhook=bridge.webhook,
            token=bridge.token,
            deadline=deadline,
        )
    except BotNotReachedError as error:
        LOGGER.warning(
            f"chat streaming: {request.action} failed", reason=error.reason.value, detail=str(error)
        )
        outcome = "ChatStreamingNotStopped" if request.action == "stop" else "ChatStreamingFailed"
        return {"streaming": "failed", "reason": error.reason.value}, outcome
    # evidence: flow-function-answer
    return {"streaming": "started", "reason": "none", "streamingId": streaming_id}, "ChatStreamingStarted"


@built_at_init
def _bridge() -> _Bridge:
    environment = Environment(os.environ)
    topic_arn = environment.text(
        "TOPIC_ARN",
        pattern=r"arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256}",
        form="the ARN of a standard SNS topic",
    )
    secret_arn = environment.secret_arn("TOKEN_SECRET_ARN")
    header = environment.text(
        "TOKEN_HEADER",
        default=limits.TOKEN_HEADER,
        pattern=limits.TOKEN_HEADER_NAME.pattern,
        form="the name of an HTTP header",
    )
    cache_seconds = environment.whole_number(
        "CACHE_SECONDS",
        default=limits.TOKEN_CACHE_SECONDS,
        within=limits.TOKEN_CACHE_SECONDS_RANGE,
    )
    milliseconds = environment.whole_number(
        "DEADLINE_MILLISECONDS",
        default=limits.DEADLINE_MILLISECONDS,
        within=limits.DEADLINE_MILLISECONDS_RANGE,
    )
    url = environment.text("WEBHOOK_URL", form="the https URL of the vendor's webhook")
    webhook = None
    try:
        webhook = VendorWebhook(url, token_header=header) if url else None
    except InvalidWebhookError as error:
        environment.refuse(f"WEBHOOK_URL cannot be used: {error}")
    environment.check()
    if webhook is None:
        raise AssertionError("an environment without a webhook passed its check")
    # One attempt each: the retries are the deadline's. Secrets Manager is read every 5 minutes only.
    secret = secret_at(secret_arn, header_safe, cache_seconds=cache_seconds, attempts=1)
    amazon_connect = client(connect, connect_timeout=CONNECT_TIMEOUT, read_timeout=READ_TIMEOUT, attempts=1)
    return _Bridge(
        ContactStreaming(amazon_connect, topic_arn),
        webhook,
        VerificationToken(secret),
        milliseconds / 1000,
    )
