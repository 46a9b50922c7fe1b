"""examples/own_voice_check, really deployed: a provider function and a flow of one's own around the gate's module.

With it the names of VoiceIt and Twilio's demo guide (preset voiceit), and recordings handed over by address.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from connect_sandbox.cloud import FunctionFault
from connect_sandbox.cloud.schedules import run_rule
from connect_sandbox.iam import compare_grants

from rehearsals.scenarios import Deployment, Rehearsal
from rehearsals.scenarios.biometrics import (
    AGREES,
    ALICE,
    CONSENT,
    ENROLLED,
    MALLORY,
    PASSED,
    SPEAKS,
    TRANSFER,
)
from rehearsals.scenarios.biometrics_calls import stored_caller
from rehearsals.scenarios.biometrics_path import GatePath
from rehearsals.vendors.biometrics import ExampleVoice, Twilio
from rehearsals.vendors.biometrics.twilio import WEBHOOK_LIMIT, Number
from tests.support import ROOT
from tests.support.roles import deployed_role

pytestmark = pytest.mark.sandbox

STACK = "own-voice-check-account-line"
ROLES = ("VoiceCheckGateRole", "VoiceCheckWebhookRole", "VoiceCheckEraseRole", "VoiceCheckRetentionRole")
TIME_LIMIT = 5.0
"""Seconds, of the example's provider."""

NOBODY = f"spk-{'0' * 32}"
"""A speaker that Example Voice does not know."""

GREETING = "Thank you for calling Example Corp about your account."
KNOWN = "Thank you, we know that it is you."
NOT_FITTING = "Your voice is not the one that we know."
QUESTIONS = "An agent is next, and will ask you some questions about your account first."


@dataclass(frozen=True)
class AccountLine:
    """The deployed example, with its vendors on this machine."""

    deployment: Deployment
    path: GatePath
    vendor: ExampleVoice
    provider: str

    def rehearse(self) -> Rehearsal:
        return Rehearsal(self.deployment)

    @contextmanager
    def fails(self, fault: FunctionFault) -> Iterator[None]:
        """Let the provider function fail."""
        functions = self.deployment.sandbox.functions
        functions.inject(self.provider, fault)
        try:
            yield
        finally:
            functions.forget_faults(self.provider)
            self.wake()

    def wake(self) -> None:
        """Start a copy of the provider function, which takes longer on a busy machine than Lambda would need."""
        assert self.invoke(self.provider, {"operation": "deleteUser", "userId": NOBODY}) == {}

    def erase(self, number: str) -> Any:
        return self.invoke(self.path.erase_function, {"phoneNumber": number})

    def invoke(self, function: str, event: dict[str, str]) -> Any:
        answer = self.deployment.sandbox.boto3_client("lambda").invoke(
            FunctionName=function, Payload=json.dumps(event)
        )
        return json.loads(answer["Payload"].read())


@pytest.fixture(scope="module")
def line(deployment: Deployment, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AccountLine]:
    """Deploy the example, store the credentials, enter the addresses at the Twilio number."""
    sandbox = deployment.sandbox
    assembly = str(tmp_path_factory.mktemp("out") / "cdk.out")
    with Twilio(enforces_http_auth=False) as twilio, ExampleVoice() as vendor:
        sandbox.cdk(
            "deploy", "--method=direct", "--output", assembly,
            "-c", f"exampleVoiceUrl={vendor.url}", "-c", f"twilioApiUrl={twilio.url}", STACK,
            cwd=ROOT / "examples" / "own_voice_check",
        )  # fmt: skip
        outputs = sandbox.stack_outputs(STACK)
        secrets = sandbox.boto3_client("secretsmanager")
        telephony = {"accountSid": twilio.account_sid, "authToken": twilio.auth_token}
        secrets.put_secret_value(SecretId=outputs["TelephonySecretArn"], SecretString=json.dumps(telephony))
        secrets.put_secret_value(SecretId=outputs["ExampleVoiceKeyArn"], SecretString=vendor.api_key)
        host, port, _ = sandbox.api_base(outputs["WebhookUrl"])
        path = GatePath(
            stack=STACK,
            flow_arn=outputs["AccountLineFlowArn"],
            table=outputs["CallerTableName"],
            erase_function=outputs["EraseFunctionName"],
            number=Number(outputs["WebhookUrl"], outputs["StatusUrl"], (host, port)),
            twilio=twilio,
            secrets=(twilio.auth_token, vendor.api_key),
        )
        provider = sandbox.boto3_client("lambda").get_function(FunctionName=outputs["ProviderFunctionName"])
        line = AccountLine(deployment, path, vendor, provider["Configuration"]["FunctionArn"])
        line.wake()
        yield line
        # Its table has the fixed name of a preset, which other stacks of the run have as well.
        sandbox.cdk("destroy", "--force", "--app", assembly, STACK, cwd=ROOT / "examples" / "own_voice_check")
        dynamodb = sandbox.boto3_client("dynamodb")
        if path.table in dynamodb.list_tables()["TableNames"]:
            dynamodb.delete_table(TableName=path.table)


