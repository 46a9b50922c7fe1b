"""Every resource of every stack fails once in a first deployment; the next `cdk deploy` succeeds.

What the scenario `deploy/fails-then-succeeds` shows with the CDK command line and a resource of each type, for all of
them, in pieces that keep to the time limit of a test. `make recovery` plays all of it, in minutes, and `make test`
every tenth. `pytest -s` shows the counts.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from rehearsals.scenarios import Deployment
from rehearsals.scenarios.deploys import Assembly
from rehearsals.scenarios.recovery import COMMANDS, SWEPT, Sweep, assembled

pytestmark = pytest.mark.sandbox

EVERY = 1 if os.environ.get("RECOVERY") == "all" else 10
PIECES: dict[str, int] = dict(zip(SWEPT, (3, 3, 2, 2) if EVERY == 1 else (1, 1, 1, 1), strict=True))
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    with Deployment.start(ROOT, tmp_path_factory.mktemp("recovery"), lambda _step, _seconds: None) as running:
        running.sandbox.cdk("bootstrap", cwd=ROOT)
        yield running


@pytest.fixture(scope="module")
def assembly(deployment: Deployment) -> Assembly:
    return assembled(deployment)


@pytest.fixture(scope="module")
def orders(deployment: Deployment, assembly: Assembly) -> dict[str, list[str]]:
    return {name: Sweep(deployment.sandbox, assembly.stack(name)).order_of_creation() for name in SWEPT}


def test_every_resource_has_its_turn(assembly: Assembly, orders: dict[str, list[str]]) -> None:
    assert {name: sorted(order) for name, order in orders.items()} == {
        name: sorted(assembly.stack(name).resources) for name in SWEPT
    }


@pytest.mark.parametrize(("stack", "piece"), [(name, i) for name, n in PIECES.items() for i in range(n)])
def test_whatever_fails_in_a_first_deployment_the_next_one_succeeds(
    deployment: Deployment, assembly: Assembly, orders: dict[str, list[str]], stack: str, piece: int
) -> None:
    resources = orders[stack][piece :: PIECES[stack] * EVERY]

    tally = Sweep(deployment.sandbox, assembly.stack(stack)).relay(resources)

    print(f"\n{tally}")
    assert tally.problems == []
    assert tally.recovered == tally.failures == len(resources) > 0
    # What the account's API Gateway logs with; the other stacks of the account would lose their logs with it.
    assert set(tally.kept) <= {"AWS::IAM::Role"}


def test_what_is_kept_on_purpose_is_the_log_role_of_api_gateway(assembly: Assembly) -> None:
    kept = [
        (name, swept.resources[logical_id]["Type"])
        for name in SWEPT
        for swept in [assembly.stack(name)]
        for logical_id in swept.retained
    ]
    assert sorted(kept) == [
        (SWEPT[1], "AWS::ApiGateway::Account"),
        (SWEPT[1], "AWS::IAM::Role"),
        (SWEPT[0], "AWS::ApiGateway::Account"),
        (SWEPT[0], "AWS::IAM::Role"),
    ]


def test_the_commands_that_were_rehearsed_are_those_of_the_document() -> None:
    document = (ROOT / "docs" / "recovery.md").read_text()
    for command in COMMANDS:
        assert command.written in document
