"""Plays schemathesis against a deployed API: draws requests by its OpenAPI document, sends them, checks the answers.

A process of its own, since schemathesis changes hypothesis for everybody in its process (buffer sizes, what is printed
of a failing example): `drive` starts one, `python -m tests.support.openapi_run` is it. It reads an Order as JSON from
its standard input and writes a Report to its standard output. No example is shrunk and none ends the run, so that one
run shows everything that it finds, each finding with the command that repeats it.
"""

from __future__ import annotations

import contextlib
import json
import math
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

import yaml

if TYPE_CHECKING:
    from rehearsals.scenarios import Deployment

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = ROOT / "docs/openapi"
HANGS_AFTER = 29.0
"""Seconds after which API Gateway gives up; who has no answer by then has found a hang."""
STEPS = ("", "code", "consent", "enrol", "verify", "status")
SHOWN = 20
"""How many findings a report holds; the others are counted."""
LONGEST = 800
"""Characters of a request that is shown."""
BODIES = (
    b"", b"{", b"null", b"[]", b'"text"', b"\xff\xfe{}", b"\xef\xbb\xbf{}", b'{"a":1,"a":2}', b'{"a":NaN}',
    b'{"a":"\\ud800"}', b'{"a":' + b"9" * 5_000 + b"}", b'{"a":1e999999}', b'{"a":' * 101 + b"1" + b"}" * 101,
    b"[" * 20_000, b'{"a":"' + b"x" * 31_000 + b'"}', b'{"a":"' + b"\\" * 20_000 + b'"}', b'"' * 100_000,
    b'{"a":"\x00"}', b"a=1&b=2", '{"é":"€😀"}'.encode(), b'{"__proto__":{"constructor":1}}', b"{}" + b" " * 40_000,
)  # fmt: skip
"""What schemathesis does not draw: bodies that are no JSON, read in two ways, or too much for a reader."""
TYPES = ("application/json", "application/json; charset=utf-16", "text/plain", "application/xml", "x", "")


@dataclass(frozen=True)
class Order:
    """What to play.

    document: metadata or voice-biometrics-webhook. url: the deployed address of the document's first path, as the
    stack's output gives it; connect_to: the host and port of the sandbox's front. secret: the token of the metadata
    API, or the auth token that signs messages. account: Twilio's account, for the webhook. The seed draws the same
    examples everywhere, so many of them, or as many as are played in so many seconds.
    """

    document: str
    url: str
    connect_to: tuple[str, int]
    secret: str
    token_header: str = "authorizationToken"
    account: str = ""
    numbers: tuple[str, ...] = ("+12065550196",)
    examples: int = 100
    seed: int = 0
    threads: int = 1
    seconds: float = math.inf

    @property
    def host(self) -> str:
        """The API's host name."""
        return urlsplit(self.url).netloc

    @property
    def local(self) -> str:
        """Where the sandbox serves the API's stage."""
        return f"http://{self.connect_to[0]}:{self.connect_to[1]}/{urlsplit(self.url).path.split('/')[1]}"

    @property
    def path(self) -> str:
        """The path of the document's first operation, as it is deployed."""
        return "/" + urlsplit(self.url).path.lstrip("/").partition("/")[2]


@dataclass
class Report:
    """What came of it. `answers` counts by status and code, as `400 INVALID_JSON`."""

    requests: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    """How often each kind of finding came: ownError, hang, and the names of checks."""
    shown: list[str] = field(default_factory=list)
    seconds: float = 0.0
    slowest: float = 0.0

    def finds(self, kind: str, what: str) -> None:
        """Count a finding; show it if not too many are shown."""
        self.found[kind] += 1
        if len(self.shown) < SHOWN:
            self.shown.append(f"{kind}: {what}")


def metadata_order(deployment: Deployment, *, examples: int = 0, seed: int = 0, threads: int = 1) -> Order:
    """Return the order that plays the deployed metadata API."""
    path = deployment.voice
    host, port, _ = deployment.sandbox.api_base(path.api_url)
    return Order(
        "metadata", path.api_url, (host, port), path.token, path.token_header,
        examples=examples, seed=seed, threads=threads,
    )  # fmt: skip


