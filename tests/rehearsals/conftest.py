"""Fixtures of the rehearsals."""

from collections.abc import Callable

import pytest

from rehearsals.scenarios import SCENARIOS, Deployment, Result, play
from rehearsals.testing import deployment

__all__ = ["deployment"]


@pytest.fixture(scope="session")
def played(deployment: Deployment) -> Callable[[str], Result]:
    """Play a scenario once in a run, and return its result to whoever asks for it."""
    results: dict[str, Result] = {}

    def result(name: str) -> Result:
        if name not in results:
            results[name] = play(SCENARIOS[name], deployment)
        return results[name]

    return result
