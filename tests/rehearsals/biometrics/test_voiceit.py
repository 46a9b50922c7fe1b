"""The fake for VoiceIt answers as its API 2 is documented."""

from __future__ import annotations

import base64
import http.client
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from rehearsals.vendors.biometrics import Utterance, VoiceIt

PHRASE = "never forget tomorrow is a new day"


@pytest.fixture
def voiceit() -> Iterator[VoiceIt]:
    with VoiceIt() as running:
        yield running


def call(voiceit: VoiceIt, method: str, path: str, **more: Any) -> tuple[int, dict[str, Any]]:
    pair = more.get("pair") or f"{voiceit.api_key}:{voiceit.api_token}"
    headers = {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
    body = more.get("body")
    if body is not None:
        headers["Content-Type"] = more["kind"]
    connection = http.client.HTTPConnection(str(urlsplit(voiceit.url).netloc), timeout=5)
    try:
        connection.request(method, path, body=body, headers=headers)
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()


def send(voiceit: VoiceIt, path: str, user: str, recording: bytes, **fields: str) -> tuple[int, Any]:
    form = {"userId": user, "contentLanguage": "en-US", "phrase": PHRASE, **fields}
    parts = [
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in form.items()
    ]
    head = b'--b\r\nContent-Disposition: form-data; name="recording"; filename="r.wav"\r\n\r\n'
    status, told = call(
        voiceit,
        "POST",
        path,
        body=b"".join(parts) + head + recording + b"\r\n--b--\r\n",
        kind="multipart/form-data; boundary=b",
    )
    return status, told["responseCode"]


def enrolled(voiceit: VoiceIt, times: int = 3) -> str:
    _, told = call(voiceit, "POST", "/users")
    user = str(told["userId"])
    for take in range(times):
        recording = Utterance("Ada", PHRASE, str(take)).to_wav()
        assert send(voiceit, "/enrollments/voice", user, recording) == (201, "SUCC")
    return user


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        (Utterance("Ada", PHRASE, "x"), (200, "SUCC")),
        (Utterance("Bob", PHRASE, "x"), (200, "FAIL")),
        (Utterance("Ada", "something else", "x"), (400, "PDNM")),
        (Utterance("Ada", "", "x"), (400, "NSPE")),
        (Utterance("Ada", "(whispers) never", "x"), (400, "SSTQ")),
        (Utterance("Ada", PHRASE, "0"), (400, "RWPU")),
    ],
)
def test_a_voice_is_compared_with_who_enrolled(
    voiceit: VoiceIt, said: Utterance, answer: tuple[int, str]
) -> None:
    user = enrolled(voiceit)
    assert send(voiceit, "/verification/voice", user, said.to_wav()) == answer


def test_a_voice_needs_three_enrolments_of_one_speaker(voiceit: VoiceIt) -> None:
    user = enrolled(voiceit, times=2)
    recording = Utterance("Ada", PHRASE, "x").to_wav()
    assert send(voiceit, "/verification/voice", user, recording) == (400, "PNTE")
    other = Utterance("Bob", PHRASE, "y").to_wav()
    assert send(voiceit, "/enrollments/voice", user, other) == (400, "FAIL")


def test_what_cannot_be_judged_is_said_by_code(voiceit: VoiceIt) -> None:
    user = enrolled(voiceit)
    recording = Utterance("Ada", PHRASE, "z").to_wav()
    assert send(voiceit, "/verification/voice", "usr_nobody", recording) == (404, "UNFD")
    assert send(voiceit, "/verification/voice", user, recording, contentLanguage="de-DE") == (400, "CLNE")
    assert send(voiceit, "/verification/voice", user, b"no sound") == (400, "SRNR")
    assert send(voiceit, "/verification/voice", user, recording, phrase="") == (400, "MISP")


def test_a_user_is_deleted_once(voiceit: VoiceIt) -> None:
    user = enrolled(voiceit, times=1)
    assert call(voiceit, "DELETE", f"/users/{user}")[1]["responseCode"] == "SUCC"
    status, told = call(voiceit, "DELETE", f"/users/{user}")
    assert (status, told["responseCode"]) == (404, "UNFD")


def test_a_recording_may_be_at_a_url_on_this_machine_only(voiceit: VoiceIt) -> None:
    user = enrolled(voiceit)
    form = {"userId": user, "contentLanguage": "en-US", "phrase": PHRASE, "fileUrl": "https://example.com/x"}
    status, told = call(
        voiceit,
        "POST",
        "/verification/voice/byUrl",
        body=urlencode(form),
        kind="application/x-www-form-urlencoded",
    )
    assert (status, told["responseCode"]) == (400, "SRNR")
    assert "not on this machine" in told["message"]


def test_wrong_credentials_and_unknown_paths_are_refused(voiceit: VoiceIt) -> None:
    assert call(voiceit, "POST", "/users", pair="key:token")[0] == 401
    status, told = call(voiceit, "POST", "/enrollments/face")
    assert status == 501
    assert "does not answer POST /enrollments/face" in told["message"]


def test_it_can_be_down(voiceit: VoiceIt) -> None:
    with voiceit.is_down(status=None), pytest.raises(http.client.RemoteDisconnected):
        call(voiceit, "POST", "/users")
    assert call(voiceit, "POST", "/users")[0] == 201
    assert [request.code for request in voiceit.requests] == ["", "SUCC"]


def test_each_phrase_has_enrolments_of_its_own(voiceit: VoiceIt) -> None:
    user, other = enrolled(voiceit), "the river runs to the sea"
    said = Utterance("Ada", other, "x").to_wav()
    assert send(voiceit, "/verification/voice", user, said, phrase=other) == (400, "PNTE")
    for take in range(3):
        recording = Utterance("Ada", other, f"r{take}").to_wav()
        assert send(voiceit, "/enrollments/voice", user, recording, phrase=other) == (201, "SUCC")
    again, first = (Utterance("Ada", words, "y").to_wav() for words in (other, PHRASE))
    assert send(voiceit, "/verification/voice", user, again, phrase=other) == (200, "SUCC")
    assert send(voiceit, "/verification/voice", user, first, phrase=other) == (400, "PDNM")
