from typing import Any

import pytest
from connect_sandbox.rehearsal import CannotPlayError, HangsUp, Presses
from connect_sandbox.rehearsal.conditions import Caller, Conditions

from tests.support.rehearsal import block, hang_up, say


def test_a_prompt_fills_in_references_and_leaves_missing_ones_empty(world: Any) -> None:
    contact = world.plays(
        say(
            "hello",
            "Hello $.Attributes.first, your bill is $1000. Ref: [$.External.a.b] $['Attributes']['first']!",
            "bye",
        ),
        hang_up(),
        attributes={"first": "Ada"},
    )
    contact.hears("Hello Ada, your bill is $1000. Ref: [] Ada!").ends("disconnected")


def test_ssml_is_heard_as_its_words(world: Any) -> None:
    ssml = "<speak>Good <emphasis>morning</emphasis>,\n $.CustomerEndpoint.Address</speak>"
    contact = world.plays(block("hello", "MessageParticipant", "bye", SSML=ssml), hang_up())
    contact.hears("Good morning, +12065550142")


def test_broken_ssml_takes_the_error_branch(world: Any) -> None:
    contact = world.plays(
        block("hello", "MessageParticipant", "bye", errors={"NoMatchingError": "sorry"}, SSML="<speak>Good"),
        say("sorry", "Sorry.", "bye"),
        hang_up(),
    )
    contact.hears("Sorry.").does_not_hear("Good")


def test_a_recorded_prompt_speaks_what_the_scenario_says_it_holds(world: Any) -> None:
    prompt = "arn:aws:connect:us-east-1:123456789012:instance/i/prompt/p-1"
    contact = world.plays(
        block("hello", "MessageParticipant", "bye", PromptId=prompt),
        hang_up(),
        conditions=Conditions(prompts={"p-1": "Welcome to Example Corp."}),
    )
    contact.hears("Welcome to Example Corp.")


def test_the_caller_may_hang_up_over_a_prompt(world: Any) -> None:
    contact = world.plays(
        say("hello", "All lines are busy.", "more"),
        say("more", "Please hold.", "bye"),
        hang_up(),
        caller=Caller(moves=[HangsUp(on_hearing="busy")]),
    )
    contact.ends("caller hung up").does_not_hear("Please hold.")


MENU = block(
    "menu",
    "GetParticipantInput",
    "none",
    errors={"InputTimeLimitExceeded": "slow", "NoMatchingCondition": "none", "NoMatchingError": "none"},
    when=[("Equals", "1", "sales")],
    Text="Press 1 for sales.",
    StoreInput="False",
    InputTimeLimitSeconds="5",
)
AFTER_MENU = [
    say("sales", "Sales.", "bye"),
    say("slow", "Too slow.", "bye"),
    say("none", "No such key.", "bye"),
    hang_up(),
]


@pytest.mark.parametrize(
    ("moves", "heard"), [([Presses("1")], "Sales."), ([Presses("7")], "No such key."), ([], "Too slow.")]
)
def test_a_menu_branches_on_the_key(world: Any, moves: list[Any], heard: str) -> None:
    world.plays(MENU, *AFTER_MENU, caller=Caller(moves=moves)).hears("Press 1 for sales.", heard)


def _store(**validation: Any) -> dict[str, Any]:
    return block(
        "ask",
        "GetParticipantInput",
        "tell",
        errors={"NoMatchingError": "bye", "InvalidPhoneNumber": "bad"},
        Text="Your number?",
        StoreInput="True",
        InputTimeLimitSeconds="5",
        InputValidation=validation,
    )


