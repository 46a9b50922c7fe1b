from __future__ import annotations

import copy
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import assertions
from cdk_nag import AwsSolutionsChecks
from pydantic import ValidationError

from stacks.chat_settings import ChatSettings
from stacks.chat_stack import ChatStack
from tests.support import CONTEXT, INSTANCE_ARN, QUEUE_ARN, policy_statements
from tests.synth.contract import assert_contract

Assembly = cdk.cx_api.CloudAssembly
CHATS: dict[str, dict[str, Any]] = {
    "dev": {"webhookUrl": "http://localhost:8765/adapter/hooks/amazonconnect/st-dev", "queueArn": QUEUE_ARN},
    "role": {
        "webhookUrl": "https://bot.example.com/hooks/chat",
        "queueArn": QUEUE_ARN,
        "vendorAccess": {
            "role": {"principal": "210987654321", "externalId": "tenant-4711"},
            "also": ["connect:UpdateContactAttributes"],
        },
        "filter": {"participantRole": ["CUSTOMER", "AGENT"], "messageVisibility": ["CUSTOMER", "ALL"]},
        "afterWait": "queue",
        "stopAtHandOver": False,
    },
    "prod": {
        "webhookUrl": "https://bot.example.com/adapter/hooks/amazonconnect/st-prod",
        "queueArn": QUEUE_ARN,
        "preset": "kore",
        "vendorAccess": {"accessKey": {"rotateAfterDays": 60}},
        "prompts": {"welcome": "Hello. Our assistant will be with you in a moment."},
    },
}


def chat_stack(app: cdk.App, name: str, chat: dict[str, Any]) -> ChatStack:
    return ChatStack(
        app,
        f"connect-bridges-{name}-chat",
        chat=ChatSettings.model_validate(chat),
        name=name,
        account="123456789012",
        region="us-east-1",
        instance_arn=INSTANCE_ARN,
        protected=name == "prod",
        alarm_topic_arn="arn:aws:sns:us-east-1:123456789012:alarms" if name == "prod" else None,
    )


@pytest.fixture(scope="module")
def chat_assembly(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Assembly]:
    @cache
    def synthesize(name: str) -> Assembly:
        app = cdk.App(context=CONTEXT, outdir=str(tmp_path_factory.mktemp(name)))
        cdk.Validations.of(app).add_plugins(AwsSolutionsChecks())
        chat_stack(app, name, CHATS[name])
        return app.synth()

    return synthesize


@pytest.fixture(scope="module")
def chat_template(chat_assembly: Callable[[str], Assembly]) -> Callable[[str], dict[str, Any]]:
    def read(name: str) -> dict[str, Any]:
        template: dict[str, Any] = (
            chat_assembly(name).get_stack_by_name(f"connect-bridges-{name}-chat").template
        )
        return template

    return read


@pytest.mark.parametrize("name", CHATS)
def test_the_template_is_the_one_that_was_reviewed(
    chat_template: Callable[[str], dict[str, Any]], name: str
) -> None:
    assert_contract(f"chat-{name}", chat_template(name))


@pytest.mark.parametrize("name", CHATS)
def test_cdk_nag_has_nothing_to_say_that_is_not_acknowledged(
    chat_assembly: Callable[[str], Assembly], name: str
) -> None:
    report = json.loads(Path(chat_assembly(name).directory, "validation-report.json").read_text())
    conclusions = {plugin["pluginName"]: plugin["conclusion"] for plugin in report["pluginReports"]}
    assert conclusions["AwsSolutions"] == "success"


@pytest.mark.parametrize("name", CHATS)
def test_no_action_is_a_wildcard_and_the_only_one_in_a_resource_is_the_contact_to_come(
    chat_template: Callable[[str], dict[str, Any]], name: str
) -> None:
    for statement in policy_statements(chat_template(name)):
        assert not any("*" in action for action in statement["Action"]), statement
        for resource in statement["Resource"]:
            assert "*" not in json.dumps(resource) or resource == f"{INSTANCE_ARN}/contact/*"
    assert "connect:*" not in json.dumps(chat_template(name))


@pytest.mark.parametrize("name", CHATS)
def test_no_secret_is_in_the_template_or_its_outputs(
    chat_template: Callable[[str], dict[str, Any]], name: str
) -> None:
    template = chat_template(name)
    assert "resolve:secretsmanager" not in json.dumps(template)
    assert "SecretAccessKey" not in json.dumps(template["Outputs"])
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::SecretsManager::Secret":
            text = json.dumps(resource["Properties"].get("SecretString", ""))
            assert text == '""' or "Fn::GetAtt" in text


OUTPUTS = {
    "ChatDeadLetterQueueUrl",
    "ChatFlowArn",
    "ChatFunctionName",
    "ChatModuleArn",
    "ChatRegion",
    "ChatTokenSecretArn",
    "ChatTopicArn",
}


