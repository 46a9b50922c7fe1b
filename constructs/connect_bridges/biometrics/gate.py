"""A caller proves who they are by voice, and the proof belongs to one contact only."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

import aws_cdk as cdk
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sns as sns

from connect_bridges.biometrics.flows import VoiceBiometricFlows, VoiceBiometricPrompts
from connect_bridges.biometrics.monitoring import VoiceBiometricMonitoring
from connect_bridges.biometrics.presets import VoiceBiometricPreset
from connect_bridges.biometrics.provider import BiometricsProvider, BiometricsTelephony, check_api_url
from connect_bridges.biometrics.rules import (
    ReturnMode,
    VoiceCheckRules,
    check_return_mode,
    policy_environment,
    prompts_environment,
    recording_seconds,
)
from connect_bridges.biometrics.webhook_api import VoiceBiometricWebhookApi
from connect_bridges.contact_center.connect_instance import ConnectInstance
from connect_bridges.contact_center.contact_flow import ContactFlow
from connect_bridges.shared.checks import FLOW_ARN, QUEUE_ARN, check, check_range
from connect_bridges.shared.private_data import generated_secret, keyed_table
from connect_bridges.shared.runtime_function import RuntimeFunction
from constructs import Construct

_PATH = re.compile(r"[A-Za-z0-9._~-]+(/[A-Za-z0-9._~-]+)*")


class VoiceBiometricGate(Construct):
    """Has callers prove who they are by voice, over a telephony provider (guide 004).

    Publishes ``flow``, complete from the welcome to the agent queue, and ``module``, which asks, transfers and leaves
    the outcome in the contact attributes biometricResult (verified, failed, locked, unavailable, consentRefused,
    notEnrolled), biometricConfidence, biometricProvider and biometricTime. No caller is lost: whoever cannot be checked
    goes to an agent, unverified.
    """

    table: dynamodb.ITableV2
    """One item a phone number: state, voice print's id at the provider, no voice."""
    gate_function: lambda_.Function
    """For flows: what next for this contact, and is its caller proven?"""
    webhook_function: lambda_.Function
    """Behind the API: the dialogue with the caller."""
    erase_function: lambda_.Function
    """Forgets a caller: invoke it with {"phoneNumber": "+12065550100"}."""
    retention_function: lambda_.Function
    """Runs daily: forgets unused callers, finishes what failed."""
    api: apigateway.RestApi
    webhook_url: str
    """Where the telephony provider posts when a call comes in."""
    status_url: str
    """Where the telephony provider posts when a call is over."""
    telephony_secret: secretsmanager.ISecret
    """JSON with accountSid and authToken."""
    provider_secret: secretsmanager.ISecret | None
    """JSON with apiKey and apiToken; None for a provider function."""
    caller_key: secretsmanager.ISecret
    """The key of the hashes under which callers appear in logs."""
    flow: ContactFlow
    module: ContactFlow
    monitoring: VoiceBiometricMonitoring

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002
        *,
        instance: ConnectInstance,
        telephony: BiometricsTelephony,
        queue_arn: str,
        provider: BiometricsProvider | None = None,
        preset: VoiceBiometricPreset | None = None,
        return_mode: ReturnMode = ReturnMode.RESUME,
        redial_number: str | None = None,
        rules: VoiceCheckRules | None = None,
        unverified_queue_arn: str | None = None,
        next_flow_arn: str | None = None,
        connection_time_limit: cdk.Duration | None = None,
        phrase: str | None = None,
        language: str | None = None,
        voice: str | None = None,
        prompts: VoiceBiometricPrompts | None = None,
        telephony_prompts: Mapping[str, str] | None = None,
        recording_transfer: str = "fetch",
        recording_limit: cdk.Duration | None = None,
        delete_recordings: bool = True,
        path: str | None = None,
        stage_name: str = "prod",
        public_url: str | None = None,
        table_name: str | None = None,
        partition_key: str | None = None,
        encryption_key: kms.IKey | None = None,
        throttling_rate_limit: float = 50,
        throttling_burst_limit: int = 100,
        failures_alarm_threshold: int = 10,
        locks_alarm_threshold: int = 3,
        alarm_topic: sns.ITopic | None = None,
        log_retention: logs.RetentionDays = logs.RetentionDays.ONE_MONTH,
        cloud_watch_role: bool = True,
        removal_policy: cdk.RemovalPolicy = cdk.RemovalPolicy.RETAIN,
        flow_name: str | None = None,
        module_name: str | None = None,
    ) -> None:
        """Create the gate.

        telephony: the number that callers are transferred to. provider: who judges voices; default is VoiceIt.
        queue_arn: where verified callers wait; unverified_queue_arn: where the others do, default the same.
        next_flow_arn: a flow that takes over verified callers before the queue.
        redial_number: the Connect number that the telephony side dials; needed with REDIAL, refused with RESUME.
        connection_time_limit: how long the telephony side may take to answer; 1 to 600 seconds, default 30. The
            one-time code that the call has to bring lives a minute longer.
        phrase, language, voice: what callers say, in which language, and who asks them to (a <Say> voice).
        telephony_prompts: texts by name (consent, enrol, verify, again, enrolled, passed, failed, unavailable,
            consent_refused, not_expected) that differ from the defaults; 2,400 bytes in all.
        recording_transfer: "fetch" hands the recording itself to the provider, and works with Twilio's media
            authentication switched on; "url" hands over its address, which needs that switched off (newer accounts
            cannot), or a provider with credentials. Whoever has the address can listen until it is deleted.
        recording_limit: how long a recording may get, 2 to 30 whole seconds; default is long enough for the phrase (12
            characters a second and 2 s), at least 5 s.
        delete_recordings: have the telephony provider delete recordings once they were judged.
        public_url: the API's URL with its stage, if a proxy stands in front of it; what is signed is this URL. https;
            http on localhost and 127.0.0.1 only, for a fake.
        Raises ``ValueError`` naming the argument, the value and the fix.
        """
        super().__init__(scope, id)
        names = (preset or VoiceBiometricPreset.default()).with_overrides(
            path=path, table_name=table_name, partition_key=partition_key, phrase=phrase, language=language
        )
        time_limit = connection_time_limit or cdk.Duration.seconds(30)
        check_range("connection_time_limit", time_limit.to_seconds(), 1, 600, "seconds")
        for setting, arn in {"queue_arn": queue_arn, "unverified_queue_arn": unverified_queue_arn}.items():
            if arn is not None:
                check(setting, arn, QUEUE_ARN)
        if next_flow_arn is not None:
            check("next_flow_arn", next_flow_arn, FLOW_ARN)
        check(
            "path", names.path, _PATH, "a resource path; write letters, digits, - . _ ~ and / between parts"
        )
        if public_url is not None:
            check_api_url("public_url", public_url, such_as="https://voice.example.com/prod")
        if recording_transfer not in {"fetch", "url"}:
            raise ValueError(f"recording_transfer is {recording_transfer!r}; choose 'fetch' or 'url'.")
        check_return_mode(return_mode, redial_number)
        rules = rules or VoiceCheckRules()
        record_seconds = recording_seconds(recording_limit, names.phrase)

        self._key = encryption_key
        self._removal_policy = removal_policy
        self._log_retention = log_retention
        self.provider = provider or BiometricsProvider.voiceit()
        self.telephony = telephony
        self.service_name = cdk.Names.unique_resource_name(self, max_length=64, separator="-")
        self.table = keyed_table(
            self,
            name=names.table_name,
            partition_key=names.partition_key,
            encryption_key=self._key,
            removal_policy=self._removal_policy,
        )
        self.caller_key = generated_secret(
            self,
            "CallerKey",
            description="Key of the hashes under which callers appear in logs.",
            value=secretsmanager.SecretStringGenerator(password_length=48, exclude_punctuation=True),
            encryption_key=self._key,
            removal_policy=self._removal_policy,
            why_no_schedule="A new key on a schedule would cut the logs of a caller in two every time.",
        )
        self.telephony_secret = telephony.secret or self._create_secret(
            "Telephony", {"accountSid": "put-yours-here"}, "authToken", "Twilio: accountSid and authToken."
        )
        self.provider_secret = self.provider.secret
        if self.provider.kind == "voiceit" and self.provider_secret is None:
            self.provider_secret = self._create_secret(
                "Provider", {"apiKey": "put-yours-here"}, "apiToken", "VoiceIt: apiKey and apiToken."
            )

        state = {
            "TABLE_NAME": self.table.table_name,
            "KEY_ATTRIBUTE": names.partition_key,
            "CALLER_KEY_SECRET_ARN": self.caller_key.secret_arn,
        }
        policy = policy_environment(return_mode, rules, time_limit, record_seconds)
        deletion = {"DELETE_RECORDINGS": "true" if delete_recordings else "false"}
        vendors = {
            "TELEPHONY_SECRET_ARN": self.telephony_secret.secret_arn,
            "TWILIO_API_URL": telephony.api_url,
            **self._provider_environment(rules),
        }
        self.gate_function = self._function(
            "Gate",
            module="gate",
            description="Tells a flow what comes next for a contact, and whether its caller is proven.",
            timeout=cdk.Duration.seconds(8),
            environment={**state, **policy, "PROVIDER_NAME": self.provider.name},
        )
        self.webhook_function = self._function(
            "Webhook",
            module="webhook",
            description="Leads the dialogue in which a caller is enrolled or verified by voice.",
            timeout=cdk.Duration.seconds(20),
            environment={
                **state,
                **policy,
                **vendors,
                "WEBHOOK_PATH": names.path,
                "PHRASE": names.phrase,
                "LANGUAGE": names.language,
                "VOICE": voice or "default",
                "PROMPTS": prompts_environment(telephony_prompts),
                "RECORDING_TRANSFER": recording_transfer,
                "RECORD_SECONDS": str(record_seconds),
                **deletion,
                **({"PUBLIC_URL": public_url} if public_url else {}),
                **({"REDIAL_NUMBER": redial_number} if redial_number else {}),
            },
        )
        self.erase_function = self._function(
            "Erase",
            module="erase",
            description="Forgets a caller: table, voice print and recordings.",
            timeout=cdk.Duration.minutes(1),
            environment={**state, **vendors},
        )
        self.retention_function = self._function(
            "Retention",
            module="retention",
            description="Forgets callers who were not heard for long, and finishes erasures that failed.",
            timeout=cdk.Duration.minutes(15),
            environment={**state, **vendors, **deletion},
        )
        self._grant_least()
        events.Rule(
            self,
            "Daily",
            description="Has callers forgotten whose voice was not heard for long.",
            schedule=events.Schedule.rate(cdk.Duration.days(1)),
            targets=[targets.LambdaFunction(self.retention_function)],
        )
        webhook = VoiceBiometricWebhookApi(
            self,
            "Api",
            path=names.path,
            stage_name=stage_name,
            function=self.webhook_function,
            throttling_rate_limit=throttling_rate_limit,
            throttling_burst_limit=throttling_burst_limit,
            log_retention=log_retention,
            cloud_watch_role=cloud_watch_role,
        )
        self.api = webhook.api
        self.webhook_url = f"{public_url.rstrip('/')}/{names.path}" if public_url else webhook.url
        self.status_url = f"{self.webhook_url}/status/0"
        self.association = instance.associate_function(self.gate_function)
        flows = VoiceBiometricFlows(
            self,
            instance=instance,
            gate_function=self.gate_function,
            association=self.association,
            telephony_number=telephony.number,
            provider_name=self.provider.name,
            return_mode=return_mode,
            time_limit=time_limit,
            queue_arn=queue_arn,
            unverified_queue_arn=unverified_queue_arn or queue_arn,
            next_flow_arn=next_flow_arn,
            prompts=prompts or VoiceBiometricPrompts(),
            names=(flow_name, module_name),
        )
        self.flow, self.module = flows.flow, flows.module
        self.monitoring = VoiceBiometricMonitoring(
            self,
            "Monitoring",
            service_name=self.service_name,
            gate_function=self.gate_function,
            webhook_function=self.webhook_function,
            retention_function=self.retention_function,
            api=self.api,
            failures_threshold=failures_alarm_threshold,
            locks_threshold=locks_alarm_threshold,
            topic=alarm_topic,
        )

    def metric_verified(self) -> cloudwatch.Metric:
        """Count of contacts whose caller is proven."""
        return self.monitoring.metric("BiometricVerified")

    def metric_failed(self) -> cloudwatch.Metric:
        """Count of contacts whose flow was told that the caller did not pass; who hung up before is not among them."""
        return self.monitoring.metric("BiometricFailed")

    def metric_locked(self) -> cloudwatch.Metric:
        """Count of contacts from a number that was locked already."""
        return self.monitoring.metric("BiometricLocked")

    def metric_refused_voices(self) -> cloudwatch.Metric:
        """Count of voices that did not match, as they are judged, also of callers who then hang up."""
        return self.monitoring.metric("VoiceRefused")

    def metric_lock_outs(self) -> cloudwatch.Metric:
        """Count of numbers that became locked, when it happened."""
        return self.monitoring.metric("CallerLocked")

    def metric_provider_errors(self) -> cloudwatch.Metric:
        """Count of dialogues that ended because the provider did not answer."""
        return self.monitoring.metric("ProviderUnavailable")

    def grant_erase(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let somebody have callers forgotten."""
        return self.erase_function.grant_invoke(grantee)

    def _function(
        self,
        id: str,  # noqa: A002
        *,
        module: str,
        description: str,
        timeout: cdk.Duration,
        environment: Mapping[str, str],
    ) -> RuntimeFunction:
        return RuntimeFunction(
            self,
            id,
            module=f"biometrics.{module}",
            description=description,
            timeout=timeout,
            environment=environment,
            log_retention=self._log_retention,
            service_name=self.service_name,
        )

    def _provider_environment(self, rules: VoiceCheckRules) -> dict[str, str]:
        common = {
            "PROVIDER": self.provider.kind,
            "PROVIDER_NAME": self.provider.name,
            "PROVIDER_SECONDS": str(self.provider.time_limit_seconds),
            "MIN_CONFIDENCE": str(rules.min_confidence),
        }
        if self.provider.provider_function:
            return {**common, "PROVIDER_FUNCTION_ARN": self.provider.provider_function.function_arn}
        secret = self.provider_secret.secret_arn if self.provider_secret else ""
        return {**common, "PROVIDER_SECRET_ARN": secret, "VOICEIT_API_URL": self.provider.api_url}

    def _create_secret(
        self,
        id: str,  # noqa: A002
        template: Mapping[str, str],
        generated: str,
        description: str,
    ) -> secretsmanager.Secret:
        """Create a secret of the right shape and no use, to be filled after the deployment."""
        return generated_secret(
            self,
            f"{id}Secret",
            description=f"{description} Store yours with put-secret-value after the deployment.",
            value=secretsmanager.SecretStringGenerator(
                secret_string_template=json.dumps(dict(template)),
                generate_string_key=generated,
                password_length=32,
                exclude_punctuation=True,
            ),
            encryption_key=self._key,
            removal_policy=self._removal_policy,
            why_no_schedule="The vendor issues these credentials; rotate them there and store the new ones: the "
            "previous version is accepted until the next rotation.",
        )

    def _grant_least(self) -> None:
        """Grant each function the calls that it makes."""
        vendors = [self.telephony_secret, *([self.provider_secret] if self.provider_secret else [])]
        needs: dict[lambda_.Function, tuple[tuple[str, ...], list[secretsmanager.ISecret]]] = {
            self.gate_function: (("GetItem", "PutItem"), []),
            self.webhook_function: (("GetItem", "PutItem"), vendors),
            self.erase_function: (("GetItem", "PutItem", "DeleteItem"), vendors),
            self.retention_function: (("GetItem", "PutItem", "DeleteItem", "Scan"), vendors),
        }
        for function, (operations, secrets) in needs.items():
            self.table.grant(function, *(f"dynamodb:{operation}" for operation in operations))
            function.add_to_role_policy(
                iam.PolicyStatement(
                    actions=["secretsmanager:GetSecretValue"],
                    resources=[secret.secret_arn for secret in [self.caller_key, *secrets]],
                )
            )
            if self.provider.provider_function and secrets:
                function.add_to_role_policy(
                    iam.PolicyStatement(
                        actions=["lambda:InvokeFunction"],
                        resources=[self.provider.provider_function.function_arn],
                    )
                )
            if self._key:
                self._key.grant(function, "kms:Decrypt", "kms:GenerateDataKey")
