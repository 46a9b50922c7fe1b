"""What a block works with while it is played: the contact, the world and the transcript."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from connect_flows import Block

from connect_sandbox.rehearsal.clock import VirtualClock
from connect_sandbox.rehearsal.conditions import Caller, Conditions
from connect_sandbox.rehearsal.errors import CannotPlayError
from connect_sandbox.rehearsal.ports import Ports
from connect_sandbox.rehearsal.published import PublishedFlow
from connect_sandbox.rehearsal.references import (
    UnknownNamespaceError,
    fill_in,
    is_reference,
    look_up,
    missing_references,
)
from connect_sandbox.rehearsal.state import ContactState
from connect_sandbox.rehearsal.transcript import Entry, Kind, Transcript, Who
from connect_sandbox.rehearsal.values import Json

SPEECH_RATE = 14.0
"""Characters spoken in a second, about 150 words a minute; only paces the transcript."""


AGENTS_FLOWS = frozenset({"AGENT_WHISPER", "AGENT_HOLD"})
"""The types of flow that the agent hears and the caller does not."""


class CallerHungUpError(Exception):
    """The caller is gone. The engine ends the contact; no block catches it."""


@dataclass
class Counters:
    """What blocks count from one execution to the next."""

    loops: dict[tuple[str, str], int] = field(default_factory=dict)
    lambda_seconds: float = 0.0
    """Seconds spent in Lambda functions since the caller last heard anything."""


@dataclass
class Stage:
    """One block, about to be played on one contact."""

    flow: PublishedFlow
    block: Block
    state: ContactState
    ports: Ports
    caller: Caller
    conditions: Conditions
    clock: VirtualClock
    transcript: Transcript
    counters: Counters

    # --- reading the block's parameters

    def parameter(self, name: str) -> Json:
        """Return a parameter as it is written, None if absent."""
        return self.block.parameters.get(name)

    def filled(self, value: Json) -> Json:
        """Return a value with its references replaced; a missing one is empty text."""
        try:
            return fill_in(value, self.state.namespaces(), self.transcript.work)
        except UnknownNamespaceError as unknown:
            raise self.cannot(str(unknown)) from None

    def text(self, name: str) -> str:
        """Return a text parameter with its references replaced; empty if absent."""
        return str(self.filled(self.parameter(name)) or "")

    def value(self, written: str) -> str | None:
        """Return the value of a parameter that is one reference (None: missing); other text is filled in."""
        if not is_reference(written):
            return str(self.filled(written))
        try:
            return look_up(written.strip(), self.state.namespaces())
        except UnknownNamespaceError as unknown:
            raise self.cannot(str(unknown)) from None

    def missing_in(self, written: Json) -> list[str]:
        """Return the references in a text that are missing now."""
        if not isinstance(written, str):
            return []
        try:
            return missing_references(written, self.state.namespaces())
        except UnknownNamespaceError as unknown:
            raise self.cannot(str(unknown)) from None

    def whole_number(self, written: Json, name: str) -> int:
        """Return a parameter (as written) as a whole number; the flow language writes numbers as text."""
        filled = self.filled(written)
        try:
            return int(filled)
        except (TypeError, ValueError):
            raise self.cannot(f"{name} is {filled!r}, which is not a whole number") from None

    def at_least(self, low: int, written: Json, name: str) -> int:
        """Return a parameter (as written) as a whole number that is not below `low`."""
        number = self.whole_number(written, name)
        if number < low:
            raise self.cannot(f"{name} is {number}; it must be at least {low}")
        return number

    def cannot(self, reason: str) -> CannotPlayError:
        """Return the error that stops the contact here because of the flow."""
        return CannotPlayError(self.block.identifier, self.block.type, reason, flow=self.flow.name)

    def needs(self, reason: str, *missing: str, example: Json = None) -> CannotPlayError:
        """Return the error that stops the contact because the setup lacks what belongs at the place `missing`."""
        return CannotPlayError(
            self.block.identifier,
            self.block.type,
            reason,
            flow=self.flow.name,
            kind="setup",
            missing=missing,
            example=example,
        )

    def refuses(self, reason: str) -> CannotPlayError:
        """Return the error that stops the contact because the sandbox has no fake for what the block does."""
        return CannotPlayError(
            self.block.identifier,
            self.block.type,
            f"{reason}. A scenario can say what the block does (setup.blocks)",
            flow=self.flow.name,
            kind="sandbox",
            missing=("blocks", self.block.identifier),
            example={"sets": {}},
        )

    # --- what happens on the contact

    def note(self, text: str, *, who: Who = "connect", kind: Kind = "does", **data: Json) -> None:
        """Add an entry for this block."""
        self.transcript.add(
            Entry(
                at=self.clock.elapsed,
                who=who,
                kind=kind,
                text=text,
                flow=self.flow.name,
                block=self.block.identifier,
                data={name: value for name, value in data.items() if value is not None},
            )
        )

    def says(self, text: str, *, who: Who = "connect", **data: Json) -> None:
        """Let the caller hear a text, which takes as long as speaking it; they may hang up on it.

        The caller does not hear a flow that plays for the agent.
        """
        seconds = 0.0 if self.state.channel == "CHAT" else len(text) / SPEECH_RATE
        if self.flow.type in AGENTS_FLOWS and who == "connect":
            self.note(f"tells the agent “{text}”", kind="tells agent", **data)
            self.clock.passes(seconds)
            return
        self.note(text, who=who, kind="says", **data)
        if who == "connect" and self.ports.chat is not None:
            self.ports.chat.flow_says(text)
        self.counters.lambda_seconds = 0.0
        self.clock.passes(seconds)
        if self.caller.leaves_on(text):
            self.caller.reacts()
            raise CallerHungUpError

    def sets(self, what: str, **data: Json) -> None:
        """Keep a setting that no other block reads back, and record it."""
        self.state.settings[self.block.type] = dict(data)
        self.note(what, **data)


def require_map(stage: Stage, name: str) -> Mapping[str, Json]:
    """Return a parameter that must be a JSON object."""
    value = stage.parameter(name)
    if not isinstance(value, Mapping):
        raise stage.cannot(f"{name} must be a JSON object, is {value!r}")
    return value
