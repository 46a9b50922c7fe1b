"""Where in its row each item of a layered picture stands, so that lines are straight and nothing overlaps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

SWEEPS = 40
_NEAR = 6.0  # differences below it count as straight


@dataclass
class Link:
    """A line between two items of neighbouring rows, and where on each (from its middle) it begins and ends."""

    upper: int
    lower: int
    out: float
    into: float
    weight: float


def placed(
    rows: Sequence[Sequence[int]], left: Sequence[float], right: Sequence[float], links: Sequence[Link]
) -> list[float]:
    """Return the x of each item. left, right: how far it reaches to either side of its x, with the space around it.

    Each row in turn is moved to where its lines are shortest, by weighted least squares under the distances that the
    row needs (pool adjacent violators); weights fall with the length, so that most lines become straight and few stay
    long.
    """
    x = [0.0] * len(left)
    for row in rows:
        total = sum(left[i] + right[i] for i in row)
        at = -total / 2
        for item in row:
            x[item] = at + left[item]
            at += left[item] + right[item]
    up: list[list[Link]] = [[] for _ in left]
    down: list[list[Link]] = [[] for _ in left]
    for link in links:
        down[link.upper].append(link)
        up[link.lower].append(link)
    for sweep in range(SWEEPS):
        one_sided = sweep < SWEEPS // 4
        for row in rows if sweep % 2 == 0 else rows[::-1]:
            wanted, weights = [], []
            for item in row:
                total = weight = 0.0
                if not one_sided or sweep % 2 == 0:
                    for link in up[item]:
                        aim = x[link.upper] + link.out - link.into
                        pull = link.weight / max(_NEAR, abs(aim - x[item]))
                        total, weight = total + aim * pull, weight + pull
                if not one_sided or sweep % 2 == 1:
                    for link in down[item]:
                        aim = x[link.lower] + link.into - link.out
                        pull = link.weight / max(_NEAR, abs(aim - x[item]))
                        total, weight = total + aim * pull, weight + pull
                wanted.append(total / weight if weight else x[item])
                weights.append(weight or 1e-4)
            _settle(row, wanted, weights, left, right, x)
    return x


def _settle(
    row: Sequence[int],
    wanted: Sequence[float],
    weights: Sequence[float],
    left: Sequence[float],
    right: Sequence[float],
    x: list[float],
) -> None:
    """Put the row's items as near to the wanted places as their distances allow, keeping their order."""
    offsets = []
    at = 0.0
    for i, item in enumerate(row):
        at += right[row[i - 1]] + left[item] if i else 0.0
        offsets.append(at)
    pools: list[list[float]] = []  # sum of weight * place, sum of weights, number of items
    for want, weight, offset in zip(wanted, weights, offsets, strict=True):
        pools.append([(want - offset) * weight, weight, 1])
        while len(pools) > 1 and pools[-2][0] / pools[-2][1] >= pools[-1][0] / pools[-1][1]:
            last = pools.pop()
            pools[-1] = [a + b for a, b in zip(pools[-1], last, strict=True)]
    i = 0
    for total, weight, number in pools:
        for _ in range(int(number)):
            x[row[i]] = total / weight + offsets[i]
            i += 1
