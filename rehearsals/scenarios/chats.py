"""A chat of a scenario: the customer's moves, the bot's script, and what is known of every message afterwards."""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from uuid import uuid4

from connect_sandbox.cloud import Sandbox
from connect_sandbox.cloud.chats import Chat, Item
from connect_sandbox.cloud.sns_delivery import Delivery
from connect_sandbox.rehearsal.chat_room import PATIENCE, ChatRoom, messages_of
from connect_sandbox.rehearsal.cloud_ports import (
    AssociatedConnectors,
    DeployedFunctions,
    PublishedFlows,
)
from connect_sandbox.rehearsal.conditions import Caller, Conditions, Move, Queue
from connect_sandbox.rehearsal.contact import Contact
from connect_sandbox.rehearsal.ports import CallFailed, DialOutcome, Invite, Line, Ports
from connect_sandbox.rehearsal.transcript import Entry
from connect_sandbox.rehearsal.values import Json

from rehearsals.scenarios.chat_path import ChatPath
from rehearsals.vendors.chat.client import BotReport
from rehearsals.vendors.chat.script import BotScript

QUEUE_ID = "66666666-7777-8888-9999-000000000000"
_SETTLES = 20.0
"""Real seconds for what is on its way to SNS's subscribers to arrive or to be given up."""


@dataclass(frozen=True)
class PlayedChat:
    """A chat that has been played to the end of its flow."""

    contact: Contact
    chat: Chat
    path: ChatPath
    sandbox: Sandbox

    @property
    def written(self) -> list[Item]:
        """The customer's messages, in order."""
        return messages_of(self.chat, "CUSTOMER")

    @property
    def deliveries(self) -> list[Delivery]:
        """What SNS was to deliver of this chat, in the order of publishing."""
        return self.sandbox.sns.deliveries.notifications(ContactId=self.contact.contact_id)

    def report(self) -> BotReport:
        """Return what the vendor has seen of this chat."""
        return self.path.bot.report(self.contact.contact_id)

    def accounts_for(self) -> dict[str, int]:
        """Wait until nothing is on its way; count what became of the chat's deliveries, by outcome."""
        if not self.sandbox.sns.deliveries.wait(_SETTLES):
            raise AssertionError(f"SNS should have ended its deliveries within {_SETTLES:g} s")
        return dict(Counter(delivery.outcome for delivery in self.deliveries))

    def dead_letters(self) -> list[Json]:
        """Return this chat's messages in the dead-letter queue, as Amazon Connect wrote them."""
        found = dead_letters(self.sandbox, self.path)
        return [message for message in found if message["ContactId"] == self.contact.contact_id]


def play_chat(
    sandbox: Sandbox,
    path: ChatPath,
    script: BotScript | None,
    *,
    moves: Iterable[Move] = (),
    patience: float = PATIENCE,
    joins_within: float = PATIENCE,
    stays: float | None = None,
    queue_at_capacity: bool = False,
) -> PlayedChat:
    """Open a chat on the path's flow and play it to its end.

    `script` None leaves the bot as it is. `patience`, `joins_within`, `stays`: as ChatRoom's.
    """
    if script is not None:
        path.bot.behaves(script if script.token else replace(script, token=path.token))
    contact_id = str(uuid4())
    queue = Queue(arn=f"{path.instance_arn}/queue/{QUEUE_ID}", name="Support", at_capacity=queue_at_capacity)
    with ChatRoom(
        sandbox,
        path.instance_arn,
        contact_id,
        patience=patience,
        joins_within=joins_within,
        stays=stays,
        bot_greets=script is not None and bool(script.greeting),
    ) as room:
        contact = Contact(
            Ports(
                flows=PublishedFlows(sandbox, path.instance_arn),
                functions=DeployedFunctions(sandbox, path.instance_arn),
                external_voice=AssociatedConnectors(sandbox, path.instance_arn, _Nobody()),
                run=sandbox.run,
                chat=room,
            ),
            instance_arn=path.instance_arn,
            caller=Caller(moves=moves),
            conditions=Conditions(queues=[queue]),
            contact_id=contact_id,
            channel="CHAT",
            secrets=[path.token],
        )
        contact.calls(path.flow_arn)
    return PlayedChat(contact, room.chat, path, sandbox)


def write_down(played: PlayedChat, what: str, **data: Json) -> None:
    """Add to the chat's transcript what the scenario has found."""
    at = played.contact.transcript[len(played.contact.transcript) - 1].at
    played.contact.transcript.add(Entry(at=at, who="rehearsal", kind="does", text=what, data=data))


def dead_letters(sandbox: Sandbox, path: ChatPath) -> list[Json]:
    """Take every message out of the dead-letter queue, and return what Amazon Connect had published."""
    client = sandbox.boto3_client("sqs")
    found: list[Json] = []
    while batch := client.receive_message(
        QueueUrl=path.dead_letter_queue_url, MaxNumberOfMessages=10, WaitTimeSeconds=0
    ).get("Messages"):
        for message in batch:
            found.append(json.loads(json.loads(message["Body"])["Message"]))
            client.delete_message(QueueUrl=path.dead_letter_queue_url, ReceiptHandle=message["ReceiptHandle"])
    return found


class _Nobody:
    """Whom a chat can dial."""

    def dial(self, invite: Invite, *, time_limit: float, line: Line) -> DialOutcome:  # noqa: ARG002
        """Fail."""
        return CallFailed("a chat dials nobody")
