from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from runtime.shared.logging import LOGGER, event_logger


def test_events_are_not_logged_even_if_the_environment_asks_for_it(
    monkeypatch: pytest.MonkeyPatch, context: Any, logs: Callable[[], str]
) -> None:
    monkeypatch.setenv("POWERTOOLS_LOGGER_LOG_EVENT", "true")

    @event_logger(correlation_id_path="id")
    def handler(event: Any, context: Any) -> None:
        LOGGER.info("called")

    handler({"id": "correlated", "authorizationToken": "nobody-may-log-this"}, context)
    assert '"correlation_id":"correlated"' in logs()
    assert "nobody-may-log-this" not in logs()
