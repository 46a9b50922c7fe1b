"""What users decide about the functions of a construct reaches every one of them, with no right too many."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import assertions
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk.assertions import Match
from cdk_nag import AwsSolutionsChecks
from connect_bridges import (
    ApiOptions,
    BiometricsTelephony,
    ChatStreamBridge,
    ConnectInstance,
    ExternalVoiceConnector,
    FunctionOptions,
    MetadataBridge,
    VendorAccess,
    VoiceBiometricGate,
)
from connect_bridges.shared import bundling

from tests.support import INSTANCE_ARN, QUEUE_ARN, policy_statements

Make = Callable[[cdk.Stack, ConnectInstance, FunctionOptions], object]
MAKERS: dict[str, tuple[Make, set[str]]] = {
    "metadata": (
        lambda stack, instance, options: MetadataBridge(
            stack, "Bridge", instance=instance, function_options=options
        ),
        {"Store", "Authorize", "Retrieve"},
    ),
    "connector": (
        lambda stack, instance, options: ExternalVoiceConnector(
            stack, "Bridge", instance=instance, host="sbc.example.com", function_options=options
        ),
        {"Function"},
    ),
    "chat": (
        lambda stack, instance, options: ChatStreamBridge(
            stack,
            "Bridge",
            instance=instance,
            webhook_url="https://bot.example.com/hook",
            queue_arn=QUEUE_ARN,
            vendor_access=VendorAccess.access_key(),
            function_options=options,
        ),
        {"Start", "KeyAge"},
    ),
    "biometrics": (
        lambda stack, instance, options: VoiceBiometricGate(
            stack,
            "Bridge",
            instance=instance,
            telephony=BiometricsTelephony.twilio("+12065550188"),
            queue_arn=QUEUE_ARN,
            function_options=options,
        ),
        {"Gate", "Webhook", "Erase", "Unlock", "Retention"},
    ),
}
INTERFACE_RIGHTS = {
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
}
"""Of the managed policy AWSLambdaVPCAccessExecutionRole, without its rights on every log group of the account."""


def functions(stack: cdk.Stack) -> list[dict[str, Any]]:
    found = assertions.Template.from_stack(stack).find_resources("AWS::Lambda::Function").values()
    return [dict(one["Properties"]) for one in found]


@pytest.mark.parametrize("kind", MAKERS)
def test_options_reach_every_function_of_a_construct(
    stack: cdk.Stack, instance: ConnectInstance, kind: str
) -> None:
    make, names = MAKERS[kind]
    layer = lambda_.LayerVersion.from_layer_version_arn(
        stack, "Layer", "arn:aws:lambda:us-east-1:123456789012:layer:agent:3"
    )
    options = FunctionOptions(
        memory_size=1024,
        architecture=lambda_.Architecture.X86_64,
        tracing=lambda_.Tracing.ACTIVE,
        reserved_concurrent_executions=7,
        log_retention=logs.RetentionDays.ONE_YEAR,
        layers=[layer],
        environment={"TEAM": "voice"},
    )
    make(stack, instance, options)

    found = functions(stack)
    assert len(found) == len(names)
    for one in found:
        assert (one["MemorySize"], one["Architectures"]) == (1024, ["x86_64"])
        assert one["TracingConfig"] == {"Mode": "Active"}
        assert one["ReservedConcurrentExecutions"] == 7
        assert one["Layers"] == ["arn:aws:lambda:us-east-1:123456789012:layer:agent:3"]
        assert one["Environment"]["Variables"]["TEAM"] == "voice"
    template = assertions.Template.from_stack(stack)
    retentions = [
        group["Properties"]["RetentionInDays"]
        for name, group in template.find_resources("AWS::Logs::LogGroup").items()
        if "AccessLog" not in name
    ]
    assert retentions == [365] * len(names)
    tracing = [s for s in policy_statements(template.to_json()) if "xray:PutTraceSegments" in s["Action"]]
    assert [sorted(s["Action"]) for s in tracing] == [
        ["xray:PutTelemetryRecords", "xray:PutTraceSegments"]
    ] * len(names)


@pytest.mark.parametrize("kind", MAKERS)
def test_a_function_in_a_vpc_gets_the_rights_on_network_interfaces_and_no_managed_policy(
    stack: cdk.Stack, instance: ConnectInstance, kind: str
) -> None:
    make, names = MAKERS[kind]
    vpc = ec2.Vpc(stack, "Vpc", max_azs=2)
    make(stack, instance, FunctionOptions(vpc=vpc))

    template = assertions.Template.from_stack(stack)
    inside = [one for one in functions(stack) if "VpcConfig" in one]
    assert len(inside) == len(names)
    roles = [r for n, r in template.find_resources("AWS::IAM::Role").items() if n.startswith("Bridge")]
    for role in roles:
        managed = json.dumps(role["Properties"].get("ManagedPolicyArns", []))
        assert "AWSLambda" not in managed
    granted = [s for s in policy_statements(template.to_json()) if s["Action"][0].startswith("ec2:")]
    assert {action for s in granted for action in s["Action"]} == INTERFACE_RIGHTS
    assert {action for s in granted if "*" in s["Resource"] for action in s["Action"]} == {
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSubnets",
    }
    creating = [s["Resource"] for s in granted if "ec2:CreateNetworkInterface" in s["Action"]]
    assert len(creating) == len(names)
    for resources in creating:
        text = json.dumps(resources)
        assert len(resources) == 1 + 2 + 1  # interfaces, two subnets, the function's security group
        assert text.count("PrivateSubnet") == 2
        assert text.count('"GroupId"') == 1


def test_subnets_and_security_groups_can_be_ones_own(stack: cdk.Stack, instance: ConnectInstance) -> None:
    vpc = ec2.Vpc(stack, "Vpc", max_azs=2)
    group = ec2.SecurityGroup(stack, "Group", vpc=vpc)
    options = FunctionOptions(
        vpc=vpc,
        vpc_subnets=ec2.SubnetSelection(subnets=[vpc.private_subnets[0]]),
        security_groups=[group],
    )
    MetadataBridge(stack, "Bridge", instance=instance, function_options=options)
    for one in functions(stack):
        if "Handler" in one and one["Handler"].startswith("runtime."):
            assert len(one["VpcConfig"]["SubnetIds"]) == 1
            assert "Group" in json.dumps(one["VpcConfig"]["SecurityGroupIds"])


@pytest.mark.parametrize("kind", MAKERS)
def test_cdk_nag_has_nothing_to_say_that_is_not_acknowledged(kind: str, tmp_path: Path) -> None:
    app = cdk.App(outdir=str(tmp_path), context={"@aws-cdk/aws-iam:minimizePolicies": True})
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks())
    stack = cdk.Stack(app, "users-stack", env=cdk.Environment(account="123456789012", region="us-east-1"))
    vpc = ec2.Vpc.from_vpc_attributes(
        stack,
        "Vpc",
        vpc_id="vpc-0123456789abcdef0",
        availability_zones=["us-east-1a"],
        private_subnet_ids=["subnet-0123456789abcdef0"],
    )
    make, _ = MAKERS[kind]
    options = FunctionOptions(
        vpc=vpc,
        tracing=lambda_.Tracing.ACTIVE,
        log_encryption_key=kms.Key(stack, "Key", enable_key_rotation=True),
    )
    make(stack, ConnectInstance.from_arn(stack, "Instance", INSTANCE_ARN), options)
    app.synth()
    report = json.loads((tmp_path / "validation-report.json").read_text())
    conclusions = {plugin["pluginName"]: plugin["conclusion"] for plugin in report["pluginReports"]}
    assert conclusions["AwsSolutions"] == "success"


def test_a_key_for_logs_may_be_used_by_cloudwatch_logs_of_this_account_and_region_only(
    stack: cdk.Stack, instance: ConnectInstance
) -> None:
    key = kms.Key(stack, "LogKey")
    MetadataBridge(
        stack, "Bridge", instance=instance, function_options=FunctionOptions(log_encryption_key=key)
    )
    template = assertions.Template.from_stack(stack)
    groups = template.find_resources("AWS::Logs::LogGroup")
    assert all("KmsKeyId" in g["Properties"] for n, g in groups.items() if "AccessLog" not in n)
    (found,) = template.find_resources("AWS::KMS::Key").values()
    statements = found["Properties"]["KeyPolicy"]["Statement"]
    for_logs = [s for s in statements if "Service" in s["Principal"]]
    assert [s["Principal"]["Service"] for s in for_logs] == ["logs.us-east-1.amazonaws.com"]
    arn = json.dumps(for_logs[0]["Condition"]["ArnLike"]["kms:EncryptionContext:aws:logs:arn"])
    assert ":logs:us-east-1:123456789012:log-group:*" in arn


def encrypted_chat(stack: cdk.Stack, instance: ConnectInstance, key: kms.Key) -> None:
    ChatStreamBridge(
        stack,
        "Bridge",
        instance=instance,
        webhook_url="https://bot.example.com/hook",
        queue_arn=QUEUE_ARN,
        vendor_access=VendorAccess.access_key(),
        encryption_key=key,
        encrypt_logs=True,
    )


def encrypted_gate(stack: cdk.Stack, instance: ConnectInstance, key: kms.Key) -> None:
    VoiceBiometricGate(
        stack,
        "Bridge",
        instance=instance,
        telephony=BiometricsTelephony.twilio("+12065550188"),
        queue_arn=QUEUE_ARN,
        encryption_key=key,
        encrypt_logs=True,
    )


def encrypted_metadata(stack: cdk.Stack, instance: ConnectInstance, key: kms.Key) -> None:
    MetadataBridge(stack, "Bridge", instance=instance, encryption_key=key, encrypt_logs=True)


@pytest.mark.parametrize(
    ("make", "groups"), [(encrypted_metadata, 4), (encrypted_chat, 2), (encrypted_gate, 6)]
)
def test_one_key_encrypts_data_and_every_log_group(
    stack: cdk.Stack,
    instance: ConnectInstance,
    make: Callable[[cdk.Stack, ConnectInstance, kms.Key], None],
    groups: int,
) -> None:
    key = kms.Key(stack, "Key")
    make(stack, instance, key)
    template = assertions.Template.from_stack(stack)
    (logical_id,) = template.find_resources("AWS::KMS::Key")
    found = template.find_resources("AWS::Logs::LogGroup")
    assert [one["Properties"]["KmsKeyId"] for one in found.values()] == [
        {"Fn::GetAtt": [logical_id, "Arn"]}
    ] * groups
    statements = template.find_resources("AWS::KMS::Key")[logical_id]["Properties"]["KeyPolicy"]["Statement"]
    assert [s["Sid"] for s in statements if s.get("Sid") == "LogsEncrypts"] == ["LogsEncrypts"]


def test_the_key_that_the_options_name_for_logs_is_taken_rather(
    stack: cdk.Stack, instance: ConnectInstance
) -> None:
    data, functions_key, access = (kms.Key(stack, name) for name in ("Data", "Functions", "Access"))
    MetadataBridge(
        stack,
        "Bridge",
        instance=instance,
        encryption_key=data,
        encrypt_logs=True,
        function_options=FunctionOptions(log_encryption_key=functions_key),
        api=ApiOptions(log_encryption_key=access),
    )
    groups = assertions.Template.from_stack(stack).find_resources("AWS::Logs::LogGroup")
    keys = {name: json.dumps(one["Properties"]["KmsKeyId"]) for name, one in groups.items()}
    assert all(("Access" if "AccessLog" in name else "Functions") in key for name, key in keys.items())
    assert len(keys) == 4


def test_without_a_key_there_is_nothing_to_encrypt_logs_with(
    stack: cdk.Stack, instance: ConnectInstance
) -> None:
    with pytest.raises(ValueError, match="users-stack/Bridge: encrypt_logs is True without encryption_key"):
        MetadataBridge(stack, "Bridge", instance=instance, encrypt_logs=True)


def test_the_accounts_log_role_is_set_once_a_stack(stack: cdk.Stack, instance: ConnectInstance) -> None:
    for name in ("One", "Two"):
        MetadataBridge(stack, name, instance=instance)
    VoiceBiometricGate(
        stack,
        "Three",
        instance=instance,
        telephony=BiometricsTelephony.twilio("+12065550188"),
        queue_arn=QUEUE_ARN,
    )
    template = assertions.Template.from_stack(stack)
    (account,) = template.find_resources("AWS::ApiGateway::Account")
    stages = template.find_resources("AWS::ApiGateway::Stage").values()
    assert [account in stage["DependsOn"] for stage in stages] == [True] * 3
    roles = template.find_resources("AWS::IAM::Role").values()
    assert sum("apigateway" in json.dumps(role["Properties"]) for role in roles) == 1
    for resource in template.find_resources("AWS::ApiGateway::Account").values():
        assert resource["DeletionPolicy"] == "Retain"


def test_an_account_whose_log_role_is_set_elsewhere_is_left_alone(
    stack: cdk.Stack, instance: ConnectInstance
) -> None:
    MetadataBridge(stack, "One", instance=instance, api=ApiOptions(cloud_watch_role=False))
    template = assertions.Template.from_stack(stack)
    template.resource_count_is("AWS::ApiGateway::Account", 0)
    assert "apigateway.amazonaws.com" not in json.dumps(template.find_resources("AWS::IAM::Role"))


def test_an_imported_key_for_logs_brings_a_warning_with_the_statement_to_add(
    stack: cdk.Stack, instance: ConnectInstance
) -> None:
    arn = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"
    options = FunctionOptions(log_encryption_key=kms.Key.from_key_arn(stack, "Theirs", arn))
    ExternalVoiceConnector(
        stack, "Bridge", instance=instance, host="sbc.example.com", function_options=options
    )
    assertions.Annotations.from_stack(stack).has_warning(
        "*", Match.string_like_regexp(r"add this statement.*logs\.us-east-1\.amazonaws\.com")
    )


def test_one_function_can_have_options_of_its_own(stack: cdk.Stack, instance: ConnectInstance) -> None:
    options = FunctionOptions(
        memory_size=512,
        environment={"TEAM": "voice"},
        overrides={
            "Retrieve": FunctionOptions(reserved_concurrent_executions=50, environment={"PART": "flow"})
        },
    )
    MetadataBridge(stack, "Bridge", instance=instance, function_options=options)
    by_handler = {one["Handler"].split(".")[-2]: one for one in functions(stack)}
    assert {name: one.get("ReservedConcurrentExecutions") for name, one in by_handler.items()} == {
        "store": None,
        "authorize": None,
        "retrieve": 50,
    }
    assert {one["MemorySize"] for one in by_handler.values()} == {512}
    variables = by_handler["retrieve"]["Environment"]["Variables"]
    assert (variables["TEAM"], variables["PART"]) == ("voice", "flow")


@pytest.mark.parametrize("kind", MAKERS)
def test_a_function_that_a_construct_does_not_have_is_named(
    stack: cdk.Stack, instance: ConnectInstance, kind: str
) -> None:
    make, names = MAKERS[kind]
    with pytest.raises(
        ValueError, match=r"overrides names 'Retreive'; this construct's functions are"
    ) as raised:
        make(stack, instance, FunctionOptions(overrides={"Retreive": FunctionOptions()}))
    assert all(name in str(raised.value) for name in names)


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda: FunctionOptions(memory_size=64), "memory_size is 64 MB; choose a value from 128 to 10,240"),
        (lambda: FunctionOptions(reserved_concurrent_executions=-1), "reserved_concurrent_executions is -1"),
        (
            lambda: FunctionOptions(
                overrides={"Store": FunctionOptions(overrides={"Store": FunctionOptions()})}
            ),
            r"overrides\['Store'\] has overrides of its own",
        ),
    ],
)
def test_options_that_cannot_be_are_named(make: Any, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        make()


def test_a_subnet_needs_a_vpc_and_a_variable_of_ours_is_ours(
    stack: cdk.Stack, instance: ConnectInstance
) -> None:
    subnets = FunctionOptions(vpc_subnets=ec2.SubnetSelection(subnet_group_name="app"))
    with pytest.raises(ValueError, match="no VPC; add vpc"):
        MetadataBridge(stack, "A", instance=instance, function_options=subnets)
    table = FunctionOptions(environment={"TABLE_NAME": "another"})
    with pytest.raises(ValueError, match="sets TABLE_NAME, which the construct sets"):
        MetadataBridge(stack, "B", instance=instance, function_options=table)


def test_dependencies_are_those_of_the_architecture(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: list[str] = []

    def installed(_lock: Path, _python: str, architecture: str, target: Path) -> None:
        asked.append(architecture)
        target.mkdir()

    monkeypatch.setenv("CONNECT_BRIDGES_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(bundling, "_install", installed)
    monkeypatch.setattr(bundling, "_expected", lambda _lock: bundling._sum({}))
    hashes = {}
    for architecture in (lambda_.Architecture.ARM_64, lambda_.Architecture.X86_64):
        stack = cdk.Stack(cdk.App(outdir=str(tmp_path / architecture.name)), "users-stack")
        instance = ConnectInstance.from_arn(stack, "Instance", INSTANCE_ARN)
        ExternalVoiceConnector(
            stack,
            "Connector",
            instance=instance,
            host="sbc.example.com",
            function_options=FunctionOptions(architecture=architecture),
        )
        (code,) = [one["Code"]["S3Key"] for one in functions(stack)]
        hashes[architecture.name] = code
    assert asked == ["arm64", "x86_64"]
    assert len(set(hashes.values())) == 2
