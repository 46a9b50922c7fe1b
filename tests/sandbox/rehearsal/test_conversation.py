"""Chats, Amazon Lex, views, and waiting for what happens in a chat."""

from typing import Any

import pytest
from connect_sandbox.rehearsal import CannotPlayError, Presses, Says, VirtualClock
from connect_sandbox.rehearsal.clock import TimeIsUpError
from connect_sandbox.rehearsal.conditions import (
    Caller,
    ChatBot,
    Chooses,
    Conditions,
    Understanding,
)

from tests.support.rehearsal import block, hang_up, say

LEX = block(
    "lex",
    "ConnectParticipantWithLexBot",
    "none",
    errors={"NoMatchingCondition": "none", "NoMatchingError": "wrong", "InputTimeLimitExceeded": "slow"},
    when=[("Equals", "Pay", "pay")],
    Text="What can I do for you?",
    LexV2Bot={"AliasArn": "arn:aws:lex:us-east-1:123456789012:bot-alias/B/A"},
    LexSessionAttributes={"tier": "$.Attributes.tier"},
    LexTimeoutSeconds={"Text": "120"},
)
AFTER_LEX = [
    say("pay", "$.Lex.IntentName of $.Lex.Slots.amount for $.Lex.SessionAttributes.tier.", "bye"),
    say("none", "I did not understand.", "bye"),
    say("slow", "Are you there?", "bye"),
    say("wrong", "Broken.", "bye"),
    hang_up(),
]
UNDERSTOOD = Conditions(
    lex={
        "I want to pay": Understanding(intent="Pay", slots={"amount": "10 dollars"}),
        "2": Understanding(intent="Pay", slots={"amount": "2"}),
        "Hm.": Understanding(intent=None),
    }
)


@pytest.mark.parametrize("channel", ["VOICE", "CHAT"])
@pytest.mark.parametrize(
    ("moves", "heard"),
    [
        ([Says("I want to pay")], "Pay of 10 dollars for gold."),
        ([Says("Hm.")], "I did not understand."),
        ([], "Are you there?"),
    ],
)
def test_lex_understands_what_the_scenario_says(
    world: Any, channel: str, moves: list[Any], heard: str
) -> None:
    contact = world.plays(
        LEX,
        *AFTER_LEX,
        channel=channel,
        caller=Caller(moves=moves),
        conditions=UNDERSTOOD,
        attributes={"tier": "gold"},
    )
    contact.hears("What can I do for you?", heard)


def test_what_lex_makes_of_an_utterance_can_be_compared(world: Any) -> None:
    cross = Understanding(intent="Pay", sentiment="NEGATIVE", intent_confidence=0.8, dialog_state="Failed")
    told = "$.Lex.SentimentResponse.Label $.Lex.IntentConfidence.Score $.Lex.DialogState"
    flow = [LEX, say("pay", told, "bye"), *AFTER_LEX[1:]]
    caller = Caller(moves=[Says("Pay! Now!")])
    world.plays(*flow, caller=caller, conditions=Conditions(lex={"Pay! Now!": cross})).hears(
        "NEGATIVE 0.8 Failed"
    )


def test_lex_hears_keys_on_the_telephone(world: Any) -> None:
    world.plays(LEX, *AFTER_LEX, caller=Caller(moves=[Presses("2")]), conditions=UNDERSTOOD).hears(
        "Pay of 2 for ."
    )


def test_an_utterance_that_the_scenario_does_not_explain_stops_the_contact(world: Any) -> None:
    with pytest.raises(CannotPlayError, match=r"what Lex understands of 'Help!': set it up in setup\.lex"):
        world.plays(LEX, *AFTER_LEX, caller=Caller(moves=[Says("Help!")]), conditions=UNDERSTOOD)


VIEW = block(
    "view",
    "ShowView",
    "none",
    errors={"NoMatchingCondition": "none", "NoMatchingError": "none", "TimeLimitExceeded": "slow"},
    when=[("Equals", "Submit", "thanks")],
    ViewResource={"Id": "form", "Version": "1"},
    InvocationTimeLimitSeconds="300",
)
AFTER_VIEW = [
    say("thanks", "$.Views.Action by $.Views.ViewResultData.name.", "bye"),
    say("none", "Another button.", "bye"),
    say("slow", "Too slow.", "bye"),
    hang_up(),
]


