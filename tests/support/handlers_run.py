"""Hostile requests to the functions behind the REST APIs, without HTTP: a few milliseconds each.

A process of its own, several of which run side by side (`drive`): AWS is moto within the process, and each event is one
that API Gateway makes of a request, so headers and query are texts, whatever they hold. A request to the metadata API
is authorizer and store, one to the webhook is the webhook, to which now and then a caller's code leads on. What a
function may not do is counted as the deployed APIs' driver counts it (openapi_run), and what it logs is read, too.
"""

from __future__ import annotations

import io
import json
import os
import random
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from tempfile import TemporaryFile
from typing import IO, Any
from urllib.parse import urlencode

from tests.support.openapi_run import BODIES, ROOT, SHOWN, TYPES

LIMITS = {"authorize": 10.0, "store": 29.0, "webhook": 15.0}
"""Seconds that an answer may take: Lambda's limit, API Gateway's, Twilio's."""
HOST, ACCOUNT = "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com", "AC" + "0123456789abcdef" * 2
TOKEN, AUTH_TOKEN, KEY = "token-nobody-may-log", "auth-token-nobody-may-log", "key-of-tags-nobody-may-log"
NUMBERS = [f"+1206555{number:04d}" for number in range(200, 260)]
METHOD_ARN = "arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/prod/POST/metadata"


@dataclass
class Report:
    """What came of it; the same names as the driver's over HTTP."""

    requests: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    shown: list[str] = field(default_factory=list)
    lines: int = 0
    seconds: float = 0.0
    slowest: float = 0.0

    def finds(self, kind: str, what: str) -> None:
        """Count a finding; show it if not too many are shown."""
        self.found[kind] += 1
        if len(self.shown) < SHOWN:
            self.shown.append(f"{kind}: {what[:800]}")


