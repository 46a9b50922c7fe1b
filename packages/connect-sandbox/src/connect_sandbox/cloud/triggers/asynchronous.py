"""Asynchronous invocations: Lambda takes the event, tries again when the function fails, and then tells a destination.

Sources: AWS Lambda developer guide, "Invoking a Lambda function asynchronously", "How Lambda handles errors and retries
with asynchronous invocation" (two more attempts, after one and two minutes), "Capturing records of Lambda asynchronous
invocations". The pauses between attempts take no time here.
"""

from __future__ import annotations

import datetime as dt
import json
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from connect_sandbox.cloud.errors import AwsError, SandboxError
from connect_sandbox.cloud.principals import Principal, RolePrincipal
from connect_sandbox.cloud.told import name_of
from connect_sandbox.runs import Cause, because, cause

if TYPE_CHECKING:
    from connect_sandbox.cloud.authorization import Authorization
    from connect_sandbox.cloud.functions import Functions, Invocation
    from connect_sandbox.cloud.lambda_state import LambdaFunction, LambdaState
    from connect_sandbox.cloud.triggers.targets import Targets

MAX_RETRIES = 2
_WORKERS = 8


@dataclass(frozen=True)
class InvokeConfig:
    """A function's settings for asynchronous invocations: retries, and where records of them go."""

    retries: int = MAX_RETRIES
    on_success: str = ""
    on_failure: str = ""


@dataclass
class AsyncInvocation:
    """One event that Lambda has accepted. `done` when it has been handled for good."""

    request_id: str
    function_arn: str
    event: str
    attempts: int = 0
    done: bool = False
    #: The last answer, or why there is none.
    last: Invocation | None = None
    failed: str = ""
    #: Who sent it, and because of what.
    by: str | None = None
    because_of: Cause = field(default_factory=lambda: cause().later())


class AsyncInvocations:
    """Invokes functions in the background. `history` is every event that was accepted."""

    def __init__(
        self, state: LambdaState, functions: Functions, authorization: Authorization, targets: Targets
    ) -> None:
        """Functions become a kind of target."""
        self.history: list[AsyncInvocation] = []
        self.configs: dict[str, InvokeConfig] = {}
        self._state = state
        self._functions = functions
        self._authorization = authorization
        self._targets = targets
        self._changed = threading.Condition()
        self._pending = 0
        self._workers = ThreadPoolExecutor(max_workers=_WORKERS, thread_name_prefix="async-invocation")
        targets.add("lambda", self.submit)

    def submit(self, invoked_by: Principal | None, function_arn: str, event: str) -> str:
        """Take an event for a function and return the request's id.

        Raises AwsError as Invoke does. `invoked_by` None: the permission was checked already.
        """
        function = self._state.get(function_arn)
        if invoked_by is not None:
            self._authorization.require(
                invoked_by, "lambda:InvokeFunction", function.arn, resource_policy=function.policy
            )
        one = AsyncInvocation(str(uuid.uuid4()), function.arn, event, by=name_of(invoked_by))
        with self._changed:
            self.history.append(one)
            self._pending += 1
        self._workers.submit(self._work, one, function)
        return one.request_id

    def wait(self, timeout: float = 30.0) -> bool:
        """Wait until every event has been handled; return whether that is so."""
        with self._changed:
            return self._changed.wait_for(lambda: self._pending == 0, timeout)

    def close(self) -> None:
        """Handle no further event."""
        self._workers.shutdown(wait=False, cancel_futures=True)

    def _work(self, one: AsyncInvocation, function: LambdaFunction) -> None:
        config = self.configs.get(function.arn, InvokeConfig())
        try:
            with because(one.because_of):
                for _ in range(config.retries + 1):
                    self._attempt(one, function)
                    if not one.failed:
                        break
                self._report(one, function, config)
        finally:
            with self._changed:
                one.done = True
                self._pending -= 1
                self._changed.notify_all()

    def _attempt(self, one: AsyncInvocation, function: LambdaFunction) -> None:
        one.attempts += 1
        try:
            one.last = self._functions.invoke_authorised(function, one.event.encode(), by=one.by)
            one.failed = one.last.payload.decode() if one.last.function_error else ""
        except (AwsError, SandboxError) as error:
            one.last, one.failed = None, str(error)

    def _report(self, one: AsyncInvocation, function: LambdaFunction, config: InvokeConfig) -> None:
        role = RolePrincipal(function.role, function.name)
        destination = config.on_failure if one.failed else config.on_success
        if destination:
            self._targets.send(role, destination, json.dumps(_record(one)))
        if one.failed and function.dead_letter_arn:
            self._targets.send(role, function.dead_letter_arn, one.event)


def _record(one: AsyncInvocation) -> dict[str, Any]:
    """Return the record of an invocation that a destination gets."""
    payload = None if one.last is None else one.last.json()
    error = one.last.function_error if one.last is not None else None
    return {
        "version": "1.0",
        "timestamp": dt.datetime.fromtimestamp(time.time(), dt.UTC).isoformat(timespec="milliseconds"),
        "requestContext": {
            "requestId": one.request_id,
            "functionArn": one.function_arn + ("" if one.function_arn.count(":") > 6 else ":$LATEST"),
            "condition": "RetriesExhausted" if one.failed else "Success",
            "approximateInvokeCount": one.attempts,
        },
        "requestPayload": json.loads(one.event),
        "responseContext": {
            "statusCode": 200,
            "executedVersion": "$LATEST",
            **({"functionError": error} if error else {}),
        },
        "responsePayload": payload,
    }
