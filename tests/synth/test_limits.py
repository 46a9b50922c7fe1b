"""Settings and constructs have the same defaults and the same limits, those of runtime/<capability>/limits.py."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest
from connect_bridges import (
    ApiOptions,
    BiometricsProvider,
    CallerTransfer,
    ChatConversation,
    ChatDelivery,
    ChatStreamBridge,
    ChatStreamPreset,
    ConnectInstance,
    ExternalVoiceConnector,
    ExternalVoiceTransfer,
    MetadataBridge,
    MetadataPreset,
    VendorAccess,
    VoiceBiometricGate,
    VoiceBiometricPreset,
    VoiceCheckRules,
    VoiceDestination,
    VoiceDialogue,
)
from connect_bridges.biometrics.provider import BiometricsTelephony

from runtime.biometrics import limits as biometrics
from runtime.chat import limits as chat
from runtime.metadata import limits as metadata
from runtime.voice import limits as voice
from stacks.biometrics_settings import BiometricsSettings
from stacks.chat_settings import ChatSettings
from stacks.settings import Settings, SettingsError, load_settings
from tests.support import CONNECTOR_ARN, CONTEXT, INSTANCE_ARN, QUEUE_ARN

seconds, minutes, hours, days = (
    cdk.Duration.seconds,
    cdk.Duration.minutes,
    cdk.Duration.hours,
    cdk.Duration.days,
)


def settings_with(path: str, value: Any) -> Settings:
    """Return an environment's settings with one value, by its key path; raises ``SettingsError``."""
    dev: dict[str, Any] = copy.deepcopy(CONTEXT["environments"]["dev"])
    dev["chat"] = {
        "webhookUrl": "https://bot.example.com/hook",
        "queueArn": QUEUE_ARN,
        "vendorAccess": {"accessKey": {}},
    }
    dev["biometrics"] = {"telephony": {"number": "+12065550188"}, "queueArn": QUEUE_ARN}
    if path.startswith("voice.destination.createConnector"):
        dev["voice"]["destination"] = {
            "did": "+12065550100",
            "createConnector": {"host": "sbc.example.com"},
        }
    *folders, key = path.split(".")
    place = dev
    for folder in folders:
        place = place.setdefault(folder, {})
    place[key] = value
    return load_settings({"dev": dev}, "dev")


def in_app(make: Callable[[cdk.Stack, ConnectInstance], object]) -> None:
    stack = cdk.Stack(cdk.App(), "users-stack")
    make(stack, ConnectInstance.from_arn(stack, "Instance", INSTANCE_ARN))


def metadata_bridge(**arguments: Any) -> None:
    in_app(lambda stack, instance: MetadataBridge(stack, "M", instance=instance, **arguments))


def chat_bridge(**arguments: Any) -> None:
    given = {"webhook_url": "https://bot.example.com/hook", "queue_arn": QUEUE_ARN, **arguments}
    in_app(lambda stack, instance: ChatStreamBridge(stack, "C", instance=instance, **given))


def transfer(**arguments: Any) -> None:
    destination = VoiceDestination.connector(CONNECTOR_ARN, did="+12065550100")
    given = {"destination": destination, "queue_arn": QUEUE_ARN, **arguments}
    in_app(lambda stack, instance: ExternalVoiceTransfer(stack, "T", instance=instance, **given))


def connector(**arguments: Any) -> None:
    given = {"host": "sbc.example.com", **arguments}
    in_app(lambda stack, instance: ExternalVoiceConnector(stack, "V", instance=instance, **given))


def gate(**arguments: Any) -> None:
    given = {
        "telephony": BiometricsTelephony.twilio("+12065550188"),
        "queue_arn": QUEUE_ARN,
        **arguments,
    }
    in_app(lambda stack, instance: VoiceBiometricGate(stack, "G", instance=instance, **given))


