"""Twilio, VoiceIt and a provider function as the plays meet them: what they hold, and what they were asked.

Ids count from one, so that two runs of a play leave the same; times are those of the play. Requests without the right
credentials are refused. Lists are filtered as Twilio documents it.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from email.utils import formatdate, parsedate_to_datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.faults.proxy import Answer, Asked

ACCOUNT, TWILIO_TOKEN = "AC" + "0" * 32, "twilio-token-nobody-may-log"
API_KEY, API_TOKEN = "key_nobody-may-log", "tok_nobody-may-log"


def recording_sid(number: int) -> str:
    """Return the id of a recording."""
    return f"RE{number:032x}"


def call_sid(number: int) -> str:
    """Return the id of a call."""
    return f"CA{number:032x}"


@dataclass
class Twilio:
    """Calls and recordings of one account, by id."""

    calls: dict[str, dict[str, str]] = field(default_factory=dict)
    recordings: dict[str, dict[str, str]] = field(default_factory=dict)

    def called(self, number: int, *, by: str, to: str, at: float) -> str:
        """Have a call that is over; return its id."""
        sid = call_sid(number)
        call = {"sid": sid, "from": by, "to": to, "status": "completed", "start_time": formatdate(at)}
        self.calls[sid] = call
        return sid

    def recorded(self, number: int, *, call: str, at: float) -> str:
        """Have a recording of a call; return its id."""
        sid = recording_sid(number)
        made = {"sid": sid, "call_sid": call, "date_created": formatdate(at), "source": "RecordVerb"}
        self.recordings[sid] = made
        return sid

    def __call__(self, asked: Asked) -> Answer:
        if not _shows(asked, ACCOUNT, TWILIO_TOKEN):
            return 401, {}, b"{}"
        parts = urlsplit(asked.path)
        last, _, kind = parts.path.split("/")[-1].partition(".")
        if asked.method == "DELETE":
            return (204, {}, b"") if self.recordings.pop(last, None) else (404, {}, b"{}")
        if kind == "wav":
            return (200, {}, b"RIFF-audio") if last in self.recordings else (404, {}, b"")
        if last in {"Calls", "Recordings"}:
            entries = self.calls if last == "Calls" else self.recordings
            filters = dict(parse_qsl(parts.query))
            return _json({last.lower(): [one for one in entries.values() if _fits(one, filters)]})
        return _json(self.calls[last]) if last in self.calls else (404, {}, b"{}")


@dataclass
class Provider:
    """Voices by user id. `says`: what it answers to a recording, `judged`: what it did answer to verifications."""

    users: dict[str, int] = field(default_factory=dict)
    """How many recordings each user has."""
    says: str = "SUCC"
    judged: list[str] = field(default_factory=list)
    made: int = 0

    def create(self) -> str:
        """Make a user; return the id."""
        self.made += 1
        self.users[f"usr_{self.made}"] = 0
        return f"usr_{self.made}"

    def judge(self, kind: str, user_id: str) -> str:
        """Enrol or verify a recording; return VoiceIt's code."""
        if user_id not in self.users:
            return "UNFD"
        if kind == "verification":
            self.judged.append(self.says)
        elif self.says == "SUCC":
            self.users[user_id] += 1
        return self.says

    def as_voiceit(self, asked: Asked) -> Answer:
        """Answer as VoiceIt's API does."""
        if not _shows(asked, API_KEY, API_TOKEN):
            return _json({"responseCode": "UNAC"}, 401)
        _, _, what, *rest = asked.path.split("/")
        if what == "users" and asked.method == "POST":
            return _json({"responseCode": "SUCC", "userId": self.create()}, 201)
        if what == "users" and asked.method == "DELETE":
            known = self.users.pop(rest[0], None) is not None
            return _json({"responseCode": "SUCC" if known else "UNFD"}, 200 if known else 404)
        if what == "users":
            return _json({"responseCode": "SUCC", "exists": rest[0] in self.users})
        user_id = asked.body.split(b'name="userId"\r\n\r\n', 1)[1].split(b"\r\n", 1)[0].decode()
        code = self.judge("verification" if what == "verification" else "enrolment", user_id)
        return _json({"responseCode": code, "confidence": 91.5}, 200 if code == "SUCC" else 400)

    def as_function(self, asked: Asked) -> Answer:
        """Answer as the Invoke operation of a provider function does."""
        event = json.loads(asked.body)
        match event["operation"]:
            case "createUser":
                return _json({"userId": self.create()})
            case "deleteUser":
                self.users.pop(event["userId"], None)
                return _json({})
        kind = "verification" if event["operation"] == "verify" else "enrolment"
        decision = "accepted" if self.judge(kind, event["userId"]) == "SUCC" else "mismatch"
        return _json({"decision": decision, "confidence": 91.5})


def _json(document: dict[str, Any], status: int = 200) -> Answer:
    return status, {"Content-Type": "application/json"}, json.dumps(document).encode()


def _shows(asked: Asked, user: str, password: str) -> bool:
    expected = base64.b64encode(f"{user}:{password}".encode()).decode()
    return asked.headers.get("authorization") == f"Basic {expected}"


def _fits(entry: dict[str, str], filters: dict[str, str]) -> bool:
    names = {"CallSid": "call_sid", "From": "from", "To": "to"}
    dates = {"DateCreated": "date_created", "StartTime": "start_time"}
    return all(entry[name] == filters[key] for key, name in names.items() if key in filters) and all(
        parsedate_to_datetime(entry[name]).date().isoformat() == filters[key]
        for key, name in dates.items()
        if key in filters
    )
