"""The command line ``connect-bridges``: hands each group of commands to the package that owns it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence

USAGE = """\
usage: connect-bridges GROUP COMMAND ...

Bridges between Amazon Connect and the platforms outside it.

groups:
  caller  erase a caller from the voice biometrics

connect-bridges GROUP --help says more. To lint, import, compare and draw flows: connect-flows. To rehearse calls
without an AWS account: connect-sandbox.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return the exit status (2 for a command that does not exist)."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if not arguments or arguments[0] in {"-h", "--help"}:
        sys.stdout.write(USAGE)
        return 0 if arguments else 2
    group = _groups().get(arguments[0])
    if group is None:
        sys.stderr.write(f"connect-bridges: there is no group {arguments[0]!r}\n\n{USAGE}")
        return 2
    return group(arguments[1:])


def _groups() -> Mapping[str, Callable[[Sequence[str]], int]]:
    return {"caller": _caller}


def _caller(arguments: Sequence[str]) -> int:
    try:
        from connect_bridges.operations import caller  # noqa: PLC0415 - needs boto3
    except ModuleNotFoundError as missing:
        if missing.name not in {"boto3", "botocore"}:
            raise
        sys.stderr.write("connect-bridges caller needs boto3: pip install 'connect-bridges[caller]'\n")
        return 2
    return caller.main(arguments)


if __name__ == "__main__":
    sys.exit(main())
