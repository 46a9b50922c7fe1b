"""Every setting of an environment in cdk.json, changed in stacks that are deployed: what CloudFormation would do.

WORLDS are environments whose settings change. To changes in place; Refused is refused by a rule of the template before
anything begins. A setting that no world changes fails test_every_setting_is_changed.
"""

from __future__ import annotations

import typing
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from pydantic import BaseModel

from stacks.settings import Settings, load_settings
from stacks.stage import build_stage
from tests.support import CONNECTOR_ARN, CONTEXT, INSTANCE_ARN, QUEUE_ARN
from tests.support.change_sets import Change, changes, refusals
from tests.synth.test_stable_ids import PROMISED
from tests.synth.test_updates import BOTS, HOLDS, HOLDS_NOTHING, KEYS, PEMS, REGION_ARN

MADE_ANEW = {
    "AWS::Connect::SecurityProfile": "another name is another profile, to which the users move",
    "AWS::SNS::Subscription": "another webhook is another subscription, which the vendor confirms",
}
"""What a changed setting replaces although somebody knows it, and why that is meant."""
MISSED = {*HOLDS, *PROMISED} - HOLDS_NOTHING
NOTHING_EITHER = {
    *(
        f"AWS::ApiGateway::{part}"
        for part in ("Authorizer", "Deployment", "GatewayResponse", "Method", "Model")
    ),
    *(f"AWS::ApiGateway::{part}" for part in ("RequestValidator", "Resource", "Stage")),
    *(f"AWS::ApiGateway::{part}" for part in ("ApiKey", "UsagePlan", "UsagePlanKey")),
    "AWS::ApiGateway::Account",
    "AWS::Events::Rule",
    "AWS::SNS::TopicPolicy",
    "AWS::SQS::QueuePolicy",
}
"""What the bridges have besides that can be made anew from the template."""
UNSET: Any = object()
SECRETS = [f"arn:aws:secretsmanager:{REGION_ARN}:secret:{name}-AbCdEf" for name in ("one", "other")]
INTO_AN_EMPTY_TABLE = "CloudFormation would begin an empty table"
ANOTHER_INSTANCE = "which an instance cannot change"
ANOTHER_NUMBER = "CloudFormation would claim another number"


@dataclass(frozen=True)
class To:
    """A setting that changes in place."""

    before: Any
    after: Any


@dataclass(frozen=True)
class Refused:
    """A setting whose change is refused; said: part of the refusal."""

    before: Any
    after: Any
    said: str


ATTRIBUTES = {
    **dict.fromkeys(
        (
            *("inboundCalls", "outboundCalls", "flowLogs", "contactLens", "earlyMedia"),
            *("autoResolveBestVoices", "messageStreaming"),
        ),
        To(UNSET, False),
    ),
    **dict.fromkeys(
        (
            *("multiPartyConference", "multiPartyChatConference", "enhancedContactMonitoring"),
            *("enhancedChatMonitoring", "highVolumeOutbound", "autoMuteAgentOnHold"),
        ),
        To(UNSET, True),
    ),
}


def prompts(*names: str) -> dict[str, To]:
    return {name: To(UNSET, f"Now hear this: {name}.") for name in names}


