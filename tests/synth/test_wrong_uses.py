"""What people do wrong with the constructs: each is stopped at synth, and told by whom, which value, and what instead.

One row a wrong use: how it is written, whose argument it is (the construct's path; for a value that is made before its
construct, its class), the argument with its value, and the fix.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sns as sns
from connect_bridges import (
    ApiOptions,
    BiometricsProvider,
    BiometricsTelephony,
    CallerTransfer,
    ChatConversation,
    ChatDelivery,
    ChatPrompts,
    ChatStreamBridge,
    ChatStreamPreset,
    ConnectInstance,
    ConstructArgumentError,
    ContactFlow,
    ContactFlowError,
    ExternalVoiceConnector,
    ExternalVoiceTransfer,
    FlowKind,
    FunctionOptions,
    MetadataBridge,
    MetadataPreset,
    ReturnMode,
    VendorAccess,
    VoiceBiometricGate,
    VoiceBiometricPreset,
    VoiceBiometricPrompts,
    VoiceCheckRules,
    VoiceDestination,
    VoiceDialogue,
    VoicePrompts,
)

from tests.support import CONNECTOR_ARN, INSTANCE_ARN, QUEUE_ARN

ELSEWHERE = "eu-central-1:123456789012"
SOMEBODYS = "us-east-1:210987654321"
OTHER_INSTANCE = INSTANCE_ARN.replace("11111111", "99999999")
FLOW: dict[str, Any] = {
    "Version": "2019-10-30",
    "StartAction": "End",
    "Actions": [{"Identifier": "End", "Type": "DisconnectParticipant", "Parameters": {}, "Transitions": {}}],
}


class App:
    """An app of a user: a stack with an instance, and the constructs with arguments that are right but for some."""

    def __init__(self, region: str | None = "us-east-1", **context: Any) -> None:
        self.app = cdk.App(context={"aws:cdk:bundling-stacks": [], **context})
        env = cdk.Environment(account="123456789012", region=region) if region else None
        self.stack = cdk.Stack(self.app, "app", env=env)
        self._instance: ConnectInstance | None = None

    @property
    def instance(self) -> ConnectInstance:
        if self._instance is None:
            region = "us-east-1" if self.stack.region.startswith("${") else self.stack.region
            return self.imported(INSTANCE_ARN.replace("us-east-1", region))
        return self._instance

    def imported(self, arn: Any) -> ConnectInstance:
        self._instance = ConnectInstance.from_arn(self.stack, "Instance", arn)
        return self._instance

    def metadata(self, **arguments: Any) -> MetadataBridge:
        return MetadataBridge(self.stack, "Metadata", **{"instance": self.instance, **arguments})

    def transfer(self, **arguments: Any) -> ExternalVoiceTransfer:
        given = {
            "instance": self.instance,
            "destination": VoiceDestination.phone_number("+12065550100"),
            "queue_arn": QUEUE_ARN,
            **arguments,
        }
        return ExternalVoiceTransfer(self.stack, "Transfer", **given)

    def connector(self, **arguments: Any) -> ExternalVoiceConnector:
        given = {"instance": self.instance, "host": "sbc.example.com", **arguments}
        return ExternalVoiceConnector(self.stack, "Connector", **given)

    def chat(self, **arguments: Any) -> ChatStreamBridge:
        given = {
            "instance": self.instance,
            "webhook_url": "https://bot.example.com/hook",
            "queue_arn": QUEUE_ARN,
            **arguments,
        }
        return ChatStreamBridge(self.stack, "Chat", **given)

    def gate(self, **arguments: Any) -> VoiceBiometricGate:
        given = {
            "instance": self.instance,
            "telephony": BiometricsTelephony.twilio("+12065550188"),
            "queue_arn": QUEUE_ARN,
            **arguments,
        }
        return VoiceBiometricGate(self.stack, "Gate", **given)

    def flow(self, **arguments: Any) -> ContactFlow:
        return ContactFlow(self.stack, "Flow", **{"instance": self.instance, "template": FLOW, **arguments})

    def table(self, **arguments: Any) -> dynamodb.TableV2:
        key = dynamodb.Attribute(name="contactId", type=dynamodb.AttributeType.STRING)
        return dynamodb.TableV2(self.stack, "Own", **{"partition_key": key, **arguments})

    def monitored(self, **arguments: Any) -> object:
        return self.metadata().monitor(**arguments)


def attribute(name: str, kind: dynamodb.AttributeType = dynamodb.AttributeType.STRING) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=kind)


def two_flows_of_one_name(app: App) -> None:
    app.flow(name="Support")
    ContactFlow(app.stack, "Second", instance=app.instance, template=FLOW, name="Support")


def secret(app: App, place: str) -> secretsmanager.ISecret:
    arn = f"arn:aws:secretsmanager:{place}:secret:mine-AbCdEf"
    return secretsmanager.Secret.from_secret_complete_arn(app.stack, "Secret", arn)


Wrong = tuple[Callable[[App], object], str, str, str]
WRONG: dict[str, Wrong] = {
    # --- the instance
    "no ARN": (
        lambda a: a.imported("my-instance"),
        "app/Instance",
        "instance_arn is 'my-instance'",
        "copy it from",
    ),
    "an id for an ARN": (
        lambda a: a.imported(INSTANCE_ARN.rpartition("/")[2]),
        *("app/Instance", "instance_arn is '11111111-", "it reads arn:aws:connect:"),
    ),
    "a context value that is not set": (
        lambda a: a.imported(a.stack.node.try_get_context("instance")),
        *("app/Instance", "instance_arn is None", "add it to cdk.json, or pass -c KEY=VALUE"),
    ),
    "an empty variable": (lambda a: a.imported(""), "app/Instance", "instance_arn is ''", "copy it from"),
    "a number": (lambda a: a.imported(5), "app/Instance", "instance_arn is 5 (int)", "copy it from"),
    "a list": (lambda a: a.imported([INSTANCE_ARN]), "app/Instance", "(list)", "copy it from"),
    "a mapping": (lambda a: a.imported({"Ref": "X"}), "app/Instance", "(dict)", "copy it from"),
    "an instance of another Region": (
        lambda a: a.imported(INSTANCE_ARN.replace("us-east-1", "eu-central-1")),
        *(
            "app/Instance",
            "in eu-central-1, yet the stack app is in us-east-1",
            'env=cdk.Environment(region="eu-',
        ),
    ),
    "an instance of another account": (
        lambda a: a.imported(INSTANCE_ARN.replace("123456789012", "210987654321")),
        *(
            "app/Instance",
            "of account 210987654321, yet the stack app is of account 123456789012",
            "deploy the stack",
        ),
    ),
    "a typing error in a Region": (
        lambda a: a.imported(INSTANCE_ARN.replace("us-east-1", "us-eats-1")),
        *("app/Instance", "whose Region 'us-eats-1' is not an AWS Region", "correct it"),
    ),
    "a partition that is not the Region's": (
        lambda a: a.imported(INSTANCE_ARN.replace("arn:aws:", "arn:aws-us-gov:")),
        *("app/Instance", "partition 'aws-us-gov' is not that of us-east-1", "write arn:aws:…"),
    ),
    "an ARN for the object": (
        lambda a: a.metadata(instance=INSTANCE_ARN),
        *("app/Metadata", f"instance is '{INSTANCE_ARN}' (str)", "write ConnectInstance.from_arn(self, "),
    ),
    "no instance": (
        lambda a: a.gate(instance=None),
        "app/Gate",
        "instance is None",
        "ConnectInstance.from_arn(",
    ),
    # --- queues, flows, connectors
    "a queue's id": (
        lambda a: a.transfer(queue_arn="66666666-7777-8888-9999-000000000000"),
        *("app/Transfer", "queue_arn is '66666666-", "open the queue in the Connect console"),
    ),
    "a queue that is None": (
        lambda a: a.chat(queue_arn=None),
        "app/Chat",
        "queue_arn is None",
        "-c KEY=VALUE",
    ),
    "a queue of another instance": (
        lambda a: a.chat(queue_arn=f"{OTHER_INSTANCE}/queue/66666666-7777-8888-9999-000000000000"),
        *("app/Chat", f"is not of the instance {INSTANCE_ARN}", "copy the ARN from that instance"),
    ),
    "an unverified queue of another instance": (
        lambda a: a.gate(unverified_queue_arn=f"{OTHER_INSTANCE}/queue/66666666-7777-8888-9999-000000000000"),
        *("app/Gate", "unverified_queue_arn is 'arn:", "copy the ARN from that instance"),
    ),
    "a queue for a flow": (
        lambda a: a.transfer(next_flow_arn=QUEUE_ARN),
        *("app/Transfer", "next_flow_arn is 'arn:", "open the flow in the designer"),
    ),
    "a next flow of another instance": (
        lambda a: a.gate(next_flow_arn=f"{OTHER_INSTANCE}/contact-flow/66666666-7777-8888-9999-000000000000"),
        *("app/Gate", "next_flow_arn is 'arn:", "copy the ARN from that instance"),
    ),
    "a connector of another Region": (
        lambda a: a.transfer(
            destination=VoiceDestination.connector(
                CONNECTOR_ARN.replace("us-east-1", "us-west-2"), did="+12065550100"
            )
        ),
        *("app/Transfer", "destination.connector_arn is 'arn:aws:chime:us-west-2", "give one of us-east-1"),
    ),
    "a connector of another account": (
        lambda a: a.transfer(
            destination=VoiceDestination.connector(
                CONNECTOR_ARN.replace("123456789012", "210987654321"), did="+12065550100"
            )
        ),
        *("app/Transfer", "of account 210987654321", "give one of 123456789012"),
    ),
    "a connector's id": (
        lambda _: VoiceDestination.connector("abcdef1ghij2klmno3pqr4", did="+12065550100"),
        *("VoiceDestination.connector", "connector is 'abcdef1ghij2klmno3pqr4'", "it reads arn:aws:chime:"),
    ),
    "a connector's ARN with a short id": (
        lambda _: VoiceDestination.connector(
            "arn:aws:chime:us-east-1:123456789012:vc/abc", did="+12065550100"
        ),
        *("VoiceDestination.connector", "connector is 'arn:aws:chime:", "it reads arn:aws:chime:"),
    ),
    "a number without its country": (
        lambda _: VoiceDestination.connector(CONNECTOR_ARN, did="2065550100"),
        *("VoiceDestination.connector", "did is '2065550100'", "write + and country code"),
    ),
    "a number that is a number": (
        lambda _: VoiceDestination.phone_number(12065550100),  # type: ignore[arg-type]
        *("VoiceDestination.phone_number", "number is 12065550100 (int)", "write + and country code"),
    ),
    "a number with spaces": (
        lambda _: BiometricsTelephony.twilio("+1 206 555 0188"),
        *("BiometricsTelephony.twilio", "number is '+1 206 555 0188'", "digits only"),
    ),
    "an ARN for a destination": (
        lambda a: a.transfer(destination=CONNECTOR_ARN),
        *("app/Transfer", "destination is 'arn:aws:chime:", "write VoiceDestination.connector("),
    ),
    "a bridge's ARN for the bridge": (
        lambda a: a.transfer(metadata="Metadata"),
        *("app/Transfer", "metadata is 'Metadata' (str)", "write the MetadataBridge itself"),
    ),
    "user-to-user information to a telephone number": (
        lambda a: a.transfer(user_to_user_information="00ff"),
        *(
            "app/Transfer",
            "user_to_user_information needs a voice connector",
            "use VoiceDestination.connector",
        ),
    ),
    "user-to-user information that is no hexadecimal": (
        lambda a: a.transfer(
            destination=VoiceDestination.connector(CONNECTOR_ARN, did="+12065550100"),
            user_to_user_information="customer 5",
        ),
        *("app/Transfer", "user_to_user_information is 'customer 5'", "hexadecimal digits (RFC 7433)"),
    ),
    "a caller's number that is neither number nor reference": (
        lambda a: a.transfer(from_user="the caller"),
        *("app/Transfer", "from_user is 'the caller'", "or a reference such as $.Attributes.number"),
    ),
    "an attribute with a space": (
        lambda a: a.transfer(metadata_attribute="custom data"),
        *("app/Transfer", "metadata_attribute is 'custom data'", "write 1 to 100 letters"),
    ),
    # --- numbers and durations
    "seconds without a unit": (
        lambda a: a.transfer(connection_time_limit=30),
        *(
            "app/Transfer",
            "connection_time_limit is 30 (int)",
            "write a duration, such as cdk.Duration.seconds(",
        ),
    ),
    "no time at all": (
        lambda a: a.transfer(connection_time_limit=cdk.Duration.seconds(0)),
        *(
            "app/Transfer",
            "connection_time_limit is 0 seconds",
            "choose a value from 1 to 600 seconds (10 minutes)",
        ),
    ),
    "more than a year": (
        lambda a: a.metadata(time_to_live=cdk.Duration.days(366)),
        *(
            "app/Metadata",
            "time_to_live is 31,622,400 seconds (366 days)",
            "to 31,536,000 seconds (365 days)",
        ),
    ),
    "parts of a second": (
        lambda a: a.metadata(token_cache=cdk.Duration.millis(1500)),
        *("app/Metadata", "token_cache is 1 second 500 millis", "choose whole seconds"),
    ),
    "a duration that only CloudFormation knows": (
        lambda a: a.metadata(
            token_cache=cdk.Duration.seconds(cdk.CfnParameter(a.stack, "N", type="Number").value_as_number)
        ),
        *("app/Metadata", "token_cache is a token", "write what is known now"),
    ),
    "a rate below zero": (
        lambda _: ApiOptions(throttling_rate_limit=-1),
        *("ApiOptions", "throttling_rate_limit is -1 requests a second", "choose a value from 1 to 10,000"),
    ),
    "a rate without limit": (
        lambda _: ApiOptions(throttling_rate_limit=float("inf")),
        *("ApiOptions", "throttling_rate_limit is inf", "choose a value from 1 to 10,000"),
    ),
    "a rate as text": (
        lambda _: ApiOptions(throttling_rate_limit="50"),  # type: ignore[arg-type]
        *("ApiOptions", "throttling_rate_limit is '50' (str)", "write a number from 1 to 10,000"),
    ),
    "half a request": (
        lambda _: ApiOptions(throttling_burst_limit=1.5),  # type: ignore[arg-type]
        *("ApiOptions", "throttling_burst_limit is 1.5 requests", "choose a whole number"),
    ),
    "too long for a wait": (
        lambda _: ChatConversation(wait_for_bot=cdk.Duration.days(8)),
        *("ChatConversation", "wait_for_bot is 691,200 seconds (8 days)", "to 604,800 seconds (7 days)"),
    ),
    "dead letters kept for a month": (
        lambda _: ChatDelivery(dead_letter_retention=cdk.Duration.days(30)),
        *(
            "ChatDelivery",
            "dead_letter_retention is 2,592,000 seconds (30 days)",
            "1,209,600 seconds (14 days)",
        ),
    ),
    "half a day": (
        lambda _: VoiceCheckRules(retention=cdk.Duration.hours(36)),
        *("VoiceCheckRules", "rules.retention is 1 day 12 hours", "choose whole days, from 1 to 3,650 days"),
    ),
    "half a try": (
        lambda _: VoiceCheckRules(tries=2.5),  # type: ignore[arg-type]
        *("VoiceCheckRules", "rules.tries is 2.5 tries", "choose a whole number"),
    ),
    "no tries": (
        lambda _: VoiceCheckRules(tries=0),
        "VoiceCheckRules",
        "rules.tries is 0 tries",
        "from 1 to 10",
    ),
    "a confidence above all": (
        lambda _: VoiceCheckRules(min_confidence=101),
        *("VoiceCheckRules", "rules.min_confidence is 101 percent", "choose a value from 0 to 100"),
    ),
    "a judgement longer than Twilio waits": (
        lambda _: BiometricsProvider.voiceit(time_limit=cdk.Duration.seconds(10)),
        *("BiometricsProvider.voiceit", "time_limit is 10 seconds", "choose a value from 1 to 8 seconds"),
    ),
    "memory that Lambda does not have": (
        lambda _: FunctionOptions(memory_size=64),
        *("FunctionOptions", "memory_size is 64 MB", "choose a value from 128 to 10,240 MB"),
    ),
    "memory as text": (
        lambda _: FunctionOptions(memory_size="512"),  # type: ignore[arg-type]
        *("FunctionOptions", "memory_size is '512' (str)", "write a number from 128"),
    ),
    "concurrency below zero": (
        lambda _: FunctionOptions(reserved_concurrent_executions=-1),
        *("FunctionOptions", "reserved_concurrent_executions is -1", "choose a value from 0"),
    ),
    "a threshold of nothing": (
        lambda a: a.monitored(thresholds={"StoreFailures": 0}),
        *("app/Metadata/Monitoring", "thresholds['StoreFailures'] is 0", "choose a number above 0"),
    ),
    "a threshold as text": (
        lambda a: a.monitored(thresholds={"StoreFailures": "5"}),
        *("app/Metadata/Monitoring", "thresholds['StoreFailures'] is '5'", "choose a number above 0"),
    ),
    "an alarm that does not exist": (
        lambda a: a.monitored(thresholds={"Failures": 5}),
        *("app/Metadata/Monitoring", "thresholds names 'Failures'", "the alarms are StoreFailures"),
    ),
    # --- names
    "two flows of one name": (
        two_flows_of_one_name,
        *("app/Second", "name is 'Support', which app/Flow has already", "choose another, or leave it out"),
    ),
    "a name without letters": (
        lambda a: a.transfer(flow_name=""),
        "app/Transfer",
        "flow_name is ''",
        "leave it out",
    ),
    "a name of spaces": (
        lambda a: a.chat(module_name="  "),
        "app/Chat",
        "module_name is '  '",
        "leave it out",
    ),
    "a name that is too long": (
        lambda a: a.gate(flow_name="x" * 128),
        *("app/Gate", "which has 128 characters", "Connect takes 1 to 127"),
    ),
    "a fifo topic": (
        lambda a: a.chat(preset=ChatStreamPreset(topic_name="chats.fifo")),
        *("app/Chat", "preset.topic_name is 'chats.fifo'", "a standard topic's name"),
    ),
    "a topic with a space": (
        lambda a: a.chat(preset=ChatStreamPreset(topic_name="my chats")),
        *("app/Chat", "preset.topic_name is 'my chats'", "write 1 to 256 letters"),
    ),
    "a stage with a hyphen": (
        lambda _: ApiOptions(stage_name="my-stage"),
        *("ApiOptions", "stage_name is 'my-stage'", "write 1 to 128 letters, digits and _"),
    ),
    "a stage that is None": (
        lambda _: ApiOptions(stage_name=None),  # type: ignore[arg-type]
        *("ApiOptions", "stage_name is None", "-c KEY=VALUE"),
    ),
    "a table of two letters": (
        lambda a: a.metadata(preset=MetadataPreset(table_name="ab")),
        *("app/Metadata", "preset.table_name is 'ab'", "write 3 to 255 letters"),
    ),
    "a table with a space": (
        lambda a: a.gate(preset=VoiceBiometricPreset(table_name="my callers")),
        *("app/Gate", "preset.table_name is 'my callers'", "write 3 to 255 letters"),
    ),
    "a function with a dot": (
        lambda a: a.metadata(preset=MetadataPreset(store_function_name="store.it")),
        *("app/Metadata", "preset.store_function_name is 'store.it'", "write 1 to 64 letters"),
    ),
    "two functions of one name": (
        lambda a: a.metadata(preset=MetadataPreset(store_function_name="one", retrieve_function_name="one")),
        *("app/Metadata", "preset names two functions the same: 'one', 'one'", "a name of its own"),
    ),
    "a function's name that is too long": (
        lambda a: a.chat(preset=ChatStreamPreset(function_name="f" * 65)),
        *("app/Chat", "preset.function_name is 'fff", "write 1 to 64 letters"),
    ),
    "a header with a colon": (
        lambda a: a.metadata(preset=MetadataPreset(token_header="X-Token:")),
        *("app/Metadata", "preset.token_header is 'X-Token:'", "write 1 to 64 letters, digits and -"),
    ),
    "one attribute for two things": (
        lambda a: a.metadata(preset=MetadataPreset(ttl_attribute="contactId")),
        *(
            "app/Metadata",
            "preset.partition_key and preset.ttl_attribute are both 'contactId'",
            "DynamoDB needs two",
        ),
    ),
    "a path with a slash before it": (
        lambda a: a.metadata(preset=MetadataPreset(path="/metadata")),
        *("app/Metadata", "path is '/metadata'", "and / between parts"),
    ),
    "a dashboard with a space": (
        lambda a: a.chat().monitor(dashboard_name="my chats"),
        *("app/Chat/Monitoring", "dashboard_name is 'my chats'", "write 1 to 255 letters"),
    ),
    "a preset's name for the preset": (
        lambda a: a.metadata(preset="kore"),
        *("app/Metadata", "preset is 'kore' (str)", "write MetadataPreset.kore()"),
    ),
    "a preset of another bridge": (
        lambda a: a.chat(preset=MetadataPreset.kore()),
        *("app/Chat", "preset is MetadataPreset(", "write ChatStreamPreset.kore()"),
    ),
    # --- tables, secrets, keys, topics
    "a table's name for the table": (
        lambda a: a.metadata(table="my-table"),
        *("app/Metadata", "table is 'my-table' (str)", "write dynamodb.TableV2.from_table_name("),
    ),
    "a table with another key": (
        lambda a: a.metadata(table=a.table(partition_key=attribute("id"))),
        *("app/Metadata", "whose key is 'id' (HASH)", "name its key in the preset's partition_key"),
    ),
    "a table with a sort key": (
        lambda a: a.metadata(table=a.table(sort_key=attribute("time"))),
        *("app/Metadata", "'contactId' (HASH) and 'time' (RANGE)", "no sort key"),
    ),
    "a table whose key is a number": (
        lambda a: a.metadata(
            table=a.table(partition_key=attribute("contactId", dynamodb.AttributeType.NUMBER))
        ),
        *("app/Metadata", "whose key 'contactId' is of type N", "it has to be S"),
    ),
    "a table with another expiry": (
        lambda a: a.metadata(table=a.table(time_to_live_attribute="goesAt")),
        *(
            "app/Metadata",
            "whose time-to-live attribute is 'goesAt'",
            "name it in the preset's ttl_attribute",
        ),
    ),
    "a table, and a name for one": (
        lambda a: a.metadata(table=a.table(), preset=MetadataPreset.kore()),
        *(
            "app/Metadata",
            "yet preset.table_name is 'koreCcSessions'",
            "dataclasses.replace(preset, table_name=None)",
        ),
    ),
    "a table of another Region": (
        lambda a: a.metadata(
            table=dynamodb.TableV2.from_table_arn(a.stack, "T", f"arn:aws:dynamodb:{ELSEWHERE}:table/mine")
        ),
        *("app/Metadata", "table is app/T, in eu-central-1", "give one of us-east-1"),
    ),
    "a table of another account": (
        lambda a: a.metadata(
            table=dynamodb.TableV2.from_table_arn(a.stack, "T", f"arn:aws:dynamodb:{SOMEBODYS}:table/mine")
        ),
        *("app/Metadata", "table is app/T, of account 210987654321", "give one of 123456789012"),
    ),
    "a secret's ARN for the secret": (
        lambda a: a.metadata(token_secret="arn:aws:secretsmanager:us-east-1:123456789012:secret:mine-AbCdEf"),
        *("app/Metadata", "token_secret is 'arn:aws:secretsmanager:", "Secret.from_secret_complete_arn("),
    ),
    "a secret of another Region": (
        lambda a: a.chat(token_secret=secret(a, ELSEWHERE)),
        *("app/Chat", "token_secret is app/Secret, in eu-central-1", "give one of us-east-1"),
    ),
    "a vendor's secret of another Region": (
        lambda a: a.gate(telephony=BiometricsTelephony.twilio("+12065550188", secret=secret(a, ELSEWHERE))),
        *("app/Gate", "telephony.secret is app/Secret, in eu-central-1", "give one of us-east-1"),
    ),
    "a key of another Region": (
        lambda a: a.gate(
            encryption_key=kms.Key.from_key_arn(
                a.stack, "Key", f"arn:aws:kms:{ELSEWHERE}:key/11111111-2222-3333-4444-555555555555"
            )
        ),
        *("app/Gate", "encryption_key is app/Key, in eu-central-1", "give one of us-east-1"),
    ),
    "a key's alias for the key": (
        lambda a: a.metadata(encryption_key="alias/mine"),
        *("app/Metadata", "encryption_key is 'alias/mine' (str)", "write kms.Key.from_key_arn("),
    ),
    "an alarm topic of another Region": (
        lambda a: a.monitored(
            alarm_topic=sns.Topic.from_topic_arn(a.stack, "Alarms", f"arn:aws:sns:{ELSEWHERE}:alarms")
        ),
        *("app/Metadata/Monitoring", "alarm_topic is app/Alarms, in eu-central-1", "give one of us-east-1"),
    ),
    "a topic's ARN for the topic": (
        lambda a: a.monitored(alarm_topic="arn:aws:sns:us-east-1:123456789012:alarms"),
        *("app/Metadata/Monitoring", "alarm_topic is 'arn:aws:sns:", "write sns.Topic.from_topic_arn("),
    ),
    "a provider's function of another Region": (
        lambda a: a.gate(
            provider=BiometricsProvider.function(
                lambda_.Function.from_function_arn(
                    a.stack, "F", f"arn:aws:lambda:{ELSEWHERE}:function:judge"
                ),
                name="mine",
            )
        ),
        *("app/Gate", "provider.provider_function is app/F, in eu-central-1", "give one of us-east-1"),
    ),
    "a provider's function by its name": (
        lambda _: BiometricsProvider.function("judge", name="mine"),  # type: ignore[arg-type]
        *(
            "BiometricsProvider.function",
            "function is 'judge' (str)",
            "write lambda_.Function.from_function_arn(",
        ),
    ),
    # --- hosts and URLs
    "a private address": (
        lambda a: a.connector(host="10.0.0.5"),
        *("app/Connector", "host is 10.0.0.5", "give the public address"),
    ),
    "a carrier's address": (
        lambda a: a.connector(host="100.64.3.2"),
        *("app/Connector", "host is 100.64.3.2", "give the public address"),
    ),
    "an internal name": (
        lambda a: a.connector(host="sbc.internal"),
        *("app/Connector", "host is sbc.internal", "that the Internet knows"),
    ),
    "a URL for a host": (
        lambda a: a.connector(host="sip://sbc.example.com:5061"),
        *("app/Connector", "host is 'sip://sbc.example.com:5061'", "without scheme and port"),
    ),
    "a host that is None": (
        lambda a: a.connector(host=None),
        "app/Connector",
        "host is None",
        "-c KEY=VALUE",
    ),
    "a webhook in clear": (
        lambda a: a.chat(webhook_url="http://bot.example.com/hook"),
        *("app/Chat", "webhook_url is 'http://bot.example.com/hook'", "write https"),
    ),
    "a webhook at a private address": (
        lambda a: a.chat(webhook_url="https://192.168.1.5/hook"),
        *("app/Chat", "webhook_url is 'https://192.168.1.5/hook'", "has to be on the public internet"),
    ),
    "a webhook that is None": (
        lambda a: a.chat(webhook_url=None),
        *("app/Chat", "webhook_url is None", "write https://HOST/PATH"),
    ),
    "a provider's API in clear": (
        lambda _: BiometricsProvider.voiceit(api_url="http://api.example.com"),
        *("BiometricsProvider.voiceit", "api_url is 'http://api.example.com'", "write https"),
    ),
    # --- pairs that exclude each other, flags, choices
    "encryption over UDP": (
        lambda a: a.connector(protocol="UDP"),
        *("app/Connector", "protocol is 'UDP' with require_encryption", "Choose TCP"),
    ),
    "a flag as text": (
        lambda a: a.connector(require_encryption="false"),
        *("app/Connector", "require_encryption is 'false' (str)", "write True or False"),
    ),
    "a port as text": (
        lambda a: a.connector(port="5061"),
        *("app/Connector", "port is '5061' (str)", "write a number from 1 to 65,535"),
    ),
    "a key's ARN for a connector's logs": (
        lambda a: a.connector(log_encryption_key="arn:aws:kms:us-east-1:123456789012:key/1"),
        *("app/Connector", "log_encryption_key is 'arn:aws:kms:", "write kms.Key.from_key_arn("),
    ),
    "a removal policy of logs as text": (
        lambda a: a.connector(log_removal_policy="RETAIN"),
        *("app/Connector", "log_removal_policy is 'RETAIN' (str)", "RemovalPolicy.RETAIN"),
    ),
    "one type for a list of them": (
        lambda a: a.connector(session_border_controller_types="RIBBON_SBC"),
        *("app/Connector", "session_border_controller_types is 'RIBBON_SBC' (str)", "write a list"),
    ),
    "REDIAL without a number": (
        lambda _: CallerTransfer(return_mode=ReturnMode.REDIAL),
        *("CallerTransfer", "return_mode REDIAL needs redial_number", "the Connect number that is dialled"),
    ),
    "a number that nobody dials": (
        lambda _: CallerTransfer(redial_number="+12065550100"),
        *("CallerTransfer", "redial_number is '+12065550100', yet with return_mode RESUME", "leave it out"),
    ),
    "a return mode as text": (
        lambda _: CallerTransfer(return_mode="REDIAL", redial_number="+12065550100"),  # type: ignore[arg-type]
        *("CallerTransfer", "return_mode is 'REDIAL' (str)", "choose ReturnMode.RESUME or ReturnMode.REDIAL"),
    ),
    "a removal policy as text": (
        lambda a: a.metadata(removal_policy="retain"),
        *("app/Metadata", "removal_policy is 'retain' (str)", "RemovalPolicy.RETAIN"),
    ),
    "a kind that does not exist": (
        lambda a: a.flow(kind="modul"),
        *("app/Flow", "kind is 'modul' (str)", "FlowKind.FLOW or FlowKind.MODULE"),
    ),
    "a module with a type": (
        lambda a: a.flow(kind=FlowKind.MODULE, flow_type="CUSTOMER_QUEUE"),
        *("app/Flow", "flow_type is 'CUSTOMER_QUEUE' with kind FlowKind.MODULE", "leave flow_type out"),
    ),
    "a value of a flow that is a number": (
        lambda a: a.flow(values={"Seconds": 5}),
        *("app/Flow", "values['Seconds'] is 5 (int)", "write a text, such as '5'"),
    ),
    "a template that does not exist": (
        lambda a: a.flow(template="mine.json"),
        *("app/Flow", "no flow template 'mine.json'", "give the path of a JSON file"),
    ),
    "a template that is a number": (
        lambda a: a.flow(template=5),
        *("app/Flow", "template is 5 (int)", "give the path of a JSON file"),
    ),
    "a subnet without a VPC": (
        lambda a: a.metadata(function_options=FunctionOptions(security_groups=[object()])),  # type: ignore[list-item]
        *("app/Metadata", "name subnets or security groups and no VPC", "add vpc"),
    ),
    "options of a function that is not there": (
        lambda a: a.metadata(function_options=FunctionOptions(overrides={"Fetch": FunctionOptions()})),
        *(
            "app/Metadata",
            "function_options.overrides names 'Fetch'",
            "functions are Store, Authorize, Retrieve",
        ),
    ),
    "options as a mapping": (
        lambda a: a.metadata(function_options={"memory_size": 512}),
        *("app/Metadata", "function_options is {'memory_size': 512} (dict)", "write FunctionOptions("),
    ),
    "an override as a mapping": (
        lambda _: FunctionOptions(overrides={"Store": {"memory_size": 512}}),  # type: ignore[dict-item]
        *("FunctionOptions", "overrides['Store'] is {'memory_size': 512} (dict)", "write FunctionOptions("),
    ),
    "a variable that is a number": (
        lambda _: FunctionOptions(environment={"LEVEL": 5}),  # type: ignore[dict-item]
        *("FunctionOptions", "environment['LEVEL'] is 5 (int)", "write a text, such as '5'"),
    ),
    "a variable that the construct sets": (
        lambda a: a.metadata(function_options=FunctionOptions(environment={"TABLE_NAME": "mine"})),
        *("app/Metadata/Store", "environment in the function options sets TABLE_NAME", "leave it out"),
    ),
    "a VPC's id for the VPC": (
        lambda _: FunctionOptions(vpc="vpc-12345"),  # type: ignore[arg-type]
        *("FunctionOptions", "vpc is 'vpc-12345' (str)", "write ec2.Vpc.from_lookup("),
    ),
    "days of retention as a number": (
        lambda _: ApiOptions(log_retention=30),  # type: ignore[arg-type]
        *("ApiOptions", "log_retention is 30 (int)", "write logs.RetentionDays.ONE_WEEK"),
    ),
    # --- vendors
    "a vendor's account as a number": (
        lambda _: VendorAccess.role(123456789012, external_id="chosen"),  # type: ignore[arg-type]
        *("VendorAccess.role", "principal is 123456789012 (int)", "as a text of 12 digits"),
    ),
    "an external id that is None": (
        lambda _: VendorAccess.role("123456789012", external_id=None),  # type: ignore[arg-type]
        *("VendorAccess.role", "external_id is None", "the one that the vendor gave you"),
    ),
    "one action for a list of them": (
        lambda _: VendorAccess.access_key(also="connect:StopContact"),
        *("VendorAccess.access_key", "also is 'connect:StopContact' (str)", "write a list"),
    ),
    "a serial for a list of them": (
        lambda _: VendorAccess.access_key(serials=1),  # type: ignore[arg-type]
        *("VendorAccess.access_key", "serials is 1", "write one number, as in (1,)"),
    ),
    "a filter that lets everything through": (
        lambda a: a.chat(preset=ChatStreamPreset(filter_policy={})),
        *("app/Chat", "filter_policy is empty", "Name at least ParticipantRole"),
    ),
    "a filter of one value": (
        lambda a: a.chat(preset=ChatStreamPreset(filter_policy={"Type": "MESSAGE"})),
        *("app/Chat", "filter_policy['Type'] is 'MESSAGE'", "write a list of the values"),
    ),
    # --- prompts
    "a prompt that is empty": (
        lambda _: VoicePrompts(welcome=""),
        "VoicePrompts",
        "welcome is ''",
        "leave it out",
    ),
    "a prompt that is None": (
        lambda _: ChatPrompts(welcome=None),  # type: ignore[arg-type]
        *("ChatPrompts", "welcome is None", "write what is to be said"),
    ),
    "a prompt without end": (
        lambda _: VoiceBiometricPrompts(verify="x" * 6_001),
        *("VoiceBiometricPrompts", "verify has 6,001 characters", "Amazon Connect speaks 6,000"),
    ),
    "a prompt that nobody says": (
        lambda _: VoiceDialogue(prompts={"hello": "Hello."}),
        *("VoiceDialogue", "prompts holds 'hello'", "write texts by these names"),
    ),
    "prompts as a mapping": (
        lambda a: a.transfer(prompts={"welcome": "Welcome."}),
        *("app/Transfer", "prompts is {'welcome': 'Welcome.'} (dict)", "write VoicePrompts("),
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_use_is_told_with_its_place_value_and_fix(name: str) -> None:
    make, owner, value, fix = WRONG[name]
    with pytest.raises((ConstructArgumentError, ContactFlowError)) as raised:
        make(App())
    message = str(raised.value)
    assert message.startswith(f"{owner}: "), message
    assert value in message
    assert fix in message
    assert "e+0" not in message


def test_the_table_is_as_long_as_what_users_were_seen_to_do_wrong() -> None:
    assert len(WRONG) >= 77


def test_everything_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(ConstructArgumentError) as raised:
        App().gate(queue_arn=5, preset=VoiceBiometricPreset(path="/x"), flow_name="", api="prod")
    assert raised.value.owner == "app/Gate"
    assert len(raised.value.problems) == 4
    assert str(raised.value).startswith("app/Gate: 4 arguments cannot be used:\n  queue_arn is 5 (int)")


def test_a_value_changed_by_hand_is_checked_again() -> None:
    with pytest.raises(ConstructArgumentError, match="stage_name is 'a-b'"):
        dataclasses.replace(ApiOptions(), stage_name="a-b")


def test_the_text_of_a_kind_publishes_that_kind() -> None:
    app = App()
    module = {**FLOW, "Actions": [{**FLOW["Actions"][0], "Type": "EndFlowModuleExecution"}]}
    assert (
        app.flow(kind="module", template=module).resource.cfn_resource_type
        == "AWS::Connect::ContactFlowModule"
    )


# --- places ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("region", ["eu-west-1", "us-east-2", "cn-north-1", "us-gov-east-1", "me-central-1"])
def test_a_region_without_connect_is_refused_with_those_that_have_it(region: str) -> None:
    with pytest.raises(
        ConstructArgumentError, match=f"app/Instance: the stack's Region '{region}' has no"
    ) as raised:
        App(region).imported(cdk.Fn.import_value("Instance"))
    assert "choose one of af-south-1, ap-northeast-1" in str(raised.value)
    assert "connect-bridges:more-regions" in str(raised.value)


def test_a_typing_error_in_the_stacks_region_is_told_as_one() -> None:
    with pytest.raises(ConstructArgumentError, match="the stack's Region 'us-eats-1' is not an AWS Region"):
        App("us-eats-1").imported(cdk.Fn.import_value("Instance"))


def test_without_an_environment_the_instance_tells_the_region() -> None:
    with pytest.raises(ConstructArgumentError, match="the Region 'eu-west-3' has no Amazon Connect"):
        App(None).imported(INSTANCE_ARN.replace("us-east-1", "eu-west-3"))


@pytest.mark.parametrize("make", [App.metadata, App.gate])
def test_a_table_with_a_key_needs_a_stack_with_a_region(make: Callable[..., object]) -> None:
    app = App(None)
    with pytest.raises(
        ConstructArgumentError, match="encryption_key is given, yet the stack has no Region"
    ) as raised:
        make(app, encryption_key=kms.Key(app.stack, "Key"))
    assert "env=cdk.Environment(account=" in str(raised.value)


def test_a_region_that_aws_opened_since_can_be_allowed() -> None:
    app = App("eu-west-3", **{"connect-bridges:more-regions": ["eu-west-3"]})
    assert app.connector().node.path == "app/Connector"


@pytest.mark.parametrize("region", ["af-south-1", "us-gov-west-1", "ap-south-1", "ap-northeast-3"])
def test_a_connector_is_not_created_where_there_can_be_none(region: str) -> None:
    app = App(region)
    arn = INSTANCE_ARN.replace("us-east-1", region)
    if region.startswith("us-gov"):
        arn = arn.replace("arn:aws:", "arn:aws-us-gov:")
    instance = app.imported(arn)
    app.metadata(instance=instance)
    with pytest.raises(ConstructArgumentError) as raised:
        app.connector(instance=instance)
    message = str(raised.value)
    assert message.startswith(
        f"app/Connector: the stack's Region '{region}' has no external voice transfer connectors"
    )
    assert "choose one of ap-northeast-1" in message


def test_the_regions_of_connectors_are_those_of_the_function_that_creates_them() -> None:
    from connect_bridges.shared.known_regions import CONNECT_REGIONS, TRANSFER_CONNECTOR_REGIONS  # noqa: PLC0415

    from runtime.voice.properties import AWS_REGIONS  # noqa: PLC0415

    assert set(TRANSFER_CONNECTOR_REGIONS) == set(AWS_REGIONS) & set(CONNECT_REGIONS)


def test_a_construct_in_a_stack_of_another_region_than_its_instance_is_refused() -> None:
    app = App()
    other = cdk.Stack(app.app, "other", env=cdk.Environment(account="123456789012", region="eu-central-1"))
    with pytest.raises(
        ConstructArgumentError, match=r"^other/Metadata: instance is 'arn:.*, in us-east-1, yet the stack"
    ):
        MetadataBridge(other, "Metadata", instance=app.instance)


def test_a_secret_of_another_account_is_possible_and_warned_of() -> None:
    app = App()
    app.metadata(token_secret=secret(app, SOMEBODYS))
    (warning,) = [
        one.data
        for one in app.stack.node.find_child("Metadata").node.metadata
        if one.type == "aws:cdk:warning"
    ]
    assert "token_secret is app/Secret, of account 210987654321" in str(warning)
    assert "if its policy, and its key's, let this account in" in str(warning)


def test_an_own_table_without_expiry_is_warned_of() -> None:
    app = App()
    app.metadata(table=app.table())
    (warning,) = [
        one.data
        for one in app.stack.node.find_child("Metadata").node.metadata
        if one.type == "aws:cdk:warning"
    ]
    assert "time_to_live_attribute='expiresAt'" in str(warning)


def test_an_own_table_that_fits_is_taken() -> None:
    app = App()
    table = app.table(time_to_live_attribute="expiresAt")
    assert app.metadata(table=table).table is table


def test_connectors_with_ids_of_both_forms_are_taken() -> None:
    for one in ("abcdef1ghij2klmno3pqr", "abcdef1ghij2klmno3pqr4", "0123abcd-4567-89ab-cdef-0123456789ab"):
        arn = f"arn:aws:chime:us-east-1:123456789012:vc/{one}"
        assert VoiceDestination.connector(arn, did="+12065550100").connector_arn == arn
