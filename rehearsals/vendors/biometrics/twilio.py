"""A fake for Twilio: one account, one number, its webhooks and its recordings, over HTTP.

Source: Twilio's documentation, "TwiML", "Webhooks security", "Recordings resource". A call to the number posts a signed
webhook to the URL that was entered there, plays the TwiML of the answer, and so on; when the call is over, the status
callback is told. Recordings are deleted by basic authentication with account SID and auth token, and fetched likewise
unless the account does without (Twilio's support articles, "Prevent unauthorized access to your Programmable Voice
Media with HTTP Basic Auth"). Calls and recordings are listed page by page (next_page_uri), by the filters of its
documentation: CallSid and DateCreated, From, To and StartTime.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import json
import re
import secrets
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate, parsedate_to_datetime
from urllib.parse import parse_qsl, urlencode, urlsplit

from rehearsals.vendors.biometrics.server import Asked, Told, VendorServer
from rehearsals.vendors.biometrics.wav import Utterance

WEBHOOK_LIMIT = 15.0
"""Seconds that Twilio waits for TwiML."""
_LIST = re.compile(r"/2010-04-01/Accounts/(AC[0-9a-f]{32})/(Recordings|Calls)\.json")
_CALL = re.compile(r"/2010-04-01/Accounts/(AC[0-9a-f]{32})/Calls/(CA[0-9a-f]{32})\.json")
_FILTERS = {"Recordings": {"CallSid", "DateCreated"}, "Calls": {"From", "To", "StartTime"}}
_PAGING = {"PageSize", "Page", "PageToken"}
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
    made: dict[str, tuple[str, float]] = field(default_factory=dict)
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
        self._calls: dict[str, dict[str, str]] = {}
        self.most_per_page = 1_000
        """How long a page of a list may get, whatever PageSize asks for."""
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

    def call_begins(self, sid: str, *, number: str, to: str) -> None:
        """Remember a call that came in."""
        with self._lock:
            self._calls[sid] = {
                "sid": sid,
                "from": number,
                "to": to,
                "status": "in-progress",
                "start_time": formatdate(time.time()),
            }

    def call_ends(self, sid: str) -> None:
        """Remember that a call is over."""
        with self._lock:
            self._calls[sid]["status"] = "completed"

    def let_pass(self, seconds: float) -> None:
        """Make every call and recording that much older, as if so much time had passed."""
        with self._lock:
            for sid, (call, at) in self._recordings.made.items():
                self._recordings.made[sid] = (call, at - seconds)
            for call_of in self._calls.values():
                began = parsedate_to_datetime(call_of["start_time"]).timestamp()
                call_of["start_time"] = formatdate(began - seconds)

    def record(self, speaker: str, words: str, call_sid: str = "") -> tuple[str, str, Utterance]:
        """Record somebody in a call; return the recording's id, its URL and what is on it."""
        with self._lock:
            self._takes += 1
            said = Utterance(speaker, words, f"{self._takes}-{time.time_ns()}")
            sid = f"RE{secrets.token_hex(16)}"
            self._recordings.kept[sid] = said.to_wav()
            self._recordings.made[sid] = (call_sid, time.time())
        return sid, f"{self.url}/2010-04-01/Accounts/{self.account_sid}/Recordings/{sid}", said

    def forget_recordings(self) -> None:
        """Delete every recording, without the API."""
        with self._lock:
            self._recordings.kept.clear()

    def answer(self, asked: Asked) -> Told:
        """Serve and delete recordings."""
        parts = urlsplit(asked.path)
        found = _RECORDING.fullmatch(asked.path)
        listens = found is not None and (asked.method, found[3]) == ("GET", ".wav")
        is_open = listens and not self.enforces_http_auth
        if not is_open and not asked.has_credentials(self.account_sid, self.auth_token):
            return Told(401, b"Authenticate")
        listed, call = _LIST.fullmatch(parts.path), _CALL.fullmatch(parts.path)
        if asked.method == "GET" and listed and listed[1] == self.account_sid:
            return self._list(listed[2], parts.path, dict(parse_qsl(parts.query)))
        if asked.method == "GET" and call and call[1] == self.account_sid:
            known = self._calls.get(call[2])
            return Told(200, json.dumps(known).encode()) if known else Told(404)
        if found is None or found[1] != self.account_sid:
            return Told(404, b"the sandbox's Twilio has recordings of one account only")
        with self._lock:
            return self._of_recording(asked.method, found[2], found[3])

    def _list(self, resource: str, path: str, asked: Mapping[str, str]) -> Told:
        unknown = set(asked) - _FILTERS[resource] - _PAGING
        if unknown:
            return Told(400, f"this fake of Twilio does not filter {resource} by {sorted(unknown)}".encode())
        with self._lock:
            entries = [dict(one) for one in self._calls.values()] if resource == "Calls" else self._listed()
        wanted = [one for one in entries if _fits(one, asked)]
        size = min(int(asked.get("PageSize", "50")), self.most_per_page)
        page = int(asked.get("Page", "0"))
        more = (page + 1) * size < len(wanted)
        following = urlencode({**asked, "Page": page + 1, "PageToken": f"PA{page + 1}"})
        document = {
            resource.lower(): wanted[page * size : (page + 1) * size],
            "page": page,
            "page_size": size,
            "next_page_uri": f"{path}?{following}" if more else None,
        }
        return Told(200, json.dumps(document).encode(), {"Content-Type": "application/json"})

    def _listed(self) -> list[dict[str, str]]:
        return [
            {
                "sid": sid,
                "call_sid": self._recordings.made[sid][0],
                "date_created": formatdate(self._recordings.made[sid][1]),
                "source": "RecordVerb",
                "status": "completed",
            }
            for sid in self._recordings.kept
        ]

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


def _fits(entry: Mapping[str, str], asked: Mapping[str, str]) -> bool:
    """Tell whether an entry of a list is wanted; dates are days in UTC."""
    names = {"CallSid": "call_sid", "From": "from", "To": "to"}
    dates = {"DateCreated": "date_created", "StartTime": "start_time"}
    return all(entry[name] == asked[key] for key, name in names.items() if key in asked) and all(
        parsedate_to_datetime(entry[name]).date().isoformat() == asked[key]
        for key, name in dates.items()
        if key in asked
    )


def sign(url: str, form: Mapping[str, str], auth_token: str) -> str:
    """Return X-Twilio-Signature: HMAC-SHA1 over the URL and the form's fields in order of their names."""
    text = url + "".join(name + form[name] for name in sorted(form))
    return base64.b64encode(hmac.new(auth_token.encode(), text.encode(), hashlib.sha1).digest()).decode()
