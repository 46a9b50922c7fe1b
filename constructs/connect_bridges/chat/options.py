"""How chat messages get to the vendor, and how the flow waits for its bot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import aws_cdk as cdk
from aws_cdk import aws_sns as sns

from connect_bridges.shared.checks import Problems, check_duration, check_flag, check_kind
from connect_bridges.shared.runtime_modules import runtime_module

if TYPE_CHECKING:
    from runtime.chat import limits
else:
    limits = runtime_module("chat.limits")

AFTER_WAIT = ("disconnect", "queue")


@dataclass(frozen=True, kw_only=True)
class ChatConversation:
    """How the flow waits for the bot.

    wait_for_bot: how long it waits for the bot to leave; up to 7 days, default 15 minutes.
    time_to_join: how long the bot may take to join before the chat goes to an agent; 1 to 60 seconds, default 15,
    which is also how long Amazon Connect lets it take from CreateParticipant to its connection.
    after_wait: what happens when wait_for_bot is over: disconnect, as in Kore's guide
    (docs/guides.md#chat-3-2-6), or queue for an agent.
    stop_at_hand_over: stop the streaming when an agent takes over, so that the vendor does not go on reading along;
    False for a vendor that assists the agent.
    Raises ``ValueError`` naming everything that is wrong.
    """

    wait_for_bot: cdk.Duration | None = None
    time_to_join: cdk.Duration | None = None
    after_wait: Literal["disconnect", "queue"] = "disconnect"
    stop_at_hand_over: bool = True

    def __post_init__(self) -> None:
        problems = Problems("ChatConversation")
        if self.wait_for_bot is not None:
            problems.collect(check_duration, "wait_for_bot", self.wait_for_bot, limits.WAIT_SECONDS_RANGE)
        if self.time_to_join is not None:
            problems.collect(check_duration, "time_to_join", self.time_to_join, limits.JOIN_SECONDS_RANGE)
        if self.after_wait not in AFTER_WAIT:
            problems.add(f"after_wait is {self.after_wait!r}; choose disconnect or queue.")
        problems.collect(check_flag, "stop_at_hand_over", self.stop_at_hand_over)
        problems.raise_all()

    @property
    def wait_seconds(self) -> int:
        """How long the flow waits for the bot to leave, in seconds."""
        return limits.WAIT_SECONDS if self.wait_for_bot is None else int(self.wait_for_bot.to_seconds())

    @property
    def join_seconds(self) -> int:
        """How long the bot may take to join, in seconds."""
        return limits.JOIN_SECONDS if self.time_to_join is None else int(self.time_to_join.to_seconds())


@dataclass(frozen=True, kw_only=True)
class ChatDelivery:
    """How Amazon SNS delivers to the webhook.

    policy: how it tries again; None is about ten minutes. dead_letter_retention: how long the dead-letter queue keeps
    what the webhook did not take; 1 minute to 14 days, None is 14 days.
    Raises ``ValueError`` naming what is wrong.
    """

    policy: sns.DeliveryPolicy | None = None
    dead_letter_retention: cdk.Duration | None = None

    def __post_init__(self) -> None:
        problems = Problems("ChatDelivery")
        if self.dead_letter_retention is not None:
            problems.collect(
                check_duration,
                "dead_letter_retention",
                self.dead_letter_retention,
                limits.DEAD_LETTER_SECONDS_RANGE,
            )
        if self.policy is not None:
            problems.collect(check_kind, "policy", self.policy, "sns.DeliveryPolicy(…)", sns.DeliveryPolicy)
        problems.raise_all()

    @property
    def retention(self) -> cdk.Duration:
        """How long the dead-letter queue keeps a message."""
        if self.dead_letter_retention is None:
            return cdk.Duration.seconds(limits.DEAD_LETTER_SECONDS)
        return self.dead_letter_retention


def default_delivery_policy() -> sns.DeliveryPolicy:
    """Return how SNS tries again when the webhook fails: at once, then for about ten minutes, ever more slowly.

    SNS's own default is three tries within a minute. A chat waits for a bot longer than that, yet what comes after
    the conversation has ended helps nobody: then the dead-letter queue has it. SNS tries again after 5xx answers and
    time-outs (15 s); a 4xx answer goes to the dead-letter queue at once.
    """
    # evidence: sns-https-retries
    return sns.DeliveryPolicy(
        healthy_retry_policy=sns.HealthyRetryPolicy(
            num_no_delay_retries=1,
            num_min_delay_retries=2,
            num_max_delay_retries=7,
            num_retries=20,
            min_delay_target=cdk.Duration.seconds(1),
            max_delay_target=cdk.Duration.seconds(60),
            backoff_function=sns.BackoffFunction.EXPONENTIAL,
        )
    )
