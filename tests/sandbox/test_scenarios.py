"""Every scenario of the demo, on the really deployed apps."""

import pytest
from connect_bridges.sandbox.scenarios import SCENARIOS, Deployment, play

pytestmark = pytest.mark.sandbox

PROMISED = [
    "voice/metadata-returns",
    "voice/no-metadata",
    "voice/call-failed",
    "voice/connection-timeout",
    "voice/metadata-lambda-fails",
    "voice/wrong-token",
    "voice/caller-hangs-up-at-vendor",
    "voice/module-in-own-flow",
    "voice/connector-created-and-removed",
]


def test_every_promised_scenario_exists() -> None:
    assert set(PROMISED) <= set(SCENARIOS)


@pytest.mark.parametrize("name", SCENARIOS)
def test_scenario(deployment: Deployment, name: str) -> None:
    result = play(SCENARIOS[name], deployment)
    assert result.outcome == "passed", f"{result.failure}\n\n{result.rendered}"
    assert result.transcript
