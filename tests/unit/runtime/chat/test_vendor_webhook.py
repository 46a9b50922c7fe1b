from __future__ import annotations

import ipaddress
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runtime.chat.failures import BotNotReachedError, Reason
from runtime.chat.vendor_webhook import InvalidWebhookError, VendorWebhook
from runtime.shared import http_client
from runtime.shared.addresses import is_public
from runtime.shared.deadline import Deadline

Serve = Callable[[socket.socket], None]
PAUSE = threading.Event()  # never set: waits for its time
DOCUMENT = {"Type": "InitializeConnection"}


def until_hung_up(connection: socket.socket) -> None:
    while connection.recv(65_536):
        pass


def post(url: str, seconds: float = 2.0) -> None:
    VendorWebhook(url).post(DOCUMENT, "token", Deadline(seconds), key="one-request")


def reason_of(url: str, seconds: float = 2.0) -> Reason:
    with pytest.raises(BotNotReachedError) as raised:
        post(url, seconds)
    return raised.value.reason


# --- TLS ---------------------------------------------------------------------------------------------------------


def test_a_trusted_certificate_for_the_host_is_accepted(
    raw_server: Any,
    serving_tls: Callable[[Path], Serve],
    certificates: dict[str, Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates["localhost"]))
    server = raw_server(serving_tls(certificates["localhost"]))
    post(f"https://localhost:{server.port}/hook")
    assert server.connections == 1


def test_an_unknown_certificate_is_refused_once(
    raw_server: Any, serving_tls: Callable[[Path], Serve], certificates: dict[str, Path]
) -> None:
    server = raw_server(serving_tls(certificates["localhost"]))
    assert reason_of(f"https://localhost:{server.port}/hook") is Reason.WEBHOOK_UNTRUSTED
    assert server.connections == 1


def test_a_trusted_certificate_for_another_host_is_refused(
    raw_server: Any,
    serving_tls: Callable[[Path], Serve],
    certificates: dict[str, Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates["bot.example.com"]))
    server = raw_server(serving_tls(certificates["bot.example.com"]))
    assert reason_of(f"https://localhost:{server.port}/hook") is Reason.WEBHOOK_UNTRUSTED


