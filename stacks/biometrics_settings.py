"""The voice biometrics of an environment: settings, checked before anything is built."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from connect_bridges.shared.webhook_url import check_api_url, is_loopback
from pydantic import AfterValidator, Field, model_validator

from .setting_types import CamelSettings, FlowArn, PhoneNumber, Prompt, QueueArn, SecretArn


def _api_url(value: str) -> str:
    return check_api_url("the address", value, such_as="https://voice.example.com/prod")


ApiUrl = Annotated[str, AfterValidator(_api_url)]


class TelephonySettings(CamelSettings):
    """The Twilio number that callers are transferred to."""

    number: PhoneNumber
    secret_arn: SecretArn | None = None
    api_url: ApiUrl = "https://api.twilio.com"
    prompts: dict[str, str] = Field(default_factory=dict)
    voice: str | None = Field(default=None, pattern=r"^[A-Za-z0-9._-]+$")
    recording_transfer: Literal["fetch", "url"] = "fetch"
    recording_limit_seconds: int | None = Field(default=None, ge=2, le=30)
    delete_recordings: bool = True


class ProviderSettings(CamelSettings):
    """Who judges voices: VoiceIt, or a Lambda function of one's own."""

    voiceit_secret_arn: SecretArn | None = None
    voiceit_api_url: ApiUrl = "https://api.voiceit.io"
    function_arn: str | None = Field(
        default=None,
        pattern=r"^arn:aws[-a-z]*:lambda:[-a-z0-9]+:[0-9]{12}:function:[A-Za-z0-9_-]+(:[A-Za-z0-9_-]+)?$",
    )
    name: str | None = Field(default=None, pattern=r"^[A-Za-z0-9_-]{1,64}$")
    time_limit_seconds: int = Field(default=7, ge=1, le=8)
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

    enrolments: int = Field(default=3, ge=1, le=10)
    tries: int = Field(default=3, ge=1, le=10)
    lock_after: int = Field(default=3, ge=1, le=100)
    lock_minutes: int = Field(default=15, ge=1, le=43_200)
    proof_seconds: int | None = Field(default=None, ge=1, le=600)
    retention_days: int = Field(default=365, ge=1, le=3650)
    min_confidence: int = Field(default=0, ge=0, le=100)
    self_enrolment: bool = True


class BiometricPromptSettings(CamelSettings):
    """What callers hear from Amazon Connect, where it differs from the defaults."""

    welcome: Prompt = None
    enrol: Prompt = None
    enrol_more: Prompt = None
    verify: Prompt = None
    proof_expired: Prompt = None
    verified: Prompt = None
    failed: Prompt = None
    locked: Prompt = None
    unavailable: Prompt = None
    queue_full: Prompt = None
    queue_error: Prompt = None


class BiometricsSettings(CamelSettings):
    """The voice biometric gate."""

    telephony: TelephonySettings
    queue_arn: QueueArn
    unverified_queue_arn: QueueArn | None = None
    next_flow_arn: FlowArn | None = None
    provider: ProviderSettings = ProviderSettings()
    preset: Literal["default", "voiceit"] = "default"
    return_mode: Literal["RESUME", "REDIAL"] = "RESUME"
    redial_number: PhoneNumber | None = None
    connection_time_limit_seconds: int = Field(default=30, ge=1, le=600)
    phrase: str | None = Field(default=None, min_length=3, max_length=200)
    language: str | None = Field(default=None, pattern=r"^[a-z]{2,3}-[A-Za-z0-9]{2,4}$")
    path: str | None = Field(default=None, pattern=r"^[A-Za-z0-9._~-]+(/[A-Za-z0-9._~-]+)*$")
    stage_name: str | None = Field(default=None, pattern=r"^[A-Za-z0-9_]{1,128}$")
    public_url: ApiUrl | None = None
    rules: RulesSettings = RulesSettings()
    prompts: BiometricPromptSettings = BiometricPromptSettings()
    encryption: Literal["aws-managed", "customer-managed"] = "aws-managed"
    failures_alarm_threshold: int = Field(default=10, ge=1)
    locks_alarm_threshold: int = Field(default=3, ge=1)
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

    @property
    def rehearsal_only(self) -> dict[str, str]:
        """The addresses on this machine, by key path: a stack with one can be rehearsed, and not be used in AWS."""
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
