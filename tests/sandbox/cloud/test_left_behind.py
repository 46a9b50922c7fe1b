"""What a played call leaves behind: recording, contact record, agent events, flow log, metrics, and an alarm."""

from __future__ import annotations

import json
import wave
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pytest
from connect_sandbox.cloud import Sandbox
from connect_sandbox.rehearsal import Caller, Conditions, Contact
from connect_sandbox.rehearsal.cloud_ports import DeployedFunctions, PublishedFlows
from connect_sandbox.rehearsal.conditions import Agent
from connect_sandbox.rehearsal.conditions import Queue as QueueState
from connect_sandbox.rehearsal.errors import NoSuchFlowError
from connect_sandbox.rehearsal.left_behind import LeftBehind, flow_of_number
from connect_sandbox.rehearsal.ports import DialOutcome, NotDialled, Ports

from tests.support.rehearsal import block, hang_up, say

ACCOUNT = "123456789012"
EVERYBODY_HERE = {
    "Effect": "Allow",
    "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
    "Action": "kms:*",
    "Resource": "*",
}


class Nobody:
    """No third party answers."""

    def dial(self, *_arguments: Any, **_more: Any) -> DialOutcome:
        return NotDialled("there is nobody")


def get(logical_id: str, attribute: str = "Arn") -> dict[str, Any]:
    return {"Fn::GetAtt": [logical_id, attribute]}


def storage(resource_type: str, storage_type: str, **config: Any) -> dict[str, Any]:
    properties = {"InstanceArn": get("Instance"), "ResourceType": resource_type, "StorageType": storage_type}
    return {"Type": "AWS::Connect::InstanceStorageConfig", "Properties": {**properties, **config}}


def key(*statements: dict[str, Any]) -> dict[str, Any]:
    policy = {"Version": "2012-10-17", "Statement": [EVERYBODY_HERE, *statements]}
    return {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": policy}}


def stream(key_id: str) -> dict[str, Any]:
    encryption = {"EncryptionType": "KMS", "KeyId": get(key_id)}
    return {"Type": "AWS::Kinesis::Stream", "Properties": {"ShardCount": 1, "StreamEncryption": encryption}}


CONNECT_MAY_WRITE = {
    "Effect": "Allow",
    "Principal": {"AWS": get("Instance", "ServiceRole")},
    "Action": "kms:GenerateDataKey",
    "Resource": "*",
}
TLS_ONLY = {
    "Effect": "Deny",
    "Principal": "*",
    "Action": "s3:*",
    "Resource": [get("Bucket"), {"Fn::Sub": "${Bucket.Arn}/*"}],
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}


def flow() -> str:
    actions = [
        block("log", "UpdateFlowLoggingBehavior", "record", FlowLoggingBehavior="Enabled"),
        block("record", "UpdateContactRecordingBehavior", "hello",
              RecordingBehavior={"RecordedParticipants": ["Agent", "Customer"]}),
        say("hello", "Hello.", "queue"),
        block("queue", "UpdateContactTargetQueue", "go", errors={"NoMatchingError": "bye"},
              QueueId="${Queue.QueueArn}"),
        block("go", "TransferContactToQueue", "bye", errors={"QueueAtCapacity": "bye", "NoMatchingError": "bye"}),
        hang_up(),
    ]  # fmt: skip
    return json.dumps({"Version": "2019-10-30", "StartAction": "log", "Actions": actions})


def center(
    *, records_key: tuple[dict[str, Any], ...] = (CONNECT_MAY_WRITE,), bucket_policy: Any = TLS_ONLY
) -> Any:
    """Return a stack with an instance and all that a recorded call needs."""
    midnight = {"Hours": 0, "Minutes": 0}
    monday = {"Day": "MONDAY", "StartTime": midnight, "EndTime": midnight}
    attributes = {"InboundCalls": True, "OutboundCalls": True, "ContactflowLogs": True}
    alarm = {
        "Namespace": "AWS/Connect",
        "MetricName": "CallsPerInterval",
        "Dimensions": [
            {"Name": "InstanceId", "Value": get("Instance", "Id")},
            {"Name": "MetricGroup", "Value": "VoiceCalls"},
        ],
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 1,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "TreatMissingData": "notBreaching",
        "AlarmActions": [{"Ref": "Topic"}],
    }
    resources = {
        "Instance": {
            "Type": "AWS::Connect::Instance",
            "Properties": {
                "IdentityManagementType": "SAML",
                "InstanceAlias": "example-records",
                "Attributes": attributes,
            },
        },
        "Key": key(*records_key),
        "Bucket": {"Type": "AWS::S3::Bucket", "Properties": {}},
        "Policy": {
            "Type": "AWS::S3::BucketPolicy",
            "Properties": {
                "Bucket": {"Ref": "Bucket"},
                "PolicyDocument": {"Version": "2012-10-17", "Statement": [bucket_policy]},
            },
        },
        "Records": stream("Key"),
        "Events": stream("Key"),
        "Recordings": storage(
            "CALL_RECORDINGS", "S3",
            S3Config={"BucketName": {"Ref": "Bucket"}, "BucketPrefix": "recordings",
                      "EncryptionConfig": {"EncryptionType": "KMS", "KeyId": get("Key")}},
        ),
        "ContactRecords": storage(
            "CONTACT_TRACE_RECORDS", "KINESIS_STREAM", KinesisStreamConfig={"StreamArn": get("Records")}
        ),
        "AgentEvents": storage("AGENT_EVENTS", "KINESIS_STREAM", KinesisStreamConfig={"StreamArn": get("Events")}),
        "Hours": {"Type": "AWS::Connect::HoursOfOperation", "Properties": {
            "InstanceArn": get("Instance"), "Name": "Always", "TimeZone": "UTC", "Config": [monday]}},
        "Queue": {"Type": "AWS::Connect::Queue", "Properties": {
            "InstanceArn": get("Instance"), "Name": "Support",
            "HoursOfOperationArn": get("Hours", "HoursOfOperationArn")}},
        "Flow": {"Type": "AWS::Connect::ContactFlow", "Properties": {
            "InstanceArn": get("Instance"), "Name": "Main", "Type": "CONTACT_FLOW",
            "Content": {"Fn::Sub": flow()}}},
        "Number": {"Type": "AWS::Connect::PhoneNumber", "Properties": {
            "TargetArn": get("Instance"), "Type": "DID", "CountryCode": "US"}},
        "Topic": {"Type": "AWS::SNS::Topic", "Properties": {}},
        "Alarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": alarm},
    }  # fmt: skip
    outputs = {"Address": {"Value": get("Number", "Address")}, "Instance": {"Value": get("Instance")}}
    return {"Resources": resources, "Outputs": outputs}


