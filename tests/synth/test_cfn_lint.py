"""cfn-lint, CloudFormation's own linter, has nothing against any template that this repository deploys.

It knows the schema of every resource type in every Region, which no other test here does: a property of the wrong type,
a value outside its enumeration, a type that a Region lacks. What it cannot see is inside strings: flows, policies that
are too narrow, quotas.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest
from cfnlint.api import lint
from cfnlint.config import ManualArgs

from tests.synth.shapes import CONNECT_REGIONS, STACKS, Shapes


@dataclass(frozen=True)
class Found:
    """What cfn-lint says, and where."""

    rule: str
    severity: str
    path: tuple[str, ...]
    message: str

    def __str__(self) -> str:
        return f"{self.rule} {'/'.join(self.path)}: {self.message}"


LintOf = Callable[[str], list[Found]]


@dataclass(frozen=True)
class Tolerated:
    """A warning that stays, where, and why."""

    rule: str
    resource_type: str
    property: str
    why: str


TOLERATED = [
    Tolerated(
        "W3005",
        "AWS::Lambda::Function",
        "DependsOn",
        "The CDK lets a function wait for its role and the role's policy, so that the first invocation has its rights. "
        "The policy is what matters; naming the role, which GetAtt implies, does no harm.",
    ),
    Tolerated(
        "W3005",
        "AWS::Connect::ContactFlow",
        "DependsOn",
        "ConnectInstance.chain lets every flow wait for the one before, whether it invokes that one or not: Amazon "
        "Connect takes two such requests a second.",
    ),
]


NOT_IN_GOVCLOUD = ("AWS::AppIntegrations::Application", "AWS::Connect::PhoneNumber")
"""Types that the constructs refuse there."""


def linted(template: dict[str, Any]) -> list[Found]:
    types = {resource["Type"] for resource in template["Resources"].values()}
    regions = [
        region
        for region in CONNECT_REGIONS
        if not types.intersection(NOT_IN_GOVCLOUD) or not region.startswith("us-gov-")
    ]
    return [
        Found(
            match.rule.id,
            match.rule.severity,
            tuple(map(str, getattr(match, "path", ()))),
            match.message,
        )
        for match in lint(json.dumps(template), config=ManualArgs(regions=regions))
    ]


@pytest.fixture(scope="module")
def lint_of(shapes: Shapes) -> LintOf:
    return cache(lambda stack: linted(shapes.templates[stack]))


def tolerated(template: dict[str, Any], found: Found) -> Tolerated | None:
    """Return why a finding may stay; errors may not."""
    if found.severity != "warning" or len(found.path) < 3 or found.path[0] != "Resources":
        return None
    where = (found.rule, template["Resources"][found.path[1]]["Type"], found.path[2])
    return next((one for one in TOLERATED if (one.rule, one.resource_type, one.property) == where), None)


def test_the_shapes_are_all_that_this_repository_deploys(shapes: Shapes) -> None:
    assert sorted(shapes.templates) == sorted(STACKS)
    types = Counter(
        resource["Type"]
        for template in shapes.templates.values()
        for resource in template["Resources"].values()
    )
    assert types.total() > 900
    assert types["Custom::ExternalVoiceConnector"] >= 4
    assert types["AWS::IAM::AccessKey"] == 3


@pytest.mark.parametrize("stack", STACKS)
def test_cfn_lint_has_nothing_to_say_that_is_not_explained(
    shapes: Shapes, lint_of: LintOf, stack: str
) -> None:
    template = shapes.templates[stack]
    found = [str(one) for one in lint_of(stack) if tolerated(template, one) is None]
    assert not found, "\n".join(["Mend it, or enter a warning with the reason in TOLERATED:", *found])


def test_every_warning_that_is_explained_is_still_found(shapes: Shapes, lint_of: LintOf) -> None:
    example = "own-app-support-line"
    assert {tolerated(shapes.templates[example], found) for found in lint_of(example)} == set(TOLERATED)


@pytest.mark.parametrize(
    ("resource_type", "change", "rule"),
    [
        ("AWS::Lambda::Function", {"Runtime": "python3.7"}, "E2531"),
        ("AWS::DynamoDB::GlobalTable", {"BillingMode": "FREE"}, "E3030"),
        ("AWS::Connect::ContactFlow", {"Contents": "{}"}, "E3002"),
        ("AWS::SQS::Queue", {"VisibilityTimeout": 50000}, "E3034"),
    ],
)
def test_cfn_lint_would_notice(shapes: Shapes, resource_type: str, change: dict[str, Any], rule: str) -> None:
    template = shapes.templates["defaults"]
    resources = {name: one for name, one in template["Resources"].items() if one["Type"] == resource_type}
    name, resource = next(iter(resources.items()))
    broken = {"Resources": {name: {"Type": resource_type, "Properties": resource["Properties"] | change}}}
    assert rule in {found.rule for found in linted(broken)}
