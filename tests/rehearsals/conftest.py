"""Fixtures of the rehearsals: one sandbox with everything deployed, and each scenario played once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rehearsals.scenarios import SCENARIOS, Deployment
from rehearsals.scenarios.deployment import PARTS
from tests.rehearsals.played import DESTROYS, Played


# For the package, not for the session: there is one sandbox at a time in a process, and other tests have their own.
@pytest.fixture(scope="package")
def deployment(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """Start a sandbox and deploy the apps below pytest's root folder to it."""
    root = Path(pytestconfig.rootpath)
    with Deployment.start(
        root, tmp_path_factory.mktemp("deployment"), lambda _step, _seconds: None
    ) as running:
        running.deploy(PARTS)
        yield running


@pytest.fixture(scope="package")
def played(request: pytest.FixtureRequest, deployment: Deployment) -> Played:
    """Play each scenario once in a run, those that were collected side by side: what they mostly do is wait."""
    asked = {
        item.callspec.params.get("name")
        for item in request.session.items
        if isinstance(item, pytest.Function) and "played" in item.fixturenames and hasattr(item, "callspec")
    }
    return Played(
        deployment,
        [name for name in SCENARIOS if name in asked and name != DESTROYS and not SCENARIOS[name].alone],
    )
