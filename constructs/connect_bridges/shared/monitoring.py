"""Alarms and a dashboard for a bridge: what every bridge's ``monitor`` returns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns

from connect_bridges.shared.arguments import check_name
from connect_bridges.shared.checks import Problems, check_kind
from connect_bridges.shared.regions import Place
from constructs import Construct


@dataclass(frozen=True, kw_only=True)
class Watched:
    """A metric, the value from which on somebody should know, and what it means, with what to do."""

    metric: cloudwatch.IMetric
    meaning: str
    threshold: float = 1


class Monitoring(Construct):
    """One alarm for each thing that can go wrong, and a dashboard where a bridge has one.

    An alarm fires with the first period that reaches its threshold, stays silent without data, and says in its
    description what it means and what to do.
    """

    alarms: dict[str, cloudwatch.Alarm]
    """By name; each construct's documentation lists its own."""
    dashboard: cloudwatch.Dashboard | None

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002
        *,
        watched: Mapping[str, Watched],
        alarm_topic: sns.ITopic | None = None,
        thresholds: Mapping[str, float] | None = None,
    ) -> None:
        """Create the alarms.

        alarm_topic: where alarms go; without it they only change state. thresholds: by alarm name, in place of those
        in ``watched``.
        Raises ``ValueError`` for a threshold of an alarm that does not exist, or that is not above zero.
        """
        super().__init__(scope, id)
        problems = Problems(self)
        problems.collect(_check_thresholds, thresholds, tuple(watched))
        if alarm_topic is not None:
            problems.collect(
                check_kind,
                "alarm_topic",
                alarm_topic,
                'sns.Topic.from_topic_arn(self, "AlarmTopic", "arn:aws:sns:…")',
            )
            if not problems:
                Place(self).check_resource(problems, "alarm_topic", alarm_topic, foreign=True)
        problems.raise_all()
        chosen = dict(thresholds or {})
        self.dashboard = None
        self.alarms = {
            name: self._alarm(name, one, chosen.get(name, one.threshold), alarm_topic)
            for name, one in watched.items()
        }

    def add_dashboard(
        self, widgets: Sequence[Sequence[cloudwatch.IWidget]], *, name: str | None = None
    ) -> cloudwatch.Dashboard:
        """Add the bridge's dashboard; name: default is CloudFormation's. Raises ``ValueError`` for a wrong name."""
        problems = Problems(self)
        problems.collect(check_name, "dashboard_name", name, "dashboard_name")
        problems.raise_all()
        self.dashboard = cloudwatch.Dashboard(
            self, "Dashboard", dashboard_name=name, widgets=[list(row) for row in widgets]
        )
        return self.dashboard

    def _alarm(
        self, name: str, watched: Watched, threshold: float, topic: sns.ITopic | None
    ) -> cloudwatch.Alarm:
        alarm = cloudwatch.Alarm(
            self,
            name,
            metric=watched.metric,
            threshold=threshold,
            evaluation_periods=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
            alarm_description=watched.meaning,
        )
        if topic:
            alarm.add_alarm_action(actions.SnsAction(topic))
        return alarm


def _check_thresholds(thresholds: object, alarms: tuple[str, ...]) -> None:
    if thresholds is None:
        return
    if not isinstance(thresholds, Mapping):
        raise ValueError(f'thresholds is {thresholds!r}; write a mapping, such as {{"{alarms[0]}": 5}}.')
    unknown = sorted(str(name) for name in thresholds if name not in alarms)
    if unknown:
        raise ValueError(
            f"thresholds names {', '.join(map(repr, unknown))}; the alarms are {', '.join(alarms)}."
        )
    for name, value in thresholds.items():
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not value > 0:
            raise ValueError(f"thresholds[{name!r}] is {value!r}; choose a number above 0.")
