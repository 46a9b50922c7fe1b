"""The deployed chat path: what its flow is called, what its vendor was given, and the vendor's platform itself."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connect_sandbox.cloud import Sandbox
from connect_sandbox.cloud.sns import Subscription

from rehearsals.environments import context
from rehearsals.vendors.chat.client import BotPlatform
from rehearsals.vendors.chat.script import BotAccess

CHAT_STACK = "connect-bridges-dev-chat"
VENDOR_ACCOUNT = "210987654321"
VENDOR_USER = f"arn:aws:iam::{VENDOR_ACCOUNT}:user/example-bot-platform"
EXTERNAL_ID = "example-tenant"
VENDOR_TOKEN = "vendors-verification-token-7c1e"  # noqa: S105  (the fake's own, for this machine only)
_CONFIRMATION_LIMIT = 10.0


@dataclass(frozen=True)
class ChatPath:
    """A deployed chat path. `token` is the vendor's verification token, `bot` its platform's process."""

    stack: str
    flow_arn: str
    topic_arn: str
    dead_letter_queue_url: str
    function: str
    token: str
    vendor_role_arn: str
    bot: BotPlatform

    @property
    def instance_arn(self) -> str:
        """The Connect instance that the flow is published in."""
        return self.flow_arn.split("/contact-flow/")[0]


def environments_with_chats(project: Path, webhook_url: str) -> dict[str, Any]:
    """Return the project's environment `dev` with its webhook on this machine, and the vendor's role.

    It goes on the command line, so that nobody's cdk.json has to name a webhook that is not the vendor's.
    """
    dev = context(project)["environments"]["dev"]
    chat = dev.get("chat") or {"queueArn": dev["voice"]["queueArn"]}
    access = {"role": {"principal": VENDOR_ACCOUNT, "externalId": EXTERNAL_ID}}
    dev["chat"] = {**chat, "webhookUrl": webhook_url, "vendorAccess": access}
    return {"dev": dev}


def after_deployment(sandbox: Sandbox, bot: BotPlatform) -> ChatPath:
    """Do what the stack's documentation asks for after the first deployment: token, vendor's access, confirmation."""
    outputs = sandbox.stack_outputs(CHAT_STACK)
    sandbox.boto3_client("secretsmanager").put_secret_value(
        SecretId=outputs["ChatTokenSecretArn"], SecretString=VENDOR_TOKEN
    )
    path = ChatPath(
        stack=CHAT_STACK,
        flow_arn=outputs["ChatFlowArn"],
        topic_arn=outputs["ChatTopicArn"],
        dead_letter_queue_url=outputs["ChatDeadLetterQueueUrl"],
        function=outputs["ChatFunctionName"],
        token=VENDOR_TOKEN,
        vendor_role_arn=outputs["ChatVendorRoleArn"],
        bot=bot,
    )
    bot.is_told_access(vendor_access(sandbox, path.vendor_role_arn))
    [subscription] = sandbox.sns.of_topic(path.topic_arn)
    _expect_confirmed(sandbox, subscription)
    return path


def vendor_access(sandbox: Sandbox, role_arn: str = "") -> BotAccess:
    """Return what the vendor reaches AWS with: a key of its own account, and the role that it was given."""
    key, secret = sandbox.principals.admit(VENDOR_USER)
    return BotAccess(
        endpoint_url=sandbox.endpoint_url,
        region=sandbox.region,
        access_key_id=key,
        secret_access_key=secret,
        role_arn=role_arn,
        external_id=EXTERNAL_ID,
    )


def _expect_confirmed(sandbox: Sandbox, subscription: Subscription) -> None:
    if not sandbox.sns.deliveries.wait_until(lambda: subscription.confirmed, _CONFIRMATION_LIMIT):
        raise TimeoutError(f"the webhook {subscription.endpoint} has not confirmed its subscription")
