"""connect-bridges handoff as a command: what it writes, and what it says when it cannot."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from connect_bridges.cli import main
from connect_bridges.operations.handoff.pages import PAGES

from tests.support.handoff import recorded

STACK = "connect-bridges-dev-voice"
PUBLISHED = {
    "prefixes": [
        {"ip_prefix": "198.51.100.0/24", "region": "us-east-1", "service": "CHIME_VOICECONNECTOR"},
        {"ip_prefix": "192.0.2.0/24", "region": "us-east-1", "service": "CHIME_VOICECONNECTOR"},
        {"ip_prefix": "203.0.113.0/24", "region": "us-east-1", "service": "EC2"},
    ],
    "ipv6_prefixes": [],
}


@dataclass
class CloudFormation:
    """CloudFormation on a real port, with the recorded stacks: what is wrong with it, and what it was asked."""

    status: str = "UPDATE_COMPLETE"
    without: set[str] = field(default_factory=set)
    refuses: tuple[str, str, str] | None = None
    asked: list[tuple[str, str]] = field(default_factory=list)

    def answer(self, asked: dict[str, str]) -> tuple[int, str]:
        action, name = asked["Action"], asked["StackName"]
        self.asked.append((action, name))
        if self.refuses and self.refuses[0] == action:
            return 403, _error(*self.refuses[1:])
        stack = recorded().get(name.split("/")[1] if name.startswith("arn:") else name)
        if stack is None:
            return 400, _error("ValidationError", f"Stack with id {name} does not exist")
        told = {bridge.logical_id: bridge for bridge in stack.bridges if bridge.construct not in self.without}
        if action == "DescribeStacks":
            arn = f"arn:aws:cloudformation:us-east-1:123456789012:stack/{stack.name}/1"
            held = f"<StackName>{stack.name}</StackName><StackId>{arn}</StackId>"
            held += f"<StackStatus>{self.status}</StackStatus>"
            found = (
                f"<Stacks><member>{held}<CreationTime>2026-11-21T00:00:00Z</CreationTime></member></Stacks>"
            )
        elif action == "ListStackResources":
            handle = "<ResourceType>AWS::CloudFormation::WaitConditionHandle</ResourceType>"
            rest = (
                "<ResourceStatus>CREATE_COMPLETE</ResourceStatus>"
                "<LastUpdatedTimestamp>2026-11-21T00:00:00Z</LastUpdatedTimestamp>"
            )
            listed = [
                f"<member><LogicalResourceId>{one}</LogicalResourceId>{handle}{rest}</member>" for one in told
            ]
            found = f"<StackResourceSummaries>{''.join(listed)}</StackResourceSummaries>"
        else:
            metadata = json.dumps({"connect-bridges": told[asked["LogicalResourceId"]].facts})
            found = f"<StackResourceDetail><Metadata>{escape(metadata)}</Metadata></StackResourceDetail>"
        return 200, f"<{action}Response><{action}Result>{found}</{action}Result></{action}Response>"


def _error(code: str, message: str) -> str:
    reason = f"<Type>Sender</Type><Code>{code}</Code><Message>{message}</Message>"
    return f"<ErrorResponse><Error>{reason}</Error></ErrorResponse>"


@dataclass(frozen=True)
class Said:
    status: int
    out: str
    err: str


Run = Callable[..., Said]


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[CloudFormation]:
    state = CloudFormation()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            status, text = state.answer({name: value[0] for name, value in parse_qs(body).items()})
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class's name)
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "y")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "no-config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "no-credentials"))
    yield state
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    monkeypatch.chdir(tmp_path)

    def command(*arguments: str) -> Said:
        status = main(["handoff", *arguments])
        printed = capsys.readouterr()
        return Said(status, printed.out, printed.err)

    return command


@pytest.fixture
def assembly(tmp_path: Path) -> Path:
    """Return a cloud assembly with the voice stack, its ARNs and URLs still tokens."""
    folder = tmp_path / "cdk.out"
    folder.mkdir()
    resources = {
        bridge.logical_id: {
            "Type": "AWS::CloudFormation::WaitConditionHandle",
            "Metadata": {"connect-bridges": {**bridge.facts, "url": {"Fn::GetAtt": ["Api", "Url"]}}},
        }
        for bridge in recorded()[STACK].bridges
    }
    (folder / "voice.json").write_text(json.dumps({"Resources": resources}))
    artifact = {
        "type": "aws:cloudformation:stack",
        "environment": "aws://123456789012/us-east-1",
        "properties": {"templateFile": "voice.json", "stackName": STACK},
    }
    (folder / "manifest.json").write_text(json.dumps({"artifacts": {"Voice": artifact}}))
    return folder


def test_it_writes_a_page_for_each_vendor_and_says_for_whom(
    aws: CloudFormation, run: Run, tmp_path: Path
) -> None:
    said = run("--stack", STACK, "--stack", "connect-bridges-dev-biometrics", "--output", "out/pages")
    assert (said.status, said.err) == (0, "")
    names = ["kore-voice", "twilio", "voiceit", "connect-administrator"]
    assert sorted(file.name for file in (tmp_path / "out/pages").iterdir()) == sorted(
        f"{name}.{form}" for name in names for form in ("md", "html")
    )
    lines = said.out.splitlines()
    assert [line.split(".md")[0] for line in lines] == [f"out/pages/{name}" for name in names]
    assert all(re.search(r" +\d+ to tick  for [a-z]", line) for line in lines)
    assert "`+12065550188`" in (tmp_path / "out/pages/twilio.md").read_text()


def test_an_arn_tells_the_region_as_well(
    aws: CloudFormation, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    said = run("--stack", f"arn:aws:cloudformation:us-east-1:123456789012:stack/{STACK}/1")
    assert (said.status, said.err) == (0, "")
    assert f"Made from `{STACK}` (us-east-1" in (tmp_path / "handoff/kore-voice.md").read_text()


def test_one_vendor_only(aws: CloudFormation, run: Run, tmp_path: Path) -> None:
    said = run("--stack", STACK, "--vendor", "kore-voice")
    assert said.status == 0
    assert sorted(file.name for file in (tmp_path / "handoff").iterdir()) == [
        "kore-voice.html",
        "kore-voice.md",
    ]


def test_a_vendor_that_has_nothing_to_do_with_the_stacks_is_named(aws: CloudFormation, run: Run) -> None:
    said = run("--stack", STACK, "--vendor", "twilio")
    assert (said.status, said.out) == (1, "")
    assert "have nothing for twilio; they have kore-voice, connect-administrator" in said.err


def test_before_the_deployment_aws_is_not_asked(
    assembly: Path, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    said = run("--app", str(assembly))
    assert (said.status, said.err) == (0, "")
    told = (tmp_path / "handoff/kore-voice.md").read_text()
    assert "| URL | *comes with the deployment* |" in told
    assert "| Number (DID) | `+12065550100` |" in told


def test_stacks_without_a_construct_that_has_a_page_are_named(assembly: Path, run: Run) -> None:
    told = {"format": 1, "construct": "OfTomorrow", "path": "instance/Center", "instanceArn": None}
    handle = {
        "Type": "AWS::CloudFormation::WaitConditionHandle",
        "Metadata": {"connect-bridges": told},
    }
    (assembly / "voice.json").write_text(json.dumps({"Resources": {"Center": handle}}))
    said = run("--app", str(assembly))
    assert (said.status, said.out) == (1, "")
    assert f"there is no bridge in {STACK}, and pages tell of bridges" in said.err


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        ((), 2, "--stack, or a cloud assembly with --app"),
        (("--stack", STACK, "--vendor", "genesys"), 2, "choose from"),
        (("--stack", STACK, "surplus"), 2, "unrecognized arguments: surplus"),
        (("--app", "nowhere"), 1, "npx cdk synth --output nowhere"),
        (("--app", "cdk.out", "--stack", "other"), 1, f"holds no stack other .* it holds {STACK}"),
        (("--app", "cdk.out", "--output", "file/pages"), 1, "Name another folder with --output"),
        (("--app", "cdk.out", "--ranges", "missing.json"), 1, "missing.json cannot be read .* Give a file"),
        (("--app", "cdk.out", "--ranges", "http://example.com/r"), 1, "http can be forged"),
        (("--app", "cdk.out", "--ranges", "file"), 1, "does not have the form of Amazon's file"),
        (("--app", "cdk.out", "--ranges", "empty.json"), 1, "no range of the service CHIME_VOICECONNECTOR"),
    ],
)
def test_what_is_wrong_is_said_with_what_to_do(
    assembly: Path, run: Run, tmp_path: Path, arguments: tuple[str, ...], status: int, says: str
) -> None:
    (tmp_path / "file").write_text("no JSON")
    (tmp_path / "empty.json").write_text(json.dumps({"prefixes": [], "ipv6_prefixes": []}))
    said = run(*arguments)
    assert (said.status, said.out) == (status, "")
    assert said.err.startswith("connect-bridges handoff: ")
    assert re.search(says, said.err)


def test_help_names_every_page(run: Run) -> None:
    said = run("--help")
    assert said.status == 0
    assert all(name in said.out for name in PAGES)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"status": "ROLLBACK_COMPLETE"}, f"the stack {STACK} in us-east-1 is ROLLBACK_COMPLETE."),
        ({"without": {"MetadataBridge", "ExternalVoiceTransfer"}}, "before version 0.1.0, deploy it again"),
        (
            {"refuses": ("DescribeStacks", "AccessDenied", "User: u is not authorized")},
            "Let your role or user call cloudformation:DescribeStackResource, cloudformation:DescribeStacks",
        ),
        (
            {"refuses": ("DescribeStackResource", "AccessDenied", "User: u is not authorized")},
            "cloudformation:DescribeStackResource",
        ),
        ({"refuses": ("DescribeStacks", "ExpiredToken", "too old")}, "expired"),
    ],
)
def test_a_stack_that_cannot_be_read_is_explained(
    aws: CloudFormation, run: Run, tmp_path: Path, wrong: dict[str, object], says: str
) -> None:
    for name, value in wrong.items():
        setattr(aws, name, value)
    said = run("--stack", STACK)
    assert (said.status, said.out) == (1, "")
    assert says in said.err
    assert not (tmp_path / "handoff").exists()


def test_a_stack_that_does_not_exist_is_named(aws: CloudFormation, run: Run) -> None:
    said = run("--stack", "nowhere")
    assert said.status == 1
    assert "there is no stack nowhere in us-east-1" in said.err
    assert "--app cdk.out" in said.err


def test_only_stacks_are_read(aws: CloudFormation, run: Run) -> None:
    run("--stack", STACK)
    assert {action for action, _ in aws.asked} == {
        "DescribeStacks",
        "ListStackResources",
        "DescribeStackResource",
    }


def test_the_ranges_of_a_file_are_written_in_the_order_of_addresses(
    assembly: Path, run: Run, tmp_path: Path
) -> None:
    (tmp_path / "ranges.json").write_text(json.dumps(PUBLISHED))
    said = run("--app", str(assembly), "--ranges", "ranges.json")
    assert (said.status, said.err) == (0, "")
    told = (tmp_path / "handoff/kore-voice.md").read_text()
    assert "`192.0.2.0/24, 198.51.100.0/24`" in told
    assert "203.0.113" not in told


def test_a_region_without_ranges_is_pointed_out(assembly: Path, run: Run, tmp_path: Path) -> None:
    elsewhere = json.loads(json.dumps(PUBLISHED).replace("us-east-1", "eu-west-1"))
    (tmp_path / "ranges.json").write_text(json.dumps(elsewhere))
    said = run("--app", str(assembly), "--ranges", "ranges.json")
    assert said.status == 0
    assert "ranges.json has no ranges for us-east-1" in said.err
