"""Every call of every function, times every way to fail: a documented end, in time, nothing half written.

docs/reliability.md shows the matrix; UPDATE_FAULTS=1 writes it there. `make faults` plays all of it, in minutes, and
`make test` one cell of ten, with some of each call.
"""

from __future__ import annotations

import importlib
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.biometrics import BIOMETRICS
from tests.faults.matrix import Matrix, Rows, branch_said, play_all, rows_of, table
from tests.faults.plays import PLAYS
from tests.faults.process import HANDLERS, prepare
from tests.faults.proxy import FAULTS, ONCE, Call

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/reliability.md"
ALL = (*PLAYS, *BIOMETRICS)
BEGINS, ENDS = "<!-- faults: written by UPDATE_FAULTS=1 pytest tests/faults -->\n", "\n<!-- /faults -->"
SHARE = 1 if os.environ.get("FAULTS") == "all" or os.environ.get("UPDATE_FAULTS") else 20
NOT_IN_THE_CLOUD = {"__init__", "__main__", "endpoints"}

pytestmark = pytest.mark.timeout(400)


@pytest.fixture(scope="module")
def matrices() -> list[Matrix]:
    prepare()
    return play_all(ALL, share=SHARE)


def test_every_cell_ends_as_documented(matrices: list[Matrix]) -> None:
    problems = [problem for matrix in matrices for problem in matrix.problems]
    cells = sum(len(matrix.results) for matrix in matrices)
    pairs = sum(len(matrix.pairs) for matrix in matrices)
    print(f"\n{cells} cells and {pairs} pairs, {len(problems)} wrong")
    assert not problems, "\n".join(problems)
    assert cells > 1_500 / SHARE
    assert pairs > 200 / SHARE


def test_the_page_shows_the_matrix(matrices: list[Matrix]) -> None:
    before, _, rest = PAGE.read_text().partition(BEGINS)
    shown, _, after = rest.partition(ENDS)
    if os.environ.get("UPDATE_FAULTS"):
        PAGE.write_text(f"{before}{BEGINS}{table(matrices)}{ENDS}{after}")
        shown = table(matrices)
    expected = rows_of(shown)
    assert expected.keys() == {(matrix.play.name, str(call)) for matrix in matrices for call in matrix.struck}
    for matrix in matrices:
        for call in matrix.struck:
            if different(matrix, call, expected):
                matrix.again(call)  # time limits are real: the machine may have been busy
    assert [
        text for matrix in matrices for call in matrix.struck for text in different(matrix, call, expected)
    ] == []


def different(matrix: Matrix, call: Call, expected: Rows) -> list[str]:
    """Return in which cells of a call the page tells of another branch."""
    told = expected[matrix.play.name, str(call)]
    return [
        f"{matrix.play.name}: {one.fault}: {one.branch}; the page says {branch_said(told, one.fault)}"
        for one in matrix.results
        if one.fault.call == call and one.branch != branch_said(told, one.fault)
    ]


def test_every_function_is_played() -> None:
    assert {play.module for play in ALL} == set(HANDLERS)


def test_every_call_of_a_function_fails_in_one_of_its_plays(matrices: list[Matrix]) -> None:
    called = {(matrix.play.module, call.name) for matrix in matrices for call in matrix.calls}
    struck = {(matrix.play.module, call.name) for matrix in matrices for call in matrix.struck}
    assert called == struck


def operations() -> Iterator[tuple[str, str]]:
    """Yield the operations that functions have a model of, and how a call of each is named."""
    for file in sorted((ROOT / "runtime/shared/service_models").glob("*.py")):
        if file.stem in NOT_IN_THE_CLOUD:
            continue
        module = importlib.import_module(f"runtime.shared.service_models.{file.stem}")
        model = json.loads(module.MODEL)
        service = model["metadata"].get("signingName") or model["metadata"]["endpointPrefix"]
        for name, operation in model["operations"].items():
            http = operation["http"]
            path, _, query = http["requestUri"].partition("?")
            if model["metadata"]["protocol"] in {"json", "query"} or path == "/":
                yield f"{module.SERVICE} {name}", re.escape(f"{service} {name}") + "( .*)?"
            else:
                pattern = re.sub(r"\\\{[^/]+\\\}", "[^/]+", re.escape(path))
                yield (
                    f"{module.SERVICE} {name}",
                    f"{service} {http['method']} {pattern}{re.escape(f'?{query}' if query else '')}",
                )


@pytest.mark.parametrize(("operation", "call"), list(operations()), ids=[name for name, _ in operations()])
def test_every_operation_that_functions_have_a_model_of_fails_in_a_play(
    matrices: list[Matrix], operation: str, call: str
) -> None:
    struck = {one.name for matrix in matrices for one in matrix.struck}
    assert [name for name in struck if re.fullmatch(call, name)], operation


def test_the_page_knows_the_time_limits_that_are_deployed() -> None:
    limits = {}
    for contract in (ROOT / "tests/synth/contracts").glob("*.txt"):
        for handler, seconds in re.findall(
            r"  Handler: runtime\.([a-z_.]+)\.handler\n(?:  .*\n)*?  Timeout: (\d+)\n", contract.read_text()
        ):
            limits[handler] = int(seconds)
    shown = {
        function: int(seconds)
        for function, seconds in re.findall(r"^\| `([a-z_.]+)` \| (\d+) s \|", PAGE.read_text(), re.MULTILINE)
    }
    assert shown.keys() == {module.removeprefix("runtime.") for module in HANDLERS}
    assert {function: limits.get(function, shown[function]) for function in shown} == shown


def test_the_page_names_every_fault() -> None:
    text = PAGE.read_text()
    assert [kind for kind in (*FAULTS, *(f"{one} once" for one in ONCE)) if f"`{kind}`" not in text] == []
