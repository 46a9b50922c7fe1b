"""examples/contact_center, really deployed: an instance with what the app adds, and what destroying keeps."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from connect_sandbox.cloud import Sandbox

from rehearsals.environments import UNVALIDATED
from tests.support import ROOT

pytestmark = pytest.mark.sandbox

APP = ROOT / "examples/contact_center"
STACK = "contact-center-support"


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
        with Sandbox.start(tmp_path_factory.mktemp("center"), variables=UNVALIDATED) as running:
            running.cdk("bootstrap", cwd=ROOT)
            yield running


def deploy(sandbox: Sandbox, *source: str) -> dict[str, Any]:
    sandbox.cdk("deploy", "--all", "--require-approval", "never", *source, cwd=APP)
    return dict(sandbox.stack_outputs(STACK))


@pytest.mark.timeout(240)  # the CDK CLI runs three times
def test_the_example_is_deployed_answers_its_number_and_leaves_what_holds_data(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    assembly = str(tmp_path / "cdk.out")
    outputs = deploy(sandbox, "--output", assembly)
    (made,) = [each for each in sandbox.connect.instances() if each.created]
    assert made.alias == "example-company-support"
    (number,) = made.numbers.values()
    assert number.number == outputs["Number"]
    flow = made.flows[number.flow_id or ""]
    assert "an agent is next" in flow.content.lower()
    assert {one.resource_type for one in made.storage.values()} == {
        "AGENT_EVENTS",
        "CALL_RECORDINGS",
        "CONTACT_TRACE_RECORDS",
    }
    deploy(sandbox, "--app", assembly)
    assert [each.id for each in sandbox.connect.instances() if each.created] == [made.id]
    sandbox.cdk("destroy", "--all", "--force", "--app", assembly, cwd=APP)
    assert [each.id for each in sandbox.connect.instances() if each.created] == [made.id]
    assert list(made.numbers.values()) == [number]
    assert number.flow_id is None
    assert flow.id not in made.flows
