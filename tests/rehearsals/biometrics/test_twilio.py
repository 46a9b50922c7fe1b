"""The fake for Twilio signs, plays and records as Twilio is documented to."""

from __future__ import annotations

import base64
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

import pytest
from connect_sandbox.rehearsal.ports import CallFailed, HungUpByVendor, Invite
from twilio.request_validator import RequestValidator

from rehearsals.vendors.biometrics import DirectCall, Twilio, TwilioDialler, Utterance
from rehearsals.vendors.biometrics.dialler import APPLICATION_ERROR
from rehearsals.vendors.biometrics.twilio import Number, sign
from rehearsals.vendors.biometrics.twiml import TwimlError, read

CALLER = "+12065550101"
HANG_UP = "<Hangup/>"


class App:
    """An application that Twilio asks: it answers each path with TwiML, and keeps what was posted."""

    def __init__(self) -> None:
        self.answers: dict[str, str] = {}
        self.posted: list[tuple[str, dict[str, str], str]] = []
        app = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                form = dict(parse_qsl(body, keep_blank_values=True))
                app.posted.append((self.path, form, self.headers["X-Twilio-Signature"]))
                answer = f"<Response>{app.answers.get(self.path, HANG_UP)}</Response>".encode()
                self.send_response(500 if app.answers.get(self.path) == "broken" else 200)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (the base's signature)
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        at = ("127.0.0.1", int(self.server.server_address[1]))
        self.number = Number("https://app.example.com/voice", "https://app.example.com/voice/status/0", at)

    @property
    def steps(self) -> list[str]:
        return [path for path, _, _ in self.posted]

    def form(self, path: str) -> Mapping[str, str]:
        return next(form for at, form, _ in self.posted if at == path)


@pytest.fixture
def app() -> Iterator[App]:
    running = App()
    yield running
    running.server.shutdown()
    running.server.server_close()


@pytest.fixture
def twilio() -> Iterator[Twilio]:
    with Twilio() as running:
        yield running


def direct(twilio: Twilio, app: App, *replies: str, keys: str = "") -> DirectCall:
    return DirectCall(twilio, app.number, number=CALLER, voice="Ada", keys=keys).calls(replies)


def ask(twilio: Twilio, method: str, path: str, token: str) -> tuple[int, bytes]:
    request = urllib.request.Request(twilio.url + path, method=method)  # noqa: S310
    pair = base64.b64encode(f"{twilio.account_sid}:{token}".encode()).decode()
    request.add_header("Authorization", f"Basic {pair}")
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, b""


def test_webhooks_are_signed_as_twilios_own_library_expects(twilio: Twilio, app: App) -> None:
    direct(twilio, app)
    validator = RequestValidator(twilio.auth_token)
    assert app.steps == ["/voice", "/voice/status/0"]
    for path, form, signature in app.posted:
        assert validator.validate(f"https://app.example.com{path}", form, signature)
    assert app.form("/voice")["From"] == CALLER
    assert app.form("/voice")["CallStatus"] == "ringing"
    assert app.form("/voice/status/0")["CallStatus"] == "completed"


def test_keys_sent_with_the_call_answer_the_first_question(twilio: Twilio, app: App) -> None:
    app.answers["/voice"] = (
        '<Gather input="dtmf" numDigits="4" action="https://app.example.com/voice/code/0"/>'
    )
    direct(twilio, app, keys=",,123456")
    assert app.form("/voice/code/0")["Digits"] == "1234"


@pytest.mark.parametrize(("reply", "posts"), [("1", ["1"]), ("yes", [""]), ("", [""])])
def test_a_question_for_keys_is_posted_without_any_if_that_is_wanted(
    twilio: Twilio, app: App, reply: str, posts: list[str]
) -> None:
    app.answers["/voice"] = (
        '<Gather input="dtmf" numDigits="1" actionOnEmptyResult="true" '
        'action="https://app.example.com/voice/consent/1"><Say>Press 1.</Say></Gather>'
    )
    call = direct(twilio, app, reply)
    assert call.heard == ["Press 1."]
    assert [form["Digits"] for path, form, _ in app.posted if "consent" in path] == posts


def test_what_is_said_is_recorded_and_silence_goes_on_with_the_next_verb(twilio: Twilio, app: App) -> None:
    app.answers["/voice"] = (
        '<Record action="https://app.example.com/voice/verify/1"/>'
        '<Redirect method="POST">https://app.example.com/voice/verify/1</Redirect>'
    )
    direct(twilio, app, "hello there")
    direct(twilio, app, "")
    said, silent = [form for path, form, _ in app.posted if "verify" in path]
    assert "RecordingSid" not in silent
    path = f"/2010-04-01/Accounts/{twilio.account_sid}/Recordings/{said['RecordingSid']}"
    assert ask(twilio, "GET", path + ".wav", "wrong")[0] == 401
    status, recording = ask(twilio, "GET", path + ".wav", twilio.auth_token)
    assert status == 200
    assert (Utterance.of_wav(recording).speaker, Utterance.of_wav(recording).words) == ("Ada", "hello there")
    with twilio.cannot_delete():
        assert ask(twilio, "DELETE", path + ".json", twilio.auth_token)[0] == 500
    assert ask(twilio, "DELETE", path + ".json", twilio.auth_token)[0] == 204
    assert ask(twilio, "GET", path + ".wav", twilio.auth_token)[0] == 404
    assert twilio.deleted == [said["RecordingSid"]]


def test_without_http_auth_on_media_urls_anybody_can_listen_and_nobody_else_can_delete(app: App) -> None:
    with Twilio(enforces_http_auth=False) as twilio:
        sid, url, _ = twilio.record("Ada", "hello there")
        path = url.removeprefix(twilio.url)
        assert ask(twilio, "GET", path + ".wav", "wrong")[0] == 200
        assert ask(twilio, "GET", path + ".json", "wrong")[0] == 401
        assert ask(twilio, "DELETE", path + ".json", "wrong")[0] == 401
        assert twilio.recordings == [sid]
        twilio.enforces_http_auth = True
        assert ask(twilio, "GET", path + ".wav", "wrong")[0] == 401


def test_an_application_that_fails_is_told_to_the_caller(twilio: Twilio, app: App) -> None:
    app.answers["/voice"] = "broken"
    assert direct(twilio, app).heard == [APPLICATION_ERROR]


def test_a_call_that_is_to_be_passed_on_needs_somebody_who_carries_it(twilio: Twilio, app: App) -> None:
    app.answers["/voice"] = "<Dial>+12065550177</Dial>"
    with pytest.raises(TwimlError, match=r"does not say what answers"):
        direct(twilio, app)
    carried: list[tuple[str, str]] = []
    dialler = TwilioDialler(
        twilio, app.number, voice="Ada", on_dial=lambda to, from_: carried.append((to, from_))
    )
    line: Any = DirectCall(twilio, app.number, number=CALLER, voice="Ada")
    outcome = dialler.dial(Invite(to="+12065550188", from_=CALLER), time_limit=30, line=line)
    assert (outcome, carried) == (HungUpByVendor(), [("+12065550177", CALLER)])


def test_no_connector_leads_to_the_number(twilio: Twilio, app: App) -> None:
    line: Any = DirectCall(twilio, app.number, number=CALLER, voice="Ada")
    over = Invite(to="+12065550188", from_=CALLER, voice_connector_arn="arn:aws:chime:us-east-1:1:vc/a")
    outcome = TwilioDialler(twilio, app.number, voice="Ada").dial(over, time_limit=30, line=line)
    assert isinstance(outcome, CallFailed)


def test_a_replayed_webhook_is_the_same_to_the_letter(twilio: Twilio, app: App) -> None:
    direct(twilio, app)
    twilio.replay(app.number, twilio.posted[0])
    assert app.posted[2] == app.posted[0]
    assert sign("https://x.example.com/", {"b": "2", "a": "1"}, "t") != sign(
        "https://x.example.com/", {}, "t"
    )


@pytest.mark.parametrize(
    ("document", "named"),
    [
        ("<Response><Play>x.mp3</Play></Response>", "<Play>"),
        ('<Response><Gather input="speech"/></Response>', 'input="speech"'),
        ('<Response><Dial timeout="5">+1</Dial></Response>', 'timeout="5"'),
        ("<Response><Gather><Hangup/></Gather></Response>", "cannot hold <Hangup>"),
        ("<Answer/>", "<Answer>"),
        ("hello", "no XML"),
    ],
)
def test_what_cannot_be_played_fails_by_name(document: str, named: str) -> None:
    with pytest.raises(TwimlError, match=named):
        read(document)
