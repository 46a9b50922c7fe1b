"""Every shape of what this repository deploys, synthesized once, for the judges from outside: cfn-lint and cdk-nag.

The app's environments, the examples as they lie, the constructs with the least arguments, and the constructs with
every option that a rule of a compliance pack asks for.
"""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

os.environ.setdefault("JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION", "20")

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_wafv2 as waf
from cdk_nag import (
    AwsSolutionsChecks,
    HIPAASecurityChecks,
    NIST80053R5Checks,
    PCIDSS321Checks,
    ServerlessChecks,
)
from connect_bridges import (
    ApiOptions,
    BiometricsTelephony,
    ChatStreamBridge,
    ConnectInstance,
    ContactCenter,
    ContactCenterMonitoring,
    ContactFlow,
    ExternalVoiceConnector,
    ExternalVoiceTransfer,
    FunctionOptions,
    MetadataBridge,
    OpeningHours,
    VendorAccess,
    VoiceBiometricGate,
    VoiceDestination,
)

from stacks.settings import load_settings
from stacks.stage import build_stage
from tests.support import CONNECTOR_ARN, CONTEXT, INSTANCE_ARN, QUEUE_ARN, ROOT
from tests.support.instances import new_environment

_PARTS = ("biometrics", "chat", "voice")
CREATED = ("alarms", "configuration", "instance", "monitoring", "numbers")
"""What an environment has besides if it creates its instance."""
ACCOUNT, REGION = "123456789012", "us-east-1"
CONNECT_REGIONS = (
    "af-south-1",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "ca-central-1",
    "eu-central-1",
    "eu-west-2",
    "us-east-1",
    "us-gov-west-1",
    "us-west-2",
)
"""Where Amazon Connect is, and with it every resource type of these templates."""
STACKS = (
    "anywhere",
    "center",
    *(f"connect-bridges-{env}-{part}" for env in ("dev", "new", "others", "prod") for part in _PARTS),
    *(f"connect-bridges-new-{part}" for part in CREATED),
    "contact-center-support",
    "defaults",
    "encrypted-input-payments",
    "own-app-support-line",
    "own-voice-check-account-line",
    "regulated",
    "watched",
)
ALARMS = f"arn:aws:sns:{REGION}:{ACCOUNT}:alarms"
EXAMPLES = ("contact_center", "encrypted_input", "own_app", "own_voice_check")
WRONG, VALIDATION = "wrong", "CloudFormation Validate"
"""A stack that is wrong on purpose and no shape, and who says so: aws-cdk-lib itself."""
PACKS = (AwsSolutionsChecks, ServerlessChecks, HIPAASecurityChecks, NIST80053R5Checks, PCIDSS321Checks)
_BOT = "https://bot.example.com/adapter/hooks/amazonconnect/st-1"


@dataclass(frozen=True)
class Finding:
    """What a rule of a pack says about one construct."""

    pack: str
    rule: str
    """Without the pack's name: ``LambdaInsideVPC``."""
    path: str
    """Of the construct, with its stack."""
    kind: str
    """Of the construct: ``CfnFunction``."""

    @property
    def stack(self) -> str:
        return self.path.partition("/")[0]


@dataclass(frozen=True)
class Shapes:
    """Templates by stack, and what the packs found in them."""

    templates: dict[str, dict[str, Any]]
    findings: list[Finding]
    packs: set[str]
    """The packs that have reported, also those that found nothing."""


