"""Which provider a function works with, read from its environment.

Environment: PROVIDER (voiceit or lambda), PROVIDER_SECONDS (7), MIN_CONFIDENCE (percent, 0); for VoiceIt
PROVIDER_SECRET_ARN and VOICEIT_API_URL; for a function of your own PROVIDER_FUNCTION_ARN and PROVIDER_NAME.
"""

from __future__ import annotations

from runtime.biometrics import limits
from runtime.biometrics.providers.base import VoiceBiometricsProvider
from runtime.biometrics.providers.function import FunctionProvider
from runtime.biometrics.providers.voiceit import CREDENTIALS, VoiceIt
from runtime.shared.clients import client
from runtime.shared.environment import Environment
from runtime.shared.rotated_secret import secret_at
from runtime.shared.service_models import lambda_


def provider_from(environment: Environment) -> VoiceBiometricsProvider:
    """Build the provider; raises ConfigurationError naming every variable that is wrong."""
    kind = environment.text("PROVIDER", pattern="voiceit|lambda", form="voiceit or lambda")
    seconds = environment.whole_number(
        "PROVIDER_SECONDS",
        default=limits.PROVIDER_SECONDS,
        within=limits.PROVIDER_SECONDS_RANGE,
    )
    min_confidence = environment.whole_number(
        "MIN_CONFIDENCE",
        default=limits.MIN_CONFIDENCE,
        within=limits.MIN_CONFIDENCE_RANGE,
    )
    if kind == "lambda":
        function_arn = environment.text(
            "PROVIDER_FUNCTION_ARN",
            pattern=r"arn:aws[a-z-]*:lambda:[a-z0-9-]+:[0-9]{12}:function:\S+",
            form="the ARN of the provider function",
        )
        name = environment.text(
            "PROVIDER_NAME", default="lambda", pattern=limits.PROVIDER_NAME.pattern, form="a name"
        )
        environment.check()
        # One attempt: a recording that was sent and not answered must not be judged twice.
        invoker = client(lambda_, connect_timeout=1, read_timeout=seconds, attempts=1)
        return FunctionProvider(
            client=invoker, function_arn=function_arn, name=name, min_confidence=min_confidence
        )
    secret_arn = environment.secret_arn("PROVIDER_SECRET_ARN")
    url = environment.api_url("VOICEIT_API_URL", default="https://api.voiceit.io")
    environment.check()
    return VoiceIt(
        url=url,
        secret=secret_at(secret_arn, CREDENTIALS),
        min_confidence=min_confidence,
        seconds=float(seconds),
    )
