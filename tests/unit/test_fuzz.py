"""`make fuzz` finds a planted bug that fixed draws miss, and prints a command that replays it."""

from __future__ import annotations

import shlex
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import ROOT, fuzz

PLANTED = """
from hypothesis import given, strategies as st

@given(st.integers(0, 12))
def test_square_is_even_or_odd_as_its_root(number):
    assert number * number % 2 == number % 2
    assert number != 7, "the planted bug"

@given(st.booleans())
def test_no_bug(flag):
    assert flag in (True, False)

def test_not_random():
    raise AssertionError("fuzzing plays random tests only")
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder below pytest's root folder, where ids of tests are paths."""
    (ROOT / "build").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=ROOT / "build") as name:
        yield Path(name)


@pytest.mark.timeout(300)
def test_a_planted_bug_is_found_and_replayed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    planted = folder / "test_planted.py"
    planted.write_text(PLANTED)
    # Nearly every round of 100 draws finds it; the seed is given so that this test is the same each time.
    assert fuzz.main(["--minutes=4", "--seed=1", str(planted)]) == 1
    said = capsys.readouterr().out
    assert "AssertionError: the planted bug" in said
    assert "@reproduce_failure(" in said
    assert "tried: it fails again" in said
    [command] = [
        line.strip() for line in said.splitlines() if "--hypothesis-seed=" in line and "-m pytest" in line
    ]
    assert "test_square_is_even_or_odd_as_its_root" in command
    replayed = subprocess.run(shlex.split(command), cwd=ROOT, capture_output=True, text=True, check=False)
    assert replayed.returncode == 1
    assert "number=7" in replayed.stdout


def test_nothing_found_is_said_with_each_round(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    calm = folder / "test_calm.py"
    calm.write_text(PLANTED.replace("number != 7", "number != -1"))
    assert fuzz.main(["--minutes=0", "--seed=7", str(calm)]) == 0
    said = capsys.readouterr().out
    assert "seed 7: 2 passed, 1 deselected" in said
    assert "Nothing found in 1 rounds." in said


def test_where_no_random_test_is_that_is_said(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plain = folder / "test_plain.py"
    plain.write_text("def test_plain():\n    pass\n")
    assert fuzz.main(["--minutes=0", str(plain)]) == 2
    assert f"There is no random test in {plain}." in capsys.readouterr().err
