"""What Amazon Connect leaves behind of a contact: recording, transcript, contact record, agent events, logs, metrics.

Each goes where the instance's storage says; what cannot be written is listed in `Records.lost`, as it is lost on AWS.
Sources: administrator guide, "Contact records data model", "Agent event streams data model", "Flow logs", and
the list of CloudWatch metrics.
"""

from __future__ import annotations

import datetime as dt
import io
import json
import uuid
import wave
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from botocore.exceptions import ClientError

from connect_sandbox.cloud.cfn.resource import Clients
from connect_sandbox.cloud.connect_state import ConnectState, Instance
from connect_sandbox.cloud.contact_center.alarms import Alarms
from connect_sandbox.cloud.contact_center.instances import Instances
from connect_sandbox.cloud.contact_center.storage import Storage
from connect_sandbox.cloud.errors import AwsError

NAMESPACE: Final = "AWS/Connect"
_SAMPLES_A_SECOND = 8000
_LONGEST_RECORDING = 60.0


@dataclass(frozen=True)
class Waited:
    """A wait in a queue: its ARN and name, and the seconds."""

    arn: str
    name: str
    seconds: float


@dataclass(frozen=True)
class TookOver:
    """An agent who took the contact: the user's name, and when."""

    username: str
    at: dt.datetime


@dataclass(frozen=True)
class LogLine:
    """A line of a flow's log."""

    at: dt.datetime
    flow_arn: str
    flow_name: str
    block: str
    type: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class PlayedContact:
    """A contact that has ended, as far as it leaves something behind.

    `recorded` are the participants whose voices a flow has asked to record (Agent, Customer, IVR). `flow_errors` count
    error branches by the flow's name; `broken_flow` has ended without a branch to go on.
    """

    instance_arn: str
    contact_id: str
    channel: str
    initiation_method: str
    started: dt.datetime
    ended: dt.datetime
    customer: Mapping[str, str] | None
    system: Mapping[str, str] | None
    attributes: Mapping[str, str]
    disconnect_reason: str
    initial_contact_id: str = ""
    previous_contact_id: str | None = None
    waited: Waited | None = None
    agent: TookOver | None = None
    recorded: frozenset[str] = frozenset()
    messages: Sequence[Mapping[str, Any]] = ()
    flow_errors: Mapping[str, int] = field(default_factory=Counter)
    broken_flow: str | None = None
    log: Sequence[LogLine] = ()


