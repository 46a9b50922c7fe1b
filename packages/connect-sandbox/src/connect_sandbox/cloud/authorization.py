"""Decides on every call by the deployed policies, and writes each decision to the audit log.

connect_sandbox.iam does the evaluation; this module gathers what it needs: a role's or user's
policies and boundary from moto's IAM, the resource policies of functions, secrets, keys, topics, queues, buckets and
roles.
The developer (the credentials of the CDK command line, and the roles of the CDK's bootstrap stack, which act for the
developer) may do everything, save publishing to topics whose policy denies it.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

from connect_sandbox.cloud.errors import AwsError
from connect_sandbox.cloud.http import HttpRequest, HttpResponse
from connect_sandbox.cloud.principals import (
    Admin,
    Outsider,
    Principal,
    RolePrincipal,
    ServicePrincipal,
    UserPrincipal,
    find_user_key,
)
from connect_sandbox.cloud.troubles import FAULT, Troubles
from connect_sandbox.iam import (
    AccessRequest,
    AuditLog,
    AwsCall,
    Decision,
    Policy,
    PolicyKind,
    RequestContext,
    UnsupportedCall,
    UnsupportedPolicy,
    denied_response,
    describe_call,
    evaluate,
)
from connect_sandbox.iam import Principal as IamPrincipal
from connect_sandbox.iam.evaluate import ResourcePolicies
from connect_sandbox.iam.kms_use import by_service_itself, encryption_context, via_service
from connect_sandbox.moto_internals import Backend, RegionalService, backend, iam

#: What CloudWatch Logs does with a log group's key.
_LOGS_ON_KEYS = ("kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey", "kms:ReEncryptFrom", "kms:ReEncryptTo")
_BOOTSTRAP_TAG = "aws-cdk:bootstrap-role"
#: Another account decides for itself what its people may do: here, everything.
_EVERYTHING = Policy.parse(
    {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}},
    name="the other account's own policy",
)
_ADMINISTRATOR = Policy.parse(
    {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}},
    name="AdministratorAccess",
)


class Authorization:
    """IAM, in front of everything that the sandbox serves."""

    def __init__(
        self,
        account: str,
        region: str,
        audit: AuditLog,
        function_policy: Callable[[str], dict[str, Any] | None],
    ) -> None:
        """`function_policy` returns the resource policy of a function by ARN, or None if there is no such function."""
        self._account = account
        self._region = region
        self._audit = audit
        self._function_policy = function_policy
        #: ARNs of the permissions boundaries of users, by user name. Kept here: moto has none for users.
        self.user_boundaries: dict[str, str] = {}
        self._lookup = _MotoLookup(account, region, self.user_boundaries)
        self._spreading = _Spreading()
        #: What is denied on purpose, whatever policies say.
        self.troubles = Troubles()
        #: Policies of deployed buckets, by name. Kept here: moto would enforce them itself, without looking
        #: at conditions.
        self.bucket_policies: dict[str, dict[str, Any]] = {}

    def shares(self, anybody: Authorization, same_account: Authorization | None) -> None:
        """Hold what has no Region in common: bucket policies with anybody, users' boundaries within the account."""
        self.bucket_policies = anybody.bucket_policies
        if same_account is not None:
            self.user_boundaries = same_account.user_boundaries
            self._lookup = _MotoLookup(self._account, self._region, self.user_boundaries)

    def check_request(self, principal: Principal, request: HttpRequest) -> HttpResponse | None:
        """Return the response that denies a request, or None if the principal may make it."""
        if self.is_developer(principal):
            return None
        try:
            call = describe_call(
                request.method,
                request.raw_path,
                request.query_string,
                request.headers.items(),
                request.body,
                region=self._region,
                account=self._account,
                lookup=self._lookup,
                source_ip=request.source_ip,
            )
            decision = self._evaluate(call, principal)
        except (UnsupportedCall, UnsupportedPolicy) as refusal:
            body = json.dumps({"__type": "NotImplemented", "message": str(refusal)}).encode()
            return HttpResponse(
                501, [("Content-Type", "application/json"), ("x-amzn-ErrorType", "NotImplemented")], body
            )
        if decision.allowed:
            return None
        status, headers, body = denied_response(call, decision)
        return HttpResponse(status, list(headers.items()), body)

    def decide(
        self,
        principal: Principal,
        action: str,
        resource: str,
        *,
        resource_policy: Mapping[str, Any] | None = None,
        encrypted: str | None = None,
        context: RequestContext | None = None,
    ) -> Decision:
        """Decide one action on one resource, outside an HTTP request (Connect invoking a function, for example).

        `resource_policy` replaces the deployed one of the resource. `encrypted` is the ARN of what a key encrypts, for
        an action on the key: it gives the encryption context, and for roles and users kms:ViaService. `context` has
        further condition keys of the request.
        """
        policies = None if resource_policy is None else _resource_policies(resource, resource_policy)
        context = self._context(principal).merged(context or RequestContext.of({}, []))
        if encrypted is not None:
            context = context.merged(self._key_context(principal, encrypted))
        return self._evaluate(AccessRequest(action, resource, context), principal, policies)

    def require_logs_may_use(self, key_arn: str, log_group: str) -> None:
        """Raise InvalidParameterException unless the key's policy lets CloudWatch Logs encrypt this log group.

        Logs acts as itself: its caller needs no permission on the key. Source: CloudWatch Logs user guide, "Encrypt log
        data in CloudWatch Logs using AWS Key Management Service".
        """
        group_arn = f"arn:aws:logs:{self._region}:{self._account}:log-group:{log_group}"
        logs = ServicePrincipal(f"logs.{self._region}.amazonaws.com", self._account, group_arn)
        for action in _LOGS_ON_KEYS:
            decision = self.decide(logs, action, key_arn, encrypted=group_arn)
            if not decision.allowed:
                message = (
                    "The specified KMS key does not exist or is not allowed to be used with Arn "
                    f"'{group_arn}' [sandbox: {decision.message}]"
                )
                raise AwsError("InvalidParameterException", message)

    def _key_context(self, principal: Principal, encrypted: str) -> RequestContext:
        context = encryption_context(encrypted, self._account)
        if isinstance(principal, ServicePrincipal):
            return by_service_itself(self._account, context)
        return via_service(encrypted.split(":")[2], self._region, self._account, context)

    def require(
        self,
        principal: Principal,
        action: str,
        resource: str,
        *,
        resource_policy: Mapping[str, Any] | None = None,
    ) -> None:
        """Raise AccessDeniedException (403) unless the principal may do the action on the resource."""
        if self.is_developer(principal):
            return
        decision = self.decide(principal, action, resource, resource_policy=resource_policy)
        if not decision.allowed:
            raise AwsError("AccessDeniedException", decision.message, 403)

    def deployer_may(self, action: str, key_arn: str, *, service: str = "connect") -> Decision:
        """Decide whether CloudFormation's role, an administrator, may act on a key through a service.

        Its own policies allow everything, so the key's policy decides. The role is that of the CDK's bootstrap stack.
        """
        role = f"arn:aws:iam::{self._account}:role/cdk-hnb659fds-cfn-exec-role-{self._account}-{self._region}"
        principal = RolePrincipal(role, "AWSCloudFormation")
        via = via_service(service, self._region, self._account, {})
        granting = RequestContext.of({"kms:GrantIsForAWSResource": "true"}, [])
        context = self._context(principal).merged(via).merged(granting)
        request = AccessRequest(action, key_arn, context)
        decision = evaluate(
            request, self._as_iam(principal), [_ADMINISTRATOR], self.resource_policies(key_arn), None
        )
        self._audit.record(decision)
        return decision

    def require_lambda_may_assume(self, role_arn: str) -> None:
        """Raise unless the role exists and its trust policy lets Lambda assume it."""
        message = "The role defined for the function cannot be assumed by Lambda."
        if self._trust_policy(role_arn) is None:
            raise AwsError("InvalidParameterValueException", f"{message} There is no role {role_arn}.")
        if not self.may_assume("lambda.amazonaws.com", role_arn):
            raise AwsError(
                "InvalidParameterValueException", f"{message} Its trust policy does not allow it: {role_arn}"
            )

    def may_assume(self, service: str, role_arn: str, source_arn: str = "") -> bool:
        """Return whether the role exists and its trust policy lets the service assume it, for a source if given."""
        document = self._trust_policy(role_arn)
        if document is None:
            return False
        policy = Policy.parse(document, name=f"trust policy of {role_arn}", kind=PolicyKind.TRUST)
        sources = {"aws:SourceArn": source_arn, "aws:SourceAccount": self._account} if source_arn else {}
        request = AccessRequest("sts:AssumeRole", role_arn, RequestContext.of(sources, ["aws:*", "sts:*"]))
        return evaluate(request, IamPrincipal.service(service), (), [policy]).allowed

    def role_exists(self, role_arn: str) -> bool:
        """Return whether there is a role of this ARN."""
        return _role(self._account, role_arn) is not None

    def is_developer(self, principal: Principal) -> bool:
        """Return whether the principal is the developer, who may do everything."""
        if isinstance(principal, Admin):
            return True
        return isinstance(principal, RolePrincipal) and self._is_bootstrap_role(principal)

    def is_administrator(self, role_arn: str) -> bool:
        """Whether nothing is denied to a role: it has AdministratorAccess and no boundary, or nobody has made it."""
        role = _role(self._account, role_arn)
        if role is None:
            return True
        names = {policy.name for policy in list(role.managed_policies.values())}
        return "AdministratorAccess" in names and not role.permissions_boundary_arn

    @contextmanager
    def slow_to_spread(self, *, calls: int, roles: str = "") -> Iterator[None]:
        """Let IAM take its time: a policy that is new in this context does not count in its holder's first calls.

        On AWS a new role's permissions take effect within seconds, sometimes up to a minute (IAM User Guide,
        "Changes that I make are not always immediately visible"); here, after so many denied or allowed `calls` of
        the role. Whatever is deployed before counts at once. `roles`: how the names of the roles begin that this is
        about.
        """
        if calls < 1:
            raise ValueError(f"calls is {calls}; write after how many calls of a role its new policies count")
        self._spreading.begin(calls, roles, self._documents())
        try:
            yield
        finally:
            self._spreading.end()

    def _documents(self) -> set[tuple[str, str, str]]:
        roles = list(iam(self._account).roles.values())
        return {(role.arn, name, document) for role in roles for name, document in _inline(role)}

    def key_arn(self, key: str) -> str:
        """Return the ARN of a KMS key that is named by its id, ARN or alias; the name itself if there is none."""
        return (
            self._lookup.key_arn(key) or key
            if "alias/" in key
            else _key_arn(self._account, self._region, key)
        )

    def identity_policies(self, arn: str) -> tuple[list[Policy], Policy | None]:
        """Return the deployed policies of a role or user, inline and attached, and its permissions boundary."""
        backend = iam(_owner(self._account, arn))
        role, user = _role(self._account, arn), _user(self._account, arn)
        holder = user if role is None else role
        if holder is None:
            return [], None
        policies = [
            Policy.parse(document, name=f"{name} of {holder.name}")
            for name, document in _inline(holder)
            if role is None or self._spreading.counts(arn, name, document)
        ]
        policies += [
            Policy.parse(_document(policy), name=policy.name)
            for policy in list(holder.managed_policies.values())
        ]
        boundary_arn = (
            self.user_boundaries.get(holder.name) if role is None else role.permissions_boundary_arn
        )
        boundary = None
        if boundary_arn:
            document = _document(backend.managed_policies[boundary_arn])
            boundary = Policy.parse(document, name=boundary_arn, kind=PolicyKind.BOUNDARY)
        return policies, boundary

    def _evaluate(
        self, request: AccessRequest | AwsCall, principal: Principal, policies: list[Policy] | None = None
    ) -> Decision:
        identity: list[Policy] = []
        boundary: Policy | None = None
        if isinstance(principal, RolePrincipal):
            identity, boundary = self.identity_policies(principal.role_arn)
            self._spreading.called(principal.role_arn)
        elif isinstance(principal, UserPrincipal):
            identity, boundary = self.identity_policies(principal.arn)
        elif isinstance(principal, Outsider):
            identity = [_EVERYTHING]
        if self.is_developer(principal):
            identity, boundary = [_ADMINISTRATOR], None
        found: ResourcePolicies = self.resource_policies if policies is None else policies
        if not self.is_developer(principal):
            identity, found = self._with_troubles(principal, identity, found)
        decision = evaluate(request, self._as_iam(principal), identity, found, boundary)
        if decision.statement is not None and decision.statement.policy == FAULT:
            decision = replace(decision, note=FAULT)
        self._audit.record(decision)
        return decision

    def _with_troubles(
        self, principal: Principal, identity: list[Policy], found: ResourcePolicies
    ) -> tuple[list[Policy], ResourcePolicies]:
        mine, everybody = self.troubles.denials(self._account)
        if not mine:
            return identity, found
        if not isinstance(principal, ServicePrincipal):
            return [*identity, *mine], found
        return identity, lambda arn: [*(found(arn) if callable(found) else found), *everybody]

    def resource_policies(self, arn: str) -> list[Policy]:
        """Return the deployed resource policies of an ARN; empty for a resource without one."""
        document = self._resource_policy_document(arn)
        return [] if document is None else _resource_policies(arn, document)

    def _resource_policy_document(self, arn: str) -> Mapping[str, Any] | str | None:
        parts = arn.split(":", 5)
        service = parts[2] if len(parts) == 6 else ""
        if service == "lambda" and parts[5].startswith("function:"):
            return self._function_policy(arn)
        if service == "iam" and parts[5].startswith("role/"):
            return self._trust_policy(arn)
        if service == "s3":
            return self.bucket_policies.get(parts[5].split("/", 1)[0])
        for known, read in _READERS.items():
            if known == service:
                return read(backend(known, parts[4] or self._account, parts[3] or self._region), arn)
        return None

    def _trust_policy(self, role_arn: str) -> str | None:
        role = _role(self._account, role_arn)
        return None if role is None else unquote(str(role.assume_role_policy_document))

    def _is_bootstrap_role(self, principal: RolePrincipal) -> bool:
        role = _role(self._account, principal.role_arn)
        return role is not None and _BOOTSTRAP_TAG in _role_tags(role)

    def _as_iam(self, principal: Principal) -> IamPrincipal:
        if isinstance(principal, RolePrincipal):
            return IamPrincipal.role_session(principal.role_arn, principal.session_name)
        if isinstance(principal, UserPrincipal):
            return IamPrincipal.user(principal.arn, _user_tags(self._account, principal.arn))
        if isinstance(principal, Outsider):
            return IamPrincipal.user(principal.arn)
        if isinstance(principal, Admin):
            return IamPrincipal.user(f"arn:aws:iam::{principal.account}:user/developer")
        return IamPrincipal.service(principal.service)

    def _context(self, principal: Principal) -> RequestContext:
        now = datetime.now(UTC)
        sources = (
            (None, None)
            if isinstance(principal, RolePrincipal | UserPrincipal | Admin | Outsider)
            else (principal.source_account or None, principal.source_arn or None)
        )
        values = {
            "aws:SecureTransport": "true",
            "aws:RequestedRegion": self._region,
            "aws:CurrentTime": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "aws:EpochTime": str(int(now.timestamp())),
            "aws:SourceAccount": sources[0],
            "aws:SourceArn": sources[1],
            "aws:ResourceAccount": self._account,
            # A topic's own default policy lets CloudWatch publish by this key (SNS guide, "Example cases").
            "aws:SourceOwner": sources[0] if _is_cloudwatch(principal) else None,
        }
        absent = ["aws:SourceVpc", "aws:SourceVpce", "aws:SourceIp", "aws:SourceOrgID", "aws:Referer"]
        absent += ["aws:SourceOrgPaths", "aws:VpcSourceIp"]
        absent += ["lambda:FunctionUrlAuthType", "lambda:EventSourceToken", "lambda:InvokedViaFunctionUrl"]
        return RequestContext.of(values, absent)


