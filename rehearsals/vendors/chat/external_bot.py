"""A fake for the chat platform outside Amazon Connect: a process of its own with a webhook, and a bot behind it.

`python -m rehearsals.vendors.chat.external_bot` reads commands as lines of JSON from standard input (they
hold secrets, so they are neither arguments nor environment) and answers each with a line:

    {"access": BotAccess}   where AWS is, and what the vendor was given         -> {}
    {"script": BotScript}   how to behave from now on                           -> {}
    {"down": true|false}    close the webhook's port, or open it again          -> {}
    {"report": [contact]}   what was received, of these contacts (none: of all) -> {…}

Its webhook takes InitializeConnection and what SNS sends. It confirms subscriptions, and believes nothing that lacks a
valid signature by a certificate from AWS's own address. It joins with the vendor's role, by the AWS SDK.
"""

import hmac
import http.client
import json
import random
import sys
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from connect_sandbox.cloud.sns_signing import is_signed

from rehearsals.vendors.chat.script import BotAccess, BotScript, Json

_SESSION_SECONDS = 1800
_RANDOM = random.Random(4711)  # noqa: S311  (failures on purpose, the same ones every time)


@dataclass
class Conversation:
    """One chat of the bot's: what the customer wrote, by the message's own id, in the order of arrival."""

    contact_id: str
    instance_id: str
    script: BotScript
    connection_token: str = ""
    messages: list[Json] = field(default_factory=list)
    waiting: list[Json] = field(default_factory=list)
    left: bool = False
    lock: threading.RLock = field(default_factory=threading.RLock)


class Bot:
    """The platform's state, and its calls to AWS."""

    def __init__(self) -> None:
        self.script = BotScript(token="")
        self.access: BotAccess | None = None
        self.conversations: dict[str, Conversation] = {}
        self.initialized: list[Json] = []
        self.notified: list[Json] = []
        self.refused: list[str] = []
        self.problems: list[str] = []
        self.confirmed: list[str] = []
        self._lock = threading.Lock()
        self._certificates: dict[str, bytes] = {}
        self._clients: tuple[float, Any, Any] | None = None

    # -- the webhook

    def initialize(self, document: Json, token: str, key: str) -> int:
        """Answer InitializeConnection; the bot joins in a thread of its own."""
        script = self.script
        matches = hmac.compare_digest(token.encode(), script.token.encode())
        status = script.initialize_status if matches else 401
        contact_id = str(document["ContactId"])
        self.initialized.append({"contact_id": contact_id, "status": status, "key": key})
        if script.initialize_seconds:
            time.sleep(script.initialize_seconds)
        if status == 200 and script.joins:
            with self._lock:
                known = contact_id in self.conversations
                chat = self.conversations.setdefault(
                    contact_id, Conversation(contact_id, document["InstanceId"], script)
                )
            if not known:
                threading.Thread(target=self._join, args=(chat,), daemon=True).start()
        return script.begun_status if status == 200 else status

    def notify(self, document: Json) -> int:
        """Take what SNS sends: confirm a subscription, or read a message."""
        problem = self._distrust(document)
        if problem:
            self.refused.append(problem)
            return 403
        if document["Type"] == "SubscriptionConfirmation":
            return self._confirm(document)
        failed = _RANDOM.random() < self.script.failure_rate
        message = json.loads(document["Message"])
        self.notified.append(
            {
                "contact_id": message["ContactId"],
                "id": message["Id"],
                "time": message["AbsoluteTime"],
                "content": message.get("Content"),
                "role": message["ParticipantRole"],
                "type": message["Type"],
                "taken": not failed,
            }
        )
        if failed:
            return 503
        chat = self.conversations.get(message["ContactId"])
        if chat is not None:
            self._hear(chat, message)
        return 200

    def _hear(self, chat: Conversation, message: Json) -> None:
        with chat.lock:
            if any(known["Id"] == message["Id"] for known in chat.messages):
                return  # SNS may deliver twice
            chat.messages.append(message)
            chat.waiting.append(message)
            if not chat.connection_token:
                return
        threading.Thread(target=self._answer, args=(chat,), daemon=True).start()

    def _distrust(self, document: Json) -> str:
        """Return why a message of SNS is not believed; empty if it is."""
        url = str(document.get("SigningCertURL", ""))
        if self.access is None or not url.startswith(f"{self.access.endpoint_url}/.sns/"):
            return f"the certificate is not from SNS: {url}"
        if url not in self._certificates:
            self._certificates[url] = _get(url)[1]
        return "" if is_signed(document, self._certificates[url]) else "the signature is not valid"

    def _confirm(self, document: Json) -> int:
        url = str(document["SubscribeURL"])
        if self.access is None or not url.startswith(f"{self.access.endpoint_url}/.sns/"):
            self.refused.append(f"the SubscribeURL is not of SNS: {url}")
            return 403
        status, _ = _get(url)
        if status == 200:
            self.confirmed.append(str(document["TopicArn"]))
        return status

    # -- the bot

    def _join(self, chat: Conversation) -> None:
        try:
            connect, participants = self._aws()
            created = connect.create_participant(
                InstanceId=chat.instance_id,
                ContactId=chat.contact_id,
                ParticipantDetails={"ParticipantRole": "CUSTOM_BOT", "DisplayName": "Bot"},
            )
            connection = participants.create_participant_connection(
                Type=["CONNECTION_CREDENTIALS"],
                ParticipantToken=created["ParticipantCredentials"]["ParticipantToken"],
                ConnectParticipant=True,
            )
            token = connection["ConnectionCredentials"]["ConnectionToken"]
            with chat.lock:
                if chat.script.greeting:
                    _say(participants, token, chat.script.greeting)
                chat.connection_token = token
            self._answer(chat)
        except Exception as error:  # noqa: BLE001  (the report says it; the chat goes on without the bot)
            self.problems.append(f"{type(error).__name__}: {error}")

    def _answer(self, chat: Conversation) -> None:
        try:
            _, participants = self._aws()
            with chat.lock:
                while chat.waiting and not chat.left:
                    message = chat.waiting.pop(0)
                    count = len(chat.messages) - len(chat.waiting)
                    if message["ParticipantRole"] == "CUSTOMER" and count <= len(chat.script.replies):
                        _say(participants, chat.connection_token, chat.script.replies[count - 1])
                    if chat.script.leaves_after is not None and count >= chat.script.leaves_after:
                        self._leave(chat, participants)
        except Exception as error:  # noqa: BLE001
            self.problems.append(f"{type(error).__name__}: {error}")

    def _leave(self, chat: Conversation, participants: Any) -> None:  # noqa: ANN401  (a boto3 client)
        if chat.script.farewell:
            _say(participants, chat.connection_token, chat.script.farewell)
        chat.left = True
        participants.disconnect_participant(ConnectionToken=chat.connection_token)

    def _aws(self) -> tuple[Any, Any]:
        """Return clients of Connect, with the vendor's role, and of the participant API."""
        with self._lock:
            if self._clients is not None and self._clients[0] > time.monotonic():
                return self._clients[1], self._clients[2]
            access = self.access
            if access is None:
                raise RuntimeError("the bot was not told where AWS is")
            own = _session(access, access.access_key_id, access.secret_access_key, None)
            assumed = own("sts").assume_role(
                RoleArn=access.role_arn,
                RoleSessionName="example-bot-platform",
                ExternalId=access.external_id,
            )["Credentials"]
            with_role = _session(
                access, assumed["AccessKeyId"], assumed["SecretAccessKey"], assumed["SessionToken"]
            )
            clients = (with_role("connect"), with_role("connectparticipant"))
            self._clients = (time.monotonic() + _SESSION_SECONDS, *clients)
            return clients

    # -- for the rehearsal

    def report(self, contacts: list[str]) -> Json:
        """Return what happened in these chats, or in all."""
        wanted = set(contacts)

        def of_these(entries: list[Json]) -> list[Json]:
            return [entry for entry in list(entries) if not wanted or entry["contact_id"] in wanted]

        return {
            "initialized": of_these(self.initialized),
            "notified": of_these(self.notified),
            "refused": list(self.refused),
            "problems": list(self.problems),
            "confirmed": list(self.confirmed),
        }


