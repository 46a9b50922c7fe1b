"""What runs inside a function's own process: imports the handler, then answers one invocation after another.

Standard library only, and no import of the sandbox: this file is started with `python -I -S`, which leaves nothing
but the standard library on the path; the zip's folder and the runtime's own packages (boto3 and what it needs) are
added here, in the order that AWS Lambda has them. Behaviour follows the Python runtime interface client of AWS
Lambda for Python 3.12 and later: the context object, the JSON that goes out, and the form of errors.

Arguments: FD (a connected stream socket), TASK_ROOT, RUNTIME_DIR.
Frames on the socket: four bytes of length (big endian), then JSON.
    in   {"request_id", "deadline_ms", "function_arn", "payload", "trace_id", "delay_seconds", "crash"}
    out  {"ready": true, "cpu_seconds": N} | {"init_error": ERROR} once,
         then {"payload": TEXT} | {"error": ERROR} per invocation
What the handler prints goes to stdout and stderr; after each answer a line with MARKER and the request id follows.
"""

from __future__ import annotations

import decimal
import importlib
import io
import json
import logging
import math
import os
import socket
import struct
import sys
import time
import traceback
import uuid
from collections.abc import Callable
from typing import Any

MARKER = "\x00connect-bridges-invocation-end:"
_TASK_ARGUMENTS = 4


class LambdaContext:
    """The second argument of a handler."""

    def __init__(self, frame: dict[str, Any]) -> None:
        """Take the invocation's values from its frame and the function's from the environment."""
        self.aws_request_id = frame["request_id"]
        self.invoked_function_arn = frame["function_arn"]
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = os.environ["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        self.identity = None
        self.client_context = None
        self._deadline_ms = frame["deadline_ms"]

    def get_remaining_time_in_millis(self) -> int:
        """Return how long the handler may still run."""
        return max(int(self._deadline_ms - time.time() * 1000), 0)


class _CurrentRequest:
    request_id = ""


def main(descriptor: int, task_root: str, runtime_dir: str) -> None:
    """Import the handler and serve invocations until the socket is closed."""
    channel = socket.socket(fileno=descriptor)
    sys.path[:0] = [task_root, runtime_dir]
    sys.argv = [""]
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # What was printed must be there when the process is killed.
            stream.reconfigure(encoding="utf-8", line_buffering=True)
    _set_up_logging()
    handler, init_error = _load_handler(os.environ["_HANDLER"])
    if init_error is not None:
        _print_error(init_error)
        _send(channel, {"init_error": init_error})
        _end_of_output("init")
        return
    _send(channel, {"ready": True, "cpu_seconds": time.process_time()})
    while (frame := _receive(channel)) is not None:
        _CurrentRequest.request_id = frame["request_id"]
        os.environ["_X_AMZN_TRACE_ID"] = frame["trace_id"]
        answer = _invoke(handler, frame)
        if "error" in answer:
            _print_error(answer["error"])
        _end_of_output(frame["request_id"])
        _send(channel, answer)


def _load_handler(name: str) -> tuple[Callable[[Any, LambdaContext], Any], dict[str, Any] | None]:
    def no_handler(_event: Any, _context: LambdaContext) -> Any:  # noqa: ANN401  (a handler takes and gives anything)
        raise RuntimeError("no handler was loaded")

    module_name, dot, function_name = name.rpartition(".")
    if not dot:
        return no_handler, _error(
            f"Bad handler '{name}': not enough values to unpack", "Runtime.MalformedHandlerName", []
        )
    try:
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as error:
        message = f"Unable to import module '{module_name}': {error}"
        return no_handler, _error(message, "Runtime.ImportModuleError", _stack(error))
    except SyntaxError as error:
        message = f"Syntax error in module '{module_name}': {error}"
        return no_handler, _error(message, "Runtime.UserCodeSyntaxError", _stack(error))
    except Exception as error:  # noqa: BLE001  (whatever the module raises is the function's init error)
        return no_handler, _error(str(error), type(error).__name__, _stack(error))
    found = getattr(module, function_name, None)
    if found is None:
        message = f"Handler '{function_name}' missing on module '{module_name}'"
        return no_handler, _error(message, "Runtime.HandlerNotFound", [])
    return found, None


def _invoke(handler: Callable[[Any, LambdaContext], Any], frame: dict[str, Any]) -> dict[str, Any]:
    if frame["delay_seconds"]:
        time.sleep(frame["delay_seconds"])
    if frame["crash"]:
        sys.stdout.flush()
        os._exit(1)
    try:
        event = json.loads(frame["payload"])
    except ValueError as error:
        return {"error": _error(f"Unable to unmarshal input: {error}", "Runtime.UnmarshalError", [])}
    try:
        result = handler(event, LambdaContext(frame))
    except Exception as error:  # noqa: BLE001  (whatever the handler raises is the invocation's error)
        return {"error": _error(str(error), _error_type(error), _stack(error))}
    try:
        return {"payload": to_json(result)}
    except Exception as error:  # noqa: BLE001  (so does the runtime)
        return {"error": _error(f"Unable to marshal response: {error}", "Runtime.MarshalError", [])}


def to_json(value: Any) -> str:  # noqa: ANN401  (a handler may return anything)
    """Write what a handler returned as the runtime does: text unescaped, a Decimal as the number that it is."""
    decimals: dict[str, str] = {}

    def encode(other: object) -> object:
        if isinstance(other, decimal.Decimal):
            if other.is_nan():
                return math.nan
            placeholder = str(uuid.uuid4())
            decimals[placeholder] = str(other)
            return placeholder
        raise TypeError(f"Object of type {type(other).__name__} is not JSON serializable")

    text = json.dumps(value, default=encode, ensure_ascii=False)
    for placeholder, number in decimals.items():
        text = text.replace(f'"{placeholder}"', number)
    return text


def _error(message: str, kind: str, stack: list[str]) -> dict[str, Any]:
    return {
        "errorMessage": message,
        "errorType": kind,
        "requestId": _CurrentRequest.request_id,
        "stackTrace": stack,
    }


def _error_type(error: BaseException) -> str:
    return type(error).__name__


def _stack(error: BaseException) -> list[str]:
    # Without the frames of this file, as on AWS.
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename != __file__]
    return [line.replace("\n", "\n") for line in traceback.format_list(frames)]


