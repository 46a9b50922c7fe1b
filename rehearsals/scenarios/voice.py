"""The voice path: a call goes out to the external voice system and comes back, in every way that it can."""

import time

from connect_sandbox.cloud import FunctionFault
from connect_sandbox.rehearsal.conditions import HangsUp, Says

from rehearsals.scenarios.expect import expect, expect_that
from rehearsals.scenarios.registry import scenario
from rehearsals.scenarios.rehearsal import Rehearsal, same_json
from rehearsals.vendors.voice.script import (
    Ask,
    HangUp,
    NeverAnswers,
    PostMetadata,
    Refuses,
    Say,
)

WELCOME = "Welcome. One moment please"
CALL_FAILED = "Our assistant could not take your call."
NOT_ANSWERED = "Our assistant did not answer in time."
METADATA_MISSING = "You may be asked again what you have told our assistant."
APOLOGIES = (CALL_FAILED, NOT_ANSWERED, METADATA_MISSING, "Something went wrong on our side.")

TRANSFER = "Transfer to external voice system"
FETCH = "Fetch metadata"
KEEP = "Keep metadata as attribute"
ATTRIBUTE = "customData"

METADATA = {
    "x_metadata": "Caller asks for a refund (“schnell!”)",
    "kore-instanceSessionId": "8f14e45f-ceea-467f-a0e6-1d3f4a2b9c77",
    "confidence": 0.9731,
    "caseNumber": 90071992547409931,
    "tags": ["refund", None, True],
}
"""What Kore's guide to external voice posts (docs/guides.md#voice-bot-8), and what a lossy bridge would break.

That is floats, integers beyond 2^53, unicode, nesting, order.
"""

ASKS = Ask("How can I help you today?", remember="reason")
GOES_BACK = Say("I am passing you to a colleague.")


@scenario("voice/metadata-returns", demo=True)
def metadata_returns(rehearsal: Rehearsal) -> None:
    """Post metadata while the vendor has the call; the flow resumes and keeps it for the agent."""
    path = rehearsal.deployment.voice
    metadata = METADATA | {"reason": "{reason}"}
    with rehearsal.table_calls(path) as table_calls:
        call = rehearsal.call(
            path, ASKS, PostMetadata(metadata), GOES_BACK, HangUp(), moves=[Says("I want my money back")]
        )
    contact = call.contact
    contact.hears(WELCOME, "How can I help you today?", "I am passing you to a colleague.").does_not_hear(
        *APOLOGIES
    )
    contact.reaches(TRANSFER, FETCH, KEEP).ends(queued="Support")

    [posted] = call.posted
    expect(posted.status, 200, "the API's answer to the vendor")
    sent = metadata | {"reason": "I want my money back"}
    expect_that(
        same_json(contact.attributes.get(ATTRIBUTE), sent),
        f"{ATTRIBUTE} should be what the vendor sent, number for number; it is {contact.attributes.get(ATTRIBUTE)!r}",
    )
    item = rehearsal.stored(path, contact) or {}
    expect_that(
        any(same_json(value, sent) for value in item.values() if value.startswith("{")),
        f"the table should hold the JSON text that was posted; it holds {item}",
    )
    expect(sorted(table_calls), ["dynamodb:GetItem", "dynamodb:PutItem"], "what the call asked of DynamoDB")
    rehearsal.note("one write and one read of the table, and the attribute equals what was posted", item=item)


@scenario("voice/no-metadata")
def no_metadata(rehearsal: Rehearsal) -> None:
    """Come back without metadata: no attribute with a made-up value is written."""
    path = rehearsal.deployment.voice
    call = rehearsal.call(path, ASKS, HangUp(), moves=[Says("an agent, please")])
    contact = call.contact
    contact.hears(WELCOME).does_not_hear(*APOLOGIES)
    contact.reaches(FETCH).does_not_reach(KEEP).lacks_attributes(ATTRIBUTE).ends(queued="Support")
    expect(call.posted, [], "what the vendor posted")
    expect(contact.state.external, {"found": "false"}, "$.External")
    expect(rehearsal.stored(path, contact), None, "the table's item for the contact")


@scenario("voice/call-failed", demo=True)
def call_failed(rehearsal: Rehearsal) -> None:
    """Refuse the call (SIP 486, 503): the caller hears so and goes to the queue, unless that is full."""
    path = rehearsal.deployment.voice
    contact = rehearsal.call(path, pickup=Refuses(486, "Busy Here")).contact
    contact.hears(WELCOME, CALL_FAILED).does_not_hear(NOT_ANSWERED, METADATA_MISSING)
    contact.does_not_reach(FETCH).lacks_attributes(ATTRIBUTE).ends(queued="Support")

    full = rehearsal.call(path, pickup=Refuses(503, "Service Unavailable"), queue_at_capacity=True).contact
    full.hears(WELCOME, CALL_FAILED, "All lines are busy").ends("disconnected")


@scenario("voice/connection-timeout")
def connection_timeout(rehearsal: Rehearsal) -> None:
    """Let it ring for the block's whole limit: the caller hears that nobody answered, and goes to the queue."""
    call = rehearsal.call(rehearsal.deployment.voice, pickup=NeverAnswers())
    contact = call.contact
    contact.hears(WELCOME, NOT_ANSWERED).does_not_hear(CALL_FAILED, METADATA_MISSING)
    contact.does_not_reach(FETCH).lacks_attributes(ATTRIBUTE).ends(queued="Support")
    expect(len(call.vendor.invites), 1, "the number of INVITEs at the vendor")
    rang = contact.transcript[len(contact.transcript) - 1].at
    expect_that(rang > 60, f"60 s of ringing should have passed on the contact's clock; {rang:.0f} s did")


