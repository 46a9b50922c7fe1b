"""AWS::DynamoDB::Table and AWS::DynamoDB::GlobalTable (the CDK's TableV2), on moto's DynamoDB."""

from __future__ import annotations

from typing import Any, ClassVar

from connect_sandbox.cloud.cfn.resource import (
    Context,
    Created,
    ResourceType,
    as_list_of_tags,
    merged_tags,
)
from connect_sandbox.cloud.cfn.support import SUPPORTED, TAGS, Nested, Only, PropertyTable, Recorded
from connect_sandbox.cloud.errors import AwsError, NotEmulatedError
from connect_sandbox.moto_internals import set_table_key

_RECOVERY = Recorded("point-in-time recovery: nothing is backed up here")
_ENCRYPTION: PropertyTable = {
    "SSEEnabled": SUPPORTED,
    "SSEType": Only(("KMS",), "it is the only type"),
    "KMSMasterKeyId": SUPPORTED,
}
_INSIGHTS = Recorded("contributor insights: there are no metrics here")
_CLASS = Recorded("the table class changes only the price")
_KEYS: PropertyTable = {
    "TableName": SUPPORTED,
    "AttributeDefinitions": SUPPORTED,
    "KeySchema": SUPPORTED,
    "BillingMode": SUPPORTED,
    "GlobalSecondaryIndexes": SUPPORTED,
    "LocalSecondaryIndexes": SUPPORTED,
    "TimeToLiveSpecification": SUPPORTED,
}


class Table(ResourceType):
    """A table. Items past their TTL stay until they are read or overwritten, as they may on AWS for days."""

    type_name = "AWS::DynamoDB::Table"
    properties: ClassVar[PropertyTable] = {
        **_KEYS,
        "ProvisionedThroughput": Recorded("no read or write is throttled here"),
        "PointInTimeRecoverySpecification": _RECOVERY,
        "SSESpecification": Nested(_ENCRYPTION),
        "ContributorInsightsSpecification": _INSIGHTS,
        "TableClass": _CLASS,
        "DeletionProtectionEnabled": SUPPORTED,
        "StreamSpecification": Nested({"StreamViewType": SUPPORTED}),
        "Tags": TAGS,
    }
    required: ClassVar[tuple[str, ...]] = ("KeySchema",)
    #: Of the schema, KeySchema is so "conditionally"; a local index exists from the start or never.
    name_property = "TableName"
    replaced_by = frozenset({"TableName", "KeySchema", "LocalSecondaryIndexes"})
    attributes: ClassVar[tuple[str, ...]] = ("Arn", "StreamArn")

    def create(self, context: Context, properties: dict[str, Any]) -> Created:
        """Create the table and switch on its TTL."""
        client = context.client("dynamodb")
        name = properties.get("TableName") or context.physical_name(limit=255)
        request = {
            "TableName": name,
            "AttributeDefinitions": properties["AttributeDefinitions"],
            "KeySchema": properties["KeySchema"],
            "BillingMode": properties.get("BillingMode", "PROVISIONED"),
            "DeletionProtectionEnabled": self._protected(properties),
            "Tags": as_list_of_tags(merged_tags(context, self._tags(properties))),
        }
        for key in ("GlobalSecondaryIndexes", "LocalSecondaryIndexes"):
            if properties.get(key):
                request[key] = properties[key]
        if request["BillingMode"] == "PAY_PER_REQUEST" and "ProvisionedThroughput" in properties:
            raise AwsError(
                "ValidationException",
                "One or more parameter values were invalid: Neither ReadCapacityUnits nor WriteCapacityUnits can be "
                "specified when BillingMode is PAY_PER_REQUEST",
            )
        if request["BillingMode"] == "PROVISIONED":
            request["ProvisionedThroughput"] = properties.get(
                "ProvisionedThroughput", {"ReadCapacityUnits": 5, "WriteCapacityUnits": 5}
            )
        if stream := (properties.get("StreamSpecification") or {}).get("StreamViewType"):
            request["StreamSpecification"] = {"StreamEnabled": True, "StreamViewType": stream}
        table = client.create_table(**request)["TableDescription"]
        set_table_key(context.account, context.region, name, self._key(properties))
        self._set_ttl(client, name, {}, properties)
        return Created(
            name,
            {
                "Arn": table["TableArn"],
                "TableId": table.get("TableId", ""),
                "StreamArn": table.get("LatestStreamArn", ""),
            },
        )

    def update(
        self, context: Context, existing: Created, old: dict[str, Any], new: dict[str, Any]
    ) -> Created:
        """Change TTL, billing mode, key and deletion protection."""
        for property_ in ("GlobalSecondaryIndexes", "AttributeDefinitions"):
            if old.get(property_) != new.get(property_):
                raise NotEmulatedError(
                    f"another {property_} of the table {existing.physical_id}",
                    "deploy the table with it anew",
                )
        client = context.client("dynamodb")
        name = existing.physical_id
        stream = self._set_stream(client, name, old, new)
        set_table_key(context.account, context.region, name, self._key(new))
        self._set_ttl(client, name, old, new)
        if self._protected(old) != self._protected(new):
            client.update_table(TableName=name, DeletionProtectionEnabled=self._protected(new))
        if old.get("BillingMode") != new.get("BillingMode"):
            client.update_table(TableName=name, BillingMode=new.get("BillingMode", "PROVISIONED"))
        return Created(name, {**existing.attributes, **stream})

    def _set_stream(
        self,
        client: Any,  # noqa: ANN401
        name: str,
        old: dict[str, Any],
        new: dict[str, Any],
    ) -> dict[str, str]:
        """Switch the stream on or off; another view of items takes two updates, as on AWS."""
        before = (old.get("StreamSpecification") or {}).get("StreamViewType")
        after = (new.get("StreamSpecification") or {}).get("StreamViewType")
        if before == after:
            return {}
        if before and after:
            raise AwsError("ValidationException", "Table already has an enabled stream: disable it first")
        view = {"StreamEnabled": True, "StreamViewType": after} if after else {"StreamEnabled": False}
        table = client.update_table(TableName=name, StreamSpecification=view)["TableDescription"]
        return {"StreamArn": table.get("LatestStreamArn", "") if after else ""}

    def delete(self, context: Context, existing: Created, _properties: dict[str, Any]) -> None:
        """Delete the table, unless it refuses that."""
        client, name = context.client("dynamodb"), existing.physical_id
        try:
            if client.describe_table(TableName=name)["Table"].get("DeletionProtectionEnabled"):
                message = (
                    "Resource cannot be deleted as it is currently protected against deletion. Disable deletion "
                    "protection first."
                )
                raise AwsError("ValidationException", message)
            client.delete_table(TableName=name)
        except client.exceptions.ResourceNotFoundException:
            return

    def _protected(self, properties: dict[str, Any]) -> bool:
        return str(properties.get("DeletionProtectionEnabled", False)).lower() == "true"

    def _tags(self, properties: dict[str, Any]) -> Any:  # noqa: ANN401
        return properties.get("Tags")

    def _key(self, properties: dict[str, Any]) -> str | None:
        """Return the table's customer-managed key; None: AWS owns or manages it."""
        specification = properties.get("SSESpecification") or {}
        enabled = str(specification.get("SSEEnabled", False)).lower() == "true"
        return specification.get("KMSMasterKeyId") if enabled else None

    def _set_ttl(self, client: Any, name: str, old: dict[str, Any], new: dict[str, Any]) -> None:  # noqa: ANN401
        before, after = _ttl(old), _ttl(new)
        if before == after:
            return
        if before is not None:
            specification = {"Enabled": False, "AttributeName": before}
            client.update_time_to_live(TableName=name, TimeToLiveSpecification=specification)
        if after is not None:
            specification = {"Enabled": True, "AttributeName": after}
            client.update_time_to_live(TableName=name, TimeToLiveSpecification=specification)


