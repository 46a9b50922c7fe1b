"""The lists of `make mutants` name what exists: a package, a test or a line that moved would be judged by nothing."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.mutation.named import NAMED, NamedMutant
from tests.mutation.packages import PACKAGES, Package
from tests.support import ROOT


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
def test_every_pattern_of_a_package_finds_files_and_its_tests_exist(package: Package) -> None:
    root = ROOT / package.root
    assert [pattern for pattern in package.files if not list(root.glob(pattern))] == []
    assert [test for test in package.tests if not (ROOT / test).exists()] == []


@pytest.mark.parametrize("mutant", NAMED, ids=lambda mutant: mutant.name)
def test_every_named_mutant_changes_one_place(mutant: NamedMutant, tmp_path: Path) -> None:
    for name in ("constructs", "runtime"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    changed = mutant.apply(tmp_path)
    original = (ROOT / changed.relative_to(tmp_path)).read_text()
    assert changed.read_text() != original
    compile(changed.read_text(), str(changed), "exec")
    assert [test for test in mutant.tests if not (ROOT / test).exists()] == []


def test_a_mutant_whose_line_is_gone_is_named(tmp_path: Path) -> None:
    tmp_path.joinpath("module.py").write_text("pass\n")
    with pytest.raises(
        ValueError, match=r"the mutant 'lost' looks for 'gone' in \*\.py .* found: nowhere\. Adapt it"
    ):
        NamedMutant("lost", "*.py", "gone", "", ()).apply(tmp_path)
