"""Forget callers: recordings, voice print, item, in an order that can be taken up again where it failed.

Environment: TABLE_NAME, KEY_ATTRIBUTE, TELEPHONY_SECRET_ARN, TELEPHONY_NUMBER, CALLER_KEY_SECRET_ARN, TWILIO_API_URL,
DELETE_RECORDINGS (true) and ENROLMENTS_NEEDED (both for ``retention`` only), and those of ``providers.selection``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from runtime.biometrics import limits, machine
from runtime.biometrics.caller_tag import CallerTag
from runtime.biometrics.policy import Policy
from runtime.biometrics.providers.base import VoiceBiometricsProvider
from runtime.biometrics.providers.selection import provider_from
from runtime.biometrics.recordings import CREDENTIALS, Call, Recording, TwilioRecordings
from runtime.biometrics.table import Callers, CallersSettings, DynamoDbCallers
from runtime.shared.clients import client
from runtime.shared.environment import Environment
from runtime.shared.errors import BridgeError, TemporarilyUnavailableError
from runtime.shared.logging import LOGGER
from runtime.shared.rotated_secret import secret_at
from runtime.shared.service_models import dynamodb

KEPT_RECORDINGS = 1_000
"""With DELETE_RECORDINGS false, how many recordings of a caller are kept: their ids have to fit into the item."""
MOST_CALLS = 5_000
"""How many calls of a caller are looked through: their ids have to fit into the item."""
CROSSED_OUT_AT_ONCE = 25
"""How much is done before it is written down, so that whoever takes it up again does not begin anew."""
RESERVE_SECONDS = 15.0
"""What is kept of an invocation's time for a call to Twilio that is slow, and for writing down what was done."""


class RemovalIncompleteError(BridgeError):
    """Something of the caller is left; the caller stays marked, and the daily sweep tries again."""


class RemovalUnderWayError(RemovalIncompleteError):
    """Nothing failed, but the time was over; asking again goes on where this ended."""


class Inventory(Protocol):
    """What the telephony provider holds, whatever we know of it. Every method may raise BridgeError."""

    def delete(self, sid: str) -> bool:
        """Delete the recording; tell whether it is gone. Never raises."""
        ...

    def of_call(self, call_sid: str) -> list[Recording]:
        """Return the recordings of a call."""
        ...

    def of_day(self, day: str) -> Iterator[Recording]:
        """Yield the account's recordings of a day."""
        ...

    def calls_from(self, number: str, to: str) -> Iterator[Call]:
        """Yield the calls that a number made to another."""
        ...

    def calls_of_day(self, day: str, to: str) -> Iterator[Call]:
        """Yield the calls to a number that began on a day."""
        ...

    def is_over(self, call_sid: str) -> bool:
        """Tell whether nobody is on the call any more."""
        ...


