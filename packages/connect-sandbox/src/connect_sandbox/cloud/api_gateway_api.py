"""API Gateway's own API, as far as it is about the account: the role with which it logs.

REST APIs are read and changed by the deployment engine; nothing here lists them.
"""

from __future__ import annotations

from typing import Any

from connect_sandbox.cloud.api_gateway.registry import ApiRegistry
from connect_sandbox.cloud.aws_service import AwsService
from connect_sandbox.cloud.errors import AwsError, NotEmulatedError
from connect_sandbox.cloud.faults import Faults
from connect_sandbox.cloud.values import Member


class ApiGatewayApi(AwsService):
    """Serves GetAccount and UpdateAccount."""

    service_name = "apigateway"
    invalid_parameter_code = "BadRequestException"

    def __init__(self, faults: Faults, apis: ApiRegistry) -> None:
        """`apis` holds the account's setting."""
        super().__init__(faults)
        self._apis = apis

    def get_account(self) -> dict[str, Any]:
        """Return the account's settings."""
        role = self._apis.log_role_arn
        settings: dict[str, Any] = {"throttleSettings": {"burstLimit": 5000, "rateLimit": 10000.0}}
        return {**settings, "cloudwatchRoleArn": role} if role else settings

    def update_account(self, patch_operations: list[dict[str, Member]]) -> dict[str, Any]:
        """Set the role."""
        for operation in patch_operations:
            if (operation.get("op"), operation.get("path")) != ("replace", "/cloudwatchRoleArn"):
                raise NotEmulatedError(
                    f"apigateway:UpdateAccount {operation}", "it replaces /cloudwatchRoleArn"
                )
            if not operation.get("value"):
                raise AwsError("BadRequestException", "Invalid patch operation: no value")
            self._apis.log_role_arn = str(operation["value"])
        return self.get_account()
