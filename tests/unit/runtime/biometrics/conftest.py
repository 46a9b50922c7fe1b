"""A table, secrets, and signed webhooks, as the functions of the voice biometric gate meet them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree as ET

import boto3
import pytest
from twilio.request_validator import RequestValidator

from runtime.biometrics import erase, gate, recordings, retention, webhook

NUMBER = "+12065550100"
ACCOUNT, TOKEN = "AC" + "0" * 32, "twilio-auth-token-nobody-may-log"
HOST = "abc123.execute-api.us-east-1.amazonaws.com"
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
        "ENROLMENTS_NEEDED": "2",
        "PROVIDER_SECONDS": "2",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(recordings, "PAUSE_SECONDS", 0.01)
    caches = (gate._gate, webhook._webhook, erase._removal, retention._removal)
    for cache in caches:
        cache.cache_clear()
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
        twilio.respond = lambda seen: (204, {}, b"") if seen.method == "DELETE" else (200, {}, b"RIFF-audio")

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
