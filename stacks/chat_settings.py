"""The chat path of an environment: settings, checked before anything is built."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, Self

from connect_bridges.shared.runtime_modules import runtime_module
from connect_bridges.shared.webhook_url import check_webhook_url, is_loopback
from pydantic import AfterValidator, Field, model_validator

from .setting_types import CamelSettings, Prompt, QueueArn, SecretArn, bounded, matching

if TYPE_CHECKING:
    from runtime.chat import limits
else:
    limits = runtime_module("chat.limits")


def _webhook(value: str) -> str:
    return check_webhook_url("the webhook", value)


WebhookUrl = Annotated[str, AfterValidator(_webhook)]
ContactAction = Literal[
    "connect:DescribeContact",
    "connect:GetContactAttributes",
    "connect:StopContact",
    "connect:UpdateContactAttributes",
]
ParticipantRole = Literal["CUSTOMER", "AGENT", "SYSTEM", "CUSTOM_BOT", "SUPERVISOR"]


class VendorRoleSettings(CamelSettings):
    """A role that the vendor assumes from an account of its own."""

    principal: str = Field(pattern=r"^([0-9]{12}|arn:aws[-a-z]*:iam::[0-9]{12}:(root|role/\S+|user/\S+))$")
    external_id: str = Field(pattern=r"^[A-Za-z0-9_+=,.@:/-]{2,1224}$")


class VendorKeySettings(CamelSettings):
    """A user with an access key; two serials during a rotation."""

    serials: list[int] = Field(default=[1], min_length=1, max_length=2)
    rotate_after_days: int = bounded(limits.KEY_AGE_DAYS, limits.KEY_AGE_DAYS_RANGE)

    @model_validator(mode="after")
    def _ascending(self) -> Self:
        if self.serials != sorted(set(self.serials)) or self.serials[0] < 1:
            raise ValueError(f"serials {self.serials} are not ascending numbers from 1 up, as in [1, 2]")
        return self


class VendorAccessSettings(CamelSettings):
    """What the vendor joins chats with: at most one of role and accessKey."""

    role: VendorRoleSettings | None = None
    access_key: VendorKeySettings | None = None
    also: list[ContactAction] = Field(default_factory=list)

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.role is None) == (self.access_key is None):
            found = "neither" if self.role is None else "both"
            raise ValueError(f"give exactly one of role and accessKey; found {found}")
        return self


class ChatPromptSettings(CamelSettings):
    """What customers read, where it differs from the defaults."""

    welcome: Prompt = None
    hand_over: Prompt = None
    not_available: Prompt = None
    time_is_up: Prompt = None
    queue_full: Prompt = None
    queue_error: Prompt = None


class ChatFilterSettings(CamelSettings):
    """Which messages go to the webhook."""

    type: list[Literal["MESSAGE", "EVENT"]] = Field(default=["MESSAGE"], min_length=1)
    participant_role: list[ParticipantRole] = Field(default=["CUSTOMER"], min_length=1)
    message_visibility: list[Literal["AGENT", "CUSTOMER", "ALL"]] | None = Field(default=None, min_length=1)

    def as_policy(self) -> dict[str, list[str]]:
        """Return the filter policy with the message attributes' own names."""
        policy: dict[str, list[str]] = {
            "Type": list(self.type),
            "ParticipantRole": list(self.participant_role),
        }
        if self.message_visibility:
            policy["MessageVisibility"] = list(self.message_visibility)
        return policy


class ChatSettings(CamelSettings):
    """The chat path: streaming to an external bot."""

    webhook_url: WebhookUrl
    queue: str | None = None
    queue_arn: QueueArn | None = None
    preset: Literal["default", "kore"] = "default"
    token_secret_arn: SecretArn | None = None
    token_header: str | None = Field(default=None, pattern=matching(limits.TOKEN_HEADER_NAME))
    token_cache_seconds: int = bounded(limits.TOKEN_CACHE_SECONDS, limits.TOKEN_CACHE_SECONDS_RANGE)
    vendor_access: VendorAccessSettings | None = None
    filter: ChatFilterSettings | None = None
    wait_minutes: int = bounded(limits.WAIT_SECONDS, limits.WAIT_SECONDS_RANGE, unit=60)
    time_to_join_seconds: int = bounded(limits.JOIN_SECONDS, limits.JOIN_SECONDS_RANGE)
    after_wait: Literal["disconnect", "queue"] = "disconnect"
    stop_at_hand_over: bool = True
    dead_letter_retention_days: int = bounded(
        limits.DEAD_LETTER_SECONDS, limits.DEAD_LETTER_SECONDS_RANGE, unit=86_400
    )
    encrypt_logs: bool = False
    """Topic, dead letters and secrets have a customer-managed key anyway."""
    prompts: ChatPromptSettings = ChatPromptSettings()

    @property
    def rehearsal_only(self) -> bool:
        """Whether the webhook is on this machine: such a stack cannot be deployed to AWS."""
        return is_loopback(self.webhook_url)

    def arns_of_account(self) -> dict[str, str | None]:
        """Return what must be in the environment's account and Region, by key path."""
        return {"chat.tokenSecretArn": self.token_secret_arn}

    def arns_of_instance(self) -> dict[str, str | None]:
        """Return what must belong to the environment's Connect instance, by key path."""
        return {"chat.queueArn": self.queue_arn}

    def queues(self) -> dict[str, str | None]:
        """Return the names of queues of a created instance, by key path; None where one is missing."""
        return {"chat.queue": self.queue}
