"""IAM's decision: whether a principal may do an action on a resource.

The order of AWS: an explicit Deny anywhere refuses; then, inside one account, an identity-based or a
resource-based policy must allow, and a permissions boundary must not prevent it. Between accounts both
must allow. A service principal (connect.amazonaws.com) has no identity-based policies: only the resource's policy
decides. A KMS key's policy and a role's trust policy must allow in every case, if only by delegating to the account
(…:root). Source: AWS IAM User Guide, "Policy evaluation logic"; AWS KMS Developer Guide, "Key policies".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING, Final

from connect_sandbox.iam.errors import UnsupportedPolicy
from connect_sandbox.iam.patterns import wildcard_match
from connect_sandbox.iam.policies import Policy, PolicyKind, PrincipalElement, Statement
from connect_sandbox.iam.principals import Principal, PrincipalKind
from connect_sandbox.iam.request_context import RequestContext, UnknownConditionKey

if TYPE_CHECKING:
    from connect_sandbox.iam.calls import AwsCall


class Reason(StrEnum):
    """Why a request was allowed or denied."""

    ALLOWED_BY_IDENTITY = "an identity-based policy allows it"
    ALLOWED_BY_RESOURCE = "a resource-based policy allows it"
    NEEDS_NO_PERMISSION = "AWS asks for no permission"
    DENIED_BY_IDENTITY = "with an explicit deny in an identity-based policy"
    DENIED_BY_BOUNDARY = "with an explicit deny in a permissions boundary"
    DENIED_BY_RESOURCE = "with an explicit deny in a resource-based policy"
    NO_IDENTITY_ALLOW = "because no identity-based policy allows the {action} action"
    NO_BOUNDARY_ALLOW = "because no permissions boundary allows the {action} action"
    NO_RESOURCE_ALLOW = "because no resource-based policy allows the {action} action"


@dataclass(frozen=True)
class AccessRequest:
    """One action on one resource (``*`` if the action has none), with the request's condition keys."""

    action: str
    resource: str
    context: RequestContext = field(default_factory=RequestContext)
    note: str = ""
    """What is not certain about this requirement; it follows the message of a denial."""


@dataclass(frozen=True)
class Decision:
    """IAM's decision, the reason, and the statement behind it (None if nothing matched).

    For a call that needs several permissions this is the first denial, else the first of ``parts``, which holds the
    decision on each.
    """

    allowed: bool
    reason: Reason
    principal: Principal
    action: str
    resource: str
    statement: Statement | None = None
    parts: tuple[Decision, ...] = ()
    note: str = ""

    @property
    def message(self) -> str:
        """AWS's wording of a denial; for an allowed request, what allowed it.

        Where the sandbox asks for more than AWS documents, the reason follows in brackets.
        """
        because = self.reason.value.format(action=self.action)
        if self.allowed:
            return f"{self.principal.arn} may {self.action} on {self.resource}: {because} ({self.statement})"
        refused = (
            f"{self.principal.arn} is not authorized to perform: {self.action} on resource: {self.resource}"
        )
        return f"User: {refused} {because}" + (f" [sandbox: {self.note}]" if self.note else "")


#: The policies of a resource: the same for all, or by the resource's ARN.
ResourcePolicies = Sequence[Policy] | Callable[[str], Sequence[Policy]]


def evaluate(
    request: AccessRequest | AwsCall,
    principal: Principal,
    identity_policies: Sequence[Policy] = (),
    resource_policies: ResourcePolicies = (),
    boundary: Policy | None = None,
) -> Decision:
    """Decide on a request, or on a call with all the permissions that it needs.

    ``identity_policies`` are those of the principal's role or user. ``resource_policies`` are those of the
    resource (a function's, topic's, queue's, key's, secret's, bucket's policy, a role's trust policy). Raises
    UnsupportedPolicy if the decision depends on a condition key that the sandbox does not know.
    """
    _check_kinds(identity_policies, {PolicyKind.IDENTITY})
    _check_kinds([boundary] if boundary else [], {PolicyKind.BOUNDARY, PolicyKind.IDENTITY})
    if isinstance(request, AccessRequest):
        return _decide(
            request, principal, identity_policies, _policies_of(resource_policies, request), boundary
        )
    if not request.requests:
        return Decision(
            allowed=True,
            reason=Reason.NEEDS_NO_PERMISSION,
            principal=principal,
            action=request.action,
            resource="*",
        )
    parts = tuple(
        _decide(part, principal, identity_policies, _policies_of(resource_policies, part), boundary)
        for part in request.requests
    )
    return replace(next((part for part in parts if not part.allowed), parts[0]), parts=parts)


