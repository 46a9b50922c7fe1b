"""Every scenario, on the really deployed apps."""

import json

import pytest
from connect_sandbox.cloud import FunctionFault

from rehearsals.scenarios import SCENARIOS, Deployment, Rehearsal, play
from rehearsals.vendors.voice.script import PostMetadata
from tests.rehearsals.played import Played

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
    "chat/bot-converses",
    "chat/bot-hands-to-agent",
    "chat/webhook-down",
    "chat/webhook-slow",
    "chat/start-is-not-repeated",
    "chat/wrong-verification-token",
    "chat/customer-leaves",
    "chat/messages-survive-outage",
    "biometrics/enrol-then-verify",
    "biometrics/partial-enrolment-fails-once-then-verifies",
    "biometrics/known-caller-verifies",
    "biometrics/spoofer-after-dropped-call",
    "biometrics/forged-webhook",
    "biometrics/replayed-webhook",
    "biometrics/two-calls-same-number",
    "biometrics/locked-after-three-failures",
    "biometrics/provider-down",
    "biometrics/provider-slow",
    "biometrics/consent-refused",
    "biometrics/redial-within-window",
    "biometrics/redial-too-late",
    "biometrics/erase-caller",
    "instance/dev-from-nothing",
    "instance/created-and-called",
    "instance/second-association-refused",
    "instance/number-moves-to-new-flow",
    "instance/alarm-goes-off",
    "instance/encrypted-input",
    "instance/deleted-keeps-data",
    "instance/imported-and-extended",
    "instance/own-key-everywhere",
    "deploy/fails-then-succeeds",
    "handoff/real-values",
    "handoff/instance",
    "smoke/passes",
    "smoke/finds-wrong-permission",
    "doctor/finds-everything-missing",
    "doctor/all-well",
]


def test_every_promised_scenario_exists() -> None:
    assert set(PROMISED) <= set(SCENARIOS)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.timeout(300)) if scenario.alone else name
        for name, scenario in SCENARIOS.items()
    ],
)
def test_scenario(played: Played, name: str) -> None:
    result = played(name)
    assert result.outcome == "passed", f"{result.failure}\n\n{result.rendered}"
    assert result.rendered


def test_a_function_that_connect_may_not_invoke_takes_the_error_branch(deployment: Deployment) -> None:
    rehearsal, path = Rehearsal(deployment), deployment.voice
    retrieve = rehearsal.function_of(path, "Fetch metadata")
    functions = deployment.sandbox.boto3_client("lambda")
    statements = json.loads(functions.get_policy(FunctionName=retrieve)["Policy"])["Statement"]
    for statement in statements:
        functions.remove_permission(FunctionName=retrieve, StatementId=statement["Sid"])
    try:
        contact = rehearsal.call(path, PostMetadata({"a": 1})).contact
    finally:
        for statement in statements:
            condition = statement["Condition"]
            functions.add_permission(
                FunctionName=retrieve,
                StatementId=statement["Sid"],
                Action=statement["Action"],
                Principal=statement["Principal"]["Service"],
                SourceAccount=condition["StringEquals"]["AWS:SourceAccount"],
                SourceArn=condition["ArnLike"]["AWS:SourceArn"],
            )
    contact.hears("You may be asked again what you have told our assistant.").lacks_attributes("customData")
    contact.invokes(retrieve, times=1).ends(queued="Support")
    assert "Amazon Connect may not invoke it" in contact.transcript.render()
    restored = rehearsal.call(path, PostMetadata({"a": 1})).contact
    restored.has_attributes(customData='{"a": 1}')


def test_a_connector_that_is_not_associated_cannot_be_dialled(deployment: Deployment) -> None:
    rehearsal, path = Rehearsal(deployment), deployment.voice
    instance = deployment.sandbox.connect.instance(path.instance_arn)
    [association] = [a for a in instance.associations.values() if a.integration_arn == path.connector_arn]
    del instance.associations[association.id]
    try:
        call = rehearsal.call(path, PostMetadata({"a": 1}))
    finally:
        instance.associations[association.id] = association
    call.contact.hears("Something went wrong on our side.").ends(queued="Support")
    assert not call.vendor.invites


def test_a_scenario_fails_when_the_deployed_code_does_not_do_its_part(deployment: Deployment) -> None:
    retrieve = Rehearsal(deployment).function_of(deployment.voice, "Fetch metadata")
    deployment.sandbox.functions.inject(retrieve, FunctionFault("crash"))
    result = play(SCENARIOS["voice/metadata-returns"], deployment)
    assert result.outcome == "failed"
    assert "You may be asked again what you have told our assistant." in result.failure
