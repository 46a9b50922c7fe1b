"""A chat on the sandbox's Amazon Connect, without a bot platform: the bot is a thread of the test."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from connect_sandbox.cloud.authorization import Authorization
from connect_sandbox.cloud.chats import Chats, Participant
from connect_sandbox.cloud.connect_state import ConnectState
from connect_sandbox.cloud.lambda_state import LambdaState
from connect_sandbox.cloud.sns import Sns
from connect_sandbox.iam import AuditLog
from connect_sandbox.rehearsal import Contact, Ports, Says, VirtualClock
from connect_sandbox.rehearsal.chat_room import ChatRoom, messages_of
from connect_sandbox.rehearsal.conditions import Caller

from tests.support.rehearsal import INSTANCE, block, hang_up, say

pytestmark = pytest.mark.timeout(30)
CONTACT = "33333333-4444-5555-6666-777777777777"
WAIT = block(
    "wait",
    "Wait",
    "bye",
    errors={"NoMatchingError": "bye", "ParticipantNotFound": "bye"},
    when=[("Equals", "WaitCompleted", "over"), ("Equals", "BotParticipantDisconnected", "left")],
    TimeLimitSeconds="60",
    Events=["BotParticipantDisconnected"],
)
FLOW = [WAIT, say("over", "Time is up.", "bye"), say("left", "The bot has left.", "bye"), hang_up()]


@dataclass(frozen=True)
class Cloud:
    """As much of a sandbox as chats need; nothing is published here."""

    chats: Chats


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    account, region = "123456789012", "us-east-1"
    functions = LambdaState(account, region, tmp_path)
    authorization = Authorization(account, region, AuditLog(), lambda _arn: None)
    sns = Sns(account, region, authorization, "http://localhost:1", lambda _warning: None)
    connect = ConnectState(account, region, authorization, functions)
    yield Cloud(Chats(account, region, connect, sns))
    sns.close()


@contextmanager
def bot(cloud: Cloud, room: ChatRoom, does: Callable[[Participant, threading.Event], None]) -> Iterator[None]:
    """Let a bot join and do something on a thread until the context ends."""
    participant = cloud.chats.create_participant(INSTANCE, room.chat.contact_id, "CUSTOM_BOT", "Bot", "t")
    cloud.chats.joins(room.chat, participant)
    ended = threading.Event()
    thread = threading.Thread(target=does, args=(participant, ended))
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def play(
    world: Any, cloud: Cloud, does: Callable[[ChatRoom, Participant, threading.Event], None], *moves: Any
) -> Any:
    clock = VirtualClock()
    with ChatRoom(cloud, INSTANCE, CONTACT, patience=5, stays=5) as room:
        ports = Ports(flows=world, functions=world, external_voice=world, chat=room)
        contact = Contact(
            ports,
            instance_arn=INSTANCE,
            channel="CHAT",
            contact_id=CONTACT,
            caller=Caller(moves=moves),
            clock=clock,
        )
        with bot(cloud, room, lambda participant, ended: does(room, participant, ended)):
            contact.calls(world.publishes("main", *FLOW))
    return contact, clock


def test_a_bot_that_never_stops_talking_ends_with_the_wait(world: Any, cloud: Cloud) -> None:
    def talks(room: ChatRoom, participant: Participant, ended: threading.Event) -> None:
        while not ended.wait(0.001):
            cloud.chats.says(room.chat, participant, "And another thing.")

    contact, clock = play(world, cloud, talks)
    contact.hears("And another thing.", "Time is up.").does_not_hear("The bot has left.")
    assert clock.elapsed == 60


def test_a_customer_and_a_bot_that_never_stop_end_with_the_wait(world: Any, cloud: Cloud) -> None:
    def replies(room: ChatRoom, participant: Participant, ended: threading.Event) -> None:
        seen = 0
        while not ended.is_set():
            written = messages_of(room.chat, "CUSTOMER")
            if len(written) > seen:
                seen = len(written)
                cloud.chats.says(room.chat, participant, f"Reply {seen}.")
            cloud.chats.wait_until(lambda: ended.is_set() or room.chat.ended, 0.001)

    contact, clock = play(world, cloud, replies, *[Says("More?")] * 200)
    contact.hears("Reply 1.", "Reply 2.", "Time is up.")
    assert 60 <= clock.elapsed < 62
    assert contact.moves_left


def test_what_a_bot_wrote_before_it_left_is_read(world: Any, cloud: Cloud) -> None:
    def leaves(room: ChatRoom, participant: Participant, _ended: threading.Event) -> None:
        assert cloud.chats.wait_until(lambda: bool(messages_of(room.chat, "CUSTOMER")), 20)
        cloud.chats.says(room.chat, participant, "Goodbye.")
        cloud.chats.leaves(room.chat, participant)

    contact, _ = play(world, cloud, leaves, Says("Bye."))
    contact.hears("Goodbye.", "The bot has left.")