@pytest.mark.parametrize(
    ("moves", "heard"),
    [
        ([Chooses("Submit", {"name": "Ada"})], "Submit by Ada."),
        ([Chooses("Cancel")], "Another button."),
        ([Says("What is this?")], "Too slow."),
        ([], "Too slow."),
    ],
)
def test_a_view_branches_on_what_the_customer_chooses(world: Any, moves: list[Any], heard: str) -> None:
    clock = VirtualClock()
    contact = world.plays(VIEW, *AFTER_VIEW, channel="CHAT", caller=Caller(moves=moves), clock=clock)
    contact.hears(heard)
    assert clock.elapsed == (300 if heard == "Too slow." else 0)


def wait(*events: str) -> list[dict[str, Any]]:
    return [
        block(
            "wait",
            "Wait",
            "wrong",
            errors={"NoMatchingError": "wrong", "ParticipantNotFound": "nobody"},
            when=[("Equals", event, event) for event in ("WaitCompleted", *events)],
            TimeLimitSeconds="900",
            Events=list(events),
        ),
        *(say(event, f"{event}!", "bye") for event in ("WaitCompleted", *events)),
        say("nobody", "No bot.", "bye"),
        say("wrong", "Wrong.", "bye"),
        hang_up(),
    ]


@pytest.mark.parametrize(
    ("bot", "heard", "elapsed"),
    [
        (ChatBot(joins=0, leaves=30, conversation=(("says", "Hello."),)), "BotParticipantDisconnected!", 30),
        (ChatBot(joins=0, leaves=900), "BotParticipantDisconnected!", 900),
        (ChatBot(joins=0, leaves=901), "WaitCompleted!", 900),
        (ChatBot(joins=0), "WaitCompleted!", 900),
        (ChatBot(joins=5, leaves=30), "No bot.", 0),
        (ChatBot(joins=0, leaves=0), "No bot.", 0),
        (None, "No bot.", 0),
    ],
)
def test_a_wait_for_the_bot_ends_with_it_or_with_the_time(
    world: Any, bot: Any, heard: str, elapsed: float
) -> None:
    clock = VirtualClock()
    contact = world.plays(
        *wait("BotParticipantDisconnected"), channel="CHAT", conditions=Conditions(bot=bot), clock=clock
    )
    contact.hears(*(text for _, text in (bot.conversation if bot else ())), heard)
    assert clock.elapsed == elapsed


@pytest.mark.parametrize(
    ("after", "heard"), [(60, "CustomerReturned!"), (1000, "WaitCompleted!"), (None, "WaitCompl")]
)
def test_a_wait_for_the_customer_ends_when_they_are_back(world: Any, after: float | None, heard: str) -> None:
    conditions = Conditions(customer_returns_after=after)
    world.plays(*wait("CustomerReturned"), channel="CHAT", conditions=conditions).hears(heard)


def test_a_chat_has_no_telephone_numbers_and_its_messages_take_no_time(world: Any) -> None:
    clock = VirtualClock()
    contact = world.plays(
        say("hello", "From [$.CustomerEndpoint.Address] by $.Channel.", "bye"),
        hang_up(),
        channel="CHAT",
        clock=clock,
    )
    contact.hears("From [] by CHAT.")
    assert clock.elapsed == 0
    assert contact.state.initiation_method == "API"


def test_a_recording_cannot_be_played_in_a_chat(world: Any) -> None:
    play = block("play", "MessageParticipant", "bye", errors={"NoMatchingError": "sorry"}, PromptId="p")
    world.plays(play, say("sorry", "Sorry.", "bye"), hang_up(), channel="CHAT").hears("Sorry.")


def test_an_alarm_interrupts_once_and_forks_run_on_their_own() -> None:
    clock = VirtualClock()
    clock.passes(5)
    clock.set_alarm(7)
    aside = clock.fork()
    aside.passes(100)
    with pytest.raises(TimeIsUpError):
        clock.passes(10)
    assert (clock.elapsed, aside.elapsed) == (7, 105)
    clock.passes(10)
    assert clock.elapsed == 17