@pytest.fixture(autouse=True)
def clean(sandbox: Sandbox, deploy: Any) -> Iterator[None]:
    """Empty the buckets before `deploy` deletes them."""
    assert deploy.names == []
    yield
    s3 = sandbox.boto3_client("s3")
    for bucket in s3.list_buckets()["Buckets"]:
        for item in s3.list_objects_v2(Bucket=bucket["Name"]).get("Contents", []):
            s3.delete_object(Bucket=bucket["Name"], Key=item["Key"])
    sandbox.contact_center.records.lost.clear()
    sandbox.contact_center.calendar.passes(days=365)


def play(sandbox: Sandbox, made: Any, **conditions: Any) -> Contact:
    """Dial the stack's number."""
    connect = sandbox.boto3_client("connect")
    connect.associate_phone_number_contact_flow(
        InstanceId=made.outputs["Instance"].rpartition("/")[2],
        PhoneNumberId=made.resources["Number"].rpartition("/")[2],
        ContactFlowId=made.resources["Flow"].rpartition("/")[2],
    )
    instance_arn, flow_arn = flow_of_number(sandbox, made.outputs["Address"])
    ports = Ports(
        flows=PublishedFlows(sandbox, instance_arn),
        functions=DeployedFunctions(sandbox, instance_arn),
        external_voice=Nobody(),
        records=LeftBehind(sandbox, instance_arn, agent="ada"),
    )
    queue = QueueState(arn=made.resources["Queue"], name="Support")
    contact = Contact(
        ports,
        instance_arn=instance_arn,
        caller=Caller(),
        dialled=made.outputs["Address"],
        conditions=Conditions(queues=[queue], **conditions),
    )
    contact.calls(flow_arn)
    connect.disassociate_phone_number_contact_flow(
        InstanceId=instance_arn.rpartition("/")[2], PhoneNumberId=made.resources["Number"].rpartition("/")[2]
    )
    return contact