def webhook_order(deployment: Deployment, *, examples: int = 0, seed: int = 0, threads: int = 1) -> Order:
    """Return the order that plays the deployed webhook of the voice biometrics."""
    path = deployment.biometrics
    return Order(
        "voice-biometrics-webhook", path.number.webhook_url, path.number.connect_to, path.twilio.auth_token,
        account=path.twilio.account_sid, examples=examples, seed=seed, threads=threads,
    )  # fmt: skip


def drive(order: Order, *, timeout: float) -> Report:
    """Play an order in a process of its own; ChildProcessError if that fails, TimeoutExpired after so many seconds."""
    ended = subprocess.run(
        [sys.executable, "-m", "tests.support.openapi_run"],
        input=json.dumps(asdict(order)),
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=timeout,
        check=False,
    )
    if ended.returncode:
        raise ChildProcessError(f"the process that plays {order.document} ended so:\n{ended.stderr[-4000:]}")
    told = json.loads(ended.stdout.splitlines()[-1])
    return Report(**told | {"answers": Counter(told["answers"]), "found": Counter(told["found"])})


def published(name: str) -> dict[str, Any]:
    """Return a document as it is published."""
    found: dict[str, Any] = yaml.safe_load((DOCUMENTS / f"{name}.yaml").read_text(encoding="utf-8"))
    return found


def deployed(document: dict[str, Any], path: str) -> dict[str, Any]:
    """Return the document with the deployed path in the place of the preset's."""
    first = min(document["paths"], key=len)
    paths = {path + name.removeprefix(first): item for name, item in document["paths"].items()}
    return document | {"paths": paths}


