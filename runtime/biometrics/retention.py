"""Once a day: forget callers whom nobody has heard for long, and finish erasures and deletions that failed.

Invoked on a schedule; the event is not looked at. Environment: that of ``removal``. IAM: what ``erase`` has, and
dynamodb:Scan on the table. Raises at the end if anything failed, so that the function's error metric tells; the next
day takes it up again. Stops a minute before its time is over, for the same reason.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from runtime.biometrics.removal import CallerRemoval
from runtime.shared.clients import error_code
from runtime.shared.errors import BridgeError
from runtime.shared.initialization import built_at_init
from runtime.shared.logging import LOGGER, event_logger
from runtime.shared.metrics import count, metered

RESERVE_MILLISECONDS = 60_000


class SweepIncompleteError(BridgeError):
    """Some callers could not be dealt with; the log names them by their tags."""


@metered()
@event_logger()
def handler(event: Mapping[str, Any], context: LambdaContext) -> dict[str, int]:  # noqa: ARG001 (Lambda's signature)
    """Go through the callers that are due."""
    removal, now = _removal(), int(time.time())
    done = failed = 0
    for number in removal.callers.overdue(now, keep=removal.keep):
        if context.get_remaining_time_in_millis() < RESERVE_MILLISECONDS:
            LOGGER.warning("sweep stopped, the rest is for tomorrow", done=done, failed=failed)
            break
        try:
            _deal_with(removal, number, now)
            done += 1
        except Exception as error:  # noqa: BLE001 (one caller's failure must not keep the others)
            failed += 1
            LOGGER.warning("caller not dealt with", caller=removal.tag.of(number), cause=error_code(error))
    count("SweepDone" if not failed else "SweepIncomplete")
    if failed:
        raise SweepIncompleteError(f"{failed} callers could not be dealt with, {done} were")
    LOGGER.info("sweep done", done=done)
    return {"done": done}


def _deal_with(removal: CallerRemoval, number: str, now: int) -> None:
    if removal.forget_unused(number, now):
        return
    caller = removal.callers.read(number).caller
    in_use = caller.session is not None and now < caller.session.expires_at
    if not in_use and removal.delete_recordings(number):
        raise SweepIncompleteError("recordings are left at the telephony provider")


@built_at_init
def _removal() -> CallerRemoval:
    return CallerRemoval.read(os.environ)
