"""Which KMS keys a call uses through the service that holds the encrypted data, and with what condition keys.

Data that is encrypted with a customer-managed key asks its caller for the use of the key as well: the service calls KMS
with the caller's permissions (a "forward access session"), so kms:ViaService names the service and the encryption
context what is encrypted. Sources: Secrets Manager user guide, "Secret encryption and decryption"; DynamoDB developer
guide, "Encryption at rest: how it works"; SNS and SQS developer guides, "Key management".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from connect_sandbox.iam.request_context import ContextValue, RequestContext

if TYPE_CHECKING:
    from connect_sandbox.iam.lookup import Lookup
    from connect_sandbox.iam.reference_permissions import Permission
    from connect_sandbox.iam.wire import AwsRequest

_DECRYPT: Final = ("kms:Decrypt",)
_ENCRYPT: Final = ("kms:GenerateDataKey", "kms:Decrypt")

_SECRETS: Final = {
    "GetSecretValue": _DECRYPT,
    "BatchGetSecretValue": _DECRYPT,
    "PutSecretValue": _ENCRYPT,
    "UpdateSecret": _ENCRYPT,
}
_QUEUES: Final = {
    "SendMessage": _ENCRYPT,
    "SendMessageBatch": _ENCRYPT,
    "ReceiveMessage": _DECRYPT,
}
_TOPICS: Final = {"Publish": _ENCRYPT, "PublishBatch": _ENCRYPT}
#: DynamoDB decrypts the table's key for each caller. That a writer also needs GenerateDataKey is not documented for the
#: calls on items, but CDK and AWS's sample policies grant it: the sandbox asks for it.
_TABLES: Final = {
    **dict.fromkeys(
        ("BatchGetItem", "GetItem", "Query", "Scan", "TransactGetItems", "ConditionCheckItem"), _DECRYPT
    ),
    **dict.fromkeys(
        ("BatchWriteItem", "DeleteItem", "PutItem", "TransactWriteItems", "UpdateItem"),
        ("kms:Decrypt", "kms:GenerateDataKey"),
    ),
}
_OPERATIONS: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "dynamodb": _TABLES,
    "secretsmanager": _SECRETS,
    "sns": _TOPICS,
    "sqs": _QUEUES,
}


@dataclass(frozen=True)
class KeyUse:
    """One action on one key, with the condition keys that the service in between adds."""

    action: str
    key_arn: str
    context: RequestContext


def key_uses(
    request: AwsRequest, permissions: Iterable[Permission], account: str, lookup: Lookup
) -> list[KeyUse]:
    """Return what a call asks of the keys behind the resources that it needs permissions on."""
    actions = _OPERATIONS.get(request.prefix, {}).get(request.operation)
    if actions is None:
        return []
    return list(_uses(request, permissions, actions, account, lookup))


def _uses(
    request: AwsRequest,
    permissions: Iterable[Permission],
    actions: tuple[str, ...],
    account: str,
    lookup: Lookup,
) -> Iterator[KeyUse]:
    arns = dict.fromkeys(arn.split("/index/", maxsplit=1)[0] for _, arn in permissions if arn != "*")
    for arn in arns:
        key = lookup.encryption_key_arn(arn)
        if key is None:
            continue
        context = via_service(request.prefix, request.region, account, encryption_context(arn, account))
        for action in actions:
            yield KeyUse(action, key, context)


def encryption_context(arn: str, account: str) -> dict[str, str]:
    """Return the encryption context with which a service encrypts a resource, as far as it is known beforehand.

    Secrets Manager also gives the id of the version (SecretVersionId), which the sandbox does not know here.
    """
    _, _, service, _, _, name = arn.split(":", 5)
    match service:
        case "dynamodb":
            table = name.split("/", 1)[1]
            return {"aws:dynamodb:tableName": table, "aws:dynamodb:subscriberId": account}
        case "logs":
            return {"aws:logs:arn": arn}
        case "secretsmanager":
            return {"SecretARN": arn}
        case "sns":
            return {"aws:sns:topicArn": arn}
        case "sqs":
            return {"aws:sqs:arn": arn}
    return {}


def via_service(service: str, region: str, account: str, encrypted: Mapping[str, str]) -> RequestContext:
    """Return the condition keys of a call to KMS that a service makes with its caller's permissions."""
    host = f"{service}.{region}.amazonaws.com"
    return RequestContext.of(
        {
            **_encryption_keys(encrypted),
            "kms:ViaService": host,
            "kms:CallerAccount": account,
            "aws:ViaAWSService": "true",
            "aws:CalledVia": (f"{service}.amazonaws.com",),
            "aws:CalledViaFirst": f"{service}.amazonaws.com",
            "aws:CalledViaLast": f"{service}.amazonaws.com",
        },
        absent=["kms:GrantIsForAWSResource", "kms:RecipientAttestation:*"],
    )


def by_service_itself(account: str, encrypted: Mapping[str, str]) -> RequestContext:
    """Return the condition keys of a call to KMS that a service makes as itself, without kms:ViaService."""
    return RequestContext.of(
        {**_encryption_keys(encrypted), "kms:CallerAccount": account},
        absent=["kms:ViaService", "kms:GrantIsForAWSResource", "kms:RecipientAttestation:*"],
    )


def _encryption_keys(encrypted: Mapping[str, str]) -> dict[str, ContextValue | None]:
    return {
        **{f"kms:EncryptionContext:{key}": value for key, value in encrypted.items()},
        "kms:EncryptionAlgorithm": "SYMMETRIC_DEFAULT",
    }
