"""Random tests draw the same examples everywhere: alone, among others, in CI, and whatever Python's hashes are."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import ROOT, draws

# Each of its own kind: recursive JSON, strings of flow templates, a function's input with moto behind it.
ALONE = [
    "tests/flows/test_linter_robustness.py::test_any_mapping",
    "tests/flows/test_templates.py",
    "tests/unit/runtime/metadata/test_round_trip.py::test_any_text_gets_an_answer_and_only_objects_are_stored",
]
OTHERS = ["tests/unit/test_settings.py"]


def drawn(tests: list[str], record: Path, *options: str, hash_seed: int, ci: bool) -> dict[str, list[str]]:
    """Run the random ones of these tests in a process of their own; return a digest of each example, by test."""
    environment = {name: value for name, value in os.environ.items() if name not in {"CI", "PYTEST_ADDOPTS"}}
    environment |= {"PYTHONHASHSEED": str(hash_seed), "DRAWS_RECORD": str(record)} | (
        {"CI": "true"} if ci else {}
    )
    command = [sys.executable, "-m", "pytest", "-q", "-m", "hypothesis", "-p", "tests.support.record_draws"]
    ended = subprocess.run(
        [*command, "-p", "no:cacheprovider", *options, *tests],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    recorded: dict[str, list[str]] = json.loads(record.read_text())
    return recorded


@pytest.mark.timeout(180)
def test_the_same_examples_alone_and_among_others_with_ci_or_without(tmp_path: Path) -> None:
    alone = drawn(ALONE, tmp_path / "alone.json", hash_seed=1, ci=False)
    among_others = drawn([*OTHERS, *ALONE], tmp_path / "others.json", hash_seed=2, ci=True)
    assert len(alone) >= len(ALONE)
    assert len(among_others) > len(alone)
    assert {test: len(examples) for test, examples in alone.items() if len(set(examples)) < 50} == {}
    assert alone == {test: among_others[test] for test in alone}


@pytest.mark.timeout(180)
def test_fuzzing_draws_afresh_and_its_seed_draws_the_same_again(tmp_path: Path) -> None:
    def fuzzed(name: str, seed: int, tests: list[str]) -> dict[str, list[str]]:
        options = ["--hypothesis-profile=fuzz", f"--hypothesis-seed={seed}"]
        return drawn(tests, tmp_path / name, *options, hash_seed=seed, ci=False)

    first = fuzzed("first.json", 1, ALONE[:2])
    second = fuzzed("second.json", 2, ALONE[:2])
    replayed = fuzzed("replayed.json", 1, [OTHERS[0], *ALONE[:2]])
    assert all(first[test] != second[test] for test in first)
    assert first == {test: replayed[test] for test in first}


def test_constants_that_were_kept_are_those_that_were_found() -> None:
    found = draws._NONE
    for source in (
        b"LIMIT = 1_234_567\nNAME = 'one \\ud800'\n",
        b"SHARE = 0.375\nKEY = b'\\x00key'\nZERO = -0.5e-7\n",
    ):
        found |= draws._constants_from_source(source, limit=True)
    assert len(found) >= 5
    kept = draws._NONE | draws._read(json.loads(json.dumps(draws._written(found))))
    assert list(kept) == list(found)  # in the same order, too
