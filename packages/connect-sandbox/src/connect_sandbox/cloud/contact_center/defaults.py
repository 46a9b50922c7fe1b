"""What a new instance holds before anybody has added anything.

Sources: administrator guide, "Default flows", "Sample flows", "Default security profiles"; names of queue and hours as
public deployments look them up. The sandbox does not know the content of the flows: each ends at once.
"""

from __future__ import annotations

import json
import uuid
from typing import Any, Final

from connect_sandbox.cloud.connect_state import Flow, Instance, Part

#: Kind in an ARN, by the kind of part.
ARN_NAMES: Final[dict[str, str]] = {
    "HoursOfOperation": "operating-hours",
    "Queue": "queue",
    "RoutingProfile": "routing-profile",
    "QuickConnect": "transfer-destination",
    "User": "agent",
    "SecurityProfile": "security-profile",
    "Prompt": "prompt",
    "UserHierarchyGroup": "agent-group",
    "AgentStatus": "agent-state",
    "View": "view",
    "TaskTemplate": "task-template",
}
BASIC_HOURS: Final = "Basic Hours"
BASIC_QUEUE: Final = "BasicQueue"
BASIC_ROUTING_PROFILE: Final = "Basic Routing Profile"
SECURITY_PROFILES: Final = ("Admin", "Agent", "CallCenterManager", "QualityAnalyst")
AGENT_STATUSES: Final = {"Available": "ROUTABLE", "Offline": "OFFLINE"}
# evidence: contents-of-a-new-instance
DEFAULT_FLOWS: Final[dict[str, str]] = {
    "Default agent hold": "AGENT_HOLD",
    "Default agent transfer": "AGENT_TRANSFER",
    "Default agent whisper": "AGENT_WHISPER",
    "Default customer hold": "CUSTOMER_HOLD",
    "Default customer queue": "CUSTOMER_QUEUE",
    "Default customer whisper": "CUSTOMER_WHISPER",
    "Default outbound": "OUTBOUND_WHISPER",
    "Default queue transfer": "QUEUE_TRANSFER",
    "Sample AB test": "CONTACT_FLOW",
    "Sample customer queue priority": "CONTACT_FLOW",
    "Sample disconnect flow": "CONTACT_FLOW",
    "Sample inbound flow (first contact experience)": "CONTACT_FLOW",
    "Sample interruptible queue flow with callback": "CUSTOMER_QUEUE",
    "Sample Lambda integration": "CONTACT_FLOW",
    "Sample note for screenpop": "CONTACT_FLOW",
    "Sample queue configurations flow": "CONTACT_FLOW",
    "Sample queue customer": "CONTACT_FLOW",
    "Sample recording behavior": "CONTACT_FLOW",
    "Sample secure input with agent": "CONTACT_FLOW",
    "Sample secure input with no agent": "CONTACT_FLOW",
}
_DAYS = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")
_ENDS_AT_ONCE = json.dumps(
    {
        "Version": "2019-10-30",
        "StartAction": "end",
        "Actions": [{"Identifier": "end", "Type": "EndFlowExecution", "Parameters": {}, "Transitions": {}}],
    }
)


def fill(instance: Instance) -> None:
    """Put into a new instance what AWS puts there."""
    for name, type_ in DEFAULT_FLOWS.items():
        flow_id = str(uuid.uuid4())
        arn = f"{instance.arn}/contact-flow/{flow_id}"
        instance.flows[flow_id] = Flow(flow_id, arn, name, type_, _ENDS_AT_ONCE)
    midnight = {"Hours": 0, "Minutes": 0}
    all_day = [{"Day": day, "StartTime": midnight, "EndTime": midnight} for day in _DAYS]
    hours = _add(instance, "HoursOfOperation", BASIC_HOURS, TimeZone="America/New_York", Config=all_day)
    queue = _add(instance, "Queue", BASIC_QUEUE, HoursOfOperationArn=hours.arn, Status="ENABLED")
    _add(
        instance,
        "RoutingProfile",
        BASIC_ROUTING_PROFILE,
        Description="A simple routing profile.",
        DefaultOutboundQueueArn=queue.arn,
        MediaConcurrencies=[{"Channel": "VOICE", "Concurrency": 1}, {"Channel": "CHAT", "Concurrency": 2}],
        QueueConfigs=[
            {"Priority": 1, "Delay": 0, "QueueReference": {"Channel": channel, "QueueArn": queue.arn}}
            for channel in ("VOICE", "CHAT")
        ],
    )
    for name in SECURITY_PROFILES:
        _add(instance, "SecurityProfile", name)
    for name, type_ in AGENT_STATUSES.items():
        _add(instance, "AgentStatus", name, Type=type_, State="ENABLED")


def _add(instance: Instance, kind: str, name: str, **properties: Any) -> Part:  # noqa: ANN401  (JSON)
    part_id = str(uuid.uuid4())
    arn = f"{instance.arn}/{ARN_NAMES[kind]}/{part_id}"
    part = Part(kind, part_id, arn, name, properties, built_in=True)
    instance.parts[part_id] = part
    return part
