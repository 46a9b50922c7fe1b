"""A contact centre of one's own: examples/contact_center, and what apps add to it."""

from __future__ import annotations

import base64
import json
import wave
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from typing import Any

from connect_sandbox.cloud import CdkFailedError
from connect_sandbox.rehearsal.conditions import Agent, Presses
from connect_sandbox.rehearsal.contact import Contact
from connect_sandbox.rehearsal.errors import NoSuchFlowError
from cryptography.hazmat.primitives.asymmetric import rsa

from rehearsals.scenarios.center_calls import (
    contact_record,
    delivered,
    delivery_bucket,
    delivery_target,
    flow_log,
    in_bucket,
    recording,
    recordings,
    stored_in,
    stream_of,
    streamed,
)
from rehearsals.scenarios.deploys import DeployFailedError, StackDeployer
from rehearsals.scenarios.expect import expect, expect_that
from rehearsals.scenarios.instance_apps import deploy, deployed, in_pem, private_key, synthesize
from rehearsals.scenarios.registry import scenario
from rehearsals.scenarios.rehearsal import Rehearsal

ALIAS = "example-company-support"
LINE, SECOND = "instance-line", "instance-second-recordings"
OWN_KEY = "instance-own-key"
CARD = "4111111111111111"
NO_CARD = "We could not read a card number."
GREETING = "Thank you for calling Example Company. An agent is next."


@scenario("instance/created-and-called", part="contact_center")
def created_and_called(rehearsal: Rehearsal) -> None:
    """Call the claimed number of a contact centre made from nothing: answered, and all is kept where it belongs."""
    sandbox, center = rehearsal.sandbox, rehearsal.deployment.contact_center
    contact = rehearsal.dials(
        center.number, queue=(center.queue_arn, "Support"), agent=Agent(answers_after=12, talks_for=30)
    )
    contact.hears(GREETING)
    bucket, key = recording(sandbox, center.instance_id, contact.contact_id)
    sound = sandbox.boto3_client("s3").get_object(Bucket=bucket, Key=key)
    with wave.open(BytesIO(sound["Body"].read())) as voices:
        expect(voices.getnchannels(), 2, "the recording's channels, caller and agent")
    expect(sound["ServerSideEncryption"], "aws:kms", "the recording's encryption")
    rehearsal.note(f"the recording is {key}")

    record = contact_record(sandbox, center.instance_id, contact.contact_id)
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


@scenario("instance/second-association-refused", part="contact_center")
def second_association_refused(rehearsal: Rehearsal) -> None:
    """Ask for a second place for recordings: refused at synth, and at deployment where the app cannot see the first."""
    sandbox, center = rehearsal.sandbox, rehearsal.deployment.contact_center
    try:
        synthesize(rehearsal, twice="yes")
    except CdkFailedError as refusal:
        expect_that(
            "a CALL_RECORDINGS association already" in refusal.output,
            f"the synth should name the association that is there; it says {refusal.output}",
        )
    else:
        raise AssertionError("an app with two associations of a type should have been refused at synth")
    before = stored_in(sandbox, center.instance_id, "CALL_RECORDINGS")
    buckets = _buckets(rehearsal)
    try:
        deploy(rehearsal, SECOND)
    except DeployFailedError as refusal:
        said = str(refusal)
    else:
        raise AssertionError("the deployment of a second association should have failed")
    expect_that(
        f"{SECOND} is ROLLBACK_COMPLETE" in said and "ResourceConflictException" in said,
        f"the failed deployment should say that the association exists; it says {said}",
    )
    StackDeployer(sandbox).delete(SECOND)
    expect(stored_in(sandbox, center.instance_id, "CALL_RECORDINGS"), before, "the association of recordings")
    expect(_buckets(rehearsal), buckets, "the buckets after the failed deployment")
    rehearsal.note("synth and CloudFormation refuse it, the first association stays, and no bucket is left")


