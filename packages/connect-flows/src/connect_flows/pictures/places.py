"""Where in its row each item of a layered picture stands, so that lines are straight and nothing overlaps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

SWEEPS = 32
_NEAR = 6.0  # differences below it count as straight
_STILL = 0.1  # nothing has moved


@dataclass
class Link:
    """A line between two items of neighbouring rows, and where on each (from its middle) it begins and ends."""

    upper: int
    lower: int
    out: float
    into: float
    weight: float


def placed(
    rows: Sequence[Sequence[int]],
    left: Sequence[float],
    right: Sequence[float],
    links: Sequence[Link],
    *,
    sweeps: int = SWEEPS,
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
    for sweep in range(sweeps):
        one_sided = sweep < sweeps // 4
        before = list(x)
        for row in rows if sweep % 2 == 0 else rows[::-1]:
            pulls = [
                _pull(
                    item,
                    up[item] if not one_sided or sweep % 2 == 0 else (),
                    down[item] if not one_sided or sweep % 2 == 1 else (),
                    x,
                )
                for item in row
            ]
            apart = [right[a] + left[b] for a, b in pairwise(row)]
            for item, at in zip(row, _settled(pulls, apart), strict=True):
                x[item] = at
        if not one_sided and all(abs(a - b) < _STILL for a, b in zip(x, before, strict=True)):
            break
    return x


def _pull(item: int, up: Sequence[Link], down: Sequence[Link], x: Sequence[float]) -> tuple[float, float]:
    """Return where the item's lines want it, and how much."""
    total = weight = 0.0
    aims = [(x[link.upper] + link.out - link.into, link.weight) for link in up]
    aims += [(x[link.lower] + link.into - link.out, link.weight) for link in down]
    for aim, wish in aims:
        pull = wish / max(_NEAR, abs(aim - x[item]))
        total, weight = total + aim * pull, weight + pull
    return (total / weight, weight) if weight else (x[item], 1e-4)


def _settled(pulls: Sequence[tuple[float, float]], apart: Sequence[float]) -> list[float]:
    """Return places as near to the wanted ones as the distances between neighbours allow."""
    offsets = [0.0, *accumulate(apart)]
    pools: list[tuple[float, float, int]] = []  # sum of weight * place, sum of weights, number of items
    for (want, weight), offset in zip(pulls, offsets, strict=True):
        pool = ((want - offset) * weight, weight, 1)
        while pools and pools[-1][0] / pools[-1][1] >= pool[0] / pool[1]:
            before = pools.pop()
            pool = (before[0] + pool[0], before[1] + pool[1], before[2] + pool[2])
        pools.append(pool)
    settled = [total / weight for total, weight, number in pools for _ in range(number)]
    return [place + offset for place, offset in zip(settled, offsets, strict=True)]
