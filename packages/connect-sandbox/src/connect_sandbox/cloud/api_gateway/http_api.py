"""HTTP APIs (API Gateway v2): routes, Lambda proxy integrations in payload format 2.0, CORS, Lambda authorizers.

Sources: API Gateway developer guide, "API Gateway HTTP APIs": "Create routes", "AWS Lambda proxy integrations",
"Configure CORS", "Control access with AWS Lambda authorizers".
"""

from __future__ import annotations

import base64
import copy
import datetime as dt
import json
import re
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from connect_sandbox.cloud.api_gateway.registry import ApiRegistry, new_id
from connect_sandbox.cloud.errors import AwsError
from connect_sandbox.cloud.functions import Functions, InvocationTimeoutError
from connect_sandbox.cloud.http import HttpRequest, HttpResponse
from connect_sandbox.cloud.principals import ServicePrincipal

if TYPE_CHECKING:
    from connect_sandbox.cloud.functions import Invocation

_APIGATEWAY = "apigateway.amazonaws.com"
_HOST = re.compile(r"^([a-z0-9]+)\.execute-api\.([\w-]+)\.amazonaws\.com(?::\d+)?$", re.IGNORECASE)
_TEXT = re.compile(
    r"^(text/|application/(json|javascript|xml|.*\+json|.*\+xml|x-www-form-urlencoded))", re.IGNORECASE
)
_DEFAULT = "$default"


@dataclass
class HttpIntegration:
    """A function behind routes."""

    id: str
    function_arn: str
    timeout_ms: int = 30_000


@dataclass
class HttpAuthorizer:
    """A Lambda authorizer with simple answers. `sources` are like "$request.header.Authorization"."""

    id: str
    name: str
    function_arn: str
    sources: tuple[str, ...] = ()


@dataclass
class HttpRoute:
    """A route. `key` is "GET /pets/{id}", "ANY /x" or "$default"."""

    id: str
    key: str
    integration_id: str
    authorizer_id: str | None = None


@dataclass
class HttpDefinition:
    """What a deployment takes a snapshot of."""

    routes: dict[str, HttpRoute] = field(default_factory=dict)
    integrations: dict[str, HttpIntegration] = field(default_factory=dict)
    authorizers: dict[str, HttpAuthorizer] = field(default_factory=dict)


@dataclass
class HttpStage:
    """A stage; with auto_deploy it serves what is being edited."""

    name: str
    auto_deploy: bool = False
    deployment_id: str = ""
    variables: dict[str, str] = field(default_factory=dict)


@dataclass
class HttpApi:
    """An HTTP API. `cors` is CloudFormation's CorsConfiguration."""

    id: str
    name: str
    cors: dict[str, Any] = field(default_factory=dict)
    closed: bool = False
    definition: HttpDefinition = field(default_factory=HttpDefinition)
    deployments: dict[str, HttpDefinition] = field(default_factory=dict)
    stages: dict[str, HttpStage] = field(default_factory=dict)

    def deploy(self) -> str:
        """Take a snapshot; return the deployment's id."""
        deployment_id = new_id(6)
        self.deployments[deployment_id] = copy.deepcopy(self.definition)
        return deployment_id


@dataclass
class _Request:
    """A request on its way through an API. `path` is without the stage, `raw_path` as the function sees it."""

    request: HttpRequest
    api: HttpApi
    stage: HttpStage
    host: str
    path: str
    raw_path: str
    route: HttpRoute
    parameters: dict[str, str]
    id: str = field(default_factory=lambda: str(uuid.uuid4()))


