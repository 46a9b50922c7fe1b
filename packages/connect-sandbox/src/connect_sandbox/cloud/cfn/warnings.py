"""Warnings about what deploys here and might fail on AWS."""

from __future__ import annotations

import itertools

from connect_sandbox.cloud.cfn.template import Template, dependencies

#: Types whose creates run into Connect's default of two requests a second when CloudFormation makes them in parallel.
_RATE_LIMITED = frozenset(
    {"AWS::Connect::IntegrationAssociation", "AWS::Connect::ContactFlow", "AWS::Connect::ContactFlowModule"}
)


def association_warnings(template: Template) -> list[str]:
    """Return a warning for each pair of Connect resources of one type that CloudFormation may create at once."""
    reach = {name: _reachable(template, name) for name in template.resources}
    limited = {name: r.type for name, r in template.resources.items() if r.type in _RATE_LIMITED}
    return [
        f"{limited[first]} {first} and {second} do not depend on each other: CloudFormation creates them at "
        f"once, and Connect allows two such requests a second; chain them with DependsOn"
        for first, second in itertools.combinations(sorted(limited), 2)
        if limited[first] == limited[second] and first not in reach[second] and second not in reach[first]
    ]


def _reachable(template: Template, name: str) -> set[str]:
    found: set[str] = set()
    waiting = [name]
    while waiting:
        for dependency in dependencies(template, waiting.pop()):
            if dependency not in found:
                found.add(dependency)
                waiting.append(dependency)
    return found
