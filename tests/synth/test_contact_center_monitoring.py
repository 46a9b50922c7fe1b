"""What ContactCenterMonitoring creates, against what AWS's page and an independent list say of the metrics."""

from __future__ import annotations

import json
import re
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import assertions
from aws_cdk import aws_connect as connect
from aws_cdk import aws_sns as sns
from cdk_nag import AwsSolutionsChecks
from cfnlint.api import lint
from cfnlint.config import ManualArgs
from connect_bridges import (
    ChatStreamBridge,
    ConnectInstance,
    ConstructArgumentError,
    ContactCenterMonitoring,
    ContactFlow,
    FlowKind,
    MetadataBridge,
)
from connect_bridges.contact_center.metrics import METRICS, NAME_SHOWN, ConnectMetric, MetricKind
from connect_bridges.contact_center.monitoring import RULES, connect_metric

from tests.support import INSTANCE_ARN, QUEUE_ARN, ROOT
from tests.synth.contract import assert_contract
from tests.synth.shapes import watched

INSTANCE_ID = INSTANCE_ARN.rpartition("/")[2]
TOPIC_ARN = "arn:aws:sns:us-east-1:123456789012:alarms"

# By hand from AWS's administrator guide, "Monitoring your instance using CloudWatch", table of metrics
# (docs.aws.amazon.com/connect/latest/adminguide/monitoring-cloudwatch.html, as of November 2026), not from the code.
# Metric: dimensions beside InstanceId, unit (the page writes Percent and Percentage; CloudWatch knows Percent).
INDEPENDENT = {
    "CallBackNotDialableNumber": ({"ContactFlowName", "MetricGroup"}, "Count"),
    "CallRecordingUploadError": ({"MetricGroup"}, "Count"),
    "CallsBreachingConcurrencyQuota": ({"MetricGroup"}, "Count"),
    "CallsPerInterval": ({"MetricGroup"}, "Count"),
    "ChatsBreachingActiveChatQuota": ({"MetricGroup"}, "Count"),
    "ConcurrentActiveChats": ({"MetricGroup"}, "Count"),
    "ConcurrentActiveChatsPercentage": ({"MetricGroup"}, "Percent"),
    "ConcurrentCalls": ({"MetricGroup"}, "Count"),
    "ConcurrentCallsPercentage": ({"MetricGroup"}, "Percent"),
    "ConcurrentEmails": ({"MetricGroup"}, "Count"),
    "ConcurrentEmailsPercentage": ({"MetricGroup"}, "Percent"),
    "ConcurrentHighVolumeCalls": ({"MetricGroup"}, "Count"),
    "ConcurrentHighVolumeCallsPerInterval": ({"MetricGroup"}, "Count"),
    "ConcurrentHighVolumeCallsPercentage": ({"MetricGroup"}, "Percent"),
    "ConcurrentTasks": ({"MetricGroup"}, "Count"),
    "ConcurrentTasksPercentage": ({"MetricGroup"}, "Percent"),
    "ContactFlowErrors": ({"ContactFlowName", "MetricGroup"}, "Count"),
    "ContactFlowFatalErrors": ({"ContactFlowName", "MetricGroup"}, "Count"),
    "LongestQueueWaitTime": ({"MetricGroup", "QueueName"}, "Seconds"),
    "MisconfiguredPhoneNumbers": ({"MetricGroup"}, "Count"),
    "MissedCalls": ({"MetricGroup"}, "Count"),
    "PublicSigningKeyUsage": ({"SigningKeyId"}, "Count"),
    "QueueCapacityExceededError": ({"MetricGroup", "QueueName"}, "Count"),
    "QueueSize": ({"MetricGroup", "QueueName"}, "Count"),
    "SuccessfulChatsPerInterval": ({"MetricGroup"}, "Count"),
    "TasksBreachingConcurrencyQuota": ({"MetricGroup"}, "Count"),
    "TasksExpired": ({"ContactId", "MetricGroup"}, "Count"),
    "TasksExpiryWarningReached": ({"ContactId", "MetricGroup"}, "Count"),
    "ThrottledCalls": ({"MetricGroup"}, "Count"),
    "ToInstancePacketLossRate": ({"Participant", "Stream Type", "Type of Connection"}, "Percent"),
}
# From the same table of the guide: the values of MetricGroup.
GROUPS = {
    "CallRecordings": {"CallRecordingUploadError"},
    "Chats": {
        "ChatsBreachingActiveChatQuota",
        "ConcurrentActiveChats",
        "ConcurrentActiveChatsPercentage",
        "SuccessfulChatsPerInterval",
    },
    "ContactFlow": {"CallBackNotDialableNumber", "ContactFlowErrors", "ContactFlowFatalErrors"},
    "Emails": {"ConcurrentEmails", "ConcurrentEmailsPercentage"},
    "Queue": {"CallBackNotDialableNumber", "LongestQueueWaitTime", "QueueCapacityExceededError", "QueueSize"},
    "Tasks": {
        "ConcurrentTasks",
        "ConcurrentTasksPercentage",
        "TasksBreachingConcurrencyQuota",
        "TasksExpired",
        "TasksExpiryWarningReached",
    },
    "VoiceCalls": {
        "CallsBreachingConcurrencyQuota",
        "CallsPerInterval",
        "ConcurrentCalls",
        "ConcurrentCallsPercentage",
        "ConcurrentHighVolumeCalls",
        "ConcurrentHighVolumeCallsPerInterval",
        "ConcurrentHighVolumeCallsPercentage",
        "MisconfiguredPhoneNumbers",
        "MissedCalls",
        "ThrottledCalls",
    },
}
# By hand from AWS's second list, the reference of OpenTelemetry enrichment of CloudWatch metrics, AWS/Connect: there
# these are of the instrument type Sum and the next of the type Histogram. It lacks eight metrics.
SUMS = {
    "CallRecordingUploadError",
    "CallsBreachingConcurrencyQuota",
    "CallsPerInterval",
    "ChatsBreachingActiveChatQuota",
    "ContactFlowErrors",
    "MisconfiguredPhoneNumbers",
    "MissedCalls",
    "PublicSigningKeyUsage",
    "QueueCapacityExceededError",
    "SuccessfulChatsPerInterval",
    "TasksBreachingConcurrencyQuota",
    "TasksExpired",
    "TasksExpiryWarningReached",
}
HISTOGRAMS = {
    "ConcurrentActiveChats",
    "ConcurrentActiveChatsPercentage",
    "ConcurrentCalls",
    "ConcurrentCallsPercentage",
    "ConcurrentTasks",
    "ConcurrentTasksPercentage",
    "LongestQueueWaitTime",
    "QueueSize",
    "ToInstancePacketLossRate",
}
# The administrator guides of 2018, sections VoiceCalls to Other metrics.
OF_THE_GUIDES = {
    "MissedCalls",
    "ThrottledCalls",
    "CallsBreachingConcurrencyQuota",
    "ConcurrentCalls",
    "ConcurrentCallsPercentage",
    "CallsPerInterval",
    "CallRecordingUploadError",
    "MisconfiguredPhoneNumbers",
    "ContactFlowFatalErrors",
    "ContactFlowErrors",
    "QueueCapacityExceededError",
    "QueueCallBackNonDialableNumber",
    "PublicSigningKeyUsage",
}


