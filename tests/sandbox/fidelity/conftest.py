"""The sandbox to which the cases are sent."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from connect_sandbox.cloud import Sandbox


@pytest.fixture(scope="package")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with Sandbox.start(tmp_path_factory.mktemp("fidelity")) as running:
        yield running
