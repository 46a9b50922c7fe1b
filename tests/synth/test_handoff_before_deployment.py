"""The pages for the vendors, made from what `cdk synth` wrote."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import aws_cdk as cdk
import pytest
from connect_bridges.cli import main


@pytest.mark.parametrize(
    ("env", "known"),
    [
        ("dev", "| Number (DID) | `+12065550100` |"),
        ("prod", "| Host that Amazon calls | `sbc.example.com` |"),
    ],
)
def test_a_cloud_assembly_is_enough_for_what_is_known(
    assembly: Callable[[str], cdk.cx_api.CloudAssembly], tmp_path: Path, env: str, known: str
) -> None:
    assert main(["handoff", "--app", assembly(env).directory, "--output", str(tmp_path)]) == 0
    page = (tmp_path / "kore-voice.md").read_text()
    assert known in page
    assert (
        f"Made from `connect-bridges-{env}-voice` (us-east-1, account 123456789012), which is not deployed"
        in page
    )
    assert "| URL | *comes with the deployment* |" in page
    assert "Token[" not in page
