"""Alarms: metric math, alarms on alarms, missing data, and topics that CloudWatch may not use."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from connect_sandbox.cloud import Sandbox
from connect_sandbox.cloud.contact_center.expressions import computed, meets
from connect_sandbox.cloud.errors import NotEmulatedError

ACCOUNT = "123456789012"


def alarm(**properties: Any) -> dict[str, Any]:
    defaults = {
        "Namespace": "Mine", "MetricName": "Failures", "Statistic": "Sum", "Period": 60, "EvaluationPeriods": 1,
        "Threshold": 3, "ComparisonOperator": "GreaterThanThreshold",
    }  # fmt: skip
    given = {name: value for name, value in {**defaults, **properties}.items() if value is not None}
    return {"Type": "AWS::CloudWatch::Alarm", "Properties": given}


@pytest.fixture
def put(sandbox: Sandbox) -> Callable[..., None]:
    def put_metrics(namespace: str, **values: float) -> None:
        data = [{"MetricName": name, "Value": value} for name, value in values.items()]
        sandbox.boto3_client("cloudwatch").put_metric_data(Namespace=namespace, MetricData=data)

    return put_metrics


@pytest.fixture
def state(sandbox: Sandbox) -> Callable[[str], str]:
    def state_of(name: str) -> str:
        found = sandbox.boto3_client("cloudwatch").describe_alarms(
            AlarmNames=[name], AlarmTypes=["MetricAlarm", "CompositeAlarm"]
        )
        (held,) = found["MetricAlarms"] + found["CompositeAlarms"]
        return str(held["StateValue"])

    return state_of


def test_an_alarm_on_metric_math(deploy: Any, put: Any, state: Any) -> None:
    def stat(name: str) -> dict[str, Any]:
        metric = {"Namespace": "Share", "MetricName": name}
        return {"Metric": metric, "Period": 60, "Stat": "Sum"}

    metrics = [
        {"Id": "share", "Expression": "100 * failed / (failed + FILL(done, 0))"},
        {"Id": "failed", "MetricStat": stat("Failed"), "ReturnData": False},
        {"Id": "done", "MetricStat": stat("Done"), "ReturnData": False},
    ]
    watched = alarm(
        Namespace=None, MetricName=None, Statistic=None, Period=None, Metrics=metrics, Threshold=50
    )
    made = deploy({"Resources": {"Alarm": watched}})
    put("Share", Failed=1, Done=9)
    few = state(made.resources["Alarm"])
    put("Share", Failed=99)

    assert (few, state(made.resources["Alarm"])) == ("OK", "ALARM")


def test_an_alarm_on_alarms_goes_off_with_them(deploy: Any, put: Any, state: Any) -> None:
    rule = {"Fn::Sub": 'ALARM("${One}") AND NOT (ALARM("${Two}") OR FALSE)'}
    both = {"Type": "AWS::CloudWatch::CompositeAlarm", "Properties": {"AlarmRule": rule}}
    one, two = (alarm(Namespace="Composed", MetricName=name) for name in ("One", "Two"))
    made = deploy({"Resources": {"One": one, "Two": two, "Both": both}})
    assert made.status == "CREATE_COMPLETE", made.reasons
    seen = []
    for values in ({"One": 1}, {"One": 9}, {"Two": 9}):
        put("Composed", **values)
        seen.append(state(made.resources["Both"]))

    assert seen == ["OK", "ALARM", "OK"]


def test_a_rule_names_alarms_that_exist(deploy: Any) -> None:
    rule = {"AlarmRule": 'ALARM("none-such")'}
    done = deploy({"Resources": {"Both": {"Type": "AWS::CloudWatch::CompositeAlarm", "Properties": rule}}})

    assert "none-such in its rule does not exist" in done.reasons


@pytest.mark.parametrize(
    ("missing", "found"), [("notBreaching", "OK"), ("breaching", "ALARM"), ("missing", "INSUFFICIENT_DATA")]
)
def test_missing_data_is_treated_as_said(
    sandbox: Sandbox, deploy: Any, state: Any, missing: str, found: str
) -> None:
    made = deploy({"Resources": {"Alarm": alarm(Namespace="Nothing", TreatMissingData=missing)}})
    sandbox.contact_center.alarms.evaluate()

    assert state(made.resources["Alarm"]) == found


def test_a_topic_whose_key_does_not_know_cloudwatch_gets_nothing(
    sandbox: Sandbox, deploy: Any, put: Any
) -> None:
    to_iam = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
        "Action": "kms:*",
        "Resource": "*",
    }
    policy = {"Version": "2012-10-17", "Statement": [to_iam]}
    key = {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": policy}}
    topic = {"Type": "AWS::SNS::Topic", "Properties": {"KmsMasterKeyId": {"Ref": "Key"}}}
    watched = alarm(Namespace="Locked", AlarmActions=[{"Ref": "Topic"}])
    made = deploy({"Resources": {"Key": key, "Topic": topic, "Alarm": watched}})
    put("Locked", Failures=9)
    (change,) = [c for c in sandbox.contact_center.alarms.history if c.alarm == made.resources["Alarm"]]

    assert change.done == []
    assert "kms:GenerateDataKey" in change.failed[made.resources["Topic"]]


def test_what_cannot_be_evaluated_is_told(sandbox: Sandbox, deploy: Any, put: Any, state: Any) -> None:
    made = deploy({"Resources": {"Alarm": alarm(Namespace="High", Statistic=None, ExtendedStatistic="p99")}})
    put("High", Failures=9)

    assert state(made.resources["Alarm"]) == "INSUFFICIENT_DATA"
    assert made.resources["Alarm"] in sandbox.contact_center.alarms.not_evaluated


def test_math_leaves_out_what_is_missing() -> None:
    known: dict[str, list[float | None]] = {"a": [1.0, None, 4.0], "b": [2.0, 2.0, 0.0]}

    assert computed("a / b", known, 3) == [0.5, None, None]
    assert computed("-FILL(a, 7) + 1", known, 3) == [0.0, -6.0, -3.0]
    with pytest.raises(NotEmulatedError, match="ANOMALY"):
        computed("ANOMALY_DETECTION_BAND(a)", known, 3)


@pytest.mark.parametrize(
    ("rule", "holds"),
    [
        ("ALARM(a) OR ALARM(b) AND FALSE", True),
        ("(ALARM(a) OR ALARM(b)) AND FALSE", False),
        ('NOT OK("b") AND TRUE', True),
        ('INSUFFICIENT_DATA("b")', True),
    ],
)
def test_a_rule_is_read_by_precedence(rule: str, holds: bool) -> None:
    assert meets(rule, {"a": "ALARM", "b": "INSUFFICIENT_DATA"}) is holds


@pytest.mark.parametrize("rule", ["ALARM(a", "ALARM(a) ALARM(a)", "(ALARM(a)", "SOMETIMES", "AND"])
def test_a_malformed_rule_is_refused(rule: str) -> None:
    with pytest.raises(NotEmulatedError, match="the alarm rule"):
        meets(rule, {})
