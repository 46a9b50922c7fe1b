"""A line that takes a card's number, encrypted as it is entered: only one function can read it."""

from __future__ import annotations

from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_secretsmanager as secretsmanager
from connect_bridges import ConnectInstance, ContactFlow

from constructs import Construct

HERE = Path(__file__).parent
_OWN_LOGS = (
    "AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole]"
)


class CardLine(Construct):
    """The flow, the security key that it encrypts with, and the function that decrypts."""

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002
        *,
        instance: ConnectInstance,
        public_key: str,
        certificate: str,
        code: Path,
    ) -> None:
        """Add the key to the instance and publish the flow.

        public_key, certificate: PEM, of one key; docs/instance/security-keys.md says how to make them. code: the
        folder of the function.
        """
        super().__init__(scope, id)
        self.key = instance.add_security_key(public_key)
        self.private_keys = secretsmanager.Secret(
            self,
            "PrivateKeys",
            description="Private keys in PEM by security key's id, as JSON. Store yours with put-secret-value.",
        )
        self.function = self._function(code)
        self.flow = ContactFlow(
            self,
            "Line",
            instance=instance,
            template=HERE / "flows" / "card_line.json",
            values={
                "KeyId": self.key.attr_association_id,
                "Certificate": certificate,
                "CardFunctionArn": self.function.function_arn,
            },
        )
        self.flow.node.add_dependency(instance.associate_function(self.function))

    def _function(self, code: Path) -> lambda_.Function:
        log = logs.LogGroup(
            self,
            "CardLogs",
            retention=logs.RetentionDays.ONE_MONTH,
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        function = lambda_.Function(
            self,
            "Card",
            description="Opens the card number that a caller has entered.",
            runtime=lambda_.Runtime.PYTHON_3_14,
            architecture=lambda_.Architecture.ARM_64,
            code=lambda_.Code.from_asset(str(code), exclude=["**/__pycache__", "*.dist-info", "bin"]),
            handler="card.handler",
            timeout=cdk.Duration.seconds(8),
            memory_size=512,
            environment={"PRIVATE_KEYS_SECRET_ARN": self.private_keys.secret_arn},
            log_group=log,
        )
        # This function and no other may read the private keys.
        function.add_to_role_policy(
            iam.PolicyStatement(
                actions=["secretsmanager:GetSecretValue"], resources=[self.private_keys.secret_arn]
            )
        )
        for construct, rule, reason in (
            (
                self.private_keys,
                "AwsSolutions-SMG4",
                "A key changes with the flow: see docs/instance/security-keys.md.",
            ),
            (function, _OWN_LOGS, "Lambda's own policy for logs."),
            (function, "Serverless-LambdaDLQ", "The flow waits for its answer and hears of a failure."),
            (function, "Serverless-LambdaTracing", "The time of each answer is in the log."),
        ):
            # For cdk-nag, if you check your app with it.
            pack = rule.partition("-")[0]
            cdk.Validations.of(construct).acknowledge(cdk.Acknowledgment(id=f"{pack}::{rule}", reason=reason))
        return function
