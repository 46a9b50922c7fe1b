"""Least privilege: what a role was granted against what it used."""

from __future__ import annotations

import threading
from typing import Any

from connect_sandbox.iam import (
    AccessRequest,
    AuditLog,
    Policy,
    Principal,
    compare_grants,
    evaluate,
)

TABLE = "arn:aws:dynamodb:us-east-1:123456789012:table/Sessions"
STORE = Principal.role_session("arn:aws:iam::123456789012:role/store", "fn")
FETCH = Principal.role_session("arn:aws:iam::123456789012:role/fetch", "fn")


def policy(*statements: dict[str, Any]) -> Policy:
    return Policy.parse({"Version": "2012-10-17", "Statement": list(statements)}, name="Default")


def allow(action: Any, resource: Any = TABLE) -> dict[str, Any]:
    return {"Sid": "S", "Effect": "Allow", "Action": action, "Resource": resource}


def used(granted: Policy, *asked: tuple[str, str]) -> AuditLog:
    log = AuditLog()
    for action, resource in asked:
        log.record(evaluate(AccessRequest(action, resource), STORE, [granted]))
    return log


def test_the_log_keeps_every_decision_and_finds_it_by_role_action_and_outcome() -> None:
    log = AuditLog()
    put = AccessRequest("dynamodb:PutItem", TABLE)
    log.record(evaluate(put, STORE, [policy(allow("dynamodb:PutItem"))]))
    log.record(evaluate(put, FETCH))
    assert [entry.role for entry in log.calls()] == ["store", "fetch"]
    assert log.calls(role="store")[0].statement == "S of Default"
    refused = log.calls(role="fetch", action="dynamodb:*", allowed=False)
    assert len(refused) == 1
    assert refused[0].principal == FETCH.arn
    assert refused[0].reason == "because no identity-based policy allows the dynamodb:PutItem action"
    assert log.calls(role="fetch", allowed=True) == ()
    log.clear()
    assert log.calls() == ()


def test_a_user_who_has_no_role_is_found_by_arn() -> None:
    log = AuditLog()
    arn = "arn:aws:iam::123456789012:user/bot"
    put = AccessRequest("dynamodb:PutItem", TABLE)
    log.record(evaluate(put, Principal.user(arn), [policy(allow("dynamodb:PutItem"))]))
    log.record(evaluate(put, STORE))
    (entry,) = log.calls(principal=arn)
    assert (entry.role, entry.allowed) == (None, True)


def test_what_was_provoked_on_purpose_is_forgotten_and_nothing_else() -> None:
    log = AuditLog()
    put = AccessRequest("dynamodb:PutItem", TABLE)
    for _ in range(2):  # equal but for the time
        log.record(evaluate(put, STORE))
    first, second = log.calls()
    log.forget([second])
    assert log.calls() == (first,)


def test_the_log_loses_nothing_between_threads() -> None:
    log = AuditLog()
    decision = evaluate(AccessRequest("dynamodb:PutItem", TABLE), STORE)
    threads = [threading.Thread(target=lambda: [log.record(decision) for _ in range(200)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(log.calls(role="store")) == 1600


def test_grants_that_are_all_used_are_exact() -> None:
    granted = policy(allow(["dynamodb:PutItem", "dynamodb:GetItem"]), allow("cloudwatch:PutMetricData", "*"))
    log = used(
        granted, ("dynamodb:PutItem", TABLE), ("dynamodb:GetItem", TABLE), ("cloudwatch:PutMetricData", "*")
    )
    report = compare_grants([granted], log.calls(role="store"))
    assert report.exact, str(report)
    assert [grant.action for grant in report.wildcard_resources] == ["cloudwatch:PutMetricData"]


def test_an_unused_grant_is_found_by_action_and_by_resource() -> None:
    granted = policy(allow(["dynamodb:PutItem", "dynamodb:Scan"], [TABLE, f"{TABLE}/index/*"]))
    report = compare_grants([granted], used(granted, ("dynamodb:PutItem", TABLE)).calls())
    assert [(grant.action, grant.resource) for grant in report.unused_grants] == [
        ("dynamodb:PutItem", f"{TABLE}/index/*"),
        ("dynamodb:Scan", TABLE),
        ("dynamodb:Scan", f"{TABLE}/index/*"),
    ]
    assert "granted and never used: dynamodb:Scan" in str(report)


def test_a_call_that_nothing_grants_is_found_once() -> None:
    granted = policy(allow("dynamodb:PutItem"))
    log = used(
        granted, ("dynamodb:GetItem", TABLE), ("dynamodb:PutItem", TABLE), ("dynamodb:PutItem", TABLE + "2")
    )
    report = compare_grants([granted], log.calls())
    assert [(call.action, call.resource) for call in report.ungranted_calls] == [
        ("dynamodb:GetItem", TABLE),
        ("dynamodb:PutItem", TABLE + "2"),
    ]
    assert not report.exact


def test_a_wildcard_action_is_spelt_out_and_reported() -> None:
    granted = policy(allow("dynamodb:Put*"))
    report = compare_grants([granted], used(granted, ("dynamodb:PutItem", TABLE)).calls())
    assert [grant.action for grant in report.wildcard_actions] == ["dynamodb:Put*"]
    assert [grant.action for grant in report.unused_grants] == ["dynamodb:PutResourcePolicy"]


def test_not_action_covers_calls_and_counts_as_a_wildcard() -> None:
    granted = policy({"Effect": "Allow", "NotAction": "iam:*", "Resource": TABLE})
    report = compare_grants(
        [granted], used(granted, ("dynamodb:PutItem", TABLE), ("iam:GetRole", TABLE)).calls()
    )
    assert [grant.action for grant in report.wildcard_actions] == ["NotAction iam:*"]
    assert [call.action for call in report.ungranted_calls] == ["iam:GetRole"]


def test_not_resource_covers_what_it_does_not_name_and_is_needless() -> None:
    granted = policy({"Effect": "Allow", "Action": "dynamodb:PutItem", "NotResource": TABLE})
    log = used(granted, ("dynamodb:PutItem", TABLE), ("dynamodb:PutItem", TABLE + "2"))
    report = compare_grants([granted], log.calls())
    assert [call.resource for call in report.ungranted_calls] == [TABLE]
    assert report.unused_grants == ()
    assert [grant.resource for grant in report.needless_wildcard_resources] == [f"NotResource {TABLE}"]


def test_a_star_resource_is_needless_only_where_an_arn_can_stand() -> None:
    granted = policy(allow(["dynamodb:PutItem", "chime:CreateVoiceConnector"], "*"))
    log = used(granted, ("dynamodb:PutItem", TABLE), ("chime:CreateVoiceConnector", "*"))
    report = compare_grants([granted], log.calls())
    assert [grant.action for grant in report.needless_wildcard_resources] == ["dynamodb:PutItem"]
    assert len(report.wildcard_resources) == 2
    assert not report.exact
