"""The account's quotas: what they refuse, and what Service Quotas and Lambda say of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from connect_sandbox.cloud import (
    CONCURRENT_EXECUTIONS,
    FUNCTIONS_PER_INSTANCE,
    VOICE_CONNECTORS,
    Sandbox,
)

INSTANCE = "arn:aws:connect:us-east-1:123456789012:instance/11111111-2222-3333-4444-555555555555"
CALL_TRANSFER = "CONNECT_CALL_TRANSFER_CONNECTOR"


@pytest.fixture(autouse=True)
def as_before(sandbox: Sandbox) -> Iterator[None]:
    yield
    sandbox.quotas.set(VOICE_CONNECTORS, 1)
    sandbox.quotas.forget(CONCURRENT_EXECUTIONS)
    for wanted in sandbox.quotas.requests():
        wanted.status = "CASE_CLOSED"
    for connector in sandbox.voice_connectors.all():
        sandbox.voice_connectors.remove(connector.id)


def code_of(call: Callable[[], Any]) -> str:
    with pytest.raises(ClientError) as refused:
        call()
    return str(refused.value.response["Error"]["Code"])


def create_connector(sandbox: Sandbox, name: str = "a") -> Any:
    return sandbox.boto3_client("chime-sdk-voice").create_voice_connector(
        Name=name, RequireEncryption=True, IntegrationType=CALL_TRANSFER
    )


def test_an_account_without_the_quota_gets_no_connector(sandbox: Sandbox) -> None:
    sandbox.quotas.set(VOICE_CONNECTORS, 0)

    assert code_of(lambda: create_connector(sandbox)) == "ResourceLimitExceededException"
    assert sandbox.voice_connectors.all() == []


def test_by_default_there_may_be_one_connector(sandbox: Sandbox) -> None:
    create_connector(sandbox)

    assert code_of(lambda: create_connector(sandbox, "b")) == "ResourceLimitExceededException"


def test_a_quota_that_was_never_raised_has_a_default_only(sandbox: Sandbox) -> None:
    quotas = sandbox.boto3_client("service-quotas")
    sandbox.quotas.forget(VOICE_CONNECTORS)
    service, quota = VOICE_CONNECTORS

    assert (
        code_of(lambda: quotas.get_service_quota(ServiceCode=service, QuotaCode=quota))
        == "NoSuchResourceException"
    )
    default = quotas.get_aws_default_service_quota(ServiceCode=service, QuotaCode=quota)["Quota"]
    assert (default["Value"], default["QuotaName"]) == (0, "External voice transfer connectors per account")
    assert quotas.list_service_quotas(ServiceCode=service)["Quotas"] == []
    assert (
        code_of(lambda: quotas.get_aws_default_service_quota(ServiceCode=service, QuotaCode="L-00000000"))
        == "NoSuchResourceException"
    )


def test_the_quota_of_one_instance_is_asked_for_with_its_arn(sandbox: Sandbox) -> None:
    quotas = sandbox.boto3_client("service-quotas")
    service, quota = FUNCTIONS_PER_INSTANCE
    sandbox.quotas.set(FUNCTIONS_PER_INSTANCE, 70, INSTANCE)
    try:
        found = quotas.get_service_quota(ServiceCode=service, QuotaCode=quota, ContextId=INSTANCE)["Quota"]

        assert (found["Value"], found["QuotaContext"]["ContextId"]) == (70, INSTANCE)
        other = {"ServiceCode": service, "QuotaCode": quota, "ContextId": INSTANCE.replace("1111", "2222")}
        assert code_of(lambda: quotas.get_service_quota(**other)) == "NoSuchResourceException"
    finally:
        sandbox.quotas.forget(FUNCTIONS_PER_INSTANCE, INSTANCE)


def test_a_requested_increase_applies_once_it_is_granted(sandbox: Sandbox) -> None:
    quotas = sandbox.boto3_client("service-quotas")
    sandbox.quotas.set(VOICE_CONNECTORS, 0)
    named = {"ServiceCode": VOICE_CONNECTORS[0], "QuotaCode": VOICE_CONNECTORS[1]}

    asked = quotas.request_service_quota_increase(**named, DesiredValue=1)["RequestedQuota"]
    again = code_of(lambda: quotas.request_service_quota_increase(**named, DesiredValue=2))

    assert (asked["Status"], again) == ("PENDING", "ResourceAlreadyExistsException")
    assert quotas.get_service_quota(**named)["Quota"]["Value"] == 0
    (wanted,) = [r for r in sandbox.quotas.requests() if r.id == asked["Id"]]
    sandbox.quotas.grant(wanted)
    assert quotas.get_service_quota(**named)["Quota"]["Value"] == 1
    history = quotas.list_requested_service_quota_change_history_by_quota(**named)["RequestedQuotas"]
    assert history[0]["Status"] == "APPROVED"
    assert code_of(lambda: quotas.request_service_quota_increase(**named, DesiredValue=1)) == (
        "IllegalArgumentException"
    )


def function_template(reserved: int) -> dict[str, Any]:
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    return {
        "Resources": {
            "Role": {
                "Type": "AWS::IAM::Role",
                "Properties": {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]}},
            },
            "Function": {
                "Type": "AWS::Lambda::Function",
                "Properties": {
                    "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                    "Runtime": "python3.12",
                    "Handler": "index.handler",
                    "Code": {"ZipFile": "def handler(event, context): return 1"},
                    "ReservedConcurrentExecutions": reserved,
                },
            },
        }
    }


def test_a_new_account_has_no_concurrency_to_reserve(sandbox: Sandbox, deploy: Any) -> None:
    sandbox.quotas.set(CONCURRENT_EXECUTIONS, 10)

    failed = deploy(function_template(1))

    assert failed.status in {"ROLLBACK_COMPLETE", "CREATE_FAILED"}
    assert (
        "decreases account's UnreservedConcurrentExecution below its minimum value of [10]" in failed.reasons
    )
    limit = sandbox.boto3_client("lambda").get_account_settings()["AccountLimit"]
    assert (limit["ConcurrentExecutions"], limit["UnreservedConcurrentExecutions"]) == (10, 10)


def test_a_grown_account_keeps_100_executions_for_the_others(sandbox: Sandbox, deploy: Any) -> None:
    deployed = deploy(function_template(900))
    settings = sandbox.boto3_client("lambda").get_account_settings()["AccountLimit"]
    refused = deploy(function_template(1))

    assert deployed.status == "CREATE_COMPLETE"
    assert settings["UnreservedConcurrentExecutions"] == 100
    assert "minimum value of [100]" in refused.reasons