@scenario("instance/number-moves-to-new-flow", part="contact_center")
def number_moves(rehearsal: Rehearsal) -> None:
    """Give a number another flow in the app: the same number leads there, and nothing is replaced."""
    with deployed(rehearsal, LINE) as outputs:
        number, held = outputs["Number"], _held(rehearsal, LINE)
        rehearsal.dials(number).hears("The old flow.").does_not_hear("The new flow.")
        deploy(rehearsal, LINE, variant="moved")
        expect(_held(rehearsal, LINE), held, "the stack's resources after the update")
        expect(rehearsal.sandbox.stack_outputs(LINE)["Number"], number, "the number after the update")
        rehearsal.dials(number).hears("The new flow.").does_not_hear("The old flow.")
    rehearsal.note(f"{number} leads to the new flow, and nothing was replaced")


@scenario("instance/alarm-goes-off", part="contact_center")
def alarm_goes_off(rehearsal: Rehearsal) -> None:
    """Dial a number that leads nowhere: the alarm goes off, once, and tells its topic."""
    with deployed(rehearsal, "instance-alarm") as outputs:
        watched = rehearsal.sandbox.boto3_client("cloudwatch"), outputs["AlarmName"]
        rehearsal.dials(rehearsal.deployment.contact_center.number)
        expect_that(_state(*watched) != "ALARM", "the alarm should be quiet after a call that was answered")
        try:
            rehearsal.dials(outputs["Number"])
        except NoSuchFlowError as nowhere:
            rehearsal.note(str(nowhere))
        else:
            raise AssertionError("the number should lead nowhere")
        expect(_state(*watched), "ALARM", "the alarm's state")
        history = rehearsal.sandbox.contact_center.alarms.history
        told = [
            change.done
            for change in history
            if change.alarm == outputs["AlarmName"] and change.new == "ALARM"
        ]
        expect(told, [[outputs["TopicArn"]]], "the topics that were told of the alarm")
    rehearsal.note("the alarm goes off and tells its topic")


@scenario("instance/encrypted-input", part="contact_center")
def encrypted_input(rehearsal: Rehearsal) -> None:
    """Enter a card's number: the contact record has it encrypted, and only who has the private key reads it."""
    sandbox, center = rehearsal.sandbox, rehearsal.deployment.contact_center
    secrets = sandbox.boto3_client("secretsmanager")
    with deployed(rehearsal, "instance-encrypted-input") as outputs:

        def keep(key: rsa.RSAPrivateKey) -> None:
            keys = json.dumps({outputs["KeyId"]: in_pem(key)})
            secrets.put_secret_value(SecretId=outputs["PrivateKeysSecretArn"], SecretString=keys)

        keep(private_key())
        contact = rehearsal.dials(outputs["Number"], moves=[Presses(CARD)])
        contact.hears(f"We use the card that ends in {CARD[-4:]}.")
        record = contact_record(sandbox, center.instance_id, contact.contact_id)
        expect_that(CARD not in json.dumps(record), "the contact record should not have the card's number")
        kept = base64.b64decode(record["Attributes"]["card"], validate=True)
        expect_that(
            outputs["KeyId"].encode() in kept and CARD.encode() not in kept,
            "what is kept should name the security key, and not be readable",
        )
        rehearsal.dials(outputs["Number"], moves=[Presses("4111111111111112")]).hears(NO_CARD)
        rehearsal.dials(outputs["Number"]).hears(NO_CARD)
        rehearsal.note("a wrong number, and no number at all, are told from a card's")

        keep(rsa.generate_private_key(65537, 2048))
        rehearsal.dials(outputs["Number"], moves=[Presses(CARD)]).hears(NO_CARD)
        said = "\n".join(
            event["message"]
            for event in sandbox.boto3_client("logs").filter_log_events(
                logGroupName=sandbox.boto3_client("lambda").get_function_configuration(
                    FunctionName=outputs["FunctionName"]
                )["LoggingConfig"]["LogGroup"]
            )["events"]
        )
        expect_that("what was entered cannot be opened" in said, f"the log should say so; it says {said}")
        expect_that(CARD not in said, "the function's log should not have the card's number")
    rehearsal.note("the contact record has what was entered, and the private key alone reads it")


