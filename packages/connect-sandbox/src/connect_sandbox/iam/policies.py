"""IAM policy documents, read strictly: what cannot be evaluated is refused by name on reading."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from connect_sandbox.iam.conditions import Condition, parse_conditions
from connect_sandbox.iam.errors import MalformedPolicy, UnsupportedPolicy
from connect_sandbox.iam.patterns import Pattern, parse_pattern

if TYPE_CHECKING:
    from collections.abc import Mapping


class PolicyKind(StrEnum):
    """Where a policy is attached, which determines its elements."""

    IDENTITY = "identity-based policy"
    BOUNDARY = "permissions boundary"
    RESOURCE = "resource-based policy"
    TRUST = "role trust policy"


@dataclass(frozen=True)
class PrincipalElement:
    """A Principal or NotPrincipal element: everyone, AWS principals by ARN, services by name."""

    everyone: bool
    aws: frozenset[str]
    services: frozenset[str]


@dataclass(frozen=True)
class Statement:
    """One statement. Exactly one of actions/not_actions is set, likewise for resources and principals.

    ``resources`` and ``not_resources`` are both None in a trust policy, whose resource is the role itself;
    ``principals`` and ``not_principals`` are both None in an identity-based policy.
    """

    policy: str
    sid: str
    effect: str
    actions: tuple[str, ...] | None
    not_actions: tuple[str, ...] | None
    resources: tuple[Pattern, ...] | None
    not_resources: tuple[Pattern, ...] | None
    principals: PrincipalElement | None
    not_principals: PrincipalElement | None
    conditions: tuple[Condition, ...]

    @property
    def allows(self) -> bool:
        """Whether the effect is Allow."""
        return self.effect == "Allow"

    def __str__(self) -> str:
        return f"{self.sid} of {self.policy}"


@dataclass(frozen=True)
class Policy:
    """A policy document: its name (for messages), its kind and its statements."""

    name: str
    kind: PolicyKind
    statements: tuple[Statement, ...]

    @classmethod
    def parse(
        cls, document: Mapping[str, Any] | str, *, name: str, kind: PolicyKind = PolicyKind.IDENTITY
    ) -> Policy:
        """Read a policy document (a mapping or its JSON text).

        Raises MalformedPolicy for what IAM refuses, UnsupportedPolicy for what the sandbox cannot evaluate.
        """
        return _parse(document if isinstance(document, str) else json.dumps(document), name, kind)


_STATEMENT_KEYS: Final = frozenset(
    {
        "Sid",
        "Effect",
        "Action",
        "NotAction",
        "Resource",
        "NotResource",
        "Principal",
        "NotPrincipal",
        "Condition",
    }
)
_ACTION: Final = re.compile(r"\*|[A-Za-z0-9-]+:[A-Za-z0-9*?]+")
_VERSIONS: Final = ("2012-10-17", "2008-10-17")
_AWS_PRINCIPAL: Final = re.compile(
    r"arn:[\w-]+:(?:iam::\d{12}:(?:root|(?:role|user)/[^*?]+)|sts::\d{12}:assumed-role/[^/*?]+/[^/*?]+)"
)


@lru_cache(maxsize=1024)
def _parse(text: str, name: str, kind: PolicyKind) -> Policy:
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise MalformedPolicy(name, f"it is not JSON ({error})", "Give a JSON object.") from None
    if not isinstance(document, dict) or "Statement" not in document:
        raise MalformedPolicy(name, "it has no Statement", "Give an object with Version and Statement.")
    # Without Version the old one applies, in which ${…} is plain text.
    version = document.get("Version", "2008-10-17")
    if version not in _VERSIONS:
        raise MalformedPolicy(name, f"Version is {version!r}", 'Write "2012-10-17".')
    found = document["Statement"]
    statements = found if isinstance(found, list) else [found]
    return Policy(name, kind, tuple(_statement(s, i, name, kind, version) for i, s in enumerate(statements)))


def _statement(document: object, index: int, name: str, kind: PolicyKind, version: str) -> Statement:
    if not isinstance(document, dict):
        raise MalformedPolicy(name, f"statement {index} is {document!r}", "Write an object.")
    sid = str(document.get("Sid") or f"statement {index}")
    where = f"{name} ({sid})"
    if unknown := sorted(set(document) - _STATEMENT_KEYS):
        raise MalformedPolicy(
            where, f"unknown element {', '.join(unknown)}", "Remove it or correct its spelling."
        )
    if document.get("Effect") not in {"Allow", "Deny"}:
        raise MalformedPolicy(where, f"Effect is {document.get('Effect')!r}", 'Write "Allow" or "Deny".')
    variables = version == "2012-10-17"
    actions, not_actions = _either(document, "Action", where)
    _check_actions(where, (*(actions or ()), *(not_actions or ())))
    resources, not_resources = _resources(document, where, kind)
    principals, not_principals = _principals(document, where, kind)

    def patterns(texts: tuple[str, ...] | None) -> tuple[Pattern, ...] | None:
        return None if texts is None else tuple(parse_pattern(text, variables=variables) for text in texts)

    return Statement(
        policy=name,
        sid=sid,
        effect=document["Effect"],
        actions=actions,
        not_actions=not_actions,
        resources=patterns(resources),
        not_resources=patterns(not_resources),
        principals=principals,
        not_principals=not_principals,
        conditions=parse_conditions(where, document["Condition"], variables=variables)
        if "Condition" in document
        else (),
    )


def _either(document: dict[str, Any], element: str, where: str) -> tuple[tuple[str, ...] | None, ...]:
    """Return (element, Not-element), exactly one of them set."""
    if (element in document) == (f"Not{element}" in document):
        raise MalformedPolicy(where, f"it needs exactly one of {element} and Not{element}", "Give one.")
    return tuple(
        _strings(document[e], e, where) if e in document else None for e in (element, f"Not{element}")
    )


def _strings(value: object, element: str, where: str) -> tuple[str, ...]:
    items: list[object] = value if isinstance(value, list) else [value]
    texts = tuple(item for item in items if isinstance(item, str) and item)
    if not items or len(texts) < len(items):
        raise MalformedPolicy(where, f"{element} is {value!r}", "Give text or a list of texts.")
    return texts


def _check_actions(where: str, actions: tuple[str, ...]) -> None:
    for action in actions:
        if _ACTION.fullmatch(action) is None:
            raise MalformedPolicy(
                where, f"action {action!r}", "Write service:Action, for example dynamodb:PutItem."
            )


def _resources(document: dict[str, Any], where: str, kind: PolicyKind) -> tuple[tuple[str, ...] | None, ...]:
    if kind is PolicyKind.TRUST:
        if {"Resource", "NotResource"} & set(document):
            raise MalformedPolicy(
                where, "a trust policy has no Resource", "Remove it: the role is the resource."
            )
        return None, None
    resources, not_resources = _either(document, "Resource", where)
    for resource in (*(resources or ()), *(not_resources or ())):
        if resource != "*" and not resource.startswith(("arn:", "*", "?", "${")):
            raise MalformedPolicy(where, f"resource {resource!r}", 'Write an ARN or "*".')
    return resources, not_resources


def _principals(
    document: dict[str, Any], where: str, kind: PolicyKind
) -> tuple[PrincipalElement | None, PrincipalElement | None]:
    present = {"Principal", "NotPrincipal"} & set(document)
    if kind in {PolicyKind.IDENTITY, PolicyKind.BOUNDARY}:
        if present:
            raise MalformedPolicy(where, f"an {kind} has no {present.pop()}", "Remove it.")
        return None, None
    if len(present) != 1:
        raise MalformedPolicy(where, "it needs exactly one of Principal and NotPrincipal", "Give one.")
    element = _principal(document[present.copy().pop()], where)
    if "Principal" in present:
        return element, None
    if document["Effect"] == "Allow" or kind is PolicyKind.TRUST:
        raise MalformedPolicy(
            where, "NotPrincipal works with Deny in a resource policy only", "Write Principal."
        )
    return None, element


def _principal(value: object, where: str) -> PrincipalElement:
    if value == "*":
        return PrincipalElement(everyone=True, aws=frozenset(), services=frozenset())
    if not isinstance(value, dict) or not value:
        raise MalformedPolicy(where, f"Principal is {value!r}", 'Write "*" or {"AWS": …} or {"Service": …}.')
    for kind in value:
        if kind not in {"AWS", "Service"}:
            raise UnsupportedPolicy(
                where, f"principal type {kind}", "the sandbox knows AWS and Service principals"
            )
    aws = _strings(value["AWS"], "Principal.AWS", where) if "AWS" in value else ()
    services = _strings(value["Service"], "Principal.Service", where) if "Service" in value else ()
    for service in services:
        if "*" in service or "?" in service:
            raise MalformedPolicy(where, f"service principal {service!r}", "Wildcards are not allowed there.")
    return PrincipalElement(
        everyone="*" in aws,
        aws=frozenset(_aws_principal(item, where) for item in aws if item != "*"),
        services=frozenset(services),
    )


def _aws_principal(text: str, where: str) -> str:
    """Return a principal as ARN; an account number means the account's …:root."""
    if re.fullmatch(r"\d{12}", text):
        return f"arn:aws:iam::{text}:root"
    if _AWS_PRINCIPAL.fullmatch(text) is None:
        raise UnsupportedPolicy(
            where, f"principal {text!r}", "write an account, role, user or assumed-role session ARN, or *"
        )
    return text
