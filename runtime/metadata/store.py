"""POST /kore-metadata?contactId=<uuid>: keep what an external voice system says about a contact.

Environment: TABLE_NAME, KEY_ATTRIBUTE (contactId), TTL_ATTRIBUTE (expiresAt), TTL_SECONDS (86400); CONTACT_KEY_ARN if
only a contact's own token (see contact_token) may write for it, CONTACT_TOKEN_HEADER (contactToken).
IAM: dynamodb:PutItem on the table (plus what DynamoDB needs of a customer-managed key); with CONTACT_KEY_ARN also
secretsmanager:GetSecretValue on that secret.
Source: Kore's guide to external voice (docs/guides.md#voice-functions-1); API Gateway developer guide, Lambda proxy
integrations.

========  ======================================================================================
status    error codes
========  ======================================================================================
200       ``{"stored": true, "contactId", "replaced", "expiresAt"}``
400       INVALID_CONTACT_ID, MISSING_BODY, INVALID_ENCODING, INVALID_JSON, NOT_AN_OBJECT,
          DUPLICATE_KEY, TOO_DEEPLY_NESTED, LONE_SURROGATE, NUMBER_TOO_LONG
413, 415  METADATA_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE
401, 403  MISSING_CONTACT_TOKEN, WRONG_CONTACT_TOKEN; with CONTACT_KEY_ARN only
500, 503  INTERNAL_ERROR; TABLE_UNAVAILABLE, CONTACT_TOKEN_UNCHECKED with Retry-After
========  ======================================================================================
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.logging.correlation_paths import API_GATEWAY_REST
from aws_lambda_powertools.utilities.typing import LambdaContext

from runtime.metadata import limits
from runtime.metadata.contact_token import signing_key
from runtime.metadata.models import Metadata
from runtime.metadata.request import Admission, StoreRequest, request_id
from runtime.metadata.table import MetadataTable, TableSettings
from runtime.shared.clients import client, error_code
from runtime.shared.environment import Environment
from runtime.shared.errors import ApiError, TemporarilyUnavailableError
from runtime.shared.http_answers import error_answer, json_answer
from runtime.shared.initialization import built_at_init
from runtime.shared.logging import LOGGER, event_logger
from runtime.shared.metrics import count, metered
from runtime.shared.rotated_secret import secret_at
from runtime.shared.service_models import dynamodb

RETRY_AFTER_SECONDS = 1


@metered()
@event_logger(correlation_id_path=API_GATEWAY_REST)
def handler(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001 (Lambda's signature)
    """Store the metadata and answer API Gateway; never raises, so that the client always gets JSON."""
    try:
        store = _store()
        request = StoreRequest.from_event(event, admission=store.admission)
        result = _stored(request, store, now=int(time.time()))
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
    admission: Admission | None


@dataclass(frozen=True, slots=True)
class _StoreResult:
    """What became of a request."""

    contact_id: str
    replaced: bool
    expires_at: int

    def document(self) -> dict[str, Any]:
        """Return the JSON document of the answer; `expiresAt` is ISO 8601 in UTC."""
        expires_at = datetime.fromtimestamp(self.expires_at, UTC).isoformat().replace("+00:00", "Z")
        return {
            "stored": True,
            "contactId": self.contact_id,
            "replaced": self.replaced,
            "expiresAt": expires_at,
        }


def _stored(request: StoreRequest, store: _Store, *, now: int) -> _StoreResult:
    """Write the metadata in one PutItem; `now` is Unix time in seconds. Raises ApiError with 503.

    `replaced` is true if unexpired metadata of an earlier request was there. It stays false if the SDK
    repeated our own write after losing the first answer, which the request id in the item tells.
    """
    metadata = Metadata(
        contact_id=request.contact_id,
        body=request.body,
        stored_at=now,
        expires_at=now + store.ttl_seconds,
        request_id=request.request_id,
    )
    try:
        previous = store.table.put(metadata)
    except TemporarilyUnavailableError as error:
        raise ApiError(
            503,
            "TABLE_UNAVAILABLE",
            "The metadata was not stored: the table is busy or out of reach. Send the same request again.",
            {"Retry-After": str(RETRY_AFTER_SECONDS)},
        ) from error
    replaced = (
        previous is not None and previous.request_id != request.request_id and not previous.expired(now)
    )
    return _StoreResult(contact_id=request.contact_id, replaced=replaced, expires_at=now + store.ttl_seconds)


def _admission(environment: Environment) -> Admission | None:
    if not os.environ.get("CONTACT_KEY_ARN"):
        return None
    secret_arn = environment.secret_arn("CONTACT_KEY_ARN")
    header = environment.text(
        "CONTACT_TOKEN_HEADER",
        default=limits.CONTACT_TOKEN_HEADER,
        pattern=r"[A-Za-z0-9_-]{1,128}",
        form="the name of a header",
    )
    # Two versions at most are read, once each, within 3 s; with the table's 8 s that is 11 s.
    return Admission(header, secret_at(secret_arn, signing_key, attempts=1))


@built_at_init
def _store() -> _Store:
    environment = Environment(os.environ)
    settings = TableSettings.read(environment)
    ttl_seconds = environment.whole_number(
        "TTL_SECONDS",
        default=limits.TTL_SECONDS,
        within=limits.TTL_SECONDS_RANGE,
    )
    admission = _admission(environment)
    environment.check()
    # The client waits up to 29 s at API Gateway: three attempts within 8 s leave it time to try again.
    table = MetadataTable(client(dynamodb, connect_timeout=1, read_timeout=1.5, attempts=3), settings)
    return _Store(table=table, ttl_seconds=ttl_seconds, admission=admission)


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
