"""Answers of a Lambda proxy integration behind an API Gateway REST API."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from runtime.shared.errors import ApiError


def json_answer(
    status: int, document: Mapping[str, Any], headers: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Answer with a JSON document."""
    return {
        "statusCode": status,
        "headers": {"Content-Type": "application/json", "Cache-Control": "no-store", **(headers or {})},
        "body": json.dumps(document),
        "isBase64Encoded": False,
    }


def error_answer(error: ApiError, request_id: str) -> dict[str, Any]:
    """Answer with ``{"error": {"code", "message", "requestId"}}``; the request id finds the log lines."""
    document = {"error": {"code": error.code, "message": error.message, "requestId": request_id}}
    return json_answer(error.status, document, error.headers)
