"""What the metadata bridge passes around, and the limits of what it carries."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from runtime.shared.errors import BridgeError, shown

# evidence: flow-function-answer
CONNECT_RESPONSE_LIMIT = 32_768
"""Bytes under which a function's answer to a flow must stay (Amazon Connect administrator guide: 32 KB)."""

# evidence: attributes-32-kb
ATTRIBUTE_BODY_LIMIT = 30_720
"""Bytes that metadata may take: of the 32,768 that the attributes of a contact share, 2,048 stay for what the flow and
the module set besides."""

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)


class InvalidContactIdError(BridgeError):
    """Not the id of an Amazon Connect contact."""


@dataclass(frozen=True, slots=True)
class Metadata:
    """What an external voice system said about a contact.

    `body` is the JSON text as received: no reader in between turns floats, large integers, escapes or the
    order of keys into something else. `stored_at` and `expires_at` are Unix times in seconds; None means
    that the item carries none and does not expire. `request_id` is that of the request which stored it.
    """

    contact_id: str
    body: str
    stored_at: int | None
    expires_at: int | None
    request_id: str

    def expired(self, now: int) -> bool:
        """Tell whether the time to live is over; DynamoDB may delete the item only days later."""
        return self.expires_at is not None and self.expires_at <= now


def parse_contact_id(value: object) -> str:
    """Return the id of a contact in the form Amazon Connect writes it: a UUID, lower case, with hyphens."""
    if not isinstance(value, str) or _UUID.fullmatch(value) is None:
        raise InvalidContactIdError(
            f"contactId is {shown(value)}; it must be the contact's UUID, such as "
            "12345678-1234-1234-1234-123456789012, as Amazon Connect sends it in the SIP header "
            "X-Amzn-ConnectContactId"
        )
    return value.lower()


def found_answer(body: str) -> dict[str, str]:
    """Return what the flow gets for a contact with metadata: strings only, as STRING_MAP demands."""
    return {"found": "true", "body": body}


def answer_size(body: str) -> int:
    """Return how many bytes the flow gets for this metadata, in the larger of the two ways to write JSON.

    The Lambda runtime writes the answer, and its Python releases differ in whether characters beyond ASCII
    are escaped. Escaping costs up to 6 bytes where UTF-8 takes 2 or 3, so the worst case is taken.
    """
    answer = found_answer(body)
    return max(len(json.dumps(answer, ensure_ascii=escaped).encode()) for escaped in (True, False))
