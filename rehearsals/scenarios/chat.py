"""The chat path of the environment `dev`: what happens between customer, bot and agent, and to every message."""

from connect_sandbox.rehearsal.chat_room import SaysAfter
from connect_sandbox.rehearsal.conditions import HangsUp, Says

from rehearsals.scenarios.chats import PlayedChat, write_down
from rehearsals.scenarios.expect import expect, expect_that
from rehearsals.scenarios.registry import scenario
from rehearsals.scenarios.rehearsal import Rehearsal
from rehearsals.vendors.chat.client import BotReport
from rehearsals.vendors.chat.script import BotScript

WELCOME = "Welcome."
NOT_AVAILABLE = "Our assistant is not available"
HAND_OVER = "An agent"
START, STOP = "Start the bot", "Stop streaming"
WAITS = ("Wait for the bot", "Give the bot time to join", "Wait for the bot that joined")

GREETING = "Hello, I am the assistant. What is it about?"
ORDER = Says("Where is my order 4711?")
TRACKING = "It left our warehouse this morning."
THANKS = Says("Thank you!")
FAREWELL = "You are welcome. Goodbye!"


@scenario("chat/bot-converses", demo=True)
def bot_converses(rehearsal: Rehearsal) -> None:
    """Stream the chat to the bot; it joins, answers each message once, and leaves."""
    script = BotScript(token="", greeting=GREETING, replies=(TRACKING,), leaves_after=2, farewell=FAREWELL)
    chat = rehearsal.chat(script, moves=[ORDER, THANKS])
    chat.contact.hears(GREETING, TRACKING, FAREWELL).does_not_hear(NOT_AVAILABLE)
    chat.contact.reaches(START, STOP).ends(queued="Support")
    report = _settled(chat, delivered=2)
    expect([status["status"] for status in report.initialized], [200], "the webhook's answers")
    expect([m["content"] for m in report.taken()], [ORDER.text, THANKS.text], "what the bot has read")
    expect({m["role"] for m in report.taken()}, {"CUSTOMER"}, "whose messages the filter lets through")
    expect(chat.chat.streamings, {}, "the streamings after the bot has left")
    write_down(
        chat, "both messages delivered, each with a valid signature; nothing of the bot's own was sent back"
    )


@scenario("chat/bot-hands-to-agent")
def bot_hands_to_agent(rehearsal: Rehearsal) -> None:
    """Let the bot leave at once: an agent takes over, and the streaming has ended before the agent writes."""
    script = BotScript(
        token="", greeting=GREETING, replies=(), leaves_after=1, farewell="I fetch a colleague."
    )
    chat = rehearsal.chat(script, moves=[Says("I want to talk to a person")])
    chat.contact.hears(GREETING, "I fetch a colleague.", HAND_OVER).does_not_hear(NOT_AVAILABLE)
    chat.contact.reaches(STOP).ends(queued="Support")
    _settled(chat, delivered=1)

    full = rehearsal.chat(script, moves=[Says("A person, please")], queue_at_capacity=True)
    full.contact.hears(HAND_OVER).ends("disconnected")
    _settled(full, delivered=1)


@scenario("chat/webhook-down", demo=True)
def webhook_down(rehearsal: Rehearsal) -> None:
    """Close the webhook's port: the customer is told, and goes to an agent; nothing is streamed."""
    path = rehearsal.deployment.chat
    path.bot.goes_down()
    try:
        chat = rehearsal.chat(BotScript(token=""), moves=[ORDER])
    finally:
        path.bot.comes_up()
    _is_not_streamed(chat, "webhookUnreachable")


@scenario("chat/webhook-slow")
def webhook_slow(rehearsal: Rehearsal) -> None:
    """Let the webhook take longer than the flow can wait: the function answers in time all the same."""
    chat = rehearsal.chat(BotScript(token="", initialize_seconds=8.0, joins=False), moves=[ORDER])
    _is_not_streamed(chat, "webhookTimedOut")
    expect(len(chat.report().initialized), 1, "how often a slow webhook is asked")


@scenario("chat/start-is-not-repeated")
def start_is_not_repeated(rehearsal: Rehearsal) -> None:
    """Let the vendor begin a conversation and answer 500: it is asked once; who says "not now" is asked three times."""
    begun = rehearsal.chat(BotScript(token="", joins=False, begun_status=500), moves=[ORDER])
    _is_not_streamed(begun, "webhookFailed")
    [asked] = begun.report().initialized
    expect(asked["status"], 200, "what the vendor did before its answer was lost")

    busy = rehearsal.chat(BotScript(token="", initialize_status=503), moves=[ORDER])
    _is_not_streamed(busy, "webhookFailed")
    tries = busy.report().initialized
    expect([each["status"] for each in tries], [503] * 3, "how often a busy vendor is asked")
    expect_that(
        len({each["key"] for each in tries}) == 1 and tries[0]["key"] not in {"", asked["key"]},
        "all tries for a chat, and only those, should carry one idempotency key",
    )


