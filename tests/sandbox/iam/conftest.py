from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import botocore.session
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError
from connect_sandbox.iam import AwsCall, Lookup, describe_call

ACCOUNT = "123456789012"
REGION = "us-east-1"


@dataclass
class Loopback:
    """An HTTP server that describes each request and answers as ``answer`` says."""

    lookup: Lookup | None = None
    answer: Callable[[AwsCall], tuple[int, dict[str, str], bytes]] = lambda _call: (200, {}, b"")
    calls: list[AwsCall] = field(default_factory=list)
    errors: list[Exception] = field(default_factory=list)
    url: str = ""
    session: Any = field(default_factory=botocore.session.Session)
    clients: dict[tuple[Any, ...], Any] = field(default_factory=dict)

    def client(self, service: str, **config: Any) -> Any:
        key = (service, *sorted(config.items()))
        if key not in self.clients:
            settings = Config(retries={"max_attempts": 0}, inject_host_prefix=False, **config)
            self.clients[key] = self.session.create_client(
                service, region_name=REGION, endpoint_url=self.url, config=settings
            )
        return self.clients[key]

    def describe(self, service: str, operation: str, **params: Any) -> AwsCall:
        """Make the call with boto3's client and return what was described."""
        before = len(self.calls)
        client = self.client(service)
        # The empty answer suits few operations; only the request matters here.
        with contextlib.suppress(BotoCoreError, ClientError, ResponseParserError):
            getattr(client, operation)(**params)
        if self.errors:
            raise self.errors.pop()
        assert len(self.calls) == before + 1
        return self.calls[-1]


@pytest.fixture
def loopback(server: Loopback) -> Loopback:
    server.lookup = None
    server.answer = lambda _call: (200, {}, b"")
    server.calls.clear()
    server.errors.clear()
    return server


@pytest.fixture(scope="module")
def server() -> Iterator[Loopback]:
    state = Loopback()
    state.session.set_credentials("ASIAEXAMPLE", "secret", "token")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"  # answers S3's Expect: 100-continue

        def handle_all(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            try:
                call = describe_call(
                    self.command,
                    self.path,
                    "",
                    list(self.headers.items()),
                    body,
                    region=REGION,
                    account=ACCOUNT,
                    lookup=state.lookup,
                )
            except Exception as error:  # noqa: BLE001 - handed to the test, which runs in another thread
                state.errors.append(error)
                status, headers, content = 500, {}, b""
            else:
                state.calls.append(call)
                status, headers, content = state.answer(call)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  (the base class's name)
            """Keep the test's output clean."""

    for method in ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH"):
        setattr(Handler, f"do_{method}", Handler.handle_all)
    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=http.serve_forever, daemon=True)
    thread.start()
    state.url = f"http://localhost:{http.server_port}"
    yield state
    http.shutdown()
    http.server_close()
    thread.join()
