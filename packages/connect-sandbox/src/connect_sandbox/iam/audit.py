"""What IAM was asked, and how it compares with what was granted: least privilege as a test.

``AuditLog`` records each permission that a call asked for. ``compare_grants`` compares it with a role's policies in
both directions: granted and never used, used and granted nowhere.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from connect_sandbox.iam.patterns import Pattern, wildcard_match
from connect_sandbox.iam.service_authorization import expand_action, find_action

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from connect_sandbox.iam.evaluate import Decision
    from connect_sandbox.iam.policies import Policy, Statement


@dataclass(frozen=True)
class AuditEntry:
    """One permission that a call needed: an action on a resource."""

    time: datetime
    principal: str
    role: str | None
    action: str
    resource: str
    allowed: bool
    reason: str
    statement: str | None = None

    def __str__(self) -> str:
        return f"{self.role or self.principal} {self.action} {self.resource}: {self.reason}"


class AuditLog:
    """Every decision, in order. Thread-safe."""

    def __init__(self) -> None:
        self._entries: list[AuditEntry] = []
        self.told_to: Callable[[tuple[AuditEntry, ...]], None] | None = None
        """Hears of each decision."""
        self._lock = threading.Lock()

    def record(self, decision: Decision) -> tuple[AuditEntry, ...]:
        """Add a decision, one entry for each permission that the call needs."""
        now = datetime.now(UTC)
        entries = tuple(
            AuditEntry(
                time=now,
                principal=part.principal.arn,
                role=part.principal.role_name,
                action=part.action,
                resource=part.resource,
                allowed=part.allowed,
                reason=part.reason.value.format(action=part.action),
                statement=None if part.statement is None else str(part.statement),
            )
            for part in decision.parts or (decision,)
        )
        with self._lock:
            self._entries.extend(entries)
        if self.told_to is not None:
            self.told_to(entries)
        return entries

    def calls(
        self,
        *,
        role: str | None = None,
        principal: str | None = None,
        action: str | None = None,
        allowed: bool | None = None,
    ) -> tuple[AuditEntry, ...]:
        """Return all entries, or some, in order.

        By role (name), principal (ARN, as of an IAM user), action (may hold ``*``) or outcome.
        """
        with self._lock:
            entries = tuple(self._entries)
        return tuple(
            entry
            for entry in entries
            if (role is None or entry.role == role)
            and (principal is None or entry.principal == principal)
            and (action is None or wildcard_match(action, entry.action, ignore_case=True))
            and (allowed is None or entry.allowed is allowed)
        )

    def forget(self, entries: Iterable[AuditEntry]) -> None:
        """Delete entries, such as the refusals that a rehearsal has provoked on purpose."""
        gone = {id(entry) for entry in entries}
        with self._lock:
            self._entries = [entry for entry in self._entries if id(entry) not in gone]

    def clear(self) -> None:
        """Delete all entries."""
        with self._lock:
            self._entries.clear()


@dataclass(frozen=True, order=True)
class Grant:
    """One action on one resource pattern that a policy's Allow grants."""

    action: str
    resource: str
    statement: str

    def __str__(self) -> str:
        return f"{self.action} on {self.resource} ({self.statement})"


@dataclass(frozen=True)
class GrantReport:
    """How the grants of a role or user compare with its calls.

    ``wildcard_actions`` are action patterns with ``*`` or ``?`` (and NotAction) as written.
    ``wildcard_resources`` are grants whose resource has a wildcard; ``needless_wildcard_resources`` those of them
    that say ``*`` although the action supports resources, so an ARN is possible.
    """

    unused_grants: tuple[Grant, ...]
    ungranted_calls: tuple[AuditEntry, ...]
    wildcard_actions: tuple[Grant, ...]
    wildcard_resources: tuple[Grant, ...]
    needless_wildcard_resources: tuple[Grant, ...]

    @property
    def exact(self) -> bool:
        """Whether every grant was used, every call granted, and no wildcard used where a name is possible."""
        return not (
            self.unused_grants
            or self.ungranted_calls
            or self.wildcard_actions
            or self.needless_wildcard_resources
        )

    def __str__(self) -> str:
        lines = [f"granted and never used: {grant}" for grant in self.unused_grants]
        lines += [f"used and not granted: {entry}" for entry in self.ungranted_calls]
        lines += [f"wildcard action: {grant}" for grant in self.wildcard_actions]
        lines += [f"resource * where an ARN can stand: {grant}" for grant in self.needless_wildcard_resources]
        return "\n".join(lines) or "every grant is used and every call is granted"