CREATED: dict[str, Any] = {
    "account": "123456789012",
    "region": "us-east-1",
    "protected": True,
    "deletionProtection": To(False, True),
    "monitoring": {
        "alarmEmail": To("one@example.com", "other@example.com"),
        "dashboardName": To(UNSET, "Support"),
        "flows": To(UNSET, ["Line"]),
        "queues": To(UNSET, ["BasicQueue"]),
        "thresholds": To(UNSET, {"MissedCalls": 2}),
    },
    "instance": {
        "alias": Refused("example-dev", "example-other", ANOTHER_INSTANCE),
        "attributes": ATTRIBUTES,
        "storage": {
            "keyArn": To(UNSET, KEYS[0]),
            "callRecordings": {
                "bucketName": To(UNSET, "recordings-of-ours"),
                "prefix": To(UNSET, "calls"),
                "expireAfterDays": To(30, UNSET),
            },
            "chatTranscripts": {"expireAfterDays": To(30, 60)},
            "reports": {"bucketName": To("reports-of-ours", UNSET)},
            "contactRecords": {
                "streamArn": To(UNSET, f"arn:aws:firehose:{REGION_ARN}:deliverystream/records"),
                "retentionDays": To(2, UNSET),
            },
            "agentEvents": {
                "streamArn": To(f"arn:aws:kinesis:{REGION_ARN}:stream/events", UNSET),
                "retentionDays": To(UNSET, 30),
            },
            "liveMedia": {"prefix": To("one", "other"), "retentionHours": To(UNSET, 1)},
        },
        "hours": {
            "Weekdays": {
                "timeZone": To("America/New_York", "Europe/Berlin"),
                "name": To(UNSET, "Other hours"),
                "description": To(UNSET, "When people are there"),
                "openings": [
                    {
                        "days": To(["MONDAY"], ["TUESDAY", "SUNDAY"]),
                        "opens": To("09:00", "08:00"),
                        "closes": To("17:00", "18:00"),
                    }
                ],
            },
            "Always": {"timeZone": "UTC"},
        },
        "queues": {
            "Support": {
                "hours": To("Weekdays", "Always"),
                "name": To(UNSET, "Help"),
                "description": To(UNSET, "Who needs help"),
                "maxContacts": To(UNSET, 10),
                "callerIdName": To(UNSET, "Example"),
            },
            "Sales": {"hours": "Always"},
        },
        "routingProfiles": {
            "Agents": {
                "queues": To(["Support"], ["Sales", "Support"]),
                "outboundQueue": To(UNSET, "Sales"),
                "channels": To(UNSET, {"TASK": 2}),
                "name": To(UNSET, "People"),
                "description": To(UNSET, "Who helps"),
            },
            "Others": {"queues": ["Sales"]},
        },
        "securityProfiles": {
            "Agents": {
                "permissions": To(["BasicAgentAccess"], ["OutboundCallAccess"]),
                "name": To(UNSET, "People"),
                "description": To(UNSET, "May call"),
            },
            "Others": {"permissions": ["BasicAgentAccess"]},
        },
        "users": {
            "ana": {
                "routingProfile": To("Agents", "Others"),
                "securityProfiles": To(["Agents"], ["Agents", "Others"]),
                "firstName": To("Ana", "Anna"),
                "lastName": To("Silva", "Souza"),
                "email": To(UNSET, "ana@example.com"),
                "passwordSecretArn": Refused(UNSET, SECRETS[0], "which a user cannot change"),
            }
        },
        "quickConnects": {
            "Desk": {
                "phoneNumber": To("+12065550100", "+12065550199"),
                "name": To(UNSET, "Reception"),
                "description": To(UNSET, "At the door"),
            }
        },
        "origins": To(["https://crm.example.com"], ["https://other.example.com"]),
        "securityKeys": To([PEMS[0]], [PEMS[1]]),
        "lexBots": To([BOTS[0]], [BOTS[1]]),
        "applications": {
            "Assist": {
                "url": To("https://assist.example.com", "https://other.example.com"),
                "name": To(UNSET, "Helper"),
                "namespace": Refused(UNSET, "other", "which an application cannot change"),
                "description": To(UNSET, "Helps"),
                "origins": To(UNSET, ["https://crm.example.com"]),
                "permissions": To(UNSET, ["User.Details.View"]),
            }
        },
        "numbers": {
            "Line": {
                "countryCode": Refused("US", "GB", ANOTHER_NUMBER),
                "type": Refused(UNSET, "TOLL_FREE", ANOTHER_NUMBER),
                "prefix": Refused(UNSET, "+1206", ANOTHER_NUMBER),
                "description": To(UNSET, "Main line"),
                "flow": To("voice", "biometrics"),
            }
        },
    },
    "voice": {
        "destination": {
            "createConnector": {
                "host": To("sbc.example.com", "other.example.com"),
                "port": To(UNSET, 5070),
                "protocol": To(UNSET, "UDP"),
                "name": To(UNSET, "Other"),
                "requireEncryption": To(UNSET, False),
                "sessionBorderControllerTypes": To(UNSET, ["CISCO_UNIFIED_BORDER_ELEMENT"]),
                "contactCenterSystemTypes": To(UNSET, ["GENESYS_ENGAGE_ON_PREMISES"]),
                "sipLogs": To(UNSET, False),
                "mediaMetricLogs": To(False, True),
                "logRetentionDays": To(UNSET, 7),
            },
            "did": To("+12065550100", "+12065550199"),
        },
        "queue": To("Support", "Sales"),
        "connectionTimeLimitSeconds": To(UNSET, 45),
        "metadataAttribute": To(UNSET, "other"),
        "metadata": {
            "preset": Refused(UNSET, "kore", INTO_AN_EMPTY_TABLE),
            "path": To(UNSET, "other"),
            "stageName": To(UNSET, "other"),
            "timeToLiveHours": To(UNSET, 3),
            "tokenCacheSeconds": To(UNSET, 60),
            "contactTokens": To(UNSET, True),
            "contactTokenMinutes": To(UNSET, 30),
            "allowedAddresses": To(UNSET, ["203.0.113.0/24"]),
            "throttlingRateLimit": To(UNSET, 5),
            "throttlingBurstLimit": To(UNSET, 5),
            "encryption": To(UNSET, "customer-managed"),
            "cloudWatchRole": To(UNSET, False),
        },
        "prompts": prompts(
            *("welcome", "callFailed", "connectionTimeout", "transferError", "metadataError", "queueFull"),
            "queueError",
        ),
    },
    "chat": {
        "webhookUrl": To("https://bot.example.com/hook", "https://bot.example.com/other"),
        "queue": To("Support", "Sales"),
        "preset": Refused("default", "kore", "the vendor would have to confirm the new topic"),
        "tokenSecretArn": To(UNSET, SECRETS[0]),
        "tokenHeader": To(UNSET, "x-other"),
        "tokenCacheSeconds": To(UNSET, 60),
        "vendorAccess": {
            "accessKey": {"serials": To([1], [1, 2]), "rotateAfterDays": To(UNSET, 30)},
            "also": To(UNSET, ["connect:StopContact"]),
        },
        "filter": {
            "type": To(UNSET, ["MESSAGE", "EVENT"]),
            "participantRole": To(UNSET, ["CUSTOMER", "AGENT"]),
            "messageVisibility": To(UNSET, ["ALL"]),
        },
        "waitMinutes": To(UNSET, 30),
        "timeToJoinSeconds": To(UNSET, 60),
        "afterWait": To(UNSET, "queue"),
        "stopAtHandOver": To(UNSET, False),
        "deadLetterRetentionDays": To(UNSET, 3),
        "encryptLogs": To(UNSET, True),
        "prompts": prompts("welcome", "handOver", "notAvailable", "timeIsUp", "queueFull", "queueError"),
    },
    "biometrics": {
        "telephony": {
            "number": To("+12065550188", "+12065550189"),
            "secretArn": To(UNSET, SECRETS[0]),
            "apiUrl": To(UNSET, "https://api.example.com"),
            "prompts": To(UNSET, {"again": "Once more, please."}),
            "voice": To(UNSET, "Polly.Joanna"),
            "recordingTransfer": To(UNSET, "url"),
            "recordingLimitSeconds": To(UNSET, 8),
            "deleteRecordings": To(UNSET, False),
        },
        "queue": To("Support", "Sales"),
        "unverifiedQueue": To(UNSET, "Sales"),
        "nextFlow": To(UNSET, "voice"),
        "provider": {
            "voiceitSecretArn": To(UNSET, SECRETS[1]),
            "voiceitApiUrl": To(UNSET, "https://voice.example.com"),
            "timeLimitSeconds": To(UNSET, 6),
        },
        "preset": Refused(UNSET, "voiceit", INTO_AN_EMPTY_TABLE),
        "returnMode": To(UNSET, "REDIAL"),
        "redialNumber": To(UNSET, "+12065550177"),
        "connectionTimeLimitSeconds": To(UNSET, 45),
        "phrase": To(UNSET, "my voice is my password"),
        "phrases": To(UNSET, ["one fine day we shall meet", "my voice is my password"]),
        "language": To(UNSET, "en-GB"),
        "path": To(UNSET, "other"),
        "stageName": To(UNSET, "other"),
        "publicUrl": To(UNSET, "https://gate.example.com"),
        "allowedAddresses": To(UNSET, ["203.0.113.0/24"]),
        "executeApi": To(UNSET, "open"),
        "rules": {
            "enrolments": To(UNSET, 4),
            "tries": To(UNSET, 2),
            "dayTries": To(UNSET, 9),
            "monthTries": To(UNSET, 20),
            "lockAfter": To(UNSET, 6),
            "lockMinutes": To(UNSET, 20),
            "proofSeconds": To(UNSET, 240),
            "retentionDays": To(UNSET, 90),
            "minConfidence": To(UNSET, 90),
            "selfEnrolment": To(UNSET, False),
        },
        "prompts": prompts(
            *("welcome", "enrol", "enrolMore", "verify", "proofExpired", "verified", "failed", "locked"),
            *("unavailable", "queueFull", "queueError", "notForgotten"),
        ),
        "encryption": To(UNSET, "customer-managed"),
        "failuresAlarmThreshold": To(UNSET, 7),
        "locksAlarmThreshold": To(UNSET, 7),
        "cloudWatchRole": To(UNSET, False),
    },
}
FLOW_ARN = f"{INSTANCE_ARN}/contact-flow/11111111-2222-3333-4444-555555555555"
OTHER_INSTANCE = INSTANCE_ARN.replace("11111111", "99999999")
OTHER_QUEUE = QUEUE_ARN.replace("66666666", "77777777")
IMPORTED: dict[str, Any] = {
    "account": "123456789012",
    "region": "us-east-1",
    "instanceArn": INSTANCE_ARN,
    "alarmTopicArn": To(UNSET, f"arn:aws:sns:{REGION_ARN}:alarms"),
    "voice": {
        "destination": {
            "connectorArn": To(UNSET, CONNECTOR_ARN),
            "did": To(UNSET, "+12065550100"),
            "phoneNumber": To("+12065550100", UNSET),
        },
        "queueArn": To(QUEUE_ARN, OTHER_QUEUE),
        "nextFlowArn": To(UNSET, FLOW_ARN),
        "userToUserInformation": To(UNSET, "$.ContactId"),
    },
    "chat": {
        "webhookUrl": "https://bot.example.com/hook",
        "queueArn": To(QUEUE_ARN, OTHER_QUEUE),
        "vendorAccess": {
            "role": {"principal": To("210987654321", "321098765432"), "externalId": To("one", "other")}
        },
    },
    "biometrics": {
        "telephony": {"number": "+12065550188"},
        "queueArn": To(QUEUE_ARN, OTHER_QUEUE),
        "unverifiedQueueArn": To(UNSET, QUEUE_ARN),
        "nextFlowArn": To(UNSET, FLOW_ARN),
        "provider": {
            "functionArn": To(UNSET, f"arn:aws:lambda:{REGION_ARN}:function:voices"),
            "name": To(UNSET, "voices"),
        },
    },
}
MOVED: dict[str, Any] = {
    "account": "123456789012",
    "region": "us-east-1",
    "instanceArn": Refused(INSTANCE_ARN, OTHER_INSTANCE, "which nothing in it can move to"),
    "voice": {
        "destination": {"phoneNumber": "+12065550100"},
        "queueArn": Refused(
            QUEUE_ARN,
            QUEUE_ARN.replace(INSTANCE_ARN, OTHER_INSTANCE),
            "which nothing in it can move to",
        ),
    },
}


