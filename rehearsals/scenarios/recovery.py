"""A first deployment that fails anywhere leaves nothing that stops the next one: played for every resource in turn."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final

from connect_sandbox.cloud import Sandbox

from rehearsals.scenarios.deployment import Deployment
from rehearsals.scenarios.deploys import AssembledStack, Assembly, DeployFailedError, StackDeployer
from rehearsals.scenarios.expect import expect_that
from rehearsals.scenarios.leftovers import Leftover, created_by, exists, remove
from rehearsals.scenarios.registry import scenario
from rehearsals.scenarios.rehearsal import Rehearsal

WHY = "the rehearsal lets this resource fail"
SWEPT: Final = (
    "connect-bridges-prod-voice",
    "connect-bridges-prod-biometrics",
    "connect-bridges-prod-chat",
    "connect-bridges-prodkey-chat",
)
"""Protected stacks with all their parts: a created connector, fixed names, customer's keys, vendor's role and key."""


def environments(deployment: Deployment) -> dict[str, Any]:
    """Return `prod` of cdk.json with everything that can be switched on, and a copy with an access key for the bot."""
    prod = copy.deepcopy(deployment.environments()["prod"])
    queue = prod["voice"]["queueArn"]
    prod["voice"]["metadata"]["encryption"] = "customer-managed"
    role = {"role": {"principal": "210987654321", "externalId": "example-tenant"}}
    prod["chat"] = {
        "preset": "kore",
        "webhookUrl": "https://bot.example.com/hook",
        "queueArn": queue,
        "vendorAccess": role,
    }
    prod["biometrics"] = {
        "preset": "voiceit",
        "encryption": "customer-managed",
        "telephony": {"number": "+12065550188"},
        "queueArn": queue,
    }
    key = copy.deepcopy(prod)
    key["chat"]["vendorAccess"] = {"accessKey": {}}
    return {"prod": prod, "prodkey": key}


@dataclass
class Tally:
    """What became of the failures in one stack. `kept`: what is left on purpose, counted by type."""

    stack: str
    resources: int
    failures: int = 0
    recovered: int = 0
    problems: list[str] = field(default_factory=list)
    kept: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        kept = ", ".join(f"{count} x {kind}" for kind, count in sorted(self.kept.items()))
        return (
            f"{self.stack}: {self.resources} resources, {self.failures} failed deployments, {self.recovered} times the "
            f"next `cdk deploy` succeeded" + (f"; kept on purpose: {kept}" if kept else "")
        )


class Sweep:
    """Lets the resources of a stack fail in turn, each in a first deployment of its own, and deploys again."""

    def __init__(self, sandbox: Sandbox, stack: AssembledStack) -> None:
        """`stack` must not be deployed; its assets are published."""
        self._sandbox = sandbox
        self._stack = stack
        self._deployer = StackDeployer(sandbox)

    def play(self, resources: Collection[str], *, half_done: Collection[bool]) -> Tally:
        """Return what became of it. half_done: whether a resource fails once it exists, before that, or both."""
        tally = Tally(self._stack.name, len(resources))
        for logical_id in resources:
            for after in half_done:
                tally.failures += 1
                try:
                    tally.kept += Counter(left.type for left in self.fail_once(logical_id, half_done=after))
                    tally.recovered += 1
                except (AssertionError, DeployFailedError) as problem:
                    tally.problems.append(f"{logical_id}{' half done' if after else ''}: {problem}")
                finally:
                    self.purge()
        return tally

    def fail_once(self, logical_id: str, *, half_done: bool) -> list[Leftover]:
        """Fail one resource, deploy again; return what is left of the failed deployment on purpose.

        Raises AssertionError or DeployFailedError if the second deployment does not succeed, or leaves anything else.
        """
        failed = self.failed_deployment(logical_id, half_done=half_done)
        self._deployer.deploy(self._stack)
        now = {left.physical_id for left in self._created()}
        left = [one for one in failed if one.physical_id not in now and exists(self._sandbox, one)]
        unwanted = [str(one) for one in left if one.logical_id not in self._stack.retained]
        expect_that(not unwanted, f"nothing should be left of the failed deployment; there is {unwanted}")
        return left

    def failed_deployment(self, logical_id: str, *, half_done: bool) -> list[Leftover]:
        """Deploy with one resource failing; return what the deployment had created until then."""
        fault = self._sandbox.faults.fail_resource(
            self._stack.name, logical_id, half_done=half_done, message=WHY
        )
        try:
            status = self._deployer.deploy(self._stack)
        except DeployFailedError as failure:
            expect_that(
                f"{logical_id} CREATE_FAILED" in str(failure) and WHY in str(failure),
                f"the failure should name {logical_id} and say why; it says {failure}",
            )
        else:
            raise AssertionError(f"{logical_id} should have failed; the stack is {status}")
        finally:
            self._sandbox.faults.forget(fault)
        created = self._created()
        left = [
            str(one)
            for one in created
            if one.logical_id not in self._stack.retained and exists(self._sandbox, one)
        ]
        expect_that(not left, f"the rollback should have deleted everything; it has left {left}")
        return created

    def purge(self) -> None:
        """Remove the stack and whatever it has retained, so that the next first deployment is a first one."""
        if self._deployer.describe(self._stack.name) is None:
            return
        created = self._created()
        self._deployer.protect(self._stack.name, on=False)
        self._deployer.delete(self._stack.name)
        for one in created:
            if exists(self._sandbox, one):
                remove(self._sandbox, one)

    def _created(self) -> list[Leftover]:
        stack = self._deployer.describe(self._stack.name)
        if stack is None:
            raise AssertionError(f"there should be a stack {self._stack.name}")
        return created_by(self._deployer.events(stack["StackId"]))


@scenario("deploy/fails-then-succeeds", part="voice")
def fails_then_succeeds(rehearsal: Rehearsal) -> None:
    """Every resource of every protected stack fails once in a first deployment; the next one succeeds."""
    sandbox = rehearsal.sandbox
    folder = rehearsal.deployment.assemble("recovery", environments(rehearsal.deployment))
    assembly = Assembly(folder)
    assembly.publish(sandbox)
    stacks = [assembly.stack(name) for name in SWEPT]
    with ThreadPoolExecutor(len(stacks)) as pool:
        sweeps = [
            pool.submit(Sweep(sandbox, stack).play, list(stack.resources), half_done=(False,))
            for stack in stacks
        ]
    tallies = [sweep.result() for sweep in sweeps]
    for tally in tallies:
        rehearsal.note(
            str(tally), resources=tally.resources, failures=tally.failures, recovered=tally.recovered
        )
    problems = [problem for tally in tallies for problem in tally.problems]
    expect_that(
        not problems,
        f"{len(problems)} failures were in the way of the next deployment: " + "\n".join(problems),
    )
