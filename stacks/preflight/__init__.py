"""Check in the real account what CloudFormation can neither do nor see, and say the exact next step for each gap.

``make preflight ENV=prod`` only reads; it changes nothing. Run it before the deployment, and again after it: then it
also checks what people had to fill in. Source: Kore's guides to external voice, steps 1 and 2, and to chat,
steps 2.5, 4 and 5; VoiceIt and Twilio's demo guide, "Deploying Demo"; quotas' names and codes are Service Quotas' own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from stacks.settings import Settings

from . import account, biometrics, chat, voice
from .findings import Aws, Finding, finding_of

__all__ = ["Aws", "Finding", "next_steps", "run_checks"]


def run_checks(settings: Settings, aws: Aws) -> Iterator[Finding]:
    """Yield a finding per check; a check that AWS does not let us make is a finding too, never an exception."""
    checks = [
        *account.checks(settings),
        *voice.checks(settings.voice),
        *(chat.checks(settings.chat, settings.name) if settings.chat else []),
        *(biometrics.checks(settings.biometrics, settings.name) if settings.biometrics else []),
    ]
    for check in checks:
        yield finding_of(check, settings, aws)


def next_steps(settings: Settings, outputs: Mapping[str, str] | None = None) -> list[str]:
    """Return what no API can do, in order.

    outputs: of the environment's stacks as far as they are deployed (``account.outputs``); what is not among them
    appears as its name in angle brackets.
    """
    known = outputs or {}
    return [
        *voice.next_steps(settings, known),
        *(chat.next_steps(settings.chat, settings, known) if settings.chat else []),
        *(biometrics.next_steps(settings.biometrics, settings, known) if settings.biometrics else []),
    ]
