from __future__ import annotations

import copy
import json
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse

from stacks.preflight import Finding, next_steps, run_checks
from stacks.settings import Settings, load_settings
from tests_support import CONTEXT

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:f"


class Account:
    """An AWS account that answers as told: botocore checks the requests against its service models."""

    def __init__(self, **changes: dict[str, Any]) -> None:
        self.answers: dict[tuple[str, str], Any] = {
            ("sts", "get_caller_identity"): {"Account": "123456789012"},
            ("ssm", "get_parameter"): {"Parameter": {"Value": "30"}},
            ("connect", "describe_instance"): {"Instance": {"InstanceStatus": "ACTIVE"}},
            ("connect", "describe_instance_attribute"): {
                "Attribute": {"AttributeType": "CONTACTFLOW_LOGS", "Value": "true"}
            },
            ("connect", "describe_queue"): {"Queue": {"Name": "Agents", "Status": "ENABLED"}},
            ("connect", "list_integration_associations"): {"IntegrationAssociationSummaryList": []},
            ("connect", "list_lambda_functions"): {"LambdaFunctions": [FUNCTION]},
            ("service-quotas", "get_service_quota"): {"Quota": {"Value": 1.0}},
            ("apigateway", "get_account"): {},
        }
        for name, answer in changes.items():
            service, _, operation = name.partition("__")
            self.answers[service.replace("_", "-"), operation] = answer

    def client(self, service: str) -> Any:
        client = boto3.client(
            service, region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x"
        )
        operations = {api: method for method, api in client.meta.method_to_api_mapping.items()}

        def answer(model: Any, **_: Any) -> tuple[AWSResponse, dict[str, Any]]:
            told = self.answers[service, operations[model.name]]
            error = told.get("error")
            return AWSResponse("", 400 if error else 200, {}, None), {"Error": error} if error else told

        client.meta.events.register("before-call", answer)
        return client


def settings(env: str = "dev", **voice: Any) -> Settings:
    environments = copy.deepcopy(CONTEXT["environments"])
    environments[env]["voice"].update(voice)
    return load_settings(environments, env)


def findings(env: str = "prod", account: Account | None = None, **voice: Any) -> dict[str, Finding]:
    found = run_checks(settings(env, **voice), (account or Account()).client)
    return {finding.check: finding for finding in found}


def test_an_account_that_is_ready_passes_every_check() -> None:
    assert [finding for finding in findings().values() if not finding.ok] == []


def test_the_quota_that_aws_grants_on_request_is_asked_for_by_its_code() -> None:
    found = findings(account=Account(service_quotas__get_service_quota={"Quota": {"Value": 0.0}}))[
        "connector"
    ]
    assert found.found == "quota L-2BE4D75F is 0"
    assert "request-service-quota-increase --service-code connect --quota-code L-2BE4D75F" in found.fix
    assert found.blocking


def test_a_connector_that_the_instance_does_not_know_is_named() -> None:
    found = findings("dev")["connector"]
    assert "vc/abcdef1ghij2klmno3pqr4 is not associated" in found.found


def test_a_connector_that_is_associated_passes() -> None:
    associated = {
        "IntegrationAssociationSummaryList": [
            {"IntegrationArn": CONTEXT["environments"]["dev"]["voice"]["destination"]["connectorArn"]}
        ]
    }
    assert findings("dev", Account(connect__list_integration_associations=associated))["connector"].ok


def test_a_telephone_number_needs_no_connector() -> None:
    assert findings("dev", destination={"phoneNumber": "+12065550100"})["connector"].ok


@pytest.mark.parametrize(
    ("answer", "check", "fix"),
    [
        (
            {"sts__get_caller_identity": {"Account": "999999999999"}},
            "account",
            "use credentials of account 123456789012",
        ),
        (
            {"ssm__get_parameter": {"error": {"Code": "ParameterNotFound", "Message": "none"}}},
            "bootstrap",
            "npx cdk bootstrap aws://123456789012/us-east-1",
        ),
        ({"ssm__get_parameter": {"Parameter": {"Value": "5"}}}, "bootstrap", "npx cdk bootstrap"),
        (
            {"connect__describe_instance": {"Instance": {"InstanceStatus": "CREATION_FAILED"}}},
            "instance",
            "repair",
        ),
        (
            {"connect__describe_queue": {"Queue": {"Name": "Agents", "Status": "DISABLED"}}},
            "queue",
            "enable the queue",
        ),
        (
            {"connect__list_lambda_functions": {"LambdaFunctions": [FUNCTION] * 50}},
            "function associations",
            "L-E3D2F503",
        ),
    ],
)
def test_each_gap_has_its_fix(answer: dict[str, Any], check: str, fix: str) -> None:
    found = findings(account=Account(**answer))[check]
    assert fix in found.fix
    assert found.blocking


def test_flow_logs_that_are_off_do_not_block_a_deploy() -> None:
    off = {"Attribute": {"AttributeType": "CONTACTFLOW_LOGS", "Value": "false"}}
    found = findings(account=Account(connect__describe_instance_attribute=off))["flow logs"]
    assert not found.ok
    assert not found.blocking


def test_a_check_that_one_may_not_make_is_a_finding_and_the_others_go_on() -> None:
    denied = {"error": {"Code": "AccessDeniedException", "Message": "no"}}
    found = findings(account=Account(connect__describe_queue=denied))
    assert found["queue"].fix == "let your role call DescribeQueue"
    assert found["connector"].ok


def test_without_the_accounts_log_role_the_stage_could_not_log() -> None:
    assert "log role" in findings(metadata={"cloudWatchRole": False})["API Gateway log role"].fix


def test_what_remains_to_be_done_by_hand_is_said_in_order() -> None:
    steps = next_steps(settings("dev"))
    assert "CHIME_VOICECONNECTOR" in steps[0]
    assert "+12065550100" in steps[1]
    assert "get-secret-value" in steps[2]
    assert json.dumps(steps).count("11111111-2222-3333-4444-555555555555") == 1