def no_limit() -> float:
    """Return that there is time for everything."""
    return math.inf


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerRemoval:
    """Removes callers from the table, the biometrics provider and the telephony provider.

    ``telephony_number`` is the number that callers are transferred to; ``tag`` is how they appear in logs, ``keep`` how
    many recordings each may keep.
    """

    callers: Callers
    provider: VoiceBiometricsProvider
    recordings: Inventory
    telephony_number: str
    tag: CallerTag
    keep: int
    policy: Policy = field(default_factory=Policy)

    @classmethod
    def read(cls, variables: Mapping[str, str]) -> CallerRemoval:
        """Build it from a function's environment; raises ConfigurationError."""
        environment = Environment(variables)
        table = CallersSettings.read(environment)
        telephony = secret_at(environment.secret_arn("TELEPHONY_SECRET_ARN"), CREDENTIALS)
        number = environment.text(
            "TELEPHONY_NUMBER", pattern=limits.PHONE_NUMBER.pattern, form="an E.164 number"
        )
        key = environment.secret_arn("CALLER_KEY_SECRET_ARN")
        recordings = TwilioRecordings.read(environment, telephony)
        delete = environment.text(
            "DELETE_RECORDINGS", default="true", pattern="true|false", form="true or false"
        )
        policy = Policy.read(environment)
        provider = provider_from(environment)
        return cls(
            callers=DynamoDbCallers(client(dynamodb, connect_timeout=1, read_timeout=2, attempts=3), table),
            provider=provider,
            recordings=recordings,
            telephony_number=number,
            tag=CallerTag(secret_at(key, str)),
            keep=0 if delete == "true" else KEPT_RECORDINGS,
            policy=policy,
        )

    def erase(self, number: str, time_left: Callable[[], float] = no_limit) -> bool:
        """Forget one caller; tell whether there was anything. Repeating it is harmless.

        The item is marked first, so that no call starts anything meanwhile, and deleted last, since it alone knows
        the provider's id and how far the erasure has come. A caller of whom the table knows nothing is looked for at
        the telephony provider, too. time_left: seconds.
        Raises RemovalIncompleteError, RemovalUnderWayError, ProviderUnavailableError, RecordingUnavailableError,
        TemporarilyUnavailableError.
        """
        known = bool(self.callers.read(number).revision)
        if not known and not self._calls(number):
            return False
        self.callers.change(number, machine.begin_erasure)
        return bool(self._finish(number, time_left)) or known

    def forget_unused(self, number: str, now: int, time_left: Callable[[], float] = no_limit) -> bool:
        """Forget a caller whose time is over, or whose erasure was begun; tell whether it was so.

        Raises as ``erase`` does.
        """
        due = self.callers.change(number, lambda caller: machine.begin_retention(caller, now=now))
        if due:
            self._finish(number, time_left)
        return due

    def _finish(self, number: str, time_left: Callable[[], float]) -> int:
        """Delete everything about a caller who is marked; return how many recordings that were."""
        caller = self.callers.read(number).caller
        for user_id in (*caller.discarded, *([caller.user_id] if caller.user_id else [])):
            self.provider.delete_user(user_id)
        if not caller.inventoried:
            calls = self._calls(number)
            self.callers.change(number, lambda caller: machine.inventoried(caller, calls=calls))
        deleted = self._delete_recordings(number, time_left)
        stored = self.callers.read(number)
        if stored.revision and not self.callers.delete(number, stored.revision):
            raise TemporarilyUnavailableError("the caller's item changed while it was erased; erase it again")
        return deleted

    def _calls(self, number: str) -> tuple[str, ...]:
        """Return the caller's calls that the telephony provider knows of."""
        return tuple(
            call.sid
            for call, _ in zip(
                self.recordings.calls_from(number, self.telephony_number), range(MOST_CALLS), strict=False
            )
        )

    def _delete_recordings(self, number: str, time_left: Callable[[], float]) -> int:
        """Delete the recordings that are known, then those of every call, and write down how far it has come."""
        progress = _Progress(self.callers, number)
        caller = self.callers.read(number).caller
        deleted = left = 0
        under_way = False
        try:
            for recording in caller.recordings:
                _check_time(time_left)
                if self.recordings.delete(recording):
                    deleted += 1
                    progress.deleted(recording)
                else:
                    left += 1
            for call in caller.calls:
                _check_time(time_left)
                if not self.recordings.is_over(call):
                    under_way = True
                    continue
                _check_time(time_left)
                made = self.recordings.of_call(call)
                gone = sum(self.recordings.delete(one.sid) for one in made)
                deleted, left = deleted + gone, left + len(made) - gone
                if gone == len(made):
                    progress.looked_through(call)
        finally:
            progress.write_down()
        if left:
            raise RemovalIncompleteError(
                f"{left} recordings were not deleted at the telephony provider; the caller stays marked"
            )
        if under_way:
            raise RemovalIncompleteError(
                "a call of the caller to the telephony provider is not over, and may yet be recorded; the caller stays "
                "marked: erase again after the call"
            )
        return deleted

    def discard_half(self, number: str, now: int) -> None:
        """Delete unfinished enrolments of a caller at the provider. Raises ProviderUnavailableError."""
        discarded = self.callers.change(
            number, lambda caller: machine.discard_half(caller, policy=self.policy, now=now)
        )
        for user_id in discarded:
            self.provider.delete_user(user_id)
            self.callers.change(
                number,
                lambda caller, one=user_id: machine.user_discarded(  # type: ignore[misc] # bound now
                    caller, user_id=one
                ),
            )

    def delete_recordings(self, number: str) -> int:
        """Delete what recordings a caller has at the telephony provider, but for the newest ``keep``.

        Returns how many are left that should not be.
        """
        recordings = self.callers.read(number).caller.recordings
        progress = _Progress(self.callers, number)
        for recording in recordings[: max(0, len(recordings) - self.keep)]:
            if self.recordings.delete(recording):
                progress.deleted(recording)
        progress.write_down()
        return max(0, len(self.callers.read(number).caller.recordings) - self.keep)


def _check_time(time_left: Callable[[], float]) -> None:
    if time_left() < RESERVE_SECONDS:
        raise RemovalUnderWayError(
            "the caller has more recordings than can be deleted at once; erase again, and it goes on from there"
        )


class _Progress:
    """What was done for a caller, written down now and then."""

    def __init__(self, callers: Callers, number: str) -> None:
        self._callers, self._number = callers, number
        self._recordings: set[str] = set()
        self._calls: set[str] = set()

    def deleted(self, recording: str) -> None:
        self._recordings.add(recording)
        self._now_and_then()

    def looked_through(self, call: str) -> None:
        self._calls.add(call)
        self._now_and_then()

    def _now_and_then(self) -> None:
        if len(self._recordings) + len(self._calls) >= CROSSED_OUT_AT_ONCE:
            self.write_down()

    def write_down(self) -> None:
        recordings, calls = frozenset(self._recordings), frozenset(self._calls)
        if recordings or calls:
            self._callers.change(
                self._number,
                lambda caller: machine.crossed_out(caller, recordings=recordings, calls=calls),
            )
            LOGGER.info("removal goes on", recordings=len(recordings), calls=len(calls))
        self._recordings.clear()
        self._calls.clear()
