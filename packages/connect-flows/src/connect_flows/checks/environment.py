"""CF5xx: what ties a flow to one environment, and what does not belong in a flow at all."""

from __future__ import annotations

import re
from dataclasses import dataclass

from connect_flows.diagnostics import Severity, listed, quoted
from connect_flows.references import has_reference, values_with_paths
from connect_flows.rules import error, warning
from connect_flows.subject import ActionAt, Subject
from connect_flows.template import is_opaque

RULES = (
    warning(
        "CF501",
        "hard-coded-resource",
        "The ARN or identifier of an instance's resource is hard-coded in the flow.",
        "The flow cannot be deployed to another instance, Region or account.",
        "Replace it with a ${Placeholder}; connect-flows import does that for a whole file.",
        bad='"QueueId": "arn:aws:connect:us-east-1:123456789012:instance/…/queue/…"',
        good='"QueueId": "${SalesQueue}"',
    ),
    error(
        "CF502",
        "foreign-resource",
        "An ARN belongs to another account, Region or instance than the flow is meant for.",
        "Resources of another instance are rejected. Lambda functions in another account or Region only work "
        "with a permission granted by hand (a warning).",
        "Use the resource of this environment.",
        bad="a queue of the test instance in the flow for production",
        good='"QueueId": "${SalesQueue}"',
    ),
    warning(
        "CF503",
        "environments-mixed",
        "One flow has ARNs of more than one instance, account or Region.",
        "Some block will fail wherever the flow runs; often a copied block was not adapted.",
        "Replace them with placeholders.",
        bad="a queue of one instance, a prompt of another",
        good="placeholders",
    ),
    warning(
        "CF504",
        "secret-in-flow",
        "A password, token or key is hard-coded in the flow.",
        "Everybody with access to flows can read it, exports and logs repeat it, and it cannot be rotated.",
        "Let a Lambda function fetch it from Secrets Manager; it never needs to be in the flow.",
        bad='"Attributes": {"apiToken": "4f9c…"}',
        good="a Lambda function that reads the secret",
    ),
    warning(
        "CF505",
        "phone-number-in-flow",
        "A telephone number is hard-coded in the flow.",
        "It differs between environments, and it may be personal data.",
        "Replace it with a ${Placeholder} or an attribute.",
        bad='"ThirdPartyPhoneNumber": "+12065550100"',
        good='"ThirdPartyPhoneNumber": "${SupportNumber}"',
    ),
)

_ARN = re.compile(
    r"arn:(aws[a-z-]*):([a-z0-9-]{1,40}):([a-z0-9-]{0,30}):([0-9][^:\s\"'<>]{0,39}):([^\s\"'<>]{1,600})"
)
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_INSTANCE = re.compile(r"instance/([0-9a-fA-F-]{36})")
_PHONE = re.compile(r"(?<![\w+])\+[1-9][0-9]{7,14}(?![0-9])")
ID_PARAMETERS = {
    "QueueId",
    "AgentId",
    "PromptId",
    "ContactFlowId",
    "FlowModuleId",
    "HoursOfOperationId",
    "TaskTemplateId",
    "CaseTemplateId",
    "ContactFlowArn",
    "WisdomAssistantArn",
    "LambdaFunctionARN",
    "WatchlistId",
}
"""Parameters whose value names a resource of one instance."""
_SECRETS = (
    re.compile(r"\b(AKIA|ASIA)[0-9A-Z]{16}\b"),
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    re.compile(r"\beyJ[A-Za-z0-9_-]{10,2000}\.[A-Za-z0-9_-]{10,2000}\.[A-Za-z0-9_-]{10,2000}"),
    re.compile(r"\b(Bearer|Basic) [A-Za-z0-9+/=._~-]{16,2000}"),
    re.compile(
        r"\b(sk|rk)_live_[A-Za-z0-9]{16,200}|\bgh[pousr]_[A-Za-z0-9]{30,200}|\bxox[abprs]-[A-Za-z0-9-]{10,200}"
    ),
)
_SECRET_NAME = re.compile(
    r"(password|passwd|secret|token|api[_-]?key|access[_-]?key|authorization|credentials?)$", re.IGNORECASE
)


