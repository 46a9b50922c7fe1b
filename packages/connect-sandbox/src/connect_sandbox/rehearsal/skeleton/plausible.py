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
    (r"phone|mobile|callback.?number|\bani\b|\bdnis\b", PHONE),
    (r"e-?mail", "ada@example.com"),
    (r"first.?name", "Ada"),
    (r"last.?name|surname", "Example"),
    (r"message|prompt|greeting|text\b|speech", "Example message."),
    (r"name\b", "Ada Example"),
    (r"language|locale", "en-US"),
    (r"\bdate\b", "2026-11-21"),
    (r"\btime\b", "10:00"),
    (r"amount|balance|price|\btotal\b|\bcost", "25"),
    (r"count\b|number|position|priority|seconds|minutes|\bage\b|digits|\bpin\b|\bcode\b", "3"),
    (r"\bur[li]\b|\blink\b", "https://example.com"),
    (r"^(is|has|can|should)\b|flag|enabled|found|exists|valid", "true"),
)


@dataclass(frozen=True)
class Plausible:
    """Chooses values. `resource` takes a kind of resource and a reference's name, and sets up an example of it."""

    uses: Uses
    resource: Callable[[str, str], str]

    def value(self, steps: Steps) -> str:
        """Return a value for a reference."""
        return self._read(steps, frozenset()) or by_name(steps[-1])

    def _read(self, steps: Steps, seen: frozenset[Steps]) -> str | None:
        found = [
            value for use in self.uses.readers.get(steps, ()) if (value := self._for(use, steps)) is not None
        ]
        if found:
            return found[0]
        if any(
            use.path[-1] == "SSML" and use.text.startswith("$") for use in self.uses.readers.get(steps, ())
        ):
            return f"<speak>{by_name(steps[-1])}</speak>"
        for kept in self.uses.stored.get(steps, ()):
            if kept not in seen and (value := self._read(kept, seen | {steps, kept})) is not None:
                return value
        return None

    def _for(self, use: Use, steps: Steps) -> str | None:
        if use.block.type == "Compare" and use.path == ("ComparisonValue",):
            conditions = use.block.transitions.conditions
            values = Demand.of(conditions, label_of(conditions[0])).values() if conditions else []
            return values[0] if values else None
        return by_place(use.path, use.spec, lambda kind: self.resource(kind, steps[-1]))


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
    plain = " ".join(re.split(r"[^A-Za-z0-9]+", apart)).lower().strip()
    for pattern, value in _BY_NAME:
        if re.search(pattern, plain):
            return value
    return f"example {plain}".strip()
