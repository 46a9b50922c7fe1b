"""A CDK app whose data lies behind keys of its own, one for tables and another for secrets; and a lone connector.

Metadata needs the contact's own token besides the vendor's (`voice/leaked-token-is-useless`).

`deploy/own-keys` and `deploy/connector-quota-zero` deploy it to the sandbox. Context twilioApiUrl and voiceitApiUrl say
where the vendors are.
"""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from aws_cdk import aws_secretsmanager as secretsmanager
from connect_bridges import (
    BiometricsProvider,
    BiometricsTelephony,
    ConnectInstance,
    ExternalVoiceConnector,
    ExternalVoiceTransfer,
    FunctionOptions,
    MetadataBridge,
    VoiceBiometricGate,
    VoiceDestination,
)

from constructs import Construct

ENV = cdk.Environment(account="123456789012", region="us-east-1")
INSTANCE_ARN = "arn:aws:connect:us-east-1:123456789012:instance/11111111-2222-3333-4444-555555555555"
QUEUE_ARN = f"{INSTANCE_ARN}/queue/66666666-7777-8888-9999-000000000000"
CONNECTOR_ARN = "arn:aws:chime:us-east-1:123456789012:vc/own1keys2own3keys4own"
NOW = cdk.Duration.seconds(0)


class OwnKeys(cdk.Stack):
    """Metadata in an own table, its token and the vendors' credentials in own secrets, each kind behind its key."""

    def __init__(self, scope: Construct, id: str) -> None:  # noqa: A002
        """Build the stack."""
        super().__init__(scope, id, env=ENV)
        self._instance = ConnectInstance.from_arn(self, "Instance", INSTANCE_ARN)
        self._table_key = kms.Key(self, "TableKey", removal_policy=cdk.RemovalPolicy.DESTROY)
        self._secret_key = kms.Key(self, "SecretKey", removal_policy=cdk.RemovalPolicy.DESTROY)
        self._metadata()
        self._gate()

    def _metadata(self) -> None:
        table = dynamodb.TableV2(
            self,
            "Table",
            partition_key=dynamodb.Attribute(name="contactId", type=dynamodb.AttributeType.STRING),
            time_to_live_attribute="expiresAt",
            encryption=dynamodb.TableEncryptionV2.customer_managed_key(self._table_key),
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        metadata = MetadataBridge(
            self,
            "Metadata",
            instance=self._instance,
            table=table,
            token_secret=self._secret("Token"),
            token_cache=NOW,
            contact_tokens=True,
            encryption_key=self._secret_key,
        )
        transfer = ExternalVoiceTransfer(
            self,
            "Transfer",
            instance=self._instance,
            destination=VoiceDestination.connector(CONNECTOR_ARN, did="+12065550100"),
            queue_arn=QUEUE_ARN,
            metadata=metadata,
        )
        cdk.CfnOutput(self, "FlowArn", value=transfer.flow.arn)
        cdk.CfnOutput(self, "VoiceConnectorArn", value=CONNECTOR_ARN)
        cdk.CfnOutput(self, "MetadataApiUrl", value=metadata.url)
        cdk.CfnOutput(self, "MetadataTokenSecretArn", value=metadata.token_secret.secret_arn)
        cdk.CfnOutput(self, "MetadataContactTokenHeader", value=metadata.contact_token_header or "")

    def _gate(self) -> None:
        context = self.node.try_get_context
        gate = VoiceBiometricGate(
            self,
            "Gate",
            instance=self._instance,
            telephony=BiometricsTelephony.twilio(
                "+12065550188", secret=self._secret("Telephony"), api_url=context("twilioApiUrl")
            ),
            provider=BiometricsProvider.voiceit(
                secret=self._secret("Provider"), api_url=context("voiceitApiUrl")
            ),
            queue_arn=QUEUE_ARN,
            encryption_key=self._table_key,
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        cdk.CfnOutput(self, "BiometricsFlowArn", value=gate.flow.arn)
        cdk.CfnOutput(self, "BiometricsWebhookUrl", value=gate.webhook_url)
        cdk.CfnOutput(self, "BiometricsStatusUrl", value=gate.status_url)
        cdk.CfnOutput(self, "BiometricsTableName", value=gate.table.table_name)
        cdk.CfnOutput(self, "BiometricsEraseFunctionName", value=gate.erase_function.function_name)
        cdk.CfnOutput(self, "BiometricsTelephonySecretArn", value=gate.telephony_secret.secret_arn)
        if gate.provider_secret:
            cdk.CfnOutput(self, "BiometricsProviderSecretArn", value=gate.provider_secret.secret_arn)

    def _secret(self, id: str) -> secretsmanager.Secret:  # noqa: A002
        return secretsmanager.Secret(
            self,
            id,
            encryption_key=self._secret_key,
            generate_secret_string=secretsmanager.SecretStringGenerator(
                password_length=48, exclude_punctuation=True
            ),
        )


class OwnConnector(cdk.Stack):
    """A connector that the stack creates, with all logs behind a key of the stack's own."""

    def __init__(self, scope: Construct, id: str) -> None:  # noqa: A002
        """Build the stack."""
        super().__init__(scope, id, env=ENV)
        instance = ConnectInstance.from_arn(self, "Instance", INSTANCE_ARN)
        key = kms.Key(self, "LogKey", removal_policy=cdk.RemovalPolicy.DESTROY)
        connector = ExternalVoiceConnector(
            self,
            "Connector",
            instance=instance,
            host="sbc.example.com",
            log_retention_days=7,
            log_encryption_key=key,
            function_options=FunctionOptions(log_encryption_key=key),
        )
        cdk.CfnOutput(self, "ConnectorArn", value=connector.connector_arn)
        cdk.CfnOutput(self, "LogKeyArn", value=key.key_arn)


app = cdk.App()
OwnKeys(app, "own-keys-support-line")
OwnConnector(app, "own-keys-connector")
app.synth()
