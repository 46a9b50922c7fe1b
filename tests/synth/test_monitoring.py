"""Every bridge is monitored in the same way."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import assertions
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from connect_bridges import (
    BiometricsTelephony,
    ChatStreamBridge,
    ConnectInstance,
    ConstructArgumentError,
    ContactCenterMonitoring,
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


def test_alarms_may_publish_to_a_topic_of_the_app_and_use_its_key(
    stack: cdk.Stack, instance: ConnectInstance
) -> None:
    key = kms.Key(stack, "Key")
    topic = sns.Topic(stack, "Topic", enforce_ssl=True, master_key=key)
    BRIDGES["StoreFailures"](stack, instance).monitor(alarm_topic=topic)
    MetadataBridge(stack, "Other", instance=instance).monitor(alarm_topic=topic)
    template = assertions.Template.from_stack(stack)
    here = {"StringEquals": {"aws:SourceAccount": "123456789012"}}
    alarms_are = {"Effect": "Allow", "Principal": {"Service": "cloudwatch.amazonaws.com"}, "Condition": here}
    [policy] = template.find_resources("AWS::SNS::TopicPolicy").values()
    said = [
        one
        for one in policy["Properties"]["PolicyDocument"]["Statement"]
        if one.get("Sid") == "AlarmsPublish"
    ]
    assert said == [
        {
            "Sid": "AlarmsPublish",
            "Action": "sns:Publish",
            "Resource": stack.resolve(topic.topic_arn),
            **alarms_are,
        }
    ]
    [made] = template.find_resources("AWS::KMS::Key").values()
    assert {
        "Sid": "AlarmsEncrypt",
        "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
        "Resource": "*",
        **alarms_are,
    } in made["Properties"]["KeyPolicy"]["Statement"]


def widgets_of(stack: cdk.Stack) -> list[dict[str, Any]]:
    """Return the widgets of the stack's one dashboard, each reference to another stack as the output's name."""
    [made] = assertions.Template.from_stack(stack).find_resources("AWS::CloudWatch::Dashboard").values()
    said = made["Properties"]["DashboardBody"]
    pieces = said["Fn::Join"][1] if isinstance(said, dict) else [said]
    text = "".join(
        one
        if isinstance(one, str)
        else one.get("Ref") or one.get("Fn::GetStackOutput", {}).get("OutputName") or one["Fn::GetAtt"][0]
        for one in pieces
    )
    return list(json.loads(text)["widgets"])


@pytest.mark.parametrize("alarm", BRIDGES)
def test_widgets_go_onto_a_dashboard_of_another_stack_and_alarms_stay(alarm: str) -> None:
    app = cdk.App(context={"@aws-cdk/core:defaultCrossStackReferences": "weak"})
    env = cdk.Environment(account="123456789012", region="us-east-1")
    dashboards, stack = (cdk.Stack(app, name, env=env) for name in ("dashboards", "bridges"))
    board = cloudwatch.Dashboard(dashboards, "All")
    instance = ConnectInstance.from_arn(stack, "Instance", INSTANCE_ARN)
    bridge = BRIDGES[alarm](stack, instance)
    made = bridge.monitor(dashboard=board, scope=stack, id="Default")

    assert made.dashboard is board
    shown = widgets_of(dashboards)
    assert shown[0]["properties"]["markdown"] == "## bridges/Bridge"
    assert [one["type"] for one in shown].count("alarm") == 1
    assert len(shown[1]["properties"]["alarms"]) == len(made.alarms)
    assert [one for one in shown if one["type"] == "metric"]
    template = assertions.Template.from_stack(stack)
    assert set(alarms(stack)) == set(made.alarms)
    template.resource_count_is("AWS::CloudWatch::Dashboard", 0)
    exported = [one for one in template.to_json().get("Outputs", {}).values() if "Export" in one]
    assert not exported
    assert not assertions.Template.from_stack(dashboards).find_resources("AWS::CloudWatch::Alarm")


def test_an_instance_and_its_bridge_share_a_dashboard_that_is_given(
    stack: cdk.Stack, instance: ConnectInstance
) -> None:
    board = cloudwatch.Dashboard(stack, "All")
    ContactCenterMonitoring(stack, "Monitoring", instance=instance, dashboard=board)
    BRIDGES["StoreFailures"](stack, instance).monitor(dashboard=board)
    titles = [one["properties"].get("markdown") for one in widgets_of(stack)]
    headings = [title for title in titles if title]
    assert headings == [f"## {instance.node.path}", "## Calls", "## Chats and tasks", "## users-stack/Bridge"]


@pytest.mark.parametrize("alarm", BRIDGES)
def test_a_dashboard_that_is_none_or_of_another_region_is_refused(
    stack: cdk.Stack, instance: ConnectInstance, alarm: str
) -> None:
    bridge = BRIDGES[alarm](stack, instance)
    with pytest.raises(
        ConstructArgumentError, match=r"dashboard is 'all' \(str\); write cloudwatch.Dashboard"
    ):
        bridge.monitor(dashboard="all")  # type: ignore[arg-type]
    away = cdk.Stack(
        stack.node.scope,  # type: ignore[arg-type]
        "Away",
        env=cdk.Environment(account="123456789012", region="eu-west-2"),
    )
    with pytest.raises(ConstructArgumentError, match="dashboard is Away/All, in eu-west-2, yet the stack"):
        bridge.monitor(dashboard=cloudwatch.Dashboard(away, "All"), id="Second")


def test_a_given_dashboard_has_its_own_name(stack: cdk.Stack, instance: ConnectInstance) -> None:
    board = cloudwatch.Dashboard(stack, "All")
    with pytest.raises(
        ConstructArgumentError, match="dashboard_name is 'mine', yet the widgets go onto the dashboard"
    ):
        ChatStreamBridge(
            stack, "Chat", instance=instance, webhook_url="https://bot.example.com/hook", queue_arn=QUEUE_ARN
        ).monitor(dashboard=board, dashboard_name="mine")
    with pytest.raises(ConstructArgumentError, match="dashboard_name is 'mine', yet dashboard has its own"):
        ContactCenterMonitoring(
            stack, "Monitoring", instance=instance, dashboard=board, dashboard_name="mine"
        )


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
