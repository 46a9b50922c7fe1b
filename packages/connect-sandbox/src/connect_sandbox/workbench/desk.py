"""Whoever sits at the page: the agent of a live call, and the gate before each of its blocks."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

from connect_sandbox.rehearsal.conditions import Agent, HangsUp
from connect_sandbox.rehearsal.desk import Act, AgentEnds
from connect_sandbox.workbench.errors import WorkbenchError

ANSWER = "answer"
WORDS = "words"


class LiveDesk:
    """A desk at which somebody sits. `asked` hears what the contact waits for: ANSWER in the queue, then WORDS."""

    def __init__(self) -> None:
        """Nobody has asked for anything yet."""
        self.asked: Callable[[str], None] = lambda _wants: None
        self._changed = threading.Condition()
        self._wants: str | None = None
        self._agent: Agent | None = None
        self._decided = False
        self._acts: deque[Act] = deque()
        self._closed = False

    # -- for the engine

    def takes(self, queue: str) -> Agent | None:  # noqa: ARG002  (there is one desk)
        """Wait until somebody answers, or says that nobody will."""
        with self._changed:
            self._decided = self._closed
            self._agent = None
        self._asks(ANSWER)
        with self._changed:
            self._changed.wait_for(lambda: self._decided or self._closed)
            self._wants = None
            return self._agent

    def acts(self) -> Act:
        """Wait for what somebody does."""
        with self._changed:
            waits = not self._acts and not self._closed
        if waits:
            self._asks(WORDS)
        with self._changed:
            self._changed.wait_for(lambda: bool(self._acts) or self._closed)
            act = self._acts.popleft() if self._acts else HangsUp()
            if isinstance(act, AgentEnds | HangsUp):
                self._wants = None
                self._acts.clear()
            return act

    # -- for whoever sits there

    @property
    def talks(self) -> bool:
        """Whether agent and customer are connected."""
        return self._wants == WORDS

    def answers(self, after: float = 0.0) -> None:
        """Take the contact when it has waited so many seconds of its own time."""
        self._decides(Agent(answers_after=after, talks_for=0.0))

    def nobody_answers(self) -> None:
        """Let the contact wait in vain."""
        self._decides(None)

    def does(self, act: Act) -> None:
        """Let agent or customer do something; WorkbenchError unless they are connected."""
        with self._changed:
            if not self.talks:
                raise WorkbenchError(
                    "agent and customer are not connected: the contact must be answered first"
                )
            self._acts.append(act)
            self._changed.notify_all()

    def closed(self) -> None:
        """Let nobody answer any more, and the customer hang up."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _decides(self, agent: Agent | None) -> None:
        with self._changed:
            if self._wants != ANSWER:
                raise WorkbenchError("the contact does not wait in a queue")
            self._agent, self._decided = agent, True
            self._changed.notify_all()

    def _asks(self, wants: str) -> None:
        with self._changed:
            self._wants = wants
        self.asked(wants)


class Gate:
    """Lets a call go on block by block."""

    def __init__(self, *, held: bool = False) -> None:
        """Start open, or held before the first block."""
        self._changed = threading.Condition()
        self._held = held
        self._steps = 0

    def passes(self) -> None:
        """Wait until the next block may play."""
        with self._changed:
            self._changed.wait_for(lambda: not self._held or self._steps > 0)
            self._steps = max(0, self._steps - 1)

    @property
    def held(self) -> bool:
        """Whether each block waits to be let through."""
        return self._held

    def holds(self) -> None:
        """Hold the call before its next block."""
        self._set(held=True, steps=0)

    def steps(self) -> None:
        """Let one block play."""
        self._set(held=True, steps=1)

    def opens(self) -> None:
        """Let the call go on."""
        self._set(held=False, steps=0)

    def _set(self, *, held: bool, steps: int) -> None:
        with self._changed:
            self._held, self._steps = held, steps
            self._changed.notify_all()
