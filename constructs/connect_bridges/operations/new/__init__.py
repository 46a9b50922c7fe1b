"""``connect-bridges new``: from exports of the flow designer to a CDK app with scenarios, tests and pictures.

Needs connect-sandbox, which writes the scenarios: ``pip install 'connect-bridges[new]'``.
Nothing is asked of AWS.

Exit status: 0 the app is written; 1 it is not, and nothing else either; 2 the command was written wrongly.
"""

from __future__ import annotations

import argparse
import re
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

from connect_bridges.operations.command_line import Parser, UsageError
from connect_bridges.operations.new.environments import FIRST, Environment, environments, is_instance
from connect_bridges.operations.new.exports import ExportError, Exports, read_exports
from connect_bridges.operations.new.naming import slug
from connect_bridges.operations.new.project import App, incomplete
from connect_bridges.operations.new.readme import readme
from connect_bridges.operations.new.tools import ToolError, draw, write_scenarios

PROG = "connect-bridges new"
EPILOG = """\
Give all flows and modules that belong together: where one names another, the app names the one that it publishes.

Exit status: 0 the app is written; 1 it is not, and nothing else either; 2 the command was written wrongly.
"""


class NewError(Exception):
    """The app was not written; the message says why and what to do."""


def main(argv: Sequence[str]) -> int:
    """Run the command; return its exit status."""
    try:
        arguments = _parsed(argv)
        folder = Path(arguments.folder)
        _refuse_full(folder)
        exports = read_exports(list(dict.fromkeys(Path(name) for name in arguments.exports)))
        app = App(
            name=_name(arguments.name, folder),
            version=version("connect-bridges"),
            exports=exports,
            environments=environments(exports, _instance(exports, arguments.instance_arn)),
        )
        app = write(app, folder)
    except UsageError as problem:
        sys.stderr.write(f"{PROG}: {problem}\n")
        return 2
    except (NewError, ExportError, ToolError) as problem:
        sys.stderr.write(f"{PROG}: {problem}\n")
        return 1
    except SystemExit as leaving:  # argparse after --help
        return leaving.code if isinstance(leaving.code, int) else 0
    sys.stdout.write(_summary(app, folder))
    return 0


def write(app: App, folder: Path) -> App:
    """Write the app to a folder that is empty or not there; complete, or not at all; return it.

    Raises ``NewError`` if the folder cannot be written to, ``ToolError`` if scenarios or pictures cannot be made.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    except OSError as problem:
        raise NewError(
            f"{folder.parent} cannot be written to: {problem.strerror}. Name another folder."
        ) from problem
    try:
        made.chmod(0o755)
        for name in ("docs", "scenarios"):
            (made / name).mkdir()
        _write(made, app.flow_files())
        called = app.scenario_names()
        for flow in app.exports.flows:
            draw(made, flow.file)
        why = {flow.file: write_scenarios(made, flow.file, called) for flow in app.exports.flows}
        app = replace(app, unplayed={file: reason for file, reason in why.items() if reason is not None})
        _write(made, {**app.files(), "README.md": readme(app)})
        made.rename(folder)
    except OSError as problem:
        raise NewError(f"{folder} cannot be written: {problem.strerror}. Name another folder.") from problem
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return app


def _write(folder: Path, texts: Mapping[str, str]) -> None:
    for path, text in texts.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")


def _parsed(argv: Sequence[str]) -> argparse.Namespace:
    parser = Parser(
        prog=PROG,
        description="Make a CDK app of flows that the flow designer has exported.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "folder", metavar="DIR", help="where to write the app: a folder that is empty or not there"
    )
    parser.add_argument(
        "--from",
        dest="exports",
        nargs="+",
        action="extend",
        required=True,
        metavar="EXPORT",
        help="exported flows",
    )
    parser.add_argument("--name", help="of the app, such as 'Support line'; default: the folder's name")
    parser.add_argument(
        "--instance-arn",
        metavar="ARN",
        help="of the instance that the exports come from; default: the one that they name",
    )
    return parser.parse_args(argv)


def _refuse_full(folder: Path) -> None:
    if folder.is_dir() and any(folder.iterdir()):
        raise NewError(f"{folder} is not empty. Name a folder that is empty or not there yet.")
    if folder.exists() and not folder.is_dir():
        raise NewError(f"{folder} is a file. Name a folder that is empty or not there yet.")


def _name(told: str | None, folder: Path) -> str:
    name = " ".join((folder.resolve().name if told is None else told).split())
    if not slug(name):
        raise NewError(
            f"the name {name!r} has no letter from A to Z, of which the stack's name could be made. Give one with "
            "--name, such as --name 'Support line'."
        )
    if told is not None:
        return name
    spoken = " ".join(re.split(r"[-_ ]+", name.strip("-_ ")))
    return spoken[:1].upper() + spoken[1:]


def _instance(exports: Exports, told: str | None) -> str | None:
    if told is not None:
        if not is_instance(told):
            raise NewError(
                f"--instance-arn is {told!r}. Give arn:aws:connect:REGION:ACCOUNT:instance/UUID, as the console shows "
                "it under Account overview."
            )
        return told
    found = exports.instances()
    if len(found) > 1:
        raise NewError(
            f"the exports name {len(found)} instances: {', '.join(found)}. Say with --instance-arn which one {FIRST} "
            "is; values of others are left to be filled in."
        )
    return found[0] if found else None


def _summary(app: App, folder: Path) -> str:
    flows = app.exports.flows
    lines = [f"{folder}: {app.name}", *(f"  flows/{flow.file}.json  {flow.title}" for flow in flows)]
    lines += [f"  no scenario for {file}: {reason}" for file, reason in app.unplayed.items()]
    for environment in app.environments:
        lines += _to_fill_in(environment)
    return "\n".join([*lines, f"Next: cd {folder} && make test && make demo", ""])


def _to_fill_in(environment: Environment) -> list[str]:
    missing = incomplete(environment)
    if not missing:
        return []
    return [f"  cdk.json: {environment.name} lacks {', '.join(missing)}"]
