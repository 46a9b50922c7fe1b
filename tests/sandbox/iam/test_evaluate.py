"""IAM's decisions, as a table of cases and as laws."""

from __future__ import annotations

import fnmatch
import random
from typing import Any

import pytest
from connect_sandbox.iam import (
    AccessRequest,
    Decision,
    MalformedPolicy,
    Policy,
    PolicyKind,
    Principal,
    Reason,
    RequestContext,
    UnsupportedPolicy,
    evaluate,
)
from connect_sandbox.iam.patterns import wildcard_match
from hypothesis import given
from hypothesis import strategies as st

TABLE = "arn:aws:dynamodb:us-east-1:123456789012:table/Sessions"
ROLE = "arn:aws:iam::123456789012:role/service/store"
SESSION = Principal.role_session(ROLE, "store-fn")
CONNECT = Principal.service("connect.amazonaws.com")
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:retrieve"
ROOT = "arn:aws:iam::123456789012:root"
INSTANCE = "arn:aws:connect:us-east-1:123456789012:instance/i-1"


def policy(
    *statements: dict[str, Any], kind: PolicyKind = PolicyKind.IDENTITY, version: str = "2012-10-17"
) -> Policy:
    return Policy.parse({"Version": version, "Statement": list(statements)}, name="test", kind=kind)


def allow(action: Any = "dynamodb:PutItem", resource: Any = TABLE, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action: Any = "dynamodb:PutItem", resource: Any = TABLE, **more: Any) -> dict[str, Any]:
    return {"Effect": "Deny", "Action": action, "Resource": resource, **more}


def ask(
    *identity: dict[str, Any],
    action: str = "dynamodb:PutItem",
    resource: str = TABLE,
    principal: Principal = SESSION,
    on_resource: list[dict[str, Any]] | None = None,
    boundary: list[dict[str, Any]] | None = None,
    context: dict[str, Any] | None = None,
    kind: PolicyKind = PolicyKind.RESOURCE,
) -> Decision:
    return evaluate(
        AccessRequest(action, resource, RequestContext.of(context or {})),
        principal,
        [policy(*identity)] if identity else [],
        [policy(*on_resource, kind=kind)] if on_resource else [],
        policy(*boundary, kind=PolicyKind.BOUNDARY) if boundary else None,
    )


IDENTITY_CASES: list[tuple[str, list[dict[str, Any]], str, str, bool]] = [
    ("nothing granted", [], "dynamodb:PutItem", TABLE, False),
    ("granted", [allow()], "dynamodb:PutItem", TABLE, True),
    ("another action", [allow("dynamodb:GetItem")], "dynamodb:PutItem", TABLE, False),
    ("another table", [allow()], "dynamodb:PutItem", TABLE + "2", False),
    ("a table whose name ends alike", [allow()], "dynamodb:PutItem", "x" + TABLE, False),
    ("an index of the table", [allow()], "dynamodb:PutItem", TABLE + "/index/i", False),
    ("action's case does not matter", [allow("DynamoDB:putitem")], "dynamodb:PutItem", TABLE, True),
    ("resource's case does", [allow(resource=TABLE.lower())], "dynamodb:PutItem", TABLE, False),
    ("action star", [allow("dynamodb:*Item")], "dynamodb:PutItem", TABLE, True),
    ("action question marks", [allow("dynamodb:???Item")], "dynamodb:PutItem", TABLE, True),
    ("action question marks, too few", [allow("dynamodb:??Item")], "dynamodb:PutItem", TABLE, False),
    ("everything", [allow("*", "*")], "dynamodb:PutItem", TABLE, True),
    ("a star matches over colons", [allow(resource="arn:aws:dynamodb:*")], "dynamodb:PutItem", TABLE, True),
    (
        "a dot is a dot",
        [allow(resource=TABLE.replace("dynamodb", "dyna.odb"))],
        "dynamodb:PutItem",
        TABLE,
        False,
    ),
    ("brackets are brackets", [allow(resource=TABLE[:-1] + "[s]")], "dynamodb:PutItem", TABLE, False),
    (
        "only * reaches an action without resources",
        [allow("logs:DescribeLogGroups", TABLE)],
        "logs:DescribeLogGroups",
        "*",
        False,
    ),
    ("* reaches it", [allow("logs:DescribeLogGroups", "*")], "logs:DescribeLogGroups", "*", True),
    (
        "an id to be created needs a wildcard",
        [allow("connect:CreateUser", f"{INSTANCE}/agent/1")],
        "connect:CreateUser",
        f"{INSTANCE}/agent/*",
        False,
    ),
    (
        "a wildcard reaches it",
        [allow("connect:CreateUser", f"{INSTANCE}/agent/*")],
        "connect:CreateUser",
        f"{INSTANCE}/agent/*",
        True,
    ),
    ("deny wins over allow", [allow(), deny()], "dynamodb:PutItem", TABLE, False),
    ("deny wins, whatever the order", [deny("*", "*"), allow()], "dynamodb:PutItem", TABLE, False),
    ("deny of another table", [allow(), deny(resource=TABLE + "2")], "dynamodb:PutItem", TABLE, True),
    (
        "NotAction in Allow",
        [{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}],
        "dynamodb:PutItem",
        TABLE,
        True,
    ),
    (
        "NotAction names it",
        [{"Effect": "Allow", "NotAction": "dynamodb:*", "Resource": "*"}],
        "dynamodb:PutItem",
        TABLE,
        False,
    ),
    (
        "NotResource in Deny",
        [allow(resource="*"), {"Effect": "Deny", "Action": "*", "NotResource": TABLE}],
        "dynamodb:PutItem",
        TABLE,
        True,
    ),
    (
        "NotResource in Deny, another",
        [allow(resource="*"), {"Effect": "Deny", "Action": "*", "NotResource": TABLE}],
        "dynamodb:PutItem",
        TABLE + "2",
        False,
    ),
]