class _Spreading:
    """Which inline policies of roles are too new to count."""

    def __init__(self) -> None:
        self._calls = 0
        self._roles = ""
        self._known: set[tuple[str, str, str]] = set()
        self._seen: dict[str, int] = {}
        self._lock = threading.Lock()

    def begin(self, calls: int, roles: str, known: set[tuple[str, str, str]]) -> None:
        with self._lock:
            self._calls, self._roles, self._known, self._seen = calls, roles, known, {}

    def end(self) -> None:
        self.begin(0, "", set())

    def called(self, role_arn: str) -> None:
        with self._lock:
            if self._calls:
                self._seen[role_arn] = self._seen.get(role_arn, 0) + 1

    def counts(self, role_arn: str, name: str, document: str) -> bool:
        with self._lock:
            new = (role_arn, name, document) not in self._known
            concerned = role_arn.rsplit("/", 1)[-1].startswith(self._roles)
            return not new or not concerned or self._seen.get(role_arn, 0) >= self._calls


def _is_cloudwatch(principal: Principal) -> bool:
    return isinstance(principal, ServicePrincipal) and principal.service == "cloudwatch.amazonaws.com"


def _inline(holder: Any) -> list[tuple[str, str]]:  # noqa: ANN401  (moto's role or user)
    return [(name, unquote(document)) for name, document in list(holder.policies.items())]


