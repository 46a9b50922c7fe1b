"""Where an instance puts recordings, transcripts, reports, records, events and live media.

An association of each type exists once in an instance: AWS::Connect::InstanceStorageConfig. What it writes to is kept
when the stack goes. Connect writes with the instance's service-linked role; for buckets and streams Connect gives that
role the rights itself, in the name of who deploys (iam:PutRolePolicy), and for keys of S3 and Kinesis Video Streams it
makes a grant (kms:CreateGrant). For the key of a data stream it does neither: its policy has to name the role.
Source: administrator guide, "Amazon Connect service-linked roles", "Data streaming"; service authorization data.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import aws_cdk as cdk
from aws_cdk import aws_connect as connect
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_kinesisfirehose as firehose_
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3

from connect_bridges.contact_center.parts import claim
from connect_bridges.shared.acknowledgements import acknowledge, acknowledge_wildcard
from connect_bridges.shared.arguments import check_key
from connect_bridges.shared.checks import (
    ConstructArgumentError,
    Problems,
    check,
    check_duration,
    check_kind,
)
from connect_bridges.shared.grants import open_key
from connect_bridges.shared.regions import Place

if TYPE_CHECKING:
    from connect_bridges.contact_center.connect_instance import ConnectInstance

KEEP = cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE
EXPIRY_DAYS = (1, 36_500)
STREAM_DAYS = (1, 365)
"""Amazon Kinesis Data Streams developer guide, "Changing the data retention period"."""
MEDIA_HOURS = (0, 87_600)
"""Schema of AWS::Connect::InstanceStorageConfig."""
_OLD_VERSIONS = cdk.Duration.days(30)
_ACCESS_LOG_DAYS = 365
PREFIX = re.compile(r"[A-Za-z0-9!_.*'()=-]+(?:/[A-Za-z0-9!_.*'()=-]+)*/?", re.ASCII)
PREFIX_IS = "a prefix of 1 to 128 letters, digits and ! _ . * ' ( ) = - /, as in connect/recordings"
MEDIA_PREFIX = re.compile(r"[A-Za-z0-9_.-]{1,128}", re.ASCII)
_BUCKET = 's3.Bucket.from_bucket_name(self, "Bucket", "my-recordings")'


@dataclass(frozen=True)
class InstanceStorage:
    """Where one type of data goes."""

    resource: connect.CfnInstanceStorageConfig
    bucket: s3.IBucket | None = None
    """The bucket, if it goes to one."""
    stream: kinesis.IStream | None = None
    """The data stream, if it goes to one."""
    delivery_stream: firehose_.IDeliveryStream | None = None
    """The Firehose stream, if it goes through one."""
    encryption_key: kms.IKey | None = None
    """What encrypts it; None with the default encryption of an existing bucket or stream."""


def add_bucket(
    instance: ConnectInstance,
    resource_type: str,
    id: str,  # noqa: A002
    *,
    bucket: s3.IBucket | None,
    prefix: str,
    encryption_key: kms.IKey | None,
    expire_after: cdk.Duration | None,
) -> InstanceStorage:
    """Let a type of data go to a bucket, which is made unless it is given."""
    bucket, key = _claimed_bucket(
        instance,
        resource_type,
        id,
        bucket=bucket,
        prefix=prefix,
        encryption_key=encryption_key,
        expire_after=expire_after,
    )
    config = _associate(
        instance,
        id,
        resource_type,
        "S3",
        s3_config=connect.CfnInstanceStorageConfig.S3ConfigProperty(
            bucket_name=bucket.bucket_name,
            bucket_prefix=prefix,
            encryption_config=_encryption(key) if key is not None else None,
        ),
    )
    if bucket.policy is not None:  # what it denies should hold from the first object on
        config.node.add_dependency(bucket.policy)
    instance.note("storage", {"type": resource_type, "bucket": bucket.bucket_name, "prefix": prefix})
    return InstanceStorage(config, bucket=bucket, encryption_key=key)


def add_delivery(
    instance: ConnectInstance,
    resource_type: str,
    id: str,  # noqa: A002
    *,
    bucket: s3.IBucket | None,
    prefix: str,
    encryption_key: kms.IKey | None,
    expire_after: cdk.Duration | None,
) -> InstanceStorage:
    """Let a type of data go through a new Firehose stream into a bucket, which is made unless it is given."""
    bucket, key = _claimed_bucket(
        instance,
        resource_type,
        id,
        bucket=bucket,
        prefix=prefix,
        encryption_key=encryption_key,
        expire_after=expire_after,
    )
    folder = f"{prefix.rstrip('/')}/"
    log = logs.LogGroup(
        instance,
        f"{id}Log",
        retention=logs.RetentionDays.ONE_MONTH,
        removal_policy=cdk.RemovalPolicy.DESTROY,
    )
    role = _delivery_role(instance, id, bucket=bucket, folder=folder, key=key, log=log)
    fixed = role.without_policy_updates()  # the L2 would grant it every read and write of the bucket
    delivery = firehose_.DeliveryStream(
        instance,
        f"{id}Delivery",
        role=fixed,
        destination=firehose_.S3Bucket(
            bucket,
            role=fixed,
            data_output_prefix=folder,
            encryption_key=key,
            logging_config=firehose_.EnableLogging(log),
        ),
        # evidence: firehose-encrypts-for-its-callers
        encryption=firehose_.StreamEncryption.customer_managed_key(key)
        if key is not None
        else firehose_.StreamEncryption.aws_owned_key(),
    )
    cdk.RemovalPolicies.of(log).destroy()  # its stream, too, which the L2 keeps
    delivery.node.add_dependency(role.node.find_child("DefaultPolicy"))
    if bucket.policy is not None:
        delivery.node.add_dependency(bucket.policy)
    config = _associate_delivery(instance, id, resource_type, delivery.delivery_stream_arn)
    instance.note("storage", {"type": resource_type, "bucket": bucket.bucket_name, "prefix": folder})
    return InstanceStorage(config, bucket=bucket, delivery_stream=delivery, encryption_key=key)


def add_stream(
    instance: ConnectInstance,
    resource_type: str,
    id: str,  # noqa: A002
    *,
    stream: Any | None,  # noqa: ANN401 (whatever the user gave)
    encryption_key: kms.IKey | None,
    retention: cdk.Duration | None,
    firehose: bool,
) -> InstanceStorage:
    """Let a type of data go to a data stream, which is made unless it is given, or to a Firehose stream."""
    write = 'kinesis.Stream.from_stream_arn(self, "Stream", "arn:aws:kinesis:…")'
    problems, place = Problems(instance), Place(instance)
    check_key(problems, place, encryption_key)
    if retention is not None:
        problems.collect(check_duration, "retention", retention, STREAM_DAYS, "days")
    firehose_arn: str | None = None
    if stream is not None:
        problems.collect(check_kind, "stream", stream, write)
        place.check_resource(problems, "stream", stream)
        firehose_arn = getattr(stream, "delivery_stream_arn", None)
        if firehose_arn is None and not hasattr(stream, "stream_arn"):
            problems.add(f"stream is {stream!r}; write {write}.")
        if firehose_arn is not None and not firehose:
            problems.add(
                "stream is a Firehose stream, yet Amazon Connect puts agent events into Kinesis data streams alone; "
                "give a kinesis.Stream, and let Firehose read from it."
            )
        for setting, given in (("encryption_key", encryption_key), ("retention", retention)):
            if given is not None:
                problems.add(f"{setting} is given with stream, which has its own; leave it out.")
    problems.raise_all()
    claim_type(instance, resource_type)
    if firehose_arn is not None:
        config = _associate_delivery(instance, id, resource_type, firehose_arn)
        instance.note("storage", {"type": resource_type, "firehose": firehose_arn})
        return InstanceStorage(config, delivery_stream=stream)
    if stream is None:
        key = encryption_key or storage_key(instance)
        stream = kinesis.Stream(
            instance,
            f"{id}Stream",
            stream_mode=kinesis.StreamMode.ON_DEMAND,
            encryption=kinesis.StreamEncryption.KMS,
            encryption_key=key,
            retention_period=retention or cdk.Duration.days(7),
        )
        stream.apply_removal_policy(KEEP)
        acknowledge(
            stream,
            "AwsSolutions-KDS3",
            "A key of the account's own is what lets its owner say who reads callers' data; it rotates yearly.",
        )
    target = cast("kinesis.IStream", stream)
    if target.encryption_key is not None:
        _let_instance_write(instance, target.encryption_key)
    config = _associate(
        instance,
        id,
        resource_type,
        "KINESIS_STREAM",
        kinesis_stream_config=connect.CfnInstanceStorageConfig.KinesisStreamConfigProperty(
            stream_arn=target.stream_arn
        ),
    )
    instance.note("storage", {"type": resource_type, "stream": target.stream_arn})
    return InstanceStorage(config, stream=target, encryption_key=target.encryption_key)


def add_media(
    instance: ConnectInstance,
    *,
    prefix: str,
    retention: cdk.Duration,
    encryption_key: kms.IKey | None,
) -> InstanceStorage:
    """Let live media go to video streams, which Amazon Connect makes as it needs them."""
    problems = Problems(instance)
    problems.collect(
        check, "prefix", prefix, MEDIA_PREFIX, "a prefix of 1 to 128 letters, digits, '_', '.' and '-'"
    )
    problems.collect(check_duration, "retention", retention, MEDIA_HOURS, "hours")
    check_key(problems, Place(instance), encryption_key)
    problems.raise_all()
    claim_type(instance, "MEDIA_STREAMS")
    key = encryption_key or storage_key(instance)
    config = _associate(
        instance,
        "LiveMedia",
        "MEDIA_STREAMS",
        "KINESIS_VIDEO_STREAM",
        kinesis_video_stream_config=connect.CfnInstanceStorageConfig.KinesisVideoStreamConfigProperty(
            prefix=prefix, retention_period_hours=retention.to_hours(), encryption_config=_encryption(key)
        ),
    )
    instance.note("storage", {"type": "MEDIA_STREAMS", "prefix": prefix})
    return InstanceStorage(config, encryption_key=key)


def storage_key(instance: ConnectInstance) -> kms.Key:
    """Return the key that encrypts what is stored without a key of the user's; there is one to an instance."""
    found = instance.node.try_find_child("StorageKey")
    if isinstance(found, kms.Key):
        return found
    return kms.Key(
        instance,
        "StorageKey",
        description=f"What the Amazon Connect instance of {instance.node.path} records and streams.",
        enable_key_rotation=True,
        removal_policy=KEEP,
    )


