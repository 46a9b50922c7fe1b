"""Every call of every function, times every way to fail: a documented end, in time, nothing half written."""

from __future__ import annotations

import pytest

from tests.faults.biometrics import BIOMETRICS
from tests.faults.matrix import Matrix, play_all, table
from tests.faults.plays import PLAYS
from tests.faults.process import HANDLERS, prepare


@pytest.fixture(scope="module")
def matrices() -> list[Matrix]:
    prepare()
    return play_all((*PLAYS, *BIOMETRICS))


@pytest.mark.timeout(300)
def test_every_cell_ends_as_documented(matrices: list[Matrix]) -> None:
    problems = [problem for matrix in matrices for problem in matrix.problems]
    cells, pairs = (sum(len(one) for one in each) for each in zip(*((m.results, m.pairs) for m in matrices), strict=True))
    print(f"\n{table(matrices)}\n{cells} cells and {pairs} pairs, {len(problems)} wrong")
    assert not problems, "\n".join(problems)
    assert cells > 2000


def test_every_function_is_played() -> None:
    assert {play.module for play in (*PLAYS, *BIOMETRICS)} == set(HANDLERS)
