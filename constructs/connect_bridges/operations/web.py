"""HTTP requests of the commands, to a deployed API or an instance's address: one attempt, a time limit, no redirects.

Where ``AWS_ENDPOINT_URL`` names this machine (an emulator such as connect-sandbox), an address of API Gateway or Amazon
Connect leads there too, with its own name in the header Host. Proxies and certificates are found as Python finds them
(HTTPS_PROXY, NO_PROXY, SSL_CERT_FILE), and AWS_CA_BUNDLE counts as it does for boto3.
"""

from __future__ import annotations

import http.client
import os
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

SECONDS = 35.0
"""For one request: API Gateway gives up after 29 s."""
_LONGEST_ANSWER = 65_536
_OF_AWS = (".execute-api.", ".my.connect.aws")
_THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})


class WebError(Exception):
    """No complete answer came; the message names the host and says what to check. reason: what Python says of it."""

    reason: object = None


@dataclass(frozen=True)
class Answer:
    """An answer: its status and its text."""

    status: int
    text: str


def post(url: str, *, headers: Mapping[str, str], body: bytes, seconds: float = SECONDS) -> Answer:
    """Post a body and return the answer, whatever its status. Raises WebError; it names neither headers nor body."""
    return _answer(url, "POST", headers, body, seconds)


def status(url: str, *, seconds: float = 10.0) -> int:
    """Return the status with which an address answers GET; a redirect is not followed. Raises WebError."""
    return _answer(url, "GET", {}, None, seconds).status


def _answer(url: str, method: str, headers: Mapping[str, str], body: bytes | None, seconds: float) -> Answer:
    address, host = _where(url)
    request = urllib.request.Request(address, data=body, method=method)  # noqa: S310 (http for this machine alone)
    for name, value in {
        "User-Agent": "connect-bridges",
        **headers,
        **({"Host": host} if host else {}),
    }.items():
        request.add_header(name, value)
    ends = time.monotonic() + seconds
    named = urlsplit(url).hostname
    try:
        with _opener().open(request, timeout=seconds) as response:
            return Answer(response.status, _text(response, ends))
    except urllib.error.HTTPError as refusal:
        with refusal:
            return Answer(refusal.code, _text(refusal, ends))
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        failed = WebError(
            f"{named} gave no answer within {seconds:.0f} s ({reason}). Check that this machine reaches it: "
            "name server, proxy (HTTPS_PROXY), certificates, and whether the API is a private one."
        )
        failed.reason = reason
        raise failed from error


def _where(url: str) -> tuple[str, str]:
    """Return the address to connect to, and the header Host if that is another machine than the URL names."""
    parts = urlsplit(url)
    emulator = urlsplit(os.environ.get("AWS_ENDPOINT_URL", ""))
    if emulator.hostname in _THIS_MACHINE and any(each in (parts.hostname or "") for each in _OF_AWS):
        query = f"?{parts.query}" if parts.query else ""
        return f"{emulator.scheme}://{emulator.netloc}{parts.path}{query}", str(parts.hostname)
    if parts.scheme != "https" and parts.hostname not in _THIS_MACHINE:
        raise WebError(
            f"{url} is no https URL, and a token must not travel in the clear. Deploy an API with TLS."
        )
    return url, ""


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_asked: Any, **_more: Any) -> None:  # noqa: ANN401 (the base class's signature)
        return None


def _opener() -> urllib.request.OpenerDirector:
    context = ssl.create_default_context(cafile=os.environ.get("AWS_CA_BUNDLE") or None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return urllib.request.build_opener(_NoRedirects, urllib.request.HTTPSHandler(context=context))


def _text(response: Any, ends: float) -> str:  # noqa: ANN401 (a response, or an error that is one)
    parts = bytearray()
    while len(parts) < _LONGEST_ANSWER and (part := response.read1(_LONGEST_ANSWER)):
        if time.monotonic() > ends:
            raise TimeoutError("the answer did not end in time")
        parts += part
    return bytes(parts).decode("utf-8", "replace")
