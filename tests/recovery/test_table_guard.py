"""A deployment that would replace a table by an empty one is refused by CloudFormation, unless it is told to."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import assertions
from botocore.exceptions import ClientError
from connect_bridges import (
    BiometricsTelephony,
    ConnectInstance,
    MetadataBridge,
    MetadataPreset,
    VoiceBiometricGate,
    VoiceBiometricPreset,
)
from connect_sandbox.cloud import Sandbox

from rehearsals.environments import UNVALIDATED
from tests.support import INSTANCE_ARN, QUEUE_ARN

pytestmark = pytest.mark.sandbox

STACK = "callers"


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    with Sandbox.start(tmp_path, variables=UNVALIDATED) as running:
        yield running


def template(**names: Any) -> dict[str, Any]:
    """Return what CloudFormation needs of a gate's template to decide on its table: parameters, rules, the table."""
    stack = cdk.Stack(
        cdk.App(context={"aws:cdk:bundling-stacks": []}),
        STACK,
        synthesizer=cdk.DefaultStackSynthesizer(generate_bootstrap_version_rule=False),
        env=cdk.Environment(account="123456789012", region="us-east-1"),
    )
    VoiceBiometricGate(
        stack,
        "Gate",
        instance=ConnectInstance.from_arn(stack, "Instance", INSTANCE_ARN),
        telephony=BiometricsTelephony.twilio("+12065550188"),
        queue_arn=QUEUE_ARN,
        preset=VoiceBiometricPreset.default().with_overrides(**names),
    )
    whole = assertions.Template.from_stack(stack).to_json()
    tables = {
        name: resource
        for name, resource in whole["Resources"].items()
        if resource["Type"] == "AWS::DynamoDB::GlobalTable"
    }
    parameters = {name: one for name, one in whole["Parameters"].items() if "TableIdentity" in name}
    rules = {name: one for name, one in whole["Rules"].items() if "TableStays" in name}
    return {"Parameters": parameters, "Rules": rules, "Resources": tables}


def deploy(sandbox: Sandbox, wanted: dict[str, Any], **given: str) -> str:
    """Deploy as the CDK CLI does: a parameter that is not given keeps the stack's value. Return the table's name."""
    client = sandbox.boto3_client("cloudformation")
    known = [stack["StackName"] for stack in client.describe_stacks()["Stacks"]]
    parameters: list[dict[str, Any]] = [
        {"ParameterKey": name, "ParameterValue": given[name]}
        if name in given
        else {"ParameterKey": name, "UsePreviousValue": True}
        for name in wanted["Parameters"]
        if name in given or STACK in known
    ]
    call = client.update_stack if STACK in known else client.create_stack
    # Something else always changes, too: CloudFormation takes no update without a change.
    body = {**wanted, "Outputs": {"Deployment": {"Value": str(uuid.uuid4())}}}
    call(StackName=STACK, TemplateBody=json.dumps(body), Parameters=parameters)
    sandbox.deployments.wait()
    (stack,) = client.describe_stacks(StackName=STACK)["Stacks"]
    assert stack["StackStatus"] in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}
    (table,) = client.describe_stack_resources(StackName=STACK)["StackResources"]
    name: str = table["PhysicalResourceId"]
    return name


@pytest.mark.parametrize(
    "names", [{"table_name": "ConnectTwilio"}, {"partition_key": "caller"}], ids=["name", "key"]
)
def test_a_table_of_callers_is_not_replaced_without_a_word(sandbox: Sandbox, names: dict[str, Any]) -> None:
    first = deploy(sandbox, template())
    sandbox.boto3_client("dynamodb").put_item(
        TableName=first, Item={"phoneNumber": {"S": "+12065550100"}, "state": {"S": "ENROLLED"}}
    )
    changed = template(**names)
    (parameter,) = changed["Parameters"]
    wanted = changed["Parameters"][parameter]["Default"]

    with pytest.raises(ClientError, match="every enrolled caller would have to enrol again") as raised:
        deploy(sandbox, changed)
    assert f"--parameters {STACK}:{parameter}={wanted}" in str(raised.value)
    items = sandbox.boto3_client("dynamodb").scan(TableName=first)["Items"]
    assert [item["phoneNumber"]["S"] for item in items] == ["+12065550100"]

    assert deploy(sandbox, template(phrase="my voice is my password")) == first

    second = deploy(sandbox, changed, **{parameter: wanted})
    assert second != first
    assert deploy(sandbox, changed) == second
    assert sandbox.boto3_client("dynamodb").scan(TableName=first)["Count"] == 1


def test_a_table_of_ones_own_is_not_guarded() -> None:
    stack = cdk.Stack(cdk.App(context={"aws:cdk:bundling-stacks": []}), STACK)
    instance = ConnectInstance.from_arn(stack, "Instance", INSTANCE_ARN)
    table = cdk.aws_dynamodb.TableV2.from_table_name(stack, "Own", "mine")
    MetadataBridge(stack, "Metadata", instance=instance, table=table)
    assert "TableStays" not in json.dumps(assertions.Template.from_stack(stack).to_json().get("Rules", {}))


def test_the_metadata_bridge_guards_its_table_as_well() -> None:
    stack = cdk.Stack(cdk.App(context={"aws:cdk:bundling-stacks": []}), STACK)
    instance = ConnectInstance.from_arn(stack, "Instance", INSTANCE_ARN)
    MetadataBridge(stack, "Metadata", instance=instance, preset=MetadataPreset.kore())
    parameters = assertions.Template.from_stack(stack).find_parameters("*")
    (guard,) = [name for name in parameters if "TableIdentity" in name]
    assert parameters[guard]["Default"] == "koreCcSessions/contactId"
