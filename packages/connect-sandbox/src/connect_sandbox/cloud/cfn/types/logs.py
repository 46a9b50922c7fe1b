"""AWS::Logs::LogGroup, on moto's CloudWatch Logs."""

from __future__ import annotations

from typing import Any, ClassVar

from connect_sandbox.cloud.cfn.resource import Context, Created, ResourceType
from connect_sandbox.cloud.cfn.support import SUPPORTED, TAGS, Only, PropertyTable, Recorded


class LogGroup(ResourceType):
    """A log group; nothing expires while the sandbox runs."""

    type_name = "AWS::Logs::LogGroup"
    properties: ClassVar[PropertyTable] = {
        "LogGroupName": SUPPORTED,
        "RetentionInDays": Recorded("the sandbox ends long before a day is over"),
        "KmsKeyId": Recorded("encryption at rest: the log lives in memory"),
        "LogGroupClass": Only(("STANDARD",), "infrequent access and delivery are not reproduced"),
        "Tags": TAGS,
    }
    replaced_by = frozenset({"LogGroupName", "LogGroupClass"})
    attributes = ("Arn",)

    def create(self, context: Context, properties: dict[str, Any]) -> Created:
        """Create the group."""
        name = properties.get("LogGroupName") or context.physical_name(limit=512)
        client = context.client("logs")
        client.create_log_group(logGroupName=name)
        self._set_retention(client, name, properties)
        return Created(name, {"Arn": f"arn:aws:logs:{context.region}:{context.account}:log-group:{name}:*"})

    def update(
        self, context: Context, existing: Created, _old: dict[str, Any], new: dict[str, Any]
    ) -> Created:
        """Change the retention."""
        self._set_retention(context.client("logs"), existing.physical_id, new)
        return existing

    def delete(self, context: Context, existing: Created, _properties: dict[str, Any]) -> None:
        """Delete the group and what it holds."""
        client = context.client("logs")
        try:
            client.delete_log_group(logGroupName=existing.physical_id)
        except client.exceptions.ResourceNotFoundException:
            return

    def _set_retention(self, client: Any, name: str, properties: dict[str, Any]) -> None:  # noqa: ANN401
        if properties.get("RetentionInDays"):
            client.put_retention_policy(logGroupName=name, retentionInDays=int(properties["RetentionInDays"]))
        else:
            client.delete_retention_policy(logGroupName=name)


TYPES = (LogGroup(),)
