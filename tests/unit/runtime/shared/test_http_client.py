"""The HTTP client: one deadline for everything, and errors that tell whether the request may have arrived."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from runtime.shared import http_client
from runtime.shared.addresses import Reach
from runtime.shared.deadline import Deadline
from runtime.shared.http_client import AddressRefusedError, NoAnswerError, NotSentError, send
from runtime.shared.resolution import resolve

PAUSE = threading.Event()  # never set: waits for its time


@pytest.fixture
def serving() -> Iterator[Callable[[Callable[[socket.socket], None]], str]]:
    """Open a TCP server that does with a connection what the test says; its URL is returned."""
    listeners: list[socket.socket] = []

    def open_one(serve: Callable[[socket.socket], None]) -> str:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)

        def accept() -> None:
            try:
                connection, _ = listener.accept()
                with connection:
                    serve(connection)
            except OSError:  # the client hung up, which is what some tests are about
                return

        threading.Thread(target=accept, daemon=True).start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    yield open_one
    for listener in listeners:
        listener.close()


def until_hung_up(connection: socket.socket) -> None:
    while connection.recv(65_536):
        pass


def drip(connection: socket.socket) -> None:
    for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + b"x" * 1000:
        connection.sendall(bytes([byte]))
        PAUSE.wait(0.02)


def test_a_request_says_who_asks_and_that_the_connection_ends_with_it(fake: Any) -> None:
    fake.respond = lambda _: (201, {}, b"made")
    answer = send("POST", f"{fake.url}/a%20b?x=1", deadline=Deadline(2), headers={"X-Own": "1"}, body=b"{}")
    assert (answer.status, answer.body) == (201, b"made")
    (seen,) = fake.seen
    assert (seen.method, seen.path, seen.body) == ("POST", "/a%20b?x=1", b"{}")
    assert seen.headers["Connection"] == "close"
    assert seen.headers["User-Agent"] == "connect-bridges"
    assert seen.headers["X-Own"] == "1"
    assert seen.headers["Host"] == fake.url.removeprefix("http://")
    assert "Content-Type" not in seen.headers, "CloudFormation's URLs are signed for none"


def test_a_server_that_keeps_connections_open_does_not_hold_us_up(serving: Any) -> None:
    """Without `Connection: close` a server may leave the end of its answer to the connection's end."""

    def serve(connection: socket.socket) -> None:
        received = b""
        while b"\r\n\r\n" not in received:
            received += connection.recv(65_536)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\nall of it")
        if b"\r\nconnection: close\r\n" not in received.lower():
            until_hung_up(connection)

    assert send("GET", serving(serve), deadline=Deadline(1)).body == b"all of it"


# --- the deadline ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [100_000, None], ids=["body", "status only"])
def test_a_server_that_drips_is_cut_off_in_time(serving: Any, limit: int | None) -> None:
    started = time.monotonic()
    with pytest.raises(NoAnswerError) as raised:
        send("GET", f"{serving(drip)}/x?y=z", deadline=Deadline(0.3), limit=limit)
    assert raised.value.timed_out
    assert time.monotonic() - started < 1
    assert "y=z" not in str(raised.value)


def test_a_body_without_a_length_that_is_cut_is_no_answer(serving: Any) -> None:
    def serve(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\nhalf of ")
        until_hung_up(connection)

    with pytest.raises(NoAnswerError) as raised:
        send("GET", serving(serve), deadline=Deadline(0.3))
    assert raised.value.timed_out


def test_a_server_that_never_shakes_hands_is_given_up_and_nothing_was_sent(serving: Any) -> None:
    started = time.monotonic()
    with pytest.raises(NotSentError) as raised:
        send("GET", serving(until_hung_up).replace("http:", "https:"), deadline=Deadline(0.3))
    assert raised.value.timed_out
    assert time.monotonic() - started < 1


def test_a_handshake_that_drips_is_cut_off_in_time(serving: Any) -> None:
    def serve(connection: socket.socket) -> None:
        connection.sendall(b"\x16\x03\x03\x40\x00")  # a record of 16 KiB begins
        while True:
            connection.sendall(b"\x00")
            PAUSE.wait(0.05)

    started = time.monotonic()
    with pytest.raises(NotSentError):
        send("GET", serving(serve).replace("http:", "https:"), deadline=Deadline(0.4))
    assert time.monotonic() - started < 1


def test_a_host_of_many_silent_addresses_is_given_up_in_the_same_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tried: list[float] = []

    def silent(_address: str, _port: int, seconds: float) -> Any:
        tried.append(seconds)
        PAUSE.wait(seconds)
        raise TimeoutError

    resolving(monkeypatch, *(f"192.0.2.{n}" for n in range(1, 9)))
    monkeypatch.setattr(http_client, "open_connection", silent)
    monkeypatch.setattr(http_client, "CONNECT_SECONDS", 0.1)
    started = time.monotonic()
    with pytest.raises(NotSentError) as raised:
        send("GET", "http://example.com/", deadline=Deadline(0.35))
    assert raised.value.timed_out
    assert time.monotonic() - started < 0.8
    assert 3 <= len(tried) <= 5


def resolving(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    """Let the system's resolver answer with these, whatever it is asked for."""
    entries = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 80)) for address in addresses]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: entries)


