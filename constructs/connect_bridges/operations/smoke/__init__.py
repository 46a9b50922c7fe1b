"""``connect-bridges smoke``: try a deployment without a call, and say what only a call can show.

For every construct of this library in the named stacks: what goes in comes out, what must be refused is refused, and
what functions may do they may do. Test data is marked, of contacts and callers that do not exist, and removed; nothing
else is written, and no vendor is asked unless --vendor-check is given. Every request has a time limit. Needs boto3,
credentials and a Region as every program of boto3 finds them; --policy prints the IAM policy that is needed.

Exit status: 0 no check failed; 1 a check failed, or the deployment could not be tried; 2 the command was written
wrongly.
"""

from __future__ import annotations

import argparse
import json
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import boto3

from connect_bridges.operations import aws
from connect_bridges.operations.command_line import Parser, UsageError
from connect_bridges.operations.deployed import (
    READS,
    Bridge,
    BridgeStack,
    DeployedError,
    deployed_with_constructs,
)
from connect_bridges.operations.smoke import chat, gate, instance, metadata, voice
from connect_bridges.operations.smoke.account import Account, Need, partition_of
from connect_bridges.operations.smoke.policy import policy
from connect_bridges.operations.smoke.proofs import Proof, proofs
from connect_bridges.operations.smoke.result import Check, Checks, FailedError, Outcome

PROG = "connect-bridges smoke"
JSON_FORMAT = 1
"""The form of what --json prints; it rises when a reader would have to change."""
EPILOG = """\
Writes only marked test data of contacts and callers that do not exist, and removes it. The refusals that it provokes
are counted like any others.

Exit status: 0 no check failed; 1 a check failed, or the deployment could not be tried; 2 the command was written
wrongly.
"""


@dataclass(frozen=True)
class Tried:
    """A construct and its checks. only_a_call: what nothing but a call or chat can show."""

    bridge: Bridge
    checks: Checks
    only_a_call: tuple[str, ...]


@dataclass
class Run:
    """What a run has found: the constructs of each stack, and what that says of the evidence."""

    stacks: list[tuple[BridgeStack, list[Tried]]] = field(default_factory=list)
    proofs: list[Proof] = field(default_factory=list)

    @property
    def checks(self) -> list[Check]:
        """All checks, in order."""
        return [check for _, tried in self.stacks for each in tried for check in each.checks.done]

    def count(self, outcome: Outcome) -> int:
        """Return how many checks ended so."""
        return sum(check.outcome is outcome for check in self.checks)


@dataclass(frozen=True)
class _Told:
    """Who is told while a run goes on. --json tells everything at the end instead."""

    heading: Callable[[str], None] = lambda _text: None
    check: Callable[[Check], None] = lambda _check: None


