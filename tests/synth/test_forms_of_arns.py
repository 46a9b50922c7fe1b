"""Every construct synthesizes, whatever is known of the instance's ARN and of the stack's environment by then.

One app an environment and a form, with all constructs in it: a synthesis costs more than what it says about one.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ssm as ssm
from cdk_nag import AwsSolutionsChecks
from connect_bridges import (
    BiometricsTelephony,
    ChatStreamBridge,
    ConnectInstance,
    ExternalVoiceConnector,
    ExternalVoiceTransfer,
    MetadataBridge,
    VendorAccess,
    VoiceBiometricGate,
    VoiceDestination,
)

from constructs import Construct
from tests.support import CONNECTOR_ARN, INSTANCE_ARN, QUEUE_ARN

Place = Callable[[cdk.App], cdk.Stack]
Form = Callable[[cdk.Stack, str, str], str]
HERE = cdk.Environment(account="123456789012", region="us-east-1")


def in_a_stage(app: cdk.App) -> cdk.Stack:
    return cdk.Stack(cdk.Stage(app, "Stage", env=HERE), "stack")


def with_tokens(app: cdk.App) -> cdk.Stack:
    return cdk.Stack(app, "stack", env=cdk.Environment(account=cdk.Aws.ACCOUNT_ID, region=cdk.Aws.REGION))


PLACES: dict[str, Place] = {
    "env": lambda app: cdk.Stack(app, "stack", env=HERE),
    "agnostic": lambda app: cdk.Stack(app, "stack"),
    "stage": in_a_stage,
    "tokens": with_tokens,
}
FORMS: dict[str, Form] = {
    "literal": lambda _stack, _name, arn: arn,
    "parameter": lambda stack, name, _arn: cdk.CfnParameter(stack, name).value_as_string,
    "ssm": lambda stack, name, _arn: ssm.StringParameter.value_for_string_parameter(stack, f"/{name}"),
    "lookup": lambda stack, name, _arn: ssm.StringParameter.value_from_lookup(stack, f"/{name}"),
    "import": lambda _stack, name, _arn: cdk.Fn.import_value(name),
}
NAMES = ("InstanceArn", "QueueArn", "ConnectorArn", "NextFlowArn")
CASES = [
    (place, form)
    for place in PLACES
    for form in FORMS
    if form != "lookup" or place in {"env", "stage"}  # elsewhere the CDK itself refuses to look up
]


class Arns:
    """The ARNs that the constructs are given, all in one form."""

    def __init__(self, scope: Construct, form: Form) -> None:
        stack = cdk.Stack.of(scope)
        self.instance = form(stack, "InstanceArn", INSTANCE_ARN)
        self.queue = form(stack, "QueueArn", QUEUE_ARN)
        self.connector = form(stack, "ConnectorArn", CONNECTOR_ARN)
        self.next_flow = form(
            stack, "NextFlowArn", f"{INSTANCE_ARN}/contact-flow/77777777-7777-4777-8777-777777777777"
        )


def add_all(stack: cdk.Stack, form: Form) -> list[Construct]:
    arns = Arns(stack, form)
    instance = ConnectInstance.from_arn(stack, "Instance", arns.instance)
    chats: dict[str, Any] = {
        "instance": instance,
        "webhook_url": "https://bot.example.com/hook",
        "queue_arn": arns.queue,
    }
    return [
        metadata := MetadataBridge(stack, "Metadata", instance=instance),
        connector := ExternalVoiceConnector(stack, "Connector", instance=instance, host="sbc.example.com"),
        ExternalVoiceTransfer(
            stack,
            "Transfer",
            instance=instance,
            destination=VoiceDestination.connector(arns.connector, did="+12065550100"),
            queue_arn=arns.queue,
            next_flow_arn=arns.next_flow,
            metadata=metadata,
        ),
        ExternalVoiceTransfer(
            stack,
            "OwnConnector",
            instance=instance,
            destination=VoiceDestination.connector(connector, did="+12065550100"),
            queue_arn=arns.queue,
        ),
        ChatStreamBridge(
            stack,
            "RoleChat",
            vendor_access=VendorAccess.role("123456789012", external_id="chosen-by-vendor"),
            **chats,
        ),
        ChatStreamBridge(stack, "KeyChat", vendor_access=VendorAccess.access_key(), **chats),
        VoiceBiometricGate(
            stack,
            "Gate",
            instance=instance,
            telephony=BiometricsTelephony.twilio("+12065550188"),
            queue_arn=arns.queue,
            unverified_queue_arn=arns.queue,
            next_flow_arn=arns.next_flow,
        ),
    ]


@pytest.mark.parametrize(("place", "form"), CASES)
def test_every_construct_synthesizes(place: str, form: str) -> None:
    app = cdk.App(context={"aws:cdk:bundling-stacks": [], "aws:cdk:enable-path-metadata": True})
    stack = PLACES[place](app)
    made = add_all(stack, FORMS[form])
    directory = Path(app.synth().directory)
    if place == "stage":
        directory = directory / "assembly-Stage"
    manifest = json.loads((directory / "manifest.json").read_text())
    looked_up = {one["props"]["parameterName"] for one in manifest.get("missing", [])}
    assert looked_up == ({f"/{name}" for name in NAMES} if form == "lookup" else set())
    resources = json.loads((directory / f"{stack.artifact_id}.template.json").read_text())["Resources"]
    paths = {one["Metadata"]["aws:cdk:path"] for one in resources.values() if "Metadata" in one}
    for construct in made:
        assert any(path.startswith(f"{construct.node.path}/") for path in paths), construct.node.path


def test_the_matrix_is_as_wide_as_it_should_be() -> None:
    assert len(CASES) * 7 >= 56
    assert {place for place, _ in CASES} == set(PLACES)
    assert {form for _, form in CASES} == set(FORMS)


@pytest.mark.parametrize("place", PLACES)
def test_wildcards_are_acknowledged_whatever_form_the_arn_has(place: str) -> None:
    for form in ("literal", "parameter", "import"):
        app = cdk.App(context={"aws:cdk:bundling-stacks": []})
        cdk.Validations.of(app).add_plugins(AwsSolutionsChecks())
        stack = PLACES[place](app)
        add_all(stack, FORMS[form])
        report = json.loads(Path(app.synth().directory, "validation-report.json").read_text())
        conclusions = {plugin["pluginName"]: plugin["conclusion"] for plugin in report["pluginReports"]}
        assert conclusions["AwsSolutions"] == "success", (form, report)
