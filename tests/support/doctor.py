"""An AWS account that answers `connect-bridges doctor` as told, and an app that has every construct."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import botocore.session
from boto3.session import Session
from botocore.awsrequest import AWSResponse
from connect_bridges.operations.deployed import in_assembly
from connect_bridges.operations.doctor.examination import examine
from connect_bridges.operations.doctor.findings import Finding
from connect_bridges.operations.doctor.subjects import Subject

from tests.support import CONNECTOR_ARN, INSTANCE_ARN, QUEUE_ARN

INSTANCE_ID = INSTANCE_ARN.rpartition("/")[2]
REGION, ACCOUNT = "us-east-1", "123456789012"
SECRETS = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:KoreChatStream"
WEBHOOK = "https://bot.example.com/hook"
FLOW = f"{INSTANCE_ARN}/contact-flow/22222222-3333-4444-5555-666666666666"
NEXT_FLOW = f"{INSTANCE_ARN}/contact-flow/33333333-3333-4444-5555-666666666666"
STACK = "support"

METADATA: dict[str, Any] = {
    "construct": "MetadataBridge",
    "instanceArn": INSTANCE_ARN,
    "cloudWatchRole": True,
    "table": {"name": {"Ref": "Table"}, "partitionKey": "contactId", "fixedName": "sessions"},
    "secrets": {"token": {"arn": {"Ref": "Token"}, "fields": [], "filledBy": "deployment"}},
    "functions": {"Store": {"Ref": "Store"}},
}
TRANSFER: dict[str, Any] = {
    "construct": "ExternalVoiceTransfer",
    "instanceArn": INSTANCE_ARN,
    "connectorArn": CONNECTOR_ARN,
    "queues": [QUEUE_ARN],
    "nextFlows": [NEXT_FLOW],
    "flows": {"Flow": {"Fn::GetAtt": ["Flow", "ContactFlowArn"]}},
}
CHAT: dict[str, Any] = {
    "construct": "ChatStreamBridge",
    "instanceArn": INSTANCE_ARN,
    "webhookUrl": WEBHOOK,
    "topicArn": {"Ref": "Topic"},
    "queues": [QUEUE_ARN],
    "secrets": {"token": {"arn": {"Ref": "ChatToken"}, "fields": [], "filledBy": "people"}},
}
GATE: dict[str, Any] = {
    "construct": "VoiceBiometricGate",
    "instanceArn": INSTANCE_ARN,
    "cloudWatchRole": True,
    "redialNumber": "+442079460100",
    "telephonyApiUrl": "https://api.example.com",
    "providerFunctionArn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:judge",
    "providerSeconds": 7,
    "table": {"name": {"Ref": "Callers"}, "partitionKey": "phoneNumber"},
    "secrets": {
        "telephony": {
            "arn": f"{SECRETS}twilio-aaaaaa",
            "fields": ["accountSid", "authToken"],
            "filledBy": "owner",
        }
    },
    "flows": {"Flow": {"Fn::GetAtt": ["GateFlow", "ContactFlowArn"]}},
}
CONNECTOR: dict[str, Any] = {
    "construct": "ExternalVoiceConnector",
    "instanceArn": INSTANCE_ARN,
    "connectorArn": {"Ref": "Connector"},
    "host": "sbc.example.com",
}
PARTS = {"Metadata": METADATA, "Transfer": TRANSFER, "Chat": CHAT, "Gate": GATE, "Connector": CONNECTOR}
RESOURCES: dict[str, Any] = {
    "Table": {"Type": "AWS::DynamoDB::GlobalTable", "Properties": {"TableName": "sessions"}},
    "Callers": {"Type": "AWS::DynamoDB::GlobalTable", "Properties": {}},
    "Store": {"Type": "AWS::Lambda::Function", "Properties": {"FunctionName": "store"}},
    "StoreLogs": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "/aws/lambda/store"}},
    "Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "KoreChatStream"}},
    "ChatToken": {"Type": "AWS::SecretsManager::Secret", "Properties": {"Name": "chat-token"}},
    "ApiAccount": {"Type": "AWS::ApiGateway::Account", "Properties": {}},
    "Connector": {"Type": "Custom::ExternalVoiceConnector", "Properties": {}},
    "Association": {
        "Type": "AWS::Connect::IntegrationAssociation",
        "Properties": {"InstanceId": INSTANCE_ARN, "IntegrationType": "LAMBDA_FUNCTION"},
    },
    "Flow": {
        "Type": "AWS::Connect::ContactFlow",
        "Properties": {"InstanceArn": INSTANCE_ARN, "Name": "transfer", "Type": "CONTACT_FLOW"},
    },
    "Module": {
        "Type": "AWS::Connect::ContactFlowModule",
        "Properties": {"InstanceArn": INSTANCE_ARN, "Name": "module"},
    },
}
DEPLOYED_FACTS: dict[str, dict[str, Any]] = {
    "Metadata": {
        "table": {"name": "sessions", "partitionKey": "contactId", "fixedName": "sessions"},
        "secrets": {"token": {"arn": f"{SECRETS}token-aaaaaa", "fields": [], "filledBy": "deployment"}},
        "functions": {"Store": "store"},
    },
    "Transfer": {"flows": {"Flow": FLOW}},
    "Chat": {
        "topicArn": TOPIC,
        "secrets": {"token": {"arn": f"{SECRETS}chat-aaaaaa", "fields": [], "filledBy": "people"}},
    },
    "Gate": {
        "table": {"name": "callers-1", "partitionKey": "phoneNumber"},
        "flows": {"Flow": FLOW[:-1] + "7"},
    },
    "Connector": {"connectorArn": CONNECTOR_ARN},
}


def error(code: str, message: str = "no") -> dict[str, Any]:
    """Return the answer with which AWS refuses."""
    return {"error": {"Code": code, "Message": message}}


LISTED = {
    "ListUsers": "UserSummaryList",
    "ListQueues": "QueueSummaryList",
    "ListRoutingProfiles": "RoutingProfileSummaryList",
    "ListHoursOfOperations": "HoursOfOperationSummaryList",
    "ListQuickConnects": "QuickConnectSummaryList",
    "ListPrompts": "PromptSummaryList",
    "ListAgentStatuses": "AgentStatusSummaryList",
    "ListSecurityProfiles": "SecurityProfileSummaryList",
    "ListUserHierarchyGroups": "UserHierarchyGroupSummaryList",
    "ListBots": "LexBots",
    "ListApprovedOrigins": "Origins",
    "ListSecurityKeys": "SecurityKeys",
}
"""What lists an instance's parts that only quotas count, and in which member."""

