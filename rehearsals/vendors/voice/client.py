"""Starts the external voice system in its own process, and carries calls to it and back."""

import http.client
import json
from dataclasses import dataclass
from uuid import uuid4

from connect_sandbox.rehearsal.errors import RehearsalError
from connect_sandbox.rehearsal.ports import (
    CallFailed,
    DialOutcome,
    HungUpByCaller,
    HungUpByVendor,
    Invite,
    Line,
    NotAnswered,
)
from connect_sandbox.rehearsal.transcript import shown
from connect_sandbox.rehearsal.values import Json

from rehearsals.vendors.process import VendorProcess
from rehearsals.vendors.voice.script import VendorScript


@dataclass(frozen=True)
class Posted:
    """What the metadata API answered to the vendor: the last HTTP status, its JSON, every attempt's status."""

    status: int
    body: Json
    attempts: tuple[int, ...]


class ExternalVoiceSystem(VendorProcess):
    """The vendor's process, as a context manager; `dial` is a call to it.

    `invites` are the calls that reached it, `posted` the answers that its metadata got.
    """

    module = "rehearsals.vendors.voice.external_voice_system"
    name = "the external voice system"

    def __init__(self, script: VendorScript) -> None:
        """Prepare a system that follows `script`; entering the context starts its process."""
        super().__init__()
        self._script = script
        self.invites: list[Invite] = []
        self.posted: list[Posted] = []

    def first_line(self) -> Json:
        """Return the script."""
        return self._script.to_json()

    def dial(self, invite: Invite, *, time_limit: float, line: Line) -> DialOutcome:
        """Call the system and carry the call to its end."""
        self.invites.append(invite)
        call = str(uuid4())
        ringing = self._send(
            "invite", call=call, to=invite.to, **{"from": invite.from_}, headers=dict(invite.sip_headers)
        )
        if ringing["status"] >= 300:
            return CallFailed(f"SIP {ringing['status']} {ringing['reason']}")
        after = ringing["answers_after"]
        if after is None or after > time_limit:
            self._send("cancel", call=call)
            return NotAnswered()
        line.vendor_does("takes the call", seconds=after)
        self._send("ack", call=call)
        return self._carry(call, line)

    def _carry(self, call: str, line: Line) -> DialOutcome:
        while True:
            event = self._send("next", call=call)
            match event["event"]:
                case "says":
                    line.vendor_says(event["text"])
                case "asks":
                    reply = line.vendor_asks(event["text"])
                    if reply is not None:
                        self._send("reply", call=call, text=reply)
                case "posts":
                    self._take_note(event, line)
                case "cannot post":
                    line.vendor_does(f"cannot post metadata: {event['reason']}")
                case "hangs up":
                    return HungUpByVendor()
                case "drops":
                    return CallFailed(event["reason"])
                case _:
                    raise RehearsalError(
                        f"the external voice system broke down: {event.get('reason', event)}"
                    )
            if not line.caller_stays():
                self._send("bye", call=call)
                return HungUpByCaller()

    def _take_note(self, event: Json, line: Line) -> None:
        posted = Posted(event["status"], event["body"], tuple(event["attempts"]))
        self.posted.append(posted)
        again = f" after {len(posted.attempts)} attempts" if len(posted.attempts) > 1 else ""
        line.vendor_does(
            f"posts metadata {shown(event['metadata'])}: HTTP {posted.status} {shown(posted.body)}"
            f" in {event['seconds'] * 1000:.0f} ms{again}",
            seconds=event["seconds"],
            data={"metadata": event["metadata"], "status": posted.status, "answer": posted.body},
        )

    def _send(self, request: str, **content: Json) -> Json:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=90)
        try:
            connection.request("POST", f"/{request}", body=json.dumps(content))
            response = connection.getresponse()
            answer = json.loads(response.read())
        except OSError as error:
            raise RehearsalError(f"the external voice system cannot be reached: {error}") from error
        finally:
            connection.close()
        if response.status != 200:
            raise RehearsalError(f"the external voice system did not understand {request}: {answer}")
        return answer
