"""The Amazon Connect Participant API, as far as a bot needs it: connection, messages, events, leaving.

It uses tokens instead of IAM: whoever has a participant's token is that participant.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from connect_sandbox.cloud.aws_service import AwsService
from connect_sandbox.cloud.chats import LONGEST_MESSAGE, Chats, Item
from connect_sandbox.cloud.errors import AwsError, NotEmulatedError
from connect_sandbox.cloud.faults import Faults
from connect_sandbox.cloud.http import HttpRequest, HttpResponse
from connect_sandbox.cloud.values import Member

PARTICIPANT_PATH = "/participant/"
_CONTENT_TYPES = frozenset({"text/plain", "text/markdown", "application/json"})
_EVENT = "application/vnd.amazonaws.connect.event."
_EVENTS = frozenset({f"{_EVENT}typing", f"{_EVENT}message.delivered", f"{_EVENT}message.read"})


class ParticipantApi(AwsService):
    """Serves the participants of chats."""

    service_name = "connectparticipant"

    def __init__(self, faults: Faults, chats: Chats) -> None:
        """`chats` holds the chats that participants are in."""
        super().__init__(faults)
        self._chats = chats
        self._sent: dict[tuple[str, str], Item] = {}

    def early(self, request: HttpRequest) -> HttpResponse | None:
        """Respond to a participant's request; None for any other request."""
        return self.handle(request) if request.path.startswith(PARTICIPANT_PATH) else None

    def create_participant_connection(self, participant_token: str, **request: Member) -> dict[str, Any]:
        """Return a connection token; ConnectParticipant also connects the participant."""
        kinds = request.get("type") or []
        if kinds != ["CONNECTION_CREDENTIALS"]:
            raise NotEmulatedError(
                f"connections of type {', '.join(kinds) or 'none'}",
                "the sandbox gives CONNECTION_CREDENTIALS",
            )
        token = self._chats.connect(participant_token, mark=bool(request.get("connect_participant")))
        expiry = dt.datetime.now(dt.UTC) + dt.timedelta(days=1)
        return {
            "ConnectionCredentials": {
                "ConnectionToken": token,
                "Expiry": expiry.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            }
        }

    def send_message(
        self, connection_token: str, content_type: str, content: str, **request: Member
    ) -> dict[str, Any]:
        """Write a message."""
        if content_type not in _CONTENT_TYPES:
            raise AwsError("ValidationException", f"ContentType {content_type} is not one of messages")
        if not content or len(content.encode()) > LONGEST_MESSAGE:
            raise AwsError("ValidationException", f"Content must have 1 to {LONGEST_MESSAGE} bytes")
        chat, participant = self._chats.connected(connection_token)
        key = (participant.id, str(request.get("client_token") or ""))
        item = self._sent.get(key) if key[1] else None
        if item is None:
            item = self._sent[key] = self._chats.says(chat, participant, content, content_type)
        return {"Id": item.id, "AbsoluteTime": item.time}

    def send_event(self, connection_token: str, content_type: str, **request: Member) -> dict[str, Any]:
        """Signal typing or a receipt."""
        if content_type not in _EVENTS:
            raise AwsError("ValidationException", f"ContentType {content_type} is not one of events")
        chat, participant = self._chats.connected(connection_token)
        item = self._chats.signals(chat, participant, content_type, request.get("content"))
        return {"Id": item.id, "AbsoluteTime": item.time}

    def disconnect_participant(self, connection_token: str, **_request: Member) -> None:
        """Leave the chat."""
        chat, participant = self._chats.connected(connection_token)
        self._chats.leaves(chat, participant)
