"""Why a bot was not reached, in words that a flow can compare."""

from __future__ import annotations

from enum import StrEnum

from runtime.shared.errors import BridgeError


class Reason(StrEnum):
    """What $.External.reason says: letters only, as Amazon Connect's response validation likes it best."""

    NOT_A_CHAT = "notAChat"
    """The contact's channel is not CHAT: only chats can be streamed."""
    TOKEN_UNAVAILABLE = "verificationTokenUnavailable"  # noqa: S105 (a reason, no token)
    """Secrets Manager could not be read, or holds nothing that fits into a header. Nothing was started."""
    STREAMING_REFUSED = "streamingRefused"
    """Amazon Connect refused StartContactStreaming: the log names its error code."""
    STREAMING_UNAVAILABLE = "streamingUnavailable"
    """Amazon Connect throttled StartContactStreaming, or failed, until there was no time left."""
    WEBHOOK_ADDRESS_REFUSED = "webhookAddressRefused"
    """The webhook's host name leads to a private, link-local or otherwise internal address."""
    WEBHOOK_UNREACHABLE = "webhookUnreachable"
    """No such host, no connection, or a connection cut before the answer."""
    WEBHOOK_UNTRUSTED = "webhookUntrusted"
    """The webhook's certificate is not valid for its host."""
    WEBHOOK_TIMED_OUT = "webhookTimedOut"
    """No answer in the time that Amazon Connect leaves."""
    WEBHOOK_REDIRECTED = "webhookRedirected"
    """A 3xx answer; the token is not carried anywhere else."""
    WEBHOOK_FAILED = "webhookFailed"
    """A 5xx answer, 408, 425 or 429; 503 and the 4xx ones as often as it was asked."""
    WEBHOOK_REFUSED = "webhookRefused"
    """Any other 4xx answer."""
    TOKEN_REFUSED = "verificationTokenRefused"  # noqa: S105 (a reason, no token)
    """401 or 403 with the current and the previous token."""


class BotNotReachedError(BridgeError):
    """A foreseen failure; the flow gets its reason and branches on it."""

    def __init__(self, reason: Reason, message: str, *, temporary: bool = False) -> None:
        super().__init__(message)
        self.reason = reason
        self.temporary = temporary
        """Whether the same request may succeed in a moment."""
