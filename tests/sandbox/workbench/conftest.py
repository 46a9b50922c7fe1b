"""The command line of the app whose sandbox a module keeps in the background."""

from __future__ import annotations

from pathlib import Path

import pytest
from connect_sandbox.cli import main

from tests.support.own_line import Command


@pytest.fixture
def run(app: Path, capfd: pytest.CaptureFixture[str]) -> Command:
    """Return the command line of the module's fixture `app`."""

    def command(*arguments: str, status: int = 0) -> str:
        got = main([*arguments, "--at", str(app)])
        printed = "".join(capfd.readouterr())
        assert got == status, printed
        return printed

    return command
