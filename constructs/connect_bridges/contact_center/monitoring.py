"""Alarms on what Amazon Connect tells of an instance, and one dashboard for the instance and its bridges."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, Unpack

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_connect as connect
from aws_cdk import aws_sns as sns

from connect_bridges.contact_center import metrics
from connect_bridges.contact_center.contact_flow import ContactFlow
from connect_bridges.contact_center.metrics import NAME_SHOWN, NAMESPACE, ConnectMetric, MetricKind
from connect_bridges.shared.arguments import check_name
from connect_bridges.shared.checks import INSTANCE_ARN, Problems, check, check_kind, check_range
from connect_bridges.shared.metrics import MetricOptions
from connect_bridges.shared.monitoring import Monitoring, Watched
from connect_bridges.shared.regions import Place
from connect_bridges.shared.tokens import comes_later
from constructs import Construct

_GUIDE = "documentation of connect-bridges, page Monitoring"
_MOST = 1_000_000_000.0
_BOUNDS: dict[MetricKind, tuple[float, float, str]] = {
    MetricKind.COUNTER: (1, _MOST, ""),
    MetricKind.GAUGE: (1, _MOST, ""),
    MetricKind.FRACTION: (0.01, 1, "(a fraction of the quota: four fifths are 0.8)"),
    MetricKind.PERCENT: (1, 100, "percent"),
}


class Instance(Protocol):
    """What is asked of an instance: its ARN and its UUID, as ``ConnectInstance`` has them."""

    @property
    def instance_arn(self) -> str:
        """``arn:aws:connect:REGION:ACCOUNT:instance/UUID``."""
        ...

    @property
    def instance_id(self) -> str:
        """The UUID in it."""
        ...


class Named(Protocol):
    """Something with a name in Amazon Connect, such as what ``add_queue`` returns."""

    @property
    def name(self) -> str:
        """Its name there."""
        ...


@dataclass(frozen=True, kw_only=True)
class AlarmRule:
    """An alarm that an instance gets, or each of its flows, queues or keys."""

    name: str
    metric: ConnectMetric
    meaning: str
    """What has happened and what to do, for people who have nothing but the alarm."""
    threshold: float = 1
    each: str | None = None
    """The argument that lists what gets one of its own; None: there is one for the instance."""
    minutes: int = 5
    """The length of a period."""
    periods: int = 1
    below: bool = False
    missing: cloudwatch.TreatMissingData = cloudwatch.TreatMissingData.NOT_BREACHING


# Nothing is published of what does not happen, so missing data is good news everywhere but for a key in use.
# evidence: connect-metrics-without-traffic
RULES: tuple[AlarmRule, ...] = (
    AlarmRule(
        name="MissedCalls",
        metric=metrics.MISSED_CALLS,
        threshold=5,
        meaning="Agents let calls ring for 20 seconds without answering. See who is available and away from the desk, "
        "and whether browsers may ring and use the microphone.",
    ),
    AlarmRule(
        name="ThrottledCalls",
        metric=metrics.THROTTLED_CALLS,
        meaning="Calls were refused, since more came in a second than the instance takes. The rate follows the quota "
        "of concurrent calls: ask AWS to raise that.",
    ),
    AlarmRule(
        name="MisconfiguredNumbers",
        metric=metrics.MISCONFIGURED_NUMBERS,
        meaning="Calls failed on a telephone number that leads to no flow. Give each claimed number its flow.",
    ),
    AlarmRule(
        name="CallConcurrencyBreached",
        metric=metrics.CALLS_BREACHING,
        meaning="Calls were refused above the quota of concurrent calls. Ask AWS to raise it, or find what keeps calls "
        "open.",
    ),
    AlarmRule(
        name="ConcurrentCalls",
        metric=metrics.CONCURRENT_CALLS_SHARE,
        threshold=0.8,
        meaning="The quota of concurrent calls is nearly used up. Ask AWS to raise it before calls are refused: that "
        "takes days.",
    ),
    AlarmRule(
        name="RecordingUploadErrors",
        metric=metrics.RECORDING_UPLOAD_ERRORS,
        meaning="Recordings did not reach their bucket. See that the bucket exists, and that its policy and the key's "
        "let the instance's service role write.",
    ),
    AlarmRule(
        name="ChatConcurrencyBreached",
        metric=metrics.CHATS_BREACHING,
        meaning="Chats were refused above the quota of concurrent chats. Ask AWS to raise it, or end chats that nobody "
        "writes in any more.",
    ),
    AlarmRule(
        name="ConcurrentChats",
        metric=metrics.CONCURRENT_CHATS_PERCENT,
        threshold=80,
        meaning="The quota of concurrent chats is nearly used up. Ask AWS to raise it before chats are refused.",
    ),
    AlarmRule(
        name="TaskConcurrencyBreached",
        metric=metrics.TASKS_BREACHING,
        meaning="Tasks were refused above the quota of concurrent tasks. Ask AWS to raise it, or see that agents close "
        "their tasks.",
    ),
    AlarmRule(
        name="ConcurrentTasks",
        metric=metrics.CONCURRENT_TASKS_PERCENT,
        threshold=80,
        meaning="The quota of concurrent tasks is nearly used up. Ask AWS to raise it before tasks are refused.",
    ),
    AlarmRule(
        name="FlowErrors",
        metric=metrics.FLOW_ERRORS,
        threshold=5,
        each="flows",
        meaning="Blocks of the flow took their error branches. The flow log says which block and why: a function that "
        "failed, a bot or queue that is gone.",
    ),
    AlarmRule(
        name="FlowFatalErrors",
        metric=metrics.FLOW_FATAL_ERRORS,
        each="flows",
        meaning="The flow failed for a fault in Amazon Connect: contacts ended. See the AWS Health Dashboard, and "
        "write to AWS with the contact ids of the flow log.",
    ),
    AlarmRule(
        name="CallbackNotDialable",
        metric=metrics.CALLBACK_NOT_DIALABLE_OF_FLOW,
        each="flows",
        meaning="A customer who asked to be called back has a number in a country that the instance may not call. Ask "
        "AWS to allow the country, and call back by other means.",
    ),
    AlarmRule(
        name="QueueCallbackNotDialable",
        metric=metrics.CALLBACK_NOT_DIALABLE_OF_QUEUE,
        each="queues",
        meaning="A customer of this queue who asked to be called back has a number in a country that the instance may "
        "not call. Ask AWS to allow the country, and call back by other means.",
    ),
    AlarmRule(
        name="QueueFull",
        metric=metrics.QUEUE_CAPACITY_EXCEEDED,
        each="queues",
        meaning="The queue was full and turned contacts away. Raise its limit, staff it, or let the flow's "
        "at-capacity branch offer a callback.",
    ),
    AlarmRule(
        name="LongestWait",
        metric=metrics.LONGEST_QUEUE_WAIT,
        threshold=300,
        each="queues",
        meaning="Somebody waited in the queue for this many seconds. See that agents with this queue in their routing "
        "profile are available.",
    ),
    AlarmRule(
        name="SigningKeyUnused",
        metric=metrics.SIGNING_KEY_USAGE,
        each="signing_key_ids",
        minutes=24 * 60,
        periods=3,
        below=True,
        missing=cloudwatch.TreatMissingData.BREACHING,
        meaning="No customer input was encrypted with this key for three days. See that the flow still encrypts what "
        "it asks for, and with this key.",
    ),
    AlarmRule(
        name="RetiredSigningKeyUsed",
        metric=metrics.SIGNING_KEY_USAGE,
        each="retired_signing_key_ids",
        meaning="A flow still encrypts customer input with a key that is to be removed. Move the flow to the new key, "
        "then remove the old one.",
    ),
)


def connect_metric(
    instance: Instance, metric: ConnectMetric, name: str | None = None, **options: Unpack[MetricOptions]
) -> cloudwatch.Metric:
    """Return a metric of an instance for alarms and graphs.

    name: of the flow or queue, or the id of the key or contact, where the metric has one. Default: five minutes, and
    the sum of what is counted or else the maximum. Raises ``ValueError`` if the name is missing or too much.
    """
    merged: MetricOptions = {
        "dimensions_map": metric.dimensions(instance.instance_id, name),
        "statistic": metric.kind.statistic,
        "period": cdk.Duration.minutes(5),
        **options,
    }
    return cloudwatch.Metric(namespace=NAMESPACE, metric_name=metric.name, **merged)


class ContactCenterMonitoring(Monitoring):
    """Alarms on an Amazon Connect instance, and the dashboard that its bridges share.

    monitoring = ContactCenterMonitoring(self, "Monitoring", instance=instance, queues=["Support"], alarm_topic=topic)
    chat.monitor(scope=monitoring, id="Chat")

    Bridges that are monitored below it send their alarms to its topic and put their widgets onto its dashboard.
    ``alarms`` has those of the instance by the name in ``RULES``, as ``MissedCalls``, and those of flows, queues and
    keys by name and subject, as ``FlowErrors:Support line``.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002
        *,
        instance: Instance,
        flows: Sequence[ContactFlow | str] = (),
        queues: Sequence[Named | str] = (),
        signing_key_ids: Sequence[connect.CfnSecurityKey | str] = (),
        retired_signing_key_ids: Sequence[connect.CfnSecurityKey | str] = (),
        alarm_topic: sns.ITopic | None = None,
        thresholds: Mapping[str, float] | None = None,
        dashboard_name: str | None = None,
        dashboard: cloudwatch.Dashboard | None = None,
    ) -> None:
        """Create alarms and dashboard.

        flows, queues: objects, or names as in Amazon Connect. A flow or queue that is renamed needs the new name here.
        signing_key_ids: keys that encrypt customer input; an alarm says when one was not used for three days.
            retired_signing_key_ids: keys that are being replaced; an alarm says when one is used.
        alarm_topic: where alarms go; without it they only change state.
        thresholds: by name of the alarm for all (``{"FlowErrors": 1}``) or for one (``{"FlowErrors:Support line": 1}``,
            which goes before). Counts within five minutes; ConcurrentCalls: 0.01 to 1, ConcurrentChats and
            ConcurrentTasks: 1 to 100, LongestWait: seconds, SigningKeyUnused: uses a day.
        dashboard_name: default is CloudFormation's. dashboard: one of yours, which gets the widgets in its place.
        Raises ``ConstructArgumentError``, a ``ValueError``, for wrong arguments.
        """
        problems = Problems("/".join(filter(None, (scope.node.path, id))))
        _check_instance(problems, scope, instance)
        subjects = {
            "flows": _names(problems, "flows", flows),
            "queues": _names(problems, "queues", queues),
            "signing_key_ids": _keys(problems, "signing_key_ids", signing_key_ids),
            "retired_signing_key_ids": _keys(problems, "retired_signing_key_ids", retired_signing_key_ids),
        }
        for key in sorted(subjects["signing_key_ids"].keys() & subjects["retired_signing_key_ids"].keys()):
            if key == subjects["signing_key_ids"][key]:
                problems.add(
                    f"retired_signing_key_ids has {key!r}, and so has signing_key_ids; leave it in one."
                )
        rules = {
            f"{rule.name}:{label}" if rule.each else rule.name: (rule, name)
            for rule in RULES
            for label, name in _of_rule(rule, subjects)
        }
        chosen = _thresholds(problems, thresholds, rules)
        problems.collect(check_name, "dashboard_name", dashboard_name, "dashboard_name")
        if dashboard is not None and dashboard_name is not None:
            problems.add(f"dashboard_name is {dashboard_name!r}, yet dashboard has its own; leave one out.")
        if alarm_topic is not None:
            problems.collect(
                check_kind,
                "alarm_topic",
                alarm_topic,
                'sns.Topic.from_topic_arn(self, "AlarmTopic", "arn:aws:sns:…")',
            )
        problems.raise_all()
        super().__init__(
            scope,
            id,
            watched={key: _watched(instance, rule, name) for key, (rule, name) in rules.items()},
            alarm_topic=alarm_topic,
            thresholds=chosen,
            dashboard=dashboard,
            heading=instance.node.path if isinstance(instance, Construct) else None,
        )
        if self.dashboard is None:
            self.dashboard = cloudwatch.Dashboard(self, "Dashboard", dashboard_name=dashboard_name)
            self.add_status()
        for title, widgets in _groups(instance, subjects).items():
            self.add_group(title, [widgets])


