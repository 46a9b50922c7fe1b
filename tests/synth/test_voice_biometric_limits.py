from __future__ import annotations

from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import assertions
from connect_bridges import ConnectInstance
from connect_bridges.biometrics.gate import VoiceBiometricGate
from connect_bridges.biometrics.presets import VoiceBiometricPreset
from connect_bridges.biometrics.provider import BiometricsProvider, BiometricsTelephony
from connect_bridges.biometrics.rules import CallerTransfer, VoiceCheckRules, VoiceDialogue

from tests.support import QUEUE_ARN

IN_CLEAR = [
    "http://api.example.com",
    "http://localhost.example.com",
    "http://127.0.0.2",
    "http://10.0.0.1:8080/api",
]
ENCRYPTED_OR_HERE = [
    "https://api.example.com/v2",
    "http://localhost:8080",
    "http://127.0.0.1:8080/api",
    "http://LOCALHOST",
]


def variables(stack: cdk.Stack, instance: ConnectInstance, **arguments: Any) -> dict[str, dict[str, Any]]:
    """Create a gate and return the environments of its functions, by the handler's module."""
    telephony = BiometricsTelephony.twilio("+12065550188")
    VoiceBiometricGate(
        stack, "Gate", instance=instance, telephony=telephony, queue_arn=QUEUE_ARN, **arguments
    )
    functions = assertions.Template.from_stack(stack).find_resources("AWS::Lambda::Function").values()
    return {
        one["Properties"]["Handler"].split(".")[-2]: one["Properties"]["Environment"]["Variables"]
        for one in functions
    }


def test_the_code_outlives_the_time_that_the_call_may_take(
    stack: cdk.Stack, instance: ConnectInstance
) -> None:
    found = variables(
        stack, instance, transfer=CallerTransfer(connection_time_limit=cdk.Duration.minutes(10))
    )
    assert found["gate"]["CLAIM_SECONDS"] == found["webhook"]["CLAIM_SECONDS"] == "660"


def test_by_default_the_code_lives_as_long_as_before(stack: cdk.Stack, instance: ConnectInstance) -> None:
    assert variables(stack, instance)["gate"]["CLAIM_SECONDS"] == "90"


def test_a_dialogue_may_take_as_long_as_its_recordings(stack: cdk.Stack, instance: ConnectInstance) -> None:
    found = variables(
        stack,
        instance,
        rules=VoiceCheckRules(enrolments=10, tries=3),
        dialogue=VoiceDialogue(recording_limit=cdk.Duration.seconds(30)),
    )
    assert found["webhook"]["SESSION_SECONDS"] == str(60 + 13 * 55)


def test_a_dialogue_may_take_five_minutes_at_least(stack: cdk.Stack, instance: ConnectInstance) -> None:
    assert variables(stack, instance)["webhook"]["SESSION_SECONDS"] == "300"


@pytest.mark.parametrize(
    ("phrase", "seconds"),
    [
        ("hello there", 5),
        ("never forget tomorrow is a new day", 5),
        ("x" * 37, 6),
        ("x" * 200, 19),
        ("x" * 2_000, 30),
    ],
)
def test_a_recording_is_long_enough_for_its_phrase(phrase: str, seconds: int) -> None:
    assert VoiceDialogue().record_seconds(phrase) == seconds


def test_the_length_of_recordings_reaches_the_webhook(stack: cdk.Stack, instance: ConnectInstance) -> None:
    found = variables(
        stack,
        instance,
        preset=VoiceBiometricPreset(phrase="x" * 60),
        dialogue=VoiceDialogue(recording_limit=cdk.Duration.seconds(12)),
    )
    assert found["webhook"]["RECORD_SECONDS"] == "12"


def test_a_long_phrase_gets_long_recordings(stack: cdk.Stack, instance: ConnectInstance) -> None:
    assert (
        variables(stack, instance, preset=VoiceBiometricPreset(phrase="x" * 60))["webhook"]["RECORD_SECONDS"]
        == "7"
    )


@pytest.mark.parametrize(("given", "told"), [(True, "true"), (False, "false")])
def test_the_sweep_knows_whether_recordings_are_to_be_deleted(
    stack: cdk.Stack, instance: ConnectInstance, given: bool, told: str
) -> None:
    found = variables(stack, instance, dialogue=VoiceDialogue(delete_recordings=given))
    assert found["retention"]["DELETE_RECORDINGS"] == found["webhook"]["DELETE_RECORDINGS"] == told


@pytest.mark.parametrize("url", IN_CLEAR)
def test_credentials_do_not_travel_in_clear(url: str) -> None:
    for make in (
        lambda: BiometricsTelephony.twilio("+12065550188", api_url=url),
        lambda: BiometricsProvider.voiceit(api_url=url),
    ):
        with pytest.raises(ValueError, match=f"api_url is '{url}', .* in clear; write https"):
            make()


@pytest.mark.parametrize("url", ENCRYPTED_OR_HERE)
def test_a_fake_on_this_machine_may_do_without_encryption(url: str) -> None:
    assert BiometricsTelephony.twilio("+12065550188", api_url=url).api_url == url
    assert BiometricsProvider.voiceit(api_url=url).api_url == url
