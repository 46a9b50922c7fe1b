"""Reads a run: its scenarios, contacts and functions, from a file of any version or from events as they come."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any, Generic, TypeVar, cast

from connect_sandbox.runs.events import (
    EVENTS,
    FORMAT,
    Asks,
    AttributesChanged,
    BlockPlays,
    BranchTaken,
    ContactBegins,
    ContactEnded,
    ContactStopped,
    Decision,
    Delivery,
    Deployed,
    EntryWritten,
    Event,
    Fault,
    FlowPlays,
    FunctionEnded,
    FunctionInvoked,
    Item,
    Message,
    RunBegins,
    RunEnded,
    ScenarioBegins,
    ScenarioEnded,
    field_names,
)
from connect_sandbox.runs.versions import RunFileError, load_events, upgraded

What_co = TypeVar("What_co", bound=Event, covariant=True)
Kind = TypeVar("Kind", bound=Event)


@dataclass(frozen=True)
class Happened(Generic[What_co]):
    """An event of a run, and when it was. n: its place; time: real seconds; at: the contact's own seconds."""

    n: int
    time: float
    what: What_co
    contact: str | None = None
    at: float | None = None
    scenario: str | None = None
    cut: bool = False


@dataclass
class FunctionCall:
    """A call of a function, and what happened in it. `ended` is None while it runs."""

    began: Happened[FunctionInvoked]
    ended: Happened[FunctionEnded] | None = None
    decisions: list[Happened[Decision]] = field(default_factory=list)
    messages: list[Happened[Message]] = field(default_factory=list)
    items: list[Happened[Item]] = field(default_factory=list)

    @property
    def function(self) -> str:
        """The function's ARN."""
        return self.began.what.function

    @property
    def name(self) -> str:
        """The function's name."""
        parts = self.function.split(":")
        return parts[6] if len(parts) > 6 else self.function

    @property
    def invocation(self) -> str:
        """The request id."""
        return self.began.what.invocation

    @property
    def logs(self) -> list[str]:
        """What it logged, line by line."""
        return [] if self.ended is None else self.ended.what.logs or []

    @property
    def failed(self) -> bool:
        """Whether it failed, or was not invoked at all."""
        return self.ended is not None and bool(self.ended.what.error or self.ended.what.refused)

    @property
    def refused(self) -> list[Happened[Decision]]:
        """What IAM refused it."""
        return [decision for decision in self.decisions if not decision.what.allowed]


@dataclass
class Contact:
    """A contact: its way through flows, and all that happened because of it, each list in the order of the run."""

    id: str
    began: Happened[ContactBegins] | None = None
    happened: list[Happened[Event]] = field(default_factory=list)
    blocks: list[Happened[BlockPlays]] = field(default_factory=list)
    branches: list[Happened[BranchTaken]] = field(default_factory=list)
    entries: list[Happened[EntryWritten]] = field(default_factory=list)
    changes: list[Happened[AttributesChanged]] = field(default_factory=list)
    functions: list[FunctionCall] = field(default_factory=list)
    decisions: list[Happened[Decision]] = field(default_factory=list)
    messages: list[Happened[Message]] = field(default_factory=list)
    deliveries: list[Happened[Delivery]] = field(default_factory=list)
    items: list[Happened[Item]] = field(default_factory=list)
    ended: Happened[ContactEnded] | None = None
    stopped: Happened[ContactStopped] | None = None

    @property
    def scenario(self) -> str | None:
        """The scenario that it belongs to."""
        return next((one.scenario for one in self.happened if one.scenario is not None), None)

    @property
    def words(self) -> list[Happened[EntryWritten]]:
        """What was said and written, by anybody."""
        return [entry for entry in self.entries if entry.what.kind in ("says", "tells agent")]

    @property
    def asks(self) -> Happened[Asks] | None:
        """What the flow waits for, if that is the last that happened on it."""
        last = self.happened[-1] if self.happened else None
        return cast("Happened[Asks]", last) if last is not None and isinstance(last.what, Asks) else None

    @property
    def over(self) -> bool:
        """Whether it has ended or was stopped."""
        return self.ended is not None or self.stopped is not None

    def attributes(self, until: int | None = None) -> dict[str, str]:
        """Return its user-defined attributes, as they were when the event number `until` had happened."""
        found: dict[str, str] = {}
        for change in self.changes:
            if until is not None and change.n > until:
                break
            found.update(change.what.set)
            for name in change.what.removed:
                found.pop(name, None)
        return found


