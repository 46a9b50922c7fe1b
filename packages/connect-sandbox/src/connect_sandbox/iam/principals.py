"""Who makes a request: a role's session, a user, or an AWS service."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from connect_sandbox.iam.request_context import RequestContext

if TYPE_CHECKING:
    from collections.abc import Mapping

_ROLE: Final = re.compile(r"arn:([\w-]+):iam::(\d{12}):role/((?:[^:]*/)?)([^/:]+)")
_SESSION: Final = re.compile(r"arn:([\w-]+):sts::(\d{12}):assumed-role/([^/:]+)/([^/:]+)")
_USER: Final = re.compile(r"arn:([\w-]+):iam::(\d{12}):user/((?:[^:]*/)?)([^/:]+)")
_SERVICE: Final = re.compile(r"[a-z0-9.-]+\.amazonaws\.com(?:\.cn)?")


class PrincipalKind(StrEnum):
    """The kinds of principal."""

    ROLE_SESSION = "role-session"
    USER = "user"
    SERVICE = "service"


@dataclass(frozen=True)
class Principal:
    """Whoever makes a request.

    ``arn`` is what CloudTrail and error messages show (a session's, not its role's); ``entity_arn`` is the role or
    user whose policies apply (aws:PrincipalArn). For a service both are its name (connect.amazonaws.com). ``tags`` are
    None if they are unknown, as those of a session are, which may carry tags beside its role's.
    """

    kind: PrincipalKind
    arn: str
    entity_arn: str
    account: str
    partition: str = "aws"
    tags: tuple[tuple[str, str], ...] | None = None

    @classmethod
    def role_session(cls, role_arn: str, session_name: str) -> Principal:
        """Return the session of a Lambda function or another caller of AssumeRole."""
        found = _ROLE.fullmatch(role_arn)
        if found is None:
            raise ValueError(f"{role_arn!r} is not a role ARN; write arn:aws:iam::123456789012:role/NAME")
        partition, account, _path, name = found.groups()
        arn = f"arn:{partition}:sts::{account}:assumed-role/{name}/{session_name}"
        return cls(PrincipalKind.ROLE_SESSION, arn, role_arn, account, partition)

    @classmethod
    def user(cls, user_arn: str, tags: Mapping[str, str] | None = None) -> Principal:
        """Return an IAM user, with its tags where they are known."""
        found = _USER.fullmatch(user_arn)
        if found is None:
            raise ValueError(f"{user_arn!r} is not a user ARN; write arn:aws:iam::123456789012:user/NAME")
        known = None if tags is None else tuple(sorted(tags.items()))
        return cls(PrincipalKind.USER, user_arn, user_arn, found.group(2), found.group(1), known)

    @classmethod
    def service(cls, name: str) -> Principal:
        """Return an AWS service acting for itself, as connect.amazonaws.com when it invokes a function."""
        if _SERVICE.fullmatch(name) is None:
            raise ValueError(f"{name!r} is not a service principal; write for example connect.amazonaws.com")
        return cls(PrincipalKind.SERVICE, name, name, "")

    @property
    def role_name(self) -> str | None:
        """The role's name, or None for a user or a service."""
        return self.entity_arn.rsplit("/", 1)[-1] if self.kind is PrincipalKind.ROLE_SESSION else None

    @property
    def account_arn(self) -> str:
        """The account's principal, …:root, by which a resource policy delegates to the account's policies."""
        return f"arn:{self.partition}:iam::{self.account}:root"

    def context(self) -> RequestContext:
        """Return the condition keys of the principal (AWS IAM User Guide, "Global condition keys")."""
        is_service = self.kind is PrincipalKind.SERVICE
        session = self.kind is PrincipalKind.ROLE_SESSION
        values = {
            "aws:PrincipalIsAWSService": "true" if is_service else "false",
            "aws:PrincipalServiceName": self.arn if is_service else None,
            "aws:PrincipalArn": None if is_service else self.entity_arn,
            "aws:PrincipalAccount": None if is_service else self.account,
            "aws:PrincipalType": None if is_service else ("AssumedRole" if session else "User"),
            "aws:username": self.arn.rsplit("/", 1)[-1] if self.kind is PrincipalKind.USER else None,
        }
        # Like the sandbox's, an account outside AWS Organizations has no organization keys.
        absent = ["aws:PrincipalOrgID", "aws:PrincipalOrgPaths", "aws:FederatedProvider"]
        if self.kind is PrincipalKind.USER:
            # Only temporary credentials carry these, not a user's access key.
            absent += ["aws:MultiFactorAuthPresent", "aws:TokenIssueTime"]
        if self.tags is not None:
            absent.append("aws:PrincipalTag/*")
            values |= {f"aws:PrincipalTag/{key}": value for key, value in self.tags}
        return RequestContext.of(values, absent)
