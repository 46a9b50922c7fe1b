"""What of a stack's resources exists in the account, by their physical ids; and how to remove it by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from botocore.exceptions import ClientError
from connect_sandbox.cloud import AwsError, Sandbox

_Look = Callable[[Sandbox, str], bool]


@dataclass(frozen=True, order=True)
class Leftover:
    """A resource that a stack has created: its type, logical id and physical id."""

    type: str
    logical_id: str
    physical_id: str

    def __str__(self) -> str:
        return f"{self.logical_id} ({self.type} {self.physical_id})"


def created_by(events: list[dict[str, Any]]) -> list[Leftover]:
    """Return everything that a stack has created so far, as its events say."""
    return sorted(
        {
            Leftover(event["ResourceType"], event["LogicalResourceId"], event["PhysicalResourceId"])
            for event in events
            if event.get("PhysicalResourceId") and event["ResourceType"] != "AWS::CloudFormation::Stack"
        }
    )


def exists(sandbox: Sandbox, resource: Leftover) -> bool:
    """Return whether a resource is there. One that is a part of another (PARTS) is there with that one alone."""
    if resource.type in PARTS:
        return False
    if resource.type not in _LOOKS:
        raise LookupError(f"nobody knows how to look for a {resource.type}; add it to {__name__}")
    try:
        return _LOOKS[resource.type](sandbox, resource.physical_id)
    except ClientError as error:
        code = str(error.response["Error"]["Code"])
        if any(word in code for word in ("NotFound", "NoSuchEntity", "NonExistent", "DoesNotExist")):
            return False
        raise


def remove(sandbox: Sandbox, resource: Leftover) -> None:
    """Delete what a stack has retained, by hand; what needs no deletion (a role without use) stays."""
    if resource.type.startswith("AWS::DynamoDB::"):
        client = sandbox.boto3_client("dynamodb")
        client.update_table(TableName=resource.physical_id, DeletionProtectionEnabled=False)
        client.delete_table(TableName=resource.physical_id)
    elif resource.type == "AWS::SecretsManager::Secret":
        sandbox.boto3_client("secretsmanager").delete_secret(
            SecretId=resource.physical_id, ForceDeleteWithoutRecovery=True
        )
    elif resource.type == "AWS::KMS::Key":
        sandbox.boto3_client("kms").schedule_key_deletion(KeyId=resource.physical_id)
    elif resource.type == "AWS::SQS::Queue":
        sandbox.boto3_client("sqs").delete_queue(QueueUrl=resource.physical_id)
    elif resource.type == "AWS::IAM::Role":
        client = sandbox.boto3_client("iam")
        name = resource.physical_id
        for policy in client.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
            client.detach_role_policy(RoleName=name, PolicyArn=policy["PolicyArn"])
        client.delete_role(RoleName=name)


def _asks(service: str, operation: str, argument: str) -> _Look:
    def look(sandbox: Sandbox, physical_id: str) -> bool:
        getattr(sandbox.boto3_client(service), operation)(**{argument: physical_id})
        return True

    return look


def _log_group(sandbox: Sandbox, name: str) -> bool:
    groups = sandbox.boto3_client("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    return any(group["logGroupName"] == name for group in groups)


def _alarm(sandbox: Sandbox, name: str) -> bool:
    answer = sandbox.boto3_client("cloudwatch").describe_alarms(AlarmNames=[name])
    return bool(answer["MetricAlarms"] or answer["CompositeAlarms"])


def _dashboard(sandbox: Sandbox, name: str) -> bool:
    return any(
        entry["DashboardName"] == name
        for entry in sandbox.boto3_client("cloudwatch").list_dashboards()["DashboardEntries"]
    )


def _key(sandbox: Sandbox, key_id: str) -> bool:
    metadata = sandbox.boto3_client("kms").describe_key(KeyId=key_id)["KeyMetadata"]
    return bool(metadata["KeyState"] != "PendingDeletion")


def _rest_api(sandbox: Sandbox, api_id: str) -> bool:
    try:
        sandbox.apis.get(api_id)
    except AwsError:
        return False
    return True


def _flow(sandbox: Sandbox, arn: str) -> bool:
    instance_id, _, flow_id = arn.partition(":instance/")[2].split("/")
    sandbox.boto3_client("connect").describe_contact_flow(InstanceId=instance_id, ContactFlowId=flow_id)
    return True


def _module(sandbox: Sandbox, arn: str) -> bool:
    instance_id, _, module_id = arn.partition(":instance/")[2].split("/")
    sandbox.boto3_client("connect").describe_contact_flow_module(
        InstanceId=instance_id, ContactFlowModuleId=module_id
    )
    return True


def _association(sandbox: Sandbox, physical_id: str) -> bool:
    instance_arn, _, integration_arn = physical_id.split("|")
    associations = sandbox.connect.instance(instance_arn).associations.values()
    return any(association.integration_arn == integration_arn for association in associations)


def _connector(sandbox: Sandbox, physical_id: str) -> bool:
    return any(physical_id in {c.arn, c.id} for c in sandbox.voice_connectors.all())


_LOOKS: Final[dict[str, _Look]] = {
    "AWS::CloudWatch::Alarm": _alarm,
    "AWS::CloudWatch::Dashboard": _dashboard,
    "AWS::Connect::ContactFlow": _flow,
    "AWS::Connect::ContactFlowModule": _module,
    "AWS::Connect::IntegrationAssociation": _association,
    "AWS::DynamoDB::GlobalTable": _asks("dynamodb", "describe_table", "TableName"),
    "AWS::Events::Rule": _asks("events", "describe_rule", "Name"),
    "AWS::IAM::Role": _asks("iam", "get_role", "RoleName"),
    "AWS::IAM::User": _asks("iam", "get_user", "UserName"),
    "AWS::KMS::Key": _key,
    "AWS::Lambda::Function": _asks("lambda", "get_function", "FunctionName"),
    "AWS::Logs::LogGroup": _log_group,
    "AWS::SNS::Topic": _asks("sns", "get_topic_attributes", "TopicArn"),
    "AWS::SNS::Subscription": _asks("sns", "get_subscription_attributes", "SubscriptionArn"),
    "AWS::SQS::Queue": _asks("sqs", "get_queue_attributes", "QueueUrl"),
    "AWS::SecretsManager::Secret": _asks("secretsmanager", "describe_secret", "SecretId"),
    "AWS::ApiGateway::ApiKey": lambda sandbox, key_id: key_id in sandbox.apis.keys,
    "AWS::ApiGateway::RestApi": _rest_api,
    "AWS::ApiGateway::UsagePlan": lambda sandbox, plan_id: plan_id in sandbox.apis.plans,
    "Custom::ExternalVoiceConnector": _connector,
}
PARTS: Final[frozenset[str]] = frozenset(
    {
        # of a REST API
        "AWS::ApiGateway::Authorizer",
        "AWS::ApiGateway::Deployment",
        "AWS::ApiGateway::GatewayResponse",
        "AWS::ApiGateway::Method",
        "AWS::ApiGateway::Model",
        "AWS::ApiGateway::RequestValidator",
        "AWS::ApiGateway::Resource",
        "AWS::ApiGateway::Stage",
        # of a usage plan
        "AWS::ApiGateway::UsagePlanKey",
        # of a role, a user, a function, a topic, a queue
        "AWS::IAM::AccessKey",
        "AWS::IAM::Policy",
        "AWS::Lambda::Permission",
        "AWS::SNS::TopicPolicy",
        "AWS::SQS::QueuePolicy",
        # of the account, which always has one; and of nothing at all
        "AWS::ApiGateway::Account",
        "AWS::CDK::Metadata",
        "AWS::CloudFormation::WaitConditionHandle",
    }
)
"""Types that come and go with another resource, and cannot be left over by themselves."""
