"""The knowledge about the action types of the flow language, as typed data.

Source: ``knowledge.json``, written by ``packages/connect-flows/tools/build_knowledge.py``; each entry says its
evidence (official: an AWS page; probed: a third party tried it against the service; export: read off console
exports).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any, Literal

ValueClass = Literal["static", "single", "jsonpath", "dynamic"]
"""static: no JSONPath; single: static or exactly one; jsonpath: exactly one; dynamic: text mixing both."""


@dataclass(frozen=True)
class When:
    """A condition on a sibling parameter: it has one of the values or, with values None, is present."""

    parameter: str
    values: tuple[str, ...] | None


@dataclass(frozen=True)
class Group:
    """A rule on several parameters: ``rule`` is exactly_one, at_most_one or at_least_one."""

    rule: str
    names: tuple[str, ...]


@dataclass(frozen=True)
class ParameterSpec:
    """What one parameter takes. An object without ``properties`` is open: its content is unknown."""

    type: str
    required: bool = False
    value: ValueClass = "dynamic"
    enum: tuple[str, ...] | None = None
    disputed: tuple[str, ...] = ()
    ignore_case: bool = False
    min: int | None = None
    max: int | None = None
    range_disputed: bool = False
    max_length: int | None = None
    pattern: str | None = None
    resource: str | None = None
    """The kind of resource that it names, a key of ``Knowledge.resources``."""
    keys: tuple[str, ...] | None = None
    key_pattern: str | None = None
    min_items: int | None = None
    max_items: int | None = None
    properties: Mapping[str, ParameterSpec] | None = None
    items: ParameterSpec | None = None
    values: ParameterSpec | None = None
    groups: tuple[Group, ...] = ()
    open: bool = False
    refused: bool = False
    required_when: When | None = None
    only_when: When | None = None
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True)
class ResourceSpec:
    """A kind of resource that parameters name.

    words: for messages. services: as in its ARN. path: regular expression for the ARN's part behind the account. id:
    the same for an id that stands alone; None where only an ARN will do. accounts: what stands for the account beside
    12 digits. references: those of the system that hold one. arn: the form of the ARN.
    """

    words: str
    arn: str
    services: tuple[str, ...]
    path: str
    id: str | None = None
    accounts: tuple[str, ...] = ()
    references: tuple[str, ...] = ()


@dataclass(frozen=True)
class ErrorRule:
    """The error branches that depend on a parameter's value."""

    when: When
    required: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()
    only: tuple[str, ...] | None = None
    disputed: bool = False


@dataclass(frozen=True)
class ConditionSpec:
    """The conditions that an action takes. operators None: any. operand_kind: see knowledge.json's generator."""

    operators: tuple[str, ...] | None
    operands: tuple[str, ...] | None
    operand_kind: str
    required: tuple[str, ...] = ()
    required_from: str | None = None
    only_when: When | None = None


@dataclass(frozen=True)
class ActionSpec:
    """One action type. ``channels`` and ``flow_types`` are None if nothing reliable is known."""

    type: str
    evidence: tuple[str, ...]
    source: tuple[str, ...]
    documented: bool
    category: str
    channels: frozenset[str] | None
    flow_types: frozenset[str] | None
    flow_types_disputed: bool
    allowed_in_module: bool
    module_only: bool
    terminal: bool
    retired: str | None
    next_action: str
    parameters: Mapping[str, ParameterSpec]
    groups: tuple[Group, ...]
    errors_required: tuple[str, ...]
    errors_allowed: tuple[str, ...]
    error_rules: tuple[ErrorRule, ...]
    conditions: ConditionSpec | None
    variants: Mapping[str, ActionSpec] = field(default_factory=dict)
    """Other forms of the type, by the parameter whose presence makes it the form."""

    def form(self, parameters: Mapping[str, Any]) -> ActionSpec:
        """Return the form of the type that a block with these parameters has."""
        return next((spec for name, spec in self.variants.items() if name in parameters), self)

    @property
    def basis(self) -> str:
        """The evidence as diagnostics name it, strongest first."""
        return basis(self.evidence)


@dataclass(frozen=True)
class Knowledge:
    """The whole table."""

    version: str
    actions_max: int
    content_max_chars: int
    identifier_max: int
    condition_nesting: int
    sub_conditions: int
    forbidden_chars: frozenset[str]
    forbidden_names: frozenset[str]
    operators: frozenset[str]
    error_types: frozenset[str]
    flow_types: tuple[str, ...]
    renamed_types: Mapping[str, str]
    seen_types: frozenset[str]
    json_path_roots: frozenset[str]
    never_resources: frozenset[str]
    resource_references: frozenset[str]
    regions: frozenset[str]
    resources: Mapping[str, ResourceSpec] = field(repr=False)
    actions: Mapping[str, ActionSpec] = field(repr=False)