def claim_type(instance: ConnectInstance, resource_type: str) -> None:
    """Refuse a second association of a type, naming the one that is there."""
    claim(
        instance,
        "storage",
        resource_type,
        f"a {resource_type} association already, and an instance has one of each type; change that one, or leave one "
        "of the two out.",
    )


def _check_bucket(
    instance: ConnectInstance,
    *,
    bucket: object,
    prefix: object,
    encryption_key: object,
    expire_after: object,
) -> None:
    problems, place = Problems(instance), Place(instance)
    problems.collect(check, "prefix", prefix, PREFIX, PREFIX_IS)
    if len(prefix if isinstance(prefix, str) else "") > 128:
        problems.add(f"prefix is {prefix!r}, which is not {PREFIX_IS}.")
    check_key(problems, place, encryption_key)
    if expire_after is not None:
        problems.collect(check_duration, "expire_after", expire_after, EXPIRY_DAYS, "days")
    if bucket is not None:
        problems.collect(check_kind, "bucket", bucket, _BUCKET)
        place.check_resource(problems, "bucket", bucket, foreign=True)
        if expire_after is not None:
            problems.add(
                "expire_after is given with bucket, whose own rules say how long it keeps; leave it out."
            )
    problems.raise_all()


def _claimed_bucket(
    instance: ConnectInstance,
    resource_type: str,
    id: str,  # noqa: A002
    *,
    bucket: s3.IBucket | None,
    prefix: str,
    encryption_key: kms.IKey | None,
    expire_after: cdk.Duration | None,
) -> tuple[s3.IBucket, kms.IKey | None]:
    """Check the arguments, claim the type, and return the bucket that is given with its key, or a new one."""
    _check_bucket(
        instance, bucket=bucket, prefix=prefix, encryption_key=encryption_key, expire_after=expire_after
    )
    claim_type(instance, resource_type)
    if bucket is not None:
        return bucket, encryption_key or bucket.encryption_key
    key = cast("kms.IKey", encryption_key or storage_key(instance))
    return _new_bucket(instance, id, key, expire_after), key