def compare_grants(policies: Sequence[Policy], calls: Iterable[AuditEntry]) -> GrantReport:
    """Compare what policies grant with what calls needed.

    Conditions are ignored: a grant counts as used if a call's action and resource match it. NotAction and
    NotResource cannot be listed action by action; they count as wildcards.
    """
    entries = tuple(calls)
    written = [(statement, *pair) for statement in _allows(policies) for pair in _pairs(statement)]
    grants: dict[Grant, Pattern | None] = {}
    unused: set[Grant] = set()
    for statement, action, resource in written:
        for name in expand_action(action):
            grant = Grant(name, _text(statement, resource), str(statement))
            grants[grant] = resource
            if not any(_covers(statement, name, resource, entry) for entry in entries):
                unused.add(grant)
    ungranted = tuple(
        entry
        for entry in entries
        if not any(_covers(statement, action, resource, entry) for statement, action, resource in written)
        and not any(_covers_others(statement, entry) for statement in _allows(policies))
    )
    starred = [grant for grant, resource in grants.items() if resource is None or resource.has_wildcard]
    return GrantReport(
        unused_grants=tuple(sorted(unused)),
        ungranted_calls=tuple(dict.fromkeys(ungranted)),
        wildcard_actions=tuple(sorted(set(_wildcard_actions(policies)))),
        wildcard_resources=tuple(sorted(starred)),
        needless_wildcard_resources=tuple(
            sorted(grant for grant in starred if _is_needless(grant, grants[grant]))
        ),
    )


def _allows(policies: Sequence[Policy]) -> list[Statement]:
    return [statement for policy in policies for statement in policy.statements if statement.allows]


def _pairs(statement: Statement) -> list[tuple[str, Pattern | None]]:
    """Return the actions and resources as written; None means the complement of a NotResource."""
    resources: tuple[Pattern | None, ...] = (None,) if statement.resources is None else statement.resources
    return [(action, resource) for action in statement.actions or () for resource in resources]


def _text(statement: Statement, resource: Pattern | None) -> str:
    if resource is not None:
        return resource.text
    return f"NotResource {', '.join(pattern.text for pattern in statement.not_resources or ())}"


def _covers(statement: Statement, action: str, resource: Pattern | None, entry: AuditEntry) -> bool:
    if not wildcard_match(action, entry.action, ignore_case=True):
        return False
    if resource is None:
        return not _any_matches(statement.not_resources, entry)
    return _any_matches((resource,), entry)


def _covers_others(statement: Statement, entry: AuditEntry) -> bool:
    """Whether a statement with NotAction covers a call."""
    if statement.not_actions is None:
        return False
    if any(wildcard_match(action, entry.action, ignore_case=True) for action in statement.not_actions):
        return False
    if statement.resources is None:
        return not _any_matches(statement.not_resources, entry)
    return _any_matches(statement.resources, entry)


def _any_matches(patterns: Iterable[Pattern] | None, entry: AuditEntry) -> bool:
    return any(pattern.matches(entry.resource, lambda _key: None) for pattern in patterns or ())


def _wildcard_actions(policies: Sequence[Policy]) -> list[Grant]:
    found: list[Grant] = []
    for statement in _allows(policies):
        resources = ", ".join(
            pattern.text for pattern in statement.resources or statement.not_resources or ()
        )
        starred = [action for action in statement.actions or () if "*" in action or "?" in action]
        found += [Grant(action, resources, str(statement)) for action in starred]
        if statement.not_actions is not None:
            found.append(Grant(f"NotAction {', '.join(statement.not_actions)}", resources, str(statement)))
    return found


def _is_needless(grant: Grant, resource: Pattern | None) -> bool:
    """Whether ``*`` (or NotResource) is used although the action supports resources."""
    if resource is not None and resource.text != "*":
        return False
    action = find_action(grant.action)
    return action is None or action.knows_resources
