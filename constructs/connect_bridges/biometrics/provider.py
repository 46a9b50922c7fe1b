"""Who judges voices, and over which telephony number callers reach them: what a gate is told about its vendors."""

from __future__ import annotations

import re
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_secretsmanager as secretsmanager

from connect_bridges.shared.checks import E164, check, check_range
from connect_bridges.shared.webhook_url import is_loopback, is_plain_http

_API_URL = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9._~-]+)*")
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_TIME_LIMIT = 7  # seconds
LONGEST_TIME_LIMIT = 8
"""Seconds that a judgement may take: Twilio gives up after 15, and the rest of an answer takes up to 6 of them."""


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
        return int(self.time_limit.to_seconds()) if self.time_limit else _TIME_LIMIT

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
        check_api_url("api_url", api_url, such_as="https://api.voiceit.io")
        _check_time_limit(time_limit)
        return cls(name="voiceit", kind="voiceit", secret=secret, api_url=api_url, time_limit=time_limit)

    @classmethod
    def function(
        cls, function: lambda_.IFunction, *, name: str, time_limit: cdk.Duration | None = None
    ) -> BiometricsProvider:
        """Use a Lambda function of your own; docs/voice-biometrics.md says what it is sent and has to answer.

        name: goes into the contact attribute biometricProvider; 1 to 64 letters, digits, - and _.
        Raises ``ValueError`` naming the argument, the value and the fix.
        """
        check("name", name, _NAME, "a name of 1 to 64 letters, digits, - and _")
        _check_time_limit(time_limit)
        return cls(name=name, kind="lambda", provider_function=function, time_limit=time_limit)


def _check_time_limit(time_limit: cdk.Duration | None) -> None:
    if time_limit is None:
        return
    seconds = time_limit.to_milliseconds() / 1000
    if seconds > LONGEST_TIME_LIMIT:
        raise ValueError(
            f"time_limit is {seconds:g} seconds; choose at most {LONGEST_TIME_LIMIT}: Twilio gives up after 15 s, and "
            "the recording and the table take up to 6 s of them."
        )
    check_range("time_limit", seconds, 1, LONGEST_TIME_LIMIT, "seconds")
    if seconds != int(seconds):
        raise ValueError(f"time_limit is {seconds:g} seconds; choose whole seconds.")


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
        check("number", number, E164)
        check_api_url("api_url", api_url, such_as="https://api.twilio.com")
        return cls(number=number, secret=secret, api_url=api_url)


def check_api_url(setting: str, value: str, *, such_as: str) -> str:
    """Return ``value`` if credentials, recordings and what is signed may travel to that URL; a token passes.

    It is https. http is for a fake on this machine, localhost or 127.0.0.1: anywhere else it would show them to
    whoever is on the way. Raises ``ValueError`` naming the setting, the value and the fix.
    """
    check(setting, value, _API_URL, f"a URL; write one such as {such_as}")
    if is_plain_http(value) and not is_loopback(value):
        raise ValueError(
            f"{setting} is {value!r}, where credentials and voices would travel in clear; write https, http is for a "
            "fake on localhost or 127.0.0.1 only."
        )
    return value
