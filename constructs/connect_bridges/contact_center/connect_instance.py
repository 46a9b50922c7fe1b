"""The Amazon Connect instance that bridges attach to."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import jsii
from aws_cdk import aws_connect as connect
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_kinesisfirehose as firehose
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager

from connect_bridges.contact_center import access, numbers, routing, storage
from connect_bridges.contact_center.instance_options import IdentityManagement
from connect_bridges.contact_center.parts import InstancePart
from connect_bridges.contact_center.storage import InstanceStorage
from connect_bridges.shared.checks import INSTANCE_ARN, Problems, check, check_choice
from connect_bridges.shared.description import describe
from connect_bridges.shared.function_options import FunctionOptions
from connect_bridges.shared.identity_guard import SAID, guard_identity
from connect_bridges.shared.regions import Place
from connect_bridges.shared.tokens import is_token
from constructs import Construct

if TYPE_CHECKING:
    from connect_bridges.contact_center.contact_flow import ContactFlow

_KNOWN = re.compile(
    r"[^:$]+:[^:$]+:[^:$]+:(?P<region>[^:$]+):(?P<account>[0-9]{12}):instance/(?P<id>[0-9a-f-]{36})"
)
"""An instance's ARN without tokens: its parts are read here, since the CDK takes nine trips to Node.js to tell them."""

_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_ROLE = re.compile(
    r"arn:aws[-a-z]*:iam::[0-9]{12}:role/aws-service-role/connect\.amazonaws\.com/AWSServiceRoleForAmazonConnect[\w-]*",
    re.ASCII,
)
_ROLE_IS = (
    "the ARN of an instance's service-linked role; `aws connect describe-instance --instance-id ID --query "
    "Instance.ServiceRole` prints it, it reads "
    "arn:aws:iam::ACCOUNT:role/aws-service-role/connect.amazonaws.com/AWSServiceRoleForAmazonConnect_ID"
)


