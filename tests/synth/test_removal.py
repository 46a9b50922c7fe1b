"""What becomes of data when a stack is deleted, replaced, or created in vain; and what refuses to be deleted, when."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import assertions
from connect_bridges import (
    BiometricsTelephony,
    ChatStreamBridge,
    ConnectInstance,
    MetadataBridge,
    VoiceBiometricGate,
)

from stacks.settings import SettingsError, load_settings
from stacks.stage import build_stage
from tests.support import CONTEXT, QUEUE_ARN

KEPT_BUT_FOR_A_FAILED_CREATION = ("RetainExceptOnCreate", "Retain")
DATA = {"AWS::DynamoDB::GlobalTable", "AWS::SecretsManager::Secret", "AWS::KMS::Key", "AWS::SQS::Queue"}
TABLE = "AWS::DynamoDB::GlobalTable"


def add_bridges(stack: cdk.Stack, instance: ConnectInstance, **arguments: Any) -> None:
    MetadataBridge(stack, "Metadata", instance=instance, **arguments)
    ChatStreamBridge(
        stack,
        "Chat",
        instance=instance,
        webhook_url="https://bot.example.com/hook",
        queue_arn=QUEUE_ARN,
        **arguments,
    )
    add_gate(stack, instance, **arguments)


def add_gate(stack: cdk.Stack, instance: ConnectInstance, **arguments: Any) -> None:
    VoiceBiometricGate(
        stack,
        "Gate",
        instance=instance,
        telephony=BiometricsTelephony.twilio("+12065550188"),
        queue_arn=QUEUE_ARN,
        **arguments,
    )


def policies(stack: cdk.Stack) -> dict[str, set[tuple[str | None, str | None]]]:
    """Return the removal policies of what holds data, by type."""
    found: dict[str, set[tuple[str | None, str | None]]] = {}
    for resource in assertions.Template.from_stack(stack).to_json()["Resources"].values():
        if resource["Type"] in DATA:
            pair = (resource.get("DeletionPolicy"), resource.get("UpdateReplacePolicy"))
            found.setdefault(resource["Type"], set()).add(pair)
    return found


def protected_tables(template: dict[str, Any]) -> list[bool]:
    return [
        replica.get("DeletionProtectionEnabled", False)
        for resource in template["Resources"].values()
        if resource["Type"] == TABLE
        for replica in resource["Properties"]["Replicas"]
    ]


def test_data_outlives_its_stack_but_not_a_first_deployment_that_fails(
    stack: cdk.Stack, instance: ConnectInstance
) -> None:
    add_bridges(stack, instance)

    assert policies(stack) == {kind: {KEPT_BUT_FOR_A_FAILED_CREATION} for kind in DATA}
    assert protected_tables(assertions.Template.from_stack(stack).to_json()) == [False, False]


@pytest.mark.parametrize(
    ("policy", "written"),
    [(cdk.RemovalPolicy.RETAIN, ("Retain", "Retain")), (cdk.RemovalPolicy.DESTROY, ("Delete", "Delete"))],
)
def test_another_removal_policy_is_obeyed_to_the_letter(
    stack: cdk.Stack, instance: ConnectInstance, policy: cdk.RemovalPolicy, written: tuple[str, str]
) -> None:
    add_bridges(stack, instance, removal_policy=policy)

    assert policies(stack) == {kind: {written} for kind in DATA}
    assert protected_tables(assertions.Template.from_stack(stack).to_json()) == [False, False]


def test_a_table_refuses_deletion_when_told_to(stack: cdk.Stack, instance: ConnectInstance) -> None:
    MetadataBridge(stack, "Metadata", instance=instance, deletion_protection=True)
    add_gate(stack, instance, deletion_protection=True)

    assert protected_tables(assertions.Template.from_stack(stack).to_json()) == [True, True]


def test_a_table_that_goes_with_its_stack_cannot_refuse_deletion(
    stack: cdk.Stack, instance: ConnectInstance
) -> None:
    contradiction = {"deletion_protection": True, "removal_policy": cdk.RemovalPolicy.DESTROY}
    with pytest.raises(ValueError, match="deletion_protection is True with removal_policy DESTROY"):
        MetadataBridge(stack, "Metadata", instance=instance, **contradiction)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="deletion_protection is True with removal_policy DESTROY"):
        add_gate(stack, instance, **contradiction)


def environment(**changed: Any) -> dict[str, Any]:
    prod = CONTEXT["environments"]["prod"]
    queue = prod["voice"]["queueArn"]
    return {
        **prod,
        "chat": {"webhookUrl": "https://bot.example.com/hook", "queueArn": queue},
        "biometrics": {"telephony": {"number": "+12065550188"}, "queueArn": queue},
        **changed,
    }


@pytest.mark.parametrize("locked", [False, True])
def test_deletion_protection_of_an_environment_is_for_after_its_first_deployment(locked: bool) -> None:
    app = cdk.App(context=CONTEXT)
    settings = environment(deletionProtection=True) if locked else environment()
    build_stage(app, load_settings({"prod": settings}, "prod"))
    stacks = app.synth().stacks

    assert len(stacks) == 3
    assert {bool(stack.termination_protection) for stack in stacks} == {locked}
    assert [on for stack in stacks for on in protected_tables(stack.template)] == [locked, locked]
    kept = [
        r["DeletionPolicy"] for s in stacks for r in s.template["Resources"].values() if r["Type"] in DATA
    ]
    assert set(kept) == {"RetainExceptOnCreate"}


def test_deletion_protection_without_protected_is_refused() -> None:
    settings = environment(deletionProtection=True, protected=False)
    with pytest.raises(
        SettingsError, match=r"deletionProtection.* is true and protected is false.*set protected"
    ):
        load_settings({"prod": settings}, "prod")


def test_the_connector_whose_quota_is_0_comes_before_the_table(template: Any) -> None:
    resources = template("prod").to_json()["Resources"]
    (table,) = [resource for resource in resources.values() if resource["Type"] == TABLE]
    depends_on = [resources[name]["Type"] for name in table["DependsOn"]]

    assert "Custom::ExternalVoiceConnector" in depends_on
