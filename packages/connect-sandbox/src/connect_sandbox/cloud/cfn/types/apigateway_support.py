"""What the AWS::ApiGateway::* types share: the sandbox's APIs, and how their properties are read."""

from __future__ import annotations

import re
from typing import Any

from connect_sandbox.cloud.api_gateway.registry import ApiRegistry, RestApi
from connect_sandbox.cloud.cfn.resource import Context
from connect_sandbox.cloud.cfn.support import Recorded
from connect_sandbox.cloud.errors import NotEmulatedError

DESCRIPTION = Recorded("a description is kept")
_FUNCTION_URI = re.compile(
    r"^arn:[\w-]+:apigateway:[\w-]+:lambda:path/2015-03-31/functions/(arn:[\w-]+:lambda:[^/]+)/invocations$"
)


def apis(context: Context) -> ApiRegistry:
    """Return the sandbox's APIs."""
    registry: ApiRegistry = context.services.apis
    return registry


def find_api(context: Context, properties: dict[str, Any]) -> RestApi | None:
    """Return the API, or None if it is gone already."""
    return next((api for api in apis(context).all() if api.id == properties["RestApiId"]), None)


def function_arn(uri: str, what: str) -> str:
    """Return the function that an integration's URI invokes; `what` names the property in the error."""
    found = _FUNCTION_URI.match(uri)
    if found is None:
        raise NotEmulatedError(f"{what} {uri!r}", "the sandbox invokes Lambda functions by ARN only")
    return found[1]


def is_true(value: Any) -> bool:  # noqa: ANN401  (a template writes true or "true")
    """Tell whether a property is true."""
    return str(value).lower() == "true"
