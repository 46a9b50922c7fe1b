"""What an instance or the account may hold: the table, its page, and what doctor says of it."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import boto3
import pytest
from connect_bridges.operations.doctor.findings import CHECKS, Finding, Status
from connect_bridges.operations.doctor.limits import FILE, Limit, limit, limits, page
from connect_sandbox.cloud.quotas import QUOTAS

from tests.support import INSTANCE_ARN, ROOT
from tests.support.doctor import DENIED, INSTANCE_ID, METADATA, Account, error, findings, of

COUNTED = [each for each in limits() if each.countable]
OF_INSTANCE = [each for each in COUNTED if each.level == "instance"]
PARTS = {"Metadata": METADATA}


def operation(of_limit: Limit) -> str:
    client: Any = boto3.client(of_limit.service, region_name="us-east-1")
    return str(client.meta.method_to_api_mapping[of_limit.operation])


def account(of_limit: Limit, used: int, quota: float, **further: Any) -> Account:
    """An account with so many of what counts, and this quota."""
    item = {**of_limit.only}
    answers = {
        operation(of_limit): {of_limit.listed: [item] * used},
        "GetServiceQuota": lambda asked: {
            "Quota": {"Value": quota if asked["QuotaCode"] == of_limit.code else 5000.0}
        },
        **further,
    }
    return Account(**answers)


def resources(of_limit: Limit, count: int, instance: Any = INSTANCE_ARN) -> dict[str, Any]:
    """So many resources of the template that count."""
    properties: dict[str, Any] = {of_limit.member: instance} if of_limit.member else {}
    samples = {"IntegrationType": "IntegrationArn"}
    for name, pattern in of_limit.matching.items():
        if name in samples:
            properties[name] = pattern.strip("^$")
        else:
            properties[name] = (
                "arn:aws:lex:us-east-1:123456789012:bot:Orders"
                if pattern == ":bot:"
                else {"Fn::GetAtt": ["Alias", "Arn"]}
            )
    return {f"It{n}": {"Type": of_limit.resources[0], "Properties": properties} for n in range(count)}


def found(tmp_path: Path, asked: Account, wanted: dict[str, Any], check: str) -> Finding:
    return of(findings(tmp_path, asked, parts=PARTS, resources=wanted), check)


def test_the_page_is_written_from_the_table() -> None:
    assert (ROOT / "docs/limits.md").read_text(encoding="utf-8") == page()


def test_what_is_counted_has_a_check_and_nothing_is_there_twice() -> None:
    assert {each.check for each in COUNTED} == {name for name in CHECKS if name.endswith("-quota")}
    for values in ([each.id for each in limits()], [each.code for each in limits() if each.code]):
        assert len(values) == len(set(values))
    assert all(re.fullmatch(r"(L-[0-9A-F]{8})?", each.code) for each in limits())


def test_the_guides_limits_are_in_the_table() -> None:
    told = {each.item: (each.guide_002, each.guide_003) for each in limits() if each.guide_002}
    assert told == {
        "Amazon Connect instances per account": (2, 3),
        "Users per instance": (500, 500),
        "Phone numbers per instance": (10, 10),
        "Queues per instance": (50, 50),
        "Queues per routing profile": (50, 50),
        "Routing profiles per instance": (100, 100),
        "Hours of operation per instance": (100, 100),
        "Quick connects per instance": (100, 100),
        "Prompts per instance": (500, 500),
        "Agent status per instance": (50, 50),
        "Security profiles per instance": (100, 100),
        "Flows per instance": (100, 100),
        "User hierarchy groups per instance": (50, 50),
        "Reports per instance": (500, 500),
        "Scheduled reports per instance": (50, 50),
        "Concurrent active calls per instance": (10, 100),
    }


def test_the_sandbox_has_the_same_defaults() -> None:
    here = {each.code: each.default for each in limits()}
    both = {code: quota for (service, code), quota in QUOTAS.items() if service == "connect"}
    assert {code: quota.default for code, quota in both.items()} == {code: here[code] for code in both}
    assert len(both) > 10


def test_the_policy_allows_whatever_is_listed() -> None:
    policy = (ROOT / "docs/doctor.md").read_text(encoding="utf-8")
    prefix = {"connect": "connect", "chime-sdk-voice": "chime"}
    for each in COUNTED:
        assert f'"{prefix[each.service]}:{operation(each)}"' in policy, each.id


@pytest.mark.parametrize("each", OF_INSTANCE, ids=lambda each: each.id)
def test_too_little_for_what_comes_is_a_failure(tmp_path: Path, each: Limit) -> None:
    quota = 10.0 if each.code else float(each.default or 0)
    used = int(quota) - 1
    told = found(tmp_path, account(each, used, quota), resources(each, 2), each.check)
    assert told.status is Status.FAILURE
    assert f"is {quota:g}; {used} used, 2 needed" in told.found
    if each.code and each.adjustable:
        assert told.request is not None
        assert (told.request.code, told.request.desired, told.request.context) == (
            each.code,
            used + 2,
            INSTANCE_ARN,
        )
    else:
        assert "AWS does not raise it" in told.found
        assert told.request is None
    fits = findings(tmp_path, account(each, 0, 10.0), parts=PARTS, resources=resources(each, 2))
    assert {every.status for every in fits if every.check.endswith("-quota")} <= {Status.OK}


@pytest.mark.parametrize(
    "each", [each for each in OF_INSTANCE if each.near and each.default != 5], ids=lambda each: each.id
)
def test_an_instance_that_is_nearly_full_is_a_warning_from_80_per_cent_on(
    tmp_path: Path, each: Limit
) -> None:
    full = each.default or 50
    told = found(tmp_path, account(each, full * 8 // 10, full), {}, each.check)
    assert (told.status, told.request) == (Status.WARNING, None)
    assert "nearly full" in told.found
    assert (f"--desired-value {2 * (full * 8 // 10)}" in "".join(told.commands)) is (
        each.adjustable and bool(each.code)
    )
    below = findings(tmp_path, account(each, full * 8 // 10 - 1, full), parts=PARTS, resources={})
    assert not [every for every in below if every.check == each.check and every.status is not Status.OK]


def test_a_quota_lower_than_todays_default_is_asked_for_and_counts(tmp_path: Path) -> None:
    profiles = limit("routing-profile")
    told = found(tmp_path, account(profiles, 85, 100.0), {}, profiles.check)
    assert told.found.startswith("quota L-D3E7BE26 is 100; 85 used, 0 needed")


def test_all_that_is_well_is_one_line_and_asks_little(tmp_path: Path) -> None:
    asked = Account(
        ListUsers={"UserSummaryList": [{"Id": "u"}] * 12},
        ListIntegrationAssociations={"IntegrationAssociationSummaryList": []},
    )
    all_found = findings(tmp_path, asked, parts=PARTS, resources={})
    limits_told = of(all_found, "limits")
    assert limits_told.status is Status.OK
    assert "Users: 12 of 500 by default" in limits_told.found
    names = [each.check for each in all_found if each.check.endswith("-quota")]
    assert names == ["function-quota", "flow-quota", "module-quota"]
    codes = {params["QuotaCode"] for name, params in asked.asked if name == "GetServiceQuota"}
    assert codes == {"L-E3D2F503", "L-22922690", "L-19755C7E", "L-8F812903"}  # 1 of 5 numbers is in use


def test_what_may_not_be_asked_is_told_once_and_the_rest_goes_on(tmp_path: Path) -> None:
    all_found = findings(tmp_path, Account(ListBots=DENIED), parts=PARTS, resources={})
    refused = [each for each in all_found if "connect:ListBots" in each.found]
    assert [(each.check, each.status) for each in refused] == [("lex-bot-quota", Status.WARNING)]
    assert "Queues: 0 of 100 by default" in of(all_found, "limits").found


def test_a_code_that_service_quotas_does_not_know_leaves_the_default(tmp_path: Path) -> None:
    unknown = error("NoSuchResourceException")
    users = limit("user")
    asked = account(users, 450, 0, GetServiceQuota=unknown, GetAWSDefaultServiceQuota=unknown)
    told = found(tmp_path, asked, {}, users.check)
    assert told.found.startswith("quota L-9A46857E is 500; 450 used")


def test_an_instance_that_comes_with_the_app_is_compared_before_it_is_there(tmp_path: Path) -> None:
    center = {"Center": {"Type": "AWS::Connect::Instance", "Properties": {}}}
    queues = resources(limit("queue"), 100, {"Fn::GetAtt": ["Center", "Arn"]})
    asked = account(limit("queue"), 0, 100.0)
    told = found(tmp_path, asked, {**center, **queues}, "queue-quota")
    assert told.subject == "support, instance Center"
    assert (told.status, told.found) == (
        Status.FAILURE,
        "quota L-19A87C94 is 100; 1 used, 100 needed",  # a new instance has BasicQueue
    )
    of_it = [params for name, params in asked.asked if params.get("QuotaCode") == "L-19A87C94"]
    assert all("ContextId" not in params for params in of_it)


def test_instances_count_in_the_account(tmp_path: Path) -> None:
    instances = limit("instance")
    center = resources(instances, 1)
    there = {"InstanceSummaryList": [{"Id": INSTANCE_ID}, {"Id": "other"}]}
    told = found(tmp_path, account(instances, 2, 2.0, ListInstances=there), center, instances.check)
    assert told.status is Status.FAILURE
    assert told.found == "quota L-AA17A6B9 is 2; 2 used, 1 needed"
    assert told.request is not None
    assert told.request.context is None


def test_every_limit_of_the_file_has_its_fields() -> None:
    for each in tomllib.loads(FILE.read_text(encoding="utf-8"))["limit"]:
        assert each["source"], each["id"]
        assert bool(each.get("resources")) is bool(each.get("operation")), each["id"]
        if "code" not in each:
            assert each["adjustable"] is False, each["id"]