def alarms(stack: cdk.Stack) -> dict[str, dict[str, Any]]:
    """Return the alarms' properties by description's beginning and metric: several alarms share a metric."""
    found = assertions.Template.from_stack(stack).find_resources("AWS::CloudWatch::Alarm")
    return {name: one["Properties"] for name, one in found.items()}


def of_metric(stack: cdk.Stack, metric: str) -> list[dict[str, Any]]:
    return [one for one in alarms(stack).values() if one["MetricName"] == metric]


def dimensions(alarm: dict[str, Any]) -> dict[str, str]:
    return {one["Name"]: one["Value"] for one in alarm["Dimensions"]}


def body(stack: cdk.Stack) -> list[dict[str, Any]]:
    """Return the widgets of the one dashboard."""
    (found,) = assertions.Template.from_stack(stack).find_resources("AWS::CloudWatch::Dashboard").values()
    parts = found["Properties"]["DashboardBody"]
    text = (
        parts
        if isinstance(parts, str)
        else "".join(one if isinstance(one, str) else "TOKEN" for one in parts["Fn::Join"][1])
    )
    return list(json.loads(text)["widgets"])


@pytest.fixture
def topic(stack: cdk.Stack) -> sns.ITopic:
    return sns.Topic.from_topic_arn(stack, "Topic", TOPIC_ARN)


