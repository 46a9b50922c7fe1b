"""Answers HTTP requests to deployed REST APIs, in API Gateway's order of steps.

Stage and method, size, throttle, resource policy, authorizer, API key, validation, integration. Where AWS does not say
which of two comes first, it is the one that hurts more: a refused request has used up the throttle. The API's gateway
responses shape an error at any step, and every request to a stage with an access log is logged.
"""

from __future__ import annotations

import re
import time
from urllib.parse import unquote

from connect_sandbox.cloud.api_gateway.access_log import AccessLog
from connect_sandbox.cloud.api_gateway.authorizer import APIGATEWAY, TokenAuthorizers
from connect_sandbox.cloud.api_gateway.context import RequestState
from connect_sandbox.cloud.api_gateway.errors import GatewayError, render
from connect_sandbox.cloud.api_gateway.proxy import proxy_answer, proxy_event
from connect_sandbox.cloud.api_gateway.registry import (
    ApiDefinition,
    ApiRegistry,
    Method,
    RestApi,
    Stage,
)
from connect_sandbox.cloud.api_gateway.resource_policy import check_resource_policy
from connect_sandbox.cloud.api_gateway.throttle import Throttle
from connect_sandbox.cloud.api_gateway.validation import validate
from connect_sandbox.cloud.errors import AwsError
from connect_sandbox.cloud.functions import Functions, InvocationTimeoutError
from connect_sandbox.cloud.http import HttpRequest, HttpResponse
from connect_sandbox.cloud.principals import ServicePrincipal

#: Largest body of a request, bytes (API Gateway quotas).
MAX_BODY_BYTES = 10 * 1024 * 1024
_HOST = re.compile(r"^([a-z0-9]+)\.execute-api\.([\w-]+)\.amazonaws\.com(?::\d+)?$", re.IGNORECASE)


class ApiRuntime:
    """Serves the APIs of a registry."""

    def __init__(self, registry: ApiRegistry, functions: Functions, access_log: AccessLog) -> None:
        """`functions` runs authorizers and integrations; `access_log` writes the stages' access logs."""
        self._registry = registry
        self._functions = functions
        self._access_log = access_log
        self.throttle = Throttle()
        self.authorizers = TokenAuthorizers(functions)

    def handle(self, request: HttpRequest) -> HttpResponse | None:
        """Answer a request to an execute-api host; None for any other host."""
        found = _HOST.match(request.host)
        if found is None:
            return self._at_domain(request)
        stage_name, _, rest = request.path.lstrip("/").partition("/")
        host = request.host.split(":", 1)[0].lower()
        state = RequestState(request, self._registry.account, found[1].lower(), stage_name, host, "/" + rest)
        api = next((api for api in self._registry.all() if api.id == state.api_id), None)
        stage = api.stages.get(stage_name) if api is not None else None
        if api is None or api.closed or stage is None or found[2].lower() != self._registry.region:
            return _forbidden(state)
        return self._serve(state, api, stage)

    def _at_domain(self, request: HttpRequest) -> HttpResponse | None:
        """Answer a request to a domain of one's own; None for a host that is none, or another kind of API."""
        host = request.host.split(":", 1)[0].lower()
        domain = self._registry.domains.get(host)
        if domain is None:
            return None
        mapped = domain.find(request.path)
        api = next((one for one in self._registry.all() if mapped is not None and one.id == mapped[0]), None)
        if mapped is not None and api is None:
            return None
        api_id, stage_name, base = mapped or ("", "", "")
        rest = request.path.lstrip("/")[len(base) :].lstrip("/")
        if not stage_name:
            stage_name, _, rest = rest.partition("/")
        state = RequestState(
            request,
            self._registry.account,
            api_id,
            stage_name,
            host,
            "/" + rest,
            region=self._registry.region,
            base_path=f"/{base}" if base else "",
        )
        stage = api.stages.get(stage_name) if api is not None else None
        return _forbidden(state) if api is None or stage is None else self._serve(state, api, stage)

    def _serve(self, state: RequestState, api: RestApi, stage: Stage) -> HttpResponse:
        definition = api.deployments[stage.deployment_id]
        state.deployment_id = stage.deployment_id
        started = time.monotonic()
        try:
            response = self._answer(state, api, stage, definition)
        except GatewayError as error:
            response = render(error, definition, state)
        state.values["status"] = str(response.status)
        state.values["responseLength"] = str(len(response.body))
        state.values["responseLatency"] = str(int((time.monotonic() - started) * 1000))
        if stage.log_group:
            self._access_log.write(stage, state)
        return response

    def _answer(
        self, state: RequestState, api: RestApi, stage: Stage, definition: ApiDefinition
    ) -> HttpResponse:
        method, path_parameters = _match(definition, state)
        if len(state.request.body) > MAX_BODY_BYTES:
            raise GatewayError("REQUEST_TOO_LARGE", f"HTTP content length exceeded {MAX_BODY_BYTES} bytes.")
        if not self.throttle.admit(state.api_id, stage, state.resource_path, method.verb):
            raise GatewayError("THROTTLED", "Too Many Requests")
        check_resource_policy(definition.policy, state)
        named = ""
        if method.authorizer_id is not None:
            named = self.authorizers.authorize(definition.authorizers[method.authorizer_id], state)
        if method.api_key_required:
            self._check_key(state, api, named)
        validate(state.request, method, definition, path_parameters)
        return self._integrate(state, method, path_parameters)

    def _check_key(self, state: RequestState, api: RestApi, named: str) -> None:
        """Let a request pass whose API key a usage plan of the stage knows, and has room for."""
        key = named if api.key_source == "AUTHORIZER" else state.request.headers.get("x-api-key") or ""
        plan = self._registry.plan_for(state.api_id, state.stage, key)
        if plan is None:
            raise GatewayError("INVALID_API_KEY", "Forbidden")
        if not self.throttle.admit_key(plan, key):
            raise GatewayError("THROTTLED", "Too Many Requests")

    def _integrate(
        self, state: RequestState, method: Method, path_parameters: dict[str, str]
    ) -> HttpResponse:
        if not method.function_arn:
            return _mock(method, state)
        # SourceArn holds the resource's path as declared, with {parameters}, and the method as declared.
        arn = state.method_arn.split("/", 1)[0]
        source_arn = f"{arn}/{state.stage}/{state.request.method}{state.resource_path}"
        started = time.monotonic()
        try:
            invocation = self._functions.invoke(
                method.function_arn,
                proxy_event(state, path_parameters),
                invoked_by=ServicePrincipal(APIGATEWAY, source_account=state.account, source_arn=source_arn),
                timeout=method.timeout_ms / 1000,
            )
        except AwsError as error:
            # The Lambda API refused: no permission, no such function, throttled.
            state.values["integrationErrorMessage"] = error.message
            raise GatewayError("API_CONFIGURATION_ERROR", "Internal server error") from error
        except InvocationTimeoutError as error:
            state.values["integrationErrorMessage"] = str(error)
            raise GatewayError("INTEGRATION_TIMEOUT", "Endpoint request timed out") from error
        finally:
            state.values["integrationLatency"] = str(int((time.monotonic() - started) * 1000))
        if invocation.function_error:
            state.values["integrationErrorMessage"] = invocation.payload.decode()
            raise GatewayError("BAD_GATEWAY", "Internal server error")
        answer = proxy_answer(invocation.json(), state)
        state.values["integrationStatus"] = "200"
        return answer