@scenario("instance/deleted-keeps-data", part="contact_center")
def deleted_keeps_data(rehearsal: Rehearsal) -> None:
    """Delete the stack of a contact centre: instance, number, recordings and records stay; its flow goes."""
    sandbox = rehearsal.sandbox
    with _own_key(rehearsal) as center:
        contact = _answered(rehearsal, center)
        instance_id = center["InstanceArn"].rpartition("/")[2]
        bucket, key = recording(sandbox, instance_id, contact.contact_id)
        [record] = delivered(sandbox, instance_id)
        records_bucket = delivery_bucket(sandbox, instance_id)
        StackDeployer(sandbox).delete(OWN_KEY)
        left = [each.id for each in sandbox.connect.instances() if each.created]
        expect_that(
            instance_id in left, f"the instance {instance_id} should outlive its stack; there are {left}"
        )
        instance = sandbox.connect.instance(center["InstanceArn"])
        numbers = {held.number: held.flow_id for held in instance.numbers.values()}
        expect(numbers, {center["Number"]: None}, "the instance's numbers, each with its flow")
        sound = sandbox.boto3_client("s3").get_object(Bucket=bucket, Key=key)
        expect_that(sound["ContentLength"] > 0, "the recording should be there, and be readable with its key")
        expect(in_bucket(sandbox, *records_bucket), [record], "the contact records in the bucket")
        flows = sandbox.boto3_client("connect").list_contact_flows(InstanceId=instance_id)
        names = [each["Name"] for each in flows["ContactFlowSummaryList"] if "Line" in each["Name"]]
        expect(names, [], "the app's flows after the stack was deleted")
    rehearsal.note("instance, number, recording and contact record outlive the stack; the flow is gone")


@scenario("instance/imported-and-extended", part="contact_center")
def imported_and_extended(rehearsal: Rehearsal) -> None:
    """Extend an instance that another stack has made; when that goes, the instance is as it was."""
    sandbox, center = rehearsal.sandbox, rehearsal.deployment.contact_center
    connect, named = sandbox.boto3_client("connect"), {"InstanceId": center.instance_id}
    before = _configuration(connect, center.instance_id)
    with deployed(rehearsal, "instance-extended") as outputs:
        for resource_type in ("SCHEDULED_REPORTS", "CHAT_TRANSCRIPTS"):
            stored = stored_in(sandbox, center.instance_id, resource_type)
            expect(
                stored["S3Config"]["EncryptionConfig"]["EncryptionType"],
                "KMS",
                f"{resource_type}'s encryption",
            )
        expect(connect.list_approved_origins(**named)["Origins"], ["https://crm.example.com"], "the origins")
        contact = rehearsal.dials(
            outputs["Number"], queue=(outputs["QueueArn"], "Nights"), agent=Agent(talks_for=5)
        )
        contact.hears("You call at night.")
        expect(
            len(recordings(sandbox, center.instance_id, contact.contact_id)), 0, "recordings nobody asked for"
        )
        rehearsal.dials(center.number, queue=(center.queue_arn, "Support"), agent=Agent()).hears(GREETING)
    expect(_configuration(connect, center.instance_id), before, "the instance after the stack was deleted")
    rehearsal.note("the instance has what the stack added for as long as there is the stack")


