"""The Service Quotas API: what applies, AWS's defaults, and requests for an increase."""

from __future__ import annotations

from typing import Any

from connect_sandbox.cloud.aws_service import AwsService
from connect_sandbox.cloud.errors import AwsError
from connect_sandbox.cloud.faults import Faults
from connect_sandbox.cloud.quotas import QUOTAS, Code, IncreaseRequest, Quota, Quotas
from connect_sandbox.cloud.values import Member

_SERVICES = {"connect": "Amazon Connect", "lambda": "AWS Lambda"}
_NO_SUCH = "The request failed because the specified service does not exist."


class ServiceQuotasApi(AwsService):
    """Serves Service Quotas from the account's Quotas.

    A quota that nobody ever raised has no applied value, and GetServiceQuota refuses it with NoSuchResourceException
    (reported of several services by users of this API); GetAWSDefaultServiceQuota has its default.
    """

    service_name = "service-quotas"
    invalid_parameter_code = "IllegalArgumentException"

    def __init__(self, faults: Faults, quotas: Quotas, account: str, region: str) -> None:
        """`quotas` holds what applies."""
        super().__init__(faults)
        self._quotas = quotas
        self._account = account
        self._region = region

    def get_service_quota(
        self, service_code: str, quota_code: str, context_id: str | None = None
    ) -> dict[str, Any]:
        """Return the value that applies to the account, or to the Connect instance with the ARN `context_id`."""
        code = (service_code, quota_code)
        quota = self._quotas.known(code)
        if context_id is not None and not quota.per_instance:
            message = f"The quota {quota_code} does not apply to a resource; leave ContextId out."
            raise AwsError("IllegalArgumentException", message)
        value = self._quotas.applied(code, context_id)
        if value is None:
            message = "The request failed because the specified service quota does not exist."
            raise AwsError("NoSuchResourceException", message)
        return {"Quota": self._describe(code, quota, value, context_id)}

    def get_aws_default_service_quota(self, service_code: str, quota_code: str) -> dict[str, Any]:
        """Return AWS's default."""
        code = (service_code, quota_code)
        quota = self._quotas.known(code)
        return {"Quota": self._describe(code, quota, quota.default)}

    def list_service_quotas(self, service_code: str, **request: Member) -> dict[str, Any]:
        """List the quotas of a service that have an applied value, by default those of the account."""
        level = request.get("quota_applied_at_level", "ACCOUNT")
        found = [
            self._describe(code, quota, value)
            for code, quota in self._of(service_code)
            if (value := self._quotas.applied(code)) is not None
            and request.get("quota_code") in {None, code[1]}
            and level in {"ALL", "RESOURCE" if quota.per_instance else "ACCOUNT"}
        ]
        return {"Quotas": found}

    def list_aws_default_service_quotas(self, service_code: str, **_request: Member) -> dict[str, Any]:
        """List AWS's defaults of a service."""
        return {
            "Quotas": [self._describe(code, quota, quota.default) for code, quota in self._of(service_code)]
        }

    def request_service_quota_increase(
        self, service_code: str, quota_code: str, desired_value: float, **request: Member
    ) -> dict[str, Any]:
        """Ask for an increase; it is pending until the rehearsal grants it."""
        code = (service_code, quota_code)
        self._quotas.known(code)
        wanted = self._quotas.request(code, desired_value, request.get("context_id"))
        return {"RequestedQuota": self._requested(wanted)}

    def get_requested_service_quota_change(self, request_id: str) -> dict[str, Any]:
        """Describe a request for an increase."""
        found = next((r for r in self._quotas.requests() if r.id == request_id), None)
        if found is None:
            raise AwsError("NoSuchResourceException", f"There is no request {request_id}.")
        return {"RequestedQuota": self._requested(found)}

    def list_requested_service_quota_change_history(self, **request: Member) -> dict[str, Any]:
        """List the requests for increases, the newest first."""
        found = [
            self._requested(wanted)
            for wanted in reversed(self._quotas.requests())
            if request.get("service_code") in {None, wanted.code[0]}
            and request.get("quota_code") in {None, wanted.code[1]}
            and request.get("status") in {None, wanted.status}
        ]
        return {"RequestedQuotas": found}

    def list_requested_service_quota_change_history_by_quota(self, **request: Member) -> dict[str, Any]:
        """List the requests for increases of one quota, the newest first."""
        return self.list_requested_service_quota_change_history(**request)

    def _of(self, service_code: str) -> list[tuple[Code, Quota]]:
        if service_code not in _SERVICES:
            raise AwsError("NoSuchResourceException", _NO_SUCH)
        return [(code, quota) for code, quota in QUOTAS.items() if code[0] == service_code]

    def _describe(self, code: Code, quota: Quota, value: float, context: str | None = None) -> dict[str, Any]:
        service, quota_code = code
        described: dict[str, Any] = {
            "ServiceCode": service,
            "ServiceName": _SERVICES[service],
            "QuotaArn": f"arn:aws:servicequotas:{self._region}:{self._account}:{service}/{quota_code}",
            "QuotaCode": quota_code,
            "QuotaName": quota.name,
            "Value": value,
            "Unit": "None",
            "Adjustable": True,
            "GlobalQuota": False,
            "QuotaAppliedAtLevel": "RESOURCE" if quota.per_instance else "ACCOUNT",
        }
        if context is not None:
            described["QuotaContext"] = {
                "ContextScope": "RESOURCE",
                "ContextScopeType": "AWS::Connect::Instance",
                "ContextId": context,
            }
        return described

    def _requested(self, wanted: IncreaseRequest) -> dict[str, Any]:
        quota = self._quotas.known(wanted.code)
        kept = ("ServiceCode", "ServiceName", "QuotaArn", "QuotaCode", "QuotaName", "GlobalQuota", "Unit")
        described = self._describe(wanted.code, quota, wanted.desired, wanted.context)
        return {
            **{name: described[name] for name in kept},
            "Id": wanted.id,
            "DesiredValue": wanted.desired,
            "Status": wanted.status,
            "Created": wanted.created_at,
            "LastUpdated": wanted.created_at,
        }
