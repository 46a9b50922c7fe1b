"""A caller proves who they are by voice, and the proof belongs to one contact only."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

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

from constructs import Construct

from .acknowledgements import acknowledge
from .checks import E164, FLOW_ARN, QUEUE_ARN, check, check_range
from .connect_instance import ConnectInstance
from .contact_flow import ContactFlow, load_template
from .flow_language import FlowKind
from .flow_template import FlowTemplate
from .runtime_function import RuntimeFunction
from .voice_biometric_monitoring import VoiceBiometricMonitoring
from .voice_biometric_presets import VoiceBiometricPreset
from .voice_biometric_provider import API_URL, BiometricsProvider, BiometricsTelephony
from .voice_biometric_webhook_api import VoiceBiometricWebhookApi

_TRANSFER = "Transfer to the voice check"
_ASK_AGAIN = "Ask the gate again"
_TRY_AGAIN = "May the caller try again"
_PROOF_EXPIRED = "Say that the proof expired"
_NEXT_FLOW = "Hand over to the next flow"
_TRANSFER_TO_QUEUE = "Transfer to queue"
_PATH = re.compile(r"[A-Za-z0-9._~-]+(/[A-Za-z0-9._~-]+)*")
TELEPHONY_PROMPTS = (
    *("consent", "enrol", "verify", "again", "enrolled"),
    *("passed", "failed", "unavailable", "consent_refused", "not_expected"),
)
"""Names of what the caller hears on the telephony side."""
_PROMPTS_LIMIT = 2_400  # bytes: a function's environment variables share 4 KB


class WayBack(Enum):
    """How the caller comes back from the telephony number.

    RESUME: the telephony side hangs up and the flow goes on; the proof is bound to the contact. REDIAL: the telephony
    side dials the Connect number (guide 004); that is a new contact, so the proof can only be bound to the phone number
    and to some seconds. Choose RESUME unless the flow cannot wait.
    """

    RESUME = "RESUME"
    REDIAL = "REDIAL"


@dataclass(frozen=True, kw_only=True)
class VoiceCheckRules:
    """How strict the check is.

    enrolments: recordings that make a voice print. tries: per call. lock_after: failed tries in a row, over all calls
    of a number, until it is locked for lock_time. proof_lifetime: from the proof to its use; None is 60 seconds with
    RESUME, 10 with REDIAL. retention: after which an unused voice print is deleted. min_confidence: percent that a
    match needs on top of the provider's own threshold; 0 leaves it to the provider. self_enrolment: whether a caller
    without a voice print may make one; the first voice on a number is believed, see docs/voice-biometrics.md.
    """

    enrolments: int = 3
    tries: int = 3
    lock_after: int = 3
    lock_time: cdk.Duration | None = None
    proof_lifetime: cdk.Duration | None = None
    retention: cdk.Duration | None = None
    min_confidence: int = 0
    self_enrolment: bool = True


@dataclass(frozen=True, kw_only=True)
class VoiceBiometricPrompts:
    """What the caller hears from Amazon Connect; plain text, at most 6,000 characters each."""

    welcome: str = "Welcome."
    enrol: str = "You can be recognised by your voice. We are connecting you to set that up."
    enrol_more: str = "We need some more recordings of your voice. We are connecting you."
    verify: str = "We are connecting you to check your voice."
    proof_expired: str = "Your voice check is too long ago. We are connecting you to check your voice again."
    verified: str = "We have recognised you. One moment please."
    failed: str = "We could not recognise your voice. We are connecting you with an agent."
    locked: str = (
        "The voice check is locked for this number at the moment. We are connecting you with an agent."
    )
    unavailable: str = "We cannot check your voice at the moment. We are connecting you with an agent."
    queue_full: str = "All lines are busy at the moment. Please call again later. Goodbye."
    queue_error: str = "We cannot connect you with an agent at the moment. Please call again later. Goodbye."


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
        way_back: WayBack = WayBack.RESUME,
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
        connection_time_limit: how long the telephony side may take to answer; 1 to 600 seconds, default 30.
        phrase, language, voice: what callers say, in which language, and who asks them to (a <Say> voice).
        telephony_prompts: texts by name (consent, enrol, verify, again, enrolled, passed, failed, unavailable,
            consent_refused, not_expected) that differ from the defaults; 2,400 bytes in all.
        recording_transfer: "fetch" hands the recording itself to the provider, and works with Twilio's media
            authentication switched on; "url" hands over its address.
        delete_recordings: have the telephony provider delete recordings once they were judged.
        public_url: the API's URL with its stage, if a proxy stands in front of it; what is signed is this URL.
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
            check(
                "public_url", public_url, API_URL, "a URL; write one such as https://voice.example.com/prod"
            )
        if recording_transfer not in {"fetch", "url"}:
            raise ValueError(f"recording_transfer is {recording_transfer!r}; choose 'fetch' or 'url'.")
        _check_way_back(way_back, redial_number)
        rules = rules or VoiceCheckRules()

        self._instance = instance
        self._key = encryption_key
        self._removal_policy = removal_policy
        self._log_retention = log_retention
        self.provider = provider or BiometricsProvider.voiceit()
        self.telephony = telephony
        self.service_name = cdk.Names.unique_resource_name(self, max_length=64, separator="-")
        self.table = self._create_table(names)
        self.caller_key = self._create_caller_key()
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
        policy = _policy_environment(way_back, rules)
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
                "PROMPTS": _prompts_environment(telephony_prompts),
                "RECORDING_TRANSFER": recording_transfer,
                "DELETE_RECORDINGS": "true" if delete_recordings else "false",
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
            environment={**state, **vendors},
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
        self._publish_flows(
            way_back,
            time_limit,
            queue_arn=queue_arn,
            unverified_queue_arn=unverified_queue_arn or queue_arn,
            next_flow_arn=next_flow_arn,
            prompts=prompts or VoiceBiometricPrompts(),
            names=(flow_name, module_name),
        )
        self.monitoring = VoiceBiometricMonitoring(
            self,
            "Monitoring",
            service_name=self.service_name,
            sweep_errors=self.retention_function.metric_errors(
                period=cdk.Duration.minutes(5), statistic="Sum"
            ),
            failures_threshold=failures_alarm_threshold,
            locks_threshold=locks_alarm_threshold,
            topic=alarm_topic,
        )

    def metric_verified(self) -> cloudwatch.Metric:
        """Count of contacts whose caller is proven."""
        return self.monitoring.metric("BiometricVerified")

    def metric_failed(self) -> cloudwatch.Metric:
        """Count of contacts whose caller did not pass."""
        return self.monitoring.metric("BiometricFailed")

    def metric_locked(self) -> cloudwatch.Metric:
        """Count of contacts from a locked number."""
        return self.monitoring.metric("BiometricLocked")

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
            module=f"voice_biometrics.{module}",
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
            "MIN_CONFIDENCE": str(rules.min_confidence),
        }
        if self.provider.provider_function:
            return {**common, "PROVIDER_FUNCTION_ARN": self.provider.provider_function.function_arn}
        secret = self.provider_secret.secret_arn if self.provider_secret else ""
        return {**common, "PROVIDER_SECRET_ARN": secret, "VOICEIT_API_URL": self.provider.api_url}

    def _create_table(self, names: VoiceBiometricPreset) -> dynamodb.TableV2:
        return dynamodb.TableV2(
            self,
            "Table",
            table_name=names.table_name,
            partition_key=dynamodb.Attribute(name=names.partition_key, type=dynamodb.AttributeType.STRING),
            billing=dynamodb.Billing.on_demand(),
            encryption=(
                dynamodb.TableEncryptionV2.customer_managed_key(self._key)
                if self._key
                else dynamodb.TableEncryptionV2.aws_managed_key()
            ),
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            deletion_protection=self._removal_policy is cdk.RemovalPolicy.RETAIN,
            removal_policy=self._removal_policy,
        )

    def _create_caller_key(self) -> secretsmanager.Secret:
        key = secretsmanager.Secret(
            self,
            "CallerKey",
            description="Key of the hashes under which callers appear in logs.",
            generate_secret_string=secretsmanager.SecretStringGenerator(
                password_length=48, exclude_punctuation=True
            ),
            encryption_key=self._key,
            removal_policy=self._removal_policy,
        )
        acknowledge(
            key,
            "AwsSolutions-SMG4",
            "A new key on a schedule would cut the logs of a caller in two every time.",
        )
        return key

    def _create_secret(
        self,
        id: str,  # noqa: A002
        template: Mapping[str, str],
        generated: str,
        description: str,
    ) -> secretsmanager.Secret:
        """Create a secret of the right shape and no use, to be filled after the deployment."""
        secret = secretsmanager.Secret(
            self,
            f"{id}Secret",
            description=f"{description} Store yours with put-secret-value after the deployment.",
            generate_secret_string=secretsmanager.SecretStringGenerator(
                secret_string_template=json.dumps(dict(template)),
                generate_string_key=generated,
                password_length=32,
                exclude_punctuation=True,
            ),
            encryption_key=self._key,
            removal_policy=self._removal_policy,
        )
        acknowledge(
            secret,
            "AwsSolutions-SMG4",
            "The vendor issues these credentials; rotate them there and store the new ones: the previous version is "
            "accepted until the next rotation.",
        )
        return secret

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

    def _publish_flows(
        self,
        way_back: WayBack,
        time_limit: cdk.Duration,
        *,
        queue_arn: str,
        unverified_queue_arn: str,
        next_flow_arn: str | None,
        prompts: VoiceBiometricPrompts,
        names: tuple[str | None, str | None],
    ) -> None:
        common = {
            "GateFunctionArn": self.gate_function.function_arn,
            "TelephonyNumber": self.telephony.number,
            "ConnectionTimeLimitSeconds": str(int(time_limit.to_seconds())),
            "ProviderName": self.provider.name,
            "VerifyPrompt": prompts.verify,
            "EnrolPrompt": prompts.enrol,
            "EnrolMorePrompt": prompts.enrol_more,
            **({"ProofExpiredPrompt": prompts.proof_expired} if way_back is WayBack.REDIAL else {}),
        }
        flow = FlowTemplate(load_template("voice_biometric_gate.json"))
        _fit_way_back(flow, way_back, over="Disconnect", failed="Remember that the check failed")
        if next_flow_arn is None:
            flow.leave_out(_NEXT_FLOW, lead_to=_TRANSFER_TO_QUEUE)
        module = FlowTemplate(load_template("voice_biometric_gate_module.json"))
        _fit_way_back(module, way_back, over="End of module", failed="Remember the result")
        self.flow = ContactFlow(
            self,
            "Flow",
            instance=self._instance,
            template=flow.document,
            values={
                **common,
                "QueueArn": queue_arn,
                "UnverifiedQueueArn": unverified_queue_arn,
                **({"NextFlowArn": next_flow_arn} if next_flow_arn else {}),
                "WelcomePrompt": prompts.welcome,
                "VerifiedPrompt": prompts.verified,
                "FailedPrompt": prompts.failed,
                "LockedPrompt": prompts.locked,
                "UnavailablePrompt": prompts.unavailable,
                "QueueFullPrompt": prompts.queue_full,
                "QueueErrorPrompt": prompts.queue_error,
            },
            name=names[0],
            description="Has the caller prove who they are by voice, and queues the contact.",
        )
        self.module = ContactFlow(
            self,
            "Module",
            instance=self._instance,
            template=module.document,
            values=common,
            kind=FlowKind.MODULE,
            name=names[1],
            description="Has the caller prove who they are by voice; leaves the result in attributes.",
        )
        for published in (self.flow, self.module):
            published.depends_on(self.association)


def _fit_way_back(template: FlowTemplate, way_back: WayBack, *, over: str, failed: str) -> None:
    """RESUME asks again after the transfer; REDIAL ends with it, and may be told that a proof is too old."""
    if way_back is WayBack.RESUME:
        template.leave_out(_TRY_AGAIN, lead_to=failed)
        template.leave_out(_PROOF_EXPIRED, lead_to=_TRANSFER)
        return
    template.parameters(_TRANSFER)["ContinueFlowExecution"] = "False"
    transitions = template.block(_TRANSFER)["Transitions"]
    transitions["Errors"] = [one for one in transitions["Errors"] if one["ErrorType"] == "NoMatchingError"]
    template.leave_out(_ASK_AGAIN, lead_to=over)


def _check_way_back(way_back: WayBack, redial_number: str | None) -> None:
    if way_back is WayBack.REDIAL:
        if redial_number is None:
            raise ValueError(
                "way_back REDIAL needs redial_number, the Connect number that is dialled afterwards."
            )
        check("redial_number", redial_number, E164)
    elif redial_number is not None:
        raise ValueError(
            f"redial_number is {redial_number!r}, yet with way_back RESUME nothing is dialled; leave it out."
        )


def _policy_environment(way_back: WayBack, rules: VoiceCheckRules) -> dict[str, str]:
    lock_time = rules.lock_time or cdk.Duration.minutes(15)
    default_lifetime = cdk.Duration.seconds(60 if way_back is WayBack.RESUME else 10)
    lifetime = rules.proof_lifetime or default_lifetime
    retention = rules.retention or cdk.Duration.days(365)
    check_range("rules.enrolments", rules.enrolments, 1, 10, "recordings")
    check_range("rules.tries", rules.tries, 1, 10, "tries")
    check_range("rules.lock_after", rules.lock_after, 1, 100, "failed tries")
    check_range("rules.lock_time", lock_time.to_seconds(), 1, 2_592_000, "seconds")
    check_range("rules.proof_lifetime", lifetime.to_seconds(), 1, 600, "seconds")
    check_range("rules.retention", retention.to_days(), 1, 3650, "days")
    check_range("rules.min_confidence", rules.min_confidence, 0, 100, "percent")
    return {
        "WAY_BACK": way_back.value,
        "ENROLMENTS_NEEDED": str(rules.enrolments),
        "MAX_TRIES": str(rules.tries),
        "LOCK_AFTER": str(rules.lock_after),
        "LOCK_SECONDS": str(int(lock_time.to_seconds())),
        "PROOF_SECONDS": str(int(lifetime.to_seconds())),
        "RETENTION_DAYS": str(int(retention.to_days())),
        "SELF_ENROLMENT": "true" if rules.self_enrolment else "false",
    }


def _prompts_environment(prompts: Mapping[str, str] | None) -> str:
    for name, text in (prompts or {}).items():
        if name not in TELEPHONY_PROMPTS or not text:
            raise ValueError(
                f"telephony_prompts holds {name!r}: {text!r}; write texts by these names: "
                f"{', '.join(TELEPHONY_PROMPTS)}."
            )
    written = json.dumps(dict(prompts or {}), ensure_ascii=False)
    if len(written.encode()) > _PROMPTS_LIMIT:
        raise ValueError(
            f"telephony_prompts take {len(written.encode())} bytes; shorten them to {_PROMPTS_LIMIT}: all environment "
            "variables of a function share 4 KB."
        )
    return written