def _resource_policies(arn: str, document: Mapping[str, Any] | str) -> list[Policy]:
    parsed = json.loads(document) if isinstance(document, str) else document
    if not parsed.get("Statement"):
        return []
    trust = arn.split(":", 5)[2] == "iam"
    kind = PolicyKind.TRUST if trust else PolicyKind.RESOURCE
    return [Policy.parse(parsed, name=f"{'trust' if trust else 'resource'} policy of {arn}", kind=kind)]


def _role(account: str, role_arn: str) -> Any:  # noqa: ANN401  (moto's role)
    roles = list(iam(_owner(account, role_arn)).roles.values())
    return next((role for role in roles if role.arn == role_arn), None)


def _user(account: str, user_arn: str) -> Any:  # noqa: ANN401  (moto's user)
    users = list(iam(_owner(account, user_arn)).users.values())
    return next((user for user in users if user.arn == user_arn), None)


def _user_tags(account: str, user_arn: str) -> dict[str, str]:
    owner = iam(_owner(account, user_arn))
    return {tag["Key"]: tag["Value"] for tag in owner.tagger.list_tags_for_resource(user_arn)["Tags"]}


def _owner(account: str, arn: str) -> str:
    """Return the account in an ARN of IAM; `account` for what is no ARN."""
    parts = arn.split(":")
    return parts[4] if len(parts) > 5 and parts[4].isdigit() else account


