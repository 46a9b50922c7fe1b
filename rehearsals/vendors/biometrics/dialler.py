"""A call to the Twilio number: Amazon Connect dials it (ThirdPartyDTMFDigits included), or somebody directly."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import urljoin

from connect_sandbox.rehearsal.ports import (
    CallFailed,
    DialOutcome,
    HungUpByCaller,
    HungUpByVendor,
    Invite,
    Line,
)

from rehearsals.vendors.biometrics.twilio import Number, Twilio, Webhook
from rehearsals.vendors.biometrics.twiml import TwimlError, Verb, read

APPLICATION_ERROR = "We are sorry, an application error has occurred. Goodbye."
"""What Twilio says when a webhook gives no TwiML."""
BEEP = "(a tone)"
LOST = object()
"""What a function of `meanwhile` returns to have its webhook lost on its way."""
_MAXIMUM_WEBHOOKS = 40


class _CallerLeftError(Exception):
    """The caller has hung up."""


class TwilioDialler:
    """What Amazon Connect reaches at the Twilio number. An ExternalVoice.

    `voice` names the voice of the person who calls. `on_dial(number, caller_id)` is the telephone network: it carries
    what <Dial> calls. `meanwhile`: by webhook step (`verify/1`), what happens while that webhook is about to be posted,
    once each; one that returns LOST lets it never arrive. `calls` are the calls that came.
    """

    def __init__(
        self,
        twilio: Twilio,
        number: Number,
        *,
        voice: str,
        on_dial: Callable[[str, str], None] | None = None,
        meanwhile: Mapping[str, Callable[[], object]] | None = None,
    ) -> None:
        self._twilio = twilio
        self._number = number
        self._voice = voice
        self._on_dial = on_dial
        self._meanwhile = dict(meanwhile or {})
        self.calls: list[_Call] = []

    def dial(self, invite: Invite, *, time_limit: float, line: Line) -> DialOutcome:  # noqa: ARG002  (it answers at once)
        """Take the call, post its webhooks, play what they answer."""
        if invite.voice_connector_arn is not None:
            return CallFailed("the Twilio number is reached over the telephone network, not over a connector")
        call = _Call((self._twilio, self._number), invite, line, self._voice, self._meanwhile)
        self.calls.append(call)
        line.vendor_does("takes the call", seconds=1.0)
        try:
            dialled = call.run()
        except _CallerLeftError:
            call.over()
            return HungUpByCaller()
        if dialled is not None:
            self._carry(dialled, invite, line)
        call.over()
        return HungUpByVendor()

    def _carry(self, number: str, invite: Invite, line: Line) -> None:
        line.vendor_does(f"dials {number} from {invite.from_}")
        if self._on_dial is None:
            raise TwimlError(f"<Dial> calls {number}, and the scenario does not say what answers there")
        self._on_dial(number, invite.from_)

    @property
    def webhooks(self) -> list[Webhook]:
        """The webhooks of all calls, in order."""
        return [webhook for call in self.calls for webhook in call.webhooks]


class DirectCall:
    """Somebody who calls the Twilio number without Amazon Connect. A Line.

    `number` is the caller id that is shown, true or not; `keys` are pressed as soon as the call is answered.
    """

    def __init__(self, twilio: Twilio, at: Number, *, number: str, voice: str, keys: str = "") -> None:
        self._dialler = TwilioDialler(twilio, at, voice=voice)
        self._invite = Invite(to="+12065550188", from_=number, dtmf=keys or None)
        self._replies: list[str] = []
        self.heard: list[str] = []

    def calls(self, replies: Iterable[str] = ()) -> DirectCall:
        """Place the call; the caller gives these replies, one a question."""
        self._replies = list(replies)
        self._dialler.dial(self._invite, time_limit=60, line=self)
        return self

    @property
    def webhooks(self) -> list[Webhook]:
        """The webhooks of the call."""
        return self._dialler.webhooks

    def vendor_says(self, text: str) -> None:
        """Hear it."""
        self.heard.append(text)

    def vendor_asks(self, text: str) -> str | None:
        """Hear it, and give the next reply."""
        self.heard.append(text)
        return self._replies.pop(0) if self._replies else ""

    def vendor_does(self, text: str, seconds: float = 0.0, data: Mapping[str, Any] | None = None) -> None:
        """Do not notice."""

    def caller_stays(self) -> bool:
        """Stay."""
        return True


class _Call:
    """One call at Twilio."""

    def __init__(
        self,
        at: tuple[Twilio, Number],
        invite: Invite,
        line: Line,
        voice: str,
        meanwhile: dict[str, Callable[[], object]],
    ) -> None:
        self._twilio, self._number = at
        self._line = line
        self._voice = voice
        self._meanwhile = meanwhile
        # A comma is a pause, and no tone.
        self._keys = (invite.dtmf or "").replace(",", "")
        self.webhooks: list[Webhook] = []
        self._form = {
            "AccountSid": self._twilio.account_sid,
            "ApiVersion": "2010-04-01",
            "CallSid": f"CA{secrets.token_hex(16)}",
            "CallStatus": "in-progress",
            "Called": invite.to,
            "Caller": invite.from_,
            "Direction": "inbound",
            "From": invite.from_,
            "To": invite.to,
        }
        self._twilio.call_begins(self._form["CallSid"], number=invite.from_, to=invite.to)

    def run(self) -> str | None:
        """Play the call until Twilio hangs up; return the number to dial if it is to be passed on."""
        url, more = self._number.webhook_url, {"CallStatus": "ringing"}
        for _ in range(_MAXIMUM_WEBHOOKS):
            verbs = self._ask(url, more)
            if verbs is None:
                self._says(APPLICATION_ERROR)
                return None
            follows = self._play(verbs)
            if not isinstance(follows, tuple):
                return follows
            url, more = urljoin(url, follows[0]), follows[1]
        raise TwimlError(f"the call has gone on for {_MAXIMUM_WEBHOOKS} webhooks without an end")

    def over(self) -> None:
        """Tell the status callback that the call is over."""
        self._twilio.call_ends(self._form["CallSid"])
        self._post(self._number.status_url, {"CallStatus": "completed", "CallDuration": "30"})

    def _ask(self, url: str, more: Mapping[str, str]) -> list[Verb] | None:
        webhook = self._post(url, more)
        return read(webhook.answer) if webhook.status == 200 else None

    def _post(self, url: str, more: Mapping[str, str]) -> Webhook:
        step = url.removeprefix(self._number.webhook_url).lstrip("/")
        happens = self._meanwhile.pop(step, None)
        if happens is not None and happens() is LOST:
            self._line.vendor_does(f"posts webhook {step}, which is lost")
            return Webhook(url, {**self._form, **more}, "", 0, "")
        webhook = self._twilio.post(self._number, url, {**self._form, **more})
        self.webhooks.append(webhook)
        self._line.vendor_does(f"posts webhook {step or '(a call)'}: HTTP {webhook.status}")
        return webhook

    def _play(self, verbs: list[Verb]) -> tuple[str, dict[str, str]] | str | None:
        """Play verbs; return (URL, fields) of the next webhook, or the number to dial, or None: hang up."""
        for verb in verbs:
            match verb.name:
                case "Say":
                    self._says(verb.text)
                case "Gather":
                    keys = self._gather(verb)
                    if keys or verb.attributes.get("actionOnEmptyResult") == "true":
                        return verb.attributes["action"], {"Digits": keys}
                case "Record":
                    fields = self._record()
                    # Twilio does not ask `action` about silence: it goes on with the next verb.
                    if fields is not None:
                        return verb.attributes["action"], fields
                case "Redirect":
                    return verb.text, {}
                case "Dial":
                    return verb.text
                case _:
                    return None
        return None

    def _says(self, text: str) -> None:
        self._line.vendor_says(text)
        if not self._line.caller_stays():
            raise _CallerLeftError

    def _gather(self, verb: Verb) -> str:
        wanted = int(verb.attributes["numDigits"])
        if self._keys:
            keys, self._keys = self._keys[:wanted], self._keys[wanted:]
            return keys
        reply = self._asks(verb.spoken() or "(silence)")
        return "".join(key for key in reply if key in "0123456789")[:wanted] if _is_keys(reply) else ""

    def _record(self) -> dict[str, str] | None:
        reply = self._asks(BEEP)
        if not reply or _is_keys(reply):
            return None
        sid, url, said = self._twilio.record(self._voice, reply, self._form["CallSid"])
        return {"RecordingSid": sid, "RecordingUrl": url, "RecordingDuration": str(round(said.seconds))}

    def _asks(self, text: str) -> str:
        reply = self._line.vendor_asks(text)
        if reply is None or not self._line.caller_stays():
            raise _CallerLeftError
        return reply


def _is_keys(reply: str) -> bool:
    return bool(reply) and all(key in "0123456789*#" for key in reply)