@scenario("instance/own-key-everywhere", part="contact_center")
def own_key_everywhere(rehearsal: Rehearsal) -> None:
    """Keep everything behind one key of one's own, whose policy is what lets Connect write records."""
    sandbox = rehearsal.sandbox
    kms = sandbox.boto3_client("kms")
    with _own_key(rehearsal) as center:
        instance_id, key = center["InstanceArn"].rpartition("/")[2], center["KeyArn"]
        for resource_type in ("CALL_RECORDINGS", "CHAT_TRANSCRIPTS", "SCHEDULED_REPORTS", "MEDIA_STREAMS"):
            stored = stored_in(sandbox, instance_id, resource_type)
            config = stored.get("S3Config") or stored["KinesisVideoStreamConfig"]
            expect(config["EncryptionConfig"]["KeyId"], key, f"the key of {resource_type}")
        contact = _answered(rehearsal, center)
        bucket, name = recording(sandbox, instance_id, contact.contact_id)
        sound = sandbox.boto3_client("s3").head_object(Bucket=bucket, Key=name)
        expect(sound["SSEKMSKeyId"], key, "the recording's key")
        stream = stream_of(sandbox, instance_id, "AGENT_EVENTS")
        told = sandbox.boto3_client("kinesis").describe_stream_summary(StreamName=stream.rpartition("/")[2])
        expect(told["StreamDescriptionSummary"]["KeyId"], key, "the key of the agent events' stream")
        events = _contacts_of_events(rehearsal, stream)
        expect(events, {contact.contact_id}, "the contacts of the agent events")
        records = [each["ContactId"] for each in delivered(sandbox, instance_id)]
        expect(records, [contact.contact_id], "the contact records in the bucket")
        encryption = delivery_target(sandbox, instance_id)["EncryptionConfiguration"]
        expect(encryption["KMSEncryptionConfig"]["AWSKMSKeyARN"], key, "the key of the contact records")

        policy = json.loads(kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"])
        without = [each for each in policy["Statement"] if each.get("Sid") != "ConnectWrites"]
        expect_that(len(without) < len(policy["Statement"]), "the key's policy should let Connect write")
        kms.put_key_policy(
            KeyId=key, PolicyName="default", Policy=json.dumps({**policy, "Statement": without})
        )
        refused = _answered(rehearsal, center)
        expect(
            _contacts_of_events(rehearsal, stream),
            {contact.contact_id},
            "the contacts of the events while the key's policy does not name Connect's role",
        )
        arrived = {each["ContactId"] for each in delivered(sandbox, instance_id)}
        expect(
            arrived, {contact.contact_id, refused.contact_id}, "the records, which Firehose encrypts itself"
        )
        lost = sandbox.contact_center.records.lost
        expect_that(any(key in line for line in lost), "the events of the second call should have been lost")
        lost[:] = [line for line in lost if key not in line]
    rehearsal.note(
        "recordings, records and events are behind the key; without its statement the events are lost"
    )


@contextmanager
def _own_key(rehearsal: Rehearsal) -> Iterator[Mapping[str, str]]:
    """Deploy the instance with a key of its own; stack and instance are deleted with the context."""
    deployer, outputs = StackDeployer(rehearsal.sandbox), {}
    try:
        deploy(rehearsal, OWN_KEY)
        outputs = rehearsal.sandbox.stack_outputs(OWN_KEY)
        yield outputs
    finally:
        if deployer.describe(OWN_KEY):
            deployer.delete(OWN_KEY)
        left = {each.arn: each.id for each in rehearsal.sandbox.connect.instances()}
        if outputs.get("InstanceArn") in left:  # it outlives its stack, and keeps its alias
            connect = rehearsal.sandbox.boto3_client("connect")
            connect.delete_instance(InstanceId=left[outputs["InstanceArn"]])


def _answered(rehearsal: Rehearsal, center: Mapping[str, str]) -> Contact:
    return rehearsal.dials(
        center["Number"], queue=(center["QueueArn"], "Support"), agent=Agent(answers_after=5, talks_for=10)
    )


def _configuration(connect: Any, instance_id: str) -> dict[str, Any]:  # noqa: ANN401 (a boto3 client)
    named = {"InstanceId": instance_id}
    types = (
        "CALL_RECORDINGS",
        "CHAT_TRANSCRIPTS",
        "SCHEDULED_REPORTS",
        "CONTACT_TRACE_RECORDS",
        "AGENT_EVENTS",
    )
    return {
        "origins": connect.list_approved_origins(**named)["Origins"],
        "flows": sorted(
            each["Arn"] for each in connect.list_contact_flows(**named)["ContactFlowSummaryList"]
        ),
        "queues": sorted(each["Arn"] for each in connect.list_queues(**named)["QueueSummaryList"]),
        "storage": {
            each: connect.list_instance_storage_configs(ResourceType=each, **named)["StorageConfigs"]
            for each in types
        },
    }


def _contacts_of_events(rehearsal: Rehearsal, stream: str) -> set[str]:
    events = streamed(rehearsal.sandbox, stream)
    return {each["ContactId"] for event in events for each in event["CurrentAgentSnapshot"]["Contacts"]}


def _state(cloudwatch: Any, name: str) -> str:  # noqa: ANN401 (a boto3 client)
    [alarm] = cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]
    return str(alarm["StateValue"])


def _held(rehearsal: Rehearsal, stack: str) -> dict[str, str]:
    return StackDeployer(rehearsal.sandbox).resources(stack)


def _buckets(rehearsal: Rehearsal) -> set[str]:
    listed = rehearsal.sandbox.boto3_client("s3").list_buckets()["Buckets"]
    return {bucket["Name"] for bucket in listed if bucket["Name"].startswith("instance-")}
