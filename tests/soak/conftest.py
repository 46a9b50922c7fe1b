"""Soak tests take minutes: they run when asked for by name (`make soak`), not with all the others.

At the end they say what was played, and how often what must not happen has happened.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from _pytest.terminal import TerminalReporter

from rehearsals.scenarios.deployment import Deployment
from tests.support.tally import Tally

SCALE = float(os.environ.get("SOAK_SCALE", "1"))
"""What the numbers of requests, messages and calls are multiplied by."""
_TALLY = pytest.StashKey[Tally]()


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    asked_for = any("soak" in str(argument) for argument in config.invocation_params.args)
    return None if asked_for else True


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_TALLY] = Tally()


def pytest_terminal_summary(terminalreporter: TerminalReporter, config: pytest.Config) -> None:
    tally = config.stash.get(_TALLY, None)
    if tally is not None and tally.played:
        terminalreporter.section("soak")
        for line in tally.lines():
            terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def tally(pytestconfig: pytest.Config) -> Tally:
    return pytestconfig.stash.setdefault(_TALLY, Tally())


@pytest.fixture(scope="session")
def scale() -> float:
    return SCALE


# For the package, not for the session: there is one sandbox at a time in a process.
@pytest.fixture(scope="package")
def deployment(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    root = Path(pytestconfig.rootpath)
    with Deployment.start(root, tmp_path_factory.mktemp("soak"), lambda _step, _seconds: None) as running:
        running.deploy(["voice", "chat", "biometrics"])
        yield running
