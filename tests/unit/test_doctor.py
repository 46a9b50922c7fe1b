"""connect-bridges doctor: what it finds in an account that answers as told, and what it says is to be done."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import botocore.session
import pytest
from botocore.awsrequest import AWSResponse, HeadersDict
from botocore.exceptions import ConnectTimeoutError, NoCredentialsError
from connect_bridges.operations import doctor, evidence
from connect_bridges.operations.deployed import DeployedError
from connect_bridges.operations.doctor.aws import Region
from connect_bridges.operations.doctor.examination import examine, subjects_of
from connect_bridges.operations.doctor.findings import CHECKS, About, Finding, Status
from connect_bridges.operations.doctor.limits import limits

from tests.support import CONNECTOR_ARN, INSTANCE_ARN, ROOT
from tests.support.aws_cli import expect_taken
from tests.support.doctor import (
    ACCOUNT,
    CHAT,
    DENIED,
    GATE,
    INSTANCE_ID,
    METADATA,
    NOT_FOUND,
    PARTS,
    REGION,
    RESOURCES,
    SECRETS,
    STACK,
    TOPIC,
    TRANSFER,
    Account,
    assembly,
    deployed,
    error,
    findings,
    of,
)

OUTSIDE = {"endpoint-tls", "connector-host"}
"""What no account answers; tests/unit/test_doctor_vendors.py has them."""


def test_an_account_that_is_ready_passes_every_check(tmp_path: Path) -> None:
    found = findings(tmp_path, Account())
    assert {each.status for each in found if each.check not in OUTSIDE} == {Status.OK, Status.SKIPPED}
    skipped = {each.check for each in found if each.status is Status.SKIPPED}
    assert skipped == {"secret", "subscription", "phone-number"}


def test_an_app_that_is_deployed_and_filled_in_passes_every_check(tmp_path: Path) -> None:
    found = findings(tmp_path, Account(**deployed()))
    wrong = [each for each in found if each.status is not Status.OK and each.check not in OUTSIDE]
    assert wrong == []
    assert {each.check for each in found} >= {"function-health", "table-replaced", "subscription"}


def test_every_check_is_made_somewhere(tmp_path: Path) -> None:
    made = {each.check for each in findings(tmp_path, Account())}
    made |= {each.check for each in findings(tmp_path, Account(**deployed()))}
    own_key = Account(
        DescribeSecret={"KmsKeyId": "k", "VersionIdsToStages": {}},
        DescribeKey={"KeyMetadata": {"KeyId": "k", "Arn": "a", "KeyState": "Enabled"}},
    )
    made |= {each.check for each in findings(tmp_path, own_key, parts={"Gate": GATE}, resources={})}
    made |= {each.check for each in kept_tables(tmp_path, protected=False)}
    made.add("instance-alias")  # tests/unit/test_doctor_alias.py
    made |= {limit.check for limit in limits()}  # tests/unit/test_doctor_limits.py makes each of them
    assert made >= set(CHECKS)


def test_the_page_has_every_check() -> None:
    page = (ROOT / "docs/doctor.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1].strip(" `") for line in page.splitlines() if line.startswith("| `")]
    assert [row for row in rows if row in CHECKS] == list(CHECKS)


def test_a_finding_of_no_check_is_refused() -> None:
    with pytest.raises(ValueError, match="'quota' is no check"):
        About("quota", "x").ok("y")


# check, what the account answers, status, what is found, the exact next step
GAPS: list[tuple[str, dict[str, Any], Status, str, str]] = [
    (
        "account",
        {"GetCallerIdentity": {"Account": "210987654321", "Arn": "a", "UserId": "u"}},
        Status.FAILURE,
        "the stack is for account 123456789012, and the credentials are of 210987654321",
        "aws configure list-profiles",
    ),
    (
        "bootstrap",
        {"GetParameter": error("ParameterNotFound")},
        Status.FAILURE,
        "not bootstrapped",
        "npx cdk bootstrap aws://123456789012/us-east-1",
    ),
    (
        "bootstrap",
        {"GetParameter": {"Parameter": {"Value": "5"}}},
        Status.FAILURE,
        "version 5, and the app needs 6",
        "npx cdk bootstrap aws://123456789012/us-east-1",
    ),
    (
        "connect-open",
        {
            "ListInstances": error(
                "AccessDeniedException",
                "User: x is not authorized to perform: connect:ListInstances on resource: * with an explicit deny",
            )
        },
        Status.FAILURE,
        "closed to this account",
        "AWS Support Center",
    ),
    (
        "instance",
        {"DescribeInstance": {"Instance": {"InstanceStatus": "CREATION_FAILED"}}},
        Status.FAILURE,
        "CREATION_FAILED",
        f"aws connect describe-instance --region us-east-1 --instance-id {INSTANCE_ID}",
    ),
    (
        "inbound-calls",
        {"DescribeInstance": {"Instance": {"InstanceStatus": "ACTIVE", "InboundCallsEnabled": False}}},
        Status.FAILURE,
        "off",
        f"--instance-id {INSTANCE_ID} --attribute-type INBOUND_CALLS --value true",
    ),
    (
        "outbound-calls",
        {"DescribeInstance": {"Instance": {"InstanceStatus": "ACTIVE", "InboundCallsEnabled": True}}},
        Status.FAILURE,
        "off",
        f"--instance-id {INSTANCE_ID} --attribute-type OUTBOUND_CALLS --value true",
    ),
    (
        "flow-logs",
        {"DescribeInstanceAttribute": {"Attribute": {"AttributeType": "CONTACTFLOW_LOGS", "Value": "false"}}},
        Status.WARNING,
        "off",
        (f"aws connect update-instance-attribute --region us-east-1 --instance-id {INSTANCE_ID} "
        "--attribute-type CONTACTFLOW_LOGS --value true"),
    ),
    (
        "lambda-concurrency",
        {"GetAccountSettings": {"AccountLimit": {"ConcurrentExecutions": 10, "UnreservedConcurrentExecutions": 10}}},
        Status.WARNING,
        "10 at once",
        ("aws service-quotas request-service-quota-increase --region us-east-1 --service-code lambda "
        "--quota-code L-B99A9384 --desired-value 1000"),
    ),
    (
        "api-log-role",
        {"GetAccount": {"cloudwatchRoleArn": "arn:aws:iam::123456789012:role/theirs"}},
        Status.WARNING,
        "role/theirs is not of these stacks, and deploying support replaces it for every API of us-east-1",
        "cloud_watch_role=False (setting cloudWatchRole: false) of support/Metadata, support/Gate",
    ),
    (
        "connector-quota",
        {"GetServiceQuota": {"Quota": {"Value": 0.0}}},
        Status.FAILURE,
        "quota L-2BE4D75F is 0; 0 used, 1 needed",
        ("aws service-quotas request-service-quota-increase --region us-east-1 --service-code connect "
        "--quota-code L-2BE4D75F --desired-value 1"),
    ),
    (
        "function-quota",
        {"ListLambdaFunctions": {"LambdaFunctions": ["f"] * 50}, "GetServiceQuota": {"Quota": {"Value": 50.0}}},
        Status.FAILURE,
        "quota L-E3D2F503 is 50; 50 used, 1 needed",
        f"--quota-code L-E3D2F503 --desired-value 51 --context-id {INSTANCE_ARN}",
    ),
    (
        "flow-quota",
        {"ListContactFlows": {"ContactFlowSummaryList": [{"Name": f"f{n}"} for n in range(100)]}},
        Status.FAILURE,
        "quota L-22922690 is 100; 100 used, 1 needed",
        f"--quota-code L-22922690 --desired-value 101 --context-id {INSTANCE_ARN}",
    ),
    (
        "module-quota",
        {"ListContactFlowModules": {"ContactFlowModulesSummaryList": [{"Name": f"m{n}"} for n in range(200)]}},
        Status.FAILURE,
        "quota L-19755C7E is 100; 200 used, 1 needed",
        f"--quota-code L-19755C7E --desired-value 201 --context-id {INSTANCE_ARN}",
    ),
    (
        "connector-associated",
        {"GetVoiceConnector": error("NotFoundException")},
        Status.FAILURE,
        "there is no voice connector abcdef1ghij2klmno3pqr4 in us-east-1",
        "aws chime-sdk-voice list-voice-connectors --region us-east-1",
    ),
    (
        "connector-associated",
        {"ListIntegrationAssociations": {"IntegrationAssociationSummaryList": []}},
        Status.FAILURE,
        "is not associated",
        (f"aws connect create-integration-association --region us-east-1 --instance-id {INSTANCE_ID} "
        f"--integration-type CALL_TRANSFER_CONNECTOR --integration-arn {CONNECTOR_ARN}"),
    ),
    (
        "next-flow",
        {"DescribeContactFlow": NOT_FOUND},
        Status.FAILURE,
        "there is no flow 33333333-3333-4444-5555-666666666666",
        f"aws connect list-contact-flows --region us-east-1 --instance-id {INSTANCE_ID}",
    ),
    (
        "next-flow",
        {"DescribeContactFlow": {"ContactFlow": {"Name": "Next", "State": "ARCHIVED"}}},
        Status.FAILURE,
        "Next is ARCHIVED",
        "--contact-flow-id 33333333-3333-4444-5555-666666666666 --contact-flow-state ACTIVE",
    ),
    (
        "provider-function",
        {"GetFunctionConfiguration": NOT_FOUND},
        Status.FAILURE,
        "function:judge does not exist",
        "deploy it first",
    ),
    (
        "provider-function",
        {"GetFunctionConfiguration": lambda asked: NOT_FOUND if asked["FunctionName"] == "store" else {"Timeout": 3}},
        Status.WARNING,
        "is stopped after 3 s, while the gate waits 7 s",
        "function:judge --timeout 8",
    ),
    (
        "redial-number",
        {"ListPhoneNumbersV2": {"ListPhoneNumbersSummaryList": []}},
        Status.FAILURE,
        "+442079460100 is not a number of the instance",
        f"aws connect list-phone-numbers-v2 --region us-east-1 --target-arn {INSTANCE_ARN}",
    ),
    (
        "names-free",
        {"DescribeTable": {"Table": {"TableName": "sessions"}}},
        Status.FAILURE,
        "GlobalTable sessions exists, and is not of this stack",
        "aws dynamodb delete-table --region us-east-1 --table-name sessions",
    ),
    (
        "names-free",
        {"ListTopics": {"Topics": [{"TopicArn": TOPIC}]}},
        Status.FAILURE,
        "Topic KoreChatStream exists",
        f"aws sns delete-topic --region us-east-1 --topic-arn {TOPIC}",
    ),
    (
        "names-free",
        {"DescribeLogGroups": {"logGroups": [{"logGroupName": "/aws/lambda/store"}]}},
        Status.FAILURE,
        "LogGroup /aws/lambda/store exists",
        "aws logs delete-log-group --region us-east-1 --log-group-name /aws/lambda/store",
    ),
    (
        "names-free",
        {"GetFunctionConfiguration": {"State": "Active", "Timeout": 10}},
        Status.FAILURE,
        "Function store exists",
        "aws lambda delete-function --region us-east-1 --function-name store",
    ),
    (
        "names-free",
        {
            "DescribeSecret": lambda asked: {
                "ARN": f"{SECRETS}chat-token-bbbbbb",
                "VersionIdsToStages": {"1": ["AWSPREVIOUS"]},
                **({} if asked["SecretId"].startswith("arn:") else {"DeletedDate": 1}),
            }
        },
        Status.FAILURE,
        "Secret chat-token exists",
        f"aws secretsmanager restore-secret --region us-east-1 --secret-id {SECRETS}chat-token-bbbbbb",
    ),
    (
        "names-free",
        {
            "ListContactFlows": {
                "ContactFlowSummaryList": [
                    {"Id": "f-1", "Name": "transfer", "ContactFlowType": "CONTACT_FLOW"}
                ]
            }
        },
        Status.FAILURE,
        "ContactFlow transfer exists",
        f"aws connect delete-contact-flow --region us-east-1 --instance-id {INSTANCE_ID} --contact-flow-id f-1",
    ),
    (
        "names-free",
        {"ListContactFlowModules": {"ContactFlowModulesSummaryList": [{"Id": "m-1", "Name": "module"}]}},
        Status.FAILURE,
        "ContactFlowModule module exists",
        (f"aws connect delete-contact-flow-module --region us-east-1 --instance-id {INSTANCE_ID} "
        "--contact-flow-module-id m-1"),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("check", "answers", "status", "says", "step"), GAPS)
def test_each_gap_is_found_with_its_next_step(
    tmp_path: Path, check: str, answers: dict[str, Any], status: Status, says: str, step: str
) -> None:
    found = [each for each in findings(tmp_path, Account(**answers)) if each.check == check]
    (wrong,) = [each for each in found if each.status not in {Status.OK, Status.SKIPPED}]
    assert wrong.status is status
    assert says in wrong.found
    assert step in "\n".join([wrong.fix, *wrong.commands])
    for command in wrong.commands:
        if command.startswith("aws "):
            expect_taken(command)


# the same, in an account in which the app is deployed
LATER: list[tuple[str, dict[str, Any], Status, str, str]] = [
    (
        "secret",
        {"DescribeSecret": {"VersionIdsToStages": {"1": ["AWSCURRENT"]}}},
        Status.FAILURE,
        "token: still holds what the deployment generated",
        (f"aws secretsmanager put-secret-value --region us-east-1 --secret-id {SECRETS}chat-aaaaaa "
        "--secret-string file://secret.txt"),
    ),
    (
        "subscription",
        {"ListSubscriptionsByTopic": {"Subscriptions": [{"SubscriptionArn": "PendingConfirmation", "Endpoint": "https://bot.example.com/hook"}]}},
        Status.FAILURE,
        "not confirmed",
        f"https://us-east-1.console.aws.amazon.com/sns/v3/home?region=us-east-1#/topic/{TOPIC}, choose",
    ),
    (
        "subscription",
        {"ListSubscriptionsByTopic": {"Subscriptions": []}},
        Status.FAILURE,
        "no subscription for https://bot.example.com/hook",
        f"npx cdk deploy {STACK} --revert-drift",
    ),
    (
        "subscription",
        {"ListSubscriptionsByTopic": error("NotFound")},
        Status.FAILURE,
        "is gone",
        f"npx cdk deploy {STACK} --revert-drift",
    ),
    (
        "function-health",
        {"GetFunctionConfiguration": {"State": "Failed", "StateReason": "the subnet is gone", "Timeout": 10}},
        Status.FAILURE,
        "store is Failed, its last update Successful: the subnet is gone",
        "aws lambda get-function-configuration --region us-east-1 --function-name store",
    ),
    (
        "function-health",
        {"GetFunctionConfiguration": {"State": "Active", "LastUpdateStatus": "InProgress", "Timeout": 10}},
        Status.WARNING,
        "store is Active, its last update InProgress",
        "wait",
    ),
    (
        "api-log-role",
        {"GetAccount": {"cloudwatchRoleArn": "arn:aws:iam::123456789012:role/theirs"}},
        Status.WARNING,
        "somebody has replaced theirs since",
        "aws iam list-attached-role-policies --role-name theirs",
    ),
    (
        "phone-number",
        {"ListFlowAssociations": {"FlowAssociationSummaryList": []}},
        Status.WARNING,
        "no number leads to the flow",
        f"--instance-id {INSTANCE_ID} --contact-flow-id 22222222-3333-4444-5555-666666666666",
    ),
    (
        "redial-number",
        {"ListFlowAssociations": {"FlowAssociationSummaryList": []}},
        Status.WARNING,
        "does not lead to the flow",
        f"associate-phone-number-contact-flow --region us-east-1 --phone-number-id n-1 --instance-id {INSTANCE_ID} ",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("check", "answers", "status", "says", "step"), LATER)
def test_each_gap_of_a_deployment_is_found_with_its_next_step(
    tmp_path: Path, check: str, answers: dict[str, Any], status: Status, says: str, step: str
) -> None:
    found = [each for each in findings(tmp_path, Account(**{**deployed(), **answers})) if each.check == check]
    (wrong,) = [each for each in found if each.status is not Status.OK]
    assert wrong.status is status
    assert says in wrong.found
    assert step in "\n".join([wrong.fix, *wrong.commands])
    for command in wrong.commands:
        if command.startswith("aws "):
            expect_taken(command)


@pytest.mark.parametrize(
    ("described", "value", "says", "step"),
    [
        (NOT_FOUND, {}, "does not exist", "create it, correct the ARN"),
        ({"DeletedDate": 1}, {}, "is being deleted", "aws secretsmanager restore-secret"),
        ({}, {"SecretString": '{"accountSid": "hidden"}'}, "does not hold authToken", "put-secret-value"),
        (
            {},
            {"SecretString": '{"accountSid": "put-yours-here", "authToken": "hidden"}'},
            "still holds what the deployment generated",
            'secret.txt holds {"accountSid": "…", "authToken": "…"}',
        ),
        ({}, NOT_FOUND, "has no value", "put-secret-value"),
        (
            {},
            {"SecretString": "no json, hidden"},
            "does not hold accountSid and authToken",
            "put-secret-value",
        ),
    ],
)
def test_a_secret_of_the_users_is_looked_into(
    tmp_path: Path, described: dict[str, Any], value: dict[str, Any], says: str, step: str
) -> None:
    answers = {"DescribeSecret": described, "GetSecretValue": value}
    found = findings(tmp_path, Account(**answers), parts={"Gate": GATE}, resources={})
    secret = of(found, "secret")
    assert secret.status is Status.FAILURE
    assert says in secret.found
    assert step in "\n".join([secret.fix, *secret.commands])


def test_a_secret_that_one_may_not_read_is_not_held_against_the_account(tmp_path: Path) -> None:
    found = of(
        findings(tmp_path, Account(GetSecretValue=DENIED), parts={"Gate": GATE}, resources={}), "secret"
    )
    assert found.status is Status.SKIPPED
    assert "for want of secretsmanager:GetSecretValue" in found.found


@pytest.mark.parametrize(
    ("state", "status", "step"),
    [
        ("Enabled", Status.OK, ""),
        ("Disabled", Status.FAILURE, "aws kms enable-key --region us-east-1 --key-id k-1"),
        ("PendingDeletion", Status.FAILURE, "aws kms cancel-key-deletion --region us-east-1 --key-id k-1"),
    ],
)
def test_a_secrets_own_key_has_to_be_usable(tmp_path: Path, state: str, status: Status, step: str) -> None:
    account = Account(
        DescribeSecret={"KmsKeyId": "k-1", "VersionIdsToStages": {}},
        DescribeKey={"KeyMetadata": {"KeyId": "k-1", "Arn": "arn:aws:kms:…:key/k-1", "KeyState": state}},
    )
    found = of(findings(tmp_path, account, parts={"Gate": GATE}, resources={}), "secret-key")
    assert found.status is status
    assert step in "\n".join(found.commands)


@pytest.mark.parametrize(
    ("status", "protected", "expected", "command"),
    [
        (
            "ROLLBACK_COMPLETE",
            True,
            Status.FAILURE,
            (
                "aws cloudformation update-termination-protection --no-enable-termination-protection "
                "--region us-east-1 --stack-name support"
            ),
        ),
        ("ROLLBACK_COMPLETE", False, Status.WARNING, "npx cdk deploy support"),
        (
            "UPDATE_ROLLBACK_FAILED",
            False,
            Status.FAILURE,
            "npx cdk rollback support",
        ),
        (
            "DELETE_FAILED",
            False,
            Status.FAILURE,
            "aws cloudformation delete-stack --region us-east-1 --stack-name support",
        ),
        ("CREATE_FAILED", False, Status.FAILURE, "npx cdk deploy support --no-rollback"),
        ("UPDATE_FAILED", False, Status.FAILURE, "npx cdk rollback support"),
        ("UPDATE_IN_PROGRESS", False, Status.WARNING, ""),
        ("UPDATE_COMPLETE", True, Status.OK, ""),
        ("UPDATE_ROLLBACK_COMPLETE", False, Status.OK, ""),
    ],
)
def test_a_stack_from_which_no_deployment_starts_is_named_with_the_command(
    tmp_path: Path, status: str, protected: bool, expected: Status, command: str
) -> None:
    found = of(findings(tmp_path, Account(**deployed(status, protected=protected))), "stack-status")
    assert found.status is expected
    assert status in found.found
    assert command in "\n".join(found.commands)


def test_a_table_that_a_rollback_could_not_delete_is_named_with_the_commands(tmp_path: Path) -> None:
    answers = deployed("ROLLBACK_FAILED", protected=True)
    for each in answers["ListStackResources"]["StackResourceSummaries"]:
        if each["LogicalResourceId"] == "Table":
            each["ResourceStatus"] = "DELETE_FAILED"
    found = of(findings(tmp_path, Account(**answers)), "stack-status")
    assert found.status is Status.FAILURE
    assert "is stopped by termination protection and table sessions" in found.found
    assert found.commands[1:] == (
        (
            "aws cloudformation update-termination-protection --no-enable-termination-protection "
            "--region us-east-1 --stack-name support"
        ),
        "aws dynamodb update-table --no-deletion-protection-enabled --region us-east-1 --table-name sessions",
        "aws dynamodb delete-table --region us-east-1 --table-name sessions",
        "npx cdk deploy support",
    )
    for command in found.commands[1:-1]:
        expect_taken(command)


def test_protection_from_the_beginning_is_advised_against(tmp_path: Path) -> None:
    assembly(tmp_path / "protected")
    manifest = tmp_path / "protected/manifest.json"
    document = json.loads(manifest.read_text())
    document["artifacts"][STACK]["properties"]["terminationProtection"] = True
    manifest.write_text(json.dumps(document))
    found = examine(Account().session(), subjects_of(tmp_path / "protected", [])).findings
    assert of(list(found), "stack-status").status is Status.WARNING
    assert "without deletionProtection" in of(list(found), "stack-status").fix


def kept_tables(tmp_path: Path, *, protected: bool, policy: str = "RetainExceptOnCreate") -> list[Finding]:
    """Examine the deployed app, whose tables stay when it goes."""
    replicas = [{"Region": REGION, "DeletionProtectionEnabled": protected}]
    tables = {
        "Table": {
            "Type": "AWS::DynamoDB::GlobalTable",
            "Properties": {"Replicas": replicas},
            "DeletionPolicy": policy,
        }
    }
    assembly(tmp_path / "kept", resources={**RESOURCES, **tables})
    manifest = tmp_path / "kept/manifest.json"
    document = json.loads(manifest.read_text())
    document["artifacts"][STACK]["properties"]["terminationProtection"] = protected
    manifest.write_text(json.dumps(document))
    return list(examine(Account(**deployed()).session(), subjects_of(tmp_path / "kept", [])).findings)


def test_deletion_protection_is_recalled_after_the_first_deployment(tmp_path: Path) -> None:
    found = of(kept_tables(tmp_path, protected=False), "deletion-protection")
    assert (found.status, found.found) == (
        Status.WARNING,
        "off: the stack and table sessions can be deleted by one command",
    )
    assert found.commands == ("npx cdk deploy support",)
    assert of(kept_tables(tmp_path, protected=True), "deletion-protection").status is Status.OK
    gone_with_the_stack = kept_tables(tmp_path, protected=False, policy="Delete")
    assert "deletion-protection" not in {each.check for each in gone_with_the_stack}


def test_a_table_of_enrolled_callers_that_would_be_left_behind_is_a_failure(tmp_path: Path) -> None:
    old = {"Gate": {"table": {"name": "c", "partitionKey": "caller", "fixedName": "callers"}}}
    found = of(findings(tmp_path, Account(**deployed(facts=old))), "table-replaced")
    assert found.status is Status.FAILURE
    assert "support/Gate: fixed name callers becomes none" in found.found
    assert "support/Gate: partition key caller becomes phoneNumber" in found.found
    assert "enrolled callers" in found.found


def test_a_metadata_table_that_would_be_left_behind_is_a_warning(tmp_path: Path) -> None:
    old = {"Metadata": {"table": {"name": "s", "partitionKey": "id", "fixedName": "sessions"}}}
    found = of(findings(tmp_path, Account(**deployed(facts=old))), "table-replaced")
    assert found.status is Status.WARNING
    assert "partition key id becomes contactId" in found.found


def test_a_table_whose_logical_id_goes_is_named(tmp_path: Path) -> None:
    kept = {name: resource for name, resource in RESOURCES.items() if name != "Callers"}
    found = of(findings(tmp_path, Account(**deployed()), resources=kept), "table-replaced")
    assert found.status is Status.FAILURE
    assert "Callers (callers) is not in the template" in found.found


def test_a_quota_without_an_applied_value_of_the_instance_is_looked_up_step_by_step(tmp_path: Path) -> None:
    def quota(asked: dict[str, Any]) -> dict[str, Any]:
        return error("IllegalArgumentException" if "ContextId" in asked else "NoSuchResourceException")

    account = Account(GetServiceQuota=quota, GetAWSDefaultServiceQuota={"Quota": {"Value": 50.0}})
    assert (
        of(findings(tmp_path, account), "function-quota").found == "quota L-E3D2F503 is 50; 0 used, 1 needed"
    )
    asked = [params for name, params in account.asked if params.get("QuotaCode") == "L-E3D2F503"]
    assert [params.get("ContextId") for params in asked] == [INSTANCE_ARN, None, None]


def test_service_quotas_is_asked_again_after_a_throttle_and_waited_for_only_then(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    answers = [
        (429, {"__type": "TooManyRequestsException", "Message": "Rate exceeded"}),
        *[(200, {"Quota": {"Value": 7.0}})] * 3,
    ]

    def send(**_: Any) -> AWSResponse:
        status, told = answers.pop(0)
        return AWSResponse(
            "", status, HeadersDict({}), SimpleNamespace(stream=lambda: [json.dumps(told).encode()])
        )

    asked = botocore.session.Session()
    asked.set_credentials("x", "x")
    asked.register("before-send.service-quotas", send)
    where = Region(boto3.Session(botocore_session=asked), REGION)
    found = [
        where.ask("service-quotas", "get_service_quota", ServiceCode="connect", QuotaCode=code)["Quota"][
            "Value"
        ]
        for code in ("L-E3D2F503", "L-22922690", "L-19755C7E")
    ]
    assert found == [7.0, 7.0, 7.0]
    assert len(slept) == 1
    assert 0 <= slept[0] <= 1


def test_a_quota_that_was_asked_for_is_not_asked_for_again(tmp_path: Path) -> None:
    history = {"RequestedQuotas": [{"Status": "CASE_OPENED", "DesiredValue": 1.0}]}
    account = Account(
        GetServiceQuota={"Quota": {"Value": 0.0}}, ListRequestedServiceQuotaChangeHistoryByQuota=history
    )
    found = of(findings(tmp_path, account), "connector-quota")
    assert "asked for: 1, CASE_OPENED" in found.found
    assert (found.commands, found.request) == ((), None)


def test_reservations_that_lambda_would_refuse_are_a_failure(tmp_path: Path) -> None:
    store = {"Type": "AWS::Lambda::Function", "Properties": {"ReservedConcurrentExecutions": 5}}
    limit = {"AccountLimit": {"ConcurrentExecutions": 10, "UnreservedConcurrentExecutions": 10}}
    found = of(
        findings(tmp_path, Account(GetAccountSettings=limit), resources={"Store": store}),
        "lambda-concurrency",
    )
    assert found.status is Status.FAILURE
    assert found.found == "10 at once, 10 of them unreserved, 5 to be reserved; Lambda keeps 10 unreserved"


def test_without_a_role_of_its_own_a_stage_cannot_log(tmp_path: Path) -> None:
    parts = {"Metadata": {**METADATA, "cloudWatchRole": False}}
    found = of(findings(tmp_path, Account(), parts=parts, resources={}), "api-log-role")
    assert found.status is Status.FAILURE
    assert "aws apigateway update-account" in "\n".join(found.commands)
    theirs = Account(GetAccount={"cloudwatchRoleArn": "arn:aws:iam::123456789012:role/theirs"})
    assert of(findings(tmp_path, theirs, parts=parts, resources={}), "api-log-role").status is Status.OK


def test_ids_are_passed_where_amazon_connect_takes_ids(tmp_path: Path) -> None:
    account = Account(**deployed())
    findings(tmp_path, account)
    ids = {params["InstanceId"] for _, params in account.asked if "InstanceId" in params}
    assert ids == {INSTANCE_ID}
    assert {params["QueueId"].count("/") for name, params in account.asked if name == "DescribeQueue"} == {0}
    assert [params for name, params in account.asked if "PhoneNumberPrefix" in params] == []


@pytest.mark.parametrize(
    ("operation", "action"),
    [
        ("DescribeQueue", "connect:DescribeQueue"),
        ("GetServiceQuota", "servicequotas:GetServiceQuota"),
        ("GetVoiceConnector", "chime:GetVoiceConnector"),
        ("GetAccount", "apigateway:GET"),
        ("GetParameter", "ssm:GetParameter"),
    ],
)
def test_a_check_that_one_may_not_make_names_the_action_and_the_others_go_on(
    tmp_path: Path, operation: str, action: str
) -> None:
    found = findings(tmp_path, Account(**{operation: DENIED}))
    denied = [each for each in found if f"you may not call {action} " in each.found]
    assert denied
    assert {each.status for each in denied} == {Status.WARNING}
    assert all(f"allow {action}" in each.fix for each in denied)
    assert len([each for each in found if each.status is Status.OK]) > 8


def test_the_action_that_aws_names_is_the_one_that_is_told(tmp_path: Path) -> None:
    message = "User: x is not authorized to perform: ds:DescribeDirectories on resource: *"
    found = findings(tmp_path, Account(DescribeInstance=error("AccessDeniedException", message)))
    assert "allow ds:DescribeDirectories" in of(found, "instance").fix


def test_a_stack_that_one_may_not_read_is_not_judged(tmp_path: Path) -> None:
    found = findings(tmp_path, Account(DescribeStacks=DENIED))
    assert "cloudformation:DescribeStacks" in of(found, "stack-status").fix
    assert of(found, "names-free").found == "the stack could not be read (AccessDeniedException)"


@pytest.mark.parametrize(
    ("answer", "says", "step"),
    [
        (NoCredentialsError(), "no usable AWS credentials", "aws sso login"),
        (error("ExpiredToken"), "have expired", "aws sso login"),
        (error("InvalidClientTokenId", "unknown"), "does not take the credentials", "aws configure list"),
        (ConnectTimeoutError(endpoint_url="https://sts"), "cannot be reached", "aws sts get-caller-identity"),
    ],
)
def test_without_credentials_that_work_nothing_else_is_asked(
    tmp_path: Path, answer: Any, says: str, step: str
) -> None:
    account = Account(GetCallerIdentity=answer)
    found = findings(tmp_path, account)
    assert says in of(found, "credentials").found
    assert step in of(found, "credentials").commands
    assert {name for name, _ in account.asked} == {"GetCallerIdentity"}
    assert {each.found for each in found if each.check == "queue"} == {"AWS cannot be asked"}


def test_credentials_of_another_account_ask_nothing_of_the_stack(tmp_path: Path) -> None:
    account = Account(GetCallerIdentity={"Account": "210987654321", "Arn": "a", "UserId": "u"})
    found = findings(tmp_path, account)
    assert "DescribeStacks" not in {name for name, _ in account.asked}
    assert {each.status for each in found if each.check == "instance"} == {Status.SKIPPED}


def test_a_region_that_cannot_be_is_told_before_aws_is_asked(tmp_path: Path) -> None:
    account = Account()
    found = findings(tmp_path, account, environment=f"aws://{ACCOUNT}/eu-cental-1")
    assert "knows no Region eu-cental-1" in of(found, "region").found
    assert of(found, "region").fix == "write eu-central-1?"
    assert {name for name, _ in account.asked} == {"GetCallerIdentity"}


def test_a_region_without_amazon_connect_is_told_and_asked_all_the_same(tmp_path: Path) -> None:
    account = Account()
    found = findings(tmp_path, account, environment=f"aws://{ACCOUNT}/eu-north-1")
    assert of(found, "region").status is Status.WARNING
    assert "eu-north-1 has no Amazon Connect" in of(found, "region").found
    assert "eu-central-1" in of(found, "region").fix
    assert "ListInstances" in {name for name, _ in account.asked}


def test_a_region_without_voice_connectors_is_told(tmp_path: Path) -> None:
    found = findings(tmp_path, Account(), environment=f"aws://{ACCOUNT}/af-south-1")
    assert of(found, "connector-region").status is Status.FAILURE
    assert "the instance is in us-east-1, the stack in af-south-1" in of(found, "instance").found


def test_an_app_that_leaves_account_and_region_open_takes_those_of_the_session(tmp_path: Path) -> None:
    open_app = "aws://unknown-account/unknown-region"
    found = findings(tmp_path, Account(), environment=open_app)
    assert of(found, "account").found == "the app leaves the account open; it would be 123456789012"
    assert of(found, "region").subject == REGION
    account = Account()
    nowhere = findings(tmp_path, account, environment=open_app, session=lambda: account.session(None))
    assert of(nowhere, "region").status is Status.FAILURE
    assert "--region" in of(nowhere, "region").fix


def test_an_instance_that_only_cloudformation_knows_waits_for_the_deployment(tmp_path: Path) -> None:
    parts = {"Metadata": {**METADATA, "instanceArn": {"Ref": "Instance"}}}
    found = of(findings(tmp_path, Account(), parts=parts, resources={}), "instance")
    assert found.status is Status.SKIPPED
    assert found.commands == ("connect-bridges doctor --stack support",)


def test_a_connector_of_the_same_app_comes_with_it(tmp_path: Path) -> None:
    parts = {"Transfer": {**TRANSFER, "connectorArn": {"Ref": "Connector"}}}
    found = of(findings(tmp_path, Account(), parts=parts), "connector-associated")
    assert (found.status, found.found) == (Status.SKIPPED, "the connector comes with the deployment")


def test_a_transfer_to_a_telephone_number_asks_for_outbound_calls_and_for_no_connector(
    tmp_path: Path,
) -> None:
    number = {key: value for key, value in TRANSFER.items() if key != "connectorArn"}
    parts = {"Transfer": {**number, "phoneNumber": "+12065550100"}}
    made = {each.check for each in findings(tmp_path, Account(), parts=parts, resources={})}
    assert "outbound-calls" in made
    assert not made & {"connector-associated", "connector-region", "connector-quota"}
    chat = {each.check for each in findings(tmp_path, Account(), parts={"Chat": CHAT}, resources={})}
    assert not chat & {"outbound-calls", "inbound-calls", "api-log-role", "phone-number"}


def test_what_evidence_names_of_doctor_is_a_check() -> None:
    named = {
        name.removeprefix("doctor:")
        for entry in evidence.entries()
        for name in entry.proved_by
        if name.startswith("doctor:")
    }
    named |= {
        name
        for entry in evidence.entries()
        for listed in re.findall(r"\bdoctor: ([a-z-]+(?:, [a-z-]+)*)", entry.noticed)
        for name in listed.split(", ")
        if "-" in name
    }
    assert named
    assert named <= set(CHECKS)


class TestCommand:
    @pytest.fixture
    def run(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
        def run(account: Account, *arguments: str, parts: Any = None) -> int:
            if parts:
                assembly(tmp_path / "cdk.out", parts=parts)
            monkeypatch.setattr(boto3, "Session", lambda **_: account.session())
            return doctor.main(arguments)

        assembly(tmp_path / "cdk.out", parts={name: PARTS[name] for name in ("Metadata", "Transfer")})
        monkeypatch.chdir(tmp_path)
        return run

    def test_all_well_is_0_and_says_what_comes_next(
        self, run: Any, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert run(Account(), "--app", "cdk.out") == 0
        printed = capsys.readouterr().out
        assert "ok       bootstrap             us-east-1: version 30\n" in printed
        assert "0 warnings, 0 failures" in printed
        assert printed.endswith("next: npx cdk deploy --all, then doctor again\n")
        assert run(Account(**deployed()), "--app", "cdk.out", "--strict") == 0
        assert capsys.readouterr().out.endswith("next: connect-bridges handoff --stack support\n")

    def test_a_failure_is_1_with_command_below_it(self, run: Any, capsys: pytest.CaptureFixture[str]) -> None:
        assert run(Account(GetParameter=error("ParameterNotFound")), "--app", "cdk.out") == 1
        printed = capsys.readouterr().out
        assert (
            "failure  bootstrap             us-east-1: the CDK is not bootstrapped here\n"
            "           -> bootstrap it\n"
            "              $ npx cdk bootstrap aws://123456789012/us-east-1\n"
        ) in printed
        assert "next:" not in printed

    def test_a_warning_is_1_when_strict(self, run: Any) -> None:
        off = {"Attribute": {"AttributeType": "CONTACTFLOW_LOGS", "Value": "false"}}
        assert run(Account(DescribeInstanceAttribute=off), "--app", "cdk.out") == 0
        assert run(Account(DescribeInstanceAttribute=off), "--app", "cdk.out", "--strict") == 1

    def test_a_deployed_stack_needs_no_app(self, run: Any, capsys: pytest.CaptureFixture[str]) -> None:
        assert (
            run(Account(**deployed()), "--stack", "support", "--json") == 1
        )  # the vendors do not answer here
        told = json.loads(capsys.readouterr().out)
        assert {each["check"] for each in told["findings"] if each["status"] == "failure"} == {"endpoint-tls"}
        assert {each["construct"] for each in told["stacks"][0]["constructs"]} == {
            part["construct"] for part in PARTS.values()
        }
        assert run(Account(), "--stack", "support") == 1
        assert "there is no stack support in us-east-1" in capsys.readouterr().out

    def test_the_document_says_it_all(self, run: Any, capsys: pytest.CaptureFixture[str]) -> None:
        account = Account(GetServiceQuota={"Quota": {"Value": 0.0}})
        assert run(account, "--app", "cdk.out", "--json") == 1
        told = json.loads(capsys.readouterr().out)
        assert (told["format"], told["account"], told["status"]) == (1, ACCOUNT, "failure")
        assert told["stacks"][0]["name"] == "support"
        assert sum(told["counts"].values()) == len(told["findings"])
        (quota,) = [each for each in told["findings"] if each["check"] == "connector-quota"]
        assert quota["status"] == "failure"
        assert quota["quotaRequest"] == {
            "serviceCode": "connect",
            "quotaCode": "L-2BE4D75F",
            "desiredValue": 1,
        }
        assert "request-service-quota-increase" in quota["next"]["commands"][0]
        entry = {"id": "quota-of-an-instance", "state": "open", "checks": ["function-quota", "flow-quota"]}
        assert entry in told["evidence"]
        run(Account(), "--app", "cdk.out", "--json")
        assert {**entry, "state": "proved"} in json.loads(capsys.readouterr().out)["evidence"]

    def test_quotas_are_asked_for_after_a_yes(
        self, run: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        filed = {"RequestedQuota": {"Status": "PENDING", "Id": "r-1"}}
        account = Account(GetServiceQuota={"Quota": {"Value": 0.0}}, RequestServiceQuotaIncrease=filed)
        run(account, "--app", "cdk.out", "--request-quotas")
        assert "--yes agrees beforehand" in capsys.readouterr().err
        assert "RequestServiceQuotaIncrease" not in {name for name, _ in account.asked}
        monkeypatch.setattr("sys.stdin", Terminal("n\ny\nn\nn\n"))
        run(account, "--app", "cdk.out", "--request-quotas")
        assert capsys.readouterr().err.count("[y/N]") == 4
        asked = [params for name, params in account.asked if name == "RequestServiceQuotaIncrease"]
        assert [(params["QuotaCode"], params.get("ContextId")) for params in asked] == [
            ("L-E3D2F503", INSTANCE_ARN)
        ]
        run(account, "--app", "cdk.out", "--request-quotas", "--yes")
        assert "L-2BE4D75F: asked for 1, PENDING, id r-1" in capsys.readouterr().err

    def test_what_aws_says_to_a_request_is_passed_on(
        self, run: Any, capsys: pytest.CaptureFixture[str]
    ) -> None:
        account = Account(
            GetServiceQuota={"Quota": {"Value": 0.0}},
            RequestServiceQuotaIncrease=error("DependencyAccessDeniedException"),
        )
        run(account, "--app", "cdk.out", "--request-quotas", "--yes")
        assert "L-2BE4D75F: AWS refused (DependencyAccessDeniedException: no)" in capsys.readouterr().err

    @pytest.mark.parametrize(
        ("arguments", "says"),
        [
            ((), "name what to examine"),
            (("--app", "nowhere"), "nowhere holds no manifest.json"),
            (("--app", "cdk.out", "--stack", "other"), "no stack other; it holds support"),
            (("--app", "cdk.out", "--yes"), "--request-quotas"),
            (("--app", "cdk.out", "--frob"), "unrecognized arguments: --frob"),
        ],
    )
    def test_wrong_usage_is_2(
        self, run: Any, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], says: str
    ) -> None:
        assert run(Account(), *arguments) == 2
        assert says in capsys.readouterr().err

    def test_an_app_without_our_constructs_is_2(
        self, run: Any, capsys: pytest.CaptureFixture[str], tmp_path: Path
    ) -> None:
        assembly(tmp_path / "cdk.out", parts={})
        assert run(Account(), "--app", "cdk.out") == 2
        assert "no stack with constructs of connect-bridges" in capsys.readouterr().err

    def test_help_says_what_the_exit_status_means(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert doctor.main(["--help"]) == 0
        assert "2 the command was written wrongly" in capsys.readouterr().out


class Terminal:
    """Standard input at which somebody sits and types these lines."""

    def __init__(self, typed: str) -> None:
        self._lines = iter(typed.splitlines(keepends=True))

    def isatty(self) -> bool:
        return True

    def readline(self) -> str:
        return next(self._lines, "")


def test_a_stack_of_a_newer_version_is_told_to_upgrade_for(tmp_path: Path) -> None:
    newer = deployed()
    newer["DescribeStackResource"] = {
        "StackResourceDetail": {"Metadata": json.dumps({"connect-bridges": {"format": 2}})}
    }
    found = of(findings(tmp_path, Account(**newer)), "stack-status")
    assert "is described in format 2" in found.found
    assert "pip install --upgrade 'connect-bridges[cli]'" in found.commands


def test_an_assembly_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DeployedError, match="format 2"):
        findings(tmp_path, Account(), parts={"Metadata": {**METADATA, "format": 2}})
