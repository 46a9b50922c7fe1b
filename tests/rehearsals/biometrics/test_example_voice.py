"""The provider function of examples/own_voice_check, and the fake for its vendor: what the gate is answered."""

from __future__ import annotations

import base64
import importlib.util
import sys
import time
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from rehearsals.vendors.biometrics import ExampleVoice, Twilio, Utterance
from tests.support import ROOT

PHRASE = "never forget tomorrow is a new day"
LOCATION = ROOT / "examples" / "own_voice_check" / "provider" / "example_voice.py"


class SecretsManager:
    """Has one secret; counts how often it is read."""

    def __init__(self, value: str) -> None:
        self.value = value
        self.reads = 0
        self.down = False

    def get_secret_value(self, **_request: str) -> dict[str, str]:
        if self.down:
            raise EndpointConnectionError(endpoint_url="https://secretsmanager.us-east-1.amazonaws.com")
        self.reads += 1
        return {"SecretString": self.value}


class Adapter:
    """The function as the gate invokes it."""

    def __init__(self, module: ModuleType, secrets: SecretsManager, vendor: ExampleVoice) -> None:
        self.module, self.secrets, self.vendor = module, secrets, vendor

    def ask(self, operation: str, **event: str) -> dict[str, Any]:
        answer: dict[str, Any] = self.module.handler({"operation": operation, **event}, None)
        return answer

    def judge(self, operation: str, user: str, said: Utterance | bytes) -> dict[str, Any]:
        recording = said if isinstance(said, bytes) else said.to_wav()
        return self.ask(
            operation,
            userId=user,
            phrase=PHRASE,
            language="en-US",
            recordingUrl="https://api.twilio.com/not/asked.wav",
            recording=base64.b64encode(recording).decode(),
        )

    def enrolled(self) -> str:
        user = str(self.ask("createUser")["userId"])
        for take in range(3):
            judged = self.judge("enrol", user, Utterance("Ada", PHRASE, str(take)))
            assert judged == {"decision": "accepted", "code": "HTTP201"}
        return user


@pytest.fixture
def vendor() -> Iterator[ExampleVoice]:
    with ExampleVoice() as running:
        yield running


@pytest.fixture
def adapter(vendor: ExampleVoice, monkeypatch: pytest.MonkeyPatch) -> Adapter:
    monkeypatch.setenv("API_URL", vendor.url)
    monkeypatch.setenv("API_KEY_SECRET_ARN", "arn:aws:secretsmanager:us-east-1:123456789012:secret:key")
    monkeypatch.setenv("SECONDS", "2")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    spec = importlib.util.spec_from_file_location("example_voice", LOCATION)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "example_voice", module)
    spec.loader.exec_module(module)
    secrets = SecretsManager(vendor.api_key)
    monkeypatch.setattr(module, "_secrets", secrets)
    return Adapter(module, secrets, vendor)


@pytest.mark.parametrize(
    ("operation", "said", "answer"),
    [
        (
            "verify",
            Utterance("Ada", PHRASE, "x"),
            {"decision": "accepted", "confidence": 93.5, "code": "CHECKED"},
        ),
        (
            "verify",
            Utterance("Bob", PHRASE, "x"),
            {"decision": "mismatch", "confidence": 21.75, "code": "CHECKED"},
        ),
        ("verify", Utterance("Ada", "something else", "x"), {"decision": "retry", "code": "phrase"}),
        ("verify", Utterance("Ada", PHRASE, "0"), {"decision": "mismatch", "code": "replayed"}),
        ("verify", b"no sound at all", {"decision": "retry", "code": "format"}),
        ("enrol", Utterance("Bob", PHRASE, "x"), {"decision": "mismatch", "code": "another-voice"}),
        ("enrol", Utterance("Ada", "something else", "x"), {"decision": "retry", "code": "phrase"}),
    ],
)
def test_a_recording_leads_to_its_decision(
    adapter: Adapter, operation: str, said: Utterance | bytes, answer: dict[str, Any]
) -> None:
    assert adapter.judge(operation, adapter.enrolled(), said) == answer


def test_whoever_is_not_enrolled_or_not_known_is_unavailable(adapter: Adapter) -> None:
    said = Utterance("Ada", PHRASE, "x")
    new = str(adapter.ask("createUser")["userId"])
    assert adapter.judge("verify", new, said) == {"decision": "unavailable", "code": "no-sample"}
    assert adapter.judge("verify", f"spk-{'0' * 32}", said) == {
        "decision": "unavailable",
        "code": "no-speaker",
    }


