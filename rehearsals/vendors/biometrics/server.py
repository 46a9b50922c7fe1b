"""A small HTTP server on the loopback interface, for the vendors' fakes."""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

_ANSWERS = 10.0
"""Real seconds within which a server that has ceased to be slow has answered."""


@dataclass(frozen=True)
class Asked:
    """A request as it came in; `headers` by lower-case name."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    def has_credentials(self, user: str, password: str) -> bool:
        """Tell whether it carries this pair (HTTP basic authentication)."""
        expected = base64.b64encode(f"{user}:{password}".encode()).decode()
        return self.headers.get("authorization") == f"Basic {expected}"


@dataclass(frozen=True)
class Told:
    """An answer. `hangs_up`: no answer at all, the connection is closed."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    hangs_up: bool = False


class VendorServer:
    """Answers HTTP requests in threads while its context lasts; a subclass says how, in `answer`.

    On purpose it can be slow, and down: what it answers to everything then is `down`, for the subclass to give.
    """

    def __init__(self) -> None:
        """Open a free port; requests are answered from entering the context on."""
        self.down: Told | None = None
        self._slow = 0.0
        self._hurry = threading.Event()
        self._under_way, self._asked = threading.Condition(), 0
        handler = type("Bound", (_Handler,), {"vendor": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.url = f"http://localhost:{self._server.server_address[1]}"
        """Where it listens."""

    def __enter__(self) -> Self:
        """Start to answer."""
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the port."""
        self._server.shutdown()
        self._server.server_close()

    @contextmanager
    def is_down(self, *, status: int | None = 503) -> Iterator[None]:
        """Answer everything with this HTTP status; None: close the connection."""
        self.down = Told(status, b"Service Unavailable") if status else Told(0, hangs_up=True)
        try:
            yield
        finally:
            self.down = None

    @contextmanager
    def is_slow(self, seconds: float) -> Iterator[None]:
        """Take that long for everything; what has not been answered at the end of the context is answered then."""
        self._slow = seconds
        self._hurry.clear()
        try:
            yield
        finally:
            self._slow = 0.0
            self._hurry.set()
            with self._under_way:
                self._under_way.wait_for(lambda: self._asked == 0, _ANSWERS)

    def serve(self, asked: Asked) -> Told:
        """Answer a request, after the time that it takes."""
        with self._under_way:
            self._asked += 1
        self._hurry.wait(self._slow)
        try:
            return self.answer(asked)
        finally:
            with self._under_way:
                self._asked -= 1
                self._under_way.notify_all()

    def answer(self, asked: Asked) -> Told:
        """Return the answer to a request."""
        raise NotImplementedError


class _Handler(BaseHTTPRequestHandler):
    vendor: VendorServer

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        told = self.vendor.serve(Asked(self.command, self.path, headers, body))
        self.close_connection = True
        if told.hangs_up:
            return
        try:
            self.send_response(told.status)
            for name, value in told.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(told.body)))
            self.end_headers()
            self.wfile.write(told.body)
        except OSError:
            # The other side has stopped waiting, as it does for a vendor that is too slow.
            return

    do_GET = do_POST = do_DELETE = do_PUT = _serve  # noqa: N815  (http.server's names)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (the base's signature)
        """Write no access log."""
