"""What an environment keeps in the instance that it creates: storage, access, hours, queues, profiles, users."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_kinesisfirehose as firehose
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager
from connect_bridges.contact_center.instance_options import IdentityManagement
from connect_bridges.contact_center.parts import InstancePart
from connect_bridges.contact_center.routing import OpeningHours

from constructs import Construct

from .instance_settings import BucketSettings, HoursSettings, InstanceSettings, RecordStreamSettings
from .instance_stack import CreatedInstance
from .told import tell


class ConfigurationStack(cdk.Stack):
    """Everything of a created instance that no flow is needed for."""

    queues: Mapping[str, InstancePart]
    """By their keys in the settings."""
    queue_arns: Mapping[str, str]
    """The same as other stacks read them."""

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002
        *,
        settings: InstanceSettings,
        created: CreatedInstance,
        name: str,
        account: str,
        region: str,
        deletion_protection: bool = False,
    ) -> None:
        """Build the stack in an account and Region.

        name: the environment's. created: the instance, of another stack.
        """
        super().__init__(
            scope,
            id,
            stack_name=f"connect-bridges-{name}-configuration",
            description="Storage, hours, queues, profiles and users of an Amazon Connect instance.",
            env=cdk.Environment(account=account, region=region),
            termination_protection=deletion_protection,
        )
        self._settings = settings
        self.instance = created.known_to(self, identity=IdentityManagement(settings.identity_management))
        self._store()
        self._open()
        hours = {key: self._hours(key, one) for key, one in settings.hours.items()}
        self.queues = {
            key: self.instance.add_queue(
                key,
                hours=hours[one.hours],
                name=one.name,
                description=one.description,
                max_contacts=one.max_contacts,
                caller_id_name=one.caller_id_name,
            )
            for key, one in settings.queues.items()
        }
        self.queue_arns = {
            key: tell(self, f"Queue{key}", queue.arn, f"The queue {queue.name}.")
            for key, queue in self.queues.items()
        }
        self._people()

    def _store(self) -> None:
        """Let the instance keep what the settings name; all of it is encrypted with one key."""
        kept, instance = self._settings.storage, self.instance
        key = kms.Key.from_key_arn(self, "StorageKey", kept.key_arn) if kept.key_arn else None
        if kept.call_recordings:
            instance.add_call_recordings(**self._bucket("CallRecordings", kept.call_recordings, key))
        if kept.chat_transcripts:
            instance.add_chat_transcripts(**self._bucket("ChatTranscripts", kept.chat_transcripts, key))
        if kept.reports:
            instance.add_reports(**self._bucket("Reports", kept.reports, key))
        if kept.contact_records:
            instance.add_contact_records_stream(**self._stream("ContactRecords", kept.contact_records, key))
        if kept.agent_events:
            instance.add_agent_events_stream(**self._stream("AgentEvents", kept.agent_events, key))
        if kept.live_media:
            instance.add_live_media_streaming(
                prefix=kept.live_media.prefix,
                retention=cdk.Duration.hours(kept.live_media.retention_hours),
                encryption_key=key,
            )

    def _bucket(self, id: str, settings: BucketSettings, key: kms.IKey | None) -> dict[str, Any]:  # noqa: A002
        """Return the arguments for a bucket; a key is for a new one."""
        days, name = settings.expire_after_days, settings.bucket_name
        return {
            "bucket": s3.Bucket.from_bucket_name(self, id, name) if name else None,
            "encryption_key": None if name else key,
            "expire_after": cdk.Duration.days(days) if days else None,
            **({"prefix": settings.prefix} if settings.prefix else {}),
        }

    def _stream(self, id: str, settings: RecordStreamSettings, key: kms.IKey | None) -> dict[str, Any]:  # noqa: A002
        """Return the arguments for a stream; a key is for a new one."""
        days, arn = settings.retention_days, settings.stream_arn
        if arn is None:
            return {"encryption_key": key, "retention": cdk.Duration.days(days) if days else None}
        if ":firehose:" in arn:
            return {"stream": firehose.DeliveryStream.from_delivery_stream_arn(self, id, arn)}
        return {"stream": kinesis.Stream.from_stream_arn(self, id, arn)}

    def _open(self) -> None:
        """Let sites, keys, bots and applications in."""
        settings, instance = self._settings, self.instance
        for origin in settings.origins:
            instance.allow_origin(origin)
        for key in settings.security_keys:
            instance.add_security_key(key)
        for bot in settings.lex_bots:
            instance.add_lex_bot(bot)
        for id, one in settings.applications.items():  # noqa: A001
            instance.add_application(id, **one.model_dump())

    def _hours(self, id: str, settings: HoursSettings) -> InstancePart:  # noqa: A002
        return self.instance.add_hours(
            id,
            time_zone=settings.time_zone,
            hours=[OpeningHours(day, one.opens, one.closes) for one in settings.openings for day in one.days],
            name=settings.name,
            description=settings.description,
        )

    def _people(self) -> None:
        """Add who works in the instance, and what they serve, may do and transfer to."""
        settings, instance = self._settings, self.instance
        routing = {
            key: instance.add_routing_profile(
                key,
                queues=[self.queues[queue] for queue in one.queues],
                outbound_queue=self.queues[one.outbound_queue] if one.outbound_queue else None,
                channels={str(channel): amount for channel, amount in one.channels.items()},
                name=one.name,
                description=one.description,
            )
            for key, one in settings.routing_profiles.items()
        }
        permits = {
            key: instance.add_security_profile(key, **one.model_dump())
            for key, one in settings.security_profiles.items()
        }
        for username, user in settings.users.items():
            secret = user.password_secret_arn
            instance.add_user(
                username,
                username=username,
                routing_profile=routing[user.routing_profile],
                security_profiles=[permits[key] for key in user.security_profiles],
                first_name=user.first_name,
                last_name=user.last_name,
                email=user.email,
                directory_user_id=user.directory_user_id,
                password_secret=(
                    secretsmanager.Secret.from_secret_complete_arn(self, f"Password {username}", secret)
                    if secret
                    else None
                ),
            )
        for key, one in settings.quick_connects.items():
            instance.add_quick_connect(key, **one.model_dump())