def test_a_user_id_cannot_lead_to_another_address(adapter: Adapter) -> None:
    user = adapter.enrolled()
    judged = adapter.judge("verify", f"{user}/../{user}", Utterance("Ada", PHRASE, "x"))
    assert judged["decision"] == "unavailable"


def test_a_recording_is_handed_over_by_address_if_the_gate_has_not_fetched_it(adapter: Adapter) -> None:
    user = adapter.enrolled()
    with Twilio(enforces_http_auth=False) as twilio:
        _, url, _ = twilio.record("Ada", PHRASE)
        event = {"userId": user, "phrase": PHRASE, "language": "en-US", "recordingUrl": f"{url}.wav"}
        assert adapter.ask("verify", **event)["decision"] == "accepted"
        assert adapter.vendor.requests[-1].by_address
        twilio.enforces_http_auth = True
        refused = adapter.ask("verify", **event)
    assert refused == {"decision": "unavailable", "code": "recording-401"}


def test_a_vendor_that_fails_is_unavailable(adapter: Adapter) -> None:
    user, said = adapter.enrolled(), Utterance("Ada", PHRASE, "x")
    with adapter.vendor.is_down():
        assert adapter.judge("verify", user, said) == {"decision": "unavailable", "code": "down"}
        assert adapter.judge("enrol", user, said) == {"decision": "unavailable", "code": "down"}
        for operation in ("createUser", "deleteUser"):
            with pytest.raises(adapter.module.UnavailableError, match="down"):
                adapter.ask(operation, userId=user)


def test_a_vendor_that_is_too_slow_is_asked_once_and_given_up_in_time(
    adapter: Adapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    user, said = adapter.enrolled(), Utterance("Ada", PHRASE, "x")
    monkeypatch.setenv("SECONDS", "0.3")
    started = time.monotonic()
    with adapter.vendor.is_slow(0.8):
        assert adapter.judge("verify", user, said) == {"decision": "unavailable", "code": "TIMEOUT"}
        took = time.monotonic() - started
    assert took < 0.8
    # The slow vendor has ended with what it was asked, and nobody is left who could ask again.
    assert [one.what for one in adapter.vendor.requests].count("POST /v1/speakers/…/checks") == 1


def test_a_vendor_that_is_not_there_is_unavailable(adapter: Adapter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_URL", "http://localhost:9")
    judged = adapter.judge("verify", "spk-1", Utterance("Ada", PHRASE, "x"))
    assert judged == {"decision": "unavailable", "code": "NO_ANSWER"}


def test_the_key_is_read_once_and_again_when_it_was_replaced(adapter: Adapter) -> None:
    user = adapter.enrolled()
    assert adapter.secrets.reads == 1
    adapter.vendor.api_key = adapter.secrets.value = "ev-the-next-one"
    assert adapter.judge("verify", user, Utterance("Ada", PHRASE, "x"))["decision"] == "accepted"
    assert adapter.secrets.reads == 2


def test_a_key_that_is_wrong_or_cannot_be_read_is_unavailable(adapter: Adapter) -> None:
    said = Utterance("Ada", PHRASE, "x")
    adapter.secrets.value = "ev-wrong"
    assert adapter.judge("verify", "spk-1", said) == {"decision": "unavailable", "code": "api-key"}
    assert adapter.secrets.reads == 1
    adapter.secrets.down = True
    assert adapter.judge("verify", "spk-1", said) == {"decision": "unavailable", "code": "NO_API_KEY"}


def test_a_user_who_is_deleted_twice_is_no_error(adapter: Adapter) -> None:
    user = adapter.enrolled()
    assert adapter.ask("deleteUser", userId=user) == {}
    assert adapter.ask("deleteUser", userId=user) == {}
    assert adapter.vendor.speakers == {}


def test_neither_the_key_nor_an_address_of_a_recording_is_logged(
    adapter: Adapter, capsys: pytest.CaptureFixture[str]
) -> None:
    user = adapter.enrolled()
    adapter.judge("verify", user, Utterance("Ada", PHRASE, "x"))
    logged = capsys.readouterr().out
    assert '{"operation": "verify", "decision": "accepted"' in logged
    for secret in (adapter.vendor.api_key, "api.twilio.com", user):
        assert secret not in logged
