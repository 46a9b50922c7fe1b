from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from connect_sandbox.cloud.cdk_cli import find_cdk
from connect_sandbox.cloud.environment import sandbox_environment

from bench import sandbox_speed
from bench.instant_server import ACCOUNT, REGION
from tests.support import ROOT
from tests.support.own_line import write_assembly

pytestmark = pytest.mark.sandbox


def test_the_cdk_takes_the_instant_server_for_aws(tmp_path: Path) -> None:
    assembly = write_assembly(tmp_path / "cdk.out", ACCOUNT, REGION)
    with sandbox_speed._instant_server() as (url, _server):
        environment = {
            **os.environ,
            **sandbox_environment(url, ACCOUNT, REGION, cdk_home=tmp_path / "home"),
        }

        def cdk(*arguments: str) -> str:
            ran = subprocess.run(
                [*find_cdk(ROOT), *arguments],
                cwd=tmp_path,
                env=environment,
                capture_output=True,
                text=True,
                check=False,
            )
            assert ran.returncode == 0, ran.stdout + ran.stderr
            return ran.stdout + ran.stderr

        assert f"Environment aws://{ACCOUNT}/{REGION} bootstrapped" in cdk(
            "bootstrap", f"aws://{ACCOUNT}/{REGION}"
        )
        printed = cdk("deploy", "--method=direct", "--progress", "events", "--app", str(assembly), "--all")
    for told in ("AWS::SQS::Queue", "AWS::S3::Bucket", "✅  bucket-and-queue", "stack/bucket-and-queue/"):
        assert told in printed


def test_a_sandbox_is_ready_with_little_work(tmp_path: Path) -> None:
    # Processor time, which a busy machine does not lengthen much; it takes about 1 s. Other systems than Linux tell 0.
    assert sandbox_speed.start(tmp_path).cpu_seconds < 2 * sandbox_speed.START_LIMIT_SECONDS
