"""The chat path: token, subscription, and what the vendor's platform has to be told (Kore's guide to chat)."""

from __future__ import annotations

from collections.abc import Mapping

from stacks.chat_settings import ChatSettings
from stacks.settings import Settings

from . import instance_parts, secrets
from .findings import Aws, Check, Finding, stack_name, value


def checks(chat: ChatSettings, environment: str) -> list[Check]:
    """Return the checks of the chat path."""
    stack = stack_name(environment, "chat")
    return [
        instance_parts.queue("chat queue", chat.queue_arn),
        Check("chat webhook", _webhook),
        (
            secrets.named("chat token", "chat.tokenSecretArn", chat.token_secret_arn)
            if chat.token_secret_arn
            else secrets.own("chat token", stack, "ChatTokenSecretArn")
        ),
        Check("chat subscription", _subscription, blocking=False),
    ]


def next_steps(chat: ChatSettings, settings: Settings, outputs: Mapping[str, str]) -> list[str]:
    """Return what people do at the vendor's platform and in the Amazon Connect console."""
    token = value(outputs, "ChatTokenSecretArn")
    topic = value(outputs, "ChatTopicArn")
    where = (
        "at Kore under Channels & Flows, Channels, Digital, Amazon Connect Chat, Configurations"
        if chat.preset == "kore"
        else "in the vendor's channel configuration"
    )
    steps = [f"Enter {_access(chat, settings, outputs)} {where}, and enable the channel."]
    if chat.token_secret_arn is None:
        steps.insert(0, f"Store the verification token that you find {where}: {secrets.put(token, ())}.")
    return [
        *steps,
        (
            "See that the vendor's platform has confirmed the subscription (make preflight says so): "
            f"aws sns list-subscriptions-by-topic --topic-arn {topic} shows an ARN, not PendingConfirmation."
        ),
        (
            "Choose the flow for the chat widget in the Amazon Connect console: "
            f"{value(outputs, 'ChatFlowArn')}; or invoke the module {value(outputs, 'ChatModuleArn')} in a flow of "
            "yours."
        ),
    ]


def _access(chat: ChatSettings, settings: Settings, outputs: Mapping[str, str]) -> str:
    access = chat.vendor_access
    region = f"the Region {settings.region}"
    if access and access.role:
        role = value(outputs, "ChatVendorRoleArn")
        return f"{region}, the role {role} and the external id {access.role.external_id}"
    if access:
        secret = value(outputs, "ChatVendorKeySecretArn")
        return (
            f"{region} and the access key (aws secretsmanager get-secret-value --secret-id {secret} "
            "--query SecretString --output text)"
        )
    return (
        f"{region} and credentials that may call connect:CreateParticipant (chat.vendorAccess creates some)"
    )


def _webhook(settings: Settings, aws: Aws) -> Finding:  # noqa: ARG001 (a check takes both)
    chat = _chat(settings)
    fix = "write the vendor's https URL into chat.webhookUrl: Amazon SNS refuses addresses of this machine"
    return Finding("chat webhook", chat.webhook_url, fix if chat.rehearsal_only else "")


def _subscription(settings: Settings, aws: Aws) -> Finding:
    name, stack = "chat subscription", stack_name(settings.name, "chat")
    topic = (aws.outputs(stack) or {}).get("ChatTopicArn")
    if topic is None:
        return Finding(
            name, "comes with the deployment; enable the vendor's channel before, so that it confirms"
        )
    chat = _chat(settings)
    arns = [
        subscription["SubscriptionArn"]
        for subscription in aws.pages("sns", "list_subscriptions_by_topic", "Subscriptions", TopicArn=topic)
        if subscription["Endpoint"] == chat.webhook_url
    ]
    if not arns:  # SNS deletes what is not confirmed within 48 hours
        return Finding(
            name,
            "the topic has no subscription for the webhook; SNS deletes what is not confirmed within 48 hours",
            f"enable the vendor's channel, then npx cdk deploy {stack} -c env={settings.name} --revert-drift",
            blocking=False,
        )
    if not any(arn.startswith("arn:") for arn in arns):
        return Finding(
            name,
            "pending: the vendor's platform has not confirmed it, and no message is delivered",
            "enable the vendor's channel, then choose Request confirmation for it in the Amazon SNS console, Topics, "
            f"{topic.rpartition(':')[2]}",
            blocking=False,
        )
    return Finding(name, "confirmed")


def _chat(settings: Settings) -> ChatSettings:
    if settings.chat is None:
        raise AssertionError("a check of the chat path ran in an environment without one")
    return settings.chat
