"""Forms, limits and defaults of the voice biometrics, stated once for functions, construct and settings.

Standard library only: the constructs load this file by its path. A range is lowest and highest, both included.
"""

from __future__ import annotations

import re

CODE_LENGTH = 8
"""Digits of a session's code; they reach the telephony side as DTMF tones, sent by Amazon Connect."""

PHONE_NUMBER = re.compile(r"\+[1-9][0-9]{1,14}", re.ASCII)
"""E.164. Anonymous callers have none, and so no voice of their own."""

PARTITION_KEY = "phoneNumber"

PHRASE = "never forget tomorrow is a new day"
"""What callers say; the provider has to have enabled it."""
PHRASE_TEXT = re.compile(r"[^\x00-\x1f]{3,200}")
PHRASES_RANGE = (2, 5)
"""Several phrases, of which verification asks for one at random."""
PHRASES_BYTES = 800
"""All of them together, as UTF-8: as much as one phrase may take. A function's environment variables share 4 KB."""
ENROLMENT_RECORDINGS = 15
"""Recordings of one enrolment at most, enrolments x phrases: about four minutes in which a caller repeats phrases."""
LANGUAGE = "en-US"
LANGUAGE_CODE = re.compile(r"[a-z]{2,3}-[A-Za-z0-9]{2,4}", re.ASCII)
VOICE = "default"
"""The telephony provider's own voice."""
VOICE_NAME = re.compile(r"[A-Za-z0-9._-]+", re.ASCII)

PROVIDER_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
PROVIDER_SECONDS = 7
"""How long a caller waits for a judgement until it counts as unavailable."""
PROVIDER_SECONDS_RANGE = (1, 8)
"""Twilio gives up after 15 s; fetching the recording, the table and deleting take up to 6 s of them."""

ENROLMENTS = 3
"""Recordings that make a voice print."""
ENROLMENTS_RANGE = (1, 10)
TRIES = 3
"""In one call."""
TRIES_RANGE = (1, 10)
LOCK_AFTER = 3
"""Failed tries in a row, over all calls of a number."""
LOCK_AFTER_RANGE = (1, 100)
DAY_TRIES = 10
"""Failed tries of a number within 24 hours, whatever came between, until it is locked for 24 hours."""
DAY_TRIES_RANGE = (1, 1_000)
MONTH_TRIES = 30
"""Failed tries of a number within 30 days until it is locked for 30 days, or until somebody unlocks it."""
MONTH_TRIES_RANGE = (1, 1_000)
DAY_SECONDS = 86_400
MONTH_SECONDS = 30 * DAY_SECONDS
MOST_GUESSES = 10
"""Wrong codes that calls of a number may show until the code that it waits for is worth nothing any more."""
LOCK_SECONDS = 900
LOCK_SECONDS_RANGE = (1, 2_592_000)
PROOF_SECONDS = 60
"""From the proof to its use, when the flow resumes."""
REDIAL_PROOF_SECONDS = 10
"""The same when the caller is dialled back in: then the proof is bound to the number only."""
PROOF_SECONDS_RANGE = (1, 600)
RETENTION_DAYS = 365
"""After which an unused voice print is deleted."""
RETENTION_DAYS_RANGE = (1, 3650)
UNENROLLED_SECONDS = DAY_SECONDS
"""After which a caller is forgotten who has no voice print and has not refused one."""
MIN_CONFIDENCE = 0
"""Percent that a match needs on top of the provider's own threshold; 0 leaves it to the provider."""
MIN_CONFIDENCE_RANGE = (0, 100)

CONNECTION_SECONDS = 30
"""How long the telephony side may take to answer."""
CONNECTION_SECONDS_RANGE = (1, 600)
CLAIM_MARGIN_SECONDS = 60
"""What the code outlives that by: the prompt before the transfer, and the digits after it."""
CLAIM_SECONDS = CONNECTION_SECONDS + CLAIM_MARGIN_SECONDS
CLAIM_SECONDS_RANGE = (10, 900)
SESSION_SECONDS = 300
"""How long a dialogue may take, at least."""
SESSION_SECONDS_RANGE = (30, 3600)

RECORDING_TRANSFERS = ("fetch", "url")
RECORD_SECONDS = 5
"""How long a recording may get, if the phrase needs no longer."""
RECORD_SECONDS_RANGE = (2, 30)
