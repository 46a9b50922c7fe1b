"""The table of callers: one item per phone number; every write is conditional on the item being the one that was read.

An item carries ``revision``, a random value that each write renews. A write states the revision that it was decided
on, so DynamoDB lets exactly one of several writers through; the others read again and decide again. A counter would
not do: an item that is erased and made anew would count from the start, and an old writer would fit by accident.

The revision also tells an SDK that repeated a write after losing its answer: the condition fails, yet the item carries
our own new revision, so the write was ours.
"""

from __future__ import annotations

import math
import time
import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from runtime.biometrics import limits
from runtime.biometrics.caller import (
    Caller,
    Consent,
    Outcome,
    Purpose,
    Result,
    Session,
    Stage,
)
from runtime.biometrics.machine import Transition
from runtime.shared.clients import AwsClient, client, error_code, is_temporary
from runtime.shared.environment import Environment
from runtime.shared.errors import TemporarilyUnavailableError
from runtime.shared.service_models import dynamodb

T = TypeVar("T")

REVISION = "revision"
_RECONCILED = "reconciled"
"""The key of the item that is no caller's."""
ATTEMPTS = 6
"""How often a decision is made anew because somebody else wrote first. Each time, another writer has got on."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A caller as read; ``revision`` is empty if there is no item."""

    caller: Caller
    revision: str


class Callers(ABC):
    """Reads callers and writes them conditionally; what decides is given as a function without side effects."""

    @abstractmethod
    def read(self, number: str) -> Stored:
        """Read a caller, consistently. Raises TemporarilyUnavailableError."""

    @abstractmethod
    def write(self, number: str, expected: str, caller: Caller, revision: str) -> bool:
        """Write a caller if the item still has the expected revision (empty: if there is none); tell if it was."""

    @abstractmethod
    def delete(self, number: str, expected: str) -> bool:
        """Delete a caller if the item still has the expected revision; tell whether it had."""

    @abstractmethod
    def overdue(self, now: int, keep: int = 0, needed: int = 0) -> Iterator[str]:
        """Yield the numbers whose retention is over, whose erasure is unfinished, or that have something left.

        That is a recording, or an enrolment that was not finished. keep: how many recordings of a caller may stay.
        needed: how many enrolments make a voice print.
        """

    @abstractmethod
    def reconciled(self) -> str:
        """Return the last day (YYYY-MM-DD) up to which the telephony provider was found to hold nothing unknown."""

    @abstractmethod
    def set_reconciled(self, day: str) -> None:
        """Remember that day."""

    def change(
        self,
        number: str,
        decide: Callable[[Caller], Transition[T]],
        *,
        patience: float = math.inf,
    ) -> T:
        """Read, decide and write until the write is let through; return the answer that was decided with it.

        Nothing is written if the decision leaves the caller as it is. patience: seconds after which nobody begins
        anew. Raises TemporarilyUnavailableError if the table does, or if others were faster ATTEMPTS times, or for
        that long.
        """
        began = time.monotonic()
        for attempt in range(ATTEMPTS):
            if attempt and time.monotonic() - began > patience:
                raise TemporarilyUnavailableError(
                    f"{attempt} writes came too late, and there is no time for more"
                )
            stored = self.read(number)
            transition = decide(stored.caller)
            if transition.after == stored.caller:
                return transition.answer
            if self.write(number, stored.revision, transition.after, uuid.uuid4().hex):
                return transition.answer
        raise TemporarilyUnavailableError(
            f"{ATTEMPTS} writes in a row came too late: the caller's item is changed all the time"
        )


@dataclass(frozen=True, slots=True)
class CallersSettings:
    """Where callers lie: environment variables TABLE_NAME and KEY_ATTRIBUTE."""

    table_name: str
    key_attribute: str

    @classmethod
    def read(cls, environment: Environment) -> CallersSettings:
        """Read the settings; `environment.check()` is the caller's to call."""
        return cls(
            table_name=environment.text(
                "TABLE_NAME",
                pattern=r"(arn:[^/]+:table/)?[A-Za-z0-9_.-]{3,255}",
                form="a DynamoDB table name or ARN",
            ),
            key_attribute=environment.text(
                "KEY_ATTRIBUTE",
                default=limits.PARTITION_KEY,
                pattern=r"\S{1,255}",
                form="an attribute name of at most 255 characters",
            ),
        )


