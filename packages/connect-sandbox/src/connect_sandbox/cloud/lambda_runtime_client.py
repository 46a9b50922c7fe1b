"""The transport of AWS's runtime interface client, where AWS has none: the module `runtime_client`, in Python.

awslambdaric keeps its HTTP client in an extension written in C++, which there is for Linux only (with glibc, unless it
is compiled). Elsewhere, on macOS above all, functions get this module under that name: the same four functions.
Standard library only, since it runs in the function's own process.
"""

from __future__ import annotations

import http.client
import os

_API = "/2018-06-01/runtime"
_HEADERS = (
    "Lambda-Runtime-Aws-Request-Id",
    "Lambda-Runtime-Trace-Id",
    "Lambda-Runtime-Invoked-Function-Arn",
    "Lambda-Runtime-Client-Context",
    "Lambda-Runtime-Cognito-Identity",
    "Lambda-Runtime-Aws-Tenant-Id",
    "Lambda-Runtime-Invocation-Id",
    "Content-Type",
)
_DEADLINE = "Lambda-Runtime-Deadline-Ms"


class _Client:
    """One connection to the Runtime API, kept open."""

    user_agent = ""

    def __init__(self) -> None:
        self._connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])

    def call(
        self,
        method: str,
        path: str,
        expected: int,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> tuple[bytes, http.client.HTTPMessage]:
        """Return the body and the headers of an answer; RuntimeError if it has another status than `expected`."""
        self._connection.request(
            method, _API + path, body, {"User-Agent": self.user_agent, **(headers or {})}
        )
        answer = self._connection.getresponse()
        content = answer.read()
        if answer.status != expected:
            raise RuntimeError(f"{method} {path}: the Runtime API answered {answer.status}, not {expected}")
        return content, answer.headers


_client = _Client()


def initialize_client(user_agent: str) -> None:
    """Set the User-Agent of what follows."""
    _client.user_agent = user_agent


def next() -> tuple[bytes, dict[str, str | int | None]]:  # noqa: A001  (awslambdaric calls it so)
    """Wait for the next invocation; return its event and its headers, the deadline as a number."""
    event, headers = _client.call("GET", "/invocation/next", 200)
    found: dict[str, str | int | None] = {name: headers.get(name) for name in _HEADERS}
    found[_DEADLINE] = int(headers[_DEADLINE])
    return event, found


def post_invocation_result(
    invoke_id: str, result: bytes, content_type: str, _invocation_id: str | None = None
) -> None:
    """Send what the handler returned."""
    _client.call("POST", f"/invocation/{invoke_id}/response", 202, result, {"Content-Type": content_type})


def post_error(invoke_id: str, error: str, xray_fault: str, _invocation_id: str | None = None) -> None:
    """Send what the handler raised, as JSON."""
    headers = {"Content-Type": "application/json", "Lambda-Runtime-Function-XRay-Error-Cause": xray_fault}
    _client.call("POST", f"/invocation/{invoke_id}/error", 202, error.encode(), headers)
