"""`connect-sandbox deploy`, `destroy`, `status`, `env` and `serve`.

Exit status: 0 done, 1 the deployment failed, 2 the command could not be carried out.
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from connect_sandbox.cloud.cdk_cli import CdkFailedError
from connect_sandbox.cloud.environment import ACCOUNT, REGION
from connect_sandbox.cloud.errors import SandboxError
from connect_sandbox.workbench.client import RemoteSandbox
from connect_sandbox.workbench.deploying import DeployedStack, Deployer
from connect_sandbox.workbench.deploying import destroy as destroy_stacks
from connect_sandbox.workbench.errors import DeploymentFailedError, WorkbenchError
from connect_sandbox.workbench.place import Place, Running
from connect_sandbox.workbench.sdk import provide


def deploy(argv: Sequence[str] | None = None) -> int:
    """Deploy an app; start a sandbox for it if none runs."""
    made = command_parser("deploy", "Deploy an app into a sandbox that stays up, started if need be.")
    made.add_argument(
        "app", type=Path, nargs="?", default=Path(), metavar="APP",
        help="folder of a CDK app, cloud assembly, or CloudFormation template (default: the current folder)",
    )  # fmt: skip
    made.add_argument("--stack", action="append", default=[], metavar="NAME", help="only this stack")
    made.add_argument("--name", help="a template's stack is called so (default: like the file)")
    made.add_argument("--parameter", action="append", default=[], type=_pair, metavar="NAME=VALUE")
    made.add_argument("-c", "--context", action="append", default=[], type=_pair, metavar="NAME=VALUE")
    made.add_argument(
        "--tolerate", action="append", default=[], metavar="TYPE",
        help="deploy the rest if the sandbox cannot make such resources: 'AWS::WAFv2::*', or @FILE with one a line",
    )  # fmt: skip
    made.add_argument(
        "--account", metavar="ID",
        help=f"where stacks without an account go (default: that of the sandbox; of a new one {ACCOUNT})",
    )  # fmt: skip
    made.add_argument(
        "--region", metavar="NAME",
        help=f"where stacks without a Region go (default: that of the sandbox; of a new one {REGION})",
    )  # fmt: skip
    return run(made, argv, _deploy)


def destroy(argv: Sequence[str] | None = None) -> int:
    """Delete stacks, or end the sandbox."""
    made = command_parser("destroy", "Delete stacks; without a name, end the sandbox with all that is in it.")
    made.add_argument("stacks", nargs="*", metavar="STACK")
    add_place(made, "the stacks of this")
    return run(made, argv, _destroy)


def status(argv: Sequence[str] | None = None) -> int:
    """Say what there is."""
    made = command_parser("status", "List a sandbox's stacks, and the numbers and flows that can be called.")
    made.add_argument("--json", action="store_true", help="print it as JSON")
    return run(made, argv, _status)


def env(argv: Sequence[str] | None = None) -> int:
    """Print the variables that point the AWS CLI and boto3 at the sandbox."""
    made = command_parser(
        "env", 'Print lines for a shell: eval "$(connect-sandbox env)" points the AWS CLI and boto3 here.'
    )
    add_place(made, "for this")
    return run(made, argv, _env)


def serve(argv: Sequence[str] | None = None) -> int:
    """Keep a sandbox up in the foreground."""
    made = command_parser("serve", "Keep a sandbox up until Ctrl-C; deploy, status and call find it.")
    made.add_argument("--account", default=ACCOUNT, metavar="ID", help="its account (default: %(default)s)")
    made.add_argument("--region", default=REGION, metavar="NAME", help="its Region (default: %(default)s)")
    made.add_argument(
        "--port", type=int, default=0, help="the port of its AWS endpoint (default: a free one)"
    )
    return run(made, argv, _serve)


def command_parser(command: str, description: str) -> argparse.ArgumentParser:
    """Return a parser with what all commands take."""
    made = argparse.ArgumentParser(prog=f"connect-sandbox {command}", description=description)
    made.add_argument(
        "--at", type=Path, default=Path(), metavar="FOLDER",
        help="the sandbox of this folder, or of the nearest one above it (default: the current folder)",
    )  # fmt: skip
    return made


def add_place(made: argparse.ArgumentParser, what: str) -> None:
    """Let a command be about one account or Region of the sandbox."""
    made.add_argument("--account", metavar="ID", help=f"{what} account")
    made.add_argument("--region", metavar="NAME", help=f"{what} Region")


def run(
    made: argparse.ArgumentParser, argv: Sequence[str] | None, do: Callable[[argparse.Namespace], int]
) -> int:
    """Parse the arguments and do it; return the exit status."""
    try:
        return do(made.parse_args(argv))
    except (CdkFailedError, DeploymentFailedError) as failure:
        # What the CDK printed is on the terminal already.
        told = f"cdk ended with status {failure.status}" if isinstance(failure, CdkFailedError) else failure
        sys.stderr.write(f"{made.prog}: {told}\n")
        return 1
    except (SandboxError, ValueError) as problem:
        sys.stderr.write(f"{made.prog}: {problem}\n")
        return 2
    except SystemExit as leaving:  # argparse
        return leaving.code if isinstance(leaving.code, int) else 0


def say(text: str) -> None:
    """Print a line at once; a flow may hold what no terminal accepts."""
    sys.stdout.write(text.encode(errors="backslashreplace").decode() + "\n")
    sys.stdout.flush()


def _deploy(told: argparse.Namespace) -> int:
    place = Place.of(told.at)
    sandbox = RemoteSandbox.ensure(place, told.account, told.region)
    sandbox.ask("POST", "/tolerate", {"types": [one for named in told.tolerate for one in _types(named)]})

    def provide_sdk(deployed: Path, app: Path) -> None:
        provide(deployed, app, place.folder, tell=say, environment=sandbox.environment())
        for folder in (app.resolve(), place.folder):
            sandbox.ask("POST", "/sdk", {"app": str(folder)})

    deployer = Deployer(sandbox, place.files, say, provide_sdk)
    stacks = deployer.deploy(
        told.app,
        told.stack,
        name=told.name,
        parameters=dict(told.parameter),
        context=dict(told.context),
    )
    found = sandbox.ask("GET", "/status")
    names = {stack.name for stack in stacks}
    _tell(found, lambda one: DeployedStack(one["name"], one["account"], one["region"]) in stacks)
    for one in found["not_rehearsed"]:
        if one["stack"] in names:
            say(f"not rehearsed  {one['stack']}/{one['logical_id']}  {one['type']}: {one['why']}")
    return 0


def _types(told: str) -> list[str]:
    """Return the types that one --tolerate names; in a file, what follows # is a comment."""
    if not told.startswith("@"):
        return [told]
    try:
        lines = Path(told[1:]).read_text(encoding="utf-8-sig").splitlines()
    except OSError as problem:
        raise WorkbenchError(f"--tolerate {told}: {problem}") from problem
    return [line.split("#")[0].strip() for line in lines if line.split("#")[0].strip()]


