"""Amazon Connect instances that are created and deleted, with their attributes and limits.

Sources: API reference, CreateInstance; administrator guide, "Create an instance", "Feature limits", "Service-linked
roles"; the CloudFormation handler in aws-cloudformation/aws-cloudformation-resource-providers-connect.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import secrets
import threading
import uuid
from collections.abc import Callable, Mapping
from typing import Final

from connect_sandbox.cloud.cfn.resource import Clients
from connect_sandbox.cloud.connect_state import CONNECT, ConnectState, Instance
from connect_sandbox.cloud.contact_center.calendar import Calendar
from connect_sandbox.cloud.contact_center.defaults import fill
from connect_sandbox.cloud.errors import AwsError
from connect_sandbox.cloud.http import HttpRequest, HttpResponse
from connect_sandbox.cloud.quotas import INSTANCES, Quotas

#: Attributes by their name in CloudFormation.
ATTRIBUTES: Final[dict[str, str]] = {
    "InboundCalls": "INBOUND_CALLS",
    "OutboundCalls": "OUTBOUND_CALLS",
    "ContactflowLogs": "CONTACTFLOW_LOGS",
    "ContactLens": "CONTACT_LENS",
    "AutoResolveBestVoices": "AUTO_RESOLVE_BEST_VOICES",
    "UseCustomTTSVoices": "USE_CUSTOM_TTS_VOICES",
    "EarlyMedia": "EARLY_MEDIA",
    "MultiPartyConference": "MULTI_PARTY_CONFERENCE",
    "AutoMuteAgentOnHold": "AUTO_MUTE_AGENT_ON_HOLD",
    "HighVolumeOutBound": "HIGH_VOLUME_OUTBOUND",
    "EnhancedContactMonitoring": "ENHANCED_CONTACT_MONITORING",
    "EnhancedChatMonitoring": "ENHANCED_CHAT_MONITORING",
    "MultiPartyChatConference": "MULTI_PARTY_CHAT_CONFERENCE",
    "MessageStreaming": "MESSAGE_STREAMING",
}
#: What is on in a new instance although nobody asked for it (administrator guide, "Create an instance").
ON_AT_FIRST: Final = frozenset({"EARLY_MEDIA"})
#: Creations and deletions together, in so many days (administrator guide, "Feature limits").
CREATIONS_AND_DELETIONS: Final = 100
WINDOW: Final = dt.timedelta(days=30)

_ALIAS = re.compile(r"^(?!d-)([\da-zA-Z]+)([-]*[\da-zA-Z])*$")
_LONGEST_ALIAS = 45
_SITE = ".my.connect.aws"
_MANAGED_POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": "connect:*", "Resource": "*"},
        {
            "Effect": "Allow",
            "Action": ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
            "Resource": "arn:aws:logs:*:*:log-group:/aws/connect/*:*",
        },
        {
            "Effect": "Allow",
            "Action": [
                "s3:GetObject",
                "s3:GetObjectAcl",
                "s3:PutObject",
                "s3:PutObjectAcl",
                "s3:DeleteObject",
            ],
            "Resource": "arn:aws:s3:::amazon-connect-*/*",
        },
        {
            "Effect": "Allow",
            "Action": "cloudwatch:PutMetricData",
            "Resource": "*",
            "Condition": {"StringEquals": {"cloudwatch:namespace": "AWS/Connect"}},
        },
    ],
}


class Instances:
    """Creates and deletes instances, sets their attributes, and makes their service-linked roles.

    Attribute: `taken_elsewhere`, the aliases that another customer of AWS has, in lower case.
    """

    def __init__(self, state: ConnectState, quotas: Quotas, clients: Clients, calendar: Calendar) -> None:
        """`clients` make the role and the log group."""
        self._state = state
        self._quotas = quotas
        self._clients = clients
        self._calendar = calendar
        self._lock = threading.RLock()
        self._history: list[dt.datetime] = []
        self._on_delete: list[Callable[[Instance], None]] = []
        self.taken_elsewhere: set[str] = set()

    def when_deleted(self, tell: Callable[[Instance], None]) -> None:
        """Call `tell` with each instance just before it is gone."""
        self._on_delete.append(tell)

    def say_taken(self, *aliases: str) -> None:
        """Let other customers have these aliases: they are unique in the world."""
        self.taken_elsewhere |= {alias.lower() for alias in aliases}

    def aliases(self) -> set[str]:
        """Return the aliases of the instances here, in lower case."""
        return {each.alias.lower() for each in self._state.instances()}

    def site(self, request: HttpRequest) -> HttpResponse | None:
        """Answer for ALIAS.my.connect.aws: on to the login if anybody has the alias; None for any other host."""
        alias, found, _ = request.host.partition(_SITE)
        if not found:
            return None
        if alias.lower() in self.taken_elsewhere | self.aliases():
            return HttpResponse(302, [("Location", f"https://{alias}{_SITE}/connect/login")])
        return HttpResponse(404)

    def create(
        self,
        identity: str,
        *,
        alias: str | None = None,
        directory_id: str | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> Instance:
        """Create an instance, active at once, with what a new one holds.

        Raises InvalidRequestException for a wrong or taken alias, ServiceQuotaExceededException past the limits.
        """
        with self._lock:
            self._check_identity(identity, alias, directory_id)
            self._check_limits()
            region, account = self._place()
            instance_id = str(uuid.uuid4())
            instance = Instance(
                arn=f"arn:aws:connect:{region}:{account}:instance/{instance_id}",
                id=instance_id,
                alias=alias or str(directory_id),
                attributes=set(ON_AT_FIRST),
                created=True,
                identity=identity,
                directory_id=directory_id,
                created_at=self._calendar.now(),
                tags=dict(tags or {}),
            )
            self._history.append(self._calendar.now())
            fill(instance)
            self._state.add(instance)
            self.service_role(instance)
        return instance

    def set_attributes(self, instance: Instance, values: Mapping[str, bool]) -> None:
        """Switch attributes on or off, by the API's names; flow logs make their log group."""
        for name, on in values.items():
            if on:
                instance.attributes.add(name)
            else:
                instance.attributes.discard(name)
        if values.get("CONTACTFLOW_LOGS"):
            self._make_log_group(f"/aws/connect/{instance.alias}")

    def delete(self, instance_id: str) -> None:
        """Delete an instance and all that it holds; its numbers go back to the pool. The log group stays."""
        with self._lock:
            instance = self._state.instance(instance_id)
            self._check_limits(creating=False)
            for tell in self._on_delete:
                tell(instance)
            self._state.say_absent(instance.id)
            self._history.append(self._calendar.now())

    def service_role(self, instance: Instance) -> str:
        """Return the ARN of the role that Connect acts as for an instance; it is made when first needed."""
        with self._lock:
            if not instance.service_role:
                iam = self._clients("iam")
                name = f"AWSServiceRoleForAmazonConnect_{secrets.token_hex(10)}"
                trust = {
                    "Version": "2012-10-17",
                    "Statement": [
                        {"Effect": "Allow", "Principal": {"Service": CONNECT}, "Action": "sts:AssumeRole"}
                    ],
                }
                role = iam.create_role(
                    RoleName=name,
                    Path=f"/aws-service-role/{CONNECT}/",
                    AssumeRolePolicyDocument=json.dumps(trust),
                )["Role"]
                iam.put_role_policy(
                    RoleName=name,
                    PolicyName="AmazonConnectServiceLinkedRolePolicy",
                    PolicyDocument=json.dumps(_MANAGED_POLICY),
                )
                instance.service_role = str(role["Arn"])
            return instance.service_role

    def _check_identity(self, identity: str, alias: str | None, directory_id: str | None) -> None:
        refused, needed = ("DirectoryId", "InstanceAlias")
        given = {"DirectoryId": directory_id, "InstanceAlias": alias}
        if identity == "EXISTING_DIRECTORY":
            refused, needed = needed, refused
        if given[refused]:
            raise AwsError("InvalidRequestException", f"Invalid Parameter {refused} for type {identity}")
        if not given[needed]:
            message = f"Required parameter missing {needed} for type {identity}"
            raise AwsError("InvalidRequestException", message)
        others = [each for each in self._state.instances() if each.created]
        if directory_id and any(each.directory_id == directory_id for each in others):
            raise AwsError("InvalidRequestException", f"The directory {directory_id} serves another instance")
        if alias is None:
            return
        if len(alias) > _LONGEST_ALIAS or not _ALIAS.match(alias):
            message = (
                f"InstanceAlias {alias!r}: use 1 to {_LONGEST_ALIAS} letters, digits and hyphens, with a letter or "
                "digit first and last, and not d- first"
            )
            raise AwsError("InvalidRequestException", message)
        others += [each for state in self._state.elsewhere() for each in state.instances() if each.created]
        if alias.lower() in self.taken_elsewhere | {each.alias.lower() for each in others}:
            # Reported in hashicorp/terraform-provider-aws#38115.
            raise AwsError("InvalidRequestException", "Invalid Input. Instance alias is already used.")

    def _check_limits(self, *, creating: bool = True) -> None:
        start = self._calendar.now() - WINDOW
        if len([each for each in self._history if each > start]) >= CREATIONS_AND_DELETIONS:
            message = (
                "Your account has been flagged for an excessive number of creation and deletion attempts"
                f" [sandbox: {CREATIONS_AND_DELETIONS} in {WINDOW.days} days]"
            )
            raise AwsError("ServiceQuotaExceededException", message, 402)
        there = len([each for each in self._state.instances() if each.created])
        quota = int(self._quotas.value(INSTANCES))
        if creating and there >= quota:
            message = f"You have reached the limit of {quota} Amazon Connect instances in this Region"
            raise AwsError("ServiceQuotaExceededException", message, 402)

    def _place(self) -> tuple[str, str]:
        return self._state.region, self._state.account

    def _make_log_group(self, name: str) -> None:
        logs = self._clients("logs")
        try:
            logs.create_log_group(logGroupName=name)
        except logs.exceptions.ResourceAlreadyExistsException:
            return
