"""The chat path of one environment: chats are streamed to an external bot, and handed over to agents."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sns as sns
from connect_bridges.chat.bridge import ChatPrompts, ChatStreamBridge
from connect_bridges.chat.options import ChatConversation, ChatDelivery
from connect_bridges.chat.presets import ChatStreamPreset
from connect_bridges.chat.vendor_access import VendorAccess
from connect_bridges.contact_center.connect_instance import ConnectInstance

from constructs import Construct

from .chat_settings import ChatSettings, VendorAccessSettings
from .instance_stack import CreatedInstance
from .removal import removal_policy


class ChatStack(cdk.Stack):
    """ChatStreamBridge of an environment, with alarms, a dashboard, and what the vendor has to be told as outputs."""

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002
        *,
        chat: ChatSettings,
        name: str,
        account: str,
        region: str,
        instance_arn: str = "",
        created: CreatedInstance | None = None,
        queue_arn: str | None = None,
        protected: bool,
        deletion_protection: bool = False,
        alarm_topic_arn: str | None = None,
        dashboard: cloudwatch.Dashboard | None = None,
    ) -> None:
        """Build the stack in an account and Region.

        name: the environment's. instance_arn: of an imported instance; created: one of another stack. queue_arn: of a
        queue that another stack creates; default is the one that chat names.
        protected: keep data. deletion_protection: refuse deletion.
        dashboard: the environment's, for the widgets; default is one of the stack's own.
        Raises ``ValueError`` for a protected environment whose webhook is on localhost.
        """
        super().__init__(
            scope,
            id,
            stack_name=f"connect-bridges-{name}-chat",
            description="Amazon Connect chats to an external bot, and on to agents.",
            env=cdk.Environment(account=account, region=region),
            termination_protection=deletion_protection,
        )
        if protected and chat.rehearsal_only:
            raise ValueError(
                f"chat.webhookUrl is {chat.webhook_url!r} in the protected environment {name}; write the vendor's "
                "https URL. localhost is for rehearsals."
            )
        title = f"connect-bridges {name} external bot"
        self.bridge = ChatStreamBridge(
            self,
            "Chat",
            instance=(
                created.known_to(self)
                if created
                else ConnectInstance.from_arn(self, "Instance", instance_arn)
            ),
            webhook_url=chat.webhook_url,
            queue_arn=queue_arn or chat.queue_arn or "",
            preset=ChatStreamPreset.named(chat.preset).with_overrides(
                token_header=chat.token_header,
                filter_policy=chat.filter.as_policy() if chat.filter else None,
            ),
            token_secret=(
                secretsmanager.Secret.from_secret_complete_arn(self, "Token", chat.token_secret_arn)
                if chat.token_secret_arn
                else None
            ),
            token_cache=cdk.Duration.seconds(chat.token_cache_seconds),
            vendor_access=_access(chat.vendor_access) if chat.vendor_access else None,
            delivery=ChatDelivery(dead_letter_retention=cdk.Duration.days(chat.dead_letter_retention_days)),
            conversation=ChatConversation(
                wait_for_bot=cdk.Duration.minutes(chat.wait_minutes),
                time_to_join=cdk.Duration.seconds(chat.time_to_join_seconds),
                after_wait=chat.after_wait,
                stop_at_hand_over=chat.stop_at_hand_over,
            ),
            prompts=ChatPrompts(**chat.prompts.model_dump(exclude_none=True)),
            flow_name=f"{title} chat",
            module_name=f"{title} module",
            encrypt_logs=chat.encrypt_logs,
            removal_policy=removal_policy(protected=protected),
        )
        self.monitoring = self.bridge.monitor(
            alarm_topic=(
                sns.Topic.from_topic_arn(self, "AlarmTopic", alarm_topic_arn) if alarm_topic_arn else None
            ),
            dashboard=dashboard,
            scope=self,  # where the alarms have always been, so that they keep their logical ids
        )
        self._tell()

    def _tell(self) -> None:
        bridge, vendor = self.bridge, self.bridge.vendor
        outputs = {
            "ChatFlowArn": (bridge.flow.arn, "The complete flow: choose it for the chat widget."),
            "ChatModuleArn": (bridge.module.arn, "The start of the streaming alone, for a flow of your own."),
            "ChatTopicArn": (bridge.topic.topic_arn, "Where Amazon Connect publishes chat messages."),
            "ChatDeadLetterQueueUrl": (
                bridge.dead_letter_queue.queue_url,
                "Holds what the webhook did not take; the documentation of ChatStreamBridge says how to deliver it.",
            ),
            "ChatTokenSecretArn": (
                bridge.token_secret.secret_arn,
                "Store the vendor's verification token here: aws secretsmanager put-secret-value.",
            ),
            "ChatFunctionName": (
                bridge.function.function_name,
                "What the flow invokes; its log names reasons.",
            ),
            "ChatRegion": (self.region, "The AWS Region to enter in the vendor's channel configuration."),
        }
        if vendor and vendor.role:
            outputs["ChatVendorRoleArn"] = (
                vendor.role.role_arn,
                "The role that the vendor assumes, with its external id.",
            )
        if vendor and vendor.secret:
            outputs["ChatVendorKeySecretArn"] = (
                vendor.secret.secret_arn,
                "Where the vendor's access key is: read it with aws secretsmanager get-secret-value.",
            )
        for name, (value, meaning) in outputs.items():
            cdk.CfnOutput(self, name, value=value, description=meaning)


def _access(settings: VendorAccessSettings) -> VendorAccess:
    if settings.role:
        return VendorAccess.role(
            settings.role.principal, external_id=settings.role.external_id, also=settings.also
        )
    if settings.access_key is None:
        raise AssertionError("settings without a way of access passed their check")
    return VendorAccess.access_key(
        serials=settings.access_key.serials,
        rotate_after=cdk.Duration.days(settings.access_key.rotate_after_days),
        also=settings.also,
    )
