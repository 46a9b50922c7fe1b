"""One running copy of a function: a process of its own that serves invocations one after another."""

from __future__ import annotations

import contextlib
import os
import select
import selectors
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from connect_sandbox.cloud import lambda_python
from connect_sandbox.cloud.errors import SandboxError
from connect_sandbox.cloud.lambda_runtime_api import Answer, Event, RuntimeApi

# What the Lambda Python runtime provides beside the standard library: the AWS SDK, the runtime interface client, and
# what both need. Nothing else of this environment is importable.
RUNTIME_PACKAGES = (
    *("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "urllib3", "six"),
    *("awslambdaric", "simplejson", "snapshot_restore_py"),
)
# AWS gives the init phase 10 s of its own; only a longer one eats into the function's time-out.
INIT_LIMIT_SECONDS = 10.0
#: The transport of AWS's client for machines where AWS has none.
RUNTIME_CLIENT = Path(__file__).with_name("lambda_runtime_client.py")
_OUTPUT_GRACE_SECONDS = 2.0
_PIPE_BYTES = 1 << 16


@dataclass
class Outcome:
    """How one invocation inside a process ended: exactly one of payload, error, timed_out, exit_status is set.

    `exit_status` is negative if a signal ended the process; `output` holds the log's events.
    """

    payload: bytes | None = None
    error: dict[str, Any] | None = None
    timed_out: bool = False
    exit_status: int | None = None
    output: list[str] = field(default_factory=list)
    duration_ms: float = 0.0


class FunctionProcess:
    """Starts the process, serves it its invocations and kills it. Not for use by two threads at once."""

    def __init__(self, command: list[str], task_root: Path, environment: dict[str, str]) -> None:
        """Start the process; it finds its Runtime API by AWS_LAMBDA_RUNTIME_API, which is added here."""
        self._selector = selectors.DefaultSelector()
        self._api = RuntimeApi(self._selector)
        # Nothing is ever written to it: it closes when the process ends, however it ends.
        self._lifeline, theirs = os.pipe()
        self._process = subprocess.Popen(  # noqa: S603  (the deployed code is what this sandbox is here to run)
            command,
            cwd=task_root,
            env={**environment, "AWS_LAMBDA_RUNTIME_API": self._api.address},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            bufsize=0,
            pass_fds=(theirs,),
            start_new_session=True,
        )
        os.close(theirs)
        self._output = _Output(self._process, self._selector)
        self._selector.register(self._lifeline, selectors.EVENT_READ)
        self._in_use = threading.RLock()
        self._ended = self._closed = False
        self.init_ms = 0.0
        self.init_cpu_seconds = 0.0
        """What the init took of a processor, whatever else this machine is doing."""

    def initialise(self, limit_seconds: float) -> Outcome | None:
        """Wait until the handler is imported; return how it failed, or None when the process is ready."""
        started = time.monotonic()
        outcome = self._outcome(lambda: self._until_ready(started + limit_seconds))
        self.init_ms = (time.monotonic() - started) * 1000
        if outcome is None:
            self.init_cpu_seconds = _processor_seconds(self._process.pid)
        else:
            outcome.duration_ms = self.init_ms
        return outcome

    def invoke(
        self, event: Event, limit_seconds: float, *, delay_seconds: float = 0.0, crash: bool = False
    ) -> Outcome:
        """Run one invocation for at most `limit_seconds`; a process that takes longer is killed.

        `delay_seconds`: how much of the limit passes before it gets the event. `crash`: it is killed instead.
        """
        started = time.monotonic()
        deadline = started + limit_seconds

        def run() -> Answer | None:
            if early := self._until_ready(deadline):
                return early
            if delay_seconds:
                with contextlib.suppress(_LateError):
                    self._serve(min(started + delay_seconds, deadline))
            if crash:
                self._signal()
            elif time.monotonic() < deadline:
                self._api.hand_out(event)
            return self._serve(deadline)

        outcome = self._outcome(run) or Outcome()
        outcome.duration_ms = (time.monotonic() - started) * 1000
        return outcome

    @property
    def alive(self) -> bool:
        """Whether the process can serve another invocation."""
        return not self._closed and self._process.poll() is None

    def kill(self) -> None:
        """End the process and whatever it started."""
        if self._closed:
            return  # its id may be another process's by now
        self._signal()
        # Another thread may be serving it: that one sees it end.
        with self._in_use:
            if self._closed:
                return
            self._closed = True
            self._process.wait()
            self._output.drain(_OUTPUT_GRACE_SECONDS)
            self._api.close()
            self._output.close()
            self._selector.close()
            os.close(self._lifeline)

    def _outcome(self, run: Callable[[], Answer | None]) -> Outcome | None:
        """Return what became of a run: an answer, a time-out, an exit; None if there is nothing to tell."""
        with self._in_use:
            try:
                answer = run()
            except _LateError:
                self.kill()
                return Outcome(timed_out=True, output=self._output.taken())
            except _ExitedError:
                status = self._process.wait()
                self._output.drain(_OUTPUT_GRACE_SECONDS)
                return Outcome(exit_status=status, output=self._output.taken())
            if answer is None:
                return None
            # What was printed before the answer was sent is in the pipe by now.
            self._output.read()
            if answer.last:
                self.kill()
            return Outcome(payload=answer.payload, error=answer.error, output=self._output.taken())

    def _until_ready(self, deadline: float) -> Answer | None:
        """Serve until the process waits for an invocation; return its answer if it has sent one instead."""
        return self._serve(deadline, lambda: self._api.waited_for)

    def _serve(self, deadline: float, done: Callable[[], bool] = lambda: False) -> Answer | None:
        """Serve until the process answers; None when `done`. Raises _LateError, _ExitedError."""
        while not done():
            left = deadline - time.monotonic()
            if left <= 0:
                raise _LateError
            if self._closed:
                raise _ExitedError
            arrived = self._selector.select(0.0 if self._ended else left)
            if self._ended and not arrived:
                raise _ExitedError  # all that it had sent has been served
            answers = [answer for key, _ in arrived for answer in self._take(key)]
            if answers:
                return answers[0]
        return None

    def _take(self, key: selectors.SelectorKey) -> Iterable[Answer]:
        if isinstance(key.data, RuntimeApi):
            return key.data.serve(key.fileobj)
        if isinstance(key.data, _Output):
            self._output.read()
        else:
            self._selector.unregister(key.fileobj)
            self._ended = True
        return ()

    def _signal(self) -> None:
        # It may be gone already, which is what was asked for.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)


class _LateError(Exception):
    """The deadline has passed."""


class _ExitedError(Exception):
    """The process has ended."""


class _Output:
    """What a process prints: read without waiting, taken line by line."""

    def __init__(self, process: subprocess.Popen[bytes], selector: selectors.BaseSelector) -> None:
        if process.stdout is None:
            raise SandboxError("a function's process was started without a pipe for its output")
        self._pipe = process.stdout
        self._selector = selector
        self._text = bytearray()
        self._ended = False
        os.set_blocking(self._pipe.fileno(), False)
        selector.register(self._pipe, selectors.EVENT_READ, self)

    def read(self) -> None:
        """Read what is there."""
        while not self._ended:
            try:
                part = os.read(self._pipe.fileno(), _PIPE_BYTES)
            except BlockingIOError:
                return
            self._text += part
            if not part:
                self._ended = True
                self._selector.unregister(self._pipe)

    def drain(self, seconds: float) -> None:
        """Read until the pipe is closed, for so many seconds at most: what the process started may hold it open."""
        deadline = time.monotonic() + seconds
        self.read()
        while not self._ended and (left := deadline - time.monotonic()) > 0:
            select.select([self._pipe], [], [], left)
            self.read()

    def taken(self) -> list[str]:
        """Return the lines printed since the last time.

        The runtimes print what belongs together as one line, with carriage returns and no-break spaces in it where
        the lines of a stack trace end and are indented, so that it becomes one event of the log.
        """
        text, self._text = self._text.decode("utf-8", "replace"), bytearray()
        lines = text.removesuffix("\n").split("\n") if text else []
        return [line.replace("\r", "\n").replace("\u00a0", " ") if "\r" in line else line for line in lines]

    def close(self) -> None:
        """Close the pipe."""
        if not self._ended:
            self._ended = True
            self._selector.unregister(self._pipe)
        self._pipe.close()


def _processor_seconds(pid: int) -> float:
    """Return what a running process has taken of a processor so far."""
    if sys.platform == "linux":
        # The clock of a process, as clock_getcpuclockid(3) makes it of its id; Python has that for threads only.
        return time.clock_gettime((~pid << 3) | 2)
    told = subprocess.run(  # noqa: S603
        ["/bin/ps", "-o", "time=", "-p", str(pid)], stdout=subprocess.PIPE, text=True, check=False
    ).stdout
    return sum(
        float(part) * 60**power for power, part in enumerate(reversed(told.strip().split(":"))) if part
    )


def python_command(handler: str, task_root: Path, runtime_dir: Path, opt: Path | None = None) -> list[str]:
    """Return the command that runs a Python function: this interpreter, without any of its site-packages.

    `opt`: the folder of its layers.
    """
    interpreter = getattr(sys, "_base_executable", None) or sys.executable
    launcher = str(Path(lambda_python.__file__).resolve())
    return [
        *(str(interpreter), "-I", "-S", "-X", "utf8"),
        *(launcher, handler, str(task_root), str(runtime_dir), *([] if opt is None else [str(opt)])),
    ]


def build_runtime_dir(directory: Path, transport: Path | None = None) -> Path:
    """Link the packages that the Lambda Python runtime provides into `directory`, and nothing else.

    `transport`: the module `runtime_client`; by default AWS's own if it is installed, else ours.
    """
    directory.mkdir(parents=True, exist_ok=True)
    sources = {source.name: source for source in map(_source_of, RUNTIME_PACKAGES)}
    if transport is None:
        native = find_spec("runtime_client")
        transport = Path(native.origin) if native and native.origin else RUNTIME_CLIENT
    sources[f"runtime_client.{transport.name.partition('.')[2]}"] = transport
    for name, source in sources.items():
        link = directory / name
        if not link.exists():
            link.symlink_to(source)
    return directory


def node_command(handler: str, task_root: Path) -> list[str]:
    """Return the command that runs a Node.js function; NODE_PATH says what it finds besides its zip."""
    # evidence: lambda-node-runtime
    node = shutil.which("node")
    if node is None:
        raise SandboxError(
            "this function needs Node.js, and there is no `node` on the PATH; install Node 20 or newer"
        )
    return [node, str(Path(__file__).with_name("lambda_node.mjs").resolve()), handler, str(task_root)]


def _source_of(package: str) -> Path:
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise SandboxError(f"the package {package} is not installed, which Lambda provides to functions")
    source = Path(spec.origin)
    return source.parent if source.name == "__init__.py" else source
