"""Who judges voices, and over which telephony number callers reach them: what a gate is told about its vendors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_secretsmanager as secretsmanager

from connect_bridges.shared.checks import E164, Problems, check, check_duration, check_kind
from connect_bridges.shared.runtime_modules import runtime_module
from connect_bridges.shared.webhook_url import check_api_url

if TYPE_CHECKING:
    from runtime.biometrics import limits
else:
    limits = runtime_module("biometrics.limits")


@dataclass(frozen=True, kw_only=True)
class BiometricsProvider:
    """The voice biometrics provider; make one with ``voiceit`` or ``function``.

    time_limit: how long a caller waits for its judgement until it counts as unavailable, 1 to 8 whole seconds, 7 if
    None: Twilio gives up after 15 s, and fetching the recording, the table and deleting take up to 6 s of them.
    """

    name: str
    kind: str
    secret: secretsmanager.ISecret | None = None
    api_url: str = ""
    provider_function: lambda_.IFunction | None = None
    time_limit: cdk.Duration | None = None

    @property
    def time_limit_seconds(self) -> int:
        """The time limit in whole seconds."""
        return int(self.time_limit.to_seconds()) if self.time_limit else limits.PROVIDER_SECONDS

    @classmethod
    def voiceit(
        cls,
        *,
        secret: secretsmanager.ISecret | None = None,
        api_url: str = "https://api.voiceit.io",
        time_limit: cdk.Duration | None = None,
    ) -> BiometricsProvider:
        """Use VoiceIt API 2.

        secret: JSON with apiKey and apiToken (voiceit.io, Settings); default is a new one whose value you store.
        api_url: https; http on localhost and 127.0.0.1 only, for a fake.
        Raises ``ValueError`` naming the argument, the value and the fix.
        """
        problems = Problems("BiometricsProvider.voiceit")
        problems.collect(check_api_url, "api_url", api_url, such_as="https://api.voiceit.io")
        problems.collect(_check_time_limit, time_limit)
        problems.raise_all()
        return cls(name="voiceit", kind="voiceit", secret=secret, api_url=api_url, time_limit=time_limit)

    @classmethod
    def function(
        cls, function: lambda_.IFunction, *, name: str, time_limit: cdk.Duration | None = None
    ) -> BiometricsProvider:
        """Use a Lambda function of your own; docs/voice-biometrics.md says what it is sent and has to answer.

        name: goes into the contact attribute biometricProvider; 1 to 64 letters, digits, - and _.
        Raises ``ValueError`` naming the argument, the value and the fix.
        """
        problems = Problems("BiometricsProvider.function")
        problems.collect(
            check_kind,
            "function",
            function,
            'lambda_.Function.from_function_arn(self, "Provider", "arn:aws:lambda:…")',
        )
        problems.collect(
            check, "name", name, limits.PROVIDER_NAME, "a name of 1 to 64 letters, digits, - and _"
        )
        problems.collect(_check_time_limit, time_limit)
        problems.raise_all()
        return cls(name=name, kind="lambda", provider_function=function, time_limit=time_limit)


def _check_time_limit(time_limit: object) -> None:
    if time_limit is None:
        return
    try:
        check_duration("time_limit", time_limit, limits.PROVIDER_SECONDS_RANGE)
    except ValueError as error:
        raise ValueError(
            f"{error} Twilio gives up after 15 s, and the recording and the table take up to 6 s of them."
        ) from None


@dataclass(frozen=True, kw_only=True)
class BiometricsTelephony:
    """The telephony number that callers are transferred to; make one with ``twilio``."""

    number: str
    secret: secretsmanager.ISecret | None
    api_url: str

    @classmethod
    def twilio(
        cls,
        number: str,
        *,
        secret: secretsmanager.ISecret | None = None,
        api_url: str = "https://api.twilio.com",
    ) -> BiometricsTelephony:
        """Use a Twilio number.

        number: E.164. secret: JSON with accountSid and authToken; default is a new one whose value you store.
        api_url: another one for accounts outside the United States, as https://api.dublin.ie1.twilio.com; https, with
        http on localhost and 127.0.0.1 only, for a fake.
        Raises ``ValueError`` naming the argument, the value and the fix.
        """
        problems = Problems("BiometricsTelephony.twilio")
        problems.collect(check, "number", number, E164)
        problems.collect(check_api_url, "api_url", api_url, such_as="https://api.twilio.com")
        problems.raise_all()
        return cls(number=number, secret=secret, api_url=api_url)