@pytest.fixture
def everything(stack: cdk.Stack, instance: ConnectInstance, topic: sns.ITopic) -> ContactCenterMonitoring:
    return ContactCenterMonitoring(
        stack,
        "Monitoring",
        instance=instance,
        flows=["Support line", "Callbacks"],
        queues=["Support"],
        signing_key_ids=["key-of-today"],
        retired_signing_key_ids=["key-of-yesterday"],
        alarm_topic=topic,
        dashboard_name="contact-center",
    )


def test_every_metric_has_the_dimensions_and_unit_that_others_list_too() -> None:
    assert {metric.name for metric in METRICS} == set(INDEPENDENT)
    for metric in METRICS:
        named, unit = INDEPENDENT[metric.name]
        found = metric.dimensions("id", "name" if metric.named_by else None)
        if metric.name == "CallBackNotDialableNumber" and metric.group == "Queue":
            named = {"QueueName", "MetricGroup"}  # the list of dimensions on the same page of AWS
        assert set(found) == {"InstanceId", *named}, metric.name
        assert metric.unit == unit, metric.name


def test_every_metric_is_in_its_group() -> None:
    found: dict[str, set[str]] = {}
    for metric in METRICS:
        group = metric.dimensions("id", "name" if metric.named_by else None).get("MetricGroup")
        if group:
            found.setdefault(group, set()).add(metric.name)
    assert found == GROUPS


def test_what_is_counted_is_summed_and_of_nothing_else() -> None:
    counted = {metric.name for metric in METRICS if metric.kind is MetricKind.COUNTER}
    assert counted >= SUMS
    assert not counted & HISTOGRAMS
    assert {metric.kind.statistic for metric in METRICS if metric.name in SUMS} == {"Sum"}
    assert {metric.kind.statistic for metric in METRICS if metric.name in HISTOGRAMS} == {"Maximum"}


def test_every_metric_of_the_guides_is_there_under_its_present_name() -> None:
    assert {metric.guide_name for metric in METRICS if metric.guide_name} == OF_THE_GUIDES
    renamed = {m.guide_name: m.name for m in METRICS if m.guide_name and m.guide_name != m.name}
    assert renamed == {"QueueCallBackNonDialableNumber": "CallBackNotDialableNumber"}


def test_a_metric_asks_for_the_name_that_it_needs_and_for_no_other(instance: ConnectInstance) -> None:
    by_name = {metric.name: metric for metric in METRICS}
    with pytest.raises(ValueError, match="QueueSize is told apart by a name; give its QueueName"):
        connect_metric(instance, by_name["QueueSize"])
    with pytest.raises(ValueError, match="MissedCalls is not told apart by a name; leave out 'Support'"):
        connect_metric(instance, by_name["MissedCalls"], "Support")
    made = connect_metric(instance, by_name["ConcurrentCalls"], statistic="Average")
    assert (made.namespace, made.statistic, made.unit) == ("AWS/Connect", "Average", None)


def test_every_alarm_looks_at_its_metric_of_this_instance(
    stack: cdk.Stack, everything: ContactCenterMonitoring
) -> None:
    assert set(everything.alarms) == {
        *(rule.name for rule in RULES if rule.each is None),
        *(f"{name}:{flow}"
          for name in ("FlowErrors", "FlowFatalErrors", "CallbackNotDialable")
          for flow in ("Support line", "Callbacks")),
        *(f"{name}:Support" for name in ("QueueCallbackNotDialable", "QueueFull", "LongestWait")),
        "SigningKeyUnused:key-of-today",
        "RetiredSigningKeyUsed:key-of-yesterday",
    }  # fmt: skip
    found = alarms(stack)
    assert len(found) == len(everything.alarms) == 21
    for one in found.values():
        assert one["Namespace"] == "AWS/Connect"
        assert dimensions(one)["InstanceId"] == INSTANCE_ID
        assert one["AlarmActions"] == [TOPIC_ARN]
        assert "Unit" not in one
        assert set(dimensions(one)) - {"InstanceId"} in (
            INDEPENDENT[one["MetricName"]][0],
            {"QueueName", "MetricGroup"},
        )
        assert len(one["AlarmDescription"]) <= 1024


