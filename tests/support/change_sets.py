"""What CloudFormation says of a change of a template before it begins: rules, and what would be replaced or removed.

It asks the sandbox's own functions, those behind CreateChangeSet, about stacks that nobody has deployed, so that a
change costs no deployment. tests/sandbox/cloud/cfn/test_change_sets.py asks the same over HTTP of deployed ones.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from typing import Any

from connect_sandbox.cloud.cfn.change_sets import planned_changes, refuse_other_types
from connect_sandbox.cloud.cfn.intrinsics import Resolver, resolve_parameters
from connect_sandbox.cloud.cfn.resource import Created, ResourceType
from connect_sandbox.cloud.cfn.stack import Stack, StackResource
from connect_sandbox.cloud.cfn.template import Template, load_template, references
from connect_sandbox.cloud.cfn.types import all_types
from connect_sandbox.cloud.cfn.types.custom import CustomResource

KEPT = frozenset({"Retain", "RetainExceptOnCreate"})


@dataclass(frozen=True)
class Change:
    """What would happen to one resource."""

    logical_id: str
    type: str
    action: str
    """Add, Modify or Remove."""
    replacement: str
    """True, Conditional or False; empty unless the action is Modify. A change set says Conditional also of what names
    the ARN of something that changes in place; that ARN stays, so it is False here."""
    because: tuple[str, ...]
    """The properties that change."""
    kept: bool
    """Whether the resource of the deployed template stays if its stack lets it go."""

    @property
    def loses(self) -> bool:
        """Whether what the resource holds would not be there any more afterwards, or might not."""
        return self.replacement in {"True", "Conditional"} or (self.action == "Remove" and not self.kept)


@cache
def _types() -> dict[str, ResourceType]:
    return all_types()


def type_of(name: str) -> ResourceType:
    return CustomResource() if name.startswith("Custom::") else _types()[name]


def changes(before: dict[str, Any], after: dict[str, Any], **given: str) -> list[Change]:
    """Return what an update of a stack would do; raise AwsError if CloudFormation would not begin it.

    given: parameters of this deployment; every other one keeps its value, as the CDK CLI asks for.
    """
    held = deployed(load_template(json.dumps(before)))
    template = load_template(json.dumps(after))
    refuse_other_types(held, template)
    values = {name: value for name, value in held.given_parameters.items() if name in template.parameters}
    values |= given
    parameters = resolve_parameters(template, values, {}, lambda _: "30")
    _resolver(template, parameters).check_rules()
    planned = planned_changes(held, template, {**_defaults(template), **values}, type_of)
    replaced: set[str] = set()
    found = []
    for one in (each["ResourceChange"] for each in planned):
        because = tuple(detail["Target"]["Name"] for detail in one.get("Details", []))
        replacement = one.get("Replacement", "")
        if replacement == "Conditional" and _only_arns(template, one["LogicalResourceId"], because, replaced):
            replacement = "False"
        if replacement not in {"False", ""}:
            replaced.add(one["LogicalResourceId"])
        deployed_one = held.resources.get(one["LogicalResourceId"])
        kept = deployed_one is not None and deployed_one.declared.deletion_policy in KEPT
        found.append(
            Change(one["LogicalResourceId"], one["ResourceType"], one["Action"], replacement, because, kept)
        )
    return found


def refusals(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Return what every rule says that refuses an update of a stack, not only the first."""
    held = deployed(load_template(json.dumps(before)))
    template = load_template(json.dumps(after))
    values = {name: value for name, value in held.given_parameters.items() if name in template.parameters}
    resolver = _resolver(template, resolve_parameters(template, values, {}, lambda _: "30"))
    return [
        assertion["AssertDescription"]
        for rule in template.rules.values()
        for assertion in rule["Assertions"]
        if not resolver.resolve(assertion["Assert"])
    ]


def _only_arns(template: Template, name: str, because: tuple[str, ...], replaced: set[str]) -> bool:
    """Return whether what changes of a resource are names of others, none of which is replaced."""
    values = [template.resources[name].properties[each] for each in because]
    named = set(references(values))
    attributes = re.findall(r'"Fn::GetAtt": \["\w+", "([\w.]+)"\]', json.dumps(values))
    return not named & replaced and all(attribute.endswith("Arn") for attribute in attributes)


def deployed(template: Template) -> Stack:
    """Return a stack as it is once the template has been deployed with its parameters' defaults."""
    return Stack(
        name="users-stack",
        stack_id="arn:aws:cloudformation:us-east-1:123456789012:stack/users-stack/1",
        template=template,
        given_parameters=_defaults(template),
        status="CREATE_COMPLETE",
        resources={
            name: StackResource(declared, {}, Created(name)) for name, declared in template.resources.items()
        },
    )


def _defaults(template: Template) -> dict[str, str]:
    return {name: str(one["Default"]) for name, one in template.parameters.items() if "Default" in one}


def _resolver(template: Template, parameters: dict[str, Any]) -> Resolver:
    def unknown(*names: str) -> str:
        raise AssertionError(f"a rule or condition refers to {names}, which CloudFormation does not allow")

    return Resolver(
        template,
        parameters=parameters,
        pseudo={"AWS::Region": "us-east-1", "AWS::AccountId": "123456789012", "AWS::Partition": "aws"},
        imports=unknown,
        outputs=unknown,
        reference=unknown,
        attribute=unknown,
        dynamic=str,
    )
