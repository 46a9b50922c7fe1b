from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import assertions
from cdk_nag import AwsSolutionsChecks
from pydantic import ValidationError

from stacks.biometrics_settings import BiometricsSettings
from stacks.biometrics_stack import BiometricsStack
from tests.support import CONTEXT, INSTANCE_ARN, QUEUE_ARN, policy_statements
from tests.synth.contract import assert_contract

SECRET_ARN = "arn:aws:secretsmanager:us-east-1:123456789012:secret:mine-AbCdEf"
FUNCTION_ARN = "arn:aws:lambda:us-east-1:123456789012:function:my-voices"
BIOMETRICS: dict[str, dict[str, Any]] = {
    "dev": {"telephony": {"number": "+12065550188"}, "queueArn": QUEUE_ARN},
    "function": {
        "telephony": {"number": "+12065550188", "secretArn": SECRET_ARN, "prompts": {"failed": "No."}},
        "provider": {"functionArn": FUNCTION_ARN, "name": "mine"},
        "queueArn": QUEUE_ARN,
        "unverifiedQueueArn": QUEUE_ARN,
        "returnMode": "REDIAL",
        "redialNumber": "+12065550100",
        "rules": {"proofSeconds": 15, "selfEnrolment": False},
        "publicUrl": "https://voice.example.com/prod",
        "allowedAddresses": ["203.0.113.0/24"],
    },
    "prod": {
        "telephony": {"number": "+12065550188"},
        "queueArn": QUEUE_ARN,
        "nextFlowArn": f"{INSTANCE_ARN}/contact-flow/77777777-7777-4777-8777-777777777777",
        "preset": "voiceit",
        "encryption": "customer-managed",
    },
}
TemplateOf = Callable[[str], dict[str, Any]]


@pytest.fixture(scope="session")
def synthesized(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], cdk.cx_api.CloudAssembly]:
    @cache
    def synthesize(env: str) -> cdk.cx_api.CloudAssembly:
        app = cdk.App(context=CONTEXT, outdir=str(tmp_path_factory.mktemp(env)))
        cdk.Validations.of(app).add_plugins(AwsSolutionsChecks())
        build(app, env)
        return app.synth()

    return synthesize


def build(app: cdk.App, env: str, **changed: Any) -> BiometricsStack:
    stack = BiometricsStack(
        app,
        f"connect-bridges-{env}-biometrics",
        biometrics=BiometricsSettings.model_validate(BIOMETRICS[env] | changed),
        name=env,
        account="123456789012",
        region="us-east-1",
        instance_arn=INSTANCE_ARN,
        protected=env == "prod",
        alarm_topic_arn="arn:aws:sns:us-east-1:123456789012:alarms" if env == "prod" else None,
    )
    cdk.Tags.of(app).add("app", "connect-bridges")
    cdk.Tags.of(app).add("environment", env)
    return stack


@pytest.fixture(scope="session")
def biometrics(synthesized: Callable[[str], cdk.cx_api.CloudAssembly]) -> TemplateOf:
    def read(env: str) -> dict[str, Any]:
        template: dict[str, Any] = (
            synthesized(env).get_stack_by_name(f"connect-bridges-{env}-biometrics").template
        )
        return template

    return read


@pytest.mark.parametrize("env", BIOMETRICS)
def test_the_template_is_the_one_that_was_reviewed(biometrics: TemplateOf, env: str) -> None:
    assert_contract(f"biometrics-{env}", biometrics(env))


@pytest.mark.parametrize("env", BIOMETRICS)
def test_cdk_nag_has_nothing_to_say_that_is_not_acknowledged(
    synthesized: Callable[[str], cdk.cx_api.CloudAssembly], env: str
) -> None:
    report = json.loads(Path(synthesized(env).directory, "validation-report.json").read_text())
    conclusions = {plugin["pluginName"]: plugin["conclusion"] for plugin in report["pluginReports"]}
    assert conclusions["AwsSolutions"] == "success"


@pytest.mark.parametrize("env", BIOMETRICS)
def test_no_action_and_no_resource_is_a_wildcard(biometrics: TemplateOf, env: str) -> None:
    for statement in policy_statements(biometrics(env)):
        assert not [action for action in statement["Action"] if "*" in action]
        assert "*" not in statement["Resource"]


@pytest.mark.parametrize("env", BIOMETRICS)
def test_no_secret_is_in_the_template(biometrics: TemplateOf, env: str) -> None:
    template = biometrics(env)
    text = json.dumps(template)
    assert "resolve:secretsmanager" not in text
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::SecretsManager::Secret":
            assert "SecretString" not in resource["Properties"]
        if resource["Type"] == "AWS::Lambda::Function":
            for name in resource["Properties"]["Environment"]["Variables"]:
                assert not re.search(r"TOKEN$|PASSWORD|API_KEY|AUTH", name), name


