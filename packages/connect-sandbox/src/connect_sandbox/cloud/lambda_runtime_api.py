"""The Runtime API, which a function's process asks for its invocations.

After the AWS Lambda Developer Guide, "Using the Lambda runtime API for custom runtimes" (version 2018-06-01). Each
process has its own API, on a loopback port, as each execution environment has in Lambda: `next` does not say who asks.
It has no thread: whoever invokes the function lets it serve what has arrived.
"""

from __future__ import annotations

import contextlib
import json
import re
import selectors
import socket
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed import HasFileno

_NEXT = "/2018-06-01/runtime/invocation/next"
_INIT_ERROR = "/2018-06-01/runtime/init/error"
_ANSWER = re.compile(r"^/2018-06-01/runtime/invocation/([^/]+)/(response|error)$")
_ERROR_TYPE = "lambda-runtime-function-error-type"
_ACCEPTED = b'{"status":"OK"}\n'
# The process reads what it is sent at once; one that does not for so long is as good as dead.
_SEND_SECONDS = 10.0


@dataclass(frozen=True)
class Event:
    """What `next` hands out. `payload` is JSON, `deadline_ms` since the epoch, `client_context` JSON or None."""

    request_id: str
    function_arn: str
    payload: bytes
    deadline_ms: int
    trace_id: str
    client_context: str | None = None

    def headers(self) -> dict[str, str]:
        """Return the headers of the answer to `next`."""
        headers = {
            "Content-Type": "application/json",
            "Lambda-Runtime-Aws-Request-Id": self.request_id,
            "Lambda-Runtime-Deadline-Ms": str(self.deadline_ms),
            "Lambda-Runtime-Invoked-Function-Arn": self.function_arn,
            "Lambda-Runtime-Trace-Id": self.trace_id,
        }
        if self.client_context is not None:
            headers["Lambda-Runtime-Client-Context"] = self.client_context
        return headers


@dataclass(frozen=True)
class Answer:
    """What the process has sent: the payload that the handler returned, or an error (of the init, or raised).

    `last`: it closes its connection, so it will ask for nothing more.
    """

    payload: bytes | None = None
    error: dict[str, Any] | None = None
    last: bool = False


@dataclass(eq=False)
class _Connection:
    socket: socket.socket
    received: bytearray = field(default_factory=bytearray)


