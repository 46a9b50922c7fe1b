"""The three wheels, built from what a clone holds, each installed alone in an environment of its own.

Building and installing are the slow part: they happen once a run, side by side.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import venv
import zipfile
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support import ROOT

PROJECTS = {
    "connect-flows": "packages/connect-flows",
    "connect-sandbox": "packages/connect-sandbox",
    "connect-bridges": ".",
}
#: What the first example of a README asks for on top of the wheel.
BESIDES = {"connect-sandbox": ["pytest==9.2.0"]}


@dataclass(frozen=True)
class Installed:
    """A wheel in an environment that holds nothing but it and what it brought along."""

    distribution: str
    wheel: Path
    home: Path
    packages: frozenset[str]

    @property
    def files(self) -> list[str]:
        """The paths in the wheel."""
        with zipfile.ZipFile(self.wheel) as archive:
            return archive.namelist()

    def text(self, name: str) -> str:
        """A text file of the wheel."""
        with zipfile.ZipFile(self.wheel) as archive:
            return archive.read(name).decode()

    def run(self, command: str, cwd: Path, *, status: int = 0, **environment: str) -> str:
        """Run a shell command that finds the environment's programs first; return standard output."""
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", command],
            cwd=cwd,
            env={
                **_clean_environment(),
                "PATH": f"{self.home / 'bin'}{os.pathsep}{os.environ['PATH']}",
                "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "20",
                **environment,
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == status, f"$ {command}\n{done.stdout}{done.stderr}"
        return done.stdout


@pytest.fixture(scope="session")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What git tracks, as it lies in the working tree: nothing that was built, left over or not yet added gets in."""
    source = tmp_path_factory.mktemp("clone")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():  # not deleted since
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, source / name)
    return source


@pytest.fixture(scope="session")
def wheels(clone: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Each distribution's wheel, built by way of its source distribution, as a release does."""
    out = tmp_path_factory.mktemp("dist")

    def build(project: str) -> None:
        command = [
            sys.executable,
            "-m",
            "build",
            "--no-isolation",
            "--outdir",
            str(out),
            str(clone / project),
        ]
        done = subprocess.run(command, env=_clean_environment(), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    with ThreadPoolExecutor() as pool:
        list(pool.map(build, PROJECTS.values()))
    return {name: next(out.glob(f"{name.replace('-', '_')}-*.whl")) for name in PROJECTS}


@pytest.fixture(scope="session")
def installing(
    wheels: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[Installed]]]:
    """Every wheel on its way into an environment of its own."""

    def install(name: str) -> Installed:
        home = tmp_path_factory.mktemp(name)
        # Without pip, what is there afterwards is what the wheel has brought. Synthesis bundles with it, though.
        venv.create(home, with_pip=name == "connect-bridges")
        asked = [str(wheels[name]), *BESIDES.get(name, [])]
        # Our own packages come from here, everybody else's from the index.
        _pip(home, "install", "--quiet", "--no-compile", "--find-links", str(wheels[name].parent), *asked)
        listed = json.loads(_pip(home, "list", "--format", "json"))
        return Installed(name, wheels[name], home, frozenset(package["name"].lower() for package in listed))

    with ThreadPoolExecutor() as pool:
        yield {name: pool.submit(install, name) for name in PROJECTS}


@pytest.fixture(scope="session")
def flows(installing: dict[str, Future[Installed]]) -> Installed:
    return installing["connect-flows"].result()


@pytest.fixture(scope="session")
def sandbox(installing: dict[str, Future[Installed]]) -> Installed:
    return installing["connect-sandbox"].result()


@pytest.fixture(scope="session")
def bridges(installing: dict[str, Future[Installed]]) -> Installed:
    return installing["connect-bridges"].result()


def _pip(home: Path, *arguments: str) -> str:
    python = str(home / "bin" / "python")
    command = [sys.executable, "-m", "pip", "--python", python, "--disable-pip-version-check", *arguments]
    done = subprocess.run(command, env=_clean_environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _clean_environment() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if key not in {"PYTHONPATH", "VIRTUAL_ENV"}}
