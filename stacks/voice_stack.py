"""The voice path of one environment: calls go out to an external voice system and come back with their metadata."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from connect_bridges import (
    ApiOptions,
    ConnectInstance,
    ExternalVoiceConnector,
    ExternalVoiceTransfer,
    FunctionOptions,
    MetadataBridge,
    MetadataPreset,
    VoiceDestination,
    VoicePrompts,
)
from connect_bridges.voice.transfer import CONTACT_ID_SIP_HEADER

from constructs import Construct

from .instance_stack import CreatedInstance
from .removal import removal_policy
from .settings import Settings


class VoiceStack(cdk.Stack):
    """ExternalVoiceTransfer and MetadataBridge of an environment, with what the vendor has to be told as outputs."""

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002
        *,
        settings: Settings,
        created: CreatedInstance | None = None,
        queue_arn: str | None = None,
        alarm_topic_arn: str | None = None,
        dashboard: cloudwatch.Dashboard | None = None,
    ) -> None:
        """Build the stack in the account and Region of the settings.

        created, queue_arn, alarm_topic_arn: instance, queue and topic of other stacks; default is what the settings
        name. dashboard: the environment's, for the widgets.
        """
        super().__init__(
            scope,
            id,
            stack_name=f"connect-bridges-{settings.name}-voice",
            description="Amazon Connect calls to an external voice system and back, with metadata.",
            env=cdk.Environment(account=settings.account, region=settings.region),
            termination_protection=settings.deletion_protection,
        )
        self._settings = settings
        self._queue_arn = queue_arn or settings.voice.queue_arn or ""
        self._removal = removal_policy(protected=settings.protected)
        instance = (
            created.known_to(self)
            if created
            else ConnectInstance.from_arn(self, "Instance", settings.instance_arn or "")
        )
        self._key = self._create_key()
        self.metadata = self._metadata_bridge(instance)
        self.destination = self._destination(instance)
        self.transfer = self._transfer(instance)
        # As the child called Default the alarms keep the logical ids that they had in this stack.
        topic_arn = alarm_topic_arn or settings.alarm_topic_arn
        topic = sns.Topic.from_topic_arn(self, "AlarmTopic", topic_arn) if topic_arn else None
        self.metadata.monitor(alarm_topic=topic, dashboard=dashboard, scope=self, id="Default")
        self._tell_the_vendor()

    def _metadata_bridge(self, instance: ConnectInstance) -> MetadataBridge:
        metadata = self._settings.voice.metadata
        return MetadataBridge(
            self,
            "Metadata",
            instance=instance,
            preset=MetadataPreset.named(metadata.preset).with_overrides(path=metadata.path),
            api=ApiOptions(
                stage_name=metadata.stage_name or self._settings.name.replace("-", "_"),
                throttling_rate_limit=metadata.throttling_rate_limit,
                throttling_burst_limit=metadata.throttling_burst_limit,
                cloud_watch_role=metadata.cloud_watch_role,
                allowed_addresses=metadata.allowed_addresses,
            ),
            time_to_live=cdk.Duration.hours(metadata.time_to_live_hours),
            token_cache=cdk.Duration.seconds(metadata.token_cache_seconds),
            contact_tokens=metadata.contact_tokens,
            contact_token_lifetime=cdk.Duration.minutes(metadata.contact_token_minutes),
            encryption_key=self._key,
            encrypt_logs=self._key is not None,
            removal_policy=self._removal,
            deletion_protection=self._settings.deletion_protection,
        )

    def _create_key(self) -> kms.Key | None:
        """Create the key of an environment that asks for one: for metadata, token and the logs of all functions."""
        if self._settings.voice.metadata.encryption != "customer-managed":
            return None
        return kms.Key(
            self,
            "Key",
            description=f"Encrypts contact metadata of connect-bridges {self._settings.name}.",
            enable_key_rotation=True,
            removal_policy=self._removal,
        )

    def _destination(self, instance: ConnectInstance) -> VoiceDestination:
        destination = self._settings.voice.destination
        if destination.phone_number:
            return VoiceDestination.phone_number(destination.phone_number)
        did = destination.did or ""  # the settings have made sure that a connector comes with a did
        if destination.connector_arn:
            return VoiceDestination.connector(destination.connector_arn, did=did)
        wanted = destination.create_connector
        if wanted is None:
            raise AssertionError("settings without a destination passed their check")
        connector = ExternalVoiceConnector(
            self,
            "Connector",
            instance=instance,
            host=wanted.host,
            port=wanted.port,
            protocol=wanted.protocol,
            name=wanted.name,
            require_encryption=wanted.require_encryption,
            session_border_controller_types=wanted.session_border_controller_types,
            contact_center_system_types=wanted.contact_center_system_types,
            sip_logs=wanted.sip_logs,
            media_metric_logs=wanted.media_metric_logs,
            log_retention_days=wanted.log_retention_days,
            log_encryption_key=self._key,
            function_options=FunctionOptions(log_encryption_key=self._key),
        )
        # What is likeliest to fail comes before data: the account's quota of connectors is 0 until AWS raises it.
        self.metadata.table.node.add_dependency(connector.resource)
        return VoiceDestination.connector(connector, did=did)

    def _transfer(self, instance: ConnectInstance) -> ExternalVoiceTransfer:
        voice = self._settings.voice
        title = f"connect-bridges {self._settings.name} external voice"
        return ExternalVoiceTransfer(
            self,
            "Transfer",
            instance=instance,
            destination=self.destination,
            queue_arn=self._queue_arn,
            metadata=self.metadata,
            metadata_attribute=voice.metadata_attribute,
            next_flow_arn=voice.next_flow_arn,
            connection_time_limit=cdk.Duration.seconds(voice.connection_time_limit_seconds),
            user_to_user_information=voice.user_to_user_information,
            prompts=VoicePrompts(**voice.prompts.model_dump(exclude_none=True)),
            flow_name=f"{title} transfer and metadata",
            module_name=f"{title} module",
        )

    def _tell_the_vendor(self) -> None:
        outputs = {
            "MetadataApiUrl": (
                self.metadata.url,
                "Where the vendor posts metadata; add ?contactId=<contact id>.",
            ),
            **(
                {
                    "MetadataContactTokenHeader": (
                        self.metadata.contact_token_header,
                        "The request header that carries what the SIP header User-to-User held.",
                    )
                }
                if self.metadata.contact_token_header
                else {}
            ),
            "MetadataTokenHeader": (self.metadata.token_header, "The request header that carries the token."),
            "MetadataTokenSecretArn": (
                self.metadata.token_secret.secret_arn,
                "Where the token is: read it with aws secretsmanager get-secret-value, and hand it over safely.",
            ),
            "VoiceDid": (self.destination.number, "The number under which the vendor receives the calls."),
            "VoiceFlowArn": (self.transfer.flow.arn, "The complete flow: attach it to a telephone number."),
            "VoiceModuleArn": (self.transfer.module.arn, "Transfer and fetch alone, for a flow of your own."),
            "ContactIdSipHeader": (CONTACT_ID_SIP_HEADER, "The SIP header that carries the contact id."),
        }
        if self.destination.connector_arn:
            outputs["VoiceConnectorArn"] = (
                self.destination.connector_arn,
                "The voice connector that calls go over.",
            )
        for name, (value, meaning) in outputs.items():
            cdk.CfnOutput(self, name, value=value, description=meaning)
