"""What a check is called, what it finds, and the exact next step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

CHECKS: Mapping[str, str] = {
    "credentials": "who asks, and whether AWS takes the credentials",
    "region": "the Region exists, and has Amazon Connect",
    "account": "the credentials are of the account that the stack is for",
    "connector-region": "the Region has external voice transfer connectors",
    "bootstrap": "the CDK is bootstrapped, in the version that the app needs",
    "connect-open": "AWS lets the account use Amazon Connect",
    "lambda-concurrency": "concurrent executions, reserved and left",
    "api-log-role": "the role with which API Gateway logs, and whether the deployment would replace it",
    "connector-quota": "external voice transfer connectors: quota, used, needed",
    "instance": "the Amazon Connect instance is there and ACTIVE",
    "instance-alias": "nobody has the alias of an instance that is to come; a deployed instance has its own",
    "inbound-calls": "the instance takes calls",
    "outbound-calls": "the instance places calls, for transfers to telephone numbers",
    "flow-logs": "the instance logs what flows do",
    "function-quota": "functions associated with the instance: quota, used, needed",
    "flow-quota": "flows of the instance: quota, used, needed",
    "module-quota": "flow modules of the instance: quota, used, needed",
    "instance-quota": "Amazon Connect instances of the account: quota, used, needed",
    "user-quota": "users of the instance: quota, used, needed",
    "phone-number-quota": "telephone numbers of the instance: quota, used, needed",
    "queue-quota": "queues of the instance: quota, used, needed",
    "routing-profile-quota": "routing profiles of the instance: quota, used, needed",
    "hours-quota": "hours of operation of the instance: quota, used, needed",
    "quick-connect-quota": "quick connects of the instance: quota, used, needed",
    "prompt-quota": "prompts of the instance: quota, used, needed",
    "agent-status-quota": "statuses of agents in the instance: quota, used, needed",
    "security-profile-quota": "security profiles of the instance: quota, used, needed",
    "hierarchy-group-quota": "hierarchy groups of the instance: quota, used, needed",
    "lex-bot-quota": "Amazon Lex V1 bots of the instance: quota, used, needed",
    "lex-alias-quota": "aliases of Amazon Lex V2 bots of the instance: quota, used, needed",
    "application-quota": "applications associated with the instance: quota, used, needed",
    "origin-quota": "approved origins of the instance: limit, used, needed",
    "security-key-quota": "security keys of the instance: limit, used, needed",
    "limits": "how much of its other quotas the instance uses; what is full or nearly so is told by its own check",
    "stack-status": "the state of the stack, and whether the next deployment can start from it",
    "names-free": "names that the template fixes are free, or the stack's own",
    "table-replaced": "the deployment would leave a table, and what it holds, behind",
    "deletion-protection": "what a deployed stack keeps is protected from deletion",
    "connector-associated": "the connector exists, and the instance is associated with it",
    "connector-host": "the name of the session border controller resolves",
    "queue": "the queues that contacts go to exist and are enabled",
    "next-flow": "the flows that contacts go on to exist and are active",
    "endpoint-tls": "the vendor's address answers with a certificate that is trusted",
    "provider-function": "the function of an own voice check is there and has the time that the gate waits",
    "secret": "secrets are there, and hold no placeholder",
    "secret-key": "the key that a secret is encrypted with is usable",
    "subscription": "the vendor has confirmed the subscription to the topic",
    "function-health": "functions are active, and their last update succeeded",
    "phone-number": "a telephone number leads to the flow",
    "redial-number": "the number that the telephony side dials is the instance's",
}
"""Every check by its name, which stays: docs/evidence.md and other people's scripts refer to it."""


class Status(StrEnum):
    """Failure: the deployment would fail, or contacts would. Warning: it goes on, and somebody should know."""

    OK = "ok"
    WARNING = "warning"
    FAILURE = "failure"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class QuotaRequest:
    """An increase to ask Service Quotas for. context: the ARN of the instance, if the quota is one of an instance."""

    region: str
    service: str
    code: str
    desired: float
    context: str | None = None

    @property
    def command(self) -> str:
        """The command that files it."""
        context = f" --context-id {self.context}" if self.context else ""
        return (
            f"aws service-quotas request-service-quota-increase --region {self.region} --service-code {self.service} "
            f"--quota-code {self.code} --desired-value {self.desired:g}{context}"
        )


@dataclass(frozen=True)
class Finding:
    """What a check found. fix: one sentence. commands: to be pasted, in order. subject: what was looked at."""

    check: str
    status: Status
    subject: str
    found: str
    fix: str = ""
    commands: Sequence[str] = ()
    request: QuotaRequest | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        """Hold every finding to the list of checks."""
        if self.check not in CHECKS:
            raise ValueError(f"{self.check!r} is no check; add it to CHECKS")

    def to_json(self) -> dict[str, Any]:
        """Return the form of docs/doctor.md."""
        told: dict[str, Any] = {
            "check": self.check,
            "status": self.status.value,
            "subject": self.subject,
            "found": self.found,
        }
        if self.fix or self.commands:
            told["next"] = {"text": self.fix, "commands": list(self.commands)}
        if self.request:
            told["quotaRequest"] = {
                "serviceCode": self.request.service,
                "quotaCode": self.request.code,
                "desiredValue": self.request.desired,
                **({"contextId": self.request.context} if self.request.context else {}),
            }
        return told


class About:
    """Makes the findings of one check of one subject."""

    def __init__(self, check: str, subject: str) -> None:
        """check: one of CHECKS. subject: a stack, a construct's path, an instance or a Region."""
        self.check = check
        self.subject = subject

    def ok(self, found: str) -> Finding:
        """Say that all is well."""
        return Finding(self.check, Status.OK, self.subject, found)

    def warning(
        self, found: str, fix: str = "", *commands: str, request: QuotaRequest | None = None
    ) -> Finding:
        """Say what somebody should know."""
        return Finding(self.check, Status.WARNING, self.subject, found, fix, commands, request)

    def failure(self, found: str, fix: str, *commands: str, request: QuotaRequest | None = None) -> Finding:
        """Say that the deployment or the contacts would fail."""
        return Finding(self.check, Status.FAILURE, self.subject, found, fix, commands, request)

    def skipped(self, why: str, fix: str = "", *commands: str) -> Finding:
        """Say why it could not be looked at, or not yet."""
        return Finding(self.check, Status.SKIPPED, self.subject, why, fix, commands)
