"""The touchtone buffer: keys that a caller presses before the flow asks for them."""

from typing import Any

import pytest
from connect_sandbox.rehearsal import Presses, PressesAhead
from connect_sandbox.rehearsal.conditions import Caller, Conditions, Move, Queue, Understanding

from tests.support.rehearsal import INSTANCE, block, hang_up, say

ON = block(
    "on", "GetParticipantInput", "welcome", errors={"NoMatchingError": "wrong"}, EnableDTMFBuffer="true"
)
WELCOME = block("welcome", "MessageParticipant", "main", errors={"NoMatchingError": "main"}, Text="Welcome.",
                SkipWhenDTMFBufferEnabled="true")  # fmt: skip


def menu(name: str, then: str) -> dict[str, Any]:
    errors = {"InputTimeLimitExceeded": "slow", "NoMatchingCondition": "wrong", "NoMatchingError": "wrong"}
    return block(name, "GetParticipantInput", "wrong", errors=errors, when=[("Equals", "1", then)],
                 Text=f"Press 1 in {name}.", StoreInput="False", InputTimeLimitSeconds="5")  # fmt: skip


def store(maximum: str = "4") -> dict[str, Any]:
    return block("store", "GetParticipantInput", "tell", errors={"NoMatchingError": "wrong"}, Text="Your number?",
                 StoreInput="True", InputTimeLimitSeconds="5",
                 InputValidation={"CustomValidation": {"MaximumLength": maximum}})  # fmt: skip


TELL = say("tell", "You entered $.StoredCustomerInput.", "bye")
REST = [TELL, say("slow", "Too slow.", "bye"), say("wrong", "Wrong.", "bye"), hang_up()]


def calls(world: Any, *blocks: dict[str, Any], moves: list[Move], **more: Any) -> Any:
    return world.plays(*blocks, *REST, caller=Caller(moves=moves), **more)


@pytest.mark.parametrize(
    "moves", [[PressesAhead("111234")], [Presses("111234")], [PressesAhead("1"), PressesAhead("11234")]]
)
def test_keys_pressed_ahead_go_through_menus_without_prompts(world: Any, moves: list[Move]) -> None:
    flow = [ON, WELCOME, menu("main", "sub"), menu("sub", "store"), store()]
    contact = calls(world, *flow, moves=moves)
    contact.does_not_hear("Press 1 in sub.").hears("You entered 1234.")
    assert contact.moves_left == ()


def test_a_prompt_is_skipped_only_if_keys_are_in_the_buffer(world: Any) -> None:
    flow = [ON, WELCOME, menu("main", "tell")]
    calls(world, *flow, moves=[PressesAhead("1")]).does_not_hear("Welcome.", "Press 1 in main.")
    calls(world, *flow, moves=[Presses("1")]).hears("Welcome.", "Press 1 in main.")
    needed = {**WELCOME, "Parameters": {"Text": "Welcome.", "SkipWhenDTMFBufferEnabled": "false"}}
    calls(world, ON, needed, menu("main", "tell"), moves=[PressesAhead("1")]).hears("Welcome.")


def test_without_the_buffer_keys_pressed_ahead_are_lost(world: Any) -> None:
    contact = calls(
        world, WELCOME, menu("main", "store"), store(), moves=[PressesAhead("1"), Presses("12345")]
    )
    contact.hears("Welcome.", "Press 1 in main.", "You entered Timeout.")
    assert contact.moves_left == ()


def test_what_is_stored_waits_for_the_rest(world: Any) -> None:
    contact = calls(world, {**ON, "Transitions": {**ON["Transitions"], "NextAction": "store"}}, store("6"),
                    moves=[PressesAhead("1234"), Presses("56")])  # fmt: skip
    contact.hears("You entered 123456.").does_not_hear("Your number?")


def test_the_last_key_ends_what_is_taken_from_the_buffer(world: Any) -> None:
    again = {**store(), "Identifier": "again"}
    first = {**store("9"), "Transitions": {**store()["Transitions"], "NextAction": "again"}}
    flow = [{**ON, "Transitions": {**ON["Transitions"], "NextAction": "store"}}, first, again]
    contact = calls(world, *flow, moves=[PressesAhead("12#3456")])
    contact.does_not_hear("Your number?").hears("You entered 3456.")
    assert "takes 12# from the buffer" in str(contact.transcript)


def test_the_buffer_is_stopped_cleared_and_kept(world: Any) -> None:
    stop = block("stop", "GetParticipantInput", "tell", errors={"NoMatchingError": "wrong"},
                 EnableDTMFBuffer="false", StoreInput="true")  # fmt: skip
    flow = [ON, {**WELCOME, "Transitions": {**WELCOME["Transitions"], "NextAction": "stop"}}, stop]
    contact = calls(world, *flow, moves=[PressesAhead("1234567" + "8" * 40)])
    contact.hears("You entered 1234567" + "8" * 23 + ".")  # 30 characters
    assert contact.state.dtmf_buffer is None


def test_a_chat_has_no_buffer(world: Any) -> None:
    calls(world, ON, WELCOME, menu("main", "tell"), moves=[], channel="CHAT").hears("Wrong.")


def test_lex_and_queues_clear_the_buffer(world: Any) -> None:
    lex = block("lex", "ConnectParticipantWithLexBot", "wrong", Text="How can I help?",
                errors={"NoMatchingCondition": "wrong", "NoMatchingError": "wrong"},
                when=[("Equals", "Pay", "main")], LexV2Bot={"AliasArn": "a"})  # fmt: skip
    on = {**ON, "Transitions": {**ON["Transitions"], "NextAction": "welcome"}}
    welcome = {**WELCOME, "Transitions": {**WELCOME["Transitions"], "NextAction": "lex"}}
    asked = Conditions(lex={"2": Understanding(intent="Pay")})
    contact = calls(world, on, welcome, lex, menu("main", "tell"), conditions=asked,
                    moves=[PressesAhead("1"), Presses("2"), Presses("1")])  # fmt: skip
    contact.hears("How can I help?", "Press 1 in main.", "You entered")

    queue = Queue(arn=f"{INSTANCE}/queue/q", name="Support")
    go = block("lex", "TransferContactToQueue", "bye", errors={"NoMatchingError": "bye"})
    waiting = Conditions(queues=[queue], queue_of_contact="Support")
    queued = calls(world, on, welcome, go, conditions=waiting, moves=[PressesAhead("1")]).ends(
        queued="Support"
    )
    assert queued.state.dtmf_buffer is None
