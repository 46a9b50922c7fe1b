"""The promise of docs/stability.md: what holds data keeps its logical id within a major version.

released_ids.json has, for each construct in a standard stack, the resources that the promise is about: logical id,
type, path within the construct, the version that brought it, and the properties whose change makes CloudFormation
replace it (the create-only ones of its schema), since a replaced table is as empty as a renamed one.

    UPDATE_CONTRACTS=1 pytest tests/synth -k reviewed    adds what is new; it never changes or takes out an entry
"""

from __future__ import annotations

import copy
import json
import os
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import connect_bridges
import pytest
from aws_cdk import assertions
from cfnlint.schema import PROVIDER_SCHEMA_MANAGER
from connect_bridges import (
    BiometricsTelephony,
    ChatStreamBridge,
    ChatStreamPreset,
    ConnectInstance,
    ContactFlow,
    ExternalVoiceConnector,
    ExternalVoiceTransfer,
    FlowTestCase,
    MetadataBridge,
    MetadataPreset,
    VendorAccess,
    VoiceBiometricGate,
    VoiceBiometricPreset,
    VoiceDestination,
)

from constructs import Construct
from tests.support import CONNECTOR_ARN, INSTANCE_ARN, QUEUE_ARN, ROOT
from tests.synth.shapes import CREATED, Shapes, center_with_everything

FILE = Path(__file__).parent / "released_ids.json"
PAGE = ROOT / "docs/stability.md"
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
PROMISED = {
    "AWS::ApiGateway::RestApi": "the vendor knows its address",
    "AWS::AppIntegrations::Application": "its namespace cannot be taken again while it is there",
    "AWS::Connect::ApprovedOrigin": "the second one of the same origin is refused",
    "AWS::Connect::ContactFlow": "telephone numbers, widgets and other flows name it",
    "AWS::Connect::ContactFlowModule": "flows of yours invoke it",
    "AWS::Connect::HoursOfOperation": "queues name them, and names are unique",
    "AWS::Connect::Instance": "the contact centre itself",
    "AWS::Connect::InstanceStorageConfig": "there is one of each type",
    "AWS::Connect::IntegrationAssociation": "without it flows may not invoke the function",
    "AWS::Connect::PhoneNumber": "callers know it, and it cannot be claimed again",
    "AWS::Connect::Queue": "flows, reports and metrics know it",
    "AWS::Connect::QuickConnect": "agents know it, and names are unique",
    "AWS::Connect::RoutingProfile": "users have it, and names are unique",
    "AWS::Connect::SecurityKey": "flows encrypt with it",
    "AWS::Connect::SecurityProfile": "users have it, and names are unique",
    "AWS::Connect::TestCase": "its executions are kept with it, and names are unique",
    "AWS::Connect::User": "somebody signs in as it",
    "AWS::DynamoDB::GlobalTable": "holds contacts' metadata, or enrolled callers",
    "AWS::IAM::AccessKey": "the vendor uses it",
    "AWS::IAM::User": "the vendor's access key is its",
    "AWS::Kinesis::Stream": "holds records that nobody has read yet",
    "AWS::KMS::Key": "what it encrypted cannot be read without it",
    "AWS::S3::Bucket": "holds recordings, transcripts and reports",
    "AWS::SNS::Subscription": "the vendor has confirmed it",
    "AWS::SNS::Topic": "chats are streamed to it, the vendor checks its ARN",
    "AWS::SQS::Queue": "holds messages that were not delivered",
    "AWS::SecretsManager::Secret": "holds what people have stored in it",
    "Custom::PhoneNumberFlow": "without it nobody answers the number",
    "Custom::ExternalVoiceConnector": "the connector, which the vendor and your quota know",
}
"""What the promise is about, by resource type; roles only where the vendor assumes them."""
CREATE_ONLY = ("createOnlyProperties", "conditionalCreateOnlyProperties")
VENDOR_ROLE = "AWS::IAM::Role"
GONE = (
    "CloudFormation would delete it, or leave it behind, and create an empty one. Give it its old place: the same id "
    "and the same parents, or override_logical_id on the L1. If it must change: docs/stability.md, “If an id has to "
    "change”."
)
REPLACED = (
    "CloudFormation replaces the resource when this changes. Keep the old value as the default, and let users ask for "
    "the new one. If it must change: docs/stability.md, “If an id has to change”."
)
NEW = (
    "A new resource that the promise is about: look at its id once more, it is for good. Then write it with "
    "UPDATE_CONTRACTS=1 pytest tests/synth -k reviewed."
)
Ids = dict[str, dict[str, Any]]
Build = Callable[[cdk.Stack, ConnectInstance], Construct]
WEBHOOK = "https://bot.example.com/hook"
A_CASE: dict[str, Any] = {
    "Name": "a caller waits",
    "EntryPoint": {"Type": "VOICE_CALL", "VoiceCallEntryPointParameters": {"FlowId": "${FlowArn}"}},
    "Content": {"Version": "2019-10-30", "Metadata": {}, "Observations": [{"Identifier": "start"}]},
}

