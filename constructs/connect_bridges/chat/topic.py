"""Where Amazon Connect publishes chat messages, and how they get to the vendor: topic, subscription, dead letters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs

from connect_bridges.chat.options import ChatDelivery, default_delivery_policy
from connect_bridges.contact_center.connect_instance import ConnectInstance
from connect_bridges.shared.acknowledgements import acknowledge
from connect_bridges.shared.grants import open_key
from connect_bridges.shared.serverless_rules import explain_dead_letter_queue
from connect_bridges.shared.webhook_url import is_plain_http
from constructs import Construct

_CONNECT = "connect.amazonaws.com"


class ChatStreamTopic(Construct):
    """An encrypted standard topic that one Connect instance, and nobody else, may publish to.

    Kore's guide to chat (docs/guides.md#chat-2-2-2) takes the condition out of the topic's policy, so that any
    account's Connect could publish through the service ("confused deputy"). Here the policy names the account and the
    instance instead, as the administrator guide, "Enable real-time chat message streaming", has it; and a Deny keeps
    out whoever is allowed sns:Publish elsewhere in the account, so that nobody can speak in a customer's name.
    """

    key: kms.IKey
    topic: sns.Topic
    subscription: sns.Subscription
    dead_letter_queue: sqs.Queue

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002
        *,
        instance: ConnectInstance,
        webhook_url: str,
        filter_policy: Mapping[str, Sequence[str]],
        delivery: ChatDelivery,
        encryption_key: kms.IKey | None,
        topic_name: str | None,
        removal_policy: cdk.RemovalPolicy,
    ) -> None:
        """Create the parts; ``ChatStreamBridge`` explains the arguments."""
        super().__init__(scope, id)
        self._instance = instance
        self.key = encryption_key or self._own_key(removal_policy)
        self._open_key(topic_name)
        self.topic = sns.Topic(
            self,
            "Topic",
            topic_name=topic_name,
            master_key=self.key,
            enforce_ssl=True,
            # evidence: sns-https-retries, vendor-takes-signature-2
            signature_version="2",
        )
        self._open_topic()
        self.dead_letter_queue = self._queue(delivery.retention, removal_policy)
        self.subscription = sns.Subscription(
            self,
            "Subscription",
            topic=self.topic,
            # evidence: vendor-confirms-subscription
            endpoint=webhook_url,
            protocol=(
                sns.SubscriptionProtocol.HTTP
                if is_plain_http(webhook_url)
                else sns.SubscriptionProtocol.HTTPS
            ),
            filter_policy={
                attribute: sns.SubscriptionFilter.string_filter(allowlist=list(values))
                for attribute, values in filter_policy.items()
            },
            delivery_policy=delivery.policy or default_delivery_policy(),
            dead_letter_queue=self.dead_letter_queue,
            raw_message_delivery=False,  # the envelope carries the signature that the vendor checks
        )

    def grant_redrive(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let somebody take messages out of the dead-letter queue, to deliver them once more."""
        grant = self.dead_letter_queue.grant(
            grantee, "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:GetQueueUrl"
        )
        self.key.grant(grantee, "kms:Decrypt")
        return grant

    def _own_key(self, removal_policy: cdk.RemovalPolicy) -> kms.IKey:
        key = kms.Key(
            self,
            "Key",
            description="Encrypts chat messages on their way to an external bot, and the secrets of that way.",
            enable_key_rotation=True,
            removal_policy=removal_policy,
        )
        return cast("kms.IKey", key)  # for pyright, see pyproject.toml

    def _open_key(self, topic_name: str | None) -> None:
        """Let Connect publish to the topic, and SNS write to the dead-letter queue, which both need the key.

        SNS can be held to this account's topics only, not to this very one unless it has a fixed name: the topic
        refers to its key, so the key cannot refer to the topic.
        """
        stack = cdk.Stack.of(self)
        for statement in (
            iam.PolicyStatement(
                sid="ConnectEncryptsChatMessages",
                principals=[iam.ServicePrincipal(_CONNECT)],
                actions=["kms:GenerateDataKey*", "kms:Decrypt"],
                resources=["*"],
                conditions=self._only_this_instance(),
            ),
            # evidence: sns-dead-letters-key
            iam.PolicyStatement(
                sid="SnsEncryptsDeadLetters",
                principals=[iam.ServicePrincipal("sns.amazonaws.com")],
                actions=["kms:GenerateDataKey*", "kms:Decrypt"],
                resources=["*"],
                conditions={
                    "StringEquals": {"aws:SourceAccount": stack.account},
                    "ArnLike": {"aws:SourceArn": stack.format_arn(service="sns", resource=topic_name or "*")},
                },
            ),
        ):
            open_key(self.key, self, statement)

    def _open_topic(self) -> None:
        self.topic.add_to_resource_policy(
            iam.PolicyStatement(
                sid="ConnectPublishesChatMessages",
                principals=[iam.ServicePrincipal(_CONNECT)],
                actions=["sns:Publish"],
                resources=[self.topic.topic_arn],
                conditions=self._only_this_instance(),
            )
        )
        self.topic.add_to_resource_policy(
            iam.PolicyStatement(
                sid="NobodyElsePublishes",
                effect=iam.Effect.DENY,
                principals=[iam.StarPrincipal()],
                actions=["sns:Publish"],
                resources=[self.topic.topic_arn],
                conditions={"ArnNotEquals": {"aws:SourceArn": self._instance.instance_arn}},
            )
        )

    # evidence: connect-publishes-as-source, connect-uses-key-as-source
    def _only_this_instance(self) -> dict[str, dict[str, str]]:
        return {
            "StringEquals": {"aws:SourceAccount": self._instance.account},
            "ArnEquals": {"aws:SourceArn": self._instance.instance_arn},
        }

    def _queue(self, retention: cdk.Duration, removal_policy: cdk.RemovalPolicy) -> sqs.Queue:
        queue = sqs.Queue(
            self,
            "DeadLetters",
            encryption=sqs.QueueEncryption.KMS,
            encryption_master_key=self.key,
            enforce_ssl=True,
            retention_period=retention,
            visibility_timeout=cdk.Duration.minutes(5),
            removal_policy=removal_policy,
        )
        acknowledge(queue, "AwsSolutions-SQS3", "This is the dead-letter queue, of a topic's subscription.")
        explain_dead_letter_queue(queue)
        return queue
