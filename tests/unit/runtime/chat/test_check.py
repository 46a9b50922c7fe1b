"""The dry run of the start function: what it finds, and that no chat and no vendor notices."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from typing import Any

import pytest

from runtime.chat.start import handler

FOUND = {
    "streaming": "checked",
    "reason": "none",
    "token": "read",
    "start": "ResourceNotFoundException",
    "stop": "none",
    "webhook": "notAsked",
}


@pytest.fixture
def check(event: dict[str, Any], context: Any) -> Callable[..., dict[str, str]]:
    """Invoke the function as `connect-bridges smoke` does."""

    def check(**parameters: str) -> dict[str, str]:
        event["Details"]["Parameters"] = {"action": "check", **parameters}
        return handler(event, context)

    return check


def test_a_contact_that_does_not_exist_shows_that_the_function_may_stream(
    secret: Any, connect: Any, webhook: Any, check: Callable[..., dict[str, str]], capsys: Any
) -> None:
    connect.refusals = [(404, "ResourceNotFoundException")]
    found = check()
    assert found.pop("detail") == (
        "connect StartContactStreaming: ResourceNotFoundException: An error occurred (ResourceNotFoundException) when "
        "calling the StartContactStreaming operation: because"
    )
    assert found == FOUND
    assert len(connect.starts) == len(connect.stops) == 1
    assert webhook.seen == []
    printed = capsys.readouterr().out
    assert "ChatStreamingChecked" in printed
    assert "ChatStreamingFailed" not in printed


@pytest.mark.parametrize(("which", "name"), [("refusals", "start"), ("stop_refusals", "stop")])
def test_a_missing_permission_is_told_apart(
    secret: Any, connect: Any, webhook: Any, check: Callable[..., dict[str, str]], which: str, name: str
) -> None:
    connect.refusals = [(404, "ResourceNotFoundException")]
    setattr(connect, which, [(403, "AccessDeniedException")])
    found = check()
    assert found[name] == "AccessDeniedException"
    assert "AccessDeniedException" in found["detail"]
    assert webhook.seen == []


def test_a_contact_that_exists_after_all_is_not_left_streaming(
    secret: Any, connect: Any, webhook: Any, check: Callable[..., dict[str, str]]
) -> None:
    assert check()["start"] == "none"
    assert connect.streaming == set()


def test_a_secret_without_a_token_does_not_hide_the_rest(
    secret: Any,
    connect: Any,
    webhook: Any,
    check: Callable[..., dict[str, str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    arn = secret.create_secret(Name="Unfit", SecretString="two words")["ARN"]
    monkeypatch.setenv("TOKEN_SECRET_ARN", arn)
    connect.refusals = [(404, "ResourceNotFoundException")]
    found = check()
    assert found["token"] == "verificationTokenUnavailable"
    assert found["start"] == "ResourceNotFoundException"
    assert "two words" not in found["detail"]


def test_the_vendor_sees_a_connection_and_no_request(
    secret: Any,
    connect: Any,
    raw_server: Any,
    check: Callable[..., dict[str, str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    received: list[bytes] = []
    served = threading.Event()

    def serve(connection: socket.socket) -> None:
        received.append(connection.recv(1000))
        served.set()

    server = raw_server(serve)
    monkeypatch.setenv("WEBHOOK_URL", f"http://localhost:{server.port}/hook")
    connect.refusals = [(404, "ResourceNotFoundException")] * 2
    assert check()["webhook"] == "notAsked"
    assert server.connections == 0
    assert check(vendorCheck="true")["webhook"] == "reached"
    assert served.wait(10)
    assert server.connections == 1
    assert b"".join(received) == b""


def test_a_vendor_that_nobody_reaches_is_told(
    secret: Any, connect: Any, check: Callable[..., dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    monkeypatch.setenv("WEBHOOK_URL", f"http://localhost:{port}/hook")
    found = check(vendorCheck="true")
    assert found["webhook"] == "webhookUnreachable"
    assert "connecting to http://localhost" in found["detail"]


def test_a_certificate_for_another_host_is_told_apart(
    secret: Any,
    connect: Any,
    raw_server: Any,
    serving_tls: Any,
    certificates: Any,
    check: Callable[..., dict[str, str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = raw_server(serving_tls(certificates["bot.example.com"]))
    monkeypatch.setenv("WEBHOOK_URL", f"https://localhost:{server.port}/hook")
    assert check(vendorCheck="true")["webhook"] == "webhookUntrusted"