@scenario("voice/metadata-lambda-fails", demo=True)
def metadata_lambda_fails(rehearsal: Rehearsal) -> None:
    """Let the retrieve function die: the caller goes to the queue all the same; throttling alone loses nothing."""
    path = rehearsal.deployment.voice
    retrieve = rehearsal.function_of(path, FETCH)
    rehearsal.inject(retrieve, FunctionFault("crash"))
    call = rehearsal.call(path, PostMetadata(METADATA), HangUp())
    expect([posted.status for posted in call.posted], [200], "the API's answers to the vendor")
    call.contact.hears(WELCOME, METADATA_MISSING).reaches(FETCH).does_not_reach(KEEP)
    call.contact.lacks_attributes(ATTRIBUTE).ends(queued="Support")
    expect_that(
        rehearsal.stored(path, call.contact) is not None, "the table should hold what the vendor posted"
    )

    rehearsal.note("the same call, while Lambda throttles the first two attempts")
    rehearsal.inject(retrieve, FunctionFault("throttle", times=2))
    again = rehearsal.call(path, PostMetadata(METADATA), HangUp()).contact
    again.invokes(retrieve, times=3).does_not_hear(METADATA_MISSING).reaches(KEEP).ends(queued="Support")
    expect_that(
        same_json(again.attributes.get(ATTRIBUTE), METADATA), f"{ATTRIBUTE} should be what was posted"
    )


@scenario("voice/wrong-token", demo=True)
def wrong_token(rehearsal: Rehearsal) -> None:
    """Use a wrong token: 403, nothing is stored, no token appears in a log, and the call itself goes on."""
    path = rehearsal.deployment.voice
    wrong = "not-the-token-4b1d"
    call = rehearsal.call(path, PostMetadata(METADATA, token=wrong), HangUp())
    [posted] = call.posted
    expect(posted.status, 403, "the API's answer to the vendor")
    expect_that(
        isinstance(posted.body, dict) and {"code", "message"} <= set(posted.body.get("error", {})),
        f"the answer should name an error code and a message; it is {posted.body!r}",
    )
    call.contact.hears(WELCOME).does_not_hear(*APOLOGIES).lacks_attributes(ATTRIBUTE).ends(queued="Support")
    expect(rehearsal.stored(path, call.contact), None, "the table's item for the contact")
    logged = rehearsal.logged(path)
    expect_that(bool(logged), "the functions should have logged something")
    for token in (wrong, path.token):
        expect_that(token not in logged, "a token appears in a log")
    rehearsal.note("nothing was stored, and no token appears in any log of the stack", answer=posted.body)


@scenario("voice/caller-hangs-up-at-vendor")
def caller_hangs_up_at_vendor(rehearsal: Rehearsal) -> None:
    """Hang up at the vendor: the contact ends, and what was posted expires by itself."""
    path = rehearsal.deployment.voice
    call = rehearsal.call(
        path, PostMetadata(METADATA), ASKS, PostMetadata({"never": "posted"}), moves=[HangsUp()]
    )
    call.contact.hears(WELCOME, "How can I help you today?").ends("caller hung up")
    call.contact.does_not_reach(FETCH).lacks_attributes(ATTRIBUTE)
    expect([posted.status for posted in call.posted], [200], "the API's answers to the vendor")
    item = rehearsal.stored(path, call.contact)
    if item is None:
        raise AssertionError("the table should hold what the vendor posted before the caller hung up")
    table = rehearsal.sandbox.boto3_client("dynamodb").describe_time_to_live(
        TableName=rehearsal.deployment.physical_id(path.stack, "AWS::DynamoDB::GlobalTable")
    )
    expires_in = int(item[table["TimeToLiveDescription"]["AttributeName"]]) - time.time()
    expect_that(
        0 < expires_in <= 24 * 3600 + 5, f"the item should expire within 24 h; it does in {expires_in:.0f} s"
    )
    rehearsal.note(f"the item expires in {expires_in / 3600:.1f} h", item=item)


@scenario("voice/module-in-own-flow", part="own_app")
def module_in_own_flow(rehearsal: Rehearsal) -> None:
    """Use the published module in the flow of another app, over the connector that this app created."""
    path = rehearsal.deployment.own_app
    call = rehearsal.call(path, ASKS, PostMetadata(METADATA), HangUp(), moves=[Says("my order")])
    contact = call.contact
    contact.hears("Thank you for calling Example Corp support.", "How can I help you today?")
    contact.hears("They know what you have told our assistant.").ends(queued="Support")
    contact.has_attributes(externalVoiceResult="completed", externalVoiceMetadata="found")
    expect_that(
        same_json(contact.attributes.get(ATTRIBUTE), METADATA), f"{ATTRIBUTE} should be what was posted"
    )
    expect(
        call.vendor.invites[0].voice_connector_arn,
        path.connector_arn,
        "the connector that the call went over",
    )

    refused = rehearsal.call(path, pickup=Refuses()).contact
    refused.hears("Our assistant is not available.").has_attributes(externalVoiceResult="callFailed")
    refused.lacks_attributes(ATTRIBUTE).ends(queued="Support")
