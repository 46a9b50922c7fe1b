"""What each function of the voice biometric gate may do is what it does: nothing is refused or granted needlessly."""

from __future__ import annotations

import json
from typing import Any

import pytest
from connect_sandbox.cloud.schedules import run_rule
from connect_sandbox.iam import compare_grants
from connect_sandbox.rehearsal.conditions import Presses, Says

from rehearsals.scenarios import Deployment, Rehearsal
from rehearsals.scenarios.biometrics import ALICE, PHRASE
from rehearsals.scenarios.biometrics_calls import nobody_knows, stored_caller
from tests.rehearsals.played import Played
from tests.support.roles import deployed_role

pytestmark = pytest.mark.sandbox

NUMBER = "+12065550120"
ROLES = (
    *("BiometricsGate", "BiometricsWebhook", "BiometricsErase", "BiometricsUnlock"),
    "BiometricsRetention",
)


@pytest.fixture(scope="module")
def refused_before(deployment: Deployment) -> int:
    """Return how many calls were refused before: other scenarios provoke refusals on purpose."""
    return len(deployment.sandbox.audit.calls(allowed=False))


@pytest.fixture(scope="module")
def exercised(deployment: Deployment, played: Played, refused_before: int) -> Deployment:
    """Let every function do all that it ever does."""
    played.passes("biometrics/enrol-then-verify", "biometrics/erase-caller")
    _sweep(deployment)
    _unlock(deployment)
    return deployment


@pytest.mark.parametrize("part", ROLES)
def test_a_function_uses_what_it_is_granted_and_is_granted_what_it_uses(
    exercised: Deployment, part: str
) -> None:
    name, granted = deployed_role(exercised, exercised.biometrics.stack, part)
    report = compare_grants(granted, exercised.sandbox.audit.calls(role=name))
    assert report.exact, str(report)
    assert not report.wildcard_actions, str(report)
    assert not report.needless_wildcard_resources, str(report)


def test_nothing_was_refused(exercised: Deployment, refused_before: int) -> None:
    # Of these functions: other tests of the run provoke refusals on purpose.
    refused = exercised.sandbox.audit.calls(allowed=False)[refused_before:]
    assert [
        str(entry) for entry in refused if (entry.role or "").startswith("connect-bridges-dev-biometrics")
    ] == []


def _sweep(deployment: Deployment) -> None:
    """Leave the daily sweep a recording to delete and a caller to erase; let it fail once, then get through."""
    path, rehearsal = deployment.biometrics, Rehearsal(deployment)
    twilio, voiceit = path.vendors.twilio, path.vendors.voiceit
    rule = deployment.physical_id(path.stack, "AWS::Events::Rule")
    run_rule(deployment.sandbox, rule)  # other scenarios leave things to the sweep
    before = list(twilio.recordings)
    nobody_knows(deployment.sandbox, path, NUMBER)
    with twilio.cannot_delete():
        rehearsal.gate_call(path, NUMBER, ALICE, moves=[Presses("1"), *[Says(PHRASE)] * 4])
    assert len(twilio.recordings) == len(before) + 4

    [swept] = run_rule(deployment.sandbox, rule)
    assert (swept.json(), twilio.recordings) == ({"done": 1}, before)
    assert stored_caller(deployment.sandbox, path, NUMBER)["recordings"] == {"L": []}

    with voiceit.is_down(status=503):
        assert _erase(deployment)["errorType"] == "ProviderUnavailableError"
        [failed] = run_rule(deployment.sandbox, rule)
    assert failed.json()["errorType"] == "SweepIncompleteError"
    assert stored_caller(deployment.sandbox, path, NUMBER)["erasing"] == {"BOOL": True}

    [finished] = run_rule(deployment.sandbox, rule)
    assert finished.json() == {"done": 1}
    assert stored_caller(deployment.sandbox, path, NUMBER) == {}


def _unlock(deployment: Deployment) -> None:
    """Unlock a number of which a failed try is counted."""
    client, path = deployment.sandbox.boto3_client("dynamodb"), deployment.biometrics
    client.put_item(
        TableName=path.table,
        Item={"phoneNumber": {"S": NUMBER}, "revision": {"S": "r"}, "failures": {"N": "1"}},
    )
    function = deployment.sandbox.stack_outputs(path.stack)["BiometricsUnlockFunctionName"]
    answer = deployment.sandbox.boto3_client("lambda").invoke(
        FunctionName=function, Payload=json.dumps({"phoneNumber": NUMBER})
    )
    assert json.loads(answer["Payload"].read()) == {"unlocked": "true"}
    nobody_knows(deployment.sandbox, path, NUMBER)


def _erase(deployment: Deployment) -> dict[str, Any]:
    answer = deployment.sandbox.boto3_client("lambda").invoke(
        FunctionName=deployment.biometrics.erase_function, Payload=json.dumps({"phoneNumber": NUMBER})
    )
    told: dict[str, Any] = json.loads(answer["Payload"].read())
    return told