def _key_arn(account: str, region: str, key: str) -> str:
    return key if key.startswith("arn:") else f"arn:aws:kms:{region}:{account}:key/{key}"


def _document(policy: Any) -> str:  # noqa: ANN401  (moto's managed policy)
    default = next(version for version in policy.versions if version.is_default)
    return str(default.document)


def _role_tags(role: Any) -> dict[str, str]:  # noqa: ANN401
    tags = role.tags or {}
    if isinstance(tags, dict):
        return {str(value.get("Key", key)): str(value.get("Value", "")) for key, value in tags.items()}
    return {tag["Key"]: tag["Value"] for tag in tags}


def _secret_policy(backend: Any, arn: str) -> str | None:  # noqa: ANN401
    secret = next((s for s in list(backend.secrets.values()) if s.arn == arn), None)
    return None if secret is None else secret.policy


def _key_policy(backend: Any, arn: str) -> str | None:  # noqa: ANN401
    key = backend.keys.get(arn.rsplit("/", 1)[-1])
    return None if key is None else key.policy


def _topic_policy(backend: Any, arn: str) -> str | None:  # noqa: ANN401
    topic = backend.topics.get(arn)
    return None if topic is None else topic.policy


def _queue_policy(backend: Any, arn: str) -> str | None:  # noqa: ANN401
    queue = backend.queues.get(arn.rsplit(":", 1)[-1])
    if queue is None or not queue.policy:
        return None
    # Text if it was set as an attribute, otherwise an object.
    return queue.policy if isinstance(queue.policy, str) else json.dumps(queue.policy)


