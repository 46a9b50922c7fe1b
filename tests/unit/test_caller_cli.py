from __future__ import annotations

import io
import json
import re
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote

import pytest
from connect_bridges.cli import main
from connect_bridges.operations import caller as caller_cli

from stacks import erase_caller
from tests.support import ROOT

NUMBER = "+12065550147"
STACK = "connect-bridges-dev-biometrics"
FUNCTION = "connect-bridges-dev-biometrics-Erase1A2B"
ARN = f"arn:aws:lambda:eu-west-2:123456789012:function:{FUNCTION}"


@dataclass
class Aws:
    """CloudFormation and Lambda on a real port: what they answer, and what they were asked."""

    url: str = ""
    outputs: dict[str, str] = field(default_factory=lambda: {caller_cli.OUTPUT: FUNCTION})
    stack_error: tuple[int, str, str] | None = None
    answer: Any = field(default_factory=lambda: {"erased": True})
    function_error: str | None = None
    lambda_error: tuple[int, str, str] | None = None
    hangs_up: bool = False
    runs_before_the_end: int = -1
    described: list[dict[str, str]] = field(default_factory=list)
    invoked: list[dict[str, Any]] = field(default_factory=list)

    def describe(self, body: str, region: str) -> tuple[int, str]:
        asked = {name: value[0] for name, value in parse_qs(body).items()}
        self.described.append({"stack": asked["StackName"], "region": region})
        if self.stack_error:
            status, code, message = self.stack_error
            return status, (
                '<ErrorResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><Error><Type>Sender</Type>'
                f"<Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"
            )
        outputs = "".join(
            f"<member><OutputKey>{key}</OutputKey><OutputValue>{value}</OutputValue></member>"
            for key, value in self.outputs.items()
        )
        return 200, (
            '<DescribeStacksResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><DescribeStacksResult>'
            f"<Stacks><member><StackName>{asked['StackName']}</StackName><Outputs>{outputs}</Outputs></member></Stacks>"
            "</DescribeStacksResult></DescribeStacksResponse>"
        )


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Aws]:
    state = Aws()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            region = re.findall(r"Credential=[^/]+/[0-9]+/([^/]+)/", self.headers["Authorization"])[0]
            function = re.fullmatch(r"/2015-03-31/functions/([^/]+)/invocations", self.path)
            headers: dict[str, str] = {}
            if function is None:
                status, text = state.describe(body.decode(), region)
            else:
                state.invoked.append(
                    {
                        "function": unquote(function[1]),
                        "type": self.headers.get("X-Amz-Invocation-Type"),
                        "payload": json.loads(body),
                        "region": region,
                    }
                )
                if state.hangs_up:
                    self.close_connection = True
                    return
                through = len(state.invoked) > state.runs_before_the_end >= 0
                status, text = 200, json.dumps({"erased": True} if through else state.answer)
                if state.function_error and not through:
                    headers["X-Amz-Function-Error"] = state.function_error
                if state.lambda_error:
                    status, code, message = state.lambda_error
                    headers["x-amzn-ErrorType"] = code
                    text = json.dumps({"Type": "User", "Message": message})
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class's name)
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_port}"
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ENDPOINT_URL", state.url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    yield state
    server.shutdown()
    thread.join()
    server.server_close()


@dataclass
class Said:
    status: int
    out: str
    err: str


Run = Callable[..., Said]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*arguments: str) -> Said:
        status = main(["caller", *arguments])
        captured = capsys.readouterr()
        assert NUMBER[1:] not in captured.out + captured.err
        return Said(status, captured.out, " ".join(captured.err.split()))

    return run


def test_a_caller_is_erased_by_the_function_that_the_stack_names(aws: Aws, run: Run) -> None:
    said = run("erase", "--stack", STACK, NUMBER)
    assert (said.status, said.out, said.err) == (0, "erased\n", "")
    assert aws.described == [{"stack": STACK, "region": "us-east-1"}]
    assert aws.invoked == [
        {
            "function": FUNCTION,
            "type": "RequestResponse",
            "payload": {"phoneNumber": NUMBER},
            "region": "us-east-1",
        }
    ]