def _destroy(told: argparse.Namespace) -> int:
    place = Place.of(told.at)
    if told.stacks:
        there = RemoteSandbox.require(place).at(account=told.account, region=told.region)
        destroy_stacks(there, told.stacks, say, at_one_place=bool(told.account or told.region))
        return 0
    if told.account or told.region:
        raise WorkbenchError("--account and --region say where a stack is: name the stack, too")
    sandbox = RemoteSandbox.find(place)
    if sandbox is None:
        say(f"no sandbox runs for {place.folder.parent}")
        return 0
    sandbox.stop()
    say(f"the sandbox of {place.folder.parent} has ended")
    return 0


def _status(told: argparse.Namespace) -> int:
    sandbox = RemoteSandbox.require(Place.of(told.at))
    found = sandbox.ask("GET", "/status")
    if told.json:
        say(json.dumps(found, indent=2))
        return 0
    say(f"account {found['account']} in {found['region']} at {found['endpoint_url']}")
    say(f"page   {sandbox.page_url}")
    _tell(found, lambda _: True)
    return 0


def _env(told: argparse.Namespace) -> int:
    sandbox = RemoteSandbox.require(Place.of(told.at)).at(account=told.account, region=told.region)
    say("unset AWS_PROFILE AWS_DEFAULT_PROFILE AWS_SESSION_TOKEN")
    for name, value in sandbox.variables().items():
        say(f"export {name}={shlex.quote(value)}")
    return 0


def _serve(told: argparse.Namespace) -> int:
    from connect_sandbox.workbench.server import serve as serve_here  # noqa: PLC0415  (the sandbox itself)

    place = Place.of(told.at)
    if RemoteSandbox.find(place) is not None:
        sys.stderr.write(f"connect-sandbox serve: a sandbox runs already for {place.folder.parent}\n")
        return 2
    serve_here(
        place,
        account=told.account,
        region=told.region,
        port=told.port,
        ready=partial(_tell_running, place),
    )
    return 0


def _tell_running(place: Place, running: Running) -> None:
    say(f"account {running.account} in {running.region} at {running.endpoint_url}; Ctrl-C ends it")
    say(f"page: {running.page_url}")
    say(f"from another terminal: connect-sandbox deploy APP --at {place.folder.parent}")


def _tell(found: dict[str, Any], wanted: Callable[[dict[str, Any]], bool]) -> None:
    """Tell the stacks that are wanted, numbers and flows; if there are several places, each under its name."""
    for place in found["places"]:
        account, region = place["account"], place["region"]
        stacks = [one for one in found["stacks"] if (one["account"], one["region"]) == (account, region)]
        instances = [one for one in found["instances"] if one["arn"].split(":")[3:5] == [region, account]]
        if len(found["places"]) > 1:
            say(f"place  account {account} in {region}")
        _tell_stacks([one for one in stacks if wanted(one)])
        _tell_instances(instances)


def _tell_stacks(stacks: Sequence[dict[str, Any]]) -> None:
    for stack in stacks:
        say(f"stack  {stack['name']}  {stack['status']}")
        for key, value in sorted(stack["outputs"].items()):
            say(f"         {key} = {value}")


def _tell_instances(instances: Sequence[dict[str, Any]]) -> None:
    for instance in instances:
        for number, flow in sorted(instance["numbers"].items()):
            say(f"number {number}  {flow or 'leads to no flow'}")
        for flow in instance["flows"]:
            say(f"flow   {flow}")


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise argparse.ArgumentTypeError(f"{text!r} must be NAME=VALUE")
    return name, value
