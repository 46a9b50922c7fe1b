"""The contract between CloudFormation and a custom resource that answers it directly.

CloudFormation invokes the function asynchronously and waits, up to an hour, for a JSON document to be PUT
to the pre-signed ResponseURL. So whatever happens, one answer must leave this function before its time ends.
Source: CloudFormation user guide, "Custom resource request objects" and "Custom resource response objects".
"""

from __future__ import annotations

import json
import threading
import time
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from runtime.shared.deadline import Deadline
from runtime.shared.errors import BridgeError, shown
from runtime.shared.http_client import HttpError, send
from runtime.shared.logging import LOGGER

# evidence: custom-resource-answer
RESPONSE_LIMIT = 4096
"""Bytes that an answer may have."""

_ATTEMPTS = 3
_TIMEOUT_SECONDS = 4.0
_MAX_REASON = 2000


class AnswerNotDeliveredError(BridgeError):
    """CloudFormation's bucket did not take the answer; the stack operation will time out."""


@dataclass(frozen=True, slots=True)
class Request:
    """What CloudFormation asks for. `physical_id` is empty on Create, `old_properties` except on Update."""

    kind: Literal["Create", "Update", "Delete"]
    request_id: str
    stack_id: str
    logical_id: str
    response_url: str
    physical_id: str
    properties: Mapping[str, Any]
    old_properties: Mapping[str, Any]

    @classmethod
    def from_event(cls, event: Mapping[str, Any]) -> Request:
        """Read the event; KeyError if incomplete, BridgeError for what CloudFormation does not send."""
        if not isinstance(event, Mapping):
            raise BridgeError(f"the event is {type(event).__name__}; CloudFormation sends an object")
        kind = event["RequestType"]
        if kind not in ("Create", "Update", "Delete"):
            raise BridgeError(f"RequestType is {shown(kind)}; CloudFormation sends Create, Update or Delete")
        return cls(
            kind=kind,
            request_id=_text(event, "RequestId"),
            stack_id=_text(event, "StackId"),
            logical_id=_text(event, "LogicalResourceId"),
            response_url=_text(event, "ResponseURL"),
            physical_id=_text(event, "PhysicalResourceId") if "PhysicalResourceId" in event else "",
            properties=event.get("ResourceProperties") or {},
            old_properties=event.get("OldResourceProperties") or {},
        )


@dataclass(slots=True)
class Responder:
    """Answers a request once, though the watchdog and the handler may both try."""

    request: Request
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _answered: bool = False

    def succeed(self, physical_id: str, data: Mapping[str, str]) -> None:
        """Answer SUCCESS; `data` is what Fn::GetAtt finds."""
        self._answer({"Status": "SUCCESS", "PhysicalResourceId": physical_id, "Data": dict(data)})

    def fail(self, physical_id: str, reason: str) -> None:
        """Answer FAILED with a reason for the stack's events, shortened to what an answer can hold."""
        self._answer({"Status": "FAILED", "PhysicalResourceId": physical_id, "Reason": reason})

    def _answer(self, outcome: dict[str, Any]) -> None:
        with self._lock:
            if self._answered:
                LOGGER.warning("CloudFormation was answered before", outcome=outcome.get("Status"))
                return
            LOGGER.info("answering CloudFormation", outcome=outcome)
            deliver(self.request.response_url, _document(self.request, outcome))
            self._answered = True


def deliver(url: str, body: bytes) -> None:
    """PUT the answer, trying three times; raises AnswerNotDeliveredError."""
    try:
        parts = urllib.parse.urlsplit(url)
        host = parts.hostname if parts.scheme in {"https", "http"} and parts.port != 0 else None
    except ValueError:  # an address or a port that is none
        host = None
    if not host:
        raise AnswerNotDeliveredError("ResponseURL is not an http(s) URL")
    problem = ""
    for attempt in range(_ATTEMPTS):
        if attempt:
            time.sleep(0.5 * attempt)
        try:
            # No Content-Type: the URL is signed for none.
            answer = send("PUT", url, deadline=Deadline(_TIMEOUT_SECONDS), body=body, limit=None)
        except HttpError as error:
            problem = str(error)
        else:
            if 200 <= answer.status < 300:
                return
            problem = f"HTTP status {answer.status}"
        LOGGER.warning(
            "CloudFormation's answer URL did not take the answer", problem=problem, attempt=attempt + 1
        )
    # The URL is a credential of its own (pre-signed): name the host only.
    raise AnswerNotDeliveredError(f"{host} did not take the answer: {problem}")


def _text(event: Mapping[str, Any], name: str) -> str:
    value = event[name]
    if not isinstance(value, str):
        # Not the value: that of ResponseURL is a credential.
        raise BridgeError(f"{name} is {type(value).__name__}; CloudFormation sends text")
    return value


def _document(request: Request, outcome: dict[str, Any]) -> bytes:
    common = {
        "StackId": request.stack_id,
        "RequestId": request.request_id,
        "LogicalResourceId": request.logical_id,
    }
    if "Reason" in outcome:
        outcome = outcome | {"Reason": _shortened(outcome["Reason"], _MAX_REASON)}
    body = json.dumps(outcome | common).encode()
    while len(body) >= RESPONSE_LIMIT and outcome.get("Reason"):
        outcome = outcome | {"Reason": _shortened(outcome["Reason"], len(outcome["Reason"]) // 2)}
        body = json.dumps(outcome | common).encode()
    return body


def _shortened(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: max(limit - 1, 0)]}…"
