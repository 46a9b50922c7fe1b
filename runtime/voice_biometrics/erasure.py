"""Forget a caller: recordings, voice print, item, in an order that can be taken up again where it failed."""

from __future__ import annotations

from dataclasses import dataclass

from connect_bridges.runtime.shared.errors import BridgeError, TemporarilyUnavailableError
from connect_bridges.runtime.voice_biometrics import machine
from connect_bridges.runtime.voice_biometrics.dialogue import Recordings
from connect_bridges.runtime.voice_biometrics.provider import VoiceBiometricsProvider
from connect_bridges.runtime.voice_biometrics.table import Callers


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
        return True

    def delete_recordings(self, number: str) -> int:
        """Delete what recordings a caller has left at the telephony provider; return how many are left."""
        for recording in self.callers.read(number).caller.recordings:
            if self.recordings.delete(recording):
                self.callers.change(
                    number,
                    lambda caller, one=recording: machine.recording_deleted(  # type: ignore[misc] # bound now
                        caller, recording=one
                    ),
                )
        return len(self.callers.read(number).caller.recordings)
