from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from dataclasses import fields
from itertools import pairwise
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import assertions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from connect_bridges import ApiOptions, ConnectInstance
from connect_bridges.biometrics.flows import VoiceBiometricPrompts
from connect_bridges.biometrics.gate import VoiceBiometricGate
from connect_bridges.biometrics.presets import VoiceBiometricPreset
from connect_bridges.biometrics.provider import BiometricsProvider, BiometricsTelephony
from connect_bridges.biometrics.rules import (
    TELEPHONY_PROMPTS,
    CallerTransfer,
    ReturnMode,
    VoiceCheckRules,
    VoiceDialogue,
)
from connect_bridges.contact_center.contact_flow import load_template
from connect_bridges.shared import bundling
from connect_flows import FlowKind, lint

from runtime.biometrics.prompts import Prompts
from tests.support import INSTANCE_ARN, QUEUE_ARN, policy_statements

TWILIO = BiometricsTelephony.twilio("+12065550188")
REDIAL = CallerTransfer(return_mode=ReturnMode.REDIAL, redial_number="+18005550199")
OTHER_QUEUE_ARN = f"{INSTANCE_ARN}/queue/88888888-7777-8888-9999-000000000000"
HANDLERS = tuple(f"biometrics.{name}" for name in ("gate", "webhook", "erase", "retention"))


def gate(stack: cdk.Stack, instance: ConnectInstance, **arguments: Any) -> dict[str, Any]:
    """Create a gate and return the stack's template."""
    given: dict[str, Any] = {"telephony": TWILIO, "queue_arn": QUEUE_ARN} | arguments
    VoiceBiometricGate(stack, "Gate", instance=instance, **given)
    return dict(assertions.Template.from_stack(stack).to_json())


def of_type(template: dict[str, Any], kind: str) -> dict[str, Any]:
    return {name: one for name, one in template["Resources"].items() if one["Type"] == kind}


def flow(template: dict[str, Any], kind: str = "AWS::Connect::ContactFlow") -> dict[str, dict[str, Any]]:
    """Return a published flow's blocks by identifier."""
    (resource,) = of_type(template, kind).values()
    parts = resource["Properties"]["Content"]["Fn::Join"][1]
    text = "".join(
        part if isinstance(part, str) else "arn:aws:lambda:us-east-1:123456789012:function:gate"
        for part in parts
    )
    document = json.loads(text)
    found = FlowKind.FLOW if kind.endswith("Flow") else FlowKind.MODULE
    findings = lint(document, name="published", kind=found)
    assert not [
        str(one) for one in findings if not one.rule.startswith("CF50")
    ]  # placeholders are filled in by now
    assert set(document["Metadata"]["ActionMetadata"]) == {one["Identifier"] for one in document["Actions"]}
    return {one["Identifier"]: one for one in document["Actions"]}


def leads(block: dict[str, Any]) -> dict[str, str]:
    """Return where each branch of a block leads: conditions by operand, errors by type."""
    transitions = block["Transitions"]
    return {
        **{one["Condition"]["Operands"][0]: one["NextAction"] for one in transitions["Conditions"]},
        **{one["ErrorType"]: one["NextAction"] for one in transitions["Errors"]},
        "next": transitions["NextAction"],
    }


def environments(template: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        one["Properties"]["Handler"].split(".")[-2]: one["Properties"]["Environment"]["Variables"]
        for one in of_type(template, "AWS::Lambda::Function").values()
    }


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("voice_biometric_gate.json", FlowKind.FLOW),
        ("voice_biometric_gate_module.json", FlowKind.MODULE),
    ],
)
def test_the_templates_lint_without_a_finding(name: str, kind: FlowKind) -> None:
    assert lint(load_template(name), name=name, kind=kind) == []


