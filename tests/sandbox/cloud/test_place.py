"""The account and Region that a sandbox can be, and what commands in it see."""

from __future__ import annotations

from pathlib import Path

import pytest
from connect_sandbox.cloud import Sandbox


def test_a_misspelt_region_is_refused_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"'eu-centrl-1' is no Region .*did you mean eu-central-1"):
        Sandbox(tmp_path, region="eu-centrl-1")


def test_regions_of_other_partitions_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="'cn-north-1' is no Region of the partition aws"):
        Sandbox(tmp_path, region="cn-north-1")


def test_an_account_has_twelve_digits(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="'prod' is no AWS account: give 12 digits"):
        Sandbox(tmp_path, account="prod")


def test_the_cdk_command_line_has_a_home_of_the_sandbox(sandbox: Sandbox, tmp_path: Path) -> None:
    home = Path(sandbox.environment()["CDK_HOME"])
    assert home.is_relative_to(tmp_path.parent)
    assert not home.is_relative_to(Path.home())
