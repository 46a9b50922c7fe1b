"""A dry run of the start function, for ``connect-bridges smoke``: no chat is streamed, no bot is told.

What a chat would need is tried with a contact that does not exist. Amazon Connect then has nothing to stream, and its
error tells a missing permission (AccessDeniedException) from a contact that is not there
(evidence: streaming-permission-first). The vendor is left alone unless asked for: then a connection to its webhook is
opened and closed, over TLS, and nothing is sent.
"""

from __future__ import annotations

from collections.abc import Callable

from runtime.chat.contact import ChatRequest
from runtime.chat.failures import BotNotReachedError
from runtime.chat.streaming import ContactStreaming
from runtime.chat.vendor_webhook import VendorWebhook
from runtime.chat.verification_token import VerificationToken
from runtime.shared.clients import error_code
from runtime.shared.deadline import Deadline

_LONGEST_DETAIL = 1_000
_NO_STREAMING = "smoke-no-such-streaming"


def dry_run(
    request: ChatRequest,
    *,
    streaming: ContactStreaming,
    webhook: VendorWebhook,
    token: VerificationToken,
    deadline: Deadline,
) -> dict[str, str]:
    """Return what was found, as texts that are never empty.

    ``streaming``: checked. ``token``: read, or a ``failures.Reason``. ``start`` and ``stop``: the error code with which
    Amazon Connect refused each, or none (a streaming that does not exist counts as stopped). ``webhook``: notAsked,
    reached, or a reason. ``detail``: the first failure in AWS's words, without any secret.
    """
    details: list[str] = []

    def tried(call: Callable[[], object], well: str, failed: Callable[[BotNotReachedError], str]) -> str:
        try:
            call()
        except BotNotReachedError as error:
            details.append(str(error))
            return failed(error)
        return well

    def start() -> None:
        # Should the contact exist after all, its customer must not notice.
        streaming_id = streaming.start(request.contact, request.attempt, deadline)
        streaming.stop(request.contact, streaming_id, deadline)

    answer = {
        "streaming": "checked",
        "reason": "none",
        "token": tried(lambda: token.current(deadline), "read", lambda error: error.reason.value),
        "start": tried(start, "none", _cause),
        "stop": tried(
            lambda: streaming.stop(request.contact, _NO_STREAMING, deadline),
            "none",
            _cause,
        ),
        "webhook": "notAsked",
    }
    if request.vendor_check:
        answer["webhook"] = tried(
            lambda: webhook.connect(deadline), "reached", lambda error: error.reason.value
        )
    answer["detail"] = (" | ".join(details) or "none")[:_LONGEST_DETAIL]
    return answer


def _cause(error: BotNotReachedError) -> str:
    cause = error.__cause__
    return error_code(cause) if isinstance(cause, Exception) else error.reason.value
