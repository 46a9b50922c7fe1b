"""The caller's end of a call with an external voice system."""

from collections.abc import Mapping
from typing import Any

from connect_sandbox.rehearsal.conditions import HangsUp, Presses, Says
from connect_sandbox.rehearsal.stage import CallerHungUpError, Stage


class VendorLine:
    """Lets the vendor speak and act on the contact that `stage` plays. A ports.Line."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._caller_is_there = True

    def vendor_says(self, text: str) -> None:
        """Let the caller hear it; if they hang up on it, `caller_stays` is false."""
        try:
            self._stage.says(text, who="vendor")
        except CallerHungUpError:
            self._caller_is_there = False

    def vendor_asks(self, text: str) -> str | None:
        """Let the caller hear it and return the reply ("" for silence); None if the caller hangs up."""
        self.vendor_says(text)
        if not self._caller_is_there:
            return None
        move = self._stage.caller.reacts()
        match move:
            case HangsUp():
                self._caller_is_there = False
                return None
            case Says(words):
                arrived = self._stage.heard(words)
                self._stage.clock.passes(len(words) / 14)
                return arrived
            case Presses(digits):
                self._stage.note(f"presses {digits}", who="caller")
                return digits
            case _:
                self._stage.note("stays silent", who="caller")
                return ""

    def vendor_does(self, text: str, seconds: float = 0.0, data: Mapping[str, Any] | None = None) -> None:
        """Record what the vendor did, and let it take that long."""
        self._stage.clock.passes(seconds)
        self._stage.note(text, who="vendor", **(data or {}))

    def caller_stays(self) -> bool:
        """Return whether the caller is still on the line."""
        return self._caller_is_there
