"""The events of a played contact on EventBridge: "Amazon Connect Contact Event" of aws.connect.

Source: administrator guide, "Amazon Connect contact events": the event types, the members of the detail as in its
samples (in lower camel case), what INITIATED and its followers are sent for, and that queueInfo is absent from contacts
initiated as OUTBOUND. Not sent: AMD_DISABLED, PAUSED, RESUMED and WEBRTC_API, of which no played contact knows.
"""

from __future__ import annotations

import datetime as dt
import json
from typing import Any, Literal

from connect_sandbox.cloud import Sandbox
from connect_sandbox.rehearsal.clock import VirtualClock
from connect_sandbox.rehearsal.state import ContactState

EventType = Literal[
    "INITIATED",
    "CONNECTED_TO_SYSTEM",
    "CONTACT_DATA_UPDATED",
    "QUEUED",
    "CONNECTED_TO_AGENT",
    "DISCONNECTED",
    "COMPLETED",
]
_SOURCE, _DETAIL_TYPE = "aws.connect", "Amazon Connect Contact Event"


class ContactEvents:
    """Sends the events of one contact to the default bus of its instance's account and Region."""

    def __init__(self, sandbox: Sandbox, instance_arn: str, agent_arn: str) -> None:
        """`agent_arn` is the user who takes the contact, should anybody."""
        self._sandbox = sandbox
        self._instance_arn = instance_arn
        self._agent_arn = agent_arn
        self._contact: ContactState | None = None
        self._clock: VirtualClock | None = None
        self._times: dict[str, dt.datetime] = {}
        self._attributes: dict[str, str] = {}

    def happens(self, event: EventType, state: ContactState, clock: VirtualClock) -> None:
        """Send what has happened at the clock's time.

        The start of a contact is also CONNECTED_TO_SYSTEM, except of an inbound call; its end is also COMPLETED, since
        nobody does after-contact work here.
        """
        self.updates()
        self._contact, self._clock = state, clock
        self._times.setdefault(event, clock.now)
        # evidence: contact-events-on-eventbridge
        if event == "INITIATED":
            self._attributes = dict(state.attributes)
            self._times["CONNECTED_TO_SYSTEM"] = clock.now
            self._send(event)
            if state.channel != "VOICE" or state.initiation_method != "INBOUND":
                self._send("CONNECTED_TO_SYSTEM")
            return
        self._send(event)
        if event == "DISCONNECTED":
            self._send("COMPLETED")

    def updates(self) -> None:
        """Send CONTACT_DATA_UPDATED if user-defined attributes have changed since the last event."""
        if self._contact is not None and self._contact.attributes != self._attributes:
            self._attributes = dict(self._contact.attributes)
            self._send("CONTACT_DATA_UPDATED", updatedProperties=["UserDefinedAttributes"])

    def _send(self, event: EventType, **more: object) -> None:
        contact, clock = self._contact, self._clock
        if contact is None or clock is None:
            return
        self._sandbox.buses.put(
            {
                "Source": _SOURCE,
                "DetailType": _DETAIL_TYPE,
                "Time": f"{clock.now:%Y-%m-%dT%H:%M:%SZ}",
                "Resources": [f"{self._instance_arn}/contact/{contact.contact_id}", self._instance_arn],
                "Detail": json.dumps({"eventType": event, **self._detail(contact), **more}),
            }
        )

    def _detail(self, contact: ContactState) -> dict[str, Any]:
        system = contact.endpoint(contact.system_number)
        times = {
            "initiationTimestamp": "INITIATED",
            "connectedToSystemTimestamp": "CONNECTED_TO_SYSTEM",
            "disconnectTimestamp": "DISCONNECTED",
        }
        ids = {
            "initialContactId": contact.initial_contact_id,
            "previousContactId": contact.previous_contact_id,
            "relatedContactId": contact.related_contact_id,
            "customerId": contact.customer_id,
        }
        return {
            "contactId": contact.contact_id,
            **{name: value for name, value in ids.items() if value and value != contact.contact_id},
            "channel": contact.channel,
            "instanceArn": self._instance_arn,
            "initiationMethod": contact.initiation_method,
            **{name: _stamp(self._times[event]) for name, event in times.items() if event in self._times},
            **self._queue(contact),
            **self._agent(),
            "tags": {
                "aws:connect:instanceId": self._instance_arn.rpartition("/")[2],
                **({"aws:connect:systemEndpoint": system["Address"]} if system else {}),
                **contact.tags,
            },
        }

    def _queue(self, contact: ContactState) -> dict[str, Any]:
        queued = self._times.get("QUEUED")
        if queued is None or contact.queue is None or contact.initiation_method == "OUTBOUND":
            return {}
        told = {"queueArn": contact.queue.arn, "queueType": "STANDARD", "enqueueTimestamp": _stamp(queued)}
        return {"queueInfo": told}

    def _agent(self) -> dict[str, Any]:
        connected = self._times.get("CONNECTED_TO_AGENT")
        if connected is None:
            return {}
        return {"agentInfo": {"agentArn": self._agent_arn, "connectedToAgentTimestamp": _stamp(connected)}}


def _stamp(at: dt.datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"
