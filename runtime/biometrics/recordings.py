"""Recordings at Twilio: fetched with the account's credentials, deleted after use, and looked for where one got lost.

The address is made of the account's and the recording's ids (https://api.twilio.com/2010-04-01/Accounts/{AccountSid}/
Recordings/{RecordingSid}), never taken from the webhook's RecordingUrl: credentials go to Twilio and nowhere else.
A webhook can be refused, throttled or lost, and then only Twilio knows of the recording. So it is asked what it holds:
by call, and by day. A list's next page (next_page_uri) is asked for at the API's own address only.
Source: Twilio's documentation of the Recordings and Calls resources (CallSid, DateCreated, From, To, StartTime,
PageSize, next_page_uri); listing and deleting need the same credentials as fetching.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlencode

from runtime.shared.clients import error_code
from runtime.shared.deadline import Deadline
from runtime.shared.environment import Environment
from runtime.shared.errors import BridgeError
from runtime.shared.http_client import HttpAnswer, HttpError, send
from runtime.shared.logging import LOGGER
from runtime.shared.rotated_secret import RotatedSecret, json_fields

RECORDING_SID = re.compile(r"RE[0-9a-f]{32}", re.ASCII)
MOST_BYTES = 4 * 1024 * 1024
FETCH_SECONDS = 2.5
DELETE_SECONDS = 1.5
LIST_SECONDS = 8.0
PAGE_SIZE = 1_000
"""Twilio's most; a page of as many calls takes some 2 MB."""
CALL_SID = re.compile(r"CA[0-9a-fA-F]{32}", re.ASCII)
OVER = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})
"""Values of a call's status after which nobody is on the line."""
RECORD_VERB = "RecordVerb"
"""The source of recordings that our TwiML asks for; others are the account owner's own."""
PAUSE_SECONDS = 0.25
CREDENTIALS = json_fields("accountSid", "authToken")
"""Makes of the telephony secret's text what Twilio's API, and its signatures, need."""


class RecordingUnavailableError(BridgeError):
    """Twilio did not hand the recording over."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call as Twilio knows it: its id, the number that was shown, and whether it is over."""

    sid: str
    number: str
    over: bool


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording as Twilio knows it: its id, its call's, and when it was made, in Unix time (0: not said)."""

    sid: str
    call_sid: str
    made_at: int