@pytest.mark.parametrize(
    ("metric", "statistic", "threshold"),
    [
        ("MissedCalls", "Sum", 5),
        ("ThrottledCalls", "Sum", 1),
        ("MisconfiguredPhoneNumbers", "Sum", 1),
        ("CallsBreachingConcurrencyQuota", "Sum", 1),
        ("ConcurrentCallsPercentage", "Maximum", 0.8),
        ("CallRecordingUploadError", "Sum", 1),
        ("ConcurrentActiveChatsPercentage", "Maximum", 80),
        ("ConcurrentTasksPercentage", "Maximum", 80),
        ("LongestQueueWaitTime", "Maximum", 300),
    ],
)
def test_defaults_fit_what_the_values_mean(
    stack: cdk.Stack,
    everything: ContactCenterMonitoring,
    metric: str,
    statistic: str,
    threshold: float,
) -> None:
    (alarm,) = of_metric(stack, metric)
    assert (alarm["Statistic"], alarm["Threshold"], alarm["Period"]) == (statistic, threshold, 300)
    assert alarm["TreatMissingData"] == "notBreaching"
    assert alarm["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"


def test_a_key_in_use_is_missed_and_a_retired_one_is_noticed(
    stack: cdk.Stack,
    everything: ContactCenterMonitoring,
) -> None:
    found = {dimensions(one)["SigningKeyId"]: one for one in of_metric(stack, "PublicSigningKeyUsage")}
    used, retired = found["key-of-today"], found["key-of-yesterday"]
    assert used["ComparisonOperator"] == "LessThanThreshold"
    assert (used["TreatMissingData"], used["Period"], used["EvaluationPeriods"]) == ("breaching", 86_400, 3)
    assert retired["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"
    assert (retired["TreatMissingData"], retired["Threshold"]) == ("notBreaching", 1)


def test_callbacks_are_watched_by_flow_and_by_queue_since_the_page_names_both(
    stack: cdk.Stack,
    everything: ContactCenterMonitoring,
) -> None:
    found = sorted(
        (
            dimensions(one)["MetricGroup"],
            dimensions(one).get("ContactFlowName", dimensions(one).get("QueueName")),
        )
        for one in of_metric(stack, "CallBackNotDialableNumber")
    )
    assert found == [("ContactFlow", "Callbacks"), ("ContactFlow", "Support line"), ("Queue", "Support")]


def test_thresholds_are_for_all_or_for_one(stack: cdk.Stack, instance: ConnectInstance) -> None:
    ContactCenterMonitoring(
        stack,
        "Monitoring",
        instance=instance,
        flows=["Support line", "Callbacks"],
        thresholds={"FlowErrors": 2, "FlowErrors:Callbacks": 9, "ConcurrentCalls": 0.5},
    )
    found = {
        dimensions(one)["ContactFlowName"]: one["Threshold"] for one in of_metric(stack, "ContactFlowErrors")
    }
    assert found == {"Support line": 2, "Callbacks": 9}
    assert of_metric(stack, "ConcurrentCallsPercentage")[0]["Threshold"] == 0.5
    assert "AlarmActions" not in of_metric(stack, "MissedCalls")[0]


def test_flows_queues_and_keys_may_be_the_objects(stack: cdk.Stack, instance: ConnectInstance) -> None:
    flow = ContactFlow(stack, "Flow", instance=instance, template=_flow(), name="Night line")
    key = connect.CfnSecurityKey(stack, "Key", instance_id=instance.instance_arn, key="PEM")
    made = ContactCenterMonitoring(
        stack, "Monitoring", instance=instance, flows=[flow], signing_key_ids=[key]
    )
    assert "FlowErrors:Night line" in made.alarms
    assert dimensions(of_metric(stack, "ContactFlowErrors")[0])["ContactFlowName"] == "Night line"
    (used,) = of_metric(stack, "PublicSigningKeyUsage")
    assert {"Name": "SigningKeyId", "Value": {"Fn::GetAtt": ["Key", "AssociationId"]}} in used["Dimensions"]


def _flow() -> dict[str, Any]:
    end = {"Identifier": "End", "Type": "DisconnectParticipant", "Parameters": {}, "Transitions": {}}
    return {"Version": "2019-10-30", "StartAction": "End", "Metadata": {}, "Actions": [end]}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"thresholds": {"ConcurrentCalls": 80}}, r"thresholds\['ConcurrentCalls'\] is 80 .*0\.01 to 1 .*0\.8"),
        ({"thresholds": {"ConcurrentChats": 0.8}}, r"thresholds\['ConcurrentChats'\] is 0\.8 percent.* 1 to 100"),
        ({"thresholds": {"MissedCalls": 0}}, r"thresholds\['MissedCalls'\] is 0"),
        ({"thresholds": {"MissedCalls": float("nan")}}, r"thresholds\['MissedCalls'\] is nan"),
        ({"thresholds": {"MissedCalls": True}}, r"thresholds\['MissedCalls'\] is True"),
        ({"thresholds": {"Failures": 1}}, r"thresholds names 'Failures'; the alarms are MissedCalls, "),
        ({"thresholds": {"FlowErrors:Nobody": 1}}, "thresholds names 'FlowErrors:Nobody'"),
        ({"thresholds": 5}, "thresholds is 5; write a mapping"),
        ({"flows": "Support line"}, r"flows is 'Support line' \(str\); write a list"),
        ({"flows": ["Müller"]}, r"flows\[0\] is 'Müller', of which CloudWatch shows no metric"),
        ({"flows": ["A", "A"]}, "flows has 'A' twice"),
        ({"queues": [QUEUE_ARN]}, r"queues\[0\] is '.*', an ARN; metrics go by the name"),
        ({"queues": [7]}, r"queues\[0\] is 7 \(int\)"),
        ({"signing_key_ids": [" "]}, r"signing_key_ids\[0\] is ' '"),
        ({"signing_key_ids": ["k"], "retired_signing_key_ids": ["k"]}, "retired_signing_key_ids has 'k', and so has"),
        ({"alarm_topic": TOPIC_ARN}, "alarm_topic is 'arn:aws:sns"),
        ({"dashboard_name": "contact center"}, "dashboard_name is 'contact center'"),
        ({"instance": INSTANCE_ARN}, r"instance is 'arn.*\(str\); write ConnectInstance.from_arn"),
    ],
)  # fmt: skip
def test_wrong_arguments_are_refused_by_name(
    stack: cdk.Stack, instance: ConnectInstance, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConstructArgumentError, match=message) as refused:
        ContactCenterMonitoring(stack, "Monitoring", **{"instance": instance, **arguments})
    assert refused.value.owner == "users-stack/Monitoring"
    assert len(refused.value.problems) == 1


