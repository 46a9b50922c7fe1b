"""Once a day: forget callers whom nobody has heard for long, finish what failed, and delete what got lost.

That is: erasures, recordings and unfinished enrolments that could not be deleted, and recordings that only Twilio knows
of (``reconciliation``).

Invoked on a schedule; the event is not looked at. Environment: that of ``removal``. IAM: what ``erase`` has, and
dynamodb:Scan on the table. Raises at the end if anything failed, so that the function's error metric tells; the next
day takes it up again. Stops a minute before its time is over, for the same reason.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from runtime.biometrics.reconciliation import Reconciled, reconcile
from runtime.biometrics.removal import RESERVE_SECONDS, CallerRemoval
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
    """Sweep once."""

    def seconds_left() -> float:
        return (context.get_remaining_time_in_millis() - RESERVE_MILLISECONDS) / 1000

    return sweep(_removal(), int(time.time()), seconds_left)


def sweep(removal: CallerRemoval, now: int, seconds_left: Callable[[], float]) -> dict[str, int]:
    """Go through the callers that are due, then through what Twilio holds. Raises SweepIncompleteError."""
    done = failed = 0
    stopped = False
    for number in removal.callers.overdue(now, keep=removal.keep, needed=removal.policy.enrolments_needed):
        if seconds_left() < 0:
            LOGGER.warning("sweep stopped, the rest is for tomorrow", done=done, failed=failed)
            stopped = True
            break
        try:
            _deal_with(removal, number, now, seconds_left)
            done += 1
        except Exception as error:  # noqa: BLE001 (one caller's failure must not keep the others)
            failed += 1
            LOGGER.warning("caller not dealt with", caller=removal.tag.of(number), cause=error_code(error))
    found = _reconcile(removal, now, seconds_left)
    through = not stopped and not failed and found is not None and found.complete and not found.left
    count("SweepDone" if through else "SweepIncomplete")
    if failed:
        raise SweepIncompleteError(f"{failed} callers could not be dealt with, {done} were")
    if found is None:
        raise SweepIncompleteError("Twilio did not say which recordings it holds; the log has the cause")
    if found.left:
        raise SweepIncompleteError(f"{found.left} recordings are left at Twilio; the log names them")
    LOGGER.info("sweep done", done=done, recordings=found.deleted, complete=through)
    return {"done": done}


def _reconcile(removal: CallerRemoval, now: int, seconds_left: Callable[[], float]) -> Reconciled | None:
    """Look for recordings that nobody told us of; None if that failed."""
    try:
        return reconcile(removal, now, lambda: seconds_left() > 0)
    except Exception as error:  # noqa: BLE001 (the callers that were dealt with stay so; the log gets the cause)
        LOGGER.warning("recordings not reconciled", cause=error_code(error), detail=str(error))
        return None


def _deal_with(removal: CallerRemoval, number: str, now: int, seconds_left: Callable[[], float]) -> None:
    if removal.forget_unused(number, now, lambda: seconds_left() + RESERVE_SECONDS):
        return
    removal.discard_half(number, now)
    caller = removal.callers.read(number).caller
    in_use = caller.session is not None and now < caller.session.expires_at
    if not in_use and removal.delete_recordings(number):
        raise SweepIncompleteError("recordings are left at the telephony provider")


@built_at_init
def _removal() -> CallerRemoval:
    return CallerRemoval.read(os.environ)