class TwilioRecordings:
    """Recordings of one Twilio account."""

    def __init__(self, *, url: str, secret: RotatedSecret[dict[str, str]]) -> None:
        self._api = url.rstrip("/")
        self._secret = secret

    @classmethod
    def read(cls, environment: Environment, secret: RotatedSecret[dict[str, str]]) -> TwilioRecordings:
        """Read TWILIO_API_URL; ``environment.check()`` is the caller's to call."""
        return cls(url=environment.api_url("TWILIO_API_URL", default="https://api.twilio.com"), secret=secret)

    def url(self, sid: str) -> str:
        """Return the WAV file's address."""
        return self._address(self._secret.versions()[0]["accountSid"], sid) + ".wav"

    def fetch(self, sid: str) -> bytes:
        """Return the WAV file; waits for one that Twilio has not finished writing (404).

        Raises RecordingUnavailableError.
        """
        deadline = Deadline(FETCH_SECONDS)
        while True:
            answer = self._send("GET", sid, ".wav", deadline)
            if answer.status == 200 and answer.body:
                return answer.body
            if answer.status != 404 or not deadline.wait(PAUSE_SECONDS):
                raise RecordingUnavailableError(f"Twilio answered {answer.status} for the recording")

    def delete(self, sid: str) -> bool:
        """Delete the recording; tell whether it is gone. Never raises: what is left is tried again every day."""
        try:
            answer = self._send("DELETE", sid, ".json", Deadline(DELETE_SECONDS))
        except Exception as error:  # noqa: BLE001 (whatever it is: the recording is still there)
            LOGGER.warning("recording not deleted", recording=sid, cause=error_code(error))
            return False
        return answer.status in {200, 204, 404}

    def of_call(self, call_sid: str) -> list[Recording]:
        """Return the recordings that our TwiML made in a call. Raises RecordingUnavailableError."""
        return list(self._recordings({"CallSid": call_sid}))

    def of_day(self, day: str) -> Iterator[Recording]:
        """Yield what TwiML recorded on a day (YYYY-MM-DD, UTC), in the whole account.

        Raises RecordingUnavailableError.
        """
        return self._recordings({"DateCreated": day})

    def calls_from(self, number: str, to: str) -> Iterator[Call]:
        """Yield the calls that showed a number, to one of the account's numbers, as far back as Twilio has them.

        Raises RecordingUnavailableError.
        """
        return self._calls({"From": number, "To": to})

    def calls_of_day(self, day: str, to: str) -> Iterator[Call]:
        """Yield the calls to a number that began on a day (YYYY-MM-DD, UTC). Raises RecordingUnavailableError."""
        return self._calls({"To": to, "StartTime": day})

    def is_over(self, call_sid: str) -> bool:
        """Tell whether nobody is on a call any more. Raises RecordingUnavailableError."""
        if not CALL_SID.fullmatch(call_sid):
            return True
        answer = self._exchange("GET", f"/Calls/{call_sid}.json", Deadline(LIST_SECONDS))
        if answer.status == 404:
            return True
        return str(_document(answer, "the call").get("status")) in OVER

    def _recordings(self, filters: Mapping[str, str]) -> Iterator[Recording]:
        for one in self._listed("Recordings", "recordings", filters):
            sid = str(one.get("sid"))
            if RECORDING_SID.fullmatch(sid) and one.get("source", RECORD_VERB) == RECORD_VERB:
                yield Recording(sid, str(one.get("call_sid")), _unix(one.get("date_created")))

    def _calls(self, filters: Mapping[str, str]) -> Iterator[Call]:
        for one in self._listed("Calls", "calls", filters):
            sid = str(one.get("sid"))
            if CALL_SID.fullmatch(sid):
                yield Call(sid, str(one.get("from")), one.get("status") in OVER)

    def _listed(self, resource: str, key: str, filters: Mapping[str, str]) -> Iterator[Mapping[str, Any]]:
        """Yield the entries of a list, page by page."""
        # evidence: twilio-lists
        page = f"/{resource}.json?" + urlencode({**filters, "PageSize": PAGE_SIZE})
        seen = set()
        while page and page not in seen:
            seen.add(page)
            answer = self._exchange("GET", page, Deadline(LIST_SECONDS))
            document = _document(answer, f"the list of {key}")
            entries = document.get(key)
            if not isinstance(entries, list):
                raise RecordingUnavailableError(f"Twilio's list has no {key}")
            yield from (one for one in entries if isinstance(one, dict))
            page = _next_page(document, resource)

    def _send(self, method: str, sid: str, suffix: str, deadline: Deadline) -> HttpAnswer:
        if not RECORDING_SID.fullmatch(sid):
            raise RecordingUnavailableError("the recording's id is not one of Twilio's (RE and 32 digits)")
        return self._exchange(method, f"/Recordings/{sid}{suffix}", deadline)

    def _exchange(self, method: str, path: str, deadline: Deadline) -> HttpAnswer:
        """Send with the current auth token, and with the previous one if Twilio does not take it (rotation)."""
        current, *previous = self._secret.versions()
        answer = self._send_as(current, method, path, deadline)
        if previous and answer.status in {401, 403}:
            return self._send_as(previous[0], method, path, deadline)
        return answer

    def _send_as(
        self, credentials: Mapping[str, str], method: str, path: str, deadline: Deadline
    ) -> HttpAnswer:
        pair = f"{credentials['accountSid']}:{credentials['authToken']}"
        try:
            return send(
                method,
                self._account(credentials["accountSid"]) + path,
                deadline=deadline,
                headers={"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()},
                limit=MOST_BYTES,
            )
        except HttpError as error:
            raise RecordingUnavailableError(str(error)) from error

    def _address(self, account: str, sid: str) -> str:
        if not RECORDING_SID.fullmatch(sid):
            raise RecordingUnavailableError("the recording's id is not one of Twilio's (RE and 32 digits)")
        # evidence: twilio-recordings
        return f"{self._account(account)}/Recordings/{sid}"

    def _account(self, account: str) -> str:
        return f"{self._api}/2010-04-01/Accounts/{account}"


def _document(answer: HttpAnswer, what: str) -> Mapping[str, Any]:
    try:
        document = json.loads(answer.body) if answer.status == 200 else None
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise RecordingUnavailableError(f"Twilio answered {answer.status} instead of {what}")
    return document


def _next_page(document: Mapping[str, Any], resource: str) -> str:
    """Return what follows the account's address in the next page's, empty if it is the last one."""
    following = document.get("next_page_uri")
    if not following:
        return ""
    head, found, query = str(following).partition(f"/{resource}.json?")
    if not found or not head.startswith("/2010-04-01/Accounts/"):
        raise RecordingUnavailableError("Twilio's list goes on at an address that is not the list's")
    return found + query


def _unix(date: object) -> int:
    """Return the Unix time of a date as Twilio writes it (RFC 2822), 0 if it is none."""
    try:
        read = parsedate_to_datetime(str(date))
    except ValueError:
        return 0
    return int((read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp())
