"""The CloudFormation API, as far as the CDK command line and tests with boto3 need it."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote, urlparse

from connect_sandbox.cloud.aws_service import AwsService
from connect_sandbox.cloud.cfn.checks import checked_template
from connect_sandbox.cloud.cfn.engine import DeploymentEngine
from connect_sandbox.cloud.cfn.limits import MAX_INLINE_BYTES, MAX_TEMPLATE_BYTES
from connect_sandbox.cloud.cfn.rollout import FailurePlan
from connect_sandbox.cloud.cfn.stack import ChangeSet, Event, Stack
from connect_sandbox.cloud.cfn.template import Template, invalid
from connect_sandbox.cloud.errors import AwsError, NotEmulatedError
from connect_sandbox.cloud.faults import Faults
from connect_sandbox.cloud.values import Member

_STACK_NAME = re.compile(r"[a-zA-Z][-a-zA-Z0-9]*|arn:[-a-zA-Z0-9:/._+]*")
# By this text the CDK command line recognizes an empty change set.
_NO_CHANGES = (
    "The submitted information didn't contain changes. Submit different information to create a change set."
)
#: What failed without rollback can be gone on with by the very same template.
_UNFINISHED = frozenset({"CREATE_FAILED", "UPDATE_FAILED"})
#: Seconds that DescribeStacks waits for an operation in progress.
LONG_POLL_SECONDS = 20.0


class CloudFormationApi(AwsService):
    """Serves CloudFormation calls from a DeploymentEngine."""

    service_name = "cloudformation"
    invalid_parameter_code = "ValidationError"

    def __init__(self, faults: Faults, engine: DeploymentEngine, read_s3: Callable[[str, str], str]) -> None:
        """`read_s3` returns an object's text by bucket and key, for TemplateURL."""
        super().__init__(faults)
        self._engine = engine
        self._read_s3 = read_s3

    # -- stacks

    def create_stack(self, stack_name: str, **request: Member) -> dict[str, Any]:
        """Create a stack; the work continues after the response."""
        text = self._template(request)
        checked_template(text)
        _check_name(stack_name)
        stack = self._in_review(stack_name) or self._engine.new_stack(stack_name, _tags(request) or {})
        for change_set in stack.change_sets.values():
            change_set.execution_status = "OBSOLETE"
        stack.token = request.get("client_request_token", "")
        stack.role_arn = request.get("role_arn", "")
        stack.termination_protection = request.get("enable_termination_protection", False)
        try:
            self._engine.create(stack, text, _parameters(request), _plan(request))
        except Exception:
            stack.status = "DELETE_COMPLETE"  # a stack that is refused at once is never created
            raise
        return {"StackId": stack.stack_id}

    def update_stack(self, stack_name: str, **request: Member) -> dict[str, Any]:
        """Update a stack; the work continues after the response."""
        stack = self._engine.find(stack_name)
        stack.token = request.get("client_request_token", "")
        stack.role_arn = request.get("role_arn") or stack.role_arn
        text = None if request.get("use_previous_template") else self._template(request)
        self._engine.update(stack, text, _parameters(request), _tags(request), _plan(request))
        return {"StackId": stack.stack_id}

    def rollback_stack(self, stack_name: str, **request: Member) -> dict[str, Any]:
        """Undo a create or an update that failed with rollback disabled."""
        stack = self._engine.find(stack_name)
        stack.token = request.get("client_request_token", "")
        self._engine.roll_back(stack, _plan(request))
        return {"StackId": stack.stack_id}

    def delete_stack(self, stack_name: str, **request: Member) -> None:
        """Delete a stack; one that does not exist is no error."""
        try:
            stack = self._engine.find(stack_name)
        except AwsError:
            return
        if request.get("deletion_mode", "STANDARD") != "STANDARD":
            raise NotEmulatedError(
                "DeletionMode=FORCE_DELETE_STACK", "delete what is in the way, then the stack"
            )
        if stack.exists:
            stack.token = request.get("client_request_token", "")
            stack.role_arn = request.get("role_arn") or stack.role_arn
            self._engine.delete(stack, request.get("retain_resources", []))

    def describe_stacks(self, stack_name: str | None = None, **_request: Member) -> dict[str, Any]:
        """Describe one stack, or all that exist."""
        if stack_name is not None:
            stack = self._engine.find(stack_name)
            # Clients poll for the end: responding only then spares the CDK its pauses of five seconds.
            self._engine.wait_for(stack, LONG_POLL_SECONDS)
            return {"Stacks": [_describe(stack)]}
        return {"Stacks": [_describe(stack) for stack in self._engine.stacks() if stack.exists]}

    def list_stacks(self, stack_status_filter: list[str] | None = None, **_request: Member) -> dict[str, Any]:
        """List the stacks, the deleted ones too."""
        stacks = [
            s for s in self._engine.stacks() if not stack_status_filter or s.status in stack_status_filter
        ]
        return {"StackSummaries": [_describe(stack) for stack in stacks]}

    def update_termination_protection(
        self,
        stack_name: str,
        enable_termination_protection: bool,
    ) -> dict[str, Any]:
        """Switch termination protection."""
        stack = self._engine.find(stack_name)
        stack.termination_protection = enable_termination_protection
        return {"StackId": stack.stack_id}

    # -- events, resources, templates

    def describe_stack_events(self, stack_name: str, **_request: Member) -> dict[str, Any]:
        """Return the events, newest first."""
        stack = self._engine.find(stack_name, "Stack [{}] does not exist")
        return {"StackEvents": [_event(stack, event) for event in reversed(stack.events)]}

    def describe_events(self, stack_name: str | None = None, **request: Member) -> dict[str, Any]:
        """Return the events of an operation, newest first."""
        if stack_name is None:
            raise NotEmulatedError("cloudformation:DescribeEvents", "give a stack's name")
        stack = self._engine.find(stack_name)
        failed_only = (request.get("filters") or {}).get("FailedEvents", False)
        events = [e for e in reversed(stack.events) if not failed_only or e.status.endswith("FAILED")]
        return {"OperationEvents": [_event(stack, event) for event in events]}

    def describe_stack_resources(
        self, stack_name: str | None = None, logical_resource_id: str | None = None, **_request: Member
    ) -> dict[str, Any]:
        """Describe the resources of a stack."""
        stack = self._engine.find(stack_name or "")
        found = [r for r in _resources(stack) if logical_resource_id in {None, r["LogicalResourceId"]}]
        return {"StackResources": found}

    def describe_stack_resource(self, stack_name: str, logical_resource_id: str) -> dict[str, Any]:
        """Describe one resource of a stack."""
        stack = self._engine.find(stack_name, "Stack '{}' does not exist")
        for resource in _resources(stack):
            if resource["LogicalResourceId"] == logical_resource_id:
                metadata = json.dumps(self._engine.metadata(stack, logical_resource_id))
                return {"StackResourceDetail": {**resource, "Metadata": metadata}}
        raise invalid(f"Resource {logical_resource_id} does not exist for stack {stack_name}")

    def list_stack_resources(self, stack_name: str, **_request: Member) -> dict[str, Any]:
        """List the resources of a stack."""
        return {"StackResourceSummaries": _resources(self._engine.find(stack_name))}

    def get_template(self, stack_name: str | None = None, **_request: Member) -> dict[str, Any]:
        """Return the template last deployed."""
        if stack_name is None:
            raise invalid("StackName is required if ChangeSetName is not specified.")
        stack = self._engine.find(stack_name)
        text = stack.template.text if stack.template is not None else ""
        return {"TemplateBody": text, "StagesAvailable": ["Original", "Processed"]}

    def get_template_summary(self, **request: Member) -> dict[str, Any]:
        """Return the parameters and resource types of a template."""
        if "stack_name" in request:
            stack = self._engine.find(request["stack_name"])
            if stack.status == "REVIEW_IN_PROGRESS":
                raise invalid("GetTemplateSummary cannot be called on REVIEW_IN_PROGRESS stacks.")
            template = stack.template
        else:
            template = checked_template(self._template(request))
        if template is None:
            raise invalid("the stack has no template yet")
        parameters = [
            {
                "ParameterKey": key,
                "ParameterType": str(p.get("Type", "String")),
                "DefaultValue": str(p.get("Default", "")),
            }
            for key, p in template.parameters.items()
        ]
        types = sorted({resource.type for resource in template.resources.values()})
        return {"Parameters": parameters, "ResourceTypes": types, "Description": template.description}

    def validate_template(self, **request: Member) -> dict[str, Any]:
        """Check a template's form."""
        template = checked_template(self._template(request))
        return {"Description": template.description, "Parameters": []}

    def list_exports(self, **_request: Member) -> dict[str, Any]:
        """List the exported outputs."""
        return {
            "Exports": [
                {
                    "ExportingStackId": stack.stack_id,
                    "Name": output["ExportName"],
                    "Value": output["OutputValue"],
                }
                for stack in self._engine.stacks()
                if stack.exists
                for output in stack.outputs
                if "ExportName" in output
            ]
        }

    # -- change sets

    def create_change_set(self, stack_name: str, change_set_name: str, **request: Member) -> dict[str, Any]:
        """Prepare a create or an update."""
        kind = request.get("change_set_type", "UPDATE")
        # A template that is wrong leaves no stack behind.
        given = None if request.get("use_previous_template") else checked_template(self._template(request))
        stack = self._stack_for_change_set(stack_name, change_set_name, kind, request)
        template = given or stack.template or checked_template(self._template(request))
        stack.role_arn = request.get("role_arn") or stack.role_arn
        place = f"{self._engine.region}:{self._engine.account}"
        arn = f"arn:aws:cloudformation:{place}:changeSet/{change_set_name}/{uuid.uuid4()}"
        change_set = ChangeSet(
            name=change_set_name,
            arn=arn,
            kind=kind,
            template=template,
            parameters={**stack.given_parameters, **_parameters(request)},
            tags=_tags(request) or dict(stack.tags),
            changes=[],
        )
        change_set.parameters = {k: v for k, v in change_set.parameters.items() if k in template.parameters}
        try:
            change_set.changes = self._engine.plan(stack, template, change_set.parameters)
        except AwsError as error:  # found while the change set is made, so not by this call
            change_set.status, change_set.execution_status = "FAILED", "UNAVAILABLE"
            change_set.reason = error.message
        same = stack.template is not None and (stack.template.body, stack.given_parameters) == (
            template.body,
            change_set.parameters,
        )
        if same and stack.status not in _UNFINISHED:
            change_set.status, change_set.execution_status = "FAILED", "UNAVAILABLE"
            change_set.reason = _NO_CHANGES
            change_set.changes = []
        stack.change_sets[change_set_name] = change_set
        return {"Id": arn, "StackId": stack.stack_id}

    def describe_change_set(
        self, change_set_name: str, stack_name: str | None = None, **_request: Member
    ) -> dict[str, Any]:
        """Describe a prepared change."""
        stack, change_set = self._change_set(change_set_name, stack_name)
        return {
            "ChangeSetName": change_set.name,
            "ChangeSetId": change_set.arn,
            "StackId": stack.stack_id,
            "StackName": stack.name,
            "Status": change_set.status,
            "StatusReason": change_set.reason,
            "ExecutionStatus": change_set.execution_status,
            "Changes": change_set.changes,
            "CreationTime": change_set.created_at,
            "Parameters": _shown(change_set.template, change_set.parameters),
        }

    def execute_change_set(
        self, change_set_name: str, stack_name: str | None = None, **request: Member
    ) -> None:
        """Carry out a prepared change."""
        stack, change_set = self._change_set(change_set_name, stack_name)
        if change_set.execution_status != "AVAILABLE":
            raise AwsError(
                "InvalidChangeSetStatus",
                f"ChangeSet [{change_set.arn}] cannot be executed: {change_set.reason}",
            )
        stack.token = request.get("client_request_token", "")
        plan = _plan(request)
        if stack.status == "REVIEW_IN_PROGRESS":
            stack.tags = change_set.tags
            self._engine.create(stack, change_set.template.text, change_set.parameters, plan)
        else:
            self._engine.update(stack, change_set.template.text, change_set.parameters, change_set.tags, plan)
        change_set.execution_status = "EXECUTE_COMPLETE"

    def delete_change_set(self, change_set_name: str, stack_name: str | None = None) -> None:
        """Delete a prepared change."""
        if stack_name is None and not change_set_name.startswith("arn:"):
            raise invalid("StackName must be specified if ChangeSetName is not specified as an ARN.")
        try:
            stack, change_set = self._change_set(change_set_name, stack_name)
        except AwsError as error:
            if error.code == "ChangeSetNotFound":
                return
            raise
        del stack.change_sets[change_set.name]

    # -- helpers

    def _in_review(self, name: str) -> Stack | None:
        """Return the stack of that name that has only change sets so far, if there is one."""
        found = (one for one in self._engine.stacks() if one.name == name)
        return next((one for one in found if one.status == "REVIEW_IN_PROGRESS"), None)

    def _stack_for_change_set(self, name: str, change_set: str, kind: str, request: dict[str, Any]) -> Stack:
        if kind not in {"CREATE", "UPDATE"}:
            raise NotEmulatedError(f"a change set of type {kind}", "the sandbox prepares CREATE and UPDATE")
        if kind == "UPDATE":
            stack = self._engine.find(name)
            # Whether it will be executed with DisableRollback is not known yet: only what is final is refused here.
            self._engine.require_updatable(
                stack, rollback=stack.status not in {"CREATE_FAILED", "UPDATE_FAILED"}
            )
            return stack
        try:
            stack = self._engine.find(name)
        except AwsError:
            _check_name(name)
            return self._engine.new_stack(name, _tags(request) or {})
        if stack.status != "REVIEW_IN_PROGRESS":
            raise invalid(
                f"Stack [{name}] already exists and cannot be created again with the changeSet [{change_set}]."
            )
        return stack

    def _change_set(self, name_or_arn: str, stack_name: str | None) -> tuple[Stack, ChangeSet]:
        unknown = "Stack [{}] does not exist"
        stacks = [self._engine.find(stack_name, unknown)] if stack_name else self._engine.stacks()
        for stack in stacks:
            for change_set in stack.change_sets.values():
                if name_or_arn in {change_set.name, change_set.arn}:
                    return stack, change_set
        raise AwsError("ChangeSetNotFound", f"ChangeSet [{name_or_arn}] does not exist", 404)

    def _template(self, request: dict[str, Any]) -> str:
        if "template_body" in request:
            text = str(request["template_body"])
            if len(text.encode()) > MAX_INLINE_BYTES:
                raise invalid(
                    f"1 validation error detected: Value '{text}' at 'templateBody' failed to satisfy constraint: "
                    f"Member must have length less than or equal to {MAX_INLINE_BYTES}"
                )
            return text
        if "template_url" not in request:
            raise invalid("Either Template URL or Template Body must be specified.")
        text = self._read_s3(*bucket_and_key(request["template_url"]))
        if len(text.encode()) > MAX_TEMPLATE_BYTES:
            raise invalid(f"Template may not exceed {MAX_TEMPLATE_BYTES} bytes in size.")
        return text


