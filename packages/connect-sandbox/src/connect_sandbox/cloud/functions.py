"""Invoking deployed functions: each runs from its deployed zip, in processes of its own, with its role's credentials.

What holds as on AWS: the resource policy decides who may invoke; the role decides what the code may call; the
environment holds the deployed variables and Lambda's own and nothing of this machine's; a process serves one
invocation at a time and is kept for the next one (cold and warm starts); an invocation that exceeds the function's
time-out is killed; what the code prints goes to its log group if, and only if, the role may write there.
Not reproduced: the memory limit, the CPU share that goes with it, the read-only file system, a VPC's network.
A layer lies in a folder of its own, which Python and Node.js search as they do /opt; there is no /opt. Node.js finds
the AWS SDK that the app has installed.
"""

from __future__ import annotations

import datetime as dt
import json
import math
import os
import platform
import signal
import threading
import time
import uuid
from collections import defaultdict, deque
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from concurrent.futures import wait as wait_for
from contextvars import copy_context
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from connect_sandbox.cloud.authorization import Authorization
from connect_sandbox.cloud.environment import make_client
from connect_sandbox.cloud.errors import AwsError, SandboxError
from connect_sandbox.cloud.function_logs import FunctionLogs
from connect_sandbox.cloud.function_process import (
    INIT_LIMIT_SECONDS,
    FunctionProcess,
    Outcome,
    build_runtime_dir,
    node_command,
    python_command,
)
from connect_sandbox.cloud.lambda_runtime_api import Event
from connect_sandbox.cloud.lambda_state import LambdaFunction, LambdaState
from connect_sandbox.cloud.node_modules import NodeSdk
from connect_sandbox.cloud.principals import Credentials, Principal, Principals
from connect_sandbox.cloud.told import Told, name_of
from connect_sandbox.cloud.troubles import Kind, Troubles

#: Payload limits of a synchronous invocation, request and response (Lambda quotas).
MAX_PAYLOAD_BYTES = 6 * 1024 * 1024
#: Lambda lets an answer be a little longer than an event.
MAX_ANSWER_BYTES = MAX_PAYLOAD_BYTES + 100
_REMEMBERED = 1000


@dataclass(frozen=True)
class FunctionFault:
    """A failure on purpose, for the next `times` invocations of one function.

    throttle: 429 TooManyRequestsException before any code runs. crash: the process dies in the invocation.
    delay: the code starts `seconds` late, which counts against the function's time-out.
    """

    kind: Literal["throttle", "crash", "delay"]
    times: int = 1
    seconds: float = 0.0


_FAULTS: dict[Kind, Literal["throttle", "crash", "delay"]] = {
    "slow": "delay",
    "down": "crash",
    "throttled": "throttle",
}

_TOLD_FAULTS = {"throttle": "throttled", "crash": "down", "delay": "slow"}
"""What the run calls a fault."""


@dataclass(frozen=True)
class Invocation:
    """The outcome of one invocation, as the Invoke API and the log tell it. Durations are milliseconds."""

    payload: bytes
    #: None, or "Unhandled" when the payload is an error object {errorMessage, errorType, ...}.
    function_error: str | None
    logs: tuple[str, ...]
    duration_ms: float
    billed_duration_ms: int
    #: How long importing the handler took; None for a warm start.
    init_duration_ms: float | None
    request_id: str
    function_arn: str
    #: None when the log lines were written to the log group, else why they were not.
    logs_refused: str | None = None

    @property
    def cold_start(self) -> bool:
        """Whether a process was started for this invocation."""
        return self.init_duration_ms is not None

    def json(self) -> Any:  # noqa: ANN401  (whatever the function answered)
        """Return the payload, decoded."""
        return json.loads(self.payload)


@dataclass(frozen=True)
class Call:
    """One invocation as it was made: the event, and what came of it."""

    function_arn: str
    event: str
    invocation: Invocation


class InvocationTimeoutError(SandboxError):
    """The caller stopped waiting; the function itself runs on, as it does on AWS."""


@dataclass(frozen=True)
class _Request:
    payload: str
    client_context: str | None = None
    by: str | None = None


@dataclass
class _Copy:
    """A process of a function with the credentials and the log stream that it was started with."""

    process: FunctionProcess
    fingerprint: str
    credentials: Credentials
    log_stream: str


@dataclass
class _Pool:
    idle: list[_Copy] = field(default_factory=list)
    busy: int = 0


