"""What each function may do is what it does: nothing refused, and nothing granted that is not used."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from connect_sandbox.iam import Policy, compare_grants

from rehearsals.scenarios.deployment import OWN_APP_STACK, VOICE_STACK, Deployment
from tests.rehearsals.played import DESTROYS, Played
from tests.support.roles import identity_policies

pytestmark = pytest.mark.sandbox

METADATA_ROLES = ("MetadataStoreRole", "MetadataAuthorizeRole", "MetadataRetrieveRole")


@pytest.fixture(scope="module")
def exercised(deployment: Deployment, policies: dict[str, list[Policy]], played: Played) -> Deployment:
    """Let every function do all that it ever does: play the calls, and take the connector through its life.

    `policies` have been read before that, since it ends with the connector's stack.
    """
    played.passes("voice/metadata-returns", "voice/wrong-token", "voice/module-in-own-flow")
    _redeliver_creation(deployment)
    _update_connector(deployment)
    result = played.again(DESTROYS)
    assert result.outcome == "passed", result.failure
    return deployment


@pytest.mark.parametrize("role", METADATA_ROLES)
def test_a_metadata_function_uses_what_it_is_granted_and_is_granted_what_it_uses(
    policies: dict[str, list[Policy]], exercised: Deployment, role: str
) -> None:
    name, granted = _role(policies, role)
    report = compare_grants(granted, exercised.sandbox.audit.calls(role=name))
    assert report.exact, str(report)
    assert not report.needless_wildcard_resources, str(report)


def test_the_connector_resource_uses_what_it_is_granted_and_is_granted_what_it_uses(
    policies: dict[str, list[Policy]], exercised: Deployment
) -> None:
    name, granted = _role(policies, "ConnectorFunctionRole")
    report = compare_grants(granted, exercised.sandbox.audit.calls(role=name))
    assert report.exact, str(report)
    assert not report.wildcard_actions, str(report)
    assert not report.needless_wildcard_resources, str(report)


def test_nothing_was_refused(exercised: Deployment) -> None:
    # Of these functions: other tests of the run provoke refusals on purpose.
    refused = exercised.sandbox.audit.calls(allowed=False)
    assert [
        str(entry) for entry in refused if (entry.role or "").startswith((VOICE_STACK, OWN_APP_STACK))
    ] == []


@pytest.fixture(scope="module")
def policies(deployment: Deployment) -> dict[str, list[Policy]]:
    """Return the identity policies of every role of both stacks, by role name, before a stack is destroyed."""
    # By their paths, so that a stack that an earlier test has destroyed is deployed again.
    stacks = (deployment.voice.stack, deployment.own_app.stack)
    roles = [role for stack in stacks for role in deployment.physical_ids(stack, "AWS::IAM::Role")]
    return {role: identity_policies(deployment, role) for role in roles}


def _role(policies: dict[str, list[Policy]], part: str) -> tuple[str, list[Policy]]:
    (found,) = [(name, granted) for name, granted in policies.items() if part in name and _first(name, part)]
    return found


def _first(name: str, part: str) -> bool:
    """Metadata functions are in both stacks; those of the app are looked at."""
    return name.startswith(VOICE_STACK if part.startswith("Metadata") else OWN_APP_STACK)


def _update_connector(deployment: Deployment) -> None:
    """Send the connector's function an update of everything that changes in place, as CloudFormation would."""
    resource = deployment.sandbox.voice_connectors.get(deployment.own_app.connector_arn or "")
    # As if the logs had had a key of their own before.
    key = f"arn:aws:kms:{deployment.sandbox.region}:123456789012:key/11111111-2222-3333-4444-555555555555"
    old = {**_properties(deployment, resource.name), "LogKeyArn": key}
    new = {
        **_properties(deployment, resource.name),
        "Host": "sbc2.example.com",
        "Tags": [{"Key": "new", "Value": "x"}],
    }
    for before, after in ((old, new), (new, _properties(deployment, resource.name))):
        answer = _send(
            deployment, "Update", f"update-{after['Host']}", after, physical_id=resource.arn, old=before
        )
        assert answer["Status"] == "SUCCESS", answer["Reason"]
        routes = (deployment.sandbox.voice_connectors.get(resource.arn).origination or {})["Routes"]
        assert [route["Host"] for route in routes] == [after["Host"]]


def _redeliver_creation(deployment: Deployment) -> None:
    """Deliver the event that created the connector once more: Lambda does so if an invocation was lost."""
    connector = deployment.sandbox.voice_connectors.get(deployment.own_app.connector_arn or "")
    answer = _send(
        deployment,
        "Create",
        connector.tags["connect-bridges:request"],
        _properties(deployment, connector.name),
    )
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", connector.arn), answer["Reason"]


def _send(
    deployment: Deployment,
    kind: str,
    request_id: str,
    properties: dict[str, Any],
    *,
    physical_id: str | None = None,
    old: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Send the connector's function an event as CloudFormation would, and return its answer."""
    functions = deployment.sandbox.boto3_client("lambda")
    (name,) = [
        function["FunctionName"]
        for function in functions.list_functions()["Functions"]
        if function["FunctionName"].startswith(OWN_APP_STACK)
        and "ConnectorFunction" in function["FunctionName"]
    ]
    with _answers() as (url, answers):
        event = {
            "RequestType": kind,
            "RequestId": request_id,
            "ResponseURL": url,
            "StackId": f"arn:aws:cloudformation:us-east-1:123456789012:stack/{OWN_APP_STACK}/1",
            "ResourceType": "Custom::ExternalVoiceConnector",
            "LogicalResourceId": "Connector",
            "ResourceProperties": properties,
            **({"PhysicalResourceId": physical_id} if physical_id else {}),
            **({"OldResourceProperties": old} if old else {}),
        }
        functions.invoke(FunctionName=name, Payload=json.dumps(event))
    (answer,) = answers
    return answer


def _properties(deployment: Deployment, name: str) -> dict[str, Any]:
    """Return what examples/own_app asks for."""
    return {
        "InstanceId": deployment.own_app.instance_arn,
        "Name": name,
        "Host": "sbc.example.com",
        "Port": "5061",
        "Protocol": "TCP",
        "RequireEncryption": "true",
        "SessionBorderControllerTypes": ["AUDIOCODES_MEDIANT_SBC"],
        "SipLogs": "true",
        "MediaMetricLogs": "true",
        "LogRetentionDays": "30",
        "KeepLogs": "false",
        "AwsRegion": deployment.sandbox.region,
        "Tags": [{"Key": "old", "Value": "x"}],
    }


@contextmanager
def _answers() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Take what a custom resource answers, at a URL that lives as long as the block."""
    answers: list[dict[str, Any]] = []

    class Answers(http.server.BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            answers.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (the base's signature)
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/answer", answers
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
