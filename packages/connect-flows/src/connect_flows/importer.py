"""Turns a console export into a template: what is specific to an instance becomes a named ``${Placeholder}``."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from connect_flows import legacy
from connect_flows.checks.environment import ID_PARAMETERS
from connect_flows.diagnostics import one_line
from connect_flows.knowledge import knowledge
from connect_flows.reading import read
from connect_flows.references import has_reference
from connect_flows.template import escape, is_opaque

Json = dict[str, Any]

_ARN = re.compile(
    r"arn:aws[a-z-]*:(?:[a-z0-9-]{1,40}:[a-z0-9-]{0,30}:[0-9]{12}:|connect:[a-z0-9-]{1,30}:aws:view/)"
    r"[A-Za-z0-9_/:$.-]*[A-Za-z0-9_/$-]"
)
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_PHONE = re.compile(r"\+[1-9][0-9]{7,14}")
_KINDS = {
    "queue": "Queue",
    "contact-flow": "Flow",
    "flow-module": "Module",
    "prompt": "Prompt",
    "operating-hours": "Hours",
    "agent": "Agent",
    "task-template": "TaskTemplate",
    "phone-number": "PhoneNumber",
    "transfer-destination": "QuickConnect",
}
_OF_SERVICE = {
    "lambda": "Function",
    "lex": "BotAlias",
    "chime": "VoiceConnector",
    "wisdom": "Assistant",
    "s3": "Bucket",
}


# Marks a resource that the export leaves empty (saved, not published): each is a resource of its own.
_EMPTY = "\0"


class FlowImportError(ValueError):
    """The file is not an export; the message says why."""


@dataclass(frozen=True)
class Imported:
    """A template, the values that restore the export, and notes for the user.

    kinds: for each placeholder the kind of resource ("Queue", "Function", …) and its name in the console.
    """

    template: Mapping[str, Any]
    values: Mapping[str, str]
    kinds: Mapping[str, str]
    notes: tuple[str, ...] = ()
    converted: bool = False

    def value_map(self, environments: tuple[str, ...] = ("source",)) -> Json:
        """Return the values for each environment: the export's own for the first, null for the others."""
        empty = dict.fromkeys(self.values)
        return {
            "placeholders": dict(self.kinds),
            "environments": {
                name: dict(self.values) if i == 0 else empty for i, name in enumerate(environments)
            },
        }


def import_flow(
    source: str | bytes | Mapping[str, Any],
    *,
    name: str = "<flow>",
    readable: bool = False,
    names: ResourceNames | None = None,
) -> Imported:
    """Return the template for a console export, in the current language or the one before.

    readable: blocks with generated identifiers (UUIDs) get readable ones. names: what the flows before this one call
    their resources, to be continued; ``values`` then has theirs, too. Rendering the template with ``values`` restores
    the export, unless it was converted or made readable. Raises FlowImportError when the source is neither kind of
    export.
    """
    reading = read(source)
    fatal = [p.message for p in reading.problems if p.fatal]
    if reading.document is None or fatal:
        raise FlowImportError(f"{one_line(name, 200)}: {'; '.join(fatal)}.")
    document: Mapping[str, Any] = reading.document
    notes: list[str] = []
    converted = legacy.is_legacy(document)
    if converted:
        try:
            document = legacy.convert(document, notes)
        except legacy.LegacyError as problem:
            raise FlowImportError(f"{one_line(name, 200)}: {problem}.") from problem
    if not isinstance(document.get("Actions"), list):
        raise FlowImportError(
            f"{one_line(name, 200)}: it has neither Actions nor modules, so it is not a flow export."
        )
    if readable:
        document = _renamed(document)
    names = ResourceNames() if names is None else names
    template = names.template(document)
    return Imported(template, names.values, names.kinds, tuple(notes), converted)


def _nothing_known(_value: str) -> None:
    """Return no name."""