class Functions:
    """Runs the functions of a LambdaState."""

    def __init__(
        self,
        *,
        state: LambdaState,
        principals: Principals,
        authorization: Authorization,
        logs: FunctionLogs,
        endpoint_url: str,
        work_dir: Path,
        told: Told | None = None,
    ) -> None:
        """`endpoint_url` is the sandbox's front, which the functions' SDKs are pointed at.

        `told` hears of each call.
        """
        self.told = Told() if told is None else told
        self._state = state
        self._principals = principals
        self._authorization = authorization
        self._logs = logs
        self._endpoint_url = endpoint_url
        self._runtime_dir = build_runtime_dir(work_dir / "lambda-runtime")
        #: The AWS SDK that Node.js functions find.
        self.node_sdk = NodeSdk(work_dir / "node-runtime")
        self._lock = threading.Lock()
        self._pools: dict[str, _Pool] = defaultdict(_Pool)
        self._started: list[FunctionProcess] = []
        self._faults: dict[str, list[FunctionFault]] = defaultdict(list)
        self._callers = ThreadPoolExecutor(max_workers=32, thread_name_prefix="function-call")
        #: The last invocations, whoever made them, oldest first.
        self.calls: deque[Call] = deque(maxlen=_REMEMBERED)
        #: What is wrong with functions until it is taken back; a denied one is IAM's business.
        self.troubles = Troubles()
        #: What differs from AWS on this machine, in words.
        self.notes: list[str] = []

    def invoke(
        self,
        function_arn: str,
        payload: bytes | str | dict[str, Any] | list[Any],
        *,
        invoked_by: Principal,
        timeout: float | None = None,
    ) -> Invocation:
        """Invoke a function and wait for its answer.

        `payload` is the event: JSON text, or something to write as JSON. `timeout` is how many seconds the caller
        is willing to wait, beside the function's own limit: InvocationTimeoutError after that.
        Raises AwsError as the Invoke API does: AccessDeniedException (403), ResourceNotFoundException (404),
        TooManyRequestsException (429), RequestEntityTooLargeException (413). An error of the code is no exception:
        it is in `function_error` and `payload`.
        """
        by = name_of(invoked_by)
        try:
            function = self._state.get(function_arn)
            self._authorization.require(
                invoked_by, "lambda:InvokeFunction", function.arn, resource_policy=function.policy
            )
            request = _Request(_as_text(payload), by=by)
        except AwsError as error:
            self.refused(function_arn, payload, by, f"{error.code}: {error.message}")
            raise
        if timeout is None:
            return self._invoke(function, request)
        begun: Future[float] = Future()
        call = self._callers.submit(copy_context().run, self._invoke, function, request, begun)
        pending: list[Future[Any]] = [call, begun]
        wait_for(pending, return_when=FIRST_COMPLETED)
        # A cold start counts by its processor time: how busy this machine is says nothing about Lambda's.
        left = timeout - (begun.result() if begun.done() else 0.0)
        try:
            return call.result(max(left, 0.0))
        except FutureTimeoutError:
            raise InvocationTimeoutError(f"{function.name} did not answer within {timeout:g} s") from None

    def invoke_authorised(
        self,
        function: LambdaFunction,
        payload: bytes,
        client_context: str | None = None,
        *,
        by: str | None = None,
    ) -> Invocation:
        """Invoke for a caller whose permission was checked already (the front does, for calls over HTTP).

        `client_context`: JSON, for the handler's context. `by`: who calls, for the run.
        """
        return self._invoke(function, _Request(_as_text(payload), client_context, by))

    def refused(
        self, function_arn: str, payload: bytes | str | dict[str, Any] | list[Any], by: str | None, why: str
    ) -> None:
        """Tell the run that a function was not invoked at all."""
        text = payload.decode("utf-8", "replace") if isinstance(payload, bytes) else payload
        event = text if isinstance(text, str) else json.dumps(text)
        self.told.refused(function_arn, str(uuid.uuid4()), event, by, why)

    def client_as(self, function_arn: str, service: str, region: str) -> Any:  # noqa: ANN401  (a boto3 client)
        """Return a client that calls with the permissions of a function's role."""
        function = self._state.get(function_arn)
        credentials = self._principals.issue(function.role, function.name)
        return make_client(
            region,
            service,
            endpoint_url=self._endpoint_url,
            aws_access_key_id=credentials.access_key_id,
            aws_secret_access_key=credentials.secret_access_key,
            aws_session_token=credentials.session_token,
        )

    def inject(self, function_arn: str, fault: FunctionFault) -> None:
        """Make the next invocations of a function fail or run late."""
        if fault.times < 1 or fault.seconds < 0:
            raise ValueError(f"times must be at least 1 and seconds not negative, not {fault}")
        function = self._state.get(function_arn)
        with self._lock:
            self._faults[function.name].extend([fault] * fault.times)
        self.told.fault(function.arn, _TOLD_FAULTS[fault.kind], begins=True)

    def forget_faults(self, function_arn: str) -> None:
        """Let what is left of a function's faults not happen."""
        function = self._state.get(function_arn)
        with self._lock:
            left = self._faults.pop(function.name, None)
        if left:
            self.told.fault(function.arn, _TOLD_FAULTS[left[-1].kind], begins=False)

    def end(self, name: str) -> None:
        """End the processes of a function that was deleted; one that is at work ends when it has answered."""
        with self._lock:
            pools = [pool for key, pool in self._pools.items() if key.partition(":")[0] == name]
            idle = [copy for pool in pools for copy in pool.idle]
            for pool in pools:
                pool.idle = []
        for copy in idle:
            copy.process.kill()

    def forget(self) -> None:
        """End every process and forget calls and faults: whatever is invoked next starts anew."""
        with self._lock:
            started, self._started = self._started, []
            self._faults.clear()
            for pool in self._pools.values():
                pool.idle = []
        for process in started:
            process.kill()
        self.calls.clear()

    def close(self) -> None:
        """End every process."""
        self._callers.shutdown(wait=False, cancel_futures=True)
        with self._lock:
            started, self._started = self._started, []
        for process in started:
            process.kill()

    def _invoke(
        self, function: LambdaFunction, request: _Request, begun: Future[float] | None = None
    ) -> Invocation:
        request_id = str(uuid.uuid4())
        with self.told.call(function.arn, request_id, request.payload, request.by) as answers:
            return answers(self._invoke_as(request_id, function, request, begun))

    def _invoke_as(
        self, request_id: str, function: LambdaFunction, request: _Request, begun: Future[float] | None
    ) -> Invocation:
        fault = self._next_fault(function)
        if fault is not None and fault.kind == "throttle":
            raise _throttled("the rehearsal throttles this function")
        self._occupy(function)
        try:
            return self._run(request_id, function, request, fault, begun)
        finally:
            with self._lock:
                self._pools[function.copy_name].busy -= 1

    def _occupy(self, function: LambdaFunction) -> None:
        reserved = function.reserved_concurrency
        with self._lock:
            pool = self._pools[function.copy_name]
            if reserved is not None and self._busy(function.name) >= reserved:
                raise _throttled("ReservedFunctionConcurrentInvocationLimitExceeded")
            if reserved is None and self._unreserved_busy() >= self._state.unreserved():
                raise _throttled("ConcurrentInvocationLimitExceeded")
            pool.busy += 1

    def _unreserved_busy(self) -> int:
        """Return how many executions of functions without a reservation run."""
        with_reservation = {f.name for f in self._state.all() if f.reserved_concurrency is not None}
        return sum(
            pool.busy for name, pool in self._pools.items() if name.partition(":")[0] not in with_reservation
        )

    def _busy(self, name: str) -> int:
        """Return how many executions of a function run, all versions together."""
        return sum(pool.busy for key, pool in self._pools.items() if key.partition(":")[0] == name)

    def _run(
        self,
        request_id: str,
        function: LambdaFunction,
        request: _Request,
        fault: FunctionFault | None,
        begun: Future[float] | None,
    ) -> Invocation:
        copy, failed = self._take_copy(function)
        if begun is not None:
            begun.set_result(copy.process.init_cpu_seconds if copy.process.init_ms else 0.0)
        self.told.serves(copy.credentials.access_key_id)
        outcome = failed or self._run_in(copy, function, request, request_id, fault)
        init_ms = self._mark_used(copy)
        invocation = _describe(function, outcome, request_id, init_ms)
        refused = self._logs.deliver(function, copy.credentials, copy.log_stream, list(invocation.logs))
        self.told.done(copy.credentials.access_key_id)
        self._give_back(function, copy, reusable=failed is None and not outcome.timed_out)
        told = Invocation(**{**invocation.__dict__, "logs_refused": refused})
        self.calls.append(Call(function.arn, request.payload, told))
        return told

    def _mark_used(self, copy: _Copy) -> float | None:
        """Return the init time if this is the process's first invocation."""
        init_ms, copy.process.init_ms = copy.process.init_ms, 0.0
        return init_ms or None

    def _run_in(
        self,
        copy: _Copy,
        function: LambdaFunction,
        request: _Request,
        request_id: str,
        fault: FunctionFault | None,
    ) -> Outcome:
        event = Event(
            request_id=request_id,
            function_arn=function.arn,
            payload=request.payload.encode(),
            deadline_ms=int((time.time() + function.timeout) * 1000),
            trace_id=_trace_id(),
            client_context=request.client_context,
        )
        return copy.process.invoke(
            event,
            function.timeout,
            delay_seconds=fault.seconds if fault is not None and fault.kind == "delay" else 0.0,
            crash=fault is not None and fault.kind == "crash",
        )

    def _take_copy(self, function: LambdaFunction) -> tuple[_Copy, Outcome | None]:
        """Return an idle process of the function as it is deployed now, or a new one; and how its init failed."""
        with self._lock:
            pool = self._pools[function.copy_name]
            stale = [
                copy
                for copy in pool.idle
                if copy.fingerprint != function.fingerprint or not copy.process.alive
            ]
            pool.idle = [copy for copy in pool.idle if copy not in stale]
            found = pool.idle.pop() if pool.idle else None
        for copy in stale:
            copy.process.kill()
        return (found, None) if found is not None else self._start_copy(function)

    def _start_copy(self, function: LambdaFunction) -> tuple[_Copy, Outcome | None]:
        self._authorization.require_lambda_may_assume(function.role)
        self._note_runtime(function)
        credentials = self._principals.issue(function.role, function.name)
        self.told.serves(credentials.access_key_id)  # its code may call AWS while it is imported
        log_stream = f"{dt.datetime.now(dt.UTC):%Y/%m/%d}/[{function.version}]{uuid.uuid4().hex}"
        task_root = self._state.unpack(function)
        if function.runtime.startswith("python"):
            command = python_command(
                function.handler, task_root, self._runtime_dir, self._state.opt(function)
            )
        else:
            command = node_command(function.handler, task_root)
        process = FunctionProcess(
            command, task_root, self._environment(function, credentials, log_stream, task_root)
        )
        with self._lock:
            self._started.append(process)
        copy = _Copy(process, function.fingerprint, credentials, log_stream)
        return copy, process.initialise(max(INIT_LIMIT_SECONDS, function.timeout))

    def _environment(
        self, function: LambdaFunction, credentials: Credentials, log_stream: str, task_root: Path
    ) -> dict[str, str]:
        region = self._state.region
        logging = {
            "AWS_LAMBDA_LOG_FORMAT": function.logging.get("LogFormat", "Text"),
            "AWS_LAMBDA_LOG_LEVEL": function.logging.get("ApplicationLogLevel", ""),
        }
        return {
            **function.environment,
            **{name: value for name, value in logging.items() if value},
            **credentials.as_environment(),
            "AWS_ENDPOINT_URL": self._endpoint_url,
            # With a name, the SDK for JavaScript asks for bucket.localhost, which not every machine resolves.
            "AWS_ENDPOINT_URL_S3": self._endpoint_url.replace("//localhost:", "//127.0.0.1:"),
            "AWS_DEFAULT_REGION": region,
            "AWS_REGION": region,
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{function.runtime}",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory),
            "AWS_LAMBDA_FUNCTION_NAME": function.name,
            "AWS_LAMBDA_FUNCTION_VERSION": function.version,
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": function.log_group,
            "AWS_LAMBDA_LOG_STREAM_NAME": log_stream,
            "LAMBDA_TASK_ROOT": str(task_root),
            "LAMBDA_RUNTIME_DIR": str(self._runtime_dir),
            "LANG": "en_US.UTF-8",
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            **self._search_paths(function),
            "TZ": ":UTC",
            "_HANDLER": function.handler,
        }

    def _search_paths(self, function: LambdaFunction) -> dict[str, str]:
        """Return where Node.js and the shell find layers (Lambda developer guide, layer paths), and Node.js the SDK."""
        opt = self._state.opt(function)
        modules: list[Path] = []
        if opt is not None:
            release = function.runtime.removesuffix(".x").replace("nodejs", "node")
            modules = [opt / "nodejs" / release / "node_modules", opt / "nodejs" / "node_modules"]
        if self.node_sdk.found:
            modules.append(self.node_sdk.folder)
        paths = {"NODE_PATH": os.pathsep.join(map(str, modules))} if modules else {}
        if opt is not None:
            paths |= {"PATH": f"/usr/local/bin:/usr/bin:/bin:{opt}/bin", "LD_LIBRARY_PATH": f"{opt}/lib"}
        return paths

    def _give_back(self, function: LambdaFunction, copy: _Copy, *, reusable: bool) -> None:
        exists = any(known.name == function.name for known in self._state.all())
        if reusable and copy.process.alive and exists:
            with self._lock:
                self._pools[function.copy_name].idle.append(copy)
        else:
            copy.process.kill()

    def _next_fault(self, function: LambdaFunction) -> FunctionFault | None:
        with self._lock:
            faults = self._faults[function.name]
            fault, left = (faults.pop(0), len(faults)) if faults else (None, 0)
        if fault is not None and not left:
            self.told.fault(function.arn, _TOLD_FAULTS[fault.kind], begins=False)
        trouble = self.troubles.of(f"function:{function.name}") if fault is None else None
        kind = None if trouble is None else _FAULTS.get(trouble.kind)
        return fault if trouble is None or kind is None else FunctionFault(kind, seconds=trouble.seconds)

    def _note_runtime(self, function: LambdaFunction) -> None:
        here = "python" + ".".join(platform.python_version_tuple()[:2])
        note = f"functions for {function.runtime} run on this machine's {here}"
        if function.runtime.startswith("python") and function.runtime != here and note not in self.notes:
            self.notes.append(note)


