"""The state of Amazon Connect instances: integration associations, flows and flow modules.

Many apps use an existing instance by ARN, so every instance id in this account and Region is taken to exist, made by
hand, until it is deleted. Instances that a stack creates are made by `contact_center.instances`.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import threading
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar

from connect_sandbox.cloud.authorization import Authorization
from connect_sandbox.cloud.errors import AwsError
from connect_sandbox.cloud.flow_content import flow_problems
from connect_sandbox.cloud.lambda_state import LambdaState
from connect_sandbox.cloud.principals import ServicePrincipal
from connect_sandbox.cloud.quotas import FLOWS, FUNCTIONS_PER_INSTANCE, Quotas

if TYPE_CHECKING:
    from connect_sandbox.cloud.test_cases import Execution, TestCase

CONNECT = "connect.amazonaws.com"
#: The alias of what was saved and not published, behind ":$" and the id of a flow.
SAVED = "SAVED"
_INSTANCE_ARN = re.compile(r"^arn:(aws[\w-]*):connect:([\w-]+):(\d{12}):instance/([-a-zA-Z0-9]+)$")
_INSTANCE_ID = re.compile(r"^[-a-zA-Z0-9]{1,100}$")


@dataclass(frozen=True)
class Association:
    """An integration association: a Lambda function, a call transfer connector and so on."""

    id: str
    arn: str
    type: str
    integration_arn: str
    created_at: dt.datetime
    source_application_url: str = ""
    source_application_name: str = ""
    source_type: str = ""
    tags: dict[str, str] = field(default_factory=dict)


@dataclass
class Flow:
    """A flow. `status` is PUBLISHED or SAVED, `state` ACTIVE or ARCHIVED.

    `draft` is what was saved since it was last published, which callers do not meet.
    """

    id: str
    arn: str
    name: str
    type: str
    content: str
    description: str = ""
    state: str = "ACTIVE"
    status: str = "PUBLISHED"
    tags: dict[str, str] = field(default_factory=dict)
    draft: str | None = None

    @property
    def content_sha256(self) -> str:
        """The content's SHA-256, as the API shows it."""
        return hashlib.sha256(self.content.encode()).hexdigest()

    def seen_as(self, alias: str) -> Self:
        """Return the flow as described under an alias: SAVED shows the draft, "" what is published.

        Raises ContactFlowNotPublishedException for a flow that never was.
        """
        # evidence: saved-alias-of-a-flow
        if alias == SAVED:
            return self if self.draft is None else replace(self, content=self.draft, status="SAVED")
        if self.status == "SAVED":
            raise AwsError(
                "ContactFlowNotPublishedException", f"The flow {self.name} has not been published.", 404
            )
        return self


@dataclass
class FlowModule(Flow):
    """A flow module; its type is always MODULE, which is the sandbox's term, not Connect's.

    `settings` are JSON, as they were sent.
    """

    settings: str = ""


@dataclass
class Number:
    """A telephone number of an instance, and the flow that it leads to."""

    id: str
    number: str
    flow_id: str | None = None
    country: str = "US"
    type: str = "DID"
    description: str = ""
    tags: dict[str, str] = field(default_factory=dict)


@dataclass
class Part:
    """Something with a name inside an instance: hours, a queue, a user. `properties` are CloudFormation's.

    `kind` is a key of `contact_center.parts.KINDS`. `built_in`: it came with the instance.
    """

    kind: str
    id: str
    arn: str
    name: str
    properties: dict[str, Any] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    modified: dt.datetime = field(default_factory=lambda: dt.datetime.now(dt.UTC))
    built_in: bool = False


@dataclass
class StorageConfig:
    """Where an instance keeps one type of data. `config` has the members of CloudFormation's and the API's config."""

    id: str
    resource_type: str
    storage_type: str
    config: dict[str, Any]


@dataclass(frozen=True)
class SecurityKey:
    """The public half of a key with which flows encrypt what callers enter."""

    id: str
    key: str
    created_at: dt.datetime


