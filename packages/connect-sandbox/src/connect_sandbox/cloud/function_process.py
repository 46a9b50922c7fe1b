"""One running copy of a function: a process of its own that serves invocations one after another."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from connect_sandbox.cloud import lambda_bootstrap
from connect_sandbox.cloud.errors import SandboxError

# What the Lambda Python runtime provides beside the standard library. Nothing else of this environment is importable.
RUNTIME_PACKAGES = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "urllib3", "six")
# AWS gives the init phase 10 s of its own; only a longer one eats into the function's time-out.
INIT_LIMIT_SECONDS = 10.0
_OUTPUT_GRACE_SECONDS = 2.0


@dataclass
class Outcome:
    """How one invocation inside a process ended: exactly one of payload, error, timed_out, exit_status is set."""

    payload: str | None = None
    error: dict[str, Any] | None = None
    timed_out: bool = False
    exit_status: int | None = None
    output: list[str] = field(default_factory=list)
    duration_ms: float = 0.0


class FunctionProcess:
    """Starts the process, feeds it and kills it. Not for use by two threads at once."""

    def __init__(self, command: list[str], task_root: Path, environment: dict[str, str]) -> None:
        """Start the process; `{fd}` in the command stands for the socket's descriptor."""
        ours, theirs = socket.socketpair()
        self._channel = ours
        # Unbuffered bytes in, lines out: the reader thread ends with the process.
        self._process = subprocess.Popen(  # noqa: S603  (the deployed code is what this sandbox is here to run)
            [part.replace("{fd}", str(theirs.fileno())) for part in command],
            cwd=task_root,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=(theirs.fileno(),),
            start_new_session=True,
        )
        theirs.close()
        self._output = _Output(self._process)
        self.init_ms = 0.0
        self.init_cpu_seconds = 0.0
        """What the init took of a processor, whatever else this machine is doing."""

    def initialise(self, limit_seconds: float) -> Outcome | None:
        """Wait until the handler is imported; return how it failed, or None when the process is ready."""
        started = time.monotonic()
        answer = self._receive(started + limit_seconds)
        self.init_ms = (time.monotonic() - started) * 1000
        if isinstance(answer, Outcome):
            return answer
        self.init_cpu_seconds = float(answer.get("cpu_seconds", 0.0))
        if "init_error" in answer:
            return Outcome(
                error=answer["init_error"], output=self._output.until("init"), duration_ms=self.init_ms
            )
        return None

    def invoke(self, frame: dict[str, Any], limit_seconds: float) -> Outcome:
        """Run one invocation for at most `limit_seconds`; a process that takes longer is killed."""
        started = time.monotonic()
        data = json.dumps(frame).encode()
        try:
            self._channel.sendall(struct.pack(">I", len(data)) + data)
            answer = self._receive(started + limit_seconds)
        except OSError:
            answer = self._ended(timed_out=False)
        if not isinstance(answer, Outcome):
            answer = Outcome(
                payload=answer.get("payload"),
                error=answer.get("error"),
                output=self._output.until(frame["request_id"]),
            )
        answer.duration_ms = (time.monotonic() - started) * 1000
        return answer

    @property
    def alive(self) -> bool:
        """Whether the process can serve another invocation."""
        return self._process.poll() is None

    def kill(self) -> None:
        """End the process and whatever it started."""
        # It may be gone already, which is what was asked for.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._channel.close()
        self._output.close()

    def _receive(self, deadline: float) -> dict[str, Any] | Outcome:
        data = bytearray()
        size: int | None = None
        while size is None or len(data) < size:
            try:
                self._channel.settimeout(max(deadline - time.monotonic(), 0.001))
                part = self._channel.recv(1 << 16)
            except TimeoutError:
                return self._ended(timed_out=True)
            except OSError:
                return self._ended(timed_out=False)
            if not part:
                return self._ended(timed_out=False)
            data += part
            if size is None and len(data) >= 4:
                size = struct.unpack(">I", data[:4])[0]
                del data[:4]
        answer: dict[str, Any] = json.loads(data)
        return answer

    def _ended(self, *, timed_out: bool) -> Outcome:
        if timed_out:
            self.kill()
            return Outcome(timed_out=True, output=self._output.until(None))
        status = self._process.wait()
        return Outcome(exit_status=status, output=self._output.until(None))


class _Output:
    """Collects the lines that a process prints, cut at the markers between invocations."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        if process.stdout is None:
            raise SandboxError("a function's process was started without a pipe for its output")
        self._pipe = process.stdout
        self._lines: list[str] = []
        self._ended = False
        self._changed = threading.Condition()
        threading.Thread(target=self._read, name="function-output", daemon=True).start()

    def until(self, request_id: str | None) -> list[str]:
        """Return the lines up to the marker of `request_id`, or up to the end of the output for None."""
        marker = None if request_id is None else lambda_bootstrap.MARKER + request_id
        with self._changed:
            self._changed.wait_for(
                lambda: self._ended or (marker is not None and marker in self._lines), _OUTPUT_GRACE_SECONDS
            )
            end = (
                self._lines.index(marker)
                if marker is not None and marker in self._lines
                else len(self._lines)
            )
            taken, self._lines = self._lines[:end], self._lines[end + 1 :]
        return [line for line in taken if not line.startswith(lambda_bootstrap.MARKER)]

    def close(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._ended, _OUTPUT_GRACE_SECONDS)

    def _read(self) -> None:
        with self._pipe:
            for raw in self._pipe:
                with self._changed:
                    # A marker may follow output that did not end its line.
                    text = raw.decode("utf-8", "replace").rstrip("\n")
                    before, found, after = text.partition(lambda_bootstrap.MARKER)
                    if before or not found:
                        self._lines.append(before)
                    if found:
                        self._lines.append(found + after)
                    self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()


def python_command(task_root: Path, runtime_dir: Path) -> list[str]:
    """Return the command that runs a Python function: this interpreter, without any of its site-packages."""
    interpreter = getattr(sys, "_base_executable", None) or sys.executable
    bootstrap = str(Path(lambda_bootstrap.__file__).resolve())
    return [str(interpreter), "-I", "-S", bootstrap, "{fd}", str(task_root), str(runtime_dir)]


def build_runtime_dir(directory: Path) -> Path:
    """Link the packages that the Lambda Python runtime provides into `directory`, and nothing else."""
    directory.mkdir(parents=True, exist_ok=True)
    for name in RUNTIME_PACKAGES:
        module = __import__(name)
        source = Path(str(module.__file__))
        target = source.parent if source.name == "__init__.py" else source
        link = directory / target.name
        if not link.exists():
            link.symlink_to(target)
    return directory


def node_command(task_root: Path) -> list[str]:
    """Return the command that runs a Node.js function, with what the zip holds and Node's own modules alone."""
    node = shutil.which("node")
    if node is None:
        raise SandboxError(
            "this function needs Node.js, and there is no `node` on the PATH; install Node 20 or newer"
        )
    bootstrap = str(Path(__file__).with_name("lambda_bootstrap.mjs").resolve())
    return [node, bootstrap, "{fd}", str(task_root)]
