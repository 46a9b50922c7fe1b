"""A CDK app of its own in which callers prove who they are by voice, judged by a service of the reader's choice.

The provider is a Lambda function of this app (provider/example_voice.py), an adapter to the vendor's HTTP API. The
gate's module is dropped into a flow that this contact centre already had (flows/account_line.json), which goes on by
the attributes that the module leaves.

Recordings are handed over by address: Example Voice fetches them from Twilio, without credentials. That needs "Enforce
HTTP Auth on media URLs" off at Twilio, and Twilio accounts opened since 31 July 2023 cannot switch it off: leave
recording_transfer out there, and the gate hands over the recordings themselves; the adapter takes both.
"""

from __future__ import annotations

from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_secretsmanager as secretsmanager
from connect_bridges import (
    BiometricsProvider,
    BiometricsTelephony,
    ConnectInstance,
    ContactFlow,
    VoiceBiometricGate,
    VoiceBiometricPreset,
    VoiceDialogue,
)

from constructs import Construct

HERE = Path(__file__).parent
INSTANCE_ARN = "arn:aws:connect:us-east-1:123456789012:instance/11111111-2222-3333-4444-555555555555"
QUEUE_ARN = f"{INSTANCE_ARN}/queue/66666666-7777-8888-9999-000000000000"
TIME_LIMIT = cdk.Duration.seconds(5)
"""How long a caller waits for Example Voice; the adapter gives up a second earlier, and says why."""
_OWN_LOGS = (
    "AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole]"
)


class AccountLine(cdk.Stack):
    """The account line: an own greeting, the voice check, then an agent who sees what came of it."""

    def __init__(self, scope: Construct, id: str, *, env: cdk.Environment) -> None:  # noqa: A002
        """Build the stack; context exampleVoiceUrl and twilioApiUrl say where the vendors are."""
        super().__init__(scope, id, env=env)
        api_key = secretsmanager.Secret(
            self,
            "ExampleVoiceKey",
            description="Example Voice's API key. Store yours with put-secret-value after the deployment.",
        )
        adapter = self._adapter(api_key)
        instance = ConnectInstance.from_arn(self, "Instance", INSTANCE_ARN)
        gate = VoiceBiometricGate(
            self,
            "VoiceCheck",
            instance=instance,
            telephony=BiometricsTelephony.twilio(
                "+12065550188",
                api_url=self.node.try_get_context("twilioApiUrl") or "https://api.twilio.com",
            ),
            provider=BiometricsProvider.function(adapter, name="example-voice", time_limit=TIME_LIMIT),
            preset=VoiceBiometricPreset.voiceit(),
            dialogue=VoiceDialogue(recording_transfer="url"),
            queue_arn=QUEUE_ARN,
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        gate.monitor()
        line = ContactFlow(
            self,
            "Line",
            instance=instance,
            template=HERE / "flows" / "account_line.json",
            values={"VoiceCheckModuleArn": gate.module.arn, "QueueArn": QUEUE_ARN},
        )
        cdk.CfnOutput(self, "AccountLineFlowArn", value=line.arn)
        cdk.CfnOutput(self, "VoiceCheckModuleArn", value=gate.module.arn)
        cdk.CfnOutput(self, "WebhookUrl", value=gate.webhook_url)
        cdk.CfnOutput(self, "StatusUrl", value=gate.status_url)
        cdk.CfnOutput(self, "TelephonySecretArn", value=gate.telephony_secret.secret_arn)
        cdk.CfnOutput(self, "ExampleVoiceKeyArn", value=api_key.secret_arn)
        cdk.CfnOutput(self, "CallerTableName", value=gate.table.table_name)
        cdk.CfnOutput(self, "EraseFunctionName", value=gate.erase_function.function_name)
        cdk.CfnOutput(self, "ProviderFunctionName", value=adapter.function_name)

    def _adapter(self, api_key: secretsmanager.ISecret) -> lambda_.Function:
        """Create the function that speaks with Example Voice."""
        adapter = lambda_.Function(
            self,
            "ExampleVoice",
            description="Has callers' voices judged by Example Voice.",
            runtime=lambda_.Runtime.PYTHON_3_14,
            architecture=lambda_.Architecture.ARM_64,
            code=lambda_.Code.from_asset(str(HERE / "provider"), exclude=["**/__pycache__"]),
            handler="example_voice.handler",
            timeout=TIME_LIMIT,
            memory_size=256,
            environment={
                "API_URL": self.node.try_get_context("exampleVoiceUrl") or "https://api.voice.example.com",
                "API_KEY_SECRET_ARN": api_key.secret_arn,
                "SECONDS": str(TIME_LIMIT.to_seconds() - 1),
            },
            log_group=logs.LogGroup(
                self,
                "ExampleVoiceLogs",
                retention=logs.RetentionDays.ONE_MONTH,
                removal_policy=cdk.RemovalPolicy.DESTROY,
            ),
        )
        api_key.grant_read(adapter)
        for construct, rule, reason in (
            (api_key, "AwsSolutions-SMG4", "Example Voice issues the key: a schedule here cannot renew it."),
            (adapter, _OWN_LOGS, "Lambda's own policy for logs; the gate's functions do without it."),
            (adapter, "Serverless-LambdaDLQ", "The gate waits for its answer and hears of a failure."),
            (adapter, "Serverless-LambdaTracing", "The time of each answer is in the log."),
        ):
            # For cdk-nag, if you check your app with it.
            pack = rule.partition("-")[0]
            cdk.Validations.of(construct).acknowledge(cdk.Acknowledgment(id=f"{pack}::{rule}", reason=reason))
        return adapter


app = cdk.App()
AccountLine(
    app, "own-voice-check-account-line", env=cdk.Environment(account="123456789012", region="us-east-1")
)
app.synth()
