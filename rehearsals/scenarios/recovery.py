"""A first deployment that fails anywhere leaves nothing that stops the next one: played for every resource in turn."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from connect_sandbox.cloud import CdkFailedError, Sandbox

from rehearsals.scenarios.deployment import Deployment
from rehearsals.scenarios.deploys import AssembledStack, Assembly, DeployFailedError, StackDeployer
from rehearsals.scenarios.expect import expect, expect_that
from rehearsals.scenarios.leftovers import PARTS, Leftover, created_by, exists, remove
from rehearsals.scenarios.registry import scenario
from rehearsals.scenarios.rehearsal import TABLE_TYPE, Rehearsal

WHY = "the rehearsal lets this resource fail"
SWEPT: Final = (
    "connect-bridges-recovery-voice",
    "connect-bridges-recovery-biometrics",
    "connect-bridges-recovery-chat",
    "connect-bridges-recoverykey-chat",
)
"""Protected stacks with all their parts: a created connector, fixed names, customer's keys, vendor's role and key."""


def environments(deployment: Deployment) -> dict[str, Any]:
    """Return `prod` of cdk.json with everything that can be switched on, and a copy with an access key for the bot.

    Under names of their own, so that nobody else's `prod` is in the way.
    """
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
    key["chat"] |= {"preset": "default", "vendorAccess": {"accessKey": {}}}
    return {"recovery": prod, "recoverykey": key}


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
        kept = ", ".join(f"{count} of {kind}" for kind, count in sorted(self.kept.items()))
        return (
            f"{self.stack}: {self.resources} resources, {self.failures} failed deployments, {self.recovered} times the "
            f"next `cdk deploy` got past it" + (f"; kept on purpose: {kept}" if kept else "")
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

    def order_of_creation(self) -> list[str]:
        """Return the stack's resources as a deployment creates them, without those that are there at once."""
        self._deployer.deploy(self._stack)
        try:
            events = self._deployer.history_events(self._stack.name)
        finally:
            self.purge()
        begun = [e["LogicalResourceId"] for e in events if e["ResourceStatus"] == "CREATE_IN_PROGRESS"]
        return [name for name in dict.fromkeys(begun) if name in self._stack.resources]

    def relay(self, resources: Sequence[str]) -> Tally:
        """Fail the resources one after the other, each in the deployment that follows the failure of the one before.

        resources: in the order of creation. What a failed deployment had begun, the next one creates before it fails
        in its turn; the last one succeeds. So each failure is followed by a deployment that would find whatever is in
        the way of it, at less than half the cost of `play`.
        """
        tally = Tally(self._stack.name, len(resources))
        failed: list[Leftover] = []
        before = ""
        for logical_id in [*resources, ""]:
            try:
                if logical_id:
                    tally.failures += 1
                    failed += self.failed_deployment(logical_id, half_done=False)
                else:
                    self._deployer.deploy(self._stack)
                complete = self._complete()
                expect_that(not before or before in complete, f"{before} is not created; {complete} are")
                tally.recovered += bool(before)
            except (AssertionError, DeployFailedError) as problem:
                tally.problems.append(
                    f"after {before or 'nothing'} failed, and then {logical_id or 'nothing'}: {problem}"
                )
                self.purge()
            before = logical_id
        now = (
            {one.physical_id for one in self._created()}
            if self._deployer.describe(self._stack.name)
            else set()
        )
        left = (one for one in failed if one.physical_id not in now)
        tally.kept = Counter(one.type for one in left if self._is_left(one, self._stack.retained))
        self.purge()
        return tally

    def fail_once(self, logical_id: str, *, half_done: bool) -> list[Leftover]:
        """Fail one resource, deploy again; return what is left of the failed deployment on purpose.

        Raises AssertionError or DeployFailedError if the second deployment does not succeed, or leaves anything else.
        """
        failed = self.failed_deployment(logical_id, half_done=half_done)
        self._deployer.deploy(self._stack)
        now = {one.physical_id for one in self._created()}
        return [
            one for one in failed if one.physical_id not in now and self._is_left(one, self._stack.retained)
        ]

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
        gone = set(self._stack.resources) - self._stack.retained
        left = [str(one) for one in created if self._is_left(one, gone)]
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
            if self._is_left(one, self._stack.outliving):
                remove(self._sandbox, one)

    def _is_left(self, one: Leftover, among: Collection[str]) -> bool:
        return one.logical_id in among and exists(self._sandbox, one)

    def _complete(self) -> set[str]:
        events = self._deployer.history_events(self._stack.name)
        return {e["LogicalResourceId"] for e in events if e["ResourceStatus"] == "CREATE_COMPLETE"}

    def _created(self) -> list[Leftover]:
        stack = self._deployer.describe(self._stack.name)
        if stack is None:
            raise AssertionError(f"there should be a stack {self._stack.name}")
        return created_by(self._deployer.events(stack["StackId"]))