def _delivery_role(
    instance: ConnectInstance,
    id: str,  # noqa: A002
    *,
    bucket: s3.IBucket,
    folder: str,
    key: kms.IKey | None,
    log: logs.LogGroup,
) -> iam.Role:
    """Return a role with which Firehose writes below a folder of a bucket, and to its log; it reads no object."""
    stack = cdk.Stack.of(instance)
    role = iam.Role(instance, f"{id}DeliveryRole", assumed_by=iam.ServicePrincipal("firehose.amazonaws.com"))
    # evidence: firehose-role-for-s3
    role.add_to_policy(
        iam.PolicyStatement(
            actions=["s3:AbortMultipartUpload", "s3:PutObject"],
            resources=[bucket.arn_for_objects(f"{folder}*")],
        )
    )
    role.add_to_policy(
        iam.PolicyStatement(
            actions=["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"],
            resources=[bucket.bucket_arn],
        )
    )
    role.add_to_policy(iam.PolicyStatement(actions=["logs:PutLogEvents"], resources=[log.log_group_arn]))
    if key is not None:
        role.add_to_policy(
            iam.PolicyStatement(
                actions=["kms:Decrypt", "kms:GenerateDataKey"],
                resources=[key.key_arn],
                conditions={"StringEquals": {"kms:ViaService": f"s3.{stack.region}.amazonaws.com"}},
            )
        )
    acknowledge_wildcard(
        role,
        bucket.arn_for_objects(f"{folder}*"),
        "Firehose names objects by time, so their names are not known beforehand.",
    )
    return role


