"""Chats are streamed to an external bot; when it leaves, or cannot be reached, an agent takes over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_connect as connect
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from connect_flows import FlowKind

from connect_bridges.chat.presets import ChatStreamPreset, default_delivery_policy
from connect_bridges.chat.topic import ChatStreamTopic
from connect_bridges.chat.vendor_access import VendorAccess, VendorPrincipal
from connect_bridges.contact_center.connect_instance import ConnectInstance
from connect_bridges.contact_center.contact_flow import ContactFlow, load_template
from connect_bridges.contact_center.flow_template import FlowTemplate
from connect_bridges.shared.checks import QUEUE_ARN, check, check_range
from connect_bridges.shared.private_data import generated_secret, token_value
from connect_bridges.shared.runtime_function import RuntimeFunction
from connect_bridges.shared.webhook_url import check_webhook_url, is_loopback
from constructs import Construct

_WAITS = ("Wait for the bot", "Wait for the bot that joined")
_KEEP_ID = "Keep the streaming id"
_STOP = "Stop streaming"
_STOP_UNHEARD = "Stop streaming that nobody hears"
_AGENT_TAKES_OVER = "Say that an agent takes over"
_NOT_AVAILABLE = "Say that the bot is not available"
_TIME_IS_UP = "Say that time is up"

_ATTRIBUTES = {"Type", "ParticipantRole", "MessageVisibility", "ContentType", "InstanceId", "AccountId"}
_SECONDS_IN_A_WEEK = 604_800  # the longest that a Wait block takes
_FILTER_VALUES = 150  # of an SNS filter policy, all keys multiplied


@dataclass(frozen=True, kw_only=True)
class ChatPrompts:
    """What the customer reads: plain text, at most 6,000 characters each; references such as $.Attributes.name work."""

    welcome: str = "Welcome. One moment please, our assistant will be with you."
    hand_over: str = "An agent will take over. One moment please."
    not_available: str = "Our assistant is not available at the moment. We are connecting you with an agent."
    time_is_up: str = (
        "This conversation has come to its end. Please open a new chat if you need anything else."
    )
    queue_full: str = "All agents are busy at the moment. Please come back later."
    queue_error: str = "We cannot connect you with an agent at the moment. Please come back later."


class ChatStreamBridge(Construct):
    """Streams chats to an external bot, and hands them over to agents (guide 001).

    The flow invokes a function that starts the streaming of the chat to an SNS topic and posts InitializeConnection
    to the vendor's webhook. SNS delivers what the customer writes to that webhook; the bot joins the chat as a
    participant and answers through the Amazon Connect Participant API. When it leaves, the flow queues the chat for
    an agent; if it could not be reached, or never joined, so it does as well. What the webhook does not take goes to
    a dead-letter queue.

    Publishes two things: ``flow``, complete from the welcome to the agent queue, and ``module``, which starts the
    streaming only, to be dropped into a flow that you already have. The module leaves its outcome in the contact
    attributes chatStreamResult (started, failed), chatStreamReason and chatStreamingId.

    SNS keeps no order, and may deliver twice: the bot sorts by AbsoluteTime and knows messages by Id.
    """

    key: kms.IKey
    """Encrypts topic, dead-letter queue and secrets."""
    topic: sns.Topic
    """Where Amazon Connect publishes; nobody else can."""
    subscription: sns.Subscription
    """Delivers to the webhook; confirmed by the vendor's platform."""
    dead_letter_queue: sqs.Queue
    """Holds what the webhook did not take: SNS envelopes, signature included."""
    token_secret: secretsmanager.ISecret
    """The webhook's verification token, issued by the vendor's platform."""
    function: lambda_.Function
    """For flows: starts and stops the streaming of a chat."""
    association: connect.CfnIntegrationAssociation
    """Lets flows of the instance invoke the function."""
    flow: ContactFlow
    """The complete flow; choose it for your chat widget."""
    module: ContactFlow
    """The start of the streaming alone, as a flow module."""
    vendor: VendorPrincipal | None
    """What the vendor joins chats with, if ``vendor_access`` was given."""

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002
        *,
        instance: ConnectInstance,
        webhook_url: str,
        queue_arn: str,
        preset: ChatStreamPreset | None = None,
        token_secret: secretsmanager.ISecret | None = None,
        token_header: str | None = None,
        token_cache: cdk.Duration | None = None,
        vendor_access: VendorAccess | None = None,
        filter_policy: Mapping[str, Sequence[str]] | None = None,
        delivery_policy: sns.DeliveryPolicy | None = None,
        dead_letter_retention: cdk.Duration | None = None,
        topic_name: str | None = None,
        function_name: str | None = None,
        encryption_key: kms.IKey | None = None,
        wait_for_bot: cdk.Duration | None = None,
        time_to_join: cdk.Duration | None = None,
        after_wait: Literal["disconnect", "queue"] = "disconnect",
        stop_at_hand_over: bool = True,
        prompts: ChatPrompts | None = None,
        flow_name: str | None = None,
        module_name: str | None = None,
        log_retention: logs.RetentionDays = logs.RetentionDays.ONE_MONTH,
        removal_policy: cdk.RemovalPolicy = cdk.RemovalPolicy.RETAIN,
    ) -> None:
        """Create the bridge.

        webhook_url: https, from the vendor's channel configuration. http and localhost only for rehearsals.
        queue_arn: where the chat waits for an agent after the bot, and if there is no bot.
        preset: a vendor's names and wishes, as ``ChatStreamPreset.kore()``; token_header, filter_policy, topic_name
            and function_name override the preset's.
        token_secret: a secret whose SecretString is the verification token; by default one is created with a random
            value, to be overwritten with the vendor's (put-secret-value). Both versions of a rotation are tried.
        token_cache: how long the function keeps the token in memory; 0 to 1 hour, default 5 minutes.
        vendor_access: create what the vendor joins chats with; default is none.
        delivery_policy: how SNS tries again; default about ten minutes. dead_letter_retention: 1 minute to 14 days,
            default 14 days.
        encryption_key: a customer-managed key of yours; if it is imported, its policy has to be extended as a warning
            says.
        wait_for_bot: how long the flow waits for the bot to leave; up to 7 days, default 15 minutes.
        time_to_join: how long the bot may take to join before the chat goes to an agent; 1 to 60 seconds, default 15,
            which is also how long Amazon Connect lets it take from CreateParticipant to its connection.
        after_wait: what happens when wait_for_bot is over: disconnect, as in the guide, or queue for an agent.
        stop_at_hand_over: stop the streaming when an agent takes over, so that the vendor does not go on reading
            along; False for a vendor that assists the agent.
        flow_name, module_name: published names; default is unique per stack.
        removal_policy: what happens to key, dead-letter queue and token with the stack.
        Raises ``ValueError`` naming the argument, the value and the fix.
        """
        super().__init__(scope, id)
        names = (preset or ChatStreamPreset.default()).with_overrides(
            token_header=token_header,
            filter_policy=filter_policy,
            topic_name=topic_name,
            function_name=function_name,
        )
        waiting = wait_for_bot or cdk.Duration.minutes(15)
        joining = time_to_join or cdk.Duration.seconds(15)
        retention = dead_letter_retention or cdk.Duration.days(14)
        token_cache = cdk.Duration.minutes(5) if token_cache is None else token_cache
        check_webhook_url("webhook_url", webhook_url)
        check("queue_arn", queue_arn, QUEUE_ARN)
        check_range("wait_for_bot", waiting.to_seconds(), 1, _SECONDS_IN_A_WEEK, "seconds")
        check_range("time_to_join", joining.to_seconds(), 1, 60, "seconds")
        check_range("dead_letter_retention", retention.to_seconds(), 60, 1_209_600, "seconds")
        check_range("token_cache", token_cache.to_seconds(), 0, 3600, "seconds")
        _check_filter(names.filter_policy)
        if is_loopback(webhook_url):
            cdk.Annotations.of(self).add_warning_v2(
                "connect-bridges:loopback-webhook",
                f"webhook_url is {webhook_url}: that is for a rehearsal on this machine; Amazon SNS refuses it.",
            )

        self._instance = instance
        self.webhook_url = webhook_url
        self._service_name = cdk.Names.unique_resource_name(self, max_length=64, separator="-")
        self._stream = ChatStreamTopic(
            self,
            "Stream",
            instance=instance,
            webhook_url=webhook_url,
            filter_policy=names.filter_policy,
            delivery_policy=delivery_policy or default_delivery_policy(),
            dead_letter_retention=retention,
            encryption_key=encryption_key,
            topic_name=names.topic_name,
            removal_policy=removal_policy,
        )
        self.key = self._stream.key
        self.topic = self._stream.topic
        self.subscription = self._stream.subscription
        self.dead_letter_queue = self._stream.dead_letter_queue
        self._own_token = token_secret is None
        self.token_secret = token_secret or generated_secret(
            self,
            "Token",
            description=f"What the webhook wants in the header {names.token_header}; store the vendor's token here.",
            value=token_value(),
            encryption_key=self.key,
            removal_policy=removal_policy,
            why_no_schedule="The vendor's platform issues the token, so a schedule here would cut it off. Rotate it "
            "with put-secret-value: the previous version is tried as long as the vendor wants it.",
        )
        self.function = self._create_function(names, token_cache, log_retention)
        self.association = instance.associate_function(self.function)
        self.vendor = (
            VendorPrincipal(
                self,
                "Vendor",
                instance=instance,
                access=vendor_access,
                encryption_key=self.key,
                log_retention=log_retention,
                service_name=self._service_name,
            )
            if vendor_access
            else None
        )
        texts = prompts or ChatPrompts()
        self.flow = self._publish(
            "Flow",
            _flow(after_wait=after_wait, stop_at_hand_over=stop_at_hand_over),
            {
                "QueueArn": queue_arn,
                "WaitSeconds": str(int(waiting.to_seconds())),
                "JoinSeconds": str(int(joining.to_seconds())),
                "WelcomePrompt": texts.welcome,
                "HandOverPrompt": texts.hand_over,
                "NotAvailablePrompt": texts.not_available,
                **({"TimeIsUpPrompt": texts.time_is_up} if after_wait == "disconnect" else {}),
                "QueueFullPrompt": texts.queue_full,
                "QueueErrorPrompt": texts.queue_error,
            },
            kind=FlowKind.FLOW,
            name=flow_name,
            description="Brings an external bot into the chat, waits for it to leave, and queues the chat.",
        )
        self.module = self._publish(
            "Module",
            FlowTemplate(load_template("chat_stream_module.json")),
            {},
            kind=FlowKind.MODULE,
            name=module_name,
            description="Streams the chat to an external bot and tells the bot.",
        )

    def grant_redrive(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let somebody take messages out of the dead-letter queue, to deliver them once more."""
        return self._stream.grant_redrive(grantee)

    def metric_started(self, **options: object) -> cloudwatch.Metric:
        """Count of chats whose streaming was started and whose bot has answered."""
        return self._outcome("ChatStreamingStarted", options)

    def metric_failed(self, **options: object) -> cloudwatch.Metric:
        """Count of chats that went to the fallback, since streaming or bot could not be had."""
        return self._outcome("ChatStreamingFailed", options)

    def metric_errors(self, **options: object) -> cloudwatch.Metric:
        """Count of invocations that raised: a wrong event or environment, or a fault of ours."""
        return self.function.metric_errors(**options)  # type: ignore[arg-type]

    def metric_throttles(self, **options: object) -> cloudwatch.Metric:
        """Count of invocations that Lambda refused for want of concurrency."""
        return self.function.metric_throttles(**options)  # type: ignore[arg-type]

    def metric_dead_letters(self, **options: object) -> cloudwatch.Metric:
        """Messages that wait in the dead-letter queue."""
        return self.dead_letter_queue.metric_approximate_number_of_messages_visible(**options)  # type: ignore[arg-type]

    def metric_delivered(self, **options: object) -> cloudwatch.Metric:
        """Count of messages that the webhook took."""
        return self.topic.metric_number_of_notifications_delivered(**options)  # type: ignore[arg-type]

    def metric_lost(self, **options: object) -> cloudwatch.Metric:
        """Count of messages that reached neither the webhook nor the dead-letter queue: these are gone."""
        return self.topic.metric("NumberOfNotificationsFailedToRedriveToDlq", **options)  # type: ignore[arg-type]

    def _outcome(self, name: str, options: dict[str, object]) -> cloudwatch.Metric:
        return cloudwatch.Metric(
            **{  # type: ignore[arg-type] # the options of Metric, as with the CDK's own metric methods
                "namespace": "ConnectBridges",
                "metric_name": name,
                "dimensions_map": {"service": self._service_name},
                "statistic": "Sum",
                "period": cdk.Duration.minutes(5),
                **options,
            }
        )

    def _create_function(
        self, names: ChatStreamPreset, token_cache: cdk.Duration, log_retention: logs.RetentionDays
    ) -> RuntimeFunction:
        function = RuntimeFunction(
            self,
            "Start",
            module="chat.start",
            description="Streams a chat to an external bot and tells the bot.",
            timeout=cdk.Duration.seconds(8),
            environment={
                "TOPIC_ARN": self.topic.topic_arn,
                "WEBHOOK_URL": self.webhook_url,
                "TOKEN_SECRET_ARN": self.token_secret.secret_arn,
                "TOKEN_HEADER": names.token_header,
                "CACHE_SECONDS": str(int(token_cache.to_seconds())),
            },
            memory_size=512,  # twice the CPU: a cold start and a TLS handshake come out of Connect's 8 s
            function_name=names.function_name,
            log_retention=log_retention,
            service_name=self._service_name,
        )
        self._instance.grant(function, "connect:StartContactStreaming", "connect:StopContactStreaming")
        function.add_to_role_policy(
            iam.PolicyStatement(
                actions=["secretsmanager:GetSecretValue"], resources=[self.token_secret.secret_arn]
            )
        )
        token_key = self.key if self._own_token else self.token_secret.encryption_key
        if token_key:
            token_key.grant_decrypt(function)
        return function

    def _publish(
        self,
        id: str,  # noqa: A002
        template: FlowTemplate,
        values: Mapping[str, str],
        *,
        kind: FlowKind,
        name: str | None,
        description: str,
    ) -> ContactFlow:
        published = ContactFlow(
            self,
            id,
            instance=self._instance,
            template=template.document,
            values={**values, "StreamFunctionArn": self.function.function_arn},
            kind=kind,
            name=name,
            description=description,
        )
        published.depends_on(self.association)
        return published


def _flow(*, after_wait: str, stop_at_hand_over: bool) -> FlowTemplate:
    template = FlowTemplate(load_template("chat_stream.json"))
    if after_wait == "queue":
        template.leave_out(_TIME_IS_UP, lead_to=_STOP)
    elif after_wait != "disconnect":
        raise ValueError(f"after_wait is {after_wait!r}; choose disconnect or queue.")
    if not stop_at_hand_over:
        template.leave_out(_KEEP_ID, lead_to=_WAITS[0])
        template.leave_out(_STOP, lead_to=_AGENT_TAKES_OVER)
        template.leave_out(_STOP_UNHEARD, lead_to=_NOT_AVAILABLE)
    return template


def _check_filter(policy: Mapping[str, Sequence[str]]) -> None:
    if not policy:
        raise ValueError(
            "filter_policy is empty: the bot would be sent its own messages. Name at least ParticipantRole."
        )
    combinations = 1
    for attribute, values in policy.items():
        if attribute not in _ATTRIBUTES:
            raise ValueError(
                f"filter_policy filters by {attribute!r}, which Amazon Connect does not set the same for all chats; "
                f"choose from {', '.join(sorted(_ATTRIBUTES))}."
            )
        if isinstance(values, str) or not values:
            raise ValueError(
                f"filter_policy[{attribute!r}] is {values!r}; write a list of the values to deliver."
            )
        combinations *= len(values)
    if combinations > _FILTER_VALUES:
        raise ValueError(
            f"filter_policy has {combinations} combinations of values; SNS takes {_FILTER_VALUES}."
        )
