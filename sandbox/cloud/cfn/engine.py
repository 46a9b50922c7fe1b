"""The deployment engine: creates, updates and deletes the resources of a stack, and rolls back what fails.

Resources are handled one after another in the order of their dependencies, in a thread of the operation's own, so
that the CDK command line sees the events as they happen. Before the first resource a check refuses, by name, every
type and property that the sandbox does not reproduce.
"""

from __future__ import annotations

import datetime as dt
import logging
import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from connect_bridges.sandbox.cloud.cfn.intrinsics import Resolver, resolve_parameters
from connect_bridges.sandbox.cloud.cfn.resource import (
    Clients,
    Context,
    FailedResourceError,
    ResourceType,
)
from connect_bridges.sandbox.cloud.cfn.stack import Stack, StackResource
from connect_bridges.sandbox.cloud.cfn.support import unsupported_properties
from connect_bridges.sandbox.cloud.cfn.template import (
    Resource,
    Template,
    creation_order,
    dependencies,
    invalid,
    load_template,
)
from connect_bridges.sandbox.cloud.errors import AwsError, CannotStandInError, SandboxError
from connect_bridges.sandbox.iam.errors import IamError

_LOG = logging.getLogger(__name__)
# What a resource may fail with; anything else is a fault of the sandbox itself.
_FAILURES = (AwsError, SandboxError, IamError, ClientError, BotoCoreError)
_RETAINED = frozenset({"Retain", "RetainExceptOnCreate"})


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
        services: Any,  # noqa: ANN401  (the Sandbox's parts, for the resource types)
        before_deploy: Callable[[Stack, Template], None],
    ) -> None:
        """`types` by name; `custom_type` handles Custom::*; `before_deploy` may look at a template and warn."""
        self.account = account
        self.region = region
        self._types = types
        self._custom_type = custom_type
        self._client = client
        self._services = services
        self._before_deploy = before_deploy
        self._lock = threading.RLock()
        self._stacks: dict[str, Stack] = {}
        self._threads: dict[str, threading.Thread] = {}

    # -- finding stacks

    def stacks(self) -> list[Stack]:
        """Return all stacks, the deleted ones included."""
        return list(self._stacks.values())

    def find(self, name_or_id: str) -> Stack:
        """Return the stack; a deleted one only by its id. Raise ValidationError if there is none."""
        for stack in reversed(self.stacks()):
            if stack.stack_id == name_or_id or (stack.name == name_or_id and stack.exists):
                return stack
        raise invalid(f"Stack with id {name_or_id} does not exist")

    def export(self, name: str) -> str:
        """Return an exported output's value."""
        for stack in self.stacks():
            for output in stack.outputs if stack.exists else []:
                if output.get("ExportName") == name:
                    return output["OutputValue"]
        raise invalid(f"No export named {name} found")

    def new_stack(self, name: str, tags: dict[str, str]) -> Stack:
        """Add an empty stack in REVIEW_IN_PROGRESS; raise AlreadyExistsException if the name is taken."""
        with self._lock:
            if any(stack.name == name and stack.exists for stack in self.stacks()):
                raise AwsError("AlreadyExistsException", f"Stack [{name}] already exists")
            stack_id = f"arn:aws:cloudformation:{self.region}:{self.account}:stack/{name}/{uuid.uuid4()}"
            self._stacks[stack_id] = stack = Stack(name=name, stack_id=stack_id, tags=tags)
        return stack

    # -- operations; each checks at once what AWS checks at once, then works in a thread

    def create(
        self, stack: Stack, text: str, parameters: dict[str, str], *, on_failure: str = "ROLLBACK"
    ) -> None:
        """Create the resources of a new stack."""
        template = load_template(text)
        resolver = self._resolver(stack, template, parameters, {})
        self._begin(stack, "CREATE_IN_PROGRESS", template, parameters)
        self._run(stack, lambda: self._create(stack, resolver, on_failure))

    def update(
        self, stack: Stack, text: str | None, parameters: dict[str, str], tags: dict[str, str] | None
    ) -> None:
        """Bring the stack's resources to what the template says."""
        if stack.in_progress or stack.status in {"ROLLBACK_COMPLETE", "DELETE_COMPLETE", "ROLLBACK_FAILED"}:
            raise invalid(f"Stack:{stack.stack_id} is in {stack.status} state and can not be updated.")
        before, resolved_before = stack.template, dict(stack.parameters)
        template = before if text is None and before is not None else load_template(text or "")
        resolver = self._resolver(stack, template, parameters, stack.given_parameters)
        same_parameters = {**stack.given_parameters, **parameters} == stack.given_parameters
        if (
            before is not None
            and template.body == before.body
            and same_parameters
            and tags in (None, stack.tags)
        ):
            stack.parameters = resolved_before
            raise invalid("No updates are to be performed.")
        previous = (before, dict(stack.given_parameters), resolved_before)
        stack.tags = stack.tags if tags is None else tags
        self._begin(stack, "UPDATE_IN_PROGRESS", template, {**stack.given_parameters, **parameters})
        self._run(stack, lambda: self._update(stack, resolver, previous))

    def delete(self, stack: Stack, retain: list[str]) -> None:
        """Delete the stack's resources, last created first."""
        if stack.termination_protection:
            raise invalid(f"Stack [{stack.name}] cannot be deleted while TerminationProtection is enabled")
        if stack.in_progress:
            raise invalid(f"Stack [{stack.name}] is in {stack.status} state and can not be deleted.")
        stack.operation_id = str(uuid.uuid4())
        stack.set_status("DELETE_IN_PROGRESS", "User Initiated")
        self._run(stack, lambda: self._delete(stack, set(retain)))

    def wait(self) -> None:
        """Wait until no operation is under way."""
        for thread in list(self._threads.values()):
            thread.join()

    def wait_for(self, stack: Stack, seconds: float) -> None:
        """Wait until the stack's operation has ended, for so many seconds at most."""
        thread = self._threads.get(stack.stack_id)
        if thread is not None:
            thread.join(seconds)

    def plan(self, stack: Stack, template: Template) -> list[dict[str, Any]]:
        """Return what a change set of this template would do, by logical id."""
        old = stack.resources
        changes = [("Add", name) for name in template.resources if name not in old]
        changes += [("Modify", name) for name in template.resources if name in old]
        changes += [("Remove", name) for name in old if name not in template.resources]
        return [
            {
                "Type": "Resource",
                "ResourceChange": {
                    "Action": action,
                    "LogicalResourceId": name,
                    "ResourceType": (template.resources.get(name) or old[name].declared).type,
                    **({"PhysicalResourceId": old[name].created.physical_id} if name in old else {}),
                },
            }
            for action, name in changes
        ]

    # -- the work

    def _begin(self, stack: Stack, status: str, template: Template, parameters: dict[str, str]) -> None:
        stack.template = template
        stack.given_parameters = {
            key: value for key, value in parameters.items() if key in template.parameters
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

        thread = threading.Thread(target=guarded, name=f"stack-{stack.name}", daemon=True)
        self._threads[stack.stack_id] = thread
        thread.start()

    def _create(self, stack: Stack, resolver: Resolver, on_failure: str) -> None:
        template = _template_of(stack)
        failed = self._refuse(stack, resolver, "CREATE_FAILED")
        if not failed:
            self._before_deploy(stack, template)
            failed = self._create_all(stack, resolver, creation_order(template))
        if not failed and (reason := self._set_outputs(stack, resolver)):
            failed = [reason]
        if not failed:
            stack.set_status("CREATE_COMPLETE")
        elif on_failure == "DO_NOTHING":
            stack.set_status("CREATE_FAILED", _failed_reason("create", failed))
        else:
            stack.set_status(
                "ROLLBACK_IN_PROGRESS", _failed_reason("create", failed) + " Rollback requested by user."
            )
            undone = self._delete_resources(stack, list(stack.resources), created_now=True)
            stack.set_status("ROLLBACK_COMPLETE" if undone else "ROLLBACK_FAILED")

    def _create_all(self, stack: Stack, resolver: Resolver, names: list[str]) -> list[str]:
        """Create the named resources; return the logical ids that failed (the first failure ends it)."""
        for name in names:
            declared = _template_of(stack).resources[name]
            if name in stack.resources or not _wanted(declared, resolver):
                continue
            if not self._create_one(stack, resolver, declared):
                return [name]
        return []

    def _create_one(self, stack: Stack, resolver: Resolver, declared: Resource) -> bool:
        kind = self._type(declared.type)
        stack.record(declared.logical_id, "", declared.type, "CREATE_IN_PROGRESS")
        try:
            properties = self._resolve(kind, declared, resolver)
            created = kind.create(self._context(stack, declared), properties)
        except _FAILURES as error:
            stack.record(declared.logical_id, "", declared.type, "CREATE_FAILED", _reason(error, declared))
            if isinstance(error, FailedResourceError):
                held = StackResource(declared, properties, error.leftover, "CREATE_FAILED")
                stack.resources[declared.logical_id] = held
            return False
        stack.resources[declared.logical_id] = StackResource(declared, properties, created)
        stack.record(declared.logical_id, created.physical_id, declared.type, "CREATE_COMPLETE")
        return True

    def _update(
        self,
        stack: Stack,
        resolver: Resolver,
        previous: tuple[Template | None, dict[str, str], dict[str, Any]],
    ) -> None:
        changes = _Changes()
        failed = self._refuse(stack, resolver, "UPDATE_FAILED")
        if not failed:
            self._before_deploy(stack, _template_of(stack))
            failed = self._update_all(stack, resolver, changes)
        if not failed and (reason := self._set_outputs(stack, resolver)):
            failed = [reason]
        if failed:
            self._roll_back_update(stack, changes, previous, failed)
            return
        stack.updated_at = dt.datetime.now(dt.UTC)
        stack.set_status("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
        gone = [
            name for name, held in stack.resources.items() if not self._still_wanted(stack, resolver, name)
        ]
        self._delete_resources(stack, gone)
        self._delete_replaced(stack, changes)
        stack.set_status("UPDATE_COMPLETE")

    def _still_wanted(self, stack: Stack, resolver: Resolver, name: str) -> bool:
        declared = _template_of(stack).resources.get(name)
        return declared is not None and _wanted(declared, resolver)

    def _update_all(self, stack: Stack, resolver: Resolver, changes: _Changes) -> list[str]:
        template = _template_of(stack)
        for name in creation_order(template):
            declared = template.resources[name]
            if not _wanted(declared, resolver):
                continue
            held = stack.resources.get(name)
            if held is None:
                changes.added.append(name)
                done = self._create_one(stack, resolver, declared)
            else:
                done = self._update_one(stack, resolver, declared, held, changes)
            if not done:
                return [name]
        return []

    def _update_one(
        self, stack: Stack, resolver: Resolver, declared: Resource, held: StackResource, changes: _Changes
    ) -> bool:
        kind = self._type(declared.type)
        physical_id = held.created.physical_id
        replace, properties = False, held.properties
        try:
            properties = self._resolve(kind, declared, resolver)
            if properties == held.properties and declared.type == held.declared.type:
                held.declared = declared
                return True
            stack.record(declared.logical_id, physical_id, declared.type, "UPDATE_IN_PROGRESS")
            context = self._context(stack, declared)
            replace = declared.type != held.declared.type or kind.needs_replacement(
                held.properties, properties
            )
            if replace:
                reason = (
                    "Requested update requires the creation of a new physical resource; hence creating one."
                )
                stack.record(declared.logical_id, physical_id, declared.type, "UPDATE_IN_PROGRESS", reason)
                created = kind.create(context, properties)
            else:
                created = kind.update(context, held.created, held.properties, properties)
        except _FAILURES as error:
            stack.record(
                declared.logical_id, physical_id, declared.type, "UPDATE_FAILED", _reason(error, declared)
            )
            changes.failed = _FailedUpdate(held, declared, properties, replaced=replace, error=error)
            return False
        changes.changed.append((declared.logical_id, held))
        if replace or created.physical_id != physical_id:
            changes.replaced.append(held)
        stack.resources[declared.logical_id] = StackResource(declared, properties, created, "UPDATE_COMPLETE")
        stack.record(declared.logical_id, created.physical_id, declared.type, "UPDATE_COMPLETE")
        return True

    def _roll_back_update(
        self,
        stack: Stack,
        changes: _Changes,
        previous: tuple[Template | None, dict[str, str], dict[str, Any]],
        failed: list[str],
    ) -> None:
        stack.set_status("UPDATE_ROLLBACK_IN_PROGRESS", _failed_reason("update", failed))
        undone = self._undo_failed_update(stack, changes.failed)
        added = [name for name in changes.added if name in stack.resources]
        undone = self._delete_resources(stack, added, created_now=True) and undone
        for name, before in reversed(changes.changed):
            undone = self._restore(stack, name, before, replaced=before in changes.replaced) and undone
        stack.template, stack.given_parameters, stack.parameters = previous
        stack.set_status("UPDATE_ROLLBACK_COMPLETE" if undone else "UPDATE_ROLLBACK_FAILED")

    def _undo_failed_update(self, stack: Stack, failed: _FailedUpdate | None) -> bool:
        """Take back what the update that failed may have done by half."""
        if failed is None:
            return True
        kind = self._type(failed.declared.type)
        context = self._context(stack, failed.declared)
        try:
            if failed.replaced and isinstance(failed.error, FailedResourceError):
                kind.delete(context, failed.error.leftover, failed.properties)
            elif not failed.replaced and failed.properties != failed.held.properties:
                failed.held.created = kind.update(
                    context, failed.held.created, failed.properties, failed.held.properties
                )
        except _FAILURES as error:
            name = failed.declared.logical_id
            reason = _reason(error, failed.declared)
            stack.record(name, failed.held.created.physical_id, failed.declared.type, "UPDATE_FAILED", reason)
            return False
        return True

    def _restore(self, stack: Stack, name: str, before: StackResource, *, replaced: bool) -> bool:
        now = stack.resources[name]
        kind = self._type(before.declared.type)
        context = self._context(stack, before.declared)
        stack.record(name, now.created.physical_id, before.declared.type, "UPDATE_IN_PROGRESS")
        try:
            if replaced:
                self._type(now.declared.type).delete(
                    self._context(stack, now.declared), now.created, now.properties
                )
            else:
                before.created = kind.update(context, now.created, now.properties, before.properties)
        except _FAILURES as error:
            stack.record(
                name,
                now.created.physical_id,
                before.declared.type,
                "UPDATE_FAILED",
                _reason(error, before.declared),
            )
            return False
        stack.resources[name] = before
        stack.record(name, before.created.physical_id, before.declared.type, "UPDATE_COMPLETE")
        return True

    def _delete_replaced(self, stack: Stack, changes: _Changes) -> None:
        for held in reversed(changes.replaced):
            if held.declared.update_replace_policy in _RETAINED:
                stack.record(
                    held.declared.logical_id, held.created.physical_id, held.declared.type, "DELETE_SKIPPED"
                )
            else:
                self._delete_one(stack, held)

    def _delete(self, stack: Stack, retain: set[str]) -> None:
        if self._delete_resources(stack, [name for name in stack.resources if name not in retain]):
            stack.deleted_at = dt.datetime.now(dt.UTC)
            stack.outputs = []
            stack.set_status("DELETE_COMPLETE")
        else:
            left = [name for name, held in stack.resources.items() if held.status == "DELETE_FAILED"]
            stack.set_status(
                "DELETE_FAILED", f"The following resource(s) failed to delete: [{', '.join(left)}]. "
            )

    def _delete_resources(self, stack: Stack, names: list[str], *, created_now: bool = False) -> bool:
        """Delete the named resources, dependants first; return whether all went."""
        done = True
        for name in _deletion_order(stack, names):
            held = stack.resources[name]
            policy = held.declared.deletion_policy
            if policy == "Retain" or (policy == "RetainExceptOnCreate" and not created_now):
                stack.record(name, held.created.physical_id, held.declared.type, "DELETE_SKIPPED")
            elif not self._delete_one(stack, held):
                done = False
                continue
            del stack.resources[name]
        return done

    def _delete_one(self, stack: Stack, held: StackResource) -> bool:
        declared = held.declared
        stack.record(declared.logical_id, held.created.physical_id, declared.type, "DELETE_IN_PROGRESS")
        try:
            self._type(declared.type).delete(self._context(stack, declared), held.created, held.properties)
        except _FAILURES as error:
            held.status, held.reason = "DELETE_FAILED", _reason(error, declared)
            stack.record(
                declared.logical_id, held.created.physical_id, declared.type, "DELETE_FAILED", held.reason
            )
            return False
        stack.record(declared.logical_id, held.created.physical_id, declared.type, "DELETE_COMPLETE")
        return True

    # -- the check before anything is created

    def _refuse(self, stack: Stack, resolver: Resolver, status: str) -> list[str]:
        """Record an event for everything that the sandbox does not reproduce; return the logical ids."""
        refused = []
        for name, declared in _template_of(stack).resources.items():
            if not _wanted(declared, resolver):
                continue
            reasons = self._problems(declared)
            if reasons:
                refused.append(name)
                stack.record(name, "", declared.type, status, "; ".join(reasons))
        return refused

    def _problems(self, declared: Resource) -> list[str]:
        try:
            kind = self._type(declared.type)
        except CannotStandInError as refusal:
            return [str(refusal)]
        problems = [
            str(CannotStandInError(f"{declared.type} {path}", reason))
            for path, reason in unsupported_properties(kind.properties, declared.properties)
        ]
        if declared.deletion_policy == "Snapshot":
            problems.append(
                str(CannotStandInError(f"{declared.type} DeletionPolicy Snapshot", "there are no snapshots"))
            )
        problems += [
            f"Properties validation failed for resource {declared.logical_id}: required key [{name}] not found"
            for name in kind.required
            if name not in declared.properties
        ]
        return problems

    # -- resolving

    def _resolve(self, kind: ResourceType, declared: Resource, resolver: Resolver) -> dict[str, Any]:
        """Return the resolved properties; refuse values that only showed now (of a parameter, for example)."""
        properties: dict[str, Any] = resolver.resolve(declared.properties)
        for path, reason in unsupported_properties(kind.properties, properties):
            raise CannotStandInError(f"{declared.type} {path}", reason)
        return properties

    def _resolver(
        self, stack: Stack, template: Template, given: dict[str, str], previous: dict[str, str]
    ) -> Resolver:
        parameters = resolve_parameters(template, given, previous, self._read_ssm)
        stack.parameters = parameters
        resolver = Resolver(
            template,
            parameters=parameters,
            pseudo={
                "AWS::AccountId": self.account,
                "AWS::Region": self.region,
                "AWS::Partition": "aws",
                "AWS::URLSuffix": "amazonaws.com",
                "AWS::StackName": stack.name,
                "AWS::StackId": stack.stack_id,
                "AWS::NotificationARNs": [],
            },
            imports=self.export,
            reference=lambda name: _held(stack, name).created.reference,
            attribute=lambda name, attribute: self._attribute(stack, name, attribute),
        )
        resolver.check_rules()
        return resolver

    def _attribute(self, stack: Stack, name: str, attribute: str) -> Any:  # noqa: ANN401
        held = _held(stack, name)
        kind = self._type(held.declared.type)
        if not kind.has_attribute(attribute):
            known = ", ".join(kind.attributes) or "none"
            raise CannotStandInError(
                f"the attribute {attribute} of {held.declared.type} ({name})", f"known: {known}"
            )
        return kind.attribute(held.created, attribute)

    def _set_outputs(self, stack: Stack, resolver: Resolver) -> str | None:
        """Evaluate the outputs; return what is wrong with one, or None."""
        outputs = []
        for key, declared in _template_of(stack).outputs.items():
            if "Condition" in declared and not resolver.condition(declared["Condition"]):
                continue
            try:
                output = {"OutputKey": key, "OutputValue": str(resolver.resolve(declared["Value"]))}
                if "Export" in declared:
                    output["ExportName"] = str(resolver.resolve(declared["Export"]["Name"]))
            except _FAILURES as error:
                stack.record(key, "", "AWS::CloudFormation::Stack", "CREATE_FAILED", str(error))
                return f"output {key}: {error}"
            if declared.get("Description"):
                output["Description"] = declared["Description"]
            outputs.append(output)
        stack.outputs = outputs
        return None

    def _read_ssm(self, name: str) -> str:
        try:
            return str(self._client("ssm").get_parameter(Name=name)["Parameter"]["Value"])
        except ClientError as error:
            raise AwsError(error.response["Error"]["Code"], error.response["Error"]["Message"]) from error

    def _type(self, name: str) -> ResourceType:
        if name.startswith("Custom::") or name == "AWS::CloudFormation::CustomResource":
            return self._custom_type
        try:
            return self._types[name]
        except KeyError:
            known = ", ".join(sorted(self._types))
            raise CannotStandInError(f"the resource type {name}", f"it knows Custom::* and {known}") from None

    def _context(self, stack: Stack, declared: Resource) -> Context:
        return Context(
            stack_name=stack.name,
            stack_id=stack.stack_id,
            logical_id=declared.logical_id,
            resource_type=declared.type,
            account=self.account,
            region=self.region,
            template=_template_of(stack),
            client=self._client,
            services=self._services,
            tags=stack.tags,
        )


@dataclass(frozen=True)
class _FailedUpdate:
    """The resource whose update failed: what it was, and what it was to become."""

    held: StackResource
    declared: Resource
    properties: dict[str, Any]
    replaced: bool
    error: Exception


class _Changes:
    """What an update did so far, for its roll back and its clean-up."""

    def __init__(self) -> None:
        self.added: list[str] = []
        self.changed: list[tuple[str, StackResource]] = []
        self.replaced: list[StackResource] = []
        self.failed: _FailedUpdate | None = None


def _template_of(stack: Stack) -> Template:
    if stack.template is None:
        raise invalid(f"Stack [{stack.name}] has no template yet")
    return stack.template


def _held(stack: Stack, name: str) -> StackResource:
    if name not in stack.resources:
        raise invalid(
            f"Template error: resource {name} does not exist in this stack (is its condition false?)"
        )
    return stack.resources[name]


def _wanted(declared: Resource, resolver: Resolver) -> bool:
    return declared.condition is None or resolver.condition(declared.condition)


def _deletion_order(stack: Stack, names: list[str]) -> list[str]:
    """Return the names so that each precedes what it depends on, by what was deployed last."""
    declared = {name: held.declared for name, held in stack.resources.items()}
    template = Template(text="", body={}, resources=declared)
    known = {name: dependencies(template, name) & set(declared) for name in declared}
    order: list[str] = []

    def visit(name: str, path: tuple[str, ...]) -> None:
        if name in order or name in path:
            return
        for dependency in sorted(known[name]):
            visit(dependency, (*path, name))
        order.append(name)

    for name in declared:
        visit(name, ())
    return [name for name in reversed(order) if name in names]


def _failed_reason(verb: str, names: list[str]) -> str:
    return f"The following resource(s) failed to {verb}: [{', '.join(names)}]."


def _reason(error: Exception, declared: Resource) -> str:
    if isinstance(error, ClientError):
        code, message = error.response["Error"]["Code"], error.response["Error"]["Message"]
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        service = declared.type.split("::")[1] if "::" in declared.type else declared.type
        return f'Resource handler returned message: "{message} (Service: {service}, Status Code: {status}, {code})"'
    if isinstance(error, AwsError):
        return f'Resource handler returned message: "{error.message} ({error.code})"'
    return str(error)