def test_the_flow_sends_the_code_and_asks_again_when_the_call_is_back(
    stack: cdk.Stack, instance: ConnectInstance
) -> None:
    blocks = flow(gate(stack, instance, unverified_queue_arn=OTHER_QUEUE_ARN))
    transfer = blocks["Transfer to the voice check"]
    assert transfer["Parameters"] == {
        "ThirdPartyPhoneNumber": "+12065550188",
        "ThirdPartyConnectionTimeLimitSeconds": "30",
        "ContinueFlowExecution": "True",
        "ThirdPartyDTMFDigits": "$.External.Digits",
    }
    assert leads(transfer) == dict.fromkeys(
        ("next", "CallFailed", "ConnectionTimeLimitExceeded", "NoMatchingError"), "Ask the gate again"
    )
    phases = {
        name: blocks[name]["Parameters"]["LambdaInvocationAttributes"]["phase"]
        for name in ("Ask the gate", "Ask the gate again")
    }
    assert phases == {"Ask the gate": "start", "Ask the gate again": "return"}
    branches = leads(blocks["What does the gate say"])
    assert branches == {
        "verified": "Log again that the caller is verified",
        "verify": "Announce the check",
        "enrollfromscratch": "Announce the first recordings",
        "enroll": "Announce more recordings",
        "failedverified": "Log again that the check failed",
        "locked": "Log again that the caller is locked",
        "unavailable": "Log again that no check was possible",
        "NoMatchingCondition": "Log again that no check was possible",
        "next": "Log again that no check was possible",
    }
    assert "May the caller try again" not in blocks
    assert blocks["Choose the queue for the others"]["Parameters"]["QueueId"] == OTHER_QUEUE_ARN
    assert blocks["Choose the queue for the verified"]["Parameters"]["QueueId"] == QUEUE_ARN


def test_only_the_branch_verified_leads_to_the_queue_of_the_verified(
    stack: cdk.Stack, instance: ConnectInstance
) -> None:
    blocks = flow(gate(stack, instance))
    way = [
        "What does the gate say",
        "Log again that the caller is verified",
        "Remember that the caller is verified",
        "Say that the caller is verified",
        "Choose the queue for the verified",
    ]
    for before, after in pairwise(way):
        assert [name for name, one in blocks.items() if after in leads_to(one)] == [before]
    assert list(leads(blocks["What does the gate say"]).values()).count(way[1]) == 1


def leads_to(block: dict[str, Any]) -> set[str]:
    return set(leads(block).values()) if block["Transitions"] else set()


def test_attributes_are_flat_and_the_same_in_flow_and_module(
    stack: cdk.Stack, instance: ConnectInstance
) -> None:
    template = gate(stack, instance)
    names = {"biometricResult", "biometricConfidence", "biometricProvider", "biometricTime"}
    for kind in ("AWS::Connect::ContactFlow", "AWS::Connect::ContactFlowModule"):
        for block in flow(template, kind).values():
            if block["Type"] == "UpdateContactAttributes":
                assert set(block["Parameters"]["Attributes"]) == names
                assert all(isinstance(one, str) and one for one in block["Parameters"]["Attributes"].values())


def test_redial_ends_with_the_transfer_and_tries_again_when_the_proof_is_too_old(
    stack: cdk.Stack, instance: ConnectInstance
) -> None:
    template = gate(stack, instance, transfer=REDIAL)
    for kind in ("AWS::Connect::ContactFlow", "AWS::Connect::ContactFlowModule"):
        blocks = flow(template, kind)
        transfer = blocks["Transfer to the voice check"]
        assert transfer["Parameters"]["ContinueFlowExecution"] == "False"
        over = "Disconnect" if kind == "AWS::Connect::ContactFlow" else "End of module"
        assert leads(transfer) == {"next": over, "NoMatchingError": "Ask the gate again"}
        again = blocks["Ask the gate again"]
        assert again["Parameters"]["LambdaInvocationAttributes"] == {"phase": "return"}
        assert leads(again)["next"] == "What does the gate say"
        assert leads(blocks["May the caller try again"])["true"] == "Say that the proof expired"
    variables = environments(template)
    assert variables["webhook"]["REDIAL_NUMBER"] == "+18005550199"
    assert variables["gate"]["RETURN_MODE"] == variables["webhook"]["RETURN_MODE"] == "REDIAL"
    assert variables["gate"]["PROOF_SECONDS"] == "10"