def enrol(line: AccountLine, number: str) -> None:
    call = line.rehearse().gate_call(line.path, number, ALICE, moves=[AGREES, *[SPEAKS] * 4])
    assert call.branches == ["enrollfromscratch", "verify", "verified"]


def test_a_new_caller_enrols_and_is_verified_through_a_flow_of_ones_own(line: AccountLine) -> None:
    asked, deleted, number = len(line.vendor.requests), len(line.path.twilio.deleted), "+12065550130"
    rehearsal = line.rehearse()
    call = rehearsal.gate_call(line.path, number, ALICE, moves=[AGREES, *[SPEAKS] * 4])

    call.contact.hears(GREETING, CONSENT, ENROLLED, PASSED, KNOWN).does_not_hear(QUESTIONS)
    call.contact.has_attributes(
        biometricResult="verified", biometricProvider="example-voice", biometricConfidence="93.50"
    ).ends(queued="Support")
    assert call.branches == ["enrollfromscratch", "verify", "verified"]
    assert [(one.what, one.status) for one in line.vendor.requests[asked:]] == [
        ("POST /v1/speakers", 201),
        *[("POST /v1/speakers/…/samples", 201)] * 3,
        ("POST /v1/speakers/…/checks", 200),
    ]
    assert all(one.by_address for one in line.vendor.requests[asked + 1 :])
    # The recordings are gone, and no address that leads to one appears in a log.
    assert (line.path.twilio.recordings, len(line.path.twilio.deleted) - deleted) == ([], 4)
    logged = rehearsal.logged(line.path)
    assert '"operation": "verify", "decision": "accepted"' in logged
    for secret in (number, "/Recordings/", line.path.twilio.account_sid, *line.path.secrets):
        assert secret not in logged


def test_another_voice_fails(line: AccountLine) -> None:
    number = "+12065550131"
    enrol(line, number)
    attacker = line.rehearse().gate_call(line.path, number, MALLORY, moves=[SPEAKS] * 3)
    attacker.contact.hears(NOT_FITTING).does_not_hear(PASSED, KNOWN)
    attacker.contact.has_attributes(biometricResult="failed", biometricProvider="example-voice")
    attacker.contact.ends(queued="Support")
    locked = line.rehearse().gate_call(line.path, number, ALICE)
    locked.contact.hears(NOT_FITTING).does_not_reach(TRANSFER).has_attributes(biometricResult="locked")


def test_a_provider_function_that_crashes_makes_the_check_unavailable(line: AccountLine) -> None:
    number = "+12065550132"
    enrol(line, number)
    with line.fails(FunctionFault("crash")):
        call = line.rehearse().gate_call(line.path, number, ALICE, moves=[SPEAKS])
    call.contact.hears("We cannot check your voice at the moment. Goodbye.", QUESTIONS)
    call.contact.has_attributes(biometricResult="unavailable", biometricProvider="example-voice")
    call.contact.ends(queued="Support")
    assert line.path.twilio.recordings == []
    again = line.rehearse().gate_call(line.path, number, ALICE, moves=[SPEAKS])
    again.contact.hears(KNOWN).has_attributes(biometricResult="verified")