@pytest.mark.parametrize(
    ("name", "statements", "action", "resource", "allowed"),
    IDENTITY_CASES,
    ids=[c[0] for c in IDENTITY_CASES],
)
def test_identity_policies(
    name: str, statements: list[dict[str, Any]], action: str, resource: str, allowed: bool
) -> None:
    assert ask(*statements, action=action, resource=resource).allowed is allowed


def on(principal: Any, effect: str = "Allow", **more: Any) -> dict[str, Any]:
    return {
        "Effect": effect,
        "Principal": principal,
        "Action": "lambda:InvokeFunction",
        "Resource": FUNCTION,
        **more,
    }


GRANT = allow("lambda:InvokeFunction", FUNCTION)
RESOURCE_CASES: list[tuple[str, list[dict[str, Any]], list[dict[str, Any]], Principal, Reason]] = [
    (
        "a service that is named",
        [],
        [on({"Service": "connect.amazonaws.com"})],
        CONNECT,
        Reason.ALLOWED_BY_RESOURCE,
    ),
    ("a service that is not", [], [on({"Service": "sns.amazonaws.com"})], CONNECT, Reason.NO_RESOURCE_ALLOW),
    ("a service and no policy", [], [], CONNECT, Reason.NO_RESOURCE_ALLOW),
    ("a service has no identity policy", [GRANT], [], CONNECT, Reason.NO_RESOURCE_ALLOW),
    ("a service is in no account", [], [on({"AWS": ROOT})], CONNECT, Reason.NO_RESOURCE_ALLOW),
    ("a service is among all", [], [on("*")], CONNECT, Reason.ALLOWED_BY_RESOURCE),
    (
        "a service denied",
        [],
        [on("*"), on({"Service": "connect.amazonaws.com"}, "Deny")],
        CONNECT,
        Reason.DENIED_BY_RESOURCE,
    ),
    ("a role by its ARN", [], [on({"AWS": ROLE})], SESSION, Reason.ALLOWED_BY_RESOURCE),
    ("a role by its session", [], [on({"AWS": SESSION.arn})], SESSION, Reason.ALLOWED_BY_RESOURCE),
    ("another session", [], [on({"AWS": SESSION.arn + "2"})], SESSION, Reason.NO_IDENTITY_ALLOW),
    ("the account delegates, it does not grant", [], [on({"AWS": ROOT})], SESSION, Reason.NO_IDENTITY_ALLOW),
    (
        "the account by its number",
        [GRANT],
        [on({"AWS": "123456789012"})],
        SESSION,
        Reason.ALLOWED_BY_IDENTITY,
    ),
    (
        "a denied account is all of it",
        [GRANT],
        [on({"AWS": ROOT}, "Deny")],
        SESSION,
        Reason.DENIED_BY_RESOURCE,
    ),
    (
        "another account's denial",
        [GRANT],
        [on({"AWS": "999999999999"}, "Deny")],
        SESSION,
        Reason.ALLOWED_BY_IDENTITY,
    ),
    ("everyone", [], [on({"AWS": "*"})], SESSION, Reason.ALLOWED_BY_RESOURCE),
    ("another resource", [], [on("*", Resource=FUNCTION + ":live")], SESSION, Reason.NO_IDENTITY_ALLOW),
]