@pytest.mark.parametrize(
    "return_mode",
    [{}, {"transfer": REDIAL}],
    ids=["resume", "redial"],
)
@pytest.mark.parametrize(
    ("kind", "start"),
    [
        ("AWS::Connect::ContactFlow", "Turn on flow logging"),
        ("AWS::Connect::ContactFlowModule", "Forget an earlier result"),
    ],
)
def test_the_flow_log_has_the_result_and_never_the_code(
    stack: cdk.Stack, instance: ConnectInstance, kind: str, start: str, return_mode: dict[str, Any]
) -> None:
    blocks = flow(gate(stack, instance, **return_mode), kind)
    logged = {name: logging_on_the_ways_to(name, start, blocks) for name in blocks}
    with_code = of_types(blocks, "InvokeLambdaFunction", "TransferParticipantToThirdParty")
    assert [logged[name] for name in with_code] == [{"Disabled"}] * 3
    results = of_types(blocks, "UpdateContactAttributes")
    assert [logged[name] for name in results] == [{"Enabled"}] * len(results)
    assert len(results) >= 2


def of_types(blocks: dict[str, dict[str, Any]], *types: str) -> list[str]:
    """Return the names of all blocks of some types."""
    return [name for name, one in blocks.items() if one["Type"] in types]


def logging_on_the_ways_to(name: str, start: str, blocks: dict[str, dict[str, Any]]) -> set[str]:
    """Return how flow logging may be set when a contact reaches a block; around a module it is on."""
    reached: set[tuple[str, str]] = set()
    ways = [(start, "Enabled")]
    while ways:
        way = ways.pop()
        if way not in reached:
            reached.add(way)
            logging = blocks[way[0]]["Parameters"].get("FlowLoggingBehavior", way[1])
            ways += [(target, logging) for target in leads_to(blocks[way[0]])]
    return {logging for block, logging in reached if block == name}


def test_another_flow_can_take_over_the_verified(stack: cdk.Stack, instance: ConnectInstance) -> None:
    arn = f"{INSTANCE_ARN}/contact-flow/77777777-7777-4777-8777-777777777777"
    blocks = flow(gate(stack, instance, next_flow_arn=arn))
    assert blocks["Hand over to the next flow"]["Parameters"] == {"ContactFlowId": arn}
    assert leads(blocks["Choose the queue for the verified"])["next"] == "Hand over to the next flow"


def test_each_function_may_do_what_it_does_and_nothing_else(
    stack: cdk.Stack, instance: ConnectInstance
) -> None:
    template = gate(stack, instance, encryption_key=kms.Key(stack, "Key"))
    granted: dict[str, set[str]] = {}
    for resource in of_type(template, "AWS::IAM::Policy").values():
        (role,) = resource["Properties"]["Roles"]
        statements = policy_statements({"Resources": {"one": resource}})
        granted[role["Ref"]] = {action for one in statements for action in one["Action"]}
    common = {
        *("dynamodb:GetItem", "dynamodb:PutItem", "secretsmanager:GetSecretValue"),
        *("kms:Decrypt", "kms:GenerateDataKey", "logs:CreateLogStream", "logs:PutLogEvents"),
    }
    by_name = {name: next(v for k, v in granted.items() if name in k) for name in
               ("GateGateRole", "GateWebhookRole", "GateEraseRole", "GateRetentionRole")}  # fmt: skip
    assert by_name == {
        "GateGateRole": common,
        "GateWebhookRole": common,
        "GateEraseRole": common | {"dynamodb:DeleteItem"},
        "GateRetentionRole": common | {"dynamodb:DeleteItem", "dynamodb:Scan"},
    }


def test_the_gate_function_knows_no_vendors_credentials(stack: cdk.Stack, instance: ConnectInstance) -> None:
    template = gate(stack, instance)
    assert not {"PROVIDER_SECRET_ARN", "TELEPHONY_SECRET_ARN"} & set(environments(template)["gate"])
    (policy,) = [one for name, one in of_type(template, "AWS::IAM::Policy").items() if "GateGateRole" in name]
    secrets = [
        one
        for one in policy_statements({"Resources": {"one": policy}})
        if "secretsmanager:GetSecretValue" in one["Action"]
    ]
    assert json.dumps(secrets).count('"Ref"') == 1


