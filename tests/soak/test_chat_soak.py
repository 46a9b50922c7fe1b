"""1,000 chats of 10 messages through the deployed chat path, to a webhook that fails every fifth time.

Not among pytest's testpaths: `make soak`, or `pytest tests/soak -s` to see the figures.
"""

from __future__ import annotations

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from connect_sandbox.rehearsal.conditions import Says

from rehearsals.scenarios.chats import PlayedChat, dead_letters, play_chat
from rehearsals.scenarios.deployment import Deployment
from rehearsals.vendors.chat.script import BotScript
from tests.support.tally import Tally

pytestmark = [pytest.mark.sandbox, pytest.mark.timeout(900)]

CHATS = 1000
MESSAGES = 10
FAILURE_RATE = 0.2
AT_ONCE = 4
LONGEST = 600.0
"""Seconds that all of it may take, the deployment left out."""


def test_every_message_of_a_thousand_chats_is_delivered_or_a_dead_letter(
    deployment: Deployment, tally: Tally, scale: float
) -> None:
    chats = int(CHATS * scale)
    path, sandbox = deployment.chat, deployment.sandbox
    path.bot.behaves(BotScript(token=path.token, failure_rate=FAILURE_RATE, leaves_after=MESSAGES))

    def chat(number: int) -> PlayedChat:
        moves = [Says(f"chat {number}, message {index}") for index in range(1, MESSAGES + 1)]
        # Nobody answers before the last message; the chat ends when the bot, having read them all, leaves.
        return play_chat(sandbox, path, None, moves=moves, patience=0.0, joins_within=30.0, stays=30.0)

    started = time.monotonic()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        # The first chat alone: a dozen cold starts at once take longer on two processors than Connect's 8 seconds.
        played = [chat(1), *pool.map(chat, range(2, chats + 1))]
    assert sandbox.sns.deliveries.wait(60.0), "deliveries are still on their way"
    seconds = time.monotonic() - started

    unfinished = [each for each in played if len(each.written) < MESSAGES]
    assert not unfinished, (
        f"{unfinished[0].contact.transcript}\n{unfinished[0].chat.refused} {path.bot.report('-')}"
    )

    written = {item.id for each in played for item in each.written}
    taken = {message["id"] for message in path.bot.report().taken()}
    dead = {message["Id"] for message in dead_letters(sandbox, path)}
    deliveries = sandbox.sns.deliveries.notifications()
    outcomes = Counter(delivery.outcome for delivery in deliveries)
    attempts = sum(len(delivery.attempts) for delivery in deliveries)
    print(
        f"\n{len(written & (taken | dead)):,} of {chats * MESSAGES:,} customer messages accounted for: "
        f"{len(taken):,} delivered, {len(dead):,} dead letters; {attempts:,} attempts, "
        f"{sum(each.contact.ending.how == 'queued' for each in played):,} of {chats:,} chats handed to an agent; "
        f"{seconds:.0f} s"
    )
    unaccounted = chats * MESSAGES - len(written & (taken | dead))
    tally.add(
        "chat messages, 20 % of them failing", seconds, chats * MESSAGES, +Counter(unaccounted=unaccounted)
    )
    assert len(written) == chats * MESSAGES
    assert written == taken | dead
    assert not taken & dead
    assert outcomes == Counter(
        {
            kind: count
            for kind, count in {"delivered": len(taken), "dead-lettered": len(dead)}.items()
            if count
        }
    )
    assert attempts > chats * MESSAGES * (1 + FAILURE_RATE / 2), "the webhook should have failed now and then"
    assert [refusal for each in played for refusal in each.chat.refused] == []
    assert [each.contact.ending.how for each in played] == ["queued"] * chats
    assert seconds < LONGEST