def bucket_and_key(url: str) -> tuple[str, str]:
    """Return bucket and key from an S3 object's URL, path-style or virtual-hosted."""
    parsed = urlparse(url)
    path = unquote(parsed.path.lstrip("/"))
    host = parsed.hostname or ""
    label = host.split(".", 1)[0]
    bucket, key = label, path
    if label.startswith("s3") or host == "localhost":
        bucket, _, key = path.partition("/")
    known = host.endswith(".amazonaws.com") or host == "localhost"
    if parsed.scheme not in {"http", "https"} or not known or not bucket or not key:
        raise invalid("TemplateURL must be a supported URL.")
    return bucket, key


def _check_name(name: str) -> None:
    if not _STACK_NAME.fullmatch(name):
        raise invalid(
            f"1 validation error detected: Value '{name}' at 'stackName' failed to satisfy constraint: "
            f"Member must satisfy regular expression pattern: {_STACK_NAME.pattern}"
        )


def _parameters(request: dict[str, Any]) -> dict[str, str]:
    return {
        entry["ParameterKey"]: entry.get("ParameterValue", "")
        for entry in request.get("parameters", [])
        if not entry.get("UsePreviousValue")
    }


def _plan(request: dict[str, Any]) -> FailurePlan:
    on_failure = request.get("on_failure") or request.get("on_stack_failure")
    if on_failure == "DELETE":
        raise NotEmulatedError("OnFailure=DELETE", "the sandbox rolls back, or keeps what there is")
    return FailurePlan(
        rollback=not request.get("disable_rollback") and on_failure != "DO_NOTHING",
        retain_except_on_create=bool(request.get("retain_except_on_create")),
    )


