"""Plausible values for what a flow reads: by who reads it, else by its name."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from connect_flows.knowledge import ParameterSpec

from connect_sandbox.rehearsal.skeleton.demands import Demand, label_of
from connect_sandbox.rehearsal.skeleton.uses import Steps, Use, Uses

PHONE = "+12065550188"
_PHONES = frozenset({"ThirdPartyPhoneNumber", "CallbackNumber", "CallerId", "Number"})
_BY_NAME = (
    (r"phone|mobile|callback.?number|ani\b|dnis", PHONE),
    (r"e-?mail", "ada@example.com"),
    (r"first.?name", "Ada"),
    (r"last.?name|surname", "Example"),
    (r"name", "Ada Example"),
    (r"language|locale", "en-US"),
    (r"date", "2026-11-21"),
    (r"time", "10:00"),
    (r"amount|balance|price|total|cost", "25"),
    (r"count|number|position|priority|seconds|minutes|age\b|digits|pin\b|code", "3"),
    (r"url|uri|link", "https://example.com"),
    (r"^(is|has|can|should)(?=[A-Z_])|flag|enabled|found|exists|valid", "true"),
)


@dataclass(frozen=True)
class Plausible:
    """Chooses values. `resource` names an example of a kind of resource, and sets it up."""

    uses: Uses
    resource: Callable[[str], str]

    def value(self, steps: Steps) -> str:
        """Return a value for a reference."""
        return self._read(steps, frozenset()) or by_name(steps[-1])

    def _read(self, steps: Steps, seen: frozenset[Steps]) -> str | None:
        found = [value for use in self.uses.readers.get(steps, ()) if (value := self._for(use)) is not None]
        if found:
            return found[0]
        for kept in self.uses.stored.get(steps, ()):
            if kept not in seen and (value := self._read(kept, seen | {steps, kept})) is not None:
                return value
        return None

    def _for(self, use: Use) -> str | None:
        if use.block.type == "Compare" and use.path == ("ComparisonValue",):
            conditions = use.block.transitions.conditions
            values = Demand.of(conditions, label_of(conditions[0])).values() if conditions else []
            return values[0] if values else None
        return by_place(use.path, use.spec, self.resource)


def by_place(path: tuple[str, ...], spec: ParameterSpec | None, resource: Callable[[str], str]) -> str | None:
    """Return what fits a parameter; None if anything does."""
    if path and path[-1] in _PHONES:
        return PHONE
    if spec is None:
        return None
    if spec.resource is not None:
        return resource(spec.resource)
    if spec.enum:
        return spec.enum[0]
    if spec.type == "integer":
        low, high = spec.min, spec.max
        return str(max(low if low is not None else 0, min(5, high if high is not None else 5)))
    return None


def by_name(name: str) -> str:
    """Return a value that fits a name: "customerEmail" -> "ada@example.com"."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    for pattern, value in _BY_NAME:
        if re.search(pattern, name if "(?=[A-Z_])" in pattern else apart.lower()):
            return value
    return f"example {' '.join(re.split(r'[^A-Za-z0-9]+', apart)).lower().strip()}".strip()
