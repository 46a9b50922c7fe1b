"""Carries out a stack's operation resource by resource, with rollback, after a check of all of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from connect_sandbox.cloud.cfn.deployer import Deployer
from connect_sandbox.cloud.cfn.exports import Exports
from connect_sandbox.cloud.cfn.intrinsics import Resolver, as_text
from connect_sandbox.cloud.cfn.resource import Clients, Context, Created, FailedResourceError, ResourceType
from connect_sandbox.cloud.cfn.schemas import schema_problems
from connect_sandbox.cloud.cfn.services import Services
from connect_sandbox.cloud.cfn.stack import Stack, StackResource
from connect_sandbox.cloud.cfn.support import unsupported_properties
from connect_sandbox.cloud.cfn.template import (
    Resource,
    Template,
    creation_order,
    dependencies,
    invalid,
)
from connect_sandbox.cloud.errors import AwsError, NotEmulatedError, SandboxError
from connect_sandbox.cloud.faults import Faults
from connect_sandbox.cloud.tolerance import Tolerance, Tolerated
from connect_sandbox.iam.errors import IamError

# How a resource may fail; anything else is a bug in the sandbox.
_FAILURES = (AwsError, SandboxError, IamError, ClientError, BotoCoreError)
_RETAINED = frozenset({"Retain", "RetainExceptOnCreate"})
#: A stack's template, parameters as given and parameters as resolved, before an update.
Before = tuple[Template | None, dict[str, str], dict[str, Any]]


@dataclass(frozen=True)
class FailurePlan:
    """What becomes of a create or an update that fails.

    `rollback` False keeps what there is (DisableRollback), so that RollbackStack can undo it later.
    `retain_except_on_create`: the rollback deletes what the operation created, its DeletionPolicy Retain or not.
    """

    rollback: bool = True
    retain_except_on_create: bool = False


@dataclass(frozen=True)
class PausedUpdate:
    """An update that failed with rollback disabled: what RollbackStack needs to undo it."""

    changes: _Changes
    previous: Before
    failed: list[str]


class Rollout:
    """Creates, updates and deletes the resources of stacks in the calling thread."""

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
        exports: Exports,
    ) -> None:
        """`types` are by name; `custom_type` handles Custom::*; `before_deploy` sees each template first."""
        self._exports = exports
        self._faults = faults
        self._tolerance = tolerance
        self._account = account
        self._region = region
        self._types = types
        self._custom_type = custom_type
        self._client = client
        self._services = services
        self._before_deploy = before_deploy

    def create(self, stack: Stack, resolver: Resolver, plan: FailurePlan) -> None:
        """Create every resource; on failure roll back, or keep what exists, as planned."""
        template = template_of(stack)
        failed = self._refuse(stack, resolver, "CREATE_FAILED")
        if not failed:
            self._before_deploy(stack, template)
            failed = self._create_all(stack, resolver, creation_order(template))
        if not failed and (reason := self._set_outputs(stack, resolver)):
            failed = [reason]
        if not failed:
            stack.set_status("CREATE_COMPLETE")
        elif not plan.rollback:
            stack.set_status("CREATE_FAILED", _failed_reason("create", failed))
        else:
            self.roll_back_create(
                stack, _failed_reason("create", failed) + "Rollback requested by user.", plan
            )

    def roll_back_create(self, stack: Stack, reason: str, plan: FailurePlan) -> None:
        """Delete what the stack's creation has created, but for what has the DeletionPolicy Retain."""
        stack.set_status("ROLLBACK_IN_PROGRESS", reason)
        left = self._delete_resources(stack, list(stack.resources), created_now=plan)
        if left:
            stack.set_status("ROLLBACK_FAILED", _failed_reason("delete", left))
        else:
            stack.set_status("ROLLBACK_COMPLETE")

    def _create_all(self, stack: Stack, resolver: Resolver, names: list[str]) -> list[str]:
        """Create the named resources; return the logical ids that failed (the first failure stops)."""
        for name in names:
            declared = template_of(stack).resources[name]
            if name in stack.resources or not _wanted(declared, resolver):
                continue
            if not self._create_one(stack, resolver, declared):
                return [name]
        return []

    def _create_one(self, stack: Stack, resolver: Resolver, declared: Resource) -> bool:
        kind = self._kind(declared)
        stack.record(declared.logical_id, "", declared.type, "CREATE_IN_PROGRESS")
        properties: dict[str, Any] = {}
        imports: frozenset[str] = frozenset()
        try:
            properties = self._resolve(kind, declared, resolver)
            imports = frozenset(resolver.imported)
            created = self._created(kind, self._context(stack, declared), properties)
        except _FAILURES as error:
            stack.record(declared.logical_id, "", declared.type, "CREATE_FAILED", _reason(error, declared))
            if isinstance(error, FailedResourceError):
                held = StackResource(declared, properties, error.leftover, "CREATE_FAILED", imports=imports)
                stack.resources[declared.logical_id] = held
            return False
        stack.resources[declared.logical_id] = StackResource(declared, properties, created, imports=imports)
        stack.record(declared.logical_id, created.physical_id, declared.type, "CREATE_COMPLETE")
        return True

    def _created(self, kind: ResourceType, context: Context, properties: dict[str, Any]) -> Created:
        """Create a resource, or fail before or after that if a rehearsal asked for it."""
        place = (context.stack_name, context.logical_id)
        self._faults.check_resource(*place, "create", half_done=False)
        _require(context, "create", properties)
        created = kind.create(context, properties)
        try:
            self._faults.check_resource(*place, "create", half_done=True)
        except AwsError as error:
            raise FailedResourceError(error, created) from error
        return created

    def update(self, stack: Stack, resolver: Resolver, previous: Before, plan: FailurePlan) -> None:
        """Update the resources to match the template; on failure roll back, or keep what exists, as planned."""
        changes = _Changes()
        failed = self._refuse(stack, resolver, "UPDATE_FAILED")
        if not failed:
            self._before_deploy(stack, template_of(stack))
            failed = self._update_all(stack, resolver, changes)
        if not failed and (reason := self._set_outputs(stack, resolver)):
            failed = [reason]
        if failed and not plan.rollback:
            stack.paused = PausedUpdate(changes, previous, failed)
            stack.set_status("UPDATE_FAILED", _failed_reason("update", failed))
            return
        if failed:
            self.roll_back_update(stack, PausedUpdate(changes, previous, failed), plan)
            return
        stack.updated_at = dt.datetime.now(dt.UTC)
        stack.set_status("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
        gone = [
            name for name, held in stack.resources.items() if not self._still_wanted(stack, resolver, name)
        ]
        self._clean_up(stack, gone)
        self._delete_replaced(stack, changes)
        stack.set_status("UPDATE_COMPLETE")

    def _clean_up(self, stack: Stack, names: list[str], *, created_now: FailurePlan | None = None) -> None:
        """Delete after an update. What cannot be deleted is let go of: the stack's update ends well all the same.

        Source: AWS knowledge center, "stack stuck in UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS": CloudFormation
        tries three times, then skips the resource. Here it tries once.
        """
        for name in self._delete_resources(stack, names, created_now=created_now):
            del stack.resources[name]

    def _still_wanted(self, stack: Stack, resolver: Resolver, name: str) -> bool:
        declared = template_of(stack).resources.get(name)
        return declared is not None and _wanted(declared, resolver)

    def _update_all(self, stack: Stack, resolver: Resolver, changes: _Changes) -> list[str]:
        template = template_of(stack)
        for name in creation_order(template):
            declared = template.resources[name]
            if not _wanted(declared, resolver):
                continue
            held = stack.resources.get(name)
            if held is not None and held.status == "CREATE_FAILED":
                # Left by a creation without rollback: it is deleted and created anew.
                if not self._delete_one(stack, held):
                    return [name]
                held = None
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
        kind = self._kind(declared)
        physical_id = held.created.physical_id
        replace, properties = False, held.properties
        try:
            properties = self._resolve(kind, declared, resolver)
            imports = frozenset(resolver.imported)
            if properties == held.properties:
                held.declared, held.imports = declared, imports
                return True
            stack.record(declared.logical_id, physical_id, declared.type, "UPDATE_IN_PROGRESS")
            context = self._context(stack, declared)
            tolerated = isinstance(kind, Tolerated)
            replace = tolerated != bool(held.created.not_rehearsed) or (
                not tolerated and kind.needs_replacement(held.properties, properties)
            )
            if replace:
                if not held.created.not_rehearsed and kind.keeps_its_name(held.properties, properties):
                    raise invalid(
                        "CloudFormation cannot update a stack when a custom-named resource requires replacing. "
                        f"Rename {properties[kind.name_property]} and update the stack again."
                    )
                reason = (
                    "Requested update requires the creation of a new physical resource; hence creating one."
                )
                stack.record(declared.logical_id, physical_id, declared.type, "UPDATE_IN_PROGRESS", reason)
            created = self._updated(kind, context, held, properties, replace=replace)
        except _FAILURES as error:
            stack.record(
                declared.logical_id, physical_id, declared.type, "UPDATE_FAILED", _reason(error, declared)
            )
            changes.failed = _FailedUpdate(held, declared, properties, replaced=replace, error=error)
            return False
        changes.changed.append((declared.logical_id, held))
        if replace or created.physical_id != physical_id:
            changes.replaced.append(held)
        stack.resources[declared.logical_id] = StackResource(
            declared, properties, created, "UPDATE_COMPLETE", imports=imports
        )
        stack.record(declared.logical_id, created.physical_id, declared.type, "UPDATE_COMPLETE")
        return True

    def _updated(
        self,
        kind: ResourceType,
        context: Context,
        held: StackResource,
        properties: dict[str, Any],
        *,
        replace: bool,
    ) -> Created:
        """Update or replace a resource, or fail before or after that if a rehearsal asked for it."""
        place = (context.stack_name, context.logical_id)
        self._faults.check_resource(*place, "update", half_done=False)
        _require(context, "create" if replace else "update", properties)
        if replace:
            created = kind.create(context, properties)
        else:
            created = kind.update(context, held.created, held.properties, properties)
        try:
            self._faults.check_resource(*place, "update", half_done=True)
        except AwsError as error:
            if replace:
                raise FailedResourceError(error, created) from error
            raise
        return created

    def roll_back_update(self, stack: Stack, paused: PausedUpdate, plan: FailurePlan) -> None:
        """Restore what a failed update has changed, then delete what it has created."""
        changes = paused.changes
        stack.paused = None
        stack.set_status("UPDATE_ROLLBACK_IN_PROGRESS", _failed_reason("update", paused.failed))
        undone = self._undo_failed_update(stack, changes.failed)
        replacements: list[StackResource] = []
        for name, before in reversed(changes.changed):
            if before in changes.replaced:
                replacements.append(stack.resources[name])
                stack.resources[name] = before
            else:
                undone = self._restore(stack, name, before) and undone
        added = [name for name in changes.added if name in stack.resources]
        if not undone:
            stack.set_status("UPDATE_ROLLBACK_FAILED")
            return
        stack.set_status("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS")
        self._clean_up(stack, added, created_now=plan)
        for replacement in replacements:
            self._delete_one(stack, replacement)
        stack.template, stack.given_parameters, stack.parameters = paused.previous
        stack.set_status("UPDATE_ROLLBACK_COMPLETE")

    def _undo_failed_update(self, stack: Stack, failed: _FailedUpdate | None) -> bool:
        """Undo what the failed update may have half done."""
        if failed is None:
            return True
        kind = self.kind_of(failed.held)
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

    def _restore(self, stack: Stack, name: str, before: StackResource) -> bool:
        now = stack.resources[name]
        kind = self.kind_of(before)
        physical_id = now.created.physical_id
        stack.record(name, physical_id, before.declared.type, "UPDATE_IN_PROGRESS")
        try:
            before.created = kind.update(
                self._context(stack, before.declared), now.created, now.properties, before.properties
            )
        except _FAILURES as error:
            reason = _reason(error, before.declared)
            stack.record(name, physical_id, before.declared.type, "UPDATE_FAILED", reason)
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

    def delete(self, stack: Stack, retain: set[str], before: str) -> None:
        """Delete the resources, dependents first.

        Nothing is deleted if another stack imports what this one exports: it has the status `before` again.
        """
        # evidence: delete-of-an-export-in-use
        if reason := self._exports.in_use(stack):
            stack.set_status(before, reason)
            return
        left = self._delete_resources(stack, [name for name in stack.resources if name not in retain])
        if left:
            stack.set_status("DELETE_FAILED", _failed_reason("delete", left))
            return
        stack.deleted_at = dt.datetime.now(dt.UTC)
        stack.outputs, stack.imported_by_outputs = [], frozenset()
        stack.set_status("DELETE_COMPLETE")

    def _delete_resources(
        self, stack: Stack, names: list[str], *, created_now: FailurePlan | None = None
    ) -> list[str]:
        """Delete the named resources, dependents first; return those that could not be deleted.

        What one of those depends on is not tried: it stays as it is, too. created_now: they are being deleted by the
        rollback of the operation that created them, planned so.
        """
        left: list[str] = []
        needed: set[str] = set()
        for name in _deletion_order(stack, names):
            held = stack.resources[name]
            if name in needed:
                needed |= _needs(stack, name)
            elif _kept(held.declared.deletion_policy, created_now):
                stack.record(name, held.created.physical_id, held.declared.type, "DELETE_SKIPPED")
                del stack.resources[name]
            elif self._delete_one(stack, held):
                del stack.resources[name]
            else:
                left.append(name)
                needed |= _needs(stack, name)
        return left

    def _delete_one(self, stack: Stack, held: StackResource) -> bool:
        declared = held.declared
        stack.record(declared.logical_id, held.created.physical_id, declared.type, "DELETE_IN_PROGRESS")
        place = (stack.name, declared.logical_id)
        try:
            self._faults.check_resource(*place, "delete", half_done=False)
            context = self._context(stack, declared)
            _require(context, "delete", held.properties)
            self.kind_of(held).delete(context, held.created, held.properties)
            self._faults.check_resource(*place, "delete", half_done=True)
        except _FAILURES as error:
            held.status, held.reason = "DELETE_FAILED", _reason(error, declared)
            stack.record(
                declared.logical_id, held.created.physical_id, declared.type, "DELETE_FAILED", held.reason
            )
            return False
        stack.record(declared.logical_id, held.created.physical_id, declared.type, "DELETE_COMPLETE")
        return True

    def _refuse(self, stack: Stack, resolver: Resolver, status: str) -> list[str]:
        """Record an event for everything that the sandbox does not emulate; return the logical ids."""
        refused = []
        for name in self._faults.unknown_resources(
            stack.name, {*template_of(stack).resources, *stack.resources}
        ):
            refused.append(name)
            known = ", ".join(template_of(stack).resources)
            reason = f"faults.fail_resource names {name}, which {stack.name} does not have; it has {known}"
            stack.record(name, "", "AWS::CloudFormation::Stack", status, reason)
        for name, declared in template_of(stack).resources.items():
            if not _wanted(declared, resolver):
                continue
            reasons = self._problems(declared)
            if reasons and not self._tolerance.covers(declared.type):
                refused.append(name)
                stack.record(name, "", declared.type, status, "; ".join(reasons))
        return refused

    def _problems(self, declared: Resource) -> list[str]:
        try:
            kind = self.type(declared.type)
        except NotEmulatedError as refusal:
            return [str(refusal)]
        problems = [
            str(NotEmulatedError(f"{declared.type} {path}", reason))
            for path, reason in unsupported_properties(kind.properties, declared.properties)
        ]
        if declared.deletion_policy == "Snapshot":
            problems.append(
                str(NotEmulatedError(f"{declared.type} DeletionPolicy Snapshot", "there are no snapshots"))
            )
        problems += [
            f"Properties validation failed for resource {declared.logical_id}: required key [{name}] not found"
            for name in kind.required
            if name not in declared.properties
        ]
        return problems

    def _resolve(self, kind: ResourceType, declared: Resource, resolver: Resolver) -> dict[str, Any]:
        """Return the resolved properties; refuse values only known now (a parameter's, for example)."""
        resolver.imported.clear()
        properties: dict[str, Any] = resolver.resolve(declared.properties)
        if isinstance(kind, Tolerated):
            return properties
        for path, reason in unsupported_properties(kind.properties, properties):
            raise NotEmulatedError(f"{declared.type} {path}", reason)
        if problems := schema_problems(declared.type, properties):
            raise invalid(
                f"Properties validation failed for resource {declared.logical_id} with message:\n"
                + "\n".join(problems)
            )
        return properties

    def _set_outputs(self, stack: Stack, resolver: Resolver) -> str | None:
        """Evaluate the outputs; return the first problem, or None."""
        outputs = []
        resolver.imported.clear()
        for key, declared in template_of(stack).outputs.items():
            if "Condition" in declared and not resolver.condition(declared["Condition"]):
                continue
            try:
                output = {"OutputKey": key, "OutputValue": as_text(resolver.resolve(declared["Value"]))}
                if "Export" in declared:
                    output["ExportName"] = str(resolver.resolve(declared["Export"]["Name"]))
            except _FAILURES as error:
                stack.record(key, "", "AWS::CloudFormation::Stack", "CREATE_FAILED", str(error))
                return f"output {key}: {error}"
            if declared.get("Description"):
                output["Description"] = declared["Description"]
            outputs.append(output)
        if refusal := self._exports.refusal(stack, outputs):
            return refusal
        stack.outputs, stack.imported_by_outputs = outputs, frozenset(resolver.imported)
        return None

    def _kind(self, declared: Resource) -> ResourceType:
        """Return the type of a resource, or what records it if it cannot be made and may be missing."""
        if self._tolerance.covers(declared.type) and (problems := self._problems(declared)):
            return Tolerated(declared.type, "; ".join(problems))
        return self.type(declared.type)

    def kind_of(self, held: StackResource) -> ResourceType:
        """Return the type of a resource as it was deployed."""
        if held.created.not_rehearsed:
            return Tolerated(held.declared.type, held.created.not_rehearsed)
        return self.type(held.declared.type)

    def type(self, name: str, *, unknown_too: bool = False) -> ResourceType:
        """Return a resource type by name; refuse an unknown one by name.

        `unknown_too`: return what records it, if it may be missing.
        """
        if name.startswith("Custom::") or name == "AWS::CloudFormation::CustomResource":
            return self._custom_type
        try:
            return self._types[name]
        except KeyError:
            if unknown_too and self._tolerance.covers(name):
                return Tolerated(name, "")
            known = ", ".join(sorted(self._types))
            raise NotEmulatedError(f"the resource type {name}", f"known are Custom::* and {known}") from None

    def _context(self, stack: Stack, declared: Resource) -> Context:
        return Context(
            stack_name=stack.name,
            stack_id=stack.stack_id,
            logical_id=declared.logical_id,
            resource_type=declared.type,
            account=self._account,
            region=self._region,
            template=template_of(stack),
            client=self._services.deployer_of(stack.role_arn) or self._client,
            services=self._services,
            tags=stack.tags,
        )


def _require(context: Context, operation: str, properties: Mapping[str, Any]) -> None:
    """Raise AccessDenied unless the stack's role may do what the resource's handler asks for."""
    if isinstance(context.client, Deployer):
        context.client.require(context.resource_type, operation, properties, context.stack_name)


@dataclass(frozen=True)
class _FailedUpdate:
    """The resource whose update failed: what it was, and what it should have become."""

    held: StackResource
    declared: Resource
    properties: dict[str, Any]
    replaced: bool
    error: Exception


class _Changes:
    """What an update has done so far, for rollback and clean-up."""

    def __init__(self) -> None:
        self.added: list[str] = []
        self.changed: list[tuple[str, StackResource]] = []
        self.replaced: list[StackResource] = []
        self.failed: _FailedUpdate | None = None


def template_of(stack: Stack) -> Template:
    """Return the stack's template."""
    if stack.template is None:
        raise invalid(f"Stack [{stack.name}] has no template yet")
    return stack.template


def _wanted(declared: Resource, resolver: Resolver) -> bool:
    return declared.condition is None or resolver.condition(declared.condition)


def _kept(policy: str, created_now: FailurePlan | None) -> bool:
    """Return whether a resource outlives its stack, or the rollback of the operation that created it."""
    if created_now is None:
        return policy in _RETAINED
    return policy == "Retain" and not created_now.retain_except_on_create


def _needs(stack: Stack, name: str) -> set[str]:
    """Return the stack's resources that a resource depends on directly."""
    declared = {each: held.declared for each, held in stack.resources.items()}
    return dependencies(Template(text="", body={}, resources=declared), name) & set(declared)


def _deletion_order(stack: Stack, names: list[str]) -> list[str]:
    """Return the names so that each comes before what it depends on, as last deployed."""
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
    """Return the stack's reason: the resources that failed, or what is wrong with the exports, which is a sentence."""
    if names and names[0].startswith("Export "):
        return names[0] + ". "
    # CloudFormation ends this sentence with a full stop and a space.
    return f"The following resource(s) failed to {verb}: [{', '.join(names)}]. "


def _reason(error: Exception, declared: Resource) -> str:
    if isinstance(error, ClientError):
        code, message = error.response["Error"]["Code"], error.response["Error"]["Message"]
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        service = declared.type.split("::")[1] if "::" in declared.type else declared.type
        return f'Resource handler returned message: "{message} (Service: {service}, Status Code: {status}, {code})"'
    if isinstance(error, AwsError) and error.code == "ValidationError":
        return error.message  # CloudFormation's own words, no handler's
    if isinstance(error, AwsError):
        return f'Resource handler returned message: "{error.message} ({error.code})"'
    return str(error)


def held_resource(stack: Stack, name: str) -> StackResource:
    """Return one of the stack's resources by its logical id."""
    if name not in stack.resources:
        raise invalid(
            f"Template error: resource {name} does not exist in this stack (is its condition false?)"
        )
    return stack.resources[name]