@pytest.mark.parametrize(
    ("name", "identity", "resource", "principal", "reason"),
    RESOURCE_CASES,
    ids=[c[0] for c in RESOURCE_CASES],
)
def test_resource_policies(
    name: str,
    identity: list[dict[str, Any]],
    resource: list[dict[str, Any]],
    principal: Principal,
    reason: Reason,
) -> None:
    decision = ask(
        *identity,
        on_resource=resource,
        action="lambda:InvokeFunction",
        resource=FUNCTION,
        principal=principal,
    )
    assert decision.reason is reason


def test_not_principal_denies_all_but_account_role_and_session_together() -> None:
    def reason(*excepted: str) -> Reason:
        statement = {**on("*", "Deny"), "NotPrincipal": {"AWS": list(excepted)}}
        del statement["Principal"]
        return ask(GRANT, on_resource=[statement], action="lambda:InvokeFunction", resource=FUNCTION).reason

    assert reason(ROOT, ROLE, SESSION.arn) is Reason.ALLOWED_BY_IDENTITY
    assert reason(ROOT, ROLE) is Reason.DENIED_BY_RESOURCE
    assert reason(ROLE) is Reason.DENIED_BY_RESOURCE


def test_not_principal_always_denies_a_principal_with_a_boundary() -> None:
    statement = on("*", "Deny", NotPrincipal={"AWS": [ROOT, ROLE, SESSION.arn]})
    del statement["Principal"]
    options: dict[str, Any] = {"action": "lambda:InvokeFunction", "resource": FUNCTION}
    decision = ask(GRANT, on_resource=[statement], boundary=[allow("*", "*")], **options)
    assert decision.reason is Reason.DENIED_BY_RESOURCE


def test_a_permissions_boundary_limits_and_never_grants() -> None:
    assert ask(boundary=[allow("*", "*")]).reason is Reason.NO_IDENTITY_ALLOW
    assert ask(allow(), boundary=[allow("dynamodb:*", "*")]).allowed
    assert ask(allow(), boundary=[allow("s3:*", "*")]).reason is Reason.NO_BOUNDARY_ALLOW
    assert ask(allow(), boundary=[allow("*", "*"), deny()]).reason is Reason.DENIED_BY_BOUNDARY


def test_a_boundary_holds_back_a_role_named_by_a_resource_policy_but_not_a_session() -> None:
    narrow = [allow("s3:*", "*")]
    options: dict[str, Any] = {"action": "lambda:InvokeFunction", "resource": FUNCTION, "boundary": narrow}
    assert ask(on_resource=[on({"AWS": ROLE})], **options).reason is Reason.NO_BOUNDARY_ALLOW
    assert ask(on_resource=[on({"AWS": SESSION.arn})], **options).allowed


def test_between_accounts_both_sides_must_allow() -> None:
    foreign = FUNCTION.replace("123456789012", "999999999999")
    grant = allow("lambda:InvokeFunction", foreign)
    options: dict[str, Any] = {"action": "lambda:InvokeFunction", "resource": foreign}
    named = on({"AWS": ROLE}, Resource=foreign)
    assert ask(grant, **options).reason is Reason.NO_RESOURCE_ALLOW
    assert ask(on_resource=[named], **options).reason is Reason.NO_IDENTITY_ALLOW
    assert (
        ask(on_resource=[on({"AWS": SESSION.arn}, Resource=foreign)], **options).reason
        is Reason.NO_IDENTITY_ALLOW
    )
    assert ask(grant, on_resource=[named], **options).allowed
    assert ask(grant, on_resource=[on({"AWS": ROOT}, Resource=foreign)], **options).allowed


