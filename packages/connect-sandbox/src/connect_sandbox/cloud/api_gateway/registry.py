"""The REST APIs of the account as API Gateway holds them: what is being edited, and the snapshots that are deployed.

A change to resources, methods, authorizers and so on reaches callers with the next deployment only: creating a
deployment takes a snapshot, and a stage points to one. Gateway responses belong to the snapshot too.
"""

from __future__ import annotations

import copy
import secrets
import string
import threading
from dataclasses import dataclass, field
from typing import Any

from connect_sandbox.cloud.errors import AwsError

_ID_CHARACTERS = string.ascii_lowercase + string.digits


@dataclass
class ApiResource:
    """A path part under a parent; the root has neither."""

    id: str
    parent_id: str | None
    path_part: str


@dataclass(frozen=True)
class MockResponse:
    """What a mock integration answers, if the status that its request template gives matches the pattern."""

    status: int
    pattern: str | None
    headers: dict[str, str]
    body: str = ""


@dataclass
class Method:
    """A method of a resource: a function answers, or if there is none a mock."""

    verb: str
    resource_id: str
    authorization_type: str
    authorizer_id: str | None
    validator_id: str | None
    #: "method.request.querystring.contactId" -> required?
    request_parameters: dict[str, bool]
    #: content type -> model name
    request_models: dict[str, str]
    function_arn: str
    timeout_ms: int
    api_key_required: bool = False
    #: The status that a mock's request template gives, and what it can answer.
    mock_status: str = ""
    mock_responses: tuple[MockResponse, ...] = ()


@dataclass
class Domain:
    """A domain of one's own. `mappings`: base path -> (API id, stage or empty)."""

    name: str
    mappings: dict[str, tuple[str, str]] = field(default_factory=dict)

    def find(self, path: str) -> tuple[str, str, str] | None:
        """Return (API id, stage, base path) of the longest base path that the path begins with."""
        parts = path.strip("/").split("/")
        for length in range(len(parts), -1, -1):
            base = "/".join(parts[:length])
            if base in self.mappings:
                return (*self.mappings[base], base)
        return None


@dataclass
class Authorizer:
    """A TOKEN authorizer."""

    id: str
    name: str
    function_arn: str
    identity_header: str
    validation_expression: str
    ttl_seconds: int


@dataclass
class RequestValidator:
    """Which parts of a request are validated."""

    id: str
    name: str
    body: bool
    parameters: bool


@dataclass
class GatewayResponse:
    """The response to one of the gateway's own errors."""

    response_type: str
    status: int | None
    headers: dict[str, str]
    templates: dict[str, str]


@dataclass
class ApiDefinition:
    """Everything that a deployment takes a snapshot of."""

    resources: dict[str, ApiResource] = field(default_factory=dict)
    methods: dict[tuple[str, str], Method] = field(default_factory=dict)
    authorizers: dict[str, Authorizer] = field(default_factory=dict)
    validators: dict[str, RequestValidator] = field(default_factory=dict)
    models: dict[str, dict[str, Any]] = field(default_factory=dict)
    gateway_responses: dict[str, GatewayResponse] = field(default_factory=dict)
    #: The resource policy; None lets everybody in.
    policy: dict[str, Any] | None = None

    def path(self, resource_id: str) -> str:
        """Return a resource's path, such as /contacts/{id}."""
        resource = self.resources[resource_id]
        if resource.parent_id is None:
            return "/"
        return f"{self.path(resource.parent_id).rstrip('/')}/{resource.path_part}"


@dataclass
class MethodSetting:
    """A stage's throttle for one method; "*" stands for all. Rate is requests a second, burst a bucket's size."""

    path: str
    verb: str
    rate: float
    burst: int


@dataclass
class Stage:
    """A stage: a name for a deployment, with throttles and an access log."""

    name: str
    deployment_id: str
    settings: list[MethodSetting] = field(default_factory=list)
    log_group: str = ""
    log_format: str = ""


@dataclass
class ApiKey:
    """An API key, by which a usage plan knows a client."""

    id: str
    value: str
    enabled: bool


@dataclass
class UsagePlan:
    """What the clients with its keys may ask of stages: each key has a bucket of its own."""

    id: str
    #: Pairs of API id and stage name.
    stages: frozenset[tuple[str, str]]
    rate: float | None
    burst: int | None
    key_ids: set[str] = field(default_factory=set)


