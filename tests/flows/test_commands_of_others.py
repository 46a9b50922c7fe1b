"""Commands that other packages add to connect-flows, by entry points of the group connect_flows.commands."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from connect_flows import commands
from connect_flows.cli import OWN, main

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return the only folder in which packages are found: nothing is installed there yet."""
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    monkeypatch.setattr(sys, "path_importer_cache", dict(sys.path_importer_cache))
    yield tmp_path
    sys.modules.pop("greeter", None)


def install(folder: Path, entry_points: str, module: str = "") -> None:
    """Put a package into the folder as pip does."""
    info = folder / "greeter-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: greeter\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text(f"[{commands.GROUP}]\n{entry_points}\n", encoding="utf-8")
    (folder / "greeter.py").write_text(module, encoding="utf-8")


def test_a_command_of_another_package_gets_the_arguments_after_its_name(
    alone: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    install(alone, "greet = greeter:main", "def main(argv):\n    print(argv)\n    return len(argv)\n")
    assert main(["greet", "--help", "you"]) == 2
    assert capsys.readouterr().out == "['--help', 'you']\n"


def test_help_lists_the_commands_of_other_packages(alone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    install(alone, "greet = greeter:main\nscenarios = greeter:main")
    assert main(["--help"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "greet (of greeter)" in told
    assert "scenarios write scenarios that take every branch of a flow testcase" in told
    assert "(needs pip install connect-sandbox)" in told


@pytest.mark.parametrize("name", ["scenarios", "testcase", "rehearse"])
def test_a_command_that_is_not_installed_says_which_package_to_install(
    name: str, alone: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert list(alone.iterdir()) == []
    assert main([name, "flow.json"]) == 2
    assert capsys.readouterr().err == (
        f"connect-flows: {name} is a command of connect-sandbox, which is not installed here: "
        "pip install connect-sandbox\n"
    )


def test_a_command_that_cannot_be_loaded_says_of_which_package(
    alone: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    install(alone, "greet = greeter:gone")
    assert main(["greet"]) == 2
    told = capsys.readouterr().err
    assert told.startswith("connect-flows: greet (greeter:gone) of greeter cannot be loaded: ")
    assert told.endswith("Install greeter anew\n")


def test_no_package_replaces_a_command_of_connect_flows(
    alone: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    install(alone, "lint = greeter:main", "def main(argv):\n    return 77\n")
    assert main(["lint"]) == 2
    assert "lint needs a file" in capsys.readouterr().err


def test_connect_sandbox_brings_the_commands_that_connect_flows_knows_of_it() -> None:
    project = tomllib.loads((ROOT / "packages/connect-sandbox/pyproject.toml").read_text(encoding="utf-8"))
    brought = project["project"]["entry-points"][commands.GROUP]
    assert set(brought) <= set(commands.commands()) - set(OWN)
    sandbox = ROOT / "packages/connect-sandbox/src"
    for name, where in brought.items():
        module, _, function = where.partition(":")
        source = (sandbox / f"{module.replace('.', '/')}.py").read_text(encoding="utf-8")
        assert f"def {function}(" in source, f"{name} names {where}, which is not there"