def _as_text(payload: bytes | str | dict[str, Any] | list[Any]) -> str:
    if isinstance(payload, bytes):
        text = payload.decode("utf-8")
    else:
        text = payload if isinstance(payload, str) else json.dumps(payload)
    if len(text.encode()) > MAX_PAYLOAD_BYTES:
        message = f"Request must be smaller than {MAX_PAYLOAD_BYTES} bytes for the InvokeFunction operation"
        raise AwsError("RequestEntityTooLargeException", message, 413)
    return text or "{}"


def _describe(
    function: LambdaFunction, outcome: Outcome, request_id: str, init_ms: float | None
) -> Invocation:
    payload, error, last_lines = _answer(function, outcome, request_id)
    duration = min(outcome.duration_ms, function.timeout * 1000) if outcome.timed_out else outcome.duration_ms
    billed = math.ceil(duration + (init_ms or 0))
    report = (
        f"REPORT RequestId: {request_id}\tDuration: {duration:.2f} ms\tBilled Duration: {billed} ms\t"
        f"Memory Size: {function.memory} MB"
    )
    report += f"\tInit Duration: {init_ms:.2f} ms" if init_ms is not None else ""
    lines = [f"START RequestId: {request_id} Version: {function.version}", *outcome.output, *last_lines]
    lines += [f"END RequestId: {request_id}", report]
    return Invocation(payload, error, tuple(lines), duration, billed, init_ms, request_id, function.arn)


