"""`connect-bridges smoke` under the IAM policy that it prints, and no more."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from connect_sandbox.iam import Policy, compare_grants

from rehearsals.scenarios import Deployment, Rehearsal
from rehearsals.scenarios.chats import dead_letters
from rehearsals.scenarios.smoke import STACKS

pytestmark = pytest.mark.sandbox

USER = "smoke-tester"
NAMED = [part for name in STACKS for part in ("--stack", name)]
WHEN_SOMETHING_IS_WRONG = {
    # Store and Authorize are invoked to say what keeps them, and a test caller is deleted if Erase cannot.
    "lambda:InvokeFunction": ("MetadataStore", "MetadataAuthorize"),
    "dynamodb:DeleteItem": ("BiometricsTable",),
    # For tables and secrets under keys of one's own, which these stacks have not.
    "kms:Decrypt": ("key/*",),
    "kms:GenerateDataKey": ("key/*",),
}


@pytest.fixture
def policy(deployment: Deployment) -> str:
    _ = deployment.voice, deployment.biometrics, deployment.own_app, deployment.contact_center
    dead_letters(deployment.sandbox, deployment.chat)
    status, printed = Rehearsal(deployment).command("smoke", *NAMED, "--policy")
    assert status == 0, printed
    return printed


@pytest.fixture
def key(deployment: Deployment, policy: str) -> Iterator[dict[str, str]]:
    """The access key of a user who has that policy alone."""
    iam = deployment.sandbox.boto3_client("iam")
    iam.create_user(UserName=USER)
    iam.put_user_policy(UserName=USER, PolicyName="smoke", PolicyDocument=policy)
    made = iam.create_access_key(UserName=USER)["AccessKey"]
    yield {
        "AWS_ACCESS_KEY_ID": made["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": made["SecretAccessKey"],
    }
    iam.delete_access_key(UserName=USER, AccessKeyId=made["AccessKeyId"])
    iam.delete_user_policy(UserName=USER, PolicyName="smoke")
    iam.delete_user(UserName=USER)


def smoke(deployment: Deployment, key: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "connect_bridges.cli", "smoke", *arguments],
        env={**deployment.sandbox.environment(), **key},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_printed_policy_is_enough_and_no_more(
    deployment: Deployment, policy: str, key: dict[str, str]
) -> None:
    user = f"arn:aws:iam::{deployment.sandbox.account}:user/{USER}"
    ran = smoke(deployment, key, *NAMED, "--vendor-check")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    calls = deployment.sandbox.audit.calls(principal=user)
    assert [str(call) for call in calls if not call.allowed] == []
    report = compare_grants([Policy.parse(json.loads(policy), name="smoke")], calls)
    assert not report.ungranted_calls
    assert not report.wildcard_actions
    assert not report.needless_wildcard_resources, str(report)
    unexplained = [
        grant
        for grant in report.unused_grants
        if not any(part in grant.resource for part in WHEN_SOMETHING_IS_WRONG.get(grant.action, ()))
    ]
    assert [str(grant) for grant in unexplained] == []


def test_a_person_without_permissions_is_told_what_is_missing(
    deployment: Deployment, key: dict[str, str]
) -> None:
    iam = deployment.sandbox.boto3_client("iam")
    stacks = {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Action": ["cloudformation:Describe*", "cloudformation:List*"],
            "Resource": "*",
        },
    }
    iam.put_user_policy(UserName=USER, PolicyName="smoke", PolicyDocument=json.dumps(stacks))
    ran = smoke(deployment, key, "--stack", STACKS[0], "--json")
    assert ran.returncode == 1, ran.stderr
    told = json.loads(ran.stdout)
    checks = [check for each in told["stacks"][0]["constructs"] for check in each["checks"]]
    todo = {check["name"]: check["todo"] for check in checks if check["outcome"] == "failed"}
    assert todo["metadata-token"] == "Let your role or user call secretsmanager:GetSecretValue."
    assert todo["functions-associated"] == "Let your role or user call connect:ListLambdaFunctions."
    assert "disproved" not in {one["state"] for one in told["evidence"]}


def test_nobody_without_any_permission_gets_as_far_as_a_check(
    deployment: Deployment, key: dict[str, str]
) -> None:
    iam = deployment.sandbox.boto3_client("iam")
    nothing = {"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}}
    iam.put_user_policy(UserName=USER, PolicyName="smoke", PolicyDocument=json.dumps(nothing))
    ran = smoke(deployment, key, "--stack", STACKS[0])
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "cloudformation:DescribeStacks" in ran.stderr
    assert os.linesep not in ran.stderr.strip()
