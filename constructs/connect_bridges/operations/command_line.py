"""How the commands read their arguments: a mistake is one sentence and the usage, said by the command itself."""

from __future__ import annotations

import argparse
from typing import NoReturn


class UsageError(Exception):
    """The command was written wrongly; the message says how, and how to write it."""


class Parser(argparse.ArgumentParser):
    """An argument parser that raises UsageError where argparse's own prints and leaves the process."""

    def error(self, message: str) -> NoReturn:
        """Raise UsageError: the mistake, and the usage below it."""
        raise UsageError(f"{message}\n{self.format_usage().rstrip()}")
