"""A CDK app of its own in which callers enter a card's number that no log, record or agent can read.

public.pem and certificate.pem are examples, whose private key was thrown away: make your own first
(docs/instance/security-keys.md).
"""

from __future__ import annotations

import sys
from pathlib import Path

import aws_cdk as cdk
from connect_bridges import ConnectInstance

from constructs import Construct

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from card_line import CardLine  # noqa: E402
from function_packages import function_folder  # noqa: E402

INSTANCE_ARN = "arn:aws:connect:us-east-1:123456789012:instance/11111111-2222-3333-4444-555555555555"


class Payments(cdk.Stack):
    """The line on which callers pay."""

    def __init__(self, scope: Construct, id: str, *, env: cdk.Environment) -> None:  # noqa: A002
        """Build the stack."""
        super().__init__(scope, id, env=env)
        line = CardLine(
            self,
            "CardLine",
            instance=ConnectInstance.from_arn(self, "Instance", INSTANCE_ARN),
            public_key=(HERE / "public.pem").read_text(),
            certificate=(HERE / "certificate.pem").read_text(),
            code=function_folder(),
        )
        cdk.CfnOutput(self, "FlowArn", value=line.flow.arn)
        cdk.CfnOutput(self, "SecurityKeyId", value=line.key.attr_association_id)
        cdk.CfnOutput(self, "PrivateKeysSecretArn", value=line.private_keys.secret_arn)


app = cdk.App()
Payments(app, "encrypted-input-payments", env=cdk.Environment(account="123456789012", region="us-east-1"))
app.synth()
