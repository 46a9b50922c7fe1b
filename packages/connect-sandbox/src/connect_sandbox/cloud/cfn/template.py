"""Reads a CloudFormation template: its sections, its parameters, and which resource depends on which."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml

from connect_sandbox.cloud.errors import AwsError

_SECTIONS = frozenset(
    {
        "AWSTemplateFormatVersion",
        "Description",
        "Metadata",
        "Parameters",
        "Mappings",
        "Conditions",
        "Rules",
        "Transform",
        "Resources",
        "Outputs",
    }
)
_RESOURCE_KEYS = frozenset(
    {"Type", "Properties", "DependsOn", "Condition", "DeletionPolicy", "UpdateReplacePolicy", "Metadata"}
)
_VERSION = "2010-09-09"
_LONGEST_DESCRIPTION = 1_024
_MOST = {"Resources": 500, "Parameters": 200, "Outputs": 200, "Mappings": 200}
_DELETION_POLICIES = frozenset({"Delete", "Retain", "RetainExceptOnCreate", "Snapshot"})
_SUB_REFERENCE = re.compile(r"\$\{([^!}][^}]*)\}")


@dataclass(frozen=True)
class Resource:
    """One entry of the Resources section."""

    logical_id: str
    type: str
    properties: dict[str, Any]
    depends_on: tuple[str, ...] = ()
    condition: str | None = None
    deletion_policy: str = "Delete"
    update_replace_policy: str = "Delete"
    metadata: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Template:
    """A parsed template; `body` is the document as given, for GetTemplate."""

    text: str
    body: dict[str, Any]
    resources: dict[str, Resource]
    parameters: dict[str, dict[str, Any]] = field(default_factory=dict)
    mappings: dict[str, Any] = field(default_factory=dict)
    conditions: dict[str, Any] = field(default_factory=dict)
    rules: dict[str, Any] = field(default_factory=dict)
    outputs: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def description(self) -> str:
        """The template's description, or an empty text."""
        return str(self.body.get("Description", ""))


def load_template(text: str) -> Template:
    """Parse a template in JSON or YAML; raise ValidationError as CloudFormation does, naming what is wrong."""
    body = _parse(text)
    unknown = set(body) - _SECTIONS
    if unknown:
        raise invalid(f"Invalid template property or properties [{', '.join(sorted(unknown))}]")
    if body.get("Resources") and not isinstance(body["Resources"], dict):
        raise invalid("Template format error: Any Resources member must be an object.")
    if not body.get("Resources"):
        raise invalid("Template format error: At least one Resources member must be defined.")
    _check_form(body)
    template = Template(
        text=text,
        body=body,
        resources={name: _resource(name, entry) for name, entry in body["Resources"].items()},
        parameters=body.get("Parameters") or {},
        mappings=body.get("Mappings") or {},
        conditions=body.get("Conditions") or {},
        rules=body.get("Rules") or {},
        outputs=body.get("Outputs") or {},
    )
    _check_references(template)
    creation_order(template)
    return template


def creation_order(template: Template) -> list[str]:
    """Return the logical ids so that each comes after what it depends on; raise for a cycle."""
    order: list[str] = []
    visiting: list[str] = []

    def visit(name: str) -> None:
        if name in order:
            return
        if name in visiting:
            circle = visiting[visiting.index(name) :]
            raise invalid(f"Circular dependency between resources: [{', '.join(circle)}]")
        visiting.append(name)
        for dependency in sorted(dependencies(template, name)):
            visit(dependency)
        visiting.pop()
        order.append(name)

    for name in template.resources:
        visit(name)
    return order


def dependencies(template: Template, name: str) -> set[str]:
    """Return the resources that the resource refers to, in its metadata too, or names in DependsOn."""
    resource = template.resources[name]
    named = references([resource.properties, resource.metadata])
    found = {reference for reference in named if reference in template.resources}
    return (found | set(resource.depends_on)) - ({name} - set(resource.depends_on))


def references(value: Any) -> Iterator[str]:  # noqa: ANN401  (any part of a template)
    """Yield the names that Ref, Fn::GetAtt and Fn::Sub inside `value` refer to."""
    if isinstance(value, list):
        for item in value:
            yield from references(item)
        return
    if not isinstance(value, dict):
        return
    for key, inner in value.items():
        if key == "Ref" and isinstance(inner, str):
            yield inner
        elif key == "Fn::GetAtt":
            yield inner.split(".", 1)[0] if isinstance(inner, str) else str(inner[0])
        elif key == "Fn::Sub":
            text, own = (inner, {}) if isinstance(inner, str) else (inner[0], inner[1])
            names = (found.split(".", 1)[0].strip() for found in _SUB_REFERENCE.findall(text))
            yield from (name for name in names if name not in own)
            yield from references(own)
        else:
            yield from references(inner)


def invalid(message: str) -> AwsError:
    """Return the error with which CloudFormation refuses a template or a request."""
    return AwsError("ValidationError", message, 400)


def _parse(text: str) -> dict[str, Any]:
    try:
        body = json.loads(text)
    except ValueError as error:
        if text.lstrip().startswith("{"):
            raise invalid(f"Template format error: JSON not well-formed. {_where(error)}") from error
        try:
            body = yaml.load(text, Loader=_Loader)  # noqa: S506  (a SafeLoader with the short forms added)
        except yaml.YAMLError as problem:
            raise invalid(f"Template format error: YAML not well-formed. {_where(problem)}") from problem
    if not isinstance(body, dict):
        raise invalid("Template format error: unsupported structure.")
    return body


