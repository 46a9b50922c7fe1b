"""Which blocks and branches of a flow the scenarios have taken."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from connect_flows import Block

from connect_sandbox.rehearsal.contact import Contact
from connect_sandbox.rehearsal.published import PublishedFlow

REACHED = "reached"
"""The branch that stands for a block without any."""


@dataclass(frozen=True)
class Branch:
    """A way out of a block: a condition, "next", an error type, "leaves" or, for the last block, "reached"."""

    block: str
    name: str
    target: str | None

    def __str__(self) -> str:
        if self.target is None:
            return f"{self.block}: {self.name}"
        return f"{self.block}: {self.name} → {self.target}"


@dataclass
class Coverage:
    """The branches of one flow, and those of them that were taken."""

    flow: PublishedFlow
    taken: set[tuple[str, str]] = field(default_factory=set)

    def add(self, contact: Contact) -> None:
        """Add what a contact has done in this flow."""
        for taken in contact.taken:
            if taken.flow == self.flow.name:
                self.taken.add((taken.block, taken.branch))
        self.taken |= {(block, REACHED) for flow, block in contact.visited_in if flow == self.flow.name}

    def branches(self) -> list[Branch]:
        """Return every branch of the flow."""
        return [branch for block in self.flow.content.blocks for branch in _branches(block)]

    def missing(self) -> list[Branch]:
        """Return the branches that no scenario has taken."""
        return [branch for branch in self.branches() if not self._is_taken(branch)]

    def percent(self) -> float:
        """Return the percentage of the branches that was taken."""
        branches = self.branches()
        return 100.0 * (len(branches) - len(self.missing())) / len(branches) if branches else 100.0

    def _is_taken(self, branch: Branch) -> bool:
        names = {"leaves": ("end", "next"), "next": ("next",)}.get(branch.name, (branch.name,))
        return any((branch.block, name) in self.taken for name in names)


def _branches(block: Block) -> Iterator[Branch]:
    transitions = block.transitions
    name = block.identifier
    leaves = block.leaves
    seen: set[str] = set()
    for condition in transitions.conditions:
        label = f"{condition.operator} {condition.operands[0] if condition.operands else ''}"
        if label not in seen:
            seen.add(label)
            yield Branch(name, label, condition.next_action)
    if leaves:
        yield Branch(name, "leaves", None)
    elif transitions.next_action is not None and not block.decides:
        yield Branch(name, "next", transitions.next_action)
    for error in transitions.errors:
        if error.error_type not in seen:
            seen.add(error.error_type)
            yield Branch(name, error.error_type, error.next_action)
    if not seen and not leaves and transitions.next_action is None:
        yield Branch(name, REACHED, None)
