from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from bench.__main__ import DOCUMENT, main
from bench.processes import CommandFailedError, run


def test_quick_writes_a_report_and_leaves_the_document(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = DOCUMENT.read_text()
    file = tmp_path / "build/report.json"

    assert main(["--quick", "--only", "lint_growth", "--report", str(file)]) == 0

    report = json.loads(file.read_text())
    assert report["quick"] is True
    section = report["sections"]["lint_growth"]
    assert section["figures"]["10_blocks_seconds"]["n"] == 3
    assert 0.2 < section["figures"]["exponent"] < 2
    assert section["goals"][0]["limit"] == 1.1
    assert "exponent" in capsys.readouterr().out
    assert DOCUMENT.read_text() == before


def test_a_measurement_that_does_not_exist_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--only", "zips,sizes"])
    assert "there is no measurement 'sizes'; there are synthesis," in capsys.readouterr().err


def test_what_a_command_leaves_behind_is_counted() -> None:
    burn = "import time\nwhile time.process_time() < 0.4: pass"
    leave = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {burn!r}])"
    taken = run([sys.executable, "-c", leave])
    if sys.platform == "linux":
        assert taken.cpu_seconds >= 0.4
    assert taken.seconds > 0


def test_a_command_that_fails_is_told_with_its_last_words() -> None:
    with pytest.raises(CommandFailedError, match=r"(?s)ended with 3:.*no such thing"):
        run([sys.executable, "-c", "import sys; print('no such thing'); sys.exit(3)"])
