"""What goes into a function's zip: pinned, imported by the runtime, and never CDK or boto3."""

from __future__ import annotations

import ast
import re
import sys
from importlib.resources import files
from pathlib import Path

import pytest

ROOM = Path(str(files("runtime")))
MODULES = sorted(ROOM.rglob("*.py"))
LOCK = (ROOM / "requirements.txt").read_text()
PINS = re.findall(r"^([a-z0-9-]+)==(\S+)", LOCK, re.MULTILINE)


def imported(module: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: absolute imports only, the zip is cut along them"
            names.add(node.module or "")
    return names


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(ROOM)))
def test_a_module_imports_the_standard_library_boto3_powertools_and_its_own_room_only(module: Path) -> None:
    outside = {name for name in imported(module) if name.split(".")[0] not in sys.stdlib_module_names}
    own = {"biometrics": ("twilio",)}  # what a package's own requirements.txt locks
    allowed = (
        *("boto3", "botocore", "aws_lambda_powertools", "runtime"),
        *own.get(module.relative_to(ROOM).parts[0], ()),
    )
    assert {name for name in outside if not name.startswith(allowed)} == set()


@pytest.mark.parametrize(
    "package", [path for path in MODULES if path.name == "__init__.py"], ids=lambda p: p.parent.name
)
def test_a_package_imports_nothing_so_that_zips_stay_small(package: Path) -> None:
    assert imported(package) == set()


def test_the_lock_pins_every_package_with_its_hash_and_names_no_index() -> None:
    assert {name for name, _ in PINS} == {"aws-lambda-powertools", "jmespath", "typing-extensions"}
    assert len(re.findall(r"--hash=sha256:[0-9a-f]{64}$", LOCK, re.MULTILINE)) == len(PINS)
    assert "://" not in LOCK
    assert "boto" not in LOCK


def test_the_lock_satisfies_what_was_asked_for() -> None:
    asked = [line for line in (ROOM / "requirements.in").read_text().splitlines() if line and line[0] != "#"]
    assert set(asked) <= {f"{name}=={version}" for name, version in PINS}
