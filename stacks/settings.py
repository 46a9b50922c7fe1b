"""What an environment is made of, read from the CDK context and checked as a whole before anything is built."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from connect_bridges.shared import limits
from connect_bridges.shared.runtime_modules import runtime_module
from connect_bridges.voice.connector import check_host, check_members
from pydantic import AfterValidator, Field, ValidationError, model_validator

from .biometrics_settings import BiometricsSettings
from .chat_settings import ChatSettings
from .instance_settings import InstanceSettings
from .setting_types import (
    Account,
    CamelSettings,
    ConnectorArn,
    FlowArn,
    InstanceArn,
    Network,
    PhoneNumber,
    Problem,
    Prompt,
    QueueArn,
    Region,
    SettingProblemsError,
    TopicArn,
    bounded,
    matching,
)

if TYPE_CHECKING:
    from runtime.metadata import limits as metadata_limits
    from runtime.voice import limits as voice_limits
else:
    metadata_limits = runtime_module("metadata.limits")
    voice_limits = runtime_module("voice.limits")

_ENVIRONMENT_NAME = re.compile(r"[a-z][a-z0-9-]{0,30}")


class SettingsError(ValueError):
    """The settings of an environment cannot be used; the message lists every problem with its key path and the fix."""


def _host(value: str) -> str:
    check_host("the host", value)
    return value


def _border_controllers(values: list[str]) -> list[str]:
    check_members("the list", values, voice_limits.SESSION_BORDER_CONTROLLER_TYPES)
    return values


def _contact_centers(values: list[str]) -> list[str]:
    check_members("the list", values, voice_limits.CONTACT_CENTER_SYSTEM_TYPES)
    return values


def _log_retention(days: int) -> int:
    if days not in voice_limits.LOG_RETENTION_CHOICES:
        choices = ", ".join(map(str, voice_limits.LOG_RETENTION_CHOICES))
        raise ValueError(f"CloudWatch Logs does not take {days} days; choose from {choices}")
    return days


Host = Annotated[str, AfterValidator(_host)]


LogRetention = Annotated[int, AfterValidator(_log_retention)]
BorderControllers = Annotated[list[str], AfterValidator(_border_controllers)]
ContactCenters = Annotated[list[str], AfterValidator(_contact_centers)]


class ConnectorSettings(CamelSettings):
    """A voice connector that the deployment creates (Kore's guide to external voice, docs/guides.md#voice-2-1)."""

    host: Host
    port: int = bounded(voice_limits.PORT, voice_limits.PORT_RANGE)
    protocol: Literal["TCP", "UDP"] = "TCP"
    name: str | None = Field(default=None, pattern=matching(voice_limits.CONNECTOR_NAME))
    require_encryption: bool = True
    session_border_controller_types: BorderControllers = Field(
        default=[voice_limits.SESSION_BORDER_CONTROLLER_TYPE], min_length=1
    )
    contact_center_system_types: ContactCenters = Field(default_factory=list)
    sip_logs: bool = True
    media_metric_logs: bool = True
    log_retention_days: LogRetention = voice_limits.LOG_RETENTION_DAYS


class DestinationSettings(CamelSettings):
    """Where calls go: exactly one of a connector that exists, a connector to create, or a telephone number."""

    connector_arn: ConnectorArn | None = None
    create_connector: ConnectorSettings | None = None
    did: PhoneNumber | None = None
    phone_number: PhoneNumber | None = None

    @model_validator(mode="after")
    def _one_way_out(self) -> Self:
        given = [
            name
            for name, value in {
                "connectorArn": self.connector_arn,
                "createConnector": self.create_connector,
                "phoneNumber": self.phone_number,
            }.items()
            if value is not None
        ]
        if len(given) != 1:
            found = " and ".join(given) if given else "none"
            raise ValueError(
                f"give exactly one of connectorArn, createConnector and phoneNumber; found {found}"
            )
        if self.phone_number is None and self.did is None:
            raise ValueError(
                "a connector needs did, the E.164 number under which the vendor expects the call"
            )
        if self.phone_number is not None and self.did is not None:
            raise ValueError("did belongs to a connector; with phoneNumber leave it out")
        return self


class MetadataSettings(CamelSettings):
    """The metadata bridge; every key has a safe default."""

    preset: Literal["default", "kore"] = "default"
    path: str | None = Field(default=None, pattern=matching(limits.RESOURCE_PATH))
    stage_name: str | None = Field(default=None, pattern=matching(limits.STAGE_NAME_TEXT))
    time_to_live_hours: int = bounded(
        metadata_limits.TTL_SECONDS, metadata_limits.TTL_SECONDS_RANGE, unit=3600
    )
    token_cache_seconds: int = bounded(
        metadata_limits.TOKEN_CACHE_SECONDS, metadata_limits.TOKEN_CACHE_SECONDS_RANGE
    )
    contact_tokens: bool = False
    contact_token_minutes: int = bounded(
        metadata_limits.CONTACT_TOKEN_SECONDS, metadata_limits.CONTACT_TOKEN_SECONDS_RANGE, unit=60
    )
    allowed_addresses: list[Network] = Field(default_factory=list)
    throttling_rate_limit: int = bounded(limits.THROTTLING_RATE_LIMIT, limits.THROTTLING_RATE_LIMIT_RANGE)
    throttling_burst_limit: int = bounded(limits.THROTTLING_BURST_LIMIT, limits.THROTTLING_BURST_LIMIT_RANGE)
    encryption: Literal["aws-managed", "customer-managed"] = "aws-managed"
    cloud_watch_role: bool = True


class PromptSettings(CamelSettings):
    """What callers hear, where it differs from the defaults."""

    welcome: Prompt = None
    call_failed: Prompt = None
    connection_timeout: Prompt = None
    transfer_error: Prompt = None
    metadata_error: Prompt = None
    queue_full: Prompt = None
    queue_error: Prompt = None


class VoiceSettings(CamelSettings):
    """The voice path: external voice transfer and metadata bridge."""

    destination: DestinationSettings
    queue: str | None = None
    queue_arn: QueueArn | None = None
    next_flow_arn: FlowArn | None = None
    connection_time_limit_seconds: int = bounded(
        voice_limits.CONNECTION_SECONDS, voice_limits.CONNECTION_SECONDS_RANGE
    )
    user_to_user_information: str | None = None
    metadata_attribute: str = Field(
        default=voice_limits.METADATA_ATTRIBUTE, pattern=matching(voice_limits.METADATA_ATTRIBUTE_NAME)
    )
    metadata: MetadataSettings = MetadataSettings()
    prompts: PromptSettings = PromptSettings()

    def arns_of_account(self) -> dict[str, str | None]:
        """Return what must be in the environment's account and Region, by key path."""
        return {"voice.destination.connectorArn": self.destination.connector_arn}

    def arns_of_instance(self) -> dict[str, str | None]:
        """Return what must belong to the environment's Connect instance, by key path."""
        return {"voice.queueArn": self.queue_arn, "voice.nextFlowArn": self.next_flow_arn}

    def queues(self) -> dict[str, str | None]:
        """Return the names of queues of a created instance, by key path; None where one is missing."""
        return {"voice.queue": self.queue}


class MonitoringSettings(CamelSettings):
    """What watches the whole environment: alarms on its instance, one dashboard for all, and who hears of alarms."""

    alarm_email: str | None = Field(default=None, pattern=matching(re.compile(r"[^@\s]{1,64}@[^@\s]{1,255}")))
    """Who gets the alarms: the environment makes the topic. AWS sends a link to be confirmed first."""
    dashboard_name: str | None = Field(default=None, pattern=matching(re.compile(r"[A-Za-z0-9_-]{1,255}")))
    flows: list[str] = Field(default_factory=list)
    """Names of flows to watch besides the environment's own."""
    queues: list[str] = Field(default_factory=list)
    """Names of queues to watch besides those that the environment creates."""
    thresholds: dict[str, float] = Field(default_factory=dict)
    """By name of the alarm, as ``ContactCenterMonitoring`` takes them."""


class Settings(CamelSettings):
    """One environment."""

    name: str
    account: Account
    region: Region
    protected: bool = True
    deletion_protection: bool = False
    instance: InstanceSettings | None = None
    instance_arn: InstanceArn | None = None
    alarm_topic_arn: TopicArn | None = None
    monitoring: MonitoringSettings | None = None
    voice: VoiceSettings
    chat: ChatSettings | None = None
    biometrics: BiometricsSettings | None = None

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        problems = [*self._one_instance(), *self._all_in_one_place(), *self._safe()]
        if problems:
            raise SettingProblemsError(problems)
        return self

    @property
    def _capabilities(self) -> list[VoiceSettings | ChatSettings | BiometricsSettings]:
        return [capability for capability in (self.voice, self.chat, self.biometrics) if capability]

    def _one_instance(self) -> Iterator[Problem]:
        """Check that there is one instance, and that the capabilities name what is in it."""
        if (self.instance is None) == (self.instance_arn is None):
            found = "neither" if self.instance is None else "both"
            yield (
                "",
                (
                    "give exactly one of instance, which creates an Amazon Connect instance, and instanceArn, which "
                    f"names one that exists; found {found}"
                ),
            )
            return
        for capability in self._capabilities:
            names, arns = capability.queues(), capability.arns_of_instance()
            if self.instance is None:
                yield from _imported(names, arns)
            else:
                yield from _created(names, arns, self.instance)
        for key, number in (self.instance.numbers if self.instance else {}).items():
            if number.flow == "biometrics" and self.biometrics is None:
                yield (
                    f"instance.numbers.{key}.flow",
                    "'biometrics' has no flow: the environment has no section biometrics; add it, or write 'voice'",
                )

    def _all_in_one_place(self) -> Iterator[Problem]:
        """Amazon Connect works within one account and Region; a foreign ARN would fail on a live call."""
        here = {"instanceArn": self.instance_arn, "alarmTopicArn": self.alarm_topic_arn}
        of_instance: dict[str, str | None] = {}
        for capability in self._capabilities:
            here.update(capability.arns_of_account())
            of_instance.update(capability.arns_of_instance())
        if self.instance:
            here.update(self.instance.arns_of_account() | of_instance)
        for key, arn in here.items():
            if arn is not None and f":{self.region}:{self.account}:" not in arn:
                yield key, f"{arn!r} is not in {self.region}, account {self.account}"
        if self.instance_arn:
            for key, arn in of_instance.items():
                if arn is not None and not arn.startswith(f"{self.instance_arn}/"):
                    yield key, f"{arn!r} is not of the instance {self.instance_arn}"

    def _safe(self) -> Iterator[Problem]:
        if self.alarm_topic_arn and self.monitoring and self.monitoring.alarm_email:
            yield (
                "monitoring.alarmEmail",
                "makes a topic, yet alarmTopicArn names one; leave one of them out",
            )
        if self.deletion_protection and not self.protected:
            yield (
                "deletionProtection",
                (
                    "is true and protected is false, so that data would go with a stack that cannot be deleted; set "
                    "protected to true as well, or leave deletionProtection out"
                ),
            )
        if not self.protected:
            return
        if self.instance and not self.instance.retain:
            yield (
                "instance.retain",
                (
                    "is false in a protected environment, whose instance would go with its stack, and with it numbers, "
                    "users and metrics; leave it out, or set protected to false"
                ),
            )
        for key, number in (self.instance.numbers if self.instance else {}).items():
            if not number.retain:
                yield (
                    f"instance.numbers.{key}.retain",
                    (
                        "is false in a protected environment, whose number would be released with its stack; leave it "
                        "out, or set protected to false"
                    ),
                )
        on_this_machine = self.biometrics.rehearsal_only if self.biometrics else {}
        if self.chat and self.chat.rehearsal_only:
            on_this_machine = {"chat.webhookUrl": self.chat.webhook_url, **on_this_machine}
        for key, url in on_this_machine.items():
            yield (
                key,
                f"{url!r} is on this machine; a protected environment takes an https URL elsewhere only",
            )


def _imported(names: Mapping[str, str | None], arns: Mapping[str, str | None]) -> Iterator[Problem]:
    for key, name in names.items():
        arn_key = f"{key}Arn"
        if name is not None:
            yield (
                key,
                f"{name!r} names a queue of a created instance; with instanceArn write {arn_key} instead",
            )
        elif arns.get(arn_key) is None and not key.endswith("unverifiedQueue"):
            yield arn_key, "is missing; add it"


def _created(
    names: Mapping[str, str | None], arns: Mapping[str, str | None], instance: InstanceSettings
) -> Iterator[Problem]:
    there = ", ".join(instance.queues)
    for key, name in names.items():
        arn_key = f"{key}Arn"
        if arns.get(arn_key) is not None:
            yield (
                arn_key,
                f"names a queue that exists, yet instance creates them; write {key}, one of {there}",
            )
        elif name is None:
            if not key.endswith("unverifiedQueue"):
                yield key, f"is missing; name a queue of instance.queues, which has {there}"
        elif name not in instance.queues:
            yield key, f"{name!r} is not in instance.queues, which has {there}; correct it, or add it there"


def load_each(environments: object, names: object) -> list[Settings]:
    """Return the checked settings of the environments that are named, separated by commas (``dev,prod``), in order.

    CI names several, to synthesize them in one go. Raises ``SettingsError`` as for one.
    """
    if not isinstance(names, str):
        return [load_settings(environments, names)]
    chosen = [name.strip() for name in names.split(",")]
    twice = [name for name in chosen if chosen.count(name) > 1]
    if twice:
        raise SettingsError(f"-c env={names} names {twice[0]!r} twice; name each environment once.")
    return [load_settings(environments, name) for name in chosen]


def load_settings(environments: object, name: object) -> Settings:
    """Return the checked settings of one environment.

    environments: the context value ``environments`` (a mapping of names to settings, or its JSON text, as ``-c``
    passes it). name: the context value ``env``.
    Raises ``SettingsError`` listing every problem with its key path.
    """
    if isinstance(environments, str):
        try:
            environments = json.loads(environments)
        except ValueError as error:
            raise SettingsError(f"The context value 'environments' is not JSON: {error}") from error
    if not isinstance(environments, Mapping) or not environments:
        raise SettingsError("The context value 'environments' is missing; declare environments in cdk.json.")
    known = ", ".join(sorted(map(str, environments)))
    if not isinstance(name, str) or name not in environments:
        raise SettingsError(f"There is no environment {name!r}; choose one with -c env=NAME from: {known}.")
    if not _ENVIRONMENT_NAME.fullmatch(name):
        raise SettingsError(
            f"environments.{name}: the name becomes part of stack names; write lower-case letters, digits and "
            "hyphens, at most 31, a letter first."
        )
    raw = environments[name]
    if not isinstance(raw, Mapping):
        raise SettingsError(f"environments.{name} is {json.dumps(raw)}; write an object.")
    try:
        return Settings.model_validate({"name": name, **raw})
    except ValidationError as error:
        raise SettingsError(_readable(error, name)) from error


def _readable(error: ValidationError, name: str) -> str:
    lines = []
    for problem in error.errors():
        path = ["environments", name, *map(str, problem["loc"])]
        raised = problem.get("ctx", {}).get("error")
        if isinstance(raised, SettingProblemsError):
            lines += [
                f"  {'.'.join([*path, *([key] if key else [])])}: {message}"
                for key, message in raised.problems
            ]
        else:
            lines.append(f"  {'.'.join(path)}: {_message(problem)}")
    return "\n".join([f"The settings of environment {name!r} have {len(lines)} problem(s):", *lines])


def _message(problem: Any) -> str:  # noqa: ANN401 (pydantic's ErrorDetails)
    kind, value = problem["type"], problem["input"]
    if kind == "missing":
        return "is missing; add it"
    if kind == "extra_forbidden":
        return "is not a known key; remove it or correct its spelling"
    text: str = problem["msg"].removeprefix("Value error, ")
    return text if kind == "value_error" else f"{json.dumps(value, default=str)}: {text}"
