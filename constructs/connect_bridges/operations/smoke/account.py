"""The account that a deployment is tried in: AWS's clients, the deployed functions, and what their logs say."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config

from connect_bridges.operations import aws
from connect_bridges.operations.deployed import Bridge
from connect_bridges.operations.smoke.result import FailedError, asking

INVOKE = Config(connect_timeout=10, read_timeout=90, retries={"total_max_attempts": 1}, tcp_keepalive=True)
"""One attempt: a second one would hide the first. The erase function needs its time."""
_DENIED = re.compile(r"not authorized to perform: ([a-z0-9-]+:[A-Za-z0-9*]+)(?: on resource: ([^\s\"\\,]+))?")
_CAUSE = re.compile(r'"cause": ?"([A-Za-z]+)"')


@dataclass(frozen=True)
class Need:
    """A permission that a check needs of whoever runs the command."""

    actions: tuple[str, ...]
    resource: str
    via: tuple[str, ...] = ()
    """Services through which alone the action is needed (kms:ViaService)."""


@dataclass(frozen=True)
class Invocation:
    """What a function answered. failed: it raised or ran out of time. log: the end of its log, at most 4 KB."""

    function: str
    answer: Any
    failed: bool
    log: str

    def denied(self) -> tuple[str, str] | None:
        """Return the action that AWS refused the function, and the resource; None if the log names none."""
        found = _DENIED.search(self.log)
        return (found[1], (found[2] or "").rstrip(".")) if found else None

    def cause(self) -> str:
        """Return what kept the function from doing its part, as far as it says so."""
        if denied := self.denied():
            action, resource = denied
            return f"{self.function} may not call {action}" + (f" on {resource}" if resource else "")
        if self.failed and isinstance(self.answer, Mapping):
            kind, message = self.answer.get("errorType"), self.answer.get("errorMessage")
            return f"{self.function} raised " + ": ".join(
                " ".join(str(p).split()) for p in (kind, message) if p
            )
        found = _CAUSE.search(self.log)
        return f"{self.function} met {found[1]}" if found else f"{self.function} says no more about it"

    def todo(self) -> str:
        """Return what to do about that cause."""
        if denied := self.denied():
            return (
                f"Let the role of {self.function} call {denied[0]}: deploy the stack "
                "again (`cdk deploy --revert-drift`), and look for a permissions boundary or a service control policy "
                "that takes it away."
            )
        return f"Read the log of {self.function} (in the Lambda console: Monitor, View CloudWatch logs)."


class Account:
    """What the checks ask, with the credentials of whoever runs the command."""

    def __init__(self, session: boto3.Session, account: str, region: str) -> None:
        """account, region: the deployed stack's."""
        self._session = session
        self._clients: dict[str, Any] = {}
        self.account = account
        self.region = region

    def client(self, service: str) -> Any:  # noqa: ANN401 (boto3's clients have no common type)
        """Return a boto3 client, with limits for reading, or for invoking."""
        if service not in self._clients:
            config = INVOKE if service == "lambda" else aws.READ
            self._clients[service] = self._session.client(service, region_name=self.region, config=config)
        return self._clients[service]

    def invoke(self, function: str, event: Mapping[str, Any]) -> Invocation:
        """Invoke a function and wait for its answer. Raises FailedError if that cannot be done."""
        with asking(f"invoke {function}", "lambda:InvokeFunction"):
            answer = self.client("lambda").invoke(
                FunctionName=function,
                InvocationType="RequestResponse",
                LogType="Tail",
                Payload=json.dumps(event).encode(),
            )
            payload = answer["Payload"].read()
        try:
            document = json.loads(payload)
        except ValueError:
            document = None
        log = base64.b64decode(answer.get("LogResult") or b"").decode("utf-8", "replace")
        return Invocation(function, document, bool(answer.get("FunctionError")), log)

    def answered(self, function: str, event: Mapping[str, Any]) -> Invocation:
        """Invoke a function that answers with a JSON object; a function that fails fails the check."""
        invocation = self.invoke(function, event)
        if invocation.failed or not isinstance(invocation.answer, Mapping):
            raise FailedError(f"{function} gave no answer: {invocation.cause()}.", invocation.todo())
        return invocation

    def item(self, table: str, key: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return an item in DynamoDB's notation, read consistently; empty if there is none."""
        with asking(f"read the table {table}", "dynamodb:GetItem, and kms:Decrypt on its key"):
            answer = self.client("dynamodb").get_item(TableName=table, Key=key, ConsistentRead=True)
        found: Mapping[str, Any] = answer.get("Item", {})
        return found

    def delete_item(self, table: str, key: Mapping[str, Any]) -> None:
        """Delete an item; it is no error if there is none."""
        with asking(
            f"delete test data from the table {table}", "dynamodb:DeleteItem, and kms:Decrypt on its key"
        ):
            self.client("dynamodb").delete_item(TableName=table, Key=key)


def flow_event(
    instance_arn: str,
    contact_id: str,
    *,
    channel: str,
    number: str | None = None,
    parameters: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Return what a flow's Lambda block sends for a contact. number: E.164 of the caller."""
    endpoint = {"Address": number, "Type": "TELEPHONE_NUMBER"} if number else None
    return {
        "Name": "ContactFlowEvent",
        "Details": {
            "ContactData": {
                "Attributes": {},
                "Channel": channel,
                "ContactId": contact_id,
                "InitialContactId": contact_id,
                "PreviousContactId": contact_id,
                "CustomerEndpoint": endpoint,
                "InitiationMethod": "API",
                "InstanceARN": instance_arn,
                "LanguageCode": "en-US",
                "MediaStreams": {"Customer": {"Audio": None}},
                "Queue": None,
                "References": {},
                "SystemEndpoint": None,
            },
            "Parameters": dict(parameters or {}),
        },
    }


def function_arn(account: Account, partition: str, name: str) -> str:
    """Return the ARN of a function of the stack."""
    return f"arn:{partition}:lambda:{account.region}:{account.account}:function:{name}"


def table_arn(bridge: Bridge, account: Account) -> str:
    """Return the ARN of a construct's table."""
    partition = partition_of(bridge.facts["instanceArn"])
    return (
        f"arn:{partition}:dynamodb:{account.region}:{account.account}:table/{bridge.facts['table']['name']}"
    )


def key_needs(account: Account, partition: str, *, secrets: bool = False) -> Iterator[Need]:
    """Yield what a table under a customer-managed key asks for, and a secret under one (as in shared/grants.py)."""
    keys = f"arn:{partition}:kms:{account.region}:{account.account}:key/*"
    yield Need(("kms:Decrypt", "kms:GenerateDataKey"), keys, (f"dynamodb.{account.region}.amazonaws.com",))
    if secrets:
        yield Need(("kms:Decrypt",), keys, (f"secretsmanager.{account.region}.amazonaws.com",))


def partition_of(instance_arn: str) -> str:
    """Return the partition of an ARN, such as aws."""
    return instance_arn.split(":", 2)[1]