def _answer(
    function: LambdaFunction, outcome: Outcome, request_id: str
) -> tuple[bytes, str | None, list[str]]:
    if outcome.payload is not None and len(outcome.payload) > MAX_ANSWER_BYTES:
        message = f"Response payload size exceeded maximum allowed payload size ({MAX_ANSWER_BYTES} bytes)."
        return _error_payload(message, "Function.ResponseSizeTooLarge"), "Unhandled", []
    if outcome.payload is not None:
        return outcome.payload, None, []
    if outcome.error is not None:
        return json.dumps(outcome.error, ensure_ascii=False).encode(), "Unhandled", []
    if outcome.timed_out:
        moment = dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
        reason = f"Task timed out after {function.timeout:.2f} seconds"
        payload = _error_payload(f"RequestId: {request_id} Error: {reason}", "Sandbox.Timedout")
        return payload, "Unhandled", [f"{moment} {request_id} {reason}"]
    message = f"RequestId: {request_id} Error: {_exit_reason(outcome.exit_status or 0)}"
    return _error_payload(message, "Runtime.ExitError"), "Unhandled", [message]


def _exit_reason(status: int) -> str:
    """Return how Lambda tells an exit; a negative status is the signal that ended the process."""
    if status == 0:
        return "Runtime exited without providing a reason"
    how = (
        f"exit status {status}"
        if status > 0
        else f"signal: {(signal.strsignal(-status) or str(-status)).lower()}"
    )
    return f"Runtime exited with error: {how}"


def _error_payload(message: str, kind: str) -> bytes:
    return json.dumps({"errorMessage": message, "errorType": kind}).encode()


def _trace_id() -> str:
    root, parent = uuid.uuid4().hex[:24], uuid.uuid4().hex[:16]
    return f"Root=1-{int(time.time()):08x}-{root};Parent={parent};Sampled=0"


def _throttled(reason: str) -> AwsError:
    return AwsError("TooManyRequestsException", "Rate Exceeded.", 429, Reason=reason, Type="User")
