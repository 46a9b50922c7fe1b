"""Decide about a request by its token, and say so in the form that API Gateway's cache needs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools.utilities.data_classes.api_gateway_authorizer_event import (
    APIGatewayAuthorizerResponse,
)

from runtime.metadata.secret import AcceptedTokens
from runtime.shared.errors import BridgeError, shown

PRINCIPAL = "external-voice-system"
"""Who has the token. API Gateway requires a principal, which access logs may show: never the token itself."""

_METHOD_ARN = re.compile(
    r"arn:(?P<partition>aws[a-z-]*):execute-api:(?P<region>[a-z0-9-]+):(?P<account>[0-9]{12}):"
    r"(?P<api>[A-Za-z0-9]+)/(?P<stage>[A-Za-z0-9_-]+)/.*",
    re.ASCII | re.DOTALL,
)


class UnauthorizedError(Exception):
    """No token at all. API Gateway answers 401 to an authorizer's error of exactly this text."""

    def __init__(self) -> None:
        super().__init__("Unauthorized")


class InvalidMethodArnError(BridgeError):
    """Not an event of an API Gateway REST API's token authorizer."""


def authorize(event: Mapping[str, Any], tokens: AcceptedTokens) -> tuple[bool, dict[str, Any]]:
    """Return whether the token is accepted, and the authorizer's answer.

    The policy covers every method of this API's stage, and nothing else: API Gateway caches it per token and
    would otherwise apply one method's policy to the next. Raises UnauthorizedError without a token,
    InvalidMethodArnError, and TokenUnavailableError.
    """
    token = event.get("authorizationToken") if isinstance(event, Mapping) else None
    if not isinstance(token, str) or not token:
        raise UnauthorizedError
    answer = _answer_for(event.get("methodArn"))
    accepted = tokens.accepts(token)
    if accepted:
        answer.allow_all_routes()
    else:
        answer.deny_all_routes()
    return accepted, answer.asdict()


def _answer_for(method_arn: object) -> APIGatewayAuthorizerResponse:
    match = _METHOD_ARN.fullmatch(method_arn) if isinstance(method_arn, str) else None
    if match is None:
        raise InvalidMethodArnError(
            f"methodArn is {shown(method_arn)}, not that of an API Gateway REST API; set this function up as "
            "the TOKEN authorizer of one"
        )
    # Not from_route_arn(), which takes every partition for "aws".
    return APIGatewayAuthorizerResponse(
        principal_id=PRINCIPAL,
        region=match["region"],
        aws_account_id=match["account"],
        api_id=match["api"],
        stage=match["stage"],
        partition=match["partition"],
    )
