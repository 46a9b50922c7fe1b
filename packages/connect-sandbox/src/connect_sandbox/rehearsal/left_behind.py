"""What a played contact leaves behind in the cloud, where its instance's storage says; and calls by number.

Give `LeftBehind` to a contact's ports as `records`: then a recorded call leaves a recording, a contact record, agent
events, the flow's log and metrics, as far as the instance is set up for them.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from connect_flows import Block

from connect_sandbox.cloud import Sandbox
from connect_sandbox.cloud.contact_center.records import LogLine, PlayedContact, TookOver, Waited, agent_arn
from connect_sandbox.rehearsal.clock import VirtualClock
from connect_sandbox.rehearsal.contact_events import ContactEvents, EventType
from connect_sandbox.rehearsal.errors import NoSuchFlowError
from connect_sandbox.rehearsal.ports import Played
from connect_sandbox.rehearsal.published import PublishedFlow
from connect_sandbox.rehearsal.state import ContactState
from connect_sandbox.rehearsal.transcript import Entry

_RECORDING_BLOCKS = ("UpdateContactRecordingBehavior", "UpdateContactRecordingAndAnalyticsBehavior")
#: Branches that are no error branch: the caller has done nothing, or something else.
_NO_ERRORS = frozenset({"next", "end", "NoMatchingCondition", "InputTimeLimitExceeded"})
_REASONS = {
    "caller hung up": "CUSTOMER_DISCONNECT",
    "disconnected": "CONTACT_FLOW_DISCONNECT",
    "transferred": "CONTACT_FLOW_DISCONNECT",
    "failed": "TELECOM_PROBLEM",
}
#: What a flow's log calls the blocks whose name there is documented; others go by their type.
_LOGGED_AS = {
    "CheckHoursOfOperation": "CheckHoursOfOperation",
    "DisconnectParticipant": "Disconnect",
    "GetParticipantInput": "GetUserInput",
    "InvokeLambdaFunction": "InvokeExternalResource",
    "MessageParticipant": "PlayPrompt",
    "TransferContactToQueue": "Transfer",
    "UpdateContactAttributes": "SetAttributes",
    "UpdateContactEventHooks": "SetContactFlow",
    "UpdateContactRecordingBehavior": "SetRecordingBehavior",
    "UpdateContactTargetQueue": "SetQueue",
    "UpdateFlowLoggingBehavior": "SetLoggingBehavior",
}


class LeftBehind:
    """A contact's port to the storage of its instance. One for each contact. A ContactRecords.

    `agent` is the name of the user who takes the contact; by default the instance's first user.
    """

    def __init__(self, sandbox: Sandbox, instance_arn: str, *, agent: str | None = None) -> None:
        self._center = sandbox.contact_center
        self._instance = sandbox.connect.instance(instance_arn)
        self._agent = agent or self._first_user()
        self._region, self._account = sandbox.region, sandbox.account
        self._events = ContactEvents(sandbox, self._instance.arn, agent_arn(self._instance, self._agent))
        self._logging = False
        self._log: list[LogLine] = []

    def happens(self, event: EventType, state: ContactState, clock: VirtualClock) -> None:
        """Send it to EventBridge."""
        self._events.happens(event, state, clock)

    def visits(self, flow: PublishedFlow, block: Block, clock: VirtualClock) -> None:
        """Keep a line of the flow's log, if a block of the contact has switched logging on."""
        self._events.updates()
        # evidence: flow-logging-of-a-contact
        on = (
            block.parameters.get("FlowLoggingBehavior") if block.type == "UpdateFlowLoggingBehavior" else None
        )
        if on is not None:
            self._logging = on == "Enabled"
        if self._logging:
            shown_as = _LOGGED_AS.get(block.type, block.type)
            line = LogLine(clock.now, flow.arn, flow.name, block.identifier, shown_as, dict(block.parameters))
            self._log.append(line)

    def media_stream(self, contact_id: str) -> str | None:
        """Return the ARN of the video stream for a contact's audio; None if the instance has no MEDIA_STREAMS."""
        held = self._center.storage.of_type(self._instance.arn, "MEDIA_STREAMS")
        if held is None:
            return None
        prefix = held.config["KinesisVideoStreamConfig"]["Prefix"]
        name = f"{prefix}-connect-{self._instance.alias}-contact-{contact_id}"
        return f"arn:aws:kinesisvideo:{self._region}:{self._account}:stream/{name}/1"

    def security_key(self, key_id: str) -> str | None:
        """Return the security key of this id, in PEM, None if the instance has none; count its use."""
        held = self._instance.security_keys.get(key_id)
        if held is None:
            return None
        self._center.records.key_used(self._instance.arn, key_id)
        return held.key

    def ended(self, played: Played) -> None:
        """Write what the contact leaves behind."""
        state, entries = played.state, list(played.transcript)
        if played.ending.how == "transferred to agent":
            self._events.happens("CONNECTED_TO_AGENT", state, played.clock)
        self._events.happens("DISCONNECTED", state, played.clock)
        seconds = played.clock.elapsed
        started = played.clock.now - timedelta(seconds=seconds)
        taken_at = _agent_takes(entries, played.ending.how)
        agent = None if taken_at is None else TookOver(self._agent, started + timedelta(seconds=taken_at))
        queued_at = next((e.at for e in entries if e.kind == "ends" and e.data.get("how") == "queued"), None)
        waited = None
        if state.queue is not None and queued_at is not None:
            left = seconds if taken_at is None else taken_at
            waited = Waited(state.queue.arn, state.queue.name, left - queued_at)
        branches = [
            taken for taken in played.taken if taken.branch not in _NO_ERRORS and " " not in taken.branch
        ]
        hung_up = "the agent has hung up" in played.ending.reason
        self._center.records.contact_ended(
            PlayedContact(
                instance_arn=self._instance.arn,
                contact_id=state.contact_id,
                initial_contact_id=state.initial_contact_id,
                previous_contact_id=state.previous_contact_id,
                channel=state.channel,
                initiation_method=state.initiation_method,
                started=started,
                ended=played.clock.now,
                customer=state.endpoint(state.customer_number),
                system=state.endpoint(state.system_number),
                attributes=state.attributes,
                disconnect_reason="AGENT_DISCONNECT" if hung_up else _REASONS.get(played.ending.how, "OTHER"),
                waited=waited,
                agent=agent,
                recorded=_recorded(state.settings),
                messages=list(_messages(entries, played)) if state.channel == "CHAT" else (),
                flow_errors=Counter(taken.flow for taken in branches),
                broken_flow=played.visited[-1][0] if played.ending.how == "failed" else None,
                log=self._log,
            )
        )

    def _first_user(self) -> str:
        users = [part.name for part in self._instance.parts.values() if part.kind == "User"]
        return users[0] if users else "agent"


