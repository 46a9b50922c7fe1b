"""The voice biometrics of one environment: callers prove who they are by voice before an agent takes the call."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sns as sns
from connect_bridges.biometrics.flows import VoiceBiometricPrompts
from connect_bridges.biometrics.gate import VoiceBiometricGate
from connect_bridges.biometrics.presets import VoiceBiometricPreset
from connect_bridges.biometrics.provider import BiometricsProvider, BiometricsTelephony
from connect_bridges.biometrics.rules import CallerTransfer, ReturnMode, VoiceCheckRules, VoiceDialogue
from connect_bridges.contact_center.connect_instance import ConnectInstance
from connect_bridges.shared.api_options import ApiOptions

from constructs import Construct

from .biometrics_settings import BiometricsSettings
from .instance_stack import CreatedInstance
from .removal import removal_policy


class BiometricsStack(cdk.Stack):
    """VoiceBiometricGate of an environment, with what the vendors have to be told as outputs."""

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002
        *,
        biometrics: BiometricsSettings,
        name: str,
        account: str,
        region: str,
        instance_arn: str = "",
        created: CreatedInstance | None = None,
        queue_arn: str | None = None,
        unverified_queue_arn: str | None = None,
        next_flow_arn: str | None = None,
        protected: bool,
        deletion_protection: bool = False,
        alarm_topic_arn: str | None = None,
        dashboard: cloudwatch.Dashboard | None = None,
    ) -> None:
        """Build the stack in an account and Region.

        name: the environment's. instance_arn: of an imported instance; created: one of another stack. queue_arn,
        unverified_queue_arn, next_flow_arn: of what other stacks create; default is what biometrics names.
        protected: keep data. deletion_protection: refuse deletion, stack and table.
        dashboard: the environment's, for the widgets; default is one of the stack's own.
        """
        super().__init__(
            scope,
            id,
            stack_name=f"connect-bridges-{name}-biometrics",
            description="Amazon Connect callers prove who they are by voice.",
            env=cdk.Environment(account=account, region=region),
            termination_protection=deletion_protection,
        )
        self._settings = biometrics
        self._removal = removal_policy(protected=protected)
        title = f"connect-bridges {name} voice biometric"
        self.gate = VoiceBiometricGate(
            self,
            "Biometrics",
            instance=(
                created.known_to(self)
                if created
                else ConnectInstance.from_arn(self, "Instance", instance_arn)
            ),
            telephony=self._telephony(),
            provider=self._provider(),
            queue_arn=queue_arn or biometrics.queue_arn or "",
            unverified_queue_arn=unverified_queue_arn or biometrics.unverified_queue_arn,
            next_flow_arn=next_flow_arn or biometrics.next_flow_arn,
            preset=VoiceBiometricPreset.named(biometrics.preset).with_overrides(
                phrase=biometrics.phrase,
                phrases=biometrics.phrases,
                language=biometrics.language,
                path=biometrics.path,
            ),
            rules=self._rules(),
            transfer=CallerTransfer(
                return_mode=ReturnMode(biometrics.return_mode),
                redial_number=biometrics.redial_number,
                connection_time_limit=cdk.Duration.seconds(biometrics.connection_time_limit_seconds),
            ),
            dialogue=self._dialogue(),
            prompts=VoiceBiometricPrompts(**biometrics.prompts.model_dump(exclude_none=True)),
            api=ApiOptions(
                stage_name=biometrics.stage_name or name.replace("-", "_"),
                public_url=biometrics.public_url,
                execute_api=biometrics.execute_api,
                allowed_addresses=biometrics.allowed_addresses,
                cloud_watch_role=biometrics.cloud_watch_role,
            ),
            encryption_key=self._key(name) if biometrics.encryption == "customer-managed" else None,
            encrypt_logs=biometrics.encryption == "customer-managed",
            removal_policy=self._removal,
            deletion_protection=deletion_protection,
            flow_name=f"{title} gate",
            module_name=f"{title} module",
        )
        self.monitoring = self.gate.monitor(
            alarm_topic=(
                sns.Topic.from_topic_arn(self, "AlarmTopic", alarm_topic_arn) if alarm_topic_arn else None
            ),
            dashboard=dashboard,
            thresholds={
                "VerificationFailures": biometrics.failures_alarm_threshold,
                "LockOuts": biometrics.locks_alarm_threshold,
            },
        )
        self._tell()

    def _rules(self) -> VoiceCheckRules:
        rules = self._settings.rules
        return VoiceCheckRules(
            enrolments=rules.enrolments,
            tries=rules.tries,
            lock_after=rules.lock_after,
            day_tries=rules.day_tries,
            month_tries=rules.month_tries,
            lock_time=cdk.Duration.minutes(rules.lock_minutes),
            proof_lifetime=cdk.Duration.seconds(rules.proof_seconds) if rules.proof_seconds else None,
            retention=cdk.Duration.days(rules.retention_days),
            min_confidence=rules.min_confidence,
            self_enrolment=rules.self_enrolment,
        )

    def _dialogue(self) -> VoiceDialogue:
        telephony = self._settings.telephony
        limit = telephony.recording_limit_seconds
        return VoiceDialogue(
            voice=telephony.voice,
            prompts=telephony.prompts,
            recording_transfer=telephony.recording_transfer,
            recording_limit=cdk.Duration.seconds(limit) if limit else None,
            delete_recordings=telephony.delete_recordings,
        )

    def _telephony(self) -> BiometricsTelephony:
        telephony = self._settings.telephony
        return BiometricsTelephony.twilio(
            telephony.number,
            secret=self._secret("TelephonySecret", telephony.secret_arn),
            api_url=telephony.api_url,
        )

    def _provider(self) -> BiometricsProvider:
        provider = self._settings.provider
        time_limit = cdk.Duration.seconds(provider.time_limit_seconds)
        if provider.function_arn and provider.name:
            function = lambda_.Function.from_function_arn(self, "ProviderFunction", provider.function_arn)
            return BiometricsProvider.function(function, name=provider.name, time_limit=time_limit)
        return BiometricsProvider.voiceit(
            secret=self._secret("ProviderSecret", provider.voiceit_secret_arn),
            api_url=provider.voiceit_api_url,
            time_limit=time_limit,
        )

    def _secret(self, id: str, arn: str | None) -> secretsmanager.ISecret | None:  # noqa: A002
        return secretsmanager.Secret.from_secret_complete_arn(self, id, arn) if arn else None

    def _key(self, name: str) -> kms.Key:
        return kms.Key(
            self,
            "Key",
            description=f"Encrypts callers and secrets of connect-bridges {name}.",
            enable_key_rotation=True,
            removal_policy=self._removal,
        )

    def _tell(self) -> None:
        gate = self.gate
        outputs = {
            "BiometricsFlowArn": (gate.flow.arn, "The complete flow: attach it to a telephone number."),
            "BiometricsModuleArn": (gate.module.arn, "The check alone, for a flow of your own."),
            "BiometricsWebhookUrl": (
                gate.webhook_url,
                "Enter it at the telephony number, 'A call comes in', HTTP POST.",
            ),
            "BiometricsStatusUrl": (
                gate.status_url,
                "Enter it at the telephony number, 'Call status changes', HTTP POST.",
            ),
            "BiometricsTelephonySecretArn": (
                gate.telephony_secret.secret_arn,
                "Store accountSid and authToken here: aws secretsmanager put-secret-value.",
            ),
            "BiometricsEraseFunctionName": (
                gate.erase_function.function_name,
                'Forgets a caller: aws lambda invoke with {"phoneNumber": "+12065550100"}.',
            ),
            "BiometricsUnlockFunctionName": (
                gate.unlock_function.function_name,
                'Unlocks a number: aws lambda invoke with {"phoneNumber": "+12065550100"}.',
            ),
            "BiometricsTableName": (gate.table.table_name, "One item a caller."),
        }
        if gate.provider_secret:
            outputs["BiometricsProviderSecretArn"] = (
                gate.provider_secret.secret_arn,
                "Store apiKey and apiToken here: aws secretsmanager put-secret-value.",
            )
        for name, (value, meaning) in outputs.items():
            cdk.CfnOutput(self, name, value=value, description=meaning)
