from __future__ import annotations

import copy
import datetime as dt
import ipaddress
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from moto import mock_aws

from runtime.chat import key_age, start

CONTACT_ID = "5f1e2d3c-4b5a-4978-8697-a5b4c3d2e1f0"
INITIAL_CONTACT_ID = "00112233-4455-4677-8899-aabbccddeeff"
INSTANCE_ID = "11111111-2222-3333-4444-555555555555"
TOPIC_ARN = "arn:aws:sns:us-east-1:123456789012:ChatStream"
TOKEN = "17ceed4151e38bae8d16cd547e0144203"
STREAMING_ID = "0b6c7a1e-streaming"


@pytest.fixture(autouse=True)
def _chat_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TOPIC_ARN", TOPIC_ARN)
    for name in ("WEBHOOK_URL", "TOKEN_SECRET_ARN", "TOKEN_HEADER", "CACHE_SECONDS", "DEADLINE_MILLISECONDS"):
        monkeypatch.delenv(name, raising=False)
    for cache in (start._bridge, key_age._user):
        cache.cache_clear()
    yield
    for cache in (start._bridge, key_age._user):
        cache.cache_clear()


@pytest.fixture
def event() -> dict[str, Any]:
    """What Amazon Connect sends for a chat that was transferred once; documented keys, some of them null."""
    return copy.deepcopy(
        {
            "Name": "ContactFlowEvent",
            "Details": {
                "ContactData": {
                    "Attributes": {"customer": "said something private"},
                    "Channel": "CHAT",
                    "ContactId": CONTACT_ID,
                    "CustomerEndpoint": None,
                    "CustomerId": None,
                    "Description": None,
                    "InitialContactId": INITIAL_CONTACT_ID,
                    "InitiationMethod": "API",
                    "InstanceARN": f"arn:aws:connect:us-east-1:123456789012:instance/{INSTANCE_ID}",
                    "LanguageCode": "en-US",
                    "MediaStreams": {"Customer": {"Audio": None}},
                    "Name": None,
                    "PreviousContactId": CONTACT_ID,
                    "Queue": None,
                    "References": {},
                    "SystemEndpoint": None,
                },
                "Parameters": {},
            },
        }
    )


@pytest.fixture
def secret(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A Secrets Manager client, and a secret with the token in it that the function is told about."""
    with mock_aws():
        client = boto3.client("secretsmanager")
        monkeypatch.setenv("TOKEN_SECRET_ARN", client.create_secret(Name="Token", SecretString=TOKEN)["ARN"])
        yield client


@pytest.fixture
def secrets_http(new_fake: Callable[[], Any], monkeypatch: pytest.MonkeyPatch) -> Any:
    """Secrets Manager as an HTTP server whose answers are the test's to say."""
    fake = new_fake()
    monkeypatch.setenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", fake.url)
    monkeypatch.setenv(
        "TOKEN_SECRET_ARN", "arn:aws:secretsmanager:us-east-1:123456789012:secret:Token-AbCdEf"
    )
    return fake


class Connect:
    """Answers StartContactStreaming and StopContactStreaming over HTTP, and keeps what is streaming."""

    def __init__(self, http: Any) -> None:
        self.http = http
        self.streaming: set[str] = set()
        self.refusals: list[tuple[int, str]] = []
        self.stop_refusals: list[tuple[int, str]] = []
        self.slow_answers = 0
        self.garbled_answers: list[bytes] = []
        http.respond = self._respond

    @property
    def starts(self) -> list[Any]:
        return [seen.json() for seen in self.http.seen if seen.path == "/contact/start-streaming"]

    @property
    def stops(self) -> list[Any]:
        return [seen.json() for seen in self.http.seen if seen.path == "/contact/stop-streaming"]

    def _respond(self, seen: Any) -> tuple[int, dict[str, str], bytes]:
        starting = seen.path == "/contact/start-streaming"
        refusals = self.refusals if starting else self.stop_refusals
        if refusals:
            status, code = refusals.pop(0)
            if status == 0:
                return 0, {}, b""
            return status, {"x-amzn-ErrorType": code}, json.dumps({"Message": "because"}).encode()
        if starting:
            self.streaming.add(STREAMING_ID)
            if self.slow_answers:
                self.slow_answers -= 1
                self.http.slow(1.3)(seen)  # longer than the client waits
            if self.garbled_answers:
                return 200, {}, self.garbled_answers.pop(0)
            return 200, {}, json.dumps({"StreamingId": STREAMING_ID}).encode()
        if seen.json()["StreamingId"] not in self.streaming:
            return 404, {"x-amzn-ErrorType": "ResourceNotFoundException"}, b"{}"
        self.streaming.discard(seen.json()["StreamingId"])
        return 200, {}, b"{}"


@pytest.fixture
def connect(new_fake: Callable[[], Any], monkeypatch: pytest.MonkeyPatch) -> Connect:
    fake = Connect(new_fake())
    monkeypatch.setenv("AWS_ENDPOINT_URL_CONNECT", fake.http.url)
    return fake


@pytest.fixture
def webhook(new_fake: Callable[[], Any], monkeypatch: pytest.MonkeyPatch) -> Any:
    """The vendor, on loopback; it answers 200 until told otherwise."""
    fake = new_fake()
    monkeypatch.setenv("WEBHOOK_URL", f"{fake.url}/adapter/hooks/amazonconnect/st-1")
    return fake


class RawServer:
    """A TCP server on loopback that does with each connection what the test says."""

    def __init__(self, serve: Callable[[socket.socket], None]) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.connections = 0

        def accept() -> None:
            while True:
                try:
                    connection, _ = self._listener.accept()
                except OSError:
                    return
                self.connections += 1
                threading.Thread(target=guarded, args=(connection,), daemon=True).start()

        def guarded(connection: socket.socket) -> None:
            try:
                with connection:
                    serve(connection)
            except OSError:  # the client hung up, which is what some tests are about
                return

        threading.Thread(target=accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()


@pytest.fixture
def raw_server() -> Iterator[Callable[[Callable[[socket.socket], None]], RawServer]]:
    opened: list[RawServer] = []

    def open_one(serve: Callable[[socket.socket], None]) -> RawServer:
        opened.append(RawServer(serve))
        return opened[-1]

    yield open_one
    for server in opened:
        server.close()


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Self-signed certificates: one for localhost, one for another host."""
    return {
        name: _certificate(tmp_path_factory.mktemp("tls"), name) for name in ("localhost", "bot.example.com")
    }


def _certificate(folder: Path, name: str) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    names: list[x509.GeneralName] = [x509.DNSName(name)]
    if name == "localhost":
        names.append(x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "both.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return path


@pytest.fixture(scope="session")
def serving_tls() -> Callable[[Path], Callable[[socket.socket], None]]:
    """What answers 200 to one request over TLS, given a certificate."""

    def with_certificate(certificate: Path) -> Callable[[socket.socket], None]:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)

        def serve(connection: socket.socket) -> None:
            with context.wrap_socket(connection, server_side=True) as secured:
                received = b""
                while not received.endswith(b"}"):  # to the end of the JSON document
                    received += secured.recv(65536)
                secured.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

        return serve

    return with_certificate
