# ruff: noqa: ARG002, N801, N803, N818 (fakes have the signatures of what they replace)
"""Both providers: what they send, and what every kind of answer leads to."""

from __future__ import annotations

import base64
import io
import json
import os
import socket
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from runtime.biometrics import recordings
from runtime.biometrics.judgement import Decision
from runtime.biometrics.providers import voiceit as voiceit_module
from runtime.biometrics.providers.base import ProviderUnavailableError, Sample
from runtime.biometrics.providers.function import FunctionProvider
from runtime.biometrics.providers.selection import provider_from
from runtime.biometrics.providers.voiceit import VoiceIt
from runtime.biometrics.providers.voiceit_codes import CODES
from runtime.biometrics.recordings import RecordingUnavailableError, TwilioRecordings
from runtime.shared.environment import Environment
from runtime.shared.errors import ConfigurationError
from runtime.shared.rotated_secret import RotatedSecret

BY_URL = Sample(url="https://example.com/a.wav", audio=None, phrase="say it", language="en-US")
BY_BYTES = Sample(url="https://example.com/a.wav", audio=b"RIFF", phrase="say it", language="en-US")


class Secrets:
    class exceptions:
        class ResourceNotFoundException(Exception):
            pass

    def __init__(self, **versions: str) -> None:
        self.versions = versions
        self.reads = 0
        self.failure: Exception | None = None
        self.rotated_at: datetime | None = None

    def get_secret_value(self, SecretId: str, VersionStage: str) -> dict[str, Any]:
        self.reads += 1
        if self.failure:
            raise self.failure
        if VersionStage not in self.versions:
            raise self.exceptions.ResourceNotFoundException
        return {"SecretString": self.versions[VersionStage], "CreatedDate": self.rotated_at}


def secret(**fields: str) -> RotatedSecret[dict[str, str]]:
    return RotatedSecret(Secrets(AWSCURRENT=json.dumps(fields)), "arn", voiceit_module.CREDENTIALS)


@pytest.fixture
def voiceit(fake: Any) -> VoiceIt:
    return VoiceIt(url=fake.url, secret=secret(apiKey="key", apiToken="tok"), min_confidence=80, seconds=0.5)


def answering(document: Any, status: int = 200) -> Callable[[Any], Any]:
    return lambda _: (
        status,
        {},
        document if isinstance(document, bytes) else json.dumps(document).encode(),
    )


VERIFIED = {
    "SUCC": "accepted", "FAIL": "mismatch", "RWPU": "mismatch", "PDNM": "retry", "STTF": "retry", "SSTQ": "retry",
    "SSTL": "retry", "SRNR": "retry", "NSPE": "retry", "NEHSD": "retry", "PNTE": "unavailable",
    "UNFD": "unavailable", "CLNE": "unavailable", "DDNE": "unavailable", "GERR": "unavailable",
}  # fmt: skip


def test_every_documented_code_is_decided_on() -> None:
    assert set(CODES) == set(VERIFIED)


@pytest.mark.parametrize("code", [*VERIFIED, "WHAT"])
def test_a_code_leads_to_its_decision(voiceit: VoiceIt, fake: Any, code: str) -> None:
    status = 200 if code == "SUCC" else 400
    fake.respond = answering({"responseCode": code, "confidence": 90}, status)
    verified, enrolled = voiceit.verify("usr_1", BY_BYTES), voiceit.enrol("usr_1", BY_BYTES)
    wanted = VERIFIED.get(code, "unavailable")
    assert verified.decision == wanted
    assert enrolled.decision == ("retry" if wanted == "mismatch" else wanted)
    assert (verified.code, verified.confidence) == (code, 90.0)


@pytest.mark.parametrize(
    ("confidence", "decision"),
    [(80, "accepted"), (79.99, "mismatch"), (None, "mismatch"), (True, "mismatch"), ("99", "mismatch"),
     (101, "mismatch"), (float("nan"), "mismatch")],
)  # fmt: skip
def test_a_match_needs_the_confidence_that_was_asked_for(
    voiceit: VoiceIt, fake: Any, confidence: Any, decision: str
) -> None:
    fake.respond = answering({"responseCode": "SUCC", "confidence": confidence})
    assert voiceit.verify("usr_1", BY_URL).decision == decision


@pytest.mark.parametrize(
    "respond",
    [
        answering(b"<html>"),
        answering([]),
        answering({"responseCode": 7}),
        answering({"responseCode": "SUCC"}, 503),
        answering({"responseCode": "SUCC"}, 401),
        answering(b"{" * 70_000),
        lambda _: (0, {}, b""),
        None,
    ],
)
def test_what_cannot_be_understood_proves_nothing_and_is_sent_once(
    voiceit: VoiceIt, fake: Any, respond: Any
) -> None:
    fake.respond = respond or fake.silent
    assert voiceit.verify("usr_1", BY_BYTES).decision is Decision.UNAVAILABLE
    assert len(fake.seen) == 1