def records_of(sandbox: Sandbox, stream_name: str) -> list[dict[str, Any]]:
    kinesis = sandbox.boto3_client("kinesis")
    (shard,) = kinesis.describe_stream(StreamName=stream_name)["StreamDescription"]["Shards"]
    start = kinesis.get_shard_iterator(
        StreamName=stream_name, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    return [json.loads(record["Data"]) for record in kinesis.get_records(ShardIterator=start)["Records"]]


def test_a_recorded_call_leaves_everything_where_it_belongs(sandbox: Sandbox, deploy: Any) -> None:
    made = deploy(center())
    assert made.status == "CREATE_COMPLETE", made.reasons
    contact = play(sandbox, made, agent=Agent(answers_after=12, talks_for=30))
    s3, logs = sandbox.boto3_client("s3"), sandbox.boto3_client("logs")
    (recording,) = s3.list_objects_v2(Bucket=made.resources["Bucket"])["Contents"]
    sound = s3.get_object(Bucket=made.resources["Bucket"], Key=recording["Key"])
    (record,) = records_of(sandbox, made.resources["Records"])
    events = records_of(sandbox, made.resources["Events"])
    lines = [
        json.loads(event["message"])
        for event in logs.filter_log_events(logGroupName="/aws/connect/example-records")["events"]
    ]

    assert sandbox.contact_center.records.lost == []
    assert recording["Key"].startswith("recordings/")
    assert contact.contact_id in recording["Key"]
    with wave.open(BytesIO(sound["Body"].read())) as voices:
        assert voices.getnchannels() == 2
    assert (sound["ServerSideEncryption"], sound["SSEKMSKeyId"].rpartition("/")[2]) == (
        "aws:kms",
        made.resources["Key"],
    )
    assert record["Recording"]["Location"] == f"{made.resources['Bucket']}/{recording['Key']}"
    assert (record["Queue"]["Name"], record["Queue"]["Duration"]) == ("Support", 12)
    assert (record["Agent"]["Username"], record["Agent"]["AgentInteractionDuration"]) == ("ada", 30)
    assert (record["Channel"], record["DisconnectReason"]) == ("VOICE", "AGENT_DISCONNECT")
    assert record["SystemEndpoint"]["Address"] == made.outputs["Address"]
    assert [event["CurrentAgentSnapshot"]["Contacts"][0]["State"] for event in events] == [
        "CONNECTED",
        "ENDED",
    ]
    assert [line["ContactFlowModuleType"] for line in lines] == [
        "SetLoggingBehavior",
        "SetRecordingBehavior",
        "PlayPrompt",
        "SetQueue",
        "Transfer",
    ]
    assert {line["ContactId"] for line in lines} == {contact.contact_id}


def test_a_call_sets_an_alarm_off(sandbox: Sandbox, deploy: Any) -> None:
    made = deploy(center())
    cloudwatch = sandbox.boto3_client("cloudwatch")
    named = {"AlarmNames": [made.resources["Alarm"]]}
    before = cloudwatch.describe_alarms(**named)["MetricAlarms"][0]["StateValue"]
    play(sandbox, made)
    after = cloudwatch.describe_alarms(**named)["MetricAlarms"][0]["StateValue"]
    (change,) = [c for c in sandbox.contact_center.alarms.history if c.alarm == made.resources["Alarm"]]

    assert (before, after) == ("INSUFFICIENT_DATA", "ALARM")
    assert (change.old, change.new, change.done) == ("INSUFFICIENT_DATA", "ALARM", [made.resources["Topic"]])


def test_a_metric_that_anybody_puts_is_evaluated(sandbox: Sandbox, deploy: Any) -> None:
    alarm = {
        "Namespace": "Mine", "MetricName": "Failures", "Statistic": "Maximum", "Period": 60, "EvaluationPeriods": 1,
        "Threshold": 3, "ComparisonOperator": "GreaterThanThreshold", "TreatMissingData": "notBreaching",
    }  # fmt: skip
    made = deploy({"Resources": {"Alarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": alarm}}})
    cloudwatch = sandbox.boto3_client("cloudwatch")

    def state(value: float) -> str:
        cloudwatch.put_metric_data(Namespace="Mine", MetricData=[{"MetricName": "Failures", "Value": value}])
        (found,) = cloudwatch.describe_alarms(AlarmNames=[made.resources["Alarm"]])["MetricAlarms"]
        return str(found["StateValue"])

    assert [state(2), state(4)] == ["OK", "ALARM"]


