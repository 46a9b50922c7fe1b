"""Helpers for one scenario: place calls, look into the deployed account, keep what happened for the report."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from connect_sandbox.cloud import FunctionFault
from connect_sandbox.rehearsal.chat_room import PATIENCE
from connect_sandbox.rehearsal.cloud_ports import (
    AssociatedConnectors,
    DeployedFunctions,
    PublishedFlows,
)
from connect_sandbox.rehearsal.conditions import Agent, Caller, Conditions, Move, Queue
from connect_sandbox.rehearsal.contact import EXAMPLE_NUMBER, Contact
from connect_sandbox.rehearsal.left_behind import LeftBehind, flow_of_number
from connect_sandbox.rehearsal.ports import Ports
from connect_sandbox.rehearsal.values import Json
from connect_sandbox.runs.events import EntryWritten

from rehearsals.scenarios.biometrics_calls import GateCall, play_gate_call
from rehearsals.scenarios.biometrics_path import GatePath
from rehearsals.scenarios.center_calls import dial
from rehearsals.scenarios.chat_path import ChatPath
from rehearsals.scenarios.chats import PlayedChat, play_chat
from rehearsals.scenarios.deployment import Deployment, NewPath, VoicePath
from rehearsals.vendors.chat.script import BotScript
from rehearsals.vendors.voice.client import ExternalVoiceSystem, Posted
from rehearsals.vendors.voice.script import Answers, MetadataApi, Pickup, Step, VendorScript

QUEUE_ID = "66666666-7777-8888-9999-000000000000"
TABLE_TYPE = "AWS::DynamoDB::GlobalTable"


@dataclass(frozen=True)
class Call:
    """A call that has been played: the contact, and what the vendor saw of it."""

    contact: Contact
    vendor: ExternalVoiceSystem

    @property
    def posted(self) -> list[Posted]:
        """The answers that the vendor's metadata got."""
        return self.vendor.posted


