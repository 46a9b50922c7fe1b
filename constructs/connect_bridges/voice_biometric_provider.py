"""Who judges voices, and over which telephony number callers reach them: what a gate is told about its vendors."""

from __future__ import annotations

import re
from dataclasses import dataclass

from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_secretsmanager as secretsmanager

from .checks import E164, check

API_URL = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9._~-]+)*")
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True, kw_only=True)
class BiometricsProvider:
    """The voice biometrics provider; make one with ``voiceit`` or ``function``."""

    name: str
    kind: str
    secret: secretsmanager.ISecret | None = None
    api_url: str = ""
    provider_function: lambda_.IFunction | None = None

    @classmethod
    def voiceit(
        cls, *, secret: secretsmanager.ISecret | None = None, api_url: str = "https://api.voiceit.io"
    ) -> BiometricsProvider:
        """Use VoiceIt API 2.

        secret: JSON with apiKey and apiToken (voiceit.io, Settings); default is a new one whose value you store.
        """
        check("api_url", api_url, API_URL, "a URL; write one such as https://api.voiceit.io")
        return cls(name="voiceit", kind="voiceit", secret=secret, api_url=api_url)

    @classmethod
    def function(cls, function: lambda_.IFunction, *, name: str) -> BiometricsProvider:
        """Use a Lambda function of your own; docs/voice-biometrics.md says what it is sent and has to answer.

        name: goes into the contact attribute biometricProvider; 1 to 64 letters, digits, - and _.
        """
        check("name", name, _NAME, "a name of 1 to 64 letters, digits, - and _")
        return cls(name=name, kind="lambda", provider_function=function)


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
        api_url: another one for accounts outside the United States, as https://api.dublin.ie1.twilio.com.
        """
        check("number", number, E164)
        check("api_url", api_url, API_URL, "a URL; write one such as https://api.twilio.com")
        return cls(number=number, secret=secret, api_url=api_url)