def test_a_kms_key_is_used_only_if_its_key_policy_says_so() -> None:
    key = "arn:aws:kms:us-east-1:123456789012:key/k"
    options: dict[str, Any] = {"action": "kms:Decrypt", "resource": key}
    delegating = {"Effect": "Allow", "Principal": {"AWS": ROOT}, "Action": "kms:*", "Resource": "*"}
    assert ask(allow("kms:Decrypt", key), **options).reason is Reason.NO_RESOURCE_ALLOW
    assert ask(on_resource=[delegating], **options).reason is Reason.NO_IDENTITY_ALLOW
    assert ask(allow("kms:Decrypt", key), on_resource=[delegating], **options).allowed
    assert ask(on_resource=[{**delegating, "Principal": {"AWS": ROLE}}], **options).allowed


def test_a_role_is_assumed_only_by_whom_its_trust_policy_names() -> None:
    trust = [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ]
    options: dict[str, Any] = {
        "action": "sts:AssumeRole",
        "resource": ROLE,
        "on_resource": trust,
        "kind": PolicyKind.TRUST,
    }
    assert ask(principal=Principal.service("lambda.amazonaws.com"), **options).allowed
    assert not ask(principal=CONNECT, **options).allowed
    assert not ask(allow("sts:AssumeRole", ROLE), **options).allowed


def test_passing_a_role_is_not_its_trust_policys_business() -> None:
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    asked = {"action": "iam:PassRole", "resource": ROLE, "on_resource": [trust], "kind": PolicyKind.TRUST}

    assert ask(allow("iam:PassRole", ROLE), **asked).allowed
    assert not ask(**asked).allowed