def _print_error(error: dict[str, Any]) -> None:
    print(f"[ERROR] {error['errorType']}: {error['errorMessage']}")
    if error["stackTrace"]:
        print("Traceback (most recent call last):")
        print("".join(error["stackTrace"]), end="")


def _set_up_logging() -> None:
    """Give the root logger the handler that Lambda gives it; the level stays WARNING unless configured."""
    handler = logging.StreamHandler(sys.stdout)
    if os.environ.get("AWS_LAMBDA_LOG_FORMAT") == "JSON":
        handler.setFormatter(_JsonFormatter())
    else:
        formatter = logging.Formatter(
            "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s", "%Y-%m-%dT%H:%M:%S"
        )
        formatter.converter = time.gmtime
        handler.setFormatter(formatter)
    handler.addFilter(_add_request_id)
    root = logging.getLogger()
    root.addHandler(handler)
    level = os.environ.get("AWS_LAMBDA_LOG_LEVEL", "")
    if level:
        root.setLevel({"TRACE": "DEBUG", "FATAL": "CRITICAL", "WARN": "WARNING"}.get(level, level))


def _add_request_id(record: logging.LogRecord) -> bool:
    record.aws_request_id = _CurrentRequest.request_id
    return True


class _JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created)),
            "level": record.levelname,
            "message": record.getMessage(),
            "logger": record.name,
            "requestId": _CurrentRequest.request_id,
        }
        if record.exc_info and record.exc_info[0] is not None:
            entry["errorType"] = record.exc_info[0].__name__
            entry["errorMessage"] = str(record.exc_info[1])
        return json.dumps(entry, ensure_ascii=False)


def _end_of_output(request_id: str) -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    os.write(1, f"{MARKER}{request_id}\n".encode())


def _send(channel: socket.socket, frame: dict[str, Any]) -> None:
    data = json.dumps(frame).encode()
    channel.sendall(struct.pack(">I", len(data)) + data)


def _receive(channel: socket.socket) -> dict[str, Any] | None:
    header = _read(channel, 4)
    if header is None:
        return None
    data = _read(channel, struct.unpack(">I", header)[0])
    frame: dict[str, Any] | None = None if data is None else json.loads(data)
    return frame


def _read(channel: socket.socket, size: int) -> bytes | None:
    data = bytearray()
    while len(data) < size:
        part = channel.recv(size - len(data))
        if not part:
            return None
        data += part
    return bytes(data)


if __name__ == "__main__":
    if len(sys.argv) != _TASK_ARGUMENTS:
        sys.exit("usage: lambda_bootstrap.py FD TASK_ROOT RUNTIME_DIR")
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3])
