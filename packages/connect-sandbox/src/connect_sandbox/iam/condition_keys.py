"""The condition keys that a request carries, and those that AWS leaves out of it.

A key has a value here, or is listed as absent because AWS documents that such requests lack it, or is unknown; a
policy that depends on an unknown key is refused by name. Sources: AWS IAM User Guide, "AWS global condition context
keys"; the Service Authorization Reference per service.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl

from connect_sandbox.iam.request_context import ContextValue, RequestContext

if TYPE_CHECKING:
    from connect_sandbox.iam.lookup import Lookup
    from connect_sandbox.iam.wire import AwsRequest

_Params = Mapping[str, Any]


def request_context(request: AwsRequest, now: datetime, source_ip: str | None) -> RequestContext:
    """Return the keys of a role's or user's request, without those of the principal and the resource."""
    tags = _request_tags(request.params)
    values: dict[str, ContextValue | None] = {
        # The sandbox uses HTTP on loopback where deployed code uses HTTPS: the value is AWS's.
        "aws:SecureTransport": "true",
        "aws:RequestedRegion": request.region,
        "aws:CurrentTime": now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "aws:EpochTime": str(int(now.timestamp())),
        "aws:UserAgent": request.user_agent,
        "aws:ViaAWSService": "false",
        "aws:TagKeys": tuple(tags) or None,
        **{f"aws:RequestTag/{key}": value for key, value in tags.items()},
    }
    if source_ip is not None:
        values["aws:SourceIp"] = source_ip
    values |= {
        f"{request.prefix}:{name}": read(request.params)
        for name, read in _KEYS.get(request.prefix, {}).items()
    }
    if request.prefix == "kms":
        values |= {
            f"kms:EncryptionContext:{key}": value
            for key, value in (request.params.get("EncryptionContext") or {}).items()
        }
    return RequestContext.of(values, absent=[*_NEVER, *_ABSENT.get(request.prefix, ())])


def resource_context(action: str, arn: str, params: _Params, account: str, lookup: Lookup) -> RequestContext:
    """Return the keys that describe the resource: owner, tags, and the partition keys of DynamoDB items."""
    parts = arn.split(":", 5)
    owner = parts[4] if len(parts) == 6 and parts[4] else account
    values: dict[str, ContextValue | None] = {"aws:ResourceAccount": owner}
    absent: list[str] = []
    if arn != "*" and (tags := lookup.resource_tags(arn)) is not None:
        values |= {f"aws:ResourceTag/{key}": value for key, value in tags.items()}
        absent.append("aws:ResourceTag/*")
    if action.startswith("iam:") and parts[2:3] == ["iam"]:
        values["iam:PermissionsBoundary"] = params.get("PermissionsBoundary") or lookup.boundary_arn(arn)
    if action.startswith("dynamodb:") and (name := lookup.partition_key(arn.split("/index/", maxsplit=1)[0])):
        keys = _leading_keys(params, arn, name)
        if keys is not None:
            values["dynamodb:LeadingKeys"] = keys or None
    return RequestContext.of(values, absent)


def _request_tags(params: _Params) -> dict[str, str]:
    """Read tags, which are a list of pairs, a mapping, or S3's query string, under Tags, tags or Tagging."""
    found = params.get("Tags") or params.get("tags") or params.get("TagList") or params.get("Tagging") or {}
    if isinstance(found, str):
        return dict(parse_qsl(found))
    if isinstance(found, Mapping):
        pairs = found.get("TagSet") if "TagSet" in found else None
        if pairs is None:
            return {str(key): str(value) for key, value in found.items()}
        found = pairs
    entries = [{str(k).lower(): v for k, v in entry.items()} for entry in found if isinstance(entry, Mapping)]
    return {str(e.get("key") or e.get("tagkey")): str(e.get("value", e.get("tagvalue", ""))) for e in entries}


def _leading_keys(params: _Params, arn: str, name: str) -> tuple[str, ...] | None:
    """Return the partition key values of a request; None if unknown (a Query's are in an expression)."""
    keyed = [params[part] for part in ("Key", "Item") if isinstance(params.get(part), Mapping)]
    table = arn.rsplit("/", 1)[-1]
    for key, entries in (params.get("RequestItems") or {}).items():
        if key in {table, arn}:
            keyed += entries.get("Keys", []) if isinstance(entries, Mapping) else _written(entries)
    for item in params.get("TransactItems") or []:
        for entry in item.values():
            if entry.get("TableName") in {table, arn}:
                keyed.append(entry.get("Key") or entry.get("Item") or {})
    if not keyed:
        return () if "KeyConditionExpression" not in params and "KeyConditions" not in params else None
    if any(name not in item for item in keyed):
        return None
    return tuple(str(next(iter(item[name].values()))) for item in keyed)


def _written(entries: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    found = [
        (entry.get("PutRequest") or {}).get("Item") or (entry.get("DeleteRequest") or {}).get("Key")
        for entry in entries
    ]
    return [item for item in found if item]


def _param(name: str) -> Callable[[_Params], str | None]:
    def read(params: _Params) -> str | None:
        value = params.get(name)
        return None if value is None else str(value)

    return read


#: Service -> condition key without prefix -> how to read it; None means that AWS leaves it out of such a
#: request.
_KEYS: Final[dict[str, dict[str, Callable[[_Params], ContextValue | None]]]] = {
    "cloudwatch": {"namespace": _param("Namespace")},
    "connect": {"InstanceId": _param("InstanceId")},
    "kms": {
        "EncryptionContextKeys": lambda params: tuple(params.get("EncryptionContext") or ()) or None,
        "EncryptionAlgorithm": lambda params: str(params.get("EncryptionAlgorithm", "SYMMETRIC_DEFAULT")),
    },
    "s3": {
        "prefix": _param("Prefix"),
        "delimiter": _param("Delimiter"),
        "max-keys": _param("MaxKeys"),
        "x-amz-acl": _param("ACL"),
        "x-amz-server-side-encryption": _param("ServerSideEncryption"),
    },
    "secretsmanager": {
        "SecretId": _param("SecretId"),
        "VersionId": _param("VersionId"),
        "VersionStage": _param("VersionStage"),
        "Name": _param("Name"),
    },
    "sns": {"Endpoint": _param("Endpoint"), "Protocol": _param("Protocol")},
    "sts": {
        "ExternalId": _param("ExternalId"),
        "RoleSessionName": _param("RoleSessionName"),
        "SourceIdentity": _param("SourceIdentity"),
    },
}

#: Keys that occur only in requests by services, through VPC endpoints, or with credentials that the sandbox has not.
_NEVER: Final = (
    "aws:SourceArn",
    "aws:SourceAccount",
    "aws:SourceOrgID",
    "aws:SourceOrgPaths",
    "aws:SourceOwner",
    "aws:SourceVpc",
    "aws:SourceVpce",
    "aws:VpcSourceIp",
    "aws:CalledVia",
    "aws:CalledViaFirst",
    "aws:CalledViaLast",
    "aws:RequestTag/*",
    "aws:SourceIdentity",
    "aws:MultiFactorAuthAge",
)

#: A direct call does not come through another service, nor from an attested enclave.
_ABSENT: Final = {"kms": ("kms:ViaService", "kms:RecipientAttestation:*", "kms:EncryptionContext:*")}
