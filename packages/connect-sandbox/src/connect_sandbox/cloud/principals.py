"""Who makes a call: the developer, a role session, a user of this account or another, or an AWS service."""

from __future__ import annotations

import re
import secrets
import threading
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from connect_sandbox.cloud.environment import ADMIN_ACCESS_KEY
from connect_sandbox.cloud.errors import AwsError
from connect_sandbox.cloud.http import HttpRequest
from connect_sandbox.moto_internals import account_of_issued_key, iam, sts

_CREDENTIAL = re.compile(r"Credential=([^/]+)/\d{8}/([^/]+)/([^/]+)/aws4_request")


@dataclass(frozen=True)
class Admin:
    """The developer at the laptop, with every permission in the account."""

    account: str

    @property
    def arn(self) -> str:
        """The account's root, by which policies name somebody with every permission."""
        return f"arn:aws:iam::{self.account}:root"


@dataclass(frozen=True)
class RolePrincipal:
    """A session of an IAM role: a running function, or somebody who assumed the role."""

    role_arn: str
    session_name: str

    @property
    def role_name(self) -> str:
        """The role's name without its path."""
        return self.role_arn.rsplit("/", 1)[-1]

    @property
    def arn(self) -> str:
        """The session's ARN, as CloudTrail shows it."""
        partition, account = self.role_arn.split(":")[1], self.role_arn.split(":")[4]
        return f"arn:{partition}:sts::{account}:assumed-role/{self.role_name}/{self.session_name}"


@dataclass(frozen=True)
class UserPrincipal:
    """An IAM user of this account, with an access key of its own; `arn` includes the user's path."""

    arn: str


@dataclass(frozen=True)
class ServicePrincipal:
    """An AWS service that acts for one resource; the two sources end up in aws:SourceAccount and aws:SourceArn."""

    service: str
    source_account: str = ""
    source_arn: str = ""


@dataclass(frozen=True)
class Outsider:
    """Somebody of another account, such as a vendor's platform, by the ARN of their IAM user there."""

    arn: str


Principal = Admin | RolePrincipal | UserPrincipal | ServicePrincipal | Outsider


@dataclass(frozen=True)
class Credentials:
    """Temporary credentials of a role's session."""

    access_key_id: str
    secret_access_key: str
    session_token: str

    def as_environment(self) -> dict[str, str]:
        """Return them as the environment variables that the SDKs read."""
        return {
            "AWS_ACCESS_KEY_ID": self.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.secret_access_key,
            "AWS_SESSION_TOKEN": self.session_token,
        }


class Principals:
    """Issues credentials for roles, and identifies who signed a request by its access key.

    Signatures are not verified, since only this machine can send requests.
    """

    def __init__(self, account: str, region: str) -> None:
        """`account` is whose developer asks here; `region` is where STS answers."""
        self._account = account
        self._region = region
        self._lock = threading.Lock()
        self._outsiders: dict[str, Outsider] = {}

    def admit(self, user_arn: str) -> tuple[str, str]:
        """Return the access key (id and secret) of an IAM user of another account, which has its own policies."""
        if f"::{self._account}:" in user_arn:
            raise ValueError(f"{user_arn} is in this account {self._account}, so it is not another account's")
        key = f"AKIA{secrets.token_hex(8).upper()}"
        with self._lock:
            self._outsiders[key] = Outsider(user_arn)
        return key, secrets.token_urlsafe(30)

    def issue(self, role_arn: str, session_name: str) -> Credentials:
        """Return credentials for a role session, which moto's STS knows too (GetCallerIdentity works)."""
        with self._lock:
            role: Any = sts(self._account).assume_role(
                region_name=self._region,
                role_session_name=session_name,
                role_arn=role_arn,
                policy="",
                duration=43200,
                external_id="",
            )
        return Credentials(role.access_key_id, role.secret_access_key, role.session_token)

    def identify(self, request: HttpRequest) -> Principal:
        """Return who signed the request; raise the AWS error for an unknown or a missing key."""
        scope = credential_scope(request)
        if scope is None:
            raise AwsError("MissingAuthenticationToken", "Request is missing Authentication Token", 403)
        access_key = scope[0]
        if access_key in {ADMIN_ACCESS_KEY, self._account}:
            return Admin(self._account)
        if access_key in self._outsiders:
            return self._outsiders[access_key]
        account = account_of_issued_key(access_key) or self._account
        role: Any = sts(account).get_assumed_role_from_access_key(access_key)
        if role is not None:
            return RolePrincipal(role.role_arn, role.session_name)
        return self._user(account, access_key)

    def _user(self, account: str, access_key: str) -> UserPrincipal:
        found = find_user_key(account, access_key)
        if found is None:
            raise _invalid_token(
                f"the sandbox knows the access key {ADMIN_ACCESS_KEY!r}, account ids, and the keys of role sessions "
                f"and IAM users, not {access_key!r}"
            )
        user, key = found
        if key.status != "Active":
            raise _invalid_token(f"the access key {access_key!r} of the user {user.name} is {key.status}")
        return UserPrincipal(str(user.arn))


def find_user_key(account: str, access_key: str) -> tuple[Any, Any] | None:
    """Return moto's user and key of an access key id, whatever the key's status; None if no user has such a key."""
    users = list(iam(account).users.values())
    keys = ((user, key) for user in users for key in list(user.access_keys))
    return next(((user, key) for user, key in keys if key.access_key_id == access_key), None)


def _invalid_token(why: str) -> AwsError:
    message = f"The security token included in the request is invalid: {why}"
    return AwsError("InvalidClientTokenId", message, 403)


def credential_scope(request: HttpRequest) -> tuple[str, str, str] | None:
    """Return (access key, region, signing name) of a SigV4 request, from the header or a presigned query."""
    found = _CREDENTIAL.search(request.headers.get("Authorization"))
    if found is None and "X-Amz-Credential=" in request.query_string:
        found = _CREDENTIAL.search(unquote(request.query_string).replace("X-Amz-Credential=", "Credential="))
    return None if found is None else (found[1], found[2], found[3])
