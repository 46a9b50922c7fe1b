"""moto in this process, without a port: answers requests to the services whose state it keeps."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from io import BytesIO
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from botocore.awsrequest import AWSPreparedRequest, AWSResponse

from connect_sandbox.cloud.http import HOP_BY_HOP, Headers, HttpRequest, HttpResponse
from connect_sandbox.moto_internals import MOTO_ACCOUNT_HEADER, MotoApplication

MOTO_URL = "http://127.0.0.1:9"
"""What clients of moto take for its address. Nothing listens there: their requests are answered before they leave."""
_LOG = logging.getLogger(__name__)
_ENVIRONMENT = {
    # Functions run in our own processes: moto must not look for Docker.
    "MOTO_IAM_LOAD_MANAGED_POLICIES": "false",
    "MOTO_ALLOW_NONEXISTENT_REGION": "false",
}
#: moto would take the account of every request from this variable, and not from its header.
_ACCOUNT = "MOTO_ACCOUNT_ID"
#: What a request must not say to moto: what belongs to a connection, or is said here.
_UNSAID = HOP_BY_HOP | {"content-length", "expect", MOTO_ACCOUNT_HEADER}


class Moto:
    """moto, with a clean state, for as long as the context lasts. One at a time per process: its state is global."""

    def __enter__(self) -> Self:
        """Begin."""
        os.environ.update(_ENVIRONMENT)
        os.environ.pop(_ACCOUNT, None)
        self._application = MotoApplication()
        self.reset()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Clear the state."""
        self.reset()

    def answer(self, request: HttpRequest, account: str) -> HttpResponse:
        """Answer a request about the resources of an account; 500 for what moto fails at."""
        said = [(name, value) for name, value in request.headers.items() if name.lower() not in _UNSAID]
        said += [(MOTO_ACCOUNT_HEADER, account), ("Content-Length", str(len(request.body)))]
        try:
            status, answered, body = self._application.answer(
                request.method, request.target, said, request.body
            )
        except Exception:  # noqa: BLE001  (a request must be answered whatever happens)
            _LOG.exception("moto failed at %s %s", request.method, request.target)
            return HttpResponse(500, [("Content-Type", "text/plain")], b"Internal Server Error")
        headers = Headers(answered)
        kept = [(name, value) for name, value in answered if name.lower() not in HOP_BY_HOP]
        length = headers.get("Content-Length") if request.method == "HEAD" else ""
        return HttpResponse(status, kept, body, int(length) if length else None)

    def in_account(self, account: str) -> Callable[..., AWSResponse]:
        """Return what answers the requests of a boto3 client of MOTO_URL; register it for "before-send"."""

        def answer(request: AWSPreparedRequest, **_: object) -> AWSResponse:
            answer = self.answer(as_request(request), account)
            return as_response(request, answer)

        return answer

    def reset(self) -> None:
        """Delete every resource."""
        self._application.answer("POST", "/moto-api/reset", [("Host", "127.0.0.1")], b"")


def as_request(request: AWSPreparedRequest) -> HttpRequest:
    """Return what a boto3 client is about to send."""
    url = urlsplit(request.url)
    target = url.path + (f"?{url.query}" if url.query else "")
    body: Any = request.body or b""  # bytes, text or a file
    if hasattr(body, "read"):
        body = body.read()
    headers = Headers(
        [("Host", url.netloc), *((name, _text(value)) for name, value in request.headers.items())]
    )
    return HttpRequest(
        request.method, target, headers, body.encode() if isinstance(body, str) else bytes(body)
    )


def as_response(request: AWSPreparedRequest, answer: HttpResponse) -> AWSResponse:
    """Return an answer as a boto3 client receives it."""
    return AWSResponse(request.url, answer.status, dict(answer.headers), _Raw(answer.body))


class _Raw(BytesIO):
    """A response's body, as botocore reads it."""

    def stream(self, **_: object) -> Iterator[bytes]:
        """Yield the body."""
        yield self.read()


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
