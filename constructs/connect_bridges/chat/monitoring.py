"""What is watched of a streamed chat, and what its dashboard shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch

from connect_bridges.shared.metrics import summed
from connect_bridges.shared.monitoring import Watched

if TYPE_CHECKING:
    from connect_bridges.chat.bridge import ChatStreamBridge

# Alarms are read by people who may have nothing but the alarm, so not a path in this repository.
_GUIDE = "documentation of connect-bridges, page ChatStreamBridge"


def watched(bridge: ChatStreamBridge) -> dict[str, Watched]:
    """Return what deserves an alarm: each way to lose a chat, and an access key that grows old."""
    found = {
        "DeadLetters": Watched(
            metric=bridge.metric_dead_letters(period=cdk.Duration.minutes(1), statistic="Maximum"),
            meaning="The webhook did not take what customers wrote. Mend it, then deliver again "
            f"({_GUIDE}, Dead letters).",
        ),
        "MessagesLost": Watched(
            metric=bridge.metric_lost(**summed()),
            meaning="Messages reached neither the webhook nor the dead-letter queue: see the policies of queue and "
            "key.",
        ),
        "StreamingFailures": Watched(
            metric=bridge.metric_failed(**summed()),
            meaning="Chats went to agents without the bot; the function's log names the reason of each.",
        ),
        "FunctionErrors": Watched(
            metric=bridge.metric_errors(**summed()),
            meaning="The function that brings in the bot raised; chats went to agents. Its log has the cause.",
        ),
        "FunctionThrottles": Watched(
            metric=bridge.metric_throttles(**summed()),
            meaning="Lambda had no concurrency left for chats; raise the account's quota, or reserve some.",
        ),
    }
    vendor = bridge.vendor
    if vendor and vendor.user and vendor.key_age_function and vendor.access.rotate_after:
        days = vendor.access.rotate_after.to_days(integral=False)
        found["VendorKeyAge"] = Watched(
            metric=vendor.metric_key_age(),
            threshold=days,
            meaning=f"The vendor's access key is {days:g} days old: rotate it ({_GUIDE}, Rotating the access key).",
        )
        found["KeyAgeErrors"] = Watched(
            metric=vendor.key_age_function.metric_errors(period=cdk.Duration.hours(1), statistic="Sum"),
            meaning="The age of the vendor's access key could not be read, so its alarm is blind.",
        )
    return found


def dashboard(
    bridge: ChatStreamBridge, alarms: dict[str, cloudwatch.Alarm]
) -> list[list[cloudwatch.IWidget]]:
    """Return the widgets of the bridge's dashboard, by row."""
    return [
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
                left_annotations=[cloudwatch.HorizontalAnnotation(value=8000, label="Connect gives up")],
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
        [cloudwatch.AlarmStatusWidget(title="Alarms", alarms=list(alarms.values()), width=24)],
    ]
