"""The command line ``connect-bridges``: hands each group of commands to the part of the project that owns it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence

USAGE = """\
usage: connect-bridges GROUP COMMAND ...

Bridges between Amazon Connect and the platforms outside it.

groups:
  caller  have a caller of the voice biometrics forgotten
  flow    lint, explain, import, render, diagram, diff and rehearse flows of Amazon Connect

connect-bridges GROUP --help says more.
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
    return {"caller": _caller, "flow": _flow}


def _caller(arguments: Sequence[str]) -> int:
    try:
        from connect_bridges import caller_cli as caller  # noqa: PLC0415 - needs boto3
    except ModuleNotFoundError as missing:
        if missing.name not in {"boto3", "botocore"}:
            raise
        sys.stderr.write("connect-bridges caller needs boto3: pip install 'connect-bridges[caller]'\n")
        return 2
    return caller.main(arguments)


def _flow(arguments: Sequence[str]) -> int:
    # The flow language does not know the sandbox, which plays flows: rehearse is dispatched here.
    if arguments and arguments[0] == "rehearse":
        return _rehearse(arguments[1:])
    from connect_bridges.flow_language import cli as flow  # noqa: PLC0415 - keeps --help quick

    return flow.main(arguments)


def _rehearse(arguments: Sequence[str]) -> int:
    try:
        from connect_bridges.sandbox.rehearsal import cli as rehearsal  # noqa: PLC0415 - needs PyYAML
    except ModuleNotFoundError as missing:
        if missing.name != "yaml":
            raise
        sys.stderr.write(
            "connect-bridges flow rehearse needs PyYAML: pip install 'connect-bridges[sandbox]'\n"
        )
        return 2
    return rehearsal.main(arguments)


if __name__ == "__main__":
    sys.exit(main())
