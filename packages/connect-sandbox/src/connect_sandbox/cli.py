"""The command line ``connect-sandbox``: hands each command to the package that owns it."""

from __future__ import annotations

import sys
from collections.abc import Sequence

USAGE = """\
usage: connect-sandbox COMMAND ...

Rehearse Amazon Connect apps without an AWS account.

commands:
  rehearse  play the scenarios of files through a flow, and check what callers hear

connect-sandbox COMMAND --help explains a command.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return the exit status (2 for a command that does not exist)."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if not arguments or arguments[0] in {"-h", "--help"}:
        sys.stdout.write(USAGE)
        return 0 if arguments else 2
    if arguments[0] != "rehearse":
        sys.stderr.write(f"connect-sandbox: there is no command {arguments[0]!r}\n\n{USAGE}")
        return 2
    from connect_sandbox.rehearsal import cli as rehearsal  # noqa: PLC0415 - keeps --help quick

    return rehearsal.main(arguments[1:])


if __name__ == "__main__":
    sys.exit(main())
