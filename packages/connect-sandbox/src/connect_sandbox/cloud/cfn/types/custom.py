"""Custom::* resources: the function named by the ServiceToken is invoked, and answers over HTTP.

As on AWS: the function gets a real event with one of the sandbox's ResponseURLs and PUTs its answer there;
scalars in the properties arrive as text; a new physical id in the answer to an Update gets the old resource
deleted afterwards; rollback deletes a failed create. Unlike on AWS, a function that ends without answering
fails the resource immediately, not after ServiceTimeout (an hour by default).
"""

from __future__ import annotations

import json
import threading
import uuid
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import Any, ClassVar

from connect_sandbox.cloud.cfn.resource import Context, Created, FailedResourceError, ResourceType
from connect_sandbox.cloud.cfn.support import SUPPORTED, PropertyTable
from connect_sandbox.cloud.cfn.types import cross_region
from connect_sandbox.cloud.cfn.types.cross_region import READER, WRITER
from connect_sandbox.cloud.errors import AwsError, NotEmulatedError
from connect_sandbox.cloud.functions import Functions, Invocation
from connect_sandbox.cloud.http import HttpRequest, HttpResponse
from connect_sandbox.cloud.principals import Admin

RESPONSE_PATH = "/_sandbox/cloudformation-response/"
#: CloudFormation's default for ServiceTimeout, seconds.
DEFAULT_SERVICE_TIMEOUT = 3600
#: An answer may hold 4096 bytes (CloudFormation, "Custom resource response objects").
MAX_RESPONSE_BYTES = 4096
# How long an answer may still take to arrive once the function has ended.
_GRACE_SECONDS = 0.5
# How long a function that has answered may take to return.
_ENDING_SECONDS = 10.0


class CustomResponses:
    """The expected answers, by the token in their URL."""

    def __init__(self, endpoint_url: str) -> None:
        """`endpoint_url` is the sandbox's front."""
        self._endpoint_url = endpoint_url
        self._lock = threading.Lock()
        self._awaited: dict[str, Future[dict[str, Any]]] = {}

    def expect(self) -> tuple[str, Future[dict[str, Any]]]:
        """Return a new ResponseURL and the future of what will be PUT there."""
        token = uuid.uuid4().hex
        future: Future[dict[str, Any]] = Future()
        with self._lock:
            self._awaited[token] = future
        return f"{self._endpoint_url}{RESPONSE_PATH}{token}", future

    def handle(self, request: HttpRequest) -> HttpResponse:
        """Accept an answer; 403 for one that nobody expects, like a presigned URL of S3."""
        with self._lock:
            future = self._awaited.pop(request.path.removeprefix(RESPONSE_PATH), None)
        if future is None or request.method != "PUT":
            return HttpResponse(403, [("Content-Type", "text/plain")], b"no such response is awaited")
        try:
            answer = json.loads(request.body)
        except ValueError as error:
            answer = {"Status": "FAILED", "Reason": f"Invalid Json: {error}"}
        if len(request.body) > MAX_RESPONSE_BYTES:
            answer = {"Status": "FAILED", "Reason": f"Response object is too long: {len(request.body)} bytes"}
        future.set_result(
            answer if isinstance(answer, dict) else {"Status": "FAILED", "Reason": "Invalid response object"}
        )
        return HttpResponse(200)


class _Everything(dict[str, Any]):
    """The table of a type with the app's own properties: all are supported and passed to the function."""

    def get(self, _name: str, _default: Any = None) -> Any:  # noqa: ANN401
        return SUPPORTED


class CustomResource(ResourceType):
    """Any Custom::* type, and AWS::CloudFormation::CustomResource."""

    type_name = "Custom::*"
    properties: ClassVar[PropertyTable] = _Everything()
    required = ("ServiceToken",)
    replaced_by = frozenset({"ServiceToken"})

    def create(self, context: Context, properties: dict[str, Any]) -> Created:
        """Send Create."""
        try:
            answer = _ask(context, "Create", properties, {})
        except _FailedAnswerError as failure:
            raise FailedResourceError(
                failure, Created(failure.physical_id or context.physical_name())
            ) from failure
        return _created(context, answer, None)

    def update(
        self, context: Context, existing: Created, old: dict[str, Any], new: dict[str, Any]
    ) -> Created:
        """Send Update; a new physical id means a replacement."""
        more = {"PhysicalResourceId": existing.physical_id, "OldResourceProperties": _as_text(old)}
        return _created(context, _ask(context, "Update", new, more), existing)

    def delete(self, context: Context, existing: Created, properties: dict[str, Any]) -> None:
        """Send Delete."""
        _ask(context, "Delete", properties, {"PhysicalResourceId": existing.physical_id})

    def has_attribute(self, name: str) -> bool:  # noqa: ARG002  (only the answer knows)
        """Return True: the attributes are known only when the function has answered."""
        return True

    def attribute(self, existing: Created, name: str) -> Any:  # noqa: ANN401
        """Return an item of the answer's Data."""
        if name not in existing.attributes:
            known = ", ".join(sorted(existing.attributes)) or "nothing"
            reason = f"Vendor response doesn't contain {name} key in object (it has {known})"
            message = f"CustomResource attribute error: {reason}"
            raise AwsError("ValidationError", message)
        return existing.attributes[name]


