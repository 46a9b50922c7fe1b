"""The metrics that Amazon Connect writes of an instance, as data: names, dimensions, units, what they count.

Source: Amazon Connect administrator guide, "Monitoring your instance using CloudWatch" (November 2026), compared with
the administrator guides of 2018, whose names are kept beside today's. Nothing here needs the CDK.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

NAMESPACE = "AWS/Connect"

# evidence: metric-name-characters
NAME_SHOWN = re.compile(r"[0-9A-Za-z.,\-_/#:$@|&{}+?% ]+", re.ASCII)
"""The names of flows and queues that show up in CloudWatch; of others no metric is to be seen."""


class MetricKind(Enum):
    """What a value means, and so which statistic tells something."""

    COUNTER = "counter"
    """Things that happened; sum them. Without any there is no data."""
    GAUGE = "gauge"
    """A state at the moment; the maximum of a period tells most, a sum nothing."""
    FRACTION = "fraction"
    """A share of a quota from 0 to 1: four fifths are 0.8, though the unit says Percent."""
    PERCENT = "percent"
    """A share of a quota from 0 to 100: four fifths are 80."""

    @property
    def statistic(self) -> str:
        """The statistic to look at: Sum or Maximum."""
        return "Sum" if self is MetricKind.COUNTER else "Maximum"


@dataclass(frozen=True, kw_only=True)
class ConnectMetric:
    """One metric of the namespace AWS/Connect."""

    name: str
    group: str | None
    """The value of the dimension MetricGroup; None if the metric has no such dimension."""
    kind: MetricKind = MetricKind.COUNTER
    unit: str = "Count"
    """As the guide says. Not to be asked for: a metric of two units, as ThrottledCalls, would be found half."""
    named_by: str | None = None
    """The dimension that says of which flow, queue, key or contact; flows and queues by name, not by id."""
    fixed: tuple[tuple[str, str], ...] = ()
    """Dimensions that always have the same value."""
    seconds: int = 60
    """How often there is a value, at most."""
    guide_name: str | None = None
    """The name in the guides of 2018; None if they do not have it."""

    def dimensions(self, instance_id: str, name: str | None = None) -> dict[str, str]:
        """Return the dimensions of this metric of an instance, all of which a query has to name.

        name: of the flow or queue, or the id of the key or contact. Raises ``ValueError`` if it is missing, and if
        this metric has none.
        """
        if (name is None) is not (self.named_by is None):
            wanted = f"give its {self.named_by}" if self.named_by else f"leave out {name!r}"
            raise ValueError(f"{self.name} is {'not ' * (not self.named_by)}told apart by a name; {wanted}.")
        found = {"InstanceId": instance_id}
        if self.group is not None:
            found["MetricGroup"] = self.group
        if self.named_by is not None and name is not None:
            found[self.named_by] = name
        return found | dict(self.fixed)


def _calls(name: str, kind: MetricKind = MetricKind.COUNTER, *, guide: bool = True) -> ConnectMetric:
    unit = "Percent" if kind is MetricKind.FRACTION else "Count"
    return ConnectMetric(
        name=name, group="VoiceCalls", kind=kind, unit=unit, guide_name=name if guide else None
    )


def _flow(name: str) -> ConnectMetric:
    return ConnectMetric(name=name, group="ContactFlow", named_by="ContactFlowName", guide_name=name)


def _load(group: str, name: str, kind: MetricKind, seconds: int = 60) -> ConnectMetric:
    unit = "Percent" if kind is MetricKind.PERCENT else "Count"
    return ConnectMetric(name=name, group=group, kind=kind, unit=unit, seconds=seconds)


def _queue(
    name: str, kind: MetricKind = MetricKind.COUNTER, unit: str = "Count", guide_name: str | None = None
) -> ConnectMetric:
    return ConnectMetric(
        name=name, group="Queue", kind=kind, unit=unit, named_by="QueueName", guide_name=guide_name
    )


# evidence: connect-metric-dimensions
MISSED_CALLS = _calls("MissedCalls")
THROTTLED_CALLS = _calls("ThrottledCalls")
CALLS_BREACHING = _calls("CallsBreachingConcurrencyQuota")
CONCURRENT_CALLS = _calls("ConcurrentCalls", MetricKind.GAUGE)
# evidence: connect-metric-percentages
CONCURRENT_CALLS_SHARE = _calls("ConcurrentCallsPercentage", MetricKind.FRACTION)
CALLS_PER_INTERVAL = _calls("CallsPerInterval")
MISCONFIGURED_NUMBERS = _calls("MisconfiguredPhoneNumbers")
CAMPAIGN_CALLS = _calls("ConcurrentHighVolumeCalls", MetricKind.GAUGE, guide=False)
CAMPAIGN_CALLS_PER_INTERVAL = _calls("ConcurrentHighVolumeCallsPerInterval", guide=False)
CAMPAIGN_CALLS_SHARE = _calls("ConcurrentHighVolumeCallsPercentage", MetricKind.FRACTION, guide=False)
RECORDING_UPLOAD_ERRORS = ConnectMetric(
    name="CallRecordingUploadError", group="CallRecordings", guide_name="CallRecordingUploadError"
)
FLOW_ERRORS = _flow("ContactFlowErrors")
FLOW_FATAL_ERRORS = _flow("ContactFlowFatalErrors")
# evidence: callback-metric-dimension
CALLBACK_NOT_DIALABLE_OF_FLOW = ConnectMetric(
    name="CallBackNotDialableNumber",
    group="ContactFlow",
    named_by="ContactFlowName",
    guide_name="QueueCallBackNonDialableNumber",
)
CALLBACK_NOT_DIALABLE_OF_QUEUE = _queue(
    "CallBackNotDialableNumber", guide_name="QueueCallBackNonDialableNumber"
)
QUEUE_CAPACITY_EXCEEDED = _queue("QueueCapacityExceededError", guide_name="QueueCapacityExceededError")
QUEUE_SIZE = _queue("QueueSize", MetricKind.GAUGE)
LONGEST_QUEUE_WAIT = _queue("LongestQueueWaitTime", MetricKind.GAUGE, "Seconds")
# evidence: signing-key-metric
SIGNING_KEY_USAGE = ConnectMetric(
    name="PublicSigningKeyUsage", group=None, named_by="SigningKeyId", guide_name="PublicSigningKeyUsage"
)
CONCURRENT_CHATS = _load("Chats", "ConcurrentActiveChats", MetricKind.GAUGE)
CONCURRENT_CHATS_PERCENT = _load("Chats", "ConcurrentActiveChatsPercentage", MetricKind.PERCENT)
CHATS_BREACHING = _load("Chats", "ChatsBreachingActiveChatQuota", MetricKind.COUNTER)
CHATS_STARTED = _load("Chats", "SuccessfulChatsPerInterval", MetricKind.COUNTER)
CONCURRENT_TASKS = _load("Tasks", "ConcurrentTasks", MetricKind.GAUGE, 300)
CONCURRENT_TASKS_PERCENT = _load("Tasks", "ConcurrentTasksPercentage", MetricKind.PERCENT, 300)
TASKS_BREACHING = _load("Tasks", "TasksBreachingConcurrencyQuota", MetricKind.COUNTER)
TASKS_EXPIRED = ConnectMetric(name="TasksExpired", group="Tasks", named_by="ContactId")
TASKS_EXPIRING = ConnectMetric(name="TasksExpiryWarningReached", group="Tasks", named_by="ContactId")
# evidence: emails-metric-group
CONCURRENT_EMAILS = _load("Emails", "ConcurrentEmails", MetricKind.GAUGE, 300)
CONCURRENT_EMAILS_PERCENT = _load("Emails", "ConcurrentEmailsPercentage", MetricKind.PERCENT, 300)
# evidence: packet-loss-dimension
PACKET_LOSS = ConnectMetric(
    name="ToInstancePacketLossRate",
    group=None,
    kind=MetricKind.FRACTION,
    unit="Percent",
    fixed=(("Participant", "Agent"), ("Stream Type", "Voice"), ("Type of Connection", "WebRTC")),
    seconds=10,
)

METRICS: tuple[ConnectMetric, ...] = (
    MISSED_CALLS,
    THROTTLED_CALLS,
    CALLS_BREACHING,
    CONCURRENT_CALLS,
    CONCURRENT_CALLS_SHARE,
    CALLS_PER_INTERVAL,
    MISCONFIGURED_NUMBERS,
    CAMPAIGN_CALLS,
    CAMPAIGN_CALLS_PER_INTERVAL,
    CAMPAIGN_CALLS_SHARE,
    RECORDING_UPLOAD_ERRORS,
    FLOW_ERRORS,
    FLOW_FATAL_ERRORS,
    CALLBACK_NOT_DIALABLE_OF_FLOW,
    CALLBACK_NOT_DIALABLE_OF_QUEUE,
    QUEUE_CAPACITY_EXCEEDED,
    QUEUE_SIZE,
    LONGEST_QUEUE_WAIT,
    SIGNING_KEY_USAGE,
    CONCURRENT_CHATS,
    CONCURRENT_CHATS_PERCENT,
    CHATS_BREACHING,
    CHATS_STARTED,
    CONCURRENT_TASKS,
    CONCURRENT_TASKS_PERCENT,
    TASKS_BREACHING,
    TASKS_EXPIRED,
    TASKS_EXPIRING,
    CONCURRENT_EMAILS,
    CONCURRENT_EMAILS_PERCENT,
    PACKET_LOSS,
)
"""Every metric of an instance; CallBackNotDialableNumber twice, since its dimension is documented twice."""
