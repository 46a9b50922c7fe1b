"""Writes a run while it plays: into memory for those who watch, and into a file if there is to be one."""

from __future__ import annotations

import atexit
import json
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from connect_sandbox.runs.cause import Cause, cause
from connect_sandbox.runs.events import (
    ContactBegins,
    Decision,
    Deployed,
    Event,
    FlowPlays,
    Item,
    Message,
    RunBegins,
    RunEnded,
    ScenarioBegins,
    ScenarioEnded,
)
from connect_sandbox.runs.secrets import Secrets

LONGEST_VALUE = 64 * 1024
"""Characters of JSON that a field may have before it is cut; a flow's content is never cut."""
MEMORY = 64 * 1024 * 1024
"""Characters of events that are kept in memory, and that may wait for the disk."""
_ALWAYS_KEPT = (RunBegins, FlowPlays, Deployed)
_IN_FUNCTIONS = (Decision, Message, Item)
_OF_SCENARIOS = (ScenarioBegins, ScenarioEnded)
_CONTACTS = 1000
_encode = json.JSONEncoder(ensure_ascii=False, check_circular=False, allow_nan=False, default=str).encode


class Recorder:
    """Takes events from any thread, at the cost of one line of JSON each; `path`: the file, which is begun anew.

    Memory holds the newest events, up to `memory` characters, and always what readers of the rest need: the run, its
    stacks and flows. A disk that is full or too slow never holds up or fails what plays: the file then ends at a whole
    line, `problem` says why, and `tell` is called with it once.
    """

    def __init__(
        self,
        path: Path | None = None,
        *,
        title: str = "",
        memory: int = MEMORY,
        tell: Callable[[str], None] | None = None,
    ) -> None:
        self.path = path
        self.problem: str | None = None
        self.secrets = Secrets()
        self._memory, self._tell = memory, tell
        self._changed = threading.Condition()
        self._watching = 0
        self._lines: list[str] = []
        self._first = 0  # the number of the first of them
        self._size = 0
        self._kept: dict[tuple[str, str], tuple[int, str]] = {}
        self._known_flows: dict[str, str | Mapping[str, Any]] = {}
        self._closed = False
        self._contacts: dict[str, Cause] = {}
        self._outcomes = {"passed": 0, "failed": 0}
        self._began = time.monotonic()
        self._disk = None if path is None else _Disk(path, memory, self._told)
        started = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        self.emit(
            RunBegins(started=started, title=title, program=f"connect-sandbox {version('connect-sandbox')}"),
            of=Cause(),
        )

    def emit(self, event: Event, of: Cause | None = None, *, at: float | None = None) -> None:
        """Write an event down.

        of: what it happens because of, by default `cause()` of this thread. at: the contact's seconds, by default those
        of now.
        """
        of = of or cause()
        written = self._written(event, of, at)
        with self._changed:
            if self._closed:
                return
            number = self._first + len(self._lines)
            line = (
                f'{{"event": "{event.NAME}", "n": {number}, "time": {time.monotonic() - self._began:.3f}'
                f"{', ' if len(written) > 2 else ''}{written[1:]}\n"
            )
            self._lines.append(line)
            self._size += len(line)
            if isinstance(event, ScenarioEnded):
                self._outcomes[event.outcome] += 1
            elif isinstance(event, ContactBegins):
                self._contact_begins(of)
            elif isinstance(event, _ALWAYS_KEPT):
                self._kept[_needed(event)] = (number, line)
            if self._size > self._memory:
                self._forget()
            if self._disk is not None:
                self._disk.write(line)
            if self._watching:
                self._changed.notify_all()
        if self._disk is not None and self._disk.problem is not None and self.problem is None:
            self._told(self._disk.problem)

    def flow_plays(
        self, flow: str, name: str, kind: str, content: str | Mapping[str, Any], of: Cause | None = None
    ) -> None:
        """Write a flow (ARN) down, unless it is known with this content: JSON, or the text of it."""
        with self._changed:
            if self._known_flows.get(flow) == content:
                return
            self._known_flows[flow] = content
            told = json.loads(content) if isinstance(content, str) else content
            self.emit(FlowPlays(flow=flow, name=name, type=kind, content=told), of=of)

    def lines(self, after: int = 0, wait_seconds: float = 0.0) -> list[str]:
        """Return the lines from number `after` on, each with its line feed; waits that long if there is none.

        Those that memory holds no more are missing: a gap in `n` says so, and the file has them.
        """
        with self._changed:
            if wait_seconds > 0:
                self._watching += 1
                try:
                    self._changed.wait_for(lambda: self._closed or self.count > after, wait_seconds)
                finally:
                    self._watching -= 1
            early = sorted(one for one in self._kept.values() if after <= one[0] < self._first)
            return [line for _, line in early] + self._lines[max(0, after - self._first) :]

    def events(self, after: int = 0, wait_seconds: float = 0.0) -> list[dict[str, Any]]:
        """Return what `lines` does as JSON objects. For the next call, `after` is the last `n` + 1."""
        return [json.loads(line) for line in self.lines(after, wait_seconds)]

    def contact(self, id_: str) -> Cause | None:
        """Return a contact as the cause of what happens; None if it is not one of the last thousand."""
        return self._contacts.get(id_)

    @property
    def count(self) -> int:
        """How many events there are; the number of the next one."""
        return self._first + len(self._lines)

    @property
    def closed(self) -> bool:
        """Whether nothing more is written."""
        return self._closed

    def close(self) -> None:
        """Tell that the run has ended, and finish the file. Events that come later are not kept."""
        with self._changed:
            if not self._closed:
                seconds = round(time.monotonic() - self._began, 3)
                self.emit(RunEnded(**self._outcomes, seconds=seconds), of=Cause())
            self._closed = True
            self._changed.notify_all()
        if self._disk is not None:
            self._disk.close()

    def flush(self) -> None:
        """Wait until the file has every event so far, or cannot have them."""
        if self._disk is not None:
            self._disk.flush()

    def _written(self, event: Event, of: Cause, at: float | None) -> str:
        told: dict[str, Any] = {}
        if of.contact is not None:
            told["contact"] = of.contact
            elapsed = (of.elapsed() if of.elapsed else 0.0) if at is None else at
            told["at"] = round(elapsed, 3)
        if of.scenario is not None:
            told["scenario"] = of.scenario
        elif isinstance(event, _OF_SCENARIOS):
            raise ValueError(f"{event.NAME} happens in no scenario: emit it with a cause that names one")
        told |= event.to_json()
        if of.invocation is not None and isinstance(event, _IN_FUNCTIONS):
            told.setdefault("invocation", of.invocation)
        try:
            written = _encode(told)
        except (ValueError, TypeError, RecursionError):
            told = {name: _writable(value) for name, value in told.items()}
            written = _encode(told)
        if self.secrets.within(written):
            told = {name: self.secrets.removed(value) for name, value in told.items()}
            written = _encode(told)
        if len(written) > LONGEST_VALUE:
            written = _encode(_cut(told))
        return written

    def _contact_begins(self, of: Cause) -> None:
        if of.contact is None:
            raise ValueError("contact happens on no contact: emit it with a cause that names one")
        self._contacts[of.contact] = of.later()
        while len(self._contacts) > _CONTACTS:
            self._contacts.pop(next(iter(self._contacts)))

    def _forget(self) -> None:
        """Let the oldest quarter go."""
        gone = 0
        while self._lines[gone : gone + 1] and self._size > self._memory * 3 // 4:
            self._size -= len(self._lines[gone])
            gone += 1
        del self._lines[:gone]
        self._first += gone

    def _told(self, problem: str) -> None:
        with self._changed:
            first, self.problem = self.problem is None, self.problem or problem
        if first and self._tell is not None:
            self._tell(problem)