class HttpApis:
    """The HTTP APIs of the account, and their answers to requests."""

    def __init__(self, registry: ApiRegistry, functions: Functions) -> None:
        """`registry` knows the domains, which both kinds of API share."""
        self._registry = registry
        self._functions = functions
        self.apis: dict[str, HttpApi] = {}

    def create(self, name: str) -> HttpApi:
        """Add an API."""
        api = HttpApi(new_id(), name)
        self.apis[api.id] = api
        return api

    def get(self, api_id: str) -> HttpApi:
        """Return an API; raise NotFoundException."""
        if api_id not in self.apis:
            raise AwsError("NotFoundException", f"Invalid API identifier specified {api_id}", 404)
        return self.apis[api_id]

    def handle(self, request: HttpRequest) -> HttpResponse | None:
        """Answer a request to an HTTP API; None for any other host."""
        found = _HOST.match(request.host)
        host = request.host.split(":", 1)[0].lower()
        path = request.path
        if found is not None:
            api = self.apis.get(found[1].lower())
            if api is None:
                return None
            if api.closed or found[2].lower() != self._registry.region:
                return _message(404, "Not Found")
            first, _, rest = path.lstrip("/").partition("/")
            if first in api.stages and first != _DEFAULT:
                return self._serve(request, api, api.stages[first], host, path="/" + rest, raw_path=path)
            if _DEFAULT not in api.stages:
                return _message(404, "Not Found")
            return self._serve(request, api, api.stages[_DEFAULT], host, path=path, raw_path=path)
        return self._at_domain(request, host)

    def _at_domain(self, request: HttpRequest, host: str) -> HttpResponse | None:
        domain = self._registry.domains.get(host)
        mapped = domain.find(request.path) if domain is not None else None
        api = self.apis.get(mapped[0]) if mapped is not None else None
        if mapped is None or api is None:
            return None
        path = "/" + request.path.lstrip("/")[len(mapped[2]) :].lstrip("/")
        return self._serve(request, api, api.stages[mapped[1]], host, path=path, raw_path=request.path)

    def _serve(
        self, request: HttpRequest, api: HttpApi, stage: HttpStage, host: str, *, path: str, raw_path: str
    ) -> HttpResponse:
        cors = _cors_headers(api.cors, request)
        if request.method == "OPTIONS" and api.cors and request.headers.get("Origin"):
            return HttpResponse(204, _preflight(api.cors, request, cors))
        definition = api.definition if stage.auto_deploy else api.deployments.get(stage.deployment_id)
        matched = _match(definition, request.method, path) if definition is not None else None
        if definition is None or matched is None:
            return _message(404, "Not Found")
        state = _Request(request, api, stage, host, path, raw_path, *matched)
        answer = self._answer(definition, state)
        taken = {name for name, _ in cors}
        answer.headers = [(n, v) for n, v in answer.headers if n.lower() not in taken] + cors
        answer.headers.append(("apigw-requestid", state.id))
        return answer

    def _answer(self, definition: HttpDefinition, state: _Request) -> HttpResponse:
        context: dict[str, Any] | None = None
        if state.route.authorizer_id is not None:
            decided = self._authorize(definition.authorizers[state.route.authorizer_id], state)
            if isinstance(decided, HttpResponse):
                return decided
            context = decided
        integration = definition.integrations[state.route.integration_id]
        event = _event(state, self._registry, context)
        try:
            invocation = self._functions.invoke(
                integration.function_arn,
                event,
                invoked_by=self._principal(state, _source(state)),
                timeout=integration.timeout_ms / 1000,
            )
        except AwsError:
            # No permission, no such function, throttled: the caller learns no more than this.
            return _message(500, "Internal Server Error")
        except InvocationTimeoutError:
            return _message(503, "Service Unavailable")
        return _http_answer(invocation)

    def _principal(self, state: _Request, path: str) -> ServicePrincipal:
        arn = f"arn:aws:execute-api:{self._registry.region}:{self._registry.account}:{state.api.id}/{path}"
        return ServicePrincipal(_APIGATEWAY, self._registry.account, arn)

    def _authorize(self, authorizer: HttpAuthorizer, state: _Request) -> dict[str, Any] | HttpResponse:
        """Return the authorizer's context, or what the gateway answers to who may not pass."""
        sources = [_source_value(source, state) for source in authorizer.sources]
        if any(value is None for value in sources):
            return _message(401, "Unauthorized")
        event = _event(state, self._registry, None)
        event |= {
            "type": "REQUEST",
            "identitySource": sources,
            "routeArn": self._principal(state, _source(state)).source_arn,
        }
        event.pop("body", None)
        try:
            invocation = self._functions.invoke(
                authorizer.function_arn,
                event,
                invoked_by=self._principal(state, f"authorizers/{authorizer.id}"),
                timeout=10.0,
            )
        except (AwsError, InvocationTimeoutError):
            return _message(500, "Internal Server Error")
        answer = invocation.json() if invocation.function_error is None else None
        if not isinstance(answer, dict) or not isinstance(answer.get("isAuthorized"), bool):
            return _message(500, "Internal Server Error")
        if not answer["isAuthorized"]:
            return _message(403, "Forbidden")
        return {"lambda": answer.get("context")}


def _match(definition: HttpDefinition, method: str, path: str) -> tuple[HttpRoute, dict[str, str]] | None:
    """Return the most specific route: a full match, then {proxy+}, then $default; a method goes before ANY."""
    best: tuple[tuple[Any, ...], HttpRoute, dict[str, str]] | None = None
    for route in definition.routes.values():
        if route.key == _DEFAULT:
            rank: tuple[Any, ...] = (2,)
            parameters: dict[str, str] | None = {}
        else:
            verb, _, pattern = route.key.partition(" ")
            if verb not in {method, "ANY"}:
                continue
            parameters = _path_parameters(pattern, path)
            rank = (1 if "+}" in pattern else 0, pattern.count("{"), verb == "ANY", -len(pattern))
        if parameters is not None and (best is None or rank < best[0]):
            best = (rank, route, parameters)
    return None if best is None else (best[1], best[2])


def _path_parameters(pattern: str, path: str) -> dict[str, str] | None:
    parts = re.split(r"(\{[^}]+\})", pattern)
    expression = "".join(
        f"(?P<p{index}>{'.+' if part.endswith('+}') else '[^/]+'})"
        if part.startswith("{")
        else re.escape(part)
        for index, part in enumerate(parts)
    )
    found = re.fullmatch(expression, path) or re.fullmatch(expression, path.rstrip("/") or "/")
    if found is None:
        return None
    return {
        part.strip("{+}"): unquote(found[f"p{index}"])
        for index, part in enumerate(parts)
        if part.startswith("{")
    }