@scenario("chat/wrong-verification-token")
def wrong_verification_token(rehearsal: Rehearsal) -> None:
    """Let the vendor expect another token: no bot, an agent instead, and no token in any log."""
    path = rehearsal.deployment.chat
    chat = rehearsal.chat(BotScript(token="another-token-9d2f"), moves=[ORDER])  # noqa: S106  (an example)
    _is_not_streamed(chat, "verificationTokenRefused")
    expect_that(
        {entry["status"] for entry in chat.report().initialized} == {401}, "the vendor should answer 401"
    )
    logged = rehearsal.logged(path)
    expect_that("verificationTokenRefused" in logged, "the function's log should say the reason")
    expect_that(path.token not in logged, "the verification token appears in a log")
    again = rehearsal.chat(BotScript(token="", leaves_after=1), moves=[ORDER])
    again.contact.does_not_hear(NOT_AVAILABLE).reaches(STOP)
    _settled(again, delivered=1)


@scenario("chat/customer-leaves")
def customer_leaves(rehearsal: Rehearsal) -> None:
    """Leave the chat in the middle: it ends, its streaming with it, and the bot cannot write any more."""
    script = BotScript(token="", greeting=GREETING, replies=(TRACKING,))
    chat = rehearsal.chat(script, moves=[ORDER, HangsUp()])
    chat.contact.hears(GREETING, TRACKING).does_not_reach(STOP).ends("caller hung up")
    expect((chat.chat.ended, chat.chat.streamings), (True, {}), "whether the chat has ended, its streamings")
    _settled(chat, delivered=1)


@scenario("chat/messages-survive-outage", demo=True)
def messages_survive_outage(rehearsal: Rehearsal) -> None:
    """Take the webhook down in mid-chat: each message is delivered later, or lies in the dead-letter queue."""
    path, deliveries = rehearsal.deployment.chat, rehearsal.sandbox.sns.deliveries
    rest = [Says(f"message {number}") for number in range(2, 6)]
    for outage, expected in (("short", {"delivered": 5}), ("long", {"dead-lettered": 5})):
        try:
            chat = rehearsal.chat(
                BotScript(token="", greeting=GREETING),
                moves=[SaysAfter("message 1", path.bot.goes_down), *rest],
                patience=0.1,
            )
            if outage == "long":
                # Only when SNS has given up does the webhook come back.
                deliveries.wait(30.0)
        finally:
            path.bot.comes_up()
        became = chat.accounts_for()
        expect(len(chat.written), 5, "how many messages the customer has written")
        expect(became, expected, f"what became of them in the {outage} outage")
        _expect_each_once(chat)
        _write_down_order(chat, outage)


def _write_down_order(chat: PlayedChat, outage: str) -> None:
    ended = [delivery.order for delivery in chat.deliveries]
    attempts = max(len(delivery.attempts) for delivery in chat.deliveries)
    order = "the order" if ended == sorted(ended) else "another order than"
    write_down(
        chat,
        f"{outage} outage: {chat.accounts_for()}, up to {attempts} attempts each; they ended in {order} written",
        order=[sorted(ended).index(each) + 1 for each in ended],
    )


def _expect_each_once(chat: PlayedChat) -> None:
    written = {item.id for item in chat.written}
    taken = {message["id"] for message in chat.report().taken()}
    dead = {message["Id"] for message in chat.dead_letters()}
    expect_that(
        taken | dead == written and not taken & dead,
        f"each of {len(written)} messages should be with the bot or in the dead-letter queue; "
        f"{len(taken)} and {len(dead)} are",
    )


def _settled(chat: PlayedChat, *, delivered: int) -> BotReport:
    expect(chat.accounts_for(), {"delivered": delivered}, "what became of the customer's messages")
    expect(chat.chat.refused, [], "what Amazon Connect was not allowed to publish")
    report = chat.report()
    expect(report.refused, [], "what the bot did not believe")
    expect(len(report.taken()), delivered, "how many messages the bot has taken")
    return report


def _is_not_streamed(chat: PlayedChat, reason: str) -> None:
    chat.contact.hears(NOT_AVAILABLE).does_not_reach(*WAITS).ends(queued="Support")
    expect(
        chat.contact.state.external,
        {"streaming": "failed", "reason": reason},
        "what the function has told the flow",
    )
    expect(chat.chat.streamings, {}, "the streamings that go on")
    expect(chat.accounts_for(), {}, "the messages that were sent to nobody")
