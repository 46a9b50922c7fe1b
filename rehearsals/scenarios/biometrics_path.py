"""The deployed voice biometrics: what its flow is called, where its webhook is, and its vendors on this machine."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Self

from connect_sandbox.cloud import Sandbox

from rehearsals.vendors.biometrics import Twilio, VoiceIt
from rehearsals.vendors.biometrics.twilio import Number

RESUME, REDIAL = "dev", "redial"
"""The environments that are rehearsed: `dev` with RESUME, and one that differs in its return mode."""
TWILIO_NUMBER = "+12065550188"
CONNECT_NUMBER = "+12065550177"
PROOF_SECONDS = 3
"""How long a proof lives with REDIAL here; the default is 10, which nobody should have to wait for."""
PROVIDER_SECONDS = 4
"""How long VoiceIt may take here, for the same reason; the default is 7."""


class BiometricsVendors:
    """Twilio and VoiceIt on this machine, as a context manager."""

    def __init__(self) -> None:
        """Open their ports."""
        self.twilio = Twilio()
        self.voiceit = VoiceIt()

    def __enter__(self) -> Self:
        """Let them answer."""
        self.twilio.__enter__()
        self.voiceit.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        """Close their ports."""
        self.voiceit.__exit__(None, None, None)
        self.twilio.__exit__(None, None, None)


@dataclass(frozen=True)
class GatePath:
    """A deployed voice biometric gate with any provider: the flow that is called, and its Twilio number.

    `secrets` are what no transcript may show.
    """

    stack: str
    flow_arn: str
    table: str
    erase_function: str
    number: Number
    twilio: Twilio
    secrets: tuple[str, ...]

    @property
    def instance_arn(self) -> str:
        """The Connect instance that the flow is published in."""
        return self.flow_arn.split("/contact-flow/")[0]


@dataclass(frozen=True)
class BiometricsPath(GatePath):
    """The gate of this app's environments: VoiceIt judges."""

    vendors: BiometricsVendors


def stack_of(environment: str) -> str:
    """Return the name of the stack that an environment's biometrics are deployed as."""
    return f"connect-bridges-{environment}-biometrics"


def with_biometrics(environments: dict[str, Any], vendors: BiometricsVendors) -> dict[str, Any]:
    """Return environments with `dev`'s biometrics, vendors on this machine, and with REDIAL, a copy without chats."""
    dev = environments[RESUME]
    biometrics = {
        **dev.get("biometrics", {}),
        "telephony": {"number": TWILIO_NUMBER, "apiUrl": vendors.twilio.url},
        "provider": {"voiceitApiUrl": vendors.voiceit.url, "timeLimitSeconds": PROVIDER_SECONDS},
        "queueArn": dev["voice"]["queueArn"],
    }
    redial = {
        **biometrics,
        "returnMode": "REDIAL",
        "redialNumber": CONNECT_NUMBER,
        "rules": {"proofSeconds": PROOF_SECONDS},
    }
    without_chats = {name: value for name, value in dev.items() if name != "chat"}
    return {
        RESUME: {**dev, "biometrics": biometrics},
        REDIAL: {**without_chats, "biometrics": redial},
    }


def after_biometrics_deployment(
    sandbox: Sandbox, vendors: BiometricsVendors, environment: str
) -> BiometricsPath:
    """Do what the documentation asks for after the deployment: store credentials, enter the URLs at the number."""
    return after_gate_deployment(sandbox, vendors, stack_of(environment))


def after_gate_deployment(sandbox: Sandbox, vendors: BiometricsVendors, stack: str) -> BiometricsPath:
    """Do the same for a gate in a stack of any name, whose outputs have the names of this app's."""
    outputs = sandbox.stack_outputs(stack)
    secrets = sandbox.boto3_client("secretsmanager")
    twilio, voiceit = vendors.twilio, vendors.voiceit
    for name, value in {
        "BiometricsTelephonySecretArn": {"accountSid": twilio.account_sid, "authToken": twilio.auth_token},
        "BiometricsProviderSecretArn": {"apiKey": voiceit.api_key, "apiToken": voiceit.api_token},
    }.items():
        secrets.put_secret_value(SecretId=outputs[name], SecretString=json.dumps(value))
    host, port, _ = sandbox.api_base(outputs["BiometricsWebhookUrl"])
    return BiometricsPath(
        stack=stack,
        flow_arn=outputs["BiometricsFlowArn"],
        table=outputs["BiometricsTableName"],
        erase_function=outputs["BiometricsEraseFunctionName"],
        number=Number(outputs["BiometricsWebhookUrl"], outputs["BiometricsStatusUrl"], (host, port)),
        twilio=twilio,
        secrets=(twilio.auth_token, voiceit.api_token),
        vendors=vendors,
    )