def test_a_caller_whom_nobody_knows_is_no_failure(aws: Aws, run: Run) -> None:
    aws.answer = {"erased": False}
    said = run("erase", "--function", FUNCTION, NUMBER)
    assert (said.status, said.out) == (0, "nothing is known of this caller\n")
    assert aws.described == []


def test_the_number_can_come_from_standard_input(aws: Aws, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{NUMBER}\n"))
    assert run("erase", "--stack", STACK, "-").out == "erased\n"
    assert aws.invoked[0]["payload"] == {"phoneNumber": NUMBER}


def test_the_region_is_the_one_in_the_functions_arn_unless_one_is_named(aws: Aws, run: Run) -> None:
    run("erase", "--function", ARN, NUMBER)
    run("erase", "--function", ARN, "--region", "us-west-2", NUMBER)
    assert [call["region"] for call in aws.invoked] == ["eu-west-2", "us-west-2"]


@pytest.mark.parametrize(
    "number", ["12065550147", "+1 206 555 0147", "+0", "tel:+12065550147", "", "+1206555014x"]
)
def test_a_number_that_is_not_e164_is_refused_before_anything_is_called(
    aws: Aws, run: Run, number: str
) -> None:
    said = run("erase", "--stack", STACK, number)
    assert said.status == 2
    assert "write + and country code, digits only" in said.err
    assert "0147" not in said.err
    assert (aws.described, aws.invoked) == ([], [])


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["erase", NUMBER], "one of the arguments --stack --function is required"),
        (["erase", "--stack", "a", "--function", "b", NUMBER], "not allowed with argument"),
        (["erase", "--stack", STACK], "the following arguments are required: NUMBER"),
        (["erase", "--stack", STACK, "+1", "206", "5550147"], "an argument too many"),
        (["erase", "--stack", STACK, "--force", NUMBER], "an option that does not exist"),
        (["erase", "--stack", "", NUMBER], "--stack is empty"),
        (["forget", NUMBER], "there is no such command"),
        ([], ""),
    ],
)
def test_a_command_written_wrongly_calls_nothing(aws: Aws, run: Run, arguments: list[str], says: str) -> None:
    said = run(*arguments)
    assert said.status == 2
    assert says in said.err
    assert (aws.described, aws.invoked) == ([], [])


def test_help_says_how_to_keep_the_number_out_of_the_history(run: Run) -> None:
    said = run("erase", "--help")
    assert said.status == 0
    assert "standard input" in said.out


def test_what_the_function_says_went_wrong_is_shown_without_the_number(aws: Aws, run: Run) -> None:
    aws.function_error = "Unhandled"
    aws.answer = {
        "errorMessage": f"1 recordings of {NUMBER} were not deleted at the telephony provider",
        "errorType": "ErasureIncompleteError",
        "stackTrace": ["secret line"],
    }
    said = run("erase", "--stack", STACK, NUMBER)
    assert (said.status, said.out) == (1, "")
    assert "ErasureIncompleteError: 1 recordings of +… were not deleted" in said.err
    assert "Run the command again" in said.err
    assert "daily sweep" in said.err
    assert "secret line" not in said.err
    assert len(aws.invoked) == 1


def test_an_erasure_that_takes_longer_than_a_run_is_gone_on_with(aws: Aws, run: Run) -> None:
    aws.function_error, aws.runs_before_the_end = "Unhandled", 3
    aws.answer = {"errorType": "RemovalUnderWayError", "errorMessage": "erase again"}
    said = run("erase", "--function", FUNCTION, NUMBER)
    assert (said.status, said.out, len(aws.invoked)) == (0, "erased\n", 4)
    aws.invoked.clear()
    aws.runs_before_the_end = 10_000
    said = run("erase", "--function", FUNCTION, NUMBER)
    assert (said.status, len(aws.invoked)) == (1, 60), "it is not endless"


def test_an_answer_that_is_no_erase_functions_is_a_failure(aws: Aws, run: Run) -> None:
    for answer in ({"statusCode": 200}, None, [], {"erased": "yes"}):
        aws.answer = answer
        said = run("erase", "--function", "something-else", NUMBER)
        assert said.status == 1
        assert "does not seem to be the erase function" in said.err


