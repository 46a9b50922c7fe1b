"""docs/from-the-console.md: its commands do what it shows."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from connect_sandbox.rehearsal.scenario import ScenarioFile

from tests.support import ROOT
from tests.support.documents import shown_commands

PAGE = (ROOT / "docs/from-the-console.md").read_text(encoding="utf-8")
BIN = Path(sys.executable).parent
SETTLED_BY_OTHERS = {"cd support-line && make test", "cd support-line && make demo"}
"""test_new_app.py runs these; what the CDK prints when a value is missing is the app's own error, tested there."""
SYNTH = "cd support-line && make synth ENV=prod"


def test_the_page_can_be_followed(tmp_path: Path) -> None:
    for file in (ROOT / "examples/console_exports").glob("*.json"):
        shutil.copy(file, tmp_path)
    path = f"{BIN}{os.pathsep}{os.environ['PATH']}"
    followed = []
    for shown in shown_commands(PAGE):
        if shown.command in SETTLED_BY_OTHERS:
            continue
        synth = f'CDK_CONTEXT_JSON=\'{{"env": "prod"}}\' {sys.executable} app.py'
        command = shown.command.replace("make synth ENV=prod", synth)
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=tmp_path,
            env={**os.environ, "PATH": path},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=60,
        )
        printed = done.stdout
        assert shown.matches(printed), f"$ {shown.command}\n{printed}\nshown:\n{shown.output}"
        assert done.returncode == (1 if "FAILED" in printed or shown.command == SYNTH else 0)
        followed.append(shown.command)
    assert len(followed) == 6
    stack = (tmp_path / "support-line/stack.py").read_text()
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert code in stack
    assert ScenarioFile.load(tmp_path / "support-line/scenarios/main_inbound.yaml").scenarios


def test_every_target_that_the_page_names_is_in_a_new_apps_makefile() -> None:
    makefile = (ROOT / "constructs/connect_bridges/operations/new/texts/Makefile.txt").read_text()
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    named = set(re.findall(r"make ([a-z]+)", PAGE))
    assert {"test", "demo", "synth", "diff", "deploy"} <= named & targets
