"""Find the metadata of the contact that a flow asks about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runtime.metadata.models import (
    CONNECT_RESPONSE_LIMIT,
    answer_size,
    found_answer,
    parse_contact_id,
)
from runtime.metadata.table import MetadataTable
from runtime.shared.errors import BridgeError

NOT_FOUND: dict[str, str] = {"found": "false"}


class MetadataTooLargeError(BridgeError):
    """Stored metadata that does not fit into an answer to Amazon Connect."""


def contact_id_of(event: Mapping[str, Any]) -> str:
    """Return whose metadata is asked for: the block's parameter contactId, else the contact in the flow.

    Amazon Connect sends null or nothing for what a contact does not have, so nothing else is relied upon.
    Raises InvalidContactIdError.
    """
    details = _mapping(event, "Details")
    given = _mapping(details, "Parameters").get("contactId") or _mapping(details, "ContactData").get(
        "ContactId"
    )
    return parse_contact_id(given)


def retrieve_metadata(contact_id: str, *, table: MetadataTable, now: int) -> dict[str, str]:
    """Return ``{"found": "true", "body": <JSON text>}`` or ``{"found": "false"}``.

    `now` is Unix time in seconds. An expired item is a miss even while DynamoDB has not deleted it yet.
    Raises TemporarilyUnavailableError, and MetadataTooLargeError for an item that the store function would
    not have taken.
    """
    metadata = table.get(contact_id)
    if metadata is None or metadata.expired(now):
        return dict(NOT_FOUND)
    size = answer_size(metadata.body)
    if size >= CONNECT_RESPONSE_LIMIT:
        raise MetadataTooLargeError(
            f"the metadata of contact {contact_id} takes {size} bytes in the answer to Amazon Connect, and "
            f"must stay under {CONNECT_RESPONSE_LIMIT}: something other than the store function wrote it"
        )
    return found_answer(metadata.body)


def _mapping(container: object, key: str) -> Mapping[str, Any]:
    value = container.get(key) if isinstance(container, Mapping) else None
    return value if isinstance(value, Mapping) else {}
