"""The deployment engine: creates, updates and deletes the resources of a stack, and rolls back what fails.

Resources are handled one after another in the order of their dependencies, each operation in its own thread,
so that the CDK command line sees the events as they happen. Before the first resource a check refuses by name
every type and property that the sandbox does not emulate.
"""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from connect_sandbox.cloud.cfn.change_sets import planned_changes, refuse_other_types
from connect_sandbox.cloud.cfn.checks import check_deployable, checked_template
from connect_sandbox.cloud.cfn.dynamic import DynamicReferences
from connect_sandbox.cloud.cfn.exports import Exports
from connect_sandbox.cloud.cfn.intrinsics import Resolver, as_text, resolve_parameters
from connect_sandbox.cloud.cfn.resource import (
    Clients,
    ResourceType,
)
from connect_sandbox.cloud.cfn.rollout import FailurePlan, Rollout, held_resource
from connect_sandbox.cloud.cfn.services import Services
from connect_sandbox.cloud.cfn.stack import Stack
from connect_sandbox.cloud.cfn.template import (
    Template,
    invalid,
)
from connect_sandbox.cloud.errors import AwsError, NotEmulatedError
from connect_sandbox.cloud.faults import Faults
from connect_sandbox.cloud.tolerance import NotRehearsed, Tolerance

_LOG = logging.getLogger(__name__)
#: Statuses from which a stack can be updated; what is left of CREATE_FAILED and UPDATE_FAILED is said where they are.
_UPDATABLE = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"})


