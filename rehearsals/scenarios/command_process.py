"""A warm interpreter in which connect-bridges commands run one after another, each with an environment of its own.

A new one for each command reads boto3 and botocore's models again, which takes longer than what is rehearsed. Steered
by lines of JSON over the pipes (rehearsals/vendors/process.py).
"""

from __future__ import annotations

import io
import json
import os
import sys
from contextlib import redirect_stderr, redirect_stdout
from typing import Any

from connect_bridges import cli

from rehearsals.vendors.process import VendorProcess


class CommandProcess(VendorProcess):
    """Runs connect-bridges, as a context manager."""

    module = "rehearsals.scenarios.command_process"
    name = "the process of connect-bridges"

    def run(self, arguments: tuple[str, ...], environment: dict[str, str]) -> tuple[int, str, str]:
        """Run a command in exactly this environment; return exit status, standard output and standard error."""
        told = self.command("run", {"arguments": list(arguments), "environment": environment})
        return told["status"], told["output"], told["errors"]


def _run(arguments: list[str], environment: dict[str, str]) -> dict[str, Any]:
    os.environ.clear()
    os.environ.update(environment)
    output, errors = io.StringIO(), io.StringIO()
    with redirect_stdout(output), redirect_stderr(errors):
        status = cli.main(arguments)
    return {"status": status, "output": output.getvalue(), "errors": errors.getvalue()}


def main() -> None:
    """Run what the lines say until they end. There is no port: nothing listens here."""
    print(json.dumps({"port": 0}), flush=True)
    for line in sys.stdin:
        told = json.loads(line)["run"]
        print(json.dumps(_run(told["arguments"], told["environment"])), flush=True)


if __name__ == "__main__":
    main()