@dataclass
class Scenario:
    """A scenario, its contacts in the order in which they began, and its own lines of the transcript."""

    name: str
    began: Happened[ScenarioBegins] | None = None
    ended: Happened[ScenarioEnded] | None = None
    contacts: list[Contact] = field(default_factory=list)
    entries: list[Happened[EntryWritten]] = field(default_factory=list)

    @property
    def shows(self) -> str:
        """What it is for."""
        return "" if self.began is None else self.began.what.shows

    @property
    def failed(self) -> bool:
        """Whether it has failed."""
        return self.ended is not None and self.ended.what.outcome != "passed"


class Run:
    """What happened, for those who show it. `add` takes further events while it plays."""

    def __init__(self) -> None:
        self.began: Happened[RunBegins] | None = None
        self.ended: Happened[RunEnded] | None = None
        self.happened: list[Happened[Event]] = []
        self.scenarios: dict[str, Scenario] = {}
        self.contacts: dict[str, Contact] = {}
        self.functions: dict[str, FunctionCall] = {}
        self.stacks: dict[str, Happened[Deployed]] = {}
        self.flows: dict[str, Happened[FlowPlays]] = {}
        """By ARN, each as it was last."""
        self.decisions: list[Happened[Decision]] = []
        self.messages: list[Happened[Message]] = []
        self.deliveries: list[Happened[Delivery]] = []
        self.items: list[Happened[Item]] = []
        self.faults: list[Happened[Fault]] = []

    @classmethod
    def load(cls, path: Path) -> Run:
        """Return the run of a file; RunFileError (a ValueError) if it is none or cannot be read."""
        return cls.of(load_events(path))

    @classmethod
    def of(cls, events: Iterable[Mapping[str, Any]]) -> Run:
        """Return the run of events as `Recorder.events` gives them."""
        run = cls()
        for event in events:
            run.add(event)
        return run

    def add(self, told: Mapping[str, Any]) -> None:
        """Take an event; one that is not known is skipped. RunFileError if it lacks what it must have."""
        if told.get("event") == "run":
            if told.get("format") != FORMAT:
                raise RunFileError(f"the run has the format {told.get('format')!r}, not {FORMAT!r}")
            upgraded([], told.get("version"), "it")  # refuses a newer version
        kind = EVENTS.get(str(told.get("event")))
        if kind is None:
            return
        required, known = _KNOWN[kind]
        missing = [name for name in required if name not in told]
        if missing:
            raise RunFileError(
                f"event {told.get('n')} ({kind.NAME}) lacks {missing[0]!r}, so the run is damaged"
            )
        what = kind(**{known[name]: value for name, value in told.items() if name in known})
        event = Happened(
            int(told.get("n", len(self.happened))),
            float(told.get("time", 0.0)),
            what,
            told.get("contact"),
            told.get("at"),
            told.get("scenario"),
            bool(told.get("cut", False)),
        )
        self.happened.append(event)
        self._sort(event)

    def contact(self, id_: str) -> Contact:
        """Return a contact by its id or the beginning of it; KeyError if none or more than one has it."""
        found = [one for name, one in self.contacts.items() if name.startswith(id_)] if id_ else []
        if id_ in self.contacts:
            return self.contacts[id_]
        if len(found) != 1:
            raise KeyError(id_)
        return found[0]

    def flow_at(self, arn: str, n: int) -> Happened[FlowPlays] | None:
        """Return a flow as it was when event number `n` happened."""
        before = [one for one in _of(FlowPlays, self.happened) if one.what.flow == arn and one.n <= n]
        return before[-1] if before else self.flows.get(arn)

    @property
    def failed_scenarios(self) -> list[Scenario]:
        """The scenarios that failed."""
        return [scenario for scenario in self.scenarios.values() if scenario.failed]

    @property
    def failed_contacts(self) -> list[Contact]:
        """The contacts that could not be played, whose flow broke off, or in which a function failed."""
        return [contact for contact in self.contacts.values() if went_wrong(contact)]

    def _sort(self, event: Happened[Event]) -> None:
        contact = self._contact(event)
        what = event.what
        match what:
            case FunctionInvoked() | FunctionEnded() | Decision() | Message() | Delivery() | Item():
                self._set_off(event, contact)
            case EntryWritten() if contact is None and event.scenario is not None:
                self._scenario(event).entries.append(cast("Happened[EntryWritten]", event))
            case ScenarioBegins():
                self._scenario(event).began = cast("Happened[ScenarioBegins]", event)
            case ScenarioEnded():
                self._scenario(event).ended = cast("Happened[ScenarioEnded]", event)
            case _:
                self._of_run(event)
        if contact is not None:
            _of_contact(event, contact)

    def _of_run(self, event: Happened[Event]) -> None:
        match event.what:
            case RunBegins():
                self.began = cast("Happened[RunBegins]", event)
            case RunEnded():
                self.ended = cast("Happened[RunEnded]", event)
            case Deployed(stack=stack):
                self.stacks[stack] = cast("Happened[Deployed]", event)
            case FlowPlays(flow=flow):
                self.flows[flow] = cast("Happened[FlowPlays]", event)
            case Fault():
                self.faults.append(cast("Happened[Fault]", event))
            case _:
                pass

    def _contact(self, event: Happened[Event]) -> Contact | None:
        if event.contact is None:
            return None
        contact = self.contacts.setdefault(event.contact, Contact(event.contact))
        contact.happened.append(event)
        if len(contact.happened) == 1 and event.scenario is not None:
            self._scenario(event).contacts.append(contact)
        return contact

    def _scenario(self, event: Happened[Event]) -> Scenario:
        name = event.scenario or ""
        return self.scenarios.setdefault(name, Scenario(name))

    def _set_off(self, event: Happened[Event], contact: Contact | None) -> None:
        what = event.what
        match what:
            case FunctionInvoked():
                began = cast("Happened[FunctionInvoked]", event)
                call = self.functions[what.invocation] = FunctionCall(began)
                if contact is not None:
                    contact.functions.append(call)
            case FunctionEnded():
                known = self.functions.get(what.invocation)
                if known is not None:
                    known.ended = cast("Happened[FunctionEnded]", event)
            case Decision() | Message() | Item():
                kind = {Decision: "decisions", Message: "messages", Item: "items"}[type(what)]
                in_call = self.functions.get(what.invocation or "")
                for place in (self, contact, in_call):
                    if place is not None:
                        getattr(place, kind).append(event)
            case _:
                delivery = cast("Happened[Delivery]", event)
                self.deliveries.append(delivery)
                if contact is not None:
                    contact.deliveries.append(delivery)


