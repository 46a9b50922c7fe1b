"""POST /kore-metadata?contactId=<uuid>: keep what an external voice system says about a contact.

Environment: TABLE_NAME, KEY_ATTRIBUTE (contactId), TTL_ATTRIBUTE (expiresAt), TTL_SECONDS (86400).
IAM: dynamodb:PutItem on the table (plus what DynamoDB needs of a customer-managed key).
Source: guide 000, the store function; API Gateway developer guide, Lambda proxy integrations.

========  ======================================================================================
status    error codes
========  ======================================================================================
200       ``{"stored": true, "contactId", "replaced", "expiresAt"}``
400       INVALID_CONTACT_ID, MISSING_BODY, INVALID_ENCODING, INVALID_JSON, NOT_AN_OBJECT,
          DUPLICATE_KEY, TOO_DEEPLY_NESTED
413, 415  METADATA_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE
500, 503  INTERNAL_ERROR; TABLE_UNAVAILABLE with Retry-After
========  ======================================================================================
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aws_lambda_powertools.logging.correlation_paths import API_GATEWAY_REST
from aws_lambda_powertools.utilities.typing import LambdaContext

from runtime.metadata import limits
from runtime.metadata.logic.store import StoreRequest, request_id, store_metadata
from runtime.metadata.table import MetadataTable, TableSettings
from runtime.shared.clients import client, error_code
from runtime.shared.environment import Environment
from runtime.shared.errors import ApiError
from runtime.shared.http import error_answer, json_answer
from runtime.shared.initialization import built_at_init
from runtime.shared.logging import LOGGER, event_logger
from runtime.shared.metrics import count, metered


@metered()
@event_logger(correlation_id_path=API_GATEWAY_REST)
def handler(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001 (Lambda's signature)
    """Store the metadata and answer API Gateway; never raises, so that the client always gets JSON."""
    try:
        store = _store()
        request = StoreRequest.from_event(event)
        result = store_metadata(
            request, table=store.table, ttl_seconds=store.ttl_seconds, now=int(time.time())
        )
    except ApiError as error:
        return _refuse(error, request_id(event))
    except Exception as error:  # noqa: BLE001 (the client must get an answer; the log gets the cause)
        return _fail(error, request_id(event))
    LOGGER.info(
        "metadata stored",
        contact_id=result.contact_id,
        replaced=result.replaced,
        expires_at=result.expires_at,
    )
    count("MetadataStored")
    return json_answer(200, result.document())


@dataclass(frozen=True, slots=True)
class _Store:
    table: MetadataTable
    ttl_seconds: int


@built_at_init
def _store() -> _Store:
    environment = Environment(os.environ)
    settings = TableSettings.read(environment)
    ttl_seconds = environment.whole_number(
        "TTL_SECONDS",
        default=limits.TTL_SECONDS,
        minimum=limits.TTL_SECONDS_RANGE[0],
        maximum=limits.TTL_SECONDS_RANGE[1],
    )
    environment.check()
    # The client waits up to 29 s at API Gateway: three attempts within 8 s leave it time to try again.
    dynamodb = client("dynamodb", connect_timeout=1, read_timeout=1.5, attempts=3)
    return _Store(table=MetadataTable(dynamodb, settings), ttl_seconds=ttl_seconds)


def _refuse(error: ApiError, request: str) -> dict[str, Any]:
    # The message may quote the body, the log must not: it gets the code and the cause's class only.
    LOGGER.warning("metadata not stored", status=error.status, code=error.code, cause=_cause(error))
    count("MetadataRefused" if error.status < 500 else "MetadataStoreFailed")
    return error_answer(error, request)


def _fail(error: Exception, request: str) -> dict[str, Any]:
    LOGGER.exception("metadata not stored", code="INTERNAL_ERROR", cause=error_code(error))
    count("MetadataStoreFailed")
    message = (
        f"The metadata was not stored because of a fault on our side; report it with request id {request}."
    )
    return error_answer(ApiError(500, "INTERNAL_ERROR", message), request)


def _cause(error: ApiError) -> str | None:
    cause = error.__cause__
    return str(cause) if error.status >= 500 else type(cause).__name__ if cause else None
