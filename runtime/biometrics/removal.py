"""Forget callers: recordings, voice print, item, in an order that can be taken up again where it failed.

Environment: TABLE_NAME, KEY_ATTRIBUTE, TELEPHONY_SECRET_ARN, CALLER_KEY_SECRET_ARN, TWILIO_API_URL, DELETE_RECORDINGS
(true; only ``retention`` looks at it), and those of ``providers.selection``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from runtime.biometrics import machine
from runtime.biometrics.caller_tag import CallerTag
from runtime.biometrics.dialogue import Recordings
from runtime.biometrics.providers.base import VoiceBiometricsProvider
from runtime.biometrics.providers.selection import provider_from
from runtime.biometrics.recordings import CREDENTIALS, TwilioRecordings
from runtime.biometrics.table import Callers, CallersSettings, DynamoDbCallers
from runtime.shared.clients import client
from runtime.shared.environment import Environment
from runtime.shared.errors import BridgeError, TemporarilyUnavailableError
from runtime.shared.rotated_secret import secret_at
from runtime.shared.service_models import dynamodb

KEPT_RECORDINGS = 1_000
"""With DELETE_RECORDINGS false, how many recordings of a caller are kept: their ids have to fit into the item."""


class RemovalIncompleteError(BridgeError):
    """Something of the caller is left; the caller stays marked, and the daily sweep tries again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerRemoval:
    """Removes callers from the table, the biometrics provider and the telephony provider.

    ``tag`` is how they appear in logs, ``keep`` how many recordings each may keep.
    """

    callers: Callers
    provider: VoiceBiometricsProvider
    recordings: Recordings
    tag: CallerTag
    keep: int

    @classmethod
    def read(cls, variables: Mapping[str, str]) -> CallerRemoval:
        """Build it from a function's environment; raises ConfigurationError."""
        environment = Environment(variables)
        table = CallersSettings.read(environment)
        telephony = secret_at(environment.secret_arn("TELEPHONY_SECRET_ARN"), CREDENTIALS)
        key = environment.secret_arn("CALLER_KEY_SECRET_ARN")
        recordings = TwilioRecordings.read(environment, telephony)
        delete = environment.text(
            "DELETE_RECORDINGS", default="true", pattern="true|false", form="true or false"
        )
        provider = provider_from(environment)
        return cls(
            callers=DynamoDbCallers(client(dynamodb, connect_timeout=1, read_timeout=2, attempts=3), table),
            provider=provider,
            recordings=recordings,
            tag=CallerTag(secret_at(key, str)),
            keep=0 if delete == "true" else KEPT_RECORDINGS,
        )

    def erase(self, number: str) -> bool:
        """Forget one caller; tell whether there was anything. Repeating it is harmless.

        The item is marked first, so that no call starts anything meanwhile, and deleted last, since it alone knows
        the provider's id. Raises RemovalIncompleteError, ProviderUnavailableError, TemporarilyUnavailableError.
        """
        if not self.callers.read(number).revision:
            return False
        self.callers.change(number, machine.begin_erasure)
        self._finish(number)
        return True

    def forget_unused(self, number: str, now: int) -> bool:
        """Forget a caller whose time is over, or whose erasure was begun; tell whether it was so.

        Raises as ``erase`` does.
        """
        due = self.callers.change(number, lambda caller: machine.begin_retention(caller, now=now))
        if due:
            self._finish(number)
        return due

    def _finish(self, number: str) -> None:
        stored = self.callers.read(number)
        left = [one for one in stored.caller.recordings if not self.recordings.delete(one)]
        if stored.caller.user_id:
            self.provider.delete_user(stored.caller.user_id)
        if left:
            raise RemovalIncompleteError(
                f"{len(left)} recordings were not deleted at the telephony provider; the caller stays marked"
            )
        if stored.revision and not self.callers.delete(number, stored.revision):
            raise TemporarilyUnavailableError("the caller's item changed while it was erased; erase it again")

    def delete_recordings(self, number: str) -> int:
        """Delete what recordings a caller has at the telephony provider, but for the newest ``keep``.

        Returns how many are left that should not be.
        """
        recordings = self.callers.read(number).caller.recordings
        for recording in recordings[: max(0, len(recordings) - self.keep)]:
            if self.recordings.delete(recording):
                self.callers.change(
                    number,
                    lambda caller, one=recording: machine.recording_deleted(  # type: ignore[misc] # bound now
                        caller, recording=one
                    ),
                )
        return max(0, len(self.callers.read(number).caller.recordings) - self.keep)
