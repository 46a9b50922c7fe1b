"""Chats of Amazon Connect: streaming, custom participants, and the participant API with its tokens."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError
from connect_sandbox.cloud import Sandbox
from connect_sandbox.cloud.chats import Chat, Participant

pytestmark = pytest.mark.sandbox

INSTANCE_ID = "11111111-2222-3333-4444-555555555555"
INSTANCE = f"arn:aws:connect:us-east-1:123456789012:instance/{INSTANCE_ID}"
TOPIC = "arn:aws:sns:us-east-1:123456789012:chats"


@pytest.fixture
def chat(sandbox: Sandbox) -> Iterator[Chat]:
    opened, _ = sandbox.chats.start(INSTANCE, str(uuid.uuid4()))
    yield opened
    sandbox.chats.end(opened)


@pytest.fixture
def participants(sandbox: Sandbox) -> Any:
    """Return a client without credentials: the API goes by tokens."""
    return boto3.client(
        "connectparticipant",
        region_name="us-east-1",
        endpoint_url=sandbox.endpoint_url,
        config=Config(signature_version=UNSIGNED, retries={"total_max_attempts": 1}),
    )


def stream(sandbox: Sandbox, chat: Chat, topic: str = TOPIC, token: str = "") -> str:
    answer = sandbox.boto3_client("connect").start_contact_streaming(
        InstanceId=INSTANCE_ID,
        ContactId=chat.contact_id,
        ChatStreamingConfiguration={"StreamingEndpointArn": topic},
        ClientToken=token or str(uuid.uuid4()),
    )
    return str(answer["StreamingId"])


def invite(sandbox: Sandbox, chat: Chat, role: str = "CUSTOM_BOT") -> str:
    answer = sandbox.boto3_client("connect").create_participant(
        InstanceId=INSTANCE_ID,
        ContactId=chat.contact_id,
        ParticipantDetails={"ParticipantRole": role, "DisplayName": "Bot"},
    )
    return str(answer["ParticipantCredentials"]["ParticipantToken"])


def connect(participants: Any, token: str, *, mark: bool = True) -> str:
    answer = participants.create_participant_connection(
        Type=["CONNECTION_CREDENTIALS"], ParticipantToken=token, ConnectParticipant=mark
    )
    return str(answer["ConnectionCredentials"]["ConnectionToken"])


def test_the_same_client_token_is_the_same_streaming(sandbox: Sandbox, chat: Chat) -> None:
    first, again, other = (
        stream(sandbox, chat, token="t1"),
        stream(sandbox, chat, token="t1"),
        stream(sandbox, chat),
    )
    assert first == again != other
    with pytest.raises(ClientError, match="InvalidRequestException"):
        stream(sandbox, chat, f"{TOPIC}2", token="t1")


def test_a_chat_streams_to_two_topics_at_most(sandbox: Sandbox, chat: Chat) -> None:
    for number in (1, 2):
        stream(sandbox, chat, f"{TOPIC}{number}")
    with pytest.raises(ClientError, match="LimitExceededException"):
        stream(sandbox, chat, f"{TOPIC}3")


@pytest.mark.parametrize(
    "topic",
    [f"{TOPIC}.fifo", TOPIC.replace("us-east-1", "eu-west-2"), "arn:aws:sqs:us-east-1:123456789012:q"],
)
def test_only_a_standard_topic_of_the_same_region_can_be_streamed_to(
    sandbox: Sandbox, chat: Chat, topic: str
) -> None:
    with pytest.raises(ClientError, match="InvalidParameterException"):
        stream(sandbox, chat, topic)


def test_what_was_stopped_or_has_ended_cannot_be_stopped_or_streamed(sandbox: Sandbox, chat: Chat) -> None:
    client = sandbox.boto3_client("connect")
    request = {"InstanceId": INSTANCE_ID, "ContactId": chat.contact_id, "StreamingId": stream(sandbox, chat)}
    client.stop_contact_streaming(**request)
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        client.stop_contact_streaming(**request)
    sandbox.chats.end(chat)
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        stream(sandbox, chat)


def test_a_bot_joins_writes_and_leaves(sandbox: Sandbox, chat: Chat, participants: Any) -> None:
    token = connect(participants, invite(sandbox, chat))
    participants.send_event(
        ConnectionToken=token, ContentType="application/vnd.amazonaws.connect.event.typing"
    )
    for _ in range(2):  # the same client token is the same message
        participants.send_message(
            ConnectionToken=token, ContentType="text/plain", Content="hello", ClientToken="once"
        )
    participants.disconnect_participant(ConnectionToken=token)
    event = "application/vnd.amazonaws.connect.event."
    assert [(i.type, i.content_type, i.content) for i in chat.items if i.role == "CUSTOM_BOT"] == [
        ("EVENT", f"{event}participant.joined", None),
        ("EVENT", f"{event}typing", None),
        ("MESSAGE", "text/plain", "hello"),
        ("EVENT", f"{event}participant.left", None),
    ]
    with pytest.raises(ClientError, match="AccessDeniedException"):
        participants.send_message(ConnectionToken=token, ContentType="text/plain", Content="still here?")


def test_a_bot_has_fifteen_seconds_to_connect(
    sandbox: Sandbox, chat: Chat, participants: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sandbox.chats.join_limit == 15.0
    monkeypatch.setattr(sandbox.chats, "join_limit", 0.0)
    late = invite(sandbox, chat)
    with pytest.raises(ClientError, match="did not connect within"):
        connect(participants, late)
    monkeypatch.undo()
    connect(participants, invite(sandbox, chat))  # whoever did not come makes room for another


def test_there_is_one_custom_participant_and_it_has_to_be_marked_as_connected(
    sandbox: Sandbox, chat: Chat, participants: Any
) -> None:
    token = invite(sandbox, chat)
    with pytest.raises(ClientError, match="ConflictException"):
        invite(sandbox, chat)
    unmarked = connect(participants, token, mark=False)
    with pytest.raises(ClientError, match="AccessDeniedException"):
        participants.send_message(ConnectionToken=unmarked, ContentType="text/plain", Content="hello")
    with pytest.raises(ClientError, match="InvalidRequestException"):
        invite(sandbox, chat, role="CUSTOMER")


@pytest.mark.parametrize(
    ("content_type", "content"),
    [
        ("text/html", "<b>"),
        ("text/plain", "x" * 16_385),
        ("application/vnd.amazonaws.connect.event.typing", "x"),
    ],
)
def test_messages_have_known_types_and_at_most_16_kib(
    sandbox: Sandbox, chat: Chat, participants: Any, content_type: str, content: str
) -> None:
    token = connect(participants, invite(sandbox, chat))
    with pytest.raises(ClientError, match="ValidationException"):
        participants.send_message(ConnectionToken=token, ContentType=content_type, Content=content)


def test_a_token_that_was_made_up_is_refused(participants: Any) -> None:
    with pytest.raises(ClientError, match="AccessDeniedException"):
        connect(participants, "x" * 40)


def test_what_of_the_participant_api_is_not_reproduced_fails_by_name(participants: Any) -> None:
    with pytest.raises(ClientError, match="does not emulate connectparticipant:GetTranscript"):
        participants.get_transcript(ConnectionToken="x" * 40)
    with pytest.raises(ClientError, match="does not emulate connections of type WEBSOCKET"):
        participants.create_participant_connection(Type=["WEBSOCKET"], ParticipantToken="x" * 40)


def test_each_message_is_published_with_the_documented_payload_and_attributes(
    sandbox: Sandbox, chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    published: list[tuple[str, dict[str, Any], dict[str, str]]] = []

    def publish(_who: Any, topic: str, message: str, *, attributes: dict[str, str]) -> str:
        published.append((topic, json.loads(message), attributes))
        return ""

    monkeypatch.setattr(sandbox.sns, "publish", publish)
    stream(sandbox, chat)
    customer: Participant = next(iter(chat.participants.values()))
    sandbox.chats.says(chat, customer, "Where is it?")
    sandbox.chats.says(chat, None, "Welcome")
    [(topic, message, attributes), (_, welcome, _)] = published
    assert topic == TOPIC
    assert set(message) == {
        *("AbsoluteTime", "Content", "ContentType", "Id", "Type", "ParticipantId", "DisplayName"),
        *("ParticipantRole", "InitialContactId", "ContactId"),
    }
    assert (message["Content"], message["ParticipantRole"]) == ("Where is it?", "CUSTOMER")
    assert attributes == {
        "InitialContactId": chat.contact_id,
        "ContactId": chat.contact_id,
        "ParticipantRole": "CUSTOMER",
        "InstanceId": INSTANCE_ID,
        "AccountId": "123456789012",
        "Type": "MESSAGE",
        "ContentType": "text/plain",
        "MessageVisibility": "ALL",
    }
    assert welcome["ParticipantRole"] == "SYSTEM"


def test_a_topic_that_connect_may_not_publish_to_is_written_down(sandbox: Sandbox, chat: Chat) -> None:
    stream(sandbox, chat)
    sandbox.chats.says(chat, None, "Welcome")
    [refusal] = chat.refused
    assert "Topic does not exist" in refusal