def _of_rule(rule: AlarmRule, subjects: Mapping[str, Mapping[str, str]]) -> Iterable[tuple[str, str | None]]:
    return subjects[rule.each].items() if rule.each else [("", None)]


def _watched(instance: Instance, rule: AlarmRule, name: str | None) -> Watched:
    what = f"{rule.metric.named_by} {name}: " if name is not None else ""
    return Watched(
        metric=connect_metric(instance, rule.metric, name, period=cdk.Duration.minutes(rule.minutes)),
        meaning=f"{what}{rule.meaning} More: {_GUIDE}, {rule.name}.",
        threshold=rule.threshold,
        periods=rule.periods,
        below=rule.below,
        missing=rule.missing,
    )


def _check_instance(problems: Problems, scope: Construct, instance: object) -> None:
    arn = getattr(instance, "instance_arn", None)
    if not isinstance(arn, str) or not isinstance(getattr(instance, "instance_id", None), str):
        problems.add(
            f"instance is {instance!r} ({type(instance).__name__}); write "
            'ConnectInstance.from_arn(self, "Instance", "arn:aws:connect:…").'
        )
        problems.raise_all()
    problems.collect(check, "instance.instance_arn", arn, INSTANCE_ARN)
    Place(scope).check_arn(problems, "instance", arn)


