"""What deploys here and might not on AWS: said, not refused."""

from __future__ import annotations

from connect_bridges.sandbox.cloud.cfn.template import Template, dependencies

#: Types whose creates run into Connect's default of two requests a second when CloudFormation makes them in parallel.
_RATE_LIMITED = frozenset({"AWS::Connect::IntegrationAssociation", "AWS::Connect::ContactFlow", "AWS::Connect::ContactFlowModule"})


def association_warnings(template: Template) -> list[str]:
    """Return a warning for each pair of Connect resources of one type that CloudFormation may create at once."""
    reach = {name: _reachable(template, name) for name in template.resources}
    warnings = []
    for kind in sorted(_RATE_LIMITED):
        names = [name for name, resource in template.resources.items() if resource.type == kind]
        for index, first in enumerate(names):
            for second in names[index + 1 :]:
                if first not in reach[second] and second not in reach[first]:
                    warnings.append(
                        f"{kind} {first} and {second} do not depend on each other: CloudFormation creates them at once, "
                        f"and Connect allows two such requests a second; chain them with DependsOn"
                    )
    return warnings


def _reachable(template: Template, name: str) -> set[str]:
    found: set[str] = set()
    waiting = [name]
    while waiting:
        for dependency in dependencies(template, waiting.pop()):
            if dependency not in found:
                found.add(dependency)
                waiting.append(dependency)
    return found
