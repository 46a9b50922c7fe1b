"""Runs a function in a process of its own, so that it can be killed, and that no run finds another one's caches."""

from __future__ import annotations

import contextlib
import importlib
import io
import logging
import multiprocessing
import os
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

from tests.support.lambda_context import Context

_ROOT: Final = Path(__file__).resolve().parents[2]
HANDLERS: Final = tuple(
    ".".join(file.relative_to(_ROOT).with_suffix("").parts)
    for file in sorted((_ROOT / "runtime").rglob("*.py"))
    if re.search(r"^def handler\(", file.read_text(encoding="utf-8"), re.MULTILINE)
)
"""The modules with a handler; a server has them imported once, and each run is a fork of it."""

LAMBDA: Final = {
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


@dataclass(frozen=True)
class Step:
    """An invocation of a handler. `settings`: module attributes to set before, by dotted name.

    `seconds`: its time limit, where that is another one than the play's.
    """

    module: str
    event: Mapping[str, Any]
    settings: Mapping[str, Any] = field(default_factory=dict)
    seconds: float = 0.0


@dataclass
class At:
    """A module's `time`: it was `start` (Unix time in seconds) when it was first asked."""

    start: float
    _begun: float = 0.0

    def time(self) -> float:
        """Return the Unix time in seconds."""
        self._begun = self._begun or time.monotonic()
        return self.start + time.monotonic() - self._begun

    def monotonic(self) -> float:
        """Return the real one."""
        return time.monotonic()


def longest() -> float:
    """Stands for random.random, of which the pauses between an SDK's attempts are made: none is longer."""
    return 1.0


def none_at_all() -> float:
    """Stands for random.random where the time limit of the play is made short."""
    return 0.0


def prepare() -> None:
    """Let the server import the handlers; once, before the first run."""
    _PROCESSES.set_forkserver_preload([*HANDLERS, "botocore.session", "tests.faults.warm", __name__])


def run(
    steps: Sequence[Step],
    *,
    environment: Mapping[str, str],
    seconds: float,
    limit: float,
    started: Callable[[int], None],
) -> list[Ended]:
    """Invoke handlers, one after the other, until one has not ended; return how each ended.

    seconds: their time limit, as the context tells it. limit: after which the process is killed, as Lambda does.
    started: told the process's id before the first handler runs.
    """
    ours, theirs = _PROCESSES.Pipe()
    process = _PROCESSES.Process(
        target=_run, args=(theirs, tuple(steps), dict(environment), seconds), daemon=True
    )
    process.start()
    theirs.close()
    started(process.pid or 0)
    done: list[Ended] = []
    begun = time.monotonic()
    try:
        ours.send("go")
        for _ in steps:
            if not ours.poll(limit):
                return [*done, Ended(error="timed out", seconds=limit)]
            done.append(ours.recv())
    except (EOFError, ConnectionResetError):
        done.append(Ended(error="killed", seconds=time.monotonic() - begun))
    finally:
        process.kill()
        process.join()
        ours.close()
    return done


def _run(pipe: Connection, steps: tuple[Step, ...], environment: dict[str, str], seconds: float) -> None:
    inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    os.environ.clear()
    os.environ.update(inherited | LAMBDA | environment)
    from runtime.shared.logging import LOGGER  # noqa: PLC0415 (with the environment of the function)

    registered: Any = LOGGER.registered_handler
    logging.raiseExceptions = False
    pipe.recv()
    for step in steps:
        log = io.StringIO()
        registered.setStream(log)
        for name, value in step.settings.items():
            owner, attribute = name.rsplit(".", 1)
            setattr(importlib.import_module(owner), attribute, value)
        handler = importlib.import_module(step.module).handler
        context = Context(step.seconds or seconds)
        try:
            with contextlib.redirect_stdout(log):
                answer = handler(step.event, context)
            error, message = "", ""
        except Exception as problem:  # noqa: BLE001 (what Lambda would report)
            answer, error, message = None, type(problem).__name__, str(problem)
        pipe.send(Ended(answer, error, message, time.monotonic() - context.started, log.getvalue()))
    pipe.close()
