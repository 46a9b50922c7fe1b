"""Called by a flow after the external voice system hung up: hand over what it stored for the contact.

Environment: TABLE_NAME, KEY_ATTRIBUTE (contactId), TTL_ATTRIBUTE (expiresAt).
IAM: dynamodb:GetItem on the table (plus kms:Decrypt on a customer-managed key).
Source: Kore's guide to external voice (docs/guides.md#voice-functions-3); Amazon Connect administrator guide, "Invoke
AWS Lambda functions".

Answers ``{"found": "true", "body": "<JSON text>"}``, to be read as $.External.found and $.External.body, or
``{"found": "false"}``; strings only, under 32 KB, so that response validation STRING_MAP and JSON both do.
Any failure raises, within about 2 s, so that a block with the default limit of 3 s takes its Error branch.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from runtime.metadata.flow_contact import contact_of
from runtime.metadata.models import CONNECT_RESPONSE_LIMIT, answer_size, found_answer
from runtime.metadata.table import MetadataTable, TableSettings
from runtime.shared.clients import client, error_code
from runtime.shared.environment import Environment
from runtime.shared.errors import BridgeError
from runtime.shared.initialization import built_at_init
from runtime.shared.logging import LOGGER, event_logger
from runtime.shared.metrics import count, metered
from runtime.shared.service_models import dynamodb

NOT_FOUND: dict[str, str] = {"found": "false"}


class MetadataTooLargeError(BridgeError):
    """Stored metadata that does not fit into an answer to Amazon Connect."""


@metered()
@event_logger(correlation_id_path="Details.ContactData.ContactId")
def handler(event: Mapping[str, Any], context: LambdaContext) -> dict[str, str]:  # noqa: ARG001 (Lambda's signature)
    """Answer the flow, or raise so that it takes its Error branch."""
    try:
        answer = _metadata_of(contact_of(event), table=_table(), now=int(time.time()))
    except Exception as error:
        LOGGER.warning("metadata not retrieved", cause=error_code(error))
        count("MetadataRetrieveFailed")
        raise
    LOGGER.info("metadata looked up", found=answer["found"])
    count("MetadataFound" if answer["found"] == "true" else "MetadataMissed")
    return answer


def _metadata_of(contact_id: str, *, table: MetadataTable, now: int) -> dict[str, str]:
    """Return ``{"found": "true", "body": <JSON text>}`` or ``{"found": "false"}``.

    `now` is Unix time in seconds. An expired item is a miss even while DynamoDB has not deleted it yet.
    Raises TemporarilyUnavailableError, and MetadataTooLargeError for an item that the store function would
    not have taken.
    """
    # evidence: metadata-before-bye
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


@built_at_init
def _table() -> MetadataTable:
    environment = Environment(os.environ)
    settings = TableSettings.read(environment)
    environment.check()
    # 2 x (0.4 s + 0.5 s) + 0.05 s = 1.85 s in the worst case; DynamoDB usually answers in a few milliseconds.
    return MetadataTable(client(dynamodb, connect_timeout=0.4, read_timeout=0.5, attempts=2), settings)
