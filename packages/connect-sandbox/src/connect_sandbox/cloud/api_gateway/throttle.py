"""Throttling: a token bucket per method by a stage's method settings, and one per API key by its usage plan."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from connect_sandbox.cloud.api_gateway.registry import MethodSetting, Stage, UsagePlan


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
        return self._take((api_id, stage.name, path, verb), setting.rate, setting.burst)

    def admit_key(self, plan: UsagePlan, key: str) -> bool:
        """Take one token of an API key's bucket; a plan without a throttle lets everything pass."""
        if plan.rate is None or plan.burst is None:
            return True
        return self._take(("usage plan", plan.id, key, ""), plan.rate, plan.burst)

    def _take(self, key: tuple[str, str, str, str], rate: float, burst: int) -> bool:
        now = self._clock()
        with self._lock:
            tokens, then = self._buckets.get(key, (float(burst), now))
            tokens = min(float(burst), tokens + (now - then) * rate)
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