class Records:
    """Writes what a contact leaves behind. Attribute: `lost`, what could not be written, in one line each."""

    def __init__(
        self, state: ConnectState, storage: Storage, instances: Instances, alarms: Alarms, clients: Clients
    ) -> None:
        """`storage` says where to; `alarms` are evaluated after metrics were published."""
        self._state = state
        self._storage = storage
        self._instances = instances
        self._alarms = alarms
        self._clients = clients
        self.lost: list[str] = []

    def contact_ended(self, contact: PlayedContact) -> None:
        """Write everything that a contact leaves behind, then publish the metrics."""
        instance = self._state.instance(contact.instance_arn)
        location, upload_failed = self._keep_recording(instance, contact)
        self._keep_messages(instance, contact)
        record = _contact_record(instance, contact, location)
        self._stream(instance, "CONTACT_TRACE_RECORDS", record, contact.contact_id)
        if contact.agent is not None:
            for event in _agent_events(instance, contact, contact.agent):
                self._stream(instance, "AGENT_EVENTS", event, contact.agent.username)
        self._log(instance, contact)
        self.publish(_metrics(instance, contact, upload_failed=upload_failed))

    def misconfigured_number(self, instance_arn: str) -> None:
        """Publish that a caller has dialled a number that leads to no flow."""
        instance = self._state.instance(instance_arn)
        self.publish([_metric(instance, "MisconfiguredPhoneNumbers", 1, "Count", MetricGroup="VoiceCalls")])

    def key_used(self, instance_arn: str, key_id: str) -> None:
        """Publish that a flow has encrypted with a security key."""
        instance = self._state.instance(instance_arn)
        self.publish([_metric(instance, "PublicSigningKeyUsage", 1, "Count", SigningKeyId=key_id)])

    def publish(self, metrics: Sequence[Mapping[str, Any]]) -> None:
        """Publish metrics of AWS/Connect as of now, and evaluate the alarms on them."""
        cloudwatch = self._clients("cloudwatch")
        cloudwatch.put_metric_data(Namespace=NAMESPACE, MetricData=[dict(metric) for metric in metrics])
        self._alarms.evaluate()

    def _keep_recording(self, instance: Instance, contact: PlayedContact) -> tuple[str | None, bool]:
        voices = contact.recorded & {"Agent", "Customer"} if contact.agent else frozenset()
        if contact.channel != "VOICE" or not (voices or "IVR" in contact.recorded):
            return None, False
        prefix = "" if voices else "ivr/"
        name = (
            f"{prefix}{contact.started:%Y/%m/%d}/{contact.contact_id}_{contact.started:%Y%m%dT%H:%M}_UTC.wav"
        )
        seconds = (contact.ended - contact.started).total_seconds()
        try:
            return self._storage.put_object(instance, "CALL_RECORDINGS", name, _silence(seconds)), False
        except (AwsError, ClientError) as error:
            self.lost.append(f"the recording of {contact.contact_id}: {error}")
            return None, True

    def _keep_messages(self, instance: Instance, contact: PlayedContact) -> None:
        if contact.channel != "CHAT":
            return
        name = f"{contact.started:%Y/%m/%d}/{contact.contact_id}_{contact.started:%Y%m%dT%H:%M}_UTC.json"
        body = {
            "Version": "2019-08-26",
            "AWSAccountId": self._state.account,
            "InstanceId": instance.id,
            "InitialContactId": contact.initial_contact_id or contact.contact_id,
            "ContactId": contact.contact_id,
            "Transcript": list(contact.messages),
        }
        try:
            self._storage.put_object(instance, "CHAT_TRANSCRIPTS", name, json.dumps(body).encode())
        except (AwsError, ClientError) as error:
            self.lost.append(f"the transcript of {contact.contact_id}: {error}")

    def _stream(self, instance: Instance, kind: str, record: Mapping[str, Any], key: str) -> None:
        try:
            self._storage.put_record(instance, kind, record, key)
        except (AwsError, ClientError) as error:
            self.lost.append(f"a record of {kind} ({key}): {error}")

    def _log(self, instance: Instance, contact: PlayedContact) -> None:
        if not contact.log or "CONTACTFLOW_LOGS" not in instance.attributes:
            return
        group = f"/aws/connect/{instance.alias}"
        stream = f"{contact.started:%Y/%m/%d/%H}/stream-{contact.contact_id}"
        logs = self._clients("logs")
        arn = f"arn:aws:logs:{self._state.region}:{self._state.account}:log-group:{group}:log-stream:{stream}"
        events = [
            {
                "timestamp": round(line.at.timestamp() * 1000),
                "message": json.dumps(
                    {
                        "ContactId": contact.contact_id,
                        "ContactFlowId": line.flow_arn,
                        "ContactFlowName": line.flow_name,
                        "ContactFlowModuleType": line.type,
                        "Identifier": line.block,
                        "Timestamp": _stamp(line.at),
                        "Parameters": line.parameters,
                    },
                    default=str,
                ),
            }
            for line in contact.log
        ]
        try:
            self._storage.require(instance, "logs:PutLogEvents", arn)
            if not instance.created:
                # Made by hand: the console has made the group when the logs were switched on.
                self._instances.set_attributes(instance, {"CONTACTFLOW_LOGS": True})
            logs.create_log_stream(logGroupName=group, logStreamName=stream)
            logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)
        except (AwsError, ClientError) as error:
            self.lost.append(f"the flow log of {contact.contact_id}: {error}")


def _silence(seconds: float) -> bytes:
    """Return a WAV file with two channels, agent and customer; a laptop has no voices."""
    written = io.BytesIO()
    with wave.open(written, "wb") as sound:
        sound.setnchannels(2)
        sound.setsampwidth(2)
        sound.setframerate(_SAMPLES_A_SECOND)
        frames = int(min(max(seconds, 1.0), _LONGEST_RECORDING) * _SAMPLES_A_SECOND)
        sound.writeframes(b"\0" * frames * 4)
    return written.getvalue()


def _contact_record(instance: Instance, contact: PlayedContact, location: str | None) -> dict[str, Any]:
    recording = None
    if location is not None:
        recording = {"DeletionReason": None, "Location": location, "Status": "AVAILABLE", "Type": "AUDIO"}
    return {
        "AWSAccountId": instance.arn.split(":")[4],
        "AWSContactTraceRecordFormatVersion": "2017-03-10",
        "Agent": None if contact.agent is None else _agent_of_record(instance, contact, contact.agent),
        "Attributes": dict(contact.attributes),
        "Channel": contact.channel,
        "ContactId": contact.contact_id,
        "CustomerEndpoint": contact.customer,
        "DisconnectReason": contact.disconnect_reason,
        "DisconnectTimestamp": _stamp(contact.ended),
        "InitialContactId": contact.initial_contact_id or contact.contact_id,
        "InitiationMethod": contact.initiation_method,
        "InitiationTimestamp": _stamp(contact.started),
        "InstanceARN": instance.arn,
        "PreviousContactId": contact.previous_contact_id,
        "Queue": None if contact.waited is None else _queue_of_record(contact, contact.waited),
        "Recording": recording,
        "Recordings": [recording] if recording else [],
        "SystemEndpoint": contact.system,
    }