def test_a_provider_function_that_is_too_slow_makes_the_check_unavailable(line: AccountLine) -> None:
    number = "+12065550133"
    enrol(line, number)
    with line.fails(FunctionFault("delay", seconds=60)):
        started = time.monotonic()
        call = line.rehearse().gate_call(line.path, number, ALICE, moves=[SPEAKS])
        took = time.monotonic() - started
    assert TIME_LIMIT <= took < WEBHOOK_LIMIT
    call.contact.hears(QUESTIONS).has_attributes(biometricResult="unavailable").ends(queued="Support")


def test_addresses_are_no_use_while_twilio_enforces_authentication(
    line: AccountLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = "+12065550134"
    monkeypatch.setattr(line.path.twilio, "enforces_http_auth", True)
    call = line.rehearse().gate_call(line.path, number, ALICE, moves=[AGREES, SPEAKS])
    call.contact.hears(CONSENT, QUESTIONS).has_attributes(biometricResult="unavailable")
    refused, discarded = line.vendor.requests[-2:]
    assert (refused.status, discarded.what.split(" ")[0]) == (502, "DELETE"), (
        "an unfinished enrolment is discarded"
    )
    assert '"code": "recording-401"' in line.rehearse().logged(line.path)
    assert line.path.twilio.recordings == []


def test_the_table_has_the_names_of_the_guide(line: AccountLine) -> None:
    table = line.deployment.sandbox.boto3_client("dynamodb").describe_table(TableName="ConnectTwilio")
    assert line.path.table == "ConnectTwilio"
    assert table["Table"]["KeySchema"] == [{"AttributeName": "phoneNumber", "KeyType": "HASH"}]


# --- least privilege


@pytest.fixture(scope="module")
def exercised(line: AccountLine) -> AccountLine:
    """Let every function do all that it ever does: enrol, verify, erase, sweep, and sweep what failed."""
    number, twilio = "+12065550135", line.path.twilio
    rule = line.deployment.physical_id(STACK, "AWS::Events::Rule")
    with twilio.cannot_delete():
        enrol(line, number)
    [swept] = run_rule(line.deployment.sandbox, rule)
    assert (swept.json(), twilio.recordings) == ({"done": 1}, [])
    with line.vendor.is_down():
        assert line.erase(number)["errorType"] == "ProviderUnavailableError"
        [failed] = run_rule(line.deployment.sandbox, rule)
    assert failed.json()["errorType"] == "SweepIncompleteError"
    [finished] = run_rule(line.deployment.sandbox, rule)
    assert finished.json() == {"done": 1}
    assert stored_caller(line.deployment.sandbox, line.path, number) == {}

    with twilio.cannot_delete():
        enrol(line, number)
    user = stored_caller(line.deployment.sandbox, line.path, number)["userId"]["S"]
    assert line.erase(number) == {"erased": True}
    assert user not in line.vendor.speakers
    assert twilio.recordings == []
    return line


@pytest.mark.parametrize("part", ROLES)
def test_a_function_uses_what_it_is_granted_and_is_granted_what_it_uses(
    exercised: AccountLine, part: str
) -> None:
    name, granted = deployed_role(exercised.deployment, STACK, part)
    calls = exercised.deployment.sandbox.audit.calls(role=name)
    report = compare_grants(granted, calls)
    assert report.exact, str(report)
    assert not report.wildcard_actions, str(report)
    assert not report.needless_wildcard_resources, str(report)
    invoked = {entry.resource for entry in calls if entry.action == "lambda:InvokeFunction"}
    assert invoked == (set() if part == "VoiceCheckGateRole" else {exercised.provider})


def test_nothing_was_refused(exercised: AccountLine) -> None:
    refused = exercised.deployment.sandbox.audit.calls(allowed=False)
    assert [str(entry) for entry in refused if (entry.role or "").startswith(STACK)] == []