KEY = "connect:thing"
CONDITION_CASES: list[tuple[str, dict[str, Any], Any, bool]] = [
    ("StringEquals", {"StringEquals": {KEY: "a"}}, "a", True),
    ("StringEquals one of several", {"StringEquals": {KEY: ["b", "a"]}}, "a", True),
    ("StringEquals other case", {"StringEquals": {KEY: "A"}}, "a", False),
    ("StringEquals no wildcard", {"StringEquals": {KEY: "*"}}, "a", False),
    ("StringEquals absent", {"StringEquals": {KEY: "a"}}, None, False),
    ("StringEqualsIfExists absent", {"StringEqualsIfExists": {KEY: "a"}}, None, True),
    ("StringEqualsIfExists other", {"StringEqualsIfExists": {KEY: "a"}}, "b", False),
    ("key's case does not matter", {"StringEquals": {KEY.upper(): "a"}}, "a", True),
    ("StringNotEquals", {"StringNotEquals": {KEY: "a"}}, "b", True),
    ("StringNotEquals none of several", {"StringNotEquals": {KEY: ["a", "b"]}}, "b", False),
    ("StringNotEquals absent", {"StringNotEquals": {KEY: "a"}}, None, True),
    ("StringEqualsIgnoreCase", {"StringEqualsIgnoreCase": {KEY: "ABC"}}, "abc", True),
    ("StringNotEqualsIgnoreCase", {"StringNotEqualsIgnoreCase": {KEY: "ABC"}}, "abc", False),
    ("StringLike", {"StringLike": {KEY: "a*z?"}}, "a--zz", True),
    ("StringLike over a newline", {"StringLike": {KEY: "a*z"}}, "a\nz", True),
    ("StringNotLike", {"StringNotLike": {KEY: "a*"}}, "ab", False),
    ("StringLike absent", {"StringLike": {KEY: "*"}}, None, False),
    ("ArnEquals", {"ArnEquals": {KEY: INSTANCE}}, INSTANCE, True),
    (
        "ArnEquals takes wildcards",
        {"ArnEquals": {KEY: "arn:aws:connect:*:123456789012:instance/*"}},
        INSTANCE,
        True,
    ),
    ("ArnLike star stays in its part", {"ArnLike": {KEY: "arn:aws:connect:*:instance/i-1"}}, INSTANCE, False),
    (
        "ArnLike last part may hold colons",
        {"ArnLike": {KEY: "arn:aws:logs:r:1:log-group:*"}},
        "arn:aws:logs:r:1:log-group:a:b",
        True,
    ),
    ("ArnLike no ARN", {"ArnLike": {KEY: "*"}}, INSTANCE, False),
    ("ArnNotLike", {"ArnNotLike": {KEY: INSTANCE}}, INSTANCE + "2", True),
    ("ArnNotEquals absent", {"ArnNotEquals": {KEY: INSTANCE}}, None, True),
    ("Bool", {"Bool": {KEY: True}}, "true", True),
    ("Bool text", {"Bool": {KEY: "False"}}, "false", True),
    ("Bool other", {"Bool": {KEY: "false"}}, "true", False),
    ("Bool absent", {"Bool": {KEY: "false"}}, None, False),
    ("BoolIfExists absent", {"BoolIfExists": {KEY: "false"}}, None, True),
    ("NumericLessThan", {"NumericLessThan": {KEY: 10}}, "9.5", True),
    ("NumericLessThan equal", {"NumericLessThan": {KEY: "10"}}, "10", False),
    ("NumericGreaterThanEquals", {"NumericGreaterThanEquals": {KEY: "10"}}, "10.0", True),
    ("NumericEquals", {"NumericEquals": {KEY: ["1", "2"]}}, "2.00", True),
    ("NumericNotEquals", {"NumericNotEquals": {KEY: ["1", "2"]}}, "2.00", False),
    ("Numeric of no number", {"NumericEquals": {KEY: "1"}}, "one", False),
    ("DateLessThan", {"DateLessThan": {KEY: "2026-11-22T00:00:00Z"}}, "2026-11-21T23:59:59Z", True),
    ("DateGreaterThan seconds", {"DateGreaterThan": {KEY: 1}}, "1970-01-01T00:00:02Z", True),
    (
        "DateEquals another zone",
        {"DateEquals": {KEY: "2026-01-01T01:00:00+01:00"}},
        "2026-01-01T00:00:00Z",
        True,
    ),
    ("IpAddress", {"IpAddress": {KEY: ["203.0.113.0/24", "2001:db8::/32"]}}, "203.0.113.9", True),
    ("IpAddress v6", {"IpAddress": {KEY: ["203.0.113.0/24", "2001:db8::/32"]}}, "2001:db8::1", True),
    ("NotIpAddress", {"NotIpAddress": {KEY: "203.0.113.0/24"}}, "203.0.113.9", False),
    ("NotIpAddress outside", {"NotIpAddress": {KEY: "203.0.113.0/24"}}, "198.51.100.1", True),
    ("Null true, absent", {"Null": {KEY: "true"}}, None, True),
    ("Null true, present", {"Null": {KEY: "true"}}, "a", False),
    ("Null false, present", {"Null": {KEY: False}}, "", True),
    ("ForAnyValue", {"ForAnyValue:StringEquals": {KEY: ["a", "b"]}}, ("b", "c"), True),
    ("ForAnyValue none", {"ForAnyValue:StringEquals": {KEY: ["a"]}}, ("b", "c"), False),
    ("ForAnyValue absent", {"ForAnyValue:StringEquals": {KEY: ["a"]}}, None, False),
    ("ForAnyValue negated absent", {"ForAnyValue:StringNotEquals": {KEY: ["a"]}}, None, False),
    ("ForAnyValue negated", {"ForAnyValue:StringNotEquals": {KEY: ["a"]}}, ("a", "b"), True),
    ("ForAllValues", {"ForAllValues:StringLike": {KEY: ["a*", "b"]}}, ("ax", "b"), True),
    ("ForAllValues one more", {"ForAllValues:StringLike": {KEY: ["a*"]}}, ("ax", "b"), False),
    ("ForAllValues absent", {"ForAllValues:StringEquals": {KEY: ["a"]}}, None, True),
    ("ForAllValues negated", {"ForAllValues:StringNotEquals": {KEY: ["a"]}}, ("b", "c"), True),
    ("all operators must hold", {"StringEquals": {KEY: "a"}, "StringLike": {KEY: "b*"}}, "a", False),
    ("all keys must hold", {"StringEquals": {KEY: "a", "aws:PrincipalAccount": "1"}}, "a", False),
    ("variable", {"StringEquals": {"aws:PrincipalAccount": "${connect:thing}"}}, "123456789012", True),
    ("variable absent", {"StringEquals": {"aws:PrincipalAccount": "${connect:thing}"}}, None, False),
    (
        "variable default",
        {"StringEquals": {"aws:PrincipalAccount": "${connect:thing, '123456789012'}"}},
        None,
        True,
    ),
    (
        "a star in a value is no wildcard",
        {"StringLike": {"aws:PrincipalAccount": "${connect:thing}"}},
        "*",
        False,
    ),
    ("an escaped star", {"StringLike": {KEY: "a${*}"}}, "ab", False),
    ("an escaped star as such", {"StringLike": {KEY: "a${*}"}}, "a*", True),
    ("variable inside an ARN", {"ArnLike": {KEY: "arn:aws:iam::${aws:PrincipalAccount}:role/*"}}, ROLE, True),
]