def test_requests_are_those_that_voiceit_documents(voiceit: VoiceIt, fake: Any) -> None:
    fake.respond = answering({"responseCode": "SUCC", "userId": "usr_9"}, 201)
    assert voiceit.create_user() == "usr_9"
    fake.respond = answering({"responseCode": "SUCC"}, 200)
    voiceit.enrol("usr_9", BY_URL)
    voiceit.verify("usr_9", BY_BYTES)
    voiceit.delete_user("usr_9")
    sent = [(one.method, one.path) for one in fake.seen]
    assert sent == [
        ("POST", "/users"),
        ("POST", "/enrollments/voice/byUrl"),
        ("POST", "/verification/voice"),
        ("DELETE", "/users/usr_9"),
        ("GET", "/users/usr_9"),
    ]
    expected = "Basic " + base64.b64encode(b"key:tok").decode()
    assert {one.headers["Authorization"] for one in fake.seen} == {expected}
    assert fake.seen[1].body == (
        b"userId=usr_9&contentLanguage=en-US&phrase=say+it&fileUrl=https%3A%2F%2Fexample.com%2Fa.wav"
    )
    assert b'name="recording"; filename="recording.wav"\r\nContent-Type: audio/wav\r\n\r\nRIFF\r\n--' in (
        fake.seen[2].body
    )


@pytest.mark.parametrize("document", [{"responseCode": "GERR"}, {"responseCode": "SUCC", "userId": "a/b"}])
def test_a_user_that_was_not_created_is_said(voiceit: VoiceIt, fake: Any, document: Any) -> None:
    fake.respond = answering(document)
    with pytest.raises(ProviderUnavailableError, match="created no user"):
        voiceit.create_user()


def test_deleting_is_repeated_and_a_user_who_is_gone_is_deleted(voiceit: VoiceIt, fake: Any) -> None:
    gone = (200, {}, b'{"responseCode": "SUCC", "exists": false}')
    answers = iter([(503, {}, b""), (400, {}, b'{"responseCode": "UNFD"}'), (503, {}, b""), gone])
    fake.respond = lambda _: next(answers)
    voiceit.delete_user("usr_1")
    assert [one.method for one in fake.seen] == ["DELETE", "DELETE", "GET", "GET"]
    cut = iter([(0, {}, b""), (200, {}, b'{"responseCode": "SUCC"}'), (404, {}, b'{"responseCode": "UNFD"}')])
    fake.respond = lambda _: next(cut)
    voiceit.delete_user("usr_1")


def test_a_user_whom_voiceit_still_has_is_not_deleted(voiceit: VoiceIt, fake: Any) -> None:
    fake.respond = answering({"responseCode": "SUCC", "exists": True}, 200)
    with pytest.raises(ProviderUnavailableError, match="still has it"):
        voiceit.delete_user("usr_1")
    fake.respond = answering({"responseCode": "GERR"}, 400)
    with pytest.raises(ProviderUnavailableError, match="GERR"):
        voiceit.delete_user("usr_1")
    with pytest.raises(ProviderUnavailableError, match="cannot have given"):
        voiceit.delete_user("../users")


def test_credentials_that_are_not_there_make_the_provider_unavailable(fake: Any) -> None:
    lost = VoiceIt(url=fake.url, secret=secret(apiKey="key"), min_confidence=0, seconds=1)
    assert lost.verify("usr_1", BY_URL).decision is Decision.UNAVAILABLE
    with pytest.raises(ProviderUnavailableError, match="put-secret-value"):
        lost.create_user()
    assert fake.seen == []


def test_a_token_that_was_rotated_is_read_anew_and_the_request_sent_again(fake: Any) -> None:
    store = Secrets(AWSCURRENT='{"apiKey": "key", "apiToken": "old"}')
    now = [1000.0]
    rotated = RotatedSecret(store, "arn", voiceit_module.CREDENTIALS, clock=lambda: now[0])
    provider = VoiceIt(url=fake.url, secret=rotated, min_confidence=0, seconds=1)
    new = "Basic " + base64.b64encode(b"key:new").decode()

    def answer(seen: Any) -> Any:
        taken = seen.headers["Authorization"] == new
        return (
            (200, {}, b'{"responseCode": "SUCC", "confidence": 90}')
            if taken
            else (401, {}, b'{"responseCode": "UNAC"}')
        )

    fake.respond = answer
    assert provider.verify("usr_1", BY_BYTES).decision is Decision.UNAVAILABLE
    store.versions = {"AWSCURRENT": '{"apiKey": "key", "apiToken": "new"}'}
    now[0] += 6
    assert provider.verify("usr_1", BY_BYTES).decision is Decision.ACCEPTED
    assert len(fake.seen) == 3


def test_nobody_there_is_tried_twice_and_then_said() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    gone = VoiceIt(
        url=f"http://127.0.0.1:{port}", secret=secret(apiKey="k", apiToken="t"), min_confidence=0, seconds=1
    )
    with pytest.raises(ProviderUnavailableError, match="no connection"):
        gone.create_user()


# --- a function of one's own ---------------------------------------------------------------------------------------


