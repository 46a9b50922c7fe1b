"""StartContactStreaming and StopContactStreaming of Amazon Connect.

Source: Amazon Connect API reference; 5 requests a second with a burst of 8 for each of both, so that throttling is
ordinary when chats arrive together. Both are retried here, inside the deadline, and never by botocore.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from runtime.chat.contact import ChatContact
from runtime.chat.failures import BotNotReachedError, Reason
from runtime.shared.clients import AwsClient, error_code, is_temporary
from runtime.shared.deadline import Deadline
from runtime.shared.errors import BridgeError

CONNECT_TIMEOUT = 0.4
READ_TIMEOUT = 1.2
CALL_SECONDS = CONNECT_TIMEOUT + READ_TIMEOUT
"""The longest that one call can take, given a client with these time-outs and a single attempt."""

_GONE = "ResourceNotFoundException"


class _NoStreamingIdError(BridgeError):
    """An answer that does not say under which id the chat is streamed, if it is."""


class ContactStreaming:
    """Streams the messages of contacts to one SNS topic."""

    def __init__(self, client: AwsClient, topic_arn: str) -> None:
        self._client = client
        self._topic_arn = topic_arn

    def request_id(self, contact: ChatContact, attempt: str) -> str:
        """Return what names this request, for Amazon Connect and for the vendor: the same for the same request."""
        return contact.client_token(self._topic_arn, attempt)

    def start(self, contact: ChatContact, attempt: str, deadline: Deadline) -> str:
        """Return the streaming id. Raises BotNotReachedError.

        A time-out, or an answer without an id, may hide a success; the retry carries the same client token, and so
        finds out.
        """

        # evidence: streaming-initial-contact
        def started() -> str:
            answer = self._client.start_contact_streaming(
                InstanceId=contact.instance_id,
                ContactId=contact.initial_contact_id,
                ChatStreamingConfiguration={"StreamingEndpointArn": self._topic_arn},
                ClientToken=self.request_id(contact, attempt),
            )
            streaming_id = answer.get("StreamingId")
            if not isinstance(streaming_id, str) or not streaming_id:
                raise _NoStreamingIdError(
                    "the answer has no StreamingId; the chat may be streamed until it ends"
                )
            return streaming_id

        try:
            return str(_retried(started, deadline))
        except Exception as error:
            temporary = _may_pass(error)
            raise BotNotReachedError(
                Reason.STREAMING_UNAVAILABLE if temporary else Reason.STREAMING_REFUSED,
                f"connect StartContactStreaming: {error_code(error)}: {error}",
                temporary=temporary,
            ) from error

    def stop(self, contact: ChatContact, streaming_id: str, deadline: Deadline) -> None:
        """Stop a streaming; one that does not exist any more is stopped. Raises BotNotReachedError."""
        try:
            _retried(
                lambda: self._client.stop_contact_streaming(
                    InstanceId=contact.instance_id,
                    ContactId=contact.initial_contact_id,
                    StreamingId=streaming_id,
                ),
                deadline,
            )
        except Exception as error:
            if error_code(error) == _GONE:
                return
            temporary = is_temporary(error)
            raise BotNotReachedError(
                Reason.STREAMING_UNAVAILABLE if temporary else Reason.STREAMING_REFUSED,
                f"connect StopContactStreaming: {error_code(error)}: {error}",
                temporary=temporary,
            ) from error


def _retried(call: Callable[[], Any], deadline: Deadline) -> Any:  # noqa: ANN401 (botocore's answers are untyped)
    attempt = 0
    while True:
        attempt += 1
        try:
            return call()
        except Exception as error:
            # A retry that could outlast the deadline is not begun.
            if not _may_pass(error) or not deadline.earlier(CALL_SECONDS).pause(attempt):
                raise


def _may_pass(error: Exception) -> bool:
    return isinstance(error, _NoStreamingIdError) or is_temporary(error)