def _source(state: _Request) -> str:
    """Return stage, method and path of the route, as the ARN of the caller has them."""
    key = state.route.key
    if key == _DEFAULT:
        return f"{state.stage.name}/{_DEFAULT}"
    verb, _, path = key.partition(" ")
    return f"{state.stage.name}/{state.request.method if verb == 'ANY' else verb}{path}"


def _source_value(source: str, state: _Request) -> str | None:
    kind, _, name = source.removeprefix("$request.").partition(".")
    values = {
        "header": state.request.headers.get(name) or None,
        "querystring": dict(state.request.query).get(name),
    }
    return values.get(kind)


def _event(state: _Request, registry: ApiRegistry, authorizer: dict[str, Any] | None) -> dict[str, Any]:
    """Return the event in payload format 2.0."""
    request, now = state.request, dt.datetime.now(dt.UTC)
    headers = _joined(
        [(name.lower(), value) for name, value in request.headers.items() if name.lower() != "cookie"]
    )
    headers |= {
        "host": state.host,
        "x-forwarded-for": request.source_ip,
        "x-forwarded-port": "443",
        "x-forwarded-proto": "https",
    }
    cookies = [one.strip() for one in request.headers.get("Cookie").split(";") if one.strip()]
    text = not request.body or bool(_TEXT.match(request.headers.get("Content-Type", "text/plain")))
    body = request.body.decode("utf-8", "replace") if text else base64.b64encode(request.body).decode()
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": state.route.key,
        "rawPath": state.raw_path,
        "rawQueryString": request.query_string,
        "headers": headers,
        "requestContext": {
            "accountId": registry.account,
            "apiId": state.api.id,
            "domainName": state.host,
            "domainPrefix": state.host.split(".", 1)[0],
            "http": {
                "method": request.method,
                "path": state.raw_path,
                "protocol": "HTTP/1.1",
                "sourceIp": request.source_ip,
                "userAgent": request.headers.get("User-Agent"),
            },
            "requestId": state.id,
            "routeKey": state.route.key,
            "stage": state.stage.name,
            "time": now.strftime("%d/%b/%Y:%H:%M:%S +0000"),
            "timeEpoch": int(now.timestamp() * 1000),
            **({"authorizer": authorizer} if authorizer is not None else {}),
        },
        "isBase64Encoded": not text,
    }
    optional = {
        "cookies": cookies,
        "queryStringParameters": _joined(request.query),
        "pathParameters": state.parameters,
        "stageVariables": state.stage.variables,
        "body": body,
    }
    return event | {name: value for name, value in optional.items() if value}


def _joined(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    joined: dict[str, str] = {}
    for name, value in pairs:
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    return joined


def _http_answer(invocation: Invocation) -> HttpResponse:
    """Return the response that a function's result describes; anything without statusCode is the body itself."""
    if invocation.function_error:
        return _message(500, "Internal Server Error")
    result = invocation.json()
    if not isinstance(result, dict) or "statusCode" not in result:
        text = result if isinstance(result, str) else json.dumps(result)
        return HttpResponse(200, [("content-type", "application/json")], text.encode())
    body = result.get("body") or ""
    try:
        status = int(result["statusCode"])
        content = base64.b64decode(body) if result.get("isBase64Encoded") else str(body).encode()
    except (TypeError, ValueError):
        return _message(500, "Internal Server Error")
    headers = [(str(name), str(value)) for name, value in (result.get("headers") or {}).items()]
    headers += [("set-cookie", str(cookie)) for cookie in result.get("cookies") or []]
    if not any(name.lower() == "content-type" for name, _ in headers):
        headers.append(("content-type", "text/plain;charset=UTF-8"))
    return HttpResponse(status, headers, content)


def _cors_headers(cors: Mapping[str, Any], request: HttpRequest) -> list[tuple[str, str]]:
    origin = request.headers.get("Origin")
    allowed = cors.get("AllowOrigins") or []
    if not cors or not origin or not any(fnmatchcase(origin, one) for one in allowed):
        return []
    headers = [("access-control-allow-origin", "*" if "*" in allowed else origin)]
    if str(cors.get("AllowCredentials", False)).lower() == "true":
        headers.append(("access-control-allow-credentials", "true"))
    if exposed := cors.get("ExposeHeaders"):
        headers.append(("access-control-expose-headers", ",".join(exposed)))
    return headers


def _preflight(
    cors: Mapping[str, Any], request: HttpRequest, shared: list[tuple[str, str]]
) -> list[tuple[str, str]]:
    if not shared or not request.headers.get("Access-Control-Request-Method"):
        return []
    headers = list(shared)
    for name, member in (("allow-methods", "AllowMethods"), ("allow-headers", "AllowHeaders")):
        if cors.get(member):
            headers.append((f"access-control-{name}", ",".join(cors[member])))
    if "MaxAge" in cors:
        headers.append(("access-control-max-age", str(cors["MaxAge"])))
    return headers


def _message(status: int, text: str) -> HttpResponse:
    return HttpResponse(
        status, [("content-type", "application/json")], json.dumps({"message": text}).encode()
    )
