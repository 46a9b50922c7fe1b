"""``connect-bridges handoff``: one page for each vendor with the values of a deployment, and what is to be checked.

Read-only, except for the files it writes. IAM: cloudformation:DescribeStacks, ListStackResources and
DescribeStackResource on the stacks; with ``--app`` AWS is not asked. No secret is read: pages name secrets by ARN.

Exit status: 0 the pages are written; 1 they are not; 2 the command was written wrongly.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from connect_bridges.operations import aws
from connect_bridges.operations.command_line import Parser, UsageError
from connect_bridges.operations.deployed import (
    BridgeStack,
    DeployedError,
    NotDeployedError,
    deployed_with_constructs,
    in_assembly,
)
from connect_bridges.operations.handoff.as_html import as_html
from connect_bridges.operations.handoff.as_markdown import as_markdown
from connect_bridges.operations.handoff.page import Page
from connect_bridges.operations.handoff.pages import PAGES, pages
from connect_bridges.operations.handoff.ranges import RangesError, read_ranges

PROG = "connect-bridges handoff"
EPILOG = """\
Pages hold no secret: they name each one by its ARN, with the command that reads or stores it. Before a deployment,
--app takes the place of AWS; what only the deployment can tell is marked.

Exit status: 0 the pages are written; 1 they are not; 2 the command was written wrongly.
"""


class HandoffError(Exception):
    """The pages were not written; the message says why and what to do."""


def main(argv: Sequence[str]) -> int:
    """Run the command; return its exit status."""
    try:
        arguments = _parsed(argv)
        stacks = _stacks(arguments)
        ranges = read_ranges(arguments.ranges) if arguments.ranges else None
        made = pages(stacks, ranges=ranges)
        if not made:
            raise HandoffError(
                f"there is no bridge in {', '.join(stack.name for stack in stacks)}, and pages tell of bridges "
                "and of instances; name the stacks that have them."
            )
        for line in write(_chosen(made, arguments.vendor), Path(arguments.output)):
            sys.stdout.write(f"{line}\n")
    except UsageError as problem:
        sys.stderr.write(f"{PROG}: {problem}\n")
        return 2
    except (HandoffError, DeployedError, RangesError, aws.AwsError) as problem:
        sys.stderr.write(f"{PROG}: {problem}\n")
        return 1
    except SystemExit as leaving:  # argparse after --help
        return leaving.code if isinstance(leaving.code, int) else 0
    if ranges and (missing := {stack.region for stack in stacks if stack.region} - set(ranges.by_region)):
        sys.stderr.write(
            f"{PROG}: {ranges.source} has no ranges for {', '.join(sorted(missing))}: calls over a voice connector do "
            "not come from there.\n"
        )
    return 0


def write(made: Sequence[Page], folder: Path) -> list[str]:
    """Write the pages to a folder, each as Markdown and as HTML; return a line for each: the files, and for whom.

    Raises ``HandoffError`` if that is not possible.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for page in made:
            (folder / f"{page.name}.md").write_text(as_markdown(page), encoding="utf-8")
            (folder / f"{page.name}.html").write_text(as_html(page), encoding="utf-8")
    except OSError as error:
        raise HandoffError(
            f"the pages cannot be written to {folder} ({error.strerror}). Name another folder with --output."
        ) from error
    width = max(len(page.name) for page in made)
    return [
        f"{folder / page.name}.md, .html{' ' * (width - len(page.name))}  {len(page.tasks):>2} to tick  "
        f"for {page.reader}"
        for page in made
    ]


def _parsed(argv: Sequence[str]) -> argparse.Namespace:
    parser = Parser(
        prog=PROG,
        description="Write one page for each vendor, with the values of a deployment filled in and a list to tick.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "--stack",
        action="append",
        default=[],
        metavar="NAME",
        help="a deployed stack, by name or ARN; may be repeated",
    )
    parser.add_argument(
        "--app",
        metavar="FOLDER",
        help="a cloud assembly, as cdk.out, instead of what is deployed; --stack chooses",
    )
    parser.add_argument("--region", help="default: AWS_DEFAULT_REGION, or the profile's")
    parser.add_argument("--profile", help="of your AWS configuration; default: AWS_PROFILE, or default")
    parser.add_argument("--output", default="handoff", metavar="FOLDER", help="default: handoff")
    parser.add_argument(
        "--vendor", action="append", default=[], choices=PAGES, help="this page only; may be repeated"
    )
    parser.add_argument(
        "--ranges",
        metavar="FILE_OR_URL",
        help="Amazon's ip-ranges.json, to write the address ranges out; without it the page has the command for it",
    )
    arguments = parser.parse_args(argv)
    if not arguments.stack and not arguments.app:
        parser.error("name what is deployed with --stack, or a cloud assembly with --app")
    return arguments


def _stacks(arguments: argparse.Namespace) -> list[BridgeStack]:
    names = list(dict.fromkeys(arguments.stack))
    if not arguments.app:
        return _deployed(names, region=arguments.region, profile=arguments.profile)
    found = in_assembly(Path(arguments.app))
    known = [stack.name for stack in found]
    if not found:
        raise HandoffError(f"no stack in {arguments.app} holds a construct of connect-bridges.")
    if unknown := [name for name in names if name not in known]:
        raise HandoffError(
            f"{arguments.app} holds no stack {unknown[0]} with a construct of connect-bridges; it holds "
            f"{', '.join(known)}."
        )
    return [stack for stack in found if not names or stack.name in names]


def _deployed(names: Sequence[str], *, region: str | None, profile: str | None) -> list[BridgeStack]:
    region = region or next(filter(None, map(aws.region_in, names)), None)
    session = aws.session(region=region, profile=profile)
    try:
        return [deployed_with_constructs(session, name, profile=profile) for name in names]
    except NotDeployedError as problem:
        raise HandoffError(f"{problem} Before a deployment, --app cdk.out tells what is known.") from problem


def _chosen(made: Sequence[Page], vendors: Sequence[str]) -> list[Page]:
    """Return the pages of these vendors, all of them if none is named; ``HandoffError`` if one has no page."""
    chosen = [page for page in made if not vendors or page.vendor in vendors]
    if missing := [vendor for vendor in vendors if vendor not in {page.vendor for page in made}]:
        raise HandoffError(
            f"these stacks have nothing for {', '.join(missing)}; they have "
            f"{', '.join(dict.fromkeys(page.vendor for page in made))}."
        )
    return chosen
