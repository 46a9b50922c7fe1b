"""Runs commands as fresh processes, and tells what they took."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_TIME_LIMIT_SECONDS = 300


class CommandFailedError(RuntimeError):
    """A measured command failed; the message holds what it printed last."""


@dataclass(frozen=True)
class Taken:
    """What a command took: seconds on the clock, and seconds of processor time of all its processes."""

    seconds: float
    cpu_seconds: float
    output: str


def run(command: Sequence[str], *, environment: Mapping[str, str] | None = None, cwd: Path = ROOT) -> Taken:
    """Run a command to its end in ``cwd``.

    environment: what is set beside this process's own variables. Python may keep bytecode, as it does by default.
    Raises ``CommandFailedError`` with the last lines of its output if it fails or takes more than five minutes.
    """
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    try:
        launched = subprocess.run(  # noqa: S603 (our own commands)
            [sys.executable, str(ROOT / "bench/launch.py"), *command],
            cwd=cwd,
            env={**inherited, **(environment or {})},
            capture_output=True,
            text=True,
            check=True,
            timeout=_TIME_LIMIT_SECONDS,
        )
    except subprocess.SubprocessError as error:
        raise CommandFailedError(f"{' '.join(command[:3])} … did not run: {error}") from error
    result = json.loads(launched.stdout)
    if result["status"]:
        last = "\n".join(result["output"].splitlines()[-15:])
        raise CommandFailedError(f"{' '.join(command[:3])} … ended with {result['status']}:\n{last}")
    return Taken(result["seconds"], result["cpu_seconds"], result["output"])
