"""Every bridge is monitored in the same way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import assertions
from aws_cdk import aws_sns as sns
from connect_bridges import (
    BiometricsTelephony,
    ChatStreamBridge,
    ConnectInstance,
    ExternalVoiceTransfer,
    MetadataBridge,
    VoiceBiometricGate,
    VoiceDestination,
)

from tests.support import CONNECTOR_ARN, INSTANCE_ARN, QUEUE_ARN

Bridge = ChatStreamBridge | ExternalVoiceTransfer | MetadataBridge | VoiceBiometricGate
BRIDGES: dict[str, Callable[[cdk.Stack, ConnectInstance], Bridge]] = {
    "StoreFailures": lambda stack, instance: MetadataBridge(stack, "Bridge", instance=instance),
    "FlowErrors": lambda stack, instance: ExternalVoiceTransfer(
        stack,
        "Bridge",
        instance=instance,
        destination=VoiceDestination.connector(CONNECTOR_ARN, did="+12065550100"),
        queue_arn=QUEUE_ARN,
        flow_name="Support line",
    ),
    "DeadLetters": lambda stack, instance: ChatStreamBridge(
        stack,
        "Bridge",
        instance=instance,
        webhook_url="https://bot.example.com/hook",
        queue_arn=QUEUE_ARN,
    ),
    "LockOuts": lambda stack, instance: VoiceBiometricGate(
        stack,
        "Bridge",
        instance=instance,
        telephony=BiometricsTelephony.twilio("+12065550188"),
        queue_arn=QUEUE_ARN,
    ),
}


def alarms(stack: cdk.Stack) -> dict[str, dict[str, Any]]:
    found = assertions.Template.from_stack(stack).find_resources("AWS::CloudWatch::Alarm")
    return {name[:-8]: dict(one["Properties"]) for name, one in found.items()}


@pytest.mark.parametrize("alarm", BRIDGES)
def test_nothing_is_monitored_until_it_is_asked_for(
    stack: cdk.Stack, instance: ConnectInstance, alarm: str
) -> None:
    BRIDGES[alarm](stack, instance)
    assert alarms(stack) == {}


@pytest.mark.parametrize("alarm", BRIDGES)
def test_alarms_go_to_the_topic_at_the_threshold_that_is_asked_for(
    stack: cdk.Stack, instance: ConnectInstance, alarm: str
) -> None:
    topic = sns.Topic.from_topic_arn(stack, "Topic", "arn:aws:sns:us-east-1:123456789012:alarms")
    monitoring = BRIDGES[alarm](stack, instance).monitor(alarm_topic=topic, thresholds={alarm: 42})

    found = alarms(stack)
    assert set(found) == {f"BridgeMonitoring{name}" for name in monitoring.alarms}
    assert found[f"BridgeMonitoring{alarm}"]["Threshold"] == 42
    for one in found.values():
        assert one["AlarmActions"] == ["arn:aws:sns:us-east-1:123456789012:alarms"]
        assert one["TreatMissingData"] == "notBreaching"
        assert one["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"
        assert one["AlarmDescription"].endswith(".")


@pytest.mark.parametrize("alarm", BRIDGES)
def test_a_threshold_of_no_alarm_is_refused(stack: cdk.Stack, instance: ConnectInstance, alarm: str) -> None:
    bridge = BRIDGES[alarm](stack, instance)
    with pytest.raises(ValueError, match=f"thresholds names 'Failures'; the alarms are .*{alarm}"):
        bridge.monitor(thresholds={"Failures": 3})
    with pytest.raises(ValueError, match=rf"thresholds\['{alarm}'\] is 0; choose a number above 0"):
        bridge.monitor(thresholds={alarm: 0}, id="Second")


@pytest.mark.parametrize("alarm", BRIDGES)
def test_alarms_can_live_in_another_stack(stack: cdk.Stack, instance: ConnectInstance, alarm: str) -> None:
    other = cdk.Stack(
        stack.node.scope, "alarms", env=cdk.Environment(account="123456789012", region="us-east-1")
    )  # type: ignore[arg-type]
    BRIDGES[alarm](stack, instance).monitor(scope=other, id="Default")
    assert alarm in alarms(other)
    assert alarms(stack) == {}


def test_a_metadata_bridge_tells_of_metadata_that_is_lost(
    stack: cdk.Stack, instance: ConnectInstance
) -> None:
    bridge = MetadataBridge(stack, "Bridge", instance=instance)
    bridge.monitor()
    watched = {
        (one["Namespace"], one["MetricName"], one["Statistic"], one["Period"], one["Threshold"])
        for one in alarms(stack).values()
    }
    assert watched == {
        ("AWS/ApiGateway", "5XXError", "Sum", 300, 1),
        ("AWS/Lambda", "Errors", "Sum", 300, 1),
    }
    assert len(alarms(stack)) == 3


def test_a_transfer_is_watched_by_the_metrics_that_connect_writes_of_its_flow(
    stack: cdk.Stack, instance: ConnectInstance
) -> None:
    BRIDGES["FlowErrors"](stack, instance).monitor()
    for one in alarms(stack).values():
        assert one["Namespace"] == "AWS/Connect"
        assert {d["Name"]: d["Value"] for d in one["Dimensions"]} == {
            "ContactFlowName": "Support line",
            "InstanceId": INSTANCE_ARN.rpartition("/")[2],
            "MetricGroup": "ContactFlow",
        }


def test_metrics_take_the_options_of_the_cdk(stack: cdk.Stack, instance: ConnectInstance) -> None:
    bridge = MetadataBridge(stack, "Bridge", instance=instance)
    hour = cdk.Duration.hours(1)
    for metric in (
        bridge.metric_stored(period=hour, statistic="Average", label="posts"),
        bridge.metric_retrieve_errors(period=hour, statistic="Average", label="posts"),
    ):
        assert metric.period.to_seconds() == 3600
        assert (metric.statistic, metric.label) == ("Average", "posts")


def test_stored_metadata_is_what_the_store_function_of_this_bridge_counts(
    stack: cdk.Stack, instance: ConnectInstance
) -> None:
    bridges = [MetadataBridge(stack, name, instance=instance) for name in ("One", "Two")]
    functions = assertions.Template.from_stack(stack).find_resources("AWS::Lambda::Function").values()
    services = {
        one["Properties"]["Environment"]["Variables"]["POWERTOOLS_SERVICE_NAME"]
        for one in functions
        if one["Properties"]["Handler"] == "runtime.metadata.store.handler"
    }
    metrics = [bridge.metric_stored() for bridge in bridges]
    assert {metric.dimensions["service"] for metric in metrics if metric.dimensions} == services
    assert len(services) == 2
    assert {(metric.namespace, metric.metric_name) for metric in metrics} == {
        ("ConnectBridges", "MetadataStored")
    }
    assert bridges[0].metric_requests().namespace == "AWS/ApiGateway"
