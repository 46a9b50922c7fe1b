"""The command line ``connect-sandbox``: hands each command to the package that owns it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module

USAGE = """\
usage: connect-sandbox COMMAND ...

Rehearse Amazon Connect apps without an AWS account.

commands:
  rehearse   play the scenarios of files through a flow, and check what callers hear
  scenarios  write scenarios that take every branch of a flow

connect-sandbox COMMAND --help explains a command.
"""

COMMANDS = {
    "rehearse": "connect_sandbox.rehearsal.cli",
    "scenarios": "connect_sandbox.rehearsal.skeleton.cli",
}
"""The modules whose `main` runs the commands."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return the exit status (2 for a command that does not exist)."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if not arguments or arguments[0] in {"-h", "--help"}:
        sys.stdout.write(USAGE)
        return 0 if arguments else 2
    module = COMMANDS.get(arguments[0])
    if module is None:
        sys.stderr.write(f"connect-sandbox: there is no command {arguments[0]!r}\n\n{USAGE}")
        return 2
    status: int = import_module(module).main(arguments[1:])  # only now: keeps --help quick
    return status


if __name__ == "__main__":
    sys.exit(main())
