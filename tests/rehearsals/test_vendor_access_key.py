"""VendorAccess.access_key, deployed: the key from the secret joins chats and does nothing else, and is rotated."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import boto3
import pytest
from botocore.exceptions import ClientError
from connect_bridges import ConnectInstance, VendorAccess, VendorPrincipal
from connect_sandbox.cloud.schedules import run_rule
from connect_sandbox.iam import AuditEntry, Policy, compare_grants
from moto.iam.models import iam_backends

from rehearsals.scenarios import Deployment

pytestmark = pytest.mark.sandbox

PROJECT = Path(__file__).resolve().parents[2]
STACK = "vendor-access-key"


@dataclass(frozen=True)
class VendorKey:
    """What a person hands to the vendor."""

    deployment: Deployment
    id: str
    secret: str

    def client(self, service: str) -> Any:
        sandbox = self.deployment.sandbox
        return boto3.client(
            service,
            endpoint_url=sandbox.endpoint_url,
            region_name=sandbox.region,
            aws_access_key_id=self.id,
            aws_secret_access_key=self.secret,
        )

    def joins_a_chat(self) -> str:
        """Join a chat of the instance as the bot would; return the participant's token."""
        chats, instance_arn = self.deployment.sandbox.chats, self.deployment.chat.instance_arn
        chat, _ = chats.start(instance_arn, str(uuid.uuid4()))
        try:
            answer = self.client("connect").create_participant(
                InstanceId=instance_arn.rsplit("/", 1)[-1],
                ContactId=chat.contact_id,
                ParticipantDetails={"ParticipantRole": "CUSTOM_BOT", "DisplayName": "Bot"},
            )
        finally:
            chats.end(chat)
        return str(answer["ParticipantCredentials"]["ParticipantToken"])


@dataclass
class App:
    """A CDK app with the vendor's principal alone, as somebody would write who has a bridge already."""

    deployment: Deployment
    assembly: Path
    metric: Any = None
    deployed: bool = False

    def deploys(self, *serials: int) -> VendorKey:
        """Deploy with these serials, and read the key that the secret then holds.

        The CDK CLI deploys first, with the function's code; after that the template alone is another one.
        """
        app = cdk.App(outdir=str(self.assembly))
        env = cdk.Environment(account="123456789012", region="us-east-1")
        stack = cdk.Stack(app, STACK, env=env)
        vendor = VendorPrincipal(
            stack,
            "Vendor",
            instance=ConnectInstance.from_arn(stack, "Instance", self.deployment.chat.instance_arn),
            access=VendorAccess.access_key(serials=serials),
        )
        assert vendor.secret is not None
        cdk.CfnOutput(stack, "KeySecretArn", value=vendor.secret.secret_arn)
        self.metric = vendor.metric_key_age()
        app.synth()
        sandbox = self.deployment.sandbox
        if not self.deployed:
            sandbox.cdk("deploy", "--method=direct", "--app", str(self.assembly), STACK, cwd=PROJECT)
            self.deployed = True
        else:
            template = (self.assembly / f"{STACK}.template.json").read_text()
            cloudformation = sandbox.boto3_client("cloudformation")
            cloudformation.update_stack(
                StackName=STACK, TemplateBody=template, Capabilities=["CAPABILITY_NAMED_IAM"]
            )
            sandbox.deployments.wait()
            [stack] = cloudformation.describe_stacks(StackName=STACK)["Stacks"]
            assert stack["StackStatus"] == "UPDATE_COMPLETE"
        arn = sandbox.stack_outputs(STACK)["KeySecretArn"]
        text = sandbox.boto3_client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"]
        held = json.loads(text)
        return VendorKey(self.deployment, held["accessKeyId"], held["secretAccessKey"])

    @property
    def user(self) -> str:
        return self.deployment.physical_id(STACK, "AWS::IAM::User")

    @property
    def user_arn(self) -> str:
        return f"arn:aws:iam::123456789012:user/{self.user}"

    @property
    def keys(self) -> dict[str, str]:
        """IAM's keys of the user, with their secrets: a wrong one would go unnoticed, signatures are not verified."""
        stored = iam_backends["123456789012"]["aws"].users[self.user].access_keys
        return {key.access_key_id: key.secret_access_key for key in stored}

    def looks_at_the_age(self) -> tuple[dict[str, int], dict[str, Any]]:
        """Let the daily rule go off; return the function's answer and the metric that it wrote."""
        rule = self.deployment.physical_id(STACK, "AWS::Events::Rule")
        [ran] = run_rule(self.deployment.sandbox, rule)
        assert ran.function_error is None, ran.json()
        assert ran.logs_refused is None
        [written] = [json.loads(line) for line in ran.logs if '"VendorKeyAge"' in line]
        return ran.json(), written