@dataclass(frozen=True)
class _Request:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class RuntimeApi:
    """Listens on a port from the start; serves when `serve` is called for what the selector has found."""

    def __init__(self, selector: selectors.BaseSelector) -> None:
        """Register with `selector` what there is to read; the data of these keys is this API."""
        self._selector = selector
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.setblocking(False)
        self._selector.register(self._listener, selectors.EVENT_READ, self)
        self._connections: list[_Connection] = []
        self._waiting: _Connection | None = None
        self._current: Event | None = None
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"

    @property
    def waited_for(self) -> bool:
        """Whether the process has asked for its next invocation, and waits."""
        return self._waiting is not None

    def hand_out(self, event: Event) -> None:
        """Give the process that waits its invocation."""
        connection, self._waiting = self._waiting, None
        if connection is None:
            raise RuntimeError("the process does not wait for an invocation")
        self._current = event
        self._send(connection, HTTPStatus.OK, event.payload, event.headers())

    def serve(self, ready: int | HasFileno) -> list[Answer]:
        """Serve what has arrived on one of this API's sockets; return what the process answers."""
        if ready is self._listener:
            self._accept()
            return []
        connection = next(each for each in self._connections if each.socket is ready)
        try:
            part = connection.socket.recv(1 << 18)
        except OSError:
            part = b""
        if not part:
            self._drop(connection)
            return []
        connection.received += part
        answers: list[Answer] = []
        while connection in self._connections and (request := self._parse(connection)) is not None:
            answer = self._answer(connection, request)
            answers += [answer] if answer else []
        return answers

    def close(self) -> None:
        """Close the port and every connection."""
        for connection in list(self._connections):
            self._drop(connection)
        with contextlib.suppress(KeyError):
            self._selector.unregister(self._listener)
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(BlockingIOError):  # whoever asked may be gone again
            accepted, _ = self._listener.accept()
            accepted.settimeout(_SEND_SECONDS)
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._connections.append(_Connection(accepted))
            self._selector.register(accepted, selectors.EVENT_READ, self)

    def _drop(self, connection: _Connection) -> None:
        if connection not in self._connections:
            return
        self._connections.remove(connection)
        self._selector.unregister(connection.socket)
        connection.socket.close()
        if self._waiting is connection:
            self._waiting = None

    def _parse(self, connection: _Connection) -> _Request | None:
        """Take the next complete request from what was received; None if there is none yet."""
        end = connection.received.find(b"\r\n\r\n")
        if end < 0:
            return None
        first, *lines = connection.received[:end].decode("latin-1").split("\r\n")
        method, path, *_ = [*first.split(" "), "", ""]
        headers = {
            name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)
        }
        if "transfer-encoding" in headers:
            self._send(connection, HTTPStatus.LENGTH_REQUIRED, b"")
            self._drop(connection)
            return None
        length = int(headers.get("content-length") or 0)
        start = end + 4
        if len(connection.received) < start + length:
            if headers.get("expect", "").lower() == "100-continue" and len(connection.received) == start:
                connection.socket.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            return None
        body = bytes(connection.received[start : start + length])
        del connection.received[: start + length]
        return _Request(method, path, headers, body)

    def _answer(self, connection: _Connection, request: _Request) -> Answer | None:
        if (request.method, request.path) == ("GET", _NEXT):
            self._waiting = connection
            return None
        if (request.method, request.path) == ("POST", _INIT_ERROR):
            self._send(connection, HTTPStatus.ACCEPTED, _ACCEPTED)
            return Answer(error=_error(request), last=_is_last(request))
        found = _ANSWER.match(request.path) if request.method == "POST" else None
        if found is None:
            self._refuse(
                connection, HTTPStatus.NOT_FOUND, f"there is no {request.method} {request.path}", "NotFound"
            )
            return None
        if self._current is None or found[1] != self._current.request_id:
            self._refuse(connection, HTTPStatus.BAD_REQUEST, "Invalid request ID", "InvalidRequestID")
            return None
        self._current = None
        self._send(connection, HTTPStatus.ACCEPTED, _ACCEPTED)
        if found[2] == "response":
            return Answer(payload=request.body)
        return Answer(error=_error(request), last=_is_last(request))

    def _refuse(self, connection: _Connection, status: HTTPStatus, message: str, kind: str) -> None:
        self._send(connection, status, json.dumps({"errorMessage": message, "errorType": kind}).encode())

    def _send(
        self, connection: _Connection, status: HTTPStatus, body: bytes, headers: dict[str, str] | None = None
    ) -> None:
        head = [f"HTTP/1.1 {status.value} {status.phrase}"]
        sent = {"Content-Type": "application/json", **(headers or {}), "Content-Length": str(len(body))}
        head += [f"{name}: {value}" for name, value in sent.items()]
        try:
            connection.socket.sendall("\r\n".join([*head, "", ""]).encode("latin-1") + body)
        except OSError:
            # It is gone, or hangs: its process ends, or runs into its time-out.
            self._drop(connection)


def _is_last(request: _Request) -> bool:
    return request.headers.get("connection", "").lower() == "close"


def _error(request: _Request) -> dict[str, Any]:
    """Return the error object that was posted; one of the type that its header names if it is no JSON object."""
    try:
        error = json.loads(request.body)
    except ValueError:
        error = None
    if isinstance(error, dict):
        return error
    return {"errorMessage": "", "errorType": request.headers.get(_ERROR_TYPE, "Runtime.Unknown")}
