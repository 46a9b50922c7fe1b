"""AWS::CloudWatch::Alarm, CompositeAlarm and Dashboard, on moto's CloudWatch.

`contact_center.alarms` evaluates the alarms.
"""

from __future__ import annotations

import json
from typing import Any, ClassVar

from connect_sandbox.cloud.cfn.resource import Context, Created, ResourceType
from connect_sandbox.cloud.cfn.support import SUPPORTED, TAGS, Only, PropertyTable, Recorded
from connect_sandbox.cloud.contact_center.expressions import alarms_in
from connect_sandbox.cloud.errors import AwsError
from connect_sandbox.moto_internals import put_composite_alarm

_NOT_EVALUATED = Recorded("alarms on percentiles are kept, not evaluated")
_PASSED_ON = (
    "ActionsEnabled", "AlarmActions", "AlarmDescription", "ComparisonOperator", "DatapointsToAlarm", "Dimensions",
    "EvaluateLowSampleCountPercentile", "EvaluationPeriods", "ExtendedStatistic", "InsufficientDataActions",
    "MetricName", "Metrics", "Namespace", "OKActions", "Period", "Statistic", "Threshold", "ThresholdMetricId",
    "TreatMissingData", "Unit",
)  # fmt: skip
_NUMBERS = ("DatapointsToAlarm", "EvaluationPeriods", "Period")


class _AnyAlarm(ResourceType):
    """What alarms on metrics and alarms on alarms have in common: a name, and one call that makes or replaces them."""

    replaced_by = frozenset({"AlarmName"})
    attributes = ("Arn",)

    def create(self, context: Context, properties: dict[str, Any]) -> Created:
        """Put the alarm."""
        name = properties.get("AlarmName") or context.physical_name(limit=255)
        return self._put(context, name, properties)

    def update(
        self, context: Context, existing: Created, _old: dict[str, Any], new: dict[str, Any]
    ) -> Created:
        """Replace the alarm."""
        return self._put(context, existing.physical_id, new)

    def delete(self, context: Context, existing: Created, _properties: dict[str, Any]) -> None:
        """Delete the alarm."""
        context.client("cloudwatch").delete_alarms(AlarmNames=[existing.physical_id])

    def _put(self, context: Context, name: str, properties: dict[str, Any]) -> Created:
        raise NotImplementedError


class Alarm(_AnyAlarm):
    """An alarm on a metric."""

    type_name = "AWS::CloudWatch::Alarm"
    properties: ClassVar[PropertyTable] = {
        "AlarmName": SUPPORTED,
        "Tags": TAGS,
        **dict.fromkeys(_PASSED_ON, SUPPORTED),
        **dict.fromkeys(
            ("EvaluateLowSampleCountPercentile", "ExtendedStatistic", "ThresholdMetricId"), _NOT_EVALUATED
        ),
    }
    required = ("ComparisonOperator", "EvaluationPeriods")

    def _put(self, context: Context, name: str, properties: dict[str, Any]) -> Created:
        request = {key: properties[key] for key in _PASSED_ON if key in properties}
        for key in _NUMBERS:
            if key in request:
                request[key] = int(request[key])
        if "Threshold" in request:
            request["Threshold"] = float(request["Threshold"])
        if "ActionsEnabled" in request:
            request["ActionsEnabled"] = str(request["ActionsEnabled"]).lower() == "true"
        client = context.client("cloudwatch")
        before = client.describe_alarms(AlarmNames=[name])["MetricAlarms"]
        state = before[0]["StateValue"] if before else "INSUFFICIENT_DATA"
        client.put_metric_alarm(AlarmName=name, **request)
        # moto starts every alarm anew, and in OK.
        client.set_alarm_state(
            AlarmName=name, StateValue=state, StateReason="Unchecked: Initial alarm creation"
        )
        arn = f"arn:aws:cloudwatch:{context.region}:{context.account}:alarm:{name}"
        return Created(name, {"Arn": arn})


class CompositeAlarm(_AnyAlarm):
    """An alarm on the states of others, which must be there: names inside its rule are no references."""

    type_name = "AWS::CloudWatch::CompositeAlarm"
    properties: ClassVar[PropertyTable] = {
        "AlarmName": SUPPORTED,
        "AlarmRule": SUPPORTED,
        "AlarmDescription": SUPPORTED,
        "ActionsEnabled": SUPPORTED,
        "AlarmActions": SUPPORTED,
        "OKActions": SUPPORTED,
        "InsufficientDataActions": SUPPORTED,
        "ActionsSuppressor": Only((), "suppression is not reproduced"),
        "ActionsSuppressorExtensionPeriod": Only((), "suppression is not reproduced"),
        "ActionsSuppressorWaitPeriod": Only((), "suppression is not reproduced"),
        "Tags": TAGS,
    }
    required = ("AlarmRule",)

    def _put(self, context: Context, name: str, properties: dict[str, Any]) -> Created:
        client = context.client("cloudwatch")
        named = [each.rpartition(":alarm:")[2] for each in alarms_in(properties["AlarmRule"])]
        kinds = ["MetricAlarm", "CompositeAlarm"]
        found = client.describe_alarms(AlarmNames=[name, *named], AlarmTypes=kinds)
        there = {alarm["AlarmName"]: alarm for kind in kinds for alarm in found[f"{kind}s"]}
        absent = sorted(set(named) - set(there))
        if absent:
            message = f"Could not save the composite alarm: {', '.join(absent)} in its rule does not exist"
            raise AwsError("ValidationError", message)
        put_composite_alarm(
            context.account,
            context.region,
            name,
            rule=properties["AlarmRule"],
            description=properties.get("AlarmDescription"),
            enabled=str(properties.get("ActionsEnabled", True)).lower() == "true",
            actions=properties,
        )
        state = there[name]["StateValue"] if name in there else "INSUFFICIENT_DATA"
        client.set_alarm_state(
            AlarmName=name, StateValue=state, StateReason="Unchecked: Initial alarm creation"
        )
        return Created(name, {"Arn": f"arn:aws:cloudwatch:{context.region}:{context.account}:alarm:{name}"})


class Dashboard(ResourceType):
    """A dashboard; its body must be JSON."""

    type_name = "AWS::CloudWatch::Dashboard"
    properties: ClassVar[PropertyTable] = {
        "DashboardName": SUPPORTED,
        "DashboardBody": Recorded("there is no console to show it"),
        "Tags": TAGS,
    }
    required = ("DashboardBody",)
    replaced_by = frozenset({"DashboardName"})

    def create(self, context: Context, properties: dict[str, Any]) -> Created:
        """Put the dashboard."""
        name = properties.get("DashboardName") or context.physical_name(limit=255)
        return self._put(context, name, properties)

    def update(
        self, context: Context, existing: Created, _old: dict[str, Any], new: dict[str, Any]
    ) -> Created:
        """Replace the dashboard."""
        return self._put(context, existing.physical_id, new)

    def delete(self, context: Context, existing: Created, _properties: dict[str, Any]) -> None:
        """Delete the dashboard."""
        context.client("cloudwatch").delete_dashboards(DashboardNames=[existing.physical_id])

    def _put(self, context: Context, name: str, properties: dict[str, Any]) -> Created:
        body = str(properties["DashboardBody"])
        try:
            json.loads(body)
        except ValueError as error:
            raise AwsError(
                "InvalidParameterInput", f"The field DashboardBody must be a valid JSON object: {error}"
            ) from error
        context.client("cloudwatch").put_dashboard(DashboardName=name, DashboardBody=body)
        return Created(name)


TYPES = (Alarm(), CompositeAlarm(), Dashboard())
