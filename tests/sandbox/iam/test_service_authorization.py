"""AWS's list of actions and resources, read offline."""

from __future__ import annotations

import subprocess
import sys

import pytest
from connect_sandbox.iam import expand_action, find_action, service_actions
from connect_sandbox.iam.service_authorization import UnknownService


def test_an_action_tells_the_resources_it_acts_on() -> None:
    action = find_action("connect:createparticipant")
    assert action is not None
    assert {kind.name for kind in action.required} == {"contact", "instance"}
    describe = find_action("logs:DescribeLogGroups")
    assert describe is not None
    assert not describe.knows_resources
    assert find_action("dynamodb:Vacuum") is None
    assert find_action("nosuch:Thing") is None


def test_a_pattern_stands_for_the_actions_it_matches() -> None:
    assert expand_action("dynamodb:?etItem") == ("dynamodb:GetItem",)
    assert "sns:Publish" in expand_action("SNS:*")
    assert expand_action("dynamodb:putitem") == ("dynamodb:PutItem",)
    assert expand_action("made:Up") == ("made:Up",)
    assert expand_action("*") == ("*",)


def test_every_service_that_the_sandbox_reads_is_there() -> None:
    for prefix in (
        "apigateway",
        "chime",
        "connect",
        "dynamodb",
        "kms",
        "lambda",
        "logs",
        "s3",
        "sns",
        "sqs",
        "sts",
    ):
        assert len(service_actions(prefix)) > 5
    with pytest.raises(UnknownService):
        service_actions("nosuch")


def test_the_whole_data_file_is_never_parsed() -> None:
    code = (
        "import sys; from connect_sandbox.iam.service_authorization import find_action; "
        "find_action('dynamodb:PutItem'); assert 'policy_sentry.shared.iam_data' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
