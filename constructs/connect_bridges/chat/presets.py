"""What vendors' guides say about a streamed chat: data, one preset each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

from connect_bridges.shared.runtime_modules import runtime_module

if TYPE_CHECKING:
    from runtime.chat import limits
else:
    limits = runtime_module("chat.limits")


class ChatStreamNames(TypedDict, total=False):
    """What of a ``ChatStreamPreset`` can be replaced, each of which ``with_overrides`` takes."""

    token_header: str | None
    filter_policy: Mapping[str, Sequence[str]] | None
    topic_name: str | None
    function_name: str | None


def _customer_messages() -> Mapping[str, Sequence[str]]:
    return {"Type": ["MESSAGE"], "ParticipantRole": ["CUSTOMER"]}


@dataclass(frozen=True, kw_only=True)
class ChatStreamPreset:
    """A vendor's names and choices; ``None`` leaves a name to CloudFormation, so that stacks never clash.

    Each can be replaced: ``ChatStreamPreset.kore().with_overrides(topic_name="SupportChats")``.
    """

    token_header: str = limits.TOKEN_HEADER
    """The request header in which the webhook wants the token."""
    filter_policy: Mapping[str, Sequence[str]] = field(default_factory=_customer_messages)
    """Which messages go to the webhook, by message attribute: Type, ParticipantRole, MessageVisibility, ContentType."""
    topic_name: str | None = None
    function_name: str | None = None

    @classmethod
    def default(cls) -> ChatStreamPreset:
        """Return the header and filter of Kore's guide to chat (docs/guides.md#chat-2-4-4)."""
        return cls()

    @classmethod
    def kore(cls) -> ChatStreamPreset:
        """Return the names of Kore's guide to Amazon Connect Chat (docs/guides.md#chat-1-1-3).

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

    def with_overrides(self, **names: Unpack[ChatStreamNames]) -> ChatStreamPreset:
        """Return this preset with what is not ``None`` replaced."""
        given: dict[str, Any] = {key: value for key, value in names.items() if value is not None}
        return replace(self, **given)
