"""The third party in a rehearsal without a cloud: the scenario says what happens when the flow dials."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from connect_sandbox.rehearsal.errors import NotSetUpError
from connect_sandbox.rehearsal.ports import (
    CallFailed,
    DialOutcome,
    HungUpByCaller,
    HungUpByVendor,
    Invite,
    Line,
    NotAnswered,
    NotDialled,
)


@dataclass(frozen=True)
class TakesTheCall:
    """The third party answers after `after` seconds, converses and hangs up; `drops` says why the call breaks off.

    `conversation` holds ("says", text) and ("asks", text) turns.
    """

    after: float = 2.0
    conversation: tuple[tuple[str, str], ...] = ()
    drops: str | None = None


@dataclass(frozen=True)
class DoesNotTakeIt:
    """The third party does not answer; `outcome` says why."""

    outcome: CallFailed | NotAnswered | NotDialled


Reaction = TakesTheCall | DoesNotTakeIt
"""What the third party does with one call."""


class CannedVendor:
    """An ExternalVoice: one reaction for each call, the last one repeats."""

    def __init__(self, reactions: Sequence[Reaction]) -> None:
        self._reactions = reactions
        self.invites: list[Invite] = []

    def dial(self, invite: Invite, *, time_limit: float, line: Line) -> DialOutcome:
        """Call the third party; NotSetUpError if the scenario has none."""
        if not self._reactions:
            raise NotSetUpError(
                f"the scenario does not say who answers {invite.to!r}: set it up in vendor",
                "vendor",
                example=[{"answers_after": 2}],
            )
        reaction = self._reactions[min(len(self.invites), len(self._reactions) - 1)]
        self.invites.append(invite)
        if isinstance(reaction, DoesNotTakeIt):
            return reaction.outcome
        if reaction.after > time_limit:
            return NotAnswered()
        line.vendor_does("takes the call", seconds=reaction.after)
        for how, text in reaction.conversation:
            if how == "asks":
                line.vendor_asks(text)
            else:
                line.vendor_says(text)
            if not line.caller_stays():
                return HungUpByCaller()
        return HungUpByVendor() if reaction.drops is None else CallFailed(reaction.drops)