@dataclass(frozen=True)
class Command:
    """A command of docs/recovery.md: as it is written there, and as the call that it makes."""

    written: str
    service: str
    operation: str
    arguments: dict[str, Any]
    named: str

    def run(self, sandbox: Sandbox, name: str) -> None:
        """Run it on a stack, a table or a key."""
        getattr(sandbox.boto3_client(self.service), self.operation)(**self.arguments, **{self.named: name})


UNPROTECT_STACK: Final = Command(
    "aws cloudformation update-termination-protection --no-enable-termination-protection --stack-name STACK",
    "cloudformation",
    "update_termination_protection",
    {"EnableTerminationProtection": False},
    "StackName",
)
UNPROTECT_TABLE: Final = Command(
    "aws dynamodb update-table --no-deletion-protection-enabled --table-name TABLE",
    "dynamodb",
    "update_table",
    {"DeletionProtectionEnabled": False},
    "TableName",
)
DELETE_TABLE: Final = Command(
    "aws dynamodb delete-table --table-name TABLE", "dynamodb", "delete_table", {}, "TableName"
)
DELETE_KEY: Final = Command(
    "aws kms schedule-key-deletion --pending-window-in-days 30 --key-id KEY",
    "kms",
    "schedule_key_deletion",
    {"PendingWindowInDays": 30},
    "KeyId",
)
COMMANDS: Final = (UNPROTECT_STACK, UNPROTECT_TABLE, DELETE_TABLE, DELETE_KEY)


@scenario("deploy/fails-then-succeeds", part="voice", alone=True)
def fails_then_succeeds(rehearsal: Rehearsal) -> None:
    """Let a first deployment fail, at a resource of any type: nothing is left that stops the next `cdk deploy`.

    tests/recovery/test_recovery.py plays it for every resource.
    """
    assembly = assembled(rehearsal.deployment)
    voice = assembly.stack(SWEPT[0])
    connector, table = _of_type(voice, "Custom::ExternalVoiceConnector"), _of_type(voice, TABLE_TYPE)
    _by_the_command_line(rehearsal, assembly, voice, connector)
    _protected_from_the_beginning(rehearsal, voice, fails=connector, blocked=False)
    _protected_from_the_beginning(
        rehearsal, voice, fails=_of_type(voice, "AWS::Connect::ContactFlow"), blocked=True, table=table
    )
    tallies = [
        Sweep(rehearsal.sandbox, assembly.stack(name)).play(resources, half_done=(True,))
        for name, resources in one_of_each_kind(assembly).items()
    ]
    report(rehearsal, tallies)


def assembled(deployment: Deployment) -> Assembly:
    """Return the cloud assembly of `environments`, with its assets published."""
    assembly = Assembly(deployment.assemble("recovery", environments(deployment)))
    assembly.publish(deployment.sandbox)
    return assembly


def one_of_each_kind(assembly: Assembly) -> dict[str, list[str]]:
    """Return, by stack, the first resource of each type that holds data, has a name or is the account's."""
    seen: set[str] = set()
    chosen: dict[str, list[str]] = {}
    for name in SWEPT:
        for logical_id, resource in assembly.stack(name).resources.items():
            if resource["Type"] not in PARTS and resource["Type"] not in seen:
                seen.add(resource["Type"])
                chosen.setdefault(name, []).append(logical_id)
    return chosen


def report(rehearsal: Rehearsal, tallies: Collection[Tally]) -> None:
    """Write down what became of the failures; fail if one was in the way of the next deployment."""
    for tally in tallies:
        rehearsal.note(
            str(tally), resources=tally.resources, failures=tally.failures, recovered=tally.recovered
        )
    problems = [f"{tally.stack} {problem}" for tally in tallies for problem in tally.problems]
    expect_that(
        not problems,
        f"{len(problems)} failures were in the way of the next deployment:\n" + "\n".join(problems),
    )


