"""``connect-bridges caller``: what people ask about a caller of the voice biometrics, from the command line.

``erase`` has the erase function of a VoiceBiometricGate forget a caller (runtime/biometrics/erase.py). Needs
boto3, credentials and a Region as every program of boto3 finds them. IAM: lambda:InvokeFunction on the erase function
and, with --stack, cloudformation:DescribeStacks.

Exit status: 0 the caller is forgotten, or was never known; 1 it failed; 2 the command was written wrongly. The number
is never printed: neither by this command nor by what it calls.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    ReadTimeoutError,
    ResponseStreamingError,
)

from connect_bridges.operations import aws
from connect_bridges.operations.command_line import Parser, UsageError
from connect_bridges.shared.runtime_modules import runtime_module

if TYPE_CHECKING:
    from runtime.biometrics import limits
else:
    limits = runtime_module("biometrics.limits")

OUTPUT = "BiometricsEraseFunctionName"
STDIN = "-"
PROG = "connect-bridges caller erase"
USAGE = """\
usage: connect-bridges caller erase (--stack NAME | --function NAME_OR_ARN) NUMBER

commands:
  erase   have voice print, recordings and everything else about a caller deleted

connect-bridges caller erase --help says more.
"""
EPILOG = """\
NUMBER - reads the number from standard input, so that it stays neither in the shell's history nor in the list of
processes. Repeating the command is harmless.

