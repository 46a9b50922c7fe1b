"""AWS::CloudFormation::WaitConditionHandle: a handle that nobody waits for."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from connect_sandbox.cloud.cfn.resource import Context, Created, ResourceType
from connect_sandbox.cloud.cfn.support import PropertyTable


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


TYPES = (WaitConditionHandle(),)
