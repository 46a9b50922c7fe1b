"""Limits and defaults of what AWS runs for every bridge; those of one capability are in runtime/<capability>/limits.py.

No CDK in here, so that settings can be checked without it. A range is lowest and highest, both included.
"""

from __future__ import annotations

import re

STAGE_NAME = "prod"
STAGE_NAME_TEXT = re.compile(r"[A-Za-z0-9_]{1,128}", re.ASCII)
RESOURCE_PATH = re.compile(r"[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*", re.ASCII)
"""A path below the stage, without slashes at its ends; API Gateway takes no other characters in its parts."""

THROTTLING_RATE_LIMIT = 50
"""Requests a second."""
THROTTLING_RATE_LIMIT_RANGE = (1, 10_000)
"""The upper end is the account's default quota in most Regions."""
THROTTLING_BURST_LIMIT = 100
THROTTLING_BURST_LIMIT_RANGE = (1, 5_000)

CEILING_RATE_LIMIT = 1_000
"""Requests a second of everybody together, before any token is looked at."""
CEILING_BURST_LIMIT = 2_000

MEMORY_SIZE_RANGE = (128, 10_240)
"""MB that Lambda gives a function."""
MOST_LAYERS = 5
"""That Lambda adds to a function."""

VOICES_ALARM_THRESHOLD = 10
"""Voices that did not match within five minutes, until the gate's alarm VerificationFailures fires."""
LOCKS_ALARM_THRESHOLD = 3
"""Numbers that became locked within five minutes, until the gate's alarm LockOuts fires."""
GUESSES_ALARM_THRESHOLD = 5
"""Wrong one-time codes within five minutes, until the gate's alarm GuessedCodes fires."""
UNEXPECTED_CALLS_ALARM_THRESHOLD = 20
"""Calls that nobody waited for within five minutes, until the gate's alarm UnexpectedCalls fires."""
