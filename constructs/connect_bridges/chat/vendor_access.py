"""What the vendor needs in the AWS account: permission to join a chat as a participant.

Source: Kore's guide to Amazon Connect Chat (docs/guides.md#chat-4-2-1).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Unpack

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_secretsmanager as secretsmanager

from connect_bridges.contact_center.connect_instance import ConnectInstance
from connect_bridges.shared.acknowledgements import acknowledge, acknowledge_wildcard
from connect_bridges.shared.arguments import check_instance
from connect_bridges.shared.checks import (
    ConstructArgumentError,
    Problems,
    check,
    check_duration,
    check_kind,
    check_texts,
)
from connect_bridges.shared.function_options import FunctionOptions
from connect_bridges.shared.metrics import MetricOptions, counted
from connect_bridges.shared.runtime_function import RuntimeFunction
from connect_bridges.shared.runtime_modules import runtime_module
from connect_bridges.shared.serverless_rules import explain_schedule
from connect_bridges.shared.tokens import comes_later
from constructs import Construct

if TYPE_CHECKING:
    from runtime.chat import limits
else:
    limits = runtime_module("chat.limits")

# Actions on a contact that vendors' connectors are known to call besides CreateParticipant (service authorization
# reference: each takes instance/ID/contact/ID). Everything after CreateParticipant goes through the participant
# API, which knows connection tokens and no IAM.
_ALSO = frozenset(
    {
        "connect:DescribeContact",
        "connect:GetContactAttributes",
        "connect:StopContact",
        "connect:UpdateContactAttributes",
    }
)
_ACCOUNT_OR_PRINCIPAL = re.compile(r"[0-9]{12}|arn:aws[-a-z]*:iam::[0-9]{12}:(?:root|role/\S+|user/\S+)")
_EXTERNAL_ID = re.compile(r"[\w+=,.@:/-]{2,1224}", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class VendorAccess:
    """How the vendor proves who it is: ``VendorAccess.role`` where it can assume one, else ``access_key``."""

    kind: Literal["role", "accessKey"]
    principal: str = ""
    external_id: str = ""
    key_serials: tuple[int, ...] = ()
    rotate_after: cdk.Duration | None = None
    also: tuple[str, ...] = ()

    @classmethod
    def role(cls, principal: str, *, external_id: str, also: Sequence[str] = ()) -> VendorAccess:
        """Let a principal of the vendor's account assume a role: no secret changes hands, and none has to be rotated.

        principal: the vendor's 12-digit account, or better the ARN of the role or user that it calls from.
        external_id: what the vendor chose for you, 2 to 1,224 characters; it keeps its other customers from using
            your role through it.
        also: actions beyond connect:CreateParticipant, from connect:StopContact, connect:UpdateContactAttributes,
            connect:GetContactAttributes and connect:DescribeContact; on chats only, never on calls.
        """
        problems = Problems("VendorAccess.role")
        problems.collect(
            check,
            "principal",
            principal,
            _ACCOUNT_OR_PRINCIPAL,
            "an account or a principal; write the vendor's AWS account as a text of 12 digits, or the ARN of its role "
            "or user",
        )
        problems.collect(
            check,
            "external_id",
            external_id,
            _EXTERNAL_ID,
            "an external id; write the one that the vendor gave you: 2 to 1,224 letters, digits and _+=,.@:/-",
        )
        problems.collect(_checked, also)
        problems.raise_all()
        return cls(kind="role", principal=principal, external_id=external_id, also=_checked(also))

    @classmethod
    def access_key(
        cls,
        *,
        serials: Sequence[int] = (1,),
        rotate_after: cdk.Duration | None = None,
        also: Sequence[str] = (),
    ) -> VendorAccess:
        """Create a user with an access key, for a vendor that takes nothing else.

        Kore's guide to chat asks for one (docs/guides.md#chat-5-4-2).

        The key goes into a secret, and appears in no output. To rotate it without losing a chat: deploy with
        serials (1, 2), which creates a second key and puts it into the secret; give it to the vendor; deploy with
        (2,), which deletes the first one. IAM allows two keys at a time.
        rotate_after: the age at which the alarm calls for that; default 90 days, at least one, at most 3,650.
        """
        limit = cdk.Duration.days(limits.KEY_AGE_DAYS) if rotate_after is None else rotate_after
        problems = Problems("VendorAccess.access_key")
        problems.collect(_check_serials, serials)
        problems.collect(check_duration, "rotate_after", limit, limits.KEY_AGE_DAYS_RANGE, "days")
        problems.collect(_checked, also)
        problems.raise_all()
        return cls(kind="accessKey", key_serials=tuple(serials), rotate_after=limit, also=_checked(also))


class VendorPrincipal(Construct):
    """The role, or the user with its key, that a ``VendorAccess`` describes.

    It may call connect:CreateParticipant on the instance and its contacts; Kore's guide hands out the keys
    of the person who follows it instead (docs/guides.md#chat-4-2-2).
    """

    role: iam.Role | None
    user: iam.User | None
    secret: secretsmanager.Secret | None
    """Holds ``{"accessKeyId", "secretAccessKey"}`` of the newest key."""
    key_age_function: lambda_.Function | None
    """Runs once a day and writes the age of the oldest active key as a metric, since IAM publishes none."""
    policy: iam.Policy
    """What the vendor may do."""

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002
        *,
        instance: ConnectInstance,
        access: VendorAccess,
        encryption_key: kms.IKey | None = None,
        service_name: str | None = None,
        function_options: FunctionOptions | None = None,
    ) -> None:
        """Create the principal.

        encryption_key: for the secret; default is the key that AWS manages.
        service_name: the dimension of the age metric; default is unique per construct.
        function_options: VPC, tracing, memory, logs and so on of the function KeyAge.
        """
        super().__init__(scope, id)
        problems = Problems(self)
        check_instance(problems, self, instance)
        problems.collect(
            check_kind, "access", access, "VendorAccess.role(…) or VendorAccess.access_key()", VendorAccess
        )
        problems.raise_all()
        self.access = access
        self._service_name = service_name or cdk.Names.unique_resource_name(
            self, max_length=64, separator="-"
        )
        self.role = self.user = self.secret = self.key_age_function = None
        if access.kind == "role":
            self.role = self._role()
        else:
            self.user = iam.User(self, "User")
            self.secret = self._secret(self.user, encryption_key)
            self.key_age_function = self._watch(self.user, function_options)
        self.policy = self._policy(instance)

    def metric_key_age(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Age of the oldest active access key in days, written once a day. Raises ``ValueError`` for a role."""
        if self.user is None:
            raise ConstructArgumentError(
                self.node.path,
                [
                    "a role has no access keys, so there is no age of one to measure; use VendorAccess.access_key."
                ],
            )
        merged: MetricOptions = {"statistic": "Maximum", "period": cdk.Duration.days(1), **options}
        return counted("VendorKeyAge", self._service_name, **merged)

    def _role(self) -> iam.Role:
        principal = self.access.principal
        by_arn = comes_later(principal) or principal.startswith("arn:")
        return iam.Role(
            self,
            "Role",
            description="The vendor's bot joins chats with this role.",
            assumed_by=iam.ArnPrincipal(principal) if by_arn else iam.AccountPrincipal(principal),
            external_ids=[self.access.external_id],
            max_session_duration=cdk.Duration.hours(1),
        )

    def _secret(self, user: iam.User, key: kms.IKey | None) -> secretsmanager.Secret:
        keys = [
            iam.AccessKey(self, f"AccessKey{serial}", user=user, serial=serial)
            for serial in self.access.key_serials
        ]
        newest = keys[-1]
        secret = secretsmanager.Secret(
            self,
            "Credentials",
            description="The access key that the vendor's bot joins chats with.",
            secret_object_value={
                "accessKeyId": cdk.SecretValue.unsafe_plain_text(newest.access_key_id),  # an id, no secret
                "secretAccessKey": newest.secret_access_key,
            },
            encryption_key=key,
        )
        acknowledge(
            secret,
            "AwsSolutions-SMG4",
            "The vendor has to be given a new key by hand, so a schedule would cut off its bot. The key is rotated by "
            "serial, with two keys in between, and an alarm on its age calls for it.",
        )
        return secret

    def _watch(self, user: iam.User, options: FunctionOptions | None) -> RuntimeFunction:
        function = RuntimeFunction(
            self,
            "KeyAge",
            module="chat.key_age",
            description="Tells how old the vendor's access keys are.",
            timeout=cdk.Duration.seconds(30),
            environment={"USER_NAME": user.user_name},
            service_name=self._service_name,
            options=options,
        )
        function.add_to_role_policy(
            iam.PolicyStatement(actions=["iam:ListAccessKeys"], resources=[user.user_arn])
        )
        daily = events.Rule(
            self,
            "Daily",
            description="Looks at the age of the vendor's access keys.",
            schedule=events.Schedule.rate(cdk.Duration.days(1)),
            targets=[targets.LambdaFunction(function)],
        )
        explain_schedule(daily)
        return function

    def _policy(self, instance: ConnectInstance) -> iam.Policy:
        # evidence: vendor-needs-create-participant-only
        contacts = f"{instance.instance_arn}/contact/*"
        statements = [
            iam.PolicyStatement(
                actions=["connect:CreateParticipant"], resources=[instance.instance_arn, contacts]
            )
        ]
        if self.access.also:
            # evidence: vendor-actions-on-chats-only
            statements.append(
                iam.PolicyStatement(
                    actions=list(self.access.also),
                    resources=[contacts],
                    conditions={"StringEquals": {"connect:Channel": "CHAT"}},
                )
            )
        policy = iam.Policy(self, "Policy", statements=statements)
        if self.role:
            policy.attach_to_role(self.role)
        if self.user:
            policy.attach_to_user(self.user)
        acknowledge_wildcard(
            policy,
            contacts,
            "The id of a chat is made when the customer opens it; the bot has to join any chat of this instance.",
        )
        return policy


def _check_serials(serials: object) -> None:
    numbers = list(serials) if isinstance(serials, (list, tuple)) else []
    whole = all(isinstance(number, int) and not isinstance(number, bool) for number in numbers)
    if not whole or len(numbers) not in {1, 2} or numbers != sorted(set(numbers)) or numbers[0] < 1:
        raise ValueError(
            f"serials is {serials!r}; write one number, as in (1,), or during a rotation two in ascending order, as in "
            "(1, 2)."
        )


def _checked(actions: Sequence[str]) -> tuple[str, ...]:
    check_texts("also", actions, '["connect:StopContact"]')
    unknown = sorted(set(actions) - _ALSO)
    if unknown:
        raise ValueError(f"also holds {', '.join(unknown)}; choose from {', '.join(sorted(_ALSO))}.")
    return tuple(sorted(set(actions)))
