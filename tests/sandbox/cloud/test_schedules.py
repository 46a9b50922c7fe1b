"""Rules with a schedule are deployed as they are, set off by hand, and refused by name for what happens nowhere."""

from __future__ import annotations

from typing import Any

import pytest
from connect_sandbox.cloud import Sandbox
from connect_sandbox.cloud.errors import AwsError, SandboxError
from connect_sandbox.cloud.schedules import run_rule

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:nobody"


def rule(**properties: Any) -> dict[str, Any]:
    target = {"Arn": FUNCTION, "Id": "Target0"}
    return {
        "Type": "AWS::Events::Rule",
        "Properties": {"ScheduleExpression": "rate(1 day)", "Targets": [target], **properties},
    }


def test_a_rule_keeps_its_schedule_and_targets(sandbox: Sandbox, deploy: Any) -> None:
    assert deploy({"Resources": {"Daily": rule(Name="daily")}}).status == "CREATE_COMPLETE"
    events = sandbox.boto3_client("events")
    assert events.describe_rule(Name="daily")["ScheduleExpression"] == "rate(1 day)"
    assert [t["Arn"] for t in events.list_targets_by_rule(Rule="daily")["Targets"]] == [FUNCTION]
    with pytest.raises(AwsError, match="nobody"):
        run_rule(sandbox, "daily")


def test_a_disabled_rule_sets_nothing_off(sandbox: Sandbox, deploy: Any) -> None:
    deploy({"Resources": {"Daily": rule(Name="asleep", State="DISABLED")}})
    with pytest.raises(SandboxError, match="asleep is DISABLED"):
        run_rule(sandbox, "asleep")


@pytest.mark.parametrize(
    ("properties", "named"),
    [
        ({"RoleArn": "r"}, "AWS::Events::Rule RoleArn"),
        ({"EventBusName": "own"}, "ScheduleExpression is supported only on the default event bus"),
        ({"EventPattern": {"source": "aws.s3"}}, "source must be an object or a list of values"),
        ({"EventPattern": {"source": [{"like": "aws"}]}}, "unrecognized match type like"),
        ({"Targets": [{"Id": "1", "Arn": "arn:aws:batch:us-east-1:123456789012:q"}]}, "arn:aws:batch:"),
    ],
)
def test_what_does_not_happen_here_is_refused_by_name(
    deploy: Any, properties: dict[str, Any], named: str
) -> None:
    stack = deploy({"Resources": {"Daily": rule(**properties)}})
    assert stack.status == "ROLLBACK_COMPLETE"
    assert named in stack.reasons
