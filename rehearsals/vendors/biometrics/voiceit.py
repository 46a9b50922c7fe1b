"""A fake for VoiceIt's API 2: users, voice enrolments, voice verification, by file and by URL.

Source: VoiceIt API 2 (paths, form fields, response codes, `confidence`). It knows a voice by the speaker's name in the
recording (see `wav`), and keeps a user's voice as the speakers of three enrolments of each phrase.
"""

from __future__ import annotations

import email.parser
import email.policy
import hashlib
import json
import re
import secrets
import threading
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from rehearsals.vendors.biometrics.server import Asked, Told, VendorServer
from rehearsals.vendors.biometrics.wav import Utterance

ENROLMENTS_NEEDED = 3
CONFIDENCE = 91.5
"""Percent, of a voice that matches."""
CONFIDENCE_OF_OTHERS = 31.25
QUIET = "(whispers)"
"""Words that begin with this are too quiet to be judged (SSTQ)."""
_NEEDED = ("userId", "contentLanguage", "phrase")
_USER = re.compile(r"/users/(usr_[0-9a-f]{32})")


@dataclass
class _User:
    enrolled: dict[str, list[str]] = field(default_factory=dict)
    """The speakers of the enrolments of each phrase."""
    used: set[str] = field(default_factory=set)

    @property
    def speakers(self) -> list[str]:
        return [speaker for speakers in self.enrolled.values() for speaker in speakers]


@dataclass(frozen=True)
class Request:
    """A request that VoiceIt got, and the response code that it gave (empty: none)."""

    method: str
    path: str
    code: str


