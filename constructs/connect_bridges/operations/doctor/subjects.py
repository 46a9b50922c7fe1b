"""What is examined: stacks as the app will deploy them, as they are deployed, or both, one laid over the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from connect_bridges.operations.deployed import Bridge, BridgeStack
from connect_bridges.operations.doctor.aws import Region


@dataclass(frozen=True)
class Part:
    """A construct. bridge: with all that is known of it. deployed: as it is in the account, None before."""

    bridge: Bridge
    deployed: Bridge | None

    @property
    def path(self) -> str:
        """The construct's path."""
        return self.bridge.path

    def is_a(self, *constructs: str) -> bool:
        """Tell whether it is one of these classes."""
        return self.bridge.construct in constructs

    def instance_arn(self) -> str | None:
        """Return its Amazon Connect instance; None before deploying, if only CloudFormation knows it."""
        return self.bridge.text("instanceArn")


@dataclass
class Subject:
    """A stack. planned: from the app. actual: from the account. physical: type and id by logical id, if deployed.

    stuck: logical ids of what CloudFormation could not delete. refused: why nothing of the account may be asked for it.
    """

    name: str
    region: Region | None = None
    planned: BridgeStack | None = None
    actual: BridgeStack | None = None
    physical: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    stuck: frozenset[str] = frozenset()
    refused: str = ""

    @property
    def deployed(self) -> bool:
        """Whether the stack is in the account with all its resources."""
        return self.actual is not None and self.actual.deployed

    @property
    def parts(self) -> list[Part]:
        """Its constructs."""
        there = {bridge.path: bridge for bridge in self.actual.bridges} if self.actual else {}
        if self.planned is None:
            return [Part(bridge, bridge) for bridge in there.values()]
        return [
            Part(
                replace(bridge, facts=_laid_over(there[bridge.path].facts, bridge.facts))
                if bridge.path in there
                else bridge,
                there.get(bridge.path),
            )
            for bridge in self.planned.bridges
        ]

    def resources(self, *kinds: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Yield logical id and properties of the template's resources of these types."""
        for logical_id, resource in self.planned.resources.items() if self.planned else ():
            if resource.get("Type") in kinds:
                yield logical_id, resource["Properties"]

    def to_come(self, *kinds: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Yield those that the next deployment creates."""
        return ((each, it) for each, it in self.resources(*kinds) if each not in self.physical)

    def physical_ids(self, *kinds: str) -> dict[str, str]:
        """Return the deployed resources of these types: physical by logical id."""
        return {each: found for each, (kind, found) in self.physical.items() if kind in kinds}


def _laid_over(deployed: Any, planned: Any) -> Any:  # noqa: ANN401 (JSON)
    """Return what is planned, completed by what only the deployment knows."""
    if planned is None:
        return deployed
    if isinstance(planned, Mapping) and isinstance(deployed, Mapping):
        return {key: _laid_over(deployed.get(key), value) for key, value in planned.items()}
    if isinstance(planned, list) and isinstance(deployed, list) and len(planned) == len(deployed):
        return [_laid_over(old, new) for old, new in zip(deployed, planned, strict=True)]
    return planned