@dataclass
class ResourceNames:
    """Finds the resources in flows and names each, the same resource alike in all of them.

    by_value: the placeholder of each resource; kinds: of each placeholder the kind and the console's name, in words.
    Both may hold what earlier imports made. known: says what the instance calls a resource, if it does. Empty ids
    become placeholders unless keep_empty.
    """

    by_value: dict[str, str] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)
    known: Callable[[str], str | None] = _nothing_known
    keep_empty: bool = False

    @property
    def values(self) -> dict[str, str]:
        """The placeholders with their values in the export."""
        return {name: "" if value.startswith(_EMPTY) else value for value, name in self.by_value.items()}

    def template(self, document: Mapping[str, Any]) -> Json:
        """Return the document with placeholders."""
        shown = display_names(document)
        made: Json = {}
        for key, value in document.items():
            if key == "Actions" and isinstance(value, list):
                made[key] = [
                    self._action(a, shown) if isinstance(a, Mapping) else self._known(a) for a in value
                ]
        # Metadata last: its identifiers are replaced only where a parameter has shown them to be resources.
        return {escape(str(k)): made.get(k, self._known(v)) for k, v in document.items()}

    def _action(self, action: Mapping[str, Any], shown: Mapping[tuple[str, str], str]) -> Json:
        identifier = str(action.get("Identifier"))
        made: Json = {}
        for key, value in action.items():
            if key == "Parameters":
                made[key] = self._value(value, "", identifier, shown)
            elif key == "Transitions":
                made[key] = self._transitions(value)
            else:
                made[escape(key)] = self._known(value)
        return made

    def _transitions(self, value: object) -> Any:  # noqa: ANN401 - JSON
        return self._known(value, keep=True)

    def _value(self, value: object, parameter: str, block: str, shown: Mapping[tuple[str, str], str]) -> Any:  # noqa: ANN401 - JSON
        if isinstance(value, Mapping):
            hooks = parameter == "EventHooks"
            return {
                escape(str(k)): self._value(v, "EventHook" if hooks else str(k), block, shown)
                for k, v in value.items()
            }
        if isinstance(value, list | tuple):
            return [self._value(v, parameter, block, shown) for v in value]
        if not isinstance(value, str):
            return value
        label = shown.get((block, parameter)) or shown.get(("", value))
        is_id = parameter in ID_PARAMETERS or parameter == "EventHook"
        if is_id and not value and not self.keep_empty:
            return f"${{{self._name(f'{_EMPTY}{block} {parameter}', parameter, label)}}}"
        if (is_id and value and not has_reference(value) and not is_opaque(value)) or _PHONE.fullmatch(value):
            return f"${{{self._name(value, parameter, label)}}}"
        return self._pieces(value, parameter, label)

    def _pieces(self, text: str, parameter: str, label: str | None) -> str:
        parts, end = [], 0
        for match in _ARN.finditer(text):
            whole = label if match.group() == text else None
            parts += [
                escape(text[end : match.start()]),
                f"${{{self._name(match.group(), parameter, whole)}}}",
            ]
            end = match.end()
        return "".join([*parts, escape(text[end:])])

    def _known(self, value: object, *, keep: bool = False) -> Any:  # noqa: ANN401 - JSON
        """Replace in anything but parameters; ``keep`` leaves strings unchanged (names of blocks)."""
        if isinstance(value, Mapping):
            return {escape(str(k)): self._known(v, keep=keep) for k, v in value.items()}
        if isinstance(value, list | tuple):
            return [self._known(v, keep=keep) for v in value]
        if not isinstance(value, str):
            return value
        if value in self.by_value and not keep:
            return f"${{{self.by_value[value]}}}"
        return escape(value) if keep else self._pieces(value, "", None)

    def _name(self, value: str, parameter: str, label: str | None) -> str:
        if value in self.by_value:
            return self.by_value[value]
        label = self.known(value) or label
        kind, own = _kind(value, parameter)
        base = _pascal(label or own)
        name = base if base.endswith(kind) else base + kind
        if not name[0].isalpha():
            name = kind + name
        candidate, number = name, 2
        while candidate in self.kinds:
            candidate, number = f"{name}{number}", number + 1
        self.by_value[value] = candidate
        self.kinds[candidate] = f"{kind}{f' named {one_line(label, 60)}' if label else ''}"
        return candidate


def _kind(value: str, parameter: str) -> tuple[str, str]:
    """Return the kind of resource, and its name if the ARN has one."""
    if not value.startswith("arn:"):
        if value.startswith("+"):
            return "PhoneNumber", "" if parameter.startswith("ThirdParty") else _pascal(parameter)
        return {"EventHook": "Flow", "ContactFlowId": "Flow", "FlowModuleId": "Module"}.get(
            parameter, _pascal(re.sub(r"(Id|ARN|Arn)$", "", parameter)) or "Resource"
        ), ""
    service, resource = value.split(":", 5)[2], value.split(":", 5)[5]
    if service == "lambda":
        return "Function", resource.split(":")[1] if ":" in resource else resource
    if service == "connect":
        parts = resource.split("/")
        if parts[0] == "view":
            return "View", parts[1].partition(":")[0]
        return (_KINDS.get(parts[2], _pascal(parts[2])) if len(parts) > 3 else "Instance"), ""
    return _OF_SERVICE.get(service, _pascal(service)), ""


