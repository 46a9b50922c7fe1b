"""Where an instance keeps recordings, transcripts, records and events, and whether Connect can write there.

Sources: API reference, AssociateInstanceStorageConfig; administrator guide, "Update instance settings", "Data
streaming" and "Service-linked roles"; the published CloudFormation handler.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping
from typing import Any, Final

from botocore.exceptions import ClientError

from connect_sandbox.cloud.authorization import Authorization
from connect_sandbox.cloud.cfn.resource import Clients
from connect_sandbox.cloud.connect_state import ConnectState, Instance, StorageConfig
from connect_sandbox.cloud.contact_center.instances import Instances
from connect_sandbox.cloud.errors import AwsError
from connect_sandbox.cloud.principals import RolePrincipal

_S3 = frozenset({"S3"})
_STREAM = frozenset({"KINESIS_STREAM"})
#: Which kinds of storage each type of data may have.
STORAGE_OF: Final[dict[str, frozenset[str]]] = {
    "CALL_RECORDINGS": _S3,
    "CHAT_TRANSCRIPTS": _S3,
    "SCHEDULED_REPORTS": _S3,
    "ATTACHMENTS": _S3,
    "CONTACT_EVALUATIONS": _S3,
    "SCREEN_RECORDINGS": _S3,
    "EMAIL_MESSAGES": _S3,
    "MEDIA_STREAMS": frozenset({"KINESIS_VIDEO_STREAM"}),
    "CONTACT_TRACE_RECORDS": frozenset({"KINESIS_STREAM", "KINESIS_FIREHOSE"}),
    "AGENT_EVENTS": _STREAM,
    "REAL_TIME_CONTACT_ANALYSIS_SEGMENTS": _STREAM,
    "REAL_TIME_CONTACT_ANALYSIS_VOICE_SEGMENTS": _STREAM,
    "REAL_TIME_CONTACT_ANALYSIS_CHAT_SEGMENTS": _STREAM,
}
#: The member that configures each kind of storage.
CONFIG_OF: Final[dict[str, str]] = {
    "S3": "S3Config",
    "KINESIS_VIDEO_STREAM": "KinesisVideoStreamConfig",
    "KINESIS_STREAM": "KinesisStreamConfig",
    "KINESIS_FIREHOSE": "KinesisFirehoseConfig",
}
#: Agents' and customers' browsers put files into these buckets themselves.
_NEED_CORS: Final = frozenset({"ATTACHMENTS"})
_KEY_ARN = re.compile(r"arn:aws[\w-]*:kms:[\w-]+:\d{12}:key/[\w-]+")


class Storage:
    """Associates storage with instances, and writes to it as Connect does."""

    def __init__(
        self, state: ConnectState, authorization: Authorization, instances: Instances, clients: Clients
    ) -> None:
        """Take `authorization`, which decides whether Connect's role may write, and `clients`, which write."""
        self._state = state
        self._authorization = authorization
        self._instances = instances
        self._clients = clients

    # -- associations

    def associate(
        self, instance_arn: str, resource_type: str, storage_type: str, config: Mapping[str, Any]
    ) -> StorageConfig:
        """Associate storage; ResourceConflictException if the instance has one of this type."""
        instance = self._state.instance(instance_arn)
        if any(held.resource_type == resource_type for held in instance.storage.values()):
            message = f"A storage configuration for {resource_type} already exists in {instance.arn}"
            raise AwsError("ResourceConflictException", message, 409)
        self._prepare(instance, resource_type, storage_type, config)
        held = StorageConfig(uuid.uuid4().hex * 2, resource_type, storage_type, dict(config))
        instance.storage[held.id] = held
        self._allow(instance)
        return held

    def update(
        self, instance_arn: str, association_id: str, storage_type: str, config: Mapping[str, Any]
    ) -> StorageConfig:
        """Let an association use another bucket, stream or key."""
        instance = self._state.instance(instance_arn)
        held = self.get(instance_arn, association_id)
        self._prepare(instance, held.resource_type, storage_type, config)
        held.storage_type, held.config = storage_type, dict(config)
        self._allow(instance)
        return held

    def disassociate(self, instance_arn: str, association_id: str) -> None:
        """Remove an association; what was stored stays."""
        instance = self._state.instance(instance_arn)
        del instance.storage[self.get(instance_arn, association_id).id]
        self._allow(instance)

    def get(self, instance_arn: str, association_id: str) -> StorageConfig:
        """Return an association by its id; raise ResourceNotFoundException."""
        held = self._state.instance(instance_arn).storage.get(association_id)
        if held is None:
            raise AwsError(
                "ResourceNotFoundException", f"There is no storage association {association_id}", 404
            )
        return held

    def of_type(self, instance_arn: str, resource_type: str) -> StorageConfig | None:
        """Return the association of a type of data, None if the instance has none."""
        held = self._state.instance(instance_arn).storage.values()
        return next((each for each in held if each.resource_type == resource_type), None)

    # -- writing

    def put_object(self, instance: Instance, resource_type: str, name: str, body: bytes) -> str | None:
        """Write an object below the type's prefix; return "bucket/key", None if the type has no storage.

        Raises AccessDeniedException if Connect's role may not write to the bucket or use its key.
        """
        held = self.of_type(instance.arn, resource_type)
        if held is None:
            return None
        target = held.config["S3Config"]
        bucket, key = target["BucketName"], f"{str(target['BucketPrefix']).rstrip('/')}/{name}"
        self.require(instance, "s3:PutObject", f"arn:aws:s3:::{bucket}/{key}")
        encryption = target.get("EncryptionConfig")
        self._clients("s3").put_object(
            Bucket=bucket,
            Key=key,
            Body=body,
            **({"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": encryption["KeyId"]} if encryption else {}),
        )
        return f"{bucket}/{key}"

    def put_record(self, instance: Instance, resource_type: str, record: Mapping[str, Any], key: str) -> bool:
        """Put a record into the type's stream; return whether the type has one.

        Raises AccessDeniedException if Connect's role may not use the stream's key, or a Firehose stream's role not
        write to its bucket: on AWS the record is lost.
        """
        held = self.of_type(instance.arn, resource_type)
        if held is None:
            return False
        data = json.dumps(record).encode()
        if held.storage_type == "KINESIS_FIREHOSE":
            arn = held.config["KinesisFirehoseConfig"]["FirehoseArn"]
            self.require(instance, "firehose:PutRecord", arn)
            name = arn.rpartition("/")[2]
            self._require_delivery(name)
            self._clients("firehose").put_record(DeliveryStreamName=name, Record={"Data": data})
            return True
        arn = held.config["KinesisStreamConfig"]["StreamArn"]
        self.require(instance, "kinesis:PutRecord", arn)
        if stream_key := self._stream_key(arn):
            # evidence: agent-events-stream-key
            self.require(instance, "kms:GenerateDataKey", stream_key)
        self._clients("kinesis").put_record(StreamARN=arn, Data=data, PartitionKey=key)
        return True

    def _require_delivery(self, name: str) -> None:
        """Raise AccessDeniedException unless the Firehose stream's own role may write to its bucket, and use its key.

        Source: Amazon Data Firehose developer guide, "Grant Firehose access to an Amazon S3 destination".
        """
        # evidence: firehose-role-for-s3
        described = self._clients("firehose").describe_delivery_stream(DeliveryStreamName=name)
        [destination] = described["DeliveryStreamDescription"]["Destinations"]
        target = destination["ExtendedS3DestinationDescription"]
        role = RolePrincipal(target["RoleARN"], "firehose")
        bucket = target["BucketARN"]
        written = f"{bucket}/{target.get('Prefix', '')}2026/11/21/12/{name}-1"
        self._authorization.require(role, "s3:PutObject", written)
        encryption = target.get("EncryptionConfiguration", {}).get("KMSEncryptionConfig")
        if encryption:
            key = encryption["AWSKMSKeyARN"]
            decision = self._authorization.decide(role, "kms:GenerateDataKey", key, encrypted=written)
            if not decision.allowed:
                raise AwsError("AccessDeniedException", decision.message, 403)

    def require(self, instance: Instance, action: str, resource: str) -> None:
        """Raise AccessDeniedException unless the instance's role may do the action on the resource."""
        role = RolePrincipal(self._instances.service_role(instance), "AmazonConnect")
        self._authorization.require(role, action, resource)

    # -- checks

    def _prepare(
        self, instance: Instance, resource_type: str, storage_type: str, config: Mapping[str, Any]
    ) -> None:
        allowed = STORAGE_OF.get(resource_type)
        if allowed is None:
            known = ", ".join(STORAGE_OF)
            raise AwsError(
                "InvalidRequestException", f"Invalid resource type {resource_type}; known: {known}"
            )
        if storage_type not in allowed:
            wanted = " or ".join(sorted(allowed))
            message = f"Invalid Parameter StorageType {storage_type} for {resource_type}; use {wanted}"
            raise AwsError("InvalidRequestException", message)
        needed = CONFIG_OF[storage_type]
        for name in config:
            if name in CONFIG_OF.values() and name != needed:
                message = f"Invalid Parameter {name} for storage type {storage_type}"
                raise AwsError("InvalidRequestException", message)
        if needed not in config:
            raise AwsError("InvalidRequestException", f"Required parameter missing {needed}")
        target = config[needed]
        {
            "S3": self._check_bucket,
            "KINESIS_VIDEO_STREAM": self._check_video,
            "KINESIS_STREAM": self._check_stream,
            "KINESIS_FIREHOSE": self._check_firehose,
        }[storage_type](instance, target)
        if resource_type in _NEED_CORS:
            self._check_cors(resource_type, target["BucketName"])

    def _check_bucket(self, instance: Instance, target: Mapping[str, Any]) -> None:
        _require_members(target, "S3Config", "BucketName", "BucketPrefix")
        try:
            self._clients("s3").head_bucket(Bucket=target["BucketName"])
        except ClientError as error:
            raise _absent(f"The bucket {target['BucketName']}") from error
        if "EncryptionConfig" in target:
            self._check_key(instance, target["EncryptionConfig"])

    def _check_cors(self, resource_type: str, bucket: str) -> None:
        # evidence: attachments-need-cors
        try:
            self._clients("s3").get_bucket_cors(Bucket=bucket)
        except ClientError as error:
            message = f"The bucket {bucket} needs a CORS rule for {resource_type}"
            raise AwsError("InvalidRequestException", message) from error

    def _check_video(self, instance: Instance, target: Mapping[str, Any]) -> None:
        _require_members(
            target, "KinesisVideoStreamConfig", "Prefix", "RetentionPeriodHours", "EncryptionConfig"
        )
        hours = int(target["RetentionPeriodHours"])
        if not 0 <= hours <= 87600:
            raise AwsError("InvalidRequestException", f"RetentionPeriodHours is {hours}; use 0 to 87600")
        self._check_key(instance, target["EncryptionConfig"])

    def _check_stream(self, instance: Instance, target: Mapping[str, Any]) -> None:  # noqa: ARG002
        _require_members(target, "KinesisStreamConfig", "StreamArn")
        try:
            self._clients("kinesis").describe_stream_summary(StreamARN=target["StreamArn"])
        except ClientError as error:
            raise _absent(f"The stream {target['StreamArn']}") from error

    def _check_firehose(self, instance: Instance, target: Mapping[str, Any]) -> None:  # noqa: ARG002
        _require_members(target, "KinesisFirehoseConfig", "FirehoseArn")
        name = str(target["FirehoseArn"]).rpartition("/")[2]
        try:
            self._clients("firehose").describe_delivery_stream(DeliveryStreamName=name)
        except ClientError as error:
            raise _absent(f"The delivery stream {target['FirehoseArn']}") from error

    def _check_key(self, instance: Instance, encryption: Mapping[str, Any]) -> None:
        """Make a grant for the service-linked role, as the one who deploys: the key's policy must let them."""
        _require_members(encryption, "EncryptionConfig", "EncryptionType", "KeyId")
        key = str(encryption["KeyId"])
        if encryption["EncryptionType"] != "KMS" or not _KEY_ARN.fullmatch(key):
            message = f"EncryptionConfig: the key's full ARN and the type KMS are needed, not {key!r}"
            raise AwsError("InvalidRequestException", message)
        kms = self._clients("kms")
        try:
            spec = kms.describe_key(KeyId=key)["KeyMetadata"]["KeySpec"]
        except ClientError as error:
            raise _absent(f"The key {key}") from error
        if spec != "SYMMETRIC_DEFAULT":
            raise AwsError(
                "InvalidRequestException", f"The key {key} is {spec}; Connect needs SYMMETRIC_DEFAULT"
            )
        for action in ("kms:DescribeKey", "kms:CreateGrant"):
            decision = self._authorization.deployer_may(action, key)
            if not decision.allowed:
                raise AwsError("InvalidRequestException", f"Connect cannot use the key: {decision.message}")
        kms.create_grant(
            KeyId=key,
            GranteePrincipal=self._instances.service_role(instance),
            Operations=["Encrypt", "Decrypt", "GenerateDataKey", "DescribeKey"],
        )

    def _stream_key(self, stream_arn: str) -> str | None:
        stream = self._clients("kinesis").describe_stream_summary(StreamARN=stream_arn)
        summary = stream["StreamDescriptionSummary"]
        key = summary.get("KeyId") if summary.get("EncryptionType") == "KMS" else None
        if not key or "alias/aws/" in key:
            return None
        return self._authorization.key_arn(str(key))

    def _allow(self, instance: Instance) -> None:
        """Write the role's inline policy anew: what its managed policy lacks for the present associations."""
        iam = self._clients("iam")
        name = self._instances.service_role(instance).rpartition("/")[2]
        statements = [statement for held in instance.storage.values() for statement in _needed(held)]
        if statements:
            document = {"Version": "2012-10-17", "Statement": statements}
            iam.put_role_policy(RoleName=name, PolicyName="storage", PolicyDocument=json.dumps(document))
            return
        try:
            iam.delete_role_policy(RoleName=name, PolicyName="storage")
        except iam.exceptions.NoSuchEntityException:
            return


