"""Recordings at Twilio: fetched with the account's credentials, deleted after use.

The address is made of the account's and the recording's ids (https://api.twilio.com/2010-04-01/Accounts/{AccountSid}/
Recordings/{RecordingSid}), never taken from the webhook's RecordingUrl: credentials go to Twilio and nowhere else.
Source: Twilio's documentation of the Recordings resource; deleting needs the same credentials as fetching.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping

from runtime.shared.deadline import Deadline
from runtime.shared.environment import Environment
from runtime.shared.errors import BridgeError
from runtime.shared.http_client import HttpAnswer, HttpError, send
from runtime.shared.rotated_secret import RotatedSecret, json_fields

RECORDING_SID = re.compile(r"RE[0-9a-f]{32}", re.ASCII)
MOST_BYTES = 4 * 1024 * 1024
FETCH_SECONDS = 2.5
DELETE_SECONDS = 1.5
PAUSE_SECONDS = 0.25
CREDENTIALS = json_fields("accountSid", "authToken")
"""Makes of the telephony secret's text what Twilio's API, and its signatures, need."""


class RecordingUnavailableError(BridgeError):
    """Twilio did not hand the recording over."""


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
        except BridgeError:
            return False
        return answer.status in {200, 204, 404}

    def _send(self, method: str, sid: str, suffix: str, deadline: Deadline) -> HttpAnswer:
        """Send with the current auth token, and with the previous one if Twilio does not take it (rotation)."""
        current, *previous = self._secret.versions()
        answer = self._send_as(current, method, sid, suffix, deadline)
        if previous and answer.status in {401, 403}:
            return self._send_as(previous[0], method, sid, suffix, deadline)
        return answer

    def _send_as(
        self, credentials: Mapping[str, str], method: str, sid: str, suffix: str, deadline: Deadline
    ) -> HttpAnswer:
        pair = f"{credentials['accountSid']}:{credentials['authToken']}"
        try:
            return send(
                method,
                self._address(credentials["accountSid"], sid) + suffix,
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
        return f"{self._api}/2010-04-01/Accounts/{account}/Recordings/{sid}"
