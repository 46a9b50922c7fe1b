"""Stands between one run of a function and everything that it calls: tells the calls, and lets one of them fail."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import struct
import sys
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final, Self
from urllib.parse import parse_qs, urlsplit

Answer = tuple[int, dict[str, str], bytes]

_SCOPE = re.compile(r"Credential=[^/]+/\d+/[^/]+/(?P<service>[^/]+)/aws4_request")
_IDS = re.compile(
    r"arn%3A[^/?]+|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    r"|(?<=/)[A-Z]{2}[0-9a-f]{32}|(?<=/)usr_\w+|(?<=/)[0-9a-f]{22}"
)
_HOP_BY_HOP = {"connection", "transfer-encoding", "content-length", "keep-alive", "date", "server"}


@dataclass(frozen=True)
class Asked:
    """A request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def service(self) -> str:
        """The AWS service, as it is signed for, or the vendor, which is the first part of the path."""
        found = _SCOPE.search(self.headers.get("authorization", ""))
        return found["service"] if found else self.path.split("/")[1]

    @property
    def is_aws(self) -> bool:
        """Whether it is signed for AWS."""
        return _SCOPE.search(self.headers.get("authorization", "")) is not None

    @property
    def name(self) -> str:
        """What is called, without ids: `dynamodb PutItem`, `connect POST /contact/start-streaming`."""
        target = self.headers.get("x-amz-target", "")
        if target:
            return f"{self.service} {target.rsplit('.', 1)[1]}{self._secret}"
        action = re.search(rb"(?:^|&)Action=(\w+)", self.body) if self.is_aws else None
        if action:
            return f"{self.service} {action[1].decode()}"
        path = _IDS.sub("*", urlsplit(self.path).path)
        if not self.is_aws:
            path = path.removeprefix(f"/{self.service}").removeprefix("/2010-04-01/Accounts/*")
        operation = parse_qs(urlsplit(self.path).query).get("operation", [""])[0]
        return f"{self.service} {self.method} {path}" + (f"?operation={operation}" if operation else "")

    @property
    def _secret(self) -> str:
        """Which secret is read, and which version: the name before the six characters of its ARN."""
        if self.service != "secretsmanager":
            return ""
        asked = json.loads(self.body)
        name = asked["SecretId"].rsplit(":", 1)[1].rsplit("-", 1)[0]
        return f" {name}" + (", previous version" if asked["VersionStage"] == "AWSPREVIOUS" else "")


Backend = Callable[[Asked], Answer]
"""Answers the requests for a service."""

FAULTS: Final = (
    "throttled",
    "5xx",
    "denied",
    "expired",
    "timeout",
    "reset",
    "lost answer",
    "slow drip",
    "garbage",
    "empty",
    "killed",
)
"""throttled, 5xx, denied, expired: refusals. timeout: no answer. reset: cut before anything is done. lost answer: cut
after it is done. slow drip: the answer comes a byte at a time. garbage, empty: 200 with HTML, with nothing. killed: the
function's process is gone once the call is done."""
ONCE: Final = ("throttled", "5xx", "reset", "lost answer")
"""Those that are also tried for one request only, which the function may repeat."""
_DRIP_SECONDS: Final = 0.3


@dataclass(frozen=True, order=True)
class Call:
    """A call: its name, and how many of this name there were before it."""

    name: str
    nth: int = 0

    def __str__(self) -> str:
        return self.name if not self.nth else f"{self.name} ({self.nth + 1})"


@dataclass(frozen=True, order=True)
class Fault:
    """How a call fails: from then on, or once."""

    call: Call
    kind: str
    once: bool = False

    def __str__(self) -> str:
        return f"{self.call} x {self.kind}{' once' if self.once else ''}"

    def strikes(self, call: Call) -> bool:
        """Return whether this call fails."""
        return call.name == self.call.name and (
            call.nth == self.call.nth if self.once else call.nth >= self.call.nth
        )


class _Server(ThreadingHTTPServer):
    request_queue_size = 64

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of connections that the other side has cut: functions give up, and are killed."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type] # whatever it was given


@dataclass
class Proxy:
    """An HTTP server on loopback for one run. `backends` by service or vendor; `calls` is what was called."""

    backends: dict[str, Backend]
    faults: tuple[Fault, ...] = ()
    calls: list[Call] = field(default_factory=list)
    pid: int = 0
    """The function's process, which `killed` kills."""
    url: str = ""

    def __enter__(self) -> Self:
        proxy = self
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._seen: Counter[str] = Counter()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _serve(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                headers = {name.lower(): value for name, value in self.headers.items()}
                proxy.serve(self, Asked(self.command, self.path, headers, self.rfile.read(length)))

            do_GET = do_PUT = do_POST = do_DELETE = do_PATCH = _serve  # noqa: N815

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base's name)
                """Keep pytest's output clean."""

        self._server = _Server(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def serve(self, handler: BaseHTTPRequestHandler, asked: Asked) -> None:
        """Answer a request, or fail it."""
        with self._lock:
            call = Call(asked.name, self._seen[asked.name])
            self._seen[asked.name] += 1
            self.calls.append(call)
        kind = next((fault.kind for fault in self.faults if fault.strikes(call)), "")
        if kind in {"timeout", "reset"}:
            if kind == "timeout":
                self._closing.wait()
            return _cut(handler)
        answer = _refusal(kind, aws=asked.is_aws) or self.backends[asked.service](asked)
        if kind == "killed":
            os.kill(self.pid, signal.SIGKILL)
        if kind in {"killed", "lost answer"}:
            return _cut(handler)
        if kind in {"garbage", "empty"}:
            answer = (
                200,
                {"Content-Type": "text/html"},
                b"<html>It works!</html>" if kind == "garbage" else b"",
            )
        try:
            self._write(handler, answer, drip=kind == "slow drip")
        except OSError:  # who asked has given up waiting, which is what some faults are for
            handler.close_connection = True

    def _write(self, handler: BaseHTTPRequestHandler, answer: Answer, *, drip: bool) -> None:
        status, headers, body = answer
        handler.send_response(status)
        for name, value in headers.items():
            if name.lower() not in _HOP_BY_HOP:
                handler.send_header(name, value)
        body = b"" if status == 204 else body
        if status != 204:
            handler.send_header("Content-Length", str(len(body) + (200 if drip else 0)))
        handler.end_headers()
        if not drip:
            handler.wfile.write(body)
            return
        for byte in body + b" " * 200:
            handler.wfile.write(bytes([byte]))
            handler.wfile.flush()
            if self._closing.wait(_DRIP_SECONDS):
                return


def _cut(handler: BaseHTTPRequestHandler) -> None:
    handler.close_connection = True
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    # Shutting the streams down first would say goodbye in order.
    handler.connection.close()


def _refusal(kind: str, *, aws: bool) -> Answer | None:
    refusals = {
        "throttled": (400, "ThrottlingException", 429),
        "5xx": (503, "ServiceUnavailable", 503),
        "denied": (400, "AccessDeniedException", 403),
        "expired": (400, "ExpiredTokenException", 401),
    }
    if kind not in refusals:
        return None
    status, code, vendors = refusals[kind]
    if not aws:
        return vendors, {"Content-Type": "application/json"}, b'{"message": "said the proxy"}'
    document = {"__type": code, "message": "said the proxy", "Message": "said the proxy"}
    return (
        status,
        {"Content-Type": "application/x-amz-json-1.0", "x-amzn-ErrorType": code},
        json.dumps(document).encode(),
    )