@pytest.fixture(scope="module")
def app(deployment: Deployment, tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    yield App(deployment, tmp_path_factory.mktemp("vendor") / "cdk.out")
    deployment.sandbox.boto3_client("cloudformation").delete_stack(StackName=STACK)
    deployment.sandbox.deployments.wait()


@pytest.fixture(scope="module")
def key(app: App) -> VendorKey:
    return app.deploys(1)


@pytest.fixture(scope="module")
def joined(app: App, key: VendorKey) -> tuple[AuditEntry, ...]:
    """Let the vendor join a chat; return what was asked of IAM for it."""
    assert key.joins_a_chat()
    return app.deployment.sandbox.audit.calls(principal=app.user_arn)


def test_the_key_in_the_secret_joins_a_chat(joined: tuple[AuditEntry, ...], app: App, key: VendorKey) -> None:
    assert app.keys == {key.id: key.secret}
    instance = app.deployment.chat.instance_arn
    assert [(e.action, e.role, e.allowed) for e in joined] == [("connect:CreateParticipant", None, True)] * 2
    assert {e.resource.split("/contact/")[0] for e in joined} == {instance}


def test_the_vendor_uses_what_it_is_granted_and_is_granted_what_it_uses(
    joined: tuple[AuditEntry, ...], app: App
) -> None:
    report = compare_grants(_granted(app, "user", app.user), joined)
    assert report.exact, str(report)


def test_the_vendor_may_do_nothing_else(app: App, key: VendorKey) -> None:
    sandbox, instance = app.deployment.sandbox, app.deployment.chat.instance_arn.rsplit("/", 1)[-1]
    secret = sandbox.stack_outputs(STACK)["KeySecretArn"]
    attempts = [
        ("connect", "stop_contact", {"InstanceId": instance, "ContactId": str(uuid.uuid4())}),
        ("secretsmanager", "get_secret_value", {"SecretId": secret}),
        ("iam", "list_access_keys", {"UserName": app.user}),
        ("iam", "list_access_keys", {}),
        ("iam", "create_access_key", {"UserName": app.user}),
    ]
    for service, operation, request in attempts:
        with pytest.raises(ClientError, match=f"AccessDenied.*{app.user_arn} is not authorized to perform"):
            getattr(key.client(service), operation)(**request)
    assert key.client("sts").get_caller_identity()["Arn"] == app.user_arn  # IAM asks nobody's leave for that


def test_the_age_of_the_key_is_written_daily_as_the_metric_that_the_alarm_watches(
    app: App, key: VendorKey
) -> None:
    assert app.looks_at_the_age()[0] == {"activeKeys": 1, "oldestDays": 0}
    [stored] = iam_backends["123456789012"]["aws"].users[app.user].access_keys
    assert stored.access_key_id == key.id
    stored.create_date -= timedelta(days=100, hours=1)

    answer, written = app.looks_at_the_age()
    assert answer == {"activeKeys": 1, "oldestDays": 100}
    assert written["VendorKeyAge"] == [100.0]
    [described] = written["_aws"]["CloudWatchMetrics"]
    assert described["Namespace"] == app.metric.namespace
    assert {name: written[name] for name in described["Dimensions"][0]} == app.metric.dimensions


def test_the_age_function_uses_what_it_is_granted_and_is_granted_what_it_uses(
    app: App, key: VendorKey
) -> None:
    app.looks_at_the_age()
    [role] = [n for n in app.deployment.physical_ids(STACK, "AWS::IAM::Role") if "KeyAge" in n]
    calls = app.deployment.sandbox.audit.calls(role=role)
    report = compare_grants(_granted(app, "role", role), calls)
    assert report.exact, str(report)
    assert {e.resource for e in calls if e.action == "iam:ListAccessKeys"} == {app.user_arn}


def test_a_rotation_leaves_the_vendor_a_key_that_works_at_every_moment(app: App, key: VendorKey) -> None:
    newer = app.deploys(1, 2)
    assert app.keys == {key.id: key.secret, newer.id: newer.secret}
    assert key.joins_a_chat()
    assert newer.joins_a_chat()
    assert app.looks_at_the_age()[0]["activeKeys"] == 2

    assert app.deploys(2) == newer
    assert app.keys == {newer.id: newer.secret}
    assert newer.joins_a_chat()
    with pytest.raises(ClientError, match="InvalidClientTokenId") as refused:
        key.joins_a_chat()
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    assert app.looks_at_the_age()[0] == {"activeKeys": 1, "oldestDays": 0}


def _granted(app: App, kind: str, name: str) -> list[Policy]:
    """Return the inline policies of a user or role; the constructs attach no others."""
    iam, who = app.deployment.sandbox.boto3_client("iam"), {f"{kind.title()}Name": name}
    attached = getattr(iam, f"list_attached_{kind}_policies")(**who)["AttachedPolicies"]
    assert attached == []
    names = getattr(iam, f"list_{kind}_policies")(**who)["PolicyNames"]
    read = getattr(iam, f"get_{kind}_policy")
    documents = [read(**who, PolicyName=policy)["PolicyDocument"] for policy in names]
    return [Policy.parse(document, name=name) for document in documents]
