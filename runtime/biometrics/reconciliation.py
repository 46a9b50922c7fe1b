"""Once a day: find the recordings at Twilio of which nobody told us, and delete them.

A webhook that was refused, throttled, lost, or that failed before its turn was written leaves a recording that only
Twilio knows of. So the sweep asks Twilio, day by day, what was recorded (<Record>) in calls to the gate's number, and
deletes what no caller is meant to keep. A day that has been over for YOUNG_SECONDS, and of which nothing is left, is
not looked at again.

It takes a request a day and thousand recordings of the account, and another one a thousand calls to the number; with
kept recordings, one read of the table a caller.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from runtime.biometrics.recordings import Call, Recording
from runtime.biometrics.removal import CallerRemoval
from runtime.shared.logging import LOGGER
from runtime.shared.metrics import count

FIRST_DAYS = 400
"""How many days back the first sweep begins: Twilio lists calls for about 13 months."""
YOUNG_SECONDS = 600
"""A recording may be being judged for so long, even if its call is over."""


@dataclass(slots=True)
class Reconciled:
    """What a run did: recordings deleted, those that could not be, and whether there was time for every day."""

    deleted: int = 0
    left: int = 0
    complete: bool = True


def reconcile(removal: CallerRemoval, now: int, time_left: Callable[[], bool]) -> Reconciled:
    """Look through the days since the last one that was clean. Raises BridgeError if Twilio does not answer.

    time_left: whether there is time for another day.
    """
    today = datetime.fromtimestamp(now, UTC).date()
    # Twilio's clock may still be on a day that is over by ours, and make a recording that no sweep would look for.
    settled = datetime.fromtimestamp(now - YOUNG_SECONDS, UTC).date()
    clean = _clean_until(removal, today)
    began_at, day = clean, clean + timedelta(days=1)
    result = Reconciled()
    try:
        while day <= today:
            if not time_left():
                result.complete = False
                break
            done = _look_through(removal, day, now, result) and day < settled
            if done and clean == day - timedelta(days=1):
                clean = day
            day += timedelta(days=1)
    finally:
        if clean != began_at:
            removal.callers.set_reconciled(clean.isoformat())
    return result


def _clean_until(removal: CallerRemoval, today: date) -> date:
    first = today - timedelta(days=FIRST_DAYS)
    try:
        return max(first, date.fromisoformat(removal.callers.reconciled()))
    except ValueError:
        return first


def _look_through(removal: CallerRemoval, day: date, now: int, result: Reconciled) -> bool:
    """Delete a day's recordings that nobody is meant to keep; tell whether nothing is left to be done."""
    made = list(removal.recordings.of_day(day.isoformat()))
    if not made:
        return True
    ours: dict[str, Call] = {}
    for began in (day - timedelta(days=1), day):  # a call may go on past midnight
        calls = removal.recordings.calls_of_day(began.isoformat(), removal.telephony_number)
        ours.update({call.sid: call for call in calls})
    kept: dict[str, frozenset[str]] = {}
    clean = True
    for recording in made:
        call = ours.get(recording.call_sid)
        if call is None:
            continue
        if not call.over or now - recording.made_at < YOUNG_SECONDS:
            clean = False
        elif not _is_kept(removal, call, recording, kept):
            clean = _delete(removal, recording, result) and clean
    return clean


def _is_kept(
    removal: CallerRemoval, call: Call, recording: Recording, kept: dict[str, frozenset[str]]
) -> bool:
    if not removal.keep:
        return False
    if call.number not in kept:
        kept[call.number] = frozenset(removal.callers.read(call.number).caller.recordings)
    return recording.sid in kept[call.number]


def _delete(removal: CallerRemoval, recording: Recording, result: Reconciled) -> bool:
    gone = removal.recordings.delete(recording.sid)
    if gone:
        result.deleted += 1
        count("RecordingFound")
        LOGGER.warning("a recording that nobody told us of is deleted", recording=recording.sid)
    else:
        result.left += 1
        LOGGER.error("a recording is left at the telephony provider", recording=recording.sid)
    return gone
