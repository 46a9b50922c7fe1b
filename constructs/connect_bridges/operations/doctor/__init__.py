"""``connect-bridges doctor``: what an account lacks for a deployment, and what is left to do after it.

It reads a cloud assembly (``--app``), deployed stacks (``--stack``), or both, and asks AWS. It changes nothing, except
that ``--request-quotas`` files increases of quotas, after asking. docs/doctor.md has the checks, the IAM policy and the
form of ``--json``.

Exit status: 0 all is well, or there are warnings only; 1 failures (with --strict, warnings too); 2 the command was
written wrongly.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import boto3
from botocore.exceptions import BotoCoreError, ClientError, ProfileNotFound

from connect_bridges.operations.command_line import Parser, UsageError
from connect_bridges.operations.deployed import DeployedError
from connect_bridges.operations.doctor.aws import Refused
from connect_bridges.operations.doctor.examination import Examination, examine, subjects_of
from connect_bridges.operations.doctor.findings import CHECKS, Finding, QuotaRequest, Status
from connect_bridges.operations.doctor.report import document, lines, summary, worst

__all__ = ["CHECKS", "main"]

PROG = "connect-bridges doctor"
EPILOG = """\
--app reads what `npx cdk synth` wrote (cdk.out), before the first deployment and after it; --stack reads a stack from
the account, and with --app chooses among the app's. Region: the stack's own, else --region, else boto3's.

Exit status: 0 all well, or warnings only; 1 failures (with --strict, warnings too); 2 the command was written wrongly.
"""


def main(argv: Sequence[str]) -> int:
    """Examine what the arguments name, print what was found, and return the exit status."""
    try:
        arguments = _parsed(argv)
        subjects = subjects_of(arguments.app, arguments.stack)
        session = boto3.Session(region_name=arguments.region, profile_name=arguments.profile)
    except UsageError as problem:
        sys.stderr.write(f"{PROG}: {problem}\n")
        return 2
    except DeployedError as problem:
        sys.stderr.write(f"{PROG}: {problem}\n")
        return 2
    except ProfileNotFound as problem:
        sys.stderr.write(f"{PROG}: {problem}. `aws configure list-profiles` lists those that there are.\n")
        return 2
    except SystemExit as leaving:  # argparse after --help
        return leaving.code if isinstance(leaving.code, int) else 0
    examination = examine(session, subjects)
    if arguments.json:
        sys.stdout.write(json.dumps(document(examination), indent=2, ensure_ascii=False) + "\n")
    else:
        for finding in examination.findings:
            sys.stdout.write("".join(f"{line}\n" for line in lines(finding)))
        sys.stdout.write("\n" + "".join(f"{line}\n" for line in summary(examination)))
    if arguments.request_quotas:
        _request(examination, agreed=arguments.yes)
    bad = {Status.FAILURE, Status.WARNING} if arguments.strict else {Status.FAILURE}
    return int(worst(examination) in bad)


def _parsed(argv: Sequence[str]) -> argparse.Namespace:
    parser = Parser(
        prog=PROG,
        description="Say what an account lacks for a deployment, and what is left to do after it. Reads only.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--app", type=Path, metavar="DIR", help="a cloud assembly, such as cdk.out")
    parser.add_argument("--stack", action="append", default=[], metavar="NAME", help="repeat it for several")
    parser.add_argument("--region", help="default: AWS_REGION, or the profile's")
    parser.add_argument("--profile", help="of your AWS configuration; default: AWS_PROFILE, or default")
    parser.add_argument("--json", action="store_true", help="print one document, see docs/doctor.md")
    parser.add_argument("--strict", action="store_true", help="exit with 1 for warnings as well")
    parser.add_argument(
        "--request-quotas",
        action="store_true",
        help="ask AWS for the quotas that are missing, after asking you",
    )
    parser.add_argument("--yes", action="store_true", help="with --request-quotas: do not ask me")
    arguments = parser.parse_args(argv)
    if arguments.app is None and not arguments.stack:
        parser.error("name what to examine: --app cdk.out, or --stack NAME")
    if arguments.yes and not arguments.request_quotas:
        parser.error("--yes answers --request-quotas, which is not there")
    return arguments


def _request(examination: Examination, *, agreed: bool) -> None:
    """File the increases of quotas that findings name, each after a yes; say on standard error what became of it."""
    wanted = [finding for finding in examination.findings if finding.request]
    if not wanted:
        sys.stderr.write("no quota has to be asked for\n")
    for finding in wanted:
        request = finding.request
        if request is None or not (agreed or _agrees(finding, request)):
            continue
        where = next(
            each.region for each in examination.subjects if each.region and each.region.name == request.region
        )
        context = {"ContextId": request.context} if request.context else {}
        try:
            filed = where.client("service-quotas").request_service_quota_increase(
                ServiceCode=request.service,
                QuotaCode=request.code,
                DesiredValue=float(request.desired),
                **context,
            )["RequestedQuota"]
        except ClientError as error:
            refusal = Refused("service-quotas", error)
            sys.stderr.write(f"{request.code}: AWS refused ({refusal.code}: {refusal.message})\n")
        except BotoCoreError as error:
            sys.stderr.write(f"{request.code}: AWS did not answer ({error})\n")
        else:
            sys.stderr.write(
                f"{request.code}: asked for {request.desired:g}, {filed['Status']}, id {filed['Id']}\n"
            )


def _agrees(finding: Finding, request: QuotaRequest) -> bool:
    if not sys.stdin.isatty():
        sys.stderr.write(
            f"{request.code}: not asked for, since nobody can be asked here; --yes agrees beforehand\n"
        )
        return False
    sys.stderr.write(f"{finding.found}. Ask AWS for {request.desired:g}? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in {"y", "yes"}
