"""Play scenario files through flows that were deployed to the sandbox.

A scenario says who calls, which queues there are and what functions answer; flows and modules are those that the
instance has published, and a function is reached only if the deployment has associated it and lets Amazon Connect
invoke it:

with Sandbox.start(folder) as sandbox:
    functions_exist(sandbox, [LOOKUP_ARN])
    sandbox.cdk("bootstrap", cwd=app)
    sandbox.cdk("deploy", "--all", cwd=app)
    line = DeployedFlow(sandbox, sandbox.stack_outputs("support-line")["LineArn"], values={"LookupArn": LOOKUP_ARN})
    for scenario in ScenarioFile.load(Path("scenarios/line.yaml")).scenarios:
        print(line.play(scenario).transcript)
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from connect_sandbox.cloud import AwsError, Sandbox
from connect_sandbox.rehearsal.canned_functions import CannedFunctions
from connect_sandbox.rehearsal.cloud_ports import DeployedFunctions, PublishedFlows
from connect_sandbox.rehearsal.conditions import Caller
from connect_sandbox.rehearsal.contact import Contact
from connect_sandbox.rehearsal.display_names import FLOWS, MODULES, PROMPTS, keyed
from connect_sandbox.rehearsal.errors import NoSuchFlowError
from connect_sandbox.rehearsal.ports import FlowSource, LambdaAnswer, Ports
from connect_sandbox.rehearsal.published import PublishedFlow
from connect_sandbox.rehearsal.scenario import Expected, Scenario
from connect_sandbox.rehearsal.setup_reader import Setup
from connect_sandbox.runs import scenario as told_scenario

STAND_IN_ROLE = "functions-that-exist"
"""The role of the functions that `functions_exist` makes."""
_TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}
_STAND_IN = """\
def handler(event, context):
    raise RuntimeError(f"{context.function_name} only stands in: say under lambdas what it answers")
