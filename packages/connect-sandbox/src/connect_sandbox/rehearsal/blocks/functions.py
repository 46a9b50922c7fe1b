"""InvokeLambdaFunction, with the limits and retries of Amazon Connect.

Sources: administrator guide, "Invoke AWS Lambda functions" and the flow block's page. A synchronous call waits 1 to 8
seconds; throttling and 5xx are retried up to three times within 8 seconds, an error in the code is not; functions in
a row without a prompt between them share 20 seconds; a response has at most 32 KB; STRING_MAP requires a flat object
of strings, JSON accepts any JSON. What $.External holds after a failed invocation is not documented; here it is
empty, so that no flow can rely on it (inferred from "overwritten by the next invocation").
"""

from collections.abc import Callable
from typing import Any

from connect_sandbox.rehearsal.blocks._registry import Registry
from connect_sandbox.rehearsal.contact_event import contact_flow_event
from connect_sandbox.rehearsal.errors import (
    InvocationThrottledError,
    LambdaInvocationError,
    ServiceFailureError,
)
from connect_sandbox.rehearsal.ports import LambdaAnswer
from connect_sandbox.rehearsal.stage import Stage
from connect_sandbox.rehearsal.steps import Fails, Next, Step
from connect_sandbox.rehearsal.transcript import shown

BLOCKS = Registry()

MAXIMUM_SECONDS = 8
DEFAULT_SECONDS = 3
CHAIN_SECONDS = 20
RETRIES = 3
RETRY_PAUSE = 0.2
"""Virtual seconds between attempts; Amazon Connect documents the number of retries, not the pause."""
ANSWER_LIMIT = 32 * 1024


class _RefusedAnswerError(Exception):
    """The function's response fails the block's ResponseValidation."""


@BLOCKS.plays(
    "InvokeLambdaFunction",
    "LambdaFunctionARN",
    "InvocationTimeLimitSeconds",
    "InvocationType",
    "LambdaInvocationAttributes",
    "ResponseValidation",
)
def invoke_lambda_function(stage: Stage) -> Step:
    """Invoke a function and keep its response in $.External."""
    function_arn = stage.text("LambdaFunctionARN")
    if not function_arn:
        return Fails(
            "NoMatchingError", stage.empty("LambdaFunctionARN", stage.parameter("LambdaFunctionARN"))
        )
    stage.counters.invoked += 1
    event = contact_flow_event(stage.state, stage.filled(stage.parameter("LambdaInvocationAttributes") or {}))
    name = function_name(function_arn)
    if stage.parameter("InvocationType") == "ASYNCHRONOUS":
        return _without_waiting(stage, function_arn, name, event)
    stage.state.external = {}
    try:
        answer = _with_retries(stage, name, lambda limit: _invoke(stage, function_arn, event, limit))
        _check(stage, answer)
    except (LambdaInvocationError, _RefusedAnswerError) as error:
        return Fails("NoMatchingError", f"{name}: {error}")
    if stage.counters.lambda_seconds > CHAIN_SECONDS:
        return Fails(
            "NoMatchingError",
            f"{name}: Lambda functions took {stage.counters.lambda_seconds:.1f} s in a row without a prompt; "
            f"Amazon Connect allows {CHAIN_SECONDS}",
        )
    stage.state.external = answer.payload
    return Next()


def function_name(function_arn: str) -> str:
    """Return the name in a function's ARN (with its version or alias, if it has one)."""
    return function_arn.split(":function:", 1)[-1]


def _without_waiting(stage: Stage, function_arn: str, name: str, event: dict[str, Any]) -> Step:
    try:
        request_id = stage.ports.functions.invoke_without_waiting(function_arn, event)
    except LambdaInvocationError as error:
        stage.note(
            f"{name} could not be invoked: {error}", who="lambda", kind="invokes", function=function_arn
        )
        return Fails("NoMatchingError", f"{name}: {error}")
    stage.state.invocation_id = request_id
    stage.note(f"invokes {name} and does not wait for it", kind="invokes", function=function_arn)
    return Next()


def _invoke(stage: Stage, function_arn: str, event: dict[str, Any], limit: float) -> LambdaAnswer:
    return stage.ports.functions.invoke(function_arn, event, time_limit=limit)


def _with_retries(stage: Stage, name: str, invoke: Callable[[float], LambdaAnswer]) -> LambdaAnswer:
    block_limit = stage.whole_number(
        stage.parameter("InvocationTimeLimitSeconds") or DEFAULT_SECONDS, "InvocationTimeLimitSeconds"
    )
    if not 1 <= block_limit <= MAXIMUM_SECONDS:
        raise stage.cannot(
            f"InvocationTimeLimitSeconds is {block_limit}; Amazon Connect takes 1 to {MAXIMUM_SECONDS}"
        )
    function_arn = stage.text("LambdaFunctionARN")
    spent = 0.0
    for attempt in range(1, RETRIES + 2):
        try:
            answer = invoke(min(block_limit, MAXIMUM_SECONDS - spent))
        except LambdaInvocationError as error:
            _pass(stage, error.seconds)
            spent += error.seconds + RETRY_PAUSE
            stage.note(
                f"{name} gives no answer: {error}",
                who="lambda",
                kind="invokes",
                function=function_arn,
                attempt=attempt,
                milliseconds=round(error.seconds * 1000),
                error=str(error),
            )
            again = isinstance(error, InvocationThrottledError | ServiceFailureError)
            if not again or attempt > RETRIES or spent >= MAXIMUM_SECONDS:
                raise
            _pass(stage, RETRY_PAUSE)
            continue
        _pass(stage, answer.seconds)
        stage.note(
            f"{name} answers {shown(answer.payload)} in {answer.seconds * 1000:.0f} ms",
            who="lambda",
            kind="invokes",
            function=function_arn,
            attempt=attempt,
            milliseconds=round(answer.seconds * 1000),
            answer=answer.payload,
        )
        return answer
    raise AssertionError("the last attempt either answers or raises")


def _pass(stage: Stage, seconds: float) -> None:
    stage.clock.passes(seconds)
    stage.counters.lambda_seconds += seconds


def _check(stage: Stage, answer: LambdaAnswer) -> None:
    if answer.size > ANSWER_LIMIT:
        raise _RefusedAnswerError(
            f"the answer has {answer.size:,} bytes; Amazon Connect takes {ANSWER_LIMIT:,}"
        )
    validation = stage.parameter("ResponseValidation") or {}
    response_type = validation.get("ResponseType", "STRING_MAP")
    if response_type == "JSON":
        return
    if response_type != "STRING_MAP":
        raise stage.cannot(
            f"ResponseValidation.ResponseType {response_type!r} is neither STRING_MAP nor JSON"
        )
    if not isinstance(answer.payload, dict):
        raise _RefusedAnswerError(f"STRING_MAP requires an object, the answer is {shown(answer.payload, 60)}")
    for key, value in answer.payload.items():
        if not isinstance(value, str):
            raise _RefusedAnswerError(f"STRING_MAP requires text under {key!r}, there is {shown(value, 60)}")
