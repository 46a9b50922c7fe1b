"""An API's resource policy: who may reach it at all, before any authorizer is asked."""

from __future__ import annotations

import ipaddress
from typing import Any

from connect_sandbox.cloud.api_gateway.context import RequestState
from connect_sandbox.cloud.api_gateway.errors import GatewayError
from connect_sandbox.cloud.errors import NotEmulatedError


def check_policy_document(policy: dict[str, Any]) -> None:
    """Raise NotEmulatedError for a policy of another form than: everybody may, addresses outside a list may not."""
    for statement in policy.get("Statement", []):
        allowed = statement.get("Effect") == "Allow" and "Condition" not in statement
        denied = statement.get("Effect") == "Deny" and set(statement.get("Condition", {})) == {"NotIpAddress"}
        everybody = statement.get("Principal") in ("*", {"AWS": "*"})
        if not everybody or statement.get("Action") != "execute-api:Invoke" or not (allowed or denied):
            raise NotEmulatedError(
                "AWS::ApiGateway::RestApi Policy", "it knows lists of source addresses only"
            )


def check_resource_policy(policy: dict[str, Any] | None, state: RequestState) -> None:
    """Raise the GatewayError for a request that the policy denies."""
    for statement in (policy or {}).get("Statement", []):
        if statement["Effect"] == "Deny":
            networks = statement["Condition"]["NotIpAddress"]["aws:SourceIp"]
            source = ipaddress.ip_address(state.request.source_ip)
            if not any(source in ipaddress.ip_network(network) for network in networks):
                raise GatewayError(
                    "ACCESS_DENIED",
                    "User: anonymous is not authorized to perform: execute-api:Invoke on resource: "
                    f"{state.method_arn} with an explicit deny",
                )
