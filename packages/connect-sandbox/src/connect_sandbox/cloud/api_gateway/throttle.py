"""Throttling by a stage's method settings: a token bucket per method."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from connect_sandbox.cloud.api_gateway.registry import MethodSetting, Stage


class Throttle:
    """The buckets of every API's methods."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` gives seconds."""
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: dict[tuple[str, str, str, str], tuple[float, float]] = {}

    def admit(self, api_id: str, stage: Stage, path: str, verb: str) -> bool:
        """Take one token; return False if the bucket is empty. A method without a setting is not throttled."""
        setting = _setting(stage, path, verb)
        if setting is None:
            return True
        key = (api_id, stage.name, path, verb)
        now = self._clock()
        with self._lock:
            tokens, then = self._buckets.get(key, (float(setting.burst), now))
            tokens = min(float(setting.burst), tokens + (now - then) * setting.rate)
            admitted = tokens >= 1
            self._buckets[key] = (tokens - 1 if admitted else tokens, now)
        return admitted


def _setting(stage: Stage, path: str, verb: str) -> MethodSetting | None:
    """Return the most specific setting of a method."""
    for wanted in ((path, verb), (path, "*"), ("*", verb), ("*", "*")):
        for setting in stage.settings:
            if (setting.path, setting.verb) == wanted:
                return setting
    return None