# Key path in cdk.json; what the construct makes of a value of it; the lowest and the highest value.
NUMBERS: dict[str, tuple[Callable[[int], object], int, int]] = {
    "voice.connectionTimeLimitSeconds": (lambda n: transfer(connection_time_limit=seconds(n)), 1, 600),
    "voice.destination.createConnector.port": (lambda n: connector(port=n), 1, 65_535),
    "voice.metadata.timeToLiveHours": (lambda n: metadata_bridge(time_to_live=hours(n)), 1, 8760),
    "voice.metadata.tokenCacheSeconds": (lambda n: metadata_bridge(token_cache=seconds(n)), 0, 3600),
    "voice.metadata.contactTokenMinutes": (
        lambda n: metadata_bridge(contact_token_lifetime=minutes(n)),
        *(1, 720),
    ),
    "voice.metadata.throttlingRateLimit": (lambda n: ApiOptions(throttling_rate_limit=n), 1, 10_000),
    "voice.metadata.throttlingBurstLimit": (lambda n: ApiOptions(throttling_burst_limit=n), 1, 5_000),
    "chat.tokenCacheSeconds": (lambda n: chat_bridge(token_cache=seconds(n)), 0, 3600),
    "chat.waitMinutes": (lambda n: ChatConversation(wait_for_bot=minutes(n)), 1, 10_080),
    "chat.timeToJoinSeconds": (lambda n: ChatConversation(time_to_join=seconds(n)), 1, 60),
    "chat.deadLetterRetentionDays": (lambda n: ChatDelivery(dead_letter_retention=days(n)), 1, 14),
    "chat.vendorAccess.accessKey.rotateAfterDays": (
        lambda n: VendorAccess.access_key(rotate_after=days(n)),
        *(1, 3650),
    ),
    "biometrics.connectionTimeLimitSeconds": (
        lambda n: CallerTransfer(connection_time_limit=seconds(n)),
        *(1, 600),
    ),
    "biometrics.telephony.recordingLimitSeconds": (
        lambda n: VoiceDialogue(recording_limit=seconds(n)),
        *(2, 30),
    ),
    "biometrics.provider.timeLimitSeconds": (
        lambda n: BiometricsProvider.voiceit(time_limit=seconds(n)),
        *(1, 8),
    ),
    "biometrics.rules.enrolments": (lambda n: VoiceCheckRules(enrolments=n), 1, 10),
    "biometrics.rules.tries": (lambda n: VoiceCheckRules(tries=n), 1, 10),
    "biometrics.rules.lockAfter": (lambda n: VoiceCheckRules(lock_after=n), 1, 100),
    "biometrics.rules.lockMinutes": (lambda n: VoiceCheckRules(lock_time=minutes(n)), 1, 43_200),
    "biometrics.rules.proofSeconds": (lambda n: VoiceCheckRules(proof_lifetime=seconds(n)), 1, 600),
    "biometrics.rules.retentionDays": (lambda n: VoiceCheckRules(retention=days(n)), 1, 3650),
    "biometrics.rules.minConfidence": (lambda n: VoiceCheckRules(min_confidence=n), 0, 100),
}
# Key path; what the construct makes of a text of it; some that are taken; some that are refused.
TEXTS: dict[str, tuple[Callable[[str], object], list[str], list[str]]] = {
    "voice.metadata.path": (
        lambda text: metadata_bridge(preset=MetadataPreset(path=text)),
        ["metadata", "voice/metadata", "a.b-c_d"],
        ["/metadata", "metadata/", "a b", "", "a//b", "a~b"],
    ),
    "voice.metadata.stageName": (
        lambda text: ApiOptions(stage_name=text),
        ["prod", "my_stage", "x" * 128],
        ["my-stage", "", "x" * 129],
    ),
    "voice.metadataAttribute": (
        lambda text: transfer(metadata_attribute=text),
        ["customData", "x" * 100],
        ["custom data", "", "x" * 101],
    ),
    "voice.destination.createConnector.name": (
        lambda text: connector(name=text),
        ["My SBC_1.2-3", "x" * 256],
        ["a/b", "x" * 257],
    ),
    "voice.destination.createConnector.host": (
        lambda text: connector(host=text),
        ["sbc.example.com", "203.0.113.10"],
        ["https://sbc.example.com", "127.0.0.1", "169.254.1.1", "localhost", ""],
    ),
    "chat.tokenHeader": (
        lambda text: chat_bridge(preset=ChatStreamPreset(token_header=text)),
        ["X-Bot-Token", "x" * 64],
        ["a:b", "", "x" * 65],
    ),
    "biometrics.phrase": (
        lambda text: gate(preset=VoiceBiometricPreset(phrase=text)),
        ["yes", "x" * 200, "nie wieder vergesse ich das"],
        ["no", "x" * 201, "one\nline"],
    ),
    "biometrics.language": (
        lambda text: gate(preset=VoiceBiometricPreset(language=text)),
        ["en-US", "cmn-Hans"],
        ["en", "English", "EN-us"],
    ),
    "biometrics.path": (
        lambda text: gate(preset=VoiceBiometricPreset(path=text)),
        ["voice", "a/b"],
        ["/voice", "a b"],
    ),
    "biometrics.telephony.voice": (
        lambda text: VoiceDialogue(voice=text),
        ["Polly.Joanna-Neural", "alice"],
        ["a voice", "x/y"],
    ),
}