def _listed(problems: Problems, setting: str, values: object, such_as: str) -> list[object]:
    if isinstance(values, (list, tuple)):
        return list(values)
    problems.add(f"{setting} is {values!r} ({type(values).__name__}); write a list, such as {such_as}.")
    return []


def _names(problems: Problems, setting: str, values: object) -> dict[str, str]:
    """Return the names of flows or queues by what their alarms are called after."""
    found: dict[str, str] = {}
    for number, value in enumerate(_listed(problems, setting, values, '["Support line"]')):
        where = f"{setting}[{number}]"
        name = value if isinstance(value, str) else getattr(value, "name", None)
        if not isinstance(name, str):
            problems.add(
                f"{where} is {value!r} ({type(value).__name__}); write its name, or give the object."
            )
            continue
        if isinstance(value, ContactFlow) and isinstance(value.resource, connect.CfnContactFlowModule):
            problems.add(
                f"{where} is {value.node.path}, a module: Amazon Connect counts its errors on the flow that uses it; "
                "give that flow."
            )
            continue
        label = name
        if comes_later(name):
            if not isinstance(value, ContactFlow):
                problems.add(f"{where} comes at deployment only; write a name that is known now.")
                continue
            label = value.node.path
        elif name.startswith("arn:"):
            problems.add(f"{where} is {name!r}, an ARN; metrics go by the name: write that.")
            continue
        elif not NAME_SHOWN.fullmatch(name):
            problems.add(
                f"{where} is {name!r}, of which CloudWatch shows no metric; rename it with letters A to Z, digits, "
                "spaces and . , - _ / # : $ @ | & { } + ? %."
            )
            continue
        if label in found:
            problems.add(f"{setting} has {label!r} twice; leave one out.")
        found[label] = name
    return found


