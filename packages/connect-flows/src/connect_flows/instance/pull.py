"""Pull: an instance's flows and modules into templates, with the values of that instance beside them.

The first environment that is pulled gives the templates. Every further one gives a values file, found by the names of
the resources and, where names differ, by the place that a resource has in the same block of the same flow.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from connect_flows.diagnostics import listed
from connect_flows.diff import match
from connect_flows.importer import FlowImportError, ResourceNames, import_flow
from connect_flows.instance.compare import compare
from connect_flows.instance.errors import InstanceError
from connect_flows.instance.live import Held, Item, Live
from connect_flows.instance.project import Entry, Environment, Project, check_environment_name
from connect_flows.instance.report import compared
from connect_flows.instance.resources import Resource, kinds_in, split
from connect_flows.model import Flow, FlowSyntaxError
from connect_flows.reading import read
from connect_flows.references import values_with_paths
from connect_flows.template import is_opaque

Say = Callable[[str], None]
#: Views that AWS makes: the same in every instance of a Region.
_AWS_VIEW = "AWS view"
_PLACEHOLDER = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_.:-]*)\}")


def pull(
    project: Project, live: Live, *, instance: str, environment: str | None, only: Sequence[str], say: Say
) -> int:
    """Pull an instance and tell what was done; return how many of its flows could not be taken.

    instance: ARN or id. environment: the name of its values file; None: the one that has this instance, or dev for
    the first. only: patterns of names, all by default. Raises InstanceError.
    """
    items = [item for item in live.items() if _wanted(item.name, only)]
    if not items:
        raise InstanceError(f"{instance} has no flow" + (f" named {listed(only)}" if only else ""))
    arn = items[0].arn.rpartition("/")[0].rpartition("/")[0]
    name = _environment_for(project, arn, environment)
    for item in items:
        if item.archived:
            say(f"left out: {item.type} {item.name} is archived")
    items = [item for item in items if not item.archived]
    here = project.environments.setdefault(name, Environment(name, arn))
    job = _Job(project, here, live, only, say)
    if project.source in {"", name}:
        project.source = name
        return _pull_templates(job, items)
    _pull_values(job, items)
    return 0


@dataclass(frozen=True)
class _Job:
    """One pull: into which folder and environment, from which instance, which names alone, and whom to tell."""

    project: Project
    here: Environment
    live: Live
    only: Sequence[str]
    say: Say


def _wanted(name: str, only: Sequence[str]) -> bool:
    return not only or any(fnmatchcase(name, pattern) for pattern in only)


def _environment_for(project: Project, arn: str, asked: str | None) -> str:
    owner = next((each.name for each in project.environments.values() if each.instance == arn), None)
    if asked is None:
        if owner is None and project.environments:
            known = ", ".join(project.environments)
            raise InstanceError(f"{arn} is none of the instances of {known}: name it with --environment")
        return owner or "dev"
    name = check_environment_name(asked)
    if owner not in {None, name}:
        raise InstanceError(f"{arn} is the environment {owner} already, not {name}")
    if name in project.environments and project.environments[name].instance != arn:
        raise InstanceError(f"the environment {name} is {project.environments[name].instance}, not {arn}")
    return name


def _pull_templates(job: _Job, items: list[Item]) -> int:
    project, here, only, say = job.project, job.here, job.only, job.say
    listing = _Listing(job.live)
    names = ResourceNames(
        by_value={value: name for name, value in here.known().items()},
        kinds=dict.fromkeys([*project.resources, *here.values], ""),
        known=listing.name,
        keep_empty=True,
    )
    contents = _contents(job, items, listing, names)
    before = {entry.key: entry for entry in project.entries}
    made: list[Entry] = []
    for item, held in contents:
        # Once more, now that every resource of every flow has its name: the next pull begins with them.
        template = import_flow(held.content, name=item.name, names=names).template
        known = before.get(item.key)
        taken = [*(entry.file for entry in before.values()), *(entry.file for entry in made)]
        file = known.file if known else project.path_for(item.type, item.name, taken)
        made.append(Entry(file, item.name, item.type, held.description, held.published, held.settings))
        existed = (project.folder / file).exists()
        if project.write(file, template):
            say(f"{'changed' if existed else 'new'}: {file} ({item.type} {item.name}){_draft(held)}")
    taken_keys, there = {entry.key for entry in made}, {item.key for item in items}
    kept = [entry for entry in project.entries if entry.key not in taken_keys]
    for entry in kept:
        if _wanted(entry.name, only) and entry.key not in there:
            say(
                f"gone: {entry.type} {entry.name} is not in the instance, and push would create it again: if that is"
            )
            say(f"      not meant, delete {entry.file} and its lines in flows.json")
    project.entries = [*kept, *made]
    _keep_what_is_used(project, here, names, listing)
    written = [project.write_index(), project.write_values(here)]
    say(
        f"{here.name}: {len(made)} flow{'s' * (len(made) != 1)} and modules, {len(here.values)} placeholders; "
        + (f"values in values/{here.name}.json" if any(written) else "index and values as before")
    )
    return len(items) - len(contents)


def _draft(held: Held) -> str:
    return "" if held.published else ", saved and never published"


def _contents(
    job: _Job, items: Iterable[Item], listing: _Listing, names: ResourceNames
) -> list[tuple[Item, Held]]:
    """Return what can be read of the items, and name the resources in it."""
    found = []
    for item in items:
        held = job.live.read(item)
        try:
            listing.prepare(held.content)
            import_flow(held.content, name=item.name, names=names)
        except FlowImportError as problem:
            job.say(f"not taken: {item.type} {problem}")
        else:
            found.append((item, held))
    return found


def _keep_what_is_used(project: Project, here: Environment, names: ResourceNames, listing: _Listing) -> None:
    used = set().union(*(project.placeholders(entry) for entry in project.entries))
    values = {name: value for value, name in names.by_value.items() if name in used}
    here.values = {name: values.get(name, here.values.get(name)) for name in used}
    project.resources = {
        name: _named(listing.resource(values[name]) if name in values else None, project.resources.get(name))
        for name in used
        if name in values or name in project.resources
    }


def _named(now: Resource | None, before: Resource | None) -> Resource:
    """Return what a resource is called now; what was said before where the instance was not asked this time."""
    return before if before is not None and (now is None or now.name is None) else now or Resource("value")


class _Listing:
    """What the instance calls its resources; each kind is listed when the first flow refers to it."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self._names: dict[str, str] = {}
        self._kinds: dict[str, str] = {}

    def prepare(self, content: str) -> None:
        """List the kinds that a flow refers to."""
        for kind in sorted(kinds_in(read(content).document)):
            self.arns(kind)

    def arns(self, kind: str) -> dict[str, str]:
        """Return the ARNs of a kind by name; of resources with the same name, the first by ARN."""
        found: dict[str, str] = {}
        for arn, name in self._live.names(kind).items():
            for value in (arn, arn.rpartition("/")[2]):
                self._names[value] = name
                self._kinds[value] = kind
            found.setdefault(name, arn)
        return found

    def name(self, value: str) -> str | None:
        """Return what the instance calls the resource of an ARN or an id."""
        return self._names.get(split(value)[1])

    def resource(self, value: str) -> Resource:
        kind, bare, suffix = split(value)
        kind = kind or self._kinds.get(bare, "")
        if kind == "function":
            return Resource(kind, bare.rpartition(":")[2], suffix=suffix)
        if kind == "view" and bare not in self._names and ":aws:view/" in bare:
            return Resource(_AWS_VIEW, bare.rpartition("/")[2], suffix=suffix)
        form = "arn" if value.startswith(("arn:", "+")) or not kind else "id"
        return Resource(kind or "value", self._names.get(bare), form, suffix)


