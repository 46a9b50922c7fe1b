"""VoiceIt API 2 over HTTP.

Source: VoiceIt API 2 (POST /users, POST /enrollments/voice and /verification/voice with a file, or the same with /byUrl
and fileUrl, GET and DELETE /users/{userId}; basic authentication with API key and API token). VoiceIt's own Python
package has no time-outs, and its error path raises.

Only what is safe is sent twice: a request that was never connected, and a deletion. A recording that was sent
and not answered is not sent again: VoiceIt would say that it was used before (RWPU), which blames the caller.
"""

from __future__ import annotations

import base64
import json
import re
import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from runtime.biometrics.judgement import Decision, Judgement
from runtime.biometrics.providers.base import ProviderUnavailableError, Sample
from runtime.biometrics.providers.voiceit_codes import CODES
from runtime.shared.deadline import Deadline
from runtime.shared.http_client import HttpAnswer, HttpError, NotSentError, send
from runtime.shared.rotated_secret import RotatedSecret, SecretUnavailableError, json_fields

CREDENTIALS = json_fields("apiKey", "apiToken")
"""Makes of a secret's text what ``VoiceIt`` needs."""

_USER_ID = re.compile(r"[A-Za-z0-9_-]{1,128}", re.ASCII)


class VoiceIt:
    """A VoiceBiometricsProvider on VoiceIt.

    secret: parsed with CREDENTIALS. min_confidence: percent that a success needs on top of VoiceIt's own
    threshold; 0 leaves it to VoiceIt. seconds: for each operation, all attempts together.
    """

    name = "voiceit"

    def __init__(
        self, *, url: str, secret: RotatedSecret[dict[str, str]], min_confidence: float, seconds: float
    ) -> None:
        self._url = url.rstrip("/")
        self._secret = secret
        self._min_confidence = min_confidence
        self._seconds = seconds

    def create_user(self) -> str:
        """Create a user; sent again only if it was not sent at all, since VoiceIt would keep both."""
        code, document = self._call("POST", "/users")
        user_id = document.get("userId")
        if code != "SUCC" or not isinstance(user_id, str) or not _USER_ID.fullmatch(user_id):
            raise ProviderUnavailableError(f"VoiceIt created no user: responseCode {code}")
        return user_id

    def enrol(self, user_id: str, sample: Sample) -> Judgement:
        """Add a recording to the user's voice print."""
        code, document = self._send("/enrollments/voice", user_id, sample)
        known = CODES.get(code)
        return Judgement(known.enrol if known else Decision.UNAVAILABLE, code, _confidence(document))

    def verify(self, user_id: str, sample: Sample) -> Judgement:
        """Compare a recording with the user's voice print."""
        code, document = self._send("/verification/voice", user_id, sample)
        known = CODES.get(code)
        decision = known.verify if known else Decision.UNAVAILABLE
        confidence = _confidence(document)
        if decision is Decision.ACCEPTED and (confidence or 0.0) < self._min_confidence:
            return Judgement(Decision.MISMATCH, "CONFIDENCE", confidence)
        return Judgement(decision, code, confidence)

    def delete_user(self, user_id: str) -> None:
        """Delete the user with every enrolment, and see that it is gone; one that VoiceIt does not know is."""
        if not _USER_ID.fullmatch(user_id):
            raise ProviderUnavailableError("the caller's item holds a userId that VoiceIt cannot have given")
        code, _ = self._call("DELETE", f"/users/{user_id}", repeatable=True)
        if code not in {"SUCC", "UNFD"}:
            raise ProviderUnavailableError(f"VoiceIt did not delete the user: responseCode {code}")
        _, document = self._call("GET", f"/users/{user_id}", repeatable=True)
        if document.get("exists") is True:
            raise ProviderUnavailableError("VoiceIt answered that the user is deleted, and still has it")

    def _send(self, path: str, user_id: str, sample: Sample) -> tuple[str, Mapping[str, Any]]:
        # evidence: voiceit-phrases
        fields = {"userId": user_id, "contentLanguage": sample.language, "phrase": sample.phrase}
        try:
            if sample.audio is None:
                form = urlencode({**fields, "fileUrl": sample.url}).encode()
                return self._call("POST", f"{path}/byUrl", "application/x-www-form-urlencoded", form)
            boundary = secrets.token_hex(16)
            body = _multipart(fields, sample.audio, boundary)
            return self._call("POST", path, f"multipart/form-data; boundary={boundary}", body)
        except ProviderUnavailableError:
            return "NONE", {}

    def _call(
        self,
        method: str,
        path: str,
        content_type: str | None = None,
        body: bytes | None = None,
        *,
        repeatable: bool = False,
    ) -> tuple[str, Mapping[str, Any]]:
        """Return VoiceIt's response code and document. Raises ProviderUnavailableError."""
        try:
            headers = {"Authorization": self._authorization(), "Accept": "application/json"}
        except SecretUnavailableError as error:
            raise ProviderUnavailableError(f"VoiceIt's credentials: {error}") from error
        if content_type:
            headers["Content-Type"] = content_type
        # evidence: voiceit-api
        deadline = Deadline(self._seconds)
        attempt = 0
        while True:
            attempt += 1
            try:
                answer = send(method, self._url + path, deadline=deadline, headers=headers, body=body)
            except HttpError as error:
                again = repeatable or isinstance(error, NotSentError)
                if attempt == 1 and again and not error.timed_out:
                    continue
                raise ProviderUnavailableError(f"VoiceIt: {error}") from error
            if attempt == 1 and answer.status == 401 and self._secret.reread():
                # The token was rotated since it was read. A request that is refused so was not judged.
                headers["Authorization"] = self._authorization()
                continue
            if not (answer.status >= 500 and repeatable and attempt == 1):
                return _read(answer)

    def _authorization(self) -> str:
        credentials = self._secret.versions()[0]
        pair = f"{credentials['apiKey']}:{credentials['apiToken']}"
        return "Basic " + base64.b64encode(pair.encode()).decode()


def _read(answer: HttpAnswer) -> tuple[str, Mapping[str, Any]]:
    """Go by the body's responseCode; VoiceIt sends one with most refusals (4xx) too."""
    try:
        document = json.loads(answer.body)
    except (ValueError, RecursionError):
        document = None
    fields: Mapping[str, Any] = document if isinstance(document, dict) else {}
    code = fields.get("responseCode")
    if answer.status >= 500 or not isinstance(code, str):
        raise ProviderUnavailableError(f"VoiceIt answered {answer.status} without a response code to go by")
    if code == "SUCC" and answer.status >= 300:
        raise ProviderUnavailableError(
            f"VoiceIt answered {answer.status} and SUCC, which contradict each other"
        )
    return code, fields


def _confidence(document: Mapping[str, Any]) -> float | None:
    value = document.get("confidence")
    # `0 <= value` is false for NaN, which Python's JSON reader lets through.
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 100:
        return float(value)
    return None


def _multipart(fields: Mapping[str, str], audio: bytes, boundary: str) -> bytes:
    """Write form fields and the recording as multipart/form-data (RFC 7578)."""
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="recording"; filename="recording.wav"\r\n'
        "Content-Type: audio/wav\r\n\r\n"
    )
    return b"".join([*parts, head.encode(), audio, f"\r\n--{boundary}--\r\n".encode()])