def flow_of_number(sandbox: Sandbox, number: str) -> tuple[str, str]:
    """Return (instance ARN, flow ARN) of a claimed number, as for a caller who dials it.

    NoSuchFlowError if nobody has claimed it, or if it leads to no flow, which counts in MisconfiguredPhoneNumbers.
    """
    for instance in sandbox.connect.instances():
        for held in instance.numbers.values():
            if held.number != number:
                continue
            if held.flow_id is None:
                sandbox.contact_center.records.misconfigured_number(instance.arn)
                raise NoSuchFlowError(f"the number {number} of {instance.arn} leads to no flow")
            return instance.arn, instance.flow(held.flow_id).arn
    raise NoSuchFlowError(f"nobody has claimed the number {number}")


def _agent_takes(entries: list[Entry], how: str) -> float | None:
    taken = next((e.at for e in entries if e.who == "agent" and e.text == "takes the contact"), None)
    if taken is None and how == "transferred to agent":
        return entries[-1].at
    return taken


def _recorded(settings: Mapping[str, Any]) -> frozenset[str]:
    """Return whose voices the contact's recording blocks have asked for."""
    found: set[str] = set()
    for block in _RECORDING_BLOCKS:
        for name, value in _members(settings.get(block, {})):
            if name == "RecordedParticipants":
                found |= set(value)
            elif name == "IVRRecordingBehavior" and value == "Enabled":
                found.add("IVR")
    return frozenset(found)


def _members(value: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401  (JSON)
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield name, item
            yield from _members(item)


def _messages(entries: list[Entry], played: Played) -> Iterator[dict[str, Any]]:
    """Yield a chat's messages as its transcript has them."""
    started = played.clock.now - timedelta(seconds=played.clock.elapsed)
    roles = {"caller": "CUSTOMER", "agent": "AGENT", "vendor": "CUSTOM_BOT", "connect": "SYSTEM"}
    for number, entry in enumerate(entries):
        if entry.kind == "says" and entry.who in roles:
            yield {
                "AbsoluteTime": (started + timedelta(seconds=entry.at)).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
                "Content": entry.text,
                "ContentType": "text/plain",
                "Id": f"{played.state.contact_id}-{number}",
                "ParticipantRole": roles[entry.who],
                "Type": "MESSAGE",
            }