def _pull_values(job: _Job, items: list[Item]) -> None:
    project, here, only, say = job.project, job.here, job.only, job.say
    listing = _Listing(job.live)
    contents = _contents(job, items, listing, ResourceNames())
    by_place = _by_place(project, contents)
    for name in sorted(project.resources):
        if here.values.get(name) is not None:
            continue
        resource = project.resources[name]
        here.values[name] = _by_name(resource, listing, here) or _one(by_place.get(name, {}), resource)
        if here.values[name] is None and project.entry_of(name) is not None:
            say(f"{here.name} has no {resource.words}: push creates it")
        elif here.values[name] is None:
            say(f"no value: {here.name} has no {resource.words}; fill in {name} in values/{here.name}.json")
        elif resource.name and (other := listing.resource(str(here.values[name])).name) != resource.name:
            say(
                f"{name} is {resource.words} in {project.source} and {other or here.values[name]} in {here.name}"
            )
    changed = project.write_values(here)
    say(f"{here.name}: {len(here.values)} values " + ("written" if changed else "as before"))
    wanted = [entry for entry in project.entries if _wanted(entry.name, only)]
    known = {item.id: held for item, held in contents}
    comparison = compare(project, here, job.live, wanted, known)
    comparison.only_there = [item for item in comparison.only_there if _wanted(item.name, only)]
    for line in compared(comparison, old=f"{here.name}", new=project.source):
        say(line)


def _by_name(resource: Resource, listing: _Listing, here: Environment) -> str | None:
    if not resource.name:
        return None
    if resource.kind == _AWS_VIEW:
        partition, region = here.instance.split(":")[1], here.instance.split(":")[3]
        return f"arn:{partition}:connect:{region}:aws:view/{resource.name}{resource.suffix}"
    arn = listing.arns(resource.kind).get(resource.name)
    if arn is None:
        return None
    return (arn if resource.form == "arn" else arn.rpartition("/")[2]) + resource.suffix


def _one(found: Mapping[str, int], resource: Resource) -> str | None:
    """Return the one value that all places agree on, if it is of the right kind."""
    if len(found) != 1:
        return None
    value = next(iter(found))
    kind = split(value)[0]
    return value if kind == resource.kind or not kind else None


def _by_place(project: Project, contents: Iterable[tuple[Item, Held]]) -> dict[str, dict[str, int]]:
    """Return for each placeholder the values that stand in its place in the same blocks, and how often."""
    entries = {entry.key: entry for entry in project.entries}
    found: dict[str, dict[str, int]] = {}
    for item, held in contents:
        entry = entries.get(item.key)
        if entry is None:
            continue
        try:
            ours, theirs = (
                Flow.parse(project.text(entry), name=entry.file),
                Flow.parse(held.content, name=item.name),
            )
        except FlowSyntaxError as problem:
            raise InstanceError(str(problem)) from problem
        for mine, other in match(ours, theirs).items():
            there = dict(values_with_paths(theirs.by_identifier[other].parameters, ""))
            for path, text in values_with_paths(ours.by_identifier[mine].parameters, ""):
                for name, value in _placed(text, there.get(path)):
                    counts = found.setdefault(name, {})
                    counts[value] = counts.get(value, 0) + 1
    return found


def _placed(template: str, text: str | None) -> list[tuple[str, str]]:
    """Return the placeholders of a template's text with what stands there in another's."""
    names = _PLACEHOLDER.findall(template)
    if text is None or not names or text.startswith("$.") or is_opaque(text):
        return []
    pattern = "(.+)".join(re.escape(part) for part in _PLACEHOLDER.split(template)[::2])
    fits = re.fullmatch(pattern, text, re.DOTALL)
    return list(zip(names, fits.groups(), strict=True)) if fits else []