def _associate_delivery(
    instance: ConnectInstance,
    id: str,  # noqa: A002
    resource_type: str,
    arn: str,
) -> connect.CfnInstanceStorageConfig:
    return _associate(
        instance,
        id,
        resource_type,
        "KINESIS_FIREHOSE",
        kinesis_firehose_config=connect.CfnInstanceStorageConfig.KinesisFirehoseConfigProperty(
            firehose_arn=arn
        ),
    )


def _encryption(key: kms.IKey) -> connect.CfnInstanceStorageConfig.EncryptionConfigProperty:
    # evidence: storage-key-grant, deploying-role-actions
    return connect.CfnInstanceStorageConfig.EncryptionConfigProperty(
        encryption_type="KMS", key_id=key.key_arn
    )


def _let_instance_write(instance: ConnectInstance, key: kms.IKey) -> None:
    role = instance.service_role
    if role is None:
        raise ConstructArgumentError(
            instance.node.path,
            [
                (
                    "the stream's key has to let the instance's service-linked role in, and CloudFormation cannot "
                    "tell the role of an instance that it did not make: give it as ConnectInstance.from_arn(…, "
                    'service_role_arn="arn:aws:iam::…"). It is what `aws connect describe-instance --instance-id ID '
                    "--query Instance.ServiceRole` prints."
                )
            ],
        )
    # evidence: agent-events-stream-key
    open_key(
        key,
        instance,
        iam.PolicyStatement(
            sid="ConnectWrites",
            principals=[iam.ArnPrincipal(role)],
            actions=["kms:GenerateDataKey"],
            resources=["*"],
        ),
    )


