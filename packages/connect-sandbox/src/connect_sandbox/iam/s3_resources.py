"""Amazon S3's permissions: its actions are seldom named like its operations.

Source: Amazon S3 User Guide, "Required permissions for Amazon S3 API operations".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

from connect_sandbox.iam.errors import UnsupportedCall
from connect_sandbox.iam.service_authorization import find_action

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

#: Operation -> action, where the names differ. Operations on objects have a Key.
_ACTIONS: Final = {
    "AbortMultipartUpload": "AbortMultipartUpload",
    "CompleteMultipartUpload": "PutObject",
    "CreateMultipartUpload": "PutObject",
    "DeleteBucketCors": "PutBucketCORS",
    "DeleteBucketEncryption": "PutEncryptionConfiguration",
    "DeleteBucketLifecycle": "PutLifecycleConfiguration",
    "DeleteBucketReplication": "PutReplicationConfiguration",
    "DeleteBucketTagging": "PutBucketTagging",
    "DeletePublicAccessBlock": "PutBucketPublicAccessBlock",
    "GetBucketCors": "GetBucketCORS",
    "GetBucketEncryption": "GetEncryptionConfiguration",
    "GetBucketLifecycle": "GetLifecycleConfiguration",
    "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
    "GetBucketNotificationConfiguration": "GetBucketNotification",
    "GetBucketReplication": "GetReplicationConfiguration",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "HeadBucket": "ListBucket",
    "HeadObject": "GetObject",
    "ListBuckets": "ListAllMyBuckets",
    "ListMultipartUploads": "ListBucketMultipartUploads",
    "ListObjectVersions": "ListBucketVersions",
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "ListParts": "ListMultipartUploadParts",
    "PutBucketCors": "PutBucketCORS",
    "PutBucketEncryption": "PutEncryptionConfiguration",
    "PutBucketLifecycle": "PutLifecycleConfiguration",
    "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
    "PutBucketNotificationConfiguration": "PutBucketNotification",
    "PutBucketReplication": "PutReplicationConfiguration",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
    "UploadPart": "PutObject",
}

#: Actions with a variant for a request that names a version.
_VERSIONED: Final = frozenset(
    {"GetObject", "DeleteObject", "GetObjectTagging", "DeleteObjectTagging", "GetObjectAcl"}
)


def s3_permissions(operation: str, params: Mapping[str, Any], partition: str) -> Iterator[tuple[str, str]]:
    """Yield the actions and ARNs that an S3 operation needs."""
    bucket = f"arn:{partition}:s3:::{params.get('Bucket', '')}"
    if operation in {"CopyObject", "UploadPartCopy"}:
        source, _, version = unquote(str(params["CopySource"])).lstrip("/").partition("?versionId=")
        yield ("s3:GetObjectVersion" if version else "s3:GetObject"), f"arn:{partition}:s3:::{source}"
        yield "s3:PutObject", f"{bucket}/{params['Key']}"
        return
    if operation == "DeleteObjects":
        for entry in params.get("Delete", {}).get("Objects", []):
            action = "s3:DeleteObjectVersion" if entry.get("VersionId") else "s3:DeleteObject"
            yield action, f"{bucket}/{entry['Key']}"
        return
    name = _ACTIONS.get(operation, operation)
    if name in _VERSIONED and params.get("VersionId"):
        name = name.replace("Object", "ObjectVersion", 1)
    known = find_action(f"s3:{name}")
    if known is None:
        raise UnsupportedCall(f"s3:{operation}", "the sandbox does not know which S3 action it needs")
    if not known.knows_resources:
        yield known.full_name, "*"
    elif not params.get("Bucket"):
        raise UnsupportedCall(f"s3:{operation}", "the request names no bucket")
    else:
        yield known.full_name, f"{bucket}/{params['Key']}" if params.get("Key") else bucket
