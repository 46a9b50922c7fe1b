"""Turns a raw HTTP request into what IAM is asked: the action, its resources and its condition keys."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from connect_sandbox.iam.condition_keys import request_context, resource_context
from connect_sandbox.iam.errors import UnsupportedCall
from connect_sandbox.iam.evaluate import AccessRequest
from connect_sandbox.iam.kms_use import key_uses
from connect_sandbox.iam.lookup import Lookup, NoLookup
from connect_sandbox.iam.resources import needed_permissions, what_is_disputed
from connect_sandbox.iam.wire import AwsRequest, parse_request

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from connect_sandbox.iam.request_context import RequestContext


@dataclass(frozen=True)
class AwsCall:
    """An AWS API call, ready for a decision.

    ``requests`` are the permissions that it needs, the operation's own first; empty if AWS needs none
    (sts:GetCallerIdentity, Connect's participant API). ``context`` holds the keys common to all of them.
    """

    request: AwsRequest
    account: str
    action: str
    requests: tuple[AccessRequest, ...]
    context: RequestContext

    @property
    def service(self) -> str:
        """Botocore's name of the service: dynamodb, chime-sdk-voice."""
        return self.request.service

    @property
    def operation(self) -> str:
        """The API's operation: PutItem, Invoke."""
        return self.request.operation

    @property
    def params(self) -> Mapping[str, Any]:
        """The request's parameters under the API's member names."""
        return self.request.params

    @property
    def region(self) -> str:
        """The Region that the request was signed for."""
        return self.request.region

    @property
    def access_key(self) -> str:
        """The access key id that the request was signed with: who calls."""
        return self.request.access_key

    @property
    def resources(self) -> tuple[str, ...]:
        """The ARNs that the call's own action applies to; ``*`` for an action without resources."""
        return tuple(request.resource for request in self.requests if request.action == self.action)


def describe_call(
    method: str,
    path: str,
    query: str | Mapping[str, str] | Iterable[tuple[str, str]],
    headers: Mapping[str, str] | Iterable[tuple[str, str]],
    body: bytes,
    *,
    region: str | None = None,
    account: str,
    partition: str = "aws",
    lookup: Lookup | None = None,
    now: datetime | None = None,
    source_ip: str | None = None,
) -> AwsCall:
    """Describe a raw HTTP request of boto3, the CLI or another SDK.

    ``path`` is the raw, percent-encoded path. ``region`` is the sandbox's: a call signed for another Region is
    refused; None accepts any. ``account`` owns the resources that the request names without an account. ``lookup``
    knows what a request does not say (a secret's ARN by its name, tags); without it such calls are refused. Raises
    UnsupportedCall if service, operation, action or a resource cannot be determined.
    """
    request = parse_request(method, path, query, headers, body)
    if region is not None and request.region not in {region, "aws-global"}:
        raise UnsupportedCall(
            f"{request.prefix}:{request.operation} in {request.region}", f"its resources are all in {region}"
        )
    known: Lookup = lookup or NoLookup()
    context = request_context(request, now or datetime.now(UTC), source_ip)
    permissions = needed_permissions(request, account, partition, known)
    requests = tuple(
        AccessRequest(
            action,
            arn,
            context.merged(resource_context(action, arn, request.params, account, known)),
            what_is_disputed(request.operation, action),
        )
        for action, arn in permissions
    )
    used = key_uses(request, permissions, account, known)
    requests += tuple(
        AccessRequest(use.action, use.key_arn, context.merged(use.context), _of_key(request)) for use in used
    )
    action = permissions[0][0] if permissions else f"{request.prefix}:{request.operation}"
    return AwsCall(request=request, account=account, action=action, requests=requests, context=context)


def _of_key(request: AwsRequest) -> str:
    return f"{request.prefix}:{request.operation} uses a customer-managed key with its caller's permissions"
