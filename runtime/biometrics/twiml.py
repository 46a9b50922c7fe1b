"""TwiML of every answer, written with twilio's own classes so that it is always valid.

Source: Twilio's documentation of <Gather>, <Record>, <Dial> and <Redirect>; VoiceIt and Twilio's demo guide
(docs/guides.md#biometrics-2-6).
"""

from __future__ import annotations

from dataclasses import dataclass

from twilio.twiml.voice_response import Gather, VoiceResponse

from runtime.biometrics.caller import Purpose
from runtime.biometrics.limits import CODE_LENGTH
from runtime.biometrics.machine import Move, Next
from runtime.biometrics.prompts import Speech

_LAST_WORDS = {
    Next.ENROLLED: "enrolled",
    Next.PASSED: "passed",
    Next.FAILED: "failed",
    Next.UNAVAILABLE: "unavailable",
    Next.CONSENT_REFUSED: "consent_refused",
    Next.NOT_EXPECTED: "not_expected",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """How answers are written.

    ``base_url``: the webhook's own public URL, to which ``/step/turn`` is appended. ``redial_number``: the Amazon
    Connect number that is dialled when the dialogue is over; empty in RESUME, where hanging up is the return mode.
    """

    speech: Speech
    base_url: str
    enrolments_needed: int
    record_seconds: int
    redial_number: str = ""

    def write(self, move: Move) -> str:
        """Return the TwiML document of a move."""
        response = VoiceResponse()
        if move.next is Next.ASK_CODE:
            # evidence: twilio-gathers-early-digits
            # Without a prompt: the digits come at once, and nobody listens.
            response.append(self._gather("code", 0, CODE_LENGTH, seconds=10))
        elif move.next is Next.ASK_CONSENT:
            gather = self._gather("consent", move.turn, 1, seconds=8)
            self._say(gather, "consent", move)
            response.append(gather)
        elif move.next in {Next.ASK_PHRASE, Next.ASK_PHRASE_AGAIN}:
            self._ask_phrase(response, move)
        elif move.next is Next.OUT_OF_TURN:
            response.hangup()
        else:
            self._end(response, move)
        document: str = response.to_xml()
        return document

    def _ask_phrase(self, response: VoiceResponse, move: Move) -> None:
        enrol = move.purpose is Purpose.ENROL
        again = move.next is Next.ASK_PHRASE_AGAIN
        self._say(response, "again" if again else "enrol" if enrol else "verify", move)
        action = f"{self.base_url}/{'enrol' if enrol else 'verify'}/{move.turn}"
        response.record(
            action=action,
            method="POST",
            max_length=self.record_seconds,
            timeout=3,
            trim="do-not-trim",
            play_beep=True,
        )
        # Twilio goes on here if the caller said nothing at all.
        response.redirect(action, method="POST")

    def _end(self, response: VoiceResponse, move: Move) -> None:
        redial = bool(self.redial_number) and move.next is not Next.NOT_EXPECTED
        # A proof lives some seconds only, and words would use them up; the flow says that the caller is known.
        if not (redial and move.next is Next.PASSED):
            self._say(response, _LAST_WORDS[move.next], move)
        if redial:
            # evidence: twilio-redial-caller-id
            response.dial(self.redial_number)
        else:
            response.hangup()

    def _gather(self, step: str, turn: int, digits: int, *, seconds: int) -> Gather:
        return Gather(
            input="dtmf",
            num_digits=digits,
            timeout=seconds,
            action=f"{self.base_url}/{step}/{turn}",
            method="POST",
            action_on_empty_result=True,
        )

    def _say(self, parent: VoiceResponse | Gather, name: str, move: Move) -> None:
        text = self.speech.text(
            name, number=move.enrolments + 1, total=self.enrolments_needed, phrase=move.phrase
        )
        voice = None if self.speech.voice == "default" else self.speech.voice
        parent.say(text, voice=voice, language=self.speech.language)


def nothing_but_hang_up(*, say: str = "") -> str:
    """Return TwiML for whoever gets no dialogue: a forged message, or a function that cannot work."""
    response = VoiceResponse()
    if say:
        response.say(say)
    response.hangup()
    document: str = response.to_xml()
    return document
