"""What people call the resources of a flow: the console's display names, and the names of Lambda functions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from connect_flows.importer import display_names
from connect_flows.model import Flow
from connect_flows.references import values_with_paths

_ARN = re.compile(
    r"arn:aws[a-z-]*:(?P<service>[a-z0-9-]+):(?P<region>[a-z0-9-]*):(?P<account>[0-9]*):(?P<resource>.+)"
)
_INSTANCE = re.compile(r"instance/([0-9a-fA-F-]{36})")
_FUNCTION = re.compile(r"function:([A-Za-z0-9_-]+)")


@dataclass(frozen=True)
class Names:
    """The names of a flow's resources, and where they are.

    shown: name by ARN or id. places: account, Region and instance of the parameters' ARNs; without an instance only if
    none has one.
    """

    shown: Mapping[str, str]
    places: frozenset[tuple[str, str, str]]

    def name(self, value: object) -> str | None:
        """Return what people call the resource; None if nothing says it."""
        if not isinstance(value, str):
            return None
        if value in self.shown:
            return self.shown[value]
        function = _FUNCTION.search(value) if value.startswith("arn:") and ":lambda:" in value else None
        return function.group(1) if function else None

    def with_names(self, known: Mapping[str, str]) -> Names:
        """Return these names with others beside them, which win."""
        return Names({**self.shown, **known}, self.places) if known else self

    def elsewhere(self, other: Names) -> bool:
        """Tell whether both have resources, and none in a place of the other's."""
        return bool(self.places and other.places) and self.places.isdisjoint(other.places)


def names(flow: Flow) -> Names:
    """Return the names of the resources in the flow's parameters."""
    actions = [{"Identifier": b.identifier, "Parameters": b.parameters} for b in flow.blocks]
    shown: dict[str, str] = {}
    blocks = flow.by_identifier
    for (block, key), label in display_names({"Metadata": flow.metadata, "Actions": actions}).items():
        value = blocks[block].parameters.get(key) if block in blocks else key if not block else None
        if isinstance(value, str) and value:
            shown.setdefault(value, label)
    places = set(_places(flow))
    return Names(shown, frozenset({p for p in places if p[2]} or places))


def _places(flow: Flow) -> Iterator[tuple[str, str, str]]:
    for block in flow.blocks:
        for _, text in values_with_paths(block.parameters, ""):
            match = _ARN.fullmatch(text) if text.startswith("arn:") else None
            if match and match["account"]:
                instance = _INSTANCE.match(match["resource"])
                if instance or match["service"] == "lambda":
                    yield match["account"], match["region"], instance.group(1).lower() if instance else ""
