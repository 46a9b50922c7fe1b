"""`python -m rehearsals demo`: see the bridges work on this machine, without an AWS account."""

import argparse
import sys
from pathlib import Path


def main(arguments: list[str] | None = None) -> int:
    """Parse the command line, run the command, return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m rehearsals",
        description="Rehearse Amazon Connect integrations on a laptop.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    demo = commands.add_parser("demo", help="deploy the app to the sandbox, place calls, show what happened")
    demo.add_argument("--only", nargs="+", default=[], metavar="NAME", help="play these scenarios only")
    demo.add_argument("--list", action="store_true", help="list the scenarios and stop")
    demo.add_argument(
        "--json", type=Path, metavar="PATH", help="where the report goes (default: build/demo/report.json)"
    )
    demo.add_argument(
        "--keep", action="store_true", help="leave the sandbox running afterwards, until Ctrl-C"
    )
    demo.add_argument(
        "--project",
        type=Path,
        default=Path.cwd(),
        metavar="DIR",
        help="the repository's root (default: here)",
    )
    return _demo(demo, parser.parse_args(arguments))


def _demo(parser: argparse.ArgumentParser, given: argparse.Namespace) -> int:
    # Imported late: --help should not wait for boto3 and moto.
    from rehearsals.demo import Options, run  # noqa: PLC0415
    from rehearsals.scenarios import SCENARIOS  # noqa: PLC0415

    if given.list:
        width = max(map(len, SCENARIOS)) + 2
        for scenario in SCENARIOS.values():
            print(f"{scenario.name:<{width}}{scenario.shows}")
        return 0
    options = Options(
        project=given.project.resolve(),
        only=given.only,
        report=given.json,
        keep=given.keep,
    )
    try:
        options.chosen()
    except ValueError as error:
        parser.error(str(error))
    return run(options)


if __name__ == "__main__":
    sys.exit(main())
