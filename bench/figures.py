"""The statistics of every measurement: medians with quartiles, ratios of medians, rounds that alternate."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, TypeVar

T = TypeVar("T")


class NotMeasuredError(RuntimeError):
    """A measurement says nothing, since what was measured did not do what it should; the message says what."""


@dataclass(frozen=True)
class Figure:
    """What several measurements of one thing say: how many, their median, and the quartiles around it."""

    n: int
    median: float
    lower_quartile: float
    upper_quartile: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Figure:
        """Summarize at least one value; a single one is its own quartiles."""
        if not values:
            raise ValueError("there is nothing to summarize: measure at least once")
        if len(values) == 1:
            return cls(1, values[0], values[0], values[0])
        lower, median, upper = statistics.quantiles(values, n=4, method="inclusive")
        return cls(len(values), median, lower, upper)

    def against(self, other: Figure) -> float:
        """Return the ratio of the medians; ``ValueError`` if the other one is nothing."""
        if other.median <= 0:
            raise ValueError(f"a ratio needs a positive median to divide by, not {other.median}")
        return self.median / other.median

    def in_milliseconds(self) -> str:
        """Return the median of seconds, and the quartiles in brackets, as milliseconds."""
        return f"{self.median * 1e3:,.0f} ({self.lower_quartile * 1e3:,.0f}-{self.upper_quartile * 1e3:,.0f})"


@dataclass(frozen=True)
class Goal:
    """A figure that must not be above a limit."""

    name: str
    value: float
    limit: float

    @property
    def met(self) -> bool:
        """Whether the figure, rounded to the two digits that are told, is within the limit."""
        return round(self.value, 2) <= self.limit

    def to_json(self) -> dict[str, Any]:
        """Return the goal for the report."""
        return {**asdict(self), "met": self.met}


@dataclass(frozen=True)
class Section:
    """What one module has measured: a table for people, the figures for programs, and how the goals fared."""

    name: str
    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    figures: Mapping[str, Any]
    goals: Sequence[Goal] = field(default=())

    def to_json(self) -> dict[str, Any]:
        """Return the section for the report."""
        return {
            "title": self.title,
            "columns": list(self.columns),
            "rows": [list(row) for row in self.rows],
            "figures": {
                name: asdict(value) if isinstance(value, Figure) else value
                for name, value in self.figures.items()
            },
            "goals": [goal.to_json() for goal in self.goals],
        }


def alternate(
    variants: Mapping[str, Callable[[], T]], *, rounds: int, warm_ups: int = 1
) -> dict[str, list[T]]:
    """Measure the variants in turn (A, B, A, B, …), so that what slows the machine slows all of them alike.

    Returns the measurements of each, without the first ``warm_ups`` of them, which fill caches.
    """
    kept: dict[str, list[T]] = {name: [] for name in variants}
    for turn in range(warm_ups + rounds):
        for name, measure in variants.items():
            value = measure()
            if turn >= warm_ups:
                kept[name].append(value)
    return kept


def exponent(points: Sequence[tuple[float, float]]) -> float:
    """Return by which power of size the cost grows: the slope of a straight line through log(cost) over log(size)."""
    return statistics.linear_regression(
        [math.log(size) for size, _ in points], [math.log(cost) for _, cost in points]
    ).slope