def small(**instance: Any) -> dict[str, Any]:
    """Return an environment that creates an instance with little in it."""
    return {
        "account": "123456789012",
        "region": "us-east-1",
        "protected": False,
        "instance": {
            "hours": {"Always": {"timeZone": "UTC"}},
            "queues": {"Support": {"hours": "Always"}},
            **instance,
        },
        "voice": {"destination": {"phoneNumber": "+12065550100"}, "queue": "Support"},
    }


DIRECTORY = small(
    identityManagement="EXISTING_DIRECTORY",
    directoryId=Refused("d-0123456789", "d-9876543210", ANOTHER_INSTANCE),
    routingProfiles={"Agents": {"queues": ["Support"]}},
    securityProfiles={"Agents": {"permissions": ["BasicAgentAccess"]}},
    users={
        "ana": {
            "routingProfile": "Agents",
            "securityProfiles": ["Agents"],
            "directoryUserId": Refused("one", "other", "which a user cannot change"),
        }
    },
)
KEPT_NO_LONGER = small(
    alias="example-dev",
    identityManagement=Refused(UNSET, "SAML", ANOTHER_INSTANCE),
    retain=To(True, False),
    numbers={"Line": {"countryCode": "US", "flow": "voice", "retain": To(True, False)}},
)
PROTECTED_LATER = {**small(alias="example-dev"), "protected": To(False, True)}
WORLDS = {
    "created": CREATED,
    "imported": IMPORTED,
    "moved": MOVED,
    "directory": DIRECTORY,
    "kept no longer": KEPT_NO_LONGER,
    "protected later": PROTECTED_LATER,
}
PLACE = {"name", "account", "region"}
"""What says which environment is meant: another one is another set of stacks."""


