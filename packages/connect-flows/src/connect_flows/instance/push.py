"""Push: the folder's flows, rendered for an environment, into its instance; a dry run unless told otherwise.

What is called is written before what calls it. Before the first write everything is checked that can be: values for
all placeholders, and the linter's errors. When Amazon Connect refuses something nevertheless, push stops there and says
what is done and what is not.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from connect_flows.diagnostics import FlowKind, Severity
from connect_flows.diff import diff
from connect_flows.examples import example_flow
from connect_flows.instance.compare import State, compare
from connect_flows.instance.errors import InstanceError
from connect_flows.instance.live import Held, Item, Live
from connect_flows.instance.project import MODULE, Entry, Environment, Project
from connect_flows.instance.report import compared
from connect_flows.linter import lint
from connect_flows.model import Flow
from connect_flows.template import dump

Say = Callable[[str], None]


@dataclass(frozen=True)
class _Step:
    """One write. stub: create it with an end at once, as something that it calls calls it in turn."""

    state: State
    stub: bool = False


def push(
    project: Project,
    environment: Environment,
    live: Live,
    wanted: list[Entry],
    *,
    apply: bool,
    check: bool,
    say: Say,
) -> int:
    """Compare, tell, and with `apply` write; return 0 if nothing is left to do, else 1.

    check: refuse flows in which the linter finds errors, before anything is written. Raises InstanceError.
    """
    comparison = compare(project, environment, live, wanted)
    for line in compared(comparison, old=f"the instance of {environment.name}", new="this folder"):
        say(line)
    todo = [state for state in comparison.states if not state.same]
    if not todo:
        return 0
    obstacles = _obstacles(project, environment, todo, check=check)
    for line in obstacles:
        say(line)
    if not apply:
        say(
            "nothing was changed: a dry run; --apply does it"
            if not obstacles
            else "nothing was changed: a dry run"
        )
        return 1
    if obstacles:
        say("nothing was changed: mend that first")
        return 1
    return _apply(project, environment, live, _steps(project, todo), say)


def _obstacles(
    project: Project, environment: Environment, todo: Iterable[State], *, check: bool
) -> list[str]:
    """Return what stands in the way of writing, in lines."""
    states = list(todo)
    to_be = {state.entry.key for state in states if state.item is None}
    lines = []
    for state in states:
        for name in state.missing:
            resource = project.resources.get(name)
            called = project.entry_of(name)
            if called is None or called.key not in to_be:
                what = resource.words if resource else "it"
                lines.append(
                    f"{state.entry.file}: {name} ({what}) has no value in values/{environment.name}.json"
                )
        if not check or not state.entry.published:
            continue
        module = state.entry.type == MODULE
        found = lint(
            state.content,
            name=state.entry.file,
            kind=FlowKind.MODULE if module else FlowKind.FLOW,
            flow_type=None if module else state.entry.type,
            context=environment.context(),
        )
        lines += [str(one) for one in found if one.severity is Severity.ERROR]
    return lines


def _steps(project: Project, todo: list[State]) -> list[_Step]:
    """Return the writes, what is called before what calls it; circles of new flows begin with stubs."""
    by_key = {state.entry.key: state for state in todo}
    steps: list[_Step] = []
    done: set[tuple[str, str]] = set()
    path: list[tuple[str, str]] = []

    def visit(key: tuple[str, str]) -> None:
        if key in path:
            if by_key[key].item is None and not any(
                step.stub and step.state.entry.key == key for step in steps
            ):
                steps.append(_Step(by_key[key], stub=True))
            return
        if key in done:
            return
        path.append(key)
        for name in sorted(project.placeholders(by_key[key].entry)):
            called = project.entry_of(name)
            if called is not None and called.key in by_key:
                visit(called.key)
        path.pop()
        done.add(key)
        steps.append(_Step(by_key[key]))

    for key in sorted(by_key):
        visit(key)
    return steps


def _apply(project: Project, environment: Environment, live: Live, steps: list[_Step], say: Say) -> int:
    made: dict[tuple[str, str], Item] = {}
    for number, step in enumerate(steps):
        entry = step.state.entry
        try:
            say(_write(project, environment, live, step, made))
        except InstanceError as problem:
            say(f"refused: {entry.file}: {problem}")
            left = list(dict.fromkeys(one.state.entry.file for one in steps[number:]))
            done = list(
                dict.fromkeys(
                    one.state.entry.file for one in steps[:number] if one.state.entry.file not in left
                )
            )
            stubs = [
                one.state.entry.file for one in steps[:number] if one.stub and one.state.entry.file in left
            ]
            say(f"done: {', '.join(done) or 'nothing'}")
            for file in stubs:
                say(f"half done: {file} exists and ends at once; push again to fill it")
            say(f"not done: {', '.join(left)}")
            return 1
    return 0


def _write(
    project: Project, environment: Environment, live: Live, step: _Step, made: dict[tuple[str, str], Item]
) -> str:
    entry = step.state.entry
    if step.stub:
        item = live.create(entry.key, Held(stub_for(entry.type), entry.description, published=True))
        made[entry.key] = item
        _remember(project, environment, item)
        return f"created: {entry.file} ({entry.type} {entry.name}), to be filled below"
    content = project.rendered(entry, environment)
    wanted = Held(content, entry.description, entry.published, entry.settings)
    known = step.state.item or made.get(entry.key)
    if known is None:
        item = live.create(entry.key, wanted)
        _remember(project, environment, item)
        told = "created"
    else:
        item = known
        _update(live, item, step.state.held, wanted)
        told = "updated"
    try:
        held = live.read(item, saved=not entry.published)
    except InstanceError as problem:
        raise InstanceError(f"it is {told}, but cannot be read back: {problem}") from problem
    if diff(Flow.parse(held.content), Flow.parse(content)):
        raise InstanceError("it was taken, but the instance now holds something else; compare with pull")
    return f"{told}: {entry.file} ({entry.type} {entry.name})"


def _update(live: Live, item: Item, held: Held | None, wanted: Held) -> None:
    if held is None or _written(held) != _written(wanted):
        live.update(item, wanted)
    if held is None or held.description == wanted.description:
        return
    try:
        live.describe(item, wanted.description)
    except InstanceError as problem:
        raise InstanceError(f"its content is written, its description is not: {problem}") from problem


def _written(held: Held) -> tuple[object, bool, str]:
    """Return what an update of the content writes."""
    return json.loads(held.content), held.published, held.settings


def _remember(project: Project, environment: Environment, item: Item) -> None:
    """Write the ARN of what was just created into the values at once: the next step may fail."""
    for name, resource in project.resources.items():
        called = project.entry_of(name)
        if called is not None and called.key == item.key:
            environment.values[name] = (item.arn if resource.form == "arn" else item.id) + resource.suffix
    project.write_values(environment)


def stub_for(type_: str) -> str:
    """Return content for a flow of this type that Amazon Connect accepts and that does nothing."""
    for block in ("EndFlowModuleExecution", "EndFlowExecution", "DisconnectParticipant"):
        content = example_flow(block)
        kind = FlowKind.MODULE if type_ == MODULE else FlowKind.FLOW
        found = lint(content, kind=kind, flow_type=None if type_ == MODULE else type_)
        if not any(one.severity is Severity.ERROR for one in found):
            return dump(content)
    raise InstanceError(
        f"nothing is known that a flow of type {type_} could begin with; create it in the console first"
    )
