"""The app: reads which environment is meant, builds its stage; nothing else."""

from __future__ import annotations

import sys

import aws_cdk as cdk

from stacks.settings import SettingsError, load_settings
from stacks.stage import build_stage


def main() -> int:
    """Synthesize the environment named by the context value ``env``; 1 if its settings cannot be used."""
    app = cdk.App()
    try:
        settings = load_settings(app.node.try_get_context("environments"), app.node.try_get_context("env"))
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    build_stage(app, settings)
    app.synth()
    return 0


if __name__ == "__main__":
    sys.exit(main())
