"""Values that make a block take one of its conditions, and not one before it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from itertools import pairwise

from connect_flows.model import ConditionBranch
from connect_flows.references import is_reference, references

from connect_sandbox.rehearsal.comparison import OPERATORS, matches
from connect_sandbox.rehearsal.skeleton.trace import Trace

OTHER = "something else"
"""A value that matches no condition, unless one asks for it."""


@dataclass(frozen=True)
class Demand:
    """That condition number `index` is the first of `conditions` that a value meets; None: that it meets none."""

    conditions: tuple[ConditionBranch, ...]
    index: int | None

    @classmethod
    def of(cls, conditions: Sequence[ConditionBranch], branch: str) -> Demand:
        """Return the demand for a branch by its label ("Equals 1"; any other means: none of the conditions)."""
        known = tuple(c for c in conditions if len(c.operands) == 1 and c.operator in OPERATORS)
        labels = [label_of(condition) for condition in known]
        return cls(known, labels.index(branch) if branch in labels else None)

    def filled(self, trace: Trace) -> Demand:
        """Return the demand with attributes in the place of references to them, as the contact has them at the end."""
        known = trace.contact.attributes if trace.contact is not None else {}

        def operand(text: str) -> str:
            steps = next(references(text)).steps if is_reference(text) else ()
            return known.get(steps[1], "") if steps[:1] == ("Attributes",) and len(steps) == 2 else text

        conditions = (replace(c, operands=(operand(c.operands[0]),)) for c in self.conditions)
        return replace(self, conditions=tuple(conditions))

    def accepts(self, value: str | None) -> bool:
        """Return whether the value meets the demand."""
        found = (i for i, c in enumerate(self.conditions) if matches(c.operator, value, c.operands[0]))
        return next(found, None) == self.index

    def values(self) -> list[str]:
        """Return values that meet the demand, the most natural first."""
        told = self._met() if self.index is not None else self._unmet()
        return [value for value in dict.fromkeys(told) if self.accepts(value)]

    def _met(self) -> Iterator[str]:
        condition = self.conditions[self.index or 0]
        operand = condition.operands[0]
        number = _number(operand)
        if not condition.operator.startswith("Number"):
            yield from (operand, f"{operand} 2", f"2 {operand}", f"2 {operand} 2")
        elif number is not None:
            for step in (0, 1, -1):
                yield str(number + step)
            yield from self._numbers()

    def _unmet(self) -> Iterator[str]:
        if self.conditions and all(_number(c.operands[0]) is not None for c in self.conditions):
            yield from self._numbers()
        yield from (OTHER, "-")

    def _numbers(self) -> Iterator[str]:
        known = sorted(n for c in self.conditions if (n := _number(c.operands[0])) is not None)
        for number in known:
            for step in (1, -1):
                yield str(number + step)
        for low, high in pairwise(known):
            yield str((low + high) / 2)
        yield from ("0", "1")


def label_of(condition: ConditionBranch) -> str:
    """Return a condition as coverage and transcript call it: "Equals 1"."""
    return f"{condition.operator} {condition.operands[0] if condition.operands else ''}"


def spoken(intent: str) -> str:
    """Return an intent as a customer might say it: "BookHotel" -> "book hotel"."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", intent)
    return " ".join(re.split(r"[^A-Za-z0-9]+", apart)).lower().strip() or intent


def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(text.strip())
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number.adjusted()) < 15 else None