@pytest.mark.parametrize(
    ("name", "more"),
    [("dev", set()), ("role", {"ChatVendorRoleArn"}), ("prod", {"ChatVendorKeySecretArn"})],
)
def test_the_outputs_tell_what_the_vendor_needs(
    chat_template: Callable[[str], dict[str, Any]], name: str, more: set[str]
) -> None:
    assert set(chat_template(name)["Outputs"]) == OUTPUTS | more


def test_prod_keeps_what_was_not_delivered_and_its_key(
    chat_assembly: Callable[[str], Assembly], chat_template: Callable[[str], dict[str, Any]]
) -> None:
    for name, policy in (("dev", "Delete"), ("prod", "RetainExceptOnCreate")):
        kept = ("AWS::SQS::Queue", "AWS::KMS::Key")
        for resource in chat_template(name)["Resources"].values():
            if resource["Type"] in kept:
                assert resource["DeletionPolicy"] == policy
        stack = chat_assembly(name).get_stack_by_name(f"connect-bridges-{name}-chat")
        assert not stack.termination_protection  # a first deployment that fails has to be deleted


def test_every_alarm_of_prod_tells_somebody(chat_template: Callable[[str], dict[str, Any]]) -> None:
    alarms = [r for r in chat_template("prod")["Resources"].values() if r["Type"] == "AWS::CloudWatch::Alarm"]
    assert len(alarms) == 7
    for alarm in alarms:
        assert alarm["Properties"]["AlarmActions"] == ["arn:aws:sns:us-east-1:123456789012:alarms"]


def test_dev_and_prod_can_share_an_instance(chat_template: Callable[[str], dict[str, Any]]) -> None:
    names = [
        resource["Properties"]["Name"]
        for name in CHATS
        for resource in chat_template(name)["Resources"].values()
        if resource["Type"] in {"AWS::Connect::ContactFlow", "AWS::Connect::ContactFlowModule"}
    ]
    assert len(names) == len(set(names)) == 6


def test_synthesizing_twice_gives_identical_templates(
    chat_template: Callable[[str], dict[str, Any]], tmp_path: Path
) -> None:
    app = cdk.App(context=CONTEXT, outdir=str(tmp_path))
    chat_stack(app, "prod", CHATS["prod"])
    again = app.synth().get_stack_by_name("connect-bridges-prod-chat").template
    assert json.dumps(again) == json.dumps(chat_template("prod"))


def test_a_token_of_ones_own_is_read_and_none_created() -> None:
    arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:bot/token-AbCdEf"
    stack = chat_stack(cdk.App(context=CONTEXT), "role", {**CHATS["role"], "tokenSecretArn": arn})
    template = assertions.Template.from_stack(stack).to_json()
    granted = {action: s["Resource"] for s in policy_statements(template) for action in s["Action"]}
    assert granted["secretsmanager:GetSecretValue"] == [arn]
    assert "kms:Decrypt" not in granted


def test_prod_refuses_a_stand_in() -> None:
    with pytest.raises(ValueError, match="protected environment prod; write the vendor's https URL"):
        chat_stack(cdk.App(context=CONTEXT), "prod", CHATS["dev"])


@pytest.mark.parametrize(
    ("change", "path", "complaint"),
    [
        ({"webhookUrl": "http://bot.example.com"}, "webhookUrl", "write https"),
        ({"webhookUrl": "https://10.1.2.3/hook"}, "webhookUrl", "private, link-local or reserved"),
        ({"queueArn": INSTANCE_ARN}, "queueArn", "is not the ARN of a queue"),
        ({"preset": "korea"}, "preset", "default"),
        ({"waitMinutes": 0}, "waitMinutes", "greater than or equal to 1"),
        ({"waitMinutes": 10081}, "waitMinutes", "less than or equal to 10080"),
        ({"deadLetterRetentionDays": 15}, "deadLetterRetentionDays", "less than or equal to 14"),
        ({"tokenSecretArn": "token"}, "tokenSecretArn", "match pattern"),
        ({"webhook": "x"}, "webhook", "not permitted"),
        ({"vendorAccess": {}}, "vendorAccess", "found neither"),
        (
            {"vendorAccess": {"accessKey": {}, "role": {"principal": "210987654321", "externalId": "ab"}}},
            "vendorAccess",
            "found both",
        ),
        ({"vendorAccess": {"accessKey": {"serials": [2, 1]}}}, "accessKey", "not ascending"),
        ({"vendorAccess": {"accessKey": {}, "also": ["connect:*"]}}, "also", "connect:StopContact"),
        ({"filter": {"type": []}}, "filter", "at least 1 item"),
        ({"prompts": {"welcome": ""}}, "prompts", "at least 1 character"),
        ({"afterWait": "never"}, "afterWait", "disconnect"),
    ],
)
def test_settings_that_cannot_be_used_are_named(change: dict[str, Any], path: str, complaint: str) -> None:
    with pytest.raises(ValidationError) as raised:
        ChatSettings.model_validate({**copy.deepcopy(CHATS["prod"]), **change})
    assert path in str(raised.value)
    assert complaint in str(raised.value)
