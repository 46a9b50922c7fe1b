"""Where a background sandbox is remembered: `.connect-sandbox/` in the folder of the app."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

FOLDER = ".connect-sandbox"
KEPT_RUNS = 20
"""How many run files a folder holds."""


@dataclass(frozen=True, kw_only=True)
class Running:
    """A sandbox that runs in the background. `control_url` answers whoever has the `token`."""

    pid: int
    account: str
    region: str
    endpoint_url: str
    control_url: str
    token: str

    @property
    def page_url(self) -> str:
        """The address of the page; whoever has it may do everything in the sandbox."""
        return f"{self.control_url}/page#token={self.token}"


class Place:
    """The folder of one sandbox: its state file, its log, its runs and what it deploys from."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state = folder / "state.json"
        self.log = folder / "server.log"
        self.files = folder / "files"

    @classmethod
    def of(cls, app: Path) -> Place:
        """Return the place of an app's folder: that of the folder or of the nearest one above that has a place."""
        start = app.resolve()
        for folder in (start, *start.parents):
            if (folder / FOLDER).is_dir():
                return cls(folder / FOLDER)
        return cls(start / FOLDER)

    def make(self) -> None:
        """Make the folder, which no other user can read and git ignores."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (self.folder / ".gitignore").write_text("*\n")

    def new_run(self) -> Path:
        """Return where the run that begins now is written down; of the former ones the newest are kept."""
        runs = self.folder / "runs"
        runs.mkdir(exist_ok=True)
        for old in sorted(runs.glob("*.jsonl"))[: -(KEPT_RUNS - 1)]:
            old.unlink(missing_ok=True)
        return runs / f"{datetime.now(UTC):%Y%m%d-%H%M%S}.jsonl"

    def remember(self, running: Running) -> None:
        """Write the state file, at once and for this user alone."""
        new = self.state.with_suffix(".new")
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(asdict(running), file)
        new.replace(self.state)

    def remembered(self) -> Running | None:
        """Return what the state file says; None without one."""
        try:
            return Running(**json.loads(self.state.read_text()))
        except FileNotFoundError:
            return None

    def forget(self) -> None:
        """Delete the state file."""
        self.state.unlink(missing_ok=True)

    @contextmanager
    def held(self, name: str) -> Iterator[None]:
        """Hold a lock of this place, and wait for whoever holds it. It ends with the process."""
        with (self.folder / f"{name}.lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
