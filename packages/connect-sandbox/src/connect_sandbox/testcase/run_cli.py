"""`connect-flows testcase run`: run the test cases of an instance, and tell how they went as `rehearse` does."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from connect_sandbox.rehearsal.command_line import Parser, UsageError, write
from connect_sandbox.testcase.run import RunError, TestRun, Went

_INSTANCE = re.compile(r"arn:aws[\w-]*:connect:(?P<region>[\w-]+):\d{12}:instance/(?P<id>[\w-]+)")
EPILOG = """\
Needs connect:ListTestCases, DescribeTestCase, StartTestCaseExecution, GetTestCaseExecutionSummary and
ListTestCaseExecutionRecords on the instance and on INSTANCE/*. A test is a real contact: functions that it does not
mock are invoked, and it counts in the instance's metrics.

Exit status: 1 when a test fails, 2 when they cannot be run, else 0.
"""


def main(argv: Sequence[str], *, make_run: Callable[[Any, str], TestRun] = TestRun) -> int:
    """Run the command; return its exit status. `make_run` makes the run of a client and an instance's id."""
    made = Parser(prog="connect-flows testcase run", description=__doc__, epilog=EPILOG)
    made.add_argument("--instance", required=True, metavar="ARN", help="the instance's ARN")
    made.add_argument(
        "--name",
        action="append",
        default=[],
        metavar="NAME",
        help="name of a test case, wildcards allowed; can be repeated (default: all that are published)",
    )
    given = made.parse_args(list(argv))
    found = _INSTANCE.fullmatch(given.instance)
    if found is None:
        raise UsageError(
            f"--instance is {given.instance!r}: give the instance's ARN, arn:aws:connect:REGION:ACCOUNT:instance/ID"
        )
    # Connect takes two calls of an operation a second: of many test cases, some calls are throttled.
    patient = Config(retries={"mode": "standard", "max_attempts": 10})
    connect = boto3.client("connect", region_name=found["region"], config=patient)
    went: list[Went] = []
    try:
        for one in make_run(connect, found["id"]).run(given.name):
            went.append(one)
            write(told(one))
    except (RunError, ClientError, BotoCoreError) as problem:
        sys.stderr.write(f"connect-flows testcase run: {problem}\n")
        return 2
    failed = sum(not one.passed for one in went)
    write(f"{len(went)} test case{'s' * (len(went) != 1)}, {failed or 'none'} failed")
    return 1 if failed else 0


def told(went: Went) -> str:
    """Return how a test went, in the words of a local rehearsal."""
    seconds = "" if went.seconds is None else f" ({went.seconds:.0f} s)"
    again = "" if went.attempts == 1 else f" [started {went.attempts} times: it failed to initialize]"
    lines = [f"{'passed' if went.passed else went.status}  {went.name}{seconds}{again}", *went.told]
    if not went.passed and went.heard:
        lines += ["", *(f"  the caller heard “{text}”" for text in went.heard), ""]
    return "\n".join(lines)
