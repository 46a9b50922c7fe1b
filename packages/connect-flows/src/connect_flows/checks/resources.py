"""CF133 to CF136: values that name a resource, by form and by the kind that the parameter takes."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from connect_flows.diagnostics import Severity, listed, quoted
from connect_flows.knowledge import ResourceSpec, knowledge
from connect_flows.references import references
from connect_flows.rules import error, warning

RULES = (
    error(
        "CF133",
        "not-a-resource",
        "A parameter that names a resource holds neither an ARN nor an id.",
        "The service does not find the resource and rejects the flow, or the block takes its error branch.",
        "Write the resource's ARN, a ${Placeholder} or a $. reference.",
        bad='"QueueId": "TODO", "QueueId": "Attributes.queue"',
        good='"QueueId": "${SalesQueue}", "QueueId": "$.Attributes.queue"',
    ),
    error(
        "CF134",
        "arn-damaged",
        "An ARN is damaged: its partition, service, Region, account or resource has not the form it must have.",
        "No resource has such an ARN. A Region that this version does not know is only a warning.",
        "Copy the ARN again, or write a ${Placeholder}.",
        bad='"LambdaFunctionARN": "arn:aws:lambda:us-esat-1:12345678901:function:find"',
        good='"LambdaFunctionARN": "arn:aws:lambda:us-east-1:123456789012:function:find"',
    ),
    error(
        "CF135",
        "arn-of-another-kind",
        "An ARN names another kind of resource than the parameter takes.",
        "The service rejects the flow, or the block takes its error branch for every contact.",
        "Write the ARN of the right kind; often two were swapped.",
        bad='"QueueId": "arn:aws:connect:…:instance/…/prompt/…"',
        good='"QueueId": "arn:aws:connect:…:instance/…/queue/…"',
    ),
    warning(
        "CF136",
        "reference-never-a-resource",
        "An id is read from a reference that never holds one of this kind.",
        "The resource is not found; the block takes its error branch for every contact.",
        "Read the id from an attribute or from a function's answer.",
        bad='"QueueId": "$.Channel"',
        good='"QueueId": "$.Attributes.queueArn"',
    ),
)

_PARTITION = re.compile(r"aws(-cn|-us-gov|-iso(-[a-z])?|-eusc)?")
_REGION = re.compile(
    r"(?:af|ap|ca|cn|eu|eusc-de|eu-isoe|il|me|mx|sa|us|us-gov|us-isob?|us-isof)"
    r"-(?:central|north|south|east|west|northeast|northwest|southeast|southwest)-[1-9]"
)
_ACCOUNT = re.compile(r"[0-9]{12}")
MISSPELT = 0.75
"""Similarity (difflib's ratio) from which a service counts as a misspelling of the one expected."""
_WITHOUT_DOLLAR = re.compile(r"\$?\.?([A-Z][A-Za-z]+)[.\[]")
_TEMPLATED = re.compile(r"%[^%\s]+%|<[^<>]+>|\{[^{}]+\}")
"""What other template tools fill in; ``${Name}`` and ``{{name}}`` never come here."""


@dataclass(frozen=True)
class Problem:
    """What is wrong with the value: a rule with its message and fix; severity None is the rule's own."""

    rule: str
    message: str
    fix: str
    severity: Severity | None = None


def problem(value: str, kind: str, *, published: bool = False) -> Problem | None:
    """Return what is wrong with a fixed value of a parameter that takes this kind of resource."""
    spec = knowledge().resources[kind]
    if _TEMPLATED.search(value):
        return None
    if value.lower().startswith("arn:"):
        return _arn_problem(value, spec)
    if _matches(spec.id, value):
        return None
    return Problem(
        "CF133",
        f"{quoted(value)} is neither the ARN nor the id of {_a(spec)}"
        if spec.id
        else f"{quoted(value)} is not the ARN of {_a(spec)}",
        _fix(value, spec),
        Severity.WARNING if published else None,
    )


def reference_problem(value: str, kind: str) -> Problem | None:
    """Return what is wrong with a value of a resource parameter that consists of a reference."""
    table = knowledge()
    for reference in references(value):
        root, spec = reference.root, table.resources[kind]
        if root in table.never_resources and reference.text not in spec.references:
            more = f", or {listed(spec.references)}" if spec.references else ""
            return Problem(
                "CF136",
                f"{quoted(reference.text)} never holds the id of {_a(spec)}",
                f"read it from $.Attributes or $.External{more}",
            )
        if root in table.resource_references and reference.text not in spec.references:
            return Problem(
                "CF136",
                f"{quoted(reference.text)} never holds the id of {_a(spec)}",
                f"write {listed(spec.references)}"
                if spec.references
                else "read it from $.Attributes or $.External",
            )
    return None


def _arn_problem(value: str, spec: ResourceSpec) -> Problem | None:
    shown, fix, table = quoted(value, 160), f"write {spec.arn}", knowledge()
    parts = value.split(":", 5)
    if len(parts) != 6:
        return Problem("CF134", f"the ARN {shown} has not the form of {spec.arn}", fix)
    _, partition, service, region, account, resource = parts
    if service not in spec.services and not _misspelt(service, spec):
        said = f"{shown} is a resource of {quoted(service)}, not the ARN of {_a(spec)}"
        return Problem("CF135", said, fix)
    wrong = {
        "prefix": (parts[0], parts[0] == "arn"),
        "partition": (partition, _PARTITION.fullmatch(partition)),
        "service": (service, service in spec.services),
        "Region": (region, _REGION.fullmatch(region)),
        "account": (account, _ACCOUNT.fullmatch(account) or account in spec.accounts),
    }
    for what, (part, fits) in wrong.items():
        if not fits:
            return Problem("CF134", f"the ARN {shown} has the {what} {quoted(part)}", fix)
    if not _matches(spec.path, resource):
        return _resource_problem(value, service, resource, spec)
    if region in table.regions:
        return None
    near = difflib.get_close_matches(region, sorted(table.regions), 1)
    said = f"the ARN {shown} has the Region {quoted(region)}, which this version does not know"
    fix = f"did you mean {near[0]}" if near else "check it"
    return Problem("CF134", said, fix, Severity.WARNING)


def _misspelt(service: str, spec: ResourceSpec) -> bool:
    others = {s for other in knowledge().resources.values() for s in other.services}
    return service not in others and bool(difflib.get_close_matches(service, spec.services, 1, MISSPELT))


def _resource_problem(value: str, service: str, resource: str, spec: ResourceSpec) -> Problem:
    for other in knowledge().resources.values():
        if service in other.services and _matches(other.path, resource):
            said = f"{quoted(value, 160)} is the ARN of {_a(other)}, not of {_a(spec)}"
            return Problem("CF135", said, f"write {spec.arn}")
    said = f"the ARN {quoted(value, 160)} has the resource {quoted(resource, 120)}"
    return Problem("CF134", said, f"write {spec.arn}")


def _a(spec: ResourceSpec) -> str:
    return f"{'an' if spec.words[0] in 'aeiou' else 'a'} {spec.words}"


def _fix(value: str, spec: ResourceSpec) -> str:
    match = _WITHOUT_DOLLAR.match(value)
    if match and match.group(1) in knowledge().json_path_roots:
        return f"write $.{value.lstrip('$.')}"
    return f"write {spec.arn}, a ${{Placeholder}} or a $. reference"


def _matches(pattern: str | None, text: str) -> bool:
    return pattern is not None and _compiled()[pattern].fullmatch(text) is not None


@cache
def _compiled() -> Mapping[str, re.Pattern[str]]:
    patterns = [p for r in knowledge().resources.values() for p in (r.path, r.id) if p is not None]
    return {pattern: re.compile(pattern) for pattern in patterns}