def client_while_a_call_waits() -> AwsClient:
    """Return a DynamoDB client for functions that a call waits for.

    A read and a write take at most 2 x 2 x (0.3 s + 0.9 s) + 0.1 s: the flow's block waits 8 s, Twilio 15 s.
    """
    return client(dynamodb, connect_timeout=0.3, read_timeout=0.9, attempts=2)


class DynamoDbCallers(Callers):
    """Callers in DynamoDB, through a low-level client."""

    def __init__(self, client: AwsClient, settings: CallersSettings) -> None:
        self._client = client
        self._settings = settings

    def read(self, number: str) -> Stored:
        """Read a caller in one consistent GetItem."""
        item = self._call("get_item", Key=self._key(number), ConsistentRead=True).get("Item") or {}
        return Stored(caller=caller_of(item), revision=item.get(REVISION, {}).get("S", ""))

    def write(self, number: str, expected: str, caller: Caller, revision: str) -> bool:
        """Write a caller in one conditional PutItem."""
        item = {**self._key(number), REVISION: {"S": revision}, **item_of(caller)}
        try:
            self._call(
                "put_item",
                Item=item,
                **condition_on(expected, self._settings.key_attribute),
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except self._client.exceptions.ConditionalCheckFailedException as error:
            found: str = error.response.get("Item", {}).get(REVISION, {}).get("S", "")
            return found == revision
        return True

    def delete(self, number: str, expected: str) -> bool:
        """Delete a caller in one conditional DeleteItem."""
        try:
            self._call(
                "delete_item",
                Key=self._key(number),
                **condition_on(expected, self._settings.key_attribute),
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def overdue(self, now: int, keep: int = 0, needed: int = 0) -> Iterator[str]:
        """Scan the table, for the daily sweep only; it is small (one item a caller)."""
        start: dict[str, Any] = {}
        while True:
            page = self._call(
                "scan",
                ProjectionExpression="#key",
                FilterExpression="retainUntil <= :now OR erasing = :yes OR attribute_exists(discarded) "
                "OR (attribute_exists(recordings) AND size(recordings) > :keep) "
                "OR (attribute_exists(userId) AND enrolments < :needed)",
                ExpressionAttributeNames={"#key": self._settings.key_attribute},
                ExpressionAttributeValues={
                    ":now": {"N": str(now)},
                    ":yes": {"BOOL": True},
                    ":keep": {"N": str(keep)},
                    ":needed": {"N": str(needed)},
                },
                **start,
            )
            yield from (item[self._settings.key_attribute]["S"] for item in page.get("Items", []))
            if not page.get("LastEvaluatedKey"):
                return
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    def reconciled(self) -> str:
        """Read the day from an item of its own."""
        item = self._call("get_item", Key=self._key(_RECONCILED), ConsistentRead=True).get("Item") or {}
        day: str = item.get("day", {}).get("S", "")
        return day

    def set_reconciled(self, day: str) -> None:
        """Write the day into an item of its own; only the sweep does, once at a time."""
        self._call("put_item", Item={**self._key(_RECONCILED), "day": {"S": day}})

    def _key(self, number: str) -> dict[str, Any]:
        return {self._settings.key_attribute: {"S": number}}

    def _call(self, operation: str, **arguments: object) -> Mapping[str, Any]:
        try:
            response: Mapping[str, Any] = getattr(self._client, operation)(
                TableName=self._settings.table_name, **arguments
            )
        except Exception as error:
            if is_temporary(error):
                raise TemporarilyUnavailableError(
                    f"table {self._settings.table_name} did not take {operation}: {error_code(error)}"
                ) from error
            raise
        return response


def condition_on(expected: str, key_attribute: str) -> dict[str, Any]:
    """Return the arguments that make a write conditional on a revision, or on there being no item."""
    if not expected:
        return {
            "ConditionExpression": "attribute_not_exists(#key)",
            "ExpressionAttributeNames": {"#key": key_attribute},
        }
    return {
        "ConditionExpression": "#revision = :expected",
        "ExpressionAttributeNames": {"#revision": REVISION},
        "ExpressionAttributeValues": {":expected": {"S": expected}},
    }


def item_of(caller: Caller) -> dict[str, Any]:
    """Return a caller's attributes, without key and revision, in DynamoDB's notation."""
    item: dict[str, Any] = {
        "enrolments": {"N": str(caller.enrolments)},
        "failures": {"N": str(caller.failures)},
        "lockedUntil": {"N": str(caller.locked_until)},
        "lateProofs": {"N": str(caller.late_proofs)},
        "retainUntil": {"N": str(caller.retain_until)},
        "recordings": _texts(caller.recordings),
        "erasing": {"BOOL": caller.erasing},
    }
    texts = {"userId": caller.user_id, "asked": caller.asked}
    item |= {name: {"S": text} for name, text in texts.items() if text}
    listed = {"discarded": caller.discarded, "calls": caller.calls, "phrases": caller.phrases}
    item |= {name: _texts(values) for name, values in listed.items() if values}
    if caller.refusals:
        item["refusals"] = {"L": [{"N": str(at)} for at in caller.refusals]}
    if caller.inventoried:
        item["inventoried"] = {"BOOL": True}
    if caller.consent:
        item["consent"] = {"S": caller.consent.value}
    if caller.session:
        session = caller.session
        item["session"] = {
            "M": {
                "contactId": {"S": session.contact_id},
                "purpose": {"S": session.purpose.value},
                "stage": {"S": session.stage.value},
                "code": {"S": session.code},
                "callSid": {"S": session.call_sid},
                "turn": {"N": str(session.turn)},
                "tries": {"N": str(session.tries)},
                "refused": {"N": str(session.refused)},
                "guesses": {"N": str(session.guesses)},
                "expiresAt": {"N": str(session.expires_at)},
            }
        }
    if caller.outcome:
        outcome = caller.outcome
        item["outcome"] = {
            "M": {
                "result": {"S": outcome.result.value},
                "contactId": {"S": outcome.contact_id},
                "at": {"N": str(outcome.at)},
                "expiresAt": {"N": str(outcome.expires_at)},
                "confidence": {"S": outcome.confidence},
            }
        }
    return item


def caller_of(item: Mapping[str, Any]) -> Caller:
    """Return the caller of an item; of an empty one, a caller that nobody has heard of."""
    consent = item.get("consent", {}).get("S")
    return Caller(
        user_id=item.get("userId", {}).get("S", ""),
        discarded=_listed(item, "discarded"),
        consent=Consent(consent) if consent else None,
        enrolments=_number(item, "enrolments"),
        failures=_number(item, "failures"),
        refusals=tuple(int(at["N"]) for at in item.get("refusals", {}).get("L", [])),
        locked_until=_number(item, "lockedUntil"),
        late_proofs=_number(item, "lateProofs"),
        session=_session(item["session"]["M"]) if "session" in item else None,
        outcome=_outcome(item["outcome"]["M"]) if "outcome" in item else None,
        recordings=_listed(item, "recordings"),
        erasing=bool(item.get("erasing", {}).get("BOOL", False)),
        calls=_listed(item, "calls"),
        inventoried=bool(item.get("inventoried", {}).get("BOOL", False)),
        retain_until=_number(item, "retainUntil"),
        phrases=_listed(item, "phrases"),
        asked=item.get("asked", {}).get("S", ""),
    )


def _session(item: Mapping[str, Any]) -> Session:
    return Session(
        contact_id=item["contactId"]["S"],
        purpose=Purpose(item["purpose"]["S"]),
        stage=Stage(item["stage"]["S"]),
        code=item["code"]["S"],
        call_sid=item["callSid"]["S"],
        turn=_number(item, "turn"),
        tries=_number(item, "tries"),
        refused=_number(item, "refused"),
        guesses=_number(item, "guesses"),
        expires_at=_number(item, "expiresAt"),
    )


def _outcome(item: Mapping[str, Any]) -> Outcome:
    return Outcome(
        result=Result(item["result"]["S"]),
        contact_id=item["contactId"]["S"],
        at=_number(item, "at"),
        expires_at=_number(item, "expiresAt"),
        confidence=item["confidence"]["S"],
    )


def _texts(values: tuple[str, ...]) -> dict[str, Any]:
    return {"L": [{"S": one} for one in values]}


def _listed(item: Mapping[str, Any], name: str) -> tuple[str, ...]:
    return tuple(one["S"] for one in item.get(name, {}).get("L", []))


def _number(item: Mapping[str, Any], name: str) -> int:
    return int(item.get(name, {}).get("N", "0"))
