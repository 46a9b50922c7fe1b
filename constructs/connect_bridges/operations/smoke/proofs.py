"""Which entries of the evidence a run has proved or disproved, and which it leaves open."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from connect_bridges.operations import evidence
from connect_bridges.operations.smoke.result import Check, Outcome

COMMAND = "smoke:"
State = Literal["proved", "disproved", "open"]
_EVERYWHERE = frozenset({"ConnectInstance and ContactFlow", "All bridges"})


@dataclass(frozen=True)
class Proof:
    """An entry of the evidence: its id, what the run says of it, and by which checks. text: what to tell about it."""

    id: str
    state: State
    checks: tuple[str, ...]
    text: str


def proofs(checks: Iterable[tuple[str, Check]]) -> list[Proof]:
    """Return what a run says of each entry that concerns the constructs that were tried; checks: with the construct.

    proved: every check of smoke that the entry names went well wherever it was done, at least once. disproved: one
    failed in a way that shows the claim to be wrong. open: all others, with what would show it. An entry about one
    construct is proved by that construct's checks alone, since others have checks of the same name.
    """
    done = list(checks)
    constructs = {construct for construct, _ in done}
    found = []
    for entry in evidence.entries():
        everywhere = entry.part in _EVERYWHERE
        concerned = {construct for construct in constructs if everywhere or construct in entry.part}
        if concerned:
            by_name: dict[str, list[Check]] = {}
            for construct, check in done:
                if construct in concerned:
                    by_name.setdefault(check.name, []).append(check)
            found.append(_proof(entry, by_name))
    return found


def _proof(entry: evidence.Entry, by_name: Mapping[str, list[Check]]) -> Proof:
    names = [name.removeprefix(COMMAND) for name in entry.proved_by if name.startswith(COMMAND)]
    done = [check for name in names for check in by_name.get(name, [])]
    wrong = tuple(dict.fromkeys(c.name for c in done if c.outcome is Outcome.FAILED and c.conclusive))
    if wrong:
        return Proof(entry.id, "disproved", wrong, entry.if_wrong)
    proved_by = {check.name for check in done if check.outcome is Outcome.OK}
    if names and proved_by == set(names) and not any(c.outcome is Outcome.FAILED for c in done):
        return Proof(entry.id, "proved", tuple(names), entry.claim)
    return Proof(entry.id, "open", (), entry.noticed)