def _check_form(body: dict[str, Any]) -> None:
    """Raise for what CloudFormation limits: counts, version, description, what conditions may refer to.

    Source: CloudFormation user guide, "Understand CloudFormation quotas" and the pages of the sections.
    """
    version = str(body.get("AWSTemplateFormatVersion", _VERSION))
    if version != _VERSION:
        raise invalid(
            f"Template format error: {version} is not a supported value for AWSTemplateFormatVersion."
        )
    if len(str(body.get("Description", "")).encode()) > _LONGEST_DESCRIPTION:
        raise invalid("Template format error: 'Description' length is greater than 1024.")
    for section, most in _MOST.items():
        entries = body.get(section) or {}
        if len(entries) > most:
            raise invalid(
                f"Template format error: Number of {section.lower()}, {len(entries)}, is greater than maximum "
                f"allowed, {most}"
            )
    exported = [
        json.dumps(output["Export"].get("Name"), default=str)
        for output in (body.get("Outputs") or {}).values()
        if isinstance(output, dict) and isinstance(output.get("Export"), dict)
    ]
    for name in exported:
        if exported.count(name) > 1:
            raise invalid(f"Template format error: Duplicate Export names: [{json.loads(name)}]")
    _check_conditions(body)


def _check_conditions(body: dict[str, Any]) -> None:
    conditions = body.get("Conditions") or {}
    if "Fn::ImportValue" in json.dumps(conditions, default=str):
        raise invalid("Template error: Cannot use Fn::ImportValue in Conditions.")
    resources = [name for name in references(conditions) if name in body["Resources"]]
    if resources:
        raise invalid(
            f"Template format error: Unresolved dependencies [{_listed(resources)}]. Cannot reference resources in the "
            "Conditions block of the template"
        )


def _where(error: Exception) -> str:
    """Return where a text is wrong, counted as CloudFormation does."""
    if isinstance(error, json.JSONDecodeError):
        return f"(line {error.lineno}, column {error.colno + 1})"
    mark = getattr(error, "problem_mark", None)
    return "" if mark is None else f"(line {mark.line + 1}, column {mark.column + 1})"


def _resource(name: str, entry: Any) -> Resource:  # noqa: ANN401  (what the template holds there)
    if not isinstance(entry, dict) or not isinstance(entry.get("Type"), str):
        raise invalid(
            f"Template format error: [/Resources/{name}] Every Resources object must contain a Type member."
        )
    unknown = set(entry) - _RESOURCE_KEYS
    if unknown:
        raise invalid(f"Invalid template resource property '{min(unknown)}'")
    for attribute in ("DeletionPolicy", "UpdateReplacePolicy"):
        policy = entry.get(attribute, "Delete")
        if isinstance(policy, str) and policy not in _DELETION_POLICIES:
            raise invalid(f"Template format error: Unrecognized {attribute} {policy} for resource {name}")
    depends_on = entry.get("DependsOn") or []
    return Resource(
        logical_id=name,
        type=entry["Type"],
        properties=entry.get("Properties") or {},
        depends_on=(depends_on,) if isinstance(depends_on, str) else tuple(depends_on),
        condition=entry.get("Condition"),
        deletion_policy=entry.get("DeletionPolicy", "Delete"),
        update_replace_policy=entry.get("UpdateReplacePolicy", "Delete"),
        metadata=entry.get("Metadata") or {},
    )


def _check_references(template: Template) -> None:
    known = set(template.resources) | set(template.parameters)
    named: list[str] = []
    for resource in template.resources.values():
        named += [name for name in resource.depends_on if name not in template.resources]
        named += _unknown(references([resource.properties, resource.metadata]), known)
    if named:
        raise invalid(
            f"Template format error: Unresolved resource dependencies [{_listed(named)}] in the Resources block "
            "of the template"
        )
    named = [name for output in template.outputs.values() for name in _unknown(references(output), known)]
    if named:
        raise invalid(
            f"Template format error: Unresolved resource dependencies [{_listed(named)}] in the Outputs block "
            "of the template"
        )


def _unknown(names: Iterator[str], known: set[str]) -> list[str]:
    return [name for name in names if name not in known and not name.startswith("AWS::")]


def _listed(names: list[str]) -> str:
    return ", ".join(sorted(set(names)))


if TYPE_CHECKING:
    _Safe = yaml.SafeLoader
else:
    # libyaml, where PyYAML was built with it: the CDK's bootstrap template in 25 ms instead of 200.
    _Safe = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_Safe):
    """YAML as CloudFormation reads it: short forms of intrinsic functions, dates as plain text, no aliases."""

    def get_single_node(self) -> yaml.Node | None:
        """Refuse an alias, which is a node that stands twice (user guide, "CloudFormation template formats")."""
        document: yaml.Node | None = super().get_single_node()
        seen: set[int] = set()
        nodes = [document]
        while nodes:
            node = nodes.pop()
            if id(node) in seen:
                raise invalid("Template error: YAML aliases are not allowed in CloudFormation templates")
            seen.add(id(node))
            if isinstance(node, yaml.SequenceNode):
                nodes += node.value
            elif isinstance(node, yaml.MappingNode):
                nodes += [one for pair in node.value for one in pair]
        return document


_Loader.yaml_implicit_resolvers = {
    key: [(tag, expression) for tag, expression in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for key, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _short_form(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    elif isinstance(node, yaml.MappingNode):
        value = loader.construct_mapping(node, deep=True)
    else:
        raise invalid(f"Template format error: !{suffix} cannot be read")
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _short_form)
