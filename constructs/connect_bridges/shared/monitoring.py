"""Alarms and a dashboard for a bridge: what every bridge's ``monitor`` returns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns

from connect_bridges.shared.arguments import check_name
from connect_bridges.shared.checks import Problems, check_kind
from connect_bridges.shared.grants import open_key
from connect_bridges.shared.regions import Place
from constructs import Construct

_ALARMS_SHOWN = 100


@dataclass(frozen=True, kw_only=True)
class Watched:
    """A metric, the value from which on somebody should know, and what it means, with what to do."""

    metric: cloudwatch.IMetric
    meaning: str
    threshold: float = 1
    periods: int = 1
    """How many periods in a row have to reach it."""
    below: bool = False
    """Whether it is values below the threshold that somebody should know of."""
    missing: cloudwatch.TreatMissingData = cloudwatch.TreatMissingData.NOT_BREACHING


class Monitoring(Construct):
    """One alarm for each thing that can go wrong, and a dashboard where a bridge has one.

    An alarm fires with the first period that reaches its threshold, stays silent without data (unless what it watches
    says otherwise), and says in its description what it means and what to do.

    Below another Monitoring that has a dashboard, alarms go to that one's topic, and widgets onto that one's dashboard.
    With ``dashboard``, widgets go onto that one, which may be in another stack; alarms stay where they are.
    """

    alarms: dict[str, cloudwatch.Alarm]
    """By name; each construct's documentation lists its own."""
    dashboard: cloudwatch.Dashboard | None
    alarm_topic: sns.ITopic | None
    """Where alarms go."""

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002
        *,
        watched: Mapping[str, Watched],
        alarm_topic: sns.ITopic | None = None,
        thresholds: Mapping[str, float] | None = None,
        dashboard: cloudwatch.Dashboard | None = None,
        heading: str | None = None,
    ) -> None:
        """Create the alarms.

        alarm_topic: where alarms go; without it they only change state. thresholds: by alarm name, in place of those
        in ``watched``. dashboard: one to put widgets onto. heading: what is above them there; default is the path of
        ``scope``, and below another Monitoring it is ``id``.
        Raises ``ValueError`` for a threshold of an alarm that does not exist, or that is not above zero, and for a
        dashboard of another Region or account.
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
        if dashboard is not None:
            problems.collect(
                check_kind,
                "dashboard",
                dashboard,
                'cloudwatch.Dashboard(self, "Dashboard")',
                cloudwatch.Dashboard,
            )
        if not problems:
            place = Place(self)
            place.check_resource(problems, "alarm_topic", alarm_topic, foreign=True)
            # A widget names metrics and alarms without their account and, within one Region, without that.
            place.check_resource(problems, "dashboard", dashboard)
        problems.raise_all()
        if alarm_topic is not None:
            let_alarms_publish(self, alarm_topic)
        chosen = dict(thresholds or {})
        above = scope if isinstance(scope, Monitoring) and scope.dashboard else None
        self.alarm_topic = alarm_topic or (above.alarm_topic if above else None)
        self.dashboard = dashboard or (above.dashboard if above else None)
        self._shares = self.dashboard is not None
        self.alarms = {
            name: self._alarm(name, one, chosen.get(name, one.threshold), self.alarm_topic)
            for name, one in watched.items()
        }
        if self._shares:
            named = id if above and dashboard is None else heading or scope.node.path
            self.add_group(named, _status(list(self.alarms.values())))

    def add_dashboard(
        self, widgets: Sequence[Sequence[cloudwatch.IWidget]], *, name: str | None = None
    ) -> cloudwatch.Dashboard:
        """Add the bridge's dashboard, or its widgets to the dashboard that it shares.

        name: default is CloudFormation's. Raises ``ValueError`` for a wrong name, and for any where the dashboard is
        shared.
        """
        problems = Problems(self)
        problems.collect(check_name, "dashboard_name", name, "dashboard_name")
        if self.dashboard and self._shares and name is not None:
            problems.add(
                f"dashboard_name is {name!r}, yet the widgets go onto the dashboard {self.dashboard.node.path}; leave "
                "it out."
            )
        problems.raise_all()
        if self.dashboard and self._shares:
            self.add_to_shared(widgets)
            return self.dashboard
        self.dashboard = cloudwatch.Dashboard(
            self, "Dashboard", dashboard_name=name, widgets=[list(row) for row in widgets]
        )
        return self.dashboard

    def add_to_shared(self, widgets: Sequence[Sequence[cloudwatch.IWidget]]) -> None:
        """Add rows of widgets to the dashboard that is shared; where none is, there is nothing to see them on."""
        if self.dashboard is None or not self._shares:
            return
        for row in widgets:  # the state of the alarms is there already
            rest = [one for one in row if not isinstance(one, cloudwatch.AlarmStatusWidget)]
            if rest:
                self.dashboard.add_widgets(*rest)

    def add_group(self, title: str, widgets: Sequence[Sequence[cloudwatch.IWidget]]) -> None:
        """Add rows of widgets to the dashboard, under a heading. Raises ``ValueError`` if there is no dashboard."""
        if self.dashboard is None:
            raise ValueError(f"{self.node.path} has no dashboard; call add_dashboard first.")
        self.dashboard.add_widgets(cloudwatch.TextWidget(markdown=f"## {title}", width=24, height=1))
        for row in widgets:
            self.dashboard.add_widgets(*row)

    def add_status(self) -> None:
        """Show the state of the alarms on the dashboard. Raises ``ValueError`` if there is no dashboard."""
        self.add_group("Alarms", _status(list(self.alarms.values())))

    def _alarm(
        self, name: str, watched: Watched, threshold: float, topic: sns.ITopic | None
    ) -> cloudwatch.Alarm:
        alarm = cloudwatch.Alarm(
            self,
            name,
            metric=watched.metric,
            threshold=threshold,
            evaluation_periods=watched.periods,
            comparison_operator=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD
            if watched.below
            else cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            treat_missing_data=watched.missing,
            alarm_description=watched.meaning,
        )
        if topic:
            alarm.add_alarm_action(actions.SnsAction(topic))
        return alarm


def let_alarms_publish(scope: Construct, topic: sns.ITopic) -> None:
    """Let alarms of this account publish to a topic of the app's, and use its key.

    The policy that a topic has by itself lets them in, and one of its own, such as enforce_ssl makes, takes its place.
    Source: Amazon SNS developer guide, "Example cases for Amazon SNS access control"; "Key management".
    """
    # evidence: alarms-need-topic-policy
    alarms = iam.ServicePrincipal("cloudwatch.amazonaws.com")
    account = {"StringEquals": {"aws:SourceAccount": cdk.Stack.of(scope).account}}
    topic.add_to_resource_policy(
        iam.PolicyStatement(
            sid="AlarmsPublish",
            principals=[alarms],
            actions=["sns:Publish"],
            resources=[topic.topic_arn],
            conditions=account,
        )
    )
    key = getattr(topic, "master_key", None)
    if key is not None:
        open_key(
            key,
            scope,
            iam.PolicyStatement(
                sid="AlarmsEncrypt",
                principals=[alarms],
                actions=["kms:Decrypt", "kms:GenerateDataKey*"],
                resources=["*"],
                conditions=account,
            ),
        )


def _status(alarms: Sequence[cloudwatch.IAlarm]) -> list[list[cloudwatch.IWidget]]:
    """Return the state of alarms as rows of one widget, each of at most the 100 alarms that CloudWatch shows."""
    # evidence: alarm-widget-limit
    return [
        [
            cloudwatch.AlarmStatusWidget(
                title="Alarms", alarms=list(alarms[start : start + _ALARMS_SHOWN]), width=24
            )
        ]
        for start in range(0, len(alarms), _ALARMS_SHOWN)
    ]


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
