"""TOKEN authorizer of the metadata API: only who knows the token may store metadata.

Environment: TOKEN_SECRET_ARN, CACHE_SECONDS (300; 0 reads the secret for every request), VENDOR_KEY (the API key by
which a usage plan counts requests with a valid token, if there is one).
IAM: secretsmanager:GetSecretValue on the secret (plus kms:Decrypt on a customer-managed key).
Source: Kore's guide to external voice (docs/guides.md#voice-functions-2); API Gateway developer guide, "Use API
Gateway Lambda authorizers".

No token: 401. Wrong token: a Deny policy, 403. Secrets Manager unreadable and nothing in memory: raises,
which API Gateway answers as AUTHORIZER_FAILURE (500). Neither the token nor the header is ever logged.
Which versions of the token are accepted, and how long: see ``rotated_secret``. API Gateway caches a refusal too, so
that a client whose token was rotated in a moment ago may see it for the authorizer's cache time.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools.utilities.data_classes.api_gateway_authorizer_event import (
    APIGatewayAuthorizerResponse,
    APIGatewayAuthorizerTokenEvent,
)
from aws_lambda_powertools.utilities.typing import LambdaContext

from runtime.metadata import limits
from runtime.shared.clients import error_code
from runtime.shared.environment import Environment
from runtime.shared.errors import BridgeError, shown
from runtime.shared.initialization import built_at_init
from runtime.shared.logging import LOGGER, event_logger
from runtime.shared.metrics import count, metered
from runtime.shared.rotated_secret import RotatedSecret, UnfitSecretError, accepts, digest_of, secret_at

PRINCIPAL = "external-voice-system"
"""Who has the token. API Gateway requires a principal, which access logs may show: never the token itself."""

_METHOD_ARN = re.compile(
    r"arn:(?P<partition>aws[a-z-]*):execute-api:(?P<region>[a-z0-9-]+):(?P<account>[0-9]{12}):"
    r"(?P<api>[A-Za-z0-9]+)/(?P<stage>[A-Za-z0-9_-]+)/.*",
    re.ASCII | re.DOTALL,
)


# evidence: authorizer-unauthorized
class UnauthorizedError(Exception):
    """No token at all. API Gateway answers 401 to an authorizer's error of exactly this text."""

    def __init__(self) -> None:
        super().__init__("Unauthorized")


class InvalidMethodArnError(BridgeError):
    """Not an event of an API Gateway REST API's token authorizer."""


@metered()
@event_logger()
def handler(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001 (Lambda's signature)
    """Answer API Gateway with a policy, or raise "Unauthorized" for 401."""
    try:
        accepted, answer = _authorize(event, _tokens())
    except UnauthorizedError:
        count("TokenMissing")
        raise
    except Exception as error:
        LOGGER.exception("token not checked", cause=error_code(error))
        count("AuthorizerFailed")
        raise
    LOGGER.info("token checked", accepted=accepted)
    count("TokenAccepted" if accepted else "TokenRefused")
    return answer


def _authorize(event: object, tokens: RotatedSecret[bytes]) -> tuple[bool, dict[str, Any]]:
    """Return whether the token is accepted, and the authorizer's answer.

    The policy covers every method of this API's stage, and nothing else: API Gateway caches it per token and
    would otherwise apply one method's policy to the next. Raises UnauthorizedError without a token,
    InvalidMethodArnError, and SecretUnavailableError.
    """
    request = APIGatewayAuthorizerTokenEvent(dict(event) if isinstance(event, Mapping) else {})
    token = request.get("authorizationToken")
    if not isinstance(token, str) or not token:
        raise UnauthorizedError
    answer = _answer_for(request.get("methodArn"))
    accepted = accepts(tokens, token)
    if accepted:
        answer.allow_all_routes()
        # evidence: usage-plan-after-authorizer
        answer.usage_identifier_key = os.environ.get("VENDOR_KEY") or None
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


def _token_digest(text: str) -> bytes:
    """Return the digest of a version's token: the text without white space around it, which no header carries.

    A token that was stored from a file ends with a line end. Raises UnfitSecretError for one that no header could
    carry at all.
    """
    token = text.strip()
    if not token or any(character < " " or character == "\x7f" for character in token):
        raise UnfitSecretError("it is blank, or holds a control character, which no HTTP header carries")
    return digest_of(token)


@built_at_init
def _tokens() -> RotatedSecret[bytes]:
    environment = Environment(os.environ)
    secret_arn = environment.secret_arn("TOKEN_SECRET_ARN")
    cache_seconds = environment.whole_number(
        "CACHE_SECONDS",
        default=limits.TOKEN_CACHE_SECONDS,
        within=limits.TOKEN_CACHE_SECONDS_RANGE,
    )
    environment.check()
    # Two versions at most are read: 2 x 2 x (0.5 s + 1 s) and pauses stay below 10 s.
    return secret_at(secret_arn, _token_digest, cache_seconds=cache_seconds)
