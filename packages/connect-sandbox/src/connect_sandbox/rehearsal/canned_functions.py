"""Lambda for a rehearsal without a cloud: canned answers, failures, and handlers called in this process."""

from __future__ import annotations

import importlib
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from connect_sandbox.rehearsal.errors import (
    FunctionFailedError,
    InvocationDeniedError,
    InvocationThrottledError,
    InvocationTimedOutError,
    LambdaInvocationError,
    NotSetUpError,
    ServiceFailureError,
)
from connect_sandbox.rehearsal.ports import LambdaAnswer, LambdaInvoker
from connect_sandbox.runs import cause
from connect_sandbox.runs.events import FunctionEnded, FunctionInvoked

Handler = Callable[[dict[str, Any], Any], Any]
"""What Lambda calls: handler(event, context)."""
NETWORK_SECONDS = 0.05
"""Virtual seconds that a canned answer takes by default."""
FAILURES: dict[str, type[LambdaInvocationError]] = {
    "raises": FunctionFailedError,
    "throttled": InvocationThrottledError,
    "unavailable": ServiceFailureError,
    "denied": InvocationDeniedError,
}
"""The ways to fail, as scenarios write them; `times_out` is one more."""


@dataclass(frozen=True)
class Answers:
    """The function returns `payload` (JSON) after `seconds`; if the flow does not wait that long, it times out."""

    payload: Any
    seconds: float = NETWORK_SECONDS


@dataclass(frozen=True)
class Failure:
    """The attempt fails: `error` is a LambdaInvocationError; None means that no answer comes in time."""

    error: LambdaInvocationError | None


@dataclass(frozen=True)
class Calls:
    """A handler runs in this process, with the event that the flow sends."""

    handler: Handler


Behaviour = Answers | Failure | Calls | LambdaInvoker
"""The outcome of one attempt to invoke a function. A LambdaInvoker passes it on, e.g. to a deployed function."""


_HERE = (Answers, Failure, Calls)
"""What is answered in this process, and told to the run here."""


