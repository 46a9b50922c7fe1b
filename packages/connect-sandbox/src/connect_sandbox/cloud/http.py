"""HTTP requests and responses, and the threaded HTTP/1.1 server that carries them to the sandbox's front.

Every AWS call of the CDK command line, a function or a test enters here, so the server is plain and strict:
bodies by Content-Length or chunked, one response with a Content-Length, connections kept alive.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, unquote

_LOG = logging.getLogger(__name__)
# Hop-by-hop headers (RFC 9110, section 7.6.1), and those that the server writes itself.
HOP_BY_HOP = frozenset(
    {"connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"}
)
_SERVER_WRITES = HOP_BY_HOP | {"content-length", "date", "server"}


class Headers:
    """HTTP headers in the order received; looked up without regard to case."""

    def __init__(self, items: Iterable[tuple[str, str]] = ()) -> None:
        """`items` are (name, value) pairs; a name may occur more than once."""
        self._items = [(str(name), str(value)) for name, value in items]

    def get(self, name: str, default: str = "") -> str:
        """Return the first value of `name`, or `default`."""
        return next((value for key, value in self._items if key.lower() == name.lower()), default)

    def get_all(self, name: str) -> list[str]:
        """Return every value of `name`, in order."""
        return [value for key, value in self._items if key.lower() == name.lower()]

    def items(self) -> list[tuple[str, str]]:
        """Return the (name, value) pairs in the order received."""
        return list(self._items)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and any(key.lower() == name.lower() for key, _ in self._items)


@dataclass(frozen=True)
class HttpRequest:
    """One request as it arrived: the target undecoded, the body complete."""

    method: str
    target: str
    headers: Headers
    body: bytes = b""
    source_ip: str = "127.0.0.1"

    @property
    def raw_path(self) -> str:
        """The path, still percent-encoded."""
        return self.target.split("?", 1)[0]

    @property
    def path(self) -> str:
        """The path, decoded."""
        return unquote(self.raw_path)

    @property
    def query_string(self) -> str:
        """The query string without the question mark; empty if there is none."""
        return self.target.partition("?")[2]

    @property
    def query(self) -> list[tuple[str, str]]:
        """The query parameters, decoded, in order; a name may occur more than once."""
        return parse_qsl(self.query_string, keep_blank_values=True)

    @property
    def host(self) -> str:
        """The Host header."""
        return self.headers.get("Host")


@dataclass
class HttpResponse:
    """One response. The server writes Content-Length from the body."""

    status: int
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    # The length announced in a response to HEAD, whose body is empty.
    head_length: int | None = None


Handler = Callable[[HttpRequest], HttpResponse]


class HttpServer:
    """A threaded HTTP/1.1 server on a loopback port that hands every request to one handler."""

    def __init__(self, handler: Handler, port: int = 0) -> None:
        """Bind immediately; `port` 0 takes a free one. Serving starts with `start`."""
        self._server = _ThreadingServer(("127.0.0.1", port), _make_request_handler(handler))
        self._thread = threading.Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": 0.05},
            name="sandbox-front",
            daemon=True,
        )

    @property
    def port(self) -> int:
        """The port that the server listens on."""
        return int(self._server.server_address[1])

    def start(self) -> None:
        """Serve in a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """Stop serving and close the port."""
        self._server.stopping = True
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _ThreadingServer(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    #: From now on failures only mean that the sandbox is stopping.
    stopping = False

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002  (the base's signature)
        # A client that disconnects midway (a killed function, a stopped CLI) is no bug here.
        _LOG.debug("connection from %s ended early", client_address, exc_info=True)


def _make_request_handler(handler: Handler) -> type[BaseHTTPRequestHandler]:  # noqa: C901  (one class)
    class RequestHandler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        timeout = 120

        def _serve(self) -> None:
            request = HttpRequest(
                method=self.command,
                target=self.path,
                headers=Headers(self.headers.items()),
                body=self._read_body(),
                source_ip=str(self.client_address[0]),
            )
            try:
                response = handler(request)
            except Exception:  # noqa: BLE001  (a request must be answered whatever happens)
                level = logging.DEBUG if getattr(self.server, "stopping", False) else logging.ERROR
                _LOG.log(level, "%s %s failed inside the sandbox", self.command, self.path, exc_info=True)
                response = HttpResponse(
                    500, [("Content-Type", "text/plain")], b"the sandbox failed; see its log"
                )
            self._write(response)

        def _read_body(self) -> bytes:
            if "chunked" in (self.headers.get("Transfer-Encoding") or "").lower():
                return _read_chunked(self.rfile.readline, self.rfile.read)
            return self.rfile.read(int(self.headers.get("Content-Length", "0")))

        def _write(self, response: HttpResponse) -> None:
            self.send_response_only(response.status)
            for name, value in response.headers:
                if name.lower() not in _SERVER_WRITES:
                    self.send_header(name, value)
            self.send_header("Date", self.date_time_string())
            if response.status != 204:  # RFC 9110, section 8.6: no Content-Length with 204
                length = len(response.body) if response.head_length is None else response.head_length
                self.send_header("Content-Length", str(length))
            self.end_headers()
            if self.command != "HEAD" and response.status not in {204, 304}:
                self.wfile.write(response.body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (the base's signature)
            _LOG.debug(format, *args)

        do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = do_OPTIONS = _serve  # noqa: N815

    return RequestHandler


def _read_chunked(readline: Callable[[], bytes], read: Callable[[int], bytes]) -> bytes:
    body = bytearray()
    while True:
        size = int(readline().split(b";", 1)[0].strip() or b"0", 16)
        if size == 0:
            while readline().strip():  # the trailer section ends with an empty line
                continue
            return bytes(body)
        body += read(size)
        readline()
