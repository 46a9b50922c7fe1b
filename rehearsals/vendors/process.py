"""A vendor's fake in a process of its own, steered by lines of JSON over its pipes."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from types import TracebackType
from typing import IO, Self

from connect_sandbox.rehearsal.errors import RehearsalError
from connect_sandbox.rehearsal.values import Json


class VendorProcess:
    """Runs a module as a process, as a context manager; a subclass says which one, and what it is called.

    The module prints a line `{"port": …}` once it listens, before that it reads `first_line` if there is one, and it
    ends when its standard input does. Its environment is empty: the vendor is another company, and none of our
    credentials reach it.
    """

    module: str
    name: str

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._lock = threading.Lock()
        self.port = 0

    def first_line(self) -> Json:
        """Return what the process is told before it starts to listen; None: nothing."""
        return None

    def __enter__(self) -> Self:
        """Start the process; return once its port is open."""
        self._process = subprocess.Popen(  # noqa: S603  (this interpreter, a module of ours)
            [sys.executable, "-P", "-m", self.module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={},
        )
        stdin, stdout = self._pipes()
        told_first = self.first_line()
        if told_first is not None:
            stdin.write(json.dumps(told_first) + "\n")
            stdin.flush()
        told = stdout.readline()
        if not told:
            self._stop()
            raise RehearsalError(f"{self.name} did not start; what it printed stands above")
        self.port = json.loads(told)["port"]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the process."""
        self._stop()

    def command(self, name: str, content: Json) -> Json:
        """Give the process a command over its standard input; return the line that it answers with."""
        with self._lock:
            stdin, stdout = self._pipes()
            stdin.write(json.dumps({name: content}) + "\n")
            stdin.flush()
            told = stdout.readline()
        if not told:
            raise RehearsalError(f"{self.name} broke down over {name}; what it printed stands above")
        return json.loads(told)

    def _stop(self) -> None:
        if self._process is None:
            return
        stdin, stdout = self._pipes()
        stdin.close()
        try:
            self._process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        stdout.close()
        self._process = None

    def _pipes(self) -> tuple[IO[str], IO[str]]:
        if self._process is None or self._process.stdin is None or self._process.stdout is None:
            raise RehearsalError(f"{self.name} is not running")
        return self._process.stdin, self._process.stdout
