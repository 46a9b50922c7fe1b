"""The voice biometrics of an environment: settings, checked before anything is built."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, Self

from connect_bridges.biometrics.rules import check_phrases
from connect_bridges.shared import limits as shared_limits
from connect_bridges.shared.api_options import check_execute_api
from connect_bridges.shared.runtime_modules import runtime_module
from connect_bridges.shared.webhook_url import check_api_url, is_loopback
from pydantic import AfterValidator, Field, model_validator

from .setting_types import (
    CamelSettings,
    FlowArn,
    Network,
    PhoneNumber,
    Prompt,
    QueueArn,
    SecretArn,
    bounded,
    matching,
)

if TYPE_CHECKING:
    from runtime.biometrics import limits
else:
    limits = runtime_module("biometrics.limits")


def _api_url(value: str) -> str:
    return check_api_url("the address", value, such_as="https://voice.example.com/prod")


ApiUrl = Annotated[str, AfterValidator(_api_url)]


class TelephonySettings(CamelSettings):
    """The Twilio number that callers are transferred to."""

    number: PhoneNumber
    secret_arn: SecretArn | None = None
    api_url: ApiUrl = "https://api.twilio.com"
    prompts: dict[str, str] = Field(default_factory=dict)
    voice: str | None = Field(default=None, pattern=matching(limits.VOICE_NAME))
    recording_transfer: Literal["fetch", "url"] = "fetch"
    recording_limit_seconds: int | None = bounded(None, limits.RECORD_SECONDS_RANGE)
    delete_recordings: bool = True


class ProviderSettings(CamelSettings):
    """Who judges voices: VoiceIt, or a Lambda function of your own."""

    voiceit_secret_arn: SecretArn | None = None
    voiceit_api_url: ApiUrl = "https://api.voiceit.io"
    function_arn: str | None = Field(
        default=None,
        pattern=r"^arn:aws[-a-z]*:lambda:[-a-z0-9]+:[0-9]{12}:function:[A-Za-z0-9_-]+(:[A-Za-z0-9_-]+)?$",
    )
    name: str | None = Field(default=None, pattern=matching(limits.PROVIDER_NAME))
    time_limit_seconds: int = bounded(limits.PROVIDER_SECONDS, limits.PROVIDER_SECONDS_RANGE)
    """Twilio gives up after 15 s; fetching the recording, the table and deleting take up to 6 s of them."""

    @model_validator(mode="after")
    def _one_provider(self) -> Self:
        if self.function_arn is None and self.name is not None:
            raise ValueError("name belongs to a provider function; VoiceIt is called voiceit, leave it out")
        if self.function_arn is not None and self.name is None:
            raise ValueError(
                "a provider function needs name, which goes into the attribute biometricProvider"
            )
        if self.function_arn is not None and self.voiceit_secret_arn is not None:
            raise ValueError("give voiceitSecretArn or functionArn, not both")
        return self


class RulesSettings(CamelSettings):
    """How strict the check is."""

    enrolments: int = bounded(limits.ENROLMENTS, limits.ENROLMENTS_RANGE)
    tries: int = bounded(limits.TRIES, limits.TRIES_RANGE)
    lock_after: int = bounded(limits.LOCK_AFTER, limits.LOCK_AFTER_RANGE)
    day_tries: int = bounded(limits.DAY_TRIES, limits.DAY_TRIES_RANGE)
    month_tries: int = bounded(limits.MONTH_TRIES, limits.MONTH_TRIES_RANGE)
    lock_minutes: int = bounded(limits.LOCK_SECONDS, limits.LOCK_SECONDS_RANGE, unit=60)
    proof_seconds: int | None = bounded(None, limits.PROOF_SECONDS_RANGE)
    retention_days: int = bounded(limits.RETENTION_DAYS, limits.RETENTION_DAYS_RANGE)
    min_confidence: int = bounded(limits.MIN_CONFIDENCE, limits.MIN_CONFIDENCE_RANGE)
    self_enrolment: bool = True


class BiometricPromptSettings(CamelSettings):
    """What callers hear from Amazon Connect, where it differs from the defaults."""

    welcome: Prompt = None
    enrol: Prompt = None
    enrol_more: Prompt = None
    verify: Prompt = None
    proof_expired: Prompt = None
    not_forgotten: Prompt = None
    verified: Prompt = None
    failed: Prompt = None
    locked: Prompt = None
    unavailable: Prompt = None
    queue_full: Prompt = None
    queue_error: Prompt = None


class BiometricsSettings(CamelSettings):
    """The voice biometric gate."""

    telephony: TelephonySettings
    queue: str | None = None
    queue_arn: QueueArn | None = None
    unverified_queue: str | None = None
    unverified_queue_arn: QueueArn | None = None
    next_flow: Literal["voice"] | None = None
    next_flow_arn: FlowArn | None = None
    provider: ProviderSettings = ProviderSettings()
    preset: Literal["default", "voiceit"] = "default"
    return_mode: Literal["RESUME", "REDIAL"] = "RESUME"
    redial_number: PhoneNumber | None = None
    connection_time_limit_seconds: int = bounded(limits.CONNECTION_SECONDS, limits.CONNECTION_SECONDS_RANGE)
    phrase: str | None = Field(default=None, pattern=matching(limits.PHRASE_TEXT))
    phrases: list[str] = Field(default_factory=list)
    language: str | None = Field(default=None, pattern=matching(limits.LANGUAGE_CODE))
    path: str | None = Field(default=None, pattern=matching(shared_limits.RESOURCE_PATH))
    stage_name: str | None = Field(default=None, pattern=matching(shared_limits.STAGE_NAME_TEXT))
    public_url: ApiUrl | None = None
    execute_api: Literal["open", "closed"] | None = None
    allowed_addresses: list[Network] = Field(default_factory=list)
    rules: RulesSettings = RulesSettings()
    prompts: BiometricPromptSettings = BiometricPromptSettings()
    encryption: Literal["aws-managed", "customer-managed"] = "aws-managed"
    failures_alarm_threshold: int = Field(default=shared_limits.VOICES_ALARM_THRESHOLD, ge=1)
    locks_alarm_threshold: int = Field(default=shared_limits.LOCKS_ALARM_THRESHOLD, ge=1)
    cloud_watch_role: bool = True

    @model_validator(mode="after")
    def _return_mode_fits(self) -> Self:
        if self.return_mode == "REDIAL" and self.redial_number is None:
            raise ValueError(
                "returnMode REDIAL needs redialNumber, the Connect number that is dialled afterwards"
            )
        if self.return_mode == "RESUME" and self.redial_number is not None:
            raise ValueError("redialNumber belongs to returnMode REDIAL; with RESUME leave it out")
        return self

    @model_validator(mode="after")
    def _phrases_fit(self) -> Self:
        check_phrases(self.phrases, self.phrase or limits.PHRASE, self.rules.enrolments)
        return self

    @model_validator(mode="after")
    def _one_next_flow(self) -> Self:
        if self.next_flow is not None and self.next_flow_arn is not None:
            raise ValueError("give nextFlow, which is a flow of this environment, or nextFlowArn, not both")
        return self

    @model_validator(mode="after")
    def _nothing_goes_around(self) -> Self:
        check_execute_api(self.execute_api, self.public_url, self.allowed_addresses)
        return self

    @property
    def rehearsal_only(self) -> dict[str, str]:
        """The addresses on this machine, by key path: a stack with one can be rehearsed, but not used in AWS."""
        addresses = {
            "biometrics.telephony.apiUrl": self.telephony.api_url,
            "biometrics.provider.voiceitApiUrl": self.provider.voiceit_api_url,
            "biometrics.publicUrl": self.public_url,
        }
        return {key: url for key, url in addresses.items() if url is not None and is_loopback(url)}

    def arns_of_account(self) -> dict[str, str | None]:
        """Return what must be in the environment's account and Region, by key path."""
        return {
            "biometrics.telephony.secretArn": self.telephony.secret_arn,
            "biometrics.provider.voiceitSecretArn": self.provider.voiceit_secret_arn,
            "biometrics.provider.functionArn": self.provider.function_arn,
        }

    def arns_of_instance(self) -> dict[str, str | None]:
        """Return what must belong to the environment's Connect instance, by key path."""
        return {
            "biometrics.queueArn": self.queue_arn,
            "biometrics.unverifiedQueueArn": self.unverified_queue_arn,
            "biometrics.nextFlowArn": self.next_flow_arn,
        }

    def queues(self) -> dict[str, str | None]:
        """Return the names of queues of a created instance, by key path; None where one is missing."""
        return {"biometrics.queue": self.queue, "biometrics.unverifiedQueue": self.unverified_queue}
