"""An app with every construct and the options that reach into the CDK; run by ``python -m tests.oldest``.

Imports nothing but what an installed connect-bridges brings.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from connect_bridges import (
    ApiOptions,
    BiometricsProvider,
    BiometricsTelephony,
    ChatStreamBridge,
    ConnectInstance,
    ExternalVoiceConnector,
    ExternalVoiceTransfer,
    FunctionOptions,
    MetadataBridge,
    MetadataPreset,
    VendorAccess,
    VoiceBiometricGate,
    VoiceDestination,
)

INSTANCE_ARN = "arn:aws:connect:us-east-1:123456789012:instance/11111111-2222-3333-4444-555555555555"
QUEUE_ARN = f"{INSTANCE_ARN}/queue/66666666-7777-8888-9999-000000000000"


class Everything(cdk.Stack):
    """Every construct, with an ARN that is known, or with one that comes at deployment."""

    def __init__(self, app: cdk.App, name: str, *, known: bool) -> None:
        """Add all constructs; known: whether environment and ARN are."""
        env = cdk.Environment(account="123456789012", region="us-east-1") if known else None
        super().__init__(app, name, env=env)
        arn = INSTANCE_ARN if known else cdk.CfnParameter(self, "InstanceArn").value_as_string
        queue = QUEUE_ARN if known else cdk.CfnParameter(self, "QueueArn").value_as_string
        instance = ConnectInstance.from_arn(self, "Instance", arn)
        key = kms.Key(self, "DataKey")
        topic = sns.Topic(self, "Alarms")
        options = FunctionOptions(tracing=lambda_.Tracing.ACTIVE, memory_size=512)
        metadata = MetadataBridge(
            self,
            "Metadata",
            instance=instance,
            preset=MetadataPreset.kore() if known else None,
            api=ApiOptions(tracing=True),
            encryption_key=key
            if known
            else None,  # the CDK's tables take a key only where the Region is known
            encrypt_logs=known,
            function_options=options,
        )
        metadata.monitor(alarm_topic=topic)
        connector = ExternalVoiceConnector(self, "Connector", instance=instance, host="sbc.example.com")
        ExternalVoiceTransfer(
            self,
            "Transfer",
            instance=instance,
            destination=VoiceDestination.connector(connector, did="+12065550100"),
            queue_arn=queue,
            metadata=metadata,
        ).monitor(alarm_topic=topic)
        for kind, access in {
            "Role": VendorAccess.role("123456789012", external_id="chosen-by-vendor"),
            "Key": VendorAccess.access_key(),
        }.items():
            ChatStreamBridge(
                self,
                f"Chat{kind}",
                instance=instance,
                webhook_url="https://bot.example.com/hook",
                queue_arn=queue,
                vendor_access=access,
                encrypt_logs=True,
            ).monitor(alarm_topic=topic)
        judge = lambda_.Function.from_function_arn(
            self, "Judge", "arn:aws:lambda:us-east-1:123456789012:function:judge"
        )
        for kind, provider in {
            "VoiceIt": BiometricsProvider.voiceit(),
            "Own": BiometricsProvider.function(judge, name="own"),
        }.items():
            VoiceBiometricGate(
                self,
                f"Gate{kind}",
                instance=instance,
                telephony=BiometricsTelephony.twilio("+12065550188"),
                provider=provider,
                queue_arn=queue,
            ).monitor(alarm_topic=topic)


def main() -> int:
    """Synthesize, and say how much of what."""
    # Bundles do not depend on the CDK's version; a pattern that fits no stack leaves them out.
    app = cdk.App(context={"aws:cdk:bundling-stacks": []})
    for name, known in {"known": True, "later": False}.items():
        Everything(app, name, known=known)
    folder = Path(app.synth().directory)
    for name in ("known", "later"):
        template = json.loads((folder / f"{name}.template.json").read_text(encoding="utf-8"))
        sys.stdout.write(f"{name}: {len(template['Resources'])} resources\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
