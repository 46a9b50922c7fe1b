"""Runs a function in a process of its own, so that it can be killed, and that no run finds another one's caches."""

from __future__ import annotations

import importlib
import io
import logging
import multiprocessing
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any, Final

HANDLERS: Final = (
    "runtime.chat.key_age",
    "runtime.chat.start",
    "runtime.contact_center.number_flow",
    "runtime.metadata.authorize",
    "runtime.metadata.retrieve",
    "runtime.metadata.store",
    "runtime.voice.handler",
)
"""The modules with a handler; a server has them imported once, and each run is a fork of it."""

_LAMBDA: Final = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_SESSION_TOKEN": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_REGION": "us-east-1",
    "NO_PROXY": "localhost,127.0.0.1",
}
_INHERITED: Final = ("PATH", "HOME", "LANG", "TMPDIR")

_PROCESSES = multiprocessing.get_context("forkserver")


@dataclass(frozen=True)
class Ended:
    """How a run ended: with an answer, with an error (class and message), or killed. `log` is what it has logged."""

    answer: Any = None
    error: str = ""
    message: str = ""
    seconds: float = 0.0
    log: str = ""

    @property
    def killed(self) -> bool:
        """Whether its process was killed."""
        return self.error == "killed"

    @property
    def timed_out(self) -> bool:
        """Whether its time was up: Lambda has ended it."""
        return self.error == "timed out"


@dataclass
class _Context:
    """The part of Lambda's context object that the handlers touch."""

    seconds: float
    function_name: str = "function-under-test"
    memory_limit_in_mb: int = 256
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:123456789012:function:function-under-test"
    aws_request_id: str = "0d3f5a2e-6a0e-4b52-9d9c-2a3f1f0c9c11"
    started: float = field(default_factory=time.monotonic)

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self.seconds - (time.monotonic() - self.started)) * 1000))


def prepare() -> None:
    """Let the server import the handlers; once, before the first run."""
    _PROCESSES.set_forkserver_preload([*HANDLERS, "botocore.session"])


def run(
    module: str,
    event: Mapping[str, Any],
    *,
    environment: Mapping[str, str],
    seconds: float,
    started: Callable[[int], None],
    settings: Mapping[str, Any],
) -> Ended:
    """Invoke a handler; return how it ended, after `seconds` (Lambda's time limit) as killed by Lambda.

    started: told the process's id before the handler runs. settings: module attributes to set, by dotted name.
    """
    ours, theirs = _PROCESSES.Pipe()
    process = _PROCESSES.Process(
        target=_run,
        args=(theirs, module, dict(event), dict(environment), seconds, dict(settings)),
        daemon=True,
    )
    process.start()
    theirs.close()
    started(process.pid or 0)
    begun = time.monotonic()
    try:
        ours.send("go")
        ended = ours.recv() if ours.poll(seconds) else Ended(error="timed out", seconds=seconds)
    except (EOFError, ConnectionResetError):
        ended = Ended(error="killed", seconds=time.monotonic() - begun)
    finally:
        process.kill()
        process.join()
        ours.close()
    return ended


def _run(
    pipe: Connection,
    module: str,
    event: dict[str, Any],
    environment: dict[str, str],
    seconds: float,
    settings: dict[str, Any],
) -> None:
    inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    os.environ.clear()
    os.environ.update(inherited | _LAMBDA | environment)
    for name, value in settings.items():
        owner, attribute = name.rsplit(".", 1)
        setattr(importlib.import_module(owner), attribute, value)
    from runtime.shared.logging import LOGGER  # noqa: PLC0415 (with the environment of the function)

    log = io.StringIO()
    registered: Any = LOGGER.registered_handler
    registered.setStream(log)
    logging.raiseExceptions = False
    handler = importlib.import_module(module).handler
    pipe.recv()
    context = _Context(seconds)
    try:
        answer = handler(event, context)
        error, message = "", ""
    except Exception as problem:  # noqa: BLE001 (what Lambda would report)
        answer, error, message = None, type(problem).__name__, str(problem)
    pipe.send(Ended(answer, error, message, time.monotonic() - context.started, log.getvalue()))
    pipe.close()
