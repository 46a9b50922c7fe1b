"""A call while it goes on: the flow waits for whoever plays the caller, a test or somebody at a terminal."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from contextvars import copy_context
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Literal, Self

from connect_sandbox.rehearsal.conditions import (
    Caller,
    Chooses,
    HangsUp,
    Move,
    Presses,
    Says,
    StaysSilent,
)
from connect_sandbox.rehearsal.contact import Contact
from connect_sandbox.rehearsal.expectations import Expectations
from connect_sandbox.rehearsal.setup_reader import Setup
from connect_sandbox.rehearsal.steps import Ending, How
from connect_sandbox.rehearsal.transcript import Entry
from connect_sandbox.workbench.desk import Gate, LiveDesk
from connect_sandbox.workbench.lines import Line

Stage = Literal["goes on", "asks", "over"]
"""How far a call is: its flow plays, waits for the caller, or has ended."""


class LiveCaller(Caller):
    """A caller whose moves come while the call goes on. `moves` are those that are known from the start."""

    def __init__(self, number: str, moves: Iterable[Move] = ()) -> None:
        super().__init__(number, moves)
        self._changed = threading.Condition()
        self._given: Move | None = None
        self._from_now_on: Move | None = None
        self._stage: Stage = "goes on"
        self.asked: Callable[[], None] | None = None
        """Hears of each question, before somebody answers it."""

    def reacts(self) -> Move:
        """Wait for a move."""
        self.presses_ahead()
        if self._moves:
            return super().reacts()
        with self._changed:
            if self._from_now_on is None:
                if self.asked is not None:
                    self.asked()  # within the lock: who hears of it can answer at once
                self._stage = "asks"
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._given is not None or self._from_now_on is not None)
            move, self._given = self._given or self._from_now_on or StaysSilent(), None
            self._stage = "goes on"
        return move

    def over(self) -> None:
        """Tell whoever waits that the call is over."""
        with self._changed:
            self._stage = "over"
            self._changed.notify_all()

    def waits(self, seconds: float | None = None) -> Stage:
        """Wait until the flow asks or is over, at most `seconds`; return how far the call is."""
        with self._changed:
            self._changed.wait_for(lambda: self._given is None and self._stage != "goes on", seconds)
            return self._stage

    def makes(self, move: Move) -> bool:
        """Make a move; return False if nobody asks."""
        with self._changed:
            if self._stage != "asks" or self._given is not None:
                return False
            self._given = move
            self._changed.notify_all()
            return True

    def only(self, move: Move) -> None:
        """Make this move whenever the flow asks from now on."""
        with self._changed:
            self._from_now_on = move
            self._changed.notify_all()


class LiveCall(Expectations):
    """A call that goes on in a thread of its own until its flow asks something.

    desk: where somebody answers what waits in a queue; gate: holds the call before each block.
    `hears` and the other expectations look at what has happened by then; `presses`, `says`, `stays_silent` and
    `hangs_up` answer. `ends` leaves further questions unanswered and waits for the end.
    """

    def __init__(
        self,
        line: Line,
        setup: Setup,
        moves: Iterable[Move] = (),
        *,
        desk: LiveDesk | None = None,
        gate: Gate | None = None,
    ) -> None:
        self._caller = LiveCaller(setup.number, moves)
        self._contact = line.contact(
            setup,
            self._caller,
            world=lambda told: replace(told, desk=desk, gate=None if gate is None else gate.passes),
        )
        self._caller.asked = self._contact.story.asks
        self.desk, self.gate = desk, gate
        if desk is not None:
            desk.asked = self._contact.story.asks_agent
        self._problem: BaseException | None = None
        super().__init__(self._contact.transcript)
        self._thread = threading.Thread(
            target=copy_context().run, args=(self._play, line.flow_arn), name="call", daemon=True
        )
        self._thread.start()

    # -- what the caller does

    def presses(self, digits: str) -> Self:
        """Press keys (0-9 * #) when the flow asks."""
        if not digits or set(digits) - set("0123456789*#"):
            raise ValueError(f"{digits!r} are not keys of a telephone: write 0-9, * and #")
        return self._does(Presses(digits))

    def says(self, text: str) -> Self:
        """Say something when the flow asks; in a chat, write it."""
        return self._does(Says(text))

    def chooses(self, action: str, data: Mapping[str, Any] = MappingProxyType({})) -> Self:
        """Fill in the view that a chat shows, and press a button of it."""
        return self._does(Chooses(action, data))

    def stays_silent(self) -> Self:
        """Leave one question unanswered."""
        return self._does(StaysSilent())

    def hangs_up(self) -> Self:
        """Hang up when the flow asks."""
        return self._does(HangsUp())

    # -- what is expected

    def hears(self, *texts: str) -> Self:
        """Expect the caller to have heard each of these texts, in this order, by the time the flow asks."""
        self.settled()
        return super().hears(*texts)

    def does_not_hear(self, *texts: str) -> Self:
        """Expect the caller to have heard none of these texts so far."""
        self.settled()
        return super().does_not_hear(*texts)

    def agent_hears(self, *texts: str) -> Self:
        """Expect a whisper or hold flow to have told the agent each of these texts, in this order."""
        self.settled()
        return super().agent_hears(*texts)

    def meets_agent(self, expected: bool = True) -> Self:
        """Expect an agent to have taken the contact, or not to have."""
        self.settled()
        return super().meets_agent(expected)

    def invokes(self, function: str, *, times: int | None = None) -> Self:
        """Expect the flow to have invoked a function whose ARN contains `function`."""
        self.settled()
        return super().invokes(function, times=times)

    def ends(self, how: How | None = None, *, queued: str | None = None) -> Self:
        """Expect the contact to end in the queue of that name, id or ARN, or in the way that `how` says."""
        self.finished()
        return super().ends(how, queued=queued)

    @property
    def visited(self) -> list[str]:
        """The identifiers of the blocks that the contact reached so far, in order."""
        self.settled()
        return self._contact.visited

    @property
    def attributes(self) -> dict[str, str]:
        """The contact's user-defined attributes."""
        self.settled()
        return self._contact.attributes

    @property
    def ending(self) -> Ending:
        """How the flow ended; waits for the end."""
        return self.finished().ending

    def queue_names(self, arn: str) -> set[str]:
        """Return the names by which an expectation may call the queue."""
        return self._contact.queue_names(arn)

    # -- for whoever shows it

    def entries(self, after: int) -> list[Entry]:
        """Return the entries of the transcript from a number on, as far as there are."""
        return [self.transcript[index] for index in range(after, len(self.transcript))]

    def stage(self, seconds: float) -> Stage:
        """Wait until the flow asks or is over, at most `seconds`; return how far the call is."""
        return self._caller.waits(seconds)

    def makes(self, move: Move) -> bool:
        """Make a move; return False if nobody asks. With an agent, the customer may speak and press keys any time."""
        if self.desk is not None and self.desk.talks and isinstance(move, Says | Presses | HangsUp):
            self.desk.does(move)
            return True
        return self._caller.makes(move)

    @property
    def attended(self) -> bool:
        """Whether somebody can be the agent."""
        return self.desk is not None

    @property
    def over(self) -> bool:
        """Whether it has ended."""
        return self._caller.waits(0) == "over"

    @property
    def contact_id(self) -> str:
        """The contact's id."""
        return self._contact.contact_id

    @property
    def problem(self) -> BaseException | None:
        """Why the call could not be played to its end."""
        return self._problem

    def settled(self) -> Stage:
        """Wait until the flow asks or is over; raise RehearsalError if it cannot be played."""
        stage = self._caller.waits()
        if self._problem is not None:
            raise self._problem
        return stage

    def finished(self) -> Contact:
        """Leave further questions unanswered; return the contact when it has ended."""
        self._caller.only(StaysSilent())
        self._thread.join()
        self.settled()
        return self._contact

    def closed(self) -> None:
        """Hang up, and wait until the call is over."""
        self._caller.only(HangsUp())
        if self.desk is not None:
            self.desk.closed()
        if self.gate is not None:
            self.gate.opens()
        self._thread.join()

    def _does(self, move: Move) -> Self:
        self.settled()
        if not self.makes(move):
            raise self._failure(f"nobody asked the caller for {move!r}: the call is over")
        return self

    def _play(self, flow_arn: str) -> None:
        try:
            self._contact.calls(flow_arn)
        except Exception as problem:  # noqa: BLE001  (whoever asks next is told)
            self._problem = problem
        finally:
            self._caller.over()
