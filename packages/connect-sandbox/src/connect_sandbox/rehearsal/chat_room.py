"""A chat on the sandbox's Amazon Connect, as the engine sees it: who is there, and what is said during a Wait."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

from connect_sandbox.cloud.chats import Chat, Chats, Item
from connect_sandbox.rehearsal.conditions import HangsUp, Says
from connect_sandbox.rehearsal.stage import CallerHungUpError, Stage
from connect_sandbox.rehearsal.steps import Decides, Fails, Step

PATIENCE = 10.0
"""Real seconds that a rehearsal waits for the bot to act before the virtual clock moves on."""


@dataclass(frozen=True)
class SaysAfter(Says):
    """The customer writes, after `before` was called."""

    before: Callable[[], None]


class HasChats(Protocol):
    """The part of a sandbox that a chat needs."""

    @property
    def chats(self) -> Chats:
        """The chats of its Amazon Connect."""
        ...


class ChatRoom:
    """One chat. A ports.ChatLine.

    In real seconds: the customer waits `patience` for a reply before going on; the flow waits `joins_within` for the
    bot to join and `stays` for it to leave once the customer has no more to say (None: as long as for a reply). After
    that the Wait block's own time is over. With `bot_greets` the customer lets the bot speak first.
    """

    def __init__(
        self,
        sandbox: HasChats,
        instance_arn: str,
        contact_id: str,
        *,
        patience: float = PATIENCE,
        joins_within: float = PATIENCE,
        stays: float | None = None,
        bot_greets: bool = False,
    ) -> None:
        self._chats = sandbox.chats
        self._patience = patience
        self._joins_within = joins_within
        self._stays = patience if stays is None else stays
        self._bot_greets = bot_greets
        self.chat, self._customer = self._chats.start(instance_arn, contact_id)
        self._read = 0

    def __enter__(self) -> Self:
        """Use the chat; it ends with the context."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the chat."""
        self.ends()

    def ends(self) -> None:
        """End the contact."""
        self._chats.end(self.chat)

    def flow_says(self, text: str) -> None:
        """Let the flow write a message."""
        self._chats.says(self.chat, None, text)

    def waits(self, stage: Stage, seconds: int, events: Sequence[str]) -> Step:
        """Play a Wait block; if it waits for the bot to leave, customer and bot converse meanwhile."""
        unknown = sorted(set(events) - {"BotParticipantDisconnected"})
        if unknown:
            raise stage.cannot(f"{unknown[0]} does not happen in a chat with an external bot here")
        stage.note(f"waits {seconds} s at most")
        if not events:
            self._chats.wait_until(self._bot_is_there, self._joins_within)
            self._catch_up(stage)
            stage.clock.passes(seconds)
            return Decides("WaitCompleted")
        if not self._bot_is_there():
            return Fails("ParticipantNotFound", "there is no bot in the chat")
        return self._converse(stage, seconds)

    def _converse(self, stage: Stage, seconds: int) -> Step:
        until = stage.clock.elapsed + seconds
        if self._bot_greets and self._read == 0:
            self._something_happens(self._joins_within)
        while True:
            self._catch_up(stage, until)
            if stage.clock.elapsed >= until:  # a bot that never stops talking does not hold the flow up
                return Decides("WaitCompleted")
            if not self._bot_is_there():
                self._catch_up(stage)
                stage.note("the bot leaves the chat", who="vendor")
                return Decides("BotParticipantDisconnected")
            if stage.caller.moves_left:
                self._move(stage)
            elif not self._something_happens(self._stays):
                stage.clock.passes(max(0.0, until - stage.clock.elapsed))
                return Decides("WaitCompleted")

    def _move(self, stage: Stage) -> None:
        match move := stage.caller.reacts():
            case HangsUp():
                raise CallerHungUpError
            case Says(words):
                if isinstance(move, SaysAfter):
                    move.before()
                stage.note(words, who="caller", kind="says")
                self._chats.says(self.chat, self._customer, words)
                stage.clock.passes(1.0)
                self._something_happens(self._patience)
            case _:
                raise stage.cannot(f"the customer of this chat can only write or leave, not {move!r}")

    def _something_happens(self, within: float) -> bool:
        """Wait until the bot writes or leaves; return whether it did."""
        return self._chats.wait_until(lambda: bool(self._unread()) or not self._bot_is_there(), within)

    def _catch_up(self, stage: Stage, until: float = math.inf) -> None:
        """Let the customer read what the bot has written since, a second for each message, up to second `until`."""
        for item in self._unread():
            if stage.clock.elapsed >= until:
                return
            self._read = self.chat.items.index(item) + 1
            stage.says(item.content or "", who="vendor")
            stage.clock.passes(1.0)

    def _unread(self) -> list[Item]:
        return [i for i in self.chat.items[self._read :] if i.role == "CUSTOM_BOT" and i.type == "MESSAGE"]

    def _bot_is_there(self) -> bool:
        return self.chat.there("CUSTOM_BOT") is not None


def messages_of(chat: Chat, role: str) -> list[Item]:
    """Return the messages that participants of a role have written in a chat, in order."""
    return [item for item in chat.items if item.role == role and item.type == "MESSAGE"]
