"""MetadataBridge: marked metadata of a contact that does not exist goes in, comes out, and is removed."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

from connect_bridges.operations.deployed import Bridge
from connect_bridges.operations.smoke.account import (
    Account,
    Need,
    flow_event,
    function_arn,
    key_needs,
    partition_of,
    table_arn,
)
from connect_bridges.operations.smoke.flows import INSTANCE_NEEDS, try_association
from connect_bridges.operations.smoke.result import Checks, FailedError, SkippedError, asking
from connect_bridges.operations.web import Answer, post

MARK = "connectBridgesSmoke"
"""The key of test metadata, so that nobody takes an item that was left behind for a caller's."""
ONLY_A_CALL = (
    "the external voice system sends this token, and the contact id that it got in the SIP header",
    "what it posts reaches the agent as the contact attribute",
)
_TOO_MUCH = 33_000


def needs(bridge: Bridge, account: Account) -> Iterator[Need]:
    """Yield the permissions that the checks need."""
    facts = bridge.facts
    partition = partition_of(facts["instanceArn"])
    yield Need(("secretsmanager:GetSecretValue",), facts["secrets"]["token"]["arn"])
    for part in ("Retrieve", "Store", "Authorize", *(("Sign",) if "Sign" in facts["functions"] else ())):
        yield Need(("lambda:InvokeFunction",), function_arn(account, partition, facts["functions"][part]))
    yield Need(("dynamodb:DeleteItem",), table_arn(bridge, account))
    yield from key_needs(account, partition, secrets=True)
    yield Need(INSTANCE_NEEDS, facts["instanceArn"])


def attempt(bridge: Bridge, account: Account, checks: Checks) -> None:
    """Do the checks."""
    trial = _Trial(bridge, account)
    with_token = checks.attempt("metadata-token", trial.reads_the_token)
    try:
        for name, what in {
            "metadata-round-trip": trial.round_trip,
            "metadata-missing-contact-id": trial.without_contact_id,
            "metadata-oversized": trial.oversized,
        }.items():
            if with_token:
                checks.attempt(name, what)
            else:
                checks.skip(name, "the token could not be read", "Mend metadata-token first.")
        checks.attempt("metadata-wrong-token", trial.wrong_token)
        checks.attempt("metadata-missing-token", trial.without_token)
    finally:
        checks.attempt("metadata-removed", trial.removed)
    functions = bridge.facts["functions"]
    try_association(
        bridge, account, checks, [functions[part] for part in ("Retrieve", "Sign") if part in functions]
    )