def test_an_answer_that_got_lost_is_neither_success_nor_repeated_behind_ones_back(aws: Aws, run: Run) -> None:
    aws.hangs_up = True
    said = run("erase", "--function", FUNCTION, NUMBER)
    assert said.status == 1
    assert "not known whether the caller was erased" in said.err
    assert len(aws.invoked) == 1


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (
            (400, "ValidationError", f"Stack with id {STACK} does not exist"),
            f"there is no stack {STACK} in us-east-1. Check name, --region and --profile",
        ),
        (
            (403, "AccessDenied", "User: u is not authorized"),
            "Let your role or user call cloudformation:DescribeStacks",
        ),
        ((403, "ExpiredToken", "too old"), "expired"),
        ((403, "InvalidClientTokenId", "unknown"), "AWS does not take your credentials"),
    ],
)
def test_a_stack_that_cannot_be_read_is_explained(
    aws: Aws, run: Run, error: tuple[int, str, str], says: str
) -> None:
    aws.stack_error = error
    said = run("erase", "--stack", STACK, NUMBER)
    assert said.status == 1
    assert says in said.err
    assert aws.invoked == []


def test_a_stack_without_the_output_is_explained(aws: Aws, run: Run) -> None:
    aws.outputs = {"ChatFlowArn": "x"}
    said = run("erase", "--stack", "connect-bridges-dev-chat", NUMBER)
    assert said.status == 1
    assert "no output BiometricsEraseFunctionName" in said.err
    assert "--function" in said.err


@pytest.mark.parametrize(
    ("error", "says"),
    [
        ((404, "ResourceNotFoundException", "Function not found"), f"no function {FUNCTION} in us-east-1"),
        (
            (403, "AccessDeniedException", "not authorized"),
            "Let your role or user call lambda:InvokeFunction",
        ),
        ((429, "TooManyRequestsException", "Rate exceeded"), "Run the command again later"),
    ],
)
def test_a_function_that_cannot_be_invoked_is_explained(
    aws: Aws, run: Run, error: tuple[int, str, str], says: str
) -> None:
    aws.lambda_error = error
    said = run("erase", "--stack", STACK, NUMBER)
    assert (said.status, said.out) == (1, "")
    assert says in said.err
    assert len(aws.invoked) == 1


def test_without_credentials_one_is_told_where_to_get_them(
    aws: Aws, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    said = run("erase", "--stack", STACK, NUMBER)
    assert said.status == 1
    assert "no usable AWS credentials" in said.err
    assert "--profile" in said.err


def test_without_a_region_one_is_told_to_name_it(aws: Aws, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    said = run("erase", "--stack", STACK, NUMBER)
    assert said.status == 1
    assert "--region" in said.err
    assert (aws.described, aws.invoked) == ([], [])


def test_a_profile_that_does_not_exist_is_named(aws: Aws, run: Run) -> None:
    said = run("erase", "--stack", STACK, "--profile", "nobody", NUMBER)
    assert said.status == 1
    assert "there is no profile 'nobody'" in said.err


def test_an_endpoint_that_does_not_answer_is_explained(
    aws: Aws, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    said = run("erase", "--function", FUNCTION, NUMBER)
    assert said.status == 1
    assert "Check network, proxy and --region" in said.err


def test_without_boto3_one_is_told_how_to_install_it(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "boto3", None)
    monkeypatch.delitem(sys.modules, "connect_bridges.operations.caller")
    monkeypatch.delattr("connect_bridges.operations.caller", raising=False)
    said = run("erase", "--stack", STACK, NUMBER)
    assert said.status == 2
    assert "pip install 'connect-bridges[cli]'" in said.err


def test_make_erases_in_the_stack_and_the_region_of_the_environment(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    assert erase_caller.main(["dev", NUMBER]) == 0
    assert capsys.readouterr().out == "erased\n"
    assert aws.described == [{"stack": STACK, "region": "us-east-1"}]


def test_make_names_the_environments_that_there_are(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    assert erase_caller.main(["nowhere", NUMBER]) == 2
    assert "dev, prod" in capsys.readouterr().err
    assert aws.invoked == []
