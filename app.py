"""The app: reads which environments are meant, builds a stage of each; nothing else."""

from __future__ import annotations

import sys

import aws_cdk as cdk
from connect_bridges import ConstructArgumentError

from stacks.settings import SettingsError, load_each
from stacks.stage import build_stage


def main() -> int:
    """Synthesize what the context value ``env`` names (``dev``, or ``dev,prod``); 1 if settings cannot be used."""
    app = cdk.App()
    try:
        chosen = load_each(app.node.try_get_context("environments"), app.node.try_get_context("env"))
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    try:
        for settings in chosen:
            build_stage(app, settings)
    except ConstructArgumentError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    app.synth()
    return 0


if __name__ == "__main__":
    sys.exit(main())
