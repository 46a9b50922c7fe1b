"""The external voice system while it is in trouble on purpose."""

from __future__ import annotations

from connect_sandbox.cloud.troubles import EXTERNAL_VOICE, Troubles
from connect_sandbox.rehearsal.ports import (
    CallFailed,
    DialOutcome,
    ExternalVoice,
    Invite,
    Line,
    NotAnswered,
)

_REFUSALS = {
    "down": "503 Service Unavailable",
    "denied": "403 Forbidden",
    "throttled": "486 Busy Here",
}


class TroubledVoice:
    """An ExternalVoice: refuses calls, or rings for long, while the vendor is set to; else it is the other end."""

    def __init__(self, troubles: Troubles, other_end: ExternalVoice) -> None:
        self._troubles, self._other_end = troubles, other_end

    def dial(self, invite: Invite, *, time_limit: float, line: Line) -> DialOutcome:
        """Call the other end."""
        trouble = self._troubles.of(EXTERNAL_VOICE)
        if trouble is None:
            return self._other_end.dial(invite, time_limit=time_limit, line=line)
        if trouble.kind != "slow":
            line.vendor_does("refuses the call: a fault that was set")
            return CallFailed(_REFUSALS[trouble.kind])
        rings = min(trouble.seconds, time_limit)
        line.vendor_does(f"lets it ring for {rings:g} s: a fault that was set", rings)
        if rings >= time_limit:
            return NotAnswered()
        return self._other_end.dial(invite, time_limit=time_limit - rings, line=line)
