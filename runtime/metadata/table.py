"""The table of the metadata bridge: one item per contact, one call per operation, never a scan.

An item holds the key attribute (contact id), ``body`` (JSON text), ``storedAt`` and the TTL attribute (Unix
times in seconds), and ``requestId`` (which request stored it).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from runtime.metadata import limits
from runtime.metadata.models import Metadata
from runtime.shared.clients import AwsClient, error_code, is_temporary
from runtime.shared.environment import Environment
from runtime.shared.errors import BridgeError, TemporarilyUnavailableError

BODY, STORED_AT, REQUEST_ID = "body", "storedAt", "requestId"


class UnreadableItemError(BridgeError):
    """An item that this package did not write."""


@dataclass(frozen=True, slots=True)
class TableSettings:
    """Where the metadata lies: environment variables TABLE_NAME, KEY_ATTRIBUTE and TTL_ATTRIBUTE."""

    table_name: str
    key_attribute: str
    ttl_attribute: str

    @classmethod
    def read(cls, environment: Environment) -> TableSettings:
        """Read the settings; `environment.check()` is the caller's to call."""
        attribute = {"pattern": r"\S{1,255}", "form": "an attribute name of at most 255 characters"}
        settings = cls(
            table_name=environment.text(
                "TABLE_NAME",
                pattern=r"(arn:[^/]+:table/)?[A-Za-z0-9_.-]{3,255}",
                form="a DynamoDB table name or ARN",
            ),
            key_attribute=environment.text("KEY_ATTRIBUTE", default=limits.PARTITION_KEY, **attribute),
            ttl_attribute=environment.text("TTL_ATTRIBUTE", default=limits.TTL_ATTRIBUTE, **attribute),
        )
        names = [settings.key_attribute, settings.ttl_attribute, BODY, STORED_AT, REQUEST_ID]
        if len(set(names)) < len(names):
            environment.refuse(
                f"KEY_ATTRIBUTE {settings.key_attribute!r} and TTL_ATTRIBUTE {settings.ttl_attribute!r} must "
                f"differ from each other and from {BODY!r}, {STORED_AT!r} and {REQUEST_ID!r}"
            )
        return settings


class MetadataTable:
    """Puts and gets metadata through a low-level DynamoDB client."""

    def __init__(self, client: AwsClient, settings: TableSettings) -> None:
        self._client = client
        self._settings = settings

    def put(self, metadata: Metadata) -> Metadata | None:
        """Write the contact's metadata in one PutItem and return what it replaced, if anything.

        Raises TemporarilyUnavailableError when the table is throttling or cannot be reached.
        """
        item = {
            self._settings.key_attribute: {"S": metadata.contact_id},
            BODY: {"S": metadata.body},
            REQUEST_ID: {"S": metadata.request_id},
            STORED_AT: {"N": str(metadata.stored_at)},
            self._settings.ttl_attribute: {"N": str(metadata.expires_at)},
        }
        response = self._call("put_item", Item=item, ReturnValues="ALL_OLD")
        return self._metadata(metadata.contact_id, response.get("Attributes"))

    def get(self, contact_id: str) -> Metadata | None:
        """Read the contact's metadata in one consistent GetItem, expired or not; None if there is none.

        Consistent, because the external system stores right before it hangs up and the flow asks right after.
        Raises TemporarilyUnavailableError like `put`, and UnreadableItemError for an item without a body.
        """
        key = {self._settings.key_attribute: {"S": contact_id}}
        found = self._metadata(contact_id, self._call("get_item", Key=key, ConsistentRead=True).get("Item"))
        if found is not None and not found.body:
            raise UnreadableItemError(
                f"the item of contact {contact_id} in table {self._settings.table_name} has no string in "
                f"attribute {BODY!r}: something other than the store function wrote it"
            )
        return found

    def _call(self, operation: str, **arguments: object) -> Mapping[str, Any]:
        try:
            response: Mapping[str, Any] = getattr(self._client, operation)(
                TableName=self._settings.table_name, **arguments
            )
        except Exception as error:
            if is_temporary(error):
                raise TemporarilyUnavailableError(
                    f"table {self._settings.table_name} did not take {operation}: {error_code(error)}"
                ) from error
            raise
        return response

    def _metadata(self, contact_id: str, item: Mapping[str, Any] | None) -> Metadata | None:
        if not item:
            return None
        return Metadata(
            contact_id=contact_id,
            body=item.get(BODY, {}).get("S", ""),
            stored_at=_number(item.get(STORED_AT)),
            expires_at=_number(item.get(self._settings.ttl_attribute)),
            request_id=item.get(REQUEST_ID, {}).get("S", ""),
        )


def _number(attribute: Mapping[str, str] | None) -> int | None:
    return int(float(attribute["N"])) if attribute and "N" in attribute else None