def taken(make: Callable[[Any], object], value: Any) -> bool:
    try:
        make(value)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("path", NUMBERS)
def test_settings_and_construct_take_and_refuse_the_same_numbers(path: str) -> None:
    make, low, high = NUMBERS[path]
    for value, fits in {low - 1: False, low: True, high: True, high + 1: False}.items():
        assert taken(lambda n: settings_with(path, n), value) is fits, f"the setting {path} with {value}"
        if value >= 0:  # a Duration cannot be negative anyway
            assert taken(make, value) is fits, f"the construct's {path} with {value}"


@pytest.mark.parametrize("path", TEXTS)
def test_settings_and_construct_take_and_refuse_the_same_texts(path: str) -> None:
    make, good, bad = TEXTS[path]
    for text in good:
        assert taken(lambda t: settings_with(path, t), text), f"the setting {path} with {text!r}"
        assert taken(make, text), f"the construct's {path} with {text!r}"
    for text in bad:
        assert not taken(lambda t: settings_with(path, t), text), f"the setting {path} with {text!r}"
        assert not taken(make, text), f"the construct's {path} with {text!r}"


def test_settings_have_the_constructs_defaults() -> None:
    dev = settings_with("protected", False)
    chats = ChatSettings.model_validate({"webhookUrl": "https://bot.example.com/hook", "queueArn": QUEUE_ARN})
    checks = BiometricsSettings.model_validate(
        {"telephony": {"number": "+12065550188"}, "queueArn": QUEUE_ARN}
    )
    rules, strict = checks.rules, VoiceCheckRules()
    api, conversation = ApiOptions(), ChatConversation()
    same = {
        "time to live": (dev.voice.metadata.time_to_live_hours * 3600, metadata.TTL_SECONDS),
        "token cache": (dev.voice.metadata.token_cache_seconds, metadata.TOKEN_CACHE_SECONDS),
        "rate": (dev.voice.metadata.throttling_rate_limit, api.throttling_rate_limit),
        "burst": (dev.voice.metadata.throttling_burst_limit, api.throttling_burst_limit),
        "transfer": (dev.voice.connection_time_limit_seconds, voice.CONNECTION_SECONDS),
        "attribute": (dev.voice.metadata_attribute, voice.METADATA_ATTRIBUTE),
        "chat token": (chats.token_cache_seconds, chat.TOKEN_CACHE_SECONDS),
        "wait": (chats.wait_minutes * 60, conversation.wait_seconds),
        "join": (chats.time_to_join_seconds, conversation.join_seconds),
        "after": (chats.after_wait, conversation.after_wait),
        "stop": (chats.stop_at_hand_over, conversation.stop_at_hand_over),
        "dead letters": (
            chats.dead_letter_retention_days * 86_400,
            ChatDelivery().retention.to_seconds(),
        ),
        "connection": (checks.connection_time_limit_seconds, CallerTransfer().connection_seconds),
        "judgement": (checks.provider.time_limit_seconds, BiometricsProvider.voiceit().time_limit_seconds),
        "enrolments": (rules.enrolments, strict.enrolments),
        "tries": (rules.tries, strict.tries),
        "lock after": (rules.lock_after, strict.lock_after),
        "lock": (rules.lock_minutes * 60, strict.lock_seconds),
        "retention": (rules.retention_days, strict.retention_days),
        "confidence": (rules.min_confidence, strict.min_confidence),
        "self-enrolment": (rules.self_enrolment, strict.self_enrolment),
        "transfer of recordings": (
            checks.telephony.recording_transfer,
            VoiceDialogue().recording_transfer,
        ),
        "deletion": (checks.telephony.delete_recordings, VoiceDialogue().delete_recordings),
        "phrase": (VoiceBiometricPreset().phrase, biometrics.PHRASE),
    }
    assert {name: pair for name, pair in same.items() if pair[0] != pair[1]} == {}


def test_days_that_cloudwatch_logs_does_not_take_are_refused_in_the_settings_already() -> None:
    path = "voice.destination.createConnector.logRetentionDays"
    with pytest.raises(SettingsError, match="does not take 2 days; choose from 1, 3, 5"):
        settings_with(path, 2)
    wanted = settings_with(path, 90).voice.destination.create_connector
    assert wanted is not None
    assert wanted.log_retention_days == 90


def test_an_unknown_type_of_border_controller_is_refused_in_the_settings_already() -> None:
    path = "voice.destination.createConnector.sessionBorderControllerTypes"
    with pytest.raises(SettingsError, match="holds 'CISCO'; choose from RIBBON_SBC"):
        settings_with(path, ["CISCO"])
