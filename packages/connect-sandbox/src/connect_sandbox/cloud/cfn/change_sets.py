"""What a change set says it would do: which resources change, by which properties, and which are replaced.

Like CloudFormation it looks at the templates, not at values: what refers to a resource that may be replaced, or to an
attribute of one that changes, may change itself. Source: API reference, ResourceChange and ResourceTargetDefinition.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from connect_sandbox.cloud.cfn.resource import ResourceType
from connect_sandbox.cloud.cfn.stack import Stack, StackResource
from connect_sandbox.cloud.cfn.template import Resource, Template, creation_order, invalid, references

_SUB_ATTRIBUTE = re.compile(r"\$\{([A-Za-z0-9]+)\.[^}]+\}")


def planned_changes(
    stack: Stack, template: Template, parameters: Mapping[str, str], type_of: Callable[[str], ResourceType]
) -> list[dict[str, Any]]:
    """Return a change set's Changes: additions and modifications in the order of creation, then removals.

    `parameters` are those that the stack would have.
    """
    plan = _Plan(stack, _changed(stack.given_parameters, parameters), type_of)
    for name in creation_order(template):
        plan.add(template.resources[name])
    plan.changes += [
        _change("Remove", held.declared, held)
        for name, held in stack.resources.items()
        if name not in template.resources
    ]
    return plan.changes


def refuse_other_types(stack: Stack, template: Template) -> None:
    """Raise ValidationError for a template that gives a logical id another type, which CloudFormation never takes.

    Source: what CloudFormation answers, as in aws/aws-sam-cli issue 6786.
    """
    changed = [
        name
        for name, held in stack.resources.items()
        if name in template.resources and template.resources[name].type != held.declared.type
    ]
    if changed:
        raise invalid(
            "Update of resource type is not permitted. The new template modifies resource type of the following "
            f"resources: [{', '.join(changed)}]"
        )


class _Plan:
    def __init__(self, stack: Stack, parameters: set[str], type_of: Callable[[str], ResourceType]) -> None:
        self._stack = stack
        self._parameters = parameters
        self._type_of = type_of
        #: Resources whose Ref may change, and those whose attributes may.
        self._replaced: set[str] = set()
        self._modified: set[str] = set()
        self.changes: list[dict[str, Any]] = []

    def add(self, declared: Resource) -> None:
        """Add what happens to a resource, once all that it refers to has been added."""
        held = self._stack.resources.get(declared.logical_id)
        if held is None:
            self.changes.append(_change("Add", declared, None))
            return
        before = held.declared
        kind = self._type_of(before.type)
        direct = _changed(before.properties, declared.properties) | {
            name for name, value in declared.properties.items() if self._parameters & set(references(value))
        }
        dynamic = {name for name, value in declared.properties.items() if self._depends(value)} - direct
        scope = [
            attribute
            for attribute, differs in (
                ("Properties", bool(direct or dynamic)),
                ("Metadata", before.metadata != declared.metadata),
                ("DeletionPolicy", before.deletion_policy != declared.deletion_policy),
                ("UpdateReplacePolicy", before.update_replace_policy != declared.update_replace_policy),
            )
            if differs
        ]
        if not scope:
            return
        replacement = _replacement(kind, direct, dynamic)
        self._modified.add(declared.logical_id)
        if replacement != "False":
            self._replaced.add(declared.logical_id)
        change = _change("Modify", declared, held)
        change["ResourceChange"] |= {
            "Replacement": replacement,
            "Scope": scope,
            "Details": [
                _detail(name, kind, "Static" if name in direct else "Dynamic")
                for name in sorted(direct | dynamic)
            ],
        }
        self.changes.append(change)

    def _depends(self, value: Any) -> bool:  # noqa: ANN401  (a template's value)
        """Return whether a value may change because another resource does."""
        return bool(self._replaced & set(references(value)) or self._modified & set(_attributes_of(value)))


def _replacement(kind: ResourceType, direct: set[str], dynamic: set[str]) -> str:
    if _replaces(kind, direct):
        return "True"
    return "Conditional" if _replaces(kind, dynamic) else "False"


def _replaces(kind: ResourceType, names: Iterable[str]) -> bool:
    """Return whether a change of these properties makes a new resource."""
    in_place = type(kind).update is not ResourceType.update
    return bool(set(names) and (not in_place or set(names) & kind.replaced_by))


def _detail(name: str, kind: ResourceType, evaluation: str) -> dict[str, Any]:
    recreation = (
        "Never" if not _replaces(kind, {name}) else "Always" if evaluation == "Static" else "Conditionally"
    )
    return {
        "Target": {"Attribute": "Properties", "Name": name, "RequiresRecreation": recreation},
        "Evaluation": evaluation,
        "ChangeSource": "DirectModification" if evaluation == "Static" else "ResourceReference",
    }


def _change(action: str, declared: Resource, held: StackResource | None) -> dict[str, Any]:
    physical = {} if held is None else {"PhysicalResourceId": held.created.physical_id}
    return {
        "Type": "Resource",
        "ResourceChange": {
            "Action": action,
            "LogicalResourceId": declared.logical_id,
            "ResourceType": declared.type,
            **physical,
        },
    }


def _changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> set[str]:
    return {name for name in {*before, *after} if before.get(name) != after.get(name)}


def _attributes_of(value: Any) -> Iterable[str]:  # noqa: ANN401  (a template's value)
    """Yield the resources of which a value holds an attribute."""
    if isinstance(value, list):
        for item in value:
            yield from _attributes_of(item)
    elif isinstance(value, dict):
        for name, item in value.items():
            if name == "Fn::GetAtt":
                yield str(item[0] if isinstance(item, list) else item.split(".", 1)[0])
            elif name == "Fn::Sub":
                yield from _SUB_ATTRIBUTE.findall(item if isinstance(item, str) else item[0])
                yield from _attributes_of([] if isinstance(item, str) else item[1])
            else:
                yield from _attributes_of(item)
