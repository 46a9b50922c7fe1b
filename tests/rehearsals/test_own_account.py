"""The commands that doctor prints are run as the AWS CLI would: what it would not take is refused here, too."""

from __future__ import annotations

from typing import Any

import pytest

from rehearsals.scenarios.aws_command import AwsCommandError, call
from tests.support.aws_cli import Asked, Sent


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (
            "aws connect update-queue-status --region us-east-1 --instance-id i --queue-id q --status ENABLED",
            ("UpdateQueueStatus", {"InstanceId": "i", "QueueId": "q", "Status": "ENABLED"}),
        ),
        (
            (
                "aws service-quotas request-service-quota-increase --service-code lambda --quota-code q "
                "--desired-value 1000"
            ),
            (
                "RequestServiceQuotaIncrease",
                {"ServiceCode": "lambda", "QuotaCode": "q", "DesiredValue": 1000.0},
            ),
        ),
        (
            "aws dynamodb update-table --no-deletion-protection-enabled --region r --table-name t",
            ("UpdateTable", {"TableName": "t", "DeletionProtectionEnabled": False}),
        ),
        (
            "aws apigateway update-account --patch-operations op=replace,path=/a,value=arn:aws:iam::1:role/x",
            (
                "UpdateAccount",
                {"patchOperations": [{"op": "replace", "path": "/a", "value": "arn:aws:iam::1:role/x"}]},
            ),
        ),
        (
            "aws secretsmanager put-secret-value --secret-id s --secret-string file://secret.txt",
            ("PutSecretValue", {"SecretId": "s", "SecretString": "held"}),
        ),
    ],
)
def test_a_command_becomes_the_call_that_the_cli_makes(command: str, expected: Any) -> None:
    asked = Asked()
    with pytest.raises(Sent):
        call(command, asked.client, {"secret.txt": "held"})
    (name, params) = asked.calls[0]
    wanted_name, wanted = expected
    assert (name, {key: params[key] for key in wanted}) == (wanted_name, wanted)


@pytest.mark.parametrize(
    ("command", "complaint"),
    [
        ("npx cdk deploy", "no command of the AWS CLI"),
        ("aws connect frobnicate", "aws connect has no command frobnicate"),
        ("aws connect describe-queue --queue q", "DescribeQueue has no option --queue"),
        ("aws connect describe-queue --queue-id", "lacks its value"),
        ("aws connect describe-queue q", "'q' is no option of DescribeQueue"),
        ("aws connect describe-queue --queue-id a b", "more than one value"),
        ("aws apigateway update-account --patch-operations operation=replace", "is no PatchOperation"),
        ("aws dynamodb create-table --provisioned-throughput x", "values of type structure are not read"),
    ],
)
def test_what_the_cli_would_not_take_is_refused(command: str, complaint: str) -> None:
    with pytest.raises(AwsCommandError, match=complaint):
        call(command, Asked().client, {})
