"""AWS::Logs::LogGroup and LogStream, on moto's CloudWatch Logs."""

from __future__ import annotations

from typing import Any, ClassVar

from connect_sandbox.cloud.cfn.resource import Context, Created, ResourceType
from connect_sandbox.cloud.cfn.support import SUPPORTED, TAGS, Only, PropertyTable, Recorded
from connect_sandbox.moto_internals import set_log_group_key


class LogGroup(ResourceType):
    """A log group; nothing expires while the sandbox runs."""

    type_name = "AWS::Logs::LogGroup"
    properties: ClassVar[PropertyTable] = {
        "LogGroupName": SUPPORTED,
        "RetentionInDays": Recorded("the sandbox ends long before a day is over"),
        "KmsKeyId": SUPPORTED,
        "LogGroupClass": Only(("STANDARD",), "infrequent access and delivery are not reproduced"),
        "Tags": TAGS,
    }
    replaced_by = frozenset({"LogGroupName"})
    attributes = ("Arn",)

    def create(self, context: Context, properties: dict[str, Any]) -> Created:
        """Create the group; the policy of its key must let CloudWatch Logs use it."""
        name = properties.get("LogGroupName") or context.physical_name(limit=512)
        self._check_key(context, name, properties)
        client = context.client("logs")
        client.create_log_group(logGroupName=name)
        set_log_group_key(context.account, context.region, name, properties.get("KmsKeyId"))
        self._set_retention(client, name, properties)
        return Created(name, {"Arn": f"arn:aws:logs:{context.region}:{context.account}:log-group:{name}:*"})

    def update(
        self, context: Context, existing: Created, _old: dict[str, Any], new: dict[str, Any]
    ) -> Created:
        """Change the retention and the key."""
        self._check_key(context, existing.physical_id, new)
        set_log_group_key(context.account, context.region, existing.physical_id, new.get("KmsKeyId"))
        self._set_retention(context.client("logs"), existing.physical_id, new)
        return existing

    def delete(self, context: Context, existing: Created, _properties: dict[str, Any]) -> None:
        """Delete the group and what it holds."""
        client = context.client("logs")
        try:
            client.delete_log_group(logGroupName=existing.physical_id)
        except client.exceptions.ResourceNotFoundException:
            return

    def _check_key(self, context: Context, name: str, properties: dict[str, Any]) -> None:
        if key := properties.get("KmsKeyId"):
            context.services.authorization.require_logs_may_use(key, name)

    def _set_retention(self, client: Any, name: str, properties: dict[str, Any]) -> None:  # noqa: ANN401
        if properties.get("RetentionInDays"):
            client.put_retention_policy(logGroupName=name, retentionInDays=int(properties["RetentionInDays"]))
        else:
            client.delete_retention_policy(logGroupName=name)


class LogStream(ResourceType):
    """A stream in a log group."""

    type_name = "AWS::Logs::LogStream"
    properties: ClassVar[PropertyTable] = {"LogGroupName": SUPPORTED, "LogStreamName": SUPPORTED}
    required = ("LogGroupName",)

    def create(self, context: Context, properties: dict[str, Any]) -> Created:
        """Create the stream."""
        name = properties.get("LogStreamName") or context.physical_name(limit=512)
        group = properties["LogGroupName"]
        context.client("logs").create_log_stream(logGroupName=group, logStreamName=name)
        return Created(f"{group}|{name}", ref=name)

    def delete(self, context: Context, existing: Created, properties: dict[str, Any]) -> None:
        """Delete the stream and what it holds."""
        client = context.client("logs")
        try:
            client.delete_log_stream(
                logGroupName=properties["LogGroupName"], logStreamName=existing.reference
            )
        except client.exceptions.ResourceNotFoundException:
            return


TYPES = (LogGroup(), LogStream())