class ConnectInstance(Construct):
    """An Amazon Connect instance: what flows are published to and which functions those flows may invoke.

    Amazon Connect takes two requests a second per account and Region for most of its control plane, while
    CloudFormation starts everything at once; what this class creates through the Connect API is therefore put in a
    chain of dependencies, one chain for associations and one for flows (each API has a limit of its own).
    Use one ConnectInstance object per instance and stack, so that there is one chain.
    """

    instance_arn: str
    """ARN of the instance."""
    service_role: str | None
    """ARN of the service-linked role that Amazon Connect acts as for the instance; None if nobody has told."""
    identity_management: IdentityManagement | None
    """Where the instance's users are kept; None if nobody has told."""
    _told_id: str | None = None

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002
        *,
        instance_arn: str,
        service_role_arn: str | None = None,
        identity_management: IdentityManagement | None = None,
        instance_id: str | None = None,
    ) -> None:
        """Prefer ``ConnectInstance.from_arn``, which says what it does."""
        super().__init__(scope, id)
        problems = Problems(self)
        problems.collect(check, "instance_arn", instance_arn, INSTANCE_ARN)
        if service_role_arn is not None:
            problems.collect(check, "service_role_arn", service_role_arn, _ROLE, _ROLE_IS)
        if instance_id is not None:
            problems.collect(check, "instance_id", instance_id, _ID, "the UUID at the end of instance_arn")
        problems.collect(
            check_choice, "identity_management", identity_management, (*IdentityManagement, None)
        )
        problems.raise_all()
        self._attach(instance_arn, service_role_arn=service_role_arn, identity_management=identity_management)
        self._told_id = instance_id
        place = Place(self)
        place.check_arn(problems, "instance_arn", instance_arn)
        if service_role_arn is not None:
            place.check_arn(problems, "service_role_arn", service_role_arn)
        place.check_region(problems, region=self.region)
        problems.raise_all()

    def _attach(
        self,
        instance_arn: str,
        *,
        service_role_arn: str | None,
        identity_management: IdentityManagement | None,
    ) -> None:
        """Take what is known of the instance."""
        self.instance_arn = instance_arn
        self.service_role = service_role_arn
        self.identity_management = identity_management
        self._known = _KNOWN.fullmatch(instance_arn)
        self._guarded: set[cdk.Stack] = set()
        self._last_in_chain: dict[tuple[cdk.Stack, str], cdk.CfnResource] = {}
        self._associations: dict[str, connect.CfnIntegrationAssociation] = {}
        self._notes: dict[str, list[Mapping[str, Any]]] = {}
        self._described = False

    @classmethod
    def from_arn(
        cls,
        scope: Construct,
        id: str,  # noqa: A002
        instance_arn: str,
        *,
        service_role_arn: str | None = None,
        identity_management: IdentityManagement | None = None,
        instance_id: str | None = None,
    ) -> ConnectInstance:
        """Import an instance that exists.

        instance_arn: ``arn:aws:connect:REGION:ACCOUNT:instance/UUID``, or a token that becomes one.
        service_role_arn: of the instance's service-linked role, which a stream with a key of its own needs.
        identity_management: where its users are kept, which ``add_user`` needs.
        instance_id: the UUID at the ARN's end, for an ARN that is an output of another stack (Fn::GetStackOutput) of
            the same account. By default id and account are cut out of the ARN with Fn::Split, which does not take such
            outputs everywhere.
        Raises ``ConstructArgumentError``, a ``ValueError``, if it is neither, if it is of another Region or account
        than the stack, or if its Region has no Amazon Connect.
        """
        return ConnectInstance(
            scope,
            id,
            instance_arn=instance_arn,
            service_role_arn=service_role_arn,
            identity_management=identity_management,
            instance_id=instance_id,
        )

    @cached_property
    def instance_id(self) -> str:
        """The UUID at the end of the instance's ARN."""
        if self._known:
            return self._known["id"]
        if self._told_id is not None:
            return self._told_id
        if not is_token(self.instance_arn):  # a lookup that has yet to run; the CDK cannot take it apart
            return self.instance_arn
        return self._part().resource_name or ""

    @cached_property
    def account(self) -> str:
        """The account that owns the instance."""
        if self._known:
            return self._known["account"]
        if not is_token(self.instance_arn) or self._told_id is not None:
            return cdk.Stack.of(self).account
        return self._part().account or ""

    @cached_property
    def region(self) -> str | None:
        """The Region in the instance's ARN; None if that is known at deployment only."""
        return self._known["region"] if self._known else None

    def associate_function(self, function: lambda_.IFunction) -> connect.CfnIntegrationAssociation:
        """Let flows of this instance, and of no other, invoke a function; asking twice is asking once.

        Creates the association that lists the function in the flow designer, and a statement in the function's
        resource policy for connect.amazonaws.com, limited by aws:SourceAccount and aws:SourceArn. An instance holds
        50 function associations (quota L-E3D2F503). Let a flow that invokes the function depend on what this returns.
        """
        known = self._associations.get(function.node.path)
        if known is not None:
            return known
        # Below the function, so that it exists once a function; named for the instance, since there may be two.
        scope = Construct(function, f"ConnectAccess{self.node.addr[-8:]}")  # type: ignore[arg-type]
        # evidence: association-allows-invocation
        permission = lambda_.CfnPermission(
            scope,
            "Permission",
            action="lambda:InvokeFunction",
            function_name=function.function_arn,
            principal="connect.amazonaws.com",
            source_account=self.account,
            source_arn=self.instance_arn,
        )
        # evidence: association-takes-instance-arn
        association = connect.CfnIntegrationAssociation(
            scope,
            "Association",
            instance_id=self.instance_arn,  # the property is called InstanceId and takes the ARN
            integration_type="LAMBDA_FUNCTION",
            integration_arn=function.function_arn,
        )
        # Tags of this integration type are new in CloudFormation, and nobody was seen to deploy them.
        association.add_property_deletion_override("Tags")
        association.node.add_dependency(permission)
        self.chain("associations", association)
        self._associations[function.node.path] = association
        return association

    def chain(self, api: str, resource: cdk.CfnResource) -> None:
        """Create ``resource`` only after the one chained before it in the same stack, to respect Connect's rate limit.

        api: which of Connect's APIs creates it, such as ``flows``; each has its own limit and its own chain.
        """
        stack = cdk.Stack.of(resource)
        self._guard_place(stack)
        key = (stack, api)
        # evidence: control-plane-rate, flows-deleted-before-association
        before = self._last_in_chain.get(key)
        if before is not None:
            resource.node.add_dependency(before)
        self._last_in_chain[key] = resource

    def _guard_place(self, stack: cdk.Stack) -> None:
        """Refuse a deployment that would move to another instance what a stack has put into this one."""
        if self._known is None or stack in self._guarded:
            return
        self._guarded.add(stack)
        own = cdk.Stack.of(self) == stack
        # evidence: instance-arn-in-rollback
        guard_identity(
            self if own else Construct(stack, f"{self.node.id}{self.node.addr[-8:]}"),
            parameter="Identity",
            rule="InstanceStays",
            identity=self.instance_arn,
            written=f"The instance {self.node.path}",
            refusal=(
                f"{self.node.path}: the instance would become {self.instance_arn}, which nothing in it can move to: "
                "CloudFormation moves no flow, queue or user to another instance, and a number that moves loses its "
                "flow. Set the instance back, or put what the other instance is to have into a new stack. The "
                f"stack's parameter can be set with {SAID}, should it be wrong."
            ),
        )

    def grant(self, grantee: iam.IGrantable, *actions: str) -> iam.Grant:
        """Grant actions on this instance itself, such as ``connect:StartContactStreaming``."""
        return iam.Grant.add_to_principal(
            grantee=grantee, actions=list(actions), resource_arns=[self.instance_arn]
        )

    def add_call_recordings(
        self,
        *,
        bucket: s3.IBucket | None = None,
        prefix: str = "CallRecordings",
        encryption_key: kms.IKey | None = None,
        expire_after: cdk.Duration | None = None,
    ) -> InstanceStorage:
        """Keep recordings of calls in a bucket; a flow has to ask for the recording.

        bucket: default is a new one: TLS only, nothing public, versions, access log, encrypted with a key, kept when
            the stack is deleted. Amazon Connect gives itself the rights on one of yours, which must not deny them.
        prefix: what keys begin with. encryption_key: default is one key for everything that this instance stores;
            the default encryption of a bucket of yours. A symmetric key; who deploys must be allowed kms:CreateGrant.
        expire_after: whole days, 1 to 36,500; default: objects of a new bucket are kept for ever, as old versions are
            for 30 days.
        An instance that was made in the console has an association of this type already, which the app cannot see:
        remove that one first (Data storage), or the deployment fails with "already exists".
        Raises ``ConstructArgumentError``, also for a second association of the type.
        """
        return storage.add_bucket(
            self,
            "CALL_RECORDINGS",
            "CallRecordings",
            bucket=bucket,
            prefix=prefix,
            encryption_key=encryption_key,
            expire_after=expire_after,
        )

    def add_chat_transcripts(
        self,
        *,
        bucket: s3.IBucket | None = None,
        prefix: str = "ChatTranscripts",
        encryption_key: kms.IKey | None = None,
        expire_after: cdk.Duration | None = None,
    ) -> InstanceStorage:
        """Keep transcripts of chats in a bucket; arguments and errors as for ``add_call_recordings``."""
        return storage.add_bucket(
            self,
            "CHAT_TRANSCRIPTS",
            "ChatTranscripts",
            bucket=bucket,
            prefix=prefix,
            encryption_key=encryption_key,
            expire_after=expire_after,
        )

    def add_reports(
        self,
        *,
        bucket: s3.IBucket | None = None,
        prefix: str = "Reports",
        encryption_key: kms.IKey | None = None,
        expire_after: cdk.Duration | None = None,
    ) -> InstanceStorage:
        """Keep exported and scheduled reports in a bucket; arguments and errors as for ``add_call_recordings``."""
        return storage.add_bucket(
            self,
            "SCHEDULED_REPORTS",
            "Reports",
            bucket=bucket,
            prefix=prefix,
            encryption_key=encryption_key,
            expire_after=expire_after,
        )

    def add_contact_records_stream(
        self,
        *,
        stream: kinesis.IStream | firehose.IDeliveryStream | None = None,
        encryption_key: kms.IKey | None = None,
        retention: cdk.Duration | None = None,
    ) -> InstanceStorage:
        """Put a record of every contact into a stream as it ends.

        stream: a Kinesis data stream or a Firehose stream; default is a new data stream, on demand, encrypted, kept
            when the stack is deleted.
        encryption_key: of a new stream; default is the key of everything that this instance stores. The key's policy
            is extended by the instance's service-linked role, which of an imported instance has to be given to
            ``from_arn``; for an imported key a warning says what to add.
        retention: of a new stream, whole days, 1 to 365; default 7.
        Raises ``ConstructArgumentError``, also for a second association of the type.
        """
        return storage.add_stream(
            self,
            "CONTACT_TRACE_RECORDS",
            "ContactRecords",
            stream=stream,
            encryption_key=encryption_key,
            retention=retention,
            firehose=True,
        )

    def add_contact_records_bucket(
        self,
        *,
        bucket: s3.IBucket | None = None,
        prefix: str = "ContactRecords",
        encryption_key: kms.IKey | None = None,
        expire_after: cdk.Duration | None = None,
    ) -> InstanceStorage:
        """Put a record of every contact through a new Firehose stream into a bucket, some minutes after it ends.

        Firehose collects records for five minutes or up to 5 MiB, and names objects by the time in UTC, as
        ``ContactRecords/2026/11/21/12/…``. Arguments and errors as for ``add_call_recordings``; an instance has this
        or ``add_contact_records_stream``, since both are its one association for contact records. Agent events have no
        such way: Amazon Connect puts those into Kinesis data streams alone.
        """
        return storage.add_delivery(
            self,
            "CONTACT_TRACE_RECORDS",
            "ContactRecords",
            bucket=bucket,
            prefix=prefix,
            encryption_key=encryption_key,
            expire_after=expire_after,
        )

    def add_agent_events_stream(
        self,
        *,
        stream: kinesis.IStream | None = None,
        encryption_key: kms.IKey | None = None,
        retention: cdk.Duration | None = None,
    ) -> InstanceStorage:
        """Put what agents do (log in, change status, take a contact) into a Kinesis data stream, the only kind allowed.

        Arguments and errors as for ``add_contact_records_stream``.
        """
        return storage.add_stream(
            self,
            "AGENT_EVENTS",
            "AgentEvents",
            stream=stream,
            encryption_key=encryption_key,
            retention=retention,
            firehose=False,
        )

    def add_live_media_streaming(
        self,
        *,
        prefix: str,
        retention: cdk.Duration = cdk.Duration.hours(24),  # noqa: B008 (immutable)
        encryption_key: kms.IKey | None = None,
    ) -> InstanceStorage:
        """Let flows stream what callers say into Kinesis Video Streams, which Amazon Connect makes as it needs them.

        prefix: of the streams' names, 1 to 128 letters, digits, ``_``, ``.`` and ``-``. retention: whole hours, 0 to
        87,600 (ten years); 0 keeps nothing, so that only who listens at that moment hears it. encryption_key: default
        is the key of everything that this instance stores. The video streams stay when the stack is deleted.
        Raises ``ConstructArgumentError``, also for a second association of the type.
        """
        return storage.add_media(self, prefix=prefix, retention=retention, encryption_key=encryption_key)

    def allow_origin(self, origin: str) -> connect.CfnApprovedOrigin:
        """Let pages of a site embed the agents' workspace, such as a CRM's; asking twice is asking once.

        origin: ``https://`` and a host, without path, compared exactly: name each host of a CRM. An instance has 100
        at most. Another origin is another resource; taking one out of the app takes it out of the instance. For an
        application that shows *inside* the workspace use ``add_application``.
        """
        return access.allow_origin(self, origin)

    def add_security_key(self, public_key: str) -> connect.CfnSecurityKey:
        """Add a public key with which flows encrypt what callers enter, such as a card's number.

        public_key: PEM that begins with -----BEGIN PUBLIC KEY-----, at most 1,024 characters, which is enough for RSA
        with 4,096 bits. The result's ``attr_association_id`` is the key's id for the flow's block. An instance has two
        keys at most, which is what a rotation takes: docs/instance/security-keys.md. A key is never changed in place;
        another key is another resource.
        """
        return access.add_security_key(self, public_key)

    def add_lex_bot(self, alias_arn: str) -> connect.CfnIntegrationAssociation:
        """Let flows of this instance talk to a bot of Amazon Lex; asking twice is asking once.

        alias_arn: of a Lex V2 bot's alias, ``arn:aws:lex:REGION:ACCOUNT:bot-alias/BOT/ALIAS``; a Lex V1 bot by its
        ARN, with a warning, since AWS has ended Lex V1. Let a flow that uses the bot depend on what this returns.
        """
        return access.add_lex_bot(self, alias_arn)

    def add_application(
        self,
        id: str,  # noqa: A002
        *,
        url: str,
        name: str | None = None,
        namespace: str | None = None,
        description: str | None = None,
        origins: Sequence[str] = (),
        permissions: Sequence[str] = (),
    ) -> access.InstanceApplication:
        """Offer a third-party application in the agents' workspace: agent assist, a CRM.

        url: where it is, https only; its Content-Security-Policy has to name ``https://ALIAS.my.connect.aws`` in
        frame-ancestors. name: what agents see; default is the id. namespace: unique in the account and Region, and it
        can never be changed; default is made of the stack's name and the construct's path.
        origins: of the pages that it opens besides; default is that of url. permissions: what it may ask of the
        workspace, such as ``User.Details.View``. A security profile has to allow it before anybody sees it
        (Applications); an account has 50 a Region.
        """
        return access.add_application(
            self,
            id,
            url=url,
            name=name,
            namespace=namespace,
            description=description,
            origins=origins,
            permissions=permissions,
        )

    def add_hours(
        self,
        id: str,  # noqa: A002
        *,
        time_zone: str,
        hours: Sequence[routing.OpeningHours],
        name: str | None = None,
        description: str | None = None,
    ) -> InstancePart:
        """Add hours of operation.

        time_zone: of the IANA database, such as ``America/New_York``. hours: at most 100, such as
        ``OpeningHours.weekdays("09:00", "17:00")``. name: unique in the instance, 1 to 127 characters; default is the
        id. All of it changes in place.
        """
        return routing.add_hours(
            self, id, time_zone=time_zone, hours=hours, name=name, description=description
        )

    def add_queue(
        self,
        id: str,  # noqa: A002
        *,
        hours: InstancePart | str,
        name: str | None = None,
        description: str | None = None,
        max_contacts: int | None = None,
        caller_id_name: str | None = None,
        caller_id_number: InstancePart | str | None = None,
        whisper_flow: ContactFlow | str | None = None,
    ) -> InstancePart:
        """Add a queue.

        hours: what ``add_hours`` returned, or an ARN. name: unique in the instance, 1 to 127 characters that metrics
        can show; default is the id. max_contacts: how many may wait; default is the instance's own limit.
        caller_id_name, caller_id_number (what ``claim_number`` returned, or an ARN), whisper_flow: for calls out of
        the queue. All of it changes in place; metrics are by name, so alarms have to follow another name.
        """
        return routing.add_queue(
            self,
            id,
            hours=hours,
            name=name,
            description=description,
            max_contacts=max_contacts,
            caller_id_name=caller_id_name,
            caller_id_number=caller_id_number,
            whisper_flow=whisper_flow,
        )

    def add_routing_profile(
        self,
        id: str,  # noqa: A002
        *,
        queues: Sequence[InstancePart | str],
        outbound_queue: InstancePart | str | None = None,
        channels: Mapping[str, int] | None = None,
        name: str | None = None,
        description: str | None = None,
    ) -> InstancePart:
        """Add a routing profile: which queues agents serve, and how many contacts at a time.

        queues: the most urgent first; queues times channels at most 50. outbound_queue: for calls out; default is the
        first. channels: contacts at a time by VOICE (1), CHAT, TASK and EMAIL (1 to 10); default one call and two
        chats. All of it changes in place.
        """
        return routing.add_routing_profile(
            self,
            id,
            queues=queues,
            outbound_queue=outbound_queue,
            channels=channels if channels is not None else {"VOICE": 1, "CHAT": 2},
            name=name,
            description=description,
        )

    def add_quick_connect(
        self,
        id: str,  # noqa: A002
        *,
        phone_number: str | None = None,
        queue: InstancePart | str | None = None,
        user: InstancePart | str | None = None,
        flow: ContactFlow | str | None = None,
        name: str | None = None,
        description: str | None = None,
    ) -> InstancePart:
        """Add a destination to which agents transfer: a number (E.164), a queue or user through a flow, or a flow.

        flow: of the type QUEUE_TRANSFER for a queue, AGENT_TRANSFER for a user. Agents see it once a queue of theirs
        names it: ``CfnQueue.quick_connect_arns``, in the queue's ``resource``. All of it changes in place.
        """
        return routing.add_quick_connect(
            self,
            id,
            phone_number=phone_number,
            queue=queue,
            user=user,
            flow=flow,
            name=name,
            description=description,
        )

    def add_security_profile(
        self,
        id: str,  # noqa: A002
        *,
        permissions: Sequence[str],
        name: str | None = None,
        description: str | None = None,
    ) -> InstancePart:
        """Add a security profile: what its users may do in Amazon Connect's pages.

        permissions: as the administrator guide lists them, such as ``BasicAgentAccess``. name: letters, digits, space
        ``_ @ -``; default is the id. Another name is another profile; what it permits changes in place.
        """
        return routing.add_security_profile(
            self, id, permissions=permissions, name=name, description=description
        )

    def add_user(
        self,
        id: str,  # noqa: A002
        *,
        username: str,
        routing_profile: InstancePart | str,
        security_profiles: Sequence[InstancePart | str],
        first_name: str | None = None,
        last_name: str | None = None,
        email: str | None = None,
        directory_user_id: str | None = None,
        password_secret: secretsmanager.ISecret | None = None,
    ) -> routing.InstanceUser:
        """Add a user, who takes calls in the browser.

        username: 1 to 64 characters, as the identity provider sends it with SAML; it cannot be changed: a rule in
        the template refuses another one, so give a new id with a new username. Names are needed where Amazon Connect
        keeps the users. directory_user_id: with EXISTING_DIRECTORY.
        password_secret: where Amazon Connect keeps the users, the first password; default is a new secret with a
        generated one, and no template has it. Do not rotate the secret: CloudFormation cannot change a password.
        Of an imported instance ``from_arn`` has to be told the identity management.
        """
        return routing.add_user(
            self,
            id,
            username=username,
            routing_profile=routing_profile,
            security_profiles=security_profiles,
            first_name=first_name,
            last_name=last_name,
            email=email,
            directory_user_id=directory_user_id,
            password_secret=password_secret,
        )

    def claim_number(
        self,
        id: str,  # noqa: A002
        *,
        country_code: str,
        number_type: str = "DID",
        prefix: str | None = None,
        description: str | None = None,
        flow: ContactFlow | str | None = None,
        removal_policy: cdk.RemovalPolicy = cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
        function_options: FunctionOptions | None = None,
    ) -> InstancePart:
        """Claim a telephone number, whichever is free; the result's ``name`` is the number.

        country_code: of ISO 3166-1, such as US; many countries ask for documents first. number_type: DID, TOLL_FREE
        and others that AWS names. prefix: what it begins with, such as +1206. Type, country and prefix cannot be
        changed: a rule in the template refuses a deployment that would claim another number; give that an id of its
        own, for which the quota needs room (L-8F812903).
        flow: what answers it, as in ``answer``, which also takes function_options.
        removal_policy: default is to keep the number with its instance when the stack is deleted.
        DESTROY releases it: for up to 180 days nobody can claim it again, and claims and releases together use up an
        allowance of twice the quota in those days. Never claim numbers in a test that deploys and destroys.
        """
        number = numbers.claim_number(
            self,
            id,
            country_code=country_code,
            number_type=number_type,
            prefix=prefix,
            description=description,
            removal_policy=removal_policy,
        )
        if flow is not None:
            self.answer(id, number, flow, function_options=function_options)
        return number

    def answer(
        self,
        id: str,  # noqa: A002
        number: InstancePart | str,
        flow: ContactFlow | str,
        *,
        function_options: FunctionOptions | None = None,
    ) -> cdk.CustomResource:
        """Let a flow answer a telephone number: what ``claim_number`` returned, or the ARN of one that exists.

        Another flow takes over in place, and callers notice nothing. When this goes from the app, the number has no
        flow and its callers hear an error; only then can the flow be deleted.
        function_options: VPC, tracing, memory, logs of the function behind it, Function, which all numbers of the
        instance share; those of the first number count.
        """
        return numbers.answer(self, id, number, flow, function_options=function_options)

    def note(self, fact: str, value: Mapping[str, Any]) -> None:
        """Tell of something that was added, in what the construct tells of itself; see shared/description.py."""
        if not self._described:
            self._describe("ConnectInstance", {})
        self._notes.setdefault(fact, []).append(value)

    def _describe(self, kind: str, facts: Mapping[str, Any]) -> None:
        self._described = True
        parts = {
            fact: cdk.Lazy.any(_Noted(self._notes, fact))
            for fact in ("storage", "queues", "numbers", "origins")
        }
        describe(self, kind, {"instanceArn": self.instance_arn, **facts, **parts})

    def _part(self) -> cdk.ArnComponents:
        return cdk.Stack.of(self).split_arn(self.instance_arn, cdk.ArnFormat.SLASH_RESOURCE_NAME)


@jsii.implements(cdk.IStableAnyProducer)
class _Noted:
    """What was added to an instance, at the end of synthesis."""

    def __init__(self, notes: Mapping[str, list[Mapping[str, Any]]], fact: str) -> None:
        self._notes, self._fact = notes, fact

    def produce(self) -> Any:  # noqa: ANN401 (jsii's own signature)
        return self._notes.get(self._fact)
