"""A CDK app of its own that uses connect-bridges from the wheel.

It creates a voice connector, publishes the transfer as a flow module, and drops that module into a flow that this
contact centre already had (flows/support_line.json).
"""

from __future__ import annotations

from pathlib import Path

import aws_cdk as cdk
from connect_bridges import (
    ConnectInstance,
    ContactFlow,
    ExternalVoiceConnector,
    ExternalVoiceTransfer,
    MetadataBridge,
    VoiceDestination,
)

from constructs import Construct

INSTANCE_ARN = "arn:aws:connect:us-east-1:123456789012:instance/11111111-2222-3333-4444-555555555555"
QUEUE_ARN = f"{INSTANCE_ARN}/queue/66666666-7777-8888-9999-000000000000"


class SupportLine(cdk.Stack):
    """The support line: an own greeting, an external assistant, then an agent."""

    def __init__(self, scope: Construct, id: str, *, env: cdk.Environment) -> None:  # noqa: A002
        """Build the stack."""
        super().__init__(scope, id, env=env)
        instance = ConnectInstance.from_arn(self, "Instance", INSTANCE_ARN)
        connector = ExternalVoiceConnector(self, "Connector", instance=instance, host="sbc.example.com")
        metadata = MetadataBridge(
            self, "Metadata", instance=instance, removal_policy=cdk.RemovalPolicy.DESTROY
        )
        transfer = ExternalVoiceTransfer(
            self,
            "Assistant",
            instance=instance,
            destination=VoiceDestination.connector(connector, did="+12065550100"),
            queue_arn=QUEUE_ARN,
            metadata=metadata,
        )
        line = ContactFlow(
            self,
            "Line",
            instance=instance,
            template=Path(__file__).parent / "flows" / "support_line.json",
            values={"AssistantModuleArn": transfer.module.arn, "QueueArn": QUEUE_ARN},
        )
        cdk.CfnOutput(self, "SupportLineFlowArn", value=line.arn)
        cdk.CfnOutput(self, "AssistantModuleArn", value=transfer.module.arn)
        cdk.CfnOutput(self, "VoiceConnectorArn", value=connector.connector_arn)
        cdk.CfnOutput(self, "MetadataApiUrl", value=metadata.url)
        cdk.CfnOutput(self, "MetadataTokenSecretArn", value=metadata.token_secret.secret_arn)


app = cdk.App()
SupportLine(app, "own-app-support-line", env=cdk.Environment(account="123456789012", region="us-east-1"))
app.synth()
