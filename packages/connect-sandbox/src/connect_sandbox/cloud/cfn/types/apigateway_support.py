"""What the AWS::ApiGateway::* types share: the sandbox's APIs, and how their properties are read."""

from __future__ import annotations

import re
from typing import Any

from connect_sandbox.cloud.api_gateway.registry import ApiRegistry, Domain, RestApi, new_id
from connect_sandbox.cloud.cfn.resource import Context, Created
from connect_sandbox.cloud.cfn.support import Recorded
from connect_sandbox.cloud.errors import AwsError, NotEmulatedError

DESCRIPTION = Recorded("a description is kept")
_FUNCTION_URI = re.compile(
    r"^arn:[\w-]+:apigateway:[\w-]+:lambda:path/2015-03-31/functions/(arn:[\w-]+:(?:lambda|not-rehearsed):[^/]+)/invocations$"
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


def add_domain(context: Context, name: str) -> Created:
    """Add a domain of one's own; a name that is there already is a failure."""
    domains, lower = apis(context).domains, name.lower()
    if lower in domains:
        message = "The domain name you provided already exists."
        raise AwsError("BadRequestException", message)
    domains[lower] = Domain(lower)
    return Created(
        lower,
        {
            "DomainNameArn": f"arn:aws:apigateway:{context.region}::/domainnames/{lower}",
            "RegionalDomainName": f"d-{new_id()}.execute-api.{context.region}.amazonaws.com",
            "RegionalHostedZoneId": "Z1UJRXOUMOOFQ8",
            "DistributionDomainName": f"{new_id(14)}.cloudfront.net",
            "DistributionHostedZoneId": "Z2FDTNDATAQYW2",
        },
    )


def map_domain(context: Context, name: str, base: str, target: tuple[str, str]) -> None:
    """Map a base path of a domain to an API's stage; one that is taken is a failure."""
    domain = apis(context).domains.get(name.lower())
    if domain is None:
        raise AwsError("NotFoundException", "Invalid domain name identifier specified", 404)
    if base in domain.mappings:
        raise AwsError("ConflictException", "Base path already exists for this domain name", 409)
    domain.mappings[base] = target