@dataclass
class Instance:
    """One Connect instance, with what was deployed into it, by id.

    `attributes` are those that are on (INBOUND_CALLS, CONTACTFLOW_LOGS). `created`: CreateInstance made it, so it holds
    what it was made with and what was added. Of any other, every id names a queue that is enabled, except those of
    `absent_queues` and `disabled_queues`.
    """

    arn: str
    id: str
    alias: str = "example"
    status: str = "ACTIVE"
    attributes: set[str] = field(
        default_factory=lambda: {"INBOUND_CALLS", "OUTBOUND_CALLS", "CONTACTFLOW_LOGS", "EARLY_MEDIA"}
    )
    absent_queues: set[str] = field(default_factory=set)
    disabled_queues: set[str] = field(default_factory=set)
    numbers: dict[str, Number] = field(default_factory=dict)
    associations: dict[str, Association] = field(default_factory=dict)
    flows: dict[str, Flow] = field(default_factory=dict)
    modules: dict[str, FlowModule] = field(default_factory=dict)
    created: bool = False
    identity: str = "CONNECT_MANAGED"
    directory_id: str | None = None
    service_role: str = ""
    created_at: dt.datetime = field(default_factory=lambda: dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
    tags: dict[str, str] = field(default_factory=dict)
    parts: dict[str, Part] = field(default_factory=dict)
    storage: dict[str, StorageConfig] = field(default_factory=dict)
    origins: list[str] = field(default_factory=list)
    security_keys: dict[str, SecurityKey] = field(default_factory=dict)
    test_cases: dict[str, TestCase] = field(default_factory=dict)
    test_executions: list[Execution] = field(default_factory=list)

    def claim_number(self, number: str) -> Number:
        """Claim a telephone number, in E.164."""
        claimed = Number(str(uuid.uuid4()), number)
        self.numbers[claimed.id] = claimed
        return claimed

    def flow(self, name_or_arn: str) -> Flow:
        """Return a flow by name, id or ARN; raise ResourceNotFoundException."""
        return _find(self.flows.values(), name_or_arn, "contact flow", self.arn)

    def module(self, name_or_arn: str) -> FlowModule:
        """Return a flow module by name, id or ARN; raise ResourceNotFoundException."""
        return _find(self.modules.values(), name_or_arn, "contact flow module", self.arn)


@dataclass(frozen=True)
class InvokeDecision:
    """Whether Connect may invoke a function from an instance's flows, and why or why not."""

    allowed: bool
    reason: str


class ConnectState:
    """The instances of the account."""

    def __init__(
        self,
        account: str,
        region: str,
        authorization: Authorization,
        functions: LambdaState,
        quotas: Quotas | None = None,
    ) -> None:
        """Start empty; `authorization` and `functions` decide which functions an instance may invoke.

        `quotas` are the account's; by default AWS's defaults.
        """
        self._quotas = quotas or Quotas()
        self.account = account
        self.region = region
        self._authorization = authorization
        self._functions = functions
        self._lock = threading.RLock()
        self._instances: dict[str, Instance] = {}
        self._absent: set[str] = set()
        #: The states of the sandbox's other accounts and Regions.
        self.elsewhere: Callable[[], Iterable[ConnectState]] = tuple
        #: Third-party applications of the agent workspace, by ARN, with CloudFormation's properties.
        self.applications: dict[str, dict[str, Any]] = {}

    def instance(self, arn_or_id: str) -> Instance:
        """Return an instance by ARN or id; raise ResourceNotFoundException for another account or Region."""
        found = _INSTANCE_ARN.match(arn_or_id)
        if found is None and not _INSTANCE_ID.match(arn_or_id):
            raise AwsError(
                "InvalidParameterException", f"{arn_or_id!r} is not the ARN or id of a Connect instance"
            )
        if found is not None and (found[2], found[3]) != (self.region, self.account):
            raise AwsError(
                "ResourceNotFoundException",
                f"Instance {arn_or_id} not found in {self.region}/{self.account}",
                404,
            )
        instance_id = found[4] if found is not None else arn_or_id
        arn = f"arn:aws:connect:{self.region}:{self.account}:instance/{instance_id}"
        with self._lock:
            if instance_id in self._absent:
                raise AwsError("ResourceNotFoundException", f"Instance {instance_id} not found", 404)
            return self._instances.setdefault(instance_id, Instance(arn, instance_id))

    def instances(self) -> list[Instance]:
        """Return the instances that something has named so far."""
        with self._lock:
            return list(self._instances.values())

    def add(self, instance: Instance) -> None:
        """Keep an instance that was just created."""
        with self._lock:
            self._instances[instance.id] = instance

    def say_absent(self, instance_id: str, *, absent: bool = True) -> None:
        """Let there be no instance of this id, or let there be one again."""
        with self._lock:
            if absent:
                self._absent.add(instance_id)
                self._instances.pop(instance_id, None)
            else:
                self._absent.discard(instance_id)

    def principal(self, instance_arn: str) -> ServicePrincipal:
        """Return the principal that Connect acts as for an instance."""
        return ServicePrincipal(
            CONNECT, source_account=self.account, source_arn=self.instance(instance_arn).arn
        )

    def may_invoke(self, instance_arn: str, function_arn: str) -> InvokeDecision:
        """Return whether a flow may invoke the function, which takes an association and a resource policy."""
        instance = self.instance(instance_arn)
        try:
            function = self._functions.get(function_arn)
        except AwsError as error:
            return InvokeDecision(False, error.message)
        associated = {
            a.integration_arn for a in instance.associations.values() if a.type == "LAMBDA_FUNCTION"
        }
        if function.arn not in associated:
            return InvokeDecision(False, f"{function.arn} is not associated with the instance {instance.arn}")
        decision = self._authorization.decide(
            self.principal(instance_arn), "lambda:InvokeFunction", function.arn
        )
        return InvokeDecision(decision.allowed, decision.message)

    # -- associations

    def associate(
        self,
        instance_arn: str,
        kind: str,
        integration_arn: str,
        *,
        tags: dict[str, str] | None = None,
        **source: str,
    ) -> Association:
        """Add an association; DuplicateResourceException if it exists."""
        with self._lock:
            instance = self.instance(instance_arn)
            existing = [a for a in instance.associations.values() if a.type == kind]
            if any(association.integration_arn == integration_arn for association in existing):
                message = f"Integration association already exists for {integration_arn} in {instance.arn}"
                raise AwsError("DuplicateResourceException", message, 409)
            if kind == "LAMBDA_FUNCTION":
                quota = int(self._quotas.value(FUNCTIONS_PER_INSTANCE, instance.arn))
                if len(existing) >= quota:
                    raise AwsError(
                        "LimitExceededException",
                        f"{instance.arn} has its {quota} functions already",
                        429,
                    )
                _require_function(self._functions, integration_arn)
            association_id = str(uuid.uuid4())
            association = Association(
                id=association_id,
                arn=f"{instance.arn}/integration-association/{association_id}",
                type=kind,
                integration_arn=integration_arn,
                created_at=dt.datetime.now(dt.UTC),
                tags=dict(tags or {}),
                **source,
            )
            instance.associations[association_id] = association
        return association

    def disassociate(self, instance_arn: str, association_id: str) -> None:
        """Remove an association; raise ResourceNotFoundException if there is none."""
        with self._lock:
            instance = self.instance(instance_arn)
            if association_id not in instance.associations:
                raise AwsError(
                    "ResourceNotFoundException", f"IntegrationAssociation {association_id} not found", 404
                )
            del instance.associations[association_id]

    def tags_of(self, arn: str) -> dict[str, str]:
        """Return the tags of a flow, a module or an association, to be read or changed in place."""
        instance = self.instance("/".join(arn.split("/")[:2]))
        tagged: list[Association | Flow | Part] = [
            *instance.associations.values(),
            *instance.flows.values(),
            *instance.modules.values(),
            *instance.parts.values(),
        ]
        for resource in tagged:
            if resource.arn == arn:
                return resource.tags
        raise AwsError("ResourceNotFoundException", f"There is no resource {arn} with tags", 404)

    # -- flows and modules

    def create_flow(
        self, instance_arn: str, *, name: str, type: str, content: str, description: str = "",  # noqa: A002
        state: str = "ACTIVE", status: str = "PUBLISHED", tags: dict[str, str] | None = None,
    ) -> Flow:  # fmt: skip
        """Add a flow; content that Connect refuses is an InvalidContactFlowException with its problems."""
        with self._lock:
            instance = self.instance(instance_arn)
            _refuse_duplicate((f for f in instance.flows.values() if f.type == type), name, "Contact flow")
            if len(instance.flows) >= (quota := int(self._quotas.value(FLOWS, instance.arn))):
                raise AwsError("LimitExceededException", f"{instance.arn} has its {quota} flows already", 429)
            if status == "PUBLISHED":
                _require_valid(content, "flow", type)
            flow_id = str(uuid.uuid4())
            arn = f"{instance.arn}/contact-flow/{flow_id}"
            flow = Flow(flow_id, arn, name, type, content, description, state, status, tags or {})
            instance.flows[flow_id] = flow
        return flow

    def create_module(
        self, instance_arn: str, *, name: str, content: str, description: str = "", state: str = "ACTIVE",
        tags: dict[str, str] | None = None, settings: str = "",
    ) -> FlowModule:  # fmt: skip
        """Add a flow module; content that Connect refuses is an InvalidContactFlowModuleException."""
        with self._lock:
            instance = self.instance(instance_arn)
            _refuse_duplicate(instance.modules.values(), name, "Contact flow module")
            _require_valid(content, "module", "MODULE")
            module_id = str(uuid.uuid4())
            arn = f"{instance.arn}/flow-module/{module_id}"
            module = FlowModule(
                module_id, arn, name, "MODULE", content, description, state, "PUBLISHED", tags or {},
                settings=settings,
            )  # fmt: skip
            instance.modules[module_id] = module
        return module

    def update_flow(self, instance_arn: str, flow_id: str, **changes: str) -> Flow:
        """Change a flow's content, name, description or state, under the same rules as its creation."""
        with self._lock:
            instance = self.instance(instance_arn)
            flow_id, _, alias = flow_id.partition(":$")
            flow = instance.flow(flow_id)
            if alias == SAVED:
                flow.draft = changes.pop("content", flow.draft)
            others = (f for f in instance.flows.values() if f.type == flow.type and f is not flow)
            _change(flow, others, "flow", "Contact flow", changes)
        return flow

    def update_module(self, instance_arn: str, module_id: str, **changes: str) -> FlowModule:
        """Change a module's content, name, description or state, under the same rules as its creation."""
        with self._lock:
            instance = self.instance(instance_arn)
            module_id, _, alias = module_id.partition(":$")
            module = instance.module(module_id)
            if alias == SAVED:
                module.draft = changes.pop("content", module.draft)
            others = (m for m in instance.modules.values() if m is not module)
            _change(module, others, "module", "Contact flow module", changes)
        return module

    def delete_flow(self, instance_arn: str, flow_id: str) -> None:
        """Delete a flow; a flow that a telephone number leads to stays, with an InvalidRequestException."""
        with self._lock:
            instance = self.instance(instance_arn)
            flow = instance.flow(flow_id)
            # evidence: flow-on-a-number
            if number := next((n for n in instance.numbers.values() if n.flow_id == flow.id), None):
                message = f"The contact flow {flow.name} is in use by the phone number {number.number}"
                raise AwsError("InvalidRequestException", message)
            del instance.flows[flow.id]

    def delete_module(self, instance_arn: str, module_id: str) -> None:
        """Delete a flow module."""
        with self._lock:
            instance = self.instance(instance_arn)
            del instance.modules[instance.module(module_id).id]


FlowKind = TypeVar("FlowKind", bound=Flow)


def _find(candidates: Iterable[FlowKind], wanted: str, what: str, instance_arn: str) -> FlowKind:
    found = next((c for c in candidates if wanted in {c.id, c.arn, c.name}), None)
    if found is None:
        raise AwsError("ResourceNotFoundException", f"There is no {what} {wanted} in {instance_arn}", 404)
    return found


def _refuse_duplicate(others: Iterable[Flow], name: str, what: str) -> None:
    if any(other.name == name for other in others):
        raise AwsError("DuplicateResourceException", f"{what} with name {name} already exists", 409)


def _require_valid(content: str, kind: Literal["flow", "module"], flow_type: str) -> None:
    problems = flow_problems(content, kind=kind, flow_type=flow_type)
    if not problems:
        return
    if kind == "module":
        error = AwsError(
            "InvalidContactFlowModuleException", "The content of the flow module is invalid", 400
        )
        error.members["Problems"] = [{"message": problem} for problem in problems]
    else:
        error = AwsError("InvalidContactFlowException", "The content of the flow is invalid", 400)
        error.members["problems"] = [{"message": problem} for problem in problems]
    raise error


def _change(
    flow: Flow, others: Iterable[Flow], kind: Literal["flow", "module"], what: str, changes: dict[str, str]
) -> None:
    if "name" in changes:
        _refuse_duplicate(others, changes["name"], what)
    if "content" in changes:
        _require_valid(changes["content"], kind, flow.type)
        flow.status, flow.draft = "PUBLISHED", None
    for attribute, value in changes.items():
        setattr(flow, attribute, value)


def _require_function(functions: LambdaState, arn: str) -> None:
    try:
        functions.get(arn)
    except AwsError as error:
        raise AwsError(
            "InvalidRequestException", f"The Lambda function {arn} cannot be associated: {error.message}"
        ) from error