def test_a_module_has_no_metrics_of_its_own(stack: cdk.Stack, instance: ConnectInstance) -> None:
    end = {"Identifier": "End", "Type": "EndFlowModuleExecution", "Parameters": {}, "Transitions": {}}
    module = ContactFlow(
        stack, "Module", instance=instance, template={**_flow(), "Actions": [end]}, kind=FlowKind.MODULE
    )
    with pytest.raises(ConstructArgumentError, match=r"flows\[0\] is users-stack/Module, a module"):
        ContactCenterMonitoring(stack, "Monitoring", instance=instance, flows=[module])


def test_the_dashboard_has_a_row_for_every_group(
    stack: cdk.Stack,
    everything: ContactCenterMonitoring,
) -> None:
    widgets = body(stack)
    assert [one["properties"]["markdown"] for one in widgets if one["type"] == "text"] == [
        f"## {title}"
        for title in ("Alarms", "Calls", "Chats and tasks", "Flows", "Queues", "Encrypted customer input")
    ]
    shown = {one[1] for widget in widgets for one in widget["properties"].get("metrics", [])}
    assert shown >= {rule.metric.name for rule in RULES}
    (status,) = [one for one in widgets if one["type"] == "alarm"]
    assert len(status["properties"]["alarms"]) == 21


def test_an_alarm_widget_has_no_more_alarms_than_cloudwatch_shows(
    stack: cdk.Stack, instance: ConnectInstance
) -> None:
    made = ContactCenterMonitoring(
        stack, "Monitoring", instance=instance, flows=[f"Line {number}" for number in range(35)]
    )
    counts = [len(one["properties"]["alarms"]) for one in body(stack) if one["type"] == "alarm"]
    assert counts == [100, len(made.alarms) - 100]


