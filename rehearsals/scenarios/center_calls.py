"""Calls to the numbers of a contact centre that an app has made, and what they leave in the account."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from connect_sandbox.cloud import Sandbox
from connect_sandbox.rehearsal.cloud_ports import DeployedFunctions, PublishedFlows
from connect_sandbox.rehearsal.conditions import Agent, Caller, Conditions, Move, Queue
from connect_sandbox.rehearsal.contact import Contact
from connect_sandbox.rehearsal.left_behind import LeftBehind, flow_of_number
from connect_sandbox.rehearsal.ports import DialOutcome, NotDialled, Ports

from rehearsals.scenarios.expect import expect


class _Nobody:
    """Nobody answers outside: these flows dial nobody."""

    def dial(self, *_arguments: Any, **_more: Any) -> DialOutcome:  # noqa: ANN401 (ExternalVoice's)
        return NotDialled("there is nobody")


def dial(
    sandbox: Sandbox,
    number: str,
    *,
    queue: tuple[str, str] | None = None,
    agent: Agent | None = None,
    moves: Iterable[Move] = (),
) -> Contact:
    """Call a claimed number, whichever flow it leads to. `queue`: ARN and name of one that has room.

    NoSuchFlowError if the number leads nowhere.
    """
    instance_arn, flow_arn = flow_of_number(sandbox, number)
    contact = Contact(
        Ports(
            flows=PublishedFlows(sandbox, instance_arn),
            functions=DeployedFunctions(sandbox, instance_arn),
            external_voice=_Nobody(),
            run=sandbox.run,
            records=LeftBehind(sandbox, instance_arn),
        ),
        instance_arn=instance_arn,
        caller=Caller(moves=moves),
        dialled=number,
        conditions=Conditions(
            queues=[Queue(arn=queue[0], name=queue[1])] if queue else [],
            agent=agent,
        ),
    )
    contact.calls(flow_arn)
    return contact


def streamed(sandbox: Sandbox, stream_arn: str) -> list[dict[str, Any]]:
    """Return the records that lie in a data stream."""
    kinesis, name = sandbox.boto3_client("kinesis"), stream_arn.rpartition("/")[2]
    found: list[dict[str, Any]] = []
    for shard in kinesis.list_shards(StreamName=name)["Shards"]:
        start = kinesis.get_shard_iterator(
            StreamName=name, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        found += [json.loads(each["Data"]) for each in kinesis.get_records(ShardIterator=start)["Records"]]
    return found


def stored_in(sandbox: Sandbox, instance_id: str, resource_type: str) -> dict[str, Any]:
    """Return the one storage association of a type, as Amazon Connect lists it."""
    [found] = sandbox.boto3_client("connect").list_instance_storage_configs(
        InstanceId=instance_id, ResourceType=resource_type
    )["StorageConfigs"]
    return dict(found)


def stream_of(sandbox: Sandbox, instance_id: str, resource_type: str) -> str:
    """Return the ARN of the data stream that a type of data goes to."""
    return str(stored_in(sandbox, instance_id, resource_type)["KinesisStreamConfig"]["StreamArn"])


def delivered(sandbox: Sandbox, instance_id: str) -> list[dict[str, Any]]:
    """Return the contact records that Firehose has put into the instance's bucket."""
    return in_bucket(sandbox, *delivery_bucket(sandbox, instance_id))


def delivery_bucket(sandbox: Sandbox, instance_id: str) -> tuple[str, str]:
    """Return bucket and prefix of the Firehose stream for contact records."""
    target = delivery_target(sandbox, instance_id)
    return str(target["BucketARN"]).rpartition(":")[2], str(target["Prefix"])


def delivery_target(sandbox: Sandbox, instance_id: str) -> dict[str, Any]:
    """Return where the Firehose stream for contact records puts them, and how, as Firehose describes it."""
    config = stored_in(sandbox, instance_id, "CONTACT_TRACE_RECORDS")["KinesisFirehoseConfig"]
    told = sandbox.boto3_client("firehose").describe_delivery_stream(
        DeliveryStreamName=config["FirehoseArn"].rpartition("/")[2]
    )
    [destination] = told["DeliveryStreamDescription"]["Destinations"]
    return dict(destination["ExtendedS3DestinationDescription"])


def in_bucket(sandbox: Sandbox, bucket: str, prefix: str) -> list[dict[str, Any]]:
    """Return the records below a prefix of a bucket."""
    s3 = sandbox.boto3_client("s3")
    listed = s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
    return [json.loads(s3.get_object(Bucket=bucket, Key=each["Key"])["Body"].read()) for each in listed]


def contact_record(sandbox: Sandbox, instance_id: str, contact_id: str) -> dict[str, Any]:
    """Return the one record of a contact in the stream that its instance has for them."""
    records = streamed(sandbox, stream_of(sandbox, instance_id, "CONTACT_TRACE_RECORDS"))
    found = [each for each in records if each["ContactId"] == contact_id]
    expect(len(found), 1, f"the number of contact records of {contact_id} in the stream")
    return found[0]


def recording(sandbox: Sandbox, instance_id: str, contact_id: str) -> tuple[str, str]:
    """Return (bucket, key) of the one recording of a contact."""
    found = recordings(sandbox, instance_id, contact_id)
    expect(len(found), 1, f"the number of recordings of {contact_id} in the bucket")
    return found[0]


def recordings(sandbox: Sandbox, instance_id: str, contact_id: str) -> list[tuple[str, str]]:
    """Return (bucket, key) of a contact's recordings where the instance keeps them."""
    kept = stored_in(sandbox, instance_id, "CALL_RECORDINGS")["S3Config"]
    listed = sandbox.boto3_client("s3").list_objects_v2(
        Bucket=kept["BucketName"], Prefix=kept["BucketPrefix"]
    )
    return [
        (kept["BucketName"], each["Key"]) for each in listed.get("Contents", []) if contact_id in each["Key"]
    ]


def flow_log(sandbox: Sandbox, alias: str, contact_id: str) -> list[dict[str, Any]]:
    """Return a contact's lines in the log group of an instance's flows."""
    events = sandbox.boto3_client("logs").filter_log_events(logGroupName=f"/aws/connect/{alias}")["events"]
    lines = [json.loads(event["message"]) for event in events]
    return [line for line in lines if line["ContactId"] == contact_id]