def _needed(event: RunBegins | FlowPlays | Deployed) -> tuple[str, str]:
    """Return what the event tells of: memory keeps what was told last."""
    match event:
        case FlowPlays():
            return ("flow", event.flow)
        case Deployed():
            return ("stack", f"{event.account} {event.region} {event.stack}")
        case _:
            return ("run", "")


def _writable(value: object) -> object:
    try:
        _encode(value)
    except (ValueError, TypeError, RecursionError) as problem:
        try:
            return json.loads(json.dumps(value, default=str, skipkeys=True), parse_constant=str)
        except (ValueError, TypeError, RecursionError):
            return f"[cannot be written: {type(problem).__name__}: {problem}]"
    return value


def _cut(told: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    cut = False
    for name, value in told.items():
        written = "" if name == "content" or isinstance(value, int | float) else _encode(value)
        if len(written) > LONGEST_VALUE:
            cut = True
            found[name] = (value if isinstance(value, str) else written)[:LONGEST_VALUE]
        else:
            found[name] = value
    return {**found, "cut": True} if cut else found


class _Disk:
    """Writes lines to a file in a thread of its own, so that nobody waits for a disk."""

    def __init__(self, path: Path, most: int, failed: Callable[[str], None]) -> None:
        self._path, self._most, self._failed = path, most, failed
        self._work = threading.Condition()
        self._waiting: list[str] = []
        self._size = 0
        self._busy = False
        self._open = True
        self.problem: str | None = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("wb", buffering=0)
        except OSError as problem:
            raise type(problem)(
                problem.errno, f"the run cannot be written: {problem.strerror}", str(path)
            ) from None
        self._thread = threading.Thread(target=self._drain, name="run file", daemon=True)
        self._thread.start()
        atexit.register(self.close)

    def write(self, line: str) -> None:
        with self._work:
            if not self._open:
                return
            self._waiting.append(line)
            self._size += len(line)
            if self._size > self._most:
                self._end(f"the disk is too slow for {self._path}: the run is not written further")
            elif not self._busy:
                self._work.notify_all()

    def flush(self) -> None:
        with self._work:
            self._work.wait_for(lambda: not self._waiting and not self._busy)

    def close(self) -> None:
        with self._work:
            self._open = False
            self._work.notify_all()
        self._thread.join(_PATIENCE)
        atexit.unregister(self.close)

    def _end(self, problem: str) -> None:
        self._open = False
        self._waiting.clear()
        self._size = 0
        self.problem = self.problem or problem
        self._work.notify_all()

    def _drain(self) -> None:
        while True:
            with self._work:
                self._busy = False
                self._work.notify_all()
                self._work.wait_for(lambda: self._waiting or not self._open)
                if not self._waiting:
                    break
                lines, self._waiting, self._busy = self._waiting, [], True
            try:
                self._put("".join(lines).encode("utf-8", "backslashreplace"))
            except OSError as problem:
                with self._work:
                    self._end(f"{self._path} cannot be written further: {problem.strerror}")
                self._failed(str(self.problem))
            with self._work:
                self._size = sum(len(line) for line in self._waiting)
        with suppress(OSError):  # what could not be written has been told
            self._file.close()

    def _put(self, text: bytes) -> None:
        rest = memoryview(text)
        while rest:
            rest = rest[self._file.write(rest) or 0 :]


_PATIENCE = 10.0
"""Seconds for which `close` waits for the disk."""
