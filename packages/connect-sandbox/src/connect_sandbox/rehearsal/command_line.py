"""How the commands that play flows read their arguments, tell what is wrong, and print."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import NoReturn, TextIO

from connect_flows import FlowSyntaxError
from connect_flows.importer import FlowImportError
from connect_flows.template import FlowTemplateError

from connect_sandbox.rehearsal.errors import RehearsalError
from connect_sandbox.rehearsal.reading import ScenarioError


class UsageError(Exception):
    """The command line, or a file that it names, is wrong."""


class Parser(argparse.ArgumentParser):
    """Raises UsageError where argparse exits."""

    def error(self, message: str) -> NoReturn:
        """Raise."""
        raise UsageError(f"{message}\n{self.format_usage().rstrip()}")


def status_of(name: str, command: Callable[[], int], *problems: type[Exception]) -> int:
    """Run a command and return its exit status: 2, and the message, if it could not be carried out.

    problems: what else than mistakes in arguments, flows and scenarios has a message for the user.
    """
    expected: tuple[type[Exception], ...] = (
        UsageError, ScenarioError, RehearsalError, FlowSyntaxError, FlowImportError, FlowTemplateError, *problems,
    )  # fmt: skip
    try:
        return command()
    except expected as problem:
        sys.stderr.write(f"{name}: {problem}\n")
        return 2
    except SystemExit as leaving:  # argparse after --help
        return leaving.code if isinstance(leaving.code, int) else 0


def write(text: str, to: TextIO | None = None) -> None:
    """Print a line, to standard output unless told; a flow may hold a lone surrogate, which no terminal accepts."""
    (to or sys.stdout).write(text.encode(errors="backslashreplace").decode() + "\n")
