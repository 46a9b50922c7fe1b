"""Starts the external bot in its own process, and tells it how to behave."""

import json
import subprocess
import sys
import threading
from dataclasses import asdict, dataclass
from types import TracebackType
from typing import IO, Self

from connect_bridges.sandbox.rehearsal.bot_script import BotAccess, BotScript
from connect_bridges.sandbox.rehearsal.errors import RehearsalError
from connect_bridges.sandbox.rehearsal.values import Json

MODULE = "connect_bridges.sandbox.rehearsal.external_bot"
WEBHOOK_PATH = "/adapter/hooks/amazonconnect/st-example"


@dataclass(frozen=True)
class BotReport:
    """What the bot has seen. `refused`: messages that it did not believe, and why; `problems`: calls that failed.

    `notified` are deliveries with contact_id, id, time, content, role, type and taken (False: answered with 503).
    """

    initialized: list[Json]
    notified: list[Json]
    refused: list[str]
    problems: list[str]
    confirmed: list[str]

    def taken(self) -> list[Json]:
        """Return the messages that it took, each once, in the order of arrival."""
        seen: dict[str, Json] = {}
        for delivery in self.notified:
            if delivery["taken"]:
                seen.setdefault(delivery["id"], delivery)
        return list(seen.values())


class BotPlatform:
    """The vendor's chat platform, as a context manager; it serves `webhook_url` as long as the context lasts."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._port = 0
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        """Start the process; return once its port is open."""
        # An empty environment: the vendor is another company, and nothing of this one's credentials reaches it.
        self._process = subprocess.Popen(  # noqa: S603  (this interpreter, a module of ours)
            [sys.executable, "-P", "-m", MODULE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={},
        )
        told = _pipes(self._process)[1].readline()
        if not told:
            self._stop()
            raise RehearsalError("the external bot did not start; what it printed stands above")
        self._port = json.loads(told)["port"]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the process."""
        self._stop()

    @property
    def webhook_url(self) -> str:
        """Where its webhook is."""
        return f"http://127.0.0.1:{self._port}{WEBHOOK_PATH}"

    def is_told_access(self, access: BotAccess) -> None:
        """Give the vendor what it joins chats with."""
        self._command("access", asdict(access))

    def behaves(self, script: BotScript) -> None:
        """Let chats that begin from now on be treated so."""
        self._command("script", script.to_json())

    def goes_down(self) -> None:
        """Close the webhook's port: connections are refused."""
        self._command("down", True)

    def comes_up(self) -> None:
        """Open the port again; if it is open, it stays so."""
        self._command("down", False)

    def report(self, *contact_ids: str) -> BotReport:
        """Return what the bot has seen of these contacts, or of all."""
        return BotReport(**self._command("report", list(contact_ids)))

    def _command(self, name: str, content: Json) -> Json:
        if self._process is None:
            raise RehearsalError("the external bot is not running")
        stdin, stdout = _pipes(self._process)
        with self._lock:
            stdin.write(json.dumps({name: content}) + "\n")
            stdin.flush()
            told = stdout.readline()
        if not told:
            raise RehearsalError(f"the external bot broke down over {name}; what it printed stands above")
        return json.loads(told)

    def _stop(self) -> None:
        if self._process is None:
            return
        stdin, stdout = _pipes(self._process)
        stdin.close()
        try:
            self._process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        stdout.close()
        self._process = None


def _pipes(process: subprocess.Popen[str]) -> tuple[IO[str], IO[str]]:
    if process.stdin is None or process.stdout is None:
        raise RehearsalError("the external bot was started without pipes")
    return process.stdin, process.stdout
