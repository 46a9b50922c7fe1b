"""Alarms and a dashboard for a voice biometric gate."""

from __future__ import annotations

from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns

from constructs import Construct

_FIVE_MINUTES = cdk.Duration.minutes(5)


@dataclass(frozen=True, kw_only=True)
class _Watched:
    metric: cloudwatch.IMetric
    threshold: float
    meaning: str


class VoiceBiometricMonitoring(Construct):
    """Tells somebody when voices are not recognised, callers are locked, or a vendor does not answer.

    Metrics are those that the functions write (namespace ConnectBridges, dimension service) and their errors.
    """

    alarms: dict[str, cloudwatch.Alarm]
    """By name: VerificationFailures, LockOuts, ProviderErrors, ForgedMessages, WebhookFailures, SweepFailures."""
    dashboard: cloudwatch.Dashboard

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002
        *,
        service_name: str,
        sweep_errors: cloudwatch.IMetric,
        failures_threshold: int,
        locks_threshold: int,
        topic: sns.ITopic | None,
    ) -> None:
        """Create alarms and dashboard; the arguments are those of ``VoiceBiometricGate``."""
        super().__init__(scope, id)
        self._service_name = service_name
        watched = {
            "VerificationFailures": _Watched(
                metric=self.metric("BiometricFailed"),
                threshold=failures_threshold,
                meaning="More callers than usual failed the voice check: an attack, or a phrase that nobody says.",
            ),
            "LockOuts": _Watched(
                metric=self.metric("BiometricLocked"),
                threshold=locks_threshold,
                meaning="Locked numbers were called from: somebody may be trying voices.",
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
                meaning="The webhook could not do its work; its log has the cause.",
            ),
            "SweepFailures": _Watched(
                metric=sweep_errors,
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
        graphs = {
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
            "What is refused": ("WebhookForged", "WebhookReplayed", "WebhookFailed"),
            "What is forgotten": ("CallerErased", "CallerEraseFailed", "SweepDone", "SweepIncomplete"),
        }
        widgets = [
            cloudwatch.GraphWidget(
                title=title, left=[self.metric(name) for name in names], width=12, stacked=False
            )
            for title, names in graphs.items()
        ]
        return cloudwatch.Dashboard(self, "Dashboard", widgets=[widgets[:2], widgets[2:]])