def basis(evidence: tuple[str, ...]) -> str:
    """Return evidence classes as one word for a diagnostic: "official" if AWS documents it at all."""
    strong = [e for e in ("official", "probed", "export") if e in evidence]
    return strong[0] if strong[:1] == ["official"] else "+".join(strong) or "export"


@cache
def knowledge() -> Knowledge:
    """Return the table, read once."""
    path = resources.files("connect_flows").joinpath("knowledge.json")
    data = json.loads(path.read_text(encoding="utf-8"))
    return Knowledge(
        version=data["version"],
        **data["limits"],
        forbidden_chars=frozenset(data["identifier"]["forbidden_chars"]),
        forbidden_names=frozenset(data["identifier"]["forbidden_names"]),
        operators=frozenset(data["operators"]),
        error_types=frozenset(data["error_types"]),
        flow_types=tuple(data["flow_types"]),
        renamed_types=MappingProxyType(data["renamed_types"]),
        seen_types=frozenset(data["seen_types"]),
        json_path_roots=frozenset(data["json_path_roots"]),
        never_resources=frozenset(data["never_resources"]),
        resource_references=frozenset(data["resource_references"]),
        regions=frozenset(data["regions"]),
        resources=MappingProxyType({name: _resource(entry) for name, entry in data["resources"].items()}),
        actions=MappingProxyType({name: _action(name, entry) for name, entry in data["actions"].items()}),
    )


def _action(name: str, entry: dict[str, Any]) -> ActionSpec:
    errors, conditions = entry["errors"], entry["conditions"]
    spec = ActionSpec(
        type=name,
        evidence=tuple(entry["evidence"]),
        source=tuple(entry["source"]),
        documented=entry["documented"],
        category=entry["category"],
        channels=None if entry["channels"] is None else frozenset(entry["channels"]),
        flow_types=None if entry["flow_types"] is None else frozenset(entry["flow_types"]),
        flow_types_disputed=entry["flow_types_disputed"],
        allowed_in_module=entry["allowed_in_module"],
        module_only=entry["module_only"],
        terminal=entry["terminal"],
        retired=entry["retired"],
        next_action=entry["next_action"],
        parameters=MappingProxyType({k: _parameter(v) for k, v in entry["parameters"].items()}),
        groups=_groups(entry["groups"]),
        errors_required=tuple(errors["required"]),
        errors_allowed=tuple(errors["allowed"]),
        error_rules=tuple(
            ErrorRule(
                when=_when(rule) or When("", None),
                required=tuple(rule.get("required", ())),
                forbidden=tuple(rule.get("forbidden", ())),
                only=tuple(rule["only"]) if "only" in rule else None,
                disputed=rule.get("disputed", False),
            )
            for rule in errors["rules"]
        ),
        conditions=None
        if conditions is None
        else ConditionSpec(
            operators=_names(conditions["operators"]),
            operands=_names(conditions["operands"]),
            operand_kind=conditions["operand_kind"],
            required=tuple(conditions["required"]),
            required_from=conditions["required_from"],
            only_when=_when(conditions["only_when"]),
        ),
    )
    variants = {v["parameter"]: _variant(spec, v) for v in entry.get("variants", ())}
    return replace(spec, variants=MappingProxyType(variants)) if variants else spec


def _variant(spec: ActionSpec, entry: dict[str, Any]) -> ActionSpec:
    return replace(
        spec,
        parameters=MappingProxyType({k: _parameter(v) for k, v in entry["parameters"].items()}),
        groups=(),
        errors_required=tuple(entry["errors"]["required"]),
        errors_allowed=tuple(entry["errors"]["allowed"]),
        error_rules=(),
        conditions=None,
    )


def _parameter(entry: dict[str, Any]) -> ParameterSpec:
    fields = dict(entry)
    for name in ("enum", "keys", "disputed", "evidence"):
        if name in fields:
            fields[name] = tuple(fields[name])
    if "properties" in fields:
        fields["properties"] = MappingProxyType({k: _parameter(v) for k, v in fields["properties"].items()})
    for name in ("items", "values"):
        if name in fields:
            fields[name] = _parameter(fields[name])
    for name in ("required_when", "only_when"):
        if name in fields:
            fields[name] = _when(fields[name])
    if "groups" in fields:
        fields["groups"] = _groups(fields["groups"])
    return ParameterSpec(**fields)


def _resource(entry: dict[str, Any]) -> ResourceSpec:
    fields: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in entry.items()}
    return ResourceSpec(**fields)


def _groups(entries: list[dict[str, Any]]) -> tuple[Group, ...]:
    return tuple(Group(entry["rule"], tuple(entry["names"])) for entry in entries)


def _when(entry: dict[str, Any] | None) -> When | None:
    return None if entry is None else When(entry["parameter"], _names(entry["values"]))


def _names(values: list[str] | None) -> tuple[str, ...] | None:
    return None if values is None else tuple(values)
