"""What a flow's blocks read and write: resources, placeholders, references, attributes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from connect_flows import Block, Flow
from connect_flows.knowledge import ParameterSpec
from connect_flows.references import is_reference, references

Steps = tuple[str, ...]
"""A reference's steps: ("External", "found")."""


@dataclass(frozen=True)
class Use:
    """A text in a block's parameters; `path` are the names that lead to it, `spec` what is known of its place."""

    block: Block
    path: tuple[str, ...]
    text: str
    spec: ParameterSpec | None

    @property
    def resource(self) -> str | None:
        """The kind of resource that belongs here, as the knowledge calls it: "queue", "function"."""
        return self.spec.resource if self.spec is not None else None


@dataclass(frozen=True)
class Uses:
    """The texts in the parameters of a flow's blocks."""

    flow: Flow

    @cached_property
    def all(self) -> tuple[Use, ...]:
        """Every text, in the flow's order."""
        return tuple(use for block in self.flow.blocks for use in _of(block))

    @cached_property
    def readers(self) -> Mapping[Steps, tuple[Use, ...]]:
        """The texts that read a reference, by its steps."""
        found: defaultdict[Steps, list[Use]] = defaultdict(list)
        for use in self.all:
            for reference in references(use.text):
                found[reference.steps].append(use)
        return {steps: tuple(read) for steps, read in found.items()}

    @cached_property
    def stored(self) -> Mapping[Steps, tuple[Steps, ...]]:
        """The attributes in which a reference is kept as it is, by its steps."""
        found: defaultdict[Steps, list[Steps]] = defaultdict(list)
        for root, name, written in self.writes:
            if is_reference(written):
                found[next(references(written)).steps].append((root, name))
        return {steps: tuple(kept) for steps, kept in found.items()}

    @cached_property
    def writes(self) -> tuple[tuple[str, str, str], ...]:
        """Every attribute that a block sets: namespace, name and what is written."""
        return tuple((*entry[:2], entry[2]) for block in self.flow.blocks for entry in writes_of(block))

    @cached_property
    def by_block(self) -> Mapping[str, tuple[Use, ...]]:
        """The texts of each block."""
        found: defaultdict[str, list[Use]] = defaultdict(list)
        for use in self.all:
            found[use.block.identifier].append(use)
        return {block: tuple(uses) for block, uses in found.items()}


def writes_of(block: Block) -> Iterator[tuple[str, str, str]]:
    """Yield the attributes that a block sets: namespace, name, and what is written (text with references)."""
    if block.type == "UpdateContactAttributes" and block.parameters.get("TargetContact") in (None, "Current"):
        written = block.parameters.get("Attributes")
        for name, value in written.items() if isinstance(written, Mapping) else ():
            yield "Attributes", str(name), str(value)
    if block.type == "UpdateFlowAttributes":
        written = block.parameters.get("FlowAttributes")
        for name, holder in written.items() if isinstance(written, Mapping) else ():
            if isinstance(holder, Mapping) and "Value" in holder:
                yield "FlowAttributes", str(name), str(holder["Value"])


def _of(block: Block) -> Iterator[Use]:
    spec = block.spec
    known = spec.form(block.parameters).parameters if spec is not None else {}
    waiting: list[tuple[Any, tuple[str, ...], ParameterSpec | None]] = [
        (value, (name,), known.get(name)) for name, value in reversed(list(block.parameters.items()))
    ]
    while waiting:
        value, path, place = waiting.pop()
        if isinstance(value, str):
            yield Use(block, path, value, place)
        elif isinstance(value, Mapping):
            inner = place.properties or {} if place is not None else {}
            other = place.values if place is not None else None
            waiting += [(v, (*path, str(k)), inner.get(k, other)) for k, v in reversed(list(value.items()))]
        elif isinstance(value, list | tuple):
            item = place.items if place is not None else None
            waiting += [(v, path, item) for v in reversed(value)]