def _keys(problems: Problems, setting: str, values: object) -> dict[str, str]:
    """Return the ids of keys by what their alarms are called after."""
    found: dict[str, str] = {}
    for number, value in enumerate(_listed(problems, setting, values, '["KEY-ID"]')):
        where = f"{setting}[{number}]"
        if isinstance(value, connect.CfnSecurityKey):
            label, key = value.node.path, value.attr_association_id
        elif isinstance(value, str) and value.strip():
            label, key = (f"Key {number + 1}" if comes_later(value) else value), value
        else:
            problems.add(f"{where} is {value!r} ({type(value).__name__}); write the id of a security key.")
            continue
        if label in found:
            problems.add(f"{setting} has {label!r} twice; leave one out.")
        found[label] = key
    return found


def _thresholds(
    problems: Problems, thresholds: object, rules: Mapping[str, tuple[AlarmRule, str | None]]
) -> dict[str, float]:
    """Return what was chosen for each alarm."""
    if thresholds is None:
        return {}
    if not isinstance(thresholds, Mapping):
        problems.add(f'thresholds is {thresholds!r}; write a mapping, such as {{"MissedCalls": 10}}.')
        return {}
    by_name = {rule.name: rule for rule in RULES}
    for key, value in thresholds.items():
        rule = rules[key][0] if key in rules else by_name.get(key)
        if rule is None:
            known = [*by_name, *(one for one in rules if one not in by_name)]
            problems.add(f"thresholds names {key!r}; the alarms are {', '.join(known)}.")
            continue
        low, high, unit = _BOUNDS[rule.metric.kind]
        problems.collect(
            check_range, f"thresholds[{key!r}]", value, (low, high), unit or rule.metric.unit.lower()
        )
    return {
        key: thresholds.get(key, thresholds.get(rule.name, rule.threshold))
        for key, (rule, _) in rules.items()
    }