class Rehearsal:
    """Places calls on a deployment; the sandbox's run is told of every call and note of the scenario."""

    def __init__(self, deployment: Deployment) -> None:
        self.deployment = deployment
        self.sandbox = deployment.sandbox
        self._undo: list[Callable[[], None]] = []

    # --- calls

    def call(
        self,
        path: VoicePath,
        *steps: Step,
        pickup: Pickup | None = None,
        moves: Iterable[Move] = (),
        queue_at_capacity: bool = False,
        new: NewPath | None = None,
        agent: Agent | None = None,
    ) -> Call:
        """Call the path's flow; the vendor answers as `pickup` says and takes `steps`, the caller makes `moves`.

        new: dial the claimed number of an environment that has created its instance; what the contact leaves is kept
        as that instance keeps it. agent: takes the contact from the queue.
        """
        script = VendorScript(
            pickup=pickup or Answers(),
            steps=steps,
            api=self.metadata_api(path),
            contact_id_header=path.contact_id_header,
        )
        queue = Queue(
            arn=new.queue_arn if new else f"{path.instance_arn}/queue/{QUEUE_ID}",
            name="Support",
            at_capacity=queue_at_capacity,
        )
        flow_arn = flow_of_number(self.sandbox, new.number)[1] if new else path.flow_arn
        with ExternalVoiceSystem(script) as vendor:
            contact = Contact(
                Ports(
                    flows=PublishedFlows(self.sandbox, path.instance_arn),
                    functions=DeployedFunctions(self.sandbox, path.instance_arn),
                    external_voice=AssociatedConnectors(self.sandbox, path.instance_arn, vendor),
                    records=LeftBehind(self.sandbox, path.instance_arn) if new else None,
                    run=self.sandbox.run,
                ),
                instance_arn=path.instance_arn,
                caller=Caller(moves=moves),
                dialled=new.number if new else EXAMPLE_NUMBER,
                conditions=Conditions(queues=[queue], agent=agent),
                secrets=[path.token],
            )
            contact.calls(flow_arn)
        return Call(contact, vendor)

    def metadata_api(self, path: VoicePath) -> MetadataApi:
        """Return what the operator of the path's external voice system was given."""
        host, port, _ = self.sandbox.api_base(path.api_url)
        return MetadataApi(
            url=path.api_url,
            token=path.token,
            token_header=path.token_header,
            contact_token_header=path.contact_token_header,
            connect_to=(host, port),
        )

    def chat(
        self,
        script: BotScript,
        *,
        moves: Iterable[Move] = (),
        patience: float = PATIENCE,
        queue_at_capacity: bool = False,
    ) -> PlayedChat:
        """Open a chat on the deployed chat path; its bot follows the script, the customer makes these moves.

        A script without a token expects the right one. `patience`: real seconds that the customer waits for a reply.
        """
        return play_chat(
            self.sandbox,
            self.deployment.chat,
            script,
            moves=moves,
            patience=patience,
            queue_at_capacity=queue_at_capacity,
        )

    def dials(
        self,
        number: str,
        *,
        queue: tuple[str, str] | None = None,
        agent: Agent | None = None,
        moves: Iterable[Move] = (),
    ) -> Contact:
        """Call a claimed number; see center_calls.py."""
        return dial(self.sandbox, number, queue=queue, agent=agent, moves=moves)

    def gate_call(
        self,
        path: GatePath,
        number: str,
        voice: str,
        *,
        moves: Iterable[Move] = (),
        meanwhile: Mapping[str, Callable[[], object]] | None = None,
        on_dial: Callable[[str, str], None] | None = None,
        flow_arn: str | None = None,
        attributes: Mapping[str, str] | None = None,
    ) -> GateCall:
        """Call the voice biometric gate from `number`, in somebody's `voice`; see play_gate_call for the others."""
        return play_gate_call(
            self.sandbox,
            path,
            number=number,
            voice=voice,
            moves=moves,
            meanwhile=meanwhile,
            on_dial=on_dial,
            flow_arn=flow_arn,
            attributes=attributes,
        )

    # --- failures on purpose; they end with the scenario

    def inject(self, function_arn: str, fault: FunctionFault) -> None:
        """Make the next invocations of a function fail or run late."""
        functions = self.sandbox.functions
        functions.inject(function_arn, fault)
        self._undo.append(lambda: functions.forget_faults(function_arn))

    def refuse(self, service: str, operation: str, *, code: str, message: str) -> None:
        """Let AWS refuse an operation (HTTP 400) until the scenario ends; names as in `Faults.fail`."""
        faults = self.sandbox.faults
        fault = faults.fail(service, operation, status=400, code=code, message=message, times=None)
        self._undo.append(lambda: faults.forget(fault))

    def end(self) -> None:
        """Undo the failures that are left."""
        while self._undo:
            self._undo.pop()()

    # --- commands

    def command(self, *arguments: str, told: str = "") -> tuple[int, str]:
        """Run `connect-bridges` with these arguments, the sandbox as its AWS; return its status and what it printed.

        `told` is its standard input.
        """
        ran = subprocess.run(  # noqa: S603  (our own command)
            [sys.executable, "-m", "connect_bridges.cli", *arguments],
            input=told,
            env=self.sandbox.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            timeout=120,
            check=False,
        )
        self.note(f"connect-bridges {' '.join(arguments)}: {ran.stdout.strip()}")
        return ran.returncode, ran.stdout

    # --- what lies in the account

    def stored(self, path: VoicePath, contact: Contact) -> dict[str, str] | None:
        """Return the item that the metadata table holds for the contact, as texts; None if there is none."""
        table = self.deployment.physical_id(path.stack, TABLE_TYPE)
        client = self.sandbox.boto3_client("dynamodb")
        [key] = client.describe_table(TableName=table)["Table"]["KeySchema"]
        answer = client.get_item(
            TableName=table, Key={key["AttributeName"]: {"S": contact.contact_id}}, ConsistentRead=True
        )
        if "Item" not in answer:
            return None
        return {name: str(next(iter(value.values()))) for name, value in answer["Item"].items()}

    def function_of(self, path: VoicePath, block: str) -> str:
        """Return the ARN of the Lambda function that a block of the published flow invokes."""
        flow = PublishedFlows(self.sandbox, path.instance_arn).flow(path.flow_arn)
        return str(flow.block(block).parameters["LambdaFunctionARN"])

    def logged(self, path: VoicePath | ChatPath | GatePath) -> str:
        """Return everything that the functions and the API of a stack have logged."""
        logs = self.sandbox.boto3_client("logs")
        names = self.deployment.physical_ids(path.stack, "AWS::Logs::LogGroup")
        events = [event for name in names for event in logs.filter_log_events(logGroupName=name)["events"]]
        return "\n".join(event["message"] for event in events)

    @contextmanager
    def table_calls(self, path: VoicePath) -> Iterator[list[str]]:
        """Gather the DynamoDB actions that a stack's roles ask for within the context."""
        actions: list[str] = []
        roles = self.deployment.physical_ids(path.stack, "AWS::IAM::Role")
        before = len(self.sandbox.audit.calls(action="dynamodb:*"))
        yield actions
        made = self.sandbox.audit.calls(action="dynamodb:*")[before:]
        actions += [entry.action for entry in made if entry.role in roles]

    # --- what the report says

    def note(self, text: str, **data: Json) -> None:
        """Write down what the scenario itself does or has found."""
        self.sandbox.run.emit(EntryWritten(who="rehearsal", kind="does", text=text, data=data or None))


def same_json(text: str | None, value: Json) -> bool:
    """Tell whether a text is the JSON of that value, number for number and key for key in order."""
    return text is not None and json.dumps(json.loads(text)) == json.dumps(value)