@pytest.mark.parametrize(
    ("name", "condition", "value", "holds"), CONDITION_CASES, ids=[c[0] for c in CONDITION_CASES]
)
def test_conditions(name: str, condition: dict[str, Any], value: Any, holds: bool) -> None:
    assert ask(allow(Condition=condition), context={KEY: value}).allowed is holds
    denied = ask(allow(), deny(Condition=condition), context={KEY: value})
    assert denied.allowed is not holds


def test_variables_in_resources_are_filled_and_are_plain_text_in_old_policies() -> None:
    resource = "arn:aws:dynamodb:us-east-1:${aws:PrincipalAccount}:table/Sessions"
    assert ask(allow(resource=resource)).allowed
    request = AccessRequest("dynamodb:PutItem", TABLE)
    assert not evaluate(request, SESSION, [policy(allow(resource=resource), version="2008-10-17")]).allowed
    unversioned = Policy.parse({"Statement": allow(resource=resource)}, name="old")
    assert not evaluate(request, SESSION, [unversioned]).allowed


def test_connects_invoke_permission_holds_for_its_own_instance_only() -> None:
    permission = on(
        {"Service": "connect.amazonaws.com"},
        Condition={
            "StringEquals": {"AWS:SourceAccount": "123456789012"},
            "ArnLike": {"AWS:SourceArn": INSTANCE},
        },
    )

    def allowed(source: str | None, account: str | None) -> bool:
        context = {"aws:SourceArn": source, "aws:SourceAccount": account}
        options: dict[str, Any] = {
            "action": "lambda:InvokeFunction",
            "resource": FUNCTION,
            "principal": CONNECT,
        }
        return ask(on_resource=[permission], context=context, **options).allowed

    assert allowed(INSTANCE, "123456789012")
    assert not allowed(INSTANCE + "2", "123456789012")
    assert not allowed(INSTANCE, "999999999999")
    assert not allowed(None, None)


