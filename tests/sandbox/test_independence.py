"""connect-sandbox is a product for any app on Amazon Connect: it knows no vendor and nothing of this repository."""

from __future__ import annotations

import ast
import importlib.metadata
import json
import os
import re
import subprocess
import sys
import sysconfig
from pathlib import Path

import connect_flows
import connect_sandbox
import pytest

from tests.support.rehearsal import block, hang_up, say

SANDBOX = Path(connect_sandbox.__file__).parent
FLOWS = Path(connect_flows.__file__).parent
FILES = [path for path in SANDBOX.rglob("*") if path.suffix in {".py", ".mjs", ".json", ".yaml", ".md"}]
VENDORS = re.compile(
    r"\b(?:kore(?:ai|\.ai)?|voiceit|twilio|nuance|pindrop|genesys|google|deepgram)\b", re.IGNORECASE
)
OURS = re.compile(
    r"connect[_-]bridges(?!-invocation-end)|python -m rehearsals|own_app|examples/|guide 00\d|biometric",
    re.IGNORECASE,
)
OUR_PACKAGES = ("connect_bridges", "rehearsals", "runtime", "stacks")
IMPORTED_AS = {
    "pyyaml": {"yaml"},
    "boto3": {"boto3", "botocore"},
    "connect-flows": {"connect_flows"},
    "moto": {"moto", "werkzeug"},
    "policy-sentry": {"policy_sentry"},
}


def imports(path: Path) -> set[str]:
    """Return the top-level packages that a file imports, at any depth."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.split(".")[0])
        elif isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
    return found


def declared() -> set[str]:
    """Return what the distribution's dependencies are imported as."""
    names = [
        re.split(r"[\[<>=!~; ]", text)[0] for text in importlib.metadata.requires("connect-sandbox") or []
    ]
    return {module for name in names for module in IMPORTED_AS.get(name.lower(), {name})}


def test_it_imports_what_it_declares_and_itself() -> None:
    # pytest is there when the plugin is loaded; _typeshed is there for type checkers.
    allowed = {*sys.stdlib_module_names, *declared(), "connect_sandbox", "pytest", "_typeshed"}
    python = [path for path in FILES if path.suffix == ".py"]
    assert len(python) > 100
    assert {
        f"{path.relative_to(SANDBOX)}: {name}" for path in python for name in imports(path) - allowed
    } == set()


def test_the_flow_language_imports_the_standard_library_and_itself() -> None:
    allowed = {*sys.stdlib_module_names, "connect_flows"}
    assert {
        f"{path.relative_to(FLOWS)}: {name}"
        for path in FLOWS.rglob("*.py")
        for name in imports(path) - allowed
    } == {"instance/live.py: boto3", "instance/live.py: botocore"}  # of connect-flows[aws]


@pytest.mark.parametrize("words", [VENDORS, OURS], ids=["vendors", "this repository"])
def test_no_file_names(words: re.Pattern[str]) -> None:
    found = {
        f"{path.relative_to(SANDBOX)}:{number}: {hit.group()}"
        for path in FILES
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if (hit := words.search(line))
    }
    assert found == set()


@pytest.fixture
def alone(tmp_path: Path) -> dict[str, str]:
    """Return the environment of a Python that has the two packages and nothing else of this repository."""
    site = sysconfig.get_paths()["purelib"]
    shared = [path for path in sys.path if path.endswith("site-packages")]
    absent = tmp_path / "absent"
    for name in OUR_PACKAGES:
        # An editable install may have left a folder of that name in site-packages: this one is found first.
        (absent / name).mkdir(parents=True)
        (absent / name / "__init__.py").write_text(
            f"raise ModuleNotFoundError(\"No module named '{name}'\")\n"
        )
    path = [str(absent), str(SANDBOX.parent), str(FLOWS.parent), *dict.fromkeys([site, *shared])]
    flow = {
        "Version": "2019-10-30",
        "StartAction": "hello",
        "Actions": [
            say("hello", "Hello.", "queue"),
            block("queue", "UpdateContactTargetQueue", "go", errors={"NoMatchingError": "bye"}, QueueId="${Queue}"),
            block("go", "TransferContactToQueue", "bye",
                  errors={"QueueAtCapacity": "bye", "NoMatchingError": "bye"}),
            hang_up(),
        ],
    }  # fmt: skip
    (tmp_path / "flow.json").write_text(json.dumps(flow))
    return {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": os.pathsep.join(path)}


def python(folder: Path, environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    # -S: no .pth files, by which an editable install would bring the rest of the repository.
    return subprocess.run(
        [sys.executable, "-S", "-P", *arguments],
        cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


@pytest.mark.parametrize("ours", OUR_PACKAGES)
def test_nothing_else_of_the_repository_is_importable(
    alone: dict[str, str], tmp_path: Path, ours: str
) -> None:
    done = python(tmp_path, alone, "-c", f"import {ours}")
    assert f"No module named '{ours}'" in done.stderr


def test_rehearse_works_alone(alone: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "flow.yaml").write_text(
        "setup: {values: {Queue: q}, queues: {q: {name: Support}}}\n"
        "expect: {hears: Hello., ends: {queued: Support}}\n"
    )
    done = python(
        tmp_path, alone, "-m", "connect_sandbox", "rehearse", "flow.json", "--scenario", "flow.yaml"
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "1 scenario, none failed" in done.stdout


def test_the_fixture_works_alone(alone: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "test_flow.py").write_text(
        "def test_it(contact):\n"
        "    call = contact.calls('flow.json', values={'Queue': 'q'}, queues={'q': {'name': 'Support'}})\n"
        "    call.hears('Hello.').ends(queued='Support')\n"
    )
    environment = {**alone, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = python(tmp_path, environment, "-m", "pytest", "-q", "-p", "connect_sandbox.pytest_plugin")
    assert "1 passed" in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("module", "said"),
    [("connect_flows", "usage: connect-flows"), ("connect_sandbox", "usage: connect-sandbox")],
)
def test_each_package_runs_as_a_module(alone: dict[str, str], tmp_path: Path, module: str, said: str) -> None:
    done = python(tmp_path, alone, "-m", module, "--help")
    assert done.returncode == 0
    assert done.stdout.startswith(said)
    assert python(tmp_path, alone, "-m", module, "no-such-command").returncode == 2
