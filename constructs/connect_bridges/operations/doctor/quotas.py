"""Quotas: what applies, what is used, what the deployment needs, and how to ask for more."""

from __future__ import annotations

from collections.abc import Sequence

from connect_bridges.operations.doctor.aws import Refused, Region
from connect_bridges.operations.doctor.findings import About, Finding, QuotaRequest

CONNECTORS = "L-2BE4D75F"  # External voice transfer connectors per account: 0 until AWS grants it
FUNCTIONS = "L-E3D2F503"  # AWS Lambda functions per instance
FLOWS = "L-22922690"  # Flows per instance
MODULES = 200  # Flow modules per instance: this quota's code is not published
_OPEN = frozenset({"PENDING", "CASE_OPENED"})
_ELSEWHERE = frozenset({"NoSuchResourceException", "IllegalArgumentException"})


def applied(where: Region, code: str, context: str | None = None) -> float:
    """Return what a quota of Amazon Connect is: of the instance with the ARN context, of the account, or AWS's default.

    Service Quotas has an applied value only where somebody asked for one. evidence: quota-of-an-instance
    """
    named = {"ServiceCode": "connect", "QuotaCode": code}
    for place in ([{"ContextId": context}] if context else []) + [{}]:
        try:
            return float(where.ask("service-quotas", "get_service_quota", **named, **place)["Quota"]["Value"])
        except Refused as refusal:
            if refusal.code not in _ELSEWHERE:
                raise
    return float(where.ask("service-quotas", "get_aws_default_service_quota", **named)["Quota"]["Value"])


def compare(
    about: About, where: Region, code: str, *, used: int, needed: int, context: str | None = None
) -> Finding:
    """Compare a quota of Amazon Connect with what is there and what comes. context: the ARN of the instance."""
    quota = applied(where, code, context)
    found = f"quota {code} is {quota:g}; {used} used, {needed} needed"
    if used + needed <= quota:
        return about.ok(found)
    request = QuotaRequest(where.name, "connect", code, used + needed, context)
    asked = _asked_for(where, request)
    if asked:
        return about.failure(f"{found}; an increase was asked for: {asked}", "wait for AWS's answer")
    return about.failure(found, "ask for an increase (or --request-quotas)", request.command, request=request)


def connectors_used(where: Region) -> int:
    """Return how many external voice transfer connectors the account has in the Region."""
    found = where.pages("chime-sdk-voice", "list_voice_connectors", "VoiceConnectors")
    return sum(each.get("IntegrationType") == "CONNECT_CALL_TRANSFER_CONNECTOR" for each in found)


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