def _bus_policy(backend: Any, arn: str) -> str | None:  # noqa: ANN401
    bus = backend.event_buses.get(arn.rpartition("/")[2])
    return None if bus is None else bus.policy


_READERS: dict[RegionalService, Callable[[Backend, str], str | None]] = {
    "secretsmanager": _secret_policy,
    "kms": _key_policy,
    "sns": _topic_policy,
    "sqs": _queue_policy,
    "events": _bus_policy,
}


class _MotoLookup:
    """Looks up in moto what a request does not say about its resources."""

    def __init__(self, account: str, region: str, user_boundaries: Mapping[str, str]) -> None:
        self._account = account
        self._region = region
        self._user_boundaries = user_boundaries

    def secret_arn(self, name: str) -> str | None:
        wanted = name.split(":secret:", 1)[-1]
        secrets = self._backend("secretsmanager").secrets.values()
        return next((str(s.arn) for s in list(secrets) if s.name == wanted or s.arn == name), None)

    def encryption_key_arn(self, arn: str) -> str | None:
        service = arn.split(":")[2]
        named = _KEYS_OF[service](self, arn) if service in _KEYS_OF else None
        if not named or "alias/aws/" in named:
            return None
        return self.key_arn(named) if "alias/" in named else _key_arn(self._account, self._region, named)

    def secret_key(self, arn: str) -> str | None:
        secrets = self._backend("secretsmanager").secrets.values()
        return next((str(s.kms_key_id or "") for s in list(secrets) if s.arn == arn), None)

    def table_key(self, arn: str) -> str | None:
        table = self._backend("dynamodb").tables.get(arn.rsplit("/", 1)[-1])
        specification = (table.sse_specification if table is not None else None) or {}
        return specification.get("KMSMasterKeyId") if specification.get("Enabled") else None

    def topic_key(self, arn: str) -> str | None:
        topic = self._backend("sns").topics.get(arn)
        return None if topic is None else str(topic.kms_master_key_id or "")

    def queue_key(self, arn: str) -> str | None:
        queue = self._backend("sqs").queues.get(arn.rsplit(":", 1)[-1])
        return None if queue is None else str(queue.kms_master_key_id or "")

    def key_arn(self, alias: str) -> str | None:
        kms = self._backend("kms")
        wanted = "alias/" + alias.rsplit("alias/", 1)[-1]
        key_id = kms.get_key_id_from_alias(wanted)
        return None if not key_id else str(kms.keys[key_id].arn)

    def partition_key(self, table_arn: str) -> str | None:
        table = self._backend("dynamodb").tables.get(table_arn.rsplit("/", 1)[-1])
        return None if table is None else str(table.hash_key_attr)

    def user_arn(self, name: str) -> str | None:
        user = iam(self._account).users.get(name)
        return None if user is None else str(user.arn)

    def role_arn(self, name: str) -> str | None:
        found = (role for role in list(iam(self._account).roles.values()) if role.name == name)
        return next((str(role.arn) for role in found), None)

    def boundary_arn(self, arn: str) -> str | None:
        role = _role(self._account, arn)
        if role is None:
            return self._user_boundaries.get(arn.rpartition("/")[2])
        return str(role.permissions_boundary_arn) if role.permissions_boundary_arn else None

    def key_owner(self, access_key: str) -> str | None:
        found = find_user_key(self._account, access_key)
        return None if found is None else str(found[0].arn)

    def resource_tags(self, arn: str) -> Mapping[str, str] | None:
        """Return the tags of a queue; those of other resources are not looked up yet."""
        parts = arn.split(":", 5)
        queue = self._backend("sqs").queues.get(parts[5]) if len(parts) == 6 and parts[2] == "sqs" else None
        return None if queue is None else dict(queue.tags)

    def _backend(self, service: RegionalService) -> Backend:
        return backend(service, self._account, self._region)


_KEYS_OF: dict[str, Callable[[_MotoLookup, str], str | None]] = {
    "dynamodb": _MotoLookup.table_key,
    "secretsmanager": _MotoLookup.secret_key,
    "sns": _MotoLookup.topic_key,
    "sqs": _MotoLookup.queue_key,
}