STANDARD: dict[str, Build] = {
    "ChatStreamBridge": lambda stack, instance: ChatStreamBridge(
        stack, "Chat", instance=instance, webhook_url=WEBHOOK, queue_arn=QUEUE_ARN
    ),
    "ChatStreamBridge, access key, preset kore": lambda stack, instance: ChatStreamBridge(
        stack,
        "Chat",
        instance=instance,
        webhook_url=WEBHOOK,
        queue_arn=QUEUE_ARN,
        preset=ChatStreamPreset.kore(),
        vendor_access=VendorAccess.access_key(serials=(1, 2)),
    ),
    "ChatStreamBridge, role": lambda stack, instance: ChatStreamBridge(
        stack,
        "Chat",
        instance=instance,
        webhook_url=WEBHOOK,
        queue_arn=QUEUE_ARN,
        vendor_access=VendorAccess.role("210987654321", external_id="tenant-4711"),
    ),
    "ContactCenter": lambda stack, _: center_with_everything(stack),
    "ContactFlow": lambda stack, instance: ContactFlow(
        stack,
        "Line",
        instance=instance,
        template=ROOT / "examples/own_app/flows/support_line.json",
        values={
            "AssistantModuleArn": f"{INSTANCE_ARN}/flow-module/33333333-4444-4555-8666-777777777777",
            "QueueArn": QUEUE_ARN,
        },
    ),
    "FlowTestCase": lambda stack, instance: FlowTestCase(
        stack,
        "Waits",
        flow=ContactFlow(
            stack,
            "Line",
            instance=instance,
            template=ROOT / "examples/contact_center/flows/weekday_line.json",
            values={"QueueArn": QUEUE_ARN},
        ),
        case=A_CASE,
    ),
    "ExternalVoiceConnector": lambda stack, instance: ExternalVoiceConnector(
        stack, "Connector", instance=instance, host="sbc.example.com"
    ),
    "ExternalVoiceTransfer": lambda stack, instance: ExternalVoiceTransfer(
        stack,
        "Transfer",
        instance=instance,
        destination=VoiceDestination.connector(CONNECTOR_ARN, did="+12065550100"),
        queue_arn=QUEUE_ARN,
    ),
    "MetadataBridge": lambda stack, instance: MetadataBridge(stack, "Metadata", instance=instance),
    "MetadataBridge, preset kore": lambda stack, instance: MetadataBridge(
        stack, "Metadata", instance=instance, preset=MetadataPreset.kore()
    ),
    "VoiceBiometricGate": lambda stack, instance: VoiceBiometricGate(
        stack,
        "Gate",
        instance=instance,
        telephony=BiometricsTelephony.twilio("+12065550188"),
        queue_arn=QUEUE_ARN,
    ),
    "VoiceBiometricGate, preset voiceit": lambda stack, instance: VoiceBiometricGate(
        stack,
        "Gate",
        instance=instance,
        telephony=BiometricsTelephony.twilio("+12065550188"),
        queue_arn=QUEUE_ARN,
        preset=VoiceBiometricPreset.voiceit(),
    ),
}
APP_STACKS = (
    *(f"connect-bridges-prod-{part}" for part in ("biometrics", "chat", "voice")),
    *(f"connect-bridges-new-{part}" for part in CREATED),
)
MAKE_NOTHING_PROMISED = {
    "ContactCenterMonitoring",
    "ConnectInstance",
    "Monitoring",
    "RuntimeFunction",
    "VendorPrincipal",
}
"""ConnectInstance's associations and VendorPrincipal's user are in the entries of the constructs that ask for them."""


def standard(name: str) -> Ids:
    """Return what a construct holds in a standard stack, its paths relative to itself."""
    context = {"aws:cdk:enable-path-metadata": True, "@aws-cdk/aws-iam:minimizePolicies": True}
    stack = cdk.Stack(
        cdk.App(context=context),
        "users-stack",
        env=cdk.Environment(account="123456789012", region="us-east-1"),
    )
    construct = STANDARD[name](stack, ConnectInstance.from_arn(stack, "Instance", INSTANCE_ARN))
    return promised(dict(assertions.Template.from_stack(stack).to_json()), construct.node.path)


def promised(template: dict[str, Any], base: str = "") -> Ids:
    """Return the resources of a template that the promise is about."""
    return {
        logical: {
            "type": resource["Type"],
            **_path(resource, base),
            "fixed": fixed(resource["Type"], resource.get("Properties", {})),
        }
        for logical, resource in sorted(template["Resources"].items())
        if resource["Type"] in PROMISED or _is_the_vendors(resource)
    }


def fixed(kind: str, properties: dict[str, Any]) -> dict[str, Any]:
    """Return the properties whose change replaces a resource: of a custom resource, the one that may not change."""
    if kind.startswith("Custom::"):
        return {"ServiceToken": properties["ServiceToken"]}
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", kind).schema
    paths = [path for key in CREATE_ONLY for path in schema.get(key, [])]
    names = {path.removeprefix("/properties/").partition("/")[0] for path in paths}
    return {name: properties[name] for name in sorted(names & set(properties))}


