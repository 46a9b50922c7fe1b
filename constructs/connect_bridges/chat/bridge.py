"""Chats are streamed to an external bot; when it leaves, or cannot be reached, an agent takes over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Unpack, cast

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_connect as connect
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from connect_flows import FlowKind

from connect_bridges.chat import monitoring
from connect_bridges.chat.options import ChatConversation, ChatDelivery
from connect_bridges.chat.presets import ChatStreamPreset
from connect_bridges.chat.topic import ChatStreamTopic
from connect_bridges.chat.vendor_access import VendorAccess, VendorPrincipal
from connect_bridges.contact_center.connect_instance import ConnectInstance
from connect_bridges.contact_center.contact_flow import ContactFlow, load_template
from connect_bridges.contact_center.flow_template import FlowTemplate
from connect_bridges.shared.acknowledgements import acknowledge_wildcard
from connect_bridges.shared.arguments import (
    check_flow_name,
    check_function_options,
    check_instance,
    check_key,
    check_name,
    check_prompts,
    check_queue,
    check_removal_policy,
    check_secret,
    check_value,
)
from connect_bridges.shared.checks import Problems, check, check_duration, check_flag, check_texts
from connect_bridges.shared.description import describe, secret_fact
from connect_bridges.shared.function_options import FunctionOptions
from connect_bridges.shared.grants import grant_secret_read, role_of
from connect_bridges.shared.identity_guard import SAID, guard_identity
from connect_bridges.shared.metrics import MetricOptions, counted
from connect_bridges.shared.monitoring import Monitoring
from connect_bridges.shared.private_data import generated_secret, token_value
from connect_bridges.shared.runtime_function import RuntimeFunction
from connect_bridges.shared.runtime_modules import runtime_module
from connect_bridges.shared.webhook_url import check_webhook_url, is_loopback
from constructs import Construct

if TYPE_CHECKING:
    from runtime.chat import limits
else:
    limits = runtime_module("chat.limits")

_WAITS = ("Wait for the bot", "Wait for the bot that joined")
_KEEP_ID = "Keep the streaming id"
_STOP = "Stop streaming"
_STOP_UNHEARD = "Stop streaming that nobody hears"
_AGENT_TAKES_OVER = "Say that an agent takes over"
_NOT_AVAILABLE = "Say that the bot is not available"
_TIME_IS_UP = "Say that time is up"

FUNCTIONS = ("Start", "KeyAge")
"""Names of the functions, for ``FunctionOptions.overrides``; KeyAge is there with an access key only."""

_ATTRIBUTES = {"Type", "ParticipantRole", "MessageVisibility", "ContentType", "InstanceId", "AccountId"}
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

    def __post_init__(self) -> None:
        check_prompts(self)


class ChatStreamBridge(Construct):
    """Streams chats to an external bot, and hands them over to agents.

    The flow invokes a function that starts the streaming of the chat to an SNS topic and posts InitializeConnection
    to the vendor's webhook. SNS delivers what the customer writes to that webhook; the bot joins the chat as a
    participant and answers through the Amazon Connect Participant API. When it leaves, the flow queues the chat for
    an agent, as it does when the bot cannot be reached or never joins. What the webhook does not take goes to a
    dead-letter queue.

    Publishes two things: ``flow``, complete from the welcome to the agent queue, and ``module``, which starts the
    streaming only, for use in a flow that you already have. The module leaves its outcome in the contact
    attributes chatStreamResult (started, failed), chatStreamReason and chatStreamingId.

    SNS keeps no order, and may deliver twice: the bot sorts by AbsoluteTime and knows messages by Id. Source: Kore's
    guide to Amazon Connect Chat (docs/guides.md#chat-3-2-4).
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
        token_cache: cdk.Duration | None = None,
        vendor_access: VendorAccess | None = None,
        delivery: ChatDelivery | None = None,
        conversation: ChatConversation | None = None,
        prompts: ChatPrompts | None = None,
        flow_name: str | None = None,
        module_name: str | None = None,
        encryption_key: kms.IKey | None = None,
        encrypt_logs: bool = False,
        function_options: FunctionOptions | None = None,
        removal_policy: cdk.RemovalPolicy = cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    ) -> None:
        """Create the bridge.

        webhook_url: https, from the vendor's channel configuration. http and localhost only for rehearsals.
        queue_arn: where the chat waits for an agent after the bot, and if there is no bot.
        preset: a vendor's names and choices, as ``ChatStreamPreset.kore()``, or your own:
            ``ChatStreamPreset.default().with_overrides(token_header="X-Bot-Token")``.
        token_secret: a secret whose SecretString is the verification token; by default one is created with a random
            value, to be overwritten with the vendor's (put-secret-value). Both versions of a rotation are tried.
        token_cache: how long the function keeps the token in memory; 0 to 1 hour, default 5 minutes.
        vendor_access: create what the vendor joins chats with; default is none.
        delivery: how SNS tries again, and how long dead letters are kept. conversation: how the flow waits for the
            bot. prompts: what the customer reads.
        flow_name, module_name: published names; default is unique per stack.
        encryption_key: a customer-managed key of yours; if it is imported, its policy has to be extended as a warning
            says.
        encrypt_logs: encrypt the functions' log groups with that key, or the construct's own, too.
        function_options: VPC, tracing, memory, logs and so on of the functions Start and, with an access key, KeyAge.
        removal_policy: what happens to key, dead-letter queue and token with the stack; the default keeps them, and
            lets go of them only when the deployment that creates them fails. RETAIN keeps them then, too.
        Raises ``ConstructArgumentError``, a ``ValueError``, with the construct's path and every wrong argument.
        """
        super().__init__(scope, id)
        names = preset if preset is not None else ChatStreamPreset.default()
        conversation = conversation if conversation is not None else ChatConversation()
        if token_cache is None:
            token_cache = cdk.Duration.seconds(limits.TOKEN_CACHE_SECONDS)
        self._function_options = function_options if function_options is not None else FunctionOptions()
        problems = Problems(self)
        place = check_instance(problems, self, instance)
        problems.collect(check_webhook_url, "webhook_url", webhook_url)
        check_queue(problems, "queue_arn", queue_arn, instance)
        problems.collect(check_duration, "token_cache", token_cache, limits.TOKEN_CACHE_SECONDS_RANGE)
        for setting, value, kind, write in (
            ("preset", names, ChatStreamPreset, "ChatStreamPreset.kore(), or a preset of your own"),
            (
                "vendor_access",
                vendor_access,
                VendorAccess,
                "VendorAccess.role(…) or VendorAccess.access_key()",
            ),
            ("delivery", delivery, ChatDelivery, "ChatDelivery(…)"),
            ("conversation", conversation, ChatConversation, "ChatConversation(…)"),
            ("prompts", prompts, ChatPrompts, 'ChatPrompts(welcome="Welcome.")'),
        ):
            problems.collect(check_value, setting, value, kind, write)
        problems.collect(check_flow_name, "flow_name", flow_name)
        problems.collect(check_flow_name, "module_name", module_name)
        check_key(problems, place, encryption_key)
        problems.collect(check_flag, "encrypt_logs", encrypt_logs)
        check_secret(problems, place, "token_secret", token_secret)
        check_function_options(problems, self._function_options, FUNCTIONS)
        problems.collect(check_removal_policy, removal_policy)
        if isinstance(names, ChatStreamPreset):
            _check_names(problems, names)
        problems.raise_all()
        if is_loopback(webhook_url):
            cdk.Annotations.of(self).add_warning_v2(
                "connect-bridges:loopback-webhook",
                f"webhook_url is {webhook_url}: that is for a rehearsal on this machine; Amazon SNS refuses it.",
            )

        self._instance = instance
        _guard_names(self, names)
        self.webhook_url = webhook_url
        self._service_name = cdk.Names.unique_resource_name(self, max_length=64, separator="-")
        self._stream = ChatStreamTopic(
            self,
            "Stream",
            instance=instance,
            webhook_url=webhook_url,
            filter_policy=names.filter_policy,
            delivery=delivery or ChatDelivery(),
            encryption_key=encryption_key,
            topic_name=names.topic_name,
            removal_policy=removal_policy,
        )
        self.key = self._stream.key
        if encrypt_logs:
            self._function_options = self._function_options.logging_with(self.key)
        self.topic = self._stream.topic
        self.subscription = self._stream.subscription
        self.dead_letter_queue = self._stream.dead_letter_queue
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
        self.function = self._create_function(names, token_cache)
        self.association = instance.associate_function(self.function)
        self.vendor = (
            VendorPrincipal(
                self,
                "Vendor",
                instance=instance,
                access=vendor_access,
                encryption_key=self.key,
                service_name=self._service_name,
                function_options=self._function_options,
            )
            if vendor_access
            else None
        )
        self.flow = self._publish_flow(conversation, prompts or ChatPrompts(), queue_arn, flow_name)
        self.module = self._publish(
            "Module",
            FlowTemplate(load_template("chat_stream_module.json")),
            {},
            kind=FlowKind.MODULE,
            name=module_name,
            description="Streams the chat to an external bot and tells the bot.",
        )
        secrets = {
            "token": secret_fact(self.token_secret, filled_by="owner" if token_secret else "people"),
        }
        vendor = self.vendor
        if vendor and vendor.secret:
            secrets["vendorKey"] = secret_fact(
                vendor.secret, fields=("accessKeyId", "secretAccessKey"), filled_by="deployment"
            )
        describe(
            self,
            "ChatStreamBridge",
            {
                "instanceArn": instance.instance_arn,
                "region": cdk.Stack.of(self).region,
                "webhookUrl": webhook_url,
                "tokenHeader": names.token_header,
                "topicArn": self.topic.topic_arn,
                "subscriptionArn": cast("sns.CfnSubscription", self.subscription.node.default_child).ref,
                "deadLetterQueueUrl": self.dead_letter_queue.queue_url,
                "filterPolicy": {name: list(values) for name, values in names.filter_policy.items()},
                "vendorRoleArn": vendor.role.role_arn if vendor and vendor.role else None,
                "queues": [queue_arn],
                "secrets": secrets,
                "functions": {"Start": self.function.function_name},
                "flows": {"Flow": self.flow.arn, "Module": self.module.arn},
            },
        )

    def monitor(
        self,
        *,
        alarm_topic: sns.ITopic | None = None,
        thresholds: Mapping[str, float] | None = None,
        dashboard_name: str | None = None,
        dashboard: cloudwatch.Dashboard | None = None,
        scope: Construct | None = None,
        id: str = "Monitoring",  # noqa: A002
    ) -> Monitoring:
        """Create an alarm for each way to lose a chat, and a dashboard.

        Alarms: DeadLetters, MessagesLost, StreamingFailures, FunctionErrors, FunctionThrottles; with an access key also
        VendorKeyAge and KeyAgeErrors.

        alarm_topic: where they go; without it they only change state. thresholds: counts by alarm name (VendorKeyAge:
        days); default is 1, and ``rotate_after`` for the key. dashboard_name: default is CloudFormation's. dashboard:
        one that gets the widgets, below a heading with this construct's path; default is one of its own. scope, id:
        where they live; default is below this construct.
        Raises ``ValueError`` for a threshold of an alarm that does not exist.
        """
        made = Monitoring(
            scope or self,
            id,
            watched=monitoring.watched(self),
            alarm_topic=alarm_topic,
            thresholds=thresholds,
            dashboard=dashboard,
            heading=self.node.path,
        )
        made.add_dashboard(monitoring.dashboard(self, made.alarms), name=dashboard_name)
        return made

    def grant_redrive(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let somebody take messages out of the dead-letter queue, to deliver them once more."""
        return self._stream.grant_redrive(grantee)

    def metric_started(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Count of chats whose streaming was started and whose bot has answered."""
        return counted("ChatStreamingStarted", self._service_name, **options)

    def metric_failed(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Count of chats that went to the fallback, since streaming or bot could not be had."""
        return counted("ChatStreamingFailed", self._service_name, **options)

    def metric_errors(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Count of invocations that raised: a wrong event or environment, or a fault of ours."""
        return self.function.metric_errors(**options)

    def metric_throttles(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Count of invocations that Lambda refused for want of concurrency."""
        return self.function.metric_throttles(**options)

    def metric_dead_letters(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Messages that wait in the dead-letter queue."""
        return self.dead_letter_queue.metric_approximate_number_of_messages_visible(**options)

    def metric_delivered(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Count of messages that the webhook took."""
        return self.topic.metric_number_of_notifications_delivered(**options)

    def metric_lost(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Count of messages that reached neither the webhook nor the dead-letter queue: these are gone."""
        return self.topic.metric("NumberOfNotificationsFailedToRedriveToDlq", **options)

    def _create_function(self, names: ChatStreamPreset, token_cache: cdk.Duration) -> RuntimeFunction:
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
            service_name=self._service_name,
            options=self._function_options,
        )
        # evidence: streaming-contact-arn
        self._grant_streaming(function)
        grant_secret_read(self.token_secret, function)
        return function

    def _grant_streaming(self, function: RuntimeFunction) -> None:
        """Grant streaming on the instance and on its contacts.

        The service authorization reference says the instance; AWS's own sample
        (amazon-connect-message-streaming-examples) allows its contacts alone. evidence: streaming-contact-arn
        """
        contacts = f"{self._instance.instance_arn}/contact/*"
        function.add_to_role_policy(
            iam.PolicyStatement(
                actions=["connect:StartContactStreaming", "connect:StopContactStreaming"],
                resources=[self._instance.instance_arn, contacts],
            )
        )
        acknowledge_wildcard(
            role_of(function),
            contacts,
            "The id of a chat is made when the customer opens it; the function streams any chat that a flow gives it.",
        )

    def _publish_flow(
        self, conversation: ChatConversation, prompts: ChatPrompts, queue_arn: str, name: str | None
    ) -> ContactFlow:
        values = {
            "QueueArn": queue_arn,
            "WaitSeconds": str(conversation.wait_seconds),
            "JoinSeconds": str(conversation.join_seconds),
            "WelcomePrompt": prompts.welcome,
            "HandOverPrompt": prompts.hand_over,
            "NotAvailablePrompt": prompts.not_available,
            "QueueFullPrompt": prompts.queue_full,
            "QueueErrorPrompt": prompts.queue_error,
        }
        if conversation.after_wait == "disconnect":
            values["TimeIsUpPrompt"] = prompts.time_is_up
        return self._publish(
            "Flow",
            _flow(conversation),
            values,
            kind=FlowKind.FLOW,
            name=name,
            description="Brings an external bot into the chat, waits for it to leave, and queues the chat.",
        )

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


def _flow(conversation: ChatConversation) -> FlowTemplate:
    # evidence: bot-wait-events, chat-prompt-before-function
    template = FlowTemplate(load_template("chat_stream.json"))
    if conversation.after_wait == "queue":
        template.leave_out(_TIME_IS_UP, lead_to=_STOP)
    if not conversation.stop_at_hand_over:
        template.leave_out(_KEEP_ID, lead_to=_WAITS[0])
        template.leave_out(_STOP, lead_to=_AGENT_TAKES_OVER)
        template.leave_out(_STOP_UNHEARD, lead_to=_NOT_AVAILABLE)
    return template


def _check_names(problems: Problems, names: ChatStreamPreset) -> None:
    problems.collect(
        check,
        "preset.token_header",
        names.token_header,
        limits.TOKEN_HEADER_NAME,
        "a header's name; write 1 to 64 letters, digits and -",
    )
    problems.collect(check_name, "preset.topic_name", names.topic_name, "topic_name")
    problems.collect(check_name, "preset.function_name", names.function_name, "function_name")
    problems.collect(_check_filter, names.filter_policy)


def _guard_names(bridge: Construct, names: ChatStreamPreset) -> None:
    """Refuse a deployment that would stream chats to another topic than the one that the vendor knows."""
    identity = f"{names.topic_name or 'generated'}/{names.function_name or 'generated'}"
    guard_identity(
        bridge,
        parameter="TopicIdentity",
        rule="TopicStays",
        identity=identity,
        written=f"Names of topic and function of {bridge.node.path}",
        refusal=(
            f"{bridge.node.path}: names of topic and function would become {identity}, so that CloudFormation would "
            "replace them: chats that go on would be lost to the bot, the vendor would have to confirm the new topic, "
            "and the old function's log would go. Set preset, topic_name and function_name back. If the new topic is "
            f"meant, deploy once with {SAID}, while no chat goes on."
        ),
    )


def _check_filter(policy: object) -> None:
    if not isinstance(policy, Mapping):
        raise ValueError(
            f'filter_policy is {policy!r}; write a mapping, such as {{"ParticipantRole": ["CUSTOMER"]}}.'
        )
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
        if not isinstance(values, (list, tuple)) or not values:
            raise ValueError(
                f"filter_policy[{attribute!r}] is {values!r}; write a list of the values to deliver."
            )
        check_texts(f"filter_policy[{attribute!r}]", values, '["CUSTOMER"]')
        combinations *= len(values)
    if combinations > _FILTER_VALUES:
        raise ValueError(
            f"filter_policy has {combinations} combinations of values; SNS takes {_FILTER_VALUES}."
        )