REFUSED_POLICIES: list[tuple[str, dict[str, Any], PolicyKind, type[Exception], str]] = [
    (
        "unknown operator",
        allow(Condition={"StringMatches": {KEY: "a"}}),
        PolicyKind.IDENTITY,
        UnsupportedPolicy,
        "StringMatches",
    ),
    (
        "binary operator",
        allow(Condition={"BinaryEquals": {KEY: "YQ=="}}),
        PolicyKind.IDENTITY,
        UnsupportedPolicy,
        "BinaryEquals",
    ),
    (
        "unknown set operator",
        allow(Condition={"ForSome:StringEquals": {KEY: "a"}}),
        PolicyKind.IDENTITY,
        UnsupportedPolicy,
        "ForSome",
    ),
    (
        "NullIfExists",
        allow(Condition={"NullIfExists": {KEY: "true"}}),
        PolicyKind.IDENTITY,
        UnsupportedPolicy,
        "NullIfExists",
    ),
    (
        "no number",
        allow(Condition={"NumericEquals": {KEY: "ten"}}),
        PolicyKind.IDENTITY,
        MalformedPolicy,
        "ten",
    ),
    (
        "no network",
        allow(Condition={"IpAddress": {KEY: "10.0.0.0/33"}}),
        PolicyKind.IDENTITY,
        MalformedPolicy,
        "10.0.0.0/33",
    ),
    (
        "no values",
        allow(Condition={"StringEquals": {KEY: []}}),
        PolicyKind.IDENTITY,
        MalformedPolicy,
        "no value",
    ),
    (
        "empty condition operator",
        allow(Condition={"StringEquals": {}}),
        PolicyKind.IDENTITY,
        MalformedPolicy,
        "StringEquals",
    ),
    ("CanonicalUser", on({"CanonicalUser": "79a5"}), PolicyKind.RESOURCE, UnsupportedPolicy, "CanonicalUser"),
    ("Federated", on({"Federated": "cognito"}), PolicyKind.RESOURCE, UnsupportedPolicy, "Federated"),
    (
        "wildcard in a principal",
        on({"AWS": "arn:aws:iam::123456789012:role/*"}),
        PolicyKind.RESOURCE,
        UnsupportedPolicy,
        "role/",
    ),
    (
        "wildcard in a service",
        on({"Service": "*.amazonaws.com"}),
        PolicyKind.RESOURCE,
        MalformedPolicy,
        "amazonaws",
    ),
    ("principal in an identity policy", on("*"), PolicyKind.IDENTITY, MalformedPolicy, "Principal"),
    ("no principal in a resource policy", allow(), PolicyKind.RESOURCE, MalformedPolicy, "Principal"),
    ("resource in a trust policy", on("*"), PolicyKind.TRUST, MalformedPolicy, "Resource"),
    (
        "Action and NotAction",
        allow(NotAction="s3:*"),
        PolicyKind.IDENTITY,
        MalformedPolicy,
        "exactly one of Action",
    ),
    (
        "no resource",
        {"Effect": "Allow", "Action": "s3:*"},
        PolicyKind.IDENTITY,
        MalformedPolicy,
        "exactly one of Resource",
    ),
    ("effect in lower case", {**allow(), "Effect": "allow"}, PolicyKind.IDENTITY, MalformedPolicy, "allow"),
    ("unknown element", allow(Conditions={}), PolicyKind.IDENTITY, MalformedPolicy, "Conditions"),
    ("action without service", allow("PutItem"), PolicyKind.IDENTITY, MalformedPolicy, "PutItem"),
    ("empty action list", allow([]), PolicyKind.IDENTITY, MalformedPolicy, "Action"),
    (
        "an unresolved token as resource",
        allow(resource={"Fn::GetAtt": ["T", "Arn"]}),
        PolicyKind.IDENTITY,
        MalformedPolicy,
        "Resource",
    ),
    ("a name as resource", allow(resource="Sessions"), PolicyKind.IDENTITY, MalformedPolicy, "Sessions"),
]


@pytest.mark.parametrize(
    ("name", "statement", "kind", "error", "words"), REFUSED_POLICIES, ids=[c[0] for c in REFUSED_POLICIES]
)
def test_a_policy_that_cannot_be_evaluated_is_refused_when_read(
    name: str, statement: dict[str, Any], kind: PolicyKind, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        policy(statement, kind=kind)


def test_not_principal_with_allow_is_refused() -> None:
    statement = on("*")
    statement["NotPrincipal"] = statement.pop("Principal")
    with pytest.raises(MalformedPolicy, match="NotPrincipal"):
        policy(statement, kind=PolicyKind.RESOURCE)


def test_an_unknown_key_is_refused_only_where_the_answer_hangs_on_it() -> None:
    unknown = {"StringEquals": {"aws:Mystery": "a"}}
    with pytest.raises(UnsupportedPolicy, match="aws:Mystery"):
        ask(allow(Condition=unknown))
    with pytest.raises(UnsupportedPolicy, match="aws:Mystery"):
        ask(
            allow(),
            deny(Condition={"StringEquals": {"aws:PrincipalAccount": "0"}, "Bool": {"aws:Mystery": "true"}}),
        )
    assert ask(allow(), allow("s3:GetObject", "*", Condition=unknown)).allowed
    with pytest.raises(UnsupportedPolicy, match="aws:Mystery"):
        ask(allow(resource="arn:aws:dynamodb:us-east-1:123456789012:table/${aws:Mystery}"))


def test_a_multivalued_key_without_set_operator_is_refused() -> None:
    with pytest.raises(UnsupportedPolicy, match="ForAnyValue"):
        ask(allow(Condition={"StringEquals": {KEY: "a"}}), context={KEY: ("a", "b")})


def test_a_refusal_reads_as_on_aws() -> None:
    assert ask().message == (
        f"User: {SESSION.arn} is not authorized to perform: dynamodb:PutItem "
        f"on resource: {TABLE} because no identity-based policy "
        "allows the dynamodb:PutItem action"
    )
    assert ask(allow(), deny()).message.endswith(
        f"on resource: {TABLE} with an explicit deny in an identity-based policy"
    )
    statement = ask(allow(Sid="Store")).statement
    assert statement is not None
    assert statement.sid == "Store"


def test_a_policy_of_the_wrong_kind_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="resource-based"):
        evaluate(AccessRequest("s3:GetObject", "*"), SESSION, [policy(on("*"), kind=PolicyKind.RESOURCE)])


