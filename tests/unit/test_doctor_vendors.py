"""doctor and vendors' addresses: a handshake, through a proxy too, and nothing else."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from connect_bridges.operations.doctor import vendors
from connect_bridges.operations.doctor.findings import About, Finding, Status

from rehearsals.vendors.https import HttpsVendors

RIGHT, EXPIRED = "bot.example.com", "old.example.com"


@pytest.fixture(scope="module")
def served() -> Iterator[HttpsVendors]:
    with HttpsVendors((RIGHT, EXPIRED), expired=(EXPIRED,)) as running:
        yield running


@pytest.fixture
def behind_a_proxy(served: HttpsVendors, monkeypatch: pytest.MonkeyPatch) -> HttpsVendors:
    for name, value in served.environment.items():
        monkeypatch.setenv(name, value)
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    return served


@pytest.fixture
def without_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(vendors, "_LIMIT", 0.2)


def looked_at(url: str) -> Finding:
    return vendors.endpoint(About("endpoint-tls", "support/Chat"), url)


def test_a_vendor_with_a_trusted_certificate_passes(behind_a_proxy: HttpsVendors) -> None:
    found = looked_at(f"https://{RIGHT}/hook")
    assert found.status is Status.OK
    assert found.found == f"{RIGHT}:443 answers with TLSv1.3 and a trusted certificate"
    assert behind_a_proxy.reached.count(RIGHT) == 1


@pytest.mark.usefixtures("behind_a_proxy")
def test_an_expired_certificate_is_named() -> None:
    found = looked_at(f"https://{EXPIRED}/hook")
    assert found.status is Status.FAILURE
    assert found.found == f"the certificate of {EXPIRED}:443 is not trusted: certificate has expired"
    assert found.commands == (f"openssl s_client -connect {EXPIRED}:443 -servername {EXPIRED} </dev/null",)


def test_a_certificate_of_an_unknown_authority_is_named(
    behind_a_proxy: HttpsVendors, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    assert behind_a_proxy.port
    assert "unable to get local issuer certificate" in looked_at(f"https://{RIGHT}/").found


@pytest.mark.usefixtures("behind_a_proxy")
def test_what_a_proxy_does_not_reach_is_told() -> None:
    found = looked_at("https://nobody.example.com/")
    assert found.status is Status.FAILURE
    assert found.found == "no TLS with nobody.example.com:443: Tunnel connection failed: 502 Bad Gateway"


@pytest.mark.usefixtures("without_proxy")
@pytest.mark.parametrize(
    ("behaviour", "says"),
    [
        (socket.gaierror(-2, "Name or service not known"), "the name bot.example.com does not resolve"),
        (
            ConnectionRefusedError(111, "Connection refused"),
            "no TLS with bot.example.com:443: Connection refused",
        ),
        (TimeoutError(), "bot.example.com:443 did not answer within 0.2 s"),
    ],
)
def test_a_vendor_that_is_not_reached_is_told_why(
    behaviour: OSError, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def connect(*_: object, **__: object) -> socket.socket:
        raise behaviour

    monkeypatch.setattr(socket, "create_connection", connect)
    found = looked_at("https://bot.example.com/hook")
    assert (found.status, found.found) == (Status.FAILURE, says)
    assert found.fix


@pytest.mark.usefixtures("without_proxy")
def test_a_vendor_that_accepts_and_says_nothing_runs_into_the_time_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    connect = socket.create_connection
    with socket.create_server(("127.0.0.1", 0)) as silent:
        place = silent.getsockname()
        monkeypatch.setattr(socket, "create_connection", lambda *_, **__: connect(place, timeout=0.2))
        assert "did not answer within 0.2 s" in looked_at("https://bot.example.com/hook").found


@pytest.mark.usefixtures("without_proxy")
def test_what_answers_without_tls_is_told(served: HttpsVendors, monkeypatch: pytest.MonkeyPatch) -> None:
    connect = socket.create_connection
    with socket.create_server(("127.0.0.1", 0)) as plain:
        client = connect(plain.getsockname(), timeout=2)
        accepted, _ = plain.accept()
        accepted.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        monkeypatch.setattr(socket, "create_connection", lambda *_, **__: client)
        assert "no TLS with bot.example.com:443" in looked_at("https://bot.example.com/hook").found
        accepted.close()
    assert served.port


@pytest.mark.parametrize("url", ["http://localhost:8080/hook", "http://127.0.0.1:8080", "https://[::1]/hook"])
def test_an_address_of_this_machine_is_a_warning(url: str) -> None:
    found = looked_at(url)
    assert found.status is Status.WARNING
    assert "Amazon SNS refuses it" in found.found


def test_plain_http_and_what_is_no_url_are_failures() -> None:
    assert looked_at("http://bot.example.com/hook").found == "http://bot.example.com/hook is not https"
    assert "is no URL" in looked_at("https://bot.example.com:99999/hook").found


@pytest.mark.parametrize(
    ("error", "status"), [(None, Status.OK), (socket.gaierror(-2, "unknown"), Status.WARNING)]
)
def test_the_session_border_controllers_name_has_to_resolve(
    error: OSError | None, status: Status, monkeypatch: pytest.MonkeyPatch
) -> None:
    def resolve(*_: object) -> list[object]:
        if error:
            raise error
        return []

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    assert vendors.connector_host(About("connector-host", "x"), "sbc.example.com").status is status
