"""How callers appear in logs: as a keyed hash of their number, so that lines of one caller can be found together.

A plain hash would not hide anything: there are few telephone numbers, and all of them can be hashed. The key lies in
Secrets Manager; whoever may read it can find a caller's lines by computing the tag of the number.
"""

from __future__ import annotations

import hashlib
import hmac

from runtime.shared.clients import error_code
from runtime.shared.logging import LOGGER
from runtime.shared.rotated_secret import RotatedSecret


class CallerTag:
    """Makes tags of 16 hexadecimal digits; without the key, calls go on and the tag is ``unknown``."""

    def __init__(self, key: RotatedSecret[str]) -> None:
        self._key = key

    def of(self, number: str) -> str:
        """Return the tag of a telephone number."""
        try:
            key = self._key.versions()[0]
        except Exception as error:  # noqa: BLE001 (whatever it is: a log line is no reason to fail a call)
            LOGGER.warning("key of caller tags not read", cause=error_code(error))
            return "unknown"
        return hmac.new(key.encode(), number.encode(), hashlib.sha256).hexdigest()[:16]
