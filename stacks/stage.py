"""An environment: its stacks, tagged."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk

from .biometrics_stack import BiometricsStack
from .chat_stack import ChatStack
from .settings import Settings
from .voice_stack import VoiceStack


def build_stage(app: cdk.App, settings: Settings) -> None:
    """Add the stacks of one environment to the app, with every taggable resource tagged by app and environment.

    The stacks do not depend on one another. Each keeps to Amazon Connect's two control-plane requests a second by
    itself, so leave ``cdk deploy --concurrency`` at 1.
    """
    # evidence: control-plane-rate
    stacks: list[cdk.Stack] = [VoiceStack(app, f"connect-bridges-{settings.name}-voice", settings=settings)]
    common: dict[str, Any] = {
        "name": settings.name,
        "account": settings.account,
        "region": settings.region,
        "instance_arn": settings.instance_arn,
        "protected": settings.protected,
        "deletion_protection": settings.deletion_protection,
        "alarm_topic_arn": settings.alarm_topic_arn,
    }
    if settings.chat:
        stacks.append(ChatStack(app, f"connect-bridges-{settings.name}-chat", chat=settings.chat, **common))
    if settings.biometrics:
        stacks.append(
            BiometricsStack(
                app, f"connect-bridges-{settings.name}-biometrics", biometrics=settings.biometrics, **common
            )
        )
    for stack in stacks:
        # By stack, not on the app: the app may hold other environments too.
        cdk.Tags.of(stack).add("app", "connect-bridges")
        cdk.Tags.of(stack).add("environment", settings.name)