def _needed(held: StorageConfig) -> list[dict[str, Any]]:
    """Return what Connect's role needs for an association."""
    target = held.config[CONFIG_OF[held.storage_type]]
    statements: list[dict[str, Any]] = []
    if held.storage_type == "S3":
        arn = f"arn:aws:s3:::{target['BucketName']}"
        statements += [
            _allowing(f"{arn}/{str(target['BucketPrefix']).strip('/')}/*", "s3:PutObject", "s3:PutObjectAcl",
                      "s3:GetObject", "s3:GetObjectAcl"),
            _allowing(arn, "s3:GetBucketLocation", "s3:GetBucketAcl"),
        ]  # fmt: skip
    elif held.storage_type == "KINESIS_STREAM":
        statements.append(_allowing(target["StreamArn"], "kinesis:PutRecord", "kinesis:PutRecords",
                                    "kinesis:DescribeStream"))  # fmt: skip
    elif held.storage_type == "KINESIS_FIREHOSE":
        statements.append(_allowing(target["FirehoseArn"], "firehose:PutRecord", "firehose:PutRecordBatch",
                                    "firehose:DescribeDeliveryStream"))  # fmt: skip
    return statements


def _allowing(resource: str, *actions: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": resource}


def _require_members(target: Mapping[str, Any], where: str, *names: str) -> None:
    missing = [name for name in names if target.get(name) in (None, "")]
    if missing:
        raise AwsError("InvalidRequestException", f"{where} lacks {', '.join(missing)}")


def _absent(what: str) -> AwsError:
    return AwsError("InvalidRequestException", f"{what} does not exist; Connect does not create it")
