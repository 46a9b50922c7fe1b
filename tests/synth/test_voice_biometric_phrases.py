"""Several phrases of which a gate asks for one at random: what is made of them, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import assertions
from connect_bridges import ConnectInstance
from connect_bridges.biometrics.gate import VoiceBiometricGate
from connect_bridges.biometrics.presets import VoiceBiometricPreset
from connect_bridges.biometrics.provider import BiometricsTelephony
from connect_bridges.biometrics.rules import VoiceCheckRules, check_phrases
from connect_bridges.shared.description import KEY

from runtime.biometrics import limits
from runtime.biometrics.policy import Policy
from runtime.shared.environment import Environment
from tests.support import QUEUE_ARN
from tests.synth.test_limits import settings_with, taken

LONG = "x" * 100
PHRASES = ["one fine day we shall meet", "my voice is as good as any", LONG]


def test_every_function_that_decides_gets_the_phrases(stack: cdk.Stack, instance: ConnectInstance) -> None:
    VoiceBiometricGate(
        stack,
        "Gate",
        instance=instance,
        telephony=BiometricsTelephony.twilio("+12065550188"),
        queue_arn=QUEUE_ARN,
        preset=VoiceBiometricPreset.default().with_overrides(phrases=PHRASES),
    )
    template = assertions.Template.from_stack(stack)
    functions = {
        one["Properties"]["Handler"].split(".")[-2]: one["Properties"]["Environment"]["Variables"]
        for one in template.find_resources("AWS::Lambda::Function").values()
    }
    deciding = {name: found for name, found in functions.items() if "ENROLMENTS_NEEDED" in found}
    assert set(deciding) == {"gate", "webhook", "retention"}
    for variables in deciding.values():
        assert json.loads(variables["PHRASES"]) == PHRASES
        policy = Policy.read(Environment({"PHRASES": variables["PHRASES"]}))
        assert (policy.phrases, policy.enrolments_needed) == (tuple(PHRASES), 9)
    webhook = functions["webhook"]
    assert "PHRASE" not in webhook
    assert webhook["RECORD_SECONDS"] == str(9 + 2)  # the longest phrase
    assert webhook["SESSION_SECONDS"] == str(60 + (9 + 3) * (11 + 25))
    [facts] = [
        one["Metadata"][KEY]
        for one in template.find_resources("AWS::CloudFormation::WaitConditionHandle").values()
        if one["Metadata"][KEY]["construct"] == "VoiceBiometricGate"
    ]
    assert facts["phrases"] == PHRASES
    assert "phrase" not in facts


def refused(phrases: Any, phrase: str = limits.PHRASE, enrolments: int = 3) -> str:
    with pytest.raises(ValueError, match="phrase") as raised:
        check_phrases(phrases, phrase, enrolments)
    return str(raised.value)


@pytest.mark.parametrize(
    ("phrases", "told"),
    [
        ("hello there", "phrases is 'hello there'; write a list"),
        (["hello there"], "phrases holds 1; write 2 to 5, or phrase for one"),
        ([f"phrase {number}" for number in range(6)], "phrases holds 6"),
        (["hello there", "no"], "phrases holds 'no'; write 3 to 200 characters"),
        (["hello there", "one\nline"], "3 to 200 characters on one line"),
        (["hello there", 7], "phrases holds 7"),
        (["Hello there", "hello  there"], "'Hello there' and 'hello  there', which sound the same"),
        ([letter * 200 for letter in "abcde"], "phrases take 1000 bytes; shorten them to 800"),
        (
            [f"{letter}{'ä' * 150}" for letter in "abc"],
            "phrases take 903 bytes",
        ),
    ],
)
def test_phrases_that_cannot_be_asked_for_are_refused(phrases: Any, told: str) -> None:
    assert told in refused(phrases)
    assert not taken(lambda given: settings_with("biometrics.phrases", given), phrases)


def test_an_enrolment_takes_fifteen_recordings_at_most() -> None:
    five = [f"phrase {number}" for number in range(5)]
    check_phrases(five, limits.PHRASE, 3)
    assert "5 phrases and 4 enrolments of each make 20 recordings in one call" in refused(five, enrolments=4)


def test_one_phrase_beside_several_is_refused_unless_it_is_one_of_them() -> None:
    check_phrases(PHRASES, PHRASES[1], 3)
    assert "phrase is 'something else', and phrases are given" in refused(PHRASES, "something else")


def test_the_construct_names_phrases_that_it_refuses(stack: cdk.Stack, instance: ConnectInstance) -> None:
    with pytest.raises(ValueError, match="make 20 recordings in one call; give fewer phrases or enrolments"):
        VoiceBiometricGate(
            stack,
            "Gate",
            instance=instance,
            telephony=BiometricsTelephony.twilio("+12065550188"),
            queue_arn=QUEUE_ARN,
            preset=VoiceBiometricPreset(phrases=["hello there", "good evening"]),
            rules=VoiceCheckRules(enrolments=10),
        )


def test_settings_take_phrases() -> None:
    found = settings_with("biometrics.phrases", PHRASES).biometrics
    assert found is not None
    assert found.phrases == PHRASES
