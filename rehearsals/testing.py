"""pytest fixtures for rehearsals: a sandbox with both apps deployed, started once per test run.

pytest_plugins = ["rehearsals.testing"]
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from rehearsals.scenarios.deployment import PARTS, Deployment


@pytest.fixture(scope="session")
def deployment(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """Start a sandbox and deploy the apps below pytest's root folder to it."""
    root = Path(pytestconfig.rootpath)
    with Deployment.start(
        root, tmp_path_factory.mktemp("deployment"), lambda _step, _seconds: None
    ) as running:
        running.deploy(PARTS)
        yield running
