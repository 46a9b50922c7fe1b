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

    The stacks need nothing of one another. Each respects Amazon Connect's two control-plane requests a second for
    itself, so leave ``cdk deploy --concurrency`` at 1.
    """
    VoiceStack(app, f"connect-bridges-{settings.name}-voice", settings=settings)
    common: dict[str, Any] = {
        "name": settings.name,
        "account": settings.account,
        "region": settings.region,
        "instance_arn": settings.instance_arn,
        "protected": settings.protected,
        "alarm_topic_arn": settings.alarm_topic_arn,
    }
    if settings.chat:
        ChatStack(app, f"connect-bridges-{settings.name}-chat", chat=settings.chat, **common)
    if settings.biometrics:
        BiometricsStack(
            app, f"connect-bridges-{settings.name}-biometrics", biometrics=settings.biometrics, **common
        )
    cdk.Tags.of(app).add("app", "connect-bridges")
    cdk.Tags.of(app).add("environment", settings.name)
