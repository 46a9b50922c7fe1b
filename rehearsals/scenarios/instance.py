"""A contact centre of one's own: examples/contact_center, and what apps add to it."""

from __future__ import annotations

import wave
from io import BytesIO

from connect_sandbox.rehearsal.conditions import Agent

from rehearsals.scenarios.center_calls import dial, flow_log, recordings, stream_of, streamed
from rehearsals.scenarios.expect import expect, expect_that
from rehearsals.scenarios.registry import scenario
from rehearsals.scenarios.rehearsal import Rehearsal

ALIAS = "example-company-support"
GREETING = "Thank you for calling Example Company. An agent is next."


@scenario("instance/created-and-called", part="contact_center")
def created_and_called(rehearsal: Rehearsal) -> None:
    """Call the claimed number of a contact centre made from nothing: answered, and all is kept where it belongs."""
    sandbox, center = rehearsal.sandbox, rehearsal.deployment.contact_center
    contact = rehearsal.dials(
        center.number, queue=(center.queue_arn, "Support"), agent=Agent(answers_after=12, talks_for=30)
    )
    contact.hears(GREETING)
    [(bucket, key)] = recordings(sandbox, center.instance_id, contact.contact_id)
    sound = sandbox.boto3_client("s3").get_object(Bucket=bucket, Key=key)
    with wave.open(BytesIO(sound["Body"].read())) as voices:
        expect(voices.getnchannels(), 2, "the recording's channels, caller and agent")
    expect(sound["ServerSideEncryption"], "aws:kms", "the recording's encryption")
    rehearsal.note(f"the recording is {key}")

    records = streamed(sandbox, stream_of(sandbox, center.instance_id, "CONTACT_TRACE_RECORDS"))
    [record] = [each for each in records if each["ContactId"] == contact.contact_id]
    expect(record["Recording"]["Location"], f"{bucket}/{key}", "the recording that the contact record names")
    expect(record["SystemEndpoint"]["Address"], center.number, "the number of the contact record")
    expect((record["Queue"]["Name"], record["Queue"]["Duration"]), ("Support", 12), "its queue and wait")
    expect(
        (record["Agent"]["Username"], record["Agent"]["AgentInteractionDuration"]),
        ("ana", 30),
        "its agent, and the seconds of talk",
    )
    rehearsal.note("the contact record names the number, the queue, the agent and the recording")

    events = streamed(sandbox, stream_of(sandbox, center.instance_id, "AGENT_EVENTS"))
    held = [each for event in events for each in event["CurrentAgentSnapshot"]["Contacts"]]
    states = [each["State"] for each in held if each["ContactId"] == contact.contact_id]
    expect(states, ["CONNECTED", "ENDED"], "the contact's states in the agent events")

    lines = flow_log(sandbox, ALIAS, contact.contact_id)
    expect(
        [line["ContactFlowModuleType"] for line in lines],
        ["SetLoggingBehavior", "PlayPrompt", "SetRecordingBehavior", "SetQueue", "Transfer"],
        "the blocks in the flow's log",
    )
    lost = [line for line in sandbox.contact_center.records.lost if contact.contact_id in line]
    expect_that(not lost, f"nothing of the call should be lost; lost are {lost}")
    rehearsal.note("two agent events and five lines of the flow's log are there")
