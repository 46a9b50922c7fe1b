"""A fake for the vendor of examples/own_voice_check: Example Voice, which exists nowhere else.

Speakers, samples and checks over HTTP, with an API key as bearer token. A recording comes by address, which it fetches
itself, without credentials, or with the request (base64). It knows a voice by the speaker's name in the recording (see
`wav`).

=================================  ================================================================
POST /v1/speakers                  201 {"speakerId"}
POST /v1/speakers/{id}/samples     201 {"samples"}, 409 another voice, 422 {"reason"} not usable
POST /v1/speakers/{id}/checks      200 {"match", "score" (0 to 1)}, 422 {"reason"} not usable
DELETE /v1/speakers/{id}           204
=================================  ================================================================

401: wrong key. 404: no such speaker. 409 at checks: no sample yet. 502: the recording could not be fetched.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
import secrets
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from typing import Any

from rehearsals.vendors.biometrics.server import Asked, Told, VendorServer
from rehearsals.vendors.biometrics.wav import Utterance

SCORE = 0.935
"""Of a voice that matches."""
SCORE_OF_OTHERS = 0.2175
_SPEAKER = re.compile(r"/v1/speakers/(spk-[0-9a-f]{32})(/samples|/checks)?")
_DIRECTLY = urllib.request.build_opener(urllib.request.ProxyHandler({}))
_FETCH_SECONDS = 2.0
"""How long it tries to fetch a recording: right after the call, Twilio may still answer 404."""


@dataclass
class _Speaker:
    voice: str | None = None
    samples: int = 0
    used: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Request:
    """A request that Example Voice got, as `POST /v1/speakers/…/checks`, and the status that it answered."""

    what: str
    status: int
    by_address: bool = False


class _RefusedError(Exception):
    """The request is refused, with `status` and `reason`."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


class ExampleVoice(VendorServer):
    """Example Voice, as a context manager. `api_key` is what it gave us, `requests` what it was asked."""

    def __init__(self) -> None:
        """Make an account without speakers."""
        super().__init__()
        self.api_key = f"ev-{secrets.token_hex(20)}"
        self.speakers: dict[str, _Speaker] = {}
        self.requests: list[Request] = []
        self._lock = threading.Lock()

    def answer(self, asked: Asked) -> Told:
        """Answer a request as documented above."""
        path, body = _SPEAKER.sub(r"/v1/speakers/…\2", asked.path), _object(asked.body)
        try:
            status, document = self._answer(asked, body)
        except _RefusedError as refused:
            status, document = refused.status, {"reason": refused.reason}
        self.requests.append(Request(f"{asked.method} {path}", status, by_address="recordingUrl" in body))
        content = b"" if document is None else json.dumps(document).encode()
        return Told(status, content, {"Content-Type": "application/json"})

    def _answer(self, asked: Asked, body: dict[str, Any]) -> tuple[int, dict[str, Any] | None]:
        if self.down is not None:
            raise _RefusedError(self.down.status, "down")
        if asked.headers.get("authorization") != f"Bearer {self.api_key}":
            raise _RefusedError(401, "api-key")
        if (asked.method, asked.path) == ("POST", "/v1/speakers"):
            speaker_id = f"spk-{secrets.token_hex(16)}"
            self.speakers[speaker_id] = _Speaker()
            return 201, {"speakerId": speaker_id}
        found = _SPEAKER.fullmatch(asked.path)
        if found is None or (asked.method == "DELETE") != (found[2] is None):
            raise _RefusedError(
                501, f"this fake of Example Voice does not answer {asked.method} {asked.path}"
            )
        speaker = self.speakers.get(found[1])
        if speaker is None:
            raise _RefusedError(404, "no-speaker")
        if asked.method == "DELETE":
            del self.speakers[found[1]]
            return 204, None
        said = self._utterance(body, speaker)
        with self._lock:
            return _sample(speaker, said) if found[2] == "/samples" else _check(speaker, said)

    def _utterance(self, body: dict[str, Any], speaker: _Speaker) -> Utterance:
        recording = _recording(body)
        try:
            said = Utterance.of_wav(recording)
        except ValueError as error:
            raise _RefusedError(422, "format") from error
        mark = hashlib.sha256(recording).hexdigest()
        with self._lock:
            replayed, speaker.used = mark in speaker.used, speaker.used | {mark}
        if replayed:
            raise _RefusedError(422, "replayed")
        if said.words.casefold().strip(" .!") != str(body.get("phrase")).casefold():
            raise _RefusedError(422, "phrase")
        return said


def _sample(speaker: _Speaker, said: Utterance) -> tuple[int, dict[str, Any]]:
    if speaker.voice not in {None, said.speaker}:
        return 409, {"reason": "another-voice"}
    speaker.voice, speaker.samples = said.speaker, speaker.samples + 1
    return 201, {"samples": speaker.samples}


def _check(speaker: _Speaker, said: Utterance) -> tuple[int, dict[str, Any]]:
    if speaker.voice is None:
        return 409, {"reason": "no-sample"}
    match = speaker.voice == said.speaker
    return 200, {"match": match, "score": SCORE if match else SCORE_OF_OTHERS}


def _object(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body or b"{}")
    except ValueError:
        # It is answered as a request without the fields that it needs.
        return {}
    return document if isinstance(document, dict) else {}


def _recording(body: dict[str, Any]) -> bytes:
    if "recording" in body:
        try:
            return base64.b64decode(str(body["recording"]), validate=True)
        except binascii.Error as error:
            raise _RefusedError(422, "format") from error
    address = str(body.get("recordingUrl", ""))
    if not address.startswith(("http://localhost:", "http://127.0.0.1:")):
        raise _RefusedError(502, "the sandbox fetches recordings from this machine only")
    ends = time.monotonic() + _FETCH_SECONDS
    while True:
        try:
            with _DIRECTLY.open(address, timeout=_FETCH_SECONDS) as answer:
                content: bytes = answer.read()
                return content
        except urllib.error.HTTPError as error:
            if error.code != 404 or time.monotonic() >= ends:
                raise _RefusedError(502, f"recording-{error.code}") from error
        except OSError as error:
            raise _RefusedError(502, "recording-unreachable") from error
        time.sleep(0.1)
