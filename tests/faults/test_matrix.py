"""Every call of every function, times every way to fail: a documented end, in time, nothing half written."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from connect_sandbox.moto_internals import moto_server

from tests.faults.matrix import Matrix, play_all, table
from tests.faults.plays import PLAYS
from tests.faults.process import prepare


@pytest.fixture(scope="module")
def moto_url() -> Iterator[str]:
    server = moto_server()
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="module")
def matrices(moto_url: str) -> list[Matrix]:
    prepare()
    return play_all(PLAYS, moto_url)


@pytest.mark.timeout(180)
def test_every_cell_ends_as_documented(matrices: list[Matrix]) -> None:
    problems = [problem for matrix in matrices for problem in matrix.problems]
    cells = sum(len(matrix.results) for matrix in matrices)
    print(f"\n{table(matrices)}\n{cells} cells, {len(problems)} wrong")
    assert not problems, "\n".join(problems)
    assert cells > 100
