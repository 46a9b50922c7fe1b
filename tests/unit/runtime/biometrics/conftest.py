"""A table, secrets, and signed webhooks, as the functions of the voice biometric gate meet them."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit
from xml.etree import ElementTree as ET

import boto3
import pytest
from twilio.request_validator import RequestValidator

from runtime.biometrics import erase, gate, recordings, retention, unlock, webhook

NUMBER = "+12065550100"
ACCOUNT, TOKEN = "AC" + "0" * 32, "twilio-auth-token-nobody-may-log"
HOST = "abc123.execute-api.us-east-1.amazonaws.com"
TELEPHONY_NUMBER = "+12065550188"
CALLERS = "ConnectTwilio"
CONTACT_ID = "9b2c7f3a-0d41-4c8e-9f57-3a1d5e6b7c80"


@pytest.fixture
def secrets(aws: None) -> dict[str, str]:
    """Return the ARNs of the three secrets, which exist."""
    client = boto3.client("secretsmanager")
    texts = {
        "telephony": json.dumps({"accountSid": ACCOUNT, "authToken": TOKEN}),
        "provider": json.dumps({"apiKey": "key_nobody-may-log", "apiToken": "tok_nobody-may-log"}),
        "callers": "caller-key-nobody-may-log",
    }
    return {name: client.create_secret(Name=name, SecretString=text)["ARN"] for name, text in texts.items()}


@pytest.fixture
def callers(aws: None) -> Any:
    """Return a DynamoDB client on moto in which the table of callers exists."""
    client = boto3.client("dynamodb")
    client.create_table(
        TableName=CALLERS,
        KeySchema=[{"AttributeName": "phoneNumber", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "phoneNumber", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return client


@pytest.fixture
def functions(
    callers: Any,
    secrets: dict[str, str],
    new_fake: Callable[[], Any],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Functions]:
    """Set up the functions' environment against fakes of VoiceIt and Twilio's REST API."""
    voiceit, twilio = new_fake(), new_fake()
    for name, value in {
        "TABLE_NAME": CALLERS,
        "CALLER_KEY_SECRET_ARN": secrets["callers"],
        "TELEPHONY_SECRET_ARN": secrets["telephony"],
        "PROVIDER": "voiceit",
        "PROVIDER_NAME": "voiceit",
        "PROVIDER_SECRET_ARN": secrets["provider"],
        "VOICEIT_API_URL": voiceit.url,
        "TWILIO_API_URL": twilio.url,
        "TELEPHONY_NUMBER": TELEPHONY_NUMBER,
        "ENROLMENTS_NEEDED": "2",
        "PROVIDER_SECONDS": "2",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(recordings, "PAUSE_SECONDS", 0.01)
    caches = (gate._gate, webhook._webhook, erase._removal, retention._removal, unlock._unlocker)
    for cache in caches:
        cache.cache_clear()
    yesterday = datetime.fromtimestamp(time.time(), UTC).date() - timedelta(days=1)
    callers.put_item(
        TableName=CALLERS, Item={"phoneNumber": {"S": "reconciled"}, "day": {"S": yesterday.isoformat()}}
    )
    yield Functions(callers, voiceit, twilio)
    for cache in caches:
        cache.cache_clear()


class Functions:
    """Invokes the functions as their callers do, and answers for the vendors."""

    def __init__(self, callers: Any, voiceit: Any, twilio: Any) -> None:
        self.callers, self.voiceit, self.twilio = callers, voiceit, twilio
        self.codes = {"enrollments": "SUCC", "verification": "SUCC"}
        self.confidence: Any = 91.5
        self.context: Any = None
        self._recordings = 0
        voiceit.respond = self.answer_as_voiceit
        self.held = Held()
        twilio.respond = self.answer_as_twilio

    def answer_as_twilio(self, seen: Any) -> tuple[int, dict[str, str], bytes]:
        return self.held.answer(seen)

    def answer_as_voiceit(self, seen: Any) -> tuple[int, dict[str, str], bytes]:
        what = seen.path.split("/")[1]
        if what == "users" and seen.method == "POST":
            return 201, {}, b'{"responseCode": "SUCC", "userId": "usr_1"}'
        code = self.codes.get(what, "SUCC")
        status = 201 if what == "enrollments" else 200
        document = {"responseCode": code, "confidence": self.confidence}
        return status if code == "SUCC" else 400, {}, json.dumps(document).encode()

    def ask(
        self, phase: str = "start", *, contact_id: Any = CONTACT_ID, number: Any = NUMBER
    ) -> dict[str, str]:
        event = {
            "Name": "ContactFlowEvent",
            "Details": {
                "ContactData": {
                    "ContactId": contact_id,
                    "CustomerEndpoint": {"Address": number, "Type": "TELEPHONE_NUMBER"} if number else None,
                },
                "Parameters": {"phase": phase} if phase else None,
            },
        }
        answer: dict[str, str] = gate.handler(event, self.context)
        assert all(isinstance(value, str) and value for value in answer.values())
        return answer

    def event(self, step: str = "", turn: int = 0, /, **form: str) -> dict[str, Any]:
        path = f"/prod/voice/{step}/{turn}" if step else "/prod/voice"
        fields = {"AccountSid": ACCOUNT, "CallSid": "CA1", "From": NUMBER, "CallStatus": "in-progress"} | form
        signature = RequestValidator(TOKEN).compute_signature(f"https://{HOST}{path}", fields)
        return {
            "httpMethod": "POST",
            "headers": {"X-Twilio-Signature": signature},
            "multiValueHeaders": {"x-twilio-signature": [signature]},
            "requestContext": {"path": path, "domainName": HOST, "stage": "prod", "requestId": "r"},
            "pathParameters": {"step": step, "turn": str(turn)} if step else None,
            "body": urlencode(fields),
            "isBase64Encoded": False,
        }

    def post(self, step: str = "", turn: int = 0, /, **form: str) -> tuple[int, ET.Element]:
        return self.deliver(self.event(step, turn, **form))

    def deliver(self, event: dict[str, Any]) -> tuple[int, ET.Element]:
        answer = webhook.handler(event, self.context)
        assert answer["headers"]["Content-Type"].startswith("text/xml")
        root = ET.fromstring(answer["body"])  # noqa: S314 (our own answer)
        assert root.tag == "Response"
        return answer["statusCode"], root

    def follow(self, twiml: ET.Element, **form: str) -> tuple[int, ET.Element]:
        """Post to where the TwiML says."""
        action = next(one.attrib["action"] for one in twiml.iter() if "action" in one.attrib)
        found = re.fullmatch(rf"https://{re.escape(HOST)}/prod/voice/([a-z]+)/(\d+)", action)
        assert found, action
        if twiml.find("Record") is not None and "RecordingSid" not in form:
            self._recordings += 1
            form["RecordingSid"] = f"RE{self._recordings:032x}"
        return self.post(found[1], int(found[2]), **{k: v for k, v in form.items() if v})

    def connect(self, answer: dict[str, str], **form: str) -> ET.Element:
        """Let the transfer reach the telephony number and show the code."""
        _, twiml = self.post(**form)
        assert twiml.find("Gather") is not None
        status, twiml = self.follow(twiml, Digits=answer["Digits"].strip(","), **form)
        assert status == 200
        return twiml

    def enrol(self) -> None:
        """Make a voice print of the caller."""
        twiml = self.connect(self.ask())
        _, twiml = self.follow(twiml, Digits="1")
        for _ in range(2):
            status, twiml = self.follow(twiml)
            assert status == 200

    def item(self) -> dict[str, Any]:
        found: dict[str, Any] = self.callers.get_item(
            TableName=CALLERS, Key={"phoneNumber": {"S": NUMBER}}
        ).get("Item", {})
        return found


@dataclass
class Held:
    """What Twilio holds: calls by id (number, status, day) and recordings by id (call, date), listed as documented.

    Other recordings can be fetched and deleted, as if they were there, but are not listed.
    """

    calls: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    recordings: dict[str, tuple[str, str]] = field(default_factory=dict)
    source: str = "RecordVerb"
    page_size: int = 1_000

    def record(self, call: str, sid: str, made_at: str = "Sat, 01 Aug 2026 10:00:00 +0000") -> None:
        self.recordings[sid] = (call, made_at)

    def answer(self, seen: Any) -> tuple[int, dict[str, str], bytes]:
        parts = urlsplit(seen.path)
        asked = dict(parse_qsl(parts.query))
        last = parts.path.split("/")[-1].removesuffix(".json").removesuffix(".wav")
        if seen.method == "DELETE":
            self.recordings.pop(last, None)
            return 204, {}, b""
        if last == "Calls":
            return self.page(parts.path, asked, "calls", [self.call(sid) for sid in self.calls])
        if last == "Recordings":
            return self.page(
                parts.path, asked, "recordings", [self.recording(sid) for sid in self.recordings]
            )
        if last in self.calls:
            return 200, {}, json.dumps(self.call(last)).encode()
        return (404, {}, b"{}") if last.startswith("CA") else (200, {}, b"RIFF-audio")

    def call(self, sid: str) -> dict[str, str]:
        number, status, day = self.calls[sid]
        return {"sid": sid, "from": number, "to": TELEPHONY_NUMBER, "status": status, "start_time": day}

    def recording(self, sid: str) -> dict[str, str]:
        call, made_at = self.recordings[sid]
        return {"sid": sid, "call_sid": call, "date_created": made_at, "source": self.source}

    def page(
        self, path: str, asked: dict[str, str], key: str, entries: list[dict[str, str]]
    ) -> tuple[int, dict[str, str], bytes]:
        assert asked["PageSize"] == "1000"
        days = {
            one["sid"]: parsedate_to_datetime(one["date_created"]).date().isoformat()
            if "date_created" in one
            else one["start_time"]
            for one in entries
        }
        wanted = [
            one
            for one in entries
            if asked.get("From") in (None, one.get("from"))
            and asked.get("To") in (None, one.get("to"))
            and asked.get("CallSid") in (None, one.get("call_sid"))
            and asked.get("DateCreated", asked.get("StartTime")) in (None, days[one["sid"]])
        ]
        start = int(asked.get("Page", "0")) * self.page_size
        more = start + self.page_size < len(wanted)
        following = urlencode({**asked, "Page": int(asked.get("Page", "0")) + 1, "PageToken": "PA1"})
        document = {
            key: wanted[start : start + self.page_size],
            "next_page_uri": f"{path}?{following}" if more else None,
        }
        return 200, {}, json.dumps(document).encode()


@pytest.fixture(autouse=True)
def _context(request: pytest.FixtureRequest, context: Any) -> None:
    if "functions" in request.fixturenames:
        request.getfixturevalue("functions").context = context


def said(twiml: ET.Element) -> str:
    return " ".join(one.text or "" for one in twiml.iter("Say"))


@pytest.fixture
def words() -> Callable[[ET.Element], str]:
    """Return what a TwiML document says."""
    return said
