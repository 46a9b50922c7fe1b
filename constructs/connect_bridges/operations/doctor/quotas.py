"""Quotas: what applies, what is used, what the deployment needs, and how to ask for more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connect_bridges.operations.doctor.aws import Refused, Region
from connect_bridges.operations.doctor.findings import About, Finding, QuotaRequest
from connect_bridges.operations.doctor.limits import Limit
from connect_bridges.operations.doctor.subjects import Subject

NEAR = 0.8  # of a quota: AWS's advice is to ask for more then
ASK_FROM = 0.1  # of today's default: with less in use, no quota that AWS ever gave by default is near
_OPEN = frozenset({"PENDING", "CASE_OPENED"})
_ELSEWHERE = frozenset({"NoSuchResourceException", "IllegalArgumentException"})


def applied(where: Region, limit: Limit, context: str | None = None) -> float | None:
    """Return what a limit is: of the instance with the ARN context, of the account, or by default; None: not known.

    Service Quotas has an applied value only where somebody asked for one. evidence: quota-of-an-instance
    """
    if not limit.code:
        return limit.default
    named = {"ServiceCode": "connect", "QuotaCode": limit.code}
    places = [{"ContextId": context}] if context else []
    for operation, place in [
        *(("get_service_quota", each) for each in [*places, {}]),
        ("get_aws_default_service_quota", {}),
    ]:
        try:
            return float(where.ask("service-quotas", operation, **named, **place)["Quota"]["Value"])
        except Refused as refusal:
            if refusal.code not in _ELSEWHERE:
                raise
    return limit.default


def compare(
    about: About, where: Region, limit: Limit, *, used: int, needed: int, context: str | None = None
) -> Finding:
    """Compare a limit with what is there and what comes. context: the ARN of the instance."""
    if needed == 0 and used <= ASK_FROM * (limit.default or 0) and not limit.always:
        return about.ok(str(used) if limit.default is None else f"{used} of {limit.default} by default")
    quota = applied(where, limit, context)
    name = f"quota {limit.code}" if limit.code else f"the limit ({limit.item})"
    if quota is None:
        return about.ok(f"{used} used, {needed} needed; {name} is not known")
    found = f"{name} is {quota:g}; {used} used, {needed} needed"
    if used + needed > quota and needed:
        return _too_little(about, where, found, _request(where, limit, used + needed, context))
    if limit.near and used and used >= NEAR * quota:
        return _near(about, where, found, _request(where, limit, 2 * used, context))
    return about.ok(found)


def used(where: Region, limit: Limit, instance: str | None = None) -> int:
    """Return how many of what counts there are: in the instance with this ARN, or in the account."""
    arguments = dict(limit.arguments)
    if instance and limit.member == "TargetArn":
        arguments["TargetArn"] = instance
    elif instance:
        arguments["InstanceId"] = instance.rpartition("/")[2]
    found = where.pages(limit.service, limit.operation, limit.listed, **arguments)
    return sum(all(each.get(name) == value for name, value in limit.only.items()) for each in found)


def needed(limit: Limit, subjects: Sequence[Subject], instance: str | None = None) -> int:
    """Return how many the next deployment adds. instance: its ARN, or for one to come, STACK/LOGICAL_ID."""
    there = {
        f"{each.name}/{logical_id}": found
        for each in subjects
        for logical_id, found in each.physical_ids("AWS::Connect::Instance").items()
    }
    return sum(
        (not limit.member or _instance_of(each, logical_id, limit.member, there) == instance)
        and limit.counts(properties)
        for each in subjects
        for logical_id, properties in each.to_come(*limit.resources)
    )


def _instance_of(subject: Subject, logical_id: str, member: str, there: Mapping[str, str]) -> str | None:
    """Return the ARN of the instance that a resource names, or STACK/LOGICAL_ID of one that a template creates."""
    resource = subject.planned.resources[logical_id] if subject.planned else {}
    if arn := resource["Properties"].get(member):
        return str(arn)
    named: str | None = resource["References"].get(member)
    return there.get(named, named) if named else None


def _request(where: Region, limit: Limit, desired: int, context: str | None) -> QuotaRequest | None:
    if not (limit.adjustable and limit.code):
        return None
    return QuotaRequest(where.name, "connect", limit.code, desired, context)


def _too_little(about: About, where: Region, found: str, request: QuotaRequest | None) -> Finding:
    if request is None:
        return about.failure(
            f"{found}; AWS does not raise it", "deploy fewer, or remove some of the instance"
        )
    asked = _asked_for(where, request)
    if asked:
        return about.failure(f"{found}; an increase was asked for: {asked}", "wait for AWS's answer")
    return about.failure(found, "ask for an increase (or --request-quotas)", request.command, request=request)


def _near(about: About, where: Region, found: str, request: QuotaRequest | None) -> Finding:
    if request is None:
        return about.warning(f"{found}: nearly full, and AWS does not raise it", "remove what is not in use")
    asked = _asked_for(where, request)
    if asked:
        return about.ok(f"{found}; an increase was asked for: {asked}")
    return about.warning(f"{found}: nearly full", "ask for an increase in time", request.command)


def _asked_for(where: Region, request: QuotaRequest) -> str:
    try:
        history: Sequence[dict[str, object]] = where.pages(
            "service-quotas",
            "list_requested_service_quota_change_history_by_quota",
            "RequestedQuotas",
            ServiceCode=request.service,
            QuotaCode=request.code,
        )
    except Refused:
        return ""  # then the request is named again, and AWS refuses a second one
    found = [each for each in history if each.get("Status") in _OPEN]
    return f"{found[0]['DesiredValue']:g}, {found[0]['Status']}" if found else ""
