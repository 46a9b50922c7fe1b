"""What the soak counts is really counted: each kind of failure, planted once, is found once."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.support import handlers_run, openapi_run
from tests.support.logs import audited
from tests.support.openapi_run import Order
from tests.support.tally import NEVER, Tally


def test_what_goes_wrong_in_a_function_is_counted() -> None:
    report = handlers_run.drive(
        20, processes=1, seed=1, timeout=50, planted="error,hang,traceback,secret,number"
    )
    assert report.found == {"ownError": 1, "hang": 1, "tracebacks": 1, "secrets": 1, "digits": 1}
    assert len(report.shown) == 5


def test_requests_to_the_functions_are_played_side_by_side_and_find_nothing_today() -> None:
    report = handlers_run.drive(200, processes=2, seed=1, timeout=50)
    assert report.found == {}, report.shown
    assert report.requests == 200
    assert report.lines > 100
    assert {
        "authorizer refuses",
        "store 200",
        "store 415 UNSUPPORTED_MEDIA_TYPE",
        "webhook 200",
        "webhook 403",
    } <= set(report.answers)


Respond = Callable[[int], tuple[int, dict[str, str], bytes]]


@pytest.fixture
def serving() -> Iterator[Callable[[Respond], tuple[str, int]]]:
    """Serve what the test says, by the number of the request; return host and port."""
    opened: list[ThreadingHTTPServer] = []

    def serve(respond: Respond) -> tuple[str, int]:
        numbers = iter(range(10**6))

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                status, headers, body = respond(next(numbers))
                if not status:
                    self.close_connection = True
                    return
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base's name)
                """Keep pytest's output clean."""

        opened.append(ThreadingHTTPServer(("127.0.0.1", 0), Handler))
        threading.Thread(target=opened[-1].serve_forever, args=(0.02,), daemon=True).start()
        return "127.0.0.1", opened[-1].server_port

    yield serve
    for one in opened:
        one.shutdown()
        one.server_close()


def error(status: int, code: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    body = json.dumps({"error": {"code": code, "message": "m", "requestId": "r"}}).encode()
    return status, {"Content-Type": "application/json", **headers}, body


REFUSAL = error(401, "MISSING_TOKEN")


def test_what_a_deployed_api_does_wrong_is_counted(
    serving: Callable[[Respond], tuple[str, int]],
) -> None:
    wrong = {
        2: error(500, "INTERNAL_ERROR"),
        4: error(401, "NOBODY_KNOWS"),
        6: error(418, "REFUSED"),
        8: (401, {"Content-Type": "application/json"}, b"<html>"),
        10: (401, {"Content-Type": "application/json"}, b'{"error": {"code": "MISSING_TOKEN"}}'),
        12: (401, {"Content-Type": "text/html"}, REFUSAL[2]),
        14: error(503, "UNAVAILABLE"),
        **{number: (0, {}, b"") for number in range(16, 26)},  # a connection that breaks off is tried again
    }
    address = serving(lambda number: wrong.get(number, REFUSAL))
    order = Order("metadata", "https://x.example.com/prod/metadata", address, "token", examples=40)
    report = openapi_run.drive(order, timeout=50)
    assert report.requests == 40
    assert report.found["ownError"] == 2
    assert report.found["hang"] >= 1
    assert report.found["unreadable"] == 1
    assert report.found["undocumented"] >= 1
    assert report.found["response_schema_conformance"] >= 1
    assert report.found["content_type_conformance"] == 1
    assert all("curl" in one or "metadata" in one for one in report.shown)


def test_who_is_let_in_without_the_token_is_counted(
    serving: Callable[[Respond], tuple[str, int]],
) -> None:
    stored = {"stored": True, "contactId": "9b2c7f3a-0d41-4c8e-9f57-3a1d5e6b7c80", "replaced": False,
              "expiresAt": "2026-01-01T00:00:00Z"}  # fmt: skip
    address = serving(lambda _: (200, {"Content-Type": "application/json"}, json.dumps(stored).encode()))
    order = Order("metadata", "https://x.example.com/prod/metadata", address, "token", examples=40)
    report = openapi_run.drive(order, timeout=50)
    assert set(report.found) == {"letIn"}
    assert 3 < report.found["letIn"] < 30


def test_lines_of_logs_are_audited() -> None:
    lines = "\n".join(
        [
            '{"exception": "Traceback (most recent call last): x"}',
            "token 5ec2e7",
            "From=%2B12065550101",
            "fine",
        ]
    )
    found = audited(lines, {"twilio authToken": "5ec2e7", "other": "0lder"}, ["12065550101", "12065550102"])
    assert found == Counter(lines=4, tracebacks=1, secrets=1, digits=1)


def test_the_summary_names_every_count_even_if_it_is_zero() -> None:
    tally = Tally()
    tally.add("calls", 2.0, 10, {})
    assert tally.lines() == ["10 calls in 2 s: 5 a second", ", ".join(f"{one}: 0" for one in NEVER.values())]
    tally.add("messages", 1.0, 1_000, Counter(unaccounted=3, lostCall=1), ["the first of them"])
    assert tally.wrong() == 4
    assert tally.wrong("unaccounted") == 3
    assert "messages unaccounted for: 3" in tally.lines()[2]
    assert "lostCall: 1" in tally.lines()[2]
    assert tally.lines()[3] == "the first of them"
