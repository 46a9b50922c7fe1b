"""TOKEN authorizer of the metadata API: only who knows the token may store metadata.

Environment: TOKEN_SECRET_ARN, CACHE_SECONDS (300; 0 reads the secret for every request).
IAM: secretsmanager:GetSecretValue on the secret (plus kms:Decrypt on a customer-managed key).
Source: guide 000, the authorizer function; API Gateway developer guide, "Use API Gateway Lambda authorizers".

No token: 401. Wrong token: a Deny policy, 403. Secrets Manager unreadable and nothing in memory: raises,
which API Gateway answers as AUTHORIZER_FAILURE (500). Neither the token nor the header is ever logged.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from runtime.metadata import limits
from runtime.metadata.logic.authorize import UnauthorizedError, authorize
from runtime.metadata.secret import AcceptedTokens
from runtime.shared.clients import client, error_code
from runtime.shared.environment import Environment
from runtime.shared.initialization import built_at_init
from runtime.shared.logging import LOGGER, event_logger
from runtime.shared.metrics import count, metered


@metered()
@event_logger()
def handler(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001 (Lambda's signature)
    """Answer API Gateway with a policy, or raise "Unauthorized" for 401."""
    try:
        accepted, answer = authorize(event, _tokens())
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


@built_at_init
def _tokens() -> AcceptedTokens:
    environment = Environment(os.environ)
    secret_arn = environment.text(
        "TOKEN_SECRET_ARN",
        pattern=r"arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:\S+",
        form="the ARN of the secret that holds the token",
    )
    cache_seconds = environment.whole_number(
        "CACHE_SECONDS",
        default=limits.TOKEN_CACHE_SECONDS,
        minimum=limits.TOKEN_CACHE_SECONDS_RANGE[0],
        maximum=limits.TOKEN_CACHE_SECONDS_RANGE[1],
    )
    environment.check()
    # Two versions are read: 2 x 2 x (0.5 s + 1 s) and pauses stay below 10 s.
    secrets_manager = client("secretsmanager", connect_timeout=0.5, read_timeout=1, attempts=2)
    return AcceptedTokens(secrets_manager, secret_arn, float(cache_seconds), time.time)
