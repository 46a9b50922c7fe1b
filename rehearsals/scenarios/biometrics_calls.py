"""Calls to the voice biometric gate: who calls, in which voice, and what happens meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from connect_sandbox.cloud import Sandbox
from connect_sandbox.rehearsal.cloud_ports import DeployedFunctions, PublishedFlows
from connect_sandbox.rehearsal.conditions import Caller, Conditions, Move, Queue
from connect_sandbox.rehearsal.contact import Contact
from connect_sandbox.rehearsal.ports import Ports

from rehearsals.scenarios.biometrics_path import GatePath
from rehearsals.vendors.biometrics import TwilioDialler, Webhook

QUEUE_ID = "66666666-7777-8888-9999-000000000000"
ASKED = "What does the gate say"
"""The block that compares the gate's answer."""


@dataclass(frozen=True)
class GateCall:
    """A call that has been played: the contact, and what Twilio had of it."""

    contact: Contact
    twilio: TwilioDialler

    @property
    def webhooks(self) -> list[Webhook]:
        """The webhooks that Twilio posted, in order, with their answers."""
        return self.twilio.webhooks

    @property
    def branches(self) -> list[str]:
        """What the gate answered the flow (Branch), question by question."""
        return [
            entry["data"]["value"]
            for entry in self.contact.transcript.to_json()
            if entry.get("block") == ASKED and entry["kind"] == "branch"
        ]


def play_gate_call(
    sandbox: Sandbox,
    path: GatePath,
    *,
    number: str,
    voice: str,
    moves: Iterable[Move] = (),
    meanwhile: Mapping[str, Callable[[], object]] | None = None,
    on_dial: Callable[[str, str], None] | None = None,
    flow_arn: str | None = None,
    attributes: Mapping[str, str] | None = None,
) -> GateCall:
    """Call a flow with the gate from `number` in somebody's `voice`; the others are those of TwilioDialler.

    `flow_arn`: a flow of somebody's own that invokes the module; `attributes`: what the contact has already.
    """
    dialler = TwilioDialler(path.twilio, path.number, voice=voice, meanwhile=meanwhile, on_dial=on_dial)
    contact = Contact(
        Ports(
            flows=PublishedFlows(sandbox, path.instance_arn),
            functions=DeployedFunctions(sandbox, path.instance_arn),
            external_voice=dialler,
            run=sandbox.run,
        ),
        instance_arn=path.instance_arn,
        caller=Caller(number=number, moves=moves),
        conditions=Conditions(queues=[Queue(arn=f"{path.instance_arn}/queue/{QUEUE_ID}", name="Support")]),
        attributes=attributes,
        secrets=path.secrets,
    )
    contact.calls(flow_arn or path.flow_arn)
    return GateCall(contact, dialler)


def stored_caller(sandbox: Sandbox, path: GatePath, number: str) -> dict[str, Any]:
    """Return the table's item of a caller in DynamoDB's notation, empty if there is none."""
    answer = sandbox.boto3_client("dynamodb").get_item(
        TableName=path.table, Key={"phoneNumber": {"S": number}}, ConsistentRead=True
    )
    item: dict[str, Any] = answer.get("Item", {})
    return item


def nobody_knows(sandbox: Sandbox, path: GatePath, number: str) -> None:
    """Let a scenario begin with a caller of whom the table holds nothing, however often it is played."""
    sandbox.boto3_client("dynamodb").delete_item(TableName=path.table, Key={"phoneNumber": {"S": number}})
