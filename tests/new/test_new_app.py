"""The app that `connect-bridges new` writes: its own tests and its demo pass as it comes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from connect_bridges import cli
from connect_sandbox.rehearsal.scenario import ScenarioFile

from tests.support import ROOT

EXPORTS = sorted((ROOT / "examples/console_exports").glob("*.json"))
BIN = Path(sys.executable).parent
#: mypy reads the whole CDK for a minute; here it reads what the app says of our packages, and of itself.
MYPY = """
[mypy]
strict = true
disallow_subclassing_any = false
disallow_any_generics = false
disallow_untyped_decorators = false
warn_return_any = false
[mypy-aws_cdk.*,constructs.*,jsii.*,boto3.*,moto.*,connect_bridges.*,connect_sandbox.cloud.*]
follow_imports = skip
"""

pytestmark = [pytest.mark.sandbox, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The app, beside what `make setup` would have installed."""
    folder = tmp_path_factory.mktemp("new_app")
    (folder / "node_modules").symlink_to(ROOT / "node_modules")
    assert cli.main(["new", str(folder / "support-line"), "--from", *map(str, EXPORTS)]) == 0
    return folder / "support-line"


def make(app: Path, *targets: str, **variables: str) -> subprocess.CompletedProcess[str]:
    told = {"BIN": str(BIN), "CDK": str(ROOT / "node_modules/.bin/cdk"), **variables}
    # Without what pytest and make tell their own children.
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "MAKE", "MFLAGS"))
    }
    return subprocess.run(
        ["make", "--no-print-directory", *targets, *(f"{name}={value}" for name, value in told.items())],
        cwd=app,
        env=inherited,
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )  # fmt: skip


def test_the_new_apps_tests_pass(app: Path) -> None:
    done = make(app, "test")
    assert done.returncode == 0, done.stdout + done.stderr
    scenarios = sum(len(ScenarioFile.load(file).scenarios) for file in (app / "scenarios").glob("*.yaml"))
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed is not None
    assert int(passed[1]) > scenarios > 10


def test_the_new_apps_demo_plays_every_scenario_through_what_was_deployed(app: Path) -> None:
    done = make(app, "demo")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "starts the flow supportlinelocal-MainInbound-" in done.stdout
    assert "enters the module supportlinelocal-IdentifyCaller-" in done.stdout
    for file in (app / "scenarios").glob("*.yaml"):
        for scenario in ScenarioFile.load(file).scenarios:
            assert f"passed  {file.stem}: {scenario.name}" in done.stdout
    assert done.stdout.endswith("\nnone failed\n")


def test_types_are_right(app: Path, tmp_path: Path) -> None:
    (tmp_path / "mypy.ini").write_text(MYPY)
    files = [str(file.relative_to(app)) for file in sorted(app.rglob("*.py"))]
    assert len(files) == 6
    command = [
        str(BIN / "mypy"),
        "--config-file",
        str(tmp_path / "mypy.ini"),
        "--cache-dir",
        str(tmp_path / "cache"),
    ]
    done = subprocess.run(
        [*command, *files], cwd=app, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stdout