def main(argv: Sequence[str]) -> int:
    """Run ``connect-bridges smoke``; return its exit status."""
    try:
        arguments = _parsed(argv)
        region = arguments.region or next(filter(None, map(aws.region_in, arguments.stack)), None)
        session = aws.session(region=region, profile=arguments.profile)
        if arguments.policy:
            document = policy(_needed(session, arguments.stack))
            sys.stdout.write(json.dumps(document, indent=2) + "\n")
            return 0
        told = _Told() if arguments.json else _Told(_say, lambda check: _say(_line(check)))
        run = smoke(session, arguments.stack, vendor_check=arguments.vendor_check, told=told)
    except UsageError as problem:
        sys.stderr.write(f"{PROG}: {problem}\n")
        return 2
    except (aws.AwsError, DeployedError) as problem:
        sys.stderr.write(f"{PROG}: {problem}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write(f"\n{PROG}: interrupted; what was written until then has been removed\n")
        return 130
    except SystemExit as leaving:  # argparse after --help
        return leaving.code if isinstance(leaving.code, int) else 0
    if arguments.json:
        sys.stdout.write(json.dumps(as_json(run), indent=2, ensure_ascii=False) + "\n")
    else:
        _conclude(run)
    return 1 if run.count(Outcome.FAILED) else 0


def smoke(
    session: boto3.Session, stacks: Iterable[str], *, vendor_check: bool = False, told: _Told | None = None
) -> Run:
    """Try every construct of this library in these stacks, by name or id.

    Raises DeployedError for a stack that cannot be tried, before anything is tried, and AwsError.
    """
    told = told or _Told()
    read = [deployed_with_constructs(session, name) for name in stacks]
    run = Run()
    for stack in read:
        told.heading(("\n" if run.stacks else "") + f"{stack.name} ({stack.region})")
        account = Account(session, str(stack.account), str(stack.region))
        tried: list[Tried] = []
        run.stacks.append((stack, tried))
        for bridge in stack.bridges:
            told.heading(f"\n  {bridge.construct} {bridge.path}")
            checks = Checks(told.check)
            only_a_call = _attempt(bridge, account, checks, vendor_check=vendor_check)
            tried.append(Tried(bridge, checks, only_a_call))
    run.proofs = proofs(
        [
            (each.bridge.construct, check)
            for _, tried in run.stacks
            for each in tried
            for check in each.checks.done
        ]
    )
    return run


def as_json(run: Run) -> dict[str, Any]:
    """Return what --json prints; its form is JSON_FORMAT."""
    return {
        "format": JSON_FORMAT,
        "command": "smoke",
        "outcome": "failed" if run.count(Outcome.FAILED) else "ok",
        "counts": {outcome.value: run.count(outcome) for outcome in Outcome},
        "stacks": [
            {
                "name": stack.name,
                "account": stack.account,
                "region": stack.region,
                "constructs": [
                    {
                        "construct": each.bridge.construct,
                        "path": each.bridge.path,
                        "checks": [
                            {
                                "name": check.name,
                                "outcome": check.outcome.value,
                                "why": check.why,
                                "todo": check.todo,
                            }
                            for check in each.checks.done
                        ],
                        "onlyACall": list(each.only_a_call),
                    }
                    for each in tried
                ],
            }
            for stack, tried in run.stacks
        ],
        "evidence": [
            {"id": one.id, "state": one.state, "checks": list(one.checks), "text": one.text}
            for one in run.proofs
        ],
    }


def _attempt(bridge: Bridge, account: Account, checks: Checks, *, vendor_check: bool) -> tuple[str, ...]:
    """Do the checks of a construct; return what only a call can show of it."""
    if not checks.attempt("description-resolved", lambda: _resolved(bridge)):
        return ()
    shows: tuple[str, ...] = ()
    match bridge.construct:
        case "MetadataBridge":
            metadata.attempt(bridge, account, checks)
            shows = metadata.ONLY_A_CALL
        case "ExternalVoiceConnector":
            voice.attempt_connector(bridge, account, checks)
            shows = voice.ONLY_A_CALL[:1]
        case "ExternalVoiceTransfer":
            voice.attempt_transfer(bridge, account, checks)
            shows = voice.ONLY_A_CALL
        case "ChatStreamBridge":
            chat.attempt(bridge, account, checks, vendor=vendor_check)
            shows = chat.ONLY_A_CALL
        case "VoiceBiometricGate":
            gate.attempt(bridge, account, checks)
            shows = gate.ONLY_A_CALL
        case "ContactCenter" | "ConnectInstance":
            instance.attempt(bridge, account, checks)
            shows = instance.ONLY_A_CALL
        case other:
            checks.skip("known-construct", f"this version does not know {other}", "Install a newer one.")
    return shows


def _resolved(bridge: Bridge) -> str:
    """Say that CloudFormation has told every value of a description, which shared/description.py relies on."""
    unresolved = sorted(name for name, fact in bridge.facts.items() if _holds_intrinsic(fact))
    if unresolved:
        raise FailedError(
            f"CloudFormation returned the metadata of {bridge.logical_id} without having evaluated it: "
            f"{', '.join(unresolved)}.",
            "Report this with the Region: the commands of connect-bridges rely on it.",
        )
    return f"CloudFormation tells {len(bridge.facts)} facts of {bridge.logical_id}"


def _holds_intrinsic(value: Any) -> bool:  # noqa: ANN401 (JSON)
    if isinstance(value, list):
        return any(map(_holds_intrinsic, value))
    if not isinstance(value, dict):
        return False
    alone = next(iter(value)) if len(value) == 1 else ""
    return alone == "Ref" or alone.startswith("Fn::") or any(map(_holds_intrinsic, value.values()))


def _needed(session: boto3.Session, stacks: Iterable[str]) -> Iterator[Need]:
    for name in stacks:
        stack = deployed_with_constructs(session, name)
        account = Account(session, str(stack.account), str(stack.region))
        partition = partition_of(stack.bridges[0].facts["instanceArn"])
        of_account = f"{stack.region}:{stack.account}"
        yield Need(READS, f"arn:{partition}:cloudformation:{of_account}:stack/{stack.name}/*")
        for bridge in stack.bridges:
            match bridge.construct:
                case "MetadataBridge":
                    yield from metadata.needs(bridge, account)
                case "ChatStreamBridge":
                    yield from chat.needs(bridge, account)
                case "VoiceBiometricGate":
                    yield from gate.needs(bridge, account)
                case "ContactCenter" | "ConnectInstance":
                    yield from instance.needs(bridge, account)
                case _:
                    yield from voice.needs(bridge)


def _parsed(argv: Sequence[str]) -> argparse.Namespace:
    parser = Parser(
        prog=PROG,
        description="Try a deployment without a call, and say what only a call can show.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "--stack",
        metavar="NAME",
        action="append",
        required=True,
        help="a deployed stack with constructs of this library; may be given several times",
    )
    parser.add_argument("--region", help="default: AWS_DEFAULT_REGION, or the profile's")
    parser.add_argument("--profile", help="of your AWS configuration; default: AWS_PROFILE, or default")
    parser.add_argument("--json", action="store_true", help="print the results as JSON, at the end")
    parser.add_argument(
        "--vendor-check",
        action="store_true",
        help="have the chat function open a TLS connection to the vendor's webhook; nothing is sent",
    )
    parser.add_argument(
        "--policy", action="store_true", help="print the IAM policy that a run needs, and try nothing"
    )
    arguments = parser.parse_args(argv)
    if not all(arguments.stack):
        parser.error("--stack is empty")
    arguments.stack = list(dict.fromkeys(arguments.stack))
    return arguments


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _line(check: Check) -> str:
    line = f"    {check.outcome.value:<8} {check.name:<28} {check.why}"
    return f"{line}\n{'':41} -> {check.todo}" if check.todo else line


def _conclude(run: Run) -> None:
    _say("\nOnly a call or a chat shows:")
    for text in dict.fromkeys(text for _, tried in run.stacks for each in tried for text in each.only_a_call):
        _say(f"  - {text}")
    if run.proofs:
        _say("\nEvidence (docs/evidence.md):")
    for one in run.proofs:
        if one.state != "open":
            _say(f"  {one.state:<10} {one.id} ({', '.join(one.checks)})")
        if one.state == "disproved":
            _say(f"{'':13}-> {one.text}")
    if left := [one.id for one in run.proofs if one.state == "open"]:
        listed = textwrap.wrap(
            ", ".join(left),
            width=118,
            initial_indent="  open       ",
            subsequent_indent=" " * 13,
            break_on_hyphens=False,
        )
        _say("\n".join(listed))
    total = len(run.checks)
    counted = ", ".join(f"{run.count(outcome)} {outcome.value}" for outcome in Outcome)
    _say(f"\n{total} checks: {counted}")
