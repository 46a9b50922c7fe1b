"""Tell somebody when chats do not reach the bot, and show how the bridge is doing."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns

from connect_bridges.chat.bridge import ChatStreamBridge
from constructs import Construct

_GUIDE = "docs/constructs/chat-stream-bridge.md"


class ChatStreamMonitoring(Construct):
    """Alarms and a dashboard for a ``ChatStreamBridge``.

    Each alarm fires with the first occurrence, stays silent without data, and says what it means and what to do.
    """

    alarms: dict[str, cloudwatch.Alarm]
    """By name: DeadLetters, MessagesLost, StreamingFailures, FunctionErrors, FunctionThrottles; with an access key
    also VendorKeyAge and KeyAgeErrors."""
    dashboard: cloudwatch.Dashboard

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002
        *,
        bridge: ChatStreamBridge,
        topic: sns.ITopic | None = None,
        dashboard_name: str | None = None,
    ) -> None:
        """Create alarms and dashboard. topic: where alarms go; without it they only change state."""
        super().__init__(scope, id)
        five_minutes = {"period": cdk.Duration.minutes(5), "statistic": "Sum"}
        watched: dict[str, tuple[cloudwatch.Metric, float, str]] = {
            "DeadLetters": (
                bridge.metric_dead_letters(period=cdk.Duration.minutes(1), statistic="Maximum"),
                1,
                f"The webhook did not take what customers wrote. Mend it, then deliver again ({_GUIDE}, Dead letters).",
            ),
            "MessagesLost": (
                bridge.metric_lost(**five_minutes),
                1,
                "Messages reached neither the webhook nor the dead-letter queue: see the policies of queue and key.",
            ),
            "StreamingFailures": (
                bridge.metric_failed(**five_minutes),
                1,
                "Chats went to agents without the bot; the function's log names the reason of each.",
            ),
            "FunctionErrors": (
                bridge.metric_errors(**five_minutes),
                1,
                "The function that brings in the bot raised; chats went to agents. Its log has the cause.",
            ),
            "FunctionThrottles": (
                bridge.metric_throttles(**five_minutes),
                1,
                "Lambda had no concurrency left for chats; raise the account's quota, or reserve some.",
            ),
        }
        vendor = bridge.vendor
        if vendor and vendor.user and vendor.key_age_function and vendor.access.rotate_after:
            days = vendor.access.rotate_after.to_days(integral=False)
            watched["VendorKeyAge"] = (
                vendor.metric_key_age(),
                days,
                f"The vendor's access key is {days:g} days old: rotate it ({_GUIDE}, Rotating the access key).",
            )
            watched["KeyAgeErrors"] = (
                vendor.key_age_function.metric_errors(period=cdk.Duration.hours(1), statistic="Sum"),
                1,
                "The age of the vendor's access key could not be read, so its alarm is blind.",
            )
        self.alarms = {
            name: self._alarm(name, metric, threshold, meaning, topic)
            for name, (metric, threshold, meaning) in watched.items()
        }
        self.dashboard = self._dashboard(bridge, dashboard_name)

    def _alarm(
        self, name: str, metric: cloudwatch.Metric, threshold: float, meaning: str, topic: sns.ITopic | None
    ) -> cloudwatch.Alarm:
        alarm = cloudwatch.Alarm(
            self,
            name,
            metric=metric,
            threshold=threshold,
            evaluation_periods=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
            alarm_description=meaning,
        )
        if topic:
            alarm.add_alarm_action(actions.SnsAction(topic))
        return alarm

    def _dashboard(self, bridge: ChatStreamBridge, name: str | None) -> cloudwatch.Dashboard:
        return cloudwatch.Dashboard(
            self,
            "Dashboard",
            dashboard_name=name,
            widgets=[
                [
                    cloudwatch.GraphWidget(
                        title="Chats with and without the bot",
                        left=[bridge.metric_started(), bridge.metric_failed()],
                        width=12,
                    ),
                    cloudwatch.GraphWidget(
                        title="Time to bring in the bot (Connect waits 8 s)",
                        left=[
                            bridge.function.metric_duration(statistic=statistic)
                            for statistic in ("p50", "p99", "Maximum")
                        ],
                        left_annotations=[
                            cloudwatch.HorizontalAnnotation(value=8000, label="Connect gives up")
                        ],
                        width=12,
                    ),
                ],
                [
                    cloudwatch.GraphWidget(
                        title="Messages: published, delivered, failed, lost",
                        left=[
                            bridge.topic.metric_number_of_messages_published(),
                            bridge.metric_delivered(),
                            bridge.topic.metric_number_of_notifications_failed(),
                            bridge.metric_lost(),
                        ],
                        width=12,
                    ),
                    cloudwatch.GraphWidget(
                        title="Dead letters: number, age of the oldest in seconds",
                        left=[bridge.metric_dead_letters()],
                        right=[bridge.dead_letter_queue.metric_approximate_age_of_oldest_message()],
                        width=12,
                    ),
                ],
                [cloudwatch.AlarmStatusWidget(title="Alarms", alarms=list(self.alarms.values()), width=24)],
            ],
        )
