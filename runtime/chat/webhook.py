"""POST to the vendor's webhook, inside the deadline.

The standard library's http.client does it. urllib3 would come with the Lambda runtime's boto3, in a version that
AWS chooses; and neither it nor requests can be told which address to connect to, nor to stop at a point in time
(their time-outs start anew with every byte). With http.client, a connected and verified socket can be handed over.
"""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from urllib.parse import urlsplit

from runtime.chat import limits
from runtime.chat.addresses import resolve
from runtime.chat.deadline import Deadline
from runtime.chat.failures import BotNotReachedError, Reason

_LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
_CONNECT_SECONDS = 1.5  # per address: who takes longer to accept a connection will not answer in time either
_TRY_AGAIN = frozenset({408, 425, 429})


class InvalidWebhookError(ValueError):
    """A URL that the webhook cannot have; the message says why."""


class Webhook:
    """A vendor's webhook.

    Only https, with the certificate verified. http is for a fake on the same machine, named localhost,
    127.0.0.1 or [::1]: in Lambda nothing listens there, and SNS refuses to deliver there.
    """

    def __init__(self, url: str, *, token_header: str = limits.TOKEN_HEADER) -> None:
        """Take the webhook apart; raise InvalidWebhookError if it cannot be used."""
        self._token_header = token_header
        self.host, self._port, self._secure, self._target = _parts(url)
        self._loopback = self.host in _LOOPBACK_HOSTS
        if not self._secure and not self._loopback:
            raise InvalidWebhookError("write https:// (http:// is for localhost only)")
        self._context = ssl.create_default_context()
        self._context.minimum_version = ssl.TLSVersion.TLSv1_2

    def post(self, document: Mapping[str, str], token: str, deadline: Deadline) -> None:
        """Post a JSON document; any 2xx answer is success.

        What may pass by itself (no connection, a cut one, 5xx, 429) is tried again after a random pause while there
        is time. A slow answer is waited for until the deadline, not asked for a second time: the webhook would
        initialize the conversation twice. Raises BotNotReachedError.
        """
        body = json.dumps(document).encode()
        attempt = 0
        while True:
            attempt += 1
            try:
                return _judge(self._status(body, token, deadline), self.host)
            except BotNotReachedError as error:
                if not error.temporary or not deadline.pause(attempt):
                    raise

    def _status(self, body: bytes, token: str, deadline: Deadline) -> int:
        """Return the status of the answer; its body is of no interest, and is not read."""
        try:
            with self._connected(deadline) as connection:
                connection.request(
                    "POST",
                    self._target,
                    body=body,
                    headers={
                        "Content-Type": "application/json",
                        "Accept": "application/json",
                        "User-Agent": "connect-bridges",
                        "Connection": "close",
                        self._token_header: token,
                    },
                )
                status = connection.getresponse().status
                # Cut while the header was coming in? http.client takes that for the header's end.
                if not deadline.remaining():
                    raise TimeoutError
                return status
        except ssl.SSLCertVerificationError as error:
            raise BotNotReachedError(
                Reason.WEBHOOK_UNTRUSTED,
                f"the webhook's certificate was not accepted for {self.host}: {error.verify_message}",
            ) from error
        except (OSError, http.client.HTTPException) as error:
            # Only the kind of the error: its text may quote what the other side sent.
            if isinstance(error, TimeoutError) or not deadline.remaining():
                raise BotNotReachedError(
                    Reason.WEBHOOK_TIMED_OUT, f"the webhook at {self.host} did not answer in time"
                ) from error
            raise BotNotReachedError(
                Reason.WEBHOOK_UNREACHABLE,
                f"the webhook at {self.host} could not be reached: {type(error).__name__}",
                temporary=True,
            ) from error

    @contextmanager
    def _connected(self, deadline: Deadline) -> Iterator[http.client.HTTPConnection]:
        addresses = resolve(self.host, self._port, loopback=self._loopback, timeout=deadline.remaining())
        with closing(self._socket(addresses, deadline)) as opened:
            opened.settimeout(deadline.remaining() or 0.001)
            opened.setsockopt(
                socket.IPPROTO_TCP, socket.TCP_NODELAY, 1
            )  # header and body go out in two writes
            secured = (
                self._context.wrap_socket(opened, server_hostname=self.host, do_handshake_on_connect=False)
                if self._secure
                else opened
            )
            with closing(secured), _cut_at(deadline, secured):
                if isinstance(secured, ssl.SSLSocket):
                    secured.do_handshake()
                connection = (
                    http.client.HTTPSConnection(self.host, self._port, context=self._context)
                    if self._secure
                    else http.client.HTTPConnection(self.host, self._port)
                )
                connection.sock = secured  # connected already, to an address that was checked
                yield connection

    def _socket(self, addresses: list[str], deadline: Deadline) -> socket.socket:
        failure: OSError = OSError(f"{self.host} has no address")
        for address in addresses:  # those without a route fail at once, as IPv6 does in most functions
            seconds = min(_CONNECT_SECONDS, deadline.remaining())
            if not seconds:
                raise TimeoutError
            try:
                return socket.create_connection((address, self._port), timeout=seconds)
            except OSError as error:
                # A connection that is not accepted may be accepted next time; the deadline says when to give up.
                failure = (
                    ConnectionError("not accepted in time") if isinstance(error, TimeoutError) else error
                )
        raise failure


@contextmanager
def _cut_at(deadline: Deadline, opened: socket.socket) -> Iterator[None]:
    """Cut a connection at the deadline, even if the other side keeps it busy with a byte now and then."""

    def cut() -> None:
        with suppress(OSError):  # closed by then
            # Not SSLSocket's own shutdown, which is not for other threads.
            socket.socket.shutdown(opened, socket.SHUT_RDWR)

    timer = threading.Timer(deadline.remaining(), cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _judge(status: int, host: str) -> None:
    if 200 <= status < 300:
        return
    if 300 <= status < 400:
        reason, hint, temporary = Reason.WEBHOOK_REDIRECTED, "; configure the URL that it leads to", False
    elif status in {401, 403}:
        reason, hint, temporary = Reason.TOKEN_REFUSED, "; the verification token is not the vendor's", False
    elif status in _TRY_AGAIN or status >= 500:
        reason, hint, temporary = Reason.WEBHOOK_FAILED, "", True
    else:
        reason, hint, temporary = Reason.WEBHOOK_REFUSED, "", False
    raise BotNotReachedError(
        reason, f"the webhook at {host} answered with status {status}{hint}", temporary=temporary
    )


def _parts(url: str) -> tuple[str, int, bool, str]:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise InvalidWebhookError("it is no URL") from error
    if parts.scheme not in {"https", "http"} or not parts.hostname:
        raise InvalidWebhookError("write https://HOST/PATH")
    if parts.username is not None or parts.password is not None:
        raise InvalidWebhookError("leave out user and password; the token goes into a header")
    if not url.isascii() or any(character <= " " or character == "\x7f" for character in url):
        raise InvalidWebhookError("percent-encode what is not printable ASCII")
    secure = parts.scheme == "https"
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return parts.hostname, port or (443 if secure else 80), secure, target