def _by_the_command_line(rehearsal: Rehearsal, assembly: Assembly, stack: AssembledStack, fails: str) -> None:
    """Let `cdk deploy` fail, deploy again with it, then with deletionProtection; compare it with StackDeployer."""
    sandbox, deployment = rehearsal.sandbox, rehearsal.deployment
    deployer, sweep = StackDeployer(sandbox), Sweep(sandbox, stack)
    sandbox.faults.fail_resource(stack.name, fails, message=WHY)
    try:
        deployment.cdk_deploy(assembly.folder, stack.name)
    except CdkFailedError as failure:
        said = " ".join(failure.output.split())
        expect_that(
            fails in said and WHY in said, f"cdk deploy should name {fails} and say why; it says {said}"
        )
    else:
        raise AssertionError("cdk deploy should have failed")
    by_cdk = deployer.history(stack.name)
    deployment.cdk_deploy(assembly.folder, stack.name)
    succeeded_by_cdk = deployer.history(stack.name)
    before = deployer.resources(stack.name)
    rehearsal.note(f"`cdk deploy` failed at {fails}, said so, and succeeded when it was called again")

    deployment.cdk_deploy(_locked(deployment), stack.name)
    expect(deployer.resources(stack.name), before, "the resources after deletionProtection")
    described = deployer.describe(stack.name) or {}
    expect(described.get("EnableTerminationProtection"), True, "the stack's termination protection")
    described_table = sandbox.boto3_client("dynamodb").describe_table(
        TableName=before[_of_type(stack, TABLE_TYPE)]
    )
    expect(described_table["Table"]["DeletionProtectionEnabled"], True, "the table's deletion protection")
    rehearsal.note("deletionProtection, deployed afterwards, protects stack and table and replaces nothing")
    sweep.purge()

    sweep.failed_deployment(fails, half_done=False)
    expect(
        deployer.history(stack.name), by_cdk, "the history of the failed deployment without the command line"
    )
    deployer.deploy(stack)
    expect(deployer.history(stack.name), succeeded_by_cdk, "the history of the deployment that succeeded")
    sweep.purge()
    rehearsal.note(f"StackDeployer leaves the history that `cdk deploy` leaves: {len(by_cdk)} events")


def _protected_from_the_beginning(
    rehearsal: Rehearsal, stack: AssembledStack, *, fails: str, blocked: bool, table: str = ""
) -> None:
    """Let a stack fail whose first deployment has deletionProtection already; recover with the documented commands."""
    sandbox, deployment = rehearsal.sandbox, rehearsal.deployment
    locked = Assembly(_locked(deployment))
    locked.publish(sandbox)
    stack = locked.stack(stack.name)
    deployer = StackDeployer(sandbox)
    sandbox.faults.fail_resource(stack.name, fails, message=WHY)
    _expect_failure(lambda: deployer.deploy(stack), f"{fails} CREATE_FAILED")
    _expect_failure(
        lambda: deployer.deploy(stack),
        f"Stack [{stack.name}] cannot be deleted while TerminationProtection is enabled",
    )
    status = (deployer.describe(stack.name) or {}).get("StackStatus")
    expect(status, "ROLLBACK_FAILED" if blocked else "ROLLBACK_COMPLETE", "the stack after the failure")
    left = [one for one in created_by(deployer.history_events(stack.name)) if exists(sandbox, one)]
    UNPROTECT_STACK.run(sandbox, stack.name)
    if blocked:
        [blocking] = [one for one in left if one.logical_id == table]
        UNPROTECT_TABLE.run(sandbox, blocking.physical_id)
        DELETE_TABLE.run(sandbox, blocking.physical_id)
    deployer.deploy(stack)
    now = set(deployer.resources(stack.name).values())
    for one in left:
        if one.physical_id not in now and one.type == "AWS::KMS::Key" and exists(sandbox, one):
            DELETE_KEY.run(sandbox, one.physical_id)
    orphans = [
        str(one)
        for one in left
        if one.physical_id not in now and one.logical_id not in stack.retained and exists(sandbox, one)
    ]
    expect(orphans, [], "what is left after the documented commands")
    Sweep(sandbox, stack).purge()
    rehearsal.note(
        f"with deletionProtection from the beginning and a failure at {fails}, the stack is {status}; the "
        "commands of docs/recovery.md get it deployed"
    )


def _locked(deployment: Deployment) -> Path:
    """Return the cloud assembly of the voice path with deletionProtection."""
    settings = environments(deployment)["recovery"]
    voice = {name: value for name, value in settings.items() if name not in {"chat", "biometrics"}}
    return deployment.assemble("recovery-locked", {"recovery": {**voice, "deletionProtection": True}})


def _expect_failure(deploy: Callable[[], object], text: str) -> None:
    try:
        deploy()
    except DeployFailedError as failure:
        expect_that(text in str(failure), f"the deployment should fail with {text!r}; it says {failure}")
    else:
        raise AssertionError(f"the deployment should fail with {text!r}")


def _of_type(stack: AssembledStack, resource_type: str) -> str:
    return next(name for name, resource in stack.resources.items() if resource["Type"] == resource_type)
