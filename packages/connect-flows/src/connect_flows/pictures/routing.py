"""How lines get from one row of a layered picture to the next: on tracks between the rows, never below a box."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

_APART = 8.0
_OVERLAY = 40
"""What it costs when two lines lie on each other, in crossings."""


@dataclass
class Net:
    """Lines that share a track: where they come from above, and where they go below."""

    above: set[float] = field(default_factory=set)
    below: set[float] = field(default_factory=set)

    @property
    def straight(self) -> bool:
        """Whether it needs no track."""
        ends = self.above | self.below
        return max(ends) - min(ends) < 1.0

    @property
    def span(self) -> tuple[float, float]:
        """Its ends from left to right."""
        ends = self.above | self.below
        return min(ends), max(ends)


def tracks(nets: Sequence[Net]) -> tuple[list[int], int]:
    """Return the track of each net from the top, and how many there are; few nets cross.

    Two lie on each other for a bit only where each begins where the other ends.
    """
    order: list[int] = []
    bent = [index for index, net in enumerate(nets) if not net.straight]
    for index in bent * 2:  # the second time with all others in their places
        net = nets[index]
        if index in order:
            order.remove(index)
        # What it costs to come after the first 0, 1, 2 … of those in order.
        costs = [sum(_cost(net, nets[other]) for other in order)]
        for other in order:
            costs.append(costs[-1] - _cost(net, nets[other]) + _cost(nets[other], net))
        order.insert(costs.index(min(costs)), index)
    at = [0] * len(nets)
    count = 0
    for i, index in enumerate(order):
        low, high = nets[index].span
        for earlier in order[:i]:
            other_low, other_high = nets[earlier].span
            if low < other_high + _APART and other_low < high + _APART:
                at[index] = max(at[index], at[earlier] + 1)
        count = max(count, at[index] + 1)
    return at, count


def _cost(upper: Net, lower: Net) -> int:
    """Return the crossings when one net's track is above the other's."""
    low, high = upper.span
    other_low, other_high = lower.span
    crossing = sum(low < x < high for x in lower.above) + sum(other_low < x < other_high for x in upper.below)
    overlaid = sum(abs(x - y) < _APART / 2 for x in upper.below for y in lower.above)
    return crossing + _OVERLAY * overlaid
