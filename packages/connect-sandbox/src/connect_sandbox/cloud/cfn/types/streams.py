"""AWS::Kinesis::Stream and AWS::KinesisFirehose::DeliveryStream, on moto."""

from __future__ import annotations

from typing import Any, ClassVar

from connect_sandbox.cloud.cfn.resource import Context, Created, ResourceType
from connect_sandbox.cloud.cfn.support import SUPPORTED, TAGS, Nested, Only, PropertyTable, Recorded
from connect_sandbox.cloud.errors import AwsError

_NOT_HERE = Only((), "it is not reproduced")
_AWS_KEY = "alias/aws/kinesis"


class Stream(ResourceType):
    """A Kinesis data stream. Who writes to an encrypted one needs its key."""

    type_name = "AWS::Kinesis::Stream"
    properties: ClassVar[PropertyTable] = {
        "Name": SUPPORTED,
        "RetentionPeriodHours": SUPPORTED,
        "ShardCount": SUPPORTED,
        "StreamModeDetails": Nested(
            {"StreamMode": Only(("PROVISIONED", "ON_DEMAND"), "Kinesis knows no other")}
        ),
        "StreamEncryption": Nested(
            {"EncryptionType": Only(("KMS",), "Kinesis knows no other"), "KeyId": SUPPORTED}
        ),
        "DesiredShardLevelMetrics": Recorded("moto publishes no metrics"),
        "MaxRecordSizeInKiB": _NOT_HERE,
        "RecordDistributionStrategy": _NOT_HERE,
        "WarmThroughputMiBps": _NOT_HERE,
        "Tags": TAGS,
    }
    replaced_by = frozenset({"Name"})
    attributes = ("Arn",)

    def create(self, context: Context, properties: dict[str, Any]) -> Created:
        """Create the stream, active at once."""
        client = context.client("kinesis")
        name = properties.get("Name") or context.physical_name(limit=128)
        mode = properties.get("StreamModeDetails", {}).get("StreamMode", "PROVISIONED")
        if mode == "PROVISIONED" and not properties.get("ShardCount"):
            raise AwsError("InvalidArgumentException", "A provisioned stream needs ShardCount")
        shards = {"ShardCount": int(properties["ShardCount"])} if properties.get("ShardCount") else {}
        client.create_stream(StreamName=name, StreamModeDetails={"StreamMode": mode}, **shards)
        client.get_waiter("stream_exists").wait(StreamName=name, WaiterConfig={"Delay": 1})
        described = client.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]
        self._encrypt(client, name, properties)
        self._retain(client, name, properties)
        return Created(name, {"Arn": described["StreamARN"]})

    def update(
        self, context: Context, existing: Created, old: dict[str, Any], new: dict[str, Any]
    ) -> Created:
        """Change shards, retention and encryption."""
        client = context.client("kinesis")
        if new.get("ShardCount") and int(new["ShardCount"]) != int(old.get("ShardCount", 0)):
            client.update_shard_count(
                StreamName=existing.physical_id,
                TargetShardCount=int(new["ShardCount"]),
                ScalingType="UNIFORM_SCALING",
            )
        if old.get("StreamEncryption") != new.get("StreamEncryption"):
            self._encrypt(client, existing.physical_id, new)
        self._retain(client, existing.physical_id, new)
        return existing

    def delete(self, context: Context, existing: Created, _properties: dict[str, Any]) -> None:
        """Delete the stream and its records."""
        client = context.client("kinesis")
        try:
            client.delete_stream(StreamName=existing.physical_id, EnforceConsumerDeletion=True)
        except client.exceptions.ResourceNotFoundException:
            return

    def _encrypt(self, client: Any, name: str, properties: dict[str, Any]) -> None:  # noqa: ANN401
        wanted = properties.get("StreamEncryption")
        if wanted:
            client.start_stream_encryption(StreamName=name, EncryptionType="KMS", KeyId=wanted["KeyId"])
        else:
            client.stop_stream_encryption(StreamName=name, EncryptionType="KMS", KeyId=_AWS_KEY)

    def _retain(self, client: Any, name: str, properties: dict[str, Any]) -> None:  # noqa: ANN401
        hours = int(properties.get("RetentionPeriodHours") or 24)
        described = client.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]
        if hours > described["RetentionPeriodHours"]:
            client.increase_stream_retention_period(StreamName=name, RetentionPeriodHours=hours)
        elif hours < described["RetentionPeriodHours"]:
            client.decrease_stream_retention_period(StreamName=name, RetentionPeriodHours=hours)


