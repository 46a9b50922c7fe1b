"""Lambda proxy integration: the event that a function gets, and the HTTP response made from its result."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from connect_sandbox.cloud.api_gateway.context import RequestState
from connect_sandbox.cloud.api_gateway.errors import GatewayError
from connect_sandbox.cloud.http import HttpResponse

_MEMBERS = frozenset({"statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"})
#: Headers of a request that a function is not told.
_NOT_PASSED = frozenset({"content-length", "connection", "transfer-encoding"})


def proxy_event(state: RequestState, path_parameters: dict[str, str]) -> dict[str, Any]:
    """Return the REST API proxy event (payload format 1.0) of a request."""
    request = state.request
    headers = [
        (name, state.host if name.lower() == "host" else value)
        for name, value in request.headers.items()
        if name.lower() not in _NOT_PASSED
    ]
    headers += [
        ("X-Amzn-Trace-Id", state.trace_id),
        ("X-Forwarded-For", request.source_ip),
        ("X-Forwarded-Port", "443"),
        ("X-Forwarded-Proto", "https"),
    ]
    query = request.query
    return {
        "resource": state.resource_path,
        "path": (state.base_path or "") + state.path,
        "httpMethod": request.method,
        "headers": dict(headers),
        "multiValueHeaders": _multi(headers),
        "queryStringParameters": dict(query) or None,
        "multiValueQueryStringParameters": _multi(query) or None,
        "pathParameters": path_parameters or None,
        "stageVariables": None,
        "requestContext": _request_context(state),
        "body": request.body.decode("utf-8", "replace") if request.body else None,
        "isBase64Encoded": False,
    }


def proxy_answer(result: Any, state: RequestState) -> HttpResponse:  # noqa: ANN401  (whatever the function returned)
    """Return the HTTP response that a proxy result describes; a malformed one makes the gateway's 502."""
    if not isinstance(result, dict):
        raise _malformed(state, f"it returned {type(result).__name__}, not an object")
    unknown = sorted(set(result) - _MEMBERS)
    if unknown:
        raise _malformed(state, f"it has a member {unknown[0]}")
    body = result.get("body")
    if body is not None and not isinstance(body, str):
        raise _malformed(state, f"body is {type(body).__name__}, not text")
    try:
        status = int(result.get("statusCode", 200))
        headers = _headers(result)
    except (TypeError, ValueError, AttributeError) as error:
        raise _malformed(state, str(error) or type(error).__name__) from error
    if not 100 <= status <= 599:
        raise _malformed(state, f"statusCode is {status}")
    if not any(name.lower() == "content-type" for name, _ in headers):
        headers.append(("Content-Type", "application/json"))
    # The gateway's own headers replace what the function gave under these names.
    own = [
        ("x-amzn-RequestId", state.request_id),
        ("x-amz-apigw-id", state.extended_id),
        ("X-Amzn-Trace-Id", state.trace_id),
    ]
    taken = {name.lower() for name, _ in own}
    # The API has no binary media types: a body in base64 stays so.
    kept = [(n, v) for n, v in headers if n.lower() not in taken]
    return HttpResponse(status, kept + own, (body or "").encode())


def _headers(result: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the headers of both members; what both have is sent twice, under the name that multiValueHeaders has."""
    many = result.get("multiValueHeaders") or {}
    headers = []
    for name, values in many.items():
        if not isinstance(values, list):
            raise TypeError(f"multiValueHeaders.{name} is {type(values).__name__}, not a list")
        headers += [(name, _text(value)) for value in values]
    named = {name.lower(): name for name, _ in headers}
    single = (result.get("headers") or {}).items()
    return headers + [(named.get(name.lower(), name), _text(value)) for name, value in single]


def _text(value: Any) -> str:  # noqa: ANN401
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str | int | float):
        raise TypeError(f"a header is {type(value).__name__}, not text")
    return str(value)


def _multi(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    collected: dict[str, list[str]] = {}
    for name, value in pairs:
        collected.setdefault(name, []).append(value)
    return collected


def _request_context(state: RequestState) -> dict[str, Any]:
    request = state.request
    identity = dict.fromkeys(
        (
            "accessKey", "accountId", "caller", "cognitoAuthenticationProvider",
            "cognitoAuthenticationType", "cognitoIdentityId", "cognitoIdentityPoolId", "principalOrgId", "user",
            "userArn",
        )
    )  # fmt: skip
    context = {
        "accountId": state.account,
        "apiId": state.api_id,
        "deploymentId": state.deployment_id,
        "domainName": state.host,
        "domainPrefix": state.host.split(".", 1)[0],
        "extendedRequestId": state.extended_id,
        "httpMethod": request.method,
        "identity": {
            **identity,
            "sourceIp": request.source_ip,
            "userAgent": request.headers.get("User-Agent") or None,
        },
        "path": state.full_path,
        "protocol": "HTTP/1.1",
        "requestId": state.request_id,
        "requestTime": state.request_time,
        "requestTimeEpoch": int(state.started.timestamp() * 1000),
        "resourceId": state.resource_id,
        "resourcePath": state.resource_path,
        "stage": state.stage,
    }
    return {**context, "authorizer": dict(state.authorizer)} if state.authorizer else context


def _malformed(state: RequestState, why: str) -> GatewayError:
    state.values["integrationErrorMessage"] = (
        f"Execution failed due to configuration error: Malformed Lambda proxy response ({why})"
    )
    return GatewayError("BAD_GATEWAY", "Internal server error")
