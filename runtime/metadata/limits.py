"""Limits and defaults of the metadata bridge, stated once: the functions obey them, construct and settings read them.

Standard library only: the constructs load this file by its path. A range is lowest and highest, both included.
"""

from __future__ import annotations

TTL_SECONDS = 86_400
"""How long metadata lives that nobody fetched."""
TTL_SECONDS_RANGE = (60, 31_536_000)

TOKEN_CACHE_SECONDS = 300
"""How long a decision on a token is trusted."""
TOKEN_CACHE_SECONDS_RANGE = (0, 3600)

PARTITION_KEY = "contactId"
TTL_ATTRIBUTE = "expiresAt"