class Invoker:
    def __init__(self, answer: Any, error: str = "") -> None:
        self.answer, self.error, self.events = answer, error, list[Any]()

    def invoke(self, FunctionName: str, InvocationType: str, Payload: str) -> dict[str, Any]:
        self.events.append(json.loads(Payload))
        if isinstance(self.answer, Exception):
            raise self.answer
        payload = {"Payload": io.BytesIO(json.dumps(self.answer).encode())}
        return payload | ({"FunctionError": self.error} if self.error else {})


def own(answer: Any, error: str = "") -> tuple[FunctionProvider, Invoker]:
    invoker = Invoker(answer, error)
    return FunctionProvider(client=invoker, function_arn="arn", name="mine", min_confidence=50), invoker


@pytest.mark.parametrize(
    ("answer", "decision"),
    [
        ({"decision": "accepted", "confidence": 50}, "accepted"),
        ({"decision": "accepted", "confidence": 49}, "mismatch"),
        ({"decision": "accepted", "confidence": True}, "mismatch"),
        ({"decision": "mismatch"}, "mismatch"),
        ({"decision": "retry", "code": "noise"}, "retry"),
        ({"decision": "perhaps"}, "unavailable"),
        ([], "unavailable"),
        (TimeoutError(), "unavailable"),
    ],
)
def test_a_function_of_ones_own_decides(answer: Any, decision: str) -> None:
    provider, invoker = own(answer)
    assert provider.verify("u", BY_BYTES).decision == decision
    (event,) = invoker.events
    assert event["operation"] == "verify"
    assert base64.b64decode(event["recording"]) == b"RIFF"


def test_a_function_of_ones_own_keeps_users() -> None:
    provider, invoker = own({"userId": "user 1"[:4] + "-1"})
    assert provider.create_user() == "user-1"
    provider.enrol("user-1", BY_URL)
    provider.delete_user("user-1")
    assert [event["operation"] for event in invoker.events] == ["createUser", "enrol", "deleteUser"]
    assert "recording" not in invoker.events[1]
    with pytest.raises(ProviderUnavailableError, match="no userId"):
        own({})[0].create_user()
    with pytest.raises(ProviderUnavailableError, match="raised: Unhandled"):
        own({"errorMessage": "x"}, "Unhandled")[0].delete_user("u")


@pytest.mark.parametrize(
    ("respond", "decision"),
    [
        (answering({"decision": "accepted", "confidence": 99}), "accepted"),
        (lambda _: (200, {"X-Amz-Function-Error": "Unhandled"}, b'{"decision": "accepted"}'), "unavailable"),
        (answering({"Message": "no"}, 500), "unavailable"),
        (answering(b"<html>"), "unavailable"),
        (lambda _: (0, {}, b""), "unavailable"),
        (None, "unavailable"),
    ],
)
def test_a_function_of_ones_own_is_invoked_once_and_in_time(
    fake: Any, monkeypatch: pytest.MonkeyPatch, respond: Any, decision: str
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", fake.url)
    provider = provider_from(
        Environment(
            {
                "PROVIDER": "lambda",
                "PROVIDER_NAME": "mine",
                "PROVIDER_SECONDS": "1",
                "PROVIDER_FUNCTION_ARN": "arn:aws:lambda:us-east-1:123456789012:function:mine",
            }
        )
    )
    fake.respond = respond or fake.silent
    started = time.monotonic()
    assert provider.verify("u", BY_BYTES).decision == decision
    assert time.monotonic() - started < 2.5
    assert len(fake.seen) == 1


def test_the_environment_chooses_the_provider() -> None:
    chosen = provider_from(
        Environment(
            {
                "PROVIDER": "lambda",
                "PROVIDER_NAME": "mine",
                "PROVIDER_FUNCTION_ARN": "arn:aws:lambda:us-east-1:123456789012:function:mine",
            }
        )
    )
    assert chosen.name == "mine"
    with pytest.raises(ConfigurationError, match="PROVIDER is 'else'"):
        provider_from(Environment({"PROVIDER": "else"}))


# --- recordings ------------------------------------------------------------------------------------------------------


def test_recordings_take_the_previous_token_while_the_current_one_is_not_taken(fake: Any) -> None:
    store = Secrets(
        AWSCURRENT='{"accountSid": "AC1", "authToken": "new"}',
        AWSPREVIOUS='{"accountSid": "AC1", "authToken": "old"}',
    )
    store.rotated_at = datetime.now(UTC)
    kept = TwilioRecordings(url=fake.url, secret=RotatedSecret(store, "arn", recordings.CREDENTIALS))
    answers = iter([(401, {}, b""), (200, {}, b"RIFF")])
    fake.respond = lambda _: next(answers)
    sid = "RE" + "0" * 32
    assert kept.fetch(sid) == b"RIFF"
    assert kept.url(sid) == f"{fake.url}/2010-04-01/Accounts/AC1/Recordings/{sid}.wav"
    with pytest.raises(RecordingUnavailableError, match="not one of Twilio's"):
        kept.fetch("../../Accounts")
    assert not kept.delete("../../Accounts")
    fake.respond = lambda _: (0, {}, b"")
    assert not kept.delete(sid)
    fake.respond = lambda _: (404, {}, b"")
    assert kept.delete(sid)
    assert os.environ.get("NO_PROXY")
