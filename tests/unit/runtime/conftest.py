"""What the runtime's tests share: a Lambda environment, AWS in process, HTTP servers that fail on order."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import boto3
import pytest
from moto import mock_aws

from runtime.metadata import authorize, retrieve, sign, store
from runtime.shared import http_client, rotated_secret
from runtime.shared.logging import LOGGER
from tests.support.lambda_context import Context

TABLE_NAME = "ConnectBridgeMetadata"


@pytest.fixture(autouse=True)
def _lambda_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, value in {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_SESSION_TOKEN": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_REGION": "us-east-1",
        "NO_PROXY": "localhost,127.0.0.1",
        "TABLE_NAME": TABLE_NAME,
    }.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "KEY_ATTRIBUTE", "TTL_ATTRIBUTE", "TTL_SECONDS"):
        monkeypatch.delenv(name, raising=False)
    caches = (
        store._store,
        retrieve._table,
        authorize._tokens,
        sign._signer,
        rotated_secret.secrets_manager,
        http_client.tls,
    )
    for cache in caches:
        cache.cache_clear()
    yield
    for cache in caches:
        cache.cache_clear()


@pytest.fixture
def context() -> Context:
    return Context()


@pytest.fixture
def new_context() -> type[Context]:
    return Context


@pytest.fixture
def logs() -> Iterator[Callable[[], str]]:
    """Everything that the functions log, as text, from here on."""
    stream = io.StringIO()
    handler: Any = LOGGER.registered_handler
    before = handler.setStream(stream)
    yield stream.getvalue
    handler.setStream(before)


@pytest.fixture
def aws() -> Iterator[None]:
    with mock_aws():
        yield


@pytest.fixture
def dynamodb(aws: None) -> Any:
    """A DynamoDB client on moto in which the bridge's table exists."""
    client = boto3.client("dynamodb")
    client.create_table(
        TableName=TABLE_NAME,
        KeySchema=[{"AttributeName": "contactId", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "contactId", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return client


@dataclass
class Seen:
    """A request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body) if self.body else None


Answer = tuple[int, dict[str, str], bytes]


class HttpFake:
    """An HTTP server on loopback whose answers are the test's to say; records every request."""

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self.respond: Callable[[Seen], Answer] = lambda _: (200, {}, b"{}")
        self.drip_seconds = 0.0
        """Seconds between the bytes of an answer's body."""
        self._closing = threading.Event()
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _serve(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                seen = Seen(self.command, self.path, dict(self.headers.items()), self.rfile.read(length))
                fake.seen.append(seen)
                status, headers, body = fake.respond(seen)
                if status == 0:  # hang up without a word
                    self.close_connection = True
                    return
                try:
                    self.send_response(status)
                    for name, value in headers.items():
                        self.send_header(name, value)
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    for piece in [body] if not fake.drip_seconds else [bytes([byte]) for byte in body]:
                        self.wfile.write(piece)
                        if fake.drip_seconds and fake._closing.wait(fake.drip_seconds):
                            break
                except OSError:  # the client gave up waiting, which is what some tests are about
                    self.close_connection = True

            do_GET = do_PUT = do_POST = do_DELETE = _serve  # noqa: N815

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base's name)
                """Keep pytest's output clean."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def silent(self, _: Seen) -> Answer:
        """Never answer: a value for `respond`. Ends with the test."""
        self._closing.wait()
        return 0, {}, b""

    def slow(self, seconds: float, answer: Answer = (200, {}, b"")) -> Callable[[Seen], Answer]:
        """Return a value for `respond` that answers after some time, or when the test ends."""

        def respond(_: Seen) -> Answer:
            self._closing.wait(seconds)
            return answer

        return respond

    def close(self) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def new_fake() -> Iterator[Callable[[], HttpFake]]:
    opened: list[HttpFake] = []

    def open_one() -> HttpFake:
        opened.append(HttpFake())
        return opened[-1]

    yield open_one
    for fake in opened:
        fake.close()


@pytest.fixture
def fake(new_fake: Callable[[], HttpFake]) -> HttpFake:
    return new_fake()