def test_bridges_share_dashboard_and_topic(
    stack: cdk.Stack, instance: ConnectInstance, everything: ContactCenterMonitoring
) -> None:
    chat = ChatStreamBridge(
        stack, "Chat", instance=instance, webhook_url="https://bot.example.com/hook", queue_arn=QUEUE_ARN
    )
    made = chat.monitor(scope=everything, id="Chat")
    MetadataBridge(stack, "Metadata", instance=instance).monitor(scope=everything, id="Metadata")

    assert made.dashboard is everything.dashboard
    assert all(one["AlarmActions"] == [TOPIC_ARN] for one in alarms(stack).values())
    widgets = body(stack)
    titles = [one["properties"].get("markdown", one["properties"].get("title")) for one in widgets]
    assert titles[-4:-1] == ["## Metadata", "Alarms", "Metadata: requests, stored, refused, failed"]
    own = titles[titles.index("## Chat") : titles.index("## Metadata")]
    assert own[1] == "Alarms"
    assert own.count("Alarms") == 1
    assert "Chats with and without the bot" in own


def test_a_bridge_cannot_name_the_dashboard_that_it_shares(
    stack: cdk.Stack, instance: ConnectInstance, everything: ContactCenterMonitoring
) -> None:
    chat = ChatStreamBridge(
        stack, "Chat", instance=instance, webhook_url="https://bot.example.com/hook", queue_arn=QUEUE_ARN
    )
    with pytest.raises(ConstructArgumentError, match="dashboard_name is 'mine', yet the widgets go onto"):
        chat.monitor(scope=everything, id="Chat", dashboard_name="mine")


def test_the_template_is_the_one_that_was_reviewed(stack: cdk.Stack) -> None:
    watched(stack)
    assert_contract("contact-center-watched", assertions.Template.from_stack(stack).to_json())


def test_cfn_lint_and_cdk_nag_have_nothing_to_say(tmp_path: Any) -> None:
    app = cdk.App(outdir=str(tmp_path))
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks())
    stack = cdk.Stack(app, "users-stack", env=cdk.Environment(account="123456789012", region="us-east-1"))
    instance = ConnectInstance.from_arn(stack, "Instance", INSTANCE_ARN)
    ContactCenterMonitoring(
        stack, "Monitoring", instance=instance, flows=["A"], queues=["B"], signing_key_ids=["C"]
    )
    app.synth()  # raises for findings
    template = (tmp_path / "users-stack.template.json").read_text()
    assert [str(one) for one in lint(template, config=ManualArgs(regions=["us-east-1"]))] == []


def rows() -> list[list[str]]:
    """Return what docs/monitoring.md has to say of the metrics."""
    return [
        [
            f"`{metric.guide_name}`" if metric.guide_name else "none",
            f"`{metric.name}`",
            ", ".join(f"`{one}`" for one in _dimensions(metric)),
            _unit(metric),
            "<br>".join(f"{rule.name}{_default(rule.name)}" for rule in RULES if rule.metric is metric)
            or "none",
            "<br>".join(rule.meaning for rule in RULES if rule.metric is metric) or "none",
        ]
        for metric in METRICS
    ]


def _dimensions(metric: ConnectMetric) -> list[str]:
    known = metric.dimensions("", "" if metric.named_by else None)
    return [f"{name}={value}" if value else name for name, value in known.items()]


def _unit(metric: ConnectMetric) -> str:
    meaning = {MetricKind.FRACTION: " (0 to 1)", MetricKind.PERCENT: " (0 to 100)"}.get(metric.kind, "")
    return f"{metric.unit}{meaning}, {metric.kind.statistic}"


def _default(name: str) -> str:
    (rule,) = (one for one in RULES if one.name == name)
    return f" ({'below ' if rule.below else ''}{rule.threshold:g})"


def test_the_page_lists_every_metric_as_it_is() -> None:
    page = (ROOT / "docs/monitoring.md").read_text()
    table = re.findall(r"^\| (?:`\w+`|none) \| `.*$", page, re.MULTILINE)
    assert table == [f"| {' | '.join(row)} |" for row in rows()]


def test_names_that_show_up_are_those_of_the_guide() -> None:
    assert NAME_SHOWN.fullmatch("Az 09.,-_/#:$@|&{}+?%")
    for letter in "äé\n\"'()[]*!":
        assert not NAME_SHOWN.fullmatch(f"Line{letter}")
