"""``make erase-caller``: have a caller of an environment's voice biometrics forgotten, in the environment's Region.

``connect-bridges caller erase`` for people who know the environment's name and not its stack and Region.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from connect_bridges.operations import caller as caller_cli

from .settings import SettingsError, load_settings


def main(argv: Sequence[str]) -> int:
    """Forget a caller; argv: an environment of cdk.json and the number, or - for standard input.

    Returns the exit status of ``connect-bridges caller erase``, 2 if the environment cannot be read from cdk.json.
    """
    if len(argv) != 2:
        sys.stderr.write(
            "write an environment and one number: make erase-caller ENV=dev NUMBER=+12065550100\n"
        )
        return 2
    name, number = argv
    context = json.loads(Path("cdk.json").read_text(encoding="utf-8"))["context"]
    try:
        settings = load_settings(context.get("environments"), name)
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    stack = f"connect-bridges-{settings.name}-biometrics"
    return caller_cli.main(["erase", "--stack", stack, "--region", settings.region, "--", number])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