class _Match(IntEnum):
    """How a resource policy names the principal: account, role (or everyone), session or user itself."""

    NO = 0
    ACCOUNT = 1
    ENTITY = 2
    SESSION = 3


#: Resources whose own policy must allow, even inside the account.
_OWN_POLICY_RULES: Final = re.compile(r"arn:[\w-]+:(?:kms:[^:]*:\d*:key/.+|iam::\d{12}:role/.+)")


@dataclass(frozen=True)
class _Findings:
    """The statements that apply to a request, by the kind of policy that holds them."""

    principal: Principal
    request: AccessRequest
    identity: list[Statement]
    limits: list[Statement]
    resource: list[tuple[Statement, _Match]]
    limited: bool

    def decision(self, reason: Reason, statement: Statement | None = None) -> Decision:
        allowed = reason in {Reason.ALLOWED_BY_IDENTITY, Reason.ALLOWED_BY_RESOURCE}
        return Decision(
            allowed,
            reason,
            self.principal,
            self.request.action,
            self.request.resource,
            statement,
            note=self.request.note,
        )


def _decide(
    request: AccessRequest,
    principal: Principal,
    identity_policies: Sequence[Policy],
    resource_policies: Sequence[Policy],
    boundary: Policy | None,
) -> Decision:
    request = replace(request, context=_complete(request, principal))
    findings = _Findings(
        principal=principal,
        request=request,
        identity=_applicable(request, identity_policies),
        limits=_applicable(request, [boundary] if boundary else []),
        resource=_applicable_to(request, principal, resource_policies, limited=boundary is not None),
        limited=boundary is not None,
    )
    return _denial(findings) or _by_resource_alone(findings) or _by_identity_or_resource(findings)


def _denial(found: _Findings) -> Decision | None:
    denials = (
        (Reason.DENIED_BY_IDENTITY, found.identity),
        (Reason.DENIED_BY_BOUNDARY, found.limits),
        (Reason.DENIED_BY_RESOURCE, [statement for statement, _ in found.resource]),
    )
    for reason, statements in denials:
        if denial := next((statement for statement in statements if not statement.allows), None):
            return found.decision(reason, denial)
    return None


def _by_resource_alone(found: _Findings) -> Decision | None:
    """Return the decision where identity policies do not matter; None where they do."""
    level, grant = _strongest(found)
    if level is _Match.NO:
        if found.principal.kind is PrincipalKind.SERVICE or _is_strict(found.request) or _is_foreign(found):
            return found.decision(Reason.NO_RESOURCE_ALLOW)
        return None
    if found.principal.kind is PrincipalKind.SERVICE or (level is _Match.SESSION and not _is_foreign(found)):
        # Nor does its boundary limit a session (or user) that is named by its own ARN.
        return found.decision(Reason.ALLOWED_BY_RESOURCE, grant)
    return None


def _by_identity_or_resource(found: _Findings) -> Decision:
    level, grant = _strongest(found)
    by_resource = level is _Match.ENTITY and not _is_foreign(found)
    by_identity = next(iter(found.identity), None)
    if by_identity is None and not by_resource:
        return found.decision(Reason.NO_IDENTITY_ALLOW)
    if found.limited and not found.limits:
        return found.decision(Reason.NO_BOUNDARY_ALLOW)
    if by_identity is not None:
        return found.decision(Reason.ALLOWED_BY_IDENTITY, by_identity)
    return found.decision(Reason.ALLOWED_BY_RESOURCE, grant)


def _strongest(found: _Findings) -> tuple[_Match, Statement | None]:
    """Return the strongest way in which the resource's policy allows it, and the statement (denials come earlier)."""
    level, grant = max(
        ((level, statement) for statement, level in found.resource),
        key=lambda pair: pair[0],
        default=(_Match.NO, None),
    )
    return level, grant


def _is_strict(request: AccessRequest) -> bool:
    if request.action.startswith("iam:"):
        return False  # a role's trust policy is about assuming it, not about passing or changing it
    return _OWN_POLICY_RULES.fullmatch(request.resource) is not None