def _say(participants: Any, token: str, text: str) -> None:  # noqa: ANN401  (a boto3 client)
    participants.send_message(ConnectionToken=token, ContentType="text/plain", Content=text)


def _session(access: BotAccess, key: str, secret: str, token: str | None) -> Any:  # noqa: ANN401
    session = boto3.Session(
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        aws_session_token=token,
        region_name=access.region,
    )
    config = Config(max_pool_connections=20, retries={"mode": "standard", "total_max_attempts": 5})
    return lambda service: session.client(service, endpoint_url=access.endpoint_url, config=config)


def _get(url: str) -> tuple[int, bytes]:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=10)
    try:
        connection.request("GET", f"{parts.path}?{parts.query}" if parts.query else parts.path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


class Webhook(BaseHTTPRequestHandler):
    """Answers InitializeConnection and SNS."""

    bot: Bot
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        """Answer one request."""
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        if isinstance(self.server, Server) and self.server.closed:  # a connection that was kept alive
            self.close_connection = True
            return
        document = json.loads(body)
        if self.headers.get("x-amz-sns-message-type"):
            status = self.bot.notify(document)
        elif document.get("Type") == "InitializeConnection":
            header = self.bot.access.token_header if self.bot.access else "Verification-Token"
            key = self.headers.get("Idempotency-Key", "")
            status = self.bot.initialize(document, self.headers.get(header, ""), key)
        else:
            status = 400
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (the base's signature)
        """Write no access log: standard error is for what goes wrong."""


class Server(ThreadingHTTPServer):
    """The webhook's port. `closed` lets connections that were kept alive end."""

    daemon_threads = True
    request_queue_size = 128
    closed = False

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401  (the base's signature)
        """Say nothing of a client that has gone away, which is what they do when this is slow on purpose."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


def _open(bot: Bot, port: int) -> Server:
    server = Server(("127.0.0.1", port), type("BoundWebhook", (Webhook,), {"bot": bot}))
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    return server


def main() -> None:
    """Open the port, say which it is, do what standard input says until it closes."""
    bot = Bot()
    server = _open(bot, 0)
    port = int(server.server_address[1])
    print(json.dumps({"port": port}), flush=True)
    for line in sys.stdin:
        ((command, content),) = json.loads(line).items()
        answer: Json = {}
        match command:
            case "access":
                bot.access = BotAccess(**content)
            case "script":
                bot.script = BotScript.from_json(content)
            case "down" if content and not server.closed:
                server.closed = True
                server.shutdown()
                server.server_close()
            case "down" if not content and server.closed:
                server = _open(bot, port)
            case "report":
                answer = bot.report(content)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