def test_a_key_that_does_not_name_the_role_loses_the_records(sandbox: Sandbox, deploy: Any) -> None:
    made = deploy(center(records_key=()))
    contact = play(sandbox, made, agent=Agent())
    lost = sandbox.contact_center.records.lost

    assert made.status == "CREATE_COMPLETE", made.reasons
    assert records_of(sandbox, made.resources["Records"]) == []
    assert any(contact.contact_id in line and "kms:GenerateDataKey" in line for line in lost)
    # The recording's key was granted to the role when the storage was associated.
    assert sandbox.boto3_client("s3").list_objects_v2(Bucket=made.resources["Bucket"])["KeyCount"] == 1


def test_a_bucket_that_lets_nobody_write_counts_an_upload_error(sandbox: Sandbox, deploy: Any) -> None:
    everything = {**TLS_ONLY, "Action": "s3:PutObject"}
    del everything["Condition"]
    made = deploy(center(bucket_policy=everything))
    play(sandbox, made, agent=Agent())
    metrics = sandbox.boto3_client("cloudwatch").list_metrics(
        Namespace="AWS/Connect", MetricName="CallRecordingUploadError"
    )["Metrics"]
    (record,) = records_of(sandbox, made.resources["Records"])

    assert record["Recording"] is None
    assert {d["Value"] for metric in metrics for d in metric["Dimensions"]} == {
        "CallRecordings",
        made.outputs["Instance"].rpartition("/")[2],
    }


def test_a_number_without_a_flow_is_misconfigured(sandbox: Sandbox, deploy: Any) -> None:
    made = deploy(center())
    with pytest.raises(NoSuchFlowError, match="leads to no flow"):
        flow_of_number(sandbox, made.outputs["Address"])
    metrics = sandbox.boto3_client("cloudwatch").list_metrics(MetricName="MisconfiguredPhoneNumbers")[
        "Metrics"
    ]

    assert len(metrics) == 1


@pytest.mark.parametrize("missing", [None, "s3:PutObject", "kms:GenerateDataKey"])
def test_contact_records_go_through_firehose_into_a_bucket(
    sandbox: Sandbox, deploy: Any, missing: str | None
) -> None:
    template = center()
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "firehose.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
    statements = [
        {"Effect": "Allow", "Action": action, "Resource": resource}
        for action, resource in (
            ("s3:PutObject", {"Fn::Sub": "${Lake.Arn}/records/*"}),
            ("kms:GenerateDataKey", get("HoseKey")),
        )
        if action != missing
    ]
    root = {"Effect": "Allow", "Action": "kms:*", "Resource": "*", "Principal": {"AWS": "123456789012"}}
    key = {"KeyPolicy": {"Version": "2012-10-17", "Statement": [root]}}
    policy = {"PolicyName": "Writes", "PolicyDocument": {"Version": "2012-10-17", "Statement": statements}}
    destination = {
        "BucketARN": get("Lake"),
        "RoleARN": get("Role"),
        "Prefix": "records/",
        "EncryptionConfiguration": {"KMSEncryptionConfig": {"AWSKMSKeyARN": get("HoseKey")}},
    }
    template["Resources"] |= {
        "Lake": {"Type": "AWS::S3::Bucket", "Properties": {}},
        "HoseKey": {"Type": "AWS::KMS::Key", "Properties": key},
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {"AssumeRolePolicyDocument": trust, "Policies": [policy]},
        },
        "Hose": {
            "Type": "AWS::KinesisFirehose::DeliveryStream",
            "Properties": {"ExtendedS3DestinationConfiguration": destination},
        },
        "ContactRecords": storage(
            "CONTACT_TRACE_RECORDS", "KINESIS_FIREHOSE", KinesisFirehoseConfig={"FirehoseArn": get("Hose")}
        ),
    }
    made = deploy(template)
    assert made.status == "CREATE_COMPLETE", made.reasons
    contact = play(sandbox, made)
    s3 = sandbox.boto3_client("s3")
    delivered = s3.list_objects_v2(Bucket=made.resources["Lake"]).get("Contents", [])
    lost = [line for line in sandbox.contact_center.records.lost if contact.contact_id in line]
    if missing:
        assert delivered == []
        assert len(lost) == 1
        assert missing in lost[0]
        return
    (found,) = delivered
    body = s3.get_object(Bucket=made.resources["Lake"], Key=found["Key"])["Body"].read()
    assert found["Key"].startswith("records/")
    assert json.loads(body)["ContactId"] == contact.contact_id
    assert lost == []
