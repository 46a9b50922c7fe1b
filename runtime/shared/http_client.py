"""HTTP to others: one deadline for resolution, connection, TLS, request and answer.

Errors say whether the request may have arrived, which decides whether it may be sent again.

The standard library's http.client does it. urllib3 would come with the Lambda runtime's botocore, in a version that AWS
chooses; and neither it nor requests can be told which address to connect to, nor to stop at a point in time (their
time-outs start anew with every byte). With http.client, a connected and verified socket can be handed over. A timer
cuts that socket at the deadline, whatever the other side is doing.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from urllib.parse import urlsplit

from runtime.shared.addresses import Reach
from runtime.shared.deadline import Deadline
from runtime.shared.errors import BridgeError
from runtime.shared.resolution import resolve

CONNECT_SECONDS = 1.5
"""For each address: who takes longer to accept a connection will not answer in time either."""


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """An answer: its status, and its body if it was asked for."""

    status: int
    body: bytes


class HttpError(BridgeError):
    """No answer. ``timed_out``: the deadline came first, so that there is no time for another try."""

    def __init__(self, message: str, *, timed_out: bool = False) -> None:
        super().__init__(message)
        self.timed_out = timed_out


class NotSentError(HttpError):
    """Nothing of the request was sent: it was not carried out, and may safely be sent again."""


class AddressRefusedError(NotSentError):
    """The host's name leads to an address that the request must not go to."""


class UntrustedError(NotSentError):
    """The certificate was not accepted for the host."""


class NoAnswerError(HttpError):
    """The request was sent, wholly or in part, and no complete answer came: it may or may not have been carried out."""


def send(
    method: str,
    url: str,
    *,
    deadline: Deadline,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    reach: Reach = Reach.ANYWHERE,
    limit: int | None = 65_536,
) -> HttpAnswer:
    """Send one request and return its answer; redirects are not followed.

    reach: where the host's name may lead; every single one of its addresses must be there, or nothing is sent.
    limit: bytes of body that are accepted, a longer one is no answer; None: the body is not read.
    Raises NotSentError and NoAnswerError; messages name method and host, never path, headers, body, or what the other
    side sent.
    """
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    host, port = parts.hostname or "", parts.port or (443 if secure else 80)
    what = f"{method} {parts.scheme}://{parts.netloc.rpartition('@')[2]}"
    connection = http.client.HTTPConnection(host, port)
    connection.default_port = 443 if secure else 80  # left out of the header Host
    with (
        closing(_connected(what, host, port, reach, deadline)) as opened,
        _cut_at(deadline, opened) as cut,
        closing(_secured(what, host, opened, cut) if secure else opened) as ready,
    ):
        if isinstance(ready, ssl.SSLSocket):
            _shake_hands(what, host, ready, deadline)
        connection.sock = ready
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        fields = {"User-Agent": "connect-bridges", **(headers or {}), "Connection": "close"}
        try:
            connection.request(method, target, body=body, headers=fields)
            answer = _answer(what, connection.getresponse(), limit)
            # Cut while it came in? http.client takes that for the end of a header, or of a body without a length.
            if not deadline.remaining():
                raise TimeoutError
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise NoAnswerError(
                f"{what}: no complete answer in time ({type(error).__name__})",
                timed_out=isinstance(error, TimeoutError) or not deadline.remaining(),
            ) from error
        return answer


def reach_out(url: str, *, deadline: Deadline, reach: Reach = Reach.ANYWHERE) -> None:
    """Open a connection, verify the certificate of an https URL, and close it; nothing is sent.

    Raises NotSentError; reach: as for ``send``.
    """
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    host, port = parts.hostname or "", parts.port or (443 if secure else 80)
    what = f"connecting to {parts.scheme}://{parts.netloc.rpartition('@')[2]}"
    with closing(_connected(what, host, port, reach, deadline)) as opened, _cut_at(deadline, opened) as cut:
        if secure:
            with closing(_secured(what, host, opened, cut)) as secured:
                _shake_hands(what, host, secured, deadline)


