"""The transfer to the voice check fails: the caller reaches an agent, and the next call is checked as ever."""

from __future__ import annotations

import pytest
from connect_sandbox.rehearsal.canned_vendor import CannedVendor, DoesNotTakeIt
from connect_sandbox.rehearsal.cloud_ports import DeployedFunctions, PublishedFlows
from connect_sandbox.rehearsal.conditions import Caller, Conditions, HangsUp, Queue
from connect_sandbox.rehearsal.contact import Contact
from connect_sandbox.rehearsal.ports import CallFailed, NotAnswered, NotDialled, Ports

from rehearsals.scenarios import Deployment, Rehearsal
from rehearsals.scenarios.biometrics import (
    AGREES,
    ALICE,
    CONSENT,
    PASSED,
    SPEAKS,
    TRANSFER,
    UNAVAILABLE,
    VERIFIED,
)
from rehearsals.scenarios.biometrics_calls import QUEUE_ID, nobody_knows, stored_caller
from rehearsals.scenarios.biometrics_path import BiometricsPath

pytestmark = pytest.mark.sandbox

NUMBER = "+12065550151"
Failure = CallFailed | NotAnswered | NotDialled
FAILURES = [CallFailed("486 Busy Here"), NotAnswered(), NotDialled("no such number")]


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: type(failure).__name__)
@pytest.mark.parametrize("return_mode", ["resume", "redial"])
def test_the_session_ends_with_the_transfer_that_failed(
    deployment: Deployment, return_mode: str, failure: Failure
) -> None:
    path = deployment.redial if return_mode == "redial" else deployment.biometrics
    nobody_knows(deployment.sandbox, path, NUMBER)

    failed = call_that_fails(deployment, path, failure)
    failed.reaches(TRANSFER, "Ask the gate again").hears(UNAVAILABLE).ends(queued="Support")
    failed.has_attributes(biometricResult="unavailable", biometricConfidence="none")
    assert failed.attributes["biometricTime"].endswith("Z")
    assert "session" not in stored_caller(deployment.sandbox, path, NUMBER)

    again = Rehearsal(deployment).gate_call(path, NUMBER, ALICE, moves=[HangsUp(CONSENT)])
    again.contact.reaches(TRANSFER).hears(CONSENT).does_not_hear(UNAVAILABLE)
    assert again.branches == ["enrollfromscratch"]


def test_who_calls_again_at_once_is_verified(deployment: Deployment) -> None:
    path, rehearsal = deployment.biometrics, Rehearsal(deployment)
    nobody_knows(deployment.sandbox, path, NUMBER)
    rehearsal.gate_call(path, NUMBER, ALICE, moves=[AGREES, *[SPEAKS] * 4]).contact.hears(VERIFIED)

    call_that_fails(deployment, path, CallFailed("503 Service Unavailable")).hears(UNAVAILABLE)

    again = rehearsal.gate_call(path, NUMBER, ALICE, moves=[SPEAKS])
    again.contact.hears(PASSED, VERIFIED).has_attributes(biometricResult="verified")
    assert again.branches == ["verify", "verified"]


def call_that_fails(deployment: Deployment, path: BiometricsPath, failure: Failure) -> Contact:
    """Call the gate while Twilio cannot be reached in this way."""
    contact = Contact(
        Ports(
            flows=PublishedFlows(deployment.sandbox, path.instance_arn),
            functions=DeployedFunctions(deployment.sandbox, path.instance_arn),
            external_voice=CannedVendor([DoesNotTakeIt(failure)]),
        ),
        instance_arn=path.instance_arn,
        caller=Caller(number=NUMBER),
        conditions=Conditions(queues=[Queue(arn=f"{path.instance_arn}/queue/{QUEUE_ID}", name="Support")]),
        secrets=path.secrets,
    )
    contact.calls(path.flow_arn)
    return contact
