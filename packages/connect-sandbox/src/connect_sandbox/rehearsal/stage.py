"""What a block works with while it is played: the contact, the world and the transcript."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from connect_flows import Block, knowledge

from connect_sandbox.rehearsal.clock import VirtualClock
from connect_sandbox.rehearsal.conditions import Caller, Conditions
from connect_sandbox.rehearsal.errors import CannotPlayError
from connect_sandbox.rehearsal.message_processing import processed
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


AGENTS_FLOWS = frozenset({"AGENT_WHISPER", "AGENT_HOLD", "AGENT_TRANSFER", "QUEUE_TRANSFER"})
"""The types of flow that the agent hears and the caller does not (administrator guide: what the agent experiences)."""


class CallerHungUpError(Exception):
    """The caller is gone. The engine ends the contact; no block catches it."""


class BlockFailsError(Exception):
    """The block cannot go on, as on AWS: the engine takes the branch of the ErrorType `error`."""

    def __init__(self, error: str, reason: str) -> None:
        super().__init__(reason)
        self.error = error


@dataclass
class Counters:
    """What blocks count from one execution to the next."""

    loops: dict[tuple[str, str], int] = field(default_factory=dict)
    invoked: int = 0
    """How often functions were invoked."""
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
            raise self._unmodelled(unknown) from None

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
            raise self._unmodelled(unknown) from None

    def missing_in(self, written: Json) -> list[str]:
        """Return the references in a text that are missing now."""
        if not isinstance(written, str):
            return []
        try:
            return missing_references(written, self.state.namespaces())
        except UnknownNamespaceError as unknown:
            raise self._unmodelled(unknown) from None

    def empty(self, name: str, written: Json) -> str:
        """Return the reason why a text parameter is empty: the references in it that are missing."""
        # evidence: empty-id-takes-error-branch
        missing = self.missing_in(written)
        if not missing:
            return f"{name} is empty" if written is not None else f"it has no {name}"
        return (
            f"{name} is empty, since {' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing"
        )

    def whole_number(self, written: Json, name: str) -> int:
        """Return a parameter (as written) as a whole number; the flow language writes numbers as text."""
        filled = self.filled(written)
        try:
            return int(filled)
        except (TypeError, ValueError):
            if filled == "" and self.missing_in(written):
                if self.block.transitions.error("NoMatchingError") is not None:
                    raise BlockFailsError("NoMatchingError", self.empty(name, written)) from None
                raise self.lacks(name, written) from None
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

    def lacks(self, name: str, written: Json) -> CannotPlayError:
        """Return the error that stops the contact because a reference is missing that the block cannot do without.

        A contact attribute can be given in the setup; whatever else is missing the flow should have set before.
        """
        reason = self.empty(name, written)
        missing = [one.removeprefix("$.Attributes.") for one in self.missing_in(written)]
        own = [one for one in missing if not one.startswith("$")]
        if not own:
            return self.cannot(reason)
        return self.needs(f"{reason}: give setup.attributes.{own[0]}", "attributes", own[0], example="1")

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

    def _unmodelled(self, unknown: UnknownNamespaceError) -> CannotPlayError:
        if unknown.root not in knowledge().json_path_roots:
            return self.cannot(f"{unknown}, and neither does Amazon Connect")
        return self.needs(f"{unknown}: give setup.sets.{unknown.root}", "sets", unknown.root, example={})

    # --- what happens on the contact

    @property
    def listener(self) -> Who:
        """Who hears the flow and presses keys in it."""
        return "agent" if self.flow.type in AGENTS_FLOWS else "caller"

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

        The caller does not hear a flow that plays for the agent, nor a message that the chat's processor rejects.
        """
        delivered = processed(self, text, "SYSTEM" if who == "connect" else "CUSTOM_BOT")
        if delivered is None:
            return
        text = delivered
        seconds = 0.0 if self.state.channel == "CHAT" else len(text) / SPEECH_RATE
        if self.listener == "agent" and who == "connect":
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

    def heard(self, text: str) -> str:
        """Note what the caller says, and return what of it arrives; empty if the chat's processor rejects it."""
        self.note(text, who="caller", kind="says")
        return processed(self, text, "CUSTOMER") or ""

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
