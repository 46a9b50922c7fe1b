"""A caller proves who they are by voice, and the proof belongs to one contact only."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Unpack

import aws_cdk as cdk
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_connect as connect
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sns as sns

from connect_bridges.biometrics import monitoring
from connect_bridges.biometrics.flows import VoiceBiometricFlows, VoiceBiometricPrompts
from connect_bridges.biometrics.presets import VoiceBiometricPreset
from connect_bridges.biometrics.provider import BiometricsProvider, BiometricsTelephony
from connect_bridges.biometrics.rules import (
    CallerTransfer,
    VoiceCheckRules,
    VoiceDialogue,
    check_phrases,
    phrases_environment,
    policy_environment,
    prompts_environment,
)
from connect_bridges.biometrics.webhook_api import VoiceBiometricWebhookApi
from connect_bridges.contact_center.connect_instance import ConnectInstance
from connect_bridges.contact_center.contact_flow import ContactFlow
from connect_bridges.shared.api_options import ApiOptions, check_path
from connect_bridges.shared.arguments import (
    check_encrypt_logs,
    check_flow,
    check_flow_name,
    check_function_options,
    check_instance,
    check_key,
    check_name,
    check_queue,
    check_removal_policy,
    check_secret,
)
from connect_bridges.shared.checks import Problems, check, check_kind
from connect_bridges.shared.description import describe, secret_fact
from connect_bridges.shared.function_options import FunctionOptions
from connect_bridges.shared.grants import grant_secret_read, grant_table
from connect_bridges.shared.metrics import MetricOptions, counted
from connect_bridges.shared.monitoring import Monitoring
from connect_bridges.shared.private_data import check_protection, generated_secret, keyed_table
from connect_bridges.shared.regions import Place
from connect_bridges.shared.runtime_function import RuntimeFunction
from connect_bridges.shared.runtime_modules import runtime_module
from connect_bridges.shared.serverless_rules import explain_schedule
from connect_bridges.shared.table_guard import guard_table
from constructs import Construct

if TYPE_CHECKING:
    from runtime.biometrics import limits
else:
    limits = runtime_module("biometrics.limits")

FUNCTIONS = ("Gate", "Webhook", "Erase", "Unlock", "Retention")
"""Names of the functions, for ``FunctionOptions.overrides``."""


class VoiceBiometricGate(Construct):
    """Has callers prove who they are by voice, over a telephony provider.

    Publishes ``flow``, complete from the welcome to the agent queue, and ``module``, which asks, transfers and leaves
    the outcome in the contact attributes biometricResult (verified, failed, locked, unavailable, consentRefused,
    notEnrolled), biometricConfidence, biometricProvider and biometricTime. No caller is lost: whoever cannot be checked
    goes to an agent, unverified. Source: VoiceIt and Twilio's demo guide
    (docs/guides.md#biometrics-1-1).
    """

    table: dynamodb.ITableV2
    """One item a phone number: state, voice print's id at the provider, no voice."""
    gate_function: lambda_.Function
    """For flows: what next for this contact, and is its caller proven?"""
    webhook_function: lambda_.Function
    """Behind the API: the dialogue with the caller."""
    erase_function: lambda_.Function
    """Forgets a caller: invoke it with {"phoneNumber": "+12065550100"}."""
    unlock_function: lambda_.Function
    """Unlocks a number whose caller an agent or a second factor has identified: {"phoneNumber": "+12065550100"}."""
    retention_function: lambda_.Function
    """Runs daily: forgets unused callers, finishes what failed, deletes recordings that got lost."""
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
    association: connect.CfnIntegrationAssociation
    """Lets flows of the instance invoke the gate function."""
    flow: ContactFlow
    module: ContactFlow
    service_name: str
    """The dimension ``service`` of what the functions count."""

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
        rules: VoiceCheckRules | None = None,
        transfer: CallerTransfer | None = None,
        dialogue: VoiceDialogue | None = None,
        prompts: VoiceBiometricPrompts | None = None,
        unverified_queue_arn: str | None = None,
        next_flow_arn: str | None = None,
        flow_name: str | None = None,
        module_name: str | None = None,
        api: ApiOptions | None = None,
        encryption_key: kms.IKey | None = None,
        encrypt_logs: bool = False,
        function_options: FunctionOptions | None = None,
        removal_policy: cdk.RemovalPolicy = cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
        deletion_protection: bool = False,
    ) -> None:
        """Create the gate.

        telephony: the number that callers are transferred to. provider: who judges voices; default is VoiceIt.
        queue_arn: where verified callers wait; unverified_queue_arn: where the others do, default the same.
        preset: names, phrase and language; ``VoiceBiometricPreset.default().with_overrides(phrase=…)`` for your own,
            ``phrases=[…]`` for several of which each call is asked for one at random.
        rules: how strict the check is. transfer: how callers get to the telephony number and back. dialogue: what
            they hear there, and what becomes of recordings. prompts: what they hear from Amazon Connect.
        next_flow_arn: a flow that takes over verified callers before the queue.
        flow_name, module_name: published names; default is unique per stack.
        api: stage, throttling, public URL and logging of the webhook.
        encryption_key: a customer-managed key for table and secrets; default is keys that AWS manages.
        encrypt_logs: encrypt the log groups of functions and API with encryption_key, too. The policy of a key that is
            made in this app is extended so that CloudWatch Logs may use it; for an imported one a warning says how.
        function_options: VPC, tracing, memory, logs and so on of the functions Gate, Webhook, Erase, Unlock and
            Retention.
        removal_policy: what happens to the data when the stack is deleted; the default keeps it, and lets go of it
            only when the deployment that creates it fails. RETAIN keeps it then, too.
        deletion_protection: whether the table refuses to be deleted. Switch it on after the first deployment: it
            would block the rollback of one that fails (docs/recovery.md).
        Raises ``ConstructArgumentError``, a ``ValueError``, with the construct's path and every wrong argument.
        """
        super().__init__(scope, id)
        names = preset if preset is not None else VoiceBiometricPreset.default()
        options = api if api is not None else ApiOptions()
        transfer = transfer if transfer is not None else CallerTransfer()
        self._rules = rules if rules is not None else VoiceCheckRules()
        self._dialogue = dialogue if dialogue is not None else VoiceDialogue()
        self._function_options = function_options if function_options is not None else FunctionOptions()
        self._encryption_key = encryption_key
        self._removal_policy = removal_policy
        self._deletion_protection = deletion_protection
        self.provider = provider if provider is not None else BiometricsProvider.voiceit()
        problems = Problems(self)
        place = check_instance(problems, self, instance)
        check_queue(problems, "queue_arn", queue_arn, instance)
        if unverified_queue_arn is not None:
            check_queue(problems, "unverified_queue_arn", unverified_queue_arn, instance)
        check_flow(problems, "next_flow_arn", next_flow_arn, instance)
        _check_values(
            problems,
            telephony=telephony,
            provider=self.provider,
            preset=names,
            rules=self._rules,
            transfer=transfer,
            dialogue=self._dialogue,
            api=options,
            prompts=prompts,
        )
        problems.collect(check_flow_name, "flow_name", flow_name)
        problems.collect(check_flow_name, "module_name", module_name)
        check_key(problems, place, encryption_key, for_table=True)
        check_encrypt_logs(problems, encrypt_logs, encryption_key)
        check_function_options(problems, self._function_options, FUNCTIONS)
        problems.collect(check_removal_policy, removal_policy)
        problems.collect(check_protection, removal_policy, deletion_protection=deletion_protection)
        if isinstance(names, VoiceBiometricPreset):
            _check_names(problems, names)
            problems.collect(check_phrases, names.phrases, names.phrase, self._rules.enrolments)
        if not problems:
            _check_vendors(problems, place, telephony, self.provider)
        problems.raise_all()
        if encrypt_logs:
            options = options.logging_with(encryption_key)
            self._function_options = self._function_options.logging_with(encryption_key)

        self.telephony = telephony
        self.service_name = cdk.Names.unique_resource_name(self, max_length=64, separator="-")
        self._create_data(names)
        self._create_functions(names, transfer, options)
        self._grant_least()
        daily = events.Rule(
            self,
            "Daily",
            description="Has callers forgotten whose voice was not heard for long.",
            schedule=events.Schedule.rate(cdk.Duration.days(1)),
            targets=[targets.LambdaFunction(self.retention_function)],
        )
        explain_schedule(daily)
        webhook = VoiceBiometricWebhookApi(
            self, "Api", path=names.path, options=options, function=self.webhook_function
        )
        self.api = webhook.api
        self.webhook_url = options.url(webhook.url, names.path)
        self.status_url = f"{self.webhook_url}/status/0"
        self.association = instance.associate_function(self.gate_function)
        flows = VoiceBiometricFlows(
            self,
            instance=instance,
            gate_function=self.gate_function,
            association=self.association,
            telephony_number=telephony.number,
            provider_name=self.provider.name,
            transfer=transfer,
            queue_arn=queue_arn,
            unverified_queue_arn=unverified_queue_arn or queue_arn,
            next_flow_arn=next_flow_arn,
            prompts=prompts or VoiceBiometricPrompts(),
            names=(flow_name, module_name),
        )
        self.flow, self.module = flows.flow, flows.module
        self._describe(
            instance,
            names,
            transfer,
            options,
            queues=[queue_arn, unverified_queue_arn],
            next_flow_arn=next_flow_arn,
        )

    def monitor(
        self,
        *,
        alarm_topic: sns.ITopic | None = None,
        thresholds: Mapping[str, float] | None = None,
        dashboard_name: str | None = None,
        dashboard: cloudwatch.Dashboard | None = None,
        scope: Construct | None = None,
        id: str = "Monitoring",  # noqa: A002
    ) -> Monitoring:
        """Create alarms and a dashboard.

        Alarms: VerificationFailures, LockOuts, LongLockOuts, GuessedCodes, UnexpectedCalls, ProviderErrors,
        ForgedMessages, WebhookFailures, TableUnavailable, GateErrors, GateThrottles, WebhookErrors, WebhookThrottles,
        ApiErrors, SweepFailures.

        alarm_topic: where they go; without it they only change state. thresholds: counts within five minutes, by
        alarm name; default is 10 VerificationFailures, 3 LockOuts, 5 GuessedCodes, 20 UnexpectedCalls, 5
        ForgedMessages, 1 of the others. dashboard_name: default is CloudFormation's. dashboard: one that gets the
        widgets, below a heading with this construct's path; default is one of its own. scope, id: where they live;
        default is below this construct.
        Raises ``ValueError`` for a threshold of an alarm that does not exist.
        """
        made = Monitoring(
            scope or self,
            id,
            watched=monitoring.watched(self),
            alarm_topic=alarm_topic,
            thresholds=thresholds,
            dashboard=dashboard,
            heading=self.node.path,
        )
        made.add_dashboard(monitoring.dashboard(self), name=dashboard_name)
        return made

    def metric_verified(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Count of contacts whose caller is proven."""
        return counted("BiometricVerified", self.service_name, **options)

    def metric_failed(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Count of contacts whose flow was told that the caller did not pass; who hung up before is not among them."""
        return counted("BiometricFailed", self.service_name, **options)

    def metric_locked(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Count of contacts from a number that was locked already."""
        return counted("BiometricLocked", self.service_name, **options)

    def metric_refused_voices(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Count of voices that did not match, as they are judged, also of callers who then hang up."""
        return counted("VoiceRefused", self.service_name, **options)

    def metric_lock_outs(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Count of numbers that became locked, when it happened."""
        return counted("CallerLocked", self.service_name, **options)

    def metric_long_lock_outs(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Count of numbers that became locked for a day or more, when it happened."""
        return counted("CallerLockedLong", self.service_name, **options)

    def metric_guessed_codes(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Count of calls to the telephony number that showed a wrong one-time code."""
        return counted("CodeGuessed", self.service_name, **options)

    def metric_unexpected_calls(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Count of messages about calls to the telephony number that no session waited for."""
        return counted("CallNotExpected", self.service_name, **options)

    def metric_provider_errors(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Count of dialogues that ended because the provider did not answer."""
        return counted("ProviderUnavailable", self.service_name, **options)

    def grant_erase(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let somebody have callers forgotten."""
        return self.erase_function.grant_invoke(grantee)

    def grant_unlock(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let somebody unlock numbers, and nothing else: neither erase callers nor read about them."""
        return self.unlock_function.grant_invoke(grantee)

    def _describe(
        self,
        instance: ConnectInstance,
        names: VoiceBiometricPreset,
        transfer: CallerTransfer,
        api: ApiOptions,
        *,
        queues: Sequence[str | None],
        next_flow_arn: str | None,
    ) -> None:
        secrets = {
            "callerKey": secret_fact(self.caller_key, filled_by="deployment"),
            "telephony": secret_fact(
                self.telephony_secret,
                fields=("accountSid", "authToken"),
                filled_by="owner" if self.telephony.secret else "people",
            ),
        }
        if self.provider_secret:
            secrets["provider"] = secret_fact(
                self.provider_secret,
                fields=("apiKey", "apiToken"),
                filled_by="owner" if self.provider.secret else "people",
            )
        function = self.provider.provider_function
        describe(
            self,
            "VoiceBiometricGate",
            {
                "instanceArn": instance.instance_arn,
                "webhookUrl": self.webhook_url,
                "statusUrl": self.status_url,
                "restApiId": self.api.rest_api_id,
                "stageName": self.api.deployment_stage.stage_name,
                "cloudWatchRole": api.cloud_watch_role,
                "telephonyNumber": self.telephony.number,
                "telephonyApiUrl": self.telephony.api_url,
                "provider": self.provider.name,
                "providerApiUrl": self.provider.api_url or None,
                "providerFunctionArn": function.function_arn if function else None,
                "providerSeconds": self.provider.time_limit_seconds,
                "phrase": None if names.phrases else names.phrase,
                "phrases": list(names.phrases) or None,
                "language": names.language,
                "redialNumber": transfer.redial_number,
                "returnMode": transfer.return_mode.value,
                "recordingTransfer": self._dialogue.recording_transfer,
                "table": {
                    "name": self.table.table_name,
                    "partitionKey": names.partition_key,
                    "fixedName": names.table_name,
                },
                "queues": sorted({queue for queue in queues if queue}),
                "nextFlows": [next_flow_arn] if next_flow_arn else [],
                "secrets": secrets,
                "functions": {
                    "Gate": self.gate_function.function_name,
                    "Webhook": self.webhook_function.function_name,
                    "Erase": self.erase_function.function_name,
                    "Unlock": self.unlock_function.function_name,
                    "Retention": self.retention_function.function_name,
                },
                "flows": {"Flow": self.flow.arn, "Module": self.module.arn},
            },
        )

    def _create_data(self, names: VoiceBiometricPreset) -> None:
        """Create the table, and the secrets that are not given."""
        guard_table(
            self,
            name=names.table_name,
            partition_key=names.partition_key,
            holds="every enrolled caller would have to enrol again",
        )
        self.table = keyed_table(
            self,
            name=names.table_name,
            partition_key=names.partition_key,
            encryption_key=self._encryption_key,
            removal_policy=self._removal_policy,
            deletion_protection=self._deletion_protection,
        )
        self.caller_key = generated_secret(
            self,
            "CallerKey",
            description="Key of the hashes under which callers appear in logs.",
            value=secretsmanager.SecretStringGenerator(password_length=48, exclude_punctuation=True),
            encryption_key=self._encryption_key,
            removal_policy=self._removal_policy,
            why_no_schedule="A new key on a schedule would cut the logs of a caller in two every time.",
        )
        self.telephony_secret = self.telephony.secret or self._create_secret(
            "Telephony", {"accountSid": "put-yours-here"}, "authToken", "Twilio: accountSid and authToken."
        )
        self.provider_secret = self.provider.secret
        if self.provider.kind == "voiceit" and self.provider_secret is None:
            self.provider_secret = self._create_secret(
                "Provider", {"apiKey": "put-yours-here"}, "apiToken", "VoiceIt: apiKey and apiToken."
            )

    def _create_secret(
        self,
        id: str,  # noqa: A002
        template: Mapping[str, str],
        generated: str,
        description: str,
    ) -> secretsmanager.ISecret:
        """Create a placeholder secret of the right shape, to be filled after the deployment."""
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
            encryption_key=self._encryption_key,
            removal_policy=self._removal_policy,
            why_no_schedule="The vendor issues these credentials; rotate them there and store the new ones: the "
            "previous version is accepted for one hour.",
        )

    def _create_functions(
        self, names: VoiceBiometricPreset, transfer: CallerTransfer, api: ApiOptions
    ) -> None:
        record_seconds = self._dialogue.record_seconds(max(names.spoken, key=len))
        state = {
            "TABLE_NAME": self.table.table_name,
            "KEY_ATTRIBUTE": names.partition_key,
            "CALLER_KEY_SECRET_ARN": self.caller_key.secret_arn,
        }
        policy = policy_environment(transfer, self._rules, record_seconds, names.phrases)
        deletion = {"DELETE_RECORDINGS": "true" if self._dialogue.delete_recordings else "false"}
        vendors = {
            "TELEPHONY_SECRET_ARN": self.telephony_secret.secret_arn,
            "TWILIO_API_URL": self.telephony.api_url,
            **self._provider_environment(),
        }
        inventory = {"TELEPHONY_NUMBER": self.telephony.number}
        self.gate_function = self._function(
            "Gate",
            description="Tells a flow what comes next for a contact, and whether its caller is proven.",
            timeout=cdk.Duration.seconds(8),
            environment={**state, **policy, "PROVIDER_NAME": self.provider.name},
        )
        self.webhook_function = self._function(
            "Webhook",
            description="Leads the dialogue in which a caller is enrolled or verified by voice.",
            timeout=cdk.Duration.seconds(20),
            environment={
                **state,
                **policy,
                **vendors,
                "WEBHOOK_PATH": names.path,
                **({} if names.phrases else {"PHRASE": names.phrase}),
                "LANGUAGE": names.language,
                "VOICE": self._dialogue.voice or limits.VOICE,
                "PROMPTS": prompts_environment(self._dialogue.prompts),
                "RECORDING_TRANSFER": self._dialogue.recording_transfer,
                "RECORD_SECONDS": str(record_seconds),
                **deletion,
                **({"PUBLIC_URL": api.public_url} if api.public_url else {}),
                **({"REDIAL_NUMBER": transfer.redial_number} if transfer.redial_number else {}),
            },
        )
        self.erase_function = self._function(
            "Erase",
            description="Forgets a caller: table, voice print and recordings.",
            timeout=cdk.Duration.minutes(1),
            environment={**state, **vendors, **inventory},
        )
        self.unlock_function = self._function(
            "Unlock",
            description="Unlocks a number whose caller is identified by other means.",
            timeout=cdk.Duration.seconds(8),
            environment=state,
        )
        self.retention_function = self._function(
            "Retention",
            description="Forgets callers who were not heard for long, and finishes erasures that failed.",
            timeout=cdk.Duration.minutes(15),
            environment={
                **state,
                **vendors,
                **inventory,
                **deletion,
                "ENROLMENTS_NEEDED": policy["ENROLMENTS_NEEDED"],
                **phrases_environment(names.phrases),
            },
        )

    def _function(
        self,
        id: str,  # noqa: A002
        *,
        description: str,
        timeout: cdk.Duration,
        environment: Mapping[str, str],
    ) -> RuntimeFunction:
        return RuntimeFunction(
            self,
            id,
            module=f"biometrics.{id.lower()}",
            description=description,
            timeout=timeout,
            environment=environment,
            service_name=self.service_name,
            options=self._function_options,
        )

    def _provider_environment(self) -> dict[str, str]:
        common = {
            "PROVIDER": self.provider.kind,
            "PROVIDER_NAME": self.provider.name,
            "PROVIDER_SECONDS": str(self.provider.time_limit_seconds),
            "MIN_CONFIDENCE": str(self._rules.min_confidence),
        }
        if self.provider.provider_function:
            return {**common, "PROVIDER_FUNCTION_ARN": self.provider.provider_function.function_arn}
        secret = self.provider_secret.secret_arn if self.provider_secret else ""
        return {**common, "PROVIDER_SECRET_ARN": secret, "VOICEIT_API_URL": self.provider.api_url}

    def _grant_least(self) -> None:
        """Grant each function the calls that it makes."""
        vendors = [self.telephony_secret, *([self.provider_secret] if self.provider_secret else [])]
        needs: dict[lambda_.Function, tuple[tuple[str, ...], list[secretsmanager.ISecret]]] = {
            self.gate_function: (("GetItem", "PutItem"), []),
            self.unlock_function: (("GetItem", "PutItem"), []),
            self.webhook_function: (("GetItem", "PutItem"), vendors),
            self.erase_function: (("GetItem", "PutItem", "DeleteItem"), vendors),
            self.retention_function: (("GetItem", "PutItem", "DeleteItem", "Scan"), vendors),
        }
        for function, (operations, secrets) in needs.items():
            grant_table(self.table, function, *operations, key=self._encryption_key)
            for secret in (self.caller_key, *secrets):
                grant_secret_read(secret, function, key=self._encryption_key)
            if self.provider.provider_function and secrets:
                function.add_to_role_policy(
                    iam.PolicyStatement(
                        actions=["lambda:InvokeFunction"],
                        resources=[self.provider.provider_function.function_arn],
                    )
                )


_VALUES: dict[str, tuple[type, str]] = {
    "telephony": (BiometricsTelephony, 'BiometricsTelephony.twilio("+12065550188")'),
    "provider": (BiometricsProvider, "BiometricsProvider.voiceit()"),
    "preset": (VoiceBiometricPreset, "VoiceBiometricPreset.voiceit(), or one of your own"),
    "rules": (VoiceCheckRules, "VoiceCheckRules(tries=3)"),
    "transfer": (CallerTransfer, "CallerTransfer(return_mode=ReturnMode.RESUME)"),
    "dialogue": (VoiceDialogue, "VoiceDialogue(…)"),
    "api": (ApiOptions, 'ApiOptions(stage_name="prod")'),
    "prompts": (VoiceBiometricPrompts, 'VoiceBiometricPrompts(welcome="Welcome.")'),
}
"""The class of an argument that is a value, and what to write instead of something else."""


def _check_values(problems: Problems, **values: object) -> None:
    for setting, value in values.items():
        kind, write = _VALUES[setting]
        if value is not None or setting == "telephony":
            problems.collect(check_kind, setting, value, write, kind)


def _check_vendors(
    problems: Problems, place: Place, telephony: BiometricsTelephony, provider: BiometricsProvider
) -> None:
    check_secret(problems, place, "telephony.secret", telephony.secret)
    check_secret(problems, place, "provider.secret", provider.secret)
    place.check_resource(problems, "provider.provider_function", provider.provider_function, foreign=True)


def _check_names(problems: Problems, names: VoiceBiometricPreset) -> None:
    problems.collect(check_name, "preset.table_name", names.table_name, "table_name")
    problems.collect(check_name, "preset.partition_key", names.partition_key, "attribute")
    problems.collect(check_path, names.path)
    problems.collect(
        check, "phrase", names.phrase, limits.PHRASE_TEXT, "a phrase; write 3 to 200 characters on one line"
    )
    problems.collect(
        check, "language", names.language, limits.LANGUAGE_CODE, "a language; write one such as en-US"
    )
