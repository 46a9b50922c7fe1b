"""A fake for Twilio: one account, one number, its webhooks and its recordings, over HTTP.

Source: Twilio's documentation, "TwiML", "Webhooks security", "Recordings resource". A call to the number posts a signed
webhook to the URL that was entered there, plays the TwiML of the answer, and so on; when the call is over, the status
callback is told. Recordings are deleted by basic authentication with account SID and auth token, and fetched likewise
unless the account does without (Twilio's support articles, "Prevent unauthorized access to your Programmable Voice
Media with HTTP Basic Auth").
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import re
import secrets
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit

from rehearsals.vendors.biometrics.server import Asked, Told, VendorServer
from rehearsals.vendors.biometrics.wav import Utterance

WEBHOOK_LIMIT = 15.0
"""Seconds that Twilio waits for TwiML."""
_RECORDING = re.compile(r"/2010-04-01/Accounts/(AC[0-9a-f]{32})/Recordings/(RE[0-9a-f]{32})(\.wav|\.json)")


@dataclass(frozen=True)
class Number:
    """What is entered at a telephone number: where to post a call that comes in, and a call's end.

    `connect_to` is the host and port that the addresses' host name leads to: the sandbox's front.
    """

    webhook_url: str
    status_url: str
    connect_to: tuple[str, int]


@dataclass(frozen=True)
class Webhook:
    """A webhook as it was posted, and its answer. `status` 0: no answer in time."""

    url: str
    form: Mapping[str, str]
    signature: str
    status: int
    answer: str

    @property
    def step(self) -> str:
        """What follows the webhook's own path, as `verify/1`; empty for a call that comes in."""
        found = re.search(r"/voice/(.+)$", self.url)
        return found[1] if found else ""


@dataclass
class _Recordings:
    kept: dict[str, bytes] = field(default_factory=dict)
    deleted: list[str] = field(default_factory=list)
    stuck: bool = False


class Twilio(VendorServer):
    """Twilio, as a context manager. `posted` are the webhooks of all calls, `recordings` what it keeps.

    `enforces_http_auth` is the console's setting "Enforce HTTP Auth on media URLs". Accounts that are older than
    31 July 2023 can switch it off: then whoever has the address of a recording can listen to it.
    """

    def __init__(self, *, enforces_http_auth: bool = True) -> None:
        """Make an account."""
        super().__init__()
        self.enforces_http_auth = enforces_http_auth
        self.account_sid = f"AC{secrets.token_hex(16)}"
        self.auth_token = secrets.token_hex(16)
        self.posted: list[Webhook] = []
        self._recordings = _Recordings()
        self._takes = 0
        self._lock = threading.Lock()

    @property
    def recordings(self) -> list[str]:
        """The ids of the recordings that it keeps."""
        return list(self._recordings.kept)

    @property
    def deleted(self) -> list[str]:
        """The ids of the recordings that were deleted over the API."""
        return list(self._recordings.deleted)

    # --- webhooks

    def post(self, number: Number, url: str, form: Mapping[str, str]) -> Webhook:
        """Post a webhook with its signature; return it with its answer."""
        return self.send(number, url, form, sign(url, form, self.auth_token))

    def send(self, number: Number, url: str, form: Mapping[str, str], signature: str | None) -> Webhook:
        """Post a webhook with that signature (None: without any), as whoever forges or repeats one would."""
        parts = urlsplit(url)
        headers = {
            "Host": parts.netloc,
            "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
            "User-Agent": "TwilioProxy/1.1",
            **({} if signature is None else {"X-Twilio-Signature": signature}),
        }
        connection = http.client.HTTPConnection(*number.connect_to, timeout=WEBHOOK_LIMIT)
        try:
            connection.request("POST", parts.path, body=urlencode(form), headers=headers)
            response = connection.getresponse()
            status, answer = response.status, response.read().decode()
        except TimeoutError:
            status, answer = 0, ""
        finally:
            connection.close()
        webhook = Webhook(url, dict(form), signature or "", status, answer)
        self.posted.append(webhook)
        return webhook

    def replay(self, number: Number, webhook: Webhook) -> Webhook:
        """Post a webhook again as it was, signature included."""
        return self.send(number, webhook.url, webhook.form, webhook.signature)

    # --- recordings

    @contextmanager
    def cannot_delete(self) -> Iterator[None]:
        """Answer every deletion with 500."""
        self._recordings.stuck = True
        try:
            yield
        finally:
            self._recordings.stuck = False

    def record(self, speaker: str, words: str) -> tuple[str, str, Utterance]:
        """Record somebody; return the recording's id, its URL and what is on it."""
        with self._lock:
            self._takes += 1
            said = Utterance(speaker, words, f"{self._takes}-{time.time_ns()}")
            sid = f"RE{secrets.token_hex(16)}"
            self._recordings.kept[sid] = said.to_wav()
        return sid, f"{self.url}/2010-04-01/Accounts/{self.account_sid}/Recordings/{sid}", said

    def forget_recordings(self) -> None:
        """Delete every recording, without the API."""
        with self._lock:
            self._recordings.kept.clear()

    def answer(self, asked: Asked) -> Told:
        """Serve and delete recordings."""
        found = _RECORDING.fullmatch(asked.path)
        listens = found is not None and (asked.method, found[3]) == ("GET", ".wav")
        is_open = listens and not self.enforces_http_auth
        if not is_open and not asked.has_credentials(self.account_sid, self.auth_token):
            return Told(401, b"Authenticate")
        if found is None or found[1] != self.account_sid:
            return Told(404, b"the sandbox's Twilio has recordings of one account only")
        with self._lock:
            return self._of_recording(asked.method, found[2], found[3])

    def _of_recording(self, method: str, sid: str, suffix: str) -> Told:
        kept = self._recordings.kept
        if sid not in kept:
            return Told(404)
        if method == "DELETE" and self._recordings.stuck:
            return Told(500)
        if method == "DELETE":
            del kept[sid]
            self._recordings.deleted.append(sid)
            return Told(204)
        if (method, suffix) == ("GET", ".wav"):
            return Told(200, kept[sid], {"Content-Type": "audio/x-wav"})
        return Told(405, f"this fake of Twilio does not answer {method} {suffix}".encode())


def sign(url: str, form: Mapping[str, str], auth_token: str) -> str:
    """Return X-Twilio-Signature: HMAC-SHA1 over the URL and the form's fields in order of their names."""
    text = url + "".join(name + form[name] for name in sorted(form))
    return base64.b64encode(hmac.new(auth_token.encode(), text.encode(), hashlib.sha1).digest()).decode()
