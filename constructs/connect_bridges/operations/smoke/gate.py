"""VoiceBiometricGate: a caller whom nobody knows gets nothing opened, and leaves nothing behind."""

from __future__ import annotations

import base64
import secrets
import uuid
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

from connect_bridges.operations.deployed import Bridge
from connect_bridges.operations.smoke import flows
from connect_bridges.operations.smoke.account import (
    Account,
    Need,
    flow_event,
    function_arn,
    key_needs,
    partition_of,
    table_arn,
)
from connect_bridges.operations.smoke.result import Checks, FailedError
from connect_bridges.operations.web import post

ONLY_A_CALL = (
    "Amazon Connect reaches the telephony number, and sends the code as tones",
    "the telephony side's own signature fits (its account's token, this URL)",
    "recordings are fetched and judged, and the voice of the right caller passes",
    "the caller comes back into the flow in time",
)
_NOBODY = "+999"
"""A country code that is not assigned: no caller has such a number."""
_TODO_TABLE = "Let the role of {} call dynamodb:GetItem and dynamodb:PutItem on the table, and use its key."


def needs(bridge: Bridge, account: Account) -> Iterator[Need]:
    """Yield the permissions that the checks need."""
    facts = bridge.facts
    partition = partition_of(facts["instanceArn"])
    for part in ("Gate", "Erase"):
        yield Need(("lambda:InvokeFunction",), function_arn(account, partition, facts["functions"][part]))
    yield Need(("dynamodb:DeleteItem", "dynamodb:GetItem"), table_arn(bridge, account))
    yield from key_needs(account, partition)
    yield from flows.needs(bridge)


def attempt(bridge: Bridge, account: Account, checks: Checks) -> None:
    """Do the checks."""
    trial = _Trial(bridge, account)
    try:
        checks.attempt("gate-unknown-caller", trial.unknown_caller)
        checks.attempt("gate-webhook-unsigned", lambda: trial.forged(None))
        checks.attempt(
            "gate-webhook-wrong-signature",
            lambda: trial.forged(base64.b64encode(secrets.token_bytes(20)).decode()),
        )
        checks.attempt("gate-nothing-proved", trial.nothing_proved)
    finally:
        checks.attempt("gate-erase", trial.erased)
    checks.skip(
        "gate-retention",
        "not invoked: Retention would forget callers whose time is over. It runs once a day by itself",
    )
    flows.attempt(bridge, account, checks)


class _Trial:
    def __init__(self, bridge: Bridge, account: Account) -> None:
        self._account = account
        self._facts = bridge.facts
        self._functions: Mapping[str, str] = bridge.facts["functions"]
        self._contact = str(uuid.uuid4())
        self._number = _NOBODY + "".join(secrets.choice("0123456789") for _ in range(11))

    def unknown_caller(self) -> str:
        answer = self._ask("start")
        known = {"enrollfromscratch": "transfer", "unavailable": "notEnrolled"}
        branch, reason = answer.get("Branch"), answer.get("Reason")
        if known.get(str(branch)) != reason:
            raise FailedError(
                f"{self._functions['Gate']} sent a caller whom nobody knows to {branch!r} ({reason}).",
                "Read its log; an unknown caller goes to enrollfromscratch, or without self-enrolment to unavailable.",
            )
        return f"goes to {branch!r}, result {answer.get('biometricResult')!r}: nothing is opened"

    def forged(self, signature: str | None) -> str:
        form = {
            "CallSid": f"CA{uuid.uuid4().hex}",
            "From": self._number,
            "To": str(self._facts["telephonyNumber"]),
            "CallStatus": "in-progress",
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        if signature is not None:
            headers["X-Twilio-Signature"] = signature
        before = self._item()
        answer = post(str(self._facts["webhookUrl"]), headers=headers, body=urlencode(form).encode())
        webhook = self._functions["Webhook"]
        if answer.status == 200 and "<Response" in answer.text:
            raise FailedError(
                f"{webhook} answered a message without a valid signature with status 200: it could not check "
                "signatures at all, or takes forged ones.",
                f"Read the log of {webhook}; store accountSid and authToken in "
                f"{self._facts['secrets']['telephony']['arn']}, and let its role read it.",
            )
        if answer.status != 403:
            raise FailedError(
                f"the webhook answered {answer.status} instead of 403.",
                f"Read the logs of {webhook} and of the API's stage.",
            )
        if self._item() != before:
            raise FailedError(
                "the webhook answered 403, yet the caller's item has changed.",
                f"Take {webhook} out of service, and report this: a forged message may change nothing.",
            )
        return "refused with status 403, and nothing has changed in the table"

    def nothing_proved(self) -> str:
        answer = self._ask("return")
        if answer.get("Branch") != "unavailable":
            raise FailedError(
                f"{self._functions['Gate']} sent a caller without a proof to {answer.get('Branch')!r} "
                f"({answer.get('Reason')}).",
                "Do not trust the gate before its log has told why.",
            )
        return f"without a proof the caller goes to 'unavailable' ({answer.get('Reason')})"

    def erased(self) -> str:
        """Have the erase function forget the test caller; if it cannot, delete the item."""
        erase, key = self._functions["Erase"], {self._facts["table"]["partitionKey"]: {"S": self._number}}
        known = bool(self._item())
        try:
            first, second = self._erase(), self._erase()
        except FailedError as failure:
            if not known:
                raise
            self._account.delete_item(self._facts["table"]["name"], key)
            raise FailedError(
                f"{failure.why} The test caller was deleted from the table with DeleteItem.", failure.todo
            ) from failure
        if self._item():
            self._account.delete_item(self._facts["table"]["name"], key)
            raise FailedError(f"{erase} left the test caller in the table (now deleted).", "Read its log.")
        if (first, second) != (known, False):
            raise FailedError(
                f"{erase} answered erased={first}, then erased={second}; expected was {known}, then False.",
                "Read its log.",
            )
        told = "forgot the test caller, then knew nothing" if known else "knows nothing"
        return f"Erase {told} of the number; the table holds nothing"

    def _erase(self) -> bool:
        invocation = self._account.answered(self._functions["Erase"], {"phoneNumber": self._number})
        return bool(invocation.answer.get("erased"))

    def _ask(self, phase: str) -> Mapping[str, Any]:
        gate = self._functions["Gate"]
        event = flow_event(
            self._facts["instanceArn"],
            self._contact,
            channel="VOICE",
            number=self._number,
            parameters={"phase": phase},
        )
        invocation = self._account.answered(gate, event)
        answer: Mapping[str, Any] = invocation.answer
        if answer.get("Branch") == "verified" or answer.get("biometricResult") == "verified":
            raise FailedError(
                f"{gate} called a caller verified whom nobody knows.",
                "Take the gate out of your flows, and report this with its log.",
            )
        if answer.get("Reason") == "tableUnavailable":
            raise FailedError(
                f"{gate} cannot use the table {self._facts['table']['name']}: {invocation.cause()}.",
                invocation.todo() if invocation.denied() else _TODO_TABLE.format(gate),
            )
        return answer

    def _item(self) -> Mapping[str, Any]:
        table = self._facts["table"]
        return self._account.item(table["name"], {table["partitionKey"]: {"S": self._number}})
