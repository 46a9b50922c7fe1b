"""TransferParticipantToThirdParty: to a telephone number, or over a voice connector to an external voice system.

Sources: administrator guide, "Transfer to phone number" and "External voice transfer"; a console export of a flow with
a call transfer connector. The flow resumes only when the other side ends the call; a caller who hangs up ends the
contact. No AWS page names the SIP headers: X-Amzn-ConnectContactId and X-Amzn-ConnectInitialContactId are what voice
systems that take such calls document and read.
"""

import re

from connect_sandbox.rehearsal.blocks._registry import Registry
from connect_sandbox.rehearsal.ports import (
    CallFailed,
    DialOutcome,
    HungUpByCaller,
    HungUpByVendor,
    Invite,
    NotAnswered,
    NotDialled,
)
from connect_sandbox.rehearsal.stage import CallerHungUpError, Stage
from connect_sandbox.rehearsal.steps import Ending, Ends, Fails, Next, Step
from connect_sandbox.rehearsal.values import Json
from connect_sandbox.rehearsal.vendor_line import VendorLine

BLOCKS = Registry()

MAXIMUM_RING_SECONDS = 600
_CONNECTOR_ARN = re.compile(r"arn:[\w-]+:chime:[\w-]+:\d{12}:vc/[A-Za-z0-9-]+")
_E164 = re.compile(r"\+[1-9]\d{1,14}")
_HEX = re.compile(r"(?:[0-9a-fA-F]{2})+")
_CONNECTOR_KEYS = {"VoiceConnectorType", "VoiceConnectorArn", "ToUser", "FromUser", "UserToUserInformation"}


class _BadInviteError(Exception):
    """No call can be placed with the block's parameters; Amazon Connect takes the Error branch."""


@BLOCKS.plays(
    "TransferParticipantToThirdParty",
    "ThirdPartyPhoneNumber",
    "ThirdPartyConnectionTimeLimitSeconds",
    "ContinueFlowExecution",
    "ThirdPartyDTMFDigits",
    "CallerId",
    "VoiceConnector",
)
def transfer_participant_to_third_party(stage: Stage) -> Step:
    """Dial the third party and, if ContinueFlowExecution is "True", continue when it hangs up."""
    limit = stage.whole_number(
        stage.parameter("ThirdPartyConnectionTimeLimitSeconds"), "ThirdPartyConnectionTimeLimitSeconds"
    )
    if not 1 <= limit <= MAXIMUM_RING_SECONDS:
        raise stage.cannot(
            f"ThirdPartyConnectionTimeLimitSeconds is {limit}; Amazon Connect takes 1 to {MAXIMUM_RING_SECONDS}"
        )
    try:
        invite = _invite(stage)
    except _BadInviteError as error:
        return Fails("NoMatchingError", str(error))
    _note_dialling(stage, invite, limit)
    outcome = stage.ports.external_voice.dial(invite, time_limit=limit, line=VendorLine(stage))
    stage.counters.lambda_seconds = 0.0
    return _after(stage, outcome, limit)


def _after(stage: Stage, outcome: DialOutcome, limit: int) -> Step:
    resumes = stage.parameter("ContinueFlowExecution") == "True"
    match outcome:
        case HungUpByVendor():
            stage.note("hangs up", who="vendor")
            return Next() if resumes else Ends(Ending("transferred", reason="the third party hung up"))
        case HungUpByCaller():
            raise CallerHungUpError
        case CallFailed(reason):
            # Without resume the block has one error only: every failure is NoMatchingError.
            return Fails("CallFailed" if resumes else "NoMatchingError", reason)
        case NotAnswered():
            stage.clock.passes(limit)
            reason = f"nobody answered within {limit} s"
            return Fails("ConnectionTimeLimitExceeded" if resumes else "NoMatchingError", reason)
        case NotDialled(reason):
            return Fails("NoMatchingError", reason)


def _note_dialling(stage: Stage, invite: Invite, limit: int) -> None:
    connector = (invite.voice_connector_arn or "").rsplit("/", 1)[-1]
    over = f" over voice connector {connector}" if connector else ""
    stage.note(
        f"dials {invite.to}{over}, from {invite.from_}, for at most {limit} s",
        kind="dials",
        to=invite.to,
        voice_connector=invite.voice_connector_arn,
        sip_headers=dict(invite.sip_headers) or None,
        user_to_user=invite.user_to_user,
    )


def _invite(stage: Stage) -> Invite:
    connector = stage.parameter("VoiceConnector")
    dtmf = stage.text("ThirdPartyDTMFDigits") or None
    if connector is None:
        return _over_the_telephone_network(stage, dtmf)
    if stage.parameter("ThirdPartyPhoneNumber") is not None:
        raise stage.cannot(
            "it has a VoiceConnector and a ThirdPartyPhoneNumber; the console writes one of the two"
        )
    return _over_a_connector(stage, connector, dtmf)


def _over_the_telephone_network(stage: Stage, dtmf: str | None) -> Invite:
    number = stage.text("ThirdPartyPhoneNumber")
    if not number:
        raise _BadInviteError(stage.empty("ThirdPartyPhoneNumber", stage.parameter("ThirdPartyPhoneNumber")))
    if not _E164.fullmatch(number):
        raise _BadInviteError(f"ThirdPartyPhoneNumber {number!r} is not an E.164 number")
    caller_id = stage.filled(stage.parameter("CallerId") or {}).get("Number")
    return Invite(to=number, from_=caller_id or stage.state.customer_number, dtmf=dtmf)


def _over_a_connector(stage: Stage, connector: Json, dtmf: str | None) -> Invite:
    unknown = set(connector) - _CONNECTOR_KEYS
    if unknown:
        raise stage.cannot(f"VoiceConnector.{min(unknown)} is not documented")
    if connector.get("VoiceConnectorType") != "CallTransferConnector":
        raise stage.cannot(
            f"VoiceConnector.VoiceConnectorType is {connector.get('VoiceConnectorType')!r}; "
            "a transfer goes over a CallTransferConnector"
        )
    filled = stage.filled(connector)
    arn = filled.get("VoiceConnectorArn", "")
    if not _CONNECTOR_ARN.fullmatch(arn):
        raise _BadInviteError(f"VoiceConnectorArn {arn!r} is not a voice connector's ARN")
    user_to_user = filled.get("UserToUserInformation") or None
    if user_to_user is not None and not _HEX.fullmatch(user_to_user):
        raise _BadInviteError(f"UserToUserInformation {user_to_user!r} is not hexadecimal (RFC 7433)")
    headers = {
        "X-Amzn-ConnectContactId": stage.state.contact_id,
        "X-Amzn-ConnectInitialContactId": stage.state.initial_contact_id,
    }
    if user_to_user is not None:
        headers["User-to-User"] = f"{user_to_user};encoding=hex"
    return Invite(
        to=filled.get("ToUser") or stage.state.system_number,
        from_=filled.get("FromUser") or stage.state.customer_number,
        voice_connector_arn=arn,
        sip_headers=headers,
        user_to_user=user_to_user,
        dtmf=dtmf,
    )
