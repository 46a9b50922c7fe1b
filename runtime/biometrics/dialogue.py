"""The dialogue on the telephony side: what a verified message of the telephony provider leads to."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from runtime.biometrics import machine
from runtime.biometrics.caller import Caller, Purpose
from runtime.biometrics.judgement import Decision, Judgement
from runtime.biometrics.limits import PHONE_NUMBER
from runtime.biometrics.machine import Move, Next, Transition
from runtime.biometrics.policy import Policy
from runtime.biometrics.prompts import Speech
from runtime.biometrics.providers.base import (
    ProviderUnavailableError,
    Sample,
    VoiceBiometricsProvider,
)
from runtime.biometrics.recordings import OVER, RECORDING_SID
from runtime.biometrics.table import Callers
from runtime.shared.clients import error_code
from runtime.shared.errors import BridgeError, TemporarilyUnavailableError
from runtime.shared.logging import LOGGER
from runtime.shared.metrics import count

ANSWER_SECONDS = 11.0
"""After so many seconds nothing more is done before the answer: Twilio gives up after 15 s."""

_CALL_SID = re.compile(r"CA[0-9A-Za-z]{1,32}", re.ASCII)
"""A call's id: it is logged, so nothing else may stand in its place."""


class Recordings(Protocol):
    """Where recordings lie until they are deleted."""

    def url(self, sid: str) -> str:
        """Return the WAV file's address."""
        ...

    def fetch(self, sid: str) -> bytes:
        """Return the WAV file. Raises BridgeError."""
        ...

    def delete(self, sid: str) -> bool:
        """Delete the recording; tell whether it is gone."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class CallMessage:
    """A message of the telephony provider: the step and turn of its URL, and what the form says."""

    step: str
    turn: int
    number: str
    call_sid: str
    call_status: str = ""
    digits: str = ""
    recording: str = ""

    @classmethod
    def of(cls, step: str, turn: str, form: Mapping[str, str]) -> CallMessage:
        """Read a verified form; what is malformed becomes empty, and so fits no session."""
        # evidence: transfer-shows-caller-number
        number, recording = form.get("From", ""), form.get("RecordingSid", "")
        call_sid = form.get("CallSid", "")
        return cls(
            step=step,
            turn=int(turn) if turn.isascii() and turn.isdigit() and len(turn) < 6 else -1,
            number=number if PHONE_NUMBER.fullmatch(number) else "",
            call_sid=call_sid if _CALL_SID.fullmatch(call_sid) else "",
            call_status=form.get("CallStatus", ""),
            digits=form.get("Digits", ""),
            recording=recording if RECORDING_SID.fullmatch(recording) else "",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialogue:
    """Carries out one message; ``clock`` gives Unix time in seconds.

    ``fetch``: hand the recording's bytes to the provider instead of its URL. ``delete``: have recordings deleted
    once they were judged.
    """

    callers: Callers
    provider: VoiceBiometricsProvider
    recordings: Recordings
    speech: Speech
    policy: Policy
    clock: Callable[[], float]
    fetch: bool = True
    delete: bool = True

    def answer(self, message: CallMessage) -> Move:
        """Return what the caller hears next. Raises what the table raises."""
        steps: dict[str, Callable[[CallMessage], Move]] = {
            "": self._arrive,
            "code": self._claim,
            "consent": self._consent,
            "enrol": self._recorded,
            "verify": self._recorded,
            "status": self._status,
        }
        if message.step not in steps or not message.number or not message.call_sid:
            return Move(next=Next.NOT_EXPECTED)
        return steps[message.step](message)

    def _arrive(self, message: CallMessage) -> Move:
        return self.callers.change(message.number, lambda caller: machine.arrive(caller, now=self._now()))

    def _claim(self, message: CallMessage) -> Move:
        drawn = secrets.choice(self.policy.phrases) if self.policy.phrases else ""
        return self.callers.change(
            message.number,
            lambda caller: machine.claim(
                caller,
                call_sid=message.call_sid,
                code=message.digits,
                drawn=drawn,
                policy=self.policy,
                now=self._now(),
            ),
        )

    def _status(self, message: CallMessage) -> Move:
        if message.call_status not in OVER:
            return Move(next=Next.OUT_OF_TURN)
        move = self.callers.change(
            message.number,
            lambda caller: machine.hung_up(
                caller, call_sid=message.call_sid, policy=self.policy, now=self._now()
            ),
        )
        # Nobody is on the line any more, so there is time for it.
        for user_id in move.discarded:
            self._discard_half(message.number, user_id)
        return move

    def _discard_half(self, number: str, user_id: str) -> None:
        """Delete an unfinished enrolment at the provider, or leave its id in the table for the daily sweep."""
        try:
            self.provider.delete_user(user_id)
            self.callers.change(number, lambda caller: machine.user_discarded(caller, user_id=user_id))
        except Exception as error:  # noqa: BLE001 (whatever it is: the id stays in the table)
            LOGGER.warning(
                "enrolment not discarded, the daily sweep will try again",
                user_id=user_id,
                cause=error_code(error),
            )

    def _consent(self, message: CallMessage) -> Move:
        move = self.callers.change(
            message.number,
            lambda caller: machine.answer_consent(
                caller,
                call_sid=message.call_sid,
                turn=message.turn,
                digits=message.digits,
                policy=self.policy,
                now=self._now(),
            ),
        )
        return self._create_user(message) if move.next is Next.CREATE_USER else move

    def _create_user(self, message: CallMessage) -> Move:
        try:
            user_id = self.provider.create_user()
        except ProviderUnavailableError as error:
            LOGGER.warning("provider created no user", detail=str(error))
            return self._judged(message, Purpose.ENROL, Judgement(Decision.UNAVAILABLE, "NONE"), self._now())
        try:
            move = self._user_created(message, user_id)
        except Exception:
            self._discard(user_id)
            raise
        if move.next is Next.OUT_OF_TURN:
            self._discard(user_id)
        return move

    def _user_created(self, message: CallMessage, user_id: str) -> Move:
        return self.callers.change(
            message.number,
            lambda caller: machine.user_created(
                caller,
                call_sid=message.call_sid,
                turn=message.turn,
                user_id=user_id,
                phrases=self.policy.phrases,
                now=self._now(),
            ),
        )

    def _discard(self, user_id: str) -> None:
        """Delete a user that came too late for its session, and that nothing refers to. It has no voice."""
        try:
            self.provider.delete_user(user_id)
        except Exception as error:  # noqa: BLE001 (whatever it is: the log has the id)
            LOGGER.error("a user at the provider belongs to nobody", user_id=user_id, cause=error_code(error))

    def _recorded(self, message: CallMessage) -> Move:
        began = self.clock()
        purpose = Purpose.ENROL if message.step == "enrol" else Purpose.VERIFY
        try:
            move = self.callers.change(
                message.number,
                lambda caller: machine.take(
                    caller,
                    call_sid=message.call_sid,
                    turn=message.turn,
                    purpose=purpose,
                    recording=message.recording,
                    now=self._now(),
                ),
            )
        except Exception:
            # A write whose answer was lost may have taken the turn after all; deleting the recording twice is harmless.
            self._delete_stray(message)
            raise
        if move.next is not Next.JUDGE:
            if message.recording and not self._is_known(message):
                self._delete_stray(message)
            return move
        judgement = self._judge(message, move)
        LOGGER.info(
            "recording judged", purpose=purpose.value, decision=judgement.decision.value, code=judgement.code
        )
        now = self._now()
        decided: list[Transition[Move]] = []
        try:
            after = self._judged(message, purpose, judgement, now, decided)
        except TemporarilyUnavailableError:
            if self.clock() - began >= ANSWER_SECONDS / 2:
                raise
            # The write whose answer was lost may have taken effect: it must not count a voice twice.
            after = self._judged(message, purpose, judgement, now, decided, again=True)
        if self.delete and message.recording:
            if self.clock() - began < ANSWER_SECONDS:
                self._delete(message)
            else:
                LOGGER.info("recording left for the daily sweep: Twilio waits", recording=message.recording)
        return after

    def _is_known(self, message: CallMessage) -> bool:
        try:
            return message.recording in self.callers.read(message.number).caller.recordings
        except Exception as error:  # noqa: BLE001 (another message may be at work on it: the sweep will tell)
            LOGGER.warning(
                "recording left for the daily sweep: the table does not say whose it is",
                recording=message.recording,
                cause=error_code(error),
            )
            return True

    def _delete_stray(self, message: CallMessage) -> None:
        """Delete a recording that no turn waits for; what is left the daily sweep finds at the provider."""
        if message.recording and not self.recordings.delete(message.recording):
            LOGGER.error("a recording is left at the telephony provider", recording=message.recording)
            count("WebhookFailed")

    def _judge(self, message: CallMessage, move: Move) -> Judgement:
        if not message.recording:
            return Judgement(Decision.RETRY, "SILENCE")
        try:
            sample = Sample(
                url=self.recordings.url(message.recording),
                audio=self.recordings.fetch(message.recording) if self.fetch else None,
                phrase=move.phrase or self.speech.phrase,
                language=self.speech.language,
            )
        except BridgeError as error:
            LOGGER.warning("recording not fetched", recording=message.recording, detail=str(error))
            return Judgement(Decision.UNAVAILABLE, "NO_RECORDING")
        if move.purpose is Purpose.ENROL:
            return self.provider.enrol(move.user_id, sample)
        return self.provider.verify(move.user_id, sample)

    def _judged(
        self,
        message: CallMessage,
        purpose: Purpose,
        judgement: Judgement,
        now: int,
        decided: list[Transition[Move]] | None = None,
        *,
        again: bool = False,
    ) -> Move:
        """Write down what a judgement leads to, and return the next step.

        decided: what this message was decided to lead to before, in a write of which nobody knows whether it was made.
        If it was, the same is answered again. again: whether there was such a write.
        """
        before = [] if decided is None else decided

        def decide(caller: Caller) -> Transition[Move]:
            made = next((one for one in before if one.after == caller), None)
            if made is not None:
                return made
            transition = machine.judged(
                caller,
                call_sid=message.call_sid,
                turn=message.turn,
                purpose=purpose,
                judgement=judgement,
                policy=self.policy,
                now=now,
                again=again,
            )
            before.append(transition)
            return transition

        return self.callers.change(message.number, decide)

    def _delete(self, message: CallMessage) -> None:
        """Delete the recording now, or leave its id in the table for the daily sweep."""
        if not self.recordings.delete(message.recording):
            LOGGER.warning(
                "recording not deleted, the daily sweep will try again", recording=message.recording
            )
            return
        try:
            self.callers.change(
                message.number,
                lambda caller: machine.recording_deleted(caller, recording=message.recording),
            )
        except Exception as error:  # noqa: BLE001 (the caller's answer stands, whatever it is)
            # The sweep will find the id, and Twilio will say that it is gone.
            LOGGER.warning(
                "deleted recording not crossed out", recording=message.recording, cause=error_code(error)
            )

    def _now(self) -> int:
        return int(self.clock())
