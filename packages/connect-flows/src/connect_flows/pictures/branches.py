"""The branches of a flow as a picture draws them: one line for all that lead from one block to another."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from connect_flows.model import Block, EdgeKind, Flow
from connect_flows.pictures.telling import rest_of, shares, words_of

_ERRORS = {
    "NoMatchingError": "error",
    "NoMatchingCondition": "no match",
    "InputTimeLimitExceeded": "timeout",
    "TimeLimitExceeded": "timeout",
    "ConnectionTimeLimitExceeded": "no answer in time",
    "QueueAtCapacity": "at capacity",
    "NoneFoundError": "none found",
    "MultipleFoundError": "several found",
    "MultipleFound": "several found",
}
_OPERATORS = {
    "Equals": "",
    "NumberGreaterThan": "> ",
    "NumberGreaterOrEqualTo": "≥ ",
    "NumberLessThan": "< ",
    "NumberLessOrEqualTo": "≤ ",
    "TextStartsWith": "begins with ",
    "TextEndsWith": "ends with ",
    "TextContains": "contains ",
}
_RESULTS: Mapping[str, Mapping[str, str]] = {
    "CheckHoursOfOperation": {"True": "in hours", "False": "out of hours"},
    "Loop": {"ContinueLooping": "again", "DoneLooping": "done"},
}


_DIGITS = re.compile(r"0|[1-9][0-9]{0,8}")


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
    """All branches from one block to another as one line; label is "" where the block has no other way out."""

    source: str
    target: str
    label: str
    kind: EdgeKind
    branches: tuple[Branch, ...]


def branches_of(block: Block) -> list[Branch]:
    """Return the block's branches: conditions in order, then the next action, then errors."""
    found = []
    conditions = 0
    share = shares(block) if block.type == "DistributeByPercentage" else {}
    for edge in block.edges():
        if edge.kind is EdgeKind.CONDITION:
            condition = block.transitions.conditions[conditions]
            label = _condition(block, condition.operator, ", ".join(condition.operands))
            if conditions in share:
                label = f"{share[conditions]} %"
            key = f"condition:{conditions}"
            conditions += 1
        elif edge.kind is EdgeKind.ERROR:
            key, label = (
                f"error:{edge.label}",
                _ERRORS.get(edge.label) or words_of(edge.label).lower() or "error",
            )
            if share and edge.label == "NoMatchingCondition":
                label = f"{rest_of(block)} %"
        else:
            key, label = "next", "next"
        found.append(Branch(edge.source, edge.target, key, edge.kind, label))
    return found


def lines(flow: Flow) -> list[Line]:
    """Return the branches in the flow's order, those of a pair of blocks joined; the target need not exist."""
    joined: dict[tuple[str, str], list[Branch]] = {}
    for block in flow.blocks:
        for branch in branches_of(block):
            joined.setdefault((branch.source, branch.target), []).append(branch)
    known = flow.by_identifier
    leaving = Counter(source for source, _ in joined)
    return [
        _line(known[source], target, all_, alone=leaving[source] == 1)
        for (source, target), all_ in joined.items()
    ]


def _line(block: Block, target: str, all_: list[Branch], *, alone: bool) -> Line:
    told = [b for b in all_ if b.kind is not EdgeKind.NEXT or not (block.leaves or block.decides)] or all_
    kinds = {b.kind for b in told}
    kind = next(k for k in (EdgeKind.NEXT, EdgeKind.CONDITION, EdgeKind.ERROR) if k in kinds)
    plain = alone and kinds == {EdgeKind.NEXT}
    label = "" if plain else ", ".join(_folded(list(dict.fromkeys(b.label for b in told))))
    first = next(b for b in all_ if b.kind is kind)
    return Line(block.identifier, target, label, kind, (first, *(b for b in all_ if b is not first)))


def _folded(labels: list[str]) -> list[str]:
    """Return the labels, three or more digits in a row as one: "1 to 9"."""
    out: list[str] = []
    first = 0
    for i, label in enumerate(labels):
        after = labels[i + 1] if i + 1 < len(labels) else ""
        if _DIGITS.fullmatch(label) and _DIGITS.fullmatch(after) and int(after) == int(label) + 1:
            continue
        run = labels[first : i + 1]
        out += [f"{run[0]} to {run[-1]}"] if len(run) > 2 else run
        first = i + 1
    return out


def _condition(block: Block, operator: str, operand: str) -> str:
    result = _RESULTS.get(block.type, {}).get(operand)
    if result:
        return result
    if operator == "Equals" and block.spec and block.spec.conditions:
        allowed = block.spec.conditions.operands or ()
        if operand in allowed:
            return words_of(operand).lower()
    known = _OPERATORS.get(operator)
    return (f"{operator} " if known is None else known) + (operand or '""')