def _groups(
    instance: Instance, subjects: Mapping[str, Mapping[str, str]]
) -> dict[str, list[cloudwatch.IWidget]]:
    """Return the rows of the dashboard by heading; what has no subjects has no row."""
    found = {
        "Calls": [
            _graph(
                instance,
                "Calls: placed and received, missed, refused",
                metrics.CALLS_PER_INTERVAL,
                metrics.MISSED_CALLS,
                metrics.THROTTLED_CALLS,
                metrics.CALLS_BREACHING,
                metrics.MISCONFIGURED_NUMBERS,
            ),
            _graph(
                instance,
                "Concurrent calls: number, fraction of the quota",
                metrics.CONCURRENT_CALLS,
                right=metrics.CONCURRENT_CALLS_SHARE,
            ),
            _graph(
                instance,
                "Recordings not uploaded; packets lost on the way from agents",
                metrics.RECORDING_UPLOAD_ERRORS,
                right=metrics.PACKET_LOSS,
            ),
        ],
        "Chats and tasks": [
            _graph(
                instance,
                "Chats started and refused; tasks refused",
                metrics.CHATS_STARTED,
                metrics.CHATS_BREACHING,
                metrics.TASKS_BREACHING,
            ),
            _graph(
                instance,
                "Concurrent chats: number, percent of the quota",
                metrics.CONCURRENT_CHATS,
                right=metrics.CONCURRENT_CHATS_PERCENT,
            ),
            _graph(
                instance,
                "Concurrent tasks: number, percent of the quota",
                metrics.CONCURRENT_TASKS,
                right=metrics.CONCURRENT_TASKS_PERCENT,
            ),
        ],
    }
    flows, queues = subjects["flows"].values(), subjects["queues"].values()
    keys = [*subjects["signing_key_ids"].values(), *subjects["retired_signing_key_ids"].values()]
    if flows:
        found["Flows"] = [
            _each(instance, "Error branches taken", flows, metrics.FLOW_ERRORS),
            _each(instance, "Flows that failed", flows, metrics.FLOW_FATAL_ERRORS),
            _each(instance, "Callbacks not dialable", flows, metrics.CALLBACK_NOT_DIALABLE_OF_FLOW),
        ]
    if queues:
        found["Queues"] = [
            _each(instance, "Contacts waiting", queues, metrics.QUEUE_SIZE),
            _each(instance, "Longest wait in seconds", queues, metrics.LONGEST_QUEUE_WAIT),
            _each(
                instance,
                "Turned away by a full queue; callbacks not dialable",
                queues,
                metrics.QUEUE_CAPACITY_EXCEEDED,
                metrics.CALLBACK_NOT_DIALABLE_OF_QUEUE,
            ),
        ]
    if keys:
        found["Encrypted customer input"] = [_each(instance, "Uses of keys", keys, metrics.SIGNING_KEY_USAGE)]
    return found


def _graph(
    instance: Instance, title: str, *left: ConnectMetric, right: ConnectMetric | None = None
) -> cloudwatch.IWidget:
    return cloudwatch.GraphWidget(
        title=title,
        left=[connect_metric(instance, metric) for metric in left],
        right=[connect_metric(instance, right)] if right else [],
        right_y_axis=cloudwatch.YAxisProps(min=0, max=100 if right.kind is MetricKind.PERCENT else 1)
        if right
        else None,
        width=8,
    )


def _each(instance: Instance, title: str, names: Iterable[str], *shown: ConnectMetric) -> cloudwatch.IWidget:
    several = len(shown) > 1
    return cloudwatch.GraphWidget(
        title=title,
        left=[
            connect_metric(instance, metric, name, label=f"{name} {metric.name}" if several else name)
            for metric in shown
            for name in names
        ],
        width=8,
    )
