"""Limits and defaults of the chat path, stated once: the functions obey them, construct and settings read them.

Standard library only: the constructs load this file by its path. A range is lowest and highest, both included.
"""

from __future__ import annotations

import re

TOKEN_CACHE_SECONDS = 300
"""How long the function keeps the webhook's verification token in memory."""
TOKEN_CACHE_SECONDS_RANGE = (0, 3600)

TOKEN_HEADER = "Verification-Token"  # noqa: S105 (a header's name)
"""The request header in which the webhook wants the token."""
TOKEN_HEADER_NAME = re.compile(r"[A-Za-z0-9-]{1,64}", re.ASCII)

DEADLINE_MILLISECONDS = 6500
"""Within which the bot is brought in; Amazon Connect waits 8 s."""
DEADLINE_MILLISECONDS_RANGE = (2000, 7500)

TRIES = 3
"""How often the webhook, and Secrets Manager, are asked at most: who fails thrice in a row is not helped by more."""

WAIT_SECONDS = 900
"""How long the flow waits for the bot to leave."""
WAIT_SECONDS_RANGE = (1, 604_800)
"""A week is the longest that a Wait block takes."""

JOIN_SECONDS = 15
"""How long the bot may take to join; as long as Amazon Connect lets it take from CreateParticipant on."""
JOIN_SECONDS_RANGE = (1, 60)

DEAD_LETTER_SECONDS = 1_209_600
"""How long the dead-letter queue keeps a message: 14 days."""
DEAD_LETTER_SECONDS_RANGE = (60, 1_209_600)
"""Amazon SQS's own limits."""

KEY_AGE_DAYS = 90
"""The age at which a vendor's access key is to be rotated."""
KEY_AGE_DAYS_RANGE = (1, 3650)
