"""What is read from console exports: the flows, what they refer to, and which of them refer to each other."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from connect_flows import Flow, FlowKind, FlowSyntaxError, LintContext, Severity, knowledge, lint, render
from connect_flows.importer import FlowImportError, Imported, import_flow
from connect_flows.naming import names
from connect_flows.subject import FLOW_TYPE_OF_METADATA

from connect_bridges.operations.new.naming import (
    PLACEHOLDER_LIMIT,
    identifier,
    pascal,
    shortened,
    unique,
)

FUNCTION, BOT, FLOW, MODULE, PHONE_NUMBER = "Function", "BotAlias", "Flow", "Module", "PhoneNumber"
_KINDS = {"LambdaFunction": FUNCTION, "WisdomAssistant": "Assistant", "ContactFlow": FLOW}
"""Kinds that the importer names after the parameter, where the export's value is no ARN."""
_PLACEHOLDER = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_.:-]*)\}")
_INSTANCE = re.compile(r"arn:aws[a-z-]*:connect:[a-z0-9-]+:[0-9]{12}:instance/[0-9a-f-]{36}")


class ExportError(Exception):
    """An export cannot become a part of an app; the message says which, why, and what to do."""


@dataclass(frozen=True)
class Resource:
    """Something that flows refer to, such as a queue.

    placeholder: its name in templates and in cdk.json. kind: Queue, Hours, Prompt, Function and so on. title: what
    people call it, "" if the export does not say. value: its ARN, id or number in the export, or "".
    """

    placeholder: str
    kind: str
    title: str
    value: str


@dataclass(frozen=True)
class Reference:
    """What a placeholder of a template stands for: another flow of the app by its construct, else a resource."""

    resource: Resource
    flow: str | None = None


@dataclass(frozen=True)
class ExportedFlow:
    """A flow or module, as a template.

    title: its name in the console. file, variable and construct: how the app calls it. flow_type: CreateContactFlow's
    Type. references: by placeholder, in the order of the template. notes: what could not be converted as it was.
    """

    source: Path
    title: str
    file: str
    variable: str
    construct: str
    kind: FlowKind
    flow_type: str
    template: Mapping[str, Any]
    references: Mapping[str, Reference] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def resources(self) -> list[Resource]:
        """What it refers to outside the app."""
        return [one.resource for one in self.references.values() if one.flow is None]

    @property
    def flows(self) -> list[str]:
        """The constructs of the flows of the app that it refers to."""
        return list(dict.fromkeys(one.flow for one in self.references.values() if one.flow is not None))

    def refuses(self, values: Mapping[str, str], context: LintContext | None = None) -> list[str]:
        """Return what the linter finds with these values and with placeholders for the others."""
        filled = {name: values.get(name, f"${{{name}}}") for name in self.references}
        return _errors(render(self.template, filled), self.kind, self.flow_type, self.source.name, context)


@dataclass(frozen=True)
class Exports:
    """Flows in the order in which they can be published: each after those that it refers to.

    circles: titles of a flow and of one that it refers to and that needs it first. Such a reference is a value of the
    environment.
    """

    flows: tuple[ExportedFlow, ...]
    circles: tuple[tuple[str, str], ...] = ()

    @property
    def resources(self) -> list[Resource]:
        """Everything that flows refer to outside the app, each once."""
        return list({one.placeholder: one for flow in self.flows for one in flow.resources}.values())

    def of_kind(self, kind: str) -> list[Resource]:
        """Return the resources of a kind."""
        return [resource for resource in self.resources if resource.kind == kind]

    def flow(self, construct: str) -> ExportedFlow:
        """Return the flow of that construct."""
        return next(flow for flow in self.flows if flow.construct == construct)

    def instances(self) -> list[str]:
        """Return the ARNs of the instances that the exports name, sorted."""
        found = (
            _INSTANCE.match(one.resource.value) for flow in self.flows for one in flow.references.values()
        )
        return sorted({match.group() for match in found if match})


@dataclass(frozen=True)
class _Export:
    """An export by itself. titles: what the console calls the resources behind its placeholders."""

    source: Path
    title: str
    kind: FlowKind
    flow_type: str
    imported: Imported
    titles: Mapping[str, str]


def read_exports(paths: Sequence[Path]) -> Exports:
    """Read the exports; ExportError for one that cannot be read, that Connect would refuse, or that is there twice."""
    exports = [_read(path) for path in paths]
    seen: dict[tuple[FlowKind, str], Path] = {}
    for one in exports:
        before = seen.setdefault((one.kind, one.title), one.source)
        if before is not one.source:
            raise ExportError(
                f"{one.source} is the {one.kind.value} {one.title!r}, and so is {before}. Leave one of them out."
            )
    return _in_order(_named(exports))