_S3_SHARED: PropertyTable = {
    "BucketARN": SUPPORTED,
    "RoleARN": SUPPORTED,
    "Prefix": SUPPORTED,
    "ErrorOutputPrefix": Recorded("moto delivers every record"),
    "BufferingHints": Recorded("records are delivered at once"),
    "CompressionFormat": SUPPORTED,
    "CloudWatchLoggingOptions": Recorded("moto writes no delivery log"),
    "EncryptionConfiguration": Nested(
        {
            "KMSEncryptionConfig": Nested({"AWSKMSKeyARN": SUPPORTED}),
            "NoEncryptionConfig": Only(("NoEncryption",), "Firehose knows no other"),
        }
    ),
}


class DeliveryStream(ResourceType):
    """A Firehose stream into a bucket."""

    type_name = "AWS::KinesisFirehose::DeliveryStream"
    properties: ClassVar[PropertyTable] = {
        "DeliveryStreamName": SUPPORTED,
        "DeliveryStreamType": Only(("DirectPut",), "records are put directly here"),
        "DeliveryStreamEncryptionConfigurationInput": Nested(
            {
                "KeyType": Recorded("Firehose encrypts for its callers"),
                "KeyARN": Recorded("the key is not used"),
            }
        ),
        "S3DestinationConfiguration": Nested(_S3_SHARED),
        "ExtendedS3DestinationConfiguration": Nested(_S3_SHARED),
        "Tags": TAGS,
    }
    name_property = "DeliveryStreamName"
    replaced_by = frozenset({"DeliveryStreamName", "DeliveryStreamType"})
    attributes = ("Arn",)

    def create(self, context: Context, properties: dict[str, Any]) -> Created:
        """Create the delivery stream; its bucket and role must exist."""
        name = properties.get("DeliveryStreamName") or context.physical_name(limit=64)
        target = _target(properties)
        bucket = target["BucketARN"].rpartition(":")[2]
        context.client("s3").head_bucket(Bucket=bucket)
        if not context.services.authorization.role_exists(target["RoleARN"]):
            message = f"Firehose is unable to assume role {target['RoleARN']}: there is none"
            raise AwsError("InvalidArgumentException", message)
        arn = context.client("firehose").create_delivery_stream(
            DeliveryStreamName=name,
            DeliveryStreamType="DirectPut",
            ExtendedS3DestinationConfiguration=target,
        )["DeliveryStreamARN"]
        return Created(name, {"Arn": arn})

    def delete(self, context: Context, existing: Created, _properties: dict[str, Any]) -> None:
        """Delete the delivery stream; what it delivered stays."""
        client = context.client("firehose")
        try:
            client.delete_delivery_stream(DeliveryStreamName=existing.physical_id)
        except client.exceptions.ResourceNotFoundException:
            return

    def update(
        self, context: Context, existing: Created, _old: dict[str, Any], new: dict[str, Any]
    ) -> Created:
        """Deliver to another place."""
        client = context.client("firehose")
        name = existing.physical_id
        described = client.describe_delivery_stream(DeliveryStreamName=name)["DeliveryStreamDescription"]
        client.update_destination(
            DeliveryStreamName=name,
            CurrentDeliveryStreamVersionId=described["VersionId"],
            DestinationId=described["Destinations"][0]["DestinationId"],
            ExtendedS3DestinationUpdate=_target(new),
        )
        return existing


def _target(properties: dict[str, Any]) -> dict[str, Any]:
    names = ("ExtendedS3DestinationConfiguration", "S3DestinationConfiguration")
    target = next((properties[name] for name in names if name in properties), None)
    if target is None:
        raise AwsError("InvalidArgumentException", f"A destination is needed: {' or '.join(names)}")
    return {
        name: target[name]
        for name in ("BucketARN", "RoleARN", "Prefix", "CompressionFormat", "EncryptionConfiguration")
        if name in target
    }


TYPES = (Stream(), DeliveryStream())
