"""The wheel, installed in a fresh environment, is enough for an app of somebody's own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from tests.support import ROOT

pytestmark = pytest.mark.wheel


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build from a copy of what a clone holds, so that nothing left over in the working tree gets in."""
    source = tmp_path_factory.mktemp("source") / "connect-bridges"
    shutil.copytree(
        ROOT,
        source,
        ignore=shutil.ignore_patterns(
            ".git",
            ".venv",
            "node_modules",
            "build",
            "dist",
            "cdk.out*",
            "*.egg-info",
            "__pycache__",
            ".*_cache",
            ".hypothesis",
        ),
    )
    out = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--wheel", "--outdir", str(out), str(source))
    (built,) = out.glob("connect_bridges-*.whl")
    return built


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("fresh")
    venv.create(home, with_pip=True)
    python = home / "bin" / "python"
    run(str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", str(wheel))
    return python


def run(*command: str, cwd: Path | None = None, **environment: str) -> str:
    clean = {key: value for key, value in os.environ.items() if key not in {"PYTHONPATH", "VIRTUAL_ENV"}}
    done = subprocess.run(
        command,
        cwd=cwd,
        env={**clean, "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "20", **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_an_app_of_ones_own_synthesizes_from_the_wheel(python: Path, tmp_path: Path) -> None:
    app = shutil.copytree(ROOT / "examples" / "own_app", tmp_path / "own_app")
    run(str(python), "app.py", cwd=app, CDK_OUTDIR=str(tmp_path / "out"))

    template = json.loads((tmp_path / "out" / "own-app-support-line.template.json").read_text())
    types = [resource["Type"] for resource in template["Resources"].values()]
    assert types.count("AWS::Connect::ContactFlow") == 2
    assert types.count("AWS::Connect::ContactFlowModule") == 1
    assert types.count("Custom::ExternalVoiceConnector") == 1
    handlers = list((tmp_path / "out").glob("asset.*/connect_bridges/runtime/metadata_bridge/store.py"))
    assert len(handlers) == 1


def test_the_wheel_brings_types_flows_and_runtime_and_nothing_of_the_app(python: Path) -> None:
    code = """
import json
from importlib.metadata import files
print(json.dumps([str(file) for file in files("connect-bridges")]))
"""
    names = json.loads(run(str(python), "-c", code, cwd=python.parent))
    for expected in (
        "connect_bridges/py.typed",
        "connect_bridges/flow_language/knowledge.json",
        "connect_bridges/flows/external_voice_transfer.json",
        "connect_bridges/flows/external_voice_transfer_module.json",
        "connect_bridges/flows/voice_biometric_gate_module.json",
        "connect_bridges/runtime/requirements.txt",
        "connect_bridges/runtime/metadata_bridge/store.py",
        "connect_bridges/runtime/voice_biometrics/webhook.py",
        "connect_bridges/sandbox/__main__.py",
    ):
        assert expected in names
    assert not [name for name in names if name.startswith(("stacks", "tests", "app.py", "build"))]