@dataclass(frozen=True)
class _Arn:
    action: ActionAt
    path: str
    text: str
    service: str
    region: str
    account: str
    instance: str | None


def check(subject: Subject) -> None:
    """Check every parameter value for what is specific to one environment."""
    arns: list[_Arn] = []
    for action in subject.actions:
        for path, text in values_with_paths(action.parameters, "Parameters"):
            arns += _resources(subject, action, path, text)
            _secrets(subject, action, path, text)
    context = subject.context
    if context.account or context.region or context.instance_id:
        for arn in arns:
            _foreign(subject, arn)
        return
    for what, values in (
        ("instances", {a.instance: a for a in arns if a.instance}),
        ("accounts", {a.account: a for a in arns}),
        ("Regions", {a.region: a for a in arns if a.region}),
    ):
        if len(values) > 1:
            first = list(values.values())[1]
            subject.in_block(first.action)(
                "CF503",
                first.path,
                f"the flow names {what} {listed(map(str, values), 4)}",
                "replace them by placeholders",
                evidence="official",
            )
            return


def _resources(subject: Subject, action: ActionAt, path: str, text: str) -> list[_Arn]:
    report, found = subject.in_block(action), []
    for match in _ARN.finditer(text) if "arn:" in text else ():
        instance = _INSTANCE.search(match.group(5))
        found.append(
            _Arn(
                action,
                path,
                match.group(),
                match.group(2),
                match.group(3),
                match.group(4),
                instance.group(1).lower() if instance else None,
            )
        )
        report(
            "CF501",
            path,
            f"{quoted(match.group(), 120)} is a resource of one environment",
            "replace it with a ${Placeholder}",
            evidence="official",
        )
    if not found and _names_resource(path) and _UUID.fullmatch(text):
        report(
            "CF501",
            path,
            f"{quoted(text)} is a resource of one instance",
            "replace it with a ${Placeholder}",
            evidence="official",
        )
    return found


def _names_resource(path: str) -> bool:
    return path.rpartition(".")[2] in ID_PARAMETERS or ".EventHooks." in path


def _foreign(subject: Subject, arn: _Arn) -> None:
    context = subject.context
    wrong = [
        f"{what} {theirs} (here {ours})"
        for what, theirs, ours in (
            ("account", arn.account, context.account),
            ("Region", arn.region, context.region),
            ("instance", arn.instance, (context.instance_id or "").lower()),
        )
        if ours and theirs and theirs != ours
    ]
    if wrong:
        subject.in_block(arn.action)(
            "CF502",
            arn.path,
            f"{quoted(arn.text, 120)} belongs to {listed(wrong)}",
            "use the resource of this environment",
            evidence="inferred",
            severity=None if arn.service == "connect" else Severity.WARNING,
        )


def _secrets(subject: Subject, action: ActionAt, path: str, text: str) -> None:
    report, name = subject.in_block(action), path.rpartition(".")[2]
    named = _SECRET_NAME.search(name) and len(text) >= 8 and " " not in text.strip()
    literal = not has_reference(text) and not is_opaque(text)
    if any(p.search(text) for p in _SECRETS) or (named and literal and not text.startswith("arn:")):
        report(
            "CF504",
            path,
            "the value looks like a secret",
            "let a Lambda function fetch it from Secrets Manager",
            evidence="official",
        )
    elif "+" in text and (number := _PHONE.search(text)):
        shown = f"{number.group()[:4]}…{number.group()[-2:]}"
        report(
            "CF505",
            path,
            f"the telephone number {shown} is hard-coded in the flow",
            "replace it with a ${Placeholder}",
            evidence="official",
        )
