"""Forms and limits of the voice biometrics, stated once: the functions obey them, construct and settings read them.

Standard library only: the constructs load this file by its path.
"""

from __future__ import annotations

import re

CODE_LENGTH = 8
"""Digits of a session's code; they reach the telephony side as DTMF tones, sent by Amazon Connect."""

PHONE_NUMBER = re.compile(r"\+[1-9][0-9]{1,14}", re.ASCII)
"""E.164. Anonymous callers have none, and so no voice of their own."""
