"""An environment: its stacks in their order, tagged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch

from .biometrics_stack import BiometricsStack
from .chat_stack import ChatStack
from .configuration_stack import ConfigurationStack
from .instance_settings import InstanceSettings
from .instance_stack import CreatedInstance, InstanceStack
from .monitoring_stack import AlarmsStack, MonitoringStack
from .numbers_stack import NumbersStack
from .settings import Settings
from .told import told
from .voice_stack import VoiceStack


@dataclass(frozen=True)
class _Instance:
    """The instance of an environment, as its bridges see it."""

    created: CreatedInstance | None
    queue: Callable[[str | None, str | None], str | None]
    """Returns a queue's ARN: of a created instance by its key, of an imported one as it was given."""
    queue_names: tuple[str, ...] = ()
    """Of a created instance: what its metrics call the queues."""


@dataclass(frozen=True)
class _Watched:
    """How an environment is watched."""

    dashboard: cloudwatch.Dashboard | None
    """None: each bridge has its own."""
    alarm_topic_arn: str | None
    flows: list[str] = field(default_factory=list)
    """Names of the bridges' flows, as far as they are built."""


def build_stage(app: cdk.App, settings: Settings) -> None:
    """Add the stacks of one environment to the app, with every taggable resource tagged by app and environment.

    An environment that creates its instance is deployed in this order: instance; storage, hours and queues; bridges,
    those first that others call; numbers. Each stack depends on the one before, so that Amazon Connect gets the two
    requests a second that it takes, and one storage association at a time, also with ``cdk deploy --concurrency``.
    An environment with ``monitoring`` has its topic before all and its dashboard after all, which names what it shows.
    Values go from stack to stack as outputs without export (docs/decisions/0019-weak-references.md): no stack's update
    waits for another's.

    With an imported instance the stacks do not depend on one another. Each keeps to Amazon Connect's two control-plane
    requests a second by itself, so leave ``cdk deploy --concurrency`` at 1.
    """
    # evidence: control-plane-rate
    place: dict[str, Any] = {
        "name": settings.name,
        "account": settings.account,
        "region": settings.region,
        "deletion_protection": settings.deletion_protection,
    }
    stacks: list[cdk.Stack] = []
    topic_arn = _topic(app, settings, place, stacks)
    if settings.instance is not None:
        instance = _create(app, settings.instance, place, stacks)
    else:
        instance = _Instance(None, lambda _, arn: arn)
    monitoring = settings.monitoring and MonitoringStack(
        app,
        f"connect-bridges-{settings.name}-monitoring",
        settings=settings.monitoring,
        instance_arn=settings.instance_arn or "",
        created=instance.created,
        **place,
    )
    watched = _Watched(monitoring.dashboard if monitoring else None, topic_arn)
    flows = _bridges(app, settings, place, instance, watched=watched, stacks=stacks)
    if settings.instance is not None and instance.created is not None and settings.instance.numbers:
        stacks.append(
            NumbersStack(
                app,
                f"connect-bridges-{settings.name}-numbers",
                numbers=settings.instance.numbers,
                flows=flows,
                created=instance.created,
                **place,
            )
        )
    if monitoring:
        monitoring.watch(flows=watched.flows, queues=instance.queue_names, alarm_topic_arn=topic_arn)
        stacks.append(monitoring)
    if settings.instance is not None:
        for before, after in pairwise(stacks):
            after.add_stack_dependency(before, reason="Amazon Connect takes two requests a second")
    for stack in stacks:
        # By stack, not on the app: the app may hold other environments too.
        cdk.Tags.of(stack).add("app", "connect-bridges")
        cdk.Tags.of(stack).add("environment", settings.name)


def _topic(app: cdk.App, settings: Settings, place: dict[str, Any], stacks: list[cdk.Stack]) -> str | None:
    """Return where alarms go: the topic of the settings, or one that is made for whom they name."""
    if not (settings.monitoring and settings.monitoring.alarm_email):
        return settings.alarm_topic_arn
    alarms = AlarmsStack(
        app, f"connect-bridges-{settings.name}-alarms", email=settings.monitoring.alarm_email, **place
    )
    stacks.append(alarms)
    return alarms.topic_arn


def _create(
    app: cdk.App, settings: InstanceSettings, place: dict[str, Any], stacks: list[cdk.Stack]
) -> _Instance:
    """Add the stacks of an instance and of what is in it."""
    prefix = f"connect-bridges-{place['name']}"
    instance = InstanceStack(app, f"{prefix}-instance", instance=settings, **place)
    configuration = ConfigurationStack(
        app, f"{prefix}-configuration", settings=settings, created=instance.made, **place
    )
    stacks += [instance, configuration]
    queues = configuration.queue_arns
    names = tuple(queue.name for queue in configuration.queues.values())
    return _Instance(instance.made, lambda key, _: queues[key] if key is not None else None, names)


def _bridges(
    app: cdk.App,
    settings: Settings,
    place: dict[str, Any],
    instance: _Instance,
    *,
    watched: _Watched,
    stacks: list[cdk.Stack],
) -> dict[str, str]:
    """Add the bridges' stacks, those first whose flows others lead to; return the ARNs of flows for numbers."""
    prefix = f"connect-bridges-{settings.name}"
    voice = VoiceStack(
        app,
        f"{prefix}-voice",
        settings=settings,
        created=instance.created,
        queue_arn=instance.queue(settings.voice.queue, settings.voice.queue_arn),
        alarm_topic_arn=watched.alarm_topic_arn,
        dashboard=watched.dashboard,
    )
    stacks.append(voice)
    watched.flows.append(voice.transfer.flow.name)
    flows = {"voice": told(voice, "VoiceFlowArn")}
    common: dict[str, Any] = {
        **place,
        "instance_arn": settings.instance_arn or "",
        "created": instance.created,
        "protected": settings.protected,
        "alarm_topic_arn": watched.alarm_topic_arn,
        "dashboard": watched.dashboard,
    }
    chat, biometrics = settings.chat, settings.biometrics
    if chat:
        queue = instance.queue(chat.queue, chat.queue_arn)
        chats = ChatStack(app, f"{prefix}-chat", chat=chat, queue_arn=queue, **common)
        stacks.append(chats)
        watched.flows.append(chats.bridge.flow.name)
    if biometrics:
        gate = BiometricsStack(
            app,
            f"{prefix}-biometrics",
            biometrics=biometrics,
            queue_arn=instance.queue(biometrics.queue, biometrics.queue_arn),
            unverified_queue_arn=instance.queue(biometrics.unverified_queue, biometrics.unverified_queue_arn),
            next_flow_arn=flows[biometrics.next_flow] if biometrics.next_flow else biometrics.next_flow_arn,
            **common,
        )
        stacks.append(gate)
        watched.flows.append(gate.gate.flow.name)
        flows["biometrics"] = told(gate, "BiometricsFlowArn")
    return flows