def test_a_name_server_that_hangs_costs_one_thread_however_often_it_is_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    released, asked = threading.Event(), list[str]()

    def hang(host: str, *_: Any, **__: Any) -> list[Any]:
        asked.append(host)
        released.wait(30)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.1", 80))]

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    before, started = set(threading.enumerate()), time.monotonic()
    for _ in range(5):
        with pytest.raises(NotSentError) as raised:
            send("GET", "http://hanging.example.com/", deadline=Deadline(0.05))
        assert raised.value.timed_out
    assert time.monotonic() - started < 1
    assert asked == ["hanging.example.com"]
    # Others of this process may end meanwhile.
    assert len(set(threading.enumerate()) - before) == 1

    # Whoever still waits when the answer comes gets it, and the next one asks anew.
    threading.Timer(0.05, released.set).start()
    assert resolve("hanging.example.com", 80, Deadline(5)) == ["192.0.2.1"]
    assert resolve("hanging.example.com", 80, Deadline(5)) == ["192.0.2.1"]
    assert asked == ["hanging.example.com"] * 2


def test_a_resolver_that_takes_its_time_is_asked_once_and_the_deadline_holds(
    monkeypatch: pytest.MonkeyPatch, serving: Any
) -> None:
    """It answered just in time; connecting to one of its addresses must not ask it again, without a limit."""
    real, asked = socket.getaddrinfo, list[str]()

    def slow(host: str, *arguments: Any, **options: Any) -> Any:
        asked.append(host)
        PAUSE.wait(0.2 if host == "slow.example.com" else 2)
        return real("127.0.0.1", *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    port = serving(until_hung_up).rpartition(":")[2]
    started = time.monotonic()
    with pytest.raises(NoAnswerError) as raised:
        send("GET", f"http://slow.example.com:{port}/", deadline=Deadline(0.5))
    assert raised.value.timed_out
    assert time.monotonic() - started < 1
    assert asked == ["slow.example.com"]


# --- what errors tell --------------------------------------------------------------------------------------------


def test_an_answer_that_is_too_long_is_none(fake: Any) -> None:
    fake.respond = lambda _: (200, {}, b"x" * 100)
    with pytest.raises(NoAnswerError, match="longer than 99 bytes"):
        send("GET", fake.url, deadline=Deadline(2), limit=99)
    assert send("GET", fake.url, deadline=Deadline(2), limit=100).body == b"x" * 100


def test_an_answer_that_ends_early_is_none(serving: Any) -> None:
    def serve(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
        connection.shutdown(socket.SHUT_WR)
        until_hung_up(connection)

    with pytest.raises(NoAnswerError, match="IncompleteRead") as raised:
        send("GET", serving(serve), deadline=Deadline(2))
    assert not raised.value.timed_out


def test_where_nobody_listens_nothing_was_sent() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(NotSentError, match=r"no connection \(ConnectionRefusedError\)") as raised:
        send("GET", f"http://127.0.0.1:{port}", deadline=Deadline(2))
    assert not raised.value.timed_out


def test_who_speaks_no_tls_gets_nothing(fake: Any) -> None:
    with pytest.raises(NotSentError, match="no TLS connection"):
        send("GET", fake.url.replace("http:", "https:"), deadline=Deadline(2))
    assert fake.seen == []


@pytest.mark.parametrize("address", ["169.254.169.254", "10.0.0.5", "127.0.0.1"])
def test_a_public_host_that_leads_inside_is_refused_before_anything_is_sent(
    monkeypatch: pytest.MonkeyPatch, fake: Any, address: str
) -> None:
    resolving(monkeypatch, address)
    port = fake.url.rpartition(":")[2]
    with pytest.raises(AddressRefusedError, match=f"resolves to {address}, which is not a public address"):
        send("GET", f"http://bot.example.com:{port}/", deadline=Deadline(2), reach=Reach.PUBLIC)
    assert fake.seen == []