def test_a_provider_function_takes_voiceits_place(stack: cdk.Stack, instance: ConnectInstance) -> None:
    function = lambda_.Function.from_function_arn(
        stack, "Mine", "arn:aws:lambda:us-east-1:123456789012:function:mine"
    )
    mine = BiometricsProvider.function(function, name="mine", time_limit=cdk.Duration.seconds(4))
    template = gate(stack, instance, provider=mine)
    variables = environments(template)
    assert variables["webhook"]["PROVIDER_FUNCTION_ARN"] == function.function_arn
    assert "PROVIDER_SECRET_ARN" not in variables["webhook"]
    assert variables["webhook"]["PROVIDER_SECONDS"] == "4"
    assert variables["gate"]["PROVIDER_NAME"] == "mine"
    invoking = [one for one in policy_statements(template) if "lambda:InvokeFunction" in one["Action"]]
    assert [one["Resource"] for one in invoking] == [[function.function_arn]] * 3


def test_unsigned_messages_do_not_reach_the_function(stack: cdk.Stack, instance: ConnectInstance) -> None:
    template = gate(stack, instance)
    methods = of_type(template, "AWS::ApiGateway::Method").values()
    assert len(methods) == 2
    for method in methods:
        assert method["Properties"]["HttpMethod"] == "POST"
        assert method["Properties"]["RequestParameters"] == {"method.request.header.X-Twilio-Signature": True}
    answers = {
        one["Properties"]["ResponseType"]: one["Properties"]
        for one in of_type(template, "AWS::ApiGateway::GatewayResponse").values()
    }
    assert answers["BAD_REQUEST_PARAMETERS"]["StatusCode"] == "403"
    for one in answers.values():
        assert one["ResponseTemplates"]["application/json"].startswith('<?xml version="1.0"')
        assert one["ResponseParameters"] == {"gatewayresponse.header.Content-Type": "'text/xml'"}


def test_alarms_look_at_what_this_gate_counts(stack: cdk.Stack, instance: ConnectInstance) -> None:
    made = VoiceBiometricGate(stack, "Gate", instance=instance, telephony=TWILIO, queue_arn=QUEUE_ARN)
    made.monitor()
    template = dict(assertions.Template.from_stack(stack).to_json())
    (service,) = {one["POWERTOOLS_SERVICE_NAME"] for one in environments(template).values()}
    alarms = [one["Properties"] for one in of_type(template, "AWS::CloudWatch::Alarm").values()]
    own = {one["MetricName"] for one in alarms if one["Namespace"] == "ConnectBridges"}
    assert own == {
        *("VoiceRefused", "CallerLocked", "ProviderUnavailable", "WebhookForged", "WebhookFailed"),
        *("TableUnavailable", "CallerLockedLong", "CodeGuessed", "CallNotExpected"),
    }
    for alarm in alarms:
        if alarm["Namespace"] == "ConnectBridges":
            assert alarm["Dimensions"] == [{"Name": "service", "Value": service}]
    (dashboard,) = of_type(template, "AWS::CloudWatch::Dashboard").values()
    assert all(f'"{name}"' in json.dumps(dashboard).replace("\\", "") for name in own)


def test_metrics_and_grants_are_there_for_users(stack: cdk.Stack, instance: ConnectInstance) -> None:
    made = VoiceBiometricGate(stack, "Gate", instance=instance, telephony=TWILIO, queue_arn=QUEUE_ARN)
    names = [
        made.metric_verified().metric_name,
        made.metric_failed().metric_name,
        made.metric_locked().metric_name,
        made.metric_refused_voices().metric_name,
        made.metric_lock_outs().metric_name,
        made.metric_provider_errors().metric_name,
        made.metric_long_lock_outs().metric_name,
        made.metric_guessed_codes().metric_name,
        made.metric_unexpected_calls().metric_name,
    ]
    assert names == [
        *("BiometricVerified", "BiometricFailed", "BiometricLocked", "VoiceRefused", "CallerLocked"),
        *("ProviderUnavailable", "CallerLockedLong", "CodeGuessed", "CallNotExpected"),
    ]
    operator = iam.Role(stack, "Operator", assumed_by=iam.AccountRootPrincipal())
    made.grant_erase(operator)
    agent = iam.Role(stack, "Agent", assumed_by=iam.AccountRootPrincipal())
    made.grant_unlock(agent)
    statements = policy_statements(assertions.Template.from_stack(stack).to_json())
    granted = [
        json.dumps(one["Resource"]) for one in statements if one["Action"] == ["lambda:InvokeFunction"]
    ]
    assert sorted(("Erase" in one, "Unlock" in one) for one in granted) == [(False, True), (True, False)]


