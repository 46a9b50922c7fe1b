"""The lines of `connect-sandbox env` point the AWS CLI and boto3 at the sandbox, whatever is in the user's settings."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.wheel.foreign.conftest import AT_HOME, Stranger

pytestmark = pytest.mark.wheel
POINTED = 'eval "$(connect-sandbox env)"\n'
#: The AWS CLI, which is installed beside the developers' tools.
AWS = f'"{sys.executable}" -m awscli'


@pytest.fixture(scope="module")
def outputs(callbacks: Path, stranger: Stranger) -> dict[str, str]:
    """What the template's stack tells, by the AWS CLI, after a call."""
    stranger.run("connect-sandbox call 'Harbour callbacks' --number +12065550155", cwd=callbacks.parent)
    query = "Stacks[0].Outputs"
    told = stranger.run(
        f"{POINTED} {AWS} cloudformation describe-stacks --stack-name callbacks --query {query}"
    )
    return {one["OutputKey"]: one["OutputValue"] for one in json.loads(told)}


def test_the_aws_cli_sees_what_a_call_has_left(outputs: dict[str, str], stranger: Stranger) -> None:
    logs = f"{AWS} logs filter-log-events --log-group-name /aws/lambda/{outputs['Function']}"
    assert "noted +12065550155" in stranger.run(f"{POINTED} {logs} --query events[].message")
    # Version 1 of the AWS CLI takes no endpoint from the environment for six services, SQS among them.
    queue = f'{AWS} sqs receive-message --endpoint-url "$AWS_ENDPOINT_URL" --queue-url {outputs["Queue"]}'
    received = json.loads(
        stranger.run(f"{POINTED} {queue} --max-number-of-messages 10 --query Messages[].Body")
    )
    assert "+12065550155" in received


def test_boto3_sees_the_same(outputs: dict[str, str], stranger: Stranger) -> None:
    (stranger.folder / "look.py").write_text(
        "import boto3, json, sys\n"
        "session = boto3.Session()\n"
        "invoked = session.client('lambda').get_function_configuration(FunctionName=sys.argv[1])\n"
        "print(json.dumps([session.region_name, invoked['Runtime'], session.available_profiles]))\n"
    )
    told = stranger.run(f"{POINTED} python look.py {outputs['Function']}")
    assert json.loads(told) == ["us-east-1", "python3.13", []]
    assert {name: stranger.at_home()[name] for name in AT_HOME} == AT_HOME
