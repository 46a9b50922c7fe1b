"""``python -m stacks.preflight ENV``: a line per check, its fix, and what people have to do."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import boto3

from stacks.settings import SettingsError, load_settings

from . import Aws, next_steps, run_checks
from .account import outputs


def main(argv: list[str] | None = None) -> int:
    """Print a line per check and the steps that remain; 1 if a deploy would fail."""
    parser = argparse.ArgumentParser(
        prog="preflight",
        description="Check in the account what CloudFormation can neither do nor see, and say the next steps.",
    )
    parser.add_argument("env", help="an environment of cdk.json")
    arguments = parser.parse_args(argv)
    context = json.loads(Path("cdk.json").read_text(encoding="utf-8"))["context"]
    try:
        settings = load_settings(context.get("environments"), arguments.env)
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    aws = Aws(lambda service: boto3.client(service, region_name=settings.region))
    blocked = False
    for finding in run_checks(settings, aws):
        blocked = blocked or (finding.blocking and not finding.ok)
        mark = "ok  " if finding.ok else ("STOP" if finding.blocking else "note")
        sys.stdout.write(f"{mark}  {finding.check}: {finding.found}\n")
        if finding.fix:
            sys.stdout.write(f"      -> {finding.fix}\n")
    sys.stdout.write("\nWhat no API can do:\n")
    for number, step in enumerate(next_steps(settings, outputs(settings, aws)), start=1):
        sys.stdout.write(f"  {number}. {step}\n")
    return 1 if blocked else 0


if __name__ == "__main__":
    sys.exit(main())