def _answer(what: str, response: http.client.HTTPResponse, limit: int | None) -> HttpAnswer:
    if limit is None:
        return HttpAnswer(response.status, b"")
    body = response.read(limit + 1)
    if len(body) > limit:
        raise NoAnswerError(f"{what}: the answer is longer than {limit} bytes")
    if response.length:
        raise http.client.IncompleteRead(body, response.length)
    return HttpAnswer(response.status, body)


def _connected(what: str, host: str, port: int, reach: Reach, deadline: Deadline) -> socket.socket:
    """Connect to the first of the host's addresses that accepts. Raises NotSentError."""
    try:
        addresses = resolve(host, port, deadline)
    except OSError as error:
        raise NotSentError(f"{what}: {error}", timed_out=isinstance(error, TimeoutError)) from error
    for address in addresses:
        if not reach.admits(address):
            raise AddressRefusedError(f"{what}: {host} resolves to {address}, which is not {reach.value}")
    failure = "the name has no address"
    for address in addresses:  # those without a route fail at once, as IPv6 does in most functions
        seconds = min(CONNECT_SECONDS, deadline.remaining())
        if not seconds:
            break
        try:
            opened = open_connection(address, port, seconds)
        except OSError as error:
            failure = type(error).__name__
            continue
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # header and body go out in two writes
        return opened
    # A connection that was not accepted may be accepted next time; the deadline says when to give up.
    raise NotSentError(f"{what}: no connection ({failure})", timed_out=not deadline.remaining())


def open_connection(address: str, port: int, seconds: float) -> socket.socket:
    """Connect to a numeric address. Raises OSError, TimeoutError after `seconds`.

    Not socket.create_connection, which asks the system's resolver even for an address, and no time limit ends that.
    """
    opened = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
    try:
        opened.settimeout(seconds)
        opened.connect((address, port))
    except OSError:
        opened.close()
        raise
    return opened


def _secured(what: str, host: str, opened: socket.socket, cut: list[socket.socket]) -> ssl.SSLSocket:
    try:
        secured = tls().wrap_socket(opened, server_hostname=host, do_handshake_on_connect=False)
    except (OSError, ValueError) as error:
        raise NotSentError(f"{what}: no TLS connection ({type(error).__name__})") from error
    cut[0] = secured
    return secured


def _shake_hands(what: str, host: str, secured: ssl.SSLSocket, deadline: Deadline) -> None:
    """Agree on TLS and verify the certificate. Raises NotSentError."""
    try:
        if not deadline.remaining():  # the timer may have cut the socket that this one was made of
            raise TimeoutError
        secured.do_handshake()
    except ssl.SSLCertVerificationError as error:
        raise UntrustedError(
            f"{what}: the certificate was not accepted for {host}: {error.verify_message}"
        ) from error
    except OSError as error:
        raise NotSentError(
            f"{what}: no TLS connection ({type(error).__name__})",
            timed_out=isinstance(error, TimeoutError) or not deadline.remaining(),
        ) from error


@cache
def tls() -> ssl.SSLContext:
    """Return how others prove who they are: by the system's certificates, over TLS 1.2 at least.

    Made on first use: reading the certificates takes an eighth of a cold start.
    """
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


@contextmanager
def _cut_at(deadline: Deadline, opened: socket.socket) -> Iterator[list[socket.socket]]:
    """Cut a connection at the deadline, even if the other side keeps it busy with a byte now and then.

    Yields a list with the socket to cut, to be replaced by the one that TLS makes of it.
    """
    sockets = [opened]
    opened.settimeout(deadline.remaining() or 0.001)

    def cut() -> None:
        with suppress(OSError):  # closed by then
            # Not SSLSocket's own shutdown, which is not for other threads.
            socket.socket.shutdown(sockets[0], socket.SHUT_RDWR)

    timer = threading.Timer(deadline.remaining(), cut)
    timer.daemon = True
    timer.start()
    try:
        yield sockets
    finally:
        timer.cancel()
