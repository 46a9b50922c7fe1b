"""A stack that a role deploys which is no administrator: what it may not do fails there, as at AWS."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from connect_sandbox.cloud import Sandbox

from tests.sandbox.cloud.conftest import TRUST_LAMBDA, Deployed, Deployer
from tests.support import ROOT

PLACE = "us-east-1:123456789012"
POLICIES = ROOT / "docs/deploying-role"
TRUST = {
    "Version": "2012-10-17",
    "Statement": {
        "Effect": "Allow",
        "Principal": {"Service": "cloudformation.amazonaws.com"},
        "Action": "sts:AssumeRole",
    },
}
FLOW = json.dumps(
    {
        "Version": "2019-10-30",
        "StartAction": "end",
        "Actions": [
            {"Identifier": "end", "Type": "DisconnectParticipant", "Parameters": {}, "Transitions": {}}
        ],
    }
)


def get(logical_id: str, attribute: str = "Arn") -> dict[str, Any]:
    return {"Fn::GetAtt": [logical_id, attribute]}


def resource(type_: str, **properties: Any) -> dict[str, Any]:
    return {"Type": f"AWS::{type_}", "Properties": properties}


def root_policy() -> dict[str, Any]:
    principal = {"AWS": "arn:aws:iam::123456789012:root"}
    statement = {"Effect": "Allow", "Principal": principal, "Action": "kms:*", "Resource": "*"}
    return {"Version": "2012-10-17", "Statement": [statement]}


def contact_center() -> dict[str, Any]:
    """Return an instance with recordings in a bucket under a key, hours, queue, flow, number, and a function."""
    hour = {"Hours": 9, "Minutes": 0}
    of_instance = {"InstanceArn": get("Instance")}
    stored = {
        "BucketName": {"Ref": "Bucket"},
        "BucketPrefix": "recordings",
        "EncryptionConfig": {"EncryptionType": "KMS", "KeyId": get("Key")},
    }
    return {
        "Instance": resource(
            "Connect::Instance",
            IdentityManagementType="CONNECT_MANAGED",
            InstanceAlias=f"example-{uuid.uuid4().hex[:8]}",
            Attributes={"InboundCalls": True, "OutboundCalls": True, "ContactflowLogs": True},
        ),
        "Key": resource("KMS::Key", KeyPolicy=root_policy(), EnableKeyRotation=True),
        "Bucket": resource("S3::Bucket", VersioningConfiguration={"Status": "Enabled"}),
        "Recordings": resource(
            "Connect::InstanceStorageConfig",
            **of_instance,
            ResourceType="CALL_RECORDINGS",
            StorageType="S3",
            S3Config=stored,
        ),
        "Hours": resource(
            "Connect::HoursOfOperation",
            **of_instance,
            Name="Mondays",
            TimeZone="UTC",
            Config=[{"Day": "MONDAY", "StartTime": hour, "EndTime": {**hour, "Hours": 17}}],
        ),
        "Queue": resource(
            "Connect::Queue",
            **of_instance,
            Name="Support",
            HoursOfOperationArn=get("Hours", "HoursOfOperationArn"),
        ),
        "Flow": resource(
            "Connect::ContactFlow", **of_instance, Name="Line", Type="CONTACT_FLOW", Content=FLOW
        ),
        "Number": resource("Connect::PhoneNumber", TargetArn=get("Instance"), CountryCode="US", Type="DID"),
        "Role": resource("IAM::Role", AssumeRolePolicyDocument=TRUST_LAMBDA),
        "Rights": resource(
            "IAM::Policy",
            PolicyName="reads",
            Roles=[{"Ref": "Role"}],
            PolicyDocument={
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Action": "secretsmanager:GetSecretValue",
                        "Resource": {"Ref": "Secret"},
                    }
                ],
            },
        ),
        "Function": resource(
            "Lambda::Function",
            Code={"ZipFile": "def handler(event, context):\n    return {}\n"},
            Handler="index.handler",
            Runtime="python3.13",
            Role=get("Role"),
        ),
        "Permission": resource(
            "Lambda::Permission",
            Action="lambda:InvokeFunction",
            FunctionName=get("Function"),
            Principal="connect.amazonaws.com",
            SourceArn=get("Instance"),
        ),
        "Association": resource(
            "Connect::IntegrationAssociation",
            InstanceId=get("Instance"),
            IntegrationType="LAMBDA_FUNCTION",
            IntegrationArn=get("Function"),
        ),
        "Secret": resource("SecretsManager::Secret", GenerateSecretString={}, KmsKeyId=get("Key")),
        "Log": resource("Logs::LogGroup", RetentionInDays=30),
    }


@pytest.fixture
def role(sandbox: Sandbox) -> Iterator[Callable[..., str]]:
    """Return a function that makes a role with the policies of docs/deploying-role.md, less one action."""
    iam = sandbox.boto3_client("iam")
    made: list[tuple[str, list[str]]] = []

    def make(*, without: str = "", boundary: bool = False) -> str:
        name = f"deployer-{uuid.uuid4().hex[:8]}"
        arns = {}
        for each in ("every-stack", "contact-center", "boundary"):
            policy = json.loads((POLICIES / f"{each}.json").read_text())
            for statement in policy["Statement"]:
                statement["Action"] = [one for one in statement["Action"] if one != without]
            policy["Statement"] = [one for one in policy["Statement"] if one["Action"]]
            created = iam.create_policy(PolicyName=f"{name}-{each}", PolicyDocument=json.dumps(policy))
            arns[each] = created["Policy"]["Arn"]
        limit = {"PermissionsBoundary": arns["boundary"]} if boundary else {}
        arn: str = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST), **limit)[
            "Role"
        ]["Arn"]
        for each in ("every-stack", "contact-center"):
            iam.attach_role_policy(RoleName=name, PolicyArn=arns[each])
        made.append((name, list(arns.values())))
        return arn

    yield make
    sandbox.contact_center.calendar.passes(days=365)
    for name, arns in made:
        for arn in arns[:2]:
            iam.detach_role_policy(RoleName=name, PolicyArn=arn)
        iam.delete_role(RoleName=name)
        for arn in arns:
            iam.delete_policy(PolicyArn=arn)


def deployed(sandbox: Sandbox, deploy: Deployer, role_arn: str, resources: dict[str, Any]) -> Deployed:
    """Create a stack as the role; its name is one for which the policies are."""
    name = f"connect-bridges-{uuid.uuid4().hex[:8]}"
    deploy.names.append(name)
    sandbox.boto3_client("cloudformation").create_stack(
        StackName=name, TemplateBody=json.dumps({"Resources": resources}), RoleARN=role_arn
    )
    return deploy.look(name)


def test_the_documented_policies_deploy_and_delete_a_contact_center(
    sandbox: Sandbox, deploy: Deployer, role: Callable[..., str]
) -> None:
    made = deployed(sandbox, deploy, role(), contact_center())

    assert made.status == "CREATE_COMPLETE", made.reasons
    assert deploy.delete(made.name).status == "DELETE_COMPLETE"


@pytest.mark.parametrize(
    ("action", "refused"),
    [
        ("iam:CreateServiceLinkedRole", "Instance"),
        ("kms:CreateGrant", "Recordings"),
        ("kms:CreateKey", "Key"),
        ("iam:PassRole", "Function"),
        ("connect:CreateContactFlow", "Flow"),
        ("secretsmanager:CreateSecret", "Secret"),
    ],
)
def test_one_action_less_is_denied_where_it_is_needed(
    sandbox: Sandbox, deploy: Deployer, role: Callable[..., str], action: str, refused: str
) -> None:
    made = deployed(sandbox, deploy, role(without=action), contact_center())

    assert made.status == "ROLLBACK_COMPLETE", made.reasons
    failed = [
        event["LogicalResourceId"] for event in made.events if event["ResourceStatus"] == "CREATE_FAILED"
    ]
    assert failed == [refused]
    assert f"is not authorized to perform: {action} on resource" in made.reasons


def test_a_role_outside_of_the_stacks_names_cannot_be_made(
    sandbox: Sandbox, deploy: Deployer, role: Callable[..., str]
) -> None:
    named = resource("IAM::Role", AssumeRolePolicyDocument=TRUST_LAMBDA, RoleName="somebody-else")
    made = deployed(sandbox, deploy, role(), {"Role": named})

    assert made.status == "ROLLBACK_COMPLETE"
    assert (
        "not authorized to perform: iam:CreateRole on resource: arn:aws:iam::123456789012:role/somebody-else"
        in (made.reasons)
    )


def test_under_the_boundary_a_role_needs_the_boundary_and_connects_own_does_not(
    sandbox: Sandbox, deploy: Deployer, role: Callable[..., str]
) -> None:
    deployer = role(boundary=True)
    whole = contact_center()
    without_roles = {name: whole[name] for name in ("Instance", "Key", "Bucket", "Recordings")}

    assert deployed(sandbox, deploy, deployer, without_roles).status == "CREATE_COMPLETE"
    refused = deployed(sandbox, deploy, deployer, {"Role": whole["Role"]})
    assert refused.status == "ROLLBACK_COMPLETE"
    assert "iam:CreateRole" in refused.reasons
    assert "explicit deny in a permissions boundary" in refused.reasons
