"""The command line ``connect-bridges``: hands each command to the module of connect_bridges.operations that owns it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module

USAGE = """\
usage: connect-bridges COMMAND ...

Bridges between Amazon Connect and the platforms outside it.

commands:
  new      from exports of the flow designer to a CDK app with scenarios, tests and pictures
  doctor   what an account lacks for a deployment, and what is left to do after it
  handoff  one page for each vendor, with the values of a deployment filled in
  smoke    try a deployment without a call
  caller   erase a caller from the voice biometrics

connect-bridges COMMAND --help says more. To lint, import, compare and draw flows: connect-flows. To rehearse calls
without an AWS account: connect-sandbox.
"""
_COMMANDS = ("new", "doctor", "handoff", "smoke", "caller")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return the exit status (2 for a command that does not exist)."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if not arguments or arguments[0] in {"-h", "--help"}:
        sys.stdout.write(USAGE)
        return 0 if arguments else 2
    name = arguments[0]
    if name not in _COMMANDS:
        sys.stderr.write(f"connect-bridges: there is no command {name!r}\n\n{USAGE}")
        return 2
    try:
        command = import_module(f"connect_bridges.operations.{name}")
    except ModuleNotFoundError as missing:
        if missing.name not in {"boto3", "botocore"}:
            raise
        sys.stderr.write(f"connect-bridges {name} needs boto3: pip install 'connect-bridges[cli]'\n")
        return 2
    status: int = command.main(arguments[1:])
    return status


if __name__ == "__main__":
    sys.exit(main())