def _tags(request: dict[str, Any]) -> dict[str, str] | None:
    return {tag["Key"]: tag["Value"] for tag in request["tags"]} if "tags" in request else None


def _shown(template: Template | None, parameters: dict[str, str]) -> list[dict[str, str]]:
    """Return parameters as CloudFormation shows them: a NoEcho one is masked."""
    declared = template.parameters if template is not None else {}
    return [
        {
            "ParameterKey": key,
            "ParameterValue": "****" if _as_bool(declared.get(key, {}).get("NoEcho")) else value,
        }
        for key, value in parameters.items()
    ]


def _as_bool(value: Member) -> bool:
    """Return a boolean of a template, which may be written as text."""
    return str(value).lower() == "true"


def _describe(stack: Stack) -> dict[str, Any]:
    described = {
        "StackId": stack.stack_id,
        "StackName": stack.name,
        "Description": stack.template.description if stack.template is not None else "",
        "Parameters": _shown(stack.template, stack.given_parameters),
        "CreationTime": stack.created_at,
        "LastUpdatedTime": stack.updated_at,
        "DeletionTime": stack.deleted_at,
        "StackStatus": stack.status,
        "StackStatusReason": stack.reason or None,
        "Outputs": stack.outputs,
        "RoleARN": stack.role_arn or None,
        "Tags": [{"Key": key, "Value": value} for key, value in stack.tags.items()],
        "EnableTerminationProtection": stack.termination_protection,
        "DriftInformation": {"StackDriftStatus": "NOT_CHECKED"},
    }
    return {key: value for key, value in described.items() if value is not None}


def _resources(stack: Stack) -> list[dict[str, Any]]:
    return [
        {
            "StackName": stack.name,
            "StackId": stack.stack_id,
            "LogicalResourceId": name,
            "PhysicalResourceId": held.created.physical_id,
            "ResourceType": held.declared.type,
            "Timestamp": held.updated_at,
            "LastUpdatedTimestamp": held.updated_at,
            "ResourceStatus": held.status,
            "ResourceStatusReason": held.reason,
            "DriftInformation": {"StackResourceDriftStatus": "NOT_CHECKED"},
        }
        for name, held in stack.resources.items()
    ]


def _event(stack: Stack, event: Event) -> dict[str, Any]:
    described = {
        "StackId": stack.stack_id,
        "StackName": stack.name,
        "EventId": event.event_id,
        "LogicalResourceId": event.logical_id,
        "PhysicalResourceId": event.physical_id,
        "ResourceType": event.resource_type,
        "Timestamp": event.timestamp,
        "ResourceStatus": event.status,
        "ResourceStatusReason": event.reason,
        "ClientRequestToken": event.token,
        "OperationId": event.operation_id,
    }
    return {key: value for key, value in described.items() if value != ""}