def documented(document: Mapping[str, Any], operation: Mapping[str, Any], status: int, code: str) -> bool:
    """Tell whether an answer of this status and error code is one that the document names.

    What it names only by `default` must be a refusal of API Gateway, with a code of its own there; an answer without
    codes (TwiML) must have its status named, or be below 500.
    """
    named = operation["responses"].get(str(status))
    if named is None:
        named = operation["responses"]["default"]
        if not 400 <= status < 500:
            return False
    while "$ref" in named:
        found: Any = document
        for part in named["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        named = found
    return "x-codes" not in named or code in named["x-codes"]


def play(order: Order) -> Report:
    """Draw and send; return what was found."""
    return _Player(order).play()


class EnoughError(Exception):
    """The time is over: no further example is drawn."""


class _Player:
    """Draws with schemathesis and sends from several threads."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._document = deployed(published(order.document), order.path)
        self._dress = _token if order.document == "metadata" else _signed
        self._report = Report()
        self._lock, self._local = threading.Lock(), threading.local()
        self._until: list[float] = []

    def play(self) -> Report:
        """Play every operation, with what fits its document and with what does not."""
        # schemathesis changes hypothesis for its whole process: only in the one that plays.
        import schemathesis  # noqa: PLC0415
        from schemathesis import GenerationMode  # noqa: PLC0415

        import tests.support.draws  # noqa: F401, PLC0415 (the profile that draws the same everywhere)

        schema = schemathesis.openapi.from_dict(self._document)
        kinds = [
            (schema[path][verb.upper()], mode)
            for path, item in self._document["paths"].items()
            for verb in item
            for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
        ]
        begun = time.monotonic()
        self._until = [
            begun + self._order.seconds * (number + 1) / len(kinds) for number in range(len(kinds))
        ]
        with ThreadPoolExecutor(self._order.threads) as pool:
            # What was drawn and not yet sent must not pile up.
            room = threading.Semaphore(2 * self._order.threads)
            sent = [
                one
                for number, (operation, mode) in enumerate(kinds)
                for one in self._draw(
                    operation.as_strategy(generation_mode=mode), number, len(kinds), pool, room
                )
            ]
            for one in sent:
                one.result()
        self._report.seconds = time.monotonic() - begun
        return self._report

    def _draw(
        self, cases: Any, number: int, kinds: int, pool: ThreadPoolExecutor, room: threading.Semaphore
    ) -> list[Future[None]]:
        from hypothesis import HealthCheck, Phase, given, seed, settings  # noqa: PLC0415

        sent: list[Future[None]] = []
        chance = random.Random(self._order.seed * 100 + number)  # noqa: S311 (the same examples everywhere)

        @seed(self._order.seed * 100 + number)
        @settings(
            max_examples=max(1, self._order.examples // kinds),
            derandomize=False,
            phases=[Phase.generate],
            suppress_health_check=[
                HealthCheck.too_slow,
                HealthCheck.filter_too_much,
                HealthCheck.data_too_large,
                HealthCheck.large_base_example,
            ],
        )
        @given(case=cases)
        def example(case: Any) -> None:
            if time.monotonic() > self._until[number]:
                raise EnoughError
            allowed = self._dress(case, chance, self._order)
            room.acquire()
            sent.append(pool.submit(self._send, case, allowed, room))

        with contextlib.suppress(EnoughError):
            example()
        return sent

    def _send(self, case: Any, allowed: bool, room: threading.Semaphore) -> None:
        import requests  # noqa: PLC0415 (of the process that plays)

        if not hasattr(self._local, "session"):
            self._local.session = requests.Session()
        answer, problem = None, ""
        begun = time.monotonic()
        try:
            answer = case.call(
                base_url=self._order.local,
                headers={"Host": self._order.host},
                session=self._local.session,
                timeout=HANGS_AFTER,
            )
        except requests.RequestException as error:
            problem = type(error).__name__
        finally:
            room.release()
        took = time.monotonic() - begun
        with self._lock:
            self._report.requests += 1
            self._report.slowest = max(self._report.slowest, took)
            repeated = partial(_repeated, case, self._order.host)
            if answer is None:
                self._report.answers["none"] += 1
                self._report.finds("hang", f"{problem} after {took:.1f} s\n  {repeated()}")
                return
            _judge(self._report, self._document, case, answer, allowed=allowed, repeated=repeated)
            _conforms(self._report, case, answer, repeated)


def _conforms(report: Report, case: Any, answer: Any, repeated: Callable[[], str]) -> None:
    """Let schemathesis compare content type, headers and body with the document."""
    from schemathesis.core.failures import FailureGroup  # noqa: PLC0415 (of the process that plays)
    from schemathesis.specs.openapi import checks  # noqa: PLC0415

    wanted = (
        checks.content_type_conformance,
        checks.response_headers_conformance,
        checks.response_schema_conformance,
    )
    for check in wanted:
        try:
            case.validate_response(answer, checks=[check])
        except FailureGroup as group:
            told = " ".join(str(group.exceptions[0]).split())
            report.finds(check.__name__, f"{told[:300]}\n  {repeated()}")


def _judge(
    report: Report,
    document: Mapping[str, Any],
    case: Any,
    answer: Any,
    *,
    allowed: bool,
    repeated: Callable[[], str],
) -> None:
    is_xml = "xml" in "".join(answer.headers.get("content-type", []))
    code, by_gateway = "", "x-amzn-errortype" in answer.headers
    try:
        if is_xml:
            code = ET.fromstring(answer.content).tag  # noqa: S314 (our own answer)
        else:
            body = answer.json()
            code = body.get("error", {}).get("code", "") if isinstance(body, dict) else "not an object"
    except (ValueError, ET.ParseError) as error:
        report.finds("unreadable", f"{answer.status_code} {error}\n  {repeated()}")
    told = [str(answer.status_code), "" if is_xml else code, "by API Gateway" if by_gateway else ""]
    report.answers[" ".join(filter(None, told))] += 1
    if answer.status_code >= 500:
        report.finds("ownError", f"{answer.status_code} {answer.text[:300]}\n  {repeated()}")
    operation = document["paths"][case.operation.path][case.operation.method.lower()]
    if is_xml and code != "Response":
        report.finds("unreadable", f"<{code}> is no TwiML\n  {repeated()}")
    if not documented(document, operation, answer.status_code, "" if is_xml else code):
        report.finds("undocumented", f"{answer.status_code} {code}\n  {repeated()}")
    if not allowed and answer.status_code < 400 and not by_gateway:
        report.finds("letIn", f"{answer.status_code} without the right credentials\n  {repeated()}")


def _token(case: Any, draw: random.Random, order: Order) -> bool:
    """Give a request a token, mostly the right one; tell whether it is."""
    kind = draw.choice(["right"] * 7 + ["none", "wrong", "odd"])
    wrong = draw.choice(
        [order.secret[:-1], order.secret.swapcase(), f"Bearer {order.secret}", "x" * 4000, "ü€"]
    )
    token = {"right": order.secret, "none": None, "wrong": wrong, "odd": "".join(map(chr, range(33, 127)))}[
        kind
    ]
    for name in [name for name in case.headers or {} if name.lower() == order.token_header.lower()]:
        del case.headers[name]
    if token is not None:
        case.headers[order.token_header] = token.encode().decode("latin-1")
    if draw.random() < 0.4:
        case.body = draw.choice(BODIES)
        case.headers["Content-Type"] = draw.choice([TYPES[0]] * 5 + list(TYPES))
    return kind == "right"


def _signed(case: Any, draw: random.Random, order: Order) -> bool:
    """Make the form one of Twilio's, more or less, and sign it or not; tell whether the signature is right."""
    from rehearsals.vendors.biometrics.twilio import sign  # noqa: PLC0415 (only in the process that plays)

    form = {str(k): str(v) for k, v in case.body.items()} if isinstance(case.body, dict) else {}
    if draw.random() < 0.9:
        form |= {
            "AccountSid": order.account if draw.random() < 0.95 else "AC" + "0" * 32,
            "CallSid": draw.choice(["CA" + "1" * 32, "CA" + "2" * 32, "", "CA\u0661", "x" * 3000]),
            "From": draw.choice([*order.numbers, *order.numbers, "+1", "anonymous", "+1206555010\u0660", ""]),
            "CallStatus": draw.choice(["in-progress", "completed", "busy", "\x00", ""]),
        }
    if draw.random() < 0.7:
        form["Digits"] = draw.choice(["1", "2", "12345678", "#", "9" * 500, "\u0661", ""])
    if draw.random() < 0.5:
        form["RecordingSid"] = draw.choice(["RE" + "a" * 32, "RE" + "A" * 32, "../../x", ""])
    if "step" in case.path_parameters and draw.random() < 0.9:
        case.path_parameters["step"] = draw.choice(STEPS[1:])
        case.path_parameters["turn"] = draw.choice(["0", "1", "2", "99999", "-1", "0" * 19])
    kind = draw.choice(["right"] * 6 + ["none", "wrong", "moved"])
    if kind == "right" or isinstance(case.body, dict):
        case.body, case.media_type = form, "application/x-www-form-urlencoded"
    steps = "".join(
        f"/{case.path_parameters[name]}" for name in ("step", "turn") if name in case.path_parameters
    )
    url = order.url + ("/verify/1" if kind == "moved" else steps)
    for name in [name for name in case.headers or {} if name.lower() == "x-twilio-signature"]:
        del case.headers[name]
    if kind != "none":
        case.headers["X-Twilio-Signature"] = sign(url, form, order.secret if kind != "wrong" else "guessed")
    return kind == "right" or (kind == "moved" and url == order.url + steps)


def _repeated(case: Any, host: str) -> str:
    """Return the request as a command."""
    try:
        return str(case.as_curl_command({"Host": host}))[:LONGEST]
    except Exception as error:  # noqa: BLE001 (a request that no command can say is shown as it is)
        return f"{case!r} ({error})"[:LONGEST]


if __name__ == "__main__":
    told = json.load(sys.stdin)
    asked = Order(**told | {"connect_to": tuple(told["connect_to"]), "numbers": tuple(told["numbers"])})
    sys.stdout.write("\n" + json.dumps(vars(play(asked))) + "\n")
