"""Evaluates metric alarms, which moto keeps but never looks at, and does what they ask for.

An alarm is evaluated after each PutMetricData, over its last evaluation periods up to now; time does not set it back by
itself (`evaluate` does). Metric math and composite alarms are not evaluated. Source: CloudWatch user guide, "Alarm
evaluation", "Configuring how CloudWatch alarms treat missing data".
"""

from __future__ import annotations

import datetime as dt
import json
import operator
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from connect_sandbox.cloud.cfn.resource import Clients
from connect_sandbox.cloud.errors import AwsError
from connect_sandbox.cloud.http import HttpRequest
from connect_sandbox.cloud.principals import ServicePrincipal
from connect_sandbox.cloud.sns import Sns

CLOUDWATCH: Final = "cloudwatch.amazonaws.com"
_COMPARES: Final[dict[str, Callable[[float, float], bool]]] = {
    "GreaterThanThreshold": operator.gt,
    "GreaterThanOrEqualToThreshold": operator.ge,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}
_ACTIONS: Final = {
    "ALARM": "AlarmActions",
    "OK": "OKActions",
    "INSUFFICIENT_DATA": "InsufficientDataActions",
}


@dataclass
class AlarmChange:
    """An alarm's change of state; `done` are the actions that worked, `failed` the others with the reason."""

    alarm: str
    old: str
    new: str
    reason: str
    done: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)


class Alarms:
    """Attribute: `history`, every change of an alarm's state, the oldest first."""

    def __init__(self, clients: Clients, sns: Sns) -> None:
        """`clients` reach moto's CloudWatch; `sns` takes the notifications."""
        self._clients = clients
        self._sns = sns
        self._lock = threading.Lock()
        self.history: list[AlarmChange] = []

    def evaluate(self, *namespaces: str) -> list[AlarmChange]:
        """Evaluate the alarms on these namespaces (without any: all); return what changed."""
        with self._lock:
            cloudwatch = self._clients("cloudwatch")
            pages = cloudwatch.get_paginator("describe_alarms").paginate()
            alarms = [alarm for page in pages for alarm in page["MetricAlarms"]]
            changes = [
                change
                for alarm in alarms
                if alarm.get("MetricName") and (not namespaces or alarm["Namespace"] in namespaces)
                if (change := self._evaluate(cloudwatch, alarm)) is not None
            ]
            self.history += changes
        return changes

    def after(self, request: HttpRequest) -> None:
        """Evaluate the alarms if a request has published metrics."""
        asked = request.headers.get("X-Amz-Target", "") or request.body[:200].decode(errors="replace")
        if "PutMetricData" in f"{asked} {request.path}":
            self.evaluate()

    def _evaluate(self, cloudwatch: Any, alarm: dict[str, Any]) -> AlarmChange | None:  # noqa: ANN401
        values = _values(cloudwatch, alarm)
        found = _state(alarm, values)
        old = alarm.get("StateValue", "INSUFFICIENT_DATA")
        if found is None or found == old:
            return None
        shown = ", ".join("missing" if value is None else f"{value:g}" for value in values)
        reason = f"{alarm['MetricName']} was {shown} in its last {len(values)} periods"
        cloudwatch.set_alarm_state(AlarmName=alarm["AlarmName"], StateValue=found, StateReason=reason)
        change = AlarmChange(alarm["AlarmName"], old, found, reason)
        if alarm.get("ActionsEnabled", True):
            for action in alarm.get(_ACTIONS[found], []):
                self._act(alarm, change, action)
        return change

    def _act(self, alarm: dict[str, Any], change: AlarmChange, action: str) -> None:
        if action.split(":")[2] != "sns":
            change.failed[action] = "the sandbox publishes to topics only"
            return
        arn = alarm["AlarmArn"]
        region, account = arn.split(":")[3:5]
        publisher = ServicePrincipal(CLOUDWATCH, account, arn)
        message = json.dumps(_message(alarm, change, region, account))
        subject = f'{change.new}: "{change.alarm}" in {region}'
        try:
            self._sns.publish(publisher, action, message, subject=subject)
        except AwsError as error:
            change.failed[action] = str(error)
        else:
            change.done.append(action)


def _values(cloudwatch: Any, alarm: dict[str, Any]) -> list[float | None]:  # noqa: ANN401
    """Return the metric's value in each of the alarm's last periods, the oldest first; None where it is missing."""
    period, number = int(alarm["Period"]), int(alarm["EvaluationPeriods"])
    statistic = alarm.get("Statistic")
    if statistic is None:
        return [None] * number
    now = dt.datetime.now(dt.UTC).timestamp()
    end = (now // period + 1) * period
    wanted: dict[str, Any] = {"Unit": alarm["Unit"]} if alarm.get("Unit") else {}
    points = cloudwatch.get_metric_statistics(
        Namespace=alarm["Namespace"],
        MetricName=alarm["MetricName"],
        Dimensions=alarm.get("Dimensions", []),
        StartTime=dt.datetime.fromtimestamp(end - number * period, dt.UTC),
        EndTime=dt.datetime.fromtimestamp(end, dt.UTC),
        Period=period,
        Statistics=[statistic],
        **wanted,
    )["Datapoints"]
    found = {int(point["Timestamp"].timestamp() // period): float(point[statistic]) for point in points}
    first = int(end // period) - number
    return [found.get(first + index) for index in range(number)]


def _state(alarm: dict[str, Any], values: Sequence[float | None]) -> str | None:
    """Return the state that the values put the alarm in, None if it stays as it is."""
    compares = _COMPARES.get(alarm["ComparisonOperator"])
    if compares is None:
        return None
    missing = alarm.get("TreatMissingData") or "missing"
    needed = int(alarm.get("DatapointsToAlarm") or alarm["EvaluationPeriods"])
    breaching = [
        missing == "breaching" if value is None else compares(value, float(alarm["Threshold"]))
        for value in values
    ]
    if sum(breaching) >= needed:
        return "ALARM"
    if any(value is not None for value in values) or missing in {"notBreaching", "breaching"}:
        return "OK"
    return None if missing == "ignore" else "INSUFFICIENT_DATA"


def _message(alarm: dict[str, Any], change: AlarmChange, region: str, account: str) -> dict[str, Any]:
    trigger = ("MetricName", "Namespace", "Statistic", "Unit", "Dimensions", "Period", "EvaluationPeriods",
               "DatapointsToAlarm", "ComparisonOperator", "Threshold", "TreatMissingData")  # fmt: skip
    return {
        "AlarmName": change.alarm,
        "AlarmDescription": alarm.get("AlarmDescription"),
        "AWSAccountId": account,
        "NewStateValue": change.new,
        "NewStateReason": change.reason,
        "StateChangeTime": dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000"),
        "Region": region,
        "AlarmArn": alarm["AlarmArn"],
        "OldStateValue": change.old,
        "OKActions": alarm.get("OKActions", []),
        "AlarmActions": alarm.get("AlarmActions", []),
        "InsufficientDataActions": alarm.get("InsufficientDataActions", []),
        "Trigger": {name: alarm[name] for name in trigger if name in alarm},
    }