def went_wrong(contact: Contact) -> bool:
    """Tell whether a contact was stopped, broke off, or had a function that failed or was refused something."""
    return (
        contact.stopped is not None
        or (contact.ended is not None and contact.ended.what.how == "failed")
        or any(call.failed or call.refused for call in contact.functions)
    )


def _of_contact(event: Happened[Event], contact: Contact) -> None:
    match event.what:
        case ContactBegins():
            contact.began = cast("Happened[ContactBegins]", event)
        case BlockPlays():
            contact.blocks.append(cast("Happened[BlockPlays]", event))
        case BranchTaken():
            contact.branches.append(cast("Happened[BranchTaken]", event))
        case EntryWritten():
            contact.entries.append(cast("Happened[EntryWritten]", event))
        case AttributesChanged():
            contact.changes.append(cast("Happened[AttributesChanged]", event))
        case ContactEnded():
            contact.ended = cast("Happened[ContactEnded]", event)
        case ContactStopped():
            contact.stopped = cast("Happened[ContactStopped]", event)
        case _:
            pass


def _of(kind: type[Kind], events: Iterable[Happened[Event]]) -> Iterator[Happened[Kind]]:
    return (cast("Happened[Kind]", event) for event in events if isinstance(event.what, kind))


def _required(kind: type[Event]) -> tuple[str, ...]:
    """Return the names of the fields that the event cannot be without."""
    return tuple(
        one.name.rstrip("_")
        for one in fields(kind)
        if one.default is MISSING and one.default_factory is MISSING
    )


_KNOWN = {kind: (_required(kind), field_names(kind)) for kind in EVENTS.values()}
"""What an event must have, and the names of its fields in the file -> those of its class."""