# Laws

ACTIONS = ["dynamodb:PutItem", "dynamodb:GetItem", "dynamodb:*", "dynamodb:?etItem", "*", "s3:GetObject"]
RESOURCES = [TABLE, TABLE + "2", TABLE[:-1] + "?", "arn:aws:dynamodb:*", "*"]
CONDITIONS: list[dict[str, Any]] = [
    {},
    {"Condition": {"StringEquals": {KEY: "a"}}},
    {"Condition": {"StringNotEquals": {KEY: "a"}}},
    {"Condition": {"Null": {KEY: "true"}}},
]
statements = st.builds(
    lambda effect, negated, action, resource, condition: {
        "Effect": effect,
        ("NotAction" if negated else "Action"): action,
        "Resource": resource,
        **condition,
    },
    st.sampled_from(["Allow", "Deny"]),
    st.booleans(),
    st.lists(st.sampled_from(ACTIONS), min_size=1, max_size=3),
    st.lists(st.sampled_from(RESOURCES), min_size=1, max_size=3),
    st.sampled_from(CONDITIONS),
)
requests = st.builds(
    lambda action, resource, value: AccessRequest(action, resource, RequestContext.of({KEY: value})),
    st.sampled_from(["dynamodb:PutItem", "dynamodb:GetItem", "s3:GetObject"]),
    st.sampled_from([TABLE, TABLE + "2", "arn:aws:s3:::b/k"]),
    st.sampled_from(["a", "b", None]),
)


@given(st.lists(statements, max_size=5), statements, requests)
def test_adding_a_deny_never_allows_more(
    present: list[dict[str, Any]], extra: dict[str, Any], request: AccessRequest
) -> None:
    before = evaluate(request, SESSION, [policy(*present)])
    after = evaluate(request, SESSION, [policy(*present, {**extra, "Effect": "Deny"})])
    assert before.allowed or not after.allowed


@given(st.lists(statements, max_size=5), statements, requests)
def test_adding_an_allow_never_allows_less(
    present: list[dict[str, Any]], extra: dict[str, Any], request: AccessRequest
) -> None:
    before = evaluate(request, SESSION, [policy(*present)])
    after = evaluate(request, SESSION, [policy(*present, {**extra, "Effect": "Allow"})])
    assert after.allowed or not before.allowed


@given(st.lists(statements, min_size=1, max_size=6), requests, st.randoms(use_true_random=False))
def test_order_and_division_into_policies_do_not_matter(
    present: list[dict[str, Any]], request: AccessRequest, chance: random.Random
) -> None:
    shuffled = chance.sample(present, len(present))
    split = [policy(statement) for statement in shuffled]
    whole = evaluate(request, SESSION, [policy(*present)])
    divided = evaluate(request, SESSION, split)
    assert (whole.allowed, whole.reason) == (divided.allowed, divided.reason)


@given(st.text("ab:/*?[].", max_size=8), st.text("ab:/*?[].\n", max_size=8))
def test_wildcards_match_as_the_shells_do_but_for_brackets(pattern: str, value: str) -> None:
    reference = pattern.replace("[", "[[]")
    assert wildcard_match(pattern, value) is fnmatch.fnmatchcase(value, reference)


@given(st.text(max_size=20))
def test_every_text_matches_a_star_and_itself(text: str) -> None:
    assert wildcard_match("*", text)
    assert "*" in text or "?" in text or wildcard_match(text, text)
