"""The Runtime API, and the processes on it: with AWS's transport and with ours for machines where AWS has none."""

from __future__ import annotations

import http.client
import selectors
import socket
import threading
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from connect_sandbox.cloud.function_process import (
    RUNTIME_CLIENT,
    FunctionProcess,
    build_runtime_dir,
    python_command,
)
from connect_sandbox.cloud.lambda_runtime_api import Answer, Event, RuntimeApi

ARN = "arn:aws:lambda:us-east-1:123456789012:function:f"
NEXT = "/2018-06-01/runtime/invocation/next"
NATIVE = find_spec("runtime_client")


def event(payload: bytes = b"{}", request_id: str = "r-1", client_context: str | None = None) -> Event:
    return Event(request_id, ARN, payload, 4_000_000_000_000, "Root=1-2-3", client_context)


# --- the protocol


class Served:
    """A Runtime API that a thread serves, as whoever invokes would."""

    def __init__(self) -> None:
        self.selector = selectors.DefaultSelector()
        self.api = RuntimeApi(self.selector)
        self._answers: list[Answer] = []
        self.waited_for, self._stop, self._wake = threading.Event(), *socket.socketpair()
        self.selector.register(self._stop, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            for key, _ in self.selector.select():
                if key.data is not self.api:
                    return
                self._answers += self.api.serve(key.fileobj)
                if self.api.waited_for:
                    self.waited_for.set()

    def answers(self) -> list[Answer]:
        """Stop serving; return what was answered until then."""
        if self._thread.is_alive():
            self._wake.send(b"x")
            self._thread.join()
        return self._answers

    def end(self) -> None:
        self.answers()
        self.api.close()
        self.selector.close()
        self._stop.close()
        self._wake.close()

    def connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(self.api.address, timeout=10)

    def socket(self) -> socket.socket:
        host, port = self.api.address.split(":")
        return socket.create_connection((host, int(port)), timeout=10)

    def post(self, path: str, body: bytes, **headers: str) -> tuple[int, bytes]:
        connection = self.connection()
        connection.request("POST", f"/2018-06-01/runtime{path}", body, headers)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer.status, content


@pytest.fixture
def served() -> Iterator[Served]:
    served = Served()
    yield served
    served.end()


def test_next_waits_and_hands_out_the_event_with_its_headers(served: Served) -> None:
    connection = served.connection()
    connection.request("GET", NEXT)
    assert served.waited_for.wait(10)
    served.api.hand_out(event(b'{"a": 1}', client_context='{"custom": {}}'))
    answer = connection.getresponse()

    assert (answer.status, answer.read()) == (200, b'{"a": 1}')
    assert {name: value for name, value in answer.getheaders() if name.startswith("Lambda-")} == {
        "Lambda-Runtime-Aws-Request-Id": "r-1",
        "Lambda-Runtime-Deadline-Ms": "4000000000000",
        "Lambda-Runtime-Invoked-Function-Arn": ARN,
        "Lambda-Runtime-Trace-Id": "Root=1-2-3",
        "Lambda-Runtime-Client-Context": '{"custom": {}}',
    }
    assert not served.api.waited_for
    # The connection is kept.
    connection.request("POST", "/2018-06-01/runtime/invocation/r-1/response", b"42")
    assert connection.getresponse().read() == b'{"status":"OK"}\n'
    connection.close()
    assert served.answers() == [Answer(payload=b"42")]


def test_an_answer_counts_once_and_for_its_own_invocation_only(served: Served) -> None:
    early = served.post("/invocation/r-1/response", b"1")
    connection = served.connection()
    connection.request("GET", NEXT)
    assert served.waited_for.wait(10)
    served.api.hand_out(event())
    other = served.post("/invocation/r-0/response", b"2")
    right = served.post("/invocation/r-1/error", b'{"errorType": "E"}')
    twice = served.post("/invocation/r-1/response", b"3")
    connection.close()

    refused = (400, b'{"errorMessage": "Invalid request ID", "errorType": "InvalidRequestID"}')
    assert [early, other, right[0], twice] == [refused, refused, 202, refused]
    assert served.answers() == [Answer(error={"errorType": "E"})]


def test_an_error_that_is_no_json_has_the_type_that_its_header_names(served: Served) -> None:
    headers = {"Lambda-Runtime-Function-Error-Type": "Runtime.Boom"}
    assert served.post("/init/error", b"boom", **headers)[0] == 202
    assert served.answers() == [Answer(error={"errorMessage": "", "errorType": "Runtime.Boom"})]


def test_what_is_not_the_runtime_api_is_refused(served: Served) -> None:
    assert served.post("/restore/next", b"")[0] == 404
    with served.socket() as connection:
        connection.sendall(
            b"POST /2018-06-01/runtime/init/error HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        assert connection.recv(1000).startswith(b"HTTP/1.1 411 Length Required\r\n")
    assert served.answers() == []


def test_a_request_may_come_in_pieces_and_ask_whether_to_go_on(served: Served) -> None:
    with served.socket() as connection:
        connection.sendall(b"POST /2018-06-01/runtime/init/error HTTP/1.1\r\ncontent-LENGTH: 2\r\nExpe")
        connection.sendall(b"ct: 100-continue\r\n\r\n")
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"{")
        connection.sendall(b"}")
        assert connection.recv(1000).startswith(b"HTTP/1.1 202 Accepted\r\n")
    assert served.answers() == [Answer(error={})]


# --- processes


TRANSPORTS = {
    "native": NATIVE and NATIVE.origin and Path(NATIVE.origin),
    "ours": RUNTIME_CLIENT,
}


@pytest.fixture(params=TRANSPORTS)
def transport(request: pytest.FixtureRequest) -> Path:
    found = TRANSPORTS[request.param]
    if not found:
        pytest.skip("AWS has no transport for this machine")
    return found


@pytest.fixture
def start(transport: Path, tmp_path: Path) -> Iterator[Callable[[str], FunctionProcess]]:
    runtime_dir = build_runtime_dir(tmp_path / "runtime", transport)
    started: list[FunctionProcess] = []

    def starts(code: str) -> FunctionProcess:
        task_root = tmp_path / f"task-{len(started)}"
        task_root.mkdir()
        (task_root / "index.py").write_text(code)
        command = python_command("index.handler", task_root, runtime_dir)
        environment = {
            "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
            "PATH": "/usr/bin:/bin",
            "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        }
        started.append(FunctionProcess(command, task_root, environment))
        return started[-1]

    yield starts
    for process in started:
        process.kill()


def test_both_transports_carry_events_answers_and_errors(
    start: Callable[[str], FunctionProcess], transport: Path
) -> None:
    process = start(
        "import runtime_client\n"
        "def handler(event, context):\n"
        "    print('called', context.aws_request_id)\n"
        "    if event == 'fail': raise KeyError('x')\n"
        "    if event == 'whose': return runtime_client.__file__.endswith('.py')\n"
        "    return [event, context.invoked_function_arn, context.get_remaining_time_in_millis() > 0]\n"
    )
    assert process.initialise(20.0) is None
    assert 0.005 < process.init_cpu_seconds < 5.0
    large = '"' + "é" * 3_000_000 + '"'
    answers = [
        process.invoke(event(payload.encode(), f"r-{number}"), 20.0)
        for number, payload in enumerate(["1", '"fail"', large, '"whose"'])
    ]

    assert answers[0].payload == f'[1, "{ARN}", true]'.encode()
    assert answers[0].output == ["called r-0"]
    assert answers[1].error is not None
    assert answers[1].error["errorType"] == "KeyError"
    assert answers[1].error["requestId"] == "r-1"
    assert answers[2].payload == f'[{large}, "{ARN}", true]'.encode()
    assert answers[3].payload == (b"true" if transport == RUNTIME_CLIENT else b"false")


def test_both_transports_tell_of_a_module_that_cannot_be_imported(
    start: Callable[[str], FunctionProcess],
) -> None:
    failed = start("print('importing')\nraise RuntimeError('no TABLE_NAME')").initialise(20.0)
    assert failed is not None
    assert failed.error is not None
    assert failed.error["errorType"] == "RuntimeError"
    assert failed.output[0] == "importing"


def test_a_process_that_another_thread_ends_is_an_exit_for_who_waits(
    start: Callable[[str], FunctionProcess],
) -> None:
    process = start("import time\ndef handler(event, context): print('waits'); time.sleep(60)")
    assert process.initialise(20.0) is None
    ended = threading.Timer(0.3, process.kill)
    ended.start()
    outcome = process.invoke(event(), 30.0)
    ended.join()
    assert outcome.exit_status == -9
    assert outcome.duration_ms < 20_000
    assert not process.alive


def test_a_crash_asked_for_runs_no_code_and_a_delay_counts_against_the_limit(
    start: Callable[[str], FunctionProcess],
) -> None:
    code = "def handler(event, context): print('called')"
    crashed = start(code).invoke(event(), 20.0, crash=True)
    late = start(code).invoke(event(), 1.0, delay_seconds=5.0)
    delayed = start(code).invoke(event(), 20.0, delay_seconds=0.2)

    assert (crashed.exit_status, crashed.output) == (-9, [])
    assert (late.timed_out, late.output) == (True, [])
    assert late.duration_ms == pytest.approx(1000, abs=900)
    assert delayed.payload == b"null"
    assert delayed.duration_ms >= 200
