"""What the tests of runs share."""

import pytest
from connect_sandbox.runs import Cause

from tests.support.runs import Schema


@pytest.fixture(scope="session")
def schema() -> Schema:
    return Schema()


@pytest.fixture
def ann() -> Cause:
    return Cause(contact="ann", elapsed=lambda: 1.5, scenario="voice/ann")