def _mock(method: Method, state: RequestState) -> HttpResponse:
    """Answer as a mock integration: by the response whose pattern the status matches, or the one without a pattern."""
    patterned = (one for one in method.mock_responses if one.pattern)
    found = next((one for one in patterned if re.fullmatch(one.pattern or "", method.mock_status)), None)
    found = found or next((one for one in method.mock_responses if not one.pattern), None)
    if found is None or not method.mock_status:
        raise GatewayError("API_CONFIGURATION_ERROR", "Internal server error")
    state.values["integrationStatus"] = method.mock_status
    own = [
        ("Content-Type", "application/json"),
        ("x-amzn-RequestId", state.request_id),
        ("x-amz-apigw-id", state.extended_id),
    ]
    return HttpResponse(found.status, [*own, *found.headers.items()], found.body.encode())


def _match(definition: ApiDefinition, state: RequestState) -> tuple[Method, dict[str, str]]:
    """Return the method that path and verb ask for; a fixed part wins over {name}, and that over {name+}."""
    best: tuple[tuple[int, ...], str, dict[str, str]] | None = None
    for resource_id in definition.resources:
        matched = _match_path(definition.path(resource_id), state.path)
        if matched is not None and (best is None or matched[0] < best[0]):
            verbs = {verb for resource, verb in definition.methods if resource == resource_id}
            if state.request.method in verbs or "ANY" in verbs:
                best = (matched[0], resource_id, matched[1])
    if best is None:
        raise GatewayError("MISSING_AUTHENTICATION_TOKEN", "Missing Authentication Token")
    _, state.resource_id, parameters = best
    state.resource_path = definition.path(state.resource_id)
    methods = definition.methods
    method = methods.get((state.resource_id, state.request.method)) or methods[state.resource_id, "ANY"]
    return method, parameters


def _match_path(pattern: str, path: str) -> tuple[tuple[int, ...], dict[str, str]] | None:
    wanted, given = pattern.strip("/").split("/"), path.strip("/").split("/")
    rank: list[int] = []
    parameters: dict[str, str] = {}
    for index, part in enumerate(wanted):
        if part.endswith("+}"):
            rest = "/".join(given[index:])
            parameters[part[1:-2]] = unquote(rest)
            return ((*rank, 2), parameters) if rest else None
        if index >= len(given):
            return None
        if part.startswith("{"):
            parameters[part[1:-1]] = unquote(given[index])
            rank.append(1)
        elif part == given[index]:
            rank.append(0)
        else:
            return None
    return (tuple(rank), parameters) if len(wanted) == len(given) else None


def _forbidden(state: RequestState) -> HttpResponse:
    headers = [
        ("Content-Type", "application/json"),
        ("x-amzn-RequestId", state.request_id),
        ("x-amz-apigw-id", state.extended_id),
        ("x-amzn-ErrorType", "ForbiddenException"),
    ]
    return HttpResponse(403, headers, b'{"message":"Forbidden"}')
