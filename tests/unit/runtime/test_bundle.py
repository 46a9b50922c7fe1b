"""What goes into a function's zip: pinned, imported by the runtime, never CDK or boto3, and enough to run."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import zipfile
from importlib.resources import files
from pathlib import Path
from typing import Any

import botocore
import pytest
from connect_bridges.shared import bundling

RUNTIME = Path(str(files("runtime")))
MODULES = sorted(RUNTIME.rglob("*.py"))
LOCK = (RUNTIME / "requirements.txt").read_text()
PINS = re.findall(r"^([a-z0-9-]+)==(\S+)", LOCK, re.MULTILINE)


def imported(module: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: absolute imports only, the zip is cut along them"
            names.add(node.module or "")
    return names


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(RUNTIME)))
def test_a_module_imports_the_standard_library_botocore_powertools_and_its_own_package_only(
    module: Path,
) -> None:
    outside = {name for name in imported(module) if name.split(".")[0] not in sys.stdlib_module_names}
    own = {"biometrics": ("twilio",)}  # what a package's own requirements.txt locks
    allowed = (
        *("botocore", "aws_lambda_powertools", "runtime"),
        *own.get(module.relative_to(RUNTIME).parts[0], ()),
    )
    assert {name for name in outside if not name.startswith(allowed)} == set()


@pytest.mark.parametrize(
    "package", [path for path in MODULES if path.name == "__init__.py"], ids=lambda p: p.parent.name
)
def test_a_package_imports_nothing_so_that_zips_stay_small(package: Path) -> None:
    assert imported(package) == set()


def test_the_lock_pins_every_package_with_its_hash_and_names_no_index() -> None:
    assert {name for name, _ in PINS} == {"aws-lambda-powertools", "jmespath", "typing-extensions"}
    assert len(re.findall(r"--hash=sha256:[0-9a-f]{64}$", LOCK, re.MULTILINE)) == len(PINS)
    assert "://" not in LOCK
    assert "boto" not in LOCK


def test_the_lock_satisfies_what_was_asked_for() -> None:
    asked = [
        line for line in (RUNTIME / "requirements.in").read_text().splitlines() if line and line[0] != "#"
    ]
    assert set(asked) <= {f"{name}=={version}" for name, version in PINS}


SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:x-AbCdEf"
BIOMETRICS = {
    "TELEPHONY_SECRET_ARN": SECRET,
    "CALLER_KEY_SECRET_ARN": SECRET,
    "PROVIDER": "voiceit",
    "PROVIDER_NAME": "voiceit",
    "PROVIDER_SECRET_ARN": SECRET,
    "TELEPHONY_NUMBER": "+12065550188",
}
HANDLERS: dict[str, tuple[dict[str, str], Any, str]] = {
    # module: its environment, an event, and what invoking it prints at the end: an answer or an error's name
    "metadata.store": ({}, {"requestContext": {"requestId": "r"}}, "INVALID_CONTACT_ID"),
    "metadata.authorize": ({"TOKEN_SECRET_ARN": SECRET}, {"type": "TOKEN"}, "UnauthorizedError"),
    "metadata.retrieve": ({}, {"Details": None}, "InvalidContactIdError"),
    "voice.handler": ({}, {}, "KeyError"),
    "chat.start": (
        {
            "TOKEN_SECRET_ARN": SECRET,
            "TOPIC_ARN": "arn:aws:sns:us-east-1:123456789012:T",
            "WEBHOOK_URL": "https://bot.example.com/hook",
        },
        {"Details": {}},
        "InvalidEventError",
    ),
    "chat.key_age": ({"USER_NAME": "vendor"}, {}, "EndpointConnectionError"),
    "biometrics.gate": (BIOMETRICS, {"Details": {"ContactData": {"ContactId": "c"}}}, "noPhoneNumber"),
    "biometrics.webhook": (BIOMETRICS, {"headers": {}}, "<Hangup />"),
    "biometrics.erase": (BIOMETRICS, {"phoneNumber": "?"}, "InvalidRequestError"),
    "biometrics.unlock": (BIOMETRICS, {"phoneNumber": "?"}, "InvalidRequestError"),
    "biometrics.retention": (BIOMETRICS, {}, "TemporarilyUnavailableError"),
}
INVOKE = """
import importlib, json, sys
module = importlib.import_module(f"runtime.{sys.argv[1]}")
class Context:
    function_name, memory_limit_in_mb, aws_request_id = "function", 256, "request"
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:function"
    get_remaining_time_in_millis = staticmethod(lambda: 300_000)
try:
    end = json.dumps(module.handler(json.loads(sys.argv[2]), Context()))
except Exception as error:
    end = type(error).__name__
print(end)
print("modules", json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the bundle of every handler, made as synthesis makes it."""
    folder = tmp_path_factory.mktemp("bundles")
    for module in HANDLERS:
        zipfile.ZipFile(bundling.bundle_zip(module, "python3.14")).extractall(folder / module)
    return folder


@pytest.fixture(scope="module")
def boto3_alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with boto3 and what it needs, as Lambda's runtime has them, and nothing else."""
    folder, site = tmp_path_factory.mktemp("lambda"), Path(botocore.__file__).parents[1]
    for name in ("boto3", "botocore", "dateutil", "s3transfer", "six.py", "urllib3"):
        (folder / name).symlink_to(site / name)
    return folder


@pytest.mark.parametrize("module", HANDLERS)
def test_a_handler_runs_from_its_bundle_alone(bundles: Path, boto3_alone: Path, module: str) -> None:
    """Nothing that it imports, at its start or when it is invoked, was pruned."""
    variables, event, end = HANDLERS[module]
    done = subprocess.run(
        [sys.executable, "-S", "-c", INVOKE, module, json.dumps(event)],
        env={
            "PATH": os.defpath,
            "PYTHONPATH": f"{bundles / module}{os.pathsep}{boto3_alone}",
            "PYTHONDONTWRITEBYTECODE": "1",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
            "TABLE_NAME": "table",
            **variables,
        },
        cwd=boto3_alone,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    *_, answer, modules = done.stdout.splitlines()
    assert end in answer
    assert "boto3" not in json.loads(modules.removeprefix("modules ")), "botocore alone starts faster"


@pytest.mark.parametrize("module", HANDLERS)
def test_a_zip_is_small(module: str) -> None:
    assert bundling.bundle_zip(module, "python3.14").stat().st_size <= 400_000


def test_each_line_of_the_prune_lists_drops_something(tmp_path: Path) -> None:
    for lock in (RUNTIME / "requirements.txt", RUNTIME / "biometrics" / "requirements.txt"):
        installed = tmp_path / lock.parent.name
        bundling._install(lock, "python3.14", "arm64", installed)
        for line in bundling._prune_list(lock.with_suffix(".prune")):
            assert list(installed.glob(line)), f"{lock.with_suffix('.prune')}: {line} matches nothing"