@pytest.mark.parametrize("env", BIOMETRICS)
def test_the_environment_of_a_function_fits(biometrics: TemplateOf, env: str) -> None:
    functions = assertions.Template.from_json(biometrics(env)).find_resources("AWS::Lambda::Function")
    assert len(functions) == 5
    for function in functions.values():
        assert len(json.dumps(function["Properties"]["Environment"]["Variables"])) < 4096


def test_the_outputs_tell_what_the_vendors_need(biometrics: TemplateOf) -> None:
    common = {
        "BiometricsFlowArn",
        "BiometricsModuleArn",
        "BiometricsWebhookUrl",
        "BiometricsStatusUrl",
        "BiometricsTelephonySecretArn",
        "BiometricsEraseFunctionName",
        "BiometricsUnlockFunctionName",
        "BiometricsTableName",
    }
    assert set(biometrics("dev")["Outputs"]) == common | {"BiometricsProviderSecretArn"}
    assert set(biometrics("function")["Outputs"]) == common
    url = biometrics("function")["Outputs"]["BiometricsWebhookUrl"]["Value"]
    assert url == "https://voice.example.com/prod/voice"


def test_prod_keeps_its_data_and_tells_of_alarms(biometrics: TemplateOf) -> None:
    for resource in biometrics("prod")["Resources"].values():
        if resource["Type"] in {"AWS::DynamoDB::GlobalTable", "AWS::SecretsManager::Secret", "AWS::KMS::Key"}:
            assert resource["DeletionPolicy"] == "RetainExceptOnCreate"
        if resource["Type"] == "AWS::CloudWatch::Alarm":
            assert resource["Properties"]["AlarmActions"] == ["arn:aws:sns:us-east-1:123456789012:alarms"]
    (table,) = (
        assertions.Template.from_json(biometrics("prod"))
        .find_resources("AWS::DynamoDB::GlobalTable")
        .values()
    )
    assert table["Properties"]["TableName"] == "ConnectTwilio"
    assert table["Properties"]["KeySchema"] == [{"AttributeName": "phoneNumber", "KeyType": "HASH"}]


def test_synthesizing_twice_gives_identical_templates(biometrics: TemplateOf, tmp_path: Path) -> None:
    app = cdk.App(context=CONTEXT, outdir=str(tmp_path))
    build(app, "dev")
    again = app.synth().get_stack_by_name("connect-bridges-dev-biometrics").template
    assert json.dumps(again) == json.dumps(biometrics("dev"))


def test_limits_reach_the_functions() -> None:
    app = cdk.App(context=CONTEXT)
    telephony = {**BIOMETRICS["dev"]["telephony"], "recordingLimitSeconds": 9}
    changed = {"telephony": telephony, "connectionTimeLimitSeconds": 120}
    template = assertions.Template.from_stack(build(app, "dev", **changed))
    variables = [
        one["Properties"]["Environment"]["Variables"]
        for one in template.find_resources("AWS::Lambda::Function").values()
    ]
    assert [one["RECORD_SECONDS"] for one in variables if "RECORD_SECONDS" in one] == ["9"]
    assert [one["CLAIM_SECONDS"] for one in variables if "CLAIM_SECONDS" in one] == ["180", "180"]


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"returnMode": "REDIAL"}, "REDIAL needs redialNumber"),
        ({"redialNumber": "+12065550100"}, "redialNumber belongs to returnMode REDIAL"),
        ({"telephony": {"number": "2065550188"}}, "E.164"),
        ({"queueArn": INSTANCE_ARN}, "queue"),
        ({"provider": {"name": "x"}}, "name belongs to a provider function"),
        ({"provider": {"functionArn": FUNCTION_ARN}}, "needs name"),
        (
            {"provider": {"functionArn": FUNCTION_ARN, "name": "x", "voiceitSecretArn": SECRET_ARN}},
            "not both",
        ),
        ({"provider": {"timeLimitSeconds": 9}}, "less than or equal to 8"),
        ({"telephony": {"number": "+12065550188", "recordingLimitSeconds": 31}}, "less than or equal to 30"),
        (
            {"telephony": {"number": "+12065550188", "apiUrl": "http://twilio.example.com"}},
            "the address is 'http://twilio.example.com', .* in clear; write https",
        ),
        ({"provider": {"voiceitApiUrl": "http://voiceit.example.com"}}, "write https"),
        ({"publicUrl": "http://voice.example.com/prod"}, "write https"),
        ({"publicUrl": "voice.example.com"}, "not a URL; write one such as https://"),
        ({"rules": {"tries": 0}}, "greater than or equal to 1"),
        ({"phrasee": "x"}, "Extra inputs"),
    ],
)
def test_settings_that_cannot_work_are_named(changed: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        BiometricsSettings.model_validate(BIOMETRICS["dev"] | changed)