class GlobalTable(Table):
    """A table that could have replicas; here it has the one of this Region."""

    type_name = "AWS::DynamoDB::GlobalTable"
    properties: ClassVar[PropertyTable] = {
        **_KEYS,
        "SSESpecification": Nested(_ENCRYPTION),
        "StreamSpecification": Nested({"StreamViewType": SUPPORTED}),
        "WriteOnDemandThroughputSettings": Recorded("no write is throttled here"),
        "WriteProvisionedThroughputSettings": Recorded("no write is throttled here"),
        "Replicas": Nested(
            {
                "Region": SUPPORTED,
                "PointInTimeRecoverySpecification": _RECOVERY,
                "SSESpecification": Nested(_ENCRYPTION),
                "TableClass": _CLASS,
                "ContributorInsightsSpecification": _INSIGHTS,
                "DeletionProtectionEnabled": SUPPORTED,
                "ReadOnDemandThroughputSettings": Recorded("no read is throttled here"),
                "Tags": TAGS,
            }
        ),
    }
    required = ("AttributeDefinitions", "KeySchema", "Replicas")
    attributes = ("Arn", "StreamArn", "TableId")

    def create(self, context: Context, properties: dict[str, Any]) -> Created:
        """Create the table; refuse replicas in other Regions."""
        elsewhere = [r["Region"] for r in properties["Replicas"] if r["Region"] != context.region]
        if elsewhere:
            raise NotEmulatedError(
                f"{self.type_name} Replicas in {', '.join(elsewhere)}", f"it has {context.region} alone"
            )
        return super().create(context, properties)

    def _protected(self, properties: dict[str, Any]) -> bool:
        return any(super(GlobalTable, self)._protected(replica) for replica in properties.get("Replicas", []))

    def _tags(self, properties: dict[str, Any]) -> Any:  # noqa: ANN401
        return properties["Replicas"][0].get("Tags")

    def _key(self, properties: dict[str, Any]) -> str | None:
        # Whether there is one is said for the table, which one for each replica.
        replica = properties["Replicas"][0].get("SSESpecification") or {}
        whole = properties.get("SSESpecification") or {}
        return super()._key({"SSESpecification": {**whole, **replica}})


def _ttl(properties: dict[str, Any]) -> str | None:
    specification = properties.get("TimeToLiveSpecification") or {}
    enabled = str(specification.get("Enabled", False)).lower() == "true"
    return specification.get("AttributeName") if enabled else None


TYPES = (Table(), GlobalTable())
__all__ = ["TYPES", "GlobalTable", "Table"]
