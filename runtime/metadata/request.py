r"""Take the request of an external voice system apart, and refuse what cannot be kept.

What counts as a JSON object is stricter here than in Python, so that every later reader, in whatever
language, sees the same thing:

- no NaN or Infinity, no byte order mark, no raw control characters (RFC 8259);
- no object with the same key twice: readers keep the first, the last or both, so it would not stay the same;
- no \ud800 without its other half: no UTF-8 can say it, so that readers fail or put another character there;
- no number of more than 1,000 characters: readers refuse them (Python from 4,301 digits on);
- at most 100 levels deep, which every reader's stack takes.

Numbers are checked as text, never computed: 1e999999 and a thousand digits pass and stay as they are.

The text is limited twice: it must fit into the retrieve function's answer, and, with room for what else a flow keeps,
into the attributes of a contact; so what is accepted here also arrives.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import time
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from aws_lambda_powertools.utilities.data_classes.api_gateway_proxy_event import (
    APIGatewayProxyEvent,
)

from runtime.metadata.contact_token import is_valid
from runtime.metadata.models import (
    ATTRIBUTE_BODY_LIMIT,
    CONNECT_RESPONSE_LIMIT,
    InvalidContactIdError,
    answer_size,
    parse_contact_id,
)
from runtime.shared.errors import ApiError, shown
from runtime.shared.rotated_secret import RotatedSecret, SecretUnavailableError

MAX_DEPTH = 100
MAX_NUMBER_LENGTH = 1_000

# A string, or the rest of the text after a quotation mark without its partner: takes linear time.
_STRING = re.compile(r'"(?:[^"\\]|\\.)*+"?', re.DOTALL)


@dataclass(frozen=True, slots=True)
class StoreRequest:
    """A valid request: whose metadata, and the JSON text of it as received."""

    contact_id: str
    body: str
    request_id: str

    @classmethod
    def from_event(cls, event: Mapping[str, Any], *, admission: Admission | None = None) -> StoreRequest:
        """Read the event of a Lambda proxy integration; raises ApiError with 400, 413 or 415.

        admission: checks the contact's own token before anything else is looked at; 401, 403 or 503.
        """
        request = APIGatewayProxyEvent(dict(event))
        contact_id = _contact_id(request)
        if admission is not None:
            admission.check(contact_id, _header_values(request, admission.header.lower()))
        _check_content_type(request)
        text = _text(request)
        _check_size(text)
        _check_json_object(text)
        return cls(contact_id=contact_id, body=text, request_id=request_id(event))


@dataclass(frozen=True, slots=True)
class Admission:
    """Lets a request write for a contact whose token it shows."""

    header: str
    keys: RotatedSecret[bytes]

    def check(self, contact_id: str, shown: Sequence[str]) -> None:
        """Raise ApiError with 401 without a token, 403 with another one, 503 if it cannot be checked."""
        if not shown or not shown[0]:
            raise ApiError(
                401,
                "MISSING_CONTACT_TOKEN",
                f"Header {self.header} is missing; send what the SIP header User-to-User of this call holds.",
            )
        try:
            valid = len(shown) == 1 and is_valid(shown[0], contact_id, keys=self.keys, now=time.time())
        except SecretUnavailableError as error:
            raise ApiError(
                503,
                "CONTACT_TOKEN_UNCHECKED",
                "The contact's token could not be checked. Send the same request again.",
                {"Retry-After": "5"},
            ) from error
        if not valid:
            raise ApiError(
                403,
                "WRONG_CONTACT_TOKEN",
                f"Header {self.header} holds no valid token of this contact; send what the SIP header User-to-User of "
                "its call holds, within the time for which it is valid.",
            )


def request_id(event: object) -> str:
    """Return API Gateway's id of the request, or a fresh one if the event carries none."""
    context = event.get("requestContext") if isinstance(event, Mapping) else None
    given = context.get("requestId") if isinstance(context, Mapping) else None
    return given if isinstance(given, str) and given else str(uuid.uuid4())


def _contact_id(request: APIGatewayProxyEvent) -> str:
    values = request.multi_value_query_string_parameters.get("contactId")
    if values is None:
        single = request.query_string_parameters.get("contactId")
        values = [] if single is None else [single]
    if len(values) != 1:
        problem = "is missing" if not values else f"is given {len(values)} times"
        raise ApiError(
            400,
            "INVALID_CONTACT_ID",
            f"Query parameter contactId {problem}; give it once: ?contactId=<contact UUID>.",
        )
    try:
        return parse_contact_id(values[0])
    except InvalidContactIdError as error:
        raise ApiError(400, "INVALID_CONTACT_ID", f"Query parameter {error}.") from error