class DeploymentEngine:
    """Holds the stacks of the account and carries out their operations."""

    def __init__(
        self,
        *,
        account: str,
        region: str,
        types: Mapping[str, ResourceType],
        custom_type: ResourceType,
        client: Clients,
        services: Services,
        before_deploy: Callable[[Stack, Template], None],
        faults: Faults,
        tolerance: Tolerance,
        finished: Callable[[Stack], None] = lambda _stack: None,
    ) -> None:
        """`types` are by name; `custom_type` handles Custom::*; `before_deploy` sees each template first.

        `finished` hears of each operation that has ended.
        """
        self._finished = finished
        self.account = account
        self.region = region
        self._client = client
        self._exports = Exports(self.stacks)
        self._rollout = Rollout(
            account=account,
            region=region,
            types=types,
            custom_type=custom_type,
            client=client,
            services=services,
            before_deploy=before_deploy,
            faults=faults,
            tolerance=tolerance,
            exports=self._exports,
        )
        self._lock = threading.RLock()
        #: Returns the stacks of another Region.
        self.in_region: Callable[[str], DeploymentEngine] | None = None
        self._stacks: dict[str, Stack] = {}
        self._threads: dict[str, threading.Thread] = {}

    # -- finding stacks

    def stacks(self) -> list[Stack]:
        """Return all stacks, the deleted ones included."""
        return list(self._stacks.values())

    def find(self, name_or_id: str, unknown: str = "Stack with id {} does not exist") -> Stack:
        """Return the stack; a deleted one only by its id. Raise ValidationError if there is none, in these words."""
        for stack in reversed(self.stacks()):
            if stack.stack_id == name_or_id or (stack.name == name_or_id and stack.exists):
                return stack
        raise invalid(unknown.format(name_or_id))

    def output(self, stack_name: str, name: str, region: str) -> str:
        """Return an output's value, as Fn::GetStackOutput reads it, exported or not."""
        # evidence: get-stack-output
        if region != self.region and self.in_region is not None:
            try:
                there = self.in_region(region)
            except ValueError as nowhere:
                raise invalid(f"Template validation error: Fn::GetStackOutput: {nowhere}") from None
            return there.output(stack_name, name, region)
        stack = next((one for one in reversed(self.stacks()) if one.name == stack_name and one.exists), None)
        if stack is None:
            raise invalid(
                f"Template validation error: Fn::GetStackOutput: stack {stack_name} does not exist in {region}"
            )
        for output in stack.outputs:
            if output["OutputKey"] == name:
                return output["OutputValue"]
        known = ", ".join(sorted(output["OutputKey"] for output in stack.outputs)) or "none"
        raise invalid(
            f"Template validation error: Fn::GetStackOutput: stack {stack_name} has no output {name}; it has {known}"
        )

    def not_rehearsed(self) -> list[NotRehearsed]:
        """Return the resources of all stacks that do not do what they are for, and why."""
        return [
            NotRehearsed(stack.name, name, held.declared.type, why, bool(held.created.not_rehearsed))
            for stack in self.stacks()
            if stack.exists
            for name, held in list(stack.resources.items())
            if (why := held.created.not_rehearsed or self._rollout.kind_of(held).without_effect)
        ]

    def new_stack(self, name: str, tags: dict[str, str]) -> Stack:
        """Add an empty stack in REVIEW_IN_PROGRESS; raise AlreadyExistsException if the name is taken."""
        with self._lock:
            if any(stack.name == name and stack.exists for stack in self.stacks()):
                raise AwsError("AlreadyExistsException", f"Stack [{name}] already exists")
            stack_id = f"arn:aws:cloudformation:{self.region}:{self.account}:stack/{name}/{uuid.uuid4()}"
            self._stacks[stack_id] = stack = Stack(name=name, stack_id=stack_id, tags=tags)
        return stack

    def metadata(self, stack: Stack, logical_id: str) -> dict[str, Any]:
        """Return a resource's Metadata attribute with its intrinsic functions evaluated, as cfn-init reads it."""
        declared = held_resource(stack, logical_id).declared
        template = stack.template
        if template is None or not declared.metadata:
            return {}
        metadata: dict[str, Any] = self._resolver_of(stack, template).resolve(declared.metadata)
        return metadata

    # -- operations; each checks immediately what AWS checks immediately, then works in a thread

    def create(self, stack: Stack, text: str, parameters: dict[str, str], plan: FailurePlan) -> None:
        """Create the resources of a new stack."""
        template = checked_template(text)
        resolver = self._resolver(stack, template, parameters, {})
        self._begin(stack, "CREATE_IN_PROGRESS", template, parameters)
        self._run(stack, lambda: self._rollout.create(stack, resolver, plan))

    def require_updatable(self, stack: Stack, *, rollback: bool = True) -> None:
        """Raise ValidationError if the stack's status allows no update, as UpdateStack and CreateChangeSet do.

        rollback: False for an update with DisableRollback, which may start where such a one has failed.
        """
        if stack.status == "UPDATE_FAILED" and not rollback:
            raise NotEmulatedError(
                "an update on top of one that failed without rollback", "roll it back first (RollbackStack)"
            )
        if stack.status in {"CREATE_FAILED", "UPDATE_FAILED"} and rollback:
            raise invalid(
                f"This stack is currently in a non-terminal [{stack.status}] state. To update the stack from this "
                "state, please use the disable-rollback parameter with update-stack API. To rollback to the last known "
                "good state, use the rollback-stack API"
            )
        if stack.in_progress or stack.status not in {*_UPDATABLE, "CREATE_FAILED"}:
            raise invalid(f"Stack:{stack.stack_id} is in {stack.status} state and can not be updated.")

    def update(
        self,
        stack: Stack,
        text: str | None,
        parameters: dict[str, str],
        tags: dict[str, str] | None,
        plan: FailurePlan,
    ) -> None:
        """Update the stack's resources to match the template."""
        self.require_updatable(stack, rollback=plan.rollback)
        before, resolved_before = stack.template, dict(stack.parameters)
        template = before if text is None and before is not None else checked_template(text or "")
        refuse_other_types(stack, template)
        resolver = self._resolver(stack, template, parameters, stack.given_parameters)
        same_parameters = {**stack.given_parameters, **parameters} == stack.given_parameters
        if (
            before is not None
            and template.body == before.body
            and same_parameters
            and tags in (None, stack.tags)
            and stack.status != "CREATE_FAILED"
        ):
            stack.parameters = resolved_before
            raise invalid("No updates are to be performed.")
        previous = (before, dict(stack.given_parameters), resolved_before)
        stack.tags = stack.tags if tags is None else tags
        self._begin(stack, "UPDATE_IN_PROGRESS", template, {**stack.given_parameters, **parameters})
        self._run(stack, lambda: self._rollout.update(stack, resolver, previous, plan))

    def roll_back(self, stack: Stack, plan: FailurePlan) -> None:
        """Undo a create or an update that failed without rollback (RollbackStack)."""
        paused = stack.paused
        if stack.status == "CREATE_FAILED":
            work = partial(self._rollout.roll_back_create, stack, "User Initiated", plan)
        elif stack.status == "UPDATE_FAILED" and paused is not None:
            work = partial(self._rollout.roll_back_update, stack, paused, plan)
        else:
            raise invalid(f"Stack:{stack.stack_id} is in {stack.status} state and can not be rolled back.")
        stack.operation_id = str(uuid.uuid4())
        self._run(stack, work)

    def delete(self, stack: Stack, retain: list[str]) -> None:
        """Delete the stack's resources, last created first."""
        if stack.termination_protection:
            raise invalid(f"Stack [{stack.name}] cannot be deleted while TerminationProtection is enabled")
        if stack.in_progress:
            raise invalid(f"Stack [{stack.name}] is in {stack.status} state and can not be deleted.")
        if retain and stack.status != "DELETE_FAILED":
            raise invalid(
                f"Invalid operation on stack [{stack.stack_id}]. When you delete a stack, specify which resources to "
                "retain only when the stack is in the DELETE_FAILED state."
            )
        stack.operation_id = str(uuid.uuid4())
        before = stack.status
        stack.set_status("DELETE_IN_PROGRESS", "User Initiated")
        self._run(stack, lambda: self._rollout.delete(stack, set(retain), before))

    def wait(self) -> None:
        """Wait until no operation is in progress."""
        for thread in list(self._threads.values()):
            thread.join()

    def wait_for(self, stack: Stack, seconds: float) -> None:
        """Wait until the stack's operation has ended, up to `timeout` seconds."""
        thread = self._threads.get(stack.stack_id)
        if thread is not None:
            thread.join(seconds)

    def plan(self, stack: Stack, template: Template, parameters: Mapping[str, str]) -> list[dict[str, Any]]:
        """Return what a change set of this template and these parameters would do, or raise why it can do nothing."""
        refuse_other_types(stack, template)
        return planned_changes(stack, template, parameters, partial(self._rollout.type, unknown_too=True))

    # -- the work

    def _begin(self, stack: Stack, status: str, template: Template, parameters: dict[str, str]) -> None:
        stack.template = template
        # A default is a value like any other from then on: a later UsePreviousValue means it, not a newer default.
        defaults = {
            key: as_text(declared["Default"])
            for key, declared in template.parameters.items()
            if "Default" in declared
        }
        stack.given_parameters = {
            key: value for key, value in {**defaults, **parameters}.items() if key in template.parameters
        }
        stack.operation_id = str(uuid.uuid4())
        stack.set_status(status, "User Initiated")

    def _run(self, stack: Stack, work: Callable[[], None]) -> None:
        def guarded() -> None:
            try:
                work()
            except Exception as error:  # noqa: BLE001  (a thread's last resort: said in the stack's events)
                _LOG.exception("the operation on stack %s failed inside the sandbox", stack.name)
                stack.set_status(
                    stack.status.replace("IN_PROGRESS", "FAILED"), f"the sandbox failed: {error}"
                )
            self._finished(stack)

        thread = threading.Thread(target=guarded, name=f"stack-{stack.name}", daemon=True)
        self._threads[stack.stack_id] = thread
        thread.start()

    # -- resolving

    def _resolver(
        self, stack: Stack, template: Template, given: dict[str, str], previous: dict[str, str]
    ) -> Resolver:
        before = stack.parameters
        stack.parameters = resolve_parameters(template, given, previous, self._read_ssm)
        resolver = self._resolver_of(stack, template)
        try:
            resolver.check_rules()
            check_deployable(template, resolver.condition, resolver.find_in_map)
            resolver.check_stack_outputs()
        except AwsError:
            stack.parameters = before
            raise
        return resolver

    def _resolver_of(self, stack: Stack, template: Template) -> Resolver:
        return Resolver(
            template,
            parameters=stack.parameters,
            pseudo={
                "AWS::AccountId": self.account,
                "AWS::Region": self.region,
                "AWS::Partition": "aws",
                "AWS::URLSuffix": "amazonaws.com",
                "AWS::StackName": stack.name,
                "AWS::StackId": stack.stack_id,
                "AWS::NotificationARNs": [],
            },
            imports=self._exports.value,
            outputs=self.output,
            reference=lambda name: held_resource(stack, name).created.reference,
            attribute=lambda name, attribute: self._attribute(stack, name, attribute),
            dynamic=DynamicReferences(self._client).resolve,
        )

    def _attribute(self, stack: Stack, name: str, attribute: str) -> Any:  # noqa: ANN401
        held = held_resource(stack, name)
        kind = self._rollout.kind_of(held)
        if not kind.has_attribute(attribute):
            known = ", ".join(kind.attributes) or "none"
            raise NotEmulatedError(
                f"the attribute {attribute} of {held.declared.type} ({name})", f"known: {known}"
            )
        return kind.attribute(held.created, attribute)

    def _read_ssm(self, name: str) -> str:
        try:
            return str(self._client("ssm").get_parameter(Name=name)["Parameter"]["Value"])
        except ClientError as error:
            raise AwsError(error.response["Error"]["Code"], error.response["Error"]["Message"]) from error
