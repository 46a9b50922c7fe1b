"""What requests to moto's services tell to a run: items that are written, messages that are queued, secrets.

Sources of how requests look: the API references of Amazon DynamoDB, Amazon SQS, AWS Secrets Manager and AWS Systems
Manager.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl

from connect_sandbox.cloud.http import HttpRequest, HttpResponse
from connect_sandbox.cloud.told import Told
from connect_sandbox.moto_internals import backend, plain_item, table_item, table_items, table_keys
from connect_sandbox.runs.events import Item

Ask = Callable[[], HttpResponse]
"""Lets moto answer the request."""
_STATEMENTS = frozenset({"ExecuteStatement", "BatchExecuteStatement", "ExecuteTransaction"})
_WRITES = frozenset({"PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems"})
Place = tuple[str, str]
"""A table, and the key of an item as JSON."""


class ToldRequests:
    """Tells of requests by service: each of `around` takes a request, its Region and what lets moto answer it."""

    def __init__(self, account: str, told: Told) -> None:
        """account: whose resources they are."""
        self._account = account
        self._told = told
        self.around: dict[str, Callable[[HttpRequest, str, Ask], HttpResponse]] = {
            "dynamodb": self._items,
            "secretsmanager": self._secrets,
            "sqs": self._messages,
            "ssm": self._parameters,
        }

    def _items(self, request: HttpRequest, region: str, ask: Ask) -> HttpResponse:
        operation = _operation(request)
        if operation not in _WRITES and operation not in _STATEMENTS:
            return ask()
        tables = backend("dynamodb", self._account, region).tables
        wanted = list(_written(operation, _body(request.body))) if operation in _WRITES else None
        with self._told.taking:  # one at a time, so that old and new are those of this request
            before = _images(tables, wanted)
            answer = ask()
            after = before if answer.status >= 400 else _images(tables, wanted)
            for place in {**before, **after}:
                old, new = before.get(place), after.get(place)
                if old != new:
                    self._item(region, place, old, new)
        return answer

    def _item(
        self, region: str, place: Place, old: dict[str, Any] | None, new: dict[str, Any] | None
    ) -> None:
        table, key = place[0], json.loads(place[1])
        self._told.remember(item_id(f"arn:aws:dynamodb:{region}:{self._account}:table/{table}", key, new))
        self._told.run.emit(Item(table=table, key=key, old=old, new=new))

    def _messages(self, request: HttpRequest, region: str, ask: Ask) -> HttpResponse:
        if _operation(request) not in {"SendMessage", "SendMessageBatch"}:
            return ask()
        with self._told.taking:
            answer = ask()
            if answer.status < 400:
                self._sent(request, region, answer)
        return answer

    def _sent(self, request: HttpRequest, region: str, answer: HttpResponse) -> None:
        asked, said = _body(request.body), _body(answer.body)
        queue = str(asked.get("QueueUrl", "")).rpartition("/")[2]
        entries = asked.get("Entries") or [asked]
        ids = {one.get("Id"): one.get("MessageId") for one in said.get("Successful") or []}
        for entry in entries:
            taken = ids.get(entry.get("Id")) if "Entries" in asked else said.get("MessageId")
            if taken is None and "Entries" in asked:
                continue
            self._told.remember(str(taken))
            self._told.sent(
                "sqs",
                f"arn:aws:sqs:{region}:{self._account}:{queue}",
                str(entry.get("MessageBody", "")),
                entry.get("MessageAttributes"),
            )

    def _secrets(self, request: HttpRequest, _region: str, ask: Ask) -> HttpResponse:
        self._keep(_body(request.body), "SecretString")
        answer = ask()
        said = _body(answer.body)
        for one in (said, *(said.get("SecretValues") or [])):
            self._keep(one, "SecretString")
        self._keep(said, "RandomPassword")
        return answer

    def _parameters(self, request: HttpRequest, _region: str, ask: Ask) -> HttpResponse:
        asked = _body(request.body)
        if asked.get("Type") == "SecureString":
            self._keep(asked, "Value")
        answer = ask()
        said = _body(answer.body)
        for one in (said.get("Parameter"), *(said.get("Parameters") or [])):
            if isinstance(one, dict) and one.get("Type") == "SecureString":
                self._keep(one, "Value")
        return answer

    def _keep(self, told: Mapping[str, Any], name: str) -> None:
        """Keep a secret out of the run."""
        if isinstance(told.get(name), str):
            self._told.run.secrets.add(told[name])


def item_id(table_arn: str, key: Mapping[str, Any], new: Mapping[str, Any] | None) -> str:
    """Return by what a change of an item is known again where a stream has it: plain values."""
    return f"{table_arn} {_text(key)} {_text(new)}"


def change_id(record: Mapping[str, Any]) -> str:
    """Return the same of a record of a stream that has new images."""
    change = record["dynamodb"]
    new = change.get("NewImage")
    table_arn = str(record["eventSourceARN"]).partition("/stream/")[0]
    return item_id(table_arn, plain_item(change["Keys"]), None if new is None else plain_item(new))


def _written(operation: str, asked: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Return what a request writes: names of tables, and attributes among which the key is."""
    if operation == "BatchWriteItem":
        for table, writes in asked.get("RequestItems", {}).items():
            for write in writes:
                put, delete = write.get("PutRequest"), write.get("DeleteRequest")
                yield table, put["Item"] if put else (delete or {}).get("Key", {})
    elif operation == "TransactWriteItems":
        for write in asked.get("TransactItems", []):
            for kind in ("Put", "Update", "Delete"):
                if kind in write:
                    yield (
                        write[kind].get("TableName", ""),
                        write[kind].get("Item") or write[kind].get("Key", {}),
                    )
    else:
        yield asked.get("TableName", ""), asked.get("Item") or asked.get("Key", {})


def _images(
    tables: Mapping[str, Any], wanted: Sequence[tuple[str, Mapping[str, Any]]] | None
) -> dict[Place, dict[str, Any]]:
    """Return the items that there are, by place: those that are wanted, or all."""
    if wanted is None:
        return {
            (name, _key(table, item)): item for name, table in tables.items() for item in table_items(table)
        }
    found: dict[Place, dict[str, Any]] = {}
    for named, attributes in wanted:
        name = named.rpartition("/")[2]  # it may be an ARN
        table = tables.get(name)
        item = None if table is None else table_item(table, attributes)
        if item is not None:
            found[(name, _key(table, item))] = item
    return found


def _key(table: Any, item: Mapping[str, Any]) -> str:  # noqa: ANN401  (moto's table)
    return _text({name: item[name] for name in table_keys(table)})


def _text(value: object) -> str:
    return json.dumps(value, sort_keys=True)


def _operation(request: HttpRequest) -> str:
    """Return the operation, in the JSON or in the query protocol."""
    target = request.headers.get("X-Amz-Target")
    return target.rpartition(".")[2] if target else str(_body(request.body).get("Action", ""))


def _body(body: bytes) -> dict[str, Any]:
    """Return a JSON body, or the fields of a form; empty if it is neither."""
    text = body.decode("utf-8", "replace")
    try:
        found = json.loads(text)
    except ValueError:
        return dict(parse_qsl(text))
    return found if isinstance(found, dict) else {}