DENIED = error("AccessDeniedException")
NOT_FOUND = error("ResourceNotFoundException")
_NO_STACK = error("ValidationError", f"Stack with id {STACK} does not exist")


class Account:
    """An account that is ready for the app. Answers by operation; botocore checks the requests against its models."""

    def __init__(self, **changes: Any) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.answers: dict[str, Any] = {
            "GetCallerIdentity": {
                "Account": ACCOUNT,
                "Arn": f"arn:aws:iam::{ACCOUNT}:user/you",
                "UserId": "x",
            },
            "GetParameter": {"Parameter": {"Value": "30"}},
            "DescribeStacks": _NO_STACK,
            "ListInstances": {"InstanceSummaryList": [{"Id": INSTANCE_ID}]},
            "DescribeInstance": {
                "Instance": {
                    "InstanceStatus": "ACTIVE",
                    "InboundCallsEnabled": True,
                    "OutboundCallsEnabled": True,
                }
            },
            "DescribeInstanceAttribute": {
                "Attribute": {"AttributeType": "CONTACTFLOW_LOGS", "Value": "true"}
            },
            "DescribeQueue": {"Queue": {"Name": "Agents", "Status": "ENABLED"}},
            "DescribeContactFlow": {"ContactFlow": {"Name": "Next", "State": "ACTIVE"}},
            "ListIntegrationAssociations": {
                "IntegrationAssociationSummaryList": [{"IntegrationArn": CONNECTOR_ARN}]
            },
            "ListLambdaFunctions": {"LambdaFunctions": []},
            "ListContactFlows": {"ContactFlowSummaryList": []},
            "ListContactFlowModules": {"ContactFlowModulesSummaryList": []},
            **{operation: {listed: []} for operation, listed in LISTED.items()},
            "ListFlowAssociations": {"FlowAssociationSummaryList": []},
            "ListPhoneNumbersV2": {
                "ListPhoneNumbersSummaryList": [{"PhoneNumber": "+442079460100", "PhoneNumberId": "n-1"}]
            },
            "GetVoiceConnector": {"VoiceConnector": {"VoiceConnectorId": "v"}},
            "ListVoiceConnectors": {"VoiceConnectors": []},
            "GetServiceQuota": {"Quota": {"Value": 100.0}},
            "ListRequestedServiceQuotaChangeHistoryByQuota": {"RequestedQuotas": []},
            "GetAccount": {},
            "GetAccountSettings": {
                "AccountLimit": {"ConcurrentExecutions": 1000, "UnreservedConcurrentExecutions": 1000}
            },
            "GetFunctionConfiguration": self._function,
            "DescribeTable": NOT_FOUND,
            "ListTopics": {"Topics": []},
            "DescribeLogGroups": {"logGroups": []},
            "DescribeSecret": self._secret,
            "GetSecretValue": self._value,
            "ListSubscriptionsByTopic": {
                "Subscriptions": [{"SubscriptionArn": f"{TOPIC}:1", "Endpoint": WEBHOOK}]
            },
            **changes,
        }

    @staticmethod
    def _function(asked: dict[str, Any]) -> dict[str, Any]:
        if asked["FunctionName"] == "store":
            return NOT_FOUND
        return {"State": "Active", "LastUpdateStatus": "Successful", "Timeout": 10}

    @staticmethod
    def _secret(asked: dict[str, Any]) -> dict[str, Any]:
        if not asked["SecretId"].startswith("arn:"):
            return NOT_FOUND
        return {"VersionIdsToStages": {"1": ["AWSPREVIOUS"], "2": ["AWSCURRENT"]}}

    @staticmethod
    def _value(asked: dict[str, Any]) -> dict[str, Any]:
        both = json.dumps({"accountSid": "AC-hidden", "authToken": "hidden"})
        return {"SecretString": both if "twilio" in asked["SecretId"] else "hidden\n"}

    def session(self, region: str | None = REGION) -> Session:
        """Return a session whose clients ask this account, from now on the only one that is asked."""
        _asked.append(self)
        return Session(botocore_session=_botocore_session(region))

    def remember(self, params: dict[str, Any], model: Any) -> None:
        """Note what is asked."""
        self.asked.append((model.name, params))

    def answer(self, model: Any) -> tuple[AWSResponse, dict[str, Any]]:
        """Answer as told, or as the function that was given says."""
        told: Any = self.answers[model.name]
        if callable(told):
            told = told(self.asked[-1][1])
        if isinstance(told, Exception):
            raise told
        refused = told.get("error")
        return AWSResponse("", 400 if refused else 200, {}, None), {"Error": refused} if refused else told


