"""moto without a server between: what would be a request is handed to its application."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from connect_sandbox.moto_internals import MotoApplication, backend
from moto.dynamodb.models.utilities import dynamo_json_dump

from tests.faults.proxy import Answer, Asked, Backend

REGION: Final = "us-east-1"


def in_account(account: str) -> Backend:
    """Return a backend that is moto, in an account."""

    def answer(asked: Asked) -> Answer:
        headers = {**asked.headers, "x-moto-account-id": account, "content-length": str(len(asked.body))}
        status, answered, body = _moto().answer(asked.method, asked.path, headers.items(), asked.body)
        return status, dict(answered), body

    return answer


def call(account: str, target: str, **document: object) -> dict[str, Any]:
    """Call an operation, which X-Amz-Target names; return its answer."""
    service = "dynamodb" if target.startswith("DynamoDB") else target.split(".", maxsplit=1)[0]
    headers = {
        "authorization": f"AWS4-HMAC-SHA256 Credential=testing/20260802/{REGION}/{service}/aws4_request",
        "content-type": "application/x-amz-json-1.0",
        "x-amz-target": target,
    }
    status, _, body = in_account(account)(Asked("POST", "/", headers, json.dumps(document).encode()))
    if status != 200:
        raise AssertionError(f"moto refuses {target}: {body!r}")
    answer: dict[str, Any] = json.loads(body)
    return answer


def put_item(account: str, table: str, item: Mapping[str, Any]) -> None:
    """Put an item into a table."""
    backend("dynamodb", account, REGION).put_item(table, dict(item))


def items(account: str, table: str) -> list[dict[str, Any]]:
    """Return a table's items."""
    found = backend("dynamodb", account, REGION).get_table(table).all_items()
    return [json.loads(dynamo_json_dump(item.to_json()["Attributes"])) for item in found]


@cache
def _moto() -> MotoApplication:
    return MotoApplication()
