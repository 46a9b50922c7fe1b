"""The chats of Amazon Connect: participants, messages, and their streaming to SNS topics.

Sources: Amazon Connect API reference (StartContactStreaming, StopContactStreaming, CreateParticipant), Amazon Connect
Participant API reference, administrator guide, "Enable real-time chat message streaming".
"""

from __future__ import annotations

import datetime as dt
import json
import re
import secrets
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from connect_sandbox.cloud.connect_state import ConnectState
from connect_sandbox.cloud.errors import AwsError
from connect_sandbox.cloud.sns import Sns
from connect_sandbox.runs import because, cause

Role = Literal["CUSTOMER", "AGENT", "SYSTEM", "CUSTOM_BOT"]
ENDPOINTS_PER_CHAT = 2
JOIN_LIMIT = 15.0
"""Seconds that a custom participant has from CreateParticipant to its connection."""
LONGEST_MESSAGE = 16_384
"""Bytes of a message's content."""
_EVENT = "application/vnd.amazonaws.connect.event."
_TOPIC = re.compile(r"arn:aws[\w-]*:sns:([\w-]+):(\d{12}):([A-Za-z0-9_-]{1,256})(\.fifo)?")


@dataclass
class Participant:
    """Somebody in a chat. Times are on the monotonic clock; `left` is None while they are there."""

    id: str
    role: Role
    display_name: str
    token: str
    created: float
    connected: float | None = None
    left: float | None = None
    connection_tokens: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Item:
    """One entry of a chat: a message, or an event such as somebody's joining."""

    id: str
    type: Literal["MESSAGE", "EVENT"]
    content_type: str
    content: str | None
    participant_id: str
    display_name: str
    role: Role
    time: str


@dataclass
class Chat:
    """A chat contact. `refused` is why Amazon Connect could not publish to a topic, one entry per attempt."""

    contact_id: str
    instance_arn: str
    participants: dict[str, Participant] = field(default_factory=dict)
    items: list[Item] = field(default_factory=list)
    streamings: dict[str, str] = field(default_factory=dict)
    ended: bool = False
    refused: list[str] = field(default_factory=list)
    client_tokens: dict[str, tuple[str, str]] = field(default_factory=dict)
    created_by_token: dict[str, str] = field(default_factory=dict)

    def there(self, role: Role) -> Participant | None:
        """Return the connected participant of a role, if there is one."""
        return next(
            (
                p
                for p in self.participants.values()
                if p.role == role and p.connected is not None and p.left is None
            ),
            None,
        )


