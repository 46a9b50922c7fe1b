"""The external bot's webhook: what it believes, what it refuses, and how it misbehaves when told to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
import requests
from connect_sandbox.cloud.sns_signing import SnsSigner

from rehearsals.vendors.chat.client import BotPlatform
from rehearsals.vendors.chat.script import BotAccess, BotScript

TOKEN = "right-token"
CONTACT = "0c1b2a39-4857-4665-8a7b-9c0d1e2f3a4b"


class Aws:
    """Serves the signing certificate, and takes note of confirmations."""

    def __init__(self) -> None:
        self.signer = SnsSigner()
        self.asked: list[str] = []
        aws = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                aws.asked.append(self.path)
                body = aws.signer.certificate_pem if self.path.endswith(".pem") else b"<ok/>"
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (the base's signature)
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def signed(self, document: dict[str, str], host: str = "") -> dict[str, str]:
        url = f"{host or self.url}/.sns/{self.signer.certificate_name}"
        signature = self.signer.sign(document, "2")
        return {**document, "SignatureVersion": "2", "Signature": signature, "SigningCertURL": url}

    def notification(self, content: str = "hello", message_id: str = "m1") -> dict[str, str]:
        message = {
            "ContactId": CONTACT,
            "Id": message_id,
            "AbsoluteTime": "2026-01-01T00:00:00.000Z",
            "Content": content,
            "ParticipantRole": "CUSTOMER",
            "Type": "MESSAGE",
        }
        return {
            "Type": "Notification",
            "MessageId": "n1",
            "TopicArn": "arn:aws:sns:us-east-1:123456789012:chats",
            "Message": json.dumps(message),
            "Timestamp": "2026-01-01T00:00:00.000Z",
        }


@pytest.fixture(scope="module")
def aws() -> Iterator[Aws]:
    found = Aws()
    yield found
    found.server.shutdown()
    found.server.server_close()


@pytest.fixture
def bot(aws: Aws) -> Iterator[BotPlatform]:
    with BotPlatform() as running:
        running.is_told_access(
            BotAccess(
                endpoint_url=aws.url, region="us-east-1", access_key_id="AKIAEXAMPLE", secret_access_key="x"
            )
        )
        running.behaves(BotScript(token=TOKEN, joins=False))
        yield running


def from_sns(bot: BotPlatform, document: dict[str, str]) -> int:
    headers = {"x-amz-sns-message-type": document["Type"], "Content-Type": "text/plain; charset=UTF-8"}
    return requests.post(bot.webhook_url, data=json.dumps(document), headers=headers, timeout=5).status_code


def initialize(bot: BotPlatform, token: str) -> int:
    document = {"ContactId": CONTACT, "InstanceId": "i", "Type": "InitializeConnection"}
    headers = {"Verification-Token": token}
    return requests.post(bot.webhook_url, json=document, headers=headers, timeout=5).status_code


def test_a_signed_notification_is_taken_once_however_often_it_comes(bot: BotPlatform, aws: Aws) -> None:
    document = aws.signed(aws.notification())
    assert [from_sns(bot, document), from_sns(bot, document)] == [200, 200]
    report = bot.report(CONTACT)
    assert (len(report.notified), len(report.taken())) == (2, 1)


def test_what_is_forged_or_certified_elsewhere_is_refused(bot: BotPlatform, aws: Aws) -> None:
    forged = {**aws.signed(aws.notification()), "Message": aws.notification("give me the data")["Message"]}
    elsewhere = aws.signed(aws.notification(), host="http://attacker.example.com")
    assert [from_sns(bot, forged), from_sns(bot, elsewhere)] == [403, 403]
    report = bot.report()
    assert report.taken() == []
    assert "the signature is not valid" in report.refused
    assert any("attacker.example.com" in reason for reason in report.refused)


def test_a_subscription_is_confirmed_at_aws_own_address_only(bot: BotPlatform, aws: Aws) -> None:
    def confirmation(host: str) -> dict[str, str]:
        document = {**aws.notification(), "Type": "SubscriptionConfirmation", "Token": "t"}
        return aws.signed({**document, "SubscribeURL": f"{host}/.sns/?Action=ConfirmSubscription&Token=t"})

    assert from_sns(bot, confirmation("http://attacker.example.com")) == 403
    assert from_sns(bot, confirmation(aws.url)) == 200
    assert aws.asked[-1] == "/.sns/?Action=ConfirmSubscription&Token=t"
    assert len(bot.report().confirmed) == 1


def test_the_verification_token_must_be_right(bot: BotPlatform) -> None:
    assert [initialize(bot, "wrong"), initialize(bot, TOKEN)] == [401, 200]
    assert [entry["status"] for entry in bot.report(CONTACT).initialized] == [401, 200]


def test_it_goes_down_and_comes_up_at_the_same_address(bot: BotPlatform) -> None:
    bot.goes_down()
    bot.goes_down()
    with pytest.raises(requests.ConnectionError):
        initialize(bot, TOKEN)
    bot.comes_up()
    assert initialize(bot, TOKEN) == 200


def test_it_fails_as_often_as_it_is_told_to(bot: BotPlatform, aws: Aws) -> None:
    bot.behaves(BotScript(token=TOKEN, joins=False, failure_rate=1.0, initialize_status=500))
    assert (from_sns(bot, aws.signed(aws.notification())), initialize(bot, TOKEN)) == (503, 500)
    assert bot.report(CONTACT).taken() == []


def test_a_script_survives_the_way_to_its_process() -> None:
    script = BotScript(token="t", greeting="Hi", replies=("a", "b"), leaves_after=2, failure_rate=0.2)
    assert BotScript.from_json(json.loads(json.dumps(script.to_json()))) == script
