"""Plays the random tests with new examples, round after round: `make fuzz MINUTES=5 TESTS=tests/flows`.

Each round has a seed of its own. The first round in which a test fails is the last: its output is shown, each failure
is played once more alone, and the command that replays it is printed. Exit status: 0 nothing found, 1 something found,
2 the tests could not be run.
"""

from __future__ import annotations

import argparse
import json
import secrets
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PASSED, FAILED, NONE_COLLECTED = 0, 1, 5  # pytest's exit statuses


def main(arguments: list[str] | None = None) -> int:
    """Run rounds until one fails or the time is over; the first is always finished."""
    parser = argparse.ArgumentParser(prog="make fuzz", description=(__doc__ or "").split("\n")[0])
    parser.add_argument(
        "--minutes", type=float, default=5.0, help="start no further round after these (default 5)"
    )
    parser.add_argument(
        "--seed", type=int, help="the first round's seed (default: a random one); each adds 1"
    )
    parser.add_argument(
        "tests", nargs="*", default=["tests"], help="files, folders or ids, as pytest takes them"
    )
    asked = parser.parse_args(arguments)
    seed: int = secrets.randbits(32) if asked.seed is None else asked.seed
    end = time.monotonic() + asked.minutes * 60
    rounds = 0
    while rounds == 0 or time.monotonic() < end:
        begin = time.monotonic()
        with tempfile.TemporaryDirectory() as scratch:
            ended = _play(asked.tests, seed, Path(scratch), "-m", "hypothesis")
            failing = _failing(Path(scratch))
        if ended.returncode == NONE_COLLECTED:
            print(f"There is no random test in {' '.join(asked.tests)}.", file=sys.stderr)
            return 2
        if ended.returncode not in {PASSED, FAILED}:
            print(ended.stdout, f"pytest ended with status {ended.returncode}.", file=sys.stderr)
            return 2
        rounds += 1
        if ended.returncode == FAILED:
            print(ended.stdout)
            print(f"Found in round {rounds}, with the seed {seed}. Replay it with")
            for test in failing:
                print(f"  {shlex.join(_command([test], seed))}")
                print(f"  ({_replayed(test, seed)})")
            print("or with the @reproduce_failure line above; once mended, keep the example as an @example.")
            return 1
        closing = ended.stdout.rstrip().rpartition("\n")[2].strip("= ")
        print(f"seed {seed}: {closing} ({time.monotonic() - begin:.0f} s)", flush=True)
        seed += 1
    print(f"Nothing found in {rounds} rounds.")
    return 0


def _command(tests: list[str], seed: int) -> list[str]:
    python = Path(sys.executable)
    name = str(python.relative_to(ROOT)) if python.is_relative_to(ROOT) else str(python)
    options = ["-p", "tests.support.draws", "--hypothesis-profile=fuzz", f"--hypothesis-seed={seed}"]
    return [name, "-m", "pytest", *options, *tests]


def _play(tests: list[str], seed: int, scratch: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            *_command(tests, seed),
            "--rootdir=.",
            "--config-file=pyproject.toml",
            f"--override-ini=cache_dir={scratch}",
            "--quiet",
            *options,
        ],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def _failing(scratch: Path) -> list[str]:
    kept = scratch / "v" / "cache" / "lastfailed"
    return sorted(json.loads(kept.read_text())) if kept.exists() else []


def _replayed(test: str, seed: int) -> str:
    with tempfile.TemporaryDirectory() as scratch:
        again = _play([test], seed, Path(scratch)).returncode
    if again == FAILED:
        return "tried: it fails again"
    return (
        f"tried: alone it does not fail again, pytest's status is {again}; it depends on the tests before it"
    )


if __name__ == "__main__":
    sys.exit(main())