def _agent_of_record(instance: Instance, contact: PlayedContact, agent: TookOver) -> dict[str, Any]:
    return {
        "ARN": agent_arn(instance, agent.username),
        "AgentInteractionDuration": round((contact.ended - agent.at).total_seconds()),
        "ConnectedToAgentTimestamp": _stamp(agent.at),
        "Username": agent.username,
    }


def _queue_of_record(contact: PlayedContact, waited: Waited) -> dict[str, Any]:
    dequeued = contact.agent.at if contact.agent else contact.ended
    return {
        "ARN": waited.arn,
        "DequeueTimestamp": _stamp(dequeued),
        "Duration": round(waited.seconds),
        "EnqueueTimestamp": _stamp(dequeued - dt.timedelta(seconds=waited.seconds)),
        "Name": waited.name,
    }


def _agent_events(instance: Instance, contact: PlayedContact, agent: TookOver) -> list[dict[str, Any]]:
    """Return what happens to the agent: the contact is connected, then it has ended."""
    arn = agent_arn(instance, agent.username)
    before: dict[str, Any] | None = None
    events = []
    for state, at in (("CONNECTED", agent.at), ("ENDED", contact.ended)):
        snapshot = {
            "AgentStatus": {
                "Name": "Available",
                "StartTimestamp": _stamp(contact.started),
                "Type": "ROUTABLE",
            },
            "Configuration": {"Username": agent.username},
            "Contacts": [
                {
                    "Channel": contact.channel,
                    "ContactId": contact.contact_id,
                    "InitiationMethod": contact.initiation_method,
                    "Queue": None
                    if contact.waited is None
                    else {"ARN": contact.waited.arn, "Name": contact.waited.name},
                    "State": state,
                    "StateStartTimestamp": _stamp(at),
                }
            ],
        }
        events.append(
            {
                "AWSAccountId": instance.arn.split(":")[4],
                "AgentARN": arn,
                "CurrentAgentSnapshot": snapshot,
                "EventId": str(uuid.uuid4()),
                "EventTimestamp": _stamp(at),
                "EventType": "STATE_CHANGE",
                "InstanceARN": instance.arn,
                "PreviousAgentSnapshot": before,
                "Version": "2017-10-01",
            }
        )
        before = snapshot
    return events


def agent_arn(instance: Instance, username: str) -> str:
    """Return the ARN of an instance's user; of somebody who is none, one that could be."""
    users = [part for part in instance.parts.values() if part.kind == "User" and part.name == username]
    if users:
        return users[0].arn
    return f"{instance.arn}/agent/{uuid.uuid5(uuid.NAMESPACE_URL, f'{instance.arn}/{username}')}"


def _metrics(instance: Instance, contact: PlayedContact, *, upload_failed: bool) -> list[dict[str, Any]]:
    """Return the metrics of one contact; those of the quotas count this one contact alone."""
    metrics = []
    if contact.channel == "CHAT":
        metrics += [
            _metric(instance, "ConcurrentActiveChats", 1, "Count", MetricGroup="Chats"),
            _metric(instance, "SuccessfulChatsPerInterval", 1, "Count", MetricGroup="Chats"),
        ]
    else:
        metrics += [
            _metric(instance, "CallsPerInterval", 1, "Count", MetricGroup="VoiceCalls"),
            _metric(instance, "ConcurrentCalls", 1, "Count", MetricGroup="VoiceCalls"),
        ]
    if upload_failed:
        metrics.append(
            _metric(instance, "CallRecordingUploadError", 1, "Count", MetricGroup="CallRecordings")
        )
    for flow, count in contact.flow_errors.items():
        metrics.append(
            _metric(
                instance, "ContactFlowErrors", count, "Count", MetricGroup="ContactFlow", ContactFlowName=flow
            )
        )
    if contact.broken_flow:
        flow_dimensions = {"MetricGroup": "ContactFlow", "ContactFlowName": contact.broken_flow}
        metrics.append(_metric(instance, "ContactFlowFatalErrors", 1, "Count", **flow_dimensions))
    if contact.waited is not None:
        queue = {"MetricGroup": "Queue", "QueueName": contact.waited.name}
        metrics += [
            _metric(instance, "QueueSize", 1, "Count", **queue),
            _metric(instance, "LongestQueueWaitTime", contact.waited.seconds, "Seconds", **queue),
        ]
    return metrics


def _metric(instance: Instance, name: str, value: float, unit: str, **dimensions: str) -> dict[str, Any]:
    named = {"InstanceId": instance.id, **dimensions}
    return {
        "MetricName": name,
        "Dimensions": [{"Name": key, "Value": text} for key, text in named.items()],
        "Value": float(value),
        "Unit": unit,
    }


def _stamp(at: dt.datetime) -> str:
    return at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