def _path(resource: dict[str, Any], base: str) -> dict[str, str]:
    path = resource.get("Metadata", {}).get("aws:cdk:path")
    return {"path": path.removeprefix(base).strip("/").removesuffix("/Resource")} if path else {}


def _is_the_vendors(resource: dict[str, Any]) -> bool:
    if resource["Type"] != VENDOR_ROLE:
        return False
    principals = [s["Principal"] for s in resource["Properties"]["AssumeRolePolicyDocument"]["Statement"]]
    return any("AWS" in principal for principal in principals)


def broken(released: Ids, found: Ids) -> list[str]:
    """Return how a construct breaks the promise, each with what to do."""
    problems = []
    for logical, entry in released.items():
        what = f"{logical} ({entry['type']}, since {entry['since']})"
        if logical not in found or found[logical]["type"] != entry["type"]:
            problems.append(f"{what} is gone. {GONE}")
            continue
        problems += [
            f"{what}: {name} was {value!r} and is {found[logical]['fixed'].get(name)!r}. {REPLACED}"
            for name, value in entry["fixed"].items()
            if found[logical]["fixed"].get(name) != value
        ]
        problems += [
            f"{what}: {name} was not set and is {value!r}. {REPLACED}"
            for name, value in found[logical]["fixed"].items()
            if name not in entry["fixed"]
        ]
    problems += [
        f"{one} ({found[one]['type']}) is not in {FILE.name}. {NEW}" for one in found if one not in released
    ]
    return problems


def released() -> dict[str, Ids]:
    return dict(json.loads(FILE.read_text())) if FILE.is_file() else {}


def assert_kept(name: str, found: Ids) -> None:
    if os.environ.get("UPDATE_CONTRACTS") == "1":
        everything = released()
        known = everything.setdefault(name, {})
        for logical, entry in found.items():
            known.setdefault(logical, {"since": VERSION, **entry})
        FILE.write_text(json.dumps(everything, indent=1, sort_keys=True) + "\n")
    problems = broken(released().get(name, {}), found)
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize("name", STANDARD)
def test_a_construct_keeps_its_ids_as_they_were_reviewed(name: str) -> None:
    assert_kept(name, standard(name))


@pytest.mark.parametrize("name", APP_STACKS)
def test_a_stack_of_this_app_keeps_its_ids_as_they_were_reviewed(shapes: Shapes, name: str) -> None:
    assert_kept(name, promised(shapes.templates[name]))


def test_every_construct_has_given_the_promise() -> None:
    constructs = {
        name
        for name in connect_bridges.__all__
        if isinstance(one := getattr(connect_bridges, name), type) and issubclass(one, Construct)
    }
    given = {name.partition(",")[0] for name in STANDARD}
    assert constructs - MAKE_NOTHING_PROMISED == given
    assert set(released()) == {*STANDARD, *APP_STACKS}
    assert {entry["type"] for ids in released().values() for entry in ids.values()} == {
        *PROMISED,
        VENDOR_ROLE,
    }


def test_an_option_adds_resources_and_moves_none() -> None:
    everything = released()
    for name, ids in everything.items():
        base = everything.get(name.partition(",")[0], {})
        if name not in APP_STACKS:
            assert set(base) <= set(ids), name


def test_a_promise_that_is_broken_is_noticed() -> None:
    ids = released()["MetadataBridge, preset kore"]
    (table,) = (logical for logical, entry in ids.items() if entry["type"] == "AWS::DynamoDB::GlobalTable")
    assert broken(ids, ids) == []

    renamed = copy.deepcopy(ids)
    renamed["MetadataData12345678"] = renamed.pop(table)
    gone, new = broken(ids, renamed)
    assert gone.startswith(f"{table} (AWS::DynamoDB::GlobalTable, since 0.1.0) is gone. CloudFormation would")
    assert new.startswith("MetadataData12345678 (AWS::DynamoDB::GlobalTable) is not in released_ids.json")

    replaced = copy.deepcopy(ids)
    replaced[table]["fixed"]["TableName"] = "Calls"
    (problem,) = broken(ids, replaced)
    assert "TableName was 'koreCcSessions' and is 'Calls'" in problem

    named = copy.deepcopy(ids)
    del ids[table]["fixed"]["TableName"]
    (problem,) = broken(ids, named)
    assert "TableName was not set and is" in problem

    other = copy.deepcopy(named)
    other[table]["type"] = "AWS::DynamoDB::Table"
    (problem,) = broken(ids, other)
    assert "is gone" in problem


def test_the_page_names_every_type_that_the_promise_is_about() -> None:
    section = PAGE.read_text().split("\n## What keeps its id\n")[1].split("\n## ")[0]
    assert {kind for kind in (*PROMISED, VENDOR_ROLE) if f"`{kind}`" not in section} == set()
    assert "\n## If an id has to change\n" in PAGE.read_text()