class VoiceIt(VendorServer):
    """VoiceIt, as a context manager. `api_key` and `api_token` are what it gave us; `requests` what it was asked."""

    def __init__(self) -> None:
        """Make an account with phrases in en-US."""
        super().__init__()
        self.api_key = f"key_{secrets.token_hex(16)}"
        self.api_token = f"tok_{secrets.token_hex(16)}"
        self.languages = {"en-US"}
        self.users: dict[str, _User] = {}
        self.requests: list[Request] = []
        self._lock = threading.Lock()
        self.before_verifying: Callable[[], None] = lambda: None
        """What happens while a voice is judged."""

    def answer(self, asked: Asked) -> Told:  # noqa: PLR0911  (one a resource)
        """Answer a request as documented."""
        if asked.path.startswith("/verification"):
            self.before_verifying()
        if self.down is not None:
            self._note(asked, "")
            return self.down
        if not asked.has_credentials(self.api_key, self.api_token):
            return self._tell(asked, 401, "UNAC", message="API key or token is wrong")
        user = _USER.fullmatch(asked.path)
        if (asked.method, asked.path) == ("POST", "/users"):
            return self._create_user(asked)
        if asked.method == "DELETE" and user:
            return self._delete_user(asked, user[1])
        if asked.method == "GET" and user:
            return self._tell(asked, 200, "SUCC", exists=user[1] in self.users)
        judges: dict[str, Callable[[Asked, _User, Utterance], Told]] = {
            "/enrollments/voice": self._enrol,
            "/verification/voice": self._verify,
        }
        judge = judges.get(asked.path.removesuffix("/byUrl"))
        if asked.method != "POST" or judge is None:
            return self._tell(
                asked,
                501,
                "GERR",
                message=f"this fake of VoiceIt does not answer {asked.method} {asked.path}",
            )
        return self._judge(asked, judge)

    def _create_user(self, asked: Asked) -> Told:
        user_id = f"usr_{secrets.token_hex(16)}"
        with self._lock:
            self.users[user_id] = _User()
        return self._tell(asked, 201, "SUCC", userId=user_id, createdAt=int(time.time() * 1000))

    def _delete_user(self, asked: Asked, user_id: str) -> Told:
        with self._lock:
            known = self.users.pop(user_id, None)
        return self._tell(asked, 200, "SUCC") if known else self._tell(asked, 404, "UNFD")

    def _judge(self, asked: Asked, judge: Callable[[Asked, _User, Utterance], Told]) -> Told:
        try:
            fields, recording = _read(asked)
        except (OSError, ValueError) as error:
            return self._tell(asked, 400, "SRNR", message=str(error))
        missing = [name for name in _NEEDED if not fields.get(name)]
        if missing:
            return self._tell(asked, 400, "MISP", message=f"missing {', '.join(missing)}")
        user = self.users.get(fields["userId"])
        if user is None:
            return self._tell(asked, 404, "UNFD")
        if fields["contentLanguage"] not in self.languages:
            return self._tell(asked, 400, "CLNE")
        try:
            said = Utterance.of_wav(recording)
        except ValueError as error:
            return self._tell(asked, 400, "SRNR", message=str(error))
        refusal = self._unusable(user, said, fields["phrase"], recording)
        return self._tell(asked, 400, refusal) if refusal else judge(asked, user, said)

    def _unusable(self, user: _User, said: Utterance, phrase: str, recording: bytes) -> str:
        """Return the code of a recording that cannot be judged, or an empty text."""
        mark = hashlib.sha256(recording).hexdigest()
        with self._lock:
            known, user.used = mark in user.used, user.used | {mark}
        if known:
            return "RWPU"
        if not said.words:
            return "NSPE"
        if said.words.startswith(QUIET):
            return "SSTQ"
        # evidence: voiceit-phrases
        return "" if _phrase(said) == phrase.casefold() else "PDNM"

    def _enrol(self, asked: Asked, user: _User, said: Utterance) -> Told:
        with self._lock:
            if user.speakers and said.speaker not in user.speakers:
                return self._tell(asked, 400, "FAIL")
            user.enrolled.setdefault(_phrase(said), []).append(said.speaker)
        return self._tell(asked, 201, "SUCC", id=len(user.speakers), text=said.words, textConfidence=97.5)

    def _verify(self, asked: Asked, user: _User, said: Utterance) -> Told:
        speakers = user.enrolled.get(_phrase(said), [])
        if len(speakers) < ENROLMENTS_NEEDED:
            return self._tell(asked, 400, "PNTE")
        if said.speaker not in speakers:
            return self._tell(asked, 200, "FAIL", confidence=CONFIDENCE_OF_OTHERS, text=said.words)
        return self._tell(asked, 200, "SUCC", confidence=CONFIDENCE, text=said.words, textConfidence=97.5)

    def _tell(self, asked: Asked, status: int, code: str, **more: Any) -> Told:  # noqa: ANN401  (JSON)
        self._note(asked, code)
        document = {"status": status, "responseCode": code, "timeTaken": "0.05s", **more}
        return Told(status, json.dumps(document).encode(), {"Content-Type": "application/json"})

    def _note(self, asked: Asked, code: str) -> None:
        self.requests.append(Request(asked.method, _USER.sub("/users/…", asked.path), code))


def _phrase(said: Utterance) -> str:
    return said.words.casefold().strip(" .!")


def _read(asked: Asked) -> tuple[dict[str, str], bytes]:
    """Return the form's fields and the recording; OSError if it is at a URL and cannot be fetched."""
    if asked.path.endswith("/byUrl"):
        fields = dict(parse_qsl(asked.body.decode()))
        address = fields.get("fileUrl", "")
        if not address.startswith(("http://localhost:", "http://127.0.0.1:")):
            raise ValueError(f"fileUrl {address!r} is not on this machine")
        with urllib.request.urlopen(address, timeout=5) as answer:  # noqa: S310  (this machine's alone)
            return fields, answer.read()
    head = f"Content-Type: {asked.headers.get('content-type', '')}\r\n\r\n".encode()
    message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + asked.body)
    fields, recording = {}, b""
    for part in message.iter_parts() if message.is_multipart() else ():
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        if not isinstance(content, bytes):
            raise ValueError("a part of the form has no content")
        if name == "recording":
            recording = content
        else:
            fields[str(name)] = content.decode()
    return fields, recording