class _FailedAnswerError(AwsError):
    def __init__(self, reason: str, physical_id: str | None) -> None:
        super().__init__(
            "CustomResourceFailed",
            f"Received response status [FAILED] from custom resource. Message returned: {reason}",
        )
        self.physical_id = physical_id


def _ask(
    context: Context, request_type: str, properties: dict[str, Any], more: dict[str, Any]
) -> dict[str, Any]:
    token = properties["ServiceToken"]
    if ":lambda:" not in str(token):
        raise NotEmulatedError(f"the ServiceToken {token}", "the sandbox invokes functions, not topics")
    url, future = context.services.custom_responses.expect()
    event = {
        "RequestType": request_type,
        "ServiceToken": token,
        "ResponseURL": url,
        "StackId": context.stack_id,
        "RequestId": str(uuid.uuid4()),
        "LogicalResourceId": context.logical_id,
        "ResourceType": context.resource_type,
        "ResourceProperties": _as_text(properties),
        **more,
    }
    functions: Functions = context.services.functions
    # CloudFormation invokes with the deployer's permissions, who is the developer here.
    limit = float(properties.get("ServiceTimeout", DEFAULT_SERVICE_TIMEOUT))
    if context.resource_type in {WRITER, READER} and not functions.node_sdk.has("@aws-sdk/client-ssm"):
        answer = cross_region.answer(event, lambda region: functions.client_as(token, "ssm", region))
    else:
        answer = _wait(functions, token, event, future, name=context.logical_id, limit=limit)
    for name in ("StackId", "RequestId", "LogicalResourceId"):
        if answer.get("Status") == "SUCCESS" and answer.get(name) != event[name]:
            raise _FailedAnswerError(
                f"Invalid response: {name} is {answer.get(name)!r}, not {event[name]!r}", None
            )
    if answer.get("Status") != "SUCCESS":
        raise _FailedAnswerError(
            str(answer.get("Reason") or "no Reason was given"), answer.get("PhysicalResourceId")
        )
    return answer


def _wait(
    functions: Functions,
    token: str,
    event: dict[str, Any],
    future: Future[dict[str, Any]],
    *,
    name: str,
    limit: float,
) -> dict[str, Any]:
    ended: Future[Invocation] = Future()

    def run() -> None:
        try:
            ended.set_result(functions.invoke(token, event, invoked_by=Admin(token.split(":")[4])))
        except Exception as error:  # noqa: BLE001  (handed to whoever waits for the answer)
            ended.set_exception(error)
            future.set_exception(error)
            return
        threading.Timer(_GRACE_SECONDS, give_up).start()

    def give_up() -> None:
        if not future.done():
            invocation = ended.result()
            why = invocation.payload.decode() if invocation.function_error else "it returned normally"
            reason = (
                f"the function ended without answering to its ResponseURL ({why}); on AWS CloudFormation would wait "
                f"{limit:g} s and then fail. Its log: {' | '.join(invocation.logs[-6:])}"
            )
            future.set_result({"Status": "FAILED", "Reason": reason})

    call = threading.Thread(target=run, name=f"custom-{name}", daemon=True)
    call.start()
    try:
        answer = future.result(limit)
    except FutureTimeoutError:
        reason = f"CloudFormation did not receive a response from your Custom Resource in {limit:g} s"
        return {"Status": "FAILED", "Reason": reason}
    # Its log and its calls belong to this resource: let the function end before the deployment continues.
    call.join(_ENDING_SECONDS)
    return answer


def _created(context: Context, answer: dict[str, Any], existing: Created | None) -> Created:
    physical_id = answer.get("PhysicalResourceId") or (existing.physical_id if existing is not None else None)
    if not physical_id:
        raise _FailedAnswerError(f"Invalid PhysicalResourceId in the answer for {context.logical_id}", None)
    return Created(str(physical_id), dict(answer.get("Data") or {}))


def _as_text(value: Any) -> Any:  # noqa: ANN401
    """Write scalars as text, as CloudFormation passes them to a custom resource."""
    if isinstance(value, dict):
        return {key: _as_text(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_as_text(item) for item in value]
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else str(value)