class _Trial:
    def __init__(self, bridge: Bridge, account: Account) -> None:
        facts = bridge.facts
        self._account = account
        self._facts = facts
        self._url = str(facts["url"])
        self._header = str(facts["tokenHeader"])
        self._functions: Mapping[str, str] = facts["functions"]
        self._token = ""
        self._posted: list[str] = []
        self._expires = ""

    def reads_the_token(self) -> str:
        arn = self._facts["secrets"]["token"]["arn"]
        with asking(f"read the secret {arn}", "secretsmanager:GetSecretValue, and kms:Decrypt on its key"):
            answer = self._account.client("secretsmanager").get_secret_value(SecretId=arn)
        self._token = answer.get("SecretString", "").strip()
        if not self._token:
            raise FailedError(
                f"the secret {arn} holds no text.", "Store a token: aws secretsmanager put-secret-value."
            )
        return "the secret holds a token (not shown)"

    def round_trip(self) -> str:
        contact = self._contact()
        text = json.dumps(
            {
                MARK: contact,
                "text": "refund (“schnell!”)",
                "caseNumber": 90071992547409931,
                "confidence": 0.9731,
            },
            ensure_ascii=False,
        )
        answer = self._post(contact, text, token=self._token)
        if answer.status != 200:
            raise self._unexpected(answer, 200, contact, text)
        self._expires = str(_document(answer).get("expiresAt", ""))
        got = self._retrieve(contact)
        if got != {"found": "true", "body": text}:
            raise FailedError(
                f"what was posted for the contact {contact} did not come back: {self._functions['Retrieve']} says "
                f"found={got.get('found')!r}, with {len(got.get('body', ''))} characters instead of {len(text)}.",
                "Check that both functions use the same table (their variable TABLE_NAME); deploy the stack again with "
                "`cdk deploy --revert-drift`.",
            )
        return "posted for a made-up contact, and read back through Retrieve, the same to the letter"

    def wrong_token(self) -> str:
        return self._refused(403, token="not-the-token-" + uuid.uuid4().hex)

    def without_token(self) -> str:
        return self._refused(401, token=None)

    def without_contact_id(self) -> str:
        answer = self._post(None, json.dumps({MARK: "no contact"}), token=self._token)
        if answer.status != 400:
            raise self._unexpected(answer, 400)
        return "refused with status 400"

    def oversized(self) -> str:
        contact = self._contact()
        text = json.dumps({MARK: contact, "filler": "x" * _TOO_MUCH})
        answer = self._post(contact, text, token=self._token)
        if answer.status not in {413, 403}:  # 403: a web ACL before the API may have a lower limit
            raise self._unexpected(answer, 413, contact, text)
        return f"{len(text)} bytes refused with status {answer.status}"

    def removed(self) -> str:
        if not self._posted:
            raise SkippedError("nothing was posted")
        table = self._facts["table"]
        try:
            for contact in self._posted:
                self._account.delete_item(table["name"], {table["partitionKey"]: {"S": contact}})
        except FailedError as failure:
            until = f"at {self._expires}" if self._expires else "by its time to live"
            raise SkippedError(
                f"{failure.why} What was stored expires by itself {until}, and belongs to no contact.",
                failure.todo,
            ) from failure
        left = [contact for contact in self._posted if self._retrieve(contact) != {"found": "false"}]
        if left:
            raise FailedError(
                f"the table {table['name']} still holds test data of {', '.join(left)}.",
                "Delete these items by hand.",
            )
        return "deleted from the table with DeleteItem; Retrieve finds nothing any more"

    def _refused(self, expected: int, *, token: str | None) -> str:
        contact = self._contact()
        answer = self._post(contact, json.dumps({MARK: contact}), token=token)
        if answer.status != expected:
            raise self._unexpected(answer, expected)
        if self._retrieve(contact) != {"found": "false"}:
            raise FailedError(
                f"the API answered {answer.status}, yet the metadata was stored.",
                "Take the API out of service, and report this: nothing may be stored without the token.",
            )
        return f"refused with status {answer.status}, and nothing was stored"

    def _contact(self) -> str:
        contact = str(uuid.uuid4())
        self._posted.append(contact)
        return contact

    def _post(self, contact: str | None, text: str, *, token: str | None) -> Answer:
        query = f"?{urlencode({'contactId': contact})}" if contact else ""
        headers = {"Content-Type": "application/json"} | ({self._header: token} if token is not None else {})
        if contact and token and self._facts.get("contactTokenHeader"):
            headers[str(self._facts["contactTokenHeader"])] = self._signed(contact)
        return post(self._url + query, headers=headers, body=text.encode())

    def _signed(self, contact: str) -> str:
        event = flow_event(self._facts["instanceArn"], contact, channel="VOICE")
        answer: Mapping[str, str] = self._account.answered(self._functions["Sign"], event).answer
        return answer["contactToken"]

    def _retrieve(self, contact: str) -> Mapping[str, str]:
        event = flow_event(self._facts["instanceArn"], contact, channel="VOICE")
        answer: Mapping[str, str] = self._account.answered(self._functions["Retrieve"], event).answer
        return answer

    def _unexpected(self, answer: Answer, expected: int, contact: str = "", text: str = "") -> FailedError:
        error = _document(answer).get("error") or {}
        code = f" {error['code']}" if isinstance(error, Mapping) and error.get("code") else ""
        why = f"the API answered {answer.status}{code} instead of {expected}"
        if answer.status >= 500:
            return self._explained(why, contact, text)
        if expected == 200 and answer.status in {401, 403}:
            return FailedError(
                f"{why}: it does not take the token that the secret holds.",
                "If the token was rotated in the last minutes, wait for the authorizer's cache time; otherwise read "
                f"the log of {self._functions['Authorize']}, and check that no firewall and no policy refuses you.",
            )
        return FailedError(f"{why}.", f"Read the logs of {self._functions['Store']} and of the API's stage.")

    def _explained(self, why: str, contact: str, text: str) -> FailedError:
        """Have the functions behind the API say themselves what keeps them: the API must not tell its clients."""
        for part, event in (
            ("Authorize", self._authorizer_event()),
            ("Store", _proxy_event(contact or self._contact(), text or json.dumps({MARK: "no contact"}))),
        ):
            invocation = self._account.invoke(self._functions[part], event)
            refused = (
                isinstance(invocation.answer, Mapping) and invocation.answer.get("statusCode", 200) >= 500
            )
            if invocation.failed or refused:
                return FailedError(f"{why}: {invocation.cause()}.", invocation.todo())
        return FailedError(
            f"{why}, although its functions answer when they are invoked by themselves.",
            "Check that API Gateway may invoke them (their resource policies), and read the log of the API's stage.",
        )

    def _authorizer_event(self) -> dict[str, Any]:
        facts, account = self._facts, self._account
        api = f"{facts['restApiId']}/{facts['stageName']}/POST/smoke"
        partition = partition_of(facts["instanceArn"])
        return {
            "type": "TOKEN",
            "authorizationToken": self._token or "none",
            "methodArn": f"arn:{partition}:execute-api:{account.region}:{account.account}:{api}",
        }


def _proxy_event(contact: str, text: str) -> dict[str, Any]:
    return {
        "httpMethod": "POST",
        "headers": {"Content-Type": "application/json"},
        "multiValueHeaders": {"Content-Type": ["application/json"]},
        "queryStringParameters": {"contactId": contact},
        "multiValueQueryStringParameters": {"contactId": [contact]},
        "body": text,
        "isBase64Encoded": False,
        "requestContext": {"requestId": f"smoke-{uuid.uuid4()}"},
    }


def _document(answer: Answer) -> Mapping[str, Any]:
    try:
        document = json.loads(answer.text)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
