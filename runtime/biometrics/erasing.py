"""What the two functions that forget callers are made of.

Environment: TABLE_NAME, KEY_ATTRIBUTE, TELEPHONY_SECRET_ARN, CALLER_KEY_SECRET_ARN, TWILIO_API_URL, DELETE_RECORDINGS
(true; only ``retention`` looks at it), and those of ``providers``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from runtime.biometrics.caller_tag import CallerTag
from runtime.biometrics.erasure import Erasure
from runtime.biometrics.providers import SECRET_ARN, provider_from, secret_from
from runtime.biometrics.recordings import TwilioRecordings
from runtime.biometrics.table import CallersSettings, DynamoDbCallers
from runtime.shared.clients import client
from runtime.shared.environment import Environment

KEPT_RECORDINGS = 1_000
"""With DELETE_RECORDINGS false, how many recordings of a caller are kept: their ids have to fit into the item."""


@dataclass(frozen=True, slots=True)
class Erasing:
    """An erasure, the table that it works on, how its callers appear in logs, how many recordings each may keep."""

    erasure: Erasure
    callers: DynamoDbCallers
    tag: CallerTag
    keep: int

    @classmethod
    def read(cls, variables: Mapping[str, str]) -> Erasing:
        """Build it from a function's environment; raises ConfigurationError."""
        environment = Environment(variables)
        table = CallersSettings.read(environment)
        telephony = environment.text("TELEPHONY_SECRET_ARN", pattern=SECRET_ARN, form="the ARN of a secret")
        key = environment.text("CALLER_KEY_SECRET_ARN", pattern=SECRET_ARN, form="the ARN of a secret")
        recordings = TwilioRecordings.read(environment, secret_from(telephony))
        delete = environment.text(
            "DELETE_RECORDINGS", default="true", pattern="true|false", form="true or false"
        )
        provider = provider_from(environment)
        callers = DynamoDbCallers(client("dynamodb", connect_timeout=1, read_timeout=2, attempts=3), table)
        erasure = Erasure(callers=callers, provider=provider, recordings=recordings)
        return cls(erasure, callers, CallerTag(secret_from(key)), 0 if delete == "true" else KEPT_RECORDINGS)
