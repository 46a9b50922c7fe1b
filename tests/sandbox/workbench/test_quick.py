"""What a command loads before it begins: a sandbox in the background has it all, and needs it once."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("moto", "boto3", "botocore", "flask", "cryptography", "requests", "connect_flows")


@pytest.mark.parametrize("module", ["commands", "calling"])
def test_a_command_loads_no_emulated_aws(module: str) -> None:
    code = f"import sys, connect_sandbox.workbench.{module}; print(*[one for one in {HEAVY!r} if one in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout.split() == []
