"""TOKEN authorizers: the token's form, the function's answer, the policy in it, and the cache of answers."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from connect_sandbox.cloud.api_gateway.context import RequestState
from connect_sandbox.cloud.api_gateway.errors import GatewayError
from connect_sandbox.cloud.api_gateway.registry import Authorizer
from connect_sandbox.cloud.errors import AwsError
from connect_sandbox.cloud.functions import Functions, InvocationTimeoutError
from connect_sandbox.cloud.principals import ServicePrincipal
from connect_sandbox.iam import AccessRequest, IamError, Policy, Reason, RequestContext, evaluate
from connect_sandbox.iam import Principal as IamPrincipal

APIGATEWAY = "apigateway.amazonaws.com"
#: Seconds that an authorizer function has, as many as an integration.
TIMEOUT_SECONDS = 29.0


@dataclass(frozen=True)
class _Answer:
    """The answer of an authorizer function: who the caller is, what the policy allows, and its context."""

    principal_id: str
    policy: Policy
    context: dict[str, str]
    #: The API key that the function names for the client.
    usage_key: str = ""


class TokenAuthorizers:
    """Runs authorizers and caches their answers, per authorizer and token, for all methods of the API at once."""

    def __init__(self, functions: Functions, clock: Callable[[], float] = time.monotonic) -> None:
        """`functions` runs the authorizer functions; `clock` gives seconds."""
        self._functions = functions
        self._clock = clock
        self._lock = threading.Lock()
        self._cache: dict[tuple[str, str, str], tuple[float, _Answer]] = {}

    def authorize(self, authorizer: Authorizer, state: RequestState) -> str:
        """Let the request pass, record who calls and return the API key that the function named, if any.

        Raise the GatewayError that refuses the request.
        """
        token = state.request.headers.get(authorizer.identity_header)
        expression = authorizer.validation_expression
        if not token or (expression and not re.fullmatch(expression, token)):
            raise GatewayError("UNAUTHORIZED", "Unauthorized")
        answer = self._cached(authorizer, state, token)
        state.authorizer = {"principalId": answer.principal_id, **answer.context}
        decision = _decide(answer.policy, state)
        if decision is not None:
            raise GatewayError("ACCESS_DENIED", decision)
        return answer.usage_key

    def flush(self, api_id: str) -> None:
        """Forget the cached answers of an API."""
        with self._lock:
            self._cache = {key: value for key, value in self._cache.items() if key[0] != api_id}

    def _cached(self, authorizer: Authorizer, state: RequestState, token: str) -> _Answer:
        key = (state.api_id, f"{state.stage}/{authorizer.id}", token)
        now = self._clock()
        with self._lock:
            expires, known = self._cache.get(key, (0.0, None))
        if known is not None and now < expires:
            return known
        answer = self._ask(authorizer, state, token)
        if authorizer.ttl_seconds:
            with self._lock:
                self._cache[key] = (now + authorizer.ttl_seconds, answer)
        return answer

    def _ask(self, authorizer: Authorizer, state: RequestState, token: str) -> _Answer:
        region = state.host.split(".")[2]
        source_arn = (
            f"arn:aws:execute-api:{region}:{state.account}:{state.api_id}/authorizers/{authorizer.id}"
        )
        event = {"type": "TOKEN", "methodArn": state.method_arn, "authorizationToken": token}
        try:
            invocation = self._functions.invoke(
                authorizer.function_arn,
                event,
                invoked_by=ServicePrincipal(APIGATEWAY, source_account=state.account, source_arn=source_arn),
                timeout=TIMEOUT_SECONDS,
            )
        except AwsError as error:
            state.values["authorizer.error"] = error.message
            raise GatewayError("AUTHORIZER_CONFIGURATION_ERROR", None) from error
        except InvocationTimeoutError as error:
            state.values["authorizer.error"] = str(error)
            raise GatewayError("AUTHORIZER_FAILURE", None) from error
        answer = invocation.json()
        if invocation.function_error:
            # Raising Exception("Unauthorized") is an authorizer's way of asking for 401.
            if answer.get("errorMessage") == "Unauthorized":
                raise GatewayError("UNAUTHORIZED", "Unauthorized")
            state.values["authorizer.error"] = str(answer.get("errorMessage"))
            raise GatewayError("AUTHORIZER_FAILURE", None)
        try:
            return _read(answer)
        except (IamError, ValueError, KeyError, TypeError) as error:
            state.values["authorizer.error"] = str(error)
            raise GatewayError("AUTHORIZER_CONFIGURATION_ERROR", None) from error


def _read(answer: Any) -> _Answer:  # noqa: ANN401  (what the function returned)
    principal_id, document = answer["principalId"], answer["policyDocument"]
    if not isinstance(principal_id, str) or not principal_id:
        raise ValueError(f"principalId is {principal_id!r}; API Gateway expects text")
    context = answer.get("context") or {}
    for name, value in context.items():
        if not isinstance(value, str | int | float | bool):
            raise TypeError(
                f"context.{name} is {type(value).__name__}; API Gateway takes text, numbers and booleans"
            )
    usage_key = answer.get("usageIdentifierKey") or ""
    if not isinstance(usage_key, str):
        raise TypeError(f"usageIdentifierKey is {type(usage_key).__name__}; API Gateway takes text")
    policy = Policy.parse(document, name=f"policy that the authorizer returned for {principal_id}")
    return _Answer(
        principal_id, policy, {name: _as_text(value) for name, value in context.items()}, usage_key
    )


def _decide(policy: Policy, state: RequestState) -> str | None:
    """Return the message with which the policy refuses the request, or None."""
    context = RequestContext.of(
        {
            "aws:SourceIp": state.request.source_ip,
            "aws:UserAgent": state.request.headers.get("User-Agent") or None,
            "aws:SecureTransport": "true",
            "aws:CurrentTime": state.started.strftime("%Y-%m-%dT%H:%M:%SZ"),
        },
        ["aws:SourceVpc", "aws:SourceVpce", "aws:Referer"],
    )
    caller = IamPrincipal.user(f"arn:aws:iam::{state.account}:user/caller-of-{state.api_id}")
    try:
        decision = evaluate(AccessRequest("execute-api:Invoke", state.method_arn, context), caller, [policy])
    except IamError as error:
        raise GatewayError("AUTHORIZER_CONFIGURATION_ERROR", None) from error
    if decision.allowed:
        return None
    explicit = " with an explicit deny" if decision.reason is Reason.DENIED_BY_IDENTITY else ""
    return f"User is not authorized to access this resource{explicit}"


def _as_text(value: Any) -> str:  # noqa: ANN401
    return value if isinstance(value, str) else json.dumps(value)