@pytest.mark.parametrize(
    ("validation", "moves", "heard"),
    [
        ({"CustomValidation": {"MaximumLength": "4"}}, [Presses("123456#")], "Got 1234."),
        ({"CustomValidation": {"MaximumLength": "10"}}, [Presses("12*34#")], "Got 34."),
        ({"CustomValidation": {"MaximumLength": "4"}}, [], "Got Timeout."),
        ({"PhoneNumberValidation": {"NumberFormat": "E164"}}, [Presses("12065550100#")], "Got +12065550100."),
        ({"PhoneNumberValidation": {"NumberFormat": "E164"}}, [Presses("0#")], "That is no number."),
    ],
)
def test_stored_input_is_validated_and_can_be_referred_to(
    world: Any, validation: dict[str, Any], moves: list[Any], heard: str
) -> None:
    contact = world.plays(
        _store(**validation),
        say("tell", "Got $.StoredCustomerInput.", "bye"),
        say("bad", "That is no number.", "bye"),
        hang_up(),
        caller=Caller(moves=moves),
    )
    contact.hears(heard)


def test_encrypted_input_stops_the_contact_by_name(world: Any) -> None:
    ask = _store(CustomValidation={"MaximumLength": "4"})
    ask["Parameters"]["InputEncryption"] = {"EncryptionKeyId": "k", "Key": "…"}
    with pytest.raises(
        CannotPlayError, match=r"the sandbox cannot play ask \(GetParticipantInput\): InputEncryption"
    ):
        world.plays(ask, say("tell", "x", "bye"), hang_up())


def test_messages_in_turn_play_until_they_are_interrupted(world: Any) -> None:
    contact = world.plays(
        block(
            "music",
            "MessageParticipantIteratively",
            when=[("Equals", "MessagesInterrupted", "tell")],
            then="bye",
            Messages=[{"Text": "la la la la la la la"}, {"Text": "please hold"}],
            InterruptFrequencySeconds="10",
        ),
        say("tell", "Still here?", "bye"),
        hang_up(),
    )
    contact.hears("la la", "please hold", "la la", "Still here?")


@pytest.mark.parametrize(
    ("validation", "pressed", "heard"),
    [
        ({"NumberFormat": "Local", "CountryCode": "US"}, "2065550142", "+12065550142"),
        ({"NumberFormat": "Local", "CountryCode": "US"}, "12065550142#", "+12065550142"),
        ({"NumberFormat": "Local", "CountryCode": "US"}, "5550142", "Not a number."),
        ({"NumberFormat": "Local", "CountryCode": "GB"}, "02079460000", "+442079460000"),
        ({"NumberFormat": "Local", "CountryCode": "IT"}, "0669800000", "+390669800000"),
        ({"NumberFormat": "Local", "CountryCode": "DE"}, "1", "Not a number."),
        ({"NumberFormat": "E164"}, "442079460000", "+442079460000"),
    ],
)
def test_a_telephone_number_is_stored_with_its_country_code(
    world: Any, validation: dict[str, str], pressed: str, heard: str
) -> None:
    ask = block("ask", "GetParticipantInput", "tell", errors={"NoMatchingError": "bye", "InvalidPhoneNumber": "no"},
                Text="Your number?", StoreInput="True", InputTimeLimitSeconds="5",
                InputValidation={"PhoneNumberValidation": validation})  # fmt: skip
    rest = [say("tell", "$.StoredCustomerInput", "bye"), say("no", "Not a number.", "bye"), hang_up()]
    world.plays(ask, *rest, caller=Caller(moves=[Presses(pressed)])).hears(heard)


def test_a_country_whose_numbers_are_not_known_stops_the_contact(world: Any) -> None:
    validation = {"PhoneNumberValidation": {"NumberFormat": "Local", "CountryCode": "XX"}}
    ask = block("ask", "GetParticipantInput", "bye", errors={"NoMatchingError": "bye"}, Text="Your number?",
                StoreInput="True", InputTimeLimitSeconds="5", InputValidation=validation)  # fmt: skip
    with pytest.raises(CannotPlayError, match=r"numbers of the country 'XX'.*setup\.blocks"):
        world.plays(ask, hang_up(), caller=Caller(moves=[Presses("1234567")]))