def drive(requests: int, *, processes: int, seed: int, timeout: float, planted: str = "") -> Report:
    """Play so many requests in processes side by side; ChildProcessError or TimeoutExpired if that fails.

    planted: what goes wrong on purpose, one after the other, to prove that it is counted: a word, or several with
    commas, of error, hang, traceback, secret and number.
    """
    share = -(-requests // processes)
    report, begun = Report(), time.monotonic()
    with ExitStack() as stack:
        # Files, not pipes: nobody reads a pipe while the process before it is waited for, and a full one stops it.
        files = [stack.enter_context(TemporaryFile("w+", encoding="utf-8")) for _ in range(2 * processes)]
        running = []
        for number in range(processes):
            command = [sys.executable, "-m", __spec__.name, str(share), str(seed * 100 + number), planted]
            told, complaint = files[2 * number : 2 * number + 2]
            one = subprocess.Popen(command, stdout=told, stderr=complaint, cwd=ROOT)
            stack.callback(_end, one)
            running.append((one, told, complaint))
        for one, told, complaint in running:
            one.wait(timeout=max(1.0, timeout - (time.monotonic() - begun)))
            if one.returncode:
                raise ChildProcessError(
                    f"a process with hostile requests ended with {one.returncode}:\n{_text(complaint)[-4000:]}"
                )
            _add(report, json.loads(_text(told).splitlines()[-1]))
    report.seconds = time.monotonic() - begun
    return report


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()


def _text(file: IO[str]) -> str:
    file.seek(0)
    return file.read()


def _add(report: Report, told: dict[str, Any]) -> None:
    report.requests += told["requests"]
    report.lines += told["lines"]
    report.answers += Counter(told["answers"])
    report.found += Counter(told["found"])
    report.shown = (report.shown + told["shown"])[:SHOWN]
    report.slowest = max(report.slowest, told["slowest"])


class Vendors:
    """VoiceIt and Twilio's REST API on loopback: every voice is judged by the one who speaks, at random."""

    def __init__(self, chance: random.Random) -> None:
        from tests.unit.runtime.conftest import HttpFake  # noqa: PLC0415 (only in the process that plays)

        self._chance = chance
        self.voiceit, self.twilio = HttpFake(), HttpFake()
        self.voiceit.respond = self._judged
        self.twilio.respond = self._held

    def _judged(self, seen: Any) -> tuple[int, dict[str, str], bytes]:
        if seen.path.startswith("/users") and seen.method == "POST":
            return 201, {}, json.dumps({"responseCode": "SUCC", "userId": f"usr_{uuid.uuid4().hex}"}).encode()
        code = self._chance.choice(["SUCC", "SUCC", "FAIL", "NEVE", "<x>"])
        document = {"responseCode": code, "confidence": self._chance.choice([91.5, None, "x", -1])}
        return 200 if code == "SUCC" else 400, {}, json.dumps(document).encode()

    def _held(self, seen: Any) -> tuple[int, dict[str, str], bytes]:
        return (204, {}, b"") if seen.method == "DELETE" else (200, {}, b"RIFF-audio")

    def close(self) -> None:
        self.voiceit.close()
        self.twilio.close()


class _Player:
    def __init__(self, seed: int, planted: str) -> None:
        self.chance = random.Random(seed)  # noqa: S311 (the same requests with the same seed)
        self.planted = planted.split(",") if planted else []
        self.report = Report()
        self.codes: dict[str, str] = {}
        self.last: dict[str, Any] | None = None

    def play(self, requests: int) -> Report:
        from moto import mock_aws  # noqa: PLC0415

        from runtime.shared.logging import LOGGER  # noqa: PLC0415
        from tests.support.lambda_context import Context  # noqa: PLC0415

        self.context: Any = Context(10.0)
        vendors = Vendors(self.chance)
        stream = io.StringIO()
        registered: Any = LOGGER.registered_handler
        registered.setStream(stream)
        begun = time.monotonic()
        with mock_aws():
            _set_up(vendors)
            self._import()
            for number in range(requests):
                stream.seek(0)
                stream.truncate()
                self._webhook() if number % 2 else self._metadata()
                self.report.requests += 1
                if self.planted:
                    self._plant(self.planted.pop(), stream)
                self._read(stream.getvalue())
        self.report.seconds = time.monotonic() - begun
        vendors.close()
        return self.report

    def _import(self) -> None:
        from runtime.biometrics import gate, recordings, webhook  # noqa: PLC0415
        from runtime.metadata import authorize, store  # noqa: PLC0415

        recordings.PAUSE_SECONDS = 0.01
        self.gate, self.webhook, self.authorize, self.store = gate, webhook, authorize, store

    def _plant(self, what: str, stream: io.StringIO) -> None:
        """Let something go wrong."""
        wrong: dict[str, Callable[[], object]] = {
            "error": lambda: self._ask("store", lambda *_: {"statusCode": 500, "body": "planted"}, {}),
            "hang": lambda: self._took("store", LIMITS["store"] + 1, "planted"),
            "traceback": lambda: stream.write(
                '{"exception": "Traceback (most recent call last):\\n planted"}\n'
            ),
            "secret": lambda: stream.write(f'{{"planted": "{TOKEN}"}}\n'),
            "number": lambda: stream.write(f'{{"planted": "{NUMBERS[0][1:]}"}}\n'),
        }
        wrong[what]()

    # --- requests

    def _metadata(self) -> None:
        pick = self.chance.choice
        token = pick([TOKEN] * 6 + ["", TOKEN[:-1], f"Bearer {TOKEN}", "\x7f", "ü" * 99, self._junk()])
        event = {"type": "TOKEN", "authorizationToken": token, "methodArn": METHOD_ARN}
        answer = self._ask("authorize", self.authorize.handler, event)
        if answer is None or answer["policyDocument"]["Statement"][0]["Effect"] != "Allow":
            self.report.answers["authorizer refuses"] += 1
            return
        if token != TOKEN:
            self.report.finds("letIn", f"token {token!r}")
        ids = pick([[str(uuid.UUID(int=self.chance.getrandbits(128)))]] * 8 + [["9B2C7F3A-0D41-4C8E-9F57-3A1D5E6B7C80"],
                    [self._junk()], ["a", "b"], [""], ["\u0661" * 36]])  # fmt: skip
        headers = {
            "Content-Type": [pick([TYPES[0]] * 8 + [*TYPES, self._junk()])],
            "authorizationToken": [token],
        }
        body = pick(BODIES) if self.chance.random() < 0.4 else self._json()
        answer = self._ask("store", self.store.handler, self._event("/metadata", headers, body, ids=ids))
        if answer is not None and answer["statusCode"] != 200:
            error = json.loads(answer["body"])["error"]
            if set(error) != {"code", "message", "requestId"} or TOKEN in answer["body"]:
                self.report.finds("undocumented", answer["body"])

    def _webhook(self) -> None:
        from rehearsals.vendors.biometrics.twilio import sign  # noqa: PLC0415

        pick, chance = self.chance.choice, self.chance.random
        if self.last is not None and chance() < 0.05:  # the same message again
            self._ask("webhook", self.webhook.handler, self.last)
            return
        number = pick([*NUMBERS, *NUMBERS, "anonymous", self._junk()])
        if chance() < 0.3 and number in NUMBERS:
            self._call(number)
        step = pick(["", "", "code", "code", "consent", "enrol", "verify", "status", "x", self._junk()])
        turn = pick(["0", "1", "2", "3", "4", "5", "99999", "-1", "9" * 25, self._junk()])
        form = {
            "AccountSid": pick([ACCOUNT] * 9 + [self._junk()]),
            "CallSid": pick([f"CA{number[-2:] * 16}"] * 4 + [self._junk()]),
            "From": number,
            "CallStatus": pick(["in-progress", "completed", self._junk()]),
            "Digits": pick([self.codes.get(number, "1"), "1", "2", "99999999", self._junk()]),
            "RecordingSid": pick([f"RE{self.chance.getrandbits(128):032x}", "", self._junk()]),
        } | ({self._junk(): self._junk()} if chance() < 0.2 else {})
        path = f"/voice/{step}/{turn}" if step else "/voice"
        form = {name: text.encode("utf-8", "replace").decode() for name, text in form.items()}
        signature = sign(f"https://{HOST}/prod{path}", form, pick([AUTH_TOKEN] * 7 + ["guessed"]))
        headers = pick(
            [{"X-Twilio-Signature": [signature]}] * 9 + [{}, {"x-twilio-signature": [signature] * 2}]
        )
        body = urlencode(form).encode() if chance() < 0.95 else self._json() + urlencode(form).encode()
        event = self._event(path, headers, body)
        event["pathParameters"] = {"step": step, "turn": turn} if step else None
        self.last = event
        self._ask("webhook", self.webhook.handler, event)

    def _call(self, number: str) -> None:
        data = {
            "ContactId": str(uuid.uuid4()),
            "CustomerEndpoint": {"Address": number, "Type": "TELEPHONE_NUMBER"},
        }
        phase = self.chance.choice(["start", "return"])
        event = {"Details": {"ContactData": data, "Parameters": {"phase": phase}}}
        answer = self.gate.handler(event, self.context)
        if answer["Transfer"] == "true":
            self.codes[number] = answer["Digits"].strip(",")

    def _event(
        self, path: str, headers: dict[str, list[str]], body: bytes, ids: list[str] | None = None
    ) -> dict[str, Any]:
        return {
            "resource": path,
            "path": path,
            "httpMethod": "POST",
            "headers": {name: values[-1] for name, values in headers.items()},
            "multiValueHeaders": headers,
            "queryStringParameters": {"contactId": ids[-1]} if ids else None,
            "multiValueQueryStringParameters": {"contactId": ids} if ids else None,
            "pathParameters": None,
            "requestContext": {
                "requestId": str(uuid.uuid4()),
                "path": f"/prod{path}",
                "domainName": HOST,
                "stage": "prod",
            },
            "body": body.decode("utf-8", "replace") if body else None,
            "isBase64Encoded": False,
        }  # fmt: skip

    def _json(self) -> bytes:
        """Return a JSON object, now and then with a few bytes changed."""
        depth = self.chance.choice([1, 2, 5, 99, 101])
        value: Any = self._junk()
        for _ in range(depth):
            value = {self._junk(): value} if self.chance.random() < 0.6 else [value]
        body = bytearray(
            json.dumps({"said": value}, ensure_ascii=self.chance.random() < 0.5).encode("utf-8", "replace")
        )
        for _ in range(self.chance.choice([0, 0, 1, 3])):
            body[self.chance.randrange(len(body))] = self.chance.randrange(256)
        return bytes(body)

    def _junk(self) -> str:
        """Return a text that nobody sends."""
        length = self.chance.choice([0, 1, 3, 20, 300])
        alphabet = self.chance.choice(
            ["aé€😀", "\x00\x1f\x7f\r\n", '"\\{}[]:,', "0123456789+-.eE", "%&=;/?#"]
        )
        return "".join(self.chance.choices(alphabet, k=length))

    # --- what came of them

    def _ask(self, function: str, handler: Callable[..., Any], event: dict[str, Any]) -> Any:
        begun = time.monotonic()
        answer = None
        try:
            answer = handler(event, self.context)
        except Exception as error:  # noqa: BLE001 (whatever it is, it is counted)
            if str(error) != "Unauthorized":
                self.report.finds("ownError", f"{function}: {error!r} for {event!r}")
        self._took(function, time.monotonic() - begun, repr(event))
        if answer is not None and "statusCode" in answer:
            status = answer["statusCode"]
            code = (
                json.loads(answer["body"])["error"]["code"]
                if function == "store" and status in range(400, 500)
                else ""
            )
            self.report.answers[f"{function} {status} {code}".strip()] += 1
            if status >= 500:
                self.report.finds("ownError", f"{function}: {answer} for {event!r}")
            elif status not in {200, 400, 401, 403, 409, 413, 415}:
                self.report.finds("undocumented", f"{function}: {answer}")
        return answer

    def _took(self, function: str, seconds: float, what: str) -> None:
        self.report.slowest = max(self.report.slowest, seconds)
        if seconds > LIMITS[function]:
            self.report.finds("hang", f"{function}: {seconds:.1f} s for {what}")

    def _read(self, lines: str) -> None:
        """Look through what one request has logged."""
        self.report.lines += lines.count("\n")
        if "Traceback (most recent call last)" in lines:
            self.report.finds("tracebacks", lines)
        if "nobody-may-log" in lines:
            self.report.finds("secrets", lines)
        digits = [number[1:] for number in NUMBERS if number[1:] in lines]
        digits += [code for code in self.codes.values() if f'"{code}"' in lines or f",{code}" in lines]
        if digits:
            self.report.finds("digits", lines)


def _set_up(vendors: Vendors) -> None:
    """Create tables and secrets, and the environment of all functions."""
    import boto3  # noqa: PLC0415

    secrets, dynamodb = boto3.client("secretsmanager"), boto3.client("dynamodb")

    def secret(name: str, text: str) -> str:
        arn: str = secrets.create_secret(Name=name, SecretString=text)["ARN"]
        return arn

    # One table for both: its key attribute has one name.
    dynamodb.create_table(
        TableName="Items",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    os.environ |= {
        "TABLE_NAME": "Items",
        "KEY_ATTRIBUTE": "id",
        "TOKEN_SECRET_ARN": secret("token", TOKEN),
        "CALLER_KEY_SECRET_ARN": secret("callers", KEY),
        "TELEPHONY_SECRET_ARN": secret("telephony", json.dumps({"accountSid": ACCOUNT, "authToken": AUTH_TOKEN})),
        "PROVIDER": "voiceit",
        "PROVIDER_NAME": "voiceit",
        "PROVIDER_SECRET_ARN": secret("provider", json.dumps({"apiKey": "k", "apiToken": "api-token-nobody-may-log"})),
        "VOICEIT_API_URL": vendors.voiceit.url,
        "TWILIO_API_URL": vendors.twilio.url,
        "TELEPHONY_NUMBER": "+12065550188",
        "ENROLMENTS_NEEDED": "2",
        "PROVIDER_SECONDS": "2",
    }  # fmt: skip


def main() -> None:
    """Play what the command line says; print the report."""
    requests, seed, planted = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    aws = dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"), "testing")
    os.environ |= aws | {"AWS_DEFAULT_REGION": "us-east-1", "AWS_REGION": "us-east-1"}
    os.environ |= {"NO_PROXY": "localhost,127.0.0.1", "POWERTOOLS_METRICS_DISABLED": "true"}
    report = _Player(seed, planted).play(requests)
    sys.stdout.write("\n" + json.dumps(vars(report)) + "\n")


if __name__ == "__main__":
    main()
