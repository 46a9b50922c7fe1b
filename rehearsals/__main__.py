"""`python -m rehearsals {demo,rehearse}`: see the bridges work on this machine, without an AWS account."""

import argparse
import sys
from pathlib import Path


def main(arguments: list[str] | None = None) -> int:
    """Parse the command line, run the command, return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m rehearsals",
        description="Deploy connect-bridges to the local sandbox and place calls.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    shared = _shared_options()
    demo = commands.add_parser("demo", parents=[shared], help="play a selection of every path")
    rehearse = commands.add_parser("rehearse", parents=[shared], help="play every scenario")
    parsed = parser.parse_args(arguments)
    return _run({"demo": demo, "rehearse": rehearse}[parsed.command], parsed)


def _shared_options() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(add_help=False)
    options.add_argument("--only", nargs="+", default=[], metavar="NAME", help="play these scenarios instead")
    options.add_argument("--list", action="store_true", help="list the scenarios and stop")
    options.add_argument(
        "--json", type=Path, metavar="PATH", help="where the report goes (default: build/COMMAND/report.json)"
    )
    options.add_argument(
        "--keep", action="store_true", help="leave the sandbox running afterwards, until Ctrl-C"
    )
    options.add_argument(
        "--project",
        type=Path,
        default=Path.cwd(),
        metavar="DIR",
        help="the repository's root (default: here)",
    )
    return options


def _run(parser: argparse.ArgumentParser, parsed: argparse.Namespace) -> int:
    # Imported late: --help should not wait for boto3 and moto.
    from rehearsals.run import Options, run  # noqa: PLC0415

    options = Options(
        project=parsed.project.resolve(),
        command=parsed.command,
        only=parsed.only,
        report=parsed.json,
        keep=parsed.keep,
    )
    try:
        chosen = options.chosen()
    except ValueError as error:
        parser.error(str(error))
    if parsed.list:
        width = max(len(scenario.name) for scenario in chosen) + 2
        for scenario in chosen:
            print(f"{scenario.name:<{width}}{scenario.shows}")
        return 0
    return run(options)


if __name__ == "__main__":
    sys.exit(main())