_asked: list[Account] = []


@cache
def _botocore_session(region: str | None) -> botocore.session.Session:
    """Return one session for all tests: a new one reads botocore's list of endpoints again."""
    session = botocore.session.Session()
    session.set_credentials("x", "x")
    if region:
        session.set_config_variable("region", region)
    session.register("before-parameter-build", lambda params, model, **_: _asked[-1].remember(params, model))
    session.register("before-call", lambda model, **_: _asked[-1].answer(model))
    return session


def deployed(
    status: str = "CREATE_COMPLETE", *, protected: bool = False, facts: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return the answers of an account in which the app is deployed."""
    told = {**DEPLOYED_FACTS, **(facts or {})}
    metadata = {
        f"{name}Description": {
            "format": 1,
            "path": f"{STACK}/{name}",
            **{key: value for key, value in part.items() if not _has_token(value)},
            **told[name],
        }
        for name, part in PARTS.items()
    }
    physical = {
        **{logical_id: logical_id.lower() for logical_id in RESOURCES},
        "Table": "sessions",
        "LogRole": "support-LogRole-1",
    }
    kinds = {logical_id: resource["Type"] for logical_id, resource in RESOURCES.items()}
    kinds["LogRole"] = "AWS::IAM::Role"
    handles = dict.fromkeys(metadata, "AWS::CloudFormation::WaitConditionHandle")

    def resource(asked: dict[str, Any]) -> dict[str, Any]:
        document = json.dumps({"connect-bridges": metadata[asked["LogicalResourceId"]]})
        return {"StackResourceDetail": {"Metadata": document}}

    def function(_asked: dict[str, Any]) -> dict[str, Any]:
        return {"State": "Active", "LastUpdateStatus": "Successful", "Timeout": 10}

    return {
        "DescribeStacks": {
            "Stacks": [
                {
                    "StackName": STACK,
                    "StackId": f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{STACK}/1",
                    "StackStatus": status,
                    "EnableTerminationProtection": protected,
                }
            ]
        },
        "ListStackResources": {
            "StackResourceSummaries": [
                {
                    "LogicalResourceId": logical_id,
                    "PhysicalResourceId": physical.get(logical_id, logical_id),
                    "ResourceType": kind,
                    "ResourceStatus": "CREATE_COMPLETE",
                }
                for logical_id, kind in {**kinds, **handles}.items()
            ]
        },
        "DescribeStackResource": resource,
        "GetFunctionConfiguration": function,
        "GetAccount": {"cloudwatchRoleArn": f"arn:aws:iam::{ACCOUNT}:role/support-LogRole-1"},
        "ListFlowAssociations": {
            "FlowAssociationSummaryList": [
                {"FlowId": FLOW, "ResourceId": "arn:…/n-0"},
                {"FlowId": FLOW[:-1] + "7", "ResourceId": "arn:…/n-1"},
            ]
        },
    }


def assembly(
    folder: Path,
    parts: Mapping[str, Mapping[str, Any]] = PARTS,
    resources: Mapping[str, Any] = RESOURCES,
    environment: str = f"aws://{ACCOUNT}/{REGION}",
) -> Path:
    """Write a cloud assembly with one stack, as `cdk synth` does."""
    handles = {
        f"{name}Description": {
            "Type": "AWS::CloudFormation::WaitConditionHandle",
            "Metadata": {"connect-bridges": {"format": 1, "path": f"{STACK}/{name}", **part}},
        }
        for name, part in parts.items()
    }
    folder.mkdir(exist_ok=True)
    (folder / "t.json").write_text(json.dumps({"Resources": {**resources, **handles}}))
    stack = {
        "type": "aws:cloudformation:stack",
        "environment": environment,
        "properties": {
            "templateFile": "t.json",
            "requiresBootstrapStackVersion": 6,
            "bootstrapStackVersionSsmParameter": "/cdk-bootstrap/hnb659fds/version",
        },
    }
    (folder / "manifest.json").write_text(json.dumps({"artifacts": {STACK: stack}}))
    return folder


def findings(
    folder: Path, account: Account, *, session: Callable[[], Session] | None = None, **app: Any
) -> list[Finding]:
    """Examine the app in the account."""
    planned = in_assembly(assembly(folder / "cdk.out", **app))
    found = examine(
        session() if session else account.session(), [Subject(each.name, planned=each) for each in planned]
    ).findings
    assert "hidden" not in repr(found)
    return list(found)


def of(found: list[Finding], check: str) -> Finding:
    """Return the one finding of a check."""
    (finding,) = [each for each in found if each.check == check]
    return finding


def _has_token(value: Any) -> bool:
    return "Ref" in json.dumps(value) or "Fn::" in json.dumps(value)