class Chats:
    """The chats of the account. Every change wakes whoever waits in `wait_until`."""

    def __init__(self, account: str, region: str, connect: ConnectState, sns: Sns) -> None:
        """`join_limit` may be changed: seconds for a custom participant to connect."""
        self.join_limit = JOIN_LIMIT
        self._account = account
        self._region = region
        self._connect = connect
        self._sns = sns
        self._changed = threading.Condition(threading.RLock())
        self._chats: dict[str, Chat] = {}
        self._by_token: dict[str, tuple[Chat, Participant]] = {}

    # -- the contact

    def start(
        self, instance_arn: str, contact_id: str, customer: str = "Customer"
    ) -> tuple[Chat, Participant]:
        """Open a chat with its customer in it; return both."""
        with self._changed:
            chat = Chat(contact_id, self._connect.instance(instance_arn).arn)
            self._chats[contact_id] = chat
            participant = self._add(chat, "CUSTOMER", customer)
        self.joins(chat, participant)
        return chat, participant

    def end(self, chat: Chat) -> None:
        """End the contact: everybody leaves, and streaming stops."""
        with self._changed:
            if chat.ended:
                return
            self._write(chat, "EVENT", f"{_EVENT}chat.ended", None, None)
            chat.ended = True
            now = time.monotonic()
            for participant in chat.participants.values():
                participant.left = participant.left or now
            chat.streamings.clear()
            self._changed.notify_all()

    def joins(self, chat: Chat, participant: Participant) -> None:
        """Connect a participant; nothing happens if it is connected."""
        with self._changed:
            if participant.connected is None:
                participant.connected = time.monotonic()
                self._write(chat, "EVENT", f"{_EVENT}participant.joined", None, participant)

    def leaves(self, chat: Chat, participant: Participant) -> None:
        """Let a participant leave; the chat ends when the customer does."""
        with self._changed:
            if participant.left is None:
                self._write(chat, "EVENT", f"{_EVENT}participant.left", None, participant)
                participant.left = time.monotonic()
                self._changed.notify_all()
        if participant.role == "CUSTOMER":
            self.end(chat)

    def says(
        self, chat: Chat, participant: Participant | None, content: str, content_type: str = "text/plain"
    ) -> Item:
        """Write a message of a participant, or (None) of the flow, and publish it."""
        return self._write(chat, "MESSAGE", content_type, content, participant)

    def signals(self, chat: Chat, participant: Participant, content_type: str, content: str | None) -> Item:
        """Write an event of a participant, such as typing, and publish it."""
        return self._write(chat, "EVENT", content_type, content, participant)

    def wait_until(self, holds: Callable[[], bool], timeout: float) -> bool:
        """Wait until something holds; return whether it does."""
        with self._changed:
            return self._changed.wait_for(holds, timeout)

    def find(self, instance_id: str, contact_id: str) -> Chat:
        """Return a chat in progress; ResourceNotFoundException for any other contact."""
        instance = self._connect.instance(instance_id)
        with self._changed:
            chat = self._chats.get(contact_id)
        if chat is None or chat.instance_arn != instance.arn or chat.ended:
            raise AwsError("ResourceNotFoundException", f"Contact {contact_id} not found", 404)
        return chat

    # -- streaming

    def start_streaming(self, instance_id: str, contact_id: str, topic_arn: str, client_token: str) -> str:
        """Stream a chat to a topic and return the streaming id; a client token makes the request idempotent."""
        chat = self.find(instance_id, contact_id)
        found = _TOPIC.fullmatch(topic_arn)
        if found is None or found[4] or found[1] != self._region:
            wanted = f"the ARN of a standard SNS topic in {self._region}"
            raise AwsError("InvalidParameterException", f"StreamingEndpointArn {topic_arn} is not {wanted}")
        with self._changed:
            if client_token in chat.client_tokens:
                streaming_id, topic = chat.client_tokens[client_token]
                if topic != topic_arn:
                    raise AwsError(
                        "InvalidRequestException", "The client token was used with other parameters"
                    )
                return streaming_id
            if len(set(chat.streamings.values()) | {topic_arn}) > ENDPOINTS_PER_CHAT:
                message = f"A chat has at most {ENDPOINTS_PER_CHAT} streaming endpoints"
                raise AwsError("LimitExceededException", message, 429)
            streaming_id = str(uuid.uuid4())
            chat.streamings[streaming_id] = topic_arn
            chat.client_tokens[client_token] = (streaming_id, topic_arn)
        return streaming_id

    def stop_streaming(self, instance_id: str, contact_id: str, streaming_id: str) -> None:
        """End a streaming; ResourceNotFoundException if there is none of that id."""
        chat = self.find(instance_id, contact_id)
        with self._changed:
            if chat.streamings.pop(streaming_id, None) is None:
                raise AwsError("ResourceNotFoundException", f"Streaming {streaming_id} not found", 404)

    # -- participants

    def create_participant(
        self, instance_id: str, contact_id: str, role: str, display_name: str, client_token: str
    ) -> Participant:
        """Add a custom participant, which then has 15 seconds to connect."""
        chat = self.find(instance_id, contact_id)
        if role != "CUSTOM_BOT":
            raise AwsError(
                "InvalidRequestException", f"ParticipantRole {role} cannot be added to a chat: CUSTOM_BOT can"
            )
        with self._changed:
            if client_token in chat.created_by_token:
                return chat.participants[chat.created_by_token[client_token]]
            if chat.there("AGENT") is not None or any(
                self._is_expected(p) for p in chat.participants.values()
            ):
                raise AwsError(
                    "ConflictException", "The chat has an agent or another custom participant", 409
                )
            participant = self._add(chat, "CUSTOM_BOT", display_name)
            chat.created_by_token[client_token] = participant.id
        return participant

    def connect(self, token: str, *, mark: bool) -> str:
        """Return a connection token for a participant token; `mark` lets a custom participant be connected."""
        with self._changed:
            chat, participant = self._holder(token)
            if participant.token != token:
                raise _denied()
            if participant.connected is None:
                if time.monotonic() - participant.created > self.join_limit:
                    participant.left = time.monotonic()
                    raise AwsError(
                        "AccessDeniedException",
                        f"The participant did not connect within {self.join_limit:g} seconds",
                        403,
                    )
                if mark:
                    self.joins(chat, participant)
            connection_token = secrets.token_urlsafe(48)
            participant.connection_tokens.add(connection_token)
            self._by_token[connection_token] = (chat, participant)
            return connection_token

    def connected(self, connection_token: str) -> tuple[Chat, Participant]:
        """Return the chat and participant of a connection token; AccessDeniedException if neither is there."""
        with self._changed:
            chat, participant = self._holder(connection_token)
            if connection_token not in participant.connection_tokens or participant.connected is None:
                raise _denied()
            return chat, participant

    # -- helpers

    def _is_expected(self, participant: Participant) -> bool:
        """Return whether a custom participant is in the chat or may still join."""
        if participant.role != "CUSTOM_BOT" or participant.left is not None:
            return False
        return participant.connected is not None or time.monotonic() - participant.created <= self.join_limit

    def knows(self, token: str) -> bool:
        """Return whether a participant here has this token."""
        return token in self._by_token

    def _holder(self, token: str) -> tuple[Chat, Participant]:
        found = self._by_token.get(token)
        if found is None or found[0].ended or found[1].left is not None:
            raise _denied()
        return found

    def _add(self, chat: Chat, role: Role, display_name: str) -> Participant:
        participant = Participant(
            str(uuid.uuid4()), role, display_name, secrets.token_urlsafe(48), time.monotonic()
        )
        chat.participants[participant.id] = participant
        self._by_token[participant.token] = (chat, participant)
        return participant

    def _write(
        self,
        chat: Chat,
        kind: Literal["MESSAGE", "EVENT"],
        content_type: str,
        content: str | None,
        participant: Participant | None,
    ) -> Item:
        item = Item(
            id=str(uuid.uuid4()),
            type=kind,
            content_type=content_type,
            content=content,
            participant_id=participant.id if participant else "",
            display_name=participant.display_name if participant else "SYSTEM_MESSAGE",
            role=participant.role if participant else "SYSTEM",
            time=dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        )
        with self._changed:
            chat.items.append(item)
            topics = sorted(set(chat.streamings.values()))
            self._changed.notify_all()
        for topic in topics:
            self._publish(chat, item, topic)
        return item

    def _publish(self, chat: Chat, item: Item, topic_arn: str) -> None:
        """Publish like Amazon Connect, which reports to nobody that it may not."""
        instance_id = chat.instance_arn.rsplit("/", 1)[-1]
        message = {
            "AbsoluteTime": item.time,
            **({"Content": item.content} if item.content is not None else {}),
            "ContentType": item.content_type,
            "Id": item.id,
            "Type": item.type,
            **({"ParticipantId": item.participant_id} if item.participant_id else {}),
            "DisplayName": item.display_name,
            "ParticipantRole": item.role,
            "InitialContactId": chat.contact_id,
            "ContactId": chat.contact_id,
        }
        attributes = {
            "InitialContactId": chat.contact_id,
            "ContactId": chat.contact_id,
            "ParticipantRole": item.role,
            "InstanceId": instance_id,
            "AccountId": self._account,
            "Type": item.type,
            "ContentType": item.content_type,
            "MessageVisibility": "ALL",
        }
        of = self._sns.deliveries.told.run.contact(chat.contact_id) or cause()
        try:
            with because(of):
                self._sns.publish(
                    self._connect.principal(chat.instance_arn),
                    topic_arn,
                    json.dumps(message, ensure_ascii=False),
                    attributes=attributes,
                )
        except AwsError as error:
            chat.refused.append(str(error))


def _denied() -> AwsError:
    return AwsError(
        "AccessDeniedException", "The token is invalid, or its participant is not in the chat", 403
    )