def _pascal(text: str) -> str:
    words = re.findall(r"[A-Za-z0-9]+", text)
    return "".join(w[:1].upper() + w[1:] for w in words)[:60]


def display_names(document: Mapping[str, Any]) -> dict[tuple[str, str], str]:
    """Return the console's names for the resources in parameters, from Metadata.ActionMetadata of a flow's JSON.

    The keys are block and parameter, or "" and the resource itself for what is deeper in the parameters and for the
    pairs of id and text that consoles wrote before 2022.
    """
    metadata = document.get("Metadata")
    blocks = metadata.get("ActionMetadata") if isinstance(metadata, Mapping) else None
    actions = document.get("Actions")
    values = {
        str(a.get("Identifier")): a.get("Parameters")
        for a in (actions if isinstance(actions, list) else ())
        if isinstance(a, Mapping)
    }
    found: dict[tuple[str, str], str] = {}
    for block, details in blocks.items() if isinstance(blocks, Mapping) else ():
        if not isinstance(details, Mapping):
            continue
        for entry in details.values():
            for pair in entry if isinstance(entry, list) else [entry]:
                if isinstance(pair, Mapping) and isinstance(pair.get("id"), str):
                    _add_label(found, ("", pair["id"]), pair.get("text"))
        parameters = details.get("parameters")
        for parameter, entry in parameters.items() if isinstance(parameters, Mapping) else ():
            if isinstance(entry, Mapping):
                _add_label(found, (str(block), str(parameter)), entry.get("displayName"))
        _add_deeper(found, values.get(str(block)), parameters)
    return found


def _add_deeper(found: dict[tuple[str, str], str], value: object, shown: object) -> None:
    """Walk parameters and their metadata in parallel and collect the names of resources."""
    if isinstance(value, str) and isinstance(shown, Mapping):
        _add_label(found, ("", value), shown.get("displayName"))
    elif isinstance(value, Mapping) and isinstance(shown, Mapping):
        for key, inner in value.items():
            _add_deeper(found, inner, shown.get(key))
    elif isinstance(value, list) and isinstance(shown, list):
        for item, inner in zip(value, shown, strict=False):  # metadata may only name the first ones
            _add_deeper(found, item, inner)


def _add_label(found: dict[tuple[str, str], str], key: tuple[str, str], label: object) -> None:
    if isinstance(label, str) and label and key[1]:
        found.setdefault(key, label)


def _renamed(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Replace generated block identifiers by readable ones, everywhere."""
    shown = display_names(document)
    names: dict[str, str] = {}
    taken = {str(a.get("Identifier")) for a in document["Actions"] if isinstance(a, Mapping)}
    for action in document["Actions"]:
        identifier = action.get("Identifier") if isinstance(action, Mapping) else None
        if isinstance(identifier, str) and _UUID.fullmatch(identifier):
            base = _telling(action, shown)
            candidate, number = base, 2
            while candidate in taken:
                candidate, number = f"{base[:46]} {number}", number + 1
            taken.add(candidate)
            names[identifier] = candidate

    def rename(value: object) -> Any:  # noqa: ANN401 - JSON
        if isinstance(value, str):
            return names.get(value, value)
        if isinstance(value, Mapping):
            return {names.get(k, k): rename(v) for k, v in value.items()}
        return [rename(v) for v in value] if isinstance(value, list | tuple) else value

    def action_of(action: object) -> Any:  # noqa: ANN401 - JSON
        if not isinstance(action, Mapping):
            return action
        return {k: v if k == "Parameters" else rename(v) for k, v in action.items()}

    return {k: [action_of(a) for a in v] if k == "Actions" else rename(v) for k, v in document.items()}


def _telling(action: Mapping[str, Any], shown: Mapping[tuple[str, str], str]) -> str:
    kind = str(action.get("Type", "block"))
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", kind).lower()
    identifier = str(action.get("Identifier"))
    label = next((text for (block, _), text in shown.items() if block == identifier), None)
    parameters = action.get("Parameters")
    for name in ("Text", "ComparisonValue", "LoopCount", "MetricType"):
        value = parameters.get(name) if isinstance(parameters, Mapping) else None
        if label is None and isinstance(value, str):
            label = " ".join(value.split()[:5]) if not has_reference(value) else value.removeprefix("$.")
    forbidden = knowledge().forbidden_chars
    text = f"{words} {label}" if label else words
    clean = " ".join("".join(" " if c in forbidden or not c.isprintable() else c for c in text).split())
    return clean[: knowledge().identifier_max].strip() or "block"