@dataclass
class RestApi:
    """A REST API. `key_source` says who names a request's API key: HEADER, the client, or AUTHORIZER."""

    id: str
    name: str
    root_id: str
    definition: ApiDefinition
    key_source: str = "HEADER"
    #: Whether its execute-api host answers nobody.
    closed: bool = False
    deployments: dict[str, ApiDefinition] = field(default_factory=dict)
    stages: dict[str, Stage] = field(default_factory=dict)


class ApiRegistry:
    """The REST APIs of the account, and the role with which API Gateway writes logs."""

    def __init__(self, account: str, region: str) -> None:
        """Start empty."""
        self.account = account
        self.region = region
        self.log_role_arn = ""
        self._lock = threading.RLock()
        self._apis: dict[str, RestApi] = {}
        self.keys: dict[str, ApiKey] = {}
        self.plans: dict[str, UsagePlan] = {}
        self.domains: dict[str, Domain] = {}

    def plan_for(self, api_id: str, stage: str, key: str) -> UsagePlan | None:
        """Return the usage plan of a stage that an enabled key of that value belongs to."""
        ids = {known.id for known in self.keys.values() if known.enabled and known.value == key}
        return next(
            (p for p in self.plans.values() if (api_id, stage) in p.stages and p.key_ids & ids),
            None,
        )

    def all(self) -> list[RestApi]:
        """Return every API."""
        return list(self._apis.values())

    def get(self, api_id: str) -> RestApi:
        """Return an API; raise NotFoundException."""
        if api_id not in self._apis:
            raise AwsError(
                "NotFoundException", f"Invalid API identifier specified {self.account}:{api_id}", 404
            )
        return self._apis[api_id]

    def create(self, name: str) -> RestApi:
        """Add an API with its root resource."""
        root = ApiResource(new_id(), None, "")
        api = RestApi(new_id(), name, root.id, ApiDefinition(resources={root.id: root}))
        with self._lock:
            self._apis[api.id] = api
        return api

    def delete(self, api_id: str) -> None:
        """Remove an API with everything in it."""
        with self._lock:
            self._apis.pop(api_id, None)

    def add_resource(self, api_id: str, parent_id: str, path_part: str) -> ApiResource:
        """Add a path part; ConflictException if it exists."""
        definition = self.get(api_id).definition
        if parent_id not in definition.resources:
            raise AwsError("NotFoundException", "Invalid Resource identifier specified", 404)
        siblings = (r for r in definition.resources.values() if r.parent_id == parent_id)
        if any(sibling.path_part == path_part for sibling in siblings):
            message = f"Another resource with the same parent already has this name: {path_part}"
            raise AwsError("ConflictException", message, 409)
        resource = ApiResource(new_id(), parent_id, path_part)
        definition.resources[resource.id] = resource
        return resource

    def put_method(self, api_id: str, method: Method) -> None:
        """Add or replace a method; everything that it names must exist."""
        definition = self.get(api_id).definition
        if method.resource_id not in definition.resources:
            raise AwsError("NotFoundException", "Invalid Resource identifier specified", 404)
        if method.authorizer_id is not None and method.authorizer_id not in definition.authorizers:
            raise AwsError("NotFoundException", f"Authorizer {method.authorizer_id} not found", 404)
        if method.validator_id is not None and method.validator_id not in definition.validators:
            raise AwsError("BadRequestException", "Invalid Request Validator identifier specified")
        missing = [name for name in method.request_models.values() if name not in definition.models]
        if missing:
            raise AwsError("BadRequestException", f"Invalid model identifier specified: {', '.join(missing)}")
        definition.methods[method.resource_id, method.verb] = method

    def deploy(self, api_id: str) -> str:
        """Take a snapshot; return the deployment's id."""
        api = self.get(api_id)
        if not api.definition.methods:
            raise AwsError("BadRequestException", "The REST API doesn't contain any methods")
        deployment_id = new_id(6)
        api.deployments[deployment_id] = copy.deepcopy(api.definition)
        return deployment_id

    def put_stage(self, api_id: str, stage: Stage, *, new: bool) -> None:
        """Add or replace a stage; logging needs the account's CloudWatch role."""
        api = self.get(api_id)
        if stage.deployment_id not in api.deployments:
            raise AwsError("NotFoundException", "Invalid Deployment identifier specified", 404)
        if new and stage.name in api.stages:
            raise AwsError("ConflictException", "Stage already exists", 409)
        if stage.log_group and not self.log_role_arn:
            message = "CloudWatch Logs role ARN must be set in account settings to enable logging"
            raise AwsError("BadRequestException", message)
        api.stages[stage.name] = stage


def new_id(length: int = 10) -> str:
    """Return an identifier as API Gateway makes them."""
    return "".join(secrets.choice(_ID_CHARACTERS) for _ in range(length))
