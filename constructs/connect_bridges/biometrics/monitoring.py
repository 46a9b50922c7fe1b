"""Alarms and a dashboard for a voice biometric gate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns

from constructs import Construct

_FIVE_MINUTES = cdk.Duration.minutes(5)


@dataclass(frozen=True, kw_only=True)
class _Watched:
    metric: cloudwatch.IMetric
    threshold: float
    meaning: str


class VoiceBiometricMonitoring(Construct):
    """Tells somebody when voices are not recognised, callers are locked, a vendor does not answer, or a part fails.

    Metrics are those that the functions write (namespace ConnectBridges, dimension service), and those that Lambda and
    API Gateway write of them. Refused voices and locked numbers are counted when it happens, not when a flow asks the
    gate: whoever tries voices and hangs up each time is counted as well.
    """

    alarms: dict[str, cloudwatch.Alarm]
    """By name: VerificationFailures, LockOuts, ProviderErrors, ForgedMessages, WebhookFailures, TableUnavailable,
    GateErrors, GateThrottles, WebhookErrors, WebhookThrottles, ApiErrors, SweepFailures."""
    dashboard: cloudwatch.Dashboard

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002
        *,
        service_name: str,
        gate_function: lambda_.IFunction,
        webhook_function: lambda_.IFunction,
        retention_function: lambda_.IFunction,
        api: apigateway.RestApi,
        failures_threshold: int,
        locks_threshold: int,
        topic: sns.ITopic | None,
    ) -> None:
        """Create alarms and dashboard; the arguments are those of ``VoiceBiometricGate``."""
        super().__init__(scope, id)
        self._service_name = service_name
        every_five_minutes: dict[str, Any] = {"period": _FIVE_MINUTES, "statistic": "Sum"}
        self._gate_errors = gate_function.metric_errors(**every_five_minutes)
        self._gate_throttles = gate_function.metric_throttles(**every_five_minutes)
        self._webhook_errors = webhook_function.metric_errors(**every_five_minutes)
        self._webhook_throttles = webhook_function.metric_throttles(**every_five_minutes)
        self._api_errors = api.metric_server_error(**every_five_minutes)
        watched = {
            "VerificationFailures": _Watched(
                metric=self.metric("VoiceRefused"),
                threshold=failures_threshold,
                meaning="More voices than usual did not match: an attack, or a phrase that nobody says.",
            ),
            "LockOuts": _Watched(
                metric=self.metric("CallerLocked"),
                threshold=locks_threshold,
                meaning="Numbers were locked after failed tries: somebody may be trying voices.",
            ),
            "ProviderErrors": _Watched(
                metric=self.metric("ProviderUnavailable"),
                threshold=1,
                meaning="The biometrics provider did not answer, or refused: callers go on unverified.",
            ),
            "ForgedMessages": _Watched(
                metric=self.metric("WebhookForged"),
                threshold=5,
                meaning="Messages with a wrong signature: an attacker, or an auth token that was not updated.",
            ),
            "WebhookFailures": _Watched(
                metric=self.metric("WebhookFailed"),
                threshold=1,
                meaning="The webhook could not do its work, or left a recording at Twilio; its log has the cause.",
            ),
            "TableUnavailable": _Watched(
                metric=self.metric("TableUnavailable"),
                threshold=1,
                meaning="The gate could not read or write its table: callers go on unverified.",
            ),
            "GateErrors": _Watched(
                metric=self._gate_errors,
                threshold=1,
                meaning="The function that flows ask raised or ran out of time: callers go on unverified. Its log has "
                "the cause.",
            ),
            "GateThrottles": _Watched(
                metric=self._gate_throttles,
                threshold=1,
                meaning="Lambda had no concurrency left for the gate: callers go on unverified. Raise the account's "
                "quota, or reserve some.",
            ),
            "WebhookErrors": _Watched(
                metric=self._webhook_errors,
                threshold=1,
                meaning="The webhook's function raised or ran out of time: callers could not be checked. Its log has "
                "the cause.",
            ),
            "WebhookThrottles": _Watched(
                metric=self._webhook_throttles,
                threshold=1,
                meaning="Lambda had no concurrency left for the webhook: callers could not be checked. Raise the "
                "account's quota, or reserve some.",
            ),
            "ApiErrors": _Watched(
                metric=self._api_errors,
                threshold=1,
                meaning="The webhook's API answered 5xx, which Twilio does not speak to callers: responseType in its "
                "access log says why.",
            ),
            "SweepFailures": _Watched(
                metric=retention_function.metric_errors(**every_five_minutes),
                threshold=1,
                meaning="Callers or recordings that should be forgotten are not, yet.",
            ),
        }
        self.alarms = {name: self._alarm(name, one, topic) for name, one in watched.items()}
        self.dashboard = self._dashboard()

    def metric(self, name: str) -> cloudwatch.Metric:
        """Return one of the functions' own counts, summed over five minutes."""
        return cloudwatch.Metric(
            namespace="ConnectBridges",
            metric_name=name,
            dimensions_map={"service": self._service_name},
            period=_FIVE_MINUTES,
            statistic="Sum",
        )

    def _alarm(self, name: str, watched: _Watched, topic: sns.ITopic | None) -> cloudwatch.Alarm:
        alarm = cloudwatch.Alarm(
            self,
            name,
            metric=watched.metric,
            threshold=watched.threshold,
            evaluation_periods=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
            alarm_description=watched.meaning,
        )
        if topic:
            alarm.add_alarm_action(actions.SnsAction(topic))
        return alarm

    def _dashboard(self) -> cloudwatch.Dashboard:
        counts = {
            "What the gate answers": (
                *("BiometricVerified", "BiometricFailed", "BiometricLocked", "BiometricUnavailable"),
                "BiometricTransfer",
            ),
            "How dialogues end": (
                "DialoguePassed",
                "DialogueFailed",
                "ProviderUnavailable",
                "CallNotExpected",
            ),
            "Voices that did not match, numbers that were locked": ("VoiceRefused", "CallerLocked"),
            "What is refused": ("WebhookForged", "WebhookReplayed", "WebhookFailed"),
            "What is forgotten": ("CallerErased", "CallerEraseFailed", "SweepDone", "SweepIncomplete"),
        }
        graphs: dict[str, list[cloudwatch.IMetric]] = {
            title: [self.metric(name) for name in names] for title, names in counts.items()
        }
        graphs["What fails in this account"] = [
            *(self._gate_errors, self._gate_throttles, self._webhook_errors, self._webhook_throttles),
            *(self._api_errors, self.metric("TableUnavailable")),
        ]
        widgets = [
            cloudwatch.GraphWidget(title=title, left=metrics, width=12, stacked=False)
            for title, metrics in graphs.items()
        ]
        return cloudwatch.Dashboard(self, "Dashboard", widgets=[widgets[:2], widgets[2:4], widgets[4:]])
