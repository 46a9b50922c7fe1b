"""Forget a caller: recordings, voice print, item, in an order that can be taken up again where it failed."""

from __future__ import annotations

from dataclasses import dataclass

from runtime.biometrics import machine
from runtime.biometrics.dialogue import Recordings
from runtime.biometrics.provider import VoiceBiometricsProvider
from runtime.biometrics.table import Callers
from runtime.shared.errors import BridgeError, TemporarilyUnavailableError


class ErasureIncompleteError(BridgeError):
    """Something of the caller is left; the caller stays marked, and the daily sweep tries again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """Forgets callers in table, provider and telephony provider."""

    callers: Callers
    provider: VoiceBiometricsProvider
    recordings: Recordings

    def erase(self, number: str) -> bool:
        """Forget one caller; tell whether there was anything. Repeating it is harmless.

        The item is marked first, so that no call starts anything meanwhile, and deleted last, since it alone knows
        the provider's id. Raises ErasureIncompleteError, ProviderUnavailableError, TemporarilyUnavailableError.
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
            raise ErasureIncompleteError(
                f"{len(left)} recordings were not deleted at the telephony provider; the caller stays marked"
            )
        if stored.revision and not self.callers.delete(number, stored.revision):
            raise TemporarilyUnavailableError("the caller's item changed while it was erased; erase it again")

    def delete_recordings(self, number: str, keep: int = 0) -> int:
        """Delete what recordings a caller has at the telephony provider, but for the newest ``keep``.

        Returns how many are left that should not be.
        """
        recordings = self.callers.read(number).caller.recordings
        for recording in recordings[: max(0, len(recordings) - keep)]:
            if self.recordings.delete(recording):
                self.callers.change(
                    number,
                    lambda caller, one=recording: machine.recording_deleted(  # type: ignore[misc] # bound now
                        caller, recording=one
                    ),
                )
        return max(0, len(self.callers.read(number).caller.recordings) - keep)
