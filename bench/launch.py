"""Run a command to its end, with every process that it starts, and print what that took as JSON.

    python bench/launch.py COMMAND…

``seconds`` is the time on the clock until the command ends, ``cpu_seconds`` the processor time of the command and of
all that it started, such as the Node.js behind the CDK, which outlives it by a moment. A process of its own, since it
adopts and waits for whatever the command leaves behind (Linux; elsewhere such leftovers are not counted).
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import resource
import subprocess
import sys
import time

_PR_SET_CHILD_SUBREAPER = 36


def main(command: list[str]) -> int:
    """Run the command and return its exit status."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    started = time.perf_counter()
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)  # noqa: S603
    seconds = time.perf_counter() - started
    with contextlib.suppress(ChildProcessError):
        while True:
            os.wait()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    result = {
        "status": done.returncode,
        "seconds": seconds,
        "cpu_seconds": used.ru_utime + used.ru_stime,
        "output": done.stdout.decode(errors="replace"),
    }
    sys.stdout.write(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
