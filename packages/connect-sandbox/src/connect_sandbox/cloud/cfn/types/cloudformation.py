"""AWS::CloudFormation::Stack, a nested stack; and WaitConditionHandle, a handle that nobody waits for."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from connect_sandbox.cloud.cfn.api import bucket_and_key
from connect_sandbox.cloud.cfn.resource import Context, Created, FailedResourceError, ResourceType
from connect_sandbox.cloud.cfn.rollout import FailurePlan
from connect_sandbox.cloud.cfn.stack import Stack
from connect_sandbox.cloud.cfn.support import SUPPORTED, TAGS, PropertyTable, Recorded
from connect_sandbox.cloud.errors import AwsError

_LONGEST_SECONDS = 3600.0


class NestedStack(ResourceType):
    """A stack inside a stack, from a template in a bucket."""

    type_name = "AWS::CloudFormation::Stack"
    properties: ClassVar[PropertyTable] = {
        "TemplateURL": SUPPORTED,
        "Parameters": SUPPORTED,
        "TimeoutInMinutes": Recorded("nothing takes minutes here"),
        "NotificationARNs": Recorded("nobody listens for the events of stacks here"),
        "Tags": TAGS,
    }
    required = ("TemplateURL",)
    attributes = ("StackId",)

    def create(self, context: Context, properties: dict[str, Any]) -> Created:
        """Create the stack and wait for it; what a failed one leaves is deleted with its parent."""
        engine = context.services.engine()
        name = f"{context.stack_name}-{context.logical_id}"[:114] + f"-{uuid.uuid4().hex[:12].upper()}"
        text = _template(context, properties)
        stack = engine.new_stack(name, dict(context.tags))
        stack.role_arn = engine.find(context.stack_id).role_arn
        created = Created(stack.stack_id, {"StackId": stack.stack_id})
        try:
            engine.create(stack, text, _parameters(properties), FailurePlan())
        except AwsError as error:
            raise FailedResourceError(error, created) from error
        engine.wait_for(stack, _LONGEST_SECONDS)
        if stack.status != "CREATE_COMPLETE":
            raise FailedResourceError(_failure(stack, "created"), created)
        return _with_outputs(stack)

    def update(
        self, context: Context, existing: Created, _old: dict[str, Any], new: dict[str, Any]
    ) -> Created:
        """Update the stack and wait for it; that nothing changes is no failure."""
        engine = context.services.engine()
        stack = engine.find(existing.physical_id)
        try:
            engine.update(stack, _template(context, new), _parameters(new), dict(context.tags), FailurePlan())
        except AwsError as error:
            if "No updates are to be performed" not in error.message:
                raise
        engine.wait_for(stack, _LONGEST_SECONDS)
        if stack.status not in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}:
            raise _failure(stack, "updated")
        return _with_outputs(stack)

    def delete(self, context: Context, existing: Created, _properties: dict[str, Any]) -> None:
        """Delete the stack and wait for it."""
        engine = context.services.engine()
        stack = engine.find(existing.physical_id)
        if stack.status == "DELETE_COMPLETE":
            return
        engine.delete(stack, [])
        engine.wait_for(stack, _LONGEST_SECONDS)
        if stack.status != "DELETE_COMPLETE":
            raise _failure(stack, "deleted")

    def has_attribute(self, name: str) -> bool:
        """Return whether it is StackId or an output."""
        return name in self.attributes or name.startswith("Outputs.")

    def attribute(self, existing: Created, name: str) -> Any:  # noqa: ANN401
        """Return StackId or an output's value."""
        if name not in existing.attributes:
            message = f"Template error: the nested stack has no output {name.removeprefix('Outputs.')}"
            raise AwsError("ValidationError", message)
        return existing.attributes[name]


def _template(context: Context, properties: dict[str, Any]) -> str:
    bucket, key = bucket_and_key(properties["TemplateURL"])
    body: bytes = context.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    return body.decode()


def _parameters(properties: dict[str, Any]) -> dict[str, str]:
    given = properties.get("Parameters") or {}
    return {
        name: ",".join(map(str, value)) if isinstance(value, list) else str(value)
        for name, value in given.items()
    }


def _with_outputs(stack: Stack) -> Created:
    outputs = {f"Outputs.{one['OutputKey']}": one["OutputValue"] for one in stack.outputs}
    return Created(stack.stack_id, {"StackId": stack.stack_id, **outputs})


def _failure(stack: Stack, verb: str) -> AwsError:
    reasons = [
        f"{event.logical_id}: {event.reason}"
        for event in stack.events
        if event.status.endswith("_FAILED") and event.reason and event.logical_id != stack.name
    ]
    why = "; ".join(reasons) or stack.reason
    message = f"Embedded stack {stack.stack_id} was not successfully {verb}: {why}"
    return AwsError("NotStabilized", message)


class WaitConditionHandle(ResourceType):
    """A URL for signals. No AWS::CloudFormation::WaitCondition is emulated, so none is sent to it."""

    type_name = "AWS::CloudFormation::WaitConditionHandle"
    properties: ClassVar[PropertyTable] = {}

    def create(self, context: Context, _properties: dict[str, Any]) -> Created:
        """Make the URL up."""
        bucket = f"cloudformation-waitcondition-{context.region}.s3.{context.region}.amazonaws.com"
        return Created(f"https://{bucket}/{context.stack_id}/{context.logical_id}/{uuid.uuid4()}")

    def update(
        self, _context: Context, existing: Created, _old: dict[str, Any], _new: dict[str, Any]
    ) -> Created:
        """Keep the URL: only the metadata can have changed."""
        return existing

    def delete(self, _context: Context, _existing: Created, _properties: dict[str, Any]) -> None:
        """Forget the URL."""


TYPES = (NestedStack(), WaitConditionHandle())