def test_names_of_prompts_are_those_of_the_runtime() -> None:
    assert {field.name for field in fields(Prompts)} == set(TELEPHONY_PROMPTS)
    assert VoiceBiometricPreset.named("voiceit").table_name == "ConnectTwilio"
    with pytest.raises(ValueError, match="no voice biometrics preset 'voicit'"):
        VoiceBiometricPreset.named("voicit")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"queue_arn": INSTANCE_ARN}, "queue_arn is .* which is not the ARN of a queue"),
        ({"unverified_queue_arn": "x"}, "unverified_queue_arn is 'x'"),
        ({"next_flow_arn": QUEUE_ARN}, "next_flow_arn is .* which is not the ARN of a flow"),
        ({"preset": VoiceBiometricPreset(path="/voice/")}, "path is '/voice/'"),
        ({"preset": VoiceBiometricPreset(phrase="no")}, "phrase is 'no'"),
        ({"preset": VoiceBiometricPreset(phrase="x" * 201)}, "3 to 200 characters"),
        ({"preset": VoiceBiometricPreset(language="English")}, "language is 'English'"),
    ],
)
def test_a_wrong_argument_is_named_with_its_fix(
    stack: cdk.Stack, instance: ConnectInstance, arguments: dict[str, Any], complaint: str
) -> None:
    given: dict[str, Any] = {"telephony": TWILIO, "queue_arn": QUEUE_ARN} | arguments
    with pytest.raises(ValueError, match=complaint):
        VoiceBiometricGate(stack, "Gate", instance=instance, **given)


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda: CallerTransfer(return_mode=ReturnMode.REDIAL), "needs redial_number"),
        (
            lambda: CallerTransfer(return_mode=ReturnMode.REDIAL, redial_number="911"),
            "redial_number is '911'",
        ),
        (
            lambda: CallerTransfer(redial_number="+18005550199"),
            "with return_mode RESUME nothing is dialled",
        ),
        (
            lambda: CallerTransfer(connection_time_limit=cdk.Duration.seconds(0)),
            "connection_time_limit is 0 seconds",
        ),
        (lambda: VoiceCheckRules(tries=0), r"rules\.tries is 0 tries"),
        (lambda: VoiceCheckRules(min_confidence=101), r"rules\.min_confidence is 101 percent"),
        (
            lambda: VoiceCheckRules(proof_lifetime=cdk.Duration.hours(1)),
            r"rules\.proof_lifetime is 3,600",
        ),
        (
            lambda: VoiceCheckRules(enrolments=11, lock_after=0),
            r"rules\.enrolments is 11 recordings.*\n.*rules\.lock_after is 0",
        ),
        (lambda: VoiceDialogue(prompts={"goodbye": "x"}), "prompts holds 'goodbye'"),
        (lambda: VoiceDialogue(prompts={"failed": "x" * 2_400}), "shorten them to 2400"),
        (lambda: VoiceDialogue(voice="a voice"), "voice is 'a voice'"),
        (
            lambda: VoiceDialogue(recording_transfer="stream"),  # type: ignore[arg-type]
            "recording_transfer is 'stream'; choose 'fetch' or 'url'",
        ),
        (
            lambda: VoiceDialogue(recording_limit=cdk.Duration.seconds(1)),
            "recording_limit is 1 seconds; choose a value from 2 to 30",
        ),
        (lambda: VoiceDialogue(recording_limit=cdk.Duration.seconds(31)), "recording_limit is 31 seconds"),
        (
            lambda: VoiceDialogue(recording_limit=cdk.Duration.millis(2500)),
            r"recording_limit is 2 seconds 500 millis; choose whole seconds",
        ),
        (lambda: ApiOptions(public_url="voice.example.com"), "public_url is 'voice.example.com'"),
        (
            lambda: ApiOptions(public_url="http://voice.example.com"),
            "public_url is 'http://voice.example.com', .* write https",
        ),
        (
            lambda: ApiOptions(stage_name="my-stage", throttling_rate_limit=0, throttling_burst_limit=5_001),
            "(?s)stage_name is 'my-stage'.*rate_limit is 0 requests a second.*burst_limit is 5,001 requests",
        ),
    ],
)
def test_options_that_cannot_be_are_named_with_their_fix(make: Any, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        make()


def test_wrong_vendors_are_refused(stack: cdk.Stack) -> None:
    with pytest.raises(ValueError, match=r"number is '2065550188', which is not an E\.164"):
        BiometricsTelephony.twilio("2065550188")
    with pytest.raises(ValueError, match=r"api_url is 'api\.voiceit\.io'"):
        BiometricsProvider.voiceit(api_url="api.voiceit.io")
    function = lambda_.Function.from_function_arn(
        stack, "Mine", "arn:aws:lambda:us-east-1:123456789012:function:mine"
    )
    with pytest.raises(ValueError, match="name is 'my voices'"):
        BiometricsProvider.function(function, name="my voices")
    with pytest.raises(
        ValueError,
        match=r"time_limit is 9 seconds; choose a value from 1 to 8 seconds\. Twilio gives up after 15 s",
    ):
        BiometricsProvider.function(function, name="mine", time_limit=cdk.Duration.seconds(9))
    with pytest.raises(ValueError, match="time_limit is 0 seconds; choose a value from 1 to 8"):
        BiometricsProvider.function(function, name="mine", time_limit=cdk.Duration.seconds(0))
    with pytest.raises(ValueError, match="time_limit is 1 second 500 millis; choose whole seconds"):
        BiometricsProvider.voiceit(time_limit=cdk.Duration.millis(1500))


def test_prompts_reach_the_flow(stack: cdk.Stack, instance: ConnectInstance) -> None:
    prompts = VoiceBiometricPrompts(verify="Now speak.")
    assert flow(gate(stack, instance, prompts=prompts))["Announce the check"]["Parameters"] == {
        "Text": "Now speak."
    }


# --- bundles -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("module", HANDLERS)
def test_a_zip_is_small_and_brings_of_twilio_what_is_used(module: str, tmp_path: Path) -> None:
    folder = tmp_path / "bundle"
    archive = bundling.bundle_zip(module, "python3.14")
    zipfile.ZipFile(archive).extractall(folder)
    assert archive.stat().st_size < 3 * 1024 * 1024
    top = {path.name for path in folder.iterdir()}
    assert not top & {"aiohttp", "requests", "boto3", "jwt", "urllib3"}
    assert {path.name for path in (folder / "twilio").iterdir()} == {
        "__init__.py",
        "request_validator.py",
        "twiml",
    }
    code = (
        "import sys; sys.path[:0] = [sys.argv[1]];"
        "import twilio.request_validator, twilio.twiml.voice_response as v;"
        "assert sys.argv[1] in v.__file__; print(v.VoiceResponse().to_xml())"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", code, str(folder)], capture_output=True, text=True, check=True
    )
    assert "<Response />" in done.stdout


def test_other_packages_get_nothing_of_it() -> None:
    assert [path.name for path in bundling.lock_files("metadata.store")] == ["requirements.txt"]
    assert len(bundling.lock_files("biometrics.gate")) == 2


def test_a_prune_list_may_have_comments(tmp_path: Path) -> None:
    (tmp_path / "requirements.prune").write_text("# why\n\na/b\n")
    assert bundling._prune_list(tmp_path / "requirements.prune") == ["a/b"]
    assert bundling._prune_list(tmp_path / "no.prune") == []