def chosen(value: Any, choose: Callable[[To | Refused], Any]) -> Any:
    """Return settings with one of each changing setting's values; one that is UNSET is left out."""
    if isinstance(value, (To, Refused)):
        return choose(value)
    if isinstance(value, dict):
        found = {key: chosen(one, choose) for key, one in value.items()}
        return {key: one for key, one in found.items() if one is not UNSET}
    if isinstance(value, list):
        return [chosen(one, choose) for one in value]
    return value


def changing(value: Any, path: str = "") -> Iterator[tuple[str, To | Refused]]:
    if isinstance(value, (To, Refused)):
        yield path, value
    elif isinstance(value, dict):
        for key, one in value.items():
            yield from changing(one, f"{path}.{key}".removeprefix("."))
    elif isinstance(value, list):
        for one in value:
            yield from changing(one, path)


Templates = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], Templates]:
    """Return what synthesizes a world: before, changed, or with what is refused."""
    choices: dict[str, Callable[[To | Refused], Any]] = {
        "before": lambda one: one.before,
        "changed": lambda one: one.after if isinstance(one, To) else one.before,
        "refused": lambda one: one.after if isinstance(one, Refused) else one.before,
    }

    @cache
    def synthesize(world: str, choice: str) -> Templates:
        settings = {"dev": chosen(WORLDS[world], choices[choice])}
        outdir: Path = tmp_path_factory.mktemp(choice)
        app = cdk.App(context={**CONTEXT, "aws:cdk:bundling-stacks": []}, outdir=str(outdir))
        build_stage(app, load_settings(settings, "dev"))
        return {stack.stack_name: dict(stack.template) for stack in app.synth().stacks}

    return synthesize


