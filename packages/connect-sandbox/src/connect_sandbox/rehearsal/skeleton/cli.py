"""`connect-flows scenarios`: write scenarios that take every branch of a flow.

Exit status: 0 written, 1 no contact gets to an end (what is missing is said), 2 the command could not be carried out.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from connect_sandbox.rehearsal.command_line import Parser, UsageError, status_of, write
from connect_sandbox.rehearsal.flow_files import read_values
from connect_sandbox.rehearsal.skeleton.making import Skeleton, scenarios_for

EPILOG = """\
The scenarios run as they are: every one gets to an end, and what it ends with is expected already. Read them, and
say what callers have to hear. Branches that no scenario takes are listed, each with the reason.

Exit status: 1 when no contact gets to an end, else 0.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status."""
    return status_of("connect-flows scenarios", lambda: _write(parser().parse_args(argv)))


def parser() -> argparse.ArgumentParser:
    """Return the command's parser."""
    made = Parser(
        prog="connect-flows scenarios",
        description="Write scenarios that take every branch of a flow, ready for connect-flows rehearse.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument(
        "flow", type=Path, metavar="FLOW", help="flow, module, template, or export, also an old one"
    )
    made.add_argument("-o", "--output", type=Path, metavar="FILE", help="default: standard output")
    made.add_argument("--force", action="store_true", help="overwrite FILE")
    made.add_argument(
        "--values",
        type=Path,
        metavar="FILE",
        help="JSON: placeholder values, or the map that connect-flows import wrote; others get examples",
    )
    made.add_argument("--environment", metavar="NAME", help="environment in the map that import wrote")
    made.add_argument(
        "--flows", type=Path, metavar="FOLDER", help="files of the flows and modules that FLOW calls, by name"
    )
    made.add_argument(
        "--expect", action="store_true", help="write what was observed as expectations, not as comments"
    )
    return made


def _write(arguments: argparse.Namespace) -> int:
    output: Path | None = arguments.output
    if output is not None and output.exists() and not arguments.force:
        raise UsageError(f"{output} exists, and people may have written in it: use --force to overwrite it")
    if arguments.flows is not None and not arguments.flows.is_dir():
        raise UsageError(f"--flows {arguments.flows} is no folder")
    made = scenarios_for(
        arguments.flow,
        values=read_values(arguments.values, arguments.environment),
        flows=arguments.flows,
        expect=arguments.expect,
        base=output.parent if output is not None else None,
    )
    if output is None:
        sys.stdout.write(made.text)
    else:
        try:
            output.write_text(made.text, encoding="utf-8")
        except OSError as problem:
            raise UsageError(f"{output} cannot be written: {problem.strerror}") from problem
    _report(made)
    return 1 if made.stops else 0


def _report(made: Skeleton) -> None:
    total, missing = len(made.coverage.branches()), len(made.coverage.missing())
    for block, reason in made.stands_in.items():
        _tell(f"stands in   {block}: {reason}")
    for one in made.not_taken if not made.stops else ():
        _tell(f"not taken   {one}")
    count = len(made.scenarios)
    _tell(
        f"{count} scenario{'s' * (count != 1)}, "
        f"coverage {made.coverage.percent():.1f} % ({total - missing} of {total} branches)"
    )
    if made.stops:
        _tell(f"no contact gets to an end: {made.stops}")


def _tell(line: str) -> None:
    write(line, sys.stderr)
