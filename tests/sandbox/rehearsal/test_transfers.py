from typing import Any

import pytest
from connect_sandbox.rehearsal import (
    Caller,
    CallFailed,
    CannotPlayError,
    HangsUp,
    HungUpByCaller,
    HungUpByVendor,
    NotAnswered,
    NotDialled,
    Says,
    VirtualClock,
)

from tests.support.rehearsal import block, hang_up, say

CONNECTOR = {
    "VoiceConnectorType": "CallTransferConnector",
    "VoiceConnectorArn": "arn:aws:chime:us-east-1:123456789012:vc/abcdef1ghij2klmno3pqr4",
    "ToUser": "+12065550100",
    "FromUser": "$.CustomerEndpoint.Address",
}
BRANCHES = {"CallFailed": "failed", "ConnectionTimeLimitExceeded": "slow", "NoMatchingError": "wrong"}


def transfer(*, resume: str = "True", **parameters: Any) -> list[dict[str, Any]]:
    settings: dict[str, Any] = {"ThirdPartyConnectionTimeLimitSeconds": "60", "ContinueFlowExecution": resume}
    return [
        block(
            "transfer", "TransferParticipantToThirdParty", "back", errors=BRANCHES, **settings | parameters
        ),
        say("back", "Welcome back.", "bye"),
        say("failed", "It failed.", "bye"),
        say("slow", "Nobody answered.", "bye"),
        say("wrong", "Not dialled.", "bye"),
        hang_up(),
    ]


@pytest.mark.parametrize(
    ("outcome", "heard"),
    [
        (HungUpByVendor(), "Welcome back."),
        (CallFailed("SIP 486 Busy Here"), "It failed."),
        (NotAnswered(), "Nobody answered."),
        (NotDialled("not associated"), "Not dialled."),
    ],
)
def test_each_outcome_of_the_call_takes_its_own_branch(world: Any, outcome: Any, heard: str) -> None:
    world.third_party = lambda _invite, _line: outcome
    world.plays(*transfer(VoiceConnector=CONNECTOR)).hears(heard).ends("disconnected")


def test_the_call_carries_numbers_contact_id_and_user_to_user_information(world: Any) -> None:
    world.third_party = lambda _invite, _line: HungUpByVendor()
    connector = CONNECTOR | {"UserToUserInformation": "$.Attributes.uui"}
    contact = world.plays(*transfer(VoiceConnector=connector), attributes={"uui": "48656c6c6f"})
    [invite] = world.invites
    assert (invite.to, invite.from_) == ("+12065550100", "+12065550142")
    assert invite.voice_connector_arn == CONNECTOR["VoiceConnectorArn"]
    assert invite.sip_headers == {
        "X-Amzn-ConnectContactId": contact.contact_id,
        "X-Amzn-ConnectInitialContactId": contact.contact_id,
        "User-to-User": "48656c6c6f;encoding=hex",
    }


def test_a_call_over_the_telephone_network_carries_no_headers(world: Any) -> None:
    world.third_party = lambda _invite, _line: HungUpByVendor()
    world.plays(*transfer(ThirdPartyPhoneNumber="+12065550111")).hears("Welcome back.")
    assert world.invites[0].sip_headers == {}
    assert world.invites[0].voice_connector_arn is None


@pytest.mark.parametrize(
    "parameters",
    [
        {"ThirdPartyPhoneNumber": "$.Attributes.nobody"},
        {"VoiceConnector": CONNECTOR | {"VoiceConnectorArn": "$.Attributes.nothing"}},
        {"VoiceConnector": CONNECTOR | {"UserToUserInformation": "not hex"}},
    ],
)
def test_what_cannot_be_dialled_takes_no_matching_error(world: Any, parameters: dict[str, Any]) -> None:
    world.plays(*transfer(**parameters)).hears("Not dialled.")
    assert not world.invites


def test_without_resume_the_contact_ends_with_the_transfer(world: Any) -> None:
    world.third_party = lambda _invite, _line: HungUpByVendor()
    world.plays(*transfer(resume="False", VoiceConnector=CONNECTOR)).ends("transferred").does_not_hear(
        "Welcome back."
    )


def test_a_caller_who_hangs_up_at_the_vendor_ends_the_contact(world: Any) -> None:
    def assistant(_invite: Any, line: Any) -> Any:
        reply = line.vendor_asks("How can I help?")
        assert reply == "I want an agent"
        return HungUpByCaller() if line.vendor_asks("Why?") is None else HungUpByVendor()

    world.third_party = assistant
    caller = Caller(moves=[Says("I want an agent"), HangsUp()])
    contact = world.plays(*transfer(VoiceConnector=CONNECTOR), caller=caller)
    contact.hears("How can I help?", "Why?").ends("caller hung up").does_not_reach("back")


def test_ringing_in_vain_takes_virtual_time(world: Any) -> None:
    world.third_party = lambda _invite, _line: NotAnswered()
    clock = VirtualClock()
    world.plays(*transfer(VoiceConnector=CONNECTOR), clock=clock)
    assert clock.elapsed > 60


def test_an_undocumented_connector_setting_stops_the_contact_by_name(world: Any) -> None:
    with pytest.raises(
        CannotPlayError, match=r"cannot play transfer .*VoiceConnector\.Codec is not documented"
    ):
        world.plays(*transfer(VoiceConnector=CONNECTOR | {"Codec": "x"}))