@dataclass(frozen=True)
class LambdaContext:
    """What a handler is told about its invocation."""

    invoked_function_arn: str
    deadline: float
    aws_request_id: str = field(default_factory=lambda: str(uuid4()))
    function_version: str = "$LATEST"
    memory_limit_in_mb: str = "128"
    now: Callable[[], float] = time.monotonic

    @property
    def function_name(self) -> str:
        """The function's name."""
        return self.invoked_function_arn.split(":function:", 1)[-1].split(":", 1)[0]

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds until the flow stops waiting."""
        return max(0, round((self.deadline - self.now()) * 1000))


class CannedFunctions:
    """A LambdaInvoker. `behaviours` are by function name or ARN: one for each attempt, the last one repeats.

    `now` times the handlers that run in this process, in seconds. Nothing can stop a handler that never returns: that
    is left to the time limit of the test.
    """

    def __init__(
        self, behaviours: Mapping[str, Sequence[Behaviour]], now: Callable[[], float] = time.monotonic
    ) -> None:
        self._now = now
        self._behaviours = behaviours
        self._attempts: dict[str, int] = {}

    def invoke(self, function_arn: str, event: Mapping[str, Any], *, time_limit: float) -> LambdaAnswer:
        """Answer as the scenario says; NotSetUpError if it does not mention the function."""
        behaviour = self._next(function_arn)
        if not isinstance(behaviour, _HERE):
            return behaviour.invoke(function_arn, event, time_limit=time_limit)
        with told(function_arn, event) as answers:
            answer = self._answer(behaviour, function_arn, event, time_limit)
            answers(answer.payload, answer.seconds)
        return answer

    def _answer(
        self,
        behaviour: Answers | Failure | Calls,
        function_arn: str,
        event: Mapping[str, Any],
        time_limit: float,
    ) -> LambdaAnswer:
        match behaviour:
            case Answers(payload, seconds):
                if seconds > time_limit:
                    raise _too_late(time_limit)
                return LambdaAnswer(payload, len(_json(payload)), seconds)
            case Failure(None):
                raise _too_late(time_limit)
            case Failure(error):
                raise type(error)(str(error), seconds=error.seconds) if error else _too_late(time_limit)
            case Calls(handler):
                return call_handler(handler, function_arn, event, time_limit, self._now)

    def invoke_without_waiting(self, function_arn: str, event: Mapping[str, Any]) -> str:
        """Do the same; the flow only learns of a refusal."""
        behaviour = self._next(function_arn)
        if not isinstance(behaviour, _HERE):
            return behaviour.invoke_without_waiting(function_arn, event)
        with told(function_arn, event):
            return self._takes(behaviour, function_arn, event)

    def _takes(
        self, behaviour: Answers | Failure | Calls, function_arn: str, event: Mapping[str, Any]
    ) -> str:
        match behaviour:
            case Failure(
                InvocationDeniedError() | InvocationThrottledError() | ServiceFailureError() as error
            ):
                raise type(error)(str(error), seconds=error.seconds)
            case Calls(handler):
                try:
                    call_handler(handler, function_arn, event, float("inf"), self._now)
                except FunctionFailedError:
                    return str(uuid4())  # Lambda has accepted the event: the flow never learns of it
            case Answers() | Failure():
                pass
        return str(uuid4())

    def _next(self, function_arn: str) -> Behaviour:
        name = function_arn.split(":function:", 1)[-1]
        for key in (function_arn, name, name.split(":", 1)[0]):
            if key in self._behaviours:
                attempt = self._attempts.get(key, 0)
                self._attempts[key] = attempt + 1
                behaviours = self._behaviours[key]
                return behaviours[min(attempt, len(behaviours) - 1)]
        set_up = ", ".join(self._behaviours) or "none"
        raise NotSetUpError(
            f"the scenario does not say what the function {name!r} answers: set it up in lambdas (set up: {set_up})",
            "lambdas",
            name,
            example={"answers": {}},
        )


@contextmanager
def told(function_arn: str, event: Mapping[str, Any]) -> Iterator[Callable[[Any, float], None]]:
    """Let the contact's run hear of a function that is not deployed. What it yields takes answer and seconds."""
    of = cause()
    if of.recorder is None:
        yield lambda _payload, _seconds: None
        return
    invocation = str(uuid4())
    block = of.block() if of.block is not None else None
    of.recorder.emit(
        FunctionInvoked(
            function=function_arn, invocation=invocation, block=block, input=event, by="connect.amazonaws.com"
        )
    )
    answered: dict[str, Any] = {}
    try:
        yield lambda payload, seconds: answered.update(answer=payload, milliseconds=round(seconds * 1000, 3))
    except LambdaInvocationError as failure:
        how = "refused" if isinstance(failure, InvocationDeniedError | InvocationThrottledError) else "error"
        answered = {how: str(failure), "milliseconds": round(failure.seconds * 1000, 3)}
        raise
    finally:
        of.recorder.emit(FunctionEnded(function=function_arn, invocation=invocation, **answered))


def call_handler(
    handler: Handler,
    function_arn: str,
    event: Mapping[str, Any],
    limit: float,
    now: Callable[[], float] = time.monotonic,
) -> LambdaAnswer:
    """Call a handler like Lambda's runtime: event and response pass through JSON, exceptions are caught."""
    started = now()
    context = LambdaContext(function_arn, started + limit, now=now)
    try:
        returned = handler(json.loads(json.dumps(dict(event))), context)
    except Exception as error:  # as Lambda's runtime does
        raise FunctionFailedError(f"{type(error).__name__}: {error}", seconds=now() - started) from error
    seconds = now() - started
    if seconds > limit:
        raise _too_late(limit)
    try:
        raw = _json(returned)
    except (TypeError, ValueError) as error:
        raise FunctionFailedError(f"Runtime.MarshalError: {error}", seconds=seconds) from error
    return LambdaAnswer(json.loads(raw), len(raw), seconds, context.aws_request_id)


def load_handler(named: str) -> Handler:
    """Return the handler that "package.module:function" names; ValueError if there is none."""
    module, _, function = named.partition(":")
    if not module or not function:
        raise ValueError("it does not have the form package.module:function")
    try:
        handler = getattr(importlib.import_module(module), function)
    except (ImportError, AttributeError) as error:
        raise ValueError(str(error)) from error
    if not callable(handler):
        raise ValueError(f"{function} of {module} is not callable")
    found: Handler = handler
    return found


def _json(payload: Any) -> bytes:  # noqa: ANN401
    return json.dumps(payload, ensure_ascii=False).encode()


def _too_late(time_limit: float) -> InvocationTimedOutError:
    return InvocationTimedOutError(f"no answer within {time_limit:g} s", seconds=time_limit)
