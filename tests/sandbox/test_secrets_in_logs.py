"""No secret of the deployed stacks, or of their vendors, stands in a log, a transcript, or an answer to a flow."""

from __future__ import annotations

import json

import pytest
from connect_bridges.sandbox.scenarios import SCENARIOS, Deployment, play
from connect_bridges.sandbox.scenarios.voice import METADATA

pytestmark = pytest.mark.sandbox


@pytest.fixture(scope="module")
def transcripts(deployment: Deployment) -> str:
    """Play every scenario that leaves the stacks in place; return what their transcripts hold, as JSON."""
    results = [
        play(scenario, deployment)
        for name, scenario in SCENARIOS.items()
        if name != "voice/connector-created-and-removed"
    ]
    assert [result.failure for result in results if result.outcome != "passed"] == []
    return json.dumps([result.to_json() for result in results], ensure_ascii=False)


def test_no_secret_stands_in_any_log_of_any_scenario(deployment: Deployment, transcripts: str) -> None:
    secrets, logged = _secrets(deployment), _logged(deployment)
    assert len(secrets) >= 3, "the stacks should have secrets to look for"
    assert logged.count("chat streaming") >= 5, "the functions should have logged the chats"
    assert {name for name, secret in secrets.items() if secret in logged} == set()


def test_no_secret_stands_in_any_transcript(deployment: Deployment, transcripts: str) -> None:
    assert {name for name, secret in _secrets(deployment).items() if secret in transcripts} == set()


def test_what_customers_say_stands_in_no_log_either(deployment: Deployment, transcripts: str) -> None:
    logged = _logged(deployment)
    said = [str(METADATA["x_metadata"]), "I want my money back", "Where is my order 4711?", "message 3"]
    assert [text for text in said if text in logged] == []
    assert "Where is my order 4711?" in transcripts


def _secrets(deployment: Deployment) -> dict[str, str]:
    """Return every version of every secret, by name and version."""
    client = deployment.sandbox.boto3_client("secretsmanager")
    found: dict[str, str] = {}
    for secret in client.list_secrets()["SecretList"]:
        versions = client.list_secret_version_ids(SecretId=secret["ARN"])["Versions"]
        for version in versions:
            value = client.get_secret_value(SecretId=secret["ARN"], VersionId=version["VersionId"])
            found[f"{secret['Name']} {version['VersionId']}"] = value["SecretString"]
    return found


def _logged(deployment: Deployment) -> str:
    client = deployment.sandbox.boto3_client("logs")
    groups = [group["logGroupName"] for group in client.describe_log_groups()["logGroups"]]
    events = [event for name in groups for event in client.filter_log_events(logGroupName=name)["events"]]
    return "\n".join(event["message"] for event in events)
