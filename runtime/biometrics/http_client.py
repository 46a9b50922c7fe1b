"""HTTP to vendors' APIs: one time limit for everything, and errors that say whether the request may have arrived.

The standard library's socket time-outs start anew with every byte, so a server that drips would outlive the caller.
Here a timer cuts the connection when the time is over, whatever it is doing. http.client, since urllib3 would come with
the Lambda runtime's boto3 in a version that nobody pinned.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from runtime.shared.errors import BridgeError

CONNECT_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """A complete answer: status and body."""

    status: int
    body: bytes


class NotSentError(BridgeError):
    """No connection came about: the request was not carried out, and may safely be sent again."""


class NoAnswerError(BridgeError):
    """The request was sent and no complete answer came: it may or may not have been carried out."""


def request(
    method: str,
    url: str,
    *,
    seconds: float,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    limit: int = 65_536,
) -> HttpAnswer:
    """Send one request and return its answer within ``seconds``, redirects not followed.

    limit: bytes of body that are accepted; a longer one is no answer.
    Raises NotSentError and NoAnswerError; their messages name method and host, never path, headers or body.
    """
    parts = urlsplit(url)
    what = f"{method} {parts.scheme}://{parts.netloc}"
    ends = time.monotonic() + seconds
    connection = http.client.HTTPConnection(parts.netloc)
    try:
        sock = _connected(parts, time.monotonic() + min(seconds, CONNECT_SECONDS))
    except OSError as error:
        raise NotSentError(f"{what}: no connection ({type(error).__name__})") from error
    connection.sock = sock
    sock.settimeout(max(0.001, ends - time.monotonic()))
    timer = threading.Timer(max(0.0, ends - time.monotonic()), _cut, args=(sock,))
    timer.daemon = True
    timer.start()
    try:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request(method, target, body=body, headers=dict(headers or {}))
        response = connection.getresponse()
        content = response.read(limit + 1)
        complete = response.length in (None, 0)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise NoAnswerError(
            f"{what}: no complete answer within {seconds:g} s ({type(error).__name__})"
        ) from error
    finally:
        timer.cancel()
        connection.close()
    if len(content) > limit:
        raise NoAnswerError(f"{what}: the answer is longer than {limit} bytes")
    if not complete or time.monotonic() >= ends:
        raise NoAnswerError(f"{what}: no complete answer within {seconds:g} s")
    return HttpAnswer(status=response.status, body=content)


def _connected(parts: SplitResult, ends: float) -> socket.socket:
    """Connect to the first of the host's addresses that answers, all of them within the time. Raises OSError."""
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    failure: OSError = TimeoutError("no address answered in time")
    for *_, (address, *_rest) in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        left = ends - time.monotonic()
        if left <= 0:
            break
        try:
            sock = socket.create_connection((str(address), port), timeout=left)
        except OSError as error:
            failure = error
            continue
        if parts.scheme != "https":
            return sock
        try:
            sock.settimeout(max(0.001, ends - time.monotonic()))
            return _tls().wrap_socket(sock, server_hostname=host)
        except OSError:
            sock.close()
            raise
    raise failure


def _tls() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _cut(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)