@pytest.mark.parametrize(
    ("certificate", "accepted"),
    [("bot.example.com", True), ("localhost", False)],
    ids=["its own", "another's"],
)
def test_a_public_host_is_asked_for_by_name_at_the_address_that_was_found(
    raw_server: Any,
    serving_tls: Callable[[Path], Serve],
    certificates: dict[str, Path],
    monkeypatch: pytest.MonkeyPatch,
    certificate: str,
    accepted: bool,
) -> None:
    """The network is bent, so that a public address ends at this machine; the rest is the real thing."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates[certificate]))
    server = raw_server(serving_tls(certificates[certificate]))
    connect = http_client.open_connection
    asked_for: list[tuple[str, int]] = []

    def bent(address: str, port: int, seconds: float) -> socket.socket:
        asked_for.append((address, port))
        return connect("127.0.0.1", server.port, seconds)

    monkeypatch.setattr(
        socket, "getaddrinfo", _only_for("bot.example.com", "52.94.236.248", socket.getaddrinfo)
    )
    monkeypatch.setattr(http_client, "open_connection", bent)
    if accepted:
        post("https://bot.example.com/hook")
    else:
        assert reason_of("https://bot.example.com/hook") is Reason.WEBHOOK_UNTRUSTED
    assert asked_for == [("52.94.236.248", 443)]


def _only_for(name: str, address: str, real: Any) -> Callable[..., Any]:
    def getaddrinfo(host: str, port: Any, *arguments: Any, **options: Any) -> Any:
        return real(address if host == name else host, port, *arguments, **options)

    return getaddrinfo


def test_a_server_that_never_shakes_hands_is_given_up_at_the_deadline(raw_server: Any) -> None:
    server = raw_server(until_hung_up)
    started = time.monotonic()
    assert reason_of(f"https://localhost:{server.port}/hook", seconds=0.6) is Reason.WEBHOOK_TIMED_OUT
    assert time.monotonic() - started < 1.2


# --- answers that never end --------------------------------------------------------------------------------------


def read_request(connection: socket.socket) -> None:
    """Read to the end of the JSON document; closing before would reset the connection."""
    received = b""
    while not received.endswith(b"}"):
        received += connection.recv(65536)


def answering(answer: bytes) -> Serve:
    def serve(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(answer)

    return serve


OK = answering(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")


def dripping(connection: socket.socket) -> None:
    read_request(connection)
    for byte in b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 1000:
        connection.sendall(bytes([byte]))
        PAUSE.wait(0.05)


def continuing(connection: socket.socket) -> None:
    read_request(connection)
    while True:
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        PAUSE.wait(0.05)


@pytest.mark.parametrize("serve", [dripping, continuing])
def test_a_byte_now_and_then_does_not_outlast_the_deadline(raw_server: Any, serve: Serve) -> None:
    server = raw_server(serve)
    started = time.monotonic()
    assert reason_of(f"http://localhost:{server.port}/hook", seconds=0.8) is Reason.WEBHOOK_TIMED_OUT
    assert time.monotonic() - started < 1.3


def test_a_huge_body_is_not_read(raw_server: Any) -> None:
    def huge(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        until_hung_up(connection)

    started = time.monotonic()
    post(f"http://localhost:{raw_server(huge).port}/hook")
    assert time.monotonic() - started < 1


@pytest.mark.parametrize(
    "answer",
    [b"", b"SSH-2.0-OpenSSH_9.6\r\n", b"HTTP/1.1 2", b"HTTP/1.1 nonsense\r\n\r\n", b"\x00" * 100_000],
    ids=["nothing", "not HTTP", "half an answer", "no status", "zeros"],
)
def test_what_is_no_answer_is_an_unreachable_webhook(raw_server: Any, answer: bytes) -> None:
    serve = answering(answer)
    started = time.monotonic()
    reason = reason_of(f"http://localhost:{raw_server(serve).port}/hook", seconds=0.5)
    assert reason in {Reason.WEBHOOK_UNREACHABLE, Reason.WEBHOOK_TIMED_OUT}
    assert time.monotonic() - started < 1


# --- addresses ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        "10.0.0.5",
        "100.64.0.1",
        "127.0.0.1",
        "169.254.169.254",
        "172.16.3.4",
        "192.168.1.1",
        "192.0.2.1",
        "0.0.0.0",  # noqa: S104
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1",
        "fd00:ec2::254",
        "ff02::1",
        "::ffff:169.254.169.254",
        "::ffff:10.0.0.5",
        "64:ff9b::a9fe:a9fe",
        "2002:a00:5::1",
        "2001:db8::1",
    ],
)
def test_internal_addresses_are_not_public_however_they_are_written(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["52.94.236.248", "8.8.8.8", "2600:9000::1", "64:ff9b::808:808"])
def test_addresses_of_the_internet_are_public(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


def resolving(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    """Let the system's resolver answer with these, whatever it is asked for."""

    def getaddrinfo(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        return [
            (
                socket.AF_INET6 if ":" in address else socket.AF_INET,
                socket.SOCK_STREAM,
                6,
                "",
                (address, port),
            )
            for address in addresses
        ]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


@pytest.mark.parametrize(
    "addresses",
    [("169.254.169.254",), ("127.0.0.1",), ("10.1.2.3",), ("::1",), ("8.8.8.8", "10.1.2.3")],
    ids=["metadata", "loopback", "private", "loopback 6", "one of two"],
)
def test_a_host_name_that_leads_inside_is_refused_and_nothing_is_sent(
    monkeypatch: pytest.MonkeyPatch, raw_server: Any, addresses: tuple[str, ...]
) -> None:
    server = raw_server(lambda connection: connection.recv(1))
    resolving(monkeypatch, *addresses)
    assert reason_of(f"https://bot.example.com:{server.port}/hook") is Reason.WEBHOOK_ADDRESS_REFUSED
    assert server.connections == 0


@pytest.mark.parametrize("host", ["169.254.169.254", "10.0.0.1", "[::ffff:169.254.169.254]", "2130706433"])
def test_an_internal_address_instead_of_a_name_is_refused(host: str) -> None:
    assert reason_of(f"https://{host}/latest/meta-data") is Reason.WEBHOOK_ADDRESS_REFUSED


def test_localhost_that_leads_elsewhere_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    resolving(monkeypatch, "8.8.8.8")
    assert reason_of("http://localhost:8080/hook") is Reason.WEBHOOK_ADDRESS_REFUSED


def test_the_connection_goes_to_the_address_that_was_checked(
    monkeypatch: pytest.MonkeyPatch, raw_server: Any
) -> None:
    """Whoever answers differently the second time is not asked a second time."""
    server = raw_server(OK)
    asked: list[str] = []
    real = socket.getaddrinfo

    def rebinding(host: str, port: Any, *arguments: Any, **options: Any) -> Any:
        asked.append(host)
        return real(
            "127.0.0.1" if asked.count("localhost") == 1 else "169.254.169.254", port, *arguments, **options
        )

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    VendorWebhook(f"http://localhost:{server.port}/hook").post(
        DOCUMENT, "token", Deadline(2), key="one-request"
    )
    assert asked.count("localhost") == 1
    assert server.connections == 1


def test_a_name_server_that_does_not_answer_is_given_up_at_the_deadline(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answered = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answered.wait(30) and [])
    started = time.monotonic()
    assert reason_of("https://slow.example.com/hook", seconds=0.3) is Reason.WEBHOOK_TIMED_OUT
    assert time.monotonic() - started < 0.6
    answered.set()


def test_a_host_that_does_not_exist_is_unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: Any, **__: Any) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    assert reason_of("https://bot.example.com/hook", seconds=0.3) is Reason.WEBHOOK_UNREACHABLE


def test_the_next_address_is_tried_if_one_does_not_accept(
    monkeypatch: pytest.MonkeyPatch, raw_server: Any
) -> None:
    server = raw_server(OK)
    real = socket.getaddrinfo

    def both(host: str, port: Any, *arguments: Any, **options: Any) -> Any:
        if host != "localhost":
            return real(host, port, *arguments, **options)
        return real("127.0.0.2", port, *arguments, **options) + real("127.0.0.1", port, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", both)
    post(f"http://localhost:{server.port}/hook")
    assert server.connections == 1


# --- URLs --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "",
        "bot.example.com/hook",
        "http://bot.example.com/hook",
        "http://127.0.0.2/hook",
        "http://localhost.example.com/",
        "https:///hook",
        "https://[::1/",
        "https://bot.example.com/höök",
        "https://bot.example.com/a\r\nX-Injected: yes",
        "https://someone@bot.example.com/",
        "file:///etc/passwd",
    ],
)
def test_what_is_no_webhook_url_is_refused(url: str) -> None:
    with pytest.raises(InvalidWebhookError):
        VendorWebhook(url)


def test_path_and_query_reach_the_webhook_as_configured(fake: Any) -> None:
    post(f"{fake.url}/hooks/a%20b?x=1&y=%2F")
    assert fake.seen[0].path == "/hooks/a%20b?x=1&y=%2F"
    post(fake.url)
    assert fake.seen[1].path == "/"