def synthesize(folder: Path) -> Shapes:
    """Synthesize every shape below a folder, all packs looking on, and aws-cdk-lib's own validation as well.

    In a process of its own: in all others that validation is off (tests/conftest.py).
    """
    environment = {name: value for name, value in os.environ.items() if name != "CDK_VALIDATION"}
    done = subprocess.run(
        [sys.executable, "-m", "tests.synth.shapes", str(folder)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    templates: dict[str, dict[str, Any]] = {}
    findings: list[Finding] = []
    packs = set[str]()
    for report in sorted(folder.glob("*/validation-report.json")):
        for file in sorted(report.parent.glob("*.template.json")):
            templates[file.name.removesuffix(".template.json")] = json.loads(file.read_text())
        for one in json.loads(report.read_text())["pluginReports"]:
            packs.add(one["pluginName"])
            findings += _findings(one)
    del templates[WRONG]
    return Shapes(templates, findings, packs)


def write(folder: Path) -> None:
    """Write cloud assembly and validation report of every app below a folder."""
    apps = [_app(folder / "stacks", CONTEXT)]
    _environments(apps[0])
    _users(apps[0])
    apps += [_example(name, folder / name) for name in EXAMPLES]
    for app in [*apps, _wrong(folder / WRONG)]:
        _synthesize(app)


def _wrong(outdir: Path) -> cdk.App:
    """Return an app that CloudFormation would refuse, so that one sees that validation is on."""
    app = cdk.App(outdir=str(outdir))
    cdk.CfnResource(
        cdk.Stack(app, WRONG), "Queue", type="AWS::SQS::Queue", properties={"VisibilityTimeout": "soon"}
    )
    return app


def _findings(report: dict[str, Any]) -> Iterator[Finding]:
    pack = report["pluginName"]
    for violation in report["violations"]:
        for construct in violation["violatingConstructs"]:
            yield Finding(
                pack,
                violation["ruleName"].removeprefix(f"{pack}-"),
                construct["constructPath"],
                construct["constructFqn"].rpartition(".")[2],
            )


def _synthesize(app: cdk.App) -> None:
    """Synthesize; findings end in an exception after templates and report are written."""
    file = Path(app.outdir, "validation-report.json")
    try:
        app.synth()
    except RuntimeError:
        if not file.is_file():
            raise


def _app(outdir: Path, context: dict[str, Any]) -> cdk.App:
    app = cdk.App(context=context, outdir=str(outdir))
    cdk.Validations.of(app).add_plugins(*(pack() for pack in PACKS))
    return app


def _example(name: str, outdir: Path) -> cdk.App:
    """Run an example as it lies; the app that it makes writes below outdir and has the packs."""
    folder = ROOT / "examples" / name
    app = _app(outdir, json.loads((folder / "cdk.json").read_text()).get("context", {}))
    with mock.patch.object(cdk, "App", return_value=app), mock.patch.object(app, "synth"):
        runpy.run_path(str(folder / "app.py"))
    return app


def _environments(app: cdk.App) -> None:
    """Add this app's environments: dev and prod as in cdk.json with chat and biometrics, and every other choice.

    dev is an imported one; new creates its instance, with one of everything in it.
    """
    environments: dict[str, Any] = json.loads(json.dumps(CONTEXT["environments"]))
    dev, prod = environments["dev"], environments["prod"]
    secret = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:mine-AbCdEf"
    telephony = {"number": "+12065550188"}
    dev["chat"] = {"webhookUrl": _BOT, "queueArn": QUEUE_ARN}
    dev["biometrics"] = {"telephony": telephony, "queueArn": QUEUE_ARN}
    prod["alarmTopicArn"] = ALARMS
    prod["chat"] = {
        **dev["chat"],
        "preset": "kore",
        "vendorAccess": {"accessKey": {"serials": [1, 2], "rotateAfterDays": 60}},
    }
    prod["biometrics"] = {**dev["biometrics"], "preset": "voiceit", "encryption": "customer-managed"}
    environments["others"] = {
        **dev,
        "voice": {
            "destination": {"phoneNumber": "+12065550123"},
            "queueArn": QUEUE_ARN,
            "metadata": {"encryption": "customer-managed", "cloudWatchRole": False},
        },
        "chat": {
            **dev["chat"],
            "tokenSecretArn": secret,
            "vendorAccess": {
                "role": {"principal": "210987654321", "externalId": "tenant-4711"},
                "also": ["connect:UpdateContactAttributes"],
            },
        },
        "biometrics": {
            "telephony": {**telephony, "secretArn": secret},
            "provider": {
                "functionArn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:my-voices",
                "name": "mine",
            },
            "queueArn": QUEUE_ARN,
            "returnMode": "REDIAL",
            "redialNumber": "+12065550100",
            "publicUrl": "https://voice.example.com/prod",
            "executeApi": "closed",
        },
    }
    environments["new"] = new_environment(CONTEXT)
    for name in environments:
        build_stage(app, load_settings(environments, name))


def _users(app: cdk.App) -> None:
    """Add stacks of somebody else's app: every construct with the least that it takes, and with every option."""
    env = cdk.Environment(account=ACCOUNT, region=REGION)
    _defaults(cdk.Stack(app, "defaults", env=env))
    _anywhere(cdk.Stack(app, "anywhere"))
    center_with_everything(cdk.Stack(app, "center", env=env))
    _regulated(cdk.Stack(app, "regulated", env=env))
    watched(cdk.Stack(app, "watched", env=env))


def _defaults(stack: cdk.Stack) -> None:
    instance = ConnectInstance.from_arn(stack, "Instance", INSTANCE_ARN)
    connector = ExternalVoiceConnector(stack, "Connector", instance=instance, host="sbc.example.com")
    metadata = MetadataBridge(stack, "Metadata", instance=instance)
    ExternalVoiceTransfer(
        stack,
        "Transfer",
        instance=instance,
        destination=VoiceDestination.connector(connector, did="+12065550100"),
        queue_arn=QUEUE_ARN,
        metadata=metadata,
    )
    chat = ChatStreamBridge(
        stack,
        "Chat",
        instance=instance,
        webhook_url=_BOT,
        queue_arn=QUEUE_ARN,
        vendor_access=VendorAccess.access_key(),
    )
    gate = VoiceBiometricGate(
        stack,
        "Gate",
        instance=instance,
        telephony=BiometricsTelephony.twilio("+12065550188"),
        queue_arn=QUEUE_ARN,
    )
    for bridge in (metadata, chat, gate):
        bridge.monitor()


def center_with_everything(stack: cdk.Stack) -> ContactCenter:
    """Fill a stack with an instance and one of everything that can be added to it."""
    center = ContactCenter(stack, "Center", alias="example-center")
    center.add_call_recordings(expire_after=cdk.Duration.days(90))
    center.add_chat_transcripts()
    center.add_reports()
    center.add_contact_records_stream()
    center.add_agent_events_stream()
    center.add_live_media_streaming(prefix="example")
    center.allow_origin("https://crm.example.com")
    center.add_security_key(
        "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A\n-----END PUBLIC KEY-----\n"
    )
    center.add_lex_bot(f"arn:aws:lex:{REGION}:{ACCOUNT}:bot-alias/ABCDEFGHIJ/TSTALIASID")
    center.add_application("Assist", url="https://assist.example.com")
    hours = center.add_hours("Always", time_zone="UTC", hours=OpeningHours.always())
    queues = [center.add_queue(name, hours=hours) for name in ("Support", "Sales")]
    agents = center.add_routing_profile("Agents", queues=queues)
    permits = center.add_security_profile("Agents", permissions=["BasicAgentAccess"])
    center.add_quick_connect("Front desk", phone_number="+12065550100")
    center.add_user(
        "Ana",
        username="ana",
        first_name="Ana",
        last_name="Silva",
        routing_profile=agents,
        security_profiles=[permits],
    )
    flow = ContactFlow(
        stack,
        "Line",
        instance=center,
        template=ROOT / "examples/contact_center/flows/weekday_line.json",
        values={"QueueArn": queues[0].arn},
    )
    center.claim_number("Line", country_code="US", flow=flow)
    center.claim_number("Free", country_code="US", number_type="TOLL_FREE", flow=flow)
    return center


def watched(stack: cdk.Stack) -> ContactCenterMonitoring:
    """Fill a stack with alarms on an instance that exists, and the dashboard and topic that it shares with a bridge."""
    instance = ConnectInstance.from_arn(
        stack,
        "Instance",
        INSTANCE_ARN,
        service_role_arn=f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/connect.amazonaws.com/"
        "AWSServiceRoleForAmazonConnect_example",
    )
    instance.add_contact_records_bucket(expire_after=cdk.Duration.days(90))
    metadata = MetadataBridge(stack, "Metadata", instance=instance)
    key = kms.Key(stack, "Key", enable_key_rotation=True)
    monitoring = ContactCenterMonitoring(
        stack,
        "Monitoring",
        instance=instance,
        flows=["Support line"],
        queues=["Support"],
        signing_key_ids=["11111111-2222-3333-4444-555555555555"],
        retired_signing_key_ids=["22222222-3333-4444-5555-666666666666"],
        alarm_topic=sns.Topic(stack, "Alarms", enforce_ssl=True, master_key=key),
        dashboard=cloudwatch.Dashboard(stack, "Dashboard", dashboard_name="example-center"),
        thresholds={"LongestWait": 120},
    )
    metadata.monitor(scope=monitoring, id="Metadata")
    return monitoring


def _anywhere(stack: cdk.Stack) -> None:
    """Fill a stack that learns its account and Region at deployment."""
    instance = ConnectInstance.from_arn(stack, "Instance", INSTANCE_ARN)
    metadata = MetadataBridge(stack, "Metadata", instance=instance)
    ExternalVoiceTransfer(
        stack,
        "Transfer",
        instance=instance,
        destination=VoiceDestination.connector(CONNECTOR_ARN, did="+12065550100"),
        queue_arn=QUEUE_ARN,
        metadata=metadata,
    )
    ChatStreamBridge(stack, "Chat", instance=instance, webhook_url=_BOT, queue_arn=QUEUE_ARN)
    VoiceBiometricGate(
        stack,
        "Gate",
        instance=instance,
        telephony=BiometricsTelephony.twilio("+12065550188"),
        queue_arn=QUEUE_ARN,
    )


def _regulated(stack: cdk.Stack) -> None:
    """Fill a stack with everything that docs/security.md names as a setting that satisfies a rule."""
    instance = ConnectInstance.from_arn(stack, "Instance", INSTANCE_ARN)
    key = kms.Key(stack, "Key", enable_key_rotation=True)
    instance.add_call_recordings(encryption_key=key)
    vpc = ec2.Vpc.from_vpc_attributes(
        stack,
        "Vpc",
        vpc_id="vpc-0123456789abcdef0",
        availability_zones=[f"{REGION}a"],
        private_subnet_ids=["subnet-0123456789abcdef0"],
    )
    functions = FunctionOptions(
        vpc=vpc,
        tracing=lambda_.Tracing.ACTIVE,
        reserved_concurrent_executions=20,
        log_encryption_key=key,
    )
    api = ApiOptions(tracing=True, log_encryption_key=key)
    connector = ExternalVoiceConnector(
        stack,
        "Connector",
        instance=instance,
        host="sbc.example.com",
        log_encryption_key=key,
        function_options=functions,
    )
    metadata = MetadataBridge(
        stack,
        "Metadata",
        instance=instance,
        encryption_key=key,
        function_options=functions,
        api=api,
        deletion_protection=True,
    )
    ExternalVoiceTransfer(
        stack,
        "Transfer",
        instance=instance,
        destination=VoiceDestination.connector(connector, did="+12065550100"),
        queue_arn=QUEUE_ARN,
        metadata=metadata,
    )
    instance.answer(
        "Line",
        f"arn:aws:connect:{REGION}:{ACCOUNT}:phone-number/11111111-2222-3333-4444-555555555555",
        f"{INSTANCE_ARN}/contact-flow/11111111-2222-3333-4444-555555555555",
        function_options=functions,
    )
    chat = ChatStreamBridge(
        stack,
        "Chat",
        instance=instance,
        webhook_url=_BOT,
        queue_arn=QUEUE_ARN,
        vendor_access=VendorAccess.role("210987654321", external_id="tenant-4711"),
        encryption_key=key,
        function_options=functions,
    )
    gate = VoiceBiometricGate(
        stack,
        "Gate",
        instance=instance,
        telephony=BiometricsTelephony.twilio("+12065550188"),
        queue_arn=QUEUE_ARN,
        encryption_key=key,
        function_options=functions,
        api=api,
        deletion_protection=True,
    )
    topic = sns.Topic.from_topic_arn(stack, "Alarms", ALARMS)
    for bridge in (metadata, chat, gate):
        bridge.monitor(alarm_topic=topic)
    for name, rest in {"Metadata": metadata.api, "Gate": gate.api}.items():
        waf.CfnWebACLAssociation(
            stack,
            f"{name}Firewall",
            resource_arn=rest.deployment_stage.stage_arn,
            web_acl_arn=f"arn:aws:wafv2:{REGION}:{ACCOUNT}:regional/webacl/vendors/"
            "11111111-2222-3333-4444-555555555555",
        )


if __name__ == "__main__":
    write(Path(sys.argv[1]))