@pytest.mark.timeout(180)  # the largest world has six stacks, twice
@pytest.mark.parametrize(
    "world", [name for name, one in WORLDS.items() if any(isinstance(each, To) for _, each in changing(one))]
)
def test_changed_settings_replace_nothing_that_would_be_missed(
    templates: Callable[[str, str], Templates], world: str
) -> None:
    old, new = templates(world, "before"), templates(world, "changed")
    assert old.keys() == new.keys()
    every: list[Change] = [one for stack in old for one in changes(old[stack], new[stack])]
    kinds = {one["Type"] for each in (*old.values(), *new.values()) for one in each["Resources"].values()}
    assert kinds <= MISSED | HOLDS_NOTHING | NOTHING_EITHER
    assert [one for one in every if one.loses and one.type in MISSED - MADE_ANEW.keys()] == []


@pytest.mark.parametrize(
    "world",
    [name for name, one in WORLDS.items() if any(isinstance(each, Refused) for _, each in changing(one))],
)
def test_what_cannot_change_is_refused_before_anything_begins(
    templates: Callable[[str, str], Templates], world: str
) -> None:
    old, new = templates(world, "before"), templates(world, "refused")
    said = [one for stack in old for one in refusals(old[stack], new[stack])]
    wanted = {one.said for _, one in changing(WORLDS[world]) if isinstance(one, Refused)}
    assert {text for text in wanted if any(text in one for one in said)} == wanted
    assert [one for one in said if not any(text in one for text in wanted)] == []


def settings_of(model: type[BaseModel]) -> Iterator[str]:
    """Yield the settings that a model and those in it have, as Model.field."""
    for name, declared in model.model_fields.items():
        inner = list(models_in(declared.annotation))
        for one in inner:
            yield from settings_of(one)
        if not inner:
            yield f"{model.__name__}.{name}"


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
        return
    for part in typing.get_args(annotation):
        yield from models_in(part)


def changed_settings(model: type[BaseModel], value: dict[str, Any]) -> Iterator[str]:
    """Yield the settings of a model that settings change, as Model.field."""
    for name, declared in model.model_fields.items():
        given = value.get(declared.alias or name)
        inner = list(models_in(declared.annotation))
        if not inner and isinstance(given, (To, Refused)):
            yield f"{model.__name__}.{name}"
        if not inner or not given:
            continue
        many = given if isinstance(given, list) else [given]
        if isinstance(given, dict) and typing.get_origin(declared.annotation) is dict:
            many = list(given.values())
        for one in many:
            yield from changed_settings(inner[0], one)


def test_every_setting_is_changed() -> None:
    found = {one for world in WORLDS.values() for one in changed_settings(Settings, world)}
    assert set(settings_of(Settings)) - {f"Settings.{name}" for name in PLACE} == found
