"""The branches of a flow as a picture draws them: one line for all that lead from one block to another."""

from __future__ import annotations

from dataclasses import dataclass

from connect_flows.model import Block, EdgeKind, Flow


@dataclass(frozen=True)
class Branch:
    """A branch of a block.

    key: "next", "condition:N" (N counts the block's conditions from 0) or "error:TYPE". label: in words.
    """

    source: str
    target: str
    key: str
    kind: EdgeKind
    label: str


@dataclass(frozen=True)
class Line:
    """All branches from one block to another as one line."""

    source: str
    target: str
    label: str
    branches: tuple[Branch, ...]

    @property
    def error(self) -> bool:
        """Whether only errors lead this way."""
        return all(branch.kind is EdgeKind.ERROR for branch in self.branches)


def branches_of(block: Block) -> list[Branch]:
    """Return the block's branches: conditions in order, then the next action, then errors."""
    found = []
    conditions = 0
    for edge in block.edges():
        key, label = "next", "next"
        if edge.kind is EdgeKind.CONDITION:
            key, label = f"condition:{conditions}", edge.label.removeprefix("Equals ")
            conditions += 1
        elif edge.kind is EdgeKind.ERROR:
            key, label = f"error:{edge.label}", edge.label
        found.append(Branch(edge.source, edge.target, key, edge.kind, label))
    return found


def lines(flow: Flow) -> list[Line]:
    """Return the branches between existing blocks in the flow's order, those of a pair joined."""
    known = flow.by_identifier
    joined: dict[tuple[str, str], list[Branch]] = {}
    for block in flow.blocks:
        for branch in branches_of(block):
            if branch.target in known:
                joined.setdefault((branch.source, branch.target), []).append(branch)
    return [
        Line(source, target, _label(all_, known[source]), tuple(all_))
        for (source, target), all_ in joined.items()
    ]


def _label(all_: list[Branch], block: Block) -> str:
    """Return the label for a joined line; the success path is named beside others, unless conditions decide."""
    beside = any(b.kind is not EdgeKind.NEXT for b in all_) and not block.transitions.conditions
    return ", ".join(dict.fromkeys(b.label for b in all_ if b.kind is not EdgeKind.NEXT or beside))