def _is_foreign(found: _Findings) -> bool:
    """Whether the resource belongs to another account (AWS-managed ones belong to all)."""
    return _account_of(found.request) not in {"", "aws", found.principal.account}


def _complete(request: AccessRequest, principal: Principal) -> RequestContext:
    return request.context.merged(principal.context())


def _account_of(request: AccessRequest) -> str:
    parts = request.resource.split(":", 5)
    account = parts[4] if len(parts) == 6 else ""
    if account:
        return account
    known = request.context.values.get("aws:resourceaccount", "")
    return known if isinstance(known, str) else ""


def _policies_of(policies: ResourcePolicies, request: AccessRequest) -> Sequence[Policy]:
    found = policies(request.resource) if callable(policies) else policies
    _check_kinds(found, {PolicyKind.RESOURCE, PolicyKind.TRUST})
    return found


def _check_kinds(policies: Iterable[Policy], kinds: set[PolicyKind]) -> None:
    for policy in policies:
        if policy.kind not in kinds:
            raise ValueError(
                f"policy {policy.name} is an {policy.kind}; expected is one of: {', '.join(sorted(kinds))}"
            )


def _applicable(request: AccessRequest, policies: Sequence[Policy]) -> list[Statement]:
    return [
        s for policy in policies for s in policy.statements if _targets(s, request) and _holds(s, request)
    ]


def _applicable_to(
    request: AccessRequest, principal: Principal, policies: Sequence[Policy], *, limited: bool
) -> list[tuple[Statement, _Match]]:
    found: list[tuple[Statement, _Match]] = []
    for policy in policies:
        for statement in policy.statements:
            level = _names(statement, principal, limited=limited)
            if level is not _Match.NO and _targets(statement, request) and _holds(statement, request):
                found.append((statement, level))
    return found


def _targets(statement: Statement, request: AccessRequest) -> bool:
    """Whether action and resource match; names of actions are case-insensitive, ARNs are not."""

    def variable(key: str) -> str | None:
        try:
            value = request.context.get(key)
        except UnknownConditionKey:
            raise UnsupportedPolicy(
                statement.policy, f"variable ${{{key}}}", "the sandbox knows no value for this call"
            ) from None
        if isinstance(value, tuple):
            raise UnsupportedPolicy(statement.policy, f"variable ${{{key}}}", "the key is multivalued")
        return value

    actions = statement.actions if statement.actions is not None else statement.not_actions or ()
    named = any(wildcard_match(action, request.action, ignore_case=True) for action in actions)
    if named is not (statement.actions is not None):
        return False
    if statement.resources is not None:
        return any(resource.matches(request.resource, variable) for resource in statement.resources)
    if statement.not_resources is not None:
        return not any(resource.matches(request.resource, variable) for resource in statement.not_resources)
    return True


def _holds(statement: Statement, request: AccessRequest) -> bool:
    # All are evaluated, not only up to the first that fails: an unknown key must show in any order.
    return all([condition.holds(request.context) for condition in statement.conditions])  # noqa: C419


def _names(statement: Statement, principal: Principal, *, limited: bool) -> _Match:
    if statement.not_principals is not None:
        # A principal with a boundary is denied by every NotPrincipal, whatever it lists (AWS:
        # "NotPrincipal").
        excepted = _excepts(statement.not_principals, principal) and not limited
        return _Match.NO if excepted else _Match.ENTITY
    element = statement.principals
    if element is None:
        return _Match.NO
    if principal.kind is PrincipalKind.SERVICE:
        return _Match.ENTITY if element.everyone or principal.arn in element.services else _Match.NO
    if principal.arn in element.aws:
        return _Match.SESSION
    if element.everyone or principal.entity_arn in element.aws:
        return _Match.ENTITY
    return _Match.ACCOUNT if principal.account_arn in element.aws else _Match.NO


def _excepts(element: PrincipalElement, principal: Principal) -> bool:
    """Whether a NotPrincipal lists the principal: it must hold account, role and session."""
    if element.everyone:
        return True
    if principal.kind is PrincipalKind.SERVICE:
        return principal.arn in element.services
    return {principal.account_arn, principal.entity_arn, principal.arn} <= element.aws
