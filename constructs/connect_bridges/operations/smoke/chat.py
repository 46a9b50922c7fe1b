"""ChatStreamBridge: a dry run of the start function, and what can be seen of topic, key and subscription."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from connect_bridges.operations import aws
from connect_bridges.operations.deployed import Bridge
from connect_bridges.operations.smoke import flows
from connect_bridges.operations.smoke.account import (
    Account,
    Need,
    flow_event,
    function_arn,
    partition_of,
)
from connect_bridges.operations.smoke.result import Checks, FailedError, SkippedError, asking

ONLY_A_CALL = (
    "Amazon Connect publishes a chat's messages to the topic, with its policy and its key",
    "the vendor takes InitializeConnection with this token",
    "its bot joins with the role or key that it was given, reads, answers, and leaves",
)
_CONNECT = "connect.amazonaws.com"
_KEY_ACTIONS = ("kms:GenerateDataKey*", "kms:Decrypt")
_TEMPORARY = frozenset({"ThrottlingException", "LimitExceededException", "InternalServiceException"})
_SUBSCRIPTION_GONE = (
    "Have SNS ask the webhook again: Request confirmation in the Amazon SNS console, once the vendor's channel is "
    "enabled. After 48 hours SNS deletes the subscription: then deploy with `cdk deploy --revert-drift`."
)


def needs(bridge: Bridge, account: Account) -> Iterator[Need]:
    """Yield the permissions that the checks need."""
    facts = bridge.facts
    partition = partition_of(facts["instanceArn"])
    yield Need(("lambda:InvokeFunction",), function_arn(account, partition, facts["functions"]["Start"]))
    yield Need(("sns:GetTopicAttributes",), facts["topicArn"])
    yield Need(("sns:GetSubscriptionAttributes",), "*")  # IAM knows no resource of it
    yield Need(("sqs:GetQueueAttributes",), _queue_arn(facts["deadLetterQueueUrl"], partition, account))
    yield Need(("kms:GetKeyPolicy",), f"arn:{partition}:kms:{account.region}:{account.account}:key/*")
    yield from flows.needs(bridge)


def attempt(bridge: Bridge, account: Account, checks: Checks, *, vendor: bool) -> None:
    """Do the checks. vendor: have the function open a connection to the webhook."""
    trial = _Trial(bridge, account, vendor=vendor)
    if checks.attempt("chat-dry-run", trial.dry_run):
        checks.attempt("chat-token", trial.token)
        checks.attempt("chat-start-permission", lambda: trial.permission("start"))
        checks.attempt("chat-stop-permission", lambda: trial.permission("stop"))
        checks.attempt("chat-webhook-connection", trial.webhook)
    else:
        for name in (
            "chat-token",
            "chat-start-permission",
            "chat-stop-permission",
            "chat-webhook-connection",
        ):
            checks.skip(name, "the function gave no answer", "Mend chat-dry-run first.")
    checks.attempt("chat-subscription", trial.subscription)
    checks.attempt("chat-dead-letters", trial.dead_letters)
    checks.attempt("chat-topic-policy", trial.topic_policy)
    checks.attempt("chat-key-policy", trial.key_policy)
    flows.attempt(bridge, account, checks)


class _Trial:
    def __init__(self, bridge: Bridge, account: Account, *, vendor: bool) -> None:
        self._account = account
        self._facts = bridge.facts
        self._function = str(bridge.facts["functions"]["Start"])
        self._topic = str(bridge.facts["topicArn"])
        self._vendor = vendor
        self._found: Mapping[str, str] = {}

    def dry_run(self) -> str:
        event = flow_event(
            self._facts["instanceArn"],
            str(uuid.uuid4()),
            channel="CHAT",
            parameters={"action": "check", **({"vendorCheck": "true"} if self._vendor else {})},
        )
        invocation = self._account.invoke(self._function, event)
        if invocation.failed and "action" in str(invocation.answer):
            raise FailedError(
                f"{self._function} does not know the dry run: it was deployed with an older version.",
                "Deploy the stack with this version of connect-bridges.",
                conclusive=False,
            )
        if invocation.failed or (invocation.answer or {}).get("streaming") != "checked":
            raise FailedError(
                f"{self._function} gave no answer to a dry run: {invocation.cause()}.", invocation.todo()
            )
        self._found = invocation.answer
        return "Start answers, and its environment is complete; nothing was streamed"

    def token(self) -> str:
        if self._found["token"] != "read":  # noqa: S105 (an outcome, no token)
            raise FailedError(
                f"{self._function} has no verification token ({self._found['token']}): {self._found['detail']}",
                "Store the vendor's token: aws secretsmanager put-secret-value --secret-id "
                f"{self._facts['secrets']['token']['arn']} --secret-string file://token.txt",
            )
        return "Start reads a verification token; whether it is the vendor's, only a chat shows"

    def permission(self, which: str) -> str:
        action = f"connect:{which.capitalize()}ContactStreaming"
        code, detail = self._found[which], self._found["detail"]
        if code in aws.DENIED:
            resource = re.search(rf"{action} on resource: ([^\s|,]+)", detail)
            raise FailedError(
                f"{self._function} may not call {action}"
                + (f" on {resource[1].rstrip('.')}" if resource else "")
                + f" ({code}).",
                f"Let the role of {self._function} call {action} on the instance and on its contacts (the ARN with "
                "/contact/*): deploy the stack again with `cdk deploy --revert-drift`; evidence streaming-contact-arn "
                "in docs/evidence.md has the statement to add.",
            )
        if code in _TEMPORARY or code.endswith(("Error", "Timeout")):
            raise FailedError(
                f"Amazon Connect did not answer {action} ({code}).",
                "Run the command again.",
                conclusive=False,
            )
        seen = "nothing to stop" if which == "stop" and code == "none" else code
        return f"{action} is allowed: AWS answers of a contact that does not exist ({seen})"

    def webhook(self) -> str:
        url = urlsplit(str(self._facts["webhookUrl"]))
        host, secure = url.netloc, url.scheme == "https"
        found = self._found["webhook"]
        if found == "notAsked":
            raise SkippedError(
                "the vendor was not asked", "Run with --vendor-check to open a connection to its webhook."
            )
        if found != "reached":
            raise FailedError(
                f"the function does not reach the webhook at {host} ({found}): {self._found['detail']}",
                "Check the webhook's address with the vendor; a function in a VPC needs a way out (NAT gateway) "
                "and port 443 in its security group.",
            )
        return f"the function reaches {host}" + (", and accepts its certificate" if secure else "")

    def subscription(self) -> str:
        arn = str(self._facts["subscriptionArn"])
        if not arn.startswith("arn:"):
            raise FailedError(f"the subscription of {self._topic} is {arn}.", _SUBSCRIPTION_GONE)
        with asking(f"read the subscription {arn}", "sns:GetSubscriptionAttributes"):
            try:
                found = self._account.client("sns").get_subscription_attributes(SubscriptionArn=arn)[
                    "Attributes"
                ]
            except self._account.client("sns").exceptions.NotFoundException as error:
                raise FailedError(f"the subscription {arn} is gone.", _SUBSCRIPTION_GONE) from error
        if found.get("PendingConfirmation") == "true":
            raise FailedError(f"the webhook has not confirmed the subscription {arn}.", _SUBSCRIPTION_GONE)
        if not found.get("RedrivePolicy"):
            raise FailedError(
                f"the subscription {arn} has no dead-letter queue: messages can get lost.",
                "Deploy the stack again with `cdk deploy --revert-drift`.",
            )
        return "confirmed, with a dead-letter queue"

    def dead_letters(self) -> str:
        url = str(self._facts["deadLetterQueueUrl"])
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        with asking(f"read the attributes of {url}", "sqs:GetQueueAttributes"):
            found = self._account.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)[
                "Attributes"
            ]
        waiting = sum(int(found.get(name, 0)) for name in names)
        if waiting:
            raise FailedError(
                f"{waiting} messages that the webhook did not take wait in {url}.",
                "Deliver them once the webhook is well: docs/constructs/chat-stream-bridge.md, Dead letters.",
            )
        return "empty"

    def topic_policy(self) -> str:
        policy = json.loads(self._topic_attributes.get("Policy") or "{}")
        if not _lets_connect(policy, ["sns:Publish"]):
            raise FailedError(
                f"the policy of {self._topic} does not let {_CONNECT} publish.",
                "Deploy the stack again with `cdk deploy --revert-drift`.",
            )
        return f"lets {_CONNECT} publish"

    def key_policy(self) -> str:
        key = self._topic_attributes.get("KmsMasterKeyId")
        if not key:
            raise SkippedError("the topic is not encrypted with a key of your own")
        if "alias/aws/sns" in key:
            raise FailedError(
                f"{self._topic} is encrypted with alias/aws/sns, with which Amazon Connect cannot publish.",
                "Deploy the stack again with `cdk deploy --revert-drift`.",
            )
        with asking(f"read the policy of the key {key}", "kms:GetKeyPolicy"):
            text = self._account.client("kms").get_key_policy(
                KeyId=key.rsplit("/", 1)[-1], PolicyName="default"
            )
        if not _lets_connect(json.loads(text["Policy"]), _KEY_ACTIONS):
            raise FailedError(
                f"the policy of the topic's key {key} does not let {_CONNECT} use it.",
                f"Let {_CONNECT} do {' and '.join(_KEY_ACTIONS)} in the key's policy, or deploy again with "
                "`cdk deploy --revert-drift` if the key is the stack's.",
            )
        return f"lets {_CONNECT} use the topic's key"

    @cached_property
    def _topic_attributes(self) -> Mapping[str, str]:
        with asking(f"read the topic {self._topic}", "sns:GetTopicAttributes"):
            answer = self._account.client("sns").get_topic_attributes(TopicArn=self._topic)
        attributes: Mapping[str, str] = answer["Attributes"]
        return attributes


def _lets_connect(policy: Mapping[str, Any], actions: Sequence[str]) -> bool:
    """Tell whether a resource policy has an Allow for Amazon Connect with each action; conditions are not weighed."""
    allowed: set[str] = set()
    for statement in _listed(policy.get("Statement")):
        principal = statement.get("Principal")
        services = _listed(principal.get("Service")) if isinstance(principal, Mapping) else []
        if statement.get("Effect") == "Allow" and _CONNECT in services:
            allowed.update(str(action).lower() for action in _listed(statement.get("Action")))
    return all(_covered(action.lower(), allowed) for action in actions)


def _covered(action: str, allowed: set[str]) -> bool:
    service = action.partition(":")[0]
    return bool(allowed & {action, action.removesuffix("*"), f"{service}:*", "*"})


def _listed(value: Any) -> list[Any]:  # noqa: ANN401 (a policy's JSON)
    return value if isinstance(value, list) else [] if value is None else [value]


def _queue_arn(url: str, partition: str, account: Account) -> str:
    return f"arn:{partition}:sqs:{account.region}:{account.account}:{url.rsplit('/', 1)[-1]}"
