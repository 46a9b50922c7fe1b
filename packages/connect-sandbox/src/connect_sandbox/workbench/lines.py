"""Contacts through what was deployed, by number or by a flow's name, with the instance's own queues and hours."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from connect_sandbox.cloud import Instance, Sandbox
from connect_sandbox.rehearsal.cloud_ports import AssociatedConnectors
from connect_sandbox.rehearsal.conditions import Caller, Conditions, Queue
from connect_sandbox.rehearsal.contact import Contact
from connect_sandbox.rehearsal.deployed import DeployedFlow
from connect_sandbox.rehearsal.errors import NoSuchFlowError
from connect_sandbox.rehearsal.left_behind import LeftBehind, flow_of_number
from connect_sandbox.rehearsal.ports import Ports
from connect_sandbox.rehearsal.published import MODULE, PublishedFlow
from connect_sandbox.rehearsal.scenario import Scenario
from connect_sandbox.rehearsal.setup_reader import Setup
from connect_sandbox.rehearsal.troubled_voice import TroubledVoice
from connect_sandbox.runs import scenario as told_scenario
from connect_sandbox.workbench.errors import WorkbenchError
from connect_sandbox.workbench.overview import own_flows

#: The parameters by which flows name a queue and hours of operation.
_QUEUE, _HOURS = "QueueId", "HoursOfOperationId"


@dataclass(frozen=True)
class Line:
    """Something that can be called. `dialled` is the number, if it was one."""

    sandbox: Sandbox
    instance: Instance
    flow_arn: str
    dialled: str | None = None

    @classmethod
    def find(
        cls, sandbox: Sandbox, called: str, *, account: str | None = None, region: str | None = None
    ) -> Line:
        """Return the line of a number (E.164), or of a flow's name, id or ARN; WorkbenchError with those there are.

        It is looked for in every account and Region of the sandbox, or only in those given.
        """
        places = [
            place
            for place in sandbox.places()
            if account in {None, place.account} and region in {None, place.region}
        ]
        if called.startswith("+"):
            return cls._of_number(places, called)
        found = [
            (place, instance, flow)
            for place in places
            for instance in place.connect.instances()
            for flow in instance.flows.values()
            if called in {flow.name, flow.id, flow.arn}
        ]
        if not found:
            raise WorkbenchError(f"no flow is called {called!r}; {_known(places)}")
        if len(found) > 1:
            arns = ", ".join(flow.arn for _, _, flow in found)
            several = len({(place.account, place.region) for place, _, _ in found}) > 1
            choice = ", or its account or Region (--account, --region; in tests account=, region=)"
            raise WorkbenchError(
                f"{len(found)} flows are called {called!r}: give the ARN of one{choice if several else ''}: {arns}"
            )
        place, instance, flow = found[0]
        return cls(place, instance, flow.arn)

    @classmethod
    def _of_number(cls, places: Sequence[Sandbox], number: str) -> Line:
        nobody = NoSuchFlowError(f"nobody has claimed the number {number}")
        for place in places:
            try:
                instance_arn, flow_arn = flow_of_number(place, number)
            except NoSuchFlowError as why:
                nobody = why if "leads to no flow" in str(why) else nobody
            else:
                return cls(place, place.connect.instance(instance_arn), flow_arn, number)
        raise WorkbenchError(f"{nobody}; {_known(places)}")

    def contact(
        self, setup: Setup, caller: Caller, *, world: Callable[[Ports], Ports] | None = None
    ) -> Contact:
        """Return a contact that can call the line; what the setup says of queues and hours holds for those deployed.

        world: what else is to be changed in the world of the contact.
        """
        flows = list(_published(self.instance))
        told = replace(
            setup,
            conditions=_conditions(setup.conditions, self.instance, flows),
            dialled=self.dialled or setup.dialled,
        )

        def deployed(told: Ports) -> Ports:
            dialled = TroubledVoice(self.sandbox.troubles, told.external_voice)
            ports = replace(
                told,
                external_voice=AssociatedConnectors(self.sandbox, self.instance.arn, dialled),
                records=LeftBehind(self.sandbox, self.instance.arn),
            )
            return ports if world is None else world(ports)

        return DeployedFlow(sandbox=self.sandbox, arn=self.flow_arn).contact(told, caller, world=deployed)

    def play(self, scenario: Scenario) -> Contact:
        """Play a scenario and check what it expects; AssertionError, with the transcript, if it goes differently."""
        caller = Caller(scenario.setup.number, scenario.caller)
        with told_scenario(scenario.name, recorder=self.sandbox.run):
            contact = self.contact(scenario.setup, caller).calls(self.flow_arn)
            scenario.check(contact)
        return contact


def _known(places: Sequence[Sandbox]) -> str:
    instances = [instance for place in places for instance in place.connect.instances()]
    numbers = [held.number for instance in instances for held in instance.numbers.values() if held.flow_id]
    names = [flow.name for instance in instances for flow in own_flows(instance)]
    flows = ", ".join(sorted(names)) or "(none)"
    return f"there are the flows {flows} and the numbers {', '.join(numbers) or '(none)'}"


def _published(instance: Instance) -> Iterator[PublishedFlow]:
    for flow in instance.flows.values():
        if flow.status == "PUBLISHED":
            yield PublishedFlow.parse(flow.content, arn=flow.arn, name=flow.name, type=flow.type)
    for module in instance.modules.values():
        if module.status == "PUBLISHED":
            yield PublishedFlow.parse(module.content, arn=module.arn, name=module.name, type=MODULE)


def _conditions(told: Conditions, instance: Instance, flows: list[PublishedFlow]) -> Conditions:
    """Return the conditions with what the instance has: queues and hours are open unless told otherwise."""
    queues = _named(instance, "Queue", flows, _QUEUE)
    hours = _named(instance, "HoursOfOperation", flows, _HOURS)
    wanted = {name: queue for queue in told.queues for name in (queue.arn, queue.name)}
    known: list[Queue] = []
    for arn, name in queues.items():
        said = next((wanted[one] for one in (arn, arn.rsplit("/", 1)[-1], name) if one in wanted), None)
        known.append(Queue(arn=arn, name=name) if said is None else replace(said, arn=arn, name=name))
    own = {queue.name for queue in known} | {queue.arn for queue in known}
    others = [queue for queue in told.queues if own.isdisjoint({queue.arn, queue.name})]
    users = {one for user in _parts(instance, "User") for one in (user.arn, user.id)}
    return replace(
        told,
        queues=(*known, *others),
        hours={**{arn: told.hours.get(name, True) for arn, name in hours.items()}, **told.hours},
        agents=told.agents | users,
    )


def _parts(instance: Instance, kind: str) -> list[Any]:
    return [part for part in instance.parts.values() if part.kind == kind]


def _named(instance: Instance, kind: str, flows: list[PublishedFlow], parameter: str) -> dict[str, str]:
    """Return the names of an instance's parts by ARN.

    Those of an instance that was made by hand are known by what flows name: such a part exists, called by its id.
    """
    parts = {part.arn: part.name for part in _parts(instance, kind)}
    if instance.created:
        return parts
    found = {str(block.parameters.get(parameter, "")) for flow in flows for block in flow.content.blocks}
    by_hand = {one: one.rsplit("/", 1)[-1] for one in found if one and not one.startswith("$")}
    return {arn: name for arn, name in by_hand.items() if name not in instance.parts} | parts
