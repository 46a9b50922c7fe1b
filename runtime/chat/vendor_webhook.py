"""POST to the vendor's webhook, inside the deadline."""

from __future__ import annotations

import json
from collections.abc import Mapping
from urllib.parse import urlsplit

from runtime.chat import limits
from runtime.chat.failures import BotNotReachedError, Reason
from runtime.shared.addresses import Reach
from runtime.shared.deadline import Deadline
from runtime.shared.http_client import (
    AddressRefusedError,
    HttpError,
    NotSentError,
    UntrustedError,
    reach_out,
    send,
)

_LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
# evidence: webhook-not-begun
_NOT_BEGUN = frozenset({408, 425, 429, 503})


class InvalidWebhookError(ValueError):
    """A URL that the webhook cannot have; the message says why."""


class VendorWebhook:
    """A vendor's webhook, on the public internet.

    Only https, with the certificate verified. http is for a fake on the same machine, named localhost,
    127.0.0.1 or [::1]: in Lambda nothing listens there, and SNS refuses to deliver there.
    """

    def __init__(self, url: str, *, token_header: str = limits.TOKEN_HEADER) -> None:
        """Check the URL; raise InvalidWebhookError if it cannot be used."""
        self._url = url
        self._token_header = token_header
        self.host, secure = _host_of(url)
        loopback = self.host in _LOOPBACK_HOSTS
        self._reach = Reach.THIS_MACHINE if loopback else Reach.PUBLIC
        if not secure and not loopback:
            raise InvalidWebhookError("write https:// (http:// is for localhost only)")

    def post(self, document: Mapping[str, str], token: str, deadline: Deadline, *, key: str) -> None:
        """Post a JSON document; any 2xx answer is success.

        key: names the request, in the header Idempotency-Key; whoever sees it twice has seen the same request twice.
        Only what did not begin a conversation is tried again, after a random pause and ``limits.TRIES`` times in all:
        nothing was sent (no connection), or the answer is 408, 425, 429 or 503. After any other failure (a connection
        that was cut, a slow answer, another 5xx) the conversation may have begun, and a second request could begin
        another one. Raises BotNotReachedError.
        """
        body = json.dumps(document).encode()
        attempt = 0
        while True:
            attempt += 1
            try:
                return _judge(self._status(body, token, key, deadline), self.host)
            except BotNotReachedError as error:
                if not error.temporary or attempt == limits.TRIES or not deadline.pause(attempt):
                    raise

    def connect(self, deadline: Deadline) -> None:
        """Open a connection, over TLS for https, and close it; nothing is sent. Raises BotNotReachedError."""
        try:
            reach_out(self._url, deadline=deadline, reach=self._reach)
        except HttpError as error:
            raise BotNotReachedError(_reason_of(error), f"the webhook: {error}") from error

    def _status(self, body: bytes, token: str, key: str, deadline: Deadline) -> int:
        """Return the status of the answer; its body is of no interest, and is not read."""
        headers = {
            "Content-Type": "application/json",
            "Accept": "application/json",
            # evidence: vendor-idempotency-key
            "Idempotency-Key": key,
            self._token_header: token,
        }
        try:
            answer = send(
                "POST",
                self._url,
                deadline=deadline,
                headers=headers,
                body=body,
                reach=self._reach,
                limit=None,
            )
        except HttpError as error:
            reason = _reason_of(error)
            temporary = reason is Reason.WEBHOOK_UNREACHABLE and isinstance(error, NotSentError)
            raise BotNotReachedError(reason, f"the webhook: {error}", temporary=temporary) from error
        return answer.status


def _reason_of(error: HttpError) -> Reason:
    if isinstance(error, AddressRefusedError):
        return Reason.WEBHOOK_ADDRESS_REFUSED
    if isinstance(error, UntrustedError):
        return Reason.WEBHOOK_UNTRUSTED
    return Reason.WEBHOOK_TIMED_OUT if error.timed_out else Reason.WEBHOOK_UNREACHABLE


def _judge(status: int, host: str) -> None:
    if 200 <= status < 300:
        return
    if 300 <= status < 400:
        reason, hint, temporary = Reason.WEBHOOK_REDIRECTED, "; configure the URL that it leads to", False
    elif status in {401, 403}:
        reason, hint, temporary = Reason.TOKEN_REFUSED, "; the verification token is not the vendor's", False
    elif status in _NOT_BEGUN or status >= 500:
        reason, hint, temporary = Reason.WEBHOOK_FAILED, "", status in _NOT_BEGUN
    else:
        reason, hint, temporary = Reason.WEBHOOK_REFUSED, "", False
    raise BotNotReachedError(
        reason, f"the webhook at {host} answered with status {status}{hint}", temporary=temporary
    )


def _host_of(url: str) -> tuple[str, bool]:
    """Return a webhook's host, and whether it is asked over https."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise InvalidWebhookError("it is no URL") from error
    if parts.scheme not in {"https", "http"} or not parts.hostname or port == 0:
        raise InvalidWebhookError("write https://HOST/PATH")
    if parts.username is not None or parts.password is not None:
        raise InvalidWebhookError("leave out user and password; the token goes into a header")
    if not url.isascii() or any(character <= " " or character == "\x7f" for character in url):
        raise InvalidWebhookError("percent-encode what is not printable ASCII")
    return parts.hostname, parts.scheme == "https"
