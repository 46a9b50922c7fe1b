"""Limits and defaults of the metadata bridge, stated once: the functions obey them, construct and settings read them.

Standard library only: the constructs load this file by its path. A range is lowest and highest, both included.
"""

from __future__ import annotations

TTL_SECONDS = 86_400
"""How long metadata lives that nobody fetched."""
TTL_SECONDS_RANGE = (60, 31_536_000)

TOKEN_CACHE_SECONDS = 300
"""How long a decision on a token is trusted, by API Gateway and the authorizer's function together."""
TOKEN_CACHE_SECONDS_RANGE = (0, 3600)


def shared_cache(seconds: int) -> tuple[int, int]:
    """Return what API Gateway and the function behind it may each remember, so that together it is `seconds`.

    A decision that API Gateway remembers may rest on a secret that the function remembered: the times add up.
    """
    gateway = seconds // 2
    return gateway, seconds - gateway


CONTACT_TOKEN_SECONDS = 3600
"""How long the token of one contact may be used after its call went out."""
CONTACT_TOKEN_SECONDS_RANGE = (60, 43_200)
CONTACT_TOKEN_HEADER = "contactToken"  # noqa: S105 (a header's name)

PARTITION_KEY = "contactId"
TTL_ATTRIBUTE = "expiresAt"