"""

_FLOW, _MODULE, _PROMPT, _FUNCTION = "/contact-flow/", "/flow-module/", "/prompt/", ":function:"

Value = TypeVar("Value")


@dataclass(frozen=True, kw_only=True)
class DeployedFlow:
    """A flow or module that the sandbox's Amazon Connect has published, by its ARN.

    values: what the template's placeholders stand for in the deployment. Where a scenario calls the same placeholder's
    value by another name (`values: {QueueArn: support}`), what it says of that name holds for the deployed value.
    """

    sandbox: Sandbox
    arn: str
    values: Mapping[str, str] = field(default_factory=dict)

    @property
    def instance_arn(self) -> str:
        """The instance that has published it."""
        return "/".join(self.arn.split("/")[:2])

    def play(self, scenario: Scenario) -> Contact:
        """Play the scenario and check what it expects; return the contact.

        A flow or module that is not deployed is the one that the scenario names, if it does. Raises AssertionError,
        with the transcript, if the contact goes differently, and RehearsalError if it cannot be played.
        """
        there = _There(scenario.setup.values, self.values)
        setup = there.setup(scenario.setup, self.called())
        with told_scenario(scenario.name, recorder=self.sandbox.run):
            contact = self.contact(setup, Caller(setup.number, scenario.caller)).calls(self.arn)
            replace(scenario, expect=there.expected(scenario.expect, contact)).check(contact)
        return contact

    def called(self) -> PublishedFlow:
        """Return it as the instance has published it; NoSuchFlowError if it has not."""
        found = _published(PublishedFlows(self.sandbox, self.instance_arn), self.arn)
        if found is None:
            raise NoSuchFlowError(f"the instance {self.instance_arn} has published no flow {self.arn!r}")
        return found

    def contact(
        self, setup: Setup, caller: Caller, *, world: Callable[[Ports], Ports] | None = None
    ) -> Contact:
        """Return a contact that can call it, in the deployed world: the setup says what functions answer.

        world: what else is to be changed in the world of the contact.
        """
        called = self.called()

        def deployed(told: Ports) -> Ports:
            published = PublishedFlows(self.sandbox, self.instance_arn)
            functions = _AssociatedFunctions(self.sandbox, self.instance_arn, setup)
            flows = _Deployed(published, told.flows, _absent(setup, called))
            ports = replace(told, flows=flows, functions=functions, run=self.sandbox.run)
            return ports if world is None else world(ports)

        return setup.contact(called, caller, world=deployed, instance_arn=self.instance_arn)


def functions_exist(sandbox: Sandbox, arns: Iterable[str]) -> None:
    """Let functions exist that an app refers to without deploying them; one that is there already stays.

    They can be associated and permitted as on AWS. One that is invoked although no scenario says what it answers,
    fails and says so. An ARN of another account or Region than the sandbox's is a ValueError.
    """
    functions = sandbox.boto3_client("lambda")
    known = {function["FunctionArn"] for function in functions.list_functions()["Functions"]}
    role: str | None = None
    for arn in dict.fromkeys(arns):
        prefix = f"arn:aws:lambda:{sandbox.region}:{sandbox.account}:function:"
        if not arn.startswith(prefix):
            raise ValueError(f"{arn!r} cannot exist here: the sandbox's functions are {prefix}NAME")
        name = arn.removeprefix(prefix).partition(":")[0]
        if prefix + name in known:
            continue
        role = role or _role(sandbox)
        functions.create_function(
            FunctionName=name,
            Runtime="python3.13",
            Handler="stand_in.handler",
            Role=role,
            Code={"ZipFile": _zip()},
        )
        known.add(prefix + name)


@dataclass(frozen=True)
class _There:
    """What a scenario calls things, and what they are called where they are deployed."""

    here: Mapping[str, str]
    there: Mapping[str, str]

    def name(self, named: str, kind: str) -> str:
        """Return the deployed value of what the scenario calls `named`; `kind` is a part of its ARN."""
        for placeholder, value in self.here.items():
            deployed = self.there.get(placeholder)
            fits = deployed is not None and (kind in deployed or not deployed.startswith("arn:"))
            if deployed is not None and fits and named in {value, _short(value)}:
                return deployed
        return named

    def keys(self, told: Mapping[str, Value], kind: str) -> dict[str, Value]:
        """Return the same under the deployed names."""
        return {self.name(named, kind): value for named, value in told.items()}

    def expected(self, expect: Expected, contact: Contact) -> Expected:
        """Return what is expected under the deployed names, where these are what the contact has."""
        attributes = {
            name: contact.attributes[name] if self._is(value, contact.attributes.get(name)) else value
            for name, value in expect.attributes.items()
        }
        queue = contact.ending.queue
        return replace(
            expect,
            attributes=attributes,
            invokes=self.keys(expect.invokes, _FUNCTION),
            queued=queue if self._is(expect.queued, queue) else expect.queued,
        )

    def _is(self, named: str | None, found: str | None) -> bool:
        """Tell whether a deployed value is what the scenario calls by that name."""
        return found is not None and any(
            self.there.get(placeholder) == found for placeholder, value in self.here.items() if value == named
        )

    def setup(self, setup: Setup, called: PublishedFlow) -> Setup:
        """Return the setup under the deployed names; the flow that is called knows those of the console."""
        told = setup.conditions
        prompts = self.keys(told.prompts, _PROMPT)
        spoken = keyed(prompts, PROMPTS, [called])
        # What is heard of a prompt without words is its name in the scenario.
        unspoken = {
            deployed: f"[prompt {_short(self.here[placeholder])}]"
            for placeholder, deployed in self.there.items()
            if placeholder in self.here and _PROMPT in deployed and deployed not in spoken
        }
        return replace(
            setup,
            values={**setup.values, **self.there},
            flows=self.keys(setup.flows, _FLOW),
            modules=self.keys(setup.modules, _MODULE),
            lambdas=self.keys(setup.lambdas, _FUNCTION),
            conditions=replace(
                told,
                queues=tuple(replace(queue, arn=self.name(queue.arn, "/queue/")) for queue in told.queues),
                hours=self.keys(told.hours, "/operating-hours/"),
                prompts={**unspoken, **prompts},
                agents=frozenset(self.name(agent, "/agent/") for agent in told.agents),
            ),
        )


class _Deployed:
    """A FlowSource: what is published, else what the scenario names. A module can be called like a flow.

    absent: ARNs of what the scenario says that there is not.
    """

    def __init__(self, published: PublishedFlows, told: FlowSource, absent: frozenset[str]) -> None:
        self._source, self._told, self._absent = published, told, absent

    def flow(self, arn_or_id: str) -> PublishedFlow:
        """Return the flow."""
        return self._published(arn_or_id) or self._told.flow(arn_or_id)

    def module(self, arn_or_id: str) -> PublishedFlow:
        """Return the module."""
        return self._published(arn_or_id) or self._told.module(arn_or_id)

    def _published(self, arn_or_id: str) -> PublishedFlow | None:
        found = _published(self._source, arn_or_id)
        return None if found is None or found.arn in self._absent else found


def _published(source: PublishedFlows, arn_or_id: str) -> PublishedFlow | None:
    for find in (source.flow, source.module):
        try:
            return find(arn_or_id)
        except NoSuchFlowError:
            continue
    return None


def _absent(setup: Setup, called: PublishedFlow) -> frozenset[str]:
    """Return the ARNs of the flows and modules of which the scenario says that there are none."""
    told = {**keyed(setup.flows, FLOWS, [called]), **keyed(setup.modules, MODULES, [called])}
    return frozenset(arn for arn, file in told.items() if file is None)


class _AssociatedFunctions:
    """A LambdaInvoker: a function that Amazon Connect may invoke answers as the scenario says, else as deployed.

    One that is nowhere in the sandbox, since the flow has its name from an attribute, answers as the scenario says.
    """

    def __init__(self, sandbox: Sandbox, instance_arn: str, setup: Setup) -> None:
        self._sandbox, self._instance_arn = sandbox, instance_arn
        self._deployed = DeployedFunctions(sandbox, instance_arn)
        self._told = CannedFunctions(setup.lambdas)
        self._names = frozenset(setup.lambdas)

    def invoke(self, function_arn: str, event: Mapping[str, Any], *, time_limit: float) -> LambdaAnswer:
        """Invoke the function as Amazon Connect."""
        if not self._answers(function_arn):
            return self._deployed.invoke(function_arn, event, time_limit=time_limit)
        return self._told.invoke(function_arn, event, time_limit=time_limit)

    def invoke_without_waiting(self, function_arn: str, event: Mapping[str, Any]) -> str:
        """Invoke the function as an event."""
        if not self._answers(function_arn):
            return self._deployed.invoke_without_waiting(function_arn, event)
        return self._told.invoke_without_waiting(function_arn, event)

    def _answers(self, function_arn: str) -> bool:
        """Tell whether a function answers as the scenario says."""
        name = _short(function_arn)
        if self._names.isdisjoint({function_arn, name, name.partition(":")[0]}):
            return False
        try:
            self._sandbox.lambda_state.get(function_arn)
        except AwsError:
            return True
        # If not, the deployed functions say why.
        return self._sandbox.connect.may_invoke(self._instance_arn, function_arn).allowed


def _short(value: str) -> str:
    """Return a function's name with its qualifier, else the last part of an ARN."""
    return value.split(":function:", 1)[1] if ":function:" in value else value.rsplit("/", 1)[-1]


def _role(sandbox: Sandbox) -> str:
    roles = sandbox.boto3_client("iam")
    try:
        arn: str = roles.create_role(RoleName=STAND_IN_ROLE, AssumeRolePolicyDocument=json.dumps(_TRUST))[
            "Role"
        ]["Arn"]
    except roles.exceptions.EntityAlreadyExistsException:
        arn = roles.get_role(RoleName=STAND_IN_ROLE)["Role"]["Arn"]
    return arn


def _zip() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("stand_in.py", _STAND_IN)
    return packed.getvalue()