Exit status: 0 erased, or nothing is known of the caller; 1 it failed; 2 the command was written wrongly.
"""

# The function may take a minute, and its start some seconds on top. One attempt: after a repetition the answer
# "nothing is known" could as well mean that the first attempt erased everything and its answer was lost.
_INVOKE = Config(connect_timeout=10, read_timeout=90, retries={"total_max_attempts": 1}, tcp_keepalive=True)
_UNDER_WAY, _MOST_RUNS = "RemovalUnderWayError", 60
_NO_ANSWER = (ReadTimeoutError, ConnectionClosedError, ResponseStreamingError)


class CallerError(Exception):
    """The caller was not erased, or may not have been; the message says why and what to do."""


def main(argv: Sequence[str]) -> int:
    """Run a command of ``connect-bridges caller``; return its exit status."""
    if not argv or argv[0] in {"-h", "--help"}:
        sys.stdout.write(USAGE)
        return 0 if argv else 2
    if argv[0] != "erase":  # not quoted: it may be a number
        sys.stderr.write(f"connect-bridges caller: there is no such command\n\n{USAGE}")
        return 2
    try:
        arguments = _parsed(argv[1:])
        number = _number(arguments.number)
        known = erase(
            number,
            stack=arguments.stack,
            function=arguments.function,
            region=arguments.region,
            profile=arguments.profile,
        )
    except UsageError as problem:
        sys.stderr.write(f"{PROG}: {problem}\n")
        return 2
    except CallerError as problem:
        sys.stderr.write(f"{PROG}: {problem}\n")
        return 1
    except SystemExit as leaving:  # argparse after --help
        return leaving.code if isinstance(leaving.code, int) else 0
    sys.stdout.write("erased\n" if known else "nothing is known of this caller\n")
    return 0


def erase(
    number: str,
    *,
    stack: str | None = None,
    function: str | None = None,
    region: str | None = None,
    profile: str | None = None,
) -> bool:
    """Have a caller forgotten; tell whether anything was known of them.

    number: E.164. stack: name or id of a stack with the output BiometricsEraseFunctionName; function: name or ARN of
    the erase function; exactly one of the two. region: default is the one in the stack's id or the function's ARN,
    then boto3's. profile: default is boto3's.
    Raises CallerError saying what failed and what to do; the number is not in it.
    """
    region = region or aws.region_in(stack or function or "")
    try:
        session = aws.session(region=region, profile=profile)
        name = function or _erase_function(session, str(stack))
        return _invoke(session, name, number)
    except aws.AwsError as error:
        raise CallerError(str(error)) from error
    except BotoCoreError as error:
        raise CallerError(str(aws.unanswered(error, profile=profile))) from error


def _parsed(argv: Sequence[str]) -> argparse.Namespace:
    parser = Parser(
        prog=PROG,
        description="Have a caller of the voice biometrics forgotten: recordings, voice print, and what is stored.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--stack", metavar="NAME", help=f"stack with the output {OUTPUT}")
    where.add_argument("--function", metavar="NAME_OR_ARN", help="the erase function itself")
    parser.add_argument("--region", help="default: AWS_DEFAULT_REGION, or the profile's")
    parser.add_argument("--profile", help="of your AWS configuration; default: AWS_PROFILE, or default")
    parser.add_argument(
        "number", metavar="NUMBER", help="E.164, as +12065550100; - reads it from standard input"
    )
    arguments, others = parser.parse_known_args(argv)
    if others:  # argparse would quote them, and they may be the rest of a number with blanks
        parser.error(
            "there is an argument too many, or an option that does not exist; write the number without blanks"
        )
    for option in ("stack", "function"):
        if getattr(arguments, option) == "":
            parser.error(f"--{option} is empty")
    return arguments


def _number(text: str) -> str:
    if text == STDIN:
        if sys.stdin.isatty():
            sys.stderr.write("Telephone number: ")
            sys.stderr.flush()
        text = sys.stdin.readline().strip()
    if not limits.PHONE_NUMBER.fullmatch(text):
        raise UsageError(
            "the number is not E.164; write + and country code, digits only, as in +12065550100 (it is not repeated "
            "here, so that it does not stay in a log)"
        )
    return text


def _erase_function(session: boto3.Session, stack: str) -> str:
    region = session.region_name
    try:
        answer = session.client("cloudformation", config=aws.READ).describe_stacks(StackName=stack)
    except ClientError as error:
        reason = error.response["Error"]
        if reason["Code"] == "ValidationError" and "does not exist" in reason["Message"]:
            raise CallerError(
                f"there is no stack {stack} in {region}. Check name, --region and --profile; `aws cloudformation "
                f"describe-stacks --region {region} --query Stacks[].StackName` lists the stacks that there are."
            ) from error
        raise CallerError(
            aws.refused(error, f"read the stack {stack}", "cloudformation:DescribeStacks")
        ) from error
    outputs = {
        output["OutputKey"]: output["OutputValue"] for output in answer["Stacks"][0].get("Outputs", [])
    }
    if OUTPUT not in outputs:
        raise CallerError(
            f"the stack {stack} in {region} has no output {OUTPUT}. The voice biometrics of an environment are in "
            "connect-bridges-<environment>-biometrics; for an app of your own name the function itself with "
            "--function."
        )
    return str(outputs[OUTPUT])


def _invoke(session: boto3.Session, function: str, number: str) -> bool:
    """Invoke the function until it is through: a run takes a minute at most, and the next goes on where it ended."""
    answer, result = _asked(session, function, number)
    runs = 1
    while runs < _MOST_RUNS and answer.get("FunctionError") and _is_under_way(result):
        answer, result = _asked(session, function, number)
        runs += 1
    return _answered(answer, result, function, number)


def _is_under_way(result: object) -> bool:
    return isinstance(result, Mapping) and result.get("errorType") == _UNDER_WAY


def _asked(session: boto3.Session, function: str, number: str) -> tuple[Mapping[str, Any], Any]:
    try:
        answer = session.client("lambda", config=_INVOKE).invoke(
            FunctionName=function,
            InvocationType="RequestResponse",
            Payload=json.dumps({"phoneNumber": number}).encode(),
        )
        result = _json(answer["Payload"].read())
    except _NO_ANSWER as error:
        raise CallerError(
            f"{function} was asked, but its answer did not arrive, so it is not known whether the caller was erased. "
            "Run the command again: repeating it is harmless."
        ) from error
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceNotFoundException":
            raise CallerError(
                f"there is no function {function} in {session.region_name}. Check name, --region and --profile; the "
                f"output {OUTPUT} of the stack names the function."
            ) from error
        raise CallerError(aws.refused(error, f"invoke {function}", "lambda:InvokeFunction")) from error
    return answer, result


def _answered(answer: Mapping[str, Any], result: Any, function: str, number: str) -> bool:  # noqa: ANN401 (its answer)
    if answer.get("FunctionError"):
        raise CallerError(
            f"the caller was not erased, or not wholly: {_told(result, number)}. Run the command again; an erasure "
            "that was begun is also taken up by the daily sweep. If it fails again, the log of "
            f"{function} names the cause."
        )
    if not isinstance(result, Mapping) or not isinstance(result.get("erased"), bool):
        raise CallerError(
            f"{function} did not say whether the caller was erased; it does not seem to be the erase function of a "
            f"VoiceBiometricGate. The output {OUTPUT} of the stack names it."
        )
    return bool(result["erased"])


def _told(result: Any, number: str) -> str:  # noqa: ANN401 (whatever the function answered)
    """Return what the function said went wrong, in one line and without the number."""
    message = result.get("errorMessage") if isinstance(result, Mapping) else None
    kind = result.get("errorType") if isinstance(result, Mapping) else None
    text = ": ".join(" ".join(str(part).split()) for part in (kind, message) if part)
    return (text or "the function gave no reason").replace(number.removeprefix("+"), "…").rstrip(".")


def _json(payload: bytes) -> Any:  # noqa: ANN401 (whatever the function answered)
    try:
        return json.loads(payload)
    except ValueError:
        return None
