"""``connect-flows pull`` and ``connect-flows push``. They need boto3, which only they import."""

from __future__ import annotations

import argparse
import importlib.util
import sys
from collections.abc import Callable
from fnmatch import fnmatchcase
from pathlib import Path

from connect_flows.instance.errors import InstanceError
from connect_flows.instance.project import Entry, Project

Add = Callable[..., argparse.ArgumentParser]


def pull_parser(add: Add) -> None:
    """Add pull; `add` takes name, help, function and epilog."""
    command = add(
        "pull", "write all flows and modules of an instance to templates, with its values beside them", _pull,
        "The first instance gives the templates in DIR/flows and DIR/modules; every instance has its values in\n"
        "DIR/values/ENVIRONMENT.json. A second instance adds its values and tells what differs.\n"
        "Exit status: 1 when a flow could not be taken, else 0.",
    )  # fmt: skip
    command.add_argument("--instance", required=True, metavar="ARN-OR-ID", help="the instance")
    command.add_argument(
        "--environment", metavar="NAME",
        help="the instance's name here; default: the one it has already, or dev for the first",
    )  # fmt: skip
    _add_shared(command)


def push_parser(add: Add) -> None:
    """Add push; `add` takes name, help, function and epilog."""
    command = add(
        "push", "compare templates with an instance and, with --apply, write them to it", _push,
        "What is called is written before what calls it.\n"
        "Exit status: 1 when something differs or was refused, else 0.",
    )  # fmt: skip
    command.add_argument(
        "--environment", metavar="NAME", help="where to; may be left out where there is only one"
    )
    command.add_argument("--apply", action="store_true", help="write; without it nothing is changed")
    command.add_argument(
        "--no-lint", action="store_true", help="write flows in which the linter finds errors, too"
    )
    _add_shared(command)


def _add_shared(command: argparse.ArgumentParser) -> None:
    command.add_argument("folder", type=Path, metavar="DIR", help="the folder of the flows")
    command.add_argument(
        "--only", action="append", default=[], metavar="NAME", help="flows of this name alone; wildcards work"
    )
    command.add_argument("--profile", help="profile of the AWS configuration")
    command.add_argument("--region", help="default: the Region of the instance's ARN, or of the profile")


def _pull(arguments: argparse.Namespace) -> int:
    _require_boto3()
    from connect_flows.instance.live import connect  # noqa: PLC0415 - needs boto3
    from connect_flows.instance.pull import pull  # noqa: PLC0415

    project = Project.read(arguments.folder)
    live = connect(arguments.instance, profile=arguments.profile, region=arguments.region)
    failed = pull(
        project,
        live,
        instance=arguments.instance,
        environment=arguments.environment,
        only=arguments.only,
        say=_say,
    )
    return 1 if failed else 0


def _push(arguments: argparse.Namespace) -> int:
    _require_boto3()
    from connect_flows.instance.live import connect  # noqa: PLC0415 - needs boto3
    from connect_flows.instance.push import push  # noqa: PLC0415

    project = Project.read(arguments.folder)
    environment = project.environment(arguments.environment)
    live = connect(environment.instance, profile=arguments.profile, region=arguments.region)
    wanted = [entry for entry in project.entries if _is_wanted(entry, arguments.only)]
    if not wanted:
        raise InstanceError(f"{arguments.folder} has no flow" + (" of that name" if arguments.only else ""))
    return push(
        project, environment, live, wanted, apply=arguments.apply, check=not arguments.no_lint, say=_say
    )


def _is_wanted(entry: Entry, only: list[str]) -> bool:
    return not only or any(fnmatchcase(entry.name, pattern) for pattern in only)


def _require_boto3() -> None:
    if importlib.util.find_spec("boto3") is None:
        raise InstanceError("pull and push need boto3: pip install 'connect-flows[aws]'")


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
