"""Structured logs that never hold what callers said or which token they showed.

`event_logger` wraps a handler in Powertools' Logger. It is the only way in which handlers log, because it
switches event logging off in code: the environment variable POWERTOOLS_LOGGER_LOG_EVENT would otherwise
write whole events, with the metadata and the authorization token in them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

Handler: TypeAlias = Callable[[Any, LambdaContext], Any]

LOGGER = Logger()
"""One logger per function; service and level come from POWERTOOLS_SERVICE_NAME and POWERTOOLS_LOG_LEVEL."""


def event_logger(*, correlation_id_path: str | None = None) -> Callable[[Handler], Handler]:
    """Decorate a handler: request id, cold start and the correlation id are in every line that it logs.

    `correlation_id_path` is the JMESPath of the correlation id within the event.
    """

    def decorate(handler: Handler) -> Handler:
        decorated: Handler = LOGGER.inject_lambda_context(
            handler, log_event=False, correlation_id_path=correlation_id_path, clear_state=True
        )
        return decorated

    return decorate