def _read(path: Path) -> _Export:
    try:
        raw = path.read_bytes()
    except OSError as problem:
        raise ExportError(
            f"{path} cannot be read: {problem.strerror}. Name a file that the flow designer's Export has written."
        ) from problem
    try:
        imported = import_flow(raw, name=str(path), readable=True)
        flow = Flow.parse(render(imported.template, imported.values), name=str(path))
    except (FlowImportError, FlowSyntaxError) as problem:
        raise ExportError(f"{problem} Export the flow again, in the flow designer.") from problem
    title = flow.metadata.get("name")
    told = re.sub(r"[^a-z]", "", str(flow.metadata.get("type", "")).lower())
    is_module = "module" in told or any(block.type == "EndFlowModuleExecution" for block in flow.blocks)
    kind = FlowKind.MODULE if is_module else FlowKind.FLOW
    known = names(flow)
    return _Export(
        source=path,
        title=" ".join(title.split()) if isinstance(title, str) and title.strip() else path.stem,
        kind=kind,
        flow_type=_flow_type(path, imported.template, kind, FLOW_TYPE_OF_METADATA.get(told)),
        imported=imported,
        titles={name: " ".join((known.name(v) or "").split()) for name, v in imported.values.items()},
    )


def _flow_type(path: Path, template: Mapping[str, Any], kind: FlowKind, told: str | None) -> str:
    """Return the type of flow that takes all the blocks; ExportError if none does."""
    first = told or "CONTACT_FLOW"
    possible = [first] if told or kind is FlowKind.MODULE else [first, *knowledge().flow_types]
    found = {one: _errors(template, kind, one, path.name) for one in dict.fromkeys(possible)}
    for one, errors in found.items():
        if not errors:
            return one
    listed = "\n".join(f"  {error}" for error in found[first])
    raise ExportError(
        f"{path}: Amazon Connect would refuse this {kind.value}. Mend it in the designer or in the file:\n{listed}"
    )


def _errors(
    flow: str | Mapping[str, Any],
    kind: FlowKind,
    flow_type: str,
    name: str,
    context: LintContext | None = None,
) -> list[str]:
    found = lint(
        flow,
        name=name,
        kind=kind,
        flow_type=flow_type if kind is FlowKind.FLOW else None,
        context=context,
    )
    return [str(one) for one in found if one.severity is Severity.ERROR]


def _named(exports: Sequence[_Export]) -> list[ExportedFlow]:
    """Give everything one name in the whole app, and find the flows that refer to each other."""
    constructs: set[str] = set()
    variables: set[str] = set()
    placeholders: set[str] = set()
    own = {
        (one.kind, one.title): unique(pascal(one.title) or one.kind.value.capitalize(), constructs)
        for one in exports
    }
    known: dict[str, Resource] = {}
    flows = []
    for one in exports:
        new_names: dict[str, str] = {}
        references: dict[str, Reference] = {}
        for placeholder, value in one.imported.values.items():
            resource = known.get(value) or _resource(one, placeholder, placeholders)
            if value:
                known[value] = resource
            new_names[placeholder] = resource.placeholder
            kind = {MODULE: FlowKind.MODULE, FLOW: FlowKind.FLOW}.get(resource.kind)
            other = own.get((kind, resource.title)) if kind else None
            references[resource.placeholder] = Reference(resource, other)
        name = unique(identifier(one.title) or one.kind.value, variables)
        flows.append(
            ExportedFlow(
                source=one.source,
                title=one.title,
                file=name.rstrip("_"),
                variable=name,
                construct=own[one.kind, one.title],
                kind=one.kind,
                flow_type=one.flow_type,
                template=_with(one.imported.template, new_names),
                references=references,
                notes=one.imported.notes,
            )
        )
    return flows


def _resource(export: _Export, placeholder: str, taken: set[str]) -> Resource:
    told = export.imported.kinds[placeholder].partition(" named ")[0]
    kind = _KINDS.get(told, told)
    name = unique(shortened(placeholder, told, PLACEHOLDER_LIMIT), taken, limit=PLACEHOLDER_LIMIT)
    return Resource(name, kind, export.titles[placeholder], export.imported.values[placeholder])


def _with(value: Any, new_names: Mapping[str, str]) -> Any:  # noqa: ANN401 - JSON
    """Return the template with its placeholders under new names."""
    if isinstance(value, str):
        return _PLACEHOLDER.sub(lambda match: f"${{{new_names.get(match[1], match[1])}}}", value)
    if isinstance(value, Mapping):
        return {_with(key, new_names): _with(inner, new_names) for key, inner in value.items()}
    return [_with(inner, new_names) for inner in value] if isinstance(value, list) else value


def _in_order(flows: Sequence[ExportedFlow]) -> Exports:
    """Return the flows, each after those that it refers to; a circle is broken where that takes the fewest values."""
    waiting, done, circles = list(flows), dict[str, ExportedFlow](), list[tuple[str, str]]()
    titles = {flow.construct: flow.title for flow in flows}
    while waiting:
        missing = [[other for other in flow.flows if other not in done] for flow in waiting]
        fewest = min(range(len(waiting)), key=lambda index: len(missing[index]))
        flow, broken = waiting.pop(fewest), missing[fewest]
        circles += [(flow.title, titles[other]) for other in broken]
        references = {
            name: replace(one, flow=None) if one.flow in broken else one
            for name, one in flow.references.items()
        }
        done[flow.construct] = replace(flow, references=references)
    return Exports(tuple(done.values()), tuple(circles))
