"""What vendors' guides say about a streamed chat: data, one preset each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import aws_cdk as cdk
from aws_cdk import aws_sns as sns


def _customer_messages() -> Mapping[str, Sequence[str]]:
    return {"Type": ["MESSAGE"], "ParticipantRole": ["CUSTOMER"]}


@dataclass(frozen=True, kw_only=True)
class ChatStreamPreset:
    """A vendor's names and wishes; ``None`` leaves a name to CloudFormation, so that stacks never clash.

    Each can be overridden by the keyword of the same name on ``ChatStreamBridge``.
    """

    token_header: str = "Verification-Token"  # noqa: S105 (a header's name)
    """The request header in which the webhook wants the token."""
    filter_policy: Mapping[str, Sequence[str]] = field(default_factory=_customer_messages)
    """Which messages go to the webhook, by message attribute: Type, ParticipantRole, MessageVisibility, ContentType."""
    topic_name: str | None = None
    function_name: str | None = None

    @classmethod
    def default(cls) -> ChatStreamPreset:
        """Return the guide's header and filter with CloudFormation's names."""
        return cls()

    @classmethod
    def kore(cls) -> ChatStreamPreset:
        """Return the names of guide 001 (Kore, Amazon Connect Chat).

        They are fixed names: one bridge per account and Region can carry them.
        """
        return cls(topic_name="KoreChatStream", function_name="AmazonConnect_SendContactId")

    @classmethod
    def named(cls, name: str) -> ChatStreamPreset:
        """Return the preset of that name; raises ``ValueError`` naming the ones that exist."""
        presets = {"default": cls.default, "kore": cls.kore}
        if name not in presets:
            raise ValueError(
                f"There is no chat stream preset {name!r}; choose one of {', '.join(sorted(presets))}."
            )
        return presets[name]()

    def with_overrides(
        self,
        *,
        token_header: str | None = None,
        filter_policy: Mapping[str, Sequence[str]] | None = None,
        topic_name: str | None = None,
        function_name: str | None = None,
    ) -> ChatStreamPreset:
        """Return this preset with what is not ``None`` replaced."""
        return replace(
            self,
            token_header=token_header or self.token_header,
            filter_policy=self.filter_policy if filter_policy is None else filter_policy,
            topic_name=topic_name or self.topic_name,
            function_name=function_name or self.function_name,
        )


def default_delivery_policy() -> sns.DeliveryPolicy:
    """Return how SNS tries again when the webhook fails: at once, then for about ten minutes, ever more slowly.

    SNS's own default is three tries within a minute. A chat waits for a bot longer than that, yet what comes after
    the conversation has ended helps nobody: then the dead-letter queue has it. SNS tries again after 5xx answers and
    time-outs (15 s); a 4xx answer goes to the dead-letter queue at once.
    """
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