def _associate(
    instance: ConnectInstance,
    id: str,  # noqa: A002
    resource_type: str,
    storage_type: str,
    **target: Any,  # noqa: ANN401 (one of the L1's four)
) -> connect.CfnInstanceStorageConfig:
    config = connect.CfnInstanceStorageConfig(
        instance,
        id,
        instance_arn=instance.instance_arn,
        resource_type=resource_type,
        storage_type=storage_type,
        **target,
    )
    # evidence: storage-associations-one-at-a-time
    instance.chain("storage", config)
    return config


def _new_bucket(
    instance: ConnectInstance,
    id: str,  # noqa: A002
    key: kms.IKey,
    expire_after: cdk.Duration | None,
) -> s3.Bucket:
    bucket = s3.Bucket(
        instance,
        f"{id}Bucket",
        encryption=s3.BucketEncryption.KMS,
        encryption_key=key,
        block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
        object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
        enforce_ssl=True,
        versioned=True,
        lifecycle_rules=[
            s3.LifecycleRule(
                expiration=expire_after,
                noncurrent_version_expiration=_OLD_VERSIONS,
                abort_incomplete_multipart_upload_after=cdk.Duration.days(7),
            )
        ],
        removal_policy=KEEP,
    )
    _keep_policy(bucket)
    _log_access(instance, bucket, id)
    return bucket


def _keep_policy(bucket: s3.Bucket) -> None:
    """Keep what closes a kept bucket to plain HTTP, and lets the access log in."""
    if bucket.policy is not None:
        bucket.policy.apply_removal_policy(KEEP)


def _log_access(instance: ConnectInstance, bucket: s3.Bucket, folder: str) -> None:
    """Log who reads a bucket into one bucket of the instance's, with a bucket policy, since ACLs are off."""
    found = instance.node.try_find_child("AccessLogs")
    log = found if isinstance(found, s3.Bucket) else _access_log(instance)
    # evidence: access-log-bucket
    log.add_to_resource_policy(
        iam.PolicyStatement(
            sid=f"Logs{folder}",
            principals=[iam.ServicePrincipal("logging.s3.amazonaws.com")],
            actions=["s3:PutObject"],
            resources=[log.arn_for_objects(f"{folder}/*")],
            conditions={
                "ArnLike": {"aws:SourceArn": bucket.bucket_arn},
                "StringEquals": {"aws:SourceAccount": cdk.Stack.of(instance).account},
            },
        )
    )
    cast(
        "s3.CfnBucket", bucket.node.default_child
    ).logging_configuration = s3.CfnBucket.LoggingConfigurationProperty(
        destination_bucket_name=log.bucket_name, log_file_prefix=f"{folder}/"
    )


def _access_log(instance: ConnectInstance) -> s3.Bucket:
    log = s3.Bucket(
        instance,
        "AccessLogs",
        encryption=s3.BucketEncryption.S3_MANAGED,  # S3 cannot log into a bucket with a key
        block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
        object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
        enforce_ssl=True,
        versioned=True,
        lifecycle_rules=[
            s3.LifecycleRule(
                expiration=cdk.Duration.days(_ACCESS_LOG_DAYS), noncurrent_version_expiration=_OLD_VERSIONS
            )
        ],
        removal_policy=KEEP,
    )
    _keep_policy(log)
    acknowledge(log, "AwsSolutions-S1", "This is the bucket that the others' access is logged into.")
    return log
