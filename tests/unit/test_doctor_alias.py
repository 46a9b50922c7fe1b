"""doctor and an instance's alias: asked over HTTP before the deployment, of Amazon Connect after it."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from connect_bridges.operations.doctor.findings import Finding, Status

from tests.support import INSTANCE_ARN
from tests.support.doctor import INSTANCE_ID, STACK, Account, deployed, findings, of

ALIAS = "example-support"
CENTER = {
    "Center": {
        "construct": "ContactCenter",
        "instanceArn": {"Fn::GetAtt": ["Instance", "Arn"]},
        "alias": ALIAS,
    }
}
RESOURCES = {"Instance": {"Type": "AWS::Connect::Instance", "Properties": {"InstanceAlias": ALIAS}}}
LISTED = {"Id": INSTANCE_ID, "Arn": INSTANCE_ARN, "InstanceAlias": "Example-Support"}


class Sites:
    """The addresses of aliases on this machine: a status by alias, and that of every other one."""

    def __init__(self) -> None:
        self.statuses: dict[str, int] = {}
        self.others = 404
        self.asked: list[str] = []


@pytest.fixture
def sites(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sites]:
    told = Sites()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            alias = self.headers["Host"].removesuffix(".my.connect.aws")
            told.asked.append(alias)
            self.send_response(told.statuses.get(alias, told.others))
            self.send_header("Location", "https://example.com/connect/login")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *_: object) -> None:  # noqa: A002  (the base class's name)
            """Print nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
    yield told
    server.shutdown()
    server.server_close()


def examined(tmp_path: Path, **answers: Any) -> Finding:
    return of(findings(tmp_path, Account(**answers), parts=CENTER, resources=RESOURCES), "instance-alias")


def test_a_free_alias_passes(tmp_path: Path, sites: Sites) -> None:
    found = examined(tmp_path)
    assert (found.status, found.found) == (Status.OK, f"{ALIAS}.my.connect.aws answers 404: nobody has it")
    assert sites.asked == [ALIAS]


@pytest.mark.parametrize("status", [200, 302, 403])
def test_an_alias_that_somebody_has_is_a_failure(tmp_path: Path, sites: Sites, status: int) -> None:
    sites.statuses[ALIAS] = status
    found = examined(tmp_path)
    assert found.status is Status.FAILURE
    assert found.found.startswith(
        f"{ALIAS}.my.connect.aws answers {status}, and an address that nobody has answers 404"
    )
    assert "take another alias" in found.fix


def test_an_answer_that_every_address_gives_tells_nothing(tmp_path: Path, sites: Sites) -> None:
    sites.statuses[ALIAS] = sites.others = 302
    found = examined(tmp_path)
    assert found.status is Status.SKIPPED
    assert f"open https://{ALIAS}.my.connect.aws in a browser" in found.fix
    assert len(set(sites.asked)) == 2


@pytest.mark.parametrize(
    ("reason", "status", "says"),
    [
        (socket.gaierror(-2, "Name or service not known"), Status.OK, "does not resolve: nobody has it"),
        (ConnectionRefusedError(111, "Connection refused"), Status.SKIPPED, "which is no sign of being free"),
    ],
)
def test_an_address_that_does_not_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reason: OSError, status: Status, says: str
) -> None:
    def connect(*_: object, **__: object) -> socket.socket:
        raise reason

    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(socket, "create_connection", connect)
    found = examined(tmp_path)
    assert found.status is status
    assert says in found.found


def test_an_instance_of_the_account_that_has_the_alias_is_named(tmp_path: Path, sites: Sites) -> None:
    found = examined(tmp_path, ListInstances={"InstanceSummaryList": [LISTED]})
    assert found.status is Status.FAILURE
    assert INSTANCE_ARN in found.found
    assert "setting instanceArn" in found.fix
    assert found.commands == (
        f"aws connect describe-instance --region us-east-1 --instance-id {INSTANCE_ID}",
    )
    assert sites.asked == []


@pytest.mark.parametrize(
    ("alias", "status"), [("Example-Support", Status.OK), ("example-old", Status.FAILURE)]
)
def test_the_alias_of_a_deployed_instance_is_its_own(
    tmp_path: Path, sites: Sites, alias: str, status: Status
) -> None:
    facts = {"format": 1, "path": f"{STACK}/Center", **CENTER["Center"], "instanceArn": INSTANCE_ARN}
    described = {"InstanceStatus": "ACTIVE", "InstanceAlias": alias, "InboundCallsEnabled": True}
    found = examined(
        tmp_path,
        **deployed_center(facts),
        DescribeInstance={"Instance": described},
    )
    assert found.status is status
    says = (
        f"{ALIAS} is the instance's own"
        if status is Status.OK
        else f"the instance's alias is {alias}, and the app"
    )
    assert found.found.startswith(says)
    assert sites.asked == []


def deployed_center(facts: dict[str, Any]) -> dict[str, Any]:
    """Return the answers of an account in which the stack with the instance is deployed."""
    return deployed() | {
        "DescribeStackResource": {
            "StackResourceDetail": {"Metadata": json.dumps({"connect-bridges": facts})}
        },
        "ListStackResources": {
            "StackResourceSummaries": [
                {
                    "LogicalResourceId": logical_id,
                    "PhysicalResourceId": physical,
                    "ResourceType": kind,
                    "ResourceStatus": "CREATE_COMPLETE",
                }
                for logical_id, physical, kind in (
                    ("Instance", INSTANCE_ARN, "AWS::Connect::Instance"),
                    ("CenterDescription", "x", "AWS::CloudFormation::WaitConditionHandle"),
                )
            ]
        },
    }