def _check_content_type(request: APIGatewayProxyEvent) -> None:
    values = _header_values(request, "content-type")
    if len(values) == 1:
        media_type, *parameters = (part.strip().lower() for part in values[0].split(";"))
        charsets = [part[len("charset=") :].strip('"') for part in parameters if part.startswith("charset=")]
        if media_type == "application/json" and set(charsets) <= {"utf-8", "utf8"}:
            return
    given = "missing" if not values else shown(", ".join(values))
    raise ApiError(
        415, "UNSUPPORTED_MEDIA_TYPE", f"Content-Type is {given}; send application/json (charset utf-8)."
    )


def _header_values(request: APIGatewayProxyEvent, name: str) -> list[str]:
    several: Mapping[str, list[str]] = request.get("multiValueHeaders") or {}
    single: Mapping[str, str] = request.get("headers") or {}
    values = [value for key, given in several.items() if key.lower() == name for value in given]
    return values or [value for key, value in single.items() if key.lower() == name]


def _text(request: APIGatewayProxyEvent) -> str:
    body = request.body
    if not body:
        raise ApiError(400, "MISSING_BODY", "The request has no body; send a JSON object.")
    try:
        if request.is_base64_encoded:
            return base64.b64decode(body, validate=True).decode("utf-8")
        body.encode("utf-8")  # a lone surrogate would fail only in the table's client
    except (binascii.Error, UnicodeError) as error:
        raise ApiError(
            400, "INVALID_ENCODING", "The body is not valid UTF-8; encode the JSON text as UTF-8."
        ) from error
    return body


def _check_size(text: str) -> None:
    size = answer_size(text)
    if size >= CONNECT_RESPONSE_LIMIT:
        raise ApiError(
            413,
            "METADATA_TOO_LARGE",
            f"The metadata takes {size} bytes once it is escaped for Amazon Connect, and must stay under "
            f"{CONNECT_RESPONSE_LIMIT}; send less, for example a link to the transcript instead of its text.",
        )
    stored = len(text.encode())
    if stored > ATTRIBUTE_BODY_LIMIT:
        raise ApiError(
            413,
            "METADATA_TOO_LARGE",
            f"The metadata takes {stored} bytes, and may take {ATTRIBUTE_BODY_LIMIT}, since the attributes of a "
            "contact share 32 KB; send less, for example a link to the transcript instead of its text.",
        )


def _check_json_object(text: str) -> None:
    _check_depth(text)
    try:
        # Numbers stay text: Python refuses integers of more than 4300 digits and turns 1e999 into infinity.
        document = json.loads(
            text,
            parse_int=_number,
            parse_float=_number,
            parse_constant=_refuse_constant,
            object_pairs_hook=_unique,
        )
    except json.JSONDecodeError as error:
        raise ApiError(
            400,
            "INVALID_JSON",
            f"The body is not JSON: {error.msg} at line {error.lineno}, column {error.colno}.",
        ) from error
    _check_characters(document)
    if not isinstance(document, dict):
        raise ApiError(
            400, "NOT_AN_OBJECT", 'The body is JSON but not an object; wrap it, as in {"value": …}.'
        )


def _check_depth(text: str) -> None:
    depth = 0
    for character in _STRING.sub("", text):
        if character in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                raise ApiError(
                    400,
                    "TOO_DEEPLY_NESTED",
                    f"The body is nested more than {MAX_DEPTH} levels deep; flatten it.",
                )
        elif character in "]}":
            depth -= 1


def _check_characters(document: object) -> None:
    try:
        json.dumps(document, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        lone = error.object[error.start]
        raise ApiError(
            400,
            "LONE_SURROGATE",
            f"The body holds \\u{ord(lone):04x} without its other half, which is no character; send both halves, or "
            "the character as UTF-8.",
        ) from error


def _number(text: str) -> str:
    if len(text) > MAX_NUMBER_LENGTH:
        raise ApiError(
            400,
            "NUMBER_TOO_LONG",
            f"The body holds a number of {len(text)} characters, and a number may have {MAX_NUMBER_LENGTH}; send it as "
            "a string.",
        )
    return text


def _refuse_constant(constant: str) -> NoReturn:
    raise ApiError(
        400, "INVALID_JSON", f"The body is not JSON: it holds {constant}; send null or a string instead."
    )


def _unique(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    document: dict[str, Any] = {}
    for key, value in pairs:
        if key in document:
            raise ApiError(
                400,
                "DUPLICATE_KEY",
                f"The body holds an object with the key {shown(key)} twice; send each key once.",
            )
        document[key] = value
    return document
