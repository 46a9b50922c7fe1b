"""An environment: its stacks, tagged."""

from __future__ import annotations

import aws_cdk as cdk

from .settings import Settings
from .voice_stack import VoiceStack


def build_stage(app: cdk.App, settings: Settings) -> VoiceStack:
    """Add the stacks of one environment to the app, with every taggable resource tagged by app and environment."""
    stack = VoiceStack(app, f"connect-bridges-{settings.name}-voice", settings=settings)
    cdk.Tags.of(app).add("app", "connect-bridges")
    cdk.Tags.of(app).add("environment", settings.name)
    return stack
