"""What differs between the folder's flows, rendered for an environment, and what its instance holds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from connect_flows.diff import Change, diff
from connect_flows.instance.errors import InstanceError
from connect_flows.instance.live import Held, Item, Live
from connect_flows.instance.project import Entry, Environment, Project
from connect_flows.instance.resources import split
from connect_flows.model import Flow, FlowSyntaxError


@dataclass(frozen=True)
class State:
    """How an entry of the folder stands in the instance.

    item, held: what the instance has; None: it has no such flow. changes: what callers would notice. missing: the
    placeholders without a value. notes: what else a push would change (the layout, the description, publishing).
    """

    entry: Entry
    content: str
    item: Item | None = None
    held: Held | None = None
    changes: tuple[Change, ...] = ()
    missing: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def same(self) -> bool:
        """Whether a push has nothing to do."""
        return self.item is not None and not self.changes and not self.notes


@dataclass
class Comparison:
    """All entries that were compared, and the flows that only the instance has."""

    states: list[State] = field(default_factory=list)
    only_there: list[Item] = field(default_factory=list)


def compare(
    project: Project,
    environment: Environment,
    live: Live,
    wanted: list[Entry],
    read: Mapping[str, Held] | None = None,
) -> Comparison:
    """Compare entries with an instance. read: what is known of its items already, by id."""
    there = {item.key: item for item in live.items() if not item.archived}
    names = {value: name for name, value in environment.known().items()}
    made = Comparison()
    for entry in wanted:
        content = project.rendered(entry, environment)
        missing = tuple(project.missing(entry, environment))
        item = there.get(entry.key)
        if item is None:
            made.states.append(State(entry, content, missing=missing))
            continue
        held = (read or {}).get(item.id) or live.read(item, saved=not entry.published)
        shown = _shown(project, names)
        changes = diff(
            _flow(held.content, f"{entry.name} in the instance"), _flow(content, entry.file), shown=shown
        )
        made.states.append(
            State(entry, content, item, held, tuple(changes), missing, _notes(entry, held, content, changes))
        )
    keys = {entry.key for entry in project.entries}
    made.only_there = [item for key, item in sorted(there.items()) if key not in keys]
    return made


def _notes(entry: Entry, held: Held, content: str, changes: list[Change]) -> tuple[str, ...]:
    notes = []
    if not changes and json.loads(held.content) != json.loads(content):
        notes.append("layout or metadata only: no difference for the caller")
    if entry.published and not held.published:
        notes.append("saved, not published yet")
    if entry.settings != held.settings:
        notes.append(f"settings: {held.settings or '(none)'} -> {entry.settings or '(none)'}")
    if entry.description != held.description:
        notes.append(f"description: {held.description or '(none)'} -> {entry.description or '(none)'}")
    return tuple(notes)


def _shown(project: Project, names: Mapping[str, str]) -> dict[str, str]:
    """Return what people call the environment's resources, by value."""
    found = {}
    for value, placeholder in names.items():
        resource = project.resources.get(placeholder)
        if resource is not None and resource.name:
            found[value] = resource.name + resource.suffix
        elif split(value)[0]:
            found[value] = placeholder
    return found


def _flow(content: str, name: str) -> Flow:
    try:
        return Flow.parse(content, name=name)
    except FlowSyntaxError as problem:
        raise InstanceError(str(problem)) from problem
